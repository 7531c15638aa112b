//! The page of API keys: what there is, making one, and everything that can be done to one.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    hooks::use_query_map,
    path,
};

mod made;

use made::Made;

use crate::{
    access::API_KEYS_MANAGE,
    api_keys::{
        ApiKey, ApiKeyEdit, ApiKeysQuery, MadeApiKey, NewApiKey, Rotation, create_api_key, delete_api_key,
        edit_api_key, list_api_keys, rotate_api_key,
    },
    base::{
        errors::AppError,
        ids::ApiKeyId,
        language::{self, td_string},
        paging::Page,
        time::Timestamp,
    },
    ui::{
        address::{self, filled},
        browser::{self, Typed},
        calls::Call,
        dialog::{Confirm, Dialog, form_end},
        fields::{self, Field, Select, TextArea, field_error},
        icons::{Icon, icon},
        is_live,
        lazy::lazy_pages,
        list::{Empty, Place, list},
        locale,
        pieces::{self, Tone},
        states,
        table::{Column, table},
        toasts::toasts,
        viewer::{Held, viewer},
    },
};

const PATH: &str = "/console/api-keys";

lazy_pages! {
    (draw_api_keys, load_api_keys)
    ApiKeys: ApiKeysRoute => ApiKeysPage,
}

#[component(transparent)]
pub fn ApiKeyRoutes() -> AnyNestedRoute {
    view! { <Route path=path!("api-keys") view={Lazy::<ApiKeysRoute>::new()} /> }.into_inner().into_any_nested_route()
}

#[component]
fn ApiKeysPage() -> impl IntoView {
    let locale = locale();
    let map = use_query_map();
    let query = address::settled(move || map.with(|map| ApiKeysQuery { after: filled(map.get("after")), limit: None }));
    let keys = Resource::new_blocking(move || query.get(), list_api_keys);
    let viewer = viewer();
    let made = RwSignal::new(None::<MadeApiKey>);
    let changed = Callback::new(move |()| keys.refetch());
    let acts = Acts::new(changed);
    view! {
        <Title text=td_string!(locale, api_keys.title) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, api_keys.title)}</h1>
                <p class="small muted">{td_string!(locale, api_keys.about)}</p>
            </div>
            <Suspense>
                {move || {
                    let viewer = viewer.clone();
                    Suspend::new(async move {
                        let held = viewer.holds().await;
                        held.may(API_KEYS_MANAGE.as_str()).then(|| add(held, made, changed))
                    })
                }}
            </Suspense>
        </div>
        <Made made />
        {dialogs(acts, made)}
        <Transition fallback=move || states::loading_table(4)>
            {move || {
                let query = query.get();
                Suspend::new(async move { keys_list(&query, keys.await, acts) })
            }}
        </Transition>
    }
    .into_any()
}

fn add(held: Held, made: RwSignal<Option<MadeApiKey>>, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (open, call, live) = (RwSignal::new(false), Call::new(), is_live());
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        call.run(create_api_key(new_key(&typed)), move |answer| {
            open.set(false);
            made.set(Some(answer));
            changed.run(());
        });
    };
    view! {
        <button class="btn primary" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(Icon::Add)}
            {td_string!(locale, api_keys.add)}
        </button>
        <Dialog id="new-key" open title=td_string!(locale, api_keys.add).to_owned()>
            {form(&held, call, open, submit)}
        </Dialog>
    }
    .into_any()
}

fn new_key(typed: &Typed) -> NewApiKey {
    let days = typed.text("days").parse::<i64>().ok();
    NewApiKey {
        name: typed.text("name"),
        scopes: typed.all("scope"),
        networks: lines(&typed.text("networks")),
        expires_at: days.map(|days| Timestamp(browser::about_now().0 + days * 86_400_000_000)),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split(['\n', ',', ' ']).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn form(held: &Held, call: Call, open: RwSignal<bool>, submit: impl Fn(SubmitEvent) + 'static) -> AnyView {
    let locale = locale();
    let days = |days: u32| (days.to_string(), td_string!(locale, api_keys.days, count = days).to_string());
    let ends = vec![days(30), days(90), days(365), (String::new(), td_string!(locale, api_keys.never).to_owned())];
    let scopes = held
        .keys()
        .iter()
        .map(|key| {
            let id = format!("scope-{key}");
            view! {
                <div class="check">
                    <input type="checkbox" id=id.clone() name="scope" value=key.clone() />
                    <label class="about" for=id><span>{pieces::key(key.clone())}</span></label>
                </div>
            }
        })
        .collect_view();
    view! {
        {fields::summary(call.error, label)}
        <form class="stack" on:submit=submit>
            <Field
                name="name"
                label=td_string!(locale, api_keys.name)
                hint=td_string!(locale, api_keys.name_hint)
                required=true
                longest="120"
                error=field_error(call.error, "name")
            />
            <fieldset>
                <legend class="label">{td_string!(locale, api_keys.scopes)}</legend>
                <p class="hint">{td_string!(locale, api_keys.scopes_hint)}</p>
                <div class="card scope-list" tabindex="0" role="group" aria-label=td_string!(locale, api_keys.scopes)>
                    {scopes}
                </div>
            </fieldset>
            <Select
                name="days"
                label=td_string!(locale, api_keys.expires)
                options=ends
                value="90"
                error=field_error(call.error, "expires_at")
            />
            <TextArea
                name="networks"
                label=td_string!(locale, api_keys.networks)
                hint=td_string!(locale, api_keys.networks_hint)
                ltr=true
                error=field_error(call.error, "networks[0]")
            />
            {form_end(open, call, td_string!(locale, api_keys.add))}
        </form>
    }
    .into_any()
}

fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, api_keys.name)),
        "scopes" => Some(td_string!(locale, api_keys.scopes)),
        "expires_at" => Some(td_string!(locale, api_keys.expires)),
        field if field.starts_with("networks") => Some(td_string!(locale, api_keys.networks)),
        _ => None,
    }
}

fn keys_list(query: &ApiKeysQuery, keys: Result<Page<ApiKey>, AppError>, acts: Acts) -> AnyView {
    let locale = locale();
    let place = Place {
        is_filtered: false,
        all: PATH.to_owned(),
        is_later: query.after.is_some(),
        at: |after: &str| address::with_query(PATH, &[("after", after)]),
    };
    let empty = Empty {
        sign: Icon::Key,
        title: td_string!(locale, api_keys.none),
        about: td_string!(locale, api_keys.none_about),
        action: None,
    };
    let columns = [
        Column::new(td_string!(locale, api_keys.name)),
        Column::new(td_string!(locale, api_keys.holder)).wide(),
        Column::new(td_string!(locale, api_keys.last_used)).wide(),
        Column::new(td_string!(locale, api_keys.expires)).wide(),
        Column::new(td_string!(locale, api_keys.acts)).wide(),
    ];
    list(keys, place, empty, |keys| {
        table(td_string!(locale, api_keys.title), columns, keys.into_iter().map(|key| row(key, acts)).collect())
    })
}

fn row(key: ApiKey, acts: Acts) -> AnyView {
    let locale = locale();
    let off = (!key.active).then(|| pieces::badge(Tone::Neutral, Some(Icon::Pause), td_string!(locale, api_keys.off)));
    let ended = key.expires_at.is_some_and(|end| end <= crate::ui::clock::clock().started());
    let ended = ended.then(|| pieces::badge(Tone::Bad, Some(Icon::Clock), td_string!(locale, api_keys.ended)));
    let overlap = key.previous_until.map(|until| {
        view! {
            <p class="small muted">{td_string!(locale, api_keys.previous_until)} " " {pieces::exact_moment(until)}</p>
        }
    });
    let scopes = key.scopes.iter().map(|scope| view! { <li>{pieces::key(scope.clone())}</li> }).collect_view();
    let networks = (!key.networks.is_empty()).then(|| {
        let all = key.networks.join(" ");
        view! { <p class="small muted">{td_string!(locale, api_keys.only_from)} " " {pieces::key(all)}</p> }
    });
    let expires = || match key.expires_at {
        Some(end) => pieces::moment(end),
        None => td_string!(locale, api_keys.never).into_any(),
    };
    let holder = key.holder_name.clone();
    let (used, ip) = (key.last_used_at, key.last_used_ip.clone().map(pieces::key));
    let word = |word: &'static str| view! { <span>{word} {td_string!(locale, ui.colon)} " "</span> };
    let narrow = view! {
        <p class="narrow-only small muted">
            {word(td_string!(locale, api_keys.expires))} {expires()} " · " {word(td_string!(locale, api_keys.last_used))} {pieces::moment_or_dash(used)}
        </p>
    };
    view! {
        <tr>
            <td>
                <p class="row-of"><span class="strong">{pieces::typed(key.name.clone())}</span> {off} {ended}</p>
                <p class="small">{pieces::key(format!("{}…", key.prefix))}</p>
                <ul class="scope-row small" role="list">{scopes}</ul>
                {networks}
                {overlap}
                {narrow}
                // A phone has no room for them beside the key: there they stand below it, next to each other.
                <div class="narrow-only">{buttons(&key, acts)}</div>
            </td>
            <td class="wide-only">{pieces::typed(holder)}</td>
            <td class="wide-only small">{pieces::moment_or_dash(used)} " " {ip}</td>
            <td class="wide-only small">{expires()}</td>
            <td class="wide-only">{buttons(&key, acts)}</td>
        </tr>
    }
    .into_any()
}

/// What is about to be done to one key. The dialogs stand on the page once, whatever the number of keys.
#[derive(Clone, Copy)]
struct Acts {
    chosen: RwSignal<Option<ApiKey>>,
    rotating: RwSignal<bool>,
    deleting: RwSignal<bool>,
    call: Call,
    changed: Callback<()>,
}

impl Acts {
    fn new(changed: Callback<()>) -> Self {
        let (rotating, deleting) = (RwSignal::new(false), RwSignal::new(false));
        Acts { chosen: RwSignal::new(None), rotating, deleting, call: Call::new(), changed }
    }

    fn choose(self, key: &ApiKey, dialog: RwSignal<bool>) {
        self.call.error.set(None);
        self.chosen.set(Some(key.clone()));
        dialog.set(true);
    }

    fn name(self) -> String {
        self.chosen.with(|key| key.as_ref().map(|key| language::isolate(&key.name)).unwrap_or_default())
    }

    fn id(self) -> Option<ApiKeyId> {
        self.chosen.with_untracked(|key| key.as_ref().map(|key| key.id))
    }
}

fn dialogs(acts: Acts, made: RwSignal<Option<MadeApiKey>>) -> AnyView {
    let locale = locale();
    let toasts = toasts();
    let Acts { rotating, deleting, call, changed, .. } = acts;
    let rotate = Callback::new(move |()| {
        let Some(id) = acts.id() else { return };
        call.run(rotate_api_key(id, Rotation { overlap_hours: 24 }), move |answer| {
            rotating.set(false);
            made.set(Some(answer));
            changed.run(());
        });
    });
    let delete = Callback::new(move |()| {
        let Some(id) = acts.id() else { return };
        call.run(delete_api_key(id), move |()| {
            deleting.set(false);
            toasts.say(td_string!(locale, api_keys.deleted));
            changed.run(());
        });
    });
    view! {
        <Confirm
            id="rotate-key"
            open=rotating
            title=Signal::derive(move || td_string!(locale, api_keys.rotate_title, name = acts.name()).to_string())
            about=td_string!(locale, api_keys.rotate_about)
            word=td_string!(locale, api_keys.rotate)
            call
            act=rotate
        />
        <Confirm
            id="delete-key"
            open=deleting
            title=Signal::derive(move || td_string!(locale, api_keys.delete_title, name = acts.name()).to_string())
            about=td_string!(locale, api_keys.delete_about)
            word=td_string!(locale, api_keys.delete)
            danger=true
            call
            act=delete
        />
        {move || (!rotating.get() && !deleting.get()).then(|| fields::summary(call.error, |_field| None))}
    }
    .into_any()
}

fn buttons(key: &ApiKey, acts: Acts) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (id, active, version) = (key.id, key.active, key.version);
    let of_key = || view! { <span class="away">" " {pieces::typed(key.name.clone())}</span> };
    let switch = move |_| {
        let edit = ApiKeyEdit { active: Some(!active), version: Some(version), ..ApiKeyEdit::default() };
        acts.call.run(edit_api_key(id, edit), move |_key| acts.changed.run(()));
    };
    let switch_word = if active { td_string!(locale, api_keys.turn_off) } else { td_string!(locale, api_keys.turn_on) };
    let switch = (active || key.is_own).then(|| {
        view! {
            <button class="btn sm" type="button" disabled=move || !live.get() || acts.call.waits() on:click=switch>
                {icon(if active { Icon::Pause } else { Icon::Play })}
                {switch_word}
                {of_key()}
            </button>
        }
    });
    let rotate = key.is_own.then(|| {
        let key = key.clone();
        let of_key = of_key();
        view! {
            <button
                class="btn sm"
                type="button"
                disabled=move || !live.get()
                on:click=move |_| acts.choose(&key, acts.rotating)
            >
                {icon(Icon::Refresh)}
                {td_string!(locale, api_keys.rotate)}
                {of_key}
            </button>
        }
    });
    let chosen = key.clone();
    view! {
        <div class="row-of">
            {switch}
            {rotate}
            <button
                class="btn danger sm"
                type="button"
                disabled=move || !live.get()
                on:click=move |_| acts.choose(&chosen, acts.deleting)
            >
                {icon(Icon::Remove)}
                {td_string!(locale, api_keys.delete)}
                {of_key()}
            </button>
        </div>
    }
    .into_any()
}
