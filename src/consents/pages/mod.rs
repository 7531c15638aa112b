//! The pages about consents: one's own, and the texts in the console.

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    base::language::td_string,
    ui::{lazy::lazy_pages, locale},
};

mod list;
mod own;
mod text;

use list::ConsentsPage;
pub use own::OwnConsentsPage;
use text::ConsentPage;

const PATH: &str = "/console/consents";

lazy_pages! {
    (draw_consents, load_consents)
    Consents: ConsentsRoute => ConsentsPage,
    Consent: ConsentRoute => ConsentPage,
    OwnConsents: OwnConsentsRoute => OwnConsentsPage,
}

#[component(transparent)]
pub fn ConsentRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("consents") view={Lazy::<ConsentsRoute>::new()} />
        // Of what is not there yet the id is `new`.
        <Route path=path!("consents/:id") view={Lazy::<ConsentRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

/// The names of the fields of these forms.
fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "key" => Some(td_string!(locale, consents.key)),
        "required" => Some(td_string!(locale, consents.required_box)),
        "title_ar" => Some(td_string!(locale, consents.title_ar)),
        "title_en" => Some(td_string!(locale, consents.title_en)),
        "body_ar" => Some(td_string!(locale, consents.body_ar)),
        "body_en" => Some(td_string!(locale, consents.body_en)),
        "email" => Some(td_string!(locale, accounts.leave_type)),
        _ => None,
    }
}

/// Text of several lines as it was typed.
fn lines(text: &str) -> AnyView {
    view! { <p class="prose" dir="auto">{text.to_owned()}</p> }.into_any()
}
