//! Which files of the corpus need an include directory.

use std::path::{Path, PathBuf};

/// Files that their projects compile with an include directory.
const INCLUDE_DIRS: &[(&str, &str)] = &[
    (
        "TarsGo/examples/Tars2Go/demo.tars",
        "TarsGo/examples/Tars2Go/base",
    ),
    (
        "TarsProtocol/framework/RegistryDescriptor.tars",
        "TarsProtocol/servant",
    ),
    ("TarsProtocol/framework/Node.tars", "TarsProtocol/servant"),
    (
        "TarsProtocol/framework/NodePush.tars",
        "TarsProtocol/servant",
    ),
    (
        "TarsProtocol/framework/Registry.tars",
        "TarsProtocol/servant",
    ),
];

/// Those of `file`, below `corpus`.
pub(crate) fn include_dirs(corpus: &Path, file: &str) -> Vec<PathBuf> {
    INCLUDE_DIRS
        .iter()
        .filter(|(of, _)| *of == file)
        .map(|(_, dir)| corpus.join(dir))
        .collect()
}
