//! What is done with a message: the handlers, found by the `home-class` of services.toml.
//!
//! A handler of your own implements [`MessageHandler`] and gets a line in `HANDLERS`.

pub mod echo;
pub mod example_websocket;
pub mod people;

use std::pin::Pin;
use std::sync::Arc;

use crate::app::App;
use crate::component::fd_store::Fd;
use crate::ws::message::Message;

/// A registered handler: what `home-class` names.
pub struct Registered {
    name: &'static str,
    make: fn(App) -> Arc<dyn MessageHandler>,
}

/// The chat of the TarsPHP example, and the default.
pub static EXAMPLE_WEBSOCKET: Registered = Registered {
    name: "ExampleWebsocket",
    make: |app| Arc::new(example_websocket::ExampleWebsocket::new(app)),
};

/// The echo of `--echo`.
pub static ECHO: Registered = Registered {
    name: "Echo",
    make: |_| Arc::new(echo::Echo),
};

static HANDLERS: &[&Registered] = &[&EXAMPLE_WEBSOCKET, &ECHO];

/// The handler of this name.
pub fn find(name: &str) -> Option<&'static Registered> {
    HANDLERS
        .iter()
        .copied()
        .find(|handler| handler.name == name)
}

/// The names of all handlers.
pub fn names() -> impl Iterator<Item = &'static str> {
    HANDLERS.iter().map(|handler| handler.name)
}

impl Registered {
    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Makes the handler for a server.
    pub fn make(&self, app: App) -> Arc<dyn MessageHandler> {
        (self.make)(app)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Registered {}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A future of a handler.
pub type HandlerFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Answers the messages of the connections.
pub trait MessageHandler: Send + Sync {
    /// Answers a message. The connection's next message waits for the returned future, so work that
    /// takes long goes into [`Answer::Later`].
    fn on_message(&self, from: Fd, message: Message) -> HandlerFuture<'_, Answer>;
}

/// The answer to a message.
pub enum Answer {
    /// It is sent at once, before the answer to the connection's next message.
    Now(Message),
    /// It is sent when it is there; the connection goes on meanwhile. A connection may have a
    /// limited number of these; one more is answered with an error and its future never runs.
    Later(HandlerFuture<'static, Message>),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(message) => f.debug_tuple("Now").field(message).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}
