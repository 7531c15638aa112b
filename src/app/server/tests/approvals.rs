//! Two-step approval: what is high needs a second person, who is never the one who asked.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, TestApp, options_of};

struct World {
    app: TestApp,
    boss: Client,
    /// Another super-admin.
    peer: Client,
    sara: Client,
}

/// Two who can decide, and a rule that makes more than `super-admin` high.
async fn world(pool: &PgPool, rules: Value) -> World {
    let app = TestApp::start(options_of(pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    World { app, boss, peer, sara }
}

fn one() -> Value {
    json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24})
}

impl World {
    /// Asks that sara be allowed to delete people.
    async fn ask(&self, by: &Client) -> String {
        let rights = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
        let body = json!({"user_id": self.sara.id, "rights": rights, "reason": "تغطية إجازة"});
        let asked = by.post("/admin/approvals", body).await.ok();
        asked["id"].as_str().expect("an id").to_owned()
    }

    async fn approve(&self, by: &Client, id: &str) -> crate::app::server::test_app::Answer {
        by.approve(id).await
    }

    async fn holds(&self, key: &str) -> bool {
        self.boss.held(&self.sara.id).await.iter().any(|held| held == key)
    }
}

/// C12: a high grant is refused until somebody else has agreed; then it is done, once, and the log tells of all.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_high_grant_waits_for_a_second_person(pool: PgPool) {
    let world = world(&pool, one()).await;
    let path = format!("/admin/users/{}/permissions", world.sara.id);
    let refused = world.boss.patch(&path, json!({"allow": ["users.delete"]})).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "approval_needed"));
    assert_eq!(refused.json()["permissions"], json!(["users.delete"]));
    world.boss.patch(&path, json!({"allow": ["users.read"]})).await.ok();
    world.boss.patch(&path, json!({"allow": []})).await.ok();

    let id = world.ask(&world.boss).await;
    assert!(!world.holds("users.delete").await);
    let waiting = world.peer.get("/admin/approvals?state=waiting").await.ok();
    assert_eq!(waiting[0]["reason"], "تغطية إجازة");
    assert_eq!((&waiting[0]["may_decide"], &waiting[0]["is_own"]), (&json!(true), &json!(false)));
    let done = world.approve(&world.peer, &id).await.ok();
    assert_eq!(done["state"], "applied");
    assert_eq!(done["decisions"][0]["decider_name"], "peer@x.example");
    assert!(world.holds("users.delete").await);
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale", "once");
    let written = world.app.actions().await;
    for action in ["approval.request", "approval.approve", "approval.apply", "admin.grant_permission"] {
        assert!(written.iter().any(|one| one == action), "{action}");
    }
    // Letters to whoever may decide, and to whoever asked.
    assert_eq!(world.app.count("select count(*) from jobs where payload ->> 'about' = 'approval'").await, 1);
    assert_eq!(world.app.count("select count(*) from jobs where payload ->> 'about' = 'approval_decided'").await, 1);
}

/// C12: super-admin is always high, by whatever way it is given.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn super_admin_is_always_high(pool: PgPool) {
    let world = world(&pool, json!({"permissions": [], "required": 1, "expires_hours": 24})).await;
    let path = format!("/admin/users/{}/roles", world.sara.id);
    assert_eq!(world.boss.patch(&path, json!({"roles": ["super-admin"]})).await.code(), "approval_needed");
    assert_eq!(world.boss.post(&path, json!({"roles": ["super-admin"]})).await.code(), "approval_needed");
    let path = format!("/admin/users/{}/permissions", world.sara.id);
    assert_eq!(world.boss.patch(&path, json!({"allow": ["*"]})).await.code(), "approval_needed");
    let role = world.boss.role_id("super-admin").await;
    let person = json!({"email": "n@x.example", "name": "n", "roles": [role]});
    assert_eq!(world.boss.post("/admin/users", person).await.code(), "approval_needed");
    world.boss.patch(&path, json!({"allow": ["users.delete"]})).await.ok();
}

/// C12: nobody decides on what they asked for; a rejection needs a reason and ends it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_decides_on_their_own_request(pool: PgPool) {
    let world = world(&pool, one()).await;
    let id = world.ask(&world.boss).await;
    assert_eq!(world.approve(&world.boss, &id).await.code(), "own_request");
    let key = json!({"name": "k", "scopes": ["approvals.decide"]});
    let secret = world.peer.post("/admin/api-keys", key).await.ok()["secret"].as_str().expect("a key").to_owned();
    assert_eq!(world.approve(&world.app.with_token(&secret), &id).await.code(), "not_by_api_key");
    assert_eq!(world.approve(&world.sara, &id).await.status, StatusCode::FORBIDDEN);
    let path = format!("/admin/approvals/{id}/reject");
    let refused = world.peer.post(&path, json!({})).await;
    assert_eq!(refused.json()["errors"][0]["field"], "comment");
    let other = world.peer.post(&path, json!({"comment": "لا", "digest": "00"})).await;
    assert_eq!(other.code(), "stale", "bound to what was seen");
    assert_eq!(world.peer.post(&path, json!({"comment": "لا"})).await.ok()["state"], "rejected");
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale");
    assert!(!world.holds("users.delete").await);
    assert_eq!(world.boss.get("/auth/approvals").await.ok()[0]["decisions"][0]["comment"], "لا");
}

/// C11, C12: whoever decides is told how many wait for them: what others may agree to, still undecided by them, and inside
/// their bounds.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn who_decides_is_told_how_many_wait(pool: PgPool) {
    let world = world(&pool, json!({"permissions": ["users.delete"], "required": 2, "expires_hours": 24})).await;
    let decider = world.boss.make_role("decider", &["approvals.decide"]).await;
    let nora = world.app.person(&world.boss, "nora@x.example", &[]).await;
    let scoped = json!({"roles": [{"role": decider, "department": "finance"}]});
    world.boss.patch(&format!("/admin/users/{}/roles", nora.id), scoped).await.ok();
    let waiting = async |who: &Client| who.form("/api/approvals/count", &[]).await;
    assert_eq!(waiting(&world.sara).await.status, StatusCode::FORBIDDEN);
    let id = world.ask(&world.boss).await;
    assert_eq!(waiting(&world.boss).await.ok(), 0, "their own");
    assert_eq!(waiting(&world.peer).await.ok(), 1);
    assert_eq!(waiting(&nora).await.ok(), 0, "elsewhere");
    let path = format!("/admin/users/{}", world.sara.id);
    world.boss.patch(&path, json!({"department": "finance"})).await.ok();
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale", "moved");
    assert_eq!(waiting(&nora).await.ok(), 1);
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "waiting");
    assert_eq!(waiting(&world.peer).await.ok(), 0, "decided");
    let path = format!("/admin/users/{}/permissions", world.sara.id);
    world.boss.patch(&path, json!({"deny": ["audit.read"]})).await.ok();
    assert_eq!(world.approve(&nora, &id).await.code(), "stale");
    assert_eq!(waiting(&world.peer).await.ok(), 1, "asked again");
    world.app.advance(std::time::Duration::from_secs(25 * 3_600)).await;
    let peer = world.app.sign_in("peer@x.example").await;
    assert_eq!(waiting(&peer).await.ok(), 0, "out of time");
}

/// C12: as many different people as the rule says have to agree.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn as_many_agree_as_the_rule_says(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let third = app.person(&boss, "third@x.example", &["super-admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let rules = json!({"permissions": ["users.delete"], "required": 2, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let world = World { app, boss, peer, sara };
    let id = world.ask(&world.boss).await;
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "waiting");
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale", "the same person counts once");
    assert!(!world.holds("users.delete").await);
    assert_eq!(world.approve(&third, &id).await.ok()["state"], "applied");
    assert!(world.holds("users.delete").await);
}

/// C12, faults I8: at the moment of doing, whoever asked must still hold what they hand on.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_no_longer_holds_is_not_done(pool: PgPool) {
    let world = world(&pool, one()).await;
    world.boss.make_role("granter", &["permissions.assign", "permissions.read", "users.read", "users.delete"]).await;
    let granter = world.app.person(&world.boss, "g@x.example", &[]).await;
    // The role is high itself: given while the rule is lifted.
    let rules = json!({"permissions": [], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let roles = format!("/admin/users/{}/roles", granter.id);
    world.boss.patch(&roles, json!({"roles": ["granter"]})).await.ok();
    world.boss.json(Method::PUT, "/admin/approvals/rules", one()).await.ok();
    let id = world.ask(&granter).await;
    world.boss.patch(&roles, json!({"roles": []})).await.ok();
    let failed = world.approve(&world.peer, &id).await.ok();
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("missing_permission")));
    assert!(!world.holds("users.delete").await);
}

/// C12: where what it is about has changed since, nobody agrees to anything: it is decided on again as it is now, and what
/// was done meanwhile is not undone.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_has_changed_is_decided_on_again(pool: PgPool) {
    let world = world(&pool, one()).await;
    let id = world.ask(&world.boss).await;
    let first = world.peer.get("/admin/approvals?state=waiting").await.ok()[0].clone();
    let path = format!("/admin/users/{}/permissions", world.sara.id);
    world.boss.patch(&path, json!({"deny": ["audit.read"]})).await.ok();
    let refused = world.approve(&world.peer, &id).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(refused.json()["changes"][0]["by"], "هند العتيبي", "{}", refused.text);
    assert!(!world.holds("users.delete").await, "nothing was agreed to");

    let now = world.peer.get("/admin/approvals?state=waiting").await.ok()[0].clone();
    assert_ne!(now["digest"], first["digest"], "another request to decide on");
    assert_eq!((&now["may_decide"], &now["decisions"]), (&json!(true), &json!([])));
    assert_eq!(now["proposal"]["asked"], first["proposal"]["before"], "the page tells what has changed since");
    assert_eq!(now["proposal"]["before"]["deny"][0]["key"], "audit.read");
    assert_eq!(now["proposal"]["after"]["deny"][0]["key"], "audit.read", "and it stays");
    let approve = format!("/admin/approvals/{id}/approve");
    for blind in [json!({"digest": first["digest"]}), json!({}), json!({"digest": null})] {
        assert_eq!(world.peer.post(&approve, blind).await.code(), "stale", "bound to what was seen");
    }
    let done = world.peer.post(&approve, json!({"digest": now["digest"]})).await.ok();
    assert_eq!(done["state"], "applied");
    assert!(world.holds("users.delete").await);
    assert!(!world.holds("audit.read").await);
    assert!(world.app.actions().await.iter().any(|action| action == "approval.renew"));
}

/// C12: a yes from before the change counts no more, and whoever said it is asked again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_yes_to_what_was_does_not_count(pool: PgPool) {
    let world = world(&pool, json!({"permissions": ["users.delete"], "required": 2, "expires_hours": 24})).await;
    let third = world.app.person(&world.boss, "third@x.example", &[]).await;
    let body = json!({"permission": "approvals.decide", "reason": "r"});
    let asked = third.post("/auth/access-requests", body).await.ok();
    let access = asked["id"].as_str().expect("an id").to_owned();
    world.approve(&world.boss, &access).await.ok();
    world.approve(&world.peer, &access).await.ok();

    let id = world.ask(&world.boss).await;
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "waiting");
    let path = format!("/admin/users/{}/permissions", world.sara.id);
    world.boss.patch(&path, json!({"deny": ["audit.read"]})).await.ok();
    let letters = "select count(*) from jobs where payload ->> 'about' = 'approval'";
    let before = world.app.count(letters).await;
    assert_eq!(world.approve(&third, &id).await.code(), "stale");
    assert_eq!(world.app.count(letters).await, before + 1, "to the one who had agreed");
    let waiting = world.approve(&third, &id).await.ok();
    assert_eq!(waiting["state"], "waiting", "one of two");
    assert_eq!((&waiting["decisions"][0]["counts"], &waiting["decisions"][1]["counts"]), (&json!(false), &json!(true)));
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.holds("users.delete").await);
}

/// C12: a yes from before the change goes on not counting where all is again as it was.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_old_yes_does_not_come_back(pool: PgPool) {
    let world = world(&pool, json!({"permissions": [], "required": 1, "expires_hours": 24})).await;
    let third = world.app.person(&world.boss, "third@x.example", &[]).await;
    let may = json!({"allow": ["approvals.decide"]});
    world.boss.patch(&format!("/admin/users/{}/permissions", third.id), may).await.ok();
    let rules = json!({"permissions": ["users.delete"], "required": 2, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let id = world.ask(&world.boss).await;
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "waiting");
    let path = format!("/admin/users/{}/permissions", world.sara.id);
    let mut digests = Vec::new();
    for deny in [json!(["audit.read"]), json!([])] {
        world.boss.patch(&path, json!({"deny": deny})).await.ok();
        assert_eq!(world.approve(&third, &id).await.code(), "stale");
        let now = third.get("/admin/approvals?state=waiting").await.ok()[0].clone();
        assert_eq!(now["decisions"][0]["counts"], false);
        digests.push(now["digest"].clone());
    }
    assert_ne!(digests[0], digests[1]);
    assert_eq!(world.approve(&third, &id).await.ok()["state"], "waiting", "one of two");
    assert!(!world.holds("users.delete").await);
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied", "asked again");
}

/// C12: a request that nobody answers is void, and one can be taken back.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn requests_end_by_themselves_or_by_whoever_asked(pool: PgPool) {
    let world = world(&pool, one()).await;
    let id = world.ask(&world.boss).await;
    world.boss.delete(&format!("/auth/approvals/{id}")).await.ok();
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale");
    let id = world.ask(&world.boss).await;
    assert_eq!(world.sara.delete(&format!("/auth/approvals/{id}")).await.status, StatusCode::NOT_FOUND);
    world.app.advance(std::time::Duration::from_secs(25 * 3_600)).await;
    let peer = world.app.sign_in("peer@x.example").await;
    assert_eq!(world.approve(&peer, &id).await.code(), "stale");
    assert_eq!(peer.get("/admin/approvals?state=expired").await.ok().as_array().expect("a list").len(), 1);
}

/// C12: whoever was refused asks for the permission; whoever holds it and may assign it gives it for a while.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_ask_for_access(pool: PgPool) {
    let world = world(&pool, one()).await;
    let body = json!({"permission": "users.read", "reason": "مراجعة", "days": 7});
    let asked = world.sara.post("/auth/access-requests", body).await.ok();
    let id = asked["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.holds("users.read").await);
    let bad = world.sara.post("/auth/access-requests", json!({"permission": "no.such", "reason": ""})).await;
    let fields = bad.json()["errors"].as_array().expect("a list").len();
    assert_eq!(fields, 2, "{}", bad.text);
    world.app.advance(std::time::Duration::from_secs(8 * 86_400)).await;
    let boss = world.app.sign_in("hind@nakheel.example").await;
    assert!(!boss.held(&world.sara.id).await.contains(&"users.read".to_owned()), "it ends by itself");
}

/// faults F18: of two who decide at the same time on two nodes one does it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn one_of_two_nodes_applies(pool: PgPool) {
    let world = world(&pool, one()).await;
    let third = world.app.person(&world.boss, "third@x.example", &[]).await;
    let body = json!({"permission": "approvals.decide", "reason": "r"});
    let id = third.post("/auth/access-requests", body).await.ok()["id"].as_str().expect("an id").to_owned();
    let there = world.peer.on(&world.app.second_node().await);
    let (one, two) = tokio::join!(world.approve(&world.boss, &id), world.approve(&there, &id));
    let applied = [&one, &two].iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(applied, 1, "{} {}", one.text, two.text);
    let times = world.app.count("select count(*) from audit_logs where action = 'approval.apply'").await;
    assert_eq!(times, 1);
}

/// faults F18: of two who find at the same time that it can no longer be done one ends it, and whoever asked is told once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn one_of_two_nodes_tells_of_a_failure(pool: PgPool) {
    let lifted = json!({"permissions": [], "required": 1, "expires_hours": 24});
    let world = world(&pool, lifted).await;
    world.boss.make_role("granter", &["permissions.assign", "users.delete"]).await;
    let granter = world.app.person(&world.boss, "g@x.example", &["granter"]).await;
    world.boss.json(Method::PUT, "/admin/approvals/rules", one()).await.ok();
    let id = world.ask(&granter).await;
    world.boss.patch(&format!("/admin/users/{}/roles", granter.id), json!({"roles": []})).await.ok();
    let there = world.peer.on(&world.app.second_node().await);
    let (one, two) = tokio::join!(world.approve(&world.boss, &id), world.approve(&there, &id));
    let (ended, late) = if one.status == StatusCode::OK { (one, two) } else { (two, one) };
    assert_eq!(ended.ok()["state"], "failed");
    assert_eq!(late.code(), "stale", "{}", late.text);
    assert_eq!(world.app.count("select count(*) from audit_logs where action = 'approval.apply'").await, 1);
    assert_eq!(world.app.count("select count(*) from jobs where payload ->> 'about' = 'approval_decided'").await, 1);
}
