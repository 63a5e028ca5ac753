//! `/tars/application`: the server, the client, and the set that both are in.

use std::path::Path;

use super::{
    ClientConfig, ConfigError, Document, ServerConfig, SetDivision,
    error::Faults,
    section::{Findings, Section},
};

/// What the platform's keys in a config file mean.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ApplicationConfig {
    /// `setdivision`, the set that the program is in, if `enableset` is `y`.
    pub set: Option<SetDivision>,
    /// `<server>`; without it the program is only a client.
    pub server: Option<ServerConfig>,
    /// `<client>`; without it everything has its default.
    pub client: ClientConfig,
    unknown: Vec<Key>,
    unused: Vec<Key>,
}

/// A key that has no effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Where it is, in the path style of TarsCpp: `/tars/application/server<key>`.
    pub path: String,
    /// Its value.
    pub value: String,
}

impl ApplicationConfig {
    /// Reads a config file. [`Document::read`] and [`new`](Self::new) do it in two steps, for programs that have
    /// blocks of their own in the file.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong with it, with places.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::new(&Document::read(path)?)
    }

    /// Understands the block `/tars/application` of a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub fn new(document: &Document) -> Result<Self, ConfigError> {
        let mut findings = Findings {
            text: &document.text,
            faults: Faults::new(&document.text),
            unknown: Vec::new(),
            unused: Vec::new(),
        };
        for entry in document.root().entries() {
            let message = "text outside of `<tars>`";
            findings.faults.add(entry.key_at.clone(), message);
        }
        let path = "/tars/application";
        let block = document.block(path);
        if block.is_none() {
            let message =
                format!("the block `{path}` is missing: this is no config of a server or client");
            findings.faults.add(0..0, message);
        }

        let mut section = Section::new(block, path.to_owned(), &mut findings);
        let set = read_set(&mut section);
        let server = block
            .and_then(|block| block.block("server"))
            .and_then(|block| ServerConfig::read(section.section(block)));
        let client = match block.and_then(|block| block.block("client")) {
            Some(block) => ClientConfig::read(section.section(block)),
            None => ClientConfig::default(),
        };
        section.finish(&[]);
        findings.faults.into_result(document.name())?;
        Ok(Self {
            set,
            server,
            client,
            unknown: findings.unknown,
            unused: findings.unused,
        })
    }

    /// Keys that no implementation of Tars is known to read: those of the program, or mistakes.
    pub fn unknown(&self) -> &[Key] {
        &self.unknown
    }

    /// Keys that other implementations of Tars read, and that have no effect here.
    pub fn unused(&self) -> &[Key] {
        &self.unused
    }
}

fn read_set(section: &mut Section<'_, '_>) -> Option<SetDivision> {
    let is_enabled = section.flag("enableset").unwrap_or_default();
    if !is_enabled {
        section.text("setdivision");
        return None;
    }
    section.required("setdivision", Section::parse)
}
