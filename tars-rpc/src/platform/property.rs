//! Numbers that a server reports about itself.
//!
//! Values are aggregated in the process by the [policies](Policy) of their property, and reported at the end of each
//! `report-interval` to `tars.tarsproperty.PropertyObj`.

mod policy;
mod process;

use std::{
    collections::{BTreeMap, HashMap},
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::{debug, warn};

pub use self::policy::Policy;
use self::policy::State;
pub(crate) use self::process::ProcessProperties;
use super::{
    PropertyFServant, StatPropInfo, StatPropMsgBody, StatPropMsgHead,
    identity::{Identity, sent},
};
use crate::{Counter, Result};

/// Properties of a server. One more has no effect.
const MAX_PROPERTIES: usize = 1024;
/// Properties of a report.
const BATCH: usize = 64;
/// Bytes of the name of a property.
const MAX_NAME: usize = 128;
/// What TarsCpp calls its reports.
const VERSION: i32 = 2;

/// The properties of a server. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Properties(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    properties: Mutex<HashMap<String, Property>>,
    lost: Counter,
}

/// A property. Cheap to clone.
#[derive(Clone)]
pub struct Property(Arc<Mutex<Vec<(Policy, State)>>>);

impl Properties {
    /// The property of this name, reported by these policies; the one that exists, if there is one. Names that are
    /// too long are cut to 128 bytes, and of more than 1,024 properties the others are not reported.
    ///
    /// ```
    /// use tars_rpc::platform::property::{Policy, Properties};
    ///
    /// let properties = Properties::default(); // `Platform::properties` in a server
    /// let rooms = properties.property("rooms", [Policy::Max, Policy::Avg]);
    /// rooms.report(17);
    /// ```
    pub fn property(
        &self,
        name: impl Into<String>,
        policies: impl IntoIterator<Item = Policy>,
    ) -> Property {
        let mut name = name.into();
        while name.len() > MAX_NAME {
            name.pop();
        }
        let mut properties = self.0.lock();
        let has_room = properties.len() < MAX_PROPERTIES;
        if let Some(property) = properties.get(&name) {
            return property.clone();
        }
        let property = Property::new(policies);
        if has_room {
            properties.insert(name, property.clone());
        } else {
            warn!(
                name,
                max = MAX_PROPERTIES,
                "too many properties, this one is not reported"
            );
            self.0.lost.increment();
        }
        property
    }

    /// Takes what was reported.
    fn take(&self) -> Vec<(String, StatPropMsgBody)> {
        let properties = self.0.lock();
        let bodies = properties.iter();
        bodies
            .map(|(name, property)| (name.clone(), property.take()))
            .collect()
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Property>> {
        self.properties
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Property {
    fn new(policies: impl IntoIterator<Item = Policy>) -> Self {
        let states = policies
            .into_iter()
            .map(|policy| (policy, State::new(policy)));
        Self(Arc::new(Mutex::new(states.collect())))
    }

    /// Takes a value into account.
    pub fn report(&self, value: i64) {
        self.lock()
            .iter_mut()
            .for_each(|(_, state)| state.add(value));
    }

    fn take(&self) -> StatPropMsgBody {
        let mut states = self.lock();
        let infos = states.iter_mut().filter_map(|(policy, state)| {
            let value = mem::replace(state, State::new(*policy)).value()?;
            Some(StatPropInfo {
                policy: policy.as_str().to_owned(),
                value,
            })
        });
        StatPropMsgBody {
            v_info: infos.collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Policy, State)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.lock().iter().map(|(policy, _)| policy))
            .finish()
    }
}

/// Reports properties.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub(crate) identity: Arc<Identity>,
    pub(crate) properties: Properties,
    pub(crate) platform: PropertyFServant,
    pub(crate) failed: Arc<Counter>,
}

impl Reporter {
    /// Reports all properties. Those that cannot be sent are lost: the platform joins numbers of five minutes, and
    /// later ones would be of another time.
    pub(crate) async fn report(&self) {
        let mut properties = self.properties.take();
        properties.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut properties = properties.into_iter().peekable();
        while properties.peek().is_some() {
            let report = properties.by_ref().take(BATCH);
            let report = report.map(|(name, body)| (self.head(name), body)).collect();
            if let Err(error) = self.send(&report).await {
                self.failed.increment();
                debug!(%error, "properties not reported");
                return;
            }
        }
    }

    fn head(&self, property_name: String) -> StatPropMsgHead {
        let [set_name, set_area, set_id] = self.identity.set_parts().map(str::to_owned);
        StatPropMsgHead {
            module_name: self.identity.module.clone(),
            property_name,
            set_name,
            set_area,
            set_id,
            i_property_ver: VERSION,
            ..StatPropMsgHead::default()
        }
    }

    async fn send(&self, report: &BTreeMap<StatPropMsgHead, StatPropMsgBody>) -> Result<()> {
        sent(self.platform.report_prop_msg(report).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_one_whoever_asks_for_it() {
        let properties = Properties::default();
        properties
            .property("a", [Policy::Sum, Policy::Count])
            .report(2);
        properties.property("a", [Policy::Max]).report(3);
        let taken = properties.take();
        let [(name, body)] = taken.as_slice() else {
            panic!("{taken:?}");
        };
        let values: Vec<_> = body
            .v_info
            .iter()
            .map(|i| (&*i.policy, &*i.value))
            .collect();
        assert_eq!(
            (name.as_str(), values),
            ("a", vec![("Sum", "5"), ("Count", "2")])
        );
        assert_eq!(properties.take()[0].1.v_info[0].value, "0", "it was taken");
    }

    #[test]
    fn they_are_bounded() {
        let properties = Properties::default();
        for i in 0..=MAX_PROPERTIES {
            properties.property(format!("{i}{}", "\u{4e00}".repeat(100)), [Policy::Sum]);
        }
        let taken = properties.take();
        assert_eq!(taken.len(), MAX_PROPERTIES);
        assert!(taken.iter().all(|(name, _)| name.len() <= MAX_NAME));
    }
}
