//! Which PostgreSQL is started, and as whom: the installed programs and the unprivileged account.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::{Uid, User, geteuid};
use tokio::process::Command;
use tracing::warn;

use super::{INSTALL, OLDEST_VERSION, read_if_there};

/// The user the server runs as when we are root, which PostgreSQL refuses to be.
pub(super) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// Whoever owns the data already; else `postgres`, else `nobody`. `None` when we are not root.
    pub fn for_server(data: &Path) -> Result<Option<Account>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let owner = data.metadata().ok().map(|data| data.uid()).filter(|uid| *uid != 0);
        let user = match owner {
            Some(uid) => User::from_uid(Uid::from_raw(uid)).context("look up the owner of the data")?,
            None => match User::from_name("postgres").context("look up the user postgres")? {
                Some(user) => Some(user),
                None => User::from_name("nobody").context("look up the user nobody")?,
            },
        };
        let user = user.context(
            "PostgreSQL refuses to run as root and there is no user postgres: run Bawwab as an ordinary user",
        )?;
        Ok(Some(Account { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
    }

    fn may_enter(&self, dir: &Path) -> Result<bool> {
        let dir = dir.metadata().with_context(|| format!("look at {}", dir.display()))?;
        let bit = if dir.uid() == self.uid {
            0o100
        } else if dir.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        Ok(dir.mode() & bit != 0)
    }

    /// Lets the server through the data directory, which is ours to open; what lies above it is not.
    pub fn admit(&self, data_dir: &Path) -> Result<()> {
        for dir in data_dir.ancestors().skip(1) {
            let (name, path) = (&self.name, dir.display());
            ensure!(
                self.may_enter(dir)?,
                "PostgreSQL refuses to run as root, so it runs as {name}, who may not enter {path}: \
                 choose a data directory elsewhere, or run Bawwab as an ordinary user"
            );
        }
        if !self.may_enter(data_dir)? {
            let mode = data_dir.metadata().context("look at the data directory")?.mode();
            chown(data_dir, None, Some(self.gid)).context("let the server's group into the data directory")?;
            fs::set_permissions(data_dir, fs::Permissions::from_mode(mode & 0o7777 | 0o010))
                .context("open the data directory")?;
        }
        Ok(())
    }
}

/// One of the server's programs, as the server's user and without our environment, which may hold secrets.
pub(super) fn program(bin: &Path, name: &str, account: Option<&Account>) -> Command {
    let mut command = Command::new(bin.join(name));
    // `/`, because the user may not be allowed where we are.
    command.env_clear().env("LC_ALL", "C").current_dir("/").kill_on_drop(name != "postgres");
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid); // the standard library drops root's other groups with it
    }
    command
}

/// The directory of the server programs to use. `BAWWAB_PG_BIN`, when set, is the only one looked at.
pub(super) async fn find_server(account: Option<&Account>, made_by: Option<u32>) -> Result<PathBuf> {
    let named = std::env::var_os("BAWWAB_PG_BIN").map(PathBuf::from);
    let mut found = Vec::new();
    for bin in named.as_ref().map_or_else(usual_places, |named| vec![named.clone()]) {
        if !bin.join("postgres").is_file() || !bin.join("initdb").is_file() {
            continue;
        }
        match program(&bin, "postgres", account).arg("--version").output().await {
            Ok(output) => {
                found.extend(major_version(&String::from_utf8_lossy(&output.stdout)).map(|major| (bin, major)))
            }
            Err(error) => warn!("{}/postgres does not run: {error}", bin.display()),
        }
    }
    if let (Some(named), true) = (named, found.is_empty()) {
        bail!("BAWWAB_PG_BIN names {}, which has no working postgres and initdb", named.display());
    }
    choose(found, made_by)
}

/// One of PostgreSQL's programs for clients, as new as there is: `pg_dump` refuses a server that is newer than itself.
/// It runs as ourselves, without our environment.
pub async fn client_program(name: &str) -> Result<Command> {
    let named = std::env::var_os("BAWWAB_PG_BIN").map(PathBuf::from);
    let mut found = None;
    for bin in named.map_or_else(usual_places, |named| vec![named]) {
        if !bin.join(name).is_file() {
            continue;
        }
        match program(&bin, name, None).arg("--version").output().await {
            Ok(output) => {
                let major = major_version(&String::from_utf8_lossy(&output.stdout)).unwrap_or(0);
                if found.as_ref().is_none_or(|(best, _)| *best < major) {
                    found = Some((major, bin));
                }
            }
            Err(error) => warn!("{}/{name} does not run: {error}", bin.display()),
        }
    }
    let (_, bin) = found.with_context(|| {
        format!(
            "PostgreSQL's {name} is not installed: on Debian or Ubuntu `apt-get install postgresql-client` brings it"
        )
    })?;
    Ok(program(&bin, name, None))
}

fn usual_places() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    for (parent, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql@")] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut versions: Vec<(u32, PathBuf)> = entries
            .filter_map(|entry| {
                Some((entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?, entry.path().join("bin")))
            })
            .collect();
        versions.sort();
        places.extend(versions.into_iter().rev().map(|(_, bin)| bin));
    }
    places.push(PathBuf::from("/usr/local/pgsql/bin"));
    places
}

/// The first that is new enough; for data that exists, the first of the very version that made it.
pub(super) fn choose(found: Vec<(PathBuf, u32)>, made_by: Option<u32>) -> Result<PathBuf> {
    let newest = found.iter().map(|(_, major)| *major).max();
    let fits = |major| made_by.map_or(major >= OLDEST_VERSION, |wanted| major == wanted);
    match (found.into_iter().find(|(_, major)| fits(*major)), newest, made_by) {
        (Some((bin, _)), _, _) => Ok(bin),
        (None, None, _) => bail!("no PostgreSQL server ({OLDEST_VERSION} or later) is installed: {INSTALL}"),
        (None, Some(_), Some(wanted)) => bail!(
            "the data was made by PostgreSQL {wanted}, which is not installed: install it \
             (on Debian or Ubuntu: apt-get install postgresql-{wanted}), or move the data with pg_upgrade"
        ),
        (None, Some(newest), None) => {
            bail!("PostgreSQL {newest} is too old, Bawwab needs {OLDEST_VERSION} or later: {INSTALL}")
        }
    }
}

/// From `postgres --version`: `postgres (PostgreSQL) 16beta1` is 16.
pub(super) fn major_version(line: &str) -> Option<u32> {
    let (_, version) = line.split_once(") ")?;
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

pub(super) fn version_of_data(data: &Path) -> Result<Option<u32>> {
    let version = read_if_there(&data.join("PG_VERSION"))?;
    version.map(|text| text.trim().parse().context("read the version of the data")).transpose()
}
