//! Tokens: one that was spent tells of theft however old it is, and those that open nothing are counted.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::authenticator::Authenticator;
use crate::app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of};

const HIND: &str = "hind@nakheel.example";

async fn login(app: &TestApp) -> Value {
    app.anonymous().post("/auth/login", json!({"email": HIND, "password": PASSWORD})).await.ok()
}

async fn refresh(client: &Client, token: &Value) -> Answer {
    client.post("/auth/refresh", json!({"refresh_token": token})).await
}

/// A3, RFC 9700 §4.14.2: a spent token that has run out as well is still a stolen one: the family ends, on the record.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_spent_token_that_has_run_out_ends_the_family(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let first = login(&app).await;
    let day = Duration::from_secs(86_400);
    app.advance(20 * day).await;
    let second = refresh(&app.anonymous(), &first["refresh_token"]).await.ok();
    app.advance(11 * day).await;
    assert_eq!(refresh(&app.anonymous(), &first["refresh_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert!(app.actions().await.contains(&"auth.refresh_reuse".to_owned()));
    assert_eq!(refresh(&app.anonymous(), &second["refresh_token"]).await.status, StatusCode::UNAUTHORIZED);
    // One that was never used has only run out.
    let unused = login(&app).await;
    app.advance(31 * day).await;
    assert_eq!(refresh(&app.anonymous(), &unused["refresh_token"]).await.status, StatusCode::UNAUTHORIZED);
    let reuses = app.count("select count(*) from audit_logs where action = 'auth.refresh_reuse'").await;
    assert_eq!(reuses, 1);
}

/// A8: an address that shows tokens which open nothing has to wait, whatever door it turns to; good ones cost it nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn tokens_that_open_nothing_are_counted_for_their_address(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let mut good = login(&app).await["refresh_token"].clone();
    for _ in 0..10 {
        good = refresh(&app.anonymous(), &good).await.ok()["refresh_token"].clone();
    }
    let answer = Authenticator::new();
    let asked = app.anonymous().post("/auth/webauthn/login/challenge", json!({})).await.ok();
    let assertion = answer.get(&asked["publicKey"]);
    let doors = [
        ("/auth/confirm", json!({"token": "x"})),
        ("/auth/reset", json!({"token": "x", "password": PASSWORD})),
        ("/auth/email/confirm", json!({"token": "x"})),
        ("/auth/email/leave", json!({"token": "x"})),
        ("/auth/email/cancel", json!({"token": "x"})),
        ("/auth/refresh", json!({"refresh_token": "x"})),
        ("/auth/refresh/prove", json!({"refresh_token": "x", "password": PASSWORD})),
        ("/auth/welcome", json!({"token": "x", "password": PASSWORD})),
        ("/auth/magic-link/verify", json!({"token": "x"})),
        ("/auth/login/factor", json!({"step": "x", "totp": "000000"})),
        ("/auth/webauthn/login/complete", json!({"challenge_id": asked["challenge_id"], "assertion": assertion})),
    ];
    app.admin_limits(json!({"free_by_address": doors.len()})).await;
    for (path, body) in &doors {
        let refused = app.anonymous().post(path, body.clone()).await;
        assert!(matches!(refused.status, StatusCode::GONE | StatusCode::UNAUTHORIZED), "{path} {}", refused.text);
    }
    for (path, body) in &doors {
        let refused = app.anonymous().post(path, body.clone()).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert!(refused.headers.contains_key("retry-after"));
    }
    for path in ["/confirm", "/magic-link", "/welcome", "/setup", "/email/confirm", "/email/leave"] {
        let form = [("token", "x"), ("password", PASSWORD), ("password_again", PASSWORD)];
        assert_eq!(app.anonymous().form(path, &form).await.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
    }
    login(&app).await;
    app.advance(Duration::from_secs(3)).await;
    refresh(&app.anonymous(), &good).await.ok();
}

/// A6: whoever has nothing to show beside the token but a passkey is told to sign in again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_passkey_alone_cannot_prove_a_token(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let tokens = login(&app).await;
    let own = app.with_token(tokens["access_token"].as_str().expect("a token"));
    let asked = own.post("/auth/webauthn/register/challenge", json!({"userId": admin.id})).await.ok();
    let attestation = Authenticator::new().create(&asked["publicKey"]);
    own.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await.ok();
    let stranger = app.anonymous().with("user-agent", "other/1.0");
    assert_eq!(refresh(&stranger, &tokens["refresh_token"]).await.code(), "step_up_required");
    let prove = async |more: Value| {
        let mut body = json!({"refresh_token": tokens["refresh_token"], "password": PASSWORD});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        stranger.post("/auth/refresh/prove", body).await
    };
    let told = prove(json!({})).await;
    assert_eq!((told.status, told.code().as_str()), (StatusCode::UNAUTHORIZED, "sign_in_again"));
    // With backup codes there is something to show.
    let codes = own.post("/auth/2fa/backup-codes", json!({})).await.ok();
    assert_eq!(prove(json!({})).await.code(), "totp_required");
    prove(json!({"backup_code": codes["backup_codes"][0]})).await.ok();
    let next = refresh(&stranger, &tokens["refresh_token"]).await.ok();
    sqlx::query("update users set password_hash = null").execute(&app.owner).await.expect("works");
    let body = json!({"refresh_token": next["refresh_token"], "password": "", "backup_code": codes["backup_codes"][1]});
    assert_eq!(app.anonymous().post("/auth/refresh/prove", body).await.code(), "sign_in_again");
}
