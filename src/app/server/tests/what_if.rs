//! What a change would do, before it is saved: it is what saving then does, and it changes nothing.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

fn of_kind(effect: &Value, kind: &str) -> Vec<String> {
    let lines = effect["lines"].as_array().expect("lines").iter().filter(|line| line["what"] == kind);
    lines.map(|line| line["key"].as_str().expect("a key").to_owned()).collect()
}

fn difference(more: &[String], less: &[String]) -> Vec<String> {
    more.iter().filter(|key| !less.contains(key)).cloned().collect()
}

async fn role(by: &Client, name: &str) -> Value {
    json!({"role": by.role_id(name).await})
}

/// C14: whatever is staged for a person, the preview names exactly the rights that saving then gives and takes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_of_a_person_is_what_saving_gives(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let (what_if, edit) = (format!("/admin/users/{}/what-if", sara.id), format!("/admin/users/{}", sara.id));
    let steps = [
        json!({"overrides": {"allow": [{"key": "tasks.create"}]}}),
        json!({"overrides": {"allow": [{"key": "workflows.*"}], "deny": [{"key": "users.read"}]}}),
        json!({"roles": [role(&boss, "support").await, role(&boss, "readonly").await]}),
        json!({"roles": [role(&boss, "admin").await], "overrides": {"deny": [{"key": "users.*"}, {"key": "audit.read"}]}}),
        json!({"roles": [], "overrides": {}}),
    ];
    for step in steps {
        let before = boss.held(&sara.id).await;
        let rows = app.count("select count(*) from audit_logs").await;
        let effect = boss.post(&what_if, step.clone()).await.ok();
        assert_eq!(boss.held(&sara.id).await, before, "looking changes nothing");
        assert_eq!(app.count("select count(*) from audit_logs").await, rows, "and leaves no row");
        if let Some(roles) = step["roles"].as_array() {
            let roles = roles.iter().map(|given| given["role"].clone()).collect::<Vec<_>>();
            boss.patch(&format!("{edit}/roles"), json!({"roles": roles})).await.ok();
        }
        if step["overrides"].is_object() {
            boss.patch(&format!("{edit}/permissions"), step["overrides"].clone()).await.ok();
        }
        let after = boss.held(&sara.id).await;
        assert_eq!(of_kind(&effect, "gained"), difference(&after, &before), "{step}");
        assert_eq!(of_kind(&effect, "lost"), difference(&before, &after), "{step}");
        let changed = of_kind(&effect, "gained").len() + of_kind(&effect, "lost").len();
        let catalogue = boss.get("/admin/permissions").await.ok();
        let plain = catalogue.as_array().expect("a list").iter();
        let plain = plain.filter(|info| !info["key"].as_str().expect("a key").ends_with('*')).count();
        assert_eq!(effect["unchanged"], plain - changed, "{step}");
    }
}

/// C14, users-ask 7: a grant that has no effect says why: a deny holds it down, or it is held already.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_grant_without_effect_says_why(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["readonly"]).await;
    let path = format!("/admin/users/{}/what-if", sara.id);
    let step = json!({"overrides": {
        "allow": [{"key": "users.read"}, {"key": "workflows.create"}],
        "deny": [{"key": "workflows.*", "reason": "التحقيق جارٍ"}],
    }});
    let effect = boss.post(&path, step).await.ok();
    assert_eq!(of_kind(&effect, "redundant"), ["users.read"]);
    assert_eq!(of_kind(&effect, "blocked"), ["workflows.create"]);
    let line = |key: &str| effect["lines"].as_array().expect("lines").iter().find(|line| line["key"] == key).cloned();
    let blocked = line("workflows.create").expect("a line");
    assert_eq!(
        blocked["because"][0],
        json!({"kind": "denied", "through": "workflows.*", "expires_at": null, "reason": "التحقيق جارٍ"})
    );
    assert_eq!(effect["names"], json!([]), "nobody's rights change");
}

/// C14, C11: the preview tells the refusal that saving would meet, with the permissions that are missing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_tells_what_saving_would_refuse(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("granter", &["users.read", "permissions.*", "roles.*"]).await;
    let granter = app.person(&boss, "granter@x.example", &["granter"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let step = json!({"overrides": {"allow": [{"key": "audit.read"}, {"key": "users.read"}]}});
    let path = format!("/admin/users/{}/what-if", sara.id);
    let effect = granter.post(&path, step.clone()).await.ok();
    assert_eq!(effect["refused"], json!({"code": "beyond_your_rights", "permissions": ["audit.read"]}));
    let saved = granter.patch(&format!("/admin/users/{}/permissions", sara.id), step["overrides"].clone()).await;
    assert_eq!((saved.status, saved.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    assert_eq!(saved.json()["permissions"], effect["refused"]["permissions"]);
    assert_eq!(boss.post(&path, step).await.ok()["refused"], Value::Null);

    let last = boss.post(&format!("/admin/users/{}/what-if", boss.id), json!({"roles": []})).await.ok();
    assert_eq!(last["refused"]["code"], "last_super_admin");
}

/// C14: for a role everybody who has it is asked about, one by one: who has it from elsewhere loses nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_of_a_role_counts_the_people_it_reaches(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let id = boss.make_role("desk", &["users.read", "reports.read"]).await;
    let sara = app.person(&boss, "sara@x.example", &["desk"]).await;
    let omar = app.person(&boss, "omar@x.example", &["desk", "readonly"]).await;
    let denied = app.person(&boss, "denied@x.example", &["desk"]).await;
    boss.patch(&format!("/admin/users/{}/permissions", denied.id), json!({"deny": ["tasks.create"]})).await.ok();
    app.person(&boss, "other@x.example", &["support"]).await;

    let gives = json!({"permissions": ["reports.read", "tasks.create"]});
    let effect = boss.post(&format!("/admin/roles/{id}/what-if"), gives.clone()).await.ok();
    assert_eq!(effect["people"], 3);
    let line = |kind: &str, key: &str| {
        let lines = effect["lines"].as_array().expect("lines").iter();
        let found = lines.filter(|line| line["what"] == kind && line["key"] == key).collect::<Vec<_>>();
        found.first().map(|line| line["people"].clone())
    };
    assert_eq!(line("gained", "tasks.create"), Some(json!(2)));
    assert_eq!(line("blocked", "tasks.create"), Some(json!(1)));
    assert_eq!(line("lost", "users.read"), Some(json!(2)), "omar keeps it through readonly");
    assert_eq!((&effect["people_gaining"], &effect["people_losing"]), (&json!(2), &json!(2)));
    assert_eq!(effect["names"], json!(["denied@x.example", "omar@x.example", "sara@x.example"]));

    let before = [boss.held(&sara.id).await, boss.held(&omar.id).await, boss.held(&denied.id).await];
    boss.patch(&format!("/admin/roles/{id}"), gives).await.ok();
    let after = [boss.held(&sara.id).await, boss.held(&omar.id).await, boss.held(&denied.id).await];
    let gaining = before.iter().zip(&after).filter(|(before, after)| !difference(after, before).is_empty()).count();
    let losing = before.iter().zip(&after).filter(|(before, after)| !difference(before, after).is_empty()).count();
    assert_eq!((gaining, losing), (2, 2));
}

/// C13, C11: a role is given until a moment and in a department over REST, and is told so; what has run out is gone.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_is_given_with_an_end_and_a_scope(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let path = format!("/admin/users/{}/roles", sara.id);
    let bound = json!({"role": "readonly", "department": "المالية", "expires_at": "2026-11-22T08:10:00Z"});
    boss.patch(&path, json!({"roles": [bound, "support"]})).await.ok();
    let effective = boss.get(&format!("/admin/users/{}/effective-permissions", sara.id)).await.ok();
    let audit =
        effective.as_array().expect("a list").iter().find(|one| one["key"] == "audit.read").expect("it is there");
    let readonly = audit["because"].as_array().expect("reasons").iter().find(|one| one["role"]["name"] == "readonly");
    let readonly = readonly.expect("a reason");
    assert_eq!(readonly["scope"], json!({"department": "المالية", "region": null}));
    assert_eq!(readonly["expires_at"], "2026-11-22T08:10:00Z");

    // Adding another one leaves the bounds alone.
    boss.post(&path, json!({"roles": ["trader"]})).await.ok();
    assert_eq!(app.count("select count(*) from user_roles where scope_department = 'المالية'").await, 1);

    let past = json!({"roles": [{"role": "admin", "expires_at": "2020-01-01T00:00:00Z"}]});
    let refused = boss.post(&path, past).await;
    assert_eq!(
        (refused.status, refused.json()["errors"][0]["field"].clone()),
        (StatusCode::UNPROCESSABLE_ENTITY, json!("roles[0].expires_at"))
    );
    let twice = boss.patch(&path, json!({"roles": ["support", "support"]})).await;
    assert_eq!(twice.json()["errors"][0]["field"], "roles[1]");
}
