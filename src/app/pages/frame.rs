//! The frame of the console: menu, top line and the person who is signed in.

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};

use crate::{
    access::{AUDIT_READ, Permission, ROLES_READ, RoleRef, USERS_READ},
    accounts::pages::RoleChoices,
    base::{
        errors::AppError,
        language::{self, td_string},
    },
    roles::calls::list_roles,
    sessions::{Me, me},
    ui::{
        icons::{Icon, brand_mark, icon},
        locale, pieces,
        preferences::Preferences,
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
        let roles = list_roles().await?;
        Ok(roles.into_iter().map(|role| RoleRef { id: role.id, name: role.name }).collect())
    }));

    view! {
        // External: the router would scroll there, but leave the focus behind.
        <a class="skip" href="#main" rel="external">{td_string!(locale, ui.skip)}</a>
        <div class="app">
            <header class="top">
                <Suspense>
                    {move || Suspend::new(async move { top_line(me.await.ok()) })}
                </Suspense>
            </header>
            <nav class="side" aria-label=td_string!(locale, app.menu)>
                <div class="sticks">
                    <a class="brand" href="/console">{brand_mark()} <span>{td_string!(locale, app.brand)}</span></a>
                    <Suspense>
                        {move || Suspend::new(async move { me.await.map(menu).ok() })}
                    </Suspense>
                </div>
            </nav>
            <main class="page" id="main" tabindex="-1">
                <Outlet />
            </main>
        </div>
    }
    .into_any()
}

/// The pages that this person may open.
fn menu(me: Me) -> AnyView {
    let locale = locale();
    let pathname = use_location().pathname;
    let allowed = |needed: Option<Permission>| needed.is_none_or(|permission| me.may(&permission));
    let entries = [
        ("/console", Icon::Home, td_string!(locale, app.home), None),
        ("/console/people", Icon::People, td_string!(locale, app.people), Some(USERS_READ)),
        ("/console/roles", Icon::Role, td_string!(locale, app.roles), Some(ROLES_READ)),
        ("/console/audit", Icon::Audit, td_string!(locale, app.audit), Some(AUDIT_READ)),
    ];
    let links = entries
        .into_iter()
        .filter(|(.., needed)| allowed(needed.clone()))
        .map(|(href, sign, word, _)| {
            let current = move || pathname.with(|path| leads_to(path, href)).then_some("page");
            view! { <li><a href=href aria-current=current>{icon(sign)} <span>{word}</span></a></li> }
        })
        .collect_view();
    view! { <ul class="menu" role="list">{links}</ul> }.into_any()
}

/// Whether the page at `path` belongs to the menu entry of `href`.
fn leads_to(path: &str, href: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == href || (href != "/console" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
}

fn top_line(me: Option<Me>) -> AnyView {
    let locale = locale();
    let tenant = me.as_ref().map(|me| me.tenant_name.clone()).unwrap_or_default();
    let person = me.map(|me| {
        let title = td_string!(locale, app.person_menu, name = language::isolate(&me.name)).to_string();
        let initials = pieces::avatar(&me.name, false);
        view! {
            <button
                class="round"
                type="button"
                popovertarget="person-menu"
            >
                {initials}
                <span class="away">{pieces::sentence(&title)}</span>
            </button>
            <div
                class="drop"
                id="person-menu"
                popover="auto"
                role="group"
                aria-label=title
            >
                <div class="who">
                    <span class="strong">{pieces::typed(me.name)}</span>
                    <span class="small muted">{pieces::typed(me.email)}</span>
                </div>
                <form method="post" action="/logout">
                    <button class="btn ghost" type="submit">{icon(Icon::Out)} {td_string!(locale, app.log_out)}</button>
                </form>
            </div>
        }
    });
    view! {
        <span class="tenant">{pieces::typed(tenant)}</span>
        <Preferences />
        {person}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_entry_is_current_on_its_own_pages_only() {
        assert!(leads_to("/console", "/console"));
        assert!(leads_to("/console/", "/console"));
        assert!(!leads_to("/console/people", "/console"));
        assert!(leads_to("/console/people/new", "/console/people"));
        assert!(!leads_to("/console/peoples", "/console/people"));
    }
}
