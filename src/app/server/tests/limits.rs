//! Guessing is slowed down, and nobody's guesses lock anybody out.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of},
    base::{puzzle::Puzzle, server::puzzles},
};

const HIND: &str = "hind@nakheel.example";

async fn guess(client: &Client, email: &str) -> Answer {
    client.post("/auth/login", json!({"email": email, "password": "wrong wrong wrong"})).await
}

fn solved(asked: &Answer) -> String {
    assert_eq!((asked.status, asked.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "puzzle_required"));
    let puzzle = serde_json::from_value::<Puzzle>(asked.json()["puzzle"].clone()).expect("a puzzle");
    puzzles::solve(&puzzle).expect("a number")
}

fn with_solution(email: &str, password: &str, solution: &str) -> Value {
    json!({"email": email, "password": password, "puzzle": solution})
}

/// A8: after the free failures an attempt waits or brings a solved puzzle, which lets one attempt through and no other.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_solved_puzzle_lets_one_attempt_through(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let nobody = app.anonymous();
    for _ in 0..5 {
        assert_eq!(guess(&nobody, HIND).await.status, StatusCode::UNAUTHORIZED);
    }
    let asked = guess(&nobody, HIND).await;
    assert!(asked.headers.contains_key("retry-after") && asked.json()["retry_after"].as_u64() > Some(0));
    let solution = solved(&asked);
    let wrong = nobody.post("/auth/login", with_solution(HIND, "wrong wrong wrong", &solution)).await;
    assert_eq!(wrong.code(), "wrong_credentials", "it was judged");
    let again = nobody.post("/auth/login", with_solution(HIND, PASSWORD, &solution)).await;
    assert_eq!(again.code(), "puzzle_required", "a solution is used up");
    nobody.post("/auth/login", with_solution(HIND, PASSWORD, &solved(&again))).await.ok();
    assert_eq!(guess(&nobody, HIND).await.status, StatusCode::UNAUTHORIZED, "whoever proved themselves starts again");
}

/// A8: a solution is for one account, real or not, and the answers tell nothing of which it is.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_puzzle_is_of_one_account_and_tells_nothing(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let nobody = app.anonymous();
    for email in [HIND, "nobody@nakheel.example"] {
        for _ in 0..5 {
            assert_eq!(guess(&nobody, email).await.status, StatusCode::UNAUTHORIZED);
        }
    }
    let (known, unknown) = (guess(&nobody, HIND).await, guess(&nobody, "nobody@nakheel.example").await);
    let keys = |answer: &Answer| answer.json().as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&known), keys(&unknown));
    let solution = solved(&unknown);
    assert_eq!(nobody.post("/auth/login", with_solution(HIND, PASSWORD, &solution)).await.code(), "puzzle_required");
}

/// CVE-2025-24806: a name that nobody has is counted as the name that it would find, however it is spelled.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn spellings_of_a_name_are_one_name(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let nobody = app.anonymous();
    for name in ["أحمد", "احمد", "أَحْمَد", "أحـمد", "إحمد"] {
        assert_eq!(guess(&nobody, name).await.status, StatusCode::UNAUTHORIZED, "{name}");
    }
    assert_eq!(guess(&nobody, "آحمد").await.status, StatusCode::TOO_MANY_REQUESTS);
}

/// A8, "32 parallel uses": of parallel uses of one solution on two nodes one is judged.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_uses_of_a_solution_one_is_judged(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    one.admin().await;
    one.admin_limits(json!({"free_by_address": 1000})).await;
    for _ in 0..5 {
        guess(&one.anonymous(), HIND).await;
    }
    let solution = solved(&guess(&one.anonymous(), HIND).await);
    let tries = (0..32).map(|n| {
        let client = if n % 2 == 0 { one.anonymous() } else { two.anonymous() };
        let body = with_solution(HIND, "wrong wrong wrong", &solution);
        tokio::spawn(async move { client.post("/auth/login", body).await.status })
    });
    let mut judged = 0;
    for attempt in tries.collect::<Vec<_>>() {
        match attempt.await.expect("no panic") {
            StatusCode::UNAUTHORIZED => judged += 1,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    assert_eq!(judged, 1);
}

/// GHSA-cq42-vhv7-xr7p: a stranger's failures do not keep a person out of the browser that they always use.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_strangers_failures_do_not_lock_a_known_browser_out(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let form = [("email", HIND), ("password", PASSWORD)];
    let known = app.anonymous().form("/login", &form).await.cookies();
    let device = known.split("; ").find(|pair| pair.starts_with("__Host-bawwab-device=")).expect("a cookie").to_owned();
    app.admin_limits(json!({"free_by_address": 1000, "puzzles": false})).await;
    for _ in 0..12 {
        guess(&app.anonymous(), HIND).await;
    }
    let stranger = app.anonymous().form("/login", &form).await;
    assert_eq!(stranger.status, StatusCode::TOO_MANY_REQUESTS);
    let own = app.anonymous().with("cookie", &device);
    assert_eq!(own.form("/login", &form).await.status, StatusCode::SEE_OTHER);
    for _ in 0..5 {
        own.form("/login", &[("email", HIND), ("password", "wrong wrong wrong")]).await;
    }
    assert_eq!(
        own.form("/login", &form).await.status,
        StatusCode::TOO_MANY_REQUESTS,
        "its own guesses are counted too"
    );
}

/// A8: an address is blocked for a time that ends, whatever it solves; rotating X-Forwarded-For helps nobody.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_address_is_blocked_for_a_time_that_ends(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    app.admin_limits(json!({"free_by_address": 5})).await;
    for n in 0..5 {
        let client = app.anonymous().with("x-forwarded-for", &format!("203.0.113.{n}"));
        assert_eq!(guess(&client, &format!("nobody{n}@x.example")).await.status, StatusCode::UNAUTHORIZED);
    }
    let blocked = guess(&app.anonymous().with("x-forwarded-for", "203.0.113.99"), "nobody@x.example").await;
    assert_eq!((blocked.status, blocked.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many"));
    let wait = blocked.json()["retry_after"].as_u64().expect("seconds");
    app.advance(Duration::from_secs(wait)).await;
    assert_eq!(guess(&app.anonymous(), "nobody@x.example").await.status, StatusCode::UNAUTHORIZED);
}

/// CVE-2026-35597: what was counted stays counted, also where the attempt itself came to nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_count_survives_the_attempt(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    for _ in 0..4 {
        guess(&app.anonymous(), HIND).await;
    }
    // Seen from another connection, as another node would after a kill.
    assert_eq!(app.count("select max(attempts)::bigint from limits").await, 4);
    assert_eq!(guess(&app.second_node().await.anonymous(), HIND).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(guess(&app.second_node().await.anonymous(), HIND).await.status, StatusCode::TOO_MANY_REQUESTS);
}

/// A8, H5: the page says how long to wait where there are no scripts, and brings the puzzle for where there are.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_page_says_what_to_wait_for(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let form = [("email", HIND), ("password", "wrong wrong wrong")];
    let english = app.anonymous().with("accept-language", "en");
    for _ in 0..5 {
        assert_eq!(english.form("/login", &form).await.status, StatusCode::UNAUTHORIZED);
    }
    let page = english.form("/login", &form).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.text.contains("name=\"puzzle\"") && page.text.contains("Try again in 2 seconds"), "{}", page.text);
    let worker = app.anonymous().send(Method::GET, "/puzzle.js", None, Default::default()).await;
    assert_eq!(worker.headers["content-type"], "text/javascript; charset=utf-8");
}
