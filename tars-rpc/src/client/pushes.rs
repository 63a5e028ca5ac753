//! What servers send by themselves.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tars_codec::{self as codec, Attributes, ResponsePacket};
use tokio::sync::mpsc;

use super::target::Target;
use crate::{Counter, Endpoint, Version, protocol::args::ArgReader};

/// What a subscription gets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum PushEvent {
    /// A server sent something.
    Message(Push),
    /// The connection to this endpoint ended, and with it what the server knew of it, or the registry no longer names
    /// the endpoint: subscribe anew.
    Disconnected(Arc<Endpoint>),
}

/// A message that a server sent by itself.
#[derive(Debug, Clone)]
pub struct Push {
    endpoint: Arc<Endpoint>,
    packet: ResponsePacket,
}

impl Push {
    /// Who sent it.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// The function that it stands for, if the server said so (`TARS_FUNC`).
    pub fn func(&self) -> Option<&str> {
        self.packet.status.get("TARS_FUNC").map(String::as_str)
    }

    /// The bytes of the message.
    pub fn body(&self) -> &Bytes {
        &self.packet.body
    }

    /// `iRet`, mostly 0.
    pub fn code(&self) -> i32 {
        self.packet.ret
    }

    /// What the servant has set.
    pub fn context(&self) -> &Attributes {
        &self.packet.context
    }

    /// What the server has set.
    pub fn status(&self) -> &Attributes {
        &self.packet.status
    }

    /// Reads a value from the body: its position from 1 on, and its name. The return value has position 0.
    ///
    /// # Errors
    /// The body holds no such value.
    pub fn get<T: codec::Decode + codec::Typed>(
        &self,
        tag: u8,
        name: &'static str,
    ) -> codec::Result<T> {
        let version = Version::new(self.packet.version).unwrap_or_default();
        ArgReader::new(version, self.packet.body.clone())?.take(tag, name)
    }
}

/// A subscription to the pushes of a servant: [`ServantProxy::pushes`](super::ServantProxy::pushes).
///
/// As long as it exists, connections to the servant are not closed for being idle.
#[derive(Debug)]
pub struct Pushes {
    events: mpsc::Receiver<PushEvent>,
    dropped: Arc<Counter>,
    /// Keeps the connections alive.
    _target: Arc<Target>,
}

impl Pushes {
    pub(crate) fn new(target: Arc<Target>, hub: &Hub, room: usize) -> Self {
        let (sender, events) = mpsc::channel(room.max(1));
        let dropped = Arc::<Counter>::default();
        let mut subscribers = hub.subscribers();
        subscribers.retain(|subscriber| !subscriber.sender.is_closed());
        subscribers.push(Subscriber {
            sender,
            dropped: Arc::clone(&dropped),
        });
        drop(subscribers);
        Self {
            events,
            dropped,
            _target: target,
        }
    }

    /// The next message; waits for it. Dropping the future loses nothing.
    pub async fn recv(&mut self) -> Option<PushEvent> {
        self.events.recv().await
    }

    /// How many messages this subscription has lost because it did not take them in time: it holds
    /// [`Config::max_pushes`](super::Config::max_pushes).
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

/// The subscriptions to a servant.
#[derive(Default)]
pub(crate) struct Hub(Mutex<Vec<Subscriber>>);

#[derive(Debug)]
struct Subscriber {
    sender: mpsc::Sender<PushEvent>,
    dropped: Arc<Counter>,
}

impl Hub {
    pub(crate) fn is_wanted(&self) -> bool {
        let mut subscribers = self.subscribers();
        subscribers.retain(|subscriber| !subscriber.sender.is_closed());
        !subscribers.is_empty()
    }

    /// Hands a message to all subscriptions; says how many had no room for it.
    pub(crate) fn push(&self, endpoint: &Arc<Endpoint>, packet: &ResponsePacket) -> u64 {
        self.send(&PushEvent::Message(Push {
            endpoint: Arc::clone(endpoint),
            packet: packet.clone(),
        }))
    }

    pub(crate) fn disconnected(&self, endpoint: &Arc<Endpoint>) -> u64 {
        self.send(&PushEvent::Disconnected(Arc::clone(endpoint)))
    }

    fn send(&self, event: &PushEvent) -> u64 {
        let mut full = 0;
        self.subscribers().retain(
            |subscriber| match subscriber.sender.try_send(event.clone()) {
                Ok(()) => true,
                Err(mpsc::error::TrySendError::Full(_)) => {
                    subscriber.dropped.increment();
                    full += 1;
                    true
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            },
        );
        full
    }

    fn subscribers(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hub")
            .field(&self.subscribers().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Config, NetConnector, Pool};

    #[test]
    fn subscriptions_that_have_ended_are_not_kept() {
        let pool = Pool::new(Config::default(), Arc::new(NetConnector::new()));
        let endpoint = "tcp -h 127.0.0.1 -p 1".parse().unwrap();
        let target = Target::fixed("App.Server.obj", vec![endpoint], Arc::new(pool));
        let target = Arc::new(target.unwrap());
        let hub = Hub::default();
        for _ in 0..100 {
            drop(Pushes::new(Arc::clone(&target), &hub, 1));
        }
        let _kept = Pushes::new(target, &hub, 1);
        assert_eq!(hub.subscribers().len(), 1);
    }
}
