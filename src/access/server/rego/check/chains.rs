//! No rule may reach itself, none over too many others, and none with too many loops in each other on the way.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Ref, Rule};

use super::{
    Checker, Name,
    names::{head, head_name},
};
use crate::base::errors::FieldCode;

/// How long a chain of rules that use each other may be.
const CHAIN: usize = 12;
/// How many loops may lie in each other along such a chain: the interpreter takes up more of the stack for each of them,
/// also where they follow each other in one body, and the threads of the server have 2 MiB.
pub const LEVELS: usize = 64;

impl Checker<'_, '_> {
    /// No rule may reach itself, none over too many others, and none with too many loops in each other on the way.
    pub(super) fn chains(&mut self) {
        let mut heights = BTreeMap::<Name, (usize, usize)>::new();
        let mut left = self.uses.keys().cloned().collect::<BTreeSet<_>>();
        loop {
            let ready = left.iter().filter_map(|name| {
                let below = self.uses[name].iter().map(|used| heights.get(used).copied());
                let below = below.collect::<Option<Vec<_>>>()?;
                let (highest, deepest) = (below.iter().map(|of| of.0).max(), below.iter().map(|of| of.1).max());
                let own = self.levels.get(name).copied().unwrap_or_default();
                let height = 1 + highest.unwrap_or_default();
                Some((name.clone(), (height, own.saturating_add(deepest.unwrap_or_default()))))
            });
            let ready = ready.collect::<Vec<_>>();
            if ready.is_empty() {
                break;
            }
            for (name, height) in ready {
                left.remove(&name);
                heights.insert(name, height);
            }
        }
        // What only uses one that reaches itself is not what is wrong.
        left.retain(|name| {
            let mut seen = BTreeSet::new();
            let mut next = vec![name];
            while let Some(of) = next.pop() {
                let used = self.uses.get(of).into_iter().flatten();
                next.extend(used.filter(|used| seen.insert(*used)));
            }
            seen.contains(name)
        });
        let is_too_deep = |of: &(Name, (usize, usize))| of.1.0 > CHAIN || of.1.1 > LEVELS;
        left.extend(heights.into_iter().filter(is_too_deep).map(|(name, _)| name));
        for (number, name) in left {
            let module = self.sources[number].module;
            let is_it = |rule: &&Ref<Rule>| {
                matches!(&***rule, Rule::Spec { .. }) && head_name(head(rule)).is_some_and(|(found, _)| found == name)
            };
            self.at.0 = number;
            if let Some(rule) = module.policy.iter().find(is_it) {
                self.wrong(rule.span(), FieldCode::TooDeep);
            }
        }
    }
}
