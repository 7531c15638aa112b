//! Tokens of every kind at every door: each opens its own, whole and unaltered, and no other.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::sink::{Manner, Sink};
use crate::{
    app::server::test_app::{Answer, PASSWORD, TestApp, options_of},
    base::server::crypto,
};

const NEW: &str = "another long passphrase";
const SARA: &str = "sara@x.example";
const OMAR: &str = "omar@x.example";

/// A token of each kind, by the name of its door.
async fn one_of_each(app: &TestApp) -> Vec<(&'static str, String)> {
    let (admin, sink) = (app.admin().await, Sink::start(Manner::Good).await);
    let rules = json!({
        "registration": {"mode": "open"}, "risk": {"ask_new_device": true, "mail_new_device": false},
    });
    let mailed = async |to: &str| {
        let letters = sink.deliver(app).await;
        letters.iter().find(|letter| letter.to == [to]).expect("a letter").token()
    };
    let sara = app.person(&admin, SARA, &[]).await;
    app.person(&admin, OMAR, &[]).await;
    let ask = async |path: &str, body: Value| app.anonymous().post(path, body).await;
    let login = |email: &str| json!({"email": email, "password": PASSWORD});
    let refresh = ask("/auth/login", login(OMAR)).await.ok()["refresh_token"].as_str().expect("a token").to_owned();
    admin.patch("/admin/settings", rules).await.ok();
    let stranger = app.anonymous().with("user-agent", "other/1.0");
    app.person(&admin, "huda@x.example", &[]).await;
    let asked = stranger.post("/auth/login", login("huda@x.example")).await.json();
    let mailed_program = asked["step"].as_str().expect("a step").to_owned();
    let cookie = |answer: &Answer| answer.cookies().split_once("-step=").expect("a step").1.to_owned();
    app.person(&admin, "mona@x.example", &[]).await;
    let mailed_step = cookie(&stranger.form("/login", &[("email", "mona@x.example"), ("password", PASSWORD)]).await);
    sink.deliver(app).await;
    ask("/auth/register", json!({"email": "new@x.example", "name": "ليلى", "password": PASSWORD})).await.ok();
    let confirm = mailed("new@x.example").await;
    ask("/auth/magic-link", json!({"email": SARA})).await.ok();
    let magic = mailed(SARA).await;
    ask("/auth/request-reset", json!({"email": SARA})).await.ok();
    let reset = mailed(SARA).await;
    sara.post("/auth/email", json!({"email": "sara@y.example"})).await.ok();
    let letters = sink.deliver(app).await;
    let to = |to: &str| letters.iter().find(|letter| letter.to == [to]).expect("a letter").token();
    let (email_cancel, email_confirm) = (to(SARA), to("sara@y.example"));
    let added = admin.post("/admin/users", json!({"email": "w@x.example", "name": "w"})).await.ok();
    let welcome = added["link"].as_str().expect("a link").split_once("token=").expect("a token").1.to_owned();
    sqlx::query("update users set second_factor_at = created_at where email = $1")
        .bind(OMAR)
        .execute(&app.owner)
        .await
        .expect("works");
    let step = cookie(&app.anonymous().form("/login", &[("email", OMAR), ("password", PASSWORD)]).await);
    ask("/auth/magic-link", json!({"email": OMAR})).await.ok();
    let by_link = json!({"token": mailed(OMAR).await});
    let owed = ask("/auth/magic-link/verify", by_link).await.json();
    let step_program = owed["step"].as_str().expect("a step").to_owned();
    // The program makes none any more once there is a super-admin.
    let setup = crypto::token().expose().clone();
    sqlx::query(
        "insert into links (id, purpose, tenant_id, digest, expires_at, created_at)
         select gen_random_uuid(), 'setup', id, $1, $2, $2 - interval '1 hour' from tenants",
    )
    .bind(crypto::token_digest("setup", &setup))
    .bind(app.clock.now() + chrono::TimeDelta::hours(1))
    .execute(&app.owner)
    .await
    .expect("works");
    vec![
        ("setup", setup),
        ("welcome", welcome),
        ("confirm", confirm),
        ("reset", reset),
        ("magic", magic),
        ("email_confirm", email_confirm),
        ("email_leave", email_cancel.clone()),
        ("email_cancel", email_cancel),
        ("refresh", refresh),
        ("step", step),
        ("step_program", step_program),
        ("mailed_step", mailed_step),
        ("mailed_program", mailed_program),
    ]
}

/// Shows a token at a door.
async fn show(app: &TestApp, door: &str, token: &str) -> Answer {
    let nobody = app.anonymous();
    let form = async |path: &str, more: &[(&str, &str)]| {
        let fields = [&[("token", token)][..], more].concat();
        nobody.form(path, &fields).await
    };
    let passwords = [("password", NEW), ("password_again", NEW)];
    let half = nobody.with("cookie", &format!("__Host-bawwab-step={token}"));
    match door {
        "setup" => form("/setup", &[&passwords[..], &[("name", "n"), ("email", "n@x.example")]].concat()).await,
        "welcome" => form("/welcome", &passwords).await,
        "confirm" => form("/confirm", &[]).await,
        "reset" => form("/reset", &passwords).await,
        "magic" => form("/magic-link", &[]).await,
        "email_confirm" => form("/email/confirm", &[]).await,
        "email_leave" => form("/email/leave", &[]).await,
        "email_cancel" => form("/email/cancel", &[]).await,
        "refresh" => nobody.post("/auth/refresh", json!({"refresh_token": token})).await,
        "step" => half.form("/login/code", &[("totp", "000000")]).await,
        "step_program" => nobody.post("/auth/login/factor", json!({"step": token, "totp": "000000"})).await,
        "mailed_step" => half.form("/login/mailed", &[("mailed_code", "000000")]).await,
        _ => nobody.post("/auth/login/code", json!({"step": token, "code": "000000"})).await,
    }
}

/// What a door answers to a token that it does not know.
fn is_unknown(door: &str, answer: &Answer) -> bool {
    match door {
        "refresh" | "step_program" | "mailed_program" => {
            answer.status == StatusCode::UNAUTHORIZED && answer.code() == "signed_out"
        }
        "step" | "mailed_step" => answer.status == StatusCode::SEE_OTHER && answer.headers["location"] == "/login",
        _ => answer.status == StatusCode::GONE,
    }
}

/// CVE-2026-4325, CVE-2026-27840: a token opens its own door, whole and unaltered, and no other.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_token_opens_its_own_door_only(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let all = one_of_each(&app).await;
    // The old mailbox has one link, with which it confirms or calls off.
    let is_one = |kind: &str, door: &str| [kind, door].iter().all(|one| matches!(*one, "email_leave" | "email_cancel"));
    // Four altered forms of each at its own door, and the whole at every other: more than an address may try.
    app.admin_limits(json!({"free_by_address": 1000, "free_by_account": 1000})).await;
    for (kind, token) in &all {
        for (door, _) in &all {
            let mut shown = vec![];
            if door == kind {
                let flipped = if token.starts_with('A') { "B" } else { "A" };
                shown.extend([token[..token.len() - 1].to_owned(), token[1..].to_owned(), format!("{token}A")]);
                shown.push(format!("{flipped}{}", &token[1..]));
            } else if !is_one(kind, door) {
                shown.push(token.clone());
            }
            for token in shown {
                let answer = show(&app, door, &token).await;
                assert!(is_unknown(door, &answer), "a token of {kind} at {door}: {} {}", answer.status, answer.text);
            }
        }
    }
    // And each still opens its own, or is known there where a code is owed as well. A used one voids others of the person.
    for (kind, token) in &all {
        if matches!(*kind, "email_confirm" | "reset") {
            continue;
        }
        let answer = show(&app, kind, token).await;
        assert!(!is_unknown(kind, &answer), "{kind}: {} {}", answer.status, answer.text);
    }
}
