//! What the engine answers, rule by rule, and what must hold for any snapshot.

use std::{cell::Cell, collections::BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{
    access::server::{policy::parse_rules, rego::compile},
    base::errors::FieldErrors,
};

/// The catalogue of these tests.
const KEYS: [&str; 9] = [
    "users.read",
    "users.update",
    "users.delete",
    "audit.read",
    "audit.export",
    "oauth.clients.manage",
    "oauth.clients.read",
    "reports.read",
    "roles.update",
];
const WILDCARDS: [&str; 5] = ["*", "users.*", "audit.*", "oauth.*", "oauth.clients.*"];
/// No catalogue has these yet.
const FUTURE: [&str; 4] = ["users.future", "oauth.clients.future", "oauth.future", "future.thing"];

fn key(text: &str) -> Permission {
    Permission::parse(text).expect("a key")
}

fn noon() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().expect("a moment")
}

fn after_noon(micros: i64) -> DateTime<Utc> {
    noon() + TimeDelta::microseconds(micros)
}

fn user(number: u8) -> UserId {
    UserId(Uuid::from_u128(u128::from(number) + 1))
}

fn role(number: u8) -> RoleId {
    RoleId(Uuid::from_u128(u128::from(number) + 1))
}

fn group(number: u8) -> GroupId {
    GroupId(Uuid::from_u128(u128::from(number) + 1))
}

/// The platform's role wherever a test has one.
const TENANT: TenantId = TenantId(Uuid::from_u128(9));

fn platform() -> RoleId {
    role(0)
}

fn info(key: &str) -> PermissionInfo {
    PermissionInfo {
        key: key.to_owned(),
        name_ar: format!("«{key}»"),
        name_en: key.to_owned(),
        ..PermissionInfo::default()
    }
}

fn empty() -> Snapshot {
    let mut snapshot = Snapshot::new(TENANT, 7, KEYS.iter().chain(&WILDCARDS).map(|key| info(key)).collect());
    snapshot.put_role(platform(), "super-admin".to_owned(), true, vec![key("*")]);
    snapshot
}

fn with_role(mut snapshot: Snapshot, number: u8, patterns: &[&str]) -> Snapshot {
    snapshot.put_role(role(number), format!("role {number}"), false, patterns.iter().map(|text| key(text)).collect());
    snapshot
}

fn with_person(mut snapshot: Snapshot, number: u8, roles: Vec<RoleGrant>, overrides: Vec<OverrideGrant>) -> Snapshot {
    snapshot.put_person(user(number), PersonGrants { active: true, roles, overrides, ..PersonGrants::default() });
    snapshot
}

fn has(role: RoleId) -> RoleGrant {
    RoleGrant { role, scope: Scope::default(), expires_at: None }
}

fn has_in(role: RoleId, department: Option<&str>, region: Option<&str>) -> RoleGrant {
    let scope = Scope { department: department.map(str::to_owned), region: region.map(str::to_owned) };
    RoleGrant { role, scope, expires_at: None }
}

fn allow(pattern: &str) -> OverrideGrant {
    OverrideGrant { pattern: key(pattern), allowed: true, expires_at: None, reason: None }
}

fn deny(pattern: &str) -> OverrideGrant {
    OverrideGrant { allowed: false, ..allow(pattern) }
}

fn until(given: OverrideGrant, end: DateTime<Utc>) -> OverrideGrant {
    OverrideGrant { expires_at: Some(end), ..given }
}

fn facts(department: Option<&str>, region: Option<&str>) -> Facts {
    Facts { department: department.map(str::to_owned), region: region.map(str::to_owned), ..Facts::default() }
}

fn check(snapshot: &Snapshot, permission: &str) -> Answer {
    snapshot.check(user(1), &key(permission), None, noon())
}

fn because(snapshot: &Snapshot, permission: &str) -> Vec<Reason> {
    snapshot.decide(user(1), &key(permission), None, noon()).because
}

/// A policy that is decided outside.
fn asked_outside(mode: PolicyMode, actions: &[&str]) -> Arc<Policy> {
    let (actions, outside) = (actions.iter().map(|text| key(text)).collect(), Some(Arc::from("bawwab/main")));
    let id = PolicyId(Uuid::from_u128(77));
    Arc::new(Policy { id, name: "outside".to_owned(), mode, actions, rules: Vec::new(), module: None, outside })
}

/// C6, C12: of whom a policy asks somebody else they might, where they were given it or may be by such a policy; whoever is
/// denied, or has it in a part of the tenant alone, might not.
#[test]
fn who_might_is_whoever_could_have_a_yes() {
    let base = with_role(empty(), 1, &["audit.*"]);
    let base = with_person(base, 1, vec![has(role(1))], Vec::new());
    let base = with_person(base, 2, vec![has(role(1))], vec![deny("audit.read")]);
    let base = with_person(base, 3, vec![has_in(role(1), Some("finance"), None)], Vec::new());
    let mut base = with_person(base, 4, Vec::new(), Vec::new());
    let who = |snapshot: &Snapshot| {
        let (audit, now) = (key("audit.read"), noon());
        (snapshot.who_may(&audit, now), snapshot.who_might(&audit, now))
    };
    assert_eq!(who(&base), (vec![user(1)], vec![user(1)]));
    let policy = asked_outside(PolicyMode::Require, &["audit.read"]);
    base.put_policy(policy.id, Some(policy));
    assert_eq!(who(&base), (Vec::new(), vec![user(1)]), "nobody was asked");
    let policy = asked_outside(PolicyMode::Grant, &["audit.read"]);
    base.put_policy(policy.id, Some(policy));
    assert_eq!(who(&base), (Vec::new(), vec![user(1), user(3), user(4)]), "anybody who is not denied it");
}

/// C6, C3: a policy that must hold and is decided outside holds back alike whoever was given the same; nothing else open does.
#[test]
fn whoever_is_asked_about_alike_is_held_back_alike() {
    let base = with_role(empty(), 1, &["audit.read"]);
    let base = with_person(base, 1, vec![has(role(1))], Vec::new());
    let mut base = with_person(base, 2, vec![has(role(1))], Vec::new());
    let beyond = |snapshot: &Snapshot| snapshot.beyond(user(1), user(2), noon());
    let policy = asked_outside(PolicyMode::Require, &["audit.read"]);
    base.put_policy(policy.id, Some(policy));
    assert_eq!(beyond(&base), Vec::new());
    let policy = asked_outside(PolicyMode::Grant, &["audit.read"]);
    base.put_policy(policy.id, Some(policy));
    assert_eq!(beyond(&base), vec![key("audit.read")], "it may deny one and give to the other");
}

/// Those who may read the log by a layer above another, and how many were asked about; and who of the first four were taken
/// together.
fn asked_about(above: &Snapshot, base: &Snapshot) -> (Vec<UserId>, usize, Vec<Vec<UserId>>) {
    let (times, audit) = (Cell::new(0), key("audit.read"));
    let can = above.asked_beside(base, |who| {
        times.set(times.get() + 1);
        above.check(who, &audit, None, noon()) == Answer::Yes && base.person(who).is_some()
    });
    let mut can = can.filter_map(|(who, can)| can.then_some(who)).collect::<Vec<_>>();
    can.sort();
    // Nobody is the ninth.
    let kinds = above.alike(base, &[user(1), user(2), user(3), user(4), user(9)]);
    (can, times.get(), kinds)
}

/// C14, D1: of people who were given the same one is asked about, however many they are, and whether they share it in memory
/// or not; of those whom a layer changes each.
#[test]
fn people_with_the_same_grants_are_decided_about_together() {
    let mut base = with_role(empty(), 1, &["audit.read"]);
    let shared = Arc::new(PersonGrants { active: true, roles: vec![has(role(1))], ..PersonGrants::default() });
    base.set_person(user(1), Some(shared.clone()));
    base.set_person(user(2), Some(shared.clone()));
    base.put_person(user(3), PersonGrants::clone(&shared));
    let base = Arc::new(with_person(base, 4, Vec::new(), Vec::new()));
    let all = vec![user(1), user(2), user(3)];
    assert_eq!(asked_about(&base, &base), (all.clone(), 2, vec![all, vec![user(4)]]));
    let mut above = Snapshot::above(&base);
    above.put_person(user(2), PersonGrants { overrides: vec![deny("audit.read")], ..PersonGrants::clone(&shared) });
    let others = vec![user(1), user(3)];
    assert_eq!(asked_about(&above, &base), (others.clone(), 3, vec![others.clone(), vec![user(2)], vec![user(4)]]));
    // What the fourth is given now others had before.
    above.put_person(user(4), PersonGrants::clone(&shared));
    let can = vec![user(1), user(3), user(4)];
    assert_eq!(asked_about(&above, &base), (can, 3, vec![others, vec![user(2)], vec![user(4)]]));
}

/// C14, C5, C6: fields tell people apart where a policy looks at them, and ids where one does; in force before or afterwards.
#[test]
fn policies_tell_people_apart_by_what_they_look_at() {
    let mut base = with_role(empty(), 1, &["audit.read"]);
    for (number, department) in [(1, "finance"), (2, "sales"), (3, "sales")] {
        let facts = Facts { department: Some(department.to_owned()), ..Facts::default() };
        let roles = vec![has(role(1))];
        let person = PersonGrants { active: true, roles, facts: Some(Arc::new(facts)), ..PersonGrants::default() };
        base.put_person(user(number), person);
    }
    let base = Arc::new(with_person(base, 4, Vec::new(), Vec::new()));
    let policy = |condition: &str, module: Option<&str>| {
        let mut errors = FieldErrors::default();
        let condition = serde_json::from_str::<serde_json::Value>(condition).expect("a condition");
        let rules = parse_rules(&json!([{"effect": "allow", "condition": condition}]), &mut errors);
        let module = module.map(|body| compile(&format!("package a\n{body}\n"), "", &mut errors).expect("a module"));
        assert!(errors.0.is_empty(), "{condition}: {:?}", errors.0);
        let outside = asked_outside(PolicyMode::Require, &["audit.read"]);
        Arc::new(Policy { rules, module, outside: None, ..Policy::clone(&outside) })
    };
    let third = user(3).0;
    let by_roles = r#"{"user.roles": {"contains": "role 1"}}"#.to_owned();
    let by_fields = r#"{"user.department": {"eq": "sales"}}"#.to_owned();
    let by_id = format!(r#"{{"user.id": {{"eq": "{third}"}}}}"#);
    let deep = format!(r#"{{"not": {{"or": [{{"user.roles": {{"contains": "x"}}}}, {by_id}]}}}}"#);
    let by_module = format!("allow if input.user.id == \"{third}\"");
    let (finance, sales) = (vec![user(1)], vec![user(2), user(3)]);
    for (policy, may, times) in [
        // Roles are of the account as fields are.
        (policy(&by_roles, None), vec![user(1), user(2), user(3)], 3),
        (policy(&by_fields, None), sales.clone(), 3),
        (policy(&by_id, None), vec![user(3)], 4),
        (policy(&deep, None), vec![user(1), user(2)], 4),
        (policy(&by_roles, Some(&by_module)), vec![user(3)], 4),
        (policy(&by_roles, Some("allow if input.action == \"audit.read\"")), vec![user(1), user(2), user(3)], 2),
    ] {
        let mut above = Snapshot::above(&base);
        above.put_policy(policy.id, Some(policy.clone()));
        let (can, asked, kinds) = asked_about(&above, &base);
        assert_eq!((can, asked, kinds.len()), (may, times, times), "{policy:?}");
        // Taken out of force again: what was in force tells them apart as well.
        let before = Arc::new(above);
        let mut above = Snapshot::above(&before);
        above.put_policy(policy.id, None);
        let (can, asked, kinds) = asked_about(&above, &before);
        assert_eq!((can, asked, kinds.len()), ([finance.clone(), sales.clone()].concat(), times, times), "{policy:?}");
    }
}

/// C2: whatever allows, an explicit deny wins: over an override, a role, a wildcard, also as a wildcard itself.
#[test]
fn a_deny_beats_every_allow() {
    let base = with_role(with_role(empty(), 1, &["audit.read"]), 2, &["audit.*"]);
    let sources: [(&str, Vec<RoleGrant>, Vec<OverrideGrant>); 5] = [
        ("an override", vec![], vec![allow("audit.read")]),
        ("a wildcard override", vec![], vec![allow("audit.*")]),
        ("a role", vec![has(role(1))], vec![]),
        ("a role with a wildcard", vec![has(role(2))], vec![]),
        ("the platform's role", vec![has(platform())], vec![]),
    ];
    for (source, roles, overrides) in sources {
        let free = with_person(base.clone(), 1, roles.clone(), overrides.clone());
        assert_eq!(check(&free, "audit.read"), Answer::Yes, "{source}");
        for against in ["audit.read", "audit.*", "*"] {
            if overrides.iter().any(|given| given.pattern == key(against)) {
                continue;
            }
            let overrides = overrides.iter().cloned().chain([deny(against)]).collect();
            let bound = with_person(base.clone(), 1, roles.clone(), overrides);
            assert_eq!(check(&bound, "audit.read"), Answer::No, "{source} against {against}");
        }
    }
}

/// C1: a wildcard gives and denies what it covers, also keys that no catalogue has yet, and nothing beside it.
#[test]
fn a_wildcard_reaches_what_it_covers_and_no_further() {
    let base = with_role(empty(), 1, &["oauth.*"]);
    let given = with_person(base.clone(), 1, vec![has(role(1))], vec![deny("oauth.clients.*")]);
    for (permission, answer) in [
        ("oauth.future", Answer::Yes),
        ("oauth.clients.manage", Answer::No),
        ("oauth.clients.future", Answer::No),
        ("users.read", Answer::No),
        ("future.thing", Answer::No),
    ] {
        assert_eq!(check(&given, permission), answer, "{permission}");
    }
    let everything = with_person(base, 1, vec![], vec![allow("*"), deny("users.delete")]);
    for (permission, answer) in [
        ("users.read", Answer::Yes),
        ("users.delete", Answer::No),
        ("users.delete_all", Answer::Yes),
        ("future.thing", Answer::Yes),
    ] {
        assert_eq!(check(&everything, permission), answer, "{permission}");
    }
}

/// C13: a grant lives until its end and not at it, to the microsecond, without anything having to run.
#[test]
fn a_grant_lives_until_its_end_and_not_at_it() {
    let base = with_role(empty(), 1, &["audit.read"]);
    let end = noon();
    let expiring = RoleGrant { expires_at: Some(end), ..has(role(1)) };
    let by_role = with_person(base.clone(), 1, vec![expiring], vec![]);
    let by_override = with_person(base.clone(), 1, vec![], vec![until(allow("audit.read"), end)]);
    let denied = with_person(base, 1, vec![has(role(1))], vec![until(deny("audit.read"), end)]);
    for (micros, live) in [(-1, true), (0, false), (1, false)] {
        let now = after_noon(micros);
        assert_eq!(is_live(Some(end), now), live, "{micros}");
        let allowed = if live { Answer::Yes } else { Answer::No };
        assert_eq!(by_role.check(user(1), &key("audit.read"), None, now), allowed, "role at {micros}");
        assert_eq!(by_override.check(user(1), &key("audit.read"), None, now), allowed, "override at {micros}");
        let held_down = if live { Answer::No } else { Answer::Yes };
        assert_eq!(denied.check(user(1), &key("audit.read"), None, now), held_down, "deny at {micros}");
    }
    assert!(is_live(None, DateTime::<Utc>::MAX_UTC));
    assert_eq!(by_role.decide(user(1), &key("audit.read"), None, end).because, [Reason::NothingGrants]);
}

/// D5: people are counted by state; a role that has run out, and one of a group, is none of their own.
#[test]
fn people_are_counted_by_state_and_by_having_a_role() {
    let over = RoleGrant { expires_at: Some(noon()), ..has(role(1)) };
    let mut snapshot = with_role(empty(), 1, &["users.read"]);
    for (number, active, invited, roles) in [
        (1, true, false, vec![has(role(1))]),
        // Whoever has come in was invited once.
        (2, true, true, vec![over.clone()]),
        (3, false, true, vec![has(role(1)), over]),
        (4, false, false, vec![]),
    ] {
        snapshot.put_person(user(number), PersonGrants { active, invited, roles, ..PersonGrants::default() });
    }
    let expected = States { active: 2, invited: 1, suspended: 1 };
    assert_eq!((snapshot.states(), snapshot.without_role(noon())), (expected, 2));
    assert_eq!(snapshot.own_holders(noon()), [(role(1), 2)].into_iter().collect(), "of those that have not run out");
    // Also of a layer above them, in which somebody is another.
    let mut above = Snapshot::above(&Arc::new(snapshot));
    above.put_person(user(4), PersonGrants { active: true, roles: vec![has(role(1))], ..PersonGrants::default() });
    assert_eq!((above.states(), above.without_role(noon())), (States { active: 3, suspended: 0, ..expected }, 1));
    assert_eq!(above.own_holders(noon())[&role(1)], 3);
    let over = Membership { group: group(1), expires_at: Some(noon()) };
    let there = Membership { group: group(2), expires_at: None };
    above.put_person(user(5), PersonGrants { groups: vec![over, there.clone()], ..PersonGrants::default() });
    above.put_person(user(6), PersonGrants { groups: vec![there], ..PersonGrants::default() });
    assert_eq!(above.own_members(noon()), [(group(2), 2)].into_iter().collect());
}

/// Whoever is not active, or not there, may do nothing, whatever was given to them.
#[test]
fn an_inactive_or_unknown_person_may_do_nothing() {
    let mut snapshot = with_person(empty(), 1, vec![has(platform())], vec![allow("users.read")]);
    let gone = PersonGrants { active: false, ..PersonGrants::clone(snapshot.person(user(1)).expect("a person")) };
    snapshot.put_person(user(1), gone);
    for who in [user(1), user(9)] {
        for permission in KEYS.iter().chain(&WILDCARDS).chain(&FUTURE) {
            let decision = snapshot.decide(who, &key(permission), Some(&facts(Some("a"), None)), noon());
            assert_eq!(decision.answer, Answer::No, "{permission}");
            assert_eq!(decision.because[0], Reason::Inactive, "{permission}");
        }
        assert!(snapshot.held(who, noon()).is_empty());
        assert!(
            snapshot
                .scopes(who, &key("users.read"), About { env: Some(&Env::default()), ..About::at(noon()) })
                .is_empty()
        );
    }
    assert!(!snapshot.is_super_admin(user(9), noon()));
    // What they were given is told all the same: it counts once they are active.
    let told = snapshot.decide(user(1), &key("users.read"), None, noon()).because;
    assert!(matches!(told[..], [Reason::Inactive, Reason::Allowed { .. }, Reason::Role { .. }]), "{told:?}");
}

/// A role that is gone gives nothing.
#[test]
fn a_grant_of_a_role_that_is_gone_gives_nothing() {
    let snapshot = with_person(empty(), 1, vec![has(role(8))], vec![]);
    assert_eq!(check(&snapshot, "users.read"), Answer::No);
    assert_eq!(because(&snapshot, "users.read"), [Reason::NothingGrants]);
}

/// C11: what is held in a scope depends on the thing acted on; both parts of a scope must hold; what has no department
/// lies in no department's scope.
#[test]
fn a_scoped_right_depends_on_what_is_acted_on() {
    let base = with_role(empty(), 1, &["users.*"]);
    let finance = with_person(base.clone(), 1, vec![has_in(role(1), Some("finance"), None)], vec![]);
    let riyadh = with_person(base.clone(), 1, vec![has_in(role(1), Some("finance"), Some("riyadh"))], vec![]);
    assert_eq!(check(&finance, "users.read"), Answer::Depends);
    assert!(!finance.decide(user(1), &key("users.read"), None, noon()).allowed());
    let ask = |snapshot: &Snapshot, department, region| {
        snapshot.check(user(1), &key("users.read"), Some(&facts(department, region)), noon())
    };
    assert_eq!(ask(&finance, Some("finance"), None), Answer::Yes);
    assert_eq!(ask(&finance, Some("finance"), Some("jeddah")), Answer::Yes);
    assert_eq!(ask(&finance, Some("Finance"), None), Answer::No);
    assert_eq!(ask(&finance, Some("finance/x"), None), Answer::No);
    assert_eq!(ask(&finance, None, None), Answer::No);
    assert_eq!(ask(&riyadh, Some("finance"), Some("riyadh")), Answer::Yes);
    assert_eq!(ask(&riyadh, Some("finance"), None), Answer::No);
    assert_eq!(ask(&riyadh, None, Some("riyadh")), Answer::No);
    assert_eq!(riyadh.check(user(1), &key("audit.read"), Some(&facts(Some("finance"), None)), noon()), Answer::No);

    let denied = with_person(base.clone(), 1, vec![has_in(role(1), Some("finance"), None)], vec![deny("users.read")]);
    assert_eq!(check(&denied, "users.read"), Answer::No, "a deny has no scope");
    assert_eq!(ask(&denied, Some("finance"), None), Answer::No);
    assert_eq!(check(&denied, "users.update"), Answer::Depends, "and reaches no further than it says");

    let both = with_person(base, 1, vec![has_in(role(1), Some("finance"), None)], vec![allow("users.read")]);
    assert_eq!(check(&both, "users.read"), Answer::Yes, "held everywhere from elsewhere");
    let scopes = finance.scopes(user(1), &key("users.read"), About { env: Some(&Env::default()), ..About::at(noon()) });
    assert_eq!(scopes, [Scope { department: Some("finance".to_owned()), region: None }]);
    assert!(
        finance
            .scopes(user(1), &key("audit.read"), About { env: Some(&Env::default()), ..About::at(noon()) })
            .is_empty()
    );
}

/// C15: denies bind a super-admin too, but never take what administration needs.
#[test]
fn a_super_admin_keeps_what_administration_needs() {
    for against in ["*", "users.*", "users.read"] {
        let snapshot = with_person(empty(), 1, vec![has(platform())], vec![deny(against)]);
        assert_eq!(check(&snapshot, "users.read"), Answer::Yes, "{against}");
        assert_eq!(because(&snapshot, "users.read")[0], Reason::Protected { through: against.to_owned() });
        let covers_delete = key(against).covers(&key("users.delete"));
        assert_eq!(check(&snapshot, "users.delete") == Answer::No, covers_delete, "{against}");
        assert_eq!(check(&snapshot, "users.*"), Answer::No, "not all of it: {against}");
    }
    for kept in PROTECTED {
        let snapshot = with_person(empty(), 1, vec![has(platform())], vec![deny(kept.as_str()), deny("*")]);
        assert_eq!(snapshot.check(user(1), kept, None, noon()), Answer::Yes, "{kept}");
    }
    let others = with_role(empty(), 1, &["*"]);
    let like_one = with_person(others, 1, vec![has(role(1))], vec![deny("users.read")]);
    assert_eq!(check(&like_one, "users.read"), Answer::No, "all rights do not make a super-admin");
    let was = RoleGrant { expires_at: Some(noon()), ..has(platform()) };
    let was = with_person(empty(), 1, vec![was], vec![allow("users.read"), deny("users.*")]);
    assert_eq!(check(&was, "users.read"), Answer::No, "nor does having been one");
}

/// C4: all sources are told, what stands against first, each with what it came through.
#[test]
fn every_source_of_an_answer_is_told() {
    let base = with_role(with_role(empty(), 1, &["audit.read", "audit.*"]), 2, &["*"]);
    let end = after_noon(5);
    let roles = vec![
        RoleGrant { expires_at: Some(end), ..has(role(1)) },
        has_in(role(2), Some("finance"), None),
        RoleGrant { expires_at: Some(noon()), ..has(platform()) },
    ];
    let overrides = vec![
        OverrideGrant { reason: Some("الربع".to_owned()), ..until(allow("audit.read"), end) },
        until(allow("audit.export"), noon()),
        deny("audit.*"),
        OverrideGrant { reason: Some("تحقيق".to_owned()), ..deny("*") },
        until(deny("audit.export"), noon()),
        deny("users.*"),
    ];
    let snapshot = with_person(base, 1, roles, overrides);
    let decision = snapshot.decide(user(1), &key("audit.read"), None, noon());
    let of_role = |number: u8, through: &str, scope: Scope, expires_at: Option<DateTime<Utc>>| Reason::Role {
        role: RoleRef { id: role(number), name: format!("role {number}") },
        through: through.to_owned(),
        scope,
        expires_at: expires_at.map(Into::into),
        groups: vec![],
        inherited: vec![],
    };
    let finance = Scope { department: Some("finance".to_owned()), region: None };
    assert_eq!(decision.answer, Answer::No);
    assert_eq!(
        decision.because,
        [
            Reason::Denied { through: "audit.*".to_owned(), expires_at: None, reason: None },
            Reason::Denied { through: "*".to_owned(), expires_at: None, reason: Some("تحقيق".to_owned()) },
            Reason::Allowed {
                through: "audit.read".to_owned(),
                expires_at: Some(end.into()),
                reason: Some("الربع".to_owned()),
            },
            of_role(1, "audit.*", Scope::default(), Some(end)),
            of_role(1, "audit.read", Scope::default(), Some(end)),
            of_role(2, "*", finance, None),
        ]
    );
    let nothing = with_person(empty(), 1, vec![], vec![allow("audit.export")]);
    assert_eq!(because(&nothing, "audit.read"), [Reason::NothingGrants]);
}

/// A wildcard is held when all of it is, keys that do not exist yet included; one narrower deny breaks it.
#[test]
fn a_wildcard_is_held_only_whole() {
    let base = with_role(empty(), 1, &["users.read", "users.update", "users.delete"]);
    let every_key = with_person(base.clone(), 1, vec![has(role(1))], vec![]);
    assert_eq!(check(&every_key, "users.*"), Answer::No, "all of today's keys are not all of it");
    let whole = with_person(base.clone(), 1, vec![], vec![allow("users.*")]);
    assert_eq!(check(&whole, "users.*"), Answer::Yes);
    assert_eq!(check(&whole, "*"), Answer::No);
    let all = with_person(base.clone(), 1, vec![], vec![allow("*")]);
    for wildcard in WILDCARDS {
        assert_eq!(check(&all, wildcard), Answer::Yes, "{wildcard}");
    }
    let holed = with_person(base.clone(), 1, vec![], vec![allow("*"), deny("oauth.clients.manage")]);
    for (wildcard, answer) in [
        ("*", Answer::No),
        ("oauth.*", Answer::No),
        ("oauth.clients.*", Answer::No),
        ("users.*", Answer::Yes),
        ("audit.*", Answer::Yes),
    ] {
        assert_eq!(check(&holed, wildcard), answer, "{wildcard}");
    }
    let future = with_person(base.clone(), 1, vec![], vec![allow("users.*"), deny("users.future")]);
    assert_eq!(check(&future, "users.*"), Answer::No, "also by a deny of a key that is not there yet");
    let scoped = with_role(base, 2, &["users.*"]);
    let scoped = with_person(scoped, 1, vec![has_in(role(2), Some("finance"), None)], vec![]);
    assert_eq!(check(&scoped, "users.*"), Answer::Depends);
}

/// An account is within reach of whoever holds, everywhere and whole, all that it gives.
#[test]
fn an_account_is_within_reach_of_whoever_holds_all_it_gives() {
    let base = with_role(with_role(empty(), 1, &["users.read"]), 2, &["users.*"]);
    let beyond = |target: (Vec<RoleGrant>, Vec<OverrideGrant>), actor: (Vec<RoleGrant>, Vec<OverrideGrant>)| {
        let snapshot = with_person(with_person(base.clone(), 1, target.0, target.1), 2, actor.0, actor.1);
        snapshot.beyond(user(2), user(1), noon())
    };
    assert!(beyond((vec![], vec![]), (vec![], vec![])).is_empty());
    assert_eq!(beyond((vec![has(role(2))], vec![]), (vec![has(role(1))], vec![])), [key("users.*")]);
    assert!(beyond((vec![has(role(1))], vec![]), (vec![has(role(2))], vec![])).is_empty());
    assert_eq!(
        beyond((vec![has(role(1))], vec![allow("audit.read"), allow("reports.read")]), (vec![], vec![])),
        [key("audit.read"), key("reports.read"), key("users.read")]
    );
    let ended = until(allow("audit.read"), noon());
    assert!(beyond((vec![], vec![ended.clone()]), (vec![], vec![])).is_empty());
    assert_eq!(beyond((vec![], vec![allow("audit.read")]), (vec![], vec![ended])), [key("audit.read")]);
    assert_eq!(
        beyond(
            (vec![has_in(role(1), Some("finance"), None)], vec![]),
            (vec![has_in(role(1), Some("finance"), None)], vec![])
        ),
        [key("users.read")],
        "what is held in a part does not reach an account"
    );
    assert_eq!(
        beyond((vec![has(role(2))], vec![]), (vec![has(role(2))], vec![deny("users.delete")])),
        [key("users.*")]
    );
    let alone = with_person(base, 1, vec![has(platform())], vec![]);
    assert!(alone.beyond(user(1), user(1), noon()).is_empty(), "one's own account always is");
    assert!(alone.beyond(user(1), user(9), noon()).is_empty(), "and so is a new one");
    assert_eq!(alone.beyond(user(9), user(1), noon()), [key("*")], "whoever is unknown holds nothing");
}

/// An inactive account counts with all that it will give when it is active again.
#[test]
fn an_inactive_account_is_out_of_reach_for_what_it_would_give() {
    let mut snapshot = with_person(empty(), 2, vec![], vec![]);
    let grants = PersonGrants { overrides: vec![allow("audit.read")], ..PersonGrants::default() };
    snapshot.put_person(user(1), grants);
    assert_eq!(snapshot.beyond(user(2), user(1), noon()), [key("audit.read")]);
}

/// Whoever takes over an account may wait until its denies end: they bring it within nobody's reach.
#[test]
fn a_deny_brings_no_account_within_reach() {
    for against in [until(deny("audit.read"), after_noon(1)), deny("audit.read"), deny("audit.*"), deny("*")] {
        let overrides = vec![allow("audit.read"), against.clone()];
        let snapshot = with_person(with_person(empty(), 1, vec![], overrides), 2, vec![], vec![]);
        assert_eq!(snapshot.beyond(user(2), user(1), noon()), [key("audit.read")], "{against:?}");
        let snapshot = with_person(with_person(empty(), 1, vec![has(platform())], vec![against]), 2, vec![], vec![]);
        assert_eq!(snapshot.beyond(user(2), user(1), noon()), [key("*")], "a super-admin withstands it anyway");
    }
}

/// The platform's role is more than its permissions: it reads what belongs to no tenant and cannot be locked out.
#[test]
fn only_a_super_admin_reaches_a_super_admin() {
    let base = with_person(with_role(empty(), 1, &["*"]), 1, vec![has(platform())], vec![]);
    let all_rights = with_person(base.clone(), 2, vec![has(role(1))], vec![]);
    assert_eq!(all_rights.beyond(user(2), user(1), noon()), [key("*")]);
    let another = with_person(base.clone(), 2, vec![has(platform())], vec![deny("*")]);
    assert_eq!(another.beyond(user(2), user(1), noon()), [], "whatever is denied to them");
    let in_a_part = with_person(base, 2, vec![has_in(platform(), Some("finance"), None)], vec![]);
    assert_eq!(in_a_part.beyond(user(2), user(1), noon()), [key("*")], "but not in a part of the tenant only");
}

/// Handing on needs all of it, everywhere; a super-admin could lift whatever is denied to them.
#[test]
fn what_is_handed_on_is_held_whole() {
    let base = with_role(empty(), 1, &["users.*"]);
    let ask = |roles, overrides, permission| {
        with_person(base.clone(), 1, roles, overrides).may_hand_on(user(1), &key(permission), noon())
    };
    assert!(ask(vec![has(role(1))], vec![], "users.read"));
    assert!(ask(vec![has(role(1))], vec![], "users.*"));
    assert!(!ask(vec![has(role(1))], vec![], "*"));
    assert!(!ask(vec![has(role(1))], vec![deny("users.delete")], "users.*"));
    assert!(!ask(vec![has_in(role(1), Some("finance"), None)], vec![], "users.read"));
    assert!(!ask(vec![RoleGrant { expires_at: Some(noon()), ..has(role(1)) }], vec![], "users.read"));
    assert!(ask(vec![has(platform())], vec![deny("*")], "*"));
    assert!(!ask(vec![RoleGrant { expires_at: Some(noon()), ..has(platform()) }], vec![], "users.read"));
    assert!(!ask(vec![has_in(platform(), Some("finance"), None)], vec![], "users.read"));
}

/// The role that everybody gets puts nobody out of reach; no other role passes for it.
#[test]
fn the_role_that_everybody_gets_puts_nobody_out_of_reach() {
    for (name, platform, reached) in
        [("standard-user", false, true), ("Standard-User", false, false), ("standard-user", true, false)]
    {
        let mut snapshot = with_person(empty(), 1, vec![has(role(1))], vec![]);
        snapshot.put_role(role(1), name.to_owned(), platform, vec![key("reports.read")]);
        let snapshot = with_person(snapshot, 2, vec![], vec![]);
        assert_eq!(snapshot.beyond(user(2), user(1), noon()).is_empty(), reached, "{name} {platform}");
    }
}

/// Built-in keys and a tenant's own may be the same word; the engine then knows it once.
#[test]
fn a_key_that_is_there_twice_counts_once() {
    let mut catalogue = (0..64).map(|n| info(&format!("many.key{n}"))).collect::<Vec<_>>();
    catalogue.push(info("many.key0"));
    let mut snapshot = Snapshot::new(TENANT, 1, catalogue);
    snapshot.put_role(role(1), "many".to_owned(), false, vec![key("many.*")]);
    let snapshot = with_person(snapshot, 1, vec![has(role(1))], vec![]);
    assert_eq!(snapshot.held(user(1), noon()).len(), 64);
}

/// More keys than one word of bits holds.
#[test]
fn a_large_catalogue_is_decided_key_by_key() {
    let catalogue = (0..200).map(|n| info(&format!("many.key{n}"))).collect();
    let mut snapshot = Snapshot::new(TENANT, 1, catalogue);
    let odd = (0..200).filter(|n| n % 2 == 1).map(|n| key(&format!("many.key{n}"))).collect();
    snapshot.put_role(role(1), "odd".to_owned(), false, odd);
    let snapshot = with_person(snapshot, 1, vec![has(role(1))], vec![]);
    for n in 0..200 {
        let expected = if n % 2 == 1 { Answer::Yes } else { Answer::No };
        assert_eq!(snapshot.check(user(1), &key(&format!("many.key{n}")), None, noon()), expected, "{n}");
    }
}

#[test]
fn the_catalogue_is_sorted_and_known() {
    let snapshot = empty();
    let keys = snapshot.catalogue().iter().map(|info| info.key.as_str()).collect::<Vec<_>>();
    assert!(keys.is_sorted());
    for known in KEYS.iter().chain(&WILDCARDS) {
        assert!(snapshot.knows(&key(known)), "{known}");
    }
    for unknown in FUTURE {
        assert!(!snapshot.knows(&key(unknown)), "{unknown}");
    }
}

/// One thing put into a snapshot.
#[derive(Clone, Debug)]
enum Put {
    Role(u8, Vec<Permission>),
    Person(u8, PersonGrants),
}

const ROLES: u8 = 4;
const PEOPLE: u8 = 4;

fn pattern() -> impl Strategy<Value = Permission> {
    let all = KEYS.iter().chain(&WILDCARDS).copied().chain(["users.future"]).collect::<Vec<_>>();
    prop::sample::select(all).prop_map(key)
}

fn end() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    prop::option::of((-2i64..3).prop_map(after_noon))
}

fn scope() -> impl Strategy<Value = Scope> {
    let part = |name: &'static str| prop::option::weighted(0.3, Just(name.to_owned()));
    (part("finance"), part("riyadh")).prop_map(|(department, region)| Scope { department, region })
}

fn person() -> impl Strategy<Value = PersonGrants> {
    let grant = (0..ROLES, scope(), end());
    let grant = grant.prop_map(|(number, scope, expires_at)| RoleGrant { role: role(number), scope, expires_at });
    let given = (pattern(), any::<bool>(), end());
    let given =
        given.prop_map(|(pattern, allowed, expires_at)| OverrideGrant { pattern, allowed, expires_at, reason: None });
    (prop::bool::weighted(0.9), prop::collection::vec(grant, 0..4), prop::collection::vec(given, 0..5))
        .prop_map(|(active, roles, overrides)| PersonGrants { active, roles, overrides, ..PersonGrants::default() })
}

fn put() -> impl Strategy<Value = Put> {
    prop_oneof![
        (1..ROLES, prop::collection::vec(pattern(), 0..4)).prop_map(|(number, patterns)| Put::Role(number, patterns)),
        (0..PEOPLE, person()).prop_map(|(number, person)| Put::Person(number, person)),
    ]
}

fn apply(snapshot: &mut Snapshot, puts: &[Put]) {
    for put in puts {
        match put {
            Put::Role(number, patterns) => {
                snapshot.put_role(role(*number), format!("role {number}"), false, patterns.clone());
            }
            Put::Person(number, person) => snapshot.put_person(user(*number), person.clone()),
        }
    }
}

fn flat(puts: &[Put]) -> Snapshot {
    let mut snapshot = empty();
    apply(&mut snapshot, puts);
    snapshot
}

fn every_question() -> Vec<Permission> {
    KEYS.iter().chain(&WILDCARDS).chain(&FUTURE).map(|text| key(text)).collect()
}

fn every_place() -> [Option<Facts>; 4] {
    [None, Some(facts(None, None)), Some(facts(Some("finance"), None)), Some(facts(Some("finance"), Some("riyadh")))]
}

/// C1: what is staged above reaches the heirs and the groups below, and nothing else is compiled anew.
#[test]
fn a_staged_change_reaches_heirs_and_groups() {
    let mut base = empty();
    base.put_role(role(1), "parent".to_owned(), false, vec![key("audit.read")]);
    base.put_heir(role(2), "heir".to_owned(), false, vec![key("reports.read")], vec![role(1)]);
    base.put_role(role(3), "other".to_owned(), false, vec![]);
    base.put_group(group(1), "around".to_owned(), vec![], vec![has(role(2))]);
    base.put_group(group(2), "inside".to_owned(), vec![group(1)], vec![]);
    let membership = Membership { group: group(2), expires_at: Some(after_noon(10)) };
    let person = PersonGrants { active: true, groups: vec![membership], ..PersonGrants::default() };
    base.put_person(user(1), person);
    base.link();
    assert_eq!(check(&base, "audit.read"), Answer::Yes);
    let reason = &because(&base, "audit.read")[0];
    let Reason::Role { role: given, inherited, groups, expires_at, .. } = reason else { panic!("{reason:?}") };
    let names = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
    assert_eq!(given.name, "heir");
    assert_eq!(names(inherited.iter().map(|role| &role.name).collect()), ["parent"]);
    assert_eq!(names(groups.iter().map(|group| &group.name).collect()), ["inside", "around"]);
    assert_eq!(*expires_at, Some(after_noon(10).into()));
    assert_eq!(base.check(user(1), &key("audit.read"), None, after_noon(10)), Answer::No, "the stay has ended");
    assert_eq!(base.holders(role(1), noon()), [user(1)]);
    assert_eq!(base.members(group(1), noon()), [user(1)]);

    let base = Arc::new(base);
    let mut staged = Snapshot::above(&base);
    staged.put_role(role(1), "parent".to_owned(), false, vec![key("users.*")]);
    staged.link();
    assert_eq!(check(&staged, "audit.read"), Answer::No);
    assert_eq!(check(&staged, "users.delete"), Answer::Yes);
    assert_eq!(check(&base, "audit.read"), Answer::Yes, "what lies below stays as it was");
    assert!(Arc::ptr_eq(staged.role(role(3)).expect("it"), base.role(role(3)).expect("it")));

    let mut moved = Snapshot::above(&base);
    moved.put_group(group(1), "around".to_owned(), vec![], vec![]);
    moved.link();
    assert_eq!(check(&moved, "audit.read"), Answer::No);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// C4: what is told is what is enforced.
    #[test]
    fn the_answer_and_its_reasons_always_agree(puts in prop::collection::vec(put(), 0..10)) {
        let snapshot = flat(&puts);
        for who in (0..PEOPLE).map(user) {
            for permission in every_question() {
                for place in every_place() {
                    let decision = snapshot.decide(who, &permission, place.as_ref(), noon());
                    prop_assert_eq!(decision.answer, snapshot.check(who, &permission, place.as_ref(), noon()));
                    let against = decision.because.iter().any(|reason| matches!(reason, Reason::Denied { .. } | Reason::Inactive));
                    let in_favour = decision.because.iter().any(|reason| matches!(reason, Reason::Role { .. } | Reason::Allowed { .. }));
                    prop_assert!(!decision.because.is_empty());
                    prop_assert_eq!(decision.because.contains(&Reason::NothingGrants), decision.because == [Reason::NothingGrants]);
                    if against {
                        prop_assert_eq!(decision.answer, Answer::No);
                    } else if !in_favour {
                        prop_assert_eq!(decision.answer, Answer::No);
                    } else if place.is_none() {
                        prop_assert_ne!(decision.answer, Answer::No);
                    }
                    prop_assert!(place.is_none() || decision.answer != Answer::Depends);
                }
            }
        }
    }

    /// C4: the list of somebody's permissions is the answers, one by one.
    #[test]
    fn the_lists_of_what_is_held_agree_with_the_answers(puts in prop::collection::vec(put(), 0..10)) {
        let snapshot = flat(&puts);
        for who in (0..PEOPLE).map(user) {
            let effective = snapshot.effective(who, noon());
            let listed = effective.iter().map(|one| one.key.as_str()).collect::<BTreeSet<_>>();
            prop_assert_eq!(listed, KEYS.into_iter().collect::<BTreeSet<_>>());
            for one in &effective {
                let decision = snapshot.decide(who, &key(&one.key), None, noon());
                prop_assert_eq!(one.allowed, decision.answer == Answer::Yes);
                prop_assert_eq!(&one.because, &decision.because);
            }
            let held = KEYS.into_iter().filter(|text| snapshot.check(who, &key(text), None, noon()) != Answer::No);
            prop_assert_eq!(snapshot.held(who, noon()), held.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
        }
    }

    /// A wildcard that is held gives every key below it, today's and those to come.
    #[test]
    fn what_is_held_whole_is_held_in_every_part(puts in prop::collection::vec(put(), 0..10)) {
        let snapshot = flat(&puts);
        for who in (0..PEOPLE).map(user) {
            for wildcard in WILDCARDS.map(key) {
                if snapshot.check(who, &wildcard, None, noon()) == Answer::Yes {
                    for part in every_question().iter().filter(|part| wildcard.covers(part)) {
                        prop_assert_eq!(snapshot.check(who, part, None, noon()), Answer::Yes);
                    }
                }
            }
        }
    }

    /// What is staged above a snapshot answers as if it had been there from the beginning.
    #[test]
    fn a_layered_snapshot_answers_like_a_flat_one(
        below in prop::collection::vec(put(), 0..8),
        middle in prop::collection::vec(put(), 0..4),
        top in prop::collection::vec(put(), 0..4),
    ) {
        let mut second = Snapshot::above(&Arc::new(flat(&below)));
        apply(&mut second, &middle);
        let mut layered = Snapshot::above(&Arc::new(second));
        apply(&mut layered, &top);
        let flat = flat(&[below, middle, top].concat());
        prop_assert_eq!(layered.version, flat.version);
        prop_assert_eq!(layered.catalogue(), flat.catalogue());
        for who in (0..PEOPLE).map(user) {
            prop_assert_eq!(layered.person(who), flat.person(who));
            prop_assert_eq!(layered.is_super_admin(who, noon()), flat.is_super_admin(who, noon()));
            prop_assert_eq!(layered.effective(who, noon()), flat.effective(who, noon()));
            for other in (0..PEOPLE).map(user) {
                prop_assert_eq!(layered.beyond(who, other, noon()), flat.beyond(who, other, noon()));
            }
            for permission in every_question() {
                for place in every_place() {
                    let place = place.as_ref();
                    prop_assert_eq!(layered.check(who, &permission, place, noon()), flat.check(who, &permission, place, noon()));
                }
            }
        }
        for number in 0..ROLES {
            prop_assert_eq!(layered.role(role(number)), flat.role(role(number)));
        }
    }

    /// An account within reach gives nothing that the actor does not hold.
    #[test]
    fn an_account_within_reach_gives_nothing_more(puts in prop::collection::vec(put(), 0..10)) {
        let snapshot = flat(&puts);
        for (actor, target) in (0..PEOPLE).flat_map(|a| (0..PEOPLE).map(move |b| (user(a), user(b)))) {
            if actor != target && snapshot.beyond(actor, target, noon()).is_empty() {
                for permission in every_question().iter().filter(|one| !one.is_wildcard()) {
                    if snapshot.check(target, permission, None, noon()) != Answer::No {
                        prop_assert!(snapshot.may_hand_on(actor, permission, noon()), "{}", permission);
                    }
                }
            }
        }
    }
}
