//! Tells the node that the server lives.
//!
//! The node starts the server, shows it as active from its first `keepAlive` on, and kills it when it is silent for
//! longer than `hearttimeout`.

use std::{process, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::debug;

use super::{
    ServerFServant, ServerInfo,
    identity::{Identity, VERSION, sent},
};
use crate::Counter;

/// How often the node hears of the server.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// When the adapters are first reported, after the server.
const FIRST: Duration = Duration::from_secs(1);
/// The adapter of `AdminObj`.
pub(crate) const ADMIN_ADAPTER: &str = "AdminAdapter";

/// What the node is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    /// The listeners of these adapters answer.
    Serving(Arc<[String]>),
}

/// Reports to the node.
#[derive(Debug)]
pub(crate) struct Heart {
    pub(crate) identity: Arc<Identity>,
    pub(crate) node: ServerFServant,
    pub(crate) missed: Arc<Counter>,
}

impl Heart {
    /// Beats, until it is dropped.
    pub(crate) async fn run(self, mut state: watch::Receiver<State>) {
        let mut beat = interval(HEARTBEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let adapters = loop {
            if let State::Serving(adapters) = &*state.borrow_and_update() {
                break Arc::clone(adapters);
            }
            tokio::select! {
                _ = beat.tick() => {
                    let info = self.server(String::new());
                    self.count(self.node.keep_activing(&info).await);
                }
                changed = state.changed() => if changed.is_err() {
                    return;
                },
            }
        };
        let Identity { app, server, .. } = &*self.identity;
        self.count(self.node.report_version(app, server, VERSION).await);
        self.alive(String::new()).await;
        sleep(FIRST).await;
        beat.reset_immediately();
        loop {
            beat.tick().await;
            self.alive(ADMIN_ADAPTER.to_owned()).await;
            for adapter in adapters.iter().filter(|name| *name != ADMIN_ADAPTER) {
                self.alive(adapter.clone()).await;
            }
        }
    }

    /// The server, or an adapter of it, is alive.
    async fn alive(&self, adapter: String) {
        self.count(self.node.keep_alive(&self.server(adapter)).await);
    }

    fn server(&self, adapter: String) -> ServerInfo {
        ServerInfo {
            application: self.identity.app.clone(),
            server_name: self.identity.server.clone(),
            pid: i32::try_from(process::id()).unwrap_or_default(),
            adapter,
        }
    }

    fn count(&self, result: crate::Result<i32>) {
        if let Err(error) = sent(result) {
            self.missed.increment();
            debug!(%error, "the node was not told that the server lives");
        }
    }
}
