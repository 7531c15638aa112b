//! Rules of the source itself: the order of folders, who names the pool, what the locales hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::app::server::router;

/// From what all may use down to what alone knows everybody. Those on one line may not use each other.
const ORDER: &[&[&str]] = &[
    &["base"],
    &["ui"],
    &["access"],
    &["audit", "notifications"],
    &["accounts"],
    &["sessions"],
    &["second_factor", "passkeys"],
    &["approvals", "consents"],
    &["groups"],
    &["roles"],
    &["policies"],
    &["impersonation", "api_keys", "tenants"],
    &["oauth_provider", "sso", "scim"],
    &["ai_gateway"],
    &["questions"],
    &["agents"],
    &["workflows"],
    &["reports", "settings"],
    &["app"],
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            found.push((path, text));
        }
    }
    found
}

/// The program's text without its tests and comments.
fn program(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_test(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.contains("/tests/") || path.ends_with("_tests.rs") || path.ends_with("test_app.rs")
}

/// The capabilities that a file names: `crate::roles::…` and the first words inside `crate::{ … }`.
fn named(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for after in text.split("crate::").skip(1) {
        if let Some(group) = after.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && (c.is_alphanumeric() || c == '_') {
                    word.push(c);
                } else if depth == 0 || c == '{' {
                    names.insert(std::mem::take(&mut word));
                    // Only the first word of a path is a capability.
                    if c == ':' {
                        word.push('\0');
                    }
                }
                if c == ',' && depth == 0 {
                    word.clear();
                }
            }
            names.insert(word);
        } else {
            names.insert(after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names.retain(|name| ORDER.iter().flat_map(|line| line.iter()).any(|known| known == name));
    names
}

/// "Three rules" 3: a folder uses only what stands above it.
#[test]
fn folders_use_only_what_stands_above_them() {
    let line = |name: &str| ORDER.iter().position(|line| line.contains(&name));
    for (path, text) in sources(&root().join("src")) {
        let inside = path.strip_prefix(root().join("src")).expect("inside");
        let own = inside.components().next().expect("a part").as_os_str().to_string_lossy().into_owned();
        let Some(own_line) = line(&own) else {
            assert!(matches!(own.as_str(), "lib.rs" | "main.rs"), "{own} has no place in the order of folders");
            continue;
        };
        if is_test(&path) {
            continue;
        }
        for used in named(&program(&text)) {
            let used_line = line(&used).expect("a known name");
            assert!(used == own || used_line < own_line, "{} uses {used}, which stands below {own}", inside.display());
        }
    }
}

/// The rule that finds the names finds them.
#[test]
fn names_are_found_however_they_are_written() {
    let text =
        "use crate::{access::{server::Cx, Scope}, base::ids::UserId, roles}; crate::audit::list(); crate::i18n::x";
    assert_eq!(named(text), ["access", "audit", "base", "roles"].map(str::to_owned).into());
}

/// "The heart": only `access` names the pool; others get a transaction from a permission.
#[test]
fn only_the_heart_names_the_pool() {
    for (path, text) in sources(&root().join("src")) {
        let inside = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        let may = inside.starts_with("src/access/server/") || inside == "src/base/server/db.rs" || is_test(&path);
        assert!(may || !program(&text).contains("PgPool"), "{inside} names the pool");
    }
}

/// "The heart": `Cx` of a person is made by `sessions` alone, `Cx` of a job by the programs of `app`.
#[test]
fn contexts_are_made_where_they_belong() {
    for (path, text) in sources(&root().join("src")) {
        let inside = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        if is_test(&path) || inside.starts_with("src/access/server/") {
            continue;
        }
        let text = program(&text);
        assert!(!text.contains(".for_person(") || inside == "src/sessions/server/recognise.rs", "{inside}");
        assert!(!text.contains("Cx::for_job(") || inside.starts_with("src/app/server/"), "{inside}");
        assert!(!text.contains("Cx::for_sign_in(") || inside == "src/app/server/layers.rs", "{inside}");
        assert!(
            !text.contains("Granter::Setup")
                || matches!(inside.as_str(), "src/accounts/server/mod.rs" | "src/sessions/server/mod.rs"),
            "{inside}"
        );
    }
}

/// RAUTHY-009: no private key is delivered with the source; an installation makes its own (`cli`).
#[test]
fn no_private_key_stands_in_the_source() {
    fn look(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("node_modules") && !path.ends_with("target") && !path.ends_with(".git") {
                    look(&path, found);
                }
                continue;
            }
            let bytes = fs::read(&path).expect("a file");
            // Put together here, so that this file is not found itself.
            let mark = ["PRIVATE KEY", "-----"].concat();
            let named = path.extension().is_some_and(|end| ["pem", "key", "p12", "pfx"].iter().any(|one| end == *one));
            if named || bytes.windows(mark.len()).any(|window| window == mark.as_bytes()) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    look(root(), &mut found);
    assert_eq!(found, Vec::<PathBuf>::new());
}

/// RAUTHY-005, RUSTSEC-2022-0018: what a secret hides is nowhere compared by `==`, and neither is a one-time code.
#[test]
fn secrets_are_compared_in_one_time() {
    let compared = ["expose() ==", "expose() !=", "expose().as_bytes() ==", "expose().as_str() =="];
    for (path, text) in sources(&root().join("src")) {
        if is_test(&path) {
            continue;
        }
        let text = program(&text);
        for comparison in compared {
            assert!(!text.contains(comparison), "{}: {comparison}", path.display());
        }
        let turned =
            text.lines().filter(|line| line.contains("expose()") && line.contains("== ") && !line.contains("=> "));
        assert_eq!(turned.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", path.display());
    }
    let codes = fs::read_to_string(root().join("src/second_factor/server/codes.rs")).expect("a file");
    assert!(program(&codes).contains("constant_time::verify_slices_are_equal(&code("));
}

/// Style 1, 42: each file begins by saying what it is for.
#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources(&root().join("src")) {
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

/// "Never": no text for people outside the locale files. Single letters and the article are orthography: they fold and
/// abbreviate.
#[test]
fn no_arabic_stands_in_the_program() {
    for (path, text) in sources(&root().join("src")) {
        if is_test(&path) {
            continue;
        }
        let text = program(&text);
        let words = text.split(|c| !matches!(c, '\u{0600}'..='\u{06FF}'));
        let word = words.into_iter().find(|word| word.chars().count() > 2);
        assert_eq!(word, None, "{}", path.display());
    }
}

/// H1: every text goes through the one macro that writes numbers as the reader wants them.
#[test]
fn texts_come_through_the_macro_that_knows_the_readers_digits() {
    for (path, text) in sources(&root().join("src")) {
        let inside = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        let may = is_test(&path) || inside == "src/base/language.rs";
        assert!(may || !text.contains("leptos_i18n::"), "{inside}: use crate::base::language::td_string");
    }
}

fn leaves(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                leaves(&format!("{prefix}{key}."), value, into);
            }
        }
        Value::String(text) => {
            into.insert(prefix.trim_end_matches('.').to_owned(), text.clone());
        }
        other => panic!("{prefix} is {other}"),
    }
}

fn locale(language: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(root().join("locales").join(language)).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("UTF-8");
        leaves(&format!("{name}."), &serde_json::from_str(&text).expect("JSON"), &mut all);
    }
    all
}

const ARABIC: &[&str] = &["_zero", "_one", "_two", "_few", "_many", "_other"];
const ENGLISH: &[&str] = &["_one", "_other"];

/// H1: both languages say the same things, and Arabic counts in all its six forms.
#[test]
fn both_languages_hold_every_key_and_every_plural_form() {
    let (arabic, english) = (locale("ar"), locale("en"));
    let stem = |key: &str| {
        let form = ARABIC.iter().find(|form| key.ends_with(**form));
        form.map(|form| key.strip_suffix(*form).unwrap_or(key).to_owned())
    };
    let plurals = |keys: &BTreeMap<String, String>| -> BTreeSet<String> {
        keys.keys().filter(|key| key.ends_with("_other")).filter_map(|key| stem(key)).collect()
    };
    let (ar, en) = (plurals(&arabic), plurals(&english));
    assert_eq!(ar, en, "a plural on one side only");
    for stem in &ar {
        for form in ARABIC {
            assert!(arabic.contains_key(&format!("{stem}{form}")), "ar lacks {stem}{form}");
        }
        for form in ENGLISH {
            assert!(english.contains_key(&format!("{stem}{form}")), "en lacks {stem}{form}");
        }
    }
    let plain = |keys: &BTreeMap<String, String>| -> BTreeSet<String> {
        keys.keys().filter(|key| stem(key).is_none_or(|stem| !ar.contains(&stem))).cloned().collect()
    };
    assert_eq!(plain(&arabic), plain(&english), "a key on one side only");
    for (key, text) in arabic.iter().chain(&english) {
        assert!(!text.trim().is_empty(), "{key} is empty");
    }
}

/// H6: the owner's exact words.
#[test]
fn the_sources_texts_are_exact() {
    let texts = locale("ar").into_values().collect::<BTreeSet<_>>();
    for text in [
        "مرحبًا — سجّل دخولك إلى حسابك",
        "البريد أو كلمة المرور غير صحيحة",
        "تم تحديث صلاحيات المستخدم بنجاح.",
        "تم إرسال رابط التفعيل إلى بريدك — تحقق من صندوق الوارد.",
        "امسح رمز الاستجابة السريعة (QR) باستخدام تطبيق المصادقة وأدخل الرمز المكوّن من 6 أرقام.",
    ] {
        assert!(texts.contains(text), "{text}");
    }
}

/// The addresses that the page sweep visits, without their queries. What it fills in stands as `${…}`.
fn swept() -> Vec<String> {
    let text = fs::read_to_string(root().join("end2end/tests/sweep.spec.ts")).expect("UTF-8");
    let literals = text.split("at: (").skip(1).filter_map(|rest| {
        let (_, literal) = rest.split_once("=> ")?;
        let quote = literal.chars().next().filter(|c| matches!(c, '"' | '`'))?;
        literal[1..].split(quote).next()
    });
    literals.map(|address| address.split(['?', '#']).next().unwrap_or_default().to_owned()).collect()
}

/// The page sweep: every page is looked at, so that a new one cannot be forgotten.
#[tokio::test]
async fn every_page_is_visited_by_the_sweep() {
    let pages = router::page_routes();
    let is_dynamic = |segment: &str| segment.starts_with(['{', ':']);
    let pages = pages.iter().map(|page| page.path().trim_end_matches('/').to_owned()).collect::<BTreeSet<_>>();
    assert!(pages.len() > 30, "{pages:?}");
    let stops = swept();
    let visits = |page: &str, stop: &str| {
        let (page, stop) = (page.split('/').collect::<Vec<_>>(), stop.split('/').collect::<Vec<_>>());
        let fits = |(a, b): (&&str, &&str)| a == b || (is_dynamic(a) && b.starts_with("${"));
        page.len() == stop.len() && page.iter().zip(&stop).all(fits)
    };
    for page in &pages {
        assert!(stops.iter().any(|stop| visits(page, stop)), "end2end/tests/sweep.spec.ts never comes to {page}");
    }
}

/// "Database": every table is held by row-level security, forced.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn every_table_is_under_forced_row_level_security(pool: sqlx::PgPool) {
    let open: Vec<String> = sqlx::query_scalar(
        "select relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'public' and c.relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)
           and relname <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .expect("a list");
    assert_eq!(open, Vec::<String>::new());
    let without: i64 = {
        let mut tx = pool.begin().await.expect("a transaction");
        sqlx::query("set local role bawwab_app").execute(&mut *tx).await.expect("works");
        sqlx::query_scalar(
            "select (select count(*) from users) + (select count(*) from user_roles) + (select count(*) from settings)",
        )
        .fetch_one(&mut *tx)
        .await
        .expect("a count")
    };
    assert_eq!(without, 0, "without a tenant nothing is seen");
}
