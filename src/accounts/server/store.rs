//! The rows of people.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::{Postgres, QueryBuilder, Row as _, postgres::PgRow};
use uuid::Uuid;

use crate::{
    access::{
        ADMIN, Facts, STANDARD_USER, SUPER_ADMIN, Scope,
        server::{States, Tx},
    },
    accounts::{
        NO_ROLE, PeopleCounts, PeopleOrder, PeopleQuery, PeopleSort, Person, PersonRow, SOON_DAYS, Status,
        erasure::ErasureReport,
        server::rules::{ParsedEdit, ParsedPerson},
    },
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::{GroupId, RoleId, TenantId, UserId},
        paging::Page,
        server::{
            cursor::{Cursor, Part},
            search::{Words, filter_text, given},
        },
    },
};

/// A list's filter, understood.
#[derive(Debug, Default)]
pub struct Filter {
    words: Words,
    status: Option<Status>,
    department: Option<String>,
    role: Option<RoleFilter>,
    group: Option<GroupId>,
    ends_within: Option<TimeDelta>,
    order: PeopleOrder,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RoleFilter {
    Has(RoleId),
    HasNone,
}

impl Filter {
    pub fn parse(query: PeopleQuery) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let words = errors.take("q", Words::parse(query.q)).unwrap_or_default();
        let department = errors.take("department", filter_text(query.department)).flatten();
        let status = given(query.status).map(|text| Status::parse(&text).ok_or(FieldCode::Unknown));
        let status = errors.take("status", status.transpose()).flatten();
        let role = given(query.role).map(|text| match text.as_str() {
            NO_ROLE => Ok(RoleFilter::HasNone),
            id => id.parse().map(RoleFilter::Has).map_err(|_not_an_id| FieldCode::Malformed),
        });
        let role = errors.take("role", role.transpose()).flatten();
        let group = given(query.group).map(|id| id.parse().map_err(|_not_an_id| FieldCode::Malformed));
        let group = errors.take("group", group.transpose()).flatten();
        let ends_within = given(query.ends_within).map(|text| match text.parse() {
            Ok(days @ 1..=366) => Ok(TimeDelta::days(days)),
            _ => Err(FieldCode::Malformed),
        });
        let ends_within = errors.take("ends_within", ends_within.transpose()).flatten();
        let order = given(query.sort).map(|text| PeopleOrder::parse(&text).ok_or(FieldCode::Unknown));
        let order = errors.take("sort", order.transpose()).flatten().unwrap_or_default();
        let part = Part::parse(query.after, query.limit, &mut errors);
        if let Some(cursor) = &part.after {
            let fits = match order.by {
                PeopleSort::Name | PeopleSort::Department => true,
                PeopleSort::Created => cursor.moment().is_some(),
                // Whoever never signed in has no moment.
                PeopleSort::LastLogin => cursor.key.is_empty() || cursor.moment().is_some(),
            };
            if !fits {
                errors.add("after", FieldCode::Malformed);
            }
        }
        errors.check()?;
        Ok(Filter { words, status, department, role, group, ends_within, order, part })
    }

    /// Whether the rows tell more of grants than the names of roles.
    pub fn tells_of_grants(&self) -> bool {
        self.ends_within.is_some()
    }
}

/// A page of people. Row-level security keeps it to the tenant, the scopes to what the caller may see.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Page<PersonRow>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let key = match filter.order.by {
        PeopleSort::Name => "u.name_key",
        PeopleSort::Department => "lower(coalesce(u.department, ''))",
        PeopleSort::Created => "to_char(u.created_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        PeopleSort::LastLogin => "coalesce(to_char(u.last_login_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), '')",
    };
    let mut query = QueryBuilder::<Postgres>::new(format!(
        "select u.id, u.number, u.name, u.email, u.username, u.department, u.region, u.status, u.last_login_at,
                u.created_at, {key} as sort_key,
                array(select r.name from user_roles ur join roles r on r.id = ur.role_id
                      where ur.user_id = u.id and (ur.expires_at is null or ur.expires_at > "
    ));
    query.push_bind(now).push(") order by r.name) as roles, ");
    match filter.ends_within {
        Some(within) => push_first_end(&mut query, now, within),
        None => query.push("null::timestamptz"),
    };
    query.push(" as ends_at from users u where u.tenant_id = ").push_bind(tenant.0);
    match filter.status {
        Some(status) => query.push(" and u.status = ").push_bind(status.as_str()),
        None => query.push(" and u.status <> 'deleted'"),
    };
    filter.words.push(&mut query, "u.search");
    if let Some(department) = &filter.department {
        query.push(" and u.department = ").push_bind(department);
    }
    match filter.role {
        Some(RoleFilter::Has(role)) => {
            query.push(" and exists (select from user_roles ur where ur.user_id = u.id and ur.role_id = ");
            query.push_bind(role.0).push(" and (ur.expires_at is null or ur.expires_at > ").push_bind(now).push("))");
        }
        Some(RoleFilter::HasNone) => {
            query.push(" and ");
            push_without_role(&mut query, now);
        }
        None => {}
    }
    if let Some(group) = filter.group {
        query.push(" and exists (select from group_members gm where gm.user_id = u.id and gm.group_id = ");
        query.push_bind(group.0).push(" and (gm.expires_at is null or gm.expires_at > ").push_bind(now).push("))");
    }
    if let Some(within) = filter.ends_within {
        query.push(" and ");
        push_ending(&mut query, tenant, now, within);
    }
    push_scopes(&mut query, tx.filter());
    push_place(&mut query, filter);
    query.push(match (filter.order.by, filter.order.reversed) {
        (PeopleSort::Name, false) => " order by u.name_key, u.id",
        (PeopleSort::Name, true) => " order by u.name_key desc, u.id desc",
        (PeopleSort::Department, false) => " order by u.department is null, lower(coalesce(u.department, '')), u.id",
        (PeopleSort::Department, true) => {
            " order by u.department is null desc, lower(coalesce(u.department, '')) desc, u.id desc"
        }
        (PeopleSort::Created, false) => " order by u.created_at desc, u.id desc",
        (PeopleSort::Created, true) => " order by u.created_at, u.id",
        (PeopleSort::LastLogin, false) => " order by u.last_login_at desc nulls last, u.id",
        (PeopleSort::LastLogin, true) => " order by u.last_login_at nulls first, u.id desc",
    });
    query.push(" limit ").push_bind(filter.part.rows());
    let rows = query.build().persistent(filter.words.plan_is_kept()).fetch_all(tx.conn()).await?;
    let rows = rows.iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
    let page = filter.part.page(rows, |(key, row)| Cursor { key: key.clone(), id: row.id.0 });
    Ok(page.map(|(_, row)| row))
}

/// Begins the page after the last row that was shown.
fn push_place(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let Some(cursor) = &filter.part.after else { return };
    let (Cursor { key, id }, moment) = (cursor, cursor.moment());
    let (forward, backward) = if filter.order.reversed { ("<", ">") } else { (">", "<") };
    match filter.order.by {
        PeopleSort::Name => {
            query.push(format!(" and (u.name_key, u.id) {forward} ("));
            query.push_bind(key).push(", ").push_bind(id).push(")");
        }
        PeopleSort::Department => {
            query.push(" and (u.department is null, lower(coalesce(u.department, '')), u.id) ");
            query.push(forward).push(" (").push_bind(key.is_empty()).push(", ");
            query.push_bind(key).push(", ").push_bind(id).push(")");
        }
        PeopleSort::Created => {
            query.push(format!(" and (u.created_at, u.id) {backward} ("));
            query.push_bind(moment).push(", ").push_bind(id).push(")");
        }
        PeopleSort::LastLogin => {
            query.push(" and (");
            if key.is_empty() {
                query.push("(u.last_login_at is null and u.id ").push(forward).push(" ").push_bind(id).push(")");
            } else {
                query.push("u.last_login_at ").push(backward).push(" ").push_bind(moment);
                query.push(" or (u.last_login_at = ").push_bind(moment);
                query.push(" and u.id ").push(forward).push(" ").push_bind(id).push(")");
            }
            // Whoever never signed in comes last, or first where the order is turned round.
            query.push(match (key.is_empty(), filter.order.reversed) {
                (true, true) => " or u.last_login_at is not null)",
                (false, false) => " or u.last_login_at is null)",
                (true, false) | (false, true) => ")",
            });
        }
    }
}

/// When the first grant of `users u`, or of a group around them, ends that ends within so long from now; null where none
/// does.
fn push_first_end(
    query: &mut QueryBuilder<Postgres>,
    now: DateTime<Utc>,
    within: TimeDelta,
) -> &mut QueryBuilder<Postgres> {
    query.push("least(");
    for table in ["user_roles", "user_permissions", "group_members"] {
        query.push(format!("(select min(g.expires_at) from {table} g where g.user_id = u.id and g.expires_at > "));
        query.push_bind(now).push(" and g.expires_at <= ").push_bind(now + within).push("), ");
    }
    query.push("(select min(g.expires_at) from ending_by_groups(").push_bind(now).push(", ");
    query.push_bind(now + within).push(") g where g.user_id = u.id))")
}

/// Whether `users u` has a grant, or is in a group with one, that ends within so long from now. Those are found by when they
/// end: of a million people few have one.
fn push_ending(query: &mut QueryBuilder<Postgres>, tenant: TenantId, now: DateTime<Utc>, within: TimeDelta) {
    query.push("u.id in (");
    for table in ["user_roles", "user_permissions", "group_members"] {
        query.push(format!("select g.user_id from {table} g where g.tenant_id = ")).push_bind(tenant.0);
        query.push(" and g.expires_at > ").push_bind(now);
        query.push(" and g.expires_at <= ").push_bind(now + within).push(" union all ");
    }
    query.push("select g.user_id from ending_by_groups(").push_bind(now).push(", ");
    query.push_bind(now + within).push(") g)");
}

/// Whether `users u` has no role now.
fn push_without_role(query: &mut QueryBuilder<Postgres>, now: DateTime<Utc>) {
    query.push(
        "not exists (select from user_roles ur where ur.user_id = u.id and (ur.expires_at is null or ur.expires_at > ",
    );
    query.push_bind(now).push("))");
}

/// Keeps a query on `users u` to the scopes of the caller.
fn push_scopes(query: &mut QueryBuilder<Postgres>, scopes: Option<&[Scope]>) {
    let Some(scopes) = scopes else { return };
    query.push(" and (false");
    for scope in scopes {
        query.push(" or (true");
        if let Some(department) = &scope.department {
            query.push(" and u.department = ").push_bind(department.clone());
        }
        if let Some(region) = &scope.region {
            query.push(" and u.region = ").push_bind(region.clone());
        }
        query.push(")");
    }
    query.push(")");
}

fn read_row(row: &PgRow) -> Result<(String, PersonRow), AppError> {
    let person = PersonRow {
        id: UserId(row.try_get("id")?),
        number: row.try_get("number")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        username: row.try_get("username")?,
        department: row.try_get("department")?,
        region: row.try_get("region")?,
        status: read_status(row.try_get("status")?)?,
        roles: row.try_get("roles")?,
        last_login_at: row.try_get::<Option<DateTime<Utc>>, _>("last_login_at")?.map(Into::into),
        created_at: row.try_get::<DateTime<Utc>, _>("created_at")?.into(),
        ends_at: row.try_get::<Option<DateTime<Utc>>, _>("ends_at")?.map(Into::into),
    };
    Ok((row.try_get("sort_key")?, person))
}

fn read_status(text: &str) -> Result<Status, AppError> {
    Status::parse(text).ok_or_else(|| anyhow::anyhow!("the stored status {text:?} is unknown").into())
}

/// Counts by state, in the caller's scopes.
pub async fn counts(tx: &mut Tx) -> Result<PeopleCounts, AppError> {
    if let Some(grants) = tx.countable() {
        let States { active, invited, suspended } = grants.states();
        return Ok(PeopleCounts { active, invited, suspended, without_role: grants.without_role(tx.now()) });
    }
    let (tenant, now) = (tx.tenant()?, tx.now());
    let mut query = QueryBuilder::<Postgres>::new(
        "select count(*) filter (where u.status = 'active') as active,
                count(*) filter (where u.status = 'invited') as invited,
                count(*) filter (where u.status = 'suspended') as suspended,
                count(*) filter (where u.status <> 'deleted' and ",
    );
    push_without_role(&mut query, now);
    query.push(") as without_role from users u where u.tenant_id = ").push_bind(tenant.0);
    push_scopes(&mut query, tx.filter());
    let row = query.build().fetch_one(tx.conn()).await?;
    Ok(PeopleCounts {
        active: row.try_get("active")?,
        invited: row.try_get("invited")?,
        suspended: row.try_get("suspended")?,
        without_role: row.try_get("without_role")?,
    })
}

/// How many people have a grant that ends soon.
pub async fn count_ending(tx: &mut Tx) -> Result<i64, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let mut query =
        QueryBuilder::<Postgres>::new("select count(*) from users u where u.status <> 'deleted' and u.tenant_id = ");
    query.push_bind(tenant.0).push(" and ");
    push_ending(&mut query, tenant, now, TimeDelta::days(i64::from(SOON_DAYS)));
    push_scopes(&mut query, tx.filter());
    Ok(query.build_query_scalar().fetch_one(tx.conn()).await?)
}

/// A person of the tenant, deleted ones included.
pub async fn by_id(tx: &mut Tx, id: UserId) -> Result<Option<Person>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let row = sqlx::query!(
        r#"select u.id, u.number, u.tenant_id, u.external_id, u.username, u.email, u.name, u.department, u.region,
                  u.locale, u.status, u.email_confirmed_at, u.last_login_at, u.attributes, u.version, u.created_at,
                  u.updated_at, u.erased_at, u.erasure,
                  (select d.due_at from account_deletions d
                   where d.user_id = u.id and d.tenant_id = u.tenant_id and d.ended_at is null) as deletion_due_at,
                  array(select r.name from user_roles ur join roles r on r.id = ur.role_id
                        where ur.user_id = u.id and (ur.expires_at is null or ur.expires_at > $3)
                        order by r.name) as "roles!"
           from users u where u.id = $1 and u.tenant_id = $2"#,
        id.0,
        tenant.0,
        now,
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let status = read_status(&row.status)?;
    let erasure = match row.erased_at.zip(row.erasure) {
        Some((at, lines)) => Some(ErasureReport {
            erased_at: Some(at.into()),
            lines: serde_json::from_value(lines).context("read the report of an erasure")?,
        }),
        None => None,
    };
    Ok(Some(Person {
        id: UserId(row.id),
        number: row.number,
        external_id: row.external_id,
        username: row.username,
        email: row.email,
        name: row.name,
        department: row.department,
        region: row.region,
        locale: row.locale,
        status,
        is_active: status == Status::Active,
        is_super_admin: row.roles.iter().any(|role| role == SUPER_ADMIN),
        attributes: row.attributes,
        roles: row.roles,
        tenant_id: TenantId(row.tenant_id),
        email_confirmed_at: row.email_confirmed_at.map(Into::into),
        last_login_at: row.last_login_at.map(Into::into),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        deletion_due_at: row.deletion_due_at.map(Into::into),
        erasure,
        version: row.version,
    }))
}

/// What a decision may look at in a person.
pub fn facts(person: &Person) -> Facts {
    Facts { department: person.department.clone(), region: person.region.clone(), other: person.attributes.clone() }
}

/// The fields of a person as the audit log shows them.
pub fn audited(person: &Person) -> Value {
    json!({
        "name": person.name, "email": person.email, "username": person.username, "external_id": person.external_id,
        "department": person.department, "region": person.region, "locale": person.locale,
        "status": person.status, "attributes": person.attributes, "roles": person.roles,
    })
}

/// Holds a person's row until the transaction ends.
pub async fn lock(tx: &mut Tx, id: UserId) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("select id from users where id = $1 and tenant_id = $2 for update", id.0, tenant.0)
        .fetch_optional(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    Ok(())
}

pub async fn insert(
    tx: &mut Tx,
    id: UserId,
    person: &ParsedPerson,
    status: Status,
    password_hash: Option<&str>,
) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "insert into users
             (id, tenant_id, external_id, username, email, name, department, region, locale, status, attributes,
              password_hash, email_confirmed_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        id.0,
        tenant.0,
        person.external_id,
        person.username,
        person.email.as_str(),
        person.name,
        person.department,
        person.region,
        person.locale,
        status.as_str(),
        person.attributes,
        password_hash,
        // Whoever gives somebody a password vouches for their address; an invited person confirms it by the link.
        (status == Status::Active).then_some(now),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Changes fields. Another address is nobody's until its mailbox has shown itself.
pub async fn update(tx: &mut Tx, id: UserId, edit: &ParsedEdit) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let cleared = |field: &Option<Option<String>>| field.as_ref().is_some_and(Option::is_none);
    let value = |field: &Option<Option<String>>| field.clone().flatten();
    sqlx::query!(
        "update users set
             email = coalesce($3, email),
             email_confirmed_at = case when email <> $3 then null else email_confirmed_at end,
             email_moved_at = case when email <> $3 then $15 else email_moved_at end,
             name = coalesce($4, name),
             username = case when $5 then null else coalesce($6, username) end,
             external_id = case when $7 then null else coalesce($8, external_id) end,
             department = case when $9 then null else coalesce($10, department) end,
             region = case when $11 then null else coalesce($12, region) end,
             locale = coalesce($13, locale),
             attributes = coalesce($14, attributes),
             version = version + 1
         where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        edit.email.as_ref().map(|email| email.as_str()),
        edit.name,
        cleared(&edit.username),
        value(&edit.username),
        cleared(&edit.external_id),
        value(&edit.external_id),
        cleared(&edit.department),
        value(&edit.department),
        cleared(&edit.region),
        value(&edit.region),
        edit.locale,
        edit.attributes,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sets the state. The sessions of somebody who stops being active end with that, for good (a trigger).
pub async fn set_status(tx: &mut Tx, id: UserId, status: Status) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("update users set status = $3 where id = $1 and tenant_id = $2", id.0, tenant.0, status.as_str())
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// The version of a person, as this transaction has made it.
pub async fn version(tx: &mut Tx, id: UserId) -> Result<i64, AppError> {
    let tenant = tx.tenant()?;
    let version = sqlx::query_scalar!("select version from users where id = $1 and tenant_id = $2", id.0, tenant.0);
    Ok(version.fetch_one(tx.conn()).await?)
}

pub async fn has_password(tx: &mut Tx, id: UserId) -> Result<bool, AppError> {
    let tenant = tx.tenant()?;
    let has = sqlx::query_scalar!(
        r#"select password_hash is not null as "has!" from users where id = $1 and tenant_id = $2"#,
        id.0,
        tenant.0
    );
    Ok(has.fetch_optional(tx.conn()).await?.unwrap_or(false))
}

/// The hash of a person's password, to be compared with.
pub async fn password_hash(tx: &mut Tx, id: UserId) -> Result<Option<String>, AppError> {
    let tenant = tx.tenant()?;
    let hash = sqlx::query_scalar!("select password_hash from users where id = $1 and tenant_id = $2", id.0, tenant.0);
    Ok(hash.fetch_optional(tx.conn()).await?.flatten())
}

/// Keeps a password that was chosen with a link, which also confirms the address, and makes an invited person active.
pub async fn set_password(tx: &mut Tx, id: UserId, password_hash: &str) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "update users set password_hash = $3, status = case status when 'invited' then 'active' else status end,
             email_confirmed_at = coalesce(email_confirmed_at, $4), version = version + 1
         where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        password_hash,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps another password of whoever is known by the one before or by their session. It tells nothing of the mailbox.
pub async fn renew_password(tx: &mut Tx, id: UserId, password_hash: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "update users set password_hash = $3, version = version + 1 where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        password_hash,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The role that everybody gets; `None` where the tenant has removed it.
pub async fn first_role(tx: &mut Tx) -> Result<Option<RoleId>, AppError> {
    let tenant = tx.tenant()?;
    let id = sqlx::query_scalar!("select id from roles where tenant_id = $1 and name = $2", tenant.0, STANDARD_USER);
    Ok(id.fetch_optional(tx.conn()).await?.map(RoleId))
}

/// The built-in role that administers the tenant.
pub async fn admin_role(tx: &mut Tx) -> Result<RoleId, AppError> {
    let tenant = tx.tenant()?;
    let id = sqlx::query_scalar!("select id from roles where tenant_id = $1 and name = $2", tenant.0, ADMIN);
    Ok(RoleId(id.fetch_one(tx.conn()).await?))
}

/// The platform's `super-admin`.
pub async fn platform_role(tx: &mut Tx) -> Result<RoleId, AppError> {
    let id = sqlx::query_scalar!("select id from roles where tenant_id is null and name = $1", SUPER_ADMIN);
    Ok(RoleId(id.fetch_one(tx.conn()).await?))
}

/// The names of the first `most` of these people, in the order of their names.
pub async fn first_names(tx: &mut Tx, people: &[UserId], most: usize) -> Result<Vec<String>, AppError> {
    let (tenant, ids) = (tx.tenant()?, people.iter().map(|id| id.0).collect::<Vec<_>>());
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let names = sqlx::query_scalar!(
        "select name from users where tenant_id = $1 and id = any($2) order by fold_text(name), id limit $3",
        tenant.0,
        &ids,
        most,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(names)
}

/// A person where they are only named.
#[derive(Clone, Debug)]
pub struct Brief {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub status: Status,
}

/// These people of the tenant, in no order.
pub async fn brief(tx: &mut Tx, people: &[UserId]) -> Result<Vec<Brief>, AppError> {
    let (tenant, ids) = (tx.tenant()?, people.iter().map(|id| id.0).collect::<Vec<_>>());
    let rows =
        sqlx::query!("select id, name, email, status from users where tenant_id = $1 and id = any($2)", tenant.0, &ids)
            .fetch_all(tx.conn())
            .await?;
    let people = rows.into_iter().map(|row| {
        Ok(Brief { id: UserId(row.id), name: row.name, email: row.email, status: read_status(&row.status)? })
    });
    people.collect()
}

/// The usernames of those of these people who have one.
pub async fn usernames(tx: &mut Tx, people: &[UserId]) -> Result<HashMap<UserId, String>, AppError> {
    let (tenant, ids) = (tx.tenant()?, people.iter().map(|id| id.0).collect::<Vec<_>>());
    let rows = sqlx::query!(
        r#"select id, username as "username!" from users
           where tenant_id = $1 and id = any($2) and username is not null"#,
        tenant.0,
        &ids,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (UserId(row.id), row.username)).collect())
}

/// Some people of the tenant in the order of their ids, with what a decision may look at in each, as one object.
pub async fn some_facts(
    tx: &mut Tx,
    after: Option<Uuid>,
    most: u32,
) -> Result<Vec<(UserId, Map<String, Value>)>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select id, department, region, attributes from users
         where tenant_id = $1 and status <> 'deleted' and id > $2 order by id limit $3",
        tenant.0,
        after.unwrap_or_default(),
        i64::from(most),
    )
    .fetch_all(tx.conn())
    .await?;
    let facts = rows.into_iter().map(|row| {
        let mut said = match row.attributes {
            Value::Object(attributes) => attributes,
            _ => Map::new(),
        };
        for (name, value) in [("department", row.department), ("region", row.region)] {
            // What an attribute of that name says does not stand for it.
            said.remove(name);
            said.extend(value.map(|value| (name.to_owned(), Value::String(value))));
        }
        (UserId(row.id), said)
    });
    Ok(facts.collect())
}

/// Those of these people who are inside the caller's scopes.
pub async fn within(tx: &mut Tx, ids: &[UserId]) -> Result<Vec<UserId>, AppError> {
    if tx.filter().is_none() {
        return Ok(ids.to_vec());
    }
    let mut query = QueryBuilder::<Postgres>::new("select u.id from users u where u.tenant_id = ");
    query.push_bind(tx.tenant()?.0).push(" and u.id = any(").push_bind(ids.iter().map(|id| id.0).collect::<Vec<_>>());
    query.push(")");
    push_scopes(&mut query, tx.filter());
    let found = query.build_query_scalar::<Uuid>().fetch_all(tx.conn()).await?;
    Ok(found.into_iter().map(UserId).collect())
}

/// Whom an id, an address or a username names; nobody who is deleted.
pub async fn find_named(tx: &mut Tx, named: &str) -> Result<Option<UserId>, AppError> {
    let tenant = tx.tenant()?;
    let found = sqlx::query_scalar!(
        "select id from users
         where tenant_id = $1 and status <> 'deleted' and (id = $2 or email = $3 or username_key = $4)
         order by id = $2 desc limit 1",
        tenant.0,
        named.parse::<Uuid>().ok(),
        named.to_lowercase(),
        crate::base::search::fold(named),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.map(UserId))
}

/// The addresses that were somebody's, in lower case.
pub async fn addresses(tx: &mut Tx, id: UserId) -> Result<Vec<String>, AppError> {
    let tenant = tx.tenant()?;
    let addresses = sqlx::query_scalar!(r#"select person_addresses($1, $2) as "addresses!""#, id.0, tenant.0);
    Ok(addresses.fetch_one(tx.conn()).await?)
}

/// Erases a deleted person, with the letters to them that wait. Gives back how many rows of each kind that concerned.
pub async fn erase(
    tx: &mut Tx,
    id: UserId,
    letters: &[i64],
    now: DateTime<Utc>,
) -> Result<Vec<(String, i64)>, AppError> {
    let rows = sqlx::query!(
        r#"select about as "about!", affected as "affected!" from erase_person($1, $2, $3)"#,
        id.0,
        letters,
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.about, row.affected)).collect())
}

/// Keeps the report on an erasure, in the transaction that has done it.
pub async fn keep_erasure(tx: &mut Tx, id: UserId, lines: &Value) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("update users set erasure = $3 where id = $1 and tenant_id = $2", id.0, tenant.0, lines)
        .execute(tx.conn())
        .await?;
    Ok(())
}
