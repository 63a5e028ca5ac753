//! What the targets call. The assertions are those of `tests`, which runs them on the inputs that are kept; by path, as
//! its servers and their libraries need not be built with a sanitizer.

#![forbid(unsafe_code)]

#[path = "../tests/src/fuzz.rs"]
pub mod fuzz;
#[path = "../tests/src/servant/mod.rs"]
mod servant;
