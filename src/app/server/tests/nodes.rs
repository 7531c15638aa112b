//! Several nodes on one database, and what happens at the same time.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::app::server::test_app::{PASSWORD, TestApp, options_of};

/// I2: what one node revokes the next look of another refuses; the writer's own session is never answered from before.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_revocation_reaches_the_other_node(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    two.heart.refresh().await.expect("the grants");
    let sara = one.person(&admin, "sara@x.example", &["admin"]).await;
    // The admin has written on node one: node two must not answer them from before.
    assert_eq!(admin.on(&two).get(&format!("/admin/users/{}", sara.id)).await.ok()["roles"], json!(["admin"]));
    assert_eq!(sara.on(&two).get("/admin/users").await.status, StatusCode::OK);
    admin.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": ["users.read"]})).await.ok();
    assert_eq!(sara.get("/admin/users").await.status, StatusCode::FORBIDDEN, "at once where it was revoked");
    two.heart.refresh().await.expect("the grants");
    assert_eq!(sara.on(&two).get("/admin/users").await.status, StatusCode::FORBIDDEN, "and at the other's next look");
}

/// I2: nodes that run find out by themselves: the other's task is woken, or polls, and refuses.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_running_node_finds_out_what_another_has_revoked(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let stop = CancellationToken::new();
    let running = [&one, &two].map(|node| tokio::spawn(node.heart.clone().keep_current(stop.clone())));
    let admin = one.admin().await;
    let sara = one.person(&admin, "sara@x.example", &["admin"]).await;
    let there = sara.on(&two);
    // How soon is measured elsewhere; here it has to come at all.
    let until = async |expected: StatusCode| while there.get("/admin/users").await.status != expected {};
    until(StatusCode::OK).await;
    admin.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": ["users.read"]})).await.ok();
    until(StatusCode::FORBIDDEN).await;
    admin.patch(&format!("/admin/users/{}/permissions", sara.id), json!({"deny": []})).await.ok();
    until(StatusCode::OK).await;
    stop.cancel();
    for task in running {
        task.await.expect("no panic");
    }
}

/// A3, I2: an ended session is ended everywhere, without any look at versions.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_session_that_ended_on_one_node_is_dead_on_the_other(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    assert_eq!(admin.on(&two).get("/auth/me").await.status, StatusCode::OK);
    admin.post("/auth/logout", json!({})).await.ok();
    assert_eq!(admin.on(&two).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// "Decision engine": a node that could not read the versions for two seconds does not guess.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_node_without_news_does_not_decide(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    app.clock.advance(Duration::from_millis(1_999));
    assert_eq!(admin.get("/admin/users").await.status, StatusCode::OK);
    assert_eq!(app.anonymous().get("/readyz").await.status, StatusCode::OK);
    app.clock.advance(Duration::from_millis(1));
    let refused = admin.get("/admin/users").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.code(), "unavailable");
    assert_eq!(app.anonymous().get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(app.anonymous().get("/healthz").await.status, StatusCode::OK);
    app.heart.refresh().await.expect("the grants");
    assert_eq!(admin.get("/admin/users").await.status, StatusCode::OK);
}

/// CVE-2026-1035, GHSA-392p-2q2v-4372: of 32 parallel refreshes on two nodes one wins, and its child still rotates.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn of_parallel_refreshes_one_wins(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    one.admin().await;
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    let token = one.anonymous().post("/auth/login", body).await.ok()["refresh_token"].clone();
    let tries = (0..32).map(|n| {
        let client = if n % 2 == 0 { one.anonymous() } else { two.anonymous() };
        let body = json!({"refresh_token": token});
        tokio::spawn(async move { client.post("/auth/refresh", body).await })
    });
    let mut won = Vec::new();
    for attempt in tries {
        let answer = attempt.await.expect("no panic");
        match answer.status {
            StatusCode::OK => won.push(answer.json()["refresh_token"].clone()),
            status => assert_eq!(status, StatusCode::UNAUTHORIZED),
        }
    }
    assert_eq!(won.len(), 1);
    two.anonymous().post("/auth/refresh", json!({"refresh_token": won[0]})).await.ok();
    assert_eq!(one.count("select count(*) from refresh_tokens where spent_at is null").await, 2, "one leaf a family");
}

/// CVE-2026-22640: two administrators who remove each other at the same time leave one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn two_administrators_cannot_remove_each_other(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let a = one.admin().await;
    for round in 0..6 {
        let email = format!("b{round}@x.example");
        let b = one.person(&a, &email, &["super-admin"]).await;
        two.heart.refresh().await.expect("the grants");
        let (a2, b2) = (a.clone(), b.on(&two));
        let (path_a, path_b) = (format!("/admin/users/{}/roles", a.id), format!("/admin/users/{}/roles", b.id));
        let demote = json!({"roles": ["admin"]});
        let (first, second) = tokio::join!(
            tokio::spawn({
                let demote = demote.clone();
                async move { a2.patch(&path_b, demote).await.status }
            }),
            tokio::spawn(async move { b2.patch(&path_a, demote).await.status })
        );
        let done = [first.expect("no panic"), second.expect("no panic")];
        assert_eq!(done.iter().filter(|status| status.is_success()).count(), 1, "{done:?}");
        one.heart.refresh().await.expect("the grants");
        two.heart.refresh().await.expect("the grants");
        let left = one
            .count("select count(*) from user_roles ur join roles r on r.id = ur.role_id where r.name = 'super-admin'")
            .await;
        assert_eq!(left, 1);
        if a.get("/admin/users").await.ok()["items"].is_array() && done[1].is_success() {
            // The other one has stayed: they give it back for the next round.
            b.post(&format!("/admin/users/{}/roles", a.id), json!({"roles": ["super-admin"]})).await.ok();
            b.patch(&format!("/admin/users/{}/roles", b.id), json!({"roles": []})).await.ok();
        }
    }
}

/// I2: a grant on one node while the same role is edited on the other: both happen, in some order, and none is lost.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn writers_on_two_nodes_do_not_pass_each_other(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    let role = admin.make_role("r", &["users.read"]).await;
    let tries = (0..10).map(|n| {
        let admin = if n % 2 == 0 { admin.clone() } else { admin.on(&two) };
        let role = role.clone();
        tokio::spawn(async move {
            let body = json!({"email": format!("p{n}@x.example"), "name": "p", "roles": [role]});
            admin.post("/admin/users", body).await.status
        })
    });
    for attempt in tries {
        assert_eq!(attempt.await.expect("no panic"), StatusCode::CREATED);
    }
    let version = one.count("select version from grant_versions").await;
    // Set-up, role, ten people: each has moved it on once.
    assert_eq!(version, 1 + 1 + 1 + 10);
}

/// A8: counters are shared by the nodes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn guesses_are_counted_over_all_nodes(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    one.admin().await;
    let body = json!({"email": "hind@nakheel.example", "password": "wrong wrong wrong"});
    for n in 0..5 {
        let node = if n % 2 == 0 { &one } else { &two };
        assert_eq!(node.anonymous().post("/auth/login", body.clone()).await.status, StatusCode::UNAUTHORIZED);
    }
    for node in [&one, &two] {
        assert_eq!(node.anonymous().post("/auth/login", body.clone()).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}
