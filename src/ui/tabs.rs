//! Tabs: links to the parts of one page. The part that is shown is in the address.

use leptos::prelude::*;

/// One tab.
pub struct Tab {
    pub href: String,
    pub word: &'static str,
    pub is_current: bool,
}

/// A row of tabs; on a phone it scrolls by itself.
pub fn tabs(label: &'static str, tabs: impl IntoIterator<Item = Tab>) -> AnyView {
    let links = tabs
        .into_iter()
        .map(|Tab { href, word, is_current }| {
            let current = is_current.then_some("page");
            // Another part of the same page is no reason to scroll.
            view! { <li><a href=href aria-current=current data-noscroll="">{word}</a></li> }
        })
        .collect::<Vec<_>>();
    view! {
        <nav aria-label=label>
            <ul class="tabs" role="list">{links}</ul>
        </nav>
    }
    .into_any()
}
