//! The error that a reader keeps until the end of its struct, whatever a decoder that a person wrote does meanwhile.

use std::fmt::Debug;

use tars_codec::{
    Decode, Encode, ErrorKind, Field, Input, Reader, Result, Struct, Type, Typed, WireType, Writer,
    decode, decode_ref,
};

macro_rules! decoders {
    ($($name:ident { $($field:ident: $ty:ty = $tag:literal),* } $r:ident => $body:expr;)*) => {$(
        #[derive(Debug, Default, PartialEq)]
        struct $name { $($field: $ty),* }

        impl Struct for $name {
            const NAME: &'static str = concat!("Test.", stringify!($name));
            const FIELDS: &'static [Field] = &[$(Field::required::<$ty>($tag, stringify!($field))),*];

            fn encode_fields(&self, _: &mut Writer<'_>) {}

            fn decode_fields($r: &mut Reader<'_>) -> Self {
                $body
            }
        }
    )*};
}

decoders! {
    Plain { a: i32 = 0, b: String = 1 } r => Self { a: r.required(0), b: r.required(1) };
    // A copy of the reader looks for what is further behind.
    Ahead { id: i32 = 0, version: i32 = 9 } r => {
        let mut ahead = *r;
        let version = ahead.required(9);
        Self { id: r.required(0), version }
    };
    // A copy of the reader tries a type.
    Probes { n: i32 = 0 } r => {
        let mut probe = *r;
        let n = probe.required(0);
        let _: String = r.required(0);
        Self { n }
    };
    // The error is seen, and not given on.
    Checks { a: i32 = 0, b: String = 1 } r => {
        let a = r.required(0);
        match r.check() {
            Ok(()) => Self { a, b: r.required(1) },
            Err(_) => Self::default(),
        }
    };
    AheadAndPlain { x: Ahead = 0, y: Plain = 1 } r => Self { x: r.required(0), y: r.required(1) };
    ProbesAndPlain { x: Probes = 0, y: Plain = 1 } r => Self { x: r.required(0), y: r.required(1) };
    Replaces { x: Replacing = 0, text: String = 1 } r => Self { x: r.required(0), text: r.required(1) };
}

/// Puts another reader in the place of the one it is given.
#[derive(Debug, Default, PartialEq)]
struct Replacing;

static OTHER: &[u8] = &[0; 100];

impl Decode for Replacing {
    fn decode(r: &mut Reader<'_>, _: WireType) -> Result<Self> {
        let input: &'static Input<'static> = Box::leak(Box::new(Input::new(OTHER)));
        *r = input.reader();
        Ok(Self)
    }
}

impl Encode for Replacing {
    fn encode(&self, _: &mut Writer<'_>, _: u8) {}
}

impl Typed for Replacing {
    const TYPE: &'static Type = &Type::Int;
}

/// The error of a struct in field 0.
#[track_caller]
fn nested<T: Struct + Debug>(bytes: &[u8]) -> String {
    let input = Input::new(bytes);
    input.reader().next_if::<T>(0).unwrap_err().to_string()
}

#[track_caller]
fn top<T: Struct + Debug>(bytes: &[u8]) -> String {
    decode::<T>(bytes).unwrap_err().to_string()
}

/// `x` of this, then a good `Plain` with an unknown field behind it, which is what takes its end out of line.
fn beside_plain(x: &[u8]) -> Vec<u8> {
    let plain = [0x1a, 0x00, 1, 0x16, 1, b'b', 0x70, 1, 0x0b];
    [&[0x0a], x, &[0x0b], &plain].concat()
}

#[test]
fn of_a_copy_of_the_reader() {
    let no_version: &[u8] = &[0x00, 5];
    let missing = top::<Ahead>(no_version);
    assert!(
        missing.contains("version") && missing.contains("missing"),
        "{missing}"
    );
    let inside = nested::<Ahead>(&[&[0x0a], no_version, &[0x0b]].concat());
    assert!(inside.contains("Test.Ahead.version"), "{inside}");
    let beside = top::<AheadAndPlain>(&beside_plain(no_version));
    assert!(
        beside.contains("Test.AheadAndPlain.x") && beside.contains("version"),
        "{beside}"
    );

    let text: &[u8] = &[0x06, 1, b'x'];
    let inside = nested::<Probes>(&[&[0x0a], text, &[0x0b]].concat());
    assert!(inside.contains("Test.Probes.n"), "{inside}");
    let beside = top::<ProbesAndPlain>(&beside_plain(text));
    assert!(beside.contains("Test.ProbesAndPlain.x"), "{beside}");
}

#[test]
fn that_the_decoder_has_looked_at() {
    let text = [0x06, 1, b'x', 0x16, 1, b'b'];
    let expected = top::<Plain>(&text);
    assert_eq!(top::<Checks>(&text), expected.replace("Plain", "Checks"));
    let inside = nested::<Checks>(&[&[0x0a], &text[..], &[0x0b]].concat());
    assert!(inside.contains("Test.Checks.a"), "{inside}");
}

#[test]
fn is_still_there_for_who_reads_on() {
    let bytes = [0x06, 1, b'x', 0x10, 7];
    let input = Input::new(&bytes);
    let mut r = input.reader();
    let mut other = r;
    assert_eq!(r.required::<i32>(0), 0);
    let error = r.check().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TypeMismatch { .. }));
    for r in [&mut r, &mut other] {
        assert_eq!(r.next_if::<i32>(1).unwrap_err(), error);
    }
    assert_eq!(r.next_field().unwrap_err(), error);
    // It comes to its end.
    for _ in 0..2 {
        assert_eq!(other.required::<i32>(3), 0);
    }
    assert!(other.is_empty());
    assert_eq!(input.reader().check().unwrap_err(), error);
}

#[test]
fn is_not_lost_with_a_reader_that_is_replaced() {
    let bytes = [0x00, 1, 0x16, 1, b'a'];
    let errors = [
        decode::<Replaces>(&bytes).unwrap_err(),
        decode_ref::<Replaces>(&bytes).unwrap_err(),
        Input::new(&[&[0x0a], &bytes[..], &[0x0b]].concat())
            .reader()
            .next_if::<Replaces>(0)
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(*error.kind(), ErrorKind::BrokenReader, "{error}");
    }
}
