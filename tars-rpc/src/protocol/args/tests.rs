//! Bodies of all versions, byte by byte.

use tars_codec::RequestPacket;

use super::*;
use crate::protocol::fixtures;

fn body(values: &[(u8, i32)]) -> Bytes {
    let mut w = ArgWriter::new(Version::Tars);
    for (tag, value) in values {
        w.put(*tag, "value", value);
    }
    w.finish().unwrap().into()
}

#[test]
fn values_in_any_order() {
    let values = [(3, 30), (1, 10), (200, 7), (2, 20), (1, 11)];
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1], [3, 1, 2]] {
        let mut args = ArgReader::new(Version::Tars, body(&values)).unwrap();
        for tag in order {
            let value: i32 = args.take(tag, "value").unwrap();
            assert_eq!(value, i32::from(tag) * 10);
        }
    }
}

#[test]
fn in_order_needs_no_places() {
    let mut args = ArgReader::new(Version::Tars, body(&[(1, 1), (2, 2), (3, 3)])).unwrap();
    for tag in 1..=3 {
        args.take::<i32>(tag, "value").unwrap();
    }
    assert!(matches!(&args.values, Received::Positional(values) if values.next().is_some()));
}

#[test]
fn faults_name_the_argument() {
    let mut args = ArgReader::new(Version::Tars, body(&[(1, 1)])).unwrap();
    let error = args.take::<i32>(2, "count").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Missing);
    assert_eq!(
        error.to_string(),
        "argument count (tag 2): required, but missing, at byte 2"
    );
    let error = args.take::<String>(1, "name").unwrap_err();
    assert_eq!(
        error.to_string(),
        "argument name (tag 1): the value is Int1, expected a string, at byte 1"
    );
}

#[test]
fn a_broken_body_is_an_error_of_the_argument_behind_it() {
    let mut args =
        ArgReader::new(Version::Tars, Bytes::from_static(&[0x10, 1, 0x2e, 0x30, 3])).unwrap();
    assert_eq!(args.take::<i32>(1, "a").unwrap(), 1);
    let error = args.take::<i32>(3, "c").unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::UnknownWireType(14));
    assert_eq!(error.offset(), 2);
}

#[test]
fn memory_is_counted_over_all_values() {
    let body = Bytes::from_static(b"\x16\x02ab\x26\x02cd");
    let mut args = ArgReader::new(Version::Tars, body).unwrap();
    args.memory = 3;
    assert_eq!(args.take::<String>(1, "a").unwrap(), "ab");
    let error = args.take::<String>(2, "b").unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OutOfBudget { .. }),
        "{error}"
    );
}

#[test]
fn bytes_share_the_frame() {
    let body = Bytes::from_static(&[0x1d, 0x00, 0x00, 2, 8, 9]);
    let mut args = ArgReader::new(Version::Tars, body.clone()).unwrap();
    let bytes: Bytes = args.take(1, "bytes").unwrap();
    assert_eq!(bytes.as_ptr(), body[4..].as_ptr());
}

fn write(version: Version, put: impl FnOnce(&mut ArgWriter)) -> Bytes {
    let mut w = ArgWriter::new(version);
    put(&mut w);
    w.finish().unwrap().into()
}

fn arguments(args: &mut ArgWriter) {
    args.put(1, "a", &true);
    args.put(2, "b", &100);
    args.put(3, "c", "abc");
}

fn results(reply: &mut ArgWriter) {
    reply.put_result(&-99);
    reply.put(4, "d", &false);
    reply.put(5, "e", &111);
    reply.put(6, "f", "here i am");
}

#[test]
fn tup_bodies_are_those_of_cpp() {
    for (frame, put) in [
        ("frame_tup_req_testBasic", arguments as fn(&mut ArgWriter)),
        ("frame_tup_rsp_testBasic", results),
    ] {
        let packet: RequestPacket = fixtures::packet(&fixtures::cpp(frame));
        assert_eq!(write(Version::Tup, put), packet.body, "{frame}");
    }
}

#[cfg(feature = "json")]
#[test]
fn json_bodies_are_objects() {
    assert_eq!(
        write(Version::Json, arguments),
        r#"{"a":true,"b":100,"c":"abc"}"#
    );
    assert_eq!(
        write(Version::Json, results),
        r#"{"tars_ret":-99,"d":false,"e":111,"f":"here i am"}"#
    );
    assert_eq!(write(Version::Json, |_| {}), "{}");
}

#[test]
fn every_version_reads_what_it_writes() {
    for version in [1, 2, 3, 5].into_iter().filter_map(Version::new) {
        let mut reply = ArgReader::new(version, write(version, results)).unwrap();
        assert_eq!(reply.take::<String>(6, "f").unwrap(), "here i am");
        assert_eq!(reply.take_result::<i32>().unwrap(), -99);
        assert!(!reply.take::<bool>(4, "d").unwrap());

        let error = reply.take::<i32>(7, "g").unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Missing, "{version:?}");
        let error = reply.take::<Vec<i32>>(5, "e").unwrap_err();
        assert_eq!(
            error.field(),
            Some(("argument", "e")),
            "{version:?}: {error}"
        );

        let mut nothing = ArgReader::new(version, Bytes::new()).unwrap();
        nothing.take_result::<i32>().unwrap_err();
    }
}

/// TarsPHP and Tars.js give the return value no other name.
#[test]
fn a_return_value_may_have_the_empty_name() {
    let body = write(Version::Tup, |reply| reply.put(0, "", &7));
    let mut reply = ArgReader::new(Version::Tup, body).unwrap();
    assert_eq!(reply.take_result::<i32>().unwrap(), 7);
}

#[test]
fn memory_is_counted_over_named_values() {
    for version in [2, 3, 5].into_iter().filter_map(Version::new) {
        let body = write(version, |args| {
            args.put(1, "a", "ab");
            args.put(2, "b", "cd");
        });
        let mut args = ArgReader::new(version, body).unwrap();
        args.memory = 3;
        assert_eq!(args.take::<String>(1, "a").unwrap(), "ab");
        let error = args.take::<String>(2, "b").unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::OutOfBudget { .. }),
            "{error}"
        );
    }
}
