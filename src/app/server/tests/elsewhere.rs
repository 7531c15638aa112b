//! Following a link of ours on another site's page: browsers keep the cookies back, and people are not asked to sign in again.

use axum::http::StatusCode;
use sqlx::PgPool;

use crate::app::server::test_app::{Client, PASSWORD, TestApp, options_of};

const PATH: &str = "/console/people?q=a%26b";
const DOOR: &str = "/login?next=%2Fconsole%2Fpeople%3Fq%3Da%2526b";

fn followed(client: &Client, site: &str) -> Client {
    client.with("sec-fetch-site", site).with("sec-fetch-mode", "navigate")
}

async fn signed_in(app: &TestApp) -> Client {
    app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    app.anonymous().with("cookie", &app.anonymous().form("/login", &form).await.cookies())
}

/// ASVS 3.3.2 (`SameSite=Strict`): a page of ours goes on to the door, to which the browser brings its cookies.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_mailed_address_leads_whoever_is_signed_in_to_its_page(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let browser = signed_in(&app).await;
    for site in ["cross-site", "same-site"] {
        for path in [PATH, "/console/account?tab=data", "/account/email", "/reauthenticate"] {
            let hop = followed(&app.anonymous(), site).get(path).await;
            assert_eq!(hop.status, StatusCode::OK, "{path}");
            let next = form_urlencoded::Serializer::new(String::new()).append_pair("next", path).finish();
            assert!(hop.text.contains(&format!("content=\"0;url=/login?{next}\"")), "{}", hop.text);
            assert!(hop.headers.get("set-cookie").is_none(), "no cookie of the browser's is taken away");
            let policy = hop.headers["content-security-policy"].to_str().expect("ASCII");
            assert!(policy.starts_with("default-src 'none'"), "{policy}");
            assert_eq!(hop.headers["cache-control"], "no-store");
        }
    }
    let arrived = followed(&browser, "same-origin").get(DOOR).await;
    assert_eq!((arrived.status, &arrived.headers["location"]), (StatusCode::FOUND, &PATH.parse().expect("a path")));
    assert_eq!(followed(&browser, "same-origin").get(PATH).await.status, StatusCode::OK);
    let stranger = followed(&app.anonymous(), "same-origin");
    assert_eq!(stranger.get(DOOR).await.status, StatusCode::OK, "whoever is not signed in is asked to");
    assert_eq!(stranger.get(PATH).await.headers["location"], DOOR);
}

/// GHSA-36f2-fcrx-fp4j: the door leads nobody to another site, and what is not a link that was followed gets no page.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_door_leads_to_our_own_pages_only(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let browser = signed_in(&app).await;
    for next in ["//evil.example", "https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", ""] {
        let door = browser.get(&format!("/login?next={next}")).await;
        assert_eq!(door.headers["location"], "/console", "{next}");
    }
    assert_eq!(browser.get("/login").await.headers["location"], "/console");
    let fetched = app.anonymous().with("sec-fetch-site", "cross-site").with("sec-fetch-mode", "no-cors");
    assert_eq!(fetched.get(PATH).await.headers["location"], DOOR);
    let posted = followed(&browser, "cross-site").with("origin", "https://evil.example");
    let kind = Some("application/x-www-form-urlencoded");
    let refused = posted.send(axum::http::Method::POST, "/console/account", kind, "act=export".into()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}
