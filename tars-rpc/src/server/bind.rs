//! The sockets of an endpoint.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::net::{TcpListener, UdpSocket, lookup_host};

use crate::{Endpoint, Error, Result, Transport};

/// A socket of an adapter.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    /// As TCP, with a handshake.
    #[cfg(feature = "tls")]
    Ssl(TcpListener),
    Udp(UdpSocket),
}

/// A socket, and where it is.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) address: SocketAddr,
    /// What became of the endpoint: an address and its port.
    pub(super) endpoint: Endpoint,
    pub(super) socket: Socket,
    /// The endpoint's `-t`.
    pub(super) idle: Option<Duration>,
}

/// Binds all addresses of an endpoint, in the order in which its name has them.
///
/// # Errors
/// [`Error::Listen`]: one of them is taken or none can be had. An address that this machine does not have, such as
/// `::1` without IPv6, is passed over if the name has another.
pub(super) async fn bind(endpoint: &Endpoint) -> Result<Vec<Bound>> {
    let failed = |source: io::Error| Error::Listen {
        endpoint: Arc::new(endpoint.clone()),
        source: Arc::new(source),
    };
    let addresses = lookup_host((endpoint.host.as_str(), endpoint.port))
        .await
        .map_err(failed)?;
    let mut bound: Vec<Bound> = Vec::new();
    let mut missing = None;
    for mut address in addresses {
        if bound.iter().any(|b| b.address.ip() == address.ip()) {
            continue;
        }
        if let Some(first) = bound.first() {
            address.set_port(first.address.port());
        }
        match socket(endpoint.transport, address).await {
            Ok((socket, address)) => bound.push(Bound {
                address,
                endpoint: Endpoint {
                    host: host(address),
                    port: address.port(),
                    ..endpoint.clone()
                },
                socket,
                idle: endpoint.timeout.map(|ms| Duration::from_millis(ms.into())),
            }),
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => missing = Some(error),
            Err(error) => return Err(failed(error)),
        }
    }
    if bound.is_empty() {
        let none = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        return Err(failed(missing.unwrap_or_else(none)));
    }
    Ok(bound)
}

async fn socket(transport: Transport, address: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    if transport == Transport::Udp {
        let socket = UdpSocket::bind(address).await?;
        let local = socket.local_addr()?;
        return Ok((Socket::Udp(socket), local));
    }
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    #[cfg(feature = "tls")]
    if transport == Transport::Ssl {
        return Ok((Socket::Ssl(listener), local));
    }
    Ok((Socket::Tcp(listener), local))
}

/// An address as the `-h` of an endpoint. An IPv6 address may need the number of its network interface.
pub(super) fn host(address: SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => IpAddr::to_string(&address.ip()),
    }
}
