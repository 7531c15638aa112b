//! `bawwab verify`: what must always hold, looked up in the database itself. It asks plain SQL and not the program's own
//! operations: a mistake in those is what it is there to find.

use clap::Args;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    access::server::{Cx, Quiet},
    app::server::{
        audit_commands,
        cli::{say, with_database},
        oracle, sealed,
    },
    audit::server::{seal, verify},
    base::{errors::AppError, ids::TenantId, server::config::Config},
};

#[derive(Args)]
pub(super) struct VerifyArgs {
    /// Also hold the whole audit log against its chain, compare everybody's rights with what plain SQL makes of them, and
    /// open every sealed value. Reads everything
    #[arg(long)]
    strict: bool,
}

/// One thing that must hold, and where it does not: a line for each place, at most [`NAMED`] of them.
#[derive(Debug)]
pub struct Check {
    pub what: &'static str,
    pub broken: Vec<String>,
}

/// How many places one check names.
pub const NAMED: i64 = 20;

macro_rules! check {
    ($checks:ident, $connection:expr, $what:literal, $query:literal $(, $value:expr)*) => {
        let broken = sqlx::query_scalar!($query $(, $value)*).fetch_all(&mut *$connection).await?;
        $checks.push(Check { what: $what, broken });
    };
}

pub(super) async fn verify_all(config: Config, args: VerifyArgs) -> anyhow::Result<()> {
    let broken = with_database(&config, "verify", async |cx: Cx| look(&cx, args.strict).await).await?;
    if broken > 0 {
        anyhow::bail!("{broken} of the invariants do not hold");
    }
    Ok(())
}

/// Looks at everything and prints what it found. Gives back how many invariants do not hold.
pub(super) async fn look(cx: &Cx, is_strict: bool) -> anyhow::Result<usize> {
    let mut broken = told("installation", &of_node(cx).await?)?;
    for (chain, name) in audit_commands::chains(cx, None).await? {
        if let Some(tenant) = seal::owner(chain) {
            broken += told(&name, &of_tenant(cx, tenant).await?)?;
        }
        if is_strict {
            broken += told(&name, &strict(cx, chain).await?)?;
        }
    }
    Ok(broken)
}

/// Prints a line for each check and one for each place where it does not hold. Gives back how many do not hold.
fn told(whose: &str, checks: &[Check]) -> anyhow::Result<usize> {
    for check in checks {
        if check.broken.is_empty() {
            say(format_args!("{whose}: {}: holds", check.what))?;
        } else {
            say(format_args!("{whose}: {}: DOES NOT HOLD", check.what))?;
            check.broken.iter().try_for_each(|place| say(format_args!("    {place}")))?;
        }
    }
    Ok(checks.iter().filter(|check| !check.broken.is_empty()).count())
}

/// What holds for the installation as a whole.
pub async fn of_node(cx: &Cx) -> Result<Vec<Check>, AppError> {
    let mut tx = cx.node().await?;
    let checks = node_checks(tx.conn()).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(checks)
}

/// What holds within a tenant.
pub async fn of_tenant(cx: &Cx, tenant: TenantId) -> Result<Vec<Check>, AppError> {
    let mut tx = cx.node().await?;
    tx.enter(tenant).await?;
    let checks = tenant_checks(tx.conn(), tenant).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(checks)
}

pub(super) async fn node_checks(connection: &mut PgConnection) -> Result<Vec<Check>, AppError> {
    let mut checks = Vec::new();
    check!(
        checks,
        connection,
        "every table is under row-level security, its owner included",
        r#"select c.relname::text as "broken!" from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> '_sqlx_migrations'
             and not (c.relrowsecurity and c.relforcerowsecurity) order by c.relname"#
    );
    check!(
        checks,
        connection,
        "the application's role bypasses nothing",
        r#"select rolname::text as "broken!" from pg_roles
           where rolname = 'bawwab_app' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin)"#
    );
    check!(
        checks,
        connection,
        "the application can only add to the audit log",
        r#"select format('%s on %s', privilege, name) as "broken!"
           from unnest(array['audit_logs', 'audit_chain']) as name,
                unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as privilege
           where has_table_privilege('bawwab_app', name, privilege)"#
    );
    check!(
        checks,
        connection,
        "somebody is super-admin for good, once anybody is in",
        r#"select 'nobody is' as "broken!" from (select 1) as one
           where exists (select from users where status = 'active')
             and not exists (
                select from user_roles ur join roles r on r.id = ur.role_id and r.tenant_id is null
                join users u on u.id = ur.user_id and u.status = 'active'
                join tenants t on t.id = u.tenant_id and t.status = 'active'
                where ur.expires_at is null and ur.scope_department is null and ur.scope_region is null)"#
    );
    Ok(checks)
}

pub(super) async fn tenant_checks(connection: &mut PgConnection, tenant: TenantId) -> Result<Vec<Check>, AppError> {
    let mut checks = Vec::new();
    // The log begins with its oldest row: what is older than that may have been removed by the rule for keeping it.
    let begins = sqlx::query_scalar!("select min(created_at) from audit_logs where tenant_id = $1", tenant.0);
    let begins = begins.fetch_one(&mut *connection).await?.unwrap_or(chrono::DateTime::UNIX_EPOCH);
    rights(&mut checks, connection, tenant, begins).await?;
    spent_once(&mut checks, connection, tenant).await?;
    consents(&mut checks, connection, tenant, begins).await?;
    Ok(checks)
}

/// I2, I8, I9 and I10: rights, what gave them, and what they point at.
async fn rights(
    checks: &mut Vec<Check>,
    connection: &mut PgConnection,
    tenant: TenantId,
    begins: chrono::DateTime<chrono::Utc>,
) -> Result<(), AppError> {
    check!(
        checks,
        connection,
        "every right of a person has its event",
        r#"select format('%s of person %s', g.what, g.user_id) as "broken!"
           from (select user_id, 'role ' || role_id as what, user_id::text as resource, created_at
                 from user_roles where tenant_id = $1
                 union all
                 select user_id, 'own permission ' || permission_id, user_id::text, created_at
                 from user_permissions where tenant_id = $1
                 union all
                 select user_id, 'group ' || group_id, group_id::text, created_at
                 from group_members where tenant_id = $1) g
           where g.created_at >= $2 and not exists (
               select from audit_logs l
               where l.tenant_id = $1 and l.outcome = 'done' and l.resource_type in ('user', 'group')
                 and l.resource_id in (g.resource, g.user_id::text)
                 and l.created_at between g.created_at - interval '1 second' and g.created_at + interval '1 minute')
           order by 1 limit $3"#,
        tenant.0,
        begins,
        NAMED
    );
    check!(
        checks,
        connection,
        "whatever was made has its event",
        r#"select format('%s %s', made.kind, made.id) as "broken!"
           from (select 'user' as kind, id, created_at from users where tenant_id = $1
                 union all select 'role', id, created_at from roles where tenant_id = $1 and not built_in
                 union all select 'group', id, created_at from groups where tenant_id = $1
                 union all select 'policy', id, created_at from access_policies p
                 where tenant_id = $1 and exists (
                     select from access_policy_versions v where v.policy_id = p.id and v.number = 1 and v.saved_by is not null)
                 union all select 'api_key', id, created_at from api_keys where tenant_id = $1
                 union all select 'approval', id, created_at from approvals where tenant_id = $1
                 union all select 'consent', id, created_at from consent_texts where tenant_id = $1) made
           where made.created_at >= $2 and not exists (
               select from audit_logs l
               where l.tenant_id = $1 and l.resource_type = made.kind and l.resource_id = made.id::text
                 and l.outcome = 'done')
           order by 1 limit $3"#,
        tenant.0,
        begins,
        NAMED
    );
    check!(
        checks,
        connection,
        "no right points out of its tenant",
        r#"select broken as "broken!" from (
               select format('role %s of person %s', g.role_id, g.user_id) as broken
               from user_roles g
               left join roles r on r.id = g.role_id and (r.tenant_id is null or r.tenant_id = $1)
               where g.tenant_id = $1 and r.id is null
               union all
               select format('permission %s of person %s', g.permission_id, g.user_id)
               from user_permissions g
               left join permissions p on p.id = g.permission_id and (p.tenant_id is null or p.tenant_id = $1)
               where g.tenant_id = $1 and p.id is null
               union all
               select format('permission %s of role %s', g.permission_id, g.role_id)
               from role_permissions g
               left join permissions p on p.id = g.permission_id and (p.tenant_id is null or p.tenant_id = $1)
               left join roles r on r.id = g.role_id and r.tenant_id = $1
               where g.tenant_id = $1 and (p.id is null or r.id is null)) as found
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "no role and no group inherits from itself",
        r#"with recursive
           role_reach (id, up) as (
               select role_id, parent_id from role_parents where tenant_id = $1
               union
               select reach.id, p.parent_id from role_reach reach join role_parents p on p.role_id = reach.up),
           group_reach (id, up) as (
               select group_id, parent_id from group_parents where tenant_id = $1
               union
               select reach.id, p.parent_id from group_reach reach join group_parents p on p.group_id = reach.up)
           select format('role %s', id) as "broken!" from role_reach where id = up
           union all
           select format('group %s', id) from group_reach where id = up
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "what was applied had been agreed to by enough others, as it was asked for",
        r#"select format('request %s', a.id) as "broken!" from approvals a
           where a.tenant_id = $1
             and (exists (select from approval_decisions d where d.approval_id = a.id and d.decider_id = a.requester_id)
                  or (a.status = 'applied' and a.required > (
                      select count(*) from approval_decisions d
                      where d.approval_id = a.id and d.approves and d.digest = a.digest)))
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    Ok(())
}

/// I4 and I5: what may be used once, and who may be in.
async fn spent_once(checks: &mut Vec<Check>, connection: &mut PgConnection, tenant: TenantId) -> Result<(), AppError> {
    check!(
        checks,
        connection,
        "a session has one refresh token that is not spent",
        r#"select format('session %s: %s', session_id, count(*)) as "broken!" from refresh_tokens
           where tenant_id = $1 and spent_at is null group by session_id having count(*) > 1 order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "only active people have live sessions",
        r#"select format('session %s of person %s', s.id, s.user_id) as "broken!"
           from sessions s join users u on u.id = s.user_id
           left join users i on i.id = s.impersonator_id
           where s.tenant_id = $1 and s.ended_at is null and s.expires_at > app_now()
             and (u.status <> 'active' or i.status <> 'active')
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "people have as many passkeys as it says",
        r#"select format('person %s', u.id) as "broken!" from users u
           where u.tenant_id = $1 and u.passkeys <> (select count(*) from passkeys p where p.user_id = u.id)
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    Ok(())
}

/// I2 and A13: what was published stays, and what people said to it is told once, in its order. Times are of several nodes,
/// whose clocks differ by less than the minute that is granted them.
async fn consents(
    checks: &mut Vec<Check>,
    connection: &mut PgConnection,
    tenant: TenantId,
    begins: chrono::DateTime<chrono::Utc>,
) -> Result<(), AppError> {
    check!(
        checks,
        connection,
        "a text has every version up to its last",
        r#"select format('text %s: the last is %s, there are %s', t.key, t.latest, count(v.number)) as "broken!"
           from consent_texts t left join consent_versions v on v.tenant_id = $1 and v.text_id = t.id
           where t.tenant_id = $1 group by t.id, t.key, t.latest
           having t.latest <> count(v.number) or t.latest <> coalesce(max(v.number), 0)
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "consents are about versions of the same tenant that were published by then",
        r#"select format('record %s of person %s', r.id, r.user_id) as "broken!"
           from consent_records r
           left join consent_versions v on v.tenant_id = $1 and v.text_id = r.text_id and v.number = r.number
           where r.tenant_id = $1 and (v.number is null or v.published_at > r.created_at + interval '1 minute')
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "nobody gives what they have given already, nor a version before it",
        r#"with said as (
               select id, user_id, number, given, lag(given) over before as was_given, lag(number) over before as last
               from consent_records where tenant_id = $1
               window before as (partition by user_id, text_id order by id))
           select format('record %s of person %s: version %s after version %s', id, user_id, number, last) as "broken!"
           from said where given and (number < last or (number = last and was_given))
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "only what has been given is withdrawn, and later",
        r#"with said as (
               select id, user_id, number, given, created_at, lag(given) over before as was_given,
                      lag(number) over before as last, lag(created_at) over before as last_at
               from consent_records where tenant_id = $1
               window before as (partition by user_id, text_id order by id))
           select format('record %s of person %s', id, user_id) as "broken!"
           from said
           where not given
             and (was_given is not true or number <> last or created_at < last_at - interval '1 minute')
           order by 1 limit $2"#,
        tenant.0,
        NAMED
    );
    check!(
        checks,
        connection,
        "each consent and each version has its event, and each event its consent",
        r#"select broken as "broken!" from (
               select format('record %s of person %s', r.id, r.user_id) as broken
               from consent_records r
               where r.tenant_id = $1 and r.created_at >= $2 and not exists (
                   select from audit_logs l
                   where l.tenant_id = $1 and l.outcome = 'done' and l.resource_type = 'consent'
                     and l.resource_id = r.text_id::text and (l.user_id is null or l.user_id = r.user_id)
                     and l.action = case when r.given then 'auth.consent_give' else 'auth.consent_withdraw' end
                     and l.created_at between r.created_at - interval '1 second' and r.created_at + interval '1 minute')
               union all
               select format('version %s of text %s', v.number, v.text_id)
               from consent_versions v
               where v.tenant_id = $1 and v.published_at >= $2 and not exists (
                   select from audit_logs l
                   where l.tenant_id = $1 and l.outcome = 'done' and l.resource_type = 'consent'
                     and l.resource_id = v.text_id::text and l.action = 'admin.consent_publish'
                     and l.created_at between v.published_at - interval '1 second'
                                          and v.published_at + interval '1 minute')
               union all
               select format('event %s of person %s', l.id, l.user_id)
               from audit_logs l
               where l.tenant_id = $1 and l.outcome = 'done'
                 and l.action in ('auth.consent_give', 'auth.consent_withdraw') and not exists (
                   select from consent_records r
                   where r.tenant_id = $1 and r.text_id::text = l.resource_id
                     and (l.user_id is null or r.user_id = l.user_id)
                     and r.given = (l.action = 'auth.consent_give')
                     and r.created_at between l.created_at - interval '1 minute'
                                          and l.created_at + interval '1 second')) as found
           order by 1 limit $3"#,
        tenant.0,
        begins,
        NAMED
    );
    Ok(())
}

/// C4, I6 and F28: everybody's rights told in two ways, the chain of the log, and every secret under the key of this
/// program, at its own place.
pub async fn strict(cx: &Cx, chain: Uuid) -> Result<Vec<Check>, AppError> {
    let report = verify::verify(cx, chain, None).await?;
    let bad = report.first_bad.as_ref().map(audit_commands::fault);
    let mut checks = vec![Check { what: "the audit log is as it was written", broken: bad.into_iter().collect() }];
    let mut tx = cx.node().await?;
    counted(&mut checks, tx.conn(), chain).await?;
    tx.commit_quietly(Quiet::Job).await?;
    if let Some(tenant) = seal::owner(chain) {
        let broken = oracle::differences(cx, tenant).await?;
        checks.push(Check { what: "the engine gives everybody what plain SQL gives them", broken });
    }
    let mut broken = sealed::unreadable(cx, seal::owner(chain)).await?;
    broken.truncate(usize::try_from(NAMED).unwrap_or(usize::MAX));
    checks.push(Check { what: "every sealed value opens at its place", broken });
    Ok(checks)
}

/// D5: what is counted of the log is what is in it. Of days whose rows the rule for keeping has removed, the counts stay; a
/// removal may have stopped within the oldest day that is there, or at the one after.
async fn counted(checks: &mut Vec<Check>, connection: &mut PgConnection, chain: Uuid) -> Result<(), AppError> {
    check!(
        checks,
        connection,
        "every sealed row of the log is counted once",
        r#"with there as (
               select (l.created_at at time zone 'UTC')::date as day, l.action, l.outcome, count(*) as total
               from audit_chain c join audit_logs l on l.id = c.log_id where c.chain = $1 group by 1, 2, 3),
           whole as (
               select case when exists (select from there where action = 'audit.retention')
                   then (select min(day) + 2 from there where action <> 'audit.retention')
                   else '-infinity'::date end as since),
           counted as (select day, action, outcome, total from audit_daily where chain = $1)
           select format('%s %s %s: counted %s, there are %s', day, action, outcome, coalesce(counted.total, 0),
                         coalesce(there.total, 0)) as "broken!"
           from there full join counted using (day, action, outcome) cross join whole
           where coalesce(counted.total, 0) < coalesce(there.total, 0)
              or (coalesce(counted.total, 0) <> coalesce(there.total, 0) and day >= since)
           order by 1 limit $2"#,
        chain,
        NAMED
    );
    Ok(())
}
