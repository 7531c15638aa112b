//! The chain over the log: rows get their place in it, its head is signed, and what is kept no longer is removed.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::{
    access::server::{
        Cx, Quiet, Tx,
        record::{Action, Event, written},
    },
    audit::{Checkpoint, RetentionRule},
    base::{
        errors::AppError,
        ids::TenantId,
        server::{
            crypto::{SealedAfter, SealedValue, SigningKey, is_signed, sha256},
            settings,
        },
    },
};

/// The chain of what belongs to no tenant.
pub const NOBODYS: Uuid = Uuid::nil();

/// How many rows one transaction seals or removes.
const BATCH: i64 = 1_000;

/// Who seals: one node at a time.
const LOCK: &str = "bawwab.audit.seal";

/// What one link is computed from.
pub fn link(chain: Uuid, seq: i64, previous: &[u8], entry: &[u8]) -> Vec<u8> {
    let text = format!(
        "bawwab.audit.chain.v1\nchain={chain}\nseq={seq}\nprevious={}\nentry={}\n",
        hex::encode(previous),
        hex::encode(entry),
    );
    sha256(text.as_bytes())
}

/// What stands before the first link.
pub const BEGINNING: [u8; 32] = [0; 32];

/// Gives every waiting row its place. Gives back how many there were.
pub async fn seal(cx: &Cx) -> Result<u64, AppError> {
    let mut all = 0;
    loop {
        let sealed = seal_some(cx).await?;
        all += sealed;
        if sealed < u64::try_from(BATCH).unwrap_or(u64::MAX) {
            return Ok(all);
        }
    }
}

/// Whether no other node seals or removes, as long as the transaction lasts.
async fn is_alone(tx: &mut Tx) -> Result<bool, AppError> {
    let alone =
        sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtext($1)) as "alone!""#, LOCK).fetch_one(tx.conn());
    Ok(alone.await?)
}

async fn seal_some(cx: &Cx) -> Result<u64, AppError> {
    let mut tx = cx.node().await?;
    if !is_alone(&mut tx).await? {
        return Ok(0);
    }
    // In the order of their ids, which is that of time: those of one batch, whichever transaction was first to commit.
    let waiting = sqlx::query!(
        r#"select u.log_id, u.chain, l.canonical as "canonical?"
           from (select log_id, chain from audit_unsealed order by log_id limit $1) u
           left join audit_logs l on l.id = u.log_id order by u.chain, u.log_id"#,
        BATCH,
    )
    .fetch_all(tx.conn())
    .await?;
    if waiting.is_empty() {
        // Ended here and not some time after it is dropped: whoever asks next finds the lock free.
        tx.commit_quietly(Quiet::Job).await?;
        return Ok(0);
    }
    let key = signing_key(&mut tx).await?;
    let mut heads: Vec<(Uuid, i64, Vec<u8>)> = Vec::new();
    let (mut chains, mut seqs, mut ids, mut entries, mut hashes) = (vec![], vec![], vec![], vec![], vec![]);
    for row in &waiting {
        if heads.last().is_none_or(|(chain, _, _)| *chain != row.chain) {
            let (seq, hash) = head(&mut tx, row.chain).await?;
            heads.push((row.chain, seq, hash));
        }
        let Some((_, seq, hash)) = heads.last_mut() else { continue };
        // A row that was removed before it was sealed leaves its place, which verification then names.
        let entry = sha256(row.canonical.as_deref().unwrap_or_default().as_bytes());
        *seq += 1;
        *hash = link(row.chain, *seq, hash, &entry);
        chains.push(row.chain);
        seqs.push(*seq);
        ids.push(row.log_id);
        entries.push(entry);
        hashes.push(hash.clone());
    }
    sqlx::query!(
        "insert into audit_chain (chain, seq, log_id, entry, hash)
         select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[])",
        &chains,
        &seqs,
        &ids,
        &entries,
        &hashes,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("delete from audit_unsealed where log_id = any($1)", &ids).execute(tx.conn()).await?;
    for (chain, seq, hash) in heads {
        keep_checkpoint(&mut tx, &key, chain, seq, &hash).await?;
    }
    tx.commit_quietly(Quiet::Job).await?;
    Ok(u64::try_from(waiting.len()).unwrap_or(u64::MAX))
}

/// The last link of a chain.
pub async fn head(tx: &mut Tx, chain: Uuid) -> Result<(i64, Vec<u8>), AppError> {
    let row = sqlx::query!("select seq, hash from audit_chain where chain = $1 order by seq desc limit 1", chain)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map_or((0, BEGINNING.to_vec()), |row| (row.seq, row.hash)))
}

/// What a signature of a checkpoint is over.
fn checkpoint_text(chain: Uuid, seq: i64, hash: &str, signed_at: DateTime<Utc>) -> String {
    let signed_at = written(signed_at);
    format!("bawwab.audit.checkpoint.v1\nchain={chain}\nseq={seq}\nhash={hash}\nsigned_at={signed_at}\n")
}

/// Whether whoever holds the private half of the key that is named in it has signed it.
pub fn is_genuine(checkpoint: &Checkpoint) -> bool {
    let Checkpoint { format, chain, seq, hash, signed_at, public_key, signature } = checkpoint;
    let text = checkpoint_text(*chain, *seq, hash, (*signed_at).into());
    match (hex::decode(public_key), hex::decode(signature)) {
        (Ok(key), Ok(signature)) => format == Checkpoint::FORMAT && is_signed(&key, text.as_bytes(), &signature),
        _ => false,
    }
}

async fn keep_checkpoint(tx: &mut Tx, key: &SigningKey, chain: Uuid, seq: i64, hash: &[u8]) -> Result<(), AppError> {
    let now = tx.now();
    let signature = key.sign(checkpoint_text(chain, seq, &hex::encode(hash), now).as_bytes());
    sqlx::query!(
        "insert into audit_checkpoints (chain, day, seq, hash, signed_at, public_key, signature)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (chain, day) do update set seq = excluded.seq, hash = excluded.hash,
             signed_at = excluded.signed_at, public_key = excluded.public_key, signature = excluded.signature",
        chain,
        now.date_naive(),
        seq,
        hash,
        now,
        key.public(),
        signature,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the signing key is bound to.
const PLACE: &str = "audit_keys:sealed:1";

/// The sealed signing key, if there is one. In the scope `node`.
pub async fn sealed(tx: &mut Tx, after: SealedAfter) -> Result<Vec<SealedValue>, AppError> {
    let rows = sqlx::query_scalar!(
        "select sealed from audit_keys where $1 and ($2::bytea is null or substring(sealed from 2 for 4) <> $2)",
        after.id.is_nil(),
        after.unless.as_ref().map(|id| &id[..]),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|value| SealedValue { id: Uuid::max(), place: PLACE.to_owned(), value }).collect())
}

/// Keeps the signing key as it was sealed anew.
pub async fn put_sealed(tx: &mut Tx, old: &SealedValue, new: &[u8]) -> Result<(), AppError> {
    sqlx::query!("update audit_keys set sealed = $2 where sealed = $1", old.value, new).execute(tx.conn()).await?;
    Ok(())
}

/// The installation's signing key; the first who needs it makes it.
async fn signing_key(tx: &mut Tx) -> Result<SigningKey, AppError> {
    let keys = tx.cx().keys().clone();
    let kept = sqlx::query_scalar!("select sealed from audit_keys").fetch_optional(tx.conn()).await?;
    if let Some(sealed) = kept {
        return Ok(SigningKey::read(&keys.open(PLACE, &sealed)?)?);
    }
    let (key, kept) = SigningKey::make()?;
    let now = tx.now();
    // Sealing is done by one node at a time, so nobody else makes one.
    sqlx::query!(
        "insert into audit_keys (id, sealed, public_key, created_at) values (1, $1, $2, $3)",
        keys.seal(PLACE, &kept),
        key.public(),
        now,
    )
    .execute(tx.conn())
    .await?;
    Ok(key)
}

/// The newest signed head of a chain, if it has one.
pub async fn checkpoint(tx: &mut Tx, chain: Uuid) -> Result<Option<Checkpoint>, AppError> {
    let row = sqlx::query!(
        "select seq, hash, signed_at, public_key, signature from audit_checkpoints
         where chain = $1 order by day desc limit 1",
        chain,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Checkpoint {
        format: Checkpoint::FORMAT.to_owned(),
        chain,
        seq: row.seq,
        hash: hex::encode(row.hash),
        signed_at: row.signed_at.into(),
        public_key: hex::encode(row.public_key),
        signature: hex::encode(row.signature),
    }))
}

/// Whose a chain is; nobody's for what belongs to no tenant.
pub fn owner(chain: Uuid) -> Option<TenantId> {
    (chain != NOBODYS).then_some(TenantId(chain))
}

/// Every chain there is, with whose rule holds for it: what belongs to no tenant follows the first tenant's.
pub async fn chains(tx: &mut Tx) -> Result<Vec<(Uuid, TenantId)>, AppError> {
    let tenants = sqlx::query_scalar!("select id from tenants order by created_at, id").fetch_all(tx.conn()).await?;
    let own = tenants.iter().map(|tenant| (*tenant, TenantId(*tenant)));
    let nobodys = tenants.first().map(|tenant| (NOBODYS, TenantId(*tenant)));
    Ok(own.chain(nobodys).collect())
}

/// Removes what each tenant keeps no longer, in small transactions, each with its own row that tells of it.
pub async fn prune(cx: &Cx) -> Result<u64, AppError> {
    let mut tx = cx.node().await?;
    let chains = chains(&mut tx).await?;
    tx.commit_quietly(Quiet::Job).await?;
    let mut all = 0;
    for (chain, ruler) in chains {
        while let Some(removed) = prune_some(cx, chain, ruler).await? {
            all += removed;
        }
    }
    Ok(all)
}

/// One batch; nothing where nothing is left to remove.
async fn prune_some(cx: &Cx, chain: Uuid, ruler: TenantId) -> Result<Option<u64>, AppError> {
    let mut tx = cx.node().await?;
    let Some((removed, event)) = prune_batch(&mut tx, chain, ruler).await? else {
        // Ended here and not some time after it is dropped: whoever asks next finds the lock free.
        tx.commit_quietly(Quiet::Job).await?;
        return Ok(None);
    };
    tx.commit(event).await?;
    Ok(Some(removed))
}

async fn prune_batch(tx: &mut Tx, chain: Uuid, ruler: TenantId) -> Result<Option<(u64, Event)>, AppError> {
    let rule = settings::get::<RetentionRule>(tx.conn(), ruler).await?;
    let Some(days) = rule.keep_days.filter(|_days| !rule.legal_hold) else { return Ok(None) };
    if !is_alone(tx).await? {
        return Ok(None);
    }
    let tenant = (chain != NOBODYS).then_some(TenantId(chain));
    let newest = match tenant {
        Some(tenant) => sqlx::query_scalar!("select max(created_at) from audit_logs where tenant_id = $1", tenant.0),
        None => sqlx::query_scalar!("select max(created_at) from audit_logs where tenant_id is null"),
    };
    let Some(newest) = newest.fetch_one(tx.conn()).await? else { return Ok(None) };
    let cutoff = (tx.now() - TimeDelta::days(days.into())).min(newest - TimeDelta::days(30));
    let done = match tenant {
        Some(tenant) => sqlx::query_scalar!(
            "select max((new_value ->> 'last')::bigint) from audit_logs
             where tenant_id = $1 and action = 'audit.retention'",
            tenant.0,
        ),
        None => sqlx::query_scalar!(
            "select max((new_value ->> 'last')::bigint) from audit_logs
             where tenant_id is null and action = 'audit.retention'",
        ),
    };
    let done = done.fetch_one(tx.conn()).await?.unwrap_or(0);
    let rows = sqlx::query!(
        r#"select c.seq, c.hash, l.created_at as "created_at?", l.action = 'audit.retention' as "stays?"
           from audit_chain c left join audit_logs l on l.id = c.log_id
           where c.chain = $1 and c.seq > $2 order by c.seq limit $3"#,
        chain,
        done,
        BATCH,
    )
    .fetch_all(tx.conn())
    .await?;
    // Up to the first that is kept; a row that is missing already is not excused by this.
    let old = |created: Option<DateTime<Utc>>| created.is_some_and(|created| created < cutoff);
    let old = rows.iter().take_while(|row| row.stays == Some(true) || old(row.created_at)).collect::<Vec<_>>();
    if old.iter().all(|row| row.stays == Some(true)) {
        return Ok(None);
    }
    let (Some(first), Some(last)) = (old.first(), old.last()) else { return Ok(None) };
    let (first, last, hash) = (first.seq, last.seq, last.hash.clone());
    let removed = sqlx::query_scalar!(
        r#"select audit_prune($1, $2, $3, $4, $5) as "removed!""#,
        chain,
        ruler.0,
        first,
        last,
        cutoff,
    )
    .fetch_one(tx.conn())
    .await?;
    if let Some(tenant) = tenant {
        tx.enter(tenant).await?;
    }
    let told = json!({
        "chain": chain, "first": first, "last": last, "rows": removed, "hash": hex::encode(hash), "keep_days": days,
    });
    let removed = u64::try_from(removed).unwrap_or_default();
    Ok(Some((removed, Event::done(Action::AuditRetention).new_value(told))))
}
