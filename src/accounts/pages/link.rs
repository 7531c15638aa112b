//! A one-time link on the screen: shown once, to be handed over by whoever asked for it.

use leptos::prelude::*;

use crate::{
    accounts::AddedPerson,
    base::language::{self, td_string},
    ui::{copy::CopyButton, locale, pieces, states},
};

/// The link of a person with a button that copies it; nothing where there is no link.
#[component]
pub fn OneTimeLink(added: AddedPerson) -> impl IntoView {
    let locale = locale();
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
    view! {
        {states::notice(
            states::Mood::Waiting,
            view! {
                <p class="strong">{td_string!(locale, accounts.link_once)}</p>
                <p>{td_string!(locale, accounts.link_once_about)}</p>
            },
        )}
        <bdi class="mono code-box" dir="ltr" data-testid="one-time-link">{link.clone()}</bdi>
        {added
            .link_expires_at
            .map(|moment| {
                view! {
                    <p class="small muted">{td_string!(locale, accounts.link_until)} " " {pieces::exact_moment(moment)}</p>
                }
            })}
        <CopyButton text=link word=td_string!(locale, accounts.link_copy) primary=true />
    }
    .into_any()
}
