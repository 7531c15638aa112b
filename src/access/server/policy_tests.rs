//! The language of policies: what it reads, where it refuses, and what it says (C5).

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::{
    access::{
        Answer, PermissionInfo, Reason, Scope,
        server::{
            change::{self, Change, Granter},
            engine::{About, RoleGrant},
        },
    },
    base::{
        errors::AppError,
        ids::{GroupId, RoleId, TenantId},
    },
};

const TRADER: RoleId = RoleId(Uuid::from_u128(20));
const CLERK: RoleId = RoleId(Uuid::from_u128(21));
const ADMIN: RoleId = RoleId(Uuid::from_u128(22));
const PLATFORM: RoleId = RoleId(Uuid::from_u128(23));
const DESK: GroupId = GroupId(Uuid::from_u128(30));
const TENANT: TenantId = TenantId(Uuid::from_u128(9));
const POLICY: PolicyId = PolicyId(Uuid::from_u128(40));

fn key(text: &str) -> Permission {
    Permission::parse(text).expect("a key")
}

fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

fn noon() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().expect("a moment")
}

fn world() -> Snapshot {
    let keys = ["*", "signals.create", "signals.*", "users.update", "reports.read", "permissions.assign"];
    let info = |key: &str| PermissionInfo { key: key.to_owned(), ..PermissionInfo::default() };
    let mut snapshot = Snapshot::new(TENANT, 1, keys.iter().map(|key| info(key)).collect());
    snapshot.put_role(TRADER, "trader".to_owned(), false, vec![key("signals.create")]);
    snapshot.put_role(CLERK, "clerk".to_owned(), false, vec![key("signals.create"), key("reports.read")]);
    let tools = ["signals.create", "users.update", "reports.read", "permissions.assign"];
    snapshot.put_role(ADMIN, "chief".to_owned(), false, tools.map(key).to_vec());
    snapshot.put_role(PLATFORM, "super-admin".to_owned(), true, vec![key("*")]);
    snapshot.put_group(DESK, "desk".to_owned(), Vec::new(), Vec::new());
    snapshot.link();
    snapshot
}

fn person(roles: &[RoleId], attributes: Value) -> PersonGrants {
    let grant = |role: &RoleId| RoleGrant { role: *role, scope: Scope::default(), expires_at: None };
    let facts = Facts { department: Some("finance".to_owned()), region: None, other: attributes };
    PersonGrants {
        active: true,
        roles: roles.iter().map(grant).collect(),
        facts: Some(Arc::new(facts)),
        ..PersonGrants::default()
    }
}

fn rules(rules: Value) -> Vec<Rule> {
    let mut errors = FieldErrors::default();
    let read = parse_rules(&rules, &mut errors);
    assert_eq!(errors, FieldErrors::default(), "{rules}");
    read
}

fn policy(mode: Mode, actions: &[&str], document: Value) -> Arc<Policy> {
    let actions = actions.iter().map(|action| key(action)).collect();
    Arc::new(Policy {
        id: POLICY,
        name: "sample".to_owned(),
        mode,
        actions,
        rules: rules(document),
        module: None,
        outside: None,
    })
}

/// The one of the sources.
fn sample() -> Arc<Policy> {
    let active = json!({"user.subscription.active": true});
    let document = json!([{"effect": "allow", "condition": {"and": [active, {"user.roles": {"contains": "trader"}}]}}]);
    policy(Mode::Require, &["signals.create"], document)
}

fn wrong(document: Value) -> Vec<(String, FieldCode)> {
    let mut errors = FieldErrors::default();
    parse_rules(&document, &mut errors);
    errors.0
}

/// How a condition stands for somebody in finance with these attributes.
fn holds(condition: Value, facts: Option<&Facts>, env: Option<&Env>) -> Option<bool> {
    let attributes = json!({
        "level": 3, "active": true, "title": "Chief of desk", "tags": ["a", "b"], "since": "2025-05-01", "nothing": null,
        "home": "finance",
    });
    let mut snapshot = world();
    let mut somebody = person(&[TRADER], attributes);
    somebody.groups = vec![crate::access::server::engine::Membership { group: DESK, expires_at: None }];
    snapshot.put_person(user(1), somebody);
    let read = rules(json!([{"effect": "allow", "condition": condition}]));
    let person = snapshot.person(user(1)).expect("somebody");
    let condition = read[0].condition.as_ref().expect("a condition");
    condition.holds(Situation {
        snapshot: &snapshot,
        user: user(1),
        person,
        action: None,
        facts,
        env,
        context: None,
        told: None,
        now: noon(),
    })
}

/// C5: each test, by hand.
#[test]
fn every_test_says_what_its_name_says() {
    for (condition, wanted) in [
        (json!({"user.level": 3}), true),
        (json!({"user.level": 3.0}), true),
        (json!({"user.level": "3"}), false),
        (json!({"user.level": {"ne": 4}}), true),
        (json!({"user.level": {"gt": 2, "lt": 4}}), true),
        (json!({"user.level": {"gte": 3, "lt": 3}}), false),
        (json!({"user.level": {"between": [1, 3]}}), true),
        (json!({"user.level": {"between": [4, 9]}}), false),
        (json!({"user.level": {"in": [1, 3]}}), true),
        (json!({"user.active": true}), true),
        (json!({"user.active": {"ne": true}}), false),
        (json!({"user.title": {"contains": "desk"}}), true),
        (json!({"user.title": {"starts_with": "Chief"}}), true),
        (json!({"user.title": {"starts_with": "chief"}}), false),
        (json!({"user.tags": {"contains": "b"}}), true),
        (json!({"user.tags": {"contains": "c"}}), false),
        (json!({"user.since": {"lt": "2026-01-01T00:00:00Z"}}), true),
        (json!({"user.since": {"between": ["2025-05-01", "2025-05-02"]}}), true),
        (json!({"user.department": "finance"}), true),
        (json!({"user.department": {"eq": {"ref": "user.home"}}}), true),
        (json!({"user.region": {"exists": false}}), true),
        (json!({"user.id": user(1).to_string()}), true),
        (json!({"user.tenant": TENANT.to_string()}), true),
        (json!({"user.roles": {"contains": "trader"}}), true),
        (json!({"user.roles": {"in": ["clerk", "trader"]}}), true),
        (json!({"user.roles": {"contains": "clerk"}}), false),
        (json!({"user.groups": {"contains": "desk"}}), true),
        (json!({"user.missing": {"exists": true}}), false),
        (json!({"user.nothing": {"exists": false}}), true),
        // What is missing fails every other test, and equals nothing.
        (json!({"user.missing": {"ne": 1}}), false),
        (json!({"user.missing": {"eq": {"ref": "user.missing"}}}), false),
        (json!({"not": {"user.missing": 1}}), true),
        (json!({"or": [{"user.level": 9}, {"user.active": true}]}), true),
        (json!({"and": [{"user.level": 9}, {"user.active": true}]}), false),
        (json!({"user.level": 3, "user.active": false}), false),
        (json!({"env.time": {"between": ["08:00", "17:00"]}}), true),
        (json!({"env.time": {"between": ["08:00+09:00", "17:00+09:00"]}}), false),
        (json!({"env.time": {"between": ["22:00", "06:00"]}}), false),
        (json!({"env.time": {"between": ["22:00", "13:00"]}}), true),
        (json!({"env.time": {"gte": "2026-11-22T12:00:00Z"}}), true),
    ] {
        assert_eq!(holds(condition.clone(), None, None), Some(wanted), "{condition}");
    }
}

/// C5: what nobody has said is not known, and stays so only where it matters.
#[test]
fn what_is_not_known_stays_open() {
    let of_thing = json!({"resource.owner": {"eq": {"ref": "user.id"}}});
    assert_eq!(holds(of_thing.clone(), None, None), None);
    assert_eq!(holds(json!({"not": of_thing}), None, None), None);
    assert_eq!(holds(json!({"and": [of_thing, {"user.level": 9}]}), None, None), Some(false));
    assert_eq!(holds(json!({"or": [of_thing, {"user.level": 3}]}), None, None), Some(true));
    let own = Facts { other: json!({"owner": user(1).to_string()}), ..Facts::default() };
    assert_eq!(holds(of_thing.clone(), Some(&own), None), Some(true));
    assert_eq!(holds(of_thing, Some(&Facts::default()), None), Some(false));

    let office = json!({"env.address": {"in": ["10.0.0.0/8", "2001:db8::1"]}});
    assert_eq!(holds(office.clone(), None, None), None);
    let from = |address: &str| Env { address: Some(address.parse().expect("an address")), device: None, assurance: 2 };
    assert_eq!(holds(office.clone(), None, Some(&from("10.1.2.3"))), Some(true));
    assert_eq!(holds(office.clone(), None, Some(&from("2001:db8::1"))), Some(true));
    assert_eq!(holds(office.clone(), None, Some(&from("11.1.2.3"))), Some(false));
    assert_eq!(holds(json!({"env.address": {"ne": "10.0.0.0/8"}}), None, Some(&from("11.0.0.1"))), Some(true));
    assert_eq!(holds(office, None, Some(&Env::default())), Some(false), "an address that is not there is nowhere");
    assert_eq!(holds(json!({"env.assurance": {"gte": 2}}), None, Some(&from("10.0.0.1"))), Some(true));
    assert_eq!(holds(json!({"env.device": "mobile"}), None, Some(&from("10.0.0.1"))), Some(false));
}

/// C5: an error names its place in the document; all of them are told at once.
#[test]
fn what_is_wrong_is_named_by_its_place() {
    use FieldCode::{Malformed, Required, TooDeep, TooLong, Unknown, UnknownField};
    let one = |condition: Value| wrong(json!([{"effect": "allow", "condition": condition}]));
    let at = |place: &str, code| vec![(place.to_owned(), code)];
    assert_eq!(wrong(json!({})), at("rules", Malformed));
    assert_eq!(wrong(json!([])), at("rules", Required));
    assert_eq!(wrong(json!([{"effect": "maybe"}])), at("rules[0].effect", Unknown));
    assert_eq!(wrong(json!([{}])), at("rules[0].effect", Required));
    assert_eq!(wrong(json!([{"effect": "allow", "conditon": {}}])), at("rules[0].conditon", UnknownField));
    assert_eq!(one(json!({})), at("rules[0].condition", Required));
    assert_eq!(one(json!({"and": []})), at("rules[0].condition.and", Required));
    assert_eq!(one(json!({"and": [{"user.a": 1}, 7]})), at("rules[0].condition.and[1]", Malformed));
    assert_eq!(one(json!({"usr.level": 1})), at("rules[0].condition.usr.level", Unknown));
    assert_eq!(one(json!({"user.a b": 1})), at("rules[0].condition.user.a b", Malformed));
    assert_eq!(one(json!({"env.moon": 1})), at("rules[0].condition.env.moon", Unknown));
    assert_eq!(one(json!({"user.level": {"above": 1}})), at("rules[0].condition.user.level.above", Unknown));
    assert_eq!(one(json!({"user.level": {}})), at("rules[0].condition.user.level", Required));
    assert_eq!(one(json!({"user.level": null})), at("rules[0].condition.user.level", Malformed));
    assert_eq!(one(json!({"user.level": {"between": [1]}})), at("rules[0].condition.user.level.between", Malformed));
    assert_eq!(one(json!({"user.level": {"gt": "soon"}})), at("rules[0].condition.user.level.gt", Malformed));
    assert_eq!(one(json!({"user.roles": {"eq": "a"}})), at("rules[0].condition.user.roles.eq", Unknown));
    assert_eq!(one(json!({"user.a": {"eq": {"ref": "user.roles"}}})), at("rules[0].condition.user.a.eq", Unknown));
    assert_eq!(
        one(json!({"env.address": "home"})),
        at("rules[0].condition.env.address", Unknown)
            .into_iter()
            .map(|_| { ("rules[0].condition.env.address".to_owned(), Malformed) })
            .collect::<Vec<_>>()
    );
    assert_eq!(one(json!({"env.time": "12:00"})), at("rules[0].condition.env.time", Unknown));
    assert_eq!(one(json!({"user.a": {"starts_with": "x".repeat(501)}})).len(), 1);
    assert_eq!(one(json!({"user.a": "x".repeat(501)})), at("rules[0].condition.user.a", TooLong));
    let deep = (0..11).fold(json!({"user.a": 1}), |inner, _| json!({"not": inner}));
    assert_eq!(one(deep).iter().map(|(_, code)| *code).collect::<Vec<_>>(), [TooDeep]);
    let many = (0..201).map(|n| json!({format!("user.a{n}"): 1})).collect::<Vec<_>>();
    assert!(one(json!({"or": many})).iter().any(|(_, code)| *code == TooLong));
    let both = json!([{"effect": "x", "condition": {"usr.a": 1}}, {"effect": "y"}]);
    assert_eq!(wrong(both).len(), 3);
}

/// C5, C4: the sources' sample: a trader without a subscription, and a subscriber who is no trader, create no signals.
#[test]
fn the_sample_requires_both() {
    let mut snapshot = world();
    snapshot.put_policy(POLICY, Some(sample()));
    let subscribed = json!({"subscription": {"active": true}});
    snapshot.put_person(user(1), person(&[TRADER], subscribed.clone()));
    snapshot.put_person(user(2), person(&[TRADER], json!({"subscription": {"active": false}})));
    snapshot.put_person(user(3), person(&[CLERK], subscribed.clone()));
    snapshot.put_person(user(4), person(&[PLATFORM], json!({})));
    snapshot.put_person(user(5), person(&[], subscribed));
    let check = |number| snapshot.check(user(number), &key("signals.create"), None, noon());
    assert_eq!([1, 2, 3, 4, 5].map(check), [Answer::Yes, Answer::No, Answer::No, Answer::No, Answer::No]);
    let because = snapshot.decide(user(2), &key("signals.create"), None, noon()).because;
    assert!(matches!(&because[0], Reason::PolicyDenies { policy } if policy.name == "sample"), "{because:?}");
    assert!(matches!(&because[1], Reason::Role { .. }), "{because:?}");
    // A wildcard is held whole only where each of its parts is.
    assert_eq!(snapshot.check(user(4), &key("*"), None, noon()), Answer::No);
    assert_eq!(snapshot.check(user(3), &key("reports.read"), None, noon()), Answer::Yes);
}

/// C5: a policy may allow by itself; a deny of it beats every allow.
#[test]
fn a_policy_may_grant_and_may_deny() {
    let mut snapshot = world();
    let grants = json!([
        {"effect": "allow", "condition": {"user.department": "finance"}},
        {"effect": "deny", "condition": {"user.barred": true}},
    ]);
    snapshot.put_policy(POLICY, Some(policy(Mode::Grant, &["signals.*"], grants)));
    snapshot.put_person(user(1), person(&[], json!({})));
    snapshot.put_person(user(2), person(&[CLERK], json!({"barred": true})));
    let check = |number, asked: &str| snapshot.check(user(number), &key(asked), None, noon());
    assert_eq!(check(1, "signals.create"), Answer::Yes);
    assert_eq!(check(1, "signals.*"), Answer::Yes);
    assert_eq!(check(1, "*"), Answer::No);
    assert_eq!(check(2, "signals.create"), Answer::No);
    assert_eq!(check(2, "reports.read"), Answer::Yes);
    // What a policy gives is held: whoever lacks it may not act on that account.
    snapshot.put_person(user(3), person(&[ADMIN], json!({"barred": true})));
    assert_eq!(snapshot.beyond(user(3), user(1), noon()), [key("signals.*")]);
}

/// C5: a right that a policy decides by the thing depends on it until the thing is known, and lists show nothing for it.
#[test]
fn a_policy_about_the_thing_depends_on_it() {
    let mut snapshot = world();
    let own = json!([{"effect": "allow", "condition": {"resource.department": {"eq": {"ref": "user.department"}}}}]);
    snapshot.put_policy(POLICY, Some(policy(Mode::Require, &["users.update"], own)));
    snapshot.put_person(user(1), person(&[ADMIN], json!({})));
    let asked = key("users.update");
    assert_eq!(snapshot.check(user(1), &asked, None, noon()), Answer::Depends);
    assert!(snapshot.scopes(user(1), &asked, About { env: Some(&Env::default()), ..About::at(noon()) }).is_empty());
    let of = |department: &str| Facts { department: Some(department.to_owned()), ..Facts::default() };
    assert_eq!(snapshot.check(user(1), &asked, Some(&of("finance")), noon()), Answer::Yes);
    assert_eq!(snapshot.check(user(1), &asked, Some(&of("legal")), noon()), Answer::No);
    let open = snapshot.decide(user(1), &asked, None, noon()).because;
    assert!(matches!(open[0], Reason::PolicyOpen { .. }), "{open:?}");
}

/// C5, A10: no policy takes from a super-admin what administration needs, policies included.
#[test]
fn nobody_is_locked_out_by_a_policy() {
    let mut snapshot = world();
    snapshot.put_policy(POLICY, Some(policy(Mode::Grant, &["*"], json!([{"effect": "deny"}]))));
    snapshot.put_person(user(1), person(&[PLATFORM], json!({})));
    for protected in crate::access::PROTECTED {
        assert_eq!(snapshot.check(user(1), protected, None, noon()), Answer::Yes, "{protected}");
    }
    assert!(crate::access::PROTECTED.contains(&crate::access::POLICIES_UPDATE));
    assert_eq!(snapshot.check(user(1), &key("reports.read"), None, noon()), Answer::No);
    let change = Change::Policy { id: POLICY, policy: None };
    assert_eq!(ceiling(&Arc::new(snapshot), &[change], 1), Ok(()));
}

fn ceiling(before: &Arc<Snapshot>, changes: &[Change], granter: u128) -> Result<(), Vec<String>> {
    let after = change::stage(before, changes);
    match change::check_ceiling(before, &after, changes, Granter::Person(user(granter)), noon()) {
        Ok(()) => Ok(()),
        Err(AppError::Forbidden(denial)) => Err(denial.permissions),
        Err(other) => panic!("{other:?}"),
    }
}

/// C5, C15: fields that make a policy hold are a grant; so is a role or a group that does.
#[test]
fn whoever_moves_what_a_policy_looks_at_hands_on_what_it_lets_through() {
    let mut snapshot = world();
    snapshot.put_policy(POLICY, Some(sample()));
    let (on, off) = (json!({"subscription": {"active": true}}), json!({}));
    snapshot.put_person(user(1), person(&[ADMIN], off.clone()));
    snapshot.put_person(user(2), person(&[TRADER], off.clone()));
    snapshot.put_person(user(3), person(&[ADMIN, TRADER], on.clone()));
    snapshot.put_person(user(4), person(&[CLERK], on.clone()));
    let before = Arc::new(snapshot);
    let facts = |number, attributes: &Value| Change::Facts {
        user: user(number),
        facts: Facts { department: Some("finance".to_owned()), region: None, other: attributes.clone() },
    };
    let denied = Err(vec!["signals.create".to_owned()]);
    assert_eq!(ceiling(&before, &[facts(2, &on)], 1), denied, "the administrator does not hold it");
    assert_eq!(ceiling(&before, &[facts(1, &on)], 1), Ok(()), "being subscribed alone does not make one a trader");
    assert_eq!(ceiling(&before, &[facts(2, &on)], 3), Ok(()), "a subscribed trader may");
    let trader = RoleGrant { role: TRADER, scope: Scope::default(), expires_at: None };
    let clerk = RoleGrant { role: CLERK, scope: Scope::default(), expires_at: None };
    let roles = |number, roles: Vec<RoleGrant>| Change::Roles { user: user(number), roles };
    assert_eq!(ceiling(&before, &[roles(4, vec![clerk, trader.clone()])], 1), denied);
    // To whom the policy holds back as well, an administrator may hand on what only the policy holds back from them.
    let mut wider = Snapshot::above(&before);
    wider.put_person(user(5), person(&[], json!({})));
    let wider = Arc::new(wider);
    assert_eq!(ceiling(&wider, &[roles(5, vec![trader])], 1), Ok(()));
    // A role that takes the name a policy looks for lets its people through.
    let renamed = Change::RolePermissions {
        role: CLERK,
        name: "trader".to_owned(),
        permissions: vec![key("signals.create"), key("reports.read")],
        parents: Vec::new(),
    };
    let refused = ceiling(&before, &[renamed], 1).expect_err("a name is a grant");
    assert!(refused.contains(&"signals.create".to_owned()), "{refused:?}");
}

/// C5, C15: a policy is made, changed and lifted by those who hold all that it is about.
#[test]
fn a_policy_is_changed_by_those_who_hold_what_it_is_about() {
    let mut snapshot = world();
    snapshot.put_policy(POLICY, Some(sample()));
    snapshot.put_person(user(1), person(&[ADMIN], json!({})));
    snapshot.put_person(user(2), person(&[ADMIN, TRADER], json!({"subscription": {"active": true}})));
    let before = Arc::new(snapshot);
    let lift = Change::Policy { id: POLICY, policy: None };
    assert_eq!(ceiling(&before, std::slice::from_ref(&lift), 1), Err(vec!["signals.create".to_owned()]));
    assert_eq!(ceiling(&before, &[lift], 2), Ok(()));
    let id = PolicyId(Uuid::from_u128(41));
    let everything = Policy { id, ..Policy::clone(&policy(Mode::Grant, &["*"], json!([{"effect": "allow"}]))) };
    let grant = Change::Policy { id, policy: Some(Arc::new(everything)) };
    assert_eq!(ceiling(&before, &[grant], 2), Err(vec!["*".to_owned()]));
}

/// C5: how each condition of a document stands, by its place.
#[test]
fn a_trace_names_every_condition() {
    let mut snapshot = world();
    snapshot.put_person(user(1), person(&[TRADER], json!({"level": 3})));
    let person = snapshot.person(user(1)).expect("somebody");
    let on = Situation {
        snapshot: &snapshot,
        user: user(1),
        person,
        action: None,
        facts: None,
        env: None,
        context: None,
        told: None,
        now: noon(),
    };
    let document = json!([{"effect": "allow", "condition": {"and": [
        {"user.level": 3}, {"not": {"user.roles": {"contains": "trader"}}}, {"resource.open": true},
    ]}}]);
    let at = |place: &str| format!("rules[0].condition.and{place}");
    assert_eq!(
        trace(&document, on),
        [
            (at(""), Some(false)),
            (at("[0].user.level"), Some(true)),
            (at("[1].not"), Some(false)),
            (at("[1].not.user.roles"), Some(true)),
            (at("[2].resource.open"), None),
        ]
    );
}

fn any_condition() -> impl Strategy<Value = Value> {
    let test = prop_oneof![
        (0..5).prop_map(|level| json!({"user.level": {"gte": level}})),
        (0..2).prop_map(|open| json!({"resource.open": open == 1})),
        (0..3).prop_map(|level| json!({"env.assurance": {"gte": level}})),
        Just(json!({"user.roles": {"contains": "trader"}})),
        Just(json!({"user.gone": {"ne": 1}})),
    ];
    test.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({"and": parts})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| json!({"or": parts})),
            inner.prop_map(|part| json!({"not": part})),
        ]
    })
}

proptest! {
    /// C5: a definite answer never changes when more becomes known, so that what is cached or shown early is not wrong.
    #[test]
    fn knowing_more_only_closes_what_was_open(
        condition in any_condition(), open in any::<bool>(), assurance in 0_u8..3,
    ) {
        let facts = Facts { other: json!({"open": open}), ..Facts::default() };
        let env = Env { assurance, ..Env::default() };
        let nothing = holds(condition.clone(), None, None);
        let all = holds(condition.clone(), Some(&facts), Some(&env));
        prop_assert!(all.is_some(), "{condition}");
        for some in [holds(condition.clone(), Some(&facts), None), holds(condition.clone(), None, Some(&env))] {
            prop_assert!(some.is_none() || some == all, "{condition}");
            prop_assert!(nothing.is_none() || nothing == some, "{condition}");
        }
    }

    /// C5, C15: whatever a policy says, at the last moment there is it says it without failing.
    #[test]
    fn the_end_of_time_has_an_answer(condition in any_condition()) {
        let mut snapshot = world();
        snapshot.put_person(user(1), person(&[TRADER], json!({"level": 3})));
        let clock = json!({"env.time": {"between": ["22:00+14:00", "06:00-12:00"]}});
        let document = json!([{"effect": "allow", "condition": {"or": [condition, clock]}}]);
        snapshot.put_policy(POLICY, Some(policy(Mode::Require, &["signals.create"], document)));
        let about = About { facts: None, env: None, context: None, told: None, now: DateTime::<Utc>::MAX_UTC };
        let end = snapshot.check_about(user(1), &key("signals.create"), about);
        prop_assert_eq!(end, snapshot.check_about(user(1), &key("signals.create"), about));
    }
}
