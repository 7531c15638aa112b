//! The dashboard: figures, and charts of the last days.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    base::{
        dates::{self, Zone},
        habits::number,
        language::td_string,
        time::Timestamp,
    },
    reports::{Dashboard, DashboardQuery, DayEvents, LogState, RANGES, Standing, USUAL_RANGE, get_dashboard},
    ui::{
        address,
        chart::{Chart, Series, Shape, chart},
        icons::{Icon, icon},
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
        states,
        tabs::{Tab, tabs},
    },
};

const PATH: &str = "/console/dashboard";

lazy_pages! {
    (draw_reports, load_reports)
    Dashboard: DashboardRoute => DashboardPage,
}

#[component(transparent)]
pub fn ReportRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("dashboard") view={Lazy::<DashboardRoute>::new()} /> }
        .into_inner()
        .into_any_nested_route()
}

/// The days that the address asks for; the usual ones for what it cannot.
fn asked(text: Option<String>) -> u32 {
    let days = text.and_then(|text| text.parse().ok());
    days.filter(|days| RANGES.contains(days)).unwrap_or(USUAL_RANGE)
}

#[component]
fn DashboardPage() -> impl IntoView {
    let locale = locale();
    let days = address::query_field("days");
    let days = address::settled(move || asked(days.get()));
    let answer = Resource::new_blocking(move || days.get(), |days| get_dashboard(DashboardQuery { days: Some(days) }));
    view! {
        <Title text=td_string!(locale, reports.title) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, reports.title)}</h1>
                <p class="small muted">{td_string!(locale, reports.about)}</p>
            </div>
        </div>
        {move || ranges(days.get())}
        <Transition fallback=move || states::loading(8)>
            {move || Suspend::new(async move {
                match answer.await {
                    Ok(numbers) => all(&numbers),
                    Err(error) => states::failure(&error),
                }
            })}
        </Transition>
    }
    .into_any()
}

fn ranges(current: u32) -> AnyView {
    let locale = locale();
    let word = |days: u32| match days {
        7 => td_string!(locale, reports.days_7),
        30 => td_string!(locale, reports.days_30),
        _ => td_string!(locale, reports.days_90),
    };
    let tab = |days: u32| {
        let href = address::with_query(PATH, &[("days", &days.to_string())]);
        Tab { href, word: word(days), is_current: days == current }
    };
    tabs(td_string!(locale, reports.ranges), RANGES.map(tab))
}

fn all(numbers: &Dashboard) -> AnyView {
    view! {
        {figures(numbers)}
        <div class="charts">{charts(numbers)}</div>
    }
    .into_any()
}

/// One figure with what it counts.
fn figure(sign: Icon, figure: String, words: &'static str) -> AnyView {
    tile("tile", sign, figure, words)
}

/// One that stands out unless it is nought.
fn warning(class: &'static str, sign: Icon, count: i64, words: &'static str) -> AnyView {
    tile(if count > 0 { class } else { "tile" }, sign, number(count), words)
}

fn tile(class: &'static str, sign: Icon, figure: String, words: &'static str) -> AnyView {
    view! {
        <li class=class>
            <span class="tile-sign">{icon(sign)}</span>
            <span class="figure">{figure}</span>
            <span class="tile-words">{words}</span>
        </li>
    }
    .into_any()
}

/// The numbers of all these days together, and how things stand now.
fn figures(numbers: &Dashboard) -> AnyView {
    let locale = locale();
    let sum = |of: fn(&DayEvents) -> i64| numbers.events.iter().map(of).sum::<i64>();
    let now = numbers.standings.last().cloned().unwrap_or_default();
    let adoption = now.adoption().map_or("—".to_owned(), percent);
    let (bad, waits) = ("tile deny", "tile pending");
    let (failed, locked_out) = (sum(|day| day.failed), sum(|day| day.locked_out));
    let tiles = vec![
        figure(Icon::Door, number(sum(|day| day.signed_in)), td_string!(locale, reports.signed_in)),
        warning(bad, Icon::Lock, failed, td_string!(locale, reports.failed)),
        warning(bad, Icon::Denied, locked_out, td_string!(locale, reports.locked_out)),
        figure(Icon::Key, adoption, td_string!(locale, reports.adoption_now)),
        figure(Icon::Refresh, number(sum(|day| day.rotations)), td_string!(locale, reports.rotations)),
        warning(bad, Icon::Alert, sum(|day| day.reused), td_string!(locale, reports.reused)),
        warning(waits, Icon::Allowed, now.approvals_waiting, td_string!(locale, reports.approvals_waiting)),
        figure(Icon::People, number(now.active), td_string!(locale, reports.active_now)),
    ];
    view! {
        <section class="stack tight" aria-labelledby="figures-title">
            <h2 class="away" id="figures-title">{td_string!(locale, reports.figures)}</h2>
            <ul class="tiles" role="list">{tiles}</ul>
            {proof(&numbers.log)}
        </section>
    }
    .into_any()
}

/// Whether the log is as it was written, and how much of it is not counted yet.
fn proof(log: &LogState) -> AnyView {
    let locale = locale();
    let (tone, sign, word) = match log.intact {
        Some(true) => (Tone::Good, Icon::Allowed, td_string!(locale, reports.log_intact)),
        Some(false) => (Tone::Bad, Icon::Alert, td_string!(locale, reports.log_broken)),
        None => (Tone::Waiting, Icon::Clock, td_string!(locale, reports.log_not_yet)),
    };
    let at = log.verified_at.map(|at| {
        view! { <span class="small muted">{td_string!(locale, reports.log_at)} " " {pieces::moment(at)}</span> }
    });
    let waiting = (log.waiting > 0).then(|| {
        let words = td_string!(locale, reports.not_counted_yet, number = log.waiting).to_string();
        view! { <span class="small muted">{words}</span> }
    });
    view! { <p class="row-of">{pieces::badge(tone, Some(sign), word)} {at} {waiting}</p> }.into_any()
}

fn percent(value: i64) -> String {
    td_string!(locale(), reports.percent, number = value).to_string()
}

/// A day as people say it.
fn said(day: &str) -> String {
    let moment = Timestamp::parse(day).unwrap_or(Timestamp(0));
    dates::date(locale(), moment, Zone::Utc)
}

fn charts(numbers: &Dashboard) -> Vec<AnyView> {
    let locale = locale();
    let days = numbers.events.iter().map(|line| said(&line.day)).collect::<Vec<_>>();
    let happened = |name: &'static str, of: fn(&DayEvents) -> i64| Series {
        name,
        values: numbers.events.iter().map(|line| Some(of(line))).collect(),
    };
    let stood = |name: &'static str, of: fn(&Standing) -> Option<i64>| {
        let on = |day: &str| numbers.standings.iter().find(|standing| standing.day == day).and_then(of);
        Series { name, values: numbers.events.iter().map(|line| on(&line.day)).collect() }
    };
    let drawn = |id: &'static str, title: &'static str, shape: Shape, series: Vec<Series>| {
        let is_part = id == "adoption";
        let say: fn(i64) -> String = if is_part { percent } else { number };
        let most = is_part.then_some(100);
        let empty = match shape {
            Shape::Bars => td_string!(locale, reports.nothing_happened),
            Shape::Lines => td_string!(locale, reports.nothing_known),
        };
        chart(&Chart { id, title, shape, days: days.clone(), series, say, most, empty })
    };
    vec![
        drawn(
            "sign-ins",
            td_string!(locale, reports.sign_ins),
            Shape::Bars,
            vec![
                happened(td_string!(locale, reports.signed_in_short), |day| day.signed_in),
                happened(td_string!(locale, reports.failed_short), |day| day.failed),
                happened(td_string!(locale, reports.locked_out_short), |day| day.locked_out),
            ],
        ),
        drawn(
            "adoption",
            td_string!(locale, reports.adoption),
            Shape::Lines,
            vec![stood(td_string!(locale, reports.adoption_short), Standing::adoption)],
        ),
        drawn(
            "tokens",
            td_string!(locale, reports.tokens),
            Shape::Bars,
            vec![
                happened(td_string!(locale, reports.rotations_short), |day| day.rotations),
                happened(td_string!(locale, reports.reused_short), |day| day.reused),
            ],
        ),
        drawn(
            "people",
            td_string!(locale, reports.people),
            Shape::Lines,
            vec![
                stood(td_string!(locale, reports.active), |standing| Some(standing.active)),
                stood(td_string!(locale, reports.suspended), |standing| Some(standing.suspended)),
                stood(td_string!(locale, reports.invited), |standing| Some(standing.invited)),
            ],
        ),
        drawn(
            "rights",
            td_string!(locale, reports.rights),
            Shape::Lines,
            vec![
                stood(td_string!(locale, reports.roles), |standing| Some(standing.roles)),
                stood(td_string!(locale, reports.groups), |standing| Some(standing.groups)),
            ],
        ),
        drawn(
            "approvals",
            td_string!(locale, reports.approvals),
            Shape::Lines,
            vec![stood(td_string!(locale, reports.waiting), |standing| Some(standing.approvals_waiting))],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D5: an address that asks for something else gets the usual days.
    #[test]
    fn an_address_asks_for_one_of_the_ranges() {
        let of = |text: &str| asked(Some(text.to_owned()));
        assert_eq!((of("7"), of("90"), of("8"), of("x"), asked(None)), (7, 90, 30, 30, 30));
    }
}
