//! Changes of a person's rights that are shown but not saved yet.

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::{
    access::RoleRef,
    base::{
        errors::{AppError, FieldCode},
        ids::{RoleId, UserId},
        time::Timestamp,
    },
    roles::{Catalogue, Override, Overrides, PersonRights, RightsEdit},
    ui::tri_state::Tri,
};

/// Where one permission stands for one person, as the form holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    pub tri: Tri,
    /// What the date field holds: `2026-11-22T14:02` in UTC, or nothing.
    pub until: String,
    pub reason: String,
}

/// What differs from what is saved, and only that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// True for a role that is added, false for one that is taken away.
    pub roles: BTreeMap<RoleId, bool>,
    pub stands: BTreeMap<String, Stand>,
}

/// What is saved, in the form in which it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Whose rights these are.
    pub person: Option<UserId>,
    pub roles: Vec<RoleId>,
    pub overrides: Overrides,
    pub version: i64,
}

impl Saved {
    pub fn of(rights: &PersonRights) -> Self {
        Saved {
            person: Some(rights.user_id),
            roles: rights.roles.iter().map(|has| has.role.id).collect(),
            overrides: rights.overrides.clone(),
            version: rights.version,
        }
    }

    pub fn stand(&self, key: &str) -> Stand {
        let find = |list: &[Override], tri: Tri| {
            list.iter().find(|one| one.key == key).map(|one| Stand {
                tri,
                until: one.expires_at.map(for_field).unwrap_or_default(),
                reason: one.reason.clone().unwrap_or_default(),
            })
        };
        find(&self.overrides.deny, Tri::Denied)
            .or_else(|| find(&self.overrides.allow, Tri::Allowed))
            .unwrap_or_default()
    }
}

/// A moment as a date field writes it.
fn for_field(moment: Timestamp) -> String {
    moment.to_string().chars().take(16).collect()
}

impl Changes {
    pub fn count(&self) -> usize {
        self.roles.len() + self.stands.len()
    }

    /// Notes that a role is wanted or not; wanting what is saved is no change.
    pub fn set_role(&mut self, saved: &Saved, role: RoleId, wanted: bool) {
        if saved.roles.contains(&role) == wanted {
            self.roles.remove(&role);
        } else {
            self.roles.insert(role, wanted);
        }
    }

    /// Notes where a permission shall stand; where it stands already is no change.
    pub fn set_stand(&mut self, saved: &Saved, key: &str, stand: Stand) {
        let stand = if stand.tri == Tri::Inherited { Stand::default() } else { stand };
        if saved.stand(key) == stand {
            self.stands.remove(key);
        } else {
            self.stands.insert(key.to_owned(), stand);
        }
    }

    /// What is still a change after the saved state has become another one.
    fn against(self, saved: &Saved) -> Self {
        let mut still = Changes::default();
        for (role, wanted) in self.roles {
            still.set_role(saved, role, wanted);
        }
        for (key, stand) in self.stands {
            still.set_stand(saved, &key, stand);
        }
        still
    }

    /// The whole new state, to be saved as one. A half without changes is left alone.
    pub fn edit(&self, saved: &Saved) -> Result<RightsEdit, AppError> {
        let roles = (!self.roles.is_empty()).then(|| {
            let kept = saved.roles.iter().filter(|role| self.roles.get(role) != Some(&false)).copied();
            let added = self.roles.iter().filter(|(_, wanted)| **wanted).map(|(role, _)| *role);
            kept.chain(added).collect()
        });
        let overrides = if self.stands.is_empty() { None } else { Some(self.overrides(saved)?) };
        Ok(RightsEdit { roles, overrides, version: Some(saved.version) })
    }

    fn overrides(&self, saved: &Saved) -> Result<Overrides, AppError> {
        let untouched = |list: &[Override]| {
            list.iter().filter(|one| !self.stands.contains_key(&one.key)).cloned().collect::<Vec<_>>()
        };
        let mut all = Overrides { allow: untouched(&saved.overrides.allow), deny: untouched(&saved.overrides.deny) };
        for (key, stand) in &self.stands {
            let expires_at = match stand.until.trim() {
                "" => None,
                text => {
                    Some(Timestamp::parse(text).ok_or_else(|| AppError::field("expires_at", FieldCode::Malformed))?)
                }
            };
            let reason = Some(stand.reason.trim().to_owned()).filter(|reason| !reason.is_empty());
            let one = Override { key: key.clone(), expires_at, reason };
            match stand.tri {
                Tri::Inherited => {}
                Tri::Allowed => all.allow.push(one),
                Tri::Denied => all.deny.push(one),
            }
        }
        Ok(all)
    }
}

/// The names of what can change, for the review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub person: String,
    pub roles: Vec<RoleRef>,
    pub catalogue: Catalogue,
}

/// The staged changes of the person on the page. They belong to the page and outlive its tabs and each reading of what
/// is saved.
#[derive(Clone, Copy)]
pub struct Staged {
    pub changes: RwSignal<Changes>,
    pub saved: RwSignal<Saved>,
    pub names: RwSignal<Names>,
}

impl Staged {
    pub fn new() -> Self {
        Staged {
            changes: RwSignal::new(Changes::default()),
            saved: RwSignal::new(Saved::default()),
            names: RwSignal::new(Names::default()),
        }
    }

    /// Takes over what is saved now. Changes of another person are forgotten, those of the same one stay.
    pub fn begin(self, saved: Saved, names: Names) {
        self.names.set(names);
        let same = self.saved.with_untracked(|before| before.person == saved.person);
        if *self.saved.read_untracked() == saved {
            return;
        }
        self.changes.update(|changes| {
            let before = std::mem::take(changes);
            if same {
                *changes = before.against(&saved);
            }
        });
        self.saved.set(saved);
    }

    /// Whether the person has the role, counting what is staged.
    pub fn has_role(self, role: RoleId) -> bool {
        let saved = self.saved.with(|saved| saved.roles.contains(&role));
        self.changes.with(|changes| changes.roles.get(&role).copied().unwrap_or(saved))
    }

    /// Where a permission stands, counting what is staged.
    pub fn stand(self, key: &str) -> Stand {
        self.changes
            .with(|changes| changes.stands.get(key).cloned())
            .unwrap_or_else(|| self.saved.with(|saved| saved.stand(key)))
    }

    pub fn set_role(self, role: RoleId, wanted: bool) {
        self.saved.with_untracked(|saved| self.changes.update(|changes| changes.set_role(saved, role, wanted)));
    }

    pub fn set_stand(self, key: &str, stand: Stand) {
        self.saved.with_untracked(|saved| self.changes.update(|changes| changes.set_stand(saved, key, stand)));
    }

    pub fn discard(self) {
        self.changes.set(Changes::default());
    }
}

impl Default for Staged {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn saved() -> Saved {
        let deny = Override { key: "users.delete".to_owned(), expires_at: None, reason: Some("r".to_owned()) };
        Saved {
            person: Some(UserId(Uuid::from_u128(9))),
            roles: vec![RoleId(Uuid::from_u128(1))],
            overrides: Overrides { allow: Vec::new(), deny: vec![deny] },
            version: 7,
        }
    }

    fn allowed(until: &str) -> Stand {
        Stand { tri: Tri::Allowed, until: until.to_owned(), reason: String::new() }
    }

    #[test]
    fn going_back_to_what_is_saved_is_no_change() {
        let (saved, mut changes) = (saved(), Changes::default());
        changes.set_stand(&saved, "users.read", allowed(""));
        changes.set_role(&saved, RoleId(Uuid::from_u128(1)), false);
        assert_eq!(changes.count(), 2);
        changes.set_stand(&saved, "users.read", Stand { reason: "left over".to_owned(), ..Stand::default() });
        changes.set_role(&saved, RoleId(Uuid::from_u128(1)), true);
        assert_eq!(changes, Changes::default());
    }

    #[test]
    fn saving_sends_the_whole_set_with_what_was_not_touched() {
        let (saved, mut changes) = (saved(), Changes::default());
        changes.set_stand(&saved, "users.read", allowed("2026-11-30T00:00"));
        let edit = changes.edit(&saved).expect("all is well formed");
        assert_eq!(edit.roles, None);
        let overrides = edit.overrides.expect("there is a change");
        assert_eq!(overrides.deny, saved.overrides.deny);
        assert_eq!(overrides.allow[0].expires_at, Timestamp::parse("2026-11-30T00:00:00Z"));
    }

    #[test]
    fn what_somebody_else_did_meanwhile_is_no_change_any_more() {
        let (before, mut changes) = (saved(), Changes::default());
        changes.set_stand(&before, "users.read", allowed(""));
        changes.set_role(&before, RoleId(Uuid::from_u128(2)), true);
        let mut after = before;
        after.roles.push(RoleId(Uuid::from_u128(2)));
        let still = changes.against(&after);
        assert_eq!((still.roles.len(), still.stands.len()), (0, 1));
    }

    #[test]
    fn what_is_no_date_is_refused_and_not_taken_for_forever() {
        let (saved, mut changes) = (saved(), Changes::default());
        changes.set_stand(&saved, "users.read", allowed("soon"));
        assert_eq!(changes.edit(&saved), Err(AppError::field("expires_at", FieldCode::Malformed)));
    }
}
