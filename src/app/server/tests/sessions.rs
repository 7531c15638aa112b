//! Where people are signed in: what they see and end, and what whoever may sees and ends of others.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, PASSWORD, TestApp, options_of};

const SARA: &str = "sara@x.example";

async fn ids(client: &Client, path: &str) -> Vec<String> {
    let list = client.get(path).await.ok();
    let list = list.as_array().expect("a list").iter();
    list.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

/// A6: people see where they are signed in, and end one or all others; the one they are in stays.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_see_and_end_their_own_sessions(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let here = app.person(&admin, SARA, &[]).await;
    let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1";
    let form = [("email", SARA), ("password", PASSWORD)];
    let phone = app.anonymous().with("user-agent", agent);
    let phone = phone.with("cookie", &phone.form("/login", &form).await.cookies());
    let list = here.get("/auth/sessions").await.ok();
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 2);
    let current = list.iter().filter(|one| one["is_current"] == true).collect::<Vec<_>>();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["is_browser"], false);
    let other = list.iter().find(|one| one["is_current"] == false).expect("the phone");
    assert_eq!((&other["device_kind"], &other["ip"]), (&json!("mobile"), &json!("192.0.2.7")));
    assert!(other["device"].as_str().expect("a name").contains("Safari"), "{other}");
    here.delete(&format!("/auth/sessions/{}", other["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(phone.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "at once");
    let again = here.delete(&format!("/auth/sessions/{}", other["id"].as_str().expect("an id"))).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let (one, two) = (app.sign_in(SARA).await, app.sign_in(SARA).await);
    assert_eq!(here.delete("/auth/sessions").await.ok(), json!({"ended": 2}));
    for gone in [one, two] {
        assert_eq!(gone.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(here.get("/auth/me").await.status, StatusCode::OK);
    assert!(app.actions().await.contains(&"auth.session_end".to_owned()));
}

/// GHSA-f3gh-529w-v32x: nobody sees or ends somebody else's by guessing ids.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_ends_somebody_elses_session_as_their_own(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let omar = app.person(&admin, "omar@x.example", &[]).await;
    let id = ids(&omar, "/auth/sessions").await.remove(0);
    assert!(!ids(&sara, "/auth/sessions").await.contains(&id));
    assert_eq!(sara.delete(&format!("/auth/sessions/{id}")).await.status, StatusCode::NOT_FOUND);
    let device = ids(&omar, "/auth/devices").await.remove(0);
    assert_eq!(sara.delete(&format!("/auth/devices/{device}")).await.status, StatusCode::NOT_FOUND);
    // Nor under another person's path.
    let path = format!("/admin/users/{}/sessions/{id}", sara.id);
    assert_eq!(admin.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(omar.get("/auth/me").await.status, StatusCode::OK);
}

/// A6: whoever may sees anybody's and ends anybody's, one or all.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_may_ends_anybodys_sessions(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let support = app.person(&admin, "support@x.example", &["support"]).await;
    let path = format!("/admin/users/{}/sessions", sara.id);
    let seen = ids(&support, &path).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(support.delete(&path).await.status, StatusCode::FORBIDDEN, "seeing is not ending");
    admin.delete(&format!("{path}/{}", seen[0])).await.ok();
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let (one, two) = (app.sign_in(SARA).await, app.sign_in(SARA).await);
    assert_eq!(admin.delete(&path).await.ok(), json!({"ended": 2}));
    for gone in [one, two] {
        assert_eq!(gone.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    }
}

/// A6: revoking a device ends all its sessions.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_revoked_device_is_out(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let form = [("email", SARA), ("password", PASSWORD)];
    let browser = app.anonymous().with("cookie", &app.anonymous().form("/login", &form).await.cookies());
    let devices = browser.get("/auth/devices").await.ok();
    assert_eq!(devices.as_array().expect("a list").len(), 2, "a browser and a program");
    let path = format!("/admin/users/{}/devices", sara.id);
    for device in ids(&admin, &path).await {
        admin.delete(&format!("{path}/{device}")).await.ok();
    }
    assert_eq!(admin.get(&path).await.ok(), Value::Array(Vec::new()));
    for gone in [sara, browser] {
        assert_eq!(gone.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    }
}
