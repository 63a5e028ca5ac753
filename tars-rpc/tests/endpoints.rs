//! Servants with several endpoints, in memory and in virtual time: choice, health, retries.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{OBJ, Raw, TestTafServiceServant, client_of, greeting};
use tars_rpc::{
    Communicator, Disconnect, Endpoint, Error,
    client::{
        Balance, BoxedStream, CallOptions, Config, Connecting, Connector, Ejection, EndpointState,
    },
};
use tokio::{sync::mpsc, time::Instant};

/// What a host does with calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// Answers with the name of the host.
    Well,
    /// Never answers.
    Silent,
    /// Closes when a call comes.
    Closing,
    /// Answers that it is overloaded.
    Overloaded,
    /// Cannot be connected to.
    Away,
}

/// Hosts by name. Clones are the same hosts.
#[derive(Debug, Clone, Default)]
struct Hosts(Arc<Mutex<BTreeMap<String, Host>>>);

#[derive(Debug, Default)]
struct Host {
    mood: Option<Mood>,
    calls: u32,
}

impl Hosts {
    fn set(&self, host: &str, mood: Mood) {
        self.0
            .lock()
            .unwrap()
            .entry(host.to_owned())
            .or_default()
            .mood = Some(mood);
    }

    fn mood(&self, host: &str) -> Mood {
        let hosts = self.0.lock().unwrap();
        hosts
            .get(host)
            .and_then(|host| host.mood)
            .unwrap_or(Mood::Well)
    }

    /// The calls that each host got since the last time.
    fn take_calls(&self) -> BTreeMap<String, u32> {
        let mut hosts = self.0.lock().unwrap();
        hosts
            .iter_mut()
            .map(|(name, host)| (name.clone(), std::mem::take(&mut host.calls)))
            .filter(|(_, calls)| *calls > 0)
            .collect()
    }

    async fn serve(self, host: String, mut peer: Raw) {
        peer.lenient = true;
        while let Some(request) = peer.request().await {
            if request.func != "tars_ping" {
                self.0
                    .lock()
                    .unwrap()
                    .entry(host.clone())
                    .or_default()
                    .calls += 1;
            }
            let answer = match self.mood(&host) {
                Mood::Well => greeting(request.request_id, &host),
                Mood::Silent => continue,
                Mood::Closing | Mood::Away => return,
                Mood::Overloaded => common::failure(request.request_id, -9),
            };
            peer.send(&answer).await;
        }
    }
}

impl Connector for Hosts {
    fn connect(&self, endpoint: Arc<Endpoint>) -> Connecting {
        let hosts = self.clone();
        Box::pin(async move {
            if hosts.mood(&endpoint.host) == Mood::Away {
                return Err(std::io::ErrorKind::ConnectionRefused.into());
            }
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(hosts.serve(endpoint.host.clone(), Raw::new(theirs)));
            Ok(Box::new(ours) as BoxedStream)
        })
    }
}

/// A client of a servant at these hosts.
fn client(
    endpoints: &[&str],
    change: impl FnOnce(&mut Config),
) -> (TestTafServiceServant, Communicator, Hosts) {
    let hosts = Hosts::default();
    let mut config = Config::default();
    change(&mut config);
    let communicator = Communicator::builder()
        .connector(hosts.clone())
        .config(config)
        .build();
    let endpoints: Vec<_> = endpoints
        .iter()
        .map(|e| format!("tcp -h {e} -p 1"))
        .collect();
    let address = format!("{OBJ}@{}", endpoints.join(":"));
    (client_of(&communicator, &address), communicator, hosts)
}

fn state(client: &TestTafServiceServant, host: &str) -> EndpointState {
    let endpoints = client.proxy().endpoints();
    let of_host = endpoints.into_iter().find(|e| e.endpoint.host == host);
    of_host.unwrap().state
}

async fn call(client: &TestTafServiceServant, times: u32) -> BTreeMap<String, u32> {
    let mut answered = BTreeMap::new();
    for _ in 0..times {
        if let Ok(host) = client.say_hello_world("x").await {
            *answered.entry(host).or_default() += 1;
        }
    }
    answered
}

fn counts<const N: usize>(counts: [(&str, u32); N]) -> BTreeMap<String, u32> {
    counts.map(|(host, n)| (host.to_owned(), n)).into()
}

#[tokio::test(start_paused = true)]
async fn each_in_its_turn_and_by_its_weight() {
    let (client, ..) = self::client(&["a", "b", "c"], |_| {});
    assert_eq!(
        call(&client, 30).await,
        counts([("a", 10), ("b", 10), ("c", 10)])
    );
    let (client, ..) = self::client(&["a -w 100 -v 1", "b -w 50 -v 1", "c -w 0 -v 1"], |_| {});
    assert_eq!(call(&client, 30).await, counts([("a", 20), ("b", 10)]));
}

#[tokio::test(start_paused = true)]
async fn any_by_chance() {
    let (client, ..) = self::client(&["a", "b", "c"], |c| c.balance = Balance::Random);
    let calls = call(&client, 300).await;
    assert!(
        calls.len() == 3 && calls.values().all(|n| *n > 50),
        "{calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hash_stays_with_its_endpoint_and_comes_back_to_it() {
    for consistent in [false, true] {
        let (client, _, hosts) = self::client(&["a", "b", "c", "d"], |_| {});
        let mut owners = BTreeSet::new();
        for hash in 0..20 {
            let options = CallOptions::new();
            let options = match consistent {
                true => options.consistent_hash(hash),
                false => options.hash(hash),
            };
            let client = client.with(options);
            let owner = client.say_hello_world("x").await.unwrap();
            assert_eq!(call(&client, 5).await, counts([(&owner, 5)]));
            hosts.set(&owner, Mood::Away);
            // The connection is there still; it ends with the first call.
            client.say_hello_world("x").await.unwrap_err();
            let other = client.say_hello_world("x").await.unwrap();
            assert_ne!(other, owner);
            assert_eq!(call(&client, 5).await, counts([(&other, 5)]));
            hosts.set(&owner, Mood::Well);
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(client.say_hello_world("x").await.unwrap(), owner);
            owners.insert(owner);
        }
        assert_eq!(owners.len(), 4, "the hashes are spread");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_is_ejected_and_probed() {
    let (client, communicator, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(1)));
    hosts.set("a", Mood::Silent);
    let began = Instant::now();
    while state(&client, "a") == EndpointState::Active {
        let _ = client.say_hello_world("x").await;
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    let EndpointState::Ejected { why, probe_in } = state(&client, "a") else {
        panic!("{:?}", state(&client, "a"));
    };
    assert!(matches!(why, Ejection::Row(5..=7)), "{why:?}");
    assert!(probe_in >= Duration::from_secs(30), "{probe_in:?}");
    assert_eq!(state(&client, "b"), EndpointState::Active);

    hosts.take_calls();
    assert_eq!(call(&client, 50).await, counts([("b", 50)]));
    assert_eq!(hosts.take_calls(), counts([("b", 50)]), "none is lost to a");

    // It is still silent: the probe is the only call that suffers, each 30 s or more.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let _ = client.say_hello_world("x").await;
    }
    let probes = hosts.take_calls()["a"];
    assert!((2..=3).contains(&probes), "{probes}");

    hosts.set("a", Mood::Well);
    tokio::time::sleep(Duration::from_secs(40)).await;
    call(&client, 2).await;
    assert_eq!(state(&client, "a"), EndpointState::Active);
    assert_eq!(call(&client, 20).await, counts([("a", 10), ("b", 10)]));
    let stats = communicator.stats();
    assert_eq!((stats.ejected.get(), stats.restored.get()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn oneway_calls_find_an_endpoint_that_is_back() {
    let (client, communicator, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().oneway());
    hosts.set("a", Mood::Away);
    let call_for = async |seconds: u32| {
        for _ in 0..seconds {
            client.test_taf_server().await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    call_for(60).await;
    let EndpointState::Ejected { why, .. } = state(&client, "a") else {
        panic!("{:?}", state(&client, "a"));
    };
    assert!(matches!(why, Ejection::Connect(_)), "{why:?}");

    hosts.set("a", Mood::Well);
    call_for(40).await;
    assert_eq!(state(&client, "a"), EndpointState::Active);
    assert_eq!(communicator.stats().restored.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn oneway_calls_bring_back_one_that_does_not_answer_if_no_others_are_made() {
    let (client, _, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(1)));
    hosts.set("a", Mood::Silent);
    call(&client, 20).await;
    let oneway = client.with(CallOptions::new().oneway());
    for _ in 0..100 {
        oneway.test_taf_server().await.unwrap();
        let _ = client.say_hello_world("x").await;
        assert!(matches!(state(&client, "a"), EndpointState::Ejected { .. }));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    // Nobody asks it any more.
    for _ in 0..120 {
        oneway.test_taf_server().await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(state(&client, "a"), EndpointState::Active);
}

#[tokio::test(start_paused = true)]
async fn oneway_calls_leave_an_endpoint_that_closes_at_once() {
    let (client, communicator, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().oneway());
    hosts.set("a", Mood::Closing);
    let call_for = async |seconds: u32| {
        for _ in 0..seconds {
            let _ = client.test_taf_server().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    call_for(60).await;
    hosts.take_calls();
    call_for(300).await;
    let calls = hosts.take_calls();
    assert!((5..=10).contains(&calls["a"]), "{calls:?}");
    let EndpointState::Ejected { why, .. } = state(&client, "a") else {
        panic!("{:?}", state(&client, "a"));
    };
    assert!(matches!(why, Ejection::Connect(_)), "{why:?}");

    hosts.set("a", Mood::Well);
    call_for(40).await;
    assert_eq!(state(&client, "a"), EndpointState::Active);
    let stats = communicator.stats();
    assert_eq!(stats.ejected.get(), stats.restored.get());
}

#[tokio::test(start_paused = true)]
async fn a_oneway_call_leaves_the_probe_to_one_that_is_answered() {
    let (client, _, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(1)));
    let oneway = client.with(CallOptions::new().oneway());
    hosts.set("a", Mood::Silent);
    call(&client, 20).await;
    assert!(matches!(state(&client, "a"), EndpointState::Ejected { .. }));
    hosts.set("a", Mood::Well);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        oneway.test_taf_server().await.unwrap();
        call(&client, 1).await;
    }
    assert_eq!(state(&client, "a"), EndpointState::Active);
}

#[tokio::test(start_paused = true)]
async fn endpoints_of_weight_0_are_the_last_resort_of_hashes_too() {
    let weighted = ["a -w 0 -v 1", "b -w 0 -v 1", "c -w 100 -v 1"];
    let hashed = |client: &TestTafServiceServant| {
        client.with(CallOptions::new().consistent_hash(fastrand::u64(..)))
    };
    let (client, _, hosts) = self::client(&weighted, |_| {});
    hosts.set("c", Mood::Away);
    let (of_nothing, ..) = self::client(&weighted[..2], |_| {});
    for _ in 0..10 {
        hashed(&client).say_hello_world("x").await.unwrap();
        hashed(&of_nothing).say_hello_world("x").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn after_an_idle_close_the_pauses_between_attempts_are_short_again() {
    let (client, communicator, hosts) = self::client(&["a"], |_| {});
    let retry_in = async || match client.say_hello_world("x").await {
        Err(Error::Connect { retry_in, .. }) => retry_in,
        other => panic!("{other:?}"),
    };
    hosts.set("a", Mood::Away);
    while retry_in().await < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    hosts.set("a", Mood::Well);
    tokio::time::sleep(Duration::from_secs(5)).await;
    client.say_hello_world("x").await.unwrap();
    tokio::time::sleep(Duration::from_secs(400)).await;
    assert_eq!(communicator.stats().closed_idle.get(), 1);
    hosts.set("a", Mood::Away);
    let pause = retry_in().await;
    assert!(pause <= Duration::from_millis(100), "{pause:?}");
}

#[tokio::test(start_paused = true)]
async fn half_of_the_calls_of_a_minute() {
    let (client, _, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(100)));
    let began = Instant::now();
    let mut n = 0;
    while state(&client, "a") == EndpointState::Active {
        // Never five in a row.
        hosts.set("a", if n % 4 < 3 { Mood::Silent } else { Mood::Well });
        n += 1;
        call(&client, 2).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(began.elapsed() < Duration::from_secs(70));
    }
    assert!(began.elapsed() >= Duration::from_secs(60));
    let EndpointState::Ejected { why, .. } = state(&client, "a") else {
        panic!("{:?}", state(&client, "a"));
    };
    let Ejection::Ratio { failures, calls } = why else {
        panic!("{why:?}");
    };
    assert!(failures * 2 >= calls, "{why}");
}

#[tokio::test(start_paused = true)]
async fn when_all_are_ejected_all_are_tried() {
    let (client, _, hosts) = self::client(&["a", "b"], |_| {});
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(1)));
    hosts.set("a", Mood::Silent);
    hosts.set("b", Mood::Silent);
    call(&client, 20).await;
    for host in ["a", "b"] {
        assert!(matches!(
            state(&client, host),
            EndpointState::Ejected { .. }
        ));
    }
    hosts.set("a", Mood::Well);
    hosts.set("b", Mood::Well);
    let answered = call(&client, 10).await;
    assert_eq!(answered.values().sum::<u32>(), 10, "{answered:?}");
    let is_back = |host| state(&client, host) == EndpointState::Active;
    assert!(is_back("a") || is_back("b"), "whichever was tried first");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_cannot_be_connected_to_costs_no_call() {
    let (client, communicator, hosts) = self::client(&["a", "b"], |_| {});
    hosts.set("a", Mood::Away);
    let mut answered = 0;
    let mut states = BTreeSet::new();
    for _ in 0..300 {
        answered += call(&client, 1).await["b"];
        states.insert(match state(&client, "a") {
            EndpointState::Ejected { why, .. } => format!("{why}"),
            other => format!("{other:?}"),
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(answered, 300);
    for state in ["5 attempts to connect failed in a row", "Down"] {
        assert!(states.contains(state), "{states:?}");
    }
    let stats = communicator.stats();
    assert_eq!(stats.connect_failures.get(), stats.retries.get());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_been_run_is_repeated_only_if_that_does_no_harm() {
    let (client, communicator, hosts) = self::client(&["a", "b"], |_| {});
    let by = |hash: u64| CallOptions::new().hash(hash);
    hosts.set("a", Mood::Closing);
    let error = client.with(by(0)).say_hello_world("x").await.unwrap_err();
    let Error::Disconnected {
        cause: Disconnect::Closed,
        sent: true,
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(!error.is_not_run());
    tokio::time::sleep(Duration::from_secs(10)).await;
    let idempotent = client.with(by(0).idempotent());
    assert_eq!(idempotent.say_hello_world("x").await.unwrap(), "b");
    assert_eq!(communicator.stats().retries.get(), 1);
    assert_eq!(hosts.take_calls(), counts([("a", 2), ("b", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_taken_elsewhere() {
    let (client, _, hosts) = self::client(&["a", "b", "c"], |_| {});
    hosts.set("a", Mood::Overloaded);
    hosts.set("b", Mood::Overloaded);
    for _ in 0..10 {
        assert_eq!(client.say_hello_world("x").await.unwrap(), "c");
    }
    assert_eq!(state(&client, "a"), EndpointState::Active, "it answers");
    hosts.set("c", Mood::Overloaded);
    let error = client.say_hello_world("x").await.unwrap_err();
    assert_eq!(error.code(), -9);
}

#[tokio::test(start_paused = true)]
async fn retries_are_a_part_of_the_calls() {
    let (client, communicator, hosts) = self::client(&["a", "b"], |c| c.retry_burst = 5);
    hosts.set("a", Mood::Overloaded);
    hosts.set("b", Mood::Overloaded);
    call(&client, 100).await;
    let sent: u32 = hosts.take_calls().values().sum();
    assert!(
        (114..=115).contains(&sent),
        "{sent} {:?}",
        communicator.stats()
    );
    let stats = communicator.stats();
    assert_eq!(stats.retries.get() + stats.retries_denied.get(), 100);

    let (client, communicator, hosts) = self::client(&["a", "b"], |c| c.retries = 0);
    hosts.set("a", Mood::Overloaded);
    hosts.set("b", Mood::Overloaded);
    call(&client, 10).await;
    assert_eq!(communicator.stats().retries.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn hosts_that_come_and_go_and_every_call_ends() {
    const HOSTS: [&str; 5] = ["a", "b", "c", "d", "e"];
    const MOODS: [Mood; 5] = [
        Mood::Well,
        Mood::Silent,
        Mood::Closing,
        Mood::Overloaded,
        Mood::Away,
    ];
    for seed in 0..10 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (client, communicator, hosts) = self::client(&HOSTS, |c| {
            c.health.probe_after = Duration::from_secs(2);
            c.keep_alive = Some(Duration::from_secs(1));
            c.keep_alive_timeout = Duration::from_millis(100);
            c.idle = Some(Duration::from_secs(2));
        });
        let (ended, mut ends) = mpsc::unbounded_channel();
        let mut begun = 0;
        for task in 0..20 {
            let (client, ended, mut rng) = (client.clone(), ended.clone(), rng.fork());
            begun += 100;
            tokio::spawn(async move {
                for _ in 0..100 {
                    let pause = if rng.u8(..20) == 0 { 3000 } else { 100 };
                    tokio::time::sleep(Duration::from_millis(rng.u64(..pause))).await;
                    let timeout = Duration::from_millis(rng.u64(1..300));
                    let mut options = CallOptions::new().timeout(timeout);
                    if rng.bool() {
                        options = options.consistent_hash(task);
                    }
                    if rng.bool() {
                        options = options.idempotent();
                    }
                    let began = Instant::now();
                    let result = client.with(options).say_hello_world("x").await;
                    assert!(began.elapsed() <= timeout + Duration::from_millis(2));
                    ended.send(result.is_ok()).unwrap();
                }
            });
        }
        drop((ended, client));
        let whims = {
            let hosts = hosts.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(rng.u64(..500))).await;
                    let mood = match rng.bool() {
                        true => Mood::Well,
                        false => *rng.choice(&MOODS).unwrap(),
                    };
                    hosts.set(rng.choice(&HOSTS).unwrap(), mood);
                }
            })
        };
        let (mut answered, mut failed) = (0, 0);
        while let Some(is_ok) = ends.recv().await {
            *(if is_ok { &mut answered } else { &mut failed }) += 1;
        }
        whims.abort();
        let stats = communicator.stats();
        assert_eq!(answered + failed, begun, "seed {seed}");
        assert!(
            answered > failed,
            "seed {seed}: {answered} {failed} {stats:?}"
        );
        assert!(stats.retries.get() > 0, "seed {seed}: {stats:?}");
        // The proxy is gone, and so are the owners of its connections, with their halves of the pipes.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let alive = tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks();
        assert_eq!(alive, 0, "seed {seed}");
    }
}
