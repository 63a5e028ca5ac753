//! Where calls are counted.

use std::{
    cell::Cell,
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    StatLayer, Times,
    body::{End, Tally},
    store::{Entry, Side},
};
use crate::{
    Counter,
    client::{CallObserver, EndedCall},
    platform::{
        StatMicMsgHead,
        identity::{Identity, VERSION},
    },
};

/// Parts of the table. A thread always counts in the same one, so its lock is mostly free and in its cache.
const SHARDS: usize = 16;
/// Different heads of a part, all sides together. Callers choose the names of functions and have many addresses.
const MAX_HEADS: usize = 1024;
/// The platform cuts the names of functions to so many bytes.
const MAX_NAME: usize = 128;

/// Counts calls: those that a communicator makes, as its [`CallObserver`], and those that a server runs.
///
/// Counting takes the lock of one of 16 parts, which threads rarely share, and allocates only for the first
/// call of its kind in an interval. There are at most 1,024 kinds in a part; calls beyond them are
/// [counted as lost](Self::lost).
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    identity: Identity,
    hasher: RandomState,
    shards: [Shard; SHARDS],
    lost: Arc<Counter>,
    /// Also of the adapters, for who reports them.
    times: OnceLock<Times>,
}

/// Calls by the hash of their head; those whose hashes are equal are in one list.
#[derive(Default)]
#[repr(align(128))] // no two locks in one cache line, nor in two that are fetched together
struct Shard(Mutex<Part>);

#[derive(Default)]
struct Part {
    heads: usize,
    kinds: HashMap<u64, Vec<(Head, Tally)>>,
}

/// A [`StatMicMsgHead`], without what all of them have in common.
struct Head {
    side: Side,
    /// Of a client; a server is reported as a whole.
    servant: Box<str>,
    func: Box<str>,
    /// Of the callee, when seen by the caller; of the caller, when seen by the callee.
    host: Host<Box<str>>,
    port: u16,
    /// Of the callee, when seen by the caller. A place is in one set at a time.
    set: Option<Box<str>>,
}

/// The other side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Host<T> {
    Name(T),
    Address(IpAddr),
}

impl Recorder {
    pub(crate) fn new(identity: Identity) -> Self {
        Self(Arc::new(Shared {
            identity,
            hasher: RandomState::new(),
            shards: Default::default(),
            lost: Arc::default(),
            times: OnceLock::new(),
        }))
    }

    /// From now on its layers also measure how long requests wait and run at each adapter.
    pub(crate) fn measure(&self, times: Times) {
        let _ = self.0.times.set(times);
    }

    /// What its layers tell how long requests wait and run.
    pub(crate) fn times(&self) -> Option<&Times> {
        self.0.times.get()
    }

    /// A layer that counts the requests of a server.
    pub fn layer(&self) -> StatLayer {
        StatLayer(self.clone())
    }

    /// Counts a request that the server has run: the name of the function that was called, the caller, how long it
    /// took, and the return code of its answer.
    pub fn request_ended(&self, func: &str, caller: IpAddr, elapsed: Duration, code: i32) {
        let caller = match caller {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(caller, Ipv4Addr::into),
            IpAddr::V4(_) => caller,
        };
        let end = End::new(code, elapsed);
        self.count(Side::Server, "", func, Host::Address(caller), 0, None, end);
    }

    /// Calls that were not counted, since there were too many different ones.
    pub fn lost(&self) -> &Arc<Counter> {
        &self.0.lost
    }

    #[allow(clippy::too_many_arguments)] // a head, which is not made for each call
    fn count(
        &self,
        side: Side,
        servant: &str,
        func: &str,
        host: Host<&str>,
        port: u16,
        set: Option<&str>,
        end: End,
    ) {
        let func = cut(func);
        let key = self.0.hasher.hash_one((side, servant, func, host, port));
        let mut part = self.0.shard().lock();
        let Part { heads, kinds } = &mut *part;
        // Nothing is inserted for what is not counted: callers can invent names without end.
        let of_key = kinds.get_mut(&key).map(Vec::as_mut_slice);
        let known = of_key
            .unwrap_or_default()
            .iter_mut()
            .find(|(head, _)| head.is(side, servant, func, host, port));
        if let Some((_, tally)) = known {
            return tally.count(end);
        }
        if *heads >= MAX_HEADS {
            return self.0.lost.increment();
        }
        *heads += 1;
        let head = Head {
            side,
            servant: servant.into(),
            func: func.into(),
            host: match host {
                Host::Name(name) => Host::Name(name.into()),
                Host::Address(address) => Host::Address(address),
            },
            port,
            set: set.map(Into::into),
        };
        let mut tally = Tally::default();
        tally.count(end);
        kinds.entry(key).or_default().push((head, tally));
    }

    /// Takes what was counted.
    pub(crate) fn take(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for shard in &self.0.shards {
            let part = std::mem::take(&mut *shard.lock());
            let kinds = part.kinds.into_values().flatten();
            entries.extend(kinds.map(|(head, tally)| Entry {
                side: head.side,
                head: head.report(&self.0.identity),
                body: tally.body(),
            }));
        }
        entries
    }
}

impl Shared {
    fn shard(&self) -> &Shard {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static MINE: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        let [first, ..] = &self.shards;
        self.shards.get(MINE.get()).unwrap_or(first)
    }
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Part> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Head {
    fn is(&self, side: Side, servant: &str, func: &str, host: Host<&str>, port: u16) -> bool {
        let own = match &self.host {
            Host::Name(name) => Host::Name(&**name),
            Host::Address(address) => Host::Address(*address),
        };
        self.side == side
            && &*self.servant == servant
            && &*self.func == func
            && own == host
            && self.port == port
    }

    fn report(self, identity: &Identity) -> StatMicMsgHead {
        let Self {
            servant,
            func,
            port,
            set,
            ..
        } = &self;
        let host = match &self.host {
            Host::Name(name) => name.to_string(),
            Host::Address(address) => address.to_string(),
        };
        let head = StatMicMsgHead {
            interface_name: func.to_string(),
            ..StatMicMsgHead::default()
        };
        match self.side {
            Side::Client => {
                let mut set = set.as_deref().unwrap_or_default().splitn(3, '.');
                let mut part = || set.next().unwrap_or_default().to_owned();
                StatMicMsgHead {
                    slave_set_name: part(),
                    slave_set_area: part(),
                    slave_set_id: part(),
                    master_name: format!("{}@{VERSION}", identity.module),
                    slave_name: module_of(servant).to_owned(),
                    slave_ip: host,
                    slave_port: i32::from(*port),
                    ..head
                }
            }
            Side::Server => {
                let [name, area, group] = identity.set_parts().map(str::to_owned);
                StatMicMsgHead {
                    master_name: "stat_from_server".to_owned(),
                    slave_name: identity.module.clone(),
                    master_ip: host,
                    slave_set_name: name,
                    slave_set_area: area,
                    slave_set_id: group,
                    ..head
                }
            }
        }
    }
}

/// As much of a name as is reported.
fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or_default()
}

/// `App.Server` of `App.Server.Obj`.
fn module_of(servant: &str) -> &str {
    match servant.match_indices('.').nth(1) {
        Some((at, _)) => servant.get(..at).unwrap_or(servant),
        None => servant,
    }
}

impl CallObserver for Recorder {
    fn call_ended(&self, call: &EndedCall<'_>) {
        // Nobody knows what became of a call that wants no answer; TarsCpp does not count it either.
        if call.is_oneway {
            return;
        }
        let end = End::new(call.code, call.elapsed);
        let endpoint = call.endpoint;
        let host = Host::Name(endpoint.host.as_str());
        self.count(
            Side::Client,
            call.servant,
            call.func,
            host,
            endpoint.port,
            endpoint.set.as_deref(),
            end,
        );
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("module", &self.0.identity.module)
            .field("lost", &self.0.lost)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, codes};

    fn recorder() -> Recorder {
        Recorder::new(Identity {
            module: "PHPTest.CppServer".to_owned(),
            set: Some("mtt.s.1".parse().unwrap()),
            ..Identity::default()
        })
    }

    #[test]
    fn calls_are_counted_by_their_head() {
        let recorder = recorder();
        let mut endpoint: Endpoint = "tcp -h 127.0.0.1 -p 22011".parse().unwrap();
        endpoint.set = Some("mtt.s.2".to_owned());
        for (func, code, is_oneway) in [
            ("tars_ping", codes::OK, false),
            ("tars_ping", codes::INVOKE_TIMEOUT, false),
            ("echo", 7, false),
            ("echo", codes::OK, true),
        ] {
            recorder.call_ended(&EndedCall {
                servant: "PHPTest.EchoServer.EchoObj",
                func,
                endpoint: &endpoint,
                elapsed: Duration::from_millis(6),
                code,
                is_oneway,
            });
        }
        let mut entries = recorder.take();
        entries.sort_by(|a, b| a.head.cmp(&b.head));
        let [echo, ping] = entries.as_slice() else {
            panic!("{entries:?}");
        };
        let head = StatMicMsgHead {
            master_name: format!("PHPTest.CppServer@{VERSION}"),
            slave_name: "PHPTest.EchoServer".to_owned(),
            interface_name: "tars_ping".to_owned(),
            slave_ip: "127.0.0.1".to_owned(),
            slave_port: 22011,
            slave_set_name: "mtt".to_owned(),
            slave_set_area: "s".to_owned(),
            slave_set_id: "2".to_owned(),
            ..StatMicMsgHead::default()
        };
        assert_eq!((ping.side, &ping.head), (Side::Client, &head));
        let counts = |b: &crate::platform::StatMicMsgBody| (b.count, b.timeout_count, b.exec_count);
        assert_eq!(
            (counts(&ping.body), counts(&echo.body)),
            ((1, 1, 0), (0, 0, 1))
        );
        assert!(recorder.take().is_empty(), "it was taken");
    }

    #[test]
    fn requests_are_counted_by_the_address_of_their_caller() {
        let recorder = recorder();
        for caller in ["10.0.0.7", "::ffff:10.0.0.7"] {
            let caller = caller.parse().unwrap();
            recorder.request_ended("f", caller, Duration::from_millis(1), 0);
        }
        let entries = recorder.take();
        let head = StatMicMsgHead {
            master_name: "stat_from_server".to_owned(),
            slave_name: "PHPTest.CppServer".to_owned(),
            interface_name: "f".to_owned(),
            master_ip: "10.0.0.7".to_owned(),
            slave_set_name: "mtt".to_owned(),
            slave_set_area: "s".to_owned(),
            slave_set_id: "1".to_owned(),
            ..StatMicMsgHead::default()
        };
        assert_eq!(entries.len(), 1);
        assert_eq!((&entries[0].head, entries[0].body.count), (&head, 2));
    }

    #[test]
    fn callers_cannot_fill_the_memory() {
        let recorder = recorder();
        let caller = IpAddr::V4(Ipv4Addr::LOCALHOST);
        for i in 0..=MAX_HEADS {
            let func = format!("{i}{}", "\u{4e00}".repeat(1000));
            recorder.request_ended(&func, caller, Duration::ZERO, -3);
        }
        assert_eq!(recorder.lost().get(), 1);
        let shards = recorder.0.shards.iter();
        let keys: usize = shards.map(|shard| shard.lock().kinds.len()).sum();
        assert_eq!(keys, MAX_HEADS, "what is lost is not kept");
        let entries = recorder.take();
        assert_eq!(entries.len(), MAX_HEADS);
        assert!(
            entries
                .iter()
                .all(|e| e.head.interface_name.len() <= MAX_NAME)
        );
        recorder.request_ended("f", caller, Duration::ZERO, 0);
        assert_eq!(recorder.take().len(), 1, "there is room again");
    }

    #[test]
    fn threads_count_together() {
        let recorder = recorder();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    let caller = IpAddr::V4(Ipv4Addr::LOCALHOST);
                    for _ in 0..100 {
                        recorder.request_ended("f", caller, Duration::ZERO, 0);
                    }
                });
            }
        });
        let entries = recorder.take();
        assert_eq!(
            entries.iter().map(|entry| entry.body.count).sum::<i32>(),
            4000
        );
    }
}
