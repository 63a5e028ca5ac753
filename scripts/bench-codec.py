"""Prints the table of bench-codec.sh and draws its plot: bench-codec.py DIRECTORY PLOT.svg PEER.."""

import html
import math
import sys

NAMES = {"go": "TarsGo", "js": "@tars/stream", "java": "TarsJava"}
WAYS = {
    "tars": "tars-codec",
    "tars, fast types": "VecMap, InlineStr",
    "tars, borrowed": "borrowed",
    "prost": "prost",
}
COLOURS = ["#0b57d0", "#7baaf7", "#12a4af", "#e8710a", "#5f9e6e", "#b07aa1", "#9c755f"]


def read(path, way=None):
    """The numbers by cell and way."""
    times = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            kind, cell, *rest = line.rstrip("\n").split("\t")
            if kind == "ns":
                times.setdefault(cell, {})[way or WAYS[rest[0]]] = float(rest[-1])
    return times


def number(ns):
    return f"{ns:,.0f}" if ns >= 100 else f"{ns:.1f}"


def table(times, columns):
    lines = [
        "| ns an operation | " + " | ".join(columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for cell, row in times.items():
        base = row["prost"]
        cells = [
            f"{number(row[name])} ({row[name] / base:.2f})" if name in row else ""
            for name in columns
        ]
        lines.append(f"| {cell} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(times, columns):
    """A dot for each way of each cell, on a logarithmic scale."""
    left, right, top, step = 260, 40, 60, 22
    width, height = 1000, top + step * len(times) + 40
    numbers = [ns for row in times.values() for ns in row.values()]
    low, high = math.floor(math.log10(min(numbers))), math.ceil(math.log10(max(numbers)))

    def x(ns):
        return left + (math.log10(ns) - low) / (high - low) * (width - left - right)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#808080">',
        "<title>Nanoseconds an operation, logarithmic</title>",
    ]
    for index, name in enumerate(columns):
        at = left + index * (width - left - right) / len(columns)
        out.append(f'<circle cx="{at:.0f}" cy="16" r="5" fill="{COLOURS[index]}"/>')
        out.append(f'<text x="{at + 9:.0f}" y="20">{html.escape(name)}</text>')
    for power in range(low, high + 1):
        at = x(10**power)
        label = f"{10**power:,} ns" if power < 6 else f"{10 ** (power - 6):,} ms"
        out.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 12}" y2="{height - 28}" stroke="#80808040"/>'
        )
        out.append(f'<text x="{at:.1f}" y="{height - 12}" text-anchor="middle">{label}</text>')
    for index, (cell, row) in enumerate(times.items()):
        y = top + index * step
        out.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{html.escape(cell)}</text>')
        first, last = x(min(row.values())), x(max(row.values()))
        out.append(
            f'<line x1="{first:.1f}" x2="{last:.1f}" y1="{y}" y2="{y}" stroke="#80808060"/>'
        )
        for colour, name in zip(COLOURS, columns):
            if name in row:
                out.append(
                    f'<circle cx="{x(row[name]):.1f}" cy="{y}" r="5" fill="{colour}">'
                    f"<title>{html.escape(name)}: {number(row[name])} ns</title></circle>"
                )
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    directory, picture, *peers = sys.argv[1:]
    times = read(f"{directory}/rust.txt")
    for peer in peers:
        for cell, row in read(f"{directory}/{peer}.txt", NAMES[peer]).items():
            times[cell].update(row)
    columns = [*WAYS.values(), *(NAMES[peer] for peer in peers)]
    print(table(times, columns))
    with open(picture, "w", encoding="utf-8") as file:
        file.write(plot(times, columns))


main()
