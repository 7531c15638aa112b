//! Fills a database with people, their roles and a long audit log, inside SQL.
//!
//! Every constraint and foreign key is in force and holds. Indexes are taken away and made again by their own definitions,
//! which is what makes it fast. The rows of the log are plainly not the server's: their canonical text says so, they carry no
//! salts and no code, and they are left out of the chain. This log must not be taken for one that can be verified.

use anyhow::Context as _;
use bawwab_running::psql;

use crate::server::{ADMIN, Server};

/// Rows of the log for each person.
pub const ROWS_A_PERSON: usize = 10;

/// What the rows ask for, of the database as it was filled.
pub struct Filled {
    pub people: usize,
    pub rows: usize,
    pub tenant: String,
    /// Somebody in the middle.
    pub person: String,
}

/// Nobody may be at work on the database. Everybody has one role, every fifth person two.
pub async fn fill(server: &Server, people: usize) -> anyhow::Result<Filled> {
    let rows = people * ROWS_A_PERSON;
    let tenant = server.value(&format!("select tenant_id from users where email = '{ADMIN}'")).await?;
    let statements = [
        words(),
        set_aside("users"),
        // The node begins anew: nobody asks what has moved.
        "alter table users disable trigger user; alter table user_roles disable trigger user".to_owned(),
        people_of(&tenant, people),
        put_back(),
        roles_of(&tenant),
        "alter table users enable trigger user; alter table user_roles enable trigger user".to_owned(),
        set_aside("audit_logs"),
        log_of(&tenant, people, rows),
        put_back(),
        daily_of(&tenant),
    ];
    psql(&server.database, &statements.join(";\n")).await.context("fill the database")?;
    // Not inside a transaction; it also makes the index-only scans what they are after a while.
    for table in ["users", "user_roles", "audit_logs", "audit_daily"] {
        psql(&server.database, &format!("vacuum analyze {table}")).await?;
    }
    let person = server.value(&format!("select bench_person({})", people / 2)).await?;
    Ok(Filled { people, rows, tenant, person })
}

/// Names, already folded as the database folds them; and ids that anybody can work out from a number. They are in the order
/// of their numbers, as ids of the server are in that of time.
fn words() -> String {
    "set local maintenance_work_mem = '256MB';
     create table bench_names as
     select row_number() over () - 1 as place, first || ' ' || family as name, fold_text(first || ' ' || family) as folded
     from unnest(array['سارة', 'أحمد', 'نورة', 'خالد', 'ليلى', 'يوسف', 'Mariam', 'Omar', 'Huda', 'Faisal']) first,
          unnest(array['الشهري', 'العتيبي', 'القحطاني', 'الحربي', 'Haddad', 'Nasser', 'Khoury', 'Saleh', 'Amin', 'Zaki']) family;
     create function bench_person(n bigint) returns uuid language sql immutable parallel safe return
         (lpad(to_hex(1700000000000 + n), 12, '0') || '7' || substr(md5(n::text), 1, 3)
          || '8' || substr(md5(n::text), 4, 15))::uuid;
     create function bench_row(n bigint) returns uuid language sql immutable parallel safe return
         (lpad(to_hex(1750000000000 + n), 12, '0') || '7' || substr(md5('row' || n::text), 1, 3)
          || '8' || substr(md5('row' || n::text), 4, 15))::uuid"
        .to_owned()
}

/// Takes the indexes of a table away that no constraint needs.
fn set_aside(table: &str) -> String {
    format!(
        "create table if not exists bench_indexes (definition text);
         do $$
         declare one record;
         begin
             for one in select i.schemaname, i.indexname, i.indexdef from pg_indexes i
                 where i.tablename = '{table}' and i.schemaname = current_schema()
                   and not exists (select from pg_constraint c where c.conname = i.indexname)
             loop
                 insert into bench_indexes values (one.indexdef);
                 execute format('drop index %I.%I', one.schemaname, one.indexname);
             end loop;
         end $$"
    )
}

fn put_back() -> String {
    "do $$
     declare one record;
     begin
         for one in select definition from bench_indexes loop
             execute one.definition;
         end loop;
         delete from bench_indexes;
     end $$"
        .to_owned()
}

fn people_of(tenant: &str, people: usize) -> String {
    format!(
        "insert into users (id, tenant_id, email, name, department, region, locale, status, email_confirmed_at,
                            last_login_at, created_at)
         select bench_person(n), '{tenant}', 'filled' || n || '@example.com', w.name || ' ' || n,
                (array['المالية', 'التقنية', 'Sales', 'Support'])[1 + n % 4], (array['الرياض', 'جدة', 'الدمام'])[1 + n % 3],
                case when n % 3 = 0 then 'en' else 'ar' end, case when n % 50 = 0 then 'suspended' else 'active' end,
                now() - interval '1 day', now() - n % 90 * interval '1 day', now() - interval '91 days' + n * interval '1 second'
         from generate_series(1, {people}) n join bench_names w on w.place = n % 100"
    )
}

fn roles_of(tenant: &str) -> String {
    format!(
        "insert into user_roles (tenant_id, user_id, role_id, created_at)
         select u.tenant_id, u.id, r.id, u.created_at
         from users u join roles r on r.tenant_id = u.tenant_id and r.name = 'standard-user'
         where u.tenant_id = '{tenant}' and u.email like 'filled%'
         on conflict do nothing;
         insert into user_roles (tenant_id, user_id, role_id, created_at)
         select u.tenant_id, u.id, (select id from roles where tenant_id = '{tenant}'
                                    and name not in ('standard-user', 'admin') order by name limit 1), u.created_at
         from users u where u.tenant_id = '{tenant}' and u.email like 'filled%' and u.number % 5 = 0
         on conflict do nothing;
         update grant_versions set version = version + 1 where tenant_id = '{tenant}'"
    )
}

/// Evenly over the last ninety days, the newest last. Without the trigger that has rows sealed.
fn log_of(tenant: &str, people: usize, rows: usize) -> String {
    format!(
        "alter table audit_logs disable trigger audit_logs_unsealed;
         insert into audit_logs (id, tenant_id, user_id, user_name, action, outcome, resource_type, resource_id,
                                 resource_name, meta, ip, user_agent, request_id, created_at, canonical, salts, search)
         select bench_row(n), '{tenant}', bench_person(who), w.name || ' ' || who, a.action, a.outcome,
                'user', bench_person(who)::text, w.name || ' ' || who, '{{}}', a.ip::inet, 'bench', bench_row(n),
                now() - ({rows} - n) * (interval '90 days' / {rows}), 'filled by the benchmark, not sealed', '{{}}',
                a.action || ' ' || w.folded || ' ' || who || ' ' || a.ip
         from generate_series(1::bigint, {rows}) n
         -- A step that scatters people over the log.
         cross join lateral (select 1 + n * 7919 % {people} as who) p
         join bench_names w on w.place = p.who % 100
         cross join lateral (
             select '10.' || n % 256 || '.' || n / 256 % 256 || '.7' as ip,
                    case when n % 100 < 55 then 'auth.refresh' when n % 100 < 85 then 'auth.login'
                         when n % 100 < 92 then 'auth.login_failed' when n % 100 < 95 then 'access.denied'
                         else 'admin.user_update' end as action,
                    case when n % 100 between 85 and 91 then 'failed' when n % 100 between 92 and 94 then 'denied'
                         else 'done' end as outcome) a;
         alter table audit_logs enable trigger audit_logs_unsealed"
    )
}

/// What the sealer would have counted by day, which the dashboard reads.
fn daily_of(tenant: &str) -> String {
    format!(
        "insert into audit_daily (chain, day, action, outcome, total)
         select tenant_id, (created_at at time zone 'UTC')::date, action, outcome, count(*) from audit_logs
         where tenant_id = '{tenant}' and canonical like 'filled%' group by 1, 2, 3, 4
         on conflict (chain, day, action, outcome) do update set total = audit_daily.total + excluded.total"
    )
}
