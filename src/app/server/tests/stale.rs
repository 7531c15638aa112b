//! Whoever saves on what is no longer so is refused, and told what was changed meanwhile, when, and by whom.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, PUBLIC, TestApp, options_of};

const NOW: &str = "2026-11-22T08:00:00Z";

/// The refusal of somebody who has seen version 1 of a thing.
async fn late(client: &Client, path: &str, seen: i64, body: Value) -> Answer {
    let refused = client.with("if-match", &format!("\"{seen}\"")).patch(path, body).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "stale"), "{path}: {}", refused.text);
    let current = refused.json()["current_version"].as_i64().expect("a version");
    assert_eq!(refused.headers["etag"], format!("\"{current}\""), "{path}");
    assert!(current > seen, "{path}");
    refused
}

/// Who changed what, newest first.
fn changes(refused: &Answer) -> Vec<(String, Vec<String>)> {
    let told = refused.json()["changes"].as_array().cloned().unwrap_or_default();
    let told = told.iter().map(|change| {
        assert_eq!(change["at"], NOW);
        let fields = change["fields"].as_array().expect("fields").iter();
        let fields = fields.map(|field| field.as_str().expect("a field").to_owned()).collect();
        (change["by"].as_str().unwrap_or_default().to_owned(), fields)
    });
    told.collect()
}

fn change(by: &str, fields: &[&str]) -> (String, Vec<String>) {
    (by.to_owned(), fields.iter().map(|field| (*field).to_owned()).collect())
}

/// "Errors", 409 with what changed: each change since the version that was seen, and none before it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_late_edit_is_told_what_changed_since(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    let omar = app.person(&hind, "omar@x.example", &["admin"]).await;
    let role = hind.make_role("desk", &["users.read"]).await;
    let path = format!("/admin/roles/{role}");
    let version = hind.get(&path).await.ok()["version"].as_i64().expect("a version");
    let edit = json!({"name": "front desk", "description": "x"});
    let second = hind.patch(&path, edit).await.ok()["version"].as_i64().expect("a version");
    omar.patch(&path, json!({"permissions": ["users.read", "audit.read"]})).await.ok();
    let refused = late(&hind, &path, version, json!({"description": "y"})).await;
    let both = [change("omar@x.example", &["permissions"]), change("هند العتيبي", &["description", "name"])];
    assert_eq!(changes(&refused), both);
    let refused = late(&hind, &path, second, json!({"description": "y"})).await;
    assert_eq!(changes(&refused), both[..1], "what was seen is not told again");
    assert_eq!(hind.get(&path).await.ok()["description"], "x", "nothing was written");
    let deleted = hind.with("if-match", &format!("\"{version}\"")).delete(&path).await;
    assert_eq!((deleted.status, changes(&deleted)), (StatusCode::CONFLICT, both.to_vec()));

    // The pages are told the same.
    let page = hind.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
    let body = json!({"id": role, "edit": {"description": "y", "version": second}});
    let told = page.post("/api/roles/edit", body).await;
    assert_eq!(told.status, StatusCode::CONFLICT, "{}", told.text);
    assert!(told.text.contains("omar@x.example") && told.text.contains("permissions"), "{}", told.text);
}

/// "Errors", 409 with what changed: people, groups, policies and keys tell it as well.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn everything_that_has_versions_tells_what_changed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    let name = "هند العتيبي";
    let version = |thing: &Value| thing["version"].as_i64().expect("a version");

    let sara = app.person(&hind, "sara@x.example", &["support"]).await;
    let path = format!("/admin/users/{}", sara.id);
    let seen = version(&hind.get(&path).await.ok());
    let group = hind.post("/admin/groups", json!({"name": "g", "roles": [{"role": hind.role_id("readonly").await}]}));
    let group = group.await.ok();
    let group_path = format!("/admin/groups/{}", group["id"].as_str().expect("an id"));
    hind.patch(&path, json!({"department": "المالية"})).await.ok();
    hind.patch(&format!("{path}/roles"), json!({"roles": ["readonly"]})).await.ok();
    hind.patch(&format!("{path}/permissions"), json!({"deny": ["audit.read"]})).await.ok();
    hind.post(&format!("{group_path}/members"), json!({"user": sara.id})).await.ok();
    hind.patch(&format!("{path}/status"), json!({"status": "suspended"})).await.ok();
    let all = ["status", "groups", "deny", "roles", "department"].map(|field| change(name, &[field]));
    assert_eq!(changes(&late(&hind, &path, seen, json!({"region": "x"})).await), all);
    let refused = late(&hind, &format!("{path}/permissions"), seen, json!({"allow": []})).await;
    assert_eq!(changes(&refused), all, "the rights of a person have the person's version");

    hind.patch(&group_path, json!({"description": "x", "roles": []})).await.ok();
    let refused = late(&hind, &group_path, version(&group), json!({"name": "h"})).await;
    assert_eq!(changes(&refused), [change(name, &["description", "roles"])]);

    let rules = json!([{"effect": "allow"}]);
    let policy = json!({"name": "p", "mode": "grant", "actions": ["users.read"], "rules": rules});
    let policy = hind.post("/admin/policies", policy).await.ok();
    let path = format!("/admin/policies/{}", policy["id"].as_str().expect("an id"));
    hind.patch(&path, json!({"actions": ["audit.read"]})).await.ok();
    hind.post(&format!("{path}/activate"), json!({})).await.ok();
    let refused = late(&hind, &path, version(&policy), json!({"name": "q"})).await;
    let told = changes(&refused);
    assert_eq!(told[0], change(name, &["active"]));
    assert!(told[1].1.contains(&"actions".to_owned()), "{told:?}");

    let key = hind.post("/admin/api-keys", json!({"name": "k", "scopes": ["users.read", "audit.read"]})).await.ok();
    let path = format!("/admin/api-keys/{}", key["id"].as_str().expect("an id"));
    hind.patch(&path, json!({"scopes": ["users.read"]})).await.ok();
    let refused = late(&hind, &path, version(&key), json!({"active": false})).await;
    assert_eq!(changes(&refused), [change(name, &["permissions"])]);
}

/// "Errors": whoever may change a thing but not read it is told of no more than that it changed; what is one's own one may
/// always read.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_changed_is_told_to_whoever_may_read_the_thing(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    hind.make_role("blind", &["roles.update", "users.read"]).await;
    let blind = app.person(&hind, "blind@x.example", &["blind"]).await;
    let role = hind.make_role("desk", &["users.read"]).await;
    let path = format!("/admin/roles/{role}");
    let version = hind.get(&path).await.ok()["version"].as_i64().expect("a version");
    hind.patch(&path, json!({"description": "a secret plan"})).await.ok();
    let refused = late(&blind, &path, version, json!({"description": "y"})).await;
    assert!(!refused.text.contains("changes") && !refused.text.contains("هند"), "{}", refused.text);

    let profile = blind.get("/auth/profile").await.ok();
    hind.patch(&format!("/admin/users/{}", blind.id), json!({"name": "Basma"})).await.ok();
    let seen = profile["version"].as_i64().expect("a version");
    let refused = late(&blind, "/auth/profile", seen, json!({"locale": "en"})).await;
    assert_eq!(changes(&refused), [change("هند العتيبي", &["name"])]);

    // A version that moved without an edit: the role that they have gives something else.
    let now = blind.get("/auth/profile").await.ok()["version"].as_i64().expect("a version");
    let own = hind.role_id("blind").await;
    hind.patch(&format!("/admin/roles/{own}"), json!({"permissions": ["users.read"]})).await.ok();
    let refused = late(&blind, "/auth/profile", now, json!({"locale": "en"})).await;
    assert!(changes(&refused).is_empty(), "{}", refused.text);
}

/// "Errors", 409 with what changed: settings tell it too, whichever group was changed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn settings_tell_what_changed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    let seen = hind.get("/admin/settings").await.ok()["version"].as_i64().expect("a version");
    hind.patch("/admin/settings", json!({"lifetimes": {"idle_days": 7}})).await.ok();
    hind.json(Method::PUT, "/admin/audit/retention", json!({"keep_days": 400})).await.ok();
    let refused = late(&hind, "/admin/settings", seen, json!({"risk": {"ask_new_device": false}})).await;
    let name = "هند العتيبي";
    assert_eq!(changes(&refused), [change(name, &["keep_days"]), change(name, &["idle_days"])]);
    hind.make_role("blind", &["settings.update"]).await;
    let blind = app.person(&hind, "blind@x.example", &["blind"]).await;
    let refused = late(&blind, "/admin/settings", seen, json!({"risk": {}})).await;
    assert!(changes(&refused).is_empty(), "{}", refused.text);
}

/// "Errors", C1: a person's version moves with the roles and groups that they have; whoever may read those is told.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_person_tells_that_their_role_changed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    let name = "هند العتيبي";
    let base = hind.make_role("base", &["audit.read"]).await;
    let heir = hind.post("/admin/roles", json!({"name": "desk", "permissions": [], "parents": [base]})).await.ok();
    let other = hind.make_role("other", &["users.read"]).await;
    let sara = app.person(&hind, "sara@x.example", &["desk"]).await;
    let path = format!("/admin/users/{}", sara.id);
    let seen = hind.get(&path).await.ok()["version"].as_i64().expect("a version");
    hind.patch(&format!("/admin/roles/{other}"), json!({"permissions": []})).await.ok();
    hind.patch(&format!("/admin/roles/{base}"), json!({"permissions": ["users.read"]})).await.ok();
    let refused = late(&hind, &path, seen, json!({"region": "x"})).await;
    assert_eq!(changes(&refused), [change(name, &["roles"])], "of the role that they have through another one");
    hind.patch(&path, json!({"region": "y"})).await.ok();
    let refused = late(&hind, &path, seen, json!({"region": "x"})).await;
    assert_eq!(changes(&refused), [change(name, &["region"]), change(name, &["roles"])]);

    // What was there to be seen is not told again.
    let seen = hind.get(&path).await.ok()["version"].as_i64().expect("a version");
    let id = heir["id"].as_str().expect("an id");
    hind.patch(&format!("/admin/roles/{id}"), json!({"description": "x"})).await.ok();
    let refused = late(&hind, &path, seen, json!({"region": "x"})).await;
    assert_eq!(changes(&refused), [change(name, &["roles"])]);
}

/// "Errors", C1: one change of a role is one version of whoever has it, however many ways they have it on.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_that_somebody_has_twice_moves_them_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    let role = hind.make_role("desk", &["audit.read"]).await;
    let sara = app.person(&hind, "sara@x.example", &["desk"]).await;
    let body = json!({"name": "team", "parents": [], "roles": [{"role": role}]});
    let group = hind.post("/admin/groups", body).await.ok()["id"].as_str().expect("an id").to_owned();
    hind.post(&format!("/admin/groups/{group}/members"), json!({"user": sara.id})).await.ok();
    let version = async || hind.get(&format!("/admin/users/{}", sara.id)).await.ok()["version"].as_i64();
    let before = version().await.expect("a version");
    hind.patch(&format!("/admin/roles/{role}"), json!({"permissions": ["users.read"]})).await.ok();
    assert_eq!(version().await, Some(before + 1));
    hind.patch(&format!("/admin/groups/{group}"), json!({"roles": []})).await.ok();
    assert_eq!(version().await, Some(before + 2), "also through the group alone");
}

/// "Errors", C12: whoever decides too late is told who was quicker.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_request_tells_who_was_quicker(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let hind = app.admin().await;
    let omar = app.person(&hind, "omar@x.example", &["super-admin"]).await;
    let huda = app.person(&hind, "huda@x.example", &["super-admin"]).await;
    let sara = app.person(&hind, "sara@x.example", &[]).await;
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    hind.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let rights = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
    let ask = json!({"user_id": sara.id, "rights": rights, "reason": "r"});
    let asked = hind.post("/admin/approvals", ask).await.ok();
    let path = format!("/admin/approvals/{}", asked["id"].as_str().expect("an id"));
    omar.post(&format!("{path}/reject"), json!({"comment": "no"})).await.ok();
    for refused in
        [huda.post(&format!("{path}/approve"), json!({})).await, hind.delete(&path.replace("/admin/", "/auth/")).await]
    {
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "stale"));
        assert_eq!(changes(&refused), [change("omar@x.example", &[])]);
    }
}
