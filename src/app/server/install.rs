//! What makes it an app on a phone or a desk: the manifest, the worker that keeps the shell, the page without a network.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::base::language::td_string;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use leptos::{config::LeptosOptions, prelude::*};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::{
        head,
        server::{
            AppState,
            plain::{self, Reader},
            preferences,
        },
    },
    base::{
        language,
        server::{crypto, http::Asked},
    },
    i18n::Locale,
    ui::icons::{Icon, brand_mark, icon},
};

const WORKER: &str = include_str!("../scripts/worker.js");
const OFFLINE: &str = include_str!("../scripts/offline.js");

const PUZZLE: &str = include_str!("../scripts/puzzle.js");

/// `GET /puzzle.js`: the worker that solves puzzles. It fetches nothing.
pub async fn puzzle(headers: HeaderMap) -> Response {
    plain::revalidated(&headers, "text/javascript; charset=utf-8", PUZZLE)
}

/// What a device keeps beside the built files: they have no digest in their names.
const KEPT: &[&str] = &[
    "/fonts/cairo-arabic-wght-normal.woff2",
    "/fonts/cairo-latin-wght-normal.woff2",
    "/favicon.svg",
    "/icons/icon-192.png",
];

#[derive(Default, Deserialize)]
pub struct InLanguage {
    lang: Option<String>,
}

/// `GET /manifest.webmanifest`, in the language of its address, else of the request.
pub async fn manifest(Asked(asked): Asked<InLanguage>, headers: HeaderMap) -> Response {
    let asked = asked.read().unwrap_or_default();
    let locale = asked.lang.as_deref().and_then(language::parse).unwrap_or_else(|| preferences::locale(&headers));
    plain::revalidated(&headers, "application/manifest+json", &manifest_of(locale).to_string())
}

fn manifest_of(locale: Locale) -> Value {
    let picture = |file: &str, size: &str, purpose: &str| json!({"src": format!("/icons/{file}.png"), "sizes": size, "type": "image/png", "purpose": purpose});
    let shortcut = |name: &str, url: &str| json!({"name": name, "url": url});
    json!({
        // The same in both languages: a person who switches has one app and not two.
        "id": "/console",
        "start_url": "/console",
        "scope": "/",
        "name": td_string!(locale, offline.app_name),
        "short_name": td_string!(locale, app.brand),
        "description": td_string!(locale, offline.app_about),
        "lang": language::code(locale),
        "dir": language::direction(locale),
        "display": "standalone",
        "theme_color": head::SURFACE.0,
        "background_color": head::BACKGROUND,
        "categories": ["business", "productivity", "security"],
        "icons": [
            {"src": "/favicon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"},
            picture("icon-192", "192x192", "any"),
            picture("icon-512", "512x512", "any"),
            picture("icon-maskable-512", "512x512", "maskable"),
        ],
        "shortcuts": [
            shortcut(td_string!(locale, app.people), "/console/people"),
            shortcut(td_string!(locale, app.roles), "/console/roles"),
            shortcut(td_string!(locale, app.audit), "/console/audit"),
        ],
    })
}

/// `GET /sw.js`: the worker, with the names of what it keeps. Any change of them makes it another worker.
pub async fn worker(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let mut response = plain::revalidated(&headers, "text/javascript; charset=utf-8", &worker_of(&state.options));
    // What the worker fetches is bound by its own policy, not by that of the pages.
    let policy = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

fn worker_of(options: &LeptosOptions) -> String {
    let built = built_files(options);
    let root = Path::new(&*options.site_root);
    let mut digested = [offline_of(options, OFFLINE_READER), built.join("\n")].join("\n").into_bytes();
    for file in KEPT {
        // A file that is not there is not kept either; the pages do without it.
        digested.extend(fs::read(root.join(file.trim_start_matches('/'))).unwrap_or_default());
    }
    let version = hex::encode(&crypto::sha256(&digested)[..8]);
    let all = KEPT.iter().map(|file| (*file).to_owned()).chain(built).collect::<Vec<_>>();
    WORKER.replace("\"{version}\"", &json!(version).to_string()).replace("[\"{shell}\"]", &json!(all).to_string())
}

/// The style, the scripts and the WASM of this build by their names, with the parts that are loaded apart.
fn built_files(options: &LeptosOptions) -> Vec<String> {
    let hashes = std::env::current_exe().ok().and_then(|program| {
        fs::read_to_string(program.with_file_name(&*options.hash_file)).ok().filter(|_| options.hash_files)
    });
    let Some(hashes) = hashes else { return Vec::new() };
    let folder = &options.site_pkg_dir;
    let pairs = hashes.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(kind, hash)| (kind, hash.trim()))
        .flat_map(|(kind, hash)| match kind {
            "css" | "js" | "wasm" => vec![format!("/{folder}/{}.{hash}.{kind}", options.output_name)],
            "split" => vec![format!("/{folder}/__wasm_split.{hash}.js")],
            "manifest" => {
                let list =
                    Path::new(&*options.site_root).join(&**folder).join(format!("__wasm_split_manifest.{hash}.json"));
                parts(&fs::read(list).unwrap_or_default())
                    .into_iter()
                    .map(|part| format!("/{folder}/{part}.wasm"))
                    .collect()
            }
            _ => Vec::new(),
        })
        .collect()
}

/// The files of all parts, as the build lists them: `{"part": ["file", …]}`. What cannot be read is not kept: a device does
/// without it.
fn parts(list: &[u8]) -> BTreeSet<String> {
    let parts = serde_json::from_slice::<BTreeMap<String, Vec<String>>>(list).unwrap_or_default();
    parts.into_values().flatten().collect()
}

/// The worker keeps one copy for both languages and all themes: the page's script chooses.
const OFFLINE_READER: Reader = Reader { locale: Locale::ar, theme: None };

/// `GET /offline`: the page that stands for another one while there is no way to the server.
pub async fn offline(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let reader = Reader::of(&headers);
    plain::answer(&headers, OFFLINE, &offline_of(&state.options, reader))
}

fn offline_of(options: &LeptosOptions, reader: Reader) -> String {
    let title = td_string!(reader.locale, offline.title);
    plain::document(options, reader, title, OFFLINE, || {
        view! {
            <div class="gate">
                <header>
                    <button class="btn ghost sm" type="button" id="other-language" hidden=true>
                        {icon(Icon::Language)}
                        <span></span>
                    </button>
                </header>
                <main id="main" tabindex="-1">
                    {brand_mark()} {in_language(Locale::ar, reader.locale)} {in_language(Locale::en, reader.locale)}
                </main>
            </div>
        }
        .into_any()
    })
}

fn in_language(locale: Locale, shown: Locale) -> AnyView {
    let title = td_string!(locale, offline.title);
    let full_title = format!("{title} · {}", td_string!(locale, app.brand));
    view! {
        <div
            class="stack"
            lang=language::code(locale)
            dir=language::direction(locale)
            data-title=full_title
            data-other=td_string!(locale, ui.other_language)
            hidden=locale != shown
        >
            <h1>{title}</h1>
            <p data-when="unreachable">{td_string!(locale, offline.unreachable)}</p>
            <p data-when="offline" hidden=true>{td_string!(locale, offline.no_network)}</p>
            <p class="muted">{td_string!(locale, offline.nothing_sent)}</p>
            <p><a class="btn primary" href="/console" data-retry>{td_string!(locale, ui.retry)}</a></p>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::parts;

    /// H5: a device keeps each part once, whichever pages share it.
    #[test]
    fn names_the_parts_of_a_build() {
        let list = br#"{"console": ["split_console.a", "chunk_1.b"], "studio": ["chunk_1.b"]}"#;
        assert_eq!(parts(list).into_iter().collect::<Vec<_>>(), ["chunk_1.b", "split_console.a"]);
        assert!(parts(b"not a list").is_empty());
    }
}
