//! Asking: for a permission that one lacks, and for the approval of a change that is too high for one person alone.

use std::{future::Future, pin::Pin};

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;

use crate::{
    base::{
        errors::{AppError, DenialCode},
        language::td_string,
    },
    roles::{AccessRequest, calls::request_access},
    ui::{
        address,
        browser::Typed,
        calls::Call,
        fields::{self, Field, Select, TextArea, field_error},
        icons::{Icon, icon},
        locale, states,
        toasts::toasts,
    },
};

/// Asks for a permission for oneself. The address may name it, as a refusal does.
#[component]
pub fn AskPage() -> impl IntoView {
    let locale = locale();
    let permission = address::query_field("permission");
    let (call, sent) = (Call::new(), RwSignal::new(false));
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let request = AccessRequest {
            permission: typed.text("permission").trim().to_owned(),
            reason: typed.text("reason"),
            days: typed.text("days").parse().ok(),
        };
        call.run(request_access(request), move |()| sent.set(true));
    };
    view! {
        <Title text=td_string!(locale, roles.ask_title) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, roles.ask_title)}</h1>
                <p class="small muted">{td_string!(locale, roles.ask_about)}</p>
            </div>
        </div>
        {move || if sent.get() { asked() } else { form(permission.get().unwrap_or_default(), call, submit) }}
    }
    .into_any()
}

fn asked() -> AnyView {
    let locale = locale();
    view! {
        <div role="status">
            {states::notice(
                states::Mood::Good,
                view! {
                    <p class="strong">{td_string!(locale, roles.ask_sent)}</p>
                    <p>{td_string!(locale, roles.ask_sent_about)}</p>
                },
            )}
        </div>
        <p class="row-of">
            <a class="btn" href="/console/approvals?show=mine">{td_string!(locale, roles.ask_see)}</a>
        </p>
    }
    .into_any()
}

fn form(permission: String, call: Call, submit: impl Fn(SubmitEvent) + 'static) -> AnyView {
    let locale = locale();
    let days = |days: u32| (days.to_string(), td_string!(locale, roles.ask_days, count = days).to_string());
    let days =
        vec![days(1), days(7), days(30), days(90), (String::new(), td_string!(locale, roles.ask_for_good).to_owned())];
    view! {
        {fields::summary(call.error, label)}
        <form class="card padded stack" on:submit=submit>
            <Field
                name="permission"
                label=td_string!(locale, roles.ask_permission)
                hint=td_string!(locale, roles.ask_permission_hint)
                value=permission
                required=true
                longest="120"
                ltr=true
                error=field_error(call.error, "permission")
            />
            <Select
                name="days"
                label=td_string!(locale, roles.ask_how_long)
                options=days
                value="7"
                error=field_error(call.error, "days")
            />
            <TextArea
                name="reason"
                label=td_string!(locale, roles.ask_reason)
                error=field_error(call.error, "reason")
            />
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, roles.ask_send)}
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "permission" => Some(td_string!(locale, roles.ask_permission)),
        "days" => Some(td_string!(locale, roles.ask_how_long)),
        "reason" => Some(td_string!(locale, roles.ask_reason)),
        _ => None,
    }
}

/// Others are being asked.
pub type Asking = Pin<Box<dyn Future<Output = Result<(), AppError>>>>;

/// Below a change that was refused because others have to agree to it: asks them. Nothing where it was not.
#[component]
pub fn AskApproval(
    /// The call that was refused.
    refused: Call,
    /// Asks about the change for a reason; nothing where others cannot be asked about it.
    request: Callback<String, Option<Asking>>,
    /// What was already said as the reason.
    stated: RwSignal<String>,
    /// It was asked for.
    done: Callback<()>,
) -> impl IntoView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let needed = move || {
        refused.error.with(
            |error| matches!(error, Some(AppError::Forbidden(denial)) if denial.code == DenialCode::ApprovalNeeded),
        )
    };
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let Some(asking) = request.run(typed.text("approval_reason")) else { return };
        call.run(asking, move |()| {
            refused.error.set(None);
            toasts.say(td_string!(locale, roles.ask_sent));
            done.run(());
        });
    };
    view! {
        {move || {
            (needed() && request.run(String::new()).is_some()).then(|| {
                view! {
                    <form class="stack" on:submit=submit>
                        {fields::summary(call.error, label)}
                        <Field
                            name="approval_reason"
                            label=td_string!(locale, roles.ask_reason)
                            value=stated.get_untracked()
                            required=true
                            longest="1000"
                            error=field_error(call.error, "reason")
                        />
                        <div class="row-of">
                            <button class="btn primary" type="submit" disabled=move || call.waits()>
                                {icon(Icon::Allowed)}
                                {td_string!(locale, roles.ask_approval)}
                            </button>
                        </div>
                    </form>
                }
            })
        }}
    }
    .into_any()
}
