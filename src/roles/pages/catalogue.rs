//! The permission catalogue on the screen: grouped by what it is about, and searched in both languages.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    access::{Permission, PermissionInfo},
    base::{
        language::td_string,
        search::{self, fold},
    },
    roles::{Catalogue, Role},
    ui::{is_arabic, is_live, locale, pieces, virtual_list::Place},
};

/// A permission with the text in which it is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub info: PermissionInfo,
    folded: String,
}

impl Entry {
    fn new(info: PermissionInfo) -> Self {
        let folded = searchable(&info);
        Entry { info, folded }
    }

    /// The name in the language of the page.
    pub fn name(&self) -> String {
        self.info.name(is_arabic()).to_owned()
    }
}

/// A line of the catalogue: what stands below a heading is about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// With the wildcard of the whole group, where headings stand for it.
    Head {
        resource: Arc<str>,
        wildcard: Option<Arc<Entry>>,
    },
    Item(Arc<Entry>),
}

impl Row {
    pub fn is_head(&self) -> bool {
        matches!(self, Row::Head { .. })
    }

    /// What the line stands for, if it is more than a heading.
    pub fn entry(&self) -> Option<&Arc<Entry>> {
        match self {
            Row::Head { wildcard, .. } => wildcard.as_ref(),
            Row::Item(entry) => Some(entry),
        }
    }

    /// Tells lines apart.
    pub fn id(&self) -> String {
        match self {
            Row::Head { resource, .. } => format!("/{resource}"),
            Row::Item(entry) => entry.info.key.clone(),
        }
    }
}

/// The catalogue as lines. The keys are sorted, so each group stands together, and `*` is first. Where
/// `heads_are_wildcards`, a group's wildcard is its heading and no line of its own.
pub fn rows(catalogue: &Catalogue, heads_are_wildcards: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut current: Option<Arc<str>> = None;
    for item in catalogue {
        let Ok(key) = Permission::parse(&item.key) else { continue };
        let resource = key.resource();
        let entry = Arc::new(Entry::new(item.clone()));
        let is_head = heads_are_wildcards && key.is_wildcard();
        if current.as_deref() != Some(resource) {
            let resource: Arc<str> = Arc::from(resource);
            current = Some(resource.clone());
            let wildcard = is_head.then(|| entry.clone());
            rows.push(Row::Head { resource, wildcard });
        }
        if !is_head {
            rows.push(Row::Item(entry));
        }
    }
    rows
}

/// Roles as such a catalogue, for whoever is given roles: each by its id, as permissions are by their key.
pub fn of_roles(roles: &[Role]) -> Catalogue {
    let givable = roles.iter().filter(|role| !role.platform);
    let infos = givable.map(|role| {
        let description = super::description(role);
        PermissionInfo {
            key: role.id.to_string(),
            name_ar: role.name.clone(),
            name_en: role.name.clone(),
            description_ar: description.clone(),
            description_en: description,
            own: true,
        }
    });
    infos.collect()
}

/// Such a catalogue as lines, without headings.
pub fn plain_rows(catalogue: &Catalogue) -> Vec<Row> {
    catalogue.iter().map(|item| Row::Item(Arc::new(Entry::new(item.clone())))).collect()
}

/// The lines that a search finds, with the headings of their groups.
pub fn found(rows: &[Row], search: Search) -> Vec<Row> {
    let mut found = Vec::new();
    let mut head = None;
    for row in rows {
        match row {
            Row::Head { wildcard, .. } => {
                head = Some(row);
                if wildcard.as_ref().is_some_and(|entry| search.finds_entry(entry)) {
                    found.extend(head.take().cloned());
                }
            }
            Row::Item(entry) if search.finds_entry(entry) => {
                found.extend(head.take().cloned());
                found.push(row.clone());
            }
            Row::Item(_) => {}
        }
    }
    found
}

/// The lines under their headings.
pub fn groups(rows: Vec<Row>) -> Vec<(Arc<str>, Vec<Arc<Entry>>)> {
    let mut groups: Vec<(Arc<str>, Vec<Arc<Entry>>)> = Vec::new();
    for row in rows {
        match (row, groups.last_mut()) {
            (Row::Head { resource, .. }, _) => groups.push((resource, Vec::new())),
            (Row::Item(entry), Some((_, items))) => items.push(entry),
            // There is no line before the first heading.
            (Row::Item(_), None) => {}
        }
    }
    groups
}

/// A heading as a line of a list.
pub fn head(resource: &str, place: Place) -> AnyView {
    view! {
        <div class="head" role="listitem" aria-posinset=place.number() aria-setsize=move || place.of()>
            <h3>{group_title(resource)}</h3>
        </div>
    }
    .into_any()
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
        "consents" => td_string!(locale, roles.group_consents),
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
        "groups" => td_string!(locale, roles.group_groups),
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

    /// Whether an item is found; the texts are key, names and descriptions in both languages.
    pub fn finds(self, folded: &str) -> bool {
        self.0.with(|(_, search)| search::finds(folded, search))
    }

    /// Whether a permission is found.
    pub fn finds_entry(self, entry: &Entry) -> bool {
        self.finds(&entry.folded)
    }

    /// Whether any of these permissions is found.
    pub fn finds_any(self, entries: &[Arc<Entry>]) -> bool {
        entries.iter().any(|entry| self.finds_entry(entry))
    }

    /// Has `act` done whenever something else is searched for.
    pub fn when_changed(self, act: impl Fn() + 'static) {
        Effect::new(move |before: Option<String>| {
            let now = self.folded();
            if before.is_some_and(|before| before != now) {
                act();
            }
            now
        });
    }

    /// Whether anything is searched for.
    pub fn is_on(self) -> bool {
        self.0.with(|(_, search)| !search.is_empty())
    }

    /// What is searched for, as it was typed.
    pub fn typed(self) -> String {
        self.0.with(|(typed, _)| typed.clone())
    }

    /// What is searched for, folded; empty where nothing is.
    pub fn folded(self) -> String {
        self.0.with(|(_, search)| search.clone())
    }
}

impl Default for Search {
    fn default() -> Self {
        Self::new()
    }
}

/// The texts in which an item is searched.
pub fn searchable(item: &PermissionInfo) -> String {
    let texts = [&item.key, &item.name_ar, &item.name_en, &item.description_ar, &item.description_en];
    fold(&texts.map(String::as_str).join("\n"))
}

/// A field that searches a list on the page as one types. `id` is its own on the page.
pub fn search_field(search: Search, id: &'static str, label: &'static str) -> AnyView {
    let live = is_live();
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                class="input"
                id=id
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
pub fn nothing_found(is_empty: Signal<bool>) -> AnyView {
    let locale = locale();
    view! {
        <p class="hint padded" role="status">
            {move || is_empty.get().then_some(td_string!(locale, roles.search_nothing))}
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let info = |key: &str| PermissionInfo { key: key.to_owned(), ..PermissionInfo::default() };
        ["*", "oauth.clients.manage", "users.*", "users.read"].map(info).to_vec()
    }

    fn ids(rows: &[Row]) -> Vec<String> {
        rows.iter().map(Row::id).collect()
    }

    #[test]
    fn lines_of_one_resource_stand_under_its_heading() {
        let lines = rows(&catalogue(), false);
        assert_eq!(
            ids(&lines),
            ["/", "*", "/oauth.clients", "oauth.clients.manage", "/users", "users.*", "users.read"]
        );
        let lines = rows(&catalogue(), true);
        assert_eq!(ids(&lines), ["/", "/oauth.clients", "oauth.clients.manage", "/users", "users.read"]);
        let groups = groups(lines);
        assert_eq!(groups.iter().map(|(_, items)| items.len()).collect::<Vec<_>>(), [0, 1, 1]);
    }

    #[test]
    fn a_search_keeps_the_headings_of_what_it_finds() {
        let owner = Owner::new();
        owner.with(|| {
            let search = Search::new();
            search.0.set(("READ".to_owned(), fold("READ")));
            assert_eq!(ids(&found(&rows(&catalogue(), true), search)), ["/users", "users.read"]);
            search.0.set(("users.*".to_owned(), fold("users.*")));
            assert_eq!(ids(&found(&rows(&catalogue(), true), search)), ["/users"]);
        });
    }

    /// "searchable by key, name and description": in both languages, whichever the page has.
    #[test]
    fn a_permission_is_found_by_its_descriptions() {
        let info = PermissionInfo {
            key: "desk.open".to_owned(),
            description_ar: "فتح الخزنة صباحًا".to_owned(),
            description_en: "Opens the safe in the morning".to_owned(),
            ..PermissionInfo::default()
        };
        for words in ["الخزنه", "SAFE morning"] {
            assert!(search::finds(&searchable(&info), &fold(words)), "{words}");
        }
    }
}
