//! The form of a role: name, description, and what it gives, with a review before anything is saved.

use std::{collections::BTreeSet, sync::Arc};

use leptos::{ev::SubmitEvent, prelude::*};

use super::{
    catalogue::{self, Entry, Search},
    label,
};
use crate::{
    base::language::td_string,
    roles::Catalogue,
    ui::{
        browser::Typed,
        calls::Call,
        dialog::Dialog,
        fields::{self, Field, TextArea, field_error},
        icons::{Icon, icon},
        is_arabic, locale,
        pieces::{self, Tone},
    },
};

/// What the form holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleForm {
    pub name: String,
    pub description: String,
    pub permissions: BTreeSet<String>,
}

/// The form. `saved` is what it starts from; `save` is called after the review with what it holds then.
#[component]
pub fn RoleEditor(
    saved: RoleForm,
    catalogue: Catalogue,
    /// Built-in roles keep their name.
    name_fixed: bool,
    /// The word on the button that saves.
    word: &'static str,
    call: Call,
    save: Callback<RoleForm>,
) -> impl IntoView {
    let locale = locale();
    let open = RwSignal::new(false);
    let reviewed = RwSignal::new(RoleForm::default());
    let start = StoredValue::new(saved.clone());
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        reviewed.set(RoleForm {
            name: if name_fixed { start.with_value(|start| start.name.clone()) } else { typed.text("name") },
            description: typed.text("description"),
            permissions: typed.all("permission").into_iter().collect(),
        });
        call.error.set(None);
        open.set(true);
    };
    let names = StoredValue::new(catalogue.clone());
    view! {
        <form class="stack" on:submit=submit>
            <div class="card padded">
                <div class="form-grid">
                    <Field
                        name="name"
                        label=td_string!(locale, roles.name)
                        value=saved.name
                        required=true
                        longest="80"
                        readonly=name_fixed
                        hint=if name_fixed { td_string!(locale, roles.name_fixed) } else { td_string!(locale, roles.name_hint) }
                        error=field_error(call.error, "name")
                    />
                    <TextArea
                        name="description"
                        label=td_string!(locale, roles.description)
                        value=saved.description
                        error=field_error(call.error, "description")
                    />
                </div>
            </div>
            {checklist(catalogue, saved.permissions, false)}
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, roles.review)}
                </button>
                <a class="btn ghost" href="/console/roles">{td_string!(locale, ui.cancel)}</a>
            </div>
        </form>
        <Dialog id="review" open title=td_string!(locale, roles.review_title)>
            {move || changes(start.get_value(), reviewed.get(), names)}
            {fields::summary(call.error, label)}
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, roles.back)}
                </button>
                <button
                    class="btn primary"
                    type="button"
                    disabled=move || call.waits() || start.with_value(|start| *start == reviewed.get())
                    on:click=move |_| save.run(reviewed.get_untracked())
                >
                    {word}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// The permissions with a box each. Boxes that a search hides keep their state.
pub fn checklist(catalogue: Catalogue, chosen: BTreeSet<String>, fixed: bool) -> AnyView {
    let locale = locale();
    let search = Search::new();
    let groups = StoredValue::new(catalogue::groups(catalogue::rows(&catalogue, false)));
    let is_empty = Signal::derive(move || {
        groups.with_value(|groups| !groups.iter().any(|(_, entries)| search.finds_any(entries)))
    });
    let groups = groups
        .get_value()
        .into_iter()
        .map(|(resource, entries)| {
            let boxes = entries
                .iter()
                .map(|entry| {
                    let checked = chosen.contains(&entry.info.key);
                    permission_box(Arc::clone(entry), checked, fixed, search)
                })
                .collect_view();
            view! {
                <div class="group" hidden=move || !search.finds_any(&entries)>
                    <h3>{catalogue::group_title(&resource)}</h3>
                    {boxes}
                </div>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="permissions-title">
            <div class="card-head">
                <h2 class="grow" id="permissions-title">{td_string!(locale, roles.permissions)}</h2>
                {catalogue::search_field(search, "catalogue-search", td_string!(locale, roles.search))}
            </div>
            {groups}
            {catalogue::nothing_found(is_empty)}
        </section>
    }
    .into_any()
}

fn permission_box(entry: Arc<Entry>, checked: bool, fixed: bool, search: Search) -> AnyView {
    let key = entry.info.key.clone();
    let id = format!("permission-{key}");
    let name = entry.name();
    view! {
        <div class="check" hidden=move || !search.finds_entry(&entry)>
            <input
                type="checkbox"
                id=id.clone()
                name="permission"
                value=key.clone()
                checked=checked
                disabled=fixed
            />
            <label class="about" for=id>
                <span>{name}</span>
                <span class="small muted">{pieces::key(key)}</span>
            </label>
        </div>
    }
    .into_any()
}

/// What saving would change, line by line.
fn changes(from: RoleForm, to: RoleForm, names: StoredValue<Catalogue>) -> AnyView {
    let locale = locale();
    if from == to {
        return view! { <p class="muted">{td_string!(locale, roles.no_changes)}</p> }.into_any();
    }
    let name_of = move |key: &str| {
        let arabic = is_arabic();
        let name = |all: &Catalogue| all.iter().find(|item| item.key == key).map(|item| item.name(arabic).to_owned());
        names.with_value(name).unwrap_or_default()
    };
    let line = |tone: Tone, sign: Icon, word: &'static str, key: &String| {
        view! { <li>{pieces::badge(tone, Some(sign), word)} <span>{name_of(key)}</span> {pieces::key(key)}</li> }
    };
    let added = to.permissions.difference(&from.permissions);
    let added = added.map(|key| line(Tone::Good, Icon::Add, td_string!(locale, roles.added), key)).collect_view();
    let removed = from.permissions.difference(&to.permissions);
    let removed =
        removed.map(|key| line(Tone::Bad, Icon::Denied, td_string!(locale, roles.removed), key)).collect_view();
    let text = |word: &'static str, before: String, after: String| {
        (before != after).then(|| {
            view! { <li>{icon(Icon::Edit)} <span class="strong">{word}</span> {pieces::typed_or_dash(Some(after))}</li> }
        })
    };
    view! {
        <ul class="changes" role="list">
            {text(td_string!(locale, roles.name), from.name.clone(), to.name.clone())}
            {text(td_string!(locale, roles.description), from.description.clone(), to.description.clone())}
            {added}
            {removed}
        </ul>
    }
    .into_any()
}
