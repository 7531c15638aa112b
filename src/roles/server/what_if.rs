//! What a change of rights would do, before it is saved: the engine's own answers on the staged grants (C14).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};

use crate::{
    access::{
        Answer, GROUPS_READ, HeldRole, PERMISSIONS_READ, POLICIES_READ, Permission, PermissionInfo, PolicyRef, Reason,
        USERS_READ,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            engine::{Snapshot, is_live},
            given,
        },
    },
    accounts,
    base::{
        errors::{AppError, Denial, DenialCode, FieldErrors},
        ids::{GroupId, RoleId, UserId},
        server::input::Input,
    },
    groups,
    i18n::Locale,
    roles::{
        Effect, EffectKind, EffectLine, EffectPolicy, GroupGives, ManyEdits, RightsEdit, RoleGives,
        server::{self, bulk, conditions},
    },
};

/// How many of the people concerned are named.
const NAMES: usize = 8;
/// Of so many of them, by their ids, those are named who come first by name: a million are not put in order for it.
const NAMED_OF: usize = 1_000;

/// What saving the edit would do to this person.
pub async fn of_person(cx: &Cx, user: UserId, edit: Input<RightsEdit>) -> Result<Effect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let edit = edit.read()?;
    let person = accounts::server::find(&mut tx, user).await?;
    let changes = server::staged(&tx, user, edit)?;
    let foreseen = foresee(&mut tx, &changes).await?;
    let given = Given::All(newly_given(&foreseen.before, &foreseen.after, user, tx.now()));
    let scoped = scoped(&foreseen.after, user, tx.now());
    let effect = foreseen.effect(&mut tx, &[user], &given).await?;
    Ok(Effect { scoped, version: person.version, ..effect })
}

/// What it would do to many people, each of whom gets what is said of them.
pub async fn of_many(cx: &Cx, edits: Input<ManyEdits>) -> Result<Effect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let edits = edits.read()?;
    let people = bulk::named(&edits)?;
    let mut changes = Vec::new();
    for one in edits.people {
        bulk::find(&mut tx, one.user).await?;
        changes.extend(server::staged(&tx, one.user, one.into())?);
    }
    let foreseen = foresee(&mut tx, &changes).await?;
    let given = people.iter().map(|user| (*user, newly_given(&foreseen.before, &foreseen.after, *user, tx.now())));
    let given = Given::Each(given.collect());
    foreseen.effect(&mut tx, &people, &given).await
}

/// What it would do to everybody who has the role if it gave this instead.
pub async fn of_role(cx: &Cx, id: RoleId, gives: Input<RoleGives>) -> Result<Effect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let gives = gives.read()?;
    let role = server::store::uncounted(&mut tx, id).await?.ok_or(AppError::NotFound)?;
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
    let change = Change::RolePermissions { role: id, name: role.name, permissions, parents };
    let foreseen = foresee(&mut tx, &[change]).await?;
    let patterns = |snapshot: &Snapshot| snapshot.role(id).map(|role| role.patterns.clone()).unwrap_or_default();
    let (old, new) = (patterns(&foreseen.before), patterns(&foreseen.after));
    let given = new.into_iter().filter(|new| !old.contains(new)).collect::<BTreeSet<_>>();
    let now = tx.now();
    let people = within(&mut tx, foreseen.before.holders(id, now)).await?;
    let effect = foreseen.effect(&mut tx, &people, &Given::All(given)).await?;
    Ok(Effect { version: role.version, ..effect })
}

/// What it would do to everybody who is in the group, or in one that lies in it, if it gave these roles instead.
pub async fn of_group(cx: &Cx, id: GroupId, gives: Input<GroupGives>) -> Result<Effect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    tx.require(GROUPS_READ).await?;
    let gives = gives.read()?;
    let group = groups::server::store::uncounted(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let mut errors = FieldErrors::default();
    let roles = given::parse(tx.snapshot()?, gives.roles, groups::server::is_givable, tx.now(), &mut errors);
    errors.check()?;
    let parents = group.parents.iter().map(|parent| parent.id).collect();
    let change = Change::Group { group: id, name: group.name, parents, roles };
    let foreseen = foresee(&mut tx, &[change]).await?;
    let given = {
        let (old, new) = (foreseen.before.of_group(id, tx.now()), foreseen.after.of_group(id, tx.now()));
        let come = new.iter().filter(|new| !old.contains(new)).filter_map(|new| foreseen.after.role(new.role));
        come.flat_map(|role| role.patterns.iter().cloned()).collect::<BTreeSet<_>>()
    };
    let now = tx.now();
    let people = within(&mut tx, foreseen.before.members(id, now)).await?;
    let effect = foreseen.effect(&mut tx, &people, &Given::All(given)).await?;
    Ok(Effect { version: group.version, ..effect })
}

/// Nobody is counted, named or explained from beyond the caller's scopes (C11).
async fn within(tx: &mut Tx, people: Vec<UserId>) -> Result<Vec<UserId>, AppError> {
    accounts::server::store::within(tx, &people).await
}

/// What a change does to these people, whoever they are.
pub async fn of_changes(tx: &mut Tx, changes: &[Change], people: &[UserId]) -> Result<Effect, AppError> {
    foresee(tx, changes).await?.effect(tx, people, &Given::All(BTreeSet::new())).await
}

/// The grants as they are and as changes would leave them, and why saving would be refused.
struct Foreseen {
    before: Arc<Snapshot>,
    after: Snapshot,
    refused: Option<Denial>,
}

/// Stages changes, and asks whether they could be saved: by whoever asks, and without others.
async fn foresee(tx: &mut Tx, changes: &[Change]) -> Result<Foreseen, AppError> {
    let before = tx.snapshot()?.clone();
    let (after, refused) = tx.what_if(changes).await?;
    let refused = match refused {
        Some(denial) => Some(denial),
        None => {
            let granter = Granter::Person(tx.cx().person()?.user);
            tx.refusal(&before, &after, changes, granter).await?
        }
    };
    Ok(Foreseen { before, after, refused })
}

impl Foreseen {
    async fn effect(self, tx: &mut Tx, people: &[UserId], given: &Given) -> Result<Effect, AppError> {
        let Foreseen { before, after, refused } = self;
        let kinds = match given {
            Given::All(_) => after.alike(&before, people),
            Given::Each(_) => people.iter().map(|user| vec![*user]).collect(),
        };
        let mut tally = compare(&before, &after, &kinds, given, tx.now());
        if tally.changed.len() > NAMED_OF {
            tally.changed.select_nth_unstable(NAMED_OF);
            tally.changed.truncate(NAMED_OF);
        }
        let names = accounts::server::store::first_names(tx, &tally.changed, NAMES).await?;
        let policies = policies(tx, &after, &tally, &kinds)?;
        let all = u32::try_from(people.len()).unwrap_or(u32::MAX);
        let effect = tally.effect(names, all, refused, before.version);
        Ok(Effect { policies, ..effect })
    }
}

/// The policies in force that have a say about what is touched, and to how many of these people they deny it.
fn policies(
    tx: &Tx,
    after: &Snapshot,
    tally: &Tally<'_>,
    kinds: &[Vec<UserId>],
) -> Result<Vec<EffectPolicy>, AppError> {
    let may_read = tx.also_holds(&POLICIES_READ)?;
    let touched = tally.lines.keys().map(|(_, at)| *at).collect::<BTreeSet<_>>();
    let touched = touched.into_iter().filter_map(|at| tally.keys.get(at)).collect::<Vec<_>>();
    let found = after.policies().iter().filter_map(|policy| {
        let concerned = touched.iter().filter(|(_, key)| policy.concerns(key));
        let keys = concerned.map(|(info, _)| info.key.clone()).collect::<Vec<_>>();
        let denies = |user: &UserId| after.say(policy, *user, tx.now()).denies == Some(true);
        let denied = kinds.iter().filter(|kind| kind.first().is_some_and(denies)).map(Vec::len).sum::<usize>();
        let says = |locale| if may_read { conditions::sentence(locale, policy) } else { String::new() };
        (!keys.is_empty()).then(|| EffectPolicy {
            policy: PolicyRef { id: policy.id, name: policy.name.clone() },
            keys,
            says_ar: says(Locale::ar),
            says_en: says(Locale::en),
            denied: u32::try_from(denied).unwrap_or(u32::MAX),
        })
    });
    Ok(found.collect())
}

/// The roles that somebody has in a part of the tenant only, also by a group.
fn scoped(snapshot: &Snapshot, user: UserId, now: DateTime<Utc>) -> Vec<HeldRole> {
    let Some(person) = snapshot.person(user) else { return Vec::new() };
    let scoped = snapshot.given(person, now).filter(|given| !given.scope.is_everything());
    let roles = scoped.map(|given| HeldRole {
        role: snapshot.role_ref(given.id),
        scope: given.scope.clone(),
        expires_at: given.expires_at.map(Into::into),
    });
    roles.collect()
}

/// What is newly given.
enum Given {
    /// All of the people are given the same.
    All(BTreeSet<Permission>),
    /// What is given to one of them is held back from, or held already by, none of the others.
    Each(BTreeMap<UserId, BTreeSet<Permission>>),
}

impl Given {
    fn covers(&self, user: UserId, key: &Permission) -> bool {
        let given = match self {
            Given::All(given) => Some(given),
            Given::Each(each) => each.get(&user),
        };
        given.is_some_and(|given| given.iter().any(|pattern| pattern.covers(key)))
    }
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

/// Asks the engine about each key that may be touched, on both snapshots, for one person of each kind: of those who are decided
/// about alike, and given the same.
fn compare<'a>(
    before: &'a Snapshot,
    after: &Snapshot,
    kinds: &[Vec<UserId>],
    given: &Given,
    now: DateTime<Utc>,
) -> Tally<'a> {
    let keys = before.plain_keys().collect::<Vec<_>>();
    let (mut lines, mut changed) = (BTreeMap::new(), Vec::new());
    let (mut gaining, mut losing) = (0, 0);
    for kind in kinds {
        let Some(user) = kind.first() else { continue };
        let count = u32::try_from(kind.len()).unwrap_or(u32::MAX);
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
                Ordering::Equal if !given.covers(*user, key) => continue,
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
            line.1 += count;
        }
        if gains || loses || waits {
            changed.extend(kind);
        }
        gaining += if gains { count } else { 0 };
        losing += if loses { count } else { 0 };
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

/// Whether what somebody holds changes, or may: nobody was asked outside.
fn moves(kind: EffectKind) -> bool {
    matches!(kind, EffectKind::Gained | EffectKind::Lost | EffectKind::External)
}

impl Tally<'_> {
    fn effect(self, names: Vec<String>, people: u32, refused: Option<Denial>, version: i64) -> Effect {
        let touched = self.lines.keys().filter(|(kind, _)| moves(*kind));
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
            names,
            refused,
            policies: Vec::new(),
            scoped: Vec::new(),
            version,
        }
    }
}
