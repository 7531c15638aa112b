//! The catalogue as a file: written out, and read in again after a look at what it would do, as one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    access::{
        PERMISSIONS_MANAGE, PERMISSIONS_READ, Permission, ROLES_CREATE, ROLES_READ, ROLES_UPDATE, USERS_READ,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            record::{Action, Event},
        },
    },
    approvals::{
        Kind,
        server::{
            Agreed, NewApproval, Renewed,
            change::{Proposal, is_as_agreed, read, renewed, still_may},
        },
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::{RoleId, UserId},
        server::{input::Input, names},
        text::optional_line,
    },
    roles::{
        OwnPermission, Role,
        exchange::{CatalogueFile, FORMAT, ImportReport, ImportedRole, RoleInFile},
        server::{keys, store, what_if},
    },
};

/// How long the name of a request about a file may be.
const LONGEST_NAME: usize = 120;

/// The longest file that others are asked about: it is kept, and read by each of them.
const LARGEST_ASKED: usize = 64 * 1024;

/// The tenant's own permissions and its roles.
pub async fn export(cx: &Cx) -> Result<CatalogueFile, AppError> {
    let mut tx = cx.read(ROLES_READ).await?;
    tx.require(PERMISSIONS_READ).await?;
    let own = tx.snapshot()?.catalogue().iter().filter(|info| info.own).map(keys::of).collect();
    let roles = store::all_uncounted(&mut tx).await?.into_iter().filter(|role| !role.platform);
    let roles = roles.map(|role| RoleInFile {
        name: role.name,
        description: role.description,
        permissions: role.permissions,
        parents: role.parents.into_iter().map(|parent| parent.name).collect(),
    });
    Ok(CatalogueFile { format: FORMAT, permissions: own, roles: roles.collect() })
}

/// What reading the file in would do. Nothing is written.
pub async fn preview(cx: &Cx, file: Input<CatalogueFile>) -> Result<ImportReport, AppError> {
    let mut tx = cx.read(ROLES_READ).await?;
    tx.require(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let plan = plan(&mut tx, file.read()?).await?;
    let people = plan.people(&tx)?;
    let mut report = plan.report.clone();
    let effect = what_if::of_changes(&mut tx, &plan.changes, &people).await?;
    report.people_gaining = effect.people_gaining;
    report.people_losing = effect.people_losing;
    report.refused = effect.refused;
    Ok(report)
}

/// Reads the file in: all of it, or nothing. One row in the log for each key and role that changes.
pub async fn import(cx: &Cx, file: Input<CatalogueFile>) -> Result<ImportReport, AppError> {
    let mut tx = cx.allow(ROLES_UPDATE).await?;
    let file = file.read()?;
    tx.decide(&Default::default())?;
    for permission in needed(&file) {
        tx.require(permission).await?;
    }
    tx.lock_grants(Some(&ROLES_UPDATE)).await?;
    let plan = plan(&mut tx, file).await?;
    let (events, whole) = carry_out(&mut tx, &plan, Granter::Person(cx.person()?.user)).await?;
    for event in &events {
        tx.record(event).await?;
    }
    tx.commit(whole).await?;
    Ok(plan.report)
}

/// What whoever reads a file in has to hold, beside all that it gives.
fn needed(file: &CatalogueFile) -> impl Iterator<Item = Permission> + use<> {
    let keys = (!file.permissions.is_empty()).then_some(PERMISSIONS_MANAGE);
    [ROLES_UPDATE, ROLES_CREATE].into_iter().chain(keys)
}

/// Does what a file comes to. Gives back a row for each key and role, and the one about all of it.
async fn carry_out(tx: &mut Tx, plan: &Plan, granter: Granter) -> Result<(Vec<Event>, Event), AppError> {
    let batch = Uuid::now_v7().to_string();
    let mut events = Vec::new();
    for own in &plan.permissions {
        store::put_permission(tx, own).await?;
        let is_new = plan.report.permissions_added.contains(&own.key);
        let action = if is_new { Action::PermissionCreate } else { Action::PermissionUpdate };
        let event = Event::done(action).on("permission", &own.key, &own.key).new_value(json!(own));
        events.push(event.meta("import", batch.as_str()));
    }
    for role in &plan.roles {
        if role.is_new {
            store::insert(tx, role.id, &role.new.name, &role.new.description).await?;
        } else {
            store::update(tx, role.id, &role.new.name, &role.new.description).await?;
        }
    }
    if !plan.changes.is_empty() {
        tx.grant(&plan.changes, granter).await?;
    } else if !plan.permissions.is_empty() {
        tx.catalogue_moved().await?;
    }
    for role in &plan.roles {
        let action = if role.is_new { Action::RoleCreate } else { Action::RoleUpdate };
        let event = Event::done(action).on("role", role.id, &role.new.name).meta("import", batch.as_str());
        events.push(match &role.old {
            Some(old) => event.change(json!(old), json!(role.new)),
            None => event.new_value(json!(role.new)),
        });
    }
    let counted = json!({"roles": plan.roles.len(), "permissions": plan.permissions.len()});
    let whole = Event::done(Action::CatalogueImport).on("catalogue", &batch, "").new_value(counted);
    Ok((events, whole.meta("import", batch.as_str())))
}

/// The request that others agree to a file, still without what makes it high (C12).
pub(super) async fn proposed(
    tx: &mut Tx,
    file: CatalogueFile,
    reason: String,
) -> Result<(NewApproval, Vec<Change>), AppError> {
    tx.decide(&Default::default())?;
    for permission in needed(&file) {
        tx.require(permission).await?;
    }
    if json!(file).to_string().len() > LARGEST_ASKED {
        return Err(AppError::field("catalogue", FieldCode::TooLong));
    }
    let tenant = tx.tenant()?;
    let plan = plan(tx, file.clone()).await?;
    let new = NewApproval {
        kind: Kind::Catalogue,
        subject: tenant.0,
        subject_name: plan.name(),
        facts: Default::default(),
        proposal: json!(plan.proposal(tx, file)?),
        reason,
        permissions: Vec::new(),
    };
    Ok((new, plan.changes))
}

/// The request on what the catalogue is by now, where that is something else.
pub async fn renew(tx: &mut Tx, agreed: &Agreed) -> Result<Option<Renewed>, AppError> {
    let file = read::<Proposal<CatalogueFile>>(agreed)?.edit;
    let plan = plan(tx, file.clone()).await?;
    let fresh = plan.proposal(tx, file)?;
    renewed(tx, agreed, Default::default(), &plan.changes, fresh).await
}

/// Reads in a file that others have agreed to.
pub async fn apply(tx: &mut Tx, agreed: &Agreed) -> Result<Vec<Event>, AppError> {
    let file = read::<Proposal<CatalogueFile>>(agreed)?.edit;
    for permission in needed(&file) {
        still_may(tx, agreed.requester, &permission, None).await?;
    }
    let plan = plan(tx, file.clone()).await?;
    is_as_agreed(agreed, &plan.proposal(tx, file)?.before)?;
    let (mut events, whole) = carry_out(tx, &plan, Granter::Person(agreed.requester)).await?;
    events.push(whole.meta("asked_by", json!(agreed.requester)));
    Ok(events)
}

/// What a file comes to.
struct Plan {
    /// Keys that are new or have new words.
    permissions: Vec<OwnPermission>,
    /// Roles that are new or differ.
    roles: Vec<PlannedRole>,
    changes: Vec<Change>,
    report: ImportReport,
}

struct PlannedRole {
    id: RoleId,
    is_new: bool,
    old: Option<RoleInFile>,
    new: RoleInFile,
}

impl Plan {
    /// Whoever has one of the roles that change.
    fn people(&self, tx: &Tx) -> Result<Vec<UserId>, AppError> {
        let (snapshot, now) = (tx.snapshot()?, tx.now());
        let roles = self.roles.iter().filter(|role| !role.is_new);
        let people = roles.flat_map(|role| snapshot.holders(role.id, now)).collect::<BTreeSet<_>>();
        Ok(people.into_iter().collect())
    }

    /// What it is about, in a line.
    fn name(&self) -> String {
        let keys = self.permissions.iter().map(|own| own.key.as_str());
        let names = self.roles.iter().map(|role| role.new.name.as_str()).chain(keys).collect::<Vec<_>>();
        names.join(" · ").chars().take(LONGEST_NAME).collect()
    }

    /// What it does, as whoever decides reads it: of each key and role that changes.
    fn proposal(&self, tx: &Tx, file: CatalogueFile) -> Result<Proposal<CatalogueFile>, AppError> {
        let snapshot = tx.snapshot()?;
        let (mut before, mut after) = (Map::new(), Map::new());
        for own in &self.permissions {
            let words = |own: &OwnPermission| json!([own.name_ar, own.name_en, own.description_ar, own.description_en]);
            if let Some(old) = snapshot.info(&own.key).map(keys::of) {
                before.insert(own.key.clone(), words(&old));
            }
            after.insert(own.key.clone(), words(own));
        }
        for role in &self.roles {
            for (side, role) in [(&mut before, role.old.as_ref()), (&mut after, Some(&role.new))] {
                let Some(role) = role else { continue };
                side.insert(format!("permissions:{}", role.name), json!(role.permissions));
                side.insert(format!("parents:{}", role.name), json!(role.parents));
                side.insert(format!("description:{}", role.name), json!(role.description));
            }
        }
        let (before, after) = (Value::Object(before), Value::Object(after));
        Ok(Proposal { before, after, asked: None, version: None, base: None, edit: file })
    }
}

async fn plan(tx: &mut Tx, file: CatalogueFile) -> Result<Plan, AppError> {
    let mut errors = FieldErrors::default();
    if file.format != FORMAT {
        return Err(AppError::field("format", FieldCode::Unknown));
    }
    let snapshot = tx.snapshot()?.clone();
    let mut report = ImportReport::default();
    let mut named = BTreeSet::new();
    let mut permissions = Vec::new();
    for (at, own) in file.permissions.into_iter().enumerate() {
        let place = format!("permissions[{at}].");
        let Some(own) = keys::parse(&snapshot, own, &place, &mut errors) else { continue };
        if !named.insert(own.key.clone()) {
            errors.add(format!("{place}key"), FieldCode::Contradiction);
        }
        match snapshot.info(&own.key).map(keys::of) {
            Some(before) if before == own => {}
            Some(_) => {
                report.permissions_changed.push(own.key.clone());
                permissions.push(own);
            }
            None => {
                report.permissions_added.push(own.key.clone());
                permissions.push(own);
            }
        }
    }
    let existing = store::all_uncounted(tx).await?;
    let by_name = existing.iter().map(|role| (role.name.as_str(), role)).collect::<BTreeMap<_, _>>();
    // Ids first: a role may inherit from one that stands further down.
    let mut ids = existing.iter().map(|role| (role.name.clone(), role.id)).collect::<BTreeMap<_, _>>();
    let mut seen = BTreeSet::new();
    let mut wanted = Vec::new();
    for (at, role) in file.roles.into_iter().enumerate() {
        let place = format!("roles[{at}].");
        let Some(name) = errors.take(&format!("{place}name"), names::parse(&role.name, 120)) else { continue };
        if !seen.insert(name.clone()) {
            errors.add(format!("{place}name"), FieldCode::Contradiction);
        }
        if by_name.get(name.as_str()).is_some_and(|role| role.platform) {
            errors.add(format!("{place}name"), FieldCode::Taken);
        }
        ids.entry(name.clone()).or_insert_with(|| RoleId(Uuid::now_v7()));
        wanted.push((place, RoleInFile { name, ..role }));
    }
    let mut roles = Vec::new();
    let mut changes = Vec::new();
    for (place, mut role) in wanted {
        let description = optional_line(Some(&role.description), 1000);
        role.description = errors.take(&format!("{place}description"), description).flatten().unwrap_or_default();
        let patterns = errors.take_each(&format!("{place}permissions"), &role.permissions, |key| {
            keys::known(&snapshot, &permissions, key)
        });
        let parents = errors.take_each(&format!("{place}parents"), &role.parents, |name: &String| {
            let is_platform = by_name.get(name.as_str()).is_some_and(|role| role.platform);
            let id = ids.get(name).filter(|_| !is_platform).ok_or(FieldCode::Unknown)?;
            Ok((name.clone(), *id))
        });
        role.permissions = patterns.iter().map(ToString::to_string).collect();
        role.parents = parents.iter().map(|(name, _)| name.clone()).collect();
        let id = ids[&role.name];
        let old = by_name.get(role.name.as_str()).map(|role| in_file(role));
        if old.as_ref() == Some(&role) {
            report.unchanged += 1;
            continue;
        }
        let (before, is_new) = (old.clone().unwrap_or_default(), old.is_none());
        report.roles.push(ImportedRole {
            name: role.name.clone(),
            is_new,
            added: without(&role.permissions, &before.permissions),
            removed: without(&before.permissions, &role.permissions),
            parents_added: without(&role.parents, &before.parents),
            parents_removed: without(&before.parents, &role.parents),
        });
        changes.push(Change::RolePermissions {
            role: id,
            name: role.name.clone(),
            permissions: patterns,
            parents: parents.into_iter().map(|(_, id)| id).collect(),
        });
        roles.push(PlannedRole { id, is_new, old, new: role });
    }
    errors.check()?;
    Ok(Plan { permissions, roles, changes, report })
}

fn in_file(role: &Role) -> RoleInFile {
    let mut parents = role.parents.iter().map(|parent| parent.name.clone()).collect::<Vec<_>>();
    parents.sort();
    let mut permissions = role.permissions.clone();
    permissions.sort();
    RoleInFile { name: role.name.clone(), description: role.description.clone(), permissions, parents }
}

fn without(all: &[String], less: &[String]) -> Vec<String> {
    all.iter().filter(|one| !less.contains(one)).cloned().collect()
}
