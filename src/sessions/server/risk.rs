//! What is new about a sign-in, and what it costs: a code that is mailed to whoever has no second factor (A9).

use chrono::TimeDelta;
use uuid::Uuid;

use super::{
    Entered, STEP, SignedIn, about, complete, half_way, store,
    store::{Candidate, Device, Kind},
    throttle::{self, Subject},
};
use crate::{
    access::server::{
        Cx, Quiet, Tx,
        record::{Action, Event},
    },
    accounts::server::letters,
    base::{
        errors::{AppError, SignedOut},
        ids::UserId,
        server::{crypto, places::network, settings},
        text::latin_digit,
    },
    sessions::rules::Risk,
};

/// So often a mailed code may be tried.
const TRIES: i16 = 5;
/// What was not seen for so long is new again.
pub const MEMORY: TimeDelta = TimeDelta::days(180);

/// Something about a sign-in that the person's account has not seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum New {
    Device,
    Network,
    Country,
}

impl New {
    pub fn as_str(self) -> &'static str {
        match self {
            New::Device => "device",
            New::Network => "network",
            New::Country => "country",
        }
    }
}

/// What is new about a sign-in of somebody from here. Where nothing is known yet nothing is new; a device of long ago still
/// tells that the account was in use. The transaction has entered their tenant.
pub async fn news(tx: &mut Tx, user: UserId, device: &Device) -> Result<Vec<New>, AppError> {
    let ip = tx.cx().origin().ip;
    let (network, country) = (ip.map(network), ip.and_then(|ip| tx.cx().places().country(ip)));
    let since = tx.now() - MEMORY;
    let known = sqlx::query!(
        r#"select
             exists (select from devices where user_id = $1) as "devices!",
             exists (select from devices where user_id = $1 and fingerprint = $2 and last_seen_at > $5) as "device!",
             exists (select from known_places where user_id = $1 and last_seen_at > $5) as "networks!",
             exists (select from known_places where user_id = $1 and network = $3 and last_seen_at > $5) as "network!",
             exists (select from known_places where user_id = $1 and country is not null and last_seen_at > $5)
                 as "countries!",
             exists (select from known_places where user_id = $1 and country = $4 and last_seen_at > $5) as "country!""#,
        user.0,
        device.fingerprint,
        network,
        country,
        since,
    )
    .fetch_one(tx.conn())
    .await?;
    let judged = [
        (New::Device, known.devices && !known.device),
        (New::Network, network.is_some() && known.networks && !known.network),
        (New::Country, country.is_some() && known.countries && !known.country),
    ];
    Ok(judged.into_iter().filter_map(|(new, holds)| holds.then_some(new)).collect())
}

/// What of it asks for a code, by the tenant's rules.
pub fn asks(rules: &Risk, news: &[New]) -> bool {
    news.iter().any(|new| match new {
        New::Device => rules.ask_new_device,
        New::Network => rules.ask_new_network,
        New::Country => rules.ask_new_country,
    })
}

/// Keeps where somebody has signed in from; gives the country, if known.
pub async fn remember_place(tx: &mut Tx, user: UserId) -> Result<Option<String>, AppError> {
    let Some(ip) = tx.cx().origin().ip else { return Ok(None) };
    let (tenant, now, country) = (tx.tenant()?, tx.now(), tx.cx().places().country(ip));
    sqlx::query!(
        "insert into known_places (tenant_id, user_id, network, country, first_seen_at, last_seen_at)
         values ($1, $2, $3, $4, $5, $5)
         on conflict (user_id, network) do update set
             last_seen_at = excluded.last_seen_at, country = coalesce(excluded.country, known_places.country)",
        tenant.0,
        user.0,
        network(ip),
        country,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(country)
}

/// The names of what is new, for the audit log.
pub fn names(news: &[New]) -> Vec<String> {
    news.iter().map(|new| new.as_str().to_owned()).collect()
}

/// The token of a step is of the door that it was given at.
fn step_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Browser => "mailed-step",
        Kind::Program => "mailed-step-program",
    }
}

/// Derivation purpose of the key without which a mailed code cannot be guessed from what is kept of it.
const PURPOSE: &str = "mailed-codes";

/// A code is kept as a digest under a key, bound to its step.
fn code_digest(key: [u8; 32], step: Uuid, code: &str) -> Vec<u8> {
    crypto::token_digest("mailed-code", &format!("{}:{step}:{code}", hex::encode(key)))
}

/// Mails a code to somebody whose sign-in needs it, and keeps how far they have come.
pub async fn mail_code(
    tx: &mut Tx,
    candidate: &Candidate,
    kind: Kind,
    device: &Device,
    method: &str,
    news: &[New],
) -> Result<Entered, AppError> {
    let (token, step) = (crypto::token(), Uuid::now_v7());
    let code = format!("{:06}", u64::from_be_bytes(crypto::random::<8>()) % 1_000_000);
    let (tenant, now) = (tx.tenant()?, tx.now());
    let until = now + STEP;
    // A newer code voids the one before.
    store::void_steps(tx, candidate.user).await?;
    let code_digest = code_digest(tx.cx().keys().derive(PURPOSE), step, &code);
    sqlx::query!(
        "insert into sign_in_steps (id, tenant_id, user_id, digest, method, code_digest, news, expires_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        step,
        tenant.0,
        candidate.user.0,
        crypto::token_digest(step_kind(kind), token.expose()),
        method,
        code_digest,
        &names(news),
        until,
        now,
    )
    .execute(tx.conn())
    .await?;
    let place = tx.cx().origin().ip.map(|ip| ip.to_string()).unwrap_or_default();
    tx.mail(&letters::sign_in_code(candidate.reader(), &code, until, &device.name, &place)).await?;
    Ok(Entered::Mailed(token))
}

/// Lets in whoever shows the code that was mailed to them. It is counted before it is judged, and spent once.
pub async fn open(cx: &Cx, token: &str, code: &str, kind: Kind, device: Device) -> Result<SignedIn, AppError> {
    let half = half_way(cx, &crypto::token_digest(step_kind(kind), token), kind, device).await?;
    // A second factor that was set up meanwhile is asked for by beginning again: the mailbox is none.
    if half.candidate.has_second_factor {
        return Err(AppError::signed_out());
    }
    let (user, tenant, step) =
        (half.candidate.user, half.candidate.tenant, half.step.ok_or_else(AppError::signed_out)?);
    throttle::count(cx, &[Subject::Codes(user)]).await?;
    let mut tx = cx.door().await?;
    tx.enter(tenant).await?;
    let now = tx.now();
    let kept = sqlx::query!(
        r#"update sign_in_steps set code_tries = code_tries + 1
           where id = $1 and used_at is null and expires_at > $2 and code_digest is not null and code_tries < $3
           returning code_digest as "code_digest!", news"#,
        step,
        now,
        TRIES,
    )
    .fetch_optional(tx.conn())
    .await?;
    tx.commit_quietly(Quiet::Counter).await?;
    let Some(kept) = kept else { return Err(AppError::signed_out()) };
    let typed = code.chars().filter(|c| !c.is_whitespace()).map(latin_digit).collect::<String>();
    let mut tx = cx.door().await?;
    tx.enter(tenant).await?;
    let mut keys = cx.keys().derive_all(PURPOSE).into_iter();
    if !keys.any(|key| crypto::is_same(&code_digest(key, step, &typed), &kept.code_digest)) {
        let event = about(Event::failed(Action::LoginFailed), Some(&half.candidate)).meta("cause", "mailed_code");
        tx.commit(event).await?;
        return Err(AppError::SignedOut(SignedOut::WrongCode));
    }
    let (name, method) = (half.candidate.name.clone(), format!("{}+mailed_code", half.method));
    let signed_in = complete(&mut tx, half, 1).await?;
    tx.commit(signed_in.event(name, &method, kind).meta("new", kept.news)).await?;
    throttle::forgive_all(cx, user).await?;
    Ok(signed_in)
}

/// Judges what is new about somebody who has shown a password, and mails a code where the rules ask for one.
pub async fn weigh(
    tx: &mut Tx,
    candidate: &Candidate,
    kind: Kind,
    device: &Device,
    method: &str,
) -> Result<Option<(Entered, Vec<New>)>, AppError> {
    let rules = settings::get::<Risk>(tx.conn(), candidate.tenant).await?;
    let news = news(tx, candidate.user, device).await?;
    if !asks(&rules, &news) {
        return Ok(None);
    }
    // Whoever knows the password may not fill the mailbox.
    throttle::count(tx.cx(), &[Subject::Letters(candidate.email.clone())]).await?;
    let entered = mail_code(tx, candidate, kind, device, method, &news).await?;
    Ok(Some((entered, news)))
}
