//! Our servants. What every answer is, on every side, is written down in `tests/interop/README.md`.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use example_server::servant::php_test::php_server::obj::{
    TestTafService, TestTafServiceServer,
    classes::testtafserviceservant::{ComplicatedStruct, LotofTags, OutStruct, SimpleStruct},
    test_taf_service::{
        TestBasicReply, TestComplicatedMapReply, TestComplicatedStructReply, TestEmptyReply,
        TestLofofTagsReply, TestMapReply, TestStructReply, TestVectorReply,
    },
};
use tars_rpc::{
    Error, Result,
    codec::Bytes,
    server::{Context, Server},
};
use tars_tests::servant::tests::all_types_server::obj::{
    AllTypesIf, AllTypesIfServer,
    all_types_if::EchoBasicReply,
    classes::all_types::{Basic, Containers},
};

use crate::values;

/// The name of the servant with the interface `TestTafService`.
pub(crate) const PHP_SERVER: &str = "PHPTest.PHPServer.obj";
/// The name of the servant with the interface `AllTypesIf`.
pub(crate) const ALL_TYPES: &str = "Tests.AllTypesServer.Obj";

/// Serves both servants on a free port, until the runtime ends.
pub(crate) async fn serve() -> Result<SocketAddr> {
    let server = Server::builder()
        .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .servant(PHP_SERVER, TestTafServiceServer::new(PhpServer::default()))
        .servant(ALL_TYPES, AllTypesIfServer::new(AllTypesServer))
        .listen()
        .await?;
    let address = server.local_addrs()[0];
    tokio::spawn(server.serve(std::future::pending()));
    Ok(address)
}

#[derive(Debug, Default)]
struct PhpServer {
    notes: Mutex<HashSet<String>>,
}

impl PhpServer {
    fn notes(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestTafService for PhpServer {
    async fn test_taf_server(&self, _cx: &Context) -> Result<()> {
        Ok(())
    }

    async fn test_lofof_tags(&self, _cx: &Context, tags: LotofTags) -> Result<TestLofofTagsReply> {
        Ok(TestLofofTagsReply {
            result: i32::try_from(tags.ss.len() + tags.mss.len()).unwrap_or(-1),
            outtags: tags,
        })
    }

    async fn say_hello_world(&self, cx: &Context, name: String) -> Result<String> {
        let Some((command, rest)) = name.split_once(':') else {
            return Ok(format!("hello {name}"));
        };
        Ok(match command {
            "error" => {
                let (code, text) = rest.split_once(':').unwrap_or((rest, ""));
                return Err(Error::new(code.parse().unwrap_or(0), text));
            }
            "sleep" => {
                tokio::time::sleep(Duration::from_millis(rest.parse().unwrap_or(0))).await;
                format!("slept {rest}")
            }
            "context" => cx.context().get(rest).cloned().unwrap_or_default(),
            "status" => cx.status().get(rest).cloned().unwrap_or_default(),
            "answer" => {
                cx.set_response_context("answered-by", rest);
                "answered".to_owned()
            }
            "note" => {
                self.notes().insert(rest.to_owned());
                "noted".to_owned()
            }
            "noted" => self.notes().contains(rest).to_string(),
            _ => format!("hello {name}"),
        })
    }

    async fn test_basic(
        &self,
        _cx: &Context,
        a: bool,
        b: i32,
        c: String,
    ) -> Result<TestBasicReply> {
        Ok(TestBasicReply {
            result: b,
            d: !a,
            e: !b,
            f: c.repeat(2),
        })
    }

    async fn test_struct(&self, _cx: &Context, a: i64, b: SimpleStruct) -> Result<TestStructReply> {
        Ok(TestStructReply {
            result: a.to_string(),
            d: OutStruct {
                id: b.id,
                count: b.count,
                page: b.page,
                str: b.id.to_string(),
            },
        })
    }

    async fn test_map(
        &self,
        _cx: &Context,
        a: i16,
        b: SimpleStruct,
        m1: BTreeMap<String, String>,
    ) -> Result<TestMapReply> {
        let entries: Vec<_> = m1.iter().map(|(k, v)| format!("{k}={v}")).collect();
        Ok(TestMapReply {
            result: entries.join(";"),
            d: OutStruct {
                id: b.id,
                count: i32::try_from(m1.len()).unwrap_or(-1),
                page: a,
                str: m1.get("key").cloned().unwrap_or_default(),
            },
            m2: [0, -1, b.count].map(|key| (key, b)).into(),
        })
    }

    async fn test_vector(
        &self,
        _cx: &Context,
        a: i32,
        v1: Vec<String>,
        v2: Vec<SimpleStruct>,
    ) -> Result<TestVectorReply> {
        let out = |s: &SimpleStruct| OutStruct {
            id: s.id,
            count: s.count,
            page: s.page,
            str: a.to_string(),
        };
        Ok(TestVectorReply {
            result: v1.join(","),
            v3: [a].into_iter().chain(v2.iter().map(|s| s.count)).collect(),
            v4: v2.iter().map(out).collect(),
        })
    }

    async fn test_return(&self, _cx: &Context) -> Result<SimpleStruct> {
        Ok(values::smallest())
    }

    async fn test_return2(&self, _cx: &Context) -> Result<BTreeMap<String, String>> {
        Ok(values::strings())
    }

    async fn test_complicated_struct(
        &self,
        _cx: &Context,
        cs: ComplicatedStruct,
        mut vcs: Vec<ComplicatedStruct>,
    ) -> Result<TestComplicatedStructReply> {
        vcs.reverse();
        Ok(TestComplicatedStructReply {
            result: cs.ss.clone(),
            ocs: cs,
            ovcs: vcs,
        })
    }

    async fn test_complicated_map(
        &self,
        _cx: &Context,
        mcs: BTreeMap<String, ComplicatedStruct>,
    ) -> Result<TestComplicatedMapReply> {
        Ok(TestComplicatedMapReply {
            result: mcs.clone(),
            omcs: mcs,
        })
    }

    async fn test_empty(&self, _cx: &Context, a: i16) -> Result<TestEmptyReply> {
        Ok(TestEmptyReply {
            result: a.into(),
            ..TestEmptyReply::default()
        })
    }

    async fn test_property(&self, _cx: &Context) -> Result<i32> {
        Ok(42)
    }
}

#[derive(Debug)]
struct AllTypesServer;

impl AllTypesIf for AllTypesServer {
    async fn echo_basic(&self, _cx: &Context, r#in: Basic) -> Result<EchoBasicReply> {
        Ok(EchoBasicReply {
            result: r#in.e.0,
            o: r#in,
        })
    }

    async fn echo_containers(&self, _cx: &Context, r#in: Containers) -> Result<Containers> {
        Ok(r#in)
    }

    async fn echo_bytes(&self, _cx: &Context, data: Bytes) -> Result<Bytes> {
        Ok(data)
    }
}
