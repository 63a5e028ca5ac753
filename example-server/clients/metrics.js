// Prometheus' text format, and what can be read from two of its samples.
"use strict";

/** The samples of a text: a map of `name{labels}` to number. */
function parseMetrics(text) {
  const samples = new Map();
  for (const line of text.split("\n")) {
    const space = line.lastIndexOf(" ");
    if (space > 0 && !line.startsWith("#")) {
      samples.set(line.slice(0, space), Number(line.slice(space + 1)));
    }
  }
  return samples;
}

/** What a counter gained from one sample to the next; a server that was restarted counts from 0. */
function gained(before, now, name) {
  const [first, last] = [before.get(name) ?? 0, now.get(name) ?? 0];
  return last >= first ? last - first : last;
}

/** The quantiles of a histogram's observations between two samples; null if there are none. */
function quantiles(before, now, name, wanted) {
  const prefix = `${name}_bucket{le="`;
  const buckets = [];
  for (const key of now.keys()) {
    if (key.startsWith(prefix)) {
      const bound = key.slice(prefix.length, key.indexOf('"', prefix.length));
      buckets.push({ bound: bound === "+Inf" ? Infinity : Number(bound), count: gained(before, now, key) });
    }
  }
  buckets.sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) {
    return null;
  }
  return wanted.map((quantile) => {
    const rank = quantile * total;
    const at = buckets.findIndex((bucket) => bucket.count >= rank);
    const [low, below] = at > 0 ? [buckets[at - 1].bound, buckets[at - 1].count] : [0, 0];
    const high = buckets[at].bound;
    if (high === Infinity) {
      return low;
    }
    const inside = buckets[at].count - below;
    return low + (high - low) * (inside > 0 ? (rank - below) / inside : 1);
  });
}
