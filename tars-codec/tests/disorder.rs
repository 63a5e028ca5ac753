//! Structs whose fields are not in the order of their tags: read in any order, at a bounded cost.

use tars_codec::{
    ErrorKind, Field, Input, Limits, Reader, Struct, Writer, decode, decode_with, encode,
};

/// In the shape that tars2rs generates.
#[derive(Debug, Clone, Default, PartialEq)]
struct Node {
    id: i32,
    next: Option<Box<Self>>,
    last: i32,
}

impl Struct for Node {
    const NAME: &'static str = "Test.Node";
    const FIELDS: &'static [Field] = &[
        Field::required::<i32>(0, "id"),
        Field::optional::<Self>(1, "next"),
        Field::optional::<i32>(2, "last"),
    ];

    fn encode_fields(&self, w: &mut Writer<'_>) {
        w.put(0, &self.id);
        if let Some(next) = &self.next {
            w.put(1, &**next);
        }
        if self.last != 0 {
            w.put(2, &self.last);
        }
    }

    fn decode_fields(r: &mut Reader<'_>) -> Self {
        Self {
            id: r.required(0),
            next: r.option(1).map(Box::new),
            last: r.optional(2),
        }
    }
}

/// The fields of `levels` structs inside one another, each with its `id` behind its `next`.
fn disorderly(levels: i8) -> (Vec<u8>, Node) {
    let mut bytes = vec![0x00, 1];
    let mut node = Node {
        id: 1,
        ..Node::default()
    };
    for id in 2..=levels {
        bytes = [
            &[0x1a][..],
            &bytes,
            &[0x0b, 0x20, 9, 0x00, id.cast_unsigned()],
        ]
        .concat();
        node = Node {
            id: id.into(),
            next: Some(Box::new(node)),
            last: 9,
        };
    }
    (bytes, node)
}

#[test]
fn every_level_may_be_out_of_order() {
    for levels in 1..=60 {
        let (bytes, node) = disorderly(levels);
        assert_eq!(decode::<Node>(&bytes).unwrap(), node);
        assert_eq!(decode::<Node>(&encode(&node).unwrap()).unwrap(), node);
    }
}

#[test]
fn the_first_of_each_tag_counts() {
    let bytes = [0x20, 3, 0x00, 1, 0x20, 4, 0x00, 2, 0xf0, 99, 7];
    let node: Node = decode(&bytes).unwrap();
    assert_eq!((node.id, node.last), (1, 3));
    let node: Node = decode(&[0x00, 1, 0x00, 2]).unwrap();
    assert_eq!(node.id, 1);
}

#[test]
fn a_tag_may_be_written_long() {
    let node: Node = decode(&[0xf0, 0, 1, 0xf0, 2, 5]).unwrap();
    assert_eq!((node.id, node.last), (1, 5));
}

#[test]
fn what_is_wrong_is_named_as_in_order() {
    let error = decode::<Node>(&[0x20, 3]).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Missing);
    assert_eq!(error.field(), Some(("Test.Node", "id")));
    let error = decode::<Node>(&[0x1a, 0x20, 3, 0x0b, 0x00, 1]).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Missing);
    assert!(
        error
            .to_string()
            .starts_with("Test.Node.next (tag 1): Test.Node.id (tag 0): required"),
        "{error}"
    );
    let error = decode::<Node>(&[0x20, 3, 0x06, 1, b'x']).unwrap_err();
    assert_eq!((error.tag(), error.offset()), (Some(0), 3));
    assert!(matches!(
        decode::<Node>(&[0x1a, 0x20, 3]).unwrap_err().kind(),
        ErrorKind::UnexpectedEnd { .. }
    ));
}

#[test]
fn reading_again_is_paid_from_the_budget() {
    let (bytes, node) = disorderly(2);
    let with = |memory| {
        let limits = Limits::default().with_memory(memory);
        decode_with::<Node>(&Input::new(&bytes).with_limits(limits))
    };
    let needed = bytes.len() + 2; // the outer one, and the inner one in it
    assert!(with(needed - 1).is_err());
    assert_eq!(with(needed).unwrap(), node);
    assert_eq!(with(needed + 1).unwrap(), node);
}
