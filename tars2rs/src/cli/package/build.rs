//! Has cargo build the executable.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tars2rs::config::PackageConfig;

/// Builds it, stripped; where it is.
pub(super) fn build(config: &PackageConfig) -> Result<PathBuf, String> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    // What is deployed is what was tested: --locked.
    cargo
        .args(["build", "--release", "--locked"])
        .args(["--config", "profile.release.strip=\"symbols\""])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(&config.project_dir);
    let options = [
        ("--package", &config.cargo_package),
        ("--bin", &config.bin),
        ("--target", &config.target),
    ];
    for (option, value) in options {
        cargo.args(value.iter().flat_map(|value| [option, value]));
    }
    if config.bin.is_none() {
        cargo.arg("--bins");
    }
    for feature in &config.features {
        cargo.args(["--features", feature]);
    }
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("the build failed: cargo gave {}", output.status));
    }
    one(executables(&String::from_utf8_lossy(&output.stdout)))
}

/// Those that cargo says it has built.
fn executables(messages: &str) -> Vec<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .collect()
}

fn one(mut executables: Vec<PathBuf>) -> Result<PathBuf, String> {
    let Some(first) = executables.pop() else {
        return Err(
            "the build made no executable: say with `cargoPackage` and `bin` which one it is"
                .to_owned(),
        );
    };
    if executables.is_empty() {
        return Ok(first);
    }
    executables.push(first);
    let names: Vec<String> = executables
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    Err(format!(
        "the build made several executables: say with `bin` which one it is of {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_executable() {
        let artifact = |name: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"target\":{{\"kind\":[\"bin\"]}},\"executable\":{name}}}\n"
            )
        };
        let found = |text: &str| one(executables(text));
        let library = artifact("null");
        assert!(found(&library).unwrap_err().contains("no executable"));
        let server = library + &artifact("\"/t/server\"") + "no json\n{\"reason\":\"x\"}\n";
        assert_eq!(found(&server).unwrap(), PathBuf::from("/t/server"));
        let two = server + &artifact("\"/t/client\"");
        assert!(
            found(&two).unwrap_err().ends_with("of server, client"),
            "{two}"
        );
    }
}
