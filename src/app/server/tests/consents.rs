//! Consents: texts in versions, what people say to them, and the gate before whoever owes one.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::server::test_app::{Client, PASSWORD, TestApp, options_of};

const SARA: &str = "sara@x.example";

struct World {
    app: TestApp,
    admin: Client,
    sara: Client,
}

impl World {
    async fn start(pool: &PgPool) -> Self {
        let app = TestApp::start(options_of(pool)).await;
        let admin = app.admin().await;
        let sara = app.person(&admin, SARA, &[]).await;
        World { app, admin, sara }
    }

    /// A text that is published once; the administrator has given it where it is required. Its path.
    async fn text(&self, key: &str, required: bool) -> String {
        let path = draft(&self.admin, key, required).await;
        self.publish(&path).await;
        path
    }

    async fn publish(&self, path: &str) {
        let text = self.admin.post(&format!("{path}/publish"), json!({})).await.ok();
        if text["required"] == true {
            give(&self.admin, path, text["latest"].as_i64().expect("a number")).await.ok();
        }
    }

    /// Sara's cookies, as a browser has them.
    async fn browser(&self) -> Client {
        let form = [("email", SARA), ("password", PASSWORD)];
        let cookies = self.app.anonymous().form("/login", &form).await.cookies();
        self.app.anonymous().with("cookie", &cookies)
    }
}

fn words(key: &str, required: bool) -> Value {
    json!({
        "key": key, "required": required, "title_ar": format!("نص {key}"), "title_en": format!("The {key}"),
        "body_ar": "سطر\n\nوسطر", "body_en": "One\n\ntwo",
    })
}

async fn draft(by: &Client, key: &str, required: bool) -> String {
    let text = by.post("/admin/consents", words(key, required)).await.ok();
    format!("/admin/consents/{}", text["id"].as_str().expect("an id"))
}

/// Where people answer a text.
fn own(path: &str) -> String {
    path.replace("/admin/", "/auth/")
}

async fn give(by: &Client, path: &str, number: i64) -> crate::app::server::test_app::Answer {
    by.post(&own(path), json!({"number": number})).await
}

async fn own_texts(by: &Client) -> Vec<Value> {
    by.get("/auth/consents").await.ok().as_array().expect("a list").clone()
}

fn refused(answer: &crate::app::server::test_app::Answer, code: &str, about: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, code), "{about}");
}

/// E5: with no text, with a draft and with an optional text nobody is held up.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_is_held_up_by_what_is_not_required(pool: PgPool) {
    let world = World::start(&pool).await;
    assert_eq!(own_texts(&world.sara).await, Vec::<Value>::new());
    draft(&world.admin, "waits", true).await;
    assert_eq!(own_texts(&world.sara).await, Vec::<Value>::new(), "nobody sees a draft");
    world.text("news", false).await;
    assert_eq!(own_texts(&world.sara).await.len(), 1);
    world.sara.get("/auth/profile").await.ok();
    let browser = world.browser().await;
    assert_eq!(browser.get("/console").await.status, StatusCode::OK);
    assert_eq!(browser.get("/account/consents").await.status, StatusCode::OK);
}

/// E5: over REST whoever owes a consent reaches nothing but the texts and the ways out; giving it opens all again.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_required_text_comes_before_anything_else_over_rest(pool: PgPool) {
    let world = World::start(&pool).await;
    let reader = world.app.person(&world.admin, "reader@x.example", &["readonly"]).await;
    let path = world.text("terms", true).await;
    for (method, closed, body) in [
        (Method::GET, "/auth/profile", Value::Null),
        (Method::PATCH, "/auth/profile", json!({"name": "n"})),
        (Method::GET, "/auth/activity", Value::Null),
        (Method::GET, "/auth/sessions", Value::Null),
        (Method::GET, "/auth/approvals", Value::Null),
        (Method::POST, "/auth/email", json!({"email": "other@x.example"})),
        (Method::GET, "/admin/users", Value::Null),
    ] {
        let answer = match body {
            Value::Null => reader.send(method, closed, None, Default::default()).await,
            body => reader.json(method, closed, body).await,
        };
        refused(&answer, "consent_required", closed);
    }
    for open in ["/auth/me", "/auth/consents", "/auth/export", "/auth/deletion"] {
        assert_eq!(reader.get(open).await.status, StatusCode::OK, "{open}");
    }
    assert_eq!(own_texts(&reader).await[0]["records"], json!([]));
    give(&reader, &path, 1).await.ok();
    assert_eq!(own_texts(&reader).await[0]["records"][0]["number"], 1);
    for open in ["/auth/profile", "/admin/users"] {
        assert_eq!(reader.get(open).await.status, StatusCode::OK, "{open}");
    }
}

/// E5, A13: without scripts every page leads to the text; giving it leads on. Data, leaving and signing out stay open.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_page_leads_to_what_is_owed(pool: PgPool) {
    let world = World::start(&pool).await;
    let browser = world.browser().await;
    let path = world.text("terms", true).await;
    for page in ["/console", "/console/account?tab=data", "/account/email", "/account/passkeys", "/account/two-factor"]
    {
        let led = browser.get(page).await;
        assert_eq!(led.status, StatusCode::FOUND, "{page}");
        assert_eq!(led.headers["location"], "/account/consents", "{page}");
    }
    let led = browser.form("/account/email", &[("email", "other@x.example")]).await;
    assert_eq!(led.headers["location"], "/account/consents");
    let page = browser.with("accept-language", "en").get("/account/consents").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("The terms") && page.text.contains("I consent to this text"), "{}", page.text);
    let copy = browser.form("/console/account", &[("act", "export")]).await;
    assert_eq!(copy.headers["content-disposition"].to_str().expect("ASCII").split(';').next(), Some("attachment"));

    let wrong = browser.form("/account/consents", &[("act", "leave"), ("email", "other@x.example")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let asked = browser.form("/account/consents", &[("act", "leave"), ("email", SARA)]).await;
    assert_eq!(asked.headers["location"], "/account/consents");
    assert_eq!(world.app.count("select count(*) from account_deletions where ended_at is null").await, 1);
    let stays = browser.form("/console/account", &[("act", "keep_account")]).await;
    assert_eq!(stays.status, StatusCode::SEE_OTHER);

    let id = path.rsplit('/').next().expect("an id");
    let given = browser.form("/account/consents", &[("act", "give"), ("id", id), ("number", "1")]).await;
    assert_eq!((given.status, &given.headers["location"]), (StatusCode::SEE_OTHER, &"/console".parse().expect("")));
    assert_eq!(browser.get("/console").await.status, StatusCode::OK);

    world.publish(&path).await;
    assert_eq!(browser.form("/logout", &[]).await.headers["location"], "/login");
}

/// E5: a new version is asked for anew, and only the one that was read is given.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn only_the_last_version_can_be_given_and_counts(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("terms", true).await;
    give(&world.sara, &path, 1).await.ok();
    give(&world.sara, &path, 1).await.ok();
    assert_eq!(world.app.count("select count(*) from consent_records").await, 2, "given twice is given once");
    // An edit changes nothing before it is published.
    world.admin.patch(&path, json!({"body_en": "Three"})).await.ok();
    assert_eq!(own_texts(&world.sara).await[0]["wording"]["body_en"], "One\n\ntwo");
    world.sara.get("/auth/profile").await.ok();
    world.publish(&path).await;
    refused(&world.sara.get("/auth/profile").await, "consent_required", "a new version");
    let late = give(&world.sara, &path, 1).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(late.json()["current_version"], 2);
    assert_eq!(give(&world.sara, &path, 3).await.code(), "stale");
    let text = give(&world.sara, &path, 2).await.ok();
    let said = text["records"].as_array().expect("records").iter().map(|one| one["number"].clone());
    assert_eq!(said.collect::<Vec<_>>(), [2, 1]);
    assert_eq!(text["wording"]["body_en"], "Three");
    world.sara.get("/auth/profile").await.ok();
    let versions = world.admin.get(&format!("{path}/versions")).await.ok();
    assert_eq!((&versions[0]["number"], &versions[1]["wording"]["body_en"]), (&json!(2), &json!("One\n\ntwo")));
}

/// E5: what is optional is withdrawn and given again, each on record with its time and address; nothing is written over.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_optional_text_is_withdrawn_and_given_again(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("news", false).await;
    assert_eq!(world.sara.delete(&own(&path)).await.status, StatusCode::NOT_FOUND, "nothing was given");
    give(&world.sara, &path, 1).await.ok();
    world.publish(&path).await;
    // It stands for the version to which it was given.
    let text = world.sara.delete(&own(&path)).await.ok();
    assert_eq!((&text["records"][0]["given"], &text["records"][0]["number"]), (&json!(false), &json!(1)));
    assert_eq!(world.sara.delete(&own(&path)).await.status, StatusCode::NOT_FOUND);
    let text = give(&world.sara, &path, 2).await.ok();
    let records = text["records"].as_array().expect("records");
    assert_eq!(records.iter().map(|one| one["given"] == true).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!((&records[0]["ip"], &records[0]["at"]), (&json!("192.0.2.7"), &json!("2026-11-22T08:00:00Z")));
    let actions = world.app.actions().await;
    let of = |action: &str| actions.iter().filter(|one| *one == action).count();
    assert_eq!((of("auth.consent_give"), of("auth.consent_withdraw"), of("admin.consent_publish")), (2, 1, 2));
    // Not even by the program itself.
    for statement in
        ["update consent_records set given = true", "delete from consent_records", "delete from consent_versions"]
    {
        let mut tx = pool.begin().await.expect("a transaction");
        sqlx::query("set local role bawwab_app").execute(&mut *tx).await.expect("works");
        assert!(sqlx::query(statement).execute(&mut *tx).await.is_err(), "{statement}");
    }
}

/// E5: what is required stands as long as the account; once it is not, or nobody is asked for it, it can be withdrawn.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_required_text_cannot_be_withdrawn_by_itself(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("terms", true).await;
    give(&world.sara, &path, 1).await.ok();
    refused(&world.sara.delete(&own(&path)).await, "consent_kept", "required");
    world.admin.patch(&path, json!({"required": false})).await.ok();
    world.sara.delete(&own(&path)).await.ok();
    world.sara.get("/auth/profile").await.ok();
    // It counts at once, and what was withdrawn is owed.
    world.admin.patch(&path, json!({"required": true})).await.ok();
    refused(&world.sara.get("/auth/profile").await, "consent_required", "withdrawn");
    give(&world.sara, &path, 1).await.ok();
    world.admin.delete(&path).await.ok();
    let text = world.sara.delete(&own(&path)).await.ok();
    assert_eq!(text["is_retired"], true);
}

/// E5: a retired text is asked of nobody, stays with those who gave it, and is changed no more.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_retired_text_is_asked_of_nobody(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("terms", true).await;
    refused(&world.sara.get("/auth/profile").await, "consent_required", "published");
    let retired = world.admin.delete(&path).await.ok();
    assert!(retired["retired_at"].is_string());
    world.sara.get("/auth/profile").await.ok();
    assert_eq!(own_texts(&world.sara).await, Vec::<Value>::new());
    assert_eq!(own_texts(&world.admin).await.len(), 1, "it was given");
    assert_eq!(give(&world.sara, &path, 1).await.status, StatusCode::NOT_FOUND);
    for late in [
        world.admin.patch(&path, json!({"required": false})).await,
        world.admin.post(&format!("{path}/publish"), json!({})).await,
        world.admin.delete(&path).await,
    ] {
        assert_eq!(late.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.admin.get("/admin/consents").await.ok()["items"][0]["key"], "terms");
}

/// E5: who may read does not change; versions keep two from passing each other; each wrong field is named.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn texts_are_kept_by_whoever_may(pool: PgPool) {
    let world = World::start(&pool).await;
    world.admin.make_role("reader", &["consents.read"]).await;
    let reader = world.app.person(&world.admin, "reader@x.example", &["reader"]).await;
    let path = world.text("news", false).await;
    for closed in ["/admin/consents", path.as_str(), &format!("{path}/versions"), &format!("{path}/users")] {
        refused(&world.sara.get(closed).await, "missing_permission", closed);
    }
    assert_eq!(reader.get(&path).await.ok()["latest"], 1);
    refused(&reader.get(&format!("{path}/users")).await, "missing_permission", "people are read by users.read");
    refused(&reader.patch(&path, json!({})).await, "missing_permission", "edit");
    refused(&reader.post(&format!("{path}/publish"), json!({})).await, "missing_permission", "publish");

    let version = world.admin.get(&path).await.headers["etag"].to_str().expect("ASCII").to_owned();
    let first = world.admin.with("if-match", &version);
    first.patch(&path, json!({"title_en": "News"})).await.ok();
    let late = first.post(&format!("{path}/publish"), json!({})).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(late.json()["changes"][0]["fields"], json!(["title_en"]));

    let wrong = json!({"key": "Not a key", "title_ar": "", "title_en": "x", "body_ar": "a\u{202e}b", "body_en": " "});
    let wrong = world.admin.post("/admin/consents", wrong).await.json();
    let fields = wrong["errors"].as_array().expect("errors").iter().map(|one| one["field"].clone());
    assert_eq!(fields.collect::<Vec<_>>(), ["key", "title_ar", "body_ar", "body_en"]);
    let taken = world.admin.post("/admin/consents", words("news", false)).await.json();
    assert_eq!((&taken["errors"][0]["field"], &taken["errors"][0]["code"]), (&json!("key"), &json!("taken")));
}

/// D1, E5: those who gave the last version come by name, page by page, each once; who withdrew or gave an earlier one does
/// not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn those_who_gave_it_are_counted_and_listed(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("news", false).await;
    for number in 0..5 {
        let person = world.app.person(&world.admin, &format!("p{number}@x.example"), &[]).await;
        give(&person, &path, 1).await.ok();
        if number == 4 {
            person.delete(&own(&path)).await.ok();
        }
    }
    assert_eq!(world.admin.get(&path).await.ok()["people"], 4);
    let people = format!("{path}/users");
    let names =
        |rows: Vec<Value>| rows.iter().map(|row| row["email"].as_str().expect("text").to_owned()).collect::<Vec<_>>();
    let whole = names(world.admin.all(&people).await);
    assert_eq!(whole, ["p0@x.example", "p1@x.example", "p2@x.example", "p3@x.example"]);
    for limit in [1, 2, 3] {
        assert_eq!(names(world.admin.all_by(&people, limit).await), whole, "{limit}");
    }
    world.publish(&path).await;
    assert_eq!(world.admin.get(&path).await.ok()["people"], 0);
    assert_eq!(world.admin.all(&people).await, Vec::<Value>::new());
    for key in ["a", "b", "c"] {
        draft(&world.admin, key, false).await;
    }
    let keys =
        |rows: Vec<Value>| rows.iter().map(|row| row["key"].as_str().expect("text").to_owned()).collect::<Vec<_>>();
    assert_eq!(keys(world.admin.all_by("/admin/consents", 1).await), ["a", "b", "c", "news"]);
}

/// E5: a text of another tenant does not exist, neither for those who answer it nor for those who keep texts, and holds
/// nobody up here.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_text_of_another_tenant_does_not_exist(pool: PgPool) {
    let world = World::start(&pool).await;
    let id = "0190a6e0-0000-7000-8000-00000000beef";
    sqlx::query(
        "with other as (insert into tenants (name) values ('other') returning id),
              text as (insert into consent_texts
                           (id, tenant_id, key, required, title_ar, title_en, body_ar, body_en, latest, created_at)
                       select $1::uuid, id, 'terms', true, 'a', 'a', 'a', 'a', 1, now() from other returning id, tenant_id)
         insert into consent_versions (tenant_id, text_id, number, title_ar, title_en, body_ar, body_en, published_at)
         select tenant_id, id, 1, 'a', 'a', 'a', 'a', now() from text",
    )
    .bind(id)
    .execute(&pool)
    .await
    .expect("another tenant's text");
    let path = format!("/admin/consents/{id}");
    for answer in [
        world.admin.get(&path).await,
        world.admin.patch(&path, json!({"required": false})).await,
        world.admin.post(&format!("{path}/publish"), json!({})).await,
        world.admin.delete(&path).await,
        world.admin.get(&format!("{path}/users")).await,
        give(&world.sara, &path, 1).await,
        world.sara.delete(&own(&path)).await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
    world.sara.get("/auth/profile").await.ok();
    assert_eq!(own_texts(&world.sara).await, Vec::<Value>::new());
    assert_eq!(world.admin.get("/admin/consents").await.ok()["items"], json!([]));
}

/// D2, E5: nobody gives or withdraws for somebody else; whoever owes a consent acts as nobody.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn nobody_consents_for_somebody_else(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("news", false).await;
    give(&world.sara, &path, 1).await.ok();
    let begun =
        world.admin.post("/admin/impersonate", json!({"target_user_id": world.sara.id, "reason": "r"})).await.ok();
    let acting = world.app.with_token(begun["impersonation_token"].as_str().expect("a token"));
    refused(&give(&acting, &path, 1).await, "not_while_impersonating", "give");
    refused(&acting.delete(&own(&path)).await, "not_while_impersonating", "withdraw");
    refused(&acting.get("/auth/consents").await, "not_while_impersonating", "read");
    assert_eq!(world.app.count("select count(*) from consent_records").await, 1);
    // What the other one owes does not hold up whoever acts as them; what they owe themselves does.
    let terms = draft(&world.admin, "terms", true).await;
    world.admin.post(&format!("{terms}/publish"), json!({})).await.ok();
    refused(&acting.get("/auth/approvals").await, "consent_required", "the administrator has not given it");
    give(&world.admin, &terms, 1).await.ok();
    assert_ne!(acting.get("/auth/approvals").await.code(), "consent_required");
}

/// E5, D6: a key is good for nothing while its holder owes a consent, and never gives one.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_key_waits_for_its_holder(pool: PgPool) {
    let world = World::start(&pool).await;
    let key = world.admin.post("/admin/api-keys", json!({"name": "k", "scopes": ["users.read"]})).await.ok();
    let key = world.app.with_token(key["secret"].as_str().expect("a secret"));
    assert_eq!(key.get("/admin/users").await.status, StatusCode::OK);
    let path = draft(&world.admin, "terms", true).await;
    world.admin.post(&format!("{path}/publish"), json!({})).await.ok();
    refused(&key.get("/admin/users").await, "consent_required", "owed");
    refused(&give(&key, &path, 1).await, "not_by_api_key", "give");
    give(&world.admin, &path, 1).await.ok();
    assert_eq!(key.get("/admin/users").await.status, StatusCode::OK);
}

/// E5, A13: the copy of one's data holds what one said to which text.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_copy_of_ones_data_holds_the_consents(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = world.text("news", false).await;
    give(&world.sara, &path, 1).await.ok();
    world.sara.delete(&own(&path)).await.ok();
    let data = world.sara.get("/auth/export").await.ok();
    let text = &data["consents"][0];
    assert_eq!((&text["key"], &text["wording"]["title_en"]), (&json!("news"), &json!("The news")));
    let said = text["records"].as_array().expect("records").iter().map(|one| one["given"] == true);
    assert_eq!(said.collect::<Vec<_>>(), [false, true]);
    assert_eq!(world.admin.get("/auth/export").await.ok()["consents"][0]["records"], json!([]));
}

/// B4, E5: who has to set up a second factor does that first, and then gives the text: neither leads round to the other.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_second_factor_comes_before_the_texts(pool: PgPool) {
    let world = World::start(&pool).await;
    let path = draft(&world.admin, "terms", true).await;
    world.admin.post(&format!("{path}/publish"), json!({})).await.ok();
    sqlx::query(
        "update settings set value = '{\"second_factor_roles\": [\"super-admin\"]}' where key = 'sessions.sign_in'",
    )
    .execute(&world.app.owner)
    .await
    .expect("a rule");
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let browser = world.app.anonymous().with("cookie", &world.app.anonymous().form("/login", &form).await.cookies());
    for page in ["/console", "/account/consents"] {
        assert_eq!(browser.get(page).await.headers["location"], "/account/two-factor", "{page}");
    }
    assert_eq!(browser.get("/account/two-factor").await.status, StatusCode::OK);
    refused(&world.admin.get("/auth/consents").await, "mfa_enrolment_required", "first the factor");
}
