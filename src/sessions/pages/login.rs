//! Signing in with a passkey, or with e-mail or user name and password.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{
    Asks, Sheet, form_error, or, outcome, passkey_form, passkey_refused, password_field,
    puzzle::{PuzzleState, puzzle_field},
};
use crate::{
    base::language::td_string,
    sessions::{DoorOptions, FormOutcome, door_options},
    ui::{
        address, browser,
        fields::{Field, field_error},
        gate::Gate,
        locale, states,
    },
};

#[component]
pub fn LoginPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let changed = address::query_field("changed");
    let options = Resource::new_blocking(|| (), |()| door_options());
    // Whoever signs in next at this tab finds nothing of the one before.
    Effect::new(|_| browser::forget_all());
    let changed = move || {
        changed.get().map(|_| {
            let done = td_string!(locale, sessions.reset_done);
            view! { <div role="status">{states::notice(states::Mood::Good, view! { <p>{done}</p> })}</div> }
        })
    };
    let body = move || {
        let outcome = outcome.clone();
        Suspend::new(async move { ways_in(&options.await.unwrap_or_default(), outcome) })
    };
    view! {
        <Title text=td_string!(locale, sessions.login_page) />
        <Gate>
            <h1>{td_string!(locale, sessions.login_title)}</h1>
            {changed}
            <Suspense>{body}</Suspense>
        </Gate>
    }
    .into_any()
}

fn ways_in(options: &DoorOptions, outcome: FormOutcome) -> AnyView {
    let locale = locale();
    let error = form_error(&outcome);
    let puzzle = PuzzleState::of(error);
    let next = address::query_field("next");
    let passkey = options.passkeys.then(|| {
        view! {
            {passkey_refused()}
            {passkey_form(Asks::SignIn, true)}
            {or(td_string!(locale, sessions.or_password))}
        }
    });
    let (class, names) = if options.passkeys { ("btn", "username webauthn") } else { ("btn primary", "username") };
    view! {
        {passkey}
        <Sheet error>
            <input type="hidden" name="next" value=move || next.get() />
            <Field
                name="email"
                label=td_string!(locale, sessions.email_or_username)
                value=outcome.email
                required=true
                longest="254"
                autocomplete=names
                ltr=true
                error=field_error(error, "email")
            />
            {password_field(error)}
            {puzzle_field(error, puzzle)}
            <button class=class type="submit" disabled=move || puzzle.is_under_way()>
                {td_string!(locale, sessions.sign_in)}
            </button>
        </Sheet>
        {ways(options)}
    }
    .into_any()
}

/// The other ways in.
fn ways(options: &DoorOptions) -> AnyView {
    let locale = locale();
    // External: each page is drawn by the server, as after a post.
    let link = |href: &'static str, word: &'static str| view! { <li><a href=href rel="external">{word}</a></li> };
    view! {
        <nav aria-label=td_string!(locale, sessions.other_ways)>
            <ul class="ways" role="list">
                {link("/forgot", td_string!(locale, sessions.forgot))}
                {options.magic_link.then(|| link("/magic-link", td_string!(locale, sessions.by_mail)))}
                {options.is_open().then(|| link("/register", td_string!(locale, sessions.no_account)))}
            </ul>
        </nav>
    }
    .into_any()
}
