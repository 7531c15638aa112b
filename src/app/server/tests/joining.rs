//! Coming in by way of a mailbox: registering, forgotten passwords, sign-in links.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink, Taken};
use crate::app::server::{
    cli::set_up_link,
    test_app::{Client, PASSWORD, PUBLIC, TestApp, options_of},
};

const NEW: &str = "another long passphrase";

/// An installation with an administrator and a mailbox for everybody.
pub(super) struct World {
    pub app: TestApp,
    pub admin: Client,
    pub sink: Sink,
}

impl World {
    pub async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        // Many of these tests show more tokens from one address than an address may.
        app.admin_limits(json!({"free_by_address": 1000})).await;
        World { app, admin, sink: Sink::start(Manner::Good).await }
    }

    async fn rule(&self, registration: Value) {
        self.admin.patch("/admin/settings", json!({"registration": registration})).await.ok();
    }

    /// Sends what waits; the letters that came by it.
    async fn letters(&self) -> Vec<Taken> {
        self.sink.deliver(&self.app).await
    }

    async fn letter(&self) -> Taken {
        let mut letters = self.letters().await;
        assert_eq!(letters.len(), 1);
        letters.remove(0)
    }

    async fn register(&self, email: &str) -> Value {
        let body = json!({"email": email, "name": "ليلى", "password": PASSWORD});
        self.app.anonymous().post("/auth/register", body).await.ok()
    }

    async fn login(&self, email: &str, password: &str) -> StatusCode {
        self.app.anonymous().post("/auth/login", json!({"email": email, "password": password})).await.status
    }
}

/// A1: nobody registers until an administrator decides otherwise.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn registering_is_closed_until_it_is_opened(pool: PgPool) {
    let world = World::start(&pool).await;
    let body = json!({"email": "l@x.example", "name": "l", "password": PASSWORD});
    for mode in [None, Some("invitation")] {
        if let Some(mode) = mode {
            world.rule(json!({"mode": mode})).await;
        }
        let refused = world.app.anonymous().post("/auth/register", body.clone()).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "registration_closed"));
        assert_eq!(world.app.anonymous().get("/register").await.status, StatusCode::FORBIDDEN);
    }
    world.rule(json!({"mode": "domains", "domains": ["nakheel.example"]})).await;
    let refused = world.app.anonymous().post("/auth/register", body).await;
    assert_eq!(refused.json()["errors"][0]["code"], "domain");
    world.register("l@Nakheel.example").await;
    assert_eq!(world.letters().await.len(), 1);
}

/// A1: register, confirm, signed in with the role that everybody gets; before that the door stays shut.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_registers_confirms_and_is_in(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    let english = world.app.anonymous().with("accept-language", "en");
    let body = json!({"email": "Layla@X.example", "name": "ليلى", "password": PASSWORD});
    let told = english.post("/auth/register", body).await.ok();
    assert_eq!(told, json!({"ok": true, "message": "Check your email to confirm"}));
    assert_eq!(world.login("layla@x.example", PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.app.count("select count(*) from users").await, 1, "nobody exists yet");
    let letter = world.letter().await;
    assert_eq!(letter.to, ["layla@x.example"]);
    let page = world.app.anonymous().get(letter.link().strip_prefix(PUBLIC).expect("ours")).await;
    assert!(page.status == StatusCode::OK && page.text.contains("layla@x.example"));
    assert_eq!(world.app.count("select count(*) from users").await, 1, "looking spends nothing");
    let tokens = world.app.anonymous().post("/auth/confirm", json!({"token": letter.token()})).await.ok();
    let me = world.app.with_token(tokens["access_token"].as_str().expect("a token")).get("/auth/me").await.ok();
    assert_eq!((&me["name"], &me["roles"]), (&json!("ليلى"), &json!(["standard-user"])));
    assert_eq!(me["locale"], "en");
    assert_eq!(world.login("layla@x.example", PASSWORD).await, StatusCode::OK);
    let actions = world.app.actions().await;
    assert!(actions.contains(&"auth.register".to_owned()) && actions.contains(&"auth.confirm".to_owned()));
}

/// A1, H5: the same by the forms of the pages.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn registering_works_by_forms(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    let short = [("name", "ليلى"), ("email", "l@x.example"), ("password", "short")];
    let again = world.app.anonymous().form("/register", &short).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.text.contains("ليلى") && again.text.contains("l@x.example") && !again.text.contains("\"short\""));
    let form = [("name", "ليلى"), ("email", "l@x.example"), ("password", PASSWORD)];
    let sent = world.app.anonymous().form("/register", &form).await;
    assert_eq!((sent.status, &sent.headers["location"]), (StatusCode::SEE_OTHER, &"/register?sent=1".parse().unwrap()));
    let page = world.app.anonymous().get("/register?sent=1").await;
    assert!(page.text.contains("تم إرسال رابط التفعيل إلى بريدك — تحقق من صندوق الوارد."));
    let token = world.letter().await.token();
    let entered = world.app.anonymous().form("/confirm", &[("token", &token)]).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    let me = world.app.anonymous().with("cookie", &entered.cookies()).get("/auth/me").await.ok();
    assert_eq!(me["email"], "l@x.example");
    assert_eq!(world.app.anonymous().form("/confirm", &[("token", &token)]).await.status, StatusCode::GONE);
}

/// CVE-2026-4633, A1: an address that has an account gets the same answer, and a letter that says so.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn registering_tells_nothing_of_who_has_an_account(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    let known = world.register("hind@nakheel.example").await;
    let unknown = world.register("nobody@nakheel.example").await;
    assert_eq!(known, unknown);
    let letters = world.letters().await;
    assert_eq!(
        letters.iter().map(|letter| letter.to[0].as_str()).collect::<Vec<_>>(),
        ["hind@nakheel.example", "nobody@nakheel.example"]
    );
    assert_eq!(letters[0].link(), format!("{PUBLIC}/forgot"));
    assert!(letters[1].link().starts_with(&format!("{PUBLIC}/confirm?token=")));
    assert_eq!(world.app.count("select count(*) from users").await, 1);
}

/// GHSA-hc7v-rggr-4hvx, "32 parallel uses": of parallel confirmations on two nodes one makes the account.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_confirmations_one_makes_the_account(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    world.register("l@x.example").await;
    let token = world.letter().await.token();
    let won = world.app.race("/auth/confirm", json!({"token": token})).await;
    assert_eq!(won, 1);
    assert_eq!(world.app.count("select count(*) from users where email = 'l@x.example'").await, 1);
}

/// "Pre-hijacking": whoever registers somebody else's address can neither void their link nor take the address.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_address_belongs_to_who_confirms_it(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    world.register("l@x.example").await;
    let own = world.letter().await.token();
    let body = json!({"email": "l@x.example", "name": "evil", "password": NEW});
    world.app.anonymous().post("/auth/register", body).await.ok();
    let others = world.letter().await.token();
    world.app.anonymous().post("/auth/confirm", json!({"token": own})).await.ok();
    let late = world.app.anonymous().post("/auth/confirm", json!({"token": others})).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::GONE, "link_spent"));
    assert_eq!(world.login("l@x.example", PASSWORD).await, StatusCode::OK);
    assert_eq!(world.login("l@x.example", NEW).await, StatusCode::UNAUTHORIZED);
}

/// A1: a confirmation runs out after a day, and with the rule that let it in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_confirmation_runs_out(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    world.register("a@x.example").await;
    world.register("b@x.example").await;
    let tokens = world.letters().await.iter().map(Taken::token).collect::<Vec<_>>();
    let confirm = async |token: &str| world.app.anonymous().post("/auth/confirm", json!({"token": token})).await;
    world.rule(json!({"mode": "closed"})).await;
    assert_eq!(confirm(&tokens[0]).await.code(), "registration_closed");
    world.rule(json!({"mode": "open"})).await;
    confirm(&tokens[0]).await.ok();
    world.app.advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(confirm(&tokens[1]).await.status, StatusCode::GONE);
}

/// A5: a new password by mail, once; other sessions end, the person is told, and nobody is signed in by it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_forgotten_password_is_replaced_by_mail(pool: PgPool) {
    let world = World::start(&pool).await;
    let sara = world.app.person(&world.admin, "sara@x.example", &[]).await;
    world.app.anonymous().post("/auth/request-reset", json!({"email": "SARA@x.example"})).await.ok();
    let letter = world.letter().await;
    assert_eq!(letter.to, ["sara@x.example"]);
    let reset = async |password: &str, token: &str| {
        world.app.anonymous().post("/auth/reset", json!({"token": token, "password": password})).await
    };
    assert_eq!(reset("short", &letter.token()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::OK);
    let done = reset(NEW, &letter.token()).await;
    assert!(done.headers.get("set-cookie").is_none());
    assert_eq!(done.ok(), json!({"ok": true}));
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "every session has ended");
    assert_eq!(world.login("sara@x.example", PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.login("sara@x.example", NEW).await, StatusCode::OK);
    assert_eq!(reset(PASSWORD, &letter.token()).await.status, StatusCode::GONE);
    assert_eq!(world.letter().await.to, ["sara@x.example"], "told after the fact");
}

/// A5: the box that ends other sessions may be cleared, in the form and over REST.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn other_sessions_stay_where_the_person_wants_it(pool: PgPool) {
    let world = World::start(&pool).await;
    let sara = world.app.person(&world.admin, "sara@x.example", &[]).await;
    world.app.anonymous().form("/forgot", &[("email", "sara@x.example")]).await;
    let token = world.letter().await.token();
    let page = world.app.anonymous().get(&format!("/reset?token={token}")).await;
    assert!(page.text.contains("name=\"end_sessions\"") && page.text.contains("checked"), "ticked by default");
    let form = [("token", token.as_str()), ("password", NEW), ("password_again", NEW)];
    let done = world.app.anonymous().form("/reset", &form).await;
    assert_eq!(done.headers["location"], "/login?changed=1");
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::OK);
}

/// GHSA-hc7v-rggr-4hvx, "32 parallel uses": a reset link works once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_resets_one_wins(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.anonymous().post("/auth/request-reset", json!({"email": "hind@nakheel.example"})).await.ok();
    let token = world.letter().await.token();
    assert_eq!(world.app.race("/auth/reset", json!({"token": token, "password": NEW})).await, 1);
}

/// A5: a reset link lasts half an hour, and gives way to a newer one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_reset_link_runs_out_and_gives_way(pool: PgPool) {
    let world = World::start(&pool).await;
    let ask = async || {
        world.app.anonymous().post("/auth/request-reset", json!({"email": "hind@nakheel.example"})).await.ok();
        world.letter().await.token()
    };
    let status = async |token: &str| world.app.anonymous().get(&format!("/reset?token={token}")).await.status;
    let (first, second) = (ask().await, ask().await);
    assert_eq!((status(&first).await, status(&second).await), (StatusCode::GONE, StatusCode::OK));
    world.app.advance(Duration::from_secs(30 * 60)).await;
    assert_eq!(status(&second).await, StatusCode::GONE);
}

/// CVE-2026-4633: unknown, invited, suspended and known addresses are answered alike; only the known one gets a letter.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn asking_for_a_link_tells_nothing_of_who_has_an_account(pool: PgPool) {
    let world = World::start(&pool).await;
    let suspended = world.app.person(&world.admin, "s@x.example", &[]).await;
    world.app.person(&world.admin, "known@x.example", &[]).await;
    let path = format!("/admin/users/{}/status", suspended.id);
    world.admin.patch(&path, json!({"status": "suspended"})).await.ok();
    world.admin.post("/admin/users", json!({"email": "i@x.example", "name": "i"})).await.ok();
    for path in ["/auth/request-reset", "/auth/magic-link"] {
        let mut answers = Vec::new();
        for email in ["nobody@x.example", "s@x.example", "i@x.example", "known@x.example"] {
            let answer = world.app.anonymous().post(path, json!({"email": email})).await;
            let mut headers = answer.headers.clone();
            headers.remove("x-request-id");
            answers.push((answer.status, headers, answer.text));
        }
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
        assert_eq!(world.letter().await.to, ["known@x.example"]);
    }
}

/// GHSA-pfrf-9r5f-73f5, CVE-2025-64101: whatever the request claims, links have the configured address.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn mailed_links_never_take_their_host_from_the_request(pool: PgPool) {
    let world = World::start(&pool).await;
    world.rule(json!({"mode": "open"})).await;
    world.app.person(&world.admin, "p@x.example", &[]).await;
    for (n, (name, value)) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example;proto=http"),
    ]
    .into_iter()
    .enumerate()
    {
        let client = world.app.anonymous().with(name, value);
        let body = json!({"email": format!("n{n}@x.example"), "name": "n", "password": PASSWORD});
        client.post("/auth/register", body).await.ok();
        if n < 2 {
            client.post("/auth/request-reset", json!({"email": "hind@nakheel.example"})).await.ok();
        } else {
            client.post("/auth/magic-link", json!({"email": "p@x.example"})).await.ok();
        }
        for letter in world.letters().await {
            let link = letter.link();
            assert!(link.starts_with(&format!("{PUBLIC}/")), "{name}: {link}");
            assert!(!letter.text.contains("evil"), "{name}");
        }
    }
}

/// A7: a link signs in once, by the button of its page; looking at it spends nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_mailed_link_signs_in_once(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.person(&world.admin, "sara@x.example", &[]).await;
    world.app.anonymous().post("/auth/magic-link", json!({"email": "sara@x.example"})).await.ok();
    let letter = world.letter().await;
    assert!(letter.link().starts_with(&format!("{PUBLIC}/auth/magic-link/verify?token=")));
    for _ in 0..3 {
        let looked = world.app.anonymous().get(letter.link().strip_prefix(PUBLIC).expect("ours")).await;
        assert_eq!(looked.status, StatusCode::SEE_OTHER);
        let page = looked.headers["location"].to_str().expect("ASCII").to_owned();
        assert_eq!(world.app.anonymous().get(&page).await.status, StatusCode::OK);
    }
    let token = letter.token();
    let two = world.app.second_node().await;
    let tries = (0..32).map(|n| {
        let client = if n % 2 == 0 { world.app.anonymous() } else { two.anonymous() };
        let token = token.clone();
        tokio::spawn(async move { client.form("/magic-link", &[("token", token.as_str())]).await })
    });
    let mut entered = Vec::new();
    for attempt in tries.collect::<Vec<_>>() {
        let answer = attempt.await.expect("no panic");
        match answer.status {
            StatusCode::SEE_OTHER => entered.push(answer),
            status => assert_eq!(status, StatusCode::GONE),
        }
    }
    assert_eq!(entered.len(), 1);
    let browser = world.app.anonymous().with("cookie", &entered[0].cookies());
    assert_eq!(browser.get("/auth/me").await.ok()["email"], "sara@x.example");
}

/// A7, "e-mail is no factor": not for super-admins, not where it is off, not after ten minutes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_sign_in_link_has_its_limits(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.person(&world.admin, "sara@x.example", &[]).await;
    let ask = async |email: &str| world.app.anonymous().post("/auth/magic-link", json!({"email": email})).await;
    ask("hind@nakheel.example").await.ok();
    assert_eq!(world.letters().await.len(), 0, "a super-admin gets none");
    ask("sara@x.example").await.ok();
    let first = world.letter().await.token();
    let open = async |token: &str| world.app.anonymous().form("/magic-link", &[("token", token)]).await.status;
    let off = json!({"sign_in": {"magic_link": false, "second_factor_roles": []}});
    world.admin.patch("/admin/settings", off).await.ok();
    assert_eq!(ask("sara@x.example").await.status, StatusCode::NOT_FOUND);
    assert_eq!(open(&first).await, StatusCode::GONE, "nor does one from before open");
    let on = json!({"sign_in": {"magic_link": true, "second_factor_roles": []}});
    world.admin.patch("/admin/settings", on).await.ok();
    assert_eq!(open(&first).await, StatusCode::GONE, "GHSA-hc7v-rggr-4hvx: shown once, it is spent, refused or not");
    ask("sara@x.example").await.ok();
    let late = world.letter().await.token();
    world.app.advance(Duration::from_secs(600)).await;
    assert_eq!(open(&late).await, StatusCode::GONE);
}

/// A8: letters to one mailbox are bounded, whether it is somebody's or not, and waiting tells nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_is_flooded_with_letters(pool: PgPool) {
    let world = World::start(&pool).await;
    for email in ["hind@nakheel.example", "nobody@nakheel.example"] {
        let ask = async || world.app.anonymous().post("/auth/request-reset", json!({"email": email})).await.status;
        for _ in 0..3 {
            assert_eq!(ask().await, StatusCode::OK, "{email}");
        }
        assert_eq!(ask().await, StatusCode::TOO_MANY_REQUESTS, "{email}");
    }
    assert_eq!(world.letters().await.len(), 3);
}

/// leptos#3786: forms that sign in are not taken from other sites' pages (login CSRF).
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_other_site_posts_our_forms(pool: PgPool) {
    let world = World::start(&pool).await;
    for path in ["/register", "/confirm", "/forgot", "/reset", "/magic-link"] {
        let kind = Some("application/x-www-form-urlencoded");
        let foreign = world.app.anonymous().with("origin", "https://evil.example");
        let refused = foreign.send(Method::POST, path, kind, "token=a".into()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
    }
}

/// A8: the settings need their permissions, name what is wrong, and leave a row.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn settings_are_read_and_changed_by_whoever_may(pool: PgPool) {
    let world = World::start(&pool).await;
    let sara = world.app.person(&world.admin, "sara@x.example", &["support"]).await;
    assert_eq!(sara.get("/admin/settings").await.status, StatusCode::FORBIDDEN);
    assert_eq!(sara.patch("/admin/settings", json!({})).await.status, StatusCode::FORBIDDEN);
    let settings = world.admin.get("/admin/settings").await.ok();
    assert_eq!(settings["registration"], json!({"mode": "closed", "domains": []}));
    for (body, field) in [
        (json!({"registration": {"mode": "domains"}}), "registration.domains"),
        (json!({"registration": {"mode": "domains", "domains": ["a b"]}}), "registration.domains[0]"),
        (json!({"registration": {"mode": "anarchy"}}), "registration.mode"),
        (json!({"sign_in": {"second_factor_roles": ["nobody's role"]}}), "sign_in.second_factor_roles[0]"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let refused = world.admin.patch("/admin/settings", body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(refused.json()["errors"][0]["field"], field, "{}", refused.text);
    }
    world.rule(json!({"mode": "open"})).await;
    assert!(world.app.actions().await.contains(&"admin.settings_update".to_owned()));
    assert_eq!(world.admin.get("/admin/mail/undelivered").await.ok(), json!([]));
}

/// How many of 32 parallel posts of a form on two nodes lead into the console; the others find the link spent.
async fn form_race(app: &TestApp, path: &'static str, fields: &[(&'static str, String)]) -> usize {
    let two = app.second_node().await;
    let tries = (0..32).map(|n| {
        let client = if n % 2 == 0 { app.anonymous() } else { two.anonymous() };
        let fields = fields.to_vec();
        tokio::spawn(async move {
            let fields = fields.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
            client.form(path, &fields).await.status
        })
    });
    let mut won = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            StatusCode::SEE_OTHER => won += 1,
            status => assert_eq!(status, StatusCode::GONE),
        }
    }
    won
}

/// GHSA-hc7v-rggr-4hvx, "32 parallel uses": of parallel uses of a sign-in link one signs in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_uses_of_a_sign_in_link_one_signs_in(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.person(&world.admin, "omar@x.example", &[]).await;
    world.app.anonymous().post("/auth/magic-link", json!({"email": "omar@x.example"})).await.ok();
    let token = world.letter().await.token();
    let before = world.app.count("select count(*) from sessions").await;
    assert_eq!(form_race(&world.app, "/magic-link", &[("token", token)]).await, 1);
    assert_eq!(world.app.count("select count(*) from sessions").await, before + 1);
}

/// A12, "32 parallel uses": of parallel uses of the set-up link on two nodes one makes the first super-admin.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_uses_of_the_set_up_link_one_makes_the_account(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin_limits(json!({"free_by_address": 1000})).await;
    let link = set_up_link(app.heart.clone()).await.expect("works").expect("nobody is super-admin");
    let token = link.split_once("token=").expect("a token").1.to_owned();
    let fields = [
        ("token", token),
        ("name", "هند".to_owned()),
        ("email", "hind@nakheel.example".to_owned()),
        ("password", NEW.to_owned()),
        ("password_again", NEW.to_owned()),
    ];
    assert_eq!(form_race(&app, "/setup", &fields).await, 1);
    assert_eq!(app.count("select count(*) from users").await, 1);
}

/// D7, "32 parallel uses": of parallel uses of an invitation one chooses the password.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_uses_of_an_invitation_one_chooses(pool: PgPool) {
    let world = World::start(&pool).await;
    world.admin.post("/admin/users", json!({"email": "l@x.example", "name": "l", "mail_link": true})).await.ok();
    let token = world.letter().await.token();
    let fields = [("token", token), ("password", NEW.to_owned()), ("password_again", NEW.to_owned())];
    assert_eq!(form_race(&world.app, "/welcome", &fields).await, 1);
    assert_eq!(world.login("l@x.example", NEW).await, StatusCode::OK);
}
