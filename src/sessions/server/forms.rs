//! The forms that work without JavaScript: they post to their own page's path, and the outcome is a redirect or the same
//! page again with what was wrong.

use axum::{
    Extension, Form,
    extract::{FromRef, FromRequestParts, Request, rejection::ExtensionRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{
    access::server::Cx,
    accounts::Password,
    base::{
        errors::{AppError, FieldErrors, SignedOut},
        language,
        server::crypto::Secret,
    },
    i18n::Locale,
    sessions::{
        FormOutcome,
        server::{
            self, Credentials, Entered, FailuresLast, Logout, SetUp, SignedIn, Welcome,
            joining::{self, NewAccount},
            recognise, risk,
            store::Kind,
        },
    },
};

/// Draws the page of a path again with an outcome. Given by `app`, which knows the pages.
pub type Draw = std::sync::Arc<
    dyn Fn(Request, FormOutcome) -> std::pin::Pin<Box<dyn Future<Output = Response> + Send>> + Send + Sync,
>;

/// The page that a form stands on: who posts it, and how it is drawn again for this reader.
pub struct FormPage {
    pub cx: Cx,
    pub headers: HeaderMap,
    draw: Draw,
}

impl<S: Send + Sync> FromRequestParts<S> for FormPage
where
    Draw: FromRef<S>,
{
    type Rejection = ExtensionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Extension(cx) = Extension::from_request_parts(parts, state).await?;
        Ok(FormPage { cx, headers: parts.headers.clone(), draw: Draw::from_ref(state) })
    }
}

impl FormPage {
    /// Draws the page again with what was wrong.
    pub async fn again(&self, path: &str, error: AppError, outcome: FormOutcome) -> Response {
        let status = StatusCode::from_u16(match &error {
            // A form that is shown again is not a challenge: 401 would ask for HTTP authentication.
            AppError::SignedOut(_) => 401,
            other => other.status(),
        })
        .unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        let retry_after = match &error {
            AppError::TooMany { retry_after } | AppError::Puzzle { retry_after, .. } => Some(*retry_after),
            _ => None,
        };
        let fields = match &error {
            AppError::Invalid(fields) => fields.clone(),
            _ => FieldErrors::default(),
        };
        let outcome = FormOutcome { error: Some(error), fields, ..outcome };
        let mut response = self.show(path, status, outcome).await;
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Draws the page with what the form led to.
    pub async fn show(&self, path: &str, status: StatusCode, outcome: FormOutcome) -> Response {
        let mut request = Request::builder().uri(path).extension(self.cx.clone());
        // The page is drawn for this reader: language, theme.
        for name in [header::COOKIE, header::ACCEPT_LANGUAGE] {
            for value in self.headers.get_all(&name) {
                request = request.header(&name, value);
            }
        }
        let request = match request.body(axum::body::Body::empty()) {
            Ok(request) => request,
            Err(_unusable) => return AppError::NotFound.into_response(),
        };
        let mut response = (self.draw)(request, outcome).await;
        *response.status_mut() = status;
        response
    }
}

#[derive(Deserialize)]
pub struct LoginForm {
    #[serde(default)]
    email: String,
    #[serde(default = "empty")]
    password: Password,
    #[serde(default)]
    next: String,
    #[serde(default)]
    puzzle: Option<String>,
}

pub fn empty() -> Password {
    Password(String::new())
}

/// `POST /login`
pub async fn login(page: FormPage, failures: Extension<FailuresLast>, Form(form): Form<LoginForm>) -> Response {
    let (device, secret) = recognise::browser_device(&page.headers);
    let credentials = Credentials { login: form.email.clone(), password: form.password, puzzle: form.puzzle };
    match server::sign_in(&page.cx, credentials, Kind::Browser, device, failures.0.0).await {
        Ok(entered) => go_on(&page.cx, entered, &secret, &form.next).await,
        Err(error) => {
            let path = with_next("/login", &form.next);
            page.again(&path, error, FormOutcome { email: form.email, ..FormOutcome::default() }).await
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
pub async fn set_up(page: FormPage, Form(form): Form<SetUpForm>) -> Response {
    let (device, secret) = recognise::browser_device(&page.headers);
    let SetUpForm { token, name, email, password, password_again } = form;
    let typed = SetUp { token: token.clone(), name: name.clone(), email: email.clone(), password, password_again };
    match server::set_up(&page.cx, typed, device).await {
        Ok(signed_in) => enter(&signed_in, &secret, ""),
        Err(error) => {
            let outcome = FormOutcome { name, email, ..FormOutcome::default() };
            page.again(&with_token("/setup", &token), error, outcome).await
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
pub async fn welcome(page: FormPage, Form(form): Form<WelcomeForm>) -> Response {
    let (device, secret) = recognise::browser_device(&page.headers);
    let WelcomeForm { token, password, password_again } = form;
    let typed = Welcome { token: token.clone(), password, password_again };
    match server::welcome(&page.cx, typed, Kind::Browser, device).await {
        Ok(entered) => go_on(&page.cx, entered, &secret, "").await,
        Err(error) => page.again(&with_token("/welcome", &token), error, FormOutcome::default()).await,
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

#[derive(Deserialize)]
pub struct RegisterForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    email: String,
    #[serde(default = "empty")]
    password: Password,
}

/// `POST /register`
pub async fn register(
    page: FormPage,
    lasts: Extension<FailuresLast>,
    locale: Extension<Locale>,
    Form(form): Form<RegisterForm>,
) -> Response {
    let RegisterForm { name, email, password } = form;
    let typed = NewAccount { email: email.clone(), name: name.clone(), password, locale: language::code(locale.0) };
    match joining::register(&page.cx, typed, lasts.0.0).await {
        Ok(()) => see_other("/register?sent=1"),
        Err(error) => {
            let outcome = FormOutcome { name, email, ..FormOutcome::default() };
            page.again("/register", error, outcome).await
        }
    }
}

/// What a page whose button spends a link sends.
#[derive(Deserialize)]
pub struct TokenForm {
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub email: String,
}

/// `POST /confirm`
pub async fn confirm(page: FormPage, Form(form): Form<TokenForm>) -> Response {
    let (device, secret) = recognise::browser_device(&page.headers);
    match joining::confirm(&page.cx, &form.token, Kind::Browser, device).await {
        // A new account is offered a second factor first; it may be put off.
        Ok(signed_in) => enter(&signed_in, &secret, "/account/two-factor"),
        Err(error) => page.again(&with_token("/confirm", &form.token), error, FormOutcome::default()).await,
    }
}

/// `POST /forgot`
pub async fn forgot(page: FormPage, lasts: Extension<FailuresLast>, Form(form): Form<TokenForm>) -> Response {
    match joining::request_reset(&page.cx, &form.email, lasts.0.0).await {
        Ok(()) => see_other("/forgot?sent=1"),
        Err(error) => {
            let outcome = FormOutcome { email: form.email, ..FormOutcome::default() };
            page.again("/forgot", error, outcome).await
        }
    }
}

#[derive(Deserialize)]
pub struct ResetForm {
    #[serde(default)]
    token: String,
    #[serde(default = "empty")]
    password: Password,
    #[serde(default = "empty")]
    password_again: Password,
    /// A box that is not ticked is not sent.
    #[serde(default)]
    end_sessions: Option<String>,
}

/// `POST /reset`
pub async fn reset(page: FormPage, Form(form): Form<ResetForm>) -> Response {
    let ResetForm { token, password, password_again, end_sessions } = form;
    match joining::reset(&page.cx, &token, password, &password_again, end_sessions.is_some()).await {
        Ok(()) => see_other("/login?changed=1"),
        Err(error) => page.again(&with_token("/reset", &token), error, FormOutcome::default()).await,
    }
}

/// `POST /magic-link`: asks for a link, or spends one.
pub async fn magic_link(page: FormPage, lasts: Extension<FailuresLast>, Form(form): Form<TokenForm>) -> Response {
    if form.token.is_empty() {
        return match joining::request_magic(&page.cx, &form.email, lasts.0.0).await {
            Ok(()) => see_other("/magic-link?sent=1"),
            Err(error) => {
                let outcome = FormOutcome { email: form.email, ..FormOutcome::default() };
                page.again("/magic-link", error, outcome).await
            }
        };
    }
    let (device, secret) = recognise::browser_device(&page.headers);
    match joining::open_magic(&page.cx, &form.token, Kind::Browser, device).await {
        Ok(entered) => go_on(&page.cx, entered, &secret, "").await,
        Err(error) => page.again(&with_token("/magic-link", &form.token), error, FormOutcome::default()).await,
    }
}

/// A path with where to go on to, if that is one of ours.
pub fn with_next(path: &str, next: &str) -> String {
    match local(next) {
        Some(next) => {
            format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish())
        }
        None => path.to_owned(),
    }
}

pub fn with_token(path: &str, token: &str) -> String {
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish())
}

/// Lets in, or leads to the page of the step that is still owed.
async fn go_on(cx: &Cx, entered: Entered, device: &Secret<String>, next: &str) -> Response {
    let (page, token) = match entered {
        Entered::In(signed_in) => return enter(&signed_in, device, next),
        Entered::Half(half) => match server::remember(cx, &half).await {
            Ok(token) => ("/login/code", token),
            Err(error) => return error.into_response(),
        },
        Entered::Mailed(token) => ("/login/mailed", token),
    };
    let mut response = see_other(&with_next(page, next));
    append(&mut response, vec![recognise::step_cookie(&token)]);
    response
}

#[derive(Deserialize)]
pub struct MailedForm {
    #[serde(default)]
    mailed_code: String,
    #[serde(default)]
    next: String,
}

/// `POST /login/mailed`
pub async fn mailed(page: FormPage, Form(form): Form<MailedForm>) -> Response {
    let (device, secret) = recognise::browser_device(&page.headers);
    let token = recognise::step(&page.headers).unwrap_or_default();
    match risk::open(&page.cx, &token, &form.mailed_code, Kind::Browser, device).await {
        Ok(signed_in) => enter_after_step(&signed_in, &secret, &form.next),
        // The step has run out or was tried too often: begin again.
        Err(AppError::SignedOut(SignedOut::NoSession)) => see_other(&with_next("/login", &form.next)),
        Err(error) => page.again(&with_next("/login/mailed", &form.next), error, FormOutcome::default()).await,
    }
}

pub fn enter(signed_in: &SignedIn, device: &Secret<String>, next: &str) -> Response {
    let mut response = see_other(local(next).unwrap_or("/console"));
    append(&mut response, recognise::cookies_of(signed_in, device));
    response
}

/// The same for whoever was half-way in: their step is over.
pub fn enter_after_step(signed_in: &SignedIn, device: &Secret<String>, next: &str) -> Response {
    let mut response = enter(signed_in, device, next);
    append(&mut response, vec![recognise::no_step()]);
    response
}

/// Where somebody has to prove themselves, or sign in, before a form of their account; `None`: something else is wrong.
pub fn elsewhere(error: &AppError, path: &str) -> Option<Response> {
    match error {
        AppError::StepUp => Some(see_other(&with_next("/reauthenticate", path))),
        AppError::SignedOut(SignedOut::NoSession) => Some(see_other(&with_next("/login", path))),
        _ => None,
    }
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
