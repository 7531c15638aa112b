//! The rows of policies and of their versions.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::{PolicyLanguage, PolicyMode, server::Tx},
    base::{
        errors::AppError,
        ids::PolicyId,
        paging::Page,
        server::{
            cursor::{Cursor, Part},
            search::Words,
        },
    },
    policies::{Document, Policy, Saved},
};

/// A page of the policies in which all words are found, by name.
pub async fn list(tx: &mut Tx, words: &Words, part: &Part) -> Result<Page<Policy>, AppError> {
    let rows = read(tx, None, words, Some(part)).await?;
    let page = part.page(rows, |(key, policy)| Cursor { key: key.clone(), id: policy.id.0 });
    Ok(page.map(|(_, policy)| policy))
}

pub async fn by_id(tx: &mut Tx, id: PolicyId) -> Result<Option<Policy>, AppError> {
    let row = read(tx, Some(id), &Words::default(), None).await?.pop();
    Ok(row.map(|(_, policy)| policy))
}

/// Policies by name, each after what it is sorted by; of all that fit, or the part that is asked for.
async fn read(
    tx: &mut Tx,
    id: Option<PolicyId>,
    words: &Words,
    part: Option<&Part>,
) -> Result<Vec<(String, Policy)>, AppError> {
    let (after, after_id) = part.map_or(("", Uuid::nil()), Part::place);
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select p.id, p.name, p.name_key, p.description, p.latest, p.active, p.version, p.created_at, p.updated_at,
                v.mode, v.actions, v.rules, v.language, v.module, v.tests
         from access_policies p join access_policy_versions v on v.policy_id = p.id and v.number = p.latest
         where p.tenant_id = $1 and ($2::uuid is null or p.id = $2) and p.search like all ($3)
           and p.search like $4 and (p.name_key, p.id) > ($5, $6)
         order by p.name_key, p.id limit $7",
        tenant.0,
        id.map(|id| id.0),
        words.patterns(),
        words.first(),
        after,
        after_id,
        part.map(Part::rows),
    )
    .fetch_all(tx.conn())
    .await?;
    let policies = rows.into_iter().map(|row| {
        let policy = Policy {
            id: PolicyId(row.id),
            name: row.name,
            description: row.description,
            document: document(&row.mode, row.actions, row.rules, [row.language, row.module, row.tests])?,
            latest: row.latest,
            active: row.active,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            version: row.version,
        };
        Ok((row.name_key, policy))
    });
    policies.collect()
}

fn document(
    mode: &str,
    actions: Vec<String>,
    rules: Value,
    [language, module, tests]: [String; 3],
) -> Result<Document, AppError> {
    let language = PolicyLanguage::parse(&language);
    let language = language.ok_or_else(|| anyhow::anyhow!("a stored policy is written in nothing that is known"))?;
    let mode = PolicyMode::parse(mode).ok_or_else(|| anyhow::anyhow!("a stored policy has the mode {mode:?}"))?;
    Ok(Document { mode, actions, rules, language, module, tests })
}

pub async fn count(tx: &mut Tx) -> Result<i64, AppError> {
    let tenant = tx.tenant()?;
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from access_policies where tenant_id = $1"#, tenant.0,)
            .fetch_one(tx.conn())
            .await?;
    Ok(count)
}

/// Everything that was saved of a policy, the last first.
pub async fn versions(tx: &mut Tx, id: PolicyId) -> Result<Vec<Saved>, AppError> {
    let tenant = tx.tenant()?;
    let rows = sqlx::query!(
        "select number, mode, actions, rules, language, module, tests, saved_by_name, saved_at
         from access_policy_versions
         where policy_id = $1 and tenant_id = $2 order by number desc limit 200",
        id.0,
        tenant.0,
    )
    .fetch_all(tx.conn())
    .await?;
    let versions = rows.into_iter().map(|row| {
        Ok(Saved {
            number: row.number,
            document: document(&row.mode, row.actions, row.rules, [row.language, row.module, row.tests])?,
            saved_by: row.saved_by_name,
            saved_at: row.saved_at.into(),
        })
    });
    versions.collect()
}

pub async fn version(tx: &mut Tx, id: PolicyId, number: i32) -> Result<Option<Document>, AppError> {
    let tenant = tx.tenant()?;
    let row = sqlx::query!(
        "select mode, actions, rules, language, module, tests from access_policy_versions
         where policy_id = $1 and tenant_id = $2 and number = $3",
        id.0,
        tenant.0,
        number,
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|row| document(&row.mode, row.actions, row.rules, [row.language, row.module, row.tests])).transpose()
}

pub async fn insert(tx: &mut Tx, id: PolicyId, name: &str, description: &str) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "insert into access_policies (id, tenant_id, name, description) values ($1, $2, $3, $4)",
        id.0,
        tenant.0,
        name,
        description,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Saves a document as the version with this number.
pub async fn insert_version(tx: &mut Tx, id: PolicyId, number: i32, document: &Document) -> Result<(), AppError> {
    let (tenant, now) = (tx.tenant()?, tx.now());
    let person = tx.cx().person()?;
    let (user, name) = (person.user, person.name.clone());
    sqlx::query!(
        "insert into access_policy_versions
             (tenant_id, policy_id, number, mode, actions, rules, saved_by, saved_by_name, saved_at, language, module,
              tests)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant.0,
        id.0,
        number,
        document.mode.as_str(),
        &document.actions,
        document.rules,
        user.0,
        name,
        now,
        document.language.as_str(),
        document.module,
        document.tests,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn update(tx: &mut Tx, id: PolicyId, name: &str, description: &str, latest: i32) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "update access_policies set name = $3, description = $4, latest = $5, version = version + 1
         where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        name,
        description,
        latest,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Which version is enforced.
pub async fn set_active(tx: &mut Tx, id: PolicyId, active: Option<i32>) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!(
        "update access_policies set active = $3, version = version + 1 where id = $1 and tenant_id = $2",
        id.0,
        tenant.0,
        active,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn delete(tx: &mut Tx, id: PolicyId) -> Result<(), AppError> {
    let tenant = tx.tenant()?;
    sqlx::query!("delete from access_policies where id = $1 and tenant_id = $2", id.0, tenant.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
