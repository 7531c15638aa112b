//! Keys that change while people work (E7): each node learns of new data keys, one of them seals anew what earlier keys
//! have sealed, and what is of no more use is retired. `bawwab keys …` for operators.

use std::{fs, io::ErrorKind, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use clap::Subcommand;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::{
    access::server::{
        Cx, Heart, Quiet,
        record::{Action, Event},
    },
    app::server::{
        cli::{KEY_FILE, say, with_database},
        repeat, sealed,
    },
    base::{
        errors::AppError,
        server::{
            config::{Config, HiddenText},
            crypto::Keys,
            data_keys::{self, KeyInfo},
            jobs,
        },
    },
};

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Show the data keys and since when each is in use
    List,
    /// Make a new data key. Running nodes use it half a minute later and seal everything anew with it
    Rotate,
    /// Seal the data keys under a new master key. Nodes at work go on with what they have; they start with the new one
    RotateMaster {
        /// The new master key, where the present one comes from the environment. Else one is made and kept in the file
        #[arg(long, env = "BAWWAB_NEW_SECRET_KEY", hide_env_values = true)]
        new_key: Option<HiddenText>,
    },
}

/// The job of sealing anew and retiring: one node at a time.
const KIND: &str = "keys";
/// How often one looks whether a key can be retired.
const LOOK: TimeDelta = TimeDelta::minutes(10);

/// Works until told to stop.
pub async fn run(heart: Heart, stop: CancellationToken) {
    let cx = Cx::for_job(heart, "keys");
    let every = Duration::from_secs(data_keys::READ_EVERY);
    repeat(stop, every, "the data keys are not up to date", || once(&cx)).await;
}

/// Reads the keys; where there is an earlier one in use, seals anew and retires.
pub async fn once(cx: &Cx) -> Result<(), AppError> {
    let keys = read(cx).await?;
    let current = cx.keys().current();
    if !keys.iter().any(|key| key.number < current && key.retired_at.is_none()) {
        return Ok(());
    }
    let mut tx = cx.node().await?;
    let now = tx.now();
    jobs::enqueue(tx.conn(), KIND, Some(KIND), now).await?;
    let job = jobs::claim(tx.conn(), KIND, now).await?;
    tx.commit_quietly(Quiet::Job).await?;
    let Some(job) = job else { return Ok(()) };
    // Where this fails the job is taken up again when its time has run out.
    let done = sealed::seal_anew(cx).await?;
    let mut tx = cx.node().await?;
    let now = tx.now();
    jobs::reschedule(tx.conn(), &job, if done > 0 { now } else { now + LOOK }).await?;
    if done > 0 {
        info!(values = done, key = current, "sealed {done} values anew with the data key {current}");
    } else {
        // Nothing is sealed with an earlier one any more.
        for number in data_keys::retire(tx.conn(), now).await? {
            info!(key = number, "retired the data key {number}");
            tx.record(&Event::done(Action::KeyRetire).on("data_key", number, number.to_string())).await?;
        }
    }
    tx.commit_quietly(Quiet::Job).await?;
    read(cx).await.map(|_keys| ())
}

/// Takes over what the database holds.
async fn read(cx: &Cx) -> Result<Vec<KeyInfo>, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    let keys = data_keys::read(tx.conn(), cx.keys(), now).await?;
    tx.commit_quietly(Quiet::Job).await?;
    Ok(keys)
}

/// At a start: reads the keys, and makes the first where there is only the master key itself.
pub async fn begin(heart: &Heart) -> anyhow::Result<()> {
    let cx = Cx::for_job(heart.clone(), "keys");
    if read(&cx).await?.len() == 1 {
        make(&cx, true).await?;
        read(&cx).await?;
    }
    Ok(())
}

/// Makes the next data key.
pub async fn make(cx: &Cx, at_once: bool) -> Result<Option<KeyInfo>, AppError> {
    let mut tx = cx.node().await?;
    let now = tx.now();
    let Some(made) = data_keys::make(tx.conn(), cx.keys(), now, at_once).await? else { return Ok(None) };
    let event = Event::done(Action::KeyRotate).on("data_key", made.number, made.number.to_string());
    tx.commit(event.meta("active_from", made.active_from.to_rfc3339())).await?;
    Ok(Some(made))
}

pub(super) async fn keys(config: Config, command: KeysCommand) -> anyhow::Result<()> {
    let config = &config;
    with_database(config, "keys command", async |cx: Cx| match command {
        KeysCommand::List => {
            let current = cx.keys().current();
            for key in read(&cx).await? {
                say(told(&key, current))?;
            }
            Ok(())
        }
        KeysCommand::Rotate => match make(&cx, false).await? {
            Some(key) => say(told(&key, cx.keys().current())),
            None => bail!("somebody else has made a key at this moment"),
        },
        KeysCommand::RotateMaster { new_key } => rotate_master(&cx, config, new_key).await,
    })
    .await
}

fn told(key: &KeyInfo, current: i32) -> String {
    let state = match key.retired_at {
        Some(at) => format!("retired {}", at.format("%F %T UTC")),
        None if key.number == current => "in use".to_owned(),
        None if key.number > current => format!("in use from {}", key.active_from.format("%F %T UTC")),
        None => "opens what it has sealed".to_owned(),
    };
    format!("{}\tmade {}\t{state}", key.number, key.created_at.format("%F %T UTC"))
}

/// Seals the data keys under a new master key. A file is put in place only once the database has the new state, and the
/// new key lies beside it before that: whenever this is cut short, one of the two files is right.
async fn rotate_master(cx: &Cx, config: &Config, new_key: Option<HiddenText>) -> anyhow::Result<()> {
    let is_file = config.secret_key.is_none();
    let file = config.data_dir().join(KEY_FILE);
    let next = next_to(&file);
    let new = match (is_file, new_key) {
        (false, None) => bail!(
            "the master key comes from BAWWAB_SECRET_KEY: give the new one in BAWWAB_NEW_SECRET_KEY \
             (`openssl rand -hex 32` makes one)"
        ),
        (true, Some(_)) => bail!("the master key is kept in {}: the new one is made here", file.display()),
        (false, Some(new)) => Keys::parse(&new.0)?,
        (true, None) => {
            // One that lies there was never used: the present key opens the database.
            match fs::remove_file(&next) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("remove {}", next.display()));
                }
                _ => {}
            }
            Keys::from_file(&next)?.0
        }
    };
    if new.master_id() == cx.keys().master_id() {
        bail!("the new master key is the present one");
    }
    let mut tx = cx.node().await?;
    let keys = data_keys::rewrap(tx.conn(), cx.keys(), &new).await?;
    let event = Event::done(Action::MasterKeyRotate).on("master_key", new.master_id(), new.master_id());
    tx.commit(event.meta("before", cx.keys().master_id())).await?;
    if is_file {
        let old = file.with_extension("key.old");
        fs::copy(&file, &old).with_context(|| format!("keep the old key in {}", old.display()))?;
        fs::rename(&next, &file).with_context(|| format!("put {} in place", file.display()))?;
        say(format_args!("{keys} data keys are sealed under the new master key in {}.", file.display()))?;
        say(format_args!("Keep a copy of it. Backups from before need the old one, which is now in {}.", old.display()))
    } else {
        say(format_args!("{keys} data keys are sealed under the new master key: start all nodes with it."))?;
        say("Backups from before need the old one.")
    }
}

/// The master key that is about to take the place of the one in `file`.
pub(super) fn next_to(file: &Path) -> std::path::PathBuf {
    file.with_extension("key.new")
}
