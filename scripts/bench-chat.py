"""The table and the plot of bench-chat.sh: bench-chat.py RESULTS.jsonl PLOT.svg

Exits 1 if the chat server misses a goal."""

import json
import statistics
import sys
from collections import defaultdict

OURS = "example-server"
PEER = "uWebSockets.js"
RATE = "deliveries_per_server_cpu_s"
# (load, field, title, goal as a ratio to PEER in the same round)
RATES = [("window4", RATE, "window 4", 0.65), ("window1", RATE, "window 1", 0.9)]
# (load, field, title, the most it may be)
COSTS = [("paced", "lat_p99_us", "p99, ms", 20_000, 1000), ("idle", "rss_kb_per_conn", "KB idle", 6, 1)]


def read(path):
    """results[load][server] = the rounds' objects, in order."""
    results = defaultdict(lambda: defaultdict(list))
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            result = json.loads(line)
            _, server, load = result["label"].split()
            if result["errors"] or result["closed_by_server"]:
                sys.exit(f"{result['label']}: connections were lost: {line}")
            results[load][server].append(result)
    return results


def median(results, field):
    return statistics.median(result[field] for result in results)


def ratio(results, server, field):
    """The median of the rounds' ratios to PEER."""
    pairs = zip(results[server], results.get(PEER, []))
    ratios = [ours[field] / theirs[field] for ours, theirs in pairs]
    return statistics.median(ratios) if ratios else None


def table(results, servers):
    print("thousands of deliveries per second of server processor time (ratio to uWebSockets.js)")
    print("| server | window 4 | window 1 | p99 at 20/s, ms | KB per idle connection |")
    print("|---|---|---|---|---|")
    for server in servers:
        cells = []
        for load, field, _, _ in RATES:
            value = f"{median(results[load][server], field) / 1000:.0f}"
            relative = ratio(results[load], server, field)
            cells.append(f"{value} ({relative:.2f})" if relative else value)
        for load, field, _, _, unit in COSTS:
            cells.append(f"{median(results[load][server], field) / unit:.1f}")
        print(f"| {server} | {' | '.join(cells)} |")


def goals(results):
    missed = []
    for load, field, title, goal in RATES:
        relative = ratio(results[load], OURS, field)
        if relative is not None and relative < goal:
            missed.append(f"{title}: {relative:.2f} of {PEER}, the goal is {goal}")
    for load, field, title, most, unit in COSTS:
        value = median(results[load][OURS], field)
        if value > most:
            # On a busy machine the peer, too, is late.
            theirs = median(results[load][PEER], field) if PEER in results[load] else 0
            if load != "paced" or value > theirs:
                missed.append(f"{title}: {value / unit:.1f}, the goal is {most / unit:.0f} at most")
    return missed


def plot(results, servers, path):
    """Bars, one group a load; readable on a light and on a dark page."""
    colours = ["#0b57d0", "#e8710a", "#5f9e6e", "#9334e6"]
    width, height, left, top, group = 640, 300, 56, 40, 270
    bar = min(60, (group - 40) / max(len(servers), 1))
    most = max(median(results[load][s], f) for load, f, *_ in RATES for s in servers) / 1000
    scale = (height - top - 60) / most
    base = height - 60
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13">',
        '<style>text{fill:#202124}@media(prefers-color-scheme:dark){text{fill:#e8eaed}}</style>',
        f'<text x="{left}" y="20" font-weight="600">Thousands of deliveries per second of server processor time</text>',
        f'<path d="M{left - 8} {base + .5}H{width - 10}" stroke="#9aa0a6"/>',
    ]
    for g, (load, field, title, _) in enumerate(RATES):
        x0 = left + g * (group + 20)
        for s, server in enumerate(servers):
            value = median(results[load][server], field) / 1000
            x, tall = x0 + s * (bar + 8), value * scale
            out.append(f'<rect x="{x:.0f}" y="{base - tall:.0f}" width="{bar:.0f}" height="{tall:.0f}" rx="3" fill="{colours[s % 4]}"/>')
            out.append(f'<text x="{x + bar / 2:.0f}" y="{base - tall - 6:.0f}" text-anchor="middle">{value:.0f}</text>')
        out.append(f'<text x="{x0}" y="{base + 20}">{title}</text>')
    x = left
    for s, server in enumerate(servers):
        out.append(f'<rect x="{x}" y="{height - 24}" width="12" height="12" rx="2" fill="{colours[s % 4]}"/>')
        out.append(f'<text x="{x + 18}" y="{height - 13}">{server}</text>')
        x += 50 + 8 * len(server)
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def main():
    results = read(sys.argv[1])
    servers = list(results["window4"])
    table(results, servers)
    plot(results, servers, sys.argv[2])
    if OURS in servers:
        missed = goals(results)
        for line in missed:
            print(f"missed: {line}", file=sys.stderr)
        sys.exit(1 if missed else 0)


main()
