//! A registry of the platform, in this process.

use std::sync::{Arc, Mutex};

use tars_rpc::{
    Error, Result,
    platform::{EndpointF, QueryF, query_f},
    server,
};

/// A registry, and what it was asked.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<Mutex<Lists>>);

#[derive(Debug, Default)]
struct Lists {
    active: Vec<EndpointF>,
    inactive: Vec<EndpointF>,
    asked: Vec<String>,
}

impl Registry {
    /// Servers that it knows, by their hosts.
    pub fn set(&self, active: &[&str], inactive: &[&str]) {
        let endpoints = |hosts: &[&str]| {
            let endpoint = |host: &&str| EndpointF {
                host: (*host).to_owned(),
                port: 1,
                timeout: 60_000,
                istcp: 1,
                weight: -1,
                ..EndpointF::default()
            };
            hosts.iter().map(endpoint).collect()
        };
        let mut lists = self.0.lock().unwrap();
        lists.active = endpoints(active);
        lists.inactive = endpoints(inactive);
    }

    /// What it was asked since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }

    fn answer(&self, cx: &server::Context, of: &str) -> (Vec<EndpointF>, Vec<EndpointF>) {
        let mut lists = self.0.lock().unwrap();
        let node = cx.context().get("node_name").map_or("", String::as_str);
        lists
            .asked
            .push(format!("{}({of}) {node}", cx.func()).trim_end().to_owned());
        (lists.active.clone(), lists.inactive.clone())
    }
}

impl QueryF for Registry {
    async fn find_object_by_id(&self, cx: &server::Context, id: String) -> Result<Vec<EndpointF>> {
        Ok(self.answer(cx, &id).0)
    }

    async fn find_object_by_id4_any(
        &self,
        cx: &server::Context,
        id: String,
    ) -> Result<query_f::FindObjectById4AnyReply> {
        let (active_ep, inactive_ep) = self.answer(cx, &id);
        Ok(query_f::FindObjectById4AnyReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id4_all(
        &self,
        cx: &server::Context,
        id: String,
    ) -> Result<query_f::FindObjectById4AllReply> {
        let (active_ep, inactive_ep) = self.answer(cx, &id);
        Ok(query_f::FindObjectById4AllReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id_in_same_group(
        &self,
        cx: &server::Context,
        id: String,
    ) -> Result<query_f::FindObjectByIdInSameGroupReply> {
        let (active_ep, inactive_ep) = self.answer(cx, &id);
        Ok(query_f::FindObjectByIdInSameGroupReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id_in_same_station(
        &self,
        cx: &server::Context,
        id: String,
        _: String,
    ) -> Result<query_f::FindObjectByIdInSameStationReply> {
        let (active_ep, inactive_ep) = self.answer(cx, &id);
        Ok(query_f::FindObjectByIdInSameStationReply {
            result: 0,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_by_id_in_same_set(
        &self,
        cx: &server::Context,
        id: String,
        set_id: String,
    ) -> Result<query_f::FindObjectByIdInSameSetReply> {
        let (active_ep, inactive_ep) = self.answer(cx, &format!("{id}, {set_id}"));
        let result = if active_ep.is_empty() { -1 } else { 0 };
        Ok(query_f::FindObjectByIdInSameSetReply {
            result,
            active_ep,
            inactive_ep,
        })
    }

    async fn find_object_node_name(
        &self,
        _: &server::Context,
        _: String,
    ) -> Result<query_f::FindObjectNodeNameReply> {
        Err(Error::new(-1, "a stub, as in the real one"))
    }
}
