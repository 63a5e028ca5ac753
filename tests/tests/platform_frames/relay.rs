//! A server of all servants of the platform that hands each call to a client.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use tars_codec::{Function, RequestPacket};
use tars_rpc::{
    Communicator, Result,
    client::{CallOptions, ServantProxy},
    platform::*,
    server::{Context, Server},
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::peer::{framed, read_packet};

/// The server, a connection to it, and how its clients call.
pub(crate) struct Relay {
    stream: TcpStream,
    options: Options,
}

type Options = Arc<Mutex<CallOptions>>;

impl Relay {
    /// A relay to `peer`.
    pub(crate) async fn start(peer: SocketAddr) -> Self {
        let communicator = Communicator::new();
        let options = Options::default();
        let hop = |servant: &str| {
            let (host, port) = (peer.ip(), peer.port());
            let address = format!("{servant}@tcp -h {host} -p {port}");
            Hop {
                proxy: communicator.string_to_proxy(&address).unwrap(),
                options: Arc::clone(&options),
            }
        };
        let mut server = Server::builder().bind(([127, 0, 0, 1], 0).into());
        for query in ["tars.tarsregistry.QueryObj", "tars.tarsregistry.NoObj"] {
            server = server.servant(query, QueryFServer::new(hop(query)));
        }
        for admin in ["AdminObj", "PHPTest.CppServer.AdminObj"] {
            server = server.servant(admin, AdminFServer::new(hop(admin)));
        }
        let server = server
            .servant("tars.tarsnode.ServerObj", ServerFServer::new(hop("node")))
            .servant(
                "tars.tarsconfig.ConfigObj",
                ConfigServer::new(hop("config")),
            )
            .servant("tars.tarsstat.StatObj", StatFServer::new(hop("stat")))
            .servant(
                "tars.tarsproperty.PropertyObj",
                PropertyFServer::new(hop("property")),
            )
            .servant(
                "tars.tarsnotify.NotifyObj",
                NotifyServer::new(hop("notify")),
            )
            .servant("tars.tarslog.LogObj", LogServer::new(hop("log")));
        let server = server.listen().await.unwrap();
        let stream = TcpStream::connect(server.local_addrs()[0]).await.unwrap();
        tokio::spawn(server.serve(std::future::pending()));
        Self { stream, options }
    }

    /// How calls are passed on from now on.
    pub(crate) fn set_options(&self, options: CallOptions) {
        *self.options.lock().unwrap() = options;
    }

    pub(crate) async fn send(&mut self, request: &RequestPacket) {
        self.stream.write_all(&framed(request)).await.unwrap();
    }

    pub(crate) async fn answer(&mut self) -> Bytes {
        read_packet(&mut self.stream).await.expect("an answer")
    }
}

/// The description of a function.
pub(crate) fn function(servant: &str, name: &str) -> &'static Function {
    let functions = match servant.rsplit('.').next().unwrap() {
        "QueryObj" | "NoObj" => query_f::FUNCTIONS,
        "ServerObj" => server_f::FUNCTIONS,
        "ConfigObj" => config::FUNCTIONS,
        "StatObj" => stat_f::FUNCTIONS,
        "PropertyObj" => property_f::FUNCTIONS,
        "NotifyObj" => notify::FUNCTIONS,
        "LogObj" => log::FUNCTIONS,
        "AdminObj" => admin_f::FUNCTIONS,
        _ => panic!("no such servant: {servant}"),
    };
    let function = functions.iter().find(|function| function.name == name);
    function.unwrap_or_else(|| panic!("no such function: {servant} {name}"))
}

/// Passes typed calls on.
struct Hop {
    proxy: ServantProxy,
    options: Options,
}

impl Hop {
    fn proxy(&self) -> ServantProxy {
        self.proxy.with(self.options.lock().unwrap().clone())
    }
}

/// Functions of a server trait that call the function of the client, lending their arguments.
macro_rules! hand_on {
    ($client:ident: $($name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {$(
        async fn $name(&self, _: &Context, $($arg: $ty),*) -> Result<$result> {
            $client::new(self.proxy()).$name($(&$arg),*).await
        }
    )*};
}

impl QueryF for Hop {
    hand_on! { QueryFServant:
        find_object_by_id(id: String) -> Vec<EndpointF>;
        find_object_by_id4_any(id: String) -> query_f::FindObjectById4AnyReply;
        find_object_by_id4_all(id: String) -> query_f::FindObjectById4AllReply;
        find_object_by_id_in_same_group(id: String) -> query_f::FindObjectByIdInSameGroupReply;
        find_object_by_id_in_same_station(id: String, station: String) -> query_f::FindObjectByIdInSameStationReply;
        find_object_by_id_in_same_set(id: String, set: String) -> query_f::FindObjectByIdInSameSetReply;
        find_object_node_name(id: String) -> query_f::FindObjectNodeNameReply;
    }
}

impl ServerF for Hop {
    hand_on! { ServerFServant:
        keep_alive(info: ServerInfo) -> i32;
        keep_activing(info: ServerInfo) -> i32;
        report_version(app: String, server: String, version: String) -> i32;
        get_latest_keep_alive_time() -> u32;
    }
}

impl Config for Hop {
    hand_on! { ConfigServant:
        list_config(app: String, server: String) -> config::ListConfigReply;
        load_config(app: String, server: String, file: String) -> config::LoadConfigReply;
        load_config_by_host(server: String, file: String, host: String) -> config::LoadConfigByHostReply;
        check_config(server: String, file: String, host: String) -> config::CheckConfigReply;
        list_config_by_info(info: ConfigInfo) -> config::ListConfigByInfoReply;
        load_config_by_info(info: ConfigInfo) -> config::LoadConfigByInfoReply;
        check_config_by_info(info: ConfigInfo) -> config::CheckConfigByInfoReply;
        list_all_config_by_info(info: GetConfigListInfo) -> config::ListAllConfigByInfoReply;
    }
}

impl StatF for Hop {
    async fn report_mic_msg(
        &self,
        _: &Context,
        calls: BTreeMap<StatMicMsgHead, StatMicMsgBody>,
        from_client: bool,
    ) -> Result<i32> {
        let client = StatFServant::new(self.proxy());
        client.report_mic_msg(&calls, from_client).await
    }

    hand_on! { StatFServant:
        report_sample_msg(samples: Vec<StatSampleMsg>) -> i32;
    }
}

impl PropertyF for Hop {
    hand_on! { PropertyFServant:
        report_prop_msg(properties: BTreeMap<StatPropMsgHead, StatPropMsgBody>) -> i32;
    }
}

impl Notify for Hop {
    hand_on! { NotifyServant:
        report_notify_info(info: ReportInfo) -> ();
    }
}

impl Log for Hop {
    hand_on! { LogServant:
        logger(app: String, server: String, file: String, format: String, lines: Vec<String>) -> ();
        loggerby_info(info: LogInfo, lines: Vec<String>) -> ();
    }
}

impl AdminF for Hop {
    hand_on! { AdminFServant:
        shutdown() -> ();
        notify(command: String) -> String;
        get_pid() -> i64;
    }
}
