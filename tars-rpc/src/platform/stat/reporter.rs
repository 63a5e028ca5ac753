//! Brings numbers to the platform.

use std::{collections::BTreeMap, mem, sync::Arc};

use tracing::{debug, warn};

use super::{
    Recorder,
    store::{Entry, MemoryStatStore, Side, StatStore},
};
use crate::{
    Counter, Error, Result,
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

    /// Reports that could not be sent. Their numbers are in later ones, unless they may go out late.
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
                    debug!(%error, "statistics not reported in time");
                    // What waits on a connection may go out yet, and must not be counted twice.
                    let may_go_out = matches!(error, Error::Timeout { sent: true, .. });
                    let report = Some(report).filter(|_| !may_go_out);
                    let unsent = report.into_iter().chain(reports).flatten();
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
    use std::{
        io,
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use tokio::{
        io::{AsyncReadExt, DuplexStream},
        sync::mpsc,
    };

    use super::*;
    use crate::{
        Communicator, Endpoint,
        client::{BoxedStream, CallOptions, Config, Connecting, Connector},
        codec,
        platform::identity::Identity,
    };

    /// Hands the other end of each stream to the test.
    #[derive(Debug)]
    struct InMemory(mpsc::UnboundedSender<DuplexStream>);

    impl Connector for InMemory {
        fn connect(&self, _: Arc<Endpoint>) -> Connecting {
            let (ours, theirs) = tokio::io::duplex(64);
            self.0.send(theirs).unwrap();
            Box::pin(async { Ok(Box::new(ours) as BoxedStream) })
        }
    }

    /// A reporter with one number to report, to a platform that is connected to so.
    fn reporter(connector: impl Connector) -> Reporter {
        let config = Config {
            connect_timeout: Duration::from_secs(60),
            ..Config::default()
        };
        let communicator = Communicator::builder().connector(connector).config(config);
        let proxy = communicator
            .build()
            .string_to_proxy("tars.tarsstat.StatObj@tcp -h in.memory -p 1")
            .unwrap();
        let options = CallOptions::new().oneway().timeout(Duration::from_secs(5));
        let recorder = Recorder::new(Identity::default());
        let reporter = Reporter::new(
            recorder.clone(),
            Arc::new(MemoryStatStore::default()),
            StatFServant::new(proxy.with(options)),
        );
        let caller = [127, 0, 0, 1].into();
        recorder.request_ended("f", caller, Duration::ZERO, 0);
        reporter
    }

    /// How many reports come, up to the end of the stream.
    async fn reports(mut platform: DuplexStream) -> usize {
        let mut bytes = Vec::new();
        platform.read_to_end(&mut bytes).await.unwrap();
        bytes.windows(12).filter(|w| w == b"reportMicMsg").count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_goes_out_late_does_not_come_again() {
        let (sender, mut streams) = mpsc::unbounded_channel();
        let reporter = reporter(InMemory(sender));
        // It takes nothing for as long as the report waits, and then all of it.
        reporter.report().await;
        let reading = tokio::spawn(reports(streams.recv().await.unwrap()));
        reporter.report().await;
        drop(reporter);
        assert_eq!(reading.await.unwrap(), 1);
    }

    /// Connects the first time after a report has been given up, if it does.
    #[derive(Debug)]
    struct Slow {
        connects: bool,
        streams: InMemory,
        attempts: AtomicU32,
    }

    impl Connector for Slow {
        fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting {
            if self.attempts.fetch_add(1, Ordering::Relaxed) > 0 {
                return self.streams.connect(endpoint);
            }
            let connected = self.connects.then(|| self.streams.connect(endpoint));
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(6)).await;
                match connected {
                    Some(connected) => connected.await,
                    None => Err(io::ErrorKind::TimedOut.into()),
                }
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_that_expires_before_there_is_a_connection_comes_again() {
        for connects in [false, true] {
            let (sender, mut streams) = mpsc::unbounded_channel();
            let reporter = reporter(Slow {
                connects,
                streams: InMemory(sender),
                attempts: AtomicU32::new(0),
            });
            let reading = tokio::spawn(async move { reports(streams.recv().await.unwrap()).await });
            for _ in 0..5 {
                reporter.report().await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            drop(reporter);
            assert_eq!(reading.await.unwrap(), 1, "{connects}");
        }
    }

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
