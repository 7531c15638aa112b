//! Whose rights are worked on: a person, a group or many people. What is staged for them is read, foreseen and saved here, so
//! that the review is the same for all of them (C3).

use serde::{Deserialize, Serialize};

use super::staged::{Changes, Saved};
use crate::{
    access::{EffectivePermission, GivenRole},
    approvals::pages::ask::Asking,
    base::{
        errors::AppError,
        ids::{GroupId, UserId},
    },
    groups::{
        AskedEdit, Group, GroupEdit,
        calls::{edit_group, get_group, request_group},
    },
    roles::{
        ApprovalRequest, Effect, GroupGives, ManyEdits, PersonRights, PersonRightsEdit, PersonStand, RightsEdit,
        calls::{
            edit_rights, edit_rights_of_many, get_rights, get_rights_of_many, request_approval, what_if_group,
            what_if_many, what_if_rights,
        },
    },
};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whose {
    #[default]
    Nobody,
    Person(UserId),
    /// Of a group only the roles are its own.
    Group(GroupId),
    /// Several people, as they were named.
    Many(Vec<UserId>),
}

impl Whose {
    /// Whether those whom a change reaches are counted.
    pub fn is_counted(&self) -> bool {
        matches!(self, Whose::Group(_) | Whose::Many(_))
    }

    /// What is saved now.
    pub async fn look(self) -> Result<Standing, AppError> {
        match self {
            Whose::Nobody => Err(AppError::NotFound),
            Whose::Person(id) => get_rights(id).await.map(Into::into),
            Whose::Group(id) => get_group(id).await.map(Into::into),
            Whose::Many(ids) => get_rights_of_many(ids).await.map(Into::into),
        }
    }
}

/// What is saved, as it was just read.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Of many people what all of them have.
    pub saved: Saved,
    /// Of many people what each of them has.
    pub each: Vec<Saved>,
    pub effective: Vec<EffectivePermission>,
}

impl From<PersonRights> for Standing {
    fn from(rights: PersonRights) -> Self {
        Standing { saved: Saved::of(&rights), each: Vec::new(), effective: rights.effective }
    }
}

impl From<Group> for Standing {
    fn from(group: Group) -> Self {
        let saved = Saved {
            whose: Whose::Group(group.id),
            roles: group.roles.iter().map(GivenRole::from).collect(),
            version: group.version,
            ..Saved::default()
        };
        Standing { saved, ..Standing::default() }
    }
}

impl From<Vec<PersonStand>> for Standing {
    fn from(people: Vec<PersonStand>) -> Self {
        let each = people.into_iter().map(|one| Saved {
            whose: Whose::Person(one.user),
            roles: one.roles.iter().map(GivenRole::from).collect(),
            overrides: one.overrides,
            version: one.version,
        });
        let each = each.collect::<Vec<_>>();
        Standing { saved: Saved::in_common(&each), each, effective: Vec::new() }
    }
}

/// The whole new state, to be saved as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Person(UserId, RightsEdit),
    Group(GroupId, Vec<GivenRole>, i64),
    Many(ManyEdits),
}

impl Edit {
    /// What changes come to; nothing where they are nobody's.
    pub fn of(changes: &Changes, saved: &Saved, each: &[Saved]) -> Result<Option<Self>, AppError> {
        Ok(Some(match &saved.whose {
            Whose::Nobody => return Ok(None),
            Whose::Person(id) => Edit::Person(*id, changes.edit(saved)?),
            Whose::Group(id) => {
                let roles = changes.edit(saved)?.roles.unwrap_or_else(|| saved.roles.clone());
                Edit::Group(*id, roles, saved.version)
            }
            Whose::Many(_) => {
                let edits = each.iter().map(|one| changes.for_one(saved, one).edit(one).map(|edit| (one, edit)));
                let edits = edits.collect::<Result<Vec<_>, AppError>>()?;
                Edit::Many(many(edits))
            }
        }))
    }

    /// What brings one state back over another one of the same.
    pub fn back(before: &Standing, now: &Standing) -> Option<Self> {
        let (old, new) = (&before.saved, &now.saved);
        match &old.whose {
            Whose::Nobody => None,
            Whose::Person(id) => Some(Edit::Person(*id, old.back(new))),
            Whose::Group(id) => Some(Edit::Group(*id, old.roles.clone(), new.version)),
            Whose::Many(_) => {
                let pairs = before.each.iter().zip(&now.each).filter(|(old, new)| old.whose == new.whose);
                Some(Edit::Many(many(pairs.map(|(old, new)| (old, old.back(new))).collect())))
            }
        }
    }

    /// What saving would do.
    pub async fn foresee(self) -> Result<Effect, AppError> {
        match self {
            Edit::Person(id, edit) => what_if_rights(id, edit).await,
            Edit::Group(id, roles, _) => what_if_group(id, GroupGives { roles }).await,
            Edit::Many(edits) => what_if_many(edits).await,
        }
    }

    /// Asks others to agree. Of many people some may be changed at once, which the server tells apart.
    pub fn ask(self, asking: Asking) {
        let reason = asking.reason.clone();
        match self {
            Edit::Person(user, rights) => {
                let (user_id, rights) = (Some(user), Some(rights));
                let request = ApprovalRequest { user_id, rights, reason, ..ApprovalRequest::default() };
                asking.run(request_approval(request));
            }
            Edit::Group(id, roles, version) => {
                let edit = GroupEdit { roles: Some(roles), version: Some(version), ..GroupEdit::default() };
                asking.run(request_group(id, AskedEdit { edit, reason }));
            }
            Edit::Many(edits) => {
                let edits = ManyEdits { reason: Some(reason), ask: true, ..edits };
                asking.run(async move { edit_rights_of_many(edits).await.map(|_people| ()) });
            }
        }
    }

    pub async fn save(self, reason: Option<String>) -> Result<Standing, AppError> {
        match self {
            Edit::Person(id, edit) => edit_rights(id, RightsEdit { reason, ..edit }).await.map(Into::into),
            Edit::Group(id, roles, version) => {
                let edit = GroupEdit { roles: Some(roles), reason, version: Some(version), ..GroupEdit::default() };
                edit_group(id, edit).await.map(Into::into)
            }
            Edit::Many(edits) => edit_rights_of_many(ManyEdits { reason, ..edits }).await.map(Into::into),
        }
    }
}

fn many(edits: Vec<(&Saved, RightsEdit)>) -> ManyEdits {
    let people = edits.into_iter().filter_map(|(saved, edit)| match saved.whose {
        Whose::Person(user) => {
            let RightsEdit { roles, overrides, version, .. } = edit;
            Some(PersonRightsEdit { user, roles, overrides, version })
        }
        Whose::Nobody | Whose::Group(_) | Whose::Many(_) => None,
    });
    ManyEdits { people: people.collect(), ..ManyEdits::default() }
}
