//! What the registry of the stand-in knows, and how it answers.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use tars_rpc::{config::SetDivision, platform::EndpointF};

/// Active and inactive endpoints.
pub(super) type Endpoints = (Vec<EndpointF>, Vec<EndpointF>);

/// The endpoints of objects, and who is near to whom.
#[derive(Debug, Default)]
pub struct Objects {
    endpoints: HashMap<String, Endpoints>,
    /// The IP groups of callers, by their address or the name of their node.
    groups: HashMap<String, i32>,
    /// The IP groups that are near to one.
    near: BTreeMap<i32, Vec<i32>>,
    /// The IP groups of stations.
    stations: HashMap<String, Vec<i32>>,
}

impl Objects {
    /// An object has an active endpoint more.
    pub fn add(&mut self, object: &str, address: SocketAddr) {
        let endpoint = EndpointF {
            host: address.ip().to_string(),
            port: i32::from(address.port()),
            timeout: 60_000,
            istcp: 1,
            groupworkid: -1,
            grouprealid: -1,
            weight: -1,
            ..EndpointF::default()
        };
        let (active, _) = self.endpoints.entry(object.to_owned()).or_default();
        active.push(endpoint);
    }

    /// An object has these endpoints.
    pub fn set(&mut self, object: &str, active: Vec<EndpointF>, inactive: Vec<EndpointF>) {
        self.endpoints.insert(object.to_owned(), (active, inactive));
    }

    /// A caller is in an IP group.
    pub fn set_group(&mut self, caller: &str, group: i32) {
        self.groups.insert(caller.to_owned(), group);
    }

    /// Callers of a group take these groups if their own has no endpoint.
    pub fn set_near(&mut self, group: i32, near: &[i32]) {
        self.near.insert(group, near.to_vec());
    }

    /// A station has these groups.
    pub fn set_station(&mut self, station: &str, groups: &[i32]) {
        self.stations.insert(station.to_owned(), groups.to_vec());
    }

    /// All endpoints.
    pub(super) fn get(&self, object: &str) -> Endpoints {
        self.endpoints.get(object).cloned().unwrap_or_default()
    }

    /// The endpoints that are nearest to a caller.
    pub(super) fn in_group(&self, object: &str, caller: &str) -> Endpoints {
        let (active, inactive) = self.get(object);
        let Some(own) = self.groups.get(caller) else {
            return (active, inactive);
        };
        let near = self.near.get(own).map(Vec::as_slice).unwrap_or_default();
        let pick = |endpoints: Vec<EndpointF>| {
            for groups in [&[*own][..], near, &[-1]] {
                let of = endpoints.iter().filter(|e| groups.contains(&e.groupworkid));
                let picked: Vec<_> = of.cloned().collect();
                if !picked.is_empty() {
                    return picked;
                }
            }
            endpoints
        };
        (pick(active), pick(inactive))
    }

    /// The endpoints of a station; `None` if it is not known.
    pub(super) fn in_station(&self, object: &str, station: &str) -> Option<Endpoints> {
        let groups = self.stations.get(station)?;
        let pick = |mut endpoints: Vec<EndpointF>| {
            endpoints.retain(|endpoint| groups.contains(&endpoint.grouprealid));
            endpoints
        };
        let (active, inactive) = self.get(object);
        Some((pick(active), pick(inactive)))
    }

    /// The endpoints for a caller in a set; `None` if its area has none.
    pub(super) fn in_set(&self, object: &str, set: &str, caller: &str) -> Option<Endpoints> {
        let set: SetDivision = set.parse().ok()?;
        let (active, inactive) = self.get(object);
        let all = || active.iter().chain(&inactive);
        let begins = |prefix: &str| all().any(|endpoint| endpoint.set_id.starts_with(prefix));
        if !begins(&format!("{}.", set.name())) {
            // As if there were no sets.
            return Some(self.in_group(object, caller));
        }
        let area = format!("{}.{}.", set.name(), set.area());
        let pick = |is_in: &dyn Fn(&str) -> bool| {
            let of = |endpoints: &[EndpointF]| -> Vec<EndpointF> {
                let endpoints = endpoints.iter().filter(|endpoint| is_in(&endpoint.set_id));
                endpoints.cloned().collect()
            };
            (of(&active), of(&inactive))
        };
        if set.group() == "*" {
            return begins(&area).then(|| pick(&|id| id.starts_with(&area)));
        }
        let own = pick(&|id| id == set.as_str());
        if own != (Vec::new(), Vec::new()) {
            return Some(own);
        }
        let any = format!("{area}*");
        let others = pick(&|id| id == any);
        (others != (Vec::new(), Vec::new())).then_some(others)
    }
}
