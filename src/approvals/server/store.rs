//! The rows of requests and decisions.

use std::collections::HashMap;

use uuid::Uuid;

use super::Renewed;
use crate::{
    access::{
        Facts,
        server::{PersonCaller, Tx},
    },
    approvals::{Approval, DecisionMade, Kind, State},
    base::{
        errors::AppError,
        ids::{ApprovalId, UserId},
    },
};

/// Which requests are asked for.
pub enum Which {
    All(Option<State>),
    Of(UserId),
    One(ApprovalId),
}

/// Requests with where their subject is.
pub async fn list(tx: &mut Tx, which: Which) -> Result<Vec<(Approval, Facts)>, AppError> {
    let (now, caller) = (tx.now(), tx.cx().person()?.user);
    let (state, of, one) = match which {
        Which::All(state) => (state, None, None),
        Which::Of(user) => (None, Some(user.0), None),
        Which::One(id) => (None, None, Some(id.0)),
    };
    let rows = sqlx::query!(
        r#"select id, requester_id, requester_name, kind, subject_id, subject_name, department, region, proposal, digest,
                  reason, permissions, required, failure, expires_at, created_at,
                  case when status = 'waiting' and expires_at <= $1 then 'expired' else status end as "status!"
           from approvals
           where ($2::text is null or case when status = 'waiting' and expires_at <= $1 then 'expired' else status end = $2)
             and ($3::uuid is null or requester_id = $3) and ($4::uuid is null or id = $4)
           order by created_at desc, id desc limit 500"#,
        now,
        state.map(State::as_str),
        of,
        one,
    )
    .fetch_all(tx.conn())
    .await?;
    let bound = rows.iter().map(|row| (row.id, row.digest.clone())).collect::<HashMap<_, _>>();
    let mut decisions = decisions(tx, &bound).await?;
    let approvals = rows.into_iter().map(|row| {
        let kind =
            Kind::parse(&row.kind).ok_or_else(|| anyhow::anyhow!("the stored kind {:?} is unknown", row.kind))?;
        let state =
            State::parse(&row.status).ok_or_else(|| anyhow::anyhow!("the stored state {:?} is unknown", row.status))?;
        let approval = Approval {
            id: ApprovalId(row.id),
            kind,
            requester_id: UserId(row.requester_id),
            requester_name: row.requester_name,
            subject_id: row.subject_id,
            subject_name: row.subject_name,
            proposal: row.proposal,
            digest: hex::encode(row.digest),
            reason: row.reason,
            permissions: row.permissions,
            required: u32::from(row.required.unsigned_abs()),
            state,
            failure: row.failure,
            decisions: decisions.remove(&row.id).unwrap_or_default(),
            may_decide: false,
            is_own: row.requester_id == caller.0,
            expires_at: row.expires_at.into(),
            created_at: row.created_at.into(),
        };
        Ok((approval, Facts { department: row.department, region: row.region, ..Facts::default() }))
    });
    approvals.collect()
}

/// How many wait for somebody who decides, inside the caller's scopes. What they are about stays unread.
pub async fn count_waiting(tx: &mut Tx, decider: UserId) -> Result<i64, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let (departments, regions) = tx.bounds();
    let count = sqlx::query_scalar!(
        r#"select count(*) as "n!" from approvals a
           where a.tenant_id = $1 and a.status = 'waiting' and a.expires_at > $2 and a.requester_id <> $3
             and not exists (
                 select from approval_decisions d
                 where d.approval_id = a.id and d.decider_id = $3 and d.digest = a.digest)
             and ($4::text[] is null or exists (
                 select from unnest($4::text[], $5::text[]) s (department, region)
                 where (s.department is null or s.department = a.department)
                   and (s.region is null or s.region = a.region)))"#,
        tenant.0,
        now,
        decider.0,
        departments.as_deref() as Option<&[Option<String>]>,
        regions.as_deref() as Option<&[Option<String>]>,
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

/// What was decided on these requests, of which the digests are known.
async fn decisions(tx: &mut Tx, bound: &HashMap<Uuid, Vec<u8>>) -> Result<HashMap<Uuid, Vec<DecisionMade>>, AppError> {
    let ids = bound.keys().copied().collect::<Vec<_>>();
    let rows = sqlx::query!(
        "select approval_id, decider_id, decider_name, approves, comment, digest, decided_at from approval_decisions
         where approval_id = any($1) order by decided_at, decider_id",
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut found = HashMap::<Uuid, Vec<DecisionMade>>::new();
    for row in rows {
        found.entry(row.approval_id).or_default().push(DecisionMade {
            decider_id: UserId(row.decider_id),
            decider_name: row.decider_name,
            approves: row.approves,
            comment: row.comment,
            counts: bound.get(&row.approval_id) == Some(&row.digest),
            decided_at: row.decided_at.into(),
        });
    }
    Ok(found)
}

pub async fn by_id(tx: &mut Tx, id: ApprovalId) -> Result<Option<(Approval, Facts)>, AppError> {
    Ok(list(tx, Which::One(id)).await?.pop())
}

/// The same, held until the transaction ends.
pub async fn for_update(tx: &mut Tx, id: ApprovalId) -> Result<Option<(Approval, Facts)>, AppError> {
    sqlx::query!("select id from approvals where id = $1 for update", id.0).fetch_optional(tx.conn()).await?;
    by_id(tx, id).await
}

pub async fn insert_decision(
    tx: &mut Tx,
    id: ApprovalId,
    person: &PersonCaller,
    approves: bool,
    comment: Option<&str>,
    digest: &[u8],
) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "insert into approval_decisions
             (tenant_id, approval_id, decider_id, decider_name, approves, comment, digest, decided_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tenant.0,
        id.0,
        person.user.0,
        person.name,
        approves,
        comment,
        digest,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The request as it has to be decided on from now on, and where its subject is.
pub async fn renew(
    tx: &mut Tx,
    id: ApprovalId,
    renewed: &Renewed,
    permissions: &[String],
    digest: &[u8],
) -> Result<(), AppError> {
    sqlx::query!(
        "update approvals set proposal = $2, permissions = $3, department = $4, region = $5, digest = $6
         where id = $1 and status = 'waiting'",
        id.0,
        renewed.proposal,
        permissions,
        renewed.facts.department,
        renewed.facts.region,
        digest,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn end(tx: &mut Tx, id: ApprovalId, state: State, failure: Option<&str>) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!(
        "update approvals set status = $2, failure = $3, ended_at = $4 where id = $1 and status = 'waiting'",
        id.0,
        state.as_str(),
        failure,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Who gets a letter.
pub struct ToRead {
    pub email: String,
    pub name: String,
    pub locale: String,
}

/// Those of these people who can be written to.
pub async fn readers(tx: &mut Tx, people: &[UserId]) -> Result<Vec<ToRead>, AppError> {
    let ids = people.iter().map(|id| id.0).collect::<Vec<_>>();
    let readers = sqlx::query_as!(
        ToRead,
        "select email, name, locale from users where id = any($1) and status = 'active' order by id",
        &ids,
    );
    Ok(readers.fetch_all(tx.conn()).await?)
}
