//! A server of the benchmark's own, on a database of its own, with the people that the rows need.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use crate::http::Client;

pub const ADMIN: &str = "bench@example.com";
pub const PASSWORD: &str = "a bench stands in the garden";

pub struct Server {
    child: Child,
    pub client: Client,
    pub database: String,
    maintenance: String,
    name: String,
    folder: std::path::PathBuf,
}

impl Server {
    pub async fn start(program: &str, maintenance: &str) -> anyhow::Result<Self> {
        let name = format!("bench_{}", std::process::id());
        psql(maintenance, &format!("create database {name}")).await?;
        let database = match maintenance.rsplit_once('/') {
            Some((server, _)) => format!("{server}/{name}"),
            None => anyhow::bail!("DATABASE_URL has no database"),
        };
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let url = format!("http://localhost:{port}");
        let folder = std::env::temp_dir().join(&name);
        let command = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command
                .args(arguments)
                .env("DATABASE_URL", &database)
                .env("BAWWAB_PORT", port.to_string())
                .env("BAWWAB_PUBLIC_URL", &url)
                .env("BAWWAB_DATA_DIR", &folder)
                .env("BAWWAB_SECRET_KEY", "5e".repeat(32))
                .env("BAWWAB_LOG", "error");
            command
        };
        // The benchmark is one address, and no new device; super-admins would have to set up a second factor.
        for (key, value) in [
            ("sessions.sign_in", json!({"second_factor_roles": []})),
            ("sessions.limits", json!({"free_by_account": 20, "free_by_address": 1000})),
            (
                "sessions.risk",
                json!({"ask_new_device": false, "ask_new_network": false, "ask_new_country": false, "mail_new_device": false}),
            ),
        ] {
            let set = command(&["settings", "set", key, &value.to_string()]).status().await?;
            ensure!(set.success(), "set {key}");
        }
        let mut admin = command(&["admin", "create", "--email", ADMIN, "--password-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        admin.stdin.take().context("its input")?.write_all(PASSWORD.as_bytes()).await?;
        ensure!(admin.wait().await?.success(), "make the administrator");
        let child = command(&[]).stdout(Stdio::null()).kill_on_drop(true).spawn()?;
        let client = Client::new(url)?;
        for _ in 0..600 {
            if client.get("/readyz", None).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        client.get("/readyz", None).await.context("the server does not become ready")?;
        Ok(Server { child, client, database, maintenance: maintenance.to_owned(), name, folder })
    }

    /// Signs in and gives the tokens.
    pub async fn sign_in(&self, email: &str) -> anyhow::Result<Value> {
        self.client.post("/auth/login", &json!({"email": email, "password": PASSWORD}), None).await
    }

    /// Adds people with the benchmark's password.
    pub async fn add_people(&self, prefix: &str, count: usize) -> anyhow::Result<Vec<String>> {
        let tokens = self.sign_in(ADMIN).await?;
        let token = tokens["access_token"].as_str().context("a token")?;
        let mut emails = Vec::new();
        for n in 0..count {
            let email = format!("{prefix}{n}@example.com");
            let person = json!({"email": email, "name": format!("Person {n}"), "password": PASSWORD});
            self.client.post("/admin/users", &person, Some(token)).await?;
            emails.push(email);
        }
        Ok(emails)
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        psql(&self.maintenance, &format!("drop database {} with (force)", self.name)).await?;
        std::fs::remove_dir_all(&self.folder).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        Ok(())
    }
}

pub async fn psql(database: &str, statement: &str) -> anyhow::Result<()> {
    let done =
        Command::new("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, database]).status().await?;
    ensure!(done.success(), "{statement}");
    Ok(())
}
