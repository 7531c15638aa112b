//! Roles that inherit, templates, copies, comparison, permissions of a tenant's own, and the catalogue as a file.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

fn strings(list: &Value) -> Vec<String> {
    list.as_array().expect("a list").iter().map(|item| item.as_str().expect("a text").to_owned()).collect()
}

async fn heir(by: &Client, name: &str, permissions: &[&str], parents: &[&str]) -> String {
    let body = json!({"name": name, "permissions": permissions, "parents": parents});
    by.post("/admin/roles", body).await.ok()["id"].as_str().expect("an id").to_owned()
}

async fn reasons(by: &Client, user: &str, key: &str) -> Vec<Value> {
    let effective = by.get(&format!("/admin/users/{user}/effective-permissions")).await.ok();
    let found = effective.as_array().expect("a list").iter().find(|one| one["key"] == key).expect("the key").clone();
    found["because"].as_array().expect("reasons").clone()
}

/// C1, users-ask 1: a role gives what its parents give, at once for everybody, and the reason names the way.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_gives_what_its_parents_give_and_tells_the_way(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let base = heir(&boss, "base", &["audit.read"], &[]).await;
    let middle = heir(&boss, "middle", &["reports.read"], &[&base]).await;
    let top = heir(&boss, "top", &[], &[&middle]).await;
    let sara = app.person(&boss, "sara@x.example", &["top"]).await;
    assert_eq!(boss.held(&sara.id).await, ["audit.read", "reports.read"]);
    let because = reasons(&boss, &sara.id, "audit.read").await;
    assert_eq!(because.len(), 1);
    assert_eq!(because[0]["role"]["name"], "top");
    let way = because[0]["inherited"].as_array().expect("a way").iter().map(|role| role["name"].clone());
    assert_eq!(way.collect::<Vec<_>>(), ["middle", "base"]);

    // What is added to an ancestor reaches the heirs with the next request.
    boss.patch(&format!("/admin/roles/{base}"), json!({"permissions": ["audit.read", "sessions.read"]})).await.ok();
    assert_eq!(boss.held(&sara.id).await, ["audit.read", "reports.read", "sessions.read"]);
    let told = boss.get(&format!("/admin/roles/{top}")).await.ok();
    assert_eq!(strings(&told["inherited"]), ["audit.read", "reports.read", "sessions.read"]);
    assert_eq!(told["permissions"], json!([]));
    assert_eq!(boss.get(&format!("/admin/roles/{base}")).await.ok()["heirs"][0]["name"], "middle");

    // And goes with the role that gave it.
    boss.delete(&format!("/admin/roles/{base}")).await.ok();
    assert_eq!(boss.held(&sara.id).await, ["reports.read"]);
}

/// C1: a role cannot inherit from itself over however many others; the answer names the way round. Nor too deep.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn inheritance_goes_neither_round_nor_too_deep(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let a = heir(&boss, "a", &[], &[]).await;
    let b = heir(&boss, "b", &[], &[&a]).await;
    let c = heir(&boss, "c", &[], &[&b]).await;
    let round = boss.patch(&format!("/admin/roles/{a}"), json!({"parents": [c]})).await;
    assert_eq!((round.status, round.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "cycle"));
    assert_eq!(strings(&round.json()["cycle"]), ["a", "c", "b", "a"]);
    let itself = boss.patch(&format!("/admin/roles/{a}"), json!({"parents": [a]})).await;
    assert_eq!(strings(&itself.json()["cycle"]), ["a", "a"]);
    assert_eq!(boss.get(&format!("/admin/roles/{a}")).await.ok()["parents"], json!([]), "nothing is left behind");

    let mut last = c;
    for level in 4..=8 {
        last = heir(&boss, &format!("level {level}"), &[], &[&last]).await;
    }
    let deeper = boss.post("/admin/roles", json!({"name": "level 9", "parents": [last]})).await;
    assert_eq!(deeper.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(deeper.json()["errors"][0]["code"], "too_deep");
    // Nor by raising the root.
    let root = heir(&boss, "root", &[], &[]).await;
    let raised = boss.patch(&format!("/admin/roles/{a}"), json!({"parents": [root]})).await;
    assert_eq!(raised.json()["errors"][0]["code"], "too_deep");
}

/// C11, CVE-2026-9795, CVE-2026-9099: nobody hands on by inheriting what they do not hold; the platform's role never.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn inheriting_is_granting(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    heir(&boss, "editor", &["roles.*", "users.read", "reports.read", "permissions.assign"], &[]).await;
    let editor = app.person(&boss, "editor@x.example", &["editor"]).await;
    let rich = heir(&boss, "rich", &["audit.read"], &[]).await;
    let mine = heir(&editor, "mine", &["reports.read"], &[]).await;
    let refused = editor.patch(&format!("/admin/roles/{mine}"), json!({"parents": [rich]})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    assert_eq!(strings(&refused.json()["permissions"]), ["audit.read"]);
    // A role that gives more by inheriting is out of reach altogether.
    let heir_of_rich = heir(&boss, "heir of rich", &[], &[&rich]).await;
    let renamed = editor.patch(&format!("/admin/roles/{heir_of_rich}"), json!({"description": "x"})).await;
    assert_eq!(renamed.code(), "beyond_your_rights");
    let roles = json!({"roles": ["editor", "heir of rich"]});
    let given = editor.patch(&format!("/admin/users/{}/roles", editor.id), roles).await;
    assert_eq!(given.code(), "beyond_your_rights");
    let platform = boss.role_id("super-admin").await;
    let all = boss.patch(&format!("/admin/roles/{mine}"), json!({"parents": [platform]})).await;
    assert_eq!(all.json()["errors"][0]["field"], "parents[0]");
}

/// A3: a rule about a role holds for those who have it by inheriting or by a group.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_rule_about_second_factors_reaches_heirs(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let admin = boss.role_id("admin").await;
    heir(&boss, "deputy", &[], &[&admin]).await;
    let deputy = app.person(&boss, "deputy@x.example", &["deputy"]).await;
    sqlx::query("update settings set value = '{\"second_factor_roles\": [\"admin\"]}' where key = 'sessions.sign_in'")
        .execute(&app.owner)
        .await
        .expect("a setting");
    let again = app.sign_in("deputy@x.example").await;
    assert_eq!(again.get("/admin/users").await.code(), "mfa_enrolment_required");
    assert_eq!(deputy.id, again.id);
}

/// C9: a template makes a role in one click; a copy gives the same; two roles are told apart.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn roles_are_made_of_templates_and_copied_and_compared(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let templates = boss.get("/admin/role-templates").await.ok();
    for template in templates.as_array().expect("a list") {
        for key in ["name_ar", "name_en", "description_ar", "description_en"] {
            assert!(!template[key].as_str().expect("a text").is_empty(), "{template}");
        }
        let role = boss.post("/admin/role-templates", json!({"template": template["id"]})).await.ok();
        assert_eq!(role["name"], template["name_ar"]);
        let mut expected = strings(&template["permissions"]);
        expected.sort();
        assert_eq!(strings(&role["permissions"]), expected, "every key of a template is in the catalogue");
    }
    let analyst = boss.post("/admin/role-templates", json!({"template": "analyst", "name": "analyst"})).await.ok();
    assert_eq!(strings(&analyst["permissions"]), ["audit.read", "reports.read", "results.read_all", "users.read"]);
    let unknown = boss.post("/admin/role-templates", json!({"template": "boss"})).await;
    assert_eq!(unknown.json()["errors"][0]["field"], "template");

    let base = heir(&boss, "base", &["sessions.read"], &[]).await;
    let from = heir(&boss, "from", &["audit.*"], &[&base]).await;
    let copy = boss.post(&format!("/admin/roles/{from}/copies"), json!({"name": "copy"})).await.ok();
    assert_eq!((&copy["permissions"], &copy["parents"][0]["name"]), (&json!(["audit.*"]), &json!("base")));
    let path = format!("/admin/role-comparison?a={from}&b={}", analyst["id"].as_str().expect("an id"));
    let compared = boss.get(&path).await.ok();
    let told = compared["lines"].as_array().expect("lines").iter();
    let told = told.map(|line| (line["key"].as_str().expect("a key"), line["in_a"] == true, line["in_b"] == true));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("audit.export", true, false),
            ("audit.read", true, true),
            ("reports.read", false, true),
            ("results.read_all", false, true),
            ("sessions.read", true, false),
            ("users.read", false, true),
        ]
    );
}

fn own_key(key: &str) -> Value {
    json!({"key": key, "name_ar": "قراءة الصفقات", "name_en": "Read deals", "description_en": "For the CRM"})
}

/// C1: a tenant adds keys of its own, never among the product's; they are granted like any other.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_tenant_adds_keys_of_its_own(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.post("/admin/permissions", own_key("crm.deals.read")).await.ok();
    boss.post("/admin/permissions", own_key("crm.*")).await.ok();
    let again = boss.post("/admin/permissions", own_key("crm.*")).await;
    assert_eq!(again.json()["errors"][0]["code"], "taken");
    for taken in ["*", "users.*", "users.impersonate", "oauth.tokens.read", "ai.train"] {
        let refused = boss.post("/admin/permissions", own_key(taken)).await;
        assert_eq!(refused.json()["errors"][0]["code"], "taken", "{taken}");
    }
    let malformed = boss.post("/admin/permissions", own_key("CRM Deals")).await;
    assert_eq!(malformed.json()["errors"][0]["code"], "malformed");
    boss.make_role("seller", &["crm.*"]).await;
    let sara = app.person(&boss, "sara@x.example", &["seller"]).await;
    assert_eq!(boss.held(&sara.id).await, ["crm.deals.read"]);
    let edited = boss.patch("/admin/permissions/crm.deals.read", json!({"name_en": "See deals"})).await.ok();
    assert_eq!((&edited["name_en"], &edited["name_ar"]), (&json!("See deals"), &json!("قراءة الصفقات")));
    let built_in = boss.patch("/admin/permissions/users.read", json!({"name_en": "x"})).await;
    assert_eq!((built_in.status, built_in.code().as_str()), (StatusCode::FORBIDDEN, "built_in"));
    assert_eq!(boss.delete("/admin/permissions/users.read").await.code(), "built_in");
    assert_eq!(boss.delete("/admin/permissions/nothing.here").await.status, StatusCode::NOT_FOUND);
    let actions = app.actions().await;
    assert_eq!(actions.iter().filter(|action| *action == "admin.permission_create").count(), 2);
    assert!(actions.contains(&"admin.permission_update".to_owned()));
}

/// C14: before a key is removed it is told who loses what; then exactly that happens. A deny cannot be lifted that way.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn removing_a_key_tells_first_who_loses_what(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    for key in ["crm.read", "crm.write", "crm.*"] {
        boss.post("/admin/permissions", own_key(key)).await.ok();
    }
    boss.make_role("seller", &["crm.read", "crm.write"]).await;
    let sara = app.person(&boss, "sara@x.example", &["seller"]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    boss.patch(&format!("/admin/users/{}/permissions", omar.id), json!({"allow": ["crm.*"], "deny": ["crm.write"]}))
        .await
        .ok();
    // Once the deny has gone with its key she was given what Sara was: Sara loses the key, Omar's deny no longer holds, and for
    // her nothing changes.
    let huda = app.person(&boss, "huda@x.example", &["seller"]).await;
    boss.patch(&format!("/admin/users/{}/permissions", huda.id), json!({"deny": ["crm.write"]})).await.ok();
    let removal = boss.get("/admin/permissions/crm.write/removal").await.ok();
    assert_eq!(removal["roles"][0]["name"], "seller");
    assert_eq!((&removal["overrides"], &removal["effect"]["people_losing"]), (&json!(2), &json!(1)));
    assert_eq!(removal["effect"]["names"], json!(["omar@x.example", "sara@x.example"]));
    assert_eq!(boss.held(&sara.id).await, ["crm.read", "crm.write"], "looking changes nothing");

    // Who does not hold the key cannot set free what a deny on it holds down.
    boss.make_role("keeper", &["permissions.*", "users.read"]).await;
    let keeper = app.person(&boss, "keeper@x.example", &["keeper"]).await;
    let refused = keeper.delete("/admin/permissions/crm.write").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));

    boss.delete("/admin/permissions/crm.write").await.ok();
    assert_eq!(boss.held(&sara.id).await, ["crm.read"]);
    assert_eq!(boss.held(&omar.id).await, ["crm.read"]);
    assert_eq!(boss.held(&huda.id).await, ["crm.read"]);
    let catalogue = boss.get("/admin/permissions").await.ok();
    assert!(catalogue.as_array().expect("a list").iter().all(|info| info["key"] != "crm.write"));
    assert!(app.actions().await.contains(&"admin.permission_delete".to_owned()));
}

/// users-ask 18: what is exported is read in elsewhere as it was; nothing is saved before it has been looked at.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_catalogue_is_carried_in_a_file(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.post("/admin/permissions", own_key("crm.read")).await.ok();
    let base = heir(&boss, "base", &["crm.read"], &[]).await;
    let top = heir(&boss, "top", &["audit.read"], &[&base]).await;
    let file = boss.get("/admin/catalogue").await.ok();
    let same = boss.post("/admin/catalogue/preview", file.clone()).await.ok();
    assert_eq!((&same["roles"], &same["permissions_added"]), (&json!([]), &json!([])), "nothing to do");

    boss.delete(&format!("/admin/roles/{top}")).await.ok();
    boss.delete("/admin/permissions/crm.read").await.ok();
    let preview = boss.post("/admin/catalogue/preview", file.clone()).await.ok();
    assert_eq!(preview["permissions_added"], json!(["crm.read"]));
    let names = preview["roles"].as_array().expect("roles").iter().map(|role| role["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names, ["base", "top"]);
    assert_eq!(preview["refused"], Value::Null);
    let roles = boss.all("/admin/roles").await.len();
    let rows = app.count("select count(*) from audit_logs").await;
    assert!(!app.actions().await.contains(&"admin.catalogue_import".to_owned()));
    let report = boss.post("/admin/catalogue", file.clone()).await.ok();
    assert_eq!(report["roles"], preview["roles"]);
    assert_eq!(boss.all("/admin/roles").await.len(), roles + 1);
    // One row for the key, one for each role, one for the whole; all carry the same id.
    assert_eq!(app.count("select count(*) from audit_logs").await, rows + 4);
    assert_eq!(app.count("select count(distinct meta->>'import') from audit_logs where meta ? 'import'").await, 1);
    assert_eq!(boss.get("/admin/catalogue").await.ok(), file);
}

/// C11: a file hands on no more than whoever reads it in holds, and is read in whole or not at all.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_file_is_no_way_around_the_ceiling(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("editor", &["roles.*", "permissions.*", "users.read"]).await;
    let editor = app.person(&boss, "editor@x.example", &["editor"]).await;
    let file = json!({"format": 1, "roles": [
        {"name": "fine", "permissions": ["users.read"]},
        {"name": "rich", "permissions": ["audit.read"]},
    ]});
    let preview = editor.post("/admin/catalogue/preview", file.clone()).await.ok();
    assert_eq!(preview["refused"], json!({"code": "beyond_your_rights", "permissions": ["audit.read"]}));
    let refused = editor.post("/admin/catalogue", file).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    let roles = boss.all("/admin/roles").await;
    assert!(roles.iter().all(|role| role["name"] != "fine"), "nothing is left behind");
    let bad = json!({"format": 1, "roles": [{"name": "x", "permissions": ["no.such"], "parents": ["nobody"]}]});
    let told = boss.post("/admin/catalogue", bad).await.json();
    let fields = told["errors"].as_array().expect("errors").iter().map(|error| error["field"].clone());
    assert_eq!(fields.collect::<Vec<_>>(), ["roles[0].permissions[0]", "roles[0].parents[0]"]);
    let round = json!({"format": 1, "roles": [{"name": "a", "parents": ["b"]}, {"name": "b", "parents": ["a"]}]});
    assert_eq!(boss.post("/admin/catalogue", round).await.code(), "cycle");
}
