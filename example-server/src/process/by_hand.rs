//! A server without a platform: `example-server`, `example-server --listen ..`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::{Failure, say};
use crate::cli::Args;
use crate::server::{self, Server, ServerError};

/// Runs it until a signal ends it.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::System("start threads", error))?;
    Ok(runtime.block_on(serve(args))?)
}

async fn serve(args: Args) -> Result<(), ServerError> {
    let server = Server::bind(args).await?;
    // Before the ready lines, so that a signal sent by whoever waits for them is not lost.
    let signal = server::termination()?;
    let shutdown = server.shutdown_handle();
    tokio::spawn(async move {
        signal.await;
        tracing::info!("going down");
        shutdown.cancel();
    });
    let mut lines = vec![format!("chat {}", server.url())];
    lines.extend(
        server
            .servant_address()
            .map(|address| format!("PHPServer {address}")),
    );
    let answering = server.answering();
    let announce = async {
        if let Err(error) = answering.await {
            tracing::warn!(%error, "PHPServer does not answer yet; until it does, hello is an error");
        }
        say(lines.join("\n"));
    };
    tokio::join!(server.run(), announce);
    Ok(())
}
