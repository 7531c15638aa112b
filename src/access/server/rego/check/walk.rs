//! Walking through each rule: what it reads, what it uses, and what flows into what.

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Rule, RuleAssign, RuleHead, Span};

use super::{
    Checker, DEEPEST, Node,
    names::{head, head_name, steps},
    sizes::MANY,
};
use crate::{access::server::rego::Reads, base::errors::FieldCode};

/// How many steps a reference may have.
const STEPS: usize = 16;

impl<'a> Checker<'a, '_> {
    pub(super) fn rule(&mut self, number: usize, place: usize, rule: &'a Rule) {
        let refr = head(rule);
        let Some((name, is_part)) = head_name(refr) else { return };
        let own = (number, name.clone());
        self.at = (number, place, name);
        self.uses.entry(own.clone()).or_default();
        self.level = 0;
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
                self.flow(Node::Rule(own.clone()), vec![&**value], times, span);
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
        let most = self.levels.entry(own).or_default();
        *most = self.level.max(*most);
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
                self.level += 1;
                for expr in key.iter().chain([value, collection]) {
                    self.expr(expr);
                }
                for pattern in key.iter().chain([value]) {
                    self.bind(pattern, vec![&**collection], Vec::new(), span);
                }
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
            Literal::Every { span, key, value, domain, query } => {
                self.level += 1;
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
            // It may be a loop, and whatever of the body follows is evaluated within it.
            self.level += 1;
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
                Some(used) => {
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

    /// Anything but a plain path into the user, the resource, the environment or the action reads everything.
    fn read(&mut self, rest: &[Result<String, &Expr>]) {
        let step = |at: usize| rest.get(at).and_then(|step| step.as_deref().ok());
        match (step(0), step(1)) {
            (Some("user"), _) => self.reads.user = true,
            (Some("resource"), _) => self.reads.resource = true,
            (Some("action"), _) => self.reads.action = true,
            (Some("env"), Some("time")) => {}
            (Some("env"), _) => self.reads.request = true,
            _ => self.reads = Reads::ALL,
        }
    }
}
