//! What an agent answers, and what is made of it (C6).

use axum::{Router, http::HeaderMap, response::Redirect, routing::post};
use tokio::net::TcpListener;

use super::*;

/// Long enough for whatever answers.
const PATIENCE: Duration = Duration::from_secs(2);

/// An agent that answers on this machine; how is a part of its paths.
async fn agent() -> Agent {
    let text = |text: &'static str| post(move || async move { text });
    let large = format!(r#"{{"result": true, "decision_id": "{}"}}"#, "x".repeat(LARGEST_ANSWER));
    let answers = Router::new()
        .route("/v1/data/yes", text(r#"{"result": true, "decision_id": "1"}"#))
        .route("/v1/data/no", text(r#"{"result": false}"#))
        .route("/v1/data/both", text(r#"{"result": {"allow": true, "deny": true, "why": ["x"]}}"#))
        .route("/v1/data/neither", text(r#"{"result": {}}"#))
        .route("/v1/data/word", text(r#"{"result": {"allow": "true"}}"#))
        .route("/v1/data/unsure", text(r#"{"result": {"allow": true, "deny": "no"}}"#))
        .route("/v1/data/undefined", text("{}"))
        .route("/v1/data/null", text(r#"{"result": null}"#))
        .route("/v1/data/list", text(r#"{"result": [true]}"#))
        .route("/v1/data/broken", text(r#"{"result": tru"#))
        .route("/v1/data/large", post(move || async move { large }))
        .route("/v1/data/silent", post(std::future::pending::<&'static str>))
        .route("/v1/data/moved", post(|| async { Redirect::temporary("/v1/data/yes") }))
        .route("/v1/data/ill", post(|| async { (StatusCode::INTERNAL_SERVER_ERROR, r#"{"result": true}"#) }))
        .route(
            "/v1/data/told",
            post(|headers: HeaderMap, body: String| async move {
                let body = serde_json::from_str::<Value>(&body).expect("JSON");
                let is_told = body == json!({"input": {"user": {"id": "1"}}});
                let bears = headers.get("authorization").is_some_and(|value| value == "Bearer a-token");
                let kind = headers.get("content-type").is_some_and(|value| value == "application/json");
                json!({"result": is_told && bears && kind}).to_string()
            }),
        );
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, answers).await });
    let opa = Opa { url, timeout_ms: 1_500, ..Opa::default() }.parse().expect("an agent");
    Agent { opa, token: Some(BearerToken::of("a-token")) }
}

async fn asked(agent: &Agent, path: &str, left: Duration) -> Verdict {
    Outside::default().ask(agent, path, &json!({"user": {"id": "1"}}), left).await
}

/// C6: the agent's booleans decide, and a deny beside an allow is told as well.
#[tokio::test]
async fn what_the_agent_answers_is_heard() {
    let agent = agent().await;
    for (path, denies, allows) in [
        ("yes", false, true),
        ("no", false, false),
        ("both", true, true),
        ("neither", false, false),
        ("word", false, false),
        ("told", false, true),
    ] {
        let wanted = Verdict::Says { denies, allows };
        assert_eq!(asked(&agent, path, PATIENCE).await, wanted, "{path}");
    }
}

/// C6: whatever is no good answer in time fails, and so denies: none at all, another one, too much of it, one from elsewhere.
#[tokio::test]
async fn without_a_good_answer_it_fails() {
    let agent = agent().await;
    for path in ["unsure", "undefined", "null", "list", "broken", "large", "moved", "ill", "nowhere"] {
        assert_eq!(asked(&agent, path, PATIENCE).await, Verdict::Failed, "{path}");
    }
    assert_eq!(asked(&agent, "silent", Duration::from_millis(50)).await, Verdict::Failed);
    assert_eq!(asked(&agent, "yes", Duration::ZERO).await, Verdict::Failed, "no time is left");
    let nobody = Agent { opa: Opa { url: "http://127.0.0.1:9".to_owned(), ..Opa::default() }, token: None };
    assert_eq!(asked(&nobody, "yes", PATIENCE).await, Verdict::Failed);
    let unset = Agent { opa: Opa::default(), token: None };
    assert_eq!(asked(&unset, "yes", PATIENCE).await, Verdict::Failed);
    let huge = json!({"user": {"note": "x".repeat(LARGEST_INPUT)}});
    assert_eq!(Outside::default().ask(&agent, "yes", &huge, PATIENCE).await, Verdict::Failed, "it is not even asked");
}

/// C6, SSRF: an agent is spoken to by https, or on this machine and then at nothing but its decisions.
#[test]
fn an_agent_is_elsewhere_by_https_only() {
    for (url, good) in [
        ("", true),
        ("https://opa.example", true),
        ("https://opa.example/", true),
        ("https://opa.example:8443/agents/one", true),
        ("http://localhost:8181", true),
        ("http://127.0.0.1:8181/", true),
        ("http://[::1]:8181", true),
        ("http://opa.example", false),
        ("http://10.0.0.1:8181", false),
        ("http://169.254.169.254", false),
        ("http://localhost.evil.example", false),
        ("http://localhost:8181/other", false),
        ("https://user@opa.example", false),
        ("https://opa.example?x=1", false),
        ("https://opa.example#x", false),
        ("file:///etc/passwd", false),
        ("opa.example", false),
    ] {
        assert_eq!(Opa { url: url.to_owned(), ..Opa::default() }.parse().is_ok(), good, "{url}");
    }
    for (timeout_ms, good) in [(49, false), (50, true), (1_500, true), (1_501, false)] {
        assert_eq!(Opa { timeout_ms, ..Opa::default() }.parse().is_ok(), good, "{timeout_ms}");
    }
    for (token, good) in [("abc.DEF-1", true), ("", true), ("a b", false), ("a\r\nx: y", false), ("رمز", false)] {
        let token = Some(BearerToken(token.to_owned()));
        assert_eq!(Opa { token: token.clone(), ..Opa::default() }.parse().is_ok(), good, "{token:?}");
    }
    assert_eq!(format!("{:?}", BearerToken("secret".to_owned())), "BearerToken(…)");
}

/// C6, SSRF: the path of a decision leads nowhere else.
#[test]
fn the_path_of_a_decision_is_plain_names() {
    assert_eq!(parse_path(" /bawwab/finance/allow/ "), Ok("bawwab/finance/allow".to_owned()));
    assert_eq!(parse_path(" / "), Err(FieldCode::Required));
    for path in ["a//b", "..", "a/../b", "a?b", "a#b", "a b", "a%2fb", "a\\b", "مسار"] {
        assert_eq!(parse_path(path), Err(FieldCode::Malformed), "{path}");
    }
    assert_eq!(parse_path("a/a/a/a/a/a/a/a/a"), Err(FieldCode::TooLong));
    assert_eq!(parse_path(&"a".repeat(61)), Err(FieldCode::TooLong));
}

/// C6: few ask with a transaction open, each of which holds a connection meanwhile; the others are told that it depends.
#[test]
fn few_ask_with_a_transaction_open() {
    let outside = Outside::default();
    let mut turns = (0..WITHIN).map(|_| outside.turn()).collect::<Vec<_>>();
    assert!(turns.iter().all(Option::is_some));
    assert!(outside.clone().turn().is_none(), "of the whole node");
    turns.pop();
    assert!(outside.turn().is_some());
}
