//! The form of a role: name, description, and what it gives, with a review before anything is saved.

use std::collections::{BTreeMap, BTreeSet};

use leptos::{ev::SubmitEvent, prelude::*};

use super::{checklist::checklist, heritage::heritage, label, review::reason_field};
use crate::{
    approvals::pages::ask::{AskApproval, Asking},
    base::{ids::RoleId, language::td_string},
    roles::{Catalogue, Role},
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
    /// The roles it inherits from.
    pub parents: BTreeSet<RoleId>,
}

impl RoleForm {
    pub fn of(role: &Role) -> Self {
        RoleForm {
            name: role.name.clone(),
            description: role.description.clone(),
            permissions: role.permissions.iter().cloned().collect(),
            parents: role.parents.iter().map(|parent| parent.id).collect(),
        }
    }

    /// What was typed over what is saved now: what differs from `before` stays, the rest is taken over.
    pub fn over(self, before: &RoleForm, now: &RoleForm) -> Self {
        let text = |typed: String, before: &str, now: &str| if typed == before { now.to_owned() } else { typed };
        RoleForm {
            name: text(self.name, &before.name, &now.name),
            description: text(self.description, &before.description, &now.description),
            permissions: merged(&self.permissions, &before.permissions, &now.permissions),
            parents: merged(&self.parents, &before.parents, &now.parents),
        }
    }

    /// What a copy begins with; it needs a name of its own.
    pub fn copy_of(role: &Role) -> Self {
        RoleForm { name: td_string!(locale(), roles.copy_of, name = role.name.clone()).to_string(), ..Self::of(role) }
    }
}

/// What is there now, without what was taken out of `before` and with what was put in.
fn merged<T: Ord + Clone>(typed: &BTreeSet<T>, before: &BTreeSet<T>, now: &BTreeSet<T>) -> BTreeSet<T> {
    let kept = now.iter().filter(|one| typed.contains(one) || !before.contains(one));
    kept.chain(typed.difference(before)).cloned().collect()
}

/// Asks others to agree to what the form holds, and what is told when they were asked (C12).
pub type AskOthers = (Callback<(RoleForm, Asking)>, Callback<()>);

/// The form. `save` is called after the review with what it holds then.
#[component]
pub fn RoleEditor(
    /// What is saved.
    start: RoleForm,
    /// What the form begins with.
    typed: RoleForm,
    catalogue: Catalogue,
    /// The roles it may inherit from.
    roles: Vec<Role>,
    /// Built-in roles keep their name.
    name_fixed: bool,
    /// The word on the button that saves.
    word: &'static str,
    call: Call,
    /// Why it is changed, where it may be said.
    #[prop(optional)]
    reason: Option<RwSignal<String>>,
    /// Takes over what others have saved meanwhile, keeping what the form holds.
    #[prop(optional)]
    renew: Option<Callback<RoleForm>>,
    /// Where others may have to agree.
    #[prop(optional)]
    ask: Option<AskOthers>,
    save: Callback<RoleForm>,
) -> impl IntoView {
    let locale = locale();
    let open = RwSignal::new(false);
    let reviewed = RwSignal::new(RoleForm::default());
    let start = StoredValue::new(start);
    let ticked = RwSignal::new(typed.permissions);
    let submit = move |event: SubmitEvent| {
        let Some(sent) = Typed::take(&event) else { return };
        reviewed.set(RoleForm {
            name: if name_fixed { start.with_value(|start| start.name.clone()) } else { sent.text("name") },
            description: sent.text("description"),
            permissions: ticked.get_untracked(),
            parents: sent.all("parent").iter().filter_map(|id| id.parse().ok()).collect(),
        });
        call.error.set(None);
        open.set(true);
    };
    let ask = ask.map(|(ask, asked)| {
        let ask = Callback::new(move |asking: Asking| ask.run((reviewed.get_untracked(), asking)));
        let done = Callback::new(move |()| {
            open.set(false);
            asked.run(());
        });
        (ask, done)
    });
    let stated = Signal::derive(move || reason.map(|reason| reason.get()).unwrap_or_default());
    let names = StoredValue::new(catalogue.clone());
    let role_names =
        StoredValue::new(roles.iter().map(|role| (role.id, role.name.clone())).collect::<BTreeMap<_, _>>());
    view! {
        <form class="stack" on:submit=submit>
            <div class="card padded">
                <div class="form-grid">
                    <Field
                        name="name"
                        label=td_string!(locale, roles.name)
                        value=typed.name
                        required=true
                        longest="80"
                        readonly=name_fixed
                        hint=if name_fixed { td_string!(locale, roles.name_fixed) } else { td_string!(locale, roles.name_hint) }
                        error=field_error(call.error, "name")
                    />
                    <TextArea
                        name="description"
                        label=td_string!(locale, roles.description)
                        value=typed.description
                        error=field_error(call.error, "description")
                    />
                </div>
            </div>
            {heritage(roles, &typed.parents)}
            {checklist(catalogue, ticked, false)}
            <div class="row-of stays">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, roles.review)}
                </button>
                <a class="btn ghost" href="/console/roles">{td_string!(locale, ui.cancel)}</a>
            </div>
        </form>
        <Dialog id="review" open title=td_string!(locale, roles.review_title)>
            {move || changes(start.get_value(), reviewed.get(), names, role_names)}
            {reason.map(|reason| reason_field(reason, call))}
            {fields::summary(call.error, label)}
            {ask.map(|(ask, done)| view! { <AskApproval refused=call ask stated done /> })}
            <div class="row-of end">
                {move || {
                    renew
                        .filter(|_| fields::is_stale(call.error))
                        .map(|renew| {
                            view! {
                                <button class="btn" type="button" on:click=move |_| renew.run(reviewed.get_untracked())>
                                    {td_string!(locale, roles.renew)}
                                </button>
                            }
                        })
                }}
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

/// What saving would change, line by line.
fn changes(
    from: RoleForm,
    to: RoleForm,
    names: StoredValue<Catalogue>,
    roles: StoredValue<BTreeMap<RoleId, String>>,
) -> AnyView {
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
    let parent = |tone: Tone, sign: Icon, word: &'static str, id: &RoleId| {
        let name = roles.with_value(|roles| roles.get(id).cloned().unwrap_or_default());
        view! { <li>{pieces::badge(tone, Some(sign), word)} <span class="strong">{pieces::typed(name)}</span></li> }
    };
    let inherits = to.parents.difference(&from.parents);
    let inherits =
        inherits.map(|id| parent(Tone::Good, Icon::Add, td_string!(locale, roles.inherits_now), id)).collect_view();
    let no_more = from.parents.difference(&to.parents);
    let no_more = no_more
        .map(|id| parent(Tone::Bad, Icon::Denied, td_string!(locale, roles.inherits_no_more), id))
        .collect_view();
    view! {
        <ul class="changes" role="list">
            {inherits}
            {no_more}
            {text(td_string!(locale, roles.name), from.name.clone(), to.name.clone())}
            {text(td_string!(locale, roles.description), from.description.clone(), to.description.clone())}
            {added}
            {removed}
        </ul>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C1: whoever was overtaken keeps what they have typed, and what others have changed is not undone with it.
    #[test]
    fn what_was_typed_stays_over_what_others_have_saved() {
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
        let form = |name: &str, about: &str, keys: &[&str]| RoleForm {
            name: name.to_owned(),
            description: about.to_owned(),
            permissions: set(keys),
            parents: BTreeSet::new(),
        };
        let before = form("desk", "", &["a.a", "b.b", "c.c"]);
        let typed = form("desk", "typed", &["a.a", "c.c", "d.d"]);
        let now = form("front desk", "theirs", &["b.b", "c.c", "e.e"]);
        assert_eq!(typed.over(&before, &now), form("front desk", "typed", &["c.c", "d.d", "e.e"]));
    }
}
