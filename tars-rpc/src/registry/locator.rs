//! The registry of the Tars platform.

use std::{sync::Arc, time::Duration};

use tracing::warn;

use super::{Query, Resolved, Resolver, Resolving};
use crate::{
    Endpoint, Error, Result, Transport,
    client::{CallOptions, ServantProxy},
    config::SetDivision,
    platform::{EndpointF, QueryFServant},
};

/// As TarsCpp has it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the registry of the Tars platform, `tars.tarsregistry.QueryObj`: for the servers of the caller's IP group, or
/// of its set.
///
/// [`CommunicatorBuilder::locator`](crate::CommunicatorBuilder::locator) makes one; this type is for resolvers that
/// stand on it.
#[derive(Debug, Clone)]
pub struct Locator {
    registry: QueryFServant,
    set: Option<Arc<SetDivision>>,
}

impl Locator {
    /// Asks this servant. `node_name` tells it where the caller is, if not at the address that it calls from.
    pub fn new(registry: &ServantProxy, set: Option<SetDivision>, node_name: Option<&str>) -> Self {
        let mut options = CallOptions::new().timeout(TIMEOUT).idempotent();
        if let Some(node_name) = node_name {
            options = options.context("node_name", node_name);
        }
        Self {
            registry: QueryFServant::new(registry.with(options)),
            set: set.map(Arc::new),
        }
    }

    async fn ask(self, object: &str) -> Result<Resolved> {
        let (result, active, inactive) = match &self.set {
            None => {
                let answer = self
                    .registry
                    .find_object_by_id_in_same_group(object)
                    .await?;
                (answer.result, answer.active_ep, answer.inactive_ep)
            }
            Some(set) => {
                let set = set.as_str();
                let answer = self
                    .registry
                    .find_object_by_id_in_same_set(object, set)
                    .await?;
                (answer.result, answer.active_ep, answer.inactive_ep)
            }
        };
        if result != 0 {
            let whom = self
                .set
                .map_or_else(String::new, |set| format!(" in the set {set}"));
            let text = format!("the registry does not find {object}{whom}, code {result}");
            return Err(Error::new(result, text));
        }
        Ok(Resolved {
            active: endpoints(active, object),
            inactive: endpoints(inactive, object),
        })
    }
}

impl Resolver for Locator {
    fn resolve(&self, query: Query) -> Resolving {
        let locator = self.clone();
        Box::pin(async move { locator.ask(&query.object).await })
    }
}

fn endpoints(of: Vec<EndpointF>, object: &str) -> Vec<Endpoint> {
    let usable = |endpoint: &EndpointF| {
        let usable = self::endpoint(endpoint);
        if usable.is_none() {
            warn!(
                object,
                ?endpoint,
                "an endpoint of the registry is of no use"
            );
        }
        usable
    };
    of.iter().filter_map(usable).collect()
}

fn endpoint(of: &EndpointF) -> Option<Endpoint> {
    let transport = match of.istcp {
        0 => Transport::Udp,
        1 => Transport::Tcp,
        2 => Transport::Ssl,
        _ => return None,
    };
    let port = u16::try_from(of.port).ok().filter(|port| *port > 0)?;
    let host =
        Some(&of.host).filter(|host| !host.is_empty() && !host.contains(char::is_whitespace))?;
    let unless = |default: i32, value: i32| (value != default).then_some(value);
    Some(Endpoint {
        timeout: u32::try_from(of.timeout).ok(),
        weight: unless(-1, of.weight),
        weight_type: unless(0, of.weight_type),
        qos: unless(0, of.qos),
        auth: unless(0, of.auth_type),
        grid: unless(0, of.grid),
        set: Some(of.set_id.clone()).filter(|set| !set.is_empty()),
        ..Endpoint::new(transport, host, port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_what_the_registry_says_of_it() {
        let of = EndpointF {
            host: "10.0.0.1".to_owned(),
            port: 80,
            timeout: 60_000,
            istcp: 1,
            grid: 7,
            qos: 184,
            weight: 50,
            weight_type: 1,
            auth_type: 1,
            set_id: "app.area.1".to_owned(),
            ..EndpointF::default()
        };
        let found = endpoint(&of).unwrap();
        let address = "tcp -h 10.0.0.1 -p 80 -t 60000 -w 50 -v 1 -q 184 -e 1 -g 7";
        assert_eq!(found.to_string(), address);
        assert_eq!(found.set.as_deref(), Some("app.area.1"));
    }
}
