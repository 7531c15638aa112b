//! The permission catalogue on the screen: grouped by what it is about, and searched in both languages.

use leptos::prelude::*;

use crate::{
    access::{Permission, PermissionInfo},
    base::{
        language::td_string,
        search::{self, fold},
    },
    ui::{is_live, locale, pieces},
};

/// The keys about one thing.
pub struct Group {
    pub resource: String,
    pub items: Vec<PermissionInfo>,
}

/// The catalogue in groups. The keys are sorted, so each group stands together, and `*` is first.
pub fn groups(catalogue: Vec<PermissionInfo>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for item in catalogue {
        let resource = Permission::parse(&item.key).map(|key| key.resource().to_owned()).unwrap_or_default();
        match groups.iter_mut().find(|group| group.resource == resource) {
            Some(group) => group.items.push(item),
            None => groups.push(Group { resource, items: vec![item] }),
        }
    }
    groups
}

/// The name of a group; those that a tenant made are named by their key.
pub fn group_title(resource: &str) -> AnyView {
    match group_word(resource) {
        Some(word) if resource.is_empty() => word.into_any(),
        Some(word) => view! { {word} " " <span class="small muted">{pieces::key(resource)}</span> }.into_any(),
        None => pieces::key(resource),
    }
}

fn group_word(resource: &str) -> Option<&'static str> {
    let locale = locale();
    Some(match resource {
        "" => td_string!(locale, roles.group_all),
        "agents" => td_string!(locale, roles.group_agents),
        "ai" => td_string!(locale, roles.group_ai),
        "ai_config" => td_string!(locale, roles.group_ai_config),
        "api_keys" => td_string!(locale, roles.group_api_keys),
        "approvals" => td_string!(locale, roles.group_approvals),
        "audit" => td_string!(locale, roles.group_audit),
        "commands" => td_string!(locale, roles.group_commands),
        "devices" => td_string!(locale, roles.group_devices),
        "impersonate" => td_string!(locale, roles.group_impersonate),
        "notifications" => td_string!(locale, roles.group_notifications),
        "oauth.clients" => td_string!(locale, roles.group_oauth_clients),
        "permissions" => td_string!(locale, roles.group_permissions),
        "platform_credentials" => td_string!(locale, roles.group_platform_credentials),
        "policies" => td_string!(locale, roles.group_policies),
        "reports" => td_string!(locale, roles.group_reports),
        "results" => td_string!(locale, roles.group_results),
        "roles" => td_string!(locale, roles.group_roles),
        "sessions" => td_string!(locale, roles.group_sessions),
        "settings" => td_string!(locale, roles.group_settings),
        "signals" => td_string!(locale, roles.group_signals),
        "tasks" => td_string!(locale, roles.group_tasks),
        "tenants" => td_string!(locale, roles.group_tenants),
        "users" => td_string!(locale, roles.group_users),
        "workflows" => td_string!(locale, roles.group_workflows),
        _ => return None,
    })
}

/// What the search field holds, as typed and folded; empty finds everything.
#[derive(Clone, Copy)]
pub struct Search(RwSignal<(String, String)>);

impl Search {
    pub fn new() -> Self {
        Search(RwSignal::new((String::new(), String::new())))
    }

    /// Whether an item is found; the texts are key and names in both languages.
    pub fn finds(self, folded: &str) -> bool {
        self.0.with(|(_, search)| search::finds(folded, search))
    }

    /// Whether at least one of several items is found.
    pub fn finds_any(self, folded: &[String]) -> bool {
        folded.iter().any(|folded| self.finds(folded))
    }
}

impl Default for Search {
    fn default() -> Self {
        Self::new()
    }
}

/// The texts in which an item is searched.
pub fn searchable(item: &PermissionInfo) -> String {
    fold(&format!("{}\n{}\n{}", item.key, item.name_ar, item.name_en))
}

/// The search field above a catalogue.
pub fn search_field(search: Search) -> AnyView {
    let locale = locale();
    let live = is_live();
    view! {
        <div class="field">
            <label for="catalogue-search">{td_string!(locale, roles.search)}</label>
            <input
                class="input"
                id="catalogue-search"
                type="search"
                dir="auto"
                autocomplete="off"
                disabled=move || !live.get()
                value=search.0.with_untracked(|(typed, _)| typed.clone())
                on:input:target=move |event| {
                    let typed = event.target().value();
                    let folded = fold(&typed);
                    search.0.set((typed, folded));
                }
            />
        </div>
    }
    .into_any()
}

/// Says so when the search finds nothing.
pub fn nothing_found(search: Search, all: Vec<String>) -> AnyView {
    let locale = locale();
    view! {
        <p class="hint padded" role="status">
            {move || (!search.finds_any(&all)).then_some(td_string!(locale, roles.search_nothing))}
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_the_keys_of_one_resource_together() {
        let info = |key: &str| PermissionInfo { key: key.to_owned(), name_ar: String::new(), name_en: String::new() };
        let found = groups(["*", "oauth.clients.manage", "users.*", "users.read"].map(info).to_vec());
        let found = found.iter().map(|group| (group.resource.as_str(), group.items.len())).collect::<Vec<_>>();
        assert_eq!(found, [("", 1), ("oauth.clients", 1), ("users", 2)]);
    }
}
