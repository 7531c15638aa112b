//! The bar that counts staged changes of a person's rights, and the dialog that shows and saves them.

use leptos::prelude::*;

use super::staged::{Changes, Names, Staged, Stand};
use crate::{
    base::{
        errors::{AppError, Conflict},
        language::{self, td_string},
        time::Timestamp,
    },
    roles::calls::edit_rights,
    ui::{
        browser,
        calls::Call,
        dialog::Dialog,
        fields,
        icons::{Icon, icon},
        is_arabic, locale,
        pieces::{self, Tone},
        toasts::toasts,
        tri_state::Tri,
    },
};

/// Stands on the page for as long as the page does, and shows itself while there are changes. `renew` reads again what
/// is saved.
#[component]
pub fn ReviewBar(staged: Staged, renew: Callback<()>) -> impl IntoView {
    let locale = locale();
    let open = RwSignal::new(false);
    let (call, toasts) = (Call::new(), toasts());
    let count = Memo::new(move |_| staged.changes.with(Changes::count));
    let dirty = Signal::derive(move || count.get() > 0);
    browser::guard_leaving(dirty, td_string!(locale, ui.leave_unsaved));
    let title = Signal::derive(move || {
        staged
            .names
            .with(|names| td_string!(locale, roles.review_rights, name = language::isolate(&names.person)).to_string())
    });
    let save = move |_| {
        let Some(id) = staged.saved.with_untracked(|saved| saved.person) else { return };
        let edit = staged.saved.with_untracked(|saved| staged.changes.with_untracked(|changes| changes.edit(saved)));
        match edit {
            Ok(edit) => call.run(edit_rights(id, edit), move |_rights| {
                open.set(false);
                staged.discard();
                toasts.say(td_string!(locale, roles.rights_saved));
                renew.run(());
            }),
            Err(error) => call.error.set(Some(error)),
        }
    };
    view! {
        <section class="bar" aria-label=td_string!(locale, roles.unsaved_region) hidden=move || count.get() == 0>
            <span class="strong grow" role="status">
                {move || td_string!(locale, roles.unsaved, count = count.get()).to_string()}
            </span>
            <button class="btn ghost sm" type="button" on:click=move |_| staged.discard()>
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
        <Dialog id="review-rights" open title>
            {move || staged.names.with(|names| lines(names, staged))}
            {fields::summary(call.error, label)}
            <div class="row-of end">
                {move || {
                    (call.error.get() == Some(AppError::Conflict(Conflict::Stale)))
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
                    disabled=move || call.waits() || count.get() == 0
                    on:click=save
                >
                    {td_string!(locale, roles.save)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    (field == "expires_at").then(|| td_string!(locale, roles.until_label))
}

/// Every staged change with the way to take it back.
fn lines(names: &Names, staged: Staged) -> AnyView {
    let locale = locale();
    let changes = staged.changes.get();
    if changes.count() == 0 {
        return view! { <p class="muted">{td_string!(locale, roles.no_changes)}</p> }.into_any();
    }
    let roles = changes
        .roles
        .into_iter()
        .map(|(id, wanted)| {
            let name = names.roles.iter().find(|role| role.id == id).map(|role| role.name.clone()).unwrap_or_default();
            let what = if wanted {
                pieces::badge(Tone::Good, Some(Icon::Add), td_string!(locale, roles.role_added))
            } else {
                pieces::badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, roles.role_removed))
            };
            view! {
                <li>
                    {what}
                    <bdi class="grow">{name.clone()}</bdi>
                    {undo(name, move || staged.set_role(id, !wanted))}
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
            view! {
                <li>
                    {tri_badge(stand.tri)}
                    <span class="grow">{name.clone()} " " <span class="muted">{pieces::key(key)}</span> {bounds(&stand)}</span>
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

fn bounds(stand: &Stand) -> AnyView {
    let locale = locale();
    let until = Timestamp::parse(stand.until.trim())
        .map(|moment| td_string!(locale, roles.until, moment = language::date_time(locale, moment)).to_string());
    let reason = Some(stand.reason.trim()).filter(|reason| !reason.is_empty());
    let reason = reason.map(|why| td_string!(locale, roles.stated_reason, reason = language::isolate(why)).to_string());
    let words = [until, reason].into_iter().flatten().collect::<Vec<_>>();
    let words = words.join(td_string!(locale, base.list_separator));
    view! { <span class="small muted">" " {pieces::sentence(&words)}</span> }.into_any()
}

fn undo(name: String, act: impl Fn() + 'static) -> AnyView {
    let locale = locale();
    view! {
        <button class="btn ghost sm" type="button" on:click=move |_| act()>
            {icon(Icon::Denied)}
            {td_string!(locale, roles.undo)}
            <span class="away">" " {name}</span>
        </button>
    }
    .into_any()
}
