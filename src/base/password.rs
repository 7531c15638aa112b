//! A password on its way in, and the rule for those that are chosen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// It prints as dots, wherever it is printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The tenant's rule for passwords that are chosen. Those that people have stay good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct PasswordRule {
    /// The fewest characters where nothing else protects the account (NIST SP 800-63B-4 §3.1.1.2). 8 to 64.
    pub shortest: u16,
    /// The fewest where a second factor is on. 8 to 64.
    pub shortest_with_second_factor: u16,
    /// Where the beginning of a digest is looked up among leaked passwords (`https://…/range/`); empty for nowhere. The
    /// password itself never leaves this server.
    pub leaked_lookup: String,
}

impl Default for PasswordRule {
    fn default() -> Self {
        PasswordRule { shortest: 15, shortest_with_second_factor: 8, leaked_lookup: String::new() }
    }
}

impl PasswordRule {
    /// What may be chosen as the fewest characters.
    pub const BOUNDS: (u16, u16) = (8, 64);

    /// The fewest characters for somebody.
    pub fn shortest_for(&self, has_second_factor: bool) -> u16 {
        if has_second_factor { self.shortest_with_second_factor } else { self.shortest }
    }
}
