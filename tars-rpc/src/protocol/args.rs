//! The values of a call: arguments in a request, return value and out parameters in an answer.
//!
//! In protocol version 1 a body is like the fields of a struct: each value has the position of its parameter as
//! tag, the return value has tag 0.

use bytes::Bytes;
use tars_codec::{Decode, Encode, Error, ErrorKind, Input, Limits, Result, Writer};

/// Writes the body of a call.
#[derive(Debug, Default)]
pub(crate) struct ArgWriter {
    body: Vec<u8>,
    error: Option<Error>,
}

impl ArgWriter {
    /// Appends a value. The first fault is kept for [`finish`](Self::finish).
    pub(crate) fn put<T: Encode + ?Sized>(&mut self, tag: u8, name: &'static str, value: &T) {
        let mut w = Writer::new(&mut self.body);
        w.put(tag, value);
        if let Err(error) = w.finish() {
            self.error
                .get_or_insert_with(|| error.in_argument(name, tag));
        }
    }

    /// The body, or the first value that cannot be encoded.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        match self.error {
            None => Ok(self.body),
            Some(error) => Err(error),
        }
    }
}

/// Takes values by tag from the body of a call.
///
/// Values are nearly always asked for in the order in which they are there, and then each is read where the last
/// one ended. On the first miss the places of all values are noted, once, so that the cost stays linear whatever
/// the order. What nobody asks for is passed over: sync TarsCpp clients send their out parameters, too.
#[derive(Debug)]
pub(crate) struct ArgReader {
    body: Bytes,
    /// Where the next value begins, as long as they come in order.
    next: usize,
    places: Option<Box<Places>>,
    /// What the values may still allocate.
    memory: usize,
}

impl ArgReader {
    pub(crate) fn new(body: Bytes) -> Self {
        Self {
            body,
            next: 0,
            places: None,
            memory: Limits::DEFAULT.memory,
        }
    }

    /// Takes the value with this tag; the first one, if there are several.
    pub(crate) fn take<T: Decode>(&mut self, tag: u8, name: &'static str) -> Result<T> {
        self.find(tag).map_err(|error| error.in_argument(name, tag))
    }

    fn find<T: Decode>(&mut self, tag: u8) -> Result<T> {
        if self.places.is_none() {
            if let Some(value) = self.read_at(self.next, tag)? {
                return Ok(value);
            }
            self.places = Some(Box::new(Places::note(&self.body)?));
        }
        let place = self.places.as_ref().and_then(|places| places.get(tag));
        if let Some(place) = place
            && let Some(value) = self.read_at(place, tag)?
        {
            return Ok(value);
        }
        Err(Error::new(ErrorKind::Missing, self.body.len()))
    }

    fn read_at<T: Decode>(&mut self, place: usize, tag: u8) -> Result<Option<T>> {
        let limits = Limits::DEFAULT.with_memory(self.memory);
        let input = Input::shared(&self.body).with_limits(limits);
        let mut r = input.reader_at(place);
        let value = r.next_if(tag)?;
        self.next = r.offset();
        self.memory = input.memory_left();
        Ok(value)
    }
}

/// Where the value of each tag begins.
#[derive(Debug)]
struct Places([u32; 256]);

const NOWHERE: u32 = u32::MAX; // a frame, with its length, is shorter

impl Places {
    fn note(body: &[u8]) -> Result<Self> {
        let mut places = Self([NOWHERE; 256]);
        let input = Input::new(body);
        let mut r = input.reader();
        loop {
            let place = u32::try_from(r.offset()).unwrap_or(NOWHERE);
            let Some(head) = r.next_field()? else {
                return Ok(places);
            };
            if let Some(first) = places.0.get_mut(usize::from(head.tag))
                && *first == NOWHERE
            {
                *first = place;
            }
            r.skip(head)?;
        }
    }

    fn get(&self, tag: u8) -> Option<usize> {
        let place = *self.0.get(usize::from(tag))?;
        usize::try_from(place).ok().filter(|_| place != NOWHERE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(values: &[(u8, i32)]) -> Bytes {
        let mut w = ArgWriter::default();
        for (tag, value) in values {
            w.put(*tag, "value", value);
        }
        w.finish().unwrap().into()
    }

    #[test]
    fn values_in_any_order() {
        let values = [(3, 30), (1, 10), (200, 7), (2, 20), (1, 11)];
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2]] {
            let mut args = ArgReader::new(body(&values));
            for tag in order {
                let value: i32 = args.take(tag, "value").unwrap();
                assert_eq!(value, i32::from(tag) * 10);
            }
        }
    }

    #[test]
    fn in_order_needs_no_places() {
        let mut args = ArgReader::new(body(&[(1, 1), (2, 2), (3, 3)]));
        for tag in 1..=3 {
            args.take::<i32>(tag, "value").unwrap();
        }
        assert!(args.places.is_none());
    }

    #[test]
    fn faults_name_the_argument() {
        let mut args = ArgReader::new(body(&[(1, 1)]));
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
        let mut args = ArgReader::new(Bytes::from_static(&[0x10, 1, 0x2e, 0x30, 3]));
        assert_eq!(args.take::<i32>(1, "a").unwrap(), 1);
        let error = args.take::<i32>(3, "c").unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::UnknownWireType(14));
        assert_eq!(error.offset(), 2);
    }

    #[test]
    fn memory_is_counted_over_all_values() {
        let mut args = ArgReader::new(body(&[(1, 1)]));
        args.memory = 3;
        args.body = Bytes::from_static(b"\x16\x02ab\x26\x02cd");
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
        let mut args = ArgReader::new(body.clone());
        let bytes: Bytes = args.take(1, "bytes").unwrap();
        assert_eq!(bytes.as_ptr(), body[4..].as_ptr());
    }
}
