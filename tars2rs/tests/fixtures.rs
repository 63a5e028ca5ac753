//! The IDL fixtures: every legal file resolves, every faulty one gives the message that is beside it.

mod common;

use std::fs;
use std::path::Path;

use common::{FIXTURES, manifest, render, resolve_file};

#[test]
fn positive_files_resolve() {
    let dir = Path::new(FIXTURES).join("positive");
    let mut files = 0;
    for row in manifest(&dir) {
        let output = resolve_file(&dir.join(&row[0]), &[]);
        assert!(output.model.is_some(), "{}", render(&output));
        assert!(output.diagnostics.is_empty(), "{}", render(&output));
        files += 1;
    }
    assert!(files > 50, "only {files} files");
}

/// `UPDATE_GOLDEN=1` writes the messages anew. Read them then: they are the product.
#[test]
fn negative_files_give_their_message() {
    let dir = Path::new(FIXTURES).join("negative");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for row in manifest(&dir) {
        let name = &row[0];
        let output = resolve_file(&dir.join(name), &[]);
        let rendered = render(&output).replace(&format!("{}/", dir.display()), "");
        assert!(output.model.is_none(), "{name}: {rendered}");

        let golden = dir.join(name).with_extension("stderr");
        if update {
            fs::write(&golden, &rendered).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != rendered {
            wrong.push(format!("{name} now gives:\n{rendered}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nUPDATE_GOLDEN=1 writes the files anew",
        wrong.join("\n")
    );
}
