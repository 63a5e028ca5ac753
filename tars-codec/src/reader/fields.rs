//! The fields of a struct, asked for by ascending tag.
//!
//! Every known writer sends them in that order, and then each is found where the reader stands. A field with a lower
//! tag than the one asked for is unknown and passed over; one with a higher tag shows that the one asked for is
//! absent. The first field whose tag is not above that of its predecessor shows that this writer has another order:
//! then the struct is read [again](crate::structure), from an index of its fields.
//!
//! What is wrong with a field is kept in the input, and nothing is left to read then, so that the fields that follow are
//! absent. It is at the end of the struct that the error is looked for. A decoder without a way out at each field is a
//! third less work for the compiler of the generated code.
//!
//! The functions for a field are inlined where there is an optimizer. Without one, each would add what it needs to the
//! frame of the decoder: 70 KB of stack for a struct of 33 fields, and as much for each that is nested in it.

use alloc::vec::Vec;
use core::{ops::Range, ptr};

use super::{Cursor, Place, Reader, STRUCT_END};
use crate::{
    Decode, Error, ErrorKind, Field, Head, Input, Result, UnknownFields, WireType,
    wire::EXTENDED_TAG,
};

/// Where the fields of a struct are: the first of each tag.
#[derive(Debug)]
pub(crate) struct Index {
    /// All of them, up to the end of the struct.
    all: Range<usize>,
    /// Tag and type, and the bytes of the value.
    values: Vec<(Head, Range<usize>)>,
}

impl<'a> Reader<'a> {
    /// The value of a `require` field. Without one of type `T`, the reader [fails](Self::fail).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn required<T: Decode + Default>(&mut self, tag: u8) -> T {
        if !T::WHOLE_FIELD || tag >= EXTENDED_TAG {
            return self.required_in_parts(tag);
        }
        if let Some(value) = T::decode_whole(self, tag) {
            self.pass_floor(tag);
            return value;
        }
        if self.is_trial {
            self.give_up();
            return T::default();
        }
        let (value, rest) = self.late_required(tag);
        self.rest = rest;
        self.pass_floor(tag);
        value
    }

    /// A `require` field that is not as most are, or not where it is expected.
    #[cold]
    #[inline(never)]
    fn late_required<T: Decode + Default>(mut self, tag: u8) -> (T, &'a [u8]) {
        let value = self.required_in_parts(tag);
        (value, self.rest)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn required_in_parts<T: Decode + Default>(&mut self, tag: u8) -> T {
        match self.seek(tag) {
            Some(ty) => self.field(tag, ty).unwrap_or_default(),
            None => {
                self.rest = self.missing(tag);
                T::default()
            }
        }
    }

    /// The value of an `optional` field, or the default of its type. If it is not of type `T`, the reader
    /// [fails](Self::fail).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional<T: Decode + Default>(&mut self, tag: u8) -> T {
        self.option(tag).unwrap_or_default()
    }

    /// The value of an `optional` field, or this one. If it is not of type `T`, the reader [fails](Self::fail).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional_or<T: Decode>(&mut self, tag: u8, default: T) -> T {
        self.option(tag).unwrap_or(default)
    }

    /// As [`optional_or`](Self::optional_or), for a default that takes something to make.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn optional_or_else<T: Decode>(&mut self, tag: u8, default: impl FnOnce() -> T) -> T {
        self.option(tag).unwrap_or_else(default)
    }

    /// The value of a field, if there is one. If it is not of type `T`, the reader [fails](Self::fail).
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub fn option<T: Decode>(&mut self, tag: u8) -> Option<T> {
        if !T::WHOLE_FIELD || tag >= EXTENDED_TAG {
            return self.option_in_parts(tag);
        }
        if let Some(value) = T::decode_whole(self, tag) {
            self.pass_floor(tag);
            return Some(value);
        }
        if self.is_absent(tag) {
            return None;
        }
        if self.is_trial {
            self.give_up();
            return None;
        }
        let (value, rest) = self.late_option(tag);
        self.rest = rest;
        if value.is_some() {
            self.pass_floor(tag);
        }
        value
    }

    /// An `optional` field that is not as most are, or not where it is expected.
    #[cold]
    #[inline(never)]
    fn late_option<T: Decode>(mut self, tag: u8) -> (Option<T>, &'a [u8]) {
        let value = self.option_in_parts(tag);
        (value, self.rest)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn option_in_parts<T: Decode>(&mut self, tag: u8) -> Option<T> {
        let ty = self.seek_optional(tag)?;
        self.field(tag, ty)
    }

    #[inline(always)]
    fn field<T: Decode>(&mut self, tag: u8, ty: WireType) -> Option<T> {
        self.pass_floor(tag);
        let value = T::decode(self, ty);
        self.keep_fault(tag, value)
    }
}

impl<'i, 'a> Cursor<'i, 'a> {
    /// Ends the reading of fields: this error is kept, if it is the first one, and nothing is left to read. What is asked
    /// for from here on is absent, and is of no importance: [`decode`](crate::decode) and its like return the error, with
    /// the name of the struct, and not the value; elsewhere, [`check`](Self::check) does.
    #[inline]
    pub fn fail(&mut self, error: Error) {
        self.rest = self.input.fail(error);
    }

    /// A reader of the fields of the struct that begins here, with this tag, if they are a [few
    /// scalars](crate::Struct::FEW_SCALARS): it gives up on whatever is not as every known writer sends it, and makes no
    /// error, for the struct is then read in another way.
    ///
    /// It reads the next `room` bytes, as many as the struct can take. From this number the compiler knows that no field
    /// is beyond them.
    #[inline(always)]
    pub(crate) fn trial(self, tag: u8, room: usize) -> Option<Self> {
        match self.rest.get(..room)? {
            [first, rest @ ..] if *first == tag << 4 | WireType::StructBegin as u8 => Some(Self {
                rest,
                place: self.place.deeper()?.struct_begin(),
                floor: 0,
                is_trial: true,
                ..self
            }),
            _ => None,
        }
    }

    /// There is nothing left to read then, not even the end.
    #[inline(always)]
    fn give_up(&mut self) {
        self.rest = &self.rest[..0];
    }

    /// How many bytes of its room a trial has left that has come to the end of its struct.
    #[inline(always)]
    pub(crate) fn end_trial(&self) -> Option<usize> {
        match self.rest {
            [STRUCT_END, rest @ ..] => Some(rest.len()),
            _ => None,
        }
    }

    /// For those who ask for fields elsewhere than in [`Struct::decode_fields`](crate::Struct::decode_fields): the end of
    /// their reading.
    ///
    /// # Errors
    /// That with which a reader of the same input has [failed](Self::fail) first.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.input.has_fault() {
            return self.input.fault().map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// The value of a field, unless the reader fails.
    #[inline(always)]
    pub(crate) fn keep_fault<T>(&mut self, tag: u8, value: Result<T>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(error) => {
                self.rest = self.input.fail(error.at_tag(tag));
                None
            }
        }
    }

    /// The fields that are none of these. The reader does not move, but [fails](Self::fail) if what stands there are no
    /// fields, or if they take too much memory.
    pub fn unknown_fields(&mut self, known: &[Field]) -> UnknownFields {
        if self.input.has_fault() {
            return UnknownFields::new();
        }
        self.find_unknown(known).unwrap_or_else(|error| {
            self.fail(error);
            UnknownFields::new()
        })
    }

    fn find_unknown(&self, known: &[Field]) -> Result<UnknownFields> {
        let mut r: Reader<'_> = *self;
        if let Some(all) = self
            .input
            .index(self.place.index(), |index| index.all.clone())
        {
            r.rest = self.input.bytes(all);
            r.place = r.place.without_end();
        }
        let mut unknown = UnknownFields::new();
        while let Some(head) = r.next_field()? {
            if known.iter().any(|field| field.tag == head.tag) {
                r.skip(head)?;
            } else {
                unknown.keep(&mut r, head)?;
            }
        }
        Ok(unknown)
    }

    /// The parts of a reader, for functions out of line: a whole one would be put in memory before it is known
    /// whether they are called.
    #[inline(always)]
    pub(crate) fn parts(self) -> (&'a [u8], &'i Input<'a>, Place) {
        (self.rest, self.input, self.place)
    }

    #[inline(always)]
    pub(crate) fn from_parts((rest, input, place): (&'a [u8], &'i Input<'a>, Place)) -> Self {
        Self {
            rest,
            input,
            place,
            floor: 0,
            is_trial: false,
        }
    }

    /// Whether this is in a struct whose fields are not in order, and so is likely to be another one.
    #[inline(always)]
    pub(crate) fn in_disorder(&self) -> bool {
        self.place.disorder()
    }

    /// Whether both have the same input: a [`Decode`] can put another reader in the place of the one it is given.
    #[inline(always)]
    pub(crate) fn is_beside(&self, other: &Cursor<'_, '_>) -> bool {
        let input = |of: &Cursor<'_, '_>| ptr::from_ref(of.input).addr();
        input(self) == input(other)
    }

    /// What is left.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Goes on from here.
    #[inline(always)]
    pub(crate) fn go_on(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// Takes the end of the fields, passing over those that nobody asked for. Whether that is good: otherwise the input
    /// has the error.
    #[inline(always)]
    pub(crate) fn finish(&mut self) -> bool {
        match self.rest {
            // A copy of the reader may have failed.
            [STRUCT_END, rest @ ..] if self.place.in_struct() && !self.input.has_fault() => {
                self.rest = rest;
                true
            }
            [] if !self.place.in_struct() => !self.input.has_fault(),
            _ => match self.finish_late() {
                Some(rest) => {
                    self.rest = rest;
                    true
                }
                None => false,
            },
        }
    }

    /// The next field has a higher tag, if the fields are in order.
    #[inline(always)]
    pub(crate) fn pass_floor(&mut self, tag: u8) {
        self.floor = u16::from(tag) + 1;
    }

    /// Takes the head of the field with this tag, if there is one.
    #[inline(always)]
    pub(crate) fn seek(&mut self, tag: u8) -> Option<WireType> {
        if let Some(ty) = self.take_head_if(tag) {
            return Some(ty);
        }
        let (found, rest) = self.search(tag);
        self.rest = rest;
        found
    }

    /// The same for a field that is often absent.
    #[inline(always)]
    pub(crate) fn seek_optional(&mut self, tag: u8) -> Option<WireType> {
        if self.is_absent(tag) {
            return None;
        }
        self.seek(tag)
    }

    /// Whether what comes next shows that there is no field with this tag, if the fields are in order.
    #[inline(always)]
    pub(crate) fn is_absent(&self, tag: u8) -> bool {
        match self.rest {
            [STRUCT_END, ..] => true,
            [first, ..] => first >> 4 > tag && first >> 4 < EXTENDED_TAG,
            [] => false,
        }
    }

    #[cold]
    #[inline(never)]
    fn search(mut self, tag: u8) -> (Option<WireType>, &'a [u8]) {
        if self.input.has_fault() {
            return (None, self.input.end());
        }
        if self.place.index() != 0 {
            return self.look_up(tag);
        }
        match self.pass_to(tag) {
            Ok(found) => (found, self.rest),
            Err(error) => (None, self.input.fail(error)),
        }
    }

    /// Passes over fields with lower tags.
    fn pass_to(&mut self, tag: u8) -> Result<Option<WireType>> {
        loop {
            let before = *self;
            match self.next_field()? {
                Some(head) if head.tag < tag => self.pass(head)?,
                Some(head) if head.tag == tag => return Ok(Some(head.ty)),
                _ => {
                    *self = before;
                    return Ok(None);
                }
            }
        }
    }

    /// What is behind the end of the fields.
    #[cold]
    #[inline(never)]
    fn finish_late(mut self) -> Option<&'a [u8]> {
        if self.input.has_fault() {
            return None;
        }
        match self.pass_all() {
            Ok(()) => Some(self.rest),
            Err(error) => {
                self.input.fail(error);
                None
            }
        }
    }

    fn pass_all(&mut self) -> Result<()> {
        while let Some(head) = self.next_field()? {
            self.pass(head)?;
        }
        Ok(())
    }

    /// Passes over a field that nobody has asked for, or finds that the fields are not in order.
    fn pass(&mut self, head: Head) -> Result<()> {
        if u16::from(head.tag) < self.floor {
            return Err(Error::at(*self, ErrorKind::Disorder));
        }
        self.floor = u16::from(head.tag) + 1;
        self.skip(head)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn missing(self, tag: u8) -> &'a [u8] {
        if self.input.has_fault() {
            return self.input.end();
        }
        // It may still come, in another order.
        let kind = match self.place.index() {
            0 => ErrorKind::Disorder,
            _ => ErrorKind::Missing,
        };
        self.input.fail(Error::at(self, kind).at_tag(tag))
    }

    /// Finds the fields of the struct that begins here: a reader that knows where they are, and what is behind them.
    pub(crate) fn indexed(self) -> Result<(Self, &'a [u8])> {
        let mut r = self;
        let mut seen = [false; 256];
        let mut values = Vec::new();
        let start = r.offset();
        let mut end = start;
        while let Some(head) = r.next_field()? {
            let value = r.offset();
            r.skip(head)?;
            end = r.offset();
            let seen = &mut seen[usize::from(head.tag)];
            if !core::mem::replace(seen, true) {
                values.push((head, value..end));
            }
        }
        // Bounds how often hostile bytes can be read again.
        self.charge(end - start)?;
        let all = start..end;
        let mut fields = self;
        fields.rest = self.input.bytes(end..end);
        let index = self.input.push_index(Index { all, values });
        fields.place = self.place.indexed(index);
        Ok((fields, r.rest))
    }

    /// Forgets the last of the indexes.
    pub(crate) fn forget_index(&self) {
        self.input.pop_index();
    }

    /// The field with this tag: its type, and the bytes of its value.
    fn look_up(self, tag: u8) -> (Option<WireType>, &'a [u8]) {
        let find = |index: &Index| {
            let found = index.values.iter().find(|(head, _)| head.tag == tag);
            found.map(|(head, value)| (head.ty, value.clone()))
        };
        match self.input.index(self.place.index(), find).flatten() {
            Some((ty, value)) => (Some(ty), self.input.bytes(value)),
            None => (None, self.rest),
        }
    }
}
