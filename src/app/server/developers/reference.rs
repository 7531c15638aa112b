//! The reference: every operation and every schema, and where a call can be tried.

use crate::base::language::td_string;
use leptos::prelude::*;

use super::{
    document::{Answer, Body, Described, Field, File, Operation, Parameter, Schema},
    word,
};
use crate::{
    i18n::Locale,
    ui::{
        icons::{Icon, icon},
        pieces,
    },
};

pub fn reference(locale: Locale, described: &Described, origin: &str) -> AnyView {
    let groups = described
        .groups()
        .map(|(tag, operations)| {
            let id = format!("tag-{tag}");
            let name = word(locale, "tag", tag).unwrap_or(tag).to_owned();
            let operations = operations.map(|operation| operation_view(locale, operation, origin)).collect_view();
            view! {
                <section class="docs-group" aria-labelledby=id.clone()>
                    <h2 id=id.clone()>{name}</h2>
                    {operations}
                </section>
            }
        })
        .collect_view();
    let schemas = described.schemas.iter().map(|(name, schema)| schema_view(locale, name, schema)).collect_view();
    view! {
        {session(locale)}
        {groups}
        <section class="docs-group" aria-labelledby="schemas">
            <h2 id="schemas">{td_string!(locale, developers.schemas)}</h2>
            {schemas}
        </section>
        {ask_first(locale)}
        {words(locale)}
    }
    .into_any()
}

/// With whose rights calls are tried. It is there for scripts only.
fn session(locale: Locale) -> AnyView {
    view! {
        <section class="card padded" id="session" aria-labelledby="session-title" hidden=true>
            <h2 id="session-title">{td_string!(locale, developers.session)}</h2>
            <p class="muted">{td_string!(locale, developers.session_about)}</p>
            <div class="field">
                <label for="token">{td_string!(locale, developers.token)}</label>
                <input
                    class="input mono"
                    id="token"
                    type="password"
                    dir="ltr"
                    autocomplete="off"
                    spellcheck="false"
                    aria-describedby="token-hint"
                />
                <p class="hint" id="token-hint">{td_string!(locale, developers.token_hint)}</p>
            </div>
        </section>
    }
    .into_any()
}

fn operation_view(locale: Locale, operation: &Operation, origin: &str) -> AnyView {
    let id = &operation.id;
    let title = word(locale, "op", id).unwrap_or(&operation.title).to_owned();
    let searched = [Locale::ar, Locale::en].map(|locale| word(locale, "op", id).unwrap_or_default());
    let needs = if operation.permissions.is_empty() {
        let (sign, word) = if operation.is_public {
            (Icon::Door, td_string!(locale, developers.public))
        } else {
            (Icon::Key, td_string!(locale, developers.signed_in))
        };
        view! { {icon(sign)} <span>{word}</span> }.into_any()
    } else {
        let keys = operation.permissions.iter().map(|key| view! { " " {pieces::key(key)} }).collect_view();
        let conditions = match word(locale, "need", id) {
            Some(words) => rich(words),
            None => view! { {td_string!(locale, developers.needs)} {keys} }.into_any(),
        };
        view! { {icon(Icon::Lock)} <span>{conditions}</span> }.into_any()
    };
    let parameters = (!operation.parameters.is_empty()).then(|| {
        let lines = operation.parameters.iter().map(|one| parameter_view(locale, one)).collect_view();
        view! {
            <h3>{td_string!(locale, developers.parameters)}</h3>
            <ul class="docs-fields" role="list">{lines}</ul>
        }
    });
    let answers = operation.answers.iter().map(|answer| answer_view(locale, answer)).collect_view();
    view! {
        <details class="card docs-operation" data-operation=id.clone() data-search=operation.searched(&searched)>
            <summary>
                <span class=format!("verb {}", operation.method.to_lowercase())>{operation.method}</span>
                <bdi class="mono" dir="ltr">{operation.path.clone()}</bdi>
                <span class="strong">{title}</span>
            </summary>
            <div
                class="docs-body"
                id=id.clone()
                data-method=operation.method
                data-path=operation.path.clone()
                data-public=operation.is_public.then_some("true")
                data-file=operation.file.as_ref().map(|file| file.name.clone())
                data-kind=operation.file.as_ref().map(|file| file.kind.clone())
            >
                <p class="docs-needs">{needs}</p>
                {operation.about.clone().map(english)}
                {parameters}
                {operation.body.as_ref().map(|body| body_view(locale, body))}
                {operation.file.as_ref().map(|file| file_view(locale, file))}
                <h3>{td_string!(locale, developers.answers)}</h3>
                <ul class="docs-fields" role="list">{answers}</ul>
                <h3>{td_string!(locale, developers.call)}</h3>
                <div data-call>{code_block(locale, operation.curl(origin))}</div>
                <div data-try></div>
            </div>
        </details>
    }
    .into_any()
}

fn parameter_view(locale: Locale, parameter: &Parameter) -> AnyView {
    let place = match parameter.place.as_str() {
        "path" => td_string!(locale, developers.in_path),
        "header" => td_string!(locale, developers.in_header),
        _ => td_string!(locale, developers.in_query),
    };
    view! {
        <li data-in=parameter.place.clone() data-name=parameter.name.clone()>
            {pieces::key(parameter.name.clone())} " "
            <span class="small muted">{place} " · " {pieces::key(parameter.kind.clone())}</span> " "
            {required(locale, parameter.is_required)} " " {parameter.about.clone().map(english)}
        </li>
    }
    .into_any()
}

fn required(locale: Locale, is_required: bool) -> Option<AnyView> {
    is_required.then(|| pieces::badge(pieces::Tone::Waiting, None, td_string!(locale, developers.required)))
}

fn body_view(locale: Locale, body: &Body) -> AnyView {
    let schema = body.schema.clone().map(|name| view! { " " {schema_link(name)} });
    view! {
        <h3>{td_string!(locale, developers.body)} {schema}</h3>
        {fields_view(locale, &body.fields)}
        <pre class="docs-code" dir="ltr" data-example>{body.example.clone()}</pre>
    }
    .into_any()
}

fn file_view(locale: Locale, file: &File) -> AnyView {
    let kinds = file.kinds.iter().map(|kind| view! { <li>{pieces::key(kind.clone())}</li> }).collect_view();
    view! {
        <h3>{td_string!(locale, developers.body)}</h3>
        <ul class="docs-fields" role="list" data-kinds=file.kinds.join(",")>
            {kinds}
        </ul>
    }
    .into_any()
}

fn answer_view(locale: Locale, answer: &Answer) -> AnyView {
    let tone = if answer.status.starts_with('2') { pieces::Tone::Good } else { pieces::Tone::Neutral };
    // What belongs to all of them stands in the guide; an answer of its own is shown here.
    let kind = answer.kind.clone().map(|(word, schema)| match schema {
        Some(name) if word == name => schema_link(name),
        Some(name) => view! { <a class="mono" href=format!("#schema-{name}") dir="ltr">{word}</a> }.into_any(),
        None => pieces::key(word),
    });
    let about = (!answer.status.starts_with('2')).then(|| english(answer.about.clone()));
    view! {
        <li>
            {pieces::badge(tone, None, answer.status.clone())} " " {kind} {about}
            {(!answer.fields.is_empty()).then(|| fields_view(locale, &answer.fields))}
        </li>
    }
    .into_any()
}

fn schema_link(name: String) -> AnyView {
    view! { <a class="mono" href=format!("#schema-{name}") dir="ltr">{name.clone()}</a> }.into_any()
}

fn fields_view(locale: Locale, fields: &[Field]) -> AnyView {
    let lines = fields
        .iter()
        .map(|field| {
            let kind = match &field.schema {
                Some(name) => {
                    view! { <a class="mono" href=format!("#schema-{name}") dir="ltr">{field.kind.clone()}</a> }
                        .into_any()
                }
                None => pieces::key(field.kind.clone()),
            };
            view! {
                <li>
                    {pieces::key(field.name.clone())} " " <span class="small muted">{kind}</span> " "
                    {required(locale, field.is_required)} " " {field.about.clone().map(english)}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="docs-fields" role="list">{lines}</ul> }.into_any()
}

fn schema_view(locale: Locale, name: &str, schema: &Schema) -> AnyView {
    let fields = if schema.fields.is_empty() {
        view! { <p>{pieces::key(schema.kind.clone())}</p> }.into_any()
    } else {
        fields_view(locale, &schema.fields)
    };
    view! {
        <details class="card docs-operation">
            <summary>{pieces::key(name)}</summary>
            <div class="docs-body" id=format!("schema-{name}")>{schema.about.clone().map(english)} {fields}</div>
        </details>
    }
    .into_any()
}

/// A remark that the program makes about itself, in English.
fn english(text: String) -> AnyView {
    view! { <p class="small muted" lang="en" dir="ltr">{rich_of(text)}</p> }.into_any()
}

/// A text in which what stands between backticks is code.
pub fn rich(text: &str) -> AnyView {
    rich_of(text.to_owned())
}

fn rich_of(text: String) -> AnyView {
    let parts = text
        .split('`')
        .enumerate()
        .map(|(at, part)| if at % 2 == 1 { pieces::key(part.to_owned()) } else { part.to_owned().into_any() });
    parts.collect_view().into_any()
}

/// Code with a button that copies it; the button waits for the script.
pub fn code_block(locale: Locale, code: String) -> AnyView {
    view! {
        <div class="docs-copy">
            <pre class="docs-code" dir="ltr">{code}</pre>
            <button class="btn ghost sm" type="button" data-copy hidden=true>
                {icon(Icon::Copy)} <span>{td_string!(locale, developers.copy)}</span>
            </button>
        </div>
    }
    .into_any()
}

/// The question before a call that changes something.
fn ask_first(locale: Locale) -> AnyView {
    view! {
        <dialog class="dialog" id="ask" aria-labelledby="ask-title">
            <form method="dialog">
                <h2 id="ask-title">{td_string!(locale, developers.ask_title)}</h2>
                <p><bdi class="mono" dir="ltr" id="ask-what"></bdi></p>
                <p class="muted">{td_string!(locale, developers.ask_about)}</p>
                <div class="row-of end">
                    <button class="btn" value="">{td_string!(locale, ui.cancel)}</button>
                    <button class="btn primary" value="send">{td_string!(locale, developers.send)}</button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}

/// What the script says, in this language.
fn words(locale: Locale) -> AnyView {
    view! {
        <template
            id="words"
            data-try=td_string!(locale, developers.try_it)
            data-send=td_string!(locale, developers.send)
            data-body=td_string!(locale, developers.body)
            data-headers=td_string!(locale, developers.headers)
            data-answer=td_string!(locale, developers.answer)
            data-waiting=td_string!(locale, developers.waiting)
            data-unreachable=td_string!(locale, developers.unreachable)
            data-missing=td_string!(locale, developers.missing)
            data-copied=td_string!(locale, developers.copied)
            data-copy=td_string!(locale, developers.copy)
            data-not-copied=td_string!(locale, developers.not_copied)
            data-found=td_string!(locale, developers.found, number = "{number}").to_string()
            data-nothing=td_string!(locale, developers.nothing_found)
        ></template>
    }
    .into_any()
}
