//! A server in the background.
//!
//! The program starts itself again with `--detached`. That process leaves the session before it has any thread, and
//! says on its standard output when its listeners answer; only then it is said to have started, and its output goes to
//! the log of the server.

use std::env;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::setsid;
use rustix::stdio::{dup2_stderr, dup2_stdout};
use tars_rpc::config::ServerConfig;

use super::{Failure, Ready, logs, say};

/// Begins the line that is the last of those that say that the server has started.
pub(super) const RUNS: &str = "runs as process ";

/// Starts the server in the background, and waits until it answers.
pub(super) fn start(within: Duration) -> Result<(), Failure> {
    let program =
        env::current_exe().map_err(|error| Failure::System("find this program", error))?;
    let mut child = Command::new(program)
        .args(env::args_os().skip(1))
        .arg("--detached")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::System("start a process", error))?;
    let started = match child.stdout.take() {
        Some(stdout) => relay(stdout, Instant::now() + within),
        None => Ok(false),
    };
    match started {
        Ok(true) => Ok(()),
        Ok(false) => {
            let status = child.wait();
            let status = status.map_err(|error| Failure::System("wait for the process", error))?;
            Err(Failure::NotStarted(format!(
                "its process ended with {status}"
            )))
        }
        Err(late) => {
            end(&mut child);
            Err(Failure::NotStarted(format!(
                "its listeners did not answer within {within:?} (activating-timeout), and its process was killed: {late}"
            )))
        }
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Shows what the process says, up to its end of file; whether it says that it has started.
fn relay(stdout: ChildStdout, deadline: Instant) -> Result<bool, RecvTimeoutError> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // Whoever waited too long listens no more.
        lines
            .map(|line| sender.send(line))
            .any(|sent| sent.is_err());
    });
    let mut has_started = false;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                has_started |= line.contains(RUNS);
                say(line);
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(has_started),
            Err(late) => return Err(late),
        }
    }
}

/// Runs `serve` as the process in the background; it calls its argument when the server answers.
pub(super) fn detached(serve: impl FnOnce(Ready) -> Result<(), Failure>) -> Result<(), Failure> {
    // It fails for the leader of a group, which this process is not unless somebody else has started it.
    let _ = setsid();
    serve(Box::new(|lines, server| {
        lines.iter().for_each(say);
        let_go(server)
    }))
}

/// From now on standard output and error go where `tarsnode` has them, too.
fn let_go(server: &ServerConfig) -> Result<(), Failure> {
    let path = logs::path(server);
    let failed = |source| Failure::File {
        action: "open",
        path: path.clone(),
        source,
    };
    let log = OpenOptions::new().append(true).create(true).open(&path);
    let log = log.map_err(failed)?;
    dup2_stderr(&log).map_err(|error| failed(error.into()))?;
    dup2_stdout(&log).map_err(|error| failed(error.into()))
}
