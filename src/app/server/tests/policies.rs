//! Attribute policies through the doors: kept in versions, enforced with the next request, and no way around the ceiling.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

const SAMPLE: &str = "signals.create.only_if_subscription_active_and_role";

pub async fn make(by: &Client, policy: Value) -> Value {
    by.post("/admin/policies", policy).await.ok()
}

pub fn path(policy: &Value) -> String {
    format!("/admin/policies/{}", policy["id"].as_str().expect("an id"))
}

async fn may(by: &Client, user: &str, resource: &str, action: &str) -> Value {
    let question = json!({"user": user, "resource": resource, "action": action});
    by.post("/admin/policies/evaluate", question).await.ok()
}

/// C5: the sources' sample is there, is enforced, and says what the sources say of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_sample_of_the_sources_is_enforced(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let policies = boss.get("/admin/policies?q=subscription").await.ok();
    assert_eq!((&policies["items"][0]["name"], &policies["items"][0]["active"]), (&json!(SAMPLE), &json!(1)));
    let sara = app.person(&boss, "sara@x.example", &["trader"]).await;
    let no = may(&boss, &sara.id, "signals", "create").await;
    assert_eq!((&no["allow"], &no["reason"]), (&json!(false), &json!(format!("the policy {SAMPLE} denies it"))));
    assert_eq!(no["would_allow"][0]["policy"]["name"], SAMPLE);
    let subscribed = json!({"attributes": {"subscription": {"active": true}}});
    boss.patch(&format!("/admin/users/{}", sara.id), subscribed.clone()).await.ok();
    assert_eq!(may(&boss, &sara.id, "signals", "create").await["allow"], true);
    boss.post(&format!("/admin/users/{}/roles", sara.id), json!({"roles": ["admin"]})).await.ok();
    boss.patch(&format!("/admin/users/{}/roles", sara.id), json!({"roles": [{"role": "admin"}]})).await.ok();
    assert_eq!(may(&boss, &sara.id, "signals", "create").await["allow"], false, "an admin is no trader");
}

/// C5: what is saved is a version; what is enforced changes when one is activated, and an earlier one can come back.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_policy_is_drafted_activated_and_rolled_back(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let rules = |level: u32| json!([{"effect": "allow", "condition": {"user.level": {"gte": level}}}]);
    let made =
        make(&boss, json!({"name": "readers", "mode": "require", "actions": ["audit.read"], "rules": rules(3)})).await;
    let path = path(&made);
    assert_eq!((&made["latest"], &made["active"]), (&json!(1), &Value::Null));
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK, "a draft enforces nothing");
    boss.post(&format!("{path}/activate"), json!({})).await.ok();
    let refused = sara.get("/admin/audit").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "missing_permission"));

    let edited = boss.patch(&path, json!({"rules": rules(0)})).await.ok();
    assert_eq!((&edited["latest"], &edited["active"]), (&json!(2), &json!(1)));
    boss.patch(&format!("/admin/users/{}", sara.id), json!({"attributes": {"level": 1}})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
    boss.post(&format!("{path}/activate"), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    boss.post(&format!("{path}/activate"), json!({"number": 1})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN, "rolled back");
    let unknown = boss.post(&format!("{path}/activate"), json!({"number": 9})).await;
    assert_eq!(unknown.json()["errors"][0]["field"], "number");

    let versions = boss.get(&format!("{path}/versions")).await.ok();
    let numbers = versions.as_array().expect("versions").iter().map(|one| one["number"].clone());
    assert_eq!(numbers.collect::<Vec<_>>(), [json!(2), json!(1)]);
    assert_eq!((&versions[1]["rules"], &versions[1]["saved_by"]), (&rules(3), &versions[0]["saved_by"]));

    let stale = boss.with("if-match", "\"1\"").patch(&path, json!({"description": "x"})).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "stale"));
    boss.post(&format!("{path}/deactivate"), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    boss.post(&format!("{path}/activate"), json!({})).await.ok();
    boss.delete(&path).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    assert_eq!(boss.get(&path).await.status, StatusCode::NOT_FOUND);
    let actions = app.actions().await;
    for (action, times) in [
        ("admin.policy_create", 1),
        ("admin.policy_update", 1),
        ("admin.policy_activate", 4),
        ("admin.policy_deactivate", 1),
        ("admin.policy_delete", 1),
    ] {
        assert_eq!(actions.iter().filter(|one| *one == action).count(), times, "{action}");
    }
}

/// C5: a document that is wrong is refused as a whole, each place of it named; nothing is kept of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_wrong_document_is_refused_place_by_place(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let wrong = json!({
        "name": "a", "mode": "grant", "actions": ["no.such"],
        "rules": [{"effect": "allow", "condition": {"and": [{"user.a": {"above": 1}}, {"usr.b": 1}]}}],
    });
    let refused = boss.post("/admin/policies", wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors = refused.json()["errors"].as_array().expect("errors").clone();
    let places = errors.iter().map(|error| error["field"].as_str().expect("a place").to_owned());
    assert_eq!(
        places.collect::<Vec<_>>(),
        ["actions[0]", "rules[0].condition.and[0].user.a.above", "rules[0].condition.and[1].usr.b"]
    );
    let huge = json!({"name": "a", "mode": "grant", "actions": ["users.read"], "rules": ["x".repeat(40_000)]});
    assert_eq!(boss.post("/admin/policies", huge).await.json()["errors"][0]["code"], "too_long");
    let taken = json!({"name": SAMPLE, "mode": "grant", "actions": ["users.read"], "rules": [{"effect": "allow"}]});
    assert_eq!(boss.post("/admin/policies", taken).await.json()["errors"][0]["code"], "taken");
    assert_eq!(boss.all("/admin/policies").await.len(), 1);
}

/// C5, C11: a policy about the thing decides on each thing; in lists it shows nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_policy_decides_on_the_thing_that_is_acted_on(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let own = json!([{"effect": "allow", "condition": {"resource.department": {"eq": {"ref": "user.department"}}}}]);
    let lead = app.person(&boss, "lead@x.example", &["admin"]).await;
    let near = app.person(&boss, "near@x.example", &[]).await;
    let far = app.person(&boss, "far@x.example", &[]).await;
    for (who, department) in [(&lead, "finance"), (&near, "finance"), (&far, "legal")] {
        boss.patch(&format!("/admin/users/{}", who.id), json!({"department": department})).await.ok();
    }
    let actions = json!(["users.read", "users.update"]);
    make(&boss, json!({"name": "own", "mode": "require", "actions": actions, "rules": own, "active": true})).await;
    let edit = json!({"name": "New name"});
    lead.patch(&format!("/admin/users/{}", near.id), edit.clone()).await.ok();
    assert_eq!(lead.patch(&format!("/admin/users/{}", far.id), edit).await.status, StatusCode::NOT_FOUND);
    assert_eq!(lead.get(&format!("/admin/users/{}", near.id)).await.status, StatusCode::OK);
    assert_eq!(lead.get(&format!("/admin/users/{}", far.id)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(lead.get("/admin/users").await.ok()["items"], json!([]));
    // Nobody moves anybody out of where they may act.
    let moved = lead.patch(&format!("/admin/users/{}", near.id), json!({"department": "legal"})).await;
    assert_eq!(moved.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", moved.text);
}

/// C5, C15, CVE-2026-5006: fields that make a policy hold are a grant: nobody gives by them what they do not hold.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_climbs_by_attributes_or_by_policies(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let cleared = json!([{"effect": "allow", "condition": {"user.clearance": {"gte": 3}}}]);
    make(
        &boss,
        json!({"name": "cleared", "mode": "grant", "actions": ["reports.read"], "rules": cleared, "active": true}),
    )
    .await;
    let tools = ["users.*", "policies.*", "permissions.assign", "permissions.read", "roles.read"];
    boss.make_role("clerk", &tools).await;
    let clerk = app.person(&boss, "clerk@x.example", &["clerk"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let beyond = |answer: crate::app::server::test_app::Answer| {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::FORBIDDEN, "beyond_your_rights"),
            "{}",
            answer.text
        );
        assert_eq!(answer.json()["permissions"], json!(["reports.read"]));
    };
    let raised = json!({"attributes": {"clearance": 3}});
    beyond(clerk.patch(&format!("/admin/users/{}", sara.id), raised.clone()).await);
    beyond(clerk.patch(&format!("/admin/users/{}", clerk.id), raised.clone()).await);
    let new = json!({"email": "new@x.example", "name": "New", "attributes": {"clearance": 3}});
    beyond(clerk.post("/admin/users", new).await);
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    clerk.patch(&format!("/admin/users/{}", sara.id), json!({"attributes": {"clearance": 2}})).await.ok();

    let all = json!([{"effect": "allow"}]);
    beyond(
        clerk
            .post(
                "/admin/policies",
                json!({"name": "mine", "mode": "grant", "actions": ["reports.read"], "rules": all, "active": true}),
            )
            .await,
    );
    let draft = json!({"name": "mine", "mode": "grant", "actions": ["reports.read"], "rules": all});
    let draft = clerk.post("/admin/policies", draft).await.ok();
    beyond(clerk.post(&format!("{}/activate", path(&draft)), json!({})).await);
    assert_eq!(may(&boss, &sara.id, "reports", "read").await["allow"], false);

    // Whoever has a right by a policy is out of reach of those who lack it.
    boss.patch(&format!("/admin/users/{}", sara.id), raised).await.ok();
    assert_eq!(may(&boss, &sara.id, "reports", "read").await["allow"], true);
    let link = clerk.post(&format!("/admin/users/{}/link", sara.id), json!({"mail": true})).await;
    assert_eq!(link.code(), "outranked", "{}", link.text);
}

/// C5: a document is tried on somebody before it is saved: what it says, and how each condition stands.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_document_is_tried_before_it_is_saved(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["trader"]).await;
    let rules = json!([{"effect": "allow", "condition": {"and": [
        {"user.roles": {"contains": "trader"}}, {"resource.amount": {"lt": 100}}, {"env.address": {"in": ["10.0.0.0/8"]}},
    ]}}]);
    let trial = |resource: Value, env: Value| json!({"mode": "grant", "actions": ["tasks.create"], "rules": rules, "user": sara.id, "resource": resource, "env": env});
    let open = boss.post("/admin/policies/try", trial(Value::Null, Value::Null)).await.ok();
    assert_eq!((&open["denies"], &open["allows"]), (&json!(false), &Value::Null));
    let holds = open["conditions"].as_array().expect("conditions").iter().map(|one| one["holds"].clone());
    assert_eq!(holds.collect::<Vec<_>>(), [Value::Null, json!(true), Value::Null, Value::Null]);
    let thing = json!({"type": "tasks", "attributes": {"amount": 99}});
    let yes = boss.post("/admin/policies/try", trial(thing.clone(), json!({"address": "10.1.1.1"}))).await.ok();
    assert_eq!(yes["allows"], true);
    let no = boss.post("/admin/policies/try", trial(thing, json!({"address": "11.1.1.1"}))).await.ok();
    assert_eq!(no["allows"], false);
    assert_eq!(no["conditions"][3]["at"], "rules[0].condition.and[2].env.address");
    let wrong = boss.post("/admin/policies/try", trial(Value::Null, json!({"address": "here"}))).await;
    assert_eq!(wrong.json()["errors"][0]["field"], "env.address");
    assert_eq!(may(&boss, &sara.id, "tasks", "create").await["allow"], false, "nothing was saved");
}
