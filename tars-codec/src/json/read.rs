//! Text to Tars bytes.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use serde_core::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};

use super::Seen;
use crate::{Error, ErrorKind, Field, Limits, Result, Type, WireType, Writer, write};

pub(super) fn read(text: &[u8], ty: &Type, limits: &Limits) -> Result<Vec<u8>> {
    let mut tars = Vec::new();
    write(&mut tars, |w| {
        let mut out = Output::new(w, limits);
        let mut json = serde_json::Deserializer::from_slice(text);
        let read = out.slot(ty, 0).deserialize(&mut json);
        read.and_then(|()| json.end())
            .map_err(|fault| error(&fault, text, &out.path))
    })??;
    Ok(tars)
}

/// The same of anything that says what it has.
pub(super) fn read_from<'de, D: Deserializer<'de>>(
    input: D,
    ty: &Type,
    limits: &Limits,
) -> Result<Vec<u8>, D::Error> {
    let mut tars = Vec::new();
    write(&mut tars, |w| {
        Output::new(w, limits).slot(ty, 0).deserialize(input)
    })
    .map_err(D::Error::custom)??;
    Ok(tars)
}

/// Where values go.
struct Output<'w, 'b> {
    w: &'w mut Writer<'b>,
    /// Lists and objects that are open.
    depth: u16,
    max_depth: u16,
    /// After a fault: the keys and indices that lead to it, innermost first.
    path: Vec<String>,
}

impl<'w, 'b> Output<'w, 'b> {
    fn new(w: &'w mut Writer<'b>, limits: &Limits) -> Self {
        Self {
            w,
            depth: 0,
            max_depth: limits.depth,
            path: Vec::new(),
        }
    }

    fn slot<'o>(&'o mut self, ty: &'o Type, tag: u8) -> Slot<'o, 'w, 'b> {
        Slot {
            out: self,
            ty,
            tag,
            optional: false,
        }
    }

    fn open<E: serde_core::de::Error>(&mut self) -> Result<(), E> {
        if self.depth >= self.max_depth {
            let kind = ErrorKind::TooDeep {
                max: self.max_depth,
            };
            return Err(E::custom(kind));
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.depth -= 1; // one was open
    }

    /// Writes a key of a map. What is no string is the JSON of the key.
    fn key<E: serde_core::de::Error>(&mut self, text: &str, ty: &Type) -> Result<(), E> {
        match ty {
            Type::Bytes | Type::Vector(_) | Type::Map(..) | Type::Struct(_) => {
                let mut json = serde_json::Deserializer::from_str(text);
                let read = self.slot(ty, 0).deserialize(&mut json);
                read.and_then(|()| json.end())
                    .map_err(|fault| E::custom(reason(&fault)))
            }
            _ => self.slot(ty, 0).visit_str(text),
        }
    }
}

/// The place of one value: what type it has to have, and which tag it gets.
struct Slot<'o, 'w, 'b> {
    out: &'o mut Output<'w, 'b>,
    ty: &'o Type,
    tag: u8,
    /// `null` leaves it empty.
    optional: bool,
}

impl<'de> DeserializeSeed<'de> for Slot<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ty)?;
        match self.ty.integer() {
            Some((range, _)) => write!(f, " ({} to {})", range.start(), range.end()),
            None => Ok(()),
        }
    }

    fn visit_bool<E: serde_core::de::Error>(self, value: bool) -> Result<(), E> {
        if !matches!(self.ty, Type::Bool) {
            return Err(E::invalid_type(Unexpected::Bool(value), &self));
        }
        self.out.w.put(self.tag, &value);
        Ok(())
    }

    fn visit_i64<E: serde_core::de::Error>(self, value: i64) -> Result<(), E> {
        let w = &mut *self.out.w;
        match self.ty {
            Type::Bool => w.put(self.tag, &(value != 0)),
            Type::Float => w.put(self.tag, &(value as f32)),
            Type::Double => w.put(self.tag, &(value as f64)),
            _ => match self.ty.integer() {
                Some((range, _)) if range.contains(&value) => w.put(self.tag, &value),
                Some(_) => return Err(E::invalid_value(Unexpected::Signed(value), &self)),
                None => return Err(E::invalid_type(Unexpected::Signed(value), &self)),
            },
        }
        Ok(())
    }

    fn visit_u64<E: serde_core::de::Error>(self, value: u64) -> Result<(), E> {
        match (i64::try_from(value), self.ty) {
            (Ok(value), _) => self.visit_i64(value),
            (Err(_), Type::Float | Type::Double) => self.visit_f64(value as f64),
            (Err(_), _) => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }

    fn visit_f64<E: serde_core::de::Error>(self, value: f64) -> Result<(), E> {
        match self.ty {
            Type::Double => self.out.w.put(self.tag, &value),
            Type::Float => {
                let narrow = value as f32;
                if value.is_finite() && !narrow.is_finite() {
                    return Err(E::invalid_value(Unexpected::Float(value), &self));
                }
                self.out.w.put(self.tag, &narrow);
            }
            _ => match whole(value) {
                Some(value) => return self.visit_i64(value),
                None => return Err(E::invalid_value(Unexpected::Float(value), &self)),
            },
        }
        Ok(())
    }

    /// A number may be quoted; as the key of a map it is.
    fn visit_str<E: serde_core::de::Error>(self, value: &str) -> Result<(), E> {
        match (self.ty, value) {
            (Type::String, _) => {
                self.out.w.put(self.tag, value);
                return Ok(());
            }
            (Type::Bool, "true" | "1") => return self.visit_bool(true),
            (Type::Bool, "false" | "0") => return self.visit_bool(false),
            (Type::Float | Type::Double, _) => {
                let has_digits = value.contains(|c: char| c.is_ascii_digit());
                match value.parse::<f64>() {
                    // Digits beyond the range are parsed as infinity, too.
                    Ok(number) if number.is_finite() || !has_digits => {
                        return self.visit_f64(number);
                    }
                    _ => {}
                }
            }
            (ty, _) if ty.integer().is_some() => {
                if let Ok(number) = value.parse() {
                    return self.visit_i64(number);
                }
            }
            _ => {}
        }
        Err(E::invalid_type(Unexpected::Str(value), &self))
    }

    fn visit_unit<E: serde_core::de::Error>(self) -> Result<(), E> {
        let (w, tag) = (&mut *self.out.w, self.tag);
        match self.ty {
            Type::Float => w.put(tag, &f32::NAN),
            Type::Double => w.put(tag, &f64::NAN),
            _ if self.optional => {}
            Type::String => w.put(tag, ""),
            Type::Bytes => w.byte_vector(tag, &[]),
            Type::Vector(_) => w.container(tag, WireType::List, "list", 0),
            Type::Map(..) => w.container(tag, WireType::Map, "map", 0),
            Type::Struct(_) => return Err(E::invalid_type(Unexpected::Unit, &self)),
            _ => w.put(tag, &0_i8),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { out, ty, tag, .. } = self;
        out.open()?;
        let mut count = 0;
        let read = match ty {
            Type::Bytes => {
                out.w.head(tag, WireType::SimpleList);
                out.w.head(0, WireType::Int1);
                let len = out.w.begin_len();
                let read = each(&mut count, || {
                    let byte = seq.next_element::<i8>()?;
                    Ok(byte.map(|byte| out.w.append(&byte.to_be_bytes())))
                });
                out.w.end_len(len, "byte vector", count);
                read
            }
            Type::Vector(item) => {
                out.w.head(tag, WireType::List);
                let len = out.w.begin_len();
                let read = each(&mut count, || seq.next_element_seed(out.slot(item, 0)));
                out.w.end_len(len, "list", count);
                read
            }
            _ => return Err(A::Error::invalid_type(Unexpected::Seq, &out.slot(ty, tag))),
        };
        if read.is_err() {
            out.path.push(count.to_string());
        }
        out.close();
        read
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { out, ty, tag, .. } = self;
        out.open()?;
        match ty {
            Type::Map(key, value) => {
                out.w.head(tag, WireType::Map);
                let len = out.w.begin_len();
                let mut count = 0;
                while let Some(name) = map.next_key::<String>()? {
                    let read = match out.key(&name, key) {
                        Ok(()) => map.next_value_seed(out.slot(value, 1)),
                        error => error,
                    };
                    if read.is_err() {
                        out.path.push(name);
                        return read;
                    }
                    count += 1;
                }
                out.w.end_len(len, "map", count);
            }
            Type::Struct(of) => {
                out.w.head(tag, WireType::StructBegin);
                fields(out, of().fields, &mut map)?;
                out.w.head(0, WireType::StructEnd);
            }
            // A number, when some crate has turned on serde_json's feature `arbitrary_precision`.
            _ => {
                if map.next_key::<String>()?.as_deref() != Some(NUMBER) {
                    return Err(A::Error::invalid_type(Unexpected::Map, &out.slot(ty, tag)));
                }
                let number: String = map.next_value()?;
                out.slot(ty, tag).visit_str(&number)?;
            }
        }
        out.close();
        Ok(())
    }
}

const NUMBER: &str = "$serde_json::private::Number";

fn fields<'de, A: MapAccess<'de>>(
    out: &mut Output<'_, '_>,
    fields: &'static [Field],
    map: &mut A,
) -> Result<(), A::Error> {
    let mut seen = Seen::default();
    while let Some(known) = map.next_key_seed(Name(fields))? {
        let Some(field) = known else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        let read = if seen.insert(field.tag) {
            let mut slot = out.slot(field.ty, field.tag);
            slot.optional = field.default.is_some();
            map.next_value_seed(slot)
        } else {
            Err(A::Error::custom("given twice"))
        };
        if read.is_err() {
            out.path.push(field.name.to_string());
            return read;
        }
    }
    let missing = |field: &&Field| field.default.is_none() && !seen.contains(field.tag);
    match fields.iter().find(missing) {
        None => Ok(()),
        Some(field) => {
            out.path.push(field.name.to_string());
            Err(A::Error::custom("required, but missing"))
        }
    }
}

/// Takes elements up to the last, or to the first fault; `count` are good.
fn each<E>(count: &mut usize, mut next: impl FnMut() -> Result<Option<()>, E>) -> Result<(), E> {
    while next()?.is_some() {
        *count += 1;
    }
    Ok(())
}

/// Finds a field by its name.
struct Name(&'static [Field]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static Field>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|field| field.name == name))
    }
}

/// The integer that a float is.
fn whole(value: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0; // 2^63
    let int = value as i64;
    ((-END..END).contains(&value) && int as f64 == value).then_some(int)
}

/// What is wrong with the text, and where; the path innermost first.
pub(super) fn error(fault: &serde_json::Error, text: &[u8], path: &[String]) -> Error {
    let path: String = path
        .iter()
        .rev()
        .map(|key| format!("/{}", shortened(&key.replace('~', "~0").replace('/', "~1"))))
        .collect();
    let kind = ErrorKind::Json {
        path,
        reason: reason(fault),
    };
    Error::new(kind, offset(text, fault.line(), fault.column()))
}

/// The text of a fault, without its place.
fn reason(fault: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", fault.line(), fault.column());
    let text = fault.to_string();
    shortened(text.strip_suffix(&place).unwrap_or(&text))
}

/// The byte at a place; lines and columns count from 1.
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let before = text
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1));
    let start: usize = before.map(<[u8]>::len).sum();
    start + column.saturating_sub(1)
}

/// Texts of the peer may be of any length, and errors go back to it and into logs.
fn shortened(text: &str) -> String {
    const MAX: usize = 200;
    match text.char_indices().nth(MAX) {
        None => text.to_string(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}
