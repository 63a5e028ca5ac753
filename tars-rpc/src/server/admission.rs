//! Which connections an adapter takes.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    AllowList, Limits,
    load::{Meter, Share},
};

/// The connections of an adapter.
#[derive(Debug)]
pub(super) struct Admission {
    all: Arc<Meter>,
    per_address: Option<Arc<PerAddress>>,
    allow: AllowList,
}

/// Why a connection is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("its address is not allowed")]
    NotAllowed,
    #[error("too many connections (`Limits::max_connections`)")]
    TooMany,
    #[error("too many connections of its address (`Limits::max_connections_per_address`)")]
    TooManyOfAddress,
}

/// The place of a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    _of_all: Share,
    _of_address: Option<OfAddress>,
}

#[derive(Debug)]
struct PerAddress {
    max: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

#[derive(Debug)]
struct OfAddress {
    address: IpAddr,
    of: Arc<PerAddress>,
}

impl Admission {
    pub(super) fn new(limits: &Limits, allow: AllowList) -> Self {
        let max = limits.max_connections_per_address;
        let per_address = PerAddress {
            max,
            counts: Mutex::default(),
        };
        Self {
            all: Arc::new(Meter::new(limits.max_connections)),
            // A limit that cannot be met needs no table.
            per_address: (max < limits.max_connections).then(|| Arc::new(per_address)),
            allow,
        }
    }

    pub(super) fn allows(&self, address: IpAddr) -> bool {
        self.allow.allows(address)
    }

    pub(super) fn admit(&self, address: IpAddr) -> Result<Admitted, Refused> {
        if !self.allows(address) {
            return Err(Refused::NotAllowed);
        }
        let of_all = self.all.take_one().ok_or(Refused::TooMany)?;
        let of_address = match &self.per_address {
            None => None,
            Some(per_address) => Some(
                per_address
                    .admit(address.to_canonical())
                    .ok_or(Refused::TooManyOfAddress)?,
            ),
        };
        Ok(Admitted {
            _of_all: of_all,
            _of_address: of_address,
        })
    }
}

impl PerAddress {
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(self: &Arc<Self>, address: IpAddr) -> Option<OfAddress> {
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        if *count >= self.max {
            if *count == 0 {
                counts.remove(&address);
            }
            return None;
        }
        *count += 1;
        Some(OfAddress {
            address,
            of: Arc::clone(self),
        })
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_forgets_addresses() {
        let limits = Limits {
            max_connections: 4,
            max_connections_per_address: 2,
            ..Limits::default()
        };
        let admission = Admission::new(&limits, "10.0.0.*".parse().unwrap());
        let admit = |address: &str| admission.admit(address.parse().unwrap());
        let one = admit("10.0.0.1").unwrap();
        let two = admit("::ffff:10.0.0.1").unwrap();
        assert_eq!(admit("10.0.0.1").unwrap_err(), Refused::TooManyOfAddress);
        assert_eq!(admit("10.0.1.1").unwrap_err(), Refused::NotAllowed);
        let others = [admit("10.0.0.2").unwrap(), admit("10.0.0.3").unwrap()];
        assert_eq!(admit("10.0.0.4").unwrap_err(), Refused::TooMany);
        drop(one);
        assert!(admit("10.0.0.1").is_ok());
        drop((two, others));
        let per_address = admission.per_address.as_ref().unwrap();
        assert!(per_address.counts().is_empty());
    }
}
