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
    base::server::http::BODY_LIMIT,
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
    // A browser that posts a form without JavaScript would show the document as it is.
    let page = long.with("accept", "text/html,*/*;q=0.8").form("/login", &[("email", "a@b.example")]).await;
    assert_eq!(page.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_ne!(page.headers["content-type"], "application/problem+json");
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
