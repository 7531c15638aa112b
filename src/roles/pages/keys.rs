//! The permissions of the tenant: the whole catalogue, with its own keys to add, rename and remove, and as a file.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::{
    catalogue,
    effect::{lines, refused},
    transfer::Transfer,
};
use crate::{
    access::{PERMISSIONS_MANAGE, PERMISSIONS_READ, PermissionInfo, ROLES_READ, ROLES_UPDATE},
    base::{
        language::td_string,
        search::{finds, fold},
    },
    roles::{
        OwnPermission, PermissionEdit, RemovalEffect,
        calls::{create_permission, delete_permission, edit_permission, list_permissions, permission_removal},
    },
    ui::{
        address::{self, filled},
        browser::Typed,
        calls::Call,
        dialog::{Dialog, form_end},
        fields::{self, Field, field_error},
        filters::search,
        icons::{Icon, icon},
        is_arabic, is_live, locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
        toasts::toasts,
        viewer::{Held, viewer},
    },
};

const PATH: &str = "/console/permissions";

#[component]
pub fn PermissionsPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let map = use_query_map();
    let q = address::settled(move || map.with(|map| filled(map.get("q"))));
    let permissions = Resource::new_blocking(|| (), |()| list_permissions());
    let changed = Callback::new(move |()| permissions.refetch());
    view! {
        <Title text=td_string!(locale, roles.permissions) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, roles.permissions)}</h1>
                <p class="small muted">{td_string!(locale, roles.permissions_about)}</p>
            </div>
        </div>
        {search(PATH, td_string!(locale, roles.search), PERMISSIONS_READ.as_str(), q)}
        <Suspense fallback=move || states::loading_table(8)>
            {move || {
                let (viewer, q) = (viewer.clone(), q.get());
                Suspend::new(async move {
                    let held = viewer.holds().await;
                    match permissions.await {
                        Ok(all) => body(all, q, &held, changed),
                        Err(error) => states::failure(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn body(all: Vec<PermissionInfo>, q: Option<String>, held: &Held, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let may_manage = held.may(PERMISSIONS_MANAGE.as_str());
    let may_move = held.may(ROLES_READ.as_str());
    let may_import = held.may(ROLES_UPDATE.as_str());
    let words = q.as_deref().map(fold);
    let found =
        all.into_iter().filter(|info| words.as_ref().is_none_or(|words| finds(&catalogue::searchable(info), words)));
    let (own, built_in): (Vec<_>, Vec<_>) = found.partition(|info| info.own);
    let add = may_manage.then(|| view! { <AddKey changed /> });
    let (edited, removed) = (Chosen::new(), Chosen::new());
    let dialogs = may_manage.then(|| view! { <EditKey chosen=edited changed /> <RemoveKey chosen=removed changed /> });
    let own = if own.is_empty() {
        view! { <p class="card padded muted">{td_string!(locale, roles.no_own_keys)}</p> }.into_any()
    } else {
        let columns = [
            Column::new(td_string!(locale, roles.permission)),
            Column::new(td_string!(locale, roles.description)).wide(),
            Column::new(td_string!(locale, roles.acts)),
        ];
        let rows = own.into_iter().map(|info| own_row(info, may_manage.then_some((edited, removed)))).collect();
        table(td_string!(locale, roles.own_keys), columns, rows)
    };
    let built_in = {
        let columns = [
            Column::new(td_string!(locale, roles.permission)),
            Column::new(td_string!(locale, roles.of_what)).wide(),
            Column::new(td_string!(locale, roles.who_may)),
        ];
        let rows = built_in.into_iter().map(row).collect();
        table(td_string!(locale, roles.built_in_keys), columns, rows)
    };
    view! {
        <section class="stack" aria-labelledby="own-keys">
            <div class="page-head">
                <h2 class="grow" id="own-keys">{td_string!(locale, roles.own_keys)}</h2>
                {add}
            </div>
            {own}
        </section>
        <section class="stack" aria-labelledby="built-in-keys">
            <h2 id="built-in-keys">{td_string!(locale, roles.built_in_keys)}</h2>
            {built_in}
        </section>
        {dialogs}
        {may_move.then(|| view! { <Transfer may_import changed /> })}
    }
    .into_any()
}

fn about(info: &PermissionInfo) -> AnyView {
    let name = info.name(is_arabic()).to_owned();
    let key = info.key.clone();
    view! {
        <th scope="row">
            <span class="about"><span>{pieces::typed(name)}</span> <span class="small muted">{pieces::key(key)}</span></span>
        </th>
    }
    .into_any()
}

fn row(info: PermissionInfo) -> AnyView {
    let locale = locale();
    let resource = info.key.rsplit_once('.').map_or("", |(resource, _)| resource).to_owned();
    let roles = address::with_query("/console/roles", &[("gives", &info.key)]);
    view! {
        <tr>
            {about(&info)}
            <td class="wide-only">{catalogue::group_title(&resource)}</td>
            <td><a href=roles>{td_string!(locale, roles.roles_that_give)} <span class="away">" " {pieces::key(info.key.clone())}</span></a></td>
        </tr>
    }
    .into_any()
}

/// The key that a dialog is about.
#[derive(Clone, Copy)]
struct Chosen {
    open: RwSignal<bool>,
    info: RwSignal<Option<PermissionInfo>>,
}

impl Chosen {
    fn new() -> Self {
        Chosen { open: RwSignal::new(false), info: RwSignal::new(None) }
    }

    fn key(self) -> String {
        self.info.with(|info| info.as_ref().map(|info| info.key.clone())).unwrap_or_default()
    }

    /// The button that opens the dialog for a key.
    fn opener(self, info: &PermissionInfo, class: &'static str, sign: Icon, word: &'static str) -> AnyView {
        let live = is_live();
        let label = format!("{word} {}", info.key);
        let info = info.clone();
        let choose = move |_| {
            self.info.set(Some(info.clone()));
            self.open.set(true);
        };
        view! {
            <button class=class type="button" aria-label=label disabled=move || !live.get() on:click=choose>
                {icon(sign)}
            </button>
        }
        .into_any()
    }
}

/// The dialogs to edit and to remove, for whoever may.
fn own_row(info: PermissionInfo, dialogs: Option<(Chosen, Chosen)>) -> AnyView {
    let locale = locale();
    let description = info.description(is_arabic()).to_owned();
    let acts = dialogs.map(|(edited, removed)| {
        view! {
            {edited.opener(&info, "round", Icon::Edit, td_string!(locale, roles.edit_key))}
            {removed.opener(&info, "round danger", Icon::Remove, td_string!(locale, roles.remove_key))}
        }
    });
    view! {
        <tr>
            {about(&info)}
            <td class="wide-only"><span class="muted" dir="auto">{description}</span></td>
            <td><span class="row-of">{acts}</span></td>
        </tr>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "key" => Some(td_string!(locale, roles.key)),
        "name_ar" => Some(td_string!(locale, roles.name_ar)),
        "name_en" => Some(td_string!(locale, roles.name_en)),
        "description_ar" => Some(td_string!(locale, roles.description_ar)),
        "description_en" => Some(td_string!(locale, roles.description_en)),
        _ => None,
    }
}

/// The fields of a key's words.
fn word_fields(call: Call, info: &PermissionInfo) -> AnyView {
    let locale = locale();
    let info = info.clone();
    view! {
        <Field name="name_ar" label=td_string!(locale, roles.name_ar) value=info.name_ar required=true longest="120" error=field_error(call.error, "name_ar") />
        <Field name="name_en" label=td_string!(locale, roles.name_en) value=info.name_en required=true longest="120" error=field_error(call.error, "name_en") />
        <Field name="description_ar" label=td_string!(locale, roles.description_ar) value=info.description_ar longest="500" error=field_error(call.error, "description_ar") />
        <Field name="description_en" label=td_string!(locale, roles.description_en) value=info.description_en longest="500" error=field_error(call.error, "description_en") />
    }
    .into_any()
}

#[component]
fn AddKey(changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let live = is_live();
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let new = OwnPermission {
            key: typed.text("key"),
            name_ar: typed.text("name_ar"),
            name_en: typed.text("name_en"),
            description_ar: typed.text("description_ar"),
            description_en: typed.text("description_en"),
        };
        call.run(create_permission(new), move |_info| {
            open.set(false);
            toasts.say(td_string!(locale, roles.key_added));
            changed.run(());
        });
    };
    view! {
        <button
            class="btn primary"
            type="button"
            disabled=move || !live.get()
            on:click=move |_| {
                call.error.set(None);
                open.set(true);
            }
        >
            {icon(Icon::Add)}
            {td_string!(locale, roles.add_key)}
        </button>
        <Dialog id="add-key" open title=td_string!(locale, roles.add_key)>
            <form class="stack" on:submit=submit>
                {fields::summary(call.error, label)}
                <Field
                    name="key"
                    label=td_string!(locale, roles.key)
                    hint=td_string!(locale, roles.key_hint)
                    required=true
                    ltr=true
                    longest="120"
                    error=field_error(call.error, "key")
                />
                {word_fields(call, &PermissionInfo::default())}
                {form_end(open, call, td_string!(locale, roles.add_key))}
            </form>
        </Dialog>
    }
    .into_any()
}

#[component]
fn EditKey(chosen: Chosen, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let (open, call, toasts) = (chosen.open, Call::new(), toasts());
    let title = Signal::derive(move || {
        td_string!(locale, roles.edit_key_of, key = pieces::isolate_key(&chosen.key())).to_string()
    });
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let edit = PermissionEdit {
            name_ar: Some(typed.text("name_ar")),
            name_en: Some(typed.text("name_en")),
            description_ar: Some(typed.text("description_ar")),
            description_en: Some(typed.text("description_en")),
        };
        call.run(edit_permission(untrack(|| chosen.key()), edit), move |_info| {
            open.set(false);
            toasts.say(td_string!(locale, roles.key_saved));
            changed.run(());
        });
    };
    view! {
        <Dialog id="edit-key" open title>
            <form class="stack" on:submit=submit>
                {fields::summary(call.error, label)}
                {move || chosen.info.get().map(|info| word_fields(call, &info))}
                {form_end(open, call, td_string!(locale, roles.save))}
            </form>
        </Dialog>
    }
    .into_any()
}

/// Removing a key shows first what goes with it.
#[component]
fn RemoveKey(chosen: Chosen, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let (open, ask, call, toasts) = (chosen.open, Call::new(), Call::new(), toasts());
    let effect = RwSignal::new(None::<RemovalEffect>);
    let title = Signal::derive(move || {
        td_string!(locale, roles.remove_key_title, key = pieces::isolate_key(&chosen.key())).to_string()
    });
    Effect::new(move |_| {
        if open.get() {
            effect.set(None);
            call.error.set(None);
            ask.run(permission_removal(untrack(|| chosen.key())), move |found| effect.set(Some(found)));
        }
    });
    let remove = move |_| {
        call.run(delete_permission(untrack(|| chosen.key())), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, roles.key_removed));
            changed.run(());
        });
    };
    view! {
        <Dialog id="remove-key" open title>
            {fields::summary(ask.error, |_field| None)}
            {move || match (effect.get(), ask.error.with(Option::is_some)) {
                (Some(effect), _) => goes(effect),
                (None, true) => ().into_any(),
                (None, false) => states::bones(3),
            }}
            {fields::summary(call.error, |_field| None)}
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
                <button
                    class="btn primary danger"
                    type="button"
                    disabled=move || call.waits() || effect.with(Option::is_none)
                    on:click=remove
                >
                    {td_string!(locale, roles.remove_key)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

fn goes(effect: RemovalEffect) -> AnyView {
    let locale = locale();
    let losing = td_string!(locale, roles.people_losing, count = effect.effect.people_losing).to_string();
    let overrides = td_string!(locale, roles.overrides_gone, count = effect.overrides).to_string();
    let roles = effect.roles.iter().map(|role| pieces::badge(Tone::Neutral, Some(Icon::Role), role.name.clone()));
    let roles = roles.collect_view();
    let refused = refused(effect.effect.refused.as_ref());
    view! {
        <p>{losing}</p>
        <p>{overrides}</p>
        <p class="badges">{roles}</p>
        {refused}
        {lines(effect.effect)}
    }
    .into_any()
}
