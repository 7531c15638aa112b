//! The rows of roles. What they give is written by `access`, which guards it.

use crate::{
    access::{GroupRef, RoleRef, server::Tx},
    base::{
        errors::AppError,
        ids::{GroupId, RoleId},
        server::search::Words,
    },
    roles::{OwnPermission, Role},
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
    // Nobody is counted from beyond the caller's scopes.
    let (departments, regions) = tx.bounds();
    let rows = sqlx::query!(
        r#"select r.id, r.name, r.description, r.built_in, r.tenant_id is null as "platform!", r.created_at,
                  r.updated_at, r.version,
                  array(select p.key from role_permissions rp join permissions p on p.id = rp.permission_id
                        where rp.role_id = r.id order by p.key) as "permissions!",
                  array(with recursive up (id) as (
                            select parent_id from role_parents where role_id = r.id
                            union
                            select more.parent_id from up join role_parents more on more.role_id = up.id)
                        select distinct p.key from up
                        join role_permissions rp on rp.role_id = up.id
                        join permissions p on p.id = rp.permission_id order by p.key) as "inherited!",
                  coalesce((select array_agg(o.id order by o.name_key) from role_parents x
                            join roles o on o.id = x.parent_id where x.role_id = r.id), '{}') as "parents!",
                  coalesce((select array_agg(o.name order by o.name_key) from role_parents x
                            join roles o on o.id = x.parent_id where x.role_id = r.id), '{}') as "parent_names!",
                  coalesce((select array_agg(o.id order by o.name_key) from role_parents x
                            join roles o on o.id = x.role_id where x.parent_id = r.id), '{}') as "heirs!",
                  coalesce((select array_agg(o.name order by o.name_key) from role_parents x
                            join roles o on o.id = x.role_id where x.parent_id = r.id), '{}') as "heir_names!",
                  coalesce((select array_agg(g.id order by g.name_key) from group_roles x
                            join groups g on g.id = x.group_id where x.role_id = r.id
                              and (x.expires_at is null or x.expires_at > $3)), '{}') as "groups!",
                  coalesce((select array_agg(g.name order by g.name_key) from group_roles x
                            join groups g on g.id = x.group_id where x.role_id = r.id
                              and (x.expires_at is null or x.expires_at > $3)), '{}') as "group_names!",
                  (select count(*) from user_roles ur join users u on u.id = ur.user_id
                   where ur.role_id = r.id and u.tenant_id = $1 and u.status <> 'deleted'
                     and (ur.expires_at is null or ur.expires_at > $3)
                     and ($5::text[] is null or exists (
                         select from unnest($5::text[], $6::text[]) s (department, region)
                         where (s.department is null or s.department = u.department)
                           and (s.region is null or s.region = u.region)))) as "people!"
           from roles r
           where (r.tenant_id = $1 or r.tenant_id is null) and ($2::uuid is null or r.id = $2)
             and r.search like all ($4) and r.search like $7
           order by r.tenant_id is not null, r.name_key, r.id"#,
        tenant.0,
        id.map(|id| id.0),
        now,
        words.patterns(),
        departments.as_deref() as Option<&[Option<String>]>,
        regions.as_deref() as Option<&[Option<String>]>,
        words.first(),
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
        parents: role_refs(row.parents, row.parent_names),
        inherited: row.inherited,
        heirs: role_refs(row.heirs, row.heir_names),
        groups: row
            .groups
            .into_iter()
            .zip(row.group_names)
            .map(|(id, name)| GroupRef { id: GroupId(id), name })
            .collect(),
        people: row.people,
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    });
    Ok(roles.collect())
}

fn role_refs(ids: Vec<uuid::Uuid>, names: Vec<String>) -> Vec<RoleRef> {
    ids.into_iter().zip(names).map(|(id, name)| RoleRef { id: RoleId(id), name }).collect()
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

/// Adds a key of the tenant's own, or gives it new words.
pub async fn put_permission(tx: &mut Tx, info: &OwnPermission) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "insert into permissions (tenant_id, key, name_ar, name_en, description_ar, description_en)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, key) where tenant_id is not null do update set
             name_ar = excluded.name_ar, name_en = excluded.name_en,
             description_ar = excluded.description_ar, description_en = excluded.description_en",
        tenant.0,
        info.key,
        info.name_ar,
        info.name_en,
        info.description_ar,
        info.description_en,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes roles and overrides with it.
pub async fn delete_permission(tx: &mut Tx, key: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("delete from permissions where tenant_id = $1 and key = $2", tenant.0, key).execute(tx.conn()).await?;
    Ok(())
}
