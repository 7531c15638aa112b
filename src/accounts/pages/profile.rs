//! One's own name, user name and language of letters.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{label, locale_choices};
use crate::{
    accounts::{
        OwnProfile, ProfileEdit,
        calls::{edit_profile, own_profile},
    },
    base::language::td_string,
    ui::{
        browser::Typed,
        calls::Call,
        fields::{self, Field, Select, field_error},
        locale, pieces, states,
        toasts::toasts,
    },
};

/// The form of one's own details. `changed` runs once they are saved.
#[component]
pub fn Profile(changed: Callback<()>) -> impl IntoView {
    let locale = locale();
    let profile = Resource::new_blocking(|| (), |()| own_profile());
    let saved = Callback::new(move |()| {
        profile.refetch();
        changed.run(());
    });
    view! {
        <section class="stack" aria-labelledby="profile-title">
            <h2 id="profile-title">{td_string!(locale, accounts.own_profile)}</h2>
            <Suspense fallback=move || states::loading_form(3)>
                {move || Suspend::new(async move {
                    match profile.await {
                        Ok(profile) => form(profile, saved),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

fn form(profile: OwnProfile, saved: Callback<()>) -> AnyView {
    let (locale, call, toasts) = (locale(), Call::new(), toasts());
    let version = profile.version;
    let wrong = move |name: &'static str| field_error(call.error, name);
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let edit = ProfileEdit {
            name: Some(typed.text("name")),
            username: Some(typed.text("username")),
            locale: Some(typed.text("locale")),
            version: Some(version),
        };
        call.run(edit_profile(edit), move |_profile| {
            toasts.say(td_string!(locale, accounts.saved));
            saved.run(());
        });
    };
    let places = [profile.department, profile.region].into_iter().flatten().collect::<Vec<_>>();
    let places = (!places.is_empty()).then(|| {
        let places = places.into_iter().map(|place| view! { <li>{pieces::typed(place)}</li> }).collect_view();
        view! {
            <ul class="scope-row" role="list">{places}</ul>
            <p class="hint">{td_string!(locale, accounts.own_fixed)}</p>
        }
    });
    view! {
        <div class="card padded">
            {pieces::avatar(&profile.name, true)}
            {fields::summary(call.error, label)}
            <form class="stack" on:submit=submit>
                <div class="form-grid">
                    <Field
                        name="name"
                        label=td_string!(locale, accounts.name)
                        value=profile.name
                        required=true
                        longest="200"
                        autocomplete="name"
                        error=wrong("name")
                    />
                    <Field
                        name="username"
                        label=td_string!(locale, accounts.username)
                        value=profile.username.unwrap_or_default()
                        longest="64"
                        autocomplete="username"
                        ltr=true
                        error=wrong("username")
                    />
                    <Select
                        name="locale"
                        label=td_string!(locale, accounts.own_locale)
                        options=locale_choices()
                        value=profile.locale
                        error=wrong("locale")
                    />
                </div>
                {places}
                <div class="row-of">
                    <button class="btn primary" type="submit" disabled=move || call.waits()>
                        {td_string!(locale, accounts.save)}
                    </button>
                </div>
            </form>
        </div>
    }
    .into_any()
}
