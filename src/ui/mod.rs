//! The design system: fields, lists, dialogs, states and frames. It knows no capability.

use leptos::prelude::*;

use crate::i18n::Locale;

pub mod address;
pub mod asking;
pub mod brand;
pub mod browser;
pub mod calls;
pub mod chart;
pub mod checks;
pub mod clock;
pub mod copy;
pub mod dialog;
pub mod diff;
pub mod drag;
pub mod fields;
pub mod filters;
pub mod gate;
pub mod icons;
pub mod keys;
pub mod lazy;
pub mod list;
pub mod menu;
pub mod offline;
pub mod palette;
pub mod pieces;
pub mod preferences;
pub mod selection;
pub mod sheet;
pub mod states;
pub mod status;
pub mod steps;
pub mod table;
pub mod tabs;
pub mod toasts;
pub mod tri_state;
pub mod unsaved;
pub mod viewer;
pub mod virtual_list;

/// The language of this page. The server chose it; it does not change while the page lives.
pub fn locale() -> Locale {
    use_context::<Locale>().unwrap_or_default()
}

/// Whether texts that exist in both languages are shown in Arabic.
pub fn is_arabic() -> bool {
    locale() == Locale::ar
}

/// Turns true once the browser has taken over the page: what needs it stays disabled until then.
#[derive(Clone, Copy)]
pub struct Hydrated(pub RwSignal<bool>);

/// Whether what needs the browser's half may be used already.
pub fn is_live() -> RwSignal<bool> {
    use_context::<Hydrated>().map_or_else(|| RwSignal::new(false), |Hydrated(live)| live)
}
