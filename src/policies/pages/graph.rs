//! The permissions graph: a picture whose nodes lead on, and a table that says the same.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::{
    base::language::{self, td_string},
    policies::{
        calls::get_graph,
        graph::{Graph, GraphQuery, Line, LineKind, Node, NodeKind},
    },
    roles::pages::bounds,
    ui::{
        address::{self, filled},
        browser,
        fields::{Field, Select},
        filters::{Chip, Filters, chips},
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
    },
};

const PATH: &str = "/console/graph";

/// What the style sheet says of nodes, in pixels: how wide and high one is, and the room beside and below it.
const WIDTH: usize = 216;
const HEIGHT: usize = 44;
const BESIDE: usize = 88;
const BELOW: usize = 10;

/// How many nodes below each other every screen has room for.
const LOW: usize = 8;

/// The classes of the sizes that the picture may have, the smallest first.
const SIZES: [&str; 4] = ["picture size-half", "picture size-small", "picture", "picture size-large"];

#[component]
pub fn GraphPage() -> impl IntoView {
    let locale = locale();
    let map = use_query_map();
    let query = address::settled(move || {
        map.with(|map| GraphQuery {
            focus: filled(map.get("focus")),
            q: filled(map.get("q")),
            show: filled(map.get("show")),
        })
    });
    let graph = Resource::new_blocking(move || query.get(), get_graph);
    view! {
        <Title text=td_string!(locale, policies.graph) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, policies.graph)}</h1>
                <p class="small muted">{td_string!(locale, policies.graph_about)}</p>
            </div>
        </div>
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let query = query.get();
                Suspend::new(async move {
                    match graph.await {
                        Ok(graph) => drawn(&query, graph),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn at(focus: &str, query: &GraphQuery) -> String {
    let show = query.show.as_deref().unwrap_or_default();
    address::with_query(PATH, &[("focus", focus), ("show", show)])
}

fn drawn(query: &GraphQuery, graph: Graph) -> AnyView {
    let locale = locale();
    let mut shows = vec![(String::new(), td_string!(locale, policies.graph_all).to_owned())];
    // The overview has no people.
    if query.focus.is_some() || query.q.is_some() {
        shows.push(("no_people".to_owned(), td_string!(locale, policies.graph_no_people).to_owned()));
    }
    shows.push(("no_permissions".to_owned(), td_string!(locale, policies.graph_no_permissions).to_owned()));
    let focused = match (&query.focus, graph.nodes.iter().find(|node| node.focused)) {
        (Some(focus), Some(node)) => {
            // A resource stands for its permissions; its own name is in the address alone.
            let word = match node.kind {
                NodeKind::Person | NodeKind::Group | NodeKind::Role => language::isolate(&node.name),
                NodeKind::Resource | NodeKind::Permission => {
                    pieces::isolate_key(focus.strip_prefix("resource:").unwrap_or(&node.name))
                }
            };
            chips(vec![Chip { word, without: at("", query) }])
        }
        _ => ().into_any(),
    };
    let body = if graph.nodes.is_empty() { states::nothing_found(PATH) } else { picture(query, graph) };
    let (q, show) = (query.q.clone().unwrap_or_default(), query.show.clone().unwrap_or_default());
    view! {
        <Filters path=PATH fields=&["q", "show"] filtered=!q.is_empty() || !show.is_empty()>
            <div class="field wide">
                <Field
                    name="q"
                    label=td_string!(locale, policies.graph_search)
                    kind="search"
                    value=q
                />
            </div>
            <Select
                name="show"
                label=td_string!(locale, policies.graph_show)
                options=shows
                value=show
            />
        </Filters>
        {focused}
        {body}
    }
    .into_any()
}

fn picture(query: &GraphQuery, graph: Graph) -> AnyView {
    let locale = locale();
    let size = RwSignal::new(2_usize);
    // The node whose lines stand out.
    let lit = RwSignal::new(None::<u32>);
    let Graph { nodes, lines, left_out } = graph;
    let count = nodes.iter().map(|node| node.column + 1).max().unwrap_or_default();
    let columns = (0..count).map(|column| nodes.iter().filter(|node| node.column == column).collect::<Vec<_>>());
    let columns = columns.collect::<Vec<_>>();
    let tallest = columns.iter().map(Vec::len).max().unwrap_or_default();
    // What is higher than a screen begins at its top, or there would be nothing to see at first.
    let is_tall = tallest > LOW;
    let (width, height) = (columns.len() * (WIDTH + BESIDE) - BESIDE, tallest * (HEIGHT + BELOW) - BELOW);
    let mut middles = Vec::with_capacity(nodes.len());
    for column in &columns {
        let top = if is_tall { 0 } else { (tallest - column.len()) * (HEIGHT + BELOW) / 2 };
        middles.extend((0..column.len()).map(|row| top + row * (HEIGHT + BELOW) + HEIGHT / 2));
    }
    let paths = lines.iter().map(|line| path(line, &nodes, &middles, lit)).collect_view();
    let mut first = 0;
    let layers = columns.iter().map(|column| {
        let from = first;
        first += column.len() as u32;
        let title = column.first().map_or("", |node| layer_name(node.kind));
        let items = column.iter().zip(from..).map(|(node, place)| item(query, node, place, lit)).collect_view();
        view! { <ul class="layer" role="list" aria-label=title>{items}</ul> }
    });
    let layers = layers.collect_view();
    let more = (left_out > 0).then(|| {
        let words = td_string!(locale, policies.graph_left_out, count = left_out).to_string();
        states::notice(states::Mood::Waiting, view! { <p>{words}</p> })
    });
    let sized = move |by: i32| size.update(|size| *size = size.saturating_add_signed(by as isize).min(SIZES.len() - 1));
    view! {
        {more}
        <div class="stack">
            <div class="row-of">
                <h2 id="picture-title" class="grow">{td_string!(locale, policies.graph_picture)}</h2>
                <button
                    class="btn"
                    type="button"
                    aria-label=td_string!(locale, policies.graph_smaller)
                    disabled=move || size.get() == 0
                    on:click=move |_| sized(-1)
                >
                    <span aria-hidden="true">"−"</span>
                </button>
                <button
                    class="btn"
                    type="button"
                    aria-label=td_string!(locale, policies.graph_larger)
                    disabled=move || size.get() + 1 == SIZES.len()
                    on:click=move |_| sized(1)
                >
                    <span aria-hidden="true">"+"</span>
                </button>
            </div>
            <div
                class="card graph"
                role="region"
                tabindex="0"
                aria-labelledby="picture-title"
                on:pointermove=|event| browser::pan(&event)
            >
                <div class=move || SIZES[size.get()] class:lit=move || lit.get().is_some()>
                    <svg
                        aria-hidden="true"
                        width=width.to_string()
                        height=height.to_string()
                        viewBox=format!("0 0 {width} {height}")
                    >
                        {paths}
                    </svg>
                    <div class=if is_tall { "layers tall" } else { "layers" }>{layers}</div>
                </div>
            </div>
        </div>
        {said(&nodes, &lines)}
    }
    .into_any()
}

/// A line from the end of one node to the beginning of the other. The style sheet mirrors all of them where text runs from
/// right to left.
fn path(line: &Line, nodes: &[Node], middles: &[usize], lit: RwSignal<Option<u32>>) -> AnyView {
    let end = |place: u32| {
        let at = place as usize;
        let column = nodes.get(at).map_or(0, |node| node.column as usize);
        (column * (WIDTH + BESIDE), middles.get(at).copied().unwrap_or_default())
    };
    let ((x, y), (to_x, to_y)) = (end(line.from), end(line.to));
    let x = x + WIDTH;
    let bend = BESIDE / 2;
    let way = format!("M{x} {y}C{} {y} {} {to_y} {to_x} {to_y}", x + bend, to_x.saturating_sub(bend));
    let class = match line.kind {
        LineKind::Denies => "denies",
        LineKind::Allows => "allows",
        LineKind::Inherits | LineKind::LiesIn | LineKind::Covers => "inherits",
        LineKind::Member | LineKind::Has | LineKind::Gives => "",
    };
    let (from, to) = (line.from, line.to);
    let is_lit = move || lit.get().is_some_and(|place| place == from || place == to);
    view! { <path class=class class:on=is_lit d=way></path> }.into_any()
}

fn item(query: &GraphQuery, node: &Node, place: u32, lit: RwSignal<Option<u32>>) -> AnyView {
    let name = named(node);
    let sign = sign(node.kind);
    let count = node.count.map(|count| view! { <span class="small muted num">{counted(node.kind, count)}</span> });
    let current = node.focused.then_some("true");
    view! {
        <li>
            <a
                class="node"
                href=at(&node.id, query)
                title=node.name.clone()
                aria-current=current
                draggable="false"
                data-noscroll=""
                on:pointerenter=move |_| lit.set(Some(place))
                on:pointerleave=move |_| lit.set(None)
                on:focus=move |_| lit.set(Some(place))
                on:blur=move |_| lit.set(None)
            >
                {icon(sign)}
                <span class="grow">{name} {count}</span>
            </a>
        </li>
    }
    .into_any()
}

fn sign(kind: NodeKind) -> Icon {
    match kind {
        NodeKind::Person => Icon::People,
        NodeKind::Group => Icon::Group,
        NodeKind::Role => Icon::Role,
        NodeKind::Resource => Icon::Lock,
        NodeKind::Permission => Icon::Key,
    }
}

fn named(node: &Node) -> AnyView {
    match node.kind {
        NodeKind::Resource | NodeKind::Permission => pieces::key(node.name.clone()),
        NodeKind::Person | NodeKind::Group | NodeKind::Role => pieces::typed(node.name.clone()),
    }
}

fn counted(kind: NodeKind, count: u32) -> String {
    let locale = locale();
    match kind {
        NodeKind::Resource => td_string!(locale, policies.graph_keys, count = count).to_string(),
        _ => td_string!(locale, policies.graph_people, count = count).to_string(),
    }
}

fn layer_name(kind: NodeKind) -> &'static str {
    let locale = locale();
    match kind {
        NodeKind::Person => td_string!(locale, app.people),
        NodeKind::Group => td_string!(locale, app.groups),
        NodeKind::Role => td_string!(locale, app.roles),
        NodeKind::Resource | NodeKind::Permission => td_string!(locale, app.permissions),
    }
}

fn leads(kind: LineKind) -> &'static str {
    let locale = locale();
    match kind {
        LineKind::Member => td_string!(locale, policies.line_member),
        LineKind::Has => td_string!(locale, policies.line_has),
        LineKind::LiesIn => td_string!(locale, policies.line_lies_in),
        LineKind::Inherits => td_string!(locale, policies.line_inherits),
        LineKind::Gives => td_string!(locale, policies.line_gives),
        LineKind::Covers => td_string!(locale, policies.line_covers),
        LineKind::Allows => td_string!(locale, policies.line_allows),
        LineKind::Denies => td_string!(locale, policies.line_denies),
    }
}

/// The page of a thing, where it has one.
fn page_of(node: &Node) -> String {
    let rest = node.id.split_once(':').map_or("", |(_, rest)| rest);
    match node.kind {
        NodeKind::Person => format!("/console/people/{rest}"),
        NodeKind::Group => format!("/console/groups/{rest}"),
        NodeKind::Role => format!("/console/roles/{rest}"),
        NodeKind::Permission if !rest.ends_with('*') => address::with_query("/console/explain", &[("key", rest)]),
        NodeKind::Permission | NodeKind::Resource => address::with_query("/console/permissions", &[("q", rest)]),
    }
}

/// The same as the picture: each line with what it joins and how far it reaches.
fn said(nodes: &[Node], lines: &[Line]) -> AnyView {
    let locale = locale();
    let title = td_string!(locale, policies.graph_table);
    let there = |place: u32| nodes.get(place as usize);
    let rows = lines.iter().filter_map(|line| Some((there(line.from)?, line, there(line.to)?)));
    let rows = rows.map(|(from, line, to)| {
        let link = |node: &Node| {
            view! {
                <a class="node-link" href=page_of(node)>
                    {icon(sign(node.kind))} {named(node)}
                </a>
            }
        };
        let tone = match line.kind {
            LineKind::Denies => Tone::Bad,
            LineKind::Allows => Tone::Good,
            _ => Tone::Neutral,
        };
        let reach = bounds::phrases(line.scope.as_ref(), line.expires_at, None);
        let reach = reach.join(td_string!(locale, base.list_separator));
        view! {
            <tr>
                <th scope="row">{link(from)}</th>
                <td>{pieces::badge(tone, None, leads(line.kind))} " " <span class="small muted">{pieces::sentence(&reach)}</span></td>
                <td>{link(to)}</td>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect::<Vec<_>>();
    if rows.is_empty() {
        return view! { <p class="muted">{td_string!(locale, policies.graph_alone)}</p> }.into_any();
    }
    let columns = [
        Column::new(td_string!(locale, policies.graph_from)),
        Column::new(td_string!(locale, policies.graph_how)),
        Column::new(td_string!(locale, policies.graph_to)),
    ];
    view! {
        <section class="stack" aria-labelledby="lines-title">
            <h2 id="lines-title">{title}</h2>
            {table(title, columns, rows)}
        </section>
    }
    .into_any()
}
