//! One's own account: the second factor, and where one is signed in.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    base::{errors::AppError, language::td_string},
    passkeys::{OwnPasskeys, own_passkeys},
    second_factor::{FactorStatus, factor_status},
    sessions::{Me, me, pages::SessionList},
    ui::{
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
        states,
    },
};

#[component]
pub fn AccountPage() -> impl IntoView {
    let locale = locale();
    let me = Resource::new_blocking(|| (), |()| me());
    let status = Resource::new_blocking(|| (), |()| factor_status());
    let keys = Resource::new_blocking(|| (), |()| own_passkeys());
    view! {
        <Title text=td_string!(locale, app.account) />
        <div class="page-head"><h1>{td_string!(locale, app.account)}</h1></div>
        {section("way-in-title", td_string!(locale, app.way_in), me, way_in)}
        {section("factor-title", td_string!(locale, second_factor.page), status, factor)}
        {section("passkeys-title", td_string!(locale, passkeys.page), keys, keys_card)}
        <SessionList may_end=true />
    }
    .into_any()
}

/// A part of the page: its title, and a card once the answer is there.
fn section<T: Clone + Send + Sync + 'static>(
    id: &'static str,
    title: &'static str,
    answer: Resource<Result<T, AppError>>,
    card: fn(T) -> AnyView,
) -> AnyView {
    view! {
        <section class="stack" aria-labelledby=id>
            <h2 id=id>{title}</h2>
            <Suspense fallback=move || states::loading(2)>
                {move || Suspend::new(async move {
                    match answer.await {
                        Ok(found) => card(found),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

/// The address and the password, and the ways to change them.
fn way_in(me: Me) -> AnyView {
    let locale = locale();
    let password =
        if me.has_password { td_string!(locale, app.change_password) } else { td_string!(locale, app.choose_password) };
    view! {
        <div class="card padded">
            <p class="strong">{pieces::typed(me.name)}</p>
            <p>{pieces::typed(me.email)}</p>
            <div class="row-of">
                <a class="btn" href="/account/email" rel="external">
                    {icon(Icon::Edit)} {td_string!(locale, app.change_email)}
                </a>
                <a class="btn" href="/account/password" rel="external">{icon(Icon::Lock)} {password}</a>
            </div>
        </div>
    }
    .into_any()
}

/// The names of the passkeys, and the way to them.
fn keys_card(own: OwnPasskeys) -> AnyView {
    let locale = locale();
    let names = own.passkeys.into_iter().map(|passkey| view! { <li><bdi>{passkey.name}</bdi></li> }).collect_view();
    view! {
        <div class="card padded">
            <p class="muted">{td_string!(locale, passkeys.about)}</p>
            <ul class="plain-list" role="list">{names}</ul>
            <div class="row-of">
                <a class="btn" href="/account/passkeys" rel="external">
                    {icon(Icon::Key)} {td_string!(locale, passkeys.manage)}
                </a>
            </div>
        </div>
    }
    .into_any()
}

fn factor(status: FactorStatus) -> AnyView {
    let locale = locale();
    let (badge, word) = if status.enabled || status.has_passkeys {
        let left = td_string!(locale, second_factor.codes_left, count = status.backup_codes_left).to_string();
        let badge = pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, app.factor_on));
        (
            view! { <p>{badge} " " <span class="muted">{left}</span></p> }.into_any(),
            td_string!(locale, app.factor_manage),
        )
    } else {
        let badge = pieces::badge(Tone::Waiting, Some(Icon::Alert), td_string!(locale, app.factor_off));
        (view! { <p>{badge}</p> }.into_any(), td_string!(locale, second_factor.begin))
    };
    view! {
        <div class="card padded">
            {badge}
            <p class="muted">{td_string!(locale, second_factor.about)}</p>
            <div class="row-of">
                <a class="btn" href="/account/two-factor" rel="external">{icon(Icon::Lock)} {word}</a>
            </div>
        </div>
    }
    .into_any()
}
