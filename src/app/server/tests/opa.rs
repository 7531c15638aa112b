//! External decisions through the doors: a policy asks the tenant's own agent, and without its word it denies.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    http::{HeaderMap, StatusCode, Uri},
    routing::post,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::app::server::test_app::{Answer, Client, TestApp, options_of};

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

fn first_error(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let error = &answer.json()["errors"][0];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (text("field"), text("code"))
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

    boss.post(&format!("/admin/policies/{}/deactivate", made["id"].as_str().expect("an id")), json!({})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::OK);
    assert_eq!(agent.heard(), Vec::new());
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
    let what_if = format!("/admin/policies/{}/what-if", made["id"].as_str().expect("an id"));
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
