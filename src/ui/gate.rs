//! The frame of the pages before the console: one column and nothing beside it.

use leptos::prelude::*;

use crate::base::language::td_string;
use crate::ui::{brand::brand, icons::brand_mark, locale, pieces, preferences::Preferences};

#[component]
pub fn Gate(children: Children) -> impl IntoView {
    let locale = locale();
    // The product needs no name here: the title of the page says what it is.
    let name = brand().name.map(|name| view! { <p class="strong">{pieces::typed(name)}</p> });
    view! {
        <div class="gate">
            <header>
                <a class="skip" href="#main" rel="external">{td_string!(locale, ui.skip)}</a>
                <Preferences />
            </header>
            <main id="main" tabindex="-1">
                {brand_mark()}
                {name}
                {children()}
            </main>
        </div>
    }
    .into_any()
}
