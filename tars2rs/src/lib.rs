//! Compiler for Tars IDL: reads `.tars` files and writes Rust.
//!
//! In a `build.rs`, [`Builder`] is all that is needed. The way of the data: [`config`] says what to do, [`resolve`]
//! (over [`syntax`]) makes a [`model`] of the IDL, [`rust`] makes text of the model, and [`output`] brings a directory
//! up to date; [`generate`] runs them in this order. Complaints are data on the way ([`diagnostic`]).

#![forbid(unsafe_code)]

mod builder;
pub mod config;
pub mod diagnostic;
mod error;
pub mod generate;
pub mod model;
pub mod output;
mod parallel;
pub mod resolve;
pub mod rust;
mod rustfmt;
pub mod source;
pub mod syntax;

pub use builder::{Builder, Report};
pub use error::{Error, Findings};

/// The examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../docs/tars2rs.md")]
struct Guide;
