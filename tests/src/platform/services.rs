//! What the services of the platform know and answer.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tars_rpc::{Result, config::Document, platform::*, server::Context};
use tokio::sync::watch;

use super::Objects;

/// What a service was told.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // the arguments of the calls
pub enum Event {
    KeepActiving(ServerInfo),
    KeepAlive(ServerInfo),
    Version(String),
    LoadConfig(String),
    Stat(BTreeMap<StatMicMsgHead, StatMicMsgBody>, bool),
    Property(BTreeMap<StatPropMsgHead, StatPropMsgBody>),
    Notify(ReportInfo),
    Log(LogInfo, Vec<String>),
}

/// What operators are told.
pub fn messages(events: &[Event]) -> Vec<&str> {
    let messages = events.iter().filter_map(|event| match event {
        Event::Notify(info) => Some(info.s_message.as_str()),
        _ => None,
    });
    messages.collect()
}

/// All services. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Services(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    objects: Mutex<Objects>,
    files: Mutex<Files>,
    /// Without any, all are.
    deployed: Mutex<HashSet<String>>,
    events: watch::Sender<Vec<Event>>,
}

#[derive(Debug, Default)]
struct Files {
    /// By application, server (empty: those of the application), file and node or set (empty: on all nodes).
    texts: BTreeMap<[String; 4], String>,
    loads: HashMap<[String; 4], Vec<Instant>>,
}

/// Loads of a file that a caller may make in a minute.
const MAX_LOADS: usize = 11;

impl Services {
    /// What the registry knows.
    pub fn objects(&self) -> MutexGuard<'_, Objects> {
        self.0
            .objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A server, `App.Server`, is deployed on the node; those that are not get -1 from then on.
    pub fn deploy(&self, server: &str) {
        self.deployed().insert(server.to_owned());
    }

    /// What the node answers to a server.
    fn knows(&self, app: &str, server: &str) -> i32 {
        let deployed = self.deployed();
        let is_known = deployed.is_empty() || deployed.contains(&format!("{app}.{server}"));
        if is_known { 0 } else { -1 }
    }

    fn deployed(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0
            .deployed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a config file on the platform; an empty node is all nodes, and a set has files as a node.
    pub fn set_file(&self, app: &str, server: &str, file: &str, node: &str, text: &str) {
        let key = [app, server, file, node].map(str::to_owned);
        self.files().texts.insert(key, text.to_owned());
    }

    /// What the services were told so far, and from now on.
    pub fn events(&self) -> watch::Receiver<Vec<Event>> {
        self.0.events.subscribe()
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, event: Event) {
        self.0.events.send_modify(|events| events.push(event));
    }
}

impl Files {
    /// The text of a file, joined from those that the caller gets.
    fn text(&self, app: &str, server: &str, file: &str, node: &str) -> String {
        let get = |node: &str| {
            self.texts
                .get(&[app, server, file, node].map(str::to_owned))
        };
        let parts: Vec<_> = [get(""), get(node).filter(|_| !node.is_empty())]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        parts.join("\r\n\r\n")
    }

    /// Whether a caller has asked for a file too often.
    fn is_too_often(&mut self, app: &str, server: &str, file: &str, node: &str) -> bool {
        let loads = self
            .loads
            .entry([app, server, file, node].map(str::to_owned))
            .or_default();
        loads.retain(|time| time.elapsed() < Duration::from_secs(60));
        let is_too_often = loads.len() >= MAX_LOADS;
        if !is_too_often {
            loads.push(Instant::now());
        }
        is_too_often
    }

    fn load(&mut self, app: &str, server: &str, file: &str, node: &str) -> (i32, String) {
        if self.is_too_often(app, server, file, node) {
            return (429, String::new());
        }
        (0, self.text(app, server, file, node))
    }

    fn check(&self, app: &str, server: &str, file: &str, node: &str) -> (i32, String) {
        let text = self.text(app, server, file, node);
        if text.trim_start().starts_with('{') || Document::parse(&*text).is_ok() {
            return (0, text);
        }
        (
            -1,
            "[TC_Config::parse]:parse error : hasn't match".to_owned(),
        )
    }

    /// The names of files that `wanted` wants, by server and node.
    fn list(&self, app: &str, wanted: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let files = self
            .texts
            .keys()
            .filter(|[of, server, _, node]| of == app && wanted(server, node));
        let mut names: Vec<_> = files.map(|[_, _, file, _]| file.clone()).collect();
        names.dedup();
        names
    }
}

/// The node of a caller: what its context says, or its address.
fn node_of(cx: &Context) -> String {
    let address = || cx.peer().ip().to_string();
    cx.context()
        .get("node_name")
        .cloned()
        .unwrap_or_else(address)
}

fn host_or_node_of(host: &str, cx: &Context) -> String {
    match host {
        "" => node_of(cx),
        host => host.to_owned(),
    }
}

impl QueryF for Services {
    async fn find_object_by_id(&self, _: &Context, id: String) -> Result<Vec<EndpointF>> {
        Ok(self.objects().get(&id).0)
    }

    async fn find_object_by_id4_any(
        &self,
        _: &Context,
        id: String,
    ) -> Result<query_f::FindObjectById4AnyReply> {
        let (active_ep, inactive_ep) = self.objects().get(&id);
        Ok(query_f::FindObjectById4AnyReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id4_all(
        &self,
        cx: &Context,
        id: String,
    ) -> Result<query_f::FindObjectById4AllReply> {
        let (active_ep, inactive_ep) = self.objects().in_group(&id, &node_of(cx));
        Ok(query_f::FindObjectById4AllReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id_in_same_group(
        &self,
        cx: &Context,
        id: String,
    ) -> Result<query_f::FindObjectByIdInSameGroupReply> {
        let (active_ep, inactive_ep) = self.objects().in_group(&id, &node_of(cx));
        Ok(query_f::FindObjectByIdInSameGroupReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id_in_same_station(
        &self,
        _: &Context,
        id: String,
        station: String,
    ) -> Result<query_f::FindObjectByIdInSameStationReply> {
        let found = self.objects().in_station(&id, &station);
        let result = if found.is_some() { 0 } else { -1 };
        let (active_ep, inactive_ep) = found.unwrap_or_default();
        Ok(query_f::FindObjectByIdInSameStationReply {
            result,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id_in_same_set(
        &self,
        cx: &Context,
        id: String,
        set: String,
    ) -> Result<query_f::FindObjectByIdInSameSetReply> {
        let found = self.objects().in_set(&id, &set, &node_of(cx));
        let result = if found.is_some() { 0 } else { -1 };
        let (active_ep, inactive_ep) = found.unwrap_or_default();
        Ok(query_f::FindObjectByIdInSameSetReply {
            result,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_node_name(
        &self,
        _: &Context,
        _: String,
    ) -> Result<query_f::FindObjectNodeNameReply> {
        Ok(query_f::FindObjectNodeNameReply {
            result: -1,
            node_name: Vec::new(),
        })
    }
}

impl ServerF for Services {
    async fn keep_alive(&self, _: &Context, info: ServerInfo) -> Result<i32> {
        let answer = self.knows(&info.application, &info.server_name);
        self.note(Event::KeepAlive(info));
        Ok(answer)
    }

    async fn keep_activing(&self, _: &Context, info: ServerInfo) -> Result<i32> {
        let answer = self.knows(&info.application, &info.server_name);
        self.note(Event::KeepActiving(info));
        Ok(answer)
    }

    async fn report_version(
        &self,
        _: &Context,
        app: String,
        server: String,
        version: String,
    ) -> Result<i32> {
        self.note(Event::Version(version));
        Ok(self.knows(&app, &server))
    }

    async fn get_latest_keep_alive_time(&self, _: &Context) -> Result<u32> {
        Ok(0)
    }
}

impl Config for Services {
    async fn list_config(
        &self,
        cx: &Context,
        app: String,
        server: String,
    ) -> Result<config::ListConfigReply> {
        let node = node_of(cx);
        let vf = self.files().list(&app, |of, on| of == server && on == node);
        Ok(config::ListConfigReply { result: 0, vf })
    }

    async fn load_config(
        &self,
        cx: &Context,
        app: String,
        server: String,
        file: String,
    ) -> Result<config::LoadConfigReply> {
        let (result, config) = self.files().load(&app, &server, &file, &node_of(cx));
        self.note(Event::LoadConfig(file));
        Ok(config::LoadConfigReply { result, config })
    }

    async fn load_config_by_host(
        &self,
        _: &Context,
        name: String,
        file: String,
        host: String,
    ) -> Result<config::LoadConfigByHostReply> {
        let (app, server) = name.split_once('.').unwrap_or((&name, ""));
        let config = self.files().text(app, server, &file, &host);
        Ok(config::LoadConfigByHostReply { result: 0, config })
    }

    async fn check_config(
        &self,
        _: &Context,
        name: String,
        file: String,
        host: String,
    ) -> Result<config::CheckConfigReply> {
        let (app, server) = name.split_once('.').unwrap_or((&name, ""));
        let (result_, result) = self.files().check(app, server, &file, &host);
        Ok(config::CheckConfigReply { result_, result })
    }

    async fn list_config_by_info(
        &self,
        cx: &Context,
        info: ConfigInfo,
    ) -> Result<config::ListConfigByInfoReply> {
        let node = host_or_node_of(&info.host, cx);
        let vf = self
            .files()
            .list(&info.appname, |of, on| of == info.servername && on == node);
        Ok(config::ListConfigByInfoReply { result: 0, vf })
    }

    async fn load_config_by_info(
        &self,
        cx: &Context,
        info: ConfigInfo,
    ) -> Result<config::LoadConfigByInfoReply> {
        let set = &info.setdivision;
        if !set.is_empty() {
            let result = if set.split('.').count() == 3 { 0 } else { -1 };
            let config = self
                .files()
                .text(&info.appname, &info.servername, &info.filename, set);
            return Ok(config::LoadConfigByInfoReply { result, config });
        }
        let server = if info.b_app_only {
            ""
        } else {
            &info.servername
        };
        let node = host_or_node_of(&info.host, cx);
        let (result, config) = self
            .files()
            .load(&info.appname, server, &info.filename, &node);
        Ok(config::LoadConfigByInfoReply { result, config })
    }

    async fn check_config_by_info(
        &self,
        cx: &Context,
        info: ConfigInfo,
    ) -> Result<config::CheckConfigByInfoReply> {
        let server = if info.b_app_only {
            ""
        } else {
            &info.servername
        };
        let node = host_or_node_of(&info.host, cx);
        let (result_, result) = self
            .files()
            .check(&info.appname, server, &info.filename, &node);
        Ok(config::CheckConfigByInfoReply { result_, result })
    }

    async fn list_all_config_by_info(
        &self,
        _: &Context,
        info: GetConfigListInfo,
    ) -> Result<config::ListAllConfigByInfoReply> {
        let server = if info.b_app_only {
            ""
        } else {
            &info.servername
        };
        let set = &info.setdivision;
        if !set.is_empty() && set.split('.').count() != 3 {
            return Ok(config::ListAllConfigByInfoReply {
                result: -1,
                vf: Vec::new(),
            });
        }
        let of = if set.is_empty() { &info.host } else { set };
        let is_on = |on: &str| of.is_empty() || on == of;
        let vf = self
            .files()
            .list(&info.appname, |of, on| of == server && is_on(on));
        Ok(config::ListAllConfigByInfoReply { result: 0, vf })
    }
}

impl StatF for Services {
    async fn report_mic_msg(
        &self,
        _: &Context,
        calls: BTreeMap<StatMicMsgHead, StatMicMsgBody>,
        from_client: bool,
    ) -> Result<i32> {
        self.note(Event::Stat(calls, from_client));
        Ok(0)
    }

    async fn report_sample_msg(&self, _: &Context, _: Vec<StatSampleMsg>) -> Result<i32> {
        Ok(0)
    }
}

impl PropertyF for Services {
    async fn report_prop_msg(
        &self,
        _: &Context,
        properties: BTreeMap<StatPropMsgHead, StatPropMsgBody>,
    ) -> Result<i32> {
        self.note(Event::Property(properties));
        Ok(0)
    }
}

impl Notify for Services {
    async fn report_notify_info(&self, _: &Context, info: ReportInfo) -> Result<()> {
        self.note(Event::Notify(info));
        Ok(())
    }
}

impl Log for Services {
    async fn logger(
        &self,
        _: &Context,
        app: String,
        server: String,
        file: String,
        format: String,
        lines: Vec<String>,
    ) -> Result<()> {
        let info = LogInfo {
            appname: app,
            servername: server,
            s_filename: file,
            s_format: format,
            ..LogInfo::default()
        };
        self.note(Event::Log(info, lines));
        Ok(())
    }

    async fn loggerby_info(&self, _: &Context, info: LogInfo, lines: Vec<String>) -> Result<()> {
        self.note(Event::Log(info, lines));
        Ok(())
    }
}
