//! What one has given, and what one is asked for. Its forms work without scripts: whoever owes a consent sees no other page.

use leptos::prelude::*;
use leptos_meta::Title;

use super::{label, lines};
use crate::{
    accounts::{calls::own_deletion, pages::leaving::waiting},
    base::{errors::AppError, language::td_string},
    consents::{ConsentRecord, OwnConsent, PAGE, calls::own_consents},
    sessions::pages::{form_error, outcome},
    ui::{
        fields::{self, Field, FormError, field_error},
        gate::Gate,
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
        states,
    },
};

/// Reads, gives and withdraws consents (A13).
#[component]
pub fn OwnConsentsPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let found = Resource::new_blocking(
        || (),
        |()| async { Ok::<_, AppError>((own_consents().await?, own_deletion().await?.pending)) },
    );
    let title = td_string!(locale, consents.own);
    view! {
        <Title text=title />
        <Gate>
            <h1>{title}</h1>
            {fields::summary(error, label)}
            <Suspense fallback=move || states::loading(4)>
                {move || Suspend::new(async move {
                    match found.await {
                        Ok((texts, pending)) => {
                            let band = pending.as_ref().map(waiting);
                            let body = own(texts, pending.is_some(), error);
                            view! { {band} {body} }.into_any()
                        }
                        Err(error) => states::failure(&error),
                    }
                })}
            </Suspense>
        </Gate>
    }
    .into_any()
}

fn own(texts: Vec<OwnConsent>, leaves: bool, error: FormError) -> AnyView {
    let locale = locale();
    let owes = texts.iter().any(OwnConsent::is_owed);
    let head = if owes {
        states::notice(
            states::Mood::Waiting,
            view! {
                <p class="strong">{td_string!(locale, consents.owed)}</p>
                <p>{td_string!(locale, consents.owed_about)}</p>
            },
        )
    } else {
        let about = if texts.is_empty() {
            td_string!(locale, consents.own_none)
        } else {
            td_string!(locale, consents.own_about)
        };
        view! { <p class="muted">{about}</p> }.into_any()
    };
    let end = if owes {
        ways_out(leaves, error)
    } else {
        view! {
            <p class="row-of"><a href="/console/account" rel="external">{td_string!(locale, sessions.to_account)}</a></p>
        }
        .into_any()
    };
    let cards = texts.iter().map(card).collect::<Vec<_>>();
    view! { {head} {cards} {end} }.into_any()
}

fn card(text: &OwnConsent) -> AnyView {
    let locale = locale();
    let (title, body) = text.wording.of(locale);
    let id = format!("text-{}", text.id);
    let (tone, word) = match (text.is_retired, text.required) {
        (true, _) => (Tone::Neutral, td_string!(locale, consents.retired)),
        (false, true) => (Tone::Waiting, td_string!(locale, consents.required)),
        (false, false) => (Tone::Neutral, td_string!(locale, consents.optional)),
    };
    let body = if text.is_owed() {
        lines(body)
    } else {
        view! { <details><summary>{td_string!(locale, consents.read)}</summary> {lines(body)}</details> }.into_any()
    };
    let answer = match text.records.split_first() {
        None => view! { <p class="muted">{td_string!(locale, consents.not_given)}</p> }.into_any(),
        Some((last, before)) => {
            let before = before.iter().map(|record| view! { <li>{said(record)}</li> }).collect::<Vec<_>>();
            let before = (!before.is_empty()).then(|| {
                view! {
                    <details>
                        <summary>{td_string!(locale, consents.history)}</summary>
                        <ul>{before}</ul>
                    </details>
                }
            });
            view! { <p>{said(last)}</p> {before} }.into_any()
        }
    };
    let give = text.can_be_given().then(|| {
        let about = td_string!(locale, consents.give_it, title = title.to_owned()).to_string();
        act(text, "give", td_string!(locale, consents.give), about, "btn primary")
    });
    let withdraw = text.standing().map(|_given| match text.required && !text.is_retired {
        true => view! { <p class="small muted">{td_string!(locale, consents.kept)}</p> }.into_any(),
        false => {
            let about = td_string!(locale, consents.withdraw_it, title = title.to_owned()).to_string();
            act(text, "withdraw", td_string!(locale, consents.withdraw), about, "btn")
        }
    });
    view! {
        <section class="card padded stack" aria-labelledby=id.clone()>
            <h2 id=id.clone()>{pieces::typed(title)}</h2>
            <p>{pieces::badge(tone, None, word)}</p>
            {body}
            {answer}
            {give}
            {withdraw}
        </section>
    }
    .into_any()
}

/// What was said to which version, and when.
fn said(record: &ConsentRecord) -> AnyView {
    let locale = locale();
    let words = match record.given {
        true => td_string!(locale, consents.given_version, number = record.number).to_string(),
        false => td_string!(locale, consents.withdrawn_version, number = record.number).to_string(),
    };
    view! { {words} " · " {pieces::moment(record.at)} }.into_any()
}

/// A form of one button.
fn act(text: &OwnConsent, act: &'static str, word: &'static str, about: String, class: &'static str) -> AnyView {
    view! {
        <form method="post" action=PAGE>
            <input type="hidden" name="id" value=text.id.to_string() />
            <input type="hidden" name="number" value=text.latest.to_string() />
            <button class=class type="submit" name="act" value=act aria-label=about>{word}</button>
        </form>
    }
    .into_any()
}

/// What is open to whoever does not want to give what is required.
fn ways_out(leaves: bool, error: FormError) -> AnyView {
    let locale = locale();
    let leave = (!leaves).then(|| {
        view! {
            <details>
                <summary>{td_string!(locale, accounts.leave)}</summary>
                <p class="muted">{td_string!(locale, accounts.leave_effect)}</p>
                <form class="sheet" method="post" action=PAGE>
                    <Field
                        name="email"
                        label=td_string!(locale, accounts.leave_type)
                        kind="email"
                        required=true
                        longest="254"
                        autocomplete="off"
                        ltr=true
                        error=field_error(error, "email")
                    />
                    <button class="btn danger" type="submit" name="act" value="leave">
                        {td_string!(locale, accounts.leave_submit)}
                    </button>
                </form>
            </details>
        }
    });
    view! {
        <section class="stack" aria-labelledby="ways-out">
            <h2 id="ways-out">{td_string!(locale, consents.refuse)}</h2>
            <p class="muted">{td_string!(locale, consents.refuse_about)}</p>
            <div class="row-of">
                <form method="post" action="/console/account">
                    <button class="btn" type="submit" name="act" value="export">
                        {icon(Icon::Down)} {td_string!(locale, app.own_data_download)}
                    </button>
                </form>
                <form method="post" action="/logout">
                    <button class="btn" type="submit">{icon(Icon::Out)} {td_string!(locale, app.log_out)}</button>
                </form>
            </div>
            {leave}
        </section>
    }
    .into_any()
}
