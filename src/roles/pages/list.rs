//! The list of roles. What is looked for and the order are in the address.

use std::cmp::Reverse;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::origin_badge;
use crate::{
    access::{Permission, ROLES_CREATE, USERS_READ},
    base::{
        errors::AppError,
        habits::number,
        language::td_string,
        paging::Page,
        search::{finds, fold},
    },
    roles::{Role, calls::list_roles},
    ui::{
        address::{self, filled},
        fields::Field,
        filters::{Chip, Filters, chips},
        icons::{Icon, icon},
        list::{Empty, Place, list},
        locale, pieces, states,
        table::{Column, Sorted, table},
        viewer::{Held, viewer},
    },
};

const PATH: &str = "/console/roles";
const FIELDS: &[&str] = &["q", "gives", "sort"];

/// What the address asks for. Roles are few: they are looked through here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    q: Option<String>,
    /// Only roles that give this permission.
    gives: Option<String>,
    sort: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Name,
    /// Those that give most first.
    Permissions,
    /// Those that most people have first.
    People,
}

impl Sort {
    fn parse(text: &str) -> Option<(Self, bool)> {
        let (reversed, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let sort = [Sort::Name, Sort::Permissions, Sort::People].into_iter().find(|sort| sort.name() == name)?;
        Some((sort, reversed))
    }

    fn name(self) -> &'static str {
        match self {
            Sort::Name => "name",
            Sort::Permissions => "permissions",
            Sort::People => "people",
        }
    }
}

impl Asked {
    fn address(&self, sort: &str) -> String {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        address::with_query(PATH, &[("q", &text(&self.q)), ("gives", &text(&self.gives)), ("sort", sort)])
    }

    fn order(&self) -> Option<(Sort, bool)> {
        self.sort.as_deref().and_then(Sort::parse)
    }

    /// The roles that are asked for, in the order that is asked for; without one as they come.
    fn choose(&self, mut roles: Vec<Role>) -> Vec<Role> {
        if let Some(q) = &self.q {
            let words = fold(q);
            roles.retain(|role| {
                let text = format!("{}\n{}\n{}", role.name, role.description, role.permissions.join("\n"));
                finds(&fold(&text), &words)
            });
        }
        if let Some(gives) = &self.gives {
            let wanted = Permission::parse(gives).ok();
            let covers = |key: &String| match (Permission::parse(key), &wanted) {
                (Ok(pattern), Some(wanted)) => pattern.covers(wanted),
                _ => false,
            };
            roles.retain(|role| role.permissions.iter().any(covers));
        }
        if let Some((sort, reversed)) = self.order() {
            match sort {
                Sort::Name => roles.sort_by_cached_key(|role| fold(&role.name)),
                Sort::Permissions => roles.sort_by_key(|role| Reverse(role.permissions.len())),
                Sort::People => roles.sort_by_key(|role| Reverse(role.people)),
            }
            if reversed {
                roles.reverse();
            }
        }
        roles
    }
}

#[component]
pub fn RolesPage() -> impl IntoView {
    let locale = locale();
    let viewer = viewer();
    let map = use_query_map();
    let asked = address::settled(move || {
        map.with(|map| Asked {
            q: filled(map.get("q")),
            gives: filled(map.get("gives")),
            sort: filled(map.get("sort")),
        })
    });
    let roles = Resource::new_blocking(|| (), |()| list_roles());
    let for_list = viewer.clone();
    view! {
        <Title text=td_string!(locale, roles.roles) />
        <div class="page-head">
            <div class="grow">
                <h1>{td_string!(locale, roles.roles)}</h1>
                <p class="small muted">{td_string!(locale, roles.no_roles_about)}</p>
            </div>
            <Suspense>
                {move || {
                    let viewer = viewer.clone();
                    Suspend::new(async move {
                        viewer
                            .holds()
                            .await
                            .may(ROLES_CREATE.as_str())
                            .then(|| {
                                view! {
                                    <a class="btn primary" href="/console/roles/new">
                                        {icon(Icon::Add)}
                                        {td_string!(locale, roles.create)}
                                    </a>
                                }
                            })
                    })
                }}
            </Suspense>
        </div>
        {move || filters(asked.get())}
        <Suspense fallback=move || states::loading_table(8)>
            {move || {
                let (viewer, asked) = (for_list.clone(), asked.get());
                Suspend::new(async move { roles_list(&asked, roles.await, &viewer.holds().await) })
            }}
        </Suspense>
    }
    .into_any()
}

fn filters(asked: Asked) -> AnyView {
    let locale = locale();
    let filtered = asked.q.is_some() || asked.gives.is_some();
    let chip = asked.gives.clone().map(|key| {
        let without = Asked { gives: None, ..asked.clone() };
        let word = td_string!(locale, roles.gives, key = pieces::isolate_key(&key)).to_string();
        Chip { word, without: without.address(asked.sort.as_deref().unwrap_or_default()) }
    });
    let kept = [("gives", asked.gives), ("sort", asked.sort)]
        .into_iter()
        .filter_map(|(name, value)| Some(view! { <input type="hidden" name=name value=value? /> }))
        .collect_view();
    view! {
        <Filters path=PATH fields=FIELDS filtered>
            {kept}
            <div class="field wide">
                <Field name="q" label=td_string!(locale, roles.search_roles) kind="search" value=asked.q.unwrap_or_default() />
            </div>
        </Filters>
        {chips(chip.into_iter().collect())}
    }
    .into_any()
}

fn roles_list(asked: &Asked, roles: Result<Vec<Role>, AppError>, held: &Held) -> AnyView {
    let locale = locale();
    let place = Place {
        is_filtered: asked.q.is_some() || asked.gives.is_some(),
        all: PATH.to_owned(),
        is_later: false,
        at: |_: &str| PATH.to_owned(),
    };
    let create = ("/console/roles/new".to_owned(), td_string!(locale, roles.create));
    let empty = Empty {
        sign: Icon::Role,
        title: td_string!(locale, roles.no_roles),
        about: td_string!(locale, roles.no_roles_about),
        action: held.may(ROLES_CREATE.as_str()).then_some(create),
    };
    let to_people = held.may(USERS_READ.as_str());
    list(roles.map(|roles| Page { items: asked.choose(roles), next: None }), place, empty, |roles| {
        let rows = roles.into_iter().map(|role| row(role, to_people)).collect();
        table(td_string!(locale, roles.roles), columns(asked), rows)
    })
}

fn columns(asked: &Asked) -> [Column; 4] {
    let locale = locale();
    let now = asked.order();
    let sorted = |column: Column, by: Sort| {
        let state = match now {
            // Names go up from the first letter, numbers down from the greatest.
            Some((sort, reversed)) if sort == by && (by == Sort::Name) != reversed => Sorted::Up,
            Some((sort, _)) if sort == by => Sorted::Down,
            _ => Sorted::Not,
        };
        let reversed = now == Some((by, false));
        column.sorted(state, asked.address(&format!("{}{}", if reversed { "-" } else { "" }, by.name())))
    };
    [
        sorted(Column::new(td_string!(locale, roles.name)), Sort::Name),
        Column::new(td_string!(locale, roles.description)).wide(),
        sorted(Column::new(td_string!(locale, roles.permissions)), Sort::Permissions),
        sorted(Column::new(td_string!(locale, roles.people)), Sort::People),
    ]
}

fn row(role: Role, to_people: bool) -> AnyView {
    let locale = locale();
    let origin = origin_badge(&role);
    let href = format!("{PATH}/{}", role.id);
    let people = if to_people {
        let href = format!("{href}?tab=people");
        let about = td_string!(locale, roles.people_count, count = role.people).to_string();
        view! { <a class="count" href=href>{number(role.people)} <span class="away">" " {about}</span></a> }.into_any()
    } else {
        number(role.people).into_any()
    };
    view! {
        <tr>
            <th scope="row">
                <span class="row-of">
                    <a class="name" href=href>{pieces::typed(role.name)}</a>
                    {origin}
                </span>
            </th>
            <td class="wide-only"><span class="muted" dir="auto">{role.description}</span></td>
            <td class="num">{number(role.permissions.len())}</td>
            <td class="num">{people}</td>
        </tr>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ids::RoleId, time::Timestamp};

    fn role(name: &str, permissions: &[&str], people: i64) -> Role {
        Role {
            id: RoleId(uuid::Uuid::nil()),
            name: name.to_owned(),
            description: String::new(),
            built_in: false,
            platform: false,
            permissions: permissions.iter().map(|key| key.to_string()).collect(),
            parents: Vec::new(),
            inherited: Vec::new(),
            heirs: Vec::new(),
            groups: Vec::new(),
            people,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            version: 1,
        }
    }

    fn chosen(asked: &Asked) -> Vec<String> {
        let all = vec![role("مالية", &["users.*"], 2), role("Auditors", &["audit.read"], 5), role("boss", &["*"], 1)];
        asked.choose(all).into_iter().map(|role| role.name).collect()
    }

    #[test]
    fn a_permission_is_given_by_its_wildcards_too() {
        let gives = |key: &str| chosen(&Asked { gives: Some(key.to_owned()), ..Asked::default() });
        assert_eq!(gives("users.read"), ["مالية", "boss"]);
        assert_eq!(gives("audit.read"), ["Auditors", "boss"]);
        assert_eq!(gives("no key at all"), Vec::<String>::new());
    }

    #[test]
    fn roles_are_searched_and_ordered() {
        let asked = |q: &str, sort: &str| Asked {
            q: filled(Some(q.to_owned())),
            gives: None,
            sort: filled(Some(sort.to_owned())),
        };
        assert_eq!(chosen(&asked("ماليه", "")), ["مالية"]);
        assert_eq!(chosen(&asked("audit", "")), ["Auditors"]);
        assert_eq!(chosen(&asked("", "people")), ["Auditors", "مالية", "boss"]);
        assert_eq!(chosen(&asked("", "-people")), ["boss", "مالية", "Auditors"]);
        assert_eq!(chosen(&asked("", "name")), ["Auditors", "boss", "مالية"]);
        assert_eq!(chosen(&asked("", "nonsense")), ["مالية", "Auditors", "boss"]);
    }
}
