//! Registering passkeys, and what is proved with them: who signs in, a second factor, who holds a session.
//!
//! A challenge is kept here, belongs to one purpose, and is taken out before its answer is judged. An answer must show that
//! the device has recognised its person (user verification): a passkey is then two factors at once. Where the tenant only
//! prefers that, one that does not may follow another proof as the second factor, and stands for nothing by itself.

pub mod forms;
pub mod rest;
mod store;

pub use self::store::{put_sealed, sealed};

use anyhow::Context as _;
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;
use webauthn_rs::prelude::{
    Credential, DiscoverableAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url,
    Webauthn, WebauthnBuilder, WebauthnError,
};

use self::store::{Asked, Bound, Found};
use crate::{
    access::server::{
        Cx, PersonCaller, Quiet, Tx,
        record::{Action, Event},
    },
    accounts::server::{letters, store as people, tell},
    base::{
        errors::{AppError, Conflict, DenialCode, FieldCode, SignedOut},
        ids::{PasskeyId, TenantId, UserId},
        language::{self, td_string},
        server::{crypto, input::Input, settings},
        text::one_line,
    },
    passkeys::{NAME_LONGEST, OwnPasskeys, PasskeyInfo},
    sessions::{
        SignIn, Verification,
        server::{
            self as sessions, Half, SignedIn, recognise,
            store::{self as sessions_store, Device, Kind},
            throttle::{self, Subject},
        },
    },
};

/// How long a challenge may be answered.
const LIFE: TimeDelta = TimeDelta::minutes(5);
/// Keeps the handles of challenges from being taken for other tokens.
const HANDLE: &str = "passkey-challenge";
/// Passkeys that a person may have.
const MOST: i32 = 20;
/// Open challenges that one address may have: it may stand for a whole office.
const OPEN_BY_ADDRESS: i64 = 600;
/// WebAuthn §4: an id is no longer than this.
const ID_LONGEST: usize = 1023;
/// What a browser may tell of the ways to an authenticator.
const TRANSPORTS: &[&str] = &["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// This installation as authenticators know it: its name and origin come from the configuration alone.
fn site(cx: &Cx) -> Result<Webauthn, AppError> {
    let public = cx.public_url();
    if !public.is_fit_for_passkeys() {
        return Err(AppError::NotFound);
    }
    let origin = Url::parse(public.origin()).context("read the public address")?;
    let builder = WebauthnBuilder::new(public.host(), &origin).context("prepare for passkeys")?;
    Ok(builder.rp_name("Bawwab").build().context("prepare for passkeys")?)
}

/// What is asked of a browser: the handle goes back with the answer, `publicKey` to the authenticator.
#[derive(Serialize, ToSchema)]
pub struct Challenge {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge_id: Option<String>,
    /// As WebAuthn's `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`.
    #[serde(rename = "publicKey")]
    #[schema(value_type = Object)]
    pub public_key: Value,
}

/// Keeps a challenge for one purpose, and gives its handle.
async fn keep(cx: &Cx, bound: Bound, state: &impl Serialize) -> Result<String, AppError> {
    let handle = crypto::token();
    let state = serde_json::to_vec(state).context("write a challenge")?;
    let mut tx = cx.door().await?;
    let (digest, until) = (crypto::token_digest(HANDLE, handle.expose()), tx.now() + LIFE);
    if !store::insert_challenge(&mut tx, bound, &digest, &state, until, OPEN_BY_ADDRESS).await? {
        return Err(AppError::TooMany { retry_after: 60 });
    }
    tx.commit_quietly(Quiet::Step).await?;
    Ok(handle.expose().clone())
}

/// Takes a challenge out for good, before anything else is looked at; its state, if it was made for this.
async fn take<T: DeserializeOwned>(cx: &Cx, asked: Asked<'_>, bound: Bound) -> Result<Option<T>, AppError> {
    let mut tx = cx.door().await?;
    let taken = store::take_challenge(&mut tx, asked).await?;
    tx.commit_quietly(Quiet::Step).await?;
    let state = taken.filter(|(made_for, _)| *made_for == bound).map(|(_, state)| state);
    // One that cannot be read fits nothing.
    Ok(state.and_then(|state| serde_json::from_slice(&state).ok()))
}

/// The caller's passkeys.
pub async fn own(cx: &Cx) -> Result<OwnPasskeys, AppError> {
    let mut tx = cx.own_enrolling().await?;
    let user = cx.person()?.user;
    let passkeys = store::list(&mut tx, user).await?;
    Ok(OwnPasskeys { user, passkeys, possible: cx.public_url().is_fit_for_passkeys() })
}

/// Whose passkey is to be registered: it has to be the caller.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registrant {
    #[serde(rename = "userId")]
    #[schema(value_type = uuid::Uuid)]
    user_id: UserId,
}

/// The tenant's rule about recognising people.
async fn rule(tx: &mut Tx, tenant: TenantId) -> Result<Verification, AppError> {
    Ok(settings::get::<SignIn>(tx.conn(), tenant).await?.passkey_verification)
}

/// What a browser is asked to make, and the state that its answer is judged by.
fn to_make(
    site: &Webauthn,
    rule: Verification,
    (user, email, name): (UserId, &str, &str),
    known: Vec<Vec<u8>>,
) -> anyhow::Result<(Value, Value)> {
    let (mut options, state) = match rule {
        Verification::Required => {
            let (options, state) = site.start_passkey_registration(user.0, email, name, Some(known))?;
            (serde_json::to_value(options)?, serde_json::to_value(state)?)
        }
        Verification::Preferred => {
            let made = site.start_securitykey_registration(user.0, email, name, Some(known), None, None);
            let (options, state) = made?;
            (serde_json::to_value(options)?, serde_json::to_value(state)?)
        }
    };
    let mut public_key = options["publicKey"].take();
    if rule == Verification::Preferred {
        // Any authenticator will do, and none is told to answer only where it has recognised its person: without a PIN it
        // never could.
        let told =
            [("/extensions", "credentialProtectionPolicy"), ("/extensions", "enforceCredentialProtectionPolicy")];
        for (place, name) in [("", "hints")].into_iter().chain(told) {
            public_key.pointer_mut(place).and_then(Value::as_object_mut).and_then(|one| one.remove(name));
        }
    }
    // Where the device can keep it, nobody has to type a name to sign in with it.
    public_key["authenticatorSelection"]["residentKey"] = json!("preferred");
    Ok((public_key, state))
}

/// Asks for a new passkey of the caller.
pub async fn begin(cx: &Cx, registrant: Input<Registrant>) -> Result<Challenge, AppError> {
    let mut tx = cx.own_enrolling().await?;
    let person = cx.person()?.clone();
    if registrant.read()?.user_id != person.user {
        return Err(AppError::denied(DenialCode::NotYours));
    }
    cx.fresh()?;
    let site = site(cx)?;
    let email = people::by_id(&mut tx, person.user).await?.ok_or_else(AppError::signed_out)?.email;
    let known = store::descriptors(&mut tx, person.user).await?;
    let rule = rule(&mut tx, person.tenant).await?;
    drop(tx);
    if known.len() >= usize::try_from(MOST).unwrap_or(usize::MAX) {
        return Err(AppError::Conflict(Conflict::Full));
    }
    let known = known.into_iter().map(|(id, _transports)| id).collect();
    let who = (person.user, email.as_str(), person.name.as_str());
    let (public_key, state) = to_make(&site, rule, who, known).context("ask for a passkey")?;
    keep(cx, Bound::Register { user: person.user, session: person.session }, &state).await?;
    Ok(Challenge { challenge_id: None, public_key })
}

/// What the authenticator has made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasskey {
    /// WebAuthn's `RegistrationResponseJSON`.
    #[schema(value_type = Object)]
    pub attestation: Value,
    #[serde(default)]
    pub name: Option<String>,
}

/// Keeps the passkey that was made for the challenge of this session.
pub async fn add(cx: &Cx, new: Input<NewPasskey>) -> Result<PasskeyInfo, AppError> {
    let person = cx.person()?.clone();
    let NewPasskey { attestation, name } = new.read()?;
    cx.fresh()?;
    let malformed = || AppError::field("attestation", FieldCode::Malformed);
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name.map(|name| one_line(&name, 1, NAME_LONGEST)).transpose();
    let name = name.map_err(|code| AppError::field("name", code))?;
    let bound = Bound::Register { user: person.user, session: person.session };
    let state = take::<PasskeyRegistration>(cx, Asked::Registration(person.session), bound).await?;
    let state = state.ok_or_else(malformed)?;
    let (attestation, transports) = without_transports(attestation);
    let attestation = serde_json::from_value::<RegisterPublicKeyCredential>(attestation);
    let attestation = attestation.map_err(|_not_of_this_form| malformed())?;
    let passkey = match site(cx)?.finish_passkey_registration(&attestation, &state) {
        Ok(passkey) if passkey.cred_id().len() <= ID_LONGEST => passkey,
        Ok(_) | Err(_) => {
            cx.record_apart(Event::failed(Action::PasskeyAdd).on("user", person.user, &person.name)).await;
            return Err(malformed());
        }
    };
    let mut tx = cx.own_enrolling().await?;
    // The rule may have changed since it was asked for.
    let verifies = Credential::from(passkey.clone()).user_verified;
    if !verifies && rule(&mut tx, person.tenant).await? == Verification::Required {
        drop(tx);
        cx.record_apart(Event::failed(Action::PasskeyAdd).on("user", person.user, &person.name)).await;
        return Err(malformed());
    }
    if store::lock_ways(&mut tx, person.user).await?.passkeys >= MOST {
        return Err(AppError::Conflict(Conflict::Full));
    }
    let own = people::by_id(&mut tx, person.user).await?.ok_or_else(AppError::signed_out)?;
    let unnamed = td_string!(language::parse(&own.locale).unwrap_or_default(), passkeys.unnamed);
    let name = name.unwrap_or_else(|| unnamed.to_owned());
    let added = store::insert(&mut tx, person.user, name, &passkey, transports).await?;
    // Whoever is half-way in by one factor has to show this one, too.
    sessions_store::void_steps(&mut tx, person.user).await?;
    sessions_store::prove(&mut tx, person.session, 2).await?;
    tx.mail(&letters::passkey_added(own.reader())).await?;
    let event = Event::done(Action::PasskeyAdd).on("passkey", added.id, &added.name);
    tx.commit(event.meta("synced", added.synced)).await?;
    Ok(added)
}

/// An attestation and the transports it tells, which are a hint and may be words that nobody knows yet.
fn without_transports(mut attestation: Value) -> (Value, Vec<String>) {
    let told = attestation.get_mut("response").and_then(Value::as_object_mut).and_then(|own| own.remove("transports"));
    let told = told.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut transports = told.filter(|word| TRANSPORTS.contains(word)).map(str::to_owned).collect::<Vec<_>>();
    transports.sort();
    transports.dedup();
    (attestation, transports)
}

/// Gives one of the caller's passkeys another name.
pub async fn rename(cx: &Cx, id: PasskeyId, name: Input<String>) -> Result<PasskeyInfo, AppError> {
    let mut tx = cx.own().await?;
    let name = one_line(&name.read()?, 1, NAME_LONGEST).map_err(|code| AppError::field("name", code))?;
    let user = cx.person()?.user;
    let before = store::rename(&mut tx, user, id, &name).await?.ok_or(AppError::NotFound)?;
    let renamed = store::list(&mut tx, user).await?.into_iter().find(|passkey| passkey.id == id);
    let event = Event::done(Action::PasskeyRename).on("passkey", id, &name);
    tx.commit(event.change(json!({"name": before}), json!({"name": name}))).await?;
    renamed.ok_or(AppError::NotFound)
}

/// Removes one of the caller's passkeys, unless it is their last way in or a role of theirs needs it.
pub async fn remove(cx: &Cx, id: PasskeyId, end_others: bool) -> Result<(), AppError> {
    let mut tx = cx.own().await?;
    cx.fresh()?;
    let person = cx.person()?.clone();
    let ways = store::lock_ways(&mut tx, person.user).await?;
    let name = store::remove(&mut tx, person.user, id).await?.ok_or(AppError::NotFound)?;
    // One that does not recognise its person is no way in.
    if !ways.has_password && !store::has_verifying(&mut tx, person.user).await? {
        return Err(AppError::Conflict(Conflict::LastWayIn));
    }
    let is_last = ways.passkeys <= 1 && !ways.has_app;
    if is_last && tx.snapshot()?.has_role_named(person.user, &person.factor_roles, tx.now()) {
        return Err(AppError::denied(DenialCode::EnrolmentRequired));
    }
    let ended = if end_others { sessions_store::end_others(&mut tx, &person, "passkey_removed").await? } else { 0 };
    tell(&mut tx, person.user, letters::passkey_removed).await?;
    tx.commit(Event::done(Action::PasskeyRemove).on("passkey", id, name).meta("ended", ended)).await
}

/// Takes every passkey off somebody's account. How many there were.
pub async fn take_off(tx: &mut Tx, id: UserId) -> Result<u64, AppError> {
    store::remove_all(tx, id).await
}

/// What a passkey is to answer for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Without a name: whoever has the passkey is its person.
    #[default]
    SignIn,
    /// After the password, in a browser.
    SecondFactor,
    /// Of a session, before a sensitive act.
    Reauthenticate,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChallengeRequest {
    purpose: Purpose,
}

/// Asks for an answer of a passkey.
pub async fn challenge(cx: &Cx, request: Input<ChallengeRequest>, headers: &HeaderMap) -> Result<Challenge, AppError> {
    let purpose = request.read_or_default()?.purpose;
    let (bound, rule) = match purpose {
        Purpose::SignIn => (Bound::SignIn, Verification::Required),
        Purpose::SecondFactor => {
            let half = half(cx, headers).await?;
            let step = half.step.ok_or_else(AppError::signed_out)?;
            let rule = rule(&mut cx.door().await?, half.candidate.tenant).await?;
            (Bound::SecondFactor { user: half.candidate.user, step }, rule)
        }
        Purpose::Reauthenticate => {
            let person = cx.person()?;
            (Bound::Reauthenticate { user: person.user, session: person.session }, Verification::Required)
        }
    };
    let allowed = match bound.user() {
        None => Vec::new(),
        Some(user) => {
            let mut tx = cx.door().await?;
            let allowed = store::descriptors(&mut tx, user).await?;
            if allowed.is_empty() {
                return Err(AppError::NotFound);
            }
            allowed
        }
    };
    let (mut public_key, state) = to_answer(&site(cx)?, rule).context("ask a passkey")?;
    public_key["allowCredentials"] = allowed
        .iter()
        .map(|(id, transports)| json!({"type": "public-key", "id": URL_SAFE_NO_PAD.encode(id), "transports": transports}))
        .collect();
    let handle = keep(cx, bound, &state).await?;
    Ok(Challenge { challenge_id: Some(handle), public_key })
}

/// What a browser is asked to answer, whosever passkey it has, and the state that its answer is judged by.
fn to_answer(site: &Webauthn, rule: Verification) -> anyhow::Result<(Value, Value)> {
    let (mut options, state) = match rule {
        Verification::Required => {
            let (options, state) = site.start_discoverable_authentication()?;
            (serde_json::to_value(options)?, serde_json::to_value(state)?)
        }
        Verification::Preferred => {
            let (options, state) = site.start_securitykey_authentication(&[])?;
            (serde_json::to_value(options)?, serde_json::to_value(state)?)
        }
    };
    let mut public_key = options["publicKey"].take();
    public_key.as_object_mut().and_then(|public_key| public_key.remove("hints"));
    Ok((public_key, state))
}

/// Whoever is half-way in with this browser.
async fn half(cx: &Cx, headers: &HeaderMap) -> Result<Half, AppError> {
    let (device, _secret) = recognise::browser_device(headers);
    sessions::recall(cx, &recognise::step(headers).unwrap_or_default(), Kind::Browser, device).await
}

/// What comes back from a browser.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub challenge_id: String,
    /// WebAuthn's `AuthenticationResponseJSON`.
    #[schema(value_type = Object)]
    pub assertion: Value,
}

/// What goes wrong with an answer, on the record. Nothing tells the caller what it was.
async fn refuse(cx: &Cx, action: Action, found: Option<&Found>, cause: &'static str) -> Result<AppError, AppError> {
    let mut tx = cx.door().await?;
    let mut event = Event::failed(action).meta("cause", "passkey").meta("why", cause);
    if let Some(found) = found {
        tx.enter(found.tenant).await?;
        event = event.on("user", found.user, &found.user_name);
    }
    tx.commit(event).await?;
    Ok(AppError::SignedOut(SignedOut::WrongPasskey))
}

/// Judges an answer to a challenge that was made for this, keeps the counter that it brings, and gives whose passkey it
/// was. The transaction has entered their tenant and is still open: what is proved counts together with the counter.
async fn judge(cx: &Cx, answer: Answer, bound: Bound, action: Action) -> Result<(Tx, Found), AppError> {
    let digest = crypto::token_digest(HANDLE, &answer.challenge_id);
    let Some(state) = take::<DiscoverableAuthentication>(cx, Asked::Digest(&digest), bound).await? else {
        return Err(refuse(cx, action, None, "challenge").await?);
    };
    let Ok(assertion) = serde_json::from_value::<PublicKeyCredential>(answer.assertion) else {
        return Err(refuse(cx, action, None, "form").await?);
    };
    let mut tx = cx.door().await?;
    let Some(found) = store::find(&mut tx, &assertion.raw_id).await? else {
        drop(tx);
        return Err(refuse(cx, action, None, "unknown").await?);
    };
    // Whom the authenticator says it stands for; where nobody was named before, it has to say so.
    let told = assertion.get_user_unique_id().map(|id| id == found.user.0.as_bytes());
    let is_theirs = match bound.user() {
        None => told == Some(true),
        Some(user) => user == found.user && told != Some(false),
    };
    tx.enter(found.tenant).await?;
    let passkey = if is_theirs { store::lock(&mut tx, found.id).await? } else { None };
    let Some(mut passkey) = passkey else {
        drop(tx);
        return Err(refuse(cx, action, Some(&found), "not theirs").await?);
    };
    let rule = match bound {
        Bound::SecondFactor { .. } => rule(&mut tx, found.tenant).await?,
        Bound::Register { .. } | Bound::SignIn | Bound::Reauthenticate { .. } => Verification::Required,
    };
    match site(cx)?.finish_discoverable_authentication_v2(&assertion, state, &passkey) {
        Ok(result) if result.user_verified() || rule == Verification::Preferred => {
            passkey.update_credential(&result);
            store::used(&mut tx, found.id, &passkey).await?;
            Ok((tx, found))
        }
        Err(WebauthnError::CredentialPossibleCompromise) => {
            drop(tx);
            let mut tx = cx.door().await?;
            tx.enter(found.tenant).await?;
            tell(&mut tx, found.user, letters::passkey_copied).await?;
            tx.commit(Event::denied(Action::PasskeyCopy).on("user", found.user, &found.user_name)).await?;
            Err(AppError::SignedOut(SignedOut::WrongPasskey))
        }
        Ok(_) | Err(_) => {
            drop(tx);
            Err(refuse(cx, action, Some(&found), "answer").await?)
        }
    }
}

/// Signs in whoever holds a passkey: it is both factors.
pub async fn sign_in(cx: &Cx, answer: Answer, kind: Kind, device: Device) -> Result<SignedIn, AppError> {
    throttle::by_token(cx, try_sign_in(cx, answer, kind, device)).await
}

async fn try_sign_in(cx: &Cx, answer: Answer, kind: Kind, device: Device) -> Result<SignedIn, AppError> {
    let (mut tx, found) = judge(cx, answer, Bound::SignIn, Action::LoginFailed).await?;
    let candidate = sessions_store::candidate(&mut tx, &found.email).await?;
    let candidate = candidate.filter(|candidate| candidate.is_active && candidate.user == found.user);
    let Some(candidate) = candidate else {
        drop(tx);
        return Err(refuse(cx, Action::LoginFailed, Some(&found), "inactive").await?);
    };
    let half = Half { candidate, kind, device, method: "passkey".to_owned(), step: None };
    let signed_in = sessions::complete(&mut tx, half, 2).await?;
    let event = signed_in.event(&found.user_name, "passkey", kind);
    tx.commit(event.meta("new", signed_in.news.clone())).await?;
    forgive(cx, found.user).await?;
    Ok(signed_in)
}

/// The last step of signing in: whoever is half-way in shows a passkey of theirs.
pub async fn finish(cx: &Cx, answer: Answer, headers: &HeaderMap) -> Result<SignedIn, AppError> {
    let half = half(cx, headers).await?;
    let (user, step) = (half.candidate.user, half.step.ok_or_else(AppError::signed_out)?);
    let (mut tx, found) = judge(cx, answer, Bound::SecondFactor { user, step }, Action::LoginFailed).await?;
    let (kind, method) = (half.kind, format!("{}+passkey", half.method));
    let signed_in = sessions::complete(&mut tx, half, 2).await?;
    let event = signed_in.event(&found.user_name, &method, kind);
    tx.commit(event.meta("new", signed_in.news.clone())).await?;
    throttle::forgive_all(cx, user).await?;
    Ok(signed_in)
}

/// Proves again who holds this session.
pub async fn reauthenticate(cx: &Cx, answer: Input<Answer>) -> Result<(), AppError> {
    let PersonCaller { user, session, .. } = *cx.person()?;
    let answer = answer.read()?;
    let (mut tx, _) = judge(cx, answer, Bound::Reauthenticate { user, session }, Action::Reauthenticate).await?;
    sessions_store::prove(&mut tx, session, 2).await?;
    tx.commit(Event::done(Action::Reauthenticate).on("session", session, "").meta("method", "passkey")).await?;
    forgive(cx, user).await
}

/// Whoever has proved themselves starts again. No password was tried, so the address has no attempt to get back.
async fn forgive(cx: &Cx, user: UserId) -> Result<(), AppError> {
    throttle::forgive(cx, &[Subject::Account(user), Subject::Codes(user)]).await
}
