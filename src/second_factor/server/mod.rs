//! Setting the second factor up, asking for it at the door, taking it off, and proving oneself again.

pub mod codes;
pub mod forms;
pub mod rest;
mod store;

pub use self::store::{put_sealed, sealed};

use chrono::{DateTime, Utc};
use qrcode::{Color, EcLevel, QrCode};

use crate::{
    access::server::{
        Cx, Tx,
        record::{Action, Event},
    },
    accounts::{
        Password,
        server::{letters, store as people, tell},
    },
    base::{
        errors::{AppError, Conflict, SignedOut},
        ids::UserId,
        server::crypto,
    },
    second_factor::{Enrolment, FactorStatus},
    sessions::server::{
        self as sessions, Half, SignedIn, recognise,
        store::{self as sessions_store, Device, Kind},
        throttle::{self, Counted, Subject},
    },
};

/// What somebody shows as the second factor.
#[derive(Clone)]
pub enum Proof {
    Totp(String),
    BackupCode(String),
}

impl Proof {
    /// The one that was given. An empty one is none.
    pub fn of(totp: Option<String>, backup_code: Option<String>) -> Option<Self> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        given(totp).map(Proof::Totp).or_else(|| given(backup_code).map(Proof::BackupCode))
    }
}

/// Where the caller's second factor stands.
pub async fn status(cx: &Cx) -> Result<FactorStatus, AppError> {
    let mut tx = cx.own_enrolling().await?;
    let user = cx.person()?.user;
    let enabled_at = store::totp(&mut tx, user).await?.and_then(|totp| totp.confirmed_at);
    let required = tx.snapshot()?.has_role_named(user, &cx.person()?.factor_roles, tx.now());
    let backup_codes_left = store::codes_left(&mut tx, user).await?;
    Ok(FactorStatus {
        enabled: enabled_at.is_some(),
        enabled_at: enabled_at.map(Into::into),
        backup_codes_left,
        required,
        has_passkeys: cx.person()?.has_passkeys,
    })
}

/// Makes a secret for the caller's authenticator app. It counts once a code of it has been shown.
pub async fn begin(cx: &Cx) -> Result<Enrolment, AppError> {
    let mut tx = cx.own_enrolling().await?;
    cx.fresh()?;
    let person = cx.person()?;
    let secret = crypto::random::<{ codes::SECRET_LENGTH }>();
    if !store::begin(&mut tx, person.user, &secret).await? {
        return Err(AppError::Conflict(Conflict::InUse));
    }
    let email = people::by_id(&mut tx, person.user).await?.ok_or_else(AppError::signed_out)?.email;
    tx.commit(Event::done(Action::FactorBegin).on("user", person.user, &person.name)).await?;
    enrolment(cx, &secret, &email)
}

/// The secret that waits to be confirmed, to be shown again after a wrong code.
pub async fn pending(cx: &Cx) -> Result<Option<Enrolment>, AppError> {
    let mut tx = cx.own_enrolling().await?;
    cx.fresh()?;
    let user = cx.person()?.user;
    let Some(totp) = store::totp(&mut tx, user).await?.filter(|totp| totp.confirmed_at.is_none()) else {
        return Ok(None);
    };
    let email = people::by_id(&mut tx, user).await?.ok_or_else(AppError::signed_out)?.email;
    enrolment(cx, &totp.secret, &email).map(Some)
}

fn enrolment(cx: &Cx, secret: &[u8], email: &str) -> Result<Enrolment, AppError> {
    let written = codes::base32(secret);
    let issuer = cx.link("").split_once("://").map_or_else(String::new, |(_, host)| host.to_owned());
    let label = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let issuer = format!("Bawwab {issuer}");
    let otpauth_uri = format!(
        "otpauth://totp/{}:{}?secret={written}&issuer={}&algorithm=SHA1&digits=6&period=30",
        label(&issuer),
        label(email),
        label(&issuer),
    );
    let qr_svg = picture(&otpauth_uri)?;
    Ok(Enrolment { secret: codes::grouped(&written, ' '), otpauth_uri, qr_svg })
}

/// A QR code as one path, dark on light whatever the theme, with the quiet zone that scanners need.
fn picture(text: &str) -> anyhow::Result<String> {
    let qr = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let width = qr.width();
    let mut path = String::new();
    for (y, row) in qr.to_colors().chunks(width).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            path.push_str(&format!("M{} {}h1v1h-1z", x + 4, y + 4));
        }
    }
    let whole = width + 8;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{whole}v{whole}h-{whole}z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

/// Counts a guess at somebody's codes before it is judged.
async fn count(cx: &Cx, user: UserId) -> Result<Counted, AppError> {
    throttle::count(cx, &[Subject::Codes(user)]).await
}

/// Turns the second factor on with a first code, and gives the backup codes. That code cannot sign in any more.
pub async fn confirm(cx: &Cx, code: &str, end_others: bool) -> Result<Vec<String>, AppError> {
    cx.fresh()?;
    let person = cx.person()?.clone();
    count(cx, person.user).await?;
    let mut tx = cx.own_enrolling().await?;
    let wrong = AppError::SignedOut(SignedOut::WrongCode);
    let Some(totp) = store::totp(&mut tx, person.user).await? else { return Err(AppError::NotFound) };
    if totp.confirmed_at.is_some() {
        return Err(AppError::Conflict(Conflict::InUse));
    }
    let step = codes::read_totp(code).and_then(|code| codes::step_of(&totp.secret, &code, tx.now()));
    let Some(step) = step else { return Err(wrong) };
    if !store::confirm(&mut tx, person.user, step).await? {
        return Err(wrong);
    }
    let made = store::new_codes(&mut tx, person.user).await?;
    sessions_store::void_steps(&mut tx, person.user).await?;
    sessions_store::prove(&mut tx, person.session, 2).await?;
    let ended = if end_others { sessions_store::end_others(&mut tx, &person, "second_factor").await? } else { 0 };
    tell(&mut tx, person.user, letters::factor_on).await?;
    let event = Event::done(Action::FactorOn).on("user", person.user, &person.name);
    tx.commit(event.meta("ended", ended)).await?;
    throttle::forgive(cx, &[Subject::Codes(person.user)]).await?;
    Ok(made)
}

/// Takes the caller's authenticator app off, unless a role of theirs needs a second factor and they have no other.
pub async fn disable(cx: &Cx) -> Result<(), AppError> {
    let mut tx = cx.own().await?;
    cx.fresh()?;
    let person = cx.person()?;
    if !person.has_passkeys && tx.snapshot()?.has_role_named(person.user, &person.factor_roles, tx.now()) {
        return Err(AppError::denied(crate::base::errors::DenialCode::EnrolmentRequired));
    }
    if !store::remove(&mut tx, person.user).await? {
        return Err(AppError::NotFound);
    }
    tell(&mut tx, person.user, letters::factor_off).await?;
    tx.commit(Event::done(Action::FactorOff).on("user", person.user, &person.name)).await
}

/// A new set of backup codes; the set before is void.
pub async fn new_backup_codes(cx: &Cx) -> Result<Vec<String>, AppError> {
    let mut tx = cx.own().await?;
    cx.fresh()?;
    let person = cx.person()?;
    if !person.has_second_factor {
        return Err(AppError::NotFound);
    }
    let made = store::new_codes(&mut tx, person.user).await?;
    tell(&mut tx, person.user, letters::new_codes).await?;
    tx.commit(Event::done(Action::BackupCodes).on("user", person.user, &person.name)).await?;
    Ok(made)
}

/// Takes the authenticator app and the backup codes off somebody's account. Whether there was an app.
pub async fn take_off(tx: &mut Tx, id: UserId) -> Result<bool, AppError> {
    store::remove(tx, id).await
}

/// Judges a proof and spends it. How it was proved, or `None`.
async fn spend(tx: &mut Tx, user: UserId, proof: &Proof) -> Result<Option<&'static str>, AppError> {
    let now: DateTime<Utc> = tx.now();
    match proof {
        Proof::Totp(text) => {
            let Some(totp) = store::totp(tx, user).await?.filter(|totp| totp.confirmed_at.is_some()) else {
                return Ok(None);
            };
            let step = codes::read_totp(text).and_then(|code| codes::step_of(&totp.secret, &code, now));
            match step {
                Some(step) if store::spend_step(tx, user, step).await? => Ok(Some("totp")),
                _ => Ok(None),
            }
        }
        Proof::BackupCode(text) => match codes::read_backup_code(text) {
            Some(code) if store::spend_code(tx, user, &code).await? => Ok(Some("backup_code")),
            _ => Ok(None),
        },
    }
}

/// The last step of signing in: whoever is half-way in shows the second factor.
pub async fn finish(cx: &Cx, half: Half, proof: &Proof) -> Result<SignedIn, AppError> {
    let (user, tenant, name) = (half.candidate.user, half.candidate.tenant, half.candidate.name.clone());
    let counted = match count(cx, user).await {
        Ok(counted) => counted,
        Err(refused) => {
            let mut tx = cx.door().await?;
            tx.enter(tenant).await?;
            tx.commit(Event::denied(Action::Lockout).on("user", user, &name).meta("cause", "code")).await?;
            return Err(refused);
        }
    };
    let mut tx = cx.door().await?;
    tx.enter(tenant).await?;
    let Some(how) = spend(&mut tx, user, proof).await? else {
        drop(tx);
        let mut tx = cx.door().await?;
        tx.enter(tenant).await?;
        let last = counted == Counted::LastFree;
        if last {
            // Whoever has come here knows the password.
            tell(&mut tx, user, letters::guessed).await?;
        }
        let event = Event::failed(Action::LoginFailed).on("user", user, &name).meta("cause", "code");
        tx.commit(event.meta("next_waits", last)).await?;
        return Err(AppError::SignedOut(SignedOut::WrongCode));
    };
    let (kind, method) = (half.kind, format!("{}+{how}", half.method));
    let signed_in = sessions::complete(&mut tx, half, 2).await?;
    tx.commit(signed_in.event(name, &method, kind).meta("new", signed_in.news.clone())).await?;
    throttle::forgive_all(cx, user).await?;
    Ok(signed_in)
}

/// The same for a program that has spent a link and goes on with the step that this has brought.
pub async fn go_on(cx: &Cx, step: &str, proof: Option<Proof>, device: Device) -> Result<SignedIn, AppError> {
    let half = throttle::by_token(cx, sessions::recall(cx, step, Kind::Program, device)).await?;
    let proof = proof.ok_or(AppError::SignedOut(SignedOut::TotpRequired))?;
    finish(cx, half, &proof).await
}

/// A passkey answers in a browser only: whoever has nothing else to show beside a refresh token has to sign in again.
async fn check_provable(cx: &Cx) -> Result<(), AppError> {
    let mut tx = cx.own_enrolling().await?;
    let person = cx.person()?;
    let has_password = people::has_password(&mut tx, person.user).await?;
    let has_app = store::totp(&mut tx, person.user).await?.is_some_and(|totp| totp.confirmed_at.is_some());
    let has_codes = has_app || store::codes_left(&mut tx, person.user).await? > 0;
    if has_password && (has_codes || !person.has_second_factor) {
        return Ok(());
    }
    Err(AppError::SignedOut(SignedOut::SignInAgain))
}

/// Proves from another device who holds a refresh token: from then on the session is that device's.
pub async fn prove_refresh(
    cx: &Cx,
    token: &str,
    password: Password,
    proof: Option<Proof>,
    device: &Device,
) -> Result<(), AppError> {
    let cx = throttle::by_token(cx, recognise::by_refresh_token(cx, token)).await?;
    check_provable(&cx).await?;
    reauthenticate(&cx, password, proof).await?;
    let mut tx = cx.own_enrolling().await?;
    let person = cx.person()?;
    let kept = sessions_store::upsert_device(&mut tx, person.user, device, cx.origin().ip).await?;
    sessions_store::move_to(&mut tx, person.session, kept).await?;
    tx.commit(Event::done(Action::DeviceChallenge).on("session", person.session, "")).await
}

/// Proves again who holds this session: with the password, and with the second factor where one is on.
pub async fn reauthenticate(cx: &Cx, password: Password, proof: Option<Proof>) -> Result<(), AppError> {
    let person = cx.person()?.clone();
    sessions::prove_password(cx, &password).await?;
    let mut tx = cx.own_enrolling().await?;
    let mut assurance = 1;
    if person.has_second_factor {
        let proof = proof.ok_or(AppError::SignedOut(SignedOut::TotpRequired))?;
        drop(tx);
        count(cx, person.user).await?;
        tx = cx.own_enrolling().await?;
        if spend(&mut tx, person.user, &proof).await?.is_none() {
            drop(tx);
            cx.record_apart(Event::failed(Action::Reauthenticate).on("session", person.session, "")).await;
            return Err(AppError::SignedOut(SignedOut::WrongCode));
        }
        assurance = 2;
    }
    sessions_store::prove(&mut tx, person.session, assurance).await?;
    tx.commit(Event::done(Action::Reauthenticate).on("session", person.session, "")).await?;
    throttle::forgive_all(cx, person.user).await
}
