//! Passkeys: made, named, removed; at the door, as the second factor, before sensitive acts; and what is refused.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::authenticator::Authenticator;
use crate::app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of};

const SARA: &str = "sara@x.example";

async fn ask_to_register(client: &Client) -> Value {
    client.post("/auth/webauthn/register/challenge", json!({"userId": client.id})).await.ok()
}

async fn register(client: &Client, device: &mut Authenticator, name: &str) -> Value {
    let asked = ask_to_register(client).await;
    let attestation = device.create(&asked["publicKey"]);
    client.post("/auth/webauthn/register/complete", json!({"attestation": attestation, "name": name})).await.ok()
}

async fn ask(client: &Client, purpose: &str) -> Value {
    client.post("/auth/webauthn/login/challenge", json!({"purpose": purpose})).await.ok()
}

async fn answer(client: &Client, asked: &Value, assertion: Value) -> Answer {
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": assertion});
    client.post("/auth/webauthn/login/complete", body).await
}

async fn sign_in(app: &TestApp, device: &Authenticator) -> Answer {
    let asked = ask(&app.anonymous(), "sign_in").await;
    answer(&app.anonymous(), &asked, device.get(&asked["publicKey"])).await
}

/// Sara with a passkey that counts.
async fn sara(app: &TestApp) -> (Client, Client, Authenticator) {
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let mut device = Authenticator::new();
    register(&sara, &mut device, "هاتفي").await;
    device.counter = 1;
    (admin, sara, device)
}

fn refused(answer: &Answer) {
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_passkey"), "{}", answer.text);
}

/// B3: several passkeys, named, renamed, removable; the last use is shown; transports and flags are kept; all of it on the
/// record and in letters.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_have_several_passkeys_and_name_them(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara, mut phone) = sara(&app).await;
    let mut key = Authenticator { synced: true, ..Authenticator::new() };
    let second = register(&sara, &mut key, "  Yellow key ").await;
    assert_eq!(second["name"], "Yellow key");
    assert_eq!(second["synced"], true);
    assert_eq!(second["transports"], json!(["hybrid", "internal"]), "words that nobody knows are left out");
    let unnamed = {
        let asked = ask_to_register(&sara).await;
        assert_eq!(asked["publicKey"]["excludeCredentials"].as_array().map(Vec::len), Some(2));
        assert_eq!(asked["publicKey"]["rp"]["id"], "localhost");
        assert_eq!(asked["publicKey"]["authenticatorSelection"]["userVerification"], "required");
        let attestation = Authenticator::new().create(&asked["publicKey"]);
        sara.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await.ok()
    };
    assert_eq!(unnamed["name"], "مفتاح مرور");
    phone.counter = 7;
    assert_eq!(sign_in(&app, &phone).await.status, StatusCode::OK);
    let list = sara.get("/auth/webauthn/credentials").await.ok();
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    assert!(list[0]["last_used_at"].is_string() && list[1]["last_used_at"].is_null());
    let path = format!("/auth/webauthn/credentials/{}", second["id"].as_str().expect("an id"));
    assert_eq!(sara.patch(&path, json!({"name": "  "})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sara.patch(&path, json!({"name": "مفتاح العمل"})).await.ok()["name"], "مفتاح العمل");
    sara.delete(&path).await.ok();
    assert_eq!(sara.delete(&path).await.status, StatusCode::NOT_FOUND);
    refused(&sign_in(&app, &key).await);
    let counted = app.count("select passkeys::bigint from users where email = 'sara@x.example'").await;
    assert_eq!(counted, 2);
    let actions = app.actions().await;
    for action in ["auth.passkey_add", "auth.passkey_rename", "auth.passkey_remove"] {
        assert!(actions.iter().any(|one| one == action), "{action}");
    }
    let letters = app.count("select count(*) from jobs where payload ->> 'about' like 'passkey%'").await;
    assert_eq!(letters, 4);
}

/// B3, WebAuthn L3 §7.2: without a name or password, and it counts as both factors.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_passkey_alone_signs_in(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara, device) = sara(&app).await;
    let asked = ask(&app.anonymous(), "sign_in").await;
    assert_eq!(asked["publicKey"]["allowCredentials"], json!([]), "nobody is named");
    assert_eq!(asked["publicKey"]["rpId"], "localhost");
    let tokens = answer(&app.anonymous(), &asked, device.get(&asked["publicKey"])).await.ok();
    let client = app.with_token(tokens["access_token"].as_str().expect("a token"));
    assert_eq!(client.get("/auth/me").await.ok()["id"], sara.id.as_str());
    let sessions = client.get("/auth/sessions").await.ok();
    assert_eq!(sessions.as_array().into_iter().flatten().filter(|one| one["two_factors"] == true).count(), 2);
    // What was new about a sign-in stands in its row, whatever was shown.
    let other = app.anonymous().with("user-agent", "other/1.0");
    let asked = ask(&other, "sign_in").await;
    let mut later = device;
    later.counter += 1;
    answer(&other, &asked, later.get(&asked["publicKey"])).await.ok();
    let new: Value =
        sqlx::query_scalar("select meta -> 'new' from audit_logs where action = 'auth.login' order by id desc")
            .fetch_one(&app.owner)
            .await
            .expect("a row");
    assert_eq!(new, json!(["device"]));
    // The password alone no longer lets in.
    let half = app.anonymous().post("/auth/login", json!({"email": SARA, "password": PASSWORD})).await;
    assert_eq!(half.code(), "totp_required");
}

/// B3: `{userId}` has to be the caller's.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_registers_for_somebody_else(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, _device) = sara(&app).await;
    let answer = sara.post("/auth/webauthn/register/challenge", json!({"userId": admin.id})).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "not_yours"));
}

/// CVE-2026-28787: a captured answer, an answer to one's own challenge, a challenge of another purpose, of another session,
/// one that has run out: none is accepted, and each challenge is gone after its first answer.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_answer_counts_once_and_for_what_was_asked(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, mut device) = sara(&app).await;
    let nobody = app.anonymous();
    // A captured answer, again.
    let asked = ask(&nobody, "sign_in").await;
    let captured = device.get(&asked["publicKey"]);
    answer(&nobody, &asked, captured.clone()).await.ok();
    refused(&answer(&nobody, &asked, captured.clone()).await);
    refused(&answer(&nobody, &ask(&nobody, "sign_in").await, captured).await);
    // To a challenge of one's own.
    device.counter = 10;
    let asked = ask(&nobody, "sign_in").await;
    refused(
        &answer(&nobody, &asked, device.get(&json!({"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})))
            .await,
    );
    // It is gone though the answer was bad.
    refused(&answer(&nobody, &asked, device.get(&asked["publicKey"])).await);
    // Asked for proving oneself again, used to sign in; and the other way round.
    let asked = ask(&sara, "reauthenticate").await;
    refused(&answer(&nobody, &asked, device.get(&asked["publicKey"])).await);
    let asked = ask(&nobody, "sign_in").await;
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": device.get(&asked["publicKey"])});
    refused(&sara.post("/auth/webauthn/reauthenticate", body).await);
    // Of another session of the same person, and of somebody else.
    let other = app.with_token(sign_in(&app, &device).await.ok()["access_token"].as_str().expect("a token"));
    device.counter = 20;
    for whose in [&other, &admin] {
        let asked = ask(&sara, "reauthenticate").await;
        let body = json!({"challenge_id": asked["challenge_id"], "assertion": device.get(&asked["publicKey"])});
        refused(&whose.post("/auth/webauthn/reauthenticate", body).await);
    }
    // A registration's challenge.
    let asked = ask_to_register(&sara).await;
    let body = json!({"challenge_id": "", "assertion": device.get(&asked["publicKey"])});
    refused(&nobody.post("/auth/webauthn/login/complete", body).await);
    // One that has run out.
    let asked = ask(&nobody, "sign_in").await;
    app.advance(Duration::from_secs(301)).await;
    refused(&answer(&nobody, &asked, device.get(&asked["publicKey"])).await);
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK, "the passkey itself is good");
}

/// A registration is answered in the session that asked, once, in time, at our origin, by a device that recognises its
/// person; a passkey that anybody has is refused.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_registration_fits_what_was_asked(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, mut device) = sara(&app).await;
    let complete = |client: Client, attestation: Value| async move {
        let answer = client.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await;
        (answer.status, answer.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
    };
    let malformed = (StatusCode::UNPROCESSABLE_ENTITY, "malformed".to_owned());
    type Spoil = fn(&mut Authenticator);
    let spoils: &[(&str, Spoil)] = &[
        ("origin", |one| one.origin = "http://localhost:3001".to_owned()),
        ("site", |one| one.site = "localhost.evil".to_owned()),
        ("unverified", |one| one.verifies = false),
        ("kind", |one| one.kind = Some("webauthn.get")),
        ("long id", |one| one.id = vec![7; 1024]),
    ];
    for (what, spoil) in spoils {
        let mut bad = Authenticator::new();
        spoil(&mut bad);
        let asked = ask_to_register(&sara).await;
        assert_eq!(complete(sara.clone(), bad.create(&asked["publicKey"])).await, malformed, "{what}");
        let good = Authenticator::new().create(&asked["publicKey"]);
        assert_eq!(complete(sara.clone(), good).await, malformed, "{what}: the challenge is gone");
    }
    // Somebody else's session, and a challenge that a newer one has replaced.
    let first = ask_to_register(&sara).await;
    assert_eq!(complete(admin.clone(), Authenticator::new().create(&first["publicKey"])).await, malformed);
    let _newer = ask_to_register(&sara).await;
    assert_eq!(complete(sara.clone(), Authenticator::new().create(&first["publicKey"])).await, malformed);
    let late = ask_to_register(&sara).await;
    app.advance(Duration::from_secs(299)).await;
    assert_eq!(complete(sara.clone(), json!({"id": 1})).await, malformed);
    assert_eq!(complete(sara.clone(), Authenticator::new().create(&late["publicKey"])).await, malformed, "it is gone");
    // The same passkey again, by anybody.
    let admin = app.sign_in("hind@nakheel.example").await;
    let asked = ask_to_register(&admin).await;
    let taken = (StatusCode::UNPROCESSABLE_ENTITY, "taken".to_owned());
    assert_eq!(complete(admin.clone(), device.create(&asked["publicKey"])).await, taken);
    assert_eq!(app.count("select count(*) from passkeys").await, 1);
}

/// WebAuthn L3 §7.2, step by step: each part of an answer has to fit, and the flags of its key.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_answer_that_does_not_fit_is_refused(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, _sara, mut device) = sara(&app).await;
    let whose = device.user.clone();
    let admins = admin.id.parse::<uuid::Uuid>().expect("an id").as_bytes().to_vec();
    type Spoil = Box<dyn Fn(&mut Authenticator)>;
    let spoils: Vec<(&str, Spoil)> = vec![
        ("origin", Box::new(|one| one.origin = "https://localhost:3000".to_owned())),
        ("site", Box::new(|one| one.site = "localhost.evil".to_owned())),
        ("unverified", Box::new(|one| one.verifies = false)),
        ("kind", Box::new(|one| one.kind = Some("webauthn.create"))),
        ("nobody's", Box::new(|one| one.user = None)),
        ("somebody else's", Box::new(move |one| one.user = Some(admins.clone()))),
        ("unknown", Box::new(|one| one.id = vec![1; 32])),
        ("copied all of a sudden", Box::new(|one| one.synced = true)),
    ];
    let id = device.id.clone();
    for (at, (what, spoil)) in spoils.iter().enumerate() {
        device.counter = 100 + u32::try_from(at).expect("few");
        spoil(&mut device);
        let answer = sign_in(&app, &device).await;
        assert_eq!(answer.code(), "wrong_passkey", "{what}: {}", answer.text);
        (device.origin, device.site) = (crate::app::server::test_app::PUBLIC.to_owned(), "localhost".to_owned());
        (device.verifies, device.kind, device.synced) = (true, None, false);
        (device.user, device.id) = (whose.clone(), id.clone());
    }
    let asked = ask(&app.anonymous(), "sign_in").await;
    let mut forged = device.get(&asked["publicKey"]);
    forged["response"]["signature"] = Authenticator::new().get(&asked["publicKey"])["response"]["signature"].clone();
    refused(&answer(&app.anonymous(), &asked, forged).await);
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK);
    let failures = app.count("select count(*) from audit_logs where action = 'auth.login_failed'").await;
    assert_eq!(failures, 9);
}

/// WebAuthn L3 §6.1.1: a counter that does not go on may be a copy's. It is refused, on the record, and its person is told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_counter_never_goes_back(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, _sara, mut device) = sara(&app).await;
    device.counter = 5;
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK);
    for counter in [5, 4, 0] {
        device.counter = counter;
        refused(&sign_in(&app, &device).await);
    }
    device.counter = 6;
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK);
    let told = app.count("select count(*) from audit_logs where action = 'auth.passkey_copy_suspected'").await;
    assert_eq!(told, 3);
    assert_eq!(app.count("select count(*) from jobs where payload ->> 'about' = 'passkey_copied'").await, 3);
}

/// CVE-2026-28787, in parallel and on two nodes: of 32 uses of one challenge one wins.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_answers_to_a_challenge_one_wins(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara, mut device) = sara(&app).await;
    // It does not count, so that nothing but the challenge stands between the answers.
    device.counter = 0;
    let two = app.second_node().await;
    let asked = ask(&app.anonymous(), "sign_in").await;
    let assertion = device.get(&asked["publicKey"]);
    let tries = (0..32).map(|n| {
        let node = if n % 2 == 0 { app.clone() } else { two.clone() };
        let (asked, assertion) = (asked.clone(), assertion.clone());
        tokio::spawn(async move { answer(&node.anonymous(), &asked, assertion).await.status })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        won += usize::from(attempt.await.expect("no panic") == StatusCode::OK);
    }
    assert_eq!(won, 1);
    // The same with a registration.
    let asked = ask_to_register(&sara).await;
    let attestation = Authenticator::new().create(&asked["publicKey"]);
    let tries = (0..32).map(|n| {
        let sara = sara.on(if n % 2 == 0 { &app } else { &two });
        let body = json!({"attestation": attestation});
        tokio::spawn(async move { sara.post("/auth/webauthn/register/complete", body).await.status })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        won += usize::from(attempt.await.expect("no panic") == StatusCode::OK);
    }
    assert_eq!(won, 1);
}

/// Two challenges answered at once with the same count of a copied key: the row decides, one wins.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_two_copies_that_count_alike_one_wins(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, _sara, device) = sara(&app).await;
    let mut tries = Vec::new();
    for _ in 0..8 {
        let asked = ask(&app.anonymous(), "sign_in").await;
        let (app, assertion) = (app.clone(), device.get(&asked["publicKey"]));
        tries.push(tokio::spawn(async move { answer(&app.anonymous(), &asked, assertion).await.status }));
    }
    let mut won = 0;
    for attempt in tries {
        won += usize::from(attempt.await.expect("no panic") == StatusCode::OK);
    }
    assert_eq!(won, 1);
}

/// GHSA-4vcf-q4xf-f48m: another's passkey is not there, whatever one's rights.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_touches_anothers_passkey(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, device) = sara(&app).await;
    let id = sara.get("/auth/webauthn/credentials").await.ok()[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/auth/webauthn/credentials/{id}");
    assert_eq!(admin.patch(&path, json!({"name": "mine"})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.get("/auth/webauthn/credentials").await.ok(), json!([]));
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK);
}

/// CVE-2025-10908, GHSA-cq42-vhv7-xr7p: a suspended person stays out with a passkey, too; one whose password others guess
/// at comes in with theirs.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_passkey_opens_no_suspended_account_and_every_guessed_at_one(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, mut device) = sara(&app).await;
    for _ in 0..8 {
        app.anonymous().post("/auth/login", json!({"email": SARA, "password": "wrong wrong wrong"})).await;
    }
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK);
    let asked = ask(&app.anonymous(), "sign_in").await;
    let status = format!("/admin/users/{}/status", sara.id);
    admin.patch(&status, json!({"status": "suspended"})).await.ok();
    device.counter = 50;
    refused(&answer(&app.anonymous(), &asked, device.get(&asked["publicKey"])).await);
    refused(&sign_in(&app, &device).await);
    admin.patch(&status, json!({"status": "active"})).await.ok();
    device.counter = 51;
    assert_eq!(sign_in(&app, &device).await.status, StatusCode::OK);
}

/// A10: adding and removing need a fresh proof; a passkey gives one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_passkey_proves_who_holds_the_session(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara, device) = sara(&app).await;
    let id = sara.get("/auth/webauthn/credentials").await.ok()[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/auth/webauthn/credentials/{id}");
    app.advance(Duration::from_secs(301)).await;
    let begin = || sara.post("/auth/webauthn/register/challenge", json!({"userId": sara.id}));
    assert_eq!(begin().await.code(), "step_up_required");
    assert_eq!(sara.delete(&path).await.code(), "step_up_required");
    // The password alone is one factor too few.
    let with_password = sara.post("/auth/reauthenticate", json!({"password": PASSWORD})).await;
    assert_eq!(with_password.code(), "totp_required");
    let asked = ask(&sara, "reauthenticate").await;
    assert_eq!(asked["publicKey"]["allowCredentials"][0]["transports"], json!(["hybrid", "internal"]));
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": device.get(&asked["publicKey"])});
    let proved = sara.post("/auth/webauthn/reauthenticate", body).await.ok();
    assert_eq!(proved["ok"], true);
    assert!(begin().await.status.is_success());
    sara.delete(&path).await.ok();
}

/// "Never the last way in": a person without a password keeps a passkey; where a role needs a second factor, somebody
/// without an app keeps one, too (B4).
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_last_way_in_stays(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, _device) = sara(&app).await;
    let first = sara.get("/auth/webauthn/credentials").await.ok()[0]["id"].as_str().expect("an id").to_owned();
    let second = register(&sara, &mut Authenticator::new(), "b").await["id"].as_str().expect("an id").to_owned();
    sqlx::query("update users set password_hash = null where email = $1")
        .bind(SARA)
        .execute(&app.owner)
        .await
        .expect("");
    // Both at once: one stays.
    let two = [first, second].map(|id| {
        let sara = sara.clone();
        tokio::spawn(async move { sara.delete(&format!("/auth/webauthn/credentials/{id}?end_sessions=false")).await })
    });
    let mut codes = Vec::new();
    for one in two {
        let answer = one.await.expect("no panic");
        codes.push(if answer.status.is_success() { "removed".to_owned() } else { answer.code() });
    }
    codes.sort();
    assert_eq!(codes, ["last_way_in", "removed"]);
    // By a role's demand.
    let key = register(&admin, &mut Authenticator::new(), "c").await["id"].as_str().expect("an id").to_owned();
    admin.patch("/admin/settings", json!({"sign_in": {"second_factor_roles": ["super-admin"]}})).await.ok();
    let answer = admin.delete(&format!("/auth/webauthn/credentials/{key}")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "mfa_enrolment_required"));
}

/// B4: whose role needs a second factor has one with a passkey.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_passkey_satisfies_the_policy(pool: PgPool) {
    let app = TestApp::strict(options_of(&pool)).await;
    let admin = app.admin().await;
    assert_eq!(admin.get("/admin/users").await.code(), "mfa_enrolment_required");
    let mut device = Authenticator::new();
    register(&admin, &mut device, "key").await;
    admin.get("/admin/users").await.ok();
    let status = admin.get("/auth/2fa").await.ok();
    assert_eq!(
        (&status["enabled"], &status["required"], &status["has_passkeys"]),
        (&json!(false), &json!(true), &json!(true))
    );
    // B5: with backup codes, should the device be lost.
    let codes = admin.post("/auth/2fa/backup-codes", json!({})).await.ok();
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD, "backup_code": codes["backup_codes"][0]});
    app.anonymous().post("/auth/login", body).await.ok();
}

/// B3: after the password, in the browser that has shown it; the step and the challenge belong together.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_passkey_is_the_second_factor_of_a_browser(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, _sara, mut device) = sara(&app).await;
    let step = || async {
        let half = app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await;
        assert_eq!(half.headers["location"], "/login/code");
        app.anonymous().with("cookie", &half.cookies())
    };
    let (browser, other) = (step().await, step().await);
    assert_eq!(
        app.anonymous().post("/auth/webauthn/login/challenge", json!({"purpose": "second_factor"})).await.code(),
        "signed_out"
    );
    let send = |browser: Client, asked: Value, assertion: Value| async move {
        let (handle, credential) =
            (asked["challenge_id"].as_str().expect("a handle").to_owned(), assertion.to_string());
        let fields =
            [("challenge_id", handle.as_str()), ("credential", credential.as_str()), ("next", "/console/roles")];
        browser.form("/login/code/passkey", &fields).await
    };
    let asked = ask(&browser, "second_factor").await;
    let elsewhere = send(other.clone(), asked.clone(), device.get(&asked["publicKey"])).await;
    assert_eq!(elsewhere.headers["location"], "/login/code?next=%2Fconsole%2Froles&passkey=wrong_passkey");
    let asked = ask(&browser, "second_factor").await;
    assert_eq!(asked["publicKey"]["allowCredentials"].as_array().map(Vec::len), Some(1));
    device.counter = 9;
    let entered = send(browser.clone(), asked.clone(), device.get(&asked["publicKey"])).await;
    assert_eq!(entered.headers["location"], "/console/roles");
    let inside = app.anonymous().with("cookie", &entered.cookies());
    assert_eq!(inside.get("/auth/me").await.ok()["email"], SARA);
    let methods: Vec<String> =
        sqlx::query_scalar("select meta ->> 'method' from audit_logs where action = 'auth.login' order by id")
            .fetch_all(&app.owner)
            .await
            .expect("rows");
    assert_eq!(methods.last().map(String::as_str), Some("password+passkey"));
    // And by the form of the sign-in page, without anything before it.
    let asked = ask(&app.anonymous(), "sign_in").await;
    device.counter = 10;
    let (handle, credential) =
        (asked["challenge_id"].as_str().expect("a handle"), device.get(&asked["publicKey"]).to_string());
    let entered =
        app.anonymous().form("/login/passkey", &[("challenge_id", handle), ("credential", &credential)]).await;
    assert_eq!(entered.headers["location"], "/console");
    let again = app.anonymous().form("/login/passkey", &[("challenge_id", handle), ("credential", &credential)]).await;
    assert_eq!(again.headers["location"], "/login?passkey=wrong_passkey");
    assert!(again.headers.get("set-cookie").is_none());
}

/// ASVS 11.3, E7: nothing of a passkey or a challenge lies open in the database, and neither opens in another row.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn passkeys_are_sealed_to_their_rows(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara, device) = sara(&app).await;
    let asked = ask(&app.anonymous(), "sign_in").await;
    let kept = sqlx::query_scalar::<_, String>(
        "select (select string_agg(t::text, ' ') from passkeys t) || (select string_agg(t::text, ' ') from passkey_challenges t)",
    )
    .fetch_one(&app.owner)
    .await
    .expect("rows");
    assert!(
        !kept.contains(&hex::encode(&device.id)) && !kept.contains(asked["challenge_id"].as_str().expect("a handle"))
    );
    let mut second = Authenticator::new();
    register(&sara, &mut second, "b").await;
    second.counter = 1;
    sqlx::query(
        "update passkeys set credential = (select credential from passkeys where name <> 'b') where name = 'b'",
    )
    .execute(&app.owner)
    .await
    .expect("moved");
    assert_eq!(sign_in(&app, &second).await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

/// A browser that has shown Sara's password and owes the second step.
async fn half_way(app: &TestApp) -> Client {
    let half = app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await;
    assert_eq!(half.headers["location"], "/login/code");
    app.anonymous().with("cookie", &half.cookies())
}

/// What the second step asks of a passkey.
async fn ask_second(browser: &Client) -> Value {
    ask(browser, "second_factor").await
}

/// Answers the second step by its form.
async fn second(browser: &Client, device: &Authenticator, asked: &Value) -> Answer {
    let handle = asked["challenge_id"].as_str().expect("a handle");
    let credential = device.get(&asked["publicKey"]).to_string();
    browser.form("/login/code/passkey", &[("challenge_id", handle), ("credential", &credential)]).await
}

/// Flow 5, WebAuthn L3 §7.1 step 16, §7.2 step 17: where verification is only preferred, a key that does not recognise its
/// person is the second step after the password, and nothing by itself.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_that_recognises_nobody_is_a_second_step_only(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, _phone) = sara(&app).await;
    app.admin_limits(json!({"free_by_address": 1000, "free_by_account": 1000})).await;
    let rule = async |word: &str| {
        let sign_in = json!({"second_factor_roles": [], "passkey_verification": word});
        admin.patch("/admin/settings", json!({"sign_in": sign_in})).await.ok()["sign_in"].clone()
    };
    assert_eq!(rule("preferred").await["passkey_verification"], "preferred");
    let mut key = Authenticator { verifies: false, ..Authenticator::new() };
    let asked = ask_to_register(&sara).await;
    assert_eq!(asked["publicKey"]["authenticatorSelection"]["userVerification"], "preferred");
    assert_eq!(asked["publicKey"].get("hints"), None);
    assert_eq!(asked["publicKey"]["extensions"].get("credentialProtectionPolicy"), None);
    let body = json!({"attestation": key.create(&asked["publicKey"]), "name": "Yellow key"});
    let added = sara.post("/auth/webauthn/register/complete", body).await.ok();
    assert_eq!(added["verifies"], false);
    let listed = sara.get("/auth/webauthn/credentials").await.ok();
    assert_eq!([&listed[0]["verifies"], &listed[1]["verifies"]], [true, false]);
    key.counter = 1;
    let browser = half_way(&app).await;
    let asked = ask_second(&browser).await;
    assert_eq!(asked["publicKey"]["userVerification"], "preferred");
    assert_eq!(asked["publicKey"]["allowCredentials"].as_array().map(Vec::len), Some(2));
    let entered = second(&browser, &key, &asked).await;
    assert_eq!(entered.headers["location"], "/console");
    let inside = app.anonymous().with("cookie", &entered.cookies());
    let sessions = inside.get("/auth/sessions").await.ok();
    let own = sessions.as_array().into_iter().flatten().find(|one| one["is_current"] == true);
    assert_eq!(own.expect("the one that asks")["two_factors"], true);
    // By itself it neither signs in nor proves who holds a session.
    key.counter = 2;
    let asked = ask(&app.anonymous(), "sign_in").await;
    assert_eq!(asked["publicKey"]["userVerification"], "required");
    refused(&answer(&app.anonymous(), &asked, key.get(&asked["publicKey"])).await);
    let asked = ask(&sara, "reauthenticate").await;
    assert_eq!(asked["publicKey"]["userVerification"], "required");
    let body = json!({"challenge_id": asked["challenge_id"], "assertion": key.get(&asked["publicKey"])});
    refused(&sara.post("/auth/webauthn/reauthenticate", body).await);
    // A challenge of before the rule changed, and one of afterwards.
    let browser = half_way(&app).await;
    let before = ask_second(&browser).await;
    rule("required").await;
    assert!(!second(&browser, &key, &before).await.cookies().contains("session"));
    let asked = ask_second(&browser).await;
    assert_eq!(asked["publicKey"]["userVerification"], "required");
    assert!(!second(&browser, &key, &asked).await.cookies().contains("session"));
    rule("preferred").await;
    let asked = ask_second(&browser).await;
    assert_eq!(second(&browser, &key, &asked).await.headers["location"], "/console");
}

/// Flow 5: a key that has recognised its person once always has to, and the rule of the moment decides what is kept.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_has_recognised_its_person_has_to_go_on_doing_so(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, mut phone) = sara(&app).await;
    app.admin_limits(json!({"free_by_address": 1000, "free_by_account": 1000})).await;
    let rule = async |word: &str| {
        let sign_in = json!({"second_factor_roles": [], "passkey_verification": word});
        admin.patch("/admin/settings", json!({"sign_in": sign_in})).await.ok();
    };
    let unknown = json!({"sign_in": {"passkey_verification": "discouraged"}});
    assert_eq!(admin.patch("/admin/settings", unknown).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    rule("preferred").await;
    let mut made = Authenticator::new();
    register(&sara, &mut made, "made while it is preferred").await;
    for device in [&mut phone, &mut made] {
        device.counter = 5;
        device.verifies = false;
        let browser = half_way(&app).await;
        let asked = ask_second(&browser).await;
        assert!(!second(&browser, device, &asked).await.cookies().contains("session"));
        device.verifies = true;
        let asked = ask_second(&browser).await;
        assert_eq!(second(&browser, device, &asked).await.headers["location"], "/console");
        device.counter = 6;
        assert_eq!(sign_in(&app, device).await.status, StatusCode::OK, "it is both factors");
    }
    // Asked for under one rule and answered under the other.
    let mut key = Authenticator { verifies: false, ..Authenticator::new() };
    let asked = ask_to_register(&sara).await;
    rule("required").await;
    let body = json!({"attestation": key.create(&asked["publicKey"])});
    let late = sara.post("/auth/webauthn/register/complete", body).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Flow 5, "never the last way in": a key that recognises nobody does not count as one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_that_recognises_nobody_is_no_way_in(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara, _phone) = sara(&app).await;
    let sign_in = json!({"second_factor_roles": [], "passkey_verification": "preferred"});
    admin.patch("/admin/settings", json!({"sign_in": sign_in})).await.ok();
    register(&sara, &mut Authenticator { verifies: false, ..Authenticator::new() }, "key").await;
    sqlx::query("update users set password_hash = null where email = $1")
        .bind(SARA)
        .execute(&app.owner)
        .await
        .expect("works");
    let listed = sara.get("/auth/webauthn/credentials").await.ok();
    let path = |n: usize| format!("/auth/webauthn/credentials/{}", listed[n]["id"].as_str().expect("an id"));
    let refused = sara.delete(&path(0)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "last_way_in"));
    sara.delete(&path(1)).await.ok();
}
