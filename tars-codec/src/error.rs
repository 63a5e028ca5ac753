//! What can be wrong with bytes, or with a value that is to become bytes.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use crate::{Field, WireType};

/// The result of encoding or decoding.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What is wrong, where in the bytes, and in which field of which struct.
///
/// One word wide and made only when something is wrong, so that the good path carries no cost.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    offset: usize,
    /// The tag that was being read in the innermost struct which has not added itself to `path` yet.
    tag: Option<u8>,
    /// Innermost first.
    path: Vec<Step>,
}

/// A field on the way to the fault.
#[derive(Clone, PartialEq, Eq)]
struct Step {
    container: &'static str,
    tag: Option<u8>,
    field: Option<&'static str>,
}

/// The kinds of [`Error`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end inside of a value.
    UnexpectedEnd {
        /// Bytes that the value still needs.
        needed: usize,
        /// Bytes that are there.
        left: usize,
    },
    /// The value is of another type than the field.
    TypeMismatch {
        /// What the field takes.
        expected: &'static str,
        /// What was found.
        found: WireType,
    },
    /// Wire type 14 or 15.
    UnknownWireType(u8),
    /// An integer that the field's type cannot hold.
    IntegerRange {
        /// The value on the wire.
        value: i64,
        /// The type in Rust.
        ty: &'static str,
    },
    /// A negative length or count.
    NegativeLength(i64),
    /// A length or count above its limit, or above what the bytes at hand can hold.
    TooLong {
        /// What has the length: a string, a list, ..
        what: &'static str,
        /// The length on the wire, or of the value that is to be encoded.
        len: usize,
        /// The most that is accepted here.
        max: usize,
    },
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    TooDeep {
        /// The limit.
        max: u16,
    },
    /// The values would allocate more than [`Limits::memory`](crate::Limits::memory).
    OutOfBudget {
        /// Bytes that the value needs.
        needed: usize,
        /// Bytes that the budget has left.
        left: usize,
    },
    /// A `require` field is not there.
    Missing,
    /// A string that is not UTF-8.
    InvalidUtf8,
    /// An element of a container with another tag than 0, or 1 for the value of a map.
    ContainerTag {
        /// The tag that stands there.
        found: u8,
        /// The tag that belongs there.
        expected: u8,
    },
    /// The end of a struct where none is open.
    StrayStructEnd,
    /// Bytes after the last value.
    TrailingBytes(usize),
    /// The fields of a struct are not in the order of their tags, which [`decode`](crate::decode) and its like know how
    /// to handle: they do not return this.
    Disorder,
    /// An implementation of [`Encode`](crate::Encode) has panicked in a struct or container, which was caught by another
    /// one. (In a struct of a few numbers and strings that may go unnoticed: the value is then written up to there.)
    BrokenWriter,
    /// An implementation of [`Decode`](crate::Decode) has put another reader in the place of the one it was given.
    BrokenReader,
    /// A text that is no JSON, or is JSON of another type.
    Json {
        /// The keys and indices that lead to the fault: `/book/pages/3`. Empty for the text as a whole.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    /// A fault at a byte of the input; for an encoder, of the output.
    #[cold]
    #[inline(never)]
    pub fn new(kind: ErrorKind, offset: usize) -> Self {
        Self(Box::new(Inner {
            kind,
            offset,
            tag: None,
            path: Vec::new(),
        }))
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The byte of the input, or of the JSON text, at which it was noticed.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The innermost struct and field that are known: `("Module.Struct", "field")`.
    pub fn field(&self) -> Option<(&'static str, &'static str)> {
        let step = self.0.path.first()?;
        Some((step.container, step.field?))
    }

    /// The tag at which it was noticed, in the innermost struct or argument list.
    pub fn tag(&self) -> Option<u8> {
        self.0.path.first().map_or(self.0.tag, |step| step.tag)
    }

    /// Notes the tag that was being read, unless the fault already has one at this level.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn at_tag(mut self, tag: u8) -> Self {
        self.0.tag.get_or_insert(tag);
        self
    }

    /// The same fault in a part of the input that begins at a byte.
    #[cfg(feature = "json")]
    pub(crate) fn behind(mut self, start: usize) -> Self {
        self.0.offset += start;
        self
    }

    /// Adds a struct, and the field that the noted tag names in it, to the way to the fault.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub(crate) fn in_struct(mut self, name: &'static str, fields: &'static [Field]) -> Self {
        let tag = self.0.tag.take();
        let field = tag
            .and_then(|tag| fields.iter().find(|f| f.tag == tag))
            .map(|f| f.name);
        self.0.path.push(Step {
            container: name,
            tag,
            field,
        });
        self
    }

    /// Adds a named argument of a call to the way to the fault.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn in_argument(mut self, name: &'static str, tag: u8) -> Self {
        self.0.tag = None;
        self.0.path.push(Step {
            container: "argument",
            tag: Some(tag),
            field: Some(name),
        });
        self
    }
}

impl core::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl fmt::Display for Error {
    /// `LotofTags.ss (tag 4): SimpleStruct.id (tag 0): the value is String1, expected an integer, at byte 17`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.0.path.iter().rev() {
            match (step.field, step.tag) {
                (Some(field), Some(tag)) if step.container == "argument" => {
                    write!(f, "argument {field} (tag {tag}): ")?;
                }
                (Some(field), Some(tag)) => write!(f, "{}.{field} (tag {tag}): ", step.container)?,
                (_, Some(tag)) => write!(f, "{} (tag {tag}): ", step.container)?,
                _ => write!(f, "{}: ", step.container)?,
            }
        }
        if let Some(tag) = self.0.tag {
            write!(f, "tag {tag}: ")?;
        }
        write!(f, "{} at byte {}", self.0.kind, self.0.offset)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedEnd { needed, left } => {
                write!(f, "the bytes end too early: {needed} needed, {left} left,")
            }
            Self::TypeMismatch { expected, found } => {
                write!(f, "the value is {found:?}, expected {expected},")
            }
            Self::UnknownWireType(ty) => write!(f, "unknown wire type {ty}"),
            Self::IntegerRange { value, ty } => write!(f, "{value} does not fit in {ty}"),
            Self::NegativeLength(len) => write!(f, "negative length {len}"),
            Self::TooLong { what, len, max } => {
                write!(f, "a {what} of length {len}, at most {max} possible here,")
            }
            Self::TooDeep { max } => write!(f, "nested deeper than {max}"),
            Self::OutOfBudget { needed, left } => {
                write!(
                    f,
                    "the values take too much memory: {needed} bytes more, {left} left in the budget,"
                )
            }
            Self::Missing => f.write_str("required, but missing,"),
            Self::InvalidUtf8 => f.write_str("the string is not UTF-8"),
            Self::ContainerTag { found, expected } => {
                write!(
                    f,
                    "tag {found} inside of a container, expected tag {expected},"
                )
            }
            Self::StrayStructEnd => f.write_str("the end of a struct that was not begun"),
            Self::Disorder => f.write_str("the fields are not in order,"),
            Self::Json { path, reason } if path.is_empty() => write!(f, "{reason},"),
            Self::Json { path, reason } => write!(f, "{path}: {reason},"),
            Self::BrokenWriter => f.write_str("an `Encode` has panicked,"),
            Self::BrokenReader => f.write_str("a `Decode` has replaced its reader,"),
            Self::TrailingBytes(n) => write!(f, "{n} bytes after the last value"),
        }
    }
}
