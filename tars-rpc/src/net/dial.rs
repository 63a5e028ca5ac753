//! How a client gets a stream to an endpoint.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpSocket, TcpStream, UdpSocket, lookup_host},
    task::JoinSet,
    time::sleep,
};

use super::datagram::DatagramStream;
use crate::Endpoint;

/// How long an address has the attempt to itself, before the next one of the same name is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// After so much silence the system asks the peer whether it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Connects by TCP to the first address of the endpoint's host that answers, without Nagle's delay.
pub(crate) async fn tcp(endpoint: &Endpoint) -> io::Result<TcpStream> {
    let from = local_address(endpoint)?;
    let mut addresses = addresses(endpoint, from).await?.into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = None;
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(connect(address, from));
        }
        let more = addresses.len() > 0;
        tokio::select! {
            Some(attempt) = attempts.join_next() => match attempt.map_err(io::Error::other) {
                Ok(Ok(stream)) => return Ok(stream),
                // The first address is the one that the system likes best; its failure is told.
                Ok(Err(error)) | Err(error) => failure = failure.or(Some(error)),
            },
            () = sleep(HEAD_START), if more => {}
            else => return Err(failure.unwrap_or_else(no_address)),
        }
    }
}

async fn connect(address: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let stream = match from {
        None => TcpStream::connect(address).await?,
        Some(from) => {
            let socket = match from {
                IpAddr::V4(_) => TcpSocket::new_v4()?,
                IpAddr::V6(_) => TcpSocket::new_v6()?,
            };
            socket.bind(SocketAddr::new(from, 0))?;
            socket.connect(address).await?
        }
    };
    stream.set_nodelay(true)?;
    // The system finds a peer that is gone also when the pings of the protocol are off.
    let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE);
    SockRef::from(&stream).set_tcp_keepalive(&keep_alive)?;
    Ok(stream)
}

/// A stream of the frames that are exchanged with the endpoint in datagrams.
pub(crate) async fn udp(endpoint: &Endpoint) -> io::Result<DatagramStream> {
    let from = local_address(endpoint)?;
    let mut failure = None;
    for address in addresses(endpoint, from).await? {
        match udp_socket(address, from).await {
            Ok(socket) => return Ok(DatagramStream::new(socket)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(no_address))
}

async fn udp_socket(address: SocketAddr, from: Option<IpAddr>) -> io::Result<UdpSocket> {
    let any = if address.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind(SocketAddr::new(from.unwrap_or(any), 0)).await?;
    socket.connect(address).await?;
    Ok(socket)
}

/// The `-b` of an endpoint.
fn local_address(endpoint: &Endpoint) -> io::Result<Option<IpAddr>> {
    let Some(text) = &endpoint.bind else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let text = format!("`-b` takes an IP address of this machine, not `{text}`");
        io::Error::new(io::ErrorKind::InvalidInput, text)
    })
}

/// The addresses of the host, of the kind that one can connect to from there.
async fn addresses(endpoint: &Endpoint, from: Option<IpAddr>) -> io::Result<Vec<SocketAddr>> {
    let all = lookup_host((endpoint.host.as_str(), endpoint.port)).await?;
    let fits = |a: &SocketAddr| from.is_none_or(|from| from.is_ipv4() == a.is_ipv4());
    Ok(all.filter(fits).collect())
}

fn no_address() -> io::Error {
    let text = "the host has no address (or none of the kind of `-b`)";
    io::Error::new(io::ErrorKind::NotFound, text)
}
