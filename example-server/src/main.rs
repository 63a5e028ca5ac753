//! The chat server's program: see `--help`.

#![forbid(unsafe_code)]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use example_server::cli::Args;
use example_server::server::{self, Server, ServerError};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), ServerError> {
    let server = Server::bind(args).await?;
    // Before the ready line, so that a signal sent by whoever waits for it is not lost.
    let signal = server::termination()?;
    let shutdown = server.shutdown_handle();
    tokio::spawn(async move {
        signal.await;
        tracing::info!("going down");
        shutdown.cancel();
    });
    let mut lines = format!("chat {}\n", server.url());
    if let Some(address) = server.servant_address() {
        lines.push_str(&format!("PHPServer {address}\n"));
    }
    let answering = server.answering();
    let announce = async {
        if let Err(error) = answering.await {
            tracing::warn!(%error, "PHPServer does not answer yet; until it does, hello is an error");
        }
        announce(&lines);
    };
    tokio::join!(server.run(), announce);
    Ok(())
}

/// The ready lines: what scripts and tests wait for. A closed standard output is their business.
fn announce(lines: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(lines.as_bytes());
    let _ = stdout.flush();
}
