//! The connections of a communicator.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
};

use super::{CallObserver, Config, Connection, Connector, Stats};
use crate::Endpoint;

/// One connection for each endpoint, whichever proxies use it.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) config: Arc<Config>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) observer: OnceLock<Arc<dyn CallObserver>>,
    connector: Arc<dyn Connector>,
    /// A connection lives as long as a route has it.
    connections: Mutex<HashMap<Endpoint, Weak<Connection>>>,
}

impl Pool {
    pub(crate) fn new(config: Config, connector: Arc<dyn Connector>) -> Self {
        Self {
            config: Arc::new(config),
            stats: Arc::default(),
            observer: OnceLock::new(),
            connector,
            connections: Mutex::default(),
        }
    }

    /// The connections to these places.
    pub(crate) fn connections(&self, places: Vec<Endpoint>) -> Vec<Arc<Connection>> {
        let mut known = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, connection| connection.strong_count() > 0);
        let connection = |place: Endpoint| {
            if let Some(connection) = known.get(&place).and_then(Weak::upgrade) {
                return connection;
            }
            let connection = Arc::new(Connection::new(
                place.clone(),
                Arc::clone(&self.config),
                Arc::clone(&self.connector),
                Arc::clone(&self.stats),
            ));
            known.insert(place, Arc::downgrade(&connection));
            connection
        };
        places.into_iter().map(connection).collect()
    }
}
