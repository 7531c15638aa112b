//! Colours, type and signs.

use leptos::prelude::*;

use super::shelf;
use crate::{
    base::{language::td_string, time::Timestamp},
    ui::{
        clock::clock,
        copy::{CopyButton, key_to_copy},
        icons::{Icon, brand_mark, icon},
        locale,
        pieces::{Tone, avatar, badge, exact_moment, key, links, moment, nothing, typed},
    },
};

const ICONS: [Icon; 45] = [
    Icon::Add,
    Icon::Alert,
    Icon::Allowed,
    Icon::Audit,
    Icon::Back,
    Icon::Calendar,
    Icon::Chart,
    Icon::Clock,
    Icon::Code,
    Icon::Collapse,
    Icon::Copy,
    Icon::Denied,
    Icon::Digits,
    Icon::Door,
    Icon::Down,
    Icon::Edit,
    Icon::Forward,
    Icon::Graph,
    Icon::Group,
    Icon::Home,
    Icon::Info,
    Icon::Inherited,
    Icon::Key,
    Icon::Keyboard,
    Icon::Language,
    Icon::Link,
    Icon::Lock,
    Icon::Moon,
    Icon::More,
    Icon::Offline,
    Icon::Out,
    Icon::Pause,
    Icon::People,
    Icon::Play,
    Icon::Policy,
    Icon::Refresh,
    Icon::Remove,
    Icon::Role,
    Icon::Screen,
    Icon::Search,
    Icon::Settings,
    Icon::Sun,
    Icon::Undo,
    Icon::Up,
    Icon::Why,
];

/// The meanings that have a colour: the class gives ground and ink, the word says the same.
const TONES: [(&str, &str); 7] = [
    ("surface", "swatch surface"),
    ("sunken", "swatch sunken"),
    ("accent", "swatch accent"),
    ("allow", "swatch allow"),
    ("deny", "swatch deny"),
    ("pending", "swatch pending"),
    ("inherited", "swatch inherited"),
];

const HOUR: i64 = 3_600_000_000;

pub fn signs() -> AnyView {
    let locale = locale();
    let name = td_string!(locale, design.person);
    let now = clock().started();
    let at = |hours: i64| Timestamp(now.0 + hours * HOUR);
    let tones = TONES.map(|(name, class)| view! { <span class=class>{key(name)}</span> }).into_iter().collect_view();
    let words = td_string!(locale, design.sample);
    let type_scale = [
        view! { <p class="design-title">{words}</p> }.into_any(),
        view! { <p class="strong">{words}</p> }.into_any(),
        view! { <p>{words}</p> }.into_any(),
        view! { <p class="muted">{words}</p> }.into_any(),
        view! { <p class="small muted">{words}</p> }.into_any(),
    ]
    .into_iter()
    .collect_view();
    let icons = ICONS
        .map(|sign| view! { <li class="chip">{icon(sign)} {key(format!("{sign:?}"))}</li> })
        .into_iter()
        .collect_view();
    let badges = view! {
        {badge(Tone::Neutral, None, td_string!(locale, design.neutral))}
        {badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, ui.allowed))}
        {badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, ui.denied))}
        {badge(Tone::Waiting, Some(Icon::Clock), td_string!(locale, design.waiting))}
        {badge(Tone::Accent, Some(Icon::Role), td_string!(locale, design.accent))}
    };
    let moments = view! {
        {moment(at(0))} {moment(at(-1))} {moment(at(-30))} {moment(at(-24 * 40))} {moment(at(5))} {moment(at(24 * 9))}
        {exact_moment(at(-24 * 400))}
    };
    view! {
        {shelf("colours", tones.into_any())}
        {super::wide("type", type_scale.into_any())}
        {super::wide("icons", view! { <ul class="chips" role="list">{icons}</ul> }.into_any())}
        {shelf("brand_mark", brand_mark().into_any())}
        {shelf("badge", badges.into_any())}
        {shelf(
            "avatar",
            view! {
                {avatar(name, false)}
                {avatar(name, true)}
                {avatar("Sara O'Neil", false)}
                {avatar("", false)}
            }
                .into_any(),
        )}
        {shelf(
            "key, typed, nothing",
            view! { {key("sessions.revoke")} {typed(name)} {typed("Sara O'Neil")} {nothing()} }.into_any(),
        )}
        {shelf("key_to_copy", key_to_copy("settings.update"))}
        {shelf(
            "CopyButton",
            view! {
                <CopyButton text=name.to_owned() />
                <CopyButton text=name.to_owned() word=td_string!(locale, ui.copy) />
                <CopyButton text=name.to_owned() word=td_string!(locale, ui.copy) primary=true />
            }
                .into_any(),
        )}
        {shelf("moment, exact_moment", moments.into_any())}
        {super::wide("links", links(Icon::Role, [("/console/design".to_owned(), name.to_owned())]))}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: nothing of the design system goes unseen.
    #[test]
    fn every_icon_is_on_the_page() {
        let source = include_str!("../../../ui/icons.rs");
        let declared = source.split("pub enum Icon {").nth(1).and_then(|rest| rest.split('}').next());
        let declared = declared.expect("the list of icons").matches(',').count();
        assert_eq!(declared, ICONS.len());
    }
}
