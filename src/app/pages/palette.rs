//! What the palette finds: people, roles, permissions, pages and acts, each for whoever may see or do it.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use super::places::places;
use crate::{
    access::{PERMISSIONS_READ, PermissionInfo, ROLES_CREATE, ROLES_READ, USERS_CREATE, USERS_READ},
    accounts::{PeopleQuery, PersonRow, calls::list_people},
    base::{
        errors::AppError,
        language::{self, td_string},
        search::fold,
    },
    i18n::Locale,
    roles::{
        Role,
        calls::{all_roles, list_permissions},
        pages::catalogue,
    },
    sessions::Me,
    ui::{
        address,
        asking::follow,
        browser,
        icons::Icon,
        is_arabic, locale,
        palette::{Detail, Entry, Group, Palette, Way, best},
    },
};

/// How long after the last key people are searched.
const PAUSE: Duration = Duration::from_millis(180);
/// How many of one kind are shown.
const MOST: usize = 6;
/// For how many people and roles found the way to the studio is offered.
const STUDIOS: usize = 2;

/// A choice with the folded text in which it is looked for.
type Searched = (String, Entry);

/// What is loaded when the palette is opened for the first time.
#[derive(Clone, Default)]
struct Known {
    roles: Vec<(String, Role)>,
    permissions: Vec<Searched>,
}

/// A choice that was taken before, kept for as long as the tab is open.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Recent {
    kind: Kind,
    title: String,
    detail: String,
    href: String,
}

/// What is worth remembering. Pages and acts are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Person,
    Role,
    Permission,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Role => "role",
            Kind::Permission => "permission",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Kind::Person, Kind::Role, Kind::Permission].into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the reader still may see things of this kind.
    fn is_for(self, me: &Me) -> bool {
        match self {
            Kind::Person => me.may(&USERS_READ),
            Kind::Role => me.may(&ROLES_READ),
            Kind::Permission => me.may(&PERMISSIONS_READ),
        }
    }

    fn entry(self, title: String, detail: String, href: String) -> Entry {
        let (sign, detail) = match self {
            Kind::Person => (Icon::People, Detail::Text(detail)),
            Kind::Role => (Icon::Role, Detail::Text(detail)),
            Kind::Permission => (Icon::Key, Detail::Key(detail)),
        };
        Entry { kind: self.name(), sign, title, detail, way: Way::Page(href) }
    }
}

/// The palette of the console. `help` opens the list of shortcuts.
#[component]
pub fn ConsolePalette(me: Me, open: RwSignal<bool>, help: RwSignal<bool>) -> impl IntoView {
    let locale = locale();
    let typed = RwSignal::new(String::new());
    let known = RwSignal::new(None::<Known>);
    let recent = RwSignal::new(Vec::<Recent>::new());
    let failed = RwSignal::new(None::<AppError>);
    let people = search_people(typed, me.may(&USERS_READ), failed);

    let name_of_recent = format!("bawwab.recent.{}", me.id);
    let at_first = {
        let (me, name) = (me.clone(), name_of_recent.clone());
        move || {
            typed.set(String::new());
            failed.set(None);
            recent.set(read_recent(&name, &me));
            if known.with_untracked(Option::is_none) {
                load(&me, known, failed);
            }
        }
    };
    Effect::new(move |_| {
        if open.get() {
            untrack(&at_first);
        }
    });

    let fixed = fixed(&me);
    let viewer = me.clone();
    let found = Memo::new(move |_| {
        let text = fold(&typed.get());
        let people = people.found.get();
        let recent = if text.is_empty() { recent.get() } else { Vec::new() };
        known.with(|known| match known {
            Some(known) => groups(locale, &viewer, &text, recent, people, known, &fixed),
            None => groups(locale, &viewer, &text, recent, people, &Known::default(), &fixed),
        })
    });
    let waiting = Signal::derive(move || people.waiting.get() || (open.get() && known.with(Option::is_none)));
    let chosen = Callback::new(move |entry: Entry| {
        match entry.way {
            Way::Act("shortcuts") => help.set(true),
            // The others stand on the page as buttons of forms.
            Way::Act(button) => browser::press(button),
            Way::Page(_) | Way::Outside(_) => remember(&name_of_recent, &me, entry),
        }
    });
    view! { <Palette open typed found waiting failed chosen /> }.into_any()
}

/// The people that the server has found for what is typed.
#[derive(Clone, Copy)]
struct FoundPeople {
    found: RwSignal<Vec<PersonRow>>,
    waiting: RwSignal<bool>,
}

/// Asks the server for people a moment after the last key.
fn search_people(typed: RwSignal<String>, may: bool, failed: RwSignal<Option<AppError>>) -> FoundPeople {
    let found = RwSignal::new(Vec::new());
    let ask = move || {
        let text = address::filled(Some(typed.get())).filter(|_| may)?;
        Some(list_people(PeopleQuery { q: Some(text), limit: Some(MOST as u32), ..PeopleQuery::default() }))
    };
    let waiting = follow(PAUSE, ask, move |answer| match answer {
        None => found.set(Vec::new()),
        Some(Ok(page)) => found.set(page.items),
        Some(Err(error)) => failed.set(Some(error)),
    });
    FoundPeople { found, waiting }
}

/// Loads what does not change while one searches: roles and the catalogue.
fn load(me: &Me, known: RwSignal<Option<Known>>, failed: RwSignal<Option<AppError>>) {
    let (for_roles, for_permissions) = (me.may(&ROLES_READ), me.may(&PERMISSIONS_READ));
    let arabic = is_arabic();
    spawn_local(async move {
        let roles = if for_roles { all_roles().await } else { Ok(Vec::new()) };
        let permissions = if for_permissions { list_permissions().await } else { Ok(Vec::new()) };
        match (roles, permissions) {
            (Ok(roles), Ok(permissions)) => {
                let roles = roles.into_iter().map(|role| (fold(&format!("{}\n{}", role.name, role.description)), role));
                let permissions = permissions
                    .iter()
                    .map(|item| (catalogue::searchable(item), permission_entry(item, arabic, for_roles)));
                let all = Known { roles: roles.collect(), permissions: permissions.collect() };
                known.try_set(Some(all));
            }
            // Asked again when the palette is opened next.
            (Err(error), _) | (_, Err(error)) => {
                failed.try_set(Some(error));
            }
        }
    });
}

/// A permission leads to the roles that give it.
fn permission_entry(item: &PermissionInfo, arabic: bool, for_roles: bool) -> Entry {
    let href = if for_roles {
        address::with_query("/console/roles", &[("gives", &item.key)])
    } else {
        "/console/studio".to_owned()
    };
    Kind::Permission.entry(item.name(arabic).to_owned(), item.key.clone(), href)
}

/// Pages and acts: they are few and always there.
#[derive(Clone, PartialEq)]
struct Fixed {
    pages: Vec<Searched>,
    acts: Vec<Searched>,
}

/// Names are looked for in both languages.
fn fixed(me: &Me) -> Fixed {
    let locale = locale();
    let searched = |name: &dyn Fn(Locale) -> &'static str, sign, way| {
        let text = fold(&format!("{}\n{}", name(locale), name(language::other(locale))));
        (text, Entry { kind: "fixed", sign, title: name(locale).to_owned(), detail: Detail::Nothing, way })
    };
    let pages = places(me).into_iter().map(|place| {
        let href = place.href.to_owned();
        let way = if place.outside { Way::Outside(href) } else { Way::Page(href) };
        searched(&place.name, place.sign, way)
    });
    let mut acts = Vec::new();
    let page = |href: &str| Way::Page(href.to_owned());
    if me.may(&USERS_CREATE) {
        acts.push(searched(&|l| td_string!(l, app.act_add_person), Icon::Add, page("/console/people/new")));
    }
    if me.may(&ROLES_CREATE) {
        acts.push(searched(&|l| td_string!(l, app.act_create_role), Icon::Add, page("/console/roles/new")));
    }
    acts.extend([
        searched(&|l| td_string!(l, app.act_language), Icon::Language, Way::Act("switch-language")),
        searched(&|l| td_string!(l, app.act_theme_light), Icon::Sun, Way::Act("theme-light")),
        searched(&|l| td_string!(l, app.act_theme_dark), Icon::Moon, Way::Act("theme-dark")),
        searched(&|l| td_string!(l, app.act_theme_system), Icon::Screen, Way::Act("theme-system")),
        searched(&|l| td_string!(l, app.shortcuts), Icon::Keyboard, Way::Act("shortcuts")),
        searched(&|l| td_string!(l, app.log_out), Icon::Out, Way::Act("log-out")),
    ]);
    Fixed { pages: pages.collect(), acts }
}

/// Everything that answers, by kind; before anything is typed what was chosen last, the pages and the acts.
fn groups(
    locale: Locale,
    me: &Me,
    text: &str,
    recent: Vec<Recent>,
    people: Vec<PersonRow>,
    known: &Known,
    fixed: &Fixed,
) -> Vec<Group> {
    let asked = !text.is_empty();
    let most = if asked { MOST } else { usize::MAX };
    let roles = if asked { best(&known.roles, text, MOST) } else { Vec::new() };
    let permissions = if asked { best(&known.permissions, text, MOST) } else { Vec::new() };
    let mut acts = Vec::new();
    if me.may(&PERMISSIONS_READ) {
        let studio = |name: &str, field: &str, id: String| Entry {
            kind: "studio",
            sign: Icon::Key,
            title: td_string!(locale, app.act_studio, name = language::isolate(name)).to_string(),
            detail: Detail::Nothing,
            way: Way::Page(address::with_query("/console/studio", &[(field, &id)])),
        };
        acts.extend(people.iter().take(STUDIOS).map(|person| studio(&person.name, "person", person.id.to_string())));
        acts.extend(roles.iter().take(STUDIOS).map(|role| studio(&role.name, "role", role.id.to_string())));
    }
    acts.extend(best(&fixed.acts, text, most));
    let people = people.into_iter().take(MOST).map(|person| {
        let href = format!("/console/people/{}", person.id);
        Kind::Person.entry(person.name, person.email, href)
    });
    let roles = roles.into_iter().map(|role| {
        let href = format!("/console/roles/{}", role.id);
        Kind::Role.entry(role.name, role.description, href)
    });
    let recent = recent.into_iter().map(|recent| recent.kind.entry(recent.title, recent.detail, recent.href));
    let all = [
        (td_string!(locale, app.palette_recent), recent.collect()),
        (td_string!(locale, app.people), people.collect()),
        (td_string!(locale, app.roles), roles.collect()),
        (td_string!(locale, app.palette_permissions), permissions),
        (td_string!(locale, app.palette_pages), best(&fixed.pages, text, most)),
        (td_string!(locale, app.palette_acts), acts),
    ];
    let filled = all.into_iter().filter(|(_, entries): &(_, Vec<Entry>)| !entries.is_empty());
    filled.map(|(title, entries)| Group { title, entries }).collect()
}

const RECENT: usize = 5;

fn read_recent(name: &str, me: &Me) -> Vec<Recent> {
    let kept = browser::kept(name).and_then(|text| serde_json::from_str::<Vec<Recent>>(&text).ok());
    kept.unwrap_or_default().into_iter().filter(|recent| recent.kind.is_for(me)).collect()
}

fn remember(name: &str, me: &Me, entry: Entry) {
    let (Some(kind), Way::Page(href)) = (Kind::parse(entry.kind), entry.way) else { return };
    let detail = match entry.detail {
        Detail::Nothing => String::new(),
        Detail::Text(text) | Detail::Key(text) => text,
    };
    let mut recent = read_recent(name, me);
    recent.retain(|one| one.href != href);
    recent.insert(0, Recent { kind, title: entry.title, detail, href });
    recent.truncate(RECENT);
    if let Ok(text) = serde_json::to_string(&recent) {
        browser::keep(name, &text);
    }
}
