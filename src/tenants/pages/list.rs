//! The list of tenants. What is looked for and the place in the list are in the address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{PATH, plan_word, status_badge};
use crate::{
    access::{TENANTS_CREATE, TENANTS_READ},
    base::{errors::AppError, habits::number, language::td_string, paging::Page},
    tenants::{Tenant, TenantsQuery, calls::list_tenants},
    ui::{
        address::{self, filled},
        filters::search,
        icons::Icon,
        list::{Empty, Place, create_link, list},
        locale, pieces, states,
        table::{Column, table},
        viewer::{Held, viewer},
    },
};

const NEW: &str = "/console/tenants/new";

#[component]
pub fn TenantsPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let map = use_query_map();
    let query = address::settled(move || {
        map.with(|map| TenantsQuery { q: filled(map.get("q")), after: filled(map.get("after")), limit: None })
    });
    let tenants = Resource::new_blocking(move || query.get(), list_tenants);
    view! {
        <Title text=td_string!(locale, tenants.tenants) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, tenants.tenants)}</h1>
                <p class="small muted">{td_string!(locale, tenants.about)}</p>
            </div>
            {create_link(TENANTS_CREATE.as_str(), NEW, td_string!(locale, tenants.create))}
        </div>
        {search(PATH, td_string!(locale, tenants.search), TENANTS_READ.as_str(), Signal::derive(move || query.get().q))}
        <Suspense fallback=move || states::loading_table(6)>
            {move || {
                let (viewer, query) = (viewer.clone(), query.get());
                Suspend::new(async move { tenants_list(&query, tenants.await, &viewer.holds().await) })
            }}
        </Suspense>
    }
    .into_any()
}

fn tenants_list(query: &TenantsQuery, tenants: Result<Page<Tenant>, AppError>, held: &Held) -> AnyView {
    let locale = locale();
    let place = Place {
        is_filtered: query.q.is_some(),
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| address::with_query(PATH, &[("q", query.q.as_deref().unwrap_or_default()), ("after", after)]),
    };
    let create = (NEW.to_owned(), td_string!(locale, tenants.create));
    let empty = Empty {
        sign: Icon::Door,
        title: td_string!(locale, tenants.none),
        about: td_string!(locale, tenants.about),
        action: held.may(TENANTS_CREATE.as_str()).then_some(create),
    };
    let columns = [
        Column::new(td_string!(locale, tenants.name)),
        Column::new(td_string!(locale, tenants.plan)).wide(),
        Column::new(td_string!(locale, tenants.status)),
        Column::new(td_string!(locale, tenants.people)),
        Column::new(td_string!(locale, tenants.created_at)).wide(),
    ];
    list(tenants, place, empty, |tenants| {
        table(td_string!(locale, tenants.tenants), columns, tenants.into_iter().map(row).collect())
    })
}

fn row(tenant: Tenant) -> AnyView {
    let href = format!("{PATH}/{}", tenant.id);
    view! {
        <tr>
            <th scope="row"><a class="name breaks" href=href>{pieces::typed(tenant.name)}</a></th>
            <td class="wide-only">{plan_word(tenant.plan)}</td>
            <td>{status_badge(tenant.status)}</td>
            <td class="num">{number(tenant.people)}</td>
            <td class="wide-only">{pieces::moment(tenant.created_at)}</td>
        </tr>
    }
    .into_any()
}
