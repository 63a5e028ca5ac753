//! Who is in a room is exact, however many join and leave at once.

mod common;

use common::{Chat, Client, start};
use example_server::component::room::Room;
use futures_util::StreamExt as _;

const CLIENTS: usize = 1_000;
const AT_ONCE: usize = 64;

async fn join_all(chat: &Chat) -> Vec<Client> {
    futures_util::stream::iter(0..CLIENTS)
        .map(|_| async {
            let mut client = chat.connect().await;
            let answer = client.ask("subscribe|room1").await;
            assert_eq!(answer, "Subscribe roomNum:room1 success!");
            client
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn everybody_joins_and_half_leave(services: &str) {
    let chat = start(services).await;
    while chat.hub.is_alone() {
        tokio::task::yield_now().await;
    }
    let mut sender = chat.connect().await;
    let mut members = join_all(&chat).await;
    let room = || Room::new("room1").unwrap();
    assert_eq!(chat.hub.members(room()).await.unwrap().len(), CLIENTS);
    sender
        .ask(r#"sendByRoom|{"roomNum":"room1","message":"to all"}"#)
        .await;
    for member in &mut members {
        assert_eq!(member.next().await, "to all");
    }

    // A third leaves the room, a third closes, a third is gone without a word.
    let mut stay = members.split_off(3 * CLIENTS / 4);
    let mut unsubscribed = members.split_off(CLIENTS / 2);
    let mut closing = members.split_off(CLIENTS / 4);
    for client in &mut unsubscribed {
        client.ask("unsubscribe|room1").await;
    }
    for client in &mut closing {
        client.socket.close(None).await.unwrap();
        while client.socket.next().await.is_some() {}
    }
    drop(members);
    let left = 1 + stay.len() + unsubscribed.len();
    while chat.hub.len() > left {
        tokio::task::yield_now().await;
    }
    while chat.hub.members(room()).await.unwrap().len() > stay.len() {
        tokio::task::yield_now().await;
    }
    // Newcomers do not inherit the room of anybody.
    let mut newcomers = Vec::new();
    for _ in 0..AT_ONCE {
        newcomers.push(chat.connect().await);
    }
    sender
        .ask(r#"sendByRoom|{"roomNum":"room1","message":"to who stayed"}"#)
        .await;
    for client in &mut stay {
        assert_eq!(client.received().await, ["to who stayed"]);
    }
    for client in unsubscribed.iter_mut().chain(&mut newcomers) {
        assert_eq!(client.received().await, [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory() {
    everybody_joins_and_half_leave("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fd.log");
    everybody_joins_and_half_leave(&format!(
        "obj.fdStoreConf = {{ className = 'file', config = {{ path = '{}' }} }}",
        path.display()
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn in_redis() {
    let redis = common::redis::Redis::start().await;
    everybody_joins_and_half_leave(&redis.services()).await;
}
