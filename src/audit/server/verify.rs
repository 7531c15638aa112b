//! Holding the log against its chain: every row, every link, every signature, and what is not sealed yet.

use std::{collections::BTreeMap, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{Row as _, postgres::PgRow};
use uuid::Uuid;

use super::seal::{self, BEGINNING, NOBODYS, is_genuine};
use crate::{
    access::{
        AUDIT_EXPORT, AUDIT_READ,
        server::{
            Cx, Quiet, Tx,
            record::{Action, Event, MAC_PURPOSE, VEILED, veil, written},
        },
    },
    audit::{BadRow, Checkpoint, Fault, Report, Verification},
    base::{
        errors::AppError,
        server::{
            crypto::{MacKey, is_same, sha256},
            jobs,
        },
    },
};

/// How many rows one transaction reads.
const BATCH: i64 = 2_000;

const COLUMNS: &str = "l.id, l.tenant_id, l.user_id, l.user_name, l.impersonator_id, l.impersonator_name, l.action,
    l.outcome, l.resource_type, l.resource_id, l.resource_name, l.old_value, l.new_value, l.meta, host(l.ip) as ip,
    l.user_agent, l.request_id, l.created_at, l.canonical, l.salts, l.mac";

/// What is wrong with one row, or how many of its parts were erased.
type Judged = Result<i64, Fault>;

/// One row held against its own canonical text and the program's code.
struct Row {
    id: Uuid,
    version: u8,
    mac: Vec<u8>,
    canonical: String,
    columns: BTreeMap<&'static str, String>,
    salts: Value,
    retention: Option<(i64, i64)>,
}

impl Row {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let mut columns = BTreeMap::new();
        let id = |name: &str| -> Result<String, sqlx::Error> {
            Ok(row.try_get::<Option<Uuid>, _>(name)?.map(|id| id.to_string()).unwrap_or_default())
        };
        let text = |name: &str| -> Result<String, sqlx::Error> {
            Ok(row.try_get::<Option<String>, _>(name)?.unwrap_or_default())
        };
        let json = |name: &str| -> Result<String, sqlx::Error> {
            Ok(row.try_get::<Option<Value>, _>(name)?.map(|value| value.to_string()).unwrap_or_default())
        };
        columns.insert("id", id("id")?);
        columns.insert("tenant", id("tenant_id")?);
        for name in ["user_id", "impersonator_id", "request_id"] {
            columns.insert(name, id(name)?);
        }
        for name in [
            "user_name",
            "impersonator_name",
            "action",
            "outcome",
            "resource_type",
            "resource_id",
            "resource_name",
            "user_agent",
        ] {
            columns.insert(name, text(name)?);
        }
        for name in ["old_value", "new_value", "meta"] {
            columns.insert(name, json(name)?);
        }
        let ip = text("ip")?;
        columns.insert("ip", ip.parse::<IpAddr>().map(|ip| ip.to_string()).unwrap_or(ip));
        columns.insert("created_at", written(row.try_get::<DateTime<Utc>, _>("created_at")?));
        let canonical: String = row.try_get("canonical")?;
        let told = row.try_get::<Option<Value>, _>("new_value")?.unwrap_or_default();
        let is_retention = columns["action"] == "audit.retention";
        let range = || Some((told["first"].as_i64()?, told["last"].as_i64()?));
        Ok(Row {
            id: row.try_get("id")?,
            version: if canonical.starts_with("bawwab.audit.v1\n") { 1 } else { 2 },
            mac: row.try_get("mac")?,
            columns,
            salts: row.try_get("salts")?,
            retention: if is_retention { range() } else { None },
            canonical,
        })
    }

    /// Whether it is what the program wrote. Rows of version 1 had no code: whether one may stand here the caller knows.
    fn judge(&self, chain: Uuid, key: &MacKey) -> Judged {
        if self.version > 1 && !key.made(self.canonical.as_bytes(), &self.mac) {
            // Text and code go together: either was altered, or somebody else has written the row.
            return Err(Fault::NotOurs);
        }
        let own = if chain == NOBODYS { String::new() } else { chain.to_string() };
        if self.columns["tenant"] != own {
            return Err(Fault::Changed);
        }
        let mut erased = 0;
        for line in self.canonical.lines().skip(1) {
            let Some((name, expected)) = line.split_once('=') else { return Err(Fault::Changed) };
            let Some(value) = self.columns.get(name) else { return Err(Fault::Changed) };
            if !VEILED.contains(&name) {
                if value != expected {
                    return Err(Fault::Changed);
                }
                continue;
            }
            match self.salts.get(name).and_then(Value::as_str).map(|salt| STANDARD_NO_PAD.decode(salt)) {
                Some(Ok(salt)) if veil(&salt, name, value) == expected => {}
                // Erased: the value has gone, and the salt with it, so that nobody can try values against the digest.
                None if value.is_empty() || (name == "meta" && value == "{}") => erased += 1,
                _ => return Err(Fault::Changed),
            }
        }
        Ok(erased)
    }
}

/// What one look at a chain starts from.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// Kept elsewhere, so nobody who reaches the database could alter it.
    pub checkpoint: Option<Checkpoint>,
}

/// Looks at the whole of one chain, in small transactions. It stops at the first thing that is wrong.
pub async fn verify(cx: &Cx, chain: Uuid, against: &Against) -> Result<Report, AppError> {
    let key = cx.keys().mac(MAC_PURPOSE);
    let mut report = Report::default();
    if let Some(fault) = against.checkpoint.as_ref().and_then(|kept| wrong_checkpoint(kept, chain)) {
        report.first_bad = Some(BadRow { seq: None, id: None, fault });
        return Ok(report);
    }
    let mut tx = cx.node().await?;
    let own = seal::checkpoint(&mut tx, chain).await?;
    tx.commit_quietly(Quiet::Job).await?;
    let removed = removed_ranges(cx, chain, &key).await?;
    let (mut seq, mut hash, mut newest_version) = (0, BEGINNING.to_vec(), 1);
    loop {
        let mut tx = cx.node().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "select c.seq, c.log_id, c.entry, c.hash, {COLUMNS} from audit_chain c
             left join audit_logs l on l.id = c.log_id where c.chain = $1 and c.seq > $2 order by c.seq limit $3"
        )))
        .bind(chain)
        .bind(seq)
        .bind(BATCH)
        .fetch_all(tx.conn())
        .await?;
        tx.commit_quietly(Quiet::Job).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let place: i64 = row.try_get("seq")?;
            let id: Uuid = row.try_get("log_id")?;
            let bad = |fault| Some(BadRow { seq: Some(place), id: Some(id), fault });
            if place != seq + 1 {
                report.first_bad = Some(BadRow { seq: Some(seq + 1), id: None, fault: Fault::Missing });
                return Ok(report);
            }
            let (entry, stored): (Vec<u8>, Vec<u8>) = (row.try_get("entry")?, row.try_get("hash")?);
            let linked = seal::link(chain, place, &hash, &entry);
            if !is_same(&linked, &stored) {
                report.first_bad = bad(Fault::Chain);
                return Ok(report);
            }
            if row.try_get::<Option<Uuid>, _>("id")?.is_none() {
                if !removed.iter().any(|(first, last)| (*first..=*last).contains(&place)) {
                    report.first_bad = bad(Fault::Missing);
                    return Ok(report);
                }
                report.removed += 1;
            } else {
                let row = Row::read(row)?;
                let is_entry = is_same(&sha256(row.canonical.as_bytes()), &entry);
                let judged = if row.version < newest_version { Err(Fault::NotOurs) } else { row.judge(chain, &key) };
                match judged {
                    // The text is one of ours, but another than the one that was sealed here.
                    Ok(_) if !is_entry => report.first_bad = bad(Fault::Moved),
                    Ok(erased) => report.erased += i64::from(erased > 0),
                    Err(_) if !is_entry => report.first_bad = bad(Fault::Changed),
                    Err(fault) => report.first_bad = bad(fault),
                }
                if report.first_bad.is_some() {
                    return Ok(report);
                }
                newest_version = row.version;
            }
            if let Some(kept) = against.checkpoint.as_ref().filter(|kept| kept.seq == place)
                && kept.hash != hex::encode(&stored)
            {
                report.first_bad = bad(Fault::Chain);
                return Ok(report);
            }
            (seq, hash) = (place, stored);
            report.rows += 1;
        }
    }
    report.head = seq;
    // What was sealed once and is not there any more is known from what was signed.
    let known = against.checkpoint.iter().chain(own.iter().filter(|own| is_genuine(own)));
    if known.map(|kept| kept.seq).max().is_some_and(|known| known > seq) {
        report.first_bad = Some(BadRow { seq: Some(seq + 1), id: None, fault: Fault::CutOff });
        return Ok(report);
    }
    judge_tail(cx, chain, newest_version, &key, &mut report).await?;
    Ok(report)
}

fn wrong_checkpoint(kept: &Checkpoint, chain: Uuid) -> Option<Fault> {
    (kept.chain != chain || !is_genuine(kept)).then_some(Fault::Checkpoint)
}

/// The places whose rows were removed by the rule of the tenant, as the log itself tells.
async fn removed_ranges(cx: &Cx, chain: Uuid, key: &MacKey) -> Result<Vec<(i64, i64)>, AppError> {
    let mut tx = cx.node().await?;
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from audit_logs l where l.action = 'audit.retention' and audit_chain_of(l.tenant_id) = $1"
    )))
    .bind(chain)
    .fetch_all(tx.conn())
    .await?;
    tx.commit_quietly(Quiet::Job).await?;
    let rows = rows.iter().map(Row::read).collect::<Result<Vec<_>, _>>()?;
    Ok(rows
        .into_iter()
        .filter(|row| row.version > 1 && row.judge(chain, key).is_ok())
        .filter_map(|r| r.retention)
        .collect())
}

/// Rows without a place yet: each must be one of ours, and be waiting for it.
async fn judge_tail(cx: &Cx, chain: Uuid, newest: u8, key: &MacKey, report: &mut Report) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let mut tx = cx.node().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "select {COLUMNS}, u.log_id is not null as waits from audit_logs l
             left join audit_unsealed u on u.log_id = l.id
             where (l.tenant_id = $1 or (l.tenant_id is null and $1 = audit_chain_of(null))) and l.id > $2
               and not exists (select from audit_chain c where c.log_id = l.id)
             order by l.id limit $3"
        )))
        .bind(chain)
        .bind(after)
        .bind(BATCH)
        .fetch_all(tx.conn())
        .await?;
        tx.commit_quietly(Quiet::Job).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.try_get("id")?;
        for row in &rows {
            let waits: bool = row.try_get("waits")?;
            let row = Row::read(row)?;
            let judged = match row.judge(chain, key) {
                Ok(_) if !waits || row.version < newest => Err(Fault::NotOurs),
                judged => judged,
            };
            if let Err(fault) = judged {
                report.first_bad = Some(BadRow { seq: None, id: Some(row.id), fault });
                return Ok(());
            }
            report.unsealed += 1;
        }
    }
}

/// Looks at a chain and keeps what came of it for the page.
pub async fn verify_and_keep(cx: &Cx, chain: Uuid) -> Result<Report, AppError> {
    let report = verify(cx, chain, &Against::default()).await?;
    let mut tx = cx.node().await?;
    let now = tx.now();
    let kept = serde_json::to_value(&report).map_err(anyhow::Error::from)?;
    sqlx::query!(
        "insert into audit_verifications (chain, verified_at, report) values ($1, $2, $3)
         on conflict (chain) do update set verified_at = excluded.verified_at, report = excluded.report",
        chain,
        now,
        kept,
    )
    .execute(tx.conn())
    .await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(report)
}

/// What is known of the tenant's chain: the last look at the whole of it, and how much is not sealed yet.
pub async fn known(cx: &Cx) -> Result<Verification, AppError> {
    let mut tx = cx.read(AUDIT_READ).await?;
    tx.decide(&Default::default())?;
    let chain = tx.tenant()?.0;
    of_chain(&mut tx, chain).await
}

/// The job that looks at everything.
pub const JOB: &str = "audit.verify";

/// Has the whole log looked at as soon as a node is free, instead of tomorrow.
pub async fn ask(cx: &Cx) -> Result<(), AppError> {
    let mut tx = cx.allow(AUDIT_READ).await?;
    tx.decide(&Default::default())?;
    let (tenant, now) = (tx.tenant()?, tx.now());
    jobs::enqueue_for(tx.conn(), tenant, JOB, &json!({}), now).await?;
    tx.commit(Event::done(Action::AuditVerify).on("audit", tenant, "")).await
}

/// The newest signed head of the tenant's chain.
pub async fn newest_checkpoint(cx: &Cx) -> Result<Checkpoint, AppError> {
    let mut tx = cx.read(AUDIT_EXPORT).await?;
    tx.decide(&Default::default())?;
    let chain = tx.tenant()?.0;
    seal::checkpoint(&mut tx, chain).await?.ok_or(AppError::NotFound)
}

async fn of_chain(tx: &mut Tx, chain: Uuid) -> Result<Verification, AppError> {
    let looked = sqlx::query!("select verified_at, report from audit_verifications where chain = $1", chain)
        .fetch_optional(tx.conn())
        .await?;
    let tail = sqlx::query!(
        r#"select count(*) as "rows!", min(created_at) as "since" from audit_unsealed where chain = $1"#,
        chain,
    )
    .fetch_one(tx.conn())
    .await?;
    let checkpoint = seal::checkpoint(tx, chain).await?;
    let (verified_at, report) = match looked {
        None => (None, None),
        Some(row) => {
            let report = serde_json::from_value::<Report>(row.report).map_err(anyhow::Error::from)?;
            (Some(row.verified_at.into()), Some(report))
        }
    };
    Ok(Verification {
        intact: report.as_ref().map(|report| report.first_bad.is_none()),
        verified_at,
        report,
        unsealed: tail.rows,
        unsealed_since: tail.since.map(Into::into),
        checkpoint,
    })
}
