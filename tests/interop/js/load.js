// The client of rpc-load.rs with Tars.js: node load.js PORT CONNECTIONS OUTSTANDING SIZE SECONDS.
"use strict";

const Tars = require("@tars/rpc");
const { TestTafServiceProxy } = require("./stub.js");

const [port, connections, outstanding, size, seconds] = process.argv.slice(2).map(Number);
const name = "x".repeat(size);

const proxies = Array.from({ length: connections }, () => {
  const communicator = Tars.Communicator.New();
  const address = `PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p ${port} -t 60000`;
  const proxy = communicator.stringToProxy(TestTafServiceProxy, address);
  proxy._worker.timeout = 60000;
  return proxy;
});

async function greet(proxy) {
  const { outGreetings } = await proxy.sayHelloWorld(name);
  if (outGreetings.length !== size + 6) throw new Error("a wrong answer");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function main() {
  for (const proxy of proxies) await greet(proxy);
  let stop = false;
  let counts = false;
  const latencies = [];
  const callers = Array.from({ length: outstanding }, async (_, caller) => {
    for (let n = caller; !stop; n++) {
      const counted = counts;
      const begun = process.hrtime.bigint();
      await greet(proxies[n % connections]);
      if (counted) latencies.push(Number(process.hrtime.bigint() - begun) / 1000);
    }
  });
  await pause(500);
  console.log("begin");
  counts = true;
  const begun = process.hrtime.bigint();
  let cpu = cpuSeconds();
  await pause(seconds * 1000);
  const elapsed = Number(process.hrtime.bigint() - begun) / 1e9;
  cpu = cpuSeconds() - cpu;
  stop = true;
  await Promise.all(callers);
  latencies.sort((a, b) => a - b);
  const quantile = (part) => latencies[Math.min(Math.floor(latencies.length * part), latencies.length - 1)];
  console.log(
    JSON.stringify({
      calls: latencies.length,
      seconds: elapsed,
      cpu,
      p50: quantile(0.5),
      p99: quantile(0.99),
      p999: quantile(0.999),
    }),
  );
  process.exit(0);
}

main();
