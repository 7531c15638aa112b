//! The page of one tenant, and the page that creates one.

use leptos::{ev::SubmitEvent, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::{PATH, label, plan_word, status_badge};
use crate::{
    access::TENANTS_CREATE,
    accounts::pages::link::OneTimeLink,
    base::{
        errors::AppError,
        habits::number,
        ids::TenantId,
        language::{self, td_string},
    },
    tenants::{
        CreatedTenant, NewAdmin, NewTenant, Plan, Tenant, TenantEdit, TenantStatus, TenantStatusChange, Visit,
        calls::{create_tenant, edit_tenant, enter_tenant, get_tenant, set_tenant_status},
    },
    ui::{
        address,
        browser::{self, Typed},
        calls::Call,
        dialog::{Confirm, Dialog, form_end},
        fields::{self, Field, Select, field_error},
        icons::{Icon, icon},
        is_live, locale, pieces, states,
        toasts::toasts,
        viewer::{Held, viewer},
    },
};

#[component]
pub fn NewTenantPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    view! {
        <Title text=td_string!(locale, tenants.create) />
        <div class="page-head"><h1>{td_string!(locale, tenants.create)}</h1></div>
        <Suspense fallback=move || states::loading_form(4)>
            {move || {
                let viewer = viewer.clone();
                Suspend::new(async move {
                    match viewer.holds().await.may(TENANTS_CREATE.as_str()) {
                        true => new_form(),
                        false => states::refused(TENANTS_CREATE.as_str()),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn new_form() -> AnyView {
    let locale = locale();
    let (call, created) = (Call::new(), RwSignal::new(None::<CreatedTenant>));
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let email = typed.text("admin.email");
        let admin = (!email.trim().is_empty()).then(|| NewAdmin {
            email,
            name: typed.text("admin.name"),
            locale: Some(language::code(locale).to_owned()),
            mail_link: !typed.all("mail_link").is_empty(),
        });
        let plan = Plan::parse(&typed.text("plan")).unwrap_or_default();
        call.run(create_tenant(NewTenant { name: typed.text("name"), plan, admin }), move |made| {
            created.set(Some(made));
        });
    };
    let form = move || {
        view! {
            <form class="stack" on:submit=submit>
                {fields::summary(call.error, label)}
                <div class="card padded">
                    <div class="form-grid">
                        {name_and_plan("", Plan::Free, call)}
                    </div>
                </div>
                <section class="card padded" aria-labelledby="admin-title">
                    <h2 id="admin-title">{td_string!(locale, tenants.admin)}</h2>
                    <p class="small muted">{td_string!(locale, tenants.admin_about)}</p>
                    <div class="form-grid">
                        <Field
                            name="admin.email"
                            label=td_string!(locale, tenants.admin_email)
                            kind="email"
                            ltr=true
                            autocomplete="off"
                            error=field_error(call.error, "admin.email")
                        />
                        <Field
                            name="admin.name"
                            label=td_string!(locale, tenants.admin_name)
                            longest="200"
                            autocomplete="off"
                            error=field_error(call.error, "admin.name")
                        />
                        <div class="check whole">
                            <input type="checkbox" id="mail-link" name="mail_link" value="yes" />
                            <label class="about" for="mail-link">
                                {td_string!(locale, tenants.admin_mail)}
                                <span class="hint">{td_string!(locale, tenants.admin_mail_about)}</span>
                            </label>
                        </div>
                    </div>
                </section>
                <div class="row-of">
                    <button class="btn primary" type="submit" disabled=move || call.waits()>
                        {td_string!(locale, tenants.create)}
                    </button>
                    <a class="btn ghost" href=PATH>{td_string!(locale, ui.cancel)}</a>
                </div>
            </form>
        }
        .into_any()
    };
    view! { {move || created.get().map_or_else(form, done)} }.into_any()
}

fn done(created: CreatedTenant) -> AnyView {
    let locale = locale();
    let href = format!("{PATH}/{}", created.tenant.id);
    view! {
        <div class="card padded" role="status">
            <h2>{td_string!(locale, tenants.created)}</h2>
            {created.admin.map(|added| view! { <OneTimeLink added /> })}
            <div class="row-of">
                <a class="btn" href=href>{td_string!(locale, tenants.open)}</a>
            </div>
        </div>
    }
    .into_any()
}

fn name_and_plan(name: &str, plan: Plan, call: Call) -> AnyView {
    let locale = locale();
    let plans = Plan::ALL.map(|plan| (plan.as_str().to_owned(), plan_word(plan).to_owned()));
    view! {
        <Field
            name="name"
            label=td_string!(locale, tenants.name)
            value=name.to_owned()
            required=true
            longest="120"
            error=field_error(call.error, "name")
        />
        <Select
            name="plan"
            label=td_string!(locale, tenants.plan)
            options=plans.to_vec()
            value=plan.as_str()
            error=field_error(call.error, "plan")
        />
    }
    .into_any()
}

#[component]
pub fn TenantPage() -> impl IntoView {
    let viewer = viewer();
    let params = use_params_map();
    let id =
        address::settled(move || params.with(|params| params.get_str("id").and_then(|id| id.parse::<TenantId>().ok())));
    let tenant = Resource::new_blocking(
        move || id.get(),
        |id| async move {
            match id {
                Some(id) => get_tenant(id).await,
                None => Err(AppError::NotFound),
            }
        },
    );
    let changed = Callback::new(move |()| tenant.refetch());
    view! {
        <Suspense fallback=move || states::loading_form(4)>
            {move || {
                let viewer = viewer.clone();
                Suspend::new(async move {
                    match tenant.await {
                        Ok(tenant) => page(&tenant, &viewer.holds().await, changed),
                        Err(error) => not_shown(&error),
                    }
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// A page without its tenant still has a title.
fn not_shown(error: &AppError) -> AnyView {
    let locale = locale();
    view! {
        <Title text=td_string!(locale, tenants.tenant) />
        <h1>{td_string!(locale, tenants.tenant)}</h1>
        {states::failure(error)}
        <p class="row-of"><a class="btn" href=PATH>{td_string!(locale, app.tenants)}</a></p>
    }
    .into_any()
}

fn page(tenant: &Tenant, held: &Held, changed: Callback<()>) -> AnyView {
    let locale = locale();
    // What nobody holds who is not of the platform.
    let is_platform = held.may(TENANTS_CREATE.as_str());
    let first = tenant.is_first.then(|| {
        view! { <p class="small muted">{td_string!(locale, tenants.first)} ". " {td_string!(locale, tenants.first_about)}</p> }
    });
    let body = match is_platform {
        true => editor(tenant, changed),
        false => view! {
            <section class="card padded">
                <p><span class="muted">{td_string!(locale, tenants.plan)}</span> " " {plan_word(tenant.plan)}</p>
                <p class="small muted">{td_string!(locale, tenants.fixed)}</p>
            </section>
        }
        .into_any(),
    };
    view! {
        <Title text=tenant.name.clone() />
        <div class="page-head">
            <div class="grow">
                <h1>{pieces::typed(tenant.name.clone())}</h1>
                <p class="row-of">
                    {status_badge(tenant.status)}
                    <span class="small muted">
                        {td_string!(locale, tenants.people)} " " {number(tenant.people)}
                    </span>
                    <span class="small muted">
                        {td_string!(locale, tenants.created_at)} " " {pieces::moment(tenant.created_at)}
                    </span>
                </p>
                {first}
            </div>
            // Where the platform is at home already.
            {(is_platform && !tenant.is_first).then(|| enter_act(tenant))}
            {(is_platform && !tenant.is_first).then(|| status_act(tenant, changed))}
        </div>
        {body}
    }
    .into_any()
}

fn editor(tenant: &Tenant, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let (call, toasts) = (Call::new(), toasts());
    let (id, version) = (tenant.id, tenant.version);
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        let edit = TenantEdit {
            name: Some(typed.text("name")),
            plan: Plan::parse(&typed.text("plan")),
            reason: typed.optional("reason"),
            version: Some(version),
        };
        call.run(edit_tenant(id, edit), move |_tenant| {
            toasts.say(td_string!(locale, tenants.saved));
            changed.run(());
        });
    };
    view! {
        <form class="stack" on:submit=submit>
            {fields::summary(call.error, label)}
            <div class="card padded">
                <div class="form-grid">
                    {name_and_plan(&tenant.name, tenant.plan, call)}
                    <Field
                        name="reason"
                        label=td_string!(locale, tenants.reason)
                        hint=td_string!(locale, tenants.reason_hint)
                        longest="500"
                        error=field_error(call.error, "reason")
                    />
                </div>
            </div>
            <div class="row-of">
                <button class="btn primary" type="submit" disabled=move || call.waits()>
                    {td_string!(locale, tenants.save)}
                </button>
            </div>
        </form>
    }
    .into_any()
}

fn status_act(tenant: &Tenant, changed: Callback<()>) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (open, call, toasts) = (RwSignal::new(false), Call::new(), toasts());
    let (id, version) = (tenant.id, tenant.version);
    let name = language::isolate(&tenant.name);
    let is_active = tenant.status == TenantStatus::Active;
    let (status, sign, word, title, about, done) = if is_active {
        (
            TenantStatus::Suspended,
            Icon::Pause,
            td_string!(locale, tenants.suspend),
            td_string!(locale, tenants.suspend_title, name = name).to_string(),
            td_string!(locale, tenants.suspend_about),
            td_string!(locale, tenants.suspended),
        )
    } else {
        (
            TenantStatus::Active,
            Icon::Play,
            td_string!(locale, tenants.resume),
            td_string!(locale, tenants.resume_title, name = name).to_string(),
            td_string!(locale, tenants.resume_about),
            td_string!(locale, tenants.resumed),
        )
    };
    let act = Callback::new(move |()| {
        let change = TenantStatusChange { status, reason: None, version: Some(version) };
        call.run(set_tenant_status(id, change), move |_tenant| {
            open.set(false);
            toasts.say(done);
            changed.run(());
        });
    });
    let class = if is_active { "btn danger" } else { "btn" };
    view! {
        <button class=class type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(sign)}
            {word}
        </button>
        <Confirm id="tenant-status" open title=title about=about word danger=is_active call act />
    }
    .into_any()
}

fn enter_act(tenant: &Tenant) -> AnyView {
    let locale = locale();
    let live = is_live();
    let (open, call, id) = (RwSignal::new(false), Call::new(), tenant.id);
    let title = td_string!(locale, tenants.enter_title, name = language::isolate(&tenant.name)).to_string();
    let submit = move |event: SubmitEvent| {
        let Some(typed) = Typed::take(&event) else { return };
        call.run(enter_tenant(id, Visit { reason: typed.text("reason") }), move |()| browser::leave_for("/console"));
    };
    view! {
        <button class="btn" type="button" disabled=move || !live.get() on:click=move |_| open.set(true)>
            {icon(Icon::Door)}
            {td_string!(locale, tenants.enter)}
        </button>
        <Dialog id="enter-tenant" open title=title>
            <p class="muted">{td_string!(locale, tenants.enter_about)}</p>
            {fields::summary(call.error, label)}
            <form class="stack" on:submit=submit>
                <Field
                    name="reason"
                    own="enter-reason".to_owned()
                    label=td_string!(locale, tenants.enter_reason)
                    required=true
                    longest="500"
                    error=field_error(call.error, "reason")
                />
                {form_end(open, call, td_string!(locale, tenants.enter))}
            </form>
        </Dialog>
    }
    .into_any()
}
