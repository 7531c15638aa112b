//! Operations at the door: signing in, refreshing, signing out, one-time links.

pub mod acting;
pub mod devices;
pub mod devices_rest;
pub mod forms;
pub mod joining;
pub mod keys;
pub mod own;
pub mod own_forms;
pub mod own_rest;
pub mod puzzles;
pub mod recognise;
pub mod rest;
pub mod risk;
pub mod rules;
pub mod store;
pub mod throttle;
pub mod tokens;
pub mod visits;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

use self::{
    store::{Candidate, Device, Kind, NewSession, RefreshToken},
    throttle::{Counted, Subject},
};
use crate::{
    access::{
        Permission,
        server::{
            Acting, Cx, Quiet, Tx,
            change::{Change, Granter},
            record::{Action, Event},
        },
    },
    accounts::{
        Password,
        server::{
            letters,
            links::{self, Purpose},
            make_super_admin,
            rules::Email,
            store as people,
        },
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors, SignedOut},
        ids::{SessionId, TenantId, UserId},
        password::PasswordRule,
        server::{
            choice::{self, Choice},
            crypto::{self, Secret},
            input::Input,
            names,
            passwords::{self, Verdict},
            settings,
        },
    },
    sessions::{
        EnteredTenant, ImpersonatedBy, LinkInfo, Me, StepFactors,
        rules::{Lifetimes, Risk},
    },
};

/// How long somebody who has proved the first factor has for the second.
const STEP: TimeDelta = TimeDelta::minutes(10);
/// Keeps the tokens of that step from being taken for others. A browser's is unknown at a program's door.
fn step_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Browser => "step",
        Kind::Program => "step-program",
    }
}

/// Parallel refreshes within this time are a client's own race, not theft.
const RACE: TimeDelta = TimeDelta::seconds(10);

/// How long a refused sign-in lasts at least, whatever was wrong: longer than the slowest comparison.
#[derive(Clone, Copy, Debug)]
pub struct FailuresLast(pub Duration);

/// What a sign-in brings.
pub struct SignedIn {
    pub user: UserId,
    pub tenant: TenantId,
    pub session: SessionId,
    pub access: Secret<String>,
    /// A browser's session secret, or a program's refresh token.
    pub secret: Secret<String>,
    pub lifetimes: Lifetimes,
    /// What about it the account had not seen before.
    pub news: Vec<String>,
}

impl SignedIn {
    /// The sign-in as the audit log shows it.
    pub fn event(&self, name: impl Into<String>, method: &str, kind: Kind) -> Event {
        let event = Event::done(Action::Login).by(self.user, name).on("session", self.session, "");
        event.meta("method", method).meta("kind", kind.as_str())
    }
}

/// How far somebody has come who has proved the first factor.
pub enum Entered {
    In(SignedIn),
    /// A second factor is on: it is still owed.
    Half(Half),
    /// Something was new: a code was mailed, and this token goes on with it.
    Mailed(Secret<String>),
}

/// Somebody half-way in. It opens nothing but the door of the second factor.
pub struct Half {
    pub candidate: Candidate,
    pub kind: Kind,
    pub device: Device,
    /// How the first factor was proved: `password`, `magic_link`, `welcome`.
    pub method: String,
    /// The kept step that this comes from, which is spent on the way in.
    pub step: Option<Uuid>,
}

/// What somebody shows at the door.
pub struct Credentials {
    /// E-mail address or user name.
    pub login: String,
    pub password: Password,
    /// The solution of a puzzle, where one was asked for.
    pub puzzle: Option<String>,
}

/// Signs a person in by password. Unknown, wrong, suspended and not yet confirmed look and last the same.
pub async fn sign_in(
    cx: &Cx,
    credentials: Credentials,
    kind: Kind,
    device: Device,
    failures_last: Duration,
) -> Result<Entered, AppError> {
    let started = tokio::time::Instant::now();
    let result = try_sign_in(cx, credentials, kind, device).await;
    if let Err(AppError::SignedOut(_)) = &result {
        tokio::time::sleep_until(started + failures_last).await;
    }
    result
}

async fn try_sign_in(cx: &Cx, credentials: Credentials, kind: Kind, device: Device) -> Result<Entered, AppError> {
    let login = credentials.login.trim().nfkc().collect::<String>().to_lowercase();
    let login = Email::parse(&login).map_or(login, |email| email.as_str().to_owned());
    let too_long = credentials.password.0.chars().count() > passwords::LONGEST || login.chars().count() > 254;
    if too_long || login.contains('\0') {
        return Err(AppError::SignedOut(SignedOut::WrongCredentials));
    }
    let mut tx = cx.door().await?;
    let candidate = store::candidate(&mut tx, &login).await?;
    let account = match &candidate {
        // A browser that the person has signed in with has guesses of its own: no stranger can use them up (GHSA-cq42-vhv7-xr7p).
        Some(known) => {
            tx.enter(known.tenant).await?;
            let is_theirs = kind == Kind::Browser && store::knows(&mut tx, known.user, &device.fingerprint).await?;
            if is_theirs {
                Subject::Device(known.user, device.fingerprint.clone())
            } else {
                Subject::Account(known.user)
            }
        }
        None => Subject::Nobody(login.clone()),
    };
    drop(tx);
    let mut subjects = vec![account];
    subjects.extend(cx.origin().ip.map(Subject::Address));
    let counted = match throttle::count_solved(cx, &subjects, credentials.puzzle.as_deref()).await {
        Ok(counted) => counted,
        Err(refused) => {
            let event = about(Event::denied(Action::Lockout), candidate.as_ref());
            record_at_door(cx, candidate.as_ref(), event).await?;
            return Err(refused);
        }
    };
    let stored = candidate.as_ref().and_then(|candidate| candidate.password_hash.as_deref());
    let verdict = cx.hasher().verify(&credentials.password, stored).await?;
    let candidate = match candidate {
        Some(candidate) if verdict != Verdict::Wrong && candidate.is_active => candidate,
        candidate => {
            let cause = match (&candidate, verdict) {
                (None, _) => "unknown",
                (Some(_), Verdict::Wrong) => "password",
                (Some(_), _) => "inactive",
            };
            let event = about(Event::failed(Action::LoginFailed), candidate.as_ref()).meta("cause", cause);
            let event = event.meta("next_waits", counted == Counted::LastFree);
            record_at_door(cx, candidate.as_ref(), event).await?;
            return Err(AppError::SignedOut(SignedOut::WrongCredentials));
        }
    };
    let mut tx = cx.door().await?;
    tx.enter(candidate.tenant).await?;
    if verdict == Verdict::RightButOld {
        let hash = cx.hasher().hash(&credentials.password).await?;
        people::renew_password(&mut tx, candidate.user, &hash).await?;
    }
    let name = candidate.name.clone();
    if !candidate.has_second_factor
        && let Some((mailed, news)) = risk::weigh(&mut tx, &candidate, kind, &device, "password").await?
    {
        let event = about(Event::done(Action::CodeSent), Some(&candidate)).meta("new", risk::names(&news));
        tx.commit(event.meta("kind", kind.as_str())).await?;
        return Ok(mailed);
    }
    let entered = admit(&mut tx, candidate, kind, device, "password").await?;
    match &entered {
        Entered::In(signed_in) => {
            let event = signed_in.event(name, "password", kind);
            tx.commit(event.meta("new", signed_in.news.clone())).await?;
            // Whoever still owes a second step has not proved themselves yet.
            throttle::forgive(cx, &subjects).await?;
        }
        Entered::Half(_) | Entered::Mailed(_) => tx.commit_quietly(Quiet::Step).await?,
    }
    Ok(entered)
}

/// Opens a session for whoever has proved the first factor, unless they owe a second. The transaction has entered their
/// tenant.
async fn admit(
    tx: &mut Tx,
    candidate: Candidate,
    kind: Kind,
    device: Device,
    method: &'static str,
) -> Result<Entered, AppError> {
    if candidate.has_second_factor {
        return Ok(Entered::Half(Half { candidate, kind, device, method: method.to_owned(), step: None }));
    }
    open_session(tx, &candidate, kind, device, 1).await.map(Entered::In)
}

/// Keeps how far somebody has come, and gives back the token by which they go on.
pub async fn remember(cx: &Cx, half: &Half) -> Result<Secret<String>, AppError> {
    let token = crypto::token();
    let mut tx = cx.door().await?;
    tx.enter(half.candidate.tenant).await?;
    let (digest, until) = (crypto::token_digest(step_kind(half.kind), token.expose()), tx.now() + STEP);
    store::insert_step(&mut tx, half.candidate.user, &digest, &half.method, until).await?;
    tx.commit_quietly(Quiet::Step).await?;
    Ok(token)
}

/// Whoever holds this token is half-way in, as they stand now.
pub async fn recall(cx: &Cx, token: &str, kind: Kind, device: Device) -> Result<Half, AppError> {
    half_way(cx, &crypto::token_digest(step_kind(kind), token), kind, device).await
}

/// The same by the digest of the token, whatever kind it is of.
async fn half_way(cx: &Cx, digest: &[u8], kind: Kind, device: Device) -> Result<Half, AppError> {
    let mut tx = cx.door().await?;
    let Some((step, method, email)) = store::step(&mut tx, digest).await? else {
        return Err(AppError::signed_out());
    };
    let candidate = store::candidate(&mut tx, &email).await?.filter(|candidate| candidate.is_active);
    let candidate = candidate.ok_or_else(AppError::signed_out)?;
    Ok(Half { candidate, kind, device, method, step: Some(step) })
}

/// What this browser may show as the second factor, where it is half-way in. Anybody else learns nothing.
pub async fn step_factors(cx: &Cx) -> Result<StepFactors, AppError> {
    let token = leptos::prelude::use_context::<axum::http::request::Parts>();
    let token = token.and_then(|parts| recognise::step(&parts.headers)).unwrap_or_default();
    let mut tx = cx.door().await?;
    let digest = crypto::token_digest(step_kind(Kind::Browser), &token);
    let factors = store::step_factors(&mut tx, &digest).await?;
    Ok(factors.unwrap_or(StepFactors { app: true, passkeys: false }))
}

/// Lets somebody in who has shown the second factor as well. The transaction has entered their tenant.
pub async fn complete(tx: &mut Tx, half: Half, assurance: i16) -> Result<SignedIn, AppError> {
    if let Some(step) = half.step
        && !store::spend_step(tx, step).await?
    {
        return Err(AppError::signed_out());
    }
    open_session(tx, &half.candidate, half.kind, half.device, assurance).await
}

/// Under whose names an attempt with somebody's password is counted.
fn subjects_of(cx: &Cx, user: UserId) -> Vec<Subject> {
    let mut subjects = vec![Subject::Account(user)];
    subjects.extend(cx.origin().ip.map(Subject::Address));
    subjects
}

/// Compares the password of whoever is signed in, counted and recorded like an attempt at the door.
pub async fn prove_password(cx: &Cx, password: &Password) -> Result<(), AppError> {
    let person = cx.person()?.clone();
    if password.0.chars().count() > passwords::LONGEST {
        return Err(AppError::SignedOut(SignedOut::WrongCredentials));
    }
    throttle::count(cx, &subjects_of(cx, person.user)).await?;
    let mut tx = cx.own_enrolling().await?;
    let stored = people::password_hash(&mut tx, person.user).await?;
    drop(tx);
    if cx.hasher().verify(password, stored.as_deref()).await? == Verdict::Wrong {
        cx.record_apart(Event::failed(Action::Reauthenticate).on("session", person.session, "")).await;
        return Err(AppError::SignedOut(SignedOut::WrongCredentials));
    }
    Ok(())
}

/// The tenant at whose door somebody stands who has none yet.
pub(crate) async fn first_tenant(tx: &mut Tx) -> Result<TenantId, AppError> {
    let tenant = sqlx::query_scalar!("select id from tenants where is_first");
    Ok(TenantId(tenant.fetch_one(tx.conn()).await?))
}

/// Whom an attempt was about, where the name is somebody's.
fn about(event: Event, candidate: Option<&Candidate>) -> Event {
    match candidate {
        Some(candidate) => event.on("user", candidate.user, &candidate.name),
        None => event,
    }
}

/// Records what stays though nobody came in. Without a person it belongs to no tenant.
async fn record_at_door(cx: &Cx, candidate: Option<&Candidate>, event: Event) -> Result<(), AppError> {
    let mut tx = cx.door().await?;
    if let Some(candidate) = candidate {
        tx.enter(candidate.tenant).await?;
    }
    tx.commit(event).await
}

/// Opens a session of somebody who has proved themselves. The transaction has entered their tenant.
async fn open_session(
    tx: &mut Tx,
    candidate: &Candidate,
    kind: Kind,
    device: Device,
    assurance: i16,
) -> Result<SignedIn, AppError> {
    let (now, ip, user_agent) = (tx.now(), tx.cx().origin().ip, tx.cx().origin().user_agent.clone());
    let lifetimes = settings::get::<Lifetimes>(tx.conn(), candidate.tenant).await?;
    let session = SessionId(Uuid::now_v7());
    let news = risk::news(tx, candidate.user, &device).await?;
    let country = risk::remember_place(tx, candidate.user).await?;
    if news.contains(&risk::New::Device) && settings::get::<Risk>(tx.conn(), candidate.tenant).await?.mail_new_device {
        let place = [ip.map(|ip| ip.to_string()), country.clone()].into_iter().flatten().collect::<Vec<_>>();
        let sessions = tx.cx().link("/console/account");
        tx.mail(&letters::new_device(candidate.reader(), now, &device.name, &place.join(" · "), &sessions)).await?;
    }
    let device = store::upsert_device(tx, candidate.user, &device, ip).await?;
    let secret = crypto::token();
    let digest = crypto::token_digest(kind.as_str(), secret.expose());
    let absolute = now + TimeDelta::days(lifetimes.absolute_days);
    let expires_at = (now + TimeDelta::days(lifetimes.idle_days)).min(absolute);
    let new = NewSession {
        id: session,
        user: candidate.user,
        device,
        kind,
        digest: (kind == Kind::Browser).then_some(digest.as_slice()),
        rights_version: candidate.rights_version,
        assurance,
        ip,
        user_agent: user_agent.as_deref(),
        country: country.as_deref(),
        expires_at,
        absolute_expires_at: absolute,
    };
    store::insert(tx, &new).await?;
    if kind == Kind::Program {
        store::insert_refresh_token(tx, session, None, &digest, expires_at).await?;
    }
    let access = access_token(tx.cx(), candidate.user, session, candidate.tenant, &lifetimes, absolute)?;
    let (user, tenant, news) = (candidate.user, candidate.tenant, risk::names(&news));
    Ok(SignedIn { user, tenant, session, access, secret, lifetimes, news })
}

/// A fresh access token, never outliving its session.
fn access_token(
    cx: &Cx,
    user: UserId,
    session: SessionId,
    tenant: TenantId,
    lifetimes: &Lifetimes,
    absolute: DateTime<Utc>,
) -> Result<Secret<String>, AppError> {
    let now = cx.now();
    let until = (now + TimeDelta::minutes(lifetimes.access_minutes)).min(absolute);
    let issuer = cx.link("");
    Ok(Secret::new(tokens::sign(cx.keys(), &issuer, (user, session, tenant), now, until)?))
}

/// Trades a refresh token for the next pair. Of parallel uses one wins; the others get 401 and nothing else happens. A
/// spent one shown later ends the session and is audited (A3). From another device it asks for a proof first (A6).
pub async fn refresh(cx: &Cx, token: &str, device: &Device) -> Result<SignedIn, AppError> {
    let refused = AppError::signed_out;
    // One that nobody was given is counted; whoever loses a client's own race is not.
    let found = throttle::by_token(cx, find_refresh_token(cx, token)).await?;
    let mut tx = cx.door().await?;
    let Some(live) = store::live(&mut tx, store::By::Id(found.session)).await? else { return Err(refused()) };
    tx.enter(found.tenant).await?;
    let (user, name) = (live.caller.user, live.caller.name.clone());
    let now = tx.now();
    // One that was spent tells of theft however old it is: only an unspent one may just have run out.
    if found.spent_at.is_none() && found.is_expired {
        return Err(refused());
    }
    if found.spent_at.is_none() && !store::is_device_of(&mut tx, found.session, &device.fingerprint).await? {
        let event = Event::denied(Action::DeviceChallenge).by(user, name).on("session", found.session, "");
        tx.commit(event.meta("kind", Kind::Program.as_str()).meta("device", device.name.clone())).await?;
        return Err(AppError::StepUp);
    }
    if found.spent_at.is_some() || !store::spend_refresh_token(&mut tx, found.id).await? {
        // `None`: another request has spent it this very moment.
        if found.spent_at.is_some_and(|at| now - at > RACE) {
            store::end(&mut tx, user, Some(found.session), "refresh_reuse").await?;
            let event = Event::denied(Action::RefreshReuse).by(user, name).on("session", found.session, "");
            tx.commit(event).await?;
        }
        return Err(refused());
    }
    let lifetimes = settings::get::<Lifetimes>(tx.conn(), found.tenant).await?;
    let expires_at = (now + TimeDelta::days(lifetimes.idle_days)).min(live.absolute_expires_at);
    let secret = crypto::token();
    let digest = crypto::token_digest(Kind::Program.as_str(), secret.expose());
    store::insert_refresh_token(&mut tx, found.session, Some(found.id), &digest, expires_at).await?;
    store::slide(&mut tx, found.session, expires_at).await?;
    let access = access_token(cx, user, found.session, found.tenant, &lifetimes, live.absolute_expires_at)?;
    let event = Event::done(Action::Refresh).by(user, name).on("session", found.session, "");
    tx.commit(event).await?;
    let (tenant, session, news) = (found.tenant, found.session, Vec::new());
    Ok(SignedIn { user, tenant, session, access, secret, lifetimes, news })
}

async fn find_refresh_token(cx: &Cx, token: &str) -> Result<RefreshToken, AppError> {
    let digest = crypto::token_digest(Kind::Program.as_str(), token);
    let mut tx = cx.door().await?;
    store::refresh_token(&mut tx, &digest).await?.ok_or_else(AppError::signed_out)
}

/// How far a log-out reaches; nothing sent means this session.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logout {
    /// End every session of the caller, not only this one.
    pub everywhere: bool,
}

/// Ends this session, or every session of the caller.
pub async fn sign_out(cx: &Cx, logout: Input<Logout>) -> Result<(), AppError> {
    let person = cx.person()?;
    if matches!(person.acting, Acting::Impersonated(_)) {
        return acting::stop(cx).await;
    }
    let mut tx = cx.own_enrolling().await?;
    let everywhere = logout.read_or_default()?.everywhere;
    let only = (!everywhere).then_some(person.session);
    let ended = store::end(&mut tx, person.user, only, "logout").await?;
    let event = Event::done(Action::Logout).on("session", person.session, "");
    tx.commit(event.meta("everywhere", everywhere).meta("ended", ended)).await
}

/// Who is signed in.
pub async fn me(cx: &Cx) -> Result<Me, AppError> {
    let mut tx = cx.of_caller_enrolling().await?;
    let caller = cx.person()?;
    let person = people::by_id(&mut tx, caller.user).await?.ok_or_else(AppError::signed_out)?;
    let tenant_name = tenant_name(&mut tx, caller.tenant).await?;
    let mut permissions = tx.snapshot()?.held(caller.user, tx.now());
    permissions.retain(|key| Permission::parse(key).is_ok_and(|key| caller.reaches(&key)));
    let has_password = people::has_password(&mut tx, caller.user).await?;
    let rule = settings::get::<PasswordRule>(tx.conn(), caller.tenant).await?;
    let password_shortest = rule.shortest_for(caller.has_second_factor);
    Ok(Me {
        entered: caller.entered.as_ref().map(|entered| EnteredTenant {
            id: entered.tenant,
            name: entered.name.clone(),
            until: entered.until.into(),
        }),
        id: person.id,
        name: person.name,
        email: person.email,
        locale: person.locale,
        tenant_id: person.tenant_id,
        tenant_name,
        is_super_admin: person.is_super_admin,
        has_password,
        password_shortest,
        roles: person.roles,
        permissions,
        impersonator: match &caller.acting {
            Acting::Impersonated(by) => {
                Some(ImpersonatedBy { name: by.name.clone(), reason: by.reason.clone(), until: by.until.into() })
            }
            Acting::Themselves | Acting::Key(_) => None,
        },
    })
}

async fn tenant_name(tx: &mut Tx, tenant: TenantId) -> Result<String, AppError> {
    let name = sqlx::query_scalar!("select name from tenants where id = $1", tenant.0);
    Ok(name.fetch_one(tx.conn()).await?)
}

/// Looks at a one-time link without spending it.
pub async fn look_at_link(cx: &Cx, purpose: &str, token: &str) -> Result<LinkInfo, AppError> {
    match purpose {
        "confirm" => return joining::look_at_registration(cx, token).await,
        "email-confirm" => return own::look_at_email(cx, own::End::New, token).await,
        "email-leave" | "email-cancel" => return own::look_at_email(cx, own::End::Old, token).await,
        _ => {}
    }
    let purpose = Purpose::parse(purpose).ok_or(AppError::NotFound)?;
    let mut tx = cx.door().await?;
    let link = links::find(&mut tx, purpose, token).await?;
    let has_second_factor = match &link.user_email {
        Some(email) => store::has_second_factor(&mut tx, email).await?,
        None => false,
    };
    let rule = settings::get::<PasswordRule>(tx.conn(), link.tenant).await?;
    Ok(LinkInfo {
        name: link.user_name,
        email: link.user_email,
        password_shortest: rule.shortest_for(has_second_factor),
        is_confirmed: false,
    })
}

/// The first administrator, as typed.
pub struct SetUp {
    pub token: String,
    pub name: String,
    pub email: String,
    pub password: Password,
    pub password_again: Password,
}

/// Spends the set-up link, makes the super-admin and signs them in.
pub async fn set_up(cx: &Cx, typed: SetUp, device: Device) -> Result<SignedIn, AppError> {
    throttle::by_token(cx, try_set_up(cx, typed, device)).await
}

async fn try_set_up(cx: &Cx, typed: SetUp, device: Device) -> Result<SignedIn, AppError> {
    let mut tx = cx.door().await?;
    let link = links::find(&mut tx, Purpose::Setup, &typed.token).await?;
    let mut errors = FieldErrors::default();
    let name = errors.take("name", names::parse(&typed.name, 200));
    let email = errors.take("email", Email::parse(&typed.email));
    let about = [typed.name.as_str(), typed.email.as_str()];
    let rule = settings::get::<PasswordRule>(tx.conn(), link.tenant).await?;
    let choice = Choice { password: &typed.password, has_second_factor: false, about: &about };
    check_choice(&mut errors, &rule, choice, &typed.password_again).await;
    errors.check()?;
    let (Some(name), Some(email)) = (name, email) else { return Err(AppError::NotFound) };
    let hash = cx.hasher().hash(&typed.password).await?;
    tx.enter(link.tenant).await?;
    links::spend(&mut tx, &link).await?;
    let user = make_super_admin(&mut tx, &name, &email, &hash).await?;
    let candidate = entered(&mut tx, email.as_str()).await?;
    let signed_in = open_session(&mut tx, &candidate, Kind::Browser, device, 1).await?;
    let event = Event::done(Action::Setup).by(user, &name).on("user", user, &name);
    tx.commit(event).await?;
    Ok(signed_in)
}

/// A password chosen with a welcome link, as typed.
pub struct Welcome {
    pub token: String,
    pub password: Password,
    pub password_again: Password,
}

/// Spends a welcome link, keeps the password and signs the person in. Every session they had ends. Who has a second
/// factor still owes it: whoever lost that too needs an administrator to take it off.
pub async fn welcome(cx: &Cx, typed: Welcome, kind: Kind, device: Device) -> Result<Entered, AppError> {
    throttle::by_token(cx, try_welcome(cx, typed, kind, device)).await
}

async fn try_welcome(cx: &Cx, typed: Welcome, kind: Kind, device: Device) -> Result<Entered, AppError> {
    let Welcome { token, password, password_again } = typed;
    let mut tx = cx.door().await?;
    let link = links::find(&mut tx, Purpose::Welcome, &token).await?;
    let (Some(user), Some(name), Some(email)) = (link.user, &link.user_name, &link.user_email) else {
        return Err(AppError::NotFound);
    };
    let has_second_factor = store::has_second_factor(&mut tx, email).await?;
    let mut errors = FieldErrors::default();
    let rule = settings::get::<PasswordRule>(tx.conn(), link.tenant).await?;
    let choice = Choice { password: &password, has_second_factor, about: &[name, email] };
    check_choice(&mut errors, &rule, choice, &password_again).await;
    errors.check()?;
    let hash = cx.hasher().hash(&password).await?;
    tx.enter(link.tenant).await?;
    tx.lock_grants(None).await?;
    links::spend(&mut tx, &link).await?;
    let had_password = people::has_password(&mut tx, user).await?;
    people::set_password(&mut tx, user, &hash).await?;
    store::void_steps(&mut tx, user).await?;
    store::end(&mut tx, user, None, "password_changed").await?;
    // An invited person becomes active: the engine has to know. It gives nobody anything.
    tx.grant(&[Change::Active { user, active: true }], Granter::Setup).await?;
    let candidate = entered(&mut tx, email).await?;
    if had_password {
        let now = tx.now();
        tx.mail(&letters::password_changed(candidate.reader(), now)).await?;
    }
    let entered = admit(&mut tx, candidate, kind, device, "welcome").await?;
    let event = Event::done(Action::Welcome).by(user, name).on("user", user, name);
    tx.commit(event.meta("kind", kind.as_str())).await?;
    Ok(entered)
}

/// Judges a password that is chosen and typed twice.
async fn check_choice(errors: &mut FieldErrors, rule: &PasswordRule, choice: Choice<'_>, again: &Password) {
    let is_same = choice.password == again;
    if errors.take("password", choice::check(rule, choice).await).is_some() && !is_same {
        errors.add("password_again", FieldCode::Different);
    }
}

/// The person as this transaction has left them.
async fn entered(tx: &mut Tx, email: &str) -> Result<Candidate, AppError> {
    store::candidate(tx, email).await?.filter(|candidate| candidate.is_active).ok_or(AppError::NotFound)
}
