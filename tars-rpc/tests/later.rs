//! What a server sends beside the results of its handlers: answers that come later, pushes, contexts.

mod common;

use std::{sync::Arc, time::Duration};

use common::{OBJ, Raw, greet, peer};
use tars_rpc::{
    Error,
    codec::{RequestPacket, ResponsePacket, write},
    codes,
    server::{
        Connection, Context, Dispatch, Limits, Push, PushError, Request, Responder, Servant,
        Server, Stats,
    },
};
use tokio::{io::AsyncWriteExt, sync::mpsc, task::JoinHandle};

/// Does with its requests what the test says.
struct Scripted<F>(F);

impl<F: Fn(Context, String) -> Dispatch + Send + Sync + 'static> Servant for Scripted<F> {
    fn dispatch(&self, request: Request) -> Dispatch {
        let (cx, mut args) = request.into_parts();
        let name = args.take(1, "name").unwrap();
        self.0(cx, name)
    }
}

struct Connected {
    client: Raw,
    stats: Arc<Stats>,
    connection: JoinHandle<()>,
}

impl Connected {
    async fn end(mut self) -> Arc<Stats> {
        self.client.stream.shutdown().await.unwrap();
        assert_eq!(self.client.frame().await, None);
        self.connection.await.unwrap();
        let stats = &self.stats;
        assert_eq!(
            stats.requests.get(),
            stats.succeeded.get() + stats.failed.get()
        );
        assert_eq!(stats.open.get(), 0);
        self.stats
    }
}

async fn connect(
    limits: Limits,
    script: impl Fn(Context, String) -> Dispatch + Send + Sync + 'static,
) -> Connected {
    let builder = Server::builder()
        .servant(OBJ, Scripted(script))
        .limits(limits);
    let server = builder.listen().await.unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    Connected {
        client: Raw::new(ours),
        stats: server.stats(),
        connection: tokio::spawn(server.serve_stream(theirs, peer())),
    }
}

fn ignored() -> Error {
    Error::new(1, "nobody hears this")
}

fn greeting(responder: &Responder, text: &str) -> tars_rpc::server::Reply {
    let mut reply = responder.reply();
    reply.put(2, "outGreetings", text);
    reply
}

/// Every order of: the handler ends at once or later, well or not, before or after the responder answers.
#[tokio::test(start_paused = true)]
async fn a_responder_answers_exactly_once() {
    for handler in ["at once", "later", "panics", "panics later", "replies"] {
        for responder in ["before", "after", "much later", "never"] {
            let mut c = connect(Limits::default(), move |cx, _| {
                Box::pin(async move {
                    let reply = cx.reply();
                    if handler.ends_with("later") {
                        tokio::task::yield_now().await;
                    }
                    let late = cx.defer().unwrap();
                    assert!(cx.defer().is_none());
                    match responder {
                        "before" => {
                            let reply = greeting(&late, "hello");
                            late.send(Ok(reply));
                        }
                        "never" => drop(late),
                        when => {
                            tokio::spawn(async move {
                                if when == "much later" {
                                    tokio::time::sleep(Duration::from_secs(1)).await;
                                }
                                assert!(cx.defer().is_none());
                                let reply = greeting(&late, "hello");
                                late.send(Ok(reply));
                            });
                        }
                    }
                    if handler == "later" {
                        tokio::task::yield_now().await;
                    }
                    assert!(!handler.starts_with("panics"), "somebody said panic");
                    if handler == "replies" {
                        Ok(reply)
                    } else {
                        Err(ignored())
                    }
                })
            })
            .await;
            for id in 1..4 {
                c.client.send(&greet(id, "ted", |_| {})).await;
                let answer = c.client.answer().await.unwrap();
                let (ret, text) = if responder == "never" {
                    (
                        codes::UNKNOWN,
                        "the servant has dropped the request without an answer",
                    )
                } else {
                    (codes::OK, "")
                };
                assert_eq!(
                    (answer.request_id, answer.ret, &*answer.result_desc),
                    (id, ret, text),
                    "{handler}, {responder}"
                );
            }
            let stats = c.end().await;
            let unanswered = if responder == "never" { 3 } else { 0 };
            assert_eq!(stats.unanswered.get(), unanswered, "{handler}, {responder}");
        }
    }
}

/// A context that outlives its request can neither answer again nor leave anything behind.
#[tokio::test(start_paused = true)]
async fn too_late_to_defer() {
    for wait in [false, true] {
        let (contexts, mut kept) = mpsc::unbounded_channel();
        let mut c = connect(Limits::default(), move |cx, _| {
            let contexts = contexts.clone();
            Box::pin(async move {
                let reply = cx.reply();
                if wait {
                    tokio::task::yield_now().await;
                }
                let _ = contexts.send(cx);
                Ok(reply)
            })
        })
        .await;
        c.client.send(&greet(1, "ted", |_| {})).await;
        assert_eq!(c.client.answer().await.unwrap().ret, codes::OK);
        let cx: Context = kept.recv().await.unwrap();
        assert!(cx.defer().is_none());
        cx.set_response_context("too", "late");
        c.client.send(&greet(2, "ted", |_| {})).await;
        assert!(c.client.answer().await.unwrap().context.is_empty());
        c.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_a_responder_count_as_running_and_are_drained() {
    let mut limits = Limits::default();
    limits.max_in_flight = 1;
    limits.max_queue = 0;
    let (responders, mut late) = mpsc::unbounded_channel();
    let mut c = connect(limits, move |cx, _| {
        let _ = responders.send(cx.defer().unwrap());
        Box::pin(async { Err(ignored()) })
    })
    .await;
    c.client.send(&greet(1, "ted", |_| {})).await;
    let first: Responder = late.recv().await.unwrap();
    c.client.send(&greet(2, "ted", |_| {})).await;
    assert_eq!(c.client.answer().await.unwrap().ret, codes::OVERLOAD);
    // The peer says that it has nothing more to say, and still gets its answer.
    c.client.stream.shutdown().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    first.set_response_context("k", "v");
    first.send(Err(Error::new(77, "late")));
    let answer = c.client.answer().await.unwrap();
    assert_eq!(
        (answer.request_id, answer.ret, &*answer.result_desc),
        (1, 77, "late")
    );
    assert_eq!(answer.context.get("k").map(String::as_str), Some("v"));
    c.end().await;
}

/// Also of a single connection: others of the adapter must find room.
#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_a_responder_count_for_their_connection() {
    let size = common::body_len(&greet(1, "ted", |_| {})) + OBJ.len() + "sayHelloWorld".len();
    for wait in [false, true] {
        for by_bytes in [false, true] {
            let mut limits = Limits::default();
            if by_bytes {
                limits.max_request_bytes_per_connection = 2 * size;
            } else {
                limits.max_in_flight_per_connection = 2;
                limits.max_queue_per_connection = 1;
            }
            let (responders, mut late) = mpsc::unbounded_channel();
            let mut c = connect(limits, move |cx, _| {
                let responders = responders.clone();
                Box::pin(async move {
                    if wait {
                        tokio::task::yield_now().await;
                    }
                    let _ = responders.send(cx.defer().unwrap());
                    Err(ignored())
                })
            })
            .await;
            let waiting = usize::from(!by_bytes);
            for id in 1..=3 + waiting {
                c.client.send(&greet(id as i32, "ted", |_| {})).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Two run, one waits if it may, and the last one is refused.
            let refused = tokio::time::timeout(Duration::from_secs(1), c.client.answer());
            let refused = refused.await.expect("none is refused").unwrap();
            assert_eq!(
                (refused.request_id, refused.ret),
                (3 + waiting as i32, codes::OVERLOAD)
            );
            let first: Responder = late.recv().await.unwrap();
            let second = late.recv().await.unwrap();
            assert!(late.is_empty());
            let reply = first.reply();
            first.send(Ok(reply));
            assert_eq!(c.client.answer().await.unwrap().request_id, 1);
            // Its place is free.
            if by_bytes {
                c.client.send(&greet(3, "ted", |_| {})).await;
            }
            for responder in [second, late.recv().await.unwrap()] {
                let reply = responder.reply();
                responder.send(Ok(reply));
                assert_eq!(c.client.answer().await.unwrap().ret, codes::OK);
            }
            c.end().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_responder_may_outlive_its_connection() {
    let (responders, mut late) = mpsc::unbounded_channel();
    let mut c = connect(Limits::default(), move |cx, _| {
        let _ = responders.send(cx.defer().unwrap());
        Box::pin(async { Err(ignored()) })
    })
    .await;
    for id in 0..3 {
        c.client.send(&greet(id, "ted", |_| {})).await;
    }
    let responders = [late.recv().await, late.recv().await, late.recv().await].map(Option::unwrap);
    assert!(!responders[0].is_closed());
    c.connection.abort();
    let _ = c.connection.await;
    assert!(responders[0].is_closed());
    let [one, two, three] = responders;
    let reply = one.reply();
    one.send(Ok(reply));
    two.send(Err(ignored()));
    drop(three);
    assert_eq!(
        (
            c.stats.requests.get(),
            c.stats.succeeded.get(),
            c.stats.failed.get(),
            c.stats.unanswered.get()
        ),
        (3, 1, 2, 1)
    );
}

/// Responders keep their connection open, so they say who sends no more: else who sweeps them by that would keep the
/// places of peers that have gone. What is answered is still sent.
#[tokio::test(start_paused = true)]
async fn a_responder_tells_that_its_peer_has_closed() {
    for end in ["the peer", "the application", "a drain"] {
        let (deferred, mut late) = mpsc::unbounded_channel();
        let script = move |cx: Context, _| -> Dispatch {
            let _ = deferred.send((cx.defer().unwrap(), cx.connection()));
            Box::pin(async { Err(ignored()) })
        };
        let servant = Scripted(script);
        let server = Server::builder().servant(OBJ, servant).listen().await;
        let server = server.unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(server.serve_stream(theirs, peer()));
        let mut client = Raw::new(ours);
        for id in [1, 2] {
            client.send(&greet(id, "ted", |_| {})).await;
        }
        let (first, connection): (Responder, Connection) = late.recv().await.unwrap();
        let (second, _) = late.recv().await.unwrap();
        assert!(!first.is_closed() && !second.is_closed());
        match end {
            "the peer" => client.stream.shutdown().await.unwrap(),
            "the application" => connection.close(),
            _ => server.serve(async {}).await,
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        // The peer is there in a drain, and waits.
        let gone = end != "a drain";
        assert_eq!(
            (first.is_closed(), second.is_closed()),
            (gone, gone),
            "{end}"
        );
        assert!(!connection.is_closed());
        drop(first);
        assert_eq!(client.answer().await.unwrap().ret, codes::UNKNOWN);
        let reply = second.reply();
        second.send(Ok(reply));
        assert_eq!(client.answer().await.unwrap().ret, codes::OK);
        assert_eq!(client.frame().await, None);
        drop(client);
        serving.await.unwrap();
        assert!(connection.is_closed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_carries_context_and_status() {
    let mut c = connect(Limits::default(), |cx, name| {
        Box::pin(async move {
            cx.set_response_context("context", "1");
            if name == "wait" {
                tokio::task::yield_now().await;
            }
            cx.set_response_status("status", "2");
            if name == "fail" {
                Err(Error::new(5, "failed"))
            } else {
                Ok(cx.reply())
            }
        })
    })
    .await;
    for (name, ret) in [("ted", 0), ("wait", 0), ("fail", 5), ("ted", 0)] {
        c.client.send(&greet(1, name, |_| {})).await;
        let answer = c.client.answer().await.unwrap();
        assert_eq!(answer.ret, ret);
        assert_eq!(
            answer.context,
            [("context".to_owned(), "1".to_owned())].into()
        );
        assert_eq!(
            answer.status,
            [("status".to_owned(), "2".to_owned())].into()
        );
    }
    // A TUP answer has them in its own packet.
    c.client
        .send(&greet(1, "fail", |r| {
            r.version = 3;
            r.body = tup("name", "fail");
        }))
        .await;
    let answer: RequestPacket = c.client.request().await.unwrap();
    assert_eq!(answer.context["context"], "1");
    assert_eq!(answer.status["status"], "2");
    assert_eq!(answer.status["STATUS_RESULT_CODE"], "5");
    c.end().await;
}

/// The body of a TUP request with one string.
fn tup(name: &str, value: &str) -> tars_rpc::codec::Bytes {
    let mut value_bytes = Vec::new();
    write(&mut value_bytes, |w| w.put(0, value)).unwrap();
    let values = std::collections::BTreeMap::from([(
        name.to_owned(),
        tars_rpc::codec::Bytes::from(value_bytes),
    )]);
    let mut body = Vec::new();
    write(&mut body, |w| w.put(0, &values)).unwrap();
    body.into()
}

#[tokio::test(start_paused = true)]
async fn a_handler_knows_the_circumstances_of_its_request() {
    let (seen, mut said) = mpsc::unbounded_channel();
    let mut c = connect(Limits::default(), move |cx, _| {
        let _ = seen.send((
            cx.dyeing_key().map(ToOwned::to_owned),
            cx.trace_key().map(ToOwned::to_owned),
            cx.remaining(),
        ));
        assert_eq!(
            (cx.peer(), cx.adapter(), cx.servant()),
            (peer(), "main", OBJ)
        );
        assert_eq!(
            (cx.func(), cx.version().number(), cx.request_id()),
            ("sayHelloWorld", 1, 9)
        );
        assert_eq!(cx.connection().peer(), peer());
        Box::pin(async move { Ok(cx.reply()) })
    })
    .await;
    let marks = |r: &mut RequestPacket, message_type| {
        r.message_type = message_type;
        r.timeout = 1500;
        r.status
            .insert("STATUS_DYED_KEY".to_owned(), "dye".to_owned());
        r.status
            .insert("STATUS_TRACE_KEY".to_owned(), "trace".to_owned());
    };
    for (message_type, dyed, traced) in [
        (0, false, false),
        (4, true, false),
        (0x100, false, true),
        (0x104, true, true),
    ] {
        c.client
            .send(&greet(9, "ted", |r| marks(r, message_type)))
            .await;
        c.client.answer().await.unwrap();
        let (dyeing, trace, remaining) = said.recv().await.unwrap();
        assert_eq!((dyeing.is_some(), trace.is_some()), (dyed, traced));
        assert_eq!(remaining, Some(Duration::from_millis(1500)));
    }
    c.end().await;
}

/// Gives the test the connection of its first request.
async fn pushing(limits: Limits) -> (Connected, Connection) {
    let (connections, mut kept) = mpsc::unbounded_channel();
    let mut c = connect(limits, move |cx, _| {
        let _ = connections.send(cx.connection());
        Box::pin(async move { Ok(cx.reply()) })
    })
    .await;
    c.client.send(&greet(1, "ted", |_| {})).await;
    c.client.answer().await.unwrap();
    let connection = kept.recv().await.unwrap();
    (c, connection)
}

#[tokio::test(start_paused = true)]
async fn pushes_arrive_in_their_order() {
    let (mut c, connection) = pushing(Limits::default()).await;
    for n in 0..100 {
        let push = Push::builder("onEvent")
            .put(1, "n", &n)
            .context("k", "v")
            .build()
            .unwrap();
        connection.push(&push).unwrap();
    }
    for n in 0..100_i32 {
        let push: ResponsePacket = c.client.answer().await.unwrap();
        assert_eq!((push.version, push.request_id, push.ret), (1, 0, 0));
        assert_eq!(push.status["TARS_FUNC"], "onEvent");
        assert_eq!(push.context["k"], "v");
        let input = tars_rpc::codec::Input::new(&push.body);
        assert_eq!(input.reader().next_if::<i32>(1).unwrap(), Some(n));
    }
    assert_eq!(c.stats.pushes.get(), 100);
    assert!(!connection.is_closed());
    let closed = tokio::spawn({
        let connection = connection.clone();
        async move { connection.closed().await }
    });
    tokio::task::yield_now().await;
    assert!(!closed.is_finished());
    c.end().await;
    closed.await.unwrap();
    connection.closed().await;
    let push = Push::builder("onEvent").build().unwrap();
    assert_eq!(connection.push(&push), Err(PushError::Gone));
}

#[tokio::test(start_paused = true)]
async fn pushes_to_a_peer_that_does_not_read_are_bounded() {
    let mut limits = Limits::default();
    limits.max_unsent = 100_000;
    let (mut c, connection) = pushing(limits).await;
    let push = Push::builder("f")
        .put_result(&"x".repeat(10_000))
        .build()
        .unwrap();
    let mut taken = 0;
    let full = loop {
        match connection.push(&push) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(full, PushError::Full(100_000));
    // Two times the limit, the pipe, and one above each.
    assert!((20..=30).contains(&taken), "{taken}");
    for _ in 0..taken {
        assert_eq!(c.client.answer().await.unwrap().request_id, 0);
    }
    connection.push(&push).unwrap();
    c.client.answer().await.unwrap();
    c.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_application_closes_a_connection() {
    let (mut c, connection) = pushing(Limits::default()).await;
    connection
        .push(&Push::builder("goodbye").build().unwrap())
        .unwrap();
    connection.close();
    assert_eq!(
        c.client.answer().await.unwrap().status["TARS_FUNC"],
        "goodbye"
    );
    assert_eq!(c.client.frame().await, None);
    connection.closed().await;
    c.connection.await.unwrap();
    assert_eq!(
        (c.stats.closed_by_servant.get(), c.stats.open.get()),
        (1, 0)
    );
}

/// A handler may wait for the end of its connection, which waits for the handler. What others answer is sent.
#[tokio::test(start_paused = true)]
async fn a_handler_learns_that_its_connection_ends() {
    for end in [
        "the peer",
        "the application",
        "a bad frame",
        "a drain",
        "the application in a drain",
    ] {
        let (connections, mut kept) = mpsc::unbounded_channel();
        let script = move |cx: Context, name: String| -> Dispatch {
            let _ = connections.send(cx.connection());
            Box::pin(async move {
                let work = tokio::time::sleep(Duration::from_secs(2));
                if name == "watch" {
                    let connection = cx.connection();
                    tokio::select! {
                        () = connection.closed() => {
                            assert!(!connection.is_closed());
                            return Err(Error::new(77, "given up"));
                        }
                        () = work => {}
                    }
                } else {
                    work.await;
                }
                Ok(cx.reply())
            })
        };
        let servant = Scripted(script);
        let server = Server::builder().servant(OBJ, servant).listen().await;
        let server = server.unwrap();
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let connection = tokio::spawn(server.serve_stream(theirs, peer()));
        let mut client = Raw::new(ours);
        client.send(&greet(1, "work", |_| {})).await;
        client.send(&greet(2, "watch", |_| {})).await;
        let seen: Connection = kept.recv().await.unwrap();
        kept.recv().await.unwrap();
        let began = tokio::time::Instant::now();
        match end {
            "the peer" => client.stream.shutdown().await.unwrap(),
            "the application" => seen.close(),
            "a bad frame" => client.send(&[0; 4]).await,
            "a drain" => server.serve(async {}).await,
            _ => {
                server.serve(async {}).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                seen.close();
            }
        }
        let mut answers = [
            (client.answer().await.unwrap(), began.elapsed().as_secs()),
            (client.answer().await.unwrap(), began.elapsed().as_secs()),
        ];
        answers.sort_by_key(|(answer, _)| answer.request_id);
        let answers = answers.map(|(answer, after)| (answer.ret, after));
        // The peer is there in a drain, and waits.
        let watched = if end == "a drain" { (0, 2) } else { (77, 0) };
        assert_eq!(answers, [(0, 2), watched], "{end}");
        assert_eq!(client.frame().await, None);
        drop(client);
        connection.await.unwrap();
        assert!(seen.is_closed());
    }
}

#[tokio::test]
async fn every_connection_has_a_number_of_its_own() {
    let (_one, first) = pushing(Limits::default()).await;
    let (_two, second) = pushing(Limits::default()).await;
    assert_ne!(first.id(), second.id());
    assert_eq!(first.adapter(), "main");
}
