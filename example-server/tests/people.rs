//! `name`, `who` and `history`: who is there, and what was said.

mod common;

use common::{Chat, Client, start};

/// The JSON behind the prefix of an answer.
fn json(answer: &str, prefix: &str) -> serde_json::Value {
    let json = answer.strip_prefix(prefix);
    let json = json.unwrap_or_else(|| panic!("{answer:?} does not begin with {prefix:?}"));
    serde_json::from_str(json).unwrap()
}

async fn join(chat: &Chat, room: &str, name: &str) -> Client {
    let mut client = chat.connect().await;
    assert!(!client.ask(&format!("subscribe|{room}")).await.is_empty());
    if !name.is_empty() {
        let answer = client.ask(&format!("name|{name}")).await;
        assert_eq!(answer, format!("Name:{name} success!"));
    }
    client
}

async fn who(client: &mut Client, room: &str) -> serde_json::Value {
    let answer = client.ask(&format!(r#"who|{{"roomNum":"{room}"}}"#)).await;
    json(&answer, "Who:")
}

async fn history(client: &mut Client, room: &str) -> Vec<String> {
    let question = format!(r#"history|{{"roomNum":"{room}","id":8}}"#);
    let answer = json(&client.ask(&question).await, "History:");
    assert_eq!(
        (&answer["id"], &answer["roomNum"]),
        (&"8".into(), &room.into())
    );
    let messages = answer["messages"].as_array().unwrap().iter();
    messages
        .map(|message| {
            assert!(message["time"].as_u64().unwrap() > 1_700_000_000_000);
            message["text"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn who_is_in_a_room() {
    let chat = start("").await;
    let mut ted = join(&chat, "a", "Ted").await;
    let amy = join(&chat, "a", "艾米").await;
    let _nameless = join(&chat, "a", "").await;
    let _elsewhere = join(&chat, "b", "Bob").await;
    let expected = serde_json::json!({"roomNum": "a", "count": 3, "names": ["Ted", "艾米"]});
    assert_eq!(who(&mut ted, "a").await, expected);
    assert_eq!(who(&mut ted, "nobody").await["count"], 0);

    // A name that is taken back, and a person who goes.
    assert_eq!(ted.ask("name|").await, "Name: success!");
    drop(amy);
    while chat.hub.len() > 3 {
        tokio::task::yield_now().await;
    }
    let now = who(&mut ted, "a").await;
    assert_eq!(now["names"], serde_json::json!([]));
}

#[tokio::test]
async fn what_was_said_in_a_room() {
    let chat = start("").await;
    let mut client = chat.connect().await;
    assert_eq!(history(&mut client, "a").await, [""; 0]);
    // From a member, from somebody who is none, and from outside; a broadcast is no room's.
    let say =
        |room: &str, text: &str| format!(r#"sendByRoom|{{"roomNum":"{room}","message":"{text}"}}"#);
    for (room, text) in [("a", "one"), ("b", "other"), ("a", "two \\\"quoted\\\"")] {
        assert_eq!(client.ask(&say(room, text)).await, "SendByRoom success!");
    }
    chat.get("/Index/pushByRoom?roomNum=a&message=three").await;
    client.send(r#"broadcast|{"message":"all"}"#).await;
    client.received().await;
    assert_eq!(
        history(&mut client, "a").await,
        ["one", "two \"quoted\"", "three"]
    );
    assert_eq!(history(&mut client, "b").await, ["other"]);
}

#[tokio::test]
async fn the_configured_number_is_kept_and_none_when_it_is_off() {
    for (messages, kept) in [
        (0, vec![]),
        (1, vec!["3"]),
        (2, vec!["2", "3"]),
        (3, vec!["1", "2", "3"]),
    ] {
        let chat = start(&format!("obj.history.messages = {messages}")).await;
        let mut client = chat.connect().await;
        for text in ["1", "2", "3"] {
            let command = format!(r#"sendByRoom|{{"roomNum":"a","message":"{text}"}}"#);
            assert_eq!(client.ask(&command).await, "SendByRoom success!");
        }
        assert_eq!(history(&mut client, "a").await, kept);
    }
}

#[tokio::test]
async fn borders_and_faults() {
    let chat = start("").await;
    let mut client = chat.connect().await;
    for (length, fits) in [(31, true), (32, true), (33, false)] {
        let answer = client.ask(&format!("name|{}", "名".repeat(length))).await;
        assert_eq!(answer.starts_with("Name:"), fits, "{answer}");
    }
    for (length, fits) in [(127, true), (128, true), (129, false)] {
        let id = "i".repeat(length);
        let question = format!(r#"history|{{"roomNum":"a","id":"{id}"}}"#);
        assert_eq!(client.ask(&question).await.starts_with("History:"), fits);
    }
    for (command, error) in [
        (
            "name|a\u{7}b",
            "Error: a name has at most 32 characters, and no control characters",
        ),
        ("who", "Error: who needs a JSON object"),
        ("who|room1", "Error: malformed JSON"),
        ("who|[]", "Error: the argument must be a JSON object"),
        ("history|{}", "Error: roomNum is missing"),
        (r#"history|{"roomNum":""}"#, "Error: the room has no name"),
        (
            r#"who|{"roomNum":"a","id":[]}"#,
            "Error: id must be a string or a number",
        ),
    ] {
        let answer = client.ask(command).await;
        assert!(answer.starts_with(error), "{command}: {answer}");
    }
}
