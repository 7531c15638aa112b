//! Who has to set up a second factor before anything else: what is open to them, and what is not.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{PASSWORD, TestApp, options_of};

/// B4, flow 12: over REST only what the set-up takes is open, and the way out.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nothing_else_is_reachable_over_rest(pool: PgPool) {
    let app = TestApp::strict(options_of(&pool)).await;
    let admin = app.admin().await;
    let closed = [
        (Method::GET, "/auth/profile", Value::Null),
        (Method::PATCH, "/auth/profile", json!({"name": "n"})),
        (Method::GET, "/auth/activity", Value::Null),
        (Method::GET, "/auth/export", Value::Null),
        (Method::GET, "/auth/deletion", Value::Null),
        (Method::POST, "/auth/deletion", json!({"email": "hind@nakheel.example"})),
        (Method::GET, "/auth/sessions", Value::Null),
        (Method::DELETE, "/auth/sessions", Value::Null),
        (Method::GET, "/auth/devices", Value::Null),
        (Method::GET, "/auth/approvals", Value::Null),
        (Method::POST, "/auth/access-requests", json!({"permission": "users.read", "reason": "r"})),
        (Method::POST, "/auth/email", json!({"email": "other@x.example"})),
        (Method::POST, "/auth/password", json!({"current_password": PASSWORD, "password": "one more long passphrase"})),
        (Method::POST, "/auth/2fa/backup-codes", json!({})),
        (Method::POST, "/auth/2fa/disable", json!({})),
    ];
    for (method, path, body) in closed {
        let refused = if body.is_null() {
            admin.send(method.clone(), path, None, Default::default()).await
        } else {
            admin.json(method.clone(), path, body).await
        };
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::FORBIDDEN, "mfa_enrolment_required"),
            "{method} {path}"
        );
    }
    for path in ["/auth/me", "/auth/2fa", "/auth/webauthn/credentials"] {
        assert_eq!(admin.get(path).await.status, StatusCode::OK, "{path}");
    }
    for (path, body) in [
        ("/auth/reauthenticate", json!({"password": PASSWORD})),
        ("/auth/2fa/setup", json!({})),
        ("/auth/webauthn/register/challenge", json!({"userId": admin.id})),
        ("/auth/logout", json!({})),
    ] {
        admin.post(path, body).await.ok();
    }
}

/// B4, flow 12: every page leads to the set-up, but those that it takes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_page_leads_to_the_set_up(pool: PgPool) {
    let app = TestApp::strict(options_of(&pool)).await;
    app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let browser = app.anonymous().with("cookie", &app.anonymous().form("/login", &form).await.cookies());
    for path in ["/console", "/console/account", "/console/account?tab=data", "/account/email", "/account/password"] {
        let led = browser.get(path).await;
        assert_eq!(
            (led.status, &led.headers["location"]),
            (StatusCode::FOUND, &"/account/two-factor".parse().expect(""))
        );
    }
    for (path, fields) in [
        ("/account/email", vec![("email", "other@x.example")]),
        ("/account/password", vec![("current_password", PASSWORD), ("password", "one more long passphrase")]),
        ("/console/account", vec![("act", "export")]),
    ] {
        assert_eq!(browser.form(path, &fields).await.headers["location"], "/account/two-factor", "{path}");
    }
    for path in ["/account/two-factor", "/account/passkeys", "/reauthenticate"] {
        assert_eq!(browser.get(path).await.status, StatusCode::OK, "{path}");
    }
}
