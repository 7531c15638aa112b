//! The form of one's own consents, which works without scripts; it also holds the ways out of whoever does not want to
//! give what is required.

use axum::{Form, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::own;
use crate::{
    accounts::{DeletionRequest, server::leaving},
    base::{errors::AppError, ids::ConsentId},
    consents::{GivenConsent, PAGE},
    sessions::{
        FormOutcome,
        server::forms::{FormPage, elsewhere, see_other},
    },
};

/// What a form of the page asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Act {
    Give,
    Withdraw,
    /// Rather than giving what is required the account is deleted.
    Leave,
}

#[derive(Deserialize)]
pub struct ConsentForm {
    act: Act,
    #[serde(default)]
    id: Uuid,
    #[serde(default)]
    number: i32,
    #[serde(default)]
    email: String,
}

/// `POST /account/consents`
pub async fn consents(page: FormPage, Form(form): Form<ConsentForm>) -> Response {
    let ConsentForm { act, id, number, email } = form;
    let owed = page.cx.owes_consent();
    match take(&page, act, ConsentId(id), number, &email).await {
        // Whoever was held up here goes on once nothing is owed any more.
        Ok(owes) if owed && !owes => see_other("/console"),
        Ok(_) => see_other(PAGE),
        Err(error) => match elsewhere(&error, PAGE) {
            Some(response) => response,
            None => page.again(PAGE, error, FormOutcome { email, ..FormOutcome::default() }).await,
        },
    }
}

/// Does it. Gives back whether something is owed now.
async fn take(page: &FormPage, act: Act, id: ConsentId, number: i32, email: &str) -> Result<bool, AppError> {
    match act {
        Act::Give => {
            own::give(&page.cx, id, GivenConsent { number }.into()).await?;
        }
        Act::Withdraw => {
            own::withdraw(&page.cx, id).await?;
        }
        Act::Leave => {
            leaving::request(&page.cx, DeletionRequest { email: email.to_owned() }.into()).await?;
        }
    }
    Ok(own::list(&page.cx).await?.iter().any(|text| text.is_owed()))
}
