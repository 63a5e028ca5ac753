//! One chat on several nodes, over a real redis-server that is stopped, restarted and cut off.

#[path = "../common/mod.rs"]
mod common;
mod people;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::redis::Redis;
use common::{Chat, Client, start};
use example_server::component::room::Room;

const ONLY_HERE: &str = "Error: the other nodes cannot be reached: delivered on this node only";
const JOINED_HERE: &str =
    "Error: the other nodes cannot be reached: subscribed on this node only, until they are back";

fn room() -> Room {
    Room::new("room1").unwrap()
}

/// Asks again until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), asking)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}

/// A node that is linked to the others.
async fn node(redis: &Redis) -> Chat {
    node_with(redis, "").await
}

/// The same with more in its services.toml.
async fn node_with(redis: &Redis, more: &str) -> Chat {
    let chat = start(&format!("{}\n{more}", redis.services())).await;
    linked(&[&chat]).await;
    chat
}

async fn linked(nodes: &[&Chat]) {
    for node in nodes {
        until("linked", async || !node.hub.is_alone()).await;
    }
}

async fn alone(nodes: &[&Chat]) {
    for node in nodes {
        until("alone", async || node.hub.is_alone()).await;
    }
}

async fn members(node: &Chat) -> usize {
    node.hub.members(room()).await.map_or(0, |fds| fds.len())
}

async fn member_of(node: &Chat) -> Client {
    let mut client = node.connect().await;
    let answer = client.ask("subscribe|room1").await;
    assert_eq!(answer, "Subscribe roomNum:room1 success!");
    client
}

fn to_room(message: &str) -> String {
    format!(r#"sendByRoom|{{"roomNum":"room1","message":"{message}"}}"#)
}

/// Sends to the room from a client of each node in turn; each member receives each message once.
async fn the_room_spans_nodes(senders: &mut [&mut Client], members: &mut [&mut Client]) {
    for (i, sender) in senders.iter_mut().enumerate() {
        sender.send(&to_room(&format!("from {i}"))).await;
        let answers = sender.received().await;
        assert_eq!(answers.last().unwrap(), "SendByRoom success!");
    }
    for member in members {
        // What comes from other nodes may come later; nothing may come twice.
        let mut received = Vec::new();
        while received.len() < senders.len() {
            received.extend(member.received().await);
            received.retain(|text| text != "SendByRoom success!");
        }
        received.extend(member.received().await);
        received.sort();
        let expected: Vec<_> = (0..senders.len()).map(|i| format!("from {i}")).collect();
        assert_eq!(received, expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn rooms_and_broadcasts_span_nodes() {
    let redis = Redis::start().await;
    let nodes = [node(&redis).await, node(&redis).await, node(&redis).await];
    let [mut a, mut b, mut c] = [
        member_of(&nodes[0]).await,
        member_of(&nodes[1]).await,
        member_of(&nodes[2]).await,
    ];
    let mut outside = nodes[1].connect().await;
    for node in &nodes {
        assert_eq!(members(node).await, 3);
    }
    the_room_spans_nodes(&mut [&mut outside], &mut [&mut a, &mut b, &mut c]).await;

    a.send(r#"broadcast|{"message":"to all"}"#).await;
    assert_eq!(a.next().await, "to all");
    assert_eq!(a.next().await, "Broadcast success!");
    for client in [&mut b, &mut c, &mut outside] {
        assert_eq!(client.next().await, "to all");
    }
    let pushed = nodes[2]
        .get("/Index/pushByRoom?roomNum=room1&message=pushed")
        .await;
    assert_eq!(pushed.body, "pushBy room success");
    for client in [&mut a, &mut b, &mut c] {
        assert_eq!(client.next().await, "pushed");
    }

    // Who leaves, one way or another, leaves no trace.
    b.ask("unsubscribe|room1").await;
    drop(c);
    until("two have left", async || members(&nodes[0]).await == 1).await;
    outside.ask(&to_room("to one")).await;
    assert_eq!(a.next().await, "to one");
    for client in [&mut a, &mut b, &mut outside] {
        assert_eq!(client.received().await, [""; 0]);
    }
    for node in nodes {
        node.shutdown.cancel();
        node.task.await.unwrap();
    }
    // What was said outlives the nodes.
    let left = ["tars-chat:histories", "tars-chat:history:room1"];
    assert_eq!(redis.keys().await, left);
}

/// Three nodes while Redis is away, from `cut` to `heal`.
async fn away_and_back(
    redis: &mut Redis,
    cut: impl FnOnce(&mut Redis),
    heal: impl AsyncFnOnce(&mut Redis),
) {
    let [first, second, third] = [node(redis).await, node(redis).await, node(redis).await];
    let mut a1 = member_of(&first).await;
    let mut a2 = member_of(&first).await;
    let gone = member_of(&first).await;
    let mut b = member_of(&second).await;
    let mut c = member_of(&third).await;
    let mut sender = second.connect().await;
    the_room_spans_nodes(&mut [&mut sender], &mut [&mut a1, &mut a2, &mut b, &mut c]).await;

    cut(redis);
    // Delivery on this node goes on, and the sender learns that it is all there was.
    a1.send(&to_room("first half")).await;
    assert_eq!(a1.next().await, "first half");
    assert_eq!(a2.next().await, "first half");
    assert_eq!(a1.next().await, ONLY_HERE);
    alone(&[&first, &second, &third]).await;
    assert_eq!(a1.ask(r#"broadcast|{"message":"x"}"#).await, "x");
    assert_eq!(a1.next().await, ONLY_HERE);
    assert_eq!(a2.next().await, "x");
    let pushed = first.get("/Index/pushAll?message=y").await;
    assert_eq!((pushed.status, pushed.body.as_str()), (503, ONLY_HERE));
    assert_eq!(
        (a1.next().await.as_str(), a2.next().await.as_str()),
        ("y", "y")
    );
    let mut late = first.connect().await;
    assert_eq!(late.ask("subscribe|room1").await, JOINED_HERE);
    drop(gone);
    until("it is gone", async || first.hub.len() == 3).await;
    a2.ask("unsubscribe|room1").await;
    assert_eq!(a2.ask("subscribe|room2").await, JOINED_HERE);
    for elsewhere in [&mut b, &mut c] {
        assert_eq!(elsewhere.received().await, [""; 0], "it was cut off");
    }

    heal(redis).await;
    linked(&[&first, &second, &third]).await;
    for node in [&first, &second, &third] {
        until("membership heals", async || members(node).await == 4).await;
    }
    let mut newcomer = member_of(&first).await;
    the_room_spans_nodes(
        &mut [&mut sender, &mut a1],
        &mut [&mut newcomer, &mut late, &mut b, &mut c],
    )
    .await;
    sender
        .ask(r#"sendByRoom|{"roomNum":"room2","message":"two"}"#)
        .await;
    assert_eq!(a2.next().await, "two");
    assert_eq!(a2.received().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn redis_is_stopped_and_restarted() {
    let mut redis = Redis::start().await;
    away_and_back(&mut redis, Redis::kill, Redis::restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn redis_is_cut_off_and_comes_back() {
    let mut redis = Redis::start().await;
    away_and_back(
        &mut redis,
        |redis| redis.signal("-STOP"),
        async |redis| redis.signal("-CONT"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn redis_that_forgets_everything_is_told_again() {
    let redis = Redis::start().await;
    let node = node(&redis).await;
    let _member = member_of(&node).await;
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", redis.port)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL")
        .query_async::<()>(&mut connection)
        .await
        .unwrap();
    until("told again", async || members(&node).await == 1).await;
}

/// A node that is a process, so that it can be killed.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_node_that_dies_takes_its_members_with_it() {
    use std::io::{BufRead as _, BufReader};

    let redis = Redis::start().await;
    let survivor = node(&redis).await;
    let mut a = member_of(&survivor).await;

    let directory = tempfile::tempdir().unwrap();
    let services = directory.path().join("services.toml");
    std::fs::write(&services, redis.services()).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_example-server"))
        .args(["--listen", "127.0.0.1:0", "--servant-listen", "127.0.0.1:0"])
        .arg("--services")
        .arg(&services)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Process(child);
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line["chat http://".len()..]
        .trim_end()
        .trim_end_matches('/');
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect(address.parse().unwrap()).await;
        // The node may not be linked yet; it will be.
        let answer = client.ask("subscribe|room1").await;
        assert!(answer.contains("ubscribe"), "{answer}");
        clients.push(client);
    }
    until("everybody is there", async || {
        members(&survivor).await == 21
    })
    .await;
    a.ask("ping").await;

    child.0.kill().unwrap();
    child.0.wait().unwrap();
    until("the dead are gone", async || members(&survivor).await == 1).await;
    assert_eq!(a.ask(&to_room("still here")).await, "still here");
    until("the node is forgotten", async || {
        let keys = redis.keys().await;
        keys.iter().filter(|key| !key.contains(":histor")).count() == 3
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_thousand_join_three_nodes_at_once() {
    use futures_util::StreamExt as _;

    let redis = Redis::start().await;
    let nodes = [node(&redis).await, node(&redis).await, node(&redis).await];
    let mut clients: Vec<Client> = futures_util::stream::iter(0..1_000)
        .map(|i| member_of(&nodes[i % 3]))
        .buffer_unordered(64)
        .collect()
        .await;
    for node in &nodes {
        assert_eq!(members(node).await, 1_000);
    }
    let mut sender = nodes[0].connect().await;
    assert_eq!(sender.ask(&to_room("once")).await, "SendByRoom success!");
    for client in &mut clients {
        assert_eq!(client.next().await, "once");
        assert_eq!(client.received().await, [""; 0]);
    }
    drop(clients);
    for node in &nodes {
        until("everybody has left", async || members(node).await == 0).await;
    }
}
