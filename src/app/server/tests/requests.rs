//! What others are asked to agree to beside the rights of a person: groups, what roles inherit, policies, catalogues.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Answer, Client, TestApp, options_of};

/// Two who can decide, a role that deletes people, a person in a group, and a rule that makes deleting high.
struct World {
    app: TestApp,
    boss: Client,
    peer: Client,
    sara: Client,
    deleter: String,
    team: String,
}

async fn world(pool: &PgPool) -> World {
    let app = TestApp::start(options_of(pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let deleter = boss.make_role("deleter", &["users.delete"]).await;
    let team = boss.post("/admin/groups", json!({"name": "team"})).await.ok();
    let team = team["id"].as_str().expect("an id").to_owned();
    boss.post(&format!("/admin/groups/{team}/members"), json!({"user": sara.id})).await.ok();
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    World { app, boss, peer, sara, deleter, team }
}

#[track_caller]
fn waits(answer: &Answer) {
    let told = (answer.status, answer.code());
    assert_eq!(told, (StatusCode::FORBIDDEN, "approval_needed".to_owned()), "{}", answer.text);
}

impl World {
    async fn ask(&self, path: &str, body: Value) -> String {
        let asked = self.boss.post(path, body).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.text);
        asked.json()["id"].as_str().expect("an id").to_owned()
    }

    async fn approve(&self, by: &Client, id: &str) -> Answer {
        by.approve(id).await
    }

    async fn waiting(&self) -> Value {
        self.peer.get("/admin/approvals?state=waiting").await.ok()[0].clone()
    }

    async fn sara_holds(&self, key: &str) -> bool {
        self.boss.held(&self.sara.id).await.iter().any(|held| held == key)
    }
}

/// C12: what a group gives is asked for with the form that was refused, shown by name, and done once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_roles_of_a_group_are_asked_for(pool: PgPool) {
    let world = world(&pool).await;
    let edit = json!({"name": "the team", "roles": [{"role": world.deleter}]});
    waits(&world.boss.patch(&format!("/admin/groups/{}", world.team), edit.clone()).await);
    let path = format!("/admin/groups/{}/approvals", world.team);
    let id = world.ask(&path, json!({"edit": edit, "reason": "on call"})).await;
    let waiting = world.waiting().await;
    assert_eq!((&waiting["kind"], &waiting["subject_name"]), (&json!("group"), &json!("team")));
    assert_eq!(waiting["permissions"], json!(["users.delete"]));
    assert_eq!(waiting["proposal"]["before"], json!({"name": "team", "parents": [], "roles": []}));
    assert_eq!(waiting["proposal"]["after"], json!({"name": "the team", "parents": [], "roles": ["deleter"]}));
    assert_eq!(world.approve(&world.boss, &id).await.code(), "own_request");
    assert!(!world.sara_holds("users.delete").await);
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await);
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale", "once");
    let group = world.boss.get(&format!("/admin/groups/{}", world.team)).await.ok();
    assert_eq!(group["name"], "the team");
    let tells = "select count(*) from audit_logs where action = 'admin.group_update' and meta ? 'asked_by'";
    assert_eq!(world.app.count(tells).await, 1);
}

/// C12: a group that shall lie in another one is asked for; what others have done to it meanwhile is seen and stays.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_groups_around_a_group_are_asked_for(pool: PgPool) {
    let world = world(&pool).await;
    let rich = json!({"name": "rich", "roles": [{"role": world.deleter}]});
    let rich = world.boss.post("/admin/groups", rich).await.ok()["id"].clone();
    let calm = world.boss.post("/admin/groups", json!({"name": "calm"})).await.ok()["id"].clone();
    let team = format!("/admin/groups/{}", world.team);
    let edit = json!({"parents": [rich]});
    waits(&world.boss.patch(&team, edit.clone()).await);
    let id = world.ask(&format!("{team}/approvals"), json!({"edit": edit, "reason": "r"})).await;
    world.boss.patch(&team, json!({"parents": [calm]})).await.ok();
    let refused = world.approve(&world.peer, &id).await;
    assert_eq!(refused.code(), "stale");
    assert_eq!(refused.json()["changes"][0]["fields"], json!(["parents"]), "{}", refused.text);
    let waiting = world.waiting().await;
    assert_eq!(waiting["proposal"]["asked"]["parents"], json!([]));
    assert_eq!(waiting["proposal"]["before"]["parents"], json!(["calm"]));
    assert_eq!(waiting["proposal"]["after"]["parents"], json!(["calm", "rich"]));
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await);
    let group = world.boss.get(&team).await.ok();
    assert_eq!(group["parents"].as_array().expect("groups").len(), 2);
}

/// C12: nobody comes to a right by being added after it was asked for: whoever decides is shown how many it reaches, and
/// agrees to nobody else.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whom_a_request_reaches_is_agreed_to(pool: PgPool) {
    let world = world(&pool).await;
    let newcomer = world.app.person(&world.boss, "new@x.example", &[]).await;
    let clerk = world.boss.make_role("clerk", &["tasks.create"]).await;
    world.boss.post(&format!("/admin/users/{}/roles", world.sara.id), json!({"roles": ["clerk"]})).await.ok();
    let team = format!("/admin/groups/{}", world.team);
    let edit = json!({"roles": [{"role": world.deleter}]});
    let file = json!({"format": 1, "roles": [{"name": "clerk", "permissions": ["users.delete"]}]});
    let role = json!({"role_id": clerk, "permissions": ["tasks.create", "users.delete"], "reason": "r"});
    let (path, members) = (format!("{team}/approvals"), format!("{team}/members"));
    let (roles, joins) = (format!("/admin/users/{}/roles", newcomer.id), json!({"user": newcomer.id}));
    let becomes = json!({"roles": ["clerk"]});
    for (path, body, coming, comes) in [
        (path.as_str(), json!({"edit": edit, "reason": "r"}), &members, &joins),
        ("/admin/approvals", role, &roles, &becomes),
        ("/admin/approvals", json!({"catalogue": file, "reason": "r"}), &roles, &becomes),
    ] {
        let id = world.ask(path, body).await;
        assert_eq!(world.waiting().await["proposal"]["people"], 1, "{path}");
        world.boss.post(coming, comes.clone()).await.ok();
        assert_eq!(world.approve(&world.peer, &id).await.code(), "stale", "{path}");
        assert!(!world.boss.held(&newcomer.id).await.contains(&"users.delete".to_owned()), "{path}");
        assert_eq!(world.waiting().await["proposal"]["people"], 2, "{path}");
        // Whoever sees it says no, and the newcomer has the role no longer.
        world.peer.post(&format!("/admin/approvals/{id}/reject"), json!({"comment": "لا"})).await.ok();
        world.boss.patch(&roles, json!({"roles": []})).await.ok();
    }
    let id = world.ask(&path, json!({"edit": edit, "reason": "r"})).await;
    assert_eq!(world.waiting().await["proposal"]["people"], 2);
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await);
}

/// C12: what a role inherits is asked for, with the rest of its form.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_a_role_inherits_is_asked_for(pool: PgPool) {
    let world = world(&pool).await;
    let clerk = world.boss.make_role("clerk", &["tasks.create"]).await;
    world.boss.post(&format!("/admin/users/{}/roles", world.sara.id), json!({"roles": ["clerk"]})).await.ok();
    let edit = json!({"description": "at the desk", "parents": [world.deleter]});
    waits(&world.boss.patch(&format!("/admin/roles/{clerk}"), edit).await);
    let seen = world.boss.get(&format!("/admin/roles/{clerk}")).await.ok()["version"].as_i64().expect("a version");
    let ask = |version: i64| {
        let role = json!({"description": "at the desk", "parents": [world.deleter], "version": version});
        json!({"role_id": clerk, "role": role, "reason": "r"})
    };
    let stale = world.boss.post("/admin/approvals", ask(seen - 1)).await;
    assert_eq!(stale.code(), "stale", "of what was seen: {}", stale.text);
    let id = world.ask("/admin/approvals", ask(seen)).await;
    let waiting = world.waiting().await;
    assert_eq!(waiting["proposal"]["after"]["parents"], json!(["deleter"]));
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await);
    let role = world.boss.get(&format!("/admin/roles/{clerk}")).await.ok();
    assert_eq!((&role["description"], &role["permissions"]), (&json!("at the desk"), &json!(["tasks.create"])));
}

/// C12: whoever changes roles asks for that, and for nobody's rights.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_changes_roles_asks_for_roles_alone(pool: PgPool) {
    let world = world(&pool).await;
    let clerk = world.boss.make_role("clerk", &["tasks.create"]).await;
    world.boss.post(&format!("/admin/users/{}/roles", world.sara.id), json!({"roles": ["clerk"]})).await.ok();
    world.boss.make_role("modeller", &["roles.update", "roles.read", "tasks.create", "audit.read"]).await;
    let modeller = world.app.person(&world.boss, "modeller@x.example", &["modeller"]).await;
    let rules = json!({"permissions": ["audit.read"], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let more = json!({"role_id": clerk, "permissions": ["audit.read", "tasks.create"], "reason": "r"});
    let asked = modeller.post("/admin/approvals", more).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.text);
    let rights = json!({"user_id": world.sara.id, "rights": {"roles": [{"role": clerk}]}, "reason": "r"});
    let refused = modeller.post("/admin/approvals", rights).await;
    assert_eq!(refused.json()["permissions"], json!(["permissions.assign"]), "{}", refused.text);
    let id = asked.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("audit.read").await);
}

/// C11, C12: whoever also gives rights, but in one department only, asks for roles and catalogues all the same.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn bounds_on_giving_rights_do_not_bound_roles(pool: PgPool) {
    let world = world(&pool).await;
    let clerk = world.boss.make_role("clerk", &["tasks.create"]).await;
    world.boss.post(&format!("/admin/users/{}/roles", world.sara.id), json!({"roles": ["clerk"]})).await.ok();
    let keys = ["roles.update", "roles.create", "tasks.create", "audit.read"];
    let modeller = world.boss.make_role("modeller", &keys).await;
    let deputy = world.boss.make_role("deputy", &["permissions.assign"]).await;
    let nora = world.app.person(&world.boss, "nora@x.example", &[]).await;
    let roles = json!({"roles": [{"role": modeller}, {"role": deputy, "department": "finance"}]});
    world.boss.patch(&format!("/admin/users/{}/roles", nora.id), roles).await.ok();
    let rules = json!({"permissions": ["audit.read"], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let keys = json!(["audit.read", "tasks.create"]);
    let file = json!({"format": 1, "roles": [{"name": "clerk", "permissions": keys}]});
    for body in
        [json!({"role_id": clerk, "permissions": keys, "reason": "r"}), json!({"catalogue": file, "reason": "r"})]
    {
        let asked = nora.post("/admin/approvals", body).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.text);
    }
    let id = world.waiting().await["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("audit.read").await);
}

/// C6, C12: whoever decides on a module reads it; one whose tests do not hold is refused before anybody is asked.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_module_is_read_by_whoever_decides(pool: PgPool) {
    let world = world(&pool).await;
    let module = "package x\n\nimport rego.v1\n\nallow if true\n";
    let policy = json!({
        "name": "sweepers", "mode": "grant", "actions": ["users.delete"], "language": "rego", "module": module,
    });
    let policy = world.boss.post("/admin/policies", policy).await.ok();
    let path = format!("/admin/policies/{}", policy["id"].as_str().expect("an id"));
    waits(&world.boss.post(&format!("{path}/activate"), json!({})).await);
    let id = world.ask(&format!("{path}/approvals"), json!({"number": 1, "reason": "r"})).await;
    let after = world.waiting().await["proposal"]["after"].clone();
    assert_eq!((&after["language"], &after["module"]), (&json!("rego"), &json!(module)));
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await);

    let tests = "package x_test\n\nimport data.x\n\ntest_never if not x.allow\n";
    world.boss.patch(&path, json!({"tests": tests})).await.ok();
    let refused = world.boss.post(&format!("{path}/approvals"), json!({"number": 2, "reason": "r"})).await;
    assert_eq!(refused.json()["errors"][0]["field"], "tests.test_never", "{}", refused.text);
}

/// C5, C12: enforcing a policy, another version of it, or none is asked for.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_a_policy_enforces_is_asked_for(pool: PgPool) {
    let world = world(&pool).await;
    let all = json!([{"effect": "allow"}]);
    let policy = json!({"name": "sweepers", "mode": "grant", "actions": ["users.delete"], "rules": all});
    let policy = world.boss.post("/admin/policies", policy).await.ok();
    let path = format!("/admin/policies/{}", policy["id"].as_str().expect("an id"));
    waits(&world.boss.post(&format!("{path}/activate"), json!({})).await);
    let id = world.ask(&format!("{path}/approvals"), json!({"number": 1, "reason": "r"})).await;
    let waiting = world.waiting().await;
    assert_eq!((&waiting["kind"], &waiting["proposal"]["before"]), (&json!("policy"), &Value::Null));
    assert_eq!(waiting["proposal"]["after"]["enforced"], 1);
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert_eq!(world.boss.get(&path).await.ok()["active"], 1);
    assert!(world.sara_holds("users.delete").await);

    // A version that is only saved changes nothing of what is enforced; enforcing it is asked for again.
    let nobody = json!([{"effect": "allow", "condition": {"user.level": {"gte": 9}}}]);
    world.boss.patch(&path, json!({"rules": nobody})).await.ok();
    waits(&world.boss.post(&format!("{path}/activate"), json!({"number": 2})).await);
    let second = world.ask(&format!("{path}/approvals"), json!({"number": 2, "reason": "r"})).await;
    let none = world.ask(&format!("{path}/approvals"), json!({"number": null, "reason": "r"})).await;
    assert_eq!(world.approve(&world.peer, &second).await.ok()["state"], "applied");
    assert!(!world.sara_holds("users.delete").await);
    assert_eq!(world.approve(&world.peer, &none).await.code(), "stale", "another version is enforced by now");
    assert_eq!(world.approve(&world.peer, &none).await.ok()["state"], "applied");
    assert_eq!(world.boss.get(&path).await.ok()["active"], Value::Null);
}

/// C12: a catalogue is asked for as a whole and read in as a whole.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_catalogue_is_asked_for(pool: PgPool) {
    let world = world(&pool).await;
    world.boss.make_role("clerk", &["tasks.create"]).await;
    world.boss.post(&format!("/admin/users/{}/roles", world.sara.id), json!({"roles": ["clerk"]})).await.ok();
    let own = json!({"key": "crm.read", "name_ar": "قراءة", "name_en": "Read"});
    let file = json!({"format": 1, "permissions": [own], "roles": [
        {"name": "clerk", "permissions": ["tasks.create", "crm.read"], "parents": ["sweeper"]},
        {"name": "sweeper", "permissions": ["users.delete"]},
    ]});
    waits(&world.boss.post("/admin/catalogue", file.clone()).await);
    let mut long = file.clone();
    let more = (0..80).map(|at| json!({"name": format!("role {at}"), "description": "x".repeat(1_000)}));
    long["roles"].as_array_mut().expect("roles").extend(more);
    let refused = world.boss.post("/admin/approvals", json!({"catalogue": long, "reason": "r"})).await;
    let told = refused.json()["errors"][0].clone();
    assert_eq!((&told["field"], &told["code"]), (&json!("catalogue"), &json!("too_long")), "{}", refused.text);
    let id = world.ask("/admin/approvals", json!({"catalogue": file, "reason": "r"})).await;
    let waiting = world.waiting().await;
    assert_eq!(
        (&waiting["kind"], &waiting["subject_name"]),
        (&json!("catalogue"), &json!("clerk · sweeper · crm.read"))
    );
    assert_eq!(waiting["proposal"]["before"]["permissions:clerk"], json!(["tasks.create"]));
    assert_eq!(waiting["proposal"]["after"]["parents:clerk"], json!(["sweeper"]));
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await && world.sara_holds("crm.read").await);
}

/// C12: a request can be bound to what was seen by the header, too, as the change itself can.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_asked_for_was_seen(pool: PgPool) {
    let world = world(&pool).await;
    let rules = json!([{"effect": "allow"}]);
    let policy = json!({"name": "sweepers", "mode": "grant", "actions": ["users.delete"], "rules": rules});
    let policy = world.boss.post("/admin/policies", policy).await.ok();
    let paths = [
        (format!("/admin/groups/{}", world.team), json!({"edit": {"roles": [{"role": world.deleter}]}, "reason": "r"})),
        (format!("/admin/policies/{}", policy["id"].as_str().expect("an id")), json!({"number": 1, "reason": "r"})),
    ];
    for (path, body) in paths {
        let before = world.boss.get(&path).await.headers["etag"].to_str().expect("ASCII").to_owned();
        world.boss.patch(&path, json!({"description": "others were here"})).await.ok();
        let now = world.boss.get(&path).await.headers["etag"].to_str().expect("ASCII").to_owned();
        let asking = format!("{path}/approvals");
        let refused = world.boss.with("if-match", &before).post(&asking, body.clone()).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::CONFLICT, "stale"), "{path}");
        let asked = world.boss.with("if-match", &now).post(&asking, body).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.text);
    }
}

/// C12, faults I8: whoever asked must still be allowed to when it is done; a change that one can make alone is refused.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_asked_must_still_be_allowed_to(pool: PgPool) {
    let world = world(&pool).await;
    let path = format!("/admin/groups/{}/approvals", world.team);
    let alone = json!({"edit": {"name": "other"}, "reason": "r"});
    assert_eq!(world.boss.post(&path, alone).await.json()["errors"][0]["code"], "contradiction");
    let edit = json!({"edit": {"roles": [{"role": world.deleter}]}, "reason": "r"});
    assert_eq!(world.sara.post(&path, edit.clone()).await.status, StatusCode::FORBIDDEN);
    let round = json!({"edit": {"parents": [world.team], "roles": [{"role": world.deleter}]}, "reason": "r"});
    assert_eq!(world.boss.post(&path, round).await.code(), "cycle", "what could not be done is not asked for");

    let lifted = json!({"permissions": [], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", lifted).await.ok();
    let keys = ["groups.manage", "groups.read", "permissions.assign", "users.delete"];
    world.boss.make_role("keeper", &keys).await;
    let keeper = world.app.person(&world.boss, "keeper@x.example", &["keeper"]).await;
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let asked = keeper.post(&path, edit).await.ok();
    let id = asked["id"].as_str().expect("an id").to_owned();
    world.boss.patch(&format!("/admin/users/{}/roles", keeper.id), json!({"roles": []})).await.ok();
    let failed = world.approve(&world.peer, &id).await.ok();
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("missing_permission")));
    assert!(!world.sara_holds("users.delete").await);
}

/// C11, C12: whoever gives rights in one department only asks for its people, for whom it is done, and for nobody else.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn whoever_assigns_in_one_department_asks_there(pool: PgPool) {
    let world = world(&pool).await;
    let lifted = json!({"permissions": [], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", lifted).await.ok();
    let deputy = world.boss.make_role("deputy", &["permissions.assign"]).await;
    let nora = world.app.person(&world.boss, "nora@x.example", &[]).await;
    let omar = world.app.person(&world.boss, "omar@x.example", &[]).await;
    let roles = json!({"roles": [{"role": world.deleter}, {"role": deputy, "department": "finance"}]});
    world.boss.patch(&format!("/admin/users/{}/roles", nora.id), roles).await.ok();
    for (person, department) in [(&world.sara, "finance"), (&omar, "legal")] {
        world.boss.patch(&format!("/admin/users/{}", person.id), json!({"department": department})).await.ok();
    }
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    world.boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let rights = json!({"overrides": {"allow": [{"key": "users.delete"}], "deny": []}});
    let ask = async |whom: &Client| {
        let body = json!({"user_id": whom.id, "rights": rights, "reason": "r"});
        nora.post("/admin/approvals", body).await
    };
    assert_eq!(ask(&omar).await.status, StatusCode::NOT_FOUND);
    let id = ask(&world.sara).await.ok()["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.approve(&world.peer, &id).await.ok()["state"], "applied");
    assert!(world.sara_holds("users.delete").await);

    // Elsewhere by then, others would have to ask.
    world.boss.patch(&format!("/admin/users/{}/permissions", world.sara.id), json!({"allow": []})).await.ok();
    let id = ask(&world.sara).await.ok()["id"].as_str().expect("an id").to_owned();
    world.boss.patch(&format!("/admin/users/{}", world.sara.id), json!({"department": "legal"})).await.ok();
    assert_eq!(world.approve(&world.peer, &id).await.code(), "stale");
    let failed = world.approve(&world.peer, &id).await.ok();
    assert_eq!((&failed["state"], &failed["failure"]), (&json!("failed"), &json!("missing_permission")));
}
