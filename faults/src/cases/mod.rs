//! The cases, by their numbers.

mod clock;
mod commit;
mod disk;
mod keys;
mod kill;
mod postgres;
mod races;
mod tamper;

use std::pin::Pin;

use crate::{findings::Findings, ground::Ground, random::Random};

/// What a case is given.
pub struct Run<'a> {
    pub ground: &'a Ground,
    pub random: Random,
    pub rounds: usize,
    pub findings: &'a mut Findings,
}

type Done<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

pub struct Case {
    pub name: &'static str,
    pub title: &'static str,
    pub rounds: usize,
    /// In the short form. Without it the case is not in it: it takes long, or needs what is not everywhere.
    pub short_rounds: Option<usize>,
    pub act: for<'a> fn(Run<'a>) -> Done<'a>,
}

pub const ALL: &[Case] = &[
    Case {
        name: "F1",
        title: "a node killed (kill -9) while it grants, at any moment and at chosen ones",
        rounds: 60,
        short_rounds: Some(4),
        act: |run| Box::pin(kill::kill(run)),
    },
    Case {
        name: "F3",
        title: "PostgreSQL killed (kill -9, immediate stop) under load",
        rounds: 20,
        short_rounds: Some(1),
        act: |run| Box::pin(postgres::killed(run)),
    },
    Case {
        name: "F4",
        title: "the connection to PostgreSQL cut at COMMIT",
        rounds: 200,
        short_rounds: Some(16),
        act: |run| Box::pin(commit::cut(run)),
    },
    Case {
        name: "F10",
        title: "the disk full: data, WAL, then logs and exports",
        rounds: 3,
        short_rounds: None,
        act: |run| Box::pin(disk::full(run)),
    },
    Case {
        name: "F13",
        title: "wrong and jumping clocks of nodes",
        rounds: 2,
        short_rounds: None,
        act: |run| Box::pin(clock::jumps(run)),
    },
    Case {
        name: "F17",
        title: "two nodes, one refresh token",
        rounds: 300,
        short_rounds: Some(6),
        act: |run| Box::pin(races::one_refresh_token(run)),
    },
    Case {
        name: "F18",
        title: "two nodes, one approval; the last two super-admins remove each other",
        rounds: 40,
        short_rounds: Some(3),
        act: |run| Box::pin(races::one_approval(run)),
    },
    Case {
        name: "F19",
        title: "a right and a session taken away on one node while the other is asked",
        rounds: 60,
        short_rounds: Some(3),
        act: |run| Box::pin(races::revoked_while_used(run)),
    },
    Case {
        name: "F27",
        title: "the audit log tampered with as a superuser",
        rounds: 3,
        short_rounds: Some(1),
        act: |run| Box::pin(tamper::the_log(run)),
    },
    Case {
        name: "F28",
        title: "sealed secrets of two people swapped",
        rounds: 3,
        short_rounds: Some(1),
        act: |run| Box::pin(tamper::sealed_secrets(run)),
    },
    Case {
        name: "F29",
        title: "the data key changed under load, the one before retired",
        rounds: 2,
        short_rounds: None,
        act: |run| Box::pin(keys::rotated(run)),
    },
];
