//! The forms of passkeys. `app/scripts/passkeys.js` fills them in with what the authenticator answers; naming, renaming and removing
//! need no script.

use axum::{Form, response::Response};
use serde::Deserialize;

use super::{Answer, NewPasskey};
use crate::{
    base::errors::{AppError, SignedOut},
    passkeys::server,
    sessions::{
        FormOutcome,
        server::{
            forms::{FormPage, elsewhere, enter, enter_after_step, local, see_other, with_next},
            recognise,
            store::Kind,
        },
    },
};

/// Where passkeys are managed.
pub const ACCOUNT: &str = "/account/passkeys";

/// What an authenticator has answered.
#[derive(Deserialize)]
pub struct AnswerForm {
    #[serde(default)]
    challenge_id: String,
    #[serde(default)]
    credential: String,
    #[serde(default)]
    next: String,
}

impl AnswerForm {
    fn answer(&self) -> Answer {
        // What is no JSON is refused as an answer that fits nothing.
        let assertion = serde_json::from_str(&self.credential).unwrap_or_default();
        Answer { challenge_id: self.challenge_id.clone(), assertion }
    }
}

/// Back to the page with the form. It stands at another address than the form's, so what went wrong goes along in it.
fn refused(page: &str, error: &AppError, next: &str) -> Response {
    let mut path = with_next(page, next);
    path.push(if path.contains('?') { '&' } else { '?' });
    path.push_str("passkey=");
    path.push_str(error.code());
    see_other(&path)
}

/// `POST /login/passkey`
pub async fn sign_in(page: FormPage, Form(form): Form<AnswerForm>) -> Response {
    let (device, secret) = recognise::browser_device(&page.headers);
    match server::sign_in(&page.cx, form.answer(), Kind::Browser, device).await {
        Ok(signed_in) => enter(&signed_in, &secret, &form.next),
        Err(error) => refused("/login", &error, &form.next),
    }
}

/// `POST /login/code/passkey`
pub async fn second_factor(page: FormPage, Form(form): Form<AnswerForm>) -> Response {
    let (_device, secret) = recognise::browser_device(&page.headers);
    match server::finish(&page.cx, form.answer(), &page.headers).await {
        Ok(signed_in) => enter_after_step(&signed_in, &secret, &form.next),
        // The first step has run out: begin again.
        Err(AppError::SignedOut(SignedOut::NoSession)) => see_other(&with_next("/login", &form.next)),
        Err(error) => refused("/login/code", &error, &form.next),
    }
}

/// `POST /reauthenticate/passkey`
pub async fn reauthenticate(page: FormPage, Form(form): Form<AnswerForm>) -> Response {
    match server::reauthenticate(&page.cx, form.answer().into()).await {
        Ok(()) => see_other(local(&form.next).unwrap_or("/console")),
        Err(AppError::SignedOut(SignedOut::NoSession)) => see_other(&with_next("/login", &form.next)),
        Err(error) => refused("/reauthenticate", &error, &form.next),
    }
}

#[derive(Deserialize)]
pub struct PasskeyForm {
    /// What to do: `add`, `rename`, `remove`.
    #[serde(default)]
    act: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    credential: String,
    /// A box that is not ticked is not sent.
    #[serde(default)]
    end_sessions: Option<String>,
}

/// `POST /account/passkeys`
pub async fn passkeys(page: FormPage, Form(form): Form<PasskeyForm>) -> Response {
    let id = form.id.parse().map_err(|_not_an_id| AppError::NotFound);
    let result = match (form.act.as_str(), id) {
        ("add", _) => {
            let attestation = serde_json::from_str(&form.credential).unwrap_or_default();
            let new = NewPasskey { attestation, name: Some(form.name.clone()) };
            server::add(&page.cx, new.into()).await.map(|_added| "added")
        }
        ("rename", Ok(id)) => server::rename(&page.cx, id, form.name.clone().into()).await.map(|_renamed| "renamed"),
        ("remove", Ok(id)) => server::remove(&page.cx, id, form.end_sessions.is_some()).await.map(|()| "removed"),
        _ => Err(AppError::NotFound),
    };
    match result {
        Ok(done) => see_other(&format!("{ACCOUNT}?done={done}")),
        Err(error) => match elsewhere(&error, ACCOUNT) {
            Some(response) => response,
            None => page.again(ACCOUNT, error, FormOutcome { name: form.name, ..FormOutcome::default() }).await,
        },
    }
}
