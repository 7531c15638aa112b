//! The pages about tenants.

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    base::language::{self, td_string},
    sessions::EnteredTenant,
    tenants::{Plan, TenantStatus, calls::leave_tenant},
    ui::{
        browser,
        calls::Call,
        fields,
        icons::{Icon, icon},
        is_live,
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
    },
};

mod list;
mod tenant;

use list::TenantsPage;
use tenant::{NewTenantPage, TenantPage};

/// The band across the top of every page while a super-admin is in another tenant. It cannot be put away.
#[component]
pub fn VisitBand(entered: EnteredTenant) -> impl IntoView {
    let locale = locale();
    let (call, live) = (Call::new(), is_live());
    let leave = move |_| call.run(leave_tenant(), move |()| browser::leave_for(PATH));
    let words = td_string!(locale, tenants.band, name = language::isolate(&entered.name)).to_string();
    view! {
        <section class="acting-band" aria-label=td_string!(locale, tenants.band_label)>
            {icon(Icon::Door)}
            <p class="grow">
                <span class="strong">{pieces::sentence(&words)}</span>
                " "
                <span class="small">{td_string!(locale, tenants.band_ends)} " " {pieces::moment(entered.until)}</span>
            </p>
            <button class="btn sm" type="button" disabled=move || !live.get() || call.waits() on:click=leave>
                {icon(Icon::Out)}
                {td_string!(locale, tenants.leave)}
            </button>
            {fields::summary(call.error, |_field| None)}
        </section>
    }
    .into_any()
}

const PATH: &str = "/console/tenants";

lazy_pages! {
    (draw_tenants, load_tenants)
    Tenants: TenantsRoute => TenantsPage,
    NewTenant: NewTenantRoute => NewTenantPage,
    Tenant: TenantRoute => TenantPage,
}

#[component(transparent)]
pub fn TenantRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("tenants") view={Lazy::<TenantsRoute>::new()} />
        <Route path=path!("tenants/new") view={Lazy::<NewTenantRoute>::new()} />
        <Route path=path!("tenants/:id") view={Lazy::<TenantRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

fn plan_word(plan: Plan) -> &'static str {
    let locale = locale();
    match plan {
        Plan::Free => td_string!(locale, tenants.plan_free),
        Plan::Pro => td_string!(locale, tenants.plan_pro),
        Plan::Enterprise => td_string!(locale, tenants.plan_enterprise),
    }
}

fn status_badge(status: TenantStatus) -> AnyView {
    let locale = locale();
    match status {
        TenantStatus::Active => {
            pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, tenants.status_active))
        }
        TenantStatus::Suspended => {
            pieces::badge(Tone::Bad, Some(Icon::Pause), td_string!(locale, tenants.status_suspended))
        }
    }
}

/// The names of the fields of a tenant, for forms and for their errors.
fn label(field: &str) -> Option<&'static str> {
    let locale = locale();
    match field {
        "name" => Some(td_string!(locale, tenants.name)),
        "plan" => Some(td_string!(locale, tenants.plan)),
        "reason" => Some(td_string!(locale, tenants.reason)),
        "admin.email" | "email" => Some(td_string!(locale, tenants.admin_email)),
        "admin.name" => Some(td_string!(locale, tenants.admin_name)),
        _ => None,
    }
}
