//! Tenants side by side: made and suspended by the platform, and none finds a byte of another.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use uuid::Uuid;

use crate::{
    app::server::{
        openapi,
        test_app::{Answer, Client, PASSWORD, TestApp, options_of},
    },
    base::server::db,
};

const BADR: &str = "badr@other.example";
/// Stands in every name of the first tenant's things, so that none of them can pass unseen.
const MARK: &str = "zzmark";

/// Another tenant, and its first administrator, who has come in by the invitation.
pub(super) async fn other(app: &TestApp, boss: &Client) -> (String, Client) {
    let body = json!({"name": "شركة البدر", "plan": "pro", "admin": {"email": BADR, "name": "بدر"}});
    let created = boss.post("/admin/tenants", body).await.ok();
    let link = created["admin"]["link"].as_str().expect("a link");
    let token = link.split_once("token=").expect("a token").1;
    app.without_required_factors().await;
    app.anonymous().post("/auth/welcome", json!({"token": token, "password": PASSWORD})).await.ok();
    let id = created["tenant"]["id"].as_str().expect("an id").to_owned();
    (id, app.sign_in(BADR).await)
}

/// Gives the role `admin` of a tenant whatever there is, which nobody in it could.
pub(super) async fn may_everything(app: &TestApp, tenant: &str) {
    let sql = "insert into role_permissions (tenant_id, role_id, permission_id)
         select r.tenant_id, r.id, p.id from roles r, permissions p
         where r.tenant_id = $1 and r.name = 'admin' and p.tenant_id is null and p.key not like '%*'
         on conflict do nothing";
    let tenant = tenant.parse::<Uuid>().expect("an id");
    sqlx::query(sql).bind(tenant).execute(&app.owner).await.expect("permissions");
    let sql = "update grant_versions set version = version + 1 where tenant_id = $1";
    sqlx::query(sql).bind(tenant).execute(&app.owner).await.expect("a version");
    app.heart.refresh().await.expect("the grants");
}

async fn first_tenant(app: &TestApp) -> Uuid {
    sqlx::query_scalar("select id from tenants where is_first").fetch_one(&app.owner).await.expect("the first")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// D3: a tenant comes to be with roles of its own and a first administrator, who sees it and nothing else.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_platform_makes_a_tenant_and_invites_its_administrator(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    let listed = boss.all("/admin/tenants").await;
    let names = listed.iter().map(|tenant| text(&tenant["name"])).collect::<Vec<_>>();
    assert_eq!(names, ["Default Tenant", "شركة البدر"]);
    assert_eq!((&listed[0]["plan"], &listed[0]["is_first"]), (&json!("pro"), &json!(true)));
    assert_eq!((&listed[1]["plan"], &listed[1]["people"]), (&json!("pro"), &json!(1)));

    let me = badr.get("/auth/me").await.ok();
    assert_eq!((&me["tenant_id"], &me["roles"]), (&json!(id), &json!(["admin"])));
    assert_eq!(badr.all("/admin/tenants").await.len(), 1, "a tenant sees itself");
    assert_eq!(badr.get(&format!("/admin/tenants/{id}")).await.ok()["name"], "شركة البدر");
    assert_eq!(badr.all("/admin/users").await.len(), 1);
    assert_eq!(boss.all("/admin/users").await.len(), 1, "nor are they people of the first tenant");
    assert_eq!(badr.all("/admin/roles").await.len(), boss.all("/admin/roles").await.len());
    // They administer it.
    let sara = app.person(&badr, "sara@other.example", &["support"]).await;
    assert_eq!(sara.all("/admin/users").await.len(), 2);
    let counted = app.count("select count(*) from audit_logs where action = 'tenants.create' and tenant_id is null");
    assert_eq!(counted.await, 1, "by name only where the platform reads");
    let own = badr.get("/admin/audit?action=tenants.create").await.ok();
    assert_eq!((&own["items"][0]["resource_id"], &own["items"][0]["user_name"]), (&json!(id), &json!("هند العتيبي")));
    let read = boss.get("/admin/audit?action=tenants.create").await.ok();
    assert_eq!(read["items"].as_array().map(Vec::len), Some(1), "{read}");
}

/// D3: names are unique as they are read, and every wrong field is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_tenant_has_a_name_that_no_other_looks_like(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.post("/admin/tenants", json!({"name": "مؤسسة أحمد"})).await.ok();
    for (name, code) in
        [("مُؤسسة احمد", "taken"), ("DEFAULT  tenant", "lookalike"), ("default tenant", "taken"), (" ", "required")]
    {
        let refused = boss.post("/admin/tenants", json!({"name": name})).await;
        assert_eq!(
            (refused.json()["errors"][0]["code"].as_str(), refused.status.as_u16()),
            (Some(code), 422),
            "{name}"
        );
    }
    let wrong = boss.post("/admin/tenants", json!({"name": "a", "admin": {"email": "x", "name": ""}})).await.json();
    let fields = wrong["errors"].as_array().expect("errors").iter().map(|error| text(&error["field"]));
    assert_eq!(fields.collect::<Vec<_>>(), ["admin.email", "admin.name"]);
    let plan = boss.post("/admin/tenants", json!({"name": "a", "plan": "gold"})).await;
    assert_eq!(plan.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", plan.text);
    let taken =
        boss.post("/admin/tenants", json!({"name": "a", "admin": {"email": "hind@nakheel.example", "name": "a"}}));
    assert_eq!(taken.await.json()["errors"][0]["field"], "email");
    assert_eq!(boss.all("/admin/tenants").await.len(), 2, "nothing is left of what was refused");
}

/// D3: whoever is no super-admin makes, names and suspends no tenant, not even their own and whatever their roles give.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn only_the_platform_makes_names_and_suspends(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    may_everything(&app, &id).await;
    let first = first_tenant(&app).await;
    let made = badr.post("/admin/tenants", json!({"name": "Default Tenant"})).await;
    assert_eq!((made.status, made.code().as_str()), (StatusCode::FORBIDDEN, "platform_only"));
    for (path, body) in [("", json!({"name": "x"})), ("/status", json!({"status": "suspended"}))] {
        let own = badr.patch(&format!("/admin/tenants/{id}{path}"), body.clone()).await;
        assert_eq!((own.status, own.code().as_str()), (StatusCode::FORBIDDEN, "platform_only"), "{path}");
        let foreign = badr.patch(&format!("/admin/tenants/{first}{path}"), body).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A key that does not reach everything does not act for the platform either.
    let scopes = json!({"name": "k", "scopes": ["tenants.read", "tenants.create", "tenants.update"]});
    let key = boss.post("/admin/api-keys", scopes).await.ok();
    let program = app.with_token(key["secret"].as_str().expect("a secret"));
    assert_eq!(program.post("/admin/tenants", json!({"name": "x"})).await.code(), "platform_only");
    assert_eq!(program.all("/admin/tenants").await.len(), 1);
}

/// D3: a change names what it changed, and whoever comes too late is told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_tenant_is_renamed_by_whoever_saw_it_as_it_is(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    let path = format!("/admin/tenants/{id}");
    let edit = json!({"name": "شركة القمر", "plan": "enterprise", "reason": "اشترت المزيد", "version": 1});
    let after = boss.patch(&path, edit.clone()).await.ok();
    assert_eq!(
        (&after["name"], &after["plan"], &after["version"]),
        (&json!("شركة القمر"), &json!("enterprise"), &json!(2))
    );
    let late = boss.patch(&path, edit).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(late.json()["changes"][0]["fields"], json!(["name", "plan"]), "{}", late.text);
    assert_eq!(badr.get("/auth/me").await.ok()["tenant_name"], "شركة القمر");
}

/// D3: suspending ends every session and key of the tenant at once and lets nobody in; opening it again brings no session
/// back.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_suspended_tenant_is_shut(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    let key = badr_key(&app, &id, &badr).await;
    let invited = badr.post("/admin/users", json!({"email": "new@other.example", "name": "n"})).await.ok();
    let token = text(&invited["link"]).split_once("token=").expect("a token").1.to_owned();
    let welcome = json!({"token": token, "password": PASSWORD});
    key.get("/admin/users").await.ok();
    let status = format!("/admin/tenants/{id}/status");
    let suspended = boss.patch(&status, json!({"status": "suspended", "reason": "لم تدفع"})).await.ok();
    assert_eq!(suspended["status"], "suspended");
    assert_eq!(badr.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(key.get("/admin/users").await.status, StatusCode::UNAUTHORIZED);
    let body = json!({"email": BADR, "password": PASSWORD});
    assert_eq!(app.anonymous().post("/auth/login", body.clone()).await.status, StatusCode::UNAUTHORIZED);
    let shut = app.anonymous().post("/auth/welcome", welcome.clone()).await;
    assert_eq!(shut.status, StatusCode::GONE, "{}", shut.text);
    let live = app.count(
        "select count(*) from sessions s join users u on u.id = s.user_id
         where u.email = 'badr@other.example' and s.ended_because is distinct from 'suspended'",
    );
    assert_eq!(live.await, 0);
    boss.get("/admin/users").await.ok();

    boss.patch(&status, json!({"status": "active"})).await.ok();
    assert_eq!(badr.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "what has ended stays so");
    key.get("/admin/users").await.ok();
    app.anonymous().post("/auth/welcome", welcome).await.ok();
    app.anonymous().post("/auth/login", body).await.ok();
}

async fn badr_key(app: &TestApp, tenant: &str, badr: &Client) -> Client {
    may_everything(app, tenant).await;
    let key = badr.post("/admin/api-keys", json!({"name": "k", "scopes": ["users.read"]})).await.ok();
    app.with_token(key["secret"].as_str().expect("a secret"))
}

/// D3: the first tenant is never suspended, nor that of the last super-admin, and not without a fresh proof.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_platform_does_not_shut_itself_out(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let first = first_tenant(&app).await;
    let shut = json!({"status": "suspended"});
    let refused = boss.patch(&format!("/admin/tenants/{first}/status"), shut.clone()).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "built_in"));
    let (id, badr) = other(&app, &boss).await;
    // The only super-admin there is moves: now their tenant cannot be suspended, by themselves or anybody.
    let sql = "with moved as (delete from user_roles where role_id = (select id from roles where tenant_id is null))
         insert into user_roles (tenant_id, user_id, role_id, created_at)
         select u.tenant_id, u.id, r.id, now() from users u, roles r where u.email = $1 and r.tenant_id is null";
    sqlx::query(sql).bind(BADR).execute(&app.owner).await.expect("moved");
    sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("versions");
    app.heart.refresh().await.expect("the grants");
    let own = badr.patch(&format!("/admin/tenants/{id}/status"), shut.clone()).await;
    assert_eq!((own.status, own.code().as_str()), (StatusCode::FORBIDDEN, "last_super_admin"));
    let third = badr.post("/admin/tenants", json!({"name": "third"})).await.ok();
    app.advance(std::time::Duration::from_secs(301)).await;
    let path = format!("/admin/tenants/{}/status", text(&third["tenant"]["id"]));
    assert_eq!(badr.patch(&path, shut).await.code(), "step_up_required");
    assert_eq!(badr.get(&format!("/admin/tenants/{id}")).await.ok()["status"], "active");
}

/// The things of the first tenant, by the beginning of the paths that name them.
struct Things {
    ids: Vec<(&'static str, String)>,
    session: String,
    device: String,
}

/// One thing of every kind, each with the mark in its name.
async fn things(app: &TestApp, boss: &Client) -> Things {
    let id = |value: Value| text(&value["id"]);
    let name = |kind: &str| format!("{MARK} {kind}");
    let sara = app.person(boss, &format!("{MARK}@x.example"), &["support"]).await;
    boss.patch(&format!("/admin/users/{}", sara.id), json!({"department": MARK, "name": name("sara")})).await.ok();
    let role = boss.make_role(&name("role"), &["users.read"]).await;
    let group = json!({"name": name("group"), "roles": [{"role": role}]});
    let group = id(boss.post("/admin/groups", group).await.ok());
    boss.post(&format!("/admin/groups/{group}/members"), json!({"user": sara.id})).await.ok();
    let policy =
        json!({"name": name("policy"), "mode": "grant", "actions": ["users.read"], "rules": [{"effect": "allow"}]});
    let policy = id(boss.post("/admin/policies", policy).await.ok());
    let words = json!({"name_ar": MARK, "name_en": MARK});
    let mut key = words.clone();
    key["key"] = json!(format!("{MARK}.read"));
    boss.post("/admin/permissions", key).await.ok();
    let api_key = boss.post("/admin/api-keys", json!({"name": name("key"), "scopes": ["users.read"]})).await.ok();
    let api_key = text(&api_key["id"]);
    let consent = json!({
        "key": MARK, "required": false, "title_ar": MARK, "title_en": MARK, "body_ar": MARK, "body_en": MARK,
    });
    let consent = id(boss.post("/admin/consents", consent).await.ok());
    let asked = json!({"permission": "reports.read", "reason": name("reason")});
    let approval = id(sara.post("/auth/access-requests", asked).await.ok());
    let first = |value: Value| {
        text(&value.as_array().map_or_else(|| value["items"][0]["id"].clone(), |all| all[0]["id"].clone()))
    };
    let session = first(boss.get(&format!("/admin/users/{}/sessions", sara.id)).await.ok());
    let device = first(boss.get(&format!("/admin/users/{}/devices", sara.id)).await.ok());
    boss.post("/admin/users", json!({"email": format!("{MARK}2@x.example"), "name": name("invited")})).await.ok();
    app.anonymous().post("/auth/login", json!({"email": format!("{MARK}@x.example"), "password": "wrong"})).await;
    let tenant = first_tenant(app).await.to_string();
    let ids = [
        ("/admin/users/", sara.id.clone()),
        ("/admin/roles/", role),
        ("/admin/groups/", group),
        ("/admin/policies/", policy),
        ("/admin/permissions/", format!("{MARK}.read")),
        ("/admin/api-keys/", api_key),
        ("/admin/consents/", consent.clone()),
        ("/auth/consents/", consent),
        ("/admin/approvals/", approval.clone()),
        ("/auth/approvals/", approval),
        ("/auth/sessions/", session.clone()),
        ("/auth/devices/", device.clone()),
        ("/auth/webauthn/credentials/", "0190a6e0-0000-7000-8000-000000000000".to_owned()),
        ("/admin/mail/undelivered/", "1".to_owned()),
        ("/admin/tenants/", tenant),
    ];
    Things { ids: ids.to_vec(), session, device }
}

/// A body that each operation understands, so that it is the thing which is refused.
fn body(operation: &str, things: &Things, own: &str) -> Value {
    let user = &things.ids[0].1;
    match operation {
        "post /admin/groups/{id}/members" => json!({"user": own}),
        "post /admin/users/{id}/roles" | "patch /admin/users/{id}/roles" => json!({"roles": ["support"]}),
        "patch /admin/users/{id}/permissions" => json!({"allow": [], "deny": []}),
        "patch /admin/users/{id}/status" | "patch /admin/tenants/{id}/status" => json!({"status": "suspended"}),
        "post /admin/roles/{id}/copies" => json!({"name": "copy"}),
        "post /admin/roles/{id}/what-if" => json!({"permissions": []}),
        "post /admin/groups/{id}/what-if" => json!({"roles": []}),
        "post /admin/policies/{id}/activate" => json!({"number": 1}),
        "post /admin/groups/{id}/approvals" => json!({"edit": {}, "reason": "r"}),
        "post /admin/policies/{id}/approvals" => json!({"number": 1, "reason": "r"}),
        "post /auth/consents/{id}" => json!({"number": 1}),
        "post /admin/tenants/{id}/enter" => json!({"reason": "r"}),
        "patch /auth/webauthn/credentials/{id}" => json!({"name": "n"}),
        "post /admin/approvals/{id}/approve" | "post /admin/approvals/{id}/reject" => json!({"comment": user}),
        _ => json!({}),
    }
}

/// D3: every operation that names a thing, on a thing of another tenant, with all the rights there are in one's own: it does
/// not exist, and not a byte of it is told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_thing_of_another_tenant_does_not_exist(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let things = things(&app, &boss).await;
    let (id, badr) = other(&app, &boss).await;
    may_everything(&app, &id).await;
    let rows = |table: &'static str| app.count(table);
    let before =
        (rows("select count(*) from users where status <> 'deleted'").await, rows("select count(*) from roles").await);
    let api = serde_json::to_value(openapi::document()).expect("JSON");
    let mut wrong = Vec::new();
    let mut asked = 0;
    for (path, methods) in api["paths"].as_object().expect("paths") {
        if !path.contains('{') {
            continue;
        }
        let thing = things.ids.iter().find(|(start, _)| path.starts_with(start));
        let (_, thing) = thing.unwrap_or_else(|| panic!("say here what {path} names"));
        let called = ["{id}", "{key}", "{letter}"].iter().fold(path.clone(), |path, name| path.replace(name, thing));
        let called = called.replace("{session}", &things.session).replace("{device}", &things.device);
        let called = called.replace("{user}", &things.ids[0].1);
        for method in methods.as_object().expect("methods").keys() {
            let operation = format!("{method} {path}");
            let body = body(&operation, &things, &badr.id);
            let method = method.to_uppercase().parse::<Method>().expect("a method");
            let answer = match method {
                Method::GET | Method::DELETE => badr.send(method, &called, None, axum::body::Body::empty()).await,
                method => badr.json(method, &called, body).await,
            };
            asked += 1;
            if answer.status != StatusCode::NOT_FOUND || tells(&answer, &things) {
                wrong.push(format!("{operation}: {} {:.200}", answer.status, answer.text));
            }
        }
    }
    assert!(asked > 50, "{asked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let after =
        (rows("select count(*) from users where status <> 'deleted'").await, rows("select count(*) from roles").await);
    assert_eq!(before, after);
    boss.get("/auth/me").await.ok();
}

/// Whether an answer holds the mark, or an id that the caller has not sent.
fn tells(answer: &Answer, things: &Things) -> bool {
    answer.text.contains(MARK) && !answer.text.contains(&format!("{MARK}.read"))
        || answer.text.contains("hind@")
        || answer.text.contains(&things.session)
        || answer
            .headers
            .iter()
            .any(|(_, value)| value.as_bytes().windows(MARK.len()).any(|part| part == MARK.as_bytes()))
}

/// D3: no list, search, count, explanation, graph, export or decision of one tenant holds a byte of another.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nothing_of_another_tenant_is_in_any_list(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let things = things(&app, &boss).await;
    let (id, badr) = other(&app, &boss).await;
    may_everything(&app, &id).await;
    let api = serde_json::to_value(openapi::document()).expect("JSON");
    let mut read = 0;
    let mut shown = 0;
    for (path, methods) in api["paths"].as_object().expect("paths") {
        if path.contains('{') || methods.get("get").is_none() {
            continue;
        }
        let plain = badr.get(path).await;
        let found = badr.get(&format!("{path}?q={MARK}")).await;
        for answer in [&plain, &found] {
            // An export is in the log that it exports, with what was asked for.
            let told = [format!("\"q\":\"{MARK}\""), format!("\"\"q\"\":\"\"{MARK}\"\"")];
            let told = told.iter().fold(answer.text.clone(), |text, own| text.replace(own, ""));
            assert!(!told.contains(MARK) && !told.contains("hind@"), "{path}: {told}");
            for (_, thing) in &things.ids {
                assert!(thing == "1" || !answer.text.contains(thing.as_str()), "{path} tells {thing}: {}", answer.text);
            }
        }
        read += usize::from(plain.status.is_success());
        shown += usize::from(boss.get(path).await.text.contains(MARK));
    }
    // That the test can see at all.
    assert!(read > 20 && shown > 6, "{read} read, {shown} would show it");

    let user = &things.ids[0].1;
    let email = format!("{MARK}@x.example");
    for (path, body) in [
        (
            "/access/v1/evaluation",
            json!({"subject": {"type": "user", "id": email}, "action": {"name": "read"}, "resource": {"type": "users", "id": user}}),
        ),
        (
            "/access/v1/search/subject",
            json!({"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "users", "id": user}}),
        ),
        (
            "/access/v1/search/resource",
            json!({"subject": {"type": "user", "id": BADR}, "action": {"name": "read"}, "resource": {"type": "users"}}),
        ),
        (
            "/access/v1/search/action",
            json!({"subject": {"type": "user", "id": email}, "resource": {"type": "users", "id": user}}),
        ),
        ("/admin/policies/evaluate", json!({"user": email, "resource": "users", "action": "read"})),
        ("/admin/users/bulk/status", json!({"users": [user], "status": "suspended"})),
        (
            "/admin/users/bulk/rights",
            json!({"people": [{"user": user, "overrides": {"deny": [{"key": "users.read"}]}}]}),
        ),
        ("/admin/users/bulk/what-if", json!({"people": [{"user": user, "roles": []}]})),
        ("/admin/users", json!({"email": "free@other.example", "name": "n", "roles": [things.ids[1].1]})),
        ("/admin/groups", json!({"name": "g", "parents": [things.ids[2].1]})),
        ("/admin/impersonate", json!({"target_user_id": user, "reason": "r"})),
    ] {
        let answer = badr.post(path, body).await;
        let said = answer.text.replace(&email, "");
        assert!(!said.contains(MARK), "{path}: {} {}", answer.status, answer.text);
        let allowed =
            answer.status.is_success() && (said.contains("\"decision\":true") || said.contains("\"allowed\":true"));
        assert!(!allowed, "{path}: {}", answer.text);
    }
    boss.get(&format!("/admin/users/{user}")).await.ok();
    assert_eq!(app.count("select count(*) from sessions where impersonator_id is not null").await, 0);
}

async fn as_tenant(connection: &mut PgConnection, tenant: Uuid) {
    sqlx::query("select set_config('app.tenant', $1, false), set_config('app.scope', '', false)")
        .bind(tenant.to_string())
        .execute(connection)
        .await
        .expect("a context");
}

/// D3: with the application's own filters away row-level security alone holds: in one tenant's context no table shows,
/// changes or takes a row of another.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn row_level_security_alone_keeps_tenants_apart(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    things(&app, &boss).await;
    let (id, _badr) = other(&app, &boss).await;
    let (first, second) = (first_tenant(&app).await, id.parse::<Uuid>().expect("an id"));
    let sql = "select c.relname::text, c.relrowsecurity and c.relforcerowsecurity
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1";
    let tables: Vec<(String, bool)> = sqlx::query_as(sql).fetch_all(&app.owner).await.expect("tables");
    assert!(tables.len() > 25, "{tables:?}");
    let held = db::connect(options_of(&pool), 1).await.expect("the application's connection");
    let mut held = held.acquire().await.expect("a connection");
    as_tenant(&mut held, second).await;
    let mut filled = BTreeSet::new();
    for (table, forced) in &tables {
        assert!(forced, "{table} is not under row-level security");
        let count = format!("select count(*) from {table} where tenant_id = $1");
        let there: i64 =
            sqlx::query_scalar(AssertSqlSafe(count.clone())).bind(first).fetch_one(&app.owner).await.expect("rows");
        // Some tables the application may not read at all.
        let seen = sqlx::query_scalar::<_, i64>(AssertSqlSafe(count)).bind(first).fetch_one(&mut *held).await;
        assert!(matches!(seen, Ok(0)) || refused(seen.as_ref().err()), "{table} shows {seen:?}");
        let whole =
            format!("select count(*) from {table} where tenant_id is distinct from $1 and tenant_id is not null");
        let whole = sqlx::query_scalar::<_, i64>(AssertSqlSafe(whole)).bind(second).fetch_one(&mut *held).await;
        assert!(matches!(whole, Ok(0)) || refused(whole.as_ref().err()), "{table} shows {whole:?}");
        for change in
            ["update {} set tenant_id = tenant_id where tenant_id = $1", "delete from {} where tenant_id = $1"]
        {
            let done = sqlx::query(AssertSqlSafe(change.replace("{}", table))).bind(first).execute(&mut *held).await;
            let nothing = done.as_ref().is_ok_and(|done| done.rows_affected() == 0);
            assert!(nothing || refused(done.as_ref().err()), "{table}: {done:?}");
        }
        if there == 0 {
            continue;
        }
        filled.insert(table.as_str());
        // A row of the first tenant, as it is, from the second's context.
        let columns = "select string_agg(quote_ident(attname), ', ') from pg_attribute
             where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''";
        let columns: String = sqlx::query_scalar(columns).bind(table).fetch_one(&app.owner).await.expect("columns");
        let row = format!("select to_jsonb(t) from {table} t where tenant_id = $1 limit 1");
        let row: Value = sqlx::query_scalar(AssertSqlSafe(row)).bind(first).fetch_one(&app.owner).await.expect("a row");
        let insert = format!(
            "insert into {table} ({columns}) overriding system value select {columns} from jsonb_populate_record(null::{table}, $1)"
        );
        let done = sqlx::query(AssertSqlSafe(insert)).bind(&row).execute(&mut *held).await;
        assert!(refused(done.as_ref().err()), "{table} takes a row of another tenant: {done:?}");
        // A row of one's own is not moved over.
        let moved = format!("update {table} set tenant_id = $1 where tenant_id = $2");
        let moved = sqlx::query(AssertSqlSafe(moved)).bind(first).bind(second).execute(&mut *held).await;
        let nothing = moved.as_ref().is_ok_and(|done| done.rows_affected() == 0);
        assert!(nothing || refused(moved.as_ref().err()), "{table} moves rows over: {moved:?}");
        let left: i64 = sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {table} where tenant_id = $1")))
            .bind(first)
            .fetch_one(&app.owner)
            .await
            .expect("rows");
        assert_eq!(left, there, "{table}");
    }
    assert!(filled.len() > 18, "only {filled:?} have rows to be kept");
    let seen: i64 = sqlx::query_scalar("select count(*) from tenants").fetch_one(&mut *held).await.expect("tenants");
    assert_eq!(seen, 1, "its own");
    for act in [
        "insert into tenants (name) values ('smuggled')",
        "insert into tenants (id, name, plan, created_at, updated_at) values (gen_random_uuid(), 's', 'pro', now(), now())",
    ] {
        assert!(refused(sqlx::query(act).execute(&mut *held).await.as_ref().err()), "{act}");
    }
    let mut changed = 0;
    for act in [
        "update tenants set status = 'suspended'",
        "update tenants set name = 'mine'",
        "update tenants set plan = 'pro'",
    ] {
        changed += sqlx::query(act).execute(&mut *held).await.expect("nothing").rows_affected();
    }
    assert_eq!(changed, 0, "not even its own");
}

/// Whether the database says that this role may not (42501): by its rights or by row-level security.
fn refused(error: Option<&sqlx::Error>) -> bool {
    error.and_then(sqlx::Error::as_database_error).and_then(|error| error.code()).is_some_and(|code| code == "42501")
}

/// D3: a super-admin goes into a tenant, works there as there, and comes home; the logs of both tell.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_super_admin_goes_into_a_tenant_and_comes_home(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    let enter = format!("/admin/tenants/{id}/enter");
    assert_eq!(boss.post(&enter, json!({"reason": " "})).await.json()["errors"][0]["field"], "reason");
    let why = json!({"reason": "طلبوا مساعدة"});
    boss.post(&enter, why.clone()).await.ok();
    let me = boss.get("/auth/me").await.ok();
    assert_eq!((&me["entered"]["id"], &me["tenant_name"]), (&json!(id), &json!("Default Tenant")));
    let people = boss.all("/admin/users").await;
    assert_eq!(people.iter().map(|one| text(&one["email"])).collect::<Vec<_>>(), [BADR]);
    // Written there, with grants, and read back at once on another node.
    let node = app.second_node().await;
    let role = boss.make_role("night", &["users.read"]).await;
    let huda = app.person(&boss, "huda@other.example", &["night"]).await;
    assert_eq!(boss.on(&node).held(&huda.id).await, ["users.read"]);
    assert!(badr.all("/admin/roles").await.iter().any(|one| one["id"] == json!(role)));
    let log = badr.get("/admin/audit?action=admin.role_create").await.ok();
    let row = &log["items"][0];
    assert_eq!(row["user_name"], "هند العتيبي", "{log}");
    assert_eq!(row["meta"]["home_tenant"], json!(first_tenant(&app).await.to_string()), "{log}");
    // There they are no platform, and no party to what is for its people.
    assert_eq!(boss.all("/admin/tenants").await.len(), 1);
    assert_eq!(boss.post("/admin/tenants", json!({"name": "x"})).await.code(), "platform_only");
    let audit = boss.get("/admin/audit?action=tenants.create").await.ok();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "the row of the tenant alone: {audit}");
    for (path, body) in [
        ("/admin/api-keys", json!({"name": "k", "scopes": ["users.read"]})),
        ("/admin/impersonate", json!({"target_user_id": huda.id, "reason": "r"})),
        (enter.as_str(), why.clone()),
    ] {
        let refused = boss.post(path, body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "not_while_visiting"), "{path}");
    }
    // Their own account is at home.
    assert_eq!(boss.get("/auth/profile").await.ok()["email"], "hind@nakheel.example");
    let once = boss.with("idempotency-key", "one");
    let group = json!({"name": "فريق"});
    assert_eq!(
        once.post("/admin/groups", group.clone()).await.ok(),
        once.post("/admin/groups", group.clone()).await.ok()
    );
    // C12: who is of the platform is decided at home, also where nobody else could agree to it here.
    let raised = boss.patch(&format!("/admin/users/{}/roles", huda.id), json!({"roles": ["super-admin"]})).await;
    assert_eq!((raised.status, raised.code().as_str()), (StatusCode::FORBIDDEN, "not_while_visiting"));
    let top = boss.role_id("super-admin").await;
    let made = json!({"email": "deep@other.example", "name": "Deep", "password": PASSWORD, "roles": [top]});
    assert_eq!(boss.post("/admin/users", made).await.code(), "not_while_visiting");
    assert_eq!(app.count("select count(*) from users where email = 'deep@other.example'").await, 0);
    // A wrong proof is about their own account: home has it in its log, and the tenant does not.
    boss.post("/auth/reauthenticate", json!({"password": "not this one"})).await;
    let proofs = "select tenant_id::text from audit_logs where outcome = 'failed'";
    let proofs: Vec<String> = sqlx::query_scalar(proofs).fetch_all(&app.owner).await.expect("failed proofs");
    assert_eq!(proofs, [first_tenant(&app).await.to_string()]);
    assert_eq!(boss.post("/admin/mail/test", json!({})).await.code(), "not_while_visiting");
    boss.delete("/auth/visit").await.ok();
    assert_eq!(boss.delete("/auth/visit").await.status, StatusCode::NOT_FOUND);
    assert_eq!(once.post("/admin/groups", group).await.code(), "idempotency_mismatch", "done in another tenant");
    assert_eq!(boss.all("/admin/users").await.len(), 1);
    assert_eq!(boss.get("/auth/me").await.ok()["entered"], Value::Null);
    let told = badr.get("/admin/audit?resource_type=tenant").await.ok();
    let told = told["items"].as_array().expect("rows").iter().map(|row| text(&row["action"])).collect::<Vec<_>>();
    assert_eq!(told, ["tenants.leave", "tenants.enter", "tenants.create"]);
}

/// D3, A10: nobody else goes in, not without a fresh proof, and not as somebody else or with a key.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_else_goes_into_a_tenant(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    may_everything(&app, &id).await;
    let first = first_tenant(&app).await;
    let why = json!({"reason": "r"});
    let foreign = badr.post(&format!("/admin/tenants/{first}/enter"), why.clone()).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let own = badr.post(&format!("/admin/tenants/{id}/enter"), why.clone()).await;
    assert_eq!(own.code(), "platform_only");
    assert_eq!(boss.post(&format!("/admin/tenants/{first}/enter"), why.clone()).await.status, StatusCode::NOT_FOUND);
    app.advance(std::time::Duration::from_secs(301)).await;
    let stale = boss.post(&format!("/admin/tenants/{id}/enter"), why).await;
    assert_eq!(stale.code(), "step_up_required");
    assert_eq!(app.count("select count(*) from sessions where entered_tenant is not null").await, 0);
}

/// D3: a visit ends after an hour: what is asked then is refused, not done at home, until it is left.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_visit_has_an_end(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, _badr) = other(&app, &boss).await;
    boss.post(&format!("/admin/tenants/{id}/enter"), json!({"reason": "r"})).await.ok();
    assert_eq!(boss.all("/admin/users").await.len(), 1);
    let end =
        "update sessions set entered_until = entered_until - interval '60 minutes' where entered_tenant is not null";
    assert_eq!(sqlx::query(end).execute(&app.owner).await.expect("the visit").rows_affected(), 1);
    let late = boss.post("/admin/roles", json!({"name": "late"})).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::FORBIDDEN, "visit_over"));
    assert_eq!(app.count("select count(*) from roles where name = 'late'").await, 0);
    assert_eq!(text(&boss.get("/auth/me").await.ok()["entered"]["id"]), id);
    boss.delete("/auth/visit").await.ok();
    boss.post("/admin/roles", json!({"name": "late"})).await.ok();
}

/// D3, C6: what is denied to a super-admin at home is denied to them inside as well, and stands in the log there.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_denied_at_home_is_denied_inside(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, badr) = other(&app, &boss).await;
    let second = app.person(&boss, "second@x.example", &["super-admin"]).await;
    second.post(&format!("/admin/tenants/{id}/enter"), json!({"reason": "r"})).await.ok();
    second.get("/admin/consents").await.ok();
    let policy = json!({
        "name": "no texts", "mode": "require", "actions": ["consents.read"], "active": true,
        "rules": [{"effect": "allow", "condition": {"user.level": {"gte": 3}}}],
    });
    boss.post("/admin/policies", policy).await.ok();
    let refused = second.get("/admin/consents").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    let log = badr.get("/admin/audit?outcome=denied").await.ok();
    assert!(log["items"].as_array().is_some_and(|rows| !rows.is_empty()), "{log}");
    assert_eq!(second.all("/admin/users").await.len(), 1, "the rest is open");
}

/// D3: whoever stops being super-admin inside is refused there from the next request on, not moved home without a word, and
/// may leave.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_is_no_super_admin_any_more_is_refused_inside(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (id, _badr) = other(&app, &boss).await;
    let second = app.person(&boss, "second@x.example", &["super-admin"]).await;
    second.post(&format!("/admin/tenants/{id}/enter"), json!({"reason": "r"})).await.ok();
    assert_eq!(second.all("/admin/users").await.len(), 1);
    boss.patch(&format!("/admin/users/{}/roles", second.id), json!({"roles": ["admin"]})).await.ok();
    for path in ["/admin/users", "/admin/roles", "/admin/audit"] {
        let refused = second.get(path).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "platform_only"), "{path}");
    }
    second.delete("/auth/visit").await.ok();
    assert_eq!(second.all("/admin/users").await.len(), 2, "at home they are an administrator");
}
