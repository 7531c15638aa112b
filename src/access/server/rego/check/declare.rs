//! What a module is called, what it imports, and the names of its rules.

use std::collections::BTreeMap;

use regorus::unstable::{Module, Rule, RuleHead};

use super::{
    Checker, Source, field,
    functions::BUILTINS,
    names::{dotted, head_name},
};
use crate::base::errors::FieldCode;

/// How many rules a module may have, its defaults included.
const RULES: usize = 100;
/// How many rules its tests may have.
const TEST_RULES: usize = 200;

impl<'a> Checker<'a, '_> {
    /// Reads what a module is called, what it imports, and the names of its rules.
    pub(super) fn declare(&mut self, number: usize, module: &'a Module) -> Option<()> {
        self.at = (number, 0, String::new());
        let Some(package) = dotted(&module.package.refr).filter(|path| path.len() <= 8) else {
            self.wrong(&module.package.span, FieldCode::Malformed);
            return None;
        };
        let mut aliases = Vec::new();
        for import in &module.imports {
            let path = dotted(&import.refr).unwrap_or_default();
            let path = path.iter().map(String::as_str).collect::<Vec<_>>();
            match path.as_slice() {
                ["rego", "v1"] | ["future", "keywords"] | ["future", "keywords", _] => {}
                ["data", rest @ ..] if number == 1 && self.sources[0].package == rest => {
                    let last = rest.last().map(|last| (*last).to_owned()).unwrap_or_default();
                    aliases.push(import.r#as.as_ref().map_or(last, |name| name.text().to_owned()));
                }
                _ => self.wrong(&import.span, FieldCode::Unknown),
            }
        }
        let most = if number == 0 { RULES } else { TEST_RULES };
        if module.policy.len() > most {
            self.errors.add(field(number), FieldCode::TooLong);
            return None;
        }
        let mut rules = BTreeMap::new();
        for rule in &module.policy {
            let (refr, args) = match &**rule {
                Rule::Spec { head, .. } => match head {
                    RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } => (refr, None),
                    RuleHead::Func { refr, args, .. } => (refr, Some(args.len())),
                },
                Rule::Default { refr, args, .. } => (refr, (!args.is_empty()).then_some(args.len())),
            };
            let Some((name, is_part)) = head_name(refr) else {
                self.wrong(rule.span(), FieldCode::Malformed);
                continue;
            };
            let is_taken = BUILTINS.iter().any(|(builtin, ..)| builtin.split('.').next() == Some(name.as_str()))
                || matches!(name.as_str(), "input" | "data" | "_" | "rego" | "http" | "opa" | "io");
            let differs = rules.get(&name).is_some_and(|before| *before != args);
            let of_policy = number == 1
                && (self.sources[0].package == package && self.sources[0].rules.contains_key(&name)
                    || aliases.contains(&name));
            // Answers are complete rules: a set is true even when it is empty.
            let is_set = matches!(&**rule, Rule::Spec { head: RuleHead::Set { .. }, .. });
            let is_answer = number == 0 && matches!(name.as_str(), "allow" | "deny");
            if is_taken || differs || of_policy || (args.is_some() && is_part) {
                self.wrong(rule.span(), FieldCode::Taken);
            } else if is_answer && (is_part || is_set || args.is_some()) {
                self.wrong(rule.span(), FieldCode::Malformed);
            }
            rules.insert(name, args);
        }
        if number == 0 && !rules.contains_key("allow") && !rules.contains_key("deny") {
            self.errors.add("module", FieldCode::Required);
        }
        self.sources.push(Source { module, package, rules, aliases });
        Some(())
    }
}
