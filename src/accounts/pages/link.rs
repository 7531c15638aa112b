//! A one-time link on the screen: shown once, to be handed over by whoever asked for it.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    accounts::AddedPerson,
    base::language::{self, td_string},
    ui::{
        browser,
        icons::{Icon, icon},
        is_live, locale, pieces, states,
    },
};

/// The link of a person with a button that copies it; nothing where there is no link.
#[component]
pub fn OneTimeLink(added: AddedPerson) -> impl IntoView {
    let locale = locale();
    let live = is_live();
    let copied = RwSignal::new(None::<bool>);
    if let Some(email) = added.mailed_to {
        let about = td_string!(locale, accounts.link_mailed_about, email = language::isolate(&email)).to_string();
        return states::notice(
            states::Mood::Good,
            view! {
                <p class="strong">{td_string!(locale, accounts.link_mailed)}</p>
                <p>{pieces::sentence(&about)}</p>
            },
        );
    }
    let Some(link) = added.link else { return ().into_any() };
    let text = link.clone();
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move { copied.set(Some(browser::copy(text).await)) });
    };
    let answer = move || match copied.get() {
        Some(true) => td_string!(locale, accounts.link_copied),
        Some(false) => td_string!(locale, accounts.link_not_copied),
        None => "",
    };
    view! {
        {states::notice(
            states::Mood::Waiting,
            view! {
                <p class="strong">{td_string!(locale, accounts.link_once)}</p>
                <p>{td_string!(locale, accounts.link_once_about)}</p>
            },
        )}
        <bdi class="mono code-box" dir="ltr" data-testid="one-time-link">{link}</bdi>
        {added
            .link_expires_at
            .map(|moment| {
                view! {
                    <p class="small muted">{td_string!(locale, accounts.link_until)} " " {pieces::exact_moment(moment)}</p>
                }
            })}
        <div class="row-of">
            <button class="btn primary" type="button" disabled=move || !live.get() on:click=copy>
                {icon(Icon::Copy)}
                {td_string!(locale, accounts.link_copy)}
            </button>
            <span class="small muted" role="status">{answer}</span>
        </div>
    }
    .into_any()
}
