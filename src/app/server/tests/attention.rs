//! What needs attention: each number is that of the rows to which it leads, for whoever may see both.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, PASSWORD, PUBLIC, TestApp, options_of};

const HOUR: Duration = Duration::from_secs(3_600);

/// Asks a server function as a page would.
async fn call(client: &Client, path: &str) -> Answer {
    let client = client.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
    client.send(Method::POST, path, Some("application/x-www-form-urlencoded"), "".into()).await
}

async fn names(client: &Client, address: &str) -> Vec<String> {
    let page = client.get(address).await.ok();
    let items = page["items"].as_array().expect("a list").iter();
    items.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

async fn rows(client: &Client, address: &str) -> usize {
    client.get(address).await.ok()["items"].as_array().expect("a list").len()
}

async fn add(admin: &Client, name: &str, body: Value) -> String {
    let mut person = json!({"email": format!("{name}@x.example"), "name": name});
    person.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
    admin.post("/admin/users", person).await.ok()["id"].as_str().expect("an id").to_owned()
}

/// Writes an end to all roles of a person: no door does so yet.
async fn end_roles(app: &TestApp, id: &str, end: &str) {
    sqlx::query("update user_roles set expires_at = $2::timestamptz where user_id = $1::uuid")
        .bind(id)
        .bind(end)
        .execute(&app.owner)
        .await
        .expect("works");
    sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("works");
    app.heart.refresh().await.expect("the grants");
}

/// So much later; the administrator's token has run out meanwhile.
async fn later(app: &TestApp, by: Duration) -> Client {
    app.advance(by).await;
    app.sign_in("hind@nakheel.example").await
}

/// D1: people who wait, are suspended or have no role are counted as they are listed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_are_counted_as_they_are_listed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let none: [&str; 0] = [];
    add(&admin, "invited", json!({})).await;
    add(&admin, "bare", json!({"password": PASSWORD, "roles": none})).await;
    let out = add(&admin, "out", json!({"password": PASSWORD})).await;
    admin.patch(&format!("/admin/users/{out}/status"), json!({"status": "suspended"})).await.ok();
    let gone = add(&admin, "gone", json!({"roles": none})).await;
    admin.delete(&format!("/admin/users/{gone}")).await.ok();
    let lapsed = add(&admin, "lapsed", json!({"password": PASSWORD})).await;
    end_roles(&app, &lapsed, "2026-11-22T09:00:00Z").await;

    assert_eq!(names(&admin, "/admin/users?role=none").await, ["bare"]);
    let admin = later(&app, 2 * HOUR).await;
    assert_eq!(names(&admin, "/admin/users?role=none").await, ["bare", "lapsed"], "a role that has run out is none");
    assert_eq!(names(&admin, "/admin/users?status=invited").await, ["invited"]);
    assert_eq!(names(&admin, "/admin/users?status=suspended").await, ["out"]);
    let counts = call(&admin, "/api/people/counts").await.ok();
    assert_eq!(counts, json!({"active": 3, "invited": 1, "suspended": 1, "without_role": 2}));
}

/// "Expired grants do not exist": neither in a person's roles nor for the filter by role.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_that_has_run_out_is_shown_nowhere(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let support = admin.role_id("support").await;
    let sara = app.person(&admin, "sara@x.example", &["support"]).await;
    let listed = format!("/admin/users?role={support}");
    let holders = format!("/admin/roles/{support}/users");
    end_roles(&app, &sara.id, "2026-11-22T09:00:00Z").await;
    assert_eq!(names(&admin, &listed).await, ["sara@x.example"]);
    assert_eq!(admin.get(&holders).await.ok()["items"][0]["expires_at"], "2026-11-22T09:00:00Z");
    let admin = later(&app, 2 * HOUR).await;
    assert_eq!(names(&admin, &listed).await, Vec::<String>::new());
    assert_eq!(rows(&admin, &holders).await, 0);
    assert_eq!(admin.get(&format!("/admin/users/{}", sara.id)).await.ok()["roles"], json!([]));
    let all = admin.get("/admin/users?q=sara").await.ok();
    assert_eq!(all["items"][0]["roles"], json!([]));
}

/// C13: people whose grants end soon are counted as they are listed, first end first told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn grants_that_end_soon_are_counted_as_they_are_listed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let until = |key: &str, end: &str| json!({"key": key, "expires_at": end});
    let soon = add(&admin, "soon", json!({})).await;
    let body = json!({
        "allow": [until("users.read", "2026-11-25T08:00:00Z"), until("roles.read", "2026-11-24T08:00:00Z")],
        "deny": [until("audit.read", "2027-11-24T08:00:00Z")],
    });
    admin.patch(&format!("/admin/users/{soon}/permissions"), body).await.ok();
    let role = add(&admin, "role", json!({})).await;
    end_roles(&app, &role, "2026-11-29T08:00:00Z").await;
    let later = add(&admin, "later", json!({})).await;
    end_roles(&app, &later, "2026-11-29T08:00:01Z").await;
    let past = add(&admin, "past", json!({})).await;
    end_roles(&app, &past, "2026-11-22T07:00:00Z").await;
    let gone = add(&admin, "gone", json!({})).await;
    end_roles(&app, &gone, "2026-11-23T08:00:00Z").await;
    admin.delete(&format!("/admin/users/{gone}")).await.ok();

    assert_eq!(names(&admin, "/admin/users?ends_within=7").await, ["role", "soon"]);
    assert_eq!(call(&admin, "/api/people/count-ending").await.ok(), json!(2));
    assert_eq!(names(&admin, "/admin/users?ends_within=8").await, ["later", "role", "soon"]);
    let listed = admin.get("/admin/users?ends_within=7").await.ok();
    assert_eq!(listed["items"][1]["ends_at"], "2026-11-24T08:00:00Z");
    assert_eq!(admin.get("/admin/users").await.ok()["items"][0].get("ends_at"), None, "told to nobody who did not ask");
}

/// "Doors": when grants end is part of rights, and seeing people is not enough for it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_may_see_people_only_is_not_told_when_grants_end(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    admin.make_role("clerk", &["users.read"]).await;
    let clerk = app.person(&admin, "clerk@x.example", &["clerk"]).await;
    for refused in [clerk.get("/admin/users?ends_within=7").await, call(&clerk, "/api/people/count-ending").await] {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    }
    let refused = clerk.get("/admin/users?ends_within=7").await;
    assert_eq!(refused.json()["permissions"], json!(["permissions.read"]));
    call(&clerk, "/api/people/counts").await.ok();
    assert_eq!(call(&clerk, "/api/audit/counts").await.status, StatusCode::FORBIDDEN);
}

/// E3: failed sign-ins and refusals of the last day are counted as they are listed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_last_day_of_the_log_is_counted_as_it_is_listed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let wrong = json!({"email": "sara@x.example", "password": "not the one at all"});
    app.anonymous().post("/auth/login", wrong.clone()).await;
    sara.get("/admin/users").await;
    app.advance(23 * HOUR).await;
    let sara = app.sign_in("sara@x.example").await;
    app.anonymous().post("/auth/login", wrong).await;
    app.anonymous().post("/auth/login", json!({"email": "no@x.example", "password": PASSWORD})).await;
    sara.get("/admin/users").await;
    sara.get("/admin/audit").await;
    let admin = app.sign_in("hind@nakheel.example").await;
    let failed = "/admin/audit?action=auth.login_failed&last_hours=24";
    let refused = "/admin/audit?outcome=denied&last_hours=24";
    let counted = async |admin: &Client| call(admin, "/api/audit/counts").await.ok();
    assert_eq!(counted(&admin).await, json!({"failed_sign_ins": 3, "refusals": 3}));
    assert_eq!((rows(&admin, failed).await, rows(&admin, refused).await), (3, 3));
    // Exactly a day later the first ones are out.
    let admin = later(&app, HOUR + Duration::from_secs(1)).await;
    assert_eq!(counted(&admin).await, json!({"failed_sign_ins": 2, "refusals": 2}));
    assert_eq!((rows(&admin, failed).await, rows(&admin, refused).await), (2, 2));
    // What belongs to no tenant is for super-admins alone, in the number as in the list.
    let auditor = app.person(&admin, "auditor@x.example", &["readonly"]).await;
    assert_eq!(counted(&auditor).await["failed_sign_ins"], 1);
    assert_eq!(rows(&auditor, failed).await, 1);
}

/// E3, D1: the activity of a person is what they did and what was done to them, and nothing else.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn activity_is_what_somebody_did_and_what_was_done_to_them(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &["admin"]).await;
    let other = add(&admin, "other", json!({})).await;
    sara.patch(&format!("/admin/users/{other}"), json!({"department": "d"})).await.ok();
    admin.patch(&format!("/admin/users/{}", sara.id), json!({"department": "d"})).await.ok();
    let page = admin.get(&format!("/admin/audit?about={}", sara.id)).await.ok();
    let rows = page["items"].as_array().expect("a list").iter();
    let rows = rows.map(|row| (row["action"].as_str().expect("a name"), row["resource_id"] == json!(sara.id)));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [("admin.user_update", true), ("admin.user_update", false), ("auth.login", false), ("admin.user_create", true),]
    );
}

/// Ask "groups in role": who has a role is listed page by page, with until when and where, inside the reader's scope.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_has_a_role_is_listed_to_whoever_may_see_both(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let support = admin.role_id("support").await;
    let path = format!("/admin/roles/{support}/users");
    for (name, department) in [("a", "المالية"), ("b", "المالية"), ("c", "التقنية")] {
        add(&admin, name, json!({"department": department, "roles": [support]})).await;
    }
    add(&admin, "without", json!({})).await;
    let held = async |client: &Client, address: &str| {
        let page = client.get(address).await.ok();
        let rows = page["items"].as_array().expect("a list").clone();
        let names = rows.iter().map(|row| row["person"]["name"].as_str().expect("a name").to_owned());
        (names.collect::<Vec<_>>(), page["next"].as_str().map(str::to_owned))
    };
    let (first, next) = held(&admin, &format!("{path}?limit=2")).await;
    assert_eq!(first, ["a", "b"]);
    let (second, end) = held(&admin, &format!("{path}?limit=2&after={}", next.expect("a next page"))).await;
    assert_eq!((second, end), (vec!["c".to_owned()], None));
    assert_eq!(held(&admin, &format!("{path}?q=b%40x")).await.0, ["b"]);
    assert_eq!(admin.get(&format!("{path}?role=x")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        admin.get("/admin/roles/0190a6e0-0000-7000-8000-000000000000/users").await.status,
        StatusCode::NOT_FOUND
    );

    admin.make_role("clerk", &["users.read"]).await;
    admin.make_role("keeper", &["roles.read"]).await;
    for (role, missing) in [("clerk", "roles.read"), ("keeper", "users.read")] {
        let person = app.person(&admin, &format!("{role}@x.example"), &[role]).await;
        let refused = person.get(&path).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.json()["permissions"], json!([missing]));
    }

    let lead = app.person(&admin, "lead@x.example", &["readonly"]).await;
    sqlx::query("update user_roles set scope_department = 'المالية' where user_id = $1::uuid")
        .bind(&lead.id)
        .execute(&app.owner)
        .await
        .expect("works");
    sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("works");
    app.heart.refresh().await.expect("the grants");
    assert_eq!(held(&lead, &path).await.0, ["a", "b"], "who is outside the reader's scope does not exist");
    let readonly = admin.role_id("readonly").await;
    let scoped = admin.get(&format!("/admin/roles/{readonly}/users")).await.ok();
    assert_eq!(scoped["items"][0]["scope"], json!({"department": "المالية", "region": null}));
}
