//! What the server waits for, for `/readyz`: it serves all the same.

use std::sync::Arc;
use std::time::Duration;

use tars_rpc::client::ServantProxy;
use tokio::time::sleep;

use crate::missing::Missing;

/// The pause after the first ping of PHPServer that failed; it doubles up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Looks for PHPServer, for ever.
pub(super) async fn watch(php_server: ServantProxy, missing: Arc<Missing>) {
    let mut pause = FIRST;
    loop {
        match php_server.call("tars_ping", |_| {}).await {
            Ok(_) => {
                if missing.found("PHPServer") {
                    tracing::info!("PHPServer answers");
                }
                pause = LONGEST;
            }
            Err(error) => {
                if missing.lost("PHPServer", error.to_string()) {
                    tracing::warn!(%error, "PHPServer does not answer; until it does, hello is an error");
                    pause = FIRST;
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}
