//! Lists of integers, many at a time.
//!
//! An element is a head and up to eight bytes, so the place of one hangs on the width of the one before. Two things
//! break that chain: small numbers come in runs, and eight of them, head and byte in turn, are one load; and where the
//! widths are mixed, an element is read or written without a branch that could be predicted wrongly.

use alloc::{vec, vec::Vec};

use crate::{Decode, Reader, Result, WireType, Writer};

/// Elements in a run.
pub(crate) const RUN: usize = 8;

/// An integer that lists are made of.
pub(crate) trait Number: Decode + Copy + Default + Into<i64> {
    /// Its width in bytes.
    const WIDTH: u8;

    /// From the one byte of the shortest form.
    fn from_byte(byte: i8) -> Self;

    /// The lower bytes.
    fn truncate(value: i64) -> Self;

    /// The lowest byte, and whether it alone is the shortest form.
    fn small(self) -> (u8, bool);
}

macro_rules! numbers {
    ($($ty:ident)*) => {$(
        impl Number for $ty {
            const WIDTH: u8 = size_of::<Self>() as u8;

            #[inline(always)]
            fn from_byte(byte: i8) -> Self {
                Self::from(byte)
            }

            #[inline(always)]
            fn truncate(value: i64) -> Self {
                value as Self
            }

            #[inline(always)]
            fn small(self) -> (u8, bool) {
                (self as u8, self != 0 && Self::from(self as i8) == self)
            }
        }
    )*};
}

numbers!(i16 i32 i64);

/// The elements of a list, its count taken.
pub(crate) fn decode<T: Number>(r: &mut Reader<'_>, count: usize) -> Result<Vec<T>> {
    let mut items = vec![T::default(); count];
    let mut rest = r.rest();
    let mut done = 0;
    while let (Some(run), Some(bytes)) =
        (items[done..].first_chunk_mut::<RUN>(), rest.first_chunk())
    {
        let small = decode_run(bytes, run);
        done += small;
        rest = &rest[2 * small..];
        if small == RUN {
            continue;
        }
        // No run at all: more such elements are likely to follow.
        let others = if small == 0 { RUN } else { 1 };
        for item in items[done..].iter_mut().take(others) {
            if let Some((value, width)) = decode_one::<T>(rest) {
                *item = value;
                rest = &rest[1 + width..];
            } else {
                r.go_on(rest);
                let ty = r.element(0)?;
                *item = T::decode(r, ty)?;
                rest = r.rest();
            }
            done += 1;
        }
    }
    r.go_on(rest);
    for item in &mut items[done..] {
        let ty = r.element(0)?;
        *item = T::decode(r, ty)?;
    }
    Ok(items)
}

/// Reads eight elements as if all were of one byte; gives the number of those that are, up to the first other one.
#[inline(always)]
fn decode_run<T: Number>(bytes: &[u8; 2 * RUN], run: &mut [T; RUN]) -> usize {
    let heads = u128::from_le_bytes(*bytes) & (u128::MAX / 0xffff * 0xff);
    for (item, pair) in run.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *item = T::from_byte(pair[1] as i8);
    }
    (heads.trailing_zeros() / 16) as usize
}

/// Reads an element of any width without a branch on it; gives also the width. `None` for what is no number that
/// fits, or too near to the end.
#[inline(always)]
fn decode_one<T: Number>(bytes: &[u8]) -> Option<(T, usize)> {
    const NONE: u8 = u8::MAX;
    const WIDTHS: [u8; 16] = {
        let mut widths = [NONE; 16];
        widths[WireType::Zero as usize] = 0;
        widths[WireType::Int1 as usize] = 1;
        widths[WireType::Int2 as usize] = 2;
        widths[WireType::Int4 as usize] = 4;
        widths[WireType::Int8 as usize] = 8;
        widths
    };
    let (head, bytes) = bytes.split_first()?;
    let bytes = bytes.first_chunk::<8>()?;
    let width = *WIDTHS.get(usize::from(*head))?;
    if width > T::WIDTH {
        return None;
    }
    let value = i64::from_be_bytes(*bytes) >> ((64 - 8 * width) & 63);
    let value = if width == 0 { 0 } else { value };
    Some((T::truncate(value), usize::from(width)))
}

/// The elements of a list, its count written.
pub(crate) fn encode<T: Number>(items: &[T], w: &mut Writer<'_>) {
    let mut elements = w.local();
    let (runs, others) = items.as_chunks::<RUN>();
    for run in runs {
        let mut bytes = [0; 2 * RUN];
        let mut small = true;
        for (pair, item) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(run) {
            let (byte, is_small) = item.small();
            pair[1] = byte;
            small &= is_small;
        }
        if small {
            elements.append_array(bytes);
        } else {
            elements.numbers(run.map(Into::into));
        }
    }
    for item in others {
        elements.numbers([(*item).into()]);
    }
    let stopped = elements.stop();
    w.go_on(stopped);
}
