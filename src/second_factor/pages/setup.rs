//! Setting the second factor up step by step, and managing it afterwards.

use crate::base::language::td_string;
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

use super::totp_field;
use crate::{
    second_factor::{FactorStatus, factor_status},
    sessions::{
        Shown, ShownEnrolment,
        pages::{Sheet, form_error, or, outcome},
    },
    ui::{
        browser,
        fields::{FormError, MustTick},
        gate::Gate,
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        steps::stepper,
    },
};

#[component]
pub fn TwoFactorPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let shown = outcome.shown;
    let is_step = shown.is_some();
    let status = Resource::new_blocking(
        move || is_step,
        |is_step| async move { if is_step { Ok(FactorStatus::default()) } else { factor_status().await } },
    );
    let body = move || {
        let shown = shown.clone();
        Suspend::new(async move {
            match (status.await, shown) {
                (_, Some(Shown::Enrolment(enrolment))) => scan(enrolment, error),
                (_, Some(Shown::BackupCodes(codes))) => backup_codes(codes),
                (Ok(status), None) if status.enabled => manage(status, error),
                (Ok(status), None) => begin(&status, error),
                (Err(error), None) => states::failure(&error),
            }
        })
    };
    view! {
        <Title text=td_string!(locale, second_factor.page) />
        <Gate>
            <Suspense fallback=move || states::loading(5)>{body}</Suspense>
        </Gate>
    }
    .into_any()
}

fn begin(status: &FactorStatus, error: FormError) -> AnyView {
    let locale = locale();
    let required = status.required && !status.has_passkeys;
    let notice = required.then(|| {
        states::notice(
            states::Mood::Waiting,
            view! {
                <p class="strong">{td_string!(locale, second_factor.required_title)}</p>
                <p>{td_string!(locale, second_factor.required_about)}</p>
            },
        )
    });
    let later = (!required).then(|| {
        view! { <p class="row-of"><a href="/console" rel="external">{td_string!(locale, second_factor.later)}</a></p> }
    });
    // A passkey is a second factor, too, and the better one: it cannot be read out to anybody.
    let passkey = if status.has_passkeys {
        let left = td_string!(locale, second_factor.codes_left, count = status.backup_codes_left).to_string();
        view! {
            {states::notice(
                states::Mood::Good,
                view! {
                    <p class="strong">{td_string!(locale, second_factor.by_passkey)}</p>
                    <p>{left}</p>
                },
            )}
            {new_codes(error)}
            {or(td_string!(locale, second_factor.or_app))}
        }
        .into_any()
    } else {
        view! {
            <p class="muted">{td_string!(locale, second_factor.passkey_offer)}</p>
            <a class="btn primary" href="/account/passkeys" rel="external">
                {icon(Icon::Key)} {td_string!(locale, second_factor.passkey_add)}
            </a>
            {or(td_string!(locale, second_factor.or_app))}
        }
        .into_any()
    };
    view! {
        <h1>{td_string!(locale, second_factor.page)}</h1>
        {notice}
        {passkey}
        <p class="muted">{td_string!(locale, second_factor.about)}</p>
        <Sheet error>
            <input type="hidden" name="act" value="begin" />
            <button class="btn" type="submit">{td_string!(locale, second_factor.begin)}</button>
        </Sheet>
        {later}
    }
    .into_any()
}

/// How far the set-up has come.
fn progress(step: usize) -> AnyView {
    let locale = locale();
    let steps = [td_string!(locale, second_factor.step_app), td_string!(locale, second_factor.step_codes)];
    stepper(td_string!(locale, second_factor.steps), &steps, step)
}

/// The form that makes a new set of backup codes.
fn new_codes(error: FormError) -> AnyView {
    let locale = locale();
    view! {
        <Sheet error>
            <p class="muted">{td_string!(locale, second_factor.new_codes_about)}</p>
            <input type="hidden" name="act" value="codes" />
            <button class="btn" type="submit">{td_string!(locale, second_factor.new_codes)}</button>
        </Sheet>
    }
    .into_any()
}

fn scan(enrolment: ShownEnrolment, error: FormError) -> AnyView {
    let locale = locale();
    view! {
        {progress(0)}
        <h1>{td_string!(locale, second_factor.page)}</h1>
        <p>{td_string!(locale, second_factor.scan)}</p>
        <div
            class="qr"
            role="img"
            aria-label=td_string!(locale, second_factor.qr_label)
            inner_html=enrolment.qr_svg
        ></div>
        <p class="muted">{td_string!(locale, second_factor.secret_hint)}</p>
        <bdi class="mono code-box" dir="ltr" data-testid="totp-secret">{enrolment.secret}</bdi>
        <Sheet error>
            <input type="hidden" name="act" value="confirm" />
            {totp_field("code", error)}
            <div class="check">
                <input type="checkbox" id="end-sessions" name="end_sessions" value="yes" checked=true />
                <label class="about" for="end-sessions">{td_string!(locale, second_factor.end_others)}</label>
            </div>
            <button class="btn primary" type="submit">{td_string!(locale, second_factor.confirm)}</button>
        </Sheet>
    }
    .into_any()
}

fn backup_codes(codes: Vec<String>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let copied = RwSignal::new(None::<bool>);
    let text = codes.join("\n");
    let file = format!("data:text/plain;charset=utf-8,{}", text.replace('\n', "%0A"));
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move { copied.set(Some(browser::copy(text).await)) });
    };
    let answer = move || match copied.get() {
        Some(true) => td_string!(locale, second_factor.copied),
        Some(false) => td_string!(locale, second_factor.not_copied),
        None => "",
    };
    let list = codes.into_iter().map(|code| view! { <li><bdi class="mono" dir="ltr">{code}</bdi></li> }).collect_view();
    view! {
        {progress(1)}
        <h1>{td_string!(locale, second_factor.codes_title)}</h1>
        <p>{td_string!(locale, second_factor.codes_about)}</p>
        <ul class="codes code-box" role="list" data-testid="backup-codes">{list}</ul>
        <div class="row-of no-print">
            <button class="btn" type="button" disabled=move || !live.get() on:click=copy>
                {icon(Icon::Copy)}
                {td_string!(locale, second_factor.copy)}
            </button>
            <a class="btn" href=file download="backup-codes.txt">{td_string!(locale, second_factor.download)}</a>
            <button
                class="btn"
                type="button"
                disabled=move || !live.get()
                on:click=move |_| browser::print()
            >
                {td_string!(locale, second_factor.print)}
            </button>
            <span class="small muted" role="status">{answer}</span>
        </div>
        <form class="sheet no-print" method="get" action="/console">
            <MustTick id="saved" label=td_string!(locale, second_factor.saved_them) />
            <button class="btn primary" type="submit">{td_string!(locale, second_factor.go_on)}</button>
        </form>
    }
    .into_any()
}

fn manage(status: FactorStatus, error: FormError) -> AnyView {
    let locale = locale();
    let left = td_string!(locale, second_factor.codes_left, count = status.backup_codes_left).to_string();
    let disable = if status.required && !status.has_passkeys {
        view! { <p class="muted">{td_string!(locale, second_factor.needed)}</p> }.into_any()
    } else {
        view! {
            <form class="sheet" method="post" action="/account/two-factor">
                <h2>{td_string!(locale, second_factor.disable)}</h2>
                <p class="muted">{td_string!(locale, second_factor.disable_about)}</p>
                <input type="hidden" name="act" value="disable" />
                <MustTick id="sure" label=td_string!(locale, second_factor.disable_sure) />
                <button class="btn danger" type="submit">{td_string!(locale, second_factor.disable)}</button>
            </form>
        }
        .into_any()
    };
    view! {
        <h1>{td_string!(locale, second_factor.page)}</h1>
        {states::notice(
            states::Mood::Good,
            view! {
                <p class="strong">{td_string!(locale, second_factor.is_on)}</p>
                {status
                    .enabled_at
                    .map(|at| view! { <p>{td_string!(locale, second_factor.on_since)} " " {pieces::moment(at)}</p> })}
                <p>{left}</p>
            },
        )}
        {new_codes(error)}
        {disable}
        <p class="row-of">
            <a href="/console" rel="external">{td_string!(locale, second_factor.to_console)}</a>
        </p>
    }
    .into_any()
}
