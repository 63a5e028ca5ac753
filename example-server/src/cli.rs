//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// TarsPHP's WebSocket chat server, rebuilt on Rust and Tars.
///
/// Once they answer it prints where: `chat http://127.0.0.1:20083/`, and the address of PHPServer, which greets.
#[derive(Debug, Clone, Parser)]
#[command(version)]
pub struct Args {
    /// Where browsers, WebSocket clients and HTTP callers connect; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:20083")]
    pub listen: SocketAddr,

    /// Where the embedded PHPServer listens, 127.0.0.1:20084 by default; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT")]
    pub servant_listen: Option<SocketAddr>,

    /// Call this PHPServer instead of the embedded one, which then runs only with --servant-listen: "PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p 20001"
    #[arg(long, value_name = "ADDRESS")]
    pub servant: Option<String>,

    /// The configuration, as services.toml; the defaults without it
    #[arg(long, value_name = "FILE")]
    pub services: Option<PathBuf>,

    /// Send every message back, up to 32 MiB, for conformance suites
    #[arg(long)]
    pub echo: bool,
}
