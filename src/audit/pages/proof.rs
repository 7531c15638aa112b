//! Above the log: whether it is as it was written, and how long it is kept.

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    access::{AUDIT_EXPORT, SETTINGS_UPDATE},
    audit::{
        Fault, RetentionRule, Verification, audit_retention, audit_verification, set_audit_retention, verify_audit,
    },
    base::{
        errors::{AppError, FieldCode},
        habits::number,
        language::td_string,
    },
    ui::{
        browser::Typed,
        calls::Call,
        dialog::{Dialog, form_end},
        fields::{self, Field, field_error},
        icons::{Icon, icon},
        is_live, locale,
        pieces::{self, Tone},
        states,
        toasts::toasts,
        viewer::viewer,
    },
};

/// Tells how the last look at the whole log ended, and has it looked at again.
#[component]
pub fn Proof() -> impl IntoView {
    let known = Resource::new_blocking(|| (), |()| audit_verification());
    let rule = Resource::new_blocking(|| (), |()| audit_retention());
    let viewer = viewer();
    let again = Callback::new(move |()| known.refetch());
    let kept = Callback::new(move |()| rule.refetch());
    view! {
        <Transition>
            {move || {
                let viewer = viewer.clone();
                Suspend::new(async move {
                    let held = viewer.holds().await;
                    // Whoever may not read the log is told so by the list below.
                    let (Ok(known_now), Ok(rule_now)) = (known.await, rule.await) else { return ().into_any() };
                    let may_set = held.may(SETTINGS_UPDATE.as_str());
                    view! {
                        <section class="card padded proof" aria-labelledby="proof-title">
                            <h2 class="away" id="proof-title">{td_string!(locale(), audit.proof)}</h2>
                            {told(&known_now)} {acts(&known_now, again, held.may(AUDIT_EXPORT.as_str()))}
                            {keeping(&rule_now, may_set, kept)}
                        </section>
                    }
                    .into_any()
                })
            }}
        </Transition>
    }
    .into_any()
}

fn told(known: &Verification) -> AnyView {
    let locale = locale();
    let state = match (&known.report, known.verified_at) {
        (Some(report), Some(at)) => match &report.first_bad {
            None => {
                let counts = td_string!(locale, audit.proof_rows, count = report.rows).to_string();
                view! {
                    <p class="row-of">
                        {pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, audit.proof_intact))}
                        <span class="small muted">
                            {td_string!(locale, audit.proof_at)} " " {pieces::moment(at)} " · " {counts}
                        </span>
                    </p>
                }
                .into_any()
            }
            Some(bad) => {
                let place = bad.seq.map(|seq| td_string!(locale, audit.proof_place, number = number(seq)).to_string());
                let row = bad.id.map(|id| view! { <p>{pieces::key(id.to_string())}</p> });
                let words = view! {
                    <p class="strong">{td_string!(locale, audit.proof_broken)}</p>
                    <p>{fault_word(bad.fault)} " " {place}</p>
                    {row}
                    <p class="small">{td_string!(locale, audit.proof_at)} " " {pieces::moment(at)}</p>
                };
                states::notice(states::Mood::Bad, words)
            }
        },
        _ => view! {
            <p class="row-of">
                {pieces::badge(Tone::Waiting, Some(Icon::Clock), td_string!(locale, audit.proof_not_yet))}
            </p>
        }
        .into_any(),
    };
    let waiting = (known.unsealed > 0).then(|| {
        let words = td_string!(locale, audit.proof_waiting, count = known.unsealed).to_string();
        view! { <p class="small muted">{words}</p> }
    });
    view! { <div class="grow">{state} {waiting}</div> }.into_any()
}

fn acts(known: &Verification, again: Callback<()>, may_take: bool) -> AnyView {
    let locale = locale();
    let (call, live, toasts) = (Call::new(), is_live(), toasts());
    let verify = move |_| {
        call.run(verify_audit(), move |()| {
            toasts.say(td_string!(locale, audit.proof_asked));
            // Whoever has left the page by then has nothing to be shown.
            set_timeout(
                move || {
                    again.try_run(());
                },
                std::time::Duration::from_secs(6),
            );
        });
    };
    let checkpoint = (may_take && known.checkpoint.is_some()).then(|| {
        view! {
            <a class="btn sm" href="/admin/audit/checkpoint" rel="external" download="">
                {icon(Icon::Down)}
                {td_string!(locale, audit.proof_checkpoint)}
            </a>
        }
    });
    view! {
        <div class="row-of">
            <button class="btn sm" type="button" disabled=move || !live.get() || call.waits() on:click=verify>
                {icon(Icon::Refresh)}
                {td_string!(locale, audit.proof_again)}
            </button>
            {checkpoint}
        </div>
        {fields::summary(call.error, |_field| None)}
    }
    .into_any()
}

fn fault_word(fault: Fault) -> &'static str {
    let locale = locale();
    match fault {
        Fault::Changed => td_string!(locale, audit.fault_changed),
        Fault::Missing => td_string!(locale, audit.fault_missing),
        Fault::NotOurs => td_string!(locale, audit.fault_not_ours),
        Fault::Moved => td_string!(locale, audit.fault_moved),
        Fault::Chain => td_string!(locale, audit.fault_chain),
        Fault::CutOff => td_string!(locale, audit.fault_cut_off),
        Fault::Checkpoint => td_string!(locale, audit.fault_checkpoint),
    }
}

/// How long rows are kept, in a line; and the dialog that sets it.
fn keeping(rule: &RetentionRule, may_set: bool, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (open, call, live, toasts) = (RwSignal::new(false), Call::new(), is_live(), toasts());
    let days = match rule.keep_days {
        None => td_string!(locale, audit.keep_for_good).to_owned(),
        Some(days) => td_string!(locale, audit.keep_days_said, count = days).to_string(),
    };
    let hold = rule.legal_hold.then(|| {
        let why = rule.hold_reason.clone().unwrap_or_default();
        view! {
            {pieces::badge(Tone::Waiting, Some(Icon::Lock), td_string!(locale, audit.hold))}
            <span class="small">{pieces::typed(why)}</span>
        }
    });
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let keep_days = match typed.optional("keep_days").map(|text| text.parse::<u32>()) {
            None => None,
            Some(Ok(days)) => Some(days),
            Some(Err(_)) => {
                call.error.set(Some(AppError::field("keep_days", FieldCode::Malformed)));
                return;
            }
        };
        let rule = RetentionRule {
            keep_days,
            legal_hold: typed.optional("legal_hold").is_some(),
            hold_reason: typed.optional("hold_reason"),
        };
        call.run(set_audit_retention(rule), move |_rule| {
            open.set(false);
            toasts.say(td_string!(locale, audit.keep_saved));
            changed.run(());
        });
    };
    let button = may_set.then(|| {
        let rule = rule.clone();
        view! {
            <button class="btn ghost sm" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
                {icon(Icon::Edit)}
                {td_string!(locale, audit.keep_edit)}
            </button>
            <Dialog id="keeping" open title=td_string!(locale, audit.keep_title).to_owned()>
                {form(&rule, call, open, submit)}
            </Dialog>
        }
    });
    view! {
        <div class="row-of whole">
            <span class="small muted">{days}</span>
            {hold}
            {button}
        </div>
    }
    .into_any()
}

fn form(rule: &RetentionRule, call: Call, open: RwSignal<bool>, submit: impl Fn(SubmitEvent) + 'static) -> AnyView {
    let locale = locale();
    let days = rule.keep_days.map(|days| days.to_string()).unwrap_or_default();
    view! {
        <p class="muted">{td_string!(locale, audit.keep_about)}</p>
        {fields::summary(call.error, keeping_label)}
        <form class="stack" on:submit=submit novalidate>
            <Field
                name="keep_days"
                label=td_string!(locale, audit.keep_days)
                hint=td_string!(locale, audit.keep_days_hint)
                inputmode="numeric"
                value=days
                ltr=true
                error=field_error(call.error, "keep_days")
            />
            <div class="check">
                <input type="checkbox" id="legal-hold" name="legal_hold" value="yes" checked=rule.legal_hold />
                <label class="about" for="legal-hold">
                    {td_string!(locale, audit.hold_label)}
                    <span class="hint">{td_string!(locale, audit.hold_hint)}</span>
                </label>
            </div>
            <Field
                name="hold_reason"
                label=td_string!(locale, audit.hold_reason)
                longest="500"
                value=rule.hold_reason.clone().unwrap_or_default()
                error=field_error(call.error, "hold_reason")
            />
            {form_end(open, call, td_string!(locale, audit.keep_save))}
        </form>
    }
    .into_any()
}

fn keeping_label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "keep_days" => Some(td_string!(locale, audit.keep_days)),
        "hold_reason" => Some(td_string!(locale, audit.hold_reason)),
        _ => None,
    }
}
