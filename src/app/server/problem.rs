//! Errors of REST as problem documents (RFC 9457) in the caller's language, and server functions' errors with their
//! right status.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::server::preferences,
    base::{
        errors::{AppError, Conflict, FieldCode, Meanwhile},
        language::{self, td_string},
        puzzle::Puzzle,
        server::http::NextStep,
    },
    i18n::Locale,
};

/// A problem document. `code` is stable; `title` is for people.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says which problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    status: u16,
    code: &'static str,
    /// The fields that are wrong, where the code is `invalid`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The permissions it is about: the missing one, or those that cannot be passed on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<String>,
    /// The ids of those it is about, where an act was for several people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<String>,
    /// The names along the way back to the first, where the code is `cycle`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cycle: Vec<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// What is to be solved, where the code is `puzzle_required`: sent back as `puzzle`, base64 of the JSON
    /// `{algorithm, challenge, number, salt, signature}` (the ALTCHA protocol).
    #[serde(skip_serializing_if = "Option::is_none")]
    puzzle: Option<Puzzle>,
    /// By which the sign-in goes on, where the code is `mailed_code_required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// Where the log tells more.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The version there is now, where the code is `stale` and the thing has versions: also in `ETag`.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<i64>,
    /// What was changed since the version that was seen, newest first, where the code is `stale` and you may read the
    /// thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<Meanwhile>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where in the body: `name`, `allow[0].key`.
    field: String,
    code: serde_json::Value,
    title: String,
}

impl Problem {
    fn named(code: &'static str, status: u16, title: String) -> Self {
        Problem {
            kind: "about:blank",
            title,
            status,
            code,
            errors: Vec::new(),
            permissions: Vec::new(),
            people: Vec::new(),
            cycle: Vec::new(),
            retry_after: None,
            puzzle: None,
            step: None,
            reference: None,
            current_version: None,
            changes: Vec::new(),
        }
    }

    fn of(locale: Locale, error: &AppError) -> Self {
        let mut problem = Problem::named(error.code(), error.status(), language::error(locale, error));
        match error {
            AppError::Invalid(fields) => {
                problem.errors = fields
                    .0
                    .iter()
                    .map(|(field, code)| FieldProblem {
                        field: field.clone(),
                        code: serde_json::to_value(code).unwrap_or_default(),
                        title: language::field_error(locale, *code),
                    })
                    .collect();
            }
            AppError::Forbidden(denial) => {
                problem.permissions.clone_from(&denial.permissions);
                problem.people.clone_from(&denial.people);
            }
            AppError::Cycle(names) => problem.cycle.clone_from(names),
            AppError::TooMany { retry_after } => problem.retry_after = Some(*retry_after),
            AppError::Puzzle { retry_after, puzzle } => {
                problem.retry_after = Some(*retry_after);
                problem.puzzle = Some(puzzle.clone());
            }
            AppError::Internal(reference) => problem.reference = Some(reference.clone()),
            AppError::Conflict(Conflict::Stale(stale)) => {
                problem.current_version = stale.current;
                problem.changes.clone_from(&stale.changes);
            }
            AppError::NotFound
            | AppError::SignedOut(_)
            | AppError::StepUp
            | AppError::Conflict(_)
            | AppError::Unavailable
            | AppError::Network(_) => {}
        }
        problem
    }

    /// What the router and the layers refuse by a status alone: a body that is too long, a deadline, a wrong method.
    fn of_bare(locale: Locale, status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::PAYLOAD_TOO_LARGE => Some(Problem::of(locale, &AppError::field("body", FieldCode::TooLong))),
            StatusCode::SERVICE_UNAVAILABLE => Some(Problem::of(locale, &AppError::Unavailable)),
            StatusCode::METHOD_NOT_ALLOWED => {
                let title = td_string!(locale, base.error_method).to_owned();
                Some(Problem::named("method_not_allowed", status.as_u16(), title))
            }
            _ => None,
        }
    }
}

/// Whether an answer says what it is: a page or a server function's error. The words of the layer that refuses long bodies
/// are for nobody.
fn has_words(response: &Response) -> bool {
    response.status() != StatusCode::PAYLOAD_TOO_LARGE && response.headers().contains_key(header::CONTENT_TYPE)
}

/// Whether a browser shows the answer as a page of its own: it posts a form without JavaScript.
fn is_form_of_a_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = text(header::CONTENT_TYPE);
    let is_form =
        ["application/x-www-form-urlencoded", "multipart/form-data"].iter().any(|form| kind.starts_with(form));
    is_form && text(header::ACCEPT).contains("text/html")
}

/// What a browser shows whose form is longer than any body may be. The form was not read, so the page that it stands on is
/// not drawn again; the browser's way back leads there.
fn too_long(locale: Locale, mut response: Response) -> Response {
    let (code, direction) = (language::code(locale), language::direction(locale));
    let title = language::field_error(locale, FieldCode::TooLong);
    let words = td_string!(locale, base.error_body_too_long);
    let page = format!(
        "<!doctype html><html lang=\"{code}\" dir=\"{direction}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title></head>\
         <body><main><h1>{title}</h1><p>{words}</p></main></body></html>"
    );
    write_body(&mut response, "text/html; charset=utf-8", locale, page.into());
    response
}

/// Puts words in the place of what an answer said.
fn write_body(response: &mut Response, kind: &'static str, locale: Locale, body: Body) {
    // What is replaced may have said how long it is.
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language::code(locale)));
    *response.body_mut() = body;
}

/// Writes the body of an answer that carries an [`AppError`], and of one that a layer refused by its status alone: a problem
/// document, or a page for whoever posts a form without JavaScript.
pub async fn write(request: Request, next: Next) -> Response {
    let locale = preferences::locale(request.headers());
    let keeps_bare = is_form_of_a_page(request.headers());
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<AppError>() {
        Some(error) => Some(Problem::of(locale, &error)),
        None if keeps_bare && response.status() == StatusCode::PAYLOAD_TOO_LARGE => return too_long(locale, response),
        None if keeps_bare || has_words(&response) => None,
        None => Problem::of_bare(locale, response.status()),
    };
    let Some(mut problem) = problem else { return response };
    if problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
    }
    // A protocol may have a status of its own for it.
    problem.status = response.status().as_u16();
    problem.step = response.extensions_mut().remove::<NextStep>().map(|step| step.0);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    write_body(&mut response, "application/problem+json", locale, body.into());
    response
}

/// Leptos 0.8 answers every error of a server function with 500: the error itself knows better.
pub async fn mend_server_fn(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if !response.headers().contains_key("serverfnerror") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, 1 << 20).await else {
        parts.status = StatusCode::INTERNAL_SERVER_ERROR;
        return Response::from_parts(parts, Body::empty());
    };
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    Response::from_parts(parts, Body::from(bytes))
}
