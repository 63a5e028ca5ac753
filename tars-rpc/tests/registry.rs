//! Servants that are found by their names: a registry in memory, and scripted ones; in virtual time.

mod common;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use common::{
    Example, OBJ, TestTafService, TestTafServiceServant, TestTafServiceServer, client_of,
    registry::Registry,
};
use tars_rpc::{
    Communicator, CommunicatorBuilder, Endpoint, Error, Result,
    client::{CallOptions, Config, EndpointState, PushEvent},
    codes,
    config::{ApplicationConfig, Document},
    platform::QueryFServer,
    registry::{Query, Resolved, Resolver, Resolving},
    server::{self, Server},
    testing::Network,
};
use tokio::{runtime::Handle, sync::Semaphore, time::Instant};

const SECOND: Duration = Duration::from_secs(1);
const LOCATOR: &str = "tars.tarsregistry.QueryObj@tcp -h registry -p 17890";

/// Answers with the name of its host.
struct Host(String, Example);

impl TestTafService for Host {
    async fn test_taf_server(&self, cx: &server::Context) -> Result<()> {
        self.1.test_taf_server(cx).await
    }

    async fn say_hello_world(&self, cx: &server::Context, name: String) -> Result<String> {
        self.1.say_hello_world(cx, name).await?;
        Ok(self.0.clone())
    }

    async fn test_basic(
        &self,
        cx: &server::Context,
        a: bool,
        b: i32,
        c: String,
    ) -> Result<common::TestBasicReply> {
        self.1.test_basic(cx, a, b, c).await
    }
}

async fn serve(network: &Network, host: &str) {
    let servant = TestTafServiceServer::new(Host(host.to_owned(), Example::default()));
    let server = Server::builder()
        .servant(OBJ, servant)
        .listen()
        .await
        .unwrap();
    network.serve(host, 1, server);
}

async fn start_registry(network: &Network, registry: &Registry) {
    let servant = QueryFServer::new(registry.clone());
    let server = Server::builder().servant("tars.tarsregistry.QueryObj", servant);
    network.serve("registry", 17890, server.listen().await.unwrap());
}

/// A network with a registry and three hosts, of which the registry knows the first two.
async fn platform() -> (Network, Registry, CommunicatorBuilder) {
    let (network, registry) = (Network::default(), Registry::default());
    for host in ["a", "b", "c"] {
        serve(&network, host).await;
    }
    registry.set(&["a", "b"], &["z"]);
    start_registry(&network, &registry).await;
    let builder = Communicator::builder()
        .connector(network.clone())
        .locator(LOCATOR)
        .unwrap();
    (network, registry, builder)
}

async fn call(client: &TestTafServiceServant, times: u32) -> BTreeMap<String, u32> {
    let mut answered = BTreeMap::new();
    for _ in 0..times {
        let host = client.say_hello_world("x").await.unwrap();
        *answered.entry(host).or_default() += 1;
    }
    answered
}

fn counts<const N: usize>(counts: [(&str, u32); N]) -> BTreeMap<String, u32> {
    counts.map(|(host, n)| (host.to_owned(), n)).into()
}

#[tokio::test(start_paused = true)]
async fn a_bare_name_is_looked_up_once_and_then_now_and_again() {
    let (_network, registry, builder) = platform().await;
    let communicator = builder.node_name("node-7").build();
    let client = client_of(&communicator, OBJ);
    assert!(
        registry.asked().is_empty(),
        "nothing is looked up before the first call"
    );
    assert_eq!(call(&client, 10).await, counts([("a", 5), ("b", 5)]));
    let other = client_of(&communicator, OBJ);
    call(&other, 10).await;
    let question = format!("findObjectByIdInSameGroup({OBJ}) node-7");
    assert_eq!(registry.asked(), [question.as_str()]);
    tokio::time::sleep(601 * SECOND).await;
    let asked = registry.asked();
    assert!((9..=11).contains(&asked.len()), "{asked:?}");

    let states: Vec<_> = client
        .proxy()
        .endpoints()
        .into_iter()
        .map(|e| (e.endpoint.to_string(), e.state))
        .collect();
    let (active, inactive) = (EndpointState::Active, EndpointState::Inactive);
    assert_eq!(
        states,
        [("a", active.clone()), ("b", active), ("z", inactive)]
            .map(|(host, state)| (format!("tcp -h {host} -p 1 -t 60000"), state))
    );
}

#[tokio::test(start_paused = true)]
async fn when_the_list_changes_calls_move_and_those_under_way_end_where_they_are() {
    let (network, registry, builder) = platform().await;
    let (servant, gate, mut begun) = common::example();
    let slow = Server::builder()
        .servant(OBJ, servant)
        .listen()
        .await
        .unwrap();
    let stats = slow.stats();
    network.serve("a", 1, slow);
    registry.set(&["a"], &[]);
    let client = client_of(&builder.build(), OBJ);
    let patient = client.with(CallOptions::new().timeout(600 * SECOND));
    let waiting = tokio::spawn(async move { patient.say_hello_world("wait").await });
    begun.recv().await.unwrap();

    registry.set(&["b", "c"], &["a"]);
    tokio::time::sleep(70 * SECOND).await;
    assert_eq!(call(&client, 10).await, counts([("b", 5), ("c", 5)]));
    assert_eq!(
        stats.open.get(),
        1,
        "the call under way keeps its connection"
    );
    gate.cancel();
    assert_eq!(waiting.await.unwrap().unwrap(), "the wait is over");
    tokio::time::sleep(SECOND).await;
    assert_eq!(stats.open.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_list_stays() {
    let (network, registry, builder) = platform().await;
    let communicator = builder.build();
    let client = client_of(&communicator, OBJ);
    call(&client, 2).await;
    registry.set(&[], &["a", "b"]);
    tokio::time::sleep(200 * SECOND).await;
    call(&client, 10).await;
    network.remove("registry", 17890);
    tokio::time::sleep(200 * SECOND).await;
    call(&client, 10).await;
    assert!(communicator.stats().resolve_failures.get() > 0);

    registry.set(&["c"], &[]);
    start_registry(&network, &registry).await;
    tokio::time::sleep(130 * SECOND).await;
    assert_eq!(call(&client, 3).await, counts([("c", 3)]));
}

#[tokio::test(start_paused = true)]
async fn what_the_registry_does_not_know_fails_at_once_and_is_found_later() {
    let (_network, registry, builder) = platform().await;
    registry.set(&[], &[]);
    let client = client_of(&builder.build(), OBJ);
    let began = Instant::now();
    let error = client.say_hello_world("x").await.unwrap_err();
    assert_eq!(
        (error.code(), began.elapsed().as_secs()),
        (codes::NO_ENDPOINT, 0)
    );
    assert!(
        error.to_string().contains("the registry does not know it"),
        "{error}"
    );
    registry.set(&[], &["a"]);
    tokio::time::sleep(10 * SECOND).await;
    let error = client.say_hello_world("x").await.unwrap_err();
    assert!(
        error.to_string().contains("none of the 1 endpoints"),
        "{error}"
    );
    registry.set(&["a"], &[]);
    tokio::time::sleep(60 * SECOND).await;
    call(&client, 1).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_registry_calls_go_by_the_cache() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("endpoints");
    let (network, registry, builder) = platform().await;
    call(&client_of(&builder.cache(&path).build(), OBJ), 2).await;
    // Time stands still while another thread writes.
    while !path.exists() {
        tokio::task::yield_now().await;
    }
    network.remove("registry", 17890);

    let again = || {
        let builder = Communicator::builder().connector(network.clone());
        builder.locator(LOCATOR).unwrap()
    };
    let client = client_of(&again().cache(&path).build(), OBJ);
    assert_eq!(call(&client, 10).await, counts([("a", 5), ("b", 5)]));
    registry.set(&["c"], &[]);
    start_registry(&network, &registry).await;
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(call(&client, 3).await, counts([("c", 3)]));

    network.remove("registry", 17890);
    let error = client_of(&again().build(), OBJ)
        .say_hello_world("x")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("the registry cannot be asked"),
        "{error}"
    );
    assert!(
        error.to_string().contains("nobody is at registry:17890"),
        "{error}"
    );
}

/// As it is in the first seconds after a restart of the registry.
#[tokio::test(start_paused = true)]
async fn with_a_registry_that_knows_nothing_yet_calls_go_by_the_cache() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("endpoints");
    let (network, registry, builder) = platform().await;
    call(&client_of(&builder.cache(&path).build(), OBJ), 1).await;
    // Time stands still while another thread writes.
    while !path.exists() {
        tokio::task::yield_now().await;
    }

    let restarted = || {
        let builder = Communicator::builder().connector(network.clone());
        let builder = builder.locator(LOCATOR).unwrap();
        client_of(&builder.cache(&path).build(), OBJ)
    };
    // It knows what an operator has taken out.
    registry.set(&[], &["a", "b"]);
    let error = restarted().say_hello_world("x").await.unwrap_err();
    assert!(matches!(error, Error::NoEndpoint { .. }), "{error}");

    registry.set(&[], &[]);
    let client = restarted();
    assert_eq!(call(&client, 2).await, counts([("a", 1), ("b", 1)]));
    registry.set(&["c"], &[]);
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(call(&client, 2).await, counts([("c", 2)]));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_hears_that_the_servant_has_moved() {
    for another_stays in [false, true] {
        let (_network, registry, builder) = platform().await;
        registry.set(&["a"], &[]);
        let communicator = builder.build();
        // Its calls have the same connection.
        let another =
            another_stays.then(|| client_of(&communicator, &format!("{OBJ}@tcp -h a -p 1")));
        let client = client_of(&communicator, OBJ);
        let mut pushes = client.proxy().pushes();
        call(&client, 1).await;
        registry.set(&["b"], &[]);
        let event = tokio::time::timeout(100 * SECOND, pushes.recv()).await;
        let Ok(Some(PushEvent::Disconnected(endpoint))) = event else {
            panic!("{another_stays}: {event:?}");
        };
        assert_eq!(endpoint.host, "a");
        let event = tokio::time::timeout(100 * SECOND, pushes.recv()).await;
        assert!(event.is_err(), "told once: {event:?}");
        drop(another);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_never_refreshed_leaves_its_search_alive() {
    let mut tasks = Vec::new();
    // The time is up to a tenth longer or shorter, by chance.
    for refresh in [60 * SECOND].into_iter().chain([Duration::MAX; 20]) {
        let (_network, _registry, builder) = platform().await;
        let mut config = Config::default();
        config.refresh = refresh;
        let before = Handle::current().metrics().num_alive_tasks();
        let client = client_of(&builder.config(config).build(), OBJ);
        call(&client, 2).await;
        tokio::time::sleep(SECOND).await;
        tasks.push(Handle::current().metrics().num_alive_tasks() - before);
        drop(client);
        tokio::time::sleep(SECOND).await;
    }
    assert!(tasks.iter().all(|n| *n == tasks[0]), "{tasks:?}");
}

#[tokio::test(start_paused = true)]
async fn the_set_of_the_program_is_asked_for() {
    let (_network, registry, builder) = platform().await;
    let communicator = builder.set("mtt.s.1".parse().unwrap()).build();
    call(&client_of(&communicator, OBJ), 2).await;
    assert_eq!(
        registry.asked(),
        [format!("findObjectByIdInSameSet({OBJ}, mtt.s.1)")]
    );
    registry.set(&[], &[]);
    let other = client_of(&communicator, "App.Other.obj");
    let error = other.say_hello_world("x").await.unwrap_err();
    assert!(
        error.to_string().contains("in the set mtt.s.1, code -1"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn settings_come_from_a_config_file() {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "<tars>
  <application>
    enableset=y
    setdivision=mtt.s.1
    <server>
      app=App
      server=Caller
      nodename=10.0.0.9
      datapath={}
    </server>
    <client>
      locator={LOCATOR}
      sync-invoke-timeout=1500
      refresh-endpoint-interval=10000
    </client>
  </application>
</tars>
",
        directory.path().display()
    );
    let config = ApplicationConfig::new(&Document::parse(&text).unwrap()).unwrap();
    let (network, registry, _) = platform().await;
    let builder = Communicator::builder().connector(network);
    let communicator = builder.application(&config).unwrap().build();
    let client = client_of(&communicator, OBJ);
    call(&client, 2).await;
    let question = format!("findObjectByIdInSameSet({OBJ}, mtt.s.1) 10.0.0.9");
    assert_eq!(registry.asked(), [question]);
    let began = Instant::now();
    client.say_hello_world("wait").await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_millis(1500));
    tokio::time::sleep(60 * SECOND).await;
    assert!(registry.asked().len() >= 5);
    let kept = directory.path().join("App.Caller.endpoints");
    assert!(
        std::fs::read_to_string(kept)
            .unwrap()
            .contains(&format!("{OBJ}@tcp -h a -p 1"))
    );
}

#[test]
fn a_locator_needs_endpoints() {
    let error = Communicator::builder()
        .locator("tars.tarsregistry.QueryObj")
        .unwrap_err();
    assert!(matches!(error, Error::NoEndpoint { .. }), "{error}");
    let error = Communicator::new().string_to_proxy(OBJ).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the communicator has no locator"),
        "{error}"
    );
}

/// Answers when it may.
#[derive(Debug)]
struct Gated {
    permits: Arc<Semaphore>,
    asked: Arc<AtomicU32>,
}

impl Resolver for Gated {
    fn resolve(&self, query: Query) -> Resolving {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let permits = Arc::clone(&self.permits);
        Box::pin(async move {
            permits.acquire().await.unwrap().forget();
            assert_eq!(&*query.object, OBJ);
            let active = vec!["tcp -h a -p 1".parse()?];
            Ok(Resolved {
                active,
                ..Resolved::default()
            })
        })
    }
}

async fn gated() -> (TestTafServiceServant, Arc<Semaphore>, Arc<AtomicU32>) {
    let network = Network::default();
    serve(&network, "a").await;
    let (permits, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
    let resolver = Gated {
        permits: Arc::clone(&permits),
        asked: Arc::clone(&asked),
    };
    let builder = Communicator::builder()
        .connector(network)
        .resolver(resolver);
    (client_of(&builder.build(), OBJ), permits, asked)
}

#[tokio::test(start_paused = true)]
async fn the_first_calls_wait_for_the_registry_up_to_their_deadlines() {
    let (client, permits, asked) = gated().await;
    let began = Instant::now();
    let hasty = client.with(CallOptions::new().timeout(SECOND));
    let error = hasty.say_hello_world("x").await.unwrap_err();
    assert_eq!(
        (error.code(), began.elapsed()),
        (codes::NO_ENDPOINT, SECOND)
    );
    let waiting: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.say_hello_world("x").await })
        })
        .collect();
    tokio::time::sleep(SECOND).await;
    permits.add_permits(1);
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap(), "a");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);

    // From now on no call waits, though the registry hangs.
    tokio::time::sleep(70 * SECOND).await;
    assert!(asked.load(Ordering::Relaxed) >= 2);
    let began = Instant::now();
    call(&client, 100).await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_servant_that_nobody_calls_any_more_is_not_looked_for() {
    let (client, permits, asked) = gated().await;
    permits.add_permits(1000);
    call(&client, 1).await;
    drop(client);
    tokio::time::sleep(600 * SECOND).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let alive = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    assert_eq!(alive, 0);
}

/// Whatever the registry says, in whatever order: calls end, and with the last list they are answered.
#[tokio::test(start_paused = true)]
async fn lists_that_change_all_the_time() {
    #[derive(Debug)]
    struct Whims(Mutex<fastrand::Rng>);

    impl Resolver for Whims {
        fn resolve(&self, _: Query) -> Resolving {
            let mut rng = self.0.lock().unwrap();
            let mut hosts = Vec::<Endpoint>::new();
            for host in ["a", "b", "c", "nowhere"] {
                if rng.bool() {
                    let weight = rng.u8(..);
                    let endpoint = format!("tcp -h {host} -p 1 -w {weight} -v 1");
                    hosts.push(endpoint.parse().unwrap());
                }
            }
            let (fails, takes) = (rng.u8(..4) == 0, Duration::from_millis(rng.u64(..3000)));
            Box::pin(async move {
                tokio::time::sleep(takes).await;
                if fails {
                    return Err(tars_rpc::Error::new(-1, "not today"));
                }
                Ok(Resolved {
                    active: hosts,
                    ..Resolved::default()
                })
            })
        }
    }

    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let network = Network::default();
        for host in ["a", "b", "c"] {
            serve(&network, host).await;
        }
        let mut config = Config::default();
        config.refresh = Duration::from_millis(500);
        let communicator = Communicator::builder()
            .connector(network)
            .resolver(Whims(Mutex::new(rng.fork())))
            .config(config)
            .build();
        let client = client_of(&communicator, OBJ);
        let calls: Vec<_> = (0..500)
            .map(|_| {
                let (client, delay) = (client.clone(), Duration::from_millis(rng.u64(..60_000)));
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    client.say_hello_world("x").await.is_ok()
                })
            })
            .collect();
        let mut answered = 0;
        for call in calls {
            answered += u32::from(call.await.unwrap());
        }
        assert!(answered > 300, "seed {seed}: {answered} of 500");
        drop(client);
        tokio::time::sleep(10 * SECOND).await;
        let handle = tokio::runtime::Handle::current();
        assert!(
            handle.metrics().num_alive_tasks() <= 3,
            "the servers' ends of a few pipes"
        );
    }
}
