//! Who has a role, given to them directly: until when, and in which part of the tenant.

use crate::base::language::td_string;
use leptos::prelude::*;

use super::bounds;
use crate::{
    access::Scope,
    accounts::pages::{list::person_name, status_badge},
    base::{errors::AppError, ids::RoleId, paging::Page},
    roles::{Holder, HoldersQuery},
    ui::{
        address,
        fields::Field,
        filters::Filters,
        icons::Icon,
        list::{Empty, Place, list},
        locale, pieces,
        table::{Column, table},
    },
};

const FIELDS: &[&str] = &["q", "tab"];

fn at(role: RoleId, q: &str, after: &str) -> String {
    address::with_query(&format!("/console/roles/{role}"), &[("tab", "people"), ("q", q), ("after", after)])
}

/// The search above the list, and the list.
pub fn holders(role: RoleId, query: &HoldersQuery, answer: Result<Page<Holder>, AppError>) -> AnyView {
    let locale = locale();
    let q = query.q.clone().unwrap_or_default();
    let place = Place {
        is_filtered: query.q.is_some(),
        all: at(role, "", ""),
        is_later: query.after.is_some(),
        at: |after: &str| at(role, &q, after),
    };
    let empty = Empty {
        sign: Icon::People,
        title: td_string!(locale, roles.nobody),
        about: td_string!(locale, roles.nobody_about),
        action: None,
    };
    let columns = [
        Column::new(td_string!(locale, roles.person)),
        Column::new(td_string!(locale, roles.status)).wide(),
        Column::new(td_string!(locale, roles.holds_until)),
        Column::new(td_string!(locale, roles.holds_where)).wide(),
    ];
    let rows = list(answer, place, empty, |holders| {
        table(td_string!(locale, roles.who_has_it), columns, holders.into_iter().map(row).collect())
    });
    view! {
        <Filters path=format!("/console/roles/{role}") clear=at(role, "", "") fields=FIELDS filtered=query.q.is_some()>
            <input type="hidden" name="tab" value="people" />
            <div class="field wide">
                <Field name="q" label=td_string!(locale, roles.search_people) kind="search" value=q.clone() />
            </div>
        </Filters>
        {rows}
    }
    .into_any()
}

fn row(holder: Holder) -> AnyView {
    let locale = locale();
    let person = holder.person;
    let until = match holder.expires_at {
        Some(moment) => pieces::moment(moment),
        None => view! { <span class="muted">{td_string!(locale, roles.no_end)}</span> }.into_any(),
    };
    let href = format!("/console/people/{}?tab=roles", person.id);
    view! {
        <tr>
            <th scope="row">{person_name(&person.name, &person.email, href)}</th>
            <td class="wide-only">{status_badge(person.status)}</td>
            <td>{until}</td>
            <td class="wide-only">{reach(&holder.scope)}</td>
        </tr>
    }
    .into_any()
}

/// How far the grant reaches.
fn reach(scope: &Scope) -> AnyView {
    let locale = locale();
    let parts = bounds::phrases(Some(scope), None, None);
    if parts.is_empty() {
        return view! { <span class="muted">{td_string!(locale, roles.everywhere)}</span> }.into_any();
    }
    pieces::sentence(&parts.join(td_string!(locale, base.list_separator)))
}
