//! Named values: the bodies of protocol version 5.

use alloc::{collections::BTreeMap, format, string::String};
use core::{fmt, ops::Range};

use bytes::Bytes;
use serde_core::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{from_tars, read, to_tars, write};
use crate::{Decode, Encode, ErrorKind, Input, Limits, Result, Type, Typed, encode::encode_value};

/// Named values to be sent, as one JSON object.
///
/// ```
/// use tars_codec::json::{JsonReader, JsonWriter};
///
/// let mut out = JsonWriter::new();
/// out.put("name", "ted")?;
/// out.put("ages", &vec![7_i32, 8])?;
/// let body = out.finish();
/// assert_eq!(body, r#"{"name":"ted","ages":[7,8]}"#);
///
/// let input = JsonReader::new(&body.into())?;
/// assert_eq!(input.get::<String>("name")?.as_deref(), Some("ted"));
/// assert_eq!(input.get::<String>("age")?, None);
/// # Ok::<(), tars_codec::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct JsonWriter {
    /// The members, without the braces.
    members: String,
}

impl JsonWriter {
    /// No value yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value. That names do not repeat is up to the caller.
    ///
    /// # Errors
    /// The value cannot be encoded.
    pub fn put<T: Encode + Typed + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        self.put_tars(name, &encode_value(value)?, T::TYPE)
    }

    fn put_tars(&mut self, name: &str, tars: &[u8], ty: &Type) -> Result<()> {
        let value = from_tars(&Input::new(tars), ty)?;
        if !self.members.is_empty() {
            self.members.push(',');
        }
        write::quote(&mut self.members, name);
        self.members.push(':');
        self.members.push_str(&value);
        Ok(())
    }

    /// The object.
    pub fn finish(self) -> String {
        format!("{{{}}}", self.members)
    }
}

/// Named values that were received, as one JSON object.
#[derive(Debug, Clone)]
pub struct JsonReader {
    body: Bytes,
    /// Where the text of each value is.
    places: BTreeMap<String, Range<usize>>,
}

impl JsonReader {
    /// Finds the values in a body; no body at all has none. They are not looked into before somebody asks.
    ///
    /// # Errors
    /// [`ErrorKind::Json`]: it is no JSON object, or has a name twice.
    pub fn new(body: &Bytes) -> Result<Self> {
        let mut members = Members {
            body,
            places: BTreeMap::new(),
            memory: Limits::DEFAULT.memory,
        };
        if !body.is_empty() {
            let mut json = serde_json::Deserializer::from_slice(body);
            let read = json.deserialize_map(&mut members);
            read.and_then(|()| json.end())
                .map_err(|fault| read::error(&fault, body, &[]))?;
        }
        Ok(Self {
            body: body.clone(),
            places: members.places,
        })
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The Tars bytes of the value of that name, which get tag 0; `None` when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Json`]: it is of another type.
    pub fn tars(&self, name: &str, ty: &Type) -> Result<Option<Bytes>> {
        let Some(place) = self.places.get(name) else {
            return Ok(None);
        };
        let text = self.body.get(place.clone()).unwrap_or_default();
        match to_tars(text, ty, &Limits::DEFAULT) {
            Ok(tars) => Ok(Some(tars.into())),
            Err(error) => Err(error.behind(place.start)),
        }
    }

    /// The value of that name; `None` when there is none.
    ///
    /// # Errors
    /// It is of another type.
    pub fn get<T: Decode + Typed>(&self, name: &str) -> Result<Option<T>> {
        match self.tars(name, T::TYPE)? {
            None => Ok(None),
            Some(tars) => Input::shared(&tars).reader().next_if(0),
        }
    }
}

/// Notes where values are.
struct Members<'b> {
    body: &'b Bytes,
    places: BTreeMap<String, Range<usize>>,
    /// What the names may still take.
    memory: usize,
}

impl<'de> Visitor<'de> for &mut Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> core::result::Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            let needed = size_of::<(String, Range<usize>)>() + name.len();
            let Some(left) = self.memory.checked_sub(needed) else {
                let left = self.memory;
                return Err(A::Error::custom(ErrorKind::OutOfBudget { needed, left }));
            };
            self.memory = left;
            // The value lies in the body, from which it was borrowed.
            let start = value.get().as_ptr().addr() - self.body.as_ptr().addr();
            let place = start..start + value.get().len();
            if self.places.insert(name, place).is_some() {
                return Err(A::Error::custom("a name is given twice"));
            }
        }
        Ok(())
    }
}
