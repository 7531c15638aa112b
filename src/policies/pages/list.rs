//! The list of policies. What is looked for and the place in the list are in the address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{PATH, mode_word, state};
use crate::{
    access::{POLICIES_CREATE, POLICIES_READ},
    base::{errors::AppError, language::td_string, paging::Page},
    policies::{PoliciesQuery, Policy, calls::list_policies},
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

#[component]
pub fn PoliciesPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let map = use_query_map();
    let query = address::settled(move || {
        map.with(|map| PoliciesQuery { q: filled(map.get("q")), after: filled(map.get("after")), limit: None })
    });
    let policies = Resource::new_blocking(move || query.get(), list_policies);
    view! {
        <Title text=td_string!(locale, policies.policies) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, policies.policies)}</h1>
                <p class="small muted">{td_string!(locale, policies.about)}</p>
            </div>
            {create_link(POLICIES_CREATE.as_str(), "/console/policies/new", td_string!(locale, policies.create))}
        </div>
        {search(PATH, td_string!(locale, policies.search), POLICIES_READ.as_str(), Signal::derive(move || query.get().q))}
        <Suspense fallback=move || states::loading_table(4)>
            {move || {
                let (viewer, query) = (viewer.clone(), query.get());
                Suspend::new(async move { policies_list(&query, policies.await, &viewer.holds().await) })
            }}
        </Suspense>
    }
    .into_any()
}

fn policies_list(query: &PoliciesQuery, policies: Result<Page<Policy>, AppError>, held: &Held) -> AnyView {
    let locale = locale();
    let place = Place {
        is_filtered: query.q.is_some(),
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| address::with_query(PATH, &[("q", query.q.as_deref().unwrap_or_default()), ("after", after)]),
    };
    let create = ("/console/policies/new".to_owned(), td_string!(locale, policies.create));
    let empty = Empty {
        sign: Icon::Code,
        title: td_string!(locale, policies.none),
        about: td_string!(locale, policies.about),
        action: held.may(POLICIES_CREATE.as_str()).then_some(create),
    };
    let columns = [
        Column::new(td_string!(locale, policies.name)),
        Column::new(td_string!(locale, policies.mode)).wide(),
        Column::new(td_string!(locale, policies.actions)).wide(),
        Column::new(td_string!(locale, policies.state)),
    ];
    list(policies, place, empty, |policies| {
        table(td_string!(locale, policies.policies), columns, policies.into_iter().map(row).collect())
    })
}

fn row(policy: Policy) -> AnyView {
    let href = format!("{PATH}/{}", policy.id);
    let state = state(&policy);
    let actions = policy.document.actions.into_iter().map(|key| view! { <li>{pieces::key(key)}</li> }).collect_view();
    view! {
        <tr>
            <th scope="row">
                <a class="name breaks" href=href>
                    {pieces::typed_in_parts(&policy.name)}
                </a>
            </th>
            <td class="wide-only">{mode_word(policy.document.mode)}</td>
            <td class="wide-only"><ul class="plain-list" role="list">{actions}</ul></td>
            <td>{state}</td>
        </tr>
    }
    .into_any()
}
