//! Lists, searches and the dashboard over a filled database, through HTTP, against the same SQL in pgbench by a superuser:
//! what lies between is the check, row-level security, JSON and HTTP.

use std::time::Duration;

use crate::{
    Effort,
    filling::Filled,
    report::{Measured, Words},
    server::{ADMIN, Server},
    turns::{in_turn, page_ms, pgbench},
};

/// Rows of a page.
const PAGE: usize = 50;

/// A page over HTTP and its SQL.
struct Asked {
    name: &'static str,
    path: String,
    sql: String,
}

/// Where a page deep in a list begins: what the server is told, and the key and id for SQL.
struct Place {
    after: String,
    key: String,
    id: String,
}

/// D1: people.
pub async fn people(server: &Server, filled: &Filled, effort: Effort) -> anyhow::Result<Vec<Measured>> {
    let from = format!("from users where tenant_id = '{}' and status <> 'deleted'", filled.tenant);
    let middle = filled.people / 2;
    let deep = place(server, "name_key", &from, "order by name_key, id", middle).await?;
    let path = format!("/admin/users?limit={PAGE}&sort=name");
    let sql = |condition: &str| {
        format!(
            "select u.id, u.number, u.name, u.email, u.username, u.department, u.region, u.status, u.last_login_at,
                    u.created_at, u.name_key as sort_key,
                    array(select r.name from user_roles ur join roles r on r.id = ur.role_id
                          where ur.user_id = u.id and (ur.expires_at is null or ur.expires_at > now()) order by r.name)
             from users u where u.tenant_id = '{}' and u.status <> 'deleted' {condition}
             order by u.name_key, u.id limit {}",
            filled.tenant,
            PAGE + 1,
        )
    };
    // One person in a million, and a word that many have.
    let number = middle.to_string();
    let asked = [
        Asked { name: "user list, first page", path: path.clone(), sql: sql("") },
        Asked {
            name: "user list, page in the middle",
            path: format!("{path}&after={}", deep.after),
            sql: sql(&format!("and (u.name_key, u.id) > ('{}', '{}')", deep.key, deep.id)),
        },
        Asked {
            name: "user search, a few found",
            path: format!("{path}&q={number}"),
            sql: sql(&format!("and u.search like '%{number}%'")),
        },
        Asked {
            name: "user search, many found",
            path: format!("{path}&q=haddad"),
            sql: sql("and u.search like '%haddad%'"),
        },
    ];
    measured(server, &asked, &format!("{} people", filled.people), effort).await
}

/// E1, D5: the log and the numbers that are made of it.
pub async fn audit(server: &Server, filled: &Filled, effort: Effort) -> anyhow::Result<Vec<Measured>> {
    let from = format!("from audit_logs where tenant_id = '{}'", filled.tenant);
    let written = "to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
    let deep = place(server, written, &from, "order by created_at desc, id desc", filled.rows / 2).await?;
    let path = format!("/admin/audit?limit={PAGE}");
    let columns = "id, user_id, user_name, impersonator_id, impersonator_name, action, outcome, resource_type, \
                   resource_id, resource_name, old_value, new_value, meta, host(ip) as ip, user_agent, request_id, \
                   created_at";
    let sql = |condition: &str| {
        let half = |of: &str| {
            format!(
                "(select {columns} from audit_logs where {of} {condition} order by created_at desc, id desc limit {})",
                PAGE + 1
            )
        };
        let (own, nobodys) = (half(&format!("tenant_id = '{}'", filled.tenant)), half("tenant_id is null"));
        format!("{own} union all {nobodys} order by created_at desc, id desc limit {}", PAGE + 1)
    };
    // In seconds of an epoch: pgbench takes what follows a colon for a variable.
    let moment = server.value(&format!("select extract(epoch from '{}'::timestamptz)", deep.key)).await?;
    let number = (filled.people / 2).to_string();
    let person = &filled.person;
    let asked = [
        Asked { name: "audit log, first page", path: path.clone(), sql: sql("") },
        Asked {
            name: "audit log, page in the middle",
            path: format!("{path}&after={}", deep.after),
            sql: sql(&format!("and (created_at, id) < (to_timestamp({moment}), '{}')", deep.id)),
        },
        Asked {
            name: "audit log of one person",
            path: format!("{path}&actor={person}"),
            sql: sql(&format!("and user_id = '{person}'")),
        },
        Asked {
            name: "audit log of one action",
            path: format!("{path}&action=access.denied"),
            sql: sql("and action = 'access.denied'"),
        },
        Asked {
            name: "audit search, a few found",
            path: format!("{path}&q={number}"),
            sql: sql(&format!("and search like '%{number}%'")),
        },
        Asked {
            name: "audit search, many found",
            path: format!("{path}&q=haddad"),
            sql: sql("and search like '%haddad%'"),
        },
        Asked {
            name: "dashboard of 90 days",
            path: "/admin/dashboard?days=90".to_owned(),
            sql: format!(
                "select day, action, sum(total) from audit_daily where chain = '{}' and day > current_date - 90
                 and action in ('auth.login', 'auth.login_failed', 'auth.lockout', 'auth.refresh', 'auth.refresh_reuse')
                 group by day, action",
                filled.tenant
            ),
        },
    ];
    let mut lines = measured(server, &asked, &format!("{} rows", filled.rows), effort).await?;
    lines.push(audited_change(server, filled, effort).await?);
    Ok(lines)
}

/// The page in the middle against the first, then each against its SQL.
async fn measured(server: &Server, asked: &[Asked], size: &str, effort: Effort) -> anyhow::Result<Vec<Measured>> {
    let mut lines = Vec::new();
    let words =
        |name: &str, what, target| Words { name: name.to_owned(), size: size.to_owned(), what, target, unit: " ms" };
    for one in asked {
        eprintln!("{}…", one.name);
        // Its own for each: one would run out before the last page is measured.
        let token = server.access_token(ADMIN).await?;
        let ours = async |time: Duration| page_ms(&server.client, &one.path, Some(&token), time).await;
        let script = format!("{};\n", one.sql.split_whitespace().collect::<Vec<_>>().join(" "));
        let sql = async |time: Duration| anyhow::Ok(1_000.0 / pgbench(&server.database, &script, 1, time).await?);
        let line = words(one.name, "the same SQL in pgbench", "≤ 2.5");
        lines.push(in_turn(line, effort, Some(server), ours, sql).await?);
    }
    if let [first, deep, ..] = asked {
        let token = server.access_token(ADMIN).await?;
        let deep_page = async |time: Duration| page_ms(&server.client, &deep.path, Some(&token), time).await;
        let first_page = async |time: Duration| page_ms(&server.client, &first.path, Some(&token), time).await;
        let line = words(deep.name, "the first page", "≤ 1.2");
        lines.push(in_turn(line, effort, Some(server), deep_page, first_page).await?);
    }
    Ok(lines)
}

/// Where the page after this row begins. The cursor is what the server itself would hand out: the id and the key.
async fn place(server: &Server, key: &str, from: &str, order: &str, at: usize) -> anyhow::Result<Place> {
    let row = format!("select id, {key} as key {from} {order} offset {at} limit 1");
    let id = server.value(&format!("select id from ({row}) r")).await?;
    let key = server.value(&format!("select key from ({row}) r")).await?;
    let after = server
        .value(&format!(
            "select translate(encode(convert_to('{id}' || chr(10) || '{key}', 'UTF8'), 'base64'), '+/=' || chr(10), '-_')"
        ))
        .await?;
    Ok(Place { after, key, id })
}

/// E1: one row changed and one written to the log in one transaction, against the change alone, both in the database: what
/// the log costs there, at this length of it. The row is as long as one of the server's.
async fn audited_change(server: &Server, filled: &Filled, effort: Effort) -> anyhow::Result<Measured> {
    let change = format!(
        "\\set n random(1, {})\nbegin;\nupdate users set region = 'r' || (random() * 1000)::int where id = bench_person(:n);\n",
        filled.people
    );
    let row = format!(
        "insert into audit_logs (id, tenant_id, user_id, user_name, action, outcome, resource_type, resource_id, \
         resource_name, old_value, new_value, meta, ip, user_agent, request_id, created_at, canonical, salts, search) \
         values (gen_random_uuid(), '{}', bench_person(:n), 'Mariam Haddad', 'admin.user_update', 'done', 'user', \
         bench_person(:n)::text, 'Mariam Haddad', '{{\"region\": \"a\"}}', '{{\"region\": \"b\"}}', '{{}}', '10.0.0.1', \
         'bench', gen_random_uuid(), now(), repeat('filled ', 130), jsonb_build_object('salts', repeat('s', 400)), \
         'admin.user_update mariam haddad region 10.0.0.1');\n",
        filled.tenant
    );
    let (plain, audited) = (format!("{change}commit;\n"), format!("{change}{row}commit;\n"));
    let with = async |time: Duration| pgbench(&server.database, &audited, 4, time).await;
    let without = async |time: Duration| pgbench(&server.database, &plain, 4, time).await;
    let words = Words {
        name: "audited change, in the database".to_owned(),
        size: format!("{} rows", filled.rows),
        what: "the change alone",
        target: "≥ 0.85",
        unit: "/s",
    };
    in_turn(words, effort, None, with, without).await
}
