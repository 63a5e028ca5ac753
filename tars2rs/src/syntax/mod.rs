//! From text to AST.
//!
//! A file passes three stages. [`scan`] walks over its tokens once: it finds unclosed things and absurd nesting, so
//! that nothing after it can run long or deep, collects the comments, and finds where a long file may be cut into
//! [`pieces`]. [`parser`] then runs the pest grammar, which matches faulty text as such, so that one error does not
//! hide the next. [`pairs`] turns what it found into the [`ast`], and [`explain`] and [`stuck`] turn each fault into a
//! message.

pub mod ast;
mod doc;
mod escape;
mod explain;
mod pairs;
mod parser;
mod pieces;
mod scan;
mod stuck;
mod token;

pub(crate) use pairs::{builtin_case, foreign_spelling};
pub(crate) use parser::parse;
pub use token::{KEYWORDS, is_keyword};
