//! What a client may give as text in JSON: a string, or a number as it is written.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// The text of a JSON string or number. `None` for every other value.
///
/// A number keeps its digits, however many: it is not read as a number anywhere.
pub fn json_text(value: &RawValue) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    let json = value.get();
    Ok(match json.as_bytes().first() {
        Some(b'"') => Some(Cow::Owned(serde_json::from_str(json)?)),
        Some(b'-' | b'0'..=b'9') => Some(Cow::Borrowed(json)),
        _ => None,
    })
}
