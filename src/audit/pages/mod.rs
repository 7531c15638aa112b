//! The audit log on the screen: a sentence for each act, who did it, from where, and what it changed.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    hooks::use_query_map,
    path,
};

mod changes;
mod words;

use changes::changes;
use words::{ACTIONS, action_word, sentence};

use crate::{
    audit::{AuditEntry, AuditQuery, Outcome, list_audit},
    base::{language::td_string, paging::Page},
    ui::{
        address::{self, filled},
        fields::{Field, Select},
        filters::Filters,
        icons::Icon,
        locale,
        pieces::{self, Tone},
        states,
    },
};

const PATH: &str = "/console/audit";
/// The fields of the filter, as they stand in the address.
const FIELDS: &[&str] = &["q", "action", "outcome", "resource_type", "from", "to", "actor", "resource_id", "ip"];

#[component(transparent)]
pub fn AuditRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("audit") view=AuditPage /> }.into_inner().into_any_nested_route()
}

#[component]
fn AuditPage() -> impl IntoView {
    let locale = locale();
    let query = query();
    let entries = Resource::new_blocking(move || query.get(), list_audit);
    view! {
        <Title text=td_string!(locale, audit.audit_log) />
        <div class="page-head"><h1>{td_string!(locale, audit.audit_log)}</h1></div>
        {move || filters(query.get())}
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let query = query.get();
                Suspend::new(async move {
                    match entries.await {
                        Ok(page) => list(&query, page),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// What the address asks for.
fn query() -> Signal<AuditQuery> {
    let map = use_query_map();
    address::settled(move || {
        map.with(|map| {
            let field = |name: &str| filled(map.get(name));
            AuditQuery {
                q: field("q"),
                actor: field("actor"),
                action: field("action"),
                resource_type: field("resource_type"),
                resource_id: field("resource_id"),
                outcome: field("outcome"),
                ip: field("ip"),
                from: field("from"),
                to: field("to"),
                after: field("after"),
                limit: None,
            }
        })
    })
}

fn is_filtered(query: &AuditQuery) -> bool {
    AuditQuery { after: None, ..query.clone() } != AuditQuery::default()
}

/// The same filters at another place of the log.
fn at(query: &AuditQuery, after: &str) -> String {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    address::with_query(
        PATH,
        &[
            ("q", &text(&query.q)),
            ("action", &text(&query.action)),
            ("outcome", &text(&query.outcome)),
            ("from", &text(&query.from)),
            ("to", &text(&query.to)),
            ("actor", &text(&query.actor)),
            ("resource_type", &text(&query.resource_type)),
            ("resource_id", &text(&query.resource_id)),
            ("ip", &text(&query.ip)),
            ("after", after),
        ],
    )
}

fn filters(query: AuditQuery) -> AnyView {
    let locale = locale();
    let filtered = is_filtered(&query);
    let any = |word: &str| (String::new(), word.to_owned());
    let actions = [any(td_string!(locale, audit.action_any))]
        .into_iter()
        .chain(ACTIONS.iter().map(|action| (action.to_string(), action_word(action).unwrap_or(action).to_owned())));
    let outcomes = [
        any(td_string!(locale, audit.outcome_any)),
        ("done".to_owned(), td_string!(locale, audit.outcome_done).to_owned()),
        ("denied".to_owned(), td_string!(locale, audit.outcome_denied).to_owned()),
        ("failed".to_owned(), td_string!(locale, audit.outcome_failed).to_owned()),
    ];
    let kinds = [
        any(td_string!(locale, audit.resource_any)),
        ("user".to_owned(), td_string!(locale, audit.resource_user).to_owned()),
        ("role".to_owned(), td_string!(locale, audit.resource_role).to_owned()),
        ("session".to_owned(), td_string!(locale, audit.resource_session).to_owned()),
        ("permission".to_owned(), td_string!(locale, audit.resource_permission).to_owned()),
    ];
    let kept = [("actor", query.actor), ("resource_id", query.resource_id), ("ip", query.ip)]
        .into_iter()
        .filter_map(|(name, value)| Some(view! { <input type="hidden" name=name value=value? /> }))
        .collect_view();
    view! {
        <Filters path=PATH fields=FIELDS filtered>
            {kept}
            <div class="field wide">
                <Field name="q" label=td_string!(locale, audit.search) kind="search" value=query.q.unwrap_or_default() />
            </div>
            <Select
                name="action"
                label=td_string!(locale, audit.action)
                options=actions.collect()
                value=query.action.unwrap_or_default()
            />
            <Select
                name="outcome"
                label=td_string!(locale, audit.outcome)
                options=outcomes.to_vec()
                value=query.outcome.unwrap_or_default()
            />
            <Select
                name="resource_type"
                label=td_string!(locale, audit.resource)
                options=kinds.to_vec()
                value=query.resource_type.unwrap_or_default()
            />
            <Field name="from" label=td_string!(locale, audit.from) kind="date" value=query.from.unwrap_or_default() />
            <Field name="to" label=td_string!(locale, audit.to) kind="date" value=query.to.unwrap_or_default() />
        </Filters>
    }
    .into_any()
}

fn list(query: &AuditQuery, page: Page<AuditEntry>) -> AnyView {
    let locale = locale();
    if page.items.is_empty() {
        if is_filtered(query) {
            return states::nothing_found(PATH);
        }
        return states::empty(
            Icon::Audit,
            td_string!(locale, audit.nothing),
            td_string!(locale, audit.nothing_about),
            None,
        );
    }
    let first = query.after.is_some().then(|| at(query, ""));
    let next = page.next.as_deref().map(|next| at(query, next));
    let rows = page.items.into_iter().map(row).collect_view();
    view! {
        <div class="card table-box">
            <table class="table">
                <caption class="away">{td_string!(locale, audit.audit_log)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, audit.event)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, audit.when)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, audit.actor)}</th>
                        <th scope="col" class="wide-only">{td_string!(locale, audit.ip)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pieces::pager(first, next)}
    }
    .into_any()
}

fn row(entry: AuditEntry) -> AnyView {
    let changes = changes(&entry);
    let sentence = sentence(&entry);
    let outcome = outcome_badge(entry.outcome);
    let actor = move || actor(entry.user_id.map(|id| id.to_string()), entry.user_name.clone());
    let ip = entry.ip.map(pieces::key).unwrap_or_else(pieces::nothing);
    view! {
        <tr>
            <td>
                <p class="row-of"><span class="strong">{pieces::sentence(&sentence)}</span> {outcome}</p>
                <p class="small muted narrow-only">{actor()} " · " {pieces::moment(entry.created_at)}</p>
                {changes}
            </td>
            <td class="wide-only small">{pieces::moment(entry.created_at)}</td>
            <td class="wide-only">{actor()}</td>
            <td class="wide-only">{ip}</td>
        </tr>
    }
    .into_any()
}

/// Who did it, as a way to everything they did.
fn actor(id: Option<String>, name: Option<String>) -> AnyView {
    match (id, name) {
        (Some(id), name) => {
            let href = address::with_query(PATH, &[("actor", &id)]);
            view! { <a href=href>{pieces::typed(name.unwrap_or(id))}</a> }.into_any()
        }
        (None, name) => pieces::typed_or_dash(name),
    }
}

fn outcome_badge(outcome: Outcome) -> Option<AnyView> {
    let locale = locale();
    match outcome {
        Outcome::Done => None,
        Outcome::Denied => Some(pieces::badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, audit.outcome_denied))),
        Outcome::Failed => {
            Some(pieces::badge(Tone::Waiting, Some(Icon::Alert), td_string!(locale, audit.outcome_failed)))
        }
    }
}
