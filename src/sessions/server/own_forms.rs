//! The forms of one's own address and password, which work without scripts.

use axum::{Form, response::Response};
use serde::Deserialize;

use super::{
    forms::{FormPage, TokenForm, elsewhere, empty, see_other, with_token},
    own::{self, Confirmed, End},
};
use crate::{accounts::Password, sessions::FormOutcome};

/// `POST /account/email`
pub async fn email(page: FormPage, Form(form): Form<TokenForm>) -> Response {
    match own::request_email(&page.cx, form.email.clone().into()).await {
        Ok(()) => see_other("/account/email?sent=1"),
        Err(error) => {
            let typed = form_urlencoded::Serializer::new(String::new()).append_pair("email", &form.email).finish();
            match elsewhere(&error, &format!("/account/email?{typed}")) {
                Some(response) => response,
                None => {
                    let outcome = FormOutcome { email: form.email, ..FormOutcome::default() };
                    page.again("/account/email", error, outcome).await
                }
            }
        }
    }
}

/// `POST /email/confirm`
pub async fn confirm(page: FormPage, Form(form): Form<TokenForm>) -> Response {
    confirm_at(&page, "/email/confirm", End::New, &form.token).await
}

/// `POST /email/leave`
pub async fn leave(page: FormPage, Form(form): Form<TokenForm>) -> Response {
    confirm_at(&page, "/email/leave", End::Old, &form.token).await
}

async fn confirm_at(page: &FormPage, path: &str, end: End, token: &str) -> Response {
    match own::confirm_email(&page.cx, end, token).await {
        Ok(Confirmed::Changed) => see_other(&format!("{path}?done=1")),
        Ok(Confirmed::Waits) => see_other(&format!("{path}?done=waits")),
        Err(error) => page.again(&with_token(path, token), error, FormOutcome::default()).await,
    }
}

/// `POST /email/cancel`
pub async fn cancel(page: FormPage, Form(form): Form<TokenForm>) -> Response {
    match own::cancel_email(&page.cx, &form.token).await {
        Ok(()) => see_other("/email/cancel?done=1"),
        Err(error) => page.again(&with_token("/email/cancel", &form.token), error, FormOutcome::default()).await,
    }
}

#[derive(Deserialize)]
pub struct PasswordForm {
    #[serde(default = "empty")]
    current_password: Password,
    #[serde(default = "empty")]
    password: Password,
    #[serde(default = "empty")]
    password_again: Password,
    /// A box that is not ticked is not sent.
    #[serde(default)]
    end_sessions: Option<String>,
}

/// `POST /account/password`
pub async fn password(page: FormPage, Form(form): Form<PasswordForm>) -> Response {
    let PasswordForm { current_password, password, password_again, end_sessions } = form;
    let ends = end_sessions.is_some();
    match own::change_password(&page.cx, current_password, password, &password_again, ends).await {
        Ok(()) => see_other("/account/password?done=1"),
        Err(error) => match elsewhere(&error, "/account/password") {
            Some(response) => response,
            None => page.again("/account/password", error, FormOutcome::default()).await,
        },
    }
}
