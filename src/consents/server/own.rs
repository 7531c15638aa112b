//! What people do with the texts themselves: read, give, withdraw. Open also to whoever owes one (A13).

use super::store;
use crate::{
    access::server::{
        Cx, Tx,
        record::{Action, Event},
    },
    accounts::server::store as people,
    base::{
        errors::{AppError, Conflict, DenialCode, Stale},
        ids::{ConsentId, UserId},
        server::input::Input,
    },
    consents::{GivenConsent, OwnConsent},
};

/// The texts as they stand for the caller.
pub async fn list(cx: &Cx) -> Result<Vec<OwnConsent>, AppError> {
    let cx = cx.before_consents();
    let mut tx = cx.own().await?;
    store::of_person(&mut tx, cx.person()?.user).await
}

/// The caller gives a text, in the version that they have read: when another one was published meanwhile they are asked
/// to read that. Giving what is given changes nothing.
pub async fn give(cx: &Cx, id: ConsentId, given: Input<GivenConsent>) -> Result<OwnConsent, AppError> {
    let cx = cx.before_consents();
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    let GivenConsent { number } = given.read()?;
    let text = held(&mut tx, user, id).await?;
    if text.is_retired {
        return Err(AppError::NotFound);
    }
    if number != text.latest {
        let stale = Stale { current: Some(text.latest.into()), ..Stale::default() };
        return Err(AppError::Conflict(Conflict::Stale(stale)));
    }
    if !text.can_be_given() {
        return Ok(text);
    }
    store::record(&mut tx, user, id, number, true).await?;
    let after = held(&mut tx, user, id).await?;
    tx.commit(Event::done(Action::ConsentGive).on("consent", id, &text.key).meta("number", number)).await?;
    Ok(after)
}

/// The caller withdraws what they have given. What is required stays given as long as the account is there.
pub async fn withdraw(cx: &Cx, id: ConsentId) -> Result<OwnConsent, AppError> {
    let cx = cx.before_consents();
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    let text = held(&mut tx, user, id).await?;
    let Some(number) = text.standing().map(|record| record.number) else { return Err(AppError::NotFound) };
    if text.required && !text.is_retired {
        return Err(AppError::denied(DenialCode::ConsentKept));
    }
    store::record(&mut tx, user, id, number, false).await?;
    let after = held(&mut tx, user, id).await?;
    tx.commit(Event::done(Action::ConsentWithdraw).on("consent", id, &text.key).meta("number", number)).await?;
    Ok(after)
}

/// A text that somebody may see. Their row is held, so that of two words said at the same time the later one counts.
async fn held(tx: &mut Tx, user: UserId, id: ConsentId) -> Result<OwnConsent, AppError> {
    people::lock(tx, user).await?;
    let texts = store::of_person(tx, user).await?;
    texts.into_iter().find(|text| text.id == id).ok_or(AppError::NotFound)
}
