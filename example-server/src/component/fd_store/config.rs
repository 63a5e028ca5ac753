//! The `config` table that belongs to a store's `className`.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::FdStoreError;

/// The `config` of a store in services.toml: each store reads its own keys from it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoreConfig {
    table: toml::Table,
    directory: PathBuf,
}

impl StoreConfig {
    /// The config `table` of a file in `directory`.
    pub fn new(table: toml::Table, directory: &Path) -> Self {
        Self {
            table,
            directory: directory.to_owned(),
        }
    }

    /// Reads the keys into a struct; one with `deny_unknown_fields` finds mistyped ones.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, FdStoreError> {
        let config = self.table.try_into::<T>();
        config.map_err(|error| FdStoreError::Config(error.message().to_owned()))
    }

    /// A path of the config, which is relative to the file.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }
}
