//! Operations on tenants. Each sees its own; making, naming and suspending them is the platform's.

pub mod branding;
pub mod files;
pub mod logo;
pub mod rest;
pub mod store;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    access::{
        Permission, TENANTS_CREATE, TENANTS_READ, TENANTS_UPDATE,
        server::{
            Cx, Edited, Tx,
            record::{Action, Event},
        },
    },
    accounts::{
        self, NewPerson,
        server::rules::{self, ParsedPerson},
    },
    base::{
        errors::{AppError, DenialCode, FieldErrors},
        ids::TenantId,
        paging::Page,
        server::{cursor::Part, input::Input, names, search::Words},
        text::{one_line, optional_line},
    },
    sessions::server::visits,
    tenants::{
        CreatedTenant, NewAdmin, NewTenant, Tenant, TenantEdit, TenantStatus, TenantStatusChange, TenantsQuery, Visit,
    },
};

/// The longest name.
const NAME: usize = 120;

/// A page of the tenants that are asked for, by name: all of them for the platform, the caller's own for everybody else.
pub async fn list(cx: &Cx, query: Input<TenantsQuery>) -> Result<Page<Tenant>, AppError> {
    let mut tx = cx.read(TENANTS_READ).await?;
    let query = query.read()?;
    let mut errors = FieldErrors::default();
    let words = errors.take("q", Words::parse(query.q)).unwrap_or_default();
    let part = Part::parse(query.after, query.limit, &mut errors);
    errors.check()?;
    store::list(&mut tx, &words, &part).await
}

pub async fn get(cx: &Cx, id: TenantId) -> Result<Tenant, AppError> {
    let mut tx = cx.read(TENANTS_READ).await?;
    find(&mut tx, id).await
}

/// Creates a tenant with the roles that every tenant begins with, and invites its first administrator.
pub async fn create(cx: &Cx, tenant: Input<NewTenant>) -> Result<CreatedTenant, AppError> {
    let mut tx = for_platform(cx, TENANTS_CREATE).await?;
    let NewTenant { name, plan, admin } = tenant.read()?;
    let mut errors = FieldErrors::default();
    let name = errors.take("name", names::parse(&name, NAME)).unwrap_or_default();
    let admin = parse_admin(admin, &mut errors)?;
    errors.check()?;
    // A10: whoever makes an administrator has proved themselves of late.
    if admin.is_some() {
        cx.in_person()?;
        cx.fresh()?;
    }
    let id = TenantId(Uuid::now_v7());
    tx.go_to(id).await?;
    store::insert(&mut tx, id, &name, plan).await?;
    let created = find(&mut tx, id).await?;
    let event = Event::done(Action::TenantCreate).on("tenant", id, &name).version(created.version);
    let event = event.new_value(audited(&created));
    tx.record(&event).await?;
    let admin = match &admin {
        Some(admin) => Some(accounts::server::invite_first(&mut tx, admin).await?),
        None => None,
    };
    tx.commit_for_platform(event).await?;
    Ok(CreatedTenant { tenant: created, admin })
}

/// Judges the fields of the first administrator as those of anybody who is added.
fn parse_admin(admin: Option<NewAdmin>, errors: &mut FieldErrors) -> Result<Option<ParsedPerson>, AppError> {
    let Some(NewAdmin { email, name, locale, mail_link }) = admin else { return Ok(None) };
    let person = NewPerson {
        email,
        name,
        username: None,
        external_id: None,
        department: None,
        region: None,
        locale,
        attributes: None,
        password: None,
        roles: None,
        mail_link,
    };
    match rules::parse_new(person) {
        Ok(person) => Ok(Some(person)),
        Err(AppError::Invalid(FieldErrors(wrong))) => {
            errors.0.extend(wrong.into_iter().map(|(field, code)| (format!("admin.{field}"), code)));
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

pub async fn edit(cx: &Cx, id: TenantId, edit: Input<TenantEdit>) -> Result<Tenant, AppError> {
    let (mut tx, seen) = (of_one(cx, id).await?, edit.seen);
    let edit = edit.read()?;
    let before = changeable(&mut tx, id, edit.version.or(seen)).await?;
    let mut errors = FieldErrors::default();
    let name = errors.take("name", edit.name.as_deref().map(|name| names::parse(name, NAME)).transpose()).flatten();
    let reason = errors.take("reason", optional_line(edit.reason.as_deref(), 500)).flatten();
    errors.check()?;
    let name = name.unwrap_or_else(|| before.name.clone());
    store::update(&mut tx, id, &name, edit.plan.unwrap_or(before.plan)).await?;
    let after = find(&mut tx, id).await?;
    let event = Event::done(Action::TenantUpdate).on("tenant", id, &after.name).version(after.version).stated(reason);
    let event = event.change(audited(&before), audited(&after));
    tx.record(&event).await?;
    tx.commit_for_platform(event).await?;
    Ok(after)
}

/// Suspends a tenant, or opens it again. Suspending ends every session in it at once.
pub async fn set_status(cx: &Cx, id: TenantId, change: Input<TenantStatusChange>) -> Result<Tenant, AppError> {
    cx.in_person()?;
    let (mut tx, seen) = (of_one(cx, id).await?, change.seen);
    let TenantStatusChange { status, reason, version } = change.read()?;
    let reason = optional_line(reason.as_deref(), 500).map_err(|code| AppError::field("reason", code))?;
    let before = changeable(&mut tx, id, version.or(seen)).await?;
    if status == TenantStatus::Suspended {
        if before.is_first {
            return Err(AppError::denied(DenialCode::BuiltIn));
        }
        cx.fresh()?;
    }
    store::set_status(&mut tx, id, status).await?;
    if status == TenantStatus::Suspended {
        tx.keep_super_admin().await?;
    }
    let after = find(&mut tx, id).await?;
    let event = Event::done(Action::TenantStatus).on("tenant", id, &after.name).version(after.version).stated(reason);
    let event = event.change(json!({"status": before.status}), json!({"status": after.status}));
    tx.record(&event).await?;
    tx.commit_for_platform(event).await?;
    Ok(after)
}

/// Goes into a tenant, as a super-admin may who has proved themselves of late; also into one that is suspended, to look. What
/// they do there stands in its log.
pub async fn enter(cx: &Cx, id: TenantId, visit: Input<Visit>) -> Result<(), AppError> {
    let mut tx = cx.allow(TENANTS_READ).await?;
    let home = cx.in_person()?.tenant;
    let tenant = find(&mut tx, id).await?;
    cx.at_home()?;
    tx.for_platform(&TENANTS_READ).await?;
    tx.decide(&Default::default())?;
    cx.fresh()?;
    let reason = one_line(&visit.read()?.reason, 1, 500).map_err(|code| AppError::field("reason", code))?;
    if id == home {
        return Err(AppError::NotFound);
    }
    visits::enter(&mut tx, id).await?;
    let event = Event::done(Action::TenantEnter).on("tenant", id, &tenant.name).meta("reason", reason);
    let event = event.meta("home_tenant", home.to_string());
    tx.go_to(id).await?;
    tx.record(&event).await?;
    tx.commit_for_platform(event).await
}

/// Comes home, whatever became of the caller's rights.
pub async fn leave(cx: &Cx) -> Result<(), AppError> {
    let mut tx = cx.own_enrolling().await?;
    let Some(entered) = cx.in_person()?.entered.clone() else { return Err(AppError::NotFound) };
    visits::leave(&mut tx).await?;
    let event = Event::done(Action::TenantLeave).on("tenant", entered.tenant, &entered.name);
    if !tx.is_platform() {
        // The names of tenants are no business of whoever reads the log at home.
        let at_home = Event::done(Action::TenantLeave).on("tenant", entered.tenant, "");
        tx.commit(at_home).await?;
        cx.record_there(event).await;
        return Ok(());
    }
    tx.go_to(entered.tenant).await?;
    tx.record(&event).await?;
    tx.commit_for_platform(event).await
}

/// A writing transaction of the platform, whatever the caller's tenant gives them.
async fn for_platform(cx: &Cx, permission: Permission) -> Result<Tx, AppError> {
    let mut tx = cx.allow(permission.clone()).await?;
    tx.for_platform(&permission).await?;
    tx.decide(&Default::default())?;
    Ok(tx)
}

/// The same inside the tenant that is changed. Whoever does not see it learns nothing of it.
async fn of_one(cx: &Cx, id: TenantId) -> Result<Tx, AppError> {
    let mut tx = cx.allow(TENANTS_UPDATE).await?;
    find(&mut tx, id).await?;
    tx.for_platform(&TENANTS_UPDATE).await?;
    tx.decide(&Default::default())?;
    tx.go_to(id).await?;
    Ok(tx)
}

async fn find(tx: &mut Tx, id: TenantId) -> Result<Tenant, AppError> {
    store::by_id(tx, id).await?.ok_or(AppError::NotFound)
}

/// The tenant, held and still the version that was seen.
async fn changeable(tx: &mut Tx, id: TenantId, version: Option<i64>) -> Result<Tenant, AppError> {
    store::lock(tx, id).await?;
    let tenant = find(tx, id).await?;
    let read = Some(TENANTS_READ);
    tx.check_version(version, Edited { kind: "tenant", id: id.0, version: tenant.version, read, facts: None }).await?;
    Ok(tenant)
}

fn audited(tenant: &Tenant) -> Value {
    json!({"name": tenant.name, "plan": tenant.plan, "status": tenant.status})
}
