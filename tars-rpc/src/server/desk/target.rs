//! What a request is for.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tars_codec::RequestPacket;

use crate::{
    Error, Result, Version, codes,
    protocol::PING,
    server::{Servant, servants::Servants},
};

/// The servant of a request, and what else is known of it before it is run.
pub(super) struct Target {
    pub(super) version: Version,
    pub(super) servant: Arc<dyn Servant>,
    /// When the caller stops waiting.
    pub(super) deadline: Option<Instant>,
}

impl Target {
    /// Finds it; or the answer to the request, if it needs no servant.
    pub(super) fn resolve(
        servants: &Servants,
        packet: &RequestPacket,
        arrived: Instant,
    ) -> Result<Self, Result<Vec<u8>>> {
        let Some(version) = Version::new(packet.version) else {
            let text = format!(
                "protocol version {} is not supported; {} are",
                packet.version,
                Version::SPOKEN
            );
            return Err(Err(Error::new(codes::SERVER_DECODE, text)));
        };
        let Some(servant) = servants.get(&packet.servant) else {
            let text = format!("there is no servant {}", packet.servant);
            return Err(Err(Error::new(codes::NO_SERVANT, text)));
        };
        if packet.func == PING {
            return Err(Ok(Vec::new()));
        }
        Ok(Self {
            version,
            servant: Arc::clone(servant),
            deadline: deadline(packet, arrived),
        })
    }

    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// When the caller stops waiting. `iTimeout` counts from the arrival: clocks differ.
fn deadline(packet: &RequestPacket, arrived: Instant) -> Option<Instant> {
    let timeout = u64::try_from(packet.timeout).ok().filter(|ms| *ms > 0)?;
    arrived.checked_add(Duration::from_millis(timeout))
}
