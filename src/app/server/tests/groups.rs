//! Groups of people: their roles reach everybody in them, by every way and no longer than any part of it.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

async fn group(by: &Client, name: &str, roles: &[&str], parents: &[&str]) -> String {
    let mut given = Vec::new();
    for role in roles {
        given.push(json!({"role": by.role_id(role).await}));
    }
    let body = json!({"name": name, "roles": given, "parents": parents});
    by.post("/admin/groups", body).await.ok()["id"].as_str().expect("an id").to_owned()
}

async fn join(by: &Client, group: &str, user: &str) {
    by.post(&format!("/admin/groups/{group}/members"), json!({"user": user})).await.ok();
}

/// C1, users-ask 1, 3, 16: whoever is in a group has its roles and those of the groups around it; the reason tells the
/// way.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_group_gives_its_roles_and_those_around_it(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("dealer", &["tasks.create"]).await;
    boss.make_role("auditing", &["audit.read"]).await;
    let company = group(&boss, "الشركة", &["auditing"], &[]).await;
    let team = group(&boss, "الفريق", &["dealer"], &[&company]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
    join(&boss, &team, &sara.id).await;
    assert_eq!(boss.held(&sara.id).await, ["audit.read", "tasks.create"]);
    // Enforced with the next request.
    assert_ne!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
    let effective = boss.get(&format!("/admin/users/{}/effective-permissions", sara.id)).await.ok();
    let audit =
        effective.as_array().expect("a list").iter().find(|one| one["key"] == "audit.read").expect("it").clone();
    let way = audit["because"][0]["groups"].as_array().expect("a way").iter().map(|group| group["name"].clone());
    assert_eq!(way.collect::<Vec<_>>(), ["الفريق", "الشركة"]);

    let told = boss.get(&format!("/admin/groups/{company}")).await.ok();
    assert_eq!((&told["children"][0]["name"], &told["people"]), (&json!("الفريق"), &json!(0)));
    let members = boss.get(&format!("/admin/groups/{team}/members")).await.ok();
    assert_eq!(members["items"][0]["person"]["email"], "sara@x.example");
    let of = boss.get(&format!("/admin/users/{}/groups", sara.id)).await.ok();
    let roles = of[0]["roles"].as_array().expect("roles").iter().map(|has| has["role"]["name"].clone());
    assert_eq!(roles.collect::<Vec<_>>(), ["dealer", "auditing"]);
    let role = boss.role_id("auditing").await;
    assert_eq!(boss.get(&format!("/admin/roles/{role}")).await.ok()["groups"][0]["name"], "الشركة");

    boss.delete(&format!("/admin/groups/{team}/members/{}", sara.id)).await.ok();
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    let actions = app.actions().await;
    for action in ["admin.group_create", "admin.group_member"] {
        assert_eq!(actions.iter().filter(|one| *one == action).count(), 2, "{action}");
    }
}

/// C13, users-ask 25, 27: what a group gives ends with the first part of its way: the stay, or the group's grant.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_a_group_gives_ends_with_the_first_part_of_its_way(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("dealer", &["tasks.create"]).await;
    let trader = boss.role_id("dealer").await;
    let support = boss.role_id("support").await;
    let body = json!({"name": "incident", "roles": [
        {"role": trader, "expires_at": "2026-11-22T08:05:00Z"},
        {"role": support},
    ]});
    let group = boss.post("/admin/groups", body).await.ok()["id"].as_str().expect("an id").to_owned();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let member = json!({"user": sara.id, "expires_at": "2026-11-22T08:10:00Z"});
    boss.post(&format!("/admin/groups/{group}/members"), member).await.ok();
    assert!(boss.held(&sara.id).await.contains(&"tasks.create".to_owned()));
    app.advance(Duration::from_secs(5 * 60)).await;
    let held = boss.held(&sara.id).await;
    assert!(!held.contains(&"tasks.create".to_owned()) && held.contains(&"users.read".to_owned()), "{held:?}");
    let effective = boss.get(&format!("/admin/users/{}/effective-permissions", sara.id)).await.ok();
    let read = effective.as_array().expect("a list").iter().find(|one| one["key"] == "users.read").expect("it").clone();
    assert_eq!(read["because"][0]["expires_at"], "2026-11-22T08:10:00Z");
    app.advance(Duration::from_secs(5 * 60)).await;
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    let past = json!({"user": sara.id, "expires_at": "2026-11-22T08:00:00Z"});
    let refused = boss.post(&format!("/admin/groups/{group}/members"), past).await;
    assert_eq!(refused.json()["errors"][0]["code"], "past");
}

/// CVE-2026-9099, GHSA-569v-845w-g82p: groups lie in each other without going round; nobody climbs by moving one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_climbs_by_groups(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("dealer", &["tasks.create"]).await;
    let tools = ["groups.*", "permissions.assign", "users.read", "roles.read", "tasks.create"];
    boss.make_role("leader", &tools).await;
    let leader = app.person(&boss, "leader@x.example", &["leader"]).await;
    let rich = group(&boss, "rich", &["support"], &[]).await;
    let mine = group(&leader, "mine", &["dealer"], &[]).await;
    join(&leader, &mine, &leader.id).await;
    let beyond = |answer: crate::app::server::test_app::Answer| {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    };
    beyond(leader.patch(&format!("/admin/groups/{mine}"), json!({"parents": [rich]})).await);
    beyond(leader.post(&format!("/admin/groups/{rich}/members"), json!({"user": leader.id})).await);
    let support = boss.role_id("support").await;
    beyond(leader.patch(&format!("/admin/groups/{mine}"), json!({"roles": [{"role": support}]})).await);
    // A group that gives more is out of reach altogether.
    beyond(leader.patch(&format!("/admin/groups/{rich}"), json!({"name": "poor"})).await);
    beyond(leader.delete(&format!("/admin/groups/{rich}")).await);
    // Acting on somebody who holds more by a group.
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    join(&boss, &rich, &omar.id).await;
    let outranked = leader.post(&format!("/admin/groups/{mine}/members"), json!({"user": omar.id})).await;
    assert_eq!(outranked.code(), "outranked");

    let round = boss.patch(&format!("/admin/groups/{rich}"), json!({"parents": [mine]})).await;
    round.ok();
    let round = boss.patch(&format!("/admin/groups/{mine}"), json!({"parents": [rich]})).await;
    assert_eq!(round.json()["cycle"], json!(["mine", "rich", "mine"]));
    let platform = boss.role_id("super-admin").await;
    let all = boss.patch(&format!("/admin/groups/{mine}"), json!({"roles": [{"role": platform}]})).await;
    assert_eq!(all.json()["errors"][0]["field"], "roles[0]");
}

/// users-ask 20, 21: without `permissions.assign` a group can be described but not be given anything; a deny wins over it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn describing_a_group_is_not_granting(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("dealer", &["tasks.create"]).await;
    boss.make_role("scribe", &["groups.*", "users.read", "tasks.create"]).await;
    let scribe = app.person(&boss, "scribe@x.example", &["scribe"]).await;
    let own = scribe.post("/admin/groups", json!({"name": "own"})).await.ok();
    let path = format!("/admin/groups/{}", own["id"].as_str().expect("an id"));
    scribe.patch(&path, json!({"description": "وصف"})).await.ok();
    let trader = boss.role_id("dealer").await;
    let refused = scribe.patch(&path, json!({"roles": [{"role": trader}]})).await;
    assert_eq!(
        (refused.status, refused.json()["permissions"][0].clone()),
        (StatusCode::FORBIDDEN, json!("permissions.assign"))
    );
    let stale = scribe.with("if-match", "\"1\"").patch(&path, json!({"name": "x"})).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "stale"));
    let lookalike = boss.post("/admin/groups", json!({"name": "OWN"})).await;
    assert_eq!(lookalike.json()["errors"][0]["code"], "taken");

    let team = group(&boss, "team", &["dealer"], &[]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    boss.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": ["tasks.*"]})).await;
    boss.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": ["tasks.create"]})).await.ok();
    join(&boss, &team, &sara.id).await;
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    // Nobody lifts it who does not hold what the group would give.
    boss.make_role("lifter", &["permissions.assign", "users.read"]).await;
    let lifter = app.person(&boss, "lifter@x.example", &["lifter"]).await;
    let lifted = lifter.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": []})).await;
    assert_eq!(lifted.status, StatusCode::FORBIDDEN, "{}", lifted.text);

    boss.delete(&format!("/admin/users/{}", sara.id)).await.ok();
    assert_eq!(app.count("select count(*) from group_members").await, 0, "who is deleted leaves every group");
    let tenant: Value = boss.get(&format!("/admin/groups/{team}")).await.ok();
    assert_eq!(tenant["people"], 0);
}
