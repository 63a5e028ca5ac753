//! `AdminObj`: how the node ends a server, and how operators talk to it.
//!
//! The node calls it at the `local` address of the config; so does "more commands" on the platform's web page.

mod commands;
mod connections;

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    process,
    sync::{Arc, PoisonError, RwLock},
};

use tokio_util::sync::CancellationToken;
use tracing::info;

pub(crate) use self::commands::{Subject, builtin};
use super::{AdminF, notifier::Notifier};
use crate::{Result, server::Context};

/// The answer to a command.
pub type CommandAnswer = Pin<Box<dyn Future<Output = String> + Send>>;

/// A command of operators: `NAME ARGUMENTS`.
///
/// ```
/// use tars_rpc::platform::admin::{AdminCommand, CommandAnswer};
///
/// /// `chat.close ROOM`
/// struct Close;
///
/// impl AdminCommand for Close {
///     fn run(&self, arguments: &str) -> CommandAnswer {
///         let room = arguments.to_owned();
///         Box::pin(async move { format!("room {room} is closed") })
///     }
/// }
/// ```
///
/// A function is one, too: `|arguments: &str| format!("room {arguments} is closed")`.
pub trait AdminCommand: Send + Sync + 'static {
    /// Runs it. What it answers is shown to the operator; the node waits for 6 s.
    fn run(&self, arguments: &str) -> CommandAnswer;
}

impl<F: Fn(&str) -> String + Send + Sync + 'static> AdminCommand for F {
    fn run(&self, arguments: &str) -> CommandAnswer {
        let answer = self(arguments);
        Box::pin(async { answer })
    }
}

/// Commands by name.
#[derive(Clone, Default)]
pub(crate) struct Commands(Arc<RwLock<BTreeMap<String, Arc<dyn AdminCommand>>>>);

impl Commands {
    /// A command that exists already is replaced.
    pub(crate) fn add(&self, name: impl Into<String>, command: impl AdminCommand) {
        let mut commands = self.0.write().unwrap_or_else(PoisonError::into_inner);
        commands.insert(name.into(), Arc::new(command));
    }

    /// Adds all of others.
    pub(crate) fn replace(&self, others: Self) {
        let others = others
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(others);
    }

    fn get(&self, name: &str) -> Option<Arc<dyn AdminCommand>> {
        let commands = self.0.read().unwrap_or_else(PoisonError::into_inner);
        commands.get(name).map(Arc::clone)
    }

    /// All names, in their order.
    fn names(&self) -> Vec<String> {
        let commands = self.0.read().unwrap_or_else(PoisonError::into_inner);
        commands.keys().cloned().collect()
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The servant `AdminObj`: [`Platform::admin`](super::Platform::admin) gives it.
#[derive(Debug, Clone)]
pub struct Admin {
    pub(crate) commands: Commands,
    pub(crate) notifier: Notifier,
    pub(crate) shutdown: CancellationToken,
}

impl AdminF for Admin {
    async fn shutdown(&self, cx: &Context) -> Result<()> {
        info!(caller = %cx.peer(), "asked to end");
        self.shutdown.cancel();
        Ok(())
    }

    async fn notify(&self, cx: &Context, command: String) -> Result<String> {
        info!(caller = %cx.peer(), command, "command of an operator");
        self.notifier
            .report(&format!("AdminServant::notify:{command}"));
        let command = command.trim();
        let (name, arguments) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        let Some(command) = self.commands.get(name) else {
            return Ok(String::new());
        };
        let answer = command.run(arguments.trim()).await;
        // TarsCpp asks all objects that know the command, and numbers them.
        Ok(format!("[notify prefix object num:1]\n[1]:{answer}\n"))
    }

    async fn get_pid(&self, _: &Context) -> Result<i64> {
        Ok(i64::from(process::id()))
    }
}
