//! The pages that explain, and those that keep policies.

use leptos::prelude::*;
use leptos_router::{
    Lazy,
    any_nested_route::{AnyNestedRoute, IntoAnyNestedRoute as _},
    components::Route,
    path,
};

use crate::{
    access::PolicyMode,
    base::language::td_string,
    policies::Policy,
    ui::{
        icons::Icon,
        lazy::lazy_pages,
        locale,
        pieces::{self, Tone},
    },
};

mod designer;
mod editor;
mod explain;
mod graph;
mod list;
mod policy;
mod rego;

use explain::ExplainPage;
use graph::GraphPage;
use list::PoliciesPage;
use policy::{NewPolicyPage, PolicyPage};

const PATH: &str = "/console/policies";

lazy_pages! {
    (draw_policies, load_policies)
    Explain: ExplainRoute => ExplainPage,
    Graph: GraphRoute => GraphPage,
    Policies: PoliciesRoute => PoliciesPage,
    NewPolicy: NewPolicyRoute => NewPolicyPage,
    Policy: PolicyRoute => PolicyPage,
}

#[component(transparent)]
pub fn PolicyRoutes() -> AnyNestedRoute {
    view! {
        <Route path=path!("explain") view={Lazy::<ExplainRoute>::new()} />
        <Route path=path!("graph") view={Lazy::<GraphRoute>::new()} />
        <Route path=path!("policies") view={Lazy::<PoliciesRoute>::new()} />
        <Route path=path!("policies/new") view={Lazy::<NewPolicyRoute>::new()} />
        <Route path=path!("policies/:id") view={Lazy::<PolicyRoute>::new()} />
    }
    .into_inner()
    .into_any_nested_route()
}

fn mode_word(mode: PolicyMode) -> &'static str {
    match mode {
        PolicyMode::Grant => td_string!(locale(), policies.mode_grant),
        PolicyMode::Require => td_string!(locale(), policies.mode_require),
    }
}

/// Whether a policy is enforced, and whether something newer was saved.
fn state(policy: &Policy) -> AnyView {
    let locale = locale();
    match policy.active {
        None => pieces::badge(Tone::Neutral, None, td_string!(locale, policies.draft)),
        Some(active) if active == policy.latest => {
            pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, policies.enforced))
        }
        Some(_) => pieces::badge(Tone::Waiting, Some(Icon::Clock), td_string!(locale, policies.newer_draft)),
    }
}
