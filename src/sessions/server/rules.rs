//! The rules about sessions: under which keys they are kept, and what is wrong with one.

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        server::settings::Setting,
    },
    sessions::{
        SignIn,
        rules::{Lifetimes, Limits, Risk},
    },
};

impl Setting for SignIn {
    const KEY: &'static str = "sessions.sign_in";
}

impl SignIn {
    /// Reads what a query has found beside something else; a tenant that has set nothing has the default.
    pub fn read(kept: Option<Value>) -> anyhow::Result<Self> {
        match kept {
            Some(rule) => serde_json::from_value(rule).context("read the rules for signing in"),
            None => Ok(SignIn::default()),
        }
    }
}

impl Setting for Risk {
    const KEY: &'static str = "sessions.risk";
}

impl Setting for Limits {
    const KEY: &'static str = "sessions.limits";
}

impl Setting for Lifetimes {
    const KEY: &'static str = "sessions.lifetimes";
}

/// Notes the fields that are outside their bounds.
pub fn check_bounds(fields: &[(&str, i64, (i64, i64))]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (field, value, (least, most)) in fields {
        if !(*least..=*most).contains(value) {
            errors.add(*field, FieldCode::Range);
        }
    }
    errors
}

impl Limits {
    /// Says what is wrong with them.
    pub fn parse(self) -> Result<Self, AppError> {
        check_bounds(&[
            ("limits.free_by_account", self.free_by_account, Self::FREE_BY_ACCOUNT),
            ("limits.free_by_address", self.free_by_address, Self::FREE_BY_ADDRESS),
            ("limits.free_letters", self.free_letters, Self::FREE_LETTERS),
            ("limits.longest_wait", self.longest_wait, Self::LONGEST_WAIT),
            ("limits.memory_minutes", self.memory_minutes, Self::MEMORY_MINUTES),
            ("limits.puzzle_size", self.puzzle_size, Self::PUZZLE_SIZE),
        ])
        .check()?;
        Ok(self)
    }
}

impl Lifetimes {
    /// Says what is wrong with them.
    pub fn parse(self) -> Result<Self, AppError> {
        let mut errors = check_bounds(&[
            ("lifetimes.access_minutes", self.access_minutes, Self::ACCESS_MINUTES),
            ("lifetimes.idle_days", self.idle_days, Self::IDLE_DAYS),
            ("lifetimes.absolute_days", self.absolute_days, Self::ABSOLUTE_DAYS),
        ]);
        if self.idle_days > self.absolute_days {
            errors.add("lifetimes.idle_days", FieldCode::Contradiction);
        }
        errors.check()?;
        Ok(self)
    }
}
