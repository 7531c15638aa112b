//! Attribute policies: a document is read once, with an error at its place, and judged without allocating (C5).
//!
//! Judging knows three answers. What depends on the thing that is acted on, or on a request that nobody has described, is
//! unknown until it is told. Where an attribute is missing every test of it fails but `exists`; so `ne` fails as well.

use std::{cmp::Ordering, net::IpAddr, sync::Arc};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Timelike as _, Utc};
use ipnet::IpNet;
use serde_json::{Map, Value};

use crate::{
    access::{
        Facts, Permission, PolicyEffect as Effect, PolicyMode as Mode,
        server::{
            engine::{PersonGrants, Snapshot},
            outside::Told,
            rego::{Module, Verdict},
        },
    },
    base::{
        errors::{FieldCode, FieldErrors},
        ids::{PolicyId, UserId},
    },
};

/// How deep conditions may lie in each other.
const DEEPEST: usize = 10;
/// How many tests a policy may have.
const TESTS: usize = 200;
/// How many rules a policy may have.
const RULES: usize = 50;
/// How many values a list may hold.
const VALUES: usize = 200;
/// How long a text may be, in bytes.
const LONGEST: usize = 500;

/// A policy as it is enforced.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: PolicyId,
    pub name: String,
    pub mode: Mode,
    /// The keys and wildcards it is about.
    pub actions: Vec<Permission>,
    pub rules: Vec<Rule>,
    /// What decides instead of rules.
    pub module: Option<Module>,
    /// The path of the decision that is asked for outside instead.
    pub outside: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub effect: Effect,
    /// None: always.
    pub condition: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test { of: Attribute, test: Test },
}

/// What a test looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    UserId,
    UserTenant,
    UserDepartment,
    UserRegion,
    /// The names of the roles that somebody has now, inherited ones included.
    UserRoles,
    /// The names of the groups that somebody is in now, those around them included.
    UserGroups,
    /// A path in the attributes of the account.
    UserOther(Vec<String>),
    ResourceDepartment,
    ResourceRegion,
    /// A path in what else is known of the thing.
    ResourceOther(Vec<String>),
    EnvTime,
    EnvAddress,
    EnvDevice,
    EnvAssurance,
    /// A path in what a trusted program says of the request that it asks about.
    EnvContext(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Value(Value),
    Attribute(Attribute),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Equal(Operand),
    Unequal(Operand),
    OneOf(Vec<Value>),
    Contains(Operand),
    StartsWith(String),
    Compared(Comparison, Bound),
    Between(Bound, Bound),
    Exists(bool),
    Within(Vec<IpNet>),
    NotWithin(Vec<IpNet>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What something is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    Number(f64),
    Moment(DateTime<Utc>),
    /// A time of day, at an offset from UTC.
    Clock(NaiveTime, FixedOffset),
}

/// What a request is known by besides its caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    pub address: Option<IpAddr>,
    /// The kind of device, one of [`crate::base::server::agents::KINDS`].
    pub device: Option<&'static str>,
    /// 1: one factor; 2: also a second one, or a passkey.
    pub assurance: u8,
}

/// Whom and what a policy is judged on.
#[derive(Clone, Copy)]
pub struct Situation<'a> {
    pub snapshot: &'a Snapshot,
    pub user: UserId,
    pub person: &'a PersonGrants,
    /// None: nobody asks about one permission alone.
    pub action: Option<&'a Permission>,
    /// None: nothing is known of the thing yet.
    pub facts: Option<&'a Facts>,
    /// None: nothing is known of the request.
    pub env: Option<&'a Env>,
    /// What a trusted program says of the request. Of one that is made here nobody says anything.
    pub context: Option<&'a Value>,
    /// None, or without a policy: nobody was asked outside.
    pub told: Option<&'a Told>,
    pub now: DateTime<Utc>,
}

/// What a policy says about a situation; `None` is what depends on what is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Say {
    /// Whatever allows.
    pub denies: Option<bool>,
    /// By itself.
    pub allows: Option<bool>,
    /// It could not be evaluated, and denies therefore.
    pub fails: bool,
    /// It is decided outside, where nobody was asked.
    pub outside: bool,
}

impl Say {
    /// Whether somebody may have more by this than by what was said before.
    pub fn is_more_than(self, before: Say) -> bool {
        let rank = |answer: Option<bool>| match answer {
            Some(false) => 0,
            None => 1,
            Some(true) => 2,
        };
        rank(self.allows) > rank(before.allows) || rank(self.denies) < rank(before.denies)
    }

    /// A policy that says nothing.
    pub const NOTHING: Say = Say { denies: Some(false), allows: Some(false), fails: false, outside: false };

    /// Whether nobody can tell yet.
    pub fn is_open(self) -> bool {
        self.denies.is_none() || self.allows.is_none()
    }
}

impl Policy {
    /// Whether it has a say about a permission. About a wildcard it has as soon as a part of it is concerned.
    pub fn concerns(&self, permission: &Permission) -> bool {
        self.actions.iter().any(|action| action.covers(permission) || permission.covers(action))
    }

    /// Whether an allow of it would give all of a permission.
    pub fn gives(&self, permission: &Permission) -> bool {
        self.mode == Mode::Grant && self.actions.iter().any(|action| action.covers(permission))
    }

    /// Whether it looks at anything of an account, or at its roles or groups.
    pub fn reads_people(&self) -> bool {
        if let Some(module) = &self.module {
            // What one that cannot be read looks at is not known.
            return module.reads().user || !module.is_readable();
        }
        // All that is known is told.
        if self.outside.is_some() {
            return true;
        }
        self.reads_any(Attribute::is_of_person)
    }

    /// Whether it may tell people apart whose grants and fields are the same. What is decided outside is open before it is
    /// asked, and a module that cannot be read fails, whoever they are.
    pub fn reads_ids(&self) -> bool {
        match &self.module {
            Some(module) => module.reads().user,
            None => self.reads_any(|attribute| *attribute == Attribute::UserId),
        }
    }

    /// Whether a condition of its rules looks at an attribute of which this is so.
    fn reads_any(&self, is_so: impl Fn(&Attribute) -> bool + Copy) -> bool {
        fn reads(condition: &Condition, is_so: impl Fn(&Attribute) -> bool + Copy) -> bool {
            match condition {
                Condition::All(parts) | Condition::Any(parts) => parts.iter().any(|part| reads(part, is_so)),
                Condition::Not(part) => reads(part, is_so),
                Condition::Test { of, test } => {
                    let other = match test {
                        Test::Equal(Operand::Attribute(other))
                        | Test::Unequal(Operand::Attribute(other))
                        | Test::Contains(Operand::Attribute(other)) => is_so(other),
                        _ => false,
                    };
                    is_so(of) || other
                }
            }
        }
        self.rules.iter().filter_map(|rule| rule.condition.as_ref()).any(|condition| reads(condition, is_so))
    }

    /// A deny that holds wins. A policy that must hold denies unless one of its allows does; where it has none it holds
    /// whenever it does not deny.
    pub fn says(&self, on: Situation<'_>) -> Say {
        if let Some(module) = &self.module {
            return self.heard(module.judge(on), module.has_deny(), module.has_allow());
        }
        if self.outside.is_some() {
            let verdict = on.told.and_then(|told| told.get(self.id)).unwrap_or(Verdict::Unknown);
            return Say { outside: verdict == Verdict::Unknown, ..self.heard(verdict, true, true) };
        }
        let (mut denies, mut allows, mut can_allow) = (Some(false), Some(false), false);
        for rule in &self.rules {
            let holds = rule.condition.as_ref().map_or(Some(true), |condition| condition.holds(on));
            match rule.effect {
                Effect::Deny => denies = or(denies, holds),
                Effect::Allow => {
                    can_allow = true;
                    allows = or(allows, holds);
                }
            }
        }
        self.by_mode(denies, allows, can_allow)
    }

    /// What denies and allows come to; where it could not allow at all it needs no allow.
    fn by_mode(&self, denies: Option<bool>, allows: Option<bool>, can_allow: bool) -> Say {
        match self.mode {
            Mode::Grant => Say { denies, allows, ..Say::NOTHING },
            Mode::Require if !can_allow => Say { denies, ..Say::NOTHING },
            Mode::Require => Say { denies: or(denies, not(allows)), ..Say::NOTHING },
        }
    }

    /// What a verdict makes it say. Nothing of one that failed is taken for an answer.
    fn heard(&self, verdict: Verdict, has_deny: bool, has_allow: bool) -> Say {
        let (denies, allows) = match verdict {
            Verdict::Failed => return Say { denies: Some(true), fails: true, ..Say::NOTHING },
            Verdict::Says { denies, allows } => (Some(denies), Some(allows)),
            Verdict::Unknown => (if has_deny { None } else { Some(false) }, if has_allow { None } else { Some(false) }),
        };
        self.by_mode(denies, allows, has_allow)
    }

    /// Whether it may give something by itself, as far as it says: one that fails now may answer the next time.
    pub fn may_give(&self, says: Say) -> bool {
        says.allows != Some(false) || (says.fails && self.mode == Mode::Grant)
    }

    /// Whether what it says may have moved between two situations, although it says the same: what it will decide by is not
    /// known, and its text does not tell how.
    pub fn may_move(&self, says: Say) -> bool {
        // Of one that fails in both nothing was learned.
        (self.module.is_some() || self.outside.is_some()) && (says.is_open() || says.fails)
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        (None, _) | (_, None) => None,
    }
}

fn not(a: Option<bool>) -> Option<bool> {
    a.map(|a| !a)
}

/// Unknown where none holds and one is unknown: nothing after that one may be left out.
fn any_of(all: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(false);
    for one in all {
        found = or(found, one);
        if found == Some(true) {
            break;
        }
    }
    found
}

impl Condition {
    pub fn holds(&self, on: Situation<'_>) -> Option<bool> {
        match self {
            Condition::All(parts) => not(any_of(parts.iter().map(|part| not(part.holds(on))))),
            Condition::Any(parts) => any_of(parts.iter().map(|part| part.holds(on))),
            Condition::Not(part) => not(part.holds(on)),
            Condition::Test { of, test } => test.holds(of.seen(on), on),
        }
    }
}

/// What stands in an attribute.
#[derive(Clone, Copy)]
enum Seen<'a> {
    Unknown,
    Missing,
    Text(&'a str),
    Id(uuid::Uuid),
    Number(f64),
    Json(&'a Value),
    Address(IpAddr),
    Moment(DateTime<Utc>),
    Roles,
    Groups,
}

fn text(text: Option<&str>) -> Seen<'_> {
    text.map_or(Seen::Missing, Seen::Text)
}

fn at<'a>(value: &'a Value, path: &[String]) -> Seen<'a> {
    match path.iter().try_fold(value, |value, step| value.get(step)) {
        None | Some(Value::Null) => Seen::Missing,
        Some(Value::String(text)) => Seen::Text(text),
        Some(value) => Seen::Json(value),
    }
}

impl Attribute {
    fn is_of_person(&self) -> bool {
        match self {
            Attribute::UserDepartment
            | Attribute::UserRegion
            | Attribute::UserRoles
            | Attribute::UserGroups
            | Attribute::UserOther(_) => true,
            Attribute::UserId
            | Attribute::UserTenant
            | Attribute::ResourceDepartment
            | Attribute::ResourceRegion
            | Attribute::ResourceOther(_)
            | Attribute::EnvTime
            | Attribute::EnvAddress
            | Attribute::EnvDevice
            | Attribute::EnvAssurance
            | Attribute::EnvContext(_) => false,
        }
    }

    fn seen<'a>(&'a self, on: Situation<'a>) -> Seen<'a> {
        let person = on.person.facts.as_deref();
        match self {
            Attribute::UserId => Seen::Id(on.user.0),
            Attribute::UserTenant => Seen::Id(on.snapshot.tenant.0),
            Attribute::UserDepartment => text(person.and_then(|facts| facts.department.as_deref())),
            Attribute::UserRegion => text(person.and_then(|facts| facts.region.as_deref())),
            Attribute::UserRoles => Seen::Roles,
            Attribute::UserGroups => Seen::Groups,
            Attribute::UserOther(path) => person.map_or(Seen::Missing, |facts| at(&facts.other, path)),
            Attribute::ResourceDepartment => on.facts.map_or(Seen::Unknown, |facts| text(facts.department.as_deref())),
            Attribute::ResourceRegion => on.facts.map_or(Seen::Unknown, |facts| text(facts.region.as_deref())),
            Attribute::ResourceOther(path) => on.facts.map_or(Seen::Unknown, |facts| at(&facts.other, path)),
            Attribute::EnvTime => Seen::Moment(on.now),
            Attribute::EnvAddress => {
                on.env.map_or(Seen::Unknown, |env| env.address.map_or(Seen::Missing, Seen::Address))
            }
            Attribute::EnvDevice => on.env.map_or(Seen::Unknown, |env| text(env.device)),
            Attribute::EnvAssurance => on.env.map_or(Seen::Unknown, |env| Seen::Number(f64::from(env.assurance))),
            Attribute::EnvContext(path) => match (on.context, on.env) {
                (Some(context), _) => at(context, path),
                (None, Some(_)) => Seen::Missing,
                (None, None) => Seen::Unknown,
            },
        }
    }
}

impl Seen<'_> {
    fn equals(self, value: &Value) -> bool {
        match (self, value) {
            (Seen::Text(text), Value::String(value)) => text == value,
            (Seen::Id(id), Value::String(value)) => uuid::Uuid::parse_str(value) == Ok(id),
            (Seen::Number(number), Value::Number(value)) => value.as_f64() == Some(number),
            (Seen::Json(Value::Number(seen)), Value::Number(value)) => seen == value || seen.as_f64() == value.as_f64(),
            (Seen::Json(seen), value) => seen == value,
            _ => false,
        }
    }

    /// Equality of two attributes. What is missing equals nothing, not even what is missing as well.
    fn is_same(self, other: Seen<'_>) -> bool {
        match (self, other) {
            (Seen::Text(a), Seen::Text(b)) => a == b,
            (Seen::Id(a), Seen::Id(b)) => a == b,
            (Seen::Id(id), Seen::Text(text)) | (Seen::Text(text), Seen::Id(id)) => {
                uuid::Uuid::parse_str(text) == Ok(id)
            }
            (Seen::Number(a), Seen::Number(b)) => a == b,
            (Seen::Json(a), b) => b.equals(a),
            (a, Seen::Json(b)) => a.equals(b),
            (Seen::Address(a), Seen::Address(b)) => a == b,
            (Seen::Moment(a), Seen::Moment(b)) => a == b,
            _ => false,
        }
    }

    fn as_text(&self) -> Option<&str> {
        match self {
            Seen::Text(text) => Some(text),
            Seen::Json(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    fn compared(self, bound: &Bound) -> Option<Ordering> {
        match (self, bound) {
            (Seen::Number(number), Bound::Number(bound)) => number.partial_cmp(bound),
            (Seen::Json(Value::Number(number)), Bound::Number(bound)) => number.as_f64()?.partial_cmp(bound),
            (Seen::Moment(moment), Bound::Moment(bound)) => Some(moment.cmp(bound)),
            (Seen::Moment(moment), Bound::Clock(time, offset)) => {
                // By hand: the last moment there is has no local time.
                let of_day = i64::from(moment.num_seconds_from_midnight()) + i64::from(offset.local_minus_utc());
                Some(of_day.rem_euclid(24 * 60 * 60).cmp(&i64::from(time.num_seconds_from_midnight())))
            }
            (Seen::Text(text), Bound::Moment(bound)) => Some(moment(text)?.cmp(bound)),
            _ => None,
        }
    }
}

impl Test {
    fn holds(&self, seen: Seen<'_>, on: Situation<'_>) -> Option<bool> {
        let other = |operand: &Operand, is: &dyn Fn(Seen<'_>) -> bool| match operand {
            Operand::Value(value) => match value {
                Value::String(text) => Some(is(Seen::Text(text))),
                value => Some(is(Seen::Json(value))),
            },
            Operand::Attribute(other) => match other.seen(on) {
                Seen::Unknown => None,
                Seen::Missing => Some(false),
                seen => Some(is(seen)),
            },
        };
        match (seen, self) {
            (Seen::Unknown, _) => None,
            (Seen::Missing, Test::Exists(wanted)) => Some(!wanted),
            (Seen::Missing, _) => Some(false),
            (Seen::Roles | Seen::Groups, test) => {
                let has = |name: &str| match seen {
                    Seen::Roles => on.snapshot.has_role_called(on.person, name, on.now),
                    _ => on.snapshot.is_in_group_called(on.person, name, on.now),
                };
                match test {
                    Test::Contains(operand) => other(operand, &|seen| seen.as_text().is_some_and(has)),
                    Test::OneOf(values) => Some(values.iter().filter_map(Value::as_str).any(has)),
                    Test::Exists(wanted) => Some(*wanted),
                    _ => Some(false),
                }
            }
            (_, Test::Exists(wanted)) => Some(*wanted),
            (_, Test::Equal(operand)) => other(operand, &|value| seen.is_same(value)),
            (_, Test::Unequal(operand)) => other(operand, &|value| !seen.is_same(value)),
            (_, Test::OneOf(values)) => Some(values.iter().any(|value| seen.equals(value))),
            (Seen::Json(Value::Array(items)), Test::Contains(operand)) => {
                other(operand, &|value| items.iter().any(|item| value.equals(item)))
            }
            (_, Test::Contains(operand)) => other(operand, &|value| match (seen.as_text(), value.as_text()) {
                (Some(text), Some(part)) => text.contains(part),
                _ => false,
            }),
            (_, Test::StartsWith(start)) => Some(seen.as_text().is_some_and(|text| text.starts_with(start.as_str()))),
            (_, Test::Compared(comparison, bound)) => {
                Some(seen.compared(bound).is_some_and(|order| comparison.fits(order)))
            }
            (_, Test::Between(from, to)) => Some(match (from, to) {
                // Over midnight: from ten in the evening until six in the morning.
                (Bound::Clock(start, _), Bound::Clock(end, _)) if start > end => {
                    seen.compared(from).is_some_and(Ordering::is_ge) || seen.compared(to).is_some_and(Ordering::is_le)
                }
                _ => seen.compared(from).is_some_and(Ordering::is_ge) && seen.compared(to).is_some_and(Ordering::is_le),
            }),
            (Seen::Address(address), Test::Within(nets)) => Some(nets.iter().any(|net| net.contains(&address))),
            (Seen::Address(address), Test::NotWithin(nets)) => Some(!nets.iter().any(|net| net.contains(&address))),
            (_, Test::Within(_) | Test::NotWithin(_)) => Some(false),
        }
    }
}

impl Comparison {
    fn fits(self, order: Ordering) -> bool {
        match self {
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
        }
    }
}

/// RFC 3339, or a day, which begins at midnight UTC.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    Some(text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN).and_utc())
}

/// `09:30`, or with an offset `09:30+03:00`.
fn clock(text: &str) -> Option<(NaiveTime, FixedOffset)> {
    let (time, offset) = match text.find(['+', '-', 'Z']) {
        Some(place) => text.split_at(place),
        None => (text, "Z"),
    };
    let time = NaiveTime::parse_from_str(time, "%H:%M").ok()?;
    let offset = if offset == "Z" { "+00:00" } else { offset };
    Some((time, offset.parse::<FixedOffset>().ok()?))
}

/// Reads rules. Every place that is wrong is named as a path of the document: `rules[0].condition.and[1]`.
pub fn parse_rules(rules: &Value, errors: &mut FieldErrors) -> Vec<Rule> {
    let Some(list) = rules.as_array() else {
        errors.add("rules", FieldCode::Malformed);
        return Vec::new();
    };
    if list.is_empty() {
        errors.add("rules", FieldCode::Required);
    }
    if list.len() > RULES {
        errors.add("rules", FieldCode::TooLong);
        return Vec::new();
    }
    let mut reader = Reader { errors, tests: 0 };
    let rules = list.iter().enumerate().filter_map(|(at, rule)| reader.rule(rule, &format!("rules[{at}]")));
    rules.collect()
}

struct Reader<'a> {
    errors: &'a mut FieldErrors,
    tests: usize,
}

impl Reader<'_> {
    fn wrong<T>(&mut self, at: &str, code: FieldCode) -> Option<T> {
        self.errors.add(at, code);
        None
    }

    fn rule(&mut self, rule: &Value, at: &str) -> Option<Rule> {
        let Some(fields) = rule.as_object() else { return self.wrong(at, FieldCode::Malformed) };
        for name in fields.keys().filter(|name| !matches!(name.as_str(), "effect" | "condition")) {
            self.errors.add(format!("{at}.{name}"), FieldCode::UnknownField);
        }
        let effect = match fields.get("effect").map(Value::as_str) {
            Some(Some("allow")) => Some(Effect::Allow),
            Some(Some("deny")) => Some(Effect::Deny),
            Some(_) => self.wrong(&format!("{at}.effect"), FieldCode::Unknown),
            None => self.wrong(&format!("{at}.effect"), FieldCode::Required),
        };
        let condition = match fields.get("condition") {
            None => None,
            Some(condition) => Some(self.condition(condition, &format!("{at}.condition"), 0)?),
        };
        Some(Rule { effect: effect?, condition })
    }

    /// Several entries of one object must all hold.
    fn condition(&mut self, condition: &Value, at: &str, depth: usize) -> Option<Condition> {
        let Some(fields) = condition.as_object() else { return self.wrong(at, FieldCode::Malformed) };
        if fields.is_empty() {
            return self.wrong(at, FieldCode::Required);
        }
        if depth >= DEEPEST {
            return self.wrong(at, FieldCode::TooDeep);
        }
        let mut parts = Vec::new();
        for (name, value) in fields {
            let at = format!("{at}.{name}");
            parts.push(match name.as_str() {
                "and" => self.list(value, &at, depth).map(Condition::All),
                "or" => self.list(value, &at, depth).map(Condition::Any),
                "not" => self.condition(value, &at, depth + 1).map(|part| Condition::Not(Box::new(part))),
                _ => self.tests(name, value, &at),
            });
        }
        // All are read before one that is wrong ends it.
        let mut parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        if parts.len() == 1 { parts.pop() } else { Some(Condition::All(parts)) }
    }

    fn list(&mut self, list: &Value, at: &str, depth: usize) -> Option<Vec<Condition>> {
        let Some(list) = list.as_array() else { return self.wrong(at, FieldCode::Malformed) };
        if list.is_empty() {
            return self.wrong(at, FieldCode::Required);
        }
        let read = |(place, part)| self.condition(part, &format!("{at}[{place}]"), depth + 1);
        let parts = list.iter().enumerate().map(read).collect::<Vec<_>>();
        parts.into_iter().collect()
    }

    /// `{"user.level": 3}` or `{"user.level": {"gte": 3, "lt": 7}}`.
    fn tests(&mut self, name: &str, value: &Value, at: &str) -> Option<Condition> {
        let of = self.attribute(name, at);
        let tests = match value {
            Value::Object(operators) if operators.is_empty() => return self.wrong(at, FieldCode::Required),
            Value::Object(operators) => operators
                .iter()
                .map(|(operator, operand)| {
                    let at = format!("{at}.{operator}");
                    let of = of.as_ref()?;
                    Some((of.clone(), self.test(of, operator, operand, &at)?))
                })
                .collect::<Vec<_>>(),
            value => {
                let test = of.clone().and_then(|of| Some((of.clone(), self.test(&of, "eq", value, at)?)));
                vec![test]
            }
        };
        self.tests += tests.len();
        if self.tests > TESTS {
            return self.wrong(at, FieldCode::TooLong);
        }
        let tests = tests.into_iter().collect::<Option<Vec<_>>>()?;
        let mut tests = tests.into_iter().map(|(of, test)| Condition::Test { of, test }).collect::<Vec<_>>();
        if tests.len() == 1 { tests.pop() } else { Some(Condition::All(tests)) }
    }

    fn attribute(&mut self, name: &str, at: &str) -> Option<Attribute> {
        let is_word = |step: &str| {
            !step.is_empty()
                && step.len() <= 64
                && step.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        let Some((root, rest)) = name.split_once('.') else { return self.wrong(at, FieldCode::Unknown) };
        let path = rest.split('.').map(ToOwned::to_owned).collect::<Vec<_>>();
        if path.len() > DEEPEST || !path.iter().all(|step| is_word(step)) {
            return self.wrong(at, FieldCode::Malformed);
        }
        Some(match (root, rest) {
            ("user", "id") => Attribute::UserId,
            ("user", "tenant") => Attribute::UserTenant,
            ("user", "department") => Attribute::UserDepartment,
            ("user", "region") => Attribute::UserRegion,
            ("user", "roles") => Attribute::UserRoles,
            ("user", "groups") => Attribute::UserGroups,
            ("user", _) => Attribute::UserOther(path),
            ("resource", "department") => Attribute::ResourceDepartment,
            ("resource", "region") => Attribute::ResourceRegion,
            ("resource", _) => Attribute::ResourceOther(path),
            ("env", "time") => Attribute::EnvTime,
            ("env", "address") => Attribute::EnvAddress,
            ("env", "device") => Attribute::EnvDevice,
            ("env", "assurance") => Attribute::EnvAssurance,
            // A name space of its own: nothing that is said there stands for what we know ourselves.
            ("env", rest) if rest.starts_with("context.") => Attribute::EnvContext(path[1..].to_vec()),
            _ => return self.wrong(at, FieldCode::Unknown),
        })
    }

    fn test(&mut self, of: &Attribute, operator: &str, operand: &Value, at: &str) -> Option<Test> {
        match of {
            Attribute::EnvAddress => return self.address_test(operator, operand, at),
            // A set has members and no value of its own.
            Attribute::UserRoles | Attribute::UserGroups if !matches!(operator, "contains" | "in" | "exists") => {
                return self.wrong(at, FieldCode::Unknown);
            }
            Attribute::EnvTime if !matches!(operator, "gt" | "gte" | "lt" | "lte" | "between") => {
                return self.wrong(at, FieldCode::Unknown);
            }
            _ => {}
        }
        Some(match operator {
            "eq" => Test::Equal(self.operand(operand, at)?),
            "ne" => Test::Unequal(self.operand(operand, at)?),
            "contains" => Test::Contains(self.operand(operand, at)?),
            "in" => Test::OneOf(self.values(operand, at)?),
            "starts_with" => match operand.as_str() {
                Some(start) if !start.is_empty() && start.len() <= LONGEST => Test::StartsWith(start.to_owned()),
                _ => return self.wrong(at, FieldCode::Malformed),
            },
            "gt" => Test::Compared(Comparison::Greater, self.bound(of, operand, at)?),
            "gte" => Test::Compared(Comparison::GreaterOrEqual, self.bound(of, operand, at)?),
            "lt" => Test::Compared(Comparison::Less, self.bound(of, operand, at)?),
            "lte" => Test::Compared(Comparison::LessOrEqual, self.bound(of, operand, at)?),
            "between" => match operand.as_array().map(Vec::as_slice) {
                Some([from, to]) => {
                    let from = self.bound(of, from, &format!("{at}[0]"));
                    let to = self.bound(of, to, &format!("{at}[1]"));
                    Test::Between(from?, to?)
                }
                _ => return self.wrong(at, FieldCode::Malformed),
            },
            "exists" => match operand.as_bool() {
                Some(wanted) => Test::Exists(wanted),
                None => return self.wrong(at, FieldCode::Malformed),
            },
            _ => return self.wrong(at, FieldCode::Unknown),
        })
    }

    fn address_test(&mut self, operator: &str, operand: &Value, at: &str) -> Option<Test> {
        let listed = match (operator, operand) {
            ("exists", Value::Bool(wanted)) => return Some(Test::Exists(*wanted)),
            ("in", Value::Array(list)) if !list.is_empty() && list.len() <= VALUES => list.as_slice(),
            ("eq" | "ne", one @ Value::String(_)) => std::slice::from_ref(one),
            ("exists" | "in" | "eq" | "ne", _) => return self.wrong(at, FieldCode::Malformed),
            _ => return self.wrong(at, FieldCode::Unknown),
        };
        let net = |value: &Value| {
            let text = value.as_str()?;
            text.parse::<IpNet>().ok().or_else(|| Some(IpNet::from(text.parse::<IpAddr>().ok()?)))
        };
        match listed.iter().map(net).collect::<Option<Vec<_>>>() {
            Some(nets) if operator == "ne" => Some(Test::NotWithin(nets)),
            Some(nets) => Some(Test::Within(nets)),
            None => self.wrong(at, FieldCode::Malformed),
        }
    }

    /// A value, or another attribute: `{"ref": "user.department"}`.
    fn operand(&mut self, operand: &Value, at: &str) -> Option<Operand> {
        if let Value::Object(fields) = operand {
            return match (fields.len(), fields.get("ref")) {
                (1, Some(Value::String(name))) => {
                    let other = self.attribute(name, at)?;
                    if matches!(other, Attribute::UserRoles | Attribute::UserGroups) {
                        return self.wrong(at, FieldCode::Unknown);
                    }
                    Some(Operand::Attribute(other))
                }
                _ => self.wrong(at, FieldCode::Malformed),
            };
        }
        self.value(operand, at).map(Operand::Value)
    }

    fn values(&mut self, list: &Value, at: &str) -> Option<Vec<Value>> {
        match list.as_array() {
            Some(list) if !list.is_empty() && list.len() <= VALUES => {
                let read = |(place, value)| self.value(value, &format!("{at}[{place}]"));
                let values = list.iter().enumerate().map(read).collect::<Vec<_>>();
                values.into_iter().collect()
            }
            _ => self.wrong(at, FieldCode::Malformed),
        }
    }

    fn value(&mut self, value: &Value, at: &str) -> Option<Value> {
        match value {
            Value::Bool(_) | Value::Number(_) => Some(value.clone()),
            Value::String(text) if text.len() <= LONGEST => Some(value.clone()),
            Value::String(_) => self.wrong(at, FieldCode::TooLong),
            Value::Null | Value::Array(_) | Value::Object(_) => self.wrong(at, FieldCode::Malformed),
        }
    }

    fn bound(&mut self, of: &Attribute, bound: &Value, at: &str) -> Option<Bound> {
        let read = match bound {
            Value::Number(number) => number.as_f64().map(Bound::Number),
            Value::String(text) => match clock(text) {
                Some((time, offset)) if *of == Attribute::EnvTime => Some(Bound::Clock(time, offset)),
                _ => moment(text).map(Bound::Moment),
            },
            _ => None,
        };
        match read {
            Some(bound) => Some(bound),
            None => self.wrong(at, FieldCode::Malformed),
        }
    }
}

/// How each condition of some rules stands: its place in the document, and whether it holds. For whoever writes them.
pub fn trace(rules: &Value, on: Situation<'_>) -> Vec<(String, Option<bool>)> {
    let mut found = Vec::new();
    for (at, rule) in rules.as_array().into_iter().flatten().enumerate() {
        if let Some(condition) = rule.get("condition") {
            trace_into(condition, &format!("rules[{at}].condition"), on, &mut found);
        }
    }
    found
}

fn trace_into(condition: &Value, at: &str, on: Situation<'_>, found: &mut Vec<(String, Option<bool>)>) {
    let read = |condition: &Value| {
        let mut errors = FieldErrors::default();
        Reader { errors: &mut errors, tests: 0 }.condition(condition, at, 0)
    };
    let mut note = |at: &str, condition: &Value| {
        if let Some(read) = read(condition) {
            found.push((at.to_owned(), read.holds(on)));
        }
    };
    let Some(fields) = condition.as_object() else { return };
    if fields.len() > 1 {
        note(at, condition);
    }
    for (name, value) in fields {
        note(&format!("{at}.{name}"), &Value::Object(Map::from_iter([(name.clone(), value.clone())])));
    }
    for (name, value) in fields {
        let at = format!("{at}.{name}");
        match (name.as_str(), value) {
            ("and" | "or", Value::Array(parts)) => {
                for (place, part) in parts.iter().enumerate() {
                    trace_into(part, &format!("{at}[{place}]"), on, found);
                }
            }
            ("not", part) => trace_into(part, &at, on, found),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
