// Calls both servants with Tars.js in its versions: node client.js PORT. Prints a line for each case.
"use strict";

const assert = require("assert");
const Tars = require("@tars/rpc");
const { OutStruct, LotofTags, ComplicatedStruct, Basic, Containers, ...stub } = require("./stub.js");
const values = require("./values.js");
const { TEXT } = values;

const port = process.argv[2];

function proxyOf(version, Proxy, servant) {
  // A communicator keeps one proxy for a name, with one version.
  const communicator = Tars.Communicator.New();
  const proxy = communicator.stringToProxy(Proxy, `${servant}@tcp -h 127.0.0.1 -p ${port} -t 60000`);
  proxy._worker.version = version;
  proxy._worker.timeout = 10000;
  return proxy;
}

const out = (record, str) => new OutStruct({ ...record, str });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A call that the server answers with an error.
async function fails(call, code, text) {
  const failure = await call.then(
    () => assert.fail("succeeded"),
    (failure) => failure,
  );
  const status = failure.response?.status;
  const error = failure.error ?? {};
  const message = error.message || status?.get("STATUS_RESULT_DESC");
  assert.strictEqual(error.code, code, String(message));
  if (text) assert.strictEqual(message, text);
}

const cases = {
  async testTafServer({ client }) {
    await client.testTafServer();
  },
  async testLofofTags({ client }) {
    for (const tags of [new LotofTags(), values.tags()]) {
      const got = await client.testLofofTags(tags);
      assert.strictEqual(got.result, tags.ss.length + tags.mss.size);
      assert.deepStrictEqual(got.outtags, tags);
    }
  },
  async sayHelloWorld({ client }) {
    for (const name of ["", "ted", TEXT, "x".repeat(300)]) {
      const got = await client.sayHelloWorld(name);
      assert.strictEqual(got.outGreetings, `hello ${name}`);
    }
  },
  async testBasic({ client }) {
    for (const [a, b, c] of [[true, values.INT_MIN, TEXT], [false, values.INT_MAX, ""], [true, 0, "c"]]) {
      const { result, d, e, f } = await client.testBasic(a, b, c);
      assert.deepStrictEqual({ result, d, e, f }, { result: b, d: !a, e: ~b, f: c + c });
    }
  },
  async testStruct({ client }) {
    for (const b of values.records()) {
      for (const a of [values.LONG_MIN, values.LONG_MAX, "-1"]) {
        const { result, d } = await client.testStruct(a, b);
        assert.deepStrictEqual({ result, d }, { result: a, d: out(b, b.id) });
      }
    }
  },
  async testMap({ client }) {
    const b = values.smallest();
    for (const [m1, text, str] of [
      [new Map(), "", ""],
      [values.strings(), `=;key=${TEXT};\u952e=value`, TEXT],
    ]) {
      const { result, d, m2 } = await client.testMap(-2, b, m1);
      assert.strictEqual(result, text);
      assert.deepStrictEqual(d, new OutStruct({ id: b.id, count: m1.size, page: -2, str }));
      assert.deepStrictEqual(m2, new Map([0, -1, b.count].map((key) => [key, b])));
    }
  },
  async testVector({ client }) {
    for (const [a, v1, v2] of [[0, [], []], [-5, ["", TEXT, "z"], values.records()]]) {
      const { result, v3, v4 } = await client.testVector(a, v1, v2);
      assert.strictEqual(result, v1.join(","));
      assert.deepStrictEqual(v3, [a, ...v2.map((s) => s.count)]);
      assert.deepStrictEqual(v4, v2.map((s) => out(s, String(a))));
    }
  },
  async testReturn({ client }) {
    assert.deepStrictEqual((await client.testReturn()).result, values.smallest());
  },
  async testReturn2({ client }) {
    assert.deepStrictEqual((await client.testReturn2()).result, values.strings());
  },
  async testComplicatedStruct({ client }) {
    const [empty, full] = [new ComplicatedStruct(), values.complicated()];
    for (const [cs, vcs] of [[empty, []], [full, [empty, full, full]]]) {
      const { result, ocs, ovcs } = await client.testComplicatedStruct(cs, vcs);
      assert.deepStrictEqual({ result, ocs, ovcs }, { result: cs.ss, ocs: cs, ovcs: [...vcs].reverse() });
    }
  },
  async testComplicatedMap({ client }) {
    const full = new Map([["", new ComplicatedStruct()], [TEXT, values.complicated()]]);
    for (const mcs of [new Map(), full]) {
      const { result, omcs } = await client.testComplicatedMap(mcs);
      assert.deepStrictEqual({ result, omcs }, { result: mcs, omcs: mcs });
    }
  },
  async testEmpty({ client }) {
    const { result, b1, in2, d, v3, v4 } = await client.testEmpty(-7);
    assert.deepStrictEqual(
      { result, b1, in2, d, v3, v4 },
      { result: -7, b1: false, in2: 0, d: new OutStruct(), v3: [], v4: [] },
    );
  },
  async testProperty({ client }) {
    assert.strictEqual((await client.testProperty()).result, 42);
  },
  async echoBasic({ allTypes }) {
    for (const value of [new Basic(), new Basic({ e: 70000 }), values.basic()]) {
      const { result, o } = await allTypes.echoBasic(value);
      assert.deepStrictEqual({ result, o }, { result: value.e, o: value });
    }
  },
  async echoContainers({ allTypes }) {
    for (const value of [new Containers(), values.containers()]) {
      assert.deepStrictEqual((await allTypes.echoContainers(value)).o, value);
    }
  },
  async echoBytes({ allTypes }) {
    for (const data of [Buffer.alloc(0), values.bytes()]) {
      assert.deepStrictEqual((await allTypes.echoBytes(data)).result, data);
    }
  },
  async tars_ping({ client }) {
    // Its answer has no body, so the stub has nothing to decode.
    await client.invoke({ name: "tars_ping", parameters: [] }, [], {});
  },
  async oneway({ client, version }) {
    const sent = client.sayHelloWorld(`note:js ${version}`, { packetType: 1 });
    // Tars.js ends a oneway call with an error that says so.
    await sent.catch((failure) => assert.match(failure.error.message, /one way/));
    const until = Date.now() + 5000;
    while ((await client.sayHelloWorld(`noted:js ${version}`)).outGreetings !== "true") {
      assert.ok(Date.now() < until, "the server has not run it");
      await pause(10);
    }
  },
  async context({ client }) {
    const got = await client.sayHelloWorld("context:who", { context: { who: "ted" } });
    assert.strictEqual(got.outGreetings, "ted");
  },
  async "context, UTF-8"({ client }) {
    const got = await client.sayHelloWorld("context:who", { context: { who: TEXT } });
    assert.strictEqual(got.outGreetings, TEXT);
  },
  async status({ client }) {
    // The one status that Tars.js lets a caller set.
    const options = { dyeing: { dyeing: true, key: "dyed" } };
    const got = await client.sayHelloWorld("status:STATUS_DYED_KEY", options);
    assert.strictEqual(got.outGreetings, "dyed");
  },
  async "response context"({ client }) {
    const got = await client.sayHelloWorld("answer:ted");
    assert.strictEqual(got.context.get("answered-by"), "ted");
  },
  async error({ client }) {
    await fails(client.sayHelloWorld("error:1234:wrong \u9519"), 1234, "wrong \u9519");
  },
  async unknownFunction({ client }) {
    await fails(client.invoke({ name: "noSuch", parameters: [] }, [], {}), -3);
  },
  async unknownServant({ version }) {
    const none = proxyOf(version, stub.TestTafServiceProxy, "PHPTest.PHPServer.none");
    await fails(none.testTafServer(), -4);
  },
  async timeout({ client }) {
    client._worker.timeout = 100;
    await fails(client.sayHelloWorld("sleep:400"), Tars.error.CLIENT.REQUEST_TIMEOUT);
    client._worker.timeout = 10000;
    assert.strictEqual((await client.sayHelloWorld("sleep:400")).outGreetings, "slept 400");
  },
  async "1MiB"({ client }) {
    const name = "\u4e16x".repeat(1 << 18);
    assert.ok((await client.sayHelloWorld(name)).outGreetings === `hello ${name}`);
  },
  async "100 concurrent"({ client }) {
    const order = [];
    const calls = Array.from({ length: 100 }, async (_, i) => {
      const delay = 500 - 5 * i;
      const got = await client.sayHelloWorld(`sleep:${delay}`);
      assert.strictEqual(got.outGreetings, `slept ${delay}`);
      order.push(i);
    });
    await Promise.all(calls);
    assert.ok(order[0] > order[99], `answered in the order of the calls: ${order}`);
  },
};

async function main() {
  for (const version of [1, 2, 3]) {
    const clients = {
      version,
      client: proxyOf(version, stub.TestTafServiceProxy, "PHPTest.PHPServer.obj"),
      allTypes: proxyOf(version, stub.AllTypesIfProxy, "Tests.AllTypesServer.Obj"),
    };
    for (const [name, run] of Object.entries(cases)) {
      const result = await run(clients).then(
        () => "ok",
        (failure) => String(failure.error?.message || failure.message || failure).replace(/\s+/g, " ").slice(0, 300),
      );
      process.stdout.write(`cell\t${version}\t${name}\t${result}\n`);
    }
  }
  process.exit(0);
}

main();
