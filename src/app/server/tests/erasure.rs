//! Erasing a person who was deleted: nothing of them is found any more but where the report says so.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::{
    access::server::Cx,
    accounts::server::erasure::KINDS,
    app::server::test_app::{Client, TestApp, options_of},
    audit::server::{seal, verify},
};

const SARA: &str = "sara@x.example";
const NAME: &str = "سارة بنت محمد المطيري";
/// All that Sara goes by, or went by.
const HERS: [&str; 7] =
    [SARA, "sara@old.example", "sara@new.example", NAME, "sara.mutairi", "EMP-77810", "+966500000017"];

/// Tables that hold nothing of a person, each with what it holds instead.
const OF_NOBODY: &[(&str, &str)] = &[
    ("_sqlx_migrations", "what the database was made by"),
    ("tenants", "organisations"),
    ("tenant_logos", "pictures of organisations"),
    ("permissions", "the catalogue"),
    ("roles", "the tenant's roles"),
    ("role_permissions", "what roles hold"),
    ("role_parents", "what roles inherit"),
    ("groups", "the tenant's groups"),
    ("group_parents", "groups in groups"),
    ("group_roles", "what groups hold"),
    ("grant_versions", "a counter for each tenant"),
    ("limits", "digests of what was tried, swept away after a day"),
    ("spent_puzzles", "digests of solved puzzles"),
    ("settings", "the tenant's settings"),
    ("opa_tokens", "a sealed token of the tenant"),
    ("access_policies", "the tenant's policies"),
    ("consent_texts", "the tenant's texts"),
    ("audit_unsealed", "ids of rows of the log"),
    ("audit_chain", "digests of rows of the log"),
    ("audit_keys", "a key of the installation"),
    ("audit_checkpoints", "signed digests"),
    ("audit_verifications", "counts and the place of a bad row"),
    ("audit_daily", "counts"),
    ("daily_standings", "counts"),
    ("data_keys", "keys of the installation"),
];

struct World {
    app: TestApp,
    admin: Client,
    sara: Client,
}

impl World {
    /// Somebody with all that a person can have, who was deleted.
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        let sara = app.person(&admin, "sara@old.example", &["readonly"]).await;
        let path = format!("/admin/users/{}", sara.id);
        sara.post("/auth/email", json!({"email": "sara@new.example"})).await.ok();
        let access = json!({"permission": "users.delete", "reason": format!("{NAME} asks for it")});
        sara.post("/auth/access-requests", access).await.ok();
        let group =
            admin.post("/admin/groups", json!({"name": "فريق", "description": format!("يقوده {NAME}")})).await.ok();
        let members = format!("/admin/groups/{}/members", group["id"].as_str().expect("an id"));
        admin.post(&members, json!({"user": sara.id})).await.ok();
        let text = json!({
            "key": "terms", "required": false, "title_ar": "نص", "title_en": "A text", "body_ar": "سطر", "body_en": "One",
        });
        let text = admin.post("/admin/consents", text).await.ok();
        let text = text["id"].as_str().expect("an id");
        admin.post(&format!("/admin/consents/{text}/publish"), json!({})).await.ok();
        sara.post(&format!("/auth/consents/{text}"), json!({"number": 1})).await.ok();
        let edit = json!({
            "name": NAME, "username": "sara.mutairi", "external_id": "EMP-77810", "department": "المالية",
            "attributes": {"phone": "+966500000017"}, "email": SARA,
        });
        admin.patch(&path, edit).await.ok();
        admin.delete(&path).await.ok();
        World { app, admin, sara }
    }

    fn path(&self) -> String {
        format!("/admin/users/{}/erasure", self.sara.id)
    }

    /// The columns of the whole database in which one of her texts stands.
    async fn found(&self) -> BTreeMap<String, BTreeSet<String>> {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select c.table_name::text, c.column_name::text from information_schema.columns c
             join information_schema.tables t using (table_schema, table_name)
             where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
               and c.data_type in ('text', 'character varying', 'json', 'jsonb', 'ARRAY', 'USER-DEFINED')",
        )
        .fetch_all(&self.app.owner)
        .await
        .expect("the catalogue");
        assert!(columns.len() > 60, "{}", columns.len());
        let mut found = BTreeMap::<_, BTreeSet<_>>::new();
        for (table, column) in columns {
            let search = format!(
                "select exists (select from {table}, unnest($1::text[]) hers
                 where strpos(lower(\"{column}\"::text), lower(hers)) > 0
                    or strpos(lower(\"{column}\"::text), fold_text(hers)) > 0)"
            );
            let is_found: bool = sqlx::query_scalar(AssertSqlSafe(search))
                .bind(HERS.map(str::to_owned).to_vec())
                .fetch_one(&self.app.owner)
                .await
                .expect("a column");
            if is_found {
                found.entry(table).or_default().insert(column);
            }
        }
        found
    }

    /// Whether the whole log still verifies, and how many of its rows have erased parts.
    async fn verified(&self) -> i64 {
        let cx = Cx::for_job(self.app.heart.clone(), "test");
        seal::seal(&cx).await.expect("sealed");
        let chain: Uuid =
            sqlx::query_scalar("select id from tenants").fetch_one(&self.app.owner).await.expect("a tenant");
        let report = verify::verify(&cx, chain, None).await.expect("a report");
        assert_eq!(report.first_bad, None);
        report.erased
    }

    async fn erasures(&self) -> Vec<Value> {
        let rows = self.admin.get("/admin/audit?action=admin.user_erase").await.ok();
        rows["items"].as_array().expect("rows").clone()
    }
}

fn line(report: &Value, kind: &str) -> Value {
    let lines = report["lines"].as_array().expect("lines");
    lines.iter().find(|line| line["kind"] == kind).cloned().unwrap_or(Value::Null)
}

/// E5: no table of the database is forgotten: the report looks into it, or it holds nothing of a person.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_table_is_in_the_report_or_of_nobody(pool: PgPool) {
    let told = KINDS.iter().flat_map(|(_, _, tables)| tables.iter().copied()).collect::<BTreeSet<_>>();
    let nobodys = OF_NOBODY.iter().map(|(table, _)| *table).collect::<BTreeSet<_>>();
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    .fetch_all(&pool)
    .await
    .expect("the catalogue");
    for table in &tables {
        let is_named = told.contains(table.as_str()) || nobodys.contains(table.as_str());
        assert!(is_named, "{table} holds something of a person or not: say so, and erase it");
    }
    for table in told.iter().chain(&nobodys) {
        assert!(tables.iter().any(|one| one == table), "there is no table {table}");
    }
    // Whatever points to a person is told of.
    let pointing: Vec<String> = sqlx::query_scalar(
        "select conrelid::regclass::text from pg_constraint where contype = 'f' and confrelid = 'users'::regclass
         union
         select c.table_name::text from information_schema.columns c
         join information_schema.tables t using (table_schema, table_name)
         where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type = 'uuid'
           and (c.column_name ~ '(user|person|actor|requester|decider|impersonator|owner)_id$' or c.column_name ~ '_by$')",
    )
    .fetch_all(&pool)
    .await
    .expect("the catalogue");
    assert!(pointing.len() > 20, "{pointing:?}");
    for table in pointing {
        assert!(told.contains(table.as_str()), "{table} points to people and is not in the report");
    }
}

/// E5, E2: after an erasure nothing of the person is found in any column, but where the report says that it stays; the log
/// still verifies.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nothing_of_an_erased_person_is_found(pool: PgPool) {
    let world = World::start(&pool).await;
    let before = world.found().await;
    for table in ["users", "audit_logs", "approvals", "email_changes", "groups"] {
        assert!(before.contains_key(table), "{table}: {before:?}");
    }
    assert_eq!(world.verified().await, 0);
    let report = world.admin.post(&world.path(), json!({})).await.ok();
    let after = world.found().await;
    // The group that others describe with her name, the row of the log that says so, and her own request with its reason.
    assert_eq!(after.keys().collect::<Vec<_>>(), ["audit_logs", "groups"], "{after:?}");
    let words = line(&report, "words");
    assert_eq!((&words["fate"], &words["reason"], &words["rows"]), (&json!("kept"), &json!("others_words"), &json!(3)));
    let erased = world.verified().await;
    assert_eq!(line(&report, "log")["rows"], erased, "as many rows as the verification finds");
    assert!(erased > 5, "{erased}");
}

/// E5: the report is foretold by the same counting, told once it is done, kept, and recorded without a word of the person.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_erasure_is_foretold_told_and_kept(pool: PgPool) {
    let world = World::start(&pool).await;
    let ahead = world.admin.get(&world.path()).await.ok();
    assert_eq!(ahead["erased_at"], Value::Null);
    assert!(world.found().await.contains_key("users"), "a look ahead changes nothing");
    assert_eq!((world.erasures().await.len(), world.verified().await), (0, 0));
    let done = world.admin.post(&world.path(), json!({})).await.ok();
    assert_eq!(done["lines"], ahead["lines"]);
    assert_eq!(done["erased_at"], "2026-11-22T08:00:00Z");
    for (kind, fate, reason) in [
        ("account", "pseudonymised", "referred"),
        ("sessions", "erased", "not_needed"),
        ("requests", "erased", "not_needed"),
        ("letters", "erased", "not_needed"),
        ("consents", "pseudonymised", "proof"),
        ("approvals", "pseudonymised", "accountability"),
        ("log", "pseudonymised", "chained"),
    ] {
        let line = line(&done, kind);
        assert_eq!((&line["fate"], &line["reason"]), (&json!(fate), &json!(reason)), "{kind}");
        assert!(line["rows"].as_i64() > Some(0), "{kind}");
    }
    assert_eq!(line(&done, "log_held"), Value::Null);
    // Later, as a file, and on the person themselves.
    let file = world.admin.get(&world.path()).await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"erasure.json\"");
    assert_eq!(file.ok(), done);
    let person = world.admin.get(&format!("/admin/users/{}", world.sara.id)).await.ok();
    assert_eq!(person["erasure"], done);
    let name = format!("#{}", person["number"]);
    assert_eq!((&person["name"], &person["email"]), (&json!(name), &json!(format!("{name}@erased.invalid"))));
    // Twice is once, and on the record once.
    assert_eq!(world.admin.post(&world.path(), json!({})).await.ok(), done);
    let rows = world.erasures().await;
    assert_eq!((rows.len(), &rows[0]["resource_name"]), (1, &json!(name)));
    for line in done["lines"].as_array().expect("lines") {
        assert_eq!(rows[0]["new_value"][line["kind"].as_str().expect("a kind")], line["rows"]);
    }
    assert!(HERS.iter().all(|hers| !rows[0].to_string().contains(hers)));
    // A proof of consent stays, without an address.
    let proofs = "select count(*) from consent_records where ip is null and given";
    assert_eq!(world.app.count(proofs).await, 1);
}

/// E4, E5: under a legal hold the log stays as it is and the report says so; once that is lifted the rest is erased.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_legal_hold_keeps_the_log(pool: PgPool) {
    let world = World::start(&pool).await;
    let hold = json!({"keep_days": 90, "legal_hold": true, "hold_reason": "قضية"});
    world.admin.json(Method::PUT, "/admin/audit/retention", hold).await.ok();
    let report = world.admin.post(&world.path(), json!({})).await.ok();
    assert_eq!(line(&report, "log")["rows"], 0);
    let held = line(&report, "log_held");
    assert_eq!((&held["fate"], &held["reason"]), (&json!("kept"), &json!("legal_hold")));
    assert_eq!(world.verified().await, 0);
    assert_eq!(world.found().await.into_keys().collect::<Vec<_>>(), ["audit_logs", "groups"]);
    let lifted = json!({"keep_days": 90, "legal_hold": false});
    world.admin.json(Method::PUT, "/admin/audit/retention", lifted).await.ok();
    let report = world.admin.post(&world.path(), json!({})).await.ok();
    assert_eq!(line(&report, "log_held"), Value::Null);
    assert_eq!(line(&report, "log")["rows"], world.verified().await);
    assert_eq!(world.found().await.into_keys().collect::<Vec<_>>(), ["audit_logs", "groups"]);
    assert_eq!(world.erasures().await.len(), 2);
    assert!(line(&report, "sessions")["rows"].as_i64() > Some(0), "what went the first time stays told: {report}");
}

/// E5, E2: whoever is called as something stands in the log takes nothing of others with them: neither what their name is a
/// part of, nor what another address begins with theirs, nor what was sent to an address that they only typed in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_erasure_takes_nothing_of_others(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let (cunning, other) =
        (app.person(&admin, "ali@x.example", &[]).await, app.person(&admin, "sara.ali@x.example", &[]).await);
    app.person(&admin, "ali@x.example.org", &["readonly"]).await;
    cunning.post("/auth/email", json!({"email": "sara.ali@x.example"})).await;
    cunning.post("/auth/email", json!({"email": "new@y.example"})).await;
    for name in ["Default Tenant", "@", "readonly", "Sara Ali"] {
        cunning.patch("/auth/profile", json!({"name": name})).await.ok();
    }
    admin.patch(&format!("/admin/users/{}", other.id), json!({"name": "Sara Ali"})).await.ok();
    admin
        .post("/admin/groups", json!({"name": "g", "description": "Sara Ali leads it, ali@x.example.org helps"}))
        .await
        .ok();
    let path = format!("/admin/users/{}", cunning.id);
    admin.delete(&path).await.ok();
    // What is by nobody of them and about nobody of them.
    let rows = format!(
        "select count(*), coalesce(sum(octet_length(row_to_json(l)::text)), 0)::bigint from audit_logs l
         where l.user_id is distinct from '{0}' and l.resource_id is distinct from '{0}'
           and l.action <> 'admin.user_erase'",
        cunning.id
    );
    let size = async || {
        let rows = sqlx::query_as::<_, (i64, i64)>(AssertSqlSafe(rows.clone()));
        rows.fetch_one(&app.owner).await.expect("the rows of others")
    };
    let before = size().await;
    admin.post(&format!("{path}/erasure"), json!({})).await.ok();
    assert_eq!(size().await, before);
    let kept = admin.get(&format!("/admin/users/{}", other.id)).await.ok();
    assert_eq!((&kept["name"], &kept["email"]), (&json!("Sara Ali"), &json!("sara.ali@x.example")));
}

/// E5: only who was deleted is erased, by whoever may delete people, with a fresh proof.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_is_erased_by_the_way(pool: PgPool) {
    let world = World::start(&pool).await;
    let reader = world.app.person(&world.admin, "omar@x.example", &["readonly"]).await;
    let living = format!("/admin/users/{}/erasure", reader.id);
    for answer in [world.admin.get(&living).await, world.admin.post(&living, json!({})).await] {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json()["errors"][0]["field"], "status");
    }
    for answer in [reader.get(&world.path()).await, reader.post(&world.path(), json!({})).await] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let nobody = format!("/admin/users/{}/erasure", Uuid::now_v7());
    assert_eq!(world.admin.post(&nobody, json!({})).await.status, StatusCode::NOT_FOUND);
    world.app.advance(Duration::from_secs(6 * 60)).await;
    assert_eq!(world.admin.post(&world.path(), json!({})).await.code(), "step_up_required");
    assert!(world.found().await.contains_key("users"));
    assert_eq!(world.erasures().await.len(), 0);
}
