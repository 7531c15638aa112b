//! What every kind of request has in common: whether it is one at all, who still may, and what has moved since.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Agreed, Renewed};
use crate::{
    access::{
        Facts, Permission,
        server::{
            Tx,
            change::{Change, Granter},
        },
    },
    base::{
        errors::{AppError, Conflict, Denial, DenialCode, FieldCode, Stale},
        ids::{RoleId, UserId},
        server::crypto::sha256,
    },
};

/// What is kept of every request: what was and what shall be, as whoever decides reads it, and what is done then.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "E: Default + Deserialize<'de>"))]
pub struct Proposal<E> {
    #[serde(default)]
    pub before: Value,
    pub after: Value,
    /// What was when it was asked for, where that is no longer so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Value>,
    /// The version of the subject that it stands on; older requests have none.
    #[serde(default)]
    pub version: Option<i64>,
    /// The parts that `edit` is about as they were, so that it can be carried over to what they are by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<E>,
    #[serde(default)]
    pub edit: E,
}

/// What of a change others have to agree to. One that needs nobody is refused: it can simply be made (C12).
pub async fn needs_approval(tx: &mut Tx, changes: &[Change], granter: UserId) -> Result<Vec<Permission>, AppError> {
    match still_needed(tx, changes, granter).await? {
        high if high.is_empty() => Err(AppError::field("rights", FieldCode::Contradiction)),
        high => Ok(high),
    }
}

/// The same of a request that waits, to which nobody may have to agree any more. One that changes nothing any more is done.
pub async fn still_needed(tx: &mut Tx, changes: &[Change], granter: UserId) -> Result<Vec<Permission>, AppError> {
    if changes.is_empty() {
        return Err(AppError::field("rights", FieldCode::Required));
    }
    match tx.try_grant(changes, Granter::Person(granter)).await? {
        None => Ok(Vec::new()),
        Some(denial) if denial.code == DenialCode::ApprovalNeeded => keys_of(&denial),
        Some(denial) => Err(AppError::Forbidden(denial)),
    }
}

/// What a denial says that others have to agree to.
pub fn keys_of(denial: &Denial) -> Result<Vec<Permission>, AppError> {
    let keys = denial.permissions.iter().map(|key| Permission::parse(key)).collect::<Result<Vec<_>, _>>();
    Ok(keys.map_err(|code| anyhow::anyhow!("a key of the catalogue is {code:?}"))?)
}

/// Whoever asked must still be allowed to: on what it is about, or in the whole tenant where that has no place in it.
pub async fn still_may(tx: &Tx, who: UserId, permission: &Permission, facts: Option<&Facts>) -> Result<(), AppError> {
    if tx.may(who, permission, facts).await? { Ok(()) } else { Err(AppError::denied(DenialCode::MissingPermission)) }
}

/// What of a thing a request is about, as whoever decides reads it: of its name and description only what is asked for.
pub fn shown(mut audited: Value, is_named: bool, is_described: bool) -> Value {
    if let Some(fields) = audited.as_object_mut() {
        fields.retain(|field, _| match field.as_str() {
            "name" => is_named,
            "description" => is_described,
            _ => true,
        });
    }
    audited
}

/// The proposal as the capability that asked keeps it.
pub fn read<T: DeserializeOwned>(agreed: &Agreed) -> Result<T, AppError> {
    Ok(serde_json::from_value(agreed.proposal.clone()).map_err(anyhow::Error::from)?)
}

/// Nothing may have moved since whoever agreed has looked.
pub fn is_as_agreed(agreed: &Agreed, before: &Value) -> Result<(), AppError> {
    if agreed.proposal.get("before") == Some(before) {
        Ok(())
    } else {
        Err(AppError::Conflict(Conflict::Stale(Stale::default())))
    }
}

/// Somebody whom a change reaches, and where what they have counts.
type Reached = (UserId, Option<String>, Option<String>);

/// Who has what a change is about: how many, and in a form that can be told from any other. Nothing for a change that names
/// whom it is for.
fn reach(tx: &Tx, changes: &[Change]) -> Result<Option<(usize, String)>, AppError> {
    let (snapshot, now) = (tx.snapshot()?, tx.now());
    // What everybody gets reaches whoever registers next; only who has the role by another way is told apart.
    let holders = |role: RoleId| {
        let all = snapshot.everybody().flat_map(|(user, person)| {
            let given = snapshot.given(person, now);
            let given = given.filter(|given| given.role.includes(role) && !given.role.is_baseline());
            let reached = given.map(|given| (user, given.scope.department.clone(), given.scope.region.clone()));
            reached.collect::<Vec<Reached>>()
        });
        all.collect::<Vec<_>>()
    };
    let mut found = BTreeSet::<(Uuid, Option<Reached>)>::new();
    for change in changes {
        let (id, people) = match change {
            Change::Group { group, .. } if snapshot.group(*group).is_some() => {
                let members = snapshot.members(*group, now).into_iter().map(|user| (user, None, None));
                (group.0, members.collect::<Vec<_>>())
            }
            Change::RolePermissions { role, .. } if snapshot.role(*role).is_some() => (role.0, holders(*role)),
            _ => continue,
        };
        found.insert((id, None));
        found.extend(people.into_iter().map(|reached| (id, Some(reached))));
    }
    if found.is_empty() {
        return Ok(None);
    }
    let people = found.iter().filter_map(|(_, reached)| Some(reached.as_ref()?.0)).collect::<BTreeSet<_>>();
    Ok(Some((people.len(), hex::encode(sha256(json!(found).to_string().as_bytes())))))
}

/// A proposal bound to whom it reaches: whoever decides agrees to nobody who comes later.
pub fn bound(tx: &Tx, proposal: impl Serialize, changes: &[Change]) -> Result<Value, AppError> {
    Ok(bound_to(proposal, reach(tx, changes)?))
}

fn bound_to(proposal: impl Serialize, reach: Option<(usize, String)>) -> Value {
    let mut proposal = json!(proposal);
    if let (Some((people, reach)), Some(fields)) = (reach, proposal.as_object_mut()) {
        fields.insert("people".to_owned(), json!(people));
        fields.insert("reach".to_owned(), json!(reach));
    }
    proposal
}

/// The request as it has to be decided on now; nothing where it stands as it did.
pub async fn renewed<E: Serialize>(
    tx: &mut Tx,
    agreed: &Agreed,
    facts: Facts,
    changes: &[Change],
    fresh: Proposal<E>,
) -> Result<Option<Renewed>, AppError> {
    let old = agreed.proposal.get("before").cloned().unwrap_or_default();
    let has_moved = facts.department != agreed.facts.department || facts.region != agreed.facts.region;
    let reached = reach(tx, changes)?;
    let digest = reached.as_ref().map(|(_, digest)| digest.as_str());
    let reaches_the_same = agreed.proposal.get("reach").and_then(Value::as_str) == digest;
    if old == fresh.before && !has_moved && reaches_the_same {
        return Ok(None);
    }
    let permissions = still_needed(tx, changes, agreed.requester).await?;
    let asked = agreed.proposal.get("asked").cloned().unwrap_or(old);
    let fresh = Proposal { asked: (asked != fresh.before).then_some(asked), ..fresh };
    Ok(Some(Renewed { facts, proposal: bound_to(fresh, reached), permissions }))
}

/// What somebody wanted of a list, carried over to what the list is by now: what they added comes, what they took away
/// goes, and what others did meanwhile stays. Entries of one `key` are the same one.
pub fn carried_over<T: Clone + PartialEq, K: PartialEq>(
    asked: &[T],
    wanted: &[T],
    now: &[T],
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let find = |list: &[T], of: &T| list.iter().find(|one| key(one) == key(of)).cloned();
    let kept = now.iter().filter_map(|has| match (find(asked, has), find(wanted, has)) {
        (Some(before), Some(after)) if before == after => Some(has.clone()),
        (_, Some(after)) => Some(after),
        (Some(_), None) => None,
        (None, None) => Some(has.clone()),
    });
    let come = wanted.iter().filter(|one| find(now, one).is_none());
    let come = come.filter(|one| find(asked, one).as_ref() != Some(*one)).cloned();
    kept.chain(come).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry by name, with a bound.
    type Bound = (&'static str, u8);

    /// C12: what was asked for is done to what there is, and undoes nothing of it.
    #[test]
    fn a_list_takes_over_what_was_wanted() {
        let over = |asked: &[&'static str], wanted: &[&'static str], now: &[&'static str]| {
            carried_over(asked, wanted, now, |one| *one)
        };
        assert_eq!(over(&["a"], &["a", "b"], &["a", "c"]), ["a", "c", "b"]);
        assert_eq!(over(&["a", "b"], &["a"], &["a", "b", "c"]), ["a", "c"]);
        assert_eq!(over(&["a"], &["a", "b"], &[]), ["b"], "what others took away does not come back");
        assert_eq!(over(&["a"], &["a"], &["b"]), ["b"]);
    }

    /// C12: the bounds that were asked for count, and where none were, those that others have set.
    #[test]
    fn bounds_are_carried_over_with_their_entry() {
        let over = |asked: &[Bound], wanted: &[Bound], now: &[Bound]| carried_over(asked, wanted, now, |one| one.0);
        assert_eq!(over(&[("a", 1)], &[("a", 2)], &[("a", 3)]), [("a", 2)]);
        assert_eq!(over(&[("a", 1)], &[("a", 1), ("b", 1)], &[("a", 3)]), [("a", 3), ("b", 1)]);
    }
}
