//! The places of the console: what the menu shows and the palette finds.

use crate::base::language::td_string;

use crate::{
    access::{
        API_KEYS_MANAGE, AUDIT_READ, CONSENTS_READ, GROUPS_READ, PERMISSIONS_READ, POLICIES_READ, Permission,
        REPORTS_READ, ROLES_READ, SETTINGS_READ, TENANTS_READ, USERS_READ,
    },
    i18n::Locale,
    sessions::Me,
    ui::icons::Icon,
};

/// A page with an entry in the menu.
#[derive(Clone)]
pub struct Place {
    pub href: &'static str,
    pub sign: Icon,
    /// Its name in a language.
    pub name: fn(Locale) -> &'static str,
    /// A shorter name for the bar on a phone, where the name is long.
    pub short: Option<fn(Locale) -> &'static str>,
    needed: Option<Permission>,
    /// It is not one of the console's pages: the browser goes there.
    pub outside: bool,
}

/// The place whose entry tells how much waits there.
pub const APPROVALS: &str = "/console/approvals";

/// All places that this person may open, in the order of the menu.
pub fn places(me: &Me) -> Vec<Place> {
    let inside = |href, sign, name, needed| Place { href, sign, name, short: None, needed, outside: false };
    let all: [Place; 17] = [
        inside("/console", Icon::Home, |locale| td_string!(locale, app.home), None),
        inside("/console/people", Icon::People, |locale| td_string!(locale, app.people), Some(USERS_READ)),
        inside("/console/roles", Icon::Role, |locale| td_string!(locale, app.roles), Some(ROLES_READ)),
        Place {
            short: Some(|locale| td_string!(locale, app.studio_short)),
            ..inside("/console/studio", Icon::Key, |locale| td_string!(locale, app.studio), Some(PERMISSIONS_READ))
        },
        inside("/console/groups", Icon::Group, |locale| td_string!(locale, app.groups), Some(GROUPS_READ)),
        inside(
            "/console/permissions",
            Icon::Lock,
            |locale| td_string!(locale, app.permissions),
            Some(PERMISSIONS_READ),
        ),
        inside("/console/policies", Icon::Policy, |locale| td_string!(locale, app.policies), Some(POLICIES_READ)),
        inside("/console/explain", Icon::Why, |locale| td_string!(locale, app.explain), Some(PERMISSIONS_READ)),
        inside("/console/graph", Icon::Graph, |locale| td_string!(locale, app.graph), Some(PERMISSIONS_READ)),
        inside("/console/audit", Icon::Audit, |locale| td_string!(locale, app.audit), Some(AUDIT_READ)),
        inside("/console/dashboard", Icon::Chart, |locale| td_string!(locale, app.dashboard), Some(REPORTS_READ)),
        inside(APPROVALS, Icon::Allowed, |locale| td_string!(locale, app.approvals), None),
        inside("/console/api-keys", Icon::Link, |locale| td_string!(locale, app.api_keys), Some(API_KEYS_MANAGE)),
        inside("/console/consents", Icon::Edit, |locale| td_string!(locale, app.consents), Some(CONSENTS_READ)),
        inside("/console/tenants", Icon::Door, |locale| td_string!(locale, app.tenants), Some(TENANTS_READ)),
        inside("/console/settings", Icon::Settings, |locale| td_string!(locale, app.settings), Some(SETTINGS_READ)),
        Place { outside: true, ..inside("/developers", Icon::Code, |locale| td_string!(locale, app.developers), None) },
    ];
    all.into_iter().filter(|place| place.needed.as_ref().is_none_or(|permission| me.may(permission))).collect()
}

/// Whether the page at `path` belongs to the place at `href`.
pub fn leads_to(path: &str, href: &str) -> bool {
    let path = path.trim_end_matches('/');
    path == href || (href != "/console" && path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_entry_is_current_on_its_own_pages_only() {
        assert!(leads_to("/console", "/console"));
        assert!(leads_to("/console/", "/console"));
        assert!(!leads_to("/console/people", "/console"));
        assert!(leads_to("/console/people/new", "/console/people"));
        assert!(!leads_to("/console/peoples", "/console/people"));
    }
}
