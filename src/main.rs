//! The one binary. See `bawwab --help`.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

#[tokio::main]
async fn main() -> ExitCode {
    match bawwab::app::server::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be a file on a full disk, where `eprintln!` panics.
            writeln!(io::stderr(), "{error:#}").ok();
            ExitCode::FAILURE
        }
    }
}
