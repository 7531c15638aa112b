//! The rights of everybody told twice, by the engine that decides and by a view in plain SQL that knows nothing of it: a
//! mistake in one of them shows where they differ (C4).
//!
//! The view tells what roles, groups and overrides give for the whole tenant. Policies it does not know, so the engine is
//! asked without them.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    access::{
        Answer,
        server::{Cx, Quiet, Tx, engine::Snapshot, node},
    },
    app::server::invariants::NAMED,
    base::{
        errors::AppError,
        ids::{TenantId, UserId},
    },
};

/// How many people are compared in one transaction, so that none is long.
const BATCH: i64 = 100;

struct Person {
    id: Uuid,
    name: String,
}

/// Where the engine and the view differ on the people of a tenant: a line for each person and permission, at most
/// [`NAMED`] of them. It keeps in memory what every node keeps of a tenant, and one batch, however many people there are.
pub async fn differences(cx: &Cx, tenant: TenantId) -> Result<Vec<String>, AppError> {
    let most = usize::try_from(NAMED).unwrap_or(usize::MAX);
    let mut tx = begin(cx, tenant).await?;
    let mut snapshot = without_policies(&mut tx, tenant).await?;
    tx.commit_quietly(Quiet::Job).await?;
    let (mut found, mut after) = (Vec::new(), Uuid::nil());
    while found.len() < most {
        let mut tx = begin(cx, tenant).await?;
        let people = batch(&mut tx, tenant, after).await?;
        let Some(last) = people.last() else { break };
        after = last.id;
        let mut differing = compare(&mut tx, tenant, &snapshot, &people).await?;
        if !differing.is_empty() {
            // People are at work, and somebody may have been given something since: what differs counts only where it
            // still does while nobody can change anything.
            node::lock(tx.conn(), tenant).await?;
            snapshot = without_policies(&mut tx, tenant).await?;
            differing = compare(&mut tx, tenant, &snapshot, &people).await?;
        }
        tx.commit_quietly(Quiet::Job).await?;
        found.append(&mut differing);
    }
    found.truncate(most);
    Ok(found)
}

async fn begin(cx: &Cx, tenant: TenantId) -> Result<Tx, AppError> {
    let mut tx = cx.node().await?;
    tx.enter(tenant).await?;
    Ok(tx)
}

/// The engine as it is now, as if no policy were enforced.
async fn without_policies(tx: &mut Tx, tenant: TenantId) -> Result<Snapshot, AppError> {
    let mut snapshot = node::load(tx.conn(), tenant).await?;
    let policies = snapshot.policies().iter().map(|policy| policy.id).collect::<Vec<_>>();
    for id in policies {
        snapshot.put_policy(id, None);
    }
    Ok(snapshot)
}

/// The next people, those who may do nothing as well.
async fn batch(tx: &mut Tx, tenant: TenantId, after: Uuid) -> Result<Vec<Person>, AppError> {
    let people = sqlx::query_as!(
        Person,
        "select id, name from users where tenant_id = $1 and id > $2 order by id limit $3",
        tenant.0,
        after,
        BATCH,
    );
    Ok(people.fetch_all(tx.conn()).await?)
}

async fn compare(
    tx: &mut Tx,
    tenant: TenantId,
    snapshot: &Snapshot,
    people: &[Person],
) -> Result<Vec<String>, AppError> {
    // The time that the view goes by: at the end of a grant a microsecond decides.
    let now = sqlx::query_scalar!(r#"select app_now() as "now!""#).fetch_one(tx.conn()).await?;
    let keys = snapshot.plain_keys().map(|(_, key)| key).collect::<Vec<_>>();
    let mut found = Vec::new();
    for Person { id, name } in people {
        // One person at a time: asked about several, PostgreSQL makes out everybody's rights before it looks for theirs.
        let view = sqlx::query_scalar!(
            r#"select permission_key as "key!" from v_user_effective_permissions where tenant_id = $1 and user_id = $2"#,
            tenant.0,
            *id,
        );
        let view = view.fetch_all(tx.conn()).await?.into_iter().collect::<BTreeSet<_>>();
        let held = keys.iter().filter(|key| snapshot.check(UserId(*id), key, None, now) == Answer::Yes);
        let engine = held.map(ToString::to_string).collect::<BTreeSet<_>>();
        found.extend(engine.symmetric_difference(&view).map(|key| {
            let says = |set: &BTreeSet<String>| if set.contains(key) { "yes" } else { "no" };
            format!("{name} ({id}), {key}: the engine says {}, the view says {}", says(&engine), says(&view))
        }));
    }
    Ok(found)
}
