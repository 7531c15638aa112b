//! Searches by AuthZEN agree with the evaluation of each of their results; what a caller says of a request is believed of
//! those who may vouch for it, and stands for nothing that is known here.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

const ONE: &str = "/access/v1/evaluation";
const MANY: &str = "/access/v1/evaluations";
const SUBJECT: &str = "/access/v1/search/subject";
const RESOURCE: &str = "/access/v1/search/resource";
const ACTION: &str = "/access/v1/search/action";

fn user(id: &str) -> Value {
    json!({"type": "user", "id": id})
}

fn question(subject: &str, action: &str, kind: &str) -> Value {
    json!({"subject": user(subject), "action": {"name": action}, "resource": {"type": kind, "id": "record-1"}})
}

async fn key(app: &TestApp, by: &Client, scopes: &[&str]) -> Client {
    let keyed = by.post("/admin/api-keys", json!({"name": scopes.join(" "), "scopes": scopes})).await;
    app.with_token(keyed.ok()["secret"].as_str().expect("a secret"))
}

/// Alice reads and writes records, bob reads them; a key that may ask, and one that may also vouch.
async fn records(pool: &PgPool) -> (TestApp, Client, Client, Client) {
    let app = TestApp::start(options_of(pool)).await;
    let boss = app.admin().await;
    for key in ["record.read", "record.write", "record.delete"] {
        boss.post("/admin/permissions", json!({"key": key, "name_ar": "مفتاح", "name_en": key})).await.ok();
    }
    boss.make_role("writer", &["record.read", "record.write"]).await;
    boss.make_role("reader", &["record.read"]).await;
    for (name, role) in [("alice", "writer"), ("bob", "reader")] {
        let person = app.person(&boss, &format!("{name}@x.example"), &[role]).await;
        boss.patch(&format!("/admin/users/{}", person.id), json!({"username": name})).await.ok();
    }
    let pep = key(&app, &boss, &["permissions.read", "users.read"]).await;
    let gate = key(&app, &boss, &["permissions.read", "users.read", "requests.vouch"]).await;
    (app, boss, pep, gate)
}

async fn policy(by: &Client, name: &str, mode: &str, action: &str, rules: Value) {
    let body = json!({"name": name, "mode": mode, "actions": [action], "rules": rules, "active": true});
    by.post("/admin/policies", body).await.ok();
}

async fn decides(by: &Client, mut body: Value, context: Option<Value>) -> bool {
    if let Some(context) = context {
        body["context"] = context;
    }
    by.post(ONE, body).await.ok()["decision"].as_bool().expect("a decision")
}

fn names(page: &Value, field: &str) -> Vec<String> {
    let results = page["results"].as_array().expect("results").iter();
    results.map(|one| one[field].as_str().expect("a name").to_owned()).collect()
}

/// C5, C18: a policy may look at what a program says of a request, and only whoever holds `requests.vouch` is believed.
/// What nobody is believed about is not known: it neither allows, nor lets a deny pass.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn only_who_may_vouch_is_believed(pool: PgPool) {
    let (_app, boss, pep, gate) = records(&pool).await;
    let trusted = json!([{"effect": "allow", "condition": {"env.context.risk.level": {"lt": 3}}}]);
    policy(&boss, "calm", "require", "record.write", trusted).await;
    let hostile = json!([{"effect": "deny", "condition": {"env.context.network": "hostile"}}]);
    policy(&boss, "no hostile network", "require", "record.read", hostile).await;
    let write = question("alice", "write", "record");
    assert!(decides(&gate, write.clone(), Some(json!({"risk": {"level": 1}}))).await);
    assert!(!decides(&gate, write.clone(), Some(json!({"risk": {"level": 7}}))).await);
    assert!(!decides(&gate, write.clone(), Some(json!({}))).await, "missing");
    for context in [None, Some(json!({"risk": {"level": 1}})), Some(json!({}))] {
        assert!(!decides(&pep, write.clone(), context.clone()).await, "{context:?} of whoever is not believed");
    }
    let mut body = write.clone();
    body["context"] = json!({"risk": {"level": 1}});
    assert_eq!(pep.post(ONE, body).await.ok()["context"]["reason"], "policy_open");
    let read = question("alice", "read", "record");
    assert!(decides(&gate, read.clone(), Some(json!({"network": "office"}))).await);
    assert!(!decides(&gate, read.clone(), Some(json!({"network": "hostile"}))).await);
    assert!(!decides(&pep, read, Some(json!({"network": "office"}))).await, "it could be a hostile one");
    // What no policy looks at changes nothing, whoever says it.
    assert!(!decides(&pep, question("bob", "delete", "record"), Some(json!({"risk": {"level": 1}}))).await);
}

/// C18: many questions have each their own context, or the one above them.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn each_of_many_questions_has_its_own_context(pool: PgPool) {
    let (_app, boss, pep, gate) = records(&pool).await;
    let trusted = json!([{"effect": "allow", "condition": {"env.context.channel": "branch"}}]);
    policy(&boss, "at a branch", "require", "record.write", trusted).await;
    let mut body = question("alice", "write", "record");
    body["context"] = json!({"channel": "branch"});
    body["evaluations"] = json!([{}, {"context": {"channel": "phone"}}, {"context": {"channel": "branch", "x": 1}}]);
    for (client, wanted) in [(&gate, [true, false, true]), (&pep, [false, false, false])] {
        let told = client.post(MANY, body.clone()).await.ok();
        let all = told["evaluations"].as_array().expect("a list").iter();
        assert_eq!(all.map(|one| one["decision"].as_bool().expect("one")).collect::<Vec<_>>(), wanted);
    }
}

/// C5, C18: what is said of a request never stands for the time, the address, the device or the assurance that are known
/// here, not even of whoever is believed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_context_stands_for_nothing_that_is_known_here(pool: PgPool) {
    let (app, boss, _pep, gate) = records(&pool).await;
    let faked = json!({
        "time": "2030-01-01T00:00:00Z", "address": "10.0.0.1", "device": "desktop", "assurance": 2,
        "env": {"time": "2030-01-01T00:00:00Z", "address": "10.0.0.1", "device": "desktop", "assurance": 2},
        "env.address": "10.0.0.1", "context": {"address": "10.0.0.1"},
    });
    for (at, condition) in [
        json!({"env.time": {"gte": "2029-01-01"}}),
        json!({"env.address": "10.0.0.0/8"}),
        json!({"env.device": "desktop"}),
        json!({"env.assurance": {"gte": 2}}),
    ]
    .into_iter()
    .enumerate()
    {
        let rules = json!([{"effect": "allow", "condition": condition}]);
        policy(&boss, &format!("p{at}"), "grant", "record.delete", rules).await;
    }
    assert!(!decides(&gate, question("bob", "delete", "record"), Some(faked.clone())).await);
    // At our own doors nobody says anything of a request: the headers and the body of one make no context.
    let said = json!([{"effect": "allow", "condition": {"env.context.trusted": true}}]);
    policy(&boss, "trusted", "grant", "audit.read", said).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let asked = sara.with("context", "{\"trusted\": true}").get("/admin/audit?context.trusted=true").await;
    assert_eq!(asked.status, StatusCode::FORBIDDEN);
    let wrong = json!([{"effect": "allow", "condition": {"env.context": 1}}]);
    let body = json!({"name": "w", "mode": "grant", "actions": ["audit.read"], "rules": wrong});
    assert_eq!(boss.post("/admin/policies", body).await.json()["errors"][0]["code"], "unknown");
}

/// C18, certification scenario, Search: who may read and write, what somebody may do, and each result is what the
/// evaluation says yes to, and nothing else is.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn searches_agree_with_evaluations(pool: PgPool) {
    let (_app, boss, pep, gate) = records(&pool).await;
    let busy = json!([{"effect": "allow", "condition": {"and": [
        {"resource.status": {"ne": "archived"}}, {"env.context.open": true},
    ]}}]);
    policy(&boss, "open only", "require", "record.write", busy).await;
    let everybody = boss.get("/admin/users?limit=200").await.ok()["items"].clone();
    let everybody = everybody.as_array().expect("people");
    for client in [&pep, &gate] {
        for properties in [json!({}), json!({"status": "active"}), json!({"status": "archived"})] {
            for context in [json!({}), json!({"open": true})] {
                let thing = json!({"type": "record", "id": "record-1", "properties": properties});
                for action in ["read", "write", "delete", "fly"] {
                    let mut body = json!({"subject": {"type": "user"}, "action": {"name": action}});
                    (body["resource"], body["context"]) = (thing.clone(), context.clone());
                    let found = client.post(SUBJECT, body.clone()).await.ok();
                    let ids = found["results"].as_array().expect("results").iter();
                    let ids = ids.map(|one| one["properties"]["user_id"].clone()).collect::<Vec<_>>();
                    for person in everybody {
                        let mut asked = body.clone();
                        asked["subject"] = json!({"type": "user", "id": person["id"]});
                        let may = decides(client, asked, None).await;
                        assert_eq!(ids.contains(&person["id"]), may, "{action} {thing} {context} {person}");
                    }
                    // By the name that was told they are asked about as well.
                    for id in names(&found, "id") {
                        let mut asked = body.clone();
                        asked["subject"] = user(&id);
                        assert!(decides(client, asked, None).await, "{id} {body}");
                    }
                }
                for who in ["alice", "bob", "nobody"] {
                    let body = json!({"subject": user(who), "resource": thing, "context": context});
                    let may = names(&client.post(ACTION, body.clone()).await.ok(), "name");
                    for action in ["read", "write", "delete"] {
                        let mut asked = body.clone();
                        asked["action"] = json!({"name": action});
                        let wanted = decides(client, asked, None).await;
                        assert_eq!(may.contains(&action.to_owned()), wanted, "{who} {action} {body}");
                    }
                }
            }
        }
    }
    let found = pep.post(SUBJECT, question("", "read", "record")).await.ok();
    let found = names(&found, "id").into_iter().collect::<BTreeSet<_>>();
    assert!(found.contains("alice") && found.contains("bob"), "{found:?}");
    let may = pep.post(ACTION, json!({"subject": user("bob"), "resource": {"type": "record", "id": "1"}})).await.ok();
    assert_eq!((names(&may, "name"), &may["page"]["next_token"]), (vec!["read".to_owned()], &json!("")));
}

/// C18: on which people somebody may act follows from where those lie, and each result is told with what decides about it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_resource_search_tells_what_is_kept_here(pool: PgPool) {
    let (app, boss, pep, _gate) = records(&pool).await;
    let chief = app.person(&boss, "chief@x.example", &[]).await;
    let editing = boss.make_role("editing", &["users.update"]).await;
    let scoped = json!({"roles": [{"role": editing, "department": "finance"}]});
    boss.patch(&format!("/admin/users/{}/roles", chief.id), scoped).await.ok();
    let mut inside = BTreeSet::new();
    for at in 0..3 {
        let email = format!("f{at}@x.example");
        let body = json!({"email": email, "name": email, "department": "finance"});
        boss.post("/admin/users", body).await.ok();
        let listed = boss.get(&format!("/admin/users?q={email}")).await.ok();
        inside.insert(listed["items"][0]["id"].as_str().expect("an id").to_owned());
    }
    let search = |who: &str, action: &str, kind: &str| json!({"subject": user(who), "action": {"name": action}, "resource": {"type": kind}});
    let found = pep.post(RESOURCE, search("chief@x.example", "update", "users")).await.ok();
    assert_eq!(names(&found, "id").into_iter().collect::<BTreeSet<_>>(), inside);
    for one in found["results"].as_array().expect("results") {
        assert_eq!((&one["type"], &one["properties"]["department"]), (&json!("users"), &json!("finance")));
        let asked = json!({"subject": user("chief@x.example"), "action": {"name": "update"}, "resource": one});
        assert!(decides(&pep, asked, None).await, "{one}");
    }
    assert_eq!(names(&pep.post(RESOURCE, search("bob", "update", "users")).await.ok(), "id").len(), 0);

    // What they see takes the right to see it; what is not kept here is said to be so.
    let refused = pep.post(RESOURCE, search("chief@x.example", "read", "roles")).await;
    assert_eq!((refused.status, &refused.json()["permissions"]), (StatusCode::FORBIDDEN, &json!(["roles.read"])));
    let hind = "hind@nakheel.example";
    let roles = boss.post(RESOURCE, search(hind, "update", "roles")).await.ok();
    assert!(names(&roles, "id").contains(&editing), "{roles}");
    assert_eq!(names(&boss.post(RESOURCE, search("bob", "update", "roles")).await.ok(), "id").len(), 0);
    for kind in ["groups", "policies"] {
        boss.post(RESOURCE, search(hind, "read", kind)).await.ok();
    }
    let strange = pep.post(RESOURCE, search("alice", "read", "record")).await;
    let told = (strange.status, strange.json()["errors"][0].clone());
    assert_eq!(
        (told.0, &told.1["field"], &told.1["code"]),
        (StatusCode::BAD_REQUEST, &json!("resource.type"), &json!("unknown"))
    );
}

/// C18, Authorization API 1.0 "Paginated requests": pages follow each other without a gap or a repeat, and the last says
/// that it is the last.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn searches_come_in_pages(pool: PgPool) {
    let (app, boss, pep, _gate) = records(&pool).await;
    for at in 0..5 {
        app.person(&boss, &format!("r{at}@x.example"), &["reader"]).await;
    }
    let hind = "hind@nakheel.example";
    let searches = [
        (SUBJECT, "id", question("", "read", "record")),
        (ACTION, "name", json!({"subject": user(hind), "resource": {"type": "record", "id": "1"}})),
        (RESOURCE, "id", json!({"subject": user(hind), "action": {"name": "read"}, "resource": {"type": "users"}})),
    ];
    for (path, field, body) in searches {
        let whole = names(&pep.post(path, body.clone()).await.ok(), field);
        assert!(whole.len() >= 3, "{path}: {whole:?}");
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let mut asked = body.clone();
            asked["page"] = json!({"token": token, "limit": 2});
            let page = pep.post(path, asked).await.ok();
            assert_eq!(page["page"]["count"], page["results"].as_array().expect("results").len());
            all.extend(names(&page, field));
            token = page["page"]["next_token"].as_str().expect("a token").to_owned();
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(all, whole, "{path}");
        for (page, wrong) in [
            (json!({"limit": 0}), "page.limit"),
            (json!({"limit": 201}), "page.limit"),
            (json!({"limit": "2"}), "page.limit"),
            (json!("2"), "page"),
        ] {
            let mut asked = body.clone();
            asked["page"] = page;
            let refused = pep.post(path, asked).await;
            assert_eq!(
                (refused.status, &refused.json()["errors"][0]["field"]),
                (StatusCode::BAD_REQUEST, &json!(wrong))
            );
        }
    }
    let mut asked = question("", "read", "record");
    asked["page"] = json!({"token": "x"});
    assert_eq!(pep.post(SUBJECT, asked).await.json()["errors"][0]["field"], "page.token");
}

/// C18, Authorization API 1.0 "Error responses": a search says what it lacks, and what it does not need may be left out.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_bad_search_is_refused_and_named(pool: PgPool) {
    let (_app, _boss, pep, _gate) = records(&pool).await;
    let good = question("alice", "read", "users");
    for (path, needed) in [
        (SUBJECT, ["subject", "subject.type", "action.name", "resource.type", "resource.id"].as_slice()),
        (RESOURCE, &["subject", "subject.type", "subject.id", "action.name", "resource.type"]),
        (ACTION, &["subject", "subject.id", "resource", "resource.type", "resource.id"]),
    ] {
        pep.post(path, good.clone()).await.ok();
        for field in needed {
            let mut body = good.clone();
            let (part, name) = field.split_once('.').unwrap_or((field, ""));
            let of = if name.is_empty() { &mut body } else { &mut body[part] };
            of.as_object_mut().expect("an object").remove(if name.is_empty() { part } else { name });
            let refused = pep.post(path, body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {field}: {}", refused.text);
            assert_eq!(refused.json()["errors"][0]["field"], *field, "{path}");
        }
        let mut body = good.clone();
        body["context"] = json!([]);
        assert_eq!(pep.post(path, body).await.json()["errors"][0]["field"], "context", "{path}");
    }
}

/// C11, C18: whoever sees a part of the tenant finds nobody outside of it, and asks about nobody there.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_scoped_administrator_finds_their_own_people(pool: PgPool) {
    let (app, boss, _pep, _gate) = records(&pool).await;
    let asking = boss.make_role("asking", &["permissions.read"]).await;
    let seeing = boss.make_role("seeing", &["users.read"]).await;
    let local = app.person(&boss, "local@x.example", &[]).await;
    let bound = json!({"roles": [{"role": asking, "department": "legal"}, {"role": seeing}]});
    boss.patch(&format!("/admin/users/{}/roles", local.id), bound).await.ok();
    let alice = boss.get("/admin/users?q=alice").await.ok()["items"][0]["id"].clone();
    boss.patch(&format!("/admin/users/{}", alice.as_str().expect("an id")), json!({"department": "legal"})).await.ok();
    let found = local.post(SUBJECT, question("", "read", "record")).await.ok();
    assert_eq!(names(&found, "id"), ["alice"]);
    let of = |who: &str| json!({"subject": user(who), "resource": {"type": "record", "id": "1"}});
    assert_eq!(names(&local.post(ACTION, of("alice")).await.ok(), "name"), ["read", "write"]);
    assert_eq!(names(&local.post(ACTION, of("bob")).await.ok(), "name").len(), 0);
    let on = json!({"subject": user("alice"), "action": {"name": "read"}, "resource": {"type": "users"}});
    boss.post(&format!("/admin/users/{}/roles", alice.as_str().expect("an id")), json!({"roles": ["seeing"]}))
        .await
        .ok();
    assert_eq!(names(&local.post(RESOURCE, on).await.ok(), "id").len(), 1, "of all that alice may see");
}

/// D3, C18: nobody of another tenant is found, by whatever name.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_of_another_tenant_is_found(pool: PgPool) {
    let (app, boss, pep, _gate) = records(&pool).await;
    let sql = "insert into tenants (id, name) values ('00000000-0000-0000-0000-000000000009', 'another');
         insert into users (id, tenant_id, email, name, username, status, created_at)
         values ('00000000-0000-0000-0000-0000000000aa', '00000000-0000-0000-0000-000000000009', 'eve@x.example',
                 'eve', 'eve', 'active', now());
         insert into user_roles (tenant_id, user_id, role_id, created_at)
         select '00000000-0000-0000-0000-000000000009', '00000000-0000-0000-0000-0000000000aa', id, now()
         from roles where tenant_id is null";
    sqlx::raw_sql(sql).execute(&app.owner).await.expect("another tenant");
    app.heart.refresh().await.expect("the grants");
    for client in [&pep, &boss] {
        let found = client.post(SUBJECT, question("", "read", "record")).await.ok();
        assert!(!found.to_string().contains("eve") && names(&found, "id").contains(&"bob".to_owned()), "{found}");
        let on =
            json!({"subject": user("hind@nakheel.example"), "action": {"name": "read"}, "resource": {"type": "users"}});
        let found = client.post(RESOURCE, on).await.ok();
        assert!(!found.to_string().contains("0000000000aa"), "{found}");
        for who in ["eve", "eve@x.example", "00000000-0000-0000-0000-0000000000aa"] {
            let body = json!({"subject": user(who), "resource": {"type": "record", "id": "1"}});
            assert_eq!(names(&client.post(ACTION, body).await.ok(), "name").len(), 0, "{who}");
        }
    }
}
