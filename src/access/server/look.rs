//! What a node answers from what it knows: the check of [`Cx::allow`], and no transaction.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::{
    access::{
        Permission,
        server::{Cx, Tx, engine::Snapshot},
    },
    base::{errors::AppError, ids::TenantId},
};

/// A caller who may read under a permission, and the grants that are current.
pub struct Look {
    cx: Cx,
    tenant: TenantId,
    snapshot: Arc<Snapshot>,
    /// The permission, where it is held in a scope only.
    undecided: Option<Permission>,
}

impl Look {
    pub(super) fn of(cx: &Cx, tenant: TenantId, snapshot: Arc<Snapshot>, undecided: Option<Permission>) -> Self {
        Look { cx: cx.clone(), tenant, snapshot, undecided }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.cx.now()
    }

    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whether everybody whom the grants name is somebody of the tenant whom the caller may look at: not in a scope only, and
    /// not on a visit, whose visitor stands among them.
    pub fn is_of_everybody(&self) -> bool {
        self.undecided.is_none() && self.cx.visitor_of(self.tenant).is_none()
    }

    /// A second permission that this needs, held for the whole tenant.
    pub async fn require(&self, permission: Permission) -> Result<(), AppError> {
        self.cx.require(self.tenant, &self.snapshot, permission, false).await
    }

    /// As [`Tx::also_holds`].
    pub fn also_holds(&self, permission: &Permission) -> Result<bool, AppError> {
        self.cx.holds(self.tenant, &self.snapshot, permission, None)
    }

    /// The transaction that reads what a node does not know.
    pub async fn read(&self) -> Result<Tx, AppError> {
        self.open(true).await
    }

    pub(super) async fn open(&self, read_only: bool) -> Result<Tx, AppError> {
        Tx::open(&self.cx, self.tenant, self.snapshot.clone(), self.undecided.clone(), read_only).await
    }
}
