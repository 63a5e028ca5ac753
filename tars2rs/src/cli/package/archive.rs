//! A package as bytes, which depend on the files alone: not on who packs them, where, when, or in which order the
//! disk has them.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::DateTime;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use tars2rs::config::PackageConfig;

use super::files::{Files, Source};

/// Of files, without SOURCE_DATE_EPOCH: 2000-01-01, as some programs take 0 for no time.
const FIXED: u64 = 946_684_800;

/// The end of the year 9999, the last with four digits.
const LAST: u64 = 253_402_300_799;

const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// When a package is made, and when its files seem to be.
#[derive(Debug)]
pub(super) struct Time {
    pub(super) in_name: String,
    of_files: u64,
}

impl Time {
    pub(super) fn of_run() -> Result<Self, String> {
        let chosen = match env::var_os(SOURCE_DATE_EPOCH) {
            Some(text) => {
                let seconds = text.to_str().and_then(|text| text.parse().ok());
                Some(seconds.filter(|&seconds| seconds <= LAST).ok_or_else(|| {
                    format!("{SOURCE_DATE_EPOCH} must be seconds since 1970, up to {LAST}")
                })?)
            }
            None => None,
        };
        let now = || {
            let passed = SystemTime::now().duration_since(UNIX_EPOCH);
            passed.map_or(0, |passed| passed.as_secs()).min(LAST)
        };
        let seconds = chosen.unwrap_or_else(now);
        let time = DateTime::from_timestamp(seconds.cast_signed(), 0).unwrap_or_default();
        Ok(Self {
            in_name: time.format("%Y%m%d%H%M%S").to_string(),
            of_files: chosen.unwrap_or(FIXED),
        })
    }
}

/// A package.
#[derive(Debug)]
pub(super) struct Archive {
    /// The `.tar.gz`.
    pub(super) bytes: Vec<u8>,
    /// Mode, size and path of each file.
    pub(super) listing: Vec<String>,
}

impl Archive {
    pub(super) fn new(
        config: &PackageConfig,
        files: &Files,
        executable: &Path,
        time: &Time,
    ) -> Result<Self, String> {
        let server = &config.server_name;
        let compressed = GzBuilder::new().write(Vec::new(), Compression::best());
        let mut writer = Writer {
            tar: tar::Builder::new(compressed),
            directories: BTreeSet::new(),
            listing: Vec::new(),
            time: time.of_files,
        };
        let unwritable = |error: io::Error| format!("cannot pack: {error}");
        let executable = Source::Path(executable.to_owned());
        let mut all: Vec<(&str, &Source)> = files
            .iter()
            .map(|(to, source)| (to.as_str(), source))
            .collect();
        all.push((server, &executable));
        all.sort_by_key(|(to, _)| *to);
        for (to, source) in all {
            let (bytes, runs) = read(source)?;
            let runs = runs || to == server;
            writer
                .add(&format!("{server}/{to}"), &bytes, runs)
                .map_err(unwritable)?;
        }
        let compressed = writer.tar.into_inner().map_err(unwritable)?;
        Ok(Self {
            bytes: compressed.finish().map_err(unwritable)?,
            listing: writer.listing,
        })
    }

    /// In hexadecimal.
    pub(super) fn sha256(&self) -> String {
        let mut text = String::new();
        for byte in Sha256::digest(&self.bytes) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// The bytes, and whether they are to be executed.
fn read(source: &Source) -> Result<(Vec<u8>, bool), String> {
    let path = match source {
        Source::Text(script) => return Ok((script.clone().into_bytes(), true)),
        Source::Path(path) => path,
    };
    let unreadable = |error: io::Error| format!("cannot read {}: {error}", path.display());
    let data = fs::metadata(path).map_err(unreadable)?;
    if !data.is_file() {
        return Err(format!("{} is no file", path.display()));
    }
    Ok((fs::read(path).map_err(unreadable)?, is_executable(&data)))
}

#[cfg(unix)]
fn is_executable(data: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    data.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

struct Writer<W: io::Write> {
    tar: tar::Builder<W>,
    /// Those that are in it.
    directories: BTreeSet<String>,
    listing: Vec<String>,
    time: u64,
}

impl<W: io::Write> Writer<W> {
    /// Adds a file, after the directories that it is in.
    fn add(&mut self, path: &str, bytes: &[u8], runs: bool) -> io::Result<()> {
        for (end, _) in path.match_indices('/') {
            let directory = &path[..=end];
            if self.directories.insert(directory.to_owned()) {
                self.entry(directory, EntryType::Directory, 0o755, &[])?;
            }
        }
        let mode = if runs { 0o755 } else { 0o644 };
        self.entry(path, EntryType::Regular, mode, bytes)?;
        self.listing
            .push(format!("{mode:o} {:>10} {path}", bytes.len()));
        Ok(())
    }

    fn entry(&mut self, path: &str, kind: EntryType, mode: u32, bytes: &[u8]) -> io::Result<()> {
        // Owner and group are 0, and have no names.
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.time);
        header.set_size(bytes.len() as u64);
        self.tar.append_data(&mut header, path, bytes)
    }
}
