//! What broke in others at the door: what strangers leave behind, what they have us write, and refusals that were none.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tracing::info;

use super::{
    authenticator::Authenticator,
    sink::{Manner, Sink},
};
use crate::app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of};

const SARA: &str = "sara@x.example";
const NEW: &str = "one more long passphrase";
const MARKUP: &str = "\"'><script>alert(1)</script>";

/// What the program would have written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody has panicked").clone()).expect("UTF-8")
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody has panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends what a terminal or a reader of logs would take for something else, at doors that take it.
async fn send_odd_things(app: &TestApp, admin: &Client) {
    let odd = "a\u{1b}[2J\u{1b}]0;x\u{7}\r\n2026-11-22T08:00:00Z  INFO forged\u{202e}\u{2028}\u{0}@x.example";
    let nobody = app.anonymous();
    for (path, body) in [
        ("/auth/login", json!({"email": odd, "password": odd})),
        ("/auth/register", json!({"email": odd, "name": odd, "password": odd})),
        ("/auth/request-reset", json!({"email": odd})),
        ("/auth/reset", json!({"token": odd, "password": odd})),
        ("/auth/refresh", json!({"refresh_token": odd})),
        ("/auth/welcome", json!({"token": odd, "password": odd})),
        ("/auth/webauthn/login/complete", json!({"challenge_id": odd, "assertion": {"id": odd}})),
    ] {
        assert!(nobody.post(path, body).await.status.is_client_error(), "{path}");
    }
    for path in ["/%1b%5b2J%0d%0aforged", "/auth/%1b%5b2J%0d%0aforged", "/login?next=%0d%0aforged%1b"] {
        assert!(!nobody.get(path).await.status.is_server_error(), "{path}");
    }
    nobody.with("user-agent", "forged/1.0").post("/auth/login", json!({})).await;
    nobody.with("x-request-id", "forged").send(Method::POST, "/access/v1/evaluation", None, "{}".into()).await;
    for (path, body) in [
        ("/admin/roles", json!({"name": odd})),
        ("/admin/users", json!({"email": "odd@x.example", "name": odd})),
        ("/admin/groups", json!({"name": odd})),
    ] {
        assert!(admin.post(path, body).await.status.is_client_error(), "{path}");
    }
}

/// RUSTSEC-2025-0055, ASVS 16.4.1: what people send clears no terminal and writes no line of its own into the log, in
/// either form of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_writes_lines_of_their_own_into_the_log(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let (text, json) = (Log::default(), Log::default());
    let said = "\u{1b}[2J\u{1b}]0;x\u{7}";
    {
        let writer = text.clone();
        let log = tracing_subscriber::fmt().with_ansi(false).with_target(false);
        let log = log.with_max_level(tracing::Level::INFO).with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(log);
        info!(name = said, "somebody is called {said}");
        send_odd_things(&app, &admin).await;
    }
    {
        let writer = json.clone();
        let log = tracing_subscriber::fmt().json().flatten_event(true);
        let log = log.with_max_level(tracing::Level::INFO).with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(log);
        info!(name = said, "somebody is called {said}");
        send_odd_things(&app, &admin).await;
    }
    for written in [text.text(), json.text()] {
        assert!(written.contains("/auth/login"), "there is a log: {written}");
        for never in ['\u{1b}', '\u{7}', '\r', '\u{202e}', '\u{2028}', '\u{0}'] {
            assert!(!written.contains(never), "{never:?} in {written}");
        }
        assert!(!written.contains("forged"), "{written}");
    }
    assert!(json.text().lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(text.text().lines().all(|line| line.starts_with("20")), "each line begins with its time");
}

/// CVE-2026-42849, ASVS 1.2.1: what stands in an address or is posted comes back as text, never as markup.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_comes_back_is_text(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    app.admin_limits(json!({"free_by_address": 1000})).await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let inside = app.anonymous().with("cookie", &cookies);
    let query = |name: &str| form_urlencoded::Serializer::new(String::new()).append_pair(name, MARKUP).finish();
    let check = |what: &str, answer: &Answer| {
        assert!(!answer.status.is_server_error(), "{what}: {}", answer.status);
        for never in ["<script>alert(1)", "\"'><script"] {
            assert!(!answer.text.contains(never), "{what}");
        }
    };
    for page in [
        "/login",
        "/register",
        "/welcome",
        "/setup",
        "/confirm",
        "/forgot",
        "/reset",
        "/magic-link",
        "/email/confirm",
        "/email/leave",
        "/email/cancel",
        "/login/code",
        "/login/mailed",
        "/nothing",
    ] {
        for name in ["next", "token", "passkey", "sent", "done", "way", "email", "name", "q"] {
            let path = format!("{page}?{}", query(name));
            check(&path, &app.anonymous().get(&path).await);
        }
    }
    for page in [
        "/account/email",
        "/account/passkeys",
        "/account/password",
        "/account/two-factor",
        "/reauthenticate",
        "/console/people",
        "/console/account",
        "/console/audit",
        "/console/settings",
    ] {
        for name in ["next", "done", "email", "name", "tab", "q"] {
            let path = format!("{page}?{}", query(name));
            check(&path, &inside.get(&path).await);
        }
    }
    for page in ["/login", "/register", "/forgot", "/reset", "/magic-link", "/welcome", "/email/leave"] {
        let fields = ["email", "name", "token", "password", "password_again", "next"].map(|name| (name, MARKUP));
        check(page, &app.anonymous().form(page, &fields).await);
    }
    check("/auth/login", &app.anonymous().post("/auth/login", json!({"email": MARKUP, "password": MARKUP})).await);
}

/// CVE-2020-15223: an end that could not be kept is not told as done, and what was to end goes on until it is.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_end_that_is_not_kept_is_not_told_as_done(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let sessions = format!("/admin/users/{}/sessions", sara.id);
    let run = async |statement: &'static str| {
        sqlx::query(statement).execute(&app.owner).await.expect("works");
    };
    run("alter table sessions add constraint nothing_ends check (ended_at is null) not valid").await;
    let password = json!({"current_password": PASSWORD, "password": NEW});
    for (what, answer) in [
        ("signing out", sara.post("/auth/logout", json!({})).await),
        ("signing out everywhere", sara.post("/auth/logout", json!({"everywhere": true})).await),
        ("ending somebody's sessions", admin.delete(&sessions).await),
    ] {
        assert!(!answer.status.is_success(), "{what}: {} {}", answer.status, answer.text);
    }
    app.sign_in(SARA).await;
    assert!(!sara.post("/auth/password", password.clone()).await.status.is_success(), "another session was to end");
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::OK);
    app.sign_in(SARA).await;
    run("alter table sessions drop constraint nothing_ends").await;
    sara.post("/auth/password", password).await.ok();
    sara.post("/auth/logout", json!({})).await.ok();
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// GHSA-2vg6-77g8-24mp: with an account its sessions end, on a node that has just served one of them, too.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_deleted_account_has_no_session_anywhere(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &["readonly"]).await;
    let login = json!({"email": SARA, "password": PASSWORD});
    let tokens = app.anonymous().post("/auth/login", login).await.ok();
    let cookies = app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await.cookies();
    let two = app.second_node().await;
    let all = [sara.on(&app), sara.on(&two), two.anonymous().with("cookie", &cookies)];
    for client in &all {
        client.get("/auth/me").await.ok();
        client.get("/admin/users").await.ok();
    }
    admin.delete(&format!("/admin/users/{}", sara.id)).await.ok();
    for client in &all {
        assert_eq!(client.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(client.get("/admin/users").await.status, StatusCode::UNAUTHORIZED);
    }
    for node in [&app, &two] {
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        assert_eq!(node.anonymous().post("/auth/refresh", refresh).await.status, StatusCode::UNAUTHORIZED);
    }
}

/// GHSA-fmh4-wcc4-5jm3, CVE-2026-1529: an invitation is its person's, whoever is signed in where it is opened, and nothing
/// that is sent along makes it somebody else's.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_invitation_is_its_persons(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let invite = async |email: &str| {
        let added = admin.post("/admin/users", json!({"email": email, "name": email})).await.ok();
        added["link"].as_str().expect("a link").split_once("token=").expect("a token").1.to_owned()
    };
    let token = invite("omar@x.example").await;
    for more in [json!({"email": SARA}), json!({"user_id": sara.id}), json!({"roles": ["super-admin"]})] {
        let mut body = json!({"token": token, "password": NEW});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        assert_eq!(sara.post("/auth/welcome", body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let tokens = sara.post("/auth/welcome", json!({"token": token, "password": NEW})).await.ok();
    let entered = app.with_token(tokens["access_token"].as_str().expect("a token")).get("/auth/me").await.ok();
    assert_eq!((&entered["email"], &entered["roles"]), (&json!("omar@x.example"), &json!(["standard-user"])));
    assert_eq!(sara.get("/auth/me").await.ok()["email"], SARA);
    app.sign_in(SARA).await;
    // And by the form, in the browser of somebody who is signed in.
    let token = invite("lina@x.example").await;
    let cookies = app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await.cookies();
    let fields = [("token", token.as_str()), ("email", SARA), ("password", NEW), ("password_again", NEW)];
    let entered = app.anonymous().with("cookie", &cookies).form("/welcome", &fields).await;
    let me = app.anonymous().with("cookie", &entered.cookies()).get("/auth/me").await.ok();
    assert_eq!(me["email"], "lina@x.example");
    app.sign_in(SARA).await;
}

/// Rauthy v0.32.4: what somebody may do is decided anew whenever a token is traded, the second factor of their role included.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_refresh_carries_no_rights_along(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &["readonly"]).await;
    let login = json!({"email": SARA, "password": PASSWORD});
    let tokens = app.anonymous().post("/auth/login", login).await.ok();
    let trade = async |tokens: &Value| {
        let body = json!({"refresh_token": tokens["refresh_token"]});
        let tokens = app.anonymous().post("/auth/refresh", body).await.ok();
        (app.with_token(tokens["access_token"].as_str().expect("a token")), tokens)
    };
    let (client, tokens) = trade(&tokens).await;
    client.get("/admin/users").await.ok();
    let role = json!({"sign_in": {"second_factor_roles": ["readonly"]}});
    admin.patch("/admin/settings", role).await.ok();
    let (client, tokens) = trade(&tokens).await;
    assert_eq!(client.get("/admin/users").await.code(), "mfa_enrolment_required");
    admin.patch("/admin/settings", json!({"sign_in": {"second_factor_roles": []}})).await.ok();
    admin.patch(&format!("/admin/users/{}/roles", sara.id), json!({"roles": []})).await.ok();
    let (client, _tokens) = trade(&tokens).await;
    assert_eq!(client.get("/admin/users").await.status, StatusCode::FORBIDDEN);
}

/// CVE-2026-5807: nothing that a stranger may begin is a place that there is only one of: with all of theirs used up,
/// what others have begun comes to its end, and they come in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn strangers_use_up_nothing_but_their_own(pool: PgPool) {
    let proxy = "192.0.2.7".parse().expect("an address");
    let app = TestApp::behind(options_of(&pool), &[proxy]).await;
    let admin = app.admin().await;
    admin.patch("/admin/settings", json!({"registration": {"mode": "open"}})).await.ok();
    let sink = Sink::start(Manner::Good).await;
    let own = ("x-forwarded-for", "198.51.100.1");
    let sara = app.person(&admin, SARA, &[]).await.with(own.0, own.1);
    let begun = sara.post("/auth/webauthn/register/challenge", json!({"userId": sara.id})).await.ok();
    let nobody = app.anonymous().with(own.0, own.1);
    let newcomer = json!({"email": "lina@x.example", "name": "Lina", "password": PASSWORD});
    nobody.post("/auth/register", newcomer.clone()).await.ok();
    let confirm = sink.deliver(&app).await.remove(0).token();

    let stranger = app.anonymous().with("x-forwarded-for", "203.0.113.9");
    let until_refused = async |path: &str, body: Value| {
        for _ in 0..1_000 {
            if stranger.post(path, body.clone()).await.status == StatusCode::TOO_MANY_REQUESTS {
                return;
            }
        }
        panic!("{path} has no limit");
    };
    until_refused("/auth/login", json!({"email": SARA, "password": "wrong wrong wrong"})).await;
    until_refused("/auth/register", newcomer).await;
    until_refused("/auth/request-reset", json!({"email": SARA})).await;
    until_refused("/auth/confirm", json!({"token": "x"})).await;
    until_refused("/auth/webauthn/login/challenge", json!({})).await;

    let mut device = Authenticator::new();
    let attestation = device.create(&begun["publicKey"]);
    sara.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await.ok();
    device.counter = 1;
    let asked = nobody.post("/auth/webauthn/login/challenge", json!({})).await.ok();
    let assertion = device.get(&asked["publicKey"]);
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": assertion});
    nobody.post("/auth/webauthn/login/complete", body).await.ok();
    nobody.post("/auth/confirm", json!({"token": confirm})).await.ok();
    let letters = sink.deliver(&app).await;
    let reset = letters.iter().rfind(|letter| letter.to == [SARA] && letter.plain().contains("/reset?token="));
    let body = json!({"token": reset.expect("the newest link").token(), "password": NEW});
    nobody.post("/auth/reset", body).await.ok();
    app.advance(Duration::from_secs(1)).await;
    let hind = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    nobody.post("/auth/login", hind).await.ok();
}
