//! Whether a value fits its type.

use super::Resolver;
use super::values::Operand;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::model::{EnumId, Model, StructId, Type, Value};
use crate::source::Span;

impl Resolver<'_> {
    /// Checks a value against its type, and converts it.
    pub(super) fn fit(
        &mut self,
        ty: &Type,
        operand: &Operand,
        at: Span,
        defined: Option<Span>,
    ) -> Option<Value> {
        let fitted = match ty {
            Type::Bool => match operand {
                Operand::Bool(value) => Ok(Value::Bool(*value)),
                other => Err(mismatch("a bool is `true` or `false`", other, at)),
            },
            Type::Float => self.fit_float(operand, "a float", at).and_then(|value| {
                let rounded = f64::from(value as f32);
                if rounded.is_infinite() || (rounded == 0.0 && value != 0.0) {
                    let size = if rounded == 0.0 { "small" } else { "large" };
                    Err(Diagnostic::new(
                        Code::OutOfRange,
                        format!("this number is too {size} for a float"),
                    )
                    .at(at, "")
                    .note(format!(
                        "a float is at most {:e}; its smallest step above 0 is 1e-45",
                        f32::MAX
                    ))
                    .help("a double holds it"))
                } else {
                    Ok(Value::Float(rounded))
                }
            }),
            Type::Double => self.fit_float(operand, "a double", at).map(Value::Float),
            Type::String { max } => fit_string(operand, *max, at),
            Type::Enum(of) => return self.fit_enum(*of, operand, at, defined),
            Type::Bytes { .. } | Type::Vector { .. } | Type::Map { .. } | Type::Struct(_) => {
                Err(Diagnostic::new(
                    Code::TypeMismatch,
                    "this type has no values that can be written",
                )
                .at(at, ""))
            }
            Type::Byte
            | Type::Short
            | Type::Int
            | Type::Long
            | Type::UByte
            | Type::UShort
            | Type::UInt => match operand {
                Operand::Integer(number) => fit_integer(ty, *number, at),
                Operand::Enumerator(id) => {
                    fit_integer(ty, i128::from(self.enumerator_value(*id)?), at)
                }
                other => Err(mismatch("a whole number is needed here", other, at)),
            },
        };
        fitted
            .map_err(|error| {
                self.report(match defined {
                    Some(span) => error.see(span, "defined here"),
                    None => error,
                });
            })
            .ok()
    }

    fn fit_float(&self, operand: &Operand, what: &str, at: Span) -> Result<f64, Diagnostic> {
        match operand {
            Operand::Float(value) => Ok(*value),
            Operand::Integer(value) => Ok(*value as f64),
            Operand::Enumerator(id) => Ok(f64::from(self.enumerator_value(*id).unwrap_or(0))),
            other => Err(mismatch(&format!("{what} is a number"), other, at)),
        }
    }

    fn fit_enum(
        &mut self,
        of: EnumId,
        operand: &Operand,
        at: Span,
        defined: Option<Span>,
    ) -> Option<Value> {
        let declared = self.declared;
        match operand {
            Operand::Enumerator(id) if id.of == of => Some(Value::Enumerator {
                of,
                index: id.index,
            }),
            Operand::Enumerator(id) => {
                let message = format!(
                    "this is an enumerator of `{}`, not of `{}`",
                    declared.enum_name(id.of),
                    declared.enum_name(of)
                );
                let error = Diagnostic::new(Code::WrongEnum, message).at(at, "");
                self.report(match defined {
                    Some(span) => error.see(span, "defined here"),
                    None => error,
                });
                None
            }
            Operand::Integer(number) => {
                let Ok(number) = i32::try_from(*number) else {
                    let name = &declared.enum_decl(of).name.text;
                    let message = format!("{} does not fit in an enum", show(*number));
                    self.report(
                        Diagnostic::new(Code::OutOfRange, message)
                            .at(at, "")
                            .note(format!("the values of enum `{name}` are ints")),
                    );
                    return None;
                };
                if let Some(&index) = self.values.first_of_value.get(of.0 as usize)?.get(&number) {
                    return Some(Value::Enumerator { of, index });
                }
                self.report(
                    Diagnostic::new(
                        Code::NotAnEnumerator,
                        format!(
                            "enum `{}` has no enumerator with the value {number}",
                            declared.enum_name(of)
                        ),
                    )
                    .at(at, "")
                    .see(declared.enum_decl(of).name.span, "declared here"),
                );
                Some(Value::Int(i64::from(number)))
            }
            other => {
                let name = &declared.enum_decl(of).name.text;
                let error = mismatch(
                    &format!("an enumerator of `{name}` is needed here"),
                    other,
                    at,
                );
                self.report(error);
                None
            }
        }
    }
}

/// A value of the wrong kind.
pub(super) fn mismatch(needed: &str, found: &Operand, at: Span) -> Diagnostic {
    let found = match found {
        Operand::Integer(_) => "a whole number",
        Operand::Float(_) => "a number with a point or exponent",
        Operand::String(_) => "a string",
        Operand::Bool(_) => "a bool",
        Operand::Enumerator(_) => "an enumerator",
    };
    Diagnostic::new(Code::TypeMismatch, format!("{needed}, but this is {found}")).at(at, "")
}

fn fit_integer(ty: &Type, number: i128, at: Span) -> Result<Value, Diagnostic> {
    let (name, min, max): (_, i64, i64) = match ty {
        Type::Byte => ("byte", i8::MIN.into(), i8::MAX.into()),
        Type::Short => ("short", i16::MIN.into(), i16::MAX.into()),
        Type::Int => ("int", i32::MIN.into(), i32::MAX.into()),
        Type::UByte => ("unsigned byte", 0, u8::MAX.into()),
        Type::UShort => ("unsigned short", 0, u16::MAX.into()),
        Type::UInt => ("unsigned int", 0, u32::MAX.into()),
        _ => ("long", i64::MIN, i64::MAX),
    };
    match i64::try_from(number) {
        Ok(number) if (min..=max).contains(&number) => Ok(Value::Int(number)),
        _ => {
            let article = if name.starts_with(['i', 'u']) {
                "an"
            } else {
                "a"
            };
            Err(Diagnostic::new(
                Code::OutOfRange,
                format!("{} does not fit in {article} {name}", show(number)),
            )
            .at(at, "")
            .note(format!("{article} {name} is {min} to {max}")))
        }
    }
}

/// A number, unless it is beyond what the parser keeps.
fn show(number: i128) -> String {
    if number.unsigned_abs() < u128::MAX >> 1 {
        number.to_string()
    } else {
        "this number".to_owned()
    }
}

/// The error of a string that is not UTF-8, unless it is.
pub(super) fn not_text(bytes: &[u8], at: Span) -> Option<Diagnostic> {
    let error = str::from_utf8(bytes).err()?;
    let byte = error.valid_up_to() + 1;
    Some(
        Diagnostic::new(Code::InvalidString, "this string is not UTF-8")
            .at(at, format!("its byte {byte} makes no character")),
    )
}

/// The errors of defaults that are not UTF-8, in members that are not bytes in the generated code.
pub fn defaults_not_text(
    model: &Model,
    are_bytes: impl Fn(StructId, usize) -> bool,
) -> Vec<Diagnostic> {
    let structs = (0..).map(StructId).zip(&model.structs);
    let fields = structs.flat_map(|(id, of)| {
        let fields = of.fields.iter().enumerate();
        fields.map(move |(index, field)| (id, index, field))
    });
    let faults = fields.filter_map(|(id, index, field)| match &field.default {
        Some(Value::String(bytes)) if !are_bytes(id, index) => not_text(bytes, field.default_span?),
        _ => None,
    });
    let help = "or let the config make it bytes: `stringType = \"bytes::Bytes\"` for this member";
    let mut diagnostics = Diagnostics::default();
    faults.for_each(|fault| diagnostics.push(fault.help(help)));
    diagnostics.sorted()
}

fn fit_string(operand: &Operand, max: Option<u32>, at: Span) -> Result<Value, Diagnostic> {
    let Operand::String(bytes) = operand else {
        return Err(mismatch("a string is needed here", operand, at));
    };
    match max {
        Some(max) if bytes.len() > max as usize => Err(Diagnostic::new(
            Code::OutOfRange,
            format!("this string has {} bytes, more than {max}", bytes.len()),
        )
        .at(at, "")),
        _ => Ok(Value::String(bytes.clone())),
    }
}
