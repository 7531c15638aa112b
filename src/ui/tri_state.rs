//! The control with three states: what comes from elsewhere, allowed here, denied here.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::base::language::td_string;
use crate::ui::{
    icons::{Icon, icon},
    locale,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tri {
    #[default]
    Inherited,
    Allowed,
    Denied,
}

impl Tri {
    pub fn word(self) -> &'static str {
        let locale = locale();
        match self {
            Tri::Inherited => td_string!(locale, ui.inherited),
            Tri::Allowed => td_string!(locale, ui.allowed),
            Tri::Denied => td_string!(locale, ui.denied),
        }
    }

    pub fn icon(self) -> Icon {
        match self {
            Tri::Inherited => Icon::Inherited,
            Tri::Allowed => Icon::Allowed,
            Tri::Denied => Icon::Denied,
        }
    }

    fn value(self) -> &'static str {
        match self {
            Tri::Inherited => "inherited",
            Tri::Allowed => "allowed",
            Tri::Denied => "denied",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Tri::Inherited => "inherit",
            Tri::Allowed => "allow",
            Tri::Denied => "deny",
        }
    }
}

/// A group of three native radio buttons. `name` must be unique on the page.
#[component]
pub fn TriState(
    #[prop(into)] name: String,
    /// What is being set, for screen readers.
    #[prop(into)]
    legend: String,
    value: impl Fn() -> Tri + Clone + Send + Sync + 'static,
    disabled: impl Fn() -> bool + Clone + Send + Sync + 'static,
    on_change: impl Fn(Tri) + Clone + Send + Sync + 'static,
) -> impl IntoView {
    let choices = [Tri::Inherited, Tri::Allowed, Tri::Denied]
        .map(|choice| {
            let (value, disabled, on_change) = (value.clone(), disabled.clone(), on_change.clone());
            let checked = untrack(&value) == choice;
            view! {
                <label class=choice.class()>
                    <input
                        type="radio"
                        name=name.clone()
                        value=choice.value()
                        checked=checked
                        prop:checked=move || value() == choice
                        disabled=disabled
                        on:change=move |_| on_change(choice)
                    />
                    {icon(choice.icon())}
                    <span>{choice.word()}</span>
                </label>
            }
        })
        .into_iter()
        .collect_view();
    view! {
        <fieldset class="tri">
            <legend class="away">{legend}</legend>
            {choices}
        </fieldset>
    }
    .into_any()
}
