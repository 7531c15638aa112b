//! The section about mail: how it leaves, a test letter, and the letters that could not be sent.

use leptos::prelude::*;

use crate::{
    base::language::{self, td_string},
    settings::{MailState, Undelivered, mail_state, retry_letter, send_test_letter},
    ui::{
        calls::Call,
        fields,
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
        states,
        toasts::toasts,
    },
};

#[component]
pub fn MailSection(may_edit: bool) -> impl IntoView {
    let locale = locale();
    let state = Resource::new_blocking(|| (), |()| mail_state());
    let changed = Callback::new(move |()| state.refetch());
    view! {
        <section class="card padded settings" id="mail" aria-labelledby="mail-title">
            <h2 id="mail-title">{td_string!(locale, settings.mail)}</h2>
            <p class="muted">{td_string!(locale, settings.mail_about)}</p>
            <Suspense fallback=move || states::loading(3)>
                {move || Suspend::new(async move {
                    match state.await {
                        Ok(state) => mail(state, may_edit, changed),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

fn mail(state: MailState, may_edit: bool, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let way = match state.by_smtp {
        true => pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, settings.by_smtp)),
        false => pieces::badge(Tone::Waiting, Some(Icon::Alert), td_string!(locale, settings.by_files)),
    };
    let signed = match state.is_signed {
        true => pieces::badge(Tone::Good, Some(Icon::Lock), td_string!(locale, settings.signed)),
        false => pieces::badge(Tone::Neutral, None, td_string!(locale, settings.not_signed)),
    };
    let address = state.own_address.clone();
    let test = move |_| {
        let address = address.clone();
        call.run(send_test_letter(), move |()| {
            let said = td_string!(locale, settings.test_sent, address = language::isolate(&address)).to_string();
            toasts.say(said);
        });
    };
    let button = may_edit.then(|| {
        view! {
            <div class="row-of">
                <button class="btn" type="button" disabled=move || call.waits() on:click=test>
                    {td_string!(locale, settings.test)}
                </button>
                <span class="small muted">{pieces::typed(state.own_address.clone())}</span>
            </div>
        }
    });
    view! {
        <p class="badges">{way} " " {signed}</p>
        <p>{td_string!(locale, settings.mail_from)} " " {pieces::key(state.from)}</p>
        {fields::summary(call.error, |_field| None)}
        {button}
        <h3>{td_string!(locale, settings.undelivered)}</h3>
        {undelivered(state.undelivered, may_edit, call, changed)}
    }
    .into_any()
}

fn undelivered(letters: Vec<Undelivered>, may_edit: bool, call: Call, changed: Callback<()>) -> AnyView {
    let locale = locale();
    if letters.is_empty() {
        return view! { <p class="muted">{td_string!(locale, settings.undelivered_none)}</p> }.into_any();
    }
    let toasts = toasts();
    let rows = letters
        .into_iter()
        .map(|letter| {
            let id = letter.id;
            let again = move |_| {
                call.run(retry_letter(id), move |()| {
                    toasts.say(td_string!(locale, settings.retried));
                    changed.run(());
                });
            };
            let about = letter_word(&letter.about);
            let button = may_edit.then(|| {
                view! {
                    <button class="btn sm" type="button" disabled=move || call.waits() on:click=again>
                        {icon(Icon::Undo)}
                        {td_string!(locale, settings.retry)}
                        <span class="away">" " {about}</span>
                    </button>
                }
            });
            view! {
                <li>
                    <div class="grow">
                        <p class="strong">{about}</p>
                        <p class="small muted">
                            {pieces::moment(letter.failed_at)} " · "
                            {td_string!(locale, settings.attempts, count = letter.attempts).to_string()}
                        </p>
                        <p class="small"><bdi dir="ltr" class="mono breaks">{letter.error.unwrap_or_default()}</bdi></p>
                    </div>
                    {button}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="session-list framed" role="list">{rows}</ul> }.into_any()
}

/// What a letter was about.
fn letter_word(about: &str) -> &'static str {
    let locale = locale();
    match about {
        "invite" => td_string!(locale, settings.letter_invite),
        "confirm" => td_string!(locale, settings.letter_confirm),
        "reset" => td_string!(locale, settings.letter_reset),
        "magic" => td_string!(locale, settings.letter_magic),
        "code" => td_string!(locale, settings.letter_code),
        "test" => td_string!(locale, settings.letter_test),
        _ => td_string!(locale, settings.letter_notice),
    }
}
