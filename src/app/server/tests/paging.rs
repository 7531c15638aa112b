//! Lists in pages: every row once, whatever the order, whatever happens meanwhile.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

/// The lists that people make by hand.
const LISTS: [&str; 4] = ["roles", "groups", "policies", "api-keys"];
/// The orders that the list of roles has.
const ROLE_ORDERS: [&str; 6] = ["name", "permissions", "people", "-name", "-permissions", "-people"];

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["name"].as_str().expect("a name")).collect()
}

/// What makes one more row of a list.
fn body(list: &str, name: &str) -> Value {
    match list {
        "roles" => json!({"name": name, "permissions": ["users.read"]}),
        "policies" => {
            json!({"name": name, "mode": "grant", "actions": ["users.read"], "rules": [{"effect": "allow"}]})
        }
        "api-keys" => json!({"name": name, "scopes": ["users.read"]}),
        _ => json!({"name": name}),
    }
}

async fn add(admin: &Client, list: &str, name: &str) -> String {
    let made = admin.post(&format!("/admin/{list}"), body(list, name)).await.ok();
    made["id"].as_str().expect("an id").to_owned()
}

/// D1: pages join without gap or repetition, also where what is sorted by is equal: the test's clock stands still, and
/// every role gives as much to as many.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_pages_of_every_list_join(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    for list in LISTS {
        for name in ["واحد", "one", "اثنان", "two", "ثلاثة", "three", "أربعة"] {
            add(&admin, list, name).await;
        }
    }
    for list in LISTS {
        let path = format!("/admin/{list}");
        let whole = ids(&admin.all(&path).await);
        assert!(whole.len() >= 7, "{list}");
        for limit in [1, 2, 3, 7] {
            assert_eq!(ids(&admin.all_by(&path, limit).await), whole, "{list} by {limit}");
        }
        let first = admin.get(&path).await.ok();
        assert_eq!(ids(first["items"].as_array().expect("a list")), whole, "{list}: 50 without a limit");
        assert_eq!(first["next"], Value::Null, "{list}");
    }
    for sort in ROLE_ORDERS {
        let path = format!("/admin/roles?sort={sort}");
        let whole = ids(&admin.all(&path).await);
        assert_eq!(ids(&admin.all_by(&path, 2).await), whole, "{sort}");
        let turned = sort.strip_prefix('-').map_or_else(|| format!("-{sort}"), str::to_owned);
        let mut turned = ids(&admin.all_by(&format!("/admin/roles?sort={turned}"), 3).await);
        turned.reverse();
        assert_eq!(turned, whole, "{sort} turned round");
    }
}

/// D1: what is added or removed while somebody reads page by page neither hides nor repeats what was there.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_happens_meanwhile_neither_hides_nor_repeats_a_row(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    for list in LISTS {
        let mut made = Vec::new();
        for name in ["b", "d", "f", "h", "j"] {
            made.push(add(&admin, list, &format!("{list} {name}")).await);
        }
        let path = format!("/admin/{list}?limit=2");
        let before = ids(&admin.all(&format!("/admin/{list}")).await);
        let page = admin.get(&path).await.ok();
        let mut seen = ids(page["items"].as_array().expect("a list"));
        let mut next = page["next"].as_str().map(str::to_owned);
        // Before the place that was reached, and after it; then the row at which the page ended goes.
        for name in ["a", "c", "e", "k"] {
            add(&admin, list, &format!("{list} {name}")).await;
        }
        let last = seen.last().expect("a row").clone();
        let goes = made.contains(&last);
        if goes {
            admin.delete(&format!("/admin/{list}/{last}")).await.ok();
        }
        while let Some(after) = next {
            let page = admin.get(&format!("{path}&after={after}")).await.ok();
            seen.extend(ids(page["items"].as_array().expect("a list")));
            next = page["next"].as_str().map(str::to_owned);
        }
        for id in &before {
            assert_eq!(seen.iter().filter(|one| *one == id).count(), 1, "{list} {id}");
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "{list}: no row twice");
    }
}

/// D1: a place or a length that cannot be meant is refused by its name.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_bad_cursor_or_limit_is_named(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    // The first names an id and `x`, which is neither a number nor a moment.
    let ill = ["MDE5MGE2ZTAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwCng", "eA", "x", "%D8%B3", "MDE5MA"];
    for list in LISTS {
        for (query, field) in [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("page=2", "page")] {
            let refused = admin.get(&format!("/admin/{list}?{query}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{list} {query}: {}", refused.text);
            assert_eq!(refused.json()["errors"][0]["field"], field, "{list} {query}");
        }
        for after in ill {
            let refused = admin.get(&format!("/admin/{list}?after={after}")).await;
            // In the order of names any text is a place.
            if matches!(list, "groups" | "policies") && after == ill[0] {
                refused.ok();
                continue;
            }
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{list} {after}: {}", refused.text);
            assert_eq!(refused.json()["errors"][0]["field"], "after", "{list} {after}");
        }
    }
    for sort in ["created", "-created", "last_login"] {
        let refused = admin.get(&format!("/admin/users?sort={sort}&after={}", ill[0])).await;
        assert_eq!(refused.json()["errors"][0]["field"], "after", "{sort}: {}", refused.text);
    }
    // The first names a moment as an audit row never has it, the others one beyond every calendar's end.
    for micros in ["0", "9000000000000000000", "-8000000000000000000"] {
        let after = URL_SAFE_NO_PAD.encode(format!("0190a6e0-0000-7000-8000-000000000000\n{micros}"));
        let turned = URL_SAFE_NO_PAD.encode(format!("{micros}\n0190a6e0-0000-7000-8000-000000000000"));
        for after in [after, turned] {
            let refused = admin.get(&format!("/admin/audit?after={after}")).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{micros}: {}", refused.text);
            assert_eq!(refused.json()["errors"][0]["field"], "after", "{micros}");
        }
    }
    // Whoever has no moment has no place in the order of moments.
    let no_moment = "MDE5MGE2ZTAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAwCg";
    let refused = admin.get(&format!("/admin/users?sort=created&after={no_moment}")).await;
    assert_eq!(
        (refused.status, &refused.json()["errors"][0]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("after"))
    );
    admin.get(&format!("/admin/users?sort=last_login&after={no_moment}")).await.ok();
    for (query, field) in [("sort=age", "sort"), ("gives=users", "gives"), ("q=a%00b", "q")] {
        let refused = admin.get(&format!("/admin/roles?{query}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["field"], field, "{query}");
    }
}

/// C1: roles are found by their words, by the keys they name and by what their wildcards give, and ordered by how much they
/// give and to how many.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn roles_are_searched_and_ordered(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    admin.make_role("zz مالية", &["audit.*", "users.read"]).await;
    admin.make_role("zz Auditors", &["audit.read", "audit.export", "users.read"]).await;
    admin.make_role("zz readers", &["users.read"]).await;
    for (n, role) in ["zz readers", "zz readers", "zz Auditors"].into_iter().enumerate() {
        app.person(&admin, &format!("p{n}@x.example"), &[role]).await;
    }
    let found = async |query: &str| {
        let rows = admin.all_by(&format!("/admin/roles?q=zz&{query}"), 1).await;
        names(&rows).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found("gives=audit.read").await, ["zz Auditors", "zz مالية"]);
    assert_eq!(found("gives=audit.export").await, ["zz Auditors", "zz مالية"]);
    assert_eq!(found("gives=audit.retain").await, ["zz مالية"], "a wildcard gives what is yet to come");
    assert_eq!(found("gives=audit.*").await, ["zz مالية"]);
    assert_eq!(found("gives=settings.read").await, Vec::<String>::new());
    assert_eq!(found("sort=name").await, ["zz Auditors", "zz readers", "zz مالية"]);
    assert_eq!(found("sort=-name").await, ["zz مالية", "zz readers", "zz Auditors"]);
    assert_eq!(found("sort=permissions").await, ["zz Auditors", "zz مالية", "zz readers"]);
    assert_eq!(found("sort=people").await, ["zz readers", "zz Auditors", "zz مالية"]);
    assert_eq!(found("sort=-people").await, ["zz مالية", "zz Auditors", "zz readers"]);
    let search = async |q: &str| {
        let q: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
        let rows = admin.all(&format!("/admin/roles?q={q}")).await;
        names(&rows).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(search("ماليه zz").await, ["zz مالية"]);
    assert_eq!(search("audit.export ZZ").await, ["zz Auditors"], "a key that it names is found too");
    let first = admin.get("/admin/roles?limit=1").await.ok();
    assert_eq!(first["items"][0]["platform"], true, "the platform's come first");
}
