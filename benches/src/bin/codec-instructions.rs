//! Runs operations a fixed number of times each, to be counted by `scripts/instructions.sh`:
//! `codec-instructions COUNT [CELL: WAY]..`, all without a name. Prints the names of those it ran.

#![allow(clippy::print_stdout)]

use tars_benches::codec::{Operation, operations};

/// As many as a data set has.
const VALUES: u32 = 64;

fn main() {
    let mut args = std::env::args().skip(1);
    let count = args.next().and_then(|count| count.parse().ok());
    let count: u32 = count.unwrap_or(1);
    let parts: Vec<String> = args.collect();
    for mut operation in operations() {
        let name = format!("{operation:?}");
        if parts.is_empty() || parts.contains(&name) {
            for _ in 0..VALUES {
                operation.run(); // buffers have their size then
            }
            counted(&mut operation, count);
            println!("{name}");
        }
    }
}

/// What callgrind counts, by this name.
#[inline(never)]
fn counted(operation: &mut Operation, count: u32) {
    for _ in 0..count {
        operation.run();
    }
}
