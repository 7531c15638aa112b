//! The rows of roles. What they give is written by `access`, which guards it.

use sqlx::{Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::{
    access::{GroupRef, Permission, RoleRef, server::Tx},
    base::{
        errors::{AppError, FieldCode, FieldErrors},
        ids::{GroupId, RoleId},
        paging::Page,
        server::{
            cursor::{Cursor, Part},
            search::{Words, given},
        },
    },
    roles::{OwnPermission, Role, RoleOrder, RoleSort, RolesQuery},
};

/// A list's filter, understood.
#[derive(Debug, Default)]
pub struct Filter {
    words: Words,
    gives: Option<Permission>,
    order: Option<RoleOrder>,
    part: Part,
    /// Where the page goes on, if it is a later one.
    after: Option<Place>,
}

/// Where a role stands in a list: the number that the list is ordered by, then its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    rank: i64,
    name_key: String,
    id: Uuid,
}

impl Place {
    fn cursor(&self) -> Cursor {
        Cursor { key: format!("{} {}", self.rank, self.name_key), id: self.id }
    }

    fn of(cursor: &Cursor) -> Option<Self> {
        let (rank, name_key) = cursor.key.split_once(' ')?;
        Some(Place { rank: rank.parse().ok()?, name_key: name_key.to_owned(), id: cursor.id })
    }
}

impl Filter {
    pub fn parse(query: RolesQuery) -> Result<Self, AppError> {
        let mut errors = FieldErrors::default();
        let words = errors.take("q", Words::parse(query.q)).unwrap_or_default();
        let gives = given(query.gives).map(|key| Permission::parse(&key)).transpose();
        let gives = errors.take("gives", gives).flatten();
        let order = given(query.sort).map(|text| RoleOrder::parse(&text).ok_or(FieldCode::Unknown));
        let order = errors.take("sort", order.transpose()).flatten();
        let part = Part::parse(query.after, query.limit, &mut errors);
        let after = part.after.as_ref().map(|cursor| Place::of(cursor).ok_or(FieldCode::Malformed));
        let after = errors.take("after", after.transpose()).flatten();
        errors.check()?;
        Ok(Filter { words, gives, order, part, after })
    }
}

/// A page of the roles that can be seen.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Page<Role>, AppError> {
    let places = filter.part.page(places(tx, filter).await?, Place::cursor);
    let ids = places.items.iter().map(|place| place.id).collect::<Vec<_>>();
    let mut roles = read(tx, Some(&ids), true).await?;
    roles.sort_by_key(|role| ids.iter().position(|id| *id == role.id.0));
    Ok(Page { items: roles, next: places.next })
}

/// Where the roles stand that a page shows, and one more where there is one.
async fn places(tx: &mut Tx, filter: &Filter) -> Result<Vec<Place>, AppError> {
    let tenant = tx.tenant()?;
    let mut query = QueryBuilder::<Postgres>::new("select id, rank, name_key from (select r.id, r.name_key, (");
    match filter.order.map(|order| order.by) {
        // The platform's first.
        None => query.push("case when r.tenant_id is null then 0 else 1 end"),
        Some(RoleSort::Name) => query.push("0"),
        Some(RoleSort::Permissions) => query.push("select -count(*) from role_permissions rp where rp.role_id = r.id"),
        Some(RoleSort::People) => push_people(&mut query, tx)?,
    };
    query.push(")::bigint as rank from roles r where (r.tenant_id is null or r.tenant_id = ");
    query.push_bind(tenant.0).push(")");
    let gives = " exists (select from role_permissions rp join permissions p on p.id = rp.permission_id
                          where rp.role_id = r.id and p.key ";
    for pattern in filter.words.patterns() {
        query.push(" and (r.search like ").push_bind(pattern).push(" or").push(gives).push("like ");
        query.push_bind(pattern).push("))");
    }
    if let Some(wanted) = &filter.gives {
        query.push(" and").push(gives).push("= any(").push_bind(wanted.covering()).push("))");
    }
    query.push(") r");
    let reversed = filter.order.is_some_and(|order| order.reversed);
    if let Some(Place { rank, name_key, id }) = &filter.after {
        query.push(if reversed { " where (rank, name_key, id) < (" } else { " where (rank, name_key, id) > (" });
        query.push_bind(rank).push(", ").push_bind(name_key).push(", ").push_bind(id).push(")");
    }
    query.push(if reversed { " order by rank desc, name_key desc, id desc" } else { " order by rank, name_key, id" });
    query.push(" limit ").push_bind(filter.part.rows());
    let rows = query.build().persistent(filter.words.plan_is_kept()).fetch_all(tx.conn()).await?;
    let places = rows.iter().map(|row| {
        Ok(Place { rank: row.try_get("rank")?, name_key: row.try_get("name_key")?, id: row.try_get("id")? })
    });
    places.collect()
}

/// Minus the number of people who have a role, as it is shown.
fn push_people<'q>(query: &'q mut QueryBuilder<Postgres>, tx: &Tx) -> Result<&'q mut QueryBuilder<Postgres>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    if let Some(grants) = tx.countable() {
        let holders = grants.own_holders(now).into_iter().map(|(id, people)| (id.0, people));
        let (roles, people) = holders.unzip::<_, _, Vec<_>, Vec<_>>();
        query.push("-coalesce((select h.people from unnest(").push_bind(roles).push("::uuid[], ").push_bind(people);
        return Ok(query.push("::bigint[]) h (role, people) where h.role = r.id), 0)"));
    }
    query.push(
        "select -count(*) from user_roles ur join users u on u.id = ur.user_id
         where ur.role_id = r.id and u.status <> 'deleted' and u.tenant_id = ",
    );
    query.push_bind(tenant.0).push(" and (ur.expires_at is null or ur.expires_at > ").push_bind(now).push(")");
    // Nobody is counted from beyond the caller's scopes, as in the number that is shown.
    if let (Some(departments), Some(regions)) = tx.bounds() {
        query.push(" and exists (select from unnest(").push_bind(departments).push("::text[], ");
        query.push_bind(regions).push(
            "::text[]) s (department, region)
             where (s.department is null or s.department = u.department)
               and (s.region is null or s.region = u.region))",
        );
    }
    Ok(query)
}

/// All roles that can be seen, the platform's first, then by name.
pub async fn all(tx: &mut Tx) -> Result<Vec<Role>, AppError> {
    read(tx, None, true).await
}

/// The same for whatever changes one of them: nobody is counted, and their numbers of people are zero.
pub async fn all_uncounted(tx: &mut Tx) -> Result<Vec<Role>, AppError> {
    read(tx, None, false).await
}

pub async fn by_id(tx: &mut Tx, id: RoleId) -> Result<Option<Role>, AppError> {
    Ok(read(tx, Some(&[id.0]), true).await?.pop())
}

/// A role for whatever changes it: nobody is counted, and its number of people is zero.
pub async fn uncounted(tx: &mut Tx, id: RoleId) -> Result<Option<Role>, AppError> {
    Ok(read(tx, Some(&[id.0]), false).await?.pop())
}

async fn read(tx: &mut Tx, only: Option<&[Uuid]>, counts: bool) -> Result<Vec<Role>, AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let counted = if counts { tx.countable().map(|grants| grants.own_holders(now)) } else { Some(Default::default()) };
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
                  case when $6 then 0 else
                  (select count(*) from user_roles ur join users u on u.id = ur.user_id
                   where ur.role_id = r.id and u.tenant_id = $1 and u.status <> 'deleted'
                     and (ur.expires_at is null or ur.expires_at > $3)
                     and ($4::text[] is null or exists (
                         select from unnest($4::text[], $5::text[]) s (department, region)
                         where (s.department is null or s.department = u.department)
                           and (s.region is null or s.region = u.region)))) end as "people!"
           from roles r
           where (r.tenant_id = $1 or r.tenant_id is null) and ($2::uuid[] is null or r.id = any($2))
           order by r.tenant_id is not null, r.name_key, r.id"#,
        tenant.0,
        only as Option<&[Uuid]>,
        now,
        departments.as_deref() as Option<&[Option<String>]>,
        regions.as_deref() as Option<&[Option<String>]>,
        counted.is_some(),
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
        people: counted.as_ref().map_or(row.people, |counted| counted.get(&RoleId(row.id)).copied().unwrap_or(0)),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    });
    Ok(roles.collect())
}

fn role_refs(ids: Vec<Uuid>, names: Vec<String>) -> Vec<RoleRef> {
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
