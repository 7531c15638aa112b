//! What of Rego is allowed. Everything is read from the syntax tree before anything is evaluated; in doubt it is refused.
//!
//! Refused is what the time limit does not stop in time: rules and functions that reach themselves, trees that are too deep
//! for a stack, calls that build something large at once, and values that are put together from each other so often that one
//! comparison would take for ever. For the last, each value has a size that it cannot exceed, in multiples of the input.

mod brackets;
mod chains;
mod declare;
mod every;
mod functions;
mod names;
mod sizes;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Module, Ref, Span};

pub use self::brackets::is_nested_too_deep;
#[cfg(test)]
pub use self::chains::LEVELS;
use super::Reads;
use crate::base::errors::{FieldCode, FieldErrors};

/// How deep expressions may lie in each other.
const DEEPEST: usize = 24;

/// What was found in a module and its tests.
pub struct Found {
    pub allow: Option<String>,
    pub deny: Option<String>,
    pub reads: Reads,
    /// The paths of the rules of the module that can be asked for by themselves.
    pub rules: Vec<String>,
    /// Each test by its name and its path.
    pub tests: Vec<(String, String)>,
}

/// A rule by its module, 0 the policy and 1 its tests, and by its name.
type Name = (usize, String);

/// Something whose size is bounded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Rule(Name),
    /// What a function is called with.
    Given(Name),
    /// A variable of one rule.
    Local(usize, usize, String),
    Input,
}

/// A node is at least as large as what is put into it.
struct Flow<'a> {
    into: Node,
    from: Vec<&'a Expr>,
    nodes: Vec<Node>,
    times: u64,
    within: (usize, usize),
    at: &'a Span,
}

struct Source<'a> {
    module: &'a Module,
    package: Vec<String>,
    /// The rules by name, each with the number of its arguments where it is a function.
    rules: BTreeMap<String, Option<usize>>,
    /// The names by which tests know the package of the policy.
    aliases: Vec<String>,
}

struct Checker<'a, 'e> {
    sources: Vec<Source<'a>>,
    errors: &'e mut FieldErrors,
    reads: Reads,
    flows: Vec<Flow<'a>>,
    uses: BTreeMap<Name, BTreeSet<Name>>,
    /// How many loops lie in each other in the rule of that name that has the most of them.
    levels: BTreeMap<Name, usize>,
    /// The same of the rule that is walked through.
    level: usize,
    /// The module, the rule's number in it, and its name.
    at: (usize, usize, String),
    depth: usize,
}

/// Checks the policy and, where there is one, the module of its tests.
pub fn check(modules: &[Ref<Module>], errors: &mut FieldErrors) -> Option<Found> {
    let mut checker = Checker {
        sources: Vec::new(),
        errors,
        reads: Reads::default(),
        flows: Vec::new(),
        uses: BTreeMap::new(),
        levels: BTreeMap::new(),
        level: 0,
        at: (0, 0, String::new()),
        depth: 0,
    };
    for (number, module) in modules.iter().enumerate() {
        checker.declare(number, module)?;
    }
    for number in 0..checker.sources.len() {
        let module = checker.sources[number].module;
        for (place, rule) in module.policy.iter().enumerate() {
            checker.rule(number, place, rule);
        }
    }
    // What is refused already need not be followed.
    if checker.errors.0.is_empty() {
        checker.chains();
        checker.sizes();
    }
    checker.errors.0.is_empty().then(|| checker.found())
}

fn field(module: usize) -> &'static str {
    if module == 0 { "module" } else { "tests" }
}

impl Checker<'_, '_> {
    fn wrong(&mut self, span: &Span, code: FieldCode) {
        let place = format!("{}:{}:{}", field(self.at.0), span.line, span.col);
        if !self.errors.0.iter().any(|(found, _)| *found == place) {
            self.errors.add(place, code);
        }
    }

    fn found(self) -> Found {
        let path = |number: usize, name: &str| format!("data.{}.{name}", self.sources[number].package.join("."));
        let own = &self.sources[0];
        let answer = |name: &str| own.rules.contains_key(name).then(|| path(0, name));
        let plain = own.rules.iter().filter(|(_, arguments)| arguments.is_none());
        let tests = self.sources.get(1).into_iter().flat_map(|source| source.rules.iter());
        let tests = tests.filter(|(name, arguments)| name.starts_with("test_") && arguments.is_none());
        Found {
            allow: answer("allow"),
            deny: answer("deny"),
            reads: self.reads,
            rules: plain.map(|(name, _)| path(0, name)).collect(),
            tests: tests.map(|(name, _)| (name.clone(), path(1, name))).collect(),
        }
    }
}
