//! People have their own account deleted: asked for, waited for, called off, carried out.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink, Taken};
use crate::{
    access::server::Cx,
    accounts::server::leaving,
    app::server::test_app::{Answer, Client, PASSWORD, PUBLIC, TestApp, options_of},
};

const SARA: &str = "sara@x.example";
const DAY: Duration = Duration::from_secs(86_400);
const WAITING: &str = "select count(*) from account_deletions where ended_at is null";

struct World {
    app: TestApp,
    admin: Client,
    sara: Client,
    sink: Sink,
}

impl World {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        let sara = app.person(&admin, SARA, &["readonly"]).await;
        World { app, admin, sara, sink: Sink::start(Manner::Good).await }
    }

    async fn letters(&self) -> Vec<Taken> {
        self.sink.deliver(&self.app).await
    }

    /// What the nodes' task does each minute.
    async fn carry_out(&self) -> u64 {
        carry_out(&self.app).await
    }

    async fn count(&self, action: &str) -> usize {
        self.app.actions().await.iter().filter(|one| *one == action).count()
    }

    async fn status(&self) -> String {
        sqlx::query_scalar("select status from users where email = $1 order by created_at desc limit 1")
            .bind(SARA)
            .fetch_one(&self.app.owner)
            .await
            .expect("a person")
    }
}

async fn carry_out(app: &TestApp) -> u64 {
    leaving::carry_out(&Cx::for_job(app.heart.clone(), "housekeeping")).await.expect("it works")
}

async fn ask(who: &Client, email: &str) -> Answer {
    who.post("/auth/deletion", json!({"email": email})).await
}

/// A13: asked for with the address typed and a fresh proof, told by mail, and done after the wait as an administrator does
/// it: the address is free again, and what the person did stays in the log.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_account_is_deleted_once_the_wait_is_over(pool: PgPool) {
    let world = World::start(&pool).await;
    assert_eq!(world.sara.get("/auth/deletion").await.ok(), json!({"pending": null, "wait_days": 14}));
    assert_eq!(ask(&world.sara, "other@x.example").await.json()["errors"][0]["code"], "different");
    let asked = ask(&world.sara, " Sara@X.example ").await;
    assert_eq!((asked.status, &asked.json()["due_at"]), (StatusCode::ACCEPTED, &json!("2026-12-06T08:00:00Z")));
    let seen = world.admin.get(&format!("/admin/users/{}", world.sara.id)).await.ok();
    assert_eq!(seen["deletion_due_at"], asked.json()["due_at"], "administrators see it coming");
    let letter = world.letters().await.remove(0);
    assert_eq!(letter.to, [SARA]);
    assert_eq!(letter.link(), format!("{PUBLIC}/console/account?tab=data"));
    // Asking again neither tells again nor moves the day.
    world.app.advance(DAY).await;
    let sara = world.app.sign_in(SARA).await;
    assert_eq!(ask(&sara, SARA).await.json()["due_at"], asked.json()["due_at"]);
    assert_eq!((world.letters().await.len(), world.count("auth.deletion_request").await), (0, 1));

    world.app.advance(12 * DAY).await;
    assert_eq!(world.carry_out().await, 0, "it still waits");
    let sara = world.app.sign_in(SARA).await;
    world.app.advance(DAY).await;
    assert_eq!(world.carry_out().await, 1);
    assert_eq!(world.carry_out().await, 0, "once");
    assert_eq!((world.status().await.as_str(), world.app.count(WAITING).await), ("deleted", 0));
    assert_eq!(sara.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let login = json!({"email": SARA, "password": PASSWORD});
    assert_eq!(world.app.anonymous().post("/auth/login", login).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.letters().await.remove(0).to, [SARA]);
    let admin = world.app.sign_in("hind@nakheel.example").await;
    let row = admin.get("/admin/audit?action=admin.user_delete").await.ok()["items"][0].clone();
    assert_eq!((&row["user_id"], &row["resource_id"]), (&json!(world.sara.id), &json!(world.sara.id)));
    assert_eq!(row["meta"]["own_request"], true);
    assert_eq!(
        world
            .app
            .count("select count(*) from user_roles ur join users u on u.id = ur.user_id where u.status = 'deleted'")
            .await,
        0
    );
    world.app.person(&admin, SARA, &[]).await;
}

/// A13: until then it can be called off, by the program and by the form that works without scripts.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_changes_their_mind_stays(pool: PgPool) {
    let world = World::start(&pool).await;
    assert_eq!(world.sara.delete("/auth/deletion").await.status, StatusCode::NOT_FOUND);
    ask(&world.sara, SARA).await.ok();
    world.sara.delete("/auth/deletion").await.ok();
    assert_eq!(world.sara.get("/auth/deletion").await.ok()["pending"], Value::Null);
    assert_eq!(world.letters().await.len(), 2);
    ask(&world.sara, SARA).await.ok();
    let cookies = world.app.anonymous().form("/login", &[("email", SARA), ("password", PASSWORD)]).await.cookies();
    let browser = world.app.anonymous().with("cookie", &cookies);
    let page = browser.get("/console/account").await;
    assert!(page.text.contains("value=\"keep_account\""), "the band is on every part of the page");
    for _ in 0..2 {
        let kept = browser.form("/console/account?tab=data", &[("act", "keep_account")]).await;
        assert_eq!(kept.headers["location"], "/console/account?tab=data&kept=1");
    }
    assert!(!browser.get("/console/account").await.text.contains("value=\"keep_account\""));
    world.app.advance(15 * DAY).await;
    assert_eq!((world.carry_out().await, world.status().await.as_str()), (0, "active"));
    assert_eq!(world.count("auth.deletion_cancel").await, 2);
}

/// A10: it wants a proof of the last five minutes; calling it off does not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn asking_for_it_wants_a_fresh_proof(pool: PgPool) {
    let world = World::start(&pool).await;
    world.app.advance(Duration::from_secs(301)).await;
    assert_eq!(ask(&world.sara, SARA).await.code(), "step_up_required");
    world.sara.post("/auth/reauthenticate", json!({"password": PASSWORD})).await.ok();
    ask(&world.sara, SARA).await.ok();
    world.app.advance(Duration::from_secs(301)).await;
    world.sara.delete("/auth/deletion").await.ok();
}

/// A8: whoever keeps asking and calling off is stopped: each time a letter goes out.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_asks_again_and_again(pool: PgPool) {
    let world = World::start(&pool).await;
    for _ in 0..5 {
        ask(&world.sara, SARA).await.ok();
        world.sara.delete("/auth/deletion").await.ok();
    }
    assert_eq!(ask(&world.sara, SARA).await.code(), "too_many");
    world.app.advance(DAY + Duration::from_secs(1)).await;
    ask(&world.app.sign_in(SARA).await, SARA).await.ok();
}

/// C15: the last super-admin cannot leave: not by asking, and not by having asked while there was another.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_last_super_admin_stays(pool: PgPool) {
    let world = World::start(&pool).await;
    assert_eq!(ask(&world.admin, "hind@nakheel.example").await.code(), "last_super_admin");
    assert_eq!(world.app.count(WAITING).await, 0);
    let second = world.app.person(&world.admin, "second@x.example", &["super-admin"]).await;
    ask(&world.admin, "hind@nakheel.example").await.ok();
    world.admin.delete(&format!("/admin/users/{}", second.id)).await.ok();
    world.letters().await;
    world.app.advance(15 * DAY).await;
    assert_eq!((world.carry_out().await, world.app.count(WAITING).await), (0, 0));
    let admin = world.app.sign_in("hind@nakheel.example").await;
    assert_eq!(admin.get("/auth/deletion").await.ok()["pending"], Value::Null);
    assert_eq!(world.letters().await.remove(0).to, ["hind@nakheel.example"]);
    let refused = admin.get("/admin/audit?action=admin.user_delete&outcome=denied").await.ok();
    assert_eq!(refused["items"][0]["meta"]["reason"], "last_super_admin");
}

/// A13: an account that is suspended meanwhile is not deleted by what was asked for in it; a deleted one waits no more.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_others_do_meanwhile_ends_the_wait(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = format!("/admin/users/{}", world.sara.id);
    ask(&world.sara, SARA).await.ok();
    world.admin.patch(&format!("{path}/status"), json!({"status": "suspended"})).await.ok();
    assert_eq!(world.app.count(WAITING).await, 0);
    world.admin.patch(&format!("{path}/status"), json!({"status": "active"})).await.ok();
    ask(&world.app.sign_in(SARA).await, SARA).await.ok();
    world.admin.delete(&path).await.ok();
    assert_eq!(world.app.count(WAITING).await, 0);
    world.app.advance(15 * DAY).await;
    assert_eq!((world.carry_out().await, world.count("admin.user_delete").await), (0, 1));
}

/// A13: an administrator who may change the person calls it off; the person is told, and may ask again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_administrator_calls_it_off(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = format!("/admin/users/{}/deletion", world.sara.id);
    assert_eq!(world.admin.delete(&path).await.status, StatusCode::NOT_FOUND, "there is nothing to call off");
    ask(&world.sara, SARA).await.ok();
    world.letters().await;
    let reader = world.app.person(&world.admin, "omar@x.example", &["readonly"]).await;
    assert_eq!(reader.delete(&path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.app.anonymous().delete(&path).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.app.count(WAITING).await, 1);
    world.admin.delete(&path).await.ok();
    assert_eq!(world.admin.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.sara.get("/auth/deletion").await.ok()["pending"], Value::Null);
    assert_eq!(world.letters().await.remove(0).to, [SARA]);
    let rows = world.admin.get("/admin/audit?action=admin.deletion_cancel").await.ok();
    assert_eq!(rows["items"][0]["meta"]["due_at"], "2026-12-06T08:00:00Z");
    assert_eq!(
        (&rows["items"][0]["user_id"], rows["items"].as_array().map(Vec::len)),
        (&json!(world.admin.id), Some(1))
    );
    ask(&world.sara, SARA).await.ok();
    world.app.advance(14 * DAY).await;
    assert_eq!((world.carry_out().await, world.status().await.as_str()), (1, "deleted"));
}

/// "Jobs": of several nodes one deletes an account, whatever rules of approval there are for its permissions.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn several_nodes_delete_an_account_once(pool: PgPool) {
    let world = World::start(&pool).await;
    // Lifting a deny of something high is what others would have to agree to.
    let deny = json!({"allow": [], "deny": [{"key": "*"}]});
    world.admin.patch(&format!("/admin/users/{}/permissions", world.sara.id), deny).await.ok();
    sqlx::query("delete from settings where key = 'approvals.rules'").execute(&world.app.owner).await.expect("works");
    ask(&world.sara, SARA).await.ok();
    let second = world.app.second_node().await;
    world.app.advance(15 * DAY).await;
    second.heart.refresh().await.expect("the grants");
    let nodes = [world.app.clone(), second.clone(), world.app.clone(), second];
    let tasks = nodes.map(|app| tokio::spawn(async move { carry_out(&app).await }));
    let mut deleted = 0;
    for task in tasks {
        deleted += task.await.expect("no panic");
    }
    assert_eq!((deleted, world.count("admin.user_delete").await), (1, 1));
    assert_eq!(world.status().await, "deleted");
}
