// Both servants on a server of Tars.js: node server.js PORT PORT. Ended by a signal.
"use strict";

const Tars = require("@tars/rpc");
const { OutStruct, TestTafServiceImp, AllTypesIfImp } = require("./stub.js");
const values = require("./values.js");

const notes = new Set();
const fail = (code, message) => {
  throw Object.assign(new Error(message), { code });
};

async function greet(current, name) {
  const at = name.indexOf(":");
  const [command, rest] = at < 0 ? ["", ""] : [name.slice(0, at), name.slice(at + 1)];
  switch (command) {
    case "error": {
      const [code, ...text] = rest.split(":");
      return fail(Number(code), text.join(":"));
    }
    case "sleep":
      await new Promise((resolve) => setTimeout(resolve, Number(rest)));
      return `slept ${rest}`;
    case "context":
      return current.getContext().get(rest) ?? "";
    case "status":
      return current.getRequestStatus().get(rest) ?? "";
    case "answer":
      current.setResponseContext({ "answered-by": rest });
      return "answered";
    case "note":
      notes.add(rest);
      return "noted";
    case "noted":
      return String(notes.has(rest));
    default:
      return `hello ${name}`;
  }
}

class PhpServer extends TestTafServiceImp {
  testTafServer() {}

  testLofofTags(_, tags) {
    return { result: tags.ss.length + tags.mss.size, outtags: tags };
  }

  async sayHelloWorld(current, name) {
    return { outGreetings: await greet(current, name) };
  }

  testBasic(_, a, b, c) {
    return { result: b, d: !a, e: ~b, f: c + c };
  }

  testStruct(_, a, b) {
    return { result: a, d: new OutStruct({ ...b, str: b.id }) };
  }

  testMap(_, a, b, m1) {
    const keys = [...m1.keys()].sort();
    return {
      result: keys.map((key) => `${key}=${m1.get(key)}`).join(";"),
      d: new OutStruct({ id: b.id, count: m1.size, page: a, str: m1.get("key") ?? "" }),
      m2: new Map([0, -1, b.count].map((key) => [key, b])),
    };
  }

  testVector(_, a, v1, v2) {
    return {
      result: v1.join(","),
      v3: [a, ...v2.map((s) => s.count)],
      v4: v2.map((s) => new OutStruct({ ...s, str: String(a) })),
    };
  }

  testReturn() {
    return { result: values.smallest() };
  }

  testReturn2() {
    return { result: values.strings() };
  }

  testComplicatedStruct(_, cs, vcs) {
    return { result: cs.ss, ocs: cs, ovcs: [...vcs].reverse() };
  }

  testComplicatedMap(_, mcs) {
    return { result: mcs, omcs: mcs };
  }

  testEmpty(_, a) {
    return { result: a, b1: false, in2: 0, d: new OutStruct(), v3: [], v4: [] };
  }

  testProperty() {
    return { result: 42 };
  }
}

class AllTypesServer extends AllTypesIfImp {
  echoBasic(_, value) {
    return { result: value.e, o: value };
  }

  echoContainers(_, value) {
    return { o: value };
  }

  echoBytes(_, data) {
    return { result: data };
  }
}

const [phpServer, allTypes] = process.argv.slice(2);
const serve = (imp, servant, port) =>
  Tars.server
    .createServer(imp)
    .start({ endpoint: `tcp -h 127.0.0.1 -p ${port} -t 60000`, servant, protocol: "tars" });
serve(PhpServer, "PHPTest.PHPServer.obj", phpServer);
serve(AllTypesServer, "Tests.AllTypesServer.Obj", allTypes);
