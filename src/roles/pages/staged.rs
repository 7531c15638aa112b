//! Changes of rights that are shown but not saved yet: of a person, of a group, of many people, and of a role.

use std::collections::BTreeMap;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::whose::{Edit, Standing, Whose};
use crate::{
    access::{EffectivePermission, GivenRole, Permission, RoleRef},
    base::{
        errors::{AppError, FieldCode},
        ids::RoleId,
        time::Timestamp,
    },
    roles::{Catalogue, Override, Overrides, PersonRights, RightsEdit, Role},
    ui::{browser, fields::moment_value, tri_state::Tri},
};

/// Where one permission stands for one person, as the form holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    pub tri: Tri,
    /// What the date field holds: `2026-11-22T14:02` in UTC, or nothing.
    pub until: String,
    pub reason: String,
}

/// Whether a person has a role and until when, as the form holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleStand {
    pub has: bool,
    /// As in [`Stand::until`].
    pub until: String,
}

/// What differs from what is saved, and only that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub roles: BTreeMap<RoleId, RoleStand>,
    pub stands: BTreeMap<String, Stand>,
}

/// What is saved, in the form in which it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub whose: Whose,
    pub roles: Vec<GivenRole>,
    pub overrides: Overrides,
    pub version: i64,
}

impl Saved {
    pub fn of(rights: &PersonRights) -> Self {
        Saved {
            whose: Whose::Person(rights.user_id),
            roles: rights.roles.iter().map(GivenRole::from).collect(),
            overrides: rights.overrides.clone(),
            version: rights.version,
        }
    }

    /// What all of several people have: the roles and overrides that none of them lacks, with the bounds that are the same
    /// for all.
    pub fn in_common(each: &[Saved]) -> Self {
        let Some((first, others)) = each.split_first() else { return Saved::default() };
        let roles = first.roles.iter().filter_map(|given| {
            let find = |one: &Saved| one.roles.iter().find(|other| other.role == given.role).cloned();
            let found = others.iter().map(find).collect::<Option<Vec<_>>>()?;
            let expires_at =
                given.expires_at.filter(|_| found.iter().all(|other| other.expires_at == given.expires_at));
            let scope = if found.iter().all(|other| other.scope == given.scope) {
                given.scope.clone()
            } else {
                Default::default()
            };
            Some(GivenRole { role: given.role, scope, expires_at })
        });
        let half = |of: fn(&Saved) -> &Vec<Override>| {
            let shared = of(first).iter().filter_map(|given| {
                let find = |one: &Saved| of(one).iter().find(|other| other.key == given.key).cloned();
                let found = others.iter().map(find).collect::<Option<Vec<_>>>()?;
                let is_same = found.iter().all(|other| other == given);
                Some(if is_same {
                    given.clone()
                } else {
                    Override { key: given.key.clone(), expires_at: None, reason: None }
                })
            });
            shared.collect::<Vec<_>>()
        };
        let people = each.iter().filter_map(|one| match one.whose {
            Whose::Person(id) => Some(id),
            Whose::Nobody | Whose::Group(_) | Whose::Many(_) => None,
        });
        Saved {
            whose: Whose::Many(people.collect()),
            roles: roles.collect(),
            overrides: Overrides { allow: half(|one| &one.overrides.allow), deny: half(|one| &one.overrides.deny) },
            // Every change of one of them moves it on.
            version: each.iter().map(|one| one.version).sum(),
        }
    }

    pub fn stand(&self, key: &str) -> Stand {
        let find = |list: &[Override], tri: Tri| {
            list.iter().find(|one| one.key == key).map(|one| Stand {
                tri,
                until: moment_value(one.expires_at),
                reason: one.reason.clone().unwrap_or_default(),
            })
        };
        find(&self.overrides.deny, Tri::Denied)
            .or_else(|| find(&self.overrides.allow, Tri::Allowed))
            .unwrap_or_default()
    }

    pub fn role(&self, id: RoleId) -> RoleStand {
        let given = self.roles.iter().find(|given| given.role == id);
        given.map(|given| RoleStand { has: true, until: moment_value(given.expires_at) }).unwrap_or_default()
    }

    /// The edit that would bring this state back on top of `version`, for the halves that differ from `now`.
    pub fn back(&self, now: &Saved) -> RightsEdit {
        RightsEdit {
            roles: (self.roles != now.roles).then(|| self.roles.clone()),
            overrides: (self.overrides != now.overrides).then(|| self.overrides.clone()),
            version: Some(now.version),
            ..RightsEdit::default()
        }
    }
}

/// Whether a grant has ended since it was read: it is no more, and is not sent back.
fn has_run_out(end: Option<Timestamp>) -> bool {
    end.is_some_and(|end| end <= browser::about_now())
}

/// What a date field holds; nothing is no end.
fn from_field(text: &str) -> Result<Option<Timestamp>, AppError> {
    match text.trim() {
        "" => Ok(None),
        text => match Timestamp::parse(text) {
            Some(moment) => Ok(Some(moment)),
            None => Err(AppError::field("expires_at", FieldCode::Malformed)),
        },
    }
}

impl Changes {
    pub fn count(&self) -> usize {
        self.roles.len() + self.stands.len()
    }

    /// Notes whether a role is wanted and until when; wanting what is saved is no change.
    pub fn set_role(&mut self, saved: &Saved, role: RoleId, stand: RoleStand) {
        let stand = if stand.has { stand } else { RoleStand::default() };
        if saved.role(role) == stand {
            self.roles.remove(&role);
        } else {
            self.roles.insert(role, stand);
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
    pub fn against(self, saved: &Saved) -> Self {
        let mut still = Changes::default();
        for (role, wanted) in self.roles {
            still.set_role(saved, role, wanted);
        }
        for (key, stand) in self.stands {
            still.set_stand(saved, &key, stand);
        }
        still
    }

    /// The changes of many people as they are for one of them. Whoever has a role already that only some have keeps its end;
    /// so an allow for all neither lifts a deny that only some have nor makes what only some are allowed last longer.
    pub fn for_one(&self, common: &Saved, one: &Saved) -> Self {
        let mut own = Changes::default();
        for (role, wanted) in &self.roles {
            let is_kept = wanted.has && !common.role(*role).has && one.role(*role).has;
            if !is_kept {
                own.set_role(one, *role, wanted.clone());
            }
        }
        for (key, stand) in &self.stands {
            let is_kept = stand.tri == Tri::Allowed
                && common.stand(key).tri == Tri::Inherited
                && one.stand(key).tri != Tri::Inherited;
            if !is_kept {
                own.set_stand(one, key, stand.clone());
            }
        }
        own
    }

    /// The whole new state, to be saved as one. A half without changes is left alone.
    pub fn edit(&self, saved: &Saved) -> Result<RightsEdit, AppError> {
        let roles = if self.roles.is_empty() { None } else { Some(self.given(saved)?) };
        let overrides = if self.stands.is_empty() { None } else { Some(self.overrides(saved)?) };
        Ok(RightsEdit { roles, overrides, version: Some(saved.version), ..RightsEdit::default() })
    }

    fn given(&self, saved: &Saved) -> Result<Vec<GivenRole>, AppError> {
        let untouched = saved.roles.iter();
        let untouched =
            untouched.filter(|given| !self.roles.contains_key(&given.role) && !has_run_out(given.expires_at));
        let untouched = untouched.cloned();
        let mut all = untouched.collect::<Vec<_>>();
        for (role, stand) in self.roles.iter().filter(|(_, stand)| stand.has) {
            let scope = saved.roles.iter().find(|given| given.role == *role).map(|given| given.scope.clone());
            let expires_at = from_field(&stand.until)?;
            all.push(GivenRole { role: *role, scope: scope.unwrap_or_default(), expires_at });
        }
        Ok(all)
    }

    fn overrides(&self, saved: &Saved) -> Result<Overrides, AppError> {
        let untouched = |list: &[Override]| {
            let kept = list.iter().filter(|one| !self.stands.contains_key(&one.key) && !has_run_out(one.expires_at));
            kept.cloned().collect::<Vec<_>>()
        };
        let mut all = Overrides { allow: untouched(&saved.overrides.allow), deny: untouched(&saved.overrides.deny) };
        for (key, stand) in &self.stands {
            let expires_at = from_field(&stand.until)?;
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

    /// What `new` has that `old` had not, as changes: how somebody else has moved what is saved.
    pub fn between(old: &Saved, new: &Saved) -> Self {
        let mut moved = Changes::default();
        let roles = old.roles.iter().chain(&new.roles).map(|given| given.role);
        for role in roles {
            moved.set_role(old, role, new.role(role));
        }
        let overrides = [&old.overrides.allow, &old.overrides.deny, &new.overrides.allow, &new.overrides.deny];
        for one in overrides.into_iter().flatten() {
            moved.set_stand(old, &one.key, new.stand(&one.key));
        }
        moved
    }

    /// The same of many people: also what others gave to one of them alone, or took from them.
    fn among(old: (&Saved, &[Saved]), new: (&Saved, &[Saved])) -> Self {
        let mut moved = Changes::default();
        for now in new.1 {
            if let Some(before) = old.1.iter().find(|before| before.whose == now.whose) {
                moved.join(Changes::between(before, now));
            }
        }
        // What has become of all of them is told before what one of them has.
        moved.join(Changes::between(old.0, new.0));
        moved
    }

    fn join(&mut self, later: Changes) {
        self.roles.extend(later.roles);
        self.stands.extend(later.stands);
    }
}

/// The names of what can change, for the review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub person: String,
    pub roles: Vec<RoleRef>,
    pub catalogue: Catalogue,
}

/// The staged changes of whomever the page is about, except for a role. They belong to the page and outlive its tabs and each reading of what
/// is saved.
#[derive(Clone, Copy)]
pub struct Staged {
    pub changes: RwSignal<Changes>,
    pub saved: RwSignal<Saved>,
    /// Of many people what each of them has.
    each: RwSignal<Vec<Saved>>,
    pub names: RwSignal<Names>,
    /// What somebody else has changed since this work began.
    pub meanwhile: RwSignal<Changes>,
    /// What the engine answers on what is saved.
    effective: RwSignal<BTreeMap<String, EffectivePermission>>,
}

impl Staged {
    pub fn new() -> Self {
        Staged {
            changes: RwSignal::new(Changes::default()),
            saved: RwSignal::new(Saved::default()),
            each: RwSignal::new(Vec::new()),
            names: RwSignal::new(Names::default()),
            meanwhile: RwSignal::new(Changes::default()),
            effective: RwSignal::new(BTreeMap::new()),
        }
    }

    /// Takes over what is saved now. Changes of somebody else are forgotten, those of the same one stay.
    pub fn begin(self, standing: impl Into<Standing>, names: Names) {
        self.names.set(names);
        self.take(standing.into());
    }

    /// Takes over what is saved now of the same one. An answer about whoever was left meanwhile is nothing.
    pub fn renew(self, standing: Standing) {
        if self.is_about(&standing) {
            self.take(standing);
        }
    }

    fn is_about(self, standing: &Standing) -> bool {
        self.saved.with_untracked(|saved| saved.whose == standing.saved.whose)
    }

    fn take(self, standing: Standing) {
        let Standing { saved, each, effective } = standing;
        // What was read before the last change was saved is no news.
        if self.saved.with_untracked(|now| now.whose == saved.whose && now.version > saved.version) {
            return;
        }
        self.effective.set(effective.into_iter().map(|one| (one.key.clone(), one)).collect());
        let (before, each_before) = (self.saved.get_untracked(), self.each.get_untracked());
        self.each.set(each);
        if before == saved {
            return;
        }
        let mine = self.changes.with_untracked(|changes| changes.count() > 0);
        if before.whose == saved.whose {
            if mine {
                let moved = self.each.with_untracked(|each| Changes::among((&before, &each_before), (&saved, each)));
                self.meanwhile.update(|all| all.join(moved));
            }
            self.changes.update(|changes| *changes = std::mem::take(changes).against(&saved));
        } else {
            self.discard();
        }
        self.saved.set(saved);
    }

    /// What was just saved from here: nothing is staged any more.
    pub fn saved_as(self, standing: Standing) {
        if self.is_about(&standing) {
            self.discard();
            self.take(standing);
        }
    }

    /// What is saved, as it was read last.
    pub fn standing(self) -> Standing {
        Standing { saved: self.saved.get_untracked(), each: self.each.get_untracked(), effective: Vec::new() }
    }

    /// What is staged, as it is saved; nothing where nothing is.
    pub fn edit(self) -> Option<Result<Edit, AppError>> {
        self.changes.with(|changes| {
            let edit = |saved: &Saved| self.each.with(|each| Edit::of(changes, saved, each));
            if changes.count() == 0 { None } else { self.saved.with(edit).transpose() }
        })
    }

    /// The wildcard that is allowed or denied here and covers a permission, counting what is staged: the deny where there is
    /// one, since it wins.
    pub fn covering(self, key: &str) -> Option<(String, Tri)> {
        let above = wildcards_above(key);
        let find =
            |tri: Tri| above.iter().find(|pattern| self.stand(pattern).tri == tri).map(|found| (found.clone(), tri));
        find(Tri::Denied).or_else(|| find(Tri::Allowed))
    }

    /// Leaves the person. What is written down of the changes stays: nothing says that they are not wanted.
    pub fn forget(self) {
        self.saved.set(Saved::default());
        self.discard();
    }

    /// Whether the person has the role, counting what is staged.
    pub fn role(self, role: RoleId) -> RoleStand {
        self.changes
            .with(|changes| changes.roles.get(&role).cloned())
            .unwrap_or_else(|| self.saved.with(|saved| saved.role(role)))
    }

    /// How many roles the person has, counting what is staged.
    pub fn role_count(self) -> usize {
        self.saved.with(|saved| {
            self.changes.with(|changes| {
                let kept = |given: &&GivenRole| changes.roles.get(&given.role).is_none_or(|stand| stand.has);
                let come = changes.roles.iter().filter(|(role, stand)| stand.has && !saved.role(**role).has);
                saved.roles.iter().filter(kept).count() + come.count()
            })
        })
    }

    /// Where a permission stands, counting what is staged.
    pub fn stand(self, key: &str) -> Stand {
        self.changes
            .with(|changes| changes.stands.get(key).cloned())
            .unwrap_or_else(|| self.saved.with(|saved| saved.stand(key)))
    }

    /// What the engine answers on what is saved; wildcards have no answer of their own.
    pub fn answer(self, key: &str) -> Option<EffectivePermission> {
        self.effective.with(|effective| effective.get(key).cloned())
    }

    pub fn set_role(self, role: RoleId, stand: RoleStand) {
        self.saved.with_untracked(|saved| self.changes.update(|changes| changes.set_role(saved, role, stand)));
    }

    pub fn set_stand(self, key: &str, stand: Stand) {
        self.saved.with_untracked(|saved| self.changes.update(|changes| changes.set_stand(saved, key, stand)));
    }

    /// Allows or denies a permission, keeping the end and reason that it has.
    pub fn set_tri(self, key: &str, tri: Tri) {
        let stand = Stand { tri, ..untrack(|| self.stand(key)) };
        self.set_stand(key, stand);
    }

    pub fn discard(self) {
        self.changes.set(Changes::default());
        self.meanwhile.set(Changes::default());
    }
}

impl Default for Staged {
    fn default() -> Self {
        Self::new()
    }
}

/// The wildcards that cover a permission, the narrowest first.
fn wildcards_above(key: &str) -> Vec<String> {
    let mut above = Permission::parse(key).map(|key| key.covering()).unwrap_or_default();
    above.retain(|pattern| pattern.ends_with('*') && pattern != key);
    above.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
    above
}

/// The staged changes of what a role gives: true for a key that comes, false for one that goes.
pub type RoleChanges = BTreeMap<String, bool>;

/// How somebody else has moved what a role gives.
pub fn moved(before: &[String], now: &[String]) -> RoleChanges {
    let gone = before.iter().filter(|key| !now.contains(key)).map(|key| (key.clone(), false));
    let come = now.iter().filter(|key| !before.contains(key)).map(|key| (key.clone(), true));
    gone.chain(come).collect()
}

/// The role that is being changed.
#[derive(Clone, Copy)]
pub struct StagedRole {
    pub changes: RwSignal<RoleChanges>,
    pub saved: RwSignal<Option<Role>>,
    pub catalogue: RwSignal<Catalogue>,
    /// What somebody else has changed since this work began.
    pub meanwhile: RwSignal<RoleChanges>,
}

impl StagedRole {
    pub fn new() -> Self {
        StagedRole {
            changes: RwSignal::new(RoleChanges::new()),
            saved: RwSignal::new(None),
            catalogue: RwSignal::new(Catalogue::new()),
            meanwhile: RwSignal::new(RoleChanges::new()),
        }
    }

    /// Takes over what is saved now of the same role. An answer about one that was left meanwhile is nothing.
    pub fn renew(self, role: Role) {
        if self.is_about(role.id) {
            self.begin(role);
        }
    }

    fn is_about(self, id: RoleId) -> bool {
        self.saved.with_untracked(|role| role.as_ref().is_some_and(|role| role.id == id))
    }

    /// Takes over what is saved now. Changes of another role are forgotten, those of the same one stay.
    pub fn begin(self, role: Role) {
        let before = self.saved.get_untracked();
        // What was read before the last change was saved is no news.
        if before.as_ref().is_some_and(|now| now.id == role.id && now.version >= role.version) {
            return;
        }
        match before {
            Some(before) if before.id == role.id => {
                if self.changes.with_untracked(|changes| !changes.is_empty()) {
                    self.meanwhile.update(|all| all.extend(moved(&before.permissions, &role.permissions)));
                }
                self.changes.update(|changes| changes.retain(|key, wanted| role.permissions.contains(key) != *wanted));
            }
            _ => self.discard(),
        }
        self.saved.set(Some(role));
    }

    /// What was just saved from here: nothing is staged any more.
    pub fn saved_as(self, role: Role) {
        if self.is_about(role.id) {
            self.discard();
            self.begin(role);
        }
    }

    /// Leaves the role. What is written down of the changes stays: nothing says that they are not wanted.
    pub fn forget(self) {
        self.saved.set(None);
        self.discard();
    }

    fn is_saved(self, key: &str) -> bool {
        self.saved.with(|role| role.as_ref().is_some_and(|role| role.permissions.iter().any(|one| one == key)))
    }

    /// Whether the role gives the key, counting what is staged.
    pub fn gives(self, key: &str) -> bool {
        self.changes.with(|changes| changes.get(key).copied()).unwrap_or_else(|| self.is_saved(key))
    }

    pub fn set(self, key: &str, wanted: bool) {
        let is_saved = untrack(|| self.is_saved(key));
        self.changes.update(|changes| {
            if is_saved == wanted {
                changes.remove(key);
            } else {
                changes.insert(key.to_owned(), wanted);
            }
        });
    }

    /// The wildcard that the role gives, counting what is staged, and that covers a permission.
    pub fn covering(self, key: &str) -> Option<String> {
        wildcards_above(key).into_iter().find(|pattern| self.gives(pattern))
    }

    /// All that the role shall give, sorted.
    pub fn all(self) -> Vec<String> {
        let saved = self.saved.with(|role| role.as_ref().map(|role| role.permissions.clone()).unwrap_or_default());
        self.changes.with(|changes| {
            let kept = saved.into_iter().filter(|key| changes.get(key) != Some(&false));
            let come = changes.iter().filter(|(_, wanted)| **wanted).map(|(key, _)| key.clone());
            let mut all = kept.chain(come).collect::<Vec<_>>();
            all.sort();
            all
        })
    }

    pub fn discard(self) {
        self.changes.set(RoleChanges::new());
        self.meanwhile.set(RoleChanges::new());
    }
}

impl Default for StagedRole {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::UserId;
    use uuid::Uuid;

    fn role(number: u128) -> RoleId {
        RoleId(Uuid::from_u128(number))
    }

    fn given(number: u128) -> GivenRole {
        GivenRole { role: role(number), scope: Default::default(), expires_at: None }
    }

    fn has(until: &str) -> RoleStand {
        RoleStand { has: true, until: until.to_owned() }
    }

    fn saved() -> Saved {
        let deny = Override { key: "users.delete".to_owned(), expires_at: None, reason: Some("r".to_owned()) };
        Saved {
            whose: Whose::Person(UserId(Uuid::from_u128(9))),
            roles: vec![given(1)],
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
        changes.set_role(&saved, role(1), RoleStand::default());
        assert_eq!(changes.count(), 2);
        changes.set_stand(&saved, "users.read", Stand { reason: "left over".to_owned(), ..Stand::default() });
        changes.set_role(&saved, role(1), has(""));
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

    /// C13: a role can be given until a moment, and one that has a scope keeps it.
    #[test]
    fn a_role_gets_an_end_and_keeps_its_scope() {
        let (mut saved, mut changes) = (saved(), Changes::default());
        saved.roles[0].scope.department = Some("finance".to_owned());
        changes.set_role(&saved, role(1), has("2026-12-01T08:00"));
        changes.set_role(&saved, role(2), has(""));
        let roles = changes.edit(&saved).expect("all is well formed").roles.expect("there is a change");
        assert_eq!(roles[0].scope.department.as_deref(), Some("finance"));
        assert_eq!(roles[0].expires_at, Timestamp::parse("2026-12-01T08:00:00Z"));
        assert_eq!(roles[1], given(2));
    }

    #[test]
    fn what_somebody_else_did_meanwhile_is_no_change_any_more() {
        let (before, mut changes) = (saved(), Changes::default());
        changes.set_stand(&before, "users.read", allowed(""));
        changes.set_role(&before, role(2), has(""));
        let mut after = before.clone();
        after.roles.push(given(2));
        let moved = Changes::between(&before, &after);
        assert_eq!((moved.roles.len(), moved.stands.len()), (1, 0));
        let still = changes.against(&after);
        assert_eq!((still.roles.len(), still.stands.len()), (0, 1));
    }

    #[test]
    fn undoing_brings_back_the_halves_that_were_changed() {
        let before = saved();
        let after = Saved { roles: vec![given(2)], version: 8, ..before.clone() };
        let back = before.back(&after);
        assert_eq!(back, RightsEdit { roles: Some(vec![given(1)]), version: Some(8), ..RightsEdit::default() });
    }

    #[test]
    fn what_is_no_date_is_refused_and_not_taken_for_forever() {
        let (saved, mut changes) = (saved(), Changes::default());
        changes.set_stand(&saved, "users.read", allowed("soon"));
        assert_eq!(changes.edit(&saved), Err(AppError::field("expires_at", FieldCode::Malformed)));
    }

    /// C3: of many people what all have is shown; what is staged reaches each as if it were for them alone.
    #[test]
    fn what_is_staged_for_many_is_what_differs_for_each() {
        let (mut one, mut other) = (saved(), saved());
        one.roles = vec![given(1), given(2)];
        other.roles = vec![GivenRole { expires_at: Timestamp::parse("2026-12-01T08:00:00Z"), ..given(1) }];
        other.whose = Whose::Person(UserId(Uuid::from_u128(10)));
        other.overrides = Overrides::default();
        let common = Saved::in_common(&[one.clone(), other.clone()]);
        assert_eq!((common.roles.clone(), common.overrides.clone()), (vec![given(1)], Overrides::default()));

        let mut changes = Changes::default();
        changes.set_role(&common, role(2), has(""));
        changes.set_role(&common, role(1), RoleStand::default());
        changes.set_stand(&common, "users.read", allowed(""));
        let (mine, theirs) = (changes.for_one(&common, &one), changes.for_one(&common, &other));
        assert_eq!((mine.roles.len(), mine.stands.len()), (1, 1), "the second role is there already");
        assert_eq!((theirs.roles.len(), theirs.stands.len()), (2, 1));

        // What one of them alone was denied, or allowed until a moment, is not what was meant by an allow for all.
        let until = Timestamp::parse("2026-12-01T08:00:00Z");
        one.overrides.allow = vec![Override { key: "audit.read".to_owned(), expires_at: until, reason: None }];
        for key in ["users.delete", "audit.read"] {
            changes.set_stand(&common, key, allowed(""));
            let (mine, theirs) = (changes.for_one(&common, &one), changes.for_one(&common, &other));
            assert_eq!((mine.stands.contains_key(key), theirs.stands.contains_key(key)), (false, true), "{key}");
        }
        // A deny for all is stronger than what one of them is allowed.
        changes.set_stand(&common, "audit.read", Stand { tri: Tri::Denied, ..Stand::default() });
        assert!(changes.for_one(&common, &one).stands.contains_key("audit.read"));

        let edit = Edit::of(&changes, &common, &[one, other]).expect("all is well formed");
        let Some(Edit::Many(edits)) = edit else { panic!("it is about many") };
        assert_eq!(edits.people[0].roles, Some(vec![given(2)]));
        assert_eq!(edits.people[1].roles, Some(vec![given(2)]));
        let denied = |at: usize| {
            let deny = edits.people[at].overrides.iter().flat_map(|all| &all.deny);
            deny.map(|one| one.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(denied(0), ["users.delete", "audit.read"], "what was theirs stays");
        assert_eq!(denied(1), ["audit.read"]);
    }

    /// C3: what others did meanwhile to one of many is told as what they did to all of them.
    #[test]
    fn what_others_did_to_one_of_many_is_told() {
        let (one, mut other) = (saved(), saved());
        other.whose = Whose::Person(UserId(Uuid::from_u128(10)));
        let before = [one.clone(), other.clone()];
        let mut now = [one, other];
        now[1].roles.push(given(2));
        now[1].overrides.deny.push(Override { key: "audit.read".to_owned(), expires_at: None, reason: None });
        now[1].version += 1;
        let (old, new) = (Saved::in_common(&before), Saved::in_common(&now));
        assert_eq!(Changes::between(&old, &new), Changes::default(), "all of them have what they had");
        let moved = Changes::among((&old, &before), (&new, &now));
        assert_eq!(moved.roles.keys().collect::<Vec<_>>(), [&role(2)]);
        assert_eq!(moved.stands.get("audit.read").map(|stand| stand.tri), Some(Tri::Denied));
        assert_eq!(moved.count(), 2);
    }

    /// C3: a wildcard is told of what it covers; the narrowest one first.
    #[test]
    fn the_narrowest_wildcard_covers() {
        assert_eq!(wildcards_above("oauth.clients.manage"), ["oauth.clients.*", "oauth.*", "*"]);
        assert_eq!(wildcards_above("users.*"), ["*"]);
        assert_eq!(wildcards_above("*"), Vec::<String>::new());
    }
}
