//! TUP bodies against those of Tars.js.

use std::collections::BTreeMap;

use tars_codec::{
    Bytes, Encode, Field, Reader, Struct, TupReader, TupWriter, Typed, Writer, write,
};

/// `testtafserviceservant.SimpleStruct`, as far as it matters here.
struct SimpleStruct;

impl Struct for SimpleStruct {
    const NAME: &'static str = "testtafserviceservant.SimpleStruct";
    const FIELDS: &'static [Field] = &[
        Field::required::<i64>(0, "id"),
        Field::required::<i32>(1, "count"),
        Field::required::<i16>(2, "page"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &1_i64);
        w.put(1, &2_i32);
        w.put(2, &3_i16);
    }

    fn decode_fields(_: &mut Reader<'_>) -> Self {
        Self
    }
}

/// Written by `UniAttribute` of `@tars/stream` 2.0 with version 2: a value of each of its types.
const TARS_JS: &str = "\
    08000f0601611800010604626f6f6c1d00000200010601621800010605696e7433321d000002000706026279180001060a\
    6c6973743c636861723e1d0000070d0000030102ff0601631800010606737472696e671d00000506037465640602633818\
    00010604636861721d00000200010601641800010606646f75626c651d000009053ff800000000000006016c1800010605\
    696e7436341d000002000106026c73180001060c4c6973743c737472696e673e1d00000609000106017806036c73741800\
    0106284c6973743c746573747461667365727669636573657276616e742e53696d706c655374727563743e1d00000b0900\
    010a0001100220030b06016d18000106126d61703c737472696e672c737472696e673e1d00000908000106016b16017606\
    026d3218000106176d61703c737472696e672c4c6973743c696e7433323e3e1d00000b08000106016b1900010005060273\
    741800010622746573747461667365727669636573657276616e742e53696d706c655374727563741d0000080a00011002\
    20030b06037531361800010605696e7433321d000002000106037533321800010605696e7436341d000002000106027538\
    180001060573686f72741d0000020001";

fn put<T: Encode + Typed + ?Sized>(body: &mut TupWriter, name: &str, value: &T) {
    body.put(name, value).unwrap();
}

fn fill(body: &mut TupWriter) {
    put(body, "a", &true);
    put(body, "b", &7_i32);
    put(body, "by", &Bytes::from_static(&[1, 2, 255]));
    put(body, "c", "ted");
    put(body, "c8", &1_i8);
    put(body, "d", &1.5_f64);
    put(body, "l", &1_i64);
    put(body, "ls", &vec!["x".to_owned()]);
    put(body, "lst", &vec![SimpleStruct]);
    put(
        body,
        "m",
        &BTreeMap::from([("k".to_owned(), "v".to_owned())]),
    );
    put(body, "m2", &BTreeMap::from([("k".to_owned(), vec![5_i32])]));
    put(body, "st", &SimpleStruct);
    put(body, "u16", &1_u16);
    put(body, "u32", &1_u32);
    put(body, "u8", &1_u8);
}

#[test]
fn complex_bodies_are_those_of_tars_js() {
    let mut body = TupWriter::complex();
    fill(&mut body);
    let bytes = body.finish().unwrap();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, TARS_JS);
}

#[test]
fn both_forms_have_the_same_values() {
    for complex in [true, false] {
        let mut body = if complex {
            TupWriter::complex()
        } else {
            TupWriter::new()
        };
        fill(&mut body);
        let bytes = body.finish().unwrap().into();
        let values = if complex {
            TupReader::complex(&bytes).unwrap()
        } else {
            TupReader::new(&bytes).unwrap()
        };
        assert_eq!(values.get("b").unwrap(), Some(7_i32));
        assert_eq!(
            values.get("by").unwrap(),
            Some(Bytes::from_static(&[1, 2, 255]))
        );
        assert_eq!(values.get::<i32>("z").unwrap(), None);
        values.get::<String>("b").unwrap_err();
        // The one form is no body of the other.
        let other = if complex {
            TupReader::new(&bytes)
        } else {
            TupReader::complex(&bytes)
        };
        other.unwrap_err();
    }
}

/// An entry without a value, an unknown name of a type, and no body at all.
#[test]
fn complex_bodies_are_read_whatever_the_types_are_called() {
    let body: BTreeMap<String, BTreeMap<String, Bytes>> = BTreeMap::from([
        ("none".to_owned(), BTreeMap::new()),
        (
            "odd".to_owned(),
            BTreeMap::from([(
                "java.lang.Integer".to_owned(),
                Bytes::from_static(&[0x00, 7]),
            )]),
        ),
    ]);
    let mut bytes = Vec::new();
    write(&mut bytes, |w| w.put(0, &body)).unwrap();
    let values = TupReader::complex(&bytes.into()).unwrap();
    assert_eq!(values.get::<i32>("odd").unwrap(), Some(7));
    assert_eq!(values.get::<i32>("none").unwrap(), None);
    assert!(TupReader::complex(&Bytes::new()).unwrap().is_empty());
}
