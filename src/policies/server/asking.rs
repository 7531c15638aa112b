//! Whoever asks questions of the engine, and whom they may ask about (C18).

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::find;
use crate::{
    access::{
        Facts, PERMISSIONS_READ, REQUESTS_VOUCH, USERS_READ,
        server::{
            Cx, Look, Tx,
            engine::{About, Snapshot},
        },
    },
    base::{errors::AppError, ids::UserId},
};

/// Somebody who may ask, and a transaction once something is asked that this node does not know.
pub(super) struct Asking {
    look: Look,
    tx: Option<Tx>,
    /// Whether what the caller says of a request is believed, once it was asked: the same for all questions of one request.
    vouches: OnceLock<bool>,
    /// Whom a name names, so that many questions about one person look for them once.
    found: HashMap<String, Option<UserId>>,
}

impl Asking {
    /// Needs `permissions.read`, and `users.read` for the whole tenant.
    pub async fn open(cx: &Cx) -> Result<Self, AppError> {
        let look = cx.look(PERMISSIONS_READ).await?;
        look.require(USERS_READ).await?;
        Ok(Asking { look, tx: None, vouches: OnceLock::new(), found: HashMap::new() })
    }

    pub fn snapshot(&self) -> &Arc<Snapshot> {
        self.look.snapshot()
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.look.now()
    }

    /// Whether what the caller says of a request is believed.
    pub fn vouches(&self) -> Result<bool, AppError> {
        match self.vouches.get() {
            Some(vouches) => Ok(*vouches),
            None => {
                let vouches = self.look.also_holds(&REQUESTS_VOUCH)?;
                Ok(*self.vouches.get_or_init(|| vouches))
            }
        }
    }

    pub async fn tx(&mut self) -> Result<&mut Tx, AppError> {
        match &mut self.tx {
            Some(tx) => Ok(tx),
            none => Ok(none.insert(self.look.read().await?)),
        }
    }

    /// What is known of what is asked about. The time is ours, whatever the caller says.
    pub fn about<'a>(&self, facts: Option<&'a Facts>, context: Option<&'a Value>) -> Result<About<'a>, AppError> {
        let context = if context.is_some() && self.vouches()? { context } else { None };
        Ok(About { facts, context, ..About::at(self.now()) })
    }

    /// Somebody by id, address or username. Whoever is outside the caller's scopes is nobody. The node knows ids: the database
    /// is asked for addresses and usernames, and for whoever the node does not know.
    pub async fn find(&mut self, named: &str) -> Result<Option<UserId>, AppError> {
        let named = named.trim();
        if let Some(known) = self.found.get(named) {
            return Ok(*known);
        }
        let id = named.parse().ok().map(UserId).filter(|_| self.look.is_of_everybody());
        let known = match id.filter(|id| self.snapshot().person(*id).is_some()) {
            Some(id) => Some(id),
            None => find(self.tx().await?, named).await?,
        };
        self.found.insert(named.to_owned(), known);
        Ok(known)
    }
}
