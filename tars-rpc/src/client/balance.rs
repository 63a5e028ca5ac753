//! Choice of one of a servant's endpoints. Numbers in, an index out: no IO, no clock, no connections.

use std::sync::OnceLock;

use self::{ring::Ring, rotation::Rotation};
use crate::Endpoint;

mod ring;
mod rotation;

/// Which endpoint gets a call that has no hash.
///
/// Either way, an endpoint that does not answer is passed over while there are others, and weights count if every
/// endpoint says so (`-v 1`): one with `-w 50` gets half of the calls of one with `-w 100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Balance {
    /// Each in its turn: smooth weighted round robin, which spreads the turns of a heavy endpoint.
    #[default]
    RoundRobin,
    /// Any, by its weight.
    Random,
}

/// By what an endpoint is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Turn,
    /// This number modulo the number of endpoints.
    Modulo(u64),
    /// The place of this number on a ring.
    Ring(u64),
}

/// The endpoints of a servant, as indexes.
#[derive(Debug)]
pub(crate) struct Balancer {
    rotation: Rotation,
    /// Made when the first call wants it.
    ring: OnceLock<Ring>,
}

impl Balancer {
    /// For endpoints with these weights.
    pub(crate) fn new(weights: &[u32]) -> Self {
        Self {
            rotation: Rotation::new(weights),
            ring: OnceLock::new(),
        }
    }

    /// One of those that are `usable`, or the one whose call it would be if all were, and that is to be probed;
    /// `None` if there is none.
    pub(crate) fn choose(
        &self,
        by: By,
        endpoints: &[impl AsRef<Endpoint>],
        usable: impl Fn(usize) -> bool,
        probed: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        match by {
            By::Turn => self.rotation.next(|index| usable(index) || probed(index)),
            By::Modulo(key) => self.rotation.modulo(key, usable, probed),
            By::Ring(key) => self
                .ring
                .get_or_init(|| {
                    let names = endpoints.iter().map(|e| e.as_ref().authority());
                    Ring::new(names.zip(weights(endpoints)))
                })
                .find(key, &usable, probed)
                // One of weight 0 has no place on the ring.
                .or_else(|| self.rotation.last_resort(usable)),
        }
    }
}

/// The weight of each endpoint, from 0 to 100. They count only if all endpoints have the weight type for it; an
/// endpoint without a weight has 100.
pub(crate) fn weights(endpoints: &[impl AsRef<Endpoint>]) -> Vec<u32> {
    const STATIC: Option<i32> = Some(1);
    let weighted = endpoints.iter().all(|e| e.as_ref().weight_type == STATIC);
    let weight = |endpoint: &Endpoint| match endpoint.weight {
        Some(weight) if weighted => u32::try_from(weight).unwrap_or(100).min(100),
        _ => 100,
    };
    endpoints.iter().map(|e| weight(e.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(text: &[&str]) -> Vec<std::sync::Arc<Endpoint>> {
        let parse = |t: &&str| std::sync::Arc::new(t.parse().unwrap());
        text.iter().map(parse).collect()
    }

    #[test]
    fn weights_count_if_all_endpoints_say_so() {
        let weighted = endpoints(&[
            "tcp -h a -p 1 -w 50 -v 1",
            "tcp -h b -p 1 -v 1",
            "tcp -h c -p 1 -w -1 -v 1",
            "tcp -h d -p 1 -w 101 -v 1",
            "tcp -h e -p 1 -w 0 -v 1",
        ]);
        assert_eq!(weights(&weighted), [50, 100, 100, 100, 0]);
        let mixed = endpoints(&["tcp -h a -p 1 -w 50 -v 1", "tcp -h b -p 1 -w 20"]);
        assert_eq!(weights(&mixed), [100, 100]);
    }

    #[test]
    fn every_way_finds_the_only_usable_endpoint_or_none() {
        let all = endpoints(&["tcp -h a -p 1", "tcp -h b -p 1", "tcp -h c -p 1"]);
        let balancer = Balancer::new(&weights(&all));
        for by in [By::Turn, By::Modulo(7), By::Ring(7)] {
            for only in 0..3 {
                let chosen = balancer.choose(by, &all, |i| i == only, |_| false);
                assert_eq!(chosen, Some(only));
            }
            assert_eq!(balancer.choose(by, &all, |_| false, |_| false), None);
            assert!(balancer.choose(by, &all, |_| false, |_| true).is_some());
        }
    }
}
