//! API keys: a program acts as its holder, no further than its scopes, and never on the account itself.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    access::server::known::LASTS,
    app::server::test_app::{Client, PASSWORD, TestApp, options_of},
    base::server::config::Proxy,
};

async fn make(holder: &Client, body: Value) -> (String, String) {
    let made = holder.post("/admin/api-keys", body).await.ok();
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    (text("id"), text("secret"))
}

/// D6: the key is shown once, works as a bearer, and its use is noted.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_is_shown_once_and_acts_as_its_holder(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let (id, secret) = make(&admin, json!({"name": "خادم الرواتب", "scopes": ["users.read"]})).await;
    assert!(secret.starts_with("bwk_"), "{secret}");
    let kept = app.count("select count(*) from api_keys k where k::text like '%bwk\\_%\\_%'").await;
    assert_eq!(kept, 0, "only its beginning is kept");
    let program = app.with_token(&secret);
    program.get("/admin/users").await.ok();
    assert_eq!(program.get("/admin/roles").await.status, StatusCode::FORBIDDEN, "the holder may, the key may not");
    assert_eq!(program.get("/auth/me").await.ok()["permissions"], json!(["users.read"]));
    let listed = admin.get("/admin/api-keys").await.ok();
    assert_eq!(listed["items"][0]["last_used_ip"], "192.0.2.7");
    assert!(!listed.to_string().contains(&secret));
    let denied = admin.get("/admin/audit?action=access.denied").await.ok();
    assert_eq!(denied["items"][0]["meta"]["api_key"]["id"], id.as_str(), "the log tells of the key");
    assert_eq!(denied["items"][0]["user_id"], admin.id.as_str());
}

/// D6: a key may do what its holder may now, not what they could when it was made.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_loses_what_its_holder_loses(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let role = admin.make_role("keeper", &["api_keys.manage", "users.read"]).await;
    let body = json!({"email": "k@x.example", "name": "k", "password": PASSWORD, "roles": [role]});
    let id = admin.post("/admin/users", body).await.ok()["id"].as_str().expect("an id").to_owned();
    let keeper = app.sign_in("k@x.example").await;
    let beyond = keeper.post("/admin/api-keys", json!({"name": "k", "scopes": ["users.*"]})).await;
    assert_eq!((beyond.status, beyond.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    let (_, secret) = make(&keeper, json!({"name": "k", "scopes": ["users.read"]})).await;
    app.with_token(&secret).get("/admin/users").await.ok();
    admin.patch(&format!("/admin/roles/{role}"), json!({"permissions": ["api_keys.manage"]})).await.ok();
    assert_eq!(app.with_token(&secret).get("/admin/users").await.status, StatusCode::FORBIDDEN);
    admin.patch(&format!("/admin/users/{id}/status"), json!({"status": "suspended"})).await.ok();
    assert_eq!(app.with_token(&secret).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// D6: a key that is off, over, deleted or from elsewhere opens nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_that_is_not_good_is_nobody(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let status = async |secret: &str| app.with_token(secret).get("/auth/me").await.status;
    let (id, secret) = make(&admin, json!({"name": "a", "scopes": ["users.read"]})).await;
    assert_eq!(status(&secret).await, StatusCode::OK);
    assert_eq!(status(&format!("{secret}x")).await, StatusCode::UNAUTHORIZED);
    admin.patch(&format!("/admin/api-keys/{id}"), json!({"active": false})).await.ok();
    assert_eq!(status(&secret).await, StatusCode::UNAUTHORIZED);
    admin.patch(&format!("/admin/api-keys/{id}"), json!({"active": true})).await.ok();
    assert_eq!(status(&secret).await, StatusCode::OK);
    admin.delete(&format!("/admin/api-keys/{id}")).await.ok();
    assert_eq!(status(&secret).await, StatusCode::UNAUTHORIZED);

    let here = json!({"name": "b", "scopes": ["users.read"], "networks": ["192.0.2.0/24"]});
    assert_eq!(status(&make(&admin, here).await.1).await, StatusCode::OK);
    let elsewhere = json!({"name": "c", "scopes": ["users.read"], "networks": ["198.51.100.7"]});
    assert_eq!(status(&make(&admin, elsewhere).await.1).await, StatusCode::UNAUTHORIZED);
    assert!(app.actions().await.contains(&"auth.api_key_refused".to_owned()));

    let end = json!({"name": "d", "scopes": ["users.read"], "expires_at": "2026-11-22T09:00:00Z"});
    let (_, ending) = make(&admin, end).await;
    assert_eq!(status(&ending).await, StatusCode::OK);
    app.advance(Duration::from_secs(3_600)).await;
    assert_eq!(status(&ending).await, StatusCode::UNAUTHORIZED);
    for (body, field) in [
        (json!({"name": "", "scopes": ["users.read"]}), "name"),
        (json!({"name": "x", "scopes": []}), "scopes"),
        (json!({"name": "x", "scopes": ["no.such"]}), "scopes[0]"),
        (json!({"name": "x", "scopes": ["users.read"], "networks": ["here"]}), "networks[0]"),
        (json!({"name": "x", "scopes": ["users.read"], "expires_at": "2020-01-01"}), "expires_at"),
    ] {
        let fresh = app.sign_in("hind@nakheel.example").await;
        let refused = fresh.post("/admin/api-keys", body).await;
        assert_eq!(refused.json()["errors"][0]["field"], field, "{}", refused.text);
    }
}

/// D6: after a rotation both keys are good for the overlap, then one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_rotated_key_overlaps_with_the_one_before(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let status = async |secret: &str| app.with_token(secret).get("/auth/me").await.status;
    let (id, old) = make(&admin, json!({"name": "a", "scopes": ["users.read"]})).await;
    let rotated = admin.post(&format!("/admin/api-keys/{id}/rotate"), json!({"overlap_hours": 2})).await.ok();
    let new = rotated["secret"].as_str().expect("a secret").to_owned();
    assert_eq!((status(&old).await, status(&new).await), (StatusCode::OK, StatusCode::OK));
    app.advance(Duration::from_secs(2 * 3_600)).await;
    assert_eq!((status(&old).await, status(&new).await), (StatusCode::UNAUTHORIZED, StatusCode::OK));
}

/// D6, I2: a key that was good a moment ago is no good from the moment on at which it ends, and from elsewhere it never was.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_known_key_ends_when_it_ends(pool: PgPool) {
    let proxies = [Proxy("192.0.2.0/24".parse().expect("a network"))];
    let app = TestApp::start(options_of(&pool)).await.again_behind(&proxies).await;
    let admin = app.admin().await;
    let status = async |secret: &str| app.with_token(secret).get("/auth/me").await.status;
    let (id, old) = make(&admin, json!({"name": "a", "scopes": ["users.read"]})).await;
    admin.post(&format!("/admin/api-keys/{id}/rotate"), json!({"overlap_hours": 1})).await.ok();
    let body = json!({"name": "b", "scopes": ["users.read"], "expires_at": "2026-11-22T09:00:00Z"});
    let (_, ending) = make(&admin, body).await;
    let moment = Duration::from_millis(1);
    app.advance(Duration::from_hours(1) - moment).await;
    assert_eq!((status(&old).await, status(&ending).await), (StatusCode::OK, StatusCode::OK));
    app.advance(moment).await;
    assert_eq!((status(&old).await, status(&ending).await), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));

    let fresh = app.sign_in("hind@nakheel.example").await;
    let here = json!({"name": "c", "scopes": ["users.read"], "networks": ["192.0.2.7"]});
    let (_, here) = make(&fresh, here).await;
    assert_eq!(status(&here).await, StatusCode::OK);
    let elsewhere = app.with_token(&here).with("x-forwarded-for", "198.51.100.7");
    assert_eq!(elsewhere.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert!(app.actions().await.contains(&"auth.api_key_refused".to_owned()));
}

/// D6, I2: a key that two nodes know is refused at once by the one on which it is deleted, and by the other soon.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_deleted_key_that_is_known_is_refused_by_every_node(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    let (id, secret) = make(&admin, json!({"name": "a", "scopes": ["users.read"]})).await;
    let key = one.with_token(&secret);
    for node in [&one, &two] {
        assert_eq!(key.on(node).get("/auth/me").await.status, StatusCode::OK);
    }
    admin.delete(&format!("/admin/api-keys/{id}")).await.ok();
    assert_eq!(key.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert!(LASTS < Duration::from_millis(500), "the bound that is promised");
    two.clock.advance(LASTS);
    assert_eq!(key.on(&two).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// D6: a key never touches its holder's account, makes no keys, and hands on nothing beyond its scopes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_is_not_its_holder(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let scopes = json!(["api_keys.manage", "permissions.*", "users.*", "roles.*"]);
    let (id, secret) = make(&admin, json!({"name": "a", "scopes": scopes})).await;
    let key = app.with_token(&secret);
    for (path, body) in [
        ("/auth/2fa/setup", json!({})),
        ("/auth/reauthenticate", json!({"password": PASSWORD})),
        ("/auth/logout", json!({"everywhere": true})),
        ("/admin/api-keys", json!({"name": "b", "scopes": ["users.read"]})),
    ] {
        let refused = key.post(path, body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "not_by_api_key"), "{path}");
    }
    assert_eq!(key.delete(&format!("/admin/api-keys/{id}")).await.code(), "not_by_api_key");
    let path = format!("/admin/users/{}/permissions", sara.id);
    let refused = key.patch(&path, json!({"allow": ["audit.read"]})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    key.patch(&path, json!({"allow": ["users.read"]})).await.ok();
    let refused = key.patch(&format!("/admin/users/{}/roles", sara.id), json!({"roles": ["super-admin"]})).await;
    assert_eq!(refused.code(), "beyond_your_rights");
    // What needs a proof of late is never done with a key, also by way of its holder's fresh session.
    app.advance(Duration::from_secs(600)).await;
    let stale = admin.post("/admin/api-keys", json!({"name": "c", "scopes": ["users.read"]})).await;
    assert_eq!(stale.code(), "step_up_required");
}

/// D6: whoever manages keys turns off those of others, and cannot widen or take them over.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn keys_of_others_are_narrowed_only(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    admin.make_role("keeper", &["api_keys.manage", "users.read"]).await;
    let keeper = app.person(&admin, "k@x.example", &["keeper"]).await;
    let (id, _) = make(&admin, json!({"name": "a", "scopes": ["users.read"]})).await;
    let path = format!("/admin/api-keys/{id}");
    assert_eq!(keeper.post(&format!("{path}/rotate"), json!({})).await.code(), "outranked");
    assert_eq!(keeper.patch(&path, json!({"scopes": ["users.*"]})).await.code(), "outranked");
    keeper.patch(&path, json!({"active": false})).await.ok();
    assert_eq!(keeper.patch(&path, json!({"active": true})).await.code(), "outranked");
    let stale = keeper.patch(&path, json!({"name": "b", "version": 1})).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
}
