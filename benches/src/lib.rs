//! What the benchmarks measure.

#![forbid(unsafe_code)]

pub mod codec;
#[allow(missing_docs)] // an index of files
pub mod generated;

/// What generated code takes for the runtime: these structs need the codec alone.
mod runtime {
    pub(crate) use tars_codec as codec;
}
