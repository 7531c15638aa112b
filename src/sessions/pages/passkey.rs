//! The button by which a passkey answers for its person.

use leptos::prelude::*;

use crate::{
    base::language::td_string,
    ui::{
        address,
        icons::{Icon, icon},
        is_live, locale, states,
    },
};

/// What the passkey is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    SignIn,
    SecondFactor,
    Reauthenticate,
}

/// A form that `app/scripts/passkeys.js` fills in and posts. It needs scripts, so it stands beside another way.
pub fn passkey_form(asks: Asks, primary: bool) -> AnyView {
    let (locale, live) = (locale(), is_live());
    let next = address::query_field("next");
    let (action, purpose, word) = match asks {
        Asks::SignIn => ("/login/passkey", "sign_in", td_string!(locale, sessions.passkey_sign_in)),
        Asks::SecondFactor => ("/login/code/passkey", "second_factor", td_string!(locale, sessions.passkey_use)),
        Asks::Reauthenticate => ("/reauthenticate/passkey", "reauthenticate", td_string!(locale, sessions.passkey_use)),
    };
    let class = if primary { "btn primary" } else { "btn" };
    let autofill = (asks == Asks::SignIn).then_some("true");
    view! {
        <form
            class="passkey"
            method="post"
            action=action
            data-passkey="get"
            data-purpose=purpose
            data-autofill=autofill
        >
            <input type="hidden" name="next" value=move || next.get() />
            <input type="hidden" name="challenge_id" />
            <input type="hidden" name="credential" />
            <button class=class type="submit" disabled=move || !live.get()>{icon(Icon::Key)} {word}</button>
            {passkey_wrongs()}
        </form>
    }
    .into_any()
}

/// What can go wrong between a browser and an authenticator; the script shows the one that has.
pub fn passkey_wrongs() -> AnyView {
    let locale = locale();
    let line = |what: &'static str, words: &'static str| {
        view! { <p class="wrong" hidden=true data-wrong=what>{words}</p> }
    };
    view! {
        <div role="alert">
            {line("stopped", td_string!(locale, sessions.passkey_stopped))}
            {line("failed", td_string!(locale, sessions.passkey_failed))}
            {line("known", td_string!(locale, sessions.passkey_known))}
            {line("full", td_string!(locale, base.error_full))}
            {line("none", td_string!(locale, sessions.passkey_none))}
        </div>
    }
    .into_any()
}

/// What the server made of the last answer: the address tells that it was refused.
pub fn passkey_refused() -> AnyView {
    let locale = locale();
    let refused = address::query_field("passkey");
    let words = move || match refused.get()?.as_str() {
        "too_many" | "unavailable" | "internal" => Some(td_string!(locale, sessions.passkey_failed)),
        _ => Some(td_string!(locale, base.error_wrong_passkey)),
    };
    view! {
        <div role="alert">
            {move || words().map(|words| states::notice(states::Mood::Bad, view! { <p class="strong">{words}</p> }))}
        </div>
    }
    .into_any()
}

/// Between a passkey and what stands below it.
pub fn or(words: &'static str) -> AnyView {
    view! { <p class="or small muted"><span>{words}</span></p> }.into_any()
}
