//! A puzzle that costs a computer some work: asked of whoever goes on after many failures (the ALTCHA protocol, version 1).

use serde::{Deserialize, Serialize};

/// Find the number for which SHA-256 of `salt` followed by its decimal digits is `challenge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct Puzzle {
    /// Always `SHA-256`.
    pub algorithm: String,
    /// 64 hexadecimal digits.
    pub challenge: String,
    /// The number is between 0 and this.
    pub maxnumber: u32,
    pub salt: String,
    /// Sent back with the number, as it is.
    pub signature: String,
}
