// What tars2node would generate from example.tars and alltypes.tars, from a description: tars2node is in no registry.
//
// A `long` is a string here, the only form in which @tars/stream keeps all of its digits; a vector is an array, a map
// is a Map, vector<byte> is a Buffer.
"use strict";

const Stream = require("@tars/stream");
const { TarsError, isTup } = {
  TarsError: require("@tars/rpc").error,
  isTup: (version) =>
    version === Stream.Tup.TUP_SIMPLE || version === Stream.Tup.TUP_COMPLEX,
};

// A type: how @tars/stream names its functions and describes it (`proto`, which containers need), and how a value
// gets into the form that it wants and back.
const same = (value) => value;
const scalar = (method, proto, zero) => ({ method, proto, zero: () => zero, to: same, from: same });

const bool = scalar("Boolean", Stream.Boolean, false);
const byte = scalar("Int8", Stream.Int8, 0);
const short = scalar("Int16", Stream.Int16, 0);
const int = scalar("Int32", Stream.Int32, 0);
const long = { ...scalar("Int64", Stream.Int64, "0"), from: String, digits: true };
const ubyte = scalar("UInt8", Stream.UInt8, 0);
const ushort = scalar("UInt16", Stream.UInt16, 0);
const uint = scalar("UInt32", Stream.UInt32, 0);
const float = scalar("Float", Stream.Float, 0);
const double = scalar("Double", Stream.Double, 0);
const string = scalar("String", Stream.String, "");
const bytes = {
  method: "Bytes",
  proto: Stream.BinBuffer,
  zero: () => Buffer.alloc(0),
  to: (value) => new Stream.BinBuffer(value),
  from: (value) => value.toNodeBuffer(),
};

const list = (element) => {
  const proto = () => Stream.List(element.proto, element.digits ? 1 : 0);
  return {
    method: "List",
    proto: proto(),
    zero: () => [],
    to(value) {
      const to = proto();
      value.forEach((item) => to.push(element.to(item)));
      return to;
    },
    from: (value) => value.value.map(element.from),
  };
};

const map = (key, value) => {
  const proto = () => Stream.Map(key.proto, value.proto, key.digits ? 1 : 0, value.digits ? 1 : 0);
  return {
    method: "Map",
    proto: proto(),
    zero: () => new Map(),
    to(from) {
      const to = proto();
      from.forEach((v, k) => to.insert(k, value.to(v)));
      return to;
    },
    from(from) {
      const to = new Map();
      from.forEach((k, v) => void to.set(key.from(k), value.from(v)), key.digits ? 1 : 0);
      return to;
    },
  };
};

const OPTIONAL = true;

// `fields`: [tag, name, type, perhaps OPTIONAL] in ascending order.
const struct = (name, fields) => {
  class Struct {
    constructor(values = {}) {
      for (const [, field, type] of fields) this[field] = values[field] ?? type.zero();
    }
    _writeTo(os) {
      for (const [tag, field, type] of fields) write(os, type, tag, this[field]);
    }
    static _readFrom(is) {
      const values = {};
      for (const [tag, field, type, optional] of fields) values[field] = read(is, type, tag, !optional);
      return new Struct(values);
    }
    static _write(os, tag, value) {
      os.writeStruct(tag, value);
    }
    static _read(is, tag) {
      return is.readStruct(tag, true, Struct);
    }
  }
  Struct._classname = name;
  Object.defineProperty(Struct.prototype, "_classname", { value: name });
  return { method: "Struct", proto: Struct, zero: () => new Struct(), to: same, from: same, make: Struct };
};

function write(os, type, tag, value) {
  os[`write${type.method}`](tag, type.to(value), type.digits);
}

function read(is, type, tag, required = true) {
  const method = `read${type.method}`;
  switch (type.method) {
    case "Struct":
    case "List":
    case "Map":
    case "Bytes":
      return type.from(is[method](tag, required, type.proto));
    default:
      return type.from(is[method](tag, required, type.zero(), type.digits));
  }
}

function writeNamed(tup, type, name, value) {
  tup[`write${type.method}`](name, type.to(value), type.digits);
}

function readNamed(tup, type, name) {
  const method = `read${type.method}`;
  switch (type.method) {
    case "Struct":
    case "List":
    case "Map":
      return type.from(tup[method](name, type.proto));
    default:
      return type.from(tup[method](name, undefined, type.digits));
  }
}

const inputs = (func) => func.parameters.filter((p) => !p.out);
const outputs = (func) => func.parameters.filter((p) => p.out);

// `functions`: name -> [type of the result or null, inputs, outputs], each of these name -> type.
const describe = (functions) =>
  Object.entries(functions).map(([name, [result, ins, outs]]) => {
    const parameters = [
      ...Object.entries(ins).map(([name, type]) => ({ name, type, out: false })),
      ...Object.entries(outs).map(([name, type]) => ({ name, type, out: true })),
    ];
    parameters.forEach((parameter, i) => (parameter.tag = i + 1));
    return { name, result, parameters };
  });

// A class of client proxies. A call takes its inputs, and after them perhaps options ({context, dyeing, packetType});
// it gives {result, <name of each output>, context}.
function proxyOf(functions) {
  class Proxy {
    invoke(func, args, options) {
      const version = this._worker.version;
      let sent;
      if (isTup(version)) {
        const tup = new Stream.UniAttribute();
        tup.tupVersion = version;
        inputs(func).forEach((p, i) => writeNamed(tup, p.type, p.name, args[i]));
        sent = this._worker.tup_invoke(func.name, tup, options);
      } else {
        const os = new Stream.TarsOutputStream();
        inputs(func).forEach((p, i) => write(os, p.type, p.tag, args[i]));
        sent = this._worker.tars_invoke(func.name, os.getBinBuffer(), options);
      }
      return sent.then((data) => {
        const answer = { context: data.response.context };
        if (isTup(version)) {
          const tup = data.response.tup;
          if (func.result) answer.result = readNamed(tup, func.result, "");
          for (const p of outputs(func)) answer[p.name] = readNamed(tup, p.type, p.name);
        } else {
          const is = new Stream.TarsInputStream(data.response.sBuffer);
          if (func.result) answer.result = read(is, func.result, 0);
          for (const p of outputs(func)) answer[p.name] = read(is, p.type, p.tag);
        }
        return answer;
      });
    }
  }
  for (const func of functions) {
    const count = inputs(func).length;
    Proxy.prototype[func.name] = function (...args) {
      return this.invoke(func, args.slice(0, count), args[count]);
    };
  }
  return Proxy;
}

// The base class of a servant: its functions take (current, ..inputs) and give {result, <name of each output>}, or a
// promise of it, or throw an error with a code.
function servantOf(functions) {
  return class Servant {
    initialize() {}

    onDispatch(current, name, body) {
      const version = current.getRequestVersion();
      if (name === "tars_ping") {
        reply(current, version, { result: int, parameters: [] }, { result: 0 });
        return TarsError.SUCCESS;
      }
      const func = functions.find((func) => func.name === name);
      if (!func) return TarsError.SERVER.FUNC_NOT_FOUND;
      let args;
      if (isTup(version)) {
        const tup = new Stream.UniAttribute();
        tup.tupVersion = version;
        tup.decode(body);
        args = inputs(func).map((p) => readNamed(tup, p.type, p.name));
      } else {
        const is = new Stream.TarsInputStream(body);
        args = inputs(func).map((p) => read(is, p.type, p.tag));
      }
      Promise.resolve()
        .then(() => this[name](current, ...args))
        .then((answer) => reply(current, version, func, answer ?? {}))
        .catch((error) => current.sendErrorResponse(error.code ?? -99, error.message));
      return TarsError.SUCCESS;
    }
  };
}

function reply(current, version, func, answer) {
  if (isTup(version)) {
    const tup = new Stream.UniAttribute();
    tup.tupVersion = version;
    if (func.result) writeNamed(tup, func.result, "", answer.result);
    for (const p of outputs(func)) writeNamed(tup, p.type, p.name, answer[p.name]);
    current.doResponse(tup.encode());
  } else {
    const os = new Stream.TarsOutputStream();
    if (func.result) write(os, func.result, 0, answer.result);
    for (const p of outputs(func)) write(os, p.type, p.tag, answer[p.name]);
    current.doResponse(os.getBinBuffer());
  }
}

const simple = struct("testtafserviceservant.SimpleStruct", [[0, "id", long], [1, "count", int], [2, "page", short]]);
const out = struct("testtafserviceservant.OutStruct", [
  [0, "id", long],
  [1, "count", int],
  [2, "page", short],
  [3, "str", string, OPTIONAL],
]);
const complicated = struct("testtafserviceservant.ComplicatedStruct", [
  [0, "ss", list(simple)],
  [1, "rs", simple],
  [2, "mss", map(string, simple)],
  [3, "str", string, OPTIONAL],
]);
const tags = struct("testtafserviceservant.LotofTags", [
  [0, "id", long],
  [1, "count", int],
  [2, "page", short],
  [3, "str", string, OPTIONAL],
  [4, "ss", list(simple)],
  [5, "rs", simple],
  [6, "mss", map(string, simple)],
]);

const testTafService = describe({
  testTafServer: [null, {}, {}],
  testLofofTags: [int, { tags }, { outtags: tags }],
  sayHelloWorld: [null, { name: string }, { outGreetings: string }],
  testBasic: [int, { a: bool, b: int, c: string }, { d: bool, e: int, f: string }],
  testStruct: [string, { a: long, b: simple }, { d: out }],
  testMap: [string, { a: short, b: simple, m1: map(string, string) }, { d: out, m2: map(int, simple) }],
  testVector: [string, { a: int, v1: list(string), v2: list(simple) }, { v3: list(int), v4: list(out) }],
  testReturn: [simple, {}, {}],
  testReturn2: [map(string, string), {}, {}],
  testComplicatedStruct: [
    list(simple),
    { cs: complicated, vcs: list(complicated) },
    { ocs: complicated, ovcs: list(complicated) },
  ],
  testComplicatedMap: [map(string, complicated), { mcs: map(string, complicated) }, { omcs: map(string, complicated) }],
  testEmpty: [int, { a: short }, { b1: bool, in2: int, d: out, v3: list(out), v4: list(int) }],
  testProperty: [int, {}, {}],
});

const basic = struct("AllTypes.Basic", [
  [0, "b", bool],
  [1, "c", byte],
  [2, "s", short],
  [3, "i", int],
  [4, "l", long],
  [5, "f", float],
  [6, "d", double],
  [7, "str", string],
  [8, "ub", ubyte],
  [9, "us", ushort],
  [10, "ui", uint],
  [11, "e", int],
]);
const inner = struct("AllTypes.Inner", [[0, "id", int], [1, "name", string, OPTIONAL]]);
const containers = struct("AllTypes.Containers", [
  [0, "bytes", bytes],
  [2, "shorts", list(short)],
  [3, "ints", list(int)],
  [4, "longs", list(long)],
  [5, "floats", list(float)],
  [6, "doubles", list(double)],
  [7, "strs", list(string)],
  [8, "inners", list(inner)],
  [9, "vvi", list(list(int))],
  [10, "vvb", list(bytes)],
  [11, "mss", map(string, string)],
  [12, "mis", map(int, string)],
  [13, "mli", map(long, inner)],
  [14, "msv", map(string, list(int))],
  [15, "msm", map(string, map(int, inner))],
  [16, "vm", list(map(string, int))],
  [17, "vub", list(ubyte)],
  [18, "vus", list(ushort)],
  [19, "vui", list(uint)],
  [20, "colors", list(int)],
  [21, "msb", map(string, bytes)],
  [22, "mbb", map(byte, byte)],
]);

const allTypesIf = describe({
  echoBasic: [int, { in: basic }, { o: basic }],
  echoContainers: [null, { in: containers }, { o: containers }],
  echoBytes: [bytes, { data: bytes }, {}],
});

module.exports = {
  SimpleStruct: simple.make,
  OutStruct: out.make,
  ComplicatedStruct: complicated.make,
  LotofTags: tags.make,
  Basic: basic.make,
  Inner: inner.make,
  Containers: containers.make,
  TestTafServiceProxy: proxyOf(testTafService),
  TestTafServiceImp: servantOf(testTafService),
  AllTypesIfProxy: proxyOf(allTypesIf),
  AllTypesIfImp: servantOf(allTypesIf),
};
