//! Settings: who may change them, that a change holds everywhere at once, and what they decide.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink};
use crate::{
    access::server::Cx,
    app::server::{
        mailer,
        test_app::{PASSWORD, TestApp, options_of, post_to},
    },
    base::server::mail,
};

/// D4: a change holds on every node with the next request, and each group that changed leaves a row of its own.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_change_holds_on_every_node_and_is_recorded_group_by_group(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    two.heart.refresh().await.expect("the grants");
    let edit = json!({
        "registration": {"mode": "open"},
        "passwords": {"shortest": 20},
        "lifetimes": {"access_minutes": 5},
        // As it is: no change.
        "sign_in": {"second_factor_roles": []},
    });
    let after = admin.patch("/admin/settings", edit).await.ok();
    assert_eq!(after["passwords"]["shortest"], 20);
    assert_eq!(after["lifetimes"], json!({"access_minutes": 5, "idle_days": 30, "absolute_days": 90}));
    let keys: Vec<String> = sqlx::query_scalar(
        "select resource_name from audit_logs where action = 'admin.settings_update' order by resource_name",
    )
    .fetch_all(&one.owner)
    .await
    .expect("the log");
    assert_eq!(keys, ["accounts.passwords", "accounts.registration", "sessions.lifetimes"]);
    let body = json!({"email": "l@x.example", "name": "l", "password": "kV9tq2xLp0zWmmT7"});
    let refused = two.anonymous().post("/auth/register", body).await;
    assert_eq!(
        refused.json()["errors"][0],
        json!({"field": "password", "code": "too_short", "title": "أقصر من اللازم"})
    );
    let login = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    assert_eq!(two.anonymous().post("/auth/login", login).await.ok()["expires_in"], 300);
}

/// D4: who edits what somebody else has changed meanwhile is told so, and nothing of theirs is kept.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_stale_change_of_settings_is_refused(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let seen = admin.get("/admin/settings").await;
    let etag = seen.headers["etag"].to_str().expect("a text").to_owned();
    admin.patch("/admin/settings", json!({"lifetimes": {"idle_days": 7}})).await.ok();
    let late = json!({"lifetimes": {"idle_days": 9}});
    let stale = admin.with("if-match", &etag).patch("/admin/settings", late.clone()).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "stale"));
    let mut named = late;
    named["version"] = seen.json()["version"].clone();
    assert_eq!(admin.patch("/admin/settings", named.clone()).await.status, StatusCode::CONFLICT);
    named["version"] = admin.get("/admin/settings").await.ok()["version"].clone();
    assert_eq!(admin.patch("/admin/settings", named).await.ok()["lifetimes"]["idle_days"], 9);
}

/// D4: of two changes at once on the same version one is kept.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_changes_on_one_version_one_is_kept(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    two.heart.refresh().await.expect("the grants");
    let version = admin.get("/admin/settings").await.ok()["version"].clone();
    let tries = (0..8).map(|n| {
        let admin = if n % 2 == 0 { admin.clone() } else { admin.on(&two) };
        let edit = json!({"lifetimes": {"idle_days": 10 + n}, "version": version});
        tokio::spawn(async move { admin.patch("/admin/settings", edit).await.status })
    });
    let mut kept = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            StatusCode::OK => kept += 1,
            status => assert_eq!(status, StatusCode::CONFLICT),
        }
    }
    assert_eq!(kept, 1);
}

/// D4, ASVS 2.2.1: every bound is the server's, whatever a browser lets through, and all that is wrong is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_outside_its_bounds_is_named(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let edit = json!({
        "passwords": {"shortest": 7, "shortest_with_second_factor": 70, "leaked_lookup": "http://10.0.0.1/"},
        "lifetimes": {"access_minutes": 0, "idle_days": 91, "absolute_days": 400},
    });
    let refused = admin.patch("/admin/settings", edit).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let named =
        refused.json()["errors"].as_array().expect("errors").iter().map(|e| e["field"].clone()).collect::<Vec<_>>();
    for field in [
        "passwords.shortest",
        "passwords.shortest_with_second_factor",
        "passwords.leaked_lookup",
        "lifetimes.access_minutes",
        "lifetimes.idle_days",
        "lifetimes.absolute_days",
    ] {
        assert!(named.contains(&Value::from(field)), "{field}: {named:?}");
    }
    assert_eq!(admin.get("/admin/settings").await.ok()["lifetimes"]["idle_days"], 30);
}

/// A3, NIST 3.1.1.2: the rule for passwords holds wherever one is chosen, and beside a second factor eight characters do.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_chosen_password_is_judged_at_every_door(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    admin.patch("/admin/settings", json!({"registration": {"mode": "open"}})).await.ok();
    let leaked = "qwertyuiopasdfghjkl";
    let wrong = |answer: &Value| answer["errors"][0]["code"].clone();
    for (password, code) in [(leaked, "leaked"), ("layla@x.example", "weak"), ("kV9tq2xLp0zW", "too_short")] {
        let person = json!({"email": "layla@x.example", "name": "Layla", "password": password});
        let added = admin.post("/admin/users", person.clone()).await;
        assert_eq!((added.status, wrong(&added.json())), (StatusCode::UNPROCESSABLE_ENTITY, json!(code)), "{password}");
        let registered = app.anonymous().post("/auth/register", person).await;
        assert_eq!(wrong(&registered.json()), code, "{password}");
    }
    let added = admin.post("/admin/users", json!({"email": "layla@x.example", "name": "Layla"})).await.ok();
    let link = added["link"].as_str().expect("a link");
    let token = link.split_once("token=").expect("a token").1;
    let form = |password: &'static str| [("token", token), ("password", password), ("password_again", password)];
    assert_eq!(app.anonymous().form("/welcome", &form(leaked)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let short = "kV9tq2xLp0zW";
    assert_eq!(app.anonymous().form("/welcome", &form(short)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    sqlx::query("update users set second_factor_at = now() where email = 'layla@x.example'")
        .execute(&app.owner)
        .await
        .expect("a factor");
    assert_eq!(app.anonymous().form("/welcome", &form(short)).await.status, StatusCode::SEE_OTHER);
}

/// A1: a letter that could not be sent is seen, tried again by whoever may, and goes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_dead_letter_is_tried_again(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let reader = admin.make_role("reader", &["settings.read"]).await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    admin.post(&format!("/admin/users/{}/roles", sara.id), json!({"roles": [reader]})).await.ok();
    let sink = Sink::start(Manner::RefusesRecipient("550 no such mailbox")).await;
    let cx = Cx::for_job(app.heart.clone(), mail::KIND);
    admin.post("/admin/mail/test", json!({})).await.ok();
    assert!(mailer::once(&cx, &post_to(sink.port)).await.expect("the queue works"));
    let dead = admin.get("/admin/mail").await.ok();
    assert_eq!(dead["undelivered"][0]["about"], "test");
    assert!(dead["undelivered"][0]["error"].as_str().expect("an answer").contains("550"));
    let path = format!("/admin/mail/undelivered/{}/retry", dead["undelivered"][0]["id"]);
    assert_eq!(sara.get("/admin/mail").await.status, StatusCode::OK);
    assert_eq!(sara.post(&path, json!({})).await.status, StatusCode::FORBIDDEN);
    admin.post(&path, json!({})).await.ok();
    assert_eq!(admin.post(&path, json!({})).await.status, StatusCode::NOT_FOUND, "it lives");
    sink.behave(Manner::Good);
    assert!(mailer::once(&cx, &post_to(sink.port)).await.expect("the queue works"));
    assert_eq!(sink.letters()[0].to, ["hind@nakheel.example"]);
    assert_eq!(admin.get("/admin/mail").await.ok()["undelivered"], json!([]));
    let actions = app.actions().await;
    assert!(actions.contains(&"admin.mail_test".to_owned()) && actions.contains(&"admin.mail_retry".to_owned()));
}

/// RFC 6376: with a key every letter is signed, in the name of the sender's domain.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn letters_are_signed_where_a_key_is_set(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::Good).await;
    admin.post("/admin/mail/test", json!({})).await.ok();
    let key = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7_u8; 32]);
    let post = post_to(sink.port).signing("mail2026", Some("nakheel.example"), &key).expect("a key");
    assert!(post.facts().is_signed && post.facts().by_smtp);
    let cx = Cx::for_job(app.heart.clone(), mail::KIND);
    assert!(mailer::once(&cx, &post).await.expect("the queue works"));
    let letter = sink.letters()[0].text.replace("\r\n ", "").replace("\r\n\t", "");
    let signature = letter.lines().find(|line| line.starts_with("DKIM-Signature:")).expect("a signature");
    for part in ["a=ed25519-sha256", "d=nakheel.example", "s=mail2026", "c=simple/relaxed"] {
        assert!(signature.contains(part), "{part}: {signature}");
    }
    assert!(post_to(sink.port).signing("mail2026", None, "no key").is_err());
}

/// D4: the page is for whoever may read the settings, and shows each of them with its value.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_page_shows_every_setting(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let entered = app.anonymous().form("/login", &form).await;
    let browser = app.anonymous().with("cookie", &entered.cookies()).with("accept-language", "en");
    let page = browser.send(Method::GET, "/console/settings", None, Default::default()).await;
    assert_eq!(page.status, StatusCode::OK);
    for field in
        ["registration.mode", "sign_in.magic_link", "passwords.shortest", "lifetimes.idle_days", "branding.accent"]
    {
        assert!(page.text.contains(&format!("id=\"field-{field}\"")), "{field}");
    }
    assert!(page.text.contains("href=\"/console/settings\""), "in the menu");
}
