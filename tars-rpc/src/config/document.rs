//! A config file as it is written: blocks, keys and values, without knowing what they mean.

use std::{fmt, fs::File, io::Read, ops::Range, path::Path, str::FromStr};

use super::{
    ConfigError,
    error::Faults,
    parse::{self, MAX_SIZE, Node},
};

/// A file in the config format of Tars.
///
/// ```text
/// # A comment is a line of its own.
/// <tars>
///   <application>
///     enableset=n
///     <server>
///       app = PHPTest
///       allow
///     </server>
///   </application>
/// </tars>
/// ```
///
/// It is read line by line, as TarsCpp's `TC_Config` does:
///
/// * spaces, tabs and carriage returns around a line, a key and a value do not count;
/// * a line splits at its first `=` that no backslash precedes; a key without `=` has an empty value;
/// * `\\`, `\=`, `\t`, `\r` and `\n` stand for characters, in keys and values;
/// * of equal keys in a block, the last one counts; blocks of the same name in the same block are one;
/// * a `#` begins a comment only as the first character of a line;
/// * keys may stand outside of all blocks.
///
/// Where it takes no notice, here is an error: text after a tag (but a comment), a line that begins with `=`, `<` or
/// `/` in the name of a block. A file has at most 1 MiB and 64 levels, and is UTF-8.
///
/// The text is kept: what [`Display`](fmt::Display) writes is what was read, and a change touches only its line.
///
/// ```
/// use tars_rpc::config::Document;
///
/// let mut document = Document::parse("<tars>\n\t<client> # ours\n\t\tstat = a.b.C\n\t</client>\n</tars>\n")?;
/// assert_eq!(document.get("/tars/client<stat>"), Some("a.b.C"));
///
/// document.set("/tars/client<stat>", "tars.tarsstat.StatObj")?;
/// assert_eq!(
///     document.to_string(),
///     "<tars>\n\t<client> # ours\n\t\tstat = tars.tarsstat.StatObj\n\t</client>\n</tars>\n",
/// );
/// # Ok::<(), tars_rpc::config::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) name: String,
    pub(super) text: String,
    /// The first is the file itself.
    pub(super) nodes: Vec<Node>,
}

impl Document {
    /// Understands a text.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub fn parse(text: impl Into<String>) -> Result<Self, ConfigError> {
        Self::parse_named("config", text)
    }

    /// Understands a text that errors refer to by `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub fn parse_named(
        name: impl Into<String>,
        text: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        let (name, text) = (name.into(), text.into());
        let mut faults = Faults::new(&text);
        let nodes = parse::nodes(&text, &mut faults);
        faults.into_result(&name)?;
        Ok(Self { name, text, nodes })
    }

    /// Reads and understands a file.
    ///
    /// # Errors
    /// It cannot be read, or everything that is wrong with it, with places.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| ConfigError::read(&name, error))?;
        match String::from_utf8(bytes) {
            Ok(text) => Self::parse_named(name, text),
            Err(error) => Err(not_utf8(&name, error.as_bytes())),
        }
    }

    /// What errors call it: the path of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file as a block, which has no name.
    pub fn root(&self) -> Block<'_> {
        Block {
            document: self,
            node: 0,
        }
    }

    /// A block by its path, `/tars/application/server`; `/` is the file itself.
    pub fn block(&self, path: &str) -> Option<Block<'_>> {
        let names = path.strip_prefix('/')?.split('/');
        let mut names = names.filter(|name| !name.is_empty());
        names.try_fold(self.root(), |block, name| block.block(name))
    }

    /// A value in the path style of TarsCpp, `/tars/application/server<app>`; `None` if it is not there, or the path
    /// is no path. Of equal keys the last one counts.
    pub fn get(&self, path: &str) -> Option<&str> {
        let (block, key) = split_path(path)?;
        self.block(block)?.get(key)
    }
}

/// The block and the key of a path.
pub(super) fn split_path(path: &str) -> Option<(&str, &str)> {
    let (block, rest) = path.split_once('<')?;
    Some((block, rest.strip_suffix('>')?))
}

/// The text that was read, with the changes that were made since.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Document {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text)
    }
}

fn not_utf8(name: &str, bytes: &[u8]) -> ConfigError {
    let text = String::from_utf8_lossy(bytes);
    let at = bytes.utf8_chunks().next();
    let at = at.map_or(0, |chunk| chunk.valid().len());
    let byte = bytes.get(at).copied().unwrap_or_default();
    let replacement = char::REPLACEMENT_CHARACTER.len_utf8();
    let mut faults = Faults::new(&text);
    faults.add(
        at..at + replacement,
        format!(
            "the byte 0x{byte:02x} is not UTF-8; the file may be in another encoding, such as GBK"
        ),
    );
    match faults.into_result(name) {
        Err(error) => error,
        Ok(()) => unreachable!("a fault was added"),
    }
}

/// A block of a [`Document`]: keys with values, and blocks.
#[derive(Clone, Copy)]
pub struct Block<'d> {
    document: &'d Document,
    node: usize,
}

impl<'d> Block<'d> {
    pub(super) fn node(&self) -> &'d Node {
        // A block is only made for a node of its document.
        &self.document.nodes[self.node]
    }

    /// Its name; empty for the file.
    pub fn name(&self) -> &'d str {
        &self.node().name
    }

    /// The value of a key, of equal keys the last one.
    pub fn get(&self, key: &str) -> Option<&'d str> {
        self.entry(key).map(Entry::value)
    }

    /// All values of a key, in their order.
    pub fn get_all(&self, key: &str) -> impl Iterator<Item = &'d str> {
        let entries = self.entries().iter();
        entries
            .filter(move |entry| entry.key == key)
            .map(Entry::value)
    }

    /// The line that counts for a key.
    pub fn entry(&self, key: &str) -> Option<&'d Entry> {
        self.entries().iter().rfind(|entry| entry.key == key)
    }

    /// All keys with their values, in their order.
    pub fn entries(&self) -> &'d [Entry] {
        &self.node().entries
    }

    /// A block in this block.
    pub fn block(&self, name: &str) -> Option<Self> {
        self.blocks().find(|block| block.name() == name)
    }

    /// All blocks in this block, in their order.
    pub fn blocks(&self) -> impl Iterator<Item = Self> + use<'d> {
        let document = self.document;
        let children = self.node().children.iter();
        children.map(move |&node| Self { document, node })
    }

    /// The line of its first tag, from 1.
    pub fn line(&self) -> usize {
        self.document.line(self.node().tag.start)
    }
}

impl fmt::Debug for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("name", &self.name())
            .field("entries", &self.entries())
            .field("blocks", &self.blocks().collect::<Vec<_>>())
            .finish()
    }
}

impl Document {
    pub(super) fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or_default();
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(super) key: String,
    pub(super) value: String,
    /// Where the key stands.
    pub(super) key_at: Range<usize>,
    /// Where the value stands; nothing for a key alone.
    pub(super) value_at: Option<Range<usize>>,
    /// Where the next line begins.
    pub(super) line_end: usize,
}

impl Entry {
    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value; empty for a key alone.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where to point at for a fault of the value.
    pub(super) fn place(&self) -> Range<usize> {
        match &self.value_at {
            Some(at) if !at.is_empty() => at.clone(),
            _ => self.key_at.clone(),
        }
    }
}
