//! Our client: one function for each case.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    time::{Duration, Instant},
};

use example_server::servant::php_test::php_server::obj::{
    TestTafServiceServant,
    classes::testtafserviceservant::{ComplicatedStruct, LotofTags, OutStruct, SimpleStruct},
    test_taf_service::TestEmptyReply,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tars_rpc::{
    Communicator, Error, Version,
    client::{CallOptions, ServantProxy},
    codec::Bytes,
    codes,
};
use tars_tests::servant::tests::all_types_server::obj::{
    AllTypesIfServant,
    classes::all_types::{Basic, Color, Containers},
};

use crate::{
    cases::Case,
    service::{ALL_TYPES, PHP_SERVER},
    values::{self, TEXT},
};

/// Where a server has its two servants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) php_server: u16,
    pub(crate) all_types: u16,
}

/// A client of one server in one version.
pub(crate) struct Client {
    communicator: Communicator,
    ports: Ports,
    version: Version,
}

type Checked = Result<(), String>;

impl Client {
    pub(crate) fn new(ports: Ports, version: Version) -> Self {
        Self {
            communicator: Communicator::new(),
            ports,
            version,
        }
    }

    /// # Errors
    /// The server does something else than it should.
    pub(crate) async fn run(&self, case: Case) -> Checked {
        let client = TestTafServiceServant::new(self.proxy(PHP_SERVER)?).with(self.options());
        let all_types = AllTypesIfServant::new(self.proxy(ALL_TYPES)?).with(self.options());
        match case {
            Case::TestTafServer => client.test_taf_server().await.map_err(text),
            Case::TestLofofTags => test_lofof_tags(&client).await,
            Case::SayHelloWorld => say_hello_world(&client).await,
            Case::TestBasic => test_basic(&client).await,
            Case::TestStruct => test_struct(&client).await,
            Case::TestMap => test_map(&client).await,
            Case::TestVector => test_vector(&client).await,
            Case::TestReturn => {
                let got = client.test_return().await.map_err(text)?;
                same("result", &got, &values::smallest())
            }
            Case::TestReturn2 => {
                let got = client.test_return2().await.map_err(text)?;
                same("result", &got, &values::strings())
            }
            Case::TestComplicatedStruct => test_complicated_struct(&client).await,
            Case::TestComplicatedMap => test_complicated_map(&client).await,
            Case::TestEmpty => {
                let got = client.test_empty(-7).await.map_err(text)?;
                let want = TestEmptyReply {
                    result: -7,
                    ..TestEmptyReply::default()
                };
                same("answer", &got, &want)
            }
            Case::TestProperty => {
                let got = client.test_property().await.map_err(text)?;
                same("result", &got, &42)
            }
            Case::EchoBasic => echo_basic(&all_types).await,
            Case::EchoContainers => echo_containers(&all_types).await,
            Case::EchoBytes => {
                for data in [Bytes::new(), values::bytes()] {
                    let got = all_types.echo_bytes(&data).await.map_err(text)?;
                    same("result", &got, &data)?;
                }
                Ok(())
            }
            Case::Ping => {
                let proxy = self.proxy(PHP_SERVER)?.with(self.options());
                let pinged = proxy.call("tars_ping", |_| {}).await;
                pinged.map(drop).map_err(text)
            }
            Case::Oneway => self.oneway(&client).await,
            Case::Context => self.context(&client, "ted").await,
            Case::ContextUtf8 => self.context(&client, TEXT).await,
            Case::Status => {
                let options = self.options().status("STATUS_GRID_KEY", "grid");
                let client = client.with(options);
                let got = client.say_hello_world("status:STATUS_GRID_KEY").await;
                same("status", &got.map_err(text)?, &"grid".to_owned())
            }
            Case::ResponseContext => {
                let proxy = self.proxy(PHP_SERVER)?.with(self.options());
                let call = proxy.call("sayHelloWorld", |args| args.put(1, "name", "answer:ted"));
                let reply = call.await.map_err(text)?;
                let got = reply.context().get("answered-by").map(String::as_str);
                same("context", &got, &Some("ted"))
            }
            Case::Error => {
                let result = client.say_hello_world("error:1234:wrong \u{9519}").await;
                fails(result, 1234, "wrong \u{9519}")
            }
            Case::UnknownFunction => {
                let proxy = self.proxy(PHP_SERVER)?.with(self.options());
                fails(proxy.call("noSuch", |_| {}).await, codes::NO_FUNCTION, "")
            }
            Case::UnknownServant => {
                let proxy = self.proxy("PHPTest.PHPServer.none")?;
                let client = TestTafServiceServant::new(proxy).with(self.options());
                fails(client.test_taf_server().await, codes::NO_SERVANT, "")
            }
            Case::Timeout => self.timeout(&client).await,
            Case::Large => {
                let name = "\u{4e16}x".repeat(1 << 18); // 1 MiB
                let got = client.say_hello_world(&name).await.map_err(text)?;
                if got == format!("hello {name}") {
                    Ok(())
                } else {
                    Err(format!("{} other bytes", got.len()))
                }
            }
            Case::Concurrent => concurrent(&client).await,
        }
    }

    fn proxy(&self, servant: &str) -> Result<ServantProxy, String> {
        let port = if servant == ALL_TYPES {
            self.ports.all_types
        } else {
            self.ports.php_server
        };
        let address = format!("{servant}@tcp -h 127.0.0.1 -p {port}");
        self.communicator.string_to_proxy(&address).map_err(text)
    }

    /// Long enough for a peer that has just started.
    fn options(&self) -> CallOptions {
        CallOptions::new()
            .version(self.version)
            .timeout(Duration::from_secs(10))
    }

    async fn context(&self, client: &TestTafServiceServant, who: &str) -> Checked {
        let client = client.with(self.options().context("who", who));
        let got = client.say_hello_world("context:who").await.map_err(text)?;
        same("context", &got, &who.to_owned())
    }

    /// The server runs it, and sends no answer.
    async fn oneway(&self, client: &TestTafServiceServant) -> Checked {
        let id = format!("{:?}", self.version);
        let oneway = client.with(self.options().oneway());
        // A oneway call has no result, which a generated client says as the missing return value.
        drop(oneway.say_hello_world(&format!("note:{id}")).await);
        let until = Instant::now() + Duration::from_secs(5);
        while client
            .say_hello_world(&format!("noted:{id}"))
            .await
            .map_err(text)?
            != "true"
        {
            if Instant::now() > until {
                return Err("the server has not run it".to_owned());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        same(
            "stray answers",
            &self.communicator.stats().stray_answers.get(),
            &0,
        )
    }

    /// The call ends in time, its late answer harms nobody.
    async fn timeout(&self, client: &TestTafServiceServant) -> Checked {
        let hasty = client.with(self.options().timeout(Duration::from_millis(100)));
        match hasty.say_hello_world("sleep:400").await {
            Err(Error::Timeout { .. }) => {}
            other => return Err(format!("{other:?} instead of a timeout")),
        }
        let got = client.say_hello_world("sleep:400").await.map_err(text)?;
        same("later answer", &got, &"slept 400".to_owned())
    }
}

async fn test_lofof_tags(client: &TestTafServiceServant) -> Checked {
    for tags in [LotofTags::default(), values::tags()] {
        let got = client.test_lofof_tags(&tags).await.map_err(text)?;
        let count = i32::try_from(tags.ss.len() + tags.mss.len()).unwrap_or(-1);
        same("result", &got.result, &count)?;
        same("outtags", &got.outtags, &tags)?;
    }
    Ok(())
}

async fn say_hello_world(client: &TestTafServiceServant) -> Checked {
    for name in ["", "ted", TEXT, &"x".repeat(300)] {
        let got = client.say_hello_world(name).await.map_err(text)?;
        same("outGreetings", &got, &format!("hello {name}"))?;
    }
    Ok(())
}

async fn test_basic(client: &TestTafServiceServant) -> Checked {
    for (a, b, c) in [
        (true, i32::MIN, TEXT),
        (false, i32::MAX, ""),
        (true, 0, "c"),
    ] {
        let got = client.test_basic(a, b, c).await.map_err(text)?;
        same("result", &got.result, &b)?;
        same("d", &got.d, &!a)?;
        same("e", &got.e, &!b)?;
        same("f", &got.f, &c.repeat(2))?;
    }
    Ok(())
}

async fn test_struct(client: &TestTafServiceServant) -> Checked {
    for b in values::records() {
        for a in [i64::MIN, i64::MAX, -1] {
            let got = client.test_struct(a, &b).await.map_err(text)?;
            same("result", &got.result, &a.to_string())?;
            same("d", &got.d, &out(&b, b.count, b.page, &b.id.to_string()))?;
        }
    }
    Ok(())
}

async fn test_map(client: &TestTafServiceServant) -> Checked {
    let b = values::smallest();
    let empty = (BTreeMap::new(), String::new(), "");
    let full = format!("=;key={TEXT};\u{952e}=value");
    for (m1, result, str) in [empty, (values::strings(), full, TEXT)] {
        let got = client.test_map(-2, &b, &m1).await.map_err(text)?;
        same("result", &got.result, &result)?;
        let count = i32::try_from(m1.len()).unwrap_or(-1);
        same("d", &got.d, &out(&b, count, -2, str))?;
        let m2 = [0, -1, b.count].map(|key| (key, b)).into();
        same("m2", &got.m2, &m2)?;
    }
    Ok(())
}

async fn test_vector(client: &TestTafServiceServant) -> Checked {
    let strings = [String::new(), TEXT.to_owned(), "z".to_owned()];
    let records = values::records();
    for (a, v1, v2) in [(0, &[][..], &[][..]), (-5, &strings[..], &records[..])] {
        let got = client.test_vector(a, v1, v2).await.map_err(text)?;
        same("result", &got.result, &v1.join(","))?;
        let v3 = [a].into_iter().chain(v2.iter().map(|s| s.count));
        same("v3", &got.v3, &v3.collect())?;
        let v4 = v2.iter().map(|s| out(s, s.count, s.page, &a.to_string()));
        same("v4", &got.v4, &v4.collect())?;
    }
    Ok(())
}

fn out(of: &SimpleStruct, count: i32, page: i16, str: &str) -> OutStruct {
    OutStruct {
        id: of.id,
        count,
        page,
        str: str.to_owned(),
    }
}

async fn test_complicated_struct(client: &TestTafServiceServant) -> Checked {
    let empty = ComplicatedStruct::default();
    let full = values::complicated();
    for (cs, vcs) in [
        (&empty, vec![]),
        (&full, vec![empty.clone(), full.clone(), full.clone()]),
    ] {
        let got = client.test_complicated_struct(cs, &vcs).await;
        let got = got.map_err(text)?;
        same("result", &got.result, &cs.ss)?;
        same("ocs", &got.ocs, cs)?;
        same("ovcs", &got.ovcs, &vcs.into_iter().rev().collect())?;
    }
    Ok(())
}

async fn test_complicated_map(client: &TestTafServiceServant) -> Checked {
    let full = BTreeMap::from([
        (String::new(), ComplicatedStruct::default()),
        (TEXT.to_owned(), values::complicated()),
    ]);
    for mcs in [BTreeMap::new(), full] {
        let got = client.test_complicated_map(&mcs).await.map_err(text)?;
        same("result", &got.result, &mcs)?;
        same("omcs", &got.omcs, &mcs)?;
    }
    Ok(())
}

async fn echo_basic(client: &AllTypesIfServant) -> Checked {
    let named = Basic {
        e: Color::BIG,
        ..Basic::default()
    };
    for value in [Basic::default(), named, values::basic()] {
        let got = client.echo_basic(&value).await.map_err(text)?;
        same("result", &got.result, &value.e.0)?;
        same("o", &got.o, &value)?;
    }
    Ok(())
}

async fn echo_containers(client: &AllTypesIfServant) -> Checked {
    for value in [Containers::default(), values::containers()] {
        let got = client.echo_containers(&value).await.map_err(text)?;
        same("o", &got, &value)?;
    }
    Ok(())
}

/// A hundred calls at once on one connection, of which the first ones take longest.
async fn concurrent(client: &TestTafServiceServant) -> Checked {
    let mut calls: FuturesUnordered<_> = (0..100)
        .map(|i| async move {
            let delay = 500 - 5 * i;
            let got = client.say_hello_world(&format!("sleep:{delay}")).await;
            (
                i,
                got.map_err(text).map(|got| got == format!("slept {delay}")),
            )
        })
        .collect();
    let mut order = Vec::new();
    while let Some((i, right)) = calls.next().await {
        if !right? {
            return Err(format!("call {i} got the answer of another"));
        }
        order.push(i);
    }
    if order.first() < order.last() {
        return Err(format!("answered in the order of the calls: {order:?}"));
    }
    Ok(())
}

fn text(error: Error) -> String {
    error.to_string()
}

fn same<T: PartialEq + Debug>(what: &str, got: &T, want: &T) -> Checked {
    if got == want {
        return Ok(());
    }
    let short = |value: &T| format!("{value:?}").chars().take(300).collect::<String>();
    Err(format!("{what}: {} instead of {}", short(got), short(want)))
}

/// An answer of the server with a code, and a text if one is expected.
fn fails<T>(result: tars_rpc::Result<T>, want: i32, text: &str) -> Checked {
    match result {
        Err(Error::Server { code, message, .. })
            if code == want && (text.is_empty() || message == text) =>
        {
            Ok(())
        }
        Err(error) => Err(format!("{error:?} instead of code {want} {text:?}")),
        Ok(_) => Err(format!("success instead of code {want}")),
    }
}
