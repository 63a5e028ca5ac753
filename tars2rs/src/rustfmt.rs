//! The user's rustfmt, for `format = "rustfmt"`.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::config::Edition;
use crate::error::Error;

/// Formats code as a file of `dir` would be: with the `rustfmt.toml` of that directory or of one above it.
pub(crate) fn format(code: &str, edition: Edition, dir: &Path) -> Result<String, Error> {
    // As cargo has it.
    let program = env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    let failed = |reason: String| Error::Rustfmt {
        program: program.to_string_lossy().into_owned(),
        reason,
    };
    let mut rustfmt = Command::new(&program);
    rustfmt
        .args(["--quiet", "--emit", "stdout", "--edition", edition.name()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(dir) = dir.ancestors().find(|dir| dir.is_dir()) {
        rustfmt.current_dir(dir);
    }
    let mut child = rustfmt.spawn().map_err(|e| failed(e.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // It reads all before it writes. If it does not, its exit code and message tell more than a broken pipe.
        let _ = stdin.write_all(code.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(failed(message.trim_end().to_owned()));
    }
    String::from_utf8(output.stdout).map_err(|e| failed(e.to_string()))
}
