//! What the blocks of a policy promise: nothing is lost, nothing is doubled.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn there_and_back(rules: &Value) -> Value {
    write(&read(rules).expect("a list"))
}

/// C7: every operator and kind of value is read as a block and written as it was.
#[test]
fn all_that_the_grammar_has_comes_back() {
    let conditions = [
        json!({"user.a": "x"}),
        json!({"user.a": 3}),
        json!({"user.a": 1.5}),
        json!({"user.a": true}),
        json!({"user.a": {"eq": {"ref": "resource.a"}}}),
        json!({"user.a": {"ne": "x"}}),
        json!({"user.a": {"in": ["x", "y"]}}),
        json!({"user.a": {"in": [1, 2]}}),
        json!({"user.a": {"contains": "x"}}),
        json!({"user.a": {"starts_with": "x"}}),
        json!({"user.a": {"gt": 1}}),
        json!({"user.a": {"gte": 1}}),
        json!({"user.a": {"lt": 1}}),
        json!({"user.a": {"lte": "2026-01-01"}}),
        json!({"env.time": {"between": ["22:00", "06:00"]}}),
        json!({"user.a": {"exists": true}}),
        json!({"user.a": {"exists": false}}),
        json!({"and": [{"user.a": 1}, {"or": [{"user.b": 1}, {"not": {"user.c": 1}}]}]}),
    ];
    for condition in conditions {
        let rules = json!([{"effect": "deny", "condition": condition}]);
        assert_eq!(there_and_back(&rules), rules);
        let read = read(&rules).expect("a list");
        assert!(!format!("{read:?}").contains("Raw"), "{read:?}");
    }
}

/// C7: what cannot be drawn stays as it was written.
#[test]
fn what_is_not_understood_is_kept() {
    for condition in [
        json!({"user.a": {"above": 3}}),
        json!({"user.a": {"in": [1, "x"]}}),
        json!({"user.a": {"between": [1]}}),
        json!({"user.a": {"eq": {"ref": "user.b", "and": 1}}}),
        json!({"and": {"user.a": 1}}),
        json!({"user.a": null}),
        json!("x"),
        json!({}),
    ] {
        let rules = json!([{"effect": "allow", "condition": condition}]);
        // An attribute that equals nothing is written with its operator, and means the same.
        let short = condition == json!({"user.a": null});
        let written = if short { json!({"user.a": {"eq": null}}) } else { condition };
        assert_eq!(there_and_back(&rules), json!([{"effect": "allow", "condition": written}]));
    }
    let rules = json!([3, {"effect": "maybe"}, {"effect": "allow", "note": 1}]);
    assert_eq!(there_and_back(&rules), rules);
    assert_eq!(read(&json!({})), None);
}

/// C7: the place of a block is the one that a tried document names.
#[test]
fn a_block_has_its_place_in_the_document() {
    let rules = json!([{"effect": "allow", "condition": {"and": [
        {"user.a": 1}, {"or": [{"user.b": 1}, {"not": {"and": [{"user.c": 1}, {"user.d": 1}]}}]}]}}]);
    let rules = read(&rules).expect("a list");
    let of = |path: &[usize]| place(&rules, path).expect("a block");
    assert_eq!(of(&[0]), "rules[0].condition.and");
    assert_eq!(of(&[0, 0]), "rules[0].condition.and[0].user.a");
    assert_eq!(of(&[0, 1]), "rules[0].condition.and[1].or");
    assert_eq!(of(&[0, 1, 0]), "rules[0].condition.and[1].or[0].user.b");
    assert_eq!(of(&[0, 1, 1]), "rules[0].condition.and[1].or[1].not");
    assert_eq!(of(&[0, 1, 1, 1]), "rules[0].condition.and[1].or[1].not.and[1].user.d");
}

/// C7: the first part that fails decides over `and`, and a deny that holds over everything.
#[test]
fn the_deciding_block_is_found() {
    let both = json!([
        {"effect": "allow", "condition": {"and": [{"user.a": 1}, {"user.b": 1}]}},
        {"effect": "deny", "condition": {"or": [{"user.c": 1}, {"user.d": 1}]}},
    ]);
    let rules = read(&both).expect("a list");
    let none_of_b = |at: &str| Some(at.ends_with("user.a"));
    assert_eq!(deciding(&rules, true, &none_of_b), Some(vec![0, 1]));
    assert_eq!(deciding(&rules, false, &none_of_b), None);
    let denied = |at: &str| Some(at.ends_with("user.d") || at.ends_with(".or"));
    assert_eq!(deciding(&rules, true, &denied), Some(vec![1, 0, 1]));
    assert_eq!(deciding(&rules, true, &|_| Some(true)), Some(vec![1, 0, 0]));
}

/// C7: under `not` a part that fails decides; several that are unknown decide together, as do several rules that fail.
#[test]
fn what_decides_only_together_is_not_marked_alone() {
    let of = |value: Value| read(&value).expect("a list");
    let not = of(json!([{"effect": "allow", "condition": {"not": {"and": [{"user.a": 1}, {"user.b": 1}]}}}]));
    let without_b = |at: &str| Some(at.ends_with("user.a") || at.ends_with(".not"));
    assert_eq!(deciding(&not, true, &without_b), Some(vec![0, 0, 1]));
    assert_eq!(deciding(&not, true, &|at| Some(!at.ends_with(".not"))), Some(vec![0, 0]));
    assert_eq!(deciding(&not, true, &|_| None), Some(vec![0, 0]));
    let two =
        of(json!([{"effect": "allow", "condition": {"user.a": 1}}, {"effect": "allow", "condition": {"user.b": 1}}]));
    assert_eq!(deciding(&two, true, &|_| Some(false)), None);
    assert_eq!(deciding(&two, true, &|at| Some(at.ends_with("user.b"))), Some(vec![1, 0]));
    let always = of(json!([{"effect": "deny"}, {"effect": "allow", "condition": {"user.a": 1}}]));
    assert_eq!(deciding(&always, false, &|_| Some(true)), Some(vec![0]));
}

/// C7: the keyboard goes up, down, in and out.
#[test]
fn a_block_steps() {
    let of = |condition: Value| read(&json!([{"effect": "allow", "condition": condition}])).expect("a list");
    let mut rules = of(json!({"and": [{"or": [{"user.a": 1}, {"user.b": 1}]}, {"user.c": 1}]}));
    let at = step(&mut rules, &[0, 1], Way::In).expect("a way in");
    assert_eq!(at, [0, 0, 2]);
    let at = step(&mut rules, &at, Way::Up).expect("a way up");
    let at = step(&mut rules, &at, Way::Out).expect("a way out");
    assert_eq!(at, [0, 1]);
    assert_eq!(step(&mut rules, &at, Way::Down), None);
    assert_eq!(step(&mut rules, &[0, 0], Way::In), None);
}

fn any_node() -> impl Strategy<Value = Node> {
    let text = "[a-z]{1,4}";
    let leaf = (text, 0_usize..9).prop_map(|(name, operator)| {
        let mut test =
            Test { attribute: format!("user.{name}"), operator: String::new(), of: Of::Number, values: Vec::new() };
        test.turn_to(OPERATORS[operator]);
        test.of = if test.operator == "starts_with" { Of::Text } else { Of::Number };
        test.values = vec!["3".to_owned()];
        Node::Test(test)
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        (0_u8..3, prop::collection::vec(inner, 1..4)).prop_map(|(kind, parts)| {
            let kind = [Kind::All, Kind::Any, Kind::Not][usize::from(kind)];
            Node::Group { kind, parts }
        })
    })
}

fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let rule = (any::<bool>(), prop::collection::vec(any_node(), 0..4));
    prop::collection::vec(rule.prop_map(|(denies, parts)| Rule { denies, parts, raw: None }), 1..4)
}

fn paths(rules: &[Rule]) -> Vec<Path> {
    fn below(at: &Path, parts: &[Node], found: &mut Vec<Path>) {
        for (place, part) in parts.iter().enumerate() {
            let at = at.iter().copied().chain([place]).collect::<Path>();
            found.push(at.clone());
            if let Node::Group { parts, .. } = part {
                below(&at, parts, found);
            }
        }
    }
    let mut found = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        found.push(vec![at]);
        below(&vec![at], &rule.parts, &mut found);
    }
    found
}

fn leaves(rules: &[Rule]) -> Vec<String> {
    let of = |path: &Path| {
        node(rules, path).filter(|_| path.len() > 1).map(|node| match node {
            Node::Group { kind, .. } => kind.key().to_owned(),
            other => format!("{other:?}"),
        })
    };
    let mut all = paths(rules).iter().filter_map(of).collect::<Vec<_>>();
    all.sort();
    all
}

proptest! {
    /// C7: any tree is written and read again without a difference in what is written.
    #[test]
    fn any_tree_comes_back(rules in any_rules()) {
        let written = write(&rules);
        prop_assert_eq!(there_and_back(&written), written);
    }

    /// C7: a move neither loses nor doubles a block, and no block lands in itself.
    #[test]
    fn a_move_keeps_every_block(mut rules in any_rules(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(), at in 0_usize..4) {
        let all = paths(&rules);
        let (from, into) = (a.get(&all).clone(), b.get(&all).clone());
        let (before, moved) = (leaves(&rules), node(&rules, &from).cloned());
        let fits = parts(&rules, &into).is_some() && from.len() > 1 && !into.starts_with(&from);
        let there = shift(&mut rules, &from, &into, at);
        prop_assert_eq!(there.is_some(), fits);
        if let Some(there) = there {
            prop_assert_eq!(node(&rules, &there), moved.as_ref());
        }
        prop_assert_eq!(leaves(&rules), before);
    }
}
