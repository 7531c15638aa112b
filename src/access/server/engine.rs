//! The decision engine: one snapshot of a tenant's grants and one function that decides on it. Nothing else decides.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use crate::{
    access::{
        Answer, Decision, EVERYTHING, EffectivePermission, Facts, PROTECTED, Permission, PermissionInfo, Reason,
        RoleRef, STANDARD_USER, Scope,
    },
    base::ids::{RoleId, UserId},
};

/// Everything that decides in a tenant, as of one version. Immutable; a changed one lies above the one it changes.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// What lies below: looked up where this layer says nothing.
    below: Option<Arc<Snapshot>>,
    pub version: i64,
    /// The whole catalogue, wildcards included, sorted by key. Kept by the lowest layer.
    catalogue: Arc<Vec<PermissionInfo>>,
    /// Key to bit, without wildcards.
    index: Arc<HashMap<Permission, usize>>,
    roles: HashMap<RoleId, Arc<RoleGrants>>,
    people: HashMap<UserId, Arc<PersonGrants>>,
}

/// A role and what it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrants {
    pub name: String,
    /// The platform's `super-admin`.
    pub platform: bool,
    /// Keys and wildcards, sorted.
    pub patterns: Vec<Permission>,
    bits: Vec<u64>,
}

/// A person and what they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonGrants {
    pub active: bool,
    pub roles: Vec<RoleGrant>,
    pub overrides: Vec<OverrideGrant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    pub role: RoleId,
    pub scope: Scope,
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideGrant {
    pub pattern: Permission,
    pub allowed: bool,
    pub expires_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// One thing that speaks for or against, still borrowed: collecting it costs, deciding does not need it.
enum Source<'a> {
    Role(RoleId, &'a RoleGrants, &'a RoleGrant),
    Override(&'a OverrideGrant),
    Protected(&'a OverrideGrant),
    Inactive,
}

/// Expired grants do not exist.
pub fn is_live(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    expires_at.is_none_or(|end| end > now)
}

impl RoleGrants {
    /// The role that everybody gets: nobody's grant, and no reason to be out of reach.
    pub fn is_baseline(&self) -> bool {
        !self.platform && self.name == STANDARD_USER
    }

    fn gives(&self, permission: &Permission, bit: Option<usize>) -> bool {
        match bit {
            Some(bit) => self.bits[bit / 64] >> (bit % 64) & 1 == 1,
            None => self.patterns.iter().any(|pattern| pattern.covers(permission)),
        }
    }
}

impl Snapshot {
    pub fn new(version: i64, mut catalogue: Vec<PermissionInfo>) -> Self {
        catalogue.sort_by(|a, b| a.key.cmp(&b.key));
        catalogue.dedup_by(|a, b| a.key == b.key);
        let keys = catalogue.iter().filter_map(|info| Permission::parse(&info.key).ok());
        // A tenant's own key may be the same word as a built-in one.
        let keys = keys.filter(|key| !key.is_wildcard()).collect::<BTreeSet<_>>();
        let index = keys.into_iter().enumerate().map(|(bit, key)| (key, bit)).collect();
        Snapshot { version, catalogue: Arc::new(catalogue), index: Arc::new(index), ..Snapshot::default() }
    }

    /// An empty layer above `below`, to stage changes in.
    pub fn above(below: &Arc<Snapshot>) -> Self {
        Snapshot {
            below: Some(below.clone()),
            version: below.version,
            catalogue: below.catalogue.clone(),
            index: below.index.clone(),
            ..Snapshot::default()
        }
    }

    pub fn put_role(&mut self, id: RoleId, name: String, platform: bool, mut patterns: Vec<Permission>) {
        patterns.sort();
        patterns.dedup();
        let mut bits = vec![0; self.index.len().div_ceil(64)];
        for (key, bit) in self.index.iter() {
            if patterns.iter().any(|pattern| pattern.covers(key)) {
                bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        self.roles.insert(id, Arc::new(RoleGrants { name, platform, patterns, bits }));
    }

    pub fn put_person(&mut self, id: UserId, person: PersonGrants) {
        self.people.insert(id, Arc::new(person));
    }

    pub fn role(&self, id: RoleId) -> Option<&Arc<RoleGrants>> {
        self.roles.get(&id).or_else(|| self.below.as_ref().and_then(|below| below.role(id)))
    }

    pub fn person(&self, id: UserId) -> Option<&Arc<PersonGrants>> {
        self.people.get(&id).or_else(|| self.below.as_ref().and_then(|below| below.person(id)))
    }

    /// Everybody who has the role now, wherever it counts for them.
    pub fn holders(&self, role: RoleId, now: DateTime<Utc>) -> Vec<UserId> {
        let has = |person: &PersonGrants| {
            person.roles.iter().any(|given| given.role == role && is_live(given.expires_at, now))
        };
        let own = self.people.iter().filter(|(_, person)| has(person)).map(|(id, _)| *id);
        let below = self.below.iter().flat_map(|below| below.holders(role, now));
        own.chain(below.filter(|id| !self.people.contains_key(id))).collect()
    }

    pub fn catalogue(&self) -> &[PermissionInfo] {
        &self.catalogue
    }

    /// Whether the catalogue has this key or wildcard.
    pub fn knows(&self, permission: &Permission) -> bool {
        self.catalogue.binary_search_by(|info| info.key.as_str().cmp(permission.as_str())).is_ok()
    }

    /// The decision itself. Order: an explicit deny wins; then any live allow; else no.
    ///
    /// Asked about a wildcard it tells whether all of it is held, keys that do not exist yet included. Without facts a
    /// right that is held in a scope only is `Depends`.
    fn judge<'a>(
        &'a self,
        who: UserId,
        permission: &Permission,
        facts: Option<&Facts>,
        now: DateTime<Utc>,
        mut note: impl FnMut(Source<'a>),
    ) -> Answer {
        let Some(person) = self.person(who) else {
            note(Source::Inactive);
            return Answer::No;
        };
        // What they will hold once they are active is still told.
        if !person.active {
            note(Source::Inactive);
        }
        let protected = PROTECTED.contains(permission) && self.is_super_admin(who, now);
        let mut denied = false;
        let mut everywhere = false;
        let mut scoped = false;
        let mut inside = false;
        for given in person.overrides.iter().filter(|given| is_live(given.expires_at, now)) {
            if given.allowed {
                if given.pattern.covers(permission) {
                    everywhere = true;
                    note(Source::Override(given));
                }
            } else if given.pattern.covers(permission) || permission.covers(&given.pattern) {
                if protected {
                    note(Source::Protected(given));
                } else {
                    denied = true;
                    note(Source::Override(given));
                }
            }
        }
        let bit = self.index.get(permission).copied();
        for given in person.roles.iter().filter(|given| is_live(given.expires_at, now)) {
            let Some(role) = self.role(given.role) else { continue };
            if role.gives(permission, bit) {
                note(Source::Role(given.role, role, given));
                if given.scope.is_everything() {
                    everywhere = true;
                } else {
                    scoped = true;
                    inside |= facts.is_some_and(|facts| given.scope.holds(facts));
                }
            }
        }
        match (denied || !person.active, everywhere || inside, scoped && facts.is_none()) {
            (true, _, _) => Answer::No,
            (false, true, _) => Answer::Yes,
            (false, false, true) => Answer::Depends,
            (false, false, false) => Answer::No,
        }
    }

    /// The answer alone, without allocating.
    pub fn check(&self, who: UserId, permission: &Permission, facts: Option<&Facts>, now: DateTime<Utc>) -> Answer {
        self.judge(who, permission, facts, now, |_| {})
    }

    /// The answer with every source of it, what decides first.
    pub fn decide(&self, who: UserId, permission: &Permission, facts: Option<&Facts>, now: DateTime<Utc>) -> Decision {
        let mut against = Vec::new();
        let mut because = Vec::new();
        let answer = self.judge(who, permission, facts, now, |source| match source {
            Source::Inactive => against.push(Reason::Inactive),
            Source::Protected(given) => because.push(Reason::Protected { through: given.pattern.to_string() }),
            Source::Override(given) => {
                let through = given.pattern.to_string();
                let expires_at = given.expires_at.map(Into::into);
                let reason = given.reason.clone();
                if given.allowed {
                    because.push(Reason::Allowed { through, expires_at, reason });
                } else {
                    against.push(Reason::Denied { through, expires_at, reason });
                }
            }
            Source::Role(id, role, given) => {
                for pattern in role.patterns.iter().filter(|pattern| pattern.covers(permission)) {
                    because.push(Reason::Role {
                        role: RoleRef { id, name: role.name.clone() },
                        through: pattern.to_string(),
                        scope: given.scope.clone(),
                        expires_at: given.expires_at.map(Into::into),
                    });
                }
            }
        });
        if against.is_empty() && because.is_empty() {
            because.push(Reason::NothingGrants);
        }
        against.append(&mut because);
        Decision { answer, because: against }
    }

    /// The scopes in which a right that `Depends` is held: the filter for lists.
    pub fn scopes(&self, who: UserId, permission: &Permission, now: DateTime<Utc>) -> Vec<Scope> {
        let mut scopes = Vec::new();
        let answer = self.judge(who, permission, None, now, |source| {
            if let Source::Role(_, _, given) = source {
                scopes.push(given.scope.clone());
            }
        });
        if answer == Answer::Depends { scopes } else { Vec::new() }
    }

    /// Every key of the catalogue without wildcards, with its answer and reasons.
    pub fn effective(&self, who: UserId, now: DateTime<Utc>) -> Vec<EffectivePermission> {
        let keys = self.catalogue.iter().filter_map(|info| Some((info, Permission::parse(&info.key).ok()?)));
        keys.filter(|(_, key)| !key.is_wildcard())
            .map(|(info, key)| {
                let decision = self.decide(who, &key, None, now);
                EffectivePermission {
                    key: info.key.clone(),
                    name_ar: info.name_ar.clone(),
                    name_en: info.name_en.clone(),
                    allowed: decision.allowed(),
                    because: decision.because,
                }
            })
            .collect()
    }

    /// Every key that is held, at least inside a scope.
    pub fn held(&self, who: UserId, now: DateTime<Utc>) -> Vec<String> {
        let mut held = self.index.keys().filter(|key| self.check(who, key, None, now) != Answer::No);
        let mut held = held.by_ref().map(ToString::to_string).collect::<Vec<_>>();
        held.sort();
        held
    }

    /// Has one of the roles with these names now, in whatever scope.
    pub fn has_role_named(&self, who: UserId, names: &[String], now: DateTime<Utc>) -> bool {
        self.person(who).is_some_and(|person| {
            let live = person.roles.iter().filter(|given| is_live(given.expires_at, now));
            live.filter_map(|given| self.role(given.role)).any(|role| names.contains(&role.name))
        })
    }

    /// Has the platform's role now, and not in a part of the tenant only.
    pub fn is_super_admin(&self, who: UserId, now: DateTime<Utc>) -> bool {
        self.person(who).filter(|person| person.active).is_some_and(|person| {
            person.roles.iter().any(|given| {
                given.scope.is_everything()
                    && is_live(given.expires_at, now)
                    && self.role(given.role).is_some_and(|role| role.platform)
            })
        })
    }

    /// What of `target`'s live rights `actor` does not hold: empty where the actor may act on that account.
    ///
    /// Denies of the target count for nothing, since they may end; nor does the role that everybody gets.
    pub fn beyond(&self, actor: UserId, target: UserId, now: DateTime<Utc>) -> Vec<Permission> {
        let Some(person) = self.person(target) else { return Vec::new() };
        if actor == target || self.is_super_admin(actor, now) {
            return Vec::new();
        }
        let roles = person.roles.iter().filter(|given| is_live(given.expires_at, now));
        let roles =
            roles.filter_map(|given| self.role(given.role)).filter(|role| !role.is_baseline()).collect::<Vec<_>>();
        // The platform's role is more than its permissions: holding them all is not enough.
        let platform = roles.iter().any(|role| role.platform).then_some(EVERYTHING);
        let of_roles = roles.iter().filter(|role| !role.platform).flat_map(|role| role.patterns.iter());
        let live = person.overrides.iter().filter(|given| given.allowed && is_live(given.expires_at, now));
        let held = of_roles.chain(live.map(|given| &given.pattern)).collect::<BTreeSet<_>>();
        let missing = held.into_iter().filter(|pattern| self.check(actor, pattern, None, now) != Answer::Yes);
        platform.into_iter().chain(missing.cloned()).collect()
    }

    /// Everybody who may do this in the whole tenant.
    pub fn who_may(&self, permission: &Permission, now: DateTime<Utc>) -> Vec<UserId> {
        let own = self.people.keys().copied();
        let below = self.below.iter().flat_map(|below| below.people.keys().copied());
        let all = own.chain(below).collect::<BTreeSet<_>>();
        all.into_iter().filter(|who| self.check(*who, permission, None, now) == Answer::Yes).collect()
    }

    /// Whether somebody may hand this on: they hold it whole. A super-admin may hand on everything, whatever is denied
    /// to them: they could lift the deny.
    pub fn may_hand_on(&self, who: UserId, permission: &Permission, now: DateTime<Utc>) -> bool {
        self.is_super_admin(who, now) || self.check(who, permission, None, now) == Answer::Yes
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
