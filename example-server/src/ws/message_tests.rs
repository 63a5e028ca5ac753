//! The assembler against scripted peers: any chunking gives the same events.

use proptest::prelude::*;

use super::*;

/// A client's frame.
fn client_frame(fin: bool, opcode: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![u8::from(fin) << 7 | opcode];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | len as u8),
        len @ 126..=0xFFFF => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    let start = frame.len();
    frame.extend(payload);
    frame::apply_mask(&mut frame[start..], mask);
    frame
}

/// Feeds `bytes` in chunks and collects events up to the first violation.
fn events<'a>(
    max: usize,
    chunks: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Event>, Option<Violation>) {
    let mut assembler = Assembler::new(max);
    let mut events = Vec::new();
    for chunk in chunks {
        let mut chunk = chunk.to_vec();
        let mut input = chunk.as_mut_slice();
        loop {
            match assembler.next_event(&mut input) {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(violation) => return (events, Some(violation)),
            }
        }
        assert!(
            input.is_empty(),
            "an assembler that waits has used its input up"
        );
    }
    (events, None)
}

fn whole(max: usize, bytes: &[u8]) -> (Vec<Event>, Option<Violation>) {
    events(max, std::iter::once(bytes))
}

fn text(text: &str) -> Event {
    Event::Message(Message::Text(text.to_owned()))
}

#[test]
fn control_frames_come_between_fragments() {
    let mut bytes = client_frame(false, 1, &"房".as_bytes()[..2], [1, 2, 3, 4]);
    bytes.extend(client_frame(true, 9, b"are you there", [9; 4]));
    bytes.extend(client_frame(false, 0, &"房".as_bytes()[2..], [5; 4]));
    bytes.extend(client_frame(true, 10, b"", [5; 4]));
    bytes.extend(client_frame(true, 0, b"!", [0; 4]));
    bytes.extend(client_frame(true, 8, &[0x03, 0xE8], [0; 4]));
    let expected = vec![
        Event::Ping(b"are you there".to_vec()),
        Event::Pong,
        text("房!"),
        Event::Close(Some(CloseCode::NORMAL)),
    ];
    assert_eq!(whole(1024, &bytes), (expected, None));
}

#[test]
fn the_limit_counts_the_whole_message() {
    for (len, fits) in [(9, true), (10, true), (11, false)] {
        let payload = vec![b'a'; len];
        let (events, violation) = whole(10, &client_frame(true, 2, &payload, [0; 4]));
        assert_eq!(
            (events.len(), violation.is_none()),
            (usize::from(fits), fits),
            "{len}"
        );

        let mut fragments = client_frame(false, 2, &payload[..6], [0; 4]);
        fragments.extend(client_frame(true, 0, &payload[6..], [0; 4]));
        let (events, violation) = whole(10, &fragments);
        assert_eq!(
            (events.len(), violation.is_none()),
            (usize::from(fits), fits),
            "{len}"
        );
    }
}

#[test]
fn a_promise_is_refused_before_its_bytes_arrive_and_reserves_nothing() {
    let header = [
        0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0,
    ];
    assert_eq!(
        whole(10, &header),
        (vec![], Some(Violation::TooBig { limit: 10 }))
    );
    let mut assembler = Assembler::new(usize::MAX);
    assert_eq!(
        assembler.next_event(&mut header.to_vec().as_mut_slice()),
        Ok(None)
    );
    assert!(matches!(&assembler.message, Some(Partial::Binary(bytes)) if bytes.capacity() == 0));
}

#[test]
fn sequences_against_the_protocol() {
    let continuation = client_frame(true, 0, b"x", [0; 4]);
    assert_eq!(
        whole(10, &continuation).1,
        Some(Violation::NothingToContinue)
    );
    let interrupted = [
        client_frame(false, 1, b"x", [0; 4]),
        client_frame(true, 1, b"y", [0; 4]),
    ]
    .concat();
    assert_eq!(
        whole(10, &interrupted).1,
        Some(Violation::InterruptedMessage)
    );
    let close = |payload: &[u8]| whole(10, &client_frame(true, 8, payload, [0; 4]));
    assert_eq!(close(b"").0, [Event::Close(None)]);
    assert_eq!(close(b"\x03").1, Some(Violation::ShortClose));
    assert_eq!(close(b"\x03\xED").1, Some(Violation::CloseCode(1005)));
    assert_eq!(close(b"\x03\xE8\xFF").1, Some(Violation::NotUtf8));
}

#[test]
fn wrong_utf8_is_found_with_its_first_wrong_byte() {
    // A surrogate: the second byte tells, though the header promises many more.
    let frame = client_frame(true, 1, b"ok\xED\xA0more", [7; 4]);
    let header = 6;
    assert_eq!(whole(100, &frame[..header + 3]), (vec![], None));
    assert_eq!(
        whole(100, &frame[..header + 4]),
        (vec![], Some(Violation::NotUtf8))
    );
    // A message that ends inside of a character.
    let cut = client_frame(true, 1, &"房".as_bytes()[..2], [7; 4]);
    assert_eq!(whole(100, &cut).1, Some(Violation::NotUtf8));
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_events(
        frames in prop::collection::vec(
            (any::<bool>(), prop::sample::select(vec![0u8, 1, 2, 8, 9, 10, 3]),
             prop_oneof![
                 "[a-z\u{e4}\u{623f}\u{1f600}]{0,60}".prop_map(String::into_bytes),
                 prop::collection::vec(any::<u8>(), 0..300),
             ], any::<[u8; 4]>()),
            0..8),
        size in 1usize..40,
    ) {
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(fin, opcode, payload, mask)| client_frame(*fin, *opcode, payload, *mask))
            .collect();
        let at_once = whole(400, &bytes);
        prop_assert_eq!(&events(400, bytes.chunks(size)), &at_once);
        prop_assert_eq!(&events(400, bytes.chunks(1)), &at_once);
    }

    #[test]
    fn any_bytes_in_any_chunking_give_the_same_events(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        size in 1usize..20,
    ) {
        prop_assert_eq!(events(50, bytes.chunks(size)), whole(50, &bytes));
    }

    #[test]
    fn text_survives_any_fragmentation(
        text in "[a-z\u{e4}\u{623f}\u{1f600}]{0,40}",
        cuts in prop::collection::vec(0usize..160, 0..6),
        mask in any::<[u8; 4]>(),
    ) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let mut stream = Vec::new();
        let mut start = 0;
        for (index, &end) in cuts.iter().enumerate() {
            let opcode = if index == 0 { 1 } else { 0 };
            stream.extend(client_frame(index + 1 == cuts.len(), opcode, &bytes[start..end], mask));
            start = end;
        }
        prop_assert_eq!(whole(1000, &stream), (vec![Event::Message(Message::Text(text))], None));
    }
}
