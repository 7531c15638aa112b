//! Reminders of what ends soon (C13): roles, permissions and places in groups that were given for a time, to a person or
//! to a group that they are in. Each end is told of once a threshold, by one conditional insert; what was extended or taken
//! away meanwhile is none.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    access::server::{
        Cx, Quiet,
        record::{Action, Event},
    },
    accounts::{
        self,
        server::letters::{self, Ending, Ends},
    },
    base::{
        errors::{AppError, FieldCode},
        ids::{TenantId, UserId},
        server::{
            jobs,
            settings::{self, Setting},
        },
    },
    roles::Reminders,
    sessions::server::rules::check_bounds,
};

/// The kind of the job.
pub const KIND: &str = "reminders";
const EVERY: TimeDelta = TimeDelta::hours(1);

impl Setting for Reminders {
    const KEY: &'static str = "roles.reminders";
}

impl Reminders {
    /// Says what is wrong with them.
    pub fn parse(self) -> Result<Self, AppError> {
        let mut errors = check_bounds(&[
            ("reminders.first_days", self.first_days, Self::FIRST_DAYS),
            ("reminders.last_days", self.last_days, Self::LAST_DAYS),
        ]);
        if self.first_days > 0 && self.first_days <= self.last_days {
            errors.add("reminders.first_days", FieldCode::Contradiction);
        }
        errors.check()?;
        Ok(self)
    }

    /// How many days before the end; none where they are off.
    fn thresholds(&self) -> Vec<i32> {
        let days = [self.first_days, self.last_days].into_iter().filter(|days| *days > 0);
        days.filter_map(|days| i32::try_from(days).ok()).collect()
    }
}

/// Does the work if it is due and nobody else does it. Gives back how many people were written to.
pub async fn once(cx: &Cx) -> Result<u64, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    jobs::enqueue(tx.conn(), KIND, Some(KIND), now).await?;
    let Some(job) = jobs::claim(tx.conn(), KIND, now).await? else {
        tx.commit_quietly(Quiet::Job).await?;
        return Ok(0);
    };
    let until = now + TimeDelta::days(Reminders::FIRST_DAYS.1);
    let tenants = sqlx::query_scalar!(
        r#"select tenant_id as "tenant!" from user_roles where expires_at > $1 and expires_at <= $2
           union select tenant_id from user_permissions where allowed and expires_at > $1 and expires_at <= $2
           union select tenant_id from group_members where expires_at > $1 and expires_at <= $2
           union select tenant_id from group_roles where expires_at > $1 and expires_at <= $2"#,
        now,
        until,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit_quietly(Quiet::Job).await?;
    let mut told = 0;
    for tenant in tenants {
        told += of_tenant(cx, TenantId(tenant)).await?;
    }
    // Where this is not reached the job is taken again, and finds what is left.
    let mut tx = cx.node().await?;
    jobs::reschedule(tx.conn(), &job, now + EVERY).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(told)
}

/// Reminds the people of one tenant: each gets one letter about all that ends.
async fn of_tenant(cx: &Cx, tenant: TenantId) -> Result<u64, AppError> {
    let mut tx = cx.node().await?;
    tx.enter(tenant).await?;
    let thresholds = settings::get::<Reminders>(tx.conn(), tenant).await?.thresholds();
    if thresholds.is_empty() {
        return Ok(0);
    }
    // Nobody extends or takes away what is being told of.
    tx.lock_grants(None).await?;
    let now = tx.now();
    let rows = sqlx::query!(
        r#"with given (kind, user_id, subject_id, expires_at, created_at) as (
               select 'role', user_id, role_id, expires_at, created_at from user_roles
               where tenant_id = $1 and expires_at > $2
               union all
               select 'permission', user_id, permission_id, expires_at, created_at from user_permissions
               where tenant_id = $1 and allowed and expires_at > $2
               union all
               select 'group', user_id, group_id, expires_at, created_at from group_members
               where tenant_id = $1 and expires_at > $2
               union all
               select 'group_role', user_id, role_id, expires_at, created_at
               from ending_by_groups($2, $2 + make_interval(days => (select max(d) from unnest($3::int[]) d)))
               where tenant_id = $1
           ), soon as (
               select given.kind, given.user_id, given.subject_id, given.expires_at,
                      -- What was given for a shorter time than that is not announced so early.
                      (select min(d) from unnest($3::int[]) d
                       where given.expires_at <= $2 + make_interval(days => d)
                         and given.created_at <= given.expires_at - make_interval(days => d)) as days
               from given join users u on u.id = given.user_id and u.tenant_id = $1 and u.status = 'active'
           ), told as (
               insert into grant_reminders (tenant_id, user_id, kind, subject_id, expires_at, days, reminded_at)
               select $1, user_id, kind, subject_id, expires_at, days, $2 from soon where days is not null
               on conflict do nothing
               returning user_id, kind, subject_id, expires_at
           )
           select told.user_id as "user!", told.kind as "kind!", told.expires_at as "expires_at!",
                  coalesce(r.name, g.name, p.name_ar, '') as "name_ar!",
                  coalesce(r.name, g.name, p.name_en, '') as "name_en!", p.key as "key?"
           from told
           left join roles r on told.kind in ('role', 'group_role') and r.id = told.subject_id
           left join groups g on told.kind = 'group' and g.id = told.subject_id
           left join permissions p on told.kind = 'permission' and p.id = told.subject_id
           order by told.expires_at, told.kind, told.subject_id"#,
        tenant.0,
        now,
        &thresholds,
    )
    .fetch_all(tx.conn())
    .await?;
    let mut people = BTreeMap::<Uuid, Vec<(Ending, Option<String>)>>::new();
    for row in rows {
        let what = match row.kind.as_str() {
            "role" | "group_role" => Ends::Role,
            "group" => Ends::Group,
            _ => Ends::Permission,
        };
        let ending = Ending { what, name_ar: row.name_ar, name_en: row.name_en, at: row.expires_at };
        people.entry(row.user).or_default().push((ending, row.key));
    }
    let told = people.len();
    let mut last = None;
    for (user, ends) in people {
        let user = UserId(user);
        let ask = cx.link(&ask(&ends));
        let count = ends.len();
        let ends = ends.into_iter().map(|(ending, _)| ending).collect::<Vec<_>>();
        let name = accounts::server::find(&mut tx, user).await?.name;
        accounts::server::tell(&mut tx, user, |reader| letters::rights_end(reader, &ends, &ask)).await?;
        let event = Event::done(Action::GrantReminder).on("user", user, &name).meta("count", count);
        if let Some(before) = last.replace(event) {
            tx.record(&before).await?;
        }
    }
    let Some(last) = last else { return Ok(0) };
    tx.commit(last).await?;
    Ok(u64::try_from(told).unwrap_or(u64::MAX))
}

/// Where an extension is asked for: with the permission filled in where it is the only thing that ends.
fn ask(ends: &[(Ending, Option<String>)]) -> String {
    match ends {
        [(_, Some(key))] if !key.ends_with('*') => format!("/console/approvals/new?permission={key}"),
        _ => "/console/approvals/new".to_owned(),
    }
}
