//! The endpoints of a servant, and the choice among them.

use std::{cmp::Ordering, collections::HashSet, sync::Arc, time::Duration};

use tracing::warn;

use super::{
    Balance, CallOptions, Connection, Ejection,
    balance::{Balancer, By, weights},
    pool::Pool,
    pushes::Hub,
};
use crate::{Endpoint, net::now};

/// More endpoints of one servant are not used.
const MAX_ENDPOINTS: usize = 4096;

/// Where the calls to a servant go, at some time: replaced as a whole when that changes.
#[derive(Debug)]
pub(crate) struct Route {
    /// At least one.
    nodes: Vec<Node>,
    /// What the registry knows to be down.
    inactive: Vec<Arc<Endpoint>>,
    balancer: Balancer,
    balance: Balance,
}

#[derive(Debug)]
pub(crate) struct Node {
    endpoint: Arc<Endpoint>,
    pub(crate) connection: Arc<Connection>,
}

impl AsRef<Endpoint> for Node {
    fn as_ref(&self) -> &Endpoint {
        &self.endpoint
    }
}

/// One endpoint of a servant, as a client sees it now.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// Where.
    pub endpoint: Arc<Endpoint>,
    /// Whether there is a connection. One without calls has none.
    pub is_connected: bool,
    /// Whether it gets calls.
    pub state: EndpointState,
}

/// Whether an endpoint gets calls.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointState {
    /// It does.
    Active,
    /// It could not be connected to, and gets no calls up to the next attempt.
    Down,
    /// It gets no calls as long as others are there, since too many have failed.
    Ejected {
        /// Why.
        why: Ejection,
        /// When a call will be tried there.
        probe_in: Duration,
    },
    /// The registry says that it is down.
    Inactive,
}

impl Route {
    /// `None` without endpoints.
    pub(crate) fn new(
        active: Vec<Endpoint>,
        inactive: Vec<Endpoint>,
        pool: &Pool,
        object: &str,
    ) -> Option<Self> {
        let active = sorted(active);
        if active.is_empty() {
            return None;
        }
        if active.len() > MAX_ENDPOINTS {
            let n = active.len();
            warn!(object, n, max = MAX_ENDPOINTS, "endpoints left out");
        }
        let active: Vec<_> = active
            .into_iter()
            .take(MAX_ENDPOINTS)
            .map(Arc::new)
            .collect();
        let connections = pool.connections(active.iter().map(|e| place(e)).collect());
        Some(Self {
            balancer: Balancer::new(&weights(&active)),
            nodes: active
                .into_iter()
                .zip(connections)
                .map(|(endpoint, connection)| Node {
                    endpoint,
                    connection,
                })
                .collect(),
            inactive: sorted(inactive).into_iter().map(Arc::new).collect(),
            balance: pool.config.balance,
        })
    }

    /// Whether there is another endpoint to go to.
    pub(crate) fn has_choice(&self) -> bool {
        self.nodes.len() > 1
    }

    /// Whether these endpoints would make the same route.
    pub(crate) fn is_of(&self, active: &[Endpoint], inactive: &[Endpoint]) -> bool {
        let same = |ours: &mut dyn Iterator<Item = &Endpoint>, theirs: &[Endpoint]| {
            ours.eq(sorted(theirs.to_vec()).iter())
        };
        same(&mut self.nodes.iter().map(|node| &*node.endpoint), active)
            && same(&mut self.inactive.iter().map(|e| &**e), inactive)
    }

    pub(crate) fn attach(&self, hub: &Arc<Hub>) {
        for node in &self.nodes {
            node.connection.attach(hub);
        }
    }

    /// Takes subscriptions away from the endpoints that the `next` route has not.
    pub(crate) fn detach(&self, hub: &Arc<Hub>, next: &Self) {
        let connections = next.nodes.iter().map(|node| Arc::as_ptr(&node.connection));
        let connections: HashSet<_> = connections.collect();
        for node in &self.nodes {
            if !connections.contains(&Arc::as_ptr(&node.connection)) {
                node.connection.detach(hub);
            }
        }
    }

    /// The endpoint for a call, but for those that it was tried at: one that is well, or is due to be probed; if
    /// there is none, one that is not known to refuse; and else any.
    pub(crate) fn choose(&self, options: &CallOptions, tried: &[usize]) -> Option<(usize, &Node)> {
        if let ([only], []) = (self.nodes.as_slice(), tried) {
            return Some((0, only));
        }
        let by = match (options.by(), self.balance) {
            (Some(by), _) => by,
            (None, Balance::RoundRobin) => By::Turn,
            (None, Balance::Random) => By::Modulo(fastrand::u64(..)),
        };
        let is = |index: usize, state: fn(&Connection) -> bool| {
            !tried.contains(&index) && self.nodes.get(index).is_some_and(|n| state(&n.connection))
        };
        let choose = |usable: fn(&Connection) -> bool, probed: fn(&Connection) -> bool| {
            let (usable, probed) = (|index| is(index, usable), |index| is(index, probed));
            self.balancer.choose(by, &self.nodes, usable, probed)
        };
        let probed: fn(&Connection) -> bool = if options.is_oneway() {
            |c| !c.is_down() && c.gate().admits_oneway_probe(now())
        } else {
            |c| !c.is_down() && c.gate().admits_probe(now())
        };
        let index = choose(|c| !c.is_down() && c.gate().is_open(), probed)
            .or_else(|| choose(|c| !c.is_down(), |_| false))
            .or_else(|| choose(|_| true, |_| false))?;
        Some((index, self.nodes.get(index)?))
    }

    pub(crate) fn endpoints(&self) -> Vec<EndpointStatus> {
        let active = self.nodes.iter().map(|node| EndpointStatus {
            endpoint: Arc::clone(&node.endpoint),
            is_connected: node.connection.is_connected(),
            state: match node.connection.gate().ejection(now()) {
                Some((why, probe_in)) => EndpointState::Ejected { why, probe_in },
                None if node.connection.is_down() => EndpointState::Down,
                None => EndpointState::Active,
            },
        });
        let inactive = self.inactive.iter().map(|endpoint| EndpointStatus {
            endpoint: Arc::clone(endpoint),
            is_connected: false,
            state: EndpointState::Inactive,
        });
        active.chain(inactive).collect()
    }
}

/// In an order that does not depend on where they come from, each place once: hashes must find the same endpoint in
/// every client. (The list of a registry's own endpoints has them twice.)
fn sorted(mut endpoints: Vec<Endpoint>) -> Vec<Endpoint> {
    let by_place = |a: &Endpoint, b: &Endpoint| -> Ordering {
        (a.host.as_str(), a.port, a.transport.as_str()).cmp(&(
            b.host.as_str(),
            b.port,
            b.transport.as_str(),
        ))
    };
    endpoints.sort_by(by_place);
    endpoints.dedup_by(|a, b| by_place(a, b).is_eq());
    endpoints
}

/// The same place is the same connection, whatever weights and timeouts say.
fn place(endpoint: &Endpoint) -> Endpoint {
    Endpoint {
        bind: endpoint.bind.clone(),
        ..Endpoint::new(endpoint.transport, endpoint.host.clone(), endpoint.port)
    }
}
