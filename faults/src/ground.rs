//! Where the cases take place: the PostgreSQL, and for each case a database and nodes of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use bawwab_running::{ADMIN, Installation, Node, psql};
use tokio::process::Command;

use crate::{cluster::Cluster, journal::Journal, load};

pub struct Ground {
    pub program: String,
    /// PostgreSQL's.
    pub programs: PathBuf,
    /// For clusters, removed at the end.
    pub folder: PathBuf,
    /// For the report, logs and journals, kept.
    pub kept: PathBuf,
    pub cluster: Cluster,
}

/// The database that the others are copied from, with the administrators.
const MODEL: &str = "model";
/// Who else is super-admin.
pub const SECOND: &str = "second@example.com";

/// A case's own database on a cluster.
pub struct World {
    pub installation: Installation,
    kept: PathBuf,
    name: String,
    direct: String,
}

impl Ground {
    pub async fn prepare(program: String, programs: PathBuf, folder: PathBuf, kept: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&kept).with_context(|| format!("create {}", kept.display()))?;
        let cluster = Cluster::make(&programs, &folder, &[], "").await?;
        let ground = Ground { program, programs, folder, kept, cluster };
        ground.make_model(&ground.cluster).await?;
        Ok(ground)
    }

    /// The database that worlds on this cluster are copied from.
    pub async fn make_model(&self, cluster: &Cluster) -> anyhow::Result<()> {
        psql(&cluster.address("postgres"), &format!("create database {MODEL}")).await?;
        let world = self.at(cluster, MODEL);
        world.installation.prepare().await?;
        // Nobody is there yet who could agree to a second super-admin.
        let alone = "insert into settings (tenant_id, key, value)
                     select id, 'approvals.rules', '{\"required\": 0}' from tenants";
        psql(&world.database(), alone).await?;
        let log = self.kept.join("model.log");
        let mut node = world.installation.node_as(world.installation.command(&[]), Some(&log)).await?;
        let token = load::sign_in(&node.client, ADMIN).await?.text_of("access_token");
        load::person(&node.client, &token, SECOND, &["super-admin"]).await?;
        node.kill().await?;
        // Else its connections would still be there for a moment, and a database with some is not copied.
        let others = format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{MODEL}'");
        psql(&cluster.address("postgres"), &others).await
    }

    fn at(&self, cluster: &Cluster, name: &str) -> World {
        let database = cluster.address(name);
        let installation = Installation {
            program: self.program.clone(),
            database: database.clone(),
            folder: std::env::temp_dir().join(format!("bawwab-faults-{}-{name}", std::process::id())),
        };
        World { installation, kept: self.kept.clone(), name: name.to_owned(), direct: database }
    }

    /// A copy of the model.
    pub async fn world(&self, name: &str) -> anyhow::Result<World> {
        self.world_on(&self.cluster, name).await
    }

    pub async fn world_on(&self, cluster: &Cluster, name: &str) -> anyhow::Result<World> {
        self.copy(cluster, MODEL, name).await
    }

    /// A copy of a database that nobody is at work on.
    pub async fn copy(&self, cluster: &Cluster, from: &str, name: &str) -> anyhow::Result<World> {
        let name = name.to_lowercase();
        psql(&cluster.address("postgres"), &format!("create database {name} template {from}")).await?;
        // What a sequence of the copied database had written down ahead is not written down for the copy: without this a
        // crash would set it back.
        psql(&cluster.address("postgres"), "checkpoint").await?;
        Ok(self.at(cluster, &name))
    }
}

impl World {
    /// The database itself, past any proxy.
    pub fn database(&self) -> String {
        self.direct.clone()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    fn log(&self, node: &str) -> PathBuf {
        self.kept.join(format!("{}.{node}.log", self.name))
    }

    /// The logs of its nodes.
    pub fn logs(&self) -> anyhow::Result<Vec<PathBuf>> {
        let ours = format!("{}.", self.name);
        let files = fs::read_dir(&self.kept)?.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path());
        let name_of = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&ours));
        Ok(files.filter(|path| name_of(path) && path.extension().is_some_and(|end| end == "log")).collect())
    }

    pub fn journal(&self) -> anyhow::Result<Journal> {
        Journal::begin(&self.kept.join(format!("{}.journal", self.name)))
    }

    pub async fn node(&self, name: &str) -> anyhow::Result<Node> {
        self.node_as(name, self.installation.command(&[])).await
    }

    pub async fn node_as(&self, name: &str, command: Command) -> anyhow::Result<Node> {
        let log = self.log(name);
        let node = self.installation.node_as(command, Some(&log)).await;
        node.with_context(|| format!("start {name}, whose log is {}", log.display()))
    }

    /// A node that reaches the database by a port of ours.
    pub async fn node_by(&self, name: &str, cluster: &Cluster, port: u16) -> anyhow::Result<Node> {
        let mut command = self.installation.command(&[]);
        command.env("DATABASE_URL", cluster.address_at(port, &self.name));
        self.node_as(name, command).await
    }
}

impl Drop for World {
    /// Letters that were written to files. What is left behind does no harm.
    fn drop(&mut self) {
        self.installation.remove_folder().ok();
    }
}
