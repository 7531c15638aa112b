//! Erasing a person who was deleted: what it would do, and the report on what it did (E5).

use leptos::prelude::*;

use crate::{
    access::USERS_DELETE,
    accounts::{
        Person, Status,
        calls::{erase_person, erasure_of},
        erasure::{ErasureFate, ErasureKind, ErasureLine, ErasureReason, ErasureReport},
    },
    base::{
        habits::number,
        language::{self, td_string},
    },
    ui::{
        calls::Call,
        dialog::Dialog,
        fields,
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
        toasts::toasts,
        viewer::Held,
    },
};

/// The report on a person who was erased, and the button that erases one who was deleted only (E5).
#[component]
pub fn PersonErasure(person: Person, held: Held, changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let may = held.may(USERS_DELETE.as_str());
    // What a legal hold kept back is erased once it is lifted.
    let is_open = person.erasure.as_ref().is_none_or(ErasureReport::is_held);
    if person.status != Status::Deleted || (!may && person.erasure.is_none()) {
        return ().into_any();
    }
    let act = (may && is_open).then(|| erase_act(&person, changed));
    let file = (may && person.erasure.is_some()).then(|| {
        view! {
            <a class="btn" rel="external" download="" href=format!("/admin/users/{}/erasure", person.id)>
                {icon(Icon::Down)}
                {td_string!(locale, accounts.erasure_file)}
            </a>
        }
    });
    let about = match person.erasure {
        Some(report) => {
            let at = report.erased_at.map(pieces::exact_moment);
            view! {
                <p>{td_string!(locale, accounts.erasure_done)} " " {at}</p>
                {drawn(report.lines)}
            }
            .into_any()
        }
        None => view! { <p class="muted">{td_string!(locale, accounts.erasure_about)}</p> }.into_any(),
    };
    view! {
        <section class="card padded stack" aria-labelledby="erasure-title">
            <h2 id="erasure-title">{td_string!(locale, accounts.erasure)}</h2>
            {about}
            <div class="row-of">{file} {act}</div>
        </section>
    }
    .into_any()
}

/// The button shows first what would happen: the same report, made by doing it and taking it back.
fn erase_act(person: &Person, changed: Callback<()>) -> AnyView {
    let (locale, toasts) = (locale(), toasts());
    let (open, ahead, call) = (RwSignal::new(false), Call::new(), Call::new());
    let foretold = RwSignal::new(Vec::<ErasureLine>::new());
    let id = person.id;
    let title = td_string!(locale, accounts.erase_title, name = language::isolate(&person.name)).to_string();
    let look = move |_| {
        ahead.run(erasure_of(id), move |report| {
            foretold.set(report.lines);
            open.set(true);
        });
    };
    let erase = move |_| {
        call.run(erase_person(id), move |_report| {
            open.set(false);
            toasts.say(td_string!(locale, accounts.erased));
            changed.run(());
        });
    };
    view! {
        <button class="btn danger" type="button" disabled=move || ahead.waits() on:click=look>
            {icon(Icon::Remove)}
            {td_string!(locale, accounts.erase)}
        </button>
        {fields::summary(ahead.error, |_field| None)}
        <Dialog id="erase" open title>
            <p>{td_string!(locale, accounts.erase_ahead)}</p>
            {move || drawn(foretold.get())}
            {fields::summary(call.error, |_field| None)}
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
                <button class="btn primary danger" type="button" disabled=move || call.waits() on:click=erase>
                    {td_string!(locale, accounts.erase)}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

/// A line a kind, in two columns: a phone has room for no more. Kinds of which there was nothing are left out, as they say nothing of the person.
fn drawn(lines: Vec<ErasureLine>) -> AnyView {
    let locale = locale();
    let line = |line: ErasureLine| {
        let (tone, fate) = match line.fate {
            ErasureFate::Erased => (Tone::Bad, td_string!(locale, accounts.fate_erased)),
            ErasureFate::Pseudonymised => (Tone::Waiting, td_string!(locale, accounts.fate_pseudonymised)),
            ErasureFate::Kept => (Tone::Neutral, td_string!(locale, accounts.fate_kept)),
        };
        view! {
            <tr>
                <td>
                    <span class="strong">{kind_word(line.kind)}</span>
                    " "
                    {pieces::badge(tone, None, fate)}
                    <p class="small muted">{reason_words(line.reason)}</p>
                </td>
                <td class="num">{number(line.rows)}</td>
            </tr>
        }
        .into_any()
    };
    let rows = lines.into_iter().filter(|line| line.rows > 0).map(line).collect::<Vec<_>>();
    view! {
        <div class="table-box">
            <table class="table">
                <caption class="away">{td_string!(locale, accounts.erasure)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{td_string!(locale, accounts.erasure_kind)}</th>
                        <th scope="col">{td_string!(locale, accounts.erasure_rows)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn kind_word(kind: ErasureKind) -> &'static str {
    let locale = locale();
    match kind {
        ErasureKind::Account => td_string!(locale, accounts.kind_account),
        ErasureKind::SignIn => td_string!(locale, accounts.kind_sign_in),
        ErasureKind::Sessions => td_string!(locale, accounts.kind_sessions),
        ErasureKind::Grants => td_string!(locale, accounts.kind_grants),
        ErasureKind::Requests => td_string!(locale, accounts.kind_requests),
        ErasureKind::ApiKeys => td_string!(locale, accounts.kind_api_keys),
        ErasureKind::Letters => td_string!(locale, accounts.kind_letters),
        ErasureKind::Answers => td_string!(locale, accounts.kind_answers),
        ErasureKind::Consents => td_string!(locale, accounts.kind_consents),
        ErasureKind::Approvals => td_string!(locale, accounts.kind_approvals),
        ErasureKind::Authorship => td_string!(locale, accounts.kind_authorship),
        ErasureKind::Given => td_string!(locale, accounts.kind_given),
        ErasureKind::Log | ErasureKind::LogHeld => td_string!(locale, accounts.kind_log),
        ErasureKind::Words => td_string!(locale, accounts.kind_words),
    }
}

fn reason_words(reason: ErasureReason) -> &'static str {
    let locale = locale();
    match reason {
        ErasureReason::NotNeeded => td_string!(locale, accounts.why_not_needed),
        ErasureReason::Referred => td_string!(locale, accounts.why_referred),
        ErasureReason::Proof => td_string!(locale, accounts.why_proof),
        ErasureReason::Accountability => td_string!(locale, accounts.why_accountability),
        ErasureReason::InForce => td_string!(locale, accounts.why_in_force),
        ErasureReason::OthersRights => td_string!(locale, accounts.why_others_rights),
        ErasureReason::Chained => td_string!(locale, accounts.why_chained),
        ErasureReason::LegalHold => td_string!(locale, accounts.why_legal_hold),
        ErasureReason::OthersWords => td_string!(locale, accounts.why_others_words),
    }
}
