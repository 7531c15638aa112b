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

pub async fn idle(server: &Server) -> anyhow::Result<[Measured; 2]> {
    // It has answered something, so that nothing is counted as saved that is only not yet there.
    server.access_token(ADMIN).await?;
    measured(server, "idle", "1 person".to_owned(), "40 MB", IDLE_MB).await
}

/// The node has been started on the filled database: its snapshot has everybody.
pub async fn full(server: &Server, filled: &Filled) -> anyhow::Result<[Measured; 2]> {
    let token = server.access_token(ADMIN).await?;
    server.client.get("/admin/users?limit=50", Some(&token)).await?;
    let size = format!("{} people", filled.people);
    measured(server, "with everybody's grants", size, "120 MB, meant for 10⁶ people", FULL_MB).await
}

async fn measured(
    server: &Server,
    when: &str,
    size: String,
    what: &'static str,
    bound: f64,
) -> anyhow::Result<[Measured; 2]> {
    let resident = server.resident_mb(LOOKS).await?;
    let bounds = vec![bound; resident.whole.len()];
    let words = |name: String, target| Words { name, size: size.clone(), what, target, unit: " MB" };
    Ok([
        Measured::of(words(format!("resident memory, {when}"), "≤ 1"), resident.whole, bounds.clone()),
        Measured::of(words(format!("of it the process's own, {when}"), "–"), resident.own, bounds),
    ])
}
