//! What came of it, as a table.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use tars_rpc::Version;

use crate::{
    cases::Case,
    peers::{Cannot, Peer, VERSIONS},
};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Direction {
    ToPeer,
    FromPeer,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Cannot(&'static Cannot),
}

impl Outcome {
    /// A peer that is known not to do something must indeed not do it.
    pub(crate) fn of(result: Result<(), String>, cannot: Option<&'static Cannot>) -> Self {
        match (result, cannot) {
            (Ok(()), None) => Self::Passed,
            (Ok(()), Some(cannot)) => Self::Failed(format!(
                "passes, but is listed as impossible: {}",
                cannot.reason
            )),
            (Err(_), Some(cannot)) => Self::Cannot(cannot),
            (Err(error), None) => Self::Failed(error),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Matrix {
    cells: BTreeMap<(Direction, Peer, i16, Case), Outcome>,
}

impl Matrix {
    pub(crate) fn set(
        &mut self,
        direction: Direction,
        peer: Peer,
        version: Version,
        case: Case,
        outcome: Outcome,
    ) {
        let key = (direction, peer, version.number(), case);
        self.cells.insert(key, outcome);
    }

    /// Prints it all: two tables, the reasons of their gaps, the failures. What nobody has tried has failed.
    /// Says whether nothing has.
    pub(crate) fn print(&self, out: &mut impl Write, peers: &[Peer]) -> io::Result<bool> {
        let mut reasons = Vec::new();
        let mut failures = Vec::new();
        let mut passed = 0;
        for direction in [Direction::ToPeer, Direction::FromPeer] {
            let peers = peers
                .iter()
                .filter(|p| direction == Direction::ToPeer || **p != Peer::Rust);
            let columns: Vec<_> = peers
                .flat_map(|peer| VERSIONS.map(|version| (*peer, version)))
                .collect();
            if columns.is_empty() {
                continue;
            }
            let corner = match direction {
                Direction::ToPeer => "tars-rpc calls",
                Direction::FromPeer => "tars-rpc is called by",
            };
            write!(out, "\n| {corner:<21} |")?;
            for (peer, version) in &columns {
                write!(out, " {:>6} |", peer.column(*version))?;
            }
            write!(out, "\n|{}|", "-".repeat(23))?;
            for _ in &columns {
                write!(out, "-------:|")?;
            }
            writeln!(out)?;
            for case in Case::ALL {
                write!(out, "| {:<21} |", case.name())?;
                for (peer, version) in &columns {
                    let cell = match self.cell(direction, *peer, *version, case) {
                        Ok(()) => {
                            passed += 1;
                            "ok".to_owned()
                        }
                        Err(Gap::Cannot(cannot)) => {
                            let known = reasons.iter().position(|r| *r == cannot.reason);
                            let n = known.unwrap_or_else(|| {
                                reasons.push(cannot.reason);
                                reasons.len() - 1
                            });
                            format!("- {}", n + 1)
                        }
                        Err(Gap::Failed(error)) => {
                            let column = peer.column(*version);
                            failures.push(format!("{corner} {column}, {}: {error}", case.name()));
                            "FAIL".to_owned()
                        }
                    };
                    write!(out, " {cell:>6} |")?;
                }
                writeln!(out)?;
            }
        }
        writeln!(out)?;
        for (n, reason) in reasons.iter().enumerate() {
            writeln!(out, "- {}: {reason}", n + 1)?;
        }
        writeln!(out, "\n{passed} passed, {} failed", failures.len())?;
        for failure in &failures {
            writeln!(out, "FAIL {failure}")?;
        }
        Ok(failures.is_empty())
    }

    fn cell(
        &self,
        direction: Direction,
        peer: Peer,
        version: Version,
        case: Case,
    ) -> Result<(), Gap<'_>> {
        let cannot = match direction {
            Direction::ToPeer => peer.server_cannot(case, version),
            Direction::FromPeer => peer.client_cannot(case, version),
        };
        match self.cells.get(&(direction, peer, version.number(), case)) {
            Some(Outcome::Passed) => Ok(()),
            Some(Outcome::Failed(error)) => Err(Gap::Failed(error)),
            Some(Outcome::Cannot(cannot)) => Err(Gap::Cannot(cannot)),
            None => Err(cannot.map_or(Gap::Failed("not tried"), Gap::Cannot)),
        }
    }
}

enum Gap<'a> {
    Cannot(&'static Cannot),
    Failed(&'a str),
}
