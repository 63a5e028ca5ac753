//! The greeting from PHPServer: one function for the WebSocket command and the HTTP action.

use std::time::{Duration, Instant};

use tars_rpc::Error;

use crate::metrics::Metrics;
use crate::servant::php_test::php_server::obj::TestTafServiceServant;

/// Why there is no greeting. Chat users read this; what operators need is logged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// Nobody to greet.
    #[error("hello needs a name")]
    NoName,
    /// As many wait for PHPServer as may.
    #[error("too many wait for PHPServer; try again later")]
    TooMany,
    /// PHPServer did not answer in time.
    #[error("PHPServer did not answer within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// The call failed.
    #[error("PHPServer failed with code {}", .0.code())]
    Rpc(#[source] Error),
}

/// Asks PHPServer to greet `name`. How long it may take is among the options of `servant`.
pub async fn hello(
    servant: &TestTafServiceServant,
    metrics: &Metrics,
    name: &str,
) -> Result<String, HelloError> {
    if name.is_empty() {
        return Err(HelloError::NoName);
    }
    let start = Instant::now();
    let greeting = servant.say_hello_world(name).await;
    metrics.rpc(start.elapsed(), greeting.as_ref().err().map(Error::code));
    greeting.map_err(|error| {
        tracing::warn!(code = error.code(), %error, "no greeting");
        match error {
            Error::Timeout { after, .. } => HelloError::Timeout(after),
            error => HelloError::Rpc(error),
        }
    })
}
