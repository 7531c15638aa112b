//! The device has no network: a line that says so, and forms that are not sent into the void.

use crate::base::language::td_string;
use leptos::{
    ev::{self, SubmitEvent},
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::HtmlFormElement,
};

use crate::ui::{
    browser,
    icons::{Icon, icon},
    locale,
};

/// Whether the device has a network, as the browser tells it.
#[derive(Clone, Copy)]
struct Network {
    is_off: RwSignal<bool>,
    /// A form was kept back since the network went.
    held_back: RwSignal<bool>,
}

impl Network {
    /// On the server, and until the browser has taken over, nothing is known to be amiss.
    fn watch() -> Self {
        let network = Network { is_off: RwSignal::new(false), held_back: RwSignal::new(false) };
        Effect::new(move |_| {
            network.is_off.set(browser::is_offline());
            let went = window_event_listener(ev::offline, move |_| network.is_off.set(true));
            let came = window_event_listener(ev::online, move |_| {
                network.is_off.set(false);
                network.held_back.set(false);
            });
            let sent = window_event_listener(ev::submit, move |event| network.hold_back(&event));
            on_cleanup(move || {
                went.remove();
                came.remove();
                sent.remove();
            });
        });
        network
    }

    /// Keeps a form that the browser would post by itself, and that nobody else has looked after, on the page.
    fn hold_back(self, event: &SubmitEvent) {
        if event.default_prevented() || !browser::is_offline() {
            return;
        }
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        if form.is_some_and(|form| form.method() == "post") {
            event.prevent_default();
            self.held_back.set(true);
        }
    }
}

/// The line above every page while there is no network. The region is always there, so that screen readers say it.
#[component]
pub fn OfflineBand() -> impl IntoView {
    let locale = locale();
    let network = Network::watch();
    let words = move || {
        if network.held_back.get() { td_string!(locale, offline.held_back) } else { td_string!(locale, offline.band) }
    };
    view! {
        <div class="no-network" role="status">
            {move || network.is_off.get().then(|| line(words))}
        </div>
    }
    .into_any()
}

/// The line itself.
pub fn line(words: impl IntoView + 'static) -> AnyView {
    view! { <p>{icon(Icon::Offline)} <span>{words}</span></p> }.into_any()
}
