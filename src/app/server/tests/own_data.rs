//! One's own entry, one's own activity, and a copy of everything that is kept about oneself.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, PASSWORD, TestApp, options_of};

const SARA: &str = "sara@x.example";

struct World {
    app: TestApp,
    admin: Client,
    sara: Client,
}

impl World {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        let sara = app.person(&admin, SARA, &[]).await;
        World { app, admin, sara }
    }

    async fn activity(&self) -> Vec<Value> {
        self.sara.get("/auth/activity").await.ok()["items"].as_array().expect("rows").clone()
    }

    /// Sara's cookies, as a browser has them.
    async fn browser(&self) -> Client {
        let form = [("email", SARA), ("password", PASSWORD)];
        let cookies = self.app.anonymous().form("/login", &form).await.cookies();
        self.app.anonymous().with("cookie", &cookies)
    }
}

/// A13, GHSA-mrq8-53r4-3j5m: people change their name, user name and language, and nothing that bounds their rights.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_edit_their_own_profile_and_no_more(pool: PgPool) {
    let world = World::start(&pool).await;
    let before = world.sara.get("/auth/profile").await.ok();
    assert_eq!(before["email"], SARA);
    let edit = json!({"name": "سارة المطيري", "username": "sara.m", "locale": "en", "version": before["version"]});
    let after = world.sara.patch("/auth/profile", edit.clone()).await.ok();
    for field in ["name", "username", "locale"] {
        assert_eq!(after[field], edit[field], "{field}");
    }
    assert_eq!(world.sara.patch("/auth/profile", edit).await.code(), "stale");
    for field in ["email", "department", "region", "external_id", "attributes", "roles", "status", "id", "tenant_id"] {
        let answer = world.sara.patch("/auth/profile", json!({field: "x"})).await;
        assert_eq!(answer.json()["errors"][0]["code"], "unknown_field", "{field}");
    }
    let shaped = world.sara.patch("/auth/profile", json!({"username": "hind@nakheel.example"})).await;
    assert_eq!(shaped.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.sara.patch("/auth/profile", json!({"username": ""})).await.ok();
    assert_eq!(world.sara.get("/auth/profile").await.ok()["username"], Value::Null);
    assert!(world.app.actions().await.contains(&"auth.profile_update".to_owned()));
}

/// A13: one's own acts, what strangers tried and what others did to the account; others' places and values stay theirs.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_see_what_is_about_them_and_no_more(pool: PgPool) {
    let world = World::start(&pool).await;
    let other = world.app.person(&world.admin, "other@x.example", &[]).await;
    let wrong = json!({"email": SARA, "password": "wrong wrong wrong"});
    assert_eq!(world.app.anonymous().post("/auth/login", wrong).await.status, StatusCode::UNAUTHORIZED);
    world.admin.patch(&format!("/admin/users/{}", world.sara.id), json!({"name": "سارة"})).await.ok();
    world.admin.patch(&format!("/admin/users/{}", other.id), json!({"name": "somebody else"})).await.ok();
    let rows = world.activity().await;
    let of = |action: &str| rows.iter().find(|row| row["action"] == action);
    assert!(of("auth.login").expect("one's own act")["ip"].is_string());
    assert!(of("auth.login_failed").is_some(), "{rows:?}");
    let edited = of("admin.user_update").expect("what was done to one");
    assert_eq!(edited["user_name"], "هند العتيبي");
    assert_eq!(edited["new_value"]["name"], "سارة");
    for hidden in ["user_id", "ip", "user_agent", "request_id"] {
        assert_eq!(edited[hidden], Value::Null, "{hidden}");
    }
    let about_others =
        |row: &Value| row["resource_id"] == other.id.as_str() || row["user_id"] == world.admin.id.as_str();
    assert!(!rows.iter().any(about_others));
    assert!(!world.sara.get("/auth/activity").await.text.contains("somebody else"));
    // The log itself stays closed.
    assert_eq!(world.sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
}

/// A13, D1: activity comes page by page, each row once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn own_activity_comes_page_by_page(pool: PgPool) {
    let world = World::start(&pool).await;
    for number in 0..60 {
        world.sara.patch("/auth/profile", json!({"name": format!("Sara {number}")})).await.ok();
    }
    let first = world.sara.get("/auth/activity").await.ok();
    let next = first["next"].as_str().expect("a second page");
    let second = world.sara.get(&format!("/auth/activity?after={next}")).await.ok();
    assert_eq!(second["next"], Value::Null);
    let pages = [&first, &second].map(|page| page["items"].as_array().expect("rows").clone()).concat();
    let mut ids = pages.iter().map(|row| row["id"].to_string()).collect::<Vec<_>>();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), pages.len());
    assert_eq!(pages.iter().filter(|row| row["action"] == "auth.profile_update").count(), 60);
    assert_eq!(world.sara.get("/auth/activity?after=nonsense").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// E5, A13: all that is kept about somebody, on the record and without secrets.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_take_their_data_with_them(pool: PgPool) {
    let world = World::start(&pool).await;
    let role = world.admin.role_id("readonly").await;
    world.admin.post(&format!("/admin/users/{}/roles", world.sara.id), json!({"roles": [role]})).await.ok();
    let group = world.admin.post("/admin/groups", json!({"name": "فريق"})).await.ok();
    let members = format!("/admin/groups/{}/members", group["id"].as_str().expect("an id"));
    world.admin.post(&members, json!({"user": world.sara.id})).await.ok();
    let access = json!({"permission": "users.delete", "reason": "a reason"});
    world.sara.post("/auth/access-requests", access).await.ok();
    world.sara.post("/auth/email", json!({"email": "sara@y.example"})).await.ok();
    let answer = world.sara.get("/auth/export").await;
    let name = answer.headers["content-disposition"].to_str().expect("ASCII");
    assert_eq!(name, "attachment; filename=\"account-2026-11-22.json\"");
    for secret in ["$argon2", "password_hash", "digest\":\"\\\\x", "token"] {
        assert!(!answer.text.contains(secret), "{secret}");
    }
    let data = answer.ok();
    assert_eq!((&data["account"]["email"], &data["groups"][0]["group"]["name"]), (&json!(SARA), &json!("فريق")));
    for part in ["roles", "groups", "sessions", "devices", "approvals", "email_changes", "activity"] {
        assert!(!data[part].as_array().expect("a list").is_empty(), "{part}");
    }
    for part in ["passkeys", "api_keys", "places", "deletion", "overrides", "second_factor"] {
        assert!(data.get(part).is_some(), "{part}");
    }
    assert!(world.app.actions().await.contains(&"auth.data_export".to_owned()));
}

/// A13, flow 13: the same parts come as files of an archive, by REST and by the form; another format there is not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_copy_comes_as_an_archive_too(pool: PgPool) {
    let world = World::start(&pool).await;
    let document = world.sara.get("/auth/export?format=json").await.ok();
    let archive = world.sara.get("/auth/export?format=zip").await;
    assert_eq!(archive.status, StatusCode::OK);
    assert_eq!(archive.headers["content-type"], "application/zip");
    assert_eq!(archive.headers["content-disposition"], "attachment; filename=\"account-2026-11-22.zip\"");
    let names = |text: &str| {
        let parts = document.as_object().expect("an object").iter();
        parts.filter(|(name, part)| !part.is_string() && !text.contains(&format!("{name}.json"))).count()
    };
    assert_eq!(names(&archive.text), 0, "a file for each part");
    assert!(archive.text.contains("about.json"));
    let browser = world.browser().await;
    let file = browser.form("/console/account?tab=data", &[("act", "export_zip")]).await;
    assert_eq!(file.headers["content-type"], "application/zip");
    let unknown = world.sara.get("/auth/export?format=tar").await;
    assert_eq!(
        (unknown.status, &unknown.json()["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("format"))
    );
}

/// A10, A8: a copy of everything wants a fresh proof, and comes only so often.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_copy_wants_a_fresh_proof_and_comes_so_often(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.admin_limits(json!({"free_by_account": 2})).await;
    world.app.advance(Duration::from_secs(301)).await;
    assert_eq!(world.sara.get("/auth/export").await.code(), "step_up_required");
    world.sara.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    for _ in 0..2 {
        world.sara.get("/auth/export").await.ok();
    }
    let refused = world.sara.get("/auth/export").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many"));
    let taken = world.app.actions().await.iter().filter(|one| *one == "auth.data_export").count();
    assert_eq!(taken, 2);
    // Nobody else waits for it.
    world.admin.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    world.admin.get("/auth/export").await.ok();
}

/// A13, "Forms": the account page gives the copy without scripts, and leads to a proof where one is wanted.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_form_gives_the_copy_or_leads_to_a_proof(pool: PgPool) {
    let world = World::start(&pool).await;
    let browser = world.browser().await;
    let page = browser.get("/console/account?tab=data").await;
    assert!(page.status == StatusCode::OK && page.text.contains("value=\"export\""), "{}", page.status);
    let file = browser.form("/console/account?tab=data", &[("act", "export")]).await;
    assert_eq!(file.ok()["account"]["email"], SARA);
    world.app.advance(Duration::from_secs(301)).await;
    let led = browser.form("/console/account?tab=data", &[("act", "export")]).await;
    assert_eq!(led.headers["location"], "/reauthenticate?next=%2Fconsole%2Faccount%3Ftab%3Ddata");
    for tab in ["", "?tab=display", "?tab=activity"] {
        assert_eq!(browser.get(&format!("/console/account{tab}")).await.status, StatusCode::OK, "{tab}");
    }
    let nobody = world.app.anonymous().form("/console/account?tab=data", &[("act", "export")]).await;
    assert!(nobody.headers["location"].to_str().expect("ASCII").starts_with("/login?next="));
}

/// A13: neither a key of the person's nor whoever acts as them comes to what is theirs alone.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_ones_own_is_for_the_person_alone(pool: PgPool) {
    let world = World::start(&pool).await;
    let body = json!({"name": "k", "scopes": ["users.read"]});
    let secret = world.admin.post("/admin/api-keys", body).await.ok()["secret"].as_str().expect("a secret").to_owned();
    let key = world.app.with_token(&secret);
    for path in ["/auth/profile", "/auth/activity", "/auth/export", "/auth/deletion"] {
        assert_eq!(key.get(path).await.code(), "not_by_api_key", "{path}");
    }
    let body = json!({"target_user_id": world.sara.id, "reason": "a reason"});
    let token = world.admin.post("/admin/impersonate", body).await.ok();
    let acting = world.app.with_token(token["impersonation_token"].as_str().expect("a token"));
    for path in ["/auth/profile", "/auth/activity", "/auth/export", "/auth/deletion"] {
        assert_eq!(acting.get(path).await.code(), "not_while_impersonating", "{path}");
    }
    assert_eq!(acting.delete("/auth/deletion").await.code(), "not_while_impersonating");
}
