//! `docs/tars-rpc-limits.md` has all limits, counters and codes of the code, and none that are not there.

use std::{collections::BTreeSet, fmt::Debug};

use tars_rpc::{client, server};

const PAGE: &str = include_str!("../../docs/tars-rpc-limits.md");

/// Names of the fields of a struct, as its `Debug` shows them.
fn fields(value: &impl Debug) -> BTreeSet<String> {
    let text = format!("{value:#?}");
    let fields = text.lines().filter_map(|line| {
        let line = line.strip_prefix("    ").filter(|l| !l.starts_with(' '))?;
        line.split_once(':').map(|(name, _)| name.to_owned())
    });
    fields.collect()
}

/// The rows of the table of limits: side, limit, default, effect and counters.
fn rows() -> Vec<Vec<&'static str>> {
    let table = PAGE.split("## Return codes").next().unwrap();
    let rows = table
        .lines()
        .filter(|l| l.starts_with("| client") || l.starts_with("| server"));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn limits_of(side: &str) -> BTreeSet<String> {
    let rows = rows().into_iter().filter(|row| row[0] == side);
    rows.flat_map(|row| quoted(row[1]).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_limit_is_in_the_table() {
    for (side, fields) in [
        ("client", fields(&client::Config::default())),
        ("server", fields(&server::Limits::default())),
    ] {
        let named = limits_of(side);
        let missing: Vec<_> = fields.difference(&named).collect();
        assert!(missing.is_empty(), "{side}: {missing:?}");
    }
}

#[test]
fn every_counter_exists() {
    let client = fields(tars_rpc::Communicator::new().stats());
    let server = fields(&server::Stats::default());
    for row in rows() {
        let known = if row[0] == "client" { &client } else { &server };
        for counter in quoted(row[4]) {
            assert!(known.contains(counter), "{counter} of {row:?}");
        }
    }
}

#[test]
fn every_code_has_its_row() {
    let codes = include_str!("../../tars-rpc/src/codes.rs");
    for line in codes.lines().filter_map(|l| l.strip_prefix("pub const ")) {
        let (name, rest) = line.split_once(": i32 = ").unwrap();
        let code = rest.trim_end_matches(';');
        if !["OK", "GRID_RESET"].contains(&name) {
            let row = format!("| {code} | `{name}` |");
            assert!(PAGE.contains(&row), "{row}");
        }
    }
}
