//! The page of one role, and the page that creates one.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};

use super::{
    checklist::checklist,
    editor::{RoleEditor, RoleForm},
    heritage::{family, inheritable, of_groups},
    holders::holders,
    origin_badge,
    review::stated,
    shelf::shelf,
};
use crate::{
    access::{PERMISSIONS_READ, ROLES_CREATE, ROLES_DELETE, ROLES_UPDATE, USERS_READ},
    approvals::pages::ask::Asking,
    base::{
        errors::AppError,
        ids::RoleId,
        language::{self, td_string},
        paging::Page,
    },
    roles::{
        ApprovalRequest, Catalogue, HoldersQuery, NewRole, Role, RoleEdit,
        calls::{
            all_roles, create_role, delete_role, edit_role, get_role, list_holders, list_permissions, list_templates,
            request_approval,
        },
    },
    ui::{
        address::{self, filled},
        calls::Call,
        dialog::Confirm,
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        tabs::{Tab, tabs},
        toasts::toasts,
        viewer::{Held, viewer},
    },
};

/// A new role: empty, of a template in one click, or beginning as another one (`?from=`).
#[component]
pub fn NewRolePage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let from = address::query_field("from");
    let catalogue = Resource::new_blocking(|| (), |()| list_permissions());
    let roles = Resource::new_blocking(|| (), |()| all_roles());
    let templates = Resource::new_blocking(|| (), |()| list_templates());
    view! {
        <Title text=td_string!(locale, roles.create) />
        <div class="page-head"><h1>{td_string!(locale, roles.create)}</h1></div>
        <Suspense fallback=move || states::loading(8)>
            {move || {
                let viewer = viewer.clone();
                let from = from.get().and_then(|id| id.parse::<RoleId>().ok());
                Suspend::new(async move {
                    if !viewer.holds().await.may(ROLES_CREATE.as_str()) {
                        return states::refused(ROLES_CREATE.as_str());
                    }
                    // Whoever may create roles need not be allowed to read them all.
                    let roles = roles.await.unwrap_or_default();
                    let templates = templates.await.unwrap_or_default();
                    let begin = roles.iter().find(|role| Some(role.id) == from).map(RoleForm::copy_of);
                    let shelf = begin.is_none().then(|| shelf(templates));
                    match catalogue.await {
                        Ok(catalogue) => view! { {shelf} {new_form(begin, catalogue, roles)} }.into_any(),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn new_form(begin: Option<RoleForm>, catalogue: Catalogue, roles: Vec<Role>) -> AnyView {
    let locale = locale();
    let (call, toasts, navigate) = (Call::new(), toasts(), use_navigate());
    let save = Callback::new(move |form: RoleForm| {
        let navigate = navigate.clone();
        let role = NewRole {
            name: form.name,
            description: form.description,
            permissions: form.permissions.into_iter().collect(),
            parents: form.parents.into_iter().collect(),
        };
        call.run(create_role(role), move |role: Role| {
            toasts.say(td_string!(locale, roles.created));
            navigate(&format!("/console/roles/{}", role.id), NavigateOptions::default());
        });
    });
    view! {
        <RoleEditor
            start=RoleForm::default()
            typed=begin.unwrap_or_default()
            catalogue
            roles=inheritable(roles, None)
            name_fixed=false
            word=td_string!(locale, roles.create)
            call
            save
        />
    }
    .into_any()
}

/// The parts of the page; which one is shown is in the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Permissions,
    People,
}

/// What the part about people asks for; `None` while another part is shown.
type AskedPeople = Option<(RoleId, HoldersQuery)>;

#[component]
pub fn RolePage() -> impl IntoView {
    let viewer = viewer();
    let params = use_params_map();
    let id =
        address::settled(move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<RoleId>().ok())));
    let map = use_query_map();
    let part = address::settled(move || match map.with(|map| map.get("tab")).as_deref() {
        Some("people") => Part::People,
        _ => Part::Permissions,
    });
    let asked = address::settled(move || {
        let query =
            map.with(|map| HoldersQuery { q: filled(map.get("q")), after: filled(map.get("after")), limit: None });
        id.get().filter(|_| part.get() == Part::People).map(|id| (id, query))
    });
    let role = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => get_role(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    let catalogue = Resource::new_blocking(
        move || part.get() == Part::Permissions,
        |wanted| async move { if wanted { list_permissions().await } else { Ok(Vec::new()) } },
    );
    let roles = Resource::new_blocking(
        move || part.get() == Part::Permissions,
        |wanted| async move { if wanted { all_roles().await } else { Ok(Vec::new()) } },
    );
    let people = Resource::new_blocking(
        move || asked.get(),
        |asked: AskedPeople| async move {
            match asked {
                Some((id, query)) => list_holders(id, query).await,
                None => Ok(Page { items: Vec::new(), next: None }),
            }
        },
    );
    let changed = Callback::new(move |()| role.refetch());
    view! {
        <Suspense fallback=move || states::loading_form(8)>
            {move || {
                let (viewer, part, asked) = (viewer.clone(), part.get(), asked.get());
                Suspend::new(async move {
                    let role = match role.await {
                        Ok(role) => role,
                        Err(error) => return not_shown(&error),
                    };
                    let held = viewer.holds().await;
                    let body = match (part, asked) {
                        (Part::People, Some((id, query))) => {
                            let groups = of_groups(&role);
                            view! { {groups} {holders(id, &query, people.await)} }.into_any()
                        }
                        (Part::People | Part::Permissions, _) => {
                            let known = (catalogue.await, roles.await.unwrap_or_default());
                            given(role.clone(), known, &held, changed)
                        }
                    };
                    page(role, part, &held, body)
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// A page without its role still has a title.
fn not_shown(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        <Title text=td_string!(locale, roles.role) />
        <h1>{td_string!(locale, roles.role)}</h1>
        {states::failure(error)}
        <p class="row-of"><a class="btn" href="/console/roles">{td_string!(locale, app.roles)}</a></p>
    }
    .into_any()
}

fn page(role: Role, part: Part, held: &Held, body: AnyView) -> AnyView {
    let locale = locale();
    let may_delete = held.may(ROLES_DELETE.as_str()) && !role.platform && !role.built_in;
    let people = td_string!(locale, roles.people_count, count = role.people).to_string();
    let studio = held.may(PERMISSIONS_READ.as_str()).then(|| {
        let href = address::with_query("/console/studio", &[("role", &role.id.to_string())]);
        view! { <a class="btn" href=href>{icon(Icon::Key)} {td_string!(locale, roles.open_studio)}</a> }
    });
    let copy = held.may(ROLES_CREATE.as_str()).then(|| {
        let href = address::with_query("/console/roles/new", &[("from", &role.id.to_string())]);
        view! { <a class="btn" href=href>{icon(Icon::Copy)} {td_string!(locale, roles.copy)}</a> }
    });
    let compare = {
        let href = address::with_query("/console/roles/compare", &[("a", &role.id.to_string())]);
        view! { <a class="btn" href=href>{icon(Icon::Search)} {td_string!(locale, roles.compare)}</a> }
    };
    let tab = |to: Part, name: &str, word: &'static str| Tab {
        href: address::with_query(&format!("/console/roles/{}", role.id), &[("tab", name)]),
        word,
        is_current: part == to,
    };
    let mut parts = vec![tab(Part::Permissions, "", td_string!(locale, roles.tab_permissions))];
    if held.may(USERS_READ.as_str()) || part == Part::People {
        parts.push(tab(Part::People, "people", td_string!(locale, roles.tab_people)));
    }
    view! {
        <Title text=role.name.clone() />
        <div class="page-head">
            <div class="grow">
                <h1>{pieces::typed(role.name.clone())}</h1>
                <p class="small muted">{people}</p>
            </div>
            {origin_badge(&role)}
            {copy}
            {compare}
            {studio}
            {may_delete.then(|| delete_act(&role))}
        </div>
        {tabs(td_string!(locale, roles.tabs), parts)}
        {body}
    }
    .into_any()
}

/// What the role gives, to be changed by whoever may.
fn given(
    role: Role,
    (catalogue, roles): (Result<Catalogue, AppError>, Vec<Role>),
    held: &Held,
    changed: Callback<()>,
) -> AnyView {
    let locale = locale();
    let family = family(&role);
    let may_edit = held.may(ROLES_UPDATE.as_str()) && !role.platform;
    let why_not = if role.platform {
        Some(states::notice(states::Mood::Plain, view! { <p>{td_string!(locale, roles.platform_fixed)}</p> }))
    } else if !may_edit {
        Some(states::needs(td_string!(locale, roles.read_only), ROLES_UPDATE.as_str()))
    } else {
        None
    };
    let description = (!role.description.is_empty() && !may_edit)
        .then(|| view! { <p>{pieces::typed(super::description(&role))}</p> });
    let body = match catalogue {
        Ok(catalogue) if may_edit => edit_form(role, catalogue, roles, changed),
        Ok(catalogue) => checklist(catalogue, RwSignal::new(role.permissions.into_iter().collect()), true),
        Err(error) => states::failed(&error),
    };
    view! { {why_not} {description} {family} {body} }.into_any()
}

fn edit_form(role: Role, catalogue: Catalogue, roles: Vec<Role>, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, toasts, reason) = (Call::new(), toasts(), RwSignal::new(String::new()));
    let renewal = Call::new();
    let (id, name_fixed) = (role.id, role.built_in);
    let roles = inheritable(roles, Some(&role));
    let known = StoredValue::new((catalogue, roles));
    // What is saved, and what the form begins with.
    let now = RwSignal::new((role.version, RoleForm::of(&role), RoleForm::of(&role)));
    let edit_of = move |form: RoleForm| {
        let (version, before, _) = now.get_untracked();
        RoleEdit {
            name: (form.name != before.name).then_some(form.name),
            description: (form.description != before.description).then_some(form.description),
            permissions: (form.permissions != before.permissions).then(|| form.permissions.into_iter().collect()),
            parents: (form.parents != before.parents).then(|| form.parents.into_iter().collect()),
            reason: stated(reason),
            version: Some(version),
        }
    };
    let save = Callback::new(move |form: RoleForm| {
        call.run(edit_role(id, edit_of(form)), move |_role| {
            toasts.say(td_string!(locale, roles.saved));
            changed.run(());
        });
    });
    let ask = Callback::new(move |(form, asking): (RoleForm, Asking)| {
        let (role, reason) = (Some(edit_of(form)), asking.reason.clone());
        asking.run(request_approval(ApprovalRequest { role_id: Some(id), role, reason, ..ApprovalRequest::default() }));
    });
    let renew = Callback::new(move |typed: RoleForm| {
        renewal.run(get_role(id), move |role| {
            let saved = RoleForm::of(&role);
            let typed = now.with_untracked(|(_, before, _)| typed.over(before, &saved));
            call.error.set(None);
            now.set((role.version, saved, typed));
            toasts.say(td_string!(locale, ui.renewed));
        });
    });
    let word = td_string!(locale, roles.save);
    let editor = move || {
        let (_, start, typed) = now.get();
        let (catalogue, roles) = known.get_value();
        view! { <RoleEditor start typed catalogue roles name_fixed word call reason=reason renew=renew ask=(ask, changed) save /> }
    };
    editor.into_any()
}

fn delete_act(role: &Role) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (open, call, toasts, navigate) = (RwSignal::new(false), Call::new(), toasts(), use_navigate());
    let (id, version) = (role.id, role.version);
    let title = td_string!(locale, roles.delete_title, name = language::isolate(&role.name)).to_string();
    let people = td_string!(locale, roles.delete_people, count = role.people).to_string();
    let about = format!("{} {people}", td_string!(locale, roles.delete_about));
    let act = Callback::new(move |()| {
        let navigate = navigate.clone();
        call.run(delete_role(id, Some(version)), move |()| {
            toasts.say(td_string!(locale, roles.deleted));
            navigate("/console/roles", NavigateOptions::default());
        });
    });
    view! {
        <button class="btn danger" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(Icon::Remove)}
            {td_string!(locale, roles.delete)}
        </button>
        <Confirm
            id="delete-role"
            open
            title
            about=about
            word=td_string!(locale, roles.delete)
            danger=true
            call
            act
        />
    }
    .into_any()
}
