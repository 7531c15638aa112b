//! Who sends a request: a bearer token or the browser's cookie pair, held against the session's row.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;

use super::{
    SignedIn, access_token, keys,
    store::{self, By, Device, Kind, Live},
    tokens,
};
use crate::{
    access::server::{
        Acting, Cx, Quiet,
        record::{Action, Event},
    },
    base::{
        errors::AppError,
        server::{
            agents,
            crypto::{self, Secret},
            places::network,
            settings,
        },
    },
    sessions::rules::Lifetimes,
};

/// `__Host-`: set by this host alone, over a secure channel, for all paths. A subdomain cannot plant one.
const ACCESS: &str = "__Host-bawwab-access";
const SESSION: &str = "__Host-bawwab-session";
const DEVICE: &str = "__Host-bawwab-device";
const STEP: &str = "__Host-bawwab-step";
const ACTING: &str = "__Host-bawwab-acting";

/// How long the secret before a renewal stays good once the new one has been shown, for requests that are under way; and
/// how long an answer with a new secret may be under way before it counts as lost.
const GRACE: TimeDelta = TimeDelta::seconds(60);

/// A request's context, and the cookies that its answer renews.
pub struct Recognised {
    pub cx: Cx,
    pub cookies: Vec<HeaderValue>,
    /// It came with cookies of ours, so it may have been sent by another site's page.
    pub by_cookie: bool,
}

/// Finds out who asks. Whatever is not a live session is nobody.
pub async fn recognise(cx: Cx, headers: &HeaderMap) -> Result<Recognised, AppError> {
    let anonymous = |cx| Recognised { cx, cookies: Vec::new(), by_cookie: false };
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        // A bearer token wins over cookies, also when it is no good.
        let token = authorization.to_str().ok().and_then(|text| text.split_once(' '));
        let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
            return Ok(anonymous(cx));
        };
        let token = token.trim();
        let caller = if token.starts_with(keys::MARK) {
            keys::caller(&cx, token).await?
        } else {
            by_access_token(&cx, token).await?.filter(|live| !live.is_browser).map(|live| live.caller)
        };
        return Ok(anonymous(caller.map_or_else(|| cx.clone(), |caller| cx.for_person(caller))));
    }
    let found = by_cookies(cx, headers).await?;
    with_acting(found, headers).await
}

/// Whoever acts as somebody else does so beside a live session of their own, in the same browser.
async fn with_acting(mut found: Recognised, headers: &HeaderMap) -> Result<Recognised, AppError> {
    let Some(token) = cookie(headers, ACTING) else { return Ok(found) };
    found.by_cookie = true;
    let own = found.cx.person().ok().map(|person| person.user);
    let live = by_access_token(&found.cx, &token).await?.filter(|live| match &live.caller.acting {
        Acting::Impersonated(by) => Some(by.user) == own,
        Acting::Themselves | Acting::Key(_) => false,
    });
    if let Some(live) = live {
        let cx = found.cx.for_person(live.caller);
        // Whoever owes a consent gives it first, as themselves.
        if !cx.owes_consent() && cx.may_act().await? {
            return Ok(Recognised { cx, ..found });
        }
    }
    found.cookies.push(no_acting());
    Ok(found)
}

async fn by_cookies(cx: Cx, headers: &HeaderMap) -> Result<Recognised, AppError> {
    let access = cookie(headers, ACCESS);
    let secret = cookie(headers, SESSION);
    let by_cookie = access.is_some() || secret.is_some();
    if let Some(token) = access
        && let Some(live) = by_access_token(&cx, &token).await?.filter(|live| live.is_browser)
        && live.keyed_rights_version >= live.rights_version
    {
        return Ok(Recognised { cx: cx.for_person(live.caller), cookies: Vec::new(), by_cookie });
    }
    match secret {
        Some(secret) => by_secret(cx, &secret, by_cookie, headers).await,
        None => Ok(Recognised { cx, cookies: Vec::new(), by_cookie }),
    }
}

async fn by_access_token(cx: &Cx, token: &str) -> Result<Option<Live>, AppError> {
    let issuer = cx.link("");
    let Some(claims) = tokens::verify(cx.keys(), &issuer, token, cx.now()) else { return Ok(None) };
    let mut tx = cx.door().await?;
    let live = store::live(&mut tx, By::Id(claims.session())).await?;
    Ok(live.filter(|live| live.caller.user.0 == claims.sub && live.caller.tenant.0 == claims.tid))
}

/// The access part has run out, or the person's rights have changed: renews the pair from the live row.
async fn by_secret(cx: Cx, secret: &str, by_cookie: bool, headers: &HeaderMap) -> Result<Recognised, AppError> {
    let digest = crypto::token_digest(Kind::Browser.as_str(), secret);
    let mut tx = cx.door().await?;
    let Some(live) = store::live(&mut tx, By::Digest(&digest)).await?.filter(|live| live.is_browser) else {
        return Ok(Recognised { cx, cookies: clearing(), by_cookie });
    };
    let caller = &live.caller;
    tx.enter(caller.tenant).await?;
    if !store::is_device_of(&mut tx, caller.session, &browser_device(headers).0.fingerprint).await? {
        // The secret without its device was carried off: whoever shows it has to sign in.
        let event = Event::denied(Action::DeviceChallenge).by(caller.user, &caller.name);
        tx.commit(event.on("session", caller.session, "").meta("kind", Kind::Browser.as_str())).await?;
        return Ok(Recognised { cx, cookies: clearing(), by_cookie });
    }
    let lifetimes = settings::get::<Lifetimes>(tx.conn(), caller.tenant).await?;
    let now = tx.now();
    store::slide(&mut tx, caller.session, now + TimeDelta::days(lifetimes.idle_days)).await?;
    let access = access_token(&cx, caller.user, caller.session, caller.tenant, &lifetimes, live.absolute_expires_at)?;
    let mut cookies = vec![set(ACCESS, access.expose(), lifetimes.access_minutes * 60)];
    if live.by_previous || live.keyed_rights_version < live.rights_version {
        let fresh = crypto::token();
        let fresh_digest = crypto::token_digest(Kind::Browser.as_str(), fresh.expose());
        // Where another request has been quicker its answer brings the new secret, and the old one lasts until then.
        if store::rekey(&mut tx, &live, &digest, &fresh_digest, now - GRACE).await? {
            cookies.push(set(SESSION, fresh.expose(), lifetimes.idle_days * 86_400));
        }
    } else {
        store::settle(&mut tx, caller.session, now + GRACE).await?;
    }
    tx.commit_quietly(Quiet::Renewal).await?;
    Ok(Recognised { cx: cx.for_person(live.caller), cookies, by_cookie })
}

/// Whoever holds an unspent refresh token, to prove themselves from another device. It opens nothing else.
pub async fn by_refresh_token(cx: &Cx, token: &str) -> Result<Cx, AppError> {
    let digest = crypto::token_digest(Kind::Program.as_str(), token);
    let mut tx = cx.door().await?;
    let found = store::refresh_token(&mut tx, &digest).await?;
    let found = found.filter(|found| found.spent_at.is_none() && !found.is_expired).ok_or_else(AppError::signed_out)?;
    let live = store::live(&mut tx, By::Id(found.session)).await?.ok_or_else(AppError::signed_out)?;
    Ok(cx.for_person(live.caller))
}

/// The cookies of a browser that has just signed in.
pub fn cookies_of(signed_in: &SignedIn, device: &Secret<String>) -> Vec<HeaderValue> {
    let lifetimes = &signed_in.lifetimes;
    vec![
        set(ACCESS, signed_in.access.expose(), lifetimes.access_minutes * 60),
        set(SESSION, signed_in.secret.expose(), lifetimes.idle_days * 86_400),
        set(DEVICE, device.expose(), 400 * 86_400),
    ]
}

/// The cookie of a browser that has proved the first factor.
pub fn step_cookie(token: &Secret<String>) -> HeaderValue {
    set(STEP, token.expose(), 600)
}

/// The cookie of a browser in which somebody acts as somebody else.
pub fn acting_cookie(token: &Secret<String>, seconds: i64) -> HeaderValue {
    set(ACTING, token.expose(), seconds)
}

/// The cookie that ends it.
pub fn no_acting() -> HeaderValue {
    set(ACTING, "", 0)
}

/// Its value, if any.
pub fn step(headers: &HeaderMap) -> Option<String> {
    cookie(headers, STEP)
}

/// The cookie that ends the step.
pub fn no_step() -> HeaderValue {
    set(STEP, "", 0)
}

/// The cookies that end a browser's session. The device stays known.
pub fn clearing() -> Vec<HeaderValue> {
    vec![set(ACCESS, "", 0), set(SESSION, "", 0), no_acting()]
}

fn set(name: &str, value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict");
    HeaderValue::from_str(&text).expect("tokens are base64url and names are ours")
}

/// The value of one cookie. Two of the same name are an attack on one of them: neither counts.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.to_owned()),
        _ => None,
    }
}

/// The device of a browser: its long-lived cookie, or a fresh one.
pub fn browser_device(headers: &HeaderMap) -> (Device, Secret<String>) {
    let known = cookie(headers, DEVICE).filter(|value| value.len() == 43);
    let secret = known.map_or_else(crypto::token, Secret::new);
    (device(headers, crypto::token_digest("device", secret.expose())), secret)
}

/// The device of a program: all it says about itself, from where.
pub fn program_device(headers: &HeaderMap, ip: Option<IpAddr>) -> Device {
    let agent = user_agent(headers).unwrap_or_default();
    // Not the address: a phone changes that on its way.
    let place = ip.map(network).unwrap_or_default();
    device(headers, crypto::token_digest("program", &format!("{agent}\n{place}")))
}

fn device(headers: &HeaderMap, fingerprint: Vec<u8>) -> Device {
    let agent = user_agent(headers).unwrap_or_default();
    let parsed = agents::parse(&agent);
    let (browser, os) = match &parsed {
        Some(found) => (found.name, found.os),
        None => ("", ""),
    };
    let known = |text: &str| if text == "UNKNOWN" { String::new() } else { text.to_owned() };
    let (browser, os) = (known(browser), known(os));
    let kind = agents::kind(parsed.as_ref());
    let name = [browser.as_str(), os.as_str()].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    Device { fingerprint, name: name.join(" · "), kind, browser }
}

/// What the client says it is, bounded, without characters that disturb a log.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(text.chars().filter(|c| !c.is_control()).take(400).collect())
}
