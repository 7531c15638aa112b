//! How large values may become: what flows into what, how often, and what grows too far.

use std::collections::BTreeMap;

use regorus::unstable::{ArithOp, Expr, Ref, Span};

use super::{
    Checker, Flow, Node,
    every::every,
    functions::{
        Answers::{Parts, Same, Scalar, Text},
        BUILTINS,
    },
    names::{bound, dotted, steps},
};
use crate::base::errors::FieldCode;

/// What a comprehension, or a rule that is a set or an object, may multiply: about what fits into the time limit.
pub(super) const MANY: u64 = 5_000;
/// How large a value may become: what compares two values looks at no clock.
const LARGEST: u64 = 20_000;

impl<'a> Checker<'a, '_> {
    pub(super) fn flow(&mut self, into: Node, from: Vec<&'a Expr>, times: u64, at: &'a Span) {
        self.flows.push(Flow { into, from, nodes: Vec::new(), times, within: (self.at.0, self.at.1), at });
    }

    /// Every variable of a pattern is at most as large as what it is taken from.
    pub(super) fn bind(&mut self, pattern: &'a Expr, from: Vec<&'a Expr>, nodes: Vec<Node>, at: &'a Span) {
        let mut names = Vec::new();
        bound(pattern, &mut names);
        self.bind_names(&names, from, nodes, at);
    }

    pub(super) fn bind_names(&mut self, names: &[&str], from: Vec<&'a Expr>, nodes: Vec<Node>, at: &'a Span) {
        let within = (self.at.0, self.at.1);
        for name in names {
            let into = Node::Local(within.0, within.1, (*name).to_owned());
            self.flows.push(Flow { into, from: from.clone(), nodes: nodes.clone(), times: 1, within, at });
        }
    }

    /// Lets sizes grow until they stay; what grows for ever, or too far, is refused.
    pub(super) fn sizes(&mut self) {
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
                    // What is put between parts, or in their place, is written out and short.
                    Some(Parts | Text) => all(params).saturating_mul(100),
                    None => all(params).saturating_mul(10_000),
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
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Number { .. })
}
