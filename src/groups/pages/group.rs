//! The page of one group, and the page that creates one.

use std::collections::BTreeSet;

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map, use_query_map},
};

use super::{below, group_links, label, members::Members, not_shown, role_line};
use crate::{
    access::{
        GROUPS_MANAGE, GivenRole, GroupRef, PERMISSIONS_ASSIGN, PERMISSIONS_READ, ROLES_READ, RoleRef, USERS_READ,
    },
    accounts::pages::role_choices,
    approvals::pages::ask::{AskApproval, Asking},
    base::{
        errors::AppError,
        ids::GroupId,
        language::{self, td_string},
        time::Timestamp,
    },
    groups::{
        AskedEdit, Group, GroupEdit, MembersQuery, NewGroup,
        calls::{all_groups, create_group, delete_group, edit_group, get_group, list_members, request_group},
    },
    ui::{
        address::{self, filled},
        browser::Typed,
        calls::Call,
        dialog::Confirm,
        fields::{self, Field, TextArea, field_error},
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        tabs::{Tab, tabs},
        toasts::toasts,
        unsaved::Unsaved,
        viewer::{Held, viewer},
    },
};

/// What a group may be given, and in what it may lie.
#[derive(Clone, Debug, Default)]
struct Choices {
    groups: Vec<Group>,
    roles: Vec<RoleRef>,
}

/// What [`Choices`] are made of; nothing is asked for while the form is not shown.
fn offered(wanted: impl Fn() -> bool + Copy + Send + Sync + 'static) -> (Resource<Vec<Group>>, Resource<Vec<RoleRef>>) {
    let (viewer, choices) = (viewer(), role_choices());
    let groups = Resource::new_blocking(wanted, |wanted| async move {
        if wanted { all_groups().await.unwrap_or_default() } else { Vec::new() }
    });
    let roles = Resource::new_blocking(wanted, move |wanted| {
        let (viewer, choices) = (viewer.clone(), choices.clone());
        async move {
            let may_read = wanted && viewer.holds().await.may(ROLES_READ.as_str());
            if may_read { choices.ask().await } else { Vec::new() }
        }
    });
    (groups, roles)
}

#[component]
pub fn NewGroupPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let (groups, roles) = offered(|| true);
    view! {
        <Title text=td_string!(locale, groups.create) />
        <div class="page-head"><h1>{td_string!(locale, groups.create)}</h1></div>
        <Suspense fallback=move || states::loading_form(4)>
            {move || {
                let viewer = viewer.clone();
                Suspend::new(async move {
                    let held = viewer.holds().await;
                    if !held.may(GROUPS_MANAGE.as_str()) {
                        return states::refused(GROUPS_MANAGE.as_str());
                    }
                    new_form(Choices { groups: groups.await, roles: roles.await }, &held)
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn new_form(choices: Choices, held: &Held) -> AnyView {
    let locale = locale();
    let (call, toasts, navigate) = (Call::new(), toasts(), use_navigate());
    let unsaved = Unsaved::new("group/new".to_owned(), 0);
    let save = Callback::new(move |form: GroupForm| {
        let navigate = navigate.clone();
        let group =
            NewGroup { name: form.name, description: form.description, parents: form.parents, roles: form.roles };
        call.run(create_group(group), move |group: Group| {
            unsaved.forget();
            toasts.say(td_string!(locale, groups.created));
            navigate(&format!("/console/groups/{}", group.id), NavigateOptions::default());
        });
    });
    let may_assign = held.may(PERMISSIONS_ASSIGN.as_str());
    editor(None, choices, may_assign, (td_string!(locale, groups.create), call, save, unsaved))
}

/// The parts of the page; which one is shown is in the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Gives,
    People,
}

type AskedPeople = Option<(GroupId, MembersQuery)>;

#[component]
pub fn GroupPage() -> impl IntoView {
    let viewer = viewer();
    let params = use_params_map();
    let id =
        address::settled(move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<GroupId>().ok())));
    let map = use_query_map();
    let part = address::settled(move || match map.with(|map| map.get("tab")).as_deref() {
        Some("people") => Part::People,
        _ => Part::Gives,
    });
    let asked = address::settled(move || {
        let query =
            map.with(|map| MembersQuery { q: filled(map.get("q")), after: filled(map.get("after")), limit: None });
        id.get().filter(|_| part.get() == Part::People).map(|id| (id, query))
    });
    let group = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => get_group(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    let (groups, roles) = offered(move || part.get() == Part::Gives);
    let people = Resource::new_blocking(
        move || asked.get(),
        |asked: AskedPeople| async move {
            match asked {
                Some((id, query)) => list_members(id, query).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let changed = Callback::new(move |()| {
        group.refetch();
        people.refetch();
    });
    view! {
        <Suspense fallback=move || states::loading_form(6)>
            {move || {
                let (viewer, part, asked) = (viewer.clone(), part.get(), asked.get());
                Suspend::new(async move {
                    let group = match group.await {
                        Ok(group) => group,
                        Err(error) => return not_shown(&error),
                    };
                    let held = viewer.holds().await;
                    let body = match (part, asked, people.await) {
                        (Part::People, Some((id, query)), answer) => {
                            let answer = answer.and_then(|page| page.ok_or(AppError::NotFound));
                            let may_assign = held.may(PERMISSIONS_ASSIGN.as_str());
                            view! { <Members group=id query answer may_assign changed /> }.into_any()
                        }
                        (Part::People | Part::Gives, ..) => {
                            let choices = Choices { groups: groups.await, roles: roles.await };
                            gives(group.clone(), choices, &held, changed)
                        }
                    };
                    page(group, part, &held, body)
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn page(group: Group, part: Part, held: &Held, body: AnyView) -> AnyView {
    let locale = locale();
    let people = td_string!(locale, groups.people_count, count = group.people).to_string();
    let delete = held.may(GROUPS_MANAGE.as_str()).then(|| delete_act(&group));
    let studio = held.may(PERMISSIONS_READ.as_str()).then(|| {
        let href = address::with_query("/console/studio", &[("group", &group.id.to_string())]);
        view! { <a class="btn" href=href>{icon(Icon::Key)} {td_string!(locale, groups.open_studio)}</a> }
    });
    let tab = |to: Part, name: &str, word: &'static str| Tab {
        href: address::with_query(&format!("/console/groups/{}", group.id), &[("tab", name)]),
        word,
        is_current: part == to,
    };
    let mut parts = vec![tab(Part::Gives, "", td_string!(locale, groups.tab_gives))];
    if held.may(USERS_READ.as_str()) || part == Part::People {
        parts.push(tab(Part::People, "people", td_string!(locale, groups.people)));
    }
    view! {
        <Title text=group.name.clone() />
        <div class="page-head">
            <div class="grow">
                <h1>{pieces::typed(group.name.clone())}</h1>
                <p class="small muted">{people}</p>
            </div>
            {studio}
            {delete}
        </div>
        {tabs(td_string!(locale, groups.tabs), parts)}
        {body}
    }
    .into_any()
}

/// Where the group stands and what it gives, to be changed by whoever may.
fn gives(group: Group, choices: Choices, held: &Held, changed: Callback<()>) -> AnyView {
    let locale = locale();
    if held.may(GROUPS_MANAGE.as_str()) {
        let (call, toasts) = (Call::new(), toasts());
        let (id, version) = (group.id, group.version);
        let unsaved = Unsaved::new(format!("group/{id}"), version);
        let may_assign = held.may(PERMISSIONS_ASSIGN.as_str());
        let before = GroupForm::of(&group);
        // What was tried last, which others may have to agree to.
        let tried = RwSignal::new(GroupEdit::default());
        let save = Callback::new(move |form: GroupForm| {
            let edit = GroupEdit {
                name: (form.name != before.name).then_some(form.name),
                description: (form.description != before.description).then_some(form.description),
                parents: (may_assign && form.parents != before.parents).then_some(form.parents),
                roles: (may_assign && form.roles != before.roles).then_some(form.roles),
                reason: form.reason,
                version: Some(version),
            };
            tried.set(edit.clone());
            call.run(edit_group(id, edit), move |_group| {
                unsaved.forget();
                toasts.say(td_string!(locale, groups.saved));
                changed.run(());
            });
        });
        let ask = Callback::new(move |asking: Asking| {
            let asked = AskedEdit { edit: tried.get_untracked(), reason: asking.reason.clone() };
            asking.run(request_group(id, asked));
        });
        let done = Callback::new(move |()| {
            unsaved.give_up();
            changed.run(());
        });
        let stated = Signal::derive(move || tried.with(|edit| edit.reason.clone()).unwrap_or_default());
        let children = links(td_string!(locale, groups.children), &group.children);
        let form = editor(Some(&group), choices, may_assign, (td_string!(locale, groups.save), call, save, unsaved));
        return view! { {form} <AskApproval refused=call ask stated done /> {children} }.into_any();
    }
    let roles = group.roles.iter().map(|has| view! { <li>{role_line(has)}</li> }).collect_view();
    view! {
        <section class="card padded" aria-labelledby="gives-title">
            <h2 id="gives-title">{td_string!(locale, groups.roles)}</h2>
            <ul class="links" role="list">{roles}</ul>
        </section>
        {links(td_string!(locale, groups.parents), &group.parents)}
        {links(td_string!(locale, groups.children), &group.children)}
    }
    .into_any()
}

fn links(title: &'static str, groups: &[GroupRef]) -> Option<AnyView> {
    (!groups.is_empty())
        .then(|| view! { <section class="card padded"><h2>{title}</h2> {group_links(groups)}</section> }.into_any())
}

/// What the form holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct GroupForm {
    name: String,
    description: String,
    parents: Vec<GroupId>,
    roles: Vec<GivenRole>,
    /// Why, for the log.
    reason: Option<String>,
}

impl GroupForm {
    fn of(group: &Group) -> Self {
        let mut form = GroupForm {
            name: group.name.clone(),
            description: group.description.clone(),
            parents: group.parents.iter().map(|parent| parent.id).collect(),
            roles: group.roles.iter().map(GivenRole::from).collect(),
            reason: None,
        };
        form.parents.sort();
        form.roles.sort_by_key(|given| given.role);
        form
    }
}

fn editor(
    group: Option<&Group>,
    choices: Choices,
    may_assign: bool,
    (word, call, save, unsaved): (&'static str, Call, Callback<GroupForm>, Unsaved),
) -> AnyView {
    let locale = locale();
    let form = group.map(GroupForm::of).unwrap_or_default();
    let kept = StoredValue::new(form.roles.clone());
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let mut parents = typed.all("parent").iter().filter_map(|id| id.parse().ok()).collect::<Vec<GroupId>>();
        parents.sort();
        let mut roles = Vec::new();
        for id in typed.all("role") {
            let Ok(role) = id.parse() else { continue };
            let ends = typed.text(&format!("until-{id}"));
            // The scope of a role that stays is kept.
            let scope = kept.with_value(|kept| {
                kept.iter().find(|given| given.role == role).map(|given| given.scope.clone()).unwrap_or_default()
            });
            roles.push(GivenRole { role, scope, expires_at: Timestamp::parse(ends.trim()) });
        }
        roles.sort_by_key(|given| given.role);
        let (name, description) = (typed.text("name"), typed.text("description"));
        save.run(GroupForm { name, description, parents, roles, reason: typed.optional("reason") });
    };
    let own = group.map(|group| group.id);
    let parents = {
        let chosen = form.parents.iter().copied().collect::<BTreeSet<_>>();
        let below = below(
            own,
            &choices.groups,
            |group| group.id,
            |group, outer| group.parents.iter().any(|parent| parent.id == outer),
        );
        let others = choices.groups.iter().filter(|other| !below.contains(&other.id));
        let boxes = others
            .map(|other| check("parent", &other.id.to_string(), &other.name, chosen.contains(&other.id), !may_assign));
        boxes.collect::<Vec<_>>()
    };
    let roles = choices.roles.iter().filter(|role| role.name != crate::access::SUPER_ADMIN).map(|role| {
        let given = form.roles.iter().find(|given| given.role == role.id);
        let until = fields::moment_value(given.and_then(|given| given.expires_at));
        let name = format!("until-{}", role.id);
        let about = td_string!(locale, groups.until_of, role = role.name.clone()).to_string();
        view! {
            <div class="row-of group-role">
                {check("role", &role.id.to_string(), &role.name, given.is_some(), !may_assign)}
                <input
                    class="input"
                    type="datetime-local"
                    name=name
                    aria-label=about
                    value=until
                    disabled=!may_assign
                />
            </div>
        }
    });
    let roles = roles.collect_view();
    let fixed =
        (!may_assign).then(|| states::needs(td_string!(locale, groups.needs_assign), PERMISSIONS_ASSIGN.as_str()));
    let parents = (!parents.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="parents-title">
                <div class="card-head">
                    <h2 class="grow" id="parents-title">{td_string!(locale, groups.parents)}</h2>
                    <p class="small muted">{td_string!(locale, groups.parents_about)}</p>
                </div>
                <div class="group">{parents}</div>
            </section>
        }
    });
    let reason = group.is_some().then(|| {
        view! {
            <Field
                name="reason"
                label=td_string!(locale, groups.reason)
                hint=td_string!(locale, groups.reason_hint)
                longest="500"
                error=field_error(call.error, "reason")
            />
        }
    });
    view! {
        <form class="stack" on:submit=submit>
            {fields::summary(call.error, label)}
            <div class="stack" node_ref=unsaved.place() on:input=move |_| unsaved.write()>
                <div class="card padded">
                    <div class="form-grid">
                        <Field
                            name="name"
                            label=td_string!(locale, groups.name)
                            value=form.name
                            required=true
                            longest="120"
                            error=field_error(call.error, "name")
                        />
                        <TextArea
                            name="description"
                            label=td_string!(locale, groups.description)
                            value=form.description
                            error=field_error(call.error, "description")
                        />
                    </div>
                </div>
                {fixed}
                <section class="card" aria-labelledby="group-roles">
                    <div class="card-head">
                        <h2 class="grow" id="group-roles">{td_string!(locale, groups.roles)}</h2>
                        <p class="small muted">{td_string!(locale, groups.roles_about)}</p>
                    </div>
                    <div class="group">{roles}</div>
                </section>
                {parents}
                {reason}
            </div>
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {word}
                </button>
                <a class="btn ghost" href="/console/groups" on:click=move |_| unsaved.forget()>
                    {td_string!(locale, ui.cancel)}
                </a>
            </div>
        </form>
    }
    .into_any()
}

fn check(name: &'static str, value: &str, word: &str, checked: bool, disabled: bool) -> AnyView {
    let id = format!("{name}-{value}");
    view! {
        <div class="check">
            <input type="checkbox" id=id.clone() name=name value=value.to_owned() checked=checked disabled=disabled />
            <label class="about" for=id><span class="strong">{pieces::typed(word)}</span></label>
        </div>
    }
    .into_any()
}

fn delete_act(group: &Group) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (open, call, toasts, navigate) = (RwSignal::new(false), Call::new(), toasts(), use_navigate());
    let (id, version) = (group.id, group.version);
    let title = td_string!(locale, groups.delete_title, name = language::isolate(&group.name)).to_string();
    let people = td_string!(locale, groups.people_count, count = group.people).to_string();
    let about = format!("{} {people}", td_string!(locale, groups.delete_about));
    let act = Callback::new(move |()| {
        let navigate = navigate.clone();
        call.run(delete_group(id, Some(version)), move |()| {
            toasts.say(td_string!(locale, groups.deleted));
            navigate("/console/groups", NavigateOptions::default());
        });
    });
    view! {
        <button class="btn danger" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(Icon::Remove)}
            {td_string!(locale, groups.delete)}
        </button>
        <Confirm id="delete-group" open title about=about word=td_string!(locale, groups.delete) danger=true call act />
    }
    .into_any()
}
