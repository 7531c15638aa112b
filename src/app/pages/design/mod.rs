//! Every piece of the design system in every state, for whoever works on it. Builds that are delivered do not have it.
//!
//! It is drawn in the language and the theme of the page, as everything else: the same pieces are looked at four times.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    base::language::td_string,
    ui::{lazy::lazy_pages, locale},
};

mod acts;
mod data;
mod forms;
mod signs;
mod situations;

lazy_pages! {
    (draw_design, load_design)
    Design: DesignRoute => DesignPage,
}

#[component]
pub fn DesignPage() -> impl IntoView {
    let locale = locale();
    view! {
        <Title text=td_string!(locale, design.page) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, design.page)}</h1>
                <p class="small muted">{td_string!(locale, design.about)}</p>
            </div>
        </div>
        {section("signs", td_string!(locale, design.signs), signs::signs())}
        {section("acts", td_string!(locale, design.acts), acts::acts())}
        {section("forms", td_string!(locale, design.forms), forms::forms())}
        {section("data", td_string!(locale, design.data), data::data())}
        {section("situations", td_string!(locale, design.situations), situations::situations())}
    }
    .into_any()
}

/// A part of the page under its own heading.
fn section(id: &'static str, title: &'static str, body: AnyView) -> AnyView {
    view! {
        <section class="design-part" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {body}
        </section>
    }
    .into_any()
}

/// Pieces of one kind beside each other, under the name they have in the code.
fn shelf(name: &'static str, pieces: AnyView) -> AnyView {
    view! {
        <div class="shelf">
            <h3>{crate::ui::pieces::key(name)}</h3>
            <div class="row-of">{pieces}</div>
        </div>
    }
    .into_any()
}

/// A piece that takes the whole width.
fn wide(name: &'static str, piece: AnyView) -> AnyView {
    view! {
        <div class="shelf">
            <h3>{crate::ui::pieces::key(name)}</h3>
            {piece}
        </div>
    }
    .into_any()
}
