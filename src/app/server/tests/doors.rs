//! Getting in and out.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;
use sqlx::PgPool;

use crate::app::server::{
    cli::set_up_link,
    test_app::{Client, PASSWORD, PUBLIC, TestApp, options_of},
};

/// A12: a one-time link, no default password, leads to the first super-admin, once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_set_up_link_makes_the_first_super_admin_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let link = set_up_link(app.heart.clone()).await.expect("works").expect("nobody is super-admin");
    assert!(link.starts_with(&format!("{PUBLIC}/setup?token=")));
    let token = link.split_once('=').expect("a token").1;
    let form = |name, password| {
        [
            ("token", token),
            ("name", name),
            ("email", "a@b.example"),
            ("password", password),
            ("password_again", PASSWORD),
        ]
    };
    let short = app.anonymous().form("/setup", &form("هند", "short")).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text.contains("هند"), "what was typed comes back");
    assert!(!short.text.contains("value=\"short\""), "but no password");
    let done = app.anonymous().form("/setup", &form("هند", PASSWORD)).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let me = app.anonymous().with("cookie", &done.cookies()).get("/auth/me").await.ok();
    assert_eq!(me["is_super_admin"], true);
    let again = app.anonymous().form("/setup", &form("هند", PASSWORD)).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(set_up_link(app.heart.clone()).await.expect("works").is_none());
    assert_eq!(app.actions().await, ["auth.setup"]);
}

/// A12: the link runs out, and a newer one voids it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_set_up_link_runs_out_and_gives_way(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let first = set_up_link(app.heart.clone()).await.expect("works").expect("a link");
    let second = set_up_link(app.heart.clone()).await.expect("works").expect("a link");
    let page = |link: &str| link.strip_prefix(PUBLIC).expect("our address").to_owned();
    assert_eq!(app.anonymous().get(&page(&first)).await.status, StatusCode::GONE);
    assert_eq!(app.anonymous().get(&page(&second)).await.status, StatusCode::OK);
    app.advance(Duration::from_secs(24 * 3600 + 1)).await;
    assert_eq!(app.anonymous().get(&page(&second)).await.status, StatusCode::GONE);
}

/// A2: one message for unknown, wrong, suspended and not yet confirmed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_way_of_not_getting_in_looks_the_same(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sara = app.person(&admin, "sara@x.example", &[]).await;
    admin.patch(&format!("/admin/users/{}/status", sara.id), json!({"status": "suspended"})).await.ok();
    admin.post("/admin/users", json!({"email": "new@x.example", "name": "new"})).await.ok();
    let mut answers = Vec::new();
    for (email, password) in [
        ("nobody@x.example", PASSWORD),
        ("hind@nakheel.example", "not the right passphrase"),
        ("sara@x.example", PASSWORD),
        ("new@x.example", PASSWORD),
    ] {
        let answer = app.anonymous().post("/auth/login", json!({"email": email, "password": password})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{email}");
        answers.push(answer.text);
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert!(answers[0].contains("البريد أو كلمة المرور غير صحيحة"));
}

/// Source 003: the answer of a sign-in, and the same person by user name and in whatever form the address is typed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn people_sign_in_by_address_or_user_name(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let body = json!({"email": "Sara@X.Example", "name": "سارة", "username": "sara_m", "password": PASSWORD});
    admin.post("/admin/users", body).await.ok();
    for login in ["sara@x.example", " SARA＠x.example", "sara_m", "Sara_M"] {
        let tokens = app.anonymous().post("/auth/login", json!({"email": login, "password": PASSWORD})).await.ok();
        assert_eq!(tokens["expires_in"], 900, "{login}");
        assert!(tokens["access_token"].is_string() && tokens["refresh_token"].is_string());
    }
}

/// Decision "password hash": a bcrypt hash opens once and is then Argon2id.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_bcrypt_hash_is_renewed_at_the_next_sign_in(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let hash = bcrypt::hash(PASSWORD, 4).expect("a hash");
    sqlx::query("update users set password_hash = $1").bind(hash).execute(&app.owner).await.expect("works");
    app.sign_in("hind@nakheel.example").await;
    let new: String =
        sqlx::query_scalar("select password_hash from users").fetch_one(&app.owner).await.expect("a hash");
    assert!(new.starts_with("$argon2id$"), "{new}");
    app.sign_in("hind@nakheel.example").await;
    assert_eq!(admin.get("/auth/me").await.status, StatusCode::OK);
}

/// A8, CVE-2025-24806: whatever name is used, one account has one budget, and the right password comes too late.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn guesses_are_counted_by_account_under_any_name(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let body = json!({"email": "sara@x.example", "name": "s", "username": "sara", "password": PASSWORD});
    admin.post("/admin/users", body).await.ok();
    let attempt = async |login: &str, password: &str| {
        app.anonymous().post("/auth/login", json!({"email": login, "password": password})).await
    };
    for login in ["sara@x.example", "SARA@x.example", "sara", " sara ", "sara＠x.example"] {
        assert_eq!(attempt(login, "wrong wrong wrong").await.status, StatusCode::UNAUTHORIZED);
    }
    let blocked = attempt("sara@x.example", PASSWORD).await;
    assert_eq!(blocked.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(blocked.headers.contains_key("retry-after"));
    app.advance(Duration::from_secs(3)).await;
    attempt("sara", PASSWORD).await.ok();
    assert!(app.actions().await.contains(&"auth.lockout".to_owned()));
    // Whoever proved themselves starts again.
    assert_eq!(attempt("sara", "wrong wrong wrong").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(attempt("sara", "wrong wrong wrong").await.status, StatusCode::UNAUTHORIZED);
}

/// A8: a name that nobody has waits like any other, so that waiting tells nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_unknown_name_has_to_wait_as_well(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let attempt = async || {
        app.anonymous().post("/auth/login", json!({"email": "no@x.example", "password": PASSWORD})).await.status
    };
    for _ in 0..5 {
        assert_eq!(attempt().await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(attempt().await, StatusCode::TOO_MANY_REQUESTS);
}

/// authentik IncludeSec M1: parallel guesses are counted before they are judged.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn parallel_guesses_get_no_more_than_the_budget(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let tries = (0..40).map(|_| {
        let app = app.clone();
        tokio::spawn(async move {
            let body = json!({"email": "hind@nakheel.example", "password": "wrong wrong wrong"});
            app.anonymous().post("/auth/login", body).await.status
        })
    });
    let mut judged = 0;
    for attempt in tries {
        if attempt.await.expect("no panic") == StatusCode::UNAUTHORIZED {
            judged += 1;
        }
    }
    assert_eq!(judged, 5);
}

/// ZerosAndOnesLLC/AiFw#165: an address cannot be spoofed by a header, and has a budget of its own.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_address_runs_out_of_guesses_whatever_it_claims(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let attempt = async |n: usize| {
        let client = app.anonymous().with("x-forwarded-for", &format!("198.51.100.{n}"));
        client.post("/auth/login", json!({"email": format!("p{n}@x.example"), "password": PASSWORD})).await.status
    };
    for n in 0..30 {
        assert_eq!(attempt(n).await, StatusCode::UNAUTHORIZED, "{n}");
    }
    assert_eq!(attempt(31).await, StatusCode::TOO_MANY_REQUESTS);
}

/// A8: people who prove themselves do not use up their address: a whole office may sign in.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn good_sign_ins_do_not_use_up_an_address(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    for _ in 0..40 {
        app.sign_in("hind@nakheel.example").await;
    }
    // And one good account hides no guesses at others.
    let mut refused = 0;
    for n in 0..40 {
        let body = json!({"email": format!("p{n}@x.example"), "password": PASSWORD});
        let status = app.anonymous().post("/auth/login", body).await.status;
        refused += usize::from(status == StatusCode::UNAUTHORIZED);
        let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
        app.anonymous().post("/auth/login", body).await;
    }
    assert_eq!(refused, 30);
}

/// A3: a refresh rotates; what is spent is refused, and shown later it ends the family and is audited.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_spent_refresh_token_shown_later_ends_the_family(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    let first = app.anonymous().post("/auth/login", body).await.ok();
    let refresh =
        async |token: &serde_json::Value| app.anonymous().post("/auth/refresh", json!({"refresh_token": token})).await;
    let second = refresh(&first["refresh_token"]).await.ok();
    assert_eq!(refresh(&first["refresh_token"]).await.status, StatusCode::UNAUTHORIZED);
    // Within ten seconds that was a race: the child is still good.
    let third = refresh(&second["refresh_token"]).await.ok();
    app.advance(Duration::from_secs(11)).await;
    assert_eq!(refresh(&second["refresh_token"]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&third["refresh_token"]).await.status, StatusCode::UNAUTHORIZED);
    let access = app.with_token(third["access_token"].as_str().expect("a token"));
    assert_eq!(access.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert!(app.actions().await.contains(&"auth.refresh_reuse".to_owned()));
}

/// KC50999: rotations within one and the same second are told apart.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn rotations_with_the_clock_standing_still_are_told_apart(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    let mut tokens = vec![app.anonymous().post("/auth/login", body).await.ok()["refresh_token"].clone()];
    for _ in 0..3 {
        let last = tokens.last().expect("one");
        let next = app.anonymous().post("/auth/refresh", json!({"refresh_token": last})).await.ok();
        tokens.push(next["refresh_token"].clone());
    }
    for spent in &tokens[..3] {
        let answer = app.anonymous().post("/auth/refresh", json!({"refresh_token": spent})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}

/// A4: signing out ends this session at once, or every one of the person.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn signing_out_takes_effect_at_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let here = app.admin().await;
    let there = app.sign_in("hind@nakheel.example").await;
    let third = app.sign_in("hind@nakheel.example").await;
    here.post("/auth/logout", json!({})).await.ok();
    assert_eq!(here.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(there.get("/auth/me").await.status, StatusCode::OK);
    there.post("/auth/logout", json!({"everywhere": true})).await.ok();
    assert_eq!(third.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// A3: access lasts fifteen minutes, the session thirty days without use, ninety in all.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn tokens_and_sessions_run_out(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    let mut tokens = app.anonymous().post("/auth/login", body.clone()).await.ok();
    let me = async |tokens: &serde_json::Value| {
        app.with_token(tokens["access_token"].as_str().expect("a token")).get("/auth/me").await.status
    };
    app.advance(Duration::from_secs(899)).await;
    assert_eq!(me(&tokens).await, StatusCode::OK);
    app.advance(Duration::from_secs(2)).await;
    assert_eq!(me(&tokens).await, StatusCode::UNAUTHORIZED);
    for _ in 0..3 {
        app.advance(Duration::from_secs(29 * 86_400)).await;
        let body = json!({"refresh_token": tokens["refresh_token"]});
        tokens = app.anonymous().post("/auth/refresh", body).await.ok();
        assert_eq!(me(&tokens).await, StatusCode::OK);
    }
    app.advance(Duration::from_secs(4 * 86_400)).await;
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(app.anonymous().post("/auth/refresh", refresh).await.status, StatusCode::UNAUTHORIZED);
    let idle = app.anonymous().post("/auth/login", body).await.ok();
    app.advance(Duration::from_secs(31 * 86_400)).await;
    let refresh = json!({"refresh_token": idle["refresh_token"]});
    assert_eq!(app.anonymous().post("/auth/refresh", refresh).await.status, StatusCode::UNAUTHORIZED);
}

/// A2: the browser's cookies are bound to this host, unreadable, and never sent from elsewhere; they renew themselves.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_browser_session_renews_itself_and_ends_with_log_out(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD), ("next", "/console/people")];
    let entered = app.anonymous().form("/login", &form).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER);
    assert_eq!(entered.headers["location"], "/console/people");
    for cookie in entered.headers.get_all("set-cookie") {
        let cookie = cookie.to_str().expect("ASCII");
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for part in ["; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"] {
            assert!(cookie.contains(part), "{cookie} lacks {part}");
        }
        assert!(!cookie.contains("Domain"));
    }
    let browser = app.anonymous().with("cookie", &entered.cookies());
    assert_eq!(browser.get("/auth/me").await.status, StatusCode::OK);
    app.advance(Duration::from_secs(3600)).await;
    let renewed = browser.get("/auth/me").await;
    assert_eq!(renewed.status, StatusCode::OK);
    assert!(renewed.cookies().contains("__Host-bawwab-access="));
    let left = browser.form("/logout", &[]).await;
    assert_eq!(left.headers["location"], "/login");
    assert_eq!(browser.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get("/console").await.headers["location"], "/login?next=%2Fconsole");
}

/// "Sessions": a change of rights renews a browser's key once, and the one before lasts for requests under way.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_change_of_rights_renews_the_session_key(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let (old, renewed, device) = renewed_by_a_grant(&app, &admin).await;
    // A second tab that did not see the new key goes on, and gets no key of its own.
    let second_tab = old.get("/auth/me").await;
    assert_eq!(second_tab.status, StatusCode::OK);
    assert!(!second_tab.cookies().contains("__Host-bawwab-session="));
    let new = app.anonymous().with("cookie", &format!("{renewed}; {device}"));
    assert_eq!(new.get("/auth/me").await.status, StatusCode::OK);
    // The access part has run out, so the new key is shown; the old one is good for the moment after that.
    app.advance(Duration::from_secs(901)).await;
    assert_eq!(new.get("/auth/me").await.status, StatusCode::OK);
    assert_eq!(old.get("/auth/me").await.status, StatusCode::OK, "requests under way");
    app.advance(Duration::from_secs(901)).await;
    assert_eq!(old.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "the moment is over");
    assert_eq!(new.get("/auth/me").await.status, StatusCode::OK);
}

/// "Sessions", A2: an answer that brings a new key can be lost. Whoever goes on with the old one stays signed in and is
/// given another, one of parallel requests; the lost one opens nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_lost_session_key_is_given_again(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let (old, lost, device) = renewed_by_a_grant(&app, &admin).await;
    app.advance(Duration::from_secs(901)).await;
    let asking = (0..8).map(|_| {
        let old = old.clone();
        tokio::spawn(async move { old.get("/auth/me").await })
    });
    let mut given = Vec::new();
    for answer in asking.collect::<Vec<_>>() {
        let answer = answer.await.expect("an answer");
        assert_eq!(answer.status, StatusCode::OK);
        given.extend(Some(answer.cookies()).filter(|cookies| cookies.contains("__Host-bawwab-session=")));
    }
    assert_eq!(given.len(), 1, "one of parallel requests is given the key");
    let stolen = app.anonymous().with("cookie", &format!("{}; {device}", session_pair(&lost)));
    assert_eq!(stolen.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "the lost key is none");
    let new = app.anonymous().with("cookie", &format!("{}; {device}", session_pair(&given[0])));
    assert_eq!(new.get("/auth/me").await.status, StatusCode::OK);
    app.advance(Duration::from_secs(901)).await;
    assert_eq!(old.get("/auth/me").await.status, StatusCode::UNAUTHORIZED, "the new one has been shown");
    assert_eq!(new.get("/auth/me").await.status, StatusCode::OK);
}

/// "Sessions", C1, C5: a change of a role, or a policy, renews the keys of whoever it reaches, also where they are so many that
/// nobody's own row is marked; each once.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_change_of_a_role_renews_the_keys_of_all_who_have_it(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let role = admin.make_role("desk", &["users.read"]).await;
    let sara = app.person(&admin, "sara@x.example", &["desk"]).await;
    let form = [("email", "sara@x.example"), ("password", PASSWORD)];
    let mut cookies = app.anonymous().form("/login", &form).await.cookies();
    let device =
        cookies.split("; ").find(|pair| pair.starts_with("__Host-bawwab-device=")).expect("a device").to_owned();
    let person = format!("/admin/users/{}", sara.id);
    let mut version = admin.get(&person).await.ok()["version"].as_i64().expect("a version");
    let many = "with added as (
                    insert into users (id, tenant_id, email, name, status, created_at)
                    select gen_random_uuid(), tenant_id, 'many' || n || '@x.example', 'Many', 'active', created_at
                    from users cross join generate_series(1, 1000) n where email = 'sara@x.example'
                    returning id, tenant_id, created_at)
                insert into user_roles (tenant_id, user_id, role_id, created_at)
                select tenant_id, id, (select id from roles where name = 'desk'), created_at from added";
    for (gives, with_many, is_marked) in [(["audit.read"], false, true), (["users.read"], true, false)] {
        if with_many {
            sqlx::query(many).execute(&pool).await.expect("many people");
        }
        admin.patch(&format!("/admin/roles/{role}"), json!({"permissions": gives})).await.ok();
        let now = admin.get(&person).await.ok()["version"].as_i64().expect("a version");
        assert_eq!(now > version, is_marked, "{gives:?}");
        version = now;
        let renewed = app.anonymous().with("cookie", &cookies).get("/auth/me").await;
        assert_eq!(renewed.status, StatusCode::OK, "{gives:?}");
        assert!(renewed.cookies().contains("__Host-bawwab-session="), "{gives:?}: {}", renewed.cookies());
        cookies = format!("{}; {device}", renewed.cookies());
        let again = app.anonymous().with("cookie", &cookies).get("/auth/me").await;
        assert_eq!(
            (again.status, again.cookies().contains("__Host-bawwab-session=")),
            (StatusCode::OK, false),
            "{gives:?}"
        );
    }
    // A policy about all of them moves theirs as well.
    let rules = json!([{"effect": "allow", "condition": {"user.department": {"eq": "المالية"}}}]);
    let policy = json!({"name": "p", "mode": "require", "actions": ["users.read"], "rules": rules, "active": true});
    admin.post("/admin/policies", policy).await.ok();
    assert_eq!(admin.get(&person).await.ok()["version"].as_i64(), Some(version), "more than are marked");
    let renewed = app.anonymous().with("cookie", &cookies).get("/auth/me").await;
    assert!(renewed.cookies().contains("__Host-bawwab-session="), "{}", renewed.cookies());
    // Whoever signs in afterwards has a key of now.
    let entered = app.anonymous().form("/login", &form).await.cookies();
    let fresh = app.anonymous().with("cookie", &entered).get("/auth/me").await;
    assert_eq!((fresh.status, fresh.cookies().contains("__Host-bawwab-session=")), (StatusCode::OK, false));
}

/// Somebody signed in by a browser, whose rights then change: the browser with its old cookies, the cookies that the next
/// answer brings, and the cookie of the device.
async fn renewed_by_a_grant(app: &TestApp, admin: &Client) -> (Client, String, String) {
    let sara = app.person(admin, "sara@x.example", &[]).await;
    let form = [("email", "sara@x.example"), ("password", PASSWORD)];
    let entered = app.anonymous().form("/login", &form).await.cookies();
    let old = app.anonymous().with("cookie", &entered);
    let overrides = json!({"allow": ["users.read"]});
    admin.patch(&format!("/admin/users/{}/permissions", sara.id), overrides).await.ok();
    let renewed = old.get("/auth/me").await;
    assert_eq!(renewed.status, StatusCode::OK);
    assert!(renewed.cookies().contains("__Host-bawwab-session="), "{}", renewed.cookies());
    let device = entered.split("; ").find(|pair| pair.starts_with("__Host-bawwab-device=")).expect("a device");
    (old, renewed.cookies(), device.to_owned())
}

/// The session's secret alone, without the access part beside it.
fn session_pair(cookies: &str) -> String {
    let pair = cookies.split("; ").find(|pair| pair.starts_with("__Host-bawwab-session="));
    pair.expect("a session's secret").to_owned()
}

/// "Sessions": a bearer token wins over cookies, and neither kind opens the other's door.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn each_kind_of_token_opens_its_own_door_only(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let value = |name: &str| {
        let pair = cookies.split("; ").find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        pair.expect("the cookie").to_owned()
    };
    let (access, secret) = (value("__Host-bawwab-access"), value("__Host-bawwab-session"));
    assert_eq!(app.with_token(&access).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.with_token(&secret).get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let refresh = app.anonymous().post("/auth/refresh", json!({"refresh_token": secret})).await;
    assert_eq!(refresh.status, StatusCode::UNAUTHORIZED);
    let both = app.with_token("nonsense").with("cookie", &cookies);
    assert_eq!(both.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    let body = json!({"email": "hind@nakheel.example", "password": PASSWORD});
    let tokens = app.anonymous().post("/auth/login", body).await.ok();
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    let as_cookie = app.anonymous().with("cookie", &format!("__Host-bawwab-session={refresh}"));
    assert_eq!(as_cookie.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
    // Cookie tossing: a second cookie of the same name makes both worthless.
    let tossed = app.anonymous().with("cookie", &format!("{cookies}; __Host-bawwab-access=x; __Host-bawwab-session=y"));
    assert_eq!(tossed.get("/auth/me").await.status, StatusCode::UNAUTHORIZED);
}

/// GHSA-xmf8-cvqr-rfgj: no Authorization header makes anything but an anonymous caller.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn malformed_authorization_is_nobody(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    for header in ["", "Bearer", "Bearer ", "Basic x", "bearer a.b.c", "Bearer é", "....", &"x".repeat(8_000)] {
        let answer = app.anonymous().with("authorization", header).get("/auth/me").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header:?}");
    }
}

/// leptos#3786, "Base security": cookies alone do not make a request ours.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn unsafe_requests_with_cookies_must_come_from_our_own_pages(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let form = [("email", "hind@nakheel.example"), ("password", PASSWORD)];
    let cookies = app.anonymous().form("/login", &form).await.cookies();
    let browser = app.anonymous().with("cookie", &cookies);
    let person = json!({"email": "x@x.example", "name": "x"});
    for (name, value) in [
        ("x-nothing", ""),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        let refused = browser.with(name, value).post("/admin/users", person.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert_eq!(refused.code(), "bad_origin");
        let call = browser.with(name, value).post("/api/people/add", json!({"person": person})).await;
        assert_eq!(call.status, StatusCode::FORBIDDEN, "{name}: {value}");
        let login = app.anonymous().with(name, value);
        let login =
            login.send(Method::POST, "/login", Some("application/x-www-form-urlencoded"), "email=a".into()).await;
        assert_eq!(login.status, StatusCode::FORBIDDEN, "login CSRF, {name}: {value}");
    }
    browser.with("origin", PUBLIC).post("/admin/users", person).await.ok();
    // A program has no cookies and needs no origin.
    admin.post("/admin/users", json!({"email": "y@x.example", "name": "y"})).await.ok();
}

/// GHSA-mwmh-7px9-4c23: links have the configured address, whatever the request claims.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn links_never_take_their_host_from_the_request(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    for (n, (name, value)) in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example;proto=http"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"email": format!("p{n}@x.example"), "name": "x"});
        let added = admin.with(name, value).post("/admin/users", body).await.ok();
        let link = added["link"].as_str().expect("a link");
        assert!(link.starts_with(&format!("{PUBLIC}/welcome?token=")), "{name}: {link}");
    }
}

/// D1, GHSA-hc7v-rggr-4hvx: a welcome link opens once, for its own person, and makes them active.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_welcome_link_opens_once(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let added = admin.post("/admin/users", json!({"email": "new@x.example", "name": "ليلى"})).await.ok();
    let link = added["link"].as_str().expect("a link").to_owned();
    let page = app.anonymous().get(link.strip_prefix(PUBLIC).expect("ours")).await;
    assert!(page.text.contains("ليلى"), "the page says whose it is");
    let token = link.split_once('=').expect("a token").1;
    let form = [("token", token), ("password", PASSWORD), ("password_again", PASSWORD)];
    let wrong = [("token", token), ("password", PASSWORD), ("password_again", "another long passphrase")];
    assert_eq!(app.anonymous().form("/welcome", &wrong).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let tries = (0..8).map(|_| {
        let client = app.anonymous();
        let form = form.map(|(a, b)| (a.to_owned(), b.to_owned()));
        tokio::spawn(async move {
            let form = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>();
            client.form("/welcome", &form).await.status
        })
    });
    let mut entered = 0;
    for attempt in tries {
        match attempt.await.expect("no panic") {
            StatusCode::SEE_OTHER => entered += 1,
            status => assert_eq!(status, StatusCode::GONE),
        }
    }
    assert_eq!(entered, 1);
    app.sign_in("new@x.example").await;
    // A set-up door does not know a welcome token.
    let again =
        admin.post(&format!("/admin/users/{}/link", added["id"].as_str().expect("an id")), json!({})).await.ok();
    let token = again["link"].as_str().expect("a link").split_once('=').expect("a token").1.to_owned();
    let page = app.anonymous().get(&format!("/setup?token={token}")).await;
    assert_eq!(page.status, StatusCode::GONE);
}
