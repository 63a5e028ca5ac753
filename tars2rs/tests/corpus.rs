//! Real IDL files of the Tars projects.

mod common;

use std::path::{Path, PathBuf};

use common::{manifest, render, resolve_file};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/idl/corpus");

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

#[test]
#[ignore = "needs ../shared; run by .ci/run"]
fn accepted_files_resolve() {
    let dir = Path::new(CORPUS);
    let mut accepted = 0;
    let mut refused = Vec::new();
    for row in manifest(dir) {
        let (file, expect) = (&row[0], row.last().unwrap());
        let include_dirs: Vec<PathBuf> = INCLUDE_DIRS
            .iter()
            .filter(|(of, _)| of == file)
            .map(|(_, include)| dir.join(include))
            .collect();
        let output = resolve_file(&dir.join(file), &include_dirs);
        assert_eq!(
            output.model.is_some(),
            expect.starts_with("accept"),
            "{file}: {}",
            render(&output)
        );
        if expect.starts_with("accept with a warning") {
            assert!(!output.diagnostics.is_empty(), "{file} deserves a warning");
        }
        if output.model.is_some() {
            accepted += 1;
        } else {
            refused.push(file.clone());
        }
    }
    println!("{accepted} files resolve; refused as expected: {refused:?}");
    assert!(accepted > 100, "only {accepted} files");
}
