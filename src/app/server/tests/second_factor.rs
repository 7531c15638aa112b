//! The second factor: at the door, in the account, by policy, and proving oneself again.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink};
use crate::{
    app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of},
    second_factor::server::codes::code_at,
};

const SARA: &str = "sara@x.example";

/// Somebody with the second factor on, and what their phone knows.
pub(super) struct Enrolled {
    pub client: Client,
    pub secret: Vec<u8>,
    pub backup_codes: Vec<String>,
}

/// What an authenticator app reads of a secret as it is shown.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for c in text.bytes().filter(|c| *c != b' ') {
        let value = if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        bits = (bits << 5) | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 255).expect("a byte"));
        }
    }
    bytes
}

fn code(app: &TestApp, secret: &[u8]) -> String {
    code_at(secret, app.clock.now())
}

pub(super) async fn enrol(app: &TestApp, client: Client) -> Enrolled {
    let enrolment = client.post("/auth/2fa/setup", json!({})).await.ok();
    let secret = decode(enrolment["secret"].as_str().expect("a secret"));
    assert_eq!(secret.len(), 20);
    let verified = client.post("/auth/2fa/verify", json!({"code": code(app, &secret)})).await.ok();
    let codes = verified["backup_codes"].as_array().expect("codes").iter();
    let backup_codes = codes.map(|code| code.as_str().expect("a code").to_owned()).collect();
    Enrolled { client, secret, backup_codes }
}

/// Sara, enrolled; the code of her enrolment is over.
async fn sara(app: &TestApp) -> (Client, Enrolled) {
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let enrolled = enrol(app, sara).await;
    app.advance(Duration::from_secs(60)).await;
    (admin, enrolled)
}

pub(super) async fn login(app: &TestApp, more: Value) -> Answer {
    let mut body = json!({"email": SARA, "password": PASSWORD});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    app.anonymous().post("/auth/login", body).await
}

/// A2, B1: a right password without a code brings no tokens; with one it does; the enrolment's own code is spent.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_right_password_alone_does_not_let_in(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let person = app.person(&admin, SARA, &[]).await;
    let sara = enrol(&app, person).await;
    let first = login(&app, json!({"totp": code(&app, &sara.secret)})).await;
    assert_eq!((first.status, first.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_code"), "spent by enrolling");
    app.advance(Duration::from_secs(60)).await;
    let half = login(&app, json!({})).await;
    assert_eq!((half.status, half.code().as_str()), (StatusCode::UNAUTHORIZED, "totp_required"));
    assert!(!half.text.contains("token") && half.headers.get("set-cookie").is_none());
    let tokens = login(&app, json!({"totp": code(&app, &sara.secret)})).await.ok();
    let me = app.with_token(tokens["access_token"].as_str().expect("a token")).get("/auth/me").await;
    assert_eq!(me.status, StatusCode::OK);
    let wrong = app
        .anonymous()
        .post("/auth/login", json!({"email": SARA, "password": "wrong wrong wrong", "totp": "000000"}))
        .await;
    assert_eq!(wrong.code(), "wrong_credentials", "a wrong password tells nothing of the second factor");
}

/// RFC 6238 §5.2, CVE-2025-6014: a code signs in once, and no earlier one after it; of parallel uses one wins.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_code_works_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara) = sara(&app).await;
    let earlier = code(&app, &sara.secret);
    app.advance(Duration::from_secs(30)).await;
    let now = code(&app, &sara.secret);
    let two = app.second_node().await;
    let tries = (0..32).map(|n| {
        let (node, now) = (if n % 2 == 0 { app.clone() } else { two.clone() }, now.clone());
        tokio::spawn(async move { login(&node, json!({"totp": now})).await.status })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        let status = attempt.await.expect("no panic");
        won += usize::from(status == StatusCode::OK);
        assert!(
            matches!(status, StatusCode::OK | StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS),
            "{status}"
        );
    }
    assert_eq!(won, 1);
    app.advance(Duration::from_secs(15)).await;
    let again = login(&app, json!({"totp": earlier})).await;
    assert_ne!(again.status, StatusCode::OK, "the step before it is over, too");
}

/// B2: each backup code lets in once; a new set voids the old; they are kept as digests under a key.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_backup_code_works_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara) = sara(&app).await;
    assert_eq!(sara.backup_codes.len(), 10);
    let first = sara.backup_codes[0].clone();
    let two = app.second_node().await;
    let tries = (0..32).map(|n| {
        let (app, first) = (if n % 2 == 0 { app.clone() } else { two.clone() }, first.to_lowercase());
        tokio::spawn(async move { login(&app, json!({"backup_code": first})).await.status })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        won += usize::from(attempt.await.expect("no panic") == StatusCode::OK);
    }
    assert_eq!(won, 1);
    app.advance(Duration::from_secs(3600 * 25)).await;
    let kept = sqlx::query_scalar::<_, String>("select string_agg(t::text, ' ') from backup_codes t")
        .fetch_one(&app.owner)
        .await
        .expect("rows");
    assert!(sara.backup_codes.iter().all(|code| !kept.contains(&code.replace('-', ""))));
    let fresh = login(&app, json!({"totp": code(&app, &sara.secret)})).await.ok();
    let fresh = app.with_token(fresh["access_token"].as_str().expect("a token"));
    assert_eq!(fresh.get("/auth/2fa").await.ok()["backup_codes_left"], 9);
    let new = fresh.post("/auth/2fa/backup-codes", json!({})).await.ok();
    assert_eq!(login(&app, json!({"backup_code": sara.backup_codes[1]})).await.code(), "wrong_code");
    login(&app, json!({"backup_code": new["backup_codes"][0]})).await.ok();
}

/// GHSA-xrw9-r35x-x878, CVE-2026-35597: codes have a budget over every door that takes them, which neither a right
/// password nor a rollback restores; the person is told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn codes_run_out_of_guesses(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara) = sara(&app).await;
    let sink = Sink::start(Manner::Good).await;
    for (n, guess) in ["000000", "000 001", "000002", "٠٠٠٠٠٣", "000004"].into_iter().enumerate() {
        let more = if n % 2 == 0 { json!({"totp": guess}) } else { json!({"backup_code": guess}) };
        assert_eq!(login(&app, more).await.code(), "wrong_code", "{guess}");
        // The password's own budget is another matter.
        sqlx::query("delete from limits where attempts < 0 or blocked_until is null and attempts > 100")
            .execute(&app.owner)
            .await
            .expect("works");
    }
    let right = login(&app, json!({"totp": code(&app, &sara.secret)})).await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "also the right one");
    let failed =
        app.count("select count(*) from audit_logs where action = 'auth.login_failed' and meta ->> 'cause' = 'code'");
    assert_eq!(failed.await, 5);
    assert!(sink.deliver(&app).await.len() >= 2, "told that it was turned on, and of the guesses");
}

/// CVE-2025-64103: half-way in is nowhere: the step's cookie opens nothing but the page that asks for the code.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn half_way_in_is_nowhere(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara) = sara(&app).await;
    let form = [("email", SARA), ("password", PASSWORD), ("next", "/console/people")];
    let half = app.anonymous().form("/login", &form).await;
    assert_eq!(half.headers["location"], "/login/code?next=%2Fconsole%2Fpeople");
    assert!(!half.cookies().contains("session") && half.cookies().contains("__Host-bawwab-step="));
    let browser = app.anonymous().with("cookie", &half.cookies());
    for path in ["/auth/me", "/admin/users", "/auth/2fa"] {
        assert_eq!(browser.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(browser.get("/console").await.headers["location"], "/login?next=%2Fconsole");
    assert_eq!(browser.get("/account/two-factor").await.status, StatusCode::FOUND);
    assert_eq!(browser.get("/login/code").await.status, StatusCode::OK);
    // Empty, foreign and wrong: authentik CVE-2026-49443.
    for fields in [vec![], vec![("totp", "")], vec![("totp", "abcdef")], vec![("password", PASSWORD)]] {
        let again = browser.form("/login/code", &fields).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED, "{fields:?}");
        assert!(!again.cookies().contains("session"));
    }
    let good = code(&app, &sara.secret);
    let without = app.anonymous().form("/login/code", &[("totp", &good)]).await;
    assert_eq!(without.headers["location"], "/login", "no step, no second step");
    let entered = browser.form("/login/code", &[("totp", &good), ("next", "/console/people")]).await;
    assert_eq!(
        (entered.status, &entered.headers["location"]),
        (StatusCode::SEE_OTHER, &"/console/people".parse().unwrap())
    );
    let inside = app.anonymous().with("cookie", &entered.cookies());
    assert_eq!(inside.get("/auth/me").await.status, StatusCode::OK);
    app.advance(Duration::from_secs(30)).await;
    let replay = browser.form("/login/code", &[("totp", &code(&app, &sara.secret))]).await;
    assert_eq!(replay.headers["location"], "/login", "a step is gone through once");
}

/// KC12759, ASVS 6.4.3: a new password does not get around the second factor, nor does a link in the mailbox.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_way_in_gets_around_the_second_factor(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara) = sara(&app).await;
    let me = admin.get("/admin/users?q=sara").await.ok()["items"][0]["id"].as_str().expect("an id").to_owned();
    let link = admin.post(&format!("/admin/users/{me}/link"), json!({})).await.ok();
    let token = link["link"].as_str().expect("a link").split_once("token=").expect("a token").1.to_owned();
    let form = [("token", token.as_str()), ("password", PASSWORD), ("password_again", PASSWORD)];
    let welcome = app.anonymous().form("/welcome", &form).await;
    assert_eq!(welcome.headers["location"], "/login/code");
    let sink = Sink::start(Manner::Good).await;
    let letter = async || sink.deliver(&app).await.pop().expect("a letter");
    app.anonymous().post("/auth/magic-link", json!({"email": SARA})).await.ok();
    let token = letter().await.token();
    let magic = app.anonymous().form("/magic-link", &[("token", &token)]).await;
    assert_eq!(magic.headers["location"], "/login/code");
    app.anonymous().post("/auth/request-reset", json!({"email": SARA})).await.ok();
    let token = letter().await.token();
    app.anonymous().post("/auth/reset", json!({"token": token, "password": PASSWORD})).await.ok();
    assert_eq!(login(&app, json!({})).await.code(), "totp_required");
    // Whoever was half-way in before the password changed has to begin again.
    let late = app.anonymous().with("cookie", &magic.cookies());
    let late = late.form("/login/code", &[("totp", &code(&app, &sara.secret))]).await;
    assert_eq!(late.headers["location"], "/login");
}

/// B4: who needs a second factor by role and has none is led through set-up, and nothing else opens.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_can_require_the_second_factor(pool: PgPool) {
    let app = TestApp::strict(options_of(&pool)).await;
    let admin = app.admin().await;
    for path in ["/admin/users", "/admin/roles", "/admin/audit", "/admin/settings"] {
        let refused = admin.get(path).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::FORBIDDEN, "mfa_enrolment_required"),
            "{path}"
        );
    }
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let browser = app.anonymous().with("cookie", &app.anonymous().form("/login", &form).await.cookies());
    for path in ["/console", "/console/people"] {
        assert_eq!(browser.get(path).await.headers["location"], "/account/two-factor", "{path}");
    }
    assert_eq!(browser.get("/account/two-factor").await.status, StatusCode::OK);
    assert_eq!(admin.get("/auth/2fa").await.ok()["required"], true);
    let admin = enrol(&app, admin).await;
    assert_eq!(admin.client.get("/admin/users").await.status, StatusCode::OK);
    let off = admin.client.post("/auth/2fa/disable", json!({})).await;
    assert_eq!(off.code(), "mfa_enrolment_required", "nor can it be taken off");
    // The rule is the tenant's to change, and takes effect at once.
    let sara = app.person(&admin.client, SARA, &["support"]).await;
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::OK);
    let rule = json!({"sign_in": {"second_factor_roles": ["support", "super-admin"]}});
    admin.client.patch("/admin/settings", rule).await.ok();
    assert_eq!(sara.get("/admin/users").await.code(), "mfa_enrolment_required");
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::OK, "their own stays open");
}

/// A10: sensitive acts want a proof of the last five minutes; the password alone is too little where a factor is on.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn sensitive_acts_want_a_fresh_proof(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (_admin, sara) = sara(&app).await;
    app.advance(Duration::from_secs(300)).await;
    let off = async || sara.client.post("/auth/2fa/disable", json!({})).await;
    assert_eq!((off().await.status, off().await.code().as_str()), (StatusCode::UNAUTHORIZED, "step_up_required"));
    for path in ["/auth/2fa/setup", "/auth/2fa/backup-codes"] {
        assert_eq!(sara.client.post(path, json!({})).await.code(), "step_up_required", "{path}");
    }
    let prove = async |body: Value| sara.client.post("/auth/reauthenticate", body).await;
    assert_eq!(prove(json!({"password": "wrong wrong wrong"})).await.code(), "wrong_credentials");
    assert_eq!(prove(json!({"password": PASSWORD})).await.code(), "totp_required");
    assert_eq!(prove(json!({"password": PASSWORD, "totp": "000000"})).await.code(), "wrong_code");
    assert_eq!(off().await.code(), "step_up_required");
    prove(json!({"password": PASSWORD, "totp": code(&app, &sara.secret)})).await.ok();
    off().await.ok();
    app.advance(Duration::from_secs(30)).await;
    login(&app, json!({})).await.ok();
    let actions = app.actions().await;
    assert!(actions.contains(&"auth.factor_off".to_owned()) && actions.contains(&"auth.reauthenticate".to_owned()));
}

/// B1, "32 parallel uses": of parallel confirmations of an enrolment on two nodes one turns it on, with one set of codes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_enrolments_one_counts(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let two = app.second_node().await;
    let admin = app.admin().await;
    app.admin_limits(json!({"free_by_account": 1000})).await;
    let sara = app.person(&admin, SARA, &[]).await;
    let enrolment = sara.post("/auth/2fa/setup", json!({})).await.ok();
    let first = code(&app, &decode(enrolment["secret"].as_str().expect("a secret")));
    let tries = (0..32).map(|n| {
        let (client, body) = (if n % 2 == 0 { sara.clone() } else { sara.on(&two) }, json!({"code": first}));
        tokio::spawn(async move { client.post("/auth/2fa/verify", body).await })
    });
    let mut won = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        let answer = attempt.await.expect("no panic");
        if answer.status == StatusCode::OK {
            won.push(answer.json()["backup_codes"].clone());
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(app.count("select count(*) from backup_codes").await, 10);
    assert_eq!(app.count("select count(*) from audit_logs where action = 'auth.factor_on'").await, 1);
    login(&app, json!({"backup_code": won[0][0]})).await.ok();
}

/// 7.4.3: turning it on ends the other sessions unless the person wants them to stay.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn turning_it_on_ends_the_other_sessions(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let here = app.person(&admin, SARA, &[]).await;
    let there = app.sign_in(SARA).await;
    enrol(&app, here.clone()).await;
    assert_eq!(here.get("/auth/me").await.status, StatusCode::OK);
    assert_eq!(there.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// B1: a secret counts only once its code was shown, is sealed at rest, and cannot be replaced while it is on.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_secret_counts_once_its_code_was_shown(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, SARA, &[]).await;
    let first = sara.post("/auth/2fa/setup", json!({})).await.ok();
    login(&app, json!({})).await.ok();
    assert!(first["qr_svg"].as_str().expect("a picture").starts_with("<svg"));
    assert!(first["otpauth_uri"].as_str().expect("an address").starts_with("otpauth://totp/"));
    assert_eq!(sara.post("/auth/2fa/verify", json!({"code": "000000"})).await.code(), "wrong_code");
    let second = sara.post("/auth/2fa/setup", json!({})).await.ok();
    assert_ne!(first["secret"], second["secret"]);
    let stale = code(&app, &decode(first["secret"].as_str().expect("a secret")));
    assert_eq!(sara.post("/auth/2fa/verify", json!({"code": stale})).await.code(), "wrong_code");
    let secret = decode(second["secret"].as_str().expect("a secret"));
    sara.post("/auth/2fa/verify", json!({"code": code(&app, &secret)})).await.ok();
    assert_eq!(sara.post("/auth/2fa/setup", json!({})).await.status, StatusCode::CONFLICT);
    let kept: Vec<u8> = sqlx::query_scalar("select secret from totp").fetch_one(&app.owner).await.expect("a row");
    assert!(!kept.windows(20).any(|part| part == secret));
}

/// B5: an administrator who may takes a lost factor off, with a fresh proof; nobody does so above themselves.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_lost_factor_is_taken_off_by_whoever_may(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let (admin, sara) = sara(&app).await;
    let path = format!("/admin/users/{}/2fa", sara.client.id);
    let support = app.person(&admin, "support@x.example", &["support"]).await;
    assert_eq!(support.delete(&format!("/admin/users/{}/2fa", admin.id)).await.code(), "outranked");
    app.advance(Duration::from_secs(300)).await;
    assert_eq!(admin.delete(&path).await.code(), "step_up_required");
    admin.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    admin.delete(&path).await.ok();
    login(&app, json!({})).await.ok();
    assert_eq!(admin.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert!(app.actions().await.contains(&"admin.factor_reset".to_owned()));
}

/// H5: set-up by forms: the picture, the first code, the backup codes; a wrong code shows the same secret again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_second_factor_is_set_up_by_forms(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    app.person(&admin, SARA, &[]).await;
    let form = [("email", SARA), ("password", PASSWORD)];
    let browser = app.anonymous().with("cookie", &app.anonymous().form("/login", &form).await.cookies());
    let secret = |page: &str| {
        let after = page.split("data-testid=\"totp-secret\"").nth(1).expect("a secret");
        after.split('>').nth(1).expect("a text").split('<').next().expect("its end").to_owned()
    };
    let shown = browser.form("/account/two-factor", &[("act", "begin")]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text.contains("<svg xmlns"), "the picture");
    let wrong = browser.form("/account/two-factor", &[("act", "confirm"), ("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(secret(&wrong.text), secret(&shown.text));
    let code = code(&app, &decode(&secret(&shown.text)));
    let done = browser.form("/account/two-factor", &[("act", "confirm"), ("code", &code)]).await;
    assert!(done.text.contains("data-testid=\"backup-codes\""));
    app.advance(Duration::from_secs(301)).await;
    let stale = browser.form("/account/two-factor", &[("act", "codes")]).await;
    assert_eq!(stale.headers["location"], "/reauthenticate?next=%2Faccount%2Ftwo-factor");
}
