//! The frame of the console: menu, top line, palette, and the person who is signed in.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_router::{components::Outlet, hooks::use_location};

use super::{
    palette::ConsolePalette,
    places::{APPROVALS, Place, leads_to, places},
    shortcuts::{self, ShortcutHelp},
};
use crate::{
    access::{APPROVALS_DECIDE, RoleRef},
    accounts::pages::{RoleChoices, bulk::RoleChanger},
    app::is_side_narrow,
    approvals::{
        count_waiting,
        pages::{Waiting, waiting_badge},
    },
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    impersonation::pages::ActingBand,
    roles::calls::{all_roles, change_role_of_many},
    sessions::{Me, me},
    tenants::pages::VisitBand,
    ui::{
        address, brand, browser,
        icons::{Icon, brand_mark, icon},
        is_live, keys, locale, pieces,
        preferences::Preferences,
        sheet::Sheet,
        viewer::Viewer,
    },
};

/// Who is signed in; asked once for all pages of the console.
pub type SignedIn = Resource<Result<Me, AppError>>;

#[component]
pub fn Frame() -> impl IntoView {
    let locale = locale();
    let me: SignedIn = Resource::new_blocking(|| (), |()| me());
    provide_context(me);
    provide_context(Viewer::new(move || async move { me.await.map(|me| me.permissions).unwrap_or_default() }));
    provide_context(RoleChoices::new(|| async {
        let roles = all_roles().await?;
        Ok(roles.into_iter().map(|role| RoleRef { id: role.id, name: role.name }).collect())
    }));
    provide_context(RoleChanger::new(change_role_of_many));
    let waiting = Resource::new_blocking(
        || (),
        move |()| async move {
            match me.await {
                Ok(me) if me.may(&APPROVALS_DECIDE) => count_waiting().await.unwrap_or(0),
                _ => 0,
            }
        },
    );
    provide_context(Waiting(waiting));
    let (palette, help) = (RwSignal::new(false), RwSignal::new(false));
    shortcuts::listen(palette, help);
    focus_new_pages();

    view! {
        // External: the router would scroll there, but leave the focus behind.
        <a class="skip" href="#main" rel="external">{td_string!(locale, ui.skip)}</a>
        <Suspense>
            {move || Suspend::new(async move {
                me.await
                    .ok()
                    .and_then(|me| match me.entered {
                        Some(entered) => Some(view! { <VisitBand entered /> }.into_any()),
                        None => me.impersonator.is_some().then(|| view! { <ActingBand me /> }.into_any()),
                    })
            })}
        </Suspense>
        <div class="app">
            <header class="top">
                <Transition>
                    {move || Suspend::new(async move {
                        let (me, waiting) = (me.await.ok(), waiting.await);
                        top_line(me, waiting, palette, help)
                    })}
                </Transition>
            </header>
            <nav class="side" id="menu" aria-label=td_string!(locale, app.menu)>
                <div class="sticks">
                    <a class="brand" href="/console">{brand_mark()} <span>{brand::name()}</span></a>
                    <Transition>
                        {move || Suspend::new(async move {
                            let (me, waiting) = (me.await, waiting.await);
                            me.map(|me| menu(&me, waiting)).ok()
                        })}
                    </Transition>
                    <SideSwitch />
                </div>
            </nav>
            <main class="page" id="main" tabindex="-1">
                <Outlet />
            </main>
        </div>
        <Suspense>
            {move || Suspend::new(async move {
                me.await.ok().map(|me| view! { <ConsolePalette me open=palette help /> })
            })}
        </Suspense>
        <ShortcutHelp open=help />
    }
    .into_any()
}

/// Whoever goes on to another page finds the focus at its beginning, not on the link they came by.
fn focus_new_pages() {
    let pathname = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = pathname.get();
        if before.is_some_and(|before| before != now) {
            browser::focus("main");
        }
        now
    });
}

/// How many entries the bar on a phone has; what does not fit is in a sheet.
const BAR: usize = 5;
const SHEET: &str = "more-places";

/// The places that this person may open.
fn menu(me: &Me, waiting: i64) -> AnyView {
    let locale = locale();
    let pathname = use_location().pathname;
    let all = places(me);
    let fits = if all.len() > BAR { BAR - 1 } else { BAR };
    let beyond = all.iter().skip(fits).cloned().collect::<Vec<_>>();
    let links = all
        .into_iter()
        .enumerate()
        .map(|(at, place)| view! { <li class=if at < fits { "" } else { "beyond" }>{link(place, waiting)}</li> })
        .collect::<Vec<_>>();
    let more = (!beyond.is_empty()).then(|| {
        let hrefs = beyond.iter().map(|place| place.href).collect::<Vec<_>>();
        // What waits behind the button is told on it.
        let waits = (waiting > 0 && hrefs.contains(&APPROVALS)).then(|| waiting_badge(waiting));
        let current = move || pathname.with(|path| hrefs.iter().any(|href| leads_to(path, href))).then_some("true");
        let links = beyond.into_iter().map(|place| view! { <li>{link(place, waiting)}</li> }).collect::<Vec<_>>();
        (
            view! {
                <li class="more">
                    <button type="button" popovertarget=SHEET aria-current=current>
                        {icon(Icon::More)} <span>{td_string!(locale, app.more)}</span> {waits}
                    </button>
                </li>
            },
            view! {
                <Sheet id=SHEET title=td_string!(locale, app.more)>
                    <ul class="places" role="list">{links}</ul>
                </Sheet>
            },
        )
    });
    let (button, sheet) = more.unzip();
    view! {
        <ul class="menu" role="list">{links} {button}</ul>
        {sheet}
    }
    .into_any()
}

fn link(place: Place, waiting: i64) -> AnyView {
    let pathname = use_location().pathname;
    let href = place.href;
    let current = move || pathname.with(|path| leads_to(path, href)).then_some("page");
    let locale = locale();
    let word = (place.name)(locale);
    let name = match place.short {
        Some(short) => {
            view! { <span class="long-name">{word}</span> <span class="short-name">{short(locale)}</span> }.into_any()
        }
        None => view! { <span>{word}</span> }.into_any(),
    };
    view! {
        <a href=href aria-current=current rel=place.outside.then_some("external") title=word>
            {icon(place.sign)} {name} {(href == APPROVALS && waiting > 0).then(|| waiting_badge(waiting))}
        </a>
    }
    .into_any()
}

/// The button that makes the menu narrow or wide. Without scripts it is an ordinary form.
#[component]
fn SideSwitch() -> impl IntoView {
    let locale = locale();
    let here = address::here();
    let narrow = RwSignal::new(is_side_narrow());
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let now = !narrow.get_untracked();
        narrow.set(now);
        browser::set_document_attribute("data-side", now.then_some("narrow"));
        browser::tell("/preferences", &[("side", if now { "narrow" } else { "wide" })]);
    };
    let word =
        move || if narrow.get() { td_string!(locale, app.side_wide) } else { td_string!(locale, app.side_narrow) };
    view! {
        <form class="side-switch" method="post" action="/preferences" on:submit=submit>
            <input type="hidden" name="next" value=move || here.get() />
            <button
                type="submit"
                name="side"
                value=move || if narrow.get() { "wide" } else { "narrow" }
                aria-expanded=move || if narrow.get() { "false" } else { "true" }
                aria-controls="menu"
                title=word
            >
                {icon(Icon::Collapse)}
                <span>{word}</span>
            </button>
        </form>
    }
    .into_any()
}

fn top_line(me: Option<Me>, waiting: i64, palette: RwSignal<bool>, help: RwSignal<bool>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let tenant = me.as_ref().map(|me| me.tenant_name.clone()).unwrap_or_default();
    // On a phone the bar at the bottom tells it.
    let waits = (waiting > 0).then(|| {
        view! { <a class="round waits wide-only" href=APPROVALS>{icon(Icon::Allowed)} {waiting_badge(waiting)}</a> }
    });
    view! {
        <button
            class="search"
            type="button"
            aria-haspopup="dialog"
            disabled=move || !live.get()
            on:click=move |_| palette.set(true)
        >
            {icon(Icon::Search)}
            <span class="word">{td_string!(locale, app.search)}</span>
            <kbd dir="ltr" aria-hidden="true">{keys::written('K')}</kbd>
        </button>
        <span class="tenant">{pieces::typed(tenant)}</span>
        {waits}
        <Preferences />
        {me.map(|me| person_menu(me, help))}
    }
    .into_any()
}

/// The person who is signed in, with the way out.
fn person_menu(me: Me, help: RwSignal<bool>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let title = td_string!(locale, app.person_menu, name = language::isolate(&me.name)).to_string();
    let initials = pieces::avatar(&me.name, false);
    view! {
        <button class="round" type="button" popovertarget="person-menu">
            {initials}
            <span class="away">{pieces::sentence(&title)}</span>
        </button>
        <div class="drop" id="person-menu" popover="auto" role="group" aria-label=title>
            <div class="who">
                <span class="strong">{pieces::typed(me.name)}</span>
                <span class="small muted">{pieces::typed(me.email)}</span>
            </div>
            <button
                class="btn ghost"
                type="button"
                disabled=move || !live.get()
                on:click=move |_| {
                    browser::hide_popover("person-menu");
                    help.set(true);
                }
            >
                {icon(Icon::Keyboard)}
                {td_string!(locale, app.shortcuts)}
            </button>
            <a class="btn ghost" href="/console/account">{icon(Icon::Lock)} {td_string!(locale, app.account)}</a>
            <form method="post" action="/logout">
                <button class="btn ghost" id="log-out" type="submit">
                    {icon(Icon::Out)}
                    {td_string!(locale, app.log_out)}
                </button>
            </form>
        </div>
    }
    .into_any()
}
