//! What is new about a sign-in: the mailed code, the letter about a device, and a token from another device.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{
    authenticator::Authenticator,
    sink::{Manner, Sink, Taken},
};
use crate::app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of};

const SARA: &str = "sara@x.example";

/// The rules as they come, somebody who has signed in once as a program, and a mailbox.
struct World {
    app: TestApp,
    admin: Client,
    sink: Sink,
}

impl World {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        app.person(&admin, SARA, &[]).await;
        let all =
            json!({"ask_new_device": true, "ask_new_network": true, "ask_new_country": true, "mail_new_device": true});
        admin.patch("/admin/settings", json!({"risk": all})).await.ok();
        World { app, admin, sink: Sink::start(Manner::Good).await }
    }

    async fn letters(&self) -> Vec<Taken> {
        self.sink.deliver(&self.app).await
    }

    async fn code(&self) -> String {
        let letters = self.letters().await;
        assert_eq!(letters.len(), 1);
        code_in(&letters[0])
    }

    async fn login(&self, client: &Client) -> Answer {
        client.post("/auth/login", json!({"email": SARA, "password": PASSWORD})).await
    }

    /// A program of another make.
    fn stranger(&self) -> Client {
        self.app.anonymous().with("user-agent", "other/1.0")
    }

    async fn step(&self) -> (String, String) {
        let asked = self.login(&self.stranger()).await;
        assert_eq!((asked.status, asked.code().as_str()), (StatusCode::UNAUTHORIZED, "mailed_code_required"));
        (asked.json()["step"].as_str().expect("a step").to_owned(), self.code().await)
    }
}

fn code_in(letter: &Taken) -> String {
    let plain = letter.plain();
    let code = plain.lines().map(str::trim).find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit()));
    code.unwrap_or_else(|| panic!("no code in {plain}")).to_owned()
}

fn other(code: &str) -> String {
    code.chars().map(|c| if c == '9' { '0' } else { char::from(c as u8 + 1) }).collect()
}

/// A9: the first sign-in is not new; a new program then needs the code from the mailbox, and is known afterwards.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_new_device_needs_the_mailed_code_once(pool: PgPool) {
    let world = World::start(&pool).await;
    world.login(&world.app.anonymous()).await.ok();
    let (step, code) = world.step().await;
    let stranger = world.stranger();
    let entered = stranger.post("/auth/login/code", json!({"step": step, "code": code})).await.ok();
    let me = world.app.with_token(entered["access_token"].as_str().expect("a token")).get("/auth/me").await.ok();
    assert_eq!(me["email"], SARA);
    let again = stranger.post("/auth/login/code", json!({"step": step, "code": code})).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::UNAUTHORIZED, "signed_out"));
    world.login(&stranger).await.ok();
    let actions = world.app.actions().await;
    assert!(actions.contains(&"auth.code_sent".to_owned()));
    let new: Value = sqlx::query_scalar("select meta -> 'new' from audit_logs where action = 'auth.code_sent'")
        .fetch_one(&world.app.owner)
        .await
        .expect("a row");
    assert_eq!(new, json!(["device"]));
}

/// A9, ASVS 6.6.2: a mailed code is bound to its sign-in, runs out, and is tried five times at most.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_mailed_code_is_bound_runs_out_and_ends_after_five_tries(pool: PgPool) {
    let world = World::start(&pool).await;
    let (old_step, old_code) = world.step().await;
    let (step, code) = world.step().await;
    let open = async |step: &str, code: &str| {
        world.stranger().post("/auth/login/code", json!({"step": step, "code": code})).await
    };
    assert_eq!(open(&old_step, &old_code).await.code(), "signed_out", "a newer one voids it");
    assert_eq!(open(&step, &old_code).await.code(), if old_code == code { "" } else { "wrong_code" });
    let browser = world.app.anonymous().with("cookie", &format!("__Host-bawwab-step={step}"));
    let form = browser.form("/login/mailed", &[("mailed_code", code.as_str())]).await;
    assert_eq!(form.headers["location"], "/login", "a program's step is no browser's");
    for _ in 0..4 {
        assert_eq!(open(&step, &other(&code)).await.code(), "wrong_code");
        world.app.advance(Duration::from_secs(60)).await;
    }
    assert_eq!(open(&step, &code).await.code(), "signed_out", "five tries are over");
    world.app.advance(Duration::from_secs(3_600 * 25)).await;
    let (step, code) = world.step().await;
    world.app.advance(Duration::from_secs(600)).await;
    assert_eq!(open(&step, &code).await.code(), "signed_out", "ten minutes are over");
}

/// A9, "32 parallel uses": of parallel uses of a mailed code on two nodes one opens a session.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_uses_of_a_mailed_code_one_signs_in(pool: PgPool) {
    let world = World::start(&pool).await;
    let two = world.app.second_node().await;
    let before = world.app.count("select count(*) from sessions").await;
    let (step, code) = world.step().await;
    let tries = (0..32).map(|n| {
        let client = if n % 2 == 0 { world.stranger() } else { two.anonymous().with("user-agent", "other/1.0") };
        let body = json!({"step": step, "code": code});
        tokio::spawn(async move { client.post("/auth/login/code", body).await.status })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        won += usize::from(attempt.await.expect("no panic") == StatusCode::OK);
    }
    assert_eq!(won, 1);
    assert_eq!(world.app.count("select count(*) from sessions").await, before + 1);
}

/// A9: a new network asks as well, an address beside the known one does not, and a rule that is off asks for nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_new_network_asks_and_a_neighbour_does_not(pool: PgPool) {
    let world = World::start(&pool).await;
    let proxy = "192.0.2.7".parse().expect("an address");
    let app = TestApp::again_behind(&world.app, &[proxy]).await;
    let from = |ip: &str| app.anonymous().with("x-forwarded-for", ip);
    assert_eq!(world.login(&from("192.0.2.200")).await.status, StatusCode::OK, "the same network");
    let asked = world.login(&from("198.51.100.1")).await;
    assert_eq!(asked.code(), "mailed_code_required");
    let off =
        json!({"ask_new_device": false, "ask_new_network": false, "ask_new_country": false, "mail_new_device": false});
    world.admin.patch("/admin/settings", json!({"risk": off})).await.ok();
    assert_eq!(world.login(&from("198.51.100.1")).await.status, StatusCode::OK);
    let seen: Vec<String> = sqlx::query_scalar("select network from known_places order by network")
        .fetch_all(&world.app.owner)
        .await
        .expect("places");
    assert!(seen.contains(&"198.51.100.0/24".to_owned()), "{seen:?}");
}

/// A9: with a database of countries another country asks even where networks do not, and the sessions say where they are.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_new_country_asks_where_countries_are_known(pool: PgPool) {
    let world = World::start(&pool).await;
    let only =
        json!({"ask_new_device": false, "ask_new_network": false, "ask_new_country": true, "mail_new_device": false});
    world.admin.patch("/admin/settings", json!({"risk": only})).await.ok();
    let proxy = "192.0.2.7".parse().expect("an address");
    let app = TestApp::again_behind(&world.app, &[proxy]).await.with_countries(&[(203, "SA"), (198, "EG")], &[proxy]);
    let from = |ip: &str| app.anonymous().with("x-forwarded-for", ip);
    let tokens = world.login(&from("203.0.113.1")).await.ok();
    assert_eq!(world.login(&from("203.9.9.9")).await.status, StatusCode::OK, "the same country");
    assert_eq!(world.login(&from("198.51.100.1")).await.code(), "mailed_code_required");
    let here = app.with_token(tokens["access_token"].as_str().expect("a token")).get("/auth/sessions").await.ok();
    let countries = here.as_array().expect("a list").iter().map(|one| one["country"].clone()).collect::<Vec<_>>();
    assert!(countries.contains(&json!("SA")), "{countries:?}");
}

/// A9: a device that was not seen for so long is new again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_device_of_long_ago_is_new_again(pool: PgPool) {
    let world = World::start(&pool).await;
    let age = async |days: i32| {
        let query = sqlx::query("update devices set last_seen_at = last_seen_at - make_interval(days => $1)");
        query.bind(days).execute(&world.app.owner).await.expect("works");
    };
    age(179).await;
    world.login(&world.app.anonymous()).await.ok();
    age(181).await;
    assert_eq!(world.login(&world.app.anonymous()).await.code(), "mailed_code_required");
}

/// A9, B3: a code that was mailed before a second factor was set up opens nothing any more.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_mailed_code_does_not_stand_for_a_second_factor(pool: PgPool) {
    let world = World::start(&pool).await;
    let tokens = world.login(&world.app.anonymous()).await.ok();
    let sara = world.app.with_token(tokens["access_token"].as_str().expect("a token"));
    let id = sara.get("/auth/me").await.ok()["id"].clone();
    let (step, code) = world.step().await;
    let open = async || world.stranger().post("/auth/login/code", json!({"step": step, "code": code})).await.code();
    let factor = "update users set second_factor_at = case when $1 then created_at end where email = $2";
    let set = async |on: bool| {
        sqlx::query(factor).bind(on).bind(SARA).execute(&world.app.owner).await.expect("works");
    };
    set(true).await;
    assert_eq!(open().await, "signed_out", "the person as they are now");
    set(false).await;
    let asked = sara.post("/auth/webauthn/register/challenge", json!({"userId": id})).await.ok();
    let attestation = Authenticator::new().create(&asked["publicKey"]);
    let added = sara.post("/auth/webauthn/register/complete", json!({"attestation": attestation})).await.ok();
    // Also where the passkey is gone again: the step went with its coming.
    sara.delete(&format!("/auth/webauthn/credentials/{}", added["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(open().await, "signed_out");
    let opened = world.app.count("select count(*) from sessions where user_agent = 'other/1.0'").await;
    assert_eq!(opened, 0);
}

/// A9, H5: a browser is led through the same step by forms, on an Arabic keyboard too.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_browser_is_led_through_the_mailed_code(pool: PgPool) {
    let world = World::start(&pool).await;
    let form = [("email", SARA), ("password", PASSWORD), ("next", "/console/account")];
    let half = world.app.anonymous().form("/login", &form).await;
    assert_eq!(half.headers["location"], "/login/mailed?next=%2Fconsole%2Faccount");
    assert!(!half.cookies().contains("__Host-bawwab-session="), "nobody is in yet");
    let browser = world.app.anonymous().with("cookie", &half.cookies());
    let code = world.code().await;
    let wrong = browser.form("/login/mailed", &[("mailed_code", &other(&code))]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let arabic = code.chars().map(|c| char::from_u32(0x0660 + u32::from(c) - 48).expect("a digit")).collect::<String>();
    let entered = browser.form("/login/mailed", &[("mailed_code", &arabic), ("next", "/console/account")]).await;
    assert_eq!(entered.headers["location"], "/console/account", "{}", entered.text);
    let me = world.app.anonymous().with("cookie", &entered.cookies()).get("/auth/me").await.ok();
    assert_eq!(me["email"], SARA);
}

/// A6: a sign-in from an unknown device is told by mail, with the way to the sessions; a known one and a first one are not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_new_device_is_told_by_mail(pool: PgPool) {
    let world = World::start(&pool).await;
    let quiet = json!({"ask_new_device": false, "mail_new_device": true});
    world.admin.patch("/admin/settings", json!({"risk": quiet})).await.ok();
    world.admin.post("/admin/users", json!({"email": "new@x.example", "name": "n", "password": PASSWORD})).await.ok();
    world.app.sign_in("new@x.example").await;
    world.login(&world.app.anonymous()).await.ok();
    assert!(world.letters().await.is_empty());
    world.login(&world.stranger()).await.ok();
    let letters = world.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, [SARA]);
    assert_eq!(letters[0].link(), format!("{}/console/account", crate::app::server::test_app::PUBLIC));
    world.login(&world.stranger()).await.ok();
    assert!(world.letters().await.is_empty());
}

/// A6: a refresh token shown by another device is not traded until somebody proves that it is theirs; the session stays.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_refresh_from_another_device_asks_for_a_proof(pool: PgPool) {
    let world = World::start(&pool).await;
    let tokens = world.login(&world.app.anonymous()).await.ok();
    let token = tokens["refresh_token"].clone();
    let stranger = world.stranger();
    let asked = stranger.post("/auth/refresh", json!({"refresh_token": token})).await;
    assert_eq!((asked.status, asked.code().as_str()), (StatusCode::UNAUTHORIZED, "step_up_required"));
    let own = world.app.with_token(tokens["access_token"].as_str().expect("a token"));
    assert_eq!(own.get("/auth/me").await.status, StatusCode::OK, "the session is kept");
    let prove = |password: &str| json!({"refresh_token": token, "password": password});
    assert_eq!(stranger.post("/auth/refresh/prove", prove("wrong wrong wrong")).await.code(), "wrong_credentials");
    let nothing = json!({"refresh_token": "nothing", "password": PASSWORD});
    assert_eq!(stranger.post("/auth/refresh/prove", nothing).await.code(), "signed_out");
    stranger.post("/auth/refresh/prove", prove(PASSWORD)).await.ok();
    let next = stranger.post("/auth/refresh", json!({"refresh_token": token})).await.ok();
    let back = world.app.anonymous().post("/auth/refresh", json!({"refresh_token": next["refresh_token"]})).await;
    assert_eq!(back.code(), "step_up_required", "now it is that device's");
    assert!(world.app.actions().await.contains(&"auth.device_challenge".to_owned()));
}

/// A6, "cookie tossing": a browser's session secret without the browser's own device cookie is no session.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_session_cookie_without_its_device_is_nobody(pool: PgPool) {
    let world = World::start(&pool).await;
    let off = json!({"ask_new_device": false, "mail_new_device": false});
    world.admin.patch("/admin/settings", json!({"risk": off})).await.ok();
    let entered = world.app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await;
    let all = entered.cookies();
    let part = |name: &str| all.split("; ").find(|pair| pair.starts_with(name)).expect("a cookie").to_owned();
    let stolen = world.app.anonymous().with("cookie", &part("__Host-bawwab-session"));
    assert_eq!(stolen.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let whole = format!("{}; {}", part("__Host-bawwab-session"), part("__Host-bawwab-device"));
    assert_eq!(world.app.anonymous().with("cookie", &whole).get("/auth/me").await.status, StatusCode::OK);
    assert!(world.app.actions().await.contains(&"auth.device_challenge".to_owned()));
}
