//! The values of a call: arguments in a request, return value and out parameters in an answer.
//!
//! | version | a value is found by | the return value is |
//! |---|---|---|
//! | TARS | the position of its parameter, as a tag | tag 0 |
//! | TUP, simple or complex | the name of its parameter | `""`, and also `tars_ret` |
//! | JSON | the name of its parameter | `tars_ret` |

mod named;
mod positional;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use tars_codec::{Decode, Encode, Error, ErrorKind, Input, Limits, Result, Type, Typed, write};

use self::{
    named::{NamedReader, NamedWriter},
    positional::Positional,
};
use super::Version;

/// The return value in error messages.
const RESULT: &str = "return value";

/// Writes the body of a call.
#[derive(Debug)]
pub(crate) struct ArgWriter {
    values: Written,
    error: Option<Error>,
}

#[derive(Debug)]
enum Written {
    Positional(Vec<u8>),
    Named(NamedWriter),
}

impl ArgWriter {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            values: match NamedWriter::new(version) {
                None => Written::Positional(Vec::new()),
                Some(values) => Written::Named(values),
            },
            error: None,
        }
    }

    /// Appends the value of a parameter. The first fault is kept for [`finish`](Self::finish).
    pub(crate) fn put<T>(&mut self, tag: u8, name: &'static str, value: &T)
    where
        T: Encode + Typed + ?Sized,
    {
        let result = match &mut self.values {
            Written::Positional(body) => append(body, tag, value),
            Written::Named(values) => values.put(name, value),
        };
        self.note(result, tag, name);
    }

    /// Appends the return value.
    pub(crate) fn put_result<T: Encode + Typed + ?Sized>(&mut self, value: &T) {
        let result = match &mut self.values {
            Written::Positional(body) => append(body, 0, value),
            Written::Named(values) => values.put_result(value),
        };
        self.note(result, 0, RESULT);
    }

    fn note(&mut self, result: Result<()>, tag: u8, name: &'static str) {
        if let Err(error) = result {
            self.error
                .get_or_insert_with(|| error.in_argument(name, tag));
        }
    }

    /// The body, or the first value that cannot be encoded.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match (self.error, self.values) {
            (Some(error), _) => Err(error),
            (None, Written::Positional(body)) => Ok(body),
            (None, Written::Named(values)) => values.finish(),
        }
    }
}

fn append<T: Encode + ?Sized>(body: &mut Vec<u8>, tag: u8, value: &T) -> Result<()> {
    write(body, |w| w.put(tag, value))
}

/// Takes values from the body of a call.
#[derive(Debug)]
pub(crate) struct ArgReader {
    values: Received,
    /// What the values may still allocate.
    memory: usize,
}

#[derive(Debug)]
enum Received {
    Positional(Positional),
    Named(NamedReader),
}

/// How a value is asked for.
enum Wanted {
    Parameter(u8, &'static str),
    Result,
}

impl ArgReader {
    /// # Errors
    /// The body is none of this version.
    pub(crate) fn new(version: Version, body: Bytes) -> Result<Self> {
        Ok(Self {
            values: match NamedReader::new(version, &body)? {
                None => Received::Positional(Positional::new(body)),
                Some(values) => Received::Named(values),
            },
            memory: Limits::DEFAULT.memory,
        })
    }

    /// Takes the value of a parameter.
    pub(crate) fn take<T: Decode + Typed>(&mut self, tag: u8, name: &'static str) -> Result<T> {
        self.find(Wanted::Parameter(tag, name))
            .map_err(|error| error.in_argument(name, tag))
    }

    /// Takes the return value.
    pub(crate) fn take_result<T: Decode + Typed>(&mut self) -> Result<T> {
        self.find(Wanted::Result)
            .map_err(|error| error.in_argument(RESULT, 0))
    }

    fn find<T: Decode + Typed>(&mut self, wanted: Wanted) -> Result<T> {
        let value = match &mut self.values {
            Received::Positional(values) => {
                let tag = match wanted {
                    Wanted::Parameter(tag, _) => tag,
                    Wanted::Result => 0,
                };
                if let Some(next) = values.next()
                    && let (Some(value), end) = read(&values.body, next, tag, &mut self.memory)?
                {
                    values.came_in_order(end);
                    return Ok(value);
                }
                let place = values.find(tag)?;
                read(&values.body, place, tag, &mut self.memory)?.0
            }
            Received::Named(values) => match wanted.of(values, T::TYPE)? {
                Some(bytes) => read(&bytes, 0, 0, &mut self.memory)?.0,
                None => None,
            },
        };
        value.ok_or_else(|| Error::new(ErrorKind::Missing, 0))
    }
}

impl Wanted {
    fn of(self, values: &NamedReader, ty: &Type) -> Result<Option<Bytes>> {
        match self {
            Self::Parameter(_, name) => values.value(name, ty),
            Self::Result => values.result(ty),
        }
    }
}

/// Reads the value that begins at a place, if it has this tag; and where it ends.
fn read<T: Decode>(
    bytes: &Bytes,
    place: usize,
    tag: u8,
    memory: &mut usize,
) -> Result<(Option<T>, usize)> {
    let limits = Limits::DEFAULT.with_memory(*memory);
    let input = Input::shared(bytes).with_limits(limits);
    let mut r = input.reader_at(place);
    let value = r.next_if(tag)?;
    *memory = input.memory_left();
    Ok((value, r.offset()))
}
