//! The messages of prost that hold what the Tars structs hold.

use std::collections::BTreeMap;

use prost::bytes::Bytes;
use tars_codec::RequestPacket as TarsRequest;

use crate::generated::bench::plain::types::classes::bench as tars;

/// As `Record`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Record {
    /// Field `id`.
    #[prost(int64, tag = "1")]
    pub id: i64,
    /// Field `count`.
    #[prost(int32, tag = "2")]
    pub count: i32,
    /// Field `page`.
    #[prost(int32, tag = "3")]
    pub page: i32,
}

/// As `LotofTags`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LotofTags {
    /// Field `id`.
    #[prost(int64, tag = "1")]
    pub id: i64,
    /// Field `count`.
    #[prost(int32, tag = "2")]
    pub count: i32,
    /// Field `page`.
    #[prost(int32, tag = "3")]
    pub page: i32,
    /// Field `str`.
    #[prost(string, tag = "4")]
    pub str: String,
    /// Field `ss`.
    #[prost(message, repeated, tag = "5")]
    pub ss: Vec<Record>,
    /// Field `rs`.
    #[prost(message, optional, tag = "6")]
    pub rs: Option<Record>,
    /// Field `mss`.
    #[prost(btree_map = "string, message", tag = "7")]
    pub mss: BTreeMap<String, Record>,
}

/// As `ComplicatedStruct`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ComplicatedStruct {
    /// Field `ss`.
    #[prost(message, repeated, tag = "1")]
    pub ss: Vec<Record>,
    /// Field `rs`.
    #[prost(message, optional, tag = "2")]
    pub rs: Option<Record>,
    /// Field `mss`.
    #[prost(btree_map = "string, message", tag = "3")]
    pub mss: BTreeMap<String, Record>,
    /// Field `str`.
    #[prost(string, tag = "4")]
    pub str: String,
}

/// As `Numbers`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Numbers {
    /// Field `values`.
    #[prost(int32, repeated, tag = "1")]
    pub values: Vec<i32>,
}

/// As `Blob`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Blob {
    /// Field `data`.
    #[prost(bytes = "bytes", tag = "1")]
    pub data: Bytes,
}

/// As `Text`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Text {
    /// Field `text`.
    #[prost(string, tag = "1")]
    pub text: String,
}

/// As `RequestPacket`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RequestPacket {
    /// Field `iVersion`.
    #[prost(int32, tag = "1")]
    pub version: i32,
    /// Field `cPacketType`.
    #[prost(int32, tag = "2")]
    pub packet_type: i32,
    /// Field `iMessageType`.
    #[prost(int32, tag = "3")]
    pub message_type: i32,
    /// Field `iRequestId`.
    #[prost(int32, tag = "4")]
    pub request_id: i32,
    /// Field `sServantName`.
    #[prost(string, tag = "5")]
    pub servant: String,
    /// Field `sFuncName`.
    #[prost(string, tag = "6")]
    pub func: String,
    /// Field `sBuffer`.
    #[prost(bytes = "bytes", tag = "7")]
    pub body: Bytes,
    /// Field `iTimeout`.
    #[prost(int32, tag = "8")]
    pub timeout: i32,
    /// Field `context`.
    #[prost(btree_map = "string, string", tag = "9")]
    pub context: BTreeMap<String, String>,
    /// Field `status`.
    #[prost(btree_map = "string, string", tag = "10")]
    pub status: BTreeMap<String, String>,
}

impl From<&tars::Record> for Record {
    fn from(value: &tars::Record) -> Self {
        Self {
            id: value.id,
            count: value.count,
            page: value.page.into(),
        }
    }
}

impl From<&tars::LotofTags> for LotofTags {
    fn from(value: &tars::LotofTags) -> Self {
        Self {
            id: value.id,
            count: value.count,
            page: value.page.into(),
            str: value.str.clone(),
            ss: value.ss.iter().map(Record::from).collect(),
            rs: Some(Record::from(&value.rs)),
            mss: records(&value.mss),
        }
    }
}

impl From<&tars::ComplicatedStruct> for ComplicatedStruct {
    fn from(value: &tars::ComplicatedStruct) -> Self {
        Self {
            ss: value.ss.iter().map(Record::from).collect(),
            rs: Some(Record::from(&value.rs)),
            mss: records(&value.mss),
            str: value.str.clone(),
        }
    }
}

fn records(map: &BTreeMap<String, tars::Record>) -> BTreeMap<String, Record> {
    map.iter()
        .map(|(key, value)| (key.clone(), value.into()))
        .collect()
}

impl From<&tars::Numbers> for Numbers {
    fn from(value: &tars::Numbers) -> Self {
        Self {
            values: value.values.clone(),
        }
    }
}

impl From<&tars::Blob> for Blob {
    fn from(value: &tars::Blob) -> Self {
        Self {
            data: value.data.clone(),
        }
    }
}

impl From<&tars::Text> for Text {
    fn from(value: &tars::Text) -> Self {
        Self {
            text: value.text.clone(),
        }
    }
}

impl From<&TarsRequest> for RequestPacket {
    fn from(value: &TarsRequest) -> Self {
        Self {
            version: value.version.into(),
            packet_type: value.packet_type.into(),
            message_type: value.message_type,
            request_id: value.request_id,
            servant: value.servant.clone(),
            func: value.func.clone(),
            body: value.body.clone(),
            timeout: value.timeout,
            context: value.context.clone(),
            status: value.status.clone(),
        }
    }
}
