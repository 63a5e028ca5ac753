//! A peer that gives whatever answers the test has for it.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use tars_codec::{FrameSplitter, RequestPacket, ResponsePacket, Struct, decode_bytes, encode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

/// The two shapes of packets.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wire {
    /// Version 1: answers are `ResponsePacket`s.
    Tars,
    /// Version 3: answers are `RequestPacket`s.
    Tup,
}

impl Wire {
    pub(crate) fn of(version: i16) -> Self {
        match version {
            1 => Self::Tars,
            _ => Self::Tup,
        }
    }
}

/// Listens, and hands what it reads to the test.
pub(crate) struct Peer {
    address: SocketAddr,
    requests: mpsc::Receiver<Asked>,
}

/// A request that waits for its answer, if it wants one.
pub(crate) struct Asked {
    pub(crate) packet: RequestPacket,
    answer: oneshot::Sender<Vec<u8>>,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel(1);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone()));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn request(&mut self) -> Asked {
        self.requests.recv().await.expect("a request")
    }
}

impl Asked {
    /// Answers with a recorded packet, under the number of this request.
    pub(crate) fn answer(self, wire: Wire, recorded: &[u8]) {
        let recorded = Bytes::copy_from_slice(recorded);
        let packet = match wire {
            Wire::Tars => {
                let mut packet: ResponsePacket = decode_bytes(&recorded).unwrap();
                packet.request_id = self.packet.request_id;
                framed(&packet)
            }
            Wire::Tup => {
                let mut packet: RequestPacket = decode_bytes(&recorded).unwrap();
                packet.request_id = self.packet.request_id;
                framed(&packet)
            }
        };
        self.answer.send(packet).expect("the peer waits");
    }
}

async fn serve(mut stream: TcpStream, requests: mpsc::Sender<Asked>) {
    while let Some(packet) = read_packet(&mut stream).await {
        let packet: RequestPacket = decode_bytes(&packet).unwrap();
        let (answer, answered) = oneshot::channel();
        if requests.send(Asked { packet, answer }).await.is_err() {
            return;
        }
        // Without an answer, the request was one-way.
        if let Ok(answer) = answered.await {
            stream.write_all(&answer).await.unwrap();
        }
    }
}

/// The next packet, without its length.
pub(crate) async fn read_packet(stream: &mut TcpStream) -> Option<Bytes> {
    let mut buf = BytesMut::new();
    loop {
        if let Some(packet) = FrameSplitter::default().split(&mut buf).unwrap() {
            return Some(packet);
        }
        // Byte by byte, so that nothing of the next frame is taken.
        buf.extend_from_slice(&[stream.read_u8().await.ok()?]);
    }
}

/// A packet with its length.
pub(crate) fn framed<T: Struct>(packet: &T) -> Vec<u8> {
    let packet = encode(packet).unwrap();
    let len = u32::try_from(packet.len() + 4).unwrap();
    [&len.to_be_bytes(), packet.as_slice()].concat()
}
