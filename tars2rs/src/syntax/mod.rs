//! From text to AST.
//!
//! A file passes three stages. [`scan`] walks over its tokens once: it finds unclosed things and absurd nesting, so
//! that nothing after it can run long or deep, and collects the comments. The pest grammar then parses the whole
//! language; it matches faulty pieces as such, so one error does not hide the next. [`parser`] turns its pairs into
//! the [`ast`], and [`explain`] and [`stuck`] turn each faulty piece
//! into a message.

pub mod ast;
mod doc;
mod escape;
mod explain;
mod parser;
mod scan;
mod stuck;
mod token;

pub(crate) use parser::builtin_case;
pub use parser::parse;
pub use token::{KEYWORDS, is_keyword};
