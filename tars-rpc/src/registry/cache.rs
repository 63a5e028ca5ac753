//! Endpoints on disk, for when the registry is away.

use std::{
    collections::BTreeMap,
    fs, io, mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::spawn_blocking;
use tracing::{debug, warn};

use crate::{Address, Endpoint};

/// Begins a line with the sets of endpoints.
const SETS: &str = "sets ";

/// A larger file is not read, and not written.
const MAX_BYTES: usize = 4 << 20;

/// The file: a line for what it is, a line for each servant with its address, and a line with the checksum of
/// what is before it. An address does not say in which sets its endpoints are. Those of a servant stand in a line
/// before it, in the order of the endpoints; to a reader that does not know that, it is a line that cannot be read.
///
/// ```text
/// tars-rpc endpoints 1 of mtt.s.1
/// sets mtt.s.1 -
/// PHPTest.PHPServer.obj@tcp -h 10.0.0.1 -p 15380 -t 60000:tcp -h 10.0.0.2 -p 15380 -t 60000
/// crc32 1a2b3c4d
/// ```
///
/// What cannot be read is as good as not there, and the registry's next answer replaces it.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    /// The first line. Endpoints that were found for another set are not those for ours.
    title: String,
    /// `None` before the file was read.
    servants: Mutex<Option<BTreeMap<String, Vec<Endpoint>>>>,
}

impl Cache {
    pub(crate) fn new(path: PathBuf, set: Option<&str>) -> Self {
        Self {
            path,
            title: format!("tars-rpc endpoints 1 of {}", set.unwrap_or("-")),
            servants: Mutex::default(),
        }
    }

    /// The endpoints that a servant had.
    pub(crate) async fn load(self: &Arc<Self>, object: &str) -> Option<Vec<Endpoint>> {
        let (cache, object) = (Arc::clone(self), object.to_owned());
        let load = move || cache.with(|servants| servants.get(&object).cloned());
        spawn_blocking(load).await.ok()?
    }

    /// Notes the endpoints that a servant has.
    pub(crate) async fn store(self: &Arc<Self>, object: &str, endpoints: Vec<Endpoint>) {
        let (cache, object) = (Arc::clone(self), object.to_owned());
        let store = move || {
            cache.with(|servants| {
                if servants.get(&object) == Some(&endpoints) {
                    return;
                }
                servants.insert(object, endpoints);
                if let Err(error) = cache.write(servants) {
                    let path = cache.path.display();
                    warn!(%path, %error, "cannot keep the endpoints of servants");
                }
            });
        };
        let _ = spawn_blocking(store).await; // the runtime may end meanwhile
    }

    fn with<R>(&self, run: impl FnOnce(&mut BTreeMap<String, Vec<Endpoint>>) -> R) -> R {
        let mut servants = self.servants.lock().unwrap_or_else(PoisonError::into_inner);
        run(servants.get_or_insert_with(|| match self.read() {
            Ok(servants) => servants,
            Err(error) => {
                let path = self.path.display();
                if error.kind() == io::ErrorKind::NotFound {
                    debug!(%path, "no endpoints of servants were kept");
                } else {
                    warn!(%path, %error, "the kept endpoints of servants are of no use");
                }
                BTreeMap::new()
            }
        }))
    }

    fn read(&self) -> io::Result<BTreeMap<String, Vec<Endpoint>>> {
        let unusable = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        if fs::metadata(&self.path)?.len() > MAX_BYTES as u64 {
            return unusable("the file is too large");
        }
        let text = fs::read_to_string(&self.path)?;
        let Some((body, checksum)) = text.trim_end().rsplit_once('\n') else {
            return unusable("it has no checksum");
        };
        if checksum != checksum_line(body) {
            return unusable("the checksum is wrong");
        }
        let mut lines = body.lines();
        if lines.next() != Some(&self.title) {
            return unusable("it is of another version or set");
        }
        let mut servants = BTreeMap::new();
        let mut sets = Vec::new();
        for line in lines {
            if let Some(line) = line.strip_prefix(SETS) {
                sets = line.split(' ').map(set).collect();
                continue;
            }
            let sets = mem::take(&mut sets);
            if let Ok(mut address) = line.parse::<Address>() {
                for (endpoint, set) in address.endpoints.iter_mut().zip(sets) {
                    endpoint.set = set;
                }
                servants.insert(address.object, address.endpoints);
            }
        }
        Ok(servants)
    }

    /// Whoever reads sees the old file or the new one, and never half of one.
    fn write(&self, servants: &BTreeMap<String, Vec<Endpoint>>) -> io::Result<()> {
        let mut text = self.title.clone();
        for (object, endpoints) in servants {
            let address = Address {
                object: object.clone(),
                endpoints: endpoints.clone(),
            };
            text.push('\n');
            let is_word = |set: &&str| !set.is_empty() && !set.contains(char::is_whitespace);
            let sets = endpoints.iter().map(|e| e.set.as_deref().filter(is_word));
            if sets.clone().any(|set| set.is_some()) {
                text.push_str(SETS);
                let sets: Vec<_> = sets.map(|set| set.unwrap_or("-")).collect();
                text.push_str(&sets.join(" "));
                text.push('\n');
            }
            text.push_str(&address.to_string());
        }
        let checksum = checksum_line(&text);
        text = format!("{text}\n{checksum}\n");
        if text.len() > MAX_BYTES {
            let what = format!("{} bytes are too much", text.len());
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        if let Some(directory) = self.path.parent().filter(|d| *d != Path::new("")) {
            fs::create_dir_all(directory)?;
        }
        let mut draft = self.path.clone().into_os_string();
        draft.push(format!(".{}.tmp", std::process::id()));
        let draft = PathBuf::from(draft);
        fs::write(&draft, text)?;
        fs::rename(&draft, &self.path).inspect_err(|_| drop(fs::remove_file(&draft)))
    }
}

/// A set as it is written; `-` is none.
fn set(text: &str) -> Option<String> {
    (text != "-").then(|| text.to_owned())
}

fn checksum_line(of: &str) -> String {
    format!("crc32 {:08x}", crc32fast::hash(of.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJ: &str = "PHPTest.PHPServer.obj";

    fn endpoints() -> Vec<Endpoint> {
        [
            "tcp -h ::1 -p 1 -t 60000 -w 50 -v 1",
            "tcp -h 10.0.0.1 -p 2",
        ]
        .map(|text| text.parse().unwrap())
        .into()
    }

    fn cache(path: &Path, set: Option<&str>) -> Arc<Cache> {
        Arc::new(Cache::new(path.to_owned(), set))
    }

    #[tokio::test]
    async fn another_process_finds_what_was_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("not/yet/there");
        let first = cache(&path, None);
        assert_eq!(first.load(OBJ).await, None);
        first.store(OBJ, endpoints()).await;
        first.store("App.Other.obj", endpoints()).await;
        assert_eq!(first.load(OBJ).await, Some(endpoints()));
        let second = cache(&path, None);
        assert_eq!(second.load(OBJ).await, Some(endpoints()));
        assert_eq!(second.load("unknown").await, None);
        assert_eq!(
            cache(&path, Some("mtt.s.1")).load(OBJ).await,
            None,
            "another set"
        );
        let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "no drafts stay");
    }

    #[tokio::test]
    async fn the_sets_of_endpoints_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endpoints");
        let mut in_sets = endpoints();
        in_sets[1].set = Some("mtt.s.1".to_owned());
        let first = cache(&path, None);
        first.store("App.First.obj", endpoints()).await;
        first.store(OBJ, in_sets.clone()).await;
        first.store("PHPTest.ZServer.obj", endpoints()).await;
        let second = cache(&path, None);
        assert_eq!(second.load("App.First.obj").await, Some(endpoints()));
        assert_eq!(second.load(OBJ).await, Some(in_sets));
        assert_eq!(second.load("PHPTest.ZServer.obj").await, Some(endpoints()));
    }

    #[tokio::test]
    async fn a_file_from_before_there_were_sets_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endpoints");
        let body = "tars-rpc endpoints 1 of -\n\
            PHPTest.PHPServer.obj@tcp -h ::1 -p 1 -t 60000 -w 50 -v 1:tcp -h 10.0.0.1 -p 2";
        fs::write(&path, format!("{body}\n{}\n", checksum_line(body))).unwrap();
        assert_eq!(cache(&path, None).load(OBJ).await, Some(endpoints()));
    }

    #[tokio::test]
    async fn a_file_with_any_byte_wrong_or_missing_is_not_believed_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endpoints");
        cache(&path, None).store(OBJ, endpoints()).await;
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() - 1 {
            let mut flipped = good.clone();
            flipped[at] ^= 4;
            for bad in [&flipped[..], &good[..at]] {
                fs::write(&path, bad).unwrap();
                assert_eq!(cache(&path, None).load(OBJ).await, None, "at {at}");
            }
        }
        let broken = cache(&path, None);
        broken.store(OBJ, endpoints()).await;
        assert_eq!(fs::read(&path).unwrap(), good);
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("endpoints");
        fs::write(&path, vec![b'x'; MAX_BYTES + 1]).unwrap();
        assert_eq!(cache(&path, None).load(OBJ).await, None);
    }

    #[tokio::test]
    async fn where_nothing_can_be_written_endpoints_are_known_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let cache = cache(&file.join("below a file"), None);
        cache.store(OBJ, endpoints()).await;
        assert_eq!(cache.load(OBJ).await, Some(endpoints()));
    }
}
