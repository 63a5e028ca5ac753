//! A redis-server of a test's own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running redis-server on a port of its own, without a disk.
pub(crate) struct Redis {
    pub(crate) port: u16,
    process: Child,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = probe.local_addr().unwrap().port();
        drop(probe);
        let process = spawn(port);
        let redis = Self { port, process };
        redis.ready().await;
        redis
    }

    async fn ready(&self) {
        while self.try_keys().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// services.toml for a node: a short lease, so that tests need not wait.
    pub(crate) fn services(&self) -> String {
        format!(
            "obj.limits.drainMs = 0\n\
             obj.fdStoreConf = {{ className = 'redis', \
             config = {{ port = {}, leaseMs = 1500, timeoutMs = 300 }} }}",
            self.port
        )
    }

    /// Ends it as a crash would: nothing is kept.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) async fn restart(&mut self) {
        self.process = spawn(self.port);
        self.ready().await;
    }

    /// `-STOP` cuts it off: connections stay, and nothing is answered any more. `-CONT` ends that.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Every key, in order.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let mut keys = self.try_keys().await.unwrap();
        keys.sort();
        keys
    }

    async fn try_keys(&self) -> redis::RedisResult<Vec<String>> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("KEYS")
            .arg("*")
            .query_async(&mut connection)
            .await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(port: u16) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is needed: apt-get install redis-server")
}
