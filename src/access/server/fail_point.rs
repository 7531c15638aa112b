//! Points at which the process ends as if its power had gone, so that a fault run can choose the moment (F1).
//!
//! A variable of the environment and no cargo feature: fault runs and browser tests use the debug build of the server, so
//! nothing has to be built once more for them, and `debug_assertions` keeps this out of what is delivered as surely as a
//! feature would. It also leaves no use for the `fail` crate, which has no action that is a `kill -9`.

use std::{
    process::{self, Command},
    sync::Arc,
};

use tracing::error;

/// Its value is a point, or a point and the action that it is about: `before_audit:admin.assign_roles`.
const VARIABLE: &str = "BAWWAB_FAIL_POINT";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// What was done is written, its row of the audit log is not.
    BeforeAudit,
    /// Both are committed, and nobody has heard of it.
    AfterCommit,
    /// The answer is kept beside its `Idempotency-Key`, and not sent.
    BeforeReply,
}

impl Point {
    fn name(self) -> &'static str {
        match self {
            Point::BeforeAudit => "before_audit",
            Point::AfterCommit => "after_commit",
            Point::BeforeReply => "before_reply",
        }
    }
}

/// Where this process is to end, if anywhere.
#[derive(Clone, Debug, Default)]
pub struct FailPoint(Option<Arc<str>>);

impl FailPoint {
    /// What the environment says. To be asked once, at the start.
    pub fn told() -> Self {
        FailPoint(std::env::var(VARIABLE).ok().map(Into::into))
    }

    /// Does not return where the process is to end at this point of this action.
    pub fn reach(&self, point: Point, action: &str) {
        if self.is_at(point, action) {
            end();
        }
    }

    fn is_at(&self, point: Point, action: &str) -> bool {
        let Some(told) = &self.0 else { return false };
        match told.split_once(':') {
            Some((name, only)) => name == point.name() && only == action,
            None => &**told == point.name(),
        }
    }
}

/// Nothing is unwound, flushed or told to the database.
fn end() -> ! {
    let own = process::id().to_string();
    if let Err(error) = Command::new("kill").args(["-KILL", &own]).status() {
        error!(%error, "this process cannot be killed");
    }
    process::abort()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F1: it ends at the point and for the action that were told, and nowhere else.
    #[test]
    fn a_point_is_told_alone_or_with_an_action() {
        let told = |told: &str| FailPoint(Some(told.into()));
        let grant = "admin.assign_roles";
        assert!(!FailPoint::default().is_at(Point::BeforeAudit, grant));
        assert!(told("before_reply").is_at(Point::BeforeReply, ""));
        assert!(told("before_audit").is_at(Point::BeforeAudit, grant));
        let only = told("after_commit:admin.assign_roles");
        assert!(only.is_at(Point::AfterCommit, grant));
        assert!(!only.is_at(Point::AfterCommit, "auth.login"));
        assert!(!only.is_at(Point::BeforeAudit, grant));
        assert!(!told("").is_at(Point::BeforeAudit, ""));
    }
}
