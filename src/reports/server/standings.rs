//! How many people, roles and groups a tenant has: now, and on each day on which a node has looked.

use chrono::{NaiveDate, TimeDelta};

use crate::{
    access::server::{Cx, Quiet, States, Tx},
    audit::server::seal,
    base::{errors::AppError, server::jobs},
    reports::Standing,
};

const KIND: &str = "reports.standings";
/// The last look at a day is the one that stays: it is never longer than this before the day's end.
const EVERY: TimeDelta = TimeDelta::hours(1);

/// Looks at every tenant if it is due and nobody else does it. Gives back how many there are (D5).
pub async fn keep(cx: &Cx) -> Result<usize, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    jobs::enqueue(tx.conn(), KIND, Some(KIND), now).await?;
    let Some(job) = jobs::claim(tx.conn(), KIND, now).await? else {
        tx.commit_quietly(Quiet::Job).await?;
        return Ok(0);
    };
    let chains = seal::chains(&mut tx).await?;
    let tenants = chains.into_iter().filter_map(|(chain, _)| seal::owner(chain)).collect::<Vec<_>>();
    for tenant in &tenants {
        tx.enter(*tenant).await?;
        put(&mut tx).await?;
    }
    jobs::reschedule(tx.conn(), &job, now + EVERY).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(tenants.len())
}

/// How the tenant stood since a day, and how it stands now.
pub(super) async fn since(tx: &mut Tx, first: NaiveDate) -> Result<Vec<Standing>, AppError> {
    let (tenant, today) = (tx.tenant()?, tx.now().date_naive());
    let rows = sqlx::query!(
        "select day, active, invited, suspended, with_second_factor, roles, groups, waiting from daily_standings
         where tenant_id = $1 and day >= $2 and day < $3 order by day",
        tenant.0,
        first,
        today,
    )
    .fetch_all(tx.conn())
    .await?;
    let before = rows.into_iter().map(|row| Standing {
        day: row.day.to_string(),
        active: row.active,
        invited: row.invited,
        suspended: row.suspended,
        with_second_factor: row.with_second_factor,
        roles: row.roles,
        groups: row.groups,
        approvals_waiting: row.waiting,
    });
    let mut all = before.collect::<Vec<_>>();
    all.push(now(tx).await?);
    Ok(all)
}

/// How the tenant stands now. Where the node knows how many people there are they are not counted in the database.
async fn now(tx: &mut Tx) -> Result<Standing, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let States { active, invited, suspended } = match tx.countable() {
        Some(grants) => grants.states(),
        None => count(tx).await?,
    };
    let row = sqlx::query!(
        r#"select (select count(*) from users
                   where tenant_id = $1 and status = 'active' and (second_factor_at is not null or passkeys > 0))
                      as "with_second_factor!",
                  (select count(*) from roles where tenant_id = $1) as "roles!",
                  (select count(*) from groups where tenant_id = $1) as "groups!",
                  (select count(*) from approvals
                   where tenant_id = $1 and status = 'waiting' and expires_at > $2) as "waiting!""#,
        tenant.0,
        now,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Standing {
        day: now.date_naive().to_string(),
        active,
        invited,
        suspended,
        with_second_factor: row.with_second_factor,
        roles: row.roles,
        groups: row.groups,
        approvals_waiting: row.waiting,
    })
}

/// How many people there are in the tenant, for work that is done for all tenants.
async fn count(tx: &mut Tx) -> Result<States, AppError> {
    let tenant = tx.tenant()?;
    let row = sqlx::query!(
        r#"select count(*) filter (where status = 'active') as "active!",
                  count(*) filter (where status = 'invited') as "invited!",
                  count(*) filter (where status = 'suspended') as "suspended!"
           from users where tenant_id = $1"#,
        tenant.0,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(States { active: row.active, invited: row.invited, suspended: row.suspended })
}

/// Keeps how the tenant stands now as the standing of today.
async fn put(tx: &mut Tx) -> Result<(), AppError> {
    let (tenant, at) = (tx.tenant()?, tx.now());
    let standing = now(tx).await?;
    sqlx::query!(
        "insert into daily_standings
             (tenant_id, day, active, invited, suspended, with_second_factor, roles, groups, waiting, seen_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (tenant_id, day) do update set active = excluded.active, invited = excluded.invited,
             suspended = excluded.suspended, with_second_factor = excluded.with_second_factor, roles = excluded.roles,
             groups = excluded.groups, waiting = excluded.waiting, seen_at = excluded.seen_at",
        tenant.0,
        at.date_naive(),
        standing.active,
        standing.invited,
        standing.suspended,
        standing.with_second_factor,
        standing.roles,
        standing.groups,
        standing.approvals_waiting,
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
