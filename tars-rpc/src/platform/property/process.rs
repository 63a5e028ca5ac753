//! The properties that every server reports, read from `/proc`; elsewhere than on Linux there are none.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
};

use super::{Policy, Properties};

/// CPUs that are reported.
const MAX_CPUS: usize = 256;

/// Reads what the system knows of itself and of the process.
///
/// | property | is |
/// |---|---|
/// | `system.memoryUsage` | memory in use on the machine, in MiB |
/// | `system.cpuNUsage` | how busy a CPU was since the last report, in percent |
/// | `<server>.memoryUsage` | memory of the process, in KiB |
/// | `<server>.netStat.<STATE>` | TCP sockets of the process, by their state |
#[derive(Debug)]
pub(crate) struct ProcessProperties {
    properties: Properties,
    server: String,
    cpus: Vec<Cpu>,
    /// States that were reported once: they are 0 when they are not found any more.
    states: BTreeMap<&'static str, i64>,
}

/// Times of a CPU since the start of the system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cpu {
    busy: u64,
    all: u64,
}

impl ProcessProperties {
    pub(crate) fn new(properties: Properties, server: &str) -> Self {
        Self {
            properties,
            server: server.to_owned(),
            cpus: Vec::new(),
            states: BTreeMap::new(),
        }
    }

    /// Reads them all. Blocks, for as long as the process has many sockets.
    pub(crate) fn read(&mut self) {
        let file = |path| fs::read_to_string(path).unwrap_or_default();
        if let Some(used) = memory_used(&file("/proc/meminfo")) {
            self.report("system.memoryUsage", used);
        }
        let name = format!("{}.memoryUsage", self.server);
        if let Some(resident) = kib(&file("/proc/self/status"), "VmRSS") {
            self.report(&name, resident);
        }
        let cpus = cpus(&file("/proc/stat"));
        for (n, cpu) in cpus.iter().enumerate() {
            let before = self.cpus.get(n).copied().unwrap_or_default();
            let all = cpu.all.saturating_sub(before.all);
            if let Some(percent) = (100 * cpu.busy.saturating_sub(before.busy)).checked_div(all) {
                self.report(&format!("system.cpu{n}Usage"), percent.min(100) as i64);
            }
        }
        self.cpus = cpus;
        let sockets = sockets();
        self.states.values_mut().for_each(|count| *count = 0);
        for path in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            for (state, inode) in tcp(&file(path)) {
                if sockets.contains(inode) {
                    *self.states.entry(state).or_default() += 1;
                }
            }
        }
        for (state, count) in &self.states {
            self.report(&format!("{}.netStat.{state}", self.server), *count);
        }
    }

    fn report(&self, name: &str, value: i64) {
        self.properties.property(name, [Policy::Avg]).report(value);
    }
}

/// The number of a line `NAME:   NUMBER kB`.
fn kib(text: &str, name: &str) -> Option<i64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

fn memory_used(meminfo: &str) -> Option<i64> {
    let used = kib(meminfo, "MemTotal")?.checked_sub(kib(meminfo, "MemAvailable")?)?;
    Some(used / 1024)
}

/// The lines `cpuN user nice system idle iowait ..`.
fn cpus(stat: &str) -> Vec<Cpu> {
    let lines = stat.lines().filter(|line| {
        line.strip_prefix("cpu")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    lines
        .take(MAX_CPUS)
        .map(|line| {
            // What follows `steal` is contained in `user` and `nice`.
            let times = line.split_whitespace().skip(1).take(8);
            let times: Vec<u64> = times.filter_map(|time| time.parse().ok()).collect();
            let all = times.iter().sum();
            let idle: u64 = times.iter().skip(3).take(2).sum();
            Cpu {
                busy: all - idle,
                all,
            }
        })
        .collect()
}

/// The sockets of the process.
fn sockets() -> HashSet<String> {
    let files = fs::read_dir("/proc/self/fd").into_iter().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    targets
        .filter_map(|target| {
            let inode = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

/// State and inode of each socket in a table of the kernel.
fn tcp(table: &str) -> impl Iterator<Item = (&'static str, &str)> {
    const STATES: [&str; 12] = [
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT1",
        "FIN_WAIT2",
        "TIME_WAIT",
        "CLOSE",
        "CLOSE_WAIT",
        "LAST_ACK",
        "LISTEN",
        "CLOSING",
        "NEW_SYN_RECV",
    ];
    table.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        let state = usize::from_str_radix(words.nth(3)?, 16).ok()?;
        Some((*STATES.get(state.checked_sub(1)?)?, words.nth(5)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_kernel_are_read() {
        let meminfo = "MemTotal:  24684096 kB\nMemFree:  3428844 kB\nMemAvailable:   22344504 kB\n";
        assert_eq!(memory_used(meminfo), Some(2284));
        assert_eq!(memory_used(""), None);
        let stat = "cpu  9 9 9 9\ncpu0 628374 101341 109800 677393 3298 0 6965 343 7 0\nintr 1\n";
        let busy = 628_374 + 101_341 + 109_800 + 6_965 + 343;
        assert_eq!(
            cpus(stat),
            [Cpu {
                busy,
                all: busy + 677_393 + 3_298
            }]
        );
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:925F 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1760613 1 0\n   \
            1: 0100007F:925F 00000000:0000 FF 0:0 0:0 0 0 0 7 1\n";
        assert_eq!(tcp(table).collect::<Vec<_>>(), [("LISTEN", "1760613")]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_finds_its_own_sockets() {
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let properties = Properties::default();
        ProcessProperties::new(properties.clone(), "PHPServer").read();
        let value = |name: &str| -> f64 {
            let taken = properties.take();
            let (_, body) = taken.iter().find(|(n, _)| n == name).unwrap();
            body.v_info[0].value.parse().unwrap()
        };
        assert!(value("PHPServer.netStat.LISTEN") >= 1.0);
    }
}
