//! The frame of the pages before the console: one column and nothing beside it.

use leptos::prelude::*;

use crate::base::language::td_string;
use crate::ui::{icons::brand_mark, locale, preferences::Preferences};

#[component]
pub fn Gate(children: Children) -> impl IntoView {
    let locale = locale();
    view! {
        <div class="gate">
            <header>
                <a class="skip" href="#main" rel="external">{td_string!(locale, ui.skip)}</a>
                <Preferences />
            </header>
            <main id="main" tabindex="-1">
                {brand_mark()}
                {children()}
            </main>
        </div>
    }
    .into_any()
}
