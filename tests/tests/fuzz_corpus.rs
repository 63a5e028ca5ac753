//! The inputs that the fuzz targets keep (`fuzz/corpus`), once more, without a fuzzer.

use std::{fs, path::Path};

use tars_tests::fuzz::{TARGETS, borrowed};

#[test]
fn kept_inputs_pass() {
    for (name, target) in TARGETS {
        let inputs = kept(name);
        assert!(inputs.len() >= 10, "{name}: only {} are kept", inputs.len());
        for (file, input) in inputs {
            println!("{name}/{file}"); // the last one is to blame
            target(&input);
        }
    }
}

/// What is borrowed is what is owned, in well-formed inputs and near them.
#[test]
fn changed_inputs_are_borrowed_as_they_are_owned() {
    let mut random = fastrand::Rng::with_seed(1);
    for (file, input) in kept("generated") {
        println!("{file}");
        if input.is_empty() {
            continue;
        }
        for _ in 0..20 {
            let mut changed = input.clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..changed.len());
                match random.u8(..4) {
                    0 => changed[at] ^= 1 << random.u8(..8),
                    1 => changed[at] = random.u8(..),
                    2 => changed.truncate(at.max(1)),
                    _ => changed[at..].rotate_left(1), // fields change places
                }
            }
            borrowed(&changed);
        }
    }
}

fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let directory = corpus.join(target);
    let files = fs::read_dir(&directory).unwrap_or_else(|e| panic!("{directory:?}: {e}"));
    let mut inputs = Vec::new();
    for path in files.map(|file| file.unwrap().path()) {
        let name = path.file_name().unwrap().display().to_string();
        inputs.push((name, fs::read(&path).unwrap()));
    }
    inputs.sort();
    inputs
}
