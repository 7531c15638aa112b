//! The rules of a policy as blocks that can be moved: read from JSON, written as JSON, and nothing of it lost (C7).
//!
//! What a rule or a group holds must all hold, or any of it, or not all of it. A rule with several parts is written as one
//! `and`, and a `not` with several parts likewise, so that each of them takes any number of blocks.

use serde_json::{Map, Number, Value, json};

use crate::base::text::latin_digit;

/// Where a block stands: the rule, then the place in each group on the way.
pub type Path = Vec<usize>;

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub denies: bool,
    pub parts: Vec<Node>,
    /// What is no rule of ours is kept as it is.
    pub raw: Option<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Group {
        kind: Kind,
        parts: Vec<Node>,
    },
    Test(Test),
    /// What cannot be drawn as a block is kept as it is.
    Raw(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    All,
    Any,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Text,
    Number,
    YesNo,
    /// Another attribute.
    Attribute,
}

impl Of {
    pub fn key(self) -> &'static str {
        match self {
            Of::Text => "text",
            Of::Number => "number",
            Of::YesNo => "yes_no",
            Of::Attribute => "attribute",
        }
    }

    /// Text where it is none of the others.
    pub fn parse(key: &str) -> Self {
        [Of::Number, Of::YesNo, Of::Attribute].into_iter().find(|of| of.key() == key).unwrap_or(Of::Text)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub attribute: String,
    /// As in the document, or `missing`: `exists` that is false.
    pub operator: String,
    pub of: Of,
    /// As they are typed: one, two for `between`, any number for `in`, none for `exists`.
    pub values: Vec<String>,
}

pub const OPERATORS: [&str; 12] =
    ["eq", "ne", "in", "contains", "starts_with", "gt", "gte", "lt", "lte", "between", "exists", "missing"];

impl Kind {
    pub fn key(self) -> &'static str {
        match self {
            Kind::All => "and",
            Kind::Any => "or",
            Kind::Not => "not",
        }
    }

    pub fn of(key: &str) -> Option<Self> {
        [Kind::All, Kind::Any, Kind::Not].into_iter().find(|kind| kind.key() == key)
    }
}

/// Reads rules; none where they are no list.
pub fn read(rules: &Value) -> Option<Vec<Rule>> {
    Some(rules.as_array()?.iter().map(read_rule).collect())
}

fn read_rule(rule: &Value) -> Rule {
    let raw = || Rule { denies: false, parts: Vec::new(), raw: Some(rule.clone()) };
    let Some(fields) = rule.as_object() else { return raw() };
    let denies = match fields.get("effect").and_then(Value::as_str) {
        Some("allow") => false,
        Some("deny") => true,
        _ => return raw(),
    };
    if fields.keys().any(|name| name != "effect" && name != "condition") {
        return raw();
    }
    let parts = fields.get("condition").map(|condition| spread(read_node(condition))).unwrap_or_default();
    Rule { denies, parts, raw: None }
}

/// An `and` of several parts stands for its parts where all have to hold anyway.
fn spread(node: Node) -> Vec<Node> {
    match node {
        Node::Group { kind: Kind::All, parts } if parts.len() > 1 => parts,
        node => vec![node],
    }
}

fn read_node(condition: &Value) -> Node {
    let Some(fields) = condition.as_object().filter(|fields| !fields.is_empty()) else {
        return Node::Raw(condition.clone());
    };
    let mut parts = fields.iter().map(|(name, value)| read_entry(name, value)).collect::<Vec<_>>();
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            Node::Group { kind: Kind::All, parts }
        }
    }
}

fn read_entry(name: &str, value: &Value) -> Node {
    match (Kind::of(name), value) {
        (Some(Kind::Not), part) if part.as_object().is_some_and(Map::is_empty) => {
            Node::Group { kind: Kind::Not, parts: Vec::new() }
        }
        (Some(Kind::Not), part) => Node::Group { kind: Kind::Not, parts: spread(read_node(part)) },
        (Some(kind), Value::Array(parts)) => Node::Group { kind, parts: parts.iter().map(read_node).collect() },
        (Some(_), _) => Node::Raw(entry(name, value.clone())),
        (None, Value::Object(tests)) if !tests.is_empty() => {
            let mut parts = tests.iter().map(|(operator, operand)| read_test(name, operator, operand));
            match (tests.len(), parts.next()) {
                (1, Some(only)) => only,
                (_, first) => Node::Group { kind: Kind::All, parts: first.into_iter().chain(parts).collect() },
            }
        }
        (None, value) => read_test(name, "eq", value),
    }
}

fn entry(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}

fn read_test(attribute: &str, operator: &str, operand: &Value) -> Node {
    let read = || {
        let (operator, listed) = match (operator, operand) {
            ("exists", Value::Bool(wanted)) => (if *wanted { "exists" } else { "missing" }, [].as_slice()),
            ("between", Value::Array(both)) if both.len() == 2 => (operator, both.as_slice()),
            ("in", Value::Array(all)) => (operator, all.as_slice()),
            ("exists" | "between" | "in" | "missing", _) => return None,
            _ if !OPERATORS.contains(&operator) => return None,
            _ => (operator, std::slice::from_ref(operand)),
        };
        let all = listed.iter().map(read_value).collect::<Option<Vec<_>>>()?;
        let of = all.first().map_or(Of::Text, |(of, _)| *of);
        // Lines of a list are told apart by their ends.
        let is_plain = |(one, text): &(Of, String)| *one == of && !text.contains('\n') && !text.is_empty();
        if listed.len() != 1 && (of == Of::Attribute || !all.iter().all(is_plain)) {
            return None;
        }
        let values = all.into_iter().map(|(_, text)| text).collect();
        Some(Test { attribute: attribute.to_owned(), operator: operator.to_owned(), of, values })
    };
    let kept = || Node::Raw(entry(attribute, entry(operator, operand.clone())));
    match read() {
        // What would be written otherwise than it was read is kept.
        Some(test) if same(&test.operand(), operator, operand) => Node::Test(test),
        _ => kept(),
    }
}

fn same(written: &(&str, Value), operator: &str, operand: &Value) -> bool {
    written.0 == operator && written.1 == *operand
}

fn read_value(value: &Value) -> Option<(Of, String)> {
    Some(match value {
        Value::String(text) => (Of::Text, text.clone()),
        Value::Number(number) => (Of::Number, number.to_string()),
        Value::Bool(yes) => (Of::YesNo, yes.to_string()),
        Value::Object(fields) => (Of::Attribute, fields.get("ref")?.as_str()?.to_owned()),
        Value::Null | Value::Array(_) => return None,
    })
}

/// A number as JSON writes it, from one with the digits of an Arabic or a Persian keyboard.
fn latin(typed: &str) -> String {
    typed.trim().chars().map(|c| if c == '\u{66B}' { '.' } else { latin_digit(c) }).collect()
}

impl Test {
    fn value(&self, text: &str) -> Value {
        match self.of {
            Of::Text => json!(text),
            // What is no number is written as it was typed, and the server names the place.
            Of::Number => {
                serde_json::from_str::<Number>(&latin(text)).map_or_else(|_no_number| json!(text), Value::Number)
            }
            Of::YesNo => json!(text == "true"),
            Of::Attribute => json!({ "ref": text }),
        }
    }

    fn operand(&self) -> (&str, Value) {
        let first = || self.values.first().map_or("", String::as_str);
        match self.operator.as_str() {
            "exists" => ("exists", json!(true)),
            "missing" => ("exists", json!(false)),
            "in" | "between" => {
                (&self.operator, Value::Array(self.values.iter().map(|text| self.value(text)).collect()))
            }
            operator => (operator, self.value(first())),
        }
    }

    /// Takes another operator, with as many values as it needs.
    pub fn turn_to(&mut self, operator: &str) {
        self.operator = operator.to_owned();
        match operator {
            "exists" | "missing" => self.values.clear(),
            "between" => self.values.resize(2, String::new()),
            "in" => {}
            _ => self.values.resize(1, String::new()),
        }
        let compares = matches!(operator, "in" | "between" | "gt" | "gte" | "lt" | "lte" | "starts_with");
        if compares && matches!(self.of, Of::Attribute | Of::YesNo) || operator == "starts_with" {
            self.of = Of::Text;
        }
    }
}

pub fn write(rules: &[Rule]) -> Value {
    Value::Array(rules.iter().map(write_rule).collect())
}

fn write_rule(rule: &Rule) -> Value {
    if let Some(raw) = &rule.raw {
        return raw.clone();
    }
    let effect = if rule.denies { "deny" } else { "allow" };
    match gathered(&rule.parts) {
        None => json!({ "effect": effect }),
        Some(condition) => json!({ "effect": effect, "condition": condition }),
    }
}

fn gathered(parts: &[Node]) -> Option<Value> {
    match parts {
        [] => None,
        [only] => Some(write_node(only)),
        parts => Some(json!({ "and": listed(parts) })),
    }
}

fn listed(parts: &[Node]) -> Value {
    Value::Array(parts.iter().map(write_node).collect())
}

fn write_node(node: &Node) -> Value {
    match node {
        Node::Raw(raw) => raw.clone(),
        Node::Group { kind: Kind::Not, parts } => json!({ "not": gathered(parts).unwrap_or_else(|| json!({})) }),
        Node::Group { kind, parts } => entry(kind.key(), listed(parts)),
        Node::Test(test) => match test.operand() {
            ("eq", value) if !value.is_object() => entry(&test.attribute, value),
            (operator, value) => entry(&test.attribute, entry(operator, value)),
        },
    }
}

pub fn node<'a>(rules: &'a [Rule], path: &[usize]) -> Option<&'a Node> {
    let (last, parent) = path.split_last()?;
    parts(rules, parent)?.get(*last)
}

pub fn node_mut<'a>(rules: &'a mut [Rule], path: &[usize]) -> Option<&'a mut Node> {
    let (last, parent) = path.split_last()?;
    parts_mut(rules, parent)?.get_mut(*last)
}

/// What a rule or a group holds; none where something else stands there.
pub fn parts<'a>(rules: &'a [Rule], path: &[usize]) -> Option<&'a Vec<Node>> {
    let (rule, rest) = path.split_first()?;
    let rule = rules.get(*rule).filter(|rule| rule.raw.is_none())?;
    rest.iter().try_fold(&rule.parts, |parts, at| match parts.get(*at)? {
        Node::Group { parts, .. } => Some(parts),
        Node::Test(_) | Node::Raw(_) => None,
    })
}

pub fn parts_mut<'a>(rules: &'a mut [Rule], path: &[usize]) -> Option<&'a mut Vec<Node>> {
    let (rule, rest) = path.split_first()?;
    let rule = rules.get_mut(*rule).filter(|rule| rule.raw.is_none())?;
    rest.iter().try_fold(&mut rule.parts, |parts, at| match parts.get_mut(*at)? {
        Node::Group { parts, .. } => Some(parts),
        Node::Test(_) | Node::Raw(_) => None,
    })
}

/// Puts a block into a rule or a group, and tells where it stands.
pub fn insert(rules: &mut [Rule], into: &[usize], at: usize, block: Node) -> Option<Path> {
    let parts = parts_mut(rules, into)?;
    let at = at.min(parts.len());
    parts.insert(at, block);
    Some(into.iter().copied().chain([at]).collect())
}

/// Takes a block out, or a whole rule.
pub fn remove(rules: &mut Vec<Rule>, path: &[usize]) -> bool {
    if let [rule] = path {
        let is_there = *rule < rules.len();
        if is_there {
            rules.remove(*rule);
        }
        return is_there;
    }
    let Some((last, parent)) = path.split_last() else { return false };
    match parts_mut(rules, parent) {
        Some(parts) if *last < parts.len() => {
            parts.remove(*last);
            true
        }
        _ => false,
    }
}

/// Moves a block in front of what stands at a place now, and tells where it stands then. Nothing happens where the place is
/// inside the block itself.
pub fn shift(rules: &mut [Rule], from: &[usize], into: &[usize], at: usize) -> Option<Path> {
    let (last, parent) = from.split_last()?;
    if parent.is_empty() || into.starts_with(from) {
        return None;
    }
    parts(rules, into)?;
    let block = node(rules, from)?.clone();
    parts_mut(rules, parent)?.remove(*last);
    let (mut into, mut at) = (into.to_vec(), at);
    // Whatever stood behind it has moved up by one.
    if into == parent {
        at -= usize::from(at > *last);
    } else if into.starts_with(parent)
        && let Some(step) = into.get_mut(parent.len())
    {
        *step -= usize::from(*step > *last);
    }
    insert(rules, &into, at, block)
}

/// The ways of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
    /// Into the group in front of it.
    In,
    /// Behind the group that it is in.
    Out,
}

/// Moves a block or a rule one step; none where there is no way.
pub fn step(rules: &mut [Rule], path: &[usize], way: Way) -> Option<Path> {
    let (last, parent) = path.split_last()?;
    let last = *last;
    if parent.is_empty() {
        let to = match way {
            Way::Up => last.checked_sub(1)?,
            Way::Down => last + 1,
            Way::In | Way::Out => return None,
        };
        if to >= rules.len() {
            return None;
        }
        rules.swap(last, to);
        return Some(vec![to]);
    }
    let length = parts(rules, parent)?.len();
    let outer = parent.split_last();
    match way {
        Way::Up if last > 0 => shift(rules, path, parent, last - 1),
        Way::Down if last + 1 < length => shift(rules, path, parent, last + 2),
        // From one rule into the next.
        Way::Up if parent.len() == 1 => {
            let into = [parent.first()?.checked_sub(1)?];
            let end = parts(rules, &into)?.len();
            shift(rules, path, &into, end)
        }
        Way::Down if parent.len() == 1 => shift(rules, path, &[parent.first()? + 1], 0),
        Way::Up | Way::Down => None,
        Way::In => {
            let before = parent.iter().copied().chain([last.checked_sub(1)?]).collect::<Vec<_>>();
            let end = parts(rules, &before)?.len();
            shift(rules, path, &before, end)
        }
        Way::Out => match outer {
            Some((at, around)) if !around.is_empty() => shift(rules, path, around, at + 1),
            _ => None,
        },
    }
}

/// The place of a block in the document that [`write`] makes, as a tried document names it.
pub fn place(rules: &[Rule], path: &[usize]) -> Option<String> {
    let (rule, rest) = path.split_first()?;
    let mut here = &rules.get(*rule)?.parts;
    let mut at = format!("rules[{rule}].condition");
    let mut gathers = here.len() > 1;
    if rest.is_empty() {
        return match here.as_slice() {
            [] => None,
            [_] => place(rules, &[*rule, 0]),
            _ => Some(format!("{at}.and")),
        };
    }
    for (depth, step) in rest.iter().enumerate() {
        let part = here.get(*step)?;
        if gathers {
            at = format!("{at}.and[{step}]");
        }
        let is_last = depth + 1 == rest.len();
        match part {
            Node::Group { kind, parts } => {
                at = format!("{at}.{}", kind.key());
                here = parts;
                gathers = *kind == Kind::Not && parts.len() > 1;
                if *kind != Kind::Not && !is_last {
                    at = format!("{at}[{}]", rest.get(depth + 1)?);
                }
            }
            Node::Test(test) => at = format!("{at}.{}", test.attribute),
            Node::Raw(raw) => {
                let fields = raw.as_object()?;
                let name = fields.keys().next().filter(|_| fields.len() == 1)?;
                at = format!("{at}.{name}");
            }
        }
    }
    Some(at)
}

/// The rule that decides and, as far as one of them alone does, the block in it. `holds` tells how a place stands; `must_hold`
/// is a policy that denies where none of its rules allows.
pub fn deciding(rules: &[Rule], must_hold: bool, holds: &dyn Fn(&str) -> Option<bool>) -> Option<Path> {
    let first = |denies: bool, wanted: Option<bool>| {
        let mut found = rules.iter().enumerate().filter(|(_, rule)| rule.raw.is_none() && rule.denies == denies);
        found.find(|(at, _)| stands(rules, &[*at], holds) == wanted).map(|(at, _)| at)
    };
    let mut allowing = rules.iter().enumerate().filter(|(_, rule)| rule.raw.is_none() && !rule.denies);
    let only = allowing.next().map(|(at, _)| at).filter(|_| allowing.next().is_none());
    let allows = first(false, Some(true)).or_else(|| first(false, None));
    let refusing = if must_hold && allows.is_none() { only } else { None };
    let several_refuse = must_hold && allows.is_none() && refusing.is_none() && first(false, Some(false)).is_some();
    let rule = match first(true, Some(true)).or(refusing) {
        Some(rule) => rule,
        None if several_refuse => return None,
        None => first(true, None).or(allows)?,
    };
    let mut path = vec![rule];
    while let Some(next) = decides_in(rules, &path, holds) {
        path.push(next);
    }
    Some(path)
}

/// How a block or a rule stands. A rule without a condition always holds.
fn stands(rules: &[Rule], path: &[usize], holds: &dyn Fn(&str) -> Option<bool>) -> Option<bool> {
    match parts(rules, path) {
        Some(parts) if parts.is_empty() && path.len() == 1 => Some(true),
        _ => place(rules, path).and_then(|at| holds(&at)),
    }
}

/// The part that alone makes a rule or a group stand as it does.
fn decides_in(rules: &[Rule], path: &[usize], holds: &dyn Fn(&str) -> Option<bool>) -> Option<usize> {
    let here = parts(rules, path)?;
    if here.len() < 2 {
        return (!here.is_empty()).then_some(0);
    }
    let kind = match node(rules, path) {
        Some(Node::Group { kind, .. }) if path.len() > 1 => *kind,
        _ => Kind::All,
    };
    // One part that holds is enough for `or`, one that does not for `and`, and so for `not`; else all of them decide.
    let wanted = match (stands(rules, path, holds), kind) {
        (Some(true), Kind::Any) => Some(true),
        (Some(false), Kind::All) | (Some(true), Kind::Not) => Some(false),
        (None, _) => None,
        _ => return None,
    };
    let at = |at: usize| path.iter().copied().chain([at]).collect::<Path>();
    let mut found = (0..here.len()).filter(|part| stands(rules, &at(*part), holds) == wanted);
    let first = found.next();
    // Of several that are unknown none decides alone.
    if wanted.is_none() && found.next().is_some() { None } else { first }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
