//! A proxy between clients and a server that does to their connections what networks and bad peers do.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
    time::sleep,
};

/// What may happen to a frame instead of being passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection is closed.
    Cut,
    /// Part of the frame, then the connection is closed.
    Truncated,
    /// Bytes that are no frame, and frames that are no packet, before it.
    Garbage,
    /// It comes late, and all that follow it.
    Delay,
    /// It comes byte by byte.
    Slow,
    /// Nothing more is passed on or closed for a while.
    HalfOpen,
    /// Nothing more is read for a while, so that the sender's buffers fill.
    NotRead,
}

impl Fault {
    /// One frame in some hundreds.
    fn pick() -> Option<Self> {
        Some(match fastrand::u32(..4000) {
            0..=1 => Self::Cut,
            2 => Self::Truncated,
            3..=4 => Self::Garbage,
            5..=19 => Self::Delay,
            20..=29 => Self::Slow,
            30 => Self::HalfOpen,
            31 => Self::NotRead,
            _ => return None,
        })
    }
}

/// How many faults there were, for the report.
#[derive(Debug, Default)]
pub(crate) struct Faults(AtomicU64);

impl Faults {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Passes connections on to the server of the moment, until it is dropped.
pub(crate) async fn proxy(
    listener: TcpListener,
    server: watch::Receiver<SocketAddr>,
    faults: Arc<Faults>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let address = *server.borrow();
                let faults = Arc::clone(&faults);
                connections.spawn(async move {
                    // Without a server the client sees a connection that is closed at once.
                    let _ = connection(client, address, &faults).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(client: TcpStream, server: SocketAddr, faults: &Faults) -> io::Result<()> {
    let server = TcpStream::connect(server).await?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The end of either direction is the end of the connection.
    tokio::select! {
        result = pass(from_client, to_server, faults) => result,
        result = pass(from_server, to_client, faults) => result,
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, faults: &Faults) -> io::Result<()> {
    let mut bytes = BytesMut::new();
    while from.read_buf(&mut bytes).await? > 0 {
        while let Some(length) = frame(&bytes) {
            let frame = bytes.split_to(length);
            let Some(fault) = Fault::pick() else {
                to.write_all(&frame).await?;
                continue;
            };
            faults.0.fetch_add(1, Ordering::Relaxed);
            match fault {
                Fault::Cut => return Ok(()),
                Fault::Truncated => {
                    let part = fastrand::usize(..frame.len());
                    return to.write_all(&frame[..part]).await;
                }
                Fault::Garbage => to.write_all(&garbage()).await?,
                Fault::Delay => sleep(Duration::from_millis(fastrand::u64(1..500))).await,
                Fault::Slow => {
                    let (slow, rest) = frame.split_at(frame.len().min(50));
                    for byte in slow {
                        to.write_all(&[*byte]).await?;
                        sleep(Duration::from_millis(1)).await;
                    }
                    to.write_all(rest).await?;
                    continue;
                }
                Fault::HalfOpen => {
                    // What comes is taken, and lost.
                    let end = sleep(Duration::from_secs(3));
                    tokio::pin!(end);
                    loop {
                        bytes.clear();
                        tokio::select! {
                            read = from.read_buf(&mut bytes) => if read? == 0 { break },
                            () = &mut end => break,
                        }
                    }
                    return Ok(());
                }
                Fault::NotRead => {
                    sleep(Duration::from_secs(3)).await;
                    return Ok(());
                }
            }
            to.write_all(&frame).await?;
        }
    }
    Ok(())
}

/// The length of the frame that `bytes` begin with, if it is there.
fn frame(mut bytes: &[u8]) -> Option<usize> {
    let available = bytes.len();
    if available < 4 {
        return None;
    }
    let length = usize::try_from(bytes.get_u32()).ok()?;
    (length <= available).then_some(length)
}

fn garbage() -> Vec<u8> {
    let mut bytes: Vec<_> = (0..fastrand::usize(4..200))
        .map(|_| fastrand::u8(..))
        .collect();
    if fastrand::bool() {
        // A frame of the right length, whose packet is nonsense.
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        bytes[..4].copy_from_slice(&length.to_be_bytes());
    }
    bytes
}
