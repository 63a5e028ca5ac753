//! Bytes that kill other decoders: each ends in an error, within the limits, whatever they say.

use std::collections::BTreeMap;

use bytes::Bytes;
use tars_codec::{
    Decode, ErrorKind, FrameError, FrameSplitter, Input, Limits, RequestPacket, Result, decode,
    decode_bytes, encode, write,
};

/// Reads one value with tag 0 that fills `bytes`.
fn read<T: Decode>(bytes: &[u8], limits: Limits) -> Result<T> {
    let input = Input::new(bytes).with_limits(limits);
    let mut r = input.reader();
    let value = r.next_if(0)?;
    r.require(value, 0)
}

fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind().clone()
}

fn skip_all(bytes: &[u8]) -> Result<()> {
    let input = Input::new(bytes);
    let mut r = input.reader();
    while let Some(head) = r.next_field()? {
        r.skip(head)?;
    }
    Ok(())
}

#[test]
fn a_hundred_thousand_nested_structs_are_too_deep() {
    assert_eq!(
        kind(skip_all(&vec![0x0a; 100_000])),
        ErrorKind::TooDeep { max: 64 }
    );
}

#[test]
fn nested_lists_and_maps_are_too_deep() {
    let lists: Vec<u8> = [0x09, 0x00, 0x01].repeat(100_000);
    assert_eq!(kind(skip_all(&lists)), ErrorKind::TooDeep { max: 64 });
    let maps: Vec<u8> = [0x08, 0x00, 0x01].repeat(100_000);
    assert_eq!(kind(skip_all(&maps)), ErrorKind::TooDeep { max: 64 });
}

#[test]
fn depth_is_limited_exactly() {
    let nested = |n: usize| [vec![0x0a; n], vec![0x0b; n]].concat();
    assert!(skip_all(&nested(63)).is_ok());
    assert!(skip_all(&nested(64)).is_ok());
    assert_eq!(kind(skip_all(&nested(65))), ErrorKind::TooDeep { max: 64 });
}

/// A few entries are read in another way than many.
#[test]
fn a_map_of_any_size_keeps_the_limits_and_the_place_of_an_error() {
    type Map = BTreeMap<i32, Vec<i32>>;
    for count in 1..=6 {
        let map: Map = (0..count).map(|key| (key, Vec::from([key]))).collect();
        let mut wire = Vec::new();
        write(&mut wire, |w| w.put(0, &map)).unwrap();
        for (depth, fits) in [(1, false), (2, true), (3, true)] {
            let read = read::<Map>(&wire, Limits::DEFAULT.with_depth(depth));
            assert_eq!(read.ok(), fits.then(|| map.clone()), "{count} {depth}");
        }
        let memory = count as usize * (size_of::<(i32, Vec<i32>)>() + size_of::<i32>());
        for (memory, fits) in [(memory - 1, false), (memory, true), (memory + 1, true)] {
            let read = read::<Map>(&wire, Limits::DEFAULT.with_memory(memory));
            assert_eq!(read.is_ok(), fits, "{count} {memory}");
        }
        for len in 0..wire.len() {
            let error = read::<Map>(&wire[..len], Limits::DEFAULT).unwrap_err();
            assert!(error.offset() <= len);
        }
        let last = wire.len() - 1;
        wire[last - usize::from(count > 1)] = 0x0e; // the head of the only element of the last list
        let error = read::<Map>(&wire, Limits::DEFAULT).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::UnknownWireType(14), "{count}");
        assert_eq!(error.offset(), last - usize::from(count > 1));
        assert_eq!(error.tag(), Some(0));
    }
}

#[test]
fn negative_lengths_are_errors() {
    let limits = Limits::default();
    assert_eq!(
        kind(read::<Vec<i32>>(&[0x09, 0x00, 0xff, 0x00], limits)),
        ErrorKind::NegativeLength(-1)
    );
    assert_eq!(
        kind(read::<BTreeMap<i32, i32>>(&[0x08, 0x00, 0x80], limits)),
        ErrorKind::NegativeLength(-128)
    );
    assert_eq!(
        kind(read::<Bytes>(
            &[0x0d, 0x00, 0x02, 0xff, 0xff, 0xff, 0xff],
            limits
        )),
        ErrorKind::NegativeLength(-1)
    );
}

#[test]
fn huge_counts_need_the_bytes_to_back_them() {
    // 2,000,000,000 elements announced, three bytes there.
    let bytes = [0x09, 0x02, 0x77, 0x35, 0x94, 0x00, 0x0c, 0x0c, 0x0c];
    let limits = Limits::default().with_count(usize::MAX);
    let too_long = ErrorKind::TooLong {
        what: "list",
        len: 2_000_000_000,
        max: 3,
    };
    assert_eq!(kind(read::<Vec<i64>>(&bytes, limits)), too_long);
    let strings = ErrorKind::TooLong {
        what: "list",
        len: 2_000_000_000,
        max: 1,
    };
    assert_eq!(kind(read::<Vec<String>>(&bytes, limits)), strings);
}

#[test]
fn string_lengths_need_the_bytes_to_back_them() {
    let bytes = [0x07, 0x06, 0x00, 0x00, 0x00, b'a'];
    let end = ErrorKind::UnexpectedEnd {
        needed: 0x0600_0000,
        left: 1,
    };
    assert_eq!(kind(read::<String>(&bytes, Limits::default())), end);
}

#[test]
fn amplification_stops_at_the_memory_budget() {
    // A list of empty lists: 3 bytes on the wire, 24 in memory.
    let items = 1000;
    let mut bytes = vec![0x09, 0x01, 0x03, 0xe8];
    bytes.extend([0x09, 0x0c].repeat(items));
    let needed = items * size_of::<Vec<i32>>();
    let with = |memory| read::<Vec<Vec<i32>>>(&bytes, Limits::default().with_memory(memory));
    assert_eq!(
        kind(with(needed - 1)),
        ErrorKind::OutOfBudget {
            needed,
            left: needed - 1
        }
    );
    assert!(with(needed).is_ok());
    assert!(with(needed + 1).is_ok());
}

#[test]
fn count_and_string_limits_are_exact() {
    let list = [0x09, 0x00, 0x03, 0x0c, 0x0c, 0x0c];
    let with = |count| read::<Vec<i32>>(&list, Limits::default().with_count(count));
    assert_eq!(
        kind(with(2)),
        ErrorKind::TooLong {
            what: "list",
            len: 3,
            max: 2
        }
    );
    assert_eq!(with(3).unwrap(), [0, 0, 0]);
    assert_eq!(with(4).unwrap(), [0, 0, 0]);

    let string = [0x06, 0x03, b'a', b'b', b'c'];
    let with = |max| read::<String>(&string, Limits::default().with_string(max));
    assert_eq!(
        kind(with(2)),
        ErrorKind::TooLong {
            what: "string",
            len: 3,
            max: 2
        }
    );
    assert_eq!(with(3).unwrap(), "abc");
    assert_eq!(with(4).unwrap(), "abc");
}

#[test]
fn frame_limits_are_exact() {
    let split = |len: u32, max: usize| {
        let mut stream = bytes::BytesMut::from(&len.to_be_bytes()[..]);
        stream.resize(20, 7);
        FrameSplitter::new(max).split(&mut stream)
    };
    for len in [0, 3, 4, 12, u32::MAX] {
        assert_eq!(split(len, 11), Err(FrameError { len, max: 11 }));
    }
    for len in [5, 10, 11] {
        let packet = split(len, 11).unwrap().unwrap();
        assert_eq!(packet.len() as u32, len - 4);
    }
    // 100 MiB, as TarsCpp has it.
    let mut stream = bytes::BytesMut::from(&(100_u32 << 20).to_be_bytes()[..]);
    assert_eq!(FrameSplitter::default().split(&mut stream), Ok(None));
    let mut stream = bytes::BytesMut::from(&((100_u32 << 20) + 1).to_be_bytes()[..]);
    assert!(FrameSplitter::default().split(&mut stream).is_err());
}

#[test]
fn unknown_wire_types_are_errors_with_offset() {
    for ty in [14, 15] {
        let error = skip_all(&[0x0c, 0x10 | ty]).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::UnknownWireType(ty));
        assert_eq!(error.offset(), 1);
    }
}

#[test]
fn a_struct_end_needs_a_begin() {
    assert_eq!(kind(skip_all(&[0x0b])), ErrorKind::StrayStructEnd);
    assert!(matches!(
        kind(skip_all(&[0x0a])),
        ErrorKind::UnexpectedEnd { .. }
    ));
}

#[test]
fn integers_that_do_not_fit_are_errors() {
    let limits = Limits::default();
    assert_eq!(read::<i8>(&[0x01, 0x00, 0x7f], limits).unwrap(), 127);
    assert_eq!(
        kind(read::<i8>(&[0x01, 0x00, 0x80], limits)),
        ErrorKind::IntegerRange {
            value: 128,
            ty: "i8"
        }
    );
    assert_eq!(
        kind(read::<u32>(&[0x00, 0xff], limits)),
        ErrorKind::IntegerRange {
            value: -1,
            ty: "u32"
        }
    );
}

fn packet() -> Vec<u8> {
    encode(&RequestPacket {
        version: 1,
        request_id: 7,
        servant: "PHPTest.PHPServer.obj".into(),
        func: "sayHelloWorld".into(),
        body: Bytes::from_static(&[0x16, 0x03, b't', b'e', b'd']),
        timeout: 3000,
        context: BTreeMap::from([("k".into(), "v".into())]),
        ..RequestPacket::default()
    })
    .unwrap()
}

#[test]
fn a_packet_cut_anywhere_is_an_error_or_lacks_only_optional_fields() {
    let whole = packet();
    assert!(decode::<RequestPacket>(&whole).is_ok());
    for cut in 0..whole.len() {
        match decode::<RequestPacket>(&whole[..cut]) {
            Err(error) => assert!(error.offset() <= cut, "{error}"),
            // Cut right before one of tags 7 to 10, which a reader takes as missing.
            Ok(packet) => assert!(
                packet.status.is_empty() && packet.func == "sayHelloWorld",
                "cut at {cut}"
            ),
        }
    }
}

#[test]
fn every_single_bit_flip_of_a_packet_is_survived() {
    let whole = packet();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let shared = Bytes::from(bytes.clone());
        assert_eq!(decode::<RequestPacket>(&bytes), decode_bytes(&shared));
    }
}

#[test]
fn errors_name_struct_field_tag_and_offset() {
    let error = decode::<RequestPacket>(&[0x10, 0x01, 0x46, 0x01, b'x']).unwrap_err();
    assert_eq!(error.field(), Some(("tars.RequestPacket", "iRequestId")));
    assert_eq!((error.tag(), error.offset()), (Some(4), 3));
    assert_eq!(
        error.to_string(),
        "tars.RequestPacket.iRequestId (tag 4): the value is String1, expected an integer, at byte 3"
    );
}
