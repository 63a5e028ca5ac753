//! Names and what was said, on all nodes: also after Redis was away.

use serde_json::{Value, json};

use super::common::Client;
use super::common::redis::Redis;
use super::{alone, linked, member_of, node, node_with, to_room, until};

/// The JSON of an answer.
async fn ask(client: &mut Client, question: &str, prefix: &str) -> Value {
    let answer = client.ask(question).await;
    let json = answer.strip_prefix(prefix);
    serde_json::from_str(json.unwrap_or_else(|| panic!("{answer}"))).unwrap()
}

async fn who(client: &mut Client) -> Value {
    ask(client, r#"who|{"roomNum":"room1"}"#, "Who:").await
}

/// What was said in a room, and whether it is what this node alone knows.
async fn history_of(client: &mut Client, room: &str) -> (Vec<String>, bool) {
    let question = format!(r#"history|{{"roomNum":"{room}"}}"#);
    let answer = ask(client, &question, "History:").await;
    let messages = answer["messages"].as_array().unwrap().iter();
    let texts = messages.map(|message| message["text"].as_str().unwrap().to_owned());
    (texts.collect(), answer["alone"] == true)
}

async fn history(client: &mut Client) -> (Vec<String>, bool) {
    history_of(client, "room1").await
}

/// Says something in the room, for all nodes.
async fn say(client: &mut Client, text: &str) {
    client.send(&to_room(text)).await;
    let answers = client.received().await;
    assert_eq!(answers.last().unwrap(), "SendByRoom success!");
}

fn owned<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn names_and_history_span_nodes() {
    let redis = Redis::start().await;
    let few = "obj.history = { messages = 4, rooms = 2 }";
    let nodes = [
        node_with(&redis, few).await,
        node_with(&redis, few).await,
        node_with(&redis, few).await,
    ];
    let [mut a, mut b, mut c] = [
        member_of(&nodes[0]).await,
        member_of(&nodes[1]).await,
        member_of(&nodes[2]).await,
    ];
    for (client, name) in [(&mut a, "Ann"), (&mut b, "鲍勃"), (&mut c, "Cem")] {
        client.ask(&format!("name|{name}")).await;
    }
    // Also for who is in no room, on a node where somebody is.
    let mut outside = nodes[1].connect().await;
    let everybody = json!({"roomNum": "room1", "count": 3, "names": ["Ann", "Cem", "鲍勃"]});
    for client in [&mut a, &mut b, &mut c, &mut outside] {
        assert_eq!(who(client).await, everybody);
    }
    b.ask("name|Bob").await;
    c.ask("unsubscribe|room1").await;
    let now = json!({"roomNum": "room1", "count": 2, "names": ["Ann", "Bob"]});
    assert_eq!(who(&mut a).await, now);
    // A node without members of the room.
    assert_eq!(who(&mut c).await, now);
    drop(b);
    until("Bob has left", async || {
        let mut asker = nodes[2].connect().await;
        who(&mut asker).await == json!({"roomNum": "room1", "count": 1, "names": ["Ann"]})
    })
    .await;

    for (i, text) in ["one", "two", "three", "four", "five"].iter().enumerate() {
        let mut sender = nodes[i % 3].connect().await;
        say(&mut sender, text).await;
    }
    let last = owned(["two", "three", "four", "five"]);
    for node in &nodes {
        let mut asker = node.connect().await;
        assert_eq!(history(&mut asker).await, (last.clone(), false));
    }
    // Of one room more than are kept, the one that was silent longest is forgotten.
    for room in ["room2", "room3"] {
        let push = format!("/Index/pushByRoom?roomNum={room}&message={room}");
        assert_eq!(nodes[0].get(&push).await.status, 200);
    }
    until("room1 is forgotten", async || {
        let kept = redis.keys().await;
        !kept.contains(&"tars-chat:history:room1".to_owned())
    })
    .await;
    let mut asker = nodes[1].connect().await;
    for room in ["room2", "room3"] {
        assert_eq!(history_of(&mut asker, room).await, (owned([room]), false));
    }
}

/// What is said and changed while Redis is away is known to all when it is back, once.
async fn heals(
    redis: &mut Redis,
    cut: impl FnOnce(&mut Redis),
    heal: impl AsyncFnOnce(&mut Redis),
) {
    let [first, second] = [node(redis).await, node(redis).await];
    let [mut a, mut b] = [member_of(&first).await, member_of(&second).await];
    a.ask("name|Ann").await;
    b.ask("name|Bob").await;
    say(&mut a, "before").await;
    assert_eq!(b.next().await, "before");

    cut(redis);
    for client in [&mut a, &mut b] {
        // The first that notices.
        client.send(&to_room("alone")).await;
        assert_eq!(client.next().await, "alone");
        assert!(client.next().await.starts_with("Error: "));
    }
    alone(&[&first, &second]).await;
    assert_eq!(history(&mut a).await, (owned(["before", "alone"]), true));
    a.ask("name|Anna").await;
    let only_here = json!({"roomNum": "room1", "count": 1, "names": ["Anna"], "alone": true});
    assert_eq!(who(&mut a).await, only_here);

    heal(redis).await;
    linked(&[&first, &second]).await;
    say(&mut b, "after").await;
    assert_eq!(a.next().await, "after");
    let all = owned(["before", "alone", "alone", "after"]);
    for client in [&mut a, &mut b] {
        until("the history is whole", async || {
            history(client).await == (all.clone(), false)
        })
        .await;
        until("the names are known", async || {
            who(client).await == json!({"roomNum": "room1", "count": 2, "names": ["Anna", "Bob"]})
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_restarted_redis_learns_names_and_history_again() {
    let mut redis = Redis::start().await;
    heals(&mut redis, Redis::kill, Redis::restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_redis_that_was_cut_off_has_everything_once() {
    let mut redis = Redis::start().await;
    heals(
        &mut redis,
        |redis| redis.signal("-STOP"),
        async |redis| redis.signal("-CONT"),
    )
    .await;
}
