//! What the caller gets in each case: one test for each row of the table "What a server answers" in `docs/tars-rpc.md`.

mod common;

use std::{sync::Arc, time::Duration};

use common::{OBJ, Raw, example, greet, peer};
use tars_rpc::{
    codec::{Bytes, RequestPacket, ResponsePacket},
    codes,
    server::{Limits, Server, Stats},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

struct Connected {
    client: Raw,
    stats: Arc<Stats>,
    gate: CancellationToken,
    begun: mpsc::UnboundedReceiver<String>,
}

async fn connect() -> Connected {
    let mut limits = Limits::default();
    limits.max_in_flight = 1;
    limits.max_queue = 1;
    limits.queue_timeout = Duration::from_secs(5);
    let (servant, gate, begun) = example();
    let builder = Server::builder().servant(OBJ, servant).limits(limits);
    let server = builder.listen().await.unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    tokio::spawn(server.serve_stream(theirs, peer()));
    Connected {
        client: Raw::new(ours),
        stats: server.stats(),
        gate,
        begun,
    }
}

impl Connected {
    async fn ask(&mut self, name: &str, change: impl FnOnce(&mut RequestPacket)) -> ResponsePacket {
        self.client.send(&greet(3, name, change)).await;
        let answer = self.client.answer().await.unwrap();
        assert_eq!((answer.request_id, answer.packet_type), (3, 0));
        answer
    }

    /// The connection is as good as before.
    async fn lives(&mut self) {
        assert_eq!(self.ask("ted", |_| {}).await.ret, codes::OK);
    }
}

#[tokio::test(start_paused = true)]
async fn tars_ping() {
    let mut c = connect().await;
    let answer = c.ask("", |r| r.func = "tars_ping".to_owned()).await;
    assert_eq!((answer.ret, answer.body.len()), (codes::OK, 0));
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn oneway() {
    let mut c = connect().await;
    for func in ["sayHelloWorld", "noSuchFunction"] {
        let frame = greet(1, "ted", |r| {
            r.packet_type = 1;
            r.func = func.to_owned();
        });
        c.client.send(&frame).await;
    }
    c.lives().await;
    assert_eq!(
        (c.stats.requests.get(), c.stats.unknown_functions.get()),
        (3, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_function() {
    let mut c = connect().await;
    let answer = c.ask("ted", |r| r.func = "noSuchFunction".to_owned()).await;
    assert_eq!(answer.ret, codes::NO_FUNCTION);
    assert_eq!(
        answer.result_desc,
        format!("{OBJ} has no function noSuchFunction")
    );
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn unknown_servant() {
    let mut c = connect().await;
    let answer = c.ask("ted", |r| r.servant = "No.Such.Obj".to_owned()).await;
    assert_eq!(answer.ret, codes::NO_SERVANT);
    assert_eq!(answer.result_desc, "there is no servant No.Such.Obj");
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn decode_error() {
    let mut c = connect().await;
    let answer = c
        .ask("ted", |r| r.body = Bytes::from_static(&[0x10, 7]))
        .await;
    assert_eq!(answer.ret, codes::SERVER_DECODE);
    let text = &answer.result_desc;
    assert!(
        text.starts_with("argument name (tag 1): ") && text.contains("at byte "),
        "{text}"
    );
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn missing_tup_argument_or_bad_json() {
    let mut c = connect().await;
    let frame = greet(3, "", |r| {
        r.version = 3;
        r.body = Bytes::from_static(&[0x08, 0x0c]);
    });
    c.client.send(&frame).await;
    let answer = c.client.request().await.unwrap();
    assert_eq!(
        answer.status["STATUS_RESULT_CODE"],
        codes::SERVER_DECODE.to_string()
    );
    assert!(answer.status["STATUS_RESULT_DESC"].starts_with("argument name"));

    #[cfg(feature = "json")]
    for body in ["{\"name\": 7}", "{", "", "[]"] {
        let answer = c.ask("", |r| {
            r.version = 5;
            r.body = body.as_bytes().to_vec().into();
        });
        let answer = answer.await;
        assert_eq!(answer.ret, codes::SERVER_DECODE, "{body}");
        assert!(!answer.result_desc.is_empty());
    }
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn undecodable_packet() {
    let mut c = connect().await;
    c.client.send(&[0, 0, 0, 6, 0x10, 1]).await;
    assert_eq!(c.client.frame().await, None);
    assert_eq!(c.stats.closed_bad_packet.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn length_out_of_range() {
    for len in [0, 4, (100 << 20) + 1, u32::MAX] {
        let mut c = connect().await;
        c.client.send(&len.to_be_bytes()).await;
        assert_eq!(c.client.frame().await, None);
        assert_eq!(c.stats.closed_bad_frame.get(), 1, "{len}");
    }
}

#[tokio::test(start_paused = true)]
async fn queue_full_or_expired() {
    let mut c = connect().await;
    c.client.send(&greet(1, "wait", |_| {})).await;
    assert_eq!(c.begun.recv().await.unwrap(), "wait");
    c.client.send(&greet(2, "ted", |_| {})).await;
    assert_eq!(c.ask("ted", |_| {}).await.ret, codes::OVERLOAD);
    let expired = c.client.answer().await.unwrap();
    assert_eq!((expired.request_id, expired.ret), (2, codes::QUEUE_TIMEOUT));
    c.gate.cancel();
    assert_eq!(c.client.answer().await.unwrap().ret, codes::OK);
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn handler_failed() {
    let mut c = connect().await;
    let answer = c.ask("fail", |_| {}).await;
    assert_eq!(
        (answer.ret, &*answer.result_desc),
        (1234, "no greetings today")
    );
    c.lives().await;
}

#[tokio::test(start_paused = true)]
async fn handler_panicked() {
    let mut c = connect().await;
    for name in ["panic", "panic later"] {
        let answer = c.ask(name, |_| {}).await;
        assert_eq!(
            (answer.ret, &*answer.result_desc),
            (codes::UNKNOWN, "the servant panicked")
        );
    }
    assert_eq!(c.stats.panics.get(), 2);
    c.lives().await;
}
