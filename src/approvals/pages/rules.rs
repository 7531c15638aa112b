//! What others have to agree to: the dialog of whoever may change the tenant's rules.

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    access::ApprovalRules,
    approvals::{get_approval_rules, put_approval_rules},
    base::{
        errors::{AppError, FieldCode},
        language::td_string,
    },
    ui::{
        browser::Typed,
        calls::Call,
        dialog::{Dialog, form_end},
        fields::{self, Field, TextArea, field_error},
        icons::{Icon, icon},
        is_live, locale, states,
        toasts::toasts,
    },
};

/// The button and the dialog behind it.
#[component]
pub fn Rules() -> impl IntoView {
    let locale = locale();
    let (open, live, toasts) = (RwSignal::new(false), is_live(), toasts());
    let (look, call) = (Call::new(), Call::new());
    let rules = RwSignal::new(None::<ApprovalRules>);
    let ask = move |_| {
        rules.set(None);
        call.error.set(None);
        open.set(true);
        look.run(get_approval_rules(), move |answer| rules.set(Some(answer)));
    };
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        match read(&typed) {
            Ok(rules) => call.run(put_approval_rules(rules), move |_rules| {
                open.set(false);
                toasts.say(td_string!(locale, approvals.rules_saved));
            }),
            Err(error) => call.error.set(Some(error)),
        }
    };
    view! {
        <button class="btn" type="button" disabled=move || !live.get() on:click=ask>
            {icon(Icon::Edit)}
            {td_string!(locale, approvals.rules)}
        </button>
        <Dialog id="approval-rules" open title=td_string!(locale, approvals.rules).to_owned()>
            {fields::summary(look.error, |_field| None)}
            {move || match rules.get() {
                None => states::bones(4),
                Some(rules) => form(&rules, call, open, submit),
            }}
        </Dialog>
    }
    .into_any()
}

/// What was typed. Only what is no number is judged here.
fn read(typed: &Typed) -> Result<ApprovalRules, AppError> {
    let malformed = |field: &str| AppError::field(field, FieldCode::Malformed);
    let lines = |name: &str| {
        let text = typed.text(name);
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    Ok(ApprovalRules {
        permissions: lines("permissions"),
        roles: lines("roles"),
        required: typed.text("required").trim().parse().map_err(|_not_a_number| malformed("required"))?,
        expires_hours: typed
            .text("expires_hours")
            .trim()
            .parse()
            .map_err(|_not_a_number| malformed("expires_hours"))?,
    })
}

fn form(rules: &ApprovalRules, call: Call, open: RwSignal<bool>, submit: impl Fn(SubmitEvent) + 'static) -> AnyView {
    let locale = locale();
    view! {
        <p class="muted">{td_string!(locale, approvals.rules_about)}</p>
        {fields::summary(call.error, label)}
        <form class="stack" on:submit=submit novalidate>
            <TextArea
                name="permissions"
                label=td_string!(locale, approvals.rules_permissions)
                hint=td_string!(locale, approvals.rules_permissions_hint)
                value=rules.permissions.join("\n")
                ltr=true
                error=field_error(call.error, "permissions")
            />
            <TextArea
                name="roles"
                label=td_string!(locale, approvals.rules_roles)
                hint=td_string!(locale, approvals.rules_roles_hint)
                value=rules.roles.join("\n")
                error=field_error(call.error, "roles")
            />
            <Field
                name="required"
                label=td_string!(locale, approvals.rules_required)
                inputmode="numeric"
                value=rules.required.to_string()
                ltr=true
                error=field_error(call.error, "required")
            />
            <Field
                name="expires_hours"
                label=td_string!(locale, approvals.rules_hours)
                inputmode="numeric"
                value=rules.expires_hours.to_string()
                ltr=true
                error=field_error(call.error, "expires_hours")
            />
            {form_end(open, call, td_string!(locale, approvals.rules_save))}
        </form>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "required" => Some(td_string!(locale, approvals.rules_required)),
        "expires_hours" => Some(td_string!(locale, approvals.rules_hours)),
        _ => None,
    }
}
