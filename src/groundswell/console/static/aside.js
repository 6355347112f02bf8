// The quiet column: what is collected and what is not, copies that are no crowd, and how to read the shapes.

import { BIN_MS, crowd, hexagon, ladder, strip } from "./draw.js";
import { byId, el, setText } from "./dom.js";
import { phrases } from "./rows.js";
import { age, chance, duration, hourMinute, listed, moment, plural, stepLabel } from "./words.js";

const HOURS_SHOWN = 6;

/** The stretches that were not collected, from published coverage records and the sources' own state. */
export function gapsOf(coverage, sources, now) {
  const gaps = [...coverage.values()]
    .filter((record) => record.state === "not_collected")
    .map((record) => ({ source: record.source, from: Date.parse(record.first_seen), to: Date.parse(record.last_seen) }));
  for (const source of sources) {
    if (source.state === "gap" && source.since) gaps.push({ source: source.name, from: Date.parse(source.since), to: now });
  }
  return gaps;
}

const STATES = {
  connected: () => "complete",
  connecting: () => "connecting",
  gap: (source, now) => (source.since ? `gap, ${age(Date.parse(source.since), now)}` : "gap"),
  not_configured: () => "not configured",
};

/** One sentence about all sources together. */
export function coverageWords(sources, now) {
  const used = sources.filter((source) => source.state !== "not_configured");
  if (!used.length) return { plain: "No source is configured." };
  const gaps = used.filter((source) => source.state === "gap");
  const complete = used.filter((source) => source.state === "connected").length;
  const plain = `${complete} of ${plural(used.length, "source")} complete.`;
  if (!gaps.length) return { plain };
  const since = gaps[0].since ? ` since ${moment(Date.parse(gaps[0].since), now)}` : "";
  const names = listed(gaps.map((source) => source.name));
  return { plain, loud: `${names} ${gaps.length > 1 ? "are" : "is"} in a gap${gaps.length > 1 ? "" : since}`, rest: ", so counts may be low." };
}

export function drawCoverage(view) {
  const { status, now, gaps } = view;
  const words = coverageWords(status.sources, now);
  const asOf = view.lostSince ? `As of ${hourMinute(view.lostSince)}: ` : "";
  byId("coverage-words").replaceChildren(asOf, words.plain, " ", words.loud ? el("em", {}, words.loud) : "", words.rest ?? "");
  const to = now - (now % BIN_MS) + BIN_MS;
  const from = to - HOURS_SHOWN * 12 * BIN_MS;
  const began = status.mode === "live" ? Date.parse(status.started_at) : from;
  const rows = status.sources.map((source) => {
    const own = gaps.filter((gap) => gap.source === source.name && gap.to > from);
    const pace = [`${speed(source.messages_per_second)}/s`];
    if (source.lag_seconds !== null) pace.push(`${lag(source.lag_seconds)} behind`);
    return el(
      "div",
      { class: `source ${source.state}` },
      el("span", { class: "name" }, source.name),
      el("span", { class: "pace" }, source.state === "connected" ? pace.join(", ") : ""),
      el("span", { class: "word" }, STATES[source.state](source, now)),
      source.state === "not_configured" ? null : strip(own, began, readUntil(source, began, to), from, to),
    );
  });
  const axis = el("div", { class: "axis" }, [0, 2, 4].map((hours) => el("span", {}, hourMinute(from + hours * 12 * BIN_MS))), el("b", {}, "now"));
  byId("coverage").replaceChildren(...rows, ...(rows.length ? [axis] : []));
}

/** A source that is still connecting was read until that began, or never. */
function readUntil(source, began, to) {
  if (source.state !== "connecting") return to;
  return source.since ? Math.max(began, Date.parse(source.since)) : began;
}

const speed = (rate) => (rate >= 10 ? Math.round(rate).toLocaleString("en") : rate.toFixed(1));
const lag = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds));

export function drawCopies(records, view) {
  byId("copies-part").hidden = records.length === 0;
  const items = records.map((record) =>
    el(
      "li",
      {},
      el("span", { class: "phrases", dir: "auto" }, phrases(record)),
      el("span", { class: "crowd" }, crowd(record.accounts)),
      el(
        "span",
        { class: "meta" },
        `within ${duration(record.spread_seconds)}, ${age(Date.parse(record.first_seen), view.now)} ago. By chance: ${chance(record.p_value)}`,
      ),
    ),
  );
  byId("copies").replaceChildren(...items);
}

export function drawLegend(floor) {
  const entry = (shape, ...words) => el("div", {}, el("dt", {}, shape), el("dd", {}, words));
  const [here, next] = [ladder.low, ladder.low + 1].map(stepLabel);
  byId("legend").replaceChildren(
    entry(hexagon("cell"), "within a small area"),
    entry(hexagon("region"), "somewhere in a region"),
    entry(hexagon("country"), "the country only"),
    entry(hexagon("none"), "no single place"),
    entry(el("i", { class: "swatch hatch" }), "not collected, so the count may be low"),
    entry(el("span", { class: "number" }, here.slice(0, -1), el("sup", {}, "+")), `at least so many accounts; the next step is ${next.slice(0, -1)}`),
  );
  const note = `Nothing is shown of fewer than ${floor} accounts, and nothing ever of one.`;
  let last = byId("legend-note");
  if (!last) {
    last = el("p", { class: "quiet", id: "legend-note" });
    byId("legend").after(last);
  }
  setText(last, note);
}
