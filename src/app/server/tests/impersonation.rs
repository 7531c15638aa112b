//! Acting as somebody else: with a reason, never as somebody more powerful, for a while, and told in every row.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of};

async fn begin(by: &Client, target: &Client, reason: &str) -> Answer {
    by.post("/admin/impersonate", json!({"target_user_id": target.id, "reason": reason})).await
}

async fn acting(app: &TestApp, by: &Client, target: &Client) -> Client {
    let begun = begin(by, target, "مساعدة في التقارير").await.ok();
    assert_eq!(begun["ok"], true);
    app.with_token(begun["impersonation_token"].as_str().expect("a token"))
}

/// D2: whoever acts has the rights of the other, and both stand in every row.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn both_stand_in_every_row(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let as_sara = acting(&app, &boss, &sara).await;
    let me = as_sara.get("/auth/me").await.ok();
    assert_eq!((&me["id"], &me["impersonator"]["name"]), (&json!(sara.id), &json!("هند العتيبي")));
    as_sara.get("/admin/users").await.ok();
    assert_eq!(as_sara.post("/admin/roles", json!({"name": "r"})).await.status, StatusCode::FORBIDDEN);
    let rows = boss.get(&format!("/admin/audit?impersonator={}", boss.id)).await.ok();
    let row = &rows["items"][0];
    assert_eq!((&row["action"], &row["user_id"]), (&json!("access.denied"), &json!(sara.id)));
    assert_eq!(row["impersonator_name"], "هند العتيبي");
    as_sara.delete("/auth/impersonation").await.ok();
    assert_eq!(as_sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let written = app.actions().await;
    assert!(written.contains(&"impersonation.begin".to_owned()) && written.contains(&"impersonation.end".to_owned()));
    assert_eq!(app.count("select count(*) from jobs where payload ->> 'about' = 'impersonated'").await, 1);
}

/// D2: no reason, no impersonation; nor of oneself, of nobody, or of who may not sign in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn it_needs_a_reason_and_somebody_else(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let missing = boss.post("/admin/impersonate", json!({"target_user_id": sara.id})).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    for reason in ["", "   ", "a\u{202e}b"] {
        assert_eq!(begin(&boss, &sara, reason).await.json()["errors"][0]["field"], "reason");
    }
    assert_eq!(begin(&boss, &boss, "r").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(begin(&sara, &boss, "r").await.status, StatusCode::FORBIDDEN);
    boss.patch(&format!("/admin/users/{}/status", sara.id), json!({"status": "suspended"})).await.ok();
    assert_eq!(begin(&boss, &sara, "r").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// A10, D2: beginning it wants a proof of the last five minutes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn it_wants_a_fresh_proof(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    app.advance(Duration::from_secs(301)).await;
    let stale = begin(&boss, &sara, "r").await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::UNAUTHORIZED, "step_up_required"));
    assert_eq!(app.count("select count(*) from sessions where impersonator_id is not null").await, 0);
    boss.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    begin(&boss, &sara, "r").await.ok();
}

/// D2: never as somebody who holds more, also when they come to hold more while it lasts.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_acts_as_somebody_more_powerful(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("helper", &["impersonate.users", "users.read"]).await;
    let helper = app.person(&boss, "helper@x.example", &["helper"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    assert_eq!(begin(&helper, &boss, "r").await.code(), "outranked");
    let as_sara = acting(&app, &helper, &sara).await;
    let path = format!("/admin/users/{}/permissions", sara.id);
    boss.patch(&path, json!({"allow": ["audit.read"]})).await.ok();
    assert_eq!(as_sara.get("/admin/audit").await.code(), "outranked");
    assert_eq!(as_sara.get("/auth/me").await.code(), "outranked");
    boss.patch(&path, json!({"allow": []})).await.ok();
    as_sara.get("/auth/me").await.ok();
    boss.patch(&format!("/admin/users/{}/roles", helper.id), json!({"roles": []})).await.ok();
    assert_eq!(as_sara.get("/auth/me").await.code(), "not_while_impersonating", "the right to act was taken away");
}

/// D2: no credential, no approval, no nesting.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_never_done_as_somebody_else(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let as_peer = acting(&app, &boss, &peer).await;
    for (path, body) in [
        ("/auth/2fa/setup", json!({})),
        ("/auth/reauthenticate", json!({"password": PASSWORD})),
        ("/admin/api-keys", json!({"name": "k", "scopes": ["users.read"]})),
        ("/auth/access-requests", json!({"permission": "users.read", "reason": "r"})),
    ] {
        assert_eq!(as_peer.post(path, body).await.code(), "not_while_impersonating", "{path}");
    }
    assert_eq!(begin(&as_peer, &sara, "r").await.code(), "not_while_impersonating");
    let body = json!({"permission": "users.read", "reason": "r"});
    let id = sara.post("/auth/access-requests", body).await.ok()["id"].as_str().expect("an id").to_owned();
    let decided = as_peer.post(&format!("/admin/approvals/{id}/approve"), json!({})).await;
    assert_eq!(decided.code(), "not_while_impersonating");
}

/// D2: it ends by itself, and with the session or account of whoever acts.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn it_ends_by_itself(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    app.person(&boss, "helper@x.example", &["super-admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let as_sara = acting(&app, &boss, &sara).await;
    app.advance(Duration::from_secs(29 * 60)).await;
    as_sara.get("/auth/me").await.ok();
    app.advance(Duration::from_secs(61)).await;
    assert_eq!(as_sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let helper = app.sign_in("helper@x.example").await.on(&app);
    let as_sara = acting(&app, &helper, &sara).await;
    let boss = app.sign_in("hind@nakheel.example").await;
    boss.patch(&format!("/admin/users/{}/status", helper.id), json!({"status": "suspended"})).await.ok();
    assert_eq!(as_sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// D2: in a browser it stands beside one's own session, and counts only with it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn in_a_browser_it_counts_only_beside_the_own_session(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let own = app.anonymous().form("/login", &form).await.cookies();
    let token = begin(&boss, &sara, "r").await.ok()["impersonation_token"].as_str().expect("a token").to_owned();
    let cookie = format!("__Host-bawwab-acting={token}");
    let both = app.anonymous().with("cookie", &format!("{own}; {cookie}"));
    assert_eq!(both.get("/auth/me").await.ok()["id"], json!(sara.id));
    let page = both.get("/console").await;
    assert!(page.text.contains("acting-band"), "the band is on every page");
    let alone = app.anonymous().with("cookie", &cookie);
    assert_eq!(alone.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let other = [("email", "sara@x.example"), ("password", PASSWORD)];
    let others = app.anonymous().form("/login", &other).await.cookies();
    let mixed = app.anonymous().with("cookie", &format!("{others}; {cookie}"));
    assert_eq!(mixed.get("/auth/me").await.ok()["impersonator"], json!(null), "another's cookie opens nothing");
}
