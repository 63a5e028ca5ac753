//! The server's side, byte by byte.

use super::*;
use crate::protocol::fixtures;

fn server(max_frame: usize) -> ServerConnection {
    ServerConnection::new(max_frame, 1 << 20)
}

fn ok(body: &[u8]) -> Answer<'_> {
    Answer::ok(body, Extras::NONE)
}

fn failed(ret: i32, desc: &str) -> Answer<'_> {
    Answer::failed(ret, desc, Extras::NONE)
}

fn receive(server: &mut ServerConnection, bytes: &[u8]) {
    if let (Some(space), _) = server.buffers(true) {
        space.extend_from_slice(bytes);
        server.received(bytes.len());
    }
}

fn take_output(server: &mut ServerConnection) -> Vec<u8> {
    let output = server.buffers(false).1.to_vec();
    server.sent(output.len());
    output
}

#[test]
fn recorded_requests_are_read() {
    for recorded in fixtures::php().into_iter().chain(fixtures::php_extra()) {
        let mut server = server(1 << 20);
        receive(&mut server, &recorded.request);
        let request = server.next_request().unwrap().unwrap();
        assert_eq!(
            request,
            fixtures::packet(&recorded.request),
            "{}",
            recorded.name
        );
        assert_eq!(server.next_request(), Ok(None));
    }
}

#[test]
fn requests_cut_at_every_byte() {
    let frame = fixtures::cpp("frame_req_context_status");
    let two = frame.repeat(2);
    for cut in 0..=two.len() {
        let mut server = server(1 << 20);
        let mut count = 0;
        for part in [&two[..cut], &two[cut..]] {
            receive(&mut server, part);
            while let Some(request) = server.next_request().unwrap() {
                assert_eq!(request, fixtures::packet(&frame));
                count += 1;
            }
        }
        assert_eq!(count, 2, "cut at {cut}");
    }
}

/// Answers are those that TarsCpp writes, to the byte.
#[test]
fn answers_are_those_of_cpp() {
    for (request, answer) in [
        ("frame_req_sayHelloWorld", "frame_rsp_sayHelloWorld"),
        ("frame_req_testBasic", "frame_rsp_testBasic"),
        ("frame_req_tars_ping", "frame_rsp_tars_ping"),
        ("frame_tup_req_sayHelloWorld", "frame_tup_rsp_sayHelloWorld"),
        ("frame_tup_req_testBasic", "frame_tup_rsp_testBasic"),
    ] {
        let expected = fixtures::cpp(answer);
        let to = ReplyTo::from(&fixtures::packet::<RequestPacket>(&fixtures::cpp(request)));
        let mut server = server(1 << 20);
        let body = match to.shape {
            Shape::Response(_) => fixtures::packet::<codec::ResponsePacket>(&expected).body,
            Shape::Request { .. } => fixtures::packet::<RequestPacket>(&expected).body,
        };
        server.answer(&to, &ok(&body)).unwrap();
        assert_eq!(take_output(&mut server), expected, "{answer}");
    }

    let to = ReplyTo::from(&fixtures::packet::<RequestPacket>(&fixtures::cpp(
        "frame_req_tars_ping",
    )));
    let mut server = server(1 << 20);
    server.answer(&to, &failed(codes::NO_FUNCTION, "")).unwrap();
    assert_eq!(take_output(&mut server), fixtures::cpp("frame_rsp_nofunc"));
}

#[test]
fn lengths_out_of_range() {
    let frame = fixtures::cpp("frame_req_tars_ping");
    for (limit, taken) in [
        (frame.len() - 1, false),
        (frame.len(), true),
        (frame.len() + 1, true),
    ] {
        let mut server = server(limit);
        receive(&mut server, &frame);
        assert_eq!(server.next_request().is_ok(), taken, "{limit} bytes");
    }
    for len in [0_u32, 1, 4, 1 << 30, u32::MAX] {
        let mut server = server(1 << 20);
        receive(&mut server, &len.to_be_bytes());
        let Err(Violation::Frame(error)) = server.next_request() else {
            panic!("length {len}");
        };
        assert_eq!(error.len, len);
        assert_eq!(
            server.next_request(),
            Ok(None),
            "what was received is forgotten"
        );
    }
}

#[test]
fn every_flipped_bit_is_a_request_an_error_or_nothing() {
    let frame = fixtures::cpp("frame_req_context_status");
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut bytes = frame.clone();
            bytes[at] ^= 1 << bit;
            let mut server = server(1 << 20);
            receive(&mut server, &bytes);
            while let Ok(Some(_)) = server.next_request() {}
        }
    }
}

#[test]
fn an_answer_that_no_peer_takes_is_refused_without_a_trace() {
    let to = ReplyTo::from(&RequestPacket::default());
    let mut server = server(1 << 20);
    server.answer(&to, &ok(&vec![0; MAX_FRAME])).unwrap_err();
    let text = "x".repeat(MAX_FRAME);
    server
        .answer(&to, &failed(codes::UNKNOWN, &text))
        .unwrap_err();
    assert_eq!(server.unsent(), 0);
}

#[test]
fn output_keeps_its_order_however_it_is_sent() {
    let mut server = server(1 << 20);
    let mut expected = Vec::new();
    let mut sent = Vec::new();
    let mut rng = fastrand::Rng::with_seed(1);
    for id in 0..2000 {
        let to = ReplyTo {
            request_id: id,
            message_type: 0,
            oneway: false,
            shape: Shape::Response(Version::Tars),
        };
        let before = server.unsent();
        server
            .answer(&to, &ok(&vec![id as u8; rng.usize(..500)]))
            .unwrap();
        expected.extend_from_slice(&server.buffers(false).1[before..]);
        let n = rng.usize(..=server.unsent().min(600));
        sent.extend_from_slice(&server.buffers(false).1[..n]);
        server.sent(n);
    }
    sent.extend(take_output(&mut server));
    assert!(sent == expected);
}
