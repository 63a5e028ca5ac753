//! `AdminObj` of a server of tars-rpc, beside that of one of TarsCpp: the recorded commands, and what both answer.

use serde_json::Value;
use tars_rpc::{
    Communicator,
    config::{ApplicationConfig, Document},
    platform::Platform,
    server::Server,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    Frame, frames, is_foreign,
    meaning::{Meaning, answer_code},
    peer::{Wire, read_packet},
    relay::function,
    unhex,
};

/// What both answer, but for what is another server's.
fn form(frame: &Frame, answer: &str) -> String {
    let command = frame.args.to_string();
    let answer = answer
        .replace("$3.0.22$", "$VERSION$")
        .replace(&format!("${}$", env!("CARGO_PKG_VERSION")), "$VERSION$");
    match command {
        // Each has its own commands, and its own reasons.
        command if command.contains("tars.help") => answer.lines().take(1).collect(),
        command if command.contains("tars.loadconfig") => {
            answer.split_inclusive("error:").take(1).collect()
        }
        // A table of connections, which has a head.
        command if command.contains("tars.connection") => answer.lines().take(3).collect(),
        _ => answer,
    }
}

fn text(answer: &Value) -> String {
    answer["0"]
        .as_str()
        .or_else(|| answer["tars_ret"]["0"].as_str())
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn operators_get_the_answers_of_tars_cpp() {
    let text_of_config =
        "<tars>\n<application>\n<server>\napp=A\nserver=S\n</server>\n</application>\n</tars>";
    let mut document = Document::parse(text_of_config).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display().to_string();
    document
        .set("/tars/application/server<basepath>", &path)
        .unwrap();
    let config = ApplicationConfig::new(&document).unwrap();
    let platform = Platform::builder(&config, &Communicator::new()).start();
    let server = Server::builder().bind(([127, 0, 0, 1], 0).into());
    let server = server
        .servant("AdminObj", platform.admin())
        .listen()
        .await
        .unwrap();
    let mut stream = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
    tokio::spawn(server.serve(std::future::pending()));

    let frames = frames("framework-frames.json");
    let mut compared = 0;
    for frame in &frames {
        let is_asked = frame.origin.starts_with("hand-made") && !frame.oneway;
        if !is_asked || !frame.servant.ends_with("AdminObj") {
            continue;
        }
        let name = format!("{} v{} ({})", frame.func, frame.version, frame.case);
        stream.write_all(&unhex(&frame.request_hex)).await.unwrap();
        let answer = read_packet(&mut stream).await.expect(&name);
        let wire = Wire::of(frame.version);
        assert_eq!(answer_code(wire, &answer), frame.code, "{name}");
        if frame.code == 0 && !is_foreign(frame) {
            let function = function(&frame.servant, &frame.func);
            let ours = Meaning::answer(function, wire, &answer).result();
            let theirs = frame.values.as_ref().expect(&name);
            match frame.func.as_str() {
                "getPid" => assert_eq!(ours, std::process::id(), "{name}"),
                _ => {
                    let ours = ours.as_str().expect(&name);
                    assert_eq!(form(frame, ours), form(frame, &text(theirs)), "{name}");
                }
            }
        }
        compared += 1;
    }
    assert_eq!(compared, 18);
}
