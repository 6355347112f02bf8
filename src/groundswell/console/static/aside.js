// The quiet column: what is collected and what is not, copies that are no crowd, and how to read the shapes.

import { BIN_MS, crowd, hexagon, ladder, strip } from "./draw.js";
import { byId, el, setText } from "./dom.js";
import { phrases } from "./rows.js";
import { age, chance, duration, hourMinute, languageName, moment, plural, stepLabel } from "./words.js";

const HOURS_SHOWN = 6;
const MOST_LANGUAGES = 6;

/**
 * The stretches that were not collected, or came short, from published coverage records and the sources' own state.
 * `language` is null for a whole source; `total` where nothing came; `late` where it may yet come.
 */
export function gapsOf(coverage, sources, now) {
  const missing = [...coverage.values()].filter((record) => record.ongoing || record.reason !== "late");
  const gaps = missing.map((record) => ({
    source: record.source,
    language: record.language ?? null,
    from: Date.parse(record.first_seen),
    to: record.ongoing ? now : Date.parse(record.last_seen),
    total: record.state === "not_collected" || (record.state !== "below_expected" && record.reason !== "low_volume"),
    late: record.state === "delayed",
    ongoing: record.ongoing === true,
  }));
  for (const source of sources) {
    const since = source.state === "gap" && source.since ? Date.parse(source.since) : null;
    const told = gaps.some((gap) => gap.source === source.name && gap.ongoing && gap.language === null);
    if (since !== null && !told) {
      gaps.push({ source: source.name, language: null, from: since, to: now, total: true, late: false, ongoing: true });
    }
  }
  const rank = (gap) => (gap.language ? 1 : 0);
  return gaps.sort((a, b) => rank(a) - rank(b) || a.from - b.from || (a.language ?? "").localeCompare(b.language ?? ""));
}

const STATES = {
  connected: () => "complete",
  connecting: () => "connecting",
  gap: (source, now) => (source.since ? `gap, ${age(Date.parse(source.since), now)}` : "gap"),
  not_configured: () => "not configured",
};

/** "not collected", "late" or "below expected": what a stretch is called. */
export const gapName = (gap) => (gap.late ? "late" : gap.total ? "not collected" : "below expected");

/** "bluesky", or "Turkish on bluesky". */
export const gapWhose = (gap) => (gap.language ? `${languageName(gap.language)} on ${gap.source}` : gap.source);

/** One sentence about all sources together. */
export function coverageWords(sources, gaps, now) {
  const used = sources.filter((source) => source.state !== "not_configured");
  if (!used.length) return { plain: "No source is configured." };
  const open = gaps.filter((gap) => gap.ongoing);
  const complete = used.filter((source) => source.state === "connected" && !open.some((gap) => gap.source === source.name));
  const plain = `${complete.length} of ${plural(used.length, "source")} complete.`;
  if (!open.length) return { plain };
  const [first, ...others] = open;
  const more = others.length ? `, and ${plural(others.length, "other stretch", "other stretches")}` : "";
  return { plain, loud: `${gapWhose(first)}: ${gapName(first)} since ${moment(first.from, now)}${more}`, rest: ", so counts may be low." };
}

export function drawCoverage(view) {
  const { status, now, gaps } = view;
  const words = coverageWords(status.sources, gaps, now);
  const asOf = view.lostSince ? `As of ${hourMinute(view.lostSince)}: ` : "";
  byId("coverage-words").replaceChildren(asOf, words.plain, " ", words.loud ? el("em", {}, words.loud) : "", words.rest ?? "");
  const to = now - (now % BIN_MS) + BIN_MS;
  const from = to - HOURS_SHOWN * 12 * BIN_MS;
  const span = { from, to, began: status.mode === "live" ? Date.parse(status.started_at) : from };
  const shown = gaps.filter((gap) => gap.to > from).map((gap) => (gap.ongoing ? { ...gap, to } : gap));
  const named = new Set(status.sources.map((source) => source.name));
  const rows = status.sources.map((source) => sourceRow(source, shown, span, now));
  for (const source of new Set(shown.map((gap) => gap.source))) {
    if (!named.has(source)) rows.push(strippedRow(source, "", shown.filter((gap) => gap.source === source && !gap.language), span, now));
    rows.push(...languageRows(source, shown, span, now));
  }
  const axis = el("div", { class: "axis" }, [0, 2, 4].map((hours) => el("span", {}, hourMinute(from + hours * 12 * BIN_MS))), el("b", {}, "now"));
  byId("coverage").replaceChildren(...rows, ...(rows.length ? [axis] : []));
}

function sourceRow(source, gaps, { from, to, began }, now) {
  const own = gaps.filter((gap) => gap.source === source.name && gap.language === null);
  const open = own.find((gap) => gap.ongoing);
  const pace = [`${speed(source.messages_per_second)}/s`];
  if (source.lag_seconds !== null) pace.push(`${lag(source.lag_seconds)} behind`);
  const partly = gaps.some((gap) => gap.source === source.name && gap.ongoing);
  const word = open ? `${gapName(open)}, ${age(open.from, now)}` : partly ? "in part" : STATES[source.state](source, now);
  return el(
    "div",
    { class: `source ${open ? "gap" : source.state}` },
    el("span", { class: "name" }, source.name),
    el("span", { class: "pace" }, source.state === "connected" ? pace.join(", ") : ""),
    el("span", { class: "word" }, word),
    source.state === "not_configured" ? null : strip(own, began, readUntil(source, began, to), from, to),
  );
}

/** The languages of a source that came short, those that still do first. */
function languageRows(source, gaps, span, now) {
  const own = gaps.filter((gap) => gap.source === source && gap.language).sort((a, b) => b.ongoing - a.ongoing || b.from - a.from);
  const languages = [...new Set(own.map((gap) => gap.language))];
  const rows = languages.slice(0, MOST_LANGUAGES).map((language) =>
    strippedRow(languageName(language), "part", own.filter((gap) => gap.language === language), span, now),
  );
  if (languages.length > MOST_LANGUAGES) rows.push(el("p", { class: "quiet" }, `and ${plural(languages.length - MOST_LANGUAGES, "other language")}`));
  return rows;
}

function strippedRow(name, look, gaps, { from, to, began }, now) {
  const open = gaps.find((gap) => gap.ongoing);
  const last = gaps[0];
  const word = open ? `${gapName(open)}, ${age(open.from, now)}` : last ? `${gapName(last)} until ${hourMinute(last.to)}` : "complete";
  return el(
    "div",
    { class: `source ${look} ${open ? "gap" : ""}` },
    el("span", { class: "name" }, name),
    el("span", { class: "pace" }),
    el("span", { class: "word" }, word),
    strip(gaps, began, to, from, to),
  );
}

/** A source that is still connecting was read until that began, or never. */
function readUntil(source, began, to) {
  if (source.state !== "connecting") return to;
  return source.since ? Math.max(began, Date.parse(source.since)) : began;
}

const speed = (rate) => (rate >= 10 ? Math.round(rate).toLocaleString("en") : rate.toFixed(1));
const lag = (seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds));

/** What was copied: its phrases, or, where no word may show, where its links lead, or that nothing of it shows. */
function copied(record) {
  if (record.phrases.length) return phrases(record);
  return record.domains.length ? `links to ${record.domains.join(", ")}` : "wording kept back: it may name somebody";
}

export function drawCopies(records, view) {
  byId("copies-part").hidden = records.length === 0;
  const items = records.map((record) =>
    el(
      "li",
      {},
      el("span", { class: "phrases", dir: "auto" }, copied(record)),
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
    entry(el("i", { class: "swatch hatch" }), "not collected or below the expected, so the count may be low"),
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
