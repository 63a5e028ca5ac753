//! The name of a servant and where it is: `App.Server.Obj@tcp -h HOST -p PORT:tcp -h HOST -p PORT`.

use std::{fmt, ops::Range, str::FromStr};

use crate::{Endpoint, Transport};

/// A servant's name and its endpoints, if the address has any.
///
/// ```
/// use tars_rpc::Address;
///
/// let address: Address = "PHPTest.PHPServer.obj@tcp -h 10.0.0.1 -p 80:tcp -h ::1 -p 80 -w 50".parse()?;
/// assert_eq!(address.object, "PHPTest.PHPServer.obj");
/// assert_eq!(address.endpoints[1].host, "::1");
///
/// let error = "PHPTest.PHPServer.obj@tcp -h 10.0.0.1 -p 80000".parse::<Address>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`-p` takes a port from 0 to 65535, not `80000`, at column 42 of \
///      `PHPTest.PHPServer.obj@tcp -h 10.0.0.1 -p 80000`",
/// );
/// # Ok::<(), tars_rpc::AddressError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Address {
    /// `App.Server.Obj`.
    pub object: String,
    /// Where it is. Empty for a bare name, which a registry resolves.
    pub endpoints: Vec<Endpoint>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        for (i, endpoint) in self.endpoints.iter().enumerate() {
            write!(f, "{}{endpoint}", if i == 0 { '@' } else { ':' })?;
        }
        Ok(())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (object, rest) = match text.split_once('@') {
            Some((object, rest)) => (object, Some(rest)),
            None => (text, None),
        };
        let object = object.trim();
        if object.is_empty() {
            return Err(AddressError::new(
                text,
                0,
                "the name of an object is missing",
            ));
        }
        if let Some(at) = object.find(char::is_whitespace) {
            let at = at + text.find(object).unwrap_or_default();
            return Err(AddressError::new(
                text,
                at,
                "a space in the name of the object; an `@` belongs between name and endpoints",
            ));
        }
        let endpoints = match rest {
            None => Vec::new(),
            Some(rest) => endpoint_ranges(text, text.len() - rest.len())
                .into_iter()
                .map(|range| parse_endpoint(text, range))
                .collect::<Result<_, _>>()?,
        };
        Ok(Self {
            object: object.to_owned(),
            endpoints,
        })
    }
}

/// Where each endpoint stands in `text`. A `:` separates two endpoints only where a transport follows: an IPv6
/// host has colons of its own.
fn endpoint_ranges(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut begin = start;
    for (at, _) in text.match_indices(':').filter(|(at, _)| *at >= start) {
        let next = text.get(at + 1..).unwrap_or_default();
        let word = next.split_whitespace().next().unwrap_or_default();
        if Transport::ALL.iter().any(|t| t.as_str() == word) {
            ranges.push(begin..at);
            begin = at + 1;
        }
    }
    ranges.push(begin..text.len());
    ranges
}

pub(crate) fn parse_endpoint(text: &str, range: Range<usize>) -> Result<Endpoint, AddressError> {
    let fail = |at: usize, what: String| Err(AddressError::new(text, at, what));
    let end = range.end;
    let mut words = words(text, range);
    let Some((at, word)) = words.next() else {
        return fail(end, "an endpoint is missing".to_owned());
    };
    let Some(transport) = Transport::ALL.into_iter().find(|t| t.as_str() == word) else {
        return fail(
            at,
            format!("unknown transport `{word}`; tcp, udp and ssl are known"),
        );
    };
    let mut host = None;
    let mut port = None;
    let mut endpoint = Endpoint::new(transport, "", 0);
    while let Some((at, flag)) = words.next() {
        if !matches!(
            flag,
            "-h" | "-p" | "-t" | "-w" | "-v" | "-q" | "-e" | "-g" | "-b"
        ) {
            return fail(at, format!("unknown option `{flag}`"));
        }
        let Some((at, value)) = words.next() else {
            return fail(end, format!("`{flag}` needs a value"));
        };
        let number = || {
            value.parse::<i32>().map(Some).map_err(|_| {
                AddressError::new(text, at, format!("`{flag}` takes a number, not `{value}`"))
            })
        };
        match flag {
            "-h" if value == "*" => host = Some("0.0.0.0".to_owned()),
            "-h" => host = Some(value.to_owned()),
            "-p" => match value.parse() {
                Ok(value) => port = Some(value),
                Err(_) => {
                    return fail(
                        at,
                        format!("`-p` takes a port from 0 to 65535, not `{value}`"),
                    );
                }
            },
            "-t" => match value.parse() {
                Ok(value) => endpoint.timeout = Some(value),
                Err(_) => return fail(at, format!("`-t` takes milliseconds, not `{value}`")),
            },
            "-w" => endpoint.weight = number()?.map(|w| w.min(100)),
            "-v" => endpoint.weight_type = number()?,
            "-q" => endpoint.qos = number()?,
            "-e" => endpoint.auth = number()?,
            "-g" => endpoint.grid = number()?,
            _ => endpoint.bind = Some(value.to_owned()),
        }
    }
    let (Some(host), Some(port)) = (host, port) else {
        return fail(
            end,
            "an endpoint needs both `-h HOST` and `-p PORT`".to_owned(),
        );
    };
    Ok(Endpoint {
        host,
        port,
        ..endpoint
    })
}

/// The words of a part of `text`, each with its place.
fn words(text: &str, range: Range<usize>) -> impl Iterator<Item = (usize, &str)> {
    let base = text.as_ptr().addr();
    text.get(range)
        .unwrap_or_default()
        .split_whitespace()
        .map(move |word| (word.as_ptr().addr() - base, word))
}

/// An address that cannot be understood: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    text: String,
    offset: usize,
    message: String,
}

impl AddressError {
    fn new(text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            text: text.to_owned(),
            offset,
            message: message.into(),
        }))
    }

    /// The byte of the address at which it was noticed.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl std::error::Error for AddressError {}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            text,
            offset,
            message,
        } = &*self.0;
        let column = text.get(..*offset).unwrap_or(text).chars().count() + 1;
        write!(f, "{message}, at column {column} of `{text}`")
    }
}
