//! Brings numbers to the platform.

use std::{collections::BTreeMap, mem, sync::Arc};

use tracing::{debug, warn};

use super::{
    Recorder,
    store::{Entry, MemoryStatStore, Side, StatStore},
};
use crate::{
    Counter, Result,
    platform::{StatFServant, StatMicMsgBody, StatMicMsgHead, identity::sent},
};

/// Entries that are taken out of the store at a time.
const BATCH: usize = 256;
/// Bytes of a report, about: entries are put into one up to here.
const MAX_REPORT: usize = 32 << 10;
/// Bytes of an entry on the wire without its texts, at most.
const ENTRY: usize = 160;

/// Reports what a [`Recorder`] counts.
#[derive(Debug)]
pub(crate) struct Reporter {
    recorder: Recorder,
    store: Arc<dyn StatStore>,
    /// In place of the store when that fails.
    spare: MemoryStatStore,
    platform: StatFServant,
    failed: Arc<Counter>,
}

impl Reporter {
    pub(crate) fn new(
        recorder: Recorder,
        store: Arc<dyn StatStore>,
        platform: StatFServant,
    ) -> Self {
        Self {
            recorder,
            store,
            spare: MemoryStatStore::default(),
            platform,
            failed: Arc::default(),
        }
    }

    /// Reports that could not be sent. Their numbers are in later ones.
    pub(crate) fn failed(&self) -> &Arc<Counter> {
        &self.failed
    }

    /// Reports all that has been counted. What cannot be sent is kept.
    pub(crate) async fn report(&self) {
        let entries = self.recorder.take();
        self.keep(&entries).await;
        let spare: &dyn StatStore = &self.spare;
        for store in [&*self.store, spare] {
            for side in [Side::Client, Side::Server] {
                if self.report_side(store, side).await.is_err() {
                    // Nobody is there; the others would wait for nothing.
                    return;
                }
            }
        }
    }

    async fn report_side(&self, store: &dyn StatStore, side: Side) -> Result<(), ()> {
        loop {
            let entries = match store.take(side, BATCH).await {
                Ok(entries) => entries,
                Err(error) => {
                    warn!(%error, "the store of statistics does not give what it has");
                    return Ok(());
                }
            };
            if entries.is_empty() {
                return Ok(());
            }
            let mut reports = packed(entries).into_iter();
            while let Some(report) = reports.next() {
                if let Err(error) = self.send(side, &report).await {
                    self.failed.increment();
                    debug!(%error, "statistics not reported; they will be later");
                    let unsent = std::iter::once(report).chain(reports).flatten();
                    let entry = |(head, body)| Entry { side, head, body };
                    let unsent: Vec<_> = unsent.map(entry).collect();
                    self.keep(&unsent).await;
                    return Err(());
                }
            }
        }
    }

    async fn send(&self, side: Side, report: &Report) -> Result<()> {
        let from_client = side == Side::Client;
        sent(self.platform.report_mic_msg(report, from_client).await)
    }

    async fn keep(&self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        if let Err(error) = self.store.merge(entries).await {
            warn!(%error, "the store of statistics takes nothing; they stay in memory");
            let spare = self.spare.merge(entries).await;
            debug_assert!(spare.is_ok(), "memory does not fail");
        }
    }
}

type Report = BTreeMap<StatMicMsgHead, StatMicMsgBody>;

/// Entries in reports of a bounded size.
fn packed(entries: Vec<Entry>) -> Vec<Report> {
    let mut reports = Vec::new();
    let mut report = Report::new();
    let mut size = 0;
    for Entry { head, body, .. } in entries {
        let texts = [
            &head.master_name,
            &head.slave_name,
            &head.interface_name,
            &head.master_ip,
            &head.slave_ip,
            &head.slave_set_name,
            &head.slave_set_area,
            &head.slave_set_id,
            &head.tars_version,
        ];
        let more = ENTRY + texts.map(String::len).iter().sum::<usize>();
        if size + more > MAX_REPORT && !report.is_empty() {
            reports.push(mem::take(&mut report));
            size = 0;
        }
        size += more;
        report.insert(head, body);
    }
    if !report.is_empty() {
        reports.push(report);
    }
    reports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn reports_are_bounded() {
        let entry = |i: usize| Entry {
            side: Side::Server,
            head: StatMicMsgHead {
                interface_name: format!("{i:0128}"),
                slave_port: i32::MAX,
                return_value: i32::MIN,
                ..StatMicMsgHead::default()
            },
            body: StatMicMsgBody {
                count: i32::MAX,
                timeout_count: i32::MAX,
                exec_count: i32::MAX,
                interval_count: super::super::BOUNDS.map(|bound| (bound, i32::MAX)).into(),
                total_rsp_time: i64::MAX,
                max_rsp_time: i32::MAX,
                min_rsp_time: i32::MAX,
            },
        };
        let reports = packed((0..1000).map(entry).collect());
        assert_eq!(reports.iter().map(BTreeMap::len).sum::<usize>(), 1000);
        assert!(reports.len() > 1);
        for report in reports {
            let mut size = 0;
            for (head, body) in &report {
                size += codec::encode(head).unwrap().len() + codec::encode(body).unwrap().len();
                size += 4; // the heads and ends of both
            }
            assert!(size <= MAX_REPORT, "{size}");
        }
    }
}
