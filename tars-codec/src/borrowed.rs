//! Values that borrow from the bytes that they are read from, for readers that only look.

mod containers;

use alloc::{borrow::Cow, collections::BTreeMap, string::String, sync::Arc, vec::Vec};

use bytes::Bytes;

use crate::{
    AtMost, ByteStr, ByteVec, CharArray, CharBytes, Cursor, Decode, Error, ErrorKind, InlineStr,
    Input, Length, OrderedF32, OrderedF64, Reader, Result, Struct, VecMap, WireType,
    alternatives::char_array,
    reader::Place,
    structure::{Borrowed, decode_struct},
    text,
    wire::EXTENDED_TAG,
};
pub use containers::{ListRef, ListRefIter, MapRef, MapRefIter};

/// A struct of an IDL whose text, bytes, lists and maps are borrowed. `tars2rs` writes the implementation, next to that of
/// [`Struct`], where its option `borrowed` says so.
///
/// For the IDL `struct Book { 0 require string title; 1 optional map<string, int> stock; };` it is
/// `BookRef<'a> { title: &'a str, stock: MapRef<'a, &'a str, i32> }`. Lists and maps stay where they are ([`ListRef`],
/// [`MapRef`]) and allocate nothing; what does is bytes that come as a list of numbers, an optional struct within itself, and
/// fields that are not in order. What is read is checked as for the owned one, and is the same, but for
/// [`UnknownFields`](crate::UnknownFields), which it does not keep.
///
/// Every [`Struct`] is one, too, that borrows nothing.
///
/// ```
/// # use tars_codec::{Cursor, Field, IntoOwned, MapRef, Reader, Struct, StructRef, Writer, decode_ref, encode};
/// # #[derive(Debug, PartialEq)]
/// # struct Book { title: String, stock: std::collections::BTreeMap<String, i32> }
/// # impl Struct for Book {
/// #     const NAME: &'static str = "Shop.Book";
/// #     const FIELDS: &'static [Field] = &[Field::required::<String>(0, "title"),
/// #         Field::optional::<std::collections::BTreeMap<String, i32>>(1, "stock")];
/// #     fn encode_fields(&self, w: &mut Writer<'_>) { w.put(0, &self.title); w.put(1, &self.stock); }
/// #     fn decode_fields(r: &mut Reader<'_>) -> Self {
/// #         Self { title: r.required(0), stock: r.optional(1) }
/// #     }
/// # }
/// # struct BookRef<'a> { title: &'a str, stock: MapRef<'a, &'a str, i32> }
/// # impl<'a> StructRef<'a> for BookRef<'a> {
/// #     type Owned = Book;
/// #     fn decode_fields_ref(r: &mut Cursor<'_, 'a>) -> Self {
/// #         Self { title: r.required_ref(0), stock: r.optional_ref(1) }
/// #     }
/// # }
/// # impl IntoOwned<Book> for BookRef<'_> {
/// #     fn into_owned(self) -> Book { Book { title: self.title.into_owned(), stock: self.stock.into_owned() } }
/// # }
/// let book = Book { title: "Emma".to_owned(), stock: [("Bath".to_owned(), 3)].into() };
/// let bytes = encode(&book)?;
///
/// let look: BookRef<'_> = decode_ref(&bytes)?;
/// assert_eq!(look.title, "Emma");
/// assert_eq!(look.stock.get("Bath"), Some(3));
/// let kept: Book = look.into_owned();
/// assert_eq!(kept, book);
/// # Ok::<(), tars_codec::Error>(())
/// ```
pub trait StructRef<'a>: Sized {
    /// The same struct without borrowing.
    type Owned: Struct;

    /// Asks for the fields by ascending tag, as [`Struct::decode_fields`] does.
    fn decode_fields_ref(r: &mut Cursor<'_, 'a>) -> Self;

    /// Reads a struct whose head has been taken.
    #[doc(hidden)]
    #[inline(always)]
    fn decode_struct_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        if ty != WireType::StructBegin {
            return Err(r.mismatch("a struct", ty));
        }
        let mut fields = r.enter_struct()?;
        let value = decode_struct::<Borrowed<Self>>(&mut fields)?;
        r.leave(fields);
        Ok(value)
    }

    /// As [`Decode::WHOLE`].
    #[doc(hidden)]
    const WHOLE_STRUCT: bool = false;

    /// As [`Decode::decode_whole`].
    #[doc(hidden)]
    #[inline(always)]
    fn decode_whole_struct(r: &mut Cursor<'_, 'a>, tag: u8) -> Option<Self> {
        let _ = (r, tag);
        None
    }
}

impl<'a, T: Struct> StructRef<'a> for T {
    type Owned = T;

    #[inline(always)]
    fn decode_fields_ref(r: &mut Cursor<'_, 'a>) -> Self {
        let mut owned = r.as_reader();
        let value = T::decode_fields(&mut owned);
        if let Err(error) = r.go_on_behind(owned) {
            r.fail(error);
        }
        value
    }

    #[inline(always)]
    fn decode_struct_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        r.owned(ty)
    }

    const WHOLE_STRUCT: bool = <T as Decode>::WHOLE;

    #[inline(always)]
    fn decode_whole_struct(r: &mut Cursor<'_, 'a>, tag: u8) -> Option<Self> {
        r.whole_owned(tag)
    }
}

/// Reads a struct that fills `bytes` and borrows from them, with the default [`Limits`](crate::Limits).
///
/// # Errors
/// What is wrong, with its place.
pub fn decode_ref<'a, T: StructRef<'a>>(bytes: &'a [u8]) -> Result<T> {
    decode_ref_with(&Input::new(bytes))
}

/// Reads a struct that fills an input and borrows from its bytes, not from the input itself.
///
/// # Errors
/// What is wrong, with its place; bytes after the struct are an error, too.
pub fn decode_ref_with<'a, T: StructRef<'a>>(input: &Input<'a>) -> Result<T> {
    let mut r = input.cursor();
    decode_struct::<Borrowed<T>>(&mut r)
}

/// A value that can be read from behind its head, and may borrow from the bytes: [`Decode`] with a lifetime.
pub trait DecodeRef<'a>: Sized {
    /// As [`Decode::MIN_SIZE`].
    const MIN_SIZE: usize = 1;

    /// As [`Decode::decode`].
    ///
    /// # Errors
    /// The value is not of this type, or the bytes end.
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self>;

    /// As [`Decode::WHOLE`].
    #[doc(hidden)]
    const WHOLE: bool = false;

    /// As [`Decode::WHOLE_FIELD`].
    #[doc(hidden)]
    const WHOLE_FIELD: bool = Self::WHOLE;

    /// As [`Decode::decode_whole`].
    #[doc(hidden)]
    #[inline(always)]
    fn decode_whole_ref(r: &mut Cursor<'_, 'a>, tag: u8) -> Option<Self> {
        let _ = (r, tag);
        None
    }
}

/// The owned form of a value: `String` for `&str`, and so on through lists, maps and structs.
///
/// There may be several, for `tars2rs` has a choice of types: it is the type of the result that decides.
pub trait IntoOwned<T> {
    /// Copies what is borrowed.
    fn into_owned(self) -> T;
}

/// [`IntoOwned::into_owned`], for generated code: types have other methods of this name.
#[inline]
pub fn into_owned<T: IntoOwned<O>, O>(value: T) -> O {
    value.into_owned()
}

impl<'i, 'a> Cursor<'i, 'a> {
    /// As [`required`](Reader::required), for a value that may borrow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn required_ref<T: DecodeRef<'a> + Default>(&mut self, tag: u8) -> T {
        if !T::WHOLE_FIELD || tag >= EXTENDED_TAG {
            return self.required_ref_in_parts(tag);
        }
        if let Some(value) = T::decode_whole_ref(self, tag) {
            self.pass_floor(tag);
            return value;
        }
        let (value, rest) = self.late_required_ref(tag);
        self.go_on(rest);
        self.pass_floor(tag);
        value
    }

    /// A `require` field that is not as most are, or not where it is expected.
    #[cold]
    #[inline(never)]
    fn late_required_ref<T: DecodeRef<'a> + Default>(mut self, tag: u8) -> (T, &'a [u8]) {
        let value = self.required_ref_in_parts(tag);
        (value, self.rest())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn required_ref_in_parts<T: DecodeRef<'a> + Default>(&mut self, tag: u8) -> T {
        match self.seek(tag) {
            Some(ty) => self.field_ref(tag, ty).unwrap_or_default(),
            None => {
                let rest = self.missing(tag);
                self.go_on(rest);
                T::default()
            }
        }
    }

    /// As [`optional`](Reader::optional), for a value that may borrow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional_ref<T: DecodeRef<'a> + Default>(&mut self, tag: u8) -> T {
        self.option_ref(tag).unwrap_or_default()
    }

    /// As [`optional_or`](Reader::optional_or), for a value that may borrow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional_ref_or<T: DecodeRef<'a>>(&mut self, tag: u8, default: T) -> T {
        self.option_ref(tag).unwrap_or(default)
    }

    /// As [`optional_or_else`](Reader::optional_or_else), for a value that may borrow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional_ref_or_else<T: DecodeRef<'a>>(
        &mut self,
        tag: u8,
        default: impl FnOnce() -> T,
    ) -> T {
        self.option_ref(tag).unwrap_or_else(default)
    }

    /// As [`option`](Reader::option), for a value that may borrow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn option_ref<T: DecodeRef<'a>>(&mut self, tag: u8) -> Option<T> {
        if !T::WHOLE_FIELD || tag >= EXTENDED_TAG {
            return self.option_ref_in_parts(tag);
        }
        if let Some(value) = T::decode_whole_ref(self, tag) {
            self.pass_floor(tag);
            return Some(value);
        }
        if self.is_absent(tag) {
            return None;
        }
        let (value, rest) = self.late_option_ref(tag);
        self.go_on(rest);
        if value.is_some() {
            self.pass_floor(tag);
        }
        value
    }

    /// An `optional` field that is not as most are, or not where it is expected.
    #[cold]
    #[inline(never)]
    fn late_option_ref<T: DecodeRef<'a>>(mut self, tag: u8) -> (Option<T>, &'a [u8]) {
        let value = self.option_ref_in_parts(tag);
        (value, self.rest())
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn option_ref_in_parts<T: DecodeRef<'a>>(&mut self, tag: u8) -> Option<T> {
        let ty = self.seek_optional(tag)?;
        self.field_ref(tag, ty)
    }

    #[inline(always)]
    fn field_ref<T: DecodeRef<'a>>(&mut self, tag: u8, ty: WireType) -> Option<T> {
        self.pass_floor(tag);
        let value = T::decode_ref(self, ty);
        self.keep_fault(tag, value)
    }

    /// Reads a value that borrows nothing and whose head has been taken: how a type that is [`Decode`] is
    /// [`DecodeRef`], too.
    ///
    /// # Errors
    /// The value is not of type `T`.
    #[inline(always)]
    pub fn owned<T: Decode>(&mut self, ty: WireType) -> Result<T> {
        let mut owned = self.as_reader();
        let value = T::decode(&mut owned, ty)?;
        self.go_on_behind(owned)?;
        Ok(value)
    }

    /// As [`Decode::decode_whole`], for a value that borrows nothing.
    #[inline(always)]
    fn whole_owned<T: Decode>(&mut self, tag: u8) -> Option<T> {
        let mut owned = self.as_reader();
        let value = T::decode_whole(&mut owned, tag)?;
        self.go_on_behind(owned).ok()?;
        Some(value)
    }

    /// An element of a container, whose tag is fixed.
    #[inline(always)]
    fn element_value_ref<T: DecodeRef<'a>>(&mut self, tag: u8) -> Result<T> {
        if !T::WHOLE {
            let ty = self.element(tag)?;
            return T::decode_ref(self, ty);
        }
        if let Some(value) = T::decode_whole_ref(self, tag) {
            return Ok(value);
        }
        let (rest, input, place) = self.parts();
        let (value, rest) = late_element(rest, input, place, tag)?;
        self.go_on(rest);
        Ok(value)
    }

    /// A reader for what borrows nothing; [`go_on_behind`](Self::go_on_behind) takes it back.
    ///
    /// Not a function that takes a closure: that would not be inlined, and a struct goes through memory then.
    #[inline(always)]
    fn as_reader(&self) -> Reader<'i> {
        *self
    }

    #[inline(always)]
    fn go_on_behind(&mut self, reader: Reader<'i>) -> Result<()> {
        let rest = self.rest();
        match rest.get(rest.len().wrapping_sub(reader.left())..) {
            Some(rest) if reader.is_beside(self) => {
                self.go_on(rest);
                Ok(())
            }
            // A `Decode` has put another reader in the place of the one it was given.
            _ => Err(Error::at(*self, ErrorKind::BrokenReader)),
        }
    }
}

/// An element that is not as most are.
#[cold]
#[inline(never)]
fn late_element<'a, T: DecodeRef<'a>>(
    rest: &'a [u8],
    input: &Input<'a>,
    place: Place,
    tag: u8,
) -> Result<(T, &'a [u8])> {
    let mut r = Cursor::from_parts((rest, input, place));
    let ty = r.element(tag)?;
    let value = T::decode_ref(&mut r, ty)?;
    Ok((value, r.rest()))
}

impl<'a> DecodeRef<'a> for &'a str {
    const MIN_SIZE: usize = 2;
    const WHOLE: bool = true;
    const WHOLE_FIELD: bool = false;

    #[inline(always)]
    fn decode_whole_ref(r: &mut Cursor<'_, 'a>, tag: u8) -> Option<Self> {
        let (len, start) = r.whole_string(tag)?;
        let (bytes, rest) = start.split_at_checked(len)?;
        let text = text::short_ascii(bytes)?;
        r.go_on(rest);
        Some(text)
    }

    #[inline(always)]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        let bytes = r.string(ty)?;
        r.utf8(bytes)
    }
}

impl<'a> DecodeRef<'a> for ByteStr<&'a [u8]> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        r.string(ty).map(Self)
    }
}

impl<'a> DecodeRef<'a> for CharArray<&'a str> {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        let bytes = char_array(r, ty)?;
        r.utf8(bytes).map(Self)
    }
}

impl<'a> DecodeRef<'a> for CharBytes<&'a [u8]> {
    const MIN_SIZE: usize = 2;

    #[inline]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        char_array(r, ty).map(Self)
    }
}

/// `vector<byte>`: borrowed from a SimpleList. A peer may also send a List of bytes, which is copied.
impl<'a> DecodeRef<'a> for Cow<'a, [u8]> {
    const MIN_SIZE: usize = 2;

    #[inline(always)]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        match ty {
            WireType::SimpleList => r.simple_list().map(Cow::Borrowed),
            _ => {
                let bytes = r.owned::<ByteVec>(ty)?;
                Ok(Cow::Owned(bytes.0))
            }
        }
    }
}

impl<'a, T: DecodeRef<'a> + Length, const N: usize> DecodeRef<'a> for AtMost<T, N> {
    const MIN_SIZE: usize = T::MIN_SIZE;

    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        let value = T::decode_ref(r, ty)?;
        r.check_len(T::WHAT, value.length(), N)?;
        Ok(Self(value))
    }
}

impl<'a, T: StructRef<'a>> DecodeRef<'a> for T {
    const MIN_SIZE: usize = 2;
    const WHOLE: bool = T::WHOLE_STRUCT;

    #[inline(always)]
    fn decode_whole_ref(r: &mut Cursor<'_, 'a>, tag: u8) -> Option<Self> {
        T::decode_whole_struct(r, tag)
    }

    #[inline(always)]
    fn decode_ref(r: &mut Cursor<'_, 'a>, ty: WireType) -> Result<Self> {
        T::decode_struct_ref(r, ty)
    }
}

/// Types that borrow nothing.
macro_rules! owned {
    ($([$($of:tt)*] $ty:ty;)*) => {$(
        impl<$($of)*> DecodeRef<'_> for $ty {
            const MIN_SIZE: usize = <Self as Decode>::MIN_SIZE;
            const WHOLE: bool = <Self as Decode>::WHOLE;
            const WHOLE_FIELD: bool = <Self as Decode>::WHOLE_FIELD;

            #[inline(always)]
            fn decode_whole_ref(r: &mut Cursor<'_, '_>, tag: u8) -> Option<Self> {
                r.whole_owned(tag)
            }

            #[inline(always)]
            fn decode_ref(r: &mut Cursor<'_, '_>, ty: WireType) -> Result<Self> {
                r.owned(ty)
            }
        }

        impl<$($of)*> IntoOwned<$ty> for $ty {
            #[inline]
            fn into_owned(self) -> $ty {
                self
            }
        }
    )*};
}

owned! {
    [] bool;
    [] i8;
    [] i16;
    [] i32;
    [] i64;
    [] u8;
    [] u16;
    [] u32;
    [] f32;
    [] f64;
    [] OrderedF32;
    [] OrderedF64;
    [] String;
    [] Arc<str>;
    [] InlineStr;
    [] Bytes;
    [] ByteStr;
    [] ByteVec;
    [T: Decode] Vec<T>;
    [K: Decode + Ord, V: Decode] BTreeMap<K, V>;
    [K: Decode + Ord, V: Decode] VecMap<K, V>;
}

impl<T: Struct> IntoOwned<T> for T {
    #[inline]
    fn into_owned(self) -> T {
        self
    }
}

macro_rules! into_owned {
    ($([$($of:tt)*] $borrowed:ty => $owned:ty: $this:ident => $into:expr;)*) => {$(
        impl<$($of)*> IntoOwned<$owned> for $borrowed {
            #[inline]
            fn into_owned(self) -> $owned {
                let $this = self;
                $into
            }
        }
    )*};
}

into_owned! {
    [] &str => String: text => text.into();
    [] &str => Arc<str>: text => text.into();
    [] &str => InlineStr: text => text.into();
    [] &[u8] => Bytes: bytes => Bytes::copy_from_slice(bytes);
    [] ByteStr<&[u8]> => ByteStr: text => ByteStr(Bytes::copy_from_slice(text.0));
    [] Cow<'_, [u8]> => Bytes: bytes => Bytes::from(bytes.into_owned());
    [] Cow<'_, [u8]> => Vec<u8>: bytes => bytes.into_owned();
    [] Cow<'_, [u8]> => ByteVec: bytes => ByteVec(bytes.into_owned());
    [T: IntoOwned<O>, O] Option<T> => Option<O>: value => value.map(T::into_owned);
}
