//! Why somebody may or may not do something, in sentences.

use leptos::prelude::*;

use super::bounds;
use crate::{
    access::{EffectivePermission, Reason, Scope},
    base::{
        language::{self, td_string},
        time::Timestamp,
    },
    ui::{
        icons::{Icon, icon},
        locale,
        pieces::{self, Tone},
    },
};

/// The answer as a badge.
pub fn answer_badge(effective: &EffectivePermission) -> AnyView {
    let locale = locale();
    if effective.allowed {
        pieces::badge(Tone::Good, Some(Icon::Allowed), td_string!(locale, roles.held))
    } else if effective.because.iter().any(|reason| matches!(reason, Reason::Denied { .. })) {
        pieces::badge(Tone::Bad, Some(Icon::Denied), td_string!(locale, roles.refused))
    } else {
        pieces::badge(Tone::Neutral, None, td_string!(locale, roles.not_held))
    }
}

/// What roles alone would give: the names of the roles from which the permission comes.
pub fn inherited(effective: &EffectivePermission) -> String {
    let locale = locale();
    if effective.because.contains(&Reason::Inactive) {
        return td_string!(locale, roles.because_inactive).to_owned();
    }
    let mut names = Vec::new();
    for reason in &effective.because {
        if let Reason::Role { role, .. } = reason {
            let name = language::isolate(&role.name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        td_string!(locale, roles.inherits_nothing).to_owned()
    } else {
        let names = names.join(td_string!(locale, base.list_separator));
        td_string!(locale, roles.inherits_from, roles = names).to_string()
    }
}

/// All reasons, a line each: the sentence, and the way from the person to the permission.
pub fn all(effective: &EffectivePermission) -> AnyView {
    let lines = effective.because.iter().map(|reason| {
        view! { <li><span>{pieces::sentence(&sentence(reason))}</span> {path(reason, &effective.key)}</li> }
    });
    view! { <ul class="reasons">{lines.collect_view()}</ul> }.into_any()
}

/// The way from what was given to the permission it opens or shuts. The sentence says the same in words.
fn path(reason: &Reason, key: &str) -> Option<AnyView> {
    let (before, through) = match reason {
        Reason::Role { role, through, groups, inherited, .. } => {
            let groups = groups.iter().map(|group| (Icon::People, group.name.clone()));
            let roles = std::iter::once(role).chain(inherited).map(|role| (Icon::Role, role.name.clone()));
            (groups.chain(roles).collect::<Vec<_>>(), through)
        }
        Reason::Allowed { through, .. } | Reason::Denied { through, .. } | Reason::Protected { through } => {
            (Vec::new(), through)
        }
        Reason::PolicyAllows { .. }
        | Reason::PolicyDenies { .. }
        | Reason::PolicyFails { .. }
        | Reason::PolicyOpen { .. }
        | Reason::PolicyOutside { .. }
        | Reason::Inactive
        | Reason::NothingGrants => return None,
    };
    let stop = |(sign, name): (Icon, String)| {
        view! { <span class="stop">{icon(sign)} <bdi>{name}</bdi></span> {icon(Icon::Forward)} }
    };
    let role = before.into_iter().map(stop).collect_view();
    let wildcard =
        (through != key).then(|| view! { <span class="stop">{pieces::key(through)}</span> {icon(Icon::Forward)} });
    Some(view! { <span class="path" aria-hidden="true">{role} {wildcard} <span class="stop">{pieces::key(key)}</span></span> }.into_any())
}

/// One reason as a sentence for `pieces::sentence`.
pub fn sentence(reason: &Reason) -> String {
    let locale = locale();
    match reason {
        Reason::Role { role, through, scope, expires_at, groups, inherited } => {
            let sentence = td_string!(
                locale,
                roles.because_role,
                role = language::isolate(&role.name),
                through = pieces::isolate_key(through)
            );
            let names = |names: Vec<&str>| {
                let names = names.into_iter().map(language::isolate).collect::<Vec<_>>();
                names.join(td_string!(locale, base.path_separator))
            };
            let inherited = (!inherited.is_empty()).then(|| {
                let path = names(inherited.iter().map(|role| role.name.as_str()).collect());
                td_string!(locale, roles.because_inherited, path = path).to_string()
            });
            let groups = (!groups.is_empty()).then(|| {
                let path = names(groups.iter().map(|group| group.name.as_str()).collect());
                td_string!(locale, roles.because_group, path = path).to_string()
            });
            let parts = [Some(sentence.to_string()), inherited, groups].into_iter().flatten().collect::<Vec<_>>();
            with_bounds(parts.join(td_string!(locale, base.list_separator)), Some(scope), *expires_at, None)
        }
        Reason::Allowed { through, expires_at, reason } => {
            let sentence = td_string!(locale, roles.because_allowed, through = pieces::isolate_key(through));
            with_bounds(sentence.to_string(), None, *expires_at, reason.as_deref())
        }
        Reason::Denied { through, expires_at, reason } => {
            let sentence = td_string!(locale, roles.because_denied, through = pieces::isolate_key(through));
            with_bounds(sentence.to_string(), None, *expires_at, reason.as_deref())
        }
        Reason::Protected { through } => {
            td_string!(locale, roles.because_protected, through = pieces::isolate_key(through)).to_string()
        }
        Reason::PolicyAllows { policy } => {
            td_string!(locale, roles.because_policy_allows, policy = pieces::isolate_key(&policy.name)).to_string()
        }
        Reason::PolicyDenies { policy } => {
            td_string!(locale, roles.because_policy_denies, policy = pieces::isolate_key(&policy.name)).to_string()
        }
        Reason::PolicyFails { policy } => {
            td_string!(locale, roles.because_policy_fails, policy = pieces::isolate_key(&policy.name)).to_string()
        }
        Reason::PolicyOpen { policy } => {
            td_string!(locale, roles.because_policy_open, policy = pieces::isolate_key(&policy.name)).to_string()
        }
        Reason::PolicyOutside { policy } => {
            td_string!(locale, roles.because_policy_outside, policy = pieces::isolate_key(&policy.name)).to_string()
        }
        Reason::Inactive => td_string!(locale, roles.because_inactive).to_owned(),
        Reason::NothingGrants => td_string!(locale, roles.because_nothing).to_owned(),
    }
}

fn with_bounds(sentence: String, scope: Option<&Scope>, until: Option<Timestamp>, why: Option<&str>) -> String {
    let parts = std::iter::once(sentence).chain(bounds::phrases(scope, until, why)).collect::<Vec<_>>();
    parts.join(td_string!(locale(), base.list_separator))
}
