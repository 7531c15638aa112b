//! The rules about sessions: under which keys they are kept, and what is wrong with one.

use crate::{
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        server::settings::Setting,
    },
    sessions::{SignIn, rules::Lifetimes},
};

impl Setting for SignIn {
    const KEY: &'static str = "sessions.sign_in";
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
