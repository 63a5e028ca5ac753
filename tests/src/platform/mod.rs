//! A stand-in for the Tars platform: registry, node, config, stat, property, notify and log in one process.
//!
//! What it answers is what the real services answer (`tests/tests/platform_frames` replays their recordings against
//! it). It keeps what it gets, and can be slow, wrong, deaf, dead and restarted.

mod objects;
mod services;
mod tap;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tars_codec::RequestPacket;
use tars_rpc::{
    platform::{
        ConfigServer, LogServer, NotifyServer, PropertyFServer, QueryFServer, ServerFServer,
        StatFServer,
    },
    server::Server,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

pub use self::{
    objects::Objects,
    services::{Event, Services, messages},
};

/// How the stand-in behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As the real platform.
    Well,
    /// Answers late.
    Slow(Duration),
    /// Takes requests and never answers.
    Deaf,
    /// Answers with bytes that are no answer.
    Wrong,
}

/// The platform, on a loopback port. It ends when it is dropped.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    services: Services,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    server: Server,
    mood: Mutex<Mood>,
    packets: watch::Sender<Vec<RequestPacket>>,
}

impl StandIn {
    /// Starts it with nothing but its own services in its registry.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let services = Services::default();
        for service in [
            "tars.tarsconfig.ConfigObj",
            "tars.tarsstat.StatObj",
            "tars.tarsproperty.PropertyObj",
            "tars.tarsnotify.NotifyObj",
            "tars.tarslog.LogObj",
        ] {
            services.objects().add(service, address);
        }
        let server = Server::builder()
            .servant(
                "tars.tarsregistry.QueryObj",
                QueryFServer::new(services.clone()),
            )
            .servant(
                "tars.tarsnode.ServerObj",
                ServerFServer::new(services.clone()),
            )
            .servant(
                "tars.tarsconfig.ConfigObj",
                ConfigServer::new(services.clone()),
            )
            .servant("tars.tarsstat.StatObj", StatFServer::new(services.clone()))
            .servant(
                "tars.tarsproperty.PropertyObj",
                PropertyFServer::new(services.clone()),
            )
            .servant(
                "tars.tarsnotify.NotifyObj",
                NotifyServer::new(services.clone()),
            )
            .servant("tars.tarslog.LogObj", LogServer::new(services.clone()))
            .listen()
            .await
            .expect("a server without listeners");
        let shared = Arc::new(Shared {
            server,
            mood: Mutex::new(Mood::Well),
            packets: watch::Sender::default(),
        });
        let mut stand_in = Self {
            address,
            shared,
            services,
            listener: None,
        };
        stand_in.listen(listener);
        stand_in
    }

    fn listen(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        self.listener = Some(tokio::spawn(tap::listen(listener, shared)));
    }

    /// Where all of its services are.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `OBJECT@tcp -h HOST -p PORT` of a service.
    pub fn endpoint_of(&self, object: &str) -> String {
        let (host, port) = (self.address.ip(), self.address.port());
        format!("{object}@tcp -h {host} -p {port}")
    }

    /// What the services know and have got.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Behaves so from now on.
    pub fn set_mood(&self, mood: Mood) {
        *self.shared.mood() = mood;
    }

    /// Dies: the port is closed and all connections break.
    pub async fn kill(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.abort();
            let _ = listener.await;
        }
    }

    /// Is there again, at the same port.
    ///
    /// # Panics
    /// Somebody else has taken the port.
    pub async fn restart(&mut self) {
        self.kill().await;
        let listener = TcpListener::bind(self.address).await.expect("its port");
        self.listen(listener);
    }

    /// All requests so far, as they came.
    pub fn packets(&self) -> Vec<RequestPacket> {
        self.shared.packets.borrow().clone()
    }

    /// Waits until what has been recorded is as it should be; gives what `found` finds.
    ///
    /// # Panics
    /// That takes more than ten seconds.
    pub async fn wait<T>(&self, what: &str, found: impl Fn(&[Event]) -> Option<T>) -> T {
        let mut events = self.services.events();
        let waited = timeout(Duration::from_secs(10), async {
            loop {
                if let Some(found) = found(&events.borrow_and_update()) {
                    return found;
                }
                events.changed().await.expect("the services are there");
            }
        });
        match waited.await {
            Ok(found) => found,
            Err(_) => {
                let events = events.borrow();
                let but_properties = events
                    .iter()
                    .filter(|event| !matches!(event, Event::Property(_)));
                let there: Vec<_> = but_properties.collect();
                panic!("not within 10 s: {what}; there is {there:#?}")
            }
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Shared {
    fn mood(&self) -> MutexGuard<'_, Mood> {
        self.mood.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
