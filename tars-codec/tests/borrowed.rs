//! Values that borrow: the same as those that own, within the bytes, for as long as the bytes live.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    ptr,
    sync::{Arc, Mutex},
};

use proptest::{collection, prelude::*};
use tars_codec::{
    Bytes, Cursor, Decode, DecodeRef, ErrorKind, Field, InlineStr, Input, IntoOwned, Limits,
    ListRef, MapRef, Reader, Result, Struct, StructRef, VecMap, WireType, Writer, decode,
    decode_ref, decode_ref_with, encode, write,
};

#[derive(Debug, Clone, PartialEq, Default)]
struct Book {
    id: i32,
    title: String,
    cover: Bytes,
    words: Vec<String>,
    stock: BTreeMap<String, Vec<i64>>,
    sequels: Vec<Self>,
}

impl Struct for Book {
    const NAME: &'static str = "Shop.Book";
    const FIELDS: &'static [Field] = &[
        Field::required::<i32>(0, "id"),
        Field::required::<String>(1, "title"),
        Field::optional::<Bytes>(2, "cover"),
        Field::optional::<Vec<String>>(3, "words"),
        Field::optional::<BTreeMap<String, Vec<i64>>>(4, "stock"),
        Field::optional::<Vec<Self>>(20, "sequels"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &self.id);
        w.put(1, &self.title);
        w.put(2, &self.cover);
        w.put(3, &self.words);
        w.put(4, &self.stock);
        w.put(20, &self.sequels);
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            id: r.required(0),
            title: r.required(1),
            cover: r.optional(2),
            words: r.optional(3),
            stock: r.optional(4),
            sequels: r.optional(20),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
struct BookRef<'a> {
    id: i32,
    title: &'a str,
    cover: Cow<'a, [u8]>,
    words: ListRef<'a, &'a str>,
    stock: MapRef<'a, &'a str, ListRef<'a, i64>>,
    sequels: ListRef<'a, Self>,
}

impl<'a> StructRef<'a> for BookRef<'a> {
    type Owned = Book;

    fn decode_fields_ref(r: &mut Cursor<'_, 'a>) -> Self {
        Self {
            id: r.required_ref(0),
            title: r.required_ref(1),
            cover: r.optional_ref(2),
            words: r.optional_ref(3),
            stock: r.optional_ref(4),
            sequels: r.optional_ref(20),
        }
    }
}

impl IntoOwned<Book> for BookRef<'_> {
    fn into_owned(self) -> Book {
        Book {
            id: self.id,
            title: self.title.into_owned(),
            cover: IntoOwned::into_owned(self.cover),
            words: self.words.into_owned(),
            stock: self.stock.into_owned(),
            sequels: self.sequels.into_owned(),
        }
    }
}

fn sample() -> Book {
    Book {
        id: 7,
        title: "Emma".to_owned(),
        cover: Bytes::from_static(&[0xff, 0, 1]),
        words: vec!["a".to_owned(), String::new()],
        stock: [("Bath".to_owned(), vec![1, 300])].into(),
        sequels: vec![Book {
            title: "\u{417}\u{43c}\u{430}".to_owned(),
            ..Book::default()
        }],
    }
}

#[test]
fn text_and_bytes_are_those_of_the_input_and_outlive_it() {
    let bytes = encode(&sample()).unwrap();
    let book: BookRef<'_> = {
        let input = Input::new(&bytes).with_limits(Limits::DEFAULT);
        decode_ref_with(&input).unwrap()
    };
    let within = bytes.as_ptr_range();
    assert!(within.contains(&book.title.as_ptr()));
    assert!(within.contains(&book.cover.as_ptr()));
    assert!(within.contains(&book.words.iter().next().unwrap().as_ptr()));
    assert!(within.contains(&book.sequels.iter().next().unwrap().title.as_ptr()));
    assert!(book.stock.get("Bath").unwrap().iter().eq([1, 300]));
    assert_eq!(book.into_owned(), sample());
}

#[test]
fn fields_in_any_order_and_unknown_ones() {
    let mut wire = Vec::new();
    write(&mut wire, |w| {
        w.put(4, &sample().stock);
        w.put(9, "unknown");
        w.put(1, "Emma");
        w.put(1, "the first counts");
        w.put(0, &3);
    })
    .unwrap();
    let book: BookRef<'_> = decode_ref(&wire).unwrap();
    assert_eq!((book.id, book.title, book.stock.len()), (3, "Emma", 1));
    assert_eq!(book.into_owned(), decode(&wire).unwrap());
}

#[test]
fn a_list_of_bytes_is_copied() {
    let mut wire = Vec::new();
    write(&mut wire, |w| {
        w.put(0, &3);
        w.put(1, "t");
        w.put(2, &vec![-1_i8, 0, 5]);
    })
    .unwrap();
    let book: BookRef<'_> = decode_ref(&wire).unwrap();
    assert_eq!(book.cover, Cow::<[u8]>::Owned(vec![0xff, 0, 5]));
    assert!(matches!(book.cover, Cow::Owned(_)));
    assert_eq!(book.into_owned(), decode(&wire).unwrap());
}

#[test]
fn errors_are_those_of_the_owned_form() {
    let bytes = encode(&sample()).unwrap();
    for len in 0..bytes.len() {
        let owned = decode::<Book>(&bytes[..len]).map_err(|e| e.to_string());
        let borrowed = decode_ref::<BookRef<'_>>(&bytes[..len]).map_err(|e| e.to_string());
        assert_eq!(borrowed.map(IntoOwned::into_owned), owned, "{len} bytes");
    }
    let error = decode_ref::<BookRef<'_>>(&[0x00, 1, 0x16, 1, 0xff]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Shop.Book.title (tag 1): the string is not UTF-8 at byte 4"
    );
}

#[test]
fn limits_hold() {
    let bytes = encode(&sample()).unwrap();
    let kind = |limits: Limits| {
        let input = Input::new(&bytes).with_limits(limits);
        let result = decode_ref_with::<BookRef<'_>>(&input);
        result.map_err(|error| error.kind().clone()).err()
    };
    assert_eq!(kind(Limits::DEFAULT.with_depth(3)), None);
    let too_deep = kind(Limits::DEFAULT.with_depth(2));
    assert_eq!(too_deep, Some(ErrorKind::TooDeep { max: 2 }));
    assert_eq!(kind(Limits::DEFAULT.with_string(6)), None);
    let too_long = kind(Limits::DEFAULT.with_string(5));
    assert!(matches!(too_long, Some(ErrorKind::TooLong { .. })));
    assert_eq!(kind(Limits::DEFAULT.with_count(2)), None);
    let too_many = kind(Limits::DEFAULT.with_count(1));
    assert!(matches!(too_many, Some(ErrorKind::TooLong { .. })));
    let costly = kind(Limits::DEFAULT.with_memory(100));
    assert!(matches!(costly, Some(ErrorKind::OutOfBudget { .. })));
}

/// A type that does what it must not: its reader goes on in other bytes.
#[derive(Debug, Default)]
struct Broken;

impl Decode for Broken {
    fn decode(r: &mut Reader<'_>, _: WireType) -> Result<Self> {
        static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new()); // a leak checker finds it there
        let input: &'static Input<'static> = Box::leak(Box::new(Input::new(&[0; 1000])));
        KEPT.lock().unwrap().push(ptr::from_ref(input).addr());
        *r = input.reader();
        Ok(Self)
    }
}

impl DecodeRef<'_> for Broken {
    fn decode_ref(r: &mut Cursor<'_, '_>, ty: WireType) -> Result<Self> {
        r.owned(ty)
    }
}

#[test]
fn a_reader_that_was_replaced_is_an_error() {
    let input = Input::new(&[0x00, 1, 0x16, 1, b'a']);
    let mut r = input.cursor();
    r.required_ref::<Broken>(0);
    let error = r.check().unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::BrokenReader);
}

#[test]
fn every_owned_form() {
    let shared: Arc<str> = "a".into_owned();
    assert_eq!(&*shared, "a");
    let mut wire = Vec::new();
    write(&mut wire, |w| {
        w.put(0, &BTreeMap::from([("k".to_owned(), Bytes::from("v"))]));
    })
    .unwrap();
    let input = Input::new(&wire);
    let map: MapRef<'_, &str, Cow<'_, [u8]>> = input.cursor().required_ref(0);
    let hash: HashMap<String, Bytes> = map.into_owned();
    assert_eq!(hash["k"], "v");
    let sorted: VecMap<Arc<str>, Bytes> = map.into_owned();
    assert_eq!(sorted["k"], "v");
    let inline: VecMap<InlineStr, Bytes> = map.into_owned();
    assert_eq!(inline["k"], "v");
    let tree: BTreeMap<String, Vec<u8>> = map.into_owned();
    assert_eq!(tree["k"], b"v");
}

/// A list and a map of these bytes, which are their head and what follows.
fn value<'a, T: DecodeRef<'a> + Default>(bytes: &'a [u8]) -> Result<T> {
    let input = Input::new(bytes);
    let mut r = input.cursor();
    let value = r.required_ref(0);
    r.check().map(|()| value)
}

#[test]
fn a_list_is_read_as_often_as_it_is_looked_at() {
    let list: ListRef<'_, i32> = value(&[0x09, 0, 3, 0, 7, 0x0c, 1, 1, 0]).unwrap();
    assert_eq!((list.len(), list.is_empty()), (3, false));
    assert_eq!(list, [7, 0, 256]);
    assert_eq!(list, vec![7, 0, 256]);
    assert_ne!(list, [7, 0]);
    assert_ne!(list, [7, 0, 257]);
    assert_eq!(list.first(), Some(7));
    assert_eq!(list.into_iter().len(), 3);
    let mut begun = list.iter();
    assert_eq!((begun.next(), begun.len()), (Some(7), 2));
    assert!(begun.clone().eq([0, 256]));
    assert_eq!(begun.by_ref().last(), Some(256));
    assert_eq!((begun.next(), begun.len()), (None, 0));
    assert_eq!(format!("{list:?}"), "[7, 0, 256]");
    // The same numbers in a wider form.
    let wide = [0x09, 0, 3, 0x01, 0, 7, 0x0c, 0x02, 0, 0, 1, 0];
    assert_eq!(value::<ListRef<'_, i32>>(&wide).unwrap(), list);
    assert_ne!(ListRef::default(), list);
    assert!(ListRef::<i32>::default().is_empty());
}

#[test]
fn a_map_has_the_order_of_the_wire_and_the_first_of_equal_keys() {
    // {2: 1, 1: 2, 2: 3}
    let wire = [0x08, 0, 3, 0, 2, 0x10, 1, 0, 1, 0x10, 2, 0, 2, 0x10, 3];
    let map: MapRef<'_, i32, i32> = value(&wire).unwrap();
    assert_eq!((map.len(), map.is_empty()), (3, false));
    assert_eq!(map.iter().collect::<Vec<_>>(), [(2, 1), (1, 2), (2, 3)]);
    assert!(map.keys().eq([2, 1, 2]) && map.values().eq([1, 2, 3]));
    assert_eq!((map.get(&2), map.get(&3)), (Some(1), None));
    assert_eq!((map.contains_key(&1), map.contains_key(&3)), (true, false));
    assert_eq!(format!("{map:?}"), "{2: 1, 1: 2, 2: 3}");
    let owned = BTreeMap::from([(1, 2), (2, 1)]);
    assert_eq!(IntoOwned::<BTreeMap<i32, i32>>::into_owned(map), owned);
    assert_eq!(
        IntoOwned::<VecMap<i32, i32>>::into_owned(map),
        owned.clone().into()
    );
    let hash: HashMap<i32, i32> = map.into_owned();
    assert_eq!(hash, owned.into_iter().collect());
}

#[test]
fn looking_needs_no_limits_of_its_own() {
    let mut deep = Book::default();
    for _ in 0..99 {
        deep = Book {
            sequels: vec![deep],
            ..Book::default()
        };
    }
    let bytes = encode(&deep).unwrap();
    let input = Input::new(&bytes).with_limits(Limits::DEFAULT.with_depth(200));
    let book: BookRef<'_> = decode_ref_with(&input).unwrap();
    assert_eq!(book.into_owned(), deep);
}

/// What is collected later is bounded when it is checked.
#[test]
fn views_count_as_if_they_were_collected() {
    let mut wire = Vec::new();
    write(&mut wire, |w| w.put(0, &vec![7_i64; 1000])).unwrap();
    for (memory, fits) in [(7_999, false), (8_000, true), (8_001, true)] {
        let input = Input::new(&wire).with_limits(Limits::DEFAULT.with_memory(memory));
        let mut r = input.cursor();
        let list: ListRef<'_, i64> = r.required_ref(0);
        assert_eq!(
            (r.check().is_ok(), list.len() == 1000),
            (fits, fits),
            "{memory}"
        );
    }
}

/// A look reads all levels below it again.
#[test]
fn looks_at_nested_disorder_are_paid_before() {
    let nested = |levels| {
        let mut wire = Vec::new();
        let title = "x".repeat(1 << 20);
        write(&mut wire, |w| {
            w.put(1, &title);
            w.put(0, &1);
        })
        .unwrap();
        for _ in 0..levels {
            let inner = std::mem::take(&mut wire);
            // A list of one struct with tag 20, then tag 1, then tag 0.
            wire.extend([0xf9, 20, 0x00, 1, 0x0a]);
            wire.extend(inner);
            wire.push(0x0b);
            write(&mut wire, |w| {
                w.put(1, "t");
                w.put(0, &1);
            })
            .unwrap();
        }
        wire
    };
    let wire = nested(3);
    let looked = decode_ref::<BookRef<'_>>(&wire).unwrap();
    assert_eq!(looked.into_owned(), decode(&wire).unwrap());
    let wire = nested(25);
    assert!(decode::<Book>(&wire).is_ok());
    let error = decode_ref::<BookRef<'_>>(&wire).err();
    let kind = error.expect("it is costly").kind().clone();
    assert!(matches!(kind, ErrorKind::OutOfBudget { .. }), "{kind}");
}

/// A `DecodeRef` that goes on in other bytes, of the same length or not.
#[test]
fn an_element_that_replaces_its_reader_is_an_error() {
    #[derive(Debug, Default)]
    struct Elsewhere;

    impl DecodeRef<'static> for Elsewhere {
        fn decode_ref(r: &mut Cursor<'_, 'static>, _: WireType) -> Result<Self> {
            static KEPT: Mutex<Vec<usize>> = Mutex::new(Vec::new());
            let input: &'static Input<'static> = Box::leak(Box::new(Input::new(&[0; 1000])));
            KEPT.lock().unwrap().push(ptr::from_ref(input).addr());
            *r = input.cursor();
            Ok(Self)
        }
    }

    let input = Input::new(&[0x09, 0, 1, 0, 7]);
    let mut r = input.cursor();
    let _: ListRef<'_, Elsewhere> = r.required_ref(0);
    assert_eq!(*r.check().unwrap_err().kind(), ErrorKind::BrokenReader);
}

#[test]
fn views_can_be_sent_and_shared() {
    fn sent<T: Send>(_: &T) {}
    fn shared<T: Sync>(_: &T) {}
    let (list, map) = (ListRef::<&str>::default(), MapRef::<&str, i32>::default());
    shared(&list);
    shared(&map);
    sent(&list.iter());
    sent(&map.iter());
}

fn books(depth: u32) -> BoxedStrategy<Book> {
    let sequels = match depth {
        0 => Just(Vec::new()).boxed(),
        _ => collection::vec(books(depth - 1), 0..3).boxed(),
    };
    let longs = collection::vec(any::<i64>(), 0..20);
    let parts = (
        any::<i32>(),
        ".{0,40}",
        collection::vec(any::<u8>(), 0..300),
        collection::vec(".{0,9}", 0..4),
        collection::btree_map("[a-z]{0,9}", longs, 0..6),
        sequels,
    );
    let book = |(id, title, cover, words, stock, sequels): (_, _, Vec<u8>, _, _, _)| Book {
        id,
        title,
        cover: cover.into(),
        words,
        stock,
        sequels,
    };
    parts.prop_map(book).boxed()
}

proptest! {
    #[test]
    fn what_is_borrowed_is_what_is_owned(book in books(2)) {
        let bytes = encode(&book).unwrap();
        let look: BookRef<'_> = decode_ref(&bytes).unwrap();
        prop_assert!(look.words == book.words[..]);
        prop_assert!(look.stock.keys().eq(book.stock.keys().map(String::as_str)));
        for (key, longs) in &book.stock {
            prop_assert_eq!(look.stock.get(key.as_str()).unwrap(), longs.clone());
        }
        prop_assert_eq!(format!("{:?}", look.stock), format!("{:?}", book.stock));
        prop_assert_eq!(look.clone().into_owned(), book);
    }

    #[test]
    fn changed_bytes_are_judged_alike(book in books(1), changes in collection::vec(any::<(prop::sample::Index, u8)>(), 1..4)) {
        let mut bytes = encode(&book).unwrap();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        let borrowed = decode_ref::<BookRef<'_>>(&bytes).map(IntoOwned::into_owned);
        prop_assert_eq!(borrowed, decode::<Book>(&bytes));
    }
}
