//! Unsaved changes over a reload or a step back: they are written down as they are made, and read when the page comes to
//! the same thing again. What others have saved in between is told and not passed over.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    staged::{Changes, RoleChanges, Saved, Staged, StagedRole, moved},
    whose::Whose,
};
use crate::ui::{browser, toasts::toasts};

/// What is written down: the changes with the state on which they were made, and what others had changed before that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Draft<S, C> {
    saved: S,
    changes: C,
    meanwhile: C,
}

impl Draft<Saved, Changes> {
    /// The changes that still are ones over what is saved now, and all that others have changed since they were begun.
    fn over(self, now: &Saved) -> (Changes, Changes) {
        let by_others = Changes::between(&self.saved, now);
        let mut meanwhile = self.meanwhile;
        meanwhile.roles.extend(by_others.roles);
        meanwhile.stands.extend(by_others.stands);
        (self.changes.against(now), meanwhile)
    }
}

/// Of a role only what it gives is changed here.
impl Draft<Vec<String>, RoleChanges> {
    fn over(self, now: &[String]) -> (RoleChanges, RoleChanges) {
        let mut meanwhile = self.meanwhile;
        meanwhile.extend(moved(&self.saved, now));
        let mut changes = self.changes;
        changes.retain(|key, wanted| now.contains(key) != *wanted);
        (changes, meanwhile)
    }
}

/// Keeps the unsaved changes of a person's or a group's rights.
pub fn keep_rights(staged: Staged) {
    let toasts = toasts();
    let name = Signal::derive(move || {
        staged.saved.with(|saved| match &saved.whose {
            Whose::Person(person) => Some(format!("rights/{person}")),
            Whose::Group(group) => Some(format!("rights/group/{group}")),
            // Who was chosen together once is hardly chosen so again.
            Whose::Nobody | Whose::Many(_) => None,
        })
    });
    let write = move || {
        let (saved, changes) = (staged.saved.get(), staged.changes.get());
        let count = changes.count();
        written(&Draft { saved, changes, meanwhile: staged.meanwhile.get() }, count)
    };
    keep(name, write, move |text| {
        // What an older build has written down and this one cannot read is no draft.
        let Ok(draft) = serde_json::from_str::<Draft<Saved, Changes>>(text) else { return };
        let (changes, meanwhile) = staged.saved.with_untracked(|saved| draft.over(saved));
        if changes.count() > 0 && staged.changes.with_untracked(|now| now.count() == 0) {
            toasts.say_restored(meanwhile.count() > 0);
            staged.meanwhile.set(meanwhile);
            staged.changes.set(changes);
        }
    });
}

/// Keeps the unsaved changes of what a role gives.
pub fn keep_role(staged: StagedRole) {
    let toasts = toasts();
    let name = Signal::derive(move || staged.saved.with(|role| role.as_ref().map(|role| format!("role/{}", role.id))));
    let gives = |role: &Option<crate::roles::Role>| role.as_ref().map(|role| role.permissions.clone());
    let write = move || {
        let (saved, changes) = (staged.saved.with(gives).unwrap_or_default(), staged.changes.get());
        let count = changes.len();
        written(&Draft { saved, changes, meanwhile: staged.meanwhile.get() }, count)
    };
    keep(name, write, move |text| {
        let Ok(draft) = serde_json::from_str::<Draft<Vec<String>, RoleChanges>>(text) else { return };
        let (changes, meanwhile) = draft.over(&staged.saved.with_untracked(gives).unwrap_or_default());
        if !changes.is_empty() && staged.changes.with_untracked(RoleChanges::is_empty) {
            toasts.say_restored(!meanwhile.is_empty());
            staged.meanwhile.set(meanwhile);
            staged.changes.set(changes);
        }
    });
}

/// Writes down what `write` says whenever it says something else, under a name; reads it where another name comes.
fn keep(name: Signal<Option<String>>, write: impl Fn() -> String + 'static, read: impl Fn(&str) + 'static) {
    Effect::new(move |before: Option<Option<String>>| {
        let (now, text) = (name.get(), write());
        if let Some(name) = &now {
            if before.flatten().as_ref() == Some(name) {
                browser::keep(name, &text);
            } else if let Some(kept) = browser::kept(name) {
                read(&kept);
            }
        }
        now
    });
}

/// The draft as text; without changes an empty one.
fn written<T: Serialize>(draft: &T, count: usize) -> String {
    if count == 0 { String::new() } else { serde_json::to_string(draft).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::GivenRole,
        base::ids::{RoleId, UserId},
        roles::{
            Override, Overrides,
            pages::staged::{RoleStand, Stand},
        },
        ui::tri_state::Tri,
    };
    use uuid::Uuid;

    fn role(number: u128) -> RoleId {
        RoleId(Uuid::from_u128(number))
    }

    fn saved() -> Saved {
        Saved { whose: Whose::Person(UserId(Uuid::from_u128(9))), version: 7, ..Saved::default() }
    }

    /// A person is given a role and allowed something, and nobody has seen it yet.
    fn draft() -> Draft<Saved, Changes> {
        let (saved, mut changes) = (saved(), Changes::default());
        let stand = Stand { tri: Tri::Allowed, until: "2026-11-30T00:00".to_owned(), reason: String::new() };
        changes.set_stand(&saved, "users.read", stand);
        changes.set_role(&saved, role(2), RoleStand { has: true, until: String::new() });
        Draft { saved, changes, meanwhile: Changes::default() }
    }

    #[test]
    fn a_draft_survives_being_written_down() {
        let draft = draft();
        let text = written(&draft, draft.changes.count());
        assert_eq!(serde_json::from_str::<Draft<Saved, Changes>>(&text).ok().as_ref(), Some(&draft));
        let (changes, meanwhile) = draft.clone().over(&saved());
        assert_eq!((changes, meanwhile.count()), (draft.changes, 0));
    }

    #[test]
    fn what_others_saved_since_the_draft_is_told_however_often_it_is_read() {
        let deny = |key: &str| Override { key: key.to_owned(), expires_at: None, reason: None };
        let given = GivenRole { role: role(2), scope: Default::default(), expires_at: None };
        let overrides = Overrides { allow: Vec::new(), deny: vec![deny("audit.read")] };
        let now = Saved { roles: vec![given], overrides: overrides.clone(), version: 8, ..saved() };
        let (changes, meanwhile) = draft().over(&now);
        assert_eq!((changes.roles.len(), changes.stands.len()), (0, 1), "the role is there already");
        assert_eq!((meanwhile.roles.len(), meanwhile.stands.len()), (1, 1));

        let again = Draft { saved: now.clone(), changes, meanwhile };
        let later = Saved { version: 9, overrides: Overrides { allow: vec![deny("roles.read")], ..overrides }, ..now };
        let (_, meanwhile) = again.over(&later);
        assert_eq!(meanwhile.stands.keys().collect::<Vec<_>>(), ["audit.read", "roles.read"]);
    }

    #[test]
    fn the_draft_of_a_role_is_laid_over_what_it_gives_now() {
        let texts = |all: &[&str]| all.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let changes = RoleChanges::from([("audit.read".to_owned(), true), ("users.read".to_owned(), false)]);
        let draft = Draft { saved: texts(&["users.read"]), changes, meanwhile: RoleChanges::new() };
        let (changes, meanwhile) = draft.over(&texts(&["roles.read", "users.read", "audit.read"]));
        assert_eq!(changes, RoleChanges::from([("users.read".to_owned(), false)]));
        assert_eq!(meanwhile, RoleChanges::from([("audit.read".to_owned(), true), ("roles.read".to_owned(), true)]));
    }
}
