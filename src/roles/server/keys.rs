//! Permission keys of a tenant's own: added to the catalogue, given new words, and removed once it is known who loses what.

use serde_json::{Value, json};

use crate::{
    access::{
        PERMISSIONS_MANAGE, PERMISSIONS_READ, Permission, PermissionInfo, USERS_READ,
        server::{
            Cx,
            change::{self, Change, Granter},
            engine::Snapshot,
            record::{Action, Event},
        },
    },
    base::{
        errors::{AppError, DenialCode, FieldCode, FieldErrors},
        server::{input::Input, names},
        text::optional_line,
    },
    roles::{
        OwnPermission, PermissionEdit, RemovalEffect,
        server::{store, what_if},
    },
};

/// Adds a key. It gives nobody anything yet but those who hold a wildcard above it.
pub async fn create(cx: &Cx, new: Input<OwnPermission>) -> Result<PermissionInfo, AppError> {
    let mut tx = cx.allow(PERMISSIONS_MANAGE).await?;
    let new = new.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&PERMISSIONS_MANAGE)).await?;
    let mut errors = FieldErrors::default();
    let parsed = parse(tx.snapshot()?, new, "", &mut errors);
    errors.check()?;
    let new = parsed.ok_or(AppError::NotFound)?;
    if tx.snapshot()?.info(&new.key).is_some() {
        return Err(AppError::field("key", FieldCode::Taken));
    }
    store::put_permission(&mut tx, &new).await?;
    tx.catalogue_moved().await?;
    let event = Event::done(Action::PermissionCreate).on("permission", &new.key, &new.key);
    tx.commit(event.new_value(audited(&new))).await?;
    Ok(info(new))
}

/// Gives a key of the tenant's own new words.
pub async fn edit(cx: &Cx, key: &str, edit: Input<PermissionEdit>) -> Result<PermissionInfo, AppError> {
    let mut tx = cx.allow(PERMISSIONS_MANAGE).await?;
    let edit = edit.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&PERMISSIONS_MANAGE)).await?;
    let before = own(tx.snapshot()?, key)?;
    let new = OwnPermission {
        key: before.key.clone(),
        name_ar: edit.name_ar.unwrap_or_else(|| before.name_ar.clone()),
        name_en: edit.name_en.unwrap_or_else(|| before.name_en.clone()),
        description_ar: edit.description_ar.unwrap_or_else(|| before.description_ar.clone()),
        description_en: edit.description_en.unwrap_or_else(|| before.description_en.clone()),
    };
    let mut errors = FieldErrors::default();
    let parsed = parse(tx.snapshot()?, new, "", &mut errors);
    errors.check()?;
    let new = parsed.ok_or(AppError::NotFound)?;
    store::put_permission(&mut tx, &new).await?;
    tx.catalogue_moved().await?;
    let event = Event::done(Action::PermissionUpdate).on("permission", &new.key, &new.key);
    tx.commit(event.change(audited(&of(&before)), audited(&new))).await?;
    Ok(info(new))
}

/// What goes with a key, and who loses what. Nothing is written.
pub async fn removal(cx: &Cx, key: &str) -> Result<RemovalEffect, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let permission = own(tx.snapshot()?, key)?;
    let pattern = pattern(&permission)?;
    let snapshot = tx.snapshot()?.clone();
    let roles = snapshot.role_ids().into_iter();
    let roles = roles.filter(|id| snapshot.role(*id).is_some_and(|role| role.own.contains(&pattern)));
    let roles = roles.collect::<Vec<_>>();
    let overridden = change::overridden(&snapshot, &pattern);
    let mut people = roles.iter().flat_map(|role| snapshot.holders(*role, tx.now())).collect::<Vec<_>>();
    people.extend(&overridden);
    people.sort();
    people.dedup();
    let effect = what_if::of_changes(&mut tx, &[Change::RemovePermission { key: pattern }], &people).await?;
    Ok(RemovalEffect {
        permission,
        roles: roles.into_iter().map(|role| snapshot.role_ref(role)).collect(),
        overrides: u32::try_from(overridden.len()).unwrap_or(u32::MAX),
        effect,
    })
}

/// Removes a key of the tenant's own from the catalogue, from roles and from overrides.
pub async fn delete(cx: &Cx, key: &str) -> Result<(), AppError> {
    let mut tx = cx.allow(PERMISSIONS_MANAGE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&PERMISSIONS_MANAGE)).await?;
    let before = own(tx.snapshot()?, key)?;
    let change = Change::RemovePermission { key: pattern(&before)? };
    tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
    store::delete_permission(&mut tx, &before.key).await?;
    let event = Event::done(Action::PermissionDelete).on("permission", &before.key, &before.key);
    tx.commit(event.old_value(audited(&of(&before)))).await
}

/// A key that the tenant has added; what came with the product stays as it is.
fn own(snapshot: &Snapshot, key: &str) -> Result<PermissionInfo, AppError> {
    let found = snapshot.info(key).ok_or(AppError::NotFound)?;
    if found.own { Ok(found.clone()) } else { Err(AppError::denied(DenialCode::BuiltIn)) }
}

fn pattern(info: &PermissionInfo) -> Result<Permission, AppError> {
    Ok(Permission::parse(&info.key).map_err(|code| anyhow::anyhow!("the stored key {:?} is {code:?}", info.key))?)
}

/// Checks a key and its words. The first word of a built-in key is the product's: a key that is added to it one day would
/// else already be held by whoever was given a tenant's.
pub(super) fn parse(
    snapshot: &Snapshot,
    new: OwnPermission,
    at: &str,
    errors: &mut FieldErrors,
) -> Option<OwnPermission> {
    let field = |name: &str| format!("{at}{name}");
    let first = |key: &str| key.split('.').next().unwrap_or_default().to_owned();
    let key = Permission::parse(new.key.trim()).and_then(|key| {
        let mut built_in = snapshot.catalogue().iter().filter(|info| !info.own);
        let is_ours = key.as_str() == "*" || built_in.any(|info| first(&info.key) == first(key.as_str()));
        if is_ours { Err(FieldCode::Taken) } else { Ok(key) }
    });
    let key = errors.take(&field("key"), key);
    let name_ar = errors.take(&field("name_ar"), names::parse(&new.name_ar, 120));
    let name_en = errors.take(&field("name_en"), names::parse(&new.name_en, 120));
    let description_ar = errors.take(&field("description_ar"), optional_line(Some(&new.description_ar), 500));
    let description_en = errors.take(&field("description_en"), optional_line(Some(&new.description_en), 500));
    Some(OwnPermission {
        key: key?.to_string(),
        name_ar: name_ar?,
        name_en: name_en?,
        description_ar: description_ar?.unwrap_or_default(),
        description_en: description_en?.unwrap_or_default(),
    })
}

pub(super) fn of(info: &PermissionInfo) -> OwnPermission {
    OwnPermission {
        key: info.key.clone(),
        name_ar: info.name_ar.clone(),
        name_en: info.name_en.clone(),
        description_ar: info.description_ar.clone(),
        description_en: info.description_en.clone(),
    }
}

fn info(own: OwnPermission) -> PermissionInfo {
    PermissionInfo {
        key: own.key,
        name_ar: own.name_ar,
        name_en: own.name_en,
        description_ar: own.description_ar,
        description_en: own.description_en,
        own: true,
    }
}

fn audited(own: &OwnPermission) -> Value {
    json!(own)
}

/// A key or wildcard that a role may name: the catalogue has it, or the same transaction adds it.
pub(super) fn known(snapshot: &Snapshot, added: &[OwnPermission], key: &str) -> Result<Permission, FieldCode> {
    let is_added = added.iter().any(|new| new.key == key);
    if is_added { Permission::parse(key) } else { snapshot.known(key) }
}
