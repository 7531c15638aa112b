//! The catalogue as a file: to be taken away, and to be read in after a look at what that would do.

use leptos::{ev::SubmitEvent, prelude::*};

use super::effect::{refused, waits_for_others};
use crate::{
    approvals::pages::ask::{AskApproval, Asking},
    base::{
        errors::{AppError, FieldCode},
        language::td_string,
    },
    roles::{
        ApprovalRequest,
        calls::{import_catalogue, preview_import, request_approval},
        exchange::{CatalogueFile, ImportReport, ImportedRole},
    },
    ui::{
        browser::Typed,
        calls::Call,
        fields::{self, TextArea},
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
        toasts::toasts,
    },
};

#[component]
pub fn Transfer(may_import: bool, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    view! {
        <section class="card padded stack" aria-labelledby="transfer-title">
            <h2 id="transfer-title">{td_string!(locale, roles.transfer)}</h2>
            <p class="small muted">{td_string!(locale, roles.transfer_about)}</p>
            <p class="row-of">
                <a class="btn" href="/admin/catalogue" download="bawwab-catalogue.json" rel="external">
                    {icon(Icon::Down)}
                    {td_string!(locale, roles.export)}
                </a>
            </p>
            {may_import.then(|| view! { <Import changed /> })}
        </section>
    }
    .into_any()
}

#[component]
fn Import(changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let looked = RwSignal::new(None::<(CatalogueFile, ImportReport)>);
    let look = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        looked.set(None);
        match serde_json::from_str::<CatalogueFile>(&typed.text("file")) {
            Ok(file) => call.run(preview_import(file.clone()), move |report| looked.set(Some((file, report)))),
            Err(_not_such_a_file) => call.error.set(Some(AppError::field("file", FieldCode::Malformed))),
        }
    };
    let import = move |_| {
        let Some((file, _)) = looked.get_untracked() else { return };
        call.run(import_catalogue(file), move |_report| {
            looked.set(None);
            toasts.say(td_string!(locale, roles.imported));
            changed.run(());
        });
    };
    let ask = Callback::new(move |asking: Asking| {
        let Some((file, _)) = looked.get_untracked() else { return };
        let (catalogue, reason) = (Some(file), asking.reason.clone());
        asking.run(request_approval(ApprovalRequest { catalogue, reason, ..ApprovalRequest::default() }));
    });
    let asked = Callback::new(move |()| looked.set(None));
    let may_import = move || {
        looked.with(|looked| {
            looked.as_ref().is_some_and(|(_, report)| {
                let changes = report.roles.len() + report.permissions_added.len() + report.permissions_changed.len();
                report.refused.as_ref().is_none_or(waits_for_others) && changes > 0
            })
        })
    };
    view! {
        <form class="stack" on:submit=look>
            {fields::summary(call.error, label)}
            <TextArea
                name="file"
                label=td_string!(locale, roles.import_file)
                hint=td_string!(locale, roles.import_hint)
                ltr=true
                error=fields::field_error(call.error, "file")
            />
            <div class="row-of">
                <button class="btn" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, roles.import_look)}
                </button>
            </div>
        </form>
        <div role="status">{move || looked.get().map(|(_, report)| told(report))}</div>
        {move || {
            may_import()
                .then(|| {
                    view! {
                        <div class="row-of">
                            <button class="btn primary" type="button" disabled=move || call.waits() on:click=import>
                                {td_string!(locale, roles.import)}
                            </button>
                        </div>
                    }
                })
        }}
        <AskApproval refused=call ask stated=Signal::stored(String::new()) done=asked />
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    (field == "file").then(|| td_string!(locale(), roles.import_file))
}

/// What reading the file in would do.
fn told(report: ImportReport) -> AnyView {
    let locale = locale();
    let refused = refused(report.refused.as_ref());
    let unchanged = td_string!(locale, roles.unchanged_roles, count = report.unchanged).to_string();
    let gaining = td_string!(locale, roles.people_gaining, count = report.people_gaining).to_string();
    let losing = td_string!(locale, roles.people_losing, count = report.people_losing).to_string();
    let keys = |keys: Vec<String>, tone: Tone, sign: Icon, word: &'static str| {
        keys.into_iter()
            .map(|key| view! { <li>{pieces::badge(tone, Some(sign), word)} {pieces::key(key)}</li> })
            .collect_view()
    };
    let added = keys(report.permissions_added, Tone::Good, Icon::Add, td_string!(locale, roles.added));
    let changed = keys(report.permissions_changed, Tone::Neutral, Icon::Edit, td_string!(locale, roles.edit_key));
    let roles = report.roles.into_iter().map(role_line).collect_view();
    view! {
        {refused}
        <p class="small muted">{unchanged} {td_string!(locale, base.list_separator)} {gaining} {td_string!(locale, base.list_separator)} {losing}</p>
        <ul class="changes" role="list">{added} {changed} {roles}</ul>
    }
    .into_any()
}

fn role_line(role: ImportedRole) -> AnyView {
    let locale = locale();
    let badge = if role.is_new {
        pieces::badge(Tone::Good, Some(Icon::Add), td_string!(locale, roles.created_by_import))
    } else {
        pieces::badge(Tone::Neutral, Some(Icon::Edit), td_string!(locale, roles.changed_by_import))
    };
    let keys = |keys: Vec<String>, sign: Icon, word: &'static str| {
        (!keys.is_empty()).then(|| {
            let keys = keys.into_iter().map(|key| view! { " " {pieces::key(key)} }).collect_view();
            view! { <p class="row-of small">{icon(sign)} <span class="away">{word}</span> {keys}</p> }
        })
    };
    let names = |names: Vec<String>, word: &'static str| {
        (!names.is_empty())
            .then(|| view! { <p class="small">{word} " " {pieces::names(names.iter().map(String::as_str))}</p> })
    };
    view! {
        <li>
            {badge} <span class="strong">{pieces::typed(role.name)}</span>
            {keys(role.added, Icon::Add, td_string!(locale, roles.added))}
            {keys(role.removed, Icon::Denied, td_string!(locale, roles.removed))}
            {names(role.parents_added, td_string!(locale, roles.inherits_now))}
            {names(role.parents_removed, td_string!(locale, roles.inherits_no_more))}
        </li>
    }
    .into_any()
}
