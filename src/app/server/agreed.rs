//! Which capability answers for which kind of request that others have agreed to (C12).

use crate::{
    access::server::{Tx, record::Event},
    approvals::{
        Kind,
        server::{Agreed, Answering, Applier, Renewed},
    },
    groups, policies, roles,
};

/// What the router hands to whoever decides.
pub const APPLIER: Applier = Applier { renew, apply };

fn renew<'a>(tx: &'a mut Tx, agreed: &'a Agreed) -> Answering<'a, Option<Renewed>> {
    match agreed.kind {
        Kind::Rights => Box::pin(roles::server::approved::renew_rights(tx, agreed)),
        Kind::Role => Box::pin(roles::server::approved::renew_role(tx, agreed)),
        Kind::Access => Box::pin(roles::server::approved::renew_access(tx, agreed)),
        Kind::Catalogue => Box::pin(roles::server::exchange::renew(tx, agreed)),
        Kind::Group => Box::pin(groups::server::approved::renew(tx, agreed)),
        Kind::Policy => Box::pin(policies::server::approved::renew(tx, agreed)),
    }
}

fn apply<'a>(tx: &'a mut Tx, agreed: &'a Agreed) -> Answering<'a, Vec<Event>> {
    match agreed.kind {
        Kind::Rights => Box::pin(roles::server::approved::apply_rights(tx, agreed)),
        Kind::Role => Box::pin(roles::server::approved::apply_role(tx, agreed)),
        Kind::Access => Box::pin(roles::server::approved::apply_access(tx, agreed)),
        Kind::Catalogue => Box::pin(roles::server::exchange::apply(tx, agreed)),
        Kind::Group => Box::pin(groups::server::approved::apply(tx, agreed)),
        Kind::Policy => Box::pin(policies::server::approved::apply(tx, agreed)),
    }
}
