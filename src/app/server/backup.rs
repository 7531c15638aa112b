//! `bawwab backup` and `bawwab restore` (I4): the whole database in one folder, told apart from a forged or damaged one, and
//! made into an installation again. What a restored session, link or letter was good for is over (F26).

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{
    access::server::{
        Cx,
        record::{Action, Event},
    },
    app::server::{
        cli::{self, Database},
        invariants,
    },
    base::{
        errors::AppError,
        server::{cluster::client_program, config::Config, crypto::Keys, db},
    },
};

#[derive(Args)]
pub(super) struct BackupArgs {
    /// A folder that is not there yet. It holds everything but the master key: keep that elsewhere
    pub folder: PathBuf,
}

#[derive(Args)]
pub(super) struct RestoreArgs {
    /// A folder that `bawwab backup` made
    pub folder: PathBuf,
    /// Put it in the place of what the database holds now
    #[arg(long)]
    pub replace: bool,
    /// Leave API keys as they were. One that was deleted since the backup is good again
    #[arg(long)]
    pub keep_api_keys: bool,
}

const FORMAT: &str = "bawwab.backup.v1";
const DUMP: &str = "database.dump";
const MANIFEST: &str = "manifest.json";
/// Derivation purpose of the code over a manifest.
const PURPOSE: &str = "backups";

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    format: String,
    /// The version of the program that made it.
    program: String,
    /// The newest migration that its database has seen.
    schema: i64,
    made_at: String,
    /// Names the master key that opens its data keys.
    master_key: String,
    /// Of `database.dump`, hexadecimal.
    sha256: String,
    bytes: u64,
    /// HMAC-SHA-256 over the lines above, under a key of the master key's.
    #[serde(default)]
    code: String,
}

impl Manifest {
    /// What the code covers.
    fn text(&self) -> String {
        let Manifest { format, program, schema, made_at, master_key, sha256, bytes, code: _ } = self;
        format!("{format}\n{program}\n{schema}\n{made_at}\n{master_key}\n{sha256}\n{bytes}\n")
    }

    fn signed(mut self, keys: &Keys) -> Self {
        self.code = hex::encode(keys.of_master(PURPOSE).code(self.text().as_bytes()));
        self
    }

    /// Refuses what was not made here, is not whole, or cannot be opened with this key.
    fn check(&self, keys: &Keys, folder: &Path) -> anyhow::Result<()> {
        ensure!(self.format == FORMAT, "{} is no backup that this version can read", folder.display());
        ensure!(
            self.master_key == keys.master_id(),
            "the backup was made under another master key ({}, the present one is {}): restore it with that one in \
             BAWWAB_SECRET_KEY",
            self.master_key,
            keys.master_id(),
        );
        let code = hex::decode(&self.code).unwrap_or_default();
        ensure!(keys.of_master(PURPOSE).made(self.text().as_bytes(), &code), "the manifest was altered");
        let newest = db::newest_migration();
        ensure!(
            self.schema <= newest,
            "the backup is of a newer Bawwab ({}, database {}): restore it with that version",
            self.program,
            self.schema,
        );
        let (sha256, bytes) = digest_of(&folder.join(DUMP))?;
        ensure!((&sha256, bytes) == (&self.sha256, self.bytes), "{DUMP} is not as it was written");
        Ok(())
    }
}

/// SHA-256 and length of a file, read in pieces.
fn digest_of(path: &Path) -> anyhow::Result<(String, u64)> {
    let mut file = fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let (mut digest, mut bytes, mut piece) = (digest::Context::new(&digest::SHA256), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece).with_context(|| format!("read {}", path.display()))?;
        if read == 0 {
            return Ok((hex::encode(digest.finish().as_ref()), bytes));
        }
        digest.update(&piece[..read]);
        bytes += u64::try_from(read)?;
    }
}

/// Runs one of PostgreSQL's programs on the database.
async fn run(database: &Database, name: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = client_program(name).await?;
    for (variable, value) in database.environment()? {
        // libpq takes an address from its argument alone.
        if variable == "PGDATABASE" {
            command.arg(format!("--dbname={value}"));
        } else {
            command.env(variable, value);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    let output = command.output().await.with_context(|| format!("run {name}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    bail!("{name} failed ({}): {complaint}", output.status)
}

pub(super) async fn backup(config: Config, args: BackupArgs) -> anyhow::Result<()> {
    let database = Database::join_or_open(&config).await?;
    let made = back_up(&config, &database, &args.folder).await;
    database.close().await?;
    let made = made?;
    cli::say(format_args!("{}: {} bytes, SHA-256 {}", args.folder.display(), made.bytes, made.sha256))?;
    cli::say(format_args!("It is of no use without the master key {}: keep a copy of that elsewhere.", made.master_key))
}

/// Makes the folder beside its place first, so that one that is there is whole.
async fn back_up(config: &Config, database: &Database, folder: &Path) -> anyhow::Result<Manifest> {
    ensure!(!folder.exists(), "{} is there already", folder.display());
    let mut name = folder.file_name().context("the folder has a name")?.to_owned();
    name.push(".partial");
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().with_context(|| format!("look at {}", parent.display()))?;
    let partial = parent.join(name);
    fs::DirBuilder::new().mode(0o700).create(&partial).with_context(|| format!("make {}", partial.display()))?;
    let made = dump_into(config, database, &partial).await;
    match &made {
        Ok(_) => fs::rename(&partial, folder).with_context(|| format!("put {} in place", folder.display()))?,
        Err(_) => fs::remove_dir_all(&partial).with_context(|| format!("remove {}", partial.display()))?,
    }
    made
}

async fn dump_into(config: &Config, database: &Database, folder: &Path) -> anyhow::Result<Manifest> {
    let heart = database.heart(config).await?;
    let dump = folder.join(DUMP);
    let file = format!("--file={}", dump.display());
    run(database, "pg_dump", &["--format=custom", "--no-owner", "--lock-wait-timeout=30s", &file]).await?;
    fs::set_permissions(&dump, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    fs::File::open(&dump)?.sync_all()?;
    let (sha256, bytes) = digest_of(&dump)?;
    let now = heart.clock().now();
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        schema: db::newest_migration(),
        made_at: now.to_rfc3339_opts(SecondsFormat::Secs, true),
        master_key: heart.keys().master_id(),
        sha256,
        bytes,
        code: String::new(),
    };
    let manifest = manifest.signed(heart.keys());
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(MANIFEST));
    let mut file = file.context("make the manifest")?;
    writeln!(file, "{}", serde_json::to_string_pretty(&manifest)?)?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()?;
    let tx = Cx::for_job(heart.clone(), "backup").node().await?;
    let event = Event::done(Action::Backup).on("backup", &manifest.sha256, manifest.made_at.clone());
    tx.commit(event.meta("bytes", manifest.bytes)).await?;
    heart.close().await;
    Ok(manifest)
}

pub(super) async fn restore(config: Config, args: RestoreArgs) -> anyhow::Result<()> {
    let manifest = args.folder.join(MANIFEST);
    let text = fs::read_to_string(&manifest).with_context(|| format!("read {}", manifest.display()))?;
    let manifest = serde_json::from_str::<Manifest>(&text).context("read the manifest")?;
    let (keys, _) = cli::keys(&config)?;
    manifest.check(&keys, &args.folder)?;
    let database = Database::start(&config).await?;
    let restored = restore_into(&config, &database, &args, &manifest).await;
    database.close().await?;
    restored
}

/// Whether nobody else is connected. Whoever has just gone needs a moment to be gone: it is looked for three seconds.
async fn is_left(connection: &mut PgConnection) -> sqlx::Result<bool> {
    for _ in 0..30 {
        let others = sqlx::query_scalar!(
            r#"select count(*) as "count!" from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"#
        );
        if others.fetch_one(&mut *connection).await? == 0 {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

async fn restore_into(
    config: &Config,
    database: &Database,
    args: &RestoreArgs,
    manifest: &Manifest,
) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(database.options()).await.context("connect to PostgreSQL")?;
    ensure!(is_left(&mut connection).await?, "somebody is connected to the database: stop all nodes first");
    let holds = sqlx::query_scalar!(r#"select to_regclass('public.users') is not null as "holds!""#);
    let holds = holds.fetch_one(&mut connection).await?;
    ensure!(
        !holds || args.replace,
        "the database holds an installation: `--replace` puts the backup in its place, and nothing is kept of it"
    );
    db::make_application_role(&mut connection).await?;
    if holds {
        set_aside(&mut connection).await?;
    }
    let file = args.folder.canonicalize()?.join(DUMP).display().to_string();
    let done = run(database, "pg_restore", &["--exit-on-error", "--single-transaction", "--no-owner", &file]).await;
    if let Err(error) = done {
        if holds {
            put_back(&mut connection).await.context("put back what was there")?;
        }
        return Err(error.context("nothing was changed"));
    }
    if holds {
        connection.execute("drop schema replaced cascade").await.context("drop what was there")?;
    }
    db::prepare(database.options()).await?;
    let over = void(&mut connection, args.keep_api_keys).await?;
    connection.close().await?;
    let said = cli::say(format_args!(
        "Restored what was backed up {}.\n{} sessions are over and {} API keys are off; everybody signs in again.",
        manifest.made_at, over.sessions, over.api_keys,
    ));
    let heart = database.heart(config).await?;
    let cx = Cx::for_job(heart.clone(), "restore");
    let looked = record_and_look(&cx, manifest).await;
    heart.close().await;
    let broken = looked?;
    // It stands in the log all the same.
    said?;
    ensure!(broken == 0, "{broken} of the invariants do not hold");
    Ok(())
}

async fn record_and_look(cx: &Cx, manifest: &Manifest) -> anyhow::Result<usize> {
    let tx = cx.node().await?;
    let event = Event::done(Action::Restore).on("backup", &manifest.sha256, manifest.made_at.clone());
    tx.commit(event.meta("program", manifest.program.clone())).await?;
    invariants::look(cx, true).await
}

/// What is there now goes under another name until its successor is whole.
async fn set_aside(connection: &mut PgConnection) -> anyhow::Result<()> {
    connection
        .execute(
            "begin;
             drop schema if exists replaced cascade;
             alter schema public rename to replaced;
             create schema public;
             alter schema public owner to pg_database_owner;
             grant usage on schema public to public;
             alter extension pg_trgm set schema public;
             commit",
        )
        .await
        .context("set aside what is there")?;
    Ok(())
}

async fn put_back(connection: &mut PgConnection) -> anyhow::Result<()> {
    connection
        .execute(
            "begin;
             alter extension pg_trgm set schema replaced;
             drop schema public cascade;
             alter schema replaced rename to public;
             commit",
        )
        .await?;
    Ok(())
}

/// What ended with the restoring.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Over {
    pub sessions: u64,
    pub api_keys: u64,
}

/// What [`void`] changes.
const VOIDED: [&str; 12] = [
    "sessions",
    "refresh_tokens",
    "links",
    "registrations",
    "sign_in_steps",
    "email_changes",
    "passkey_challenges",
    "idempotency_keys",
    "jobs",
    "grant_versions",
    "grant_moves",
    "api_keys",
];

/// Ends what could let somebody in who was shut out since: sessions and their tokens, links, half-done sign-ins, and API
/// keys. Letters that waited may have been sent; they go. As the owner, around the policies of the tables.
pub async fn void(connection: &mut PgConnection, keep_api_keys: bool) -> Result<Over, AppError> {
    let now: DateTime<Utc> =
        sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(&mut *connection).await?;
    let mut tx = connection.begin().await?;
    // An owner who is no superuser is under the policies as well: what they would hide is an error then, and not nothing.
    tx.execute("set local row_security = off").await?;
    for table in VOIDED {
        tx.execute(AssertSqlSafe(format!("alter table {table} no force row level security"))).await?;
    }
    let ended =
        sqlx::query!("update sessions set ended_at = $1, ended_because = 'restored' where ended_at is null", now);
    let sessions = ended.execute(&mut *tx).await?.rows_affected();
    sqlx::query!("update refresh_tokens set spent_at = $1 where spent_at is null", now).execute(&mut *tx).await?;
    sqlx::query!("update links set used_at = $1 where used_at is null", now).execute(&mut *tx).await?;
    sqlx::query!("update registrations set used_at = $1 where used_at is null", now).execute(&mut *tx).await?;
    sqlx::query!("update sign_in_steps set used_at = $1 where used_at is null", now).execute(&mut *tx).await?;
    sqlx::query!("update email_changes set cancelled_at = $1 where confirmed_at is null and cancelled_at is null", now)
        .execute(&mut *tx)
        .await?;
    sqlx::query!("delete from passkey_challenges").execute(&mut *tx).await?;
    sqlx::query!("delete from idempotency_keys").execute(&mut *tx).await?;
    sqlx::query!("delete from jobs where kind = 'mail' and dead_at is null").execute(&mut *tx).await?;
    // Nobody decides on what they knew before.
    // Further than any node can have come that slept through this, also after the same backup was restored before: it reads
    // everything, since transactions may be numbered anew.
    sqlx::query!(
        "update grant_versions set version = greatest(version, extract(epoch from clock_timestamp())::bigint * 1000) + 1000000"
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from grant_moves").execute(&mut *tx).await?;
    let off = sqlx::query!(
        "update api_keys set active = false, version = version + 1 where active and not $1",
        keep_api_keys
    );
    let api_keys = off.execute(&mut *tx).await?.rows_affected();
    for table in VOIDED {
        tx.execute(AssertSqlSafe(format!("alter table {table} force row level security"))).await?;
    }
    tx.commit().await?;
    Ok(Over { sessions, api_keys })
}

/// A backup with a manifest that is right and a dump that is none: for tests of what PostgreSQL refuses.
#[cfg(test)]
pub(super) fn forge(config: &Config, from: &Path, to: &Path, dump: &[u8]) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    fs::write(to.join(DUMP), dump)?;
    let manifest = serde_json::from_str::<Manifest>(&fs::read_to_string(from.join(MANIFEST))?)?;
    let (sha256, bytes) = digest_of(&to.join(DUMP))?;
    let manifest = Manifest { sha256, bytes, ..manifest }.signed(&cli::keys(config)?.0);
    Ok(fs::write(to.join(MANIFEST), serde_json::to_string(&manifest)?)?)
}
