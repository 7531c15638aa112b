//! The rows of texts, of what was published of them, and of what people said to that.

use uuid::Uuid;

use crate::{
    access::server::Tx,
    base::{
        errors::AppError,
        ids::{ConsentId, UserId},
        paging::Page,
        server::cursor::{Cursor, Part},
    },
    consents::{ConsentRecord, ConsentText, Giver, OwnConsent, PublishedConsent, Wording},
};

/// How many texts, versions or records are told at most where they come whole.
const MOST_ROWS: i64 = 1_000;

/// A page of the texts, by key.
pub async fn list(tx: &mut Tx, part: &Part) -> Result<Page<ConsentText>, AppError> {
    let rows = read(tx, None, Some(part)).await?;
    Ok(part.page(rows, |text| Cursor { key: text.key.clone(), id: text.id.0 }))
}

pub async fn by_id(tx: &mut Tx, id: ConsentId) -> Result<Option<ConsentText>, AppError> {
    Ok(read(tx, Some(id), None).await?.pop())
}

/// Texts by key, of all of them or the part that is asked for.
async fn read(tx: &mut Tx, id: Option<ConsentId>, part: Option<&Part>) -> Result<Vec<ConsentText>, AppError> {
    let (after, after_id) = part.map_or(("", Uuid::nil()), Part::place);
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        r#"select t.id, t.key, t.required, t.title_ar, t.title_en, t.body_ar, t.body_en, t.latest, t.retired_at,
                  t.version, t.created_at, t.updated_at,
                  not exists (
                      select from consent_versions v
                      where v.text_id = t.id and v.number = t.latest and v.title_ar = t.title_ar
                        and v.title_en = t.title_en and v.body_ar = t.body_ar and v.body_en = t.body_en)
                      as "has_changes!",
                  (select count(*) from consent_records r join users u on u.id = r.user_id
                   where r.text_id = t.id and r.number = t.latest and r.given and u.status <> 'deleted'
                     and not exists (
                         select from consent_records later
                         where later.text_id = r.text_id and later.user_id = r.user_id and later.id > r.id))
                      as "people!"
           from consent_texts t
           where t.tenant_id = $1 and ($2::uuid is null or t.id = $2) and (t.key, t.id) > ($3, $4)
           order by t.key, t.id limit $5"#,
        tenant.0,
        id.map(|id| id.0),
        after,
        after_id,
        part.map(Part::rows),
    )
    .fetch_all(tx.conn())
    .await?;
    let texts = rows.into_iter().map(|row| ConsentText {
        id: ConsentId(row.id),
        key: row.key,
        required: row.required,
        draft: Wording { title_ar: row.title_ar, title_en: row.title_en, body_ar: row.body_ar, body_en: row.body_en },
        latest: row.latest,
        has_changes: row.has_changes,
        people: row.people,
        retired_at: row.retired_at.map(Into::into),
        created_at: row.created_at.into(),
        updated_at: row.updated_at.into(),
        version: row.version,
    });
    Ok(texts.collect())
}

pub async fn count(tx: &mut Tx) -> Result<i64, AppError> {
    let tenant = tx.tenant()?;
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from consent_texts where tenant_id = $1 and retired_at is null"#,
        tenant.0,
    );
    Ok(count.fetch_one(tx.conn()).await?)
}

/// Holds a text against others who change it.
pub async fn lock(tx: &mut Tx, id: ConsentId) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("select id from consent_texts where id = $1 and tenant_id = $2 for update", id.0, tenant.0)
        .fetch_optional(tx.conn())
        .await?
        .ok_or(AppError::NotFound)?;
    Ok(())
}

/// Everything that was published of a text, the last first.
pub async fn versions(tx: &mut Tx, id: ConsentId) -> Result<Vec<PublishedConsent>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select number, title_ar, title_en, body_ar, body_en, published_by_name, published_at from consent_versions
         where text_id = $1 and tenant_id = $2 order by number desc limit $3",
        id.0,
        tenant.0,
        MOST_ROWS,
    )
    .fetch_all(tx.conn())
    .await?;
    let versions = rows.into_iter().map(|row| PublishedConsent {
        number: row.number,
        wording: Wording { title_ar: row.title_ar, title_en: row.title_en, body_ar: row.body_ar, body_en: row.body_en },
        published_by: row.published_by_name,
        published_at: row.published_at.into(),
    });
    Ok(versions.collect())
}

/// A page of those whose last word on a text is that they give this version of it, by name; inside the caller's scope.
pub async fn givers(tx: &mut Tx, id: ConsentId, number: i32, part: &Part) -> Result<Page<Giver>, AppError> {
    let (after, after_id) = part.place();
    let tenant = tx.tenant()?;
    let (departments, regions) = tx.bounds();
    let rows = sqlx::query!(
        r#"select u.id, u.name, u.name_key as "name_key!", u.email, r.created_at
           from consent_records r join users u on u.id = r.user_id
           where r.tenant_id = $1 and r.text_id = $2 and r.number = $3 and r.given and u.status <> 'deleted'
             and not exists (
                 select from consent_records later
                 where later.text_id = r.text_id and later.user_id = r.user_id and later.id > r.id)
             and ($4::text[] is null or exists (
                 select from unnest($4::text[], $5::text[]) s (department, region)
                 where (s.department is null or s.department = u.department)
                   and (s.region is null or s.region = u.region)))
             and (u.name_key, u.id) > ($6, $7)
           order by u.name_key, u.id limit $8"#,
        tenant.0,
        id.0,
        number,
        departments.as_deref() as Option<&[Option<String>]>,
        regions.as_deref() as Option<&[Option<String>]>,
        after,
        after_id,
        part.rows(),
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| {
        let giver = Giver { user: UserId(row.id), name: row.name, email: row.email, given_at: row.created_at.into() };
        (row.name_key, giver)
    });
    let page = part.page(rows.collect(), |(key, giver)| Cursor { key: key.clone(), id: giver.user.0 });
    Ok(page.map(|(_, giver)| giver))
}

pub async fn insert(tx: &mut Tx, id: ConsentId, key: &str, required: bool, draft: &Wording) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "insert into consent_texts (id, tenant_id, key, required, title_ar, title_en, body_ar, body_en, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.0,
        tenant.0,
        key,
        required,
        draft.title_ar,
        draft.title_en,
        draft.body_ar,
        draft.body_en,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, id: ConsentId, required: bool, draft: &Wording) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "update consent_texts set required = $3, title_ar = $4, title_en = $5, body_ar = $6, body_en = $7,
             version = version + 1
         where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        required,
        draft.title_ar,
        draft.title_en,
        draft.body_ar,
        draft.body_en,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps a wording as the version with this number, and makes it the last one.
pub async fn publish(tx: &mut Tx, id: ConsentId, number: i32, wording: &Wording) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let person = tx.cx().person()?;
    let (user, name) = (person.user, person.name.clone());
    sqlx::query!(
        "insert into consent_versions
             (tenant_id, text_id, number, title_ar, title_en, body_ar, body_en, published_by, published_by_name,
              published_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tenant.0,
        id.0,
        number,
        wording.title_ar,
        wording.title_en,
        wording.body_ar,
        wording.body_en,
        user.0,
        name,
        now,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update consent_texts set latest = $3, version = version + 1 where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        number,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn retire(tx: &mut Tx, id: ConsentId) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    sqlx::query!(
        "update consent_texts set retired_at = $3, version = version + 1 where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The published texts as they stand for somebody: what is required first; of the retired ones those that they said
/// something to.
pub async fn of_person(tx: &mut Tx, user: UserId) -> Result<Vec<OwnConsent>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        r#"select t.id, t.key, t.required, t.retired_at is not null as "is_retired!", t.latest, v.title_ar, v.title_en,
                  v.body_ar, v.body_en
           from consent_texts t join consent_versions v on v.text_id = t.id and v.number = t.latest
           where t.tenant_id = $1 and (t.retired_at is null or exists (
               select from consent_records r where r.text_id = t.id and r.user_id = $2))
           order by t.retired_at is not null, t.required desc, t.key limit $3"#,
        tenant.0,
        user.0,
        MOST_ROWS,
    )
    .fetch_all(tx.conn())
    .await?;
    let records = sqlx::query!(
        "select text_id, number, given, host(ip) as ip, created_at from consent_records
         where user_id = $1 and tenant_id = $2 order by id desc limit $3",
        user.0,
        tenant.0,
        MOST_ROWS,
    )
    .fetch_all(tx.conn())
    .await?;
    let texts = rows.into_iter().map(|row| {
        let own = records.iter().filter(|record| record.text_id == row.id).map(|record| ConsentRecord {
            number: record.number,
            given: record.given,
            ip: record.ip.clone(),
            at: record.created_at.into(),
        });
        OwnConsent {
            id: ConsentId(row.id),
            key: row.key,
            required: row.required,
            is_retired: row.is_retired,
            latest: row.latest,
            wording: Wording {
                title_ar: row.title_ar,
                title_en: row.title_en,
                body_ar: row.body_ar,
                body_en: row.body_en,
            },
            records: own.collect(),
        }
    });
    Ok(texts.collect())
}

/// Writes what somebody said to a version.
pub async fn record(tx: &mut Tx, user: UserId, id: ConsentId, number: i32, given: bool) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let ip = tx.cx().origin().ip;
    sqlx::query!(
        "insert into consent_records (tenant_id, user_id, text_id, number, given, ip, created_at)
         values ($1, $2, $3, $4, $5, $6::text::inet, $7)",
        tenant.0,
        user.0,
        id.0,
        number,
        given,
        ip.map(|ip| ip.to_string()),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
