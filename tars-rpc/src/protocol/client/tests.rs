//! The client's side, byte by byte, in virtual time.

use tars_codec::{RequestPacket, ResponseHead, write};

use super::*;
use crate::protocol::{MAX_FRAME, fixtures};

const LIMITS: Limits = Limits {
    max_request: MAX_FRAME,
    max_frame: 1 << 20,
    max_pending: 1000,
    max_unsent: 1 << 20,
};

static NONE: Attributes = Attributes::new();

impl<T> ClientConnection<T> {
    /// Nothing is left of any call, in no table and in no buffer.
    pub(crate) fn assert_empty(&self) {
        assert!(self.calls.is_empty() && self.oneway.is_empty());
        assert!(
            self.deadlines.len() <= 130,
            "entries of ended calls are few"
        );
        assert!(self.input.is_empty());
    }
}

/// A connection on a clock that only the test moves. Callers are numbers.
struct Client {
    connection: ClientConnection<u32>,
    now: Instant,
}

impl Client {
    fn new(limits: Limits) -> Self {
        Self {
            connection: ClientConnection::new(limits),
            now: Instant::now(),
        }
    }

    fn start(&mut self, caller: u32) -> Result<i32, (Refusal, u32)> {
        self.start_as(caller, |_| {})
    }

    fn start_as<'a>(
        &mut self,
        caller: u32,
        change: impl FnOnce(&mut Request<'a>),
    ) -> Result<i32, (Refusal, u32)> {
        let mut request = Request {
            version: Version::Tars,
            servant: "App.Server.Obj",
            func: "f",
            message_type: 0,
            context: &NONE,
            status: &NONE,
            body: &[],
            oneway: false,
            deadline: self.now + Duration::from_secs(3),
        };
        change(&mut request);
        self.connection.start(&request, self.now, caller)
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.connection.buffers().0.extend_from_slice(bytes);
        self.connection.received(bytes.len());
    }

    fn event(&mut self) -> Option<Event<u32>> {
        self.connection.next_event().unwrap()
    }

    /// The caller whose answer is next.
    fn answered(&mut self) -> Option<u32> {
        match self.event()? {
            Event::Answer(caller, _) => Some(caller),
            other => panic!("{other:?}"),
        }
    }

    fn take_output(&mut self) -> Vec<u8> {
        let output = self.connection.buffers().1.to_vec();
        self.connection.sent(output.len());
        output
    }

    fn is_empty(&self) -> bool {
        let c = &self.connection;
        c.calls.is_empty() && c.oneway.is_empty()
    }
}

fn answer(id: i32) -> Vec<u8> {
    let head = ResponseHead {
        version: 1,
        packet_type: 0,
        request_id: id,
        message_type: 0,
        ret: 0,
        status: &NONE,
        result_desc: "",
        context: &NONE,
    };
    let mut frame = Vec::new();
    head.write_frame(&mut frame, |w| w.put(0, &id)).unwrap();
    frame
}

/// Makes the call of a recorded request as the first one on its connection.
fn repeat(request: &[u8]) -> (Client, Vec<u8>) {
    let packet: RequestPacket = fixtures::packet(request);
    let mut client = Client::new(LIMITS);
    for earlier in 1..packet.request_id {
        let id = client.start(0).unwrap();
        assert_eq!(id, earlier);
        client.connection.cancel(id);
    }
    client.take_output();
    let deadline = client.now + Duration::from_millis(packet.timeout as u64);
    let id = client.start_as(7, |request| {
        *request = Request {
            version: Version::new(packet.version).unwrap(),
            servant: &packet.servant,
            func: &packet.func,
            message_type: packet.message_type,
            context: &packet.context,
            status: &packet.status,
            body: &packet.body,
            oneway: packet.is_oneway(),
            deadline,
        };
    });
    assert_eq!(id.unwrap(), packet.request_id);
    let output = client.take_output();
    (client, output)
}

#[test]
fn requests_are_those_of_php_and_answers_find_their_call() {
    for recorded in fixtures::php() {
        let (mut client, output) = repeat(&recorded.request);
        assert_eq!(output, recorded.request, "{}", recorded.name);
        if recorded.response.is_empty() {
            continue; // TarsPHP does not answer for an unknown servant
        }
        client.receive(&recorded.response);
        let event = client.event();
        // TarsPHP answers what it does not know in version 1.
        if recorded.version == 1 || recorded.response.starts_with(&[0, 0, 0, 21, 0x10, 1]) {
            let expected = fixtures::packet(&recorded.response);
            assert_eq!(event, Some(Event::Answer(7, expected)), "{}", recorded.name);
        } else {
            assert_tup_answer(event, &recorded.response, &recorded.name);
        }
        assert!(client.is_empty());
    }
}

/// A TUP answer that is no error.
fn assert_tup_answer(event: Option<Event<u32>>, frame: &[u8], name: &str) {
    let packet: RequestPacket = fixtures::packet(frame);
    let Some(Event::Answer(7, answer)) = event else {
        panic!("{name}: {event:?}");
    };
    assert_eq!((answer.version, answer.ret), (3, 0), "{name}");
    assert_eq!(answer.body, packet.body, "{name}");
}

#[test]
fn a_tup_answer_has_its_error_in_the_status() {
    let answer = |code: &str| {
        let packet = RequestPacket {
            version: 2,
            request_id: 1,
            status: [
                ("STATUS_RESULT_CODE", code),
                ("STATUS_RESULT_DESC", "why"),
                ("other", "x"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
            ..RequestPacket::default()
        };
        let mut client = Client::new(LIMITS);
        client.start(7).unwrap();
        let mut frame = Vec::new();
        packet.head().write_frame(&mut frame, |_| {}).unwrap();
        client.receive(&frame);
        match client.event() {
            Some(Event::Answer(7, answer)) => answer,
            other => panic!("{other:?}"),
        }
    };
    let failed = answer("-3");
    assert_eq!((failed.ret, failed.result_desc.as_str()), (-3, "why"));
    assert_eq!(
        failed.status,
        [
            ("STATUS_RESULT_CODE".to_owned(), "-3".to_owned()),
            ("other".to_owned(), "x".to_owned())
        ]
        .into()
    );
    assert_eq!(answer("0").ret, 0);
    assert_eq!(answer("no number").ret, crate::codes::UNKNOWN);
}

#[test]
fn a_tup_call_may_be_answered_in_the_shape_of_the_other_versions() {
    let mut client = Client::new(LIMITS);
    client.start(7).unwrap();
    let packet = ResponsePacket {
        version: 2,
        request_id: 1,
        ret: 1,
        result_desc: "error version: 2".to_owned(),
        ..ResponsePacket::default()
    };
    let mut frame = Vec::new();
    packet.head().write_frame(&mut frame, |_| {}).unwrap();
    client.receive(&frame);
    assert_eq!(client.event(), Some(Event::Answer(7, packet)));
}

#[test]
fn a_tup_answer_may_lack_its_body() {
    // TarsJava's answer to a ping: an empty body is left out.
    let mut packet = Vec::new();
    write(&mut packet, |w| {
        w.put(1, &3_i16);
        w.put(2, &0_i8);
        w.put(3, &0_i32);
        w.put(4, &1_i32);
        w.put(5, "App.Server.Obj");
        w.put(6, "tars_ping");
        w.put(8, &0_i32);
    })
    .unwrap();
    let length = u32::try_from(packet.len() + 4).unwrap();
    let mut client = Client::new(LIMITS);
    client.start(7).unwrap();
    client.receive(&[&length.to_be_bytes(), &packet[..]].concat());
    let Some(Event::Answer(7, answer)) = client.event() else {
        panic!("no answer");
    };
    assert_eq!((answer.ret, answer.body.len()), (0, 0));
}

#[test]
fn requests_are_those_of_cpp() {
    for name in [
        "frame_req_sayHelloWorld",
        "frame_req_sayHelloWorld_sync",
        "frame_req_sayHelloWorld_oneway",
        "frame_req_testBasic",
        "frame_req_tars_ping",
        "frame_tup_req_sayHelloWorld",
        "frame_tup_req_testBasic",
    ] {
        let frame = fixtures::cpp(name);
        assert_eq!(repeat(&frame).1, frame, "{name}");
    }
}

#[test]
fn answers_of_cpp_find_their_call() {
    for name in [
        "frame_rsp_sayHelloWorld",
        "frame_rsp_testBasic",
        "frame_rsp_tars_ping",
        "frame_rsp_nofunc",
        "frame_rsp_decodeerr_full",
    ] {
        let frame = fixtures::cpp(name);
        let (mut client, _) = repeat(&fixtures::cpp("frame_req_tars_ping"));
        client.receive(&frame);
        assert_eq!(
            client.event(),
            Some(Event::Answer(7, fixtures::packet(&frame))),
            "{name}"
        );
    }
    for name in ["frame_tup_rsp_sayHelloWorld", "frame_tup_rsp_testBasic"] {
        let frame = fixtures::cpp(name);
        let (mut client, _) = repeat(&fixtures::cpp("frame_req_tars_ping"));
        client.receive(&frame);
        assert_tup_answer(client.event(), &frame, name);
    }
}

#[test]
fn answers_in_any_order() {
    let mut client = Client::new(LIMITS);
    let ids: Vec<_> = (0..5).map(|caller| client.start(caller).unwrap()).collect();
    for caller in [3, 0, 4, 2, 1] {
        client.receive(&answer(ids[caller as usize]));
        assert_eq!(client.answered(), Some(caller));
    }
    assert!(client.is_empty());
}

#[test]
fn an_answer_cut_at_every_byte() {
    let frames = [answer(1), answer(2)].concat();
    for cut in 0..=frames.len() {
        let mut client = Client::new(LIMITS);
        client.start(10).unwrap();
        client.start(20).unwrap();
        let mut callers = Vec::new();
        for part in [&frames[..cut], &frames[cut..]] {
            client.receive(part);
            callers.extend(std::iter::from_fn(|| client.answered()));
        }
        assert_eq!(callers, [10, 20], "cut at {cut}");
    }
}

#[test]
fn second_late_and_unknown_answers_are_stray() {
    let mut client = Client::new(LIMITS);
    let twice = client.start(1).unwrap();
    let late = client.start(2).unwrap();
    let given_up = client.start(3).unwrap();
    client.receive(&answer(twice));
    assert_eq!(client.answered(), Some(1));
    client.now += Duration::from_secs(4);
    assert_eq!(client.connection.cancel(given_up), Some(3));
    assert_eq!(client.connection.expired(client.now), Some(2));
    assert_eq!(client.connection.expired(client.now), None);
    for id in [twice, late, given_up, 77, -1, i32::MIN, i32::MAX] {
        client.receive(&answer(id));
        assert_eq!(client.event(), Some(Event::Stray(id)));
    }
    assert!(client.is_empty());
}

#[test]
fn the_answer_to_a_ping_is_known_whatever_it_says() {
    let mut client = Client::new(LIMITS);
    let call = client.start(1).unwrap();
    client.take_output();
    client
        .connection
        .ping("App.Server.Obj", Duration::from_secs(5));
    assert!(!client.connection.is_idle());
    let ping: RequestPacket = fixtures::packet(&client.take_output());
    assert_eq!((ping.func.as_str(), ping.timeout), ("tars_ping", 5000));
    assert_ne!(ping.request_id, call);
    client.receive(&answer(ping.request_id));
    assert_eq!(client.event(), Some(Event::Pong));
    client.receive(&answer(ping.request_id));
    assert_eq!(client.event(), Some(Event::Stray(ping.request_id)));

    client
        .connection
        .ping("App.Server.Obj", Duration::from_secs(5));
    client.take_output();
    assert_eq!(client.connection.close().count(), 1, "a ping is no call");
}

#[test]
fn id_zero_is_a_push() {
    let mut client = Client::new(LIMITS);
    client.receive(&answer(0));
    assert!(matches!(client.event(), Some(Event::Push(_))));
}

#[test]
fn calls_expire_by_their_deadline_and_not_before() {
    let mut client = Client::new(LIMITS);
    let start = client.now;
    for (caller, ms) in [(1, 30), (2, 10), (3, 20)] {
        let deadline = start + Duration::from_millis(ms);
        client.start_as(caller, |r| r.deadline = deadline).unwrap();
    }
    let mut ended = Vec::new();
    for ms in [9, 10, 19, 20, 29, 30] {
        let now = start + Duration::from_millis(ms);
        assert!(client.connection.next_deadline() >= Some(now - Duration::from_millis(1)));
        ended.extend(client.connection.expired(now).map(|caller| (ms, caller)));
    }
    assert_eq!(ended, [(10, 2), (20, 3), (30, 1)]);
    assert_eq!(client.connection.next_deadline(), None);

    client.now = start;
    let refused = client.start_as(4, |r| r.deadline = start);
    assert_eq!(refused, Err((Refusal::Expired, 4)));
}

#[test]
fn the_timeout_on_the_wire_is_what_is_left_rounded_up() {
    for (left, wire) in [
        (Duration::from_nanos(1), 1),
        (Duration::from_micros(1001), 2),
        (Duration::from_millis(3000), 3000),
        (Duration::from_secs(1 << 40), i32::MAX),
    ] {
        let mut client = Client::new(LIMITS);
        let deadline = client.now + left;
        client.start_as(1, |r| r.deadline = deadline).unwrap();
        let packet: RequestPacket = fixtures::packet(&client.take_output());
        assert_eq!(packet.timeout, wire);
    }
}

#[test]
fn a_call_that_is_given_up_leaves_whole_frames() {
    let mut client = Client::new(LIMITS);
    client.start(1).unwrap();
    let given_up = client.start(2).unwrap();
    client.start(3).unwrap();
    client.connection.sent(10); // in the middle of the first
    assert_eq!(client.connection.cancel(given_up), Some(2));
    assert_eq!(client.connection.cancel(given_up), None);
    let rest = client.take_output();
    let frame = rest.len() + 10;
    assert_eq!(frame % 3, 0, "three frames of one size");
    let third: RequestPacket = fixtures::packet(&rest[rest.len() - frame / 3..]);
    assert_eq!(third.request_id, 3);
}

#[test]
fn a_oneway_call_ends_when_its_last_byte_is_sent() {
    let mut client = Client::new(LIMITS);
    client.start(1).unwrap();
    let before = client.connection.output.len();
    client.start_as(2, |r| r.oneway = true).unwrap();
    let given_up = client.start_as(3, |r| r.oneway = true).unwrap();
    client.start_as(4, |r| r.oneway = true).unwrap();
    client.connection.cancel(given_up);

    let end = before + before + 1; // cPacketType 1 takes a byte more than 0
    client.connection.sent(end - 1);
    assert_eq!(client.connection.sent_oneway(), None);
    client.connection.sent(1);
    assert_eq!(client.connection.sent_oneway(), Some(2));
    assert_eq!(client.connection.sent_oneway(), None);
    client.take_output();
    assert_eq!(client.connection.sent_oneway(), Some(4));
    assert_eq!(client.connection.sent_oneway(), None);
    assert_eq!(client.connection.close().collect::<Vec<_>>(), [(1, true)]);
    assert!(client.is_empty());
}

#[test]
fn calls_that_ended_before_there_was_a_connection_are_not_sent() {
    let mut client = Client::new(LIMITS);
    let long = "x".repeat(100);
    for caller in 0..6 {
        client
            .start_as(caller, |r| {
                r.oneway = caller % 2 == 0;
                r.func = if caller < 3 { &long } else { "f" };
                if caller % 3 == 0 {
                    r.deadline -= Duration::from_secs(2);
                }
            })
            .unwrap();
    }
    client.now += Duration::from_secs(1);
    while client.connection.expired(client.now).is_some() {}
    client.connection.forget_ended();

    // The second and the third, which is oneway, and a byte of the fifth, which is oneway, too.
    let bytes = client.connection.buffers().1.to_vec();
    let mut ids = Vec::new();
    let mut ends = vec![0];
    while let Some(len) = bytes[ends[ends.len() - 1]..].first_chunk() {
        let begin = ends[ends.len() - 1];
        let end = begin + u32::from_be_bytes(*len) as usize;
        let packet: RequestPacket = fixtures::packet(&bytes[begin..end]);
        ids.push(packet.request_id);
        ends.push(end);
    }
    assert_eq!(ids, [2, 3, 5, 6]);
    client.connection.sent(ends[2] + 1);
    assert_eq!(client.connection.sent_oneway(), Some(2));
    assert_eq!(client.connection.sent_oneway(), None);
    let mut callers: Vec<_> = client.connection.close().collect();
    callers.sort_unstable();
    assert_eq!(callers, [(1, true), (4, true), (5, false)]);
}

#[test]
fn close_gives_all_calls_back_and_forgets_all_bytes() {
    let mut client = Client::new(LIMITS);
    for caller in 0..100 {
        client
            .start_as(caller, |r| r.oneway = caller % 2 == 0)
            .unwrap();
    }
    let first = client.connection.oneway[0].0;
    client.connection.sent(usize::try_from(first).unwrap() + 1);
    client.receive(&answer(1)[..7]);
    let mut callers: Vec<_> = client.connection.close().collect();
    callers.sort_unstable();
    // The second frame is sent in part.
    assert_eq!(callers, (0..100).map(|n| (n, n < 2)).collect::<Vec<_>>());
    assert!(client.is_empty() && client.connection.is_idle());

    // The next connection begins with a whole frame, and with an id that the last one never had.
    let id = client.start(0).unwrap();
    assert_eq!(id, 101);
    let packet: RequestPacket = fixtures::packet(&client.take_output());
    assert_eq!(packet.request_id, id);
    client.receive(&answer(id));
    assert_eq!(client.answered(), Some(0));
}

#[test]
fn violations_are_told() {
    let bad_packet = [0, 0, 0, 6, 0x10, 1];
    let cases: [(&[u8], bool); 5] = [
        (&[0, 0, 0, 0], true),
        (&[0, 0, 0, 4], true),
        (&[0xff, 0xff, 0xff, 0xff], true),
        (&bad_packet, false),
        (&[0, 0, 0, 5, 0xff], false),
    ];
    for (bytes, frame) in cases {
        let mut client = Client::new(LIMITS);
        client.receive(bytes);
        match client.connection.next_event() {
            Err(Violation::Frame(_)) => assert!(frame, "{bytes:?}"),
            Err(Violation::Packet(_)) => assert!(!frame, "{bytes:?}"),
            Ok(event) => panic!("{bytes:?}: {event:?}"),
        }
    }
}

#[test]
fn every_truncated_or_flipped_answer_is_an_event_an_error_or_nothing() {
    let frame = fixtures::cpp("frame_rsp_decodeerr_full");
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut client = Client::new(LIMITS);
            client.start(1).unwrap();
            let mut bytes = frame.clone();
            bytes[at] ^= 1 << bit;
            client.receive(&bytes);
            while let Ok(Some(_)) = client.connection.next_event() {}
            client.connection.close().for_each(drop);
            assert!(client.is_empty());
        }
    }
}

#[test]
fn limit_of_pending_calls() {
    for limit in [1, 2, 17, 100] {
        let mut client = Client::new(Limits {
            max_pending: limit as usize,
            ..LIMITS
        });
        for caller in 0..limit {
            client.start(caller).unwrap();
        }
        let full = Refusal::Full(Full::Pending(limit as usize));
        assert_eq!(client.start(1000), Err((full, 1000)));
        client.connection.cancel(1);
        client.start(1001).unwrap();
    }
}

#[test]
fn limit_of_unsent_bytes() {
    let mut probe = Client::new(LIMITS);
    probe.start(0).unwrap();
    let frame = probe.take_output().len();
    for (limit, taken) in [(2 * frame - 1, 2), (2 * frame, 2), (2 * frame + 1, 3)] {
        let mut client = Client::new(Limits {
            max_unsent: limit,
            ..LIMITS
        });
        let count = (0..10)
            .take_while(|caller| client.start(*caller).is_ok())
            .count();
        assert_eq!(count, taken, "{limit} bytes");
        client.take_output();
        client.start(9).unwrap();
    }
}

#[test]
fn limit_of_frames() {
    let frame = answer(1);
    for (limit, taken) in [
        (frame.len() - 1, false),
        (frame.len(), true),
        (frame.len() + 1, true),
    ] {
        let mut client = Client::new(Limits {
            max_frame: limit,
            ..LIMITS
        });
        client.start(1).unwrap();
        client.receive(&frame);
        assert_eq!(
            client.connection.next_event().is_ok(),
            taken,
            "{limit} bytes"
        );
    }
}

#[test]
fn a_request_that_no_server_takes_is_refused_without_a_trace() {
    let body = vec![0; MAX_FRAME];
    let mut client = Client::new(LIMITS);
    let refused = client.start_as(1, |r| r.body = &body);
    assert!(
        matches!(refused, Err((Refusal::Encode(_), 1))),
        "{refused:?}"
    );
    assert!(client.is_empty() && client.connection.is_idle());
}
