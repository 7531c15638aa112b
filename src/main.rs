//! The one binary. See `bawwab --help`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match bawwab::app::server::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
