//! What browsers keep and for how long: the built files, and what makes it an app.

use std::{fs, path::PathBuf};

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sqlx::PgPool;

use crate::{
    app::server::test_app::{Answer, Client, TestApp, options_of},
    base::server::crypto,
};

const FOREVER: &str = "public, max-age=31536000, immutable";
const WASM: &str = "/pkg/bawwab.45_rUIQEEbBbK6zHlh_iIw.wasm";
const CSS: &str = "/pkg/bawwab.edTLzg7VPg6NMrVZMtct-A.css";
const FONT: &str = "/fonts/cairo-arabic-wght-normal.woff2";

/// A folder as the build leaves it: some files also compressed. It goes with the test.
struct Site(PathBuf);

impl Site {
    fn make() -> Self {
        let root = std::env::temp_dir().join(format!("bawwab-site-{}", uuid::Uuid::now_v7()));
        let files = [
            (WASM, "plain wasm"),
            ("/pkg/bawwab.45_rUIQEEbBbK6zHlh_iIw.wasm.br", "brotli wasm"),
            ("/pkg/bawwab.45_rUIQEEbBbK6zHlh_iIw.wasm.gz", "gzip wasm"),
            (CSS, "plain css"),
            ("/pkg/unhashed.js", "plain js"),
            (FONT, "a font"),
            ("/favicon.svg", "<svg/>"),
            ("/icons/icon-192.png", "a picture"),
            // The program's own come before a file of that name.
            ("/sw.js", "a file"),
        ];
        for (path, text) in files {
            let file = root.join(path.trim_start_matches('/'));
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        Site(root)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map(|value| value.to_str().expect("ASCII")).unwrap_or_default()
}

async fn start(pool: &PgPool) -> (Site, Client) {
    let site = Site::make();
    let app = TestApp::start_with_site(options_of(pool), &site.0).await;
    (site, app.anonymous())
}

/// "First load": a file with a digest in its name is kept for good, and comes compressed as the browser can take it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn built_files_are_kept_for_good_and_come_compressed(pool: PgPool) {
    let (_site, client) = start(&pool).await;
    for (accepted, encoding, body) in [
        ("gzip, deflate, br, zstd", "br", "brotli wasm"),
        ("gzip", "gzip", "gzip wasm"),
        ("br;q=0, gzip", "gzip", "gzip wasm"),
        ("identity", "", "plain wasm"),
    ] {
        let answer = client.with("accept-encoding", accepted).get(WASM).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, body), "{accepted}");
        assert_eq!(header(&answer, "content-encoding"), encoding, "{accepted}");
        assert_eq!(header(&answer, "content-type"), "application/wasm", "{accepted}");
        assert_eq!(header(&answer, "cache-control"), FOREVER, "{accepted}");
        assert_eq!(header(&answer, "vary"), "accept-encoding", "{accepted}");
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff", "{accepted}");
    }
    let css = client.with("accept-encoding", "br, gzip").get(CSS).await;
    assert_eq!((css.text.as_str(), header(&css, "content-encoding")), ("plain css", ""));
    assert_eq!((header(&css, "content-type"), header(&css, "cache-control")), ("text/css", FOREVER));
    let font = client.get(FONT).await;
    assert_eq!((header(&font, "content-type"), header(&font, "cache-control")), ("font/woff2", FOREVER));
}

/// A file that may change under its name is asked for again, and answered shortly while it has not.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn files_without_a_digest_are_asked_for_again(pool: PgPool) {
    let (_site, client) = start(&pool).await;
    for path in ["/favicon.svg", "/icons/icon-192.png", "/pkg/unhashed.js"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(header(&answer, "cache-control"), "public, max-age=3600, must-revalidate", "{path}");
        let again = client.with("if-modified-since", header(&answer, "last-modified")).get(path).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
    }
    assert_eq!(client.get("/pkg/nothing.45_rUIQEEbBbK6zHlh_iIw.wasm").await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get("/pkg/").await.status, StatusCode::NOT_FOUND);
}

/// H2: the worker is looked at anew each time, may fetch from us alone, and keeps what the offline page stands on.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_worker_is_asked_for_each_time(pool: PgPool) {
    let (_site, client) = start(&pool).await;
    let worker = client.get("/sw.js").await;
    assert_eq!(header(&worker, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&worker, "cache-control"), "no-cache");
    assert_eq!(
        header(&worker, "content-security-policy"),
        "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    assert!(worker.text.contains(&format!("\"{FONT}\"")), "the names of what it keeps are filled in");
    assert!(!worker.text.contains("{version}") && !worker.text.contains("{shell}"));
    let again = client.with("if-none-match", header(&worker, "etag")).get("/sw.js").await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let page = client.get("/login").await;
    assert!(header(&page, "content-security-policy").contains("worker-src 'self'"));
}

/// H2: another font under the same name makes another worker, which fetches it.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn a_worker_changes_with_what_it_keeps(pool: PgPool) {
    let (site, client) = start(&pool).await;
    let before = client.get("/sw.js").await;
    assert_eq!(before.text, client.get("/sw.js").await.text);
    fs::write(site.0.join(FONT.trim_start_matches('/')), "another font").expect("a file");
    let after = client.get("/sw.js").await;
    assert_ne!(before.text, after.text);
    assert_ne!(header(&before, "etag"), header(&after, "etag"));
}

/// H2: the manifest speaks the language of its address, else of the request; it is one app in both.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn the_manifest_speaks_both_languages(pool: PgPool) {
    let (_site, client) = start(&pool).await;
    let arabic = client.get("/manifest.webmanifest").await;
    assert_eq!(header(&arabic, "content-type"), "application/manifest+json");
    assert_eq!((&arabic.json()["lang"], &arabic.json()["dir"]), (&"ar".into(), &"rtl".into()));
    let english = client.with("accept-language", "en").get("/manifest.webmanifest").await.ok();
    assert_eq!((&english["lang"], &english["dir"]), (&"en".into(), &"ltr".into()));
    let asked = client.with("accept-language", "ar").get("/manifest.webmanifest?lang=en").await.ok();
    assert_eq!(asked, english);
    assert_ne!(arabic.json()["name"], english["name"]);
    assert_eq!(arabic.json()["id"], english["id"]);
    assert_eq!(client.get("/manifest.webmanifest?lang=xx&more=1").await.status, StatusCode::OK);
}

/// I3: a document without WASM names its one script by its digest, and has nothing else that could run.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn plain_documents_run_their_own_script_only(pool: PgPool) {
    let (_site, client) = start(&pool).await;
    for path in ["/offline", "/developers"] {
        let answer = client.with("accept-language", "en").get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let script = answer.text.split("<script type=\"module\">").nth(1).expect("a script");
        let script = script.split("</script>").next().expect("its end");
        let digest = STANDARD.encode(crypto::sha256(script.as_bytes()));
        let policy = header(&answer, "content-security-policy");
        assert!(policy.contains(&format!("script-src 'sha256-{digest}';")), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.text.matches("<script").count(), 1, "{path}");
        assert!(!answer.text.contains(" style=") && !answer.text.contains(" onclick="), "{path}");
        assert!(answer.text.contains("<html lang=\"en\" dir=\"ltr\">"), "{path}");
        assert_eq!(header(&answer, "vary"), "cookie, accept-language", "{path}");
        let again = client.with("accept-language", "en").with("if-none-match", header(&answer, "etag")).get(path).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        let arabic = client.with("if-none-match", header(&answer, "etag")).get(path).await;
        assert!(arabic.text.contains("<html lang=\"ar\" dir=\"rtl\">"), "{path}");
        let dark = client.with("cookie", "bawwab_theme=dark").get(path).await;
        assert!(dark.text.contains("data-theme=\"dark\""), "{path}");
    }
}
