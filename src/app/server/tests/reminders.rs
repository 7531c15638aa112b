//! People are reminded before something that they were given ends: once a threshold, and of nothing that is so no more.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink, Taken};
use crate::{
    access::server::Cx,
    app::server::test_app::{Client, PUBLIC, TestApp, options_of},
    roles::server::reminders,
};

const SARA: &str = "sara@x.example";
const DAY: Duration = Duration::from_secs(86_400);

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

    /// Days pass, and the nodes' task does what it does each hour.
    async fn pass(&mut self, days: u32) -> u64 {
        self.app.advance(days * DAY).await;
        self.admin = self.app.sign_in("hind@nakheel.example").await;
        remind(&self.app).await
    }

    async fn letters(&self) -> Vec<Taken> {
        self.sink.deliver(&self.app).await
    }

    async fn give(&self, role: &str, until: Option<&str>) {
        let role = self.admin.role_id(role).await;
        let roles = json!({"roles": [{"role": role, "expires_at": until}]});
        self.admin.patch(&format!("/admin/users/{}/roles", self.sara.id), roles).await.ok();
    }

    async fn allow(&self, overrides: Value) {
        self.admin.patch(&format!("/admin/users/{}/permissions", self.sara.id), overrides).await.ok();
    }
}

async fn remind(app: &TestApp) -> u64 {
    reminders::once(&Cx::for_job(app.heart.clone(), reminders::KIND)).await.expect("it works")
}

/// C13: seven days and one day before the end, once each, in the person's own language, with the way to ask for more; and
/// the log tells of it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_are_told_twice_before_a_role_ends(pool: PgPool) {
    let mut world = World::start(&pool).await;
    world.give("support", Some("2026-12-10T08:00:00Z")).await;
    assert_eq!(world.pass(0).await, 0);
    assert_eq!(world.pass(10).await, 0, "eight days are left");
    assert_eq!(world.pass(1).await, 1);
    let letter = world.letters().await.remove(0);
    assert_eq!(letter.to, [SARA]);
    assert_eq!(letter.link(), format!("{PUBLIC}/console/approvals/new"));
    assert!(letter.plain().contains("support") && letter.plain().contains("اطلب التمديد"), "{}", letter.plain());
    assert_eq!(world.pass(1).await, 0, "once");
    world.admin.patch(&format!("/admin/users/{}", world.sara.id), json!({"locale": "en"})).await.ok();
    assert_eq!(world.pass(5).await, 1, "the last day");
    let letter = world.letters().await.remove(0);
    assert!(letter.plain().contains("Your role"), "{}", letter.plain());
    world.app.advance(Duration::from_secs(7_200)).await;
    assert_eq!(remind(&world.app).await, 0, "once");
    assert_eq!(world.pass(2).await, 0, "it has ended");
    let told = world.app.actions().await.into_iter().filter(|one| one == "system.grant_reminder").count();
    assert_eq!(told, 2);
    let row = world.admin.get("/admin/audit?action=system.grant_reminder").await.ok()["items"][0].clone();
    assert_eq!((&row["resource_id"], &row["meta"]["count"]), (&json!(world.sara.id), &json!(1)));
}

/// C13: everything that ends is in one letter; a permission alone is filled in where one asks for it again. What is denied,
/// and what was given for less than the threshold, is not told of so early.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn one_letter_tells_of_all_that_ends(pool: PgPool) {
    let mut world = World::start(&pool).await;
    let end = "2026-12-10T08:00:00Z";
    let group = world.admin.post("/admin/groups", json!({"name": "الرياض"})).await.ok();
    let group = group["id"].as_str().expect("an id").to_owned();
    let member = json!({"user": world.sara.id, "expires_at": end});
    world.admin.post(&format!("/admin/groups/{group}/members"), member).await.ok();
    world.give("support", Some(end)).await;
    world
        .allow(json!({
            "allow": [{"key": "audit.export", "expires_at": end}], "deny": [{"key": "users.read", "expires_at": end}],
        }))
        .await;
    assert_eq!(world.pass(12).await, 1);
    let letters = world.letters().await;
    assert_eq!(letters.len(), 1);
    let plain = letters[0].plain();
    assert!(plain.contains("الرياض") && plain.contains("support") && plain.contains("تنتهي صلاحيتك"), "{plain}");
    assert_eq!(plain.matches("بالتوقيت العالمي").count(), 3, "{plain}");

    world.give("support", None).await;
    world.admin.delete(&format!("/admin/groups/{group}/members/{}", world.sara.id)).await.ok();
    world.allow(json!({"allow": [{"key": "audit.export", "expires_at": "2026-12-09T08:00:00Z"}]})).await;
    assert_eq!(world.pass(4).await, 1);
    let link = world.letters().await.remove(0).link();
    assert_eq!(link, format!("{PUBLIC}/console/approvals/new?permission=audit.export"));
    world.allow(json!({"allow": [{"key": "tasks.create", "expires_at": "2026-12-12T08:00:00Z"}]})).await;
    assert_eq!(world.pass(0).await, 0);
    assert_eq!(world.pass(1).await, 0, "given for four days");
    assert_eq!(world.pass(2).await, 1, "the last day");
}

/// C13: a role that a group has for a time is told of to everybody who has it by that, also through the groups below; not
/// to those who leave earlier or have it themselves for longer.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_people_of_a_group_are_told_before_its_role_ends(pool: PgPool) {
    let mut world = World::start(&pool).await;
    let make = async |body: Value| {
        let group = world.admin.post("/admin/groups", body).await.ok();
        group["id"].as_str().expect("an id").to_owned()
    };
    let support = world.admin.role_id("support").await;
    let ends = json!([{"role": support, "expires_at": "2026-12-10T08:00:00Z"}]);
    let outer = make(json!({"name": "الطوارئ", "roles": ends})).await;
    let inner = make(json!({"name": "المناوبة", "parents": [outer]})).await;
    let omar = world.app.person(&world.admin, "omar@x.example", &["support"]).await;
    let nora = world.app.person(&world.admin, "nora@x.example", &[]).await;
    let join = async |group: &str, who: &str, until: Option<&str>| {
        let member = json!({"user": who, "expires_at": until});
        world.admin.post(&format!("/admin/groups/{group}/members"), member).await.ok();
    };
    join(&inner, &world.sara.id, None).await;
    join(&outer, &omar.id, None).await;
    join(&outer, &nora.id, Some("2026-11-30T08:00:00Z")).await;
    assert_eq!(world.pass(1).await, 1, "the end of a stay");
    assert_eq!(world.letters().await.remove(0).to, ["nora@x.example"]);
    assert_eq!(world.pass(6).await, 1, "its last day");
    world.letters().await;
    assert_eq!(world.pass(5).await, 1);
    let letter = world.letters().await.remove(0);
    assert_eq!(letter.to, [SARA]);
    assert!(letter.plain().contains("support"), "{}", letter.plain());
    assert_eq!(world.pass(0).await, 0, "once");
    let listed = world.admin.get("/admin/users?ends_within=7").await.ok();
    let listed = listed["items"].as_array().expect("people").clone();
    let told = listed.iter().map(|one| (&one["email"], &one["ends_at"])).collect::<Vec<_>>();
    assert_eq!(told, [(&json!(SARA), &json!("2026-12-10T08:00:00Z"))]);
}

/// C13: a role that another group around somebody gives for longer is not lost, and so not told of; one that they have
/// themselves until the same moment is told of once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_role_that_another_group_keeps_is_not_told_of(pool: PgPool) {
    let mut world = World::start(&pool).await;
    let make = async |body: Value| {
        let group = world.admin.post("/admin/groups", body).await.ok();
        group["id"].as_str().expect("an id").to_owned()
    };
    let join = async |group: &str, who: &str| {
        world.admin.post(&format!("/admin/groups/{group}/members"), json!({"user": who})).await.ok();
    };
    let support = world.admin.role_id("support").await;
    let ends = json!([{"role": support, "expires_at": "2026-12-10T08:00:00Z"}]);
    let short = make(json!({"name": "الطوارئ", "roles": ends})).await;
    let later = json!([{"role": support, "expires_at": "2027-03-10T08:00:00Z"}]);
    let outer = make(json!({"name": "الدعم", "roles": later})).await;
    let inner = make(json!({"name": "المناوبة", "parents": [outer]})).await;
    let omar = world.app.person(&world.admin, "omar@x.example", &[]).await;
    let nora = world.app.person(&world.admin, "nora@x.example", &[]).await;
    world.admin.patch(&format!("/admin/users/{}/roles", omar.id), json!({"roles": ends})).await.ok();
    for who in [&world.sara.id, &omar.id, &nora.id] {
        join(&short, who).await;
    }
    join(&inner, &world.sara.id).await;
    assert_eq!(world.pass(12).await, 2, "not sara");
    let mut letters = world.letters().await;
    letters.sort_by(|a, b| a.to.cmp(&b.to));
    assert_eq!((&letters[0].to, &letters[1].to), (&vec!["nora@x.example".into()], &vec!["omar@x.example".into()]));
    assert_eq!(letters[1].plain().matches("بالتوقيت العالمي").count(), 1, "{}", letters[1].plain());

    // Without the other group it will be lost.
    world.admin.delete(&format!("/admin/groups/{inner}/members/{}", world.sara.id)).await.ok();
    assert_eq!(world.pass(1).await, 1);
    assert_eq!(world.letters().await.remove(0).to, [SARA]);
}

/// C13: what was extended is told of before its new end; what was taken away, and what belongs to somebody who may not sign
/// in, is not told of.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_is_told_of_what_is_so_no_more(pool: PgPool) {
    let mut world = World::start(&pool).await;
    world.give("support", Some("2026-12-10T08:00:00Z")).await;
    assert_eq!(world.pass(10).await, 0);
    world.give("support", Some("2026-12-20T08:00:00Z")).await;
    assert_eq!(world.pass(5).await, 0, "extended");
    assert_eq!(world.pass(7).await, 1, "its new end");
    world.give("support", Some("2027-01-20T08:00:00Z")).await;
    assert_eq!(world.pass(6).await, 0, "extended after it was told of");
    world.give("support", Some("2026-12-24T08:00:00Z")).await;
    world.give("readonly", None).await;
    assert_eq!(world.pass(1).await, 0, "revoked");
    world.give("support", Some("2027-01-20T08:00:00Z")).await;
    let path = format!("/admin/users/{}/status", world.sara.id);
    world.admin.patch(&path, json!({"status": "suspended"})).await.ok();
    assert_eq!(world.pass(25).await, 0, "suspended");
    world.admin.patch(&path, json!({"status": "active"})).await.ok();
    assert_eq!(world.pass(1).await, 1, "active again");
}

/// C13, I2: of two nodes at the same work one writes, and a node that died in the middle is followed by another that
/// finds what is left.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_two_nodes_one_writes(pool: PgPool) {
    let world = World::start(&pool).await;
    let other = world.app.second_node().await;
    world.give("support", Some("2026-11-30T08:00:00Z")).await;
    for node in [&world.app, &other] {
        node.advance(2 * DAY).await;
    }
    let (one, two) = tokio::join!(remind(&world.app), remind(&other));
    assert_eq!(one + two, 1);
    // The job is due again, as after a node that died before it could say that it was done.
    sqlx::query("update jobs set run_at = '2026-11-01', locked_until = null where kind = 'reminders'")
        .execute(&world.app.owner)
        .await
        .expect("the job");
    assert_eq!(remind(&other).await, 0);
    assert_eq!(world.app.count("select count(*) from jobs where kind = 'mail'").await, 1);
    assert_eq!(world.app.count("select count(*) from grant_reminders").await, 1);
}

/// C13, D4: how early is a setting, and none at all is one too.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn reminders_are_a_setting(pool: PgPool) {
    let mut world = World::start(&pool).await;
    let settings = "/admin/settings";
    let read = world.admin.get(settings).await.ok();
    assert_eq!(read["reminders"], json!({"first_days": 7, "last_days": 1}));
    for (wrong, code) in [
        (json!({"first_days": 91}), "range"),
        (json!({"first_days": -1}), "range"),
        (json!({"first_days": 3, "last_days": 3}), "contradiction"),
    ] {
        let refused = world.admin.patch(settings, json!({"reminders": wrong})).await;
        let told = &refused.json()["errors"][0];
        assert_eq!((&told["field"], &told["code"]), (&json!("reminders.first_days"), &json!(code)));
    }
    let other = world.sara.patch(settings, json!({"reminders": {"first_days": 0}})).await;
    assert_eq!(other.status, StatusCode::FORBIDDEN);
    world.admin.patch(settings, json!({"reminders": {"first_days": 0, "last_days": 0}})).await.ok();
    world.give("support", Some("2027-01-10T08:00:00Z")).await;
    assert_eq!(world.pass(48).await, 0, "turned off");
    world.admin.patch(settings, json!({"reminders": {"first_days": 30, "last_days": 0}})).await.ok();
    world.app.advance(Duration::from_secs(7_200)).await;
    assert_eq!(remind(&world.app).await, 1);
}
