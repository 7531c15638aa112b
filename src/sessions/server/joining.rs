//! Coming in by way of a mailbox: registering, a forgotten password, a link that signs in.
//!
//! Whoever asks learns nothing of who has an account: one answer, after one time, and the rest is in the letter.

use std::time::Duration;

use serde_json::json;

use super::{
    Entered, SignedIn, admit, check_choice, entered, first_tenant, open_session, store,
    store::{Candidate, Device, Kind},
    throttle::{self, Subject},
};
use crate::{
    access::server::{
        Cx, Quiet, Tx,
        record::{Action, Event},
    },
    accounts::{
        Password, Registration,
        server::{
            letters::{self, Address, Reader},
            links::{self, Purpose},
            make_registered, registration,
            rules::Email,
            store as people,
        },
    },
    base::{
        errors::{AppError, Conflict, FieldErrors},
        password::PasswordRule,
        server::{
            choice::{self, Choice},
            names, settings,
        },
    },
    sessions::{DoorOptions, LinkInfo, SignIn},
};

/// Somebody who wants an account, as typed.
pub struct NewAccount {
    pub email: String,
    pub name: String,
    pub password: Password,
    /// `ar` or `en`.
    pub locale: &'static str,
}

/// Lasts at least as long as given, however it ends.
async fn evenly<T>(lasts: Duration, act: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    let started = tokio::time::Instant::now();
    let result = act.await;
    tokio::time::sleep_until(started + lasts).await;
    result
}

/// Counts a letter that somebody has asked for, for the mailbox and for whoever asks.
pub(super) async fn count_letter(cx: &Cx, email: &Email) -> Result<(), AppError> {
    let mut subjects = vec![Subject::Letters(email.as_str().to_owned())];
    subjects.extend(cx.origin().ip.map(Subject::LettersFrom));
    throttle::count(cx, &subjects).await.map(|_counted| ())
}

/// Takes a registration and mails a link that confirms it. An address that has an account gets a letter that says so.
pub async fn register(cx: &Cx, typed: NewAccount, lasts: Duration) -> Result<(), AppError> {
    evenly(lasts, try_register(cx, typed)).await
}

async fn try_register(cx: &Cx, typed: NewAccount) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    let tenant = first_tenant(&mut tx).await?;
    let rule = settings::get::<Registration>(tx.conn(), tenant).await?;
    let passwords = settings::get::<PasswordRule>(tx.conn(), tenant).await?;
    drop(tx);
    let mut errors = FieldErrors::default();
    let email = errors.take("email", Email::parse(&typed.email));
    let name = errors.take("name", names::parse(&typed.name, 200));
    let about = [typed.name.as_str(), typed.email.as_str()];
    let choice = Choice { password: &typed.password, has_second_factor: false, about: &about };
    errors.take("password", choice::check(&passwords, choice).await);
    if let Some(Err(refused)) = email.as_ref().map(|email| rule.admits(email)) {
        match refused {
            AppError::Invalid(fields) => errors.0.extend(fields.0),
            closed => return Err(closed),
        }
    }
    errors.check()?;
    let (Some(email), Some(name)) = (email, name) else { return Err(AppError::NotFound) };
    count_letter(cx, &email).await?;
    // Hashed whether it will be needed or not.
    let hash = cx.hasher().hash(&typed.password).await?;
    let mut tx = cx.door().await?;
    let event = match store::candidate(&mut tx, email.as_str()).await? {
        Some(known) => {
            tx.enter(known.tenant).await?;
            let forgot = cx.link("/forgot");
            tx.mail(&letters::already_known(known.reader(), &forgot)).await?;
            Event::failed(Action::Register).on("user", known.user, &known.name).meta("cause", "known")
        }
        None => {
            tx.enter(tenant).await?;
            let (link, until) = registration::insert(&mut tx, &email, &name, typed.locale, &hash).await?;
            let reader = Reader { email: email.as_str(), name: &name, locale: typed.locale };
            tx.mail(&letters::confirmation(reader, Address { link: &link, until })).await?;
            Event::done(Action::Register).new_value(json!({"name": name, "email": email.as_str()}))
        }
    };
    tx.commit(event).await
}

/// Spends a registration, makes the account and signs its person in.
pub async fn confirm(cx: &Cx, token: &str, kind: Kind, device: Device) -> Result<SignedIn, AppError> {
    throttle::by_token(cx, try_confirm(cx, token, kind, device)).await
}

async fn try_confirm(cx: &Cx, token: &str, kind: Kind, device: Device) -> Result<SignedIn, AppError> {
    let mut tx = cx.door().await?;
    let registered = registration::find(&mut tx, token).await?;
    tx.enter(registered.tenant).await?;
    // The rule may have changed since.
    let rule = settings::get::<Registration>(tx.conn(), registered.tenant).await?;
    if let Ok(email) = Email::parse(&registered.email) {
        rule.admits(&email)?;
    }
    registration::spend(&mut tx, &registered).await?;
    let user = make_registered(&mut tx, &registered).await.map_err(|error| match error {
        // An administrator has added them meanwhile.
        AppError::Invalid(_) => AppError::Conflict(Conflict::LinkSpent),
        other => other,
    })?;
    let candidate = entered(&mut tx, &registered.email).await?;
    let signed_in = open_session(&mut tx, &candidate, kind, device, 1).await?;
    let event = Event::done(Action::Confirm).by(user, &registered.name).on("user", user, &registered.name);
    tx.commit(event).await?;
    Ok(signed_in)
}

/// Mails a link to a new password, if the address is an active person's.
pub async fn request_reset(cx: &Cx, email: &str, lasts: Duration) -> Result<(), AppError> {
    evenly(lasts, async {
        let email = Email::parse(email).map_err(|code| AppError::field("email", code))?;
        count_letter(cx, &email).await?;
        let mut tx = cx.door().await?;
        match mailbox_owner(&mut tx, &email).await? {
            Ok(person) => {
                let (link, until) = links::make_reset(&mut tx, person.user).await?;
                tx.mail(&letters::reset(person.reader(), Address { link: &link, until })).await?;
                tx.commit(Event::done(Action::ResetRequest).on("user", person.user, &person.name)).await
            }
            Err(cause) => tx.commit(Event::failed(Action::ResetRequest).meta("cause", cause)).await,
        }
    })
    .await
}

/// The active person whose address this is; the transaction has entered their tenant. Else why there is none.
async fn mailbox_owner(tx: &mut Tx, email: &Email) -> Result<Result<Candidate, &'static str>, AppError> {
    Ok(match store::candidate(tx, email.as_str()).await? {
        None => Err("unknown"),
        Some(person) => {
            tx.enter(person.tenant).await?;
            if person.is_active { Ok(person) } else { Err("inactive") }
        }
    })
}

/// Spends a reset link and keeps the new password. It signs nobody in: a second factor is still asked for at the door.
pub async fn reset(
    cx: &Cx,
    token: &str,
    password: Password,
    again: &Password,
    end_sessions: bool,
) -> Result<(), AppError> {
    throttle::by_token(cx, try_reset(cx, token, password, again, end_sessions)).await
}

async fn try_reset(
    cx: &Cx,
    token: &str,
    password: Password,
    again: &Password,
    end_sessions: bool,
) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    let link = links::find(&mut tx, Purpose::Reset, token).await?;
    let (Some(user), Some(email)) = (link.user, &link.user_email) else { return Err(AppError::NotFound) };
    let name = link.user_name.clone().unwrap_or_default();
    let has_second_factor = store::has_second_factor(&mut tx, email).await?;
    let mut errors = FieldErrors::default();
    let rule = settings::get::<PasswordRule>(tx.conn(), link.tenant).await?;
    let choice = Choice { password: &password, has_second_factor, about: &[&name, email] };
    check_choice(&mut errors, &rule, choice, again).await;
    errors.check()?;
    let hash = cx.hasher().hash(&password).await?;
    tx.enter(link.tenant).await?;
    links::spend(&mut tx, &link).await?;
    let person = entered(&mut tx, email).await?;
    people::set_password(&mut tx, user, &hash).await?;
    links::void(&mut tx, user).await?;
    store::void_steps(&mut tx, user).await?;
    let ended = if end_sessions { store::end(&mut tx, user, None, "password_changed").await? } else { 0 };
    let now = tx.now();
    tx.mail(&letters::password_changed(person.reader(), now)).await?;
    let event = Event::done(Action::Reset).by(user, &person.name).on("user", user, &person.name);
    tx.commit(event.meta("ended", ended)).await?;
    // Whoever locked them out by guessing did so for nothing.
    throttle::forgive(cx, &[Subject::Account(user)]).await
}

/// Mails a link that signs in, if the address is an active person's. Not to who may do everything: a mailbox alone is too
/// little for that.
pub async fn request_magic(cx: &Cx, email: &str, lasts: Duration) -> Result<(), AppError> {
    evenly(lasts, async {
        let email = Email::parse(email).map_err(|code| AppError::field("email", code))?;
        let mut tx = cx.door().await?;
        let tenant = first_tenant(&mut tx).await?;
        if !settings::get::<SignIn>(tx.conn(), tenant).await?.magic_link {
            return Err(AppError::NotFound);
        }
        drop(tx);
        count_letter(cx, &email).await?;
        let mut tx = cx.door().await?;
        match mailbox_owner(&mut tx, &email).await? {
            Ok(person) if may_use_magic(&mut tx, &person).await? => {
                let (link, until) = links::make_magic(&mut tx, person.user).await?;
                tx.mail(&letters::magic(person.reader(), Address { link: &link, until })).await?;
                tx.commit(Event::done(Action::MagicLinkRequest).on("user", person.user, &person.name)).await
            }
            Ok(person) => {
                let event = Event::failed(Action::MagicLinkRequest).on("user", person.user, &person.name);
                tx.commit(event.meta("cause", "not allowed")).await
            }
            Err(cause) => tx.commit(Event::failed(Action::MagicLinkRequest).meta("cause", cause)).await,
        }
    })
    .await
}

async fn may_use_magic(tx: &mut Tx, person: &Candidate) -> Result<bool, AppError> {
    let allowed = settings::get::<SignIn>(tx.conn(), person.tenant).await?.magic_link;
    Ok(allowed && !store::has_platform_role(tx, person.user).await?)
}

/// Spends a sign-in link. It is one factor: where a second is on, that is still owed.
pub async fn open_magic(cx: &Cx, token: &str, kind: Kind, device: Device) -> Result<Entered, AppError> {
    throttle::by_token(cx, try_magic(cx, token, kind, device)).await
}

async fn try_magic(cx: &Cx, token: &str, kind: Kind, device: Device) -> Result<Entered, AppError> {
    let mut tx = cx.door().await?;
    let link = links::find(&mut tx, Purpose::Magic, token).await?;
    let Some(email) = &link.user_email else { return Err(AppError::NotFound) };
    tx.enter(link.tenant).await?;
    links::spend(&mut tx, &link).await?;
    // Whatever is refused from here on, the link was shown: it does not come back with a rollback.
    tx.commit_quietly(Quiet::Step).await?;
    let mut tx = cx.door().await?;
    tx.enter(link.tenant).await?;
    let person = entered(&mut tx, email).await?;
    if !may_use_magic(&mut tx, &person).await? {
        return Err(AppError::Conflict(Conflict::LinkSpent));
    }
    let name = person.name.clone();
    let entered = admit(&mut tx, person, kind, device, "magic_link").await?;
    match &entered {
        Entered::In(signed_in) => {
            let event = signed_in.event(name, "magic_link", kind);
            tx.commit(event.meta("new", signed_in.news.clone())).await?;
        }
        Entered::Half(_) | Entered::Mailed(_) => tx.commit_quietly(Quiet::Step).await?,
    }
    Ok(entered)
}

/// What the pages before the console offer.
pub async fn door_options(cx: &Cx) -> Result<DoorOptions, AppError> {
    let mut tx = cx.door().await?;
    let tenant = first_tenant(&mut tx).await?;
    let rule = settings::get::<Registration>(tx.conn(), tenant).await?;
    let sign_in = settings::get::<SignIn>(tx.conn(), tenant).await?;
    let passwords = settings::get::<PasswordRule>(tx.conn(), tenant).await?;
    let passkeys = cx.public_url().is_fit_for_passkeys();
    Ok(DoorOptions {
        registration: rule.mode,
        domains: rule.domains,
        magic_link: sign_in.magic_link,
        password_shortest: passwords.shortest,
        passkeys,
    })
}

/// Looks at a registration without spending it.
pub async fn look_at_registration(cx: &Cx, token: &str) -> Result<LinkInfo, AppError> {
    let mut tx = cx.door().await?;
    let registered = registration::find(&mut tx, token).await?;
    // Its password was chosen when it was made.
    let (name, email) = (Some(registered.name), Some(registered.email));
    Ok(LinkInfo { name, email, password_shortest: 0, is_confirmed: false })
}
