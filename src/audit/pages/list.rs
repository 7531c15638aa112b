//! The rows of the log: a sentence for each act, who did it, from where, and what it changed.

use crate::base::language::td_string;
use leptos::prelude::*;

use super::{
    changes::changes,
    words::{reason, sentence},
};
use crate::{
    audit::{AuditEntry, Outcome},
    base::{errors::AppError, paging::Page},
    ui::{
        address,
        icons::Icon,
        list::{Empty, Place, list},
        locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
    },
};

/// A part of the log as a table.
pub fn entries<F: Fn(&str) -> String>(answer: Result<Page<AuditEntry>, AppError>, place: Place<F>) -> AnyView {
    let locale = locale();
    let empty = Empty {
        sign: Icon::Audit,
        title: td_string!(locale, audit.nothing),
        about: td_string!(locale, audit.nothing_about),
        action: None,
    };
    let columns = [
        Column::new(td_string!(locale, audit.event)),
        Column::new(td_string!(locale, audit.when)).wide(),
        Column::new(td_string!(locale, audit.actor)).wide(),
        Column::new(td_string!(locale, audit.ip)).wide(),
    ];
    list(answer, place, empty, |entries| {
        table(td_string!(locale, audit.audit_log), columns, entries.into_iter().map(row).collect())
    })
}

/// The same for the person that it is about, who may not be allowed to read the log: nothing leads there.
pub fn own_entries<F: Fn(&str) -> String>(answer: Result<Page<AuditEntry>, AppError>, place: Place<F>) -> AnyView {
    entries(answer.map(|page| page.map(|entry| AuditEntry { user_id: None, ..entry })), place)
}

/// The latest acts in few words, for a page that is about something else.
pub fn latest(answer: Result<Page<AuditEntry>, AppError>) -> AnyView {
    let locale = locale();
    let page = match answer {
        Ok(page) => page,
        Err(error) => return states::failed(&error),
    };
    if page.items.is_empty() {
        return view! { <p class="hint padded">{td_string!(locale, audit.nothing)}</p> }.into_any();
    }
    let items = page
        .items
        .into_iter()
        .map(|entry| {
            let actor = actor(entry.user_id.map(|id| id.to_string()), entry.user_name.clone());
            view! {
                <li>
                    <span class="strong">{pieces::sentence(&sentence(&entry))}</span>
                    <span class="small muted">{actor} " · " {pieces::moment(entry.created_at)}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ul class="lines" role="list">{items}</ul> }.into_any()
}

fn row(entry: AuditEntry) -> AnyView {
    let changes = changes(&entry);
    let sentence = sentence(&entry);
    let reason = reason(&entry).map(|reason| view! { <p class="small muted">{pieces::sentence(&reason)}</p> });
    let outcome = outcome_badge(entry.outcome);
    let (behind_id, behind_name) = (entry.impersonator_id, entry.impersonator_name.clone());
    let behind = (behind_id.is_some() || behind_name.is_some()).then(|| {
        view! {
            <p class="small">
                {pieces::badge(Tone::Waiting, Some(Icon::People), td_string!(locale(), audit.impersonated_by))} " "
                {person("impersonator", behind_id.map(|id| id.to_string()), behind_name)}
            </p>
        }
    });
    let actor = move || actor(entry.user_id.map(|id| id.to_string()), entry.user_name.clone());
    let from = entry.ip.clone().map(|ip| view! { " · " {pieces::key(ip)} });
    let ip = entry.ip.map(pieces::key).unwrap_or_else(pieces::nothing);
    view! {
        <tr>
            <td>
                <p class="row-of"><span class="strong">{pieces::sentence(&sentence)}</span> {outcome}</p>
                <p class="small muted narrow-only">{actor()} " · " {pieces::moment(entry.created_at)} {from}</p>
                {behind}
                {reason}
                {changes}
            </td>
            <td class="wide-only small">{pieces::moment(entry.created_at)}</td>
            <td class="wide-only">{actor()}</td>
            <td class="wide-only">{ip}</td>
        </tr>
    }
    .into_any()
}

/// Who did it, as a way to everything they did.
fn actor(id: Option<String>, name: Option<String>) -> AnyView {
    person("actor", id, name)
}

/// A name, as a way to the rows in which it stands in this place.
fn person(place: &str, id: Option<String>, name: Option<String>) -> AnyView {
    match (id, name) {
        (Some(id), name) => {
            let href = address::with_query(super::PATH, &[(place, &id)]);
            view! { <a href=href>{pieces::typed(name.unwrap_or(id))}</a> }.into_any()
        }
        (None, name) => pieces::typed_or_dash(name),
    }
}

pub fn outcome_word(outcome: Outcome) -> &'static str {
    let locale = locale();
    match outcome {
        Outcome::Done => td_string!(locale, audit.outcome_done),
        Outcome::Denied => td_string!(locale, audit.outcome_denied),
        Outcome::Failed => td_string!(locale, audit.outcome_failed),
    }
}

fn outcome_badge(outcome: Outcome) -> Option<AnyView> {
    let word = outcome_word(outcome);
    match outcome {
        Outcome::Done => None,
        Outcome::Denied => Some(pieces::badge(Tone::Bad, Some(Icon::Denied), word)),
        Outcome::Failed => Some(pieces::badge(Tone::Waiting, Some(Icon::Alert), word)),
    }
}
