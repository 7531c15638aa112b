//! Every form and page: whoever may not is sent to the door or refused, unless it is public or opens only the reader's own.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::app::server::{
    router,
    test_app::{Answer, PASSWORD, TestApp, options_of},
};

/// Whoever comes may post these forms. The other forms are for people who are signed in.
const PUBLIC_FORMS: &[&str] = &[
    "/login",
    "/setup",
    "/welcome",
    "/register",
    "/confirm",
    "/forgot",
    "/reset",
    "/magic-link",
    "/email/confirm",
    "/email/leave",
    "/email/cancel",
    "/login/passkey",
    "/login/code/passkey",
    "/login/code",
    "/login/mailed",
    "/logout",
    "/preferences",
];
/// Whoever comes may look at these pages.
const PUBLIC_PAGES: &[&str] = &[
    "/login",
    "/setup",
    "/welcome",
    "/register",
    "/confirm",
    "/forgot",
    "/reset",
    "/login/code",
    "/login/mailed",
    "/email/confirm",
    "/email/leave",
    "/email/cancel",
    "/magic-link",
];
/// These pages show what belongs to the reader alone, or only what the reader may see.
const OWN_PAGES: &[&str] = &[
    "/reauthenticate",
    "/account/two-factor",
    "/account/passkeys",
    "/account/consents",
    "/account/email",
    "/account/password",
    "/console",
    "/console/account",
    "/console/approvals",
    "/console/approvals/new",
    // Pieces that hold nothing, in debug builds only.
    "/console/design",
];

/// "Coverage": forms let nobody in who is not signed in but at the door itself, and take nothing from another site's page.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_form_refuses_whoever_may_not(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    for public in PUBLIC_FORMS {
        assert!(router::FORMS.iter().any(|(path, _)| path == public), "{public} is no form");
    }
    for (path, _) in router::FORMS {
        let foreign = app.anonymous().with("origin", "https://elsewhere.example");
        let refused = foreign.send(Method::POST, path, Some("application/x-www-form-urlencoded"), "a=b".into()).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "bad_origin"), "{path}");
        let answer = app.anonymous().form(path, &[]).await;
        if PUBLIC_FORMS.contains(path) {
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
        } else {
            let is_refused = is_sent_to_the_door(&answer) || answer.status == StatusCode::UNAUTHORIZED;
            assert!(is_refused, "{path} to nobody: {}", answer.status);
        }
    }
}

fn is_sent_to_the_door(answer: &Answer) -> bool {
    let to = answer.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or_default();
    answer.status.is_redirection() && (to == "/login" || to.starts_with("/login?next="))
}

/// "Coverage": pages send strangers to the door, and show the powerless nothing but a refusal or what is theirs.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_page_refuses_whoever_may_not(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    app.person(&admin, "powerless@x.example", &[]).await;
    let form = [("email", "powerless@x.example"), ("password", PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let powerless = app.anonymous().with("cookie", &cookies);
    let pages = router::page_routes();
    let paths = pages.iter().map(|page| page.path().trim_end_matches('/')).collect::<BTreeSet<_>>();
    assert!(paths.len() > 30, "{paths:?}");
    for listed in PUBLIC_PAGES.iter().chain(OWN_PAGES) {
        assert!(paths.contains(listed) || *listed == "/console/design", "{listed} is no page");
    }
    for path in paths {
        let page = path.replace("{id}", &admin.id);
        assert!(!page.contains(['{', ':', '*']), "say here what stands in {path}");
        let answer = app.anonymous().get(&page).await;
        if PUBLIC_PAGES.contains(&path) {
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
            continue;
        }
        assert!(is_sent_to_the_door(&answer), "{path} to nobody: {}", answer.status);
        let status = powerless.get(&page).await.status;
        if OWN_PAGES.contains(&path) {
            assert!(!status.is_server_error() && status != StatusCode::FORBIDDEN, "{path} to the powerless: {status}");
        } else {
            assert_eq!(status, StatusCode::FORBIDDEN, "{path} to the powerless");
        }
    }
}
