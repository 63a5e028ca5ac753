//! An `Encode` of the caller's may do what safe code can, such as panic. It must not reach memory that is not the
//! writer's. (Under valgrind, a write to freed memory fails this test.)

use std::panic::{AssertUnwindSafe, catch_unwind};

use tars_codec::{Encode, ErrorKind, Field, InlineStr, Reader, Struct, Writer, write};

/// Makes the buffer grow, then panics.
struct Panics;

impl Encode for Panics {
    fn encode(&self, w: &mut Writer<'_>, tag: u8) {
        w.put(tag, &"x".repeat(100_000));
        panic!("on purpose");
    }
}

#[test]
fn a_writer_whose_value_panicked_writes_no_more() {
    let mut buf = vec![1, 2, 3];
    let put =
        |w: &mut Writer<'_>| catch_unwind(AssertUnwindSafe(|| w.put(1, &vec![Panics]))).is_err();
    let written = write(&mut buf, |w| {
        w.put(0, &7);
        assert!(put(w));
        assert!(put(w), "a second value is refused");
        assert_eq!(w.len(), 0);
    });
    assert_eq!(written.unwrap_err().kind(), &ErrorKind::BrokenWriter);
    assert_eq!(buf, [1, 2, 3]);
}

#[test]
fn what_was_written_before_a_panic_is_not_there() {
    let mut buf = vec![1, 2, 3];
    let panics = AssertUnwindSafe(|| {
        write(&mut buf, |w| {
            w.put(0, "text");
            w.fail(ErrorKind::Missing);
            Panics.encode(w, 1);
        })
    });
    assert!(catch_unwind(panics).is_err());
    assert_eq!(buf, [1, 2, 3]);
}

/// Says that it has one number, for which room is made, and writes strings.
struct Understated;

impl Struct for Understated {
    const NAME: &'static str = "Misuse.Understated";
    const FIELDS: &'static [Field] = &[Field::required::<i32>(0, "number")];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        for tag in 0..8 {
            w.put(tag, &InlineStr::from("short"));
            w.put(tag, &InlineStr::from("longer than what fits"));
            w.put(tag, "text");
        }
    }

    fn decode_fields(_: &mut Reader<'_>) -> Self {
        Self
    }
}

#[test]
fn a_struct_that_says_less_than_it_writes_writes_it() {
    let mut buf = Vec::with_capacity(8);
    write(&mut buf, |w| w.put(0, &vec![Understated, Understated])).unwrap();
    let expected: usize = 8 * (2 + 5 + 2 + 21 + 2 + 4) + 2;
    assert_eq!(buf.len(), 3 + 2 * expected);
}
