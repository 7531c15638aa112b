//! Asking that others agree to a change that was refused because it is too high for one person alone.

use std::future::Future;

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    base::{
        errors::{AppError, DenialCode},
        language::td_string,
    },
    ui::{
        browser::Typed,
        calls::Call,
        fields::{self, Field, field_error},
        icons::{Icon, icon},
        locale,
        toasts::{Toasts, toasts},
    },
};

/// A change that is about to be asked for.
pub struct Asking {
    /// Why, for whoever decides.
    pub reason: String,
    call: Call,
    refused: Call,
    toasts: Toasts,
    done: Callback<()>,
}

impl Asking {
    /// Makes the call that asks for it.
    pub fn run(self, request: impl Future<Output = Result<(), AppError>> + 'static) {
        let Asking { call, refused, toasts, done, .. } = self;
        call.run(request, move |()| {
            refused.error.set(None);
            toasts.say(td_string!(locale(), roles.ask_sent));
            done.run(());
        });
    }
}

/// Below a change that was refused because others have to agree to it: asks them. Nothing where it was not (C12).
#[component]
pub fn AskApproval(
    /// The call that was refused.
    refused: Call,
    /// Asks for the change.
    ask: Callback<Asking>,
    /// What was already said as the reason.
    #[prop(into)]
    stated: Signal<String>,
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
        ask.run(Asking { reason: typed.text("approval_reason"), call, refused, toasts, done });
    };
    view! {
        {move || {
            needed().then(|| {
                view! {
                    <form class="stack" id="field-people" on:submit=submit>
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

fn label(field: &str) -> Option<&'static str> {
    match field {
        "reason" => Some(td_string!(locale(), roles.ask_reason)),
        "people" => Some(td_string!(locale(), roles.ask_people)),
        "catalogue" => Some(td_string!(locale(), roles.import_file)),
        _ => None,
    }
}
