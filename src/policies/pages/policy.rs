//! The page of one policy with its versions, and the page that makes one.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_params_map},
};

use super::{
    PATH,
    editor::{PolicyForm, editor, pretty},
    mode_word, rego, state,
};
use crate::{
    access::{POLICIES_CREATE, POLICIES_DELETE, POLICIES_UPDATE, PolicyLanguage},
    approvals::pages::ask::{AskApproval, Asking},
    base::{
        errors::AppError,
        ids::PolicyId,
        language::{self, td_string},
    },
    policies::{
        Activation, AskedPolicy, Document, NewPolicy, Policy, PolicyEdit, Saved,
        calls::{
            activate_policy, create_policy, deactivate_policy, delete_policy, edit_policy, get_policy, policy_versions,
            preview_policy, request_policy,
        },
    },
    roles::{Effect as Foreseen, pages::effect},
    ui::{
        address,
        calls::Call,
        dialog::{Confirm, Dialog},
        fields,
        icons::{Icon, icon},
        is_live, locale,
        pieces::{self, Tone},
        states,
        toasts::toasts,
        unsaved::Unsaved,
        viewer::{Held, viewer},
    },
};

#[component]
pub fn NewPolicyPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let language = address::query_field("language");
    view! {
        <Title text=td_string!(locale, policies.create) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, policies.create)}</h1>
                <p class="small muted">{td_string!(locale, policies.create_about)}</p>
            </div>
        </div>
        <Suspense fallback=move || states::loading_form(5)>
            {move || {
                let viewer = viewer.clone();
                Suspend::new(async move {
                    if viewer.holds().await.may(POLICIES_CREATE.as_str()) {
                        rego::choose(language.get(), new_form)
                    } else {
                        states::refused(POLICIES_CREATE.as_str())
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn new_form(language: PolicyLanguage) -> AnyView {
    let locale = locale();
    let (call, toasts, navigate) = (Call::new(), toasts(), use_navigate());
    let unsaved = Unsaved::new(format!("policy/new/{}", language.as_str()), 0);
    let save = Callback::new(move |form: PolicyForm| {
        let navigate = navigate.clone();
        let PolicyForm { name, description, document } = form;
        let Document { mode, actions, rules, language, module, tests } = document;
        let policy = NewPolicy { name, description, mode, actions, rules, language, module, tests, active: false };
        call.run(create_policy(policy), move |policy: Policy| {
            unsaved.forget();
            toasts.say(td_string!(locale, policies.created));
            navigate(&format!("{PATH}/{}", policy.id), NavigateOptions::default());
        });
    });
    editor(None, language, td_string!(locale, policies.save_draft), call, save, unsaved)
}

#[component]
pub fn PolicyPage() -> impl IntoView {
    let viewer = viewer();
    let params = use_params_map();
    let id =
        address::settled(move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<PolicyId>().ok())));
    let found = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => Ok((get_policy(id).await?, policy_versions(id).await?)),
                None => Err(AppError::NotFound),
            }
        },
    );
    let changed = Callback::new(move |()| found.refetch());
    view! {
        <Suspense fallback=move || states::loading_form(5)>
            {move || {
                let viewer = viewer.clone();
                Suspend::new(async move {
                    match found.await {
                        Ok((policy, versions)) => page(&policy, versions, &viewer.holds().await, changed),
                        Err(error) => {
                            let title = td_string!(locale(), policies.policies);
                            view! { <Title text=title /> {states::failure(&error)} }.into_any()
                        }
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn page(policy: &Policy, versions: Vec<Saved>, held: &Held, changed: Callback<()>) -> AnyView {
    let may_update = held.may(POLICIES_UPDATE.as_str());
    let delete = held.may(POLICIES_DELETE.as_str()).then(|| delete_act(policy));
    let document = if may_update {
        form(policy, changed)
    } else {
        let actions = policy.document.actions.iter().map(|key| view! { <li>{pieces::key(key.clone())}</li> });
        view! {
            <section class="card padded stack">
                <p dir="auto">{policy.description.clone()}</p>
                <p>{mode_word(policy.document.mode)}</p>
                <ul class="plain-list" role="list">{actions.collect_view()}</ul>
                {written(&policy.document)}
            </section>
        }
        .into_any()
    };
    view! {
        <Title text=policy.name.clone() />
        <div class="page-head">
            <div class="grow">
                <h1 class="breaks">{pieces::typed_in_parts(&policy.name)}</h1>
                <p>{state(policy)}</p>
            </div>
            {delete}
        </div>
        {document}
        {versions_card(policy, versions, may_update, changed)}
    }
    .into_any()
}

fn written(document: &Document) -> AnyView {
    match document.language {
        PolicyLanguage::Rules => rego::code(pretty(&document.rules)),
        PolicyLanguage::Rego | PolicyLanguage::Opa => rego::shown(document),
    }
}

fn form(policy: &Policy, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let (id, version) = (policy.id, policy.version);
    let unsaved = Unsaved::new(format!("policy/{id}"), version);
    let save = Callback::new(move |form: PolicyForm| {
        let has_rules = form.document.language == PolicyLanguage::Rules;
        let edit = PolicyEdit {
            name: Some(form.name),
            description: Some(form.description),
            mode: Some(form.document.mode),
            actions: Some(form.document.actions),
            rules: has_rules.then_some(form.document.rules),
            module: (!has_rules).then_some(form.document.module),
            tests: (!has_rules).then_some(form.document.tests),
            version: Some(version),
        };
        call.run(edit_policy(id, edit), move |_policy| {
            unsaved.forget();
            toasts.say(td_string!(locale, policies.saved));
            changed.run(());
        });
    });
    editor(Some(policy), policy.document.language, td_string!(locale, policies.save_draft), call, save, unsaved)
}

/// What is asked for: a version, or none, to be in force.
type Wanted = RwSignal<Option<Option<i32>>>;

fn versions_card(policy: &Policy, versions: Vec<Saved>, may_update: bool, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let wanted = Wanted::new(None);
    let active = policy.active;
    let before = versions.iter().skip(1).map(|saved| Some(saved.document.clone())).chain([None]).collect::<Vec<_>>();
    let lines = versions.into_iter().zip(before).map(|(saved, before)| {
        let number = saved.number;
        let changes = before.and_then(|before| rego::changes(&before, &saved.document));
        let is_active = active == Some(number);
        let act = match (may_update, is_active) {
            (false, _) => None,
            (true, true) => Some((td_string!(locale, policies.deactivate), None)),
            (true, false) => Some((td_string!(locale, policies.activate_it), Some(number))),
        };
        let act = act.map(|(word, to)| {
            let name = td_string!(locale, policies.act_on, act = word, number = number).to_string();
            view! {
                <button
                    class="btn sm"
                    type="button"
                    aria-label=name
                    disabled=move || !live.get()
                    on:click=move |_| wanted.set(Some(to))
                >
                    {word}
                </button>
            }
        });
        let by = saved.saved_by.map(|name| view! { " · " {pieces::typed(name)} });
        let badge =
            is_active.then(|| pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, policies.enforced)));
        view! {
            <li class="padded stack">
                <div class="row-of">
                    <p class="grow">
                        <span class="strong">
                            {td_string!(locale, policies.version_number, number = number).to_string()}
                        </span>
                        " "
                        <span class="small muted">{pieces::moment(saved.saved_at)} {by}</span>
                        " "
                        {badge}
                    </p>
                    {act}
                </div>
                <details>
                    <summary>{td_string!(locale, policies.show_rules)}</summary>
                    <p class="small">{mode_word(saved.document.mode)}</p>
                    {written(&saved.document)}
                    {changes}
                </details>
            </li>
        }
    });
    let lines = lines.collect_view();
    let dialog = may_update.then(|| activation(policy, wanted, changed));
    view! {
        <section class="card" aria-labelledby="versions-title">
            <div class="card-head">
                <div class="grow">
                    <h2 id="versions-title">{td_string!(locale, policies.versions)}</h2>
                    <p class="small muted">{td_string!(locale, policies.versions_about)}</p>
                </div>
            </div>
            <ul class="plain-list" role="list">{lines}</ul>
        </section>
        {dialog}
    }
    .into_any()
}

/// Shows what putting a version into force does to whom, and does it.
fn activation(policy: &Policy, wanted: Wanted, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (id, version) = (policy.id, policy.version);
    let (open, foreseen) = (RwSignal::new(false), RwSignal::new(None::<Foreseen>));
    let (ask, call, toasts) = (Call::new(), Call::new(), toasts());
    Effect::new(move |_| {
        if let Some(number) = wanted.get() {
            foreseen.set(None);
            call.error.set(None);
            open.set(true);
            ask.run(preview_policy(id, number), move |effect| foreseen.set(Some(effect)));
        }
    });
    Effect::new(move |_| {
        if !open.get() {
            wanted.set(None);
        }
    });
    let title = Signal::derive(move || match wanted.get() {
        Some(Some(number)) => td_string!(locale, policies.activate_title, number = number).to_string(),
        Some(None) | None => td_string!(locale, policies.deactivate_title).to_owned(),
    });
    let act = move |_| {
        let done = move |_policy: Policy| {
            open.set(false);
            toasts.say(td_string!(locale, policies.changed));
            changed.run(());
        };
        match wanted.get_untracked() {
            Some(Some(number)) => {
                let activation = Activation { number: Some(number), version: Some(version) };
                call.run(activate_policy(id, activation), done);
            }
            Some(None) => call.run(deactivate_policy(id, Some(version)), done),
            None => {}
        }
    };
    let ask_others = Callback::new(move |asking: Asking| {
        let Some(number) = wanted.get_untracked() else { return };
        let asked = AskedPolicy { number, reason: asking.reason.clone(), version: Some(version) };
        asking.run(request_policy(id, asked));
    });
    let asked = Callback::new(move |()| open.set(false));
    let word = move || match wanted.get() {
        Some(Some(_)) => td_string!(locale, policies.activate_it),
        Some(None) | None => td_string!(locale, policies.deactivate),
    };
    let body = move || match (foreseen.get(), ask.error.with(Option::is_some)) {
        (Some(found), _) => view! {
            {effect::refused(found.refused.as_ref())}
            {effect::people(&found)}
            {effect::lines(found)}
        }
        .into_any(),
        (None, true) => ().into_any(),
        (None, false) => states::bones(3),
    };
    view! {
        <Dialog id="activate-policy" open title>
            {fields::summary(ask.error, |_field| None)}
            {body}
            {fields::summary(call.error, |_field| None)}
            <AskApproval refused=call ask=ask_others stated=Signal::stored(String::new()) done=asked />
            <div class="row-of end">
                <button class="btn" type="button" on:click=move |_| open.set(false)>
                    {td_string!(locale, ui.cancel)}
                </button>
                <button
                    class="btn primary"
                    type="button"
                    disabled=move || call.waits() || foreseen.with(Option::is_none)
                    on:click=act
                >
                    {word}
                </button>
            </div>
        </Dialog>
    }
    .into_any()
}

fn delete_act(policy: &Policy) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (open, call, toasts, navigate) = (RwSignal::new(false), Call::new(), toasts(), use_navigate());
    let (id, version) = (policy.id, policy.version);
    let title = td_string!(locale, policies.delete_title, name = language::isolate(&policy.name)).to_string();
    let act = Callback::new(move |()| {
        let navigate = navigate.clone();
        call.run(delete_policy(id, Some(version)), move |()| {
            toasts.say(td_string!(locale, policies.deleted));
            navigate(PATH, NavigateOptions::default());
        });
    });
    view! {
        <button class="btn danger" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(Icon::Remove)}
            {td_string!(locale, policies.delete)}
        </button>
        <Confirm
            id="delete-policy"
            open
            title
            about=td_string!(locale, policies.delete_about)
            word=td_string!(locale, policies.delete)
            danger=true
            call
            act
        />
    }
    .into_any()
}
