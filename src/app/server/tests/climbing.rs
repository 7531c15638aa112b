//! Each known way to climb, tried by name through the real router: groups, inheriting, copies, files, keys, requests.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, TestApp, options_of};

/// Two super-admins, so that there always is a second person.
async fn two(pool: &PgPool) -> (TestApp, Client, Client) {
    let app = TestApp::start(options_of(pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    (app, boss, peer)
}

async fn rules(boss: &Client, permissions: &[&str], roles: &[&str]) {
    let rules = json!({"permissions": permissions, "roles": roles, "required": 1, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
}

async fn group(by: &Client, name: &str, roles: &[&str], parents: &[&str]) -> String {
    let mut given = Vec::new();
    for role in roles {
        given.push(json!({"role": by.role_id(role).await}));
    }
    let body = json!({"name": name, "roles": given, "parents": parents});
    by.post("/admin/groups", body).await.ok()["id"].as_str().expect("an id").to_owned()
}

async fn join(by: &Client, group: &str, user: &str) -> Answer {
    by.post(&format!("/admin/groups/{group}/members"), json!({"user": user})).await
}

fn role_path(id: &str) -> String {
    format!("/admin/roles/{id}")
}

fn group_path(id: &str) -> String {
    format!("/admin/groups/{id}")
}

fn user_path(who: &Client, part: &str) -> String {
    format!("/admin/users/{}/{part}", who.id)
}

#[track_caller]
fn waits(way: &str, answer: &Answer) {
    let told = (answer.status, answer.code());
    assert_eq!(told, (StatusCode::FORBIDDEN, "approval_needed".to_owned()), "{way}: {}", answer.text);
}

#[track_caller]
fn beyond(way: &str, answer: &Answer) {
    let told = (answer.status, answer.code());
    assert_eq!(told, (StatusCode::FORBIDDEN, "beyond_your_rights".to_owned()), "{way}: {}", answer.text);
}

/// C12, CVE-2026-9795, CVE-2026-9099: a listed key waits for a second person whichever way it would come.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_listed_key_waits_on_every_way(pool: PgPool) {
    let (app, boss, _peer) = two(&pool).await;
    let base = boss.make_role("base", &["reports.read"]).await;
    let clerk = boss.make_role("clerk", &["tasks.create"]).await;
    boss.patch(&role_path(&clerk), json!({"parents": [base]})).await.ok();
    let sara = app.person(&boss, "sara@x.example", &["clerk"]).await;
    let outer = group(&boss, "outer", &[], &[]).await;
    let team = group(&boss, "team", &[], &[&outer]).await;
    join(&boss, &team, &sara.id).await.ok();
    rules(&boss, &["users.delete"], &[]).await;

    // What nobody has gives nobody anything: it may be made by one alone.
    let deleter = boss.make_role("deleter", &["users.delete"]).await;
    let rich = group(&boss, "rich", &["deleter"], &[]).await;
    let given = json!([{"role": deleter}]);
    waits("override", &boss.patch(&user_path(&sara, "permissions"), json!({"allow": ["users.delete"]})).await);
    waits("wildcard", &boss.patch(&user_path(&sara, "permissions"), json!({"allow": ["users.*"]})).await);
    waits("role", &boss.post(&user_path(&sara, "roles"), json!({"roles": ["deleter"]})).await);
    waits("group's role", &boss.patch(&group_path(&team), json!({"roles": given})).await);
    waits("role of a group around", &boss.patch(&group_path(&outer), json!({"roles": given})).await);
    waits("nesting", &boss.patch(&group_path(&team), json!({"parents": [rich]})).await);
    waits("nesting further up", &boss.patch(&group_path(&outer), json!({"parents": [rich]})).await);
    waits("joining", &join(&boss, &rich, &sara.id).await);
    let keys = json!(["tasks.create", "users.delete"]);
    waits("role's key", &boss.patch(&role_path(&clerk), json!({"permissions": keys})).await);
    waits("role's parent", &boss.patch(&role_path(&clerk), json!({"parents": [base, deleter]})).await);
    waits("parent's key", &boss.patch(&role_path(&base), json!({"permissions": ["users.delete"]})).await);
    waits("parent's parent", &boss.patch(&role_path(&base), json!({"parents": [deleter]})).await);
    let fresh = json!({"name": "fresh", "permissions": ["users.delete"]});
    let file = json!({"format": 1, "roles": [
        {"name": "clerk", "permissions": ["tasks.create"], "parents": ["base", "fresh"]}, fresh,
    ]});
    waits("file", &boss.post("/admin/catalogue", file).await);
    let person = json!({"email": "n@x.example", "name": "n", "roles": [deleter]});
    waits("new person", &boss.post("/admin/users", person).await);
    assert_eq!(boss.held(&sara.id).await, ["reports.read", "tasks.create"]);
}

/// C12, C17: what everybody gets who registers waits too, also while nobody has it yet.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_everybody_will_get_waits(pool: PgPool) {
    let (_app, boss, _peer) = two(&pool).await;
    let base = boss.make_role("base", &["reports.read"]).await;
    let deleter = boss.make_role("deleter", &["users.delete"]).await;
    let first = boss.role_id("standard-user").await;
    boss.patch(&role_path(&first), json!({"parents": [base]})).await.ok();
    rules(&boss, &["users.delete"], &[]).await;
    waits("its key", &boss.patch(&role_path(&first), json!({"permissions": ["users.delete"]})).await);
    waits("its parent", &boss.patch(&role_path(&first), json!({"parents": [base, deleter]})).await);
    waits("its parent's key", &boss.patch(&role_path(&base), json!({"permissions": ["users.delete"]})).await);
}

/// C12: a listed role stays high under another name, as a copy, and through what it inherits from.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_listed_role_waits_on_every_way(pool: PgPool) {
    let (app, boss, _peer) = two(&pool).await;
    let base = boss.make_role("base", &["reports.read"]).await;
    let treasury = boss.make_role("treasury", &["tasks.create"]).await;
    boss.patch(&role_path(&treasury), json!({"parents": [base]})).await.ok();
    app.person(&boss, "omar@x.example", &["treasury"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    rules(&boss, &[], &["treasury"]).await;
    let give = async |role: &str| boss.post(&user_path(&sara, "roles"), json!({"roles": [role]})).await;

    waits("itself", &give("treasury").await);
    waits("its own key", &boss.patch(&role_path(&treasury), json!({"permissions": ["audit.read"]})).await);
    waits("its parent's key", &boss.patch(&role_path(&base), json!({"permissions": ["audit.read"]})).await);
    boss.post(&format!("{}/copies", role_path(&treasury)), json!({"name": "copy"})).await.ok();
    waits("its copy", &give("copy").await);
    let heir = boss.make_role("heir", &[]).await;
    boss.patch(&role_path(&heir), json!({"parents": [treasury]})).await.ok();
    waits("its heir", &give("heir").await);
    boss.patch(&role_path(&treasury), json!({"name": "poor relations"})).await.ok();
    waits("another name", &give("poor relations").await);
    let listed = boss.get("/admin/approvals/rules").await.ok();
    assert_eq!(listed["roles"], json!(["poor relations"]), "the rule knows it by its new name");
    // What is another role, and less, needs nobody.
    give("base").await.ok();
}

/// C12, teleport#13416: what was agreed to is what is done: a role that was filled up while its request waited is not
/// given.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_agrees_to_more_than_they_were_shown(pool: PgPool) {
    let (app, boss, peer) = two(&pool).await;
    rules(&boss, &["users.delete", "settings.*"], &[]).await;
    let bait = boss.make_role("bait", &["users.delete"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let rights = json!({"roles": [{"role": bait}]});
    let ask = async || {
        let body = json!({"user_id": sara.id, "rights": rights, "reason": "r"});
        boss.post("/admin/approvals", body).await.ok()["id"].as_str().expect("an id").to_owned()
    };
    let approve = async |id: &str| peer.post(&format!("/admin/approvals/{id}/approve"), json!({})).await.ok();
    let id = ask().await;
    boss.patch(&role_path(&bait), json!({"permissions": ["users.delete", "settings.update"]})).await.ok();
    let failed = approve(&id).await;
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("approval_needed")));
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    // Asked for as it is, it is given.
    let id = ask().await;
    assert_eq!(approve(&id).await["state"], "applied");
    assert_eq!(boss.held(&sara.id).await, ["settings.update", "users.delete"]);
}

/// C11, C12: whoever was moved meanwhile is no longer who was agreed on: their new department has its own who decide.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_request_does_not_follow_a_person_elsewhere(pool: PgPool) {
    let (app, boss, peer) = two(&pool).await;
    let decider = boss.make_role("decider", &["approvals.decide", "users.read"]).await;
    let nora = app.person(&boss, "nora@x.example", &[]).await;
    let scoped = json!({"roles": [{"role": decider, "department": "finance"}]});
    boss.patch(&user_path(&nora, "roles"), scoped).await.ok();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let path = format!("/admin/users/{}", sara.id);
    boss.patch(&path, json!({"department": "finance"})).await.ok();
    rules(&boss, &["users.delete"], &[]).await;
    let rights = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
    let body = json!({"user_id": sara.id, "rights": rights, "reason": "r"});
    let id = boss.post("/admin/approvals", body).await.ok()["id"].as_str().expect("an id").to_owned();
    boss.patch(&path, json!({"department": "legal"})).await.ok();
    let approve = format!("/admin/approvals/{id}/approve");
    let refused = nora.post(&approve, json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(refused.json()["changes"].as_array().map_or(0, Vec::len), 0, "{}", refused.text);
    assert_eq!(nora.post(&approve, json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(nora.get("/admin/approvals").await.ok(), json!([]));
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    assert_eq!(peer.approve(&id).await.ok()["state"], "applied");
}

/// C2, C12: a deny that holds down what is high is lifted by two, whichever way; one that holds down nothing by one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_deny_over_what_is_high_is_lifted_by_two(pool: PgPool) {
    let (app, boss, _peer) = two(&pool).await;
    for key in ["vault.*", "vault.open"] {
        boss.post("/admin/permissions", json!({"key": key, "name_ar": "خزنة", "name_en": key})).await.ok();
    }
    boss.make_role("keeper", &["vault.*", "users.delete"]).await;
    let omar = app.person(&boss, "omar@x.example", &["keeper"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    for person in [&omar, &sara] {
        let deny = json!({"deny": ["vault.open", "users.delete"]});
        boss.patch(&user_path(person, "permissions"), deny).await.ok();
    }
    rules(&boss, &["users.delete", "vault.open"], &[]).await;
    let path = user_path(&omar, "permissions");
    waits("lifting", &boss.patch(&path, json!({"deny": ["vault.open"]})).await);
    waits(
        "ending",
        &boss
            .patch(
                &path,
                json!({"deny": [
                    "vault.open", {"key": "users.delete", "expires_at": "2026-11-22T09:00:00Z"},
                ]}),
            )
            .await,
    );
    waits("taking the key away", &boss.delete("/admin/permissions/vault.open").await);
    boss.patch(&user_path(&sara, "permissions"), json!({"deny": []})).await.ok();
    // Deleting somebody frees nothing.
    boss.delete(&format!("/admin/users/{}", omar.id)).await.ok();
}

/// C11, users-ask 20: whoever is bound to a department sees, counts and changes nothing outside, by no group or role that
/// reaches out of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn bounds_hold_over_groups_and_roles_that_reach_out(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let keys = ["users.*", "roles.*", "groups.*", "permissions.*", "approvals.decide", "audit.read"];
    let local = boss.make_role("local", &keys).await;
    let clerk = boss.make_role("clerk", &["tasks.create"]).await;
    let nora = app.person(&boss, "nora@x.example", &[]).await;
    let sara = app.person(&boss, "sara@x.example", &["clerk"]).await;
    let omar = app.person(&boss, "omar@x.example", &["clerk"]).await;
    for (person, department) in [(&nora, "finance"), (&sara, "finance"), (&omar, "legal")] {
        boss.patch(&format!("/admin/users/{}", person.id), json!({"department": department})).await.ok();
    }
    let team = group(&boss, "team", &["clerk"], &[]).await;
    let empty = group(&boss, "empty", &[], &[]).await;
    for person in [&sara, &omar] {
        join(&boss, &team, &person.id).await.ok();
    }
    let scoped = json!({"roles": [{"role": local, "department": "finance"}]});
    boss.patch(&user_path(&nora, "roles"), scoped).await.ok();

    // What is seen and counted.
    let people = async |path: &str| nora.get(path).await.ok()["people"].clone();
    assert_eq!(people(&group_path(&team)).await, 1, "omar is not counted");
    assert_eq!(people(&role_path(&clerk)).await, 1, "omar is not counted");
    let all = boss.get(&group_path(&team)).await.ok();
    assert_eq!(all["people"], 2);
    for path in [format!("{}/members", group_path(&team)), format!("{}/users", role_path(&clerk))] {
        let listed = nora.get(&path).await.ok();
        assert!(listed.to_string().contains("sara@x.example"), "{path}: {listed}");
        assert!(!listed.to_string().contains("omar@x.example"), "{path}: {listed}");
    }
    let users = nora.get("/admin/users").await.ok();
    assert_eq!(users["items"].as_array().expect("a list").len(), 2);

    // What is done.
    let attempts = [
        ("group", nora.patch(&group_path(&team), json!({"roles": []})).await),
        ("group's name", nora.patch(&group_path(&team), json!({"name": "mine"})).await),
        ("group's end", nora.delete(&group_path(&team)).await),
        ("new group", nora.post("/admin/groups", json!({"name": "mine"})).await),
        ("role", nora.patch(&role_path(&clerk), json!({"permissions": []})).await),
        ("role's end", nora.delete(&role_path(&clerk)).await),
        ("copy", nora.post(&format!("{}/copies", role_path(&clerk)), json!({"name": "mine"})).await),
        ("new role", nora.post("/admin/roles", json!({"name": "mine", "permissions": []})).await),
        ("template", nora.post("/admin/role-templates", json!({"template": "auditor"})).await),
        ("outsider", join(&nora, &empty, &omar.id).await),
        ("outsider out", nora.delete(&format!("{}/members/{}", group_path(&team), omar.id)).await),
        ("outsider's roles", nora.patch(&user_path(&omar, "roles"), json!({"roles": []})).await),
        ("outsider's denies", nora.patch(&user_path(&omar, "permissions"), json!({"deny": ["tasks.create"]})).await),
    ];
    for (way, answer) in &attempts {
        let status = answer.status;
        assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN), "{way}: {status} {}", answer.text);
    }
    // Inside, what is held there only cannot be handed on.
    beyond("joining", &join(&nora, &team, &nora.id).await);
    assert_eq!(boss.held(&omar.id).await, ["tasks.create"]);
    assert_eq!(boss.get(&group_path(&team)).await.ok()["name"], "team");
}

/// C4, C11: questions to the engine about somebody outside the caller's bounds are questions about nobody.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_engine_tells_nothing_from_beyond(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let reader = boss.make_role("reader", &["permissions.read"]).await;
    let viewer = boss.make_role("viewer", &["users.read"]).await;
    let nora = app.person(&boss, "nora@x.example", &[]).await;
    let sara = app.person(&boss, "sara@x.example", &["ceo"]).await;
    let omar = app.person(&boss, "omar@x.example", &["ceo"]).await;
    for (person, department) in [(&sara, "finance"), (&omar, "legal")] {
        boss.patch(&format!("/admin/users/{}", person.id), json!({"department": department})).await.ok();
    }
    let scoped = json!({"roles": [{"role": reader, "department": "finance"}, {"role": viewer}]});
    boss.patch(&user_path(&nora, "roles"), scoped).await.ok();
    let ask = async |who: &Client| {
        let question = json!({"user": who.id, "resource": "reports", "action": "read"});
        nora.post("/admin/policies/evaluate", question).await
    };
    assert_eq!(ask(&sara).await.ok()["allow"], true);
    assert_eq!(ask(&omar).await.json()["errors"][0]["code"], "unknown");
    let able = nora.get("/admin/permissions/reports.read/users").await.ok();
    assert_eq!((&able["total"], &able["items"][0]["email"]), (&json!(1), &json!("sara@x.example")));
}

/// C11, C14: what a change of a role or group would do is told of nobody outside the caller's bounds, nor why it would not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_preview_tells_nothing_from_beyond(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let reader = boss.make_role("reader", &["permissions.read"]).await;
    let viewer = boss.make_role("viewer", &["users.read", "groups.read"]).await;
    let clerk = boss.make_role("clerk", &["tasks.create"]).await;
    let auditor = boss.make_role("auditor", &["audit.read"]).await;
    let nora = app.person(&boss, "nora@x.example", &[]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    for (person, department) in [(&sara, "finance"), (&omar, "legal")] {
        boss.patch(&format!("/admin/users/{}", person.id), json!({"department": department})).await.ok();
    }
    let team = group(&boss, "team", &["clerk"], &[]).await;
    for person in [&sara, &omar] {
        join(&boss, &team, &person.id).await.ok();
    }
    let deny = json!({"deny": [{"key": "audit.read", "reason": "التحقيق جارٍ"}]});
    boss.patch(&user_path(&omar, "permissions"), deny).await.ok();
    let scoped = json!({"roles": [{"role": reader, "department": "finance"}, {"role": viewer}]});
    boss.patch(&user_path(&nora, "roles"), scoped).await.ok();

    let questions = [
        (format!("{}/what-if", group_path(&team)), json!({"roles": [{"role": clerk}, {"role": auditor}]})),
        (format!("{}/what-if", role_path(&clerk)), json!({"permissions": ["tasks.create", "audit.read"]})),
    ];
    for (path, change) in questions {
        let all = boss.post(&path, change.clone()).await.ok();
        assert_eq!(all["people"], 2, "{path}");
        assert!(all.to_string().contains("التحقيق جارٍ"), "{path}: {all}");
        let told = nora.post(&path, change).await.ok();
        assert_eq!((&told["people"], &told["people_gaining"]), (&json!(1), &json!(1)), "{path}");
        assert!(!told.to_string().contains("التحقيق جارٍ"), "{path}: {told}");
        assert!(!told.to_string().contains("omar@x.example"), "{path}: {told}");
    }
}

/// C15, CVE-2026-22640: super-admin comes by no group and by no inheriting, so nobody can be the last one that way.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn super_admin_comes_by_name_only(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let platform = boss.role_id("super-admin").await;
    let by_group = boss.post("/admin/groups", json!({"name": "g", "roles": [{"role": platform}]})).await;
    assert_eq!(by_group.json()["errors"][0]["field"], "roles[0]");
    let heir = boss.make_role("heir", &[]).await;
    let by_heritage = boss.patch(&role_path(&heir), json!({"parents": [platform]})).await;
    assert_eq!(by_heritage.json()["errors"][0]["field"], "parents[0]");
    let file = json!({"format": 1, "roles": [{"name": "heir", "permissions": [], "parents": ["super-admin"]}]});
    assert_eq!(boss.post("/admin/catalogue", file).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let file = json!({"format": 1, "roles": [{"name": "super-admin", "permissions": ["users.read"], "parents": []}]});
    assert_eq!(boss.post("/admin/catalogue", file).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(boss.patch(&role_path(&platform), json!({"permissions": []})).await.code(), "built_in");
    assert_eq!(boss.delete(&role_path(&platform)).await.code(), "built_in");
    // Everything by a group is not it: the last one cannot leave for it.
    boss.make_role("all", &["*"]).await;
    let everything = group(&boss, "everything", &["all"], &[]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    for who in [&sara, &boss] {
        join(&boss, &everything, &who.id).await.ok();
    }
    assert_eq!(boss.patch(&user_path(&boss, "roles"), json!({"roles": []})).await.code(), "last_super_admin");
    assert_eq!(sara.patch(&user_path(&boss, "roles"), json!({"roles": []})).await.code(), "outranked");
    assert_eq!(sara.delete(&format!("/admin/users/{}", boss.id)).await.code(), "outranked");
}

/// C15, CVE-2026-22640: of two super-admins who demote themselves at once on two nodes, one stays; so of two who delete
/// each other.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_two_super_admins_in_a_race_one_stays(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let second = app.person(&boss, "second@x.example", &["super-admin"]).await;
    let there = second.on(&app.second_node().await);
    let none = json!({"roles": []});
    let (boss_path, second_path) = (user_path(&boss, "roles"), user_path(&second, "roles"));
    let (one, two) = tokio::join!(boss.patch(&boss_path, none.clone()), there.patch(&second_path, none));
    let done = [&one, &two].iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(done, 1, "{} {}", one.text, two.text);
    let query = "select count(*) from user_roles ur join roles r on r.id = ur.role_id
                 join users u on u.id = ur.user_id and u.status = 'active' where r.name = 'super-admin'";
    assert_eq!(app.count(query).await, 1);

    // Whoever is left makes the other one again, and then each deletes the other.
    let (left, other) = if one.status.is_success() { (&there, &boss) } else { (&boss, &there) };
    left.patch(&user_path(other, "roles"), json!({"roles": ["super-admin"]})).await.ok();
    let (left_path, other_path) = (format!("/admin/users/{}", left.id), format!("/admin/users/{}", other.id));
    let (one, two) = tokio::join!(left.delete(&other_path), other.delete(&left_path));
    let done = [&one, &two].iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(done, 1, "{} {}", one.text, two.text);
    assert_eq!(app.count(query).await, 1);
}

/// D6, CVE-2024-37905: a key hands on nothing beyond its scopes, by a group or a parent as little as by name, whatever
/// its holder could; and neither a key nor somebody who acts as another agrees to anything.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_narrow_key_climbs_by_no_way(pool: PgPool) {
    let (app, boss, peer) = two(&pool).await;
    let scopes = ["groups.*", "permissions.assign", "roles.*", "users.read", "users.update", "approvals.decide"];
    let made = boss.post("/admin/api-keys", json!({"name": "k", "scopes": scopes})).await.ok();
    let key = app.with_token(made["secret"].as_str().expect("a secret"));
    let deleter = boss.make_role("deleter", &["users.delete"]).await;
    let plain = boss.make_role("plain", &[]).await;
    let sara = app.person(&boss, "sara@x.example", &["plain"]).await;
    let rich = group(&boss, "rich", &["deleter"], &[]).await;
    let team = group(&boss, "team", &[], &[]).await;
    join(&boss, &team, &sara.id).await.ok();
    beyond("role", &key.post(&user_path(&sara, "roles"), json!({"roles": ["deleter"]})).await);
    beyond("joining", &join(&key, &rich, &sara.id).await);
    beyond("nesting", &key.patch(&group_path(&team), json!({"parents": [rich]})).await);
    beyond("group's role", &key.patch(&group_path(&team), json!({"roles": [{"role": deleter}]})).await);
    beyond("parent", &key.patch(&role_path(&plain), json!({"parents": [deleter]})).await);
    beyond("copy", &key.post(&format!("{}/copies", role_path(&deleter)), json!({"name": "copy"})).await);
    let file = json!({"format": 1, "roles": [{"name": "plain", "permissions": [], "parents": ["deleter"]}]});
    beyond("file", &key.post("/admin/catalogue", file).await);
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());

    rules(&boss, &["users.delete"], &[]).await;
    let rights = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
    let body = json!({"user_id": sara.id, "rights": rights, "reason": "r"});
    assert_eq!(key.post("/admin/approvals", body.clone()).await.code(), "not_by_api_key");
    let id = peer.post("/admin/approvals", body).await.ok()["id"].as_str().expect("an id").to_owned();
    let path = format!("/admin/approvals/{id}/approve");
    assert_eq!(key.post(&path, json!({})).await.code(), "not_by_api_key");
    let decider = app.person(&boss, "decider@x.example", &[]).await;
    boss.patch(&user_path(&decider, "permissions"), json!({"allow": ["approvals.decide"]})).await.ok();
    let begun = peer.post("/admin/impersonate", json!({"target_user_id": decider.id, "reason": "r"})).await.ok();
    let acting = app.with_token(begun["impersonation_token"].as_str().expect("a token"));
    assert_eq!(acting.post(&path, json!({})).await.code(), "not_while_impersonating");
    assert_eq!(peer.post(&path, json!({})).await.code(), "own_request");
    let waiting: Value = boss.get("/admin/approvals?state=waiting").await.ok();
    assert_eq!(waiting[0]["decisions"], json!([]));
}
