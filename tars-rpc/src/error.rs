//! What can go wrong with a call, by cause.

use std::{fmt, io, sync::Arc, time::Duration};

use tars_codec as codec;

use crate::{AddressError, Endpoint, codes};

/// The result of a call, and of everything else here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call, a proxy or a server failed.
///
/// [`code`](Self::code) is the Tars return code; a server that gets such an error from its servant answers with
/// this code and the text.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No answer came in time.
    #[error(
        "{call}: no answer from {} within {after:?}; the peer is slow or gone \
         (`CallOptions::timeout` gives a call more time)",
        peer(endpoint)
    )]
    Timeout {
        /// What was called.
        call: Call,
        /// Who was called.
        endpoint: Arc<Endpoint>,
        /// The timeout of the call.
        after: Duration,
        /// Whether the call was given to a connection, which may send it even now. If not, it was not sent, nor will be.
        sent: bool,
    },

    /// There is no connection, and none could be made.
    #[error(
        "{call}: cannot connect to {}: {source}; is the server running? (next attempt in {retry_in:?})",
        peer(endpoint)
    )]
    Connect {
        /// What was called.
        call: Call,
        /// Who was called.
        endpoint: Arc<Endpoint>,
        /// How long calls are refused without another attempt.
        retry_in: Duration,
        /// Why the last attempt failed.
        source: Arc<io::Error>,
    },

    /// The connection broke during the call.
    #[error(
        "{call}: lost the connection to {}{}: {cause}",
        peer(endpoint),
        if *sent { "" } else { " before the call was sent" }
    )]
    Disconnected {
        /// What was called.
        call: Call,
        /// Who was called.
        endpoint: Arc<Endpoint>,
        /// Why it broke.
        #[source]
        cause: Disconnect,
        /// Whether any of the call was sent. If so, it is not known whether the servant has run it.
        sent: bool,
    },

    /// The client holds back too much for this endpoint already. The call was not sent.
    #[error(
        "{call}: not sent to {}: {full}; call less often, or let the client hold more",
        peer(endpoint)
    )]
    QueueFull {
        /// What was called.
        call: Call,
        /// Who was called.
        endpoint: Arc<Endpoint>,
        /// Which limit was met.
        full: Full,
    },

    /// A [`RateLimit`](crate::client::layer::RateLimit) has refused the call. It was not sent.
    #[error("{call}: not sent: more than {per_second} calls a second")]
    RateLimited {
        /// What was called.
        call: Call,
        /// The limit.
        per_second: u32,
    },

    /// The server answered with an error.
    #[error("{call}: the server answered {code}{}{message}", if message.is_empty() { "" } else { ": " })]
    Server {
        /// What was called.
        call: Call,
        /// `iRet`; see [`codes`].
        code: i32,
        /// `sResultDesc`, which may be empty.
        message: String,
    },

    /// The answer is not what the function's signature says.
    #[error(
        "{call}: the answer cannot be decoded: {source}; do client and server use the same IDL?"
    )]
    Decode {
        /// What was called.
        call: Call,
        /// Which value is wrong, how, and where.
        source: codec::Error,
    },

    /// An argument of the call cannot be encoded. The call was not sent.
    #[error("{call}: the request cannot be encoded: {source}")]
    Encode {
        /// What was called.
        call: Call,
        /// Which value is wrong, and how.
        source: codec::Error,
    },

    /// Server side: an argument of the request is missing or wrong.
    #[error("{0}")]
    ServerDecode(#[source] codec::Error),

    /// Server side: the servant's result cannot be encoded.
    #[error("the result cannot be encoded: {0}")]
    ServerEncode(#[source] codec::Error),

    /// Server side: the servant failed, with its own code and text.
    #[error("{message}")]
    Servant {
        /// Goes to the caller as `iRet`.
        code: i32,
        /// Goes to the caller as `sResultDesc`.
        message: String,
    },

    /// The servant has no endpoint that could be called.
    #[error("{object} has no endpoint: {reason}")]
    NoEndpoint {
        /// Name of the servant.
        object: String,
        /// Why there is none.
        reason: String,
    },

    /// A blocking call was made on a thread of a tokio runtime, which must not be blocked. It was not sent.
    #[error(
        "a blocking call on a thread of a tokio runtime; await the call, or make it on another thread"
    )]
    WithinRuntime,

    /// An address cannot be understood.
    #[error(transparent)]
    Address(#[from] AddressError),

    /// A config file names certificates or keys that are of no use.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),

    /// Two servants of a server have the same name.
    #[error("two servants are called {0}; give each its own name")]
    DuplicateServant(String),

    /// The settings of an adapter contradict each other.
    #[error("adapter {adapter}: {reason}")]
    Adapter {
        /// Its name.
        adapter: String,
        /// What is wrong.
        reason: String,
    },

    /// A server cannot listen.
    #[error("cannot listen on `{endpoint}`: {source}")]
    Listen {
        /// Where.
        endpoint: Arc<Endpoint>,
        /// Why not.
        source: Arc<io::Error>,
    },
}

impl Error {
    /// An error with which a servant fails a call: the caller gets code and message.
    ///
    /// A code of 0 would mean success to the caller; [`codes::UNKNOWN`] is sent in its place.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self::Servant {
            code: if code == codes::OK {
                codes::UNKNOWN
            } else {
                code
            },
            message: message.into(),
        }
    }

    /// Whether the servant has surely not run the call: it was not sent, or refused by the server. Then it does no
    /// harm to make it again.
    pub fn is_not_run(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::QueueFull { .. }
            | Self::RateLimited { .. }
            | Self::WithinRuntime
            | Self::Encode { .. }
            | Self::NoEndpoint { .. }
            | Self::Timeout { sent: false, .. }
            | Self::Disconnected { sent: false, .. } => true,
            Self::Server { code, .. } => *code == codes::OVERLOAD,
            _ => false,
        }
    }

    /// The code that a server answers with.
    ///
    /// A handler may pass on the error of a call that it has made itself. That this one was refused, or waited for too long,
    /// does not hold for the call of the handler: it has run, and its caller must not make it again.
    pub(crate) fn answer_code(&self) -> i32 {
        match (self, self.code()) {
            (_, codes::OK) => codes::UNKNOWN,
            (Self::Servant { code, .. }, _) => *code,
            (_, codes::OVERLOAD | codes::QUEUE_TIMEOUT) => codes::UNKNOWN,
            (_, code) => code,
        }
    }

    /// The Tars return code: `iRet` of the answer, or what a TarsCpp client reports in the same case.
    pub fn code(&self) -> i32 {
        match self {
            Self::Timeout { .. } => codes::INVOKE_TIMEOUT,
            Self::Connect { .. } | Self::Disconnected { .. } => codes::PROXY_CONNECT,
            Self::QueueFull { .. } | Self::RateLimited { .. } => codes::OVERLOAD,
            Self::Server { code, .. } | Self::Servant { code, .. } => *code,
            Self::Decode { .. } => codes::CLIENT_DECODE,
            Self::Encode { .. } | Self::WithinRuntime => codes::SEND_FAILED,
            Self::ServerDecode(_) => codes::SERVER_DECODE,
            Self::ServerEncode(_) => codes::SERVER_ENCODE,
            Self::NoEndpoint { .. } | Self::Address(_) => codes::NO_ENDPOINT,
            #[cfg(feature = "tls")]
            Self::Tls(_) => codes::UNKNOWN,
            Self::DuplicateServant(_) | Self::Adapter { .. } | Self::Listen { .. } => {
                codes::UNKNOWN
            }
        }
    }
}

/// What was called, for error messages: `PHPTest.PHPServer.obj.sayHelloWorld`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call {
    /// Name of the servant.
    pub servant: Arc<str>,
    /// Name of the function.
    pub func: &'static str,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.servant, self.func)
    }
}

/// Why a connection broke.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The peer closed it.
    #[error("the peer closed it")]
    Closed,
    /// The system reported an error.
    #[error("{0}")]
    Io(#[source] Arc<io::Error>),
    /// The peer sent a frame whose length is out of range.
    #[error("the peer sent {0}")]
    BadFrame(#[source] codec::FrameError),
    /// The peer sent a packet that cannot be decoded.
    #[error("the peer sent a packet that cannot be decoded: {0}")]
    BadPacket(#[source] codec::Error),
    /// The peer took no bytes for that long.
    #[error("the peer took no bytes for {0:?}")]
    Stalled(Duration),
    /// The peer did not answer a ping within that time, though it did before.
    #[error("the peer did not answer a ping within {0:?}")]
    Silent(Duration),
    /// The tokio runtime that owned the connection has ended.
    #[error("the runtime of the connection has ended")]
    RuntimeGone,
}

/// Which bound of the client a call met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Full {
    /// Calls that wait to be taken up by the connection.
    #[error("{0} calls are queued")]
    Queue(usize),
    /// Calls that wait for their answer.
    #[error("{0} calls wait for an answer")]
    Pending(usize),
    /// Bytes of requests that wait to be sent.
    #[error("more than {0} bytes wait to be sent")]
    Bytes(usize),
}

fn peer(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.transport, endpoint.authority())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_handler_was_told_is_not_what_its_caller_is_told() {
        let call = || Call {
            servant: "App.Server.Obj".into(),
            func: "f",
        };
        let nested = |code| Error::Server {
            call: call(),
            code,
            message: String::new(),
        };
        for (code, answered) in [
            (codes::OVERLOAD, codes::UNKNOWN),
            (codes::QUEUE_TIMEOUT, codes::UNKNOWN),
            (codes::OK, codes::UNKNOWN),
            (codes::NO_FUNCTION, codes::NO_FUNCTION),
            (7, 7),
        ] {
            assert_eq!(nested(code).answer_code(), answered);
        }
        let limited = Error::RateLimited {
            call: call(),
            per_second: 1,
        };
        assert_eq!(limited.answer_code(), codes::UNKNOWN);
        // What a server says itself: its layers, its queue.
        let own = Error::new(codes::OVERLOAD, "no");
        assert_eq!(own.answer_code(), codes::OVERLOAD);
    }
}
