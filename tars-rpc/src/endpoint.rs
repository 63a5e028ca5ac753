//! Where a server listens: `tcp -h 127.0.0.1 -p 15380 -t 60000`.

use std::{fmt, str::FromStr};

use crate::address::{AddressError, parse_endpoint};

/// How bytes get to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// `tcp`.
    Tcp,
    /// `udp`: a request or an answer in each datagram.
    Udp,
    /// `ssl`: TLS over TCP, with feature `tls`.
    Ssl,
}

impl Transport {
    pub(crate) const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Ssl];

    /// As written in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Ssl => "ssl",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One place where a server listens, in the form of Tars addresses.
///
/// ```
/// use tars_rpc::Endpoint;
///
/// let endpoint: Endpoint = "tcp -h ::1 -p 15380 -t 60000".parse()?;
/// assert_eq!(endpoint.authority(), "[::1]:15380");
/// assert_eq!(endpoint.to_string(), "tcp -h ::1 -p 15380 -t 60000");
/// # Ok::<(), tars_rpc::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Endpoint {
    /// `tcp`, `udp` or `ssl`.
    pub transport: Transport,
    /// `-h`: name or IP address (IPv6 without brackets). `*` has become `0.0.0.0`.
    pub host: String,
    /// `-p`.
    pub port: u16,
    /// `-t`: after how many milliseconds without traffic the server closes a connection.
    pub timeout: Option<u32>,
    /// `-w`: weight among the endpoints, at most 100; -1 for none.
    pub weight: Option<i32>,
    /// `-v`: 0 round robin, 1 static weight.
    pub weight_type: Option<i32>,
    /// `-q`: quality of service bits of the IP packets.
    pub qos: Option<i32>,
    /// `-e`: 1 if the server wants authentication.
    pub auth: Option<i32>,
    /// `-g`: grid.
    pub grid: Option<i32>,
    /// `-b`: local address that a client binds.
    pub bind: Option<String>,
    /// The set that the server is in, `name.area.group`, as the registry says. It is no part of an address.
    pub set: Option<String>,
}

impl Endpoint {
    /// An endpoint with nothing but its place.
    pub fn new(transport: Transport, host: impl Into<String>, port: u16) -> Self {
        Self {
            transport,
            host: host.into(),
            port,
            timeout: None,
            weight: None,
            weight_type: None,
            qos: None,
            auth: None,
            grid: None,
            bind: None,
            set: None,
        }
    }

    /// `HOST:PORT`, an IPv6 host in brackets.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -h {} -p {}", self.transport, self.host, self.port)?;
        if let Some(timeout) = self.timeout {
            write!(f, " -t {timeout}")?;
        }
        for (flag, value) in [
            ("-w", self.weight),
            ("-v", self.weight_type),
            ("-q", self.qos),
            ("-e", self.auth),
            ("-g", self.grid),
        ] {
            if let Some(value) = value {
                write!(f, " {flag} {value}")?;
            }
        }
        if let Some(bind) = &self.bind {
            write!(f, " -b {bind}")?;
        }
        Ok(())
    }
}

impl FromStr for Endpoint {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        parse_endpoint(text, 0..text.len())
    }
}
