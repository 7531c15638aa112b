//! One's own way in: the address, confirmed at both ends, the password, and what wants a fresh proof.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    authenticator::Authenticator,
    sink::{Manner, Sink, Taken},
};
use crate::app::server::test_app::{Client, PASSWORD, PUBLIC, TestApp, options_of};

const OLD: &str = "sara@x.example";
const NEW: &str = "sara@y.example";

struct World {
    app: TestApp,
    admin: Client,
    sara: Client,
    sink: Sink,
}

impl World {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        let sara = app.person(&admin, OLD, &[]).await;
        // These tests show more tokens from one address than an address may.
        app.admin_limits(json!({"free_by_address": 1000})).await;
        World { app, admin, sara, sink: Sink::start(Manner::Good).await }
    }

    async fn letters(&self) -> Vec<Taken> {
        self.sink.deliver(&self.app).await
    }

    /// Asks for another address; the letters to the old and the new mailbox.
    async fn ask(&self, email: &str) -> (Taken, Taken) {
        self.sara.post("/auth/email", json!({"email": email})).await.ok();
        let mut letters = self.letters().await;
        assert_eq!(letters.len(), 2);
        letters.sort_by_key(|letter| letter.to != [OLD]);
        let new = letters.remove(1);
        (letters.remove(0), new)
    }

    async fn login(&self, email: &str, password: &str) -> StatusCode {
        self.app.anonymous().post("/auth/login", json!({"email": email, "password": password})).await.status
    }

    async fn confirm(&self, token: &str) -> StatusCode {
        self.app.anonymous().post("/auth/email/confirm", json!({"token": token})).await.status
    }

    async fn leave(&self, token: &str) -> StatusCode {
        self.app.anonymous().post("/auth/email/leave", json!({"token": token})).await.status
    }

    async fn cancel(&self, token: &str) -> StatusCode {
        self.app.anonymous().post("/auth/email/cancel", json!({"token": token})).await.status
    }
}

/// A13, flow 7: both mailboxes confirm, each once and in either order; open links of the old one are void; every session
/// ends but the one that asked.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_address_changes_when_both_mailboxes_have_confirmed(pool: PgPool) {
    let world = World::start(&pool).await;
    let elsewhere = world.app.sign_in(OLD).await;
    world.app.anonymous().post("/auth/request-reset", json!({"email": OLD})).await.ok();
    let reset = world.letters().await.remove(0);
    let (old, new) = world.ask("Sara@Y.example").await;
    assert_eq!(new.to, [NEW]);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK, "nothing has changed yet");
    for letter in [&old, &new] {
        let page = world.app.anonymous().get(letter.link().strip_prefix(PUBLIC).expect("ours")).await;
        assert!(page.status == StatusCode::OK && page.text.contains(NEW), "{}", page.status);
    }
    // Each token is unknown at the other's door.
    assert_eq!(world.confirm(&old.token()).await, StatusCode::GONE);
    assert_eq!(world.leave(&new.token()).await, StatusCode::GONE);
    assert_eq!(world.cancel(&new.token()).await, StatusCode::GONE);
    assert_eq!(world.app.race("/auth/email/confirm", json!({"token": new.token()})).await, 1);
    assert_eq!(world.sara.get("/auth/me").await.ok()["email"], OLD, "the old mailbox has not confirmed yet");
    assert_eq!(elsewhere.get("/auth/me").await.status, StatusCode::OK);
    assert_eq!(world.app.race("/auth/email/leave", json!({"token": old.token()})).await, 1);
    assert_eq!(world.sara.get("/auth/me").await.ok()["email"], NEW);
    assert_eq!(elsewhere.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.login(NEW, PASSWORD).await, StatusCode::OK);
    let body = json!({"token": reset.token(), "password": "one more long passphrase"});
    assert_eq!(world.app.anonymous().post("/auth/reset", body).await.status, StatusCode::GONE);
    let actions = world.app.actions().await;
    for action in ["auth.email_request", "auth.email_confirm", "auth.email_change"] {
        assert_eq!(actions.iter().filter(|one| *one == action).count(), 1, "{action}");
    }
    // Back, the old end first, and by the pages.
    world.sara.post("/auth/email", json!({"email": OLD})).await.ok();
    let letters = world.letters().await;
    let of = |to: &str| letters.iter().find(|letter| letter.to == [to]).expect("a letter").token();
    let (leaves, arrives) = (of(NEW), of(OLD));
    let nobody = world.app.anonymous();
    let left = nobody.form("/email/leave", &[("token", &leaves)]).await;
    assert_eq!(left.headers["location"], "/email/leave?done=waits");
    assert_eq!(world.sara.get("/auth/me").await.ok()["email"], NEW);
    let page = nobody.get(&format!("/email/leave?token={leaves}")).await;
    assert!(page.status == StatusCode::OK && page.text.contains("formaction=\"/email/cancel\""), "{}", page.status);
    assert_eq!(nobody.form("/email/leave", &[("token", &leaves)]).await.status, StatusCode::GONE);
    let arrived = nobody.form("/email/confirm", &[("token", &arrives)]).await;
    assert_eq!(arrived.headers["location"], "/email/confirm?done=1");
    assert_eq!(world.sara.get("/auth/me").await.ok()["email"], OLD);
}

/// Flow 7, "32 parallel uses": where both mailboxes confirm at the same moment the address changes, once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn both_mailboxes_may_confirm_at_once(pool: PgPool) {
    let world = World::start(&pool).await;
    let two = world.app.second_node().await;
    for n in 0..8 {
        let address = |n: usize| if n == 0 { OLD.to_owned() } else { format!("sara{n}@y.example") };
        world.sara.post("/auth/email", json!({"email": address(n + 1)})).await.ok();
        let letters = world.letters().await;
        let of = |to: &str| letters.iter().find(|letter| letter.to == [to]).expect("a letter").token();
        let (leaves, arrives) = (json!({"token": of(&address(n))}), json!({"token": of(&address(n + 1))}));
        let (one, other) = (world.app.anonymous(), two.anonymous());
        let (left, arrived) =
            tokio::join!(one.post("/auth/email/leave", leaves), other.post("/auth/email/confirm", arrives));
        let changed = [left.ok(), arrived.ok()].iter().filter(|answer| answer["changed"] == true).count();
        assert_eq!(changed, 1, "{n}");
        assert_eq!(world.sara.get("/auth/me").await.ok()["email"], address(n + 1).as_str(), "{n}");
    }
}

/// A13: the old mailbox calls it off, before or after; then every session ends, and the old address is back.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_old_mailbox_can_call_it_off_for_three_days(pool: PgPool) {
    let world = World::start(&pool).await;
    // Before.
    let (old, new) = world.ask(NEW).await;
    assert_eq!(world.cancel(&old.token()).await, StatusCode::OK);
    assert_eq!(world.cancel(&old.token()).await, StatusCode::GONE);
    assert_eq!(world.confirm(&new.token()).await, StatusCode::GONE);
    assert_eq!(world.leave(&old.token()).await, StatusCode::GONE);
    // Once an end has confirmed.
    let (old, new) = world.ask(NEW).await;
    assert_eq!(world.confirm(&new.token()).await, StatusCode::OK);
    assert_eq!(world.cancel(&old.token()).await, StatusCode::OK);
    assert_eq!(world.leave(&old.token()).await, StatusCode::GONE);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    // After it has happened, by the page: for three days from then, however long the old mailbox took.
    let (old, new) = world.ask(NEW).await;
    assert_eq!(world.confirm(&new.token()).await, StatusCode::OK);
    world.app.advance(Duration::from_secs(48 * 3600)).await;
    assert_eq!(world.leave(&old.token()).await, StatusCode::OK);
    world.app.advance(Duration::from_secs(71 * 3600)).await;
    let attacker = world.app.sign_in(NEW).await;
    let done = world.app.anonymous().form("/email/cancel", &[("token", &old.token())]).await;
    assert_eq!(done.headers["location"], "/email/cancel?done=1");
    assert_eq!(attacker.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    assert_eq!(world.login(NEW, PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert!(world.app.actions().await.contains(&"auth.email_cancel".to_owned()));
}

/// GHSA-hc7v-rggr-4hvx, "32 parallel uses": of parallel uses of the old mailbox's link on two nodes one calls it off.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_cancellations_one_counts(pool: PgPool) {
    let world = World::start(&pool).await;
    let (old, new) = world.ask(NEW).await;
    assert_eq!(world.leave(&old.token()).await, StatusCode::OK);
    assert_eq!(world.confirm(&new.token()).await, StatusCode::OK);
    assert_eq!(world.app.race("/auth/email/cancel", json!({"token": old.token()})).await, 1);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    assert_eq!(world.app.count("select count(*) from audit_logs where action = 'auth.email_cancel'").await, 1);
}

/// Each link in its time, and only the newest request counts.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn links_of_a_change_run_out(pool: PgPool) {
    let world = World::start(&pool).await;
    let (left, first) = world.ask(NEW).await;
    assert_eq!(world.leave(&left.token()).await, StatusCode::OK);
    let (old, second) = world.ask("sara@z.example").await;
    assert_eq!(world.confirm(&first.token()).await, StatusCode::GONE);
    world.app.advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(world.confirm(&second.token()).await, StatusCode::GONE);
    assert_eq!(world.leave(&old.token()).await, StatusCode::OK, "in its own time, and for nothing");
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    let sara = world.app.sign_in(OLD).await;
    sara.post("/auth/email", json!({"email": NEW})).await.ok();
    let letters = world.letters().await;
    let of = |to: &str| letters.iter().find(|letter| letter.to == [to]).expect("a letter").token();
    assert_eq!(world.confirm(&of(NEW)).await, StatusCode::OK);
    assert_eq!(world.leave(&of(OLD)).await, StatusCode::OK);
    world.app.advance(Duration::from_secs(72 * 3600)).await;
    assert_eq!(world.cancel(&of(OLD)).await, StatusCode::GONE);
    let sara = world.app.sign_in(NEW).await;
    sara.post("/auth/email", json!({"email": OLD})).await.ok();
    let letters = world.letters().await;
    let late = letters.iter().find(|letter| letter.to == [NEW]).expect("a letter").token();
    world.app.advance(Duration::from_secs(72 * 3600)).await;
    assert_eq!(world.leave(&late).await, StatusCode::GONE);
}

/// ASVS 6.3.8: whether an address has an account cannot be seen by asking for it; its owner is told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_known_address_answers_the_same(pool: PgPool) {
    let world = World::start(&pool).await;
    let unknown = world.sara.post("/auth/email", json!({"email": NEW})).await;
    world.letters().await;
    let known = world.sara.post("/auth/email", json!({"email": "hind@nakheel.example"})).await;
    assert_eq!((unknown.status, &unknown.text), (known.status, &known.text));
    let letters = world.letters().await;
    assert_eq!(letters.len(), 2);
    let own = letters.iter().find(|letter| letter.to == [OLD]).expect("the old mailbox is told the same way");
    assert!(own.link().contains("/email/leave?token="));
    // Both ends of a change that can never come about answer as others do.
    let left = world.app.anonymous().post("/auth/email/leave", json!({"token": own.token()})).await;
    assert_eq!(left.ok(), json!({"ok": true, "changed": false}));
    let owner = letters.iter().find(|letter| letter.to == ["hind@nakheel.example"]).expect("the owner is told");
    assert!(owner.link().ends_with("/forgot"));
    // Somebody takes it before it is confirmed.
    let (old, new) = world.ask("late@y.example").await;
    let body = json!({"email": "late@y.example", "name": "l", "password": PASSWORD});
    world.admin.post("/admin/users", body).await.ok();
    assert_eq!(world.leave(&old.token()).await, StatusCode::OK);
    assert_eq!(world.confirm(&new.token()).await, StatusCode::GONE);
    assert_eq!(world.sara.get("/auth/me").await.ok()["email"], OLD);
}

/// A13, B5: whoever no longer reaches the old mailbox is given another address by an administrator; what was asked for
/// before comes to nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_administrator_corrects_an_address_that_nobody_reaches(pool: PgPool) {
    let world = World::start(&pool).await;
    let (old, new) = world.ask(NEW).await;
    assert_eq!(world.confirm(&new.token()).await, StatusCode::OK);
    let path = format!("/admin/users/{}", world.sara.id);
    world.admin.patch(&path, json!({"email": NEW})).await.ok();
    assert_eq!(world.login(NEW, PASSWORD).await, StatusCode::OK);
    assert_eq!(world.leave(&old.token()).await, StatusCode::GONE, "it is theirs no longer");
    assert_eq!(world.login(NEW, PASSWORD).await, StatusCode::OK);
}

/// CVE-2023-49097: the links of both letters stand at the configured address, whatever the request says of itself.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn links_of_a_change_stand_at_our_address(pool: PgPool) {
    let world = World::start(&pool).await;
    let forged = world.sara.with("host", "evil.example").with("x-forwarded-host", "evil.example");
    forged.with("forwarded", "host=evil.example;proto=http").post("/auth/email", json!({"email": NEW})).await.ok();
    for letter in world.letters().await {
        assert!(letter.link().starts_with(&format!("{PUBLIC}/email/")), "{}", letter.link());
    }
}

/// ASVS 6.2.3, MAS#5151: the password in use is shown with the new one; other sessions end.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_password_changes_for_who_knows_it(pool: PgPool) {
    let world = World::start(&pool).await;
    let elsewhere = world.app.sign_in(OLD).await;
    let change = |body: Value| world.sara.post("/auth/password", body);
    let fresh = "one more long passphrase";
    for wrong in [
        json!({"password": fresh}),
        json!({"current_password": "", "password": fresh}),
        json!({"current_password": "wrong wrong wrong", "password": fresh}),
    ] {
        assert_eq!(change(wrong).await.code(), "wrong_credentials");
    }
    assert_eq!(
        change(json!({"current_password": PASSWORD, "password": "short"})).await.json()["errors"][0]["field"],
        "password"
    );
    change(json!({"current_password": PASSWORD, "password": fresh})).await.ok();
    assert_eq!(elsewhere.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.sara.get("/auth/me").await.status, StatusCode::OK);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.login(OLD, fresh).await, StatusCode::OK);
    assert_eq!(world.letters().await.len(), 1);
    // Who signs in otherwise has none to show.
    sqlx::query("update users set password_hash = null where email = $1")
        .bind(OLD)
        .execute(&world.app.owner)
        .await
        .expect("");
    assert_eq!(world.sara.get("/auth/me").await.ok()["has_password"], false);
    change(json!({"password": PASSWORD})).await.ok();
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    assert!(world.app.actions().await.contains(&"auth.password_change".to_owned()));
}

/// A10: what can take over an account, one's own or another's, wants a proof of the last five minutes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_can_take_over_an_account_wants_a_fresh_proof(pool: PgPool) {
    let world = World::start(&pool).await;
    let (admin_role, reader) = (world.admin.role_id("admin").await, world.admin.role_id("readonly").await);
    let everything = world.admin.role_id("super-admin").await;
    let of_sara = format!("/admin/users/{}", world.sara.id);
    world.app.advance(Duration::from_secs(301)).await;
    let stale = |answer: crate::app::server::test_app::Answer| {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, "step_up_required"),
            "{}",
            answer.text
        );
    };
    stale(world.sara.post("/auth/email", json!({"email": NEW})).await);
    stale(world.sara.post("/auth/password", json!({"current_password": PASSWORD, "password": PASSWORD})).await);
    for role in [&admin_role, &everything] {
        stale(world.admin.patch(&format!("{of_sara}/roles"), json!({"roles": [role]})).await);
    }
    stale(world.admin.patch(&format!("{of_sara}/permissions"), json!({"allow": [{"key": "*"}], "deny": []})).await);
    stale(world.admin.patch(&of_sara, json!({"email": "taken.over@x.example"})).await);
    stale(world.admin.post(&format!("{of_sara}/link"), json!({"mail": false})).await);
    // What takes nothing over does not.
    world.admin.patch(&format!("{of_sara}/roles"), json!({"roles": [reader]})).await.ok();
    world.admin.patch(&of_sara, json!({"name": "سارة"})).await.ok();
    world.admin.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    world.admin.patch(&of_sara, json!({"email": "sara.m@x.example"})).await.ok();
    world.admin.patch(&format!("{of_sara}/roles"), json!({"roles": [admin_role]})).await.ok();
}

/// B5: an administrator's reset takes passkeys off, too, ends every session, and tells the person.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_reset_takes_passkeys_off_too(pool: PgPool) {
    let world = World::start(&pool).await;
    let mut device = Authenticator::new();
    let asked = world.sara.post("/auth/webauthn/register/challenge", json!({"userId": world.sara.id})).await.ok();
    let attestation = device.create(&asked["publicKey"]);
    world.sara.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await.ok();
    world.letters().await;
    assert_ne!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    let path = format!("/admin/users/{}/2fa", world.sara.id);
    world.admin.delete(&path).await.ok();
    assert_eq!(world.sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.login(OLD, PASSWORD).await, StatusCode::OK);
    assert_eq!(world.admin.delete(&path).await.status, StatusCode::NOT_FOUND);
    let letters = world.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, [OLD]);
}
