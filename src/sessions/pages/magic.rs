//! Signing in by a link in the mailbox: asking for it, and the page whose button spends it.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use super::{Sheet, ask_mailbox, form_error, outcome, sent_notice, token_field, unusable_link};
use crate::{
    base::language,
    sessions::{LinkInfo, look_at_link},
    ui::{address, gate::Gate, locale, pieces, states},
};

#[component]
pub fn MagicLinkPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let token = address::query_field("token");
    let sent = address::query_field("sent");
    let link = Resource::new_blocking(
        move || token.get(),
        |token| async move {
            match token {
                Some(token) => look_at_link("magic".to_owned(), token).await.map(Some),
                None => Ok(None),
            }
        },
    );
    let open = move |whom: LinkInfo| {
        let name = language::isolate(&whom.name.unwrap_or_default());
        let title = td_string!(locale, sessions.magic_open_title, name = name).to_string();
        view! {
            <h1>{pieces::sentence(&title)}</h1>
            <p class="muted">
                {td_string!(locale, sessions.magic_open_about)} " " {pieces::typed(whom.email.unwrap_or_default())}
            </p>
            <Sheet error>
                {token_field(token)}
                <button class="btn primary" type="submit">{td_string!(locale, sessions.magic_open_submit)}</button>
            </Sheet>
        }
        .into_any()
    };
    view! {
        <Title text=td_string!(locale, sessions.magic_page) />
        <Gate>
            <Suspense fallback=move || states::loading(3)>
                {move || {
                    let outcome = outcome.clone();
                    let was_sent = sent.get().is_some();
                    Suspend::new(async move {
                        match link.await {
                            Ok(Some(whom)) => open(whom),
                            Ok(None) if was_sent => {
                                sent_notice(
                                    td_string!(locale, sessions.magic_page),
                                    td_string!(locale, sessions.forgot_sent),
                                    td_string!(locale, sessions.magic_sent_about),
                                )
                            }
                            Ok(None) => {
                                ask_mailbox(
                                    &outcome,
                                    td_string!(locale, sessions.magic_title),
                                    td_string!(locale, sessions.magic_about),
                                    td_string!(locale, sessions.forgot_submit),
                                )
                            }
                            Err(error) => {
                                view! {
                                    {unusable_link(
                                        &error,
                                        td_string!(locale, sessions.spent_title),
                                        td_string!(locale, sessions.reset_spent_about),
                                    )}
                                    <p class="row-of">
                                        <a class="btn primary" href="/magic-link" rel="external">
                                            {td_string!(locale, sessions.again)}
                                        </a>
                                    </p>
                                }
                                .into_any()
                            }
                        }
                    })
                }}
            </Suspense>
            <p class="row-of">
                <a href="/login" rel="external">{td_string!(locale, sessions.back_to_login)}</a>
            </p>
        </Gate>
    }
    .into_any()
}
