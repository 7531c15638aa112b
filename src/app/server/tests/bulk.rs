//! Acts on many people at once: all of them or nobody, each decided and recorded as if it were for them alone (C10).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, TestApp, options_of};

const STATUS: &str = "/admin/users/bulk/status";
const ROLES: &str = "/admin/users/bulk/roles";

async fn suspend(by: &Client, users: &[&str]) -> Answer {
    by.post(STATUS, json!({"users": users, "status": "suspended"})).await
}

/// What comes of it for each, in order.
fn fates(answer: &Value) -> Vec<String> {
    let people = answer["people"].as_array().expect("people").iter();
    people.map(|line| line["fate"].as_str().expect("a fate").to_owned()).collect()
}

async fn status(by: &Client, id: &str) -> Value {
    by.get(&format!("/admin/users/{id}")).await.ok()["status"].clone()
}

async fn roles(by: &Client, id: &str) -> Value {
    by.get(&format!("/admin/users/{id}")).await.ok()["roles"].clone()
}

async fn rows(app: &TestApp, action: &str) -> usize {
    app.actions().await.iter().filter(|one| *one == action).count()
}

/// C10: many are suspended and activated in one transaction; each of them whom it changes has a row of their own.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn many_are_suspended_together_and_each_is_recorded(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let out = app.person(&boss, "out@x.example", &[]).await;
    let invited = boss.post("/admin/users", json!({"email": "new@x.example", "name": "new"})).await.ok();
    let invited = invited["id"].as_str().expect("an id");
    suspend(&boss, &[&out.id]).await.ok();
    let all = [sara.id.as_str(), out.id.as_str(), omar.id.as_str(), invited];

    let before = rows(&app, "admin.user_status").await;
    let body = json!({"users": all, "status": "suspended", "dry_run": true});
    let foreseen = boss.post(STATUS, body).await.ok();
    assert_eq!(fates(&foreseen), ["changes", "stays", "changes", "changes"]);
    assert_eq!(
        (&foreseen["people"][0]["name"], &foreseen["people"][1]["email"]),
        (&json!("sara@x.example"), &json!("out@x.example"))
    );
    assert_eq!(status(&boss, &sara.id).await, "active", "nothing is written");
    assert_eq!(rows(&app, "admin.user_status").await, before);

    assert_eq!(suspend(&boss, &all).await.ok(), foreseen, "it does what it has told");
    assert_eq!(rows(&app, "admin.user_status").await, before + 3);
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "sessions end at once");
    let log = boss.get(&format!("/admin/audit?about={}&action=admin.user_status", omar.id)).await.ok();
    assert_eq!(
        (&log["items"][0]["old_value"], &log["items"][0]["new_value"]),
        (&json!({"status": "active"}), &json!({"status": "suspended"}))
    );

    let back = boss.post(STATUS, json!({"users": all, "status": "active"})).await.ok();
    assert_eq!(fates(&back), ["changes"; 4]);
    for id in [&sara.id, &omar.id, &out.id] {
        assert_eq!(status(&boss, id).await, "active");
    }
    assert_eq!(status(&boss, invited).await, "invited", "without a password there is nothing to be active with");
}

/// C10: a role is given and taken; whoever has it keeps its bounds, and other roles stay.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn many_are_given_a_role_and_lose_it_together(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let role = boss.make_role("مراجعون", &["roles.read"]).await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let bound = json!({"roles": [{"role": role, "department": "المالية", "expires_at": "2099-01-01T00:00:00Z"}]});
    boss.post(&format!("/admin/users/{}/roles", omar.id), bound).await.ok();
    let has = |answer: &Value| answer.as_array().expect("roles").contains(&json!("مراجعون"));

    let before = rows(&app, "admin.assign_roles").await;
    let both = [&sara.id, &omar.id];
    let answer = boss.post(ROLES, json!({"users": both, "role": role, "act": "give"})).await.ok();
    assert_eq!(fates(&answer), ["changes", "stays"]);
    assert_eq!(rows(&app, "admin.assign_roles").await, before + 1);
    assert!(has(&roles(&boss, &sara.id).await));
    assert!(roles(&boss, &sara.id).await.as_array().expect("roles").contains(&json!("support")));
    assert_eq!(sara.get("/admin/roles").await.status, StatusCode::OK, "it counts from the next request on");
    let holders = boss.get(&format!("/admin/roles/{role}/users?q=omar")).await.ok();
    assert_eq!(holders["items"][0]["scope"]["department"], "المالية", "bounds stay");

    let answer = boss.post(ROLES, json!({"users": both, "role": role, "act": "take"})).await.ok();
    assert_eq!(fates(&answer), ["changes", "changes"]);
    assert!(!has(&roles(&boss, &sara.id).await) && !has(&roles(&boss, &omar.id).await));
    assert_eq!(sara.get("/admin/roles").await.status, StatusCode::FORBIDDEN);
    assert_eq!(rows(&app, "admin.assign_roles").await, before + 3);
}

/// C10, C11: one whom the caller may not act on stops the whole, and is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn one_who_is_refused_refuses_all_and_is_named(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let admin = app.person(&boss, "admin@x.example", &["admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let both = [sara.id.as_str(), boss.id.as_str()];
    let before = app.actions().await.len();

    let refused = suspend(&admin, &both).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "outranked"));
    assert_eq!(refused.json()["people"], json!([boss.id]));
    assert_ne!(refused.json()["permissions"], json!([]));
    let foreseen = admin.post(STATUS, json!({"users": both, "status": "suspended", "dry_run": true})).await.ok();
    assert_eq!(fates(&foreseen), ["changes", "refused"]);
    assert_eq!(foreseen["people"][1]["denial"]["code"], "outranked");
    assert_eq!(status(&boss, &sara.id).await, "active", "nobody is changed");

    // The ceiling: a role that gives what the caller does not hold.
    let strong = boss.make_role("قوي", &["users.delete"]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let body = json!({"users": [sara.id, omar.id], "role": strong, "act": "give"});
    let refused = admin.post(ROLES, body).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    assert_eq!(refused.json()["permissions"], json!(["users.delete"]));
    assert_eq!(refused.json()["people"], json!([sara.id, omar.id]));
    assert_eq!(roles(&boss, &sara.id).await, json!([]));

    // Nobody of that id, and somebody who is gone.
    let gone = app.person(&boss, "gone@x.example", &[]).await;
    boss.delete(&format!("/admin/users/{}", gone.id)).await.ok();
    let nobody = "0190a6e0-0000-7000-8000-000000000000";
    let refused = suspend(&boss, &[&sara.id, nobody, &gone.id]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields =
        refused.json()["errors"].as_array().expect("errors").iter().map(|one| one["field"].clone()).collect::<Vec<_>>();
    assert_eq!(fields, ["users[1]", "users[2]"]);
    assert_eq!(status(&boss, &sara.id).await, "active");
    let acts = app.actions().await.split_off(before);
    assert!(!acts.iter().any(|one| one == "admin.user_status" || one == "admin.assign_roles"), "{acts:?}");
}

/// C13: outside the caller's scope people do not exist, also among many.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_scope_bounds_acts_on_many(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let lead = boss.make_role("قائد", &["users.read", "users.update"]).await;
    let own = app.person(&boss, "lead@x.example", &[]).await;
    let scoped = json!({"roles": [{"role": lead, "department": "المالية"}]});
    boss.post(&format!("/admin/users/{}/roles", own.id), scoped).await.ok();
    let within = app.person(&boss, "within@x.example", &[]).await;
    let near = app.person(&boss, "near@x.example", &[]).await;
    let outside = app.person(&boss, "outside@x.example", &[]).await;
    for person in [&within, &near] {
        boss.patch(&format!("/admin/users/{}", person.id), json!({"department": "المالية"})).await.ok();
    }
    let foreseen = json!({"users": [outside.id, within.id], "status": "suspended", "dry_run": true});
    let foreseen = own.post(STATUS, foreseen).await.ok();
    assert_eq!(fates(&foreseen), ["unknown", "changes"]);
    assert_eq!(foreseen["people"][0]["name"], "", "nothing is told of whoever is outside");
    let refused = suspend(&own, &[&outside.id, &within.id]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["errors"][0]["field"], "users[0]");
    assert_eq!(status(&boss, &within.id).await, "active");
    assert_eq!(suspend(&own, &[&outside.id]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    suspend(&own, &[&near.id, &within.id]).await.ok();
    assert_eq!(status(&boss, &within.id).await, "suspended");
}

/// C11: all super-admins together cannot go, neither by state nor by role.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_last_super_admins_stay_also_together(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let role = boss.role_id("super-admin").await;
    for dry_run in [true, false] {
        let body = json!({"users": [boss.id, peer.id], "status": "suspended", "dry_run": dry_run});
        assert_eq!(boss.post(STATUS, body).await.code(), "last_super_admin");
        let body = json!({"users": [boss.id, peer.id], "role": role, "act": "take", "dry_run": dry_run});
        assert_eq!(boss.post(ROLES, body).await.code(), "last_super_admin");
    }
    assert_eq!(status(&boss, &peer.id).await, "active");
    assert_eq!(roles(&boss, &peer.id).await, json!(["super-admin"]));
    suspend(&boss, &[&peer.id]).await.ok();
}

/// C12: what others have to agree to is refused, or with a reason asked for, for each person on their own.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_high_role_for_many_is_asked_for_each(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let high = boss.make_role("حاذفون", &["users.delete"]).await;
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    boss.post(&format!("/admin/users/{}/roles", omar.id), json!({"roles": [high]})).await.ok();
    let hind = app.person(&boss, "h@x.example", &[]).await;
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let body = |more: Value| {
        let mut body = json!({"users": [sara.id, omar.id, hind.id], "role": high, "act": "give"});
        for (key, value) in more.as_object().expect("fields") {
            body[key] = value.clone();
        }
        body
    };
    let foreseen = boss.post(ROLES, body(json!({"dry_run": true}))).await.ok();
    assert_eq!(fates(&foreseen), ["needs_approval", "stays", "needs_approval"]);
    let refused = boss.post(ROLES, body(json!({}))).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "approval_needed"));
    assert_eq!(refused.json()["people"], json!([sara.id, hind.id]));
    assert_eq!(boss.post(ROLES, body(json!({"reason": " "}))).await.json()["errors"][0]["field"], "reason");

    let asked = boss.post(ROLES, body(json!({"reason": "تغطية إجازة"}))).await.ok();
    assert_eq!(fates(&asked), ["asked", "stays", "asked"]);
    assert_eq!(roles(&boss, &sara.id).await, json!([]), "nothing is given yet");
    let waiting = peer.get("/admin/approvals?state=waiting").await.ok();
    assert_eq!(waiting.as_array().expect("requests").len(), 2);
    let id = waiting[0]["id"].as_str().expect("an id");
    let subject = waiting[0]["subject_id"].as_str().expect("an id").to_owned();
    peer.post(&format!("/admin/approvals/{id}/approve"), json!({})).await.ok();
    assert_eq!(roles(&boss, &subject).await, json!(["حاذفون"]));

    // Taking needs nobody.
    let taken = boss.post(ROLES, json!({"users": [subject, omar.id], "role": high, "act": "take"})).await.ok();
    assert_eq!(fates(&taken), ["changes", "changes"]);
}

/// C10: nobody, too many, somebody twice and what is no act are named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_act_on_many_is_bounded(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let many = (0..201).map(|at| format!("0190a6e0-0000-7000-8000-{at:012}")).collect::<Vec<_>>();
    for (users, field) in [(json!([]), "users"), (json!(many), "users"), (json!([sara.id, sara.id]), "users[1]")] {
        let refused = boss.post(STATUS, json!({"users": users, "status": "suspended"})).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.json()["errors"][0]["field"], field);
    }
    for state in ["invited", "deleted"] {
        let refused = boss.post(STATUS, json!({"users": [sara.id], "status": state})).await;
        assert_eq!(refused.json()["errors"][0]["field"], "status");
    }
    let nowhere = json!({"users": [sara.id], "role": sara.id, "act": "give"});
    assert_eq!(boss.post(ROLES, nowhere).await.json()["errors"][0]["field"], "role");
    assert_eq!(status(&boss, &sara.id).await, "active");
}

/// D6: a key that does not reach a role's rights hands it to nobody, and says for whom it was refused.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_hands_on_to_many_no_more_than_to_one(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let role = boss.make_role("مراجعون", &["audit.read"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let made = boss.post("/admin/api-keys", json!({"name": "k", "scopes": ["permissions.assign"]})).await.ok();
    let key = app.with_token(made["secret"].as_str().expect("a secret"));
    let refused = key.post(ROLES, json!({"users": [sara.id], "role": role, "act": "give"})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "beyond_your_rights"));
    assert_eq!(refused.json()["people"], json!([sara.id]));
}

/// C10: with `skip_refused` it goes on with the others; whoever is refused is told one by one and recorded, under the same
/// id as those whom it changed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn those_who_are_refused_can_be_skipped(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let admin = app.person(&boss, "admin@x.example", &["admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let nobody = "0190a6e0-0000-7000-8000-000000000000";
    let users = [sara.id.as_str(), boss.id.as_str(), omar.id.as_str(), nobody];
    let body = json!({"users": users, "status": "suspended", "skip_refused": true});
    let done = admin.post(STATUS, body).await.ok();
    assert_eq!(fates(&done), ["changes", "refused", "changes", "unknown"]);
    assert_eq!(done["people"][1]["denial"]["code"], "outranked");
    assert_eq!((status(&boss, &sara.id).await, status(&boss, &boss.id).await), (json!("suspended"), json!("active")));
    let log = boss.get("/admin/audit?action=admin.user_status").await.ok();
    let rows = log["items"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "one for each whom it was about: {log}");
    assert!(rows.iter().all(|row| row["request_id"] == rows[0]["request_id"]), "{log}");
    let denied = rows.iter().filter(|row| row["outcome"] == "denied").collect::<Vec<_>>();
    assert_eq!((denied.len(), &denied[0]["resource_id"]), (1, &json!(boss.id)));
    assert_eq!(denied[0]["meta"]["denial"]["code"], "outranked");

    let role = boss.make_role("مراجعون", &["roles.read"]).await;
    let give = json!({"users": [omar.id, nobody], "role": role, "act": "give", "skip_refused": true});
    assert_eq!(fates(&boss.post(ROLES, give).await.ok()), ["changes", "unknown"]);
    assert_eq!(roles(&boss, &omar.id).await, json!(["مراجعون"]));

    // Where nobody is left it is refused as without it, and nothing is recorded as done.
    let before = app.actions().await.len();
    let refused = admin.post(STATUS, json!({"users": [boss.id], "status": "suspended", "skip_refused": true})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "outranked"));
    let refused = admin.post(STATUS, json!({"users": [nobody], "status": "suspended", "skip_refused": true})).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let acts = app.actions().await.split_off(before);
    assert!(!acts.iter().any(|one| one == "admin.user_status"), "{acts:?}");
}
