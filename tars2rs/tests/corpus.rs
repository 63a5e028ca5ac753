//! Real IDL files of the Tars projects.

mod common;
#[path = "common/include_dirs.rs"]
mod include_dirs;

use std::path::Path;

use common::{manifest, render, resolve_file};
use include_dirs::include_dirs;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/idl/corpus");

#[test]
#[ignore = "needs ../shared; run by .ci/run"]
fn accepted_files_resolve() {
    let dir = Path::new(CORPUS);
    let mut accepted = 0;
    let mut refused = Vec::new();
    for row in manifest(dir) {
        let (file, expect) = (&row[0], row.last().unwrap());
        let output = resolve_file(&dir.join(file), &include_dirs(dir, file));
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
