//! PHPServer: the tcp-server of the TarsPHP examples on the generated server trait, with the same answers.
//!
//! The chat server embeds it so that one command shows the whole path; `--servant` calls a real one instead.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tars_rpc::Result;
use tars_rpc::server::{Context, Server};

use crate::servant::php_test::php_server::obj::{
    TestTafService, TestTafServiceServer,
    classes::testtafserviceservant::{ComplicatedStruct, LotofTags, OutStruct, SimpleStruct},
    test_taf_service::{
        TestBasicReply, TestComplicatedMapReply, TestComplicatedStructReply, TestEmptyReply,
        TestLofofTagsReply, TestMapReply, TestStructReply, TestVectorReply,
    },
};
use crate::server::reachable;

/// The servant `PHPTest.PHPServer.obj`.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhpServer;

/// The name of the servant.
pub const NAME: &str = "PHPTest.PHPServer.obj";

/// A server of it that listens; port 0 is any free port.
pub async fn listen(address: SocketAddr) -> Result<Server> {
    let servant = TestTafServiceServer::new(PhpServer);
    let server = Server::builder().bind(address);
    server.servant(NAME, servant).listen().await
}

/// The address by which a client of this machine calls it.
pub fn address(server: &Server) -> String {
    let mut address = NAME.to_owned();
    for (i, listener) in server.local_addrs().into_iter().enumerate() {
        let host = reachable(listener).ip();
        address.push(if i == 0 { '@' } else { ':' });
        address.push_str(&format!("tcp -h {host} -p {} -t 60000", listener.port()));
    }
    address
}

/// The record that half of the answers are made of.
fn record_888() -> SimpleStruct {
    SimpleStruct {
        id: 888,
        ..SimpleStruct::default()
    }
}

fn complicated() -> ComplicatedStruct {
    ComplicatedStruct {
        ss: vec![record_888()],
        str: "sss".into(),
        ..ComplicatedStruct::default()
    }
}

impl TestTafService for PhpServer {
    async fn test_taf_server(&self, _cx: &Context) -> Result<()> {
        Ok(())
    }

    async fn test_lofof_tags(&self, _cx: &Context, _tags: LotofTags) -> Result<TestLofofTagsReply> {
        Ok(TestLofofTagsReply {
            result: 999,
            outtags: LotofTags {
                count: 100,
                ..LotofTags::default()
            },
        })
    }

    async fn say_hello_world(&self, _cx: &Context, _name: String) -> Result<String> {
        Ok("hello world!".into())
    }

    async fn test_basic(
        &self,
        _cx: &Context,
        _a: bool,
        _b: i32,
        _c: String,
    ) -> Result<TestBasicReply> {
        Ok(TestBasicReply {
            result: -99,
            d: false,
            e: 111,
            f: "here i am".into(),
        })
    }

    async fn test_struct(
        &self,
        _cx: &Context,
        _a: i64,
        _b: SimpleStruct,
    ) -> Result<TestStructReply> {
        Ok(TestStructReply {
            result: "hahaha".into(),
            d: OutStruct {
                id: 10000,
                ..OutStruct::default()
            },
        })
    }

    async fn test_map(
        &self,
        _cx: &Context,
        _a: i16,
        _b: SimpleStruct,
        _m1: BTreeMap<String, String>,
    ) -> Result<TestMapReply> {
        Ok(TestMapReply {
            result: "success".into(),
            d: OutStruct {
                page: 1024,
                ..OutStruct::default()
            },
            m2: BTreeMap::from([(1, record_888())]),
        })
    }

    async fn test_vector(
        &self,
        _cx: &Context,
        _a: i32,
        _v1: Vec<String>,
        _v2: Vec<SimpleStruct>,
    ) -> Result<TestVectorReply> {
        let out = OutStruct {
            id: 888,
            ..OutStruct::default()
        };
        Ok(TestVectorReply {
            result: "not very happy".into(),
            v3: vec![111, 222],
            v4: vec![out.clone(), out],
        })
    }

    async fn test_return(&self, _cx: &Context) -> Result<SimpleStruct> {
        Ok(record_888())
    }

    async fn test_return2(&self, _cx: &Context) -> Result<BTreeMap<String, String>> {
        Ok(BTreeMap::from([("test".into(), "test".into())]))
    }

    async fn test_complicated_struct(
        &self,
        _cx: &Context,
        _cs: ComplicatedStruct,
        _vcs: Vec<ComplicatedStruct>,
    ) -> Result<TestComplicatedStructReply> {
        Ok(TestComplicatedStructReply {
            result: vec![record_888()],
            ocs: complicated(),
            ovcs: vec![complicated()],
        })
    }

    async fn test_complicated_map(
        &self,
        _cx: &Context,
        _mcs: BTreeMap<String, ComplicatedStruct>,
    ) -> Result<TestComplicatedMapReply> {
        let map = BTreeMap::from([("key".into(), complicated())]);
        Ok(TestComplicatedMapReply {
            result: map.clone(),
            omcs: map,
        })
    }

    async fn test_empty(&self, _cx: &Context, _a: i16) -> Result<TestEmptyReply> {
        Ok(TestEmptyReply {
            result: -99,
            ..TestEmptyReply::default()
        })
    }

    async fn test_property(&self, _cx: &Context) -> Result<i32> {
        Ok(0)
    }
}
