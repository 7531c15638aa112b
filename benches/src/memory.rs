//! How much of the server lies in memory: with nobody in it, and with everybody's grants.

use crate::{
    filling::Filled,
    report::{Measured, Words},
    server::{ADMIN, Server},
};

/// What is promised, in MB: with nobody, and with a million people.
const IDLE_MB: f64 = 40.0;
const FULL_MB: f64 = 120.0;
const LOOKS: usize = 7;

pub async fn idle(server: &Server) -> anyhow::Result<Measured> {
    // It has answered something, so that nothing is counted as saved that is only not yet there.
    server.access_token(ADMIN).await?;
    measured(server, "resident memory, idle", "1 person".to_owned(), "40 MB", IDLE_MB).await
}

/// The node has been started on the filled database: its snapshot has everybody.
pub async fn full(server: &Server, filled: &Filled) -> anyhow::Result<Measured> {
    let token = server.access_token(ADMIN).await?;
    server.client.get("/admin/users?limit=50", Some(&token)).await?;
    let size = format!("{} people", filled.people);
    measured(server, "resident memory with everybody's grants", size, "120 MB, meant for 10⁶ people", FULL_MB).await
}

async fn measured(
    server: &Server,
    name: &str,
    size: String,
    what: &'static str,
    bound: f64,
) -> anyhow::Result<Measured> {
    let looks = server.resident_mb(LOOKS).await?;
    let bounds = vec![bound; looks.len()];
    Ok(Measured::of(Words { name: name.to_owned(), size, what, target: "≤ 1", unit: " MB" }, looks, bounds))
}
