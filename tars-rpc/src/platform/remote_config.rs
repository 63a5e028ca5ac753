//! Config files that the platform keeps for a server.
//!
//! A file is pulled into `basepath`, where TarsCpp puts it, too: into a temporary file first, which then takes its
//! place, so that whoever reads it sees the old text or the new one. Up to five former texts are in `datapath`, under
//! `config-history/FILE`, the newest with the highest number.
//!
//! The platform cannot say "there is no such file": it answers with an empty text, and with 429 when a file was
//! asked for too often. Neither takes away what is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{sync::Mutex, task::spawn_blocking};
use tracing::{info, warn};

use super::{ConfigServant, identity::Identity, notifier::Notifier};

/// Former texts of a file that are kept.
pub const HISTORY: usize = 5;

/// Pulls config files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RemoteConfig(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    identity: Arc<Identity>,
    platform: Option<ConfigServant>,
    notifier: Notifier,
    files: PathBuf,
    history: PathBuf,
    /// One pull at a time: two of the same file would write over each other.
    pulling: Mutex<()>,
}

/// A config file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Whether the text came from the platform, or else why it is the last that did.
    pub origin: Origin,
}

/// Where the text of a config file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The platform; `changed` says whether the file had another text before.
    Platform {
        /// Whether the file had another text before.
        changed: bool,
    },
    /// The last good copy, since the platform did not give one.
    LastCopy {
        /// Why not.
        reason: String,
    },
}

/// There is neither an answer of the platform nor a copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot get the config file `{file}`: {reason}")]
pub struct PullError {
    /// Which file.
    pub file: String,
    /// Why not.
    pub reason: String,
}

impl RemoteConfig {
    pub(crate) fn new(
        identity: Arc<Identity>,
        platform: Option<ConfigServant>,
        notifier: Notifier,
        files: PathBuf,
        data: &Path,
    ) -> Self {
        Self(Arc::new(Inner {
            identity,
            platform,
            notifier,
            files,
            history: data.join("config-history"),
            pulling: Mutex::default(),
        }))
    }

    /// Gets a file of the server from the platform, or the last good copy when the platform has none to give.
    ///
    /// ```no_run
    /// # async fn run(platform: tars_rpc::platform::Platform) -> Result<(), Box<dyn std::error::Error>> {
    /// let config = platform.config().pull("chat.conf").await?;
    /// let document = tars_rpc::config::Document::parse_named("chat.conf", config.text)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// There is no copy either, `file` is not the name of a file, or it cannot be written.
    pub async fn pull(&self, file: &str) -> Result<Pulled, PullError> {
        self.get_and_tell(&self.0.identity.server, file).await
    }

    /// The same for a file of the whole application.
    ///
    /// # Errors
    /// As [`pull`](Self::pull).
    pub async fn pull_of_application(&self, file: &str) -> Result<Pulled, PullError> {
        self.get_and_tell("", file).await
    }

    /// Operators see what became of it.
    async fn get_and_tell(&self, server: &str, file: &str) -> Result<Pulled, PullError> {
        let pulled = self.get(server, file).await;
        self.0.notifier.report(&outcome(file, &pulled));
        pulled
    }

    async fn get(&self, server: &str, file: &str) -> Result<Pulled, PullError> {
        let fail = |reason: String| PullError {
            file: file.to_owned(),
            reason,
        };
        if !is_file_name(file) {
            return Err(fail("it must be a name, without directories".to_owned()));
        }
        let _one = self.0.pulling.lock().await;
        let path = self.0.files.join(file);
        let asked = self.ask(server, file).await;
        let history = self.0.history.join(file);
        let stored = spawn_blocking(move || store(&path, &history, asked)).await;
        let pulled = match stored {
            Ok(pulled) => pulled.map_err(&fail)?,
            Err(error) => return Err(fail(error.to_string())),
        };
        match &pulled.origin {
            Origin::Platform { changed } => info!(file, changed, "config file pulled"),
            Origin::LastCopy { reason } => {
                warn!(
                    file,
                    reason, "config file not pulled, the last copy is used"
                );
            }
        }
        Ok(pulled)
    }

    /// The text of the platform, or why there is none.
    async fn ask(&self, server: &str, file: &str) -> Result<String, String> {
        let Some(platform) = &self.0.platform else {
            return Err("the config names no config service".to_owned());
        };
        let answer = platform
            .load_config(&self.0.identity.app, server, file)
            .await;
        match answer {
            Ok(answer) if answer.result == 429 => {
                Err("it was asked for too often; try again in a minute".to_owned())
            }
            Ok(answer) if answer.result != 0 => {
                Err(format!("the platform answers {}", answer.result))
            }
            Ok(answer) if answer.config.is_empty() => {
                Err("the platform has no such file, or it is empty".to_owned())
            }
            Ok(answer) => Ok(answer.config),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What became of a pull, in the words of TarsCpp.
pub(crate) fn outcome(file: &str, pulled: &Result<Pulled, PullError>) -> String {
    match pulled {
        Ok(Pulled {
            origin: Origin::Platform { .. },
            ..
        }) => format!("[succ] get remote config:{file}"),
        Ok(Pulled {
            origin: Origin::LastCopy { reason },
            ..
        }) => {
            format!("[fail] get remote config '{file}' error:{reason}; the last good copy is used")
        }
        Err(PullError { reason, .. }) => {
            format!("[fail] get remote config '{file}' error:{reason}")
        }
    }
}

/// Puts a text in its place, or gets what is there.
fn store(path: &Path, history: &Path, asked: Result<String, String>) -> Result<Pulled, String> {
    let here = match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    };
    let pulled = |text, origin| Pulled {
        path: path.to_owned(),
        text,
        origin,
    };
    match (asked, here) {
        (Ok(text), Some(here)) if text == here => {
            Ok(pulled(text, Origin::Platform { changed: false }))
        }
        (Ok(text), here) => {
            let cannot = |error| format!("cannot write {}: {error}", path.display());
            if let Some(here) = here {
                keep(history, &here).map_err(cannot)?;
            }
            replace(path, &text).map_err(cannot)?;
            Ok(pulled(text, Origin::Platform { changed: true }))
        }
        (Err(reason), Some(here)) => Ok(pulled(here, Origin::LastCopy { reason })),
        (Err(reason), None) => Err(reason),
    }
}

/// Writes a file so that it is there as a whole or not at all, also after a crash.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = PathBuf::from(temporary);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let mut file = fs::File::create(&temporary)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// Keeps a former text.
fn keep(history: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(history)?;
    let mut versions: Vec<u64> = fs::read_dir(history)?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable();
    let next = versions.last().map_or(1, |last| last.saturating_add(1));
    replace(&history.join(next.to_string()), text)?;
    versions.push(next);
    let surplus = versions.len().saturating_sub(HISTORY);
    for version in versions.into_iter().take(surplus) {
        fs::remove_file(history.join(version.to_string()))?;
    }
    Ok(())
}

/// Whether the file stays where it belongs, whatever a command says.
fn is_file_name(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    let is_normal = matches!(
        (parts.next(), parts.next()),
        (Some(std::path::Component::Normal(name)), None) if name == file
    );
    is_normal && file.len() <= 200 && !file.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(history: &Path) -> Vec<String> {
        let entries = fs::read_dir(history).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort_by_key(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        });
        paths
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    #[test]
    fn five_former_texts_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (path, history) = (
            directory.path().join("bin/a.conf"),
            directory.path().join("history/a.conf"),
        );
        for n in 0..=HISTORY + 1 {
            let pulled = store(&path, &history, Ok(n.to_string())).unwrap();
            assert_eq!(pulled.origin, Origin::Platform { changed: true });
            assert_eq!(fs::read_to_string(&path).unwrap(), n.to_string());
            let again = store(&path, &history, Ok(n.to_string())).unwrap();
            assert_eq!(again.origin, Origin::Platform { changed: false });
        }
        assert_eq!(texts(&history), ["1", "2", "3", "4", "5"]);
        let files = fs::read_dir(directory.path().join("bin")).unwrap();
        assert_eq!(files.count(), 1, "no temporary file is left");
    }

    #[test]
    fn what_is_there_is_used_when_the_platform_has_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (path, history) = (
            directory.path().join("a.conf"),
            directory.path().join("history"),
        );
        let nothing = || Err("away".to_owned());
        assert_eq!(store(&path, &history, nothing()).unwrap_err(), "away");
        fs::write(&path, "by hand").unwrap();
        let pulled = store(&path, &history, nothing()).unwrap();
        let reason = "away".to_owned();
        assert_eq!(
            (&*pulled.text, pulled.origin),
            ("by hand", Origin::LastCopy { reason })
        );
        store(&path, &history, Ok("new".to_owned())).unwrap();
        assert_eq!(texts(&history), ["by hand"]);
    }

    #[test]
    fn files_stay_where_they_belong() {
        for file in ["a.conf", "a", "..a", "\u{4e00}.conf", "a b"] {
            assert!(is_file_name(file), "{file}");
        }
        let long = "a".repeat(201);
        for file in [
            "",
            ".",
            "..",
            "/etc/passwd",
            "../a",
            "a/b",
            "a/",
            "./a",
            "a\n",
            &long,
        ] {
            assert!(!is_file_name(file), "{file}");
        }
    }
}
