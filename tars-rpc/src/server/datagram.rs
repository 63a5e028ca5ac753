//! Tars over UDP: a frame in a datagram, in both directions.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use tars_codec::{self as codec, FrameSplitter, RequestPacket};
use tokio::{net::UdpSocket, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    adapter::Shared,
    desk::{Answers, Desk, Part},
};
use crate::{
    net::{Alarm, MAX_DATAGRAM, now},
    protocol::server::{Answer, ReplyTo},
};

/// Datagrams that are read in one turn.
const BATCH: usize = 64;

/// After an error of the socket that is no peer's.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers that wait for room in the socket.
struct Outbox {
    datagrams: VecDeque<(SocketAddr, Vec<u8>)>,
    bytes: usize,
    max: usize,
}

impl Outbox {
    fn put(&mut self, to: SocketAddr, datagram: Vec<u8>) {
        self.bytes += datagram.len();
        self.datagrams.push_back((to, datagram));
    }

    fn pop(&mut self) {
        if let Some((_, datagram)) = self.datagrams.pop_front() {
            self.bytes -= datagram.len();
        }
    }
}

impl Answers for Outbox {
    fn answer(&mut self, peer: SocketAddr, to: &ReplyTo, answer: &Answer<'_>) -> codec::Result<()> {
        let mut datagram = Vec::new();
        to.append(&mut datagram, answer, MAX_DATAGRAM)?;
        self.put(peer, datagram);
        Ok(())
    }

    fn push(&mut self, peer: SocketAddr, frame: &[u8]) {
        if frame.len() <= MAX_DATAGRAM {
            self.put(peer, frame.to_vec());
        } else {
            warn!(%peer, bytes = frame.len(), "a push does not fit into a datagram");
        }
    }

    fn has_room(&self) -> bool {
        self.bytes < self.max
    }
}

struct Datagrams {
    shared: Arc<Shared>,
    socket: UdpSocket,
    local: SocketAddr,
    desk: Desk,
    outbox: Outbox,
    splitter: FrameSplitter,
}

/// Serves a socket until the server drains and all requests are answered.
pub(super) async fn serve(
    shared: Arc<Shared>,
    socket: UdpSocket,
    local: SocketAddr,
    drain: CancellationToken,
) {
    let limits = &shared.limits;
    // There are no connections, of which each could have its part.
    let part = Part {
        in_flight: usize::MAX,
        queue: usize::MAX,
        bytes: usize::MAX,
    };
    let mut datagrams = Datagrams {
        outbox: Outbox {
            datagrams: VecDeque::new(),
            bytes: 0,
            max: limits.max_unsent,
        },
        splitter: FrameSplitter::new(limits.max_frame),
        desk: Desk::new(Arc::clone(&shared), part),
        shared,
        socket,
        local,
    };
    datagrams.talk(drain).await;
    datagrams.desk.close().await;
}

impl Datagrams {
    async fn talk(&mut self, drain: CancellationToken) {
        let mut buf = vec![0; MAX_DATAGRAM + 1];
        let mut alarm = Alarm::default();
        loop {
            let turn = now();
            self.desk.begin(turn, &mut self.outbox);
            self.desk.end_turn();
            let draining = drain.is_cancelled();
            if draining && self.desk.is_idle() && self.outbox.datagrams.is_empty() {
                return;
            }
            let has_room = self.outbox.has_room();
            let wake_at = self.desk.wake_at();
            tokio::select! {
                received = self.socket.recv_from(&mut buf), if has_room && !draining => {
                    match received {
                        Ok((n, peer)) => self.received(&mut buf, n, peer),
                        Err(error) => {
                            self.failed("receive", &error);
                            if !is_of_a_peer(&error) {
                                sleep(PAUSE).await;
                            }
                        }
                    }
                }
                sent = send(&self.socket, self.outbox.datagrams.front()) => {
                    if let Err(error) = sent {
                        self.failed("send", &error);
                    }
                    self.outbox.pop();
                }
                event = self.desk.event(has_room) => {
                    self.desk.handle(event, &mut self.outbox);
                }
                () = drain.cancelled(), if !draining => {}
                () = alarm.ring(wake_at) => {}
            }
        }
    }

    /// Takes up a datagram, and those that have come with it.
    fn received(&mut self, buf: &mut [u8], n: usize, peer: SocketAddr) {
        let arrived = now();
        let mut next = Some((n, peer));
        for _ in 0..BATCH {
            let Some((n, peer)) = next else { break };
            if let Some(datagram) = buf.get(..n) {
                self.take(datagram, peer, arrived);
            }
            if !self.outbox.has_room() {
                break;
            }
            next = self.socket.try_recv_from(buf).ok();
        }
    }

    fn take(&mut self, datagram: &[u8], peer: SocketAddr, arrived: Instant) {
        let tally = &self.shared.tally;
        // Port 0 cannot be answered.
        if !self.shared.admission.allows(peer.ip()) || peer.port() == 0 {
            return tally.count(|s| &s.denied);
        }
        let mut bytes = BytesMut::from(datagram);
        let packet = match self.splitter.split(&mut bytes) {
            Ok(Some(packet)) if bytes.is_empty() => packet,
            Ok(_) => {
                debug!(%peer, "dropped a datagram that is not a frame");
                return tally.count(|s| &s.closed_bad_frame);
            }
            Err(error) => {
                debug!(%peer, %error, "dropped a datagram that is not a frame");
                return tally.count(|s| &s.closed_bad_frame);
            }
        };
        match decode(&packet) {
            Ok(request) => self.desk.take(request, peer, arrived, &mut self.outbox),
            Err(error) => {
                debug!(%peer, %error, "dropped a datagram that cannot be decoded");
                tally.count(|s| &s.closed_bad_packet);
            }
        }
    }

    fn failed(&self, what: &str, error: &io::Error) {
        let adapter = &*self.shared.name;
        if is_of_a_peer(error) {
            debug!(adapter, address = %self.local, %error, "cannot {what} a datagram");
        } else {
            warn!(adapter, address = %self.local, %error, "cannot {what} a datagram");
        }
    }
}

/// An error of the socket is mostly some peer's, which is not there any more.
fn is_of_a_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
    )
}

fn decode(packet: &Bytes) -> codec::Result<RequestPacket> {
    codec::decode_bytes(packet)
}

/// Sends a datagram; waits forever for none.
async fn send(socket: &UdpSocket, first: Option<&(SocketAddr, Vec<u8>)>) -> io::Result<()> {
    match first {
        Some((to, datagram)) => socket.send_to(datagram, to).await.map(|_| ()),
        None => std::future::pending().await,
    }
}
