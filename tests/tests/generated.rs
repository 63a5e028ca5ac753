//! Generated types with values at random: round trips, and what must not matter to a reader: the order of fields,
//! unknown ones among them, and whether a peer's version of a struct is older or newer.

use std::fmt::Debug;

use proptest::{collection, option, prelude::*};
use tars_codec::{
    Bytes, Fields, Input, IntoOwned, Struct, StructRef, Value, decode, decode_bytes, decode_ref,
    encode, write,
};
use tars_tests::servant::tests::all_types_server::obj::classes::all_types::*;

/// In order, the bytes of a value are its own, and shared or borrowed they are the same value.
fn check<T: Struct + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let bytes = encode(value).unwrap();
    assert_eq!(&decode::<T>(&bytes).unwrap(), value);
    assert_eq!(&decode_bytes::<T>(&bytes.clone().into()).unwrap(), value);
    bytes
}

/// The same with every level of structs out of order and with unknown fields.
fn check_disorder<'a, T>(bytes: &'a [u8], changed: &'a [u8])
where
    T: StructRef<'a> + IntoOwned<T::Owned>,
    T::Owned: PartialEq + Debug,
{
    let value = decode::<T::Owned>(bytes).unwrap();
    assert_eq!(decode::<T::Owned>(changed).unwrap(), value);
    assert_eq!(decode_ref::<T>(bytes).unwrap().into_owned(), value);
    assert_eq!(decode_ref::<T>(changed).unwrap().into_owned(), value);
    // All of it can be passed over, too.
    let input = Input::new(changed);
    let mut r = input.reader();
    while let Some(head) = r.next_field().unwrap() {
        r.skip(head).unwrap();
    }
    assert!(r.is_empty());
}

/// What a peer with other rules may send.
fn written(fields: &Fields) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, |w| fields.encode(w)).unwrap();
    bytes
}

/// What turns a struct of the wire into one that must read alike.
#[derive(Debug, Clone)]
struct Changes {
    /// Where to begin: the fields before come last.
    turns: Vec<prop::sample::Index>,
    /// Under tags that no struct here has.
    unknown: Vec<(u8, Value)>,
}

fn changes() -> impl Strategy<Value = Changes> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Double),
        collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::String(bytes.into())),
        collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    let value = leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Map),
            collection::vec((any::<u8>(), inner), 0..4).prop_map(|f| Value::Struct(Fields(f))),
        ]
    });
    let turns = collection::vec(any::<prop::sample::Index>(), 1..8);
    let unknown = collection::vec((201_u8..254, value), 0..4);
    (turns, unknown).prop_map(|(turns, unknown)| Changes { turns, unknown })
}

impl Changes {
    fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut fields = Fields::decode(&Input::new(bytes)).unwrap();
        self.change(&mut fields, &mut self.turns.iter().cycle());
        written(&fields)
    }

    fn change<'c>(
        &'c self,
        Fields(fields): &mut Fields,
        turns: &mut impl Iterator<Item = &'c prop::sample::Index>,
    ) {
        for (_, value) in fields.iter_mut() {
            self.change_value(value, turns);
        }
        fields.extend(self.unknown.iter().cloned());
        if let Some(turn) = turns.next().filter(|_| !fields.is_empty()) {
            let first = turn.index(fields.len());
            fields.rotate_left(first);
        }
    }

    fn change_value<'c>(
        &'c self,
        value: &mut Value,
        turns: &mut impl Iterator<Item = &'c prop::sample::Index>,
    ) {
        match value {
            Value::Struct(fields) => self.change(fields, turns),
            Value::List(items) => items.iter_mut().for_each(|v| self.change_value(v, turns)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    self.change_value(key, turns);
                    self.change_value(value, turns);
                }
            }
            _ => {}
        }
    }
}

const TEXT: &str = ".{0,12}";

fn bytes() -> impl Strategy<Value = Bytes> {
    collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn floats() -> impl Strategy<Value = (f32, f64)> {
    (any::<f32>(), any::<f64>())
}

fn colors() -> impl Strategy<Value = Color> {
    prop_oneof![
        Just(Color::RED),
        Just(Color::BIG),
        any::<i32>().prop_map(Color)
    ]
}

fn inners() -> impl Strategy<Value = Inner> {
    (any::<i32>(), TEXT).prop_map(|(id, name)| Inner { id, name })
}

fn list<T: Strategy>(item: T) -> impl Strategy<Value = Vec<T::Value>> {
    collection::vec(item, 0..5)
}

fn map<K: Strategy, V: Strategy>(
    key: K,
    value: V,
) -> impl Strategy<Value = std::collections::BTreeMap<K::Value, V::Value>>
where
    K::Value: Ord,
{
    collection::btree_map(key, value, 0..5)
}

prop_compose! {
    fn basics()(
        (b, c, s, i, l) in any::<(bool, i8, i16, i32, i64)>(),
        (f, d) in floats(),
        str in TEXT,
        (ub, us, ui) in any::<(u8, u16, u32)>(),
        e in colors(),
    ) -> Basic {
        Basic { b, c, s, i, l, f, d, str, ub, us, ui, e }
    }
}

prop_compose! {
    fn defaults()(basic in basics(), keep in any::<u16>()) -> OptionalDefaults {
        let given = OptionalDefaults::default();
        let Basic { b, c, s, i, l, f, d, str, ub, us, ui, e } = basic;
        let set = |field: u32| keep & 1 << field == 0;
        OptionalDefaults {
            b: if set(0) { b } else { given.b },
            c: if set(1) { c } else { given.c },
            s: if set(2) { s } else { given.s },
            i: if set(3) { i } else { given.i },
            l: if set(4) { l } else { given.l },
            f: if set(5) { f } else { given.f },
            d: if set(6) { d } else { given.d },
            str: if set(7) { str } else { given.str },
            ub: if set(8) { ub } else { given.ub },
            us: if set(9) { us } else { given.us },
            ui: if set(10) { ui } else { given.ui },
            e: if set(11) { e } else { given.e },
        }
    }
}

prop_compose! {
    fn containers()(
        (bytes, shorts, ints, longs) in (bytes(), list(any::<i16>()), list(any::<i32>()), list(any::<i64>())),
        (floats, doubles, strs, inners) in (list(any::<f32>()), list(any::<f64>()), list(TEXT), list(inners())),
        (vvi, vvb) in (list(list(any::<i32>())), list(bytes())),
        (mss, mis, mli) in (map(TEXT, TEXT), map(any::<i32>(), TEXT), map(any::<i64>(), inners())),
        (msv, msm) in (map(TEXT, list(any::<i32>())), map(TEXT, map(any::<i32>(), inners()))),
        (vm, vub, vus) in (list(map(TEXT, any::<i32>())), list(any::<u8>()), list(any::<u16>())),
        (vui, colors, msb, mbb) in (list(any::<u32>()), list(colors()), map(TEXT, bytes()), map(any::<i8>(), any::<i8>())),
    ) -> Containers {
        Containers {
            bytes, shorts, ints, longs, floats, doubles, strs, inners, vvi, vvb, mss, mis, mli, msv, msm, vm, vub, vus,
            vui, colors, msb, mbb,
        }
    }
}

prop_compose! {
    fn big_tags()(
        (a, b, c, z) in any::<(i32, i32, i32, i64)>(),
        d in TEXT,
        inner in inners(),
        bytes in bytes(),
        m in map(TEXT, any::<i32>()),
    ) -> BigTags {
        BigTags { a, b, c, d, inner, bytes, m, z }
    }
}

prop_compose! {
    fn keyed()(m in map((any::<i32>(), TEXT, any::<i64>()), TEXT)) -> StructKeyMap {
        let m = m.into_iter().map(|((a, b, extra), value)| (Key2 { a, b, extra }, value));
        StructKeyMap { m: m.collect() }
    }
}

prop_compose! {
    fn arrays()(
        ai in collection::vec(any::<i32>(), 0..=4),
        ab in collection::vec(any::<u8>(), 0..=4),
        fs in "[a-z]{0,8}",
        vs in collection::vec(any::<i16>(), 0..=3),
    ) -> FixedArrays {
        FixedArrays { ai, ab: ab.into(), fs, vs }
    }
}

prop_compose! {
    fn levels()(words in list(TEXT), m2 in map(TEXT, list(TEXT)), s in TEXT) -> Level1 {
        let level2 = |words: Vec<String>| Level2 {
            l3: Level3 { s: words.concat() },
            v3: words.into_iter().map(|s| Level3 { s }).collect(),
        };
        let mut l2 = level2(words);
        l2.l3.s = s;
        Level1 { l2, m2: m2.into_iter().map(|(key, words)| (key, level2(words))).collect() }
    }
}

prop_compose! {
    fn new_inners()(
        id: i32,
        added_list in list(inners()),
        added_map in map(TEXT, bytes()),
        added_struct in inners(),
        s in option::of(TEXT),
        added_tail in any::<f64>(),
        added_big_tag in TEXT,
    ) -> InnerNew {
        let s = s.unwrap_or_else(|| InnerNew::default().s);
        InnerNew { id, added_list, added_map, added_struct, s, added_tail, added_big_tag }
    }
}

prop_compose! {
    fn new_outers()(
        inner in new_inners(),
        list in list(new_inners()),
        added in new_inners(),
        added_f in any::<f32>(),
        added_bytes in bytes(),
        tail: i32,
        added_end in TEXT,
    ) -> OuterNew {
        OuterNew { inner, list, added, added_f, added_bytes, tail, added_end }
    }
}

/// What an old reader has of a new value.
fn old(new: &OuterNew) -> OuterOld {
    let inner = |new: &InnerNew| InnerOld {
        id: new.id,
        s: new.s.clone(),
    };
    OuterOld {
        inner: inner(&new.inner),
        list: new.list.iter().map(inner).collect(),
        tail: new.tail,
    }
}

proptest! {
    #[test]
    fn basic(value in basics(), changes in changes()) {
        let bytes = check(&value);
        check_disorder::<BasicRef<'_>>(&bytes, &changes.apply(&bytes));
    }

    #[test]
    fn defaults_are_left_out(value in defaults(), changes in changes()) {
        let bytes = check(&value);
        check_disorder::<OptionalDefaultsRef<'_>>(&bytes, &changes.apply(&bytes));
        prop_assert!(encode(&OptionalDefaults::default()).unwrap().is_empty());
    }

    #[test]
    fn every_container(value in containers(), changes in changes()) {
        let bytes = check(&value);
        check_disorder::<ContainersRef<'_>>(&bytes, &changes.apply(&bytes));
    }

    #[test]
    fn tags_above_14(value in big_tags(), changes in changes()) {
        let bytes = check(&value);
        // 254 and 255 are its own; unknown ones stay below.
        check_disorder::<BigTagsRef<'_>>(&bytes, &changes.apply(&bytes));
    }

    #[test]
    fn structs_as_keys(value in keyed(), changes in changes()) {
        let bytes = check(&value);
        check_disorder::<StructKeyMapRef<'_>>(&bytes, &changes.apply(&bytes));
    }

    #[test]
    fn fixed_arrays(value in arrays(), changes in changes()) {
        let bytes = check(&value);
        check_disorder::<FixedArraysRef<'_>>(&bytes, &changes.apply(&bytes));
    }

    #[test]
    fn nested_structs(value in levels(), changes in changes()) {
        let bytes = check(&value);
        check_disorder::<Level1Ref<'_>>(&bytes, &changes.apply(&bytes));
    }

    /// A reader that knows less finds what it knows; one that knows more has defaults for the rest.
    #[test]
    fn versions_read_each_other(new in new_outers(), changes in changes()) {
        let bytes = check(&new);
        let changed = changes.apply(&bytes);
        let known = old(&new);
        for bytes in [&bytes, &changed] {
            prop_assert_eq!(&decode::<OuterOld>(bytes).unwrap(), &known);
            prop_assert_eq!(&decode_ref::<OuterOldRef<'_>>(bytes).unwrap().into_owned(), &known);
        }
        let bytes = check(&known);
        for bytes in [&bytes, &changes.apply(&bytes)] {
            let read = decode::<OuterNew>(bytes).unwrap();
            prop_assert_eq!(&old(&read), &known);
            prop_assert!(read.added_end.is_empty() && read.added == InnerNew::default());
        }
    }
}

#[test]
fn maxima_hold_both_ways() {
    let maxima = [4, 4, 8, 3];
    for (field, max) in maxima.into_iter().enumerate() {
        for (length, fits) in [(max - 1, true), (max, true), (max + 1, false)] {
            let mut lengths = maxima;
            lengths[field] = length;
            let [ai, ab, fs, vs] = lengths;
            let value = FixedArrays {
                ai: vec![1; ai],
                ab: vec![1; ab].into(),
                fs: "x".repeat(fs),
                vs: vec![1; vs],
            };
            let bytes = written(&Fields(vec![
                (0, Value::List(vec![Value::Int(1); ai])),
                (1, Value::Bytes(vec![1; ab].into())),
                // `string:8` is a list of bytes there, as in C++.
                (2, Value::Bytes("x".repeat(fs).into())),
                (3, Value::List(vec![Value::Int(1); vs])),
            ]));
            if fits {
                assert_eq!(encode(&value).unwrap(), bytes);
                assert_eq!(decode::<FixedArrays>(&bytes).unwrap(), value);
                let borrowed = decode_ref::<FixedArraysRef<'_>>(&bytes).unwrap();
                assert_eq!(borrowed.into_owned(), value);
            } else {
                assert!(encode(&value).is_err(), "{value:?}");
                assert!(decode::<FixedArrays>(&bytes).is_err(), "{value:?}");
                let borrowed = decode_ref::<FixedArraysRef<'_>>(&bytes);
                assert!(borrowed.is_err(), "{value:?}");
            }
        }
    }
}
