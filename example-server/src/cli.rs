//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// TarsPHP's WebSocket chat server, rebuilt on Rust and Tars.
///
/// Once they answer it prints where: `chat http://127.0.0.1:20083/`, and the address of PHPServer, which greets.
#[derive(Debug, Clone, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0, it is done, and with status: it runs; 1, it could not be done, the reason is on \
                  standard error; 2, wrong arguments; status: 3, it does not run; 4, it runs and does not answer."
)]
pub struct Cli {
    /// On a Tars platform: the config file of the server. It says where to listen; services.toml is looked for in its
    /// basepath, and PHPServer is found by its registry
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "servant_listen"])]
    pub config: Option<PathBuf>,

    /// What becomes of the server of --config; without a command it is started here, as by tarsnode
    #[arg(value_enum, requires = "config")]
    pub command: Option<Command>,

    /// Start it in the background, as does `daemonize=1` in the config with the commands start and restart
    #[arg(long, requires = "command")]
    pub daemon: bool,

    /// Set by the program for the process that it starts in the background
    #[arg(long, hide = true, requires = "command")]
    pub detached: bool,

    /// How to run it by hand.
    #[command(flatten)]
    pub args: Args,
}

/// What becomes of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Command {
    /// Start it
    Start,
    /// Let it drain and end; end it, if that takes too long
    Stop,
    /// Stop and start
    Restart,
    /// Say whether it runs, and what it says of itself
    Status,
}

/// How to run it by hand.
#[derive(Debug, Clone, clap::Args)]
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
