//! `/tars/application/client`: how the program calls others, and reports what it sees.

use std::time::Duration;

use super::{TlsConfig, section::Section};
use crate::Address;

/// How the program calls others, and reports what it sees. Defaults are those of TarsCpp.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// `locator`: the registry, with its endpoints. Without it, only addresses with endpoints can be called.
    pub locator: Option<Address>,
    /// `sync-invoke-timeout`, in milliseconds: how long a call waits for its answer. Default 3 s.
    pub sync_invoke_timeout: Duration,
    /// `async-invoke-timeout`, in milliseconds: the same for calls of TarsCpp with a callback. Default 5 s.
    pub async_invoke_timeout: Duration,
    /// `refresh-endpoint-interval`, in milliseconds: how often the registry is asked again. Default 60 s.
    pub refresh_endpoint_interval: Duration,
    /// `keep-alive-interval`, in milliseconds: how long a peer may be silent before it is asked whether it is there.
    /// Zero is never. Without it, what reads this has a default of its own (TarsCpp: never).
    pub keep_alive_interval: Option<Duration>,
    /// `stat`: the object that gets statistics of calls. Without it, they are not reported.
    pub stat: Option<Address>,
    /// `property`: the object that gets properties. Without it, they are not reported.
    pub property: Option<Address>,
    /// `report-interval`, in milliseconds: how often both are reported. Default 60 s.
    pub report_interval: Duration,
    /// `report-timeout`, in milliseconds: how long a report may take. Default 5 s.
    pub report_timeout: Duration,
    /// `sample-rate`: one call of so many is sampled. Default 1,000.
    pub sample_rate: u32,
    /// `max-sample-count`: samples of an interval. Default 100.
    pub max_sample_count: u32,
    /// `asyncthread`: threads that TarsCpp runs callbacks on. Default 3.
    pub async_threads: u32,
    /// `netthread`: threads that TarsCpp reads and writes on. Default 1.
    pub net_threads: u32,
    /// `modulename`: what the program is called in reports, `App.Server`. Without it, that of the server.
    pub module_name: Option<String>,
    /// `ca`, `cert`, `key`: for endpoints with TLS.
    pub tls: Option<TlsConfig>,
}

/// What other implementations read here.
const UNUSED: &[&str] = &[
    "asyncqueuecap",
    "cache-endpoint-interval",
    "ciphers",
    "collector_host",
    "collector_port",
    "enableset",
    "localip",
    "max-report-size",
    "mergenetasync",
    "min-timeout",
    "recvthread",
    "sample_rate",
    "sendthread",
    "setdivision",
    "timeout-log-flag",
    "trace_param_max_len",
];

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            locator: None,
            sync_invoke_timeout: Duration::from_millis(3000),
            async_invoke_timeout: Duration::from_millis(5000),
            refresh_endpoint_interval: Duration::from_millis(60_000),
            keep_alive_interval: None,
            stat: None,
            property: None,
            report_interval: Duration::from_millis(60_000),
            report_timeout: Duration::from_millis(5000),
            sample_rate: 1000,
            max_sample_count: 100,
            async_threads: 3,
            net_threads: 1,
            module_name: None,
            tls: None,
        }
    }
}

impl ClientConfig {
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let default = Self::default();
        let s = &mut section;
        let config = Self {
            locator: s.address("locator"),
            sync_invoke_timeout: s
                .millis("sync-invoke-timeout")
                .unwrap_or(default.sync_invoke_timeout),
            async_invoke_timeout: s
                .millis("async-invoke-timeout")
                .unwrap_or(default.async_invoke_timeout),
            refresh_endpoint_interval: s
                .millis("refresh-endpoint-interval")
                .unwrap_or(default.refresh_endpoint_interval),
            keep_alive_interval: s.millis_or_zero("keep-alive-interval"),
            stat: s.address("stat"),
            property: s.address("property"),
            report_interval: s
                .millis("report-interval")
                .unwrap_or(default.report_interval),
            report_timeout: s.millis("report-timeout").unwrap_or(default.report_timeout),
            sample_rate: s
                .number("sample-rate", 0..=u32::MAX)
                .unwrap_or(default.sample_rate),
            max_sample_count: s
                .number("max-sample-count", 0..=u32::MAX)
                .unwrap_or(default.max_sample_count),
            async_threads: s
                .number("asyncthread", 0..=1024)
                .unwrap_or(default.async_threads),
            net_threads: s
                .number("netthread", 0..=1024)
                .unwrap_or(default.net_threads),
            module_name: s.text("modulename"),
            tls: s.tls(),
        };
        section.finish(UNUSED);
        config
    }
}
