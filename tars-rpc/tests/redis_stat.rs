//! Statistics in a real Redis.

#![cfg(feature = "redis")]

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tars_rpc::platform::{
    StatMicMsgBody, StatMicMsgHead,
    stat::{BOUNDS, Entry, RedisStatConfig, RedisStatStore, Side, StatStore, add},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A redis-server of the test's own.
struct Redis(Child, u16);

impl Redis {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let redis = Self(server, port);
        while redis.store(1).take(Side::Client, 1).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        redis
    }

    fn store(&self, max: u32) -> RedisStatStore {
        self.store_with(|config| config.max = max)
    }

    fn store_with(&self, change: impl FnOnce(&mut RedisStatConfig)) -> RedisStatStore {
        let mut config = RedisStatConfig::default();
        config.url = format!("redis://127.0.0.1:{}", self.1);
        change(&mut config);
        RedisStatStore::new(config).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn entry(side: Side, func: &str, millis: &[i32], failures: i32) -> Entry {
    let mut body = StatMicMsgBody {
        exec_count: failures,
        interval_count: BOUNDS.map(|bound| (bound, 0)).into(),
        ..StatMicMsgBody::default()
    };
    *body.interval_count.get_mut(&5).unwrap() += failures;
    for millis in millis {
        let call = StatMicMsgBody {
            count: 1,
            total_rsp_time: i64::from(*millis),
            max_rsp_time: *millis,
            min_rsp_time: *millis,
            ..StatMicMsgBody::default()
        };
        add(&mut body, &call);
    }
    let head = StatMicMsgHead {
        interface_name: func.to_owned(),
        ..StatMicMsgHead::default()
    };
    Entry { side, head, body }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn processes_report_together() {
    let redis = Redis::start().await;
    let (one, other) = (redis.store(100), redis.store(100));
    let merged = [
        entry(Side::Client, "f", &[], 2),
        entry(Side::Client, "f", &[7, 30], 0),
        entry(Side::Client, "f", &[], 1),
        entry(Side::Client, "f", &[4], 0),
    ];
    let mut expected = merged[0].clone();
    for (n, entry) in merged.iter().enumerate() {
        let store = if n % 2 == 0 { &one } else { &other };
        store.merge(std::slice::from_ref(entry)).await.unwrap();
        if n > 0 {
            add(&mut expected.body, &entry.body);
        }
    }
    one.merge(&[entry(Side::Server, "f", &[9], 0)])
        .await
        .unwrap();
    assert_eq!(expected.body.min_rsp_time, 4);
    assert_eq!(other.take(Side::Client, 10).await.unwrap(), [expected]);
    assert_eq!(one.take(Side::Client, 10).await.unwrap(), []);
    assert_eq!(
        one.take(Side::Server, 10).await.unwrap(),
        [entry(Side::Server, "f", &[9], 0)]
    );
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn it_is_bounded_and_gives_parts() {
    let redis = Redis::start().await;
    let store = redis.store(3);
    let entries = ["a", "b", "c", "d", "a"].map(|func| entry(Side::Client, func, &[1], 0));
    store.merge(&entries).await.unwrap();
    let mut taken = store.take(Side::Client, 2).await.unwrap();
    assert_eq!(taken.len(), 2);
    taken.extend(store.take(Side::Client, 2).await.unwrap());
    taken.sort_by(|a, b| a.head.cmp(&b.head));
    let counts: Vec<_> = taken
        .iter()
        .map(|e| (&*e.head.interface_name, e.body.count))
        .collect();
    assert_eq!(counts, [("a", 2), ("b", 1), ("c", 1)]);
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_is_gone_is_an_error_in_time() {
    let redis = Redis::start().await;
    let store = redis.store(3);
    store
        .merge(&[entry(Side::Client, "a", &[1], 0)])
        .await
        .unwrap();
    drop(redis);
    store
        .merge(&[entry(Side::Client, "a", &[1], 0)])
        .await
        .unwrap_err();
    store.take(Side::Client, 1).await.unwrap_err();
}

/// Stands between a store and Redis; what Redis says to merges is lost while `is_deaf`.
async fn between(redis: &Redis, is_deaf: Arc<AtomicBool>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, redis) = (listener.local_addr().unwrap().port(), redis.1);
    tokio::spawn(async move {
        while let Ok((store, _)) = listener.accept().await {
            let redis = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
            let is_deaf = Arc::clone(&is_deaf);
            tokio::spawn(async move {
                let (mut from_store, mut to_store) = store.into_split();
                let (mut from_redis, mut to_redis) = redis.into_split();
                let is_lost = Arc::new(AtomicBool::new(false));
                let answers = Arc::clone(&is_lost);
                tokio::spawn(async move {
                    let mut bytes = [0; 4096];
                    while let Ok(n @ 1..) = from_redis.read(&mut bytes).await {
                        if !answers.load(Ordering::Relaxed) {
                            to_store.write_all(&bytes[..n]).await.unwrap();
                        }
                    }
                });
                let mut bytes = [0; 4096];
                while let Ok(n @ 1..) = from_store.read(&mut bytes).await {
                    let is_merge = bytes[..n].windows(10).any(|w| w == b"stat_merge");
                    if is_merge && is_deaf.load(Ordering::Relaxed) {
                        is_lost.store(true, Ordering::Relaxed);
                    }
                    to_redis.write_all(&bytes[..n]).await.unwrap();
                }
            });
        }
    });
    port
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn what_redis_takes_without_an_answer_is_there_once() {
    let redis = Redis::start().await;
    let is_deaf = Arc::new(AtomicBool::new(false));
    let port = between(&redis, Arc::clone(&is_deaf)).await;
    let store = redis.store_with(|config| {
        config.url = format!("redis://127.0.0.1:{port}");
        config.timeout = Duration::from_millis(200);
    });
    let both = [Side::Client, Side::Server].map(|side| entry(side, "a", &[1], 0));
    let mut failed = 0;
    for deaf in [false, true, true, false] {
        is_deaf.store(deaf, Ordering::Relaxed);
        // As a reporter does: what was not merged comes again.
        failed += i32::from(store.merge(&both).await.is_err());
    }
    for _ in 0..failed {
        store.merge(&both).await.unwrap();
    }
    for side in [Side::Client, Side::Server] {
        let taken = store.take(side, 10).await.unwrap();
        assert_eq!(taken, [entry(side, "a", &[1, 1, 1, 1], 0)]);
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_merge_that_nobody_waits_for_any_more_is_there_once() {
    // The one that was just sent, or one before it that Redis has not answered.
    for was_sent_before in [false, true] {
        let redis = Redis::start().await;
        let is_deaf = Arc::new(AtomicBool::new(false));
        let port = between(&redis, Arc::clone(&is_deaf)).await;
        let store = redis.store_with(|config| {
            config.url = format!("redis://127.0.0.1:{port}");
            config.timeout = Duration::from_millis(500);
        });
        store.take(Side::Client, 1).await.unwrap();
        is_deaf.store(true, Ordering::Relaxed);
        let merged = [entry(Side::Client, "a", &[1], 0)];
        if was_sent_before {
            store.merge(&merged).await.expect("the store sees to it");
        }
        let hasty = tokio::time::timeout(Duration::from_millis(200), store.merge(&merged));
        hasty.await.expect_err("Redis does not answer");
        is_deaf.store(false, Ordering::Relaxed);
        // As if Redis had not had it.
        let mut flush = Command::new("redis-cli");
        flush.args(["-p", &redis.1.to_string(), "flushall"]);
        assert!(flush.stdout(Stdio::null()).status().unwrap().success());
        let taken = loop {
            if let Ok(taken) = store.take(Side::Client, 10).await {
                break taken;
            }
        };
        assert_eq!(taken, merged, "{was_sent_before}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn what_redis_may_have_forgotten_is_not_merged_again() {
    let redis = Redis::start().await;
    let is_deaf = Arc::new(AtomicBool::new(true));
    let port = between(&redis, Arc::clone(&is_deaf)).await;
    let store = redis.store_with(|config| {
        config.url = format!("redis://127.0.0.1:{port}");
        config.timeout = Duration::from_millis(200);
        config.ttl = Duration::from_millis(100);
    });
    let merged = store.merge(&[entry(Side::Client, "a", &[1], 0)]).await;
    merged.expect("the store sees to it");
    is_deaf.store(false, Ordering::Relaxed);
    let mut flush = Command::new("redis-cli");
    flush.args(["-p", &redis.1.to_string(), "flushall"]);
    assert!(flush.stdout(Stdio::null()).status().unwrap().success());
    assert_eq!(store.take(Side::Client, 10).await.unwrap(), []);
}
