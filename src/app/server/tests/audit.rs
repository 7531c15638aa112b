//! What the log keeps, and that nothing can be done to it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    access::server::record::Action,
    app::server::test_app::{Client, PASSWORD, TestApp, options_of},
    base::server::crypto::sha256,
};

/// E1: each act leaves its row, with who, what, from where, before and after, in the same transaction.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_act_leaves_its_row(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await.with("user-agent", "Test/1.0");
    let added = admin.post("/admin/users", json!({"email": "s@x.example", "name": "سارة"})).await.ok();
    let id = added["id"].as_str().expect("an id").to_owned();
    let path = format!("/admin/users/{id}");
    admin.patch(&path, json!({"department": "المالية"})).await.ok();
    admin.patch(&format!("{path}/status"), json!({"status": "suspended"})).await.ok();
    admin.patch(&format!("{path}/permissions"), json!({"deny": ["users.read"]})).await.ok();
    admin.patch(&format!("{path}/roles"), json!({"roles": ["support"]})).await.ok();
    let role = admin.make_role("دور", &["users.read"]).await;
    admin.patch(&format!("/admin/roles/{role}"), json!({"permissions": []})).await.ok();
    admin.delete(&format!("/admin/roles/{role}")).await.ok();
    admin.delete(&path).await.ok();
    admin.post("/auth/logout", json!({})).await.ok();
    app.anonymous().post("/auth/login", json!({"email": "no@x.example", "password": PASSWORD})).await;
    assert_eq!(
        app.actions().await,
        [
            "auth.setup",
            "auth.login",
            "admin.user_create",
            "admin.user_update",
            "admin.user_status",
            "admin.grant_permission",
            "admin.assign_roles",
            "admin.role_create",
            "admin.role_update",
            "admin.role_delete",
            "admin.user_delete",
            "auth.logout",
            "auth.login_failed",
        ]
    );
    let admin = app.sign_in("hind@nakheel.example").await;
    let page = admin.get(&format!("/admin/audit?resource_id={id}&action=admin.user_update")).await.ok();
    let row = &page["items"][0];
    assert_eq!(row["user_name"], "هند العتيبي");
    assert_eq!(row["resource_name"], "سارة");
    assert_eq!(row["old_value"]["department"], Value::Null);
    assert_eq!(row["new_value"]["department"], "المالية");
    assert_eq!(row["ip"], "192.0.2.7");
    assert_eq!(row["user_agent"], "Test/1.0");
    assert_eq!(row["outcome"], "done");
    assert!(row["request_id"].is_string());
}

/// "The heart": a refused attempt stays in the log though nothing was done.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_refused_attempt_is_recorded(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    assert_eq!(sara.post("/admin/users", json!("whatever")).await.status, StatusCode::FORBIDDEN);
    let page = admin.get(&format!("/admin/audit?actor={}&outcome=denied", sara.id)).await.ok();
    assert_eq!(page["items"][0]["action"], "access.denied");
    assert_eq!(page["items"][0]["resource_id"], "users.create");
}

/// faults I2: an act that fails leaves neither the act nor its row.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_act_that_fails_leaves_nothing(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let before = (app.count("select count(*) from users").await, app.actions().await.len());
    sqlx::query("alter table audit_logs add constraint no_more check (action <> 'admin.user_create')")
        .execute(&app.owner)
        .await
        .expect("works");
    let answer = admin.post("/admin/users", json!({"email": "a@x.example", "name": "a"})).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.json()["reference"].is_string());
    assert!(!answer.text.contains("no_more"), "the cause stays inside: {}", answer.text);
    assert_eq!((app.count("select count(*) from users").await, app.actions().await.len()), before);
}

/// E2: the application role can add rows and read its own; it can change and remove none.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_application_cannot_change_the_log(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    for statement in [
        "update audit_logs set action = 'auth.login'",
        "delete from audit_logs",
        "truncate audit_logs",
        "alter table audit_logs disable row level security",
        "drop table audit_logs",
        "create table t ()",
    ] {
        let mut tx = app.owner.begin().await.expect("a transaction");
        sqlx::query("set local role bawwab_app").execute(&mut *tx).await.expect("works");
        let refused = sqlx::query(statement).execute(&mut *tx).await;
        let code = refused.expect_err(statement);
        let code = code.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}");
    }
}

/// E2, E5: the canonical text holds digests of what names somebody, each with a salt of its own, and nothing in clear.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_canonical_text_covers_each_field_by_a_salted_digest(pool: PgPool) {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    admin.post("/admin/users", json!({"email": "canary@x.example", "name": "canary"})).await.ok();
    let rows: Vec<(String, Value, Option<String>, Option<Value>)> = sqlx::query_as(
        "select canonical, salts, resource_name, new_value from audit_logs where action = 'admin.user_create'",
    )
    .fetch_all(&app.owner)
    .await
    .expect("rows");
    let (canonical, salts, name, new) = &rows[0];
    assert!(canonical.starts_with("bawwab.audit.v2\nid="), "{canonical}");
    assert!(canonical.contains("\naction=admin.user_create\noutcome=done\n"));
    assert!(!canonical.contains("canary"));
    for (field, value) in [("resource_name", name.clone()), ("new_value", new.as_ref().map(ToString::to_string))] {
        let salt = STANDARD_NO_PAD.decode(salts[field].as_str().expect("a salt")).expect("base64");
        let text = [salt.as_slice(), field.as_bytes(), &[0], value.unwrap_or_default().as_bytes()].concat();
        let line = format!("\n{field}={}\n", STANDARD_NO_PAD.encode(sha256(&text)));
        assert!(canonical.contains(&line), "{field}: {canonical}");
    }
    let all = salts.as_object().expect("an object").values().filter_map(Value::as_str);
    let all = all.collect::<std::collections::BTreeSet<_>>();
    assert_eq!(all.len(), 11, "eleven fields, eleven salts");
}

/// E3: the log is filtered, searched and paged, and every filter that means nothing is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_log_is_filtered_searched_and_paged(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    for (n, name) in ["أحمد", "فاطمة", "سارة"].iter().enumerate() {
        admin.post("/admin/users", json!({"email": format!("p{n}@x.example"), "name": name})).await.ok();
    }
    let names = async |query: &str| {
        let page = admin.get(&format!("/admin/audit?{query}")).await.ok();
        let items = page["items"].as_array().expect("a list").clone();
        items.iter().map(|row| row["resource_name"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let q: String = form_urlencoded::byte_serialize("احمد".as_bytes()).collect();
    assert_eq!(names(&format!("q={q}&action=admin.")).await, ["أحمد"]);
    assert_eq!(names("action=admin.user_create").await, ["سارة", "فاطمة", "أحمد"], "newest first");
    assert_eq!(names("action=admin.user_create&to=2026-11-22T08:00:00Z").await, Vec::<String>::new());
    assert_eq!(names("action=admin.user_create&from=2026-11-22").await.len(), 3);
    assert_eq!(names("ip=192.0.2.8").await, Vec::<String>::new());
    let first = admin.get("/admin/audit?action=admin.user_create&limit=2").await.ok();
    let next = first["next"].as_str().expect("a next page");
    assert_eq!(names(&format!("action=admin.user_create&limit=2&after={next}")).await, ["أحمد"]);
    for (query, field) in [
        ("actor=x", "actor"),
        ("about=x", "about"),
        ("outcome=x", "outcome"),
        ("ip=x", "ip"),
        ("from=x", "from"),
        ("last_hours=0", "last_hours"),
        ("last_hours=8785", "last_hours"),
        ("last_hours=day", "last_hours"),
        ("after=x", "after"),
    ] {
        let refused = admin.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(refused.json()["errors"][0]["field"], field, "{}", refused.text);
    }
}

/// E1: an attempt with a name that nobody has belongs to no tenant: only a super-admin reads of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn attempts_of_nobody_are_for_super_admins(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let auditor = app.person(&boss, "auditor@x.example", &["readonly"]).await;
    app.anonymous().post("/auth/login", json!({"email": "no@x.example", "password": PASSWORD})).await;
    let seen = |page: Value| page["items"].as_array().expect("a list").len();
    assert_eq!(seen(boss.get("/admin/audit?action=auth.login_failed").await.ok()), 1);
    assert_eq!(seen(auditor.get("/admin/audit?action=auth.login_failed").await.ok()), 0);
}

/// E1: the catalogue of actions is published and each name is one of its own.
#[test]
fn action_names_are_dotted_and_told_apart() {
    let names = Action::ALL.iter().map(|action| action.as_str()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names.len(), Action::ALL.len());
    for name in names {
        assert!(name.contains('.') && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.'), "{name}");
    }
}

/// faults I11: no password, token or cookie gets into the log, the audit rows or the keys' answers.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_secret_is_kept_in_clear(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let added = admin.post("/admin/users", json!({"email": "a@x.example", "name": "a"})).await.ok();
    let link = added["link"].as_str().expect("a link").split_once('=').expect("a token").1.to_owned();
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    let tokens = app.anonymous().post("/auth/login", body).await.ok();
    let refresh = tokens["refresh_token"].as_str().expect("a token").to_owned();
    for secret in [PASSWORD.to_owned(), link, refresh] {
        for table in
            ["users", "links", "registrations", "sessions", "refresh_tokens", "devices", "audit_logs", "limits", "jobs"]
        {
            let query = format!("select count(*) from {table} t where t::text like '%' || $1 || '%'");
            let found: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
                .bind(&secret)
                .fetch_one(&app.owner)
                .await
                .expect("a count");
            assert_eq!(found, 0, "{table}");
        }
    }
}

/// A8: each export reads as much as there is, so that nobody may have too many of them within an hour.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn exports_of_the_log_are_bounded(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let other = app.person(&admin, "auditor@x.example", &["super-admin"]).await;
    let export = async |by: &Client| by.get("/admin/audit/export.csv?action=audit.").await.status;
    for _ in 0..20 {
        assert_eq!(export(&admin).await, StatusCode::OK);
    }
    assert_eq!(export(&admin).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(export(&other).await, StatusCode::OK, "each person has their own");
    app.advance(std::time::Duration::from_secs(3_600)).await;
    assert_eq!(export(&app.sign_in("hind@nakheel.example").await).await, StatusCode::OK);
}

/// E4: an export is everything that the filter leaves, safe for a spreadsheet, and is itself in the log.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_log_is_exported_whole_and_safely(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    sqlx::query(
        "insert into audit_logs (id, tenant_id, action, outcome, resource_name, created_at, canonical, salts, search)
         select gen_random_uuid(), t.id, 'admin.user_create', 'done',
                case n when 7 then '=1+1' else 'شخص ' || n end, now() - n * interval '1 second',
                '', '{}', '' from tenants t, generate_series(1, 1203) n",
    )
    .execute(&app.owner)
    .await
    .expect("rows");
    let csv = admin.get("/admin/audit/export.csv?action=admin.").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.headers["content-disposition"].to_str().expect("ASCII").starts_with("attachment; filename=\"audit-"));
    let text = csv.text.strip_prefix('\u{FEFF}').expect("a byte order mark");
    assert_eq!(text.lines().count(), 1_204, "{}", text.lines().count());
    assert!(text.contains("\"'=1+1\""), "a formula is a text");
    assert!(!text.contains(",=1+1"));
    let lines = admin.get("/admin/audit/export.jsonl?action=admin.").await;
    let rows = lines.text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")).collect::<Vec<_>>();
    assert_eq!(rows.len(), text.lines().count() - 1);
    let ids = rows.iter().map(|row| row["id"].to_string()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(ids.len(), rows.len(), "each row once");
    let schema = app.anonymous().get("/schemas/audit-event.json").await.ok();
    let known = schema["properties"].as_object().expect("properties");
    for field in rows[0].as_object().expect("an object").keys() {
        assert!(known.contains_key(field), "{field} is published");
    }
    let told = admin.get("/admin/audit?action=audit.export").await.ok();
    assert_eq!(told["items"].as_array().expect("a list").len(), 2);
    assert_eq!(told["items"][1]["meta"], json!({"format": "csv", "action": "admin."}));
    let auditor = app.person(&admin, "auditor@x.example", &["readonly"]).await;
    assert_eq!(auditor.get("/admin/audit/export.csv").await.status, StatusCode::FORBIDDEN, "reading is not exporting");
}

/// E1: what happens at the door is written too: failed sign-ins, lockouts, reuse, denials.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn security_events_are_written(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    sara.get("/admin/users").await;
    let body = json!({"email": "sara@x.example", "password": PASSWORD});
    let tokens = app.anonymous().post("/auth/login", body).await.ok();
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    app.anonymous().post("/auth/refresh", refresh.clone()).await.ok();
    app.advance(std::time::Duration::from_secs(60)).await;
    app.anonymous().post("/auth/refresh", refresh).await;
    for _ in 0..12 {
        app.anonymous().post("/auth/login", json!({"email": "sara@x.example", "password": "wrong wrong wrong"})).await;
    }
    let written = app.actions().await;
    for action in ["access.denied", "auth.refresh", "auth.refresh_reuse", "auth.login_failed", "auth.lockout"] {
        assert!(written.iter().any(|one| one == action), "{action}: {written:?}");
    }
}
