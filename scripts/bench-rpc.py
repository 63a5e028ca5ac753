"""Runs the loads of bench-rpc.sh and prints their tables: bench-rpc.py calls|small|flat|shapes|spread ROUNDS SECONDS PLOT.svg"""

import json
import math
import os
import socket
import statistics
import subprocess
import sys
import time

LOAD = "target/release/rpc-load"
GO = "target/interop/go"
JS = "tests/interop/js"
OURS, ONE, GO_NAME, JS_NAME = "tars-rpc", "tars-rpc, one thread", "TarsGo", "Tars.js"
PEERS = [OURS, ONE, GO_NAME, JS_NAME]
COLOURS = ["#0b57d0", "#7baaf7", "#e8710a", "#5f9e6e"]
# Connections, calls outstanding.
LOADS = [(1, 1), (1, 100), (1, 1000), (64, 1), (64, 100), (64, 1000), (1000, 1000)]
SIZE = 1024


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """A server of one peer; ended by its process id."""

    def __init__(self, peer, *options):
        self.port = free_port()
        ports = [str(port) for port in (self.port, free_port(), free_port())]
        if peer in (OURS, ONE):
            command = [LOAD, "server", f"threads={1 if peer == ONE else 2}", *options]
        elif peer == GO_NAME:
            command = [os.path.abspath(GO), "server", *ports]
        else:
            command = ["node", "--no-warnings", os.path.abspath(f"{JS}/server.js"), *ports]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=None if peer in (OURS, ONE) else "target/interop",
            text=True,
        )
        if peer in (OURS, ONE):
            self.port = int(self.process.stdout.readline().split()[1])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"the server of {peer} does not start")

    def memory(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def measure(server, command):
    """What a client prints, and the server's processor time in the time that counts."""
    client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in client.stdout:
        if line.startswith("begin"):
            before = server.cpu()
            memory = server.memory()
        elif line.startswith("{"):
            result = json.loads(line)
            result["memory"] = memory
            result["server"] = (server.cpu() - before) / result["calls"] * 1e6
            result["client"] = result["cpu"] / result["calls"] * 1e6
            result["rate"] = result["calls"] / result["seconds"]
            break
    if client.wait() != 0:
        sys.exit(f"{command} has failed")
    return result


def command(peer, port, connections, outstanding, seconds, size=SIZE):
    if peer in (OURS, ONE):
        return [
            LOAD, "client", f"port={port}", f"connections={connections}", f"outstanding={outstanding}",
            f"size={size}", f"seconds={seconds}", f"threads={1 if peer == ONE else 2}", "stay=1",
        ]
    numbers = [str(n) for n in (port, connections, outstanding, size, seconds)]
    if peer == GO_NAME:
        return [GO, "load", *numbers]
    return ["node", "--no-warnings", f"{JS}/load.js", *numbers]


def calls(rounds, seconds, path=None, size=SIZE, loads=LOADS):
    results = {}
    for n in range(rounds):
        for connections, outstanding in loads:
            # All peers of a load one after the other: the machine may be another in a minute.
            for peer in PEERS:
                print(f"round {n + 1} of {rounds}: {peer}, {outstanding} on {connections}", file=sys.stderr)
                with Server(peer) as server:
                    line = command(peer, server.port, connections, outstanding, seconds, size)
                    result = measure(server, line)
                results.setdefault((connections, outstanding, peer), []).append(result)

    def median(load, peer, field):
        return statistics.median(result[field] for result in results[(*load, peer)])

    def ratio(load, peer):
        pairs = zip(results[(*load, peer)], results[(*load, GO_NAME)])
        return statistics.median(a["rate"] / b["rate"] for a, b in pairs)

    print(f"{size} bytes there and back; client and server of the same peer; medians of {rounds} rounds")
    print()
    print("| connections | outstanding | peer | calls/s | to TarsGo | client, us a call | server, us a call | p50, us | p99, us | p99.9, us |")
    print("|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for load in loads:
        for peer in PEERS:
            cells = [f"{median(load, peer, 'rate'):,.0f}", f"{ratio(load, peer):.1f}"]
            cells += [f"{median(load, peer, field):.1f}" for field in ("client", "server")]
            cells += [f"{median(load, peer, field):,.0f}" for field in ("p50", "p99", "p999")]
            print(f"| {load[0]} | {load[1]} | {peer} | {' | '.join(cells)} |")
    if path:
        plot(path, lambda load, peer: median(load, peer, "client") + median(load, peer, "server"))


def plot(path, cost):
    """Processor time a call as bars, one group a load, on a logarithmic scale; readable on a light and a dark page.

    Of all that is measured it depends least on what else the machine does."""
    width, height, left, top, bottom = 760, 340, 60, 48, 48
    low = 0
    high = math.ceil(math.log10(max(cost(load, peer) for load in LOADS for peer in PEERS)))
    base = height - bottom
    group = (width - left) / len(LOADS)
    bar = (group - 24) / len(PEERS)

    def y(value):
        return base - (max(math.log10(max(value, 1)), low) - low) / (high - low) * (base - top)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="12" fill="#808080">',
        f'<text x="{left}" y="16" font-size="14">Processor time a call, client and server, us: {SIZE} bytes there and back (logarithmic, less is better)</text>',
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        out.append(f'<line x1="{left}" x2="{width}" y1="{at:.1f}" y2="{at:.1f}" stroke="#80808055"/>')
        out.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    for i, (peer, colour) in enumerate(zip(PEERS, COLOURS)):
        x = left + i * 170
        out.append(f'<rect x="{x}" y="24" width="10" height="10" fill="{colour}"/><text x="{x + 15}" y="33">{peer}</text>')
    for i, load in enumerate(LOADS):
        start = left + i * group + 12
        for j, (peer, colour) in enumerate(zip(PEERS, COLOURS)):
            at = y(cost(load, peer))
            out.append(f'<rect x="{start + j * bar:.1f}" y="{at:.1f}" width="{bar - 2:.1f}" height="{base - at:.1f}" fill="{colour}"><title>{peer}: {cost(load, peer):.1f}</title></rect>')
        middle = left + (i + 0.5) * group
        out.append(f'<text x="{middle:.1f}" y="{base + 18}" text-anchor="middle">{load[1]:,} outstanding</text>')
        out.append(f'<text x="{middle:.1f}" y="{base + 34}" text-anchor="middle">{load[0]} connection{"s" if load[0] > 1 else ""}</text>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def flat(rounds, seconds):
    """The cost of a call to us, client and server, by what else there is."""
    # One call at a time, so that every call is a write and a read, whatever the connections are.
    series = [
        ("connections", [1, 100, 1000, 10000], 1, "connections in turn, 1 outstanding"),
        ("parked", [0, 1000, 10000, 100000], 100, "other calls pending on the connection, 100 outstanding"),
    ]
    for key, values, outstanding, title in series:
        costs = {}
        for _ in range(rounds):
            for value in values:
                print(f"{value} {title}", file=sys.stderr)
                with Server(OURS) as server:
                    line = [LOAD, "client", f"port={server.port}", f"outstanding={outstanding}", f"{key}={value}", "size=16", f"seconds={seconds}"]
                    result = measure(server, line)
                costs.setdefault(value, []).append(result["client"] + result["server"])
        print()
        print(f"| {title} | client and server, us a call | to the first, same round |")
        print("|---:|---:|---:|")
        for value in values:
            ratios = [a / b for a, b in zip(costs[value], costs[values[0]])]
            print(f"| {value:,} | {statistics.median(costs[value]):.2f} | {statistics.median(ratios):.2f} |")


def shapes(rounds, seconds):
    """Ours under loads that a closed loop does not show."""

    def run(peer, *options, server=()):
        results = []
        for _ in range(rounds):
            print(f"{peer}: {' '.join(options)}", file=sys.stderr)
            with Server(peer, *server) as started:
                line = [LOAD, "client", f"port={started.port}", f"seconds={seconds}", f"threads={1 if peer == ONE else 2}", *options]
                results.append(measure(started, line))
        return lambda field: statistics.median(result[field] for result in results)

    def row(first, of):
        cells = [f"{of('rate'):,.0f}", f"{of('client'):.1f}", f"{of('server'):.1f}"]
        cells += [f"{of(field):,.0f}" for field in ("p50", "p99", "p999")]
        print(f"| {first} | {' | '.join(cells)} |", flush=True)

    head = "calls/s | client, us a call | server, us a call | p50, us | p99, us | p99.9, us |\n|---|---:|---:|---:|---:|---:|---:|"
    print(f"\n| open loop, due each second | {head}")
    for peer in (OURS, ONE):
        for rate in (1000, 10000, 50000, 100000):
            row(f"{peer}: {rate:,}", run(peer, f"rate={rate}", "size=16"))
    print(f"\n| 100 calls outstanding, beside them | {head}")
    for peer in (OURS, ONE):
        for slow in (0, 100, 1000):
            row(f"{peer}: {slow:,} that take 50 ms", run(peer, "outstanding=100", f"slow={slow}", "size=16"))
    print(f"\n| server, 64 connections, 1,000 outstanding | {head}")
    for name, peer, options in (("two threads of one runtime", OURS, ()), ("a runtime for each of two threads", OURS, ("shards=2",)), ("one thread", ONE, ())):
        row(name, run(peer, "connections=64", "outstanding=1000", "size=16", server=options))
    print(f"\n| one call outstanding, `busy_poll` of 50 us | {head}")
    busy = ("busy_poll=50",)
    for peer in (OURS, ONE):
        for name, client, server in (("neither side", (), ()), ("client", busy, ()), ("server", (), busy), ("both", busy, busy)):
            row(f"{peer}: {name}", run(peer, "size=16", *client, server=server))
    few, many = (run(OURS, f"connections={n}", "size=16") for n in (1, 10000))
    print("\n| memory of an idle connection, 10,000 of them, each used once | KB |\n|---|---:|")
    for side, field in (("server", "memory"), ("client, with a communicator for each", "rss")):
        print(f"| {side} | {(many(field) - few(field)) / 9999 * 1.024:.1f} |")


def spread(rounds, seconds):
    """Whether more than one connection to an endpoint pays: what is outstanding goes over them in turn."""
    print()
    print("| threads | outstanding | connections | calls/s | to one | us a call | to one | p99, us |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for peer, outstanding in [(peer, n) for peer in (OURS, ONE) for n in (1, 100, 1000)]:
        results = {n: [] for n in (1, 2, 4)}
        for _ in range(rounds):
            for connections in results:
                print(f"{peer}, {outstanding} outstanding on {connections}", file=sys.stderr)
                with Server(peer) as server:
                    line = command(peer, server.port, connections, outstanding, seconds)
                    result = measure(server, line)
                result["cost"] = result["client"] + result["server"]
                results[connections].append(result)
        for connections, runs in results.items():
            cells = []
            for field, form in (("rate", ",.0f"), ("cost", ".2f")):
                ratios = [a[field] / b[field] for a, b in zip(runs, results[1])]
                cells += [format(statistics.median(run[field] for run in runs), form), f"{statistics.median(ratios):.2f}"]
            p99 = statistics.median(run["p99"] for run in runs)
            threads = 1 if peer == ONE else 2
            print(f"| {threads} | {outstanding:,} | {connections} | {' | '.join(cells)} | {p99:,.0f} |")


if __name__ == "__main__":
    mode, rounds, seconds, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    if mode == "flat":
        flat(rounds, seconds)
    elif mode == "spread":
        spread(rounds, seconds)
    elif mode == "shapes":
        shapes(rounds, seconds)
    elif mode == "small":
        calls(rounds, seconds, size=16, loads=[(1, 1), (1, 100), (1, 1000)])
    else:
        calls(rounds, seconds, path)
