//! The bar that counts staged changes, and the dialog that shows what they do and saves them.

use leptos::{ev, prelude::*, task::spawn_local};

use super::{
    bounds, drafts,
    effect::{self, Foresight},
    staged::{Changes, Names, RoleChanges, Staged, StagedRole},
    whose::{Edit, Whose},
};
use crate::{
    approvals::pages::ask::{AskApproval, Asking},
    base::{
        ids::RoleId,
        language::{self, td_string},
    },
    roles::{
        ApprovalRequest, RoleEdit,
        calls::{edit_role, get_role, request_approval},
    },
    ui::{
        address::filled,
        browser,
        calls::Call,
        dialog::Dialog,
        fields::{self, field_error},
        icons::{Icon, icon},
        is_arabic, locale,
        pieces::{self, Tone},
        states,
        toasts::toasts,
        tri_state::Tri,
    },
};

/// Bar and dialog. They stand on the page for as long as it does, and show themselves while there are changes.
#[component]
fn Review(
    /// The dialog's own on the page: the studio has one for people and one for roles.
    id: &'static str,
    count: Memo<usize>,
    title: Signal<String>,
    call: Call,
    foresight: Foresight,
    /// Whether those whom it reaches are counted.
    counted: Signal<bool>,
    open: RwSignal<bool>,
    /// Why, for the log.
    reason: RwSignal<String>,
    /// Every staged change with the way to take it back.
    lines: Callback<(), AnyView>,
    /// What somebody else has changed meanwhile.
    meanwhile: Callback<(), Option<AnyView>>,
    discard: Callback<()>,
    /// Reads again what is saved and keeps the changes.
    renew: Callback<()>,
    save: Callback<()>,
    /// Asks others to agree to the change.
    ask: Callback<Asking>,
) -> impl IntoView {
    let locale = locale();
    let dirty = Signal::derive(move || count.get() > 0);
    browser::guard_leaving(dirty, td_string!(locale, ui.leave_unsaved));
    // Somebody may have worked on the same thing while this page was not looked at.
    Effect::new(move |_| {
        let handle = window_event_listener(ev::focus, move |_| {
            if dirty.get_untracked() {
                renew.run(());
            }
        });
        on_cleanup(move || handle.remove());
    });
    // Undoing happens without the dialog: what goes wrong then is told beside it.
    let toasts = toasts();
    Effect::new(move |_| {
        if let Some(error) = call.error.get().filter(|_| !open.get_untracked()) {
            toasts.warn(language::error(locale, &error));
        }
    });
    let asked = Callback::new(move |()| {
        open.set(false);
        discard.run(());
        // Of many people some may have been changed at once.
        renew.run(());
    });
    let said = move || {
        foresight.effect.with(|effect| effect.as_ref().filter(|_| dirty.get()).map(effect::summary)).unwrap_or_default()
    };
    view! {
        <section class="bar" aria-label=td_string!(locale, roles.unsaved_region) hidden=move || count.get() == 0>
            <span class="grow" role="status">
                <span class="strong">{move || td_string!(locale, roles.unsaved, count = count.get()).to_string()}</span>
                " "
                <span class="small wide-only">{said}</span>
            </span>
            <button class="btn ghost sm" type="button" on:click=move |_| discard.run(())>
                {td_string!(locale, roles.discard)}
            </button>
            <button
                class="btn primary sm"
                type="button"
                on:click=move |_| {
                    call.error.set(None);
                    open.set(true);
                }
            >
                {td_string!(locale, roles.review)}
            </button>
        </section>
        <Dialog id open title>
            {move || meanwhile.run(())}
            {move || lines.run(())}
            <details class="foreseen" open=true>
                <summary>
                    <span class="strong">{td_string!(locale, roles.effect)}</span>
                    " "
                    <span class="small muted">{said}</span>
                </summary>
                <div class="effect" aria-busy=move || foresight.waits.get().then_some("true")>
                    {effect::told(foresight, counted)}
                </div>
            </details>
            {reason_field(reason, call)}
            {fields::summary(call.error, label)}
            <AskApproval refused=call ask stated=reason done=asked />
            <div class="row-of end">
                {move || {
                    fields::is_stale(call.error)
                        .then(|| {
                            let again = move |_| {
                                call.error.set(None);
                                renew.run(());
                            };
                            view! {
                                <button class="btn" type="button" on:click=again>
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
                    disabled=move || call.waits() || count.get() == 0 || foresight.is_refused()
                    on:click=move |_| save.run(())
                >
                    {td_string!(locale, roles.save)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// Why the change is made. It stays as it was typed until the change is saved.
pub(super) fn reason_field(reason: RwSignal<String>, call: Call) -> AnyView {
    let locale = locale();
    let error = field_error(call.error, "reason");
    view! {
        <div class="field whole">
            <label for=fields::id("reason")>{td_string!(locale, roles.review_reason)}</label>
            <input
                class="input"
                id=fields::id("reason")
                dir="auto"
                maxlength="500"
                prop:value=move || reason.get()
                on:input:target=move |event| reason.set(event.target().value())
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=fields::described("reason", true, error)
            />
            {fields::below("reason", Some(td_string!(locale, roles.review_reason_hint).into()), error)}
        </div>
    }
    .into_any()
}

/// What was typed as the reason, if anything was.
pub(super) fn stated(reason: RwSignal<String>) -> Option<String> {
    filled(Some(reason.get_untracked()))
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "reason" => Some(td_string!(locale, roles.review_reason)),
        "name" => Some(td_string!(locale, roles.name)),
        "description" => Some(td_string!(locale, roles.description)),
        "roles" => Some(td_string!(locale, roles.roles)),
        "permissions" => Some(td_string!(locale, roles.permissions)),
        "parents" => Some(td_string!(locale, roles.inherits)),
        "allow" => Some(td_string!(locale, ui.allowed)),
        "deny" => Some(td_string!(locale, ui.denied)),
        field if field.ends_with("expires_at") => Some(td_string!(locale, roles.until_label)),
        _ => None,
    }
}

/// The review of the rights of a person, a group or many people. `changed` is told after saving and after undoing.
#[component]
pub fn ReviewBar(staged: Staged, changed: Callback<()>) -> impl IntoView {
    let foresight = Foresight::of_person(staged);
    view! { <PersonReview staged foresight changed /> }
}

/// The same where the effect is also shown elsewhere on the page.
#[component]
pub fn PersonReview(staged: Staged, foresight: Foresight, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let (open, reason) = (RwSignal::new(false), RwSignal::new(String::new()));
    let (call, toasts) = (Call::new(), toasts());
    let count = Memo::new(move |_| staged.changes.with(Changes::count));
    let title = Signal::derive(move || {
        staged
            .names
            .with(|names| td_string!(locale, roles.review_rights, name = language::isolate(&names.person)).to_string())
    });
    drafts::keep_rights(staged);
    let whose = move || staged.saved.with_untracked(|saved| saved.whose.clone());
    let renew = Callback::new(move |()| {
        spawn_local(async move {
            // Not being able to look is told when saving; until then nothing is lost.
            if let Ok(standing) = whose().look().await {
                staged.renew(standing);
            }
        });
    });
    let undo = Callback::new(move |edit: Edit| {
        call.run(edit.save(None), move |standing| {
            staged.renew(standing);
            toasts.say(td_string!(locale, roles.undone));
            changed.run(());
        });
    });
    let save = Callback::new(move |()| match untrack(|| staged.edit()) {
        Some(Ok(edit)) => {
            let before = staged.standing();
            call.run(edit.save(stated(reason)), move |now| {
                let done = match &now.saved.whose {
                    Whose::Person(_) | Whose::Nobody => td_string!(locale, roles.rights_saved),
                    Whose::Group(_) => td_string!(locale, groups.saved),
                    Whose::Many(_) => td_string!(locale, roles.many_saved),
                };
                let back = Edit::back(&before, &now);
                open.set(false);
                reason.set(String::new());
                staged.saved_as(now);
                let undo = Callback::new(move |()| {
                    if let Some(back) = back.clone() {
                        undo.run(back);
                    }
                });
                toasts.offer(done, td_string!(locale, roles.undo), undo);
                changed.run(());
            });
        }
        Some(Err(error)) => call.error.set(Some(error)),
        None => {}
    });
    let lines = Callback::new(move |()| staged.names.with(|names| person_lines(names, staged)));
    let meanwhile = Callback::new(move |()| {
        let moved = staged.meanwhile.get();
        staged.names.with(|names| by_others(moved_lines(names, &moved)))
    });
    let discard = Callback::new(move |()| {
        staged.discard();
        reason.set(String::new());
    });
    let ask = Callback::new(move |asking: Asking| {
        // Whatever is wrong with what is staged was told when it was saved.
        if let Some(Ok(edit)) = untrack(|| staged.edit()) {
            edit.ask(asking);
        }
    });
    let counted = Signal::derive(move || staged.saved.with(|saved| saved.whose.is_counted()));
    view! {
        <Review
            id="review-rights"
            count
            title
            call
            foresight
            counted
            open
            reason
            lines
            meanwhile
            discard
            renew
            save
            ask
        />
    }
}

/// What others have changed, where they have.
fn by_others(lines: Vec<AnyView>) -> Option<AnyView> {
    let locale = locale();
    (!lines.is_empty()).then(|| {
        states::notice(
            states::Mood::Waiting,
            view! {
                <p class="strong">{td_string!(locale, roles.meanwhile)}</p>
                <ul>{lines}</ul>
            },
        )
    })
}

fn role_name(names: &Names, id: RoleId) -> String {
    names.roles.iter().find(|role| role.id == id).map(|role| role.name.clone()).unwrap_or_default()
}

fn moved_lines(names: &Names, moved: &Changes) -> Vec<AnyView> {
    let locale = locale();
    let roles = moved.roles.iter().map(|(id, stand)| {
        let word =
            if stand.has { td_string!(locale, roles.role_added) } else { td_string!(locale, roles.role_removed) };
        view! { <li>{word} " " <bdi>{role_name(names, *id)}</bdi></li> }.into_any()
    });
    let stands = moved
        .stands
        .iter()
        .map(|(key, stand)| view! { <li>{stand.tri.word()} " " {pieces::key(key.clone())}</li> }.into_any());
    roles.chain(stands).collect()
}

/// Every staged change of a person with the way to take it back.
fn person_lines(names: &Names, staged: Staged) -> AnyView {
    let locale = locale();
    let changes = staged.changes.get();
    if changes.count() == 0 {
        return view! { <p class="muted">{td_string!(locale, roles.no_changes)}</p> }.into_any();
    }
    let roles = changes
        .roles
        .into_iter()
        .map(|(id, stand)| {
            let name = role_name(names, id);
            let before = staged.saved.with_untracked(|saved| saved.role(id));
            let what = match (before.has, stand.has) {
                (_, false) => pieces::badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, roles.role_removed)),
                (false, true) => pieces::badge(Tone::Good, Some(Icon::Add), td_string!(locale, roles.role_added)),
                (true, true) => pieces::badge(Tone::Waiting, Some(Icon::Clock), td_string!(locale, roles.role_bounded)),
            };
            let until = bounds::words(&stand.until, "");
            view! {
                <li>
                    {what}
                    <span class="grow">
                        <bdi>{name.clone()}</bdi>
                        " "
                        <span class="small muted">{pieces::sentence(&until)}</span>
                    </span>
                    {undo(name, move || staged.set_role(id, before.clone()))}
                </li>
            }
        })
        .collect_view();
    let stands = changes
        .stands
        .into_iter()
        .map(|(key, stand)| {
            let info = names.catalogue.iter().find(|item| item.key == key);
            let name = info.map(|item| item.name(is_arabic()).to_owned()).unwrap_or_default();
            let back = key.clone();
            let take_back = move || {
                let before = staged.saved.with_untracked(|saved| saved.stand(&back));
                staged.set_stand(&back, before);
            };
            let bounds = bounds::words(&stand.until, &stand.reason);
            view! {
                <li>
                    {tri_badge(stand.tri)}
                    <span class="grow">
                        {name.clone()}
                        " "
                        <span class="muted">{pieces::key(key)}</span>
                        " "
                        <span class="small muted">{pieces::sentence(&bounds)}</span>
                    </span>
                    {undo(name, take_back)}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="changes" role="list">{roles} {stands}</ul> }.into_any()
}

fn tri_badge(tri: Tri) -> AnyView {
    let tone = match tri {
        Tri::Inherited => Tone::Neutral,
        Tri::Allowed => Tone::Good,
        Tri::Denied => Tone::Bad,
    };
    pieces::badge(tone, Some(tri.icon()), tri.word())
}

fn undo(name: String, act: impl Fn() + 'static) -> AnyView {
    let locale = locale();
    view! {
        <button class="btn ghost sm" type="button" on:click=move |_| act()>
            {icon(Icon::Undo)}
            {td_string!(locale, roles.undo)}
            <span class="away">" " {name}</span>
        </button>
    }
    .into_any()
}

/// The review of what a role gives.
#[component]
pub fn RoleReview(staged: StagedRole, foresight: Foresight, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let (open, reason) = (RwSignal::new(false), RwSignal::new(String::new()));
    let (call, toasts) = (Call::new(), toasts());
    let count = Memo::new(move |_| staged.changes.with(RoleChanges::len));
    let title = Signal::derive(move || {
        let name = staged.saved.with(|role| role.as_ref().map(|role| role.name.clone()).unwrap_or_default());
        td_string!(locale, roles.review_role, name = language::isolate(&name)).to_string()
    });
    drafts::keep_role(staged);
    let renew = Callback::new(move |()| {
        let Some(id) = staged.saved.with_untracked(|role| role.as_ref().map(|role| role.id)) else { return };
        spawn_local(async move {
            // Not being able to look is told when saving; until then nothing is lost.
            if let Ok(role) = get_role(id).await {
                staged.renew(role);
            }
        });
    });
    let undo = Callback::new(move |(id, permissions, version): (RoleId, Vec<String>, i64)| {
        let edit = RoleEdit { permissions: Some(permissions), version: Some(version), ..RoleEdit::default() };
        call.run(edit_role(id, edit), move |role| {
            staged.renew(role);
            toasts.say(td_string!(locale, roles.undone));
            changed.run(());
        });
    });
    let save = Callback::new(move |()| {
        let Some(before) = staged.saved.get_untracked() else { return };
        let permissions = Some(untrack(|| staged.all()));
        let (reason_given, version) = (stated(reason), Some(before.version));
        let edit = RoleEdit { permissions, reason: reason_given, version, ..RoleEdit::default() };
        call.run(edit_role(before.id, edit), move |role| {
            let version = role.version;
            open.set(false);
            reason.set(String::new());
            staged.saved_as(role);
            let undo = Callback::new(move |()| undo.run((before.id, before.permissions.clone(), version)));
            toasts.offer(td_string!(locale, roles.saved), td_string!(locale, roles.undo), undo);
            changed.run(());
        });
    });
    let lines = Callback::new(move |()| role_lines(staged));
    let meanwhile = Callback::new(move |()| {
        let moved = staged.meanwhile.get();
        let lines = moved.into_iter().map(|(key, come)| {
            let word = if come { td_string!(locale, roles.added) } else { td_string!(locale, roles.removed) };
            view! { <li>{word} " " {pieces::key(key)}</li> }.into_any()
        });
        by_others(lines.collect())
    });
    let discard = Callback::new(move |()| {
        staged.discard();
        reason.set(String::new());
    });
    let ask = Callback::new(move |asking: Asking| {
        let seen = staged.saved.with_untracked(|role| role.as_ref().map(|role| (role.id, role.version)));
        let Some((id, version)) = seen else { return };
        let (permissions, reason) = (Some(untrack(|| staged.all())), asking.reason.clone());
        // What others changed since would be asked to be undone.
        let role = Some(RoleEdit { permissions, version: Some(version), ..RoleEdit::default() });
        let request = ApprovalRequest { role_id: Some(id), role, reason, ..ApprovalRequest::default() };
        asking.run(request_approval(request));
    });
    view! {
        <Review
            id="review-role"
            count
            title
            call
            foresight
            counted=Signal::stored(true)
            open
            reason
            lines
            meanwhile
            discard
            renew
            save
            ask
        />
    }
}

/// Every staged change of a role with the way to take it back.
fn role_lines(staged: StagedRole) -> AnyView {
    let locale = locale();
    let changes = staged.changes.get();
    if changes.is_empty() {
        return view! { <p class="muted">{td_string!(locale, roles.no_changes)}</p> }.into_any();
    }
    let lines = changes
        .into_iter()
        .map(|(key, come)| {
            let name = staged.catalogue.with_untracked(|catalogue| {
                let info = catalogue.iter().find(|item| item.key == key);
                info.map(|item| item.name(is_arabic()).to_owned()).unwrap_or_default()
            });
            let what = if come {
                pieces::badge(Tone::Good, Some(Icon::Add), td_string!(locale, roles.added))
            } else {
                pieces::badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, roles.removed))
            };
            let back = key.clone();
            view! {
                <li>
                    {what} <span class="grow">{name.clone()} " " <span class="muted">{pieces::key(key)}</span></span>
                    {undo(name, move || staged.set(&back, !come))}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="changes" role="list">{lines}</ul> }.into_any()
}
