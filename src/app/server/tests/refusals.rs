//! What the layers around all doors refuse is told in the same words as everything else.

use std::time::Duration;

use axum::{
    Router,
    http::{Method, StatusCode},
    routing::get,
};
use serde_json::json;
use sqlx::PgPool;

use crate::{
    app::server::{
        panics,
        test_app::{Answer, TestApp, options_of},
    },
    base::server::{config::Proxy, http::BODY_LIMIT},
};

/// The code of a problem document that carries the protecting headers.
fn problem(answer: &Answer) -> String {
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{}", answer.text);
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.json()["status"], answer.status.as_u16());
    answer.code()
}

/// RFC 9457: a body that says beforehand that it is too long is refused with the field it is about.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_body_that_announces_too_much_is_refused_with_a_problem(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let long = app.anonymous().with("content-length", &(BODY_LIMIT + 1).to_string());
    let refused = long.post("/auth/login", json!({})).await;
    assert_eq!((refused.status, problem(&refused).as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "invalid"));
    assert_eq!(refused.json()["errors"][0]["field"], "body");
    assert_eq!(refused.json()["errors"][0]["code"], "too_long");
    // A browser that posts a form without JavaScript would show the document as it is: it gets a page it can read.
    let browser = long.with("accept", "text/html,*/*;q=0.8");
    for (language, opening) in [("ar", "<html lang=\"ar\" dir=\"rtl\">"), ("en", "<html lang=\"en\" dir=\"ltr\">")] {
        let page = browser.with("accept-language", language).form("/login", &[("email", "a@b.example")]).await;
        assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers["content-language"], language);
        assert!(page.text.contains(opening) && page.text.ends_with("</html>"), "{}", page.text);
        assert!(!page.text.contains("length limit"), "{}", page.text);
        let length = page.headers.get("content-length").map(|length| length.to_str().expect("ASCII").to_owned());
        assert!(length.is_none_or(|length| length == page.text.len().to_string()));
    }
}

/// RFC 9110 §15.5.6: a door that does not take a method says which it takes, in words.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_wrong_method_is_refused_with_a_problem(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    for (method, path, takes) in [
        (Method::DELETE, "/auth/login", "POST"),
        (Method::PUT, "/admin/users", "GET,HEAD,POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
    ] {
        let refused = app.anonymous().send(method, path, None, "".into()).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(problem(&refused), "method_not_allowed", "{path}");
        assert_eq!(refused.headers["allow"], takes, "{path}");
    }
    let arabic = app.anonymous().delete("/auth/login").await;
    let english = app.anonymous().with("accept-language", "en").delete("/auth/login").await;
    assert_ne!(arabic.json()["title"], english.json()["title"]);
}

async fn panicking() -> StatusCode {
    panic!("on purpose")
}

/// "Errors", I3: a panic is counted, and whoever met it is told where the log tells more.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_panic_is_counted_and_answered_with_a_reference(pool: PgPool) {
    let _alone = panics::ALONE.lock().await;
    panics::install();
    let before = panics::count();
    let doors = Router::new().route("/panics", get(panicking));
    let app = TestApp::start(options_of(&pool)).await.with_doors(doors, Duration::from_secs(30));
    let mut references = Vec::new();
    for _ in 0..2 {
        let answer = app.anonymous().get("/panics").await;
        assert_eq!((answer.status, problem(&answer).as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "internal"));
        assert!(!answer.text.contains("on purpose"), "{}", answer.text);
        references.push(answer.json()["reference"].as_str().expect("a reference").to_owned());
    }
    assert!(references[0].len() == 32 && references[0] != references[1], "{references:?}");
    assert_eq!(panics::count(), before + 2);
}

/// "Base security", deadlines: whoever waits too long is told to try again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_deadline_is_answered_with_a_problem(pool: PgPool) {
    let doors = Router::new().route("/waits", get(std::future::pending::<StatusCode>));
    let app = TestApp::start(options_of(&pool)).await.with_doors(doors, Duration::from_millis(1));
    let answer = app.anonymous().get("/waits").await;
    assert_eq!((answer.status, problem(&answer).as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "1");
}

/// I3: where people come by https, browsers are told to come by nothing else.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn https_is_kept_to_where_it_is_used(pool: PgPool) {
    let secure = TestApp::start_at(options_of(&pool), "https://id.example.com").await;
    let plain = TestApp::start(options_of(&pool)).await;
    for path in ["/login", "/healthz", "/auth/me", "/nothing"] {
        let answer = secure.anonymous().get(path).await;
        assert_eq!(answer.headers["strict-transport-security"], "max-age=63072000; includeSubDomains", "{path}");
        assert!(!plain.anonymous().get(path).await.headers.contains_key("strict-transport-security"), "{path}");
    }
}

const SECURE: &str = "https://id.example.com";

/// The proxy through which tests come, and one through which they do not.
fn proxies(own: bool) -> [Proxy; 1] {
    [if own { "192.0.2.7" } else { "198.51.100.1" }.parse().expect("an address")]
}

/// I3: what came in the clear is led to the public address, whatever host it names, with path and query as they were.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_looks_in_the_clear_is_led_to_https(pool: PgPool) {
    let app = TestApp::start_at_behind(options_of(&pool), SECURE, &proxies(true)).await;
    let clear = app.anonymous().with("x-forwarded-proto", "http").with("host", "evil.example");
    for path in ["/", "/login?next=%2Fconsole%3Fa%3Db&x=%D8%B3", "/admin/users?q=a", "/nothing", "//evil.example/a"] {
        for method in [Method::GET, Method::HEAD] {
            let led = clear.send(method.clone(), path, None, "".into()).await;
            assert_eq!(led.status, StatusCode::PERMANENT_REDIRECT, "{method} {path}: {}", led.text);
            assert_eq!(led.headers["location"], format!("{SECURE}{path}"), "{method}");
            assert!(!led.headers.contains_key("strict-transport-security"), "{method} {path}");
            assert!(!led.headers.contains_key("set-cookie") && led.text.is_empty(), "{method} {path}");
        }
    }
    let absolute = clear.get("http://evil.example/login?a=b").await;
    assert_eq!(absolute.headers["location"], format!("{SECURE}/login?a=b"), "never an open redirect");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(clear.get(path).await.status, StatusCode::OK, "{path}: probes come past the proxy");
    }
    assert_eq!(clear.get("/metrics").await.status, StatusCode::NOT_FOUND, "not led away: there is nothing here");
    let secure = app.anonymous().with("x-forwarded-proto", "https");
    let page = secure.get("/login").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.headers["strict-transport-security"], "max-age=63072000; includeSubDomains");
}

/// I3: a secret that came in the clear is not accepted, and whoever sent it is told why.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_secret_is_taken_in_the_clear(pool: PgPool) {
    let app = TestApp::start_at_behind(options_of(&pool), SECURE, &proxies(true)).await;
    let clear = app.anonymous().with("x-forwarded-proto", "http").with("accept-language", "en");
    let body = json!({"email": "a@b.example", "password": "a long enough passphrase"});
    for (method, path) in [
        (Method::POST, "/auth/login"),
        (Method::POST, "/login"),
        (Method::PUT, "/admin/settings"),
        (Method::DELETE, "/auth/sessions"),
        (Method::OPTIONS, "/auth/login"),
    ] {
        let refused = clear.json(method.clone(), path, body.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(problem(&refused), "https_only", "{method} {path}");
        assert!(refused.json()["title"].as_str().is_some_and(|title| title.contains("https")), "{}", refused.text);
    }
    assert_eq!(app.count("select count(*) from audit_logs").await, 0, "nothing was tried");
    let secure = app.anonymous().with("x-forwarded-proto", "https").post("/auth/login", body).await;
    assert_eq!((secure.status, problem(&secure).as_str()), (StatusCode::UNAUTHORIZED, "wrong_credentials"));
}

/// I3: what a stranger says of how they came does not count, in either direction.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_stranger_is_not_believed_about_https(pool: PgPool) {
    let past = TestApp::start_at_behind(options_of(&pool), SECURE, &proxies(false)).await;
    for said in [None, Some("https"), Some("http")] {
        let stranger = said.map_or_else(|| past.anonymous(), |said| past.anonymous().with("x-forwarded-proto", said));
        assert_eq!(stranger.get("/login").await.status, StatusCode::PERMANENT_REDIRECT, "{said:?}");
        let refused = stranger.post("/auth/login", json!({})).await;
        assert_eq!((refused.status, problem(&refused).as_str()), (StatusCode::FORBIDDEN, "https_only"), "{said:?}");
        assert_eq!(stranger.get("/healthz").await.status, StatusCode::OK, "{said:?}");
    }
    // Without a named proxy nobody knows; without https there is nothing to lead to.
    let unknown = TestApp::start_at(options_of(&pool), SECURE).await;
    assert_eq!(unknown.anonymous().with("x-forwarded-proto", "http").get("/login").await.status, StatusCode::OK);
    let plain = TestApp::behind(options_of(&pool), &proxies(true)).await;
    assert_eq!(plain.anonymous().with("x-forwarded-proto", "http").get("/login").await.status, StatusCode::OK);
    // A proxy that does not say how it was reached.
    let silent = TestApp::start_at_behind(options_of(&pool), SECURE, &proxies(true)).await;
    assert_eq!(silent.anonymous().get("/login").await.status, StatusCode::OK);
}
