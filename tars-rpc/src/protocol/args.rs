//! The values of a call: arguments in a request, return value and out parameters in an answer.
//!
//! | version | a value is found by | the return value is |
//! |---|---|---|
//! | TARS | the position of its parameter, as a tag | tag 0 |
//! | TUP | the name of its parameter | `""`, and also `tars_ret` |

mod positional;

use bytes::Bytes;
use tars_codec::{
    Decode, Encode, Error, ErrorKind, Input, Limits, Result, TupReader, TupWriter, Writer,
};

use self::positional::Positional;
use super::Version;

/// The return value in error messages.
const RESULT: &str = "return value";
/// The names of the return value. TarsPHP and Tars.js know the second one only, so both are written.
const RESULT_NAMES: [&str; 2] = ["tars_ret", ""];

/// Writes the body of a call.
#[derive(Debug)]
pub(crate) struct ArgWriter {
    values: Written,
    error: Option<Error>,
}

#[derive(Debug)]
enum Written {
    Tars(Vec<u8>),
    Tup(TupWriter),
}

impl ArgWriter {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            values: match version {
                Version::Tars => Written::Tars(Vec::new()),
                Version::Tup => Written::Tup(TupWriter::new()),
            },
            error: None,
        }
    }

    /// Appends the value of a parameter. The first fault is kept for [`finish`](Self::finish).
    pub(crate) fn put<T: Encode + ?Sized>(&mut self, tag: u8, name: &'static str, value: &T) {
        let result = match &mut self.values {
            Written::Tars(body) => append(body, tag, value),
            Written::Tup(values) => values.put(name, value),
        };
        self.note(result, tag, name);
    }

    /// Appends the return value.
    pub(crate) fn put_result<T: Encode + ?Sized>(&mut self, value: &T) {
        let result = match &mut self.values {
            Written::Tars(body) => append(body, 0, value),
            Written::Tup(values) => RESULT_NAMES
                .iter()
                .try_for_each(|name| values.put(name, value)),
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
            (None, Written::Tars(body)) => Ok(body),
            (None, Written::Tup(values)) => values.finish(),
        }
    }
}

fn append<T: Encode + ?Sized>(body: &mut Vec<u8>, tag: u8, value: &T) -> Result<()> {
    let mut w = Writer::new(body);
    w.put(tag, value);
    w.finish()
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
    Tars(Positional),
    Tup(TupReader),
}

impl ArgReader {
    /// # Errors
    /// The body is none of this version.
    pub(crate) fn new(version: Version, body: Bytes) -> Result<Self> {
        Ok(Self {
            values: match version {
                Version::Tars => Received::Tars(Positional::new(body)),
                Version::Tup => Received::Tup(TupReader::new(&body)?),
            },
            memory: Limits::DEFAULT.memory,
        })
    }

    /// Takes the value of a parameter.
    pub(crate) fn take<T: Decode>(&mut self, tag: u8, name: &'static str) -> Result<T> {
        self.find(tag, &[name])
            .map_err(|error| error.in_argument(name, tag))
    }

    /// Takes the return value.
    pub(crate) fn take_result<T: Decode>(&mut self) -> Result<T> {
        self.find(0, &RESULT_NAMES)
            .map_err(|error| error.in_argument(RESULT, 0))
    }

    fn find<T: Decode>(&mut self, tag: u8, names: &[&str]) -> Result<T> {
        let value = match &mut self.values {
            Received::Tars(values) => {
                let body = &values.body;
                if values.in_order()
                    && let (Some(value), end) = read(body, values.next, tag, &mut self.memory)?
                {
                    values.next = end;
                    return Ok(value);
                }
                let place = values.find(tag)?;
                read(&values.body, place, tag, &mut self.memory)?.0
            }
            Received::Tup(values) => match names.iter().find_map(|name| values.bytes(name)) {
                Some(bytes) => read(bytes, 0, 0, &mut self.memory)?.0,
                None => None,
            },
        };
        value.ok_or_else(|| Error::new(ErrorKind::Missing, 0))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn body(values: &[(u8, i32)]) -> Bytes {
        let mut w = ArgWriter::new(Version::Tars);
        for (tag, value) in values {
            w.put(*tag, "value", value);
        }
        w.finish().unwrap().into()
    }

    #[test]
    fn values_in_any_order() {
        let values = [(3, 30), (1, 10), (200, 7), (2, 20), (1, 11)];
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2]] {
            let mut args = ArgReader::new(Version::Tars, body(&values)).unwrap();
            for tag in order {
                let value: i32 = args.take(tag, "value").unwrap();
                assert_eq!(value, i32::from(tag) * 10);
            }
        }
    }

    #[test]
    fn in_order_needs_no_places() {
        let mut args = ArgReader::new(Version::Tars, body(&[(1, 1), (2, 2), (3, 3)])).unwrap();
        for tag in 1..=3 {
            args.take::<i32>(tag, "value").unwrap();
        }
        assert!(matches!(&args.values, Received::Tars(values) if values.in_order()));
    }

    #[test]
    fn faults_name_the_argument() {
        let mut args = ArgReader::new(Version::Tars, body(&[(1, 1)])).unwrap();
        let error = args.take::<i32>(2, "count").unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Missing);
        assert_eq!(
            error.to_string(),
            "argument count (tag 2): required, but missing, at byte 2"
        );
        let error = args.take::<String>(1, "name").unwrap_err();
        assert_eq!(
            error.to_string(),
            "argument name (tag 1): the value is Int1, expected a string, at byte 1"
        );
    }

    #[test]
    fn a_broken_body_is_an_error_of_the_argument_behind_it() {
        let mut args =
            ArgReader::new(Version::Tars, Bytes::from_static(&[0x10, 1, 0x2e, 0x30, 3])).unwrap();
        assert_eq!(args.take::<i32>(1, "a").unwrap(), 1);
        let error = args.take::<i32>(3, "c").unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::UnknownWireType(14));
        assert_eq!(error.offset(), 2);
    }

    #[test]
    fn memory_is_counted_over_all_values() {
        let body = Bytes::from_static(b"\x16\x02ab\x26\x02cd");
        let mut args = ArgReader::new(Version::Tars, body).unwrap();
        args.memory = 3;
        assert_eq!(args.take::<String>(1, "a").unwrap(), "ab");
        let error = args.take::<String>(2, "b").unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::OutOfBudget { .. }),
            "{error}"
        );
    }

    #[test]
    fn bytes_share_the_frame() {
        let body = Bytes::from_static(&[0x1d, 0x00, 0x00, 2, 8, 9]);
        let mut args = ArgReader::new(Version::Tars, body.clone()).unwrap();
        let bytes: Bytes = args.take(1, "bytes").unwrap();
        assert_eq!(bytes.as_ptr(), body[4..].as_ptr());
    }
}
