//! One process of a server, by a file with its number and a lock.
//!
//! The lock is the kernel's: it goes with its process, however that ends, and the kernel says who has it. The number
//! in the file is for people.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use tars_rpc::config::ServerConfig;

use super::Failure;

/// Where the file of a server is: `datapath/App.Server.pid`.
pub(super) struct PidFile {
    path: PathBuf,
    server: String,
}

/// The lock of this process. It must not open the file again: closing it would give the lock away.
#[derive(Debug)]
pub(super) struct Held(File);

impl PidFile {
    pub(super) fn of(server: &ServerConfig) -> Self {
        let name = server.name();
        Self {
            path: server.data_path.join(format!("{name}.pid")),
            server: name,
        }
    }

    /// The process that runs the server. Not for the one that holds the lock.
    pub(super) fn holder(&self) -> Result<Option<i32>, Failure> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("open", error)),
        };
        self.holder_of(&file)
    }

    fn holder_of(&self, file: &File) -> Result<Option<i32>, Failure> {
        let lock = fcntl_getlk(file, &Flock::from(FlockType::WriteLock))
            .map_err(|error| self.failed("ask for the lock of", error.into()))?;
        Ok(lock
            .filter(|lock| lock.typ != FlockType::Unlocked)
            .map(|lock| Pid::as_raw(lock.pid)))
    }

    /// Makes this process the one that runs the server.
    pub(super) fn take(&self) -> Result<Held, Failure> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory)
                .map_err(|error| self.failed("make the directory of", error))?;
        }
        // tarsnode's umask lets everybody write; this file is not for everybody.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(&self.path)
            .map_err(|error| self.failed("open", error))?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {
                let pid = self.holder_of(&file)?.unwrap_or_default();
                return Err(Failure::RunsAlready(self.server.clone(), pid));
            }
            Err(error) => return Err(self.failed("lock", error.into())),
        }
        let mut held = Held(file);
        held.write().map_err(|error| self.failed("write", error))?;
        Ok(held)
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Failure {
        Failure::File {
            action,
            path: self.path.clone(),
            source,
        }
    }
}

impl Held {
    fn write(&mut self) -> io::Result<()> {
        self.0.set_len(0)?;
        writeln!(self.0, "{}", std::process::id())
    }

    /// The process is about to end. The lock stays until it has: whoever waits for the one waits for the other. The
    /// file stays, too: if it were removed, two processes could hold locks on two files of its name.
    pub(super) fn leave(self) {
        let _ = self.0.set_len(0);
        std::mem::forget(self.0);
    }
}
