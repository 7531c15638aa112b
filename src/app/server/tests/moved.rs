//! An address that an administrator gives somebody: what was mailed to the one before is void, and both mailboxes are told.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink};
use crate::app::server::test_app::{Client, PASSWORD, TestApp, options_of};

const OLD: &str = "wrong@x.example";
const NEW: &str = "right@x.example";

async fn confirmed_at(admin: &Client, id: &str) -> Value {
    admin.get(&format!("/admin/users/{id}")).await.ok()["email_confirmed_at"].clone()
}

async fn choose(app: &TestApp, token: &str) -> StatusCode {
    let form = [("token", token), ("password", PASSWORD), ("password_again", PASSWORD)];
    app.anonymous().form("/welcome", &form).await.status
}

/// D7: an invitation that went to a mistyped address opens nothing once the address was corrected.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_invitation_to_a_mistyped_address_is_void(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sink) = (app.admin().await, Sink::start(Manner::Good).await);
    let body = json!({"email": OLD, "name": "ليلى", "mail_link": true});
    let id = admin.post("/admin/users", body).await.ok()["id"].as_str().expect("an id").to_owned();
    let invitation = sink.deliver(&app).await.remove(0);
    let path = format!("/admin/users/{id}");
    admin.patch(&path, json!({"email": OLD, "name": "ليلى الحربي"})).await.ok();
    assert_eq!(sink.deliver(&app).await.len(), 0, "the same address is no other one");
    admin.patch(&path, json!({"email": NEW})).await.ok();
    let mut told = sink.deliver(&app).await.iter().flat_map(|letter| letter.to.clone()).collect::<Vec<_>>();
    told.sort();
    assert_eq!(told, [NEW, OLD]);
    assert_eq!(choose(&app, &invitation.token()).await, StatusCode::GONE);
    admin.post(&format!("{path}/link"), json!({"mail": true})).await.ok();
    let again = sink.deliver(&app).await.remove(0);
    assert_eq!(again.to, [NEW]);
    assert_eq!(choose(&app, &again.token()).await, StatusCode::SEE_OTHER);
    assert!(confirmed_at(&admin, &id).await.is_string());
}

/// A13, B5: of somebody who is active, links and half-done sign-ins end, and nobody has confirmed the new address; they
/// sign in with it by their password all the same.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn half_done_sign_ins_and_links_end_with_the_address(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sink) = (app.admin().await, Sink::start(Manner::Good).await);
    let sara = app.person(&admin, OLD, &[]).await;
    assert!(confirmed_at(&admin, &sara.id).await.is_string());
    admin.patch("/admin/settings", json!({"risk": {"ask_new_device": true, "mail_new_device": false}})).await.ok();
    let stranger = app.anonymous().with("user-agent", "other/1.0");
    let half = stranger.post("/auth/login", json!({"email": OLD, "password": PASSWORD})).await.json();
    let letter = sink.deliver(&app).await.remove(0).plain();
    let code = letter.lines().map(str::trim).find(|line| line.len() == 6 && line.parse::<u32>().is_ok());
    let code = code.expect("a code").to_owned();
    app.anonymous().post("/auth/request-reset", json!({"email": OLD})).await.ok();
    let reset = sink.deliver(&app).await.remove(0).token();
    app.advance(Duration::from_secs(1)).await;
    admin.patch(&format!("/admin/users/{}", sara.id), json!({"email": NEW})).await.ok();
    app.advance(Duration::from_secs(1)).await;
    let late = stranger.post("/auth/login/code", json!({"step": half["step"], "code": code})).await;
    assert_eq!(late.code(), "signed_out");
    let late = app.anonymous().post("/auth/reset", json!({"token": reset, "password": PASSWORD})).await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(confirmed_at(&admin, &sara.id).await.is_null());
    let login = async |email: &str, password: &str| {
        app.anonymous().post("/auth/login", json!({"email": email, "password": password})).await.status
    };
    assert_eq!(login(OLD, PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(login(NEW, PASSWORD).await, StatusCode::OK);
    // Another password tells nothing of the mailbox; a link that was mailed there does.
    let fresh = "one more long passphrase";
    sara.post("/auth/password", json!({"current_password": PASSWORD, "password": fresh})).await.ok();
    assert!(confirmed_at(&admin, &sara.id).await.is_null());
    sink.deliver(&app).await;
    app.anonymous().post("/auth/request-reset", json!({"email": NEW})).await.ok();
    let reset = sink.deliver(&app).await.remove(0).token();
    app.anonymous().post("/auth/reset", json!({"token": reset, "password": PASSWORD})).await.ok();
    assert!(confirmed_at(&admin, &sara.id).await.is_string());
}

/// A8: an administrator cannot fill a mailbox with invitations, nor by removing the account in between.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn invitations_to_one_mailbox_are_bounded(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let body = json!({"email": NEW, "name": "ليلى", "mail_link": true});
    let add = async || admin.post("/admin/users", body.clone()).await;
    for _ in 0..2 {
        let id = add().await.ok()["id"].as_str().expect("an id").to_owned();
        admin.delete(&format!("/admin/users/{id}")).await.ok();
    }
    let id = add().await.ok()["id"].as_str().expect("an id").to_owned();
    let link = async |mail: bool| admin.post(&format!("/admin/users/{id}/link"), json!({"mail": mail})).await.status;
    assert_eq!([link(true).await, link(true).await], [StatusCode::OK, StatusCode::OK]);
    assert_eq!(link(true).await, StatusCode::TOO_MANY_REQUESTS);
    admin.delete(&format!("/admin/users/{id}")).await.ok();
    assert_eq!(add().await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(app.count("select count(*) from jobs where payload ->> 'about' = 'invite'").await, 5);
    app.advance(Duration::from_secs(3_600)).await;
    app.sign_in("hind@nakheel.example").await.post("/admin/users", body.clone()).await.ok();
}
