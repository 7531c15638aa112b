//! The page of one person: details, roles and permissions, a tab each. The tab is in the address.

use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::{
    access::{PERMISSIONS_ASSIGN, RoleRef, SESSIONS_READ, SESSIONS_REVOKE, USERS_RESET_PASSWORD},
    accounts::{
        Person,
        calls::get_person,
        pages::{
            acts::PersonActs,
            details::{PersonDetails, PersonHead},
        },
    },
    base::{errors::AppError, ids::UserId, language::td_string},
    roles::{
        Catalogue, PersonRights, Role,
        calls::{get_rights, list_permissions, list_roles},
        pages::{
            catalogue::Search,
            person_permissions::PersonPermissions,
            person_roles::PersonRoles,
            review::ReviewBar,
            staged::{Names, Staged},
        },
    },
    second_factor::pages::LostFactor,
    sessions::pages::SessionList,
    ui::{
        address, locale, states,
        viewer::{Held, viewer},
    },
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Details,
    Roles,
    Permissions,
    Sessions,
}

impl Tab {
    fn name(self) -> &'static str {
        match self {
            Tab::Details => "details",
            Tab::Roles => "roles",
            Tab::Permissions => "permissions",
            Tab::Sessions => "sessions",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Tab::Details, Tab::Roles, Tab::Permissions, Tab::Sessions].into_iter().find(|tab| tab.name() == name)
    }
}

/// What the tabs about rights need; each part may be refused on its own.
#[derive(Clone)]
struct Rights {
    rights: Result<PersonRights, AppError>,
    roles: Result<Vec<Role>, AppError>,
    catalogue: Result<Catalogue, AppError>,
}

#[component]
pub fn PersonPage() -> impl IntoView {
    let params = use_params_map();
    let id =
        address::settled(move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<UserId>().ok())));
    let tab = address::query_field("tab");
    let tab = address::settled(move || tab.get().and_then(|name| Tab::parse(&name)).unwrap_or_default());
    // Read again where it is edited: the version moves with the rights, too.
    let is_edited = address::settled(move || tab.get() == Tab::Details);
    let person = Resource::new_blocking(
        move || (id.get(), is_edited.get()),
        |(id, _)| async move {
            match id {
                Some(id) => get_person(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    // Asked for only where it is shown: who may see people need not be allowed to see rights.
    let about_rights = address::settled(move || matches!(tab.get(), Tab::Roles | Tab::Permissions));
    let rights = Resource::new_blocking(
        move || id.get().filter(|_| about_rights.get()),
        |id| async move {
            match id {
                Some(id) => get_rights(id).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let roles = Resource::new_blocking(
        move || about_rights.get(),
        |wanted| async move { if wanted { list_roles().await } else { Ok(Vec::new()) } },
    );
    let catalogue = Resource::new_blocking(
        move || about_rights.get(),
        |wanted| async move { if wanted { list_permissions().await } else { Ok(Vec::new()) } },
    );
    let (staged, search) = (Staged::new(), Search::new());
    let changed = Callback::new(move |()| person.refetch());
    // Saved rights change the head of the page only: the list below stays where it is.
    let renewed = RwSignal::new(None::<Person>);
    let rights_changed = Callback::new(move |()| {
        let Some(id) = id.get_untracked() else { return };
        spawn_local(async move {
            // The head then tells of the state before; the next page reads it anew.
            if let Ok(person) = get_person(id).await {
                renewed.set(Some(person));
            }
        });
    });
    let viewer = viewer();
    view! {
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let viewer = viewer.clone();
                let tab = tab.get();
                Suspend::new(async move {
                    let person = match person.await {
                        Ok(person) => person,
                        Err(error) => return not_shown(&error),
                    };
                    let held = viewer.holds().await;
                    let sees_sessions = held.may(SESSIONS_READ.as_str());
                    let body = match tab {
                        Tab::Details => details(person.clone(), held, changed),
                        Tab::Sessions => {
                            let may_end = held.may(SESSIONS_REVOKE.as_str());
                            let lost = held.may(USERS_RESET_PASSWORD.as_str()).then(|| {
                                view! { <LostFactor person=person.id name=person.name.clone() /> }
                            });
                            view! { <SessionList person=person.id may_end /> {lost} }.into_any()
                        }
                        Tab::Roles | Tab::Permissions => {
                            let rights = rights.await.and_then(|rights| rights.ok_or(AppError::NotFound));
                            let known = Rights { rights, roles: roles.await, catalogue: catalogue.await };
                            about(tab, &person, known, (staged, search), &held)
                        }
                    };
                    view! {
                        <Title text=person.name.clone() />
                        {head(person.clone(), renewed)}
                        {tabs(person.id, tab, sees_sessions)}
                        {body}
                    }
                    .into_any()
                })
            }}
        </Suspense>
        <ReviewBar staged changed=rights_changed />
    }
    .into_any()
}

/// The head of the page, drawn again when what it tells has changed.
fn head(person: Person, renewed: RwSignal<Option<Person>>) -> AnyView {
    let head = move || {
        let now = renewed.get().filter(|now| now.id == person.id && now.version > person.version);
        view! { <PersonHead person=now.unwrap_or_else(|| person.clone()) /> }
    };
    head.into_any()
}

/// A page without its person still has a title.
fn not_shown(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        <Title text=td_string!(locale, app.person) />
        <h1>{td_string!(locale, app.person)}</h1>
        {states::failure(error)}
    }
    .into_any()
}

fn tabs(id: UserId, current: Tab, sees_sessions: bool) -> AnyView {
    let locale = locale();
    let links = [
        (Tab::Details, td_string!(locale, app.tab_details)),
        (Tab::Roles, td_string!(locale, app.tab_roles)),
        (Tab::Permissions, td_string!(locale, app.tab_permissions)),
        (Tab::Sessions, td_string!(locale, app.tab_sessions)),
    ]
    .into_iter()
    .filter(|(tab, _)| sees_sessions || *tab != Tab::Sessions)
    .map(|(tab, word)| {
        let href = format!("/console/people/{id}?tab={}", tab.name());
        view! { <li><a href=href aria-current=(tab == current).then_some("page")>{word}</a></li> }
    })
    .collect_view();
    view! {
        <nav aria-label=td_string!(locale, app.tabs)>
            <ul class="tabs" role="list">{links}</ul>
        </nav>
    }
    .into_any()
}

fn details(person: Person, held: Held, changed: Callback<()>) -> AnyView {
    view! {
        <PersonDetails person=person.clone() held=held.clone() changed />
        <PersonActs person held changed />
    }
    .into_any()
}

fn about(tab: Tab, person: &Person, known: Rights, (staged, search): (Staged, Search), held: &Held) -> AnyView {
    let rights = match known.rights {
        Ok(rights) => rights,
        Err(error) => return states::failure(&error),
    };
    let roles = known.roles.iter().flatten().map(|role| RoleRef { id: role.id, name: role.name.clone() }).collect();
    let catalogue = known.catalogue.clone().unwrap_or_default();
    staged.begin(rights, Names { person: person.name.clone(), roles, catalogue });
    let may_assign = held.may(PERMISSIONS_ASSIGN.as_str());
    match tab {
        Tab::Roles => match known.roles {
            Ok(roles) => view! { <PersonRoles roles staged may_assign /> }.into_any(),
            Err(error) => states::failed(&error),
        },
        Tab::Details | Tab::Permissions | Tab::Sessions => match known.catalogue {
            Ok(catalogue) => view! { <PersonPermissions catalogue staged search may_assign /> }.into_any(),
            Err(error) => states::failed(&error),
        },
    }
}
