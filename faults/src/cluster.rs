//! A PostgreSQL of our own, with the durability that it comes with: one that can be killed.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use bawwab_running::rows;
use tokio::process::Command;

/// So often something is tried that takes a moment, 0.2 s apart.
const TRIES: usize = 150;

pub struct Cluster {
    programs: PathBuf,
    /// Holds `data` and the log.
    folder: PathBuf,
    port: u16,
}

/// PostgreSQL refuses to run as root; then the account `postgres` does it, or `nobody`.
async fn account() -> anyhow::Result<Option<&'static str>> {
    if !is_root() {
        return Ok(None);
    }
    let known = Command::new("id").args(["-u", "postgres"]).output().await?.status.success();
    Ok(Some(if known { "postgres" } else { "nobody" }))
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Runs a program and says what it said if it fails. What it leaves running must not hold our pipes.
pub async fn run(command: &mut Command) -> anyhow::Result<()> {
    let said = std::env::temp_dir().join(format!("bawwab-faults-{}.said", std::process::id()));
    let file = fs::File::create(&said)?;
    let status = command.current_dir("/").stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).status().await;
    let text = fs::read_to_string(&said).unwrap_or_default();
    fs::remove_file(&said)?;
    let status = status.with_context(|| format!("run {command:?}"))?;
    ensure!(status.success(), "{:?}: {status}: {}", command.as_std(), text.trim());
    Ok(())
}

impl Cluster {
    /// Makes one in an empty folder that its account may enter, and starts it.
    pub async fn make(programs: &Path, folder: &Path, initdb: &[&str], settings: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        if let Some(account) = account().await? {
            run(Command::new("chown").arg("-R").arg(account).arg(folder)).await?;
        }
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let cluster = Cluster { programs: programs.to_owned(), folder: folder.to_owned(), port };
        let mut command = cluster.program("initdb").await?;
        command.arg("-D").arg(cluster.data());
        command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]).args(initdb);
        run(&mut command).await?;
        let file = cluster.data().join("postgresql.conf");
        let mut text = fs::read_to_string(&file)?;
        text.push_str("\nmax_connections = 150\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n");
        text.push_str(settings);
        fs::write(&file, text)?;
        cluster.up().await?;
        bawwab_running::psql(&cluster.address("postgres"), "create role bawwab_app nologin").await?;
        Ok(cluster)
    }

    async fn program(&self, name: &str) -> anyhow::Result<Command> {
        let path = self.programs.join(name);
        Ok(match account().await? {
            Some(account) => {
                let mut command = Command::new("runuser");
                command.args(["-u", account, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        })
    }

    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn address(&self, database: &str) -> String {
        self.address_at(self.port, database)
    }

    /// As it is reached by a proxy.
    pub fn address_at(&self, port: u16, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/{database}")
    }

    /// Starts it. Too early after a kill what is left of the one before stands in the way: then once more.
    pub async fn up(&self) -> anyhow::Result<()> {
        let mut last = None;
        for _ in 0..TRIES {
            if self.answers().await {
                return Ok(());
            }
            let mut command = self.program("pg_ctl").await?;
            command.arg("-D").arg(self.data()).arg("-l").arg(self.log());
            command.args(["-o", &format!("-p {}", self.port), "-w", "-t", "60", "start"]);
            match run(&mut command).await {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no try"))).context("start PostgreSQL")
    }

    /// Whether a query is answered.
    pub async fn answers(&self) -> bool {
        rows(&self.address("postgres"), "select 1").await.is_ok()
    }

    fn postmaster(&self) -> anyhow::Result<String> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).context("PostgreSQL does not run")?;
        Ok(text.lines().next().context("a process")?.trim().to_owned())
    }

    /// SIGKILL to the postmaster, and waits until nobody is answered any more.
    pub async fn kill(&self) -> anyhow::Result<()> {
        run(Command::new("kill").args(["-9", &self.postmaster()?])).await?;
        self.is_down().await
    }

    /// As pulled out: sessions are cut, nothing is written down in order.
    pub async fn stop_at_once(&self) -> anyhow::Result<()> {
        let mut command = self.program("pg_ctl").await?;
        run(command.arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"])).await?;
        self.is_down().await
    }

    async fn is_down(&self) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            if !self.answers().await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        bail!("PostgreSQL still answers")
    }

    /// For good. What is left of it is not looked at.
    pub async fn end(&self) {
        if self.postmaster().is_ok()
            && let Err(error) = self.stop_at_once().await
        {
            eprintln!("a PostgreSQL did not stop: {error:#}");
        }
    }
}
