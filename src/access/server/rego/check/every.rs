//! Every expression of a rule.

use regorus::unstable::{Expr, Literal, Query, Rule, RuleHead};

use super::names::steps;

/// Every expression of a rule.
pub(super) fn every<'a>(rule: &'a Rule, found: &mut Vec<&'a Expr>) {
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
