//! The heart: a permission opens the transaction.
//!
//! [`Cx::allow`] is the only way to a [`Tx`] that writes, [`Cx::read`] to one that reads; [`Tx::commit`] consumes it and
//! writes the audit row in the same transaction. Forgetting the check, the tenant or the audit row does not compile.

pub mod change;
pub mod engine;
#[cfg(debug_assertions)]
pub mod fail_point;
pub mod given;
pub mod high;
pub mod known;
mod limits;
mod look;
pub mod nesting;
pub mod node;
pub mod outside;
mod people;
pub mod policy;
pub mod record;
pub mod rego;
mod tx;

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::use_context;
use sqlx::PgPool;
use tokio::sync::Notify;
use tracing::{error, warn};
use uuid::Uuid;

use self::{
    engine::{About, PersonGrants, Snapshot},
    known::KnownKeys,
    node::{Grants, Known},
    outside::{Heard, Outside},
    policy::Env,
    record::{Action, Event},
};
pub use self::{
    look::Look,
    people::States,
    tx::{Edited, IDEMPOTENCY_LASTS, Quiet, Tx},
};
use crate::{
    access::{Answer, Facts, IMPERSONATE_USERS, Permission, Reason},
    base::{
        errors::{AppError, Denial, DenialCode},
        ids::{SessionId, TenantId, UserId},
        server::{
            agents, clock::Clock, config::PublicUrl, crypto::Keys, mail::transport::PostFacts, metrics::Metrics,
            passwords::Hasher, places::Places,
        },
    },
};

/// What every context of this node shares.
#[derive(Clone)]
pub struct Heart {
    pool: PgPool,
    grants: Grants,
    clock: Clock,
    keys: Keys,
    hasher: Hasher,
    public_url: PublicUrl,
    mail_waits: Arc<Notify>,
    post: Arc<PostFacts>,
    places: Places,
    metrics: Metrics,
    outside: Outside,
    known_keys: KnownKeys,
    #[cfg(debug_assertions)]
    fail_point: fail_point::FailPoint,
}

/// The connections of a node to its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    pub idle: u32,
    pub in_use: u32,
    pub most: u32,
}

impl Heart {
    pub fn new(pool: PgPool, clock: Clock, keys: Keys, hasher: Hasher, public_url: PublicUrl) -> Self {
        let grants = Grants::new(clock.clone());
        let (mail_waits, post) = (Arc::default(), Arc::default());
        let (places, metrics) = (Places::default(), Metrics::default());
        Heart {
            pool,
            grants,
            clock,
            keys,
            hasher,
            public_url,
            mail_waits,
            post,
            places,
            metrics,
            outside: Outside::default(),
            known_keys: KnownKeys::default(),
            #[cfg(debug_assertions)]
            fail_point: fail_point::FailPoint::told(),
        }
    }

    /// With a database of countries.
    pub fn with_places(self, places: Places) -> Self {
        Heart { places, ..self }
    }

    /// With what is known about how letters leave.
    pub fn with_post(self, facts: PostFacts) -> Self {
        Heart { post: Arc::new(facts), ..self }
    }

    /// Wakes when this node has enqueued a letter.
    pub fn mail_waits(&self) -> &Notify {
        &self.mail_waits
    }

    pub fn public_url(&self) -> &PublicUrl {
        &self.public_url
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Reads the versions once, so that this node knows what it decides on.
    pub async fn refresh(&self) -> Result<(), AppError> {
        self.grants.refresh(&self.pool).await
    }

    /// Whether this node can decide: the database answers and the lease holds.
    pub async fn is_ready(&self) -> bool {
        self.grants.is_current() && sqlx::query!(r#"select 1 as "one!""#).fetch_one(&self.pool).await.is_ok()
    }

    /// What this node counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many questions to policies failed, each of which denied: to modules of Rego, and to agents outside.
    pub fn failed_policies(&self) -> [(&'static str, u64); 2] {
        [("rego", rego::failed()), ("outside", self.outside.failed())]
    }

    /// How current the grants of this node are.
    pub fn known_grants(&self) -> Known {
        self.grants.state()
    }

    pub fn connections(&self) -> Connections {
        let (open, idle) = (self.pool.size(), u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX));
        let idle = idle.min(open);
        Connections { idle, in_use: open - idle, most: self.pool.options().get_max_connections() }
    }

    /// Keeps the grants current until told to stop.
    pub async fn keep_current(self, stop: tokio_util::sync::CancellationToken) {
        self.grants.keep_current(self.pool, stop).await;
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    Person(PersonCaller),
    /// Work of the program itself, by name.
    Job(&'static str),
}

/// A signed-in person. Made by `sessions` alone, from a live session row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonCaller {
    pub user: UserId,
    pub name: String,
    pub tenant: TenantId,
    pub session: SessionId,
    /// The version of the session's last write: an older snapshot may not answer it.
    pub seen_version: i64,
    /// When the session last proved who holds it.
    pub proved_at: DateTime<Utc>,
    pub has_second_factor: bool,
    pub has_passkeys: bool,
    /// How well the session is proved: 1 by one factor, 2 by a second one as well or by a passkey.
    pub assurance: u8,
    /// Names of the roles that need a second factor, by the tenant's rule.
    pub factor_roles: Vec<String>,
    /// Whoever is behind the caller has not given the last version of a text that is required.
    pub owes_consent: bool,
    pub acting: Acting,
    /// Where a super-admin works who has gone into another tenant. Their own account stays at home.
    pub entered: Option<Box<Entered>>,
}

/// A tenant that a super-admin has gone into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    pub tenant: TenantId,
    pub name: String,
    /// The version of the session's last write there.
    pub seen_version: i64,
    /// From then on nothing is done there any more, and it is to be left.
    pub until: DateTime<Utc>,
}

/// Who is behind a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acting {
    /// The person, in a session of their own.
    Themselves,
    /// A key of theirs: it may do what they may, as far as its scopes reach.
    Key(KeyCaller),
    /// Somebody who acts as them, and may do nothing that they could not do as themselves.
    Impersonated(Impersonator),
}

/// An API key that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCaller {
    pub id: Uuid,
    pub name: String,
    /// Keys and wildcards: what none of them covers the key may not.
    pub scopes: Vec<Permission>,
}

/// Whoever acts as the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impersonator {
    pub user: UserId,
    pub name: String,
    pub reason: String,
    pub until: DateTime<Utc>,
}

impl PersonCaller {
    /// What the caller's rights are narrowed to; none where they are not.
    pub fn scopes(&self) -> Option<&[Permission]> {
        match &self.acting {
            Acting::Key(key) => Some(&key.scopes),
            Acting::Themselves | Acting::Impersonated(_) => None,
        }
    }

    /// The tenant that the caller works in.
    pub fn works_in(&self) -> TenantId {
        self.entered.as_ref().map_or(self.tenant, |entered| entered.tenant)
    }

    /// Whether the caller's rights, as they are narrowed, reach so far.
    pub fn reaches(&self, permission: &Permission) -> bool {
        self.scopes().is_none_or(|scopes| scopes.iter().any(|scope| scope.covers(permission)))
    }
}

/// How long a proof opens sensitive acts (A10).
pub const FRESH: TimeDelta = TimeDelta::minutes(5);

/// Where a request comes from, as the audit log keeps it.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub actor: Option<(UserId, String)>,
    /// Who acts as the actor.
    pub impersonator: Option<(UserId, String)>,
    /// The actor's key that was shown.
    pub api_key: Option<(Uuid, String)>,
    pub ip: Option<IpAddr>,
    pub user_agent: Option<String>,
    pub request_id: Option<Uuid>,
    /// The caller's key for doing this at most once.
    pub idempotency: Option<IdempotencyKey>,
}

/// An `Idempotency-Key` with the digest of the request it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub key: String,
    pub digest: Vec<u8>,
}

/// The context of one request: who asks, from where, and the only way to a transaction.
#[derive(Clone)]
pub struct Cx(Arc<Inner>);

struct Inner {
    heart: Heart,
    caller: Caller,
    origin: Origin,
    heard: Heard,
}

/// The decision on a caller: the engine's, within what the caller's key reaches.
fn check(
    cx: &Cx,
    snapshot: &Snapshot,
    person: &PersonCaller,
    permission: &Permission,
    facts: Option<&Facts>,
) -> Answer {
    if !person.reaches(permission) {
        return Answer::No;
    }
    cx.about(snapshot, person.user, permission, |about| {
        snapshot.check_about(person.user, permission, About { facts, ..about })
    })
}

/// The grants of a tenant with somebody of the platform among its people: they hold there what makes them a super-admin at
/// home, and what is denied to them at home. Whoever is none any more holds nothing there.
fn visiting(
    home: &Snapshot,
    there: &Arc<Snapshot>,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Arc<Snapshot>, AppError> {
    if !home.is_super_admin(user, now) {
        return Err(AppError::denied(DenialCode::PlatformOnly));
    }
    let of_platform =
        home.roles_of(user).iter().filter(|given| home.role(given.role).is_some_and(|role| role.platform));
    let roles = of_platform.cloned().collect();
    let overrides = home.overrides_of(user).to_vec();
    let mut visited = Snapshot::above(there);
    visited.put_person(user, PersonGrants { active: true, roles, overrides, ..PersonGrants::default() });
    Ok(Arc::new(visited))
}

/// A denied attempt, as it is recorded.
fn refused(permission: &Permission) -> Event {
    let key = permission.to_string();
    Event::denied(Action::AccessDenied).on("permission", &key, key.clone())
}

/// Without the permission it is refused, and nobody is told more.
fn missing(permission: &Permission) -> Denial {
    Denial::new(DenialCode::MissingPermission, vec![permission.to_string()])
}

/// The context of the request that a server function or a page answers.
pub fn from_context() -> Result<Cx, AppError> {
    use_context::<Cx>().ok_or_else(AppError::signed_out)
}

impl Cx {
    fn make(heart: Heart, caller: Caller, origin: Origin) -> Self {
        Cx(Arc::new(Inner { heart, caller, origin, heard: Heard::default() }))
    }

    /// Before anybody is known. It opens only what a door opens.
    pub fn for_sign_in(heart: Heart, origin: Origin) -> Self {
        Self::make(heart, Caller::Anonymous, origin)
    }

    /// A person whose session has been found live.
    pub fn for_person(&self, person: PersonCaller) -> Self {
        let mut origin = Origin { actor: Some((person.user, person.name.clone())), ..self.0.origin.clone() };
        match &person.acting {
            Acting::Themselves => {}
            Acting::Key(key) => origin.api_key = Some((key.id, key.name.clone())),
            Acting::Impersonated(by) => origin.impersonator = Some((by.user, by.name.clone())),
        }
        Self::make(self.0.heart.clone(), Caller::Person(person), origin)
    }

    /// The same caller, doing one thing at most once.
    pub fn with_idempotency(&self, key: IdempotencyKey) -> Self {
        let origin = Origin { idempotency: Some(key), ..self.0.origin.clone() };
        Self::make(self.0.heart.clone(), self.0.caller.clone(), origin)
    }

    /// What policies may know of the request.
    fn env(&self, snapshot: &Snapshot) -> Env {
        // Nobody asks.
        if snapshot.policies().is_empty() {
            return Env::default();
        }
        let agent = self.0.origin.user_agent.as_deref();
        Env {
            address: self.0.origin.ip.map(|ip| ip.to_canonical()),
            device: agent.map(|agent| agents::kind(agents::parse(agent).as_ref())),
            assurance: self.person().map_or(0, |person| person.assurance),
        }
    }

    /// Work of the program itself.
    pub fn for_job(heart: Heart, name: &'static str) -> Self {
        Self::make(heart, Caller::Job(name), Origin::default())
    }

    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.0.heart.clock.now()
    }

    pub fn keys(&self) -> &Keys {
        &self.0.heart.keys
    }

    /// A point at which a fault run may end the process.
    #[cfg(debug_assertions)]
    pub fn reach(&self, point: fail_point::Point, action: &str) {
        self.0.heart.fail_point.reach(point, action);
    }

    /// How many people of a tenant are active, as this node knows.
    pub fn active_people(&self, tenant: TenantId) -> i64 {
        self.0.heart.grants.active_people(tenant)
    }

    /// The API keys that this node has found good a moment ago, and its clock.
    pub fn known_keys(&self) -> (&KnownKeys, &Clock) {
        (&self.0.heart.known_keys, &self.0.heart.clock)
    }

    /// Where addresses are.
    pub fn places(&self) -> &Places {
        &self.0.heart.places
    }

    /// How letters leave, as the operator has decided.
    pub fn post(&self) -> &PostFacts {
        &self.0.heart.post
    }

    pub fn hasher(&self) -> &Hasher {
        &self.0.heart.hasher
    }

    /// The address of one of our pages, always under the configured public address.
    pub fn link(&self, path: &str) -> String {
        self.0.heart.public_url.link(path)
    }

    /// Where this installation is reached: the only origin there is.
    pub fn public_url(&self) -> &PublicUrl {
        &self.0.heart.public_url
    }

    /// The person who asks, or `SignedOut`.
    pub fn person(&self) -> Result<&PersonCaller, AppError> {
        match &self.0.caller {
            Caller::Person(person) => Ok(person),
            Caller::Anonymous | Caller::Job(_) => Err(AppError::signed_out()),
        }
    }

    async fn snapshot(&self, person: &PersonCaller) -> Result<Arc<Snapshot>, AppError> {
        self.0.heart.grants.snapshot(&self.0.heart.pool, person.tenant, person.seen_version).await
    }

    /// Opens a writing transaction for whoever holds the permission. Where it is held in a scope only, the transaction
    /// is undecided until [`Tx::decide`] has seen what it is about.
    pub async fn allow(&self, permission: Permission) -> Result<Tx, AppError> {
        self.open(permission, false).await
    }

    /// The same for reading. [`Tx::filter`] is what lists and counts must keep to.
    pub async fn read(&self, permission: Permission) -> Result<Tx, AppError> {
        self.open(permission, true).await
    }

    /// A session that has proved itself of late, or `StepUp`.
    pub fn fresh(&self) -> Result<(), AppError> {
        if self.person()?.proved_at + FRESH > self.now() { Ok(()) } else { Err(AppError::StepUp) }
    }

    /// Whether the caller has to set up a second factor before anything else.
    pub async fn must_enrol(&self) -> Result<bool, AppError> {
        let Caller::Person(person) = &self.0.caller else { return Ok(false) };
        if person.has_second_factor || person.factor_roles.is_empty() {
            return Ok(false);
        }
        let snapshot = self.snapshot(person).await?;
        Ok(self.check_enrolment(person, &snapshot).is_err())
    }

    /// Refuses whoever has to set up a second factor first (B4).
    fn check_enrolment(&self, person: &PersonCaller, snapshot: &Snapshot) -> Result<(), AppError> {
        if !person.has_second_factor && snapshot.has_role_named(person.user, &person.factor_roles, self.now()) {
            return Err(AppError::denied(DenialCode::EnrolmentRequired));
        }
        Ok(())
    }

    /// Whether the caller has to give a required text before anything else (E5).
    pub fn owes_consent(&self) -> bool {
        self.person().is_ok_and(|person| person.owes_consent)
    }

    /// The same caller, for what stays open to whoever owes a consent: reading and giving the texts, taking a copy of
    /// one's data, leaving.
    pub fn before_consents(&self) -> Self {
        let Caller::Person(person) = &self.0.caller else { return self.clone() };
        let caller = Caller::Person(PersonCaller { owes_consent: false, ..person.clone() });
        Self::make(self.0.heart.clone(), caller, self.0.origin.clone())
    }

    /// Refuses whoever has to do something else first: to set up a second factor, then to give what is required.
    fn check_owed(&self, person: &PersonCaller, snapshot: &Snapshot) -> Result<(), AppError> {
        self.check_enrolment(person, snapshot)?;
        if person.owes_consent { Err(AppError::denied(DenialCode::ConsentRequired)) } else { Ok(()) }
    }

    async fn open(&self, permission: Permission, read_only: bool) -> Result<Tx, AppError> {
        self.look(permission).await?.open(read_only).await
    }

    /// The same for what is answered from what a node knows: no transaction is opened.
    pub async fn look(&self, permission: Permission) -> Result<Look, AppError> {
        let person = self.person()?.clone();
        let snapshot = self.snapshot(&person).await?;
        self.check_owed(&person, &snapshot)?;
        // What is asked with the transaction open must not need another connection.
        self.know_agent(&snapshot).await;
        self.check_impersonator(&person, &snapshot).await?;
        let (tenant, snapshot) = match &person.entered {
            None => (person.tenant, snapshot),
            Some(entered) => (entered.tenant, self.visit(&person, entered, &snapshot, &permission).await?),
        };
        if person.reaches(&permission) {
            self.ask_outside(&snapshot, person.user, &permission).await;
        }
        match check(self, &snapshot, &person, &permission, None) {
            Answer::Yes => Ok(Look::of(self, tenant, snapshot, None)),
            Answer::Depends => Ok(Look::of(self, tenant, snapshot, Some(permission))),
            Answer::No => Err(self.refuse(permission, &snapshot).await),
        }
    }

    /// On what it is decided in the tenant that the caller has gone into. Whoever may not be there any more is refused, and not
    /// moved home without a word; and what the policies of their own tenant take from them, they do not hold there either.
    async fn visit(
        &self,
        person: &PersonCaller,
        entered: &Entered,
        home: &Snapshot,
        permission: &Permission,
    ) -> Result<Arc<Snapshot>, AppError> {
        if entered.until <= self.now() {
            return Err(AppError::denied(DenialCode::VisitOver));
        }
        let heart = &self.0.heart;
        let there = heart.grants.snapshot(&heart.pool, entered.tenant, entered.seen_version).await?;
        if person.reaches(permission) {
            self.ask_outside(home, person.user, permission).await;
        }
        let refused = match visiting(home, &there, person.user, self.now()) {
            Ok(snapshot) if check(self, home, person, permission, None) == Answer::Yes => return Ok(snapshot),
            Ok(_held_there_alone) => AppError::Forbidden(missing(permission)),
            Err(no_super_admin) => no_super_admin,
        };
        self.record_refused(permission).await;
        Err(refused)
    }

    /// The grants of a visitor's own tenant, as this node knows them.
    fn known_at_home(&self, visitor: &PersonCaller) -> Option<Arc<Snapshot>> {
        self.0.heart.grants.known(visitor.tenant)
    }

    /// The same, where the caller has gone into this tenant; none where this is about no visit.
    fn home_of_visitor(&self, tenant: TenantId) -> Option<Option<Arc<Snapshot>>> {
        self.visitor_of(tenant).map(|person| self.known_at_home(person))
    }

    /// Refuses who does not also hold this in the tenant; a visitor also at home. `is_within`: a transaction is open, which
    /// waits for what is asked outside.
    async fn require(
        &self,
        tenant: TenantId,
        snapshot: &Arc<Snapshot>,
        permission: Permission,
        is_within: bool,
    ) -> Result<(), AppError> {
        let person = self.person()?;
        if person.reaches(&permission) {
            let home = self.home_of_visitor(tenant).flatten();
            for snapshot in home.iter().chain([snapshot]) {
                match is_within {
                    true => self.ask_within(snapshot, person.user, &permission).await,
                    false => self.ask_outside(snapshot, person.user, &permission).await,
                }
            }
        }
        if self.holds(tenant, snapshot, &permission, None)? {
            Ok(())
        } else {
            Err(self.refuse(permission, snapshot).await)
        }
    }

    /// Whether the caller holds this in the tenant; a visitor also at home.
    fn holds(
        &self,
        tenant: TenantId,
        snapshot: &Snapshot,
        permission: &Permission,
        facts: Option<&Facts>,
    ) -> Result<bool, AppError> {
        let person = self.person()?;
        let yes = |snapshot: &Snapshot, facts: Option<&Facts>| {
            check(self, snapshot, person, permission, facts) == Answer::Yes
        };
        // Nobody's home has what lies here.
        let at_home = || self.home_of_visitor(tenant).is_none_or(|home| home.is_some_and(|home| yes(&home, None)));
        Ok(yes(snapshot, facts) && at_home())
    }

    /// The caller, if they have gone into this tenant: none of its people.
    pub fn visitor_of(&self, tenant: TenantId) -> Option<&PersonCaller> {
        let is_there = |person: &&PersonCaller| person.entered.as_ref().is_some_and(|there| there.tenant == tenant);
        self.person().ok().filter(is_there)
    }

    /// Refuses whoever has gone into another tenant: what only somebody of a tenant is party to.
    pub fn at_home(&self) -> Result<(), AppError> {
        match self.person()?.entered {
            None => Ok(()),
            Some(_) => Err(AppError::denied(DenialCode::NotVisiting)),
        }
    }

    /// Opens what belongs to the caller alone: own profile, sessions, factors. The person themselves has to be there: not
    /// a key of theirs, not somebody who acts as them. Whoever has to set up a second factor or to give a consent does that first.
    pub async fn own(&self) -> Result<Tx, AppError> {
        self.in_person()?;
        self.of_caller().await
    }

    /// The same for what setting a second factor up takes, and for signing out: also before it is set up.
    pub async fn own_enrolling(&self) -> Result<Tx, AppError> {
        self.in_person()?;
        self.of_caller_enrolling().await
    }

    /// Refuses whoever is not the person themselves, in a session of their own.
    pub fn in_person(&self) -> Result<&PersonCaller, AppError> {
        let person = self.person()?;
        match person.acting {
            Acting::Themselves => Ok(person),
            Acting::Key(_) => Err(AppError::denied(DenialCode::NotByKey)),
            Acting::Impersonated(_) => Err(AppError::denied(DenialCode::NotImpersonated)),
        }
    }

    /// The rights of whoever acts as somebody else are looked at again for each act: they must hold all that the other
    /// holds.
    async fn check_impersonator(&self, person: &PersonCaller, snapshot: &Snapshot) -> Result<(), AppError> {
        match &person.acting {
            Acting::Impersonated(by) => {
                self.ask_outside(snapshot, by.user, &IMPERSONATE_USERS).await;
                // It is they who sit before the request.
                self.about(snapshot, by.user, &IMPERSONATE_USERS, |about| {
                    match snapshot.check_about(by.user, &IMPERSONATE_USERS, about) {
                        Answer::Yes => Ok(()),
                        // Where nobody could be asked it must not be done as themselves instead.
                        _ if snapshot.is_unasked(by.user, &IMPERSONATE_USERS, about) => Err(AppError::Unavailable),
                        Answer::No | Answer::Depends => Err(AppError::denied(DenialCode::NotImpersonated)),
                    }
                })?;
                change::check_outranked(snapshot, by.user, person.user, self.now())
            }
            Acting::Themselves | Acting::Key(_) => Ok(()),
        }
    }

    /// Whether whoever acts as somebody else still may; true of everybody who acts as themselves.
    pub async fn may_act(&self) -> Result<bool, AppError> {
        let person = self.person()?;
        let snapshot = self.snapshot(person).await?;
        match self.check_impersonator(person, &snapshot).await {
            Ok(()) => Ok(true),
            Err(AppError::Unavailable) => Err(AppError::Unavailable),
            Err(_) => Ok(false),
        }
    }

    /// Opens what is about the caller and changes nothing of theirs: who they are, answers that are kept for them.
    pub async fn of_caller(&self) -> Result<Tx, AppError> {
        let person = self.person()?;
        let snapshot = self.snapshot(person).await?;
        self.check_owed(person, &snapshot)?;
        self.open_own(person, snapshot).await
    }

    /// The same for what every door needs: also before a second factor is set up.
    pub async fn of_caller_enrolling(&self) -> Result<Tx, AppError> {
        let person = self.person()?;
        let snapshot = self.snapshot(person).await?;
        self.open_own(person, snapshot).await
    }

    async fn open_own(&self, person: &PersonCaller, snapshot: Arc<Snapshot>) -> Result<Tx, AppError> {
        self.know_agent(&snapshot).await;
        self.check_impersonator(person, &snapshot).await?;
        Tx::open(self, person.tenant, snapshot, None, false).await
    }

    /// Opens a door: finds by address, digest or hash before the tenant is known. [`Tx::enter`] then binds it.
    pub async fn door(&self) -> Result<Tx, AppError> {
        Tx::open_scope(self, "door").await
    }

    /// Opens what a node does for all tenants. Only jobs may.
    pub async fn node(&self) -> Result<Tx, AppError> {
        match self.0.caller {
            Caller::Job(_) => Tx::open_scope(self, "node").await,
            Caller::Anonymous | Caller::Person(_) => Err(AppError::signed_out()),
        }
    }

    /// Records a denied attempt and gives back the refusal. Where a policy denied because it could not be asked the row names
    /// it, for whoever looks for what is wrong.
    async fn refuse(&self, permission: Permission, snapshot: &Snapshot) -> AppError {
        let failed = self.person().ok().and_then(|person| self.failed_policy(snapshot, person, &permission));
        let event = refused(&permission);
        self.record_there(if let Some(name) = failed { event.meta("policy_failed", name) } else { event }).await;
        AppError::Forbidden(missing(&permission))
    }

    /// The policy that denies this to the caller because it could not be asked.
    fn failed_policy(&self, snapshot: &Snapshot, person: &PersonCaller, permission: &Permission) -> Option<String> {
        if !person.reaches(permission) {
            return None;
        }
        let decide = |about: About<'_>| snapshot.decide_about(person.user, permission, about);
        let because = self.about(snapshot, person.user, permission, decide).because;
        because.into_iter().find_map(|reason| match reason {
            Reason::PolicyFails { policy } => Some(policy.name),
            _ => None,
        })
    }

    /// Asks with what is known of this request, and of what was answered to it about somebody and a permission.
    fn about<T>(
        &self,
        snapshot: &Snapshot,
        user: UserId,
        permission: &Permission,
        ask: impl FnOnce(About<'_>) -> T,
    ) -> T {
        let (env, told) = (self.env(snapshot), self.told(snapshot, user, permission));
        ask(About { env: Some(&env), told: told.as_ref(), ..About::at(self.now()) })
    }

    /// Records a denied attempt on its own connection, since a rollback would erase it, in the log of where the caller works.
    async fn record_refused(&self, permission: &Permission) {
        self.record_there(refused(permission)).await;
    }

    /// Records an event in a transaction of its own: what must stay though the act did not happen. It is about the caller's
    /// own account, which stays at home.
    pub async fn record_apart(&self, event: Event) {
        self.record_in(self.person().ok().map(|person| person.tenant), event).await;
    }

    /// The same about what lies in the tenant where the caller works.
    pub async fn record_there(&self, event: Event) {
        self.record_in(self.person().ok().map(PersonCaller::works_in), event).await;
    }

    async fn record_in(&self, tenant: Option<TenantId>, event: Event) {
        let event = self.placed(&event, tenant);
        if let Err(error) = self.try_record_apart(tenant, &event).await {
            error!(%error, action = event.action.as_str(), "an audit row could not be written");
        }
    }

    /// What a visitor does in the log of a tenant says from where they come.
    fn placed<'a>(&self, event: &'a Event, tenant: Option<TenantId>) -> Cow<'a, Event> {
        match tenant.and_then(|tenant| self.visitor_of(tenant)) {
            Some(person) => Cow::Owned(event.clone().meta("home_tenant", person.tenant.to_string())),
            None => Cow::Borrowed(event),
        }
    }

    async fn try_record_apart(&self, tenant: Option<TenantId>, event: &Event) -> Result<(), AppError> {
        let mut tx = node::begin(&self.0.heart.pool, tenant, "door", self.now(), false).await?;
        record::insert(&mut tx, self.keys(), tenant, &self.0.origin, event, self.now()).await?;
        tx.commit().await?;
        self.0.heart.metrics.happened(event.action.as_str(), event.outcome.as_str());
        Ok(())
    }

    /// After grants were written: the others are woken, and this node knows before the writer is answered.
    async fn grants_moved(&self) {
        self.0.heart.grants.announce(self.0.heart.pool.clone());
        if let Err(error) = self.0.heart.refresh().await {
            // The lease runs out by itself if this goes on.
            warn!(%error, "the grants could not be read after a change");
        }
    }
}
