//! Bawwab, the doorman: who gets in, what they may do, and proof afterwards.
//!
//! A capability is a folder: `mod.rs` is what both sides may know, `pages` what people see, `server` what only the
//! server knows. A folder may use only those above it in this list (those on one line may not use each other).
#![recursion_limit = "512"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("`ssr` is the server's half and `hydrate` the browser's: build them apart");

include!(concat!(env!("OUT_DIR"), "/i18n/mod.rs"));

pub mod access;
pub mod accounts;
pub mod api_keys;
pub mod app;
pub mod approvals;
pub mod audit;
pub mod base;
pub mod groups;
pub mod impersonation;
pub mod passkeys;
pub mod policies;
pub mod roles;
pub mod second_factor;
pub mod sessions;
pub mod settings;
pub mod ui;

/// Where the browser takes over the pages that the server has drawn.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    use leptos::prelude::{ArcRwSignal, IntoAny as _, Set as _, document, view};

    console_error_panic_hook::set_once();
    leptos::__reexports::wasm_bindgen_futures::spawn_local(async {
        let Some(body) = document().body() else { return };
        let taken_over = ArcRwSignal::new(false);
        let told = taken_over.clone();
        let app = move || view! { <app::App taken_over=told /> }.into_any();
        leptos::mount::hydrate_from_async(body, app).await.forget();
        taken_over.set(true);
    });
}
