//! The form above a list. What it holds goes into the address, with scripts and without.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::base::language::td_string;
use crate::ui::{
    address,
    browser::Typed,
    fields::Field,
    icons::{Icon, icon},
    locale, pieces,
    viewer::viewer,
};

/// A filter that has no field of its own, with the address that is without it.
pub struct Chip {
    /// A sentence as `pieces::sentence` takes it.
    pub word: String,
    pub without: String,
}

/// The filters that no field shows, each with a way to take it off.
pub fn chips(chips: Vec<Chip>) -> AnyView {
    let locale = locale();
    if chips.is_empty() {
        return ().into_any();
    }
    let items = chips
        .into_iter()
        .map(|Chip { word, without }| {
            view! {
                <li>
                    <span class="chip">
                        <span>{pieces::sentence(&word)}</span>
                        <a href=without>
                            {icon(Icon::Denied)}
                            <span class="away">{td_string!(locale, ui.remove_filter)} " " {pieces::sentence(&word)}</span>
                        </a>
                    </span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    view! { <ul class="chips" role="list" aria-label=td_string!(locale, ui.filtered_by)>{items}</ul> }.into_any()
}

/// What stands above a list, for whoever holds what reading the list needs: over a refusal there is nothing to look for.
pub fn to_readers(permission: &str, draw: Callback<(), AnyView>) -> AnyView {
    let (viewer, permission) = (viewer(), permission.to_owned());
    view! {
        <Suspense>
            {move || {
                let (viewer, permission) = (viewer.clone(), permission.clone());
                Suspend::new(async move { viewer.holds().await.may(&permission).then_some(move || draw.run(())) })
            }}
        </Suspense>
    }
    .into_any()
}

/// The form above a list in which one can do no more than search; `q` is what is searched for now.
pub fn search(path: &'static str, label: &'static str, permission: &str, q: Signal<Option<String>>) -> AnyView {
    let form = move |()| {
        let q = q.get();
        view! {
            <Filters path fields=&["q"] filtered=q.is_some()>
                <div class="field wide">
                    <Field name="q" label kind="search" value=q.unwrap_or_default() />
                </div>
            </Filters>
        }
        .into_any()
    };
    to_readers(permission, Callback::new(form))
}

/// The fields beside the search. A phone has them behind a word, which tells how many of them hold something; a desk has
/// room for them (see `.fold-filters`).
#[component]
pub fn FoldedFilters(
    /// How many of them hold something.
    active: usize,
    children: Children,
) -> impl IntoView {
    let locale = locale();
    let word = match active {
        0 => td_string!(locale, ui.filters).to_owned(),
        count => td_string!(locale, ui.filters_active, count = count).to_string(),
    };
    view! {
        <details class="fold-filters">
            <summary class="btn">{word}</summary>
            {children()}
        </details>
    }
    .into_any()
}

/// Fields that are seldom used, behind a word; open while one of them holds something.
#[component]
pub fn MoreFilters(open: bool, children: Children) -> impl IntoView {
    let locale = locale();
    view! {
        <details class="more-filters" open=open>
            <summary>{td_string!(locale, ui.more_filters)}</summary>
            <div class="tools">{children()}</div>
        </details>
    }
    .into_any()
}

/// Fields with a button that searches, and a link that clears them when `filtered`.
#[component]
pub fn Filters(
    #[prop(into)] path: String,
    /// The address without filters, where it is not the path alone.
    #[prop(optional, into)]
    clear: Option<String>,
    /// The names of all fields inside.
    fields: &'static [&'static str],
    filtered: bool,
    children: Children,
) -> impl IntoView {
    let locale = locale();
    let navigate = use_navigate();
    let clear = clear.unwrap_or_else(|| path.clone());
    let action = path.clone();
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let values = fields.iter().map(|name| typed.text(name)).collect::<Vec<_>>();
        let query = fields.iter().copied().zip(values.iter().map(|value| value.trim())).collect::<Vec<_>>();
        navigate(&address::with_query(&path, &query), NavigateOptions::default());
    };
    view! {
        <form class="tools" role="search" method="get" action=action on:submit=submit>
            {children()}
            <button class="btn" type="submit">{icon(Icon::Search)} {td_string!(locale, ui.filter)}</button>
            {filtered.then(|| view! { <a class="btn ghost" href=clear>{td_string!(locale, ui.clear_filters)}</a> })}
        </form>
    }
    .into_any()
}
