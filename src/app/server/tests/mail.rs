//! Mail: it goes if what caused it has happened, once as far as SMTP allows, and later if it cannot go now.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use serde_json::json;
use sqlx::PgPool;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use super::sink::{Manner, Sink};
use crate::{
    access::server::Cx,
    app::server::{
        mailer,
        test_app::{Client, PASSWORD, PUBLIC, TestApp, options_of, post_to},
    },
    base::server::mail::{self, transport::Post},
};

/// An administrator invites by mail.
async fn invite(admin: &Client, email: &str) -> serde_json::Value {
    admin.post("/admin/users", json!({"email": email, "name": "ليلى", "mail_link": true})).await.ok()
}

async fn send(app: &TestApp, post: &Post) -> bool {
    let cx = Cx::for_job(app.heart.clone(), mail::KIND);
    mailer::once(&cx, post).await.expect("the queue works")
}

const WAITING: &str = "select count(*) from jobs where kind = 'mail' and dead_at is null";
const DEAD: &str = "select count(*) from jobs where kind = 'mail' and dead_at is not null";

/// D7: an invitation goes by mail, in the person's language, with the link that opens; the answer does not carry it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_invitation_goes_by_mail_and_opens(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::Good).await;
    let added = invite(&admin, "layla@x.example").await;
    assert_eq!((&added["link"], &added["mailed_to"]), (&json!(null), &json!("layla@x.example")));
    assert!(send(&app, &post_to(sink.port)).await);
    assert!(!send(&app, &post_to(sink.port)).await, "once");
    let letters = sink.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, ["layla@x.example"]);
    assert!(letters[0].text.contains("dir=3D\"rtl\"") || letters[0].text.contains("base64"), "{}", letters[0].text);
    assert!(letters[0].plain().contains("ليلى"));
    assert!(letters[0].link().starts_with(&format!("{PUBLIC}/welcome?token=")));
    let page = app.anonymous().get(letters[0].link().strip_prefix(PUBLIC).expect("ours")).await;
    assert_eq!(page.status, StatusCode::OK);
}

/// D7: an invitation can be sent again, which voids the one before, and revoked.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn an_invitation_is_sent_again_and_revoked(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::Good).await;
    let added = invite(&admin, "layla@x.example").await;
    let path = format!("/admin/users/{}/link", added["id"].as_str().expect("an id"));
    admin.post(&path, json!({"mail": true})).await.ok();
    while send(&app, &post_to(sink.port)).await {}
    let links = sink.letters().iter().map(|taken| taken.link()).collect::<Vec<_>>();
    let open = async |link: &str| app.anonymous().get(link.strip_prefix(PUBLIC).expect("ours")).await.status;
    assert_eq!(open(&links[0]).await, StatusCode::GONE);
    assert_eq!(open(&links[1]).await, StatusCode::OK);
    admin.delete(&path).await.ok();
    assert_eq!(open(&links[1]).await, StatusCode::GONE);
    assert!(app.actions().await.contains(&"admin.user_link_revoke".to_owned()));
}

/// "Jobs": what did not happen is not written about.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn no_letter_leaves_when_its_cause_was_undone(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    sqlx::query("alter table audit_logs add constraint no_more check (action <> 'admin.user_create')")
        .execute(&app.owner)
        .await
        .expect("works");
    let body = json!({"email": "a@x.example", "name": "a", "mail_link": true});
    assert_eq!(admin.post("/admin/users", body).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(app.count(WAITING).await, 0);
}

/// "SMTP down for an hour": somebody signs up and is answered at once, the letter arrives later, once, and opens.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_letter_arrives_once_after_the_server_was_away(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::HangsUp).await;
    let post = post_to(sink.port);
    admin.patch("/admin/settings", json!({"registration": {"mode": "open"}})).await.ok();
    let newcomer = json!({"email": "layla@x.example", "name": "ليلى", "password": PASSWORD});
    app.anonymous().post("/auth/register", newcomer).await.ok();
    for _ in 0..9 {
        assert!(send(&app, &post).await, "it is due");
        assert!(!send(&app, &post).await, "and then waits");
        app.advance(Duration::from_secs(6 * 60)).await;
        app.advance(Duration::from_secs(60)).await;
        if app.count("select attempts::bigint from jobs where kind = 'mail'").await >= 7 {
            break;
        }
    }
    assert_eq!(sink.letters().len(), 0);
    sink.behave(Manner::Good);
    app.advance(Duration::from_secs(4 * 3600)).await;
    assert!(send(&app, &post).await);
    app.advance(Duration::from_secs(4 * 3600)).await;
    assert!(!send(&app, &post).await);
    assert_eq!(sink.letters().len(), 1);
    assert_eq!(app.count(WAITING).await, 0);
    app.anonymous().post("/auth/confirm", json!({"token": sink.letters()[0].token()})).await.ok();
    app.sign_in("layla@x.example").await;
}

/// "Mail": a server that has taken a letter but could not say so gets it again under the same Message-ID.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_repeat_is_recognisable(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::TakesSilently).await;
    invite(&admin, "layla@x.example").await;
    assert!(send(&app, &post_to(sink.port)).await);
    sink.behave(Manner::TakesAndHangsUp);
    app.advance(Duration::from_secs(60)).await;
    assert!(send(&app, &post_to(sink.port)).await);
    app.advance(Duration::from_secs(3600)).await;
    assert!(!send(&app, &post_to(sink.port)).await, "it was taken: cut off afterwards is no failure");
    let letters = sink.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!(letters[0].header("Message-ID"), letters[1].header("Message-ID"));
}

/// "Jobs": two nodes never send the same letter at the same time, and a letter whose node died is sent by another.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn one_node_at_a_time_holds_a_letter(pool: PgPool) {
    let one = TestApp::start(options_of(&pool)).await;
    let two = one.second_node().await;
    let admin = one.admin().await;
    let sink = Sink::start(Manner::Slow).await;
    invite(&admin, "layla@x.example").await;
    let (node, post) = (one.clone(), post_to(sink.port));
    let sending = tokio::spawn(async move { send(&node, &post).await });
    sink.reached.notified().await;
    assert!(!send(&two, &post_to(sink.port)).await, "the first node holds it");
    sending.abort();
    assert!(sending.await.is_err(), "the first node died");
    sink.behave(Manner::Good);
    two.advance(Duration::from_secs(301)).await;
    assert!(send(&two, &post_to(sink.port)).await);
    assert_eq!(sink.letters().len(), 1);
}

/// "Dead letters": what a server refuses for good is not tried again and stays to be seen; what it refuses for now is.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_letter_refused_for_good_stays_to_be_seen(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::RefusesRecipient("451 later")).await;
    invite(&admin, "layla@x.example").await;
    assert!(send(&app, &post_to(sink.port)).await);
    assert_eq!((app.count(WAITING).await, app.count(DEAD).await), (1, 0));
    sink.behave(Manner::RefusesRecipient("550 no such mailbox"));
    app.advance(Duration::from_secs(60)).await;
    assert!(send(&app, &post_to(sink.port)).await);
    assert_eq!((app.count(WAITING).await, app.count(DEAD).await), (0, 1));
    sink.behave(Manner::Good);
    app.advance(Duration::from_secs(86_400)).await;
    assert!(!send(&app, &post_to(sink.port)).await);
    let error: String = sqlx::query_scalar("select last_error from jobs where dead_at is not null")
        .fetch_one(&app.owner)
        .await
        .expect("a reason");
    assert!(error.contains("550"), "{error}");
}

/// "Mail": a link that has run out is not sent any more.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_letter_that_is_of_no_use_is_not_sent(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::Good).await;
    invite(&admin, "layla@x.example").await;
    app.advance(Duration::from_secs(72 * 3600)).await;
    assert!(send(&app, &post_to(sink.port)).await);
    assert_eq!((sink.letters().len(), app.count(DEAD).await), (0, 1));
}

/// RUSTSEC-2026-0141: a server that cannot upgrade, or whose certificate nobody vouches for, gets nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn mail_does_not_go_to_a_server_that_cannot_prove_itself(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let plain = Sink::start(Manner::Good).await;
    invite(&admin, "layla@x.example").await;
    let post = |url: String| {
        let url = url.parse().expect("an address");
        Post::of(Some(&url), None, &PUBLIC.parse().expect("an origin"), "/nowhere".into()).expect("a post")
    };
    assert!(send(&app, &post(format!("smtp://localhost:{}", plain.port))).await);
    assert_eq!((plain.letters().len(), app.count(WAITING).await), (0, 1), "no STARTTLS, no letter");

    let forged = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(forged.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![forged.cert.der().clone()], key)
        .expect("a server");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let sink = plain.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let (reader, writer) = tokio::io::split(stream);
                sink.converse(reader, writer).await.ok();
            }
        }
    });
    app.advance(Duration::from_secs(60)).await;
    assert!(send(&app, &post(format!("smtps://localhost:{port}"))).await);
    assert_eq!((plain.letters().len(), app.count(WAITING).await), (0, 1), "nobody vouches for it");
}

/// "TLS lie": a server that offers STARTTLS and goes on in clear gets nothing.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn mail_does_not_go_to_a_server_that_only_says_it_speaks_tls(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let sink = Sink::start(Manner::LiesAboutTls).await;
    invite(&admin, "layla@x.example").await;
    let url = format!("smtp://localhost:{}", sink.port).parse().expect("an address");
    let post = Post::of(Some(&url), None, &PUBLIC.parse().expect("an origin"), "/nowhere".into()).expect("a post");
    assert!(send(&app, &post).await);
    assert_eq!((sink.letters().len(), app.count(WAITING).await), (0, 1));
}

/// "Mail": without an SMTP server letters are files that only the program's account reads.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn without_smtp_a_letter_is_a_file(pool: PgPool) {
    use std::os::unix::fs::PermissionsExt as _;
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    let folder = std::env::temp_dir().join(format!("bawwab-mail-{}", uuid::Uuid::now_v7()));
    let post = Post::of(None, None, &PUBLIC.parse().expect("an origin"), folder.clone()).expect("a post");
    invite(&admin, "layla@x.example").await;
    assert!(send(&app, &post).await);
    let files = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let files = files.collect::<Vec<_>>();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].extension().and_then(|end| end.to_str()), Some("eml"));
    assert_eq!(std::fs::metadata(&files[0]).expect("a file").permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&files[0]).expect("a letter").contains("To: layla@x.example"));
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// faults I11: a link that waits to be sent is sealed.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_waiting_letter_is_sealed(pool: PgPool) {
    let app = TestApp::start(options_of(&pool)).await;
    let admin = app.admin().await;
    invite(&admin, "layla@x.example").await;
    let row: String = sqlx::query_scalar("select t::text from jobs t where kind = 'mail'")
        .fetch_one(&app.owner)
        .await
        .expect("a row");
    assert!(!row.contains("layla") && !row.contains("token="), "{row}");
}
