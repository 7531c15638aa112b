//! A server of the benchmark's own, on a database of its own, with the people that the rows need.

use anyhow::Context as _;
pub use bawwab_running::{ADMIN, PASSWORD, psql};
use bawwab_running::{Client, Installation, Node};
use serde_json::{Value, json};

pub struct Server {
    node: Node,
    pub client: Client,
    pub database: String,
    installation: Installation,
    maintenance: String,
    name: String,
}

impl Server {
    pub async fn start(program: &str, maintenance: &str) -> anyhow::Result<Self> {
        let name = format!("bench_{}", std::process::id());
        psql(maintenance, &format!("create database {name}")).await?;
        let database = match maintenance.rsplit_once('/') {
            Some((server, _)) => format!("{server}/{name}"),
            None => anyhow::bail!("DATABASE_URL has no database"),
        };
        let folder = std::env::temp_dir().join(&name);
        let installation = Installation { program: program.to_owned(), database: database.clone(), folder };
        installation.prepare().await?;
        let node = installation.node().await?;
        let client = node.client.clone();
        Ok(Server { node, client, database, installation, maintenance: maintenance.to_owned(), name })
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
        self.node.kill().await?;
        psql(&self.maintenance, &format!("drop database {} with (force)", self.name)).await?;
        self.installation.remove_folder()
    }
}
