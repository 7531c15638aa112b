//! Why, why not, and who can: the engine's own answers, which must be what is enforced.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

async fn ask(by: &Client, user: &str, resource: Value, action: &str) -> Value {
    let question = json!({"user": user, "resource": resource, "action": action});
    by.post("/admin/policies/evaluate", question).await.ok()
}

/// What the policy of the sources asks for beside the role.
async fn subscribe(by: &Client, user: &str) {
    by.patch(&format!("/admin/users/{user}"), json!({"attributes": {"subscription": {"active": true}}})).await.ok();
}

/// C5: `{user, resource, action}` is answered with `allow` and `reason`, whoever is named however, one or many at once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_question_is_answered_as_enforcement_would(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["trader"]).await;
    subscribe(&boss, &sara.id).await;
    for name in [sara.id.as_str(), "sara@x.example", " Sara@X.example "] {
        let yes = ask(&boss, name, json!("signals"), "create").await;
        assert_eq!((&yes["allow"], &yes["reason"]), (&json!(true), &json!("the role trader gives signals.create")));
        assert_eq!((&yes["permission"], &yes["would_allow"]), (&json!("signals.create"), &json!([])));
    }
    let no = ask(&boss, &sara.id, json!("audit"), "read").await;
    assert_eq!((&no["allow"], &no["reason"]), (&json!(false), &json!("nothing grants it")));
    let many = json!({"evaluations": [
        {"user": sara.id, "resource": "signals", "action": "create"},
        {"user": sara.id, "resource": "audit", "action": "read"},
    ]});
    let many = boss.post("/admin/policies/evaluate", many).await.ok();
    let allowed = many["evaluations"].as_array().expect("answers").iter().map(|one| one["allow"].clone());
    assert_eq!(allowed.collect::<Vec<_>>(), [json!(true), json!(false)]);
    for (question, field) in [
        (json!({"user": "nobody", "resource": "audit", "action": "read"}), "user"),
        (json!({"user": sara.id, "resource": "audit", "action": "fly"}), "action"),
    ] {
        let refused = boss.post("/admin/policies/evaluate", question).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["errors"][0]["field"], field);
    }
}

/// C4, users-ask 7: why not, with everything that stands in the way; doing what is said makes it a yes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn why_not_says_what_would_have_to_change(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    subscribe(&boss, &sara.id).await;
    let user = format!("/admin/users/{}", sara.id);
    boss.patch(&format!("{user}/permissions"), json!({"deny": ["signals.create"]})).await.ok();
    boss.patch(&format!("{user}/status"), json!({"status": "suspended"})).await.ok();
    let no = ask(&boss, &sara.id, json!("signals"), "create").await;
    let kinds = no["would_allow"].as_array().expect("remedies").iter().map(|one| one["kind"].clone());
    assert_eq!(kinds.collect::<Vec<_>>(), ["activate", "lift_deny", "policy", "give_role"]);
    let roles = no["would_allow"][3]["roles"].as_array().expect("roles").iter().map(|role| role["name"].clone());
    assert_eq!(roles.collect::<Vec<_>>(), ["admin", "trader"]);

    boss.patch(&format!("{user}/status"), json!({"status": "active"})).await.ok();
    boss.patch(&format!("{user}/permissions"), json!({"deny": []})).await.ok();
    boss.post(&format!("{user}/roles"), json!({"roles": ["trader"]})).await.ok();
    assert_eq!(ask(&boss, &sara.id, json!("signals"), "create").await["allow"], true);

    // In a part of the tenant only: it depends, and the thing decides.
    let bound = json!({"roles": [{"role": "trader", "department": "finance"}]});
    boss.patch(&format!("{user}/roles"), bound).await.ok();
    let depends = ask(&boss, &sara.id, json!("signals"), "create").await;
    assert_eq!((&depends["allow"], &depends["answer"]), (&json!(false), &json!("depends")));
    assert_eq!(depends["would_allow"][0]["kind"], "widen");
    let inside = json!({"type": "signals", "department": "finance"});
    assert_eq!(ask(&boss, &sara.id, inside, "create").await["allow"], true);
    let outside = json!({"type": "signals", "department": "legal"});
    assert_eq!(ask(&boss, &sara.id, outside, "create").await["allow"], false);
    boss.post("/admin/permissions", json!({"key": "crm.read", "name_ar": "قراءة", "name_en": "Read"})).await.ok();
    let nobody_gives = ask(&boss, &sara.id, json!("crm"), "read").await;
    assert_eq!(nobody_gives["would_allow"], json!([{"kind": "allow", "permission": "crm.read"}]));
}

/// users-ask 5: who can do this, by whatever way, page after page without a gap.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_can_finds_everybody_by_every_way(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let dealer = boss.make_role("dealer", &["tasks.create"]).await;
    let group = boss.post("/admin/groups", json!({"name": "desk", "roles": [{"role": dealer}]})).await.ok();
    let heir = json!({"name": "head of desk", "parents": [dealer]});
    boss.post("/admin/roles", heir).await.ok();
    let mut expected = vec![boss.id.clone()];
    for (at, roles) in
        [vec!["dealer"], vec!["head of desk"], vec![], vec![], vec!["dealer"], vec!["support"]].iter().enumerate()
    {
        let person = app.person(&boss, &format!("p{at}@x.example"), roles).await;
        let path = format!("/admin/users/{}/permissions", person.id);
        match at {
            2 => {
                let members = format!("/admin/groups/{}/members", group["id"].as_str().expect("an id"));
                boss.post(&members, json!({"user": person.id})).await.ok();
            }
            3 => drop(boss.patch(&path, json!({"allow": ["tasks.create"]})).await.ok()),
            4 => drop(boss.patch(&path, json!({"deny": ["tasks.create"]})).await.ok()),
            _ => {}
        }
        if at < 4 {
            expected.push(person.id);
        }
    }
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = boss.get(&format!("/admin/permissions/tasks.create/users?limit=2&after={after}")).await.ok();
        assert_eq!(page["total"], 5);
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= 2);
        found.extend(items.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => break,
        }
    }
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(boss.get("/admin/permissions/no.such/users").await.status, StatusCode::NOT_FOUND);
}
