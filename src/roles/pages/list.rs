//! The list of roles.

use leptos::prelude::*;
use leptos_meta::Title;

use super::origin_badge;
use crate::{
    access::ROLES_CREATE,
    base::{habits::number, language::td_string},
    roles::{Role, calls::list_roles},
    ui::{
        icons::{Icon, icon},
        locale, pieces, states,
        viewer::viewer,
    },
};

#[component]
pub fn RolesPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let roles = Resource::new_blocking(|| (), |()| list_roles());
    let for_list = viewer.clone();
    view! {
        <Title text=td_string!(locale, roles.roles) />
        <div class="page-head">
            <h1 class="grow">{td_string!(locale, roles.roles)}</h1>
            <Suspense>
                {move || {
                    let viewer = viewer.clone();
                    Suspend::new(async move {
                        viewer
                            .holds()
                            .await
                            .may(ROLES_CREATE.as_str())
                            .then(|| {
                                view! {
                                    <a class="btn primary" href="/console/roles/new">
                                        {icon(Icon::Add)}
                                        {td_string!(locale, roles.create)}
                                    </a>
                                }
                            })
                    })
                }}
            </Suspense>
        </div>
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let viewer = for_list.clone();
                Suspend::new(async move {
                    match roles.await {
                        Ok(roles) => list(roles, viewer.holds().await.may(ROLES_CREATE.as_str())),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn list(roles: Vec<Role>, may_create: bool) -> AnyView {
    let locale = locale();
    if roles.is_empty() {
        let create = ("/console/roles/new".to_owned(), td_string!(locale, roles.create));
        return states::empty(
            Icon::Role,
            td_string!(locale, roles.no_roles),
            td_string!(locale, roles.no_roles_about),
            may_create.then_some(create),
        );
    }
    let rows = roles.into_iter().map(row).collect_view();
    view! {
        <div class="card table-box">
            <table class="table">
                <caption class="away">{td_string!(locale, roles.roles)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, roles.name)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, roles.description)}</th>
                        <th scope="col">{td_string!(locale, roles.permissions)}</th>
                        <th scope="col">{td_string!(locale, roles.people)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn row(role: Role) -> AnyView {
    let origin = origin_badge(&role);
    view! {
        <tr>
            <th scope="row">
                <span class="row-of">
                    <a class="name" href=format!("/console/roles/{}", role.id)>{pieces::typed(role.name)}</a>
                    {origin}
                </span>
            </th>
            <td class="wide-only"><span dir="auto">{role.description}</span></td>
            <td class="num">{number(role.permissions.len())}</td>
            <td class="num">{number(role.people)}</td>
        </tr>
    }
    .into_any()
}
