//! Where somebody is signed in, with what ends it. For one's own account and for the page of a person.

use crate::base::language::td_string;
use leptos::prelude::*;

use crate::{
    base::{
        errors::AppError,
        ids::{SessionId, UserId},
    },
    sessions::{SessionInfo, end_own_session, end_session_of, list_own_sessions, list_sessions_of},
    ui::{
        calls::Call,
        dialog::Confirm,
        fields,
        icons::{Icon, icon},
        is_live, locale,
        pieces::{self, Tone},
        states,
        toasts::toasts,
    },
};

/// The sessions of the viewer, or of `person`. `may_end`: whether the buttons are shown.
#[component]
pub fn SessionList(
    #[prop(optional)] person: Option<UserId>,
    may_end: bool,
    /// Counts what else has ended sessions on the page: they are asked for again.
    ended: RwSignal<u32>,
) -> impl IntoView {
    let locale = locale();
    let sessions = Resource::new_blocking(
        move || (person, ended.get()),
        |(person, _)| async move {
            match person {
                Some(id) => list_sessions_of(id).await,
                None => list_own_sessions().await,
            }
        },
    );
    let changed = Callback::new(move |()| sessions.refetch());
    let words = (td_string!(locale, sessions.sessions), td_string!(locale, sessions.sessions_about));
    section("sessions-title", words, sessions, move |sessions| list(person, may_end, sessions, changed))
}

/// A part of the page under a heading, with a list that is asked for. `words`: the heading, and what the list is about.
pub(super) fn section<T: Clone + Send + Sync + 'static>(
    id: &'static str,
    (title, about): (&'static str, &'static str),
    asked: Resource<Result<Vec<T>, AppError>>,
    draw: impl Fn(Vec<T>) -> AnyView + Copy + Send + Sync + 'static,
) -> AnyView {
    view! {
        <section class="stack" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <p class="muted">{about}</p>
            <Suspense fallback=move || states::loading(3)>
                {move || Suspend::new(async move {
                    match asked.await {
                        Ok(items) => draw(items),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

fn list(person: Option<UserId>, may_end: bool, sessions: Vec<SessionInfo>, changed: Callback<()>) -> AnyView {
    let locale = locale();
    if sessions.is_empty() {
        return view! { <p class="card padded muted">{td_string!(locale, sessions.sessions_none)}</p> }.into_any();
    }
    let call = Call::new();
    let others = sessions.iter().filter(|session| !session.is_current).count();
    let rows = sessions.into_iter().map(|session| row(person, may_end, session, call, changed)).collect_view();
    let all = (may_end && others > 0).then(|| end_all(person, call, changed));
    view! {
        {fields::summary(call.error, |_field| None)}
        <ul class="card session-list" role="list">{rows}</ul>
        {all}
    }
    .into_any()
}

fn row(person: Option<UserId>, may_end: bool, session: SessionInfo, call: Call, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (live, toasts, id) = (is_live(), toasts(), session.id);
    let name = if session.device.is_empty() {
        td_string!(locale, sessions.device_unknown).to_owned()
    } else {
        session.device.clone()
    };
    let kind = kind_word(session.is_browser, &session.device_kind);
    let current = session
        .is_current
        .then(|| pieces::badge(Tone::Accent, Some(Icon::Allowed), td_string!(locale, sessions.this_session)));
    let factors = session
        .two_factors
        .then(|| pieces::badge(Tone::Good, Some(Icon::Lock), td_string!(locale, sessions.two_factors)));
    let end = (may_end && !session.is_current).then(|| {
        let act = move |_| {
            call.run(end(person, Some(id)), move |()| {
                toasts.say(td_string!(locale, sessions.session_ended));
                changed.run(());
            });
        };
        view! {
            <button class="btn sm" type="button" disabled=move || !live.get() || call.waits() on:click=act>
                {icon(Icon::Out)}
                {td_string!(locale, sessions.end_session)}
                <span class="away">" " {name.clone()}</span>
            </button>
        }
    });
    view! {
        <li>
            <div class="grow">
                <p class="strong"><bdi>{name.clone()}</bdi> " " {current} " " {factors}</p>
                <p class="small muted">
                    {kind} " · " {session.ip.map(pieces::key)} " " {session.country.map(pieces::key)} " · " {td_string!(locale, sessions.last_seen)} " "
                    {pieces::moment(session.last_seen_at)}
                </p>
                <p class="small muted">
                    {td_string!(locale, sessions.signed_in_at)} " " {pieces::moment(session.created_at)}
                </p>
            </div>
            {end}
        </li>
    }
    .into_any()
}

/// What a device is, in a word.
pub(super) fn kind_word(is_browser: bool, kind: &str) -> &'static str {
    let locale = locale();
    match (is_browser, kind) {
        (false, _) => td_string!(locale, sessions.kind_program),
        (true, "mobile") => td_string!(locale, sessions.kind_mobile),
        (true, "tablet") => td_string!(locale, sessions.kind_tablet),
        (true, "desktop") => td_string!(locale, sessions.kind_desktop),
        (true, _) => td_string!(locale, sessions.kind_unknown),
    }
}

fn end_all(person: Option<UserId>, call: Call, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (open, live, toasts) = (RwSignal::new(false), is_live(), toasts());
    let word = match person {
        Some(_) => td_string!(locale, sessions.end_all),
        None => td_string!(locale, sessions.end_others),
    };
    let about = match person {
        Some(_) => td_string!(locale, sessions.end_all_about),
        None => td_string!(locale, sessions.end_others_hint),
    };
    let act = Callback::new(move |()| {
        call.run(end(person, None), move |()| {
            open.set(false);
            toasts.say(td_string!(locale, sessions.sessions_ended));
            changed.run(());
        });
    });
    view! {
        <div class="row-of">
            <button class="btn danger" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
                {icon(Icon::Out)}
                {word}
            </button>
        </div>
        <Confirm id="end-all" open title=word.to_owned() about word danger=true call act />
    }
    .into_any()
}

/// Ends one session, or all that can be ended.
async fn end(person: Option<UserId>, id: Option<SessionId>) -> Result<(), AppError> {
    match person {
        Some(person) => end_session_of(person, id).await,
        None => end_own_session(id).await,
    }
}
