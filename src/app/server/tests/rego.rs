//! Policies in Rego through the doors: tested before they are activated, and as strict as any other.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    policies::{make, path},
    tenants::other,
};
use crate::{
    access::server::rego,
    app::server::test_app::{Answer, Client, TestApp, first_error, options_of},
};

const LEVEL: &str = "package x.level\n\nimport rego.v1\n\ndefault allow := false\n\nallow if input.user.level >= 3\n";
const TESTS: &str = "package x.level_test\n\nimport data.x.level\n\ntest_high if level.allow with input as {\"user\": {\"level\": 3}}\n\n\
                     test_low if not level.allow with input as {\"user\": {\"level\": 2}}\n";

fn policy(name: &str, mode: &str, action: &str, module: &str) -> Value {
    json!({"name": name, "mode": mode, "actions": [action], "language": "rego", "module": module})
}

fn active(mut policy: Value) -> Value {
    policy["active"] = json!(true);
    policy
}

async fn may(by: &Client, user: &str, resource: Value, action: &str) -> Value {
    let question = json!({"user": user, "resource": resource, "action": action, "env": {"assurance": 1}});
    by.post("/admin/policies/evaluate", question).await.ok()
}

/// C6: a module is kept in versions with its tests, is enforced with the next request, and can be rolled back.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_module_is_drafted_tested_activated_and_rolled_back(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let mut new = policy("readers", "require", "audit.read", LEVEL);
    new["tests"] = json!(TESTS);
    let made = make(&boss, new).await;
    assert_eq!((&made["language"], &made["module"], &made["tests"]), (&json!("rego"), &json!(LEVEL), &json!(TESTS)));
    assert_eq!((&made["rules"], &made["active"]), (&json!([]), &Value::Null));
    let path = path(&made);
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK, "a draft enforces nothing");
    boss.post(&format!("{path}/activate"), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.code(), "missing_permission");
    boss.patch(&format!("/admin/users/{}", sara.id), json!({"attributes": {"level": 3}})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);

    // The tests no longer hold, so it stays a draft, by whatever way.
    let higher = LEVEL.replace('3', "4");
    let edited = boss.patch(&path, json!({"module": higher})).await.ok();
    assert_eq!((&edited["latest"], &edited["active"]), (&json!(2), &json!(1)));
    let refused = boss.post(&format!("{path}/activate"), json!({})).await;
    assert_eq!(first_error(&refused), ("tests.test_high".to_owned(), "failed".to_owned()));
    assert_eq!(refused.json()["errors"].as_array().map(Vec::len), Some(1), "{}", refused.text);
    let mut at_once = active(policy("other", "require", "audit.read", &higher));
    at_once["tests"] = json!(TESTS);
    assert_eq!(first_error(&boss.post("/admin/policies", at_once).await).1, "failed");
    let ran = boss.post("/admin/policies/test", json!({"module": higher, "tests": TESTS})).await.ok();
    let results = json!([{"name": "test_high", "passed": false}, {"name": "test_low", "passed": true}]);
    assert_eq!(ran, json!({"passed": false, "results": results}));
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK, "the first version is enforced");

    boss.patch(&path, json!({"tests": TESTS.replace("\"level\": 3", "\"level\": 4")})).await.ok();
    boss.post(&format!("{path}/activate"), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
    boss.post(&format!("{path}/activate"), json!({"number": 1})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK, "rolled back");
    let versions = boss.get(&format!("{path}/versions")).await.ok();
    assert_eq!((&versions[2]["module"], &versions[1]["module"]), (&json!(LEVEL), &json!(higher)));

    // It is about whoever looks into the log as well.
    boss.post(&format!("{path}/deactivate"), json!({})).await.ok();
    let audited = boss.get("/admin/audit?action=admin.policy_update").await.ok();
    let texts = audited["items"].as_array().expect("entries").iter();
    assert!(texts.clone().any(|entry| entry.to_string().contains("input.user.level >= 4")), "{audited}");
}

/// C6: a module may grant; where it denies as well the deny wins; whatever is no boolean true is no allow.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_module_grants_and_its_deny_wins(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let module = "package x\nallow if input.resource.owner == input.user.id\nallow if input.action == \"reports.read\"\n\
                  deny := input.resource.secret\n";
    let made = make(&boss, active(policy("own", "grant", "reports.read", module))).await;
    let thing = |attributes: Value| json!({"type": "reports", "attributes": attributes});
    let asked = may(&boss, &sara.id, thing(json!({})), "read").await;
    assert_eq!((&asked["allow"], &asked["reason"]), (&json!(true), &json!("the policy own allows it")));
    assert_eq!(may(&boss, &sara.id, thing(json!({"secret": true})), "read").await["allow"], false);
    assert_eq!(may(&boss, &sara.id, thing(json!({"secret": false})), "read").await["allow"], true);
    // Nothing is known of the thing, so nothing is said.
    let open = may(&boss, &sara.id, json!("reports"), "read").await;
    assert_eq!((&open["allow"], &open["answer"]), (&json!(false), &json!("depends")));
    assert_eq!(open["because"][0]["kind"], "policy_open");

    // A module that fails denies, says so, and is counted.
    let before = rego::failed();
    let failing = may(&boss, &sara.id, thing(json!({"secret": "yes"})), "read").await;
    assert_eq!(failing["because"][0]["kind"], "policy_fails", "{failing}");
    assert_eq!(failing["reason"], "the policy own could not be evaluated, so it denies");
    assert!(rego::failed() > before);

    boss.patch(&path(&made), json!({"module": "package x\nallow := \"true\"\n"})).await.ok();
    boss.post(&format!("{}/activate", path(&made)), json!({})).await.ok();
    assert_eq!(may(&boss, &sara.id, thing(json!({})), "read").await["reason"], "nothing grants it");
}

/// C6: what is wrong is named by line and column; a policy keeps the language it was made in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_wrong_module_is_refused_at_its_place(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    for (module, at, code) in [
        ("package x\nallow if {\n  x ==\n}\n", "module:4:1", "malformed"),
        ("package x\nallow if http.send({})\n", "module:2:10", "unknown"),
        ("package x\nf(x) if f(x)\nallow if f(1)\n", "module:2:1", "too_deep"),
        ("", "module", "required"),
    ] {
        let refused = boss.post("/admin/policies", policy("a", "grant", "users.read", module)).await;
        assert_eq!(first_error(&refused), (at.to_owned(), code.to_owned()), "{module}");
        let body = json!({"module": module, "tests": ""});
        assert_eq!(first_error(&boss.post("/admin/policies/test", body).await).0, at);
    }
    let mut both = policy("a", "grant", "users.read", LEVEL);
    both["rules"] = json!([{"effect": "allow"}]);
    assert_eq!(first_error(&boss.post("/admin/policies", both).await).0, "rules");
    let none = json!({"name": "a", "mode": "grant", "actions": ["users.read"]});
    assert_eq!(first_error(&boss.post("/admin/policies", none).await).0, "rules");
    let made = make(&boss, policy("a", "grant", "users.read", LEVEL)).await;
    let rules = json!({"rules": [{"effect": "allow"}]});
    assert_eq!(first_error(&boss.patch(&path(&made), rules).await), ("rules".to_owned(), "unknown".to_owned()));
    let other = json!({"name": "b", "mode": "grant", "actions": ["users.read"], "rules": [{"effect": "allow"}]});
    let other = make(&boss, other).await;
    let module = boss.patch(&path(&other), json!({"module": LEVEL})).await;
    assert_eq!(first_error(&module), ("module".to_owned(), "unknown".to_owned()));
    let trial = json!({"mode": "grant", "actions": ["users.read"], "rules": [], "language": "rego", "module": LEVEL,
        "user": "hind@nakheel.example"});
    let tried = boss.post("/admin/policies/try", trial).await.ok();
    assert_eq!((&tried["denies"], &tried["allows"]), (&json!(false), &json!(false)), "{tried}");
}

/// C6, C14: what is foreseen of activating a module is what happens.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_foreseen_of_a_module_happens(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let high = app.person(&boss, "high@x.example", &[]).await;
    let low = app.person(&boss, "low@x.example", &[]).await;
    boss.patch(&format!("/admin/users/{}", high.id), json!({"attributes": {"level": 3}})).await.ok();
    let made = make(&boss, policy("reports", "grant", "reports.read", LEVEL)).await;
    let foreseen = boss.post(&format!("{}/what-if", path(&made)), json!({"number": 1})).await.ok();
    let (what, names) = (&foreseen["lines"][0]["what"], &foreseen["names"]);
    assert_eq!((what, names), (&json!("gained"), &json!(["high@x.example"])), "{foreseen}");
    assert_eq!(boss.held(&high.id).await, Vec::<String>::new());
    boss.post(&format!("{}/activate", path(&made)), json!({})).await.ok();
    assert!(boss.held(&high.id).await.contains(&"reports.read".to_owned()));
    assert!(!boss.held(&low.id).await.contains(&"reports.read".to_owned()));
}

/// C6, C15: nobody gives by a module, or by what a module reads, what they do not hold.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_climbs_by_modules(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let tools = ["users.*", "policies.*", "permissions.assign", "permissions.read", "roles.*"];
    boss.make_role("clerk", &tools).await;
    boss.make_role("marked", &[]).await;
    let clerk = app.person(&boss, "clerk@x.example", &["clerk"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let beyond = |answer: Answer| {
        let seen = (answer.status, answer.code());
        assert_eq!(seen, (StatusCode::FORBIDDEN, "beyond_your_rights".to_owned()), "{}", answer.text);
        assert_eq!(answer.json()["permissions"], json!(["reports.read"]));
    };
    let all = "package x\nallow if true\n";
    beyond(clerk.post("/admin/policies", active(policy("mine", "grant", "reports.read", all))).await);
    let draft = make(&clerk, policy("mine", "grant", "reports.read", all)).await;
    beyond(clerk.post(&format!("{}/activate", path(&draft)), json!({})).await);
    // Even where it never allows anything.
    let never = "package x\nallow if false\n";
    beyond(clerk.post("/admin/policies", active(policy("never", "grant", "reports.read", never))).await);

    let made = make(&boss, active(policy("level", "grant", "reports.read", LEVEL))).await;
    let raised = json!({"attributes": {"level": 3}});
    beyond(clerk.patch(&format!("/admin/users/{}", sara.id), raised.clone()).await);
    beyond(clerk.patch(&format!("/admin/users/{}", clerk.id), raised.clone()).await);
    beyond(clerk.post(&format!("{}/deactivate", path(&made)), json!({})).await);

    // A role that a module reads beside the thing is a grant as well, although nothing can be said of it yet.
    let by_role = "package x\nallow if {\n  \"marked\" in input.user.roles\n  input.resource.open\n}\n";
    boss.patch(&path(&made), json!({"module": by_role})).await.ok();
    boss.post(&format!("{}/activate", path(&made)), json!({})).await.ok();
    // Of whoever a module may give something nobody can say that they have less.
    let outranked = |answer: Answer| assert_eq!(answer.code(), "outranked", "{}", answer.text);
    outranked(clerk.post(&format!("/admin/users/{}/roles", sara.id), json!({"roles": ["marked"]})).await);
    outranked(clerk.patch(&format!("/admin/users/{}", sara.id), raised).await);
    boss.post(&format!("/admin/users/{}/roles", sara.id), json!({"roles": ["marked"]})).await.ok();
    let open = json!({"type": "reports", "attributes": {"open": true}});
    assert_eq!(may(&boss, &sara.id, open, "read").await["allow"], true);
}

/// C6: a module that was saved and cannot be read any more denies what it is about. Other tenants are served as before, and
/// it can be taken out of force.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_module_that_cannot_be_read_stops_nobody_else(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (_, badr) = other(&app, &boss).await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let all = "package x\nallow if true\n";
    let made = make(&boss, active(policy("readers", "require", "audit.read", all))).await;
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    for broken in ["package x\nallow if {", "package x\nallow if http.send({})\n"] {
        let sql = "update access_policy_versions set module = $1 where policy_id = $2";
        let id = made["id"].as_str().expect("an id").parse::<Uuid>().expect("an id");
        sqlx::query(sql).bind(broken).bind(id).execute(&app.owner).await.expect("a module");
        sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("versions");
        app.heart.refresh().await.expect("the grants");
        assert_eq!(badr.get("/admin/users").await.status, StatusCode::OK, "another tenant");
        assert_eq!(sara.get("/admin/users").await.status, StatusCode::OK, "what it is not about");
        assert_eq!(sara.get("/admin/audit").await.code(), "missing_permission");
        let able =
            boss.post("/admin/policies/evaluate", json!({"user": sara.id, "resource": "audit", "action": "read"}));
        assert_eq!(able.await.ok()["because"][0]["kind"], "policy_fails");
    }
    boss.post(&format!("{}/deactivate", path(&made)), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
}

/// C6: whatever is tried, saved or not, ends with an answer: loops as many as fit into a module are refused, not evaluated.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_module_of_loops_alone_is_refused(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let module = format!("package x\np := [1]\nallow if {{\n{}}}\n", "p[_]\n".repeat(3_000));
    let trial = json!({"mode": "grant", "actions": ["users.read"], "rules": [], "language": "rego", "module": module,
        "user": "hind@nakheel.example"});
    assert_eq!(first_error(&boss.post("/admin/policies/try", trial).await).1, "too_deep");
    assert_eq!(boss.get("/auth/me").await.status, StatusCode::OK, "the process goes on");
}

/// C6: where the grants of one tenant cannot be read for another reason, it alone is not served.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn grants_that_cannot_be_read_stop_their_tenant_alone(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (_, badr) = other(&app, &boss).await;
    let rules = json!({"name": "a", "mode": "require", "actions": ["audit.read"], "rules": [{"effect": "allow"}]});
    let made = make(&boss, active(rules)).await;
    let id = made["id"].as_str().expect("an id").parse::<Uuid>().expect("an id");
    let write = async |effect: &str| {
        let sql = "update access_policy_versions set rules = $1 where policy_id = $2";
        let rules = json!([{"effect": effect}]);
        sqlx::query(sql).bind(rules).bind(id).execute(&app.owner).await.expect("rules");
    };
    write("other").await;
    sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("versions");
    app.heart.refresh().await.expect("the grants of the others");
    assert_eq!(badr.get("/admin/users").await.status, StatusCode::OK);
    assert_eq!(boss.get("/admin/users").await.status, StatusCode::SERVICE_UNAVAILABLE);
    write("allow").await;
    app.heart.refresh().await.expect("the grants");
    assert_eq!(boss.get("/admin/users").await.status, StatusCode::OK, "it is read again by itself");
}
