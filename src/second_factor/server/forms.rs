//! The forms of the second factor, which work without JavaScript.

use axum::{Form, http::StatusCode, response::Response};
use serde::Deserialize;

use super::Proof;
use crate::{
    accounts::Password,
    base::errors::{AppError, SignedOut},
    second_factor::server,
    sessions::{
        FormOutcome, Shown,
        server::{
            self as sessions,
            forms::{self, FormPage, elsewhere, enter_after_step, see_other, with_next},
            recognise,
            store::Kind,
        },
    },
};

/// Where the factor is set up and managed.
pub const ACCOUNT: &str = "/account/two-factor";

#[derive(Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    totp: Option<String>,
    #[serde(default)]
    backup_code: Option<String>,
    #[serde(default)]
    next: String,
}

/// `POST /login/code`
pub async fn code(page: FormPage, Form(form): Form<CodeForm>) -> Response {
    let by_backup = form.backup_code.is_some();
    let (device, secret) = recognise::browser_device(&page.headers);
    let token = recognise::step(&page.headers).unwrap_or_default();
    let result = async {
        let half = sessions::recall(&page.cx, &token, Kind::Browser, device).await?;
        let none = Proof::Totp(String::new());
        let proof = Proof::of(form.totp, form.backup_code).unwrap_or(none);
        server::finish(&page.cx, half, &proof).await
    }
    .await;
    match result {
        Ok(signed_in) => enter_after_step(&signed_in, &secret, &form.next),
        // The first step has run out: begin again.
        Err(AppError::SignedOut(SignedOut::NoSession)) => see_other(&with_next("/login", &form.next)),
        Err(error) => {
            let mut path = with_next("/login/code", &form.next);
            if by_backup {
                path.push_str(if path.contains('?') { "&way=backup" } else { "?way=backup" });
            }
            page.again(&path, error, FormOutcome::default()).await
        }
    }
}

#[derive(Deserialize)]
pub struct FactorForm {
    /// What to do: `begin`, `confirm`, `codes`, `disable`.
    #[serde(default)]
    act: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    end_sessions: Option<String>,
}

/// `POST /account/two-factor`
pub async fn factor(page: FormPage, Form(form): Form<FactorForm>) -> Response {
    let result = match form.act.as_str() {
        "begin" => server::begin(&page.cx).await.map(|enrolment| Some(Shown::Enrolment(enrolment.into()))),
        "confirm" => server::confirm(&page.cx, &form.code, form.end_sessions.is_some())
            .await
            .map(|codes| Some(Shown::BackupCodes(codes))),
        "codes" => server::new_backup_codes(&page.cx).await.map(|codes| Some(Shown::BackupCodes(codes))),
        "disable" => server::disable(&page.cx).await.map(|()| None),
        _ => Err(AppError::NotFound),
    };
    match result {
        Ok(Some(shown)) => {
            let outcome = FormOutcome { shown: Some(shown), ..FormOutcome::default() };
            page.show(ACCOUNT, StatusCode::OK, outcome).await
        }
        Ok(None) => see_other(ACCOUNT),
        Err(error) => {
            if let Some(response) = elsewhere(&error, ACCOUNT) {
                return response;
            }
            // After a wrong code the same secret is shown again.
            let shown = match form.act.as_str() {
                "confirm" => server::pending(&page.cx).await.ok().flatten(),
                _ => None,
            };
            let shown = shown.map(|enrolment| Shown::Enrolment(enrolment.into()));
            page.again(ACCOUNT, error, FormOutcome { shown, ..FormOutcome::default() }).await
        }
    }
}

#[derive(Deserialize)]
pub struct ReauthenticateForm {
    #[serde(default = "forms::empty")]
    password: Password,
    #[serde(default)]
    totp: Option<String>,
    #[serde(default)]
    backup_code: Option<String>,
    #[serde(default)]
    next: String,
}

/// `POST /reauthenticate`
pub async fn reauthenticate(page: FormPage, Form(form): Form<ReauthenticateForm>) -> Response {
    let proof = Proof::of(form.totp, form.backup_code);
    match server::reauthenticate(&page.cx, form.password, proof).await {
        Ok(()) => see_other(forms::local(&form.next).unwrap_or("/console")),
        Err(AppError::SignedOut(SignedOut::NoSession)) => see_other(&with_next("/login", &form.next)),
        Err(error) => {
            let path = with_next("/reauthenticate", &form.next);
            page.again(&path, error, FormOutcome::default()).await
        }
    }
}
