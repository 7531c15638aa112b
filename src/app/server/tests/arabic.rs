//! Arabic first: spellings that find each other, names that cannot pass for others, and the reader's digits.

use axum::http::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{
    app::server::{
        cli::set_up_link,
        test_app::{Answer, PASSWORD, PUBLIC, TestApp, options_of},
    },
    base::{errors::FieldCode, language},
    i18n::Locale,
};

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn names(list: &Value, field: &str) -> Vec<String> {
    let items = list.get("items").unwrap_or(list).as_array().expect("a list").iter();
    items.map(|row| row[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// D1, E3: the same words find the same people, roles and acts over REST and from the pages.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_list_folds_spellings_and_takes_words_in_any_order(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let page = admin.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
    let person = json!({
        "name": "أَحْمَد الغامدي", "email": "p7@x.example", "username": "ahmad.g", "department": "إدارة الهيئة",
    });
    admin.post("/admin/users", person).await.ok();
    admin.post("/admin/users", json!({"name": "Dana", "email": "dana@x.example"})).await.ok();
    let role = json!({"name": "مسؤول الهُويّة ٢", "description": "يراجع طلبات الموظفين"});
    admin.post("/admin/roles", role).await.ok();

    for q in ["احمد", "غامدى احمد", "هيئه اداره", "AHMAD.G", "p٧@X أحمد"] {
        let list = admin.get(&format!("/admin/users?q={}", encoded(q))).await.ok();
        assert_eq!(names(&list, "name"), ["أَحْمَد الغامدي"], "{q}");
        let list = page.post("/api/people/list", json!({"query": {"q": q}})).await.ok();
        assert_eq!(names(&list, "name"), ["أَحْمَد الغامدي"], "{q}");
        let query = json!({"query": {"q": q, "action": "admin.user_create"}});
        let list = page.post("/api/audit/list", query).await.ok();
        assert_eq!(names(&list, "resource_name"), ["أَحْمَد الغامدي"], "{q}");
    }
    for q in ["مسوول هويه", "الهوية 2", "الموظفين يراجع", "موظفين مسؤول"] {
        let list = admin.get(&format!("/admin/roles?q={}", encoded(q))).await.ok();
        assert_eq!(names(&list, "name"), ["مسؤول الهُويّة ٢"], "{q}");
        let list = admin.get(&format!("/admin/audit?action=admin.role_create&q={}", encoded(q))).await.ok();
        assert_eq!(names(&list, "resource_name"), ["مسؤول الهُويّة ٢"], "{q}");
    }
    for q in ["احمد dana", "%", "zz_", "\\"] {
        for list in ["users", "roles", "audit"] {
            let found = admin.get(&format!("/admin/{list}?q={}", encoded(q))).await.ok();
            assert_eq!(names(&found, "id"), Vec::<String>::new(), "{list} {q}");
        }
    }
    for list in ["users", "roles", "audit"] {
        let refused = admin.get(&format!("/admin/{list}?q={}", "a".repeat(201))).await;
        assert_eq!(refused.json()["errors"][0]["field"], "q", "{list}: {}", refused.text);
    }
}

fn is_refused(answer: &Answer, field: &str, code: FieldCode, locale: Locale) {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
    let title = language::field_error(locale, code);
    assert_eq!(answer.json()["errors"], json!([{"field": field, "code": code, "title": title}]));
}

/// UTS 39: who reads a name sees whose it is. A name that only looks like another is refused, and the answer says why.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_name_cannot_pass_for_another(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let arabic = admin.with("accept-language", "ar");
    let english = admin.with("accept-language", "en");
    let person = |field: &str, value: &str| {
        let mut person = json!({"email": "a@x.example", "name": "Sara"});
        person[field] = json!(value);
        person
    };
    for field in ["name", "username", "department", "region"] {
        let refused = arabic.post("/admin/users", person(field, "Fіnance")).await;
        is_refused(&refused, field, FieldCode::MixedScripts, Locale::ar);
    }
    let sara = admin.post("/admin/users", person("username", "ceo")).await.ok();
    let refused = english.post("/admin/users", json!({"email": "b@x.example", "name": "b", "username": "сео"})).await;
    is_refused(&refused, "username", FieldCode::Lookalike, Locale::en);
    let path = format!("/admin/users/{}", sara["id"].as_str().expect("an id"));
    is_refused(&english.patch(&path, json!({"name": "Сara"})).await, "name", FieldCode::MixedScripts, Locale::en);
    admin.patch(&path, json!({"name": "سارة Al-Mutairi", "department": "فريق الـAPI"})).await.ok();

    let role = |name: &str| json!({"name": name});
    is_refused(&arabic.post("/admin/roles", role("аdmin")).await, "name", FieldCode::MixedScripts, Locale::ar);
    is_refused(&arabic.post("/admin/roles", role("сео")).await, "name", FieldCode::Lookalike, Locale::ar);
    is_refused(&english.post("/admin/roles", role("СЕО")).await, "name", FieldCode::Lookalike, Locale::en);
    for taken in ["CEO", "ｃｅｏ", " ceo "] {
        is_refused(&english.post("/admin/roles", role(taken)).await, "name", FieldCode::Taken, Locale::en);
    }
    for platform in ["Super-Admin", "super\u{2011}admin", "ＳＵＰＥＲ－ＡＤＭＩＮ"] {
        is_refused(&english.post("/admin/roles", role(platform)).await, "name", FieldCode::Taken, Locale::en);
    }
    let manager = admin.make_role("مُدير المالية", &[]).await;
    is_refused(&arabic.post("/admin/roles", role("مديـر الماليه")).await, "name", FieldCode::Taken, Locale::ar);
    is_refused(&arabic.post("/admin/roles", role("مدير  المالية")).await, "name", FieldCode::Lookalike, Locale::ar);
    let path = format!("/admin/roles/{manager}");
    is_refused(&arabic.patch(&path, role("СЕО")).await, "name", FieldCode::Lookalike, Locale::ar);
    admin.patch("/admin/settings", json!({"registration": {"mode": "open"}})).await.ok();
    let newcomer = json!({"email": "n@x.example", "name": "Fіnance", "password": PASSWORD});
    let visitor = app.anonymous().with("accept-language", "ar");
    is_refused(&visitor.post("/auth/register", newcomer).await, "name", FieldCode::MixedScripts, Locale::ar);
    // Its own name in another spelling is nobody else's.
    admin.patch(&path, role("مدير المالية")).await.ok();
    admin.make_role("مدير المالية والحسابات", &[]).await;
}

/// H1: the page that the server draws has the reader's digits, wherever a text has numbers.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_page_is_drawn_with_its_readers_digits(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let link = set_up_link(app.heart.clone()).await.expect("a link").expect("nobody is super-admin yet");
    let path = link.strip_prefix(PUBLIC).expect("a path of ours");
    let page = async |cookies: &str| app.anonymous().with("cookie", cookies).get(path).await.text;
    let latin = page("bawwab_locale=ar").await;
    assert!(latin.contains("من 15 إلى 256") && !latin.contains("data-digits"), "{latin}");
    let arabic = page("bawwab_locale=ar; bawwab_digits=arabic").await;
    assert!(arabic.contains("من ١٥ إلى ٢٥٦") && arabic.contains("data-digits=\"arabic\""), "{arabic}");
    assert!(arabic.contains("maxlength=\"256\""), "attributes for programs keep theirs: {arabic}");
    let english = page("bawwab_locale=en; bawwab_digits=arabic").await;
    assert!(english.contains("15 to 256") && !english.contains("data-digits"), "{english}");
}

/// H1: a choice is kept by a cookie, and nothing else is.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn digits_and_calendar_are_chosen_like_language_and_theme(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let choose = async |name: &str, value: &str| {
        let answer = app.anonymous().form("/preferences", &[(name, value), ("next", "/console/audit")]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.headers["location"], "/console/audit");
        answer.cookies()
    };
    assert_eq!(choose("digits", "arabic").await, "bawwab_digits=arabic");
    assert_eq!(choose("digits", "latin").await, "bawwab_digits=latin");
    assert_eq!(choose("calendar", "hijri").await, "bawwab_calendar=hijri");
    assert_eq!(choose("calendar", "gregorian").await, "bawwab_calendar=gregorian");
    assert_eq!(choose("digits", "a; Domain=evil").await, "");
    assert_eq!(choose("calendar", "mayan").await, "");
}
