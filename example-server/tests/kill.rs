//! The file store under `kill -9`: hundreds of processes, each killed at a random moment.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use example_server::component::fd_store::{Fd, FdStore as _, FileFdStore, Membership, NodeId};
use example_server::component::room::Room;

/// Acknowledgements before a kill, at most. A few hundred records are rewritten once.
const MAX_CHANGES: usize = 600;
const FDS: u64 = 40;
const PATH: &str = "TEST_KILLED_STORE";

/// A change; the same for the same number.
enum Change {
    Add(Room, u64),
    Del(Room, u64),
    DelAll(u64),
}

fn change(number: usize) -> Change {
    let mut random = fastrand::Rng::with_seed(number as u64);
    // Long names fill the log, so that it is compacted often.
    let name = "房".repeat(128 - random.usize(..3));
    let (room, fd) = (Room::new(&name).unwrap(), random.u64(..FDS));
    match random.u32(..10) {
        0..6 => Change::Add(room, fd),
        6..9 => Change::Del(room, fd),
        _ => Change::DelAll(fd),
    }
}

type Members = BTreeSet<(Room, u64)>;

fn members_after(changes: usize) -> Members {
    let mut members = Members::new();
    for number in 0..changes {
        match change(number) {
            Change::Add(room, fd) => {
                members.insert((room, fd));
            }
            Change::Del(room, fd) => {
                members.remove(&(room, fd));
            }
            Change::DelAll(fd) => members.retain(|(_, member)| *member != fd),
        }
    }
    members
}

fn members_of(membership: &Membership) -> Members {
    let members = membership.iter();
    members
        .map(|(room, fd)| (room.clone(), fd.number()))
        .collect()
}

/// The process that is killed: makes changes, and acknowledges each when the store has.
#[tokio::test]
#[ignore = "run by the test below, as a process of its own"]
async fn worker() {
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let node = NodeId::random();
    let store = FileFdStore::open(path.into(), node).await.unwrap();
    let mut acknowledge = std::io::stderr();
    for number in 0.. {
        match change(number) {
            Change::Add(room, fd) => {
                store.add_fd_by_key(room, Fd::new(node, fd)).await.unwrap();
            }
            Change::Del(room, fd) => {
                store.del_fd_by_key(room, Fd::new(node, fd)).await.unwrap();
            }
            Change::DelAll(fd) => {
                store.del_fd(Fd::new(node, fd)).await.unwrap();
            }
        }
        acknowledge.write_all(b"done\n").unwrap();
    }
}

/// Runs a worker, kills it, and returns how many changes it has acknowledged. Each fourth one is killed in its start, or
/// soon after, the first of them before it can have done anything.
fn run_and_kill(path: &Path, kill: u32, random: &mut fastrand::Rng) -> usize {
    let mut worker = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(worker.stderr.take().unwrap()).lines();
    let in_start = kill.is_multiple_of(4);
    let kill_after = if in_start {
        0
    } else {
        random.usize(1..MAX_CHANGES)
    };
    let acknowledged = lines.by_ref().take(kill_after).map(is_done).count();
    // Somewhere within the start, or within a change.
    let micros = random.u64(..if in_start { 4 << (kill % 16) } else { 300 });
    let moment = Instant::now() + Duration::from_micros(micros);
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    acknowledged + lines.map(is_done).count()
}

/// Whatever else the worker says is why it failed, and no acknowledgement.
fn is_done(line: std::io::Result<String>) {
    assert_eq!(line.unwrap(), "done");
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_corrupt() {
    run_and_kill_often(30);
}

#[test]
#[ignore = "takes half a minute"]
fn nothing_is_lost_or_corrupt_however_often() {
    run_and_kill_often(500);
}

fn run_and_kill_often(kills: u32) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fd.log");
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut before = Members::new();
    let (mut in_start, mut changes) = (0, 0);
    for kill in 0..kills {
        let acknowledged = run_and_kill(&path, kill, &mut random);
        let found = match FileFdStore::inspect(&path) {
            Ok(membership) => members_of(&membership),
            // Killed before there was a log at all.
            Err(_) if acknowledged == 0 && !path.exists() => Members::new(),
            Err(error) => panic!("{error} (kill {kill}, seed {seed})"),
        };
        // At most one change was made and not acknowledged.
        let mut possible = vec![members_after(acknowledged), members_after(acknowledged + 1)];
        if acknowledged == 0 {
            // The log of the former process may not have been replaced.
            possible.push(before);
            in_start += 1;
        }
        assert!(
            possible.contains(&found),
            "kill {kill} after {acknowledged} changes, seed {seed}"
        );
        before = found;
        changes += acknowledged;
    }
    assert!(in_start > 0 && changes > 0, "{in_start} {changes}");
}
