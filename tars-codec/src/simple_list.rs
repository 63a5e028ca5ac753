//! Values whose layout is a SimpleList although their type says otherwise.

use alloc::string::String;

use crate::{Decode, Encode, Reader, Result, WireType, Writer};

/// `string:N`, which TarsCpp writes as a byte array, not as a string.
///
/// Generated code wraps such fields for the way over the wire; a plain string is accepted as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CharArray<S>(pub S);

impl<S: AsRef<str>> Encode for CharArray<S> {
    #[inline]
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.byte_vector(tag, self.0.as_ref().as_bytes());
    }

    #[inline]
    fn is_default(&self) -> bool {
        self.0.as_ref().is_empty()
    }
}

impl Decode for CharArray<String> {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode(r: &mut Reader<'_>, ty: WireType) -> Result<Self> {
        let bytes = match ty {
            WireType::SimpleList => r.simple_list()?,
            _ => r.string(ty)?,
        };
        r.text(bytes).map(Self)
    }
}
