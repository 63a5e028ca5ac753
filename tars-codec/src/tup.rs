//! TUP: values by name instead of by position, the bodies of protocol version 3.
//!
//! A body is `map<string, vector<byte>>` with tag 0; each entry holds one value, written with tag 0.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use bytes::Bytes;

use crate::{Decode, Encode, Error, ErrorKind, Input, Result, Writer};

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
}

impl TupWriter {
    /// No value yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value; it replaces one of the same name.
    ///
    /// # Errors
    /// The value cannot be encoded.
    pub fn put<T: Encode + ?Sized>(&mut self, name: &str, value: &T) -> Result<()> {
        let mut buf = Vec::new();
        let mut w = Writer::new(&mut buf);
        w.put(0, value);
        w.finish()?;
        self.values.insert(name.into(), buf.into());
        Ok(())
    }

    /// The body.
    ///
    /// # Errors
    /// More than the wire can hold.
    pub fn finish(self) -> Result<Vec<u8>> {
        let mut buf = Vec::new();
        let mut w = Writer::new(&mut buf);
        w.put(0, &self.values);
        w.finish()?;
        Ok(buf)
    }
}

/// Named values that were received.
#[derive(Debug, Clone)]
pub struct TupReader {
    values: BTreeMap<String, Bytes>,
}

impl TupReader {
    /// Reads a body; the values share its memory.
    ///
    /// # Errors
    /// It is not a map of byte vectors.
    pub fn new(body: &Bytes) -> Result<Self> {
        if body.is_empty() {
            return Ok(Self {
                values: BTreeMap::new(),
            });
        }
        let input = Input::shared(body);
        let mut r = input.reader();
        let values = r.next_if(0)?;
        Ok(Self {
            values: r.require(values, 0)?,
        })
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes of the value of that name, tag 0 and all.
    pub fn bytes(&self, name: &str) -> Option<&Bytes> {
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
