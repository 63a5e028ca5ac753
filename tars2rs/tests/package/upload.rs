//! Uploads, to a stand-in of TarsWeb's HTTP API.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::project::{NAME, Project};

/// Answers one request; what it was.
struct TarsWeb {
    address: SocketAddr,
    request: JoinHandle<Vec<u8>>,
}

impl TarsWeb {
    /// With a status and a body.
    fn answering(status: &'static str, body: &'static str) -> Self {
        Self::new(move |connection| {
            let length = body.len();
            write!(
                connection,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        })
    }

    fn new(answer: impl FnOnce(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let request = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let request = read_request(&mut connection);
            answer(&mut connection);
            request
        });
        Self { address, request }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Up to the end of its body, which must have a length.
fn read_request(connection: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    loop {
        let head = request.windows(4).position(|part| part == b"\r\n\r\n");
        if let Some(head) = head {
            let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if request.len() == head + 4 + length.unwrap().parse::<usize>().unwrap() {
                return request;
            }
        }
        let count = connection.read(&mut part).unwrap();
        assert!(count > 0, "the request ends early");
        request.extend_from_slice(&part[..count]);
    }
}

const GOOD: &str = r#"{"data":{"id":7,"server":"App.Chat"},"ret_code":200,"err_msg":""}"#;

#[test]
fn an_upload_has_the_fields_of_the_api() {
    let project = Project::new();
    let web = TarsWeb::answering("200 OK", GOOD);
    let url = web.url() + "/";
    let mut command = project.command(&["--upload", &url, "--comment", "It's 5 \u{b0}"]);
    let output = command.env("TARS_WEB_TOKEN", "a&b c").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""));
    assert!(
        out.ends_with("\nuploaded and published: {\"id\":7,\"server\":\"App.Chat\"}\n"),
        "{out}"
    );

    let request = web.request.join().unwrap();
    let end = request
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(request[..end].to_vec()).unwrap();
    assert!(
        head.starts_with("POST /api/upload_and_publish?ticket=a%26b%20c HTTP/1.1\r\n"),
        "{head}"
    );
    let boundary = head
        .lines()
        .find(|line| line.to_lowercase().starts_with("content-type:"));
    let (_, boundary) = boundary
        .unwrap()
        .split_once("multipart/form-data; boundary=")
        .unwrap();

    let field = |name: &str, value: &str| {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    let mut expected = Vec::new();
    for (name, value) in [
        ("application", "App"),
        ("module_name", "Chat"),
        ("comment", "It's 5 \u{b0}"),
    ] {
        expected.extend(field(name, value).into_bytes());
    }
    expected.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"suse\"; filename=\"{NAME}\"\r\nContent-Type: application/gzip\r\n\r\n").into_bytes());
    expected.extend(fs::read(project.path(NAME)).unwrap());
    expected.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
    assert!(request[end + 4..] == expected);
}

/// What is said of an answer that is none of success.
fn refusal(web: TarsWeb, args: &[&str]) -> String {
    let project = Project::new();
    let url = web.url();
    let args = [&["--upload", url.as_str(), "--token", "sesame"], args].concat();
    let (code, out, err) = project.package(&args);
    assert_eq!(code, 2, "{out}{err}");
    assert!(out.contains("\ncreated Chat_"), "the package stays: {out}");
    assert!(!err.contains("sesame"), "{err}");
    let _ = web.request.join();
    err.replace(&url, "URL")
}

#[test]
fn refusals_are_told_with_their_reasons() {
    let refused = r#"{"data":{},"ret_code":500,"err_msg":"no permission"}"#;
    let mut errors = String::new();
    for (status, body) in [
        ("200 OK", refused),
        ("500 Internal Server Error", refused),
        ("500 Internal Server Error", "<html>oops</html>"),
        ("404 Not Found", ""),
        ("200 OK", "{}"),
        ("302 Found\r\nLocation: /login.html", ""),
        (
            "307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/",
            "",
        ),
    ] {
        errors += &refusal(TarsWeb::answering(status, body), &[]);
    }
    insta::assert_snapshot!(errors, @r"
    error: URL/api/upload_and_publish refused the package (200 OK): no permission [ret_code 500]
    error: URL/api/upload_and_publish refused the package (500 Internal Server Error): no permission [ret_code 500]
    error: URL/api/upload_and_publish answered 500 Internal Server Error with what is no answer of TarsWeb: <html>oops</html>
    error: URL/api/upload_and_publish answered 404 Not Found with what is no answer of TarsWeb: nothing
    error: URL/api/upload_and_publish answered 200 OK with what is no answer of TarsWeb: {}
    error: URL/api/upload_and_publish redirects to /login.html (302 Found): is the address right, and the token valid?
    error: URL/api/upload_and_publish redirects to http://127.0.0.1:1/ (307 Temporary Redirect): is the address right, and the token valid?
    ");
}

#[test]
fn broken_answers_are_no_success() {
    let mut errors = String::new();
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        "SSH-2.0\r\n\r\n",
    ] {
        let web = TarsWeb::new(move |connection| connection.write_all(answer.as_bytes()).unwrap());
        errors += &refusal(web, &[]);
    }
    insta::assert_snapshot!(errors, @r"
    error: cannot upload to URL/api/upload_and_publish: Peer disconnected
    error: cannot upload to URL/api/upload_and_publish: Peer disconnected
    error: cannot upload to URL/api/upload_and_publish: protocol: http parse fail: invalid HTTP version
    ");
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let web = TarsWeb::new(|connection| {
        connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        while connection.write_all(&[b' '; 4096]).is_ok() {}
    });
    insta::assert_snapshot!(refusal(web, &[]), @r"error: cannot upload to URL/api/upload_and_publish: the response body is larger than request limit: 1048576");
}

#[test]
fn a_slow_answer_ends_the_upload() {
    // The read ends when the client gives up.
    let web = TarsWeb::new(|connection| {
        let _ = connection.read(&mut [0]);
    });
    let error = refusal(web, &["--upload-timeout", "1"]);
    insta::assert_snapshot!(error, @r"error: no answer from URL/api/upload_and_publish within 1 s; whether the package was published is not known");
}

#[test]
fn a_tars_web_that_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let project = Project::new();
    let (code, _, err) = project.package(&["--upload", &url, "--token", "sesame"]);
    assert_eq!(code, 2);
    let expected = "error: cannot upload to URL/api/upload_and_publish: Connection refused";
    assert!(err.replace(&url, "URL").starts_with(expected), "{err}");
}
