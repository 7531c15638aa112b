//! A page in two languages that says hello, counts, and asks the server one thing: what a browser has to load for any app
//! of this kind before it does anything of its own.

use leptos::prelude::*;
use leptos_i18n::td_string;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    components::{Route, Router, Routes},
    path,
};

include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));

use i18n::Locale;

#[server]
async fn name() -> Result<String, ServerFnError> {
    Ok(String::new())
}

#[component]
fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=|| ()>
                <Route path=path!("/") view=Hello />
            </Routes>
        </Router>
    }
}

#[component]
fn Hello() -> impl IntoView {
    let locale = use_context::<Locale>().unwrap_or_default();
    let count = RwSignal::new(0);
    let name = Resource::new(|| (), |()| name());
    view! {
        <Title text=td_string!(locale, hello.title) />
        <Suspense>
            <p>{move || name.get().map(|name| td_string!(locale, hello.greeting, name = name.unwrap_or_default()).to_string())}</p>
        </Suspense>
        <button on:click=move |_| count.update(|count| *count += 1)>
            {move || td_string!(locale, hello.pressed, count = count.get()).to_string()}
        </button>
    }
}

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
