//! Ids are types of their own, so that one kind cannot be handed in for another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

id!(
    /// An organisation.
    TenantId
);
id!(
    /// A person.
    UserId
);
id!(
    /// A role, of a tenant or of the platform.
    RoleId
);
id!(
    /// A group of people.
    GroupId
);
id!(
    /// An attribute policy.
    PolicyId
);
id!(
    /// A text that people consent to.
    ConsentId
);
id!(
    /// A browser or program that somebody signs in with.
    DeviceId
);
id!(
    /// A key on somebody's device that stands for them.
    PasskeyId
);
id!(
    /// A signed-in session, of a browser or a program.
    SessionId
);
id!(
    /// A key with which a program acts as a person.
    ApiKeyId
);
id!(
    /// A request that others have to agree to.
    ApprovalId
);
