//! The grant studio: the catalogue, whoever is given something, and what it would do. Dropping and switching only stage;
//! nothing is saved before the review.

use crate::base::language::td_string;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use serde::{Deserialize, Serialize};

use super::{
    catalogue::{self, Search},
    effect::{EffectPane, Foresight},
    review::{PersonReview, RoleReview},
    staged::{Names, RoleStand, Staged, StagedRole},
};
use crate::{
    access::{
        GROUPS_MANAGE, GROUPS_READ, PERMISSIONS_ASSIGN, PERMISSIONS_READ, Permission, ROLES_READ, ROLES_UPDATE, RoleRef,
    },
    accounts::{Person, bulk::MOST_AT_ONCE, calls::get_person},
    base::{
        errors::AppError,
        ids::{GroupId, RoleId, UserId},
    },
    groups::{
        Group,
        calls::{all_groups, get_group},
    },
    i18n::Locale,
    roles::{
        Catalogue, PersonRights, PersonStand, Role,
        calls::{all_roles, get_rights, get_rights_of_many, get_role, list_permissions},
    },
    ui::{
        address,
        drag::Drag,
        icons::{Icon, icon},
        locale, pieces, states,
        tri_state::Tri,
        viewer::{Held, viewer},
    },
};

mod choose;
mod pick;
mod target;

/// Whom or what the studio works on, as the address says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aim {
    #[default]
    Nobody,
    Person(UserId),
    Role(RoleId),
    /// A group is given roles.
    Group(GroupId),
    /// Several people, who are given the same.
    Many(Vec<UserId>),
}

impl Aim {
    /// One person is no crowd, and whoever is named twice is one.
    fn people(ids: &str) -> Option<Self> {
        let mut people = Vec::new();
        for id in ids.split(',').filter_map(|id| id.parse::<UserId>().ok()) {
            if !people.contains(&id) && people.len() < MOST_AT_ONCE {
                people.push(id);
            }
        }
        match people.as_slice() {
            [] => None,
            [one] => Some(Aim::Person(*one)),
            _ => Some(Aim::Many(people)),
        }
    }
}

/// What is known about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Known {
    Nobody,
    Person(Box<(Person, PersonRights)>),
    Role(Box<Role>),
    Group(Box<Group>),
    Many(Vec<PersonStand>),
}

/// The three steps of the phone; on a desktop all stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Catalogue,
    Target,
    Effect,
}

/// What the panes share.
#[derive(Clone, Copy)]
pub struct Studio {
    /// What is worked on now; it follows the address once its rights are known.
    pub aim: RwSignal<Aim>,
    /// Its name, for sentences.
    pub name: RwSignal<String>,
    /// Whether the viewer may change it.
    pub may: RwSignal<bool>,
    pub person: Staged,
    pub role: StagedRole,
    /// Keys that are picked up to be given together, in the order in which they were picked.
    pub picked: RwSignal<Vec<String>>,
    pub drag: Drag,
    pub step: RwSignal<Step>,
    /// What screen readers are told.
    pub said: RwSignal<String>,
    pub catalogue: RwSignal<Catalogue>,
}

/// Where something is dropped.
pub const ALLOW: &str = "allow";
pub const DENY: &str = "deny";

impl Studio {
    fn new() -> Self {
        let (person, role) = (Staged::new(), StagedRole::new());
        let (aim, name, may) = (RwSignal::new(Aim::Nobody), RwSignal::new(String::new()), RwSignal::new(false));
        let (picked, step) = (RwSignal::new(Vec::new()), RwSignal::new(Step::Catalogue));
        let (said, catalogue) = (RwSignal::new(String::new()), role.catalogue);
        // The listener of the drag needs the studio, and the studio the drag.
        let this = StoredValue::new(None::<Studio>);
        let dropped = Callback::new(move |(key, zone): (String, String)| {
            if let Some(studio) = this.get_value() {
                let keys = studio.with_picked(key);
                studio.give(&keys, if zone == DENY { Tri::Denied } else { Tri::Allowed });
            }
        });
        let drag = Drag::new(dropped);
        let studio = Studio { aim, name, may, person, role, picked, drag, step, said, catalogue };
        this.set_value(Some(studio));
        studio
    }

    /// Dragging one of several that are picked drags them all.
    pub fn with_picked(self, key: String) -> Vec<String> {
        let picked = self.picked.get_untracked();
        if picked.contains(&key) { picked } else { vec![key] }
    }

    /// Picks a permission up, or puts it back.
    pub fn toggle(self, key: &str) {
        let locale = locale();
        let name = self.title_of(key);
        let mut came = false;
        self.picked.update(|picked| match picked.iter().position(|one| one == key) {
            Some(at) => drop(picked.remove(at)),
            None => {
                picked.push(key.to_owned());
                came = true;
            }
        });
        let count = self.picked.with_untracked(Vec::len);
        let word = if came {
            td_string!(locale, roles.said_picked, name = name).to_string()
        } else {
            td_string!(locale, roles.said_put_back, name = name).to_string()
        };
        self.say(format!("{word} {}", td_string!(locale, roles.picked_count, count = count)));
    }

    /// Stages that the aim is given these, or that they are denied to it. Nothing happens where nobody is chosen.
    pub fn give(self, keys: &[String], tri: Tri) {
        let locale = locale();
        if keys.is_empty() || !self.may.get_untracked() {
            return;
        }
        match self.aim.get_untracked() {
            Aim::Nobody => {
                self.step.set(Step::Target);
                self.say(td_string!(locale, roles.choose_first).to_owned());
                return;
            }
            Aim::Person(_) | Aim::Many(_) => keys.iter().for_each(|key| self.person.set_tri(key, tri)),
            Aim::Role(_) => keys.iter().for_each(|key| self.role.set(key, tri == Tri::Allowed)),
            Aim::Group(_) => {
                for role in keys.iter().filter_map(|key| key.parse::<RoleId>().ok()) {
                    let until = untrack(|| self.person.role(role)).until;
                    self.person.set_role(role, RoleStand { has: tri == Tri::Allowed, until });
                }
            }
        }
        self.picked.set(Vec::new());
        self.step.set(Step::Target);
        let what = match keys {
            [key] => self.title_of(key),
            _ => self.counted(keys.len()),
        };
        let name = self.name.get_untracked();
        self.say(if tri == Tri::Denied {
            td_string!(locale, roles.said_denied, what = what, name = name).to_string()
        } else {
            td_string!(locale, roles.said_given, what = what, name = name).to_string()
        });
    }

    /// So many of what is listed: permissions, or roles.
    pub fn counted(self, count: usize) -> String {
        let locale = locale();
        match self.aim.get_untracked() {
            Aim::Group(_) => td_string!(locale, roles.roles_count, count = count).to_string(),
            Aim::Nobody | Aim::Person(_) | Aim::Role(_) | Aim::Many(_) => {
                td_string!(locale, roles.permissions_count, count = count).to_string()
            }
        }
    }

    /// Whether there is anything that a deny could hold down: what people have.
    pub fn may_be_denied(self) -> bool {
        self.aim.with(|aim| matches!(aim, Aim::Person(_) | Aim::Many(_)))
    }

    /// How many permissions a wildcard covers now.
    pub fn covers(self, wildcard: &str) -> usize {
        let Ok(wildcard) = Permission::parse(wildcard) else { return 0 };
        self.catalogue.with_untracked(|catalogue| {
            let keys = catalogue.iter().filter_map(|info| Permission::parse(&info.key).ok());
            keys.filter(|key| !key.is_wildcard() && wildcard.covers(key)).count()
        })
    }

    /// The wildcard of whoever is worked on that covers a permission, in words for `pieces::sentence`.
    pub fn covering(self, key: &str) -> Option<String> {
        let (pattern, tri) = match self.aim.get() {
            Aim::Role(_) => (self.role.covering(key)?, Tri::Allowed),
            Aim::Person(_) | Aim::Many(_) => self.person.covering(key)?,
            Aim::Nobody | Aim::Group(_) => return None,
        };
        Some(covered(&pattern, tri))
    }

    /// The name of a permission, or of a role where those are listed, in the language of the page.
    pub fn title_of(self, key: &str) -> String {
        self.catalogue.with_untracked(|catalogue| {
            let info = catalogue.iter().find(|info| info.key == key);
            info.map(|info| info.name(crate::ui::is_arabic()).to_owned()).unwrap_or_else(|| key.to_owned())
        })
    }

    /// Takes over what can be given now. What was picked of something else is put back.
    fn offer(self, listed: &Catalogue) {
        // On the server an answer can come after the request has gone, and its page with it.
        if self.catalogue.try_set(listed.clone()).is_none() {
            self.picked.update(|picked| picked.retain(|key| listed.iter().any(|info| info.key == *key)));
        }
    }

    /// Works on nobody any more.
    fn leave(self) {
        // On the server an answer can come after the request has gone, and its page with it.
        if self.aim.try_set(Aim::Nobody).is_none() {
            self.name.set(String::new());
            self.person.forget();
            self.role.forget();
        }
    }

    /// Tells screen readers.
    pub fn say(self, words: String) {
        self.said.set(words);
    }

    /// What the keyboard and the buttons give: all that is picked.
    pub fn give_picked(self, tri: Tri) {
        let keys = self.picked.get_untracked();
        self.give(&keys, tri);
    }
}

/// That a wildcard covers something, in words for `pieces::sentence`.
pub fn covered(pattern: &str, tri: Tri) -> String {
    let (locale, through) = (locale(), pieces::isolate_key(pattern));
    if tri == Tri::Denied {
        td_string!(locale, roles.covered_denied, through = through).to_string()
    } else {
        td_string!(locale, roles.covered, through = through).to_string()
    }
}

#[component]
pub fn StudioPage() -> impl IntoView {
    let locale = locale();
    let query = use_query_map();
    let aim = address::settled(move || {
        query.with(|query| {
            let person = query.get_str("person").and_then(|id| id.parse::<UserId>().ok()).map(Aim::Person);
            let role = query.get_str("role").and_then(|id| id.parse::<RoleId>().ok()).map(Aim::Role);
            let group = query.get_str("group").and_then(|id| id.parse::<GroupId>().ok()).map(Aim::Group);
            let people = query.get_str("people").and_then(Aim::people);
            person.or(role).or(group).or(people).unwrap_or_default()
        })
    });
    let catalogue = Resource::new_blocking(|| (), |()| list_permissions());
    let known = Resource::new_blocking(
        move || aim.get(),
        |aim| async move {
            Ok::<_, AppError>(match aim {
                Aim::Nobody => Known::Nobody,
                Aim::Person(id) => Known::Person(Box::new((get_person(id).await?, get_rights(id).await?))),
                Aim::Role(id) => Known::Role(Box::new(get_role(id).await?)),
                Aim::Group(id) => Known::Group(Box::new(get_group(id).await?)),
                Aim::Many(ids) => Known::Many(get_rights_of_many(ids).await?),
            })
        },
    );
    let roles = Resource::new_blocking(|| (), |()| all_roles());
    let for_groups = viewer();
    let groups = Resource::new_blocking(
        move || aim.get() == Aim::Nobody,
        move |wanted| {
            let viewer = for_groups.clone();
            async move {
                let may_read = wanted && viewer.holds().await.may(GROUPS_READ.as_str());
                if may_read { all_groups().await } else { Ok(Vec::new()) }
            }
        },
    );
    let studio = Studio::new();
    let (of_person, of_role) = (Foresight::of_person(studio.person), Foresight::of_role(studio.role));
    let is_role = Memo::new(move |_| studio.aim.with(|aim| matches!(aim, Aim::Role(_))));
    let counted = Signal::derive(move || studio.aim.with(|aim| !matches!(aim, Aim::Nobody | Aim::Person(_))));
    // What can be given follows the address: it does not wait for what is known of the aim.
    let of_roles = Memo::new(move |_| matches!(aim.get(), Aim::Group(_)));
    let search = Search::new();
    let viewer = viewer();
    let for_catalogue = viewer.clone();
    let nothing = Callback::new(|()| ());
    let carried = move || {
        studio.drag.carried.get().map(|key| {
            let count = studio.with_picked(key.clone()).len();
            let words = if count == 1 { studio.title_of(&key) } else { studio.counted(count) };
            view! { {icon(Icon::Key)} <span>{words}</span> }
        })
    };
    view! {
        <Title text=td_string!(locale, roles.studio) />
        <div class="page-head studio-head">
            <div class="grow">
                <h1>{td_string!(locale, roles.studio)}</h1>
                <p class="small muted">{td_string!(locale, roles.studio_about)}</p>
            </div>
        </div>
        {steps(studio)}
        <div class="studio" class:carrying=move || studio.drag.is_on()>
            <section
                class="card pane"
                aria-labelledby="catalogue-title"
                class:current=move || studio.step.get() == Step::Catalogue
            >
                <Suspense fallback=move || states::bones(8)>
                    {move || {
                        let (viewer, of_roles) = (for_catalogue.clone(), of_roles.get());
                        Suspend::new(async move {
                            let needed = if of_roles { ROLES_READ } else { PERMISSIONS_READ };
                            if !viewer.holds().await.may(needed.as_str()) {
                                return states::refused(needed.as_str());
                            }
                            let listed = if of_roles {
                                roles.await.map(|roles| catalogue::of_roles(&roles))
                            } else {
                                catalogue.await
                            };
                            match listed {
                                Ok(listed) => {
                                    studio.offer(&listed);
                                    pick::pane(listed, of_roles, studio)
                                }
                                Err(error) => states::failure(&error),
                            }
                        })
                    }}
                </Suspense>
            </section>
            <section
                class="card pane"
                aria-labelledby="target-title"
                class:current=move || studio.step.get() == Step::Target
            >
                <Suspense fallback=move || states::bones(8)>
                    {move || {
                        let viewer = viewer.clone();
                        Suspend::new(async move {
                            let held = viewer.holds().await;
                            let known = known.await;
                            let catalogue = catalogue.await.unwrap_or_default();
                            let parts = Parts { catalogue, roles: roles.await, groups: groups.await };
                            match known {
                                Ok(known) => aimed(known, parts, &held, studio, search),
                                Err(error) => {
                                    studio.leave();
                                    view! {
                                        <h2 class="away" id="target-title">{td_string!(locale, roles.target)}</h2>
                                        {states::failure(&error)}
                                    }
                                    .into_any()
                                }
                            }
                        })
                    }}
                </Suspense>
            </section>
            <section
                class="card pane effect-pane"
                aria-labelledby="effect-title"
                class:current=move || studio.step.get() == Step::Effect
            >
                {move || {
                    let foresight = if is_role.get() { of_role } else { of_person };
                    view! { <EffectPane foresight counted /> }
                }}
            </section>
        </div>
        <div class="carry" node_ref=studio.drag.ghost hidden=move || !studio.drag.is_on() aria-hidden="true">
            {carried}
        </div>
        <p class="away" role="status">{move || studio.said.get()}</p>
        <PersonReview staged=studio.person foresight=of_person changed=nothing />
        <RoleReview staged=studio.role foresight=of_role changed=nothing />
    }
    .into_any()
}

/// What the pane in the middle needs besides its aim.
struct Parts {
    catalogue: Catalogue,
    roles: Result<Vec<Role>, AppError>,
    /// To choose from, while nobody is chosen.
    groups: Result<Vec<Group>, AppError>,
}

/// Takes over what is known about the aim, and draws it.
fn aimed(known: Known, parts: Parts, held: &Held, studio: Studio, search: Search) -> AnyView {
    // On the server an answer can come after the request has gone, and its page with it.
    if studio.aim.try_get_untracked().is_none() {
        return ().into_any();
    }
    match known {
        Known::Nobody => {
            studio.leave();
            choose::pane(parts.roles, parts.groups, held, studio)
        }
        Known::Person(known) => {
            let (person, rights) = *known;
            let names = Names { person: person.name.clone(), roles: refs(&parts), catalogue: parts.catalogue.clone() };
            studio.role.forget();
            studio.aim.set(Aim::Person(person.id));
            studio.name.set(person.name.clone());
            studio.may.set(held.may(PERMISSIONS_ASSIGN.as_str()));
            studio.person.begin(rights, names);
            target::person(person, parts, studio, search)
        }
        Known::Group(group) => {
            let names = Names { person: group.name.clone(), roles: refs(&parts), catalogue: Catalogue::new() };
            studio.role.forget();
            studio.aim.set(Aim::Group(group.id));
            studio.name.set(group.name.clone());
            studio.may.set(held.may(GROUPS_MANAGE.as_str()) && held.may(PERMISSIONS_ASSIGN.as_str()));
            studio.person.begin(Group::clone(&group), names);
            target::group(*group, parts.roles, studio)
        }
        Known::Many(people) => {
            let name = many_in_sentences(locale(), people.len());
            let names = Names { person: name.clone(), roles: refs(&parts), catalogue: parts.catalogue.clone() };
            studio.role.forget();
            studio.aim.set(Aim::Many(people.iter().map(|one| one.user).collect()));
            studio.name.set(name);
            studio.may.set(held.may(PERMISSIONS_ASSIGN.as_str()));
            studio.person.begin(people.clone(), names);
            target::many(&people, parts, studio, search)
        }
        Known::Role(role) => {
            studio.person.forget();
            studio.aim.set(Aim::Role(role.id));
            studio.name.set(role.name.clone());
            studio.may.set(held.may(ROLES_UPDATE.as_str()) && !role.platform);
            studio.role.begin(Role::clone(&role));
            target::role(*role, parts.catalogue, studio, search)
        }
    }
}

/// So many people where something is done to them: Arabic declines them there.
fn many_in_sentences(locale: Locale, count: usize) -> String {
    td_string!(locale, roles.many_people_of, count = count).to_string()
}

/// The roles by name, for the review.
fn refs(parts: &Parts) -> Vec<RoleRef> {
    parts.roles.iter().flatten().map(|role| RoleRef { id: role.id, name: role.name.clone() }).collect()
}

/// The switch between the three steps, on the phone.
fn steps(studio: Studio) -> AnyView {
    let locale = locale();
    let step = move |step: Step, word: Signal<String>, dot: Signal<bool>| {
        view! {
            <button
                type="button"
                aria-current=move || (studio.step.get() == step).then_some("step")
                on:click=move |_| studio.step.set(step)
            >
                <bdi>{move || word.get()}</bdi>
                <span class="dot" hidden=move || !dot.get()></span>
            </button>
        }
    };
    let target = Signal::derive(move || {
        let count = studio.aim.with(|aim| if let Aim::Many(people) = aim { Some(people.len()) } else { None });
        if let Some(count) = count {
            return td_string!(locale, roles.many_people, count = count).to_string();
        }
        let name = studio.name.get();
        if name.is_empty() { td_string!(locale, roles.target).to_owned() } else { name }
    });
    let listed = Signal::derive(move || {
        let of_roles = studio.aim.with(|aim| matches!(aim, Aim::Group(_)));
        if of_roles { td_string!(locale, roles.roles) } else { td_string!(locale, roles.permissions) }.to_owned()
    });
    let no = Signal::stored(false);
    let staged = Signal::derive(move || {
        studio.person.changes.with(|changes| changes.count() > 0)
            || studio.role.changes.with(|changes| !changes.is_empty())
    });
    view! {
        <div class="segments" role="group" aria-label=td_string!(locale, roles.steps)>
            {step(Step::Catalogue, listed, no)}
            {step(Step::Target, target, no)}
            {step(Step::Effect, Signal::stored(td_string!(locale, roles.effect).to_owned()), staged)}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// C3: several people are one target; one alone is a person, and nobody is named twice.
    #[test]
    fn several_people_are_one_target() {
        let id = |number: u128| UserId(Uuid::from_u128(number));
        let read = |ids: &[u128]| {
            let ids = ids.iter().map(|number| id(*number).to_string()).collect::<Vec<_>>();
            Aim::people(&ids.join(","))
        };
        assert_eq!(read(&[1, 2, 1]), Some(Aim::Many(vec![id(1), id(2)])));
        assert_eq!(read(&[1, 1]), Some(Aim::Person(id(1))));
        assert_eq!(Aim::people("x,,"), None);
    }

    /// C3, H1: two people are declined where the sentence needs it.
    #[test]
    fn two_people_are_declined() {
        assert_eq!(many_in_sentences(Locale::ar, 2), "شخصين");
        let given = td_string!(Locale::ar, roles.said_given, what = "", name = many_in_sentences(Locale::ar, 2));
        assert!(given.to_string().contains("إلى شخصين"));
    }
}
