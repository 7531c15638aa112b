//! Granting: who may give what to whom, and what comes of it.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{TestApp, options_of};

fn permissions(id: &str) -> String {
    format!("/admin/users/{id}/permissions")
}

fn reasons<'a>(effective: &'a Value, key: &str) -> &'a Value {
    let found = effective.as_array().expect("a list").iter().find(|one| one["key"] == key);
    &found.unwrap_or_else(|| panic!("no {key}"))["because"]
}

/// C2, source 003 §6: overrides replace the set, deny beats every role, an empty set clears.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_deny_beats_what_every_role_gives(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &["admin"]).await;
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::OK);
    let answer = admin.patch(&permissions(&sara.id), json!({"allow": ["signals.create"], "deny": ["users.*"]})).await;
    assert_eq!(answer.ok(), json!({"ok": true}));
    let refused = sara.get("/admin/users").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["permissions"], json!(["users.read"]));
    assert_eq!(refused.code(), "missing_permission");
    admin.patch(&permissions(&sara.id), json!({})).await.ok();
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::OK);
}

/// C4: every source of a right is told, with its expiry and reason, and what stands against it comes first.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_right_tells_where_it_comes_from(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &["support", "readonly"]).await;
    let set = json!({
        "allow": [{"key": "users.read", "expires_at": "2026-11-30T00:00:00Z", "reason": "إغلاق الربع"}],
        "deny": ["audit.read"],
    });
    admin.patch(&permissions(&sara.id), set).await.ok();
    let effective = admin.get(&format!("/admin/users/{}/effective-permissions", sara.id)).await.ok();
    let read = reasons(&effective, "users.read");
    assert_eq!(read[0]["kind"], "allowed");
    assert_eq!(read[0]["expires_at"], "2026-11-30T00:00:00Z");
    assert_eq!(read[0]["reason"], "إغلاق الربع");
    let roles = read.as_array().expect("a list").iter().filter(|one| one["kind"] == "role").count();
    assert_eq!(roles, 2, "{read}");
    let audit = reasons(&effective, "audit.read");
    assert_eq!(audit[0]["kind"], "denied");
    assert_eq!(audit.as_array().expect("a list").len(), 3, "the deny and both roles it beats: {audit}");
    assert_eq!(reasons(&effective, "users.delete")[0]["kind"], "nothing_grants");
}

/// C13: an override ends on the moment, without anything having to run.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_expired_override_does_not_exist(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let set = json!({"allow": [{"key": "users.read", "expires_at": "2026-11-22T08:10:00Z"}]});
    admin.patch(&permissions(&sara.id), set).await.ok();
    app.advance(Duration::from_secs(599)).await;
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::OK);
    app.advance(Duration::from_secs(1)).await;
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::FORBIDDEN);
    let past = json!({"allow": [{"key": "users.read", "expires_at": "2026-11-22T08:10:00Z"}]});
    let refused = admin.patch(&permissions(&sara.id), past).await;
    assert_eq!(refused.json()["errors"][0]["field"], "allow[0].expires_at");
}

/// Decision "PATCH …/permissions": a key in both lists, an unknown key, a wrong type: 422 that names the item.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_override_set_that_does_not_fit_is_refused_whole(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    for (set, field) in [
        (json!({"allow": ["users.read"], "deny": ["users.read"]}), "deny[0].key"),
        (json!({"allow": ["users.read", "users.fly"]}), "allow[1].key"),
        (json!({"allow": ["users read"]}), "allow[0].key"),
        (json!({"allow": [1]}), "allow[0]"),
        (json!({"allow": "users.read"}), "allow"),
        (json!({"grant": []}), "grant"),
    ] {
        let refused = admin.patch(&permissions(&sara.id), set.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{set}");
        assert_eq!(refused.json()["errors"][0]["field"], field, "{set}");
    }
    assert_eq!(app.count("select count(*) from user_permissions").await, 0);
}

/// C11, CVE-2026-9795: nobody grants what they do not hold, by whatever way.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_grants_what_they_do_not_hold(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let admin = app.person(&boss, "admin@x.example", &["admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let (super_admin, cto) = (boss.role_id("super-admin").await, boss.role_id("cto").await);
    let own = admin.make_role("عادي", &["users.read"]).await;
    let roles = |id: &str| format!("/admin/users/{id}/roles");
    let attempts = [
        admin.patch(&permissions(&sara.id), json!({"allow": ["users.delete"]})).await,
        admin.patch(&permissions(&sara.id), json!({"allow": ["users.*"]})).await,
        admin.patch(&permissions(&sara.id), json!({"allow": ["*"]})).await,
        admin.patch(&permissions(&admin.id), json!({"allow": ["users.delete"]})).await,
        admin.post(&roles(&sara.id), json!({"roles": [super_admin]})).await,
        admin.post(&roles(&admin.id), json!({"roles": ["super-admin"]})).await,
        admin.patch(&roles(&sara.id), json!({"roles": [cto]})).await,
        admin.post("/admin/roles", json!({"name": "قوي", "permissions": ["users.delete"]})).await,
        admin.patch(&format!("/admin/roles/{own}"), json!({"permissions": ["users.read", "*"]})).await,
        admin.patch(&format!("/admin/roles/{cto}"), json!({"permissions": []})).await,
        admin.post("/admin/users", json!({"email": "n@x.example", "name": "n", "roles": [cto]})).await,
    ];
    for (at, refused) in attempts.iter().enumerate() {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{at}: {}", refused.text);
        assert_eq!(refused.code(), "beyond_your_rights", "{at}");
        assert_ne!(refused.json()["permissions"], json!([]), "{at}: says which");
    }
    admin.patch(&permissions(&sara.id), json!({"allow": ["users.update"]})).await.ok();
    assert_eq!(boss.held(&sara.id).await, ["users.update"]);
}

/// C11: lifting a deny gives a right, so it needs that right; so does letting one end sooner.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn lifting_a_deny_needs_what_it_sets_free(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["admin"]).await;
    boss.patch(&permissions(&sara.id), json!({"deny": ["audit.read"]})).await.ok();
    for set in [
        json!({}),
        json!({"deny": ["audit.export"]}),
        json!({"deny": [{"key": "audit.read", "expires_at": "2026-11-22T09:00:00Z"}]}),
    ] {
        let refused = sara.patch(&permissions(&sara.id), set.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{set}");
    }
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
}

/// C11, C13: what is held until a moment is handed on until that moment at most, not even to oneself for good.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_hands_on_for_longer_than_they_hold(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let lead = app.person(&boss, "lead@x.example", &["admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let until = |end: &str| json!({"allow": [{"key": "users.delete", "expires_at": end}]});
    boss.patch(&permissions(&lead.id), until("2026-11-30T00:00:00Z")).await.ok();
    for (id, set) in [
        (&lead.id, json!({"allow": ["users.delete"]})),
        (&sara.id, json!({"allow": ["users.delete"]})),
        (&sara.id, until("2026-11-30T00:00:00.000001Z")),
    ] {
        assert_eq!(lead.patch(&permissions(id), set.clone()).await.code(), "beyond_your_rights", "{set}");
    }
    lead.patch(&permissions(&sara.id), until("2026-11-30T00:00:00Z")).await.ok();
}

/// "Ceiling": who invited somebody does not come into what others give them later; their own grants leave the link good.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_grant_by_another_voids_the_inviters_link(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let lead = app.person(&boss, "lead@x.example", &["admin"]).await;
    let added = lead.post("/admin/users", json!({"email": "new@x.example", "name": "n"})).await.ok();
    let page = added["link"].as_str().expect("a link").strip_prefix("http://localhost:3000").expect("ours").to_owned();
    let set = permissions(added["id"].as_str().expect("an id"));
    lead.patch(&set, json!({"allow": ["users.read"]})).await.ok();
    assert_eq!(app.anonymous().get(&page).await.status, StatusCode::OK);
    boss.patch(&set, json!({"allow": ["users.read", "users.delete"]})).await.ok();
    assert_eq!(app.anonymous().get(&page).await.status, StatusCode::GONE);
}

/// "Ceiling": an account with more rights than the actor's is out of reach: address, state, link, rights, removal.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_account_with_more_rights_is_out_of_reach(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let role =
        boss.make_role("إدارة الأشخاص", &["users.*", "permissions.assign", "permissions.read", "roles.read"]).await;
    let limited = app.person(&boss, "limited@x.example", &[]).await;
    boss.post(&format!("/admin/users/{}/roles", limited.id), json!({"roles": [role]})).await.ok();
    let target = format!("/admin/users/{}", boss.id);
    let attempts = [
        limited.patch(&target, json!({"email": "mine@x.example"})).await,
        limited.patch(&format!("{target}/status"), json!({"status": "suspended"})).await,
        limited.delete(&target).await,
        limited.post(&format!("{target}/link"), json!({})).await,
        limited.patch(&format!("{target}/permissions"), json!({"deny": ["audit.read"]})).await,
        limited.patch(&format!("{target}/roles"), json!({"roles": []})).await,
    ];
    for (at, refused) in attempts.iter().enumerate() {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{at}: {}", refused.text);
        assert_eq!(refused.code(), "outranked", "{at}");
    }
    assert_eq!(boss.get("/auth/me").await.ok()["email"], "hind@nakheel.example");
}

/// C15: the last super-admin cannot be removed, suspended, demoted or given an end, not even by themselves.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_last_super_admin_stays(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let me = format!("/admin/users/{}", boss.id);
    let attempts = [
        boss.patch(&format!("{me}/roles"), json!({"roles": ["admin"]})).await,
        boss.patch(&format!("{me}/status"), json!({"status": "suspended"})).await,
        boss.delete(&me).await,
    ];
    for (at, refused) in attempts.iter().enumerate() {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{at}: {}", refused.text);
        assert_eq!(refused.code(), "last_super_admin", "{at}");
    }
    let second = app.person(&boss, "second@x.example", &["super-admin"]).await;
    second.delete(&me).await.ok();
    assert_eq!(boss.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(second.delete(&format!("/admin/users/{}", second.id)).await.code(), "last_super_admin");
}

/// Decision "super-admin": denies bind them too, except for what administration needs.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_super_admin_cannot_lock_themselves_out_of_administration(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.patch(&permissions(&boss.id), json!({"deny": ["*"]})).await.ok();
    assert_eq!(boss.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
    assert_eq!(boss.get("/admin/users").await.status, StatusCode::OK);
    let effective = boss.get(&format!("/admin/users/{}/effective-permissions", boss.id)).await.ok();
    assert_eq!(reasons(&effective, "users.read")[0]["kind"], "protected");
    // Lifting the deny gives back what was denied; a super-admin's own role covers it.
    let second = app.count("select count(*) from user_permissions").await;
    assert_eq!(second, 1);
}

/// C1: roles are made, edited and removed, and every holder feels it at once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_edit_reaches_every_holder_at_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let role = boss.make_role("المالية", &["users.read", "audit.read"]).await;
    let sara = app.person(&boss, "sara@x.example", &["المالية"]).await;
    assert_eq!(boss.held(&sara.id).await, ["audit.read", "users.read"]);
    let path = format!("/admin/roles/{role}");
    boss.patch(&path, json!({"permissions": ["roles.*"], "description": "كل الأدوار"})).await.ok();
    assert_eq!(sara.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
    assert_eq!(sara.get("/admin/roles").await.status, StatusCode::OK);
    boss.delete(&path).await.ok();
    assert_eq!(sara.get("/admin/roles").await.status, StatusCode::FORBIDDEN);
    assert_eq!(boss.get(&path).await.status, StatusCode::NOT_FOUND);
}

/// CVE-2025-5999: no role can be dressed as the platform's, and built-in ones keep their name and stay.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn built_in_roles_keep_their_name_and_stay(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    for name in ["super-admin", " Super-Admin ", "SUPER-ADMIN", "ｓuper-admin", "admin", "Admin"] {
        let refused = boss.post("/admin/roles", json!({"name": name})).await;
        assert_eq!(refused.json()["errors"][0]["code"], "taken", "{name}: {}", refused.text);
    }
    for name in ["a\u{202E}b", "", "   ", "a\u{0}b", &"x".repeat(121)] {
        let refused = boss.post("/admin/roles", json!({"name": name})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name:?}");
    }
    let (platform, admin) = (boss.role_id("super-admin").await, boss.role_id("admin").await);
    for refused in [
        boss.patch(&format!("/admin/roles/{platform}"), json!({"permissions": []})).await,
        boss.delete(&format!("/admin/roles/{platform}")).await,
        boss.patch(&format!("/admin/roles/{admin}"), json!({"name": "other"})).await,
        boss.delete(&format!("/admin/roles/{admin}")).await,
    ] {
        assert_eq!(refused.code(), "built_in", "{}", refused.text);
    }
}

/// Decision "POST and PATCH on roles": POST adds, PATCH replaces; a role that stays keeps its end.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn post_adds_roles_and_patch_replaces_them(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let roles = async || boss.get(&format!("/admin/users/{}", sara.id)).await.ok()["roles"].clone();
    let path = format!("/admin/users/{}/roles", sara.id);
    sqlx::query("update user_roles set expires_at = '2027-01-01' where user_id = $1::uuid")
        .bind(&sara.id)
        .execute(&app.owner)
        .await
        .expect("works");
    sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("works");
    assert_eq!(boss.post(&path, json!({"roles": ["readonly"]})).await.ok(), json!({"ok": true}));
    assert_eq!(roles().await, json!(["readonly", "support"]));
    boss.patch(&path, json!({"roles": ["support", "trader"]})).await.ok();
    assert_eq!(roles().await, json!(["support", "trader"]));
    assert_eq!(app.count("select count(*) from user_roles where expires_at is not null").await, 1);
    let unknown = boss.post(&path, json!({"roles": ["nothing"]})).await;
    assert_eq!(unknown.json()["errors"][0]["field"], "roles[0]");
}

/// C11: a right that is held in a department reaches that department: lists and counts are filtered, others do not exist.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_scoped_right_reaches_its_scope_and_nothing_else(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let lead = app.person(&boss, "lead@x.example", &["admin"]).await;
    let mut ids = Vec::new();
    for (email, department) in [("in@x.example", "المالية"), ("out@x.example", "التقنية")] {
        let body = json!({"email": email, "name": email, "department": department});
        ids.push(boss.post("/admin/users", body).await.ok()["id"].as_str().expect("an id").to_owned());
    }
    sqlx::query("update user_roles set scope_department = 'المالية' where user_id = $1::uuid")
        .bind(&lead.id)
        .execute(&app.owner)
        .await
        .expect("works");
    sqlx::query("update grant_versions set version = version + 1").execute(&app.owner).await.expect("works");
    app.heart.refresh().await.expect("the grants");
    let listed = lead.get("/admin/users").await.ok();
    let emails = listed["items"].as_array().expect("a list").iter().map(|row| row["email"].clone()).collect::<Vec<_>>();
    assert_eq!(emails, ["in@x.example"]);
    assert_eq!(lead.get(&format!("/admin/users/{}", ids[0])).await.status, StatusCode::OK);
    assert_eq!(lead.get(&format!("/admin/users/{}", ids[1])).await.status, StatusCode::NOT_FOUND);
    lead.patch(&format!("/admin/users/{}", ids[0]), json!({"region": "الرياض"})).await.ok();
    let outside = lead.patch(&format!("/admin/users/{}", ids[1]), json!({"region": "الرياض"})).await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
    let moved = lead.patch(&format!("/admin/users/{}", ids[0]), json!({"department": "التقنية"})).await;
    assert_eq!(moved.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody is moved out of reach");
    let elsewhere = json!({"email": "n@x.example", "name": "n", "department": "التقنية"});
    assert_eq!(lead.post("/admin/users", elsewhere).await.status, StatusCode::NOT_FOUND);
    // What is held in a part cannot be handed on as a whole.
    let handed = lead.patch(&permissions(&ids[0]), json!({"allow": ["users.read"]})).await;
    assert_eq!(handed.code(), "beyond_your_rights", "{}", handed.text);
}

/// "If-Match": who changes what somebody else has changed meanwhile is told, and nothing is overwritten.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_stale_version_is_a_conflict(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let path = format!("/admin/users/{}", sara.id);
    let seen = boss.get(&path).await.headers["etag"].to_str().expect("ASCII").to_owned();
    boss.patch(&path, json!({"department": "المالية"})).await.ok();
    let stale = boss.with("if-match", &seen);
    assert_eq!(stale.patch(&path, json!({"department": "أخرى"})).await.code(), "stale");
    assert_eq!(stale.patch(&permissions(&sara.id), json!({})).await.code(), "stale");
    assert_eq!(stale.patch(&format!("{path}/roles"), json!({"roles": []})).await.code(), "stale");
    assert_eq!(stale.patch(&format!("{path}/status"), json!({"status": "suspended"})).await.code(), "stale");
    assert_eq!(stale.delete(&path).await.code(), "stale");
    let current = boss.get(&path).await.headers["etag"].to_str().expect("ASCII").to_owned();
    // Which version there is now is told, so that it can be looked at before anything is tried again.
    let told = stale.delete(&path).await;
    assert_eq!(told.headers["etag"], current);
    assert_eq!(format!("\"{}\"", told.json()["current_version"]), current);
    boss.with("if-match", &current).patch(&permissions(&sara.id), json!({"deny": ["users.read"]})).await.ok();
    assert_eq!(boss.with("if-match", &current).delete(&path).await.code(), "stale", "rights count as a change");
    let role = boss.make_role("دور", &[]).await;
    let role = format!("/admin/roles/{role}");
    let seen = boss.get(&role).await.headers["etag"].to_str().expect("ASCII").to_owned();
    boss.patch(&role, json!({"description": "x"})).await.ok();
    assert_eq!(boss.with("if-match", &seen).patch(&role, json!({"description": "y"})).await.code(), "stale");
    assert_eq!(boss.with("if-match", "x").delete(&role).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// C3, E3: why rights are changed is kept with the change, for people, roles and groups alike; what would disturb the
/// text around it is refused.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn why_rights_are_changed_is_kept_with_the_change(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    let role = format!("/admin/roles/{}", admin.make_role("desk", &["users.read"]).await);
    let group = admin.post("/admin/groups", json!({"name": "night"})).await.ok();
    let group = format!("/admin/groups/{}", group["id"].as_str().expect("an id"));
    let roles = format!("/admin/users/{}/roles", sara.id);
    let said = async |action: &str| {
        let log = admin.get(&format!("/admin/audit?action={action}")).await.ok();
        log["items"][0]["meta"]["reason"].clone()
    };
    let edits = [
        ("admin.grant_permission", permissions(&sara.id), json!({"deny": ["audit.read"]})),
        ("admin.assign_roles", roles, json!({"roles": ["readonly"]})),
        ("admin.role_update", role, json!({"permissions": []})),
        ("admin.group_update", group, json!({"description": "x"})),
    ];
    for (action, path, edit) in edits {
        let with = |reason: &str| {
            let mut edit = edit.clone();
            edit["reason"] = json!(reason);
            edit
        };
        for (reason, code) in [("a\u{202e}b", "characters"), ("a\nb", "characters"), (&*"x".repeat(501), "too_long")] {
            let refused = admin.patch(&path, with(reason)).await;
            let error = &refused.json()["errors"][0];
            assert_eq!((&error["field"], &error["code"]), (&json!("reason"), &json!(code)), "{path}: {}", refused.text);
        }
        admin.patch(&path, with("  تغطية إجازة  ")).await.ok();
        assert_eq!(said(action).await, "تغطية إجازة", "{action}");
    }
    admin.patch(&permissions(&sara.id), json!({"deny": [], "reason": " "})).await.ok();
    assert_eq!(said("admin.grant_permission").await, Value::Null, "blank is none");
}
