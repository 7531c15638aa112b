//! The decision engine: one snapshot of a tenant's grants and one function that decides on it. Nothing else decides.

use std::{collections::BTreeSet, ptr, sync::Arc};

use chrono::{DateTime, Utc};
use foldhash::HashMap;

use crate::{
    access::{
        Answer, Decision, EVERYTHING, EffectivePermission, Facts, GroupRef, PROTECTED, Permission, PermissionInfo,
        PolicyMode, PolicyRef, Reason, RoleRef, STANDARD_USER, Scope,
        server::{
            nesting::{Step, reach},
            outside::Told,
            people::{People, States},
            policy::{Env, Policy, Say, Situation},
            rego::Module,
        },
    },
    base::{
        errors::FieldCode,
        ids::{GroupId, PolicyId, RoleId, TenantId, UserId},
    },
};

/// Everything that decides in a tenant, as of one version. Immutable; a changed one lies above the one it changes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What lies below: looked up where this layer says nothing.
    below: Option<Arc<Snapshot>>,
    pub version: i64,
    /// The first transaction that had not ended when this was read: what it and those after it have moved is not all in it.
    pub seen: i64,
    pub tenant: TenantId,
    /// The policies that are enforced, by id. Every layer keeps all of them.
    policies: Arc<Vec<Arc<Policy>>>,
    /// The whole catalogue, wildcards included, sorted by key. Kept by the lowest layer.
    catalogue: Arc<Vec<PermissionInfo>>,
    /// Key to bit, without wildcards.
    index: Arc<HashMap<Permission, usize>>,
    roles: HashMap<RoleId, Arc<RoleGrants>>,
    groups: HashMap<GroupId, Arc<GroupGrants>>,
    people: People,
}

/// A role and what it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleGrants {
    pub name: String,
    /// The platform's `super-admin`.
    pub platform: bool,
    /// Keys and wildcards that it gives by itself, sorted.
    pub own: Vec<Permission>,
    /// The roles whose permissions it gives as well.
    pub parents: Vec<RoleId>,
    /// Everything that it gives, inherited or its own, sorted.
    pub patterns: Vec<Permission>,
    /// Itself, then what it inherits from, the nearest first.
    pub lineage: Vec<Step<RoleId>>,
    bits: Vec<u64>,
}

/// A group and what its people get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupGrants {
    pub name: String,
    /// The groups it lies in.
    pub parents: Vec<GroupId>,
    pub roles: Vec<RoleGrant>,
    /// Itself, then the groups around it, the nearest first.
    pub lineage: Vec<Step<GroupId>>,
}

/// Somebody is in a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    pub group: GroupId,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A role that somebody has now, given to them or to a group they are in.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub id: RoleId,
    pub role: &'a RoleGrants,
    pub scope: &'a Scope,
    /// When the first part of the way ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The group they are in, and the place in its lineage of the one that has the role.
    via: Option<(&'a GroupGrants, usize)>,
}

/// A person and what they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PersonGrants {
    pub active: bool,
    /// They have not come in yet. It decides nothing.
    pub invited: bool,
    pub roles: Vec<RoleGrant>,
    pub overrides: Vec<OverrideGrant>,
    pub groups: Vec<Membership>,
    /// What policies look at; none where there is nothing.
    pub facts: Option<Arc<Facts>>,
}

/// Who is decided about alike, as they come.
struct Kinds<'a> {
    /// A policy looks at who somebody is: nobody is like somebody else.
    tells_apart: bool,
    /// A policy looks at people's fields.
    with_facts: bool,
    places: HashMap<Kind<'a>, usize>,
    /// Most share their grants in memory: those are not compared.
    shared: HashMap<*const PersonGrants, usize>,
    next: usize,
}

/// Everything of a person that decides, where no policy looks at who they are.
#[derive(PartialEq, Eq, Hash)]
struct Kind<'a> {
    active: bool,
    roles: &'a [RoleGrant],
    overrides: &'a [OverrideGrant],
    groups: &'a [Membership],
    facts: Option<&'a Facts>,
}

impl<'a> Kinds<'a> {
    /// As far as these two are concerned: one, and what lies below it, or the same twice.
    fn of(snapshots: [&Snapshot; 2]) -> Self {
        let any = |is_so: fn(&Policy) -> bool| {
            snapshots.iter().any(|snapshot| snapshot.policies.iter().any(|policy| is_so(policy)))
        };
        Kinds {
            tells_apart: any(Policy::reads_ids),
            with_facts: any(Policy::reads_people),
            places: HashMap::default(),
            shared: HashMap::default(),
            next: 0,
        }
    }

    /// The place of somebody's kind; of one that comes for the first time it is the next. `is_changed`: they were given something
    /// else before. Whoever was given what others had already is like nobody.
    fn place(&mut self, person: &'a PersonGrants, is_changed: bool) -> usize {
        let next = self.next;
        let place = if self.tells_apart || is_changed {
            next
        } else {
            *self.shared.entry(ptr::from_ref(person)).or_insert_with(|| {
                let PersonGrants { active, invited: _, roles, overrides, groups, facts } = person;
                let facts = facts.as_deref().filter(|_| self.with_facts);
                *self.places.entry(Kind { active: *active, roles, overrides, groups, facts }).or_insert(next)
            })
        };
        self.next += usize::from(place == next);
        place
    }
}

/// What a question is about besides the person and the permission.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// What is known of the thing that is acted on.
    pub facts: Option<&'a Facts>,
    /// What is known of the request.
    pub env: Option<&'a Env>,
    /// What a trusted program says of the request that it asks about.
    pub context: Option<&'a serde_json::Value>,
    /// What was answered from outside to this question.
    pub told: Option<&'a Told>,
    pub now: DateTime<Utc>,
}

impl About<'_> {
    /// Nothing is known but the time.
    pub fn at(now: DateTime<Utc>) -> Self {
        About { facts: None, env: None, context: None, told: None, now }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleGrant {
    pub role: RoleId,
    pub scope: Scope,
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OverrideGrant {
    pub pattern: Permission,
    pub allowed: bool,
    pub expires_at: Option<DateTime<Utc>>,
    pub reason: Option<String>,
}

/// One thing that speaks for or against, still borrowed: collecting it costs, deciding does not need it.
enum Source<'a> {
    Role(Given<'a>),
    Override(&'a OverrideGrant),
    Protected(&'a OverrideGrant),
    Policy(&'a Policy, Say),
    ProtectedFrom(&'a Policy),
    Inactive,
}

/// The first of two ends.
pub fn earlier(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
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

    /// Whether this is the role, or inherits from it.
    pub fn includes(&self, role: RoleId) -> bool {
        self.lineage.iter().any(|step| step.id == role)
    }

    fn gives(&self, permission: &Permission, bit: Option<usize>) -> bool {
        match bit {
            Some(bit) => self.bits[bit / 64] >> (bit % 64) & 1 == 1,
            None => self.patterns.iter().any(|pattern| pattern.covers(permission)),
        }
    }
}

/// What roles and overrides say of a permission.
struct Stand {
    /// No deny counts.
    protected: bool,
    denied: bool,
    everywhere: bool,
    scoped: bool,
    inside: bool,
}

impl Snapshot {
    pub fn new(tenant: TenantId, version: i64, mut catalogue: Vec<PermissionInfo>) -> Self {
        catalogue.sort_by(|a, b| a.key.cmp(&b.key));
        catalogue.dedup_by(|a, b| a.key == b.key);
        let keys = catalogue.iter().filter_map(|info| Permission::parse(&info.key).ok());
        // A tenant's own key may be the same word as a built-in one.
        let keys = keys.filter(|key| !key.is_wildcard()).collect::<BTreeSet<_>>();
        let index = keys.into_iter().enumerate().map(|(bit, key)| (key, bit)).collect();
        Snapshot {
            below: None,
            version,
            seen: 0,
            tenant,
            policies: Arc::default(),
            catalogue: Arc::new(catalogue),
            index: Arc::new(index),
            roles: HashMap::default(),
            groups: HashMap::default(),
            people: People::default(),
        }
    }

    /// An empty layer above `below`, to stage changes in.
    pub fn above(below: &Arc<Snapshot>) -> Self {
        Snapshot {
            below: Some(below.clone()),
            version: below.version,
            seen: below.seen,
            tenant: below.tenant,
            policies: below.policies.clone(),
            catalogue: below.catalogue.clone(),
            index: below.index.clone(),
            roles: HashMap::default(),
            groups: HashMap::default(),
            people: People::default(),
        }
    }

    /// A role that inherits from none. [`Snapshot::link`] has to follow where others inherit from it.
    pub fn put_role(&mut self, id: RoleId, name: String, platform: bool, patterns: Vec<Permission>) {
        self.put_heir(id, name, platform, patterns, Vec::new());
    }

    /// A role that gives these and whatever its parents give, once [`Snapshot::link`] has followed.
    pub fn put_heir(
        &mut self,
        id: RoleId,
        name: String,
        platform: bool,
        mut own: Vec<Permission>,
        mut parents: Vec<RoleId>,
    ) {
        own.sort();
        own.dedup();
        parents.sort();
        parents.dedup();
        let role = self.compiled(id, RoleGrants { name, platform, own, parents, ..RoleGrants::default() });
        self.roles.insert(id, Arc::new(role));
    }

    /// The role with what comes from its parents.
    fn compiled(&self, id: RoleId, role: RoleGrants) -> RoleGrants {
        let up = |of: RoleId| match (of == id, self.role(of)) {
            (true, _) => role.parents.as_slice(),
            (false, Some(role)) => role.parents.as_slice(),
            (false, None) => &[],
        };
        let lineage = reach(id, up);
        let of_others = lineage.iter().skip(1).filter_map(|step| self.role(step.id));
        let patterns = of_others.flat_map(|role| role.own.iter()).chain(&role.own).cloned().collect::<BTreeSet<_>>();
        let mut bits = vec![0; self.index.len().div_ceil(64)];
        for (key, bit) in self.index.iter() {
            if patterns.iter().any(|pattern| pattern.covers(key)) {
                bits[bit / 64] |= 1 << (bit % 64);
            }
        }
        RoleGrants { patterns: patterns.into_iter().collect(), lineage, bits, ..role }
    }

    pub fn put_group(&mut self, id: GroupId, name: String, parents: Vec<GroupId>, roles: Vec<RoleGrant>) {
        let group = GroupGrants { name, parents, roles, lineage: vec![Step { id, from: 0 }] };
        self.groups.insert(id, Arc::new(group));
    }

    pub fn put_person(&mut self, id: UserId, person: PersonGrants) {
        self.people.put(id, Arc::new(person));
    }

    /// The grants of somebody who shares them with others, or of nobody any more.
    pub fn set_person(&mut self, id: UserId, person: Option<Arc<PersonGrants>>) {
        match person {
            Some(person) => self.people.put(id, person),
            None => self.people.remove(id),
        }
    }

    /// So many people are about to be put into a snapshot that has nobody.
    pub fn expect_people(&mut self, people: usize) {
        self.people = People::with_capacity(people);
    }

    /// Takes over everybody from an older state of the same tenant. Neither is a layer above another.
    pub fn take_people(&mut self, from: &Snapshot) {
        self.people = from.people.clone();
    }

    /// Puts a policy into force, in the place of the one with this id if there is one; none: takes it out of force.
    pub fn put_policy(&mut self, id: PolicyId, policy: Option<Arc<Policy>>) {
        let mut policies = Vec::clone(&self.policies);
        policies.retain(|policy| policy.id != id);
        policies.extend(policy);
        policies.sort_by_key(|policy| policy.id);
        self.policies = Arc::new(policies);
    }

    /// The policies that are enforced.
    pub fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// The policies about a permission that are decided outside, each with the path at which it is asked.
    pub fn outside(&self, permission: &Permission) -> impl Iterator<Item = (PolicyId, &Arc<str>)> {
        let about = self.policies.iter().filter(move |policy| policy.outside.is_some() && policy.concerns(permission));
        about.filter_map(|policy| Some((policy.id, policy.outside.as_ref()?)))
    }

    /// Whether a decision waits for one from outside, as far as is known now.
    pub fn waits_outside(&self, who: UserId, permission: &Permission, about: About<'_>) -> bool {
        self.outside(permission).next().is_some() && self.check_about(who, permission, about) == Answer::Depends
    }

    pub fn policy(&self, id: PolicyId) -> Option<&Arc<Policy>> {
        self.policies.iter().find(|policy| policy.id == id)
    }

    /// What a policy says of somebody when nothing else is known. Nothing of whoever does not exist.
    pub fn say(&self, policy: &Policy, user: UserId, now: DateTime<Utc>) -> Say {
        let says = |person: &Arc<PersonGrants>| policy.says(self.situation(user, person, None, About::at(now)));
        self.person(user).map_or(Say::NOTHING, says)
    }

    /// What a policy decides by.
    pub fn situation<'a>(
        &'a self,
        user: UserId,
        person: &'a PersonGrants,
        action: Option<&'a Permission>,
        About { facts, env, context, told, now }: About<'a>,
    ) -> Situation<'a> {
        Situation { snapshot: self, user, person, action, facts, env, context, told, now }
    }

    /// Has a role of that name now, by whatever way and in whatever scope.
    pub fn has_role_called(&self, person: &PersonGrants, name: &str, now: DateTime<Utc>) -> bool {
        self.given(person, now)
            .any(|given| given.role.lineage.iter().filter_map(|step| self.role(step.id)).any(|role| role.name == name))
    }

    /// The names of the roles that somebody has now, inherited ones included, sorted.
    pub fn role_names(&self, person: &PersonGrants, now: DateTime<Utc>) -> BTreeSet<&str> {
        let given = self.given(person, now);
        let names = given.flat_map(|given| given.role.lineage.iter().filter_map(|step| self.role(step.id)));
        names.map(|role| role.name.as_str()).collect()
    }

    /// The names of the groups that somebody is in now, those around them included, sorted.
    pub fn group_names(&self, person: &PersonGrants, now: DateTime<Utc>) -> BTreeSet<&str> {
        let live = person.groups.iter().filter(|membership| is_live(membership.expires_at, now));
        let groups = live.filter_map(|membership| self.group(membership.group));
        let around = groups.flat_map(|group| group.lineage.iter().filter_map(|step| self.group(step.id)));
        around.map(|group| group.name.as_str()).collect()
    }

    /// Is in a group of that name now, or in one that lies in it.
    pub fn is_in_group_called(&self, person: &PersonGrants, name: &str, now: DateTime<Utc>) -> bool {
        let live = person.groups.iter().filter(|membership| is_live(membership.expires_at, now));
        let groups = live.filter_map(|membership| self.group(membership.group));
        let around = groups.flat_map(|group| group.lineage.iter().filter_map(|step| self.group(step.id)));
        around.into_iter().any(|group| group.name == name)
    }

    /// Compiles again what lies below a role or group of this layer. Has to follow the last one that was put.
    pub fn link(&mut self) {
        // Most changes touch neither; and of what is there, only what lies below something touched is worth compiling.
        if !self.roles.is_empty() {
            let touched = self.roles.keys().copied().collect::<BTreeSet<_>>();
            for id in self.role_ids() {
                let lineage = reach(id, |of| self.role(of).map_or(&[], |role| role.parents.as_slice()));
                if !lineage.iter().any(|step| touched.contains(&step.id)) {
                    continue;
                }
                if let Some(role) = self.role(id) {
                    let compiled = self.compiled(id, RoleGrants::clone(role));
                    self.roles.insert(id, Arc::new(compiled));
                }
            }
        }
        if !self.groups.is_empty() {
            let touched = self.groups.keys().copied().collect::<BTreeSet<_>>();
            for id in self.group_ids() {
                let Some(group) = self.group(id) else { continue };
                let lineage = reach(id, |of| self.group(of).map_or(&[], |group| group.parents.as_slice()));
                if lineage.iter().any(|step| touched.contains(&step.id)) {
                    let group = GroupGrants { lineage, ..GroupGrants::clone(group) };
                    self.groups.insert(id, Arc::new(group));
                }
            }
        }
    }

    pub fn role(&self, id: RoleId) -> Option<&Arc<RoleGrants>> {
        self.roles.get(&id).or_else(|| self.below.as_ref().and_then(|below| below.role(id)))
    }

    pub fn group(&self, id: GroupId) -> Option<&Arc<GroupGrants>> {
        self.groups.get(&id).or_else(|| self.below.as_ref().and_then(|below| below.group(id)))
    }

    pub fn person(&self, id: UserId) -> Option<&Arc<PersonGrants>> {
        self.people.get(id).or_else(|| self.below.as_ref().and_then(|below| below.person(id)))
    }

    /// The roles that were given to somebody, also those that have run out.
    pub fn roles_of(&self, user: UserId) -> &[RoleGrant] {
        self.person(user).map_or(&[][..], |person| person.roles.as_slice())
    }

    pub fn overrides_of(&self, user: UserId) -> &[OverrideGrant] {
        self.person(user).map_or(&[][..], |person| person.overrides.as_slice())
    }

    /// The groups that somebody was taken into.
    pub fn groups_of(&self, user: UserId) -> &[Membership] {
        self.person(user).map_or(&[][..], |person| person.groups.as_slice())
    }

    pub fn role_ids(&self) -> BTreeSet<RoleId> {
        let mut ids = self.below.as_ref().map(|below| below.role_ids()).unwrap_or_default();
        ids.extend(self.roles.keys());
        ids
    }

    pub fn group_ids(&self) -> BTreeSet<GroupId> {
        let mut ids = self.below.as_ref().map(|below| below.group_ids()).unwrap_or_default();
        ids.extend(self.groups.keys());
        ids
    }

    /// Everybody, in no order.
    pub fn everybody(&self) -> Box<dyn Iterator<Item = (UserId, &PersonGrants)> + '_> {
        let own = self.people.iter();
        let below = self.below.iter().flat_map(|below| below.everybody());
        Box::new(own.chain(below.filter(|(id, _)| !self.people.contains(*id))))
    }

    /// An answer about everybody, in no order. Whoever was given the same as somebody else is decided about as they are, and
    /// asked about no more: a million people are of a few kinds. Policies that look at who somebody is have each of them asked
    /// about.
    pub fn asked<'a, T: Clone + 'a>(
        &'a self,
        ask: impl FnMut(UserId) -> T + 'a,
    ) -> impl Iterator<Item = (UserId, T)> + 'a {
        self.asked_beside(self, ask)
    }

    /// The same where `before` is asked as well: this itself, or what lies directly below it.
    pub fn asked_beside<'a, T: Clone + 'a>(
        &'a self,
        before: &Snapshot,
        mut ask: impl FnMut(UserId) -> T + 'a,
    ) -> impl Iterator<Item = (UserId, T)> + 'a {
        debug_assert!(self.is_above(before), "whom a layer between them changes would be taken for others' like");
        let mut kinds = Kinds::of([self, before]);
        let mut answers = Vec::new();
        self.everybody().map(move |(who, person)| {
            let place = kinds.place(person, self.changes(who));
            let answer = answers.get(place).cloned().unwrap_or_else(|| {
                let answer = ask(who);
                answers.push(answer.clone());
                answer
            });
            (who, answer)
        })
    }

    /// Whether `before` is this itself or lies directly below it.
    fn is_above(&self, before: &Snapshot) -> bool {
        ptr::eq(self, before) || self.below.as_deref().is_some_and(|below| ptr::eq(below, before))
    }

    /// Whether this layer has somebody as another than they are below.
    fn changes(&self, who: UserId) -> bool {
        self.below.is_some() && self.people.contains(who)
    }

    /// Everybody who was given what this is so of. Of those who share it one is looked at.
    pub fn those_given<'a>(&'a self, is_so: impl Fn(&PersonGrants) -> bool + 'a) -> impl Iterator<Item = UserId> + 'a {
        let mut known = HashMap::<*const PersonGrants, bool>::default();
        self.everybody().filter_map(move |(who, person)| {
            known.entry(ptr::from_ref(person)).or_insert_with(|| is_so(person)).then_some(who)
        })
    }

    /// These people, those together who are decided about alike, here and by `before`, which is this itself or lies directly below
    /// it. Nobody who is not there.
    pub fn alike(&self, before: &Snapshot, people: &[UserId]) -> Vec<Vec<UserId>> {
        debug_assert!(self.is_above(before), "whom a layer between them changes would be taken for others' like");
        let (mut kinds, mut all) = (Kinds::of([self, before]), Vec::<Vec<UserId>>::new());
        for (who, person) in people.iter().filter_map(|who| Some((*who, self.person(*who)?))) {
            match all.get_mut(kinds.place(person, self.changes(who))) {
                Some(kind) => kind.push(who),
                None => all.push(vec![who]),
            }
        }
        all
    }

    /// How many people there are, by state.
    pub fn states(&self) -> States {
        match &self.below {
            None => self.people.states(),
            Some(_) => States::of(self.everybody().map(|(_, person)| person)),
        }
    }

    /// How many people have no role of their own now (D5).
    pub fn without_role(&self, now: DateTime<Utc>) -> i64 {
        let has_one = |person: &PersonGrants| person.roles.iter().any(|grant| is_live(grant.expires_at, now));
        let without = self.everybody().filter(|(_, person)| !has_one(person)).count();
        i64::try_from(without).unwrap_or(i64::MAX)
    }

    /// How many people have each role now, given to themselves.
    pub fn own_holders(&self, now: DateTime<Utc>) -> HashMap<RoleId, i64> {
        let mut holders = HashMap::default();
        for (_, person) in self.everybody() {
            for grant in person.roles.iter().filter(|grant| is_live(grant.expires_at, now)) {
                *holders.entry(grant.role).or_default() += 1;
            }
        }
        holders
    }

    /// How many people are in each group now, those not counted who are in one that lies in it.
    pub fn own_members(&self, now: DateTime<Utc>) -> HashMap<GroupId, i64> {
        let mut members = HashMap::default();
        for (_, person) in self.everybody() {
            for membership in person.groups.iter().filter(|membership| is_live(membership.expires_at, now)) {
                *members.entry(membership.group).or_default() += 1;
            }
        }
        members
    }

    /// The roles that somebody has now, first those given to them, then those of their groups.
    pub fn given<'a>(&'a self, person: &'a PersonGrants, now: DateTime<Utc>) -> impl Iterator<Item = Given<'a>> + 'a {
        let own = person.roles.iter().filter_map(move |grant| self.grant(grant, None, None));
        let memberships = person.groups.iter().filter(move |membership| is_live(membership.expires_at, now));
        let of_groups = memberships.filter_map(|membership| Some((membership, self.group(membership.group)?)));
        let of_groups = of_groups.flat_map(move |(membership, group)| {
            let around = group.lineage.iter().enumerate();
            let around = around.filter_map(|(at, step)| Some((at, self.group(step.id)?)));
            around.flat_map(move |(at, source)| {
                let via = Some((&**group, at));
                source.roles.iter().filter_map(move |grant| self.grant(grant, membership.expires_at, via))
            })
        });
        own.chain(of_groups).filter(move |given| is_live(given.expires_at, now))
    }

    /// What being in these groups gives now, each grant until the first part of its way ends.
    pub fn of_groups(&self, groups: &[Membership], now: DateTime<Utc>) -> Vec<RoleGrant> {
        let somebody = PersonGrants { groups: groups.to_vec(), ..PersonGrants::default() };
        let given = self.given(&somebody, now);
        given
            .map(|given| RoleGrant { role: given.id, scope: given.scope.clone(), expires_at: given.expires_at })
            .collect()
    }

    /// What being in a group for good gives now.
    pub fn of_group(&self, group: GroupId, now: DateTime<Utc>) -> Vec<RoleGrant> {
        self.of_groups(&[Membership { group, expires_at: None }], now)
    }

    fn grant<'a>(
        &'a self,
        grant: &'a RoleGrant,
        until: Option<DateTime<Utc>>,
        via: Option<(&'a GroupGrants, usize)>,
    ) -> Option<Given<'a>> {
        let role = &**self.role(grant.role)?;
        let expires_at = earlier(grant.expires_at, until);
        Some(Given { id: grant.role, role, scope: &grant.scope, expires_at, via })
    }

    /// Everybody who now has the role or one that inherits from it, wherever it counts for them.
    pub fn holders(&self, role: RoleId, now: DateTime<Utc>) -> Vec<UserId> {
        let has = |person: &PersonGrants| self.given(person, now).any(|given| given.role.includes(role));
        self.those_given(has).collect()
    }

    /// Whether anybody now has the role or one that inherits from it.
    pub fn has_holders(&self, role: RoleId, now: DateTime<Utc>) -> bool {
        let has = |person: &PersonGrants| self.given(person, now).any(|given| given.role.includes(role));
        self.those_given(has).next().is_some()
    }

    /// Everybody who now is in the group or in one that lies in it.
    pub fn members(&self, group: GroupId, now: DateTime<Utc>) -> Vec<UserId> {
        let lies_in =
            |inner: GroupId| self.group(inner).is_some_and(|inner| inner.lineage.iter().any(|step| step.id == group));
        let inner = self.group_ids().into_iter().filter(|id| lies_in(*id)).collect::<BTreeSet<_>>();
        let is_in = |person: &PersonGrants| {
            let mut live = person.groups.iter().filter(|membership| is_live(membership.expires_at, now));
            live.any(|membership| inner.contains(&membership.group))
        };
        self.those_given(is_in).collect()
    }

    pub fn role_ref(&self, id: RoleId) -> RoleRef {
        RoleRef { id, name: self.role(id).map_or_else(String::new, |role| role.name.clone()) }
    }

    pub fn group_ref(&self, id: GroupId) -> GroupRef {
        GroupRef { id, name: self.group(id).map_or_else(String::new, |group| group.name.clone()) }
    }

    pub fn catalogue(&self) -> &[PermissionInfo] {
        &self.catalogue
    }

    /// What the catalogue says of a key or wildcard.
    pub fn info(&self, key: &str) -> Option<&PermissionInfo> {
        let at = self.catalogue.binary_search_by(|info| info.key.as_str().cmp(key)).ok()?;
        self.catalogue.get(at)
    }

    /// Whether the catalogue has this key or wildcard.
    pub fn knows(&self, permission: &Permission) -> bool {
        self.info(permission.as_str()).is_some()
    }

    /// A key or wildcard that the catalogue has.
    pub fn known(&self, key: &str) -> Result<Permission, FieldCode> {
        let key = Permission::parse(key)?;
        if self.knows(&key) { Ok(key) } else { Err(FieldCode::Unknown) }
    }

    /// The plain keys of the catalogue, in its order.
    pub fn plain_keys(&self) -> impl Iterator<Item = (&PermissionInfo, Permission)> {
        let keys = self.catalogue.iter().filter_map(|info| Some((info, Permission::parse(&info.key).ok()?)));
        keys.filter(|(_, key)| !key.is_wildcard())
    }

    /// The decision itself. Order: an explicit deny wins; then any live allow; else no.
    ///
    /// Asked about a wildcard it tells whether all of it is held, keys that do not exist yet included. Without facts a
    /// right that is held in a scope only is `Depends`, and so is what a policy decides by something that is not known.
    ///
    /// `EVERY`: each source is noted. Without it a role that is as good as the one before is not looked at.
    fn judge<'a, const EVERY: bool>(
        &'a self,
        who: UserId,
        permission: &Permission,
        about: About<'_>,
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
        let Stand { protected, mut denied, mut everywhere, scoped, inside } =
            self.stand::<EVERY>(who, person, permission, about.facts, about.now, &mut note);
        let (mut may_be_denied, mut may_be_allowed) = (false, scoped && about.facts.is_none());
        for policy in self.policies.iter().filter(|policy| policy.concerns(permission)) {
            let mut say = policy.says(self.situation(who, person, Some(permission), about));
            // An allow has to give all that is asked about.
            if !policy.gives(permission) {
                say.allows = Some(false);
            }
            if protected && say.denies != Some(false) {
                note(Source::ProtectedFrom(policy));
                say.denies = Some(false);
            }
            denied |= say.denies == Some(true);
            everywhere |= say.allows == Some(true);
            may_be_denied |= say.denies.is_none();
            may_be_allowed |= say.allows.is_none();
            note(Source::Policy(policy, say));
        }
        if denied || !person.active {
            Answer::No
        } else if everywhere || inside {
            if may_be_denied { Answer::Depends } else { Answer::Yes }
        } else if may_be_allowed {
            Answer::Depends
        } else {
            Answer::No
        }
    }

    /// What roles and overrides say, before any policy.
    fn stand<'a, const EVERY: bool>(
        &'a self,
        who: UserId,
        person: &'a PersonGrants,
        permission: &Permission,
        facts: Option<&Facts>,
        now: DateTime<Utc>,
        note: &mut impl FnMut(Source<'a>),
    ) -> Stand {
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
        for given in self.given(person, now) {
            if given.role.gives(permission, bit) {
                note(Source::Role(given));
                if given.scope.is_everything() {
                    everywhere = true;
                    if !EVERY {
                        break;
                    }
                } else {
                    scoped = true;
                    inside |= facts.is_some_and(|facts| given.scope.holds(facts));
                }
            }
        }
        Stand { protected, denied, everywhere, scoped, inside }
    }

    /// The answer alone, without allocating, where nothing is known of a request.
    pub fn check(&self, who: UserId, permission: &Permission, facts: Option<&Facts>, now: DateTime<Utc>) -> Answer {
        self.check_about(who, permission, About { facts, ..About::at(now) })
    }

    /// The answer alone, without allocating.
    pub fn check_about(&self, who: UserId, permission: &Permission, about: About<'_>) -> Answer {
        self.judge::<false>(who, permission, about, |_| {})
    }

    /// The answer with every source of it, what decides first, where nothing is known of a request.
    pub fn decide(&self, who: UserId, permission: &Permission, facts: Option<&Facts>, now: DateTime<Utc>) -> Decision {
        self.decide_about(who, permission, About { facts, ..About::at(now) })
    }

    /// The answer with every source of it, what decides first.
    pub fn decide_about(&self, who: UserId, permission: &Permission, about: About<'_>) -> Decision {
        let (mut against, mut open) = (Vec::new(), Vec::new());
        let mut because = Vec::new();
        let answer = self.judge::<true>(who, permission, about, |source| match source {
            Source::Policy(policy, say) => {
                let policy = PolicyRef { id: policy.id, name: policy.name.clone() };
                if say.denies == Some(true) {
                    let denies =
                        if say.fails { Reason::PolicyFails { policy } } else { Reason::PolicyDenies { policy } };
                    against.push(denies);
                } else if say.is_open() {
                    let open_for =
                        if say.outside { Reason::PolicyOutside { policy } } else { Reason::PolicyOpen { policy } };
                    open.push(open_for);
                } else if say.allows == Some(true) {
                    because.push(Reason::PolicyAllows { policy });
                }
            }
            Source::ProtectedFrom(policy) => because.push(Reason::Protected { through: policy.name.clone() }),
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
            Source::Role(given) => because.extend(self.reasons(given, permission)),
        });
        if against.is_empty() && open.is_empty() && because.is_empty() {
            because.push(Reason::NothingGrants);
        }
        against.append(&mut open);
        against.append(&mut because);
        Decision { answer, because: against }
    }

    /// Every way on which a role that somebody has gives a permission.
    fn reasons<'a>(&'a self, given: Given<'a>, permission: &'a Permission) -> impl Iterator<Item = Reason> + 'a {
        let groups = given.via.map_or_else(Vec::new, |(group, at)| {
            Step::path(&group.lineage, at).into_iter().map(|id| self.group_ref(id)).collect()
        });
        let lineage = &given.role.lineage;
        let sources = lineage.iter().enumerate().filter_map(move |(at, step)| {
            let source = if at == 0 { given.role } else { &**self.role(step.id)? };
            let inherited = Step::path(lineage, at).into_iter().skip(1).map(|id| self.role_ref(id)).collect::<Vec<_>>();
            Some((source, inherited))
        });
        sources.flat_map(move |(source, inherited)| {
            let groups = groups.clone();
            source.own.iter().filter(move |pattern| pattern.covers(permission)).map(move |pattern| Reason::Role {
                role: RoleRef { id: given.id, name: given.role.name.clone() },
                through: pattern.to_string(),
                scope: given.scope.clone(),
                expires_at: given.expires_at.map(Into::into),
                groups: groups.clone(),
                inherited: inherited.clone(),
            })
        })
    }

    /// The scopes in which a right that `Depends` is held: the filter for lists. What only a policy could tell of each
    /// thing is in none: lists show less rather than too much. Nothing is known of a thing.
    pub fn scopes(&self, who: UserId, permission: &Permission, about: About<'_>) -> Vec<Scope> {
        let mut scopes = Vec::new();
        let mut is_open = false;
        let answer = self.judge::<true>(who, permission, about, |source| match source {
            Source::Role(given) => scopes.push(given.scope.clone()),
            Source::Policy(_, say) => is_open |= say.denies.is_none(),
            Source::Override(_) | Source::Protected(_) | Source::ProtectedFrom(_) | Source::Inactive => {}
        });
        if answer == Answer::Depends && !is_open { scopes } else { Vec::new() }
    }

    /// Every key of the catalogue without wildcards, with its answer and reasons.
    pub fn effective(&self, who: UserId, now: DateTime<Utc>) -> Vec<EffectivePermission> {
        self.plain_keys()
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

    /// Has one of the roles with these names now, by whatever way and in whatever scope.
    pub fn has_role_named(&self, who: UserId, names: &[String], now: DateTime<Utc>) -> bool {
        self.person(who).is_some_and(|person| names.iter().any(|name| self.has_role_called(person, name, now)))
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
        let roles = self.given(person, now).map(|given| given.role);
        let roles = roles.filter(|role| !role.is_baseline()).collect::<Vec<_>>();
        // The platform's role is more than its permissions: holding them all is not enough.
        let platform = roles.iter().any(|role| role.platform).then_some(EVERYTHING);
        let of_roles = roles.iter().filter(|role| !role.platform).flat_map(|role| role.patterns.iter());
        let live = person.overrides.iter().filter(|given| given.allowed && is_live(given.expires_at, now));
        // What a policy may allow them is theirs as well.
        let of_policies = self.policies.iter().filter(|policy| policy.may_give(self.say(policy, target, now)));
        let of_policies = of_policies.flat_map(|policy| policy.actions.iter());
        let held = of_roles.chain(live.map(|given| &given.pattern)).chain(of_policies).collect::<BTreeSet<_>>();
        let reaches = |pattern: &Permission| {
            self.may_hand_on(actor, pattern, now) || self.is_held_back_with(actor, pattern, self, &[target], now)
        };
        let missing = held.into_iter().filter(|pattern| !reaches(pattern));
        platform.into_iter().chain(missing.cloned()).collect()
    }

    /// Everybody who may do this in the whole tenant.
    pub fn who_may(&self, permission: &Permission, now: DateTime<Utc>) -> Vec<UserId> {
        self.those(|who| self.check(who, permission, None, now) == Answer::Yes)
    }

    fn those(&self, are: impl Fn(UserId) -> bool) -> Vec<UserId> {
        let mut all = self.asked(are).filter_map(|(who, is_so)| is_so.then_some(who)).collect::<Vec<_>>();
        all.sort_unstable();
        all
    }

    /// Everybody who may do this in the whole tenant, or may when they come to it: policies may decide by what is known only
    /// then, by what is answered outside, or could not be asked just now.
    pub fn who_might(&self, permission: &Permission, now: DateTime<Utc>) -> Vec<UserId> {
        self.those(|who| self.might(who, permission, now))
    }

    /// The same of somebody.
    pub fn might(&self, who: UserId, permission: &Permission, now: DateTime<Utc>) -> bool {
        let Some(person) = self.person(who).filter(|person| person.active) else { return false };
        if self.check(who, permission, None, now) == Answer::Yes {
            return true;
        }
        let on = self.situation(who, person, Some(permission), About::at(now));
        let concerned = self.policies.iter().filter(|policy| policy.concerns(permission));
        let says = concerned.map(|policy| (policy.gives(permission), policy.says(on))).collect::<Vec<_>>();
        let is_denied = says.iter().any(|(_, say)| say.denies == Some(true) && !say.fails);
        let is_held_down = || self.stand::<false>(who, person, permission, None, now, &mut |_| {}).denied;
        let may_be_given =
            says.iter().any(|(gives, say)| *gives && (say.allows.is_none() || say.fails)) && !is_held_down();
        !is_denied && (may_be_given || self.is_given(who, permission, now))
    }

    /// Whether a policy about this could not be asked just now: what is a no may be a yes the next time.
    pub fn is_unasked(&self, who: UserId, permission: &Permission, about: About<'_>) -> bool {
        let Some(person) = self.person(who).filter(|person| person.active) else { return false };
        let on = self.situation(who, person, Some(permission), about);
        self.policies.iter().filter(|policy| policy.concerns(permission)).any(|policy| {
            let say = policy.says(on);
            // A module that looks at people alone is open only where its time was spent.
            let is_spent = |module: &Module| !module.reads().request && !module.reads().resource && say.is_open();
            say.fails || say.outside || policy.module.as_ref().is_some_and(is_spent)
        })
    }

    /// Whether somebody may hand this on: they hold it whole. A super-admin may hand on everything, whatever is denied
    /// to them: they could lift the deny.
    pub fn may_hand_on(&self, who: UserId, permission: &Permission, now: DateTime<Utc>) -> bool {
        self.is_super_admin(who, now) || self.check(who, permission, None, now) == Answer::Yes
    }

    /// Whether somebody was given all of this for the whole tenant and no override denies it, whatever policies that must
    /// hold make of it.
    pub fn is_given(&self, who: UserId, permission: &Permission, now: DateTime<Utc>) -> bool {
        let Some(person) = self.person(who).filter(|person| person.active) else { return false };
        let stand = self.stand::<false>(who, person, permission, None, now, &mut |_| {});
        let mut giving = self.policies.iter().filter(|policy| policy.gives(permission));
        !stand.denied && (stand.everywhere || giving.any(|policy| self.say(policy, who, now).allows == Some(true)))
    }

    /// Whether somebody was given a permission and is held back by policies alone, by which all of the others, as `after`
    /// knows them, are held back as well. Handing it to those lets nobody end with more than they could use.
    pub fn is_held_back_with(
        &self,
        who: UserId,
        permission: &Permission,
        after: &Snapshot,
        others: &[UserId],
        now: DateTime<Utc>,
    ) -> bool {
        let concerned = self.policies.iter().filter(|policy| policy.concerns(permission));
        let mut holding_back = concerned.filter(|policy| self.say(policy, who, now).denies != Some(false));
        self.is_given(who, permission, now)
            && holding_back.all(|policy| {
                // One that fails now may answer the next time.
                let denies = |says: Say| says.denies == Some(true) && !says.fails;
                // Of one that is decided outside each of them is asked when they use it, and so is held back alike.
                let is_outside = policy.outside.is_some() && policy.mode == PolicyMode::Require;
                let is_asked = is_outside && after.policy(policy.id) == Some(policy);
                let is_held = |says: Say| denies(says) || (is_asked && says.denies.is_none());
                others.iter().all(|other| is_held(after.say(policy, *other, now)))
            })
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
