//! Heads: the tag and the wire type before each value.

/// How a value is laid out, the low half of its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum WireType {
    /// One byte, signed.
    Int1 = 0,
    /// Two bytes, big endian, signed.
    Int2 = 1,
    /// Four bytes, big endian, signed.
    Int4 = 2,
    /// Eight bytes, big endian, signed.
    Int8 = 3,
    /// IEEE 754 binary32, big endian.
    Float = 4,
    /// IEEE 754 binary64, big endian.
    Double = 5,
    /// Length in one byte, then that many bytes.
    String1 = 6,
    /// Length in four bytes, then that many bytes.
    String4 = 7,
    /// Count, then keys (tag 0) and values (tag 1) in turn.
    Map = 8,
    /// Count, then elements (tag 0).
    List = 9,
    /// Fields follow, up to [`WireType::StructEnd`].
    StructBegin = 10,
    /// Ends a struct.
    StructEnd = 11,
    /// The number 0, no payload.
    Zero = 12,
    /// A head of type [`WireType::Int1`], the length, then raw bytes.
    SimpleList = 13,
}

impl WireType {
    /// The type of that number; `None` for 14 and more, which no version of Tars defines.
    #[inline]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Int1,
            1 => Self::Int2,
            2 => Self::Int4,
            3 => Self::Int8,
            4 => Self::Float,
            5 => Self::Double,
            6 => Self::String1,
            7 => Self::String4,
            8 => Self::Map,
            9 => Self::List,
            10 => Self::StructBegin,
            11 => Self::StructEnd,
            12 => Self::Zero,
            13 => Self::SimpleList,
            _ => return None,
        })
    }
}

/// The tag and type of a value that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The field, or 0 inside containers.
    pub tag: u8,
    /// The layout of what follows.
    pub ty: WireType,
}

/// Tags from here on stand in a byte of their own.
pub(crate) const EXTENDED_TAG: u8 = 15;
