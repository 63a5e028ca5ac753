//! Fields that a struct has on the wire, but not in the IDL at hand.

use alloc::{collections::BTreeMap, vec::Vec};
use core::{fmt, ops::RangeInclusive};

use crate::{Fields, Head, Input, Reader, Result, Writer, write};

/// Fields that a struct does not know, as they were received.
///
/// They are sent on at the place of their tag, for a reader in C++ finds a field only where the tags ascend; several
/// with one tag keep their order. It has `Ord` and `Hash`, so that a struct which has them can be a map key.
///
/// ```
/// use tars_codec::{Input, UnknownFields, write};
///
/// let bytes = [0x20, 7, 0x06, 2, b'h', b'i'];
/// let input = Input::new(&bytes);
/// let mut r = input.reader();
/// let mut unknown = UnknownFields::new();
/// while let Some(head) = r.next_field()? {
///     unknown.keep(&mut r, head)?;
/// }
/// assert_eq!(unknown.fields()?.to_string(), "0: \"hi\"\n2: 7\n");
///
/// let mut out = Vec::new();
/// write(&mut out, |w| unknown.encode(w, 1..=255))?;
/// assert_eq!(out, [0x20, 7]);
/// # Ok::<(), tars_codec::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownFields(
    /// Head and value, one after the other, of all fields with a tag.
    BTreeMap<u8, Vec<u8>>,
);

impl UnknownFields {
    /// None.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their values.
    ///
    /// # Errors
    /// They are too many or nested too deep for the default limits; they are well-formed.
    pub fn fields(&self) -> Result<Fields> {
        let all: Vec<u8> = self.0.values().flatten().copied().collect();
        Fields::decode(&Input::new(&all))
    }

    /// Reads the value of a field whose head has been taken.
    ///
    /// # Errors
    /// As [`Reader::skip`], or there is too much of them.
    pub fn keep(&mut self, r: &mut Reader<'_>, head: Head) -> Result<()> {
        let mut value = *r;
        r.skip(head)?;
        let bytes = value.take(value.left() - r.left())?;
        let field = self.0.entry(head.tag).or_default();
        let before = field.len();
        write(field, |w| {
            w.head(head.tag, head.ty);
            w.append(bytes);
        })?;
        r.charge(field.len() - before)
    }

    /// Writes the fields with these tags.
    pub fn encode(&self, w: &mut Writer<'_>, tags: RangeInclusive<u8>) {
        if !tags.is_empty() {
            for (_, fields) in self.0.range(tags) {
                w.append(fields);
            }
        }
    }
}

impl fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fields() {
            Ok(fields) => f.debug_map().entries(fields.0).finish(),
            Err(error) => fmt::Debug::fmt(&error, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn fields_of_one_tag_keep_their_order() {
        let bytes = [0xf0, 200, 1, 0x10, 5, 0xf0, 200, 2];
        let input = Input::new(&bytes);
        let mut r = input.reader();
        let mut unknown = UnknownFields::new();
        while let Some(head) = r.next_field().unwrap() {
            unknown.keep(&mut r, head).unwrap();
        }
        let mut out = Vec::new();
        write(&mut out, |w| unknown.encode(w, 0..=255)).unwrap();
        assert_eq!(out, [0x10, 5, 0xf0, 200, 1, 0xf0, 200, 2]);
    }

    #[test]
    fn memory_is_bounded() {
        let bytes = [0x06, 3, b'a', b'b', b'c'];
        let limits = crate::Limits::DEFAULT.with_memory(4);
        let input = Input::new(&bytes).with_limits(limits);
        let mut r = input.reader();
        let head = r.next_field().unwrap().unwrap();
        let error = UnknownFields::new().keep(&mut r, head).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::OutOfBudget { .. }),
            "{error}"
        );
    }
}
