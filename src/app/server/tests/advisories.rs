//! What broke in others over several steps or doors: a proof that outlives its use, a lock that one door forgets.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    authenticator::Authenticator,
    second_factor::decode,
    sink::{Manner, Sink},
};
use crate::{
    app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of},
    base::server::crypto,
    second_factor::server::codes::code_at,
};

const SARA: &str = "sara@x.example";
const NEW: &str = "one more long passphrase";

struct World {
    app: TestApp,
    admin: Client,
    sara: Client,
}

impl World {
    /// Sara is signed in as a program. Many of these tests show more tokens from one address than an address may.
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        app.admin_limits(json!({"free_by_address": 1000})).await;
        let sara = app.person(&admin, SARA, &[]).await;
        World { app, admin, sara }
    }

    async fn login(&self, more: Value) -> Answer {
        let mut body = json!({"email": SARA, "password": PASSWORD});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.app.anonymous().post("/auth/login", body).await
    }

    async fn refresh(&self, tokens: &Value) -> Answer {
        self.app.anonymous().post("/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await
    }

    fn holds(&self, tokens: &Value) -> Client {
        self.app.with_token(tokens["access_token"].as_str().expect("a token"))
    }

    /// Turns the app on for whoever holds a session; its secret and backup codes.
    async fn enrol(&self, client: &Client) -> (Vec<u8>, Vec<Value>) {
        let enrolment = client.post("/auth/2fa/setup", json!({})).await.ok();
        let secret = decode(enrolment["secret"].as_str().expect("a secret"));
        let body = json!({"code": code_at(&secret, self.app.clock.now()), "end_sessions": false});
        let codes = client.post("/auth/2fa/verify", body).await.ok()["backup_codes"].as_array().expect("codes").clone();
        // The code of the enrolment is over.
        self.app.advance(Duration::from_secs(60)).await;
        (secret, codes)
    }

    async fn add_passkey(&self, client: &Client, id: &str) -> (Authenticator, String) {
        let mut device = Authenticator::new();
        let asked = client.post("/auth/webauthn/register/challenge", json!({"userId": id})).await.ok();
        let attestation = device.create(&asked["publicKey"]);
        let added = client.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await.ok();
        device.counter = 1;
        (device, added["id"].as_str().expect("an id").to_owned())
    }

    /// A browser that has shown the password and owes the code.
    async fn half_way(&self) -> Client {
        let half = self.app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await;
        assert_eq!(half.headers["location"], "/login/code");
        self.app.anonymous().with("cookie", &half.cookies())
    }
}

/// KC51312: a refresh that races a log-out leaves nothing that is accepted once the log-out has been answered.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nothing_that_a_refresh_made_survives_a_log_out(pool: PgPool) {
    let world = World::start(&pool).await;
    let two = world.app.second_node().await;
    let mut both = 0;
    for n in 0..48 {
        let tokens = world.login(json!({})).await.ok();
        let (refresher, token) = (two.anonymous(), json!({"refresh_token": tokens["refresh_token"]}));
        let refresh = async {
            for _ in 0..n % 8 {
                tokio::task::yield_now().await;
            }
            refresher.post("/auth/refresh", token).await
        };
        let leaver = world.holds(&tokens);
        let (made, left) = tokio::join!(refresh, leaver.post("/auth/logout", json!({})));
        left.ok();
        if made.status == StatusCode::OK {
            both += 1;
            let made = made.json();
            assert_eq!(world.holds(&made).get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "{n}");
            assert_eq!(world.refresh(&made).await.status, StatusCode::UNAUTHORIZED, "{n}");
        }
    }
    assert!(both > 0, "the two never met");
    let live = "select count(*) from sessions s join users u on u.id = s.user_id
                where u.email = 'sara@x.example' and s.ended_at is null";
    assert_eq!(world.app.count(live).await, 1, "only the one that was never left");
}

/// CVE-2026-9802: what was rotated away stays so for a node that has just started.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_rotated_token_stays_spent_after_a_restart(pool: PgPool) {
    let world = World::start(&pool).await;
    let first = world.login(json!({})).await.ok();
    let second = world.refresh(&first).await.ok();
    let restarted = world.app.second_node().await;
    let again = async |tokens: &Value| {
        restarted.anonymous().post("/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await.status
    };
    assert_eq!(again(&first).await, StatusCode::UNAUTHORIZED);
    world.app.advance(Duration::from_secs(11)).await;
    assert_eq!(again(&first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(again(&second).await, StatusCode::UNAUTHORIZED, "the family has ended");
}

/// GHSA-6j4w-g4jh-xjfx: another password and a second factor end what others hold: no older token is traded.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn older_tokens_end_with_the_password_and_the_factor(pool: PgPool) {
    let world = World::start(&pool).await;
    let before = world.login(json!({})).await.ok();
    world.sara.post("/auth/password", json!({"current_password": PASSWORD, "password": NEW})).await.ok();
    assert_eq!(world.refresh(&before).await.status, StatusCode::UNAUTHORIZED);
    world.sara.post("/auth/password", json!({"current_password": NEW, "password": PASSWORD})).await.ok();
    let before = world.login(json!({})).await.ok();
    let enrolment = world.sara.post("/auth/2fa/setup", json!({})).await.ok();
    let secret = decode(enrolment["secret"].as_str().expect("a secret"));
    let code = code_at(&secret, world.app.clock.now());
    world.sara.post("/auth/2fa/verify", json!({"code": code})).await.ok();
    assert_eq!(world.refresh(&before).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.holds(&before).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// CVE-2026-92358: a proof is spent for every path once one has taken it, and is none once its factor is gone.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_proof_is_spent_on_every_path(pool: PgPool) {
    let world = World::start(&pool).await;
    let (secret, codes) = world.enrol(&world.sara).await;
    let totp = code_at(&secret, world.app.clock.now());
    let prove = async |proof: Value| {
        let mut body = json!({"password": PASSWORD});
        body.as_object_mut().expect("an object").extend(proof.as_object().expect("an object").clone());
        world.sara.post("/auth/reauthenticate", body).await
    };
    // At the door first, then before a sensitive act.
    world.login(json!({"totp": totp})).await.ok();
    assert_eq!(prove(json!({"totp": totp})).await.code(), "wrong_code");
    world.login(json!({"backup_code": codes[0]})).await.ok();
    assert_eq!(prove(json!({"backup_code": codes[0]})).await.code(), "wrong_code");
    // And the other way round; a browser's step is gone through once, whatever was shown.
    prove(json!({"backup_code": codes[1]})).await.ok();
    let browser = world.half_way().await;
    let code = codes[1].as_str().expect("a code");
    assert_eq!(browser.form("/login/code", &[("backup_code", code)]).await.status, StatusCode::UNAUTHORIZED);
    let (device, passkey) = world.add_passkey(&world.sara, &world.sara.id).await;
    let browser = world.half_way().await;
    let asked = browser.post("/auth/webauthn/login/challenge", json!({"purpose": "second_factor"})).await.ok();
    let code = codes[2].as_str().expect("a code");
    assert_eq!(browser.form("/login/code", &[("backup_code", code)]).await.headers["location"], "/console");
    let (handle, credential) =
        (asked["challenge_id"].as_str().expect("a handle").to_owned(), device.get(&asked["publicKey"]).to_string());
    let fields = [("challenge_id", handle.as_str()), ("credential", credential.as_str())];
    let late = browser.form("/login/code/passkey", &fields).await;
    assert!(!late.cookies().contains("session"), "the step is over");
    // Taken off: an answer to a challenge of before, and the codes.
    let asked = world.app.anonymous().post("/auth/webauthn/login/challenge", json!({})).await.ok();
    let assertion = device.get(&asked["publicKey"]);
    world.sara.delete(&format!("/auth/webauthn/credentials/{passkey}")).await.ok();
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": assertion});
    let late = world.app.anonymous().post("/auth/webauthn/login/complete", body).await;
    assert_eq!(late.code(), "wrong_passkey");
    world.sara.post("/auth/2fa/disable", json!({})).await.ok();
    world.enrol(&world.sara).await;
    assert_eq!(world.login(json!({"backup_code": codes[3]})).await.code(), "wrong_code");
}

/// GHSA-xrw9-r35x-x878, CVE-2026-27801, CVE-2025-6004: guesses are counted over every door that takes a code, the one
/// before a sensitive act included; then the right one is refused at each.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_door_that_takes_a_code_shares_one_budget(pool: PgPool) {
    let world = World::start(&pool).await;
    let tokens = world.login(json!({})).await.ok();
    let (secret, codes) = world.enrol(&world.sara).await;
    let browser = world.half_way().await;
    let stranger = world.app.anonymous().with("user-agent", "other/1.0");
    let at = async |door: &str, code: &str| match door {
        "login" => world.login(json!({"totp": code})).await,
        "page" => browser.form("/login/code", &[("totp", code)]).await,
        "verify" => world.sara.post("/auth/2fa/verify", json!({"code": code})).await,
        "reauthenticate" => world.sara.post("/auth/reauthenticate", json!({"password": PASSWORD, "totp": code})).await,
        _ => {
            let body = json!({"refresh_token": tokens["refresh_token"], "password": PASSWORD, "totp": code});
            stranger.post("/auth/refresh/prove", body).await
        }
    };
    let guesses = [
        ("login", "000000"),
        ("page", "000 001"),
        ("reauthenticate", "\u{0660}\u{0660}\u{0660}\u{0660}\u{0660}\u{0662}"),
        ("prove", " 000003"),
        ("reauthenticate", "0000004"),
    ];
    for (door, guess) in guesses {
        let refused = at(door, guess).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{door}: {}", refused.text);
    }
    // The password's own budget is another matter.
    let id = world.sara.id.as_str();
    sqlx::query("delete from limits where subject <> $1")
        .bind(crypto::token_digest("limit:codes", id))
        .execute(&world.app.owner)
        .await
        .expect("works");
    let right = code_at(&secret, world.app.clock.now());
    for door in ["login", "page", "verify", "reauthenticate", "prove"] {
        assert_eq!(at(door, &right).await.status, StatusCode::TOO_MANY_REQUESTS, "{door}");
    }
    let by_backup = world.login(json!({"backup_code": codes[0]})).await;
    assert_eq!(by_backup.status, StatusCode::TOO_MANY_REQUESTS);
}

/// CVE-2026-94218: going back, another language, leaving and beginning anew: the second step is owed all the same.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_detour_gets_around_the_second_step(pool: PgPool) {
    let world = World::start(&pool).await;
    let (secret, _codes) = world.enrol(&world.sara).await;
    let browser = world.half_way().await;
    for detour in ["/login", "/login/code", "/login/code?way=backup", "/login?next=%2Fconsole", "/forgot", "/"] {
        browser.get(detour).await;
        assert_eq!(browser.get("/console").await.headers["location"], "/login?next=%2Fconsole", "{detour}");
        assert_eq!(browser.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "{detour}");
    }
    browser.form("/preferences", &[("locale", "en"), ("next", "/console")]).await;
    browser.form("/logout", &[]).await;
    assert_eq!(browser.get("/console").await.headers["location"], "/login?next=%2Fconsole");
    let again = browser.form("/login", &[("email", SARA), ("password", PASSWORD)]).await;
    assert_eq!(again.headers["location"], "/login/code");
    let mailed = browser.form("/login/mailed", &[("mailed_code", "000000")]).await;
    assert!(!mailed.cookies().contains("session"), "the other step is none");
    let code = code_at(&secret, world.app.clock.now());
    assert_eq!(browser.form("/login/code", &[("totp", &code)]).await.headers["location"], "/console");
}

/// CVE-2026-18963: no step of recovering an account can be left out.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_step_of_recovery_can_be_left_out(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.anonymous().post("/auth/request-reset", json!({"email": SARA})).await.ok();
    for body in [
        json!({"password": NEW}),
        json!({"token": null, "password": NEW}),
        json!({"token": ["x"], "password": NEW}),
        json!({"token": "x", "email": SARA, "password": NEW}),
    ] {
        let refused = world.app.anonymous().post("/auth/reset", body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let step = format!("__Host-bawwab-step={}", crypto::token().expose());
    for token in ["", " ", "null", SARA, world.sara.id.as_str()] {
        let body = json!({"token": token, "password": NEW});
        assert_eq!(world.app.anonymous().post("/auth/reset", body).await.status, StatusCode::GONE, "{token}");
        let form = [("token", token), ("email", SARA), ("password", NEW), ("password_again", NEW)];
        for browser in [world.app.anonymous(), world.app.anonymous().with("cookie", &step)] {
            for page in ["/reset", "/welcome"] {
                assert_eq!(browser.form(page, &form).await.status, StatusCode::GONE, "{page} {token}");
            }
        }
    }
    assert_eq!(world.login(json!({})).await.status, StatusCode::OK, "nothing has changed");
    assert_eq!(world.login(json!({"password": NEW})).await.status, StatusCode::UNAUTHORIZED);
}

/// CVE-2026-9798, CVE-2026-16103, CVE-2025-10908: whatever was begun before somebody was suspended is not redeemed
/// afterwards, at any door, nor does an API key of theirs open anything.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_was_begun_before_a_lock_is_not_redeemed_after_it(pool: PgPool) {
    let world = World::start(&pool).await;
    let sink = Sink::start(Manner::Good).await;
    let keeper = world.admin.make_role("keeper", &["api_keys.manage", "users.read"]).await;
    let path = format!("/admin/users/{}", world.sara.id);
    world.admin.patch(&format!("{path}/roles"), json!({"roles": [keeper]})).await.ok();
    let key = world.sara.post("/admin/api-keys", json!({"name": "k", "scopes": ["users.read"]})).await.ok();
    let key = world.app.with_token(key["secret"].as_str().expect("a secret"));
    key.get("/admin/users").await.ok();
    let tokens = world.login(json!({})).await.ok();
    let (secret, codes) = world.enrol(&world.sara).await;
    let (device, _passkey) = world.add_passkey(&world.sara, &world.sara.id).await;
    sink.deliver(&world.app).await;
    let mailed = async || sink.deliver(&world.app).await.remove(0).token();
    world.app.anonymous().post("/auth/request-reset", json!({"email": SARA})).await.ok();
    let reset = mailed().await;
    world.app.anonymous().post("/auth/magic-link", json!({"email": SARA})).await.ok();
    let magic = mailed().await;
    world.sara.post("/auth/email", json!({"email": "sara@y.example"})).await.ok();
    let letters = sink.deliver(&world.app).await;
    let ends =
        ["sara@y.example", SARA].map(|to| letters.iter().find(|letter| letter.to == [to]).expect("a letter").token());
    let browser = world.half_way().await;
    let asked = world.app.anonymous().post("/auth/webauthn/login/challenge", json!({})).await.ok();
    let assertion = device.get(&asked["publicKey"]);

    world.admin.patch(&format!("{path}/status"), json!({"status": "suspended"})).await.ok();

    let nobody = world.app.anonymous();
    assert_eq!(world.sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.refresh(&tokens).await.status, StatusCode::UNAUTHORIZED);
    let prove = json!({"refresh_token": tokens["refresh_token"], "password": PASSWORD, "backup_code": codes[0]});
    assert_eq!(nobody.post("/auth/refresh/prove", prove).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(key.get("/admin/users").await.status, StatusCode::UNAUTHORIZED);
    let body = json!({"token": reset, "password": NEW});
    assert_eq!(nobody.post("/auth/reset", body).await.status, StatusCode::GONE);
    assert_eq!(nobody.form("/magic-link", &[("token", &magic)]).await.status, StatusCode::GONE);
    assert_eq!(nobody.post("/auth/email/confirm", json!({"token": ends[0]})).await.status, StatusCode::GONE);
    for path in ["/auth/email/leave", "/auth/email/cancel"] {
        assert_eq!(nobody.post(path, json!({"token": ends[1]})).await.status, StatusCode::GONE, "{path}");
    }
    for (path, body) in [
        ("/auth/magic-link/verify", json!({"token": magic})),
        ("/auth/welcome", json!({"token": magic, "password": NEW})),
    ] {
        assert_eq!(nobody.post(path, body).await.status, StatusCode::GONE, "{path}");
    }
    let code = code_at(&secret, world.app.clock.now());
    assert_eq!(browser.form("/login/code", &[("totp", &code)]).await.headers["location"], "/login");
    assert_eq!(world.login(json!({"totp": code})).await.code(), "wrong_credentials");
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": assertion});
    assert_eq!(nobody.post("/auth/webauthn/login/complete", body).await.code(), "wrong_passkey");
    let begun = json!({"target_user_id": world.sara.id, "reason": "r"});
    world.admin.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    let refused = world.admin.post("/admin/impersonate", begun).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// GHSA-wc43-73w7-x2f5: with each combination of factors the password alone opens what none of them guards, and no more.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_best_factor_that_is_set_up_is_asked_for(pool: PgPool) {
    let world = World::start(&pool).await;
    for (n, (app, passkey)) in [(false, false), (true, false), (false, true), (true, true)].into_iter().enumerate() {
        let email = format!("p{n}@x.example");
        let person = world.app.person(&world.admin, &email, &[]).await;
        let secret = if app { Some(world.enrol(&person).await.0) } else { None };
        let device = if passkey { Some(world.add_passkey(&person, &person.id).await.0) } else { None };
        let login = json!({"email": email, "password": PASSWORD});
        let alone = world.app.anonymous().post("/auth/login", login).await;
        let again = person.post("/auth/reauthenticate", json!({"password": PASSWORD})).await;
        if !app && !passkey {
            assert_eq!((alone.status, again.status), (StatusCode::OK, StatusCode::OK));
            continue;
        }
        assert_eq!((alone.code(), again.code()), ("totp_required".to_owned(), "totp_required".to_owned()), "{n}");
        let mut entered = Vec::new();
        if let Some(secret) = secret {
            let totp = code_at(&secret, world.app.clock.now());
            let body = json!({"email": email, "password": PASSWORD, "totp": totp});
            entered.push(world.app.anonymous().post("/auth/login", body).await.ok());
        }
        if let Some(device) = device {
            let asked = world.app.anonymous().post("/auth/webauthn/login/challenge", json!({})).await.ok();
            let assertion = device.get(&asked["publicKey"]);
            let body = json!({"challenge_id": asked["challenge_id"], "assertion": assertion});
            entered.push(world.app.anonymous().post("/auth/webauthn/login/complete", body).await.ok());
        }
        for tokens in entered {
            let sessions = world.holds(&tokens).get("/auth/sessions").await.ok();
            let own = sessions.as_array().expect("a list").iter().find(|one| one["is_current"] == true);
            assert_eq!(own.expect("the one that asks")["two_factors"], true, "{n}");
        }
    }
}

/// GHSA-7rqj-j65f-68wh, RUSTSEC-2024-0421: one mailbox however its address is written, at every door that takes one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_address_is_one_at_every_door(pool: PgPool) {
    let world = World::start(&pool).await;
    world.admin.patch("/admin/settings", json!({"registration": {"mode": "open"}})).await.ok();
    world.app.admin_limits(json!({"free_by_address": 1000, "free_letters": 1000})).await;
    let sink = Sink::start(Manner::Good).await;
    for written in ["sara＠x.example", "SARA@X.Example", " sara@x.example ", "ｓａｒａ@x.example", "sara@x.ｅxample"]
    {
        let login = json!({"email": written, "password": PASSWORD});
        assert_eq!(world.app.anonymous().post("/auth/login", login).await.status, StatusCode::OK, "{written}");
        let newcomer = json!({"email": written, "name": "evil", "password": NEW});
        world.app.anonymous().post("/auth/register", newcomer).await.ok();
        for path in ["/auth/request-reset", "/auth/magic-link"] {
            world.app.anonymous().post(path, json!({"email": written})).await.ok();
        }
        let letters = sink.deliver(&world.app).await;
        assert_eq!(letters.len(), 3, "{written}");
        assert!(letters.iter().all(|letter| letter.to == [SARA]), "{written}");
        assert!(letters[0].link().ends_with("/forgot"), "{written}: nobody registers what is somebody's");
        let added = world.admin.post("/admin/users", json!({"email": written, "name": "n"})).await;
        assert_eq!(added.json()["errors"][0]["code"], "taken", "{written}");
        let own = world.sara.post("/auth/email", json!({"email": written})).await;
        assert_eq!(own.json()["errors"][0]["code"], "taken", "{written}");
    }
    assert_eq!(world.app.count("select count(*) from users where email like '%sara%'").await, 1);
}
