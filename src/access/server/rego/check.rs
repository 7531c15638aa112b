//! What of Rego is allowed. Everything is read from the syntax tree before anything is evaluated; in doubt it is refused.
//!
//! Refused is what the time limit does not stop in time: rules and functions that reach themselves, trees that are too deep
//! for a stack, calls that build something large at once, and values that are put together from each other so often that one
//! comparison would take for ever. For the last, each value has a size that it cannot exceed, in multiples of the input.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{
    ArithOp, AssignOp, Expr, Literal, LiteralStmt, Module, Query, Ref, Rule, RuleAssign, RuleHead, Span,
};

use super::Reads;
use crate::base::errors::{FieldCode, FieldErrors};

/// How many rules a module may have, its defaults included.
const RULES: usize = 100;
/// How many rules its tests may have.
const TEST_RULES: usize = 200;
/// How deep expressions may lie in each other.
const DEEPEST: usize = 24;
/// How deep lists, objects and bodies may lie in each other.
const BRACKETS: usize = 8;
/// How many steps a reference may have.
const STEPS: usize = 16;
/// How long a chain of rules that use each other may be.
const CHAIN: usize = 12;
/// What a comprehension, or a rule that is a set or an object, may multiply: about what fits into the time limit.
const MANY: u64 = 10_000;
/// How large a value may become.
const LARGEST: u64 = 4_000_000;

/// How what a function answers relates to what it is given.
#[derive(Clone, Copy)]
enum Answers {
    /// A boolean, a number, or a short text.
    Scalar,
    /// Nothing larger than all its arguments.
    Same,
    /// A list of the parts of a text.
    Parts,
    /// A text that repeats what it is given.
    Text,
}

use Answers::{Parts, Same, Scalar, Text};

/// The functions of the language that may be called, with the number of their arguments.
const BUILTINS: &[(&str, usize, Answers)] = &[
    ("abs", 1, Same),
    ("array.concat", 2, Same),
    ("array.reverse", 1, Same),
    ("array.slice", 3, Same),
    ("ceil", 1, Same),
    ("concat", 2, Text),
    ("contains", 2, Scalar),
    ("count", 1, Scalar),
    ("endswith", 2, Scalar),
    ("floor", 1, Same),
    ("glob.match", 3, Scalar),
    ("intersection", 1, Same),
    ("is_array", 1, Scalar),
    ("is_boolean", 1, Scalar),
    ("is_null", 1, Scalar),
    ("is_number", 1, Scalar),
    ("is_object", 1, Scalar),
    ("is_set", 1, Scalar),
    ("is_string", 1, Scalar),
    ("lower", 1, Same),
    ("max", 1, Same),
    ("min", 1, Same),
    ("net.cidr_contains", 2, Scalar),
    ("net.cidr_is_valid", 1, Scalar),
    ("object.filter", 2, Same),
    ("object.get", 3, Same),
    ("object.keys", 1, Same),
    ("object.remove", 2, Same),
    ("object.union", 2, Same),
    ("regex.match", 2, Scalar),
    ("replace", 3, Text),
    ("round", 1, Same),
    ("semver.compare", 2, Scalar),
    ("semver.is_valid", 1, Scalar),
    ("sort", 1, Same),
    ("split", 2, Parts),
    ("startswith", 2, Scalar),
    ("substring", 3, Same),
    ("sum", 1, Same),
    ("time.clock", 1, Scalar),
    ("time.date", 1, Scalar),
    ("time.parse_duration_ns", 1, Scalar),
    ("time.parse_rfc3339_ns", 1, Scalar),
    ("time.weekday", 1, Scalar),
    ("to_number", 1, Scalar),
    ("trim", 2, Same),
    ("trim_left", 2, Same),
    ("trim_prefix", 2, Same),
    ("trim_right", 2, Same),
    ("trim_space", 1, Same),
    ("trim_suffix", 2, Same),
    ("type_name", 1, Scalar),
    ("union", 1, Same),
    ("upper", 1, Same),
];

/// Which argument has to be written out, and how long it may be: the work or the answer grows with it times another one.
const WRITTEN: &[(&str, usize, usize)] = &[
    ("concat", 0, 50),
    ("glob.match", 0, 200),
    ("regex.match", 0, 200),
    ("replace", 2, 50),
    ("trim", 1, 50),
    ("trim_left", 1, 50),
    ("trim_right", 1, 50),
];

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

/// Where lists and objects lie deeper in each other than they may, as a line and a column. It is asked before the parser,
/// which tries each such bracket in several ways, and so takes twice as long for each level.
pub fn is_nested_too_deep(text: &str) -> Option<(usize, usize)> {
    let (mut depth, mut line, mut column) = (0_usize, 1, 0);
    let mut within = None;
    let mut is_escaped = false;
    for sign in text.chars() {
        column += 1;
        if sign == '\n' {
            (line, column) = (line + 1, 0);
            // Only a raw text goes over the end of a line.
            within = within.filter(|within| *within == '`');
            is_escaped = false;
            continue;
        }
        match (within, sign) {
            (Some('"'), _) if is_escaped => is_escaped = false,
            (Some('"'), '\\') => is_escaped = true,
            (Some('"'), '"') | (Some('`'), '`') => within = None,
            (Some(_), _) => {}
            (None, '"' | '`' | '#') => within = Some(sign),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if depth > BRACKETS {
            return Some((line, column));
        }
    }
    None
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

/// A reference as its base and its steps; a step that is not known before it is evaluated is an expression.
fn steps(expr: &Expr) -> (&Expr, Vec<Result<String, &Expr>>) {
    let mut found = Vec::new();
    let mut base = expr;
    loop {
        match base {
            Expr::RefDot { refr, field, .. } => {
                found.push(Ok(field.0.text().to_owned()));
                base = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                found.push(match &**index {
                    Expr::String { value, .. } | Expr::RawString { value, .. } => match value.as_string() {
                        Ok(text) => Ok(text.to_string()),
                        Err(_no_text) => Err(&**index),
                    },
                    index => Err(index),
                });
                base = refr;
            }
            _ => break,
        }
    }
    found.reverse();
    (base, found)
}

/// A path of plain names, as `a.b.c`.
fn dotted(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Var { span, .. } => Some(vec![span.text().to_owned()]),
        Expr::RefDot { refr, field, .. } => {
            let mut path = dotted(refr)?;
            path.push(field.0.text().to_owned());
            Some(path)
        }
        _ => None,
    }
}

/// The name of a rule, and what stands behind it in brackets.
fn head_name(refr: &Expr) -> Option<(String, bool)> {
    let (base, rest) = steps(refr);
    match base {
        Expr::Var { span, .. } => Some((span.text().to_owned(), !rest.is_empty())),
        _ => None,
    }
}

/// The variables that a pattern binds.
fn bound<'a>(pattern: &'a Expr, found: &mut Vec<&'a str>) {
    match pattern {
        Expr::Var { span, .. } => found.push(span.text()),
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| bound(item, found)),
        Expr::Object { fields, .. } => {
            for (_, key, value) in fields {
                bound(key, found);
                bound(value, found);
            }
        }
        _ => {}
    }
}

/// How often a pattern may repeat something, in all.
fn repeats(pattern: &str) -> u64 {
    let mut product = 1_u64;
    for part in pattern.split('{').skip(1) {
        let inner = part.split('}').next().unwrap_or_default();
        for number in inner.split(',').filter_map(|number| number.trim().parse::<u64>().ok()) {
            product = product.saturating_mul(number.max(1));
        }
    }
    product
}

impl<'a> Checker<'a, '_> {
    fn wrong(&mut self, span: &Span, code: FieldCode) {
        let place = format!("{}:{}:{}", field(self.at.0), span.line, span.col);
        if !self.errors.0.iter().any(|(found, _)| *found == place) {
            self.errors.add(place, code);
        }
    }

    /// Reads what a module is called, what it imports, and the names of its rules.
    fn declare(&mut self, number: usize, module: &'a Module) -> Option<()> {
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

    fn rule(&mut self, number: usize, place: usize, rule: &'a Rule) {
        let refr = match rule {
            Rule::Spec { head, .. } => match head {
                RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
            },
            Rule::Default { refr, .. } => refr,
        };
        let Some((name, is_part)) = head_name(refr) else { return };
        let own = (number, name.clone());
        self.at = (number, place, name);
        self.uses.entry(own.clone()).or_default();
        let (_, keys) = steps(refr);
        let keys = keys.into_iter().filter_map(Result::err).collect::<Vec<_>>();
        for key in keys.iter().copied() {
            self.expr(key);
        }
        let times = if is_part { MANY } else { 1 };
        match rule {
            Rule::Default { span, args, value, .. } => {
                args.iter().for_each(|arg| self.expr(arg));
                self.expr(value);
                self.flow(Node::Rule(own), vec![&**value], times, span);
            }
            Rule::Spec { span, head, bodies } => {
                let assigned = |assign: &'a Option<RuleAssign>| assign.as_ref().map(|assign| &*assign.value);
                let (value, times) = match head {
                    RuleHead::Compr { assign, .. } => (assigned(assign), times),
                    RuleHead::Set { key, .. } => (key.as_deref(), MANY),
                    RuleHead::Func { args, assign, .. } => {
                        for arg in args {
                            self.expr(arg);
                            self.bind(arg, Vec::new(), vec![Node::Given(own.clone())], span);
                        }
                        (assigned(assign), 1)
                    }
                };
                for value in value.into_iter().chain(bodies.iter().filter_map(|body| assigned(&body.assign))) {
                    self.expr(value);
                    let from = std::iter::once(value).chain(keys.iter().copied()).collect();
                    self.flow(Node::Rule(own.clone()), from, times, span);
                }
                if bodies.len() > DEEPEST {
                    self.wrong(span, FieldCode::TooLong);
                }
                for body in bodies {
                    self.query(&body.query);
                }
            }
        }
    }

    fn flow(&mut self, into: Node, from: Vec<&'a Expr>, times: u64, at: &'a Span) {
        self.flows.push(Flow { into, from, nodes: Vec::new(), times, within: (self.at.0, self.at.1), at });
    }

    /// Every variable of a pattern is at most as large as what it is taken from.
    fn bind(&mut self, pattern: &'a Expr, from: Vec<&'a Expr>, nodes: Vec<Node>, at: &'a Span) {
        let mut names = Vec::new();
        bound(pattern, &mut names);
        self.bind_names(&names, from, nodes, at);
    }

    fn bind_names(&mut self, names: &[&str], from: Vec<&'a Expr>, nodes: Vec<Node>, at: &'a Span) {
        let within = (self.at.0, self.at.1);
        for name in names {
            let into = Node::Local(within.0, within.1, (*name).to_owned());
            self.flows.push(Flow { into, from: from.clone(), nodes: nodes.clone(), times: 1, within, at });
        }
    }

    fn query(&mut self, query: &'a Query) {
        query.stmts.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        for with in &statement.with_mods {
            // Only what is asked may be stood in for, and only by tests.
            let (base, rest) = steps(&with.refr);
            let is_input = matches!(base, Expr::Var { span, .. } if span.text() == "input");
            if self.at.0 == 0 || !is_input || rest.iter().any(Result::is_err) {
                self.wrong(&with.span, FieldCode::Unknown);
            }
            self.expr(&with.r#as);
            self.flow(Node::Input, vec![&*with.r#as], 1, &with.span);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { span, key, value, collection } => {
                for expr in key.iter().chain([value, collection]) {
                    self.expr(expr);
                }
                for pattern in key.iter().chain([value]) {
                    self.bind(pattern, vec![&**collection], Vec::new(), span);
                }
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
            Literal::Every { span, key, value, domain, query } => {
                self.expr(domain);
                let names = key.iter().chain([value]).map(Span::text).collect::<Vec<_>>();
                self.bind_names(&names, vec![&**domain], Vec::new(), span);
                self.depth += 1;
                if self.depth > DEEPEST {
                    self.wrong(span, FieldCode::TooDeep);
                } else {
                    self.query(query);
                }
                self.depth -= 1;
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.wrong(expr.span(), FieldCode::TooDeep);
        } else {
            self.expr_within(expr);
        }
        self.depth -= 1;
    }

    fn expr_within(&mut self, expr: &'a Expr) {
        match expr {
            Expr::String { .. } | Expr::RawString { .. } | Expr::Bool { .. } | Expr::Null { .. } => {}
            Expr::Number { span, .. } => {
                let text = span.text();
                if text.len() > 20 || text.contains(['e', 'E']) {
                    self.wrong(span, FieldCode::Range);
                }
            }
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr),
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| self.expr(item)),
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.expr(key);
                    self.expr(value);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term);
                self.query(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expr(key);
                self.expr(value);
                self.query(query);
            }
            Expr::Call { span, fcn, params, .. } => {
                params.iter().for_each(|param| self.expr(param));
                self.call(span, fcn, params);
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::BinExpr { lhs, rhs, .. } | Expr::BoolExpr { lhs, rhs, .. } | Expr::ArithExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::AssignExpr { span, op, lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
                self.bind(lhs, vec![&**rhs], Vec::new(), span);
                if *op == AssignOp::Eq {
                    self.bind(rhs, vec![&**lhs], Vec::new(), span);
                }
            }
            Expr::Membership { span, key, value, collection, .. } => {
                for expr in key.iter().chain([value, collection]) {
                    self.expr(expr);
                }
                for pattern in key.iter().chain([value]) {
                    // What is bound already stays what it is; what is not takes its value from there.
                    if matches!(&**pattern, Expr::Array { .. } | Expr::Object { .. }) {
                        self.bind(pattern, vec![&**collection], Vec::new(), span);
                    }
                }
            }
        }
    }

    /// A variable, or a path from one.
    fn reference(&mut self, expr: &'a Expr) {
        let (base, rest) = steps(expr);
        if rest.len() > STEPS {
            return self.wrong(expr.span(), FieldCode::TooDeep);
        }
        for index in rest.iter().filter_map(|step| step.as_ref().err().copied()) {
            self.expr(index);
            self.bind(index, vec![expr], Vec::new(), expr.span());
        }
        let Expr::Var { span, .. } = base else { return self.expr(base) };
        match span.text() {
            "input" => {
                if self.at.0 == 0 {
                    self.read(&rest);
                }
            }
            name => match self.rule_of(expr) {
                Some((used, _)) => {
                    let own = (self.at.0, self.at.2.clone());
                    self.uses.entry(own).or_default().insert(used);
                }
                None if name == "data" || name == "rego" || self.is_alias(name) => {
                    self.wrong(base.span(), FieldCode::Unknown);
                }
                None => {}
            },
        }
    }

    fn is_alias(&self, name: &str) -> bool {
        self.sources.get(self.at.0).is_some_and(|source| source.aliases.iter().any(|alias| alias == name))
    }

    /// The rule that a reference begins with, and how many steps name it.
    fn rule_of(&self, expr: &Expr) -> Option<(Name, usize)> {
        let (base, rest) = steps(expr);
        let Expr::Var { span, .. } = base else { return None };
        self.rule_at(span.text(), &rest)
    }

    fn rule_at(&self, first: &str, rest: &[Result<String, &Expr>]) -> Option<(Name, usize)> {
        let number = self.at.0;
        let own = self.sources.get(number)?;
        let plain = |at: usize| rest.get(at).and_then(|step| step.as_ref().ok());
        if own.rules.contains_key(first) {
            return Some(((number, first.to_owned()), 0));
        }
        let policy = self.sources.first()?;
        if number == 1 && own.package == policy.package && policy.rules.contains_key(first) {
            return Some(((0, first.to_owned()), 0));
        }
        let known = |number: usize, name: &String| self.sources[number].rules.contains_key(name);
        if self.is_alias(first) {
            let name = plain(0).filter(|name| known(0, name))?;
            return Some(((0, name.clone()), 1));
        }
        if first == "data" {
            for (of, source) in self.sources.iter().enumerate().filter(|(of, _)| *of <= number) {
                let length = source.package.len();
                let is_package = (0..length).all(|at| plain(at) == Some(&source.package[at]));
                if let (true, Some(name)) = (is_package, plain(length).filter(|name| known(of, name))) {
                    return Some(((of, name.clone()), length + 1));
                }
            }
        }
        None
    }

    /// Anything but a plain path into the user, the resource, the environment or the action reads everything.
    fn read(&mut self, rest: &[Result<String, &Expr>]) {
        let step = |at: usize| rest.get(at).and_then(|step| step.as_deref().ok());
        match (step(0), step(1)) {
            (Some("user"), _) => self.reads.user = true,
            (Some("resource"), _) => self.reads.resource = true,
            (Some("action"), _) => self.reads.action = true,
            (Some("env"), Some("time")) => {}
            (Some("env"), _) => self.reads.request = true,
            _ => self.reads = Reads { user: true, resource: true, request: true, action: true },
        }
    }

    fn call(&mut self, span: &'a Span, fcn: &'a Expr, params: &'a [Ref<Expr>]) {
        if let Some((name, _)) = self.rule_of(fcn) {
            let arguments = self.sources[name.0].rules.get(&name.1).copied().flatten();
            if arguments != Some(params.len()) {
                return self.wrong(steps(fcn).0.span(), FieldCode::Malformed);
            }
            let own = (self.at.0, self.at.2.clone());
            self.uses.entry(own).or_default().insert(name.clone());
            let from = params.iter().map(|param| &**param).collect();
            return self.flow(Node::Given(name), from, 1, span);
        }
        let path = dotted(fcn).unwrap_or_default().join(".");
        let Some((_, arguments, _)) = BUILTINS.iter().find(|(name, ..)| *name == path) else {
            return self.wrong(steps(fcn).0.span(), FieldCode::Unknown);
        };
        if *arguments != params.len() {
            return self.wrong(steps(fcn).0.span(), FieldCode::Malformed);
        }
        for (_, at, longest) in WRITTEN.iter().filter(|(name, ..)| *name == path) {
            let text = match params.get(*at).map(|param| &**param) {
                Some(Expr::String { value, .. } | Expr::RawString { value, .. }) => value.as_string().ok(),
                _ => None,
            };
            match text {
                Some(text) if text.len() > *longest || repeats(text) > 100 => {
                    self.wrong(steps(fcn).0.span(), FieldCode::TooLong)
                }
                Some(_) => {}
                None => self.wrong(steps(fcn).0.span(), FieldCode::Malformed),
            }
        }
    }

    /// No rule may reach itself, and none over too many others.
    fn chains(&mut self) {
        let mut heights = BTreeMap::<Name, usize>::new();
        let mut left = self.uses.keys().cloned().collect::<BTreeSet<_>>();
        loop {
            let ready = left.iter().filter_map(|name| {
                let below = self.uses[name].iter().map(|used| heights.get(used).copied());
                let below = below.collect::<Option<Vec<_>>>()?;
                Some((name.clone(), below.into_iter().max().map_or(1, |highest| highest + 1)))
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
        left.extend(heights.into_iter().filter(|(_, height)| *height > CHAIN).map(|(name, _)| name));
        for (number, name) in left {
            let module = self.sources[number].module;
            let is_it = |rule: &&Ref<Rule>| match &***rule {
                Rule::Spec { head, .. } => match head {
                    RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => {
                        head_name(refr).is_some_and(|(found, _)| found == name)
                    }
                },
                Rule::Default { .. } => false,
            };
            self.at.0 = number;
            if let Some(rule) = module.policy.iter().find(is_it) {
                self.wrong(rule.span(), FieldCode::TooDeep);
            }
        }
    }

    /// Lets sizes grow until they stay; what grows for ever, or too far, is refused.
    fn sizes(&mut self) {
        let flows = std::mem::take(&mut self.flows);
        let mut sizes = BTreeMap::<Node, u64>::new();
        let mut rounds = flows.len() + 2;
        let mut moving = None;
        loop {
            let mut is_still = true;
            for flow in &flows {
                let of_nodes = flow.nodes.iter().map(|node| sizes.get(node).copied().unwrap_or(1));
                let all = flow.from.iter().map(|expr| self.size(expr, flow.within, &sizes)).chain(of_nodes);
                let size = all.fold(0, u64::saturating_add).saturating_mul(flow.times).max(1);
                let before = sizes.get(&flow.into).copied().unwrap_or(1);
                if size > before {
                    is_still = false;
                    moving = Some((flow.within.0, flow.at));
                    sizes.insert(flow.into.clone(), size);
                }
                if size > LARGEST {
                    self.at.0 = flow.within.0;
                    return self.wrong(flow.at, FieldCode::Range);
                }
            }
            if is_still {
                break;
            }
            rounds -= 1;
            if let (0, Some((number, at))) = (rounds, moving) {
                self.at.0 = number;
                return self.wrong(at, FieldCode::Range);
            }
        }
        // What is compared without being kept anywhere.
        for (number, source) in self.sources.iter().enumerate() {
            let most = source.module.policy.iter().enumerate().find_map(|(place, rule)| {
                let mut all = Vec::new();
                every(rule, &mut all);
                let is_large = |expr: &&Expr| self.size(expr, (number, place), &sizes) > LARGEST;
                all.into_iter().find(is_large).map(Expr::span)
            });
            if let Some(span) = most {
                self.at.0 = number;
                return self.wrong(span, FieldCode::Range);
            }
        }
    }

    /// How large the value of an expression may be, fully written out.
    fn size(&self, expr: &Expr, within: (usize, usize), sizes: &BTreeMap<Node, u64>) -> u64 {
        let of = |expr: &Expr| self.size(expr, within, sizes);
        let all = |exprs: &[Ref<Expr>]| exprs.iter().map(|expr| of(expr)).fold(0, u64::saturating_add);
        let known = |node: Node| sizes.get(&node).copied().unwrap_or(1);
        match expr {
            Expr::String { span, .. } | Expr::RawString { span, .. } => 1 + span.text().len() as u64 / 64,
            Expr::Number { .. } | Expr::Bool { .. } | Expr::Null { .. } => 1,
            Expr::BoolExpr { .. } | Expr::AssignExpr { .. } | Expr::Membership { .. } => 1,
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                let (base, rest) = steps(expr);
                let Expr::Var { span, .. } = base else { return of(base) };
                let name = span.text();
                let local = known(Node::Local(within.0, within.1, name.to_owned()));
                let rule = self.rule_within(within.0, name, &rest).map_or(1, |name| known(Node::Rule(name)));
                let input = if name == "input" { known(Node::Input) } else { 1 };
                local.max(rule).max(input)
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => all(items).saturating_add(1),
            Expr::Object { fields, .. } => {
                let sizes = fields.iter().map(|(_, key, value)| of(key).saturating_add(of(value)));
                sizes.fold(1, u64::saturating_add)
            }
            Expr::ArrayCompr { term, .. } | Expr::SetCompr { term, .. } => of(term).saturating_mul(MANY),
            Expr::ObjectCompr { key, value, .. } => of(key).saturating_add(of(value)).saturating_mul(MANY),
            Expr::Call { fcn, params, .. } => {
                let (base, rest) = steps(fcn);
                let name = match base {
                    Expr::Var { span, .. } => span.text(),
                    _ => "",
                };
                if let Some(name) = self.rule_within(within.0, name, &rest) {
                    return known(Node::Rule(name));
                }
                let path = dotted(fcn).unwrap_or_default().join(".");
                match BUILTINS.iter().find(|(name, ..)| *name == path).map(|(.., answers)| answers) {
                    Some(Scalar) => 1,
                    Some(Same) => all(params),
                    Some(Parts) => all(params).saturating_mul(100),
                    Some(Text) | None => all(params).saturating_mul(10_000),
                }
            }
            Expr::UnaryExpr { expr, .. } => of(expr),
            Expr::BinExpr { lhs, rhs, .. } => of(lhs).saturating_add(of(rhs)),
            Expr::ArithExpr { op, lhs, rhs, .. } => match op {
                ArithOp::Mul if !is_number(lhs) && !is_number(rhs) => {
                    of(lhs).saturating_add(of(rhs)).saturating_mul(10)
                }
                _ => of(lhs).max(of(rhs)),
            },
        }
    }

    fn rule_within(&self, number: usize, name: &str, rest: &[Result<String, &Expr>]) -> Option<Name> {
        let own = self.sources.get(number)?;
        if own.rules.contains_key(name) {
            return Some((number, name.to_owned()));
        }
        let policy = self.sources.first()?;
        if number == 0 {
            let length = own.package.len();
            let is_own = name == "data"
                && (0..length).all(|at| rest.get(at).and_then(|step| step.as_ref().ok()) == own.package.get(at));
            let of = rest.get(length).and_then(|step| step.as_ref().ok());
            return of.filter(|of| is_own && own.rules.contains_key(*of)).map(|of| (0, of.clone()));
        }
        // By whatever way tests name a rule of the policy, it is its last known name.
        let named = std::iter::once(name).chain(rest.iter().filter_map(|step| step.as_deref().ok()));
        let named = named.filter(|name| policy.rules.contains_key(*name) || own.rules.contains_key(*name)).last()?;
        if policy.rules.contains_key(named) { Some((0, named.to_owned())) } else { Some((1, named.to_owned())) }
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

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Number { .. })
}

/// Every expression of a rule.
fn every<'a>(rule: &'a Rule, found: &mut Vec<&'a Expr>) {
    match rule {
        Rule::Default { value, .. } => every_in(value, found),
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { assign, .. } => {
                    assign.iter().for_each(|assign| every_in(&assign.value, found));
                }
                RuleHead::Set { key, .. } => key.iter().for_each(|key| every_in(key, found)),
                RuleHead::Func { args, assign, .. } => {
                    args.iter().for_each(|arg| every_in(arg, found));
                    assign.iter().for_each(|assign| every_in(&assign.value, found));
                }
            }
            for body in bodies {
                body.assign.iter().for_each(|assign| every_in(&assign.value, found));
                every_of(&body.query, found);
            }
        }
    }
}

fn every_of<'a>(query: &'a Query, found: &mut Vec<&'a Expr>) {
    for statement in &query.stmts {
        statement.with_mods.iter().for_each(|with| every_in(&with.r#as, found));
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().chain([value, collection]).for_each(|expr| every_in(expr, found));
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => every_in(expr, found),
            Literal::Every { domain, query, .. } => {
                every_in(domain, found);
                every_of(query, found);
            }
        }
    }
}

fn every_in<'a>(expr: &'a Expr, found: &mut Vec<&'a Expr>) {
    found.push(expr);
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => {}
        Expr::RefDot { .. } | Expr::RefBrack { .. } => {
            let (base, rest) = steps(expr);
            if !matches!(base, Expr::Var { .. }) {
                every_in(base, found);
            }
            rest.into_iter().filter_map(Result::err).for_each(|index| every_in(index, found));
        }
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().for_each(|item| every_in(item, found)),
        Expr::Object { fields, .. } => {
            for (_, key, value) in fields {
                every_in(key, found);
                every_in(value, found);
            }
        }
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            every_in(term, found);
            every_of(query, found);
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            every_in(key, found);
            every_in(value, found);
            every_of(query, found);
        }
        Expr::Call { params, .. } => params.iter().for_each(|param| every_in(param, found)),
        Expr::UnaryExpr { expr, .. } => every_in(expr, found),
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            every_in(lhs, found);
            every_in(rhs, found);
        }
        Expr::Membership { key, value, collection, .. } => {
            key.iter().chain([value, collection]).for_each(|expr| every_in(expr, found));
        }
    }
}
