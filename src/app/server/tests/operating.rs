//! What an operator does at the command line: looking whether everything holds, new keys while people work, backups.

use std::{fs, path::PathBuf, time::Duration};

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::second_factor::{enrol, login};
use crate::{
    access::server::Cx,
    app::server::{
        backup,
        cli::{self, Database},
        factors,
        invariants::{self, Check},
        key_rotation, oracle,
        test_app::{Client, TestApp, options_of},
    },
    base::{
        ids::TenantId,
        server::{config::Config, data_keys},
    },
    second_factor::server::codes::code_at,
};

fn job(app: &TestApp) -> Cx {
    Cx::for_job(app.heart.clone(), "test")
}

async fn tenant(app: &TestApp) -> TenantId {
    TenantId(sqlx::query_scalar("select id from tenants").fetch_one(&app.owner).await.expect("a tenant"))
}

/// Everything that is looked at, as `bawwab verify --strict` does.
async fn checks(app: &TestApp) -> Vec<Check> {
    let (cx, tenant) = (job(app), tenant(app).await);
    let mut checks = invariants::of_node(&cx).await.expect("checks");
    checks.extend(invariants::of_tenant(&cx, tenant).await.expect("checks"));
    checks.extend(invariants::strict(&cx, tenant.0).await.expect("checks"));
    checks
}

/// What does not hold.
async fn broken(app: &TestApp) -> Vec<(&'static str, Vec<String>)> {
    let broken = checks(app).await.into_iter().filter(|check| !check.broken.is_empty());
    broken.map(|check| (check.what, check.broken)).collect()
}

/// An installation in which much has happened, all of it by the product's own doors.
async fn lived_in(app: &TestApp) -> (Client, Client) {
    let admin = app.admin().await;
    let role = admin.make_role("محرّر", &["users.read", "workflows.read"]).await;
    let sara = app.person(&admin, "sara@x.example", &["support"]).await;
    let omar = app.person(&admin, "omar@x.example", &[]).await;
    admin.patch(&format!("/admin/users/{}/roles", omar.id), json!({"roles": [role]})).await.ok();
    let overrides = json!({"allow": ["reports.read"], "deny": ["workflows.read"]});
    admin.patch(&format!("/admin/users/{}/permissions", omar.id), overrides).await.ok();
    let group = admin.post("/admin/groups", json!({"name": "المحررون", "roles": [{"role": role}]})).await.ok();
    let members = format!("/admin/groups/{}/members", group["id"].as_str().expect("an id"));
    admin.post(&members, json!({"user": sara.id})).await.ok();
    admin.post("/admin/api-keys", json!({"name": "ci", "scopes": ["users.read"]})).await.ok();
    admin.patch(&format!("/admin/users/{}/status", omar.id), json!({"status": "suspended"})).await.ok();
    let text = json!({"key": "news", "required": false, "title_ar": "النشرة", "title_en": "News", "body_ar": "نص",
        "body_en": "Text"});
    let text = admin.post("/admin/consents", text).await.ok();
    let id = text["id"].as_str().expect("an id");
    admin.post(&format!("/admin/consents/{id}/publish"), json!({})).await.ok();
    for person in [&admin, &sara] {
        person.post(&format!("/auth/consents/{id}"), json!({"number": 1})).await.ok();
    }
    sara.delete(&format!("/auth/consents/{id}")).await.ok();
    (admin, sara)
}

/// I2, I4, I8, I10, A13: what the product itself leaves behind holds, and whatever is done to it behind its back is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_must_hold_holds_until_somebody_tampers(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_, sara) = lived_in(&app).await;
    enrol(&app, sara).await;
    let tenant = tenant(&app).await;
    assert_eq!(broken(&app).await, []);
    assert_eq!(checks(&app).await.len(), 21);

    let cases = [
        ("every table is under row-level security, its owner included", "alter table groups no force row level security"),
        ("the application can only add to the audit log", "grant delete on audit_logs to bawwab_app"),
        (
            "somebody is super-admin for good, once anybody is in",
            "delete from user_roles where role_id in (select id from roles where tenant_id is null)",
        ),
        (
            "every right of a person has its event",
            "insert into user_roles (tenant_id, user_id, role_id, created_at)
             select u.tenant_id, u.id, r.id, u.created_at + interval '1 year'
             from users u, roles r where u.email = 'sara@x.example' and r.name = 'admin'",
        ),
        (
            "whatever was made has its event",
            "insert into groups (tenant_id, name, created_at) select id, 'smuggled', '2026-11-22T09:00:00Z' from tenants",
        ),
        (
            "no right points out of its tenant",
            "insert into tenants (id, name) values ('00000000-0000-0000-0000-000000000009', 'another');
             update roles set tenant_id = '00000000-0000-0000-0000-000000000009' where name = 'support'",
        ),
        (
            "no role and no group inherits from itself",
            "insert into role_parents (tenant_id, role_id, parent_id)
             select a.tenant_id, a.id, b.id from roles a join roles b on b.tenant_id = a.tenant_id
             where (a.name, b.name) in (('admin', 'support'), ('support', 'admin'))",
        ),
        (
            "what was applied had been agreed to by enough others, as it was asked for",
            "insert into approvals (id, tenant_id, requester_id, requester_name, kind, subject_id, subject_name, proposal,
                 digest, reason, permissions, required, status, expires_at, created_at)
             select gen_random_uuid(), tenant_id, id, name, 'rights', id, name, '{}', 'x', 'r', '{}', 1, 'applied',
                 '2026-11-23', '2026-11-21' from users where email = 'sara@x.example'",
        ),
        (
            "a session has one refresh token that is not spent",
            "insert into refresh_tokens (id, tenant_id, session_id, digest, expires_at, created_at)
             select gen_random_uuid(), tenant_id, session_id, 'another', expires_at, created_at
             from refresh_tokens where spent_at is null limit 1",
        ),
        ("only active people have live sessions", "alter table users disable trigger users_end_sessions;
             update users set status = 'suspended' where email = 'sara@x.example'"),
        ("people have as many passkeys as it says", "update users set passkeys = 3 where email = 'sara@x.example'"),
        ("a text has every version up to its last", "update consent_texts set latest = 2"),
        (
            "consents are about versions of the same tenant that were published by then",
            "insert into consent_records (tenant_id, user_id, text_id, number, given, created_at)
             select u.tenant_id, u.id, t.id, 1, true, '2020-01-01' from users u, consent_texts t
             where u.email = 'omar@x.example'",
        ),
        (
            "nobody gives what they have given already, nor a version before it",
            "insert into consent_records (tenant_id, user_id, text_id, number, given, created_at)
             select r.tenant_id, r.user_id, r.text_id, r.number, true, r.created_at
             from consent_records r join users u on u.id = r.user_id where u.email <> 'sara@x.example'",
        ),
        (
            "only what has been given is withdrawn, and later",
            "insert into consent_records (tenant_id, user_id, text_id, number, given, created_at)
             select tenant_id, user_id, text_id, number, false, created_at from consent_records where not given",
        ),
        (
            "each consent and each version has its event, and each event its consent",
            "insert into consent_records (tenant_id, user_id, text_id, number, given, created_at)
             select tenant_id, user_id, text_id, number, true, created_at + interval '1 hour'
             from consent_records where not given",
        ),
        (
            "each consent and each version has its event, and each event its consent",
            "delete from consent_records where not given",
        ),
    ];
    for (what, tampering) in cases {
        let mut tx = app.owner.begin().await.expect("a transaction");
        sqlx::raw_sql(sqlx::AssertSqlSafe(tampering)).execute(&mut *tx).await.expect(what);
        let mut checks = invariants::node_checks(&mut tx).await.expect("checks");
        checks.extend(invariants::tenant_checks(&mut tx, tenant).await.expect("checks"));
        let broken = checks.into_iter().filter(|check| !check.broken.is_empty()).map(|check| check.what);
        assert_eq!(broken.collect::<Vec<_>>(), [what]);
    }

    // What is read with the program's keys is looked at where it lies.
    let altered = "update totp set secret = set_byte(secret, 20, get_byte(secret, 20) # 1)";
    sqlx::query(altered).execute(&app.owner).await.expect("altered");
    let found = broken(&app).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "every sealed value opens at its place");
    assert!(found[0].1[0].starts_with("totp:secret:"), "{found:?}");
    sqlx::query(altered).execute(&app.owner).await.expect("as it was");
    sqlx::query("update audit_logs set user_name = 'nobody' where action = 'admin.group_create'")
        .execute(&app.owner)
        .await
        .expect("altered");
    assert_eq!(broken(&app).await[0].0, "the audit log is as it was written");
}

/// C4, I7: whoever has by plain SQL what the engine does not give them, or the other way round, is named with it; what a
/// policy takes is no difference.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn rights_that_are_told_in_two_ways_are_named(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara) = lived_in(&app).await;
    let (cx, tenant) = (job(&app), tenant(&app).await);
    sqlx::query(
        "with made as (
             insert into access_policies (tenant_id, name, active) select id, 'nobody', 1 from tenants
             returning id, tenant_id)
         insert into access_policy_versions (tenant_id, policy_id, number, mode, actions, rules, saved_at)
         select tenant_id, id, 1, 'require', array['users.read'], $1, now() from made",
    )
    .bind(json!([{"effect": "allow", "condition": {"user.department": "a department of nobody"}}]))
    .execute(&app.owner)
    .await
    .expect("a policy");
    // More people than are compared at a time, of whom only the last are told wrongly.
    sqlx::query(
        "insert into users (id, tenant_id, email, name, status, created_at)
         select gen_random_uuid(), id, 'crowd' || n || '@x.example', 'crowd', 'active', '2026-11-22' from tenants, generate_series(1, 250) n",
    )
    .execute(&app.owner)
    .await
    .expect("a crowd");
    let differences = async || oracle::differences(&cx, tenant).await.expect("compared");
    assert_eq!(differences().await, Vec::<String>::new());

    let mistake = |told: &str| {
        format!(
            "alter view v_user_effective_permissions rename to honest;
             create view v_user_effective_permissions with (security_invoker = true) as {told};
             grant select on v_user_effective_permissions to bawwab_app"
        )
    };
    let mended = "drop view v_user_effective_permissions; alter view honest rename to v_user_effective_permissions";
    let omar = sqlx::query_scalar::<_, Uuid>("select id from users where email = 'omar@x.example'");
    let omar = omar.fetch_one(&app.owner).await.expect("omar");
    let last = sqlx::query_scalar::<_, Uuid>("select id from users order by id desc limit 1");
    let last = last.fetch_one(&app.owner).await.expect("somebody");
    for (told, names) in [
        (
            // Suspended: the engine gives him nothing.
            format!("select * from honest union all select tenant_id, id, 'users.read' from users where id = '{omar}'"),
            vec![format!("omar@x.example ({omar}), users.read: the engine says no, the view says yes")],
        ),
        (
            format!("select * from honest where not (permission_key = 'users.read' and user_id = '{}')", sara.id),
            vec![format!("sara@x.example ({}), users.read: the engine says yes, the view says no", sara.id)],
        ),
        (
            format!(
                "select * from honest union all select tenant_id, id, 'groups.read' from users where id = '{last}'"
            ),
            vec![format!("crowd ({last}), groups.read: the engine says no, the view says yes")],
        ),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(mistake(&told))).execute(&app.owner).await.expect("a mistake");
        assert_eq!(differences().await, names);
        sqlx::raw_sql(mended).execute(&app.owner).await.expect("mended");
    }

    // Nobody has anything any more by the view: so many are named and no more, and the check is the one that says so.
    sqlx::raw_sql(sqlx::AssertSqlSafe(mistake("select * from honest where false")))
        .execute(&app.owner)
        .await
        .expect("a mistake");
    assert_eq!(differences().await.len(), 20);
    let checks = invariants::strict(&cx, tenant.0).await.expect("checks");
    let broken = checks.into_iter().filter(|check| !check.broken.is_empty()).map(|check| check.what);
    assert_eq!(broken.collect::<Vec<_>>(), ["the engine gives everybody what plain SQL gives them"]);
    sqlx::raw_sql(mended).execute(&app.owner).await.expect("mended");
    admin.delete(&format!("/admin/users/{}", sara.id)).await;
    assert_eq!(differences().await, Vec::<String>::new(), "nobody is left with what they had");
}

/// E7, F29: a new data key takes over on all nodes while people work. Nobody is thrown out, everything is sealed anew; a
/// day later the old one opens nothing, and what stands in the log and on paper still counts.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_new_data_key_takes_over_while_people_work(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let (cx, other) = (job(&one), job(&two));
    let admin = one.admin().await;
    let sara = one.person(&admin, "sara@x.example", &[]).await;
    let sara = enrol(&one, sara).await;
    one.anonymous().post("/auth/request-reset", json!({"email": "sara@x.example"})).await.ok();
    let before = one.count("select count(*) from totp where substring(secret from 2 for 4) is not null").await;
    assert_eq!(before, 1);

    let made = key_rotation::make(&cx, false).await.expect("works").expect("a key");
    for cx in [&cx, &other] {
        key_rotation::once(cx).await.expect("read");
        assert_eq!(cx.keys().current(), 0, "known to all before anybody uses it");
    }
    let later = async |by: Duration| {
        one.advance(by).await;
        two.heart.refresh().await.expect("the grants");
    };
    later(Duration::from_secs(31)).await;
    key_rotation::once(&cx).await.expect("sealed anew");
    assert_eq!((made.number, cx.keys().current()), (1, 1));
    // The other node has not looked yet: it knows the key all the same.
    assert_eq!(other.keys().current(), 0);
    let under_the_new =
        async |query| sqlx::query_scalar::<_, i64>(query).bind(&cx.keys().sealing_id()[..]).fetch_one(&one.owner).await;
    for (what, query) in [
        ("secrets", "select count(*) from totp where substring(secret from 2 for 4) <> $1"),
        (
            "letters",
            "select count(*) from jobs where kind = 'mail' and substr(payload ->> 'sealed', 3, 8) <> encode($1, 'hex')",
        ),
        ("signing keys", "select count(*) from audit_keys where substring(sealed from 2 for 4) <> $1"),
    ] {
        assert_eq!(under_the_new(query).await.expect("a count"), 0, "{what}");
    }
    assert!(one.count("select count(*) from jobs where kind = 'mail'").await > 0, "there were letters");
    for node in [&one, &two] {
        assert_eq!(sara.client.on(node).get("/auth/me").await.status, StatusCode::OK, "nobody is thrown out");
        later(Duration::from_secs(60)).await;
        let code = code_at(&sara.secret, one.clock.now());
        assert_eq!(login(node, json!({"totp": code})).await.status, StatusCode::OK);
    }
    key_rotation::once(&other).await.expect("read");
    let fresh = login(&two, json!({"backup_code": sara.backup_codes[0]})).await.ok();
    let fresh = fresh["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(one.with_token(&fresh).get("/auth/me").await.status, StatusCode::OK);

    // Not before its time, and not by the clock alone.
    key_rotation::once(&cx).await.expect("looked");
    assert_eq!(one.count("select count(*) from data_keys where retired_at is not null").await, 0);
    later(data_keys::OPENS_FOR.to_std().expect("a duration")).await;
    key_rotation::once(&cx).await.expect("retired");
    assert_eq!(one.count("select count(*) from data_keys where retired_at is not null").await, 1);
    key_rotation::once(&other).await.expect("read");
    assert_eq!(login(&two, json!({"backup_code": sara.backup_codes[1]})).await.status, StatusCode::OK);
    assert_eq!(broken(&one).await, [], "the codes in the log and every sealed value");
    let actions = one.actions().await;
    assert!(["system.key_rotate", "system.key_retire"].iter().all(|action| actions.iter().any(|one| one == action)));
}

/// E7: two nodes that want a new key at the same moment make one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_data_keys_are_under_one_master_key(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let two = app.second_node().await;
    let (one, other) = (job(&app), job(&two));
    let (first, second) = tokio::join!(key_rotation::make(&one, true), key_rotation::make(&other, true));
    let made = [first, second].into_iter().filter_map(|made| made.expect("works")).map(|key| key.number);
    let mut made = made.collect::<Vec<_>>();
    made.sort_unstable();
    assert!(made == [1] || made == [1, 2], "{made:?}");
    key_rotation::begin(&app.heart).await.expect("keys");

    let stranger = crate::base::server::crypto::Keys::new([8; 32]);
    let mut tx = one.node().await.expect("a transaction");
    let error = data_keys::read(tx.conn(), &stranger, app.clock.now()).await.expect_err("another master key");
    assert!(error.to_string().contains("the master key is not the one"), "{error:#}");

    // The master key changes: the data keys are the same, the old master key opens none of them.
    let sealed = one.keys().seal("a", b"x");
    data_keys::rewrap(tx.conn(), one.keys(), &stranger).await.expect("sealed under the new one");
    data_keys::read(tx.conn(), &stranger, app.clock.now()).await.expect("the new one opens them");
    assert_eq!(stranger.open("a", &sealed).expect("the same data key"), b"x");
    assert!(data_keys::read(tx.conn(), one.keys(), app.clock.now()).await.is_err());
    assert_eq!(one.keys().open("a", &sealed).expect("nodes at work go on"), b"x");
}

/// A10, B5: whoever has lost everything is let in again by the operator, and by nothing that they had before.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_operator_lets_somebody_in_again(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let cx = job(&app);
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let sara = enrol(&app, sara).await;
    assert!(factors::recover(&cx, "nobody@x.example").await.expect("works").is_none());
    let (link, _) = factors::recover(&cx, "SARA@x.example").await.expect("works").expect("a link");
    assert_eq!(sara.client.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let token = link.split_once("token=").expect("a token").1;
    let body = json!({"token": token, "password": "quite another passphrase"});
    app.anonymous().post("/auth/reset", body.clone()).await.ok();
    assert_eq!(app.anonymous().post("/auth/reset", body).await.status, StatusCode::GONE);
    let tokens = json!({"email": "sara@x.example", "password": "quite another passphrase"});
    app.anonymous().post("/auth/login", tokens).await.ok();
    let told = sqlx::query_scalar::<_, Value>("select meta from audit_logs where action = 'admin.factor_reset'");
    let told = told.fetch_one(&app.owner).await.expect("an event");
    assert_eq!((&told["by"], &told["app"], &told["ended"]), (&json!("command line"), &json!(true), &json!(1)));
}

/// A folder of its own, removed at the end even when the test fails.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("bawwab-backup-{}", uuid::Uuid::now_v7()));
        fs::create_dir_all(&folder).expect("a folder");
        Scratch(folder)
    }

    /// The configuration of an operator of the test's database, with this master key.
    fn config(&self, app: &TestApp, key: u8) -> Config {
        let url = std::env::var("DATABASE_URL").expect("where the tests' databases are");
        let mut url = reqwest::Url::parse(&url).expect("an address");
        url.set_path(app.owner.connect_options().get_database().expect("a name"));
        cli::config_of(&[
            "--data",
            &self.0.display().to_string(),
            "--database-url",
            url.as_str(),
            "--secret-key",
            &hex::encode([key; 32]),
        ])
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

async fn restore(config: &Config, folder: &std::path::Path, replace: bool) -> anyhow::Result<()> {
    let args = backup::RestoreArgs { folder: folder.to_owned(), replace, keep_api_keys: false };
    backup::restore(config.clone(), args).await
}

/// I4, F26: what was backed up comes back whole, and nobody comes in with what they had before. What is not whole, not
/// ours, or in the way of an installation is refused and changes nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_backup_comes_back_and_lets_nobody_in(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let scratch = Scratch::new();
    let config = scratch.config(&app, 9);
    let (admin, sara) = lived_in(&app).await;
    let key = admin.post("/admin/api-keys", json!({"name": "k", "scopes": ["users.read"]})).await.ok();
    let folder = scratch.0.join("monday");
    backup::backup(config.clone(), backup::BackupArgs { folder: folder.clone() }).await.expect("a backup");
    assert_eq!(
        fs::metadata(&folder).expect("a folder").permissions(),
        std::os::unix::fs::PermissionsExt::from_mode(0o40700)
    );
    let again = backup::backup(config.clone(), backup::BackupArgs { folder: folder.clone() }).await;
    assert!(again.expect_err("it is there").to_string().ends_with("is there already"));

    admin.delete(&format!("/admin/users/{}", sara.id)).await;
    let gone = "select count(*) from users where email = 'sara@x.example' and status = 'active'";
    assert_eq!(app.count(gone).await, 0);
    let refused = restore(&config, &folder, true).await.expect_err("people are at work").to_string();
    assert!(refused.starts_with("somebody is connected"), "{refused}");
    app.heart.close().await;
    app.owner.close().await;
    pool.close().await;

    let refused = restore(&config, &folder, false).await.expect_err("it is not empty").to_string();
    assert!(refused.contains("--replace"), "{refused}");
    let refused = restore(&scratch.config(&app, 8), &folder, true).await.expect_err("another key").to_string();
    assert!(refused.contains("another master key"), "{refused}");
    for (what, told) in
        [("monday/manifest.json", "the manifest was altered"), ("monday/database.dump", "not as it was written")]
    {
        let file = scratch.0.join(what);
        let kept = fs::read(&file).expect("a file");
        if what.ends_with("json") {
            let mut manifest = serde_json::from_slice::<Value>(&kept).expect("JSON");
            manifest["made_at"] = json!("2030-01-01T00:00:00Z");
            fs::write(&file, manifest.to_string()).expect("altered");
        } else {
            let mut altered = kept.clone();
            altered[kept.len() / 2] ^= 1;
            fs::write(&file, altered).expect("altered");
        }
        let refused = restore(&config, &folder, true).await.expect_err(what).to_string();
        assert!(refused.contains(told), "{refused}");
        fs::write(&file, kept).expect("as it was");
    }

    // What PostgreSQL itself refuses half-way leaves everything as it was.
    let broken = scratch.0.join("broken");
    backup::forge(&config, &folder, &broken, b"PGDMP is not enough").expect("a folder");
    let refused = restore(&config, &broken, true).await.expect_err("no dump");
    assert!(format!("{refused:#}").contains("nothing was changed"), "{refused:#}");
    let after = TestApp::start(options_of(&pool)).await;
    assert_eq!(after.count(gone).await, 0, "still as it was before");
    let admin = after.sign_in("hind@nakheel.example").await;
    admin.get("/admin/users").await.ok();
    after.heart.close().await;
    after.owner.close().await;

    restore(&config, &folder, true).await.expect("restored");
    let after = TestApp::start(options_of(&pool)).await;
    assert_eq!(after.count(gone).await, 1, "she is back");
    assert_eq!(admin.on(&after).get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "no session came back");
    assert_eq!(sara.on(&after).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let with_key = after.with_token(key["secret"].as_str().expect("a key"));
    assert_eq!(with_key.get("/admin/users").await.status, StatusCode::UNAUTHORIZED, "nor did a key");
    assert_eq!(after.count("select count(*) from refresh_tokens where spent_at is null").await, 0);
    after.sign_in("sara@x.example").await;
    assert_eq!(after.actions().await.iter().filter(|action| *action == "system.restore").count(), 1);
    assert_eq!(broken_names(&after).await, Vec::<&str>::new());
    // And from what was restored another backup can be made and restored.
    let tuesday = scratch.0.join("tuesday");
    backup::backup(config.clone(), backup::BackupArgs { folder: tuesday.clone() }).await.expect("a backup");
    after.heart.close().await;
    after.owner.close().await;
    restore(&config, &tuesday, true).await.expect("restored again");
}

async fn broken_names(app: &TestApp) -> Vec<&'static str> {
    broken(app).await.into_iter().map(|(what, _)| what).collect()
}

/// I4: the private PostgreSQL of a Bawwab that is at work is joined by commands, and left running by them.
#[tokio::test]
async fn commands_join_a_bawwab_that_is_at_work() {
    let scratch = Scratch::new();
    let config = cli::config_of(&["--data", &scratch.0.join("data").display().to_string()]);
    let at_work = Database::open(&config).await.expect("a database");
    let joined = Database::join_or_open(&config).await.expect("joined");
    let heart = joined.heart(&config).await.expect("a heart");
    assert!(invariants::of_node(&Cx::for_job(heart.clone(), "test")).await.expect("checks").len() == 4);
    heart.close().await;
    joined.close().await.expect("left");
    let folder = scratch.0.join("copy");
    backup::backup(config.clone(), backup::BackupArgs { folder: folder.clone() }).await.expect("a backup");
    let refused = restore(&config, &folder, true).await.expect_err("it is at work").to_string();
    assert!(refused.starts_with("another Bawwab is using"), "{refused}");
    at_work.close().await.expect("stopped");

    // A master key that changes is put in place; what was cut short is finished at the next start.
    let file = scratch.0.join("data/secret.key");
    let first = fs::read_to_string(&file).expect("a key");
    key_rotation::keys(config.clone(), key_rotation::KeysCommand::RotateMaster { new_key: None })
        .await
        .expect("changed");
    let second = fs::read_to_string(&file).expect("a key");
    assert_ne!(first, second);
    assert_eq!(fs::read_to_string(scratch.0.join("data/secret.key.old")).expect("the old one"), first);
    fs::rename(&file, scratch.0.join("data/secret.key.new")).expect("moved");
    fs::write(&file, &first).expect("as if it had been cut short");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    key_rotation::keys(config.clone(), key_rotation::KeysCommand::List).await.expect("finished");
    assert_eq!(fs::read_to_string(&file).expect("a key"), second);
    // The backup was made under the first one, and is restored with it.
    let refused = restore(&config, &folder, true).await.expect_err("another master key").to_string();
    assert!(refused.contains("another master key"), "{refused}");
    let old = Config { secret_key: Some(crate::base::server::config::HiddenText(first)), ..config };
    restore(&old, &folder, true).await.expect("restored");
}
