//! Every door: each route and server function refuses whoever may not, unless it is public or opens only the caller's own.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::Value;
use sqlx::PgPool;

use crate::app::server::{
    openapi, panics,
    test_app::{Answer, Client, PUBLIC, TestApp, options_of},
};

/// Whoever comes may use these.
const PUBLIC_DOORS: &[&str] = &[
    "post /auth/login",
    "post /auth/refresh",
    "post /auth/refresh/prove",
    "post /auth/login/code",
    "post /auth/login/factor",
    "post /auth/welcome",
    "post /auth/register",
    "post /auth/confirm",
    "post /auth/request-reset",
    "post /auth/reset",
    "post /auth/magic-link",
    "get /auth/magic-link/verify",
    "post /auth/magic-link/verify",
    "post /api/links/look",
    "post /api/door",
    "post /api/door/step",
    "post /auth/email/confirm",
    "post /auth/email/leave",
    "post /auth/email/cancel",
    "post /auth/webauthn/login/challenge",
    "post /auth/webauthn/login/complete",
    "get /.well-known/authzen-configuration",
];
/// These open what belongs to the caller alone.
const OWN_DOORS: &[&str] = &[
    "post /auth/logout",
    "get /auth/me",
    "post /api/me",
    "get /auth/2fa",
    "post /auth/2fa/setup",
    "post /auth/2fa/verify",
    "post /auth/2fa/disable",
    "post /auth/2fa/backup-codes",
    "post /auth/reauthenticate",
    "post /api/second-factor",
    "post /auth/email",
    "post /auth/password",
    "get /auth/profile",
    "patch /auth/profile",
    "get /auth/activity",
    "get /auth/export",
    "get /auth/deletion",
    "post /auth/deletion",
    "delete /auth/deletion",
    "post /api/profile",
    "post /api/profile/edit",
    "post /api/deletion",
    "post /api/deletion/request",
    "post /api/audit/own",
    "post /auth/webauthn/register/challenge",
    "post /auth/webauthn/register/complete",
    "post /auth/webauthn/reauthenticate",
    "get /auth/webauthn/credentials",
    "patch /auth/webauthn/credentials/0190a6e0-0000-7000-8000-000000000000",
    "delete /auth/webauthn/credentials/0190a6e0-0000-7000-8000-000000000000",
    "post /api/passkeys",
    "get /auth/sessions",
    "delete /auth/sessions",
    "delete /auth/sessions/0190a6e0-0000-7000-8000-000000000000",
    "get /auth/devices",
    "delete /auth/devices/0190a6e0-0000-7000-8000-000000000000",
    "post /api/sessions/own",
    "post /api/sessions/end-own",
    "post /api/devices/own",
    "post /api/devices/forget-own",
    "get /auth/consents",
    "post /auth/consents/0190a6e0-0000-7000-8000-000000000000",
    "delete /auth/consents/0190a6e0-0000-7000-8000-000000000000",
    "post /api/consents/own",
    "get /auth/approvals",
    "delete /auth/approvals/0190a6e0-0000-7000-8000-000000000000",
    "post /auth/access-requests",
    "delete /auth/impersonation",
    "post /api/impersonation/end",
    "delete /auth/visit",
    "post /api/tenants/leave",
    "post /api/approvals/own",
    "post /api/approvals/withdraw",
    "post /api/approvals/request-access",
];

/// Every REST route, from the same lines that serve it, and every server function, from Leptos' own registry.
fn doors() -> Vec<(Method, String)> {
    let api = serde_json::to_value(openapi::rest::<()>().to_openapi()).expect("JSON");
    let mut doors = Vec::new();
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let method = method.to_uppercase().parse().expect("a method");
            let id = "0190a6e0-0000-7000-8000-000000000000";
            let path = ["{id}", "{session}", "{device}", "{letter}", "{user}", "{key}"]
                .iter()
                .fold(path.clone(), |path, name| path.replace(name, id));
            doors.push((method, path));
        }
    }
    let calls = leptos::server_fn::axum::server_fn_paths();
    doors.extend(calls.map(|(path, method)| (method, path.to_owned())));
    doors
}

fn name(method: &Method, path: &str) -> String {
    format!("{} {path}", method.as_str().to_lowercase())
}

async fn knock(client: &Client, method: &Method, path: &str) -> StatusCode {
    // What is sent does not fit anywhere: whoever may not is refused before it is looked at.
    let client = client.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
    client.send(method.clone(), path, Some("application/json"), "{\"nonsense\": 1}".into()).await.status
}

/// "Coverage": anonymous 401, powerless 403, whatever the body says.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_door_refuses_whoever_may_not(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let powerless = app.person(&admin, "powerless@x.example", &[]).await;
    let doors = doors();
    assert!(doors.len() > 30, "{}", doors.len());
    for (method, path) in &doors {
        let door = name(method, path);
        let is_call = path.starts_with("/api/");
        if PUBLIC_DOORS.contains(&door.as_str()) {
            continue;
        }
        // A server function's arguments are decoded before our code runs; those that do not fit are refused as such.
        let early = |status| is_call && status == StatusCode::UNPROCESSABLE_ENTITY;
        let status = knock(&app.anonymous(), method, path).await;
        assert!(status == StatusCode::UNAUTHORIZED || early(status), "{door} to nobody: {status}");
        if OWN_DOORS.contains(&door.as_str()) {
            continue;
        }
        let status = knock(&powerless, method, path).await;
        assert!(status == StatusCode::FORBIDDEN || early(status), "{door} to the powerless: {status}");
    }
}

/// "Coverage": server functions with arguments that do fit refuse as well.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_server_function_refuses_with_good_arguments_too(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let powerless = app.person(&admin, "powerless@x.example", &[]).await;
    let id = "0190a6e0-0000-7000-8000-000000000000";
    let arguments = |path: &str| -> String {
        match path {
            "/api/people/list" | "/api/audit/list" => r#"{"query": {}}"#.to_owned(),
            "/api/people/add" => r#"{"person": {"email": "a@b.example", "name": "a"}}"#.to_owned(),
            "/api/people/edit" | "/api/roles/edit" | "/api/rights/edit" | "/api/rights/what-if" => {
                format!(r#"{{"id": "{id}", "edit": {{}}}}"#)
            }
            "/api/people/set-status" => format!(r#"{{"id": "{id}", "status": "active", "version": null}}"#),
            "/api/people/set-status-of-many" => {
                format!(r#"{{"change": {{"users": ["{id}"], "status": "suspended"}}}}"#)
            }
            "/api/rights/change-role-of-many" => {
                format!(r#"{{"change": {{"users": ["{id}"], "role": "{id}", "act": "give"}}}}"#)
            }
            "/api/people/delete" | "/api/roles/delete" => format!(r#"{{"id": "{id}", "version": null}}"#),
            "/api/second-factor/reset"
            | "/api/people/get"
            | "/api/people/revoke-link"
            | "/api/people/call-off-deletion"
            | "/api/people/erasure"
            | "/api/people/erase"
            | "/api/roles/get"
            | "/api/rights/get" => {
                format!(r#"{{"id": "{id}"}}"#)
            }
            "/api/groups/what-if" => format!(r#"{{"id": "{id}", "gives": {{"roles": []}}}}"#),
            "/api/rights/of-many" => format!(r#"{{"users": ["{id}"]}}"#),
            "/api/rights/edit-of-many" | "/api/rights/what-if-of-many" => {
                format!(r#"{{"edits": {{"people": [{{"user": "{id}"}}]}}}}"#)
            }
            "/api/roles/what-if" => format!(r#"{{"id": "{id}", "gives": {{"permissions": []}}}}"#),
            "/api/people/new-link" => format!(r#"{{"id": "{id}", "mail": false}}"#),
            "/api/roles/create" => r#"{"role": {"name": "r"}}"#.to_owned(),
            "/api/second-factor" | "/api/sessions/own" | "/api/passkeys" => String::new(),
            "/api/profile" | "/api/deletion" => String::new(),
            "/api/profile/edit" => r#"{"edit": {}}"#.to_owned(),
            "/api/deletion/request" => r#"{"request": {"email": "a@b.example"}}"#.to_owned(),
            "/api/audit/own" => r#"{"from": {}}"#.to_owned(),
            "/api/sessions/end-own" => r#"{"id": null}"#.to_owned(),
            "/api/devices/own" => String::new(),
            "/api/devices/of" => format!(r#"{{"user": "{id}"}}"#),
            "/api/devices/forget-own" => format!(r#"{{"id": "{id}"}}"#),
            "/api/devices/forget-of" => format!(r#"{{"user": "{id}", "id": "{id}"}}"#),
            "/api/sessions/of" => format!(r#"{{"user": "{id}"}}"#),
            "/api/sessions/end-of" => format!(r#"{{"user": "{id}", "id": null}}"#),
            "/api/roles/holders" => format!(r#"{{"id": "{id}", "query": {{}}}}"#),
            "/api/people/counts" | "/api/people/count-ending" | "/api/audit/counts" => String::new(),
            "/api/audit/verification" | "/api/audit/verify" | "/api/audit/retention" => String::new(),
            "/api/approvals/count" | "/api/approvals/own" | "/api/approvals/rules" => String::new(),
            "/api/approvals/set-rules" => r#"{"rules": {}}"#.to_owned(),
            "/api/impersonation/preview" => format!(r#"{{"target": "{id}"}}"#),
            "/api/impersonation/begin" => {
                format!(r#"{{"request": {{"target_user_id": "{id}", "reason": "r"}}}}"#)
            }
            "/api/impersonation/end" => String::new(),
            "/api/approvals/list" => r#"{"query": {}}"#.to_owned(),
            "/api/approvals/decide" => format!(r#"{{"id": "{id}", "approves": true, "verdict": {{}}}}"#),
            "/api/approvals/withdraw" => format!(r#"{{"id": "{id}"}}"#),
            "/api/approvals/request" => r#"{"request": {"reason": "r"}}"#.to_owned(),
            "/api/approvals/request-access" => r#"{"request": {"permission": "users.read", "reason": "r"}}"#.to_owned(),
            "/api/api-keys/list" => r#"{"query": {}}"#.to_owned(),
            "/api/api-keys/create" => r#"{"key": {"name": "k", "scopes": ["users.read"]}}"#.to_owned(),
            "/api/api-keys/edit" => format!(r#"{{"id": "{id}", "edit": {{}}}}"#),
            "/api/api-keys/rotate" => format!(r#"{{"id": "{id}", "rotation": {{}}}}"#),
            "/api/api-keys/delete" => format!(r#"{{"id": "{id}"}}"#),
            "/api/reports/dashboard" => r#"{"query": {}}"#.to_owned(),
            "/api/audit/set-retention" => r#"{"rule": {}}"#.to_owned(),
            "/api/roles/list" | "/api/groups/list" => r#"{"query": {}}"#.to_owned(),
            "/api/roles/all" | "/api/permissions/list" | "/api/me" => String::new(),
            "/api/roles/templates" | "/api/catalogue/export" | "/api/groups/all" => String::new(),
            "/api/roles/compare" => format!(r#"{{"query": {{"a": "{id}", "b": "{id}"}}}}"#),
            "/api/roles/from-template" => r#"{"wanted": {"template": "analyst"}}"#.to_owned(),
            "/api/permissions/create" => {
                r#"{"permission": {"key": "crm.read", "name_ar": "a", "name_en": "a"}}"#.to_owned()
            }
            "/api/permissions/edit" => r#"{"key": "crm.read", "edit": {}}"#.to_owned(),
            "/api/permissions/removal" | "/api/permissions/delete" => r#"{"key": "crm.read"}"#.to_owned(),
            "/api/catalogue/preview" | "/api/catalogue/import" => r#"{"file": {"format": 1}}"#.to_owned(),
            "/api/policies/evaluate" => {
                r#"{"question": {"user": "a@b.example", "resource": "users", "action": "read"}}"#.to_owned()
            }
            "/api/policies/who-can" => r#"{"key": "users.read", "query": {}}"#.to_owned(),
            "/api/policies/graph" => r#"{"query": {}}"#.to_owned(),
            "/api/policies/list" => r#"{"query": {}}"#.to_owned(),
            "/api/policies/get" | "/api/policies/versions" => format!(r#"{{"id": "{id}"}}"#),
            "/api/policies/create" => {
                r#"{"policy": {"name": "p", "mode": "grant", "actions": ["users.read"], "rules": []}}"#.to_owned()
            }
            "/api/policies/edit" => format!(r#"{{"id": "{id}", "edit": {{}}}}"#),
            "/api/policies/activate" => format!(r#"{{"id": "{id}", "activation": {{}}}}"#),
            "/api/policies/deactivate" | "/api/policies/delete" => format!(r#"{{"id": "{id}", "version": null}}"#),
            "/api/policies/request" => format!(r#"{{"id": "{id}", "asked": {{"reason": "r"}}}}"#),
            "/api/policies/preview" => format!(r#"{{"id": "{id}", "number": null}}"#),
            "/api/policies/test" => r#"{"tests": {"module": "", "tests": ""}}"#.to_owned(),
            "/api/policies/try" => {
                r#"{"trial": {"mode": "grant", "actions": [], "rules": [], "user": "a@b.example"}}"#.to_owned()
            }
            "/api/groups/get" => format!(r#"{{"id": "{id}"}}"#),
            "/api/groups/create" => r#"{"group": {"name": "g"}}"#.to_owned(),
            "/api/groups/edit" => format!(r#"{{"id": "{id}", "edit": {{}}}}"#),
            "/api/groups/request" => format!(r#"{{"id": "{id}", "asked": {{"edit": {{}}, "reason": "r"}}}}"#),
            "/api/groups/delete" => format!(r#"{{"id": "{id}", "version": null}}"#),
            "/api/groups/members" => format!(r#"{{"id": "{id}", "query": {{}}}}"#),
            "/api/groups/put-member" => format!(r#"{{"id": "{id}", "member": {{"user": "{id}"}}}}"#),
            "/api/groups/remove-member" => format!(r#"{{"id": "{id}", "user": "{id}"}}"#),
            "/api/groups/of" => format!(r#"{{"user": "{id}"}}"#),
            "/api/tenants/list" => r#"{"query": {}}"#.to_owned(),
            "/api/tenants/get" => format!(r#"{{"id": "{id}"}}"#),
            "/api/tenants/create" => r#"{"tenant": {"name": "t"}}"#.to_owned(),
            "/api/tenants/edit" => format!(r#"{{"id": "{id}", "edit": {{}}}}"#),
            "/api/tenants/set-status" => format!(r#"{{"id": "{id}", "change": {{"status": "suspended"}}}}"#),
            "/api/tenants/enter" => format!(r#"{{"id": "{id}", "visit": {{"reason": "r"}}}}"#),
            "/api/tenants/leave" => String::new(),
            "/api/consents/own" => String::new(),
            "/api/consents/list" => r#"{"query": {}}"#.to_owned(),
            "/api/consents/get" => format!(r#"{{"id": "{id}", "query": {{}}}}"#),
            "/api/consents/change" => format!(r#"{{"change": {{"Retire": ["{id}", 1]}}}}"#),
            "/api/links/look" => String::new(),
            "/api/settings/get" | "/api/settings/mail" | "/api/settings/mail/test" => String::new(),
            "/api/settings/edit" => r#"{"edit": {}}"#.to_owned(),
            "/api/settings/mail/retry" => r#"{"id": 1}"#.to_owned(),
            other => panic!("say here what {other} takes"),
        }
    };
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        let door = name(&method, path);
        if PUBLIC_DOORS.contains(&door.as_str()) {
            continue;
        }
        let body = arguments(path);
        let kind = if body.is_empty() { "application/x-www-form-urlencoded" } else { "application/json" };
        for (client, expected) in
            [(app.anonymous(), StatusCode::UNAUTHORIZED), (powerless.clone(), StatusCode::FORBIDDEN)]
        {
            if expected == StatusCode::FORBIDDEN && OWN_DOORS.contains(&door.as_str()) {
                continue;
            }
            let client = client.with("origin", PUBLIC);
            let answer = client.send(method.clone(), path, Some(kind), body.clone().into()).await;
            assert_eq!(answer.status, expected, "{door}: {}", answer.text);
        }
    }
}

/// leptos PR 4809: no server function that changes anything can be called by GET.
#[test]
fn server_functions_are_posted_to() {
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        assert_eq!(method, Method::POST, "{path}");
        assert!(!path.chars().any(|c| c.is_ascii_digit()), "{path} has a name of its own");
    }
}

/// I3: every answer carries the headers; a page's policy has a nonce and nothing inline.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_answer_carries_the_protecting_headers(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let anonymous = app.anonymous();
    for path in ["/login", "/healthz", "/auth/me", "/nothing", "/openapi.json", "/admin/nothing"] {
        let answer = anonymous.get(path).await;
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.headers.get(header).map(|v| v.to_str().expect("ASCII")), Some(value), "{path} {header}");
        }
        let policy = answer.headers["content-security-policy"].to_str().expect("ASCII").to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{path}: {policy}");
    }
    let one = anonymous.get("/login").await;
    let two = anonymous.get("/login").await;
    let nonce = |answer: &Answer| {
        let policy = answer.headers["content-security-policy"].to_str().expect("ASCII").to_owned();
        policy.split("'nonce-").nth(1).expect("a nonce").split('\'').next().expect("its end").to_owned()
    };
    assert_ne!(nonce(&one), nonce(&two));
    assert!(!one.text.contains(" style="), "no inline style");
    for script in one.text.split("<script").skip(1) {
        assert!(script.contains(&format!("nonce=\"{}\"", nonce(&one))), "{script:.120}");
    }
}

/// RFC 9457: a problem in the caller's language, with a code that is the same in both.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn problems_speak_the_language_of_the_caller(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let arabic = app.anonymous().get("/auth/me").await;
    let english = app.anonymous().with("accept-language", "en-GB").get("/auth/me").await;
    for answer in [&arabic, &english] {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.code(), "signed_out");
        assert_eq!(answer.json()["status"], 401);
    }
    assert_ne!(arabic.json()["title"], english.json()["title"]);
    assert_eq!(english.headers["content-language"], "en");
    let unknown = app.anonymous().get("/admin/nothing").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

/// H7: the description is OpenAPI 3.1 and covers every route that callers rely on.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_api_describes_itself(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let api: Value = app.anonymous().get("/openapi.json").await.ok();
    assert!(api["openapi"].as_str().expect("a version").starts_with("3.1"));
    for (path, methods) in [
        ("/auth/login", vec!["post"]),
        ("/auth/refresh", vec!["post"]),
        ("/auth/logout", vec!["post"]),
        ("/auth/me", vec!["get"]),
        ("/admin/users", vec!["get", "post"]),
        ("/admin/users/{id}", vec!["get", "patch", "delete"]),
        ("/admin/users/{id}/status", vec!["patch"]),
        ("/admin/users/{id}/roles", vec!["post", "patch"]),
        ("/admin/users/{id}/permissions", vec!["patch"]),
        ("/admin/users/{id}/effective-permissions", vec!["get"]),
        ("/admin/users/{id}/what-if", vec!["post"]),
        ("/admin/roles/{id}/what-if", vec!["post"]),
        ("/admin/groups/{id}/what-if", vec!["post"]),
        ("/admin/users/bulk/what-if", vec!["post"]),
        ("/admin/users/bulk/rights", vec!["post"]),
        ("/admin/roles", vec!["get", "post"]),
        ("/admin/roles/{id}", vec!["get", "patch", "delete"]),
        ("/admin/permissions", vec!["get"]),
        ("/admin/audit", vec!["get"]),
        ("/admin/audit/export.csv", vec!["get"]),
        ("/admin/audit/export.jsonl", vec!["get"]),
        ("/admin/audit/verification", vec!["get", "post"]),
        ("/admin/impersonate", vec!["post"]),
        ("/auth/impersonation", vec!["delete"]),
        ("/admin/approvals", vec!["get", "post"]),
        ("/admin/approvals/{id}/approve", vec!["post"]),
        ("/admin/approvals/{id}/reject", vec!["post"]),
        ("/admin/approvals/rules", vec!["get", "put"]),
        ("/admin/groups/{id}/approvals", vec!["post"]),
        ("/admin/policies/{id}/approvals", vec!["post"]),
        ("/auth/approvals", vec!["get"]),
        ("/auth/approvals/{id}", vec!["delete"]),
        ("/auth/access-requests", vec!["post"]),
        ("/admin/api-keys", vec!["get", "post"]),
        ("/admin/api-keys/{id}", vec!["patch", "delete"]),
        ("/admin/api-keys/{id}/rotate", vec!["post"]),
        ("/admin/audit/checkpoint", vec!["get"]),
        ("/admin/audit/retention", vec!["get", "put"]),
        ("/admin/dashboard", vec!["get"]),
        ("/auth/register", vec!["post"]),
        ("/auth/confirm", vec!["post"]),
        ("/auth/request-reset", vec!["post"]),
        ("/auth/reset", vec!["post"]),
        ("/auth/magic-link", vec!["post"]),
        ("/auth/magic-link/verify", vec!["get", "post"]),
        ("/auth/login/factor", vec!["post"]),
        ("/auth/welcome", vec!["post"]),
        ("/auth/sessions", vec!["get", "delete"]),
        ("/auth/sessions/{id}", vec!["delete"]),
        ("/auth/devices", vec!["get"]),
        ("/auth/devices/{id}", vec!["delete"]),
        ("/admin/users/{id}/sessions", vec!["get", "delete"]),
        ("/admin/users/{id}/sessions/{session}", vec!["delete"]),
        ("/admin/users/{id}/devices", vec!["get"]),
        ("/admin/users/{id}/devices/{device}", vec!["delete"]),
        ("/auth/2fa", vec!["get"]),
        ("/auth/2fa/setup", vec!["post"]),
        ("/auth/2fa/verify", vec!["post"]),
        ("/auth/2fa/disable", vec!["post"]),
        ("/auth/2fa/backup-codes", vec!["post"]),
        ("/auth/reauthenticate", vec!["post"]),
        ("/auth/email", vec!["post"]),
        ("/auth/profile", vec!["get", "patch"]),
        ("/auth/activity", vec!["get"]),
        ("/auth/export", vec!["get"]),
        ("/auth/deletion", vec!["get", "post", "delete"]),
        ("/auth/email/confirm", vec!["post"]),
        ("/auth/email/leave", vec!["post"]),
        ("/auth/email/cancel", vec!["post"]),
        ("/auth/password", vec!["post"]),
        ("/auth/webauthn/register/challenge", vec!["post"]),
        ("/auth/webauthn/register/complete", vec!["post"]),
        ("/auth/webauthn/login/challenge", vec!["post"]),
        ("/auth/webauthn/login/complete", vec!["post"]),
        ("/auth/webauthn/reauthenticate", vec!["post"]),
        ("/auth/webauthn/credentials", vec!["get"]),
        ("/auth/webauthn/credentials/{id}", vec!["patch", "delete"]),
        ("/admin/users/{id}/2fa", vec!["delete"]),
        ("/auth/consents", vec!["get"]),
        ("/auth/consents/{id}", vec!["post", "delete"]),
        ("/admin/consents", vec!["get", "post"]),
        ("/admin/consents/{id}", vec!["get", "patch", "delete"]),
        ("/admin/consents/{id}/publish", vec!["post"]),
        ("/admin/consents/{id}/users", vec!["get"]),
        ("/admin/consents/{id}/versions", vec!["get"]),
        ("/admin/settings", vec!["get", "patch"]),
        ("/admin/settings/logo", vec!["put", "delete"]),
        ("/admin/mail", vec!["get"]),
        ("/admin/mail/undelivered", vec!["get"]),
        ("/admin/mail/undelivered/{letter}/retry", vec!["post"]),
        ("/admin/mail/test", vec!["post"]),
        ("/admin/users/{id}/link", vec!["post", "delete"]),
        ("/admin/users/{id}/deletion", vec!["delete"]),
        ("/admin/users/{id}/erasure", vec!["get", "post"]),
        ("/access/v1/evaluation", vec!["post"]),
        ("/access/v1/evaluations", vec!["post"]),
        ("/access/v1/search/subject", vec!["post"]),
        ("/access/v1/search/resource", vec!["post"]),
        ("/access/v1/search/action", vec!["post"]),
        ("/.well-known/authzen-configuration", vec!["get"]),
    ] {
        for method in methods {
            assert!(api["paths"][path][method]["responses"].is_object(), "{method} {path}");
        }
    }
}

/// H7: the description says which doors are open to everybody, and names every operation once.
#[test]
fn the_description_tells_the_open_doors() {
    let api = serde_json::to_value(openapi::document()).expect("JSON");
    let mut names = BTreeSet::new();
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let door = format!("{method} {path}");
            let says_open = operation["security"] == serde_json::json!([{}]);
            assert_eq!(says_open, PUBLIC_DOORS.contains(&door.as_str()), "{door}");
            let name = operation["operationId"].as_str().expect("a name");
            assert!(names.insert(name.to_owned()), "{name} twice");
        }
    }
}

/// leptos.md "panics": a few thousand pages leave no panic behind.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn thousands_of_pages_leave_no_panic(pool: PgPool) {
    tracing_subscriber::fmt().with_env_filter("warn").try_init().ok();
    let _alone = panics::ALONE.lock().await;
    panics::install();
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", crate::app::server::test_app::PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let browser = app.anonymous().with("cookie", &cookies);
    let person = format!("/console/people/{}?tab=permissions", admin.id);
    let studio = format!("/console/studio?person={}", admin.id);
    let pages = [
        "/login",
        "/console",
        "/console/people",
        person.as_str(),
        studio.as_str(),
        "/console/roles",
        "/console/audit",
        "/nothing",
    ];
    let before = panics::count();
    for _ in 0..8 {
        let tasks = (0..4).map(|worker| {
            let (app, browser) = (app.clone(), browser.clone());
            let pages = pages.map(str::to_owned);
            tokio::spawn(async move {
                for at in 0..64 {
                    let path = &pages[(at + worker) % pages.len()];
                    let client = if at % 2 == 0 && path == "/login" { app.anonymous() } else { browser.clone() };
                    let status = client.get(path).await.status;
                    assert!(!status.is_server_error(), "{path}: {status}");
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
    }
    assert_eq!(panics::count(), before);
}
