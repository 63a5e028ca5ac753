//! TUP: values by name instead of by position, the bodies of protocol versions 2 and 3.
//!
//! Each value is written with tag 0. A simple body (version 3) is `map<string, vector<byte>>` with tag 0, from name to
//! value. A complex one (version 2) is `map<string, map<string, vector<byte>>>`: the inner map has one entry, from
//! the name of the type to the value.

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use bytes::Bytes;

use crate::{Decode, Encode, Error, ErrorKind, Input, Result, Type, Typed, encode::encode_value};

/// Named values to be sent.
///
/// ```
/// use tars_codec::{TupReader, TupWriter};
///
/// let mut out = TupWriter::new();
/// out.put("name", "ted")?;
/// let body = out.finish()?;
///
/// let input = TupReader::new(&body.into())?;
/// assert_eq!(input.get::<String>("name")?.as_deref(), Some("ted"));
/// assert_eq!(input.get::<String>("age")?, None);
/// # Ok::<(), tars_codec::Error>(())
/// ```
#[derive(Debug, Default, Clone)]
pub struct TupWriter {
    values: BTreeMap<String, Bytes>,
    /// In a complex body, the type of each value.
    types: Option<BTreeMap<String, &'static Type>>,
}

impl TupWriter {
    /// A simple body without a value yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A complex body without a value yet. The names of types are those of Tars.js (`@tars/stream`).
    pub fn complex() -> Self {
        Self {
            types: Some(BTreeMap::new()),
            ..Self::default()
        }
    }

    /// Adds a value; it replaces one of the same name.
    ///
    /// # Errors
    /// The value cannot be encoded.
    pub fn put<T: Encode + Typed + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.put_tars(name, encode_value(value)?.into(), T::TYPE);
        Ok(())
    }

    fn put_tars(&mut self, name: &str, tars: Bytes, ty: &'static Type) {
        self.values.insert(name.into(), tars);
        if let Some(types) = &mut self.types {
            types.insert(name.into(), ty);
        }
    }

    /// The body.
    ///
    /// # Errors
    /// More than the wire can hold.
    pub fn finish(self) -> Result<Vec<u8>> {
        let Some(types) = self.types else {
            return encode_value(&self.values);
        };
        let typed = types.into_iter().zip(self.values); // both have the same names, in order
        let values: BTreeMap<_, _> = typed
            .map(|((name, ty), (_, bytes))| (name, BTreeMap::from([(type_name(ty), bytes)])))
            .collect();
        encode_value(&values)
    }
}

/// Named values that were received.
#[derive(Debug, Clone)]
pub struct TupReader {
    values: BTreeMap<String, Bytes>,
}

impl TupReader {
    /// Reads a simple body; the values share its memory.
    ///
    /// # Errors
    /// It is not a map of byte vectors.
    pub fn new(body: &Bytes) -> Result<Self> {
        let values = read(body)?;
        Ok(Self { values })
    }

    /// Reads a complex body; the values share its memory. The names of types do not matter: peers differ in them,
    /// and a value says itself what it is.
    ///
    /// # Errors
    /// It is not a map of maps of byte vectors.
    pub fn complex(body: &Bytes) -> Result<Self> {
        let values: BTreeMap<String, BTreeMap<String, Bytes>> = read(body)?;
        let values = values.into_iter().filter_map(|(name, mut typed)| {
            let (_, bytes) = typed.pop_first()?;
            Some((name, bytes))
        });
        Ok(Self {
            values: values.collect(),
        })
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes of the value of that name, tag 0 and all; `None` when there is none.
    pub fn tars(&self, name: &str) -> Option<&Bytes> {
        self.values.get(name)
    }

    /// The value of that name; `None` when there is none.
    ///
    /// # Errors
    /// It is of another type. The offset counts from where the value begins.
    pub fn get<T: Decode>(&self, name: &str) -> Result<Option<T>> {
        let Some(bytes) = self.values.get(name) else {
            return Ok(None);
        };
        let input = Input::shared(bytes);
        match input.reader().next_if(0)? {
            None => Err(Error::new(ErrorKind::Missing, 0)),
            value => Ok(value),
        }
    }
}

/// A map with tag 0; no body at all is an empty one.
fn read<T: Decode + Default>(body: &Bytes) -> Result<T> {
    if body.is_empty() {
        return Ok(T::default());
    }
    let input = Input::shared(body);
    let mut r = input.reader();
    let values = r.next_if(0)?;
    r.require(values, 0)
}

/// What Tars.js calls a type. It looks values up by these names, so even the capital of `List` counts.
fn type_name(ty: &Type) -> String {
    let name = match ty {
        Type::Bool => "bool",
        Type::Byte => "char",
        Type::Short | Type::UByte => "short",
        Type::Int | Type::UShort => "int32",
        Type::Long | Type::UInt => "int64",
        Type::Float => "float",
        Type::Double => "double",
        Type::String => "string",
        Type::Bytes => "list<char>",
        Type::Struct(of) => of().name,
        Type::Vector(item) => return format!("List<{}>", type_name(item)),
        Type::Map(key, value) => return format!("map<{},{}>", type_name(key), type_name(value)),
    };
    name.into()
}
