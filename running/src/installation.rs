//! An installation: a database, a master key, and the nodes that are started on it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use crate::http::Client;

pub const ADMIN: &str = "bench@example.com";
pub const PASSWORD: &str = "a bench stands in the garden";
/// As hexadecimal digits.
pub const MASTER_KEY: &str = "5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e";

#[derive(Clone, Debug)]
pub struct Installation {
    /// The server's binary.
    pub program: String,
    /// Its address.
    pub database: String,
    /// The data directory. Made by the server.
    pub folder: PathBuf,
}

/// A server at work. It is killed when it is dropped.
pub struct Node {
    child: Child,
    pub client: Client,
}

impl Installation {
    /// The server's program with what every node of it is told.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("DATABASE_URL", &self.database)
            // One origin, whichever node answers.
            .env("BAWWAB_PUBLIC_URL", "http://localhost:3000")
            .env("BAWWAB_DATA_DIR", &self.folder)
            .env("BAWWAB_SECRET_KEY", MASTER_KEY)
            .env("BAWWAB_LOG", "error")
            .kill_on_drop(true);
        command
    }

    /// Replaces a group of settings.
    pub async fn set(&self, key: &str, value: &Value) -> anyhow::Result<()> {
        let set = self.command(&["settings", "set", key, &value.to_string()]).status().await?;
        ensure!(set.success(), "set {key}");
        Ok(())
    }

    /// Rules that fit many sign-ins from one place, and the administrator.
    pub async fn prepare(&self) -> anyhow::Result<()> {
        // We are one address, and no new device; super-admins would have to set up a second factor.
        for (key, value) in [
            ("sessions.sign_in", json!({"second_factor_roles": []})),
            ("sessions.limits", json!({"free_by_account": 20, "free_by_address": 1000})),
            (
                "sessions.risk",
                json!({"ask_new_device": false, "ask_new_network": false, "ask_new_country": false, "mail_new_device": false}),
            ),
        ] {
            self.set(key, &value).await?;
        }
        let mut admin = self
            .command(&["admin", "create", "--email", ADMIN, "--password-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        admin.stdin.take().context("its input")?.write_all(PASSWORD.as_bytes()).await?;
        ensure!(admin.wait().await?.success(), "make the administrator");
        Ok(())
    }

    /// Starts a node and waits until it is ready.
    pub async fn node(&self) -> anyhow::Result<Node> {
        self.node_as(self.command(&[]), None).await
    }

    /// Starts a node by a command of the caller's own (made by [`Self::command`]), with its log in a file.
    pub async fn node_as(&self, mut command: Command, log: Option<&Path>) -> anyhow::Result<Node> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        command.env("BAWWAB_PORT", port.to_string()).stdout(Stdio::null());
        if let Some(log) = log {
            command.stderr(Stdio::from(File::options().create(true).append(true).open(log)?));
        }
        let mut node = Node { child: command.spawn()?, client: Client::new(format!("http://localhost:{port}"))? };
        node.ready().await?;
        Ok(node)
    }

    pub fn remove_folder(&self) -> anyhow::Result<()> {
        fs::remove_dir_all(&self.folder).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        Ok(())
    }
}

impl Node {
    /// Waits until it is ready, for half a minute.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..600 {
            if self.client.get("/readyz", None).await.is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the server has ended by itself: {status}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the server does not become ready")
    }

    /// Its process, for what the system tells of that; none once it has ended.
    pub fn process(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until it has ended by itself, for ten seconds. Gives back whether it has.
    pub async fn ends(&mut self) -> anyhow::Result<bool> {
        match tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await {
            Ok(status) => status.map(|_status| true).context("wait for the server"),
            Err(_late) => Ok(false),
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

pub async fn psql(database: &str, statement: &str) -> anyhow::Result<()> {
    rows(database, statement).await.map(|_rows| ())
}

/// What a query gives: a line for each row, `|` between columns.
pub async fn rows(database: &str, query: &str) -> anyhow::Result<Vec<String>> {
    let done = Command::new("psql")
        .args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", query, database])
        .kill_on_drop(true)
        .output()
        .await
        .context("run psql")?;
    ensure!(done.status.success(), "{query}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect())
}
