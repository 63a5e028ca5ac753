//! The program: a server run by hand, or one on a Tars platform.
//!
//! | module | is |
//! |---|---|
//! | `by_hand` | `example-server --listen ..`: a server without a platform |
//! | `deployment` | what the config of the platform and services.toml say together |
//! | `serve` | a server on the platform: starts, serves, drains |
//! | `pid_file`, `daemon`, `control` | the process: that there is one only, in the background, stop and status |
//! | `logs`, `numbers`, `readiness` | what operators see of it |

mod by_hand;
mod control;
mod daemon;
mod deployment;
mod logs;
mod numbers;
mod pid_file;
mod readiness;
mod serve;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tars_rpc::config::{ConfigError, ServerConfig};

use self::deployment::Deployment;
use self::pid_file::PidFile;
use crate::cli::{Cli, Command};
use crate::server::ServerError;
use crate::services::ServicesError;

/// What is done when the listeners answer, with the lines that say so.
type Ready = Box<dyn FnOnce(&[String], &ServerConfig) -> Result<(), Failure>>;

/// Why the program does not do what it is told.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{}: {problem}", .path.display())]
    Deployment { path: PathBuf, problem: String },
    #[error("{}: {source}", .path.display())]
    Services {
        path: PathBuf,
        source: ServicesError,
    },
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{0} runs already, as process {1}; use restart, or stop it first")]
    RunsAlready(String, i32),
    #[error("cannot {action} {}: {source}", .path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot {0}: {1}")]
    System(&'static str, io::Error),
    #[error("it did not start; {0}")]
    NotStarted(String),
    #[error("process {pid} did not end within {time:?} and was killed")]
    Killed { pid: i32, time: Duration },
    #[error("process {0} does not end, although it was killed")]
    Immortal(i32),
    #[error("adapter {adapter}: {source}")]
    Adapter {
        adapter: String,
        source: tars_rpc::Error,
    },
    #[error("monitorStoreConf: {0}")]
    MonitorStore(tars_rpc::platform::stat::StoreError),
    #[error("it ended by itself")]
    Ended,
}

/// Runs the program.
pub fn run(cli: Cli) -> ExitCode {
    let Some(config) = &cli.config else {
        return code(by_hand::run(cli.args));
    };
    let deployment = match Deployment::read(config, &cli.args) {
        Ok(deployment) => deployment,
        Err(failure) => return code(Err(failure)),
    };
    let server = &deployment.server;
    let in_background = cli.daemon || (cli.command.is_some() && server.daemonize);
    match cli.command {
        _ if cli.detached => code(daemon::detached(|ready| serve::run(deployment, ready))),
        Some(Command::Status) => control::status(server),
        Some(Command::Stop) => code(control::stop(server)),
        None | Some(Command::Start) => code(start(deployment, in_background)),
        Some(Command::Restart) => {
            let stopped = match control::stop(server) {
                // It is out of the way, which is what matters here.
                Err(killed @ Failure::Killed { .. }) => {
                    complain(&killed);
                    Ok(())
                }
                stopped => stopped,
            };
            code(stopped.and_then(|()| start(deployment, in_background)))
        }
    }
}

/// Starts the server here, or in the background.
fn start(deployment: Deployment, in_background: bool) -> Result<(), Failure> {
    refuse_a_second(&deployment.server)?;
    if in_background {
        return daemon::start(deployment.server.activating_timeout);
    }
    serve::run(
        deployment,
        Box::new(|lines, _| {
            lines.iter().for_each(say);
            Ok(())
        }),
    )
}

fn refuse_a_second(server: &ServerConfig) -> Result<(), Failure> {
    match PidFile::of(server).holder()? {
        Some(pid) => Err(Failure::RunsAlready(server.name(), pid)),
        None => Ok(()),
    }
}

fn code(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::FAILURE
        }
    }
}

/// A line on standard output. If it is closed, that is its reader's business.
fn say(line: impl Display) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}");
    let _ = stdout.flush();
}

/// A line on standard error, where people and `tarsnode`'s log look.
fn complain(problem: &impl Display) {
    let _ = writeln!(io::stderr(), "example-server: {problem}");
}
