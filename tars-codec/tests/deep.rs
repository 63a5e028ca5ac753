//! The deepest value that the limits allow fits on the stack of a thread, also of a struct with many fields and without
//! an optimizer.

use std::thread;

use tars_codec::{ErrorKind, Field, Reader, Struct, Writer, decode, encode};

macro_rules! wide {
    ($($field:ident $tag:literal)*) => {
        #[derive(Debug, Default, Clone, PartialEq)]
        struct Wide {
            inner: Vec<Self>,
            $($field: i32,)*
        }

        impl Struct for Wide {
            const NAME: &'static str = "Deep.Wide";
            const FIELDS: &'static [Field] = &[
                Field::required::<Vec<i32>>(0, "inner"),
                $(Field::optional::<i32>($tag, stringify!($field)),)*
            ];

            fn encode_fields(&self, w: &mut Writer<'_>) {
                w.put(0, &self.inner);
                $(w.optional($tag, &self.$field);)*
            }

            fn decode_fields(r: &mut Reader<'_>) -> Self {
                Self {
                    inner: r.required(0),
                    $($field: r.optional($tag),)*
                }
            }
        }
    };
}

wide! {
    n1 1 n2 2 n3 3 n4 4 n5 5 n6 6 n7 7 n8 8 n9 9 n10 10 n11 11 n12 12 n13 13 n14 14 n15 15 n16 16
    n17 17 n18 18 n19 19 n20 20 n21 21 n22 22 n23 23 n24 24 n25 25 n26 26 n27 27 n28 28 n29 29 n30 30 n31 31 n32 32
}

/// The fields by ascending tag, as every known writer sends them, or the list last.
fn nested(levels: usize, ascending: bool) -> (Vec<u8>, Wide) {
    let value = |inner| Wide {
        n32: 7,
        inner,
        ..Wide::default()
    };
    let field: &[u8] = &[0xf0, 32, 7];
    let mut bytes = [&[0x09, 0x0c], field].concat();
    let mut wide = value(vec![]);
    for _ in 0..levels {
        let list = [&[0x09, 0x00, 1, 0x0a], &bytes[..], &[0x0b]].concat();
        bytes = if ascending {
            [&list, field].concat()
        } else {
            [field, &list].concat()
        };
        wide = value(vec![wide]);
    }
    (bytes, wide)
}

#[test]
fn the_deepest_value_fits_on_a_small_stack() {
    let run = || {
        for ascending in [true, false] {
            let (bytes, deepest) = nested(31, ascending);
            assert_eq!(decode::<Wide>(&bytes).unwrap(), deepest);
            if ascending {
                assert_eq!(encode(&deepest).unwrap(), bytes);
            }
            let error = decode::<Wide>(&nested(32, ascending).0).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::TooDeep { max: 64 });
        }
    };
    let small = thread::Builder::new().stack_size(512 << 10);
    small.spawn(run).unwrap().join().unwrap();
}
