//! What controllers and message handlers work with.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::component::hello::{self, HelloError};
use crate::hub::Hub;
use crate::missing::Missing;
use crate::servant::php_test::php_server::obj::TestTafServiceServant;
use crate::services::Services;

/// The server's parts, handed to every controller and message handler.
#[derive(Debug, Clone)]
pub struct App {
    /// The connections and rooms.
    pub hub: Arc<Hub>,
    /// The proxy of PHPServer.
    pub servant: TestTafServiceServant,
    /// The configuration.
    pub services: Arc<Services>,
    /// One permit a greeting that waits for PHPServer.
    pub greetings: Arc<Semaphore>,
    /// What the server waits for.
    pub missing: Arc<Missing>,
}

impl App {
    /// The greeting from PHPServer, within the configured deadline.
    pub async fn hello(&self, name: &str) -> Result<String, HelloError> {
        let Ok(_waiting) = self.greetings.try_acquire() else {
            return Err(HelloError::TooMany);
        };
        hello::hello(&self.servant, self.hub.metrics(), name).await
    }
}
