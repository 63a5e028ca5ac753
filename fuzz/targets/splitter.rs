//! The frame splitter: however a stream is cut, the same packets come out, or the same error.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use tars_codec::{FrameError, FrameSplitter};

const MAX: usize = 300;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (stream, cuts) = input;
    let whole = split(&stream, &[]);
    assert_eq!(whole, split(&stream, &cuts));
    for packet in &whole.0 {
        assert!(!packet.is_empty() && packet.len() + 4 <= MAX);
    }
});

/// The packets of a stream that comes in chunks of these sizes, over and over, and how it ends.
fn split(mut stream: &[u8], cuts: &[u8]) -> (Vec<Bytes>, Result<usize, FrameError>) {
    let splitter = FrameSplitter::new(MAX);
    let (mut buf, mut packets) = (BytesMut::new(), Vec::new());
    let mut cuts = cuts.iter().map(|&cut| usize::from(cut).max(1)).cycle();
    while !stream.is_empty() {
        let size = cuts.next().unwrap_or(stream.len()).min(stream.len());
        let (chunk, rest) = stream.split_at(size);
        buf.extend_from_slice(chunk);
        stream = rest;
        loop {
            match splitter.split(&mut buf) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(error) => return (packets, Err(error)),
            }
        }
    }
    (packets, Ok(buf.len()))
}
