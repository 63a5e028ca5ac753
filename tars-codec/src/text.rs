//! Whether bytes are text.

#![allow(unsafe_code)]

use alloc::{string::String, vec::Vec};

/// The bytes as text, if they are UTF-8.
///
/// Most strings of a message are short and ASCII: a key, a name, a number. Looking for a byte above 127 in place takes
/// a fifth of the instructions of calling the checker of the standard library for them (docs/DESIGN.md has the numbers).
#[inline(always)]
pub(crate) fn from_utf8(bytes: &[u8]) -> Option<&str> {
    if let Some(text) = short_ascii(bytes) {
        return Some(text);
    }
    if bytes.len() >= LONG {
        return simdutf8::basic::from_utf8(bytes).ok();
    }
    core::str::from_utf8(bytes).ok()
}

/// The first `len` bytes as text of its own, if they are UTF-8.
///
/// A short string is copied by one move of as many bytes as an allocator has room for anyway; what stands behind the
/// string is moved, too, and cut off.
#[inline(always)]
pub(crate) fn to_owned(bytes: &[u8], len: usize) -> Option<String> {
    let text = from_utf8(bytes.get(..len)?)?;
    // SAFETY: `text` is the first `len` bytes.
    Some(unsafe { copy(bytes, text.len()) })
}

/// The same, if they are short and ASCII.
#[inline(always)]
pub(crate) fn to_owned_short(bytes: &[u8], len: usize) -> Option<String> {
    let text = short_ascii(bytes.get(..len)?)?;
    // SAFETY: as above.
    Some(unsafe { copy(bytes, text.len()) })
}

/// These bytes as text, if they are short and ASCII.
#[inline(always)]
pub(crate) fn short_ascii(bytes: &[u8]) -> Option<&str> {
    if bytes.len() <= SHORT && is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Some(unsafe { core::str::from_utf8_unchecked(bytes) });
    }
    None
}

/// The first `len` bytes as text of its own.
///
/// # Safety
/// They are UTF-8.
#[inline(always)]
unsafe fn copy(bytes: &[u8], len: usize) -> String {
    let copy = match bytes.first_chunk::<WORD>() {
        Some(first) if (1..=WORD).contains(&len) => {
            let mut copy = Vec::with_capacity(WORD);
            copy.extend_from_slice(first);
            copy.truncate(len);
            copy
        }
        _ => bytes.get(..len).unwrap_or_default().to_vec(),
    };
    // SAFETY: as the caller says.
    unsafe { String::from_utf8_unchecked(copy) }
}

/// Bytes in a word.
pub(crate) const WORD: usize = size_of::<u128>();

/// The first `len` bytes as a word with zeros behind them, if they are ASCII, fewer than a word has, and as many as a
/// word has can be read.
#[inline(always)]
pub(crate) fn ascii_word(bytes: &[u8], len: usize) -> Option<u128> {
    let first = bytes.first_chunk::<WORD>()?;
    let word = u128::from_le_bytes(*first) & FIRST_BYTES.get(len)?;
    (word & u128::from_ne_bytes([0x80; WORD]) == 0).then_some(word)
}

/// So many bytes of a word. A shift of a word of two registers takes longer.
const FIRST_BYTES: [u128; WORD] = {
    let mut masks = [0; WORD];
    let mut len = 1;
    while len < WORD {
        masks[len] = masks[len - 1] << 8 | 0xff;
        len += 1;
    }
    masks
};

/// At most as many bytes as a word has, as a word with zeros behind them.
#[inline]
pub(crate) fn word(bytes: &[u8]) -> u128 {
    let len = bytes.len();
    // The last ones may overlap the first ones, and are the same there.
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let last = u128::from(u64::from_le_bytes(*last)) << (8 * (len - 8));
        return last | u128::from(u64::from_le_bytes(*first));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4));
        return u128::from(last | u64::from(u32::from_le_bytes(*first)));
    }
    let bytes = bytes.iter().rev();
    u128::from(bytes.fold(0_u32, |word, byte| word << 8 | u32::from(*byte)))
}

/// Whether `a` is less than `b`. Where the first bytes tell, without a call of `memcmp`, which takes longer than all else
/// about a short key.
#[inline(always)]
pub(crate) fn precedes(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if let (Some(a), Some(b)) = (a.first_chunk(), b.first_chunk()) {
        let (a, b) = (u64::from_be_bytes(*a), u64::from_be_bytes(*b));
        if a != b {
            return a < b;
        }
    } else if let (Some(a), Some(b)) = (a.first_chunk(), b.first_chunk()) {
        let (a, b) = (u32::from_be_bytes(*a), u32::from_be_bytes(*b));
        if a != b {
            return a < b;
        }
    }
    a < b
}

/// From here on vectors pay.
const LONG: usize = 64;

const SHORT: usize = 32;

/// For short slices: words, of which the last one may overlap the one before.
#[inline(always)]
fn is_ascii(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        let inner = words
            .iter()
            .fold(0, |all, word| all | u64::from_ne_bytes(*word));
        return (inner | u64::from_ne_bytes(*last)) & 0x8080_8080_8080_8080 == 0;
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let all = u32::from_ne_bytes(*first) | u32::from_ne_bytes(*last);
        return all & 0x8080_8080 == 0;
    }
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_and_place_agrees_with_the_standard_library() {
        for len in 0..80 {
            let ascii: Vec<u8> = (0..len).map(|at| b'a' + at as u8 % 26).collect();
            assert_eq!(from_utf8(&ascii), core::str::from_utf8(&ascii).ok());
            for at in 0..len {
                for byte in [0x7f, 0x80, 0xc3, 0xff] {
                    let mut bytes = ascii.clone();
                    bytes[at] = byte;
                    assert_eq!(from_utf8(&bytes), core::str::from_utf8(&bytes).ok());
                    for part in [0, at, at + 1, len] {
                        let text = core::str::from_utf8(&bytes[..part]).ok();
                        assert_eq!(to_owned(&bytes, part).as_deref(), text);
                    }
                    if let Some(next) = bytes.get_mut(at + 1) {
                        *next = 0xa9;
                        assert_eq!(from_utf8(&bytes), core::str::from_utf8(&bytes).ok());
                    }
                }
            }
        }
    }
}
