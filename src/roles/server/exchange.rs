//! The catalogue as a file: written out, and read in again after a look at what it would do, as one transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use uuid::Uuid;

use crate::{
    access::{
        PERMISSIONS_MANAGE, PERMISSIONS_READ, ROLES_CREATE, ROLES_READ, ROLES_UPDATE, USERS_READ,
        server::{
            Cx, Tx,
            change::{Change, Granter},
            record::{Action, Event},
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

/// The tenant's own permissions and its roles.
pub async fn export(cx: &Cx) -> Result<CatalogueFile, AppError> {
    let mut tx = cx.read(ROLES_READ).await?;
    tx.require(PERMISSIONS_READ).await?;
    let own = tx.snapshot()?.catalogue().iter().filter(|info| info.own).map(keys::of).collect();
    let roles = store::all(&mut tx).await?.into_iter().filter(|role| !role.platform);
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
    tx.require(ROLES_CREATE).await?;
    let file = file.read()?;
    tx.decide(&Default::default())?;
    if !file.permissions.is_empty() {
        tx.require(PERMISSIONS_MANAGE).await?;
    }
    tx.lock_grants(Some(&ROLES_UPDATE)).await?;
    let plan = plan(&mut tx, file).await?;
    let batch = Uuid::now_v7().to_string();
    for own in &plan.permissions {
        store::put_permission(&mut tx, own).await?;
        let is_new = plan.report.permissions_added.contains(&own.key);
        let action = if is_new { Action::PermissionCreate } else { Action::PermissionUpdate };
        let event = Event::done(action).on("permission", &own.key, &own.key).new_value(json!(own));
        tx.record(&event.meta("import", batch.as_str())).await?;
    }
    for role in &plan.roles {
        if role.is_new {
            store::insert(&mut tx, role.id, &role.new.name, &role.new.description).await?;
        } else {
            store::update(&mut tx, role.id, &role.new.name, &role.new.description).await?;
        }
    }
    if !plan.changes.is_empty() {
        tx.grant(&plan.changes, Granter::Person(cx.person()?.user)).await?;
    } else if !plan.permissions.is_empty() {
        tx.catalogue_moved().await?;
    }
    for role in &plan.roles {
        let action = if role.is_new { Action::RoleCreate } else { Action::RoleUpdate };
        let event = Event::done(action).on("role", role.id, &role.new.name).meta("import", batch.as_str());
        let event = match &role.old {
            Some(old) => event.change(json!(old), json!(role.new)),
            None => event.new_value(json!(role.new)),
        };
        tx.record(&event).await?;
    }
    let counted = json!({"roles": plan.roles.len(), "permissions": plan.permissions.len()});
    let event = Event::done(Action::CatalogueImport).on("catalogue", &batch, "").new_value(counted);
    tx.commit(event.meta("import", batch.as_str())).await?;
    Ok(plan.report)
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
    let existing = store::all(tx).await?;
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
