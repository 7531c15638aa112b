//! What a tenant looks like: who may change it, what is kept of a file, who sees it, and under which address.

use std::io::Cursor;

use axum::http::{Method, StatusCode};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::tenants::other;
use crate::{
    access::server::Cx,
    app::server::{
        cli::enter_first_tenant,
        test_app::{Answer, Client, PASSWORD, PUBLIC, TestApp, options_of},
    },
    settings,
    tenants::accent::{Colour, DARK, LIGHT},
};

const LOGO: &str = "/admin/settings/logo";

/// A picture of one colour as a file.
fn file(shade: u8, format: ImageFormat) -> Vec<u8> {
    let picture = DynamicImage::ImageRgba8(RgbaImage::from_pixel(32, 16, Rgba([shade, 90, 98, 255])));
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a file");
    bytes.into_inner()
}

async fn put(client: &Client, file: Vec<u8>) -> Answer {
    client.send(Method::PUT, LOGO, Some("image/png"), file.into()).await
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map(|value| value.to_str().expect("ASCII")).unwrap_or_default()
}

async fn tenant_of(client: &Client) -> String {
    text(&client.get("/auth/me").await.ok()["tenant_id"])
}

/// Whoever signs in with the tests' password, in a browser.
async fn browser(app: &TestApp, email: &str) -> Client {
    let entered = app.anonymous().form("/login", &[("email", email), ("password", PASSWORD)]).await;
    app.anonymous().with("cookie", &entered.cookies()).with("accept-language", "en")
}

/// The address of the file of this kind that a page bears.
fn borne(page: &Answer, ending: &str) -> Option<String> {
    let mut addresses = page.text.split('"').filter(|part| part.starts_with("/brand/"));
    addresses.find(|address| address.ends_with(ending)).map(str::to_owned)
}

/// Posts the form of the branding as a browser does.
async fn send_form(browser: &Client, fields: &[(&str, &str)], logo: &[u8]) -> Answer {
    let mark = "----one-of-ours";
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--{mark}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    let name = if logo.is_empty() { "" } else { "logo.png" };
    let part = format!(
        "--{mark}\r\ncontent-disposition: form-data; name=\"logo\"; filename=\"{name}\"\r\n\
         content-type: application/octet-stream\r\n\r\n"
    );
    body.extend(part.into_bytes());
    body.extend_from_slice(logo);
    body.extend(format!("\r\n--{mark}--\r\n").into_bytes());
    let kind = format!("multipart/form-data; boundary={mark}");
    let client = browser.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
    client.send(Method::POST, "/console/settings", Some(&kind), body.into()).await
}

/// D4: a logo is drawn anew, stands on the page of whoever is not signed in, is kept by browsers for good under its own
/// address, and is gone from there once another one takes its place.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_logo_is_served_under_an_address_of_its_own(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    assert_eq!(borne(&app.anonymous().get("/login").await, ".png"), None);
    let mut sent = file(15, ImageFormat::Png);
    sent.extend_from_slice(b"PK\x03\x04SECRET");
    let settings = put(&admin, sent).await.ok();
    let (tenant, digest) = (tenant_of(&admin).await, text(&settings["branding"]["logo"]));
    let address = format!("/brand/{tenant}/{digest}.png");
    assert_eq!(borne(&app.anonymous().get("/login").await, ".png"), Some(address.clone()));
    assert_eq!(borne(&app.anonymous().get("/nothing").await, ".png"), Some(address.clone()));
    let hind = browser(&app, "hind@nakheel.example").await;
    for page in ["/console", "/console/settings"] {
        assert_eq!(borne(&hind.get(page).await, ".png"), Some(address.clone()), "{page}");
    }

    let served = hind.get(&address).await;
    assert_eq!(served.status, StatusCode::OK);
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "inline; filename=\"logo.png\""),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
        ("set-cookie", ""),
    ] {
        assert_eq!(header(&served, name), value, "{name}");
    }
    let kept: Vec<u8> =
        sqlx::query_scalar("select image from tenant_logos").fetch_one(&app.owner).await.expect("a logo");
    assert_eq!(served.text, String::from_utf8_lossy(&kept));
    assert!(kept.starts_with(b"\x89PNG\r\n\x1a\n") && !kept.windows(6).any(|part| part == b"SECRET"));

    let other = text(&put(&admin, file(200, ImageFormat::WebP)).await.ok()["branding"]["logo"]);
    assert_eq!(app.anonymous().get(&address).await.status, StatusCode::NOT_FOUND);
    let address = format!("/brand/{tenant}/{other}.png");
    assert_eq!(app.anonymous().get(&address).await.status, StatusCode::OK);
    assert_eq!(admin.delete(LOGO).await.ok()["branding"]["logo"], Value::Null);
    assert_eq!(app.anonymous().get(&address).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.count("select count(*) from tenant_logos").await, 0);
    let log = admin.get("/admin/audit?action=admin.settings_update").await.ok();
    let rows = log["items"].as_array().expect("rows");
    assert_eq!(rows.len(), 3, "put, replaced, removed: {log}");
    assert!(rows.iter().all(|row| row["resource_name"] == "tenants.branding"), "{log}");
}

/// D4, ASVS 5.2: whatever is no still picture of the three kinds and within the bounds is refused by name, and nothing of it
/// is kept.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn what_is_no_logo_is_refused(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let mut long = file(15, ImageFormat::Png);
    long.resize(256_001, 0);
    let mut wide = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(1_025, 4).write_to(&mut wide, ImageFormat::Png).expect("a file");
    for (sent, code) in [
        (svg, "malformed"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec(), "malformed"),
        (b"<!doctype html>".to_vec(), "malformed"),
        (long, "too_long"),
        (wide.into_inner(), "range"),
        (Vec::new(), "required"),
    ] {
        let refused = put(&admin, sent).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{code}: {}", refused.text);
        let wrong = refused.json()["errors"][0].clone();
        assert_eq!((text(&wrong["field"]), text(&wrong["code"])), ("branding.logo".to_owned(), code.to_owned()));
    }
    let far_too_long = put(&admin, vec![0; 300_000]).await;
    assert!(far_too_long.status.is_client_error(), "{}", far_too_long.status);
    assert_eq!(far_too_long.json()["errors"][0]["code"], "too_long");
    let reader = admin.make_role("reader", &["settings.read"]).await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    admin.post(&format!("/admin/users/{}/roles", sara.id), json!({"roles": [reader]})).await.ok();
    assert_eq!(put(&sara, file(15, ImageFormat::Png)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(put(&app.anonymous(), file(15, ImageFormat::Png)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.count("select count(*) from tenant_logos").await, 0);
    assert_eq!(
        admin.get("/admin/settings").await.ok()["branding"],
        json!({"name": null, "accent": null, "logo": null})
    );
}

/// D4, H4: an accent comes to pages as a style sheet of its own, with a tone for each theme that can be read.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_accent_comes_as_a_style_sheet(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    assert_eq!(borne(&app.anonymous().get("/login").await, ".css"), None);
    let edit = json!({"branding": {"name": " نخيل ", "accent": "#FFCC00"}});
    let settings = admin.patch("/admin/settings", edit).await.ok();
    assert_eq!(settings["branding"], json!({"name": "نخيل", "accent": "#ffcc00", "logo": null}));
    let login = app.anonymous().get("/login").await;
    assert!(login.text.contains("data-brand=\"نخيل\"") && login.text.contains("· نخيل</title>"), "{}", login.text);
    assert!(!login.text.contains("style="), "the page's policy knows no styles in the page");
    let address = borne(&login, ".css").expect("a style sheet");
    let sheet = app.anonymous().get(&address).await;
    assert_eq!((sheet.status, header(&sheet, "content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert_eq!(header(&sheet, "cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header(&sheet, "x-content-type-options"), "nosniff");
    assert_eq!(header(&sheet, "content-disposition"), "inline; filename=\"brand.css\"");
    let yellow = Colour::parse("#ffcc00").expect("a colour");
    let tones = format!("--accent:light-dark({},{})", LIGHT.tones(yellow).accent, DARK.tones(yellow).accent);
    assert!(sheet.text.contains(&tones), "{}", sheet.text);
    admin.patch("/admin/settings", json!({"branding": {"accent": "#0000ff"}})).await.ok();
    assert_eq!(app.anonymous().get(&address).await.status, StatusCode::NOT_FOUND);
    assert_ne!(borne(&app.anonymous().get("/login").await, ".css"), Some(address));
    for accent in ["red", "#fff", "#ffcc00}body{display:none"] {
        let refused = admin.patch("/admin/settings", json!({"branding": {"accent": accent}})).await;
        let wrong = &refused.json()["errors"][0];
        assert_eq!((&wrong["field"], &wrong["code"]), (&json!("branding.accent"), &json!("malformed")), "{accent}");
    }
    let long = "ن".repeat(41);
    let refused = admin.patch("/admin/settings", json!({"branding": {"name": long}})).await;
    assert_eq!(refused.json()["errors"][0]["field"], "branding.name");
}

/// D4: what is not there is not found, whatever it is called.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_file_that_is_not_there_is_not_found(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let digest = text(&put(&admin, file(15, ImageFormat::Png)).await.ok()["branding"]["logo"]);
    let tenant = tenant_of(&admin).await;
    let nobody = "0190a6e0-0000-7000-8000-000000000000";
    let (upper, short) = (digest.to_uppercase(), &digest[..31]);
    for path in [
        format!("/brand/{nobody}/{digest}.png"),
        format!("/brand/{tenant}/{digest}"),
        format!("/brand/{tenant}/{digest}.css"),
        format!("/brand/{tenant}/{digest}.svg"),
        format!("/brand/{tenant}/{short}.png"),
        format!("/brand/{tenant}/{upper}.png"),
        format!("/brand/{tenant}/.png"),
        format!("/brand/{tenant}/..%2f{digest}.png"),
        format!("/brand/{tenant}/%00.png"),
        format!("/brand/no-tenant/{digest}.png"),
    ] {
        let answer = app.anonymous().get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.text);
        assert_eq!(header(&answer, "cache-control"), "no-store", "{path}");
    }
}

/// D3, D4: each tenant has its own; nobody changes another's, and whoever is not signed in sees the first one's.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_branding_is_its_tenants_alone(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let (other, badr) = other(&app, &boss).await;
    let before = boss.get("/admin/settings").await.ok();

    let own = text(&put(&badr, file(200, ImageFormat::Png)).await.ok()["branding"]["logo"]);
    badr.patch("/admin/settings", json!({"branding": {"name": "البدر", "accent": "#990000"}})).await.ok();
    assert_eq!(boss.get("/admin/settings").await.ok(), before);
    let login = app.anonymous().get("/login").await;
    assert!(borne(&login, ".png").is_none() && borne(&login, ".css").is_none() && !login.text.contains("البدر"));
    let first = tenant_of(&boss).await;
    let logo = format!("/brand/{other}/{own}.png");
    let page = browser(&app, "badr@other.example").await.get("/console").await;
    assert_eq!(borne(&page, ".png"), Some(logo.clone()));
    assert!(page.text.contains("data-brand=\"البدر\""));
    assert_eq!(app.anonymous().get(&format!("/brand/{first}/{own}.png")).await.status, StatusCode::NOT_FOUND);
    let style = borne(&page, ".css").expect("a style sheet").replace(&other, &first);
    assert_eq!(app.anonymous().get(&style).await.status, StatusCode::NOT_FOUND);

    // The same picture in both: removing it in one leaves the other's.
    assert_eq!(text(&put(&boss, file(200, ImageFormat::Png)).await.ok()["branding"]["logo"]), own);
    boss.delete(LOGO).await.ok();
    assert_eq!(app.anonymous().get(&logo).await.status, StatusCode::OK);
    let hind = browser(&app, "hind@nakheel.example").await.get("/console").await;
    assert!(!hind.text.contains("data-brand") && borne(&hind, ".css").is_none());
}

/// D4: the group of settings says which logo there is, and cannot bring another.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_group_of_settings_keeps_the_logo(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let digest = text(&put(&admin, file(15, ImageFormat::Png)).await.ok()["branding"]["logo"]);
    let after = admin.patch("/admin/settings", json!({"branding": {"accent": "#0000ff"}})).await.ok();
    assert_eq!(after["branding"]["logo"], json!(digest));
    let same = json!({"branding": {"accent": "#0000ff", "logo": digest}});
    assert_eq!(admin.patch("/admin/settings", same).await.ok()["version"], after["version"], "nothing has changed");
    for logo in ["00000000000000000000000000000000", "../../x", ""] {
        let refused = admin.patch("/admin/settings", json!({"branding": {"logo": logo}})).await;
        assert_eq!(refused.json()["errors"][0]["field"], "branding.logo", "{logo}");
    }
    let seen = admin.get("/admin/settings").await;
    let etag = header(&seen, "etag").to_owned();
    admin.patch("/admin/settings", json!({"branding": {}})).await.ok();
    let late = put(&admin.with("if-match", &etag), file(200, ImageFormat::Png)).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "stale"));
}

/// D4: the operator's command holds the settings before it looks which logo there is, so it keeps the one that is there when
/// it writes.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_operators_command_holds_the_settings(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let digest = text(&put(&admin, file(15, ImageFormat::Png)).await.ok()["branding"]["logo"]);
    let free = "select count(*) from tenants
                where is_first and pg_try_advisory_xact_lock(hashtextextended('settings:' || id::text, 0))";
    assert_eq!(app.count(free).await, 1);
    let mut tx = Cx::for_job(app.heart.clone(), "test").node().await.expect("a transaction");
    enter_first_tenant(&mut tx).await.expect("the tenant");
    let set = settings::server::set(&mut tx, "tenants.branding", json!({"name": "نخيل"})).await;
    let event = set.expect("a branding").expect("a change");
    assert_eq!(app.count(free).await, 0, "another change would not wait");
    tx.commit(event).await.expect("it is kept");
    assert_eq!(app.count(free).await, 1);
    let after = admin.get("/admin/settings").await.ok()["branding"].clone();
    assert_eq!(after, json!({"name": "نخيل", "accent": null, "logo": digest}));
}

/// D4: the form works without scripts: it saves, tells what is wrong beside the field, and takes nothing from elsewhere.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_form_of_the_branding_works_without_scripts(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let hind = browser(&app, "hind@nakheel.example").await;
    let fields = [("act", "save"), ("name", "نخيل"), ("accent", "#ffcc00")];
    let saved = send_form(&hind, &fields, &file(15, ImageFormat::Png)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    assert!(header(&saved, "location").starts_with("/console/settings?"));
    let settings = admin.get("/admin/settings").await.ok();
    let branding = settings["branding"].clone();
    assert_eq!((&branding["name"], &branding["accent"]), (&json!("نخيل"), &json!("#ffcc00")));
    assert!(branding["logo"].is_string());

    // No file was chosen: the logo stays.
    send_form(&hind, &[("act", "save"), ("name", ""), ("accent", "#0f6b62")], b"").await;
    let after = admin.get("/admin/settings").await.ok()["branding"].clone();
    assert_eq!(after, json!({"name": null, "accent": null, "logo": branding["logo"]}), "the product's own again");

    let refused = send_form(&hind, &[("act", "save"), ("name", "بدر"), ("accent", "#123456")], b"<svg/>").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in ["id=\"wrong-branding.logo\"", "value=\"بدر\"", "value=\"#123456\""] {
        assert!(refused.text.contains(shown), "{shown}: {}", refused.text);
    }
    admin.patch("/admin/settings", json!({"passwords": {"shortest": 20}})).await.ok();
    let stale = send_form(&hind, &[("act", "save"), ("name", "بدر"), ("version", "0")], b"").await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    // What was changed meanwhile is told newest first, by the names that people read.
    let told = stale.text.split(" changed: ").skip(1).filter_map(|part| part.split('<').next()).collect::<Vec<_>>();
    let names: [&[&str]; 3] =
        [&["Fewest characters"], &["Name to show", "Accent"], &["Name to show", "Accent", "Logo"]];
    assert_eq!(told.len(), names.len(), "{told:?}");
    for (line, names) in told.iter().zip(names) {
        assert!(names.iter().all(|name| line.contains(name)), "{told:?}");
    }
    for version in ["", "x", "-1", "99999999999999999999", "-9223372036854775808"] {
        let unreadable = [("act", "save"), ("name", "بدر"), ("accent", "#123456"), ("version", version)];
        assert_eq!(send_form(&hind, &unreadable, b"").await.status, StatusCode::CONFLICT, "{version}");
    }
    assert_eq!(admin.get("/admin/settings").await.ok()["branding"], after);

    // What was not sent stays.
    send_form(&hind, &[("act", "save"), ("accent", "#123456")], b"").await;
    send_form(&hind, &[("act", "save"), ("name", "بدر")], b"").await;
    let both = admin.get("/admin/settings").await.ok()["branding"].clone();
    assert_eq!(both, json!({"name": "بدر", "accent": "#123456", "logo": branding["logo"]}));
    // Of a form that was cut nothing is taken, and the page shows what there is.
    let ours = hind.with("origin", PUBLIC).with("sec-fetch-site", "same-origin");
    let cut = "--x\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nنخ";
    let unread =
        ours.send(Method::POST, "/console/settings", Some("multipart/form-data; boundary=x"), cut.into()).await;
    assert_eq!(unread.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in ["value=\"بدر\"", "value=\"#123456\""] {
        assert!(unread.text.contains(shown), "{shown}: {}", unread.text);
    }
    send_form(&hind, &[("act", "save"), ("name", ""), ("accent", "#0f6b62")], b"").await;

    send_form(&hind, &[("act", "remove_logo"), ("name", "not taken")], b"").await;
    let after = admin.get("/admin/settings").await.ok()["branding"].clone();
    assert_eq!(after, json!({"name": null, "accent": null, "logo": null}));

    let foreign = hind.with("origin", "https://elsewhere.example").with("sec-fetch-site", "cross-site");
    let kind = Some("multipart/form-data; boundary=x");
    let refused = foreign.send(Method::POST, "/console/settings", kind, "--x--\r\n".into()).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "bad_origin"));
    app.person(&admin, "sara@x.example", &[]).await;
    let powerless = send_form(&browser(&app, "sara@x.example").await, &fields, b"").await;
    assert_eq!(powerless.status, StatusCode::FORBIDDEN);
    assert_eq!(admin.get("/admin/settings").await.ok()["branding"], after);
}
