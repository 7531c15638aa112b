//! The shell, the routes and the frame of the console: the only place that knows every capability.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, Html, MetaTags, Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    accounts::pages::PeopleRoutes,
    audit::pages::AuditRoutes,
    base::{
        habits::{Calendar, Digits, Habits},
        language::{self, td_string},
        time::Timestamp,
    },
    i18n::Locale,
    roles::pages::RoleRoutes,
    sessions::pages::{LoginPage, SetupPage, WelcomePage},
    ui::{
        Hydrated, browser,
        clock::Clock,
        preferences::Theme,
        toasts::{ToastRegion, Toasts},
    },
};

pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

use pages::{frame::Frame, home::HomePage, missing::MissingPage, person::PersonPage};

/// The document around the app. It is drawn on the server only.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = theme();
    let habits = chosen_habits();
    provide_context(habits);
    let clock = Clock::starting(started());
    provide_context(clock);
    let digits = (habits.digits != Digits::default()).then_some(habits.digits.code());
    let calendar = (habits.calendar != Calendar::default()).then_some(habits.calendar.code());
    let scheme = theme.unwrap_or("light dark");
    view! {
        <!DOCTYPE html>
        <html data-theme=theme data-now=clock.started().to_string() data-digits=digits data-calendar=calendar>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content=scheme />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <link
                    as="font"
                    rel="preload"
                    href="/fonts/cairo-arabic-wght-normal.woff2"
                    type="font/woff2"
                    crossorigin="anonymous"
                />
                <link
                    as="font"
                    rel="preload"
                    href="/fonts/cairo-latin-wght-normal.woff2"
                    type="font/woff2"
                    crossorigin="anonymous"
                />
                <HashedStylesheet options=options.clone() id="leptos" />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Everything inside the document. It also runs once at start-up, without a request, to list the routes.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let locale = chosen_locale();
    provide_context(locale);
    provide_context(Theme(theme()));
    provide_context(Toasts::new());
    // The document has begun with it on the server.
    let clock = use_context::<Clock>().unwrap_or_else(|| Clock::starting(started()));
    provide_context(clock);
    let hydrated = RwSignal::new(false);
    provide_context(Hydrated(hydrated));
    Effect::new(move |_| {
        hydrated.set(true);
        clock.go();
        browser::mark_hydrated();
    });

    let brand = td_string!(locale, app.brand);
    view! {
        <Html {..} lang=language::code(locale) dir=language::direction(locale) />
        <Title formatter=move |title: String| {
            if title.is_empty() { brand.to_owned() } else { format!("{title} · {brand}") }
        } />
        <Router>
            <Routes fallback=|| view! { <MissingPage /> }>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
                <Route path=path!("/welcome") view=WelcomePage ssr=SsrMode::Async />
                <ParentRoute path=path!("/console") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("") view=HomePage />
                    <PeopleRoutes />
                    <Route path=path!("people/:id") view=PersonPage />
                    <RoleRoutes />
                    <AuditRoutes />
                </ParentRoute>
            </Routes>
        </Router>
        <ToastRegion />
    }
    .into_any()
}

/// The language of the page. The server reads it from the request, the browser from the document; changing it is the
/// server's work. At start-up, without a request, any will do.
#[cfg(feature = "ssr")]
fn chosen_locale() -> Locale {
    use_context::<axum::http::request::Parts>()
        .map(|parts| server::preferences::locale(&parts.headers))
        .unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn chosen_locale() -> Locale {
    browser::document_attribute("lang").and_then(|code| language::parse(&code)).unwrap_or_default()
}

/// How the reader wants numbers and dates. The browser reads it of the document where it is needed.
#[cfg(feature = "ssr")]
fn chosen_habits() -> Habits {
    use_context::<axum::http::request::Parts>()
        .map(|parts| server::preferences::habits(&parts.headers))
        .unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn chosen_habits() -> Habits {
    crate::base::habits::habits()
}

/// The server's time when the page was begun.
#[cfg(feature = "ssr")]
fn started() -> Timestamp {
    use_context::<crate::access::server::Cx>().map_or(Timestamp(0), |cx| cx.now().into())
}

#[cfg(not(feature = "ssr"))]
fn started() -> Timestamp {
    browser::document_attribute(crate::ui::clock::ATTRIBUTE)
        .and_then(|text| Timestamp::parse(&text))
        .unwrap_or(Timestamp(0))
}

#[cfg(feature = "ssr")]
fn theme() -> Option<&'static str> {
    server::preferences::theme()
}

#[cfg(not(feature = "ssr"))]
fn theme() -> Option<&'static str> {
    match browser::document_attribute("data-theme")?.as_str() {
        "light" => Some("light"),
        "dark" => Some("dark"),
        _ => None,
    }
}
