//! The bytes of what is published and kept, and what has come of it. No IO.

use std::collections::HashMap;

use crate::component::fd_store::NodeId;
use crate::component::spoken::{Spoken, SpokenId};

/// The format; another one is passed over.
const VERSION: u8 = 2;
/// Nodes whose last message is remembered. Each start of a process is a new node.
const MAX_NODES: usize = 4096;

/// A message on its way to other nodes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Published {
    /// Its number among what the node has published.
    pub(super) sequence: u64,
    pub(super) spoken: Spoken,
}

impl Published {
    pub(super) fn encode(sequence: u64, spoken: &Spoken) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64 + spoken.text.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&sequence.to_be_bytes());
        bytes.extend_from_slice(&spoken.time.to_be_bytes());
        put_kept(&mut bytes, spoken);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (sequence, rest) = number(rest)?;
        let (time, rest) = number(rest)?;
        let spoken = spoken(time, rest)?;
        Some(Self { sequence, spoken })
    }
}

/// A message as it is kept under its time: the same bytes whoever writes it, so that it is kept once.
pub(super) fn encode_kept(spoken: &Spoken) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32 + spoken.text.len());
    bytes.push(VERSION);
    put_kept(&mut bytes, spoken);
    bytes
}

pub(super) fn decode_kept(time: u64, bytes: &[u8]) -> Option<Spoken> {
    spoken(time, bytes.strip_prefix(&[VERSION])?)
}

fn put_kept(bytes: &mut Vec<u8>, spoken: &Spoken) {
    bytes.extend_from_slice(&spoken.id.node.get().to_be_bytes());
    bytes.extend_from_slice(&spoken.id.number.to_be_bytes());
    bytes.extend_from_slice(spoken.text.as_bytes());
}

fn spoken(time: u64, bytes: &[u8]) -> Option<Spoken> {
    let (node, rest) = number(bytes)?;
    let (number, text) = number(rest)?;
    Some(Spoken {
        id: SpokenId {
            node: NodeId::new(node),
            number,
        },
        time,
        text: std::str::from_utf8(text).ok()?.into(),
    })
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

/// What has been received, so that nothing is delivered twice.
#[derive(Debug, Default)]
pub(super) struct Received {
    last: HashMap<NodeId, u64>,
}

impl Received {
    /// Whether a message is new. Redis keeps the order of what a node publishes.
    pub(super) fn is_new(&mut self, node: NodeId, sequence: u64) -> bool {
        if self.last.len() >= MAX_NODES && !self.last.contains_key(&node) {
            self.last.clear();
        }
        let last = self.last.entry(node).or_insert(0);
        let is_new = sequence > *last;
        *last = sequence.max(*last);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes before the text.
    const HEAD: usize = 1 + 4 * 8;

    #[test]
    fn what_is_published_and_kept_is_read_back_and_nothing_else() {
        let spoken = Spoken {
            id: SpokenId {
                node: NodeId::new(u64::MAX),
                number: 9,
            },
            time: 1_764_000_000_000,
            text: "hi 房".into(),
        };
        let bytes = Published::encode(7, &spoken);
        let published = Published {
            sequence: 7,
            spoken: spoken.clone(),
        };
        assert_eq!(Published::decode(&bytes), Some(published));
        for cut in 0..HEAD {
            assert_eq!(Published::decode(&bytes[..cut]), None);
        }
        assert_eq!(
            Published::decode(&bytes[..bytes.len() - 1]),
            None,
            "not UTF-8"
        );
        let later = [&[VERSION + 1], &bytes[1..]].concat();
        assert_eq!(Published::decode(&later), None, "a later version");

        let kept = encode_kept(&spoken);
        assert_eq!(decode_kept(spoken.time, &kept), Some(spoken));
        assert_eq!(decode_kept(1, &kept[..16]), None);
        assert_eq!(decode_kept(1, b""), None);
    }

    #[test]
    fn a_message_is_new_once() {
        let [a, b] = [1, 2].map(NodeId::new);
        let mut received = Received::default();
        let news = [(a, 1), (a, 1), (b, 1), (a, 5), (a, 4), (a, 6)];
        let news = news.map(|(node, sequence)| received.is_new(node, sequence));
        assert_eq!(news, [true, false, true, true, false, true]);
        for id in 0..=MAX_NODES as u64 {
            received.is_new(NodeId::new(id), 1);
        }
        assert!(received.last.len() <= MAX_NODES);
    }
}
