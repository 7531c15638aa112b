//! What a client says it is.

use woothee::parser::{Parser, WootheeResult};

/// The kinds of device that are told apart.
pub const KINDS: &[&str] = &["mobile", "tablet", "desktop", "other"];

pub fn parse(agent: &str) -> Option<WootheeResult<'_>> {
    Parser::new().parse(agent)
}

/// One of [`KINDS`].
pub fn kind(parsed: Option<&WootheeResult<'_>>) -> &'static str {
    match parsed.map(|found| found.category) {
        Some("smartphone" | "mobilephone") => "mobile",
        Some("pc") => "desktop",
        Some("tablet") => "tablet",
        Some(_) | None => "other",
    }
}
