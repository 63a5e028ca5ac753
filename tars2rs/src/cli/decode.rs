//! `tars2rs decode`: bytes from a log or a capture, as a tree.

use std::fmt::Write;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tars_codec::{Bytes, Fields, Input, Value};

use super::Outcome;
use super::messages::{print_bytes, print_error};

/// Print encoded values as a tree, one line a field; requests and responses with the names of their fields
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The bytes as hexadecimal digits; blanks and colons between them are fine
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    hex: Option<String>,
    /// A file with the bytes as they are [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Outcome {
    let bytes = match (&args.hex, &args.file) {
        (Some(text), _) => match from_hex(text) {
            Ok(bytes) => bytes,
            Err(message) => {
                print_error(message);
                return Outcome::Bad;
            }
        },
        (None, file) => match read(file.as_deref()) {
            Ok(bytes) => bytes,
            Err(error) => {
                let name = file
                    .as_deref()
                    .unwrap_or_else(|| Path::new("standard input"));
                print_error(format_args!("cannot read {}: {error}", name.display()));
                return Outcome::Failed;
            }
        },
    };
    match tree(&bytes.into()) {
        Ok(text) => {
            print_bytes(text.as_bytes());
            Outcome::Good
        }
        Err(error) => {
            print_error(format_args!("this is not Tars: {error}"));
            Outcome::Bad
        }
    }
}

fn read(file: Option<&Path>) -> io::Result<Vec<u8>> {
    match file {
        Some(file) => fs::read(file),
        None => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes)?;
            Ok(bytes)
        }
    }
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim().trim_start_matches("0x");
    let mut digits = Vec::with_capacity(text.len());
    for c in text.chars().filter(|c| !c.is_whitespace() && *c != ':') {
        let digit = c.to_digit(16);
        digits.push(digit.ok_or_else(|| format!("`{c}` is no hexadecimal digit"))? as u8);
    }
    let (pairs, rest) = digits.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
    } else {
        Err("there is half a byte at the end".to_owned())
    }
}

/// One frame after the other, or fields without a frame.
fn tree(bytes: &Bytes) -> tars_codec::Result<String> {
    let Some(frames) = frames(bytes) else {
        return part(bytes);
    };
    let mut text = String::new();
    for frame in frames {
        let _ = writeln!(text, "frame of {}", frame.len() + LENGTH);
        text += &indented(&part(&frame)?);
    }
    Ok(text)
}

/// Size of the length before a packet.
const LENGTH: usize = 4;

/// The packets behind their lengths; `None` if the lengths do not add up. A struct can hardly look like that: its
/// first byte would have to be the 0 of a length below 16 MB, a one-byte integer with tag 0.
fn frames(bytes: &Bytes) -> Option<Vec<Bytes>> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes.get(at..)?.first_chunk::<LENGTH>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let end = at.checked_add(length).filter(|&end| end <= bytes.len())?;
        if length <= LENGTH {
            return None;
        }
        frames.push(bytes.slice(at + LENGTH..end));
        at = end;
    }
    (!frames.is_empty()).then_some(frames)
}

/// A packet, or else fields.
fn part(bytes: &Bytes) -> tars_codec::Result<String> {
    let fields = Fields::decode(&Input::shared(bytes))?;
    Ok(match packet(&fields) {
        Some(text) => text,
        None => fields.to_string(),
    })
}

/// What a field of a packet must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    String,
    Bytes,
    Map,
}

/// `RequestPacket`: names by tag, from 1.
const REQUEST: [(&str, Kind); 10] = [
    ("iVersion", Kind::Int),
    ("cPacketType", Kind::Int),
    ("iMessageType", Kind::Int),
    ("iRequestId", Kind::Int),
    ("sServantName", Kind::String),
    ("sFuncName", Kind::String),
    ("sBuffer", Kind::Bytes),
    ("iTimeout", Kind::Int),
    ("context", Kind::Map),
    ("status", Kind::Map),
];

/// `ResponsePacket`: the same.
const RESPONSE: [(&str, Kind); 9] = [
    ("iVersion", Kind::Int),
    ("cPacketType", Kind::Int),
    ("iRequestId", Kind::Int),
    ("iMessageType", Kind::Int),
    ("iRet", Kind::Int),
    ("sBuffer", Kind::Bytes),
    ("status", Kind::Map),
    ("sResultDesc", Kind::String),
    ("context", Kind::Map),
];

/// A response may lack the last two.
const REQUIRED: usize = 7;

/// A packet with the names of its fields; `None` if it is none. Requests and responses differ in the types of their
/// fields, and other structs hardly have a body where they have it.
fn packet(fields: &Fields) -> Option<String> {
    let (title, names): (_, &[_]) = if fits(fields, &REQUEST, REQUEST.len()) {
        ("request", &REQUEST)
    } else if fits(fields, &RESPONSE, REQUIRED) {
        ("response", &RESPONSE)
    } else {
        return None;
    };
    let version = match fields.0.first() {
        Some((_, Value::Int(version))) => *version,
        _ => 0,
    };
    let mut text = format!("{title}\n");
    for ((_, value), (name, kind)) in fields.0.iter().zip(names) {
        let shown = match value {
            Value::Bytes(bytes) if *kind == Kind::Bytes => body(bytes, version),
            _ => indented(&value.to_string()).trim_start().to_owned(),
        };
        let _ = write!(text, "  {name}: {shown}");
    }
    Some(text)
}

fn fits(fields: &Fields, names: &[(&str, Kind)], required: usize) -> bool {
    let count = fields.0.len();
    let kinds = fields.0.iter().zip(1..).zip(names);
    (required..=names.len()).contains(&count)
        && kinds
            .into_iter()
            .all(|(((tag, value), expected), (_, kind))| *tag == expected && is(value, *kind))
}

fn is(value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Int => matches!(value, Value::Int(_)),
        Kind::String => matches!(value, Value::String(_)),
        // Some peers write an empty body as a list of bytes.
        Kind::Bytes => matches!(value, Value::Bytes(_) | Value::List(_)),
        Kind::Map => matches!(value, Value::Map(_)),
    }
}

/// What is in a body: JSON, or values by name (TUP), or values by position.
fn body(bytes: &Bytes, version: i64) -> String {
    const TUP: [i64; 2] = [2, 3];
    let inside = match Fields::decode(&Input::shared(bytes)) {
        // As a field this would be the end of a struct, which cannot come first.
        _ if bytes.starts_with(b"{") => format!("{}\n", String::from_utf8_lossy(bytes)),
        Ok(mut fields) => {
            if TUP.contains(&version) {
                fields.0.iter_mut().for_each(|(_, value)| open(value));
            }
            fields.to_string()
        }
        Err(error) => format!("no fields: {error}\n{}", Value::Bytes(bytes.clone())),
    };
    format!("{} bytes\n{}", bytes.len(), indented(&indented(&inside)))
}

/// In TUP each value is encoded by itself, into bytes in a map.
fn open(value: &mut Value) {
    match value {
        Value::Map(entries) => entries.iter_mut().for_each(|(_, value)| open(value)),
        Value::Bytes(bytes) => {
            if let Ok(fields) = Fields::decode(&Input::shared(bytes)) {
                *value = Value::Struct(fields);
            }
        }
        _ => {}
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex() {
        assert_eq!(from_hex("0x00 0A:ff\n").unwrap(), [0, 10, 255]);
        assert!(from_hex("").unwrap().is_empty());
        assert_eq!(
            from_hex("abc").unwrap_err(),
            "there is half a byte at the end"
        );
        assert_eq!(from_hex("0g").unwrap_err(), "`g` is no hexadecimal digit");
    }

    #[test]
    fn lengths_that_do_not_add_up_are_no_frames() {
        let count = |bytes: &'static [u8]| frames(&Bytes::from_static(bytes)).map(|f| f.len());
        assert_eq!(count(&[0, 0, 0, 5, 0x0c]), Some(1));
        assert_eq!(count(&[0, 0, 0, 5, 0x0c, 0, 0, 0, 5, 0x0c]), Some(2));
        assert_eq!(count(&[0, 0, 0, 5]), None);
        assert_eq!(count(&[0, 0, 0, 4]), None);
        assert_eq!(count(&[0, 0, 0, 5, 0x0c, 0]), None);
        assert_eq!(count(&[]), None);
        assert_eq!(count(&[255, 255, 255, 255, 0]), None);
    }
}
