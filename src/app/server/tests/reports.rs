//! The dashboard: what is counted of the log, each row once, and how the tenant stood on each day.

use std::{collections::BTreeMap, time::Duration};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    access::server::Cx,
    app::server::{
        invariants,
        test_app::{Client, PASSWORD, TestApp, options_of},
    },
    audit::server::seal,
    reports::server::standings,
};

const DAY: Duration = Duration::from_secs(86_400);

fn job(app: &TestApp) -> Cx {
    Cx::for_job(app.heart.clone(), "test")
}

async fn seal(app: &TestApp) -> u64 {
    seal::seal(&job(app)).await.expect("sealed")
}

/// So much later; the administrator's token has run out meanwhile.
async fn later(app: &TestApp, by: Duration) -> Client {
    app.advance(by).await;
    app.sign_in("hind@nakheel.example").await
}

async fn fail(app: &TestApp, email: &str) {
    let wrong = json!({"email": email, "password": "not the password at all"});
    assert_eq!(app.anonymous().post("/auth/login", wrong).await.status, StatusCode::UNAUTHORIZED);
}

async fn run(app: &TestApp, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&app.owner).await.expect(statement);
}

async fn dashboard(client: &Client, days: u32) -> Value {
    client.get(&format!("/admin/dashboard?days={days}")).await.ok()
}

/// The line of a day.
fn on<'a>(dashboard: &'a Value, list: &str, day: &str) -> &'a Value {
    let lines = dashboard[list].as_array().expect("a list").iter();
    lines.clone().find(|line| line["day"] == day).unwrap_or_else(|| panic!("{day} in {dashboard}"))
}

type Counts = BTreeMap<(String, String, String, String), i64>;

/// What a query counts by chain, day, action and outcome.
async fn counts(app: &TestApp, query: &'static str) -> Counts {
    let rows: Vec<(String, String, String, String, i64)> =
        sqlx::query_as(query).fetch_all(&app.owner).await.expect("counts");
    rows.into_iter().map(|(chain, day, action, outcome, total)| ((chain, day, action, outcome), total)).collect()
}

const KEPT: &str = "select chain::text, day::text, action, outcome, total from audit_daily";
const THERE: &str =
    "select audit_chain_of(tenant_id)::text, (created_at at time zone 'UTC')::date::text, action, outcome,
    count(*) from audit_logs group by 1, 2, 3, 4";

/// D5: each row of the log is counted once, on its day, whichever node seals it and however often; before that not at all.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn each_row_of_the_log_is_counted_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    app.person(&admin, "sara@x.example", &[]).await;
    fail(&app, "nobody@x.example").await;
    assert_eq!(counts(&app, KEPT).await, Counts::new(), "what is not sealed is not counted");
    let two = app.second_node().await;
    let (one, other) = tokio::join!(seal(&app), seal(&two));
    assert!(one + other > 4);
    assert_eq!(counts(&app, KEPT).await, counts(&app, THERE).await);
    seal(&app).await;
    app.advance(DAY).await;
    app.sign_in("sara@x.example").await;
    fail(&app, "sara@x.example").await;
    seal(&app).await;
    assert_eq!(counts(&app, KEPT).await, counts(&app, THERE).await);
}

/// D5: what was sealed before there was counting is counted by the migration, once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_was_sealed_before_is_counted_by_the_migration(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    seal(&app).await;
    admin.post("/admin/roles", json!({"name": "waits"})).await.ok();
    let sealed = counts(&app, KEPT).await;
    assert!(!sealed.is_empty());
    let migration = include_str!("../../../../migrations/20261123110000_audit_daily.sql");
    run(
        &app,
        "drop trigger audit_chain_counted on audit_chain; drop function audit_chain_count(); drop table audit_daily",
    )
    .await;
    run(&app, &format!("begin; {migration}; commit")).await;
    assert_eq!(counts(&app, KEPT).await, sealed);
    seal(&app).await;
    assert_eq!(counts(&app, KEPT).await, counts(&app, THERE).await, "and the row that waited by the trigger");
}

/// D5: 7, 30 or 90 days, today included, each with its line; what happened stands on the day on which it did.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_range_is_so_many_days_with_today(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    app.person(&admin, "sara@x.example", &[]).await;
    fail(&app, "sara@x.example").await;
    let admin = later(&app, 7 * DAY).await;
    let body = json!({"email": "sara@x.example", "password": PASSWORD});
    let tokens = app.anonymous().post("/auth/login", body).await.ok();
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    app.anonymous().post("/auth/refresh", refresh.clone()).await.ok();
    app.advance(Duration::from_secs(60)).await;
    assert_eq!(app.anonymous().post("/auth/refresh", refresh).await.status, StatusCode::UNAUTHORIZED);
    seal(&app).await;

    for (days, first) in [(7, "2026-11-23"), (30, "2026-10-31"), (90, "2026-09-01")] {
        let told = dashboard(&admin, days).await;
        let lines = told["events"].as_array().expect("a list");
        assert_eq!(lines.len(), usize::try_from(days).expect("small"));
        assert_eq!((&lines[0]["day"], &lines[lines.len() - 1]["day"]), (&json!(first), &json!("2026-11-29")));
    }
    let usual = admin.get("/admin/dashboard").await.ok();
    assert_eq!(usual["events"], dashboard(&admin, 30).await["events"]);
    let today = json!(
        {"day": "2026-11-29", "signed_in": 2, "failed": 0, "locked_out": 0, "rotations": 1, "reused": 1}
    );
    assert_eq!(on(&usual, "events", "2026-11-29"), &today);
    assert_eq!(on(&usual, "events", "2026-11-22")["failed"], 1);
    let week = dashboard(&admin, 7).await;
    let failed =
        week["events"].as_array().expect("a list").iter().map(|line| line["failed"].as_i64().expect("a number"));
    assert_eq!(failed.sum::<i64>(), 0, "the day before is outside");
    for wrong in ["0", "8", "-7", "x", "365"] {
        let refused = admin.get(&format!("/admin/dashboard?days={wrong}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert_eq!(refused.json()["errors"][0]["field"], "days", "{wrong}");
    }
}

/// D5: the standing of a day is the last that was seen on it; today's is as it is now.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_day_stands_as_it_was_last_seen(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    assert_eq!(standings::keep(&job(&app)).await.expect("kept"), 1);
    assert_eq!(standings::keep(&job(&app)).await.expect("kept"), 0, "it is not due again yet");
    admin.post("/admin/groups", json!({"name": "night"})).await.ok();
    admin.post("/admin/users", json!({"email": "w@x.example", "name": "w"})).await.ok();
    let admin = later(&app, Duration::from_secs(3_600)).await;
    assert_eq!(standings::keep(&job(&app)).await.expect("kept"), 1, "an hour later it is");
    assert_eq!(app.count("select count(*) from daily_standings").await, 1, "and the day has one standing");
    admin.make_role("own", &[]).await;

    let admin = later(&app, 2 * DAY).await;
    sqlx::query("update users set second_factor_at = created_at where email = 'hind@nakheel.example'")
        .execute(&app.owner)
        .await
        .expect("works");
    let told = dashboard(&admin, 7).await;
    let days = told["standings"].as_array().expect("a list").iter().map(|line| line["day"].as_str().expect("a day"));
    assert_eq!(days.collect::<Vec<_>>(), ["2026-11-22", "2026-11-24"], "nobody looked on the day between");
    let (then, now) = (on(&told, "standings", "2026-11-22"), on(&told, "standings", "2026-11-24"));
    let of = |line: &Value| {
        ["active", "invited", "suspended", "with_second_factor", "groups"].map(|name| line[name].clone())
    };
    assert_eq!(of(then), [1, 1, 0, 0, 1].map(Value::from));
    assert_eq!(of(now), [1, 1, 0, 1, 1].map(Value::from));
    assert_eq!(now["roles"].as_i64(), then["roles"].as_i64().map(|roles| roles + 1));
}

/// D5, D3: nobody is told another tenant's numbers; what belongs to no tenant is a super-admin's to see.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn other_tenants_are_not_counted(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    admin.make_role("analyst", &["reports.read"]).await;
    let analyst = app.person(&admin, "analyst@x.example", &["analyst"]).await;
    fail(&app, "analyst@x.example").await;
    fail(&app, "nobody@x.example").await;
    seal(&app).await;
    let other = Uuid::from_u64_pair(9, 9);
    run(
        &app,
        &format!(
            "insert into tenants (id, name) values ('{other}', 'another');
             insert into audit_daily (chain, day, action, outcome, total)
             values ('{other}', '2026-11-22', 'auth.login_failed', 'failed', 1000);
             insert into daily_standings (tenant_id, day, active, invited, suspended, with_second_factor, roles, groups,
                 waiting, seen_at)
             values ('{other}', '2026-11-21', 1000, 0, 0, 0, 0, 0, 0, '2026-11-21T12:00:00Z');
             insert into groups (tenant_id, name) values ('{other}', 'theirs')"
        ),
    )
    .await;
    let told = dashboard(&analyst, 7).await;
    assert_eq!(on(&told, "events", "2026-11-22")["failed"], 1, "their tenant's alone");
    assert_eq!(told["standings"].as_array().map(Vec::len), Some(1));
    assert_eq!(told["standings"][0]["groups"], 0);
    assert_eq!(on(&dashboard(&admin, 7).await, "events", "2026-11-22")["failed"], 2);
}

/// D5: numbers are for whoever may read reports, in the whole tenant.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn numbers_are_for_whoever_may_read_reports(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    assert_eq!(app.anonymous().get("/admin/dashboard").await.status, StatusCode::UNAUTHORIZED);
    let clerk = app.person(&admin, "clerk@x.example", &["readonly"]).await;
    let refused = clerk.get("/admin/dashboard?days=nonsense").await;
    assert_eq!((refused.status, &refused.json()["permissions"]), (StatusCode::FORBIDDEN, &json!(["reports.read"])));
    admin.make_role("analyst", &["reports.read"]).await;
    let analyst = app.person(&admin, "analyst@x.example", &["analyst"]).await;
    dashboard(&analyst, 7).await;
    sqlx::query("update user_roles set scope_department = 'Sales' where user_id = $1::uuid")
        .bind(&analyst.id)
        .execute(&app.owner)
        .await
        .expect("works");
    run(&app, "update grant_versions set version = version + 1").await;
    app.heart.refresh().await.expect("the grants");
    assert_eq!(analyst.get("/admin/dashboard").await.status, StatusCode::NOT_FOUND, "counts have no department");
}

/// D5, H4: a new installation says what it knows and nothing else; the page draws it in both directions.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_new_installation_tells_no_more_than_it_knows(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let told = dashboard(&admin, 7).await;
    let nothing =
        json!({"day": "2026-11-22", "signed_in": 0, "failed": 0, "locked_out": 0, "rotations": 0, "reused": 0});
    assert_eq!(on(&told, "events", "2026-11-22"), &nothing, "nothing is sealed yet");
    assert_eq!(told["standings"].as_array().map(Vec::len), Some(1));
    let log = &told["log"];
    assert_eq!((&log["verified_at"], &log["intact"]), (&Value::Null, &Value::Null));
    assert!(log["waiting"].as_i64().expect("a number") >= 2, "{log}");
    seal(&app).await;
    assert_eq!(dashboard(&admin, 7).await["log"]["waiting"], 0);

    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let page = async |lang: &str| {
        let browser = app.anonymous().with("cookie", &format!("{cookies}; bawwab_locale={lang}"));
        let answer = browser.with("accept-language", lang).get("/console/dashboard?days=7").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!answer.text.contains(" style="), "no inline style");
        answer.text
    };
    for (lang, today) in [("ar", "0"), ("en", "60")] {
        let page = page(lang).await;
        // Sign-ins, adoption, people, rights and requests are known; no token was renewed.
        assert_eq!(page.matches("<svg class=\"plot").count(), 5, "{lang}: {page}");
        assert_eq!(page.matches("<table class=\"table\"><caption").count(), 5, "{lang}");
        let last = page.split("<rect x=\"").nth(7).expect("seven days").split('"').next();
        assert_eq!(last, Some(today), "{lang}: time runs as it is read");
    }
}

/// D5: that counts and log agree is looked at: also after rows were removed by the rule, and whoever alters either is found.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn counts_and_log_are_held_against_each_other(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let chain: Uuid = sqlx::query_scalar("select id from tenants").fetch_one(&app.owner).await.expect("a tenant");
    let broken = async || {
        let checks = invariants::strict(&job(&app), chain).await.expect("checks");
        let check = checks.into_iter().find(|check| check.what == "every sealed row of the log is counted once");
        check.expect("the check").broken
    };
    seal(&app).await;
    assert_eq!(broken().await, Vec::<String>::new());
    run(&app, "update audit_daily set total = total + 1 where action = 'auth.login'").await;
    assert_eq!(broken().await, ["2026-11-22 auth.login done: counted 2, there are 1"]);
    run(&app, "update audit_daily set total = total - 1 where action = 'auth.login'").await;

    let admin = later(&app, 100 * DAY).await;
    let rule = json!({"keep_days": 30, "legal_hold": false});
    admin.json(Method::PUT, "/admin/audit/retention", rule).await.ok();
    seal(&app).await;
    assert!(seal::prune(&job(&app)).await.expect("removed") > 0);
    seal(&app).await;
    assert_eq!(broken().await, Vec::<String>::new(), "what was removed stays counted");
    let admin = later(&app, 3 * DAY).await;
    admin.make_role("late", &[]).await;
    seal(&app).await;
    assert_eq!(broken().await, Vec::<String>::new());
    run(&app, "delete from audit_daily where action = 'admin.role_create'").await;
    assert_eq!(broken().await, ["2027-03-05 admin.role_create done: counted 0, there are 1"]);
}
