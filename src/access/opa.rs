//! The tenant's own Open Policy Agent, which policies of the language `opa` ask (C6).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where it is asked, and how long it may take (C6). Whoever keeps it decides all that such policies are about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Opa {
    /// `https://…`, or for the platform `http://` to this machine itself, without a path. Empty: none is asked, and what asks it denies.
    pub url: String,
    /// So many milliseconds an answer may take: 50 to 1500. What comes later counts as a deny.
    pub timeout_ms: u16,
    /// Whether a token goes with each question. It is told, and not looked at in a change.
    pub has_token: bool,
    /// Goes as `Authorization: Bearer …`, and is never shown. Left out: the one that is kept stays, unless the address
    /// changes. Empty: none goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ssr", schema(value_type = Option<String>))]
    pub token: Option<BearerToken>,
}

impl Default for Opa {
    fn default() -> Self {
        Opa { url: String::new(), timeout_ms: 300, has_token: false, token: None }
    }
}

impl Opa {
    /// How long an answer may take, in milliseconds.
    pub const TIMEOUT_MS: (u16, u16) = (50, 1_500);
}

/// A token on its way in (C6). It prints as dots, wherever it is printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BearerToken(pub String);

impl BearerToken {
    pub fn of(text: &str) -> Self {
        BearerToken(text.to_owned())
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(…)")
    }
}
