//! Bytes without an IDL: whatever is there, as a tree.

use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::{
    Decode, Encode, Head, Input, Reader, Result, WireType, Writer, decode::decode_entries,
};

/// A value of any wire type.
///
/// The width of an integer is not kept: it is written in the narrowest form, as every peer does. A string need not
/// be UTF-8 here, and shares the memory of the input when that can be shared.
///
/// ```
/// use tars_codec::{Fields, Input};
///
/// let bytes = [0x00, 7, 0x16, 3, b't', b'e', b'd', 0x29, 0x00, 1, 0x0a, 0x0c, 0x0b];
/// let fields = Fields::decode(&Input::new(&bytes))?;
/// assert_eq!(fields.to_string(), "\
/// 0: 7
/// 1: \"ted\"
/// 2: list of 1
///   struct
///     0: 0
/// ");
/// # Ok::<(), tars_codec::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An integer of any width.
    Int(i64),
    /// A binary32.
    Float(f32),
    /// A binary64.
    Double(f64),
    /// The bytes of a string.
    String(Bytes),
    /// A SimpleList.
    Bytes(Bytes),
    /// A list.
    List(Vec<Self>),
    /// A map, in the order of the wire.
    Map(Vec<(Self, Self)>),
    /// A struct.
    Struct(Fields),
}

/// Fields with their tags, in the order of the wire: a struct, or the arguments of a call.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields(pub Vec<(u8, Value)>);

impl Fields {
    /// Reads the fields that fill an input.
    ///
    /// # Errors
    /// The bytes are no fields, or exceed the limits of the input.
    pub fn decode(input: &Input<'_>) -> Result<Self> {
        read_fields(&mut input.reader())
    }

    /// Writes the fields, without begin and end of a struct.
    pub fn encode(&self, w: &mut Writer<'_>) {
        for (tag, value) in &self.0 {
            w.put(*tag, value);
        }
    }
}

fn read_fields(r: &mut Reader<'_>) -> Result<Fields> {
    let mut fields = Vec::new();
    while let Some(Head { tag, ty }) = r.next_field()? {
        r.charge(size_of::<(u8, Value)>())?;
        fields.push((tag, Value::decode(r, ty).map_err(|e| e.at_tag(tag))?));
    }
    Ok(Fields(fields))
}

/// Recursion is as deep as the limits of the input allow.
impl Decode for Value {
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        Ok(match ty {
            WireType::Zero | WireType::Int1 | WireType::Int2 | WireType::Int4 | WireType::Int8 => {
                Self::Int(r.int(ty)?)
            }
            WireType::Float => Self::Float(f32::decode(r, ty)?),
            WireType::Double => Self::Double(f64::decode(r, ty)?),
            WireType::String1 | WireType::String4 => {
                let bytes = r.string(ty)?;
                Self::String(r.share(bytes)?)
            }
            WireType::SimpleList => Self::Bytes(Bytes::decode(r, ty)?),
            WireType::List => Self::List(Vec::decode(r, ty)?),
            WireType::Map => Self::Map(decode_entries(r, ty, Vec::with_capacity)?),
            WireType::StructBegin => {
                let mut inner = r.enter_struct()?;
                let fields = read_fields(&mut inner)?;
                r.leave(inner);
                Self::Struct(fields)
            }
            WireType::StructEnd => return Err(r.mismatch("a value", ty)),
        })
    }
}

impl Encode for Value {
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        match self {
            Self::Int(value) => value.encode(w, tag),
            Self::Float(value) => value.encode(w, tag),
            Self::Double(value) => value.encode(w, tag),
            Self::String(bytes) => w.string(tag, bytes),
            Self::Bytes(bytes) => bytes.encode(w, tag),
            Self::List(items) => items.encode(w, tag),
            Self::Map(entries) => {
                w.container(tag, WireType::Map, "map", entries.len());
                for (key, value) in entries {
                    key.encode(w, 0);
                    value.encode(w, 1);
                }
            }
            Self::Struct(fields) => {
                w.head(tag, WireType::StructBegin);
                fields.encode(w);
                w.head(0, WireType::StructEnd);
            }
        }
    }
}

/// A line for each value, two blanks for each level.
impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, 0)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, 0)
    }
}

impl Fields {
    fn print(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        for (tag, value) in &self.0 {
            write!(f, "{:1$}{tag}: ", "", level * 2)?;
            value.print(f, level)?;
        }
        Ok(())
    }
}

impl Value {
    /// The value and a line end; what is inside of it on lines of its own, a level deeper than `level`.
    fn print(&self, f: &mut fmt::Formatter<'_>, level: usize) -> fmt::Result {
        let indent = (level + 1) * 2;
        match self {
            Self::Int(value) => writeln!(f, "{value}"),
            Self::Float(value) => writeln!(f, "{value:?}f"),
            Self::Double(value) => writeln!(f, "{value:?}"),
            Self::String(bytes) => match core::str::from_utf8(bytes) {
                Ok(text) => writeln!(f, "{text:?}"),
                Err(_) => writeln!(f, "\"{}\" (not UTF-8)", bytes.escape_ascii()),
            },
            Self::Bytes(bytes) => {
                write!(f, "bytes of {}:", bytes.len())?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                writeln!(f)
            }
            Self::List(items) => {
                writeln!(f, "list of {}", items.len())?;
                for item in items {
                    write!(f, "{:indent$}", "")?;
                    item.print(f, level + 1)?;
                }
                Ok(())
            }
            Self::Map(entries) => {
                writeln!(f, "map of {}", entries.len())?;
                for (key, value) in entries {
                    write!(f, "{:indent$}", "")?;
                    key.print(f, level + 1)?;
                    write!(f, "{:indent$}=> ", "")?;
                    value.print(f, level + 1)?;
                }
                Ok(())
            }
            Self::Struct(fields) => {
                writeln!(f, "struct")?;
                fields.print(f, level + 1)
            }
        }
    }
}
