//! The list of the texts that a tenant asks its people for.

use leptos::prelude::*;
use leptos_meta::Title;

use super::PATH;
use crate::{
    access::CONSENTS_MANAGE,
    base::{errors::AppError, habits::number, language::td_string, paging::Page},
    consents::{ConsentText, ConsentsQuery, calls::list_consents},
    ui::{
        address,
        icons::{Icon, icon},
        list::{Empty, Place, list},
        locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
        viewer::{Held, viewer},
    },
};

/// The texts of the tenant (E5).
#[component]
pub fn ConsentsPage() -> impl IntoView {
    let viewer = viewer();
    let after = address::query_field("after");
    let texts =
        Resource::new_blocking(move || after.get(), |after| list_consents(ConsentsQuery { after, limit: None }));
    let title = td_string!(locale(), consents.consents);
    view! {
        <Title text=title />
        <Suspense fallback=move || states::loading_table(4)>
            {move || {
                let (viewer, is_later) = (viewer.clone(), after.get().is_some());
                Suspend::new(async move { page(texts.await, is_later, &viewer.holds().await) })
            }}
        </Suspense>
    }
    .into_any()
}

fn page(texts: Result<Page<ConsentText>, AppError>, is_later: bool, held: &Held) -> AnyView {
    let locale = locale();
    let (title, about) = (td_string!(locale, consents.consents), td_string!(locale, consents.about));
    let create =
        held.may(CONSENTS_MANAGE.as_str()).then(|| (format!("{PATH}/new"), td_string!(locale, consents.create)));
    let act =
        create.clone().map(|(href, word)| view! { <a class="btn primary" href=href>{icon(Icon::Add)} {word}</a> });
    let at = |after: &str| address::with_query(PATH, &[("after", after)]);
    let place = Place { is_filtered: false, all: PATH.to_owned(), is_later, at };
    let empty = Empty { sign: Icon::Policy, title: td_string!(locale, consents.none), about, action: create };
    let columns = [
        Column::new(td_string!(locale, consents.title)),
        Column::new(td_string!(locale, consents.key)).wide(),
        Column::new(td_string!(locale, consents.state)),
        Column::new(td_string!(locale, consents.people)),
    ];
    let rows = list(texts, place, empty, |texts| table(title, columns, texts.iter().map(row).collect()));
    view! {
        <div class="page-head">
            <div class="grow">
                <h1>{title}</h1>
                <p class="small muted">{about}</p>
            </div>
            {act}
        </div>
        {rows}
    }
    .into_any()
}

fn row(text: &ConsentText) -> AnyView {
    let href = format!("{PATH}/{}", text.id);
    view! {
        <tr>
            <th scope="row"><a class="name breaks" href=href>{pieces::typed(text.draft.of(locale()).0)}</a></th>
            <td class="wide-only">{pieces::key(text.key.clone())}</td>
            <td>{state(text)}</td>
            <td class="num">{number(text.people)}</td>
        </tr>
    }
    .into_any()
}

/// Whether people are asked for it, and whether something newer was saved.
pub fn state(text: &ConsentText) -> AnyView {
    let locale = locale();
    let (tone, word) = match text {
        ConsentText { retired_at: Some(_), .. } => (Tone::Neutral, td_string!(locale, consents.retired)),
        ConsentText { latest: 0, .. } => (Tone::Neutral, td_string!(locale, consents.draft)),
        ConsentText { has_changes: true, .. } => (Tone::Waiting, td_string!(locale, consents.newer_draft)),
        ConsentText { required: true, .. } => (Tone::Good, td_string!(locale, consents.required)),
        ConsentText { required: false, .. } => (Tone::Good, td_string!(locale, consents.optional)),
    };
    pieces::badge(tone, None, word)
}
