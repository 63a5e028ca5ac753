//! What is done with a server that another process runs.

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use tars_rpc::client::CallOptions;
use tars_rpc::config::ServerConfig;
use tars_rpc::platform::AdminFServant;
use tars_rpc::{Communicator, Endpoint};

use super::pid_file::PidFile;
use super::serve::time_to_end;
use super::{Failure, complain, say};

/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How much longer than it may a server is waited for.
const GRACE: Duration = Duration::from_secs(1);
/// How long the kernel may take to end a process.
const KILL: Duration = Duration::from_secs(10);
/// How long a server may take to say how it does.
const ANSWER: Duration = Duration::from_secs(3);

const NOT_RUNNING: u8 = 3;
const NOT_ANSWERING: u8 = 4;

/// Lets the server drain, and ends it if it takes too long. One that does not run is fine.
pub(super) fn stop(server: &ServerConfig) -> Result<(), Failure> {
    let (name, file) = (server.name(), PidFile::of(server));
    let Some(pid) = file.holder()? else {
        say(format_args!("{name} does not run"));
        return Ok(());
    };
    let time = time_to_end(server) + GRACE;
    send(pid, Signal::TERM)?;
    if has_ended(&file, pid, time)? {
        say(format_args!("{name} has ended"));
        return Ok(());
    }
    send(pid, Signal::KILL)?;
    if has_ended(&file, pid, KILL)? {
        return Err(Failure::Killed { pid, time });
    }
    Err(Failure::Immortal(pid))
}

fn send(pid: i32, signal: Signal) -> Result<(), Failure> {
    let Some(pid) = Pid::from_raw(pid) else {
        return Ok(()); // of another namespace; the kernel does not say which
    };
    match kill_process(pid, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(Failure::System(
            "send a signal to the process",
            error.into(),
        )),
    }
}

/// Waits until the lock is not that process's any more.
fn has_ended(file: &PidFile, pid: i32, time: Duration) -> Result<bool, Failure> {
    let deadline = Instant::now() + time;
    while file.holder()? == Some(pid) {
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(LOOK);
    }
    Ok(true)
}

/// Says whether the server runs, and what it says of itself.
pub(super) fn status(server: &ServerConfig) -> ExitCode {
    let name = server.name();
    let pid = match PidFile::of(server).holder() {
        Ok(pid) => pid,
        Err(failure) => {
            complain(&failure);
            return ExitCode::FAILURE;
        }
    };
    let Some(pid) = pid else {
        say(format_args!("{name} does not run"));
        return ExitCode::from(NOT_RUNNING);
    };
    say(format_args!("{name} runs as process {pid}"));
    let Some(local) = &server.local else {
        return ExitCode::SUCCESS;
    };
    match ask(local) {
        Ok(status) => {
            say(status.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&format_args!(
                "AdminObj at `{local}` does not answer: {error}; it starts, drains or hangs"
            ));
            ExitCode::from(NOT_ANSWERING)
        }
    }
}

/// `tars.viewstatus`, as an operator gets it.
fn ask(local: &Endpoint) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut local = local.clone();
        if local.host == "0.0.0.0" {
            local.host = "127.0.0.1".to_owned();
        }
        let proxy = Communicator::new().string_to_proxy(&format!("AdminObj@{local}"));
        let proxy = proxy.map_err(|error| error.to_string())?;
        let admin = AdminFServant::new(proxy).with(CallOptions::new().timeout(ANSWER));
        let answer = admin.notify("tars.viewstatus").await;
        let answer = answer.map_err(|error| error.to_string())?;
        let text = answer.split_once("[1]:").map_or(&*answer, |(_, text)| text);
        Ok(text.to_owned())
    })
}
