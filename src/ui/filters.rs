//! The form above a list. What it holds goes into the address, with scripts and without.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use crate::base::language::td_string;
use crate::ui::{
    address,
    browser::Typed,
    icons::{Icon, icon},
    locale,
};

/// Fields with a button that searches, and a link that clears them when `filtered`.
#[component]
pub fn Filters(
    path: &'static str,
    /// The names of all fields inside.
    fields: &'static [&'static str],
    filtered: bool,
    children: Children,
) -> impl IntoView {
    let locale = locale();
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let values = fields.iter().map(|name| typed.text(name)).collect::<Vec<_>>();
        let query = fields.iter().copied().zip(values.iter().map(|value| value.trim())).collect::<Vec<_>>();
        navigate(&address::with_query(path, &query), NavigateOptions::default());
    };
    view! {
        <form class="tools" role="search" method="get" action=path on:submit=submit>
            {children()}
            <button class="btn" type="submit">{icon(Icon::Search)} {td_string!(locale, ui.filter)}</button>
            {filtered.then(|| view! { <a class="btn ghost" href=path>{td_string!(locale, ui.clear_filters)}</a> })}
        </form>
    }
    .into_any()
}
