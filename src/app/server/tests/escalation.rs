//! Nobody climbs: whatever administrators do, in whatever order, no right appears that the acting one did not hold.

mod second_person;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{
    access::{
        Answer, Facts, Permission, PermissionInfo, STANDARD_USER, SUPER_ADMIN as SUPER_ADMIN_ROLE, Scope,
        server::{
            change::{Change, Granter, check_ceiling, check_nesting, check_outranked, stage},
            engine::{Membership, OverrideGrant, PersonGrants, RoleGrant, Snapshot},
        },
    },
    app::server::test_app::{Client, PASSWORD, TestApp, options_of},
    base::ids::{GroupId, RoleId, UserId},
    roles::templates::TEMPLATES,
};

/// The keys of the reference model. No catalogue has the `…future` ones: a wildcard that is handed on hands them on too.
const KEYS: [&str; 11] = [
    "users.read",
    "users.update",
    "users.delete",
    "audit.read",
    "audit.export",
    "oauth.clients.manage",
    "users.future",
    "audit.future",
    "oauth.future",
    "oauth.clients.future",
    "future.thing",
];

/// What can be given and denied, each with the keys it stands for, spelt out.
const PATTERNS: [(&str, &[&str]); 11] = [
    ("users.read", &["users.read"]),
    ("users.update", &["users.update"]),
    ("users.delete", &["users.delete"]),
    ("audit.read", &["audit.read"]),
    ("audit.export", &["audit.export"]),
    ("oauth.clients.manage", &["oauth.clients.manage"]),
    ("users.*", &["users.read", "users.update", "users.delete", "users.future"]),
    ("audit.*", &["audit.read", "audit.export", "audit.future"]),
    ("oauth.clients.*", &["oauth.clients.manage", "oauth.clients.future"]),
    ("oauth.*", &["oauth.clients.manage", "oauth.clients.future", "oauth.future"]),
    ("*", &KEYS),
];

/// Of [`KEYS`], what a super-admin keeps whatever is denied.
const KEPT: [&str; 2] = ["users.read", "users.update"];

/// Where a thing that is acted on may lie: department, region.
const PLACES: [(Option<&str>, Option<&str>); 4] =
    [(None, None), (Some("finance"), None), (Some("finance"), Some("riyadh")), (Some("legal"), None)];

/// A department and a region, either of which may be left out.
type Place = (Option<&'static str>, Option<&'static str>);

/// How far a grant may reach, each with the places inside it.
const SCOPES: [(Place, &[usize]); 3] =
    [((None, None), &[0, 1, 2, 3]), ((Some("finance"), None), &[1, 2]), ((Some("finance"), Some("riyadh")), &[2])];

/// The platform's role, which gives everything and cannot be edited.
const PLATFORM: usize = 0;
/// The role that everybody gets who registers.
const FIRST: usize = 1;
const ROLES: usize = 4;
const GROUPS: usize = 3;
const PEOPLE: usize = 4;

/// What somebody may do: one bit for each key in each place, and one for being super-admin, which is more than its keys.
type Rights = u64;
const SUPER_ADMIN: Rights = 1 << 63;

fn bits(keys: &[&str], places: &[usize]) -> Rights {
    let at = |key: &str| KEYS.iter().position(|known| *known == key).expect("a key of the model");
    let pairs = keys.iter().flat_map(|key| places.iter().map(move |place| (at(key), *place)));
    pairs.fold(0, |all, (key, place)| all | 1 << (key * PLACES.len() + place))
}

fn named(rights: Rights) -> Vec<String> {
    let places = KEYS.iter().flat_map(|key| PLACES.iter().map(move |place| format!("{key} at {place:?}")));
    let mut names =
        places.enumerate().filter(|(at, _)| rights >> at & 1 == 1).map(|(_, name)| name).collect::<Vec<_>>();
    names.extend((rights & SUPER_ADMIN != 0).then(|| "super-admin".to_owned()));
    names
}

/// The tables of [`PATTERNS`] and [`SCOPES`] as bits.
struct Tables {
    everywhere: [Rights; PATTERNS.len()],
    within: [[Rights; PATTERNS.len()]; SCOPES.len()],
    kept: Rights,
}

impl Tables {
    fn new() -> Self {
        let places = SCOPES.map(|(_, places)| places);
        Tables {
            everywhere: PATTERNS.map(|(_, keys)| bits(keys, places[0])),
            within: places.map(|places| PATTERNS.map(|(_, keys)| bits(keys, places))),
            kept: bits(&KEPT, places[0]),
        }
    }
}

/// The reference model: who was given what, in seconds since the beginning.
#[derive(Clone, Debug, Default)]
struct World {
    /// The patterns that each role gives by itself.
    roles: Vec<BTreeSet<usize>>,
    /// The roles from which each role inherits.
    parents: Vec<BTreeSet<usize>>,
    groups: Vec<Circle>,
    people: Vec<Somebody>,
}

/// A group: what it lies in, and role to scope and end.
#[derive(Clone, Debug, Default)]
struct Circle {
    parents: BTreeSet<usize>,
    roles: BTreeMap<usize, (usize, Option<i64>)>,
}

#[derive(Clone, Debug, Default)]
struct Somebody {
    active: bool,
    /// Role to scope and end.
    roles: BTreeMap<usize, (usize, Option<i64>)>,
    /// Pattern to whether it is allowed, and end.
    overrides: BTreeMap<usize, (bool, Option<i64>)>,
    /// Group to end.
    groups: BTreeMap<usize, Option<i64>>,
}

fn lives(end: Option<i64>, now: i64) -> bool {
    match end {
        None => true,
        Some(end) => now < end,
    }
}

impl World {
    fn rights(&self, tables: &Tables, who: usize, now: i64) -> Rights {
        if self.people[who].active { self.rights_if_active(tables, who, now) } else { 0 }
    }

    fn rights_if_active(&self, tables: &Tables, who: usize, now: i64) -> Rights {
        let (mut allowed, mut denied, mut flag) = (0, 0, 0);
        for (pattern, (allow, end)) in &self.people[who].overrides {
            match (lives(*end, now), allow) {
                (true, true) => allowed |= tables.everywhere[*pattern],
                (true, false) => denied |= tables.everywhere[*pattern],
                (false, _) => {}
            }
        }
        let live = self.people[who].groups.iter().filter(|(_, end)| lives(**end, now));
        let around = live.flat_map(|(group, _)| closure(*group, |of| &self.groups[of].parents));
        let of_groups = around.flat_map(|group| &self.groups[group].roles);
        for (role, (scope, end)) in of_groups {
            if lives(*end, now) {
                for pattern in self.patterns(*role) {
                    allowed |= tables.within[*scope][pattern];
                }
            }
        }
        for (role, (scope, end)) in &self.people[who].roles {
            if lives(*end, now) {
                for pattern in self.patterns(*role) {
                    allowed |= tables.within[*scope][pattern];
                }
                // In a part of the tenant nobody is super-admin.
                if (*role, *scope) == (PLATFORM, 0) {
                    flag = SUPER_ADMIN;
                }
            }
        }
        if flag != 0 {
            denied &= !tables.kept;
        }
        allowed & !denied | flag
    }

    /// Everything that a role gives, inherited or its own.
    fn patterns(&self, role: usize) -> BTreeSet<usize> {
        closure(role, |of| &self.parents[of]).into_iter().flat_map(|role| self.roles[role].iter().copied()).collect()
    }

    /// What counts as held by somebody who hands on: a super-admin could lift whatever is denied to them.
    fn hands_on(&self, tables: &Tables, who: usize, now: i64) -> Rights {
        let rights = self.rights(tables, who, now);
        if rights & SUPER_ADMIN == 0 { rights } else { Rights::MAX }
    }

    /// What everybody gets who registers.
    fn everybodys(&self, tables: &Tables) -> Rights {
        self.patterns(FIRST).into_iter().fold(0, |all, pattern| all | tables.everywhere[pattern])
    }

    /// Every moment from now on at which something may be different, and one after all of them.
    fn moments(worlds: &[&World], now: i64) -> BTreeSet<i64> {
        let people = worlds.iter().flat_map(|world| &world.people);
        let ends = people.flat_map(|one| {
            let overrides = one.overrides.values().filter_map(|(_, end)| *end);
            let groups = one.groups.values().filter_map(|end| *end);
            one.roles.values().filter_map(|(_, end)| *end).chain(overrides).chain(groups)
        });
        let groups = worlds.iter().flat_map(|world| &world.groups);
        let ends = ends.chain(groups.flat_map(|group| group.roles.values().filter_map(|(_, end)| *end)));
        ends.filter(|end| *end > now).chain([now, i64::from(u16::MAX)]).collect()
    }

    /// Does an act in the model and says how the program would write it down.
    fn apply(&mut self, act: &Act, now: i64) -> Vec<Change> {
        match act {
            Act::Grant { who, role, scope, lasts } => {
                self.people[*who].roles.insert(*role, (*scope, lasts.map(|lasts| now + lasts)));
                vec![self.roles_of(*who)]
            }
            Act::Withdraw { who, nth } => {
                let held = self.people[*who].roles.keys().copied().nth(*nth);
                held.and_then(|role| self.people[*who].roles.remove(&role));
                vec![self.roles_of(*who)]
            }
            Act::Override { who, pattern, allowed, lasts } => {
                self.people[*who].overrides.insert(*pattern, (*allowed, lasts.map(|lasts| now + lasts)));
                vec![self.overrides_of(*who)]
            }
            Act::Lift { who, nth } => {
                let held = self.people[*who].overrides.keys().copied().nth(*nth);
                held.and_then(|pattern| self.people[*who].overrides.remove(&pattern));
                vec![self.overrides_of(*who)]
            }
            Act::EditRole { role, patterns } => {
                self.roles[*role] = patterns.clone();
                vec![self.role_of(*role)]
            }
            Act::Inherit { role, parents } => {
                self.parents[*role] = parents.clone();
                vec![self.role_of(*role)]
            }
            Act::EditGroup { group, parents, roles } => {
                let roles =
                    roles.iter().map(|(role, (scope, lasts))| (*role, (*scope, lasts.map(|lasts| now + lasts))));
                self.groups[*group] = Circle { parents: parents.clone(), roles: roles.collect() };
                vec![self.group_of(*group)]
            }
            Act::RemoveGroup { group } => {
                self.groups[*group] = Circle::default();
                vec![Change::RemoveGroup { group: group_id(*group) }]
            }
            Act::Join { who, group, lasts } => {
                self.people[*who].groups.insert(*group, lasts.map(|lasts| now + lasts));
                vec![self.memberships_of(*who)]
            }
            Act::Leave { who, nth } => {
                let held = self.people[*who].groups.keys().copied().nth(*nth);
                held.and_then(|group| self.people[*who].groups.remove(&group));
                vec![self.memberships_of(*who)]
            }
            Act::RemoveKey { pattern } => {
                for role in &mut self.roles {
                    role.remove(pattern);
                }
                for somebody in &mut self.people {
                    somebody.overrides.remove(pattern);
                }
                vec![Change::RemovePermission { key: permission(*pattern) }]
            }
            Act::AddToRole { role, pattern } => {
                let patterns = self.roles[*role].iter().copied().chain([*pattern]).collect();
                self.apply(&Act::EditRole { role: *role, patterns }, now)
            }
            Act::RemoveRole { role } => {
                self.roles[*role].clear();
                self.parents[*role].clear();
                vec![Change::RemoveRole { role: role_id(*role) }]
            }
            Act::Active { who, active } => {
                self.people[*who].active = *active;
                vec![Change::Active { user: user_id(*who), active: *active }]
            }
            Act::Delete { who } => {
                self.people[*who] = Somebody::default();
                let user = user_id(*who);
                vec![
                    Change::Active { user, active: false },
                    self.roles_of(*who),
                    self.overrides_of(*who),
                    self.memberships_of(*who),
                ]
            }
            Act::Register { active } => {
                let roles = BTreeMap::from([(FIRST, (0, None))]);
                let user = user_id(self.people.len());
                self.people.push(Somebody { active: *active, roles, ..Somebody::default() });
                vec![Change::Person { user, active: *active, first_role: Some(role_id(FIRST)) }]
            }
            Act::Add { active, roles } => {
                let who = self.people.len();
                let roles = roles.iter().map(|role| (*role, (0, None))).collect();
                self.people.push(Somebody { active: *active, roles, ..Somebody::default() });
                let person = Change::Person { user: user_id(who), active: *active, first_role: None };
                vec![person, self.roles_of(who)]
            }
        }
    }

    fn roles_of(&self, who: usize) -> Change {
        Change::Roles { user: user_id(who), roles: self.grants(who).roles }
    }

    fn role_of(&self, role: usize) -> Change {
        Change::RolePermissions {
            role: role_id(role),
            name: role_name(role),
            permissions: self.roles[role].iter().map(|pattern| permission(*pattern)).collect(),
            parents: self.parents[role].iter().map(|parent| role_id(*parent)).collect(),
        }
    }

    fn group_of(&self, group: usize) -> Change {
        Change::Group {
            group: group_id(group),
            name: format!("group {group}"),
            parents: self.groups[group].parents.iter().map(|parent| group_id(*parent)).collect(),
            roles: role_grants(&self.groups[group].roles),
        }
    }

    fn memberships_of(&self, who: usize) -> Change {
        Change::Memberships { user: user_id(who), groups: self.grants(who).groups }
    }

    fn overrides_of(&self, who: usize) -> Change {
        Change::Overrides { user: user_id(who), overrides: self.grants(who).overrides }
    }

    fn grants(&self, who: usize) -> PersonGrants {
        let somebody = &self.people[who];
        let overrides = somebody.overrides.iter().map(|(pattern, (allowed, end))| OverrideGrant {
            pattern: permission(*pattern),
            allowed: *allowed,
            expires_at: end.map(moment),
            reason: None,
        });
        let groups = somebody.groups.iter();
        let groups =
            groups.map(|(group, end)| Membership { group: group_id(*group), expires_at: end.map(moment) }).collect();
        let roles = role_grants(&somebody.roles);
        PersonGrants {
            active: somebody.active,
            roles,
            overrides: overrides.collect(),
            groups,
            ..PersonGrants::default()
        }
    }

    /// The same world as the engine knows it.
    fn snapshot(&self) -> Snapshot {
        let keys = KEYS.iter().copied().filter(|key| !key.contains("future"));
        let wildcards = PATTERNS.iter().map(|(pattern, _)| *pattern).filter(|pattern| pattern.ends_with('*'));
        let info = |key: &str| PermissionInfo { key: key.to_owned(), ..PermissionInfo::default() };
        let mut snapshot =
            Snapshot::new(crate::base::ids::TenantId(Uuid::nil()), 1, keys.chain(wildcards).map(info).collect());
        for (role, patterns) in self.roles.iter().enumerate() {
            let patterns = patterns.iter().map(|pattern| permission(*pattern)).collect();
            let parents = self.parents[role].iter().map(|parent| role_id(*parent)).collect();
            snapshot.put_heir(role_id(role), role_name(role), role == PLATFORM, patterns, parents);
        }
        for (group, circle) in self.groups.iter().enumerate() {
            let parents = circle.parents.iter().map(|parent| group_id(*parent)).collect();
            snapshot.put_group(group_id(group), format!("group {group}"), parents, role_grants(&circle.roles));
        }
        snapshot.link();
        for who in 0..self.people.len() {
            snapshot.put_person(user_id(who), self.grants(who));
        }
        snapshot
    }
}

/// A thing and all above it.
fn closure<'a>(of: usize, up: impl Fn(usize) -> &'a BTreeSet<usize>) -> BTreeSet<usize> {
    let mut all = BTreeSet::from([of]);
    loop {
        let more = all.iter().flat_map(|one| up(*one).iter().copied()).collect::<BTreeSet<_>>();
        if more.is_subset(&all) {
            return all;
        }
        all.extend(more);
    }
}

fn role_grants(roles: &BTreeMap<usize, (usize, Option<i64>)>) -> Vec<RoleGrant> {
    let grants = roles.iter().map(|(role, (scope, end))| {
        let (department, region) = SCOPES[*scope].0;
        let scope = Scope { department: department.map(str::to_owned), region: region.map(str::to_owned) };
        RoleGrant { role: role_id(*role), scope, expires_at: end.map(moment) }
    });
    grants.collect()
}

fn group_id(group: usize) -> GroupId {
    GroupId(Uuid::from_u64_pair(3, group as u64))
}

fn permission(pattern: usize) -> Permission {
    Permission::parse(PATTERNS[pattern].0).expect("a pattern of the model")
}

fn moment(second: i64) -> DateTime<Utc> {
    "2026-11-22T08:00:00Z".parse::<DateTime<Utc>>().expect("a moment") + TimeDelta::seconds(second)
}

fn user_id(who: usize) -> UserId {
    UserId(Uuid::from_u64_pair(1, who as u64))
}

fn role_id(role: usize) -> RoleId {
    RoleId(Uuid::from_u64_pair(2, role as u64))
}

fn role_name(role: usize) -> String {
    match role {
        PLATFORM => SUPER_ADMIN_ROLE.to_owned(),
        FIRST => STANDARD_USER.to_owned(),
        own => format!("role {own}"),
    }
}

/// What the engine says somebody may do.
fn engine_rights(snapshot: &Snapshot, who: usize, now: i64) -> Rights {
    let user = user_id(who);
    let flag = snapshot.person(user).is_some_and(|person| person.active) && snapshot.is_super_admin(user, moment(now));
    let mut rights = if flag { SUPER_ADMIN } else { 0 };
    for (place, (department, region)) in PLACES.into_iter().enumerate() {
        let (department, region) = (department.map(str::to_owned), region.map(str::to_owned));
        let facts = Facts { department, region, ..Facts::default() };
        for key in KEYS {
            let permission = Permission::parse(key).expect("a key");
            if snapshot.check(user, &permission, Some(&facts), moment(now)) == Answer::Yes {
                rights |= bits(&[key], &[place]);
            }
        }
    }
    rights
}

/// One thing an administrator does.
#[derive(Clone, Debug)]
enum Act {
    Grant { who: usize, role: usize, scope: usize, lasts: Option<i64> },
    Withdraw { who: usize, nth: usize },
    Override { who: usize, pattern: usize, allowed: bool, lasts: Option<i64> },
    Lift { who: usize, nth: usize },
    EditRole { role: usize, patterns: BTreeSet<usize> },
    AddToRole { role: usize, pattern: usize },
    RemoveRole { role: usize },
    Active { who: usize, active: bool },
    Delete { who: usize },
    Register { active: bool },
    Add { active: bool, roles: BTreeSet<usize> },
    Inherit { role: usize, parents: BTreeSet<usize> },
    EditGroup { group: usize, parents: BTreeSet<usize>, roles: BTreeMap<usize, (usize, Option<i64>)> },
    RemoveGroup { group: usize },
    Join { who: usize, group: usize, lasts: Option<i64> },
    Leave { who: usize, nth: usize },
    RemoveKey { pattern: usize },
}

impl Act {
    /// The part of it that anybody would have got by registering.
    fn nobodys_grant(&self) -> Option<Act> {
        match self {
            Act::Grant { role: FIRST, .. } | Act::Register { .. } => Some(self.clone()),
            Act::Add { active, roles } => {
                Some(Act::Add { active: *active, roles: roles.iter().copied().filter(|role| *role == FIRST).collect() })
            }
            Act::Grant { .. }
            | Act::Withdraw { .. }
            | Act::Override { .. }
            | Act::Lift { .. }
            | Act::EditRole { .. }
            | Act::AddToRole { .. }
            | Act::RemoveRole { .. }
            | Act::Active { .. }
            | Act::Delete { .. }
            | Act::Inherit { .. }
            | Act::EditGroup { .. }
            | Act::RemoveGroup { .. }
            | Act::Join { .. }
            | Act::Leave { .. }
            | Act::RemoveKey { .. } => None,
        }
    }

    /// Whether it may bring people into what everybody gets, by way of a group.
    fn moves_groups(&self) -> bool {
        matches!(self, Act::EditGroup { .. } | Act::Join { .. })
    }
}

/// Who does what in one transaction, how many seconds after the one before.
#[derive(Clone, Debug)]
struct Step {
    actor: usize,
    acts: Vec<Act>,
    wait: i64,
}

fn lasts() -> impl Strategy<Value = Option<i64>> {
    prop::option::weighted(0.4, 1i64..5)
}

fn patterns() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..PATTERNS.len(), 0..3)
}

fn scope() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0), 1 => 1..SCOPES.len()]
}

fn somebody() -> impl Strategy<Value = Somebody> {
    let roles = prop::collection::btree_map(0..ROLES, (scope(), lasts()), 0..3);
    let overrides = prop::collection::btree_map(0..PATTERNS.len(), (any::<bool>(), lasts()), 0..4);
    let groups = prop::collection::btree_map(0..GROUPS, lasts(), 0..2);
    (prop::bool::weighted(0.8), roles, overrides, groups).prop_map(|(active, roles, overrides, groups)| Somebody {
        active,
        roles,
        overrides,
        groups,
    })
}

fn world() -> impl Strategy<Value = World> {
    let roles = prop::collection::vec(patterns(), ROLES - 1);
    // Only from what stands before, so that nothing goes round; never from the platform's.
    let parents = prop::collection::vec(prop::collection::btree_set(FIRST..ROLES, 0..2), ROLES);
    let circles = prop::collection::vec((prop::collection::btree_set(0..GROUPS, 0..2), group_roles(FIRST)), GROUPS);
    (roles, parents, circles, prop::collection::vec(somebody(), PEOPLE)).prop_map(|(own, parents, circles, people)| {
        let everything = BTreeSet::from([PATTERNS.len() - 1]);
        let before = |at: usize, set: BTreeSet<usize>| set.into_iter().filter(|parent| *parent < at).collect();
        let circles = circles.into_iter().enumerate();
        World {
            roles: [everything].into_iter().chain(own).collect(),
            parents: parents.into_iter().enumerate().map(|(at, set)| before(at, set)).collect(),
            groups: circles.map(|(at, (set, roles))| Circle { parents: before(at, set), roles }).collect(),
            people,
        }
    })
}

fn group_roles(from: usize) -> impl Strategy<Value = BTreeMap<usize, (usize, Option<i64>)>> {
    prop::collection::btree_map(from..ROLES, (scope(), lasts()), 0..3)
}

fn act() -> impl Strategy<Value = Act> {
    let (who, role, own, pattern) = (0..PEOPLE, 0..ROLES, FIRST..ROLES, 0..PATTERNS.len());
    prop_oneof![
        4 => (who.clone(), role.clone(), scope(), lasts()).prop_map(|(who, role, scope, lasts)| Act::Grant { who, role, scope, lasts }),
        2 => (who.clone(), 0..3usize).prop_map(|(who, nth)| Act::Withdraw { who, nth }),
        4 => (who.clone(), pattern.clone(), any::<bool>(), lasts())
            .prop_map(|(who, pattern, allowed, lasts)| Act::Override { who, pattern, allowed, lasts }),
        3 => (who.clone(), 0..4usize).prop_map(|(who, nth)| Act::Lift { who, nth }),
        2 => (own.clone(), patterns()).prop_map(|(role, patterns)| Act::EditRole { role, patterns }),
        2 => (own.clone(), pattern).prop_map(|(role, pattern)| Act::AddToRole { role, pattern }),
        1 => own.clone().prop_map(|role| Act::RemoveRole { role }),
        2 => (own, prop::collection::btree_set(0..ROLES, 0..3)).prop_map(|(role, parents)| Act::Inherit { role, parents }),
        2 => (0..GROUPS, prop::collection::btree_set(0..GROUPS, 0..2), group_roles(PLATFORM))
            .prop_map(|(group, parents, roles)| Act::EditGroup { group, parents, roles }),
        1 => (0..GROUPS).prop_map(|group| Act::RemoveGroup { group }),
        2 => (who.clone(), 0..GROUPS, lasts()).prop_map(|(who, group, lasts)| Act::Join { who, group, lasts }),
        1 => (who.clone(), 0..2usize).prop_map(|(who, nth)| Act::Leave { who, nth }),
        1 => (0..PATTERNS.len() - 1).prop_map(|pattern| Act::RemoveKey { pattern }),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, active)| Act::Active { who, active }),
        1 => who.prop_map(|who| Act::Delete { who }),
        1 => any::<bool>().prop_map(|active| Act::Register { active }),
        1 => (any::<bool>(), prop::collection::btree_set(role, 0..2)).prop_map(|(active, roles)| Act::Add { active, roles }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let acts = prop_oneof![4 => prop::collection::vec(act(), 1), 1 => prop::collection::vec(act(), 2)];
    (0..PEOPLE, acts, 0i64..3).prop_map(|(actor, acts, wait)| Step { actor, acts, wait })
}

/// Histories that differ in each run; what fails is shrunk and printed.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

/// C11, CVE-2026-9795, CVE-2026-3121, CVE-2026-4629, CVE-2026-12388, CVE-2026-14614, CVE-2026-9099, CVE-2025-5999,
/// CVE-2024-9180, GHSA-g6jc-xrc3-4wwq: for every accepted change by `a` and every person `u`, at every moment from then
/// on, what `u` may do with the change is what `u` might have done at that same moment without it, or what `a` held when
/// making it.
///
/// Comparing the same moment with and without the change is what tells a deny that runs out by itself (it would have run
/// out anyway, and sets free what was given before) from one that a change lifts, shortens or makes irrelevant. What `a`
/// held counts as of the change: it may be handed on for longer than `a` keeps it. The role that everybody gets who
/// registers is nobody's grant: it counts on both sides.
#[test]
fn nobody_ends_with_more_than_before_plus_what_the_granter_holds() {
    let tables = Tables::new();
    let (accepted, refused) = (Cell::new(0u32), Cell::new(0u32));
    let histories = (world(), prop::collection::vec(step(), 1..10));
    let outcome = runner(3000).run(&histories, |(mut world, steps)| {
        let mut now = 0;
        let mut snapshot = Arc::new(world.snapshot());
        for step in steps {
            now += step.wait;
            // Nothing opens for whoever is not active.
            if !world.people[step.actor].active {
                continue;
            }
            let mut next = world.clone();
            let changes = step.acts.iter().flat_map(|act| next.apply(act, now)).collect::<Vec<_>>();
            let staged = stage(&snapshot, &changes);
            let granter = Granter::Person(user_id(step.actor));
            let nested = check_nesting(&staged, &changes);
            if nested.is_ok() && check_ceiling(&snapshot, &staged, &changes, granter, moment(now)).is_ok() {
                accepted.set(accepted.get() + 1);
                let mut without = world.clone();
                for act in &step.acts {
                    if let Some(free) = act.nobodys_grant() {
                        without.apply(&free, now);
                    }
                }
                let granters = world.hands_on(&tables, step.actor, now);
                for at in World::moments(&[&world, &without, &next], now) {
                    for who in 0..next.people.len() {
                        let had = match world.people.get(who) {
                            Some(somebody) if somebody.active => world.rights(&tables, who, at),
                            // Whoever begins, or begins again, has what everybody gets.
                            _ => world.everybodys(&tables),
                        };
                        let free = step.acts.iter().any(Act::moves_groups);
                        let everybodys = if free { world.everybodys(&tables) } else { 0 };
                        let had = had | without.rights(&tables, who, at) | granters | everybodys;
                        let more = next.rights(&tables, who, at) & !had;
                        prop_assert!(
                            more == 0,
                            "{who} gains {:?} at {at} by {step:?} at {now} in {world:?}",
                            named(more)
                        );
                    }
                }
                (world, snapshot) = (next, Arc::new(staged));
            } else {
                refused.set(refused.get() + 1);
            }
        }
        for who in 0..world.people.len() {
            let (model, engine) = (world.rights(&tables, who, now), engine_rights(&snapshot, who, now));
            prop_assert!(model == engine, "{who}: model {:?}, engine {:?}", named(model), named(engine));
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert!(
        accepted.get() > 2000 && refused.get() > 2000,
        "{accepted:?} accepted, {refused:?} refused: not much was tried"
    );
}

/// CVE-2025-5999, CVE-2024-9180, CVE-2024-37905: whoever may change the address of an account, or hand out a link to it,
/// becomes that person, now or when some deny has run out or the account is active again. What everybody gets who
/// registers does not count.
#[test]
fn nobody_acts_on_an_account_that_ever_gives_more_than_they_hold() {
    let tables = Tables::new();
    let allowed = Cell::new(0u32);
    let outcome = runner(3000).run(&world(), |world| {
        let snapshot = world.snapshot();
        for (actor, target) in (0..PEOPLE).flat_map(|a| (0..PEOPLE).map(move |b| (a, b))).filter(|(a, b)| a != b) {
            // Nothing opens for whoever is not active.
            if !world.people[actor].active {
                continue;
            }
            if check_outranked(&snapshot, user_id(actor), user_id(target), moment(0)).is_ok() {
                allowed.set(allowed.get() + 1);
                let holds = world.hands_on(&tables, actor, 0) | world.everybodys(&tables);
                for at in World::moments(&[&world], 0) {
                    let more = world.rights_if_active(&tables, target, at) & !holds;
                    prop_assert!(more == 0, "{actor} reaches {target}, who has {:?} at {at}", named(more));
                }
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    assert!(allowed.get() > 1000, "{allowed:?} times: not much was tried");
}

/// A small generator (xorshift64*), so that one number repeats a whole history.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).expect("31 bits") % limit
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn some<T: Clone>(&mut self, from: &[T], at_most: usize) -> Vec<T> {
        (0..self.below(at_most + 1)).map(|_| self.pick(from).clone()).collect()
    }
}

/// What the administrators hand around.
const HANDED: [&str; 16] = [
    "users.read",
    "users.update",
    "users.delete",
    "users.*",
    "roles.read",
    "roles.update",
    "roles.*",
    "permissions.assign",
    "permissions.*",
    "audit.read",
    "audit.export",
    "audit.*",
    "signals.create",
    "settings.*",
    "reports.read",
    "*",
];
const ADDED_ROLES: [&str; 8] =
    ["super-admin", "super-admin", "super-admin", "admin", "support", "readonly", "ceo", "standard-user"];

/// Somebody in the history, as the test sees them from outside.
#[derive(Clone)]
struct Known {
    email: String,
    id: String,
    /// Those who act.
    client: Option<Client>,
    /// The overrides that were last accepted.
    overrides: BTreeMap<String, (bool, Option<i64>)>,
}

struct History {
    app: TestApp,
    boss: Client,
    people: Vec<Known>,
    roles: Vec<String>,
    dice: Dice,
    /// Seconds since the beginning.
    now: i64,
}

/// What one request tried.
enum Tried {
    /// A change of roles, which may hand out what everybody gets who registers, with the address of who is added.
    Roles { added: Option<String> },
    /// A change of overrides: of whom, and to what.
    Overrides { target: usize, set: BTreeMap<String, (bool, Option<i64>)> },
    /// Another change.
    Other,
    /// Becoming somebody else.
    TakeOver { target: usize },
}

type Held = BTreeMap<String, BTreeSet<String>>;

impl History {
    /// Who may do what now, in the super-admin's eyes. Being super-admin is a right of its own.
    async fn held(&self) -> Held {
        let listed = self.boss.get("/admin/users?limit=200").await.ok();
        let mut held = Held::new();
        for row in listed["items"].as_array().expect("a list") {
            let id = row["id"].as_str().expect("an id");
            let mut keys = self.boss.held(id).await.into_iter().collect::<BTreeSet<_>>();
            let roles = row["roles"].as_array().expect("a list");
            if row["status"] == "active" && roles.contains(&json!("super-admin")) {
                keys.insert("(super-admin)".to_owned());
            }
            held.insert(id.to_owned(), keys);
        }
        held
    }

    /// A digest of everything that could give a right or be left behind by a refused act.
    async fn digest(&self) -> String {
        let query = "select md5(concat(
             (select string_agg(t::text, ';' order by t::text) from roles t),
             (select string_agg(t::text, ';' order by t::text) from role_permissions t),
             (select string_agg(t::text, ';' order by t::text) from role_parents t),
             (select string_agg(t::text, ';' order by t::text) from permissions t),
             (select string_agg(t::text, ';' order by t::text) from groups t),
             (select string_agg(t::text, ';' order by t::text) from group_parents t),
             (select string_agg(t::text, ';' order by t::text) from group_roles t),
             (select string_agg(t::text, ';' order by t::text) from group_members t),
             (select string_agg(t::text, ';' order by t::text) from user_roles t),
             (select string_agg(t::text, ';' order by t::text) from user_permissions t),
             (select string_agg(t::text, ';' order by t::text) from grant_versions t),
             (select string_agg(t::text, ';' order by t::text) from users t),
             (select string_agg(t::text, ';' order by t::text) from links t)))";
        sqlx::query_scalar(query).fetch_one(&self.app.owner).await.expect("a digest")
    }

    fn keys(&mut self) -> Vec<&'static str> {
        let mut keys = self.dice.some(&HANDED, 2);
        keys.push(*self.dice.pick(&HANDED));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    async fn group(&mut self) -> Option<String> {
        let groups = self.boss.all("/admin/groups").await;
        (!groups.is_empty()).then(|| self.dice.pick(&groups)["id"].as_str().expect("an id").to_owned())
    }

    /// What a group may be given: roles, and a group around it.
    async fn group_body(&mut self) -> Value {
        let roles = self.boss.all("/admin/roles").await;
        let mut ids = self.dice.some(&roles, 2);
        ids.dedup();
        let roles = ids.iter().map(|role| json!({"role": role["id"]})).collect::<Vec<_>>();
        let parents = if self.dice.chance(40) { self.group().await } else { None };
        json!({"roles": roles, "parents": parents.into_iter().collect::<Vec<_>>()})
    }

    fn role_names(&mut self) -> Vec<String> {
        let known = self.roles.iter().cloned().chain(ADDED_ROLES.map(str::to_owned)).collect::<Vec<_>>();
        self.dice.some(&known, 2)
    }

    /// One random act of one administrator: the path, what came back and what it was.
    async fn act(&mut self, actor: usize, number: usize) -> (String, StatusCode, Tried) {
        let client = self.people[actor].client.clone().expect("an administrator");
        let target = if self.dice.chance(25) { actor } else { self.dice.below(self.people.len()) };
        let user = format!("/admin/users/{}", self.people[target].id);
        let (tried, path, answer) = match self.dice.below(34) {
            0..=2 => {
                let name = format!("دور {number}");
                let body = json!({"name": name, "permissions": self.keys()});
                let answer = client.post("/admin/roles", body.clone()).await;
                if answer.status.is_success() {
                    self.roles.push(name);
                }
                (Tried::Other, format!("POST /admin/roles {body}"), answer)
            }
            3..=5 => {
                let roles = self.boss.all("/admin/roles").await;
                let role = self.dice.pick(&roles);
                let mut keys = self.keys();
                let kept = role["permissions"].as_array().expect("a list").iter().filter_map(Value::as_str);
                if self.dice.chance(50) {
                    keys.extend(kept);
                }
                let path = format!("/admin/roles/{}", role["id"].as_str().expect("an id"));
                let body = json!({"permissions": keys});
                (Tried::Other, format!("PATCH {} {body}", role["name"]), client.patch(&path, body).await)
            }
            6 => {
                let roles = self.boss.all("/admin/roles").await;
                let role = self.dice.pick(&roles);
                let path = format!("/admin/roles/{}", role["id"].as_str().expect("an id"));
                let answer = client.delete(&path).await;
                if answer.status.is_success() {
                    self.roles.retain(|name| role["name"] != *name);
                }
                (Tried::Other, format!("DELETE {}", role["name"]), answer)
            }
            7..=9 => {
                let body = json!({"roles": self.role_names()});
                let path = format!("{user}/roles");
                (Tried::Roles { added: None }, format!("POST {path} {body}"), client.post(&path, body).await)
            }
            10 | 11 => {
                let body = json!({"roles": self.role_names()});
                let path = format!("{user}/roles");
                (Tried::Roles { added: None }, format!("PATCH {path} {body}"), client.patch(&path, body).await)
            }
            12..=15 => {
                let now = self.now;
                let mut set = self.people[target].overrides.clone();
                set.retain(|_, (_, end)| lives(*end, now));
                if self.dice.chance(60) {
                    let at = self.dice.below(set.len().max(1));
                    let key = set.keys().nth(at).cloned();
                    key.and_then(|key| set.remove(&key));
                }
                for key in self.dice.some(&HANDED, 2) {
                    let lasts = 1 + i64::try_from(self.dice.below(60)).expect("small");
                    let end = self.dice.chance(40).then_some(now + lasts);
                    set.insert(key.to_owned(), (self.dice.chance(60), end));
                }
                let half = |wanted: bool| {
                    let items = set.iter().filter(|(_, (allowed, _))| *allowed == wanted);
                    let item = |(key, (_, end)): (&String, &(bool, Option<i64>))| json!({"key": key, "expires_at": end.map(|end| moment(end).to_rfc3339())});
                    items.map(item).collect::<Vec<_>>()
                };
                let body = json!({"allow": half(true), "deny": half(false)});
                let path = format!("{user}/permissions");
                let tried = Tried::Overrides { target, set };
                (tried, format!("PATCH {path} {body}"), client.patch(&path, body).await)
            }
            16 => {
                let email = format!("new{number}@x.example");
                let mut body = json!({"email": email, "name": "جديد"});
                if self.dice.chance(70) {
                    let mut roles = Vec::new();
                    for name in self.role_names() {
                        roles.push(self.boss.role_id(&name).await);
                    }
                    body["roles"] = json!(roles);
                }
                if self.dice.chance(50) {
                    body["password"] = json!(PASSWORD);
                }
                let tried = Tried::Roles { added: Some(email) };
                (tried, format!("POST /admin/users {body}"), client.post("/admin/users", body).await)
            }
            17 => {
                let body = json!({"status": self.dice.pick(&["suspended", "active", "active"])});
                let path = format!("{user}/status");
                (Tried::Other, format!("PATCH {path} {body}"), client.patch(&path, body).await)
            }
            18 => {
                let path = format!("{user}/link");
                (Tried::TakeOver { target }, format!("POST {path}"), client.post(&path, json!({})).await)
            }
            19 | 20 => {
                let roles = self.boss.all("/admin/roles").await;
                let role = self.dice.pick(&roles).clone();
                let parents = self.dice.some(&roles, 2).iter().map(|role| role["id"].clone()).collect::<Vec<_>>();
                let path = format!("/admin/roles/{}", role["id"].as_str().expect("an id"));
                let body = json!({"parents": parents});
                (Tried::Other, format!("PATCH {} {body}", role["name"]), client.patch(&path, body).await)
            }
            21 | 22 => {
                let mut body = self.group_body().await;
                body["name"] = json!(format!("مجموعة {number}"));
                let tried = Tried::Roles { added: None };
                (tried, format!("POST /admin/groups {body}"), client.post("/admin/groups", body).await)
            }
            23 => match self.group().await {
                Some(id) => {
                    let body = self.group_body().await;
                    let path = format!("/admin/groups/{id}");
                    (Tried::Roles { added: None }, format!("PATCH {path} {body}"), client.patch(&path, body).await)
                }
                None => (Tried::Other, "GET".to_owned(), client.get("/auth/me").await),
            },
            24 | 25 => match self.group().await {
                Some(id) => {
                    let path = format!("/admin/groups/{id}/members");
                    let body = json!({"user": self.people[target].id});
                    (Tried::Roles { added: None }, format!("POST {path} {body}"), client.post(&path, body).await)
                }
                None => (Tried::Other, "GET".to_owned(), client.get("/auth/me").await),
            },
            26 => {
                let name = self.dice.pick(&self.roles.clone()).clone();
                let parents = self.dice.some(&self.roles.clone(), 1);
                let role = json!({"name": name, "permissions": self.keys(), "parents": parents});
                let body = json!({"format": 1, "roles": [role]});
                let path = "/admin/catalogue";
                (Tried::Other, format!("POST {path} {body}"), client.post(path, body).await)
            }
            27 | 28 => {
                let roles = self.boss.all("/admin/roles").await;
                let role = self.dice.pick(&roles);
                let name = format!("نسخة {number}");
                let path = format!("/admin/roles/{}/copies", role["id"].as_str().expect("an id"));
                let answer = client.post(&path, json!({"name": name})).await;
                if answer.status.is_success() {
                    self.roles.push(name);
                }
                (Tried::Other, format!("POST a copy of {}", role["name"]), answer)
            }
            29 => {
                let template = self.dice.pick(TEMPLATES).id;
                let name = format!("قالب {number}");
                let body = json!({"template": template, "name": name});
                let answer = client.post("/admin/role-templates", body).await;
                if answer.status.is_success() {
                    self.roles.push(name);
                }
                (Tried::Other, format!("POST a role of {template}"), answer)
            }
            30 => match self.group().await {
                Some(id) => {
                    let path = match self.dice.chance(60) {
                        true => format!("/admin/groups/{id}/members/{}", self.people[target].id),
                        false => format!("/admin/groups/{id}"),
                    };
                    (Tried::Other, format!("DELETE {path}"), client.delete(&path).await)
                }
                None => (Tried::Other, "GET".to_owned(), client.get("/auth/me").await),
            },
            31 | 32 => {
                // Somebody asks for access, and this administrator agrees: it is theirs to give.
                let asking = self.dice.pick(&self.people.clone()).client.clone();
                let key = *self.dice.pick(&HANDED);
                let body = json!({"permission": key, "reason": "r"});
                match asking {
                    Some(asking) => match asking.post("/auth/access-requests", body).await.json()["id"].as_str() {
                        Some(id) => {
                            let path = format!("/admin/approvals/{id}/approve");
                            (Tried::Other, format!("POST {path} for {key}"), client.post(&path, json!({})).await)
                        }
                        None => (Tried::Other, "GET".to_owned(), client.get("/auth/me").await),
                    },
                    None => (Tried::Other, "GET".to_owned(), client.get("/auth/me").await),
                }
            }
            _ => {
                let email = self.people[target].email.clone();
                (
                    Tried::TakeOver { target },
                    format!("PATCH {user}"),
                    client.patch(&user, json!({"email": email})).await,
                )
            }
        };
        assert!(!answer.status.is_server_error(), "{path}: {}", answer.text);
        (path, answer.status, tried)
    }

    /// Administrators that somebody suspended come back, by the super-admin's hand. Tells whether that was needed.
    async fn bring_back(&mut self, actor: usize) -> bool {
        let Known { email, id, client, .. } = &self.people[actor];
        let client = client.as_ref().expect("an administrator");
        let gone = client.get("/auth/me").await.status == StatusCode::UNAUTHORIZED;
        if gone {
            self.boss.patch(&format!("/admin/users/{id}/status"), json!({"status": "active"})).await.ok();
            let again = self.app.sign_in(email).await;
            self.people[actor].client = Some(again);
        }
        gone
    }
}

/// The same rule through the real router and database, as administrators meet it: C11, CVE-2026-9795, CVE-2026-9099,
/// CVE-2024-37905, CVE-2025-5999, GHSA-g6jc-xrc3-4wwq. A refused act leaves nothing behind.
#[sqlx::test(migrator = "crate::base::server::db::MIGRATOR")]
async fn through_the_api_nobody_ends_with_more_than_before_plus_what_the_granter_holds(pool: PgPool) {
    const SEED: u64 = 0x0BAD_5EED_2026_1122;
    let app = TestApp::start(options_of(&pool)).await;
    let boss = app.admin().await;
    let tools = [
        "permissions.assign",
        "permissions.read",
        "users.read",
        "roles.read",
        "groups.read",
        "groups.manage",
        "approvals.decide",
    ];
    let kinds: [(&str, &[&str], Value); 5] = [
        ("people", &["users.*", "roles.*", "permissions.*", "audit.read"], json!({})),
        (
            "roles",
            &["roles.*", "users.create", "users.update", "signals.create", "audit.*"],
            json!({"deny": ["audit.export"]}),
        ),
        ("links", &["users.update", "users.create", "users.reset_password", "reports.read"], json!({})),
        ("bound", &["*"], json!({"deny": ["settings.*", "audit.export"]})),
        ("owner", &["*"], json!({})),
    ];
    let mut people = Vec::new();
    for (name, keys, overrides) in kinds {
        boss.make_role(name, &[keys, &tools].concat()).await;
        let email = format!("{name}@x.example");
        let client = app.person(&boss, &email, &[name]).await;
        boss.patch(&format!("/admin/users/{}/permissions", client.id), overrides.clone()).await.ok();
        let denied = overrides["deny"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let overrides = denied.map(|key| (key.to_owned(), (false, None))).collect();
        people.push(Known { email, id: client.id.clone(), client: Some(client), overrides });
    }
    let administrators = people.len();
    for (name, roles) in [("plain", vec![]), ("support", vec!["support"]), ("ceo", vec!["ceo", "readonly"])] {
        let email = format!("{name}@x.example");
        let client = app.person(&boss, &email, &roles).await;
        people.push(Known { email, id: client.id, client: None, overrides: BTreeMap::new() });
    }
    // Nobody touches this one, who shows what everybody gets by registering.
    let body = json!({"email": "newcomer@x.example", "name": "وافد", "password": PASSWORD});
    let newcomer = boss.post("/admin/users", body).await.ok()["id"].as_str().expect("an id").to_owned();
    // The administrators' own roles can be handed on as well.
    let roles = people.iter().filter_map(|one| one.email.split('@').next()).take(administrators).map(str::to_owned);
    let roles = roles.collect();
    let mut history = History { app, boss, people, roles, dice: Dice(SEED), now: 0 };
    let mut before = history.held().await;
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..150 {
        let waited = history.dice.chance(12);
        if waited {
            let seconds = 1 + history.dice.below(15);
            history.app.advance(Duration::from_secs(u64::try_from(seconds).expect("small"))).await;
            history.now += i64::try_from(seconds).expect("small");
        }
        let actor = history.dice.below(administrators);
        if history.bring_back(actor).await || waited {
            before = history.held().await;
        }
        let digest = history.digest().await;
        let (what, status, tried) = history.act(actor, number).await;
        let place = format!("seed {SEED:#x}, act {number} by {}: {what}: {status}", history.people[actor].email);
        if !status.is_success() {
            refused += 1;
            assert_eq!(history.digest().await, digest, "refused, but something is left behind: {place}");
            continue;
        }
        accepted += 1;
        let granters = before[&history.people[actor].id].clone();
        let after = history.held().await;
        let everybodys = before[&newcomer].clone();
        let mut free = BTreeSet::new();
        match tried {
            Tried::TakeOver { target } => {
                let target = &history.people[target].id;
                let more = before[target].iter().filter(|key| !granters.contains(*key) && !everybodys.contains(*key));
                let more = more.collect::<Vec<_>>();
                assert!(more.is_empty() || *target == history.people[actor].id, "{place}: takes over {more:?}");
            }
            Tried::Roles { added } => {
                free = everybodys;
                if let Some(email) = added {
                    let fresh = after.keys().find(|id| !before.contains_key(*id)).expect("the new person").clone();
                    history.people.push(Known { email, id: fresh, client: None, overrides: BTreeMap::new() });
                }
            }
            Tried::Overrides { target, set } => history.people[target].overrides = set,
            Tried::Other => {}
        }
        for (who, keys) in &after {
            let had = [before.get(who), Some(&granters), Some(&free)];
            let more = keys.iter().filter(|key| !had.into_iter().flatten().any(|had| had.contains(*key)));
            let more = more.collect::<Vec<_>>();
            assert!(more.is_empty(), "{place}: {who} gains {more:?}");
        }
        before = after;
    }
    assert!(accepted > 30 && refused > 30, "{accepted} accepted, {refused} refused: not much was tried");
}
