//! What stands in the head of every document: icons, the manifest, the colour of the window, fonts.

use leptos::prelude::*;

use crate::{base::language, i18n::Locale};

/// The surface of the top line, in the light and in the dark, as `style/main.css` has it.
pub const SURFACE: (&str, &str) = ("#ffffff", "#171d1c");
/// The colour behind everything.
pub const BACKGROUND: &str = "#f6f6f3";
/// The accent.
pub const ACCENT: &str = "#0f6b62";

/// What a document of this language and theme begins with.
pub fn links(locale: Locale, theme: Option<&'static str>) -> impl IntoView {
    let font = |file: &'static str| {
        view! { <link as="font" rel="preload" href=file type="font/woff2" crossorigin="anonymous" /> }
    };
    // Browsers ask for the manifest without cookies: the language has to stand in its address.
    let manifest = format!("/manifest.webmanifest?lang={}", language::code(locale));
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content=theme.unwrap_or("light dark") />
        {window_colours(theme)}
        <link rel="icon" type="image/svg+xml" href=favicon() />
        <link rel="apple-touch-icon" href="/icons/apple-touch-icon.png" />
        <link rel="manifest" href=manifest />
        {font("/fonts/cairo-arabic-wght-normal.woff2")}
        {font("/fonts/cairo-latin-wght-normal.woff2")}
    }
}

/// The sign of the page, in the page itself: one file less that the sign-in page asks for (H7).
fn favicon() -> String {
    let image = include_str!("../../public/favicon.svg").trim().replace('"', "'").replace('#', "%23");
    format!("data:image/svg+xml,{image}")
}

/// The colour that an installed app's window and a phone's status line take.
fn window_colours(theme: Option<&'static str>) -> AnyView {
    let colour = |content: &'static str, media: Option<&'static str>| {
        // The macro knows no `media` of this element.
        leptos::html::meta().attr("name", "theme-color").attr("content", content).attr("media", media)
    };
    match theme {
        Some("dark") => colour(SURFACE.1, None).into_any(),
        Some(_light) => colour(SURFACE.0, None).into_any(),
        None => view! {
            {colour(SURFACE.0, Some("(prefers-color-scheme: light)"))}
            {colour(SURFACE.1, Some("(prefers-color-scheme: dark)"))}
        }
        .into_any(),
    }
}
