//! The types of an IDL as data, for the forms of a value that have no generated code: JSON, and TUP's type names.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use bytes::Bytes;

use crate::{CharArray, OrderedF32, OrderedF64, Struct};

/// A type of the IDL.
///
/// ```
/// use std::collections::BTreeMap;
/// use tars_codec::Typed;
///
/// let ty = <BTreeMap<String, Vec<u8>>>::TYPE;
/// assert_eq!(ty.to_string(), "map<string, vector<unsigned byte>>");
/// ```
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Type {
    /// `bool`
    Bool,
    /// `byte`
    Byte,
    /// `short`
    Short,
    /// `int`, and every enum.
    Int,
    /// `long`
    Long,
    /// `unsigned byte`
    UByte,
    /// `unsigned short`
    UShort,
    /// `unsigned int`
    UInt,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `string`, also with a maximum.
    String,
    /// `vector<byte>`, also with a maximum.
    Bytes,
    /// `vector<T>`, also with a maximum.
    Vector(&'static Self),
    /// `map<K, V>`
    Map(&'static Self, &'static Self),
    /// A struct, by a function, for it may contain itself.
    Struct(fn() -> StructType),
}

/// A struct of the IDL.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct StructType {
    /// `Module.Name`
    pub name: &'static str,
    /// By ascending tag.
    pub fields: &'static [Field],
}

impl StructType {
    /// The struct that `T` is.
    pub const fn of<T: Struct>() -> Self {
        Self {
            name: T::NAME,
            fields: T::FIELDS,
        }
    }
}

/// A field of a struct.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Field {
    /// Tag on the wire.
    pub tag: u8,
    /// Name in the IDL.
    pub name: &'static str,
    /// Its type.
    pub ty: &'static Type,
    /// Its value when it is not sent; `None` for a `require` field, which always is.
    pub default: Option<DefaultValue>,
}

impl Field {
    /// A `require` field.
    pub const fn required<T: Typed + ?Sized>(tag: u8, name: &'static str) -> Self {
        Self {
            tag,
            name,
            ty: T::TYPE,
            default: None,
        }
    }

    /// An `optional` field whose default is zero, false or empty. A struct that is not sent has no value.
    pub const fn optional<T: Typed + ?Sized>(tag: u8, name: &'static str) -> Self {
        Self::with_default::<T>(tag, name, DefaultValue::Zero)
    }

    /// An `optional` field with a default.
    pub const fn with_default<T: Typed + ?Sized>(
        tag: u8,
        name: &'static str,
        default: DefaultValue,
    ) -> Self {
        Self {
            tag,
            name,
            ty: T::TYPE,
            default: Some(default),
        }
    }
}

/// What an `optional` field is when it is not sent.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum DefaultValue {
    /// Zero, false or empty; for a struct, nothing.
    Zero,
    /// `true`
    True,
    /// An integer or an enumerator.
    Int(i64),
    /// A `float` or `double`.
    Float(f64),
    /// A string.
    String(&'static str),
    /// A string that is not UTF-8.
    Bytes(&'static [u8]),
}

/// As in an IDL.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Byte => f.write_str("byte"),
            Self::Short => f.write_str("short"),
            Self::Int => f.write_str("int"),
            Self::Long => f.write_str("long"),
            Self::UByte => f.write_str("unsigned byte"),
            Self::UShort => f.write_str("unsigned short"),
            Self::UInt => f.write_str("unsigned int"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("vector<byte>"),
            Self::Vector(item) => write!(f, "vector<{item}>"),
            Self::Map(key, value) => write!(f, "map<{key}, {value}>"),
            Self::Struct(of) => f.write_str(of().name),
        }
    }
}

/// A Rust type that stands for a type of the IDL.
///
/// Everything that is [`Encode`](crate::Encode) or [`Decode`](crate::Decode) is, but for [`Value`](crate::Value),
/// which has whatever type its bytes have.
pub trait Typed {
    /// The type of the IDL.
    const TYPE: &'static Type;
}

macro_rules! typed {
    ($($rust:ty: $ty:ident;)*) => {$(
        impl Typed for $rust {
            const TYPE: &'static Type = &Type::$ty;
        }
    )*};
}

typed! {
    bool: Bool;
    i8: Byte;
    i16: Short;
    i32: Int;
    i64: Long;
    u8: UByte;
    u16: UShort;
    u32: UInt;
    f32: Float;
    f64: Double;
    OrderedF32: Float;
    OrderedF64: Double;
    str: String;
    String: String;
    Bytes: Bytes;
}

impl<S> Typed for CharArray<S> {
    const TYPE: &'static Type = &Type::String;
}

impl<T: Typed> Typed for [T] {
    const TYPE: &'static Type = &Type::Vector(T::TYPE);
}

impl<T: Typed> Typed for Vec<T> {
    const TYPE: &'static Type = &Type::Vector(T::TYPE);
}

impl<K: Typed, V: Typed> Typed for BTreeMap<K, V> {
    const TYPE: &'static Type = &Type::Map(K::TYPE, V::TYPE);
}

#[cfg(feature = "std")]
impl<K: Typed, V: Typed, S> Typed for std::collections::HashMap<K, V, S> {
    const TYPE: &'static Type = &Type::Map(K::TYPE, V::TYPE);
}

impl<T: Struct> Typed for T {
    const TYPE: &'static Type = &Type::Struct(StructType::of::<T>);
}
