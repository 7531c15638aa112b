//! The rows of roles. What they give is written by `access`, which guards it.

use crate::{
    access::server::Tx,
    base::{errors::AppError, ids::RoleId, server::search::Words},
    roles::Role,
};

/// The roles that can be seen and in which all words are found, the platform's first, then by name.
pub async fn list(tx: &mut Tx, words: &Words) -> Result<Vec<Role>, AppError> {
    read(tx, None, words).await
}

pub async fn by_id(tx: &mut Tx, id: RoleId) -> Result<Option<Role>, AppError> {
    Ok(read(tx, Some(id), &Words::default()).await?.pop())
}

async fn read(tx: &mut Tx, id: Option<RoleId>, words: &Words) -> Result<Vec<Role>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let rows = sqlx::query!(
        r#"select r.id, r.name, r.description, r.built_in, r.tenant_id is null as "platform!", r.created_at,
                  r.updated_at, r.version,
                  array(select p.key from role_permissions rp join permissions p on p.id = rp.permission_id
                        where rp.role_id = r.id order by p.key) as "permissions!",
                  (select count(*) from user_roles ur join users u on u.id = ur.user_id
                   where ur.role_id = r.id and u.tenant_id = $1 and u.status <> 'deleted'
                     and (ur.expires_at is null or ur.expires_at > $3)) as "people!"
           from roles r
           where (r.tenant_id = $1 or r.tenant_id is null) and ($2::uuid is null or r.id = $2)
             and r.search like all ($4)
           order by r.tenant_id is not null, r.name_key, r.id"#,
        tenant.0,
        id.map(|id| id.0),
        now,
        words.patterns(),
    )
    .fetch_all(tx.conn())
    .await?;
    let roles = rows.into_iter().map(|row| Role {
        id: RoleId(row.id),
        name: row.name,
        description: row.description,
        built_in: row.built_in,
        platform: row.platform,
        permissions: row.permissions,
        people: row.people,
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    });
    Ok(roles.collect())
}

pub async fn insert(tx: &mut Tx, id: RoleId, name: &str, description: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "insert into roles (id, tenant_id, name, description) values ($1, $2, $3, $4)",
        id.0,
        tenant.0,
        name,
        description,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, id: RoleId, name: &str, description: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "update roles set name = $3, description = $4, version = version + 1 where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        name,
        description,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: RoleId) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("delete from roles where id = $1 and tenant_id = $2", id.0, tenant.0).execute(tx.conn()).await?;
    Ok(())
}
