// The values of values.rs.
"use strict";

const { SimpleStruct, ComplicatedStruct, LotofTags, Basic, Inner, Containers } = require("./stub.js");

const TEXT = 'h\u00e9llo \u4e16\u754c \u{1f600}\n"\\\0';
const LONG_MIN = "-9223372036854775808";
const LONG_MAX = "9223372036854775807";
const INT_MIN = -2147483648;
const INT_MAX = 2147483647;

const smallest = () => new SimpleStruct({ id: LONG_MIN, count: INT_MAX, page: -32768 });
const records = () => [
  new SimpleStruct(),
  new SimpleStruct({ id: "255", count: 32768, page: -129 }),
  smallest(),
  new SimpleStruct({ id: LONG_MAX, count: INT_MIN, page: 32767 }),
];
const strings = () => new Map([["", ""], ["key", TEXT], ["\u952e", "value"]]);
const recordsByName = () => new Map([["", smallest()], [TEXT, new SimpleStruct()]]);
const complicated = () =>
  new ComplicatedStruct({ ss: records(), rs: smallest(), mss: recordsByName(), str: TEXT });
const tags = () =>
  new LotofTags({
    id: LONG_MAX,
    count: INT_MIN,
    page: -1,
    str: TEXT,
    ss: records(),
    rs: smallest(),
    mss: recordsByName(),
  });

const basic = () =>
  new Basic({
    b: true,
    c: -128,
    s: -32768,
    i: INT_MIN,
    l: LONG_MIN,
    f: 1.5,
    d: -1e300,
    str: TEXT,
    ub: 255,
    us: 65535,
    ui: 4294967295,
    e: 4711,
  });

const bytes = () => Buffer.from(Array.from({ length: 256 }, (_, i) => i));

const containers = () =>
  new Containers({
    bytes: bytes(),
    shorts: [0, -1, -32768, 32767],
    ints: [0, -1, INT_MIN, INT_MAX, 127, 128],
    longs: ["0", "-1", LONG_MIN, LONG_MAX],
    floats: [0, -1.5, 0.25],
    doubles: [0, 1e300, -1e-300],
    strs: ["", TEXT, "x".repeat(300)],
    inners: [new Inner({ id: 1, name: "one" }), new Inner({ id: -1 })],
    vvi: [[], [1, 2], [-3]],
    vvb: [Buffer.alloc(0), bytes()],
    mss: strings(),
    mis: new Map([[INT_MIN, "min"], [0, ""], [7, TEXT]]),
    mli: new Map([[LONG_MAX, new Inner({ id: 2, name: "two" })], ["-1", new Inner()]]),
    msv: new Map([["", []], ["k", [1, -2]]]),
    msm: new Map([["m", new Map([[-5, new Inner({ id: 5, name: TEXT })]])]]),
    vm: [new Map(), new Map([["a", 1]])],
    vub: [0, 127, 128, 255],
    vus: [0, 32767, 32768, 65535],
    vui: [0, 2147483648, 4294967295],
    colors: [0, -3, 70000, 4711],
    msb: new Map([["b", bytes()], ["empty", Buffer.alloc(0)]]),
    mbb: new Map([[-128, 127], [0, 0]]),
  });

module.exports = { TEXT, LONG_MIN, LONG_MAX, INT_MIN, INT_MAX, smallest, records, strings, complicated, tags, basic, bytes, containers };
