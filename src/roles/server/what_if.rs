//! What a change of rights would do, before it is saved: the engine's own answers on the staged grants (C14).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use chrono::{DateTime, Utc};

use crate::{
    access::{
        Answer, PERMISSIONS_READ, Permission, PermissionInfo, Reason, USERS_READ,
        server::{
            Cx,
            change::Change,
            engine::{Snapshot, is_live},
        },
    },
    accounts,
    base::{
        errors::{AppError, Denial, DenialCode, FieldErrors},
        ids::{RoleId, UserId},
        server::input::Input,
    },
    roles::{Effect, EffectKind, EffectLine, RightsEdit, RoleGives, server},
};

/// How many of the people concerned are named.
const NAMES: usize = 8;

/// What saving the edit would do to this person.
pub async fn of_person(cx: &Cx, user: UserId, edit: Input<RightsEdit>) -> Result<Effect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let edit = edit.read()?;
    let person = accounts::server::find(&mut tx, user).await?;
    let changes = server::staged(&tx, user, edit)?;
    let before = tx.snapshot()?.clone();
    let (after, refused) = tx.what_if(&changes).await?;
    let given = newly_given(&before, &after, user, tx.now());
    let tally = compare(&before, &after, &[user], &given, tx.now());
    Ok(tally.effect(vec![person.name], 1, refused, person.version))
}

/// What it would do to everybody who has the role if it gave this instead.
pub async fn of_role(cx: &Cx, id: RoleId, gives: Input<RoleGives>) -> Result<Effect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let gives = gives.read()?;
    let role = server::store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    if role.platform {
        return Err(AppError::denied(DenialCode::BuiltIn));
    }
    let mut errors = FieldErrors::default();
    let permissions = server::keys(&tx, "permissions", &gives.permissions, &mut errors)?;
    let parents = match &gives.parents {
        Some(ids) => server::parents(&tx, ids, &mut errors)?,
        None => role.parents.iter().map(|parent| parent.id).collect(),
    };
    errors.check()?;
    let before = tx.snapshot()?.clone();
    let old = before.role(id).map(|role| role.patterns.clone()).unwrap_or_default();
    let change = Change::RolePermissions { role: id, name: role.name, permissions, parents };
    let (after, refused) = tx.what_if(&[change]).await?;
    let new = after.role(id).map(|role| role.patterns.clone()).unwrap_or_default();
    let given = new.into_iter().filter(|new| !old.contains(new)).collect::<BTreeSet<_>>();
    let people = before.holders(id, tx.now());
    let tally = compare(&before, &after, &people, &given, tx.now());
    let names = accounts::server::store::first_names(&mut tx, &tally.changed, NAMES).await?;
    let people = u32::try_from(people.len()).unwrap_or(u32::MAX);
    Ok(tally.effect(names, people, refused, role.version))
}

/// The allows that a person did not have before: of their own, and of roles they did not have.
fn newly_given(before: &Snapshot, after: &Snapshot, user: UserId, now: DateTime<Utc>) -> BTreeSet<Permission> {
    let (Some(old), Some(new)) = (before.person(user), after.person(user)) else { return BTreeSet::new() };
    let had = |pattern: &Permission| {
        old.overrides.iter().any(|given| given.allowed && given.pattern == *pattern && is_live(given.expires_at, now))
    };
    let own = new.overrides.iter().filter(|given| given.allowed && !had(&given.pattern));
    let had_role = |role: RoleId| old.roles.iter().any(|given| given.role == role && is_live(given.expires_at, now));
    let roles = new.roles.iter().filter(|given| !had_role(given.role));
    let roles = roles.filter_map(|given| after.role(given.role)).flat_map(|role| role.patterns.iter().cloned());
    own.map(|given| given.pattern.clone()).chain(roles).collect()
}

/// What comes out of asking the engine about everybody, before and after.
struct Tally<'a> {
    /// The plain keys of the catalogue, in its order.
    keys: Vec<(&'a PermissionInfo, Permission)>,
    /// By what happens and then by the place of the key: the reasons of the first person, and how many there are.
    lines: BTreeMap<(EffectKind, usize), (Vec<Reason>, u32)>,
    changed: Vec<UserId>,
    gaining: u32,
    losing: u32,
}

/// What a change does to these people, whoever they are.
pub async fn of_changes(
    tx: &mut crate::access::server::Tx,
    changes: &[Change],
    people: &[UserId],
) -> Result<Effect, AppError> {
    let before = tx.snapshot()?.clone();
    let (after, refused) = tx.what_if(changes).await?;
    let tally = compare(&before, &after, people, &BTreeSet::new(), tx.now());
    let names = accounts::server::store::first_names(tx, &tally.changed, NAMES).await?;
    let version = before.version;
    Ok(tally.effect(names, u32::try_from(people.len()).unwrap_or(u32::MAX), refused, version))
}

/// Asks the engine about each key that may be touched, for each person, on both snapshots.
fn compare<'a>(
    before: &'a Snapshot,
    after: &Snapshot,
    people: &[UserId],
    given: &BTreeSet<Permission>,
    now: DateTime<Utc>,
) -> Tally<'a> {
    let keys = before.plain_keys().collect::<Vec<_>>();
    let (mut lines, mut changed) = (BTreeMap::new(), Vec::new());
    let (mut gaining, mut losing) = (0, 0);
    for user in people {
        let (mut gains, mut loses, mut waits) = (false, false, false);
        for (at, (_, key)) in keys.iter().enumerate() {
            let (was, is) = (before.check(*user, key, None, now), after.check(*user, key, None, now));
            let is_external = |snapshot: &Snapshot, answer: Answer| {
                let is_outside = |reason: &Reason| matches!(reason, Reason::PolicyOutside { .. });
                answer == Answer::Depends
                    && snapshot.outside(key).next().is_some()
                    && snapshot.decide(*user, key, None, now).because.iter().any(is_outside)
            };
            let will_wait = is_external(after, is);
            let kind = match rank(is).cmp(&rank(was)) {
                Ordering::Equal if !given.iter().any(|pattern| pattern.covers(key)) => continue,
                _ if will_wait || is_external(before, was) => EffectKind::External,
                Ordering::Greater => EffectKind::Gained,
                Ordering::Less => EffectKind::Lost,
                Ordering::Equal if is == Answer::No => EffectKind::Blocked,
                Ordering::Equal => EffectKind::Redundant,
            };
            gains |= kind == EffectKind::Gained;
            loses |= kind == EffectKind::Lost;
            waits |= kind == EffectKind::External;
            let line = lines.entry((kind, at)).or_insert_with(|| {
                // What is lost because nothing gives it any more is explained by what gave it.
                let new = after.decide(*user, key, None, now).because;
                let nothing_left = new.iter().all(|reason| *reason == Reason::NothingGrants);
                let explained_by_old =
                    kind == EffectKind::Lost && nothing_left || kind == EffectKind::External && !will_wait;
                (if explained_by_old { before.decide(*user, key, None, now).because } else { new }, 0)
            });
            line.1 += 1;
        }
        if gains || loses || waits {
            changed.push(*user);
        }
        gaining += u32::from(gains);
        losing += u32::from(loses);
    }
    Tally { keys, lines, changed, gaining, losing }
}

/// More is more: nothing, inside a scope, everywhere.
fn rank(answer: Answer) -> u8 {
    match answer {
        Answer::No => 0,
        Answer::Depends => 1,
        Answer::Yes => 2,
    }
}

impl Tally<'_> {
    fn effect(self, names: Vec<String>, people: u32, refused: Option<Denial>, version: i64) -> Effect {
        let moves = |kind: &EffectKind| matches!(kind, EffectKind::Gained | EffectKind::Lost | EffectKind::External);
        let touched = self.lines.keys().filter(|(kind, _)| moves(kind));
        let touched = touched.map(|(_, at)| at).collect::<BTreeSet<_>>().len();
        let lines = self.lines.into_iter().map(|((what, at), (because, people))| {
            let PermissionInfo { key, name_ar, name_en, .. } = self.keys[at].0.clone();
            EffectLine { key, name_ar, name_en, what, because, people }
        });
        Effect {
            lines: lines.collect(),
            unchanged: u32::try_from(self.keys.len() - touched).unwrap_or(u32::MAX),
            people_gaining: self.gaining,
            people_losing: self.losing,
            people,
            names: if self.changed.is_empty() { Vec::new() } else { names },
            refused,
            version,
        }
    }
}
