//! One's own account: who one is and how one comes in, what this browser shows, what one did, and what is kept.

use leptos::prelude::*;
use leptos_meta::Title;

use super::frame::SignedIn;
use crate::{
    accounts::{
        calls::own_deletion,
        pages::{
            leaving::{leave, waiting},
            profile::Profile,
        },
    },
    audit::{After, own_activity, pages::list::own_entries},
    base::{
        errors::AppError,
        habits::{Calendar, Digits, Habits, habits},
        language::{self, td_string},
    },
    i18n::Locale,
    passkeys::{OwnPasskeys, own_passkeys},
    second_factor::{FactorStatus, factor_status},
    sessions::{
        Me, me,
        pages::{DeviceList, SessionList, form_error, outcome},
    },
    ui::{
        address,
        fields::{self, Select},
        icons::{Icon, icon},
        list::Place,
        locale,
        pieces::{self, Tone},
        preferences::Theme,
        states, tabs,
    },
};

const PATH: &str = "/console/account";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Account,
    Display,
    Activity,
    Data,
}

impl Tab {
    const ALL: [Tab; 4] = [Tab::Account, Tab::Display, Tab::Activity, Tab::Data];

    fn name(self) -> &'static str {
        match self {
            Tab::Account => "account",
            Tab::Display => "display",
            Tab::Activity => "activity",
            Tab::Data => "data",
        }
    }

    fn word(self) -> &'static str {
        let locale = locale();
        match self {
            Tab::Account => td_string!(locale, app.tab_account),
            Tab::Display => td_string!(locale, app.tab_display),
            Tab::Activity => td_string!(locale, app.tab_activity),
            Tab::Data => td_string!(locale, app.tab_data),
        }
    }

    fn href(self) -> String {
        // The first one is what the address without a tab shows.
        let name = if self == Tab::Account { "" } else { self.name() };
        address::with_query(PATH, &[("tab", name)])
    }
}

#[component]
pub fn AccountPage() -> impl IntoView {
    let locale = locale();
    let error = form_error(&outcome());
    let tab = address::query_field("tab");
    let tab = address::settled(move || {
        let named = tab.get();
        Tab::ALL.into_iter().find(|one| named.as_deref() == Some(one.name())).unwrap_or_default()
    });
    let leaving = Resource::new_blocking(|| (), |()| own_deletion());
    let asked = Callback::new(move |()| leaving.refetch());
    view! {
        <Title text=td_string!(locale, app.account) />
        <div class="page-head"><h1>{td_string!(locale, app.account)}</h1></div>
        <Suspense>
            {move || Suspend::new(async move {
                // What went wrong is told where the deletion is asked for.
                leaving.await.ok().and_then(|leaving| leaving.pending).map(|pending| waiting(&pending))
            })}
        </Suspense>
        {move || {
            let current = tab.get();
            let all = Tab::ALL.map(|one| tabs::Tab { href: one.href(), word: one.word(), is_current: one == current });
            tabs::tabs(td_string!(locale, app.account_tabs), all)
        }}
        {fields::summary(error, |_field| None)}
        {move || match tab.get() {
            Tab::Account => view! { <WaysIn /> }.into_any(),
            Tab::Display => display(),
            Tab::Activity => view! { <Activity /> }.into_any(),
            Tab::Data => view! {
                {kept()}
                {data()}
                <section class="stack" aria-labelledby="leave-title">
                    <h2 id="leave-title">{td_string!(locale, accounts.leave)}</h2>
                    <Suspense fallback=move || states::loading(2)>
                        {move || Suspend::new(async move { leave(leaving.await, asked) })}
                    </Suspense>
                </section>
            }
            .into_any(),
        }}
    }
    .into_any()
}

/// Who one is and how one comes in.
#[component]
fn WaysIn() -> impl IntoView {
    let locale = locale();
    let me = Resource::new_blocking(|| (), |()| me());
    let status = Resource::new_blocking(|| (), |()| factor_status());
    let keys = Resource::new_blocking(|| (), |()| own_passkeys());
    let signed_in = use_context::<SignedIn>();
    // The name also stands at the end of the top line.
    let changed = Callback::new(move |()| {
        me.refetch();
        if let Some(signed_in) = signed_in {
            signed_in.refetch();
        }
    });
    // Whoever forgets a device has ended its sessions.
    let ended = RwSignal::new(0);
    view! {
        <Profile changed />
        {section("way-in-title", td_string!(locale, app.way_in), me, way_in)}
        {section("factor-title", td_string!(locale, second_factor.page), status, factor)}
        {section("passkeys-title", td_string!(locale, passkeys.page), keys, keys_card)}
        <SessionList may_end=true ended />
        <DeviceList may_forget=true ended />
    }
    .into_any()
}

/// The choices of this browser, as one form. It works without scripts.
fn display() -> AnyView {
    let locale = locale();
    let Theme(theme) = use_context::<Theme>().unwrap_or(Theme(None));
    let Habits { digits, calendar } = habits();
    // An option is plain text: its direction is that of its first letter, which an isolate would hide.
    let choice = |code: &str, word: &str| (code.to_owned(), word.replace(['\u{2066}', '\u{2069}'], ""));
    let languages = vec![
        choice(language::code(Locale::ar), td_string!(locale, accounts.locale_ar)),
        choice(language::code(Locale::en), td_string!(locale, accounts.locale_en)),
    ];
    let themes = vec![
        choice("system", td_string!(locale, ui.theme_system)),
        choice("light", td_string!(locale, ui.theme_light)),
        choice("dark", td_string!(locale, ui.theme_dark)),
    ];
    let calendars = vec![
        choice(Calendar::Gregorian.code(), td_string!(locale, ui.calendar_gregorian)),
        choice(Calendar::WithHijri.code(), td_string!(locale, ui.calendar_hijri)),
    ];
    // English has its own digits only.
    let digits = (locale == Locale::ar).then(|| {
        let options = vec![
            choice(Digits::Latin.code(), td_string!(locale, ui.digits_latin)),
            choice(Digits::ArabicIndic.code(), td_string!(locale, ui.digits_arabic)),
        ];
        view! { <Select name="digits" label=td_string!(locale, ui.digits) options value=digits.code() /> }
    });
    view! {
        <section class="stack" aria-labelledby="display-title">
            <h2 id="display-title">{td_string!(locale, app.own_display)}</h2>
            <div class="card padded">
                <p class="muted">{td_string!(locale, app.own_display_about)}</p>
                <form class="stack" method="post" action="/preferences">
                    <input type="hidden" name="next" value=Tab::Display.href() />
                    <div class="form-grid">
                        <Select
                            name="locale"
                            label=td_string!(locale, app.display_language)
                            options=languages
                            value=language::code(locale)
                        />
                        <Select
                            name="theme"
                            label=td_string!(locale, ui.theme)
                            options=themes
                            value=theme.unwrap_or("system")
                        />
                        {digits}
                        <Select
                            name="calendar"
                            label=td_string!(locale, ui.calendar)
                            options=calendars
                            value=calendar.code()
                        />
                    </div>
                    <div class="row-of">
                        <button class="btn primary" type="submit">{td_string!(locale, app.display_save)}</button>
                    </div>
                </form>
            </div>
        </section>
    }
    .into_any()
}

/// What the viewer did and what was done to their account, page by page.
#[component]
fn Activity() -> impl IntoView {
    let locale = locale();
    let after = address::query_field("after");
    let activity = Resource::new_blocking(move || after.get(), |after| own_activity(After { after }));
    view! {
        <section class="stack" aria-labelledby="activity-title">
            <h2 id="activity-title">{td_string!(locale, app.own_activity)}</h2>
            <p class="muted">{td_string!(locale, app.own_activity_about)}</p>
            <Suspense fallback=move || states::loading_table(6)>
                {move || Suspend::new(async move {
                    let at = |after: &str| {
                        address::with_query(PATH, &[("tab", Tab::Activity.name()), ("after", after)])
                    };
                    let is_later = after.get_untracked().is_some();
                    own_entries(activity.await, Place { is_filtered: false, all: at(""), is_later, at })
                })}
            </Suspense>
        </section>
    }
    .into_any()
}

/// That the account stays after all.
fn kept() -> AnyView {
    let (kept, words) = (address::query_field("kept"), td_string!(locale(), accounts.leave_kept));
    let notice =
        move || kept.get().map(|_yes| states::notice(states::Mood::Good, view! { <p class="strong">{words}</p> }));
    view! { <div role="status">{notice}</div> }.into_any()
}

/// The form that gives a copy of everything. It works without scripts, and leads to a proof where one is wanted.
fn data() -> AnyView {
    let locale = locale();
    view! {
        <p class="row-of">
            <a class="btn" href="/account/consents" rel="external">
                {icon(Icon::Edit)} {td_string!(locale, consents.open_own)}
            </a>
        </p>
        <section class="stack" aria-labelledby="own-data-title">
            <h2 id="own-data-title">{td_string!(locale, app.own_data)}</h2>
            <div class="card padded">
                <p>{td_string!(locale, app.own_data_about)}</p>
                <p class="muted">{td_string!(locale, app.own_data_proof)}</p>
                <form class="row-of" method="post" action=Tab::Data.href()>
                    <button class="btn" type="submit" name="act" value="export">
                        {icon(Icon::Down)}
                        {td_string!(locale, app.own_data_download)}
                    </button>
                    <button class="btn" type="submit" name="act" value="export_zip">
                        {icon(Icon::Down)}
                        {td_string!(locale, app.own_data_archive)}
                    </button>
                </form>
            </div>
        </section>
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
