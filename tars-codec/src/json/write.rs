//! Tars bytes to text.

use alloc::string::String;
use core::fmt::Write as _;

use super::Seen;
use crate::{
    Decode, DefaultValue, Error, ErrorKind, Field, Input, Reader, Result, StructType, Type,
    WireType,
};

pub(super) fn write(input: &Input<'_>, ty: &Type) -> Result<String> {
    let mut text = Text {
        json: String::new(),
        max: input.memory_left(),
    };
    let mut r = input.reader();
    match r.next_field()? {
        Some(head) => text.value(&mut r, head.ty, ty)?,
        None => return Err(Error::at(r, ErrorKind::Missing)),
    }
    Ok(text.json)
}

struct Text {
    json: String,
    /// Defaults and escapes make a text much longer than its bytes; it does not get longer than this.
    max: usize,
}

impl Text {
    /// Recursion is as deep as the limits of the input allow.
    fn value(&mut self, r: &mut Reader<'_>, wire: WireType, ty: &Type) -> Result<()> {
        match ty {
            Type::Bool => self.print(r.int(wire)? != 0),
            Type::Float => self.float(f32::decode(r, wire)?),
            Type::Double => self.double(f64::decode(r, wire)?),
            Type::String => {
                let bytes = match wire {
                    WireType::SimpleList => r.simple_list()?, // `string:N`
                    _ => r.string(wire)?,
                };
                quote(&mut self.json, r.utf8(bytes)?);
            }
            Type::Bytes if wire == WireType::SimpleList => {
                let bytes = r.simple_list()?.iter();
                self.list(bytes, |this, byte| {
                    this.print(i8::from_ne_bytes([*byte]));
                    Ok(())
                })?;
            }
            Type::Bytes => self.vector(r, wire, &Type::Byte)?,
            Type::Vector(item) => self.vector(r, wire, item)?,
            Type::Map(key, value) => self.map(r, wire, key, value)?,
            Type::Struct(of) => self.object(r, wire, &of())?,
            _ => {
                let value = r.int(wire)?;
                if let Some((range, ty)) = ty.integer()
                    && !range.contains(&value)
                {
                    return Err(Error::at(*r, ErrorKind::IntegerRange { value, ty }));
                }
                self.print(value);
            }
        }
        Ok(())
    }

    fn vector(&mut self, r: &mut Reader<'_>, wire: WireType, item: &Type) -> Result<()> {
        if wire != WireType::List {
            return Err(r.mismatch("a list", wire));
        }
        let count = r.count("list", 1, 0)?;
        let mut inner = r.enter()?;
        self.list(0..count, |this, _| {
            let wire = inner.element(0)?;
            this.value(&mut inner, wire, item)
        })?;
        r.leave(inner);
        Ok(())
    }

    fn map(&mut self, r: &mut Reader<'_>, wire: WireType, key: &Type, value: &Type) -> Result<()> {
        if wire != WireType::Map {
            return Err(r.mismatch("a map", wire));
        }
        let count = r.count("map", 2, 0)?;
        let mut inner = r.enter()?;
        self.json.push('{');
        for index in 0..count {
            self.comma(index);
            let wire = inner.element(0)?;
            self.key(&mut inner, wire, key)?;
            self.json.push(':');
            let wire = inner.element(1)?;
            self.value(&mut inner, wire, value)?;
        }
        self.json.push('}');
        r.leave(inner);
        Ok(())
    }

    /// A key is a string, so whatever else it is stands there as the text of its JSON.
    fn key(&mut self, r: &mut Reader<'_>, wire: WireType, ty: &Type) -> Result<()> {
        let start = self.json.len();
        match ty {
            Type::String => return self.value(r, wire, ty),
            // The ones that have no number still have to differ.
            Type::Float => self.print(format_args!("{:?}", f32::decode(r, wire)?)),
            Type::Double => self.print(format_args!("{:?}", f64::decode(r, wire)?)),
            _ => self.value(r, wire, ty)?,
        }
        let key = self.json.split_off(start);
        quote(&mut self.json, &key);
        self.check_len(r)
    }

    fn object(&mut self, r: &mut Reader<'_>, wire: WireType, of: &StructType) -> Result<()> {
        if wire != WireType::StructBegin {
            return Err(r.mismatch("a struct", wire));
        }
        let mut inner = r.enter_struct()?;
        self.fields(&mut inner, of.fields)
            .map_err(|error| error.in_struct(of.name, of.fields))?;
        r.leave(inner);
        self.check_len(r)
    }

    fn fields(&mut self, r: &mut Reader<'_>, fields: &'static [Field]) -> Result<()> {
        self.json.push('{');
        let mut count = 0;
        let mut seen = Seen::default();
        while let Some(head) = r.next_field()? {
            let field = fields.iter().find(|field| field.tag == head.tag);
            let Some(field) = field.filter(|field| seen.insert(field.tag)) else {
                r.skip(head)?;
                continue;
            };
            self.name(&mut count, field);
            self.value(r, head.ty, field.ty)
                .map_err(|error| error.at_tag(field.tag))?;
        }
        for field in fields.iter().filter(|field| !seen.contains(field.tag)) {
            match &field.default {
                None => r.require(None, field.tag)?,
                Some(DefaultValue::Zero) if matches!(field.ty, Type::Struct(_)) => {}
                Some(default) => {
                    self.name(&mut count, field);
                    self.default(r, default, field.ty)
                        .map_err(|error| error.at_tag(field.tag))?;
                }
            }
        }
        self.json.push('}');
        Ok(())
    }

    fn name(&mut self, count: &mut usize, field: &Field) {
        self.comma(*count);
        *count += 1;
        quote(&mut self.json, field.name);
        self.json.push(':');
    }

    fn default(&mut self, r: &Reader<'_>, default: &DefaultValue, ty: &Type) -> Result<()> {
        match (default, ty) {
            (DefaultValue::Zero, Type::Bool) => self.json.push_str("false"),
            (DefaultValue::Zero, Type::Float | Type::Double) => self.json.push_str("0.0"),
            (DefaultValue::Zero, Type::String) => self.json.push_str("\"\""),
            (DefaultValue::Zero, Type::Bytes | Type::Vector(_)) => self.json.push_str("[]"),
            (DefaultValue::Zero, Type::Map(..) | Type::Struct(_)) => self.json.push_str("{}"),
            (DefaultValue::Zero, _) => self.json.push('0'),
            (DefaultValue::True, _) => self.json.push_str("true"),
            (DefaultValue::Int(value), _) => self.print(*value),
            (DefaultValue::Float(value), Type::Float) => self.float(*value as f32),
            (DefaultValue::Float(value), _) => self.double(*value),
            (DefaultValue::String(value), _) => quote(&mut self.json, value),
            (DefaultValue::Bytes(_), _) => return Err(r.invalid_utf8(&[])),
        }
        Ok(())
    }

    fn list<I: Iterator>(
        &mut self,
        items: I,
        mut write: impl FnMut(&mut Self, I::Item) -> Result<()>,
    ) -> Result<()> {
        self.json.push('[');
        for (index, item) in items.enumerate() {
            self.comma(index);
            write(self, item)?;
        }
        self.json.push(']');
        Ok(())
    }

    fn float(&mut self, value: f32) {
        /// Of all floats only this one, and its negative, has shortest digits that become its neighbour when they
        /// are read as a double first, as most peers do. (All 2^32 were tried.)
        const READ_AS_ANOTHER: u32 = 0x15ae_43fd;
        if value.abs().to_bits() == READ_AS_ANOTHER {
            self.double(value.into());
        } else if value.is_finite() {
            self.print(format_args!("{value:?}"));
        } else {
            self.json.push_str("null");
        }
    }

    fn double(&mut self, value: f64) {
        if value.is_finite() {
            self.print(format_args!("{value:?}"));
        } else {
            self.json.push_str("null");
        }
    }

    fn print(&mut self, value: impl core::fmt::Display) {
        let _ = write!(self.json, "{value}"); // a String takes everything
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.json.push(',');
        }
    }

    fn check_len(&self, r: &Reader<'_>) -> Result<()> {
        if self.json.len() > self.max {
            let kind = ErrorKind::OutOfBudget {
                needed: self.json.len(),
                left: self.max,
            };
            return Err(Error::at(*r, kind));
        }
        Ok(())
    }
}

/// Appends a string literal.
pub(super) fn quote(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\u{1f}' => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            _ => json.push(c),
        }
    }
    json.push('"');
}
