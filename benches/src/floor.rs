//! The least that could answer a question over HTTP: an axum handler that reads a JSON body and writes one, in a process of
//! its own as the server is.

use std::{process::Stdio, time::Duration};

use anyhow::{Context as _, ensure};
use axum::{Json, Router, routing::post};
use bawwab_running::Client;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

/// The word by which this program is started as the floor.
pub const WORD: &str = "--as-floor";

/// Its path.
pub const PATH: &str = "/check";

/// Answers until it is killed.
pub async fn serve(port: u16) -> anyhow::Result<()> {
    let router = Router::new().route(PATH, post(answer));
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, router).await?)
}

async fn answer(Json(asked): Json<Value>) -> Json<Value> {
    Json(json!({"decision": asked["subject"].is_object() || asked["user"].is_string()}))
}

/// The floor at work. It is killed when it is dropped.
pub struct Floor {
    child: Child,
    pub client: Client,
}

impl Floor {
    pub async fn start() -> anyhow::Result<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new(std::env::current_exe()?)
            .args([WORD, &port.to_string()])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("start the plain handler")?;
        let client = Client::new(format!("http://127.0.0.1:{port}"))?;
        for _ in 0..100 {
            if client.post(PATH, &json!({}), None).await.is_ok() {
                return Ok(Floor { child, client });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("the plain handler does not answer")
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the plain handler has ended by itself");
        Ok(self.child.kill().await?)
    }
}
