//! The functions of the language that may be called, and with what.

use regorus::unstable::{Expr, Ref, Span};

use super::{
    Checker, Node,
    names::{dotted, steps},
};
use crate::base::errors::FieldCode;

/// How what a function answers relates to what it is given.
#[derive(Clone, Copy)]
pub(super) enum Answers {
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
pub(super) const BUILTINS: &[(&str, usize, Answers)] = &[
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
    pub(super) fn call(&mut self, span: &'a Span, fcn: &'a Expr, params: &'a [Ref<Expr>]) {
        if let Some(name) = self.rule_of(fcn) {
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
}
