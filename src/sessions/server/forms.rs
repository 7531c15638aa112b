//! The forms that work without JavaScript: they post to their own page's path, and the outcome is a redirect or the same
//! page again with what was wrong.

use axum::{
    Extension, Form,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{
    access::server::Cx,
    accounts::Password,
    base::{
        errors::{AppError, FieldErrors},
        server::crypto::Secret,
    },
    sessions::{
        FormOutcome,
        server::{self, Credentials, FailuresLast, Logout, SetUp, SignedIn, recognise, store::Kind},
    },
};

/// Draws the page of a path again with an outcome. Given by `app`, which knows the pages.
pub type Draw = std::sync::Arc<
    dyn Fn(Request, FormOutcome) -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync,
>;

#[derive(Deserialize)]
pub struct LoginForm {
    #[serde(default)]
    email: String,
    #[serde(default = "empty")]
    password: Password,
    #[serde(default)]
    next: String,
}

fn empty() -> Password {
    Password(String::new())
}

/// `POST /login`
pub async fn login(
    cx: Extension<Cx>,
    failures: Extension<FailuresLast>,
    State(draw): State<Draw>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Response {
    let (device, secret) = recognise::browser_device(&headers);
    let credentials = Credentials { login: form.email.clone(), password: form.password };
    match server::sign_in(&cx, credentials, Kind::Browser, device, failures.0.0).await {
        Ok(signed_in) => enter(&signed_in, &secret, &form.next),
        Err(error) => {
            let path = match local(&form.next) {
                Some(next) => format!(
                    "/login?{}",
                    form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish()
                ),
                None => "/login".to_owned(),
            };
            again(&cx, &draw, &headers, &path, error, FormOutcome { email: form.email, ..FormOutcome::default() }).await
        }
    }
}

#[derive(Deserialize)]
pub struct SetUpForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default = "empty")]
    password: Password,
    #[serde(default = "empty")]
    password_again: Password,
}

/// `POST /setup`
pub async fn set_up(
    cx: Extension<Cx>,
    State(draw): State<Draw>,
    headers: HeaderMap,
    Form(form): Form<SetUpForm>,
) -> Response {
    let (device, secret) = recognise::browser_device(&headers);
    let SetUpForm { token, name, email, password, password_again } = form;
    let typed = SetUp { token: token.clone(), name: name.clone(), email: email.clone(), password, password_again };
    match server::set_up(&cx, typed, device).await {
        Ok(signed_in) => enter(&signed_in, &secret, ""),
        Err(error) => {
            let outcome = FormOutcome { name, email, ..FormOutcome::default() };
            again(&cx, &draw, &headers, &with_token("/setup", &token), error, outcome).await
        }
    }
}

#[derive(Deserialize)]
pub struct WelcomeForm {
    #[serde(default)]
    token: String,
    #[serde(default = "empty")]
    password: Password,
    #[serde(default = "empty")]
    password_again: Password,
}

/// `POST /welcome`
pub async fn welcome(
    cx: Extension<Cx>,
    State(draw): State<Draw>,
    headers: HeaderMap,
    Form(form): Form<WelcomeForm>,
) -> Response {
    let (device, secret) = recognise::browser_device(&headers);
    match server::welcome(&cx, &form.token, form.password, form.password_again, device).await {
        Ok(signed_in) => enter(&signed_in, &secret, ""),
        Err(error) => {
            again(&cx, &draw, &headers, &with_token("/welcome", &form.token), error, FormOutcome::default()).await
        }
    }
}

/// `POST /logout`
pub async fn logout(cx: Extension<Cx>) -> Response {
    match server::sign_out(&cx, Logout::default().into()).await {
        Ok(()) | Err(AppError::SignedOut(_)) => {
            let mut response = see_other("/login");
            append(&mut response, recognise::clearing());
            // ASVS 14.3.1: nothing of the session stays in the browser.
            let headers = response.headers_mut();
            headers.insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
            response
        }
        Err(error) => error.into_response(),
    }
}

fn with_token(path: &str, token: &str) -> String {
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish())
}

fn enter(signed_in: &SignedIn, device: &Secret<String>, next: &str) -> Response {
    let mut response = see_other(local(next).unwrap_or("/console"));
    append(&mut response, recognise::cookies_of(signed_in, device));
    response
}

/// 303: the page that follows is fetched, never posted to (RFC 9700 §4.12).
pub fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or_else(|_not_a_header| HeaderValue::from_static("/console"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

pub fn append(response: &mut Response, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A path of ours to go on to. GHSA-36f2-fcrx-fp4j: nothing that a browser could read as another site.
pub fn local(next: &str) -> Option<&str> {
    let second = next.as_bytes().get(1);
    let good = next.starts_with('/')
        && !matches!(second, Some(b'/' | b'\\'))
        && next.len() <= 2_000
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    good.then_some(next)
}

async fn again(
    cx: &Cx,
    draw: &Draw,
    headers: &HeaderMap,
    path: &str,
    error: AppError,
    outcome: FormOutcome,
) -> Response {
    let status = StatusCode::from_u16(match &error {
        // A form that is shown again is not a challenge: 401 would ask for HTTP authentication.
        AppError::SignedOut(_) => 401,
        other => other.status(),
    })
    .unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let retry_after = match &error {
        AppError::TooMany { retry_after } => Some(*retry_after),
        _ => None,
    };
    let fields = match &error {
        AppError::Invalid(fields) => fields.clone(),
        _ => FieldErrors::default(),
    };
    let mut request = Request::builder().uri(path).extension(cx.clone());
    // The page is drawn for this reader: language, theme.
    for name in [header::COOKIE, header::ACCEPT_LANGUAGE] {
        for value in headers.get_all(&name) {
            request = request.header(&name, value);
        }
    }
    let request = match request.body(axum::body::Body::empty()) {
        Ok(request) => request,
        Err(_unusable) => return error.into_response(),
    };
    let outcome = FormOutcome { error: Some(error), fields, ..outcome };
    let mut response = draw(request, outcome).await;
    *response.status_mut() = status;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GHSA-36f2-fcrx-fp4j: after signing in nobody is sent to another site.
    #[test]
    fn only_a_path_of_ours_is_gone_on_to() {
        assert_eq!(local("/console/people?q=%D8%B3"), Some("/console/people?q=%D8%B3"));
        for next in [
            "",
            "//evil",
            "/\\evil",
            "https:evil",
            "https://evil",
            "javascript:1",
            "/a\r\nb",
            "/a b",
            "\\evil",
            "/a\\b",
            "/\t/evil",
        ] {
            assert_eq!(local(next), None, "{next:?}");
        }
    }
}
