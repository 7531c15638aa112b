//! Templates of roles: what many need, created in one click.

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::label;
use crate::{
    base::language::td_string,
    roles::{
        Role,
        calls::role_from_template,
        templates::{FromTemplate, RoleTemplate},
    },
    ui::{
        calls::Call,
        fields,
        icons::{Icon, icon},
        is_arabic, locale,
        toasts::toasts,
    },
};

/// The templates, a button each.
pub fn shelf(templates: Vec<RoleTemplate>) -> AnyView {
    let locale = locale();
    if templates.is_empty() {
        return ().into_any();
    }
    let (call, toasts, navigate) = (Call::new(), toasts(), use_navigate());
    let arabic = is_arabic();
    let cards = templates
        .into_iter()
        .map(|template| {
            let navigate = navigate.clone();
            let (name, about) = match arabic {
                true => (template.name_ar, template.description_ar),
                false => (template.name_en, template.description_en),
            };
            let (id, called) = (template.id, name.clone());
            let count = td_string!(locale, roles.permissions_count, count = template.permissions.len()).to_string();
            let create = move |_| {
                let navigate = navigate.clone();
                let wanted = FromTemplate { template: id.clone(), name: Some(called.clone()) };
                call.run(role_from_template(wanted), move |role: Role| {
                    toasts.say(td_string!(locale, roles.created));
                    navigate(&format!("/console/roles/{}", role.id), NavigateOptions::default());
                });
            };
            let label = td_string!(locale, roles.create_of_template, name = name.clone()).to_string();
            view! {
                <li class="template">
                    <h3>{name}</h3>
                    <p class="small muted">{about}</p>
                    <p class="small">{count}</p>
                    <button
                        class="btn sm"
                        type="button"
                        aria-label=label
                        disabled=move || call.waits()
                        on:click=create
                    >
                        {icon(Icon::Add)}
                        {td_string!(locale, roles.create)}
                    </button>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card padded" aria-labelledby="templates-title">
            <h2 id="templates-title">{td_string!(locale, roles.templates)}</h2>
            <p class="small muted">{td_string!(locale, roles.templates_about)}</p>
            {fields::summary(call.error, label)}
            <ul class="templates" role="list">{cards}</ul>
        </section>
    }
    .into_any()
}
