//! The icons: line drawings in the colour of the text beside them, which says the same in words.

use leptos::prelude::*;

use crate::ui::brand::brand;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    Add,
    Alert,
    Allowed,
    Audit,
    Back,
    Calendar,
    Chart,
    Clock,
    Code,
    Collapse,
    Copy,
    Denied,
    Digits,
    Door,
    Down,
    Edit,
    Forward,
    Graph,
    Group,
    Home,
    Info,
    Inherited,
    Key,
    Keyboard,
    Language,
    Link,
    Lock,
    Moon,
    More,
    Offline,
    Out,
    Pause,
    People,
    Play,
    Policy,
    Refresh,
    Remove,
    Role,
    Screen,
    Search,
    Settings,
    Sun,
    Undo,
    Up,
    Why,
}

impl Icon {
    fn drawing(self) -> &'static str {
        match self {
            Icon::Add => r#"<path d="M12 5v14M5 12h14"/>"#,
            Icon::Alert => r#"<path d="M12 4l9 16H3z"/><path d="M12 10v4M12 17h.01"/>"#,
            Icon::Allowed => r#"<path d="M5 12.5l4.500 4.500L19 7.500"/>"#,
            Icon::Audit => r#"<path d="M6 3h9l4 4v14H6z"/><path d="M9 12h7M9 16h5M9 8h3"/>"#,
            Icon::Back => r#"<path d="M15 5l-7 7 7 7"/>"#,
            Icon::Calendar => r#"<path d="M4 6h16v14H4zM4 10h16M8 3.500v4M16 3.500v4"/>"#,
            Icon::Chart => r#"<path d="M4 4v16h16M8 16v-5M12 16V7M16 16v-3"/>"#,
            Icon::Clock => r#"<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 2"/>"#,
            Icon::Code => r#"<path d="M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16"/>"#,
            Icon::Collapse => r#"<path d="M3 5h18v14H3zM9 5v14M16 9l-3 3 3 3"/>"#,
            Icon::Copy => r#"<path d="M9 9h11v11H9z"/><path d="M5 15H4V4h11v1"/>"#,
            Icon::Denied => r#"<path d="M6 6l12 12M18 6L6 18"/>"#,
            Icon::Digits => {
                r#"<path d="M4 8l2-1v10"/><path d="M10 9a2.500 2.500 0 0 1 5 0c0 3-5 4-5 8h5"/><path d="M19 7v10"/>"#
            }
            Icon::Door => {
                r#"<path d="M5 21V10a7 7 0 0 1 14 0v11"/><path d="M3 21h18"/><path d="M12 13.5v3"/><circle cx="12" cy="12" r="1.5"/>"#
            }
            Icon::Edit => r#"<path d="M4 20l1-4L16 5l3 3L8 19z"/>"#,
            Icon::Forward => r#"<path d="M9 5l7 7-7 7"/>"#,
            Icon::Graph => {
                r#"<circle cx="6" cy="6" r="2.500"/><circle cx="6" cy="18" r="2.500"/><circle cx="18" cy="12" r="2.500"/><path d="M8.300 7.200l7.400 3.700M8.300 16.800l7.400-3.700"/>"#
            }
            Icon::Group => {
                r#"<circle cx="12" cy="6.500" r="3"/><circle cx="5.500" cy="17.500" r="2.500"/><circle cx="18.500" cy="17.500" r="2.500"/><path d="M12 9.500v3.500M6.500 15l1.500-2h8l1.500 2"/>"#
            }
            Icon::Home => r#"<path d="M4 11l8-7 8 7v9H4z"/><path d="M10 20v-6h4v6"/>"#,
            Icon::Inherited => r#"<path d="M6 4v8a4 4 0 0 0 4 4h8"/><path d="M14 12l4 4-4 4"/>"#,
            Icon::Info => r#"<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 8h.01"/>"#,
            Icon::Key => r#"<circle cx="8" cy="15" r="4"/><path d="M11 12l8-8M16 7l3 3"/>"#,
            Icon::Keyboard => {
                r#"<path d="M3 6h18v12H3z"/><path d="M7 10h.01M11 10h.01M15 10h.01M17.500 10h.01M7 14h.01M10 14h4M17 14h.01"/>"#
            }
            Icon::Language => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18"/>"#
            }
            Icon::Link => {
                r#"<path d="M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1"/><path d="M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"/>"#
            }
            Icon::Lock => r#"<path d="M5 11h14v9H5z"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>"#,
            Icon::Moon => r#"<path d="M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z"/>"#,
            Icon::More => r#"<path d="M4 7h16M4 12h16M4 17h16"/>"#,
            Icon::Offline => {
                r#"<path d="M4 4l16 16"/><path d="M8.500 16.500a5 5 0 0 1 7 0M5 12.500a10 10 0 0 1 5.200-2.700M2 8.500a15 15 0 0 1 4.200-2.600M22 8.500a15 15 0 0 0-11-3.900M19 12.500a10 10 0 0 0-2.300-1.700M12 20h.01"/>"#
            }
            Icon::Out => r#"<path d="M10 4H5v16h5M14 8l4 4-4 4M18 12H9"/>"#,
            Icon::Pause => r#"<circle cx="12" cy="12" r="9"/><path d="M10 9v6M14 9v6"/>"#,
            Icon::People => {
                r#"<circle cx="9" cy="8" r="3.2"/><path d="M3 20c0-3.3 2.7-5.5 6-5.5s6 2.2 6 5.5"/><path d="M16 5.2a3 3 0 0 1 0 5.6M18 14.8c1.8.8 3 2.5 3 5.2"/>"#
            }
            Icon::Play => r#"<circle cx="12" cy="12" r="9"/><path d="M10 8.500l6 3.500-6 3.500z"/>"#,
            Icon::Policy => r#"<path d="M4 5h16l-6.500 8v6l-3-2v-4z"/>"#,
            Icon::Refresh => {
                r#"<path d="M4 4v5h5M20 20v-5h-5"/><path d="M4.500 9a8 8 0 0 1 14.700-1.500M19.500 15a8 8 0 0 1-14.700 1.500"/>"#
            }
            Icon::Remove => r#"<path d="M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13"/>"#,
            Icon::Role => r#"<path d="M12 3l7 3v5c0 4.500-3 8-7 10-4-2-7-5.500-7-10V6z"/>"#,
            Icon::Screen => r#"<path d="M3 5h18v11H3z"/><path d="M9 20h6M12 16v4"/>"#,
            Icon::Search => r#"<circle cx="11" cy="11" r="6.500"/><path d="M16 16l5 5"/>"#,
            Icon::Undo => r#"<path d="M8 5L4 9l4 4"/><path d="M4 9h10a5.500 5.500 0 0 1 0 11H8"/>"#,
            Icon::Why => {
                r#"<circle cx="12" cy="12" r="9"/><path d="M9.500 9.500a2.500 2.500 0 1 1 3.600 2.200c-.7.400-1.100.900-1.100 1.800M12 16.500h.01"/>"#
            }
            Icon::Up => r#"<path d="M12 19V5M6 11l6-6 6 6"/>"#,
            Icon::Down => r#"<path d="M12 5v14M6 13l6 6 6-6"/>"#,
            Icon::Settings => {
                r#"<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>"#
            }
            Icon::Sun => {
                r#"<circle cx="12" cy="12" r="4"/><path d="M12 3v1.500M12 19.500V21M3 12h1.500M19.500 12H21M5.600 5.600l1 1M17.400 17.400l1 1M18.400 5.600l-1 1M6.600 17.400l-1 1"/>"#
            }
        }
    }

    /// Arrows point with the text; everything else stays.
    fn turns(self) -> bool {
        matches!(self, Icon::Back | Icon::Collapse | Icon::Forward | Icon::Graph | Icon::Inherited | Icon::Out)
    }
}

/// Draws an icon. It is hidden from screen readers: a word always stands beside it or in the label.
pub fn icon(icon: Icon) -> impl IntoView {
    drawn(icon, if icon.turns() { "icon turns" } else { "icon" })
}

/// The mark at the top of a page: the tenant's logo, or the product's own. The name stands beside it, or in the title.
pub fn brand_mark() -> AnyView {
    match brand().logo {
        Some(logo) => view! { <img class="brand-mark" src=logo alt="" /> }.into_any(),
        None => drawn(Icon::Door, "icon brand-mark").into_any(),
    }
}

fn drawn(icon: Icon, class: &'static str) -> impl IntoView {
    view! { <svg class=class viewBox="0 0 24 24" aria-hidden="true" inner_html=icon.drawing()></svg> }
}
