//! Changing files so that a reader sees the old or the new text, never a part.

use std::fs;
use std::io;
use std::path::Path;
use std::process;

use crate::error::Error;

/// Writes a file beside its place, then moves it there.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", process::id()));
    let temporary = path.with_file_name(name);
    let write = || fs::write(&temporary, text);
    // Most files come into directories that are there.
    let written = write().or_else(|error| match path.parent() {
        Some(dir) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).and_then(|()| write())
        }
        _ => Err(error),
    });
    let written = written.and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // Best effort: the first error is the one to report.
        let _ = fs::remove_file(&temporary);
        Error::io("write", path, error)
    })
}

/// Removes a file and the directories below `root` that it leaves empty.
pub(super) fn remove(path: &Path, root: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", path, error));
        }
        _ => {}
    }
    let mut dir = path.parent();
    while let Some(empty) = dir.filter(|dir| *dir != root && dir.starts_with(root)) {
        if fs::remove_dir(empty).is_err() {
            break;
        }
        dir = empty.parent();
    }
    Ok(())
}
