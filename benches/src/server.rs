//! A server of the benchmark's own, on a database of its own, with the people that the rows need.

use std::{fs, time::Duration};

use anyhow::Context as _;
pub use bawwab_running::{ADMIN, PASSWORD, psql};
use bawwab_running::{Client, Installation, Node, rows};
use serde_json::{Value, json};

pub struct Server {
    node: Node,
    pub client: Client,
    pub database: String,
    installation: Installation,
    maintenance: String,
    name: String,
}

/// Looks at the memory of the server's process, in MB.
#[derive(Default)]
pub struct Resident {
    /// All that lies in memory.
    pub whole: Vec<f64>,
    /// Of it what the process itself has written: without the parts of its file that were read, which the system may drop.
    pub own: Vec<f64>,
}

impl Server {
    /// `purpose`: tells its database from the others of this run.
    pub async fn start(program: &str, maintenance: &str, purpose: &str) -> anyhow::Result<Self> {
        let name = format!("bench_{purpose}_{}", std::process::id());
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

    /// One more node on the same database.
    pub async fn another_node(&self) -> anyhow::Result<Node> {
        self.installation.node().await
    }

    /// Kills the node: until [`Self::begin_again`] nobody is at work on the database.
    pub async fn halt(&mut self) -> anyhow::Result<()> {
        self.node.kill().await
    }

    pub async fn begin_again(&mut self) -> anyhow::Result<()> {
        self.node = self.installation.node().await?;
        self.client = self.node.client.clone();
        Ok(())
    }

    /// Signs in and gives the tokens.
    pub async fn sign_in(&self, email: &str) -> anyhow::Result<Value> {
        self.client.post("/auth/login", &json!({"email": email, "password": PASSWORD}), None).await
    }

    /// Signs in and gives what is shown at each request.
    pub async fn access_token(&self, email: &str) -> anyhow::Result<String> {
        Ok(self.sign_in(email).await?["access_token"].as_str().context("a token")?.to_owned())
    }

    /// Adds people with the benchmark's password.
    pub async fn add_people(&self, prefix: &str, count: usize) -> anyhow::Result<Vec<String>> {
        let token = self.access_token(ADMIN).await?;
        let mut emails = Vec::new();
        for n in 0..count {
            let email = format!("{prefix}{n}@example.com");
            let person = json!({"email": email, "name": format!("Person {n}"), "password": PASSWORD});
            self.client.post("/admin/users", &person, Some(&token)).await?;
            emails.push(email);
        }
        Ok(emails)
    }

    /// The first value of the first row of a query, asked as a superuser.
    pub async fn value(&self, query: &str) -> anyhow::Result<String> {
        rows(&self.database, query).await?.into_iter().next().with_context(|| format!("{query}: no row"))
    }

    /// For how long the server's process has been on processors, in milliseconds.
    pub fn processor_ms(&self) -> Option<f64> {
        // After the name, which may have blanks and ends with a bracket: the 12th and 13th are user and system time, in
        // hundredths of a second whatever the kernel's own tick is.
        let told = fs::read_to_string(format!("/proc/{}/stat", self.node.process()?)).ok()?;
        let fields = told.rsplit_once(')')?.1.split_whitespace().collect::<Vec<_>>();
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some((ticks(11)? + ticks(12)?) * 10.0)
    }

    /// What of the server's process lies in memory, in MB, looked at so often within a few seconds.
    pub async fn resident_mb(&self, looks: usize) -> anyhow::Result<Resident> {
        let process = self.node.process().context("the server has ended")?;
        let mut resident = Resident::default();
        for _ in 0..looks.max(1) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let status = fs::read_to_string(format!("/proc/{process}/status"))?;
            let mb = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_owned())?;
                let kb = line.split_whitespace().next().context("a number")?.parse::<f64>()?;
                anyhow::Ok(kb / 1_024.0)
            };
            resident.whole.push(mb("VmRSS:")?);
            resident.own.push(mb("RssAnon:")?);
        }
        Ok(resident)
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.node.kill().await?;
        psql(&self.maintenance, &format!("drop database {} with (force)", self.name)).await?;
        self.installation.remove_folder()
    }
}
