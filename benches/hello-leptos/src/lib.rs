//! A page that says hello and counts: the floor of what a browser has to load for any app of this kind.

use leptos::prelude::*;

#[component]
fn App() -> impl IntoView {
    let count = RwSignal::new(0);
    view! {
        <p>"Hello, world!"</p>
        <button on:click=move |_| count.update(|count| *count += 1)>{count}</button>
    }
}

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(App);
}
