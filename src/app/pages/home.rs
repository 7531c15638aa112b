//! The first page of the console: where things stand and what this person may do.

use leptos::prelude::*;
use leptos_meta::Title;

use super::frame::SignedIn;
use crate::{
    access::{AUDIT_READ, ROLES_CREATE, USERS_CREATE, USERS_READ},
    accounts::{
        PeopleCounts, Status,
        calls::count_people,
        pages::{role_badges, status_badge},
    },
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    sessions::Me,
    ui::{
        icons::{Icon, icon},
        locale, pieces, states,
    },
};

#[component]
pub fn HomePage() -> impl IntoView {
    let locale = locale();
    let me = expect_context::<SignedIn>();
    let counts = Resource::new_blocking(
        || (),
        move |()| async move {
            match me.await {
                Ok(me) if me.may(&USERS_READ) => count_people().await.map(Some),
                _ => Ok(None),
            }
        },
    );
    view! {
        <Title text=td_string!(locale, app.home) />
        <Suspense fallback=move || states::loading(5)>
            {move || Suspend::new(async move {
                match me.await {
                    Ok(me) => page(me, counts.await),
                    Err(error) => view! {
                        <h1>{td_string!(locale, app.home)}</h1>
                        {states::failure(&error)}
                    }
                    .into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

fn page(me: Me, counts: Result<Option<PeopleCounts>, AppError>) -> AnyView {
    let locale = locale();
    let greeting = td_string!(locale, app.greeting, name = language::isolate(&me.name)).to_string();
    let counts = match counts {
        Ok(counts) => counts.map(people),
        Err(error) => Some(states::failed(&error)),
    };
    view! {
        <div class="page-head"><h1>{pieces::sentence(&greeting)}</h1></div>
        {counts}
        {acts(&me)}
        {own_rights(me)}
    }
    .into_any()
}

/// How many people there are, by where their accounts stand.
fn people(counts: PeopleCounts) -> AnyView {
    let locale = locale();
    let figure = |status: Status, count: i64| {
        let href = format!("/console/people?status={}", status.as_str());
        let words = td_string!(locale, app.people_count, count = count).to_string();
        view! {
            <li class="card">
                <a href=href>
                    <span class="figure">{words}</span>
                    <span>{status_badge(status)}</span>
                </a>
            </li>
        }
    };
    view! {
        <section class="stack" aria-labelledby="people-title">
            <h2 id="people-title">{td_string!(locale, app.people)}</h2>
            <ul class="counts" role="list">
                {figure(Status::Active, counts.active)}
                {figure(Status::Invited, counts.invited)}
                {figure(Status::Suspended, counts.suspended)}
            </ul>
        </section>
    }
    .into_any()
}

/// Where to go first.
fn acts(me: &Me) -> AnyView {
    let locale = locale();
    let all = [
        (USERS_CREATE, "/console/people/new", Icon::Add, td_string!(locale, app.act_add_person)),
        (ROLES_CREATE, "/console/roles/new", Icon::Role, td_string!(locale, app.act_create_role)),
        (AUDIT_READ, "/console/audit", Icon::Audit, td_string!(locale, app.act_read_audit)),
    ];
    let links = all
        .into_iter()
        .filter(|(needed, ..)| me.may(needed))
        .map(|(_, href, sign, word)| view! { <a class="btn" href=href>{icon(sign)} {word}</a> })
        .collect::<Vec<_>>();
    if links.is_empty() {
        return ().into_any();
    }
    view! {
        <section class="stack" aria-labelledby="acts-title">
            <h2 id="acts-title">{td_string!(locale, app.acts)}</h2>
            <div class="row-of">{links}</div>
        </section>
    }
    .into_any()
}

fn own_rights(me: Me) -> AnyView {
    let locale = locale();
    let count = td_string!(locale, app.permissions_count, count = me.permissions.len()).to_string();
    let keys = me.permissions.into_iter().map(|key| view! { <li>{pieces::key(key)}</li> }).collect::<Vec<_>>();
    let list = (!keys.is_empty()).then(|| {
        view! {
            <details>
                <summary>{td_string!(locale, app.show_permissions)}</summary>
                <ul class="key-list" role="list">{keys}</ul>
            </details>
        }
    });
    view! {
        <section class="card padded" aria-labelledby="own-title">
            <h2 id="own-title">{td_string!(locale, app.own_rights)}</h2>
            {role_badges(me.roles)}
            <p class="muted">{count}</p>
            {list}
        </section>
    }
    .into_any()
}
