//! What a policy says, as a sentence in either language, for whoever is about to grant what it has a say about (C5, C14).

use serde_json::Value;

use crate::{
    access::{
        PolicyEffect, PolicyMode,
        server::policy::{Attribute, Bound, Comparison, Condition, Operand, Policy, Test},
    },
    base::language::{self, td_string},
    i18n::Locale,
};

/// How many of its conditions, or of the values of one, are told; the page of the policy has all of them.
const TOLD: usize = 6;

/// The first of these, and a sign that there are more: without it the sentence would say something else.
fn told(parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut told = parts.take(TOLD + 1).collect::<Vec<_>>();
    if let Some(next) = told.get_mut(TOLD) {
        "…".clone_into(next);
    }
    told
}

/// When what others give counts, and when it does not. Names and values stand between isolating characters.
pub fn sentence(locale: Locale, policy: &Policy) -> String {
    if policy.module.is_some() {
        return td_string!(locale, roles.policy_by_module).to_owned();
    }
    if policy.outside.is_some() {
        return td_string!(locale, roles.policy_by_agent).to_owned();
    }
    let rules = |effect: PolicyEffect| {
        let rules = policy.rules.iter().filter(|rule| rule.effect == effect).collect::<Vec<_>>();
        let always = rules.iter().any(|rule| rule.condition.is_none());
        let when = rules.iter().filter_map(|rule| rule.condition.as_ref());
        let when = told(when.map(|condition| phrase(locale, condition)));
        (!rules.is_empty()).then(|| if always { String::new() } else { any(locale, when) })
    };
    let allows = rules(PolicyEffect::Allow).map(|when| match (policy.mode, when.is_empty()) {
        // One that must hold and always does narrows nothing.
        (PolicyMode::Require, true) => String::new(),
        (PolicyMode::Require, false) => td_string!(locale, roles.policy_only_when, when = when).to_string(),
        (PolicyMode::Grant, true) => td_string!(locale, roles.policy_gives_always).to_owned(),
        (PolicyMode::Grant, false) => td_string!(locale, roles.policy_gives_when, when = when).to_string(),
    });
    let denies = rules(PolicyEffect::Deny).map(|when| {
        if when.is_empty() {
            td_string!(locale, roles.policy_never).to_owned()
        } else {
            td_string!(locale, roles.policy_not_when, when = when).to_string()
        }
    });
    let said = [allows, denies].into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    if said.is_empty() { td_string!(locale, roles.policy_always).to_owned() } else { said.join(" ") }
}

fn any(locale: Locale, parts: Vec<String>) -> String {
    parts.join(td_string!(locale, roles.or_separator))
}

fn phrase(locale: Locale, condition: &Condition) -> String {
    let phrases = |parts: &[Condition]| told(parts.iter().map(|part| phrase(locale, part)));
    match condition {
        Condition::All(parts) => phrases(parts).join(td_string!(locale, roles.and_separator)),
        Condition::Any(parts) if parts.len() == 1 => any(locale, phrases(parts)),
        Condition::Any(parts) => format!("({})", any(locale, phrases(parts))),
        Condition::Not(part) => {
            let what = phrase(locale, part);
            td_string!(locale, roles.policy_not, what = what).to_string()
        }
        Condition::Test { of, test } => tested(locale, of, test),
    }
}

fn tested(locale: Locale, of: &Attribute, test: &Test) -> String {
    let (word, value) = match test {
        Test::Equal(operand) => (td_string!(locale, policies.test_eq), operand_text(operand)),
        Test::Unequal(operand) => (td_string!(locale, policies.test_ne), operand_text(operand)),
        Test::Contains(operand) => (td_string!(locale, policies.test_contains), operand_text(operand)),
        Test::OneOf(values) => (td_string!(locale, policies.test_in), list(locale, values.iter().map(value_text))),
        Test::StartsWith(text) => (td_string!(locale, policies.test_starts_with), text.clone()),
        Test::Compared(comparison, bound) => {
            let word = match comparison {
                Comparison::Greater => td_string!(locale, policies.test_gt),
                Comparison::GreaterOrEqual => td_string!(locale, policies.test_gte),
                Comparison::Less => td_string!(locale, policies.test_lt),
                Comparison::LessOrEqual => td_string!(locale, policies.test_lte),
            };
            (word, bound_text(bound))
        }
        Test::Between(from, to) => {
            (td_string!(locale, policies.test_between), format!("{} – {}", bound_text(from), bound_text(to)))
        }
        Test::Exists(true) => (td_string!(locale, policies.test_exists), String::new()),
        Test::Exists(false) => (td_string!(locale, policies.test_missing), String::new()),
        Test::Within(nets) => {
            (td_string!(locale, policies.test_in), list(locale, nets.iter().map(ToString::to_string)))
        }
        Test::NotWithin(nets) => {
            (td_string!(locale, roles.test_not_in), list(locale, nets.iter().map(ToString::to_string)))
        }
    };
    let value = if value.is_empty() { value } else { format!(" {}", language::isolate(&value)) };
    // A key reads from left to right in either language.
    format!("\u{2066}{}\u{2069} {word}{value}", written(of))
}

fn list(locale: Locale, values: impl Iterator<Item = String>) -> String {
    told(values).join(td_string!(locale, base.list_separator))
}

fn operand_text(operand: &Operand) -> String {
    match operand {
        Operand::Value(value) => value_text(value),
        Operand::Attribute(other) => written(other),
    }
}

fn value_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn bound_text(bound: &Bound) -> String {
    match bound {
        Bound::Number(number) => number.to_string(),
        Bound::Moment(moment) => moment.format("%Y-%m-%d %H:%M UTC").to_string(),
        Bound::Clock(time, offset) => format!("{} {offset}", time.format("%H:%M")),
    }
}

/// An attribute as policies name it.
fn written(of: &Attribute) -> String {
    let path = |root: &str, path: &[String]| format!("{root}.{}", path.join("."));
    match of {
        Attribute::UserId => "user.id".to_owned(),
        Attribute::UserTenant => "user.tenant".to_owned(),
        Attribute::UserDepartment => "user.department".to_owned(),
        Attribute::UserRegion => "user.region".to_owned(),
        Attribute::UserRoles => "user.roles".to_owned(),
        Attribute::UserGroups => "user.groups".to_owned(),
        Attribute::UserOther(rest) => path("user", rest),
        Attribute::ResourceDepartment => "resource.department".to_owned(),
        Attribute::ResourceRegion => "resource.region".to_owned(),
        Attribute::ResourceOther(rest) => path("resource", rest),
        Attribute::EnvTime => "env.time".to_owned(),
        Attribute::EnvAddress => "env.address".to_owned(),
        Attribute::EnvDevice => "env.device".to_owned(),
        Attribute::EnvAssurance => "env.assurance".to_owned(),
        Attribute::EnvContext(rest) => path("env.context", rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C5, C14: a sentence that leaves conditions or values out says that there are more.
    #[test]
    fn what_is_left_out_is_marked() {
        let regions = |many: usize| {
            let values = (0..many).map(|number| Value::from(format!("r{number}"))).collect();
            Condition::Test { of: Attribute::UserRegion, test: Test::OneOf(values) }
        };
        for locale in [Locale::ar, Locale::en] {
            let told = |condition: &Condition| phrase(locale, condition);
            assert!(!told(&regions(TOLD)).contains('…'));
            let cut = told(&regions(TOLD + 1));
            assert!(cut.contains("r5") && cut.contains('…') && !cut.contains("r6"), "{cut}");
            let all = |many: usize| Condition::All((0..many).map(|_| regions(1)).collect());
            assert!(!told(&all(TOLD)).contains('…'));
            let cut = told(&all(TOLD + 2));
            assert_eq!((cut.matches("user.region").count(), cut.ends_with('…')), (TOLD, true), "{cut}");
        }
    }
}
