//! What references are made of, and which rule each of them means.

use regorus::unstable::{Expr, Rule, RuleHead};

use super::{Checker, Name};

/// A reference as its base and its steps; a step that is not known before it is evaluated is an expression.
pub(super) fn steps(expr: &Expr) -> (&Expr, Vec<Result<String, &Expr>>) {
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
pub(super) fn dotted(expr: &Expr) -> Option<Vec<String>> {
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

/// The reference that a rule is named by.
pub(super) fn head(rule: &Rule) -> &Expr {
    match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    }
}

/// The name of a rule, and what stands behind it in brackets.
pub(super) fn head_name(refr: &Expr) -> Option<(String, bool)> {
    let (base, rest) = steps(refr);
    match base {
        Expr::Var { span, .. } => Some((span.text().to_owned(), !rest.is_empty())),
        _ => None,
    }
}

/// The variables that a pattern binds.
pub(super) fn bound<'a>(pattern: &'a Expr, found: &mut Vec<&'a str>) {
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

impl Checker<'_, '_> {
    pub(super) fn is_alias(&self, name: &str) -> bool {
        self.sources.get(self.at.0).is_some_and(|source| source.aliases.iter().any(|alias| alias == name))
    }

    /// The rule that a reference begins with.
    pub(super) fn rule_of(&self, expr: &Expr) -> Option<Name> {
        let (base, rest) = steps(expr);
        let Expr::Var { span, .. } = base else { return None };
        self.rule_at(span.text(), &rest)
    }

    fn rule_at(&self, first: &str, rest: &[Result<String, &Expr>]) -> Option<Name> {
        let number = self.at.0;
        let own = self.sources.get(number)?;
        let plain = |at: usize| rest.get(at).and_then(|step| step.as_ref().ok());
        if own.rules.contains_key(first) {
            return Some((number, first.to_owned()));
        }
        let policy = self.sources.first()?;
        if number == 1 && own.package == policy.package && policy.rules.contains_key(first) {
            return Some((0, first.to_owned()));
        }
        let known = |number: usize, name: &String| self.sources[number].rules.contains_key(name);
        if self.is_alias(first) {
            return plain(0).filter(|name| known(0, name)).map(|name| (0, name.clone()));
        }
        if first == "data" {
            for (of, source) in self.sources.iter().enumerate().filter(|(of, _)| *of <= number) {
                let length = source.package.len();
                let is_package = (0..length).all(|at| plain(at) == Some(&source.package[at]));
                if let (true, Some(name)) = (is_package, plain(length).filter(|name| known(of, name))) {
                    return Some((of, name.clone()));
                }
            }
        }
        None
    }

    pub(super) fn rule_within(&self, number: usize, name: &str, rest: &[Result<String, &Expr>]) -> Option<Name> {
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
        let mut named = std::iter::once(name).chain(rest.iter().filter_map(|step| step.as_deref().ok()));
        let named = named.rfind(|name| policy.rules.contains_key(*name) || own.rules.contains_key(*name))?;
        if policy.rules.contains_key(named) { Some((0, named.to_owned())) } else { Some((1, named.to_owned())) }
    }
}
