//! One's own account: the second factor, and where one is signed in.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    second_factor::{FactorStatus, factor_status},
    sessions::pages::SessionList,
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
        <SessionList may_end=true />
    }
    .into_any()
}

fn factor(status: FactorStatus) -> AnyView {
    let locale = locale();
    let (badge, word) = if status.enabled {
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
