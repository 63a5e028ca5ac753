//! The two room pages in a headless Chromium: chat between them, and a greeting that came over RPC.
//!
//! Screenshots go to `artifacts/`.

use std::{fs, path::Path, process::Stdio, time::Duration};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::json;
use tars_tests::ChatServer;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Far above what a page needs; a test that gets here has failed.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium and chromedriver; run by .ci/run"]
async fn two_pages_chat_and_are_greeted() {
    let server = ChatServer::start().await;
    let driver = Driver::start().await;
    let room1 = driver.open(&server.url("/client1.html")).await;
    let room2 = driver.open(&server.url("/client2.html")).await;
    for page in [&room1, &room2] {
        wait_for_status(page, "open").await;
    }

    // Ask PHPServer: the answer goes to the asking page alone.
    type_into(&room1, "#name", "ted").await;
    click(&room1, "#hello").await;
    wait_for_log(&room1, "hello world!").await;

    // A broadcast reaches both pages; markup stays text.
    type_into(
        &room1,
        "#message",
        "<img src=x onerror=alert(1)> to everyone",
    )
    .await;
    click(&room1, "#broadcast").await;
    for page in [&room1, &room2] {
        wait_for_log(page, "<img src=x onerror=alert(1)> to everyone").await;
    }
    assert!(
        room2
            .find_all(Locator::Css("#log img"))
            .await
            .unwrap()
            .is_empty()
    );

    // A message to room 2 reaches that page; room 1 does not see it.
    type_into(&room2, "#message", "only for room 2").await;
    click(&room2, "#send").await;
    wait_for_log(&room2, "only for room 2").await;
    assert!(!log(&room1).await.contains("only for room 2"));
    assert!(!log(&room2).await.contains("hello world!"));

    screenshot(&room1, "room1.png").await;
    screenshot(&room2, "room2.png").await;
    room1.close().await.unwrap();
    room2.close().await.unwrap();
    driver.stop().await;
    server.stop().await;
}

async fn wait_for_status(page: &Client, state: &str) {
    let selector = format!("#status[data-state='{state}']");
    page.wait()
        .at_most(PATIENCE)
        .for_element(Locator::Css(&selector))
        .await
        .unwrap_or_else(|e| {
            panic!("the page never was {state}: {e}");
        });
}

async fn wait_for_log(page: &Client, text: &str) {
    let found = timeout(PATIENCE, async {
        while !log(page).await.contains(text) {
            tokio::task::yield_now().await;
        }
    });
    if found.await.is_err() {
        panic!("{text:?} did not appear; the log is {:?}", log(page).await);
    }
}

async fn log(page: &Client) -> String {
    page.find(Locator::Css("#log"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap()
}

async fn type_into(page: &Client, selector: &str, text: &str) {
    let field = page.find(Locator::Css(selector)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}

async fn click(page: &Client, selector: &str) {
    page.find(Locator::Css(selector))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
}

async fn screenshot(page: &Client, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), page.screenshot().await.unwrap()).unwrap();
}

/// A chromedriver on a port of its own choice.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    async fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver must be installed (Debian: chromium-driver)");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = timeout(PATIENCE, async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, port)) = line.rsplit_once("successfully on port ") {
                    return port.trim_end_matches('.').to_owned();
                }
            }
            panic!("chromedriver ended without naming its port");
        });
        let port = port.await.expect("chromedriver names its port");
        // Keep reading, or it blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        }
    }

    async fn open(&self, url: &str) -> Client {
        let options = json!({
            "goog:chromeOptions": {
                "args": [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                    "--disable-sync", "--window-size=900,700", "--lang=en"
                ]
            }
        });
        let mut builder = ClientBuilder::new(fantoccini_connector());
        builder.capabilities(options.as_object().unwrap().clone());
        let page = builder.connect(&self.url).await.expect("a browser session");
        page.goto(url).await.unwrap();
        page
    }

    async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }
}

fn fantoccini_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}
