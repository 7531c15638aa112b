//! Documents that the server draws and no WASM takes over: they are light, the same for everybody of one language and
//! theme, and go on working without us.

use crate::base::language::td_string;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::{config::LeptosOptions, prelude::*};
use leptos_meta::HashedStylesheet;

use crate::{
    app::{head, server::preferences},
    base::{language, server::crypto},
    i18n::Locale,
    ui::preferences::Theme,
};

/// What a document depends on: who reads it, as far as it may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reader {
    pub locale: Locale,
    pub theme: Option<&'static str>,
}

impl Reader {
    pub fn of(headers: &HeaderMap) -> Self {
        Reader { locale: preferences::locale(headers), theme: preferences::theme_of(headers) }
    }
}

/// A whole document with its one script.
pub fn document(
    options: &LeptosOptions,
    reader: Reader,
    title: &str,
    script: &'static str,
    body: impl FnOnce() -> AnyView,
) -> String {
    let Reader { locale, theme } = reader;
    let title = format!("{title} · {}", td_string!(locale, app.brand));
    Owner::new().with(|| {
        provide_context(locale);
        provide_context(Theme(theme));
        let document = view! {
            <!DOCTYPE html>
            <html lang=language::code(locale) dir=language::direction(locale) data-theme=theme>
                <head>
                    {head::links(locale, theme)}
                    <HashedStylesheet options=options.clone() id="leptos" />
                    <title>{title}</title>
                </head>
                <body>
                    {body()}
                    <script type="module" inner_html=script></script>
                </body>
            </html>
        };
        document.to_html()
    })
}

/// Such a document as an answer. Its policy names the script by its digest: nothing in it changes from one answer to the
/// next, so that browsers may keep it and ask whether it still holds.
pub fn answer(headers: &HeaderMap, script: &str, document: &str) -> Response {
    let digest = STANDARD.encode(crypto::sha256(script.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{digest}'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = revalidated(headers, "text/html; charset=utf-8", document);
    let answered = response.headers_mut();
    answered.insert(header::VARY, HeaderValue::from_static("cookie, accept-language"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answered.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A text that browsers may keep, if they ask each time whether it still holds.
pub fn revalidated(headers: &HeaderMap, kind: &'static str, text: &str) -> Response {
    let tag = format!("\"{}\"", hex::encode(&crypto::sha256(text.as_bytes())[..12]));
    let asked = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let holds = asked.flat_map(|tags| tags.split(',')).any(|one| one.trim().trim_start_matches("W/") == tag);
    let mut response = if holds {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, kind)], text.to_owned()).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
