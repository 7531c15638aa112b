//! The permissions graph: what it draws is what the engine decides by, and nothing that its reader may not see.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{TestApp, options_of};

fn ids(graph: &Value) -> Vec<String> {
    let nodes = graph["nodes"].as_array().expect("nodes");
    nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()).collect()
}

/// Each line as the ids at its ends and what it is, sorted.
fn lines(graph: &Value) -> Vec<(String, String, String)> {
    let ids = ids(graph);
    let end = |line: &Value, name: &str| {
        let place = line[name].as_u64().and_then(|place| usize::try_from(place).ok()).expect("a place");
        ids[place].clone()
    };
    let lines = graph["lines"].as_array().expect("lines").iter();
    let mut lines = lines
        .map(|line| (end(line, "from"), line["kind"].as_str().expect("a kind").to_owned(), end(line, "to")))
        .collect::<Vec<_>>();
    lines.sort();
    lines
}

fn line(from: &str, kind: &str, to: &str) -> (String, String, String) {
    (from.to_owned(), kind.to_owned(), to.to_owned())
}

/// C8: from a person through groups, roles and what they inherit to permissions, with overrides, scope and end.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn everything_that_somebody_has_leads_from_them(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let base = boss.make_role("clerk", &["tasks.create"]).await;
    let heir = json!({"name": "head clerk", "parents": [base], "permissions": ["settings.*"]});
    let heir = boss.post("/admin/roles", heir).await.ok()["id"].as_str().expect("an id").to_owned();
    let group = boss.post("/admin/groups", json!({"name": "desk", "roles": [{"role": heir}]})).await.ok();
    let group = group["id"].as_str().expect("an id").to_owned();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    boss.post(&format!("/admin/groups/{group}/members"), json!({"user": sara.id})).await.ok();
    boss.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": ["audit.read"]})).await.ok();
    let given = json!({"roles": [{"role": base, "department": "finance", "expires_at": "2100-01-01T00:00:00Z"}]});
    boss.post(&format!("/admin/users/{}/roles", sara.id), given).await.ok();

    let me = format!("person:{}", sara.id);
    let (base, heir, group) = (format!("role:{base}"), format!("role:{heir}"), format!("group:{group}"));
    let graph = boss.get(&format!("/admin/permissions/graph?focus={me}")).await.ok();
    let found = lines(&graph);
    for expected in [
        line(&me, "member", &group),
        line(&group, "has", &heir),
        line(&heir, "inherits", &base),
        line(&base, "gives", "permission:tasks.create"),
        line(&me, "has", &base),
        line(&me, "denies", "permission:audit.read"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    let bound = graph["lines"].as_array().expect("lines").iter().find(|line| line["scope"].is_object());
    let bound = bound.expect("a line with a scope");
    assert_eq!(
        (&bound["scope"]["department"], &bound["expires_at"]),
        (&json!("finance"), &json!("2100-01-01T00:00:00Z"))
    );
    // Whatever leads stands in a layer before what it leads to.
    let column = |place: &Value| graph["nodes"][place.as_u64().expect("a place") as usize]["column"].as_u64();
    for line in graph["lines"].as_array().expect("lines") {
        assert!(column(&line["from"]) < column(&line["to"]), "{line}");
    }

    // The other way round: who gets to the permission, and by what.
    let back = boss.get("/admin/permissions/graph?focus=permission:tasks.create").await.ok();
    let found = lines(&back);
    for expected in [line(&me, "member", &group), line(&me, "has", &base), line(&group, "has", &heir)] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:?}");
    }
    assert!(!ids(&back).contains(&"permission:audit.read".to_owned()));
    let without = boss.get("/admin/permissions/graph?focus=permission:tasks.create&show=no_people").await.ok();
    assert!(ids(&without).iter().all(|id| !id.starts_with("person:")) && ids(&without).contains(&heir));

    // A wildcard leads on to what it covers; once the grant has gone nothing does.
    let covered = boss.get("/admin/permissions/graph?focus=permission:settings.read").await.ok();
    assert!(lines(&covered).contains(&line("permission:settings.*", "covers", "permission:settings.read")));
    assert!(ids(&covered).contains(&me));
    boss.patch(&format!("/admin/users/{}/status", sara.id), json!({"status": "suspended"})).await.ok();
    let covered = boss.get("/admin/permissions/graph?focus=permission:settings.read").await.ok();
    assert!(!ids(&covered).contains(&me), "whoever is not active has nothing");
}

/// C8: without a question an overview; a search finds by name, folded, and people by their address.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_overview_puts_permissions_together_and_a_search_finds(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let role = boss.make_role("مديرة الأرشيف", &["users.read", "users.create"]).await;
    let sara = app.person(&boss, "sara@x.example", &["مديرة الأرشيف"]).await;
    let all = boss.get("/admin/permissions/graph").await.ok();
    let found = lines(&all);
    let role = format!("role:{role}");
    assert_eq!(found.iter().filter(|(from, _, to)| *from == role && to == "resource:users").count(), 1);
    assert!(ids(&all).iter().all(|id| !id.starts_with("person:")));
    let node =
        all["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == role.as_str()).expect("the role");
    assert_eq!((&node["count"], &node["focused"]), (&json!(1), &json!(false)));

    let named = boss.get("/admin/permissions/graph?q=%D8%A7%D8%B1%D8%B4%D9%8A%D9%81").await.ok();
    assert!(ids(&named).contains(&role) && ids(&named).contains(&"permission:users.create".to_owned()));
    let person = boss.get("/admin/permissions/graph?q=Sara@x.example").await.ok();
    assert!(ids(&person).contains(&format!("person:{}", sara.id)));
    assert_eq!(
        boss.get("/admin/permissions/graph?q=zzzz").await.ok(),
        json!({"nodes": [], "lines": [], "left_out": 0})
    );
    let about = boss.get("/admin/permissions/graph?focus=resource:users").await.ok();
    assert!(ids(&about).contains(&"permission:users.read".to_owned()) && ids(&about).contains(&role));

    for (query, field) in [("focus=role", "focus"), ("focus=role:x", "focus"), ("show=some", "show")] {
        let refused = boss.get(&format!("/admin/permissions/graph?{query}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(refused.json()["errors"][0]["field"], field, "{query}");
    }
    for nothing in
        ["focus=permission:no.such", "focus=resource:nosuch", "focus=group:00000000-0000-0000-0000-000000000001"]
    {
        assert_eq!(
            boss.get(&format!("/admin/permissions/graph?{nothing}")).await.status,
            StatusCode::NOT_FOUND,
            "{nothing}"
        );
    }
}

/// C8, C11: people for whoever may read people, those of the reader's scope; without `roles.read` nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_sees_in_it_what_they_may_not(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let dealer = boss.make_role("dealer", &["tasks.create"]).await;
    let group = boss.post("/admin/groups", json!({"name": "desk", "roles": [{"role": dealer}]})).await.ok();
    let sara = app.person(&boss, "sara@x.example", &["dealer"]).await;
    boss.make_role("drawer", &["permissions.read", "roles.read"]).await;
    boss.make_role("reader", &["permissions.read"]).await;
    let (me, group) = (format!("person:{}", sara.id), format!("group:{}", group["id"].as_str().expect("an id")));
    let path = "/admin/permissions/graph?focus=permission:tasks.create";
    let seen = ids(&boss.get(path).await.ok());
    assert!(seen.contains(&me) && seen.contains(&group));

    let drawer = app.person(&boss, "drawer@x.example", &["drawer"]).await;
    let seen = drawer.get(path).await.ok();
    assert!(ids(&seen).contains(&format!("role:{dealer}")));
    assert!(!ids(&seen).contains(&me) && !ids(&seen).contains(&group));
    assert!(
        seen["nodes"].as_array().expect("nodes").iter().all(|node| node["kind"] != "role" || node["count"].is_null())
    );
    for hidden in [&me, &group] {
        assert_eq!(drawer.get(&format!("/admin/permissions/graph?focus={hidden}")).await.status, StatusCode::NOT_FOUND);
    }
    let reader = app.person(&boss, "reader@x.example", &["reader"]).await;
    assert_eq!(reader.get(path).await.status, StatusCode::FORBIDDEN);
}
