//! The page on which people add, name and remove their passkeys.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    base::language::td_string,
    passkeys::{OwnPasskeys, PasskeyInfo, own_passkeys},
    sessions::pages::{form_error, outcome, passkey_wrongs},
    ui::{
        address,
        fields::{self, Field, FormError, field_error},
        gate::Gate,
        icons::{Icon, icon},
        is_live, locale,
        pieces::{self, Tone},
        states,
    },
};

/// Where the forms of this page go.
const HERE: &str = "/account/passkeys";

#[component]
pub fn PasskeysPage() -> impl IntoView {
    let locale = locale();
    let outcome = outcome();
    let error = form_error(&outcome);
    let typed = outcome.name.clone();
    let named = address::query_field("name");
    let done = address::query_field("done");
    let passkeys = Resource::new_blocking(|| (), |()| own_passkeys());
    let done = move || {
        let words = match done.get()?.as_str() {
            "added" => td_string!(locale, passkeys.added),
            "renamed" => td_string!(locale, passkeys.renamed),
            "removed" => td_string!(locale, passkeys.removed),
            _ => return None,
        };
        Some(states::notice(states::Mood::Good, view! { <p class="strong">{words}</p> }))
    };
    let body = move || {
        let typed = Some(typed.clone()).filter(|typed| !typed.is_empty());
        let typed = typed.or_else(|| named.get_untracked()).unwrap_or_default();
        Suspend::new(async move {
            match passkeys.await {
                Ok(own) => view! {
                    {list(&own)}
                    {add(&own, typed, error)}
                }
                .into_any(),
                Err(error) => states::failure(&error),
            }
        })
    };
    view! {
        <Title text=td_string!(locale, passkeys.page) />
        <Gate>
            <h1>{td_string!(locale, passkeys.page)}</h1>
            <div role="status">{done}</div>
            {fields::summary(error, label)}
            <p class="muted">{td_string!(locale, passkeys.about)}</p>
            <Suspense fallback=move || states::loading(4)>{body}</Suspense>
            <ul class="ways" role="list">
                <li><a href="/console/account" rel="external">{td_string!(locale, passkeys.back)}</a></li>
            </ul>
        </Gate>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    (field == "name").then(|| td_string!(locale(), passkeys.name))
}

fn add(own: &OwnPasskeys, typed: String, error: FormError) -> AnyView {
    let (locale, live, user) = (locale(), is_live(), own.user.to_string());
    if !own.possible {
        return states::notice(states::Mood::Waiting, view! { <p>{td_string!(locale, passkeys.not_here)}</p> });
    }
    view! {
        <form class="sheet passkey" method="post" action=HERE data-passkey="create" data-user=user>
            <h2>{td_string!(locale, passkeys.add)}</h2>
            <input type="hidden" name="act" value="add" />
            <input type="hidden" name="credential" />
            <Field
                name="name"
                label=td_string!(locale, passkeys.name)
                value=typed
                required=true
                longest="80"
                autocomplete="off"
                hint=td_string!(locale, passkeys.name_hint)
                error=field_error(error, "name")
            />
            <button class="btn primary" type="submit" disabled=move || !live.get()>
                {icon(Icon::Key)} {td_string!(locale, passkeys.add_submit)}
            </button>
            {passkey_wrongs()}
            <noscript>
                <p class="muted">{td_string!(locale, passkeys.needs_scripts)}</p>
            </noscript>
        </form>
    }
    .into_any()
}

fn list(own: &OwnPasskeys) -> AnyView {
    let locale = locale();
    if own.passkeys.is_empty() {
        return view! { <p class="card padded muted">{td_string!(locale, passkeys.no_passkeys)}</p> }.into_any();
    }
    let rows = own.passkeys.iter().map(row).collect_view();
    view! { <ul class="card session-list passkey-list" role="list">{rows}</ul> }.into_any()
}

fn row(passkey: &PasskeyInfo) -> AnyView {
    let locale = locale();
    let (id, name) = (passkey.id.to_string(), passkey.name.clone());
    let (rename, ends) = (format!("rename-{id}"), format!("ends-{id}"));
    let synced =
        passkey.synced.then(|| pieces::badge(Tone::Accent, Some(Icon::Allowed), td_string!(locale, passkeys.synced)));
    let second_only =
        (!passkey.verifies).then(|| pieces::badge(Tone::Neutral, None, td_string!(locale, passkeys.second_only)));
    let used = match passkey.last_used_at {
        Some(at) => view! { {td_string!(locale, passkeys.used_at)} " " {pieces::moment(at)} }.into_any(),
        None => td_string!(locale, passkeys.not_used).into_any(),
    };
    view! {
        <li>
            <div class="grow">
                <p class="strong"><bdi>{name.clone()}</bdi> " " {synced} " " {second_only}</p>
                <p class="small muted">{used}</p>
                <p class="small muted">
                    {td_string!(locale, passkeys.added_at)} " " {pieces::moment(passkey.created_at)}
                </p>
                <details>
                    <summary>
                        {td_string!(locale, passkeys.change)}
                        <span class="away">" " {name.clone()}</span>
                    </summary>
                    <form class="sheet" method="post" action=HERE>
                        <input type="hidden" name="act" value="rename" />
                        <input type="hidden" name="id" value=id.clone() />
                        <Field
                            name="name"
                            own=rename
                            label=td_string!(locale, passkeys.new_name)
                            value=name
                            required=true
                            longest="80"
                            autocomplete="off"
                        />
                        <button class="btn" type="submit">{td_string!(locale, passkeys.rename)}</button>
                    </form>
                    <form class="sheet" method="post" action=HERE>
                        <input type="hidden" name="act" value="remove" />
                        <input type="hidden" name="id" value=id />
                        <p class="muted">{td_string!(locale, passkeys.remove_about)}</p>
                        <div class="check">
                            <input type="checkbox" id=ends.clone() name="end_sessions" value="yes" checked=true />
                            <label class="about" for=ends>{td_string!(locale, second_factor.end_others)}</label>
                        </div>
                        <button class="btn danger" type="submit">{td_string!(locale, passkeys.remove)}</button>
                    </form>
                </details>
            </div>
        </li>
    }
    .into_any()
}
