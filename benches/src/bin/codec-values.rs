//! The values of the benchmarks for peers (`scripts/bench-codec.sh`): `codec-values` prints each set as a line of JSON,
//! the values in hexadecimal; `codec-values FILE..` judges what peers have encoded them to.

#![allow(clippy::print_stdout)]

use std::{env, fs, io, process::ExitCode};

use tars_benches::codec::{Set, sets};

fn main() -> io::Result<ExitCode> {
    let files: Vec<String> = env::args().skip(1).collect();
    if files.is_empty() {
        for set in sets() {
            let values: Vec<String> = set
                .values
                .iter()
                .map(|v| format!("\"{}\"", hex(v)))
                .collect();
            println!(
                r#"{{"name":"{}","type":"{}","values":[{}]}}"#,
                set.name,
                set.ty,
                values.join(",")
            );
        }
    }
    let mut wrong = 0;
    for file in files {
        let output = fs::read_to_string(&file)?;
        for set in sets() {
            if !is_encoded(&set, &output) {
                println!("{file}: {} is not encoded to the same values", set.name);
                wrong += 1;
            }
        }
    }
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Whether a peer's output has the values of a set, in a line `bytes`, name, values in hexadecimal.
fn is_encoded(set: &Set, output: &str) -> bool {
    let prefix = format!("bytes\t{}\t", set.name);
    let Some(line) = output.lines().find_map(|line| line.strip_prefix(&prefix)) else {
        return false;
    };
    let values: Vec<Option<Vec<u8>>> = line.split_whitespace().map(unhex).collect();
    let is_same = |(ours, theirs): (&Vec<u8>, &Option<Vec<u8>>)| {
        let theirs = theirs.as_deref();
        theirs.is_some_and(|theirs| (set.is_same)(ours, theirs))
    };
    values.len() == set.values.len() && set.values.iter().zip(&values).all(is_same)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}
