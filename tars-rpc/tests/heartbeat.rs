//! What the node hears of a server, and when; in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tars_rpc::{
    Communicator, Result,
    config::{ApplicationConfig, Document},
    platform::{LiveAdapter, Platform, ServerF, ServerFServer, ServerInfo},
    server::{Context, Server},
    testing::Network,
};
use tokio::time::{Instant, sleep};

/// Notes what it is told, and after how many seconds.
#[derive(Clone)]
struct Node {
    began: Instant,
    heard: Arc<Mutex<Vec<(u64, String)>>>,
}

impl Node {
    fn hear(&self, what: String) -> Result<i32> {
        let second = self.began.elapsed().as_secs();
        self.heard.lock().unwrap().push((second, what));
        Ok(0)
    }

    fn take(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

impl ServerF for Node {
    async fn keep_alive(&self, cx: &Context, info: ServerInfo) -> Result<i32> {
        assert!(cx.is_oneway());
        self.hear(format!("alive {}", info.adapter))
    }

    async fn keep_activing(&self, _: &Context, _: ServerInfo) -> Result<i32> {
        self.hear("starting".to_owned())
    }

    async fn report_version(
        &self,
        _: &Context,
        app: String,
        server: String,
        _: String,
    ) -> Result<i32> {
        self.hear(format!("version of {app}.{server}"))
    }

    async fn get_latest_keep_alive_time(&self, _: &Context) -> Result<u32> {
        Ok(0)
    }
}

async fn serve(network: &Network, node: &Node) {
    let servant = ServerFServer::new(node.clone());
    let server = Server::builder()
        .servant("tars.tarsnode.ServerObj", servant)
        .listen();
    network.serve("node", 19386, server.await.unwrap());
}

fn config() -> ApplicationConfig {
    let text = "<tars>\n<application>\n<server>\napp=App\nserver=Server\n\
                node=tars.tarsnode.ServerObj@tcp -h node -p 19386\n</server>\n</application>\n</tars>\n";
    ApplicationConfig::new(&Document::parse(text).unwrap()).unwrap()
}

fn words(heard: &[(u64, &str)]) -> Vec<(u64, String)> {
    heard
        .iter()
        .map(|(second, what)| (*second, (*what).to_owned()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_node_hears_of_a_server_in_time() {
    let node = Node {
        began: Instant::now(),
        heard: Arc::default(),
    };
    let network = Network::default();
    serve(&network, &node).await;
    let communicator = Communicator::builder().connector(network.clone()).build();
    let platform = Platform::builder(&config(), &communicator).start();
    sleep(Duration::from_millis(14_500)).await;
    assert_eq!(node.take(), words(&[(0, "starting"), (10, "starting")]));

    platform.serving([LiveAdapter::new("A"), LiveAdapter::new("AdminAdapter")]);
    sleep(Duration::from_secs(12)).await;
    let expected = [
        (14, "version of App.Server"),
        (14, "alive "),
        (15, "alive AdminAdapter"),
        (15, "alive A"),
        (25, "alive AdminAdapter"),
        (25, "alive A"),
    ];
    assert_eq!(node.take(), words(&expected));

    // A node that is away for a while hears of it again when it is back.
    network.remove("node", 19386);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(node.take(), []);
    serve(&network, &node).await;
    sleep(Duration::from_secs(20)).await;
    assert!(node.take().iter().any(|(_, what)| what == "alive A"));

    platform.stop(Duration::from_secs(1)).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(node.take(), [], "it is silent after its end");
}
