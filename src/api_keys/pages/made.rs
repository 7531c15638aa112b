//! A key that was made or rotated just now: its secret, once.

use leptos::prelude::*;

use crate::{
    api_keys::MadeApiKey,
    base::language::td_string,
    ui::{copy::CopyButton, locale, pieces, states},
};

/// The secret with a button that copies it, until it is put away.
#[component]
pub fn Made(made: RwSignal<Option<MadeApiKey>>) -> impl IntoView {
    let locale = locale();
    view! {
        {move || {
            made.get().map(|answer| {
                let notice = states::notice(
                    states::Mood::Waiting,
                    view! {
                        <p class="strong">{td_string!(locale, api_keys.once)}</p>
                        <p>{td_string!(locale, api_keys.once_about)}</p>
                    },
                );
                view! {
                    <section class="card padded stack" role="status">
                        <h2>{pieces::typed(answer.key.name)}</h2>
                        {notice}
                        <bdi class="mono code-box" dir="ltr" data-testid="api-key">{answer.secret.clone()}</bdi>
                        <div class="row-of">
                            <CopyButton text=answer.secret word=td_string!(locale, api_keys.copy) primary=true />
                            <button class="btn ghost" type="button" on:click=move |_| made.set(None)>
                                {td_string!(locale, api_keys.put_away)}
                            </button>
                        </div>
                    </section>
                }
            })
        }}
    }
    .into_any()
}
