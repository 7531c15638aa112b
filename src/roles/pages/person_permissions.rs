//! Every permission of a person with its three states and the reasons for its answer. Only the lines in sight are drawn.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    bounds::{self, DetailDialog, EndField},
    catalogue::{self, Entry, Row, Search},
    person_roles::read_only,
    reasons,
    staged::{Staged, Stand},
    studio,
};
use crate::{
    base::language::td_string,
    roles::Catalogue,
    ui::{
        icons::{Icon, icon},
        is_live, locale, pieces,
        tri_state::{Tri, TriState},
        virtual_list::{Place, VirtualList, Window},
    },
};

#[component]
pub fn PersonPermissions(catalogue: Catalogue, staged: Staged, search: Search, may_assign: bool) -> impl IntoView {
    let locale = locale();
    view! {
        <section class="card" aria-labelledby="permissions-title">
            <div class="card-head">
                <h2 class="grow" id="permissions-title">{td_string!(locale, roles.permissions)}</h2>
                {catalogue::search_field(search, "right-search", td_string!(locale, roles.search))}
            </div>
            {(!may_assign).then(read_only)}
            <RightList catalogue staged search may_assign />
        </section>
    }
    .into_any()
}

/// The list itself, with the dialog that explains one line and bounds it.
#[component]
pub fn RightList(catalogue: Catalogue, staged: Staged, search: Search, may_assign: bool) -> impl IntoView {
    let all = StoredValue::new(catalogue::rows(&catalogue, false));
    let rows = Memo::new(move |_| all.with_value(|all| catalogue::found(all, search)));
    let rows = Signal::from(rows);
    let window = Window::new(rows, Row::is_head);
    search.when_changed(move || window.rewind());
    let open = RwSignal::new(false);
    let explained = RwSignal::new(None::<Arc<Entry>>);
    let title =
        Signal::derive(move || explained.with(|entry| entry.as_ref().map(|entry| entry.name()).unwrap_or_default()));
    let explain = Callback::new(move |entry| {
        explained.set(Some(entry));
        open.set(true);
    });
    let is_empty = Signal::derive(move || rows.with(Vec::is_empty));
    view! {
        <VirtualList
            window
            class="rows rights"
            labelled_by="permissions-title"
            rows
            key=Row::id
            draw=move |place, row| match row {
                Row::Head { resource, .. } => catalogue::head(&resource, place),
                Row::Item(entry) => line(entry, place, staged, may_assign, explain),
            }
        />
        {catalogue::nothing_found(is_empty)}
        // Only the lines in sight are drawn above, and scrolling needs scripts.
        <noscript inner_html=all.with_value(|all| all_in_words(all, staged))></noscript>
        <DetailDialog id="right-detail" open title>
            {move || explained.get().map(|entry| detail(&entry, staged, may_assign))}
        </DetailDialog>
    }
    .into_any()
}

/// Every permission with its answer and reasons, for whoever reads without scripts.
#[cfg(feature = "ssr")]
fn all_in_words(all: &[Row], staged: Staged) -> String {
    let lines = all.iter().filter_map(Row::entry).map(|entry| {
        let key = entry.info.key.as_str();
        let why = untrack(|| staged.answer(key)).map(|answer| {
            view! { {reasons::answer_badge(&answer)} {reasons::all(&answer)} }
        });
        view! {
            <li class="padded">
                <p><span class="strong">{entry.name()}</span> " " {pieces::key(key)}</p>
                {why}
            </li>
        }
    });
    view! { <ul class="outcomes" role="list">{lines.collect_view()}</ul> }.to_html()
}

/// A browser that runs this shows no such thing.
#[cfg(not(feature = "ssr"))]
fn all_in_words(_all: &[Row], _staged: Staged) -> String {
    String::new()
}

fn line(entry: Arc<Entry>, place: Place, staged: Staged, may_assign: bool, explain: Callback<Arc<Entry>>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let key: Arc<str> = Arc::from(entry.info.key.as_str());
    let name = entry.name();
    let tri = {
        let key = Arc::clone(&key);
        move || staged.stand(&key).tri
    };
    let changed = {
        let key = Arc::clone(&key);
        move || staged.changes.with(|changes| changes.stands.contains_key(&*key))
    };
    let choose = {
        let key = Arc::clone(&key);
        move |tri: Tri| staged.set_tri(&key, tri)
    };
    let status = {
        let key = Arc::clone(&key);
        move || status(&key, staged)
    };
    let full = format!("{name} {key}");
    let legend = name.clone();
    let why = td_string!(locale, roles.why_about, name = name.clone()).to_string();
    view! {
        <div
            class="right"
            class:changed=changed
            role="listitem"
            aria-posinset=place.number()
            aria-setsize=move || place.of()
        >
            <div class="about">
                <p class="one-line strong" title=full>
                    {name}
                </p>
                <p class="two-lines small muted">{pieces::key(key.to_string())} " " {status}</p>
            </div>
            <button
                class="round"
                type="button"
                aria-label=why
                disabled=move || !live.get()
                on:click=move |_| explain.run(entry.clone())
            >
                {icon(Icon::Why)}
            </button>
            <TriState
                name=format!("stand-{key}")
                legend=legend
                value=tri
                disabled=move || !may_assign || !live.get()
                on_change=choose
            />
        </div>
    }
    .into_any()
}

/// The answer on what is saved, and either the bounds of what is set here or where it comes from.
fn status(key: &str, staged: Staged) -> AnyView {
    let locale = locale();
    let answer = staged.answer(key);
    let stand = staged.stand(key);
    let bounds = (stand.tri != Tri::Inherited).then(|| bounds::words(&stand.until, &stand.reason));
    let covered = if stand.tri == Tri::Inherited { staged.covering(key) } else { None };
    let covered = covered.map(|(pattern, tri)| studio::covered(&pattern, tri));
    let words = match (bounds.filter(|words| !words.is_empty()).or(covered), &answer) {
        (Some(words), _) => words,
        (None, Some(answer)) => reasons::inherited(answer),
        (None, None) if is_wildcard(key) => td_string!(locale, roles.wildcard).to_owned(),
        // Of several people nothing is one answer.
        (None, None) => String::new(),
    };
    view! { {answer.as_ref().map(reasons::answer_badge)} " " {pieces::sentence(&words)} }.into_any()
}

fn is_wildcard(key: &str) -> bool {
    key.ends_with('*')
}

/// Everything about one permission of this person: the answer, why, and the bounds of what is set here.
fn detail(entry: &Entry, staged: Staged, may_assign: bool) -> AnyView {
    let locale = locale();
    let key: Arc<str> = Arc::from(entry.info.key.as_str());
    let why = match staged.answer(&key) {
        Some(answer) => view! {
            <p class="row-of">{reasons::answer_badge(&answer)}</p>
            <h3>{td_string!(locale, roles.why)}</h3>
            {reasons::all(&answer)}
        }
        .into_any(),
        None if is_wildcard(&key) => view! { <p class="muted">{td_string!(locale, roles.wildcard)}</p> }.into_any(),
        None => ().into_any(),
    };
    let is_own = {
        let key = Arc::clone(&key);
        Memo::new(move |_| staged.stand(&key).tri != Tri::Inherited)
    };
    let own = {
        let key = Arc::clone(&key);
        move || is_own.get().then(|| own_bounds(Arc::clone(&key), staged, may_assign))
    };
    view! {
        <p class="muted">{pieces::key(key.to_string())}</p>
        {why}
        {own}
    }
    .into_any()
}

/// Until when, and why, for what is allowed or denied to this person.
fn own_bounds(key: Arc<str>, staged: Staged, may_assign: bool) -> AnyView {
    let locale = locale();
    let until = {
        let key = Arc::clone(&key);
        Signal::derive(move || staged.stand(&key).until)
    };
    let set_until = {
        let key = Arc::clone(&key);
        Callback::new(move |until| staged.set_stand(&key, Stand { until, ..untrack(|| staged.stand(&key)) }))
    };
    let first = untrack(|| staged.stand(&key)).reason;
    let set_reason = move |reason: String| {
        staged.set_stand(&key, Stand { reason, ..untrack(|| staged.stand(&key)) });
    };
    view! {
        <div class="stack">
            <EndField id="right-until" value=until set=set_until fixed=!may_assign />
            <div class="field">
                <label for="right-reason">{td_string!(locale, roles.reason_label)}</label>
                <input
                    class="input"
                    type="text"
                    dir="auto"
                    maxlength="500"
                    id="right-reason"
                    value=first
                    disabled=!may_assign
                    on:change:target=move |event| set_reason(event.target().value())
                />
            </div>
        </div>
    }
    .into_any()
}
