//! Holding the log against its chain: every row, every link, every signature, and what is not sealed yet.

use std::{collections::BTreeMap, net::IpAddr, ops::RangeInclusive};

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
        Ok(Row {
            id: row.try_get("id")?,
            version: if canonical.starts_with("bawwab.audit.v1\n") { 1 } else { 2 },
            mac: row.try_get("mac")?,
            columns,
            salts: row.try_get("salts")?,
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

/// Looks at the whole of one chain, in small transactions. It stops at the first thing that is wrong. `kept` was kept
/// elsewhere, so nobody who reaches the database could alter it.
pub async fn verify(cx: &Cx, chain: Uuid, kept: Option<&Checkpoint>) -> Result<Report, AppError> {
    if kept.is_some_and(|kept| kept.chain != chain || !is_genuine(kept)) {
        let bad = BadRow { seq: None, id: None, fault: Fault::Checkpoint };
        return Ok(Report { first_bad: Some(bad), ..Report::default() });
    }
    let key = cx.keys().mac(MAC_PURPOSE);
    let mut tx = cx.node().await?;
    let own = seal::checkpoint(&mut tx, chain).await?.filter(is_genuine);
    tx.commit_quietly(Quiet::Job).await?;
    let removed = removed_ranges(cx, chain, &key).await?;
    let (hash, report) = (BEGINNING.to_vec(), Report::default());
    let mut walk = Walk { chain, key: &key, kept, own, removed, seq: 0, hash, newest_version: 1, report };
    let first_bad = walk.whole(cx).await?;
    Ok(Report { first_bad, ..walk.report })
}

/// How far the look at a chain has come, and what the next place is held against.
struct Walk<'a> {
    chain: Uuid,
    key: &'a MacKey,
    /// Signed heads: one that was kept elsewhere, and the newest of our own.
    kept: Option<&'a Checkpoint>,
    own: Option<Checkpoint>,
    /// Places whose rows a rule has removed.
    removed: Vec<RangeInclusive<i64>>,
    seq: i64,
    hash: Vec<u8>,
    newest_version: u8,
    report: Report,
}

impl Walk<'_> {
    /// The first thing that is wrong, from the first place to the rows that have none yet.
    async fn whole(&mut self, cx: &Cx) -> Result<Option<BadRow>, AppError> {
        loop {
            let mut tx = cx.node().await?;
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
                "select c.seq, c.log_id, c.entry, c.hash, {COLUMNS} from audit_chain c
                 left join audit_logs l on l.id = c.log_id where c.chain = $1 and c.seq > $2 order by c.seq limit $3"
            )))
            .bind(self.chain)
            .bind(self.seq)
            .bind(BATCH)
            .fetch_all(tx.conn())
            .await?;
            tx.commit_quietly(Quiet::Job).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                if let Some(bad) = self.step(row)? {
                    return Ok(Some(bad));
                }
            }
        }
        self.report.head = self.seq;
        // What was sealed once and is not there any more is known from what was signed.
        if self.kept.into_iter().chain(&self.own).any(|signed| signed.seq > self.seq) {
            return Ok(Some(BadRow { seq: Some(self.seq + 1), id: None, fault: Fault::CutOff }));
        }
        self.judge_tail(cx).await
    }

    /// Goes on by one place, unless something is wrong there.
    fn step(&mut self, row: &PgRow) -> Result<Option<BadRow>, AppError> {
        let place: i64 = row.try_get("seq")?;
        let id: Uuid = row.try_get("log_id")?;
        if place != self.seq + 1 {
            return Ok(Some(BadRow { seq: Some(self.seq + 1), id: None, fault: Fault::Missing }));
        }
        let (entry, stored): (Vec<u8>, Vec<u8>) = (row.try_get("entry")?, row.try_get("hash")?);
        if let Some(fault) = self.fault_at(place, &entry, &stored, row)? {
            return Ok(Some(BadRow { seq: Some(place), id: Some(id), fault }));
        }
        (self.seq, self.hash) = (place, stored);
        self.report.rows += 1;
        Ok(None)
    }

    /// What is wrong with the link at a place, or with its row.
    fn fault_at(&mut self, place: i64, entry: &[u8], stored: &[u8], row: &PgRow) -> Result<Option<Fault>, AppError> {
        if !is_same(&seal::link(self.chain, place, &self.hash, entry), stored) {
            return Ok(Some(Fault::Chain));
        }
        if row.try_get::<Option<Uuid>, _>("id")?.is_some() {
            let row = Row::read(row)?;
            let is_entry = is_same(&sha256(row.canonical.as_bytes()), entry);
            let is_older = row.version < self.newest_version;
            let judged = if is_older { Err(Fault::NotOurs) } else { row.judge(self.chain, self.key) };
            match judged {
                // The text is one of ours, but another than the one that was sealed here.
                Ok(_) if !is_entry => return Ok(Some(Fault::Moved)),
                Ok(erased) => self.report.erased += i64::from(erased > 0),
                Err(_) if !is_entry => return Ok(Some(Fault::Changed)),
                Err(fault) => return Ok(Some(fault)),
            }
            self.newest_version = row.version;
        } else if self.removed.iter().any(|range| range.contains(&place)) {
            self.report.removed += 1;
        } else {
            return Ok(Some(Fault::Missing));
        }
        let is_other = self.kept.is_some_and(|kept| kept.seq == place && kept.hash != hex::encode(stored));
        Ok(is_other.then_some(Fault::Chain))
    }

    /// Rows without a place yet: each must be one of ours, and be waiting for it.
    async fn judge_tail(&mut self, cx: &Cx) -> Result<Option<BadRow>, AppError> {
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
            .bind(self.chain)
            .bind(after)
            .bind(BATCH)
            .fetch_all(tx.conn())
            .await?;
            tx.commit_quietly(Quiet::Job).await?;
            let Some(last) = rows.last() else { return Ok(None) };
            after = last.try_get("id")?;
            for row in &rows {
                let waits: bool = row.try_get("waits")?;
                let row = Row::read(row)?;
                let judged = match row.judge(self.chain, self.key) {
                    Ok(_) if !waits || row.version < self.newest_version => Err(Fault::NotOurs),
                    judged => judged,
                };
                if let Err(fault) = judged {
                    return Ok(Some(BadRow { seq: None, id: Some(row.id), fault }));
                }
                self.report.unsealed += 1;
            }
        }
    }
}

/// The places whose rows were removed by the rule of the tenant, as the log itself tells.
async fn removed_ranges(cx: &Cx, chain: Uuid, key: &MacKey) -> Result<Vec<RangeInclusive<i64>>, AppError> {
    let mut tx = cx.node().await?;
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "select {COLUMNS} from audit_logs l where l.action = 'audit.retention' and audit_chain_of(l.tenant_id) = $1"
    )))
    .bind(chain)
    .fetch_all(tx.conn())
    .await?;
    tx.commit_quietly(Quiet::Job).await?;
    let mut removed = Vec::new();
    for row in &rows {
        let told = row.try_get::<Option<Value>, _>("new_value")?.unwrap_or_default();
        let row = Row::read(row)?;
        if row.version > 1
            && row.judge(chain, key).is_ok()
            && let (Some(first), Some(last)) = (told["first"].as_i64(), told["last"].as_i64())
        {
            removed.push(first..=last);
        }
    }
    Ok(removed)
}

/// Looks at a chain and keeps what came of it for the page.
pub async fn verify_and_keep(cx: &Cx, chain: Uuid) -> Result<Report, AppError> {
    let report = verify(cx, chain, None).await?;
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

/// The same of a chain that the transaction may see.
pub async fn of_chain(tx: &mut Tx, chain: Uuid) -> Result<Verification, AppError> {
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
