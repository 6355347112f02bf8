// The page's pictures. Uncertainty has a shape, never only a colour: a hexagon says how sure a place is, a
// number always has its "+", and charts step over rungs of equal height with nothing drawn under the floor.

import { el, svg } from "./dom.js";
import { hourMinute, rungStep, stepLabel } from "./words.js";

export const BIN_MS = 300_000;
const HEXAGON = "6.5,.8 11.6,3.7 11.6,9.3 6.5,12.2 1.4,9.3 1.4,3.7";

/** The ladder's part that the page draws: it grows to hold every rung seen, so that all rows share one scale. */
export const ladder = {
  low: 4, // 20+
  high: 11, // 5k+
  /** Make room for `label`; true when the scale changed. */
  hold(label) {
    const step = rungStep(label);
    if (step < 0 || (step >= this.low && step <= this.high)) return false;
    this.low = Math.min(this.low, step);
    this.high = Math.max(this.high, step);
    return true;
  },
  rungs() {
    return this.high - this.low + 1;
  },
  /** How many rungs up `label` stands; 0 for under the floor. */
  height(label) {
    return Math.max(0, rungStep(label) - this.low + 1);
  },
};

/** Filled: a cell. Half: a region. Dashed: a country. A dash: no single place. */
export function hexagon(level) {
  const shape = {
    cell: () => [svg("polygon", { points: HEXAGON, class: "full" })],
    region: () => [
      svg("polygon", { points: HEXAGON, class: "ring" }),
      svg("polygon", { points: "6.5,12.2 1.4,9.3 1.4,6.5 11.6,6.5 11.6,9.3", class: "full" }),
    ],
    country: () => [svg("polygon", { points: HEXAGON, class: "ring dashed" })],
    none: () => [svg("line", { x1: 2, y1: 6.5, x2: 11, y2: 6.5, class: "ring" })],
  }[level];
  return svg("svg", { class: "hexagon", width: 13, height: 13, viewBox: "0 0 13 13", "aria-hidden": "true" }, shape());
}

/** The number with its "+", over bars that show the rung. */
export function crowd(label) {
  const lit = ladder.height(label);
  const rungs = ladder.rungs();
  const width = rungs * 4.5;
  const bars = Array.from({ length: rungs }, (_, rung) => {
    const height = 3 + (rung * 8) / (rungs - 1);
    const x = rung * 4.5;
    return svg("rect", { x, y: 11 - height, width: 3, height, class: rung < lit ? "lit" : "unlit" });
  });
  return [
    el("span", { class: "number" }, label.slice(0, -1), el("sup", {}, "+")),
    svg("svg", { class: "bars", width, height: 11, viewBox: `0 0 ${width} 11`, "aria-hidden": "true" }, bars),
  ];
}

/** One entry a bin of [from, to): its height in rungs (null under the floor), and whether a source was away. */
export function columns(timeline, gaps, from, to) {
  const out = [];
  for (let start = from; start < to; start += BIN_MS) {
    const height = ladder.height(timeline.get(start));
    const away = gaps.some((gap) => gap.from < start + BIN_MS && gap.to > start);
    out.push({ height: height || null, away });
  }
  return out;
}

/** Draws `bins` into a box: hatching behind, an area, and a line that breaks where nothing was published. */
function steps(bins, { x, y, width, top, bottom }) {
  const step = width / bins.length;
  const at = (index) => (x + index * step).toFixed(1);
  const hatched = bins.map((bin, index) =>
    bin.away ? svg("rect", { x: at(index), y: top, width: step.toFixed(1), height: bottom - top, class: "hatched" }) : null,
  );
  const line = [];
  const area = [];
  bins.forEach((bin, index) => {
    if (bin.height === null) return;
    const level = y(bin.height).toFixed(1);
    const goesOn = index > 0 && bins[index - 1].height !== null;
    line.push(`${goesOn ? "L" : "M"}${at(index)} ${level}H${at(index + 1)}`);
    area.push(`M${at(index)} ${bottom}V${level}H${at(index + 1)}V${bottom}Z`);
  });
  return [hatched, svg("path", { d: area.join(""), class: "area" }), svg("path", { d: line.join(""), class: "line" })];
}

/** The row's small chart: twelve bins. */
export function spark(bins) {
  const [width, height] = [96, 30];
  const box = { x: 0, y: (rungs) => height - 1 - (rungs / ladder.rungs()) * (height - 3), width, top: 0, bottom: height - 1 };
  return svg(
    "svg",
    { class: "spark", width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: width, y1: height - 0.5, y2: height - 0.5, class: "ground" }),
    steps(bins, box),
  );
}

/** The open event's chart: rungs named, hours named, the floor explained. */
export function timeline(bins, from, to, floor) {
  const [width, height, left, top, foot] = [400, 184, 38, 8, 22];
  const bottom = height - foot;
  const y = (rungs) => bottom - (rungs / ladder.rungs()) * (bottom - top);
  const marks = [];
  for (let rung = 1; rung <= ladder.rungs(); rung += 1) {
    marks.push(svg("line", { x1: left, x2: width, y1: y(rung), y2: y(rung), class: "rule" }));
    if (ladder.rungs() <= 9 || rung % 2 === 1) {
      marks.push(svg("text", { x: left - 7, y: y(rung) + 4, class: "tick end" }, stepLabel(ladder.low + rung - 1)));
    }
  }
  const hours = [0, 0.5, 1].map((share) =>
    svg(
      "text",
      { x: left + share * (width - left), y: height - 5, class: `tick ${["start", "middle", "end"][share * 2]}` },
      hourMinute(from + share * (to - from)),
    ),
  );
  return svg(
    "svg",
    { class: "timeline", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": inWords(bins, from) },
    marks,
    svg("line", { x1: left, x2: width, y1: bottom, y2: bottom, class: "ground solid" }),
    steps(bins, { x: left, y, width: width - left, top, bottom }),
    svg("text", { x: left + 5, y: bottom - 5, class: "tick start" }, `under ${floor}: nothing shown`),
    hours,
  );
}

function inWords(bins, from) {
  const changes = [];
  let last = null;
  bins.forEach((bin, index) => {
    if (bin.height === last) return;
    last = bin.height;
    const label = last === null ? "nothing shown" : stepLabel(ladder.low + last - 1);
    changes.push(`${hourMinute(from + index * BIN_MS)} ${label}`);
  });
  const away = bins.some((bin) => bin.away) ? " Part of it was not collected." : "";
  return `Accounts in five minutes, by rung: ${changes.join(", ")}.${away}`;
}

/**
 * Six hours of a source or a language: solid where it was read, hatched where it was not, hatched over solid where it
 * came short, bare before we began.
 */
export function strip(gaps, began, ended, from, to) {
  const x = (time) => (((Math.min(Math.max(time, from), to) - from) / (to - from)) * 312).toFixed(1);
  const bar = (start, end, name) =>
    svg("rect", { x: x(start), y: 0, width: Math.max(0, x(end) - x(start)), height: 10, class: name });
  return svg(
    "svg",
    { class: "strip", viewBox: "0 0 312 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 312, y1: 9.5, y2: 9.5, class: "ground" }),
    bar(began, ended, "read"),
    gaps.map((gap) => [gap.total ? bar(gap.from, gap.to, "bare") : null, bar(gap.from, gap.to, "hatched")]),
  );
}
