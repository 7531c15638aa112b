//! One's own account: the second factor, and where one is signed in.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
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
    let status = Resource::new_blocking(|| (), |()| factor_status());
    view! {
        <Title text=td_string!(locale, app.account) />
        <div class="page-head"><h1>{td_string!(locale, app.account)}</h1></div>
        <WayIn />
        <section class="stack" aria-labelledby="factor-title">
            <h2 id="factor-title">{td_string!(locale, second_factor.page)}</h2>
            <Suspense fallback=move || states::loading(2)>
                {move || Suspend::new(async move {
                    match status.await {
                        Ok(status) => factor(status),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
        <PasskeysCard />
        <SessionList may_end=true />
    }
    .into_any()
}

/// The address and the password, and the ways to change them.
#[component]
fn WayIn() -> impl IntoView {
    let locale = locale();
    let me = Resource::new_blocking(|| (), |()| me());
    let card = move |me: Me| {
        let password = if me.has_password {
            td_string!(locale, app.change_password)
        } else {
            td_string!(locale, app.choose_password)
        };
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
    };
    view! {
        <section class="stack" aria-labelledby="way-in-title">
            <h2 id="way-in-title">{td_string!(locale, app.way_in)}</h2>
            <Suspense fallback=move || states::loading(2)>
                {move || Suspend::new(async move {
                    match me.await {
                        Ok(me) => card(me),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

/// How many passkeys there are, and the way to them.
#[component]
fn PasskeysCard() -> impl IntoView {
    let locale = locale();
    let own = Resource::new_blocking(|| (), |()| own_passkeys());
    let card = move |own: OwnPasskeys| {
        let names = own.passkeys.into_iter().map(|passkey| view! { <li><bdi>{passkey.name}</bdi></li> });
        let names = names.collect_view();
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
    };
    view! {
        <section class="stack" aria-labelledby="passkeys-title">
            <h2 id="passkeys-title">{td_string!(locale, passkeys.page)}</h2>
            <Suspense fallback=move || states::loading(2)>
                {move || Suspend::new(async move {
                    match own.await {
                        Ok(own) => card(own),
                        Err(error) => states::failed(&error),
                    }
                })}
            </Suspense>
        </section>
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
