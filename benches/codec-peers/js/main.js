// The codec of Tars.js with the values of scripts/bench-codec.sh: node main.js VALUES prints what it encodes and how
// long it takes.
"use strict";

const fs = require("fs");
const types = require("./types.js");
const Stream = require("@tars/stream");

for (const line of fs.readFileSync(process.argv[2], "utf8").trim().split("\n")) {
  measure(JSON.parse(line));
}

function measure({ name, type, values }) {
  const Type = types[type];
  const encoded = values.map((hex) => Buffer.from(hex, "hex"));
  const decode = (bytes) => Type._readFrom(new Stream.TarsInputStream(new Stream.BinBuffer(bytes)));
  // As `toBinBuffer` of generated code: a stream is not reused.
  const encode = (value) => {
    const os = new Stream.TarsOutputStream();
    value._writeTo(os);
    return os.getBinBuffer();
  };
  const decoded = encoded.map(decode);
  console.log(`bytes\t${name}\t${decoded.map((value) => encode(value).toNodeBuffer().toString("hex")).join(" ")}`);
  let next = 0;
  const turn = (list) => list[(next = (next + 1) % list.length)];
  console.log(`ns\t${name}: encode\t${ns(() => encode(turn(decoded))).toFixed(1)}`);
  console.log(`ns\t${name}: decode\t${ns(() => decode(turn(encoded))).toFixed(1)}`);
}

// The best of 25 rounds of 10 ms, after half a second for the compiler: what else the machine does can only add to that.
function ns(work) {
  let count = 1;
  const end = process.hrtime.bigint() + 500_000_000n;
  for (;;) {
    const took = run(work, count);
    if (took > 5e6 && process.hrtime.bigint() > end) {
      count = Math.ceil((count * 10e6) / took);
      break;
    }
    if (took < 5e6) count *= 2;
  }
  return Math.min(...Array.from({ length: 25 }, () => run(work, count) / count));
}

function run(work, count) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) work();
  return Number(process.hrtime.bigint() - start);
}
