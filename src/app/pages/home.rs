//! The first page of the console: what needs attention, what changed last, and what this person may do.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{frame::SignedIn, places::APPROVALS};
use crate::{
    access::{APPROVALS_DECIDE, AUDIT_READ, PERMISSIONS_READ, Permission, ROLES_CREATE, USERS_CREATE, USERS_READ},
    accounts::{
        NO_ROLE, PeopleCounts, SOON_DAYS, Status,
        calls::{count_ending, count_people},
        pages::role_badges,
    },
    approvals::pages::Waiting,
    audit::{AuditCounts, AuditEntry, AuditQuery, Outcome, RECENT_HOURS, count_audit, list_audit, pages::list::latest},
    base::{
        errors::AppError,
        habits::number,
        language::{self, td_string},
        paging::Page,
    },
    sessions::Me,
    ui::{
        address,
        icons::{Icon, icon},
        locale, pieces, states,
    },
};

/// How many of the last changes are shown.
const LATEST: u32 = 6;

/// A part that only some may see: `None` for the others.
type Part<T> = Result<Option<T>, AppError>;

/// Everything that the page tells; each part comes from an operation that asks for its own permission.
struct Known {
    people: Part<PeopleCounts>,
    ending: Part<i64>,
    log: Part<AuditCounts>,
    /// The frame counts these for its menu.
    waiting: Option<i64>,
    latest: Part<Page<AuditEntry>>,
}

/// Asks where the viewer may; who may not is not even refused.
async fn part<T>(may: bool, ask: impl Future<Output = Result<T, AppError>>) -> Part<T> {
    if may { ask.await.map(Some) } else { Ok(None) }
}

#[component]
pub fn HomePage() -> impl IntoView {
    let locale = locale();
    let me = expect_context::<SignedIn>();
    let waiting = use_context::<Waiting>();
    let may = move |needed: Vec<Permission>| async move {
        me.await.is_ok_and(|me| needed.iter().all(|permission| me.may(permission)))
    };
    let people =
        Resource::new_blocking(|| (), move |()| async move { part(may(vec![USERS_READ]).await, count_people()).await });
    let ending = Resource::new_blocking(
        || (),
        move |()| async move { part(may(vec![USERS_READ, PERMISSIONS_READ]).await, count_ending()).await },
    );
    let log =
        Resource::new_blocking(|| (), move |()| async move { part(may(vec![AUDIT_READ]).await, count_audit()).await });
    let changes = Resource::new_blocking(
        || (),
        move |()| async move {
            let query = AuditQuery { action: Some("admin.".to_owned()), limit: Some(LATEST), ..AuditQuery::default() };
            part(may(vec![AUDIT_READ]).await, list_audit(query)).await
        },
    );
    view! {
        <Title text=td_string!(locale, app.home) />
        <Suspense fallback=states::loading_card>
            {move || Suspend::new(async move {
                match me.await {
                    Ok(me) => {
                        let waiting = match waiting.filter(|_| me.may(&APPROVALS_DECIDE)) {
                            Some(Waiting(waiting)) => Some(waiting.await),
                            None => None,
                        };
                        let known = Known {
                            waiting,
                            people: people.await,
                            ending: ending.await,
                            log: log.await,
                            latest: changes.await,
                        };
                        page(me, known)
                    }
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

fn page(me: Me, known: Known) -> AnyView {
    let locale = locale();
    let greeting = td_string!(locale, app.greeting, name = language::isolate(&me.name)).to_string();
    let active = known.people.as_ref().ok().and_then(Option::as_ref).map(|people| {
        let href = address::with_query("/console/people", &[("status", Status::Active.as_str())]);
        let words = td_string!(locale, app.active_count, count = people.active).to_string();
        view! { <p class="small"><a href=href>{words}</a></p> }
    });
    let news = [attention(&known), recent(known.latest)].into_iter().flatten().collect::<Vec<_>>();
    let news = (!news.is_empty()).then(|| view! { <div class="stack">{news}</div> });
    view! {
        <div class="page-head">
            <div class="grow">
                <h1>{pieces::sentence(&greeting)}</h1>
                {active}
            </div>
        </div>
        <div class="home">
            {news}
            <div class="stack">
                {acts(&me)}
                {own_rights(me)}
            </div>
        </div>
    }
    .into_any()
}

/// A number that is worth a look, with the list that shows exactly what was counted.
struct Tile {
    count: i64,
    class: &'static str,
    sign: Icon,
    words: String,
    href: String,
}

/// What needs somebody, or that nothing does; nothing at all for whoever may count nothing.
fn attention(known: &Known) -> Option<AnyView> {
    let locale = locale();
    let failed = [known.people.as_ref().err(), known.ending.as_ref().err(), known.log.as_ref().err()];
    if let Some(error) = failed.into_iter().flatten().next() {
        return Some(states::failed(error));
    }
    let all = tiles(known);
    if all.is_empty() {
        return None;
    }
    let tiles = all.into_iter().filter(|tile| tile.count > 0).map(draw).collect::<Vec<_>>();
    let body = if tiles.is_empty() {
        view! {
            <div class="card state quiet">
                {icon(Icon::Allowed)} <p class="strong">{td_string!(locale, app.attention_none)}</p>
                <p class="muted small">{td_string!(locale, app.attention_none_about)}</p>
            </div>
        }
        .into_any()
    } else {
        view! { <ul class="tiles" role="list">{tiles}</ul> }.into_any()
    };
    Some(
        view! {
            <section class="stack tight" aria-labelledby="attention-title">
                <h2 id="attention-title">{td_string!(locale, app.attention)}</h2>
                {body}
            </section>
        }
        .into_any(),
    )
}

/// Everything that the viewer may count, most urgent first.
fn tiles(known: &Known) -> Vec<Tile> {
    let locale = locale();
    let mut tiles = Vec::new();
    let people = |query: &[(&str, &str)]| address::with_query("/console/people", query);
    let log = |query: &[(&str, &str)]| {
        let hours = RECENT_HOURS.to_string();
        let query = query.iter().copied().chain([("last_hours", hours.as_str())]).collect::<Vec<_>>();
        address::with_query("/console/audit", &query)
    };
    if let Ok(Some(counts)) = &known.log {
        tiles.push(Tile {
            count: counts.failed_sign_ins,
            class: "tile deny",
            sign: Icon::Lock,
            words: td_string!(locale, app.failed_sign_ins, count = counts.failed_sign_ins).to_string(),
            href: log(&[("action", "auth.login_failed")]),
        });
        tiles.push(Tile {
            count: counts.refusals,
            class: "tile deny",
            sign: Icon::Denied,
            words: td_string!(locale, app.refusals, count = counts.refusals).to_string(),
            href: log(&[("outcome", Outcome::Denied.as_str())]),
        });
    }
    if let Some(waiting) = known.waiting {
        tiles.push(Tile {
            count: waiting,
            class: "tile pending",
            sign: Icon::Allowed,
            words: td_string!(locale, app.approvals_waiting, count = waiting).to_string(),
            href: APPROVALS.to_owned(),
        });
    }
    if let Ok(Some(ending)) = &known.ending {
        tiles.push(Tile {
            count: *ending,
            class: "tile pending",
            sign: Icon::Clock,
            words: td_string!(locale, app.grants_ending, count = *ending).to_string(),
            href: people(&[("ends_within", &SOON_DAYS.to_string())]),
        });
    }
    if let Ok(Some(counts)) = &known.people {
        tiles.push(Tile {
            count: counts.invited,
            class: "tile pending",
            sign: Icon::Link,
            words: td_string!(locale, app.people_invited, count = counts.invited).to_string(),
            href: people(&[("status", Status::Invited.as_str())]),
        });
        tiles.push(Tile {
            count: counts.without_role,
            class: "tile",
            sign: Icon::Role,
            words: td_string!(locale, app.people_without_role, count = counts.without_role).to_string(),
            href: people(&[("role", NO_ROLE)]),
        });
        tiles.push(Tile {
            count: counts.suspended,
            class: "tile",
            sign: Icon::Pause,
            words: td_string!(locale, app.people_suspended, count = counts.suspended).to_string(),
            href: people(&[("status", Status::Suspended.as_str())]),
        });
    }
    tiles
}

fn draw(tile: Tile) -> AnyView {
    view! {
        <li>
            <a class=tile.class href=tile.href>
                <span class="tile-sign">{icon(tile.sign)}</span>
                <span class="figure">{number(tile.count)}</span>
                <span class="tile-words">{tile.words}</span>
                {icon(Icon::Forward)}
            </a>
        </li>
    }
    .into_any()
}

/// What administrators did last.
fn recent(changes: Part<Page<AuditEntry>>) -> Option<AnyView> {
    let locale = locale();
    let changes = changes.transpose()?;
    let all = address::with_query("/console/audit", &[("action", "admin.")]);
    Some(
        view! {
            <section class="card" aria-labelledby="recent-title">
                <div class="card-head">
                    <h2 class="grow" id="recent-title">{td_string!(locale, app.recent)}</h2>
                    <a class="small strong" href=all>{td_string!(locale, app.recent_all)}</a>
                </div>
                {latest(changes)}
            </section>
        }
        .into_any(),
    )
}

/// Where to go first.
fn acts(me: &Me) -> AnyView {
    let locale = locale();
    let all = [
        (USERS_CREATE, "/console/people/new", Icon::Add, td_string!(locale, app.act_add_person)),
        (ROLES_CREATE, "/console/roles/new", Icon::Role, td_string!(locale, app.act_create_role)),
        (PERMISSIONS_READ, "/console/studio", Icon::Key, td_string!(locale, app.act_open_studio)),
        (AUDIT_READ, "/console/audit", Icon::Audit, td_string!(locale, app.act_read_audit)),
    ];
    let links = all
        .into_iter()
        .filter(|(needed, ..)| me.may(needed))
        .map(|(_, href, sign, word)| view! { <li><a href=href>{icon(sign)} <span>{word}</span></a></li> })
        .collect::<Vec<_>>();
    if links.is_empty() {
        return ().into_any();
    }
    view! {
        <section class="card" aria-labelledby="acts-title">
            <div class="card-head"><h2 id="acts-title">{td_string!(locale, app.acts)}</h2></div>
            <ul class="places padded" role="list">{links}</ul>
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
