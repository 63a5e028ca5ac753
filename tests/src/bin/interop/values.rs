//! Values at the edges of their types, which every client sends.

use std::collections::BTreeMap;

use example_server::servant::php_test::php_server::obj::classes::testtafserviceservant::{
    ComplicatedStruct, LotofTags, SimpleStruct,
};
use tars_rpc::codec::Bytes;
use tars_tests::servant::tests::all_types_server::obj::classes::all_types::{
    Basic, Color, Containers, Inner,
};

/// Not ASCII, escaped in JSON, with a character outside of the first Unicode plane and a NUL.
pub(crate) const TEXT: &str = "h\u{e9}llo \u{4e16}\u{754c} \u{1f600}\n\"\\\0";

pub(crate) fn smallest() -> SimpleStruct {
    SimpleStruct {
        id: i64::MIN,
        count: i32::MAX,
        page: i16::MIN,
    }
}

/// The record whose fields are all left out, an ordinary one, and those with the extreme values.
pub(crate) fn records() -> Vec<SimpleStruct> {
    let largest = SimpleStruct {
        id: i64::MAX,
        count: i32::MIN,
        page: i16::MAX,
    };
    let ordinary = SimpleStruct {
        id: 255,
        count: 32768,
        page: -129,
    };
    vec![SimpleStruct::default(), ordinary, smallest(), largest]
}

pub(crate) fn strings() -> BTreeMap<String, String> {
    let entries = [("", ""), ("key", TEXT), ("\u{952e}", "value")];
    entries.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

pub(crate) fn complicated() -> ComplicatedStruct {
    ComplicatedStruct {
        ss: records(),
        rs: smallest(),
        mss: BTreeMap::from([
            (String::new(), smallest()),
            (TEXT.to_owned(), SimpleStruct::default()),
        ]),
        str: TEXT.to_owned(),
    }
}

pub(crate) fn tags() -> LotofTags {
    LotofTags {
        id: i64::MAX,
        count: i32::MIN,
        page: -1,
        str: TEXT.to_owned(),
        ss: records(),
        rs: smallest(),
        mss: complicated().mss,
    }
}

/// With a value of the enum that the IDL does not name.
pub(crate) fn basic() -> Basic {
    Basic {
        b: true,
        c: i8::MIN,
        s: i16::MIN,
        i: i32::MIN,
        l: i64::MIN,
        f: 1.5,
        d: -1e300,
        str: TEXT.to_owned(),
        ub: u8::MAX,
        us: u16::MAX,
        ui: u32::MAX,
        e: Color(4711),
    }
}

pub(crate) fn bytes() -> Bytes {
    (0..=u8::MAX).collect()
}

pub(crate) fn containers() -> Containers {
    let inner = |id, name: &str| Inner {
        id,
        name: name.to_owned(),
    };
    let s = str::to_owned;
    Containers {
        bytes: bytes(),
        shorts: vec![0, -1, i16::MIN, i16::MAX],
        ints: vec![0, -1, i32::MIN, i32::MAX, 127, 128],
        longs: vec![0, -1, i64::MIN, i64::MAX],
        floats: vec![0.0, -1.5, 0.25],
        doubles: vec![0.0, 1e300, -1e-300],
        strs: vec![s(""), s(TEXT), "x".repeat(300)],
        inners: vec![inner(1, "one"), inner(-1, "")],
        vvi: vec![vec![], vec![1, 2], vec![-3]],
        vvb: vec![Bytes::new(), bytes()],
        mss: strings(),
        mis: BTreeMap::from([(i32::MIN, s("min")), (0, s("")), (7, s(TEXT))]),
        mli: BTreeMap::from([(i64::MAX, inner(2, "two")), (-1, inner(0, ""))]),
        msv: BTreeMap::from([(s(""), vec![]), (s("k"), vec![1, -2])]),
        msm: BTreeMap::from([(s("m"), BTreeMap::from([(-5, inner(5, TEXT))]))]),
        vm: vec![BTreeMap::new(), BTreeMap::from([(s("a"), 1)])],
        vub: vec![0, 127, 128, 255],
        vus: vec![0, 32767, 32768, 65535],
        vui: vec![0, 1 << 31, u32::MAX],
        colors: vec![Color::RED, Color::NEG, Color::BIG, Color(4711)],
        msb: BTreeMap::from([(s("b"), bytes()), (s("empty"), Bytes::new())]),
        mbb: BTreeMap::from([(-128, 127), (0, 0)]),
    }
}
