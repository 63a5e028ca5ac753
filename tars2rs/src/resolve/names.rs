//! Names that are nearly right.

use std::cell::Cell;

/// Longer names are not compared: the cost grows with the square, and nobody types them by hand.
const MAX_LENGTH: usize = 64;
/// Nor are more candidates than this looked at for one name.
const MAX_CANDIDATES: usize = 1_000;

/// How many names of a run are guessed; more wrong names than this are no typing errors.
const MAX_GUESSES: u32 = 100;

/// Guesses what somebody meant.
#[derive(Debug)]
pub(super) struct Guesses {
    left: Cell<u32>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self {
            left: Cell::new(MAX_GUESSES),
        }
    }
}

impl Guesses {
    /// The candidate that somebody who wrote `name` most likely meant.
    pub(super) fn nearest<'c>(
        &self,
        name: &str,
        candidates: impl Iterator<Item = &'c str>,
    ) -> Option<&'c str> {
        self.left.set(self.left.get().checked_sub(1)?);
        nearest(name, candidates)
    }
}

fn nearest<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > MAX_LENGTH {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let limit = (name.len() / 3).max(1);
    candidates
        .take(MAX_CANDIDATES)
        .filter(|candidate| {
            candidate.len().abs_diff(name.len()) <= limit && candidate.len() <= MAX_LENGTH
        })
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|&(distance, candidate)| distance <= limit && candidate.len() > distance)
        .min()
        .map(|(_, candidate)| candidate)
}

/// What a type of another IDL is called in this one.
pub(super) fn foreign_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "bytes" | "blob" | "binary" | "Bytes" => "vector<byte>",
        "int8" | "i8" | "sbyte" | "int8_t" => "byte",
        "int16" | "i16" | "int16_t" => "short",
        "int32" | "i32" | "int32_t" | "sint32" | "integer" | "Integer" => "int",
        "int64" | "i64" | "int64_t" | "sint64" => "long",
        "uint8" | "u8" | "uint8_t" => "unsigned byte",
        "uint16" | "u16" | "uint16_t" => "unsigned short",
        "uint32" | "u32" | "uint32_t" | "uint" => "unsigned int",
        "uint64" | "u64" | "uint64_t" | "ulong" => "long",
        "float32" | "f32" => "float",
        "float64" | "f64" => "double",
        "str" => "string",
        "list" | "array" | "set" | "List" => "vector",
        "dict" | "hashmap" => "map",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses() {
        let names = ["UserInfo", "UserId", "Order"];
        let guess = |name| nearest(name, names.into_iter());
        assert_eq!(guess("UserInof"), Some("UserInfo"));
        assert_eq!(guess("userinfo"), Some("UserInfo"));
        assert_eq!(guess("Oder"), Some("Order"));
        assert_eq!(guess("Nope"), None);
        assert_eq!(nearest("B", ["A"].into_iter()), None);
        assert_eq!(nearest(&"a".repeat(65), ["a"].into_iter()), None);
    }
}
