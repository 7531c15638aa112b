//! Two roles side by side: what both give, and what only one of them does. Which ones is in the address.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    base::{errors::AppError, ids::RoleId, language::td_string},
    roles::{
        CompareQuery, ComparedKey, Comparison, Role,
        calls::{all_roles, compare_roles},
    },
    ui::{
        address::{self, filled},
        fields::Select,
        filters::Filters,
        icons::Icon,
        is_arabic, locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
    },
};

const PATH: &str = "/console/roles/compare";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    a: Option<RoleId>,
    b: Option<RoleId>,
    /// Only what differs.
    differing: bool,
}

#[component]
pub fn ComparePage() -> impl IntoView {
    let locale = locale();
    let map = use_query_map();
    let asked = address::settled(move || {
        map.with(|map| Asked {
            a: map.get_str("a").and_then(|id| id.parse().ok()),
            b: map.get_str("b").and_then(|id| id.parse().ok()),
            differing: filled(map.get("only")).is_some(),
        })
    });
    let roles = Resource::new_blocking(|| (), |()| all_roles());
    let comparison = Resource::new_blocking(
        move || asked.get(),
        |asked| async move {
            match (asked.a, asked.b) {
                (Some(a), Some(b)) => compare_roles(CompareQuery { a, b }).await.map(Some),
                _ => Ok(None),
            }
        },
    );
    view! {
        <Title text=td_string!(locale, roles.compare) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, roles.compare)}</h1>
                <p class="small muted">{td_string!(locale, roles.compare_about)}</p>
            </div>
        </div>
        <Suspense fallback=move || states::loading_table(8)>
            {move || {
                let asked = asked.get();
                Suspend::new(async move {
                    match roles.await {
                        Ok(roles) => {
                            view! { {choice(asked, roles)} {shown(asked, comparison.await)} }.into_any()
                        }
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn choice(asked: Asked, roles: Vec<Role>) -> AnyView {
    let locale = locale();
    let options = move |roles: &[Role]| {
        let first = (String::new(), td_string!(locale, roles.choose_role).to_owned());
        let all = roles.iter().map(|role| (role.id.to_string(), role.name.clone()));
        std::iter::once(first).chain(all).collect::<Vec<_>>()
    };
    let value = |id: Option<RoleId>| id.map(|id| id.to_string()).unwrap_or_default();
    let only = vec![
        (String::new(), td_string!(locale, roles.compare_all).to_owned()),
        ("differing".to_owned(), td_string!(locale, roles.compare_differing).to_owned()),
    ];
    let chosen = if asked.differing { "differing" } else { "" };
    view! {
        <Filters path=PATH fields=&["a", "b", "only"] filtered=asked.a.is_some() || asked.b.is_some()>
            <Select name="a" label=td_string!(locale, roles.first_role) options=options(&roles) value=value(asked.a) />
            <Select name="b" label=td_string!(locale, roles.second_role) options=options(&roles) value=value(asked.b) />
            <Select name="only" label=td_string!(locale, roles.compare_what) options=only value=chosen.to_owned() />
        </Filters>
    }
    .into_any()
}

fn shown(asked: Asked, comparison: Result<Option<Comparison>, AppError>) -> AnyView {
    let locale = locale();
    let comparison = match comparison {
        Ok(Some(comparison)) => comparison,
        Ok(None) => {
            return states::empty(
                Icon::Role,
                td_string!(locale, roles.compare_choose),
                td_string!(locale, roles.compare_choose_about),
                None,
            );
        }
        Err(error) => return states::failure(&error),
    };
    let Comparison { a, b, lines } = comparison;
    let differing = lines.iter().filter(|line| line.in_a != line.in_b).count();
    let lines = lines.into_iter().filter(|line| !asked.differing || line.in_a != line.in_b);
    let rows = lines.map(|line| row(line, (&a.name, &b.name))).collect::<Vec<_>>();
    let count = td_string!(locale, roles.differing_count, count = differing).to_string();
    let columns = [
        Column::new(td_string!(locale, roles.permission)),
        Column::of("", pieces::typed(a.name.clone())),
        Column::of("", pieces::typed(b.name.clone())),
    ];
    view! {
        <p class="muted" role="status">{count}</p>
        {table(td_string!(locale, roles.compare), columns, rows)}
    }
    .into_any()
}

fn row(line: ComparedKey, (a, b): (&str, &str)) -> AnyView {
    let locale = locale();
    let name = if is_arabic() { line.name_ar } else { line.name_en };
    let cell = |gives: bool, role: &str| {
        let badge = if gives {
            pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, roles.gives_it))
        } else {
            pieces::badge(Tone::Neutral, None, td_string!(locale, roles.gives_it_not))
        };
        view! { <td>{badge} <span class="away">" " {role.to_owned()}</span></td> }
    };
    view! {
        <tr class:same=line.in_a == line.in_b>
            <th scope="row">
                <span class="about"><span>{name}</span> <span class="small muted">{pieces::key(line.key)}</span></span>
            </th>
            {cell(line.in_a, a)}
            {cell(line.in_b, b)}
        </tr>
    }
    .into_any()
}
