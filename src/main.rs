//! The one binary. See `bawwab --help`.

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    bawwab::app::server::cli::run().await
}
