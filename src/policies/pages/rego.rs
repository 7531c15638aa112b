//! The parts of the form and the page of a policy that is a module of Rego, or a decision from outside (C6).

use leptos::{html, prelude::*};

use super::PATH;
use crate::{
    access::PolicyLanguage,
    base::language::td_string,
    policies::{Document, ModuleTests, Policy, TestResults, calls::test_policy},
    ui::{
        address,
        browser::Typed,
        calls::Call,
        diff::{Line, Side, diff},
        fields::{self, Field, FormError, TextArea, field_error},
        icons::Icon,
        is_live, locale,
        pieces::{self, Tone},
        tabs::{Tab, tabs},
    },
};

const MODULE: &str = r#"package bawwab.finance

import rego.v1

default allow := false

allow if {
    input.user.department == "finance"
    input.user.level >= 3
}
"#;

const TESTS: &str = r#"package bawwab.finance_test

import rego.v1

import data.bawwab.finance

test_finance if {
    finance.allow with input as {"user": {"department": "finance", "level": 3}}
}

test_others if {
    not finance.allow with input as {"user": {"department": "legal", "level": 3}}
}
"#;

/// What a new policy is written in: a part of the address.
pub fn choose(asked: Option<String>, form: fn(PolicyLanguage) -> AnyView) -> AnyView {
    let locale = locale();
    let language = asked.as_deref().and_then(PolicyLanguage::parse).unwrap_or_default();
    let new = format!("{PATH}/new");
    let tab = |of: PolicyLanguage, word| {
        let name = if of == PolicyLanguage::Rules { "" } else { of.as_str() };
        Tab { href: address::with_query(&new, &[("language", name)]), word, is_current: of == language }
    };
    view! {
        {tabs(
            td_string!(locale, policies.language),
            [
                tab(PolicyLanguage::Rules, td_string!(locale, policies.language_rules)),
                tab(PolicyLanguage::Rego, td_string!(locale, policies.language_rego)),
                tab(PolicyLanguage::Opa, td_string!(locale, policies.language_opa)),
            ],
        )}
        {form(language)}
    }
    .into_any()
}

/// The module and its tests as they are typed, and how the tests went.
pub fn module(policy: Option<&Policy>, form: NodeRef<html::Form>, error: FormError) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (call, results) = (Call::new(), RwSignal::new(None::<TestResults>));
    let (module, tests) = match policy {
        Some(policy) => (policy.document.module.clone(), policy.document.tests.clone()),
        None => (MODULE.to_owned(), TESTS.to_owned()),
    };
    let run = move |_| {
        let Some(typed) = form.get().and_then(|form| Typed::of(&form)) else { return };
        results.set(None);
        let tests = ModuleTests { module: typed.text("module"), tests: typed.text("tests") };
        call.run(test_policy(tests), move |answer| results.set(Some(answer)));
    };
    view! {
        <div class="rules whole">
            <TextArea
                name="module"
                label=td_string!(locale, policies.module)
                value=module
                ltr=true
                hint=td_string!(locale, policies.module_hint)
                error=field_error(error, "module")
            />
        </div>
        <div class="rules whole">
            <TextArea
                name="tests"
                label=td_string!(locale, policies.module_tests)
                value=tests
                ltr=true
                hint=td_string!(locale, policies.module_tests_hint)
                error=field_error(error, "tests")
            />
        </div>
        <div class="whole stack">
            {fields::summary(call.error, |_field| None)}
            <div class="row-of">
                <button class="btn" type="button" disabled=move || !live.get() || call.waits() on:click=run>
                    {td_string!(locale, policies.run_tests)}
                </button>
            </div>
            <div role="status">{move || results.get().map(told)}</div>
        </div>
    }
    .into_any()
}

/// Where a decision from outside is asked for.
pub fn path(policy: Option<&Policy>, error: FormError) -> AnyView {
    let locale = locale();
    view! {
        <Field
            name="module"
            label=td_string!(locale, policies.path)
            value=policy.map(|policy| policy.document.module.clone()).unwrap_or_default()
            hint=td_string!(locale, policies.path_hint)
            ltr=true
            required=true
            longest="500"
            error=field_error(error, "module")
        />
    }
    .into_any()
}

fn told(results: TestResults) -> AnyView {
    let locale = locale();
    if results.results.is_empty() {
        return view! { <p>{td_string!(locale, policies.no_tests)}</p> }.into_any();
    }
    let lines = results.results.into_iter().map(|test| {
        let (tone, sign, word) = if test.passed {
            (Tone::Good, Icon::Allowed, td_string!(locale, policies.holds))
        } else {
            (Tone::Bad, Icon::Denied, td_string!(locale, policies.fails))
        };
        view! { <li class="row-of">{pieces::badge(tone, Some(sign), word)} {pieces::key(test.name)}</li> }
    });
    view! { <ul class="plain-list stack" role="list">{lines.collect_view()}</ul> }.into_any()
}

pub fn code(text: String) -> AnyView {
    view! { <pre class="code-box mono" dir="ltr" tabindex="0">{text}</pre> }.into_any()
}

/// A module and its tests, to be read.
pub fn shown(document: &Document) -> AnyView {
    let tests = (!document.tests.is_empty()).then(|| code(document.tests.clone()));
    view! {
        {code(document.module.clone())}
        {tests}
    }
    .into_any()
}

/// What of the texts is otherwise than in the version before.
pub fn changes(before: &Document, after: &Document) -> Option<AnyView> {
    let mut lines = Vec::new();
    for (was, is) in [(&before.module, &after.module), (&before.tests, &after.tests)] {
        let (was, is) = (was.lines().collect::<Vec<_>>(), is.lines().collect::<Vec<_>>());
        let start = was.iter().zip(&is).take_while(|(was, is)| was == is).count();
        let ends = was[start..].iter().rev().zip(is[start..].iter().rev());
        let end = ends.take_while(|(was, is)| was == is).count();
        for (side, text) in [(Side::Was, &was[start..was.len() - end]), (Side::Is, &is[start..is.len() - end])] {
            lines.extend(text.iter().map(|line| Line {
                side,
                name: ().into_any(),
                value: view! { <code class="mono" dir="ltr">{(*line).to_owned()}</code> }.into_any(),
            }));
        }
    }
    let title = td_string!(locale(), policies.changed_lines);
    (!lines.is_empty()).then(|| view! { <p class="small strong">{title}</p> {diff(lines)} }.into_any())
}
