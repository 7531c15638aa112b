//! Every letter as it looks, in both languages: for whoever works on them. Debug builds only.

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{
    accounts::server::letters,
    base::{
        language,
        server::{http::Asked, mail},
    },
    i18n::Locale,
};

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// Which of them; without it all are listed.
    letter: Option<String>,
    lang: Option<String>,
}

/// `GET /console/design/mail`
pub async fn letters(Asked(asked): Asked<Wanted>) -> Response {
    let asked = asked.read().unwrap_or_default();
    let locale = asked.lang.as_deref().and_then(language::parse).unwrap_or_default();
    let body = match &asked.letter {
        Some(about) => letters::samples(language::code(locale)).iter().find(|one| one.about == *about).map(mail::html),
        None => Some(list()),
    };
    let Some(body) = body else { return crate::base::errors::AppError::NotFound.into_response() };
    let mut response = Html(body).into_response();
    // Letters carry their styles with them; nothing is fetched and nothing runs.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn list() -> String {
    let lines = [Locale::ar, Locale::en].into_iter().flat_map(|locale| {
        let code = language::code(locale);
        letters::samples(code).into_iter().map(move |letter| {
            format!(
                "<li lang=\"{code}\" dir=\"{}\"><a href=\"?letter={}&amp;lang={code}\">{}</a></li>",
                language::direction(locale),
                letter.about,
                letter.subject,
            )
        })
    });
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>mail</title></head><body><main><ul>{}</ul></main></body></html>",
        lines.collect::<String>()
    )
}
