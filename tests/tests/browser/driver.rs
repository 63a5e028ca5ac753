//! Pages in a headless Chromium, and what is done with them.

use std::{fs, path::Path, process::Stdio, time::Duration};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Far above what a page needs; a test that gets here has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a page is seen on.
#[derive(Clone, Copy)]
pub(crate) enum Screen {
    Desktop,
    /// 390 points wide, with touch.
    Phone,
}

/// A chromedriver on a port of its own choice.
pub(crate) struct Driver {
    process: Child,
    url: String,
    /// What browsers leave behind goes with it.
    _temporary: TempDir,
}

impl Driver {
    pub(crate) async fn start() -> Self {
        let temporary = TempDir::new().unwrap();
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", temporary.path())
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
            _temporary: temporary,
        }
    }

    pub(crate) async fn open(&self, url: &str) -> Page {
        self.open_on(Screen::Desktop, url).await
    }

    pub(crate) async fn open_on(&self, screen: Screen, url: &str) -> Page {
        let mut options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--window-size=960,680", "--lang=en"
            ]
        });
        if let Screen::Phone = screen {
            options["mobileEmulation"] = json!({
                "deviceMetrics": { "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true }
            });
        }
        let capabilities = json!({ "goog:chromeOptions": options });
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities.as_object().unwrap().clone());
        let client = builder.connect(&self.url).await.expect("a browser session");
        client.goto(url).await.unwrap();
        Page { client }
    }

    pub(crate) async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }
}

/// A page in a browser of its own: nothing is shared with other pages.
pub(crate) struct Page {
    client: Client,
}

impl Page {
    pub(crate) async fn wait_for(&self, selector: &str) {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(selector));
        if let Err(error) = found.await {
            panic!(
                "no {selector}: {error}; the page says {}",
                self.text("body").await
            );
        }
    }

    /// Waits until the connection is in this state.
    pub(crate) async fn wait_for_status(&self, state: &str) {
        self.wait_for(&format!("#status[data-state='{state}']"))
            .await;
    }

    /// Waits until an element's text contains this.
    pub(crate) async fn wait_for_text(&self, selector: &str, text: &str) {
        let found = timeout(PATIENCE, async {
            while !self.text(selector).await.contains(text) {
                tokio::task::yield_now().await;
            }
        });
        if found.await.is_err() {
            panic!(
                "{text:?} did not appear in {selector}, which says {:?}",
                self.text(selector).await
            );
        }
    }

    pub(crate) async fn text(&self, selector: &str) -> String {
        let element = self.client.find(Locator::Css(selector)).await.unwrap();
        element.text().await.unwrap()
    }

    pub(crate) async fn count(&self, selector: &str) -> usize {
        let found = self.client.find_all(Locator::Css(selector)).await;
        found.unwrap().len()
    }

    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let field = self.client.find(Locator::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types where the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    }

    pub(crate) async fn click(&self, selector: &str) {
        let element = self.client.find(Locator::Css(selector)).await.unwrap();
        element.click().await.unwrap();
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// What a script of the test returns.
    pub(crate) async fn run(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Puts a picture of it into `artifacts/`.
    pub(crate) async fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts");
        fs::create_dir_all(&folder).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        fs::write(folder.join(name), picture).unwrap();
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}
