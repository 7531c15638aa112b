//! The page of one person: details, roles, permissions and activity, a tab each. The tab is in the address.

use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::lost::LostFactor;
use crate::{
    access::{
        AUDIT_READ, DEVICES_READ, DEVICES_REVOKE, GROUPS_READ, IMPERSONATE_USERS, PERMISSIONS_ASSIGN, RoleRef,
        SESSIONS_READ, SESSIONS_REVOKE, USERS_RESET_PASSWORD,
    },
    accounts::{
        Person, Status,
        calls::get_person,
        pages::{
            acts::PersonActs,
            details::{PersonDetails, PersonHead},
            erasure::PersonErasure,
        },
    },
    audit::{AuditEntry, AuditQuery, list_audit, pages::list::entries},
    base::{errors::AppError, ids::UserId, language::td_string, paging::Page},
    groups::{calls::groups_of, pages::of_person},
    impersonation::pages::ActAs,
    roles::{
        Catalogue, PersonRights, Role,
        calls::{all_roles, get_rights, list_permissions},
        pages::{
            catalogue::Search,
            person_permissions::PersonPermissions,
            person_roles::PersonRoles,
            review::ReviewBar,
            staged::{Names, Staged},
        },
    },
    sessions::pages::{DeviceList, SessionList},
    ui::{
        address,
        list::Place,
        locale, states, tabs,
        viewer::{Held, viewer},
    },
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Details,
    Roles,
    Groups,
    Permissions,
    Sessions,
    Activity,
}

impl Tab {
    fn name(self) -> &'static str {
        match self {
            Tab::Details => "details",
            Tab::Roles => "roles",
            Tab::Groups => "groups",
            Tab::Permissions => "permissions",
            Tab::Sessions => "sessions",
            Tab::Activity => "activity",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let all = [Tab::Details, Tab::Roles, Tab::Groups, Tab::Permissions, Tab::Sessions, Tab::Activity];
        all.into_iter().find(|tab| tab.name() == name)
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
        |wanted| async move { if wanted { all_roles().await } else { Ok(Vec::new()) } },
    );
    let catalogue = Resource::new_blocking(
        move || about_rights.get(),
        |wanted| async move { if wanted { list_permissions().await } else { Ok(Vec::new()) } },
    );
    let after = address::query_field("after");
    let asked = address::settled(move || id.get().filter(|_| tab.get() == Tab::Activity).map(|id| (id, after.get())));
    let activity = Resource::new_blocking(
        move || asked.get(),
        |asked| async move {
            match asked {
                Some((id, after)) => {
                    list_audit(AuditQuery { about: Some(id.to_string()), after, ..AuditQuery::default() }).await
                }
                None => Ok(Page { items: Vec::new(), next: None }),
            }
        },
    );
    let groups = Resource::new_blocking(
        move || id.get().filter(|_| tab.get() == Tab::Groups),
        |id| async move {
            match id {
                Some(id) => groups_of(id).await,
                None => Ok(Vec::new()),
            }
        },
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
        <Suspense fallback=move || states::loading_form(8)>
            {move || {
                let viewer = viewer.clone();
                let tab = tab.get();
                Suspend::new(async move {
                    let person = match person.await {
                        Ok(person) => person,
                        Err(error) => return not_shown(&error),
                    };
                    let held = viewer.holds().await;
                    let body = match tab {
                        Tab::Details => details(person.clone(), held.clone(), changed),
                        Tab::Sessions => {
                            let may_end = held.may(SESSIONS_REVOKE.as_str());
                            let lost = held.may(USERS_RESET_PASSWORD.as_str()).then(|| {
                                view! { <LostFactor person=person.id name=person.name.clone() /> }
                            });
                            let ended = RwSignal::new(0);
                            let may_forget = held.may(DEVICES_REVOKE.as_str());
                            let devices = held.may(DEVICES_READ.as_str()).then(|| {
                                view! { <DeviceList person=person.id may_forget ended /> }
                            });
                            view! { <SessionList person=person.id may_end ended /> {devices} {lost} }.into_any()
                        }
                        Tab::Groups => match groups.await {
                            Ok(groups) => of_person(groups),
                            Err(error) => states::failure(&error),
                        },
                        Tab::Activity => activity_of(person.id, after.get_untracked(), activity.await),
                        Tab::Roles | Tab::Permissions => {
                            let rights = rights.await.and_then(|rights| rights.ok_or(AppError::NotFound));
                            let known = Rights { rights, roles: roles.await, catalogue: catalogue.await };
                            about(tab, &person, known, (staged, search), &held)
                        }
                    };
                    view! {
                        <Title text=person.name.clone() />
                        {head(person.clone(), renewed)}
                        {parts(person.id, tab, &held)}
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
        <p class="row-of"><a class="btn" href="/console/people">{td_string!(locale, app.people)}</a></p>
    }
    .into_any()
}

fn parts(id: UserId, current: Tab, held: &Held) -> AnyView {
    let locale = locale();
    let all = [
        (Tab::Details, td_string!(locale, app.tab_details)),
        (Tab::Roles, td_string!(locale, app.tab_roles)),
        (Tab::Groups, td_string!(locale, app.groups)),
        (Tab::Permissions, td_string!(locale, app.tab_permissions)),
        (Tab::Sessions, td_string!(locale, app.tab_sessions)),
        (Tab::Activity, td_string!(locale, app.tab_activity)),
    ];
    let may_see = |tab: Tab| match tab {
        Tab::Groups => held.may(GROUPS_READ.as_str()),
        Tab::Sessions => held.may(SESSIONS_READ.as_str()),
        Tab::Activity => held.may(AUDIT_READ.as_str()),
        Tab::Details | Tab::Roles | Tab::Permissions => true,
    };
    let shown = all.into_iter().filter(|(tab, _)| *tab == current || may_see(*tab));
    let links = shown.map(|(tab, word)| {
        let href = format!("/console/people/{id}?tab={}", tab.name());
        tabs::Tab { href, word, is_current: tab == current }
    });
    tabs::tabs(td_string!(locale, app.tabs), links)
}

/// What this person did and what was done to them.
fn activity_of(id: UserId, after: Option<String>, answer: Result<Page<AuditEntry>, AppError>) -> AnyView {
    let here = |after: &str| {
        address::with_query(&format!("/console/people/{id}"), &[("tab", Tab::Activity.name()), ("after", after)])
    };
    let place = Place { is_filtered: false, all: here(""), is_later: after.is_some(), at: here };
    entries(answer, place)
}

fn details(person: Person, held: Held, changed: Callback<()>) -> AnyView {
    view! {
        <PersonDetails person=person.clone() held=held.clone() changed />
        <PersonActs person=person.clone() held=held.clone() changed />
        <PersonErasure person=person.clone() held=held.clone() changed />
        {(held.may(IMPERSONATE_USERS.as_str()) && person.status == Status::Active)
            .then(|| {
                view! {
                    <section class="card padded" aria-labelledby="act-as-title">
                        <h2 id="act-as-title">{td_string!(locale(), impersonation.section)}</h2>
                        <p class="muted">{td_string!(locale(), impersonation.section_about)}</p>
                        <div class="row-of"><ActAs person=person.id name=person.name.clone() /></div>
                    </section>
                }
            })}
    }
    .into_any()
}

fn about(tab: Tab, person: &Person, known: Rights, (staged, search): (Staged, Search), held: &Held) -> AnyView {
    // On the server an answer can come after the request has gone, and its page with it.
    if staged.saved.try_with_untracked(|_| ()).is_none() {
        return ().into_any();
    }
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
        Tab::Details | Tab::Groups | Tab::Permissions | Tab::Sessions | Tab::Activity => match known.catalogue {
            Ok(catalogue) => view! { <PersonPermissions catalogue staged search may_assign /> }.into_any(),
            Err(error) => states::failed(&error),
        },
    }
}
