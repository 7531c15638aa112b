//! The numbers for an operator's monitoring: for whoever shows the token alone, and about nobody.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use serde_json::json;
use sqlx::PgPool;

use crate::app::server::test_app::{PASSWORD, TestApp, options_of};

const TOKEN: &str = "a-token-for-the-monitoring";

async fn numbers(app: &TestApp) -> BTreeMap<String, f64> {
    let answer = app.with_token(TOKEN).get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(answer.text.ends_with("# EOF\n"), "{}", answer.text);
    let lines = answer.text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a number");
        (name.to_owned(), value.parse().expect("a number"))
    });
    series.collect()
}

/// The names and values of a series' labels.
fn labels(series: &str) -> Vec<(String, String)> {
    let Some((_, labels)) = series.split_once('{') else { return Vec::new() };
    let pairs = labels.trim_end_matches('}').split("\",").filter_map(|pair| pair.split_once("=\""));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_end_matches('"').to_owned())).collect()
}

/// I6, "not open to the world": without a token in the configuration there is no such address, and with one only whoever
/// shows it reads anything.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_numbers_are_for_whoever_shows_the_token(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let absent = app.with_token(TOKEN).get("/metrics").await;
    assert_eq!((absent.status, absent.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let admin = app.admin().await;
    let app = app.with_metrics(TOKEN);
    let longer = format!("Bearer {TOKEN}x");
    let shorter = format!("Bearer {}", &TOKEN[1..]);
    let other = format!("Basic {TOKEN}");
    for shown in [None, Some(longer.as_str()), Some(&shorter), Some(&other), Some(TOKEN), Some("Bearer "), Some("")] {
        let asks = shown.map_or_else(|| app.anonymous(), |shown| app.anonymous().with("authorization", shown));
        let refused = asks.get("/metrics").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{shown:?}");
        assert_eq!(refused.headers["www-authenticate"], "Bearer", "{shown:?}");
        assert_eq!(refused.headers["content-type"], "application/problem+json", "{shown:?}");
        assert!(!refused.text.contains("bawwab_"), "{}", refused.text);
    }
    assert_eq!(
        admin.on(&app).get("/metrics").await.status,
        StatusCode::UNAUTHORIZED,
        "a super-admin's is another token"
    );
    let posted = app.with_token(TOKEN).post("/metrics", json!({})).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(numbers(&app).await.len() > 10);
}

/// I6: what happens is counted: requests with how they ended and how long they took, sign-ins, refusals.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_counters_move_with_what_happens(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let app = app.with_metrics(TOKEN);
    let admin = admin.on(&app);
    let powerless = app.person(&admin, "sara@x.example", &[]).await;
    let before = numbers(&app).await;
    admin.get("/admin/users").await.ok();
    admin.get(&format!("/admin/users/{}", admin.id)).await.ok();
    assert_eq!(powerless.get("/admin/users").await.status, StatusCode::FORBIDDEN);
    app.sign_in("sara@x.example").await;
    let wrong = json!({"email": "sara@x.example", "password": "not the password at all"});
    assert_eq!(app.anonymous().post("/auth/login", wrong).await.status, StatusCode::UNAUTHORIZED);
    let after = numbers(&app).await;
    let grew = |series: &str| {
        let of = |numbers: &BTreeMap<String, f64>| numbers.get(series).copied().unwrap_or_default();
        of(&after) - of(&before)
    };
    for (series, by) in [
        (r#"bawwab_http_requests_total{method="GET",route="/admin/users",status="200"}"#, 1.0),
        (r#"bawwab_http_requests_total{method="GET",route="/admin/users",status="403"}"#, 1.0),
        (r#"bawwab_http_requests_total{method="GET",route="/admin/users/{id}",status="200"}"#, 1.0),
        (r#"bawwab_http_requests_total{method="POST",route="/auth/login",status="401"}"#, 1.0),
        (r#"bawwab_http_request_duration_seconds_count{method="GET",route="/admin/users"}"#, 2.0),
        (r#"bawwab_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/admin/users"}"#, 2.0),
        (r#"bawwab_events_total{action="auth.login",outcome="done"}"#, 1.0),
        (r#"bawwab_events_total{action="auth.login_failed",outcome="failed"}"#, 1.0),
        (r#"bawwab_events_total{action="access.denied",outcome="denied"}"#, 1.0),
    ] {
        assert_eq!(grew(series), by, "{series} in {after:#?}");
    }
    // Who asks for the numbers is being answered meanwhile.
    assert_eq!(after["bawwab_http_requests_under_way"], 1.0);
    assert_eq!(after["bawwab_database_up"], 1.0);
    assert_eq!(after["bawwab_database_connections_most"], 12.0);
    let open =
        [r#"{state="idle"}"#, r#"{state="in_use"}"#].map(|state| after[&format!("bawwab_database_connections{state}")]);
    assert!((1.0..=12.0).contains(&(open[0] + open[1])), "{open:?}");
    assert!(after["bawwab_grants_version"] > 0.0 && after["bawwab_grants_age_seconds"] < 2.0);
    assert!(after.contains_key("bawwab_panics_total"));
    assert!(after.keys().any(|series| series.starts_with("bawwab_build_info{version=")));
}

/// I6: jobs are counted by where they stand; what failed for good stays to be seen, and the age of the oldest tells of a
/// node that does not work.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn waiting_and_failed_jobs_are_counted(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await.with_metrics(TOKEN);
    sqlx::query(
        "insert into jobs (kind, run_at, locked_until, dead_at) values
             ('mail', $1::timestamptz - interval '90 seconds', null, null),
             ('mail', $1::timestamptz - interval '10 seconds', null, null),
             ('mail', $1::timestamptz + interval '1 hour', null, null),
             ('mail', $1::timestamptz - interval '1 hour', $1::timestamptz + interval '1 minute', null),
             ('mail', $1::timestamptz - interval '1 hour', null, $1)",
    )
    .bind(app.clock.now())
    .execute(&app.owner)
    .await
    .expect("jobs");
    let numbers = numbers(&app).await;
    for (state, count) in [("due", 2.0), ("later", 1.0), ("held", 1.0), ("failed", 1.0)] {
        assert_eq!(numbers[&format!(r#"bawwab_jobs{{kind="mail",state="{state}"}}"#)], count, "{state}");
    }
    assert_eq!(numbers["bawwab_jobs_oldest_due_seconds"], 90.0);
    app.heart.close().await;
    let down = self::numbers(&app).await;
    assert_eq!(down["bawwab_database_up"], 0.0, "a database that is gone is a number too");
}

/// I6, I3: whoever asks for much cannot make the numbers many, and nothing in them tells of anybody.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn labels_are_few_and_name_nobody(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let app = app.with_metrics(TOKEN);
    let admin = admin.on(&app);
    let sara = app.person(&admin, "sara@x.example", &["support"]).await;
    let noise = async |round: usize| {
        for n in 0..8 {
            let id = uuid::Uuid::from_u128((round * 100 + n) as u128);
            admin.get(&format!("/admin/users/{id}?q=sara{n}")).await;
            admin.get(&format!("/nothing/{round}/{n}")).await;
            admin.get(&format!("/admin/nothing-{round}-{n}")).await;
            admin.get(&format!("/console/people/{id}")).await;
            let brewed = Method::from_bytes(format!("BREW{round}X{n}").as_bytes()).expect("a method");
            app.anonymous().send(brewed, "/login", None, "".into()).await;
        }
    };
    let login = json!({"email": "nobody@x.example", "password": PASSWORD});
    app.anonymous().post("/auth/login", login).await;
    noise(1).await;
    let once = numbers(&app).await.into_keys().collect::<BTreeSet<_>>();
    noise(2).await;
    let twice = numbers(&app).await.into_keys().collect::<BTreeSet<_>>();
    let more = twice.difference(&once).collect::<Vec<_>>();
    // The first reading is counted by the second.
    assert!(more.iter().all(|series| series.contains(r#"route="/metrics""#)), "{more:?}");
    let known = ["method", "route", "status", "le", "action", "outcome", "state", "kind", "version"];
    for series in &twice {
        for (name, value) in labels(series) {
            assert!(known.contains(&name.as_str()), "{series}");
            assert!(
                value.parse::<uuid::Uuid>().is_err() && !value.contains('@') && !value.contains("BREW"),
                "{series}"
            );
            assert!(!value.contains(&sara.id) && !value.contains("sara") && !value.contains("192.0.2"), "{series}");
        }
    }
    assert!(twice.iter().any(|series| series.contains(r#"method="other""#)), "{twice:?}");
    assert!(twice.iter().any(|series| series.contains(r#"route="other""#)), "{twice:?}");
}
