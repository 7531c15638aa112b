//! The browsers and programs that somebody has signed in with, with what forgets them. For one's own account and for the page
//! of a person.

use leptos::prelude::*;

use super::list::{kind_word, section};
use crate::{
    base::{
        errors::AppError,
        ids::{DeviceId, UserId},
        language::td_string,
    },
    sessions::{DeviceInfo, forget_device_of, forget_own_device, list_devices_of, list_own_devices},
    ui::{
        calls::Call,
        fields,
        icons::{Icon, icon},
        is_live, locale, pieces,
        toasts::toasts,
    },
};

/// The devices of the viewer, or of `person`. `may_forget`: whether the buttons are shown. `ended` is counted up after one
/// was forgotten: its sessions ended with it.
#[component]
pub fn DeviceList(#[prop(optional)] person: Option<UserId>, may_forget: bool, ended: RwSignal<u32>) -> impl IntoView {
    let locale = locale();
    let devices = Resource::new_blocking(
        move || person,
        |person| async move {
            match person {
                Some(id) => list_devices_of(id).await,
                None => list_own_devices().await,
            }
        },
    );
    let forgotten = Callback::new(move |()| {
        devices.refetch();
        ended.update(|times| *times += 1);
    });
    let words = (td_string!(locale, sessions.devices), td_string!(locale, sessions.devices_about));
    section("devices-title", words, devices, move |devices| list(person, may_forget, devices, forgotten))
}

fn list(person: Option<UserId>, may_forget: bool, devices: Vec<DeviceInfo>, forgotten: Callback<()>) -> AnyView {
    let locale = locale();
    if devices.is_empty() {
        return view! { <p class="card padded muted">{td_string!(locale, sessions.devices_none)}</p> }.into_any();
    }
    let call = Call::new();
    let rows = devices.into_iter().map(|device| row(person, may_forget, device, call, forgotten)).collect_view();
    view! {
        {fields::summary(call.error, |_field| None)}
        <ul class="card device-list" role="list">{rows}</ul>
    }
    .into_any()
}

fn row(person: Option<UserId>, may_forget: bool, device: DeviceInfo, call: Call, forgotten: Callback<()>) -> AnyView {
    let locale = locale();
    let (live, toasts, id) = (is_live(), toasts(), device.id);
    let is_program = device.browser.is_empty();
    let name =
        if device.name.is_empty() { td_string!(locale, sessions.device_unknown).to_owned() } else { device.name };
    let open = (device.sessions > 0).then(|| {
        let word = td_string!(locale, sessions.device_sessions, count = device.sessions).to_string();
        view! { <span class="muted">{word}</span> }
    });
    let forget = may_forget.then(|| {
        let act = move |_| {
            call.run(forget(person, id), move |()| {
                toasts.say(td_string!(locale, sessions.device_forgotten));
                forgotten.run(());
            });
        };
        view! {
            <button class="btn sm" type="button" disabled=move || !live.get() || call.waits() on:click=act>
                {icon(Icon::Remove)}
                {td_string!(locale, sessions.forget_device)}
                <span class="away">" " {name.clone()}</span>
            </button>
        }
    });
    view! {
        <li>
            <div class="grow">
                <p class="strong"><bdi>{name.clone()}</bdi> " " {open}</p>
                <p class="small muted">
                    {kind_word(!is_program, &device.kind)} " · " {device.ip.map(pieces::key)} " · "
                    {td_string!(locale, sessions.last_seen)} " " {pieces::moment(device.last_seen_at)}
                </p>
                <p class="small muted">
                    {td_string!(locale, sessions.first_seen)} " " {pieces::moment(device.created_at)}
                </p>
            </div>
            {forget}
        </li>
    }
    .into_any()
}

async fn forget(person: Option<UserId>, id: DeviceId) -> Result<(), AppError> {
    match person {
        Some(person) => forget_device_of(person, id).await,
        None => forget_own_device(id).await,
    }
}
