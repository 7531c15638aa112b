//! Operations on roles and on what people were given.

pub mod approved;
pub mod bulk;
mod conditions;
pub mod exchange;
pub mod keys;
pub mod reminders;
pub mod rest;
pub mod store;
pub mod what_if;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::{
        EffectivePermission, GivenRole, HeldRole, PERMISSIONS_ASSIGN, PERMISSIONS_READ, Permission, ROLES_CREATE,
        ROLES_DELETE, ROLES_READ, ROLES_UPDATE, RoleRef, Scope, USERS_READ,
        server::{
            Cx, Edited, Tx,
            change::{Change, Granter},
            engine::{OverrideGrant, RoleGrant, RoleGrants, is_live},
            given,
            record::{Action, Event},
        },
    },
    accounts::{self, PeopleQuery, Person, server::links},
    approvals,
    base::{
        errors::{AppError, DenialCode, FieldCode, FieldErrors},
        ids::{RoleId, UserId},
        paging::Page,
        server::{input::Input, names},
        text::optional_line,
        time::Timestamp,
    },
    i18n::Locale,
    roles::{
        Catalogue, CloneRole, CompareQuery, ComparedKey, Comparison, Holder, HoldersQuery, NewRole, Override,
        Overrides, PersonRights, RightsEdit, Role, RoleEdit, RolesQuery,
        pages::words,
        templates::{FromTemplate, RoleTemplate, TEMPLATES, Template},
    },
};

/// A page of the roles of the tenant and the platform's that are asked for.
pub async fn list(cx: &Cx, query: Input<RolesQuery>) -> Result<Page<Role>, AppError> {
    let mut tx = cx.read(ROLES_READ).await?;
    let filter = store::Filter::parse(query.read()?)?;
    store::list(&mut tx, &filter).await
}

/// All of them, for whatever has to choose from all.
pub async fn all(cx: &Cx) -> Result<Vec<Role>, AppError> {
    let mut tx = cx.read(ROLES_READ).await?;
    store::all(&mut tx).await
}

pub async fn get(cx: &Cx, id: RoleId) -> Result<Role, AppError> {
    let mut tx = cx.read(ROLES_READ).await?;
    store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)
}

/// Who has a role, given to them directly, inside the caller's scope. Needs `users.read` beside what the role needs.
pub async fn holders(cx: &Cx, id: RoleId, query: Input<HoldersQuery>) -> Result<Page<Holder>, AppError> {
    get(cx, id).await?;
    let mut tx = cx.read(USERS_READ).await?;
    let HoldersQuery { q, after, limit } = query.read()?;
    let people = PeopleQuery { q, after, limit, role: Some(id.to_string()), ..PeopleQuery::default() };
    let filter = accounts::server::store::Filter::parse(people)?;
    let people = accounts::server::store::list(&mut tx, &filter).await?;
    let snapshot = tx.snapshot()?;
    Ok(people.map(|person| {
        let grant = snapshot.roles_of(person.id).iter().find(|grant| grant.role == id);
        Holder {
            expires_at: grant.and_then(|grant| grant.expires_at).map(Into::into),
            scope: grant.map(|grant| grant.scope.clone()).unwrap_or_default(),
            person,
        }
    }))
}

/// The catalogue of the tenant, wildcards included.
pub async fn catalogue(cx: &Cx) -> Result<Catalogue, AppError> {
    let tx = cx.read(PERMISSIONS_READ).await?;
    Ok(tx.snapshot()?.catalogue().to_vec())
}

pub async fn create(cx: &Cx, role: Input<NewRole>) -> Result<Role, AppError> {
    let mut tx = cx.allow(ROLES_CREATE).await?;
    let role = role.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&ROLES_CREATE)).await?;
    let mut errors = FieldErrors::default();
    let name = errors.take("name", names::parse(&role.name, 120));
    let description = errors.take("description", optional_line(Some(&role.description), 1000));
    let permissions = keys(&tx, "permissions", &role.permissions, &mut errors)?;
    let parents = parents(&tx, &role.parents, &mut errors)?;
    errors.check()?;
    let (name, description) = (name.unwrap_or_default(), description.flatten().unwrap_or_default());
    let id = RoleId(Uuid::now_v7());
    store::insert(&mut tx, id, &name, &description).await?;
    let change = Change::RolePermissions { role: id, name, permissions, parents };
    tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
    let created = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::RoleCreate).on("role", id, &created.name).new_value(audited(&created));
    tx.commit(event).await?;
    Ok(created)
}

pub async fn edit(cx: &Cx, id: RoleId, edit: Input<RoleEdit>) -> Result<Role, AppError> {
    let mut tx = cx.allow(ROLES_UPDATE).await?;
    let seen = edit.seen;
    let edit = edit.read()?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&ROLES_UPDATE)).await?;
    let before = changeable(&mut tx, id, edit.version.or(seen)).await?;
    let mut errors = FieldErrors::default();
    let (name, description) = names::parse_edit(edit.name.as_deref(), edit.description.as_deref(), &mut errors);
    let reason = errors.take("reason", stated_reason(edit.reason.as_deref())).flatten();
    let permissions = match &edit.permissions {
        Some(permissions) => keys(&tx, "permissions", permissions, &mut errors)?,
        None => stored(&before)?,
    };
    let parents = match &edit.parents {
        Some(ids) => parents(&tx, ids, &mut errors)?,
        None => before.parents.iter().map(|parent| parent.id).collect(),
    };
    errors.check()?;
    let name = name.unwrap_or_else(|| before.name.clone());
    if before.built_in && name != before.name {
        return Err(AppError::denied(DenialCode::BuiltIn));
    }
    let description = description.unwrap_or_else(|| before.description.clone());
    store::update(&mut tx, id, &name, &description).await?;
    if name != before.name {
        approvals::server::follow_renamed_role(&mut tx, &before.name, &name).await?;
    }
    let change = Change::RolePermissions { role: id, name, permissions, parents };
    tx.grant(&[change], Granter::Person(cx.person()?.user)).await?;
    let after = store::by_id(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let event = Event::done(Action::RoleUpdate).on("role", id, &after.name).version(after.version).stated(reason);
    tx.commit(event.change(audited(&before), audited(&after))).await?;
    Ok(after)
}

pub async fn delete(cx: &Cx, id: RoleId, version: Option<i64>) -> Result<(), AppError> {
    let mut tx = cx.allow(ROLES_DELETE).await?;
    tx.decide(&Default::default())?;
    tx.lock_grants(Some(&ROLES_DELETE)).await?;
    let before = changeable(&mut tx, id, version).await?;
    if before.built_in {
        return Err(AppError::denied(DenialCode::BuiltIn));
    }
    tx.grant(&[Change::RemoveRole { role: id }], Granter::Person(cx.person()?.user)).await?;
    store::delete(&mut tx, id).await?;
    tx.commit(Event::done(Action::RoleDelete).on("role", id, &before.name).old_value(audited(&before))).await
}

/// A role of the tenant, still the version that was seen. The platform's cannot be changed by anybody.
async fn changeable(tx: &mut Tx, id: RoleId, version: Option<i64>) -> Result<Role, AppError> {
    let role = store::uncounted(tx, id).await?.ok_or(AppError::NotFound)?;
    if role.platform {
        return Err(AppError::denied(DenialCode::BuiltIn));
    }
    let read = Some(ROLES_READ);
    tx.check_version(version, Edited { kind: "role", id: id.0, version: role.version, read, facts: None }).await?;
    Ok(role)
}

/// A copy of a role under another name: the same permissions, by itself and by inheriting. Nobody has it yet.
pub async fn clone(cx: &Cx, id: RoleId, copy: Input<CloneRole>) -> Result<Role, AppError> {
    let mut tx = cx.read(ROLES_CREATE).await?;
    let copy = copy.read()?;
    tx.decide(&Default::default())?;
    let from = store::uncounted(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    drop(tx);
    let role = NewRole {
        name: copy.name,
        description: from.description,
        permissions: from.permissions,
        parents: from.parents.iter().map(|parent| parent.id).collect(),
    };
    create(cx, role.into()).await
}

/// The templates, in both languages.
pub async fn templates(cx: &Cx) -> Result<Vec<RoleTemplate>, AppError> {
    let _tx = cx.read(ROLES_READ).await?;
    Ok(TEMPLATES.iter().map(template).collect())
}

fn template(template: &Template) -> RoleTemplate {
    let text = |locale, of: fn(Locale, &str) -> &'static str| of(locale, template.id).to_owned();
    RoleTemplate {
        id: template.id.to_owned(),
        name_ar: text(Locale::ar, words::template_name),
        name_en: text(Locale::en, words::template_name),
        description_ar: text(Locale::ar, words::template_about),
        description_en: text(Locale::en, words::template_about),
        permissions: template.permissions.iter().map(|key| (*key).to_owned()).collect(),
    }
}

/// Makes a role of a template.
pub async fn create_from_template(cx: &Cx, wanted: Input<FromTemplate>) -> Result<Role, AppError> {
    let role = wanted.try_map(|wanted| {
        let found = TEMPLATES.iter().find(|known| known.id == wanted.template);
        let found = template(found.ok_or(AppError::field("template", FieldCode::Unknown))?);
        Ok(NewRole {
            name: wanted.name.unwrap_or(found.name_ar),
            description: found.description_ar,
            permissions: found.permissions,
            parents: Vec::new(),
        })
    });
    create(cx, role).await
}

/// What each of two roles gives, inherited or its own, wildcards resolved.
pub async fn compare(cx: &Cx, query: Input<CompareQuery>) -> Result<Comparison, AppError> {
    let tx = cx.read(ROLES_READ).await?;
    let CompareQuery { a, b } = query.read()?;
    let snapshot = tx.snapshot()?;
    let (one, other) = (snapshot.role(a).ok_or(AppError::NotFound)?, snapshot.role(b).ok_or(AppError::NotFound)?);
    let lines = snapshot.plain_keys().map(|(info, key)| {
        let gives = |role: &RoleGrants| role.patterns.iter().any(|pattern| pattern.covers(&key));
        ComparedKey {
            key: info.key.clone(),
            name_ar: info.name_ar.clone(),
            name_en: info.name_en.clone(),
            in_a: gives(one),
            in_b: gives(other),
        }
    });
    let lines = lines.filter(|line| line.in_a || line.in_b).collect();
    Ok(Comparison { a: snapshot.role_ref(a), b: snapshot.role_ref(b), lines })
}

/// Roles of the tenant to inherit from, each once. The platform's is handed on to nobody.
fn parents(tx: &Tx, ids: &[RoleId], errors: &mut FieldErrors) -> Result<Vec<RoleId>, AppError> {
    let snapshot = tx.snapshot()?;
    let known = |id: &RoleId| {
        let is_there = snapshot.role(*id).is_some_and(|role| !role.platform);
        is_there.then_some(*id).ok_or(FieldCode::Unknown)
    };
    Ok(errors.take_each("parents", ids, known))
}

/// Keys and wildcards of the catalogue, each once.
fn keys(tx: &Tx, field: &str, keys: &[String], errors: &mut FieldErrors) -> Result<Vec<Permission>, AppError> {
    let snapshot = tx.snapshot()?;
    Ok(errors.take_each(field, keys, |key| snapshot.known(key)))
}

fn stored(role: &Role) -> Result<Vec<Permission>, AppError> {
    let keys = role.permissions.iter().map(|key| Permission::parse(key));
    let keys = keys.collect::<Result<Vec<_>, _>>();
    Ok(keys.map_err(|code| anyhow::anyhow!("a stored key of role {} is {code:?}", role.id))?)
}

fn audited(role: &Role) -> Value {
    let parents = role.parents.iter().map(|parent| parent.name.as_str()).collect::<Vec<_>>();
    json!({
        "name": role.name,
        "description": role.description,
        "permissions": role.permissions,
        "parents": parents,
    })
}

/// What a person was given and what comes of it, with every reason.
pub async fn rights(cx: &Cx, user: UserId) -> Result<PersonRights, AppError> {
    let mut tx = cx.read(PERMISSIONS_READ).await?;
    tx.require(USERS_READ).await?;
    let person = accounts::server::find(&mut tx, user).await?;
    rights_of(&tx, &person)
}

/// The same of the caller.
pub async fn own_rights(cx: &Cx) -> Result<PersonRights, AppError> {
    let mut tx = cx.own().await?;
    let user = cx.person()?.user;
    let person = accounts::server::find(&mut tx, user).await?;
    rights_of(&tx, &person)
}

/// Every permission of a person with everything that speaks for or against it (C4).
pub async fn effective(cx: &Cx, user: UserId) -> Result<Vec<EffectivePermission>, AppError> {
    Ok(rights(cx, user).await?.effective)
}

fn rights_of(tx: &Tx, person: &Person) -> Result<PersonRights, AppError> {
    Ok(PersonRights {
        user_id: person.id,
        roles: held_roles(tx, person.id)?,
        overrides: overrides_of(tx, person.id)?,
        effective: tx.snapshot()?.effective(person.id, tx.now()),
        version: person.version,
    })
}

/// The overrides that somebody has now.
fn overrides_of(tx: &Tx, user: UserId) -> Result<Overrides, AppError> {
    let (snapshot, now) = (tx.snapshot()?, tx.now());
    let overrides = |allowed| {
        let live = snapshot.overrides_of(user).iter().filter(|given| is_live(given.expires_at, now));
        let matching = live.filter(move |given| given.allowed == allowed);
        matching.map(|given| Override {
            key: given.pattern.to_string(),
            expires_at: given.expires_at.map(Into::into),
            reason: given.reason.clone(),
        })
    };
    Ok(Overrides { allow: overrides(true).collect(), deny: overrides(false).collect() })
}

/// The roles that somebody has now, given to them directly.
fn held_roles(tx: &Tx, user: UserId) -> Result<Vec<HeldRole>, AppError> {
    let (snapshot, now) = (tx.snapshot()?, tx.now());
    let live = snapshot.roles_of(user).iter().filter(|grant| is_live(grant.expires_at, now));
    let roles = live.filter_map(|grant| {
        let role = snapshot.role(grant.role)?;
        let role = RoleRef { id: grant.role, name: role.name.clone() };
        Some(HeldRole { role, scope: grant.scope.clone(), expires_at: grant.expires_at.map(Into::into) })
    });
    Ok(roles.collect())
}

/// Replaces roles or overrides of a person, or both, as one transaction with one row for each half that changed.
pub async fn edit_rights(cx: &Cx, user: UserId, edit: Input<RightsEdit>) -> Result<PersonRights, AppError> {
    let mut tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    let seen = edit.seen;
    let edit = edit.read()?;
    tx.lock_grants(Some(&PERMISSIONS_ASSIGN)).await?;
    let person = accounts::server::find_for_update(&mut tx, user, edit.version.or(seen)).await?;
    let reason = stated_reason(edit.reason.as_deref()).map_err(|code| AppError::field("reason", code))?;
    let changes = staged(&tx, user, edit)?;
    apply(cx, tx, &person, Stated { changes, reason }).await
}

/// Why rights are changed, as long as the reason of an override may be.
fn stated_reason(reason: Option<&str>) -> Result<Option<String>, FieldCode> {
    optional_line(reason, 500)
}

/// Changes, with why.
struct Stated {
    changes: Vec<Change>,
    reason: Option<String>,
}

/// The changes that an edit comes to; those that change nothing are left out.
fn staged(tx: &Tx, user: UserId, edit: RightsEdit) -> Result<Vec<Change>, AppError> {
    let mut changes = Vec::new();
    if let Some(roles) = edit.roles {
        changes.push(Change::Roles { user, roles: parse_roles(tx, roles)? });
    }
    if let Some(overrides) = edit.overrides {
        changes.push(Change::Overrides { user, overrides: parse_overrides(tx, overrides)? });
    }
    let (given, now) = (tx.snapshot()?.person(user).cloned().unwrap_or_default(), tx.now());
    let live_roles = given.roles.iter().filter(|grant| is_live(grant.expires_at, now)).collect::<Vec<_>>();
    let live_overrides = given.overrides.iter().filter(|grant| is_live(grant.expires_at, now)).collect::<Vec<_>>();
    changes.retain(|change| match change {
        Change::Roles { roles, .. } => !is_same(roles, &live_roles),
        Change::Overrides { overrides, .. } => !is_same(overrides, &live_overrides),
        _ => true,
    });
    Ok(changes)
}

/// Whether both hold the same grants, whatever their order; neither holds one twice.
fn is_same<T: PartialEq>(new: &[T], old: &[&T]) -> bool {
    new.len() == old.len() && new.iter().all(|one| old.contains(&one))
}

/// Adds roles to a person.
pub async fn add_roles(cx: &Cx, user: UserId, roles: Input<RoleNames>) -> Result<PersonRights, AppError> {
    change_roles(cx, user, roles, true).await
}

/// Replaces the roles of a person.
pub async fn replace_roles(cx: &Cx, user: UserId, roles: Input<RoleNames>) -> Result<PersonRights, AppError> {
    change_roles(cx, user, roles, false).await
}

/// Roles by id or by name.
#[derive(Clone, Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleNames {
    pub roles: Vec<NamedRole>,
    /// Why, for whoever reads the log: one line.
    #[serde(default)]
    pub reason: Option<String>,
}

/// An id or a name, or that with an end and a scope.
#[derive(Clone, Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum NamedRole {
    Name(String),
    Full(BoundRole),
}

/// A role with its bounds (C11, C13).
#[derive(Clone, Debug, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BoundRole {
    /// Id or name.
    pub role: String,
    /// Counts for this department only.
    #[serde(default)]
    pub department: Option<String>,
    /// Counts for this region only.
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

async fn change_roles(cx: &Cx, user: UserId, roles: Input<RoleNames>, add: bool) -> Result<PersonRights, AppError> {
    let mut tx = cx.allow(PERMISSIONS_ASSIGN).await?;
    let seen = roles.seen;
    let RoleNames { roles: names, reason } = roles.read()?;
    tx.lock_grants(Some(&PERMISSIONS_ASSIGN)).await?;
    let person = accounts::server::find_for_update(&mut tx, user, seen).await?;
    let all = store::all_uncounted(&mut tx).await?;
    let mut errors = FieldErrors::default();
    let reason = errors.take("reason", stated_reason(reason.as_deref())).flatten();
    let mut roles = Vec::new();
    let old = rights_of(&tx, &person)?.roles;
    let has = |role: RoleId| old.iter().find(|has| has.role.id == role).map(GivenRole::from);
    for (at, named) in names.into_iter().enumerate() {
        let name = match &named {
            NamedRole::Name(name) => name,
            NamedRole::Full(full) => &full.role,
        };
        let role = all.iter().find(|role| role.name == *name || role.id.to_string() == *name);
        let Some(role) = errors.take(&format!("roles[{at}]"), role.map(|role| role.id).ok_or(FieldCode::Unknown))
        else {
            continue;
        };
        roles.push(match named {
            // Named alone, one that stays keeps its bounds.
            NamedRole::Name(_) => has(role).unwrap_or(GivenRole { role, scope: Scope::default(), expires_at: None }),
            NamedRole::Full(full) => GivenRole {
                role,
                scope: Scope { department: full.department, region: full.region },
                expires_at: full.expires_at,
            },
        });
    }
    errors.check()?;
    if add {
        let named = roles.iter().map(|given| given.role).collect::<BTreeSet<_>>();
        roles.extend(old.iter().filter(|has| !named.contains(&has.role.id)).map(GivenRole::from));
    }
    let changes = staged(&tx, user, RightsEdit { roles: Some(roles), ..RightsEdit::default() })?;
    apply(cx, tx, &person, Stated { changes, reason }).await
}

/// The role grants of a person after a replacement, each role once, in the order of their ids.
fn parse_roles(tx: &Tx, roles: Vec<GivenRole>) -> Result<Vec<RoleGrant>, AppError> {
    let mut errors = FieldErrors::default();
    let grants = given::parse(tx.snapshot()?, roles, |_role| true, tx.now(), &mut errors);
    errors.check()?;
    Ok(grants)
}

async fn apply(cx: &Cx, mut tx: Tx, person: &Person, stated: Stated) -> Result<PersonRights, AppError> {
    let Stated { changes, reason } = stated;
    let user = person.id;
    let before = rights_of(&tx, person)?;
    if changes.is_empty() {
        return Ok(before);
    }
    tx.grant(&changes, Granter::Person(cx.person()?.user)).await?;
    // Whoever invited somebody does not come into what others give them later.
    links::void_of_others(&mut tx, user).await?;
    // What this transaction has written, as the engine will see it.
    tx.lock_grants(None).await?;
    let person = accounts::server::store::by_id(&mut tx, user).await?.ok_or(AppError::NotFound)?;
    let after = rights_of(&tx, &person)?;
    let event =
        |action| Event::done(action).on("user", user, &person.name).version(person.version).stated(reason.clone());
    let assigned = event(Action::AssignRoles).change(audited_roles(&before.roles), audited_roles(&after.roles));
    let granted = event(Action::GrantPermission).change(json!(before.overrides), json!(after.overrides));
    if before.roles == after.roles {
        tx.commit(granted).await?;
    } else {
        if before.overrides != after.overrides {
            tx.record(&granted).await?;
        }
        tx.commit(assigned).await?;
    }
    Ok(after)
}

/// What to record of somebody whose rights were changed: a row for each half that did, of overrides and roles.
fn halves(
    before: (&Overrides, &[HeldRole]),
    after: (&Overrides, &[HeldRole]),
    event: impl Fn(Action) -> Event,
) -> Vec<Event> {
    let overrides =
        (before.0 != after.0).then(|| event(Action::GrantPermission).change(json!(before.0), json!(after.0)));
    let roles = (before.1 != after.1)
        .then(|| event(Action::AssignRoles).change(audited_roles(before.1), audited_roles(after.1)));
    overrides.into_iter().chain(roles).collect()
}

/// Roles by name, as the audit log keeps them; the bounds of those that have any.
fn audited_roles(roles: &[HeldRole]) -> Value {
    json!({"roles": given::audited(roles)})
}

fn parse_overrides(tx: &Tx, overrides: Overrides) -> Result<Vec<OverrideGrant>, AppError> {
    let (snapshot, now) = (tx.snapshot()?, tx.now());
    let mut errors = FieldErrors::default();
    let mut seen = BTreeSet::new();
    let mut parsed = Vec::new();
    for (half, allowed, items) in [("allow", true, overrides.allow), ("deny", false, overrides.deny)] {
        for (at, item) in items.into_iter().enumerate() {
            let field = format!("{half}[{at}]");
            let key = snapshot.known(&item.key);
            let reason = errors.take(&format!("{field}.reason"), optional_line(item.reason.as_deref(), 500)).flatten();
            let expires_at = item.expires_at.map(chrono::DateTime::from);
            let Some(pattern) = errors.take(&format!("{field}.key"), key) else { continue };
            if !is_live(expires_at, now) {
                errors.add(format!("{field}.expires_at"), FieldCode::Past);
            }
            if !seen.insert(pattern.clone()) {
                errors.add(format!("{field}.key"), FieldCode::Contradiction);
            }
            parsed.push(OverrideGrant { pattern, allowed, expires_at, reason });
        }
    }
    errors.check()?;
    Ok(parsed)
}
