//! What programs do with the links of letters: accept an invitation, spend a sign-in link, and owe the second factor.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    joining::World,
    second_factor::{Enrolled, enrol},
};
use crate::{
    app::server::test_app::{Answer, Client, PASSWORD},
    second_factor::server::codes::code_at,
};

const SARA: &str = "sara@x.example";
const NEW: &str = "another long passphrase";
const STEP: &str = "__Host-bawwab-step";

impl World {
    async fn mailed(&self) -> String {
        self.sink.deliver(&self.app).await.remove(0).token()
    }

    async fn invite(&self, email: &str) -> String {
        self.admin.post("/admin/users", json!({"email": email, "name": "ليلى", "mail_link": true})).await.ok();
        self.mailed().await
    }

    async fn magic(&self) -> String {
        self.app.anonymous().post("/auth/magic-link", json!({"email": SARA})).await.ok();
        self.mailed().await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.app.anonymous().post(path, body).await
    }

    fn holds(&self, tokens: &Value) -> Client {
        self.app.with_token(tokens["access_token"].as_str().expect("a token"))
    }

    /// Sara with an authenticator app. The code of the enrolment is over.
    async fn enrolled(&self) -> Enrolled {
        let sara = enrol(&self.app, self.app.person(&self.admin, SARA, &[]).await).await;
        self.app.advance(Duration::from_secs(60)).await;
        self.sink.deliver(&self.app).await;
        sara
    }
}

/// D7: a program accepts an invitation with the password that its person has chosen, once, and is signed in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_invitation_is_accepted_by_a_program(pool: PgPool) {
    let world = World::start(&pool).await;
    let token = world.invite(SARA).await;
    let weak = world.post("/auth/welcome", json!({"token": token, "password": "short"})).await;
    assert_eq!(
        (weak.status, &weak.json()["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("password"))
    );
    let body = json!({"token": token, "password": PASSWORD});
    let tokens = world.post("/auth/welcome", body.clone()).await.ok();
    assert_eq!(world.holds(&tokens).get("/auth/me").await.ok()["email"], SARA);
    world.post("/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await.ok();
    assert_eq!(world.post("/auth/welcome", body).await.status, StatusCode::GONE);
    world.post("/auth/login", json!({"email": SARA, "password": PASSWORD})).await.ok();
    let sessions = world.holds(&tokens).get("/auth/sessions").await.ok();
    assert!(sessions.as_array().expect("a list").iter().all(|session| session["is_browser"] == false), "{sessions}");
    assert!(world.app.actions().await.contains(&"auth.welcome".to_owned()));
}

/// D7: one that was revoked, has run out or is somebody's who was suspended opens nothing, here as little as in a browser.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_invitation_that_is_over_is_not_accepted(pool: PgPool) {
    let world = World::start(&pool).await;
    let added = json!({"email": SARA, "name": "ليلى", "mail_link": true});
    let id = world.admin.post("/admin/users", added).await.ok()["id"].as_str().expect("an id").to_owned();
    let path = format!("/admin/users/{id}");
    let accept =
        async |token: &str| world.post("/auth/welcome", json!({"token": token, "password": PASSWORD})).await.status;
    let revoked = world.mailed().await;
    world.admin.delete(&format!("{path}/link")).await.ok();
    assert_eq!(accept(&revoked).await, StatusCode::GONE);
    world.admin.post(&format!("{path}/link"), json!({"mail": true})).await.ok();
    let suspended = world.mailed().await;
    world.admin.patch(&format!("{path}/status"), json!({"status": "suspended"})).await.ok();
    assert_eq!(accept(&suspended).await, StatusCode::GONE);
    world.admin.patch(&format!("{path}/status"), json!({"status": "active"})).await.ok();
    world.admin.post(&format!("{path}/link"), json!({"mail": true})).await.ok();
    let late = world.mailed().await;
    world.app.advance(Duration::from_secs(72 * 3600)).await;
    assert_eq!(accept(&late).await, StatusCode::GONE);
}

/// GHSA-hc7v-rggr-4hvx, "32 parallel uses": of parallel programs on two nodes one accepts, and one signs in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_programs_one_spends_a_link(pool: PgPool) {
    let world = World::start(&pool).await;
    let token = world.invite(SARA).await;
    assert_eq!(world.app.race("/auth/welcome", json!({"token": token, "password": PASSWORD})).await, 1);
    let token = world.magic().await;
    assert_eq!(world.app.race("/auth/magic-link/verify", json!({"token": token})).await, 1);
    let live = "select count(*) from sessions s join users u on u.id = s.user_id and u.email = 'sara@x.example'";
    assert_eq!(world.app.count(live).await, 2);
}

/// A7: a program spends a sign-in link; the link of one purpose is unknown at the other's door.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_sign_in_link_is_spent_by_a_program(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.person(&world.admin, SARA, &[]).await;
    let token = world.magic().await;
    let stray = world.post("/auth/welcome", json!({"token": token, "password": NEW})).await;
    assert_eq!((stray.status, stray.code().as_str()), (StatusCode::GONE, "link_spent"));
    let body = json!({"token": token});
    let tokens = world.post("/auth/magic-link/verify", body.clone()).await.ok();
    assert_eq!(world.holds(&tokens).get("/auth/me").await.ok()["email"], SARA);
    assert_eq!(world.post("/auth/magic-link/verify", body).await.status, StatusCode::GONE);
    let off = json!({"sign_in": {"magic_link": false, "second_factor_roles": []}});
    let token = world.magic().await;
    world.admin.patch("/admin/settings", off).await.ok();
    assert_eq!(world.post("/auth/magic-link/verify", json!({"token": token})).await.status, StatusCode::GONE);
}

/// A7, CVE-2025-64103: with a second factor a link alone opens nothing. It is spent all the same, and the step that the
/// refusal carries is good for the factor, at its own door, once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_link_owes_the_second_factor(pool: PgPool) {
    let world = World::start(&pool).await;
    let Enrolled { client: sara, secret, backup_codes: codes } = world.enrolled().await;
    let code = || code_at(&secret, world.app.clock.now());
    let link = world.magic().await;
    let owed = world.post("/auth/magic-link/verify", json!({"token": link})).await;
    assert_eq!((owed.status, owed.code().as_str()), (StatusCode::UNAUTHORIZED, "totp_required"));
    let step = owed.json()["step"].as_str().expect("a step").to_owned();
    assert_eq!(world.post("/auth/magic-link/verify", json!({"token": link})).await.status, StatusCode::GONE);
    // It is a program's: neither a browser's door knows it, nor the one of mailed codes.
    let browser = world.app.anonymous().with("cookie", &format!("{STEP}={step}"));
    assert_eq!(browser.form("/login/code", &[("totp", &code())]).await.headers["location"], "/login");
    let mailed = world.post("/auth/login/code", json!({"step": step, "code": code()})).await;
    assert_eq!(mailed.code(), "signed_out");
    let go_on = async |body: Value| world.post("/auth/login/factor", body).await;
    assert_eq!(go_on(json!({"step": step})).await.code(), "totp_required");
    assert_eq!(go_on(json!({"step": step, "totp": "000000"})).await.code(), "wrong_code");
    assert_eq!(go_on(json!({"step": format!("{step}A"), "totp": code()})).await.code(), "signed_out");
    let tokens = go_on(json!({"step": step, "totp": code()})).await.ok();
    let sessions = world.holds(&tokens).get("/auth/sessions").await.ok();
    let own = sessions.as_array().expect("a list").iter().find(|one| one["is_current"] == true);
    assert_eq!(own.expect("the one that asks")["two_factors"], true);
    assert_eq!(go_on(json!({"step": step, "backup_code": codes[0]})).await.code(), "signed_out");
    // All at once, as at the door of the password.
    world.app.advance(Duration::from_secs(60)).await;
    let link = world.magic().await;
    world.post("/auth/magic-link/verify", json!({"token": link, "totp": code()})).await.ok();
    // And with the link of an administrator, after a wrong code.
    let path = format!("/admin/users/{}/link", sara.id);
    world.admin.post(&path, json!({"mail": true})).await.ok();
    let link = world.mailed().await;
    let body = json!({"token": link, "password": NEW, "totp": "000000"});
    let owed = world.post("/auth/welcome", body).await;
    assert_eq!(owed.code(), "wrong_code");
    let body = json!({"step": owed.json()["step"], "backup_code": codes[0]});
    go_on(body).await.ok();
    let login = json!({"email": SARA, "password": NEW});
    assert_eq!(world.post("/auth/login", login).await.code(), "totp_required");
}

/// A7: half-way in by a link lasts ten minutes, and no longer than the account.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_step_of_a_link_runs_out(pool: PgPool) {
    let world = World::start(&pool).await;
    let Enrolled { client: sara, secret, .. } = world.enrolled().await;
    let step = async || {
        let link = world.magic().await;
        world.post("/auth/magic-link/verify", json!({"token": link})).await.json()["step"].clone()
    };
    let go_on = async |step: Value| {
        let totp = code_at(&secret, world.app.clock.now());
        world.post("/auth/login/factor", json!({"step": step, "totp": totp})).await.code()
    };
    let late = step().await;
    world.app.advance(Duration::from_secs(600)).await;
    assert_eq!(go_on(late).await, "signed_out");
    let locked = step().await;
    let path = format!("/admin/users/{}/status", sara.id);
    world.app.sign_in("hind@nakheel.example").await.patch(&path, json!({"status": "suspended"})).await.ok();
    assert_eq!(go_on(locked).await, "signed_out");
}
