//! Every version of the protocol, through generated code on both sides and against recorded peers.

use std::{collections::BTreeMap, fs, net::SocketAddr};

use bytes::{Bytes, BytesMut};
use example_server::{
    php_server::NAME,
    servant::php_test::php_server::obj::{
        TestTafServiceServant,
        classes::testtafserviceservant::{ComplicatedStruct, LotofTags, OutStruct, SimpleStruct},
    },
};
use serde_json::Value;
use tars_codec::{FrameSplitter, RequestPacket, ResponsePacket, TupReader, decode_bytes};
use tars_rpc::{
    Communicator, Error, Version,
    client::{CallOptions, ServantProxy, layer::RateLimit},
    codes,
    server::{Dispatch, Request, Servant, Server},
};
use tars_tests::start_php_server;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const VERSIONS: [Version; 4] = [
    Version::Tars,
    Version::TupComplex,
    Version::Tup,
    Version::Json,
];

fn proxy(address: SocketAddr, servant: &str) -> ServantProxy {
    let (host, port) = (address.ip(), address.port());
    Communicator::new()
        .string_to_proxy(&format!("{servant}@tcp -h {host} -p {port}"))
        .unwrap()
}

fn client(address: SocketAddr, version: Version) -> TestTafServiceServant {
    TestTafServiceServant::new(proxy(address, NAME)).with(CallOptions::new().version(version))
}

fn record() -> SimpleStruct {
    SimpleStruct {
        id: i64::MIN,
        count: -1,
        page: i16::MAX,
    }
}

fn record_888() -> SimpleStruct {
    SimpleStruct {
        id: 888,
        ..SimpleStruct::default()
    }
}

fn complicated() -> ComplicatedStruct {
    ComplicatedStruct {
        ss: vec![record_888()],
        str: "sss".into(),
        ..ComplicatedStruct::default()
    }
}

fn tags() -> LotofTags {
    LotofTags {
        str: "\"quoted\" \u{1f600}\n".into(),
        ss: vec![record(), record()],
        mss: BTreeMap::from([("\\".into(), record())]),
        ..LotofTags::default()
    }
}

#[tokio::test]
async fn every_function_in_every_version() {
    let address = start_php_server().await;
    for version in VERSIONS {
        let client = client(address, version);
        client.test_taf_server().await.unwrap();

        let reply = client.test_lofof_tags(&tags()).await.unwrap();
        assert_eq!(
            (reply.result, reply.outtags.count),
            (999, 100),
            "{version:?}"
        );

        assert_eq!(client.say_hello_world("ted").await.unwrap(), "hello world!");

        let reply = client.test_basic(true, i32::MIN, "").await.unwrap();
        assert_eq!((reply.result, reply.d, reply.e), (-99, false, 111));
        assert_eq!(reply.f, "here i am");

        let reply = client.test_struct(i64::MAX, &record()).await.unwrap();
        assert_eq!((reply.result.as_str(), reply.d.id), ("hahaha", 10000));

        let map = BTreeMap::from([(String::new(), "\u{0}".to_owned())]);
        let reply = client.test_map(-1, &record(), &map).await.unwrap();
        assert_eq!((reply.result.as_str(), reply.d.page), ("success", 1024));
        assert_eq!(reply.m2, BTreeMap::from([(1, record_888())]));

        let strings = ["a".to_owned(), String::new()];
        let reply = client.test_vector(7, &strings, &[record()]).await.unwrap();
        assert_eq!(
            (reply.result.as_str(), reply.v3),
            ("not very happy", vec![111, 222])
        );
        let out = OutStruct {
            id: 888,
            ..OutStruct::default()
        };
        assert_eq!(reply.v4, [out.clone(), out]);

        assert_eq!(client.test_return().await.unwrap(), record_888());
        let map = client.test_return2().await.unwrap();
        assert_eq!(
            map,
            BTreeMap::from([("test".to_owned(), "test".to_owned())])
        );

        let reply = client
            .test_complicated_struct(&complicated(), &[complicated(), complicated()])
            .await
            .unwrap();
        assert_eq!(reply.result, [record_888()]);
        assert_eq!(
            (reply.ocs, reply.ovcs),
            (complicated(), vec![complicated()])
        );

        let map = BTreeMap::from([("key".to_owned(), complicated())]);
        let reply = client.test_complicated_map(&map).await.unwrap();
        assert_eq!((&reply.result, &reply.omcs), (&map, &map));

        let reply = client.test_empty(1).await.unwrap();
        assert_eq!((reply.result, reply.in2), (-99, 0));
        assert_eq!(client.test_property().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn every_version_pings_and_sends_oneway() {
    let address = start_php_server().await;
    for version in VERSIONS {
        let options = CallOptions::new().version(version);
        let proxy = proxy(address, NAME).with(options.clone());
        proxy.call("tars_ping", |_| {}).await.unwrap();
        let oneway = TestTafServiceServant::new(proxy.with(options.oneway()));
        oneway.test_taf_server().await.unwrap();
    }
}

/// Says in the context of its answers which function was called, and knows all that have no result but greetings.
struct Contextual;

impl Servant for Contextual {
    fn dispatch(&self, request: Request) -> Dispatch {
        Box::pin(async move {
            let (cx, mut args) = request.into_parts();
            cx.set_response_context("function", cx.func());
            let mut reply = cx.reply();
            if cx.func() == "sayHelloWorld" {
                let name: String = args.take(1, "name")?;
                if name == "fail" {
                    return Err(Error::new(1234, "no greetings today"));
                }
                reply.put(2, "outGreetings", &format!("hello {name}!"));
            }
            Ok(reply)
        })
    }
}

#[tokio::test]
async fn the_context_of_an_answer_comes_in_every_version() {
    let server = Server::builder()
        .bind(([127, 0, 0, 1], 0).into())
        .servant(NAME, Contextual);
    let server = server.listen().await.unwrap();
    let address = server.local_addrs()[0];
    tokio::spawn(server.serve(std::future::pending()));
    let context = |function: &str| BTreeMap::from([("function".to_owned(), function.to_owned())]);
    for version in VERSIONS {
        let layered = TestTafServiceServant::new(
            proxy(address, NAME)
                .with(CallOptions::new().version(version))
                .layer(&RateLimit::per_second(1000)),
        );
        for client in [client(address, version), layered] {
            let greet = async |client: TestTafServiceServant| client.say_hello_world("ted").await;
            let greeting = client.with_response_context(greet).await.unwrap();
            let expected = ("hello ted!".to_owned(), context("sayHelloWorld"));
            assert_eq!(greeting, expected, "{version:?}");

            // On a task of its own; options may be changed on the way; the last call counts.
            let other = client.clone();
            let task = tokio::spawn(async move {
                let calls = async |client: TestTafServiceServant| {
                    client.say_hello_world("ted").await?;
                    let options = CallOptions::new().version(version);
                    client.with(options).test_taf_server().await
                };
                other.with_response_context(calls).await
            });
            let ((), last) = task.await.unwrap().unwrap();
            assert_eq!(last, context("testTafServer"));

            let fail = async |client: TestTafServiceServant| client.say_hello_world("fail").await;
            let failed = client.with_response_context(fail).await.unwrap_err();
            assert_eq!(failed.code(), 1234);
        }
    }
}

#[tokio::test]
async fn errors_come_in_every_version() {
    let address = start_php_server().await;
    for version in VERSIONS {
        let options = CallOptions::new().version(version);
        let known = proxy(address, NAME).with(options.clone());
        let error = known.call("noSuchFunction", |_| {}).await.unwrap_err();
        assert_server_error(&error, codes::NO_FUNCTION, "noSuchFunction", version);

        let error = known
            .call("testBasic", |args| args.put(1, "a", &true))
            .await
            .unwrap_err();
        assert_server_error(&error, codes::SERVER_DECODE, "argument b", version);

        let error = known
            .call("sayHelloWorld", |args| args.put(1, "name", &vec![1_i32]))
            .await
            .unwrap_err();
        assert_server_error(&error, codes::SERVER_DECODE, "argument name", version);

        let unknown = proxy(address, "No.Such.Obj").with(options);
        let error = unknown.call("f", |_| {}).await.unwrap_err();
        assert_server_error(&error, codes::NO_SERVANT, "No.Such.Obj", version);
    }
}

fn assert_server_error(error: &Error, expected: i32, text: &str, version: Version) {
    let Error::Server { code, message, .. } = error else {
        panic!("{version:?}: {error}");
    };
    assert_eq!(*code, expected, "{version:?}: {message}");
    assert!(message.contains(text), "{version:?}: {message}");
}

/// The frames of a request in each version, with a body that is none.
#[tokio::test]
async fn bad_bodies_are_answered_in_the_shape_of_their_version() {
    let address = start_php_server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for (version, body, expected) in [
        (
            1,
            &b"\x0e"[..],
            "argument name (tag 1): unknown wire type 14 at byte 0",
        ),
        (
            2,
            b"\x08\x00\x01\x06\x01a\x10\x07",
            "the value is Int1, expected a map",
        ),
        (3, b"junk", "tag 0"),
        (
            5,
            b"{\"name\": \"ted\"",
            "EOF while parsing an object, at byte 13",
        ),
        (5, b"[]", "expected an object"),
        (5, b"{}", "argument name (tag 1): required, but missing"),
        (
            5,
            b"{\"name\": {}}",
            "argument name (tag 1): invalid type: map, expected string, at byte 10",
        ),
    ] {
        let packet = RequestPacket {
            version,
            request_id: 9,
            servant: NAME.to_owned(),
            func: "sayHelloWorld".to_owned(),
            body: Bytes::copy_from_slice(body),
            ..RequestPacket::default()
        };
        let mut frame = Vec::new();
        packet
            .head()
            .write_frame(&mut frame, |w| w.append(&packet.body))
            .unwrap();
        stream.write_all(&frame).await.unwrap();
        let answer = read_packet(&mut stream).await;
        let (code, text) = if matches!(version, 2 | 3) {
            let answer: RequestPacket = decode_bytes(&answer).unwrap();
            assert_eq!((answer.version, answer.request_id), (version, 9));
            // Not empty: Tars.js decodes it before it looks at the status.
            assert_eq!(answer.body, [0x08, 0x0c][..]);
            let code = answer.status["STATUS_RESULT_CODE"].parse().unwrap();
            (code, answer.status["STATUS_RESULT_DESC"].clone())
        } else {
            let answer: ResponsePacket = decode_bytes(&answer).unwrap();
            assert_eq!((answer.version, answer.request_id), (version, 9));
            (answer.ret, answer.result_desc)
        };
        assert_eq!(code, codes::SERVER_DECODE, "{version}: {text}");
        assert!(text.contains(expected), "{version}: {text}");
    }
}

/// The JSON requests that TarsPHP was asked, byte by byte to the Rust PHPServer.
///
/// The answers mean the same. They differ in form: the packet has version 5 and not 1, the return value is
/// `tars_ret` and not `""`, and what TarsPHP leaves `null` is here what it is in the other versions: 0 or empty.
#[tokio::test]
async fn recorded_json_requests_are_answered_as_by_tars_php() {
    let address = start_php_server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut seen = 0;
    for item in recorded("php-extra-frames.json") {
        let case = item["case"].as_str().unwrap();
        let Some(func) = case.strip_prefix("json ") else {
            continue;
        };
        stream
            .write_all(&frame_of(&item, "request_hex"))
            .await
            .unwrap();
        let answer: ResponsePacket = decode_bytes(&read_packet(&mut stream).await).unwrap();
        assert_eq!((answer.version, answer.request_id), (5, 7), "{case}");
        if func == "noSuchFunction" {
            assert_eq!(answer.ret, codes::NO_FUNCTION);
            assert!(answer.result_desc.contains(func), "{}", answer.result_desc);
        } else {
            let php: ResponsePacket = packet_of(&item, "response_hex");
            let mut php: Value = serde_json::from_slice(&php.body).unwrap();
            let mut ours: Value = serde_json::from_slice(&answer.body).unwrap();
            if let Some(result) = php.as_object_mut().unwrap().remove("") {
                php["tars_ret"] = result;
            }
            null_where_null(&php, &mut ours);
            assert_eq!(ours, php, "{case}");
            assert_eq!((answer.ret, answer.result_desc.as_str()), (0, ""), "{case}");
        }
        seen += 1;
    }
    assert_eq!(seen, 7);
}

/// Makes null in `ours` what is null in `php`, and zero or empty here.
fn null_where_null(php: &Value, ours: &mut Value) {
    match (php, ours) {
        (Value::Null, ours) if *ours == 0 || *ours == "" => *ours = Value::Null,
        (Value::Object(php), Value::Object(ours)) => {
            for (key, value) in ours {
                null_where_null(php.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(php), Value::Array(ours)) => {
            for (php, ours) in php.iter().zip(ours) {
                null_where_null(php, ours);
            }
        }
        _ => {}
    }
}

/// What TarsPHP answered to JSON, in packets of version 1, and to TUP, given to a generated client.
#[tokio::test]
async fn recorded_answers_of_tars_php_are_understood() {
    let mut answers = BTreeMap::new();
    for item in recorded("php-extra-frames.json") {
        if let Some(func) = item["case"]
            .as_str()
            .and_then(|case| case.strip_prefix("json "))
        {
            answers.insert((5, func.to_owned()), frame_of(&item, "response_hex"));
        }
    }
    for item in recorded("php-frames.json") {
        let func = item["call"].as_str().unwrap();
        let version = item["iVersion"].as_i64().unwrap();
        answers.insert((version, func.to_owned()), frame_of(&item, "response_hex"));
    }
    let address = replay(answers).await;
    for version in [Version::Tars, Version::Tup, Version::Json] {
        let client = client(address, version);
        assert_eq!(client.say_hello_world("ted").await.unwrap(), "hello world!");
        let reply = client.test_basic(true, 1, "").await.unwrap();
        assert_eq!((reply.result, reply.d, reply.e), (-99, false, 111));
        let reply = client.test_struct(1, &record()).await.unwrap();
        assert_eq!((reply.result.as_str(), reply.d.id), ("hahaha", 10000));
        assert_eq!(client.test_return().await.unwrap(), record_888());
        let proxy = proxy(address, NAME).with(CallOptions::new().version(version));
        let error = proxy.call("noSuchFunction", |_| {}).await.unwrap_err();
        assert_server_error(&error, codes::UNKNOWN, "", version);
    }
}

/// A server that answers each request with what was recorded for its version and function.
async fn replay(answers: BTreeMap<(i64, String), Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answers = answers.clone();
            tokio::spawn(async move {
                loop {
                    let request: RequestPacket =
                        decode_bytes(&read_packet(&mut stream).await).unwrap();
                    let answer = &answers[&(i64::from(request.version), request.func)];
                    let answer = with_id(answer, request.request_id);
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    address
}

/// The same answer to a request of another id.
fn with_id(frame: &[u8], id: i32) -> Vec<u8> {
    let packet = Bytes::copy_from_slice(&frame[4..]);
    let mut out = Vec::new();
    if packet.starts_with(&[0x10, 3]) {
        let mut answer: RequestPacket = decode_bytes(&packet).unwrap();
        answer.request_id = id;
        TupReader::new(&answer.body).unwrap();
        answer
            .head()
            .write_frame(&mut out, |w| w.append(&answer.body))
            .unwrap();
    } else {
        let mut answer: ResponsePacket = decode_bytes(&packet).unwrap();
        answer.request_id = id;
        answer
            .head()
            .write_frame(&mut out, |w| w.append(&answer.body))
            .unwrap();
    }
    out
}

async fn read_packet(stream: &mut TcpStream) -> Bytes {
    let mut buf = BytesMut::new();
    loop {
        if let Some(packet) = FrameSplitter::default().split(&mut buf).unwrap() {
            return packet;
        }
        // Byte by byte, so that nothing of the next frame is taken.
        let Ok(byte) = stream.read_u8().await else {
            std::future::pending().await // the peer has gone
        };
        buf.extend_from_slice(&[byte]);
    }
}

fn recorded(file: &str) -> Vec<Value> {
    let path = format!("{}/fixtures/wire/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn frame_of(item: &Value, key: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).expect("a hex digit") as u8;
    let text = item[key].as_str().unwrap().as_bytes();
    text.chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn packet_of<T: tars_codec::Struct>(item: &Value, key: &str) -> T {
    decode_bytes(&frame_of(item, key).split_off(4).into()).unwrap()
}
