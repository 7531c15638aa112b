//! People: listed, searched, added, edited, suspended, removed.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, PASSWORD, TestApp, options_of};

async fn names(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/admin/users?{query}")).await.ok();
    let items = page["items"].as_array().expect("a list").iter();
    items.map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// D1: spelling variants of Arabic find each other, and so do parts of words in any order.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn search_folds_arabic_spellings(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    for (n, name) in ["أحمد الشهري", "فاطمة الزهراء", "مُحَمَّد عــلي", "Zoë Müller", "هدى آل سعود"].iter().enumerate()
    {
        admin.post("/admin/users", json!({"email": format!("p{n}@x.example"), "name": name})).await.ok();
    }
    for (q, found) in [
        ("احمد", "أحمد الشهري"),
        ("الشهرى أحمد", "أحمد الشهري"),
        ("فاطمه", "فاطمة الزهراء"),
        ("محمد", "مُحَمَّد عــلي"),
        ("على", "مُحَمَّد عــلي"),
        ("zoë", "Zoë Müller"),
        ("ال سعود", "هدى آل سعود"),
        ("P1@X", "فاطمة الزهراء"),
    ] {
        assert_eq!(names(&admin, &format!("q={}", encoded(q))).await, [found], "{q}");
    }
    for q in ["%", "_", "\\", "'", "\"; drop table users; --"] {
        assert_eq!(names(&admin, &format!("q={}", encoded(q))).await, Vec::<String>::new(), "{q}");
    }
}

/// D1: pages join without gap or repetition in every order, also with equal keys.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn pages_join_in_every_order(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    for n in 0..11 {
        let name = if n % 2 == 0 { "سارة" } else { "علي" };
        let department = [None, Some("المالية"), Some("Sales")][n % 3];
        let body = json!({"email": format!("p{n}@x.example"), "name": name, "department": department});
        admin.post("/admin/users", body).await.ok();
    }
    app.person(&admin, "late@x.example", &[]).await;
    for sort in ["name", "department", "created", "last_login", "-name", "-department", "-created", "-last_login"] {
        let whole = admin.get(&format!("/admin/users?sort={sort}")).await.ok();
        let ids = |page: &Value| {
            page["items"].as_array().expect("a list").iter().map(|row| row["id"].clone()).collect::<Vec<_>>()
        };
        let mut joined = Vec::new();
        let mut next = String::new();
        for _ in 0..10 {
            let page = admin.get(&format!("/admin/users?sort={sort}&limit=3&after={next}")).await.ok();
            joined.extend(ids(&page));
            match page["next"].as_str() {
                Some(after) => next = after.to_owned(),
                None => break,
            }
        }
        assert_eq!(joined.len(), 13, "{sort}");
        assert_eq!(joined, ids(&whole), "{sort}");
        let turned = match sort.strip_prefix('-') {
            Some(sort) => sort.to_owned(),
            None => format!("-{sort}"),
        };
        let mut turned = ids(&admin.get(&format!("/admin/users?sort={turned}")).await.ok());
        turned.reverse();
        assert_eq!(joined, turned, "{sort} turned round");
    }
    let departments = admin.get("/admin/users?sort=department").await.ok();
    let departments = departments["items"].as_array().expect("a list").iter().map(|row| row["department"].clone());
    let departments = departments.collect::<Vec<_>>();
    assert_eq!((&departments[0], &departments[12]), (&json!("Sales"), &Value::Null), "who has none comes last");
}

/// D1: filters narrow, and one that means nothing is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn filters_narrow_the_list(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &["support"]).await;
    let body = json!({"email": "b@x.example", "name": "b", "department": "المالية"});
    let other = admin.post("/admin/users", body).await.ok();
    let support = admin.role_id("support").await;
    assert_eq!(names(&admin, &format!("role={support}")).await, ["sara@x.example"]);
    assert_eq!(names(&admin, &format!("department={}", encoded("المالية"))).await, ["b"]);
    assert_eq!(names(&admin, "status=invited").await, ["b"]);
    admin.patch(&format!("/admin/users/{}/status", sara.id), json!({"status": "suspended"})).await.ok();
    assert_eq!(names(&admin, "status=suspended").await, ["sara@x.example"]);
    admin.delete(&format!("/admin/users/{}", other["id"].as_str().expect("an id"))).await.ok();
    assert_eq!(names(&admin, "q=b%40x").await, Vec::<String>::new());
    assert_eq!(names(&admin, "status=deleted").await, ["b"]);
    assert_eq!(names(&admin, "q=&status=&sort=&after=").await.len(), 2, "empty filters are none");
    for (query, field) in [
        ("status=gone", "status"),
        ("sort=age", "sort"),
        ("role=x", "role"),
        ("sort=--name", "sort"),
        ("ends_within=0", "ends_within"),
        ("ends_within=367", "ends_within"),
        ("ends_within=soon", "ends_within"),
        ("after=x", "after"),
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=201", "limit"),
        ("q=a%00b", "q"),
        ("colour=red", "colour"),
        ("q=a&q=b", "q"),
    ] {
        let refused = admin.get(&format!("/admin/users?{query}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["field"], field, "{query}");
    }
}

/// A11: every field is kept, given back, changed and cleared.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_field_of_a_person_is_kept_changed_and_cleared(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let given = json!({
        "email": "Sara@X.Example", "name": " سارة المطيري ", "username": "sara", "external_id": "E-7",
        "department": "المالية", "region": "الرياض", "locale": "en", "attributes": {"clearance": 3, "تجربة": ["أ"]},
    });
    let added = admin.post("/admin/users", given).await.ok();
    assert!(added["link"].is_string() && added["link_expires_at"].is_string());
    let path = format!("/admin/users/{}", added["id"].as_str().expect("an id"));
    let person = admin.get(&path).await.ok();
    for (field, value) in [
        ("email", json!("sara@x.example")),
        ("name", json!("سارة المطيري")),
        ("username", json!("sara")),
        ("external_id", json!("E-7")),
        ("department", json!("المالية")),
        ("region", json!("الرياض")),
        ("locale", json!("en")),
        ("attributes", json!({"clearance": 3, "تجربة": ["أ"]})),
        ("status", json!("invited")),
        ("is_active", json!(false)),
        ("is_super_admin", json!(false)),
        ("roles", json!(["standard-user"])),
        ("email_confirmed_at", Value::Null),
        ("last_login_at", Value::Null),
    ] {
        assert_eq!(person[field], value, "{field}");
    }
    assert!(person["number"].is_i64() && person["tenant_id"].is_string() && person["created_at"].is_string());
    let cleared = json!({"username": "", "external_id": "", "department": "", "region": "", "attributes": {}});
    let person = admin.patch(&path, cleared).await.ok();
    for field in ["username", "external_id", "department", "region"] {
        assert_eq!(person[field], Value::Null, "{field}");
    }
    let person = admin.patch(&path, json!({"name": "س"})).await.ok();
    assert_eq!((&person["name"], &person["email"]), (&json!("س"), &json!("sara@x.example")));
}

/// GHSA-mrq8-53r4-3j5m: nothing but the fields of a request can be sent with it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_request_takes_a_field_that_is_not_its_own(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let path = format!("/admin/users/{}", sara.id);
    let before = admin.get(&path).await.ok();
    for field in [
        "id",
        "number",
        "tenant_id",
        "status",
        "is_active",
        "is_super_admin",
        "password_hash",
        "rights_version",
        "email_confirmed_at",
        "created_at",
        "role",
        "roles",
        "permissions",
        "__proto__",
    ] {
        let refused = admin.patch(&path, json!({field: "x"})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert_eq!(refused.json()["errors"][0]["field"], field);
    }
    assert_eq!(admin.get(&path).await.ok(), before);
}

/// "Doors": wrong types, deep or huge bodies and strange types of content get a 4xx that names the field, never a 5xx.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn bodies_that_do_not_fit_are_refused(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let send =
        async |body: String| admin.send(Method::POST, "/admin/users", Some("application/json"), body.into()).await;
    let deep =
        format!(r#"{{"email": "a@b.example", "name": "a", "attributes": {}1{}}}"#, "[".repeat(500), "]".repeat(500));
    for (body, field) in [
        (String::new(), "body"),
        ("{".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        (r#"{"email": 1, "name": "a"}"#.to_owned(), "email"),
        (r#"{"name": "a"}"#.to_owned(), "email"),
        (r#"{"email": "a@b.example", "name": "a", "attributes": 1}"#.to_owned(), "attributes"),
        (r#"{"email": "a@b.example", "name": "a", "attributes": {"x": 1e999}}"#.to_owned(), "attributes.x"),
        (r#"{"email": "a@b.example", "name": "a", "name": "b"}"#.to_owned(), "name"),
        (r#"{"email": "a@b.example", "name": "a", "roles": ["x"]}"#.to_owned(), "roles[0]"),
        (r#"{"email": "a@b.example", "name": "a", "password": "short"}"#.to_owned(), "password"),
        (deep, ""),
    ] {
        let refused = send(body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body:.80}: {}", refused.text);
        if !field.is_empty() {
            assert_eq!(refused.json()["errors"][0]["field"], field, "{body:.80}");
        }
    }
    let huge = send(format!(r#"{{"name": "{}"}}"#, "x".repeat(300_000))).await;
    assert!(huge.status.is_client_error(), "{}", huge.status);
    let kind = admin.send(Method::POST, "/admin/users", Some("text/plain"), "{}".into()).await;
    assert_eq!(kind.json()["errors"][0]["field"], "content-type");
    assert_eq!(app.count("select count(*) from users").await, 1);
}

/// Decision "uniqueness": addresses and names are taken in whatever form; a removed person frees them.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn addresses_and_names_are_taken_until_their_person_is_removed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let body = |email: &str, username: &str, external: &str| json!({"email": email, "name": "x", "username": username, "external_id": external});
    let first = admin.post("/admin/users", body("a@x.example", "sara", "1")).await.ok();
    for (body, field) in [
        (body("A＠x.example", "bb", "2"), "email"),
        (body("b@x.example", "SARA", "2"), "username"),
        (body("b@x.example", "b2", "1"), "external_id"),
    ] {
        let refused = admin.post("/admin/users", body).await;
        assert_eq!(
            refused.json()["errors"][0],
            json!({"field": field, "code": "taken", "title": refused.json()["errors"][0]["title"]})
        );
    }
    admin.delete(&format!("/admin/users/{}", first["id"].as_str().expect("an id"))).await.ok();
    admin.post("/admin/users", body("a@x.example", "sara", "1")).await.ok();
}

/// D1: suspending ends every session at once and keeps the door shut; making active opens it again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_suspended_person_is_out_at_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &["admin"]).await;
    let path = format!("/admin/users/{}/status", sara.id);
    admin.patch(&path, json!({"status": "suspended"})).await.ok();
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let login = json!({"email": "sara@x.example", "password": PASSWORD});
    assert_eq!(app.anonymous().post("/auth/login", login.clone()).await.status, StatusCode::UNAUTHORIZED);
    admin.patch(&path, json!({"status": "active"})).await.ok();
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "what ended does not come back to life");
    assert_eq!(app.count("select count(*) from sessions where ended_because = 'suspended'").await, 1);
    app.anonymous().post("/auth/login", login).await.ok();
    for status in ["deleted", "invited", "gone", ""] {
        let refused = admin.patch(&path, json!({"status": status})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{status}");
    }
}

/// "Doors": one key, one effect, one answer; the answer with its one-time link is sealed at rest.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_idempotency_key_gives_the_first_answer_again(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await.with("idempotency-key", "k-1");
    let body = json!({"email": "a@x.example", "name": "a"});
    let first = admin.post("/admin/users", body.clone()).await;
    let again = admin.post("/admin/users", body).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = admin.post("/admin/users", json!({"email": "b@x.example", "name": "b"})).await;
    assert_eq!(other.code(), "idempotency_mismatch");
    assert_eq!(app.count("select count(*) from users").await, 2);
    let link = first.json()["link"].as_str().expect("a link").to_owned();
    let token = link.split_once('=').expect("a token").1.as_bytes().to_vec();
    let sealed: Vec<u8> =
        sqlx::query_scalar("select response from idempotency_keys").fetch_one(&app.owner).await.expect("a row");
    assert!(!sealed.windows(token.len()).any(|part| part == token));
    // A refusal frees the key.
    let retry = app.sign_in("hind@nakheel.example").await.with("idempotency-key", "k-2");
    assert_eq!(
        retry.post("/admin/users", json!({"email": "x", "name": "c"})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    retry.post("/admin/users", json!({"email": "c@x.example", "name": "c"})).await.ok();
}

/// RFC 9110 §8.8.3: a repeated answer names the version as the first one did.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_repeated_answer_keeps_its_version(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let role = admin.make_role("r", &[]).await;
    let with_key = admin.with("idempotency-key", "k-1");
    let edit = json!({"description": "x"});
    let first = with_key.patch(&format!("/admin/roles/{role}"), edit.clone()).await;
    let again = with_key.patch(&format!("/admin/roles/{role}"), edit).await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.headers["etag"], first.headers["etag"]);
    let next = admin.with("if-match", again.headers["etag"].to_str().expect("ASCII"));
    next.patch(&format!("/admin/roles/{role}"), json!({"description": "y"})).await.ok();
}

/// "Doors": a key lasts 24 hours, whether or not housekeeping has swept it away by then.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_that_has_run_out_is_free_again(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let create = async |name: &str| {
        let admin = app.sign_in("hind@nakheel.example").await.with("idempotency-key", "k-1");
        admin.post("/admin/roles", json!({"name": name})).await
    };
    create("one").await.ok();
    app.advance(Duration::from_secs(24 * 3_600 - 1)).await;
    assert_eq!(create("two").await.code(), "idempotency_mismatch");
    app.advance(Duration::from_secs(1)).await;
    let second = create("two").await;
    assert_eq!(second.status, StatusCode::CREATED, "{}", second.text);
    assert!(!second.headers.contains_key("idempotent-replayed"));
    let again = create("two").await;
    assert_eq!((again.status, &again.text), (second.status, &second.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(app.count("select count(*) from idempotency_keys").await, 1);
}

/// "Time": one clock also says when a row was changed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_row_was_changed_when_the_one_clock_says_so(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let path = format!("/admin/users/{}", sara.id);
    app.advance(Duration::from_secs(60)).await;
    admin.patch(&path, json!({"department": "المالية"})).await.ok();
    let changed: DateTime<Utc> = sqlx::query_scalar("select updated_at from users where email = 'sara@x.example'")
        .fetch_one(&app.owner)
        .await
        .expect("a row");
    assert_eq!(changed, app.clock.now());
    // By hand nobody tells the time: the database's own counts.
    let by_hand = "update users set region = 'x' where email = 'sara@x.example' returning updated_at = now()";
    let is_now: bool = sqlx::query_scalar(by_hand).fetch_one(&app.owner).await.expect("a row");
    assert!(is_now);
}

/// faults I3: parallel requests with one key have one effect.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn parallel_requests_with_one_key_have_one_effect(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await.with("idempotency-key", "k-1");
    let tries = (0..8).map(|_| {
        let admin = admin.clone();
        tokio::spawn(async move { admin.post("/admin/roles", json!({"name": "واحد"})).await })
    });
    let mut ids = std::collections::BTreeSet::new();
    for attempt in tries {
        let answer = attempt.await.expect("no panic");
        match answer.status {
            StatusCode::CREATED => {
                ids.insert(answer.json()["id"].to_string());
            }
            StatusCode::CONFLICT => assert_eq!(answer.code(), "idempotency_done"),
            // The name was taken by the winner before this one came to claim the key.
            status => assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text),
        }
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(app.count("select count(*) from roles where name = 'واحد'").await, 1);
    assert_eq!(app.count("select count(*) from audit_logs where action = 'admin.role_create'").await, 1);
}
