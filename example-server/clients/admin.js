// Live charts of /metrics, drawn here: nothing is loaded from elsewhere, and nothing is kept.
"use strict";

const EVERY_MS = 1_000;
/** Points of a chart: half a minute, which grows to five. */
const FEWEST_POINTS = 30;
const POINTS = 300;
/** Over how many samples the latencies of RPCs are taken: single calls would jump. */
const RPC_SAMPLES = 10;
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [320, 80, 34, 14];

const CHARTS = [
  { id: "connections", lines: ["connections", "rooms"], read: ({ now }) => [now.get("chat_connections"), now.get("chat_rooms")] },
  { id: "deliveries", lines: ["deliveries"], read: ({ before, now, seconds }) => [gained(before, now, "chat_deliveries_total") / seconds] },
  { id: "rpc", lines: ["p50", "p99"], read: ({ long, now }) => quantiles(long, now, "chat_rpc_seconds", [0.5, 0.99])?.map((s) => s * 1000) },
  {
    id: "slow",
    lines: ["closedSlow", "dropped"],
    read: ({ before, now, seconds }) =>
      ["chat_slow_consumers_total", "chat_dropped_total"].map((name) => gained(before, now, name) / seconds),
  },
];

const statusLine = element("status");
let token = "";
let timer;
let samples = [];
let problem = "";

function svg(name, attributes, parent) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  parent?.append(node);
  return node;
}

function add(parent, name, attributes = {}) {
  const node = document.createElement(name);
  Object.assign(node, attributes);
  parent.append(node);
  return node;
}

function build(chart) {
  const card = add(element("charts"), "section", { className: "card", id: `chart-${chart.id}` });
  const heading = add(card, "h2");
  add(heading, "span").dataset.text = chart.id;
  chart.value = add(heading, "span", { className: "value" });
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, card);
  chart.marks = [0, 0.5, 1].map((part) => {
    const y = level(part);
    svg("path", { class: "grid", d: `M${LEFT} ${y}H${WIDTH}` }, picture);
    return svg("text", { x: LEFT - 4, y: y + 3, "text-anchor": "end" }, picture);
  });
  chart.span = svg("text", { x: WIDTH, y: HEIGHT - 2, "text-anchor": "end" }, picture);
  chart.drawn = chart.lines.map((_, i) => svg("polyline", { class: i === 0 ? "first" : "second" }, picture));
  const legend = add(card, "p", { className: "legend" });
  if (chart.lines.length > 1) {
    chart.lines.forEach((line, i) => {
      add(legend, "span", { className: i === 0 ? "first" : "second" }).dataset.text = line;
    });
  }
  chart.points = [];
}

function level(part) {
  return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - 8);
}

/** The next number of 1, 2, 5, 10 and so on: an axis that does not change with every point. */
function ceiling(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((bound) => bound >= number);
}

function format(number) {
  return number.toLocaleString(language, { maximumFractionDigits: number < 10 ? 1 : 0, notation: number < 1e5 ? "standard" : "compact" });
}

function draw(chart) {
  const known = chart.points.filter((point) => point);
  const most = ceiling(Math.max(1, ...known.flat()));
  chart.marks.forEach((mark, i) => {
    mark.textContent = format((most * i) / 2);
  });
  const span = Math.max(FEWEST_POINTS, chart.points.length);
  chart.span.textContent = text("span", (span * EVERY_MS) / 1000);
  chart.drawn.forEach((line, i) => {
    const step = (WIDTH - LEFT) / (span - 1);
    const first = span - chart.points.length;
    // A gap, where there was no call, is bridged.
    const places = chart.points.flatMap((point, at) =>
      point ? [`${(LEFT + (first + at) * step).toFixed(1)},${level(point[i] / most).toFixed(1)}`] : [],
    );
    line.setAttribute("points", places.join(" "));
  });
  const last = chart.points.at(-1);
  chart.value.textContent = last ? last.map(format).join(" / ") : text("noCalls");
}

function drawAll() {
  for (const chart of CHARTS) {
    draw(chart);
  }
  statusLine.hidden = problem === "" && timer === undefined;
  statusLine.dataset.state = problem === "" ? "open" : "closed";
  statusLine.textContent = text(problem === "" ? "watching" : problem);
  element("toggle").textContent = text(timer === undefined ? "watch" : "stop");
}

function list(now) {
  const rows = [...now].filter(([name]) => /_total(\{|$)/.test(name)).map(([name, count]) => {
    const row = document.createElement("tr");
    add(row, "th", { scope: "row", textContent: name.replace(/^chat_/, "").replace(/_total/, "") });
    add(row, "td", { textContent: count.toLocaleString(language) });
    return row;
  });
  element("counters").replaceChildren(...rows);
}

function take(now) {
  const time = performance.now();
  const last = samples.at(-1);
  if (last) {
    const seconds = (time - last.time) / 1000;
    const sample = { before: last.now, long: samples[0].now, now, seconds };
    for (const chart of CHARTS) {
      chart.points.push(chart.read(sample) ?? null);
      chart.points.splice(0, chart.points.length - POINTS);
    }
  }
  samples.push({ time, now });
  samples.splice(0, samples.length - RPC_SAMPLES);
  list(now);
}

async function look() {
  const headers = token === "" ? {} : { Authorization: `Bearer ${token}` };
  try {
    const answer = await fetch("/metrics", { headers, cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) {
      problem = answer.status === 401 ? "denied" : "notLocal";
      stop();
    } else if (answer.ok) {
      problem = "";
      take(parseMetrics(await answer.text()));
      element("charts").hidden = element("all").hidden = false;
    } else {
      problem = "unreachable";
    }
  } catch {
    problem = "unreachable";
  }
  // Who has pressed Stop meanwhile is not asked again.
  if (timer !== undefined) {
    timer = setTimeout(look, EVERY_MS);
  }
  drawAll();
}

function stop() {
  clearTimeout(timer);
  timer = undefined;
  samples = [];
}

element("watch").addEventListener("submit", (event) => {
  event.preventDefault();
  if (timer === undefined) {
    token = element("token").value.trim();
    problem = "";
    timer = setTimeout(look, 0);
  } else {
    stop();
  }
  drawAll();
});

CHARTS.forEach(build);
speak(drawAll);
