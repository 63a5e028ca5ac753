//! The codec's operations beside those of prost: the same values, in every form that is measured.
//!
//! One list, [`operations`], for everything that measures: `benches/codec.rs` (criterion), the table of ratios
//! (`codec-table`) and the counts of instructions (`codec-instructions`).

mod operations;
pub mod peer;
mod sets;
mod values;

pub use operations::{Operation, operations};
pub use sets::{Set, sets};
pub use values::DataSet;
