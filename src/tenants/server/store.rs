//! The rows of tenants.

use anyhow::Context as _;
use uuid::Uuid;

use crate::{
    access::server::Tx,
    base::{
        errors::AppError,
        ids::TenantId,
        paging::Page,
        server::{
            cursor::{Cursor, Part},
            search::Words,
        },
    },
    tenants::{Plan, Tenant, TenantStatus},
};

/// A page of the tenants in which all words are found, by name. Row-level security shows all to the platform alone.
pub async fn list(tx: &mut Tx, words: &Words, part: &Part) -> Result<Page<Tenant>, AppError> {
    let rows = read(tx, None, words, Some(part)).await?;
    let page = part.page(rows, |(key, tenant)| Cursor { key: key.clone(), id: tenant.id.0 });
    Ok(page.map(|(_, tenant)| tenant))
}

pub async fn by_id(tx: &mut Tx, id: TenantId) -> Result<Option<Tenant>, AppError> {
    let row = read(tx, Some(id), &Words::default(), None).await?.pop();
    Ok(row.map(|(_, tenant)| tenant))
}

/// Tenants by name, each after what it is sorted by.
async fn read(
    tx: &mut Tx,
    id: Option<TenantId>,
    words: &Words,
    part: Option<&Part>,
) -> Result<Vec<(String, Tenant)>, AppError> {
    let (after, after_id) = part.map_or(("", Uuid::nil()), Part::place);
    // A tenant lies in no department: whoever may see a part of theirs sees none as a whole.
    if tx.filter().is_some() {
        return Ok(Vec::new());
    }
    let (own, is_platform) = (tx.tenant()?, tx.is_platform());
    let rows = sqlx::query!(
        "select id, name, name_key, plan, status, is_first, created_at, updated_at, version from tenants
         where ($1 or id = $2) and ($3::uuid is null or id = $3) and search like all ($4)
           and (name_key, id) > ($5, $6)
         order by name_key, id limit $7",
        is_platform,
        own.0,
        id.map(|id| id.0),
        words.patterns(),
        after,
        after_id,
        part.map(Part::rows),
    )
    .fetch_all(tx.conn())
    .await?;
    let mut tenants = Vec::new();
    for row in rows {
        let id = TenantId(row.id);
        let plan = Plan::parse(&row.plan).with_context(|| format!("tenant {id} has the plan {:?}", row.plan))?;
        let status = TenantStatus::parse(&row.status);
        let status = status.with_context(|| format!("tenant {id} has the status {:?}", row.status))?;
        let tenant = Tenant {
            id,
            name: row.name,
            plan,
            status,
            is_first: row.is_first,
            people: tx.cx().active_people(id),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        };
        tenants.push((row.name_key, tenant));
    }
    Ok(tenants)
}

/// Holds the row until the transaction ends.
pub async fn lock(tx: &mut Tx, id: TenantId) -> Result<(), AppError> {
    let held = sqlx::query_scalar!("select id from tenants where id = $1 for update", id.0);
    held.fetch_optional(tx.conn()).await?.ok_or(AppError::NotFound)?;
    Ok(())
}

/// Makes a tenant with what each begins with. The transaction is in it already.
pub async fn insert(tx: &mut Tx, id: TenantId, name: &str, plan: Plan) -> Result<(), AppError> {
    let now = tx.now();
    sqlx::query!(
        "insert into tenants (id, name, plan, created_at, updated_at) values ($1, $2, $3, $4, $4)",
        id.0,
        name,
        plan.as_str(),
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("select seed_tenant($1)", id.0).execute(tx.conn()).await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, id: TenantId, name: &str, plan: Plan) -> Result<(), AppError> {
    sqlx::query!(
        "update tenants set name = $2, plan = $3, version = version + 1 where id = $1",
        id.0,
        name,
        plan.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn set_status(tx: &mut Tx, id: TenantId, status: TenantStatus) -> Result<(), AppError> {
    sqlx::query!("update tenants set status = $2, version = version + 1 where id = $1", id.0, status.as_str())
        .execute(tx.conn())
        .await?;
    Ok(())
}
