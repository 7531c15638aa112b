//! A transaction that knows for whom it works and may not end without saying what it did.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

#[cfg(debug_assertions)]
use crate::access::server::fail_point::Point;
use crate::{
    access::{
        APPROVALS_DECIDE, Answer, ApprovalRules, EVERYTHING, Facts, GROUPS_READ, Permission, ROLES_READ, Scope,
        server::{
            Caller, Cx, PersonCaller,
            change::{self, Change, Granter},
            check,
            engine::{About, Snapshot},
            high, limits, missing,
            node::{self, set_context},
            policy::Policy,
            record::{self, Event},
            visiting,
        },
    },
    base::{
        errors::{AppError, Conflict, Denial, DenialCode, Meanwhile, Stale},
        ids::{TenantId, UserId},
        server::{
            mail::{self, Letter},
            settings,
        },
    },
};

/// So long a key gives its first answer again.
pub const IDEMPOTENCY_LASTS: TimeDelta = TimeDelta::hours(24);

/// What may be committed without an audit row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// An attempt is counted.
    Counter,
    /// A session's cookies are renewed.
    Renewal,
    /// The answer to a request with an `Idempotency-Key` is kept.
    Answer,
    /// Somebody is half-way in.
    Step,
    /// Housekeeping.
    Job,
}

/// One half of some scopes, side by side with the other; none where there is no bound.
pub type Column = Option<Vec<Option<String>>>;

/// A thing that people edit, as it is now.
pub struct Edited {
    /// What it is called in the audit log, and its id there.
    pub kind: &'static str,
    pub id: Uuid,
    pub version: i64,
    /// What reading it needs; nothing where it is the caller's own.
    pub read: Option<Permission>,
    /// Where it lies, for a permission that is held in a scope.
    pub facts: Option<Facts>,
}

/// Dropping it rolls back. An undecided one cannot be committed.
pub struct Tx {
    tx: Transaction<'static, Postgres>,
    cx: Cx,
    tenant: Option<TenantId>,
    scope: &'static str,
    snapshot: Option<Arc<Snapshot>>,
    /// The permission that depends on what is acted on.
    undecided: Option<Permission>,
    /// The same once it was decided.
    decided: Option<Permission>,
    /// The scopes of that permission, kept for lists.
    filter: Option<Vec<Scope>>,
    read_only: bool,
    /// The version that this transaction's grants make.
    written: Option<i64>,
    /// A letter waits to be sent once this is committed.
    has_mail: bool,
    /// What others have agreed to, of what it grants.
    agreed: Vec<Permission>,
    /// What happened, if this is committed: for the counters.
    happened: Vec<(&'static str, &'static str)>,
    /// What it goes back to from another tenant.
    away: Option<Away>,
    /// It was in another tenant, where grants may have been written.
    moved: bool,
}

/// Where a transaction of the platform came from when it went on in another tenant.
struct Away {
    tenant: Option<TenantId>,
    snapshot: Option<Arc<Snapshot>>,
    written: Option<i64>,
}

/// The scope of whoever acts for the platform.
const PLATFORM: &str = "platform";

impl Tx {
    pub(super) async fn open(
        cx: &Cx,
        tenant: TenantId,
        snapshot: Arc<Snapshot>,
        undecided: Option<Permission>,
        read_only: bool,
    ) -> Result<Self, AppError> {
        // What belongs to no tenant is a super-admin's to read, and only theirs.
        let person = cx.person()?;
        let user = person.user;
        let is_whole = person.reaches(&EVERYTHING);
        let is_home = tenant == person.tenant;
        let scope = if is_whole && is_home && snapshot.is_super_admin(user, cx.now()) { PLATFORM } else { "" };
        let tx = node::begin(&cx.0.heart.pool, Some(tenant), scope, cx.now(), read_only).await?;
        let filter = undecided
            .as_ref()
            .map(|permission| cx.about(&snapshot, user, permission, |about| snapshot.scopes(user, permission, about)));
        Ok(Tx {
            tx,
            cx: cx.clone(),
            tenant: Some(tenant),
            scope,
            snapshot: Some(snapshot),
            undecided,
            decided: None,
            filter,
            read_only,
            written: None,
            has_mail: false,
            agreed: Vec::new(),
            happened: Vec::new(),
            away: None,
            moved: false,
        })
    }

    pub(super) async fn open_scope(cx: &Cx, scope: &'static str) -> Result<Self, AppError> {
        let tx = node::begin(&cx.0.heart.pool, None, scope, cx.now(), false).await?;
        let cx = cx.clone();
        Ok(Tx {
            tx,
            cx,
            tenant: None,
            scope,
            snapshot: None,
            undecided: None,
            decided: None,
            filter: None,
            read_only: false,
            written: None,
            has_mail: false,
            agreed: Vec::new(),
            happened: Vec::new(),
            away: None,
            moved: false,
        })
    }

    /// Whether the caller acts for the platform: a super-admin, by a session or key that reaches everything.
    pub fn is_platform(&self) -> bool {
        self.scope == PLATFORM
    }

    /// Refuses whoever does not act for the platform, whatever the roles of their tenant give them.
    pub async fn for_platform(&self, permission: &Permission) -> Result<(), AppError> {
        if self.is_platform() {
            return Ok(());
        }
        self.cx.record_refused(permission).await;
        Err(AppError::denied(DenialCode::PlatformOnly))
    }

    /// Goes on in another tenant, as the platform may, until [`Tx::come_back`]: its rows are seen and written, and what is
    /// recorded stands in its log.
    pub async fn go_to(&mut self, tenant: TenantId) -> Result<(), AppError> {
        if !self.is_platform() || self.away.is_some() {
            return Err(anyhow::anyhow!("a transaction in the scope {:?} was to go to {tenant}", self.scope).into());
        }
        let away = Away { tenant: self.tenant, snapshot: self.snapshot.clone(), written: self.written.take() };
        self.away = Some(away);
        // Also a tenant that has just come to be is something that the nodes have to learn of.
        self.moved = true;
        self.tenant = Some(tenant);
        self.set_scope(self.scope).await
    }

    /// Back to the caller's own tenant.
    pub async fn come_back(&mut self) -> Result<(), AppError> {
        let Some(away) = self.away.take() else { return Ok(()) };
        (self.tenant, self.snapshot, self.written) = (away.tenant, away.snapshot, away.written);
        self.set_scope(self.scope).await
    }

    /// Refuses what would leave nobody who is super-admin and may sign in, in the whole installation.
    pub async fn keep_super_admin(&mut self) -> Result<(), AppError> {
        node::lock_super_admins(&mut self.tx).await?;
        self.check_super_admin_left().await
    }

    async fn check_super_admin_left(&mut self) -> Result<(), AppError> {
        match self.count_super_admins().await? {
            0 => Err(AppError::denied(DenialCode::LastSuperAdmin)),
            _ => Ok(()),
        }
    }

    /// How many are super-admin for good in the whole installation, as this transaction leaves it.
    async fn count_super_admins(&mut self) -> Result<i64, AppError> {
        self.set_scope("node").await?;
        let all = node::count_super_admins(&mut self.tx).await?;
        self.set_scope(self.scope).await?;
        Ok(all)
    }

    /// The caller, if this works in a tenant that they have gone into.
    fn visitor(&self) -> Option<&PersonCaller> {
        self.tenant.and_then(|tenant| self.cx.visitor_of(tenant))
    }

    /// For the store functions of the capability that owns the table.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub fn cx(&self) -> &Cx {
        &self.cx
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.cx.now()
    }

    /// The tenant whose rows can be seen. A door has none before [`Tx::enter`].
    pub fn tenant(&self) -> Result<TenantId, AppError> {
        self.tenant.ok_or(AppError::NotFound)
    }

    /// Binds a door to the tenant of what it has found.
    pub async fn enter(&mut self, tenant: TenantId) -> Result<(), AppError> {
        self.tenant = Some(tenant);
        self.set_scope(self.scope).await
    }

    async fn set_scope(&mut self, scope: &str) -> Result<(), AppError> {
        set_context(&mut self.tx, self.tenant, scope, self.cx.now()).await?;
        Ok(())
    }

    /// The snapshot this transaction was opened on; doors have none.
    pub fn snapshot(&self) -> Result<&Arc<Snapshot>, AppError> {
        self.snapshot.as_ref().ok_or_else(AppError::signed_out)
    }

    /// The scopes that a list or count must keep to. `None`: the whole tenant.
    pub fn filter(&self) -> Option<&[Scope]> {
        self.filter.as_deref()
    }

    /// Whether what the caller may see or count reaches something.
    pub fn within(&self, facts: &Facts) -> bool {
        self.filter().is_none_or(|scopes| scopes.iter().any(|scope| scope.holds(facts)))
    }

    /// The departments and regions of the scopes that a list or count must keep to, for a query to unnest side by side;
    /// where one is left out it is any. `None`: the whole tenant.
    pub fn bounds(&self) -> (Column, Column) {
        let columns = |scopes: &[Scope]| {
            scopes.iter().map(|scope| (scope.department.clone(), scope.region.clone())).unzip::<_, _, Vec<_>, Vec<_>>()
        };
        self.filter().map(columns).unzip()
    }

    /// The grants to count people in, where the caller may count them all and none of them is a visitor: counting a million
    /// takes the database seconds. What they tell is as current as they are: a person who has just changed something sees it,
    /// a program may a moment later (I2). Of what this transaction itself writes they know nothing.
    pub fn countable(&self) -> Option<&Arc<Snapshot>> {
        // A transaction of the platform may have gone on in another tenant.
        let snapshot = self.snapshot.as_ref().filter(|snapshot| Some(snapshot.tenant) == self.tenant)?;
        (self.filter.is_none() && self.visitor().is_none()).then_some(snapshot)
    }

    /// Decides an undecided transaction on what it is about. Outside the caller's scope it looks as if it did not exist.
    pub fn decide(&mut self, facts: &Facts) -> Result<(), AppError> {
        let Some(permission) = self.undecided.take() else { return Ok(()) };
        let person = self.cx.person()?;
        match check(&self.cx, self.snapshot()?, person, &permission, Some(facts)) {
            Answer::Yes => {
                self.decided = Some(permission);
                Ok(())
            }
            Answer::No | Answer::Depends => {
                self.undecided = Some(permission);
                Err(AppError::NotFound)
            }
        }
    }

    /// Whether the permission that was decided on one thing would be held on this as well: what an act makes of it.
    pub fn also_decides(&self, facts: &Facts) -> Result<bool, AppError> {
        let Some(permission) = &self.decided else { return Ok(true) };
        let person = self.cx.person()?;
        Ok(check(&self.cx, self.snapshot()?, person, permission, Some(facts)) == Answer::Yes)
    }

    /// Refuses an edit by somebody who has seen another version than the current one; whoever names none overwrites. Whoever
    /// may read the thing is told what was changed meanwhile, when, and by whom.
    pub async fn check_version(&mut self, seen: Option<i64>, thing: Edited) -> Result<(), AppError> {
        let current = thing.version;
        let Some(seen) = seen.filter(|seen| *seen != current) else { return Ok(()) };
        let may_read = match &thing.read {
            None => true,
            Some(permission) => {
                let person = self.cx.person()?;
                check(&self.cx, self.snapshot()?, person, permission, thing.facts.as_ref()) == Answer::Yes
            }
        };
        if !may_read {
            return Err(AppError::Conflict(Conflict::Stale(Stale { current: Some(current), changes: Vec::new() })));
        }
        let tenant = self.tenant()?;
        let (mut changes, made) = record::since(&mut self.tx, tenant, (thing.kind, thing.id), seen).await?;
        let unexplained = usize::try_from(current - seen).unwrap_or_default().saturating_sub(made);
        if thing.kind == "user" && unexplained > 0 {
            let person = UserId(thing.id);
            let sources = self.sources(person)?;
            let more = record::of_sources(&mut self.tx, tenant, (person, seen), &sources, unexplained).await?;
            changes.extend(more);
            changes.sort_by_key(|change| std::cmp::Reverse(change.at));
        }
        Err(AppError::Conflict(Conflict::Stale(Stale { current: Some(current), changes })))
    }

    /// What was changed of a thing that has no version to be seen, newest first: what its rows say since it came to be.
    pub async fn changes_of(&mut self, kind: &'static str, id: Uuid) -> Result<Vec<Meanwhile>, AppError> {
        self.changes_since(kind, id, 0).await
    }

    /// What was changed of a thing since a version of it, newest first, as far as its rows say.
    pub async fn changes_since(&mut self, kind: &'static str, id: Uuid, seen: i64) -> Result<Vec<Meanwhile>, AppError> {
        let tenant = self.tenant()?;
        let (changes, _made) = record::since(&mut self.tx, tenant, (kind, id), seen).await?;
        Ok(changes)
    }

    /// The roles and groups that somebody has their rights from, of those that the caller may read about.
    fn sources(&self, user: UserId) -> Result<Vec<(&'static str, Uuid)>, AppError> {
        let (snapshot, now) = (self.snapshot()?, self.now());
        let groups = snapshot.groups_of(user);
        let mut sources = Vec::new();
        if self.also_holds(&ROLES_READ)? {
            let grants = snapshot.roles_of(user).iter().cloned().chain(snapshot.of_groups(groups, now));
            let roles = grants.filter_map(|grant| snapshot.role(grant.role));
            sources.extend(roles.flat_map(|role| role.lineage.iter().map(|step| ("role", step.id.0))));
        }
        if self.also_holds(&GROUPS_READ)? {
            let groups = groups.iter().filter_map(|membership| snapshot.group(membership.group));
            sources.extend(groups.flat_map(|group| group.lineage.iter().map(|step| ("group", step.id.0))));
        }
        Ok(sources)
    }

    /// A second permission that this act needs, held for the whole tenant. Where a policy about it is decided outside that is
    /// asked now: the transaction waits for it no longer than the tenant's setting says.
    pub async fn require(&self, permission: Permission) -> Result<(), AppError> {
        self.cx.require(self.tenant()?, self.snapshot()?, permission, true).await
    }

    /// Whether somebody may do this by now, whoever asks: what was agreed to is theirs, and not the caller's. What of it is
    /// decided outside is asked now, as by [`Tx::require`]. Nothing is known of a request of theirs.
    pub async fn may(&self, who: UserId, permission: &Permission, facts: Option<&Facts>) -> Result<bool, AppError> {
        let snapshot = self.snapshot()?;
        let about = About { facts, ..About::at(self.now()) };
        let told = self.cx.outside_within(snapshot, who, permission, about).await;
        let about = About { told: Some(&told), ..about };
        match snapshot.check_about(who, permission, about) {
            Answer::Yes => Ok(true),
            // A silence of this moment must not end what others have agreed to.
            Answer::No | Answer::Depends if snapshot.is_unasked(who, permission, about) => Err(AppError::Unavailable),
            Answer::No | Answer::Depends => Ok(false),
        }
    }

    /// Whether the caller also holds this, for the whole tenant; a visitor also at home. Nobody is asked outside for it: what
    /// nobody was asked is not held.
    pub fn also_holds(&self, permission: &Permission) -> Result<bool, AppError> {
        self.holds(permission, None)
    }

    /// The same about something, wherever it lies.
    pub fn also_holds_about(&self, permission: &Permission, facts: &Facts) -> Result<bool, AppError> {
        self.holds(permission, Some(facts))
    }

    fn holds(&self, permission: &Permission, facts: Option<&Facts>) -> Result<bool, AppError> {
        self.cx.holds(self.tenant()?, self.snapshot()?, permission, facts)
    }

    /// Refuses acting on the account of somebody who holds what the caller does not.
    pub fn outrank(&self, target: UserId) -> Result<(), AppError> {
        let user = self.cx.person()?.user;
        change::check_outranked(self.snapshot()?, user, target, self.now())
    }

    /// Locks the tenant's grants and takes over their current state: nobody passes anybody. Whoever lost `permission`
    /// meanwhile is refused.
    pub async fn lock_grants(&mut self, permission: Option<&Permission>) -> Result<(), AppError> {
        let tenant = self.tenant()?;
        let version = node::lock(&mut self.tx, tenant).await?;
        let is_current = |snapshot: &Arc<Snapshot>| snapshot.tenant == tenant && snapshot.version == version;
        let cx = self.cx.clone();
        let visitor = cx.visitor_of(tenant);
        if visitor.is_some() || !self.snapshot.as_ref().is_some_and(is_current) {
            self.set_scope("node").await?;
            let mut snapshot = Arc::new(self.load(tenant).await?);
            if let Some(person) = visitor {
                let home = self.load(person.tenant).await?;
                snapshot = visiting(&home, &snapshot, person.user, self.now())?;
                if let Some(permission) = permission
                    && check(&cx, &home, person, permission, None) != Answer::Yes
                {
                    return Err(AppError::Forbidden(missing(permission)));
                }
            }
            self.snapshot = Some(snapshot);
            self.set_scope(self.scope).await?;
        }
        match permission {
            Some(permission) if self.undecided.is_none() && self.filter.is_none() => {
                self.require(permission.clone()).await
            }
            _ => Ok(()),
        }
    }

    /// The current grants of a tenant, from what this node knows of them.
    async fn load(&mut self, tenant: TenantId) -> anyhow::Result<Snapshot> {
        let known = self.cx.0.heart.grants.known(tenant);
        node::renew(&mut self.tx, tenant, known.as_ref()).await
    }

    /// Changes grants: the ceiling and the last super-admin are guarded, the version moves on. The grants have been
    /// locked.
    pub async fn grant(&mut self, changes: &[Change], granter: Granter) -> Result<(), AppError> {
        let (tenant, now) = (self.tenant()?, self.now());
        let before = self.snapshot()?.clone();
        let after = change::stage(&before, changes);
        change::check_nesting(&after, changes)?;
        self.check_ceiling(&before, &after, changes, granter)?;
        if let Caller::Person(person) = self.cx.caller() {
            limits::check(&before, &after, changes, person, now)?;
        }
        if let Granter::Person(granter) = granter {
            self.check_approved(&before, &after, changes, granter).await?;
        }
        // A10: whoever makes an administrator has proved themselves of late.
        if matches!(granter, Granter::Person(_)) && change::promotes(&before, &after, changes, now) {
            self.cx.fresh()?;
        }
        let guarded = change::touches_super_admins(&before, &after, changes, now);
        if guarded {
            node::lock_super_admins(&mut self.tx).await?;
        }
        let actor = match granter {
            Granter::Person(user) => Some(user),
            Granter::Setup => None,
        };
        // Before it is written: whoever stops being in a group, or having a role, is told by the row that goes.
        let carriers = change::carriers(&before, &after, changes, now);
        let bumped = node::bump(&mut self.tx, tenant, carriers).await?;
        change::write(&mut self.tx, tenant, actor, changes, now).await?;
        self.written = Some(bumped);
        if guarded {
            self.check_super_admin_left().await?;
        }
        Ok(())
    }

    /// Whether a change could be made now, and if not why. Nothing is written.
    pub async fn try_grant(&mut self, changes: &[Change], granter: Granter) -> Result<Option<Denial>, AppError> {
        let before = self.snapshot()?.clone();
        let after = change::stage(&before, changes);
        change::check_nesting(&after, changes)?;
        self.refusal(&before, &after, changes, granter).await
    }

    /// The same of changes that are staged already.
    pub async fn refusal(
        &mut self,
        before: &Arc<Snapshot>,
        after: &Snapshot,
        changes: &[Change],
        granter: Granter,
    ) -> Result<Option<Denial>, AppError> {
        let within_key = match self.cx.caller() {
            Caller::Person(person) => limits::check(before, after, changes, person, self.now()),
            Caller::Anonymous | Caller::Job(_) => Ok(()),
        };
        let ceiling = self.check_ceiling(before, after, changes, granter);
        let checked = match ceiling.and(within_key) {
            Ok(()) => match granter {
                Granter::Person(user) => self.check_approved(before, after, changes, user).await,
                Granter::Setup => Ok(()),
            },
            refused => refused,
        };
        match checked {
            Ok(()) => Ok(None),
            Err(AppError::Forbidden(denial)) => Ok(Some(denial)),
            Err(error) => Err(error),
        }
    }

    /// Others have agreed that this is granted from here on. What else turns out to be high still waits for them: a role
    /// may give more than it did when they were asked.
    pub fn approved(&mut self, permissions: Vec<Permission>) {
        self.agreed = permissions;
    }

    /// Refuses what the granter may not hand on. Who is of the platform is decided at home, where others have to agree to it
    /// (C12): not by whoever has gone into another tenant, where perhaps nobody could.
    fn check_ceiling(
        &self,
        before: &Arc<Snapshot>,
        after: &Snapshot,
        changes: &[Change],
        granter: Granter,
    ) -> Result<(), AppError> {
        change::check_ceiling(before, after, changes, granter, self.now())?;
        if self.visitor().is_some() && change::is_of_platform(before, after, changes) {
            return Err(AppError::denied(DenialCode::NotVisiting));
        }
        Ok(())
    }

    /// Refuses what others have to agree to first. Where nobody else could, nobody has to; of whom it depends, they could.
    async fn check_approved(
        &mut self,
        before: &Arc<Snapshot>,
        after: &Snapshot,
        changes: &[Change],
        granter: UserId,
    ) -> Result<(), AppError> {
        let tenant = self.tenant()?;
        let rules = settings::get::<ApprovalRules>(&mut self.tx, tenant).await?;
        let mut high = high::high(before, after, changes, &rules, self.now());
        high.retain(|pattern| !self.agreed.iter().any(|agreed| agreed.covers(pattern)));
        // One whose agent or module is dead, and that has a say in who may agree, would else keep them from ever lifting it.
        let is_dead = |policy: &Policy| {
            policy.concerns(&APPROVALS_DECIDE)
                && (policy.outside.is_some() || policy.module.as_ref().is_some_and(|module| !module.is_readable()))
        };
        let lifts = |change: &Change| match change {
            Change::Policy { id, policy: None } => before.policy(*id).is_some_and(|policy| is_dead(policy)),
            _ => false,
        };
        let (lifts_alone, now) = (changes.iter().all(lifts), self.now());
        let may_agree = |who: UserId| match lifts_alone {
            true => before.check(who, &APPROVALS_DECIDE, None, now) == Answer::Yes,
            false => before.might(who, &APPROVALS_DECIDE, now),
        };
        let others = || before.asked(may_agree).any(|(who, may)| may && who != granter);
        if high.is_empty() || rules.required == 0 || !others() {
            return Ok(());
        }
        let permissions = high.iter().map(ToString::to_string).collect();
        Err(AppError::Forbidden(Denial::new(DenialCode::ApprovalNeeded, permissions)))
    }

    /// The grants as `changes` would leave them, and why granting them would be refused. Nothing is written (C14).
    pub async fn what_if(&mut self, changes: &[Change]) -> Result<(Snapshot, Option<Denial>), AppError> {
        let (user, now) = (self.cx.person()?.user, self.now());
        let before = self.snapshot()?.clone();
        let after = change::stage(&before, changes);
        change::check_nesting(&after, changes)?;
        match self.check_ceiling(&before, &after, changes, Granter::Person(user)) {
            Ok(()) => {}
            Err(AppError::Forbidden(denial)) => return Ok((after, Some(denial))),
            Err(error) => return Err(error),
        }
        if change::touches_super_admins(&before, &after, changes, now) {
            // As they are counted nothing has changed yet.
            let moved = change::super_admins_moved(&before, &after, changes, now);
            if self.count_super_admins().await? + moved <= 0 {
                let denial = Denial::new(DenialCode::LastSuperAdmin, Vec::new());
                return Ok((after, Some(denial)));
            }
        }
        Ok((after, None))
    }

    /// Enqueues a letter: it goes if, and only if, this is committed.
    pub async fn mail(&mut self, letter: &Letter) -> Result<(), AppError> {
        let (tenant, now) = (self.tenant()?, self.now());
        let keys = self.cx.keys().clone();
        mail::enqueue(&mut self.tx, &keys, tenant, letter, now).await?;
        self.has_mail = true;
        Ok(())
    }

    /// A letter that waits again is looked at once this is committed.
    pub fn wake_mail(&mut self) {
        self.has_mail = true;
    }

    /// Moves the version on without a grant, where the catalogue itself has changed. The grants have been locked.
    pub async fn catalogue_moved(&mut self) -> Result<(), AppError> {
        let tenant = self.tenant()?;
        if self.written.is_none() {
            self.written = Some(node::bump(&mut self.tx, tenant, node::Carriers::default()).await?);
        }
        Ok(())
    }

    /// Writes one more event; [`Tx::commit`] writes the last.
    pub async fn record(&mut self, event: &Event) -> Result<(), AppError> {
        self.record_in(self.tenant, event).await
    }

    async fn record_in(&mut self, tenant: Option<TenantId>, event: &Event) -> Result<(), AppError> {
        #[cfg(debug_assertions)]
        self.cx.reach(Point::BeforeAudit, event.action.as_str());
        let now = self.now();
        let placed = self.cx.placed(event, tenant);
        record::insert(&mut self.tx, &self.cx.0.heart.keys, tenant, &self.cx.0.origin, &placed, now).await?;
        self.happened.push((event.action.as_str(), event.outcome.as_str()));
        Ok(())
    }

    /// Writes the event and commits. The next request on this node sees it.
    pub async fn commit(mut self, event: Event) -> Result<(), AppError> {
        self.record(&event).await?;
        self.finish(true).await
    }

    /// Writes the event where only the platform reads, and commits: the names of tenants are no tenant's business.
    pub async fn commit_for_platform(mut self, event: Event) -> Result<(), AppError> {
        self.come_back().await?;
        self.record_in(None, &event).await?;
        self.finish(true).await
    }

    /// Commits what is nobody's act and so leaves no audit row.
    pub async fn commit_quietly(self, what: Quiet) -> Result<(), AppError> {
        let is_act = match what {
            Quiet::Job => true,
            Quiet::Counter | Quiet::Renewal | Quiet::Answer | Quiet::Step => false,
        };
        self.finish(is_act).await
    }

    /// `is_act`: of what is written something may bear on who gets in.
    async fn finish(mut self, is_act: bool) -> Result<(), AppError> {
        if let Some(permission) = &self.undecided {
            return Err(anyhow::anyhow!("a transaction under {permission} was not decided").into());
        }
        if self.read_only {
            return Err(anyhow::anyhow!("a reading transaction was committed").into());
        }
        if self.away.is_some() {
            return Err(anyhow::anyhow!("a transaction was committed in another tenant").into());
        }
        // A visitor's session and keys are at home.
        let visited = self.visitor().map(|person| (person.tenant, person.works_in()));
        if let Some((home, _)) = visited {
            self.tenant = Some(home);
            self.set_scope(self.scope).await?;
        }
        self.claim_idempotency_key().await?;
        if let (Some(version), Caller::Person(person)) = (self.written, self.cx.caller()) {
            let session = person.session.0;
            if let Some((_, tenant)) = visited {
                sqlx::query!(
                    "update sessions set entered_version = $2 where id = $1 and entered_tenant = $3",
                    session,
                    version,
                    tenant.0,
                )
                .execute(&mut *self.tx)
                .await?;
            } else {
                sqlx::query!("update sessions set seen_version = $2 where id = $1", session, version)
                    .execute(&mut *self.tx)
                    .await?;
            }
        }
        let forgetting = is_act.then(|| self.cx.0.heart.known_keys.forgetting());
        self.tx.commit().await?;
        drop(forgetting);
        #[cfg(debug_assertions)]
        self.happened.iter().for_each(|(action, _outcome)| self.cx.reach(Point::AfterCommit, action));
        for (action, outcome) in self.happened {
            self.cx.0.heart.metrics.happened(action, outcome);
        }
        if self.has_mail {
            self.cx.0.heart.mail_waits.notify_one();
        }
        if self.written.is_some() || self.moved {
            self.cx.grants_moved().await;
        }
        Ok(())
    }

    /// One key has one effect: a second transaction with it finds the row and undoes itself.
    async fn claim_idempotency_key(&mut self) -> Result<(), AppError> {
        let (Some(key), Caller::Person(person)) = (&self.cx.0.origin.idempotency, self.cx.caller()) else {
            return Ok(());
        };
        // What is written on the way to the act, as a counter, is not yet the act.
        if self.tenant != Some(person.tenant) {
            return Ok(());
        }
        // One that has run out is free, whether or not housekeeping has come to it.
        let claimed = sqlx::query!(
            "insert into idempotency_keys as k (tenant_id, actor_id, key, request_digest, created_at)
             values ($1, $2, $3, $4, $5)
             on conflict (actor_id, key) do update
                 set tenant_id = excluded.tenant_id, request_digest = excluded.request_digest, status = null,
                     response = null, etag = null, created_at = excluded.created_at
                 where k.created_at <= $6",
            person.tenant.0,
            person.user.0,
            key.key,
            key.digest,
            self.cx.now(),
            self.cx.now() - IDEMPOTENCY_LASTS,
        )
        .execute(&mut *self.tx)
        .await?;
        if claimed.rows_affected() == 0 {
            return Err(AppError::Conflict(Conflict::IdempotencyDone));
        }
        Ok(())
    }
}
