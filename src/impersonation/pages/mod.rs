//! Acting as somebody else on the screen: the dialog that begins it, and the band that stays until it ends.

use leptos::{ev::SubmitEvent, prelude::*};

use crate::{
    base::{
        ids::UserId,
        language::{self, td_string},
    },
    impersonation::{Impersonate, Preview, begin_impersonation, end_impersonation, preview_impersonation},
    sessions::Me,
    ui::{
        browser::{self, Typed},
        calls::Call,
        dialog::{Dialog, form_end},
        fields::{self, Field, field_error, summary_of},
        icons::{Icon, icon},
        is_live, locale, pieces, states,
    },
};

/// The band across the top of every page while somebody acts as somebody else. It cannot be put away.
#[component]
pub fn ActingBand(me: Me) -> impl IntoView {
    let locale = locale();
    let Some(by) = me.impersonator else { return ().into_any() };
    let (call, live) = (Call::new(), is_live());
    let stop = move |_| call.run(end_impersonation(), move |()| browser::leave_for("/console"));
    let words =
        td_string!(locale, impersonation.band, by = language::isolate(&by.name), name = language::isolate(&me.name))
            .to_string();
    view! {
        <section class="acting-band" aria-label=td_string!(locale, impersonation.band_label)>
            {icon(Icon::People)}
            <p class="grow">
                <span class="strong">{pieces::sentence(&words)}</span>
                " "
                <span class="small">
                    {td_string!(locale, impersonation.because)} " " {pieces::typed(by.reason)} " · "
                    {td_string!(locale, impersonation.ends)} " " {pieces::moment(by.until)}
                </span>
            </p>
            <button class="btn sm" type="button" disabled=move || !live.get() || call.waits() on:click=stop>
                {icon(Icon::Out)}
                {td_string!(locale, impersonation.stop)}
            </button>
            {fields::summary(call.error, |_field| None)}
        </section>
    }
    .into_any()
}

/// The button on a person's page, and the dialog that says what will be possible and asks why.
#[component]
pub fn ActAs(person: UserId, #[prop(into)] name: String) -> impl IntoView {
    let locale = locale();
    let (open, live) = (RwSignal::new(false), is_live());
    let (look, begin) = (Call::new(), Call::new());
    let preview = RwSignal::new(None::<Preview>);
    let title = td_string!(locale, impersonation.title, name = language::isolate(&name)).to_string();
    let ask = move |_| {
        preview.set(None);
        begin.error.set(None);
        open.set(true);
        look.run(preview_impersonation(person), move |answer| preview.set(Some(answer)));
    };
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let request = Impersonate { target_user_id: person, reason: typed.text("reason") };
        begin.run(begin_impersonation(request), move |()| browser::leave_for("/console"));
    };
    view! {
        <button class="btn" type="button" disabled=move || !live.get() on:click=ask>
            {icon(Icon::People)}
            {td_string!(locale, impersonation.act_as)}
        </button>
        <Dialog id="act-as" open title>
            {fields::summary(look.error, |_field| None)}
            {move || match preview.get() {
                None => states::bones(3),
                Some(preview) => asked(preview, begin, open, submit),
            }}
        </Dialog>
    }
    .into_any()
}

fn asked(preview: Preview, begin: Call, open: RwSignal<bool>, submit: impl Fn(SubmitEvent) + 'static) -> AnyView {
    let locale = locale();
    if let Some(denial) = preview.refused {
        return summary_of(&crate::base::errors::AppError::Forbidden(denial), |_field| None);
    }
    let count = preview.permissions.len();
    let keys = preview.permissions.into_iter().map(|key| view! { <li>{pieces::key(key)}</li> }).collect_view();
    let told = preview.is_told.then(|| view! { <li>{td_string!(locale, impersonation.told)}</li> });
    view! {
        <ul class="muted">
            <li>{td_string!(locale, impersonation.for_minutes, count = preview.minutes).to_string()}</li>
            <li>{td_string!(locale, impersonation.both_written)}</li>
            <li>{td_string!(locale, impersonation.never)}</li>
            {told}
        </ul>
        <details>
            <summary>{td_string!(locale, impersonation.may, count = count).to_string()}</summary>
            <ul class="scope-row small" role="list">{keys}</ul>
        </details>
        {fields::summary(begin.error, label)}
        <form class="stack" on:submit=submit>
            <Field
                name="reason"
                label=td_string!(locale, impersonation.reason)
                hint=td_string!(locale, impersonation.reason_hint)
                required=true
                longest="500"
                error=field_error(begin.error, "reason")
            />
            {form_end(open, begin, td_string!(locale, impersonation.act_as))}
        </form>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    (field == "reason").then(|| td_string!(locale, impersonation.reason))
}
