//! What a change would do, before it is saved: it is what saving then does, and it changes nothing.

use axum::http::{Method, StatusCode};
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

/// C14: for a role everybody who has it is counted by what they have otherwise: who has it from elsewhere loses nothing.
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

async fn join(by: &Client, group: &str, user: &str) {
    by.post(&format!("/admin/groups/{group}/members"), json!({"user": user})).await.ok();
}

/// What is gained and what is lost, each with by how many, and how many gain and lose something.
type Moves = (Vec<(String, u64)>, Vec<(String, u64)>, [usize; 2]);

/// How many people hold more and less than before, and what, as the preview tells it.
fn moved(before: &[Vec<String>], after: &[Vec<String>]) -> Moves {
    let count = |more: &[Vec<String>], less: &[Vec<String>]| {
        let mut keys = std::collections::BTreeMap::new();
        for (more, less) in more.iter().zip(less) {
            difference(more, less).into_iter().for_each(|key| *keys.entry(key).or_insert(0) += 1);
        }
        keys.into_iter().collect::<Vec<_>>()
    };
    let people = |more: &[Vec<String>], less: &[Vec<String>]| {
        more.iter().zip(less).filter(|(more, less)| !difference(more, less).is_empty()).count()
    };
    (count(after, before), count(before, after), [people(after, before), people(before, after)])
}

/// The same of what a preview says.
fn foreseen(effect: &Value) -> Moves {
    let lines = |kind: &str| {
        let lines = effect["lines"].as_array().expect("lines").iter().filter(|line| line["what"] == kind);
        let lines = lines
            .map(|line| (line["key"].as_str().expect("a key").to_owned(), line["people"].as_u64().expect("a number")));
        lines.collect::<Vec<_>>()
    };
    let people = |field: &str| usize::try_from(effect[field].as_u64().expect("a number")).expect("few");
    (lines("gained"), lines("lost"), [people("people_gaining"), people("people_losing")])
}

async fn held_by(boss: &Client, people: &[&Client]) -> Vec<Vec<String>> {
    let mut held = Vec::new();
    for person in people {
        held.push(boss.held(&person.id).await);
    }
    held
}

/// C3, C14: whatever a group shall give, the preview names what its people, and those of the groups in it, then gain and lose.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_of_a_group_is_what_saving_gives(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("dealer", &["tasks.create", "reports.read"]).await;
    boss.make_role("reader", &["reports.read"]).await;
    let group = json!({"name": "الوردية", "roles": [role(&boss, "dealer").await]});
    let group = boss.post("/admin/groups", group).await.ok()["id"].as_str().expect("an id").to_owned();
    let inner = json!({"name": "الليلية", "parents": [group]});
    let inner = boss.post("/admin/groups", inner).await.ok()["id"].as_str().expect("an id").to_owned();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let omar = app.person(&boss, "omar@x.example", &["reader"]).await;
    let huda = app.person(&boss, "huda@x.example", &[]).await;
    join(&boss, &group, &sara.id).await;
    join(&boss, &group, &omar.id).await;
    join(&boss, &inner, &huda.id).await;
    let people = [&sara, &omar, &huda];
    let (what_if, edit) = (format!("/admin/groups/{group}/what-if"), format!("/admin/groups/{group}"));
    let steps = [
        json!({"roles": [role(&boss, "reader").await]}),
        json!({"roles": [role(&boss, "support").await, role(&boss, "dealer").await]}),
        json!({"roles": []}),
    ];
    for step in steps {
        let before = held_by(&boss, &people).await;
        let rows = app.count("select count(*) from audit_logs").await;
        let effect = boss.post(&what_if, step.clone()).await.ok();
        assert_eq!(held_by(&boss, &people).await, before, "looking changes nothing");
        assert_eq!(app.count("select count(*) from audit_logs").await, rows, "and leaves no row");
        assert_eq!((&effect["people"], &effect["refused"]), (&json!(3), &Value::Null));
        boss.patch(&edit, step.clone()).await.ok();
        let after = held_by(&boss, &people).await;
        assert_eq!(foreseen(&effect), moved(&before, &after), "{step}");
    }

    // What is beyond whoever asks is refused as saving is.
    let tools = ["groups.*", "permissions.*", "users.read", "roles.read"];
    boss.make_role("leader", &tools).await;
    let leader = app.person(&boss, "leader@x.example", &["leader"]).await;
    let step = json!({"roles": [role(&boss, "reader").await]});
    let effect = leader.post(&what_if, step.clone()).await.ok();
    assert_eq!(effect["refused"], json!({"code": "beyond_your_rights", "permissions": ["reports.read"]}));
    assert_eq!(leader.patch(&edit, step).await.code(), "beyond_your_rights");
    let platform = json!({"roles": [role(&boss, "super-admin").await]});
    assert_eq!(boss.post(&what_if, platform).await.json()["errors"][0]["field"], "roles[0]");
}

/// C3, D1, C14: many people are given the same at once: the preview is what saving gives, in one transaction or not at all.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_of_many_people_is_what_saving_gives(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &["support"]).await;
    let omar = app.person(&boss, "omar@x.example", &["readonly"]).await;
    let people = [&sara, &omar];
    let (support, readonly) = (role(&boss, "support").await, role(&boss, "readonly").await);
    let allow = |keys: &[&str]| {
        let allow = keys.iter().map(|key| json!({"key": key})).collect::<Vec<_>>();
        json!({"allow": allow, "deny": []})
    };
    let deny = json!({"allow": [{"key": "tasks.create"}], "deny": [{"key": "users.*"}]});
    let steps = [
        json!({"people": [
            {"user": sara.id, "overrides": allow(&["tasks.create"])},
            {"user": omar.id, "overrides": allow(&["tasks.create"])},
        ]}),
        json!({"reason": "تغطية إجازة", "people": [
            {"user": sara.id, "roles": [support, readonly], "overrides": deny},
            {"user": omar.id, "overrides": deny},
        ]}),
        json!({"people": [
            {"user": omar.id, "roles": [], "overrides": allow(&[])},
            {"user": sara.id, "overrides": allow(&[])},
        ]}),
    ];
    let begun = app.actions().await.len();
    for step in steps {
        let before = held_by(&boss, &people).await;
        let rows = app.count("select count(*) from audit_logs").await;
        let effect = boss.post("/admin/users/bulk/what-if", step.clone()).await.ok();
        assert_eq!(held_by(&boss, &people).await, before, "looking changes nothing");
        assert_eq!(app.count("select count(*) from audit_logs").await, rows, "and leaves no row");
        assert_eq!((&effect["people"], &effect["refused"]), (&json!(2), &Value::Null));
        let saved = boss.post("/admin/users/bulk/rights", step.clone()).await.ok();
        assert_eq!(saved[0]["user"], step["people"][0]["user"], "in the order in which they were named");
        let after = held_by(&boss, &people).await;
        assert_eq!(foreseen(&effect), moved(&before, &after), "{step}");
    }
    // Three steps of two people each; in the second and third one of them was given roles as well.
    let actions = app.actions().await;
    let count = |action: &str| actions.iter().skip(begun).filter(|one| *one == action).count();
    assert_eq!((count("admin.grant_permission"), count("admin.assign_roles")), (6, 2));
    // What one step wrote is told apart from the others by its request.
    let mut requests = Vec::new();
    for action in ["admin.grant_permission", "admin.assign_roles"] {
        let log = boss.get(&format!("/admin/audit?action={action}")).await.ok();
        let rows = log["items"].as_array().expect("rows").iter();
        requests.push(rows.map(|row| row["request_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>());
    }
    let (granted, assigned) = (&requests[0], &requests[1]);
    assert!(granted.chunks(2).all(|pair| pair[0] == pair[1]), "{granted:?}");
    assert!(granted[0] != granted[2] && granted[2] != granted[4], "{granted:?}");
    assert_eq!(assigned[..2], [granted[0].clone(), granted[2].clone()], "the newest come first");

    // One who was changed meanwhile, or whom the caller may not touch, stops all.
    let version = boss.get(&format!("/admin/users/{}", omar.id)).await.ok()["version"].as_i64().expect("a number");
    let both = |version: i64| {
        json!({"people": [
            {"user": sara.id, "overrides": allow(&["roles.update"])},
            {"user": omar.id, "overrides": allow(&["roles.update"]), "version": version},
        ]})
    };
    let stale = boss.post("/admin/users/bulk/rights", both(version - 1)).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "stale"));
    boss.make_role("granter", &["users.read", "permissions.*"]).await;
    let granter = app.person(&boss, "granter@x.example", &["granter"]).await;
    let refused = granter.post("/admin/users/bulk/rights", both(version)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let effect = granter.post("/admin/users/bulk/what-if", both(version)).await.ok();
    assert_eq!(effect["refused"]["code"], refused.code());
    assert!(!boss.held(&sara.id).await.contains(&"roles.update".to_owned()), "nobody was changed");
    let twice = json!({"people": [{"user": sara.id}, {"user": sara.id}]});
    assert_eq!(boss.post("/admin/users/bulk/rights", twice).await.json()["errors"][0]["field"], "users[1]");
}

/// C14, C3: what one of several is given is not told as held back from, or held by, those who are given nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_of_many_tells_each_only_what_they_are_given(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let huda = app.person(&boss, "huda@x.example", &[]).await;
    boss.make_role("clerk", &["workflows.create"]).await;
    let lina = app.person(&boss, "lina@x.example", &["clerk"]).await;
    boss.patch(&format!("/admin/users/{}/permissions", omar.id), json!({"deny": ["workflows.*"]})).await.ok();
    let allow = json!([{"key": "workflows.create"}]);
    let step = json!({"people": [
        {"user": sara.id, "overrides": {"allow": allow}},
        {"user": omar.id, "overrides": {"deny": [{"key": "audit.read"}, {"key": "workflows.*"}]}},
        {"user": lina.id, "overrides": {"deny": [{"key": "audit.read"}]}},
        {"user": huda.id, "overrides": {"allow": allow, "deny": [{"key": "workflows.*"}]}},
    ]});
    let effect = boss.post("/admin/users/bulk/what-if", step).await.ok();
    assert_eq!(of_kind(&effect, "gained"), ["workflows.create"]);
    assert_eq!(of_kind(&effect, "blocked"), ["workflows.create"]);
    let lines = effect["lines"].as_array().expect("lines").iter();
    let reached = lines.map(|line| (line["what"].clone(), line["people"].clone())).collect::<Vec<_>>();
    assert_eq!(reached, [(json!("gained"), json!(1)), (json!("blocked"), json!(1))]);
    assert_eq!(effect["people"], 4);
}

/// C15, C3: the last super-admins cannot be demoted together either, and the preview says so.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_last_super_admins_cannot_be_demoted_together(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let peer = app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let one = json!({"people": [{"user": peer.id, "roles": [], "overrides": {}}]});
    assert_eq!(boss.post("/admin/users/bulk/what-if", one).await.ok()["refused"], Value::Null);
    let both = json!({"people": [{"user": peer.id, "roles": []}, {"user": boss.id, "roles": []}]});
    let effect = boss.post("/admin/users/bulk/what-if", both.clone()).await.ok();
    assert_eq!(effect["refused"]["code"], "last_super_admin");
    assert_eq!(boss.post("/admin/users/bulk/rights", both).await.code(), "last_super_admin");
}

/// C15, C3, C14: the only super-admin may hand over in one go, to somebody who is it for good; the preview agrees.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_only_super_admin_may_hand_over(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let platform = boss.role_id("super-admin").await;
    let over = |given: Value| json!({"people": [{"user": boss.id, "roles": []}, {"user": sara.id, "roles": [given]}]});
    let passing = over(json!({"role": platform, "expires_at": "2099-01-01T00:00:00Z"}));
    let effect = boss.post("/admin/users/bulk/what-if", passing.clone()).await.ok();
    assert_eq!(effect["refused"]["code"], "last_super_admin");
    assert_eq!(boss.post("/admin/users/bulk/rights", passing).await.code(), "last_super_admin");

    let for_good = over(json!({"role": platform}));
    let effect = boss.post("/admin/users/bulk/what-if", for_good.clone()).await.ok();
    assert_eq!(effect["refused"], Value::Null);
    boss.post("/admin/users/bulk/rights", for_good).await.ok();
    sara.get("/admin/users").await.ok();
    assert_eq!(sara.held(&boss.id).await, Vec::<String>::new());
}

/// C11, C3: of many people each has to lie where the caller's right counts, not only the first.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn many_people_are_changed_only_inside_the_scope(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    boss.make_role("granter", &["permissions.assign", "reports.read"]).await;
    let granter = app.person(&boss, "granter@x.example", &["readonly"]).await;
    let inside = app.person(&boss, "inside@x.example", &[]).await;
    let outside = app.person(&boss, "outside@x.example", &[]).await;
    boss.patch(&format!("/admin/users/{}", inside.id), json!({"department": "finance"})).await.ok();
    let bound = json!({"role": "granter", "department": "finance"});
    boss.patch(&format!("/admin/users/{}/roles", granter.id), json!({"roles": ["readonly", bound]})).await.ok();
    let allow = json!({"allow": [], "deny": [{"key": "audit.read"}]});
    let both = |version: Value| {
        json!({"people": [
            {"user": inside.id, "overrides": allow},
            {"user": outside.id, "overrides": allow, "version": version},
        ]})
    };
    // A version that is not theirs does not tell that there is somebody.
    for version in [Value::Null, json!(0)] {
        let refused = granter.post("/admin/users/bulk/rights", both(version.clone())).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{version}");
    }
    let alone = json!({"people": [{"user": inside.id, "overrides": allow}]});
    assert_eq!(granter.post("/admin/users/bulk/rights", alone.clone()).await.status, StatusCode::OK);

    // What people have is the answer: whoever may not read it does not get it by changing nothing.
    boss.make_role("finder", &["users.read"]).await;
    boss.make_role("reader", &["permissions.read"]).await;
    let there = |role: &str| json!({"role": role, "department": "finance"});
    let bounds = [json!(["finder", there("granter")]), json!([there("granter"), there("reader")])];
    for roles in bounds {
        boss.patch(&format!("/admin/users/{}/roles", granter.id), json!({"roles": roles})).await.ok();
        let refused = granter.post("/admin/users/bulk/rights", alone.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
        assert!(!refused.text.contains("audit.read"), "{}", refused.text);
    }
    // Where it may be changed it has to be readable, and nowhere else.
    let roles = json!(["finder", there("granter"), there("reader")]);
    boss.patch(&format!("/admin/users/{}/roles", granter.id), json!({"roles": roles})).await.ok();
    assert_eq!(granter.post("/admin/users/bulk/rights", alone.clone()).await.status, StatusCode::OK);

    // What would come of it is told inside only, too.
    let what_if = "/admin/users/bulk/what-if";
    for version in [Value::Null, json!(0)] {
        assert_eq!(granter.post(what_if, both(version)).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(granter.post(what_if, alone).await.ok()["people"], 1);
}

/// C12, C14: the preview says where others have to agree first, as saving then does.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_tells_what_needs_approval(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let path = format!("/admin/users/{}/what-if", sara.id);
    let step = |key: &str| json!({"overrides": {"allow": [{"key": key}]}});
    let needed = json!({"code": "approval_needed", "permissions": ["users.delete"]});
    assert_eq!(boss.post(&path, step("users.delete")).await.ok()["refused"], needed);
    assert_eq!(boss.post(&path, step("users.read")).await.ok()["refused"], Value::Null);
    let many = json!({"people": [{"user": sara.id, "overrides": step("users.delete")["overrides"]}]});
    assert_eq!(boss.post("/admin/users/bulk/what-if", many.clone()).await.ok()["refused"], needed);
    assert_eq!(boss.post("/admin/users/bulk/rights", many).await.code(), "approval_needed");

    // Whoever asks goes on with those for whom nobody has to agree, as one transaction with the asking.
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let asked = |reason: &str| {
        json!({"ask": true, "reason": reason, "people": [
            {"user": sara.id, "overrides": step("users.delete")["overrides"]},
            {"user": omar.id, "overrides": step("users.read")["overrides"]},
        ]})
    };
    let silent = boss.post("/admin/users/bulk/rights", asked("")).await;
    assert_eq!(silent.json()["errors"][0]["field"], "reason");
    boss.post("/admin/users/bulk/rights", asked("تغطية إجازة")).await.ok();
    assert_eq!(boss.held(&sara.id).await, Vec::<String>::new());
    assert_eq!(boss.held(&omar.id).await, ["users.read"]);
    let waiting = boss.get("/auth/approvals").await.ok();
    assert_eq!((&waiting[0]["reason"], &waiting[0]["state"]), (&json!("تغطية إجازة"), &json!("waiting")));
}

/// C12, C3: asking about more people than may wait at once is refused beforehand, and nobody is changed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_asks_about_more_people_than_may_wait(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    app.person(&boss, "peer@x.example", &["super-admin"]).await;
    let omar = app.person(&boss, "omar@x.example", &[]).await;
    let rules = json!({"permissions": ["users.delete"], "required": 1, "expires_hours": 24});
    boss.json(Method::PUT, "/admin/approvals/rules", rules).await.ok();
    let allow = |user: &str, key: &str| json!({"user": user, "overrides": {"allow": [{"key": key}]}});
    let mut people = vec![allow(&omar.id, "users.read")];
    for number in 0..21 {
        let new = json!({"email": format!("n{number}@x.example"), "name": "n"});
        let new = boss.post("/admin/users", new).await.ok();
        people.push(allow(new["id"].as_str().expect("an id"), "users.delete"));
    }
    let asked = |people: &[Value]| json!({"ask": true, "reason": "تغطية إجازة", "people": people});
    let refused = boss.post("/admin/users/bulk/rights", asked(&people)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    let error = refused.json()["errors"][0].clone();
    assert_eq!((&error["field"], &error["code"]), (&json!("people"), &json!("too_long")));
    assert_eq!(app.count("select count(*) from approvals").await, 0);
    assert_eq!(boss.held(&omar.id).await, Vec::<String>::new());

    people.pop();
    boss.post("/admin/users/bulk/rights", asked(&people)).await.ok();
    assert_eq!(app.count("select count(*) from approvals").await, 20);
    assert_eq!(boss.held(&omar.id).await, ["users.read"]);
}

/// C5, C11, C14: the preview names the policies that have a say and what they say, and what is held in a scope only.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_preview_names_policies_and_scopes(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let rules = json!([{"effect": "allow", "condition": {"user.department": {"eq": "finance"}}}]);
    let policy = json!({
        "name": "finance only", "mode": "require", "actions": ["reports.read"], "rules": rules, "active": true,
    });
    let policy = boss.post("/admin/policies", policy).await.ok();
    let sara = app.person(&boss, "sara@x.example", &[]).await;
    let bound = json!({"role": "support", "department": "finance"});
    boss.patch(&format!("/admin/users/{}/roles", sara.id), json!({"roles": [bound]})).await.ok();
    let path = format!("/admin/users/{}/what-if", sara.id);
    let step = json!({"overrides": {"allow": [{"key": "reports.read"}]}});
    let effect = boss.post(&path, step.clone()).await.ok();
    assert_eq!(of_kind(&effect, "blocked"), ["reports.read"]);
    assert_eq!(effect["policies"].as_array().expect("a list").len(), 1);
    let told = &effect["policies"][0];
    assert_eq!(told["policy"], json!({"id": policy["id"], "name": "finance only"}));
    assert_eq!((&told["keys"], &told["denied"]), (&json!(["reports.read"]), &json!(1)));
    for language in ["says_ar", "says_en"] {
        let says = told[language].as_str().expect("a text");
        assert!(says.contains("user.department") && says.contains("finance"), "{says}");
    }
    assert_eq!(effect["scoped"][0]["role"]["name"], "support");
    assert_eq!(effect["scoped"][0]["scope"]["department"], "finance");

    // Whoever may not read policies learns the name, as everywhere else, but not what it says.
    boss.make_role("looker", &["users.read", "permissions.read"]).await;
    let looker = app.person(&boss, "looker@x.example", &["looker"]).await;
    let told = looker.post(&path, step).await.ok()["policies"][0].clone();
    assert_eq!((&told["says_ar"], &told["says_en"]), (&json!(""), &json!("")));
    let other = json!({"overrides": {"allow": [{"key": "tasks.create"}]}});
    assert_eq!(boss.post(&path, other).await.ok()["policies"], json!([]));
}
