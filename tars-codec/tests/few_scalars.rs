//! A struct of a few scalars is read in one go if it is as most are. It is the same, or the same error, as with a decoder
//! that is not tried in one go: compared on bytes of which some were changed.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::{collection, prelude::*, sample::Index};
use tars_codec::{
    Decode, Encode, Field, Input, Limits, Reader, Struct, VecMap, WireType, Writer, encode,
};

/// The same struct twice, with and without a word of `tars2rs` that it is a few scalars.
macro_rules! twins {
    ($($name:ident: $few_scalars:literal),*) => {$(
        #[derive(Debug, Clone, Default, PartialEq)]
        struct $name {
            long: i64,
            int: i32,
            short: i16,
            byte: i8,
            flag: bool,
            ubyte: u8,
            uint: u32,
            float: f32,
            double: f64,
        }

        impl Struct for $name {
            const NAME: &'static str = "Test.Record";
            const FIELDS: &'static [Field] = &[
                Field::required::<i64>(0, "long"),
                Field::optional::<i32>(1, "int"),
                Field::required::<i16>(2, "short"),
                Field::optional::<i8>(3, "byte"),
                Field::optional::<bool>(4, "flag"),
                Field::required::<u8>(6, "ubyte"),
                Field::optional::<u32>(8, "uint"),
                Field::required::<f32>(9, "float"),
                Field::optional::<f64>(14, "double"),
            ];
            const FEW_SCALARS: bool = $few_scalars;

            fn encode_fields(&self, w: &mut Writer<'_>) {
                w.put(0, &self.long);
                w.optional(1, &self.int);
                w.put(2, &self.short);
                w.optional(3, &self.byte);
                w.optional(4, &self.flag);
                w.put(6, &self.ubyte);
                w.optional(8, &self.uint);
                w.put(9, &self.float);
                w.optional(14, &self.double);
            }

            #[inline]
            fn decode_fields(r: &mut Reader<'_>) -> Self {
                Self {
                    long: r.required(0),
                    int: r.optional(1),
                    short: r.required(2),
                    byte: r.optional(3),
                    flag: r.optional(4),
                    ubyte: r.required(6),
                    uint: r.optional(8),
                    float: r.required(9),
                    double: r.optional_or(14, 0.0),
                }
            }
        }
    )*};
}

twins!(Tried: true, Plain: false);

/// Records in all places where they can be, and something behind them.
#[derive(Debug, Clone, PartialEq)]
struct Holder<T> {
    one: T,
    list: Vec<T>,
    map: BTreeMap<String, T>,
    sorted: VecMap<i32, T>,
    maybe: T,
    last: String,
}

impl<T> Struct for Holder<T>
where
    T: Struct + Default + Encode + Decode + tars_codec::Typed,
{
    const NAME: &'static str = "Test.Holder";
    const FIELDS: &'static [Field] = &[
        Field::required::<T>(0, "one"),
        Field::required::<Vec<T>>(1, "list"),
        Field::required::<BTreeMap<String, T>>(2, "map"),
        Field::required::<VecMap<i32, T>>(3, "sorted"),
        Field::optional::<T>(4, "maybe"),
        Field::optional::<String>(5, "last"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &self.one);
        w.put(1, &self.list);
        w.put(2, &self.map);
        w.put(3, &self.sorted);
        w.put(4, &self.maybe);
        w.put(5, &self.last);
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            one: r.required(0),
            list: r.required(1),
            map: r.required(2),
            sorted: r.required(3),
            maybe: r.optional(4),
            last: r.optional(5),
        }
    }
}

fn records() -> impl Strategy<Value = Tried> {
    let narrow = (any::<i16>(), any::<i8>(), any::<bool>(), any::<u8>());
    let wide = (any::<i64>(), 0_u32..64, any::<i32>(), any::<u32>());
    (narrow, wide, any::<f32>(), any::<f64>()).prop_map(|(narrow, wide, float, double)| Tried {
        long: wide.0 >> wide.1,
        int: wide.2 >> (wide.1 % 32),
        uint: wide.3 >> (wide.1 % 32),
        short: narrow.0,
        byte: narrow.1,
        flag: narrow.2,
        ubyte: narrow.3,
        float,
        double,
    })
}

fn holders() -> impl Strategy<Value = Holder<Tried>> {
    (
        records(),
        collection::vec(records(), 0..4),
        collection::btree_map("[a-zé]{0,9}", records(), 0..4),
        collection::vec((any::<i32>(), records()), 0..4),
        records(),
        "[a-z]{0,40}",
    )
        .prop_map(|(one, list, map, sorted, maybe, last)| Holder {
            one,
            list,
            map,
            sorted: sorted.into_iter().collect(),
            maybe,
            last,
        })
}

/// A change of the bytes at a place.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    Set(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
}

fn changes() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    // Heads that matter: ends of structs, unknown fields, wider integers.
    let part = prop_oneof![
        Just(vec![WireType::StructEnd as u8]),
        Just(vec![0x50, 7]),
        Just(vec![0xf6, 0x28, 1, 0x41]),
        Just(vec![0x03, 0, 0, 0, 0, 0, 0, 0, 9]),
        collection::vec(any::<u8>(), 1..4),
    ];
    prop_oneof![
        (place(), 0_u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        place().prop_map(Change::Cut),
        (place(), part).prop_map(|(at, part)| Change::Insert(at, part)),
        (place(), place()).prop_map(|(from, to)| Change::Remove(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let at = |index: &Index, bytes: &Vec<u8>| index.index(bytes.len() + 1);
    match change {
        Change::Flip(index, bit) => {
            let at = at(index, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        Change::Set(index, value) => {
            let at = at(index, bytes);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *value;
            }
        }
        Change::Cut(index) => bytes.truncate(at(index, bytes)),
        Change::Insert(index, part) => {
            let at = at(index, bytes);
            bytes.splice(at..at, part.iter().copied());
        }
        Change::Remove(from, to) => {
            let (from, to) = (at(from, bytes), at(to, bytes));
            bytes.drain(from.min(to)..from.max(to));
        }
    }
}

/// The value as text, which tells NaN from NaN and 0 from -0; or what is wrong, with its place.
fn outcome<T: Struct + Debug>(bytes: &[u8], limits: Limits) -> String {
    let input = Input::new(bytes).with_limits(limits);
    match tars_codec::decode_with::<T>(&input) {
        Ok(value) => format!("{value:?}").replace("Tried", "Plain"),
        Err(error) => format!("{error}: {:?} at {}", error.kind(), error.offset()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn in_one_go_or_not_it_is_the_same(
        holder in holders(),
        changes in collection::vec(changes(), 0..3),
        depth in 1_u16..5,
    ) {
        let mut bytes = encode(&holder).unwrap();
        for change in &changes {
            apply(&mut bytes, change);
        }
        let limits = Limits::DEFAULT.with_depth(depth);
        prop_assert_eq!(
            outcome::<Holder<Tried>>(&bytes, limits),
            outcome::<Holder<Plain>>(&bytes, limits)
        );
    }
}

/// With every number of bytes behind it, also fewer than the struct can take.
#[test]
fn near_the_end_of_the_bytes() {
    for behind in 0..64 {
        let holder = Holder {
            one: Tried::default(),
            list: vec![
                Tried {
                    long: -1,
                    ..Tried::default()
                };
                3
            ],
            map: BTreeMap::new(),
            sorted: VecMap::new(),
            maybe: Tried {
                int: i32::MIN,
                ..Tried::default()
            },
            last: "x".repeat(behind),
        };
        let bytes = encode(&holder).unwrap();
        assert_eq!(tars_codec::decode::<Holder<Tried>>(&bytes).unwrap(), holder);
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            assert_eq!(
                outcome::<Holder<Tried>>(cut, Limits::DEFAULT),
                outcome::<Holder<Plain>>(cut, Limits::DEFAULT)
            );
        }
    }
}
