//! The form of a policy: its document as JSON, checked while it is written, and tried on somebody before it is saved.

use leptos::{ev::SubmitEvent, html, prelude::*};
use serde_json::{Map, Value};

use super::{designer, designer::Designer, mode_word, rego};
use crate::{
    access::{PolicyLanguage, PolicyMode},
    accounts::{PeopleQuery, PersonRow, calls::list_people},
    base::{
        errors::{AppError, FieldCode},
        language::td_string,
        paging::Page,
    },
    policies::{Document, Policy, Request, Thing, Trial, Tried, calls::try_policy},
    ui::{
        asking::follow,
        browser::Typed,
        calls::Call,
        fields::{self, Field, TextArea, field_error},
        icons::Icon,
        locale,
        pieces::{self, Tone},
        unsaved::Unsaved,
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
        "env" => Some(td_string!(locale, policies.request)),
        _ => None,
    }
}

/// How long what is written rests before it is tried by itself.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(400);

/// How many people are offered; who is not among them is found by typing more.
const OFFERED: u32 = 8;

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
    unsaved: Unsaved,
) -> AnyView {
    let locale = locale();
    let trial = Call::new();
    let (name, description) =
        policy.map(|policy| (policy.name.clone(), policy.description.clone())).unwrap_or_default();
    let mode = policy.map_or(PolicyMode::Require, |policy| policy.document.mode);
    let actions = policy.map(|policy| policy.document.actions.join("\n")).unwrap_or_default();
    let form = NodeRef::<html::Form>::new();
    // Blocks are of JSON only.
    let designer = (language == PolicyLanguage::Rules)
        .then(|| Designer::new(policy.map_or_else(|| EXAMPLE.to_owned(), |policy| pretty(&policy.document.rules))));
    let tried = designer.map_or_else(|| RwSignal::new(None), |designer| designer.tried);
    // Counts what is chosen outside the blocks. A name is not asked for before it is written to its end.
    let changes = RwSignal::new(0_u32);
    let live_error = RwSignal::new(None);
    let asked = move || {
        changes.track();
        let rules = designer?.rules();
        let typed = form.get().and_then(|form| Typed::of(&form))?;
        let (rules, _) = (rules?, typed.optional("user")?);
        let trial = written_trial(&typed, document_of(&typed, rules)).ok()?;
        let mode = trial.mode;
        Some(async move { try_policy(trial).await.map(|tried| (tried, mode)) })
    };
    follow(PAUSE, asked, move |answer| match answer {
        Some(Ok(answer)) => {
            live_error.set(None);
            tried.set(Some(answer));
        }
        // What was said of somebody else before is not said of this.
        Some(Err(error)) => {
            live_error.set(Some(error));
            tried.set(None);
        }
        None => {
            live_error.set(None);
            tried.set(None);
        }
    });
    // The blocks write into the field with the JSON only after they have changed.
    Effect::new(move |_| {
        if designer.is_some_and(|designer| designer.rules().is_some()) {
            request_animation_frame(move || unsaved.write());
        }
    });
    // Who is meant is offered while it is typed.
    let person = RwSignal::new(String::new());
    let people = RwSignal::new(None);
    let search = move || {
        let q = Some(person.get()).filter(|typed| !typed.trim().is_empty())?;
        Some(list_people(PeopleQuery { q: Some(q), limit: Some(OFFERED), ..PeopleQuery::default() }))
    };
    follow(PAUSE, search, move |answer| people.set(answer.and_then(Result::ok)));
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
        let read = document(&typed).and_then(|document| written_trial(&typed, document));
        tried.set(None);
        live_error.set(None);
        match read {
            Ok(of) => {
                let mode = of.mode;
                trial.run(try_policy(of), move |answer| tried.set(Some((answer, mode))));
            }
            Err(error) => trial.error.set(Some(error)),
        }
    };
    let written = match designer {
        Some(designer) => designer::view(designer, field_error(call.error, "rules")),
        None if language == PolicyLanguage::Opa => rego::path(policy, call.error),
        None => rego::module(policy, form, call.error),
    };
    let action = (language != PolicyLanguage::Rules).then(|| {
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
        <form class="stack" node_ref=form on:submit=submit on:change=move |_| changes.update(|count| *count += 1)>
            {fields::summary(call.error, label)}
            <div class="card padded" node_ref=unsaved.place() on:input=move |_| unsaved.write()>
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
                    <div on:input=move |event| person.set(event_target_value(&event))>
                        <Field
                            name="user"
                            label=td_string!(locale, policies.person_field)
                            ltr=true
                            list="people-offered"
                            autocomplete="off"
                            error=field_error(trial.error, "user")
                        />
                        <datalist id="people-offered">{move || people.get().map(offered)}</datalist>
                    </div>
                    <Field
                        name="resource"
                        label=td_string!(locale, policies.thing)
                        hint=td_string!(locale, policies.thing_hint)
                        ltr=true
                        error=field_error(trial.error, "resource")
                    />
                    <Field
                        name="env"
                        label=td_string!(locale, policies.request)
                        hint=td_string!(locale, policies.request_hint)
                        ltr=true
                        error=field_error(trial.error, "env")
                    />
                    {action}
                </div>
                <div class="row-of">
                    <button class="btn" type="button" disabled=move || trial.waits() on:click=try_it>
                        {td_string!(locale, policies.try_it)}
                    </button>
                </div>
                <div role="status">
                    {move || designer.and_then(Designer::decision).map(|words| view! { <p class="strong">{pieces::sentence(&words)}</p> })}
                    {move || tried.get().map(|(tried, _)| told(tried))}
                    {move || live_error.get().map(|error| fields::summary_of(&error, label))}
                </div>
            </section>
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {word}
                </button>
                <a class="btn ghost" href=super::PATH on:click=move |_| unsaved.forget()>
                    {td_string!(locale, ui.cancel)}
                </a>
            </div>
        </form>
    }
    .into_any()
}

/// People by their addresses, with their names beside them.
fn offered(page: Page<PersonRow>) -> AnyView {
    let people = page.items.into_iter().map(|row| view! { <option value=row.email>{row.name}</option> });
    people.collect_view().into_any()
}

/// The document as it is typed.
fn document(typed: &Typed) -> Result<Document, AppError> {
    let rules = match language_of(typed) {
        PolicyLanguage::Rego | PolicyLanguage::Opa => Value::Array(Vec::new()),
        PolicyLanguage::Rules => {
            let rules = serde_json::from_str::<Value>(&typed.text("rules"));
            rules.map_err(|_not_json| AppError::field("rules", FieldCode::Malformed))?
        }
    };
    Ok(document_of(typed, rules))
}

fn language_of(typed: &Typed) -> PolicyLanguage {
    PolicyLanguage::parse(&typed.text("language")).unwrap_or_default()
}

/// With these rules. What the form has no field for is empty.
fn document_of(typed: &Typed, rules: Value) -> Document {
    Document {
        mode: PolicyMode::parse(&typed.text("mode")).unwrap_or(PolicyMode::Require),
        actions: typed.text("actions").split_whitespace().map(ToOwned::to_owned).collect(),
        rules,
        language: language_of(typed),
        module: typed.text("module"),
        tests: typed.text("tests"),
    }
}

/// What is tried: this document, with what else the form says.
fn written_trial(typed: &Typed, document: Document) -> Result<Trial, AppError> {
    let Document { mode, actions, rules, language, module, .. } = document;
    let env = match typed.optional("env") {
        None => None,
        Some(text) => {
            let read = serde_json::from_str::<Request>(&text);
            Some(read.map_err(|_no_request| AppError::field("env", FieldCode::Malformed))?)
        }
    };
    let (user, action) = (typed.text("user"), typed.optional("action"));
    Ok(Trial { mode, actions, rules, language, module, action, user, resource: thing(typed)?, env })
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
