//! The form of a policy: its document as JSON, checked while it is written, and tried on somebody before it is saved.

use leptos::{ev::SubmitEvent, html, prelude::*};
use serde_json::{Map, Value};

use super::{mode_word, rego};
use crate::{
    access::{PolicyLanguage, PolicyMode},
    base::{
        errors::{AppError, FieldCode},
        language::td_string,
    },
    policies::{Document, Policy, Thing, Trial, Tried, calls::try_policy},
    ui::{
        browser::Typed,
        calls::Call,
        fields::{self, Field, TextArea, field_error},
        icons::Icon,
        locale,
        pieces::{self, Tone},
    },
};

/// What the form holds.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyForm {
    pub name: String,
    pub description: String,
    pub document: Document,
}

/// The names of the fields; a place inside the rules is named by itself.
fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, policies.name)),
        "description" => Some(td_string!(locale, policies.description)),
        "mode" => Some(td_string!(locale, policies.mode)),
        "active" => Some(td_string!(locale, policies.state)),
        "actions" => Some(td_string!(locale, policies.actions)),
        "rules" => Some(td_string!(locale, policies.rules)),
        "module" => Some(td_string!(locale, policies.module)),
        "tests" => Some(td_string!(locale, policies.module_tests)),
        "user" => Some(td_string!(locale, policies.person)),
        "resource" => Some(td_string!(locale, policies.thing)),
        _ => None,
    }
}

const EXAMPLE: &str = r#"[
  {
    "effect": "allow",
    "condition": {
      "and": [
        { "user.department": "finance" },
        { "user.level": { "gte": 3 } }
      ]
    }
  }
]"#;

pub fn pretty(rules: &Value) -> String {
    // A value of ours always can be written.
    serde_json::to_string_pretty(rules).unwrap_or_default()
}

/// The form. `save` is called with what it holds once the rules are JSON at all.
pub fn editor(
    policy: Option<&Policy>,
    language: PolicyLanguage,
    word: &'static str,
    call: Call,
    save: Callback<PolicyForm>,
) -> AnyView {
    let locale = locale();
    let trial = Call::new();
    let tried = RwSignal::new(None::<Tried>);
    let (name, description) =
        policy.map(|policy| (policy.name.clone(), policy.description.clone())).unwrap_or_default();
    let mode = policy.map_or(PolicyMode::Require, |policy| policy.document.mode);
    let actions = policy.map(|policy| policy.document.actions.join("\n")).unwrap_or_default();
    let form = NodeRef::<html::Form>::new();
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        match document(&typed) {
            Ok(document) => {
                save.run(PolicyForm { name: typed.text("name"), description: typed.text("description"), document });
            }
            Err(error) => call.error.set(Some(error)),
        }
    };
    let try_it = move |_| {
        let Some(typed) = form.get().and_then(|form| Typed::of(&form)) else { return };
        let read = document(&typed).and_then(|document| Ok((document, thing(&typed)?)));
        tried.set(None);
        match read {
            Ok((Document { mode, actions, rules, language, module, .. }, resource)) => {
                let (user, action) = (typed.text("user"), typed.optional("action"));
                let of = Trial { mode, actions, rules, language, module, action, user, resource, env: None };
                trial.run(try_policy(of), move |answer| tried.set(Some(answer)));
            }
            Err(error) => trial.error.set(Some(error)),
        }
    };
    let written = match language {
        PolicyLanguage::Rego => rego::module(policy, form, call.error),
        PolicyLanguage::Rules => {
            let rules = policy.map_or_else(|| EXAMPLE.to_owned(), |policy| pretty(&policy.document.rules));
            view! {
                <div class="rules whole">
                    <TextArea
                        name="rules"
                        label=td_string!(locale, policies.rules)
                        value=rules
                        ltr=true
                        hint=td_string!(locale, policies.rules_hint)
                        error=field_error(call.error, "rules")
                    />
                </div>
            }
            .into_any()
        }
    };
    let action = (language == PolicyLanguage::Rego).then(|| {
        view! {
            <Field
                name="action"
                label=td_string!(locale, policies.action)
                ltr=true
                error=field_error(trial.error, "action")
            />
        }
    });
    let modes = [PolicyMode::Require, PolicyMode::Grant].map(|choice| {
        let selected = choice == mode;
        view! { <option value=choice.as_str() selected=selected>{mode_word(choice)}</option> }
    });
    view! {
        <form class="stack" node_ref=form on:submit=submit>
            {fields::summary(call.error, label)}
            <div class="card padded">
                <div class="form-grid">
                    <Field
                        name="name"
                        label=td_string!(locale, policies.name)
                        value=name
                        required=true
                        longest="120"
                        error=field_error(call.error, "name")
                    />
                    <div class="field">
                        <label for="field-mode">{td_string!(locale, policies.mode)}</label>
                        <select class="input" id="field-mode" name="mode" aria-describedby="hint-mode">
                            {modes.collect_view()}
                        </select>
                        <p class="hint" id="hint-mode">{td_string!(locale, policies.mode_hint)}</p>
                    </div>
                    <TextArea
                        name="description"
                        label=td_string!(locale, policies.description)
                        value=description
                        error=field_error(call.error, "description")
                    />
                    <TextArea
                        name="actions"
                        label=td_string!(locale, policies.actions)
                        value=actions
                        ltr=true
                        hint=td_string!(locale, policies.actions_hint)
                        error=field_error(call.error, "actions")
                    />
                    <input type="hidden" name="language" value=language.as_str() />
                    {written}
                </div>
            </div>
            <section class="card padded stack" aria-labelledby="try-title">
                <div>
                    <h2 id="try-title">{td_string!(locale, policies.trial)}</h2>
                    <p class="small muted">{td_string!(locale, policies.trial_about)}</p>
                </div>
                {fields::summary(trial.error, label)}
                <div class="form-grid">
                    <Field
                        name="user"
                        label=td_string!(locale, policies.person_field)
                        ltr=true
                        error=field_error(trial.error, "user")
                    />
                    <Field
                        name="resource"
                        label=td_string!(locale, policies.thing)
                        hint=td_string!(locale, policies.thing_hint)
                        ltr=true
                        error=field_error(trial.error, "resource")
                    />
                    {action}
                </div>
                <div class="row-of">
                    <button class="btn" type="button" disabled=move || trial.waits() on:click=try_it>
                        {td_string!(locale, policies.try_it)}
                    </button>
                </div>
                <div role="status">{move || tried.get().map(told)}</div>
            </section>
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {word}
                </button>
                <a class="btn ghost" href=super::PATH>{td_string!(locale, ui.cancel)}</a>
            </div>
        </form>
    }
    .into_any()
}

/// The document as it is typed.
fn document(typed: &Typed) -> Result<Document, AppError> {
    let language = PolicyLanguage::parse(&typed.text("language")).unwrap_or_default();
    let (rules, module, tests) = match language {
        PolicyLanguage::Rego => (Value::Array(Vec::new()), typed.text("module"), typed.text("tests")),
        PolicyLanguage::Rules => {
            let rules = serde_json::from_str::<Value>(&typed.text("rules"));
            let rules = rules.map_err(|_not_json| AppError::field("rules", FieldCode::Malformed))?;
            (rules, String::new(), String::new())
        }
    };
    let mode = PolicyMode::parse(&typed.text("mode")).unwrap_or(PolicyMode::Require);
    let actions = typed.text("actions").split_whitespace().map(ToOwned::to_owned).collect();
    Ok(Document { mode, actions, rules, language, module, tests })
}

/// What is known of the thing: an object, whose department and region are its own.
fn thing(typed: &Typed) -> Result<Option<Thing>, AppError> {
    let Some(text) = typed.optional("resource") else { return Ok(None) };
    let wrong = || AppError::field("resource", FieldCode::Malformed);
    let mut attributes = serde_json::from_str::<Map<String, Value>>(&text).map_err(|_not_an_object| wrong())?;
    let mut take = |name: &str| match attributes.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong()),
    };
    let (department, region) = (take("department")?, take("region")?);
    Ok(Some(Thing { kind: String::new(), department, region, attributes }))
}

/// What the tried document says, and how each of its conditions stands.
fn told(tried: Tried) -> AnyView {
    let locale = locale();
    let (tone, sign, word) = match (tried.denies, tried.allows) {
        (Some(true), _) => (Tone::Bad, Icon::Denied, td_string!(locale, policies.says_deny)),
        (Some(false), Some(true)) => (Tone::Good, Icon::Allowed, td_string!(locale, policies.says_allow)),
        (Some(false), Some(false)) => (Tone::Neutral, Icon::Info, td_string!(locale, policies.says_nothing)),
        (None, _) | (_, None) => (Tone::Waiting, Icon::Clock, td_string!(locale, policies.says_depends)),
    };
    let lines = tried.conditions.into_iter().map(|condition| {
        let (tone, word) = match condition.holds {
            Some(true) => (Tone::Good, td_string!(locale, policies.holds)),
            Some(false) => (Tone::Bad, td_string!(locale, policies.fails)),
            None => (Tone::Waiting, td_string!(locale, policies.open)),
        };
        view! { <li class="row-of">{pieces::badge(tone, None, word)} {pieces::key(condition.at)}</li> }
    });
    view! {
        <p>{pieces::badge(tone, Some(sign), word)}</p>
        <ul class="plain-list stack" role="list">{lines.collect_view()}</ul>
    }
    .into_any()
}
