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
pub mod consents;
pub mod groups;
pub mod impersonation;
pub mod passkeys;
pub mod policies;
pub mod reports;
pub mod roles;
pub mod second_factor;
pub mod sessions;
pub mod settings;
pub mod tenants;
pub mod ui;

/// Where the browser takes over the pages that the server has drawn. What a page needs is there before: drawing it then is
/// one step, as it was on the server. Where it does not arrive the page stays as it is without scripts.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::__reexports::wasm_bindgen_futures::spawn_local(async {
        let path = leptos::prelude::location().pathname().unwrap_or_default();
        if !ui::lazy::is_apart(&path) || app::load_console().await.is_ok() {
            leptos::mount::hydrate_body(app::App);
        }
    });
}
