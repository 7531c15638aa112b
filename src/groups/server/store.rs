//! The rows of groups. What they give, and who is in them, is written by `access`, which guards it.

use uuid::Uuid;

use crate::{
    access::{GroupRef, HeldRole, RoleRef, Scope, server::Tx},
    base::{
        errors::AppError,
        ids::{GroupId, RoleId},
        paging::Page,
        server::{
            cursor::{Cursor, Part},
            search::Words,
        },
    },
    groups::Group,
};

/// A page of the groups in which all words are found, by name.
pub async fn list(tx: &mut Tx, words: &Words, part: &Part) -> Result<Page<Group>, AppError> {
    let rows = read(tx, None, words, Some(part), true).await?;
    let page = part.page(rows, |(key, group)| Cursor { key: key.clone(), id: group.id.0 });
    Ok(page.map(|(_, group)| group))
}

/// All groups, by name.
pub async fn all(tx: &mut Tx) -> Result<Vec<Group>, AppError> {
    let rows = read(tx, None, &Words::default(), None, true).await?;
    Ok(rows.into_iter().map(|(_, group)| group).collect())
}

pub async fn by_id(tx: &mut Tx, id: GroupId) -> Result<Option<Group>, AppError> {
    let row = read(tx, Some(id), &Words::default(), None, true).await?.pop();
    Ok(row.map(|(_, group)| group))
}

/// A group for whatever changes it or who is in it: nobody is counted, and its number of people is zero.
pub async fn uncounted(tx: &mut Tx, id: GroupId) -> Result<Option<Group>, AppError> {
    let row = read(tx, Some(id), &Words::default(), None, false).await?.pop();
    Ok(row.map(|(_, group)| group))
}

/// Groups by name, each after what it is sorted by; of all that fit, or the part that is asked for.
async fn read(
    tx: &mut Tx,
    id: Option<GroupId>,
    words: &Words,
    part: Option<&Part>,
    counts: bool,
) -> Result<Vec<(String, Group)>, AppError> {
    let (after, after_id) = part.map_or(("", Uuid::nil()), Part::place);
    let (tenant, now) = (tx.tenant()?, tx.now());
    let counted = if counts { tx.countable().map(|grants| grants.own_members(now)) } else { Some(Default::default()) };
    // Nobody is counted from beyond the caller's scopes.
    let (departments, regions) = tx.bounds();
    let rows = sqlx::query!(
        r#"select g.id, g.name, g.name_key, g.description, g.created_at, g.updated_at, g.version,
                  coalesce((select array_agg(o.id order by o.name_key) from group_parents x
                            join groups o on o.id = x.parent_id where x.group_id = g.id), '{}') as "parents!",
                  coalesce((select array_agg(o.name order by o.name_key) from group_parents x
                            join groups o on o.id = x.parent_id where x.group_id = g.id), '{}') as "parent_names!",
                  coalesce((select array_agg(o.id order by o.name_key) from group_parents x
                            join groups o on o.id = x.group_id where x.parent_id = g.id), '{}') as "children!",
                  coalesce((select array_agg(o.name order by o.name_key) from group_parents x
                            join groups o on o.id = x.group_id where x.parent_id = g.id), '{}') as "child_names!",
                  case when $11 then 0 else
                  (select count(*) from group_members m join users u on u.id = m.user_id
                   where m.group_id = g.id and u.status <> 'deleted'
                     and (m.expires_at is null or m.expires_at > $3)
                     and ($5::text[] is null or exists (
                         select from unnest($5::text[], $6::text[]) s (department, region)
                         where (s.department is null or s.department = u.department)
                           and (s.region is null or s.region = u.region)))) end as "people!"
           from groups g
           where g.tenant_id = $1 and ($2::uuid is null or g.id = $2) and g.search like all ($4)
             and g.search like $7 and (g.name_key, g.id) > ($8, $9)
           order by g.name_key, g.id limit $10"#,
        tenant.0,
        id.map(|id| id.0),
        now,
        words.patterns(),
        departments.as_deref() as Option<&[Option<String>]>,
        regions.as_deref() as Option<&[Option<String>]>,
        words.first(),
        after,
        after_id,
        part.map(Part::rows),
        counted.is_some(),
    )
    .fetch_all(tx.conn())
    .await?;
    let refs = |ids: Vec<Uuid>, names: Vec<String>| {
        ids.into_iter().zip(names).map(|(id, name)| GroupRef { id: GroupId(id), name }).collect()
    };
    let groups = rows.into_iter().map(|row| {
        let group = Group {
            id: GroupId(row.id),
            name: row.name,
            description: row.description,
            parents: refs(row.parents, row.parent_names),
            children: refs(row.children, row.child_names),
            roles: Vec::new(),
            people: counted.as_ref().map_or(row.people, |counted| counted.get(&GroupId(row.id)).copied().unwrap_or(0)),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        };
        (row.name_key, group)
    });
    let mut groups = groups.collect::<Vec<_>>();
    let ids = groups.iter().map(|(_, group)| group.id.0).collect::<Vec<_>>();
    let roles = sqlx::query!(
        "select x.group_id, r.id, r.name, x.scope_department, x.scope_region, x.expires_at
         from group_roles x join roles r on r.id = x.role_id
         where x.group_id = any($1) and (x.expires_at is null or x.expires_at > $2)
         order by r.name_key, r.id",
        &ids,
        now,
    )
    .fetch_all(tx.conn())
    .await?;
    for row in roles {
        if let Some((_, group)) = groups.iter_mut().find(|(_, group)| group.id.0 == row.group_id) {
            group.roles.push(HeldRole {
                role: RoleRef { id: RoleId(row.id), name: row.name },
                scope: Scope { department: row.scope_department, region: row.scope_region },
                expires_at: row.expires_at.map(Into::into),
            });
        }
    }
    Ok(groups)
}

pub async fn insert(tx: &mut Tx, id: GroupId, name: &str, description: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "insert into groups (id, tenant_id, name, description) values ($1, $2, $3, $4)",
        id.0,
        tenant.0,
        name,
        description,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, id: GroupId, name: &str, description: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "update groups set name = $3, description = $4, version = version + 1 where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        name,
        description,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: GroupId) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("delete from groups where id = $1 and tenant_id = $2", id.0, tenant.0).execute(tx.conn()).await?;
    Ok(())
}
