//! The private PostgreSQL: without `DATABASE_URL` Bawwab runs a server of its own, in its data directory.
//!
//! Inside the data directory: `lock`, and `postgres` (the data), `postgres.new` (the data being made),
//! `postgres.password`, `postgres.log` and `postgres.run` (the socket). The server listens on no network address.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown, lchown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

mod programs;

pub use self::programs::client_program;
use self::programs::{Account, find_server, program, version_of_data};

const OLDEST_VERSION: u32 = 15;
/// Role and database have the same name.
const NAME: &str = "bawwab";
/// Never a TCP port: it only ends the name of the socket.
const PORT: u16 = 5432;
const SOCKET: &str = ".s.PGSQL.5432";
/// The longest socket path macOS takes; Linux takes four bytes more.
const LONGEST_SOCKET_PATH: usize = 103;
const POLL: Duration = Duration::from_millis(50);
/// Long, because after a crash PostgreSQL replays its log before it answers.
const START_PATIENCE: Duration = Duration::from_secs(120);
const ADOPT_PATIENCE: Duration = Duration::from_secs(30);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const INSTALL: &str = "install it (on Debian or Ubuntu: apt-get install postgresql), \
    or set DATABASE_URL to a database you already have";
/// The application reports its own failed statements; repeating them here would put people's data in a second log.
const SETTINGS: [&str; 11] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "shared_buffers=64MB",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
    "log_checkpoints=off",
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
];

/// A PostgreSQL server that belongs to this process alone, for as long as the value lives.
///
/// Dropping it asks the server to stop without waiting; [`Cluster::stop`] waits. A server that outlives us (`kill -9`)
/// is adopted by the next start.
pub struct Cluster {
    data: PathBuf,
    socket_dir: PathBuf,
    password: String,
    postmaster: Option<Pid>,
    _lock: Flock<File>,
}

impl Cluster {
    /// Starts the server, or adopts the one an earlier run left behind; the first start creates the database.
    pub async fn start(data_dir: &Path) -> Result<Cluster> {
        let data_dir =
            make_data_dir(data_dir).with_context(|| format!("make the data directory {}", data_dir.display()))?;
        let lock = lock(&data_dir)?;
        let data = data_dir.join("postgres");
        let account = Account::for_server(&data)?;
        if let Some(account) = &account {
            account.admit(&data_dir)?;
        }
        let bin = find_server(account.as_ref(), version_of_data(&data)?).await?;
        if !data.exists() {
            create(&bin, account.as_ref(), &data_dir, &lock).await?;
        }
        let mut cluster = Cluster {
            socket_dir: socket_dir(&data_dir),
            password: read_password(&data_dir)?,
            postmaster: None,
            _lock: lock,
            data,
        };
        if !cluster.adopt().await? {
            cluster.launch(&bin, account.as_ref(), &data_dir.join("postgres.log")).await?;
        }
        cluster.ensure_database().await?;
        Ok(cluster)
    }

    /// The server of another Bawwab that is at work on this data directory, if there is one: for commands that look at
    /// it or change something while people work. It is not ours to stop.
    pub fn join(data_dir: &Path) -> Result<Option<Server>> {
        if !data_dir.join("postgres").exists() {
            return Ok(None);
        }
        let data_dir = make_data_dir(data_dir)?;
        if lock(&data_dir).is_ok() {
            return Ok(None);
        }
        let Some(text) = read_if_there(&data_dir.join("postgres/postmaster.pid"))? else { return Ok(None) };
        let told = text.lines().nth(4).filter(|dir| !dir.is_empty()).map(PathBuf::from);
        let socket_dir = told.unwrap_or_else(|| socket_dir(&data_dir));
        Ok(Some(Server { socket_dir, password: read_password(&data_dir)? }))
    }

    /// Where it is reached.
    pub fn server(&self) -> Server {
        Server { socket_dir: self.socket_dir.clone(), password: self.password.clone() }
    }

    /// Connect options for the owning (migrating) role on database `bawwab`, over the unix socket.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.server().connect_options()
    }

    /// Fast shutdown; waits until the server has gone, at most half a minute.
    pub async fn stop(mut self) -> Result<()> {
        self.shut_down().await?;
        info!("the private PostgreSQL has stopped");
        Ok(())
    }

    /// `false` when nothing was left behind, or what was left has gone.
    async fn adopt(&mut self) -> Result<bool> {
        let pid_file = self.data.join("postmaster.pid");
        let Some(text) = read_if_there(&pid_file)? else {
            return Ok(false);
        };
        // Line 1 is the process, line 5 the socket directory: after a change of TMPDIR it is not where we would put it.
        let lines: Vec<&str> = text.lines().collect();
        let Some(pid) = lines.first().and_then(|line| line.trim().parse().ok()).map(Pid::from_raw) else {
            return Ok(false);
        };
        if !is_postmaster_of(pid, &self.data) {
            // PostgreSQL clears a stale file itself, unless the number now belongs to another process of the same user,
            // as it often does when a container starts again. In doubt the file stays and PostgreSQL refuses to start:
            // two servers on the same files would ruin them.
            if command_line(pid).is_some_and(|line| !line.contains("postgres")) {
                fs::remove_file(&pid_file).with_context(|| format!("remove the stale {}", pid_file.display()))?;
            }
            return Ok(false);
        }
        let own_socket_dir = self.socket_dir.clone();
        if let Some(dir) = lines.get(4).filter(|dir| !dir.is_empty()) {
            self.socket_dir = PathBuf::from(dir);
        }
        self.postmaster = Some(pid);
        match self.answers(ADOPT_PATIENCE).await {
            Ok(true) => {
                info!("adopted the private PostgreSQL (process {pid}) that an earlier run left behind");
                return Ok(true);
            }
            Ok(false) => {}
            Err(error) => {
                warn!("restarting the private PostgreSQL (process {pid}) that an earlier run left behind: {error:#}");
                self.shut_down().await?;
            }
        }
        self.postmaster = None;
        self.socket_dir = own_socket_dir;
        Ok(false)
    }

    async fn launch(&mut self, bin: &Path, account: Option<&Account>, log_path: &Path) -> Result<()> {
        private_dir(&self.socket_dir, account)?;
        // One earlier run is kept, so the log of a crash survives the restart and the files cannot pile up.
        unless(ErrorKind::NotFound, fs::rename(log_path, log_path.with_extension("log.1")))
            .context("set the old log aside")?;
        // `postmaster.pid` and shared memory tell whose the data is. The socket's lock would only repeat it, and block us
        // when a zombie has the number in it; the socket may still be that of a server whose files were moved here.
        for stale in [SOCKET.to_owned(), format!("{SOCKET}.lock")] {
            let removed = fs::remove_file(self.socket_dir.join(stale));
            unless(ErrorKind::NotFound, removed).context("remove a stale socket")?;
        }
        let log =
            OpenOptions::new().create(true).append(true).mode(0o600).open(log_path).context("open the server log")?;
        let mut command = program(bin, "postgres", account);
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        // Quoted, because the setting is a list and a path may contain its comma.
        let dir = self.socket_dir.display().to_string().replace('"', "\"\"");
        command.arg("-c").arg(format!("unix_socket_directories=\"{dir}\"")).arg("-c").arg(format!("port={PORT}"));
        command.arg("-D").arg(&self.data); // last, where `is_postmaster_of` looks for it
        // A group of its own: the terminal's Ctrl-C is for us, who stop the server when the last query is done.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // Not kept: tokio reaps a dropped child, and an adopted server would not be our child anyway.
        let mut child = command.spawn().with_context(|| format!("run {}/postgres", bin.display()))?;
        let id = child.id().expect("a child that was never waited for has an id");
        self.postmaster = Some(Pid::from_raw(i32::try_from(id).context("process id")?));
        // The kernel shows a command line, by which `is_running` knows the server, a moment after the program began.
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.is_running() && child.try_wait()?.is_none() && Instant::now() < deadline {
            sleep(POLL).await;
        }
        drop(child);
        if !self.answers(START_PATIENCE).await? {
            let (path, end) = (log_path.display(), last_lines(log_path, 10)?);
            bail!("PostgreSQL stopped while starting; its log, {path}, ends with:\n{end}");
        }
        info!("started the private PostgreSQL in {} (process {id})", self.data.display());
        Ok(())
    }

    /// Waits until the server lets us log in; `false` when its process has gone.
    async fn answers(&self, patience: Duration) -> Result<bool> {
        let deadline = Instant::now() + patience;
        loop {
            let error = match self.log_in().await {
                Ok(connection) => {
                    return connection.close().await.map(|()| true).context("leave the private PostgreSQL");
                }
                Err(error) => error,
            };
            if !self.is_running() {
                return Ok(false);
            }
            let is_coming_up = match &error {
                sqlx::Error::Io(_) => true,
                // cannot_connect_now: starting, recovering or stopping
                sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "57P03"),
                _ => false,
            };
            if !is_coming_up || Instant::now() >= deadline {
                return Err(error).context("log in to the private PostgreSQL");
            }
            sleep(POLL).await;
        }
    }

    /// Into `postgres`, the database that is there before ours is.
    async fn log_in(&self) -> sqlx::Result<PgConnection> {
        let options = self.connect_options().database("postgres");
        timeout(Duration::from_secs(5), options.connect())
            .await
            .unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
    }

    async fn ensure_database(&self) -> Result<()> {
        let mut connection = self.log_in().await.context("log in to the private PostgreSQL")?;
        let is_there: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(NAME)
            .fetch_one(&mut connection)
            .await
            .context("look for the database")?;
        if !is_there {
            sqlx::query("create database bawwab").execute(&mut connection).await.context("create the database")?;
        }
        connection.close().await.context("leave the private PostgreSQL")
    }

    fn is_running(&self) -> bool {
        self.postmaster.is_some_and(|pid| is_postmaster_of(pid, &self.data))
    }

    /// SIGINT is PostgreSQL's fast shutdown: open transactions are rolled back, nothing committed is lost.
    fn interrupt(&self) -> nix::Result<()> {
        match self.postmaster {
            Some(pid) if self.is_running() => kill(pid, Signal::SIGINT),
            _ => Ok(()),
        }
    }

    async fn shut_down(&mut self) -> Result<()> {
        self.interrupt().context("ask the private PostgreSQL to stop")?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while self.is_running() {
            let patience = STOP_PATIENCE.as_secs();
            ensure!(Instant::now() < deadline, "the private PostgreSQL is still stopping after {patience} seconds");
            sleep(POLL).await;
        }
        Ok(())
    }
}

/// How a private PostgreSQL is reached.
pub struct Server {
    socket_dir: PathBuf,
    password: String,
}

impl Server {
    /// For the owning (migrating) role on database `bawwab`, over the unix socket.
    pub fn connect_options(&self) -> PgConnectOptions {
        // Everything `PGHOST` and its like could have set is set again: they are about some other server.
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(PORT)
            .ssl_mode(PgSslMode::Disable)
            .username(NAME)
            .password(&self.password)
            .database(NAME)
            .application_name(NAME)
    }

    /// The same for PostgreSQL's own programs, as the environment that they read (libpq).
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PGHOST", self.socket_dir.display().to_string()),
            ("PGPORT", PORT.to_string()),
            ("PGSSLMODE", "disable".to_owned()),
            ("PGUSER", NAME.to_owned()),
            ("PGPASSWORD", self.password.clone()),
            ("PGDATABASE", NAME.to_owned()),
        ]
    }
}

fn read_password(data_dir: &Path) -> Result<String> {
    let file = data_dir.join("postgres.password");
    let password = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    Ok(password.trim().to_owned())
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.interrupt() {
            warn!("the private PostgreSQL could not be asked to stop: {error}");
        }
    }
}

fn make_data_dir(path: &Path) -> Result<PathBuf> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    make_dir(path)?;
    let path = path.canonicalize()?;
    ensure!(path.to_str().is_some(), "its path is not UTF-8, which PostgreSQL's settings need");
    Ok(path)
}

fn lock(data_dir: &Path) -> Result<Flock<File>> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(data_dir.join("lock"))
        .context("open the lock file")?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).or_else(|(_, errno)| match errno {
        Errno::EWOULDBLOCK => bail!(
            "another Bawwab is using the data directory {}: stop it, give this one another data directory, \
             or set DATABASE_URL for both",
            data_dir.display()
        ),
        errno => Err(errno).context("lock the data directory"),
    })
}

fn socket_dir(data_dir: &Path) -> PathBuf {
    let inside = data_dir.join("postgres.run");
    if inside.join(SOCKET).as_os_str().len() <= LONGEST_SOCKET_PATH {
        return inside;
    }
    let hash = digest::digest(&digest::SHA256, data_dir.as_os_str().as_bytes());
    std::env::temp_dir().join(format!("bawwab-{}", hex::encode(&hash.as_ref()[..8])))
}

/// Makes a directory for the server alone. One that exists must be like that already: under the temporary directory
/// anybody could have made it first, to stand between us and the server.
fn private_dir(path: &Path, account: Option<&Account>) -> Result<()> {
    make_dir(path)?;
    let found = path.symlink_metadata().with_context(|| format!("look at {}", path.display()))?;
    let is_ours = found.uid() == geteuid().as_raw() || account.is_some_and(|account| account.uid == found.uid());
    ensure!(
        found.is_dir() && is_ours && found.mode() & 0o077 == 0,
        "{} must be a directory nobody else can use: remove it and start again",
        path.display()
    );
    match account {
        Some(account) => lchown(path, Some(account.uid), Some(account.gid))
            .with_context(|| format!("hand {} to the server", path.display())),
        None => Ok(()),
    }
}

/// `initdb` into `postgres.new`, renamed when it is whole, so a crash half-way leaves nothing that looks like a cluster.
async fn create(bin: &Path, account: Option<&Account>, data_dir: &Path, lock: &File) -> Result<()> {
    info!("creating the private PostgreSQL in {}", data_dir.display());
    let (new, password_file) = (data_dir.join("postgres.new"), data_dir.join("postgres.password"));
    write_password(&password_file, account).context("write the database password")?;
    let mut complaint = String::new();
    // Some systems, older macOS for one, have no C.UTF-8.
    for locale in ["C.UTF-8", "C"] {
        if new.exists() {
            fs::remove_dir_all(&new).context("clear away an unfinished cluster")?;
        }
        private_dir(&new, account)?;
        let output = program(bin, "initdb", account)
            .args(["--encoding=UTF8", "--auth=scram-sha-256", "--username", NAME, "--locale", locale])
            .arg("--pwfile")
            .arg(&password_file)
            .arg("-D")
            .arg(&new)
            // It never reads this. It holds the lock, so that after a `kill -9` of us nobody else starts until it is done.
            .stdin(lock.try_clone().context("share the lock")?)
            .output()
            .await
            .context("run initdb")?;
        if output.status.success() {
            fs::rename(&new, data_dir.join("postgres")).context("put the new cluster in place")?;
            return File::open(data_dir).and_then(|dir| dir.sync_all()).context("sync the data directory");
        }
        complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    }
    bail!("initdb failed: {complaint}")
}

fn write_password(path: &Path, account: Option<&Account>) -> Result<()> {
    let mut bytes = [0; 24];
    rand::fill(&mut bytes)?;
    let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    if let Some(account) = account {
        fchown(&file, Some(account.uid), Some(account.gid))?; // initdb reads it
    }
    writeln!(file, "{}", URL_SAFE_NO_PAD.encode(bytes))?;
    Ok(file.sync_all()?)
}

/// Tells our server from another process that got its number, by its command line: `postgres … -D <data>`.
fn is_postmaster_of(pid: Pid, data: &Path) -> bool {
    command_line(pid).is_some_and(|line| line.ends_with(&format!(" -D {}", data.display())))
}

/// Empty for a zombie, which thereby counts as gone. `/proc/…/cwd` would say more, but root in a container may not read it.
fn command_line(pid: Pid) -> Option<String> {
    let line = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => line,
        Err(_) if Path::new("/proc/self/cmdline").exists() => return None,
        Err(_) => {
            std::process::Command::new("ps")
                .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
                .output()
                .ok()?
                .stdout
        }
    };
    Some(String::from_utf8_lossy(&line).replace('\0', " ").trim_end().to_owned())
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).with_context(|| format!("read {}", path.display())),
    }
}

fn make_dir(path: &Path) -> Result<()> {
    let made = DirBuilder::new().mode(0o700).create(path);
    unless(ErrorKind::AlreadyExists, made).with_context(|| format!("make {}", path.display()))
}

/// Forgives one kind of error, after which the outcome is the one we wanted.
fn unless(forgiven: ErrorKind, result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == forgiven { Ok(()) } else { Err(error) })
}

fn last_lines(path: &Path, count: usize) -> Result<String> {
    let text = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(count)..].join("\n"))
}

#[cfg(test)]
mod tests;
