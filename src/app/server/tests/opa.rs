//! External decisions through the doors: a policy asks the tenant's own agent, and without its word it denies.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, Method, StatusCode, Uri},
    routing::post,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::{
    policies,
    tenants::{may_everything, other},
};
use crate::app::server::test_app::{Client, TestApp, first_error, options_of};

/// How the agent answers.
#[derive(Clone)]
enum Reply {
    Text(String),
    Never,
}

/// What it was asked: the path, whom it takes the asker for, and the input.
type Asked = (String, String, Value);

/// A small agent of the test's own.
#[derive(Clone)]
struct Agent {
    url: String,
    reply: Arc<Mutex<Reply>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Agent {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let agent = Agent { url, reply: Arc::new(Mutex::new(Reply::Never)), asked: Arc::default() };
        let own = agent.clone();
        let answer = move |uri: Uri, headers: HeaderMap, body: String| async move {
            let body = serde_json::from_str::<Value>(&body).expect("JSON");
            let bears = headers.get("authorization").map(|value| value.to_str().expect("ASCII").to_owned());
            let asked = (uri.path().to_owned(), bears.unwrap_or_default(), body["input"].clone());
            own.asked.lock().expect("whole").push(asked);
            let reply = own.reply.lock().expect("whole").clone();
            match reply {
                Reply::Text(text) => text,
                Reply::Never => std::future::pending().await,
            }
        };
        let router = Router::new().route("/v1/data/{*path}", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        agent
    }

    fn says(&self, result: Value) {
        *self.reply.lock().expect("whole") = Reply::Text(json!({"result": result}).to_string());
    }

    fn answers(&self, reply: Reply) {
        *self.reply.lock().expect("whole") = reply;
    }

    /// What it was asked since it was last looked.
    fn heard(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().expect("whole"))
    }

    fn setting(&self, token: Value) -> Value {
        json!({"opa": {"url": self.url, "timeout_ms": 1_500, "token": token}})
    }
}

async fn policy(by: &Client, mode: &str, action: &str) -> Value {
    let body = json!({
        "name": format!("{mode} {action}"), "mode": mode, "actions": [action], "language": "opa",
        "module": "/bawwab/main/", "active": true,
    });
    by.post("/admin/policies", body).await.ok()
}

/// C6: each act that the policy is about is asked before it is done, with the input document of a module; a no, a deny
/// beside a yes, silence, another answer and too long a one all deny.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_act_waits_for_the_external_decision(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    let made = policy(&boss, "require", "audit.read").await;
    assert_eq!((&made["language"], &made["module"]), (&json!("opa"), &json!("bawwab/main")));
    assert_eq!(sara.get("/admin/audit").await.code(), "missing_permission", "no agent is set");

    boss.patch("/admin/settings", agent.setting(json!("a-token"))).await.ok();
    assert_eq!(agent.heard(), Vec::new(), "nothing was decided that the policy is about");
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    let asked = agent.heard();
    assert_eq!(asked.len(), 1, "once for a request: {asked:?}");
    let (path, bears, input) = &asked[0];
    assert_eq!((path.as_str(), bears.as_str()), ("/v1/data/bawwab/main", "Bearer a-token"));
    assert_eq!((&input["user"]["id"], &input["action"]), (&json!(sara.id), &json!("audit.read")));
    assert_eq!((&input["env"]["assurance"], &input["resource"]), (&json!(1), &Value::Null), "{input}");
    assert!(input["user"]["roles"].as_array().is_some_and(|roles| roles.contains(&json!("support"))), "{input}");

    // What it is not about is not asked.
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::OK);
    assert_eq!(agent.heard(), Vec::new());

    for reply in [
        r#"{"result": false}"#.to_owned(),
        r#"{"result": {"allow": true, "deny": true}}"#.to_owned(),
        r#"{"result": {"allow": "true"}}"#.to_owned(),
        "{}".to_owned(),
        "yes".to_owned(),
        format!(r#"{{"result": true, "why": "{}"}}"#, "x".repeat(70_000)),
    ] {
        agent.answers(Reply::Text(reply));
        assert_eq!(sara.get("/admin/audit").await.code(), "missing_permission");
        assert_eq!(agent.heard().len(), 1);
    }
    agent.answers(Reply::Never);
    boss.patch("/admin/settings", json!({"opa": {"url": agent.url, "timeout_ms": 50}})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.code(), "missing_permission");
    agent.heard();

    boss.post(&format!("{}/deactivate", policies::path(&made)), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    assert_eq!(agent.heard(), Vec::new());
    // Whoever looks for what is wrong finds the policy in the log, and the number in the monitoring.
    let log = boss.get("/admin/audit?action=access.denied").await.ok();
    let rows = log["items"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["meta"]["policy_failed"] == "require audit.read"), "{log}");
    assert!(app.heart.failed_policies().iter().any(|(kind, count)| *kind == "outside" && *count > 0));
}

/// C6, C14: what nobody was asked is not guessed: who can and what if say that it depends on an external decision.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_can_and_what_if_do_not_guess(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    let made = policy(&boss, "require", "audit.read").await;
    let what_if = format!("{}/what-if", policies::path(&made));
    let effect = boss.post(&what_if, json!({})).await.ok();
    let line = &effect["lines"][0];
    assert_eq!((&line["key"], &line["what"]), (&json!("audit.read"), &json!("external")), "{effect}");
    assert_eq!(line["because"][0]["kind"], "policy_outside");
    assert_eq!((&effect["people_gaining"], &effect["people_losing"]), (&json!(0), &json!(0)));
    let able = boss.get("/admin/permissions/audit.read/users").await.ok();
    let found = able["items"].as_array().expect("people").iter().find(|one| one["id"] == json!(sara.id));
    let found = found.expect("she may be able to");
    assert_eq!((&found["answer"], &found["because"][0]["kind"]), (&json!("depends"), &json!("policy_outside")));
    let tried = json!({
        "mode": "require", "actions": ["audit.read"], "language": "opa", "module": "bawwab/main", "user": "sara@x.example",
    });
    let tried = boss.post("/admin/policies/try", tried).await.ok();
    assert_eq!((&tried["denies"], &tried["conditions"]), (&Value::Null, &json!([])));
    assert!(!boss.held(&sara.id).await.contains(&"audit.read".to_owned()));
    assert_eq!(agent.heard(), Vec::new(), "nobody was asked");
}

/// C6, C18: whoever asks about one question is told the agent's word, and the agent what is known of the thing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_evaluation_asks(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.post("/admin/permissions", json!({"key": "record.read", "name_ar": "مفتاح", "name_en": "Key"})).await.ok();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let agent = Agent::start().await;
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    policy(&boss, "grant", "record.read").await;
    let question = json!({
        "user": sara.id, "action": "read", "resource": {"type": "record", "attributes": {"owner": "sara"}},
    });
    agent.says(json!({"allow": true}));
    let yes = boss.post("/admin/policies/evaluate", question.clone()).await.ok();
    assert_eq!((&yes["allow"], &yes["because"][0]["kind"]), (&json!(true), &json!("policy_allows")));
    let asked = agent.heard();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].1.as_str(), &asked[0].2["resource"]), ("", &json!({"owner": "sara"})));
    agent.says(json!({"allow": false}));
    assert_eq!(boss.post("/admin/policies/evaluate", question.clone()).await.ok()["allow"], false);
    agent.answers(Reply::Text("{}".to_owned()));
    let failed = boss.post("/admin/policies/evaluate", question).await.ok();
    assert_eq!((&failed["allow"], &failed["because"][0]["kind"]), (&json!(false), &json!("policy_fails")));

    let asks = json!({
        "subject": {"type": "user", "id": sara.id}, "action": {"name": "read"}, "resource": {"type": "record", "id": "1"},
    });
    agent.says(json!(true));
    let decided = boss.post("/access/v1/evaluation", asks.clone()).await.ok();
    assert_eq!((&decided["decision"], &decided["context"]["reason"]), (&json!(true), &json!("policy_allows")));
    agent.says(json!({"allow": true, "deny": true}));
    let many = json!({"evaluations": [asks.clone(), asks]});
    let decided = boss.post("/access/v1/evaluations", many).await.ok();
    let decisions = decided["evaluations"].as_array().expect("decisions").iter().map(|one| &one["decision"]);
    assert_eq!(decisions.collect::<Vec<_>>(), [&json!(false), &json!(false)]);
}

/// C6, E7: the token is kept sealed, is never shown or recorded, and goes to no other address than its own.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_token_stays_with_its_address(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let agent = Agent::start().await;
    let kept = boss.patch("/admin/settings", agent.setting(json!("t0ps3cret"))).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.text);
    assert!(!kept.text.contains("t0ps3cret"), "{}", kept.text);
    assert_eq!((&kept.json()["opa"]["has_token"], &kept.json()["opa"]["token"]), (&json!(true), &Value::Null));
    let plain = "select count(*) from opa_tokens where position('t0ps3cret'::bytea in sealed) > 0";
    assert_eq!(app.count("select count(*) from opa_tokens").await, 1);
    assert_eq!(app.count(plain).await, 0);
    let log = boss.get("/admin/audit?action=admin.settings_update").await.ok().to_string();
    assert!(log.contains("has_token") && !log.contains("t0ps3cret"), "{log}");

    // It stays when something else changes, and goes with the address.
    let slower = json!({"opa": {"url": agent.url, "timeout_ms": 900}});
    assert_eq!(boss.patch("/admin/settings", slower).await.ok()["opa"]["has_token"], true);
    let elsewhere = json!({"opa": {"url": "https://opa.example", "timeout_ms": 900}});
    assert_eq!(boss.patch("/admin/settings", elsewhere).await.ok()["opa"]["has_token"], false);
    assert_eq!(app.count("select count(*) from opa_tokens").await, 0);

    for (wrong, field, code) in [
        (json!({"url": "http://10.0.0.1:8181"}), "opa.url", "malformed"),
        (json!({"timeout_ms": 5_000}), "opa.timeout_ms", "range"),
        (json!({"url": "https://opa.example", "token": "a b"}), "opa.token", "malformed"),
    ] {
        let refused = boss.patch("/admin/settings", json!({"opa": wrong})).await;
        assert_eq!(first_error(&refused), (field.to_owned(), code.to_owned()));
    }
}

/// C6, C3: whoever names another agent decides all that the policies ask it, and so has to hold all of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn another_agent_needs_all_that_it_decides(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("setter", &["settings.read", "settings.update"]).await;
    boss.make_role("author", &["policies.read", "policies.update"]).await;
    let sara = app.person(&boss, "sara@x.example", &["setter", "author"]).await;
    let badr = app.person(&boss, "badr@x.example", &["setter"]).await;
    let his = json!({"opa": {"url": "https://his.example"}});
    assert_eq!(badr.patch("/admin/settings", his).await.code(), "missing_permission", "before there is any policy");
    let agent = Agent::start().await;
    boss.patch("/admin/settings", agent.setting(json!("a-token"))).await.ok();
    policy(&boss, "grant", "users.delete").await;
    let hers = json!({"opa": {"url": "https://hers.example", "timeout_ms": 300}});
    assert_eq!(sara.patch("/admin/settings", hers.clone()).await.code(), "beyond_your_rights");
    let token = json!({"opa": {"url": agent.url, "timeout_ms": 1_500, "token": "another"}});
    assert_eq!(sara.patch("/admin/settings", token).await.code(), "beyond_your_rights");
    let slower = json!({"opa": {"url": agent.url, "timeout_ms": 900}});
    assert_eq!(sara.patch("/admin/settings", slower).await.status, StatusCode::OK, "that decides nothing else");
    boss.patch("/admin/settings", hers).await.ok();
}

/// C6: the path of a decision leads nowhere else, and such a policy has neither rules nor tests.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_external_decision_is_a_path_alone(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let body = |more: Value| {
        let mut body =
            json!({"name": "p", "mode": "grant", "actions": ["users.read"], "language": "opa", "module": "a/b"});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    for (more, field, code) in [
        (json!({"module": ""}), "module", "required"),
        (json!({"module": "../secrets"}), "module", "malformed"),
        (json!({"tests": "package x"}), "tests", "unknown"),
        (json!({"rules": [{"effect": "allow"}]}), "rules", "unknown"),
    ] {
        let refused = boss.post("/admin/policies", body(more)).await;
        assert_eq!(first_error(&refused), (field.to_owned(), code.to_owned()));
    }
    let made = boss.post("/admin/policies", body(json!({}))).await.ok();
    assert_eq!((&made["active"], &made["rules"]), (&Value::Null, &json!([])));
}

/// C6, SSRF: what else listens on this machine is the operator's, and so only the platform names an agent there; elsewhere
/// each tenant has its own.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_agent_on_this_machine_is_the_platforms(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (tenant, badr) = other(&app, &boss).await;
    may_everything(&app, &tenant).await;
    let agent = Agent::start().await;
    assert_eq!(badr.patch("/admin/settings", agent.setting(json!("a-token"))).await.code(), "platform_only");
    let upper = json!({"opa": {"url": agent.url.replace("http", "HTTP")}});
    assert_eq!(badr.patch("/admin/settings", upper).await.code(), "platform_only");
    boss.patch("/admin/settings", agent.setting(json!("a-token"))).await.ok();
    let his = json!({"opa": {"url": "https://127.0.0.1:9", "timeout_ms": 50}});
    assert_eq!(badr.patch("/admin/settings", his).await.ok()["opa"]["url"], "https://127.0.0.1:9");
    assert_eq!(boss.get("/admin/settings").await.ok()["opa"]["url"], agent.url);

    // Each tenant's policies ask its own.
    agent.says(json!(true));
    policy(&boss, "require", "audit.read").await;
    policy(&badr, "require", "audit.read").await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    assert_eq!(agent.heard().len(), 1);
    assert_eq!(badr.get("/admin/audit").await.code(), "missing_permission", "his agent does not answer");
    assert_eq!(agent.heard(), Vec::new(), "nor is another's asked");
}

/// C6, C12: where an agent decides who may agree, somebody still has to; what was agreed to is done, with its word on
/// whoever asked and whoever agreed; and a dead one can be got rid of.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_agent_switches_no_approval_off(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let third = app.person(&boss, "third@x.example", &["super-admin"]).await;
    boss.make_role("granter", &["permissions.assign", "permissions.read", "users.read", "users.delete"]).await;
    let granter = app.person(&boss, "granter@x.example", &["granter"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    let deciding = policy(&boss, "require", "approvals.decide").await;
    policy(&boss, "require", "permissions.assign").await;
    let rules = json!({"permissions": ["users.delete", "approvals.decide"], "required": 2, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let rights = format!("/admin/users/{}/permissions", sara.id);
    let given = json!({"allow": ["users.delete"]});
    assert_eq!(boss.patch(&rights, given.clone()).await.code(), "approval_needed");
    assert_eq!(granter.patch(&rights, given.clone()).await.code(), "approval_needed");

    let overrides = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
    let body = json!({"user_id": sara.id, "rights": overrides, "reason": "تغطية إجازة"});
    let asked = granter.post("/admin/approvals", body).await.ok();
    let approve = format!("/admin/approvals/{}/approve", asked["id"].as_str().expect("an id"));
    assert!(app.count("select count(*) from jobs where payload ->> 'about' = 'approval'").await > 0);
    assert_eq!(peer.post(&approve, json!({})).await.ok()["state"], "waiting");
    agent.heard();
    assert_eq!(third.post(&approve, json!({})).await.ok()["state"], "applied");
    let asked = agent.heard().into_iter().map(|(_, _, input)| (input["user"]["id"].clone(), input["action"].clone()));
    let asked = asked.collect::<Vec<_>>();
    assert!(asked.contains(&(json!(granter.id), json!("permissions.assign"))), "{asked:?}");
    assert!(asked.contains(&(json!(peer.id), json!("approvals.decide"))), "{asked:?}");
    assert!(boss.held(&sara.id).await.contains(&"users.delete".to_owned()));

    // Nobody can agree to anything any more, and so nobody has to agree that it goes.
    boss.patch("/admin/settings", json!({"opa": {"url": agent.url, "timeout_ms": 50}})).await.ok();
    agent.answers(Reply::Never);
    assert_eq!(peer.get("/admin/approvals").await.code(), "missing_permission");
    assert_eq!(
        boss.patch(&rights, json!({"allow": ["users.delete", "approvals.decide"]})).await.code(),
        "approval_needed"
    );
    let path = format!("{}/deactivate", policies::path(&deciding));
    boss.post(&path, json!({})).await.ok();
    assert_eq!(peer.get("/admin/approvals").await.status, StatusCode::OK);
}

/// C6, C12: who answers is agreed to with the policy that asks: named while a request waits, another agent is seen first.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn another_agent_is_not_agreed_to_unseen(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let (first, second) = (Agent::start().await, Agent::start().await);
    boss.patch("/admin/settings", first.setting(Value::Null)).await.ok();
    let rules = json!({"permissions": ["reports.read"], "required": 1, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let body =
        json!({"name": "asks", "mode": "grant", "actions": ["reports.read"], "language": "opa", "module": "a/b"});
    let made = boss.post("/admin/policies", body).await.ok();
    let path = format!("{}/approvals", policies::path(&made));
    let asked = boss.post(&path, json!({"number": 1, "reason": "قرار من الخارج"})).await.ok();
    let id = asked["id"].as_str().expect("an id");
    let waiting = peer.get("/admin/approvals").await.ok();
    assert_eq!(waiting[0]["proposal"]["after"]["agent"], first.url, "{waiting}");
    boss.patch("/admin/settings", second.setting(Value::Null)).await.ok();
    assert_eq!(peer.approve(id).await.code(), "stale");
    assert_eq!(boss.get(&policies::path(&made)).await.ok()["active"], Value::Null);
    let waiting = peer.get("/admin/approvals").await.ok();
    assert_eq!(waiting[0]["proposal"]["after"]["agent"], second.url, "{waiting}");
    assert_eq!(peer.approve(id).await.ok()["state"], "applied");
}

/// C6, C12: what others have agreed to is not lost because an agent is silent just then.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_silence_ends_no_request(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    boss.make_role("granter", &["permissions.assign", "permissions.read", "users.read", "users.delete"]).await;
    let granter = app.person(&boss, "granter@x.example", &["granter"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    policy(&boss, "require", "permissions.assign").await;
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let overrides = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
    let body = json!({"user_id": sara.id, "rights": overrides, "reason": "تغطية إجازة"});
    let asked = granter.post("/admin/approvals", body).await.ok();
    let id = asked["id"].as_str().expect("an id");
    agent.answers(Reply::Text("no decision".to_owned()));
    assert_eq!(peer.approve(id).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(peer.get("/admin/approvals").await.ok()[0]["state"], "waiting");
    agent.says(json!(true));
    assert_eq!(peer.approve(id).await.ok()["state"], "applied");
    agent.says(json!(false));
    assert!(boss.held(&sara.id).await.contains(&"users.delete".to_owned()));
}

/// C6, D2: whoever acts as somebody else goes on for as long as the agent lets them, and no longer.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn acting_as_somebody_waits_for_the_external_decision(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("desk", &["impersonate.users", "users.read", "roles.read"]).await;
    boss.make_role("reader", &["roles.read"]).await;
    let desk = app.person(&boss, "desk@x.example", &["desk"]).await;
    let sara = app.person(&boss, "sara@x.example", &["reader"]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    policy(&boss, "require", "impersonate.users").await;
    let body = json!({"target_user_id": sara.id, "reason": "مساعدة في التقارير"});
    let begun = desk.post("/admin/impersonate", body).await.ok();
    let as_sara = app.with_token(begun["impersonation_token"].as_str().expect("a token"));
    agent.heard();
    assert_eq!(as_sara.get("/admin/roles").await.status, StatusCode::OK);
    let asked = agent.heard();
    assert!(asked.iter().all(|(_, _, input)| input["user"]["id"] == json!(desk.id)), "{asked:?}");
    assert!(!asked.is_empty());
    assert_eq!(as_sara.get("/admin/roles").await.status, StatusCode::OK, "nor is it over with the first request");
    agent.answers(Reply::Text("no decision".to_owned()));
    assert_eq!(as_sara.get("/admin/roles").await.status, StatusCode::SERVICE_UNAVAILABLE, "a silence is no answer");
    agent.says(json!(false));
    assert_ne!(as_sara.get("/admin/roles").await.status, StatusCode::OK);
}

/// C6: a second permission that an act needs is asked about as well, and nobody is asked about what a key does not reach.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_second_permission_is_asked_about(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let agent = Agent::start().await;
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    boss.make_role("asker", &["permissions.read", "users.read", "api_keys.manage"]).await;
    let asker = app.person(&boss, "asker@x.example", &["asker"]).await;
    policy(&boss, "require", "users.read").await;
    let path = "/admin/permissions/audit.read/users";
    agent.says(json!(true));
    assert_eq!(asker.get(path).await.status, StatusCode::OK);
    let asked = agent.heard();
    assert_eq!((asked.len(), &asked[0].2["action"]), (1, &json!("users.read")), "{asked:?}");
    agent.says(json!(false));
    assert_eq!(asker.get(path).await.code(), "missing_permission");

    // A key that does not reach so far is refused without a word to anybody.
    agent.heard();
    let key = json!({"name": "k", "scopes": ["permissions.read"]});
    let made = asker.post("/admin/api-keys", key).await.ok();
    let by_key = app.with_token(made["secret"].as_str().expect("a key"));
    assert_eq!(by_key.get(path).await.code(), "missing_permission");
    assert_eq!(by_key.get("/admin/users").await.code(), "missing_permission");
    assert_eq!(agent.heard(), Vec::new());
}

/// C6, C3: an agent asked about a permission holds nobody back from helping whoever has that permission as well.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_is_asked_about_alike_may_be_helped(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("desk", &["users.read", "users.update", "roles.read"]).await;
    boss.make_role("reader", &["users.read", "roles.read"]).await;
    boss.make_role("above", &["users.read", "audit.read"]).await;
    let desk = app.person(&boss, "desk@x.example", &["desk"]).await;
    let sara = app.person(&boss, "sara@x.example", &["reader"]).await;
    let badr = app.person(&boss, "badr@x.example", &["above"]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    policy(&boss, "require", "users.read").await;
    let named = |person: &Client| (format!("/admin/users/{}", person.id), json!({"name": "سارة"}));
    let (path, body) = named(&sara);
    assert_eq!(desk.patch(&path, body).await.status, StatusCode::OK);
    let (path, body) = named(&badr);
    assert_eq!(desk.patch(&path, body).await.status, StatusCode::FORBIDDEN, "he may do more");
}

/// C6: many questions at once are asked side by side, each is answered, and those that have no answer in time deny.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn many_questions_are_asked_side_by_side(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.post("/admin/permissions", json!({"key": "record.read", "name_ar": "مفتاح", "name_en": "Key"})).await.ok();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let agent = Agent::start().await;
    agent.says(json!(true));
    boss.patch("/admin/settings", agent.setting(Value::Null)).await.ok();
    policy(&boss, "grant", "record.read").await;
    let ask = |id: u64| {
        json!({"subject": {"type": "user", "id": sara.id}, "action": {"name": "read"},
               "resource": {"type": "record", "id": "1", "properties": {"number": id}}})
    };
    let many = json!({"evaluations": (0..20).map(ask).collect::<Vec<_>>()});
    let decided = boss.post("/access/v1/evaluations", many.clone()).await.ok();
    let decided = decided["evaluations"].as_array().expect("decisions").clone();
    assert_eq!((decided.len(), decided.iter().all(|one| one["decision"] == true)), (20, true), "{decided:?}");
    let asked = agent.heard().into_iter().map(|(_, _, input)| input["resource"]["number"].as_u64());
    let asked = asked.collect::<BTreeSet<_>>();
    assert_eq!(asked, (0..20).map(Some).collect(), "each by its own thing");

    // The first no ends it, and nothing after it is asked.
    agent.says(json!(false));
    let mut first = many;
    first["options"] = json!({"evaluations_semantic": "deny_on_first_deny"});
    let decided = boss.post("/access/v1/evaluations", first).await.ok();
    assert_eq!((decided["evaluations"].as_array().map(Vec::len), agent.heard().len()), (Some(1), 1));
}
