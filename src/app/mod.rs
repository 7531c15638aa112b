//! The shell, the routes and the frame of the console: the only place that knows every capability.

use leptos::{nonce::use_nonce, prelude::*};
use leptos_meta::{HashedStylesheet, Html, MetaTags, Title, provide_meta_context};
use leptos_router::{
    Lazy, SsrMode,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    accounts::pages::PeopleRoutes,
    api_keys::pages::ApiKeyRoutes,
    approvals::pages::ApprovalRoutes,
    audit::pages::AuditRoutes,
    base::{
        habits::{Calendar, Digits, Habits},
        language,
        time::Timestamp,
    },
    consents::pages::{ConsentRoutes, OwnConsentsRoute},
    groups::pages::GroupRoutes,
    i18n::Locale,
    passkeys::pages::PasskeysPage,
    policies::pages::PolicyRoutes,
    reports::pages::ReportRoutes,
    roles::pages::RoleRoutes,
    second_factor::pages::{CodePage, ProvePage, TwoFactorPage},
    sessions::pages::{
        ConfirmPage, EmailCancelPage, EmailConfirmPage, EmailLeavePage, EmailPage, ForgotPage, LoginPage,
        MagicLinkPage, MailedCodePage, PasswordPage, RegisterPage, ResetPage, SetupPage, WelcomePage,
    },
    settings::pages::SettingsRoutes,
    tenants::pages::TenantRoutes,
    ui::{
        Hydrated,
        brand::{Brand, title_name},
        browser,
        clock::Clock,
        lazy::lazy_pages,
        offline::OfflineBand,
        preferences::Theme,
        toasts::{ToastRegion, Toasts},
    },
};

pub mod head;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod server;

#[cfg(feature = "hydrate")]
use crate::ui::lazy::NotLoaded;
#[cfg(debug_assertions)]
use pages::design::DesignRoute;
use pages::{account::AccountPage, frame::Frame, home::HomePage, missing::MissingPage, person::PersonPage};

const PASSKEYS: &str = include_str!("scripts/passkeys.js");
const PLACE: &str = include_str!("scripts/place.js");

lazy_pages! {
    (draw_rest, load_rest)
    Frame: FrameRoute => Frame,
    Home: HomeRoute => HomePage,
    Account: AccountRoute => AccountPage,
    Person: PersonRoute => PersonPage,
    TwoFactor: TwoFactorRoute => TwoFactorPage,
    Passkeys: PasskeysRoute => PasskeysPage,
    Email: EmailRoute => EmailPage,
    Password: PasswordRoute => PasswordPage,
}

/// Loads what the pages of the console need, for each of those that draw some of them.
///
/// # Errors
///
/// When it does not arrive.
#[cfg(feature = "hydrate")]
pub async fn load_console() -> Result<(), NotLoaded> {
    crate::accounts::pages::load_accounts().await?;
    crate::api_keys::pages::load_api_keys().await?;
    crate::approvals::pages::load_approvals().await?;
    crate::audit::pages::load_audit().await?;
    crate::consents::pages::load_consents().await?;
    crate::groups::pages::load_groups().await?;
    crate::policies::pages::load_policies().await?;
    crate::reports::pages::load_reports().await?;
    crate::roles::pages::load_roles().await?;
    crate::settings::pages::load_settings().await?;
    crate::tenants::pages::load_tenants().await?;
    load_rest().await?;
    #[cfg(debug_assertions)]
    pages::design::load_design().await?;
    Ok(())
}

/// One's own account; in builds that are not delivered also the pieces that everything is made of.
#[cfg(debug_assertions)]
#[component(transparent)]
fn AccountRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("account") view={Lazy::<AccountRoute>::new()} />
        <Route path=path!("design") view={Lazy::<DesignRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

#[cfg(not(debug_assertions))]
#[component(transparent)]
fn AccountRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("account") view={Lazy::<AccountRoute>::new()} /> }.into_inner().into_any_nested_route()
}

/// The document around the app. It is drawn on the server only.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let theme = theme();
    let side = is_side_narrow().then_some("narrow");
    let habits = chosen_habits();
    provide_context(habits);
    let clock = Clock::starting(started());
    provide_context(clock);
    let digits = (habits.digits != Digits::default()).then_some(habits.digits.code());
    let calendar = (habits.calendar != Calendar::default()).then_some(habits.calendar.code());
    let brand = brand();
    let tones = brand.style.map(|style| view! { <link rel="stylesheet" href=style /> });
    view! {
        <!DOCTYPE html>
        <html
            data-theme=theme
            data-side=side
            data-now=clock.started().to_string()
            data-digits=digits
            data-calendar=calendar
            data-place=place()
            data-brand=brand.name
            data-logo=brand.logo
        >
            <head>
                {head::links(chosen_locale(), theme)}
                <HashedStylesheet options=options.clone() id="leptos" />
                {tones}
                <AutoReload options=options.clone() />
                <HydrationScripts options />
                // In the document: a file of its own would be one request more before anybody can sign in.
                <script type="module" nonce=use_nonce() inner_html=PASSKEYS></script>
                <script type="module" nonce=use_nonce() inner_html=PLACE></script>
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
    provide_context(brand());
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
        browser::keep_shell();
    });

    let brand = title_name();
    view! {
        <Html {..} lang=language::code(locale) dir=language::direction(locale) />
        <Title formatter=move |title: String| {
            if title.is_empty() { brand.clone() } else { format!("{title} · {brand}") }
        } />
        <OfflineBand />
        <Router>
            <Routes fallback=|| view! { <MissingPage /> }>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
                <Route path=path!("/welcome") view=WelcomePage ssr=SsrMode::Async />
                <Route path=path!("/register") view=RegisterPage ssr=SsrMode::Async />
                <Route path=path!("/confirm") view=ConfirmPage ssr=SsrMode::Async />
                <Route path=path!("/forgot") view=ForgotPage ssr=SsrMode::Async />
                <Route path=path!("/reset") view=ResetPage ssr=SsrMode::Async />
                <Route path=path!("/login/code") view=CodePage ssr=SsrMode::Async />
                <Route path=path!("/login/mailed") view=MailedCodePage ssr=SsrMode::Async />
                <Route path=path!("/reauthenticate") view=ProvePage ssr=SsrMode::Async />
                <Route path=path!("/account/two-factor") view={Lazy::<TwoFactorRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/account/passkeys") view={Lazy::<PasskeysRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/account/consents") view={Lazy::<OwnConsentsRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/account/email") view={Lazy::<EmailRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/account/password") view={Lazy::<PasswordRoute>::new()} ssr=SsrMode::Async />
                <Route path=path!("/email/confirm") view=EmailConfirmPage ssr=SsrMode::Async />
                <Route path=path!("/email/leave") view=EmailLeavePage ssr=SsrMode::Async />
                <Route path=path!("/email/cancel") view=EmailCancelPage ssr=SsrMode::Async />
                <Route path=path!("/magic-link") view=MagicLinkPage ssr=SsrMode::Async />
                <ParentRoute path=path!("/console") view={Lazy::<FrameRoute>::new()} ssr=SsrMode::Async>
                    <Route path=path!("") view={Lazy::<HomeRoute>::new()} />
                    <AccountRoutes />
                    <PeopleRoutes />
                    <Route path=path!("people/:id") view={Lazy::<PersonRoute>::new()} />
                    <GroupRoutes />
                    <RoleRoutes />
                    <PolicyRoutes />
                    <AuditRoutes />
                    <ReportRoutes />
                    <SettingsRoutes />
                    <ApiKeyRoutes />
                    <ConsentRoutes />
                    <ApprovalRoutes />
                    <TenantRoutes />
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

/// The tenant that a page was drawn for.
#[cfg(feature = "ssr")]
fn place() -> Option<String> {
    let cx = use_context::<crate::access::server::Cx>()?;
    cx.person().ok().map(|person| person.works_in().to_string())
}

#[cfg(not(feature = "ssr"))]
fn place() -> Option<String> {
    browser::document_attribute("data-place")
}

/// What the page bears. The server has found it before the page is drawn, the browser reads it of the document.
#[cfg(feature = "ssr")]
fn brand() -> Brand {
    use_context::<axum::http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<Brand>().cloned())
        .unwrap_or_default()
}

#[cfg(not(feature = "ssr"))]
fn brand() -> Brand {
    Brand {
        name: browser::document_attribute("data-brand"),
        logo: browser::document_attribute("data-logo"),
        style: None,
    }
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

/// Whether the reader has the menu narrow. The server reads it from the request, the browser from the document.
#[cfg(feature = "ssr")]
fn is_side_narrow() -> bool {
    server::preferences::is_side_narrow()
}

#[cfg(not(feature = "ssr"))]
fn is_side_narrow() -> bool {
    browser::document_attribute("data-side").as_deref() == Some("narrow")
}
