//! OpenID's Authorization API 1.0 (AuthZEN): the same engine, asked in the words of the specification.

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, PASSWORD, TestApp, options_of};

const ONE: &str = "/access/v1/evaluation";
const MANY: &str = "/access/v1/evaluations";

fn question(subject: &str, action: &str, kind: &str, id: &str) -> Value {
    json!({
        "subject": {"type": "user", "id": subject},
        "action": {"name": action},
        "resource": {"type": kind, "id": id},
    })
}

async fn own_keys(boss: &Client, keys: &[&str]) {
    for key in keys {
        boss.post("/admin/permissions", json!({"key": key, "name_ar": "مفتاح", "name_en": key})).await.ok();
    }
}

/// The certification scenario's people and keys: alice reads and writes records, bob reads them.
async fn records(pool: &PgPool) -> (TestApp, Client, Client) {
    let app = TestApp::start(options_of(pool)).await;
    let boss = app.admin().await;
    own_keys(&boss, &["record.read", "record.write", "record.delete"]).await;
    boss.make_role("writer", &["record.read", "record.write"]).await;
    boss.make_role("reader", &["record.read"]).await;
    for (name, role) in [("alice", "writer"), ("bob", "reader")] {
        let person = app.person(&boss, &format!("{name}@x.example"), &[role]).await;
        boss.patch(&format!("/admin/users/{}", person.id), json!({"username": name})).await.ok();
    }
    let keyed =
        boss.post("/admin/api-keys", json!({"name": "pep", "scopes": ["permissions.read", "users.read"]})).await;
    let pep = app.with_token(keyed.ok()["secret"].as_str().expect("a secret"));
    (app, boss, pep)
}

/// C18, certification scenario, Basic Core, rules 1 to 4: with an API key, whatever context and unknown fields come along,
/// and the same each time.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_required_decisions_of_the_certification_scenario(pool: PgPool) {
    let (_app, _boss, pep) = records(&pool).await;
    let wanted = [("alice", "read", true), ("alice", "write", true), ("bob", "read", true), ("bob", "write", false)];
    for (subject, action, decision) in wanted {
        let plain = question(subject, action, "record", "record-1");
        let mut more = plain.clone();
        more["context"] = json!({"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"});
        more["futureField"] = json!({"nested": true});
        more["subject"]["properties"] = json!({"department": "Sales", "role": "manager"});
        more["action"]["properties"] = json!({"method": "GET"});
        more["resource"]["properties"] = json!({"status": "active", "owner": "bob"});
        for body in [&plain, &more, &plain] {
            let answer = pep.post(ONE, body.clone()).await;
            assert_eq!(answer.headers["content-type"], "application/json");
            assert_eq!(answer.ok()["decision"], decision, "{body}");
        }
    }
    let because = pep.post(ONE, question("bob", "write", "record", "record-1")).await.ok()["context"].clone();
    assert_eq!(because["reason"], "nothing_grants");
    let words = &because["reason_admin"];
    assert!(words["ar"].is_string() && words["en"].is_string() && words["ar"] != words["en"], "{because}");
    assert_eq!(pep.post(ONE, question("alice", "write", "record", "1")).await.ok()["context"]["reason"], "role");
}

/// C4, C18: a program whose key was good a moment ago is answered from what the node knows, and the database is not asked.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_is_named_by_id_is_answered_from_memory(pool: PgPool) {
    let (app, boss, pep) = records(&pool).await;
    let id_of = async |name: &str| {
        let found = boss.get(&format!("/admin/users?q={name}")).await.ok();
        found["items"][0]["id"].as_str().expect("an id").to_owned()
    };
    let (alice, bob) = (id_of("alice").await, id_of("bob").await);
    pep.post(ONE, question(&alice, "write", "record", "1")).await.ok();
    app.heart.close().await;
    for (subject, decision) in [(&alice, true), (&bob, false)] {
        assert_eq!(pep.post(ONE, question(subject, "write", "record", "1")).await.ok()["decision"], decision);
        let own = json!({"user": subject, "resource": "record", "action": "write"});
        assert_eq!(pep.post("/admin/policies/evaluate", own).await.ok()["allow"], decision);
    }
    let both = json!({"action": {"name": "write"}, "resource": {"type": "record", "id": "1"}, "evaluations": [
        {"subject": {"type": "user", "id": alice}}, {"subject": {"type": "user", "id": bob}},
    ]});
    let answers = pep.post(MANY, both).await.ok();
    assert_eq!(
        (&answers["evaluations"][0]["decision"], &answers["evaluations"][1]["decision"]),
        (&json!(true), &json!(false))
    );
    let by_name = pep.post(ONE, question("alice", "write", "record", "1")).await;
    assert!(by_name.status.is_server_error(), "only the database knows names: {}", by_name.text);
}

/// C18, Authorization API 1.0 "Error responses": what is wrong with the body is 400, and says where.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_bad_body_is_refused_and_named(pool: PgPool) {
    let (_app, _boss, pep) = records(&pool).await;
    let good = question("alice", "read", "record", "record-1");
    let without = |path: &str| {
        let mut body = good.clone();
        let (part, name) = path.split_once('.').unwrap_or((path, ""));
        let of = if name.is_empty() { &mut body } else { &mut body[part] };
        of.as_object_mut().expect("an object").remove(if name.is_empty() { part } else { name });
        body
    };
    let with = |part: &str, value: Value| {
        let mut body = good.clone();
        body[part] = value;
        body
    };
    let mut bad = Vec::new();
    for path in ["subject", "action", "resource", "subject.type", "subject.id", "action.name", "resource.type"] {
        bad.push((path, without(path)));
    }
    bad.push(("resource.id", without("resource.id")));
    bad.push(("subject", with("subject", json!("alice"))));
    bad.push(("subject", with("subject", json!(["user", "alice"]))));
    bad.push(("action.name", with("action", json!({"name": 123}))));
    bad.push(("resource.properties", with("resource", json!({"type": "record", "id": "1", "properties": 1}))));
    bad.push(("context", with("context", json!("now"))));
    for endpoint in [ONE, MANY] {
        for (field, body) in &bad {
            let refused = pep.post(endpoint, body.clone()).await;
            let told = refused.json();
            assert_eq!((refused.status, &told["status"]), (StatusCode::BAD_REQUEST, &json!(400)), "{field}: {told}");
            assert_eq!(told["errors"][0]["field"], *field, "{body}: {told}");
        }
        for (kind, body) in [("application/json", "{"), ("application/json", ""), ("text/plain", "{}")] {
            let refused = pep.send(Method::POST, endpoint, Some(kind), Body::from(body)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{kind} {body:?}: {}", refused.text);
        }
    }
    let semantic = json!({"evaluations": [good.clone()], "options": {"evaluations_semantic": "guess"}});
    assert_eq!(pep.post(MANY, semantic).await.status, StatusCode::BAD_REQUEST);
    let many = json!({"evaluations": vec![good; 201]});
    assert_eq!(pep.post(MANY, many).await.json()["errors"][0]["code"], "too_long");
}

/// C18, C4: whoever asks needs what the other question needs, and is refused before the body is read.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn only_whoever_may_ask_is_answered(pool: PgPool) {
    let (app, boss, _pep) = records(&pool).await;
    boss.make_role("half", &["permissions.read"]).await;
    let half = app.person(&boss, "half@x.example", &["half"]).await;
    let narrow = boss.post("/admin/api-keys", json!({"name": "narrow", "scopes": ["permissions.read"]})).await.ok();
    let narrow = app.with_token(narrow["secret"].as_str().expect("a secret"));
    for path in [ONE, MANY] {
        for body in [question("alice", "read", "record", "1"), json!({"nonsense": 1})] {
            assert_eq!(app.anonymous().post(path, body.clone()).await.status, StatusCode::UNAUTHORIZED);
            for client in [&half, &narrow] {
                let refused = client.post(path, body.clone()).await;
                assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
                assert_eq!(refused.json()["permissions"], json!(["users.read"]));
            }
        }
    }
    assert_eq!(boss.post(ONE, question("alice", "read", "record", "1")).await.ok()["decision"], true, "a session too");
    // A browser's session, sent along by another site's page, is not asked for.
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let browser = app.anonymous().with("cookie", &cookies).with("sec-fetch-site", "cross-site");
    assert_eq!(browser.post(ONE, question("alice", "read", "record", "1")).await.code(), "bad_origin");
}

/// C18: whoever is not known, or is no user, is answered like somebody who was given nothing, to the byte.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_unknown_subject_is_answered_like_a_powerless_one(pool: PgPool) {
    let (app, boss, pep) = records(&pool).await;
    let powerless = app.person(&boss, "powerless@x.example", &[]).await;
    let wanted = pep.post(ONE, question(&powerless.id, "read", "record", "1")).await;
    assert_eq!(wanted.json()["decision"], false);
    let mut ship = question("alice", "read", "record", "1");
    ship["subject"]["type"] = json!("spaceship");
    let nobody = "0190a6e0-0000-7000-8000-000000000000";
    let unknown = ["nobody@x.example", "nobody", nobody, ""].map(|who| question(who, "read", "record", "1"));
    for body in unknown.iter().chain([&ship]) {
        let answer = pep.post(ONE, body.clone()).await;
        assert_eq!((answer.status, &answer.text), (StatusCode::OK, &wanted.text), "{body}");
    }
    let strange = pep.post(ONE, question("alice", "fly", "record", "1")).await.ok();
    assert_eq!((&strange["decision"], &strange["context"]["reason"]), (&json!(false), &json!("unknown_permission")));
}

/// C18, Authorization API 1.0 "Default values", certification scenario, Batch Core: answers in order, each part taken from
/// above where a question leaves it out, one wrong question answered no and the others as ever.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn many_are_answered_in_order_over_defaults(pool: PgPool) {
    let (_app, _boss, pep) = records(&pool).await;
    let decisions = |answer: Answer| {
        let told = answer.ok();
        assert!(told.get("decision").is_none(), "{told}");
        let all = told["evaluations"].as_array().expect("a list").clone();
        (all.iter().map(|one| one["decision"].as_bool().expect("a decision")).collect::<Vec<_>>(), all)
    };
    let (bob, record) = (json!({"type": "user", "id": "bob"}), json!({"type": "record", "id": "record-1"}));
    let body = json!({
        "subject": bob, "resource": record, "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "write"}}],
    });
    assert_eq!(decisions(pep.post(MANY, body).await).0, [true, false]);
    let body = json!({"evaluations": [
        question("alice", "write", "record", "record-1"), question("bob", "write", "record", "record-1"),
    ]});
    assert_eq!(decisions(pep.post(MANY, body).await).0, [true, false]);
    let body = json!({
        "subject": bob, "action": {"name": "write"}, "context": {"time": "2025-06-27T18:03-07:00"}, "resource": record,
        "evaluations": [
            {}, {"subject": {"type": "user", "id": "alice"}}, {"subject": {"id": "alice"}, "context": {"source": "x"}},
        ],
    });
    assert_eq!(decisions(pep.post(MANY, body).await).0, [false, true, true]);
    let body = json!({
        "subject": {"type": "user", "id": "alice"}, "action": {"name": "write"}, "resource": {"type": "record"},
        "evaluations": [{"resource": {"id": "record-1"}}, {}, {"resource": 7}, 7, {"resource": record}],
    });
    let (told, all) = decisions(pep.post(MANY, body).await);
    assert_eq!(told, [true, false, false, false, true]);
    assert_eq!(all[1]["context"]["error"], json!({"status": 400, "message": "resource.id: required"}));

    // Without questions of its own it is one question.
    let mut one = question("alice", "read", "record", "record-1");
    let single = pep.post(ONE, one.clone()).await.text;
    assert_eq!(pep.post(MANY, one.clone()).await.text, single);
    one["evaluations"] = json!([]);
    assert_eq!(pep.post(MANY, one).await.text, single);
}

/// C18, Authorization API 1.0 "Evaluations semantics": the first no, or the first yes, is the last answer.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn many_stop_where_they_are_told_to(pool: PgPool) {
    let (_app, _boss, pep) = records(&pool).await;
    let asked = async |semantic: Option<&str>, actions: &[&str]| {
        let questions = actions.iter().map(|action| json!({"action": {"name": action}})).collect::<Vec<_>>();
        let mut body = question("bob", "read", "record", "record-1");
        body["evaluations"] = json!(questions);
        body["options"] = json!({"another_option": "value"});
        if let Some(semantic) = semantic {
            body["options"]["evaluations_semantic"] = json!(semantic);
        }
        let told = pep.post(MANY, body).await.ok();
        let all = told["evaluations"].as_array().expect("a list").iter();
        all.map(|one| one["decision"].as_bool().expect("a decision")).collect::<Vec<_>>()
    };
    let mixed = ["read", "write", "read", "write"];
    for all in [None, Some("execute_all")] {
        assert_eq!(asked(all, &mixed).await, [true, false, true, false]);
    }
    assert_eq!(asked(Some("deny_on_first_deny"), &mixed).await, [true, false]);
    assert_eq!(asked(Some("deny_on_first_deny"), &["read", "read"]).await, [true, true]);
    assert_eq!(asked(Some("permit_on_first_permit"), &mixed).await, [true]);
    assert_eq!(asked(Some("permit_on_first_permit"), &["write", "write", "read", "read"]).await, [false, false, true]);
}

/// C18, Authorization API 1.0 "Request identification" and "Policy Decision Point Metadata": the caller's name of the
/// request comes back whatever the answer; whoever comes is told where to ask.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn requests_are_named_and_endpoints_told(pool: PgPool) {
    let (app, _boss, pep) = records(&pool).await;
    let named = |client: &Client| client.with("x-request-id", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
    let anonymous = app.anonymous();
    let answers = [
        named(&pep).post(ONE, question("alice", "read", "record", "1")).await,
        named(&pep).post(MANY, question("alice", "read", "record", "1")).await,
        named(&pep).post(ONE, json!({})).await,
        named(&anonymous).post(ONE, json!({})).await,
        named(&app.with_token("bad")).post(ONE, json!({})).await,
    ];
    for answer in &answers {
        assert_eq!(answer.headers["x-request-id"], "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "{}", answer.text);
    }
    let unnamed = pep.post(ONE, question("alice", "read", "record", "1")).await;
    assert_ne!(unnamed.headers["x-request-id"], "bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
    let elsewhere = named(&pep).get("/auth/me").await;
    assert_ne!(elsewhere.headers["x-request-id"], "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "ours is in our log");

    let told = anonymous.get("/.well-known/authzen-configuration").await;
    assert_eq!(told.headers["content-type"], "application/json");
    let told = told.ok();
    let base = told["policy_decision_point"].as_str().expect("an address").to_owned();
    assert_eq!(told["access_evaluation_endpoint"], format!("{base}{ONE}"));
    assert_eq!(told["access_evaluations_endpoint"], format!("{base}{MANY}"));
    for what in ["subject", "resource", "action"] {
        let path = format!("/access/v1/search/{what}");
        assert_eq!(told[format!("search_{what}_endpoint")], format!("{base}{path}"));
        let searched = named(&pep).post(&path, json!({})).await;
        assert_eq!(searched.status, StatusCode::BAD_REQUEST);
        assert_eq!(searched.headers["x-request-id"], "bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
    }
}

/// C11, C18: a right that is held in a part of the tenant counts where the resource says that it lies, and whoever is out
/// of the asking one's bounds is nobody.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn scopes_count_where_the_resource_lies(pool: PgPool) {
    let (app, boss, pep) = records(&pool).await;
    let nora = app.person(&boss, "nora@x.example", &[]).await;
    let role = boss.role_id("reader").await;
    let scoped = json!({"roles": [{"role": role, "department": "finance"}]});
    boss.patch(&format!("/admin/users/{}/roles", nora.id), scoped).await.ok();
    let asked = async |client: &Client, properties: Value| {
        let mut body = question("nora@x.example", "read", "record", "1");
        body["resource"]["properties"] = properties;
        let told = client.post(ONE, body).await.ok();
        (told["decision"].as_bool().expect("a decision"), told["context"]["reason"].clone())
    };
    assert_eq!(asked(&pep, json!({"department": "finance"})).await, (true, json!("role")));
    assert_eq!(asked(&pep, json!({"department": "legal"})).await, (false, json!("elsewhere_only")));
    assert_eq!(asked(&pep, json!({})).await, (false, json!("somewhere_only")));
    let deny = json!({"deny": ["record.read"]});
    boss.patch(&format!("/admin/users/{}/permissions", nora.id), deny).await.ok();
    assert_eq!(asked(&pep, json!({"department": "finance"})).await, (false, json!("denied")));
    boss.patch(&format!("/admin/users/{}/status", nora.id), json!({"status": "suspended"})).await.ok();
    assert_eq!(asked(&pep, json!({"department": "finance"})).await, (false, json!("inactive")));

    let asking = boss.make_role("asking", &["permissions.read"]).await;
    let seeing = boss.make_role("seeing", &["users.read"]).await;
    let local = app.person(&boss, "local@x.example", &[]).await;
    let bound = json!({"roles": [{"role": asking, "department": "legal"}, {"role": seeing}]});
    boss.patch(&format!("/admin/users/{}/roles", local.id), bound).await.ok();
    assert_eq!(asked(&local, json!({"department": "finance"})).await, (false, json!("nothing_grants")));
}

/// C18, interoperability scenario "Todo": its roles and permissions, and every line of its table of decisions.
///
/// An owner's right is a grant in a scope: the owner of a todo is its `department` here, since grants are bounded by
/// department and region and by nothing else.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_todo_scenario(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (see, list) = ("user.can_read_user", "todo.can_read_todos");
    let (create, update, delete) = ("todo.can_create_todo", "todo.can_update_todo", "todo.can_delete_todo");
    own_keys(&boss, &[see, list, create, update, delete]).await;
    let viewer = boss.make_role("viewer", &[see, list]).await;
    let editor = boss.make_role("editor", &[create]).await;
    boss.patch(&format!("/admin/roles/{editor}"), json!({"parents": [viewer]})).await.ok();
    let owner = boss.make_role("owner", &[update, delete]).await;
    // The scenario's `admin` is no relation of the product's own role of that name.
    let any = boss.make_role("todo admin", &[delete]).await;
    let genius = boss.make_role("evil_genius", &[update]).await;
    for role in [&any, &genius] {
        boss.patch(&format!("/admin/roles/{role}"), json!({"parents": [editor]})).await.ok();
    }
    let people = [
        ("rick@the-citadel.com", vec![&any, &genius], true),
        ("morty@the-citadel.com", vec![&editor], true),
        ("summer@the-smiths.com", vec![&editor], true),
        ("beth@the-smiths.com", vec![&viewer], false),
        ("jerry@the-smiths.com", vec![&viewer], false),
    ];
    for (email, roles, owns) in &people {
        let person = app.person(&boss, email, &[]).await;
        let mut given = roles.iter().map(|role| json!({"role": role})).collect::<Vec<_>>();
        if *owns {
            given.push(json!({"role": owner, "department": email}));
        }
        boss.patch(&format!("/admin/users/{}/roles", person.id), json!({"roles": given})).await.ok();
    }
    let asked = async |who: &str, action: &str, kind: &str, of: Option<&str>| {
        let mut body = question(who, action, kind, "7240d0db-8ff0-41ec-98b2-34a096273b9f");
        if let Some(of) = of {
            body["resource"]["properties"] = json!({"ownerID": of, "department": of});
        }
        boss.post(ONE, body).await.ok()["decision"].as_bool().expect("a decision")
    };
    for (who, roles, owns) in &people {
        assert!(asked(who, "can_read_user", "user", None).await, "{who}");
        assert!(asked(who, "can_read_todos", "todo", None).await, "{who}");
        assert_eq!(asked(who, "can_create_todo", "todo", None).await, *owns, "{who}");
        for (of, _, _) in &people {
            let own = *owns && who == of;
            let update = asked(who, "can_update_todo", "todo", Some(of)).await;
            assert_eq!(update, own || roles.contains(&&genius), "{who} updates what is {of}'s");
            let delete = asked(who, "can_delete_todo", "todo", Some(of)).await;
            assert_eq!(delete, own || roles.contains(&&any), "{who} deletes what is {of}'s");
        }
    }
    // The page's own question: which of these may be ticked?
    let todo = |of: &str| json!({"resource": {"type": "todo", "id": "t", "properties": {"department": of}}});
    let body = json!({
        "subject": {"type": "user", "id": "morty@the-citadel.com"}, "action": {"name": "can_update_todo"},
        "resource": {}, "context": {}, "evaluations": [todo("rick@the-citadel.com"), todo("morty@the-citadel.com")],
    });
    let told = boss.post(MANY, body).await.ok();
    assert_eq!(
        (&told["evaluations"][0]["decision"], &told["evaluations"][1]["decision"]),
        (&json!(false), &json!(true))
    );
}
