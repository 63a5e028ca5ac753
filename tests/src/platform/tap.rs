//! Between the wire and the services: keeps requests as they came, and plays the moods.

use std::{io, sync::Arc};

use bytes::BytesMut;
use tars_codec::{FrameSplitter, decode_bytes};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
    time::sleep,
};

use super::{Mood, Shared};

/// No answer: a frame whose packet is none.
const GARBAGE: &[u8] = b"\0\0\0\x08\xff\xff\xff\xff";

/// Accepts connections, which break when this is dropped.
pub(super) async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, peer)) = listener.accept().await {
        let (ours, theirs) = duplex(1 << 20);
        connections.spawn(shared.server.serve_stream(theirs, peer));
        connections.spawn(connection(stream, ours, Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, server: DuplexStream, shared: Arc<Shared>) {
    let (from_client, to_client) = stream.into_split();
    let (from_server, to_server) = split(server);
    // Whatever ends first ends the connection.
    tokio::select! {
        _ = requests(from_client, to_server, &shared) => {}
        _ = answers(from_server, to_client, &shared) => {}
    }
}

async fn requests(
    mut client: OwnedReadHalf,
    mut server: WriteHalf<DuplexStream>,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    let splitter = FrameSplitter::default();
    while client.read_buf(&mut buffer).await? > 0 {
        while let Ok(Some(packet)) = splitter.split(&mut buffer) {
            let Ok(request) = decode_bytes(&packet) else {
                return Ok(());
            };
            shared.packets.send_modify(|packets| packets.push(request));
            let len = u32::try_from(packet.len() + 4).unwrap_or(u32::MAX);
            server.write_u32(len).await?;
            server.write_all(&packet).await?;
        }
    }
    Ok(())
}

async fn answers(
    mut server: ReadHalf<DuplexStream>,
    mut client: OwnedWriteHalf,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    while server.read_buf(&mut buffer).await? > 0 {
        let mood = *shared.mood();
        match mood {
            Mood::Well => client.write_all(&buffer).await?,
            Mood::Slow(time) => {
                sleep(time).await;
                client.write_all(&buffer).await?;
            }
            Mood::Deaf => {}
            Mood::Wrong => client.write_all(GARBAGE).await?,
        }
        buffer.clear();
    }
    Ok(())
}
