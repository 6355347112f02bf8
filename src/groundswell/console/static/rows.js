// One event as a row, and what opens below it. A row keeps its elements and changes them in place.

import { BIN_MS, columns, crowd, hexagon, ladder, spark, timeline } from "./draw.js";
import { el, refresh } from "./dom.js";
import { strip, thumbnail } from "./pictures.js";
import {
  age, categoryName, countryName, hourMinute, languageName, languageTag, listed, moment, placeReach, placeSureness, rungValue, stepLabel,
} from "./words.js";

const HOUR = 12 * BIN_MS;

/** The language to shape a phrase in: Han characters look different in Japanese and in Chinese. */
function phraseLanguage(phrase, record) {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(phrase)) return "ja";
  if (/\p{Script=Hangul}/u.test(phrase)) return "ko";
  if (/\p{Script=Han}/u.test(phrase)) {
    return record.languages.map(languageTag).find((tag) => ["ja", "zh", "yue", "wuu"].includes(tag)) ?? "zh";
  }
  return record.languages.length === 1 ? languageTag(record.languages[0]) || null : null;
}

/** Phrases joined by a middle dot, each with its own direction. */
export function phrases(record) {
  return record.phrases.flatMap((phrase, index) => [
    index ? el("span", { class: "dot" }, " · ") : null,
    el("span", { class: "phrase", lang: phraseLanguage(phrase, record) }, phrase),
  ]);
}

const level = (record) => record.place?.level ?? "none";

/** "Türkiye" alone when the country is all that is known, else "İzmir, Türkiye". */
function placeWords(record) {
  if (!record.place) return ["No single place"];
  const country = countryName(record.place.country);
  if (record.place.level === "country" || record.place.name === country) return [country];
  return [record.place.name, el("span", { class: "country" }, `, ${country}`)];
}

function few(items, most, separator = " ") {
  const rest = items.length > most ? ` +${items.length - most}` : "";
  return items.slice(0, most).join(separator) + rest;
}

function meta(entry, old, view) {
  const { record } = entry;
  const tags = record.languages.map(languageTag).filter(Boolean);
  const odd = record.simulated && view.mode !== "simulated" ? "simulated" : record.replayed && view.mode !== "replay" ? "replayed" : null;
  return [
    odd ? el("span", { class: `tag ${odd}` }, odd) : null,
    el("b", {}, categoryName(record.category)),
    el("span", { class: "place" }, hexagon(level(record)), el("span", {}, placeWords(record))),
    tags.length ? el("span", { class: "languages", title: listed(record.languages.map(languageName)) }, few(tags, 3)) : null,
    el("span", { class: "origins" }, few([...record.sources, ...record.domains], 2, ", ")),
    el("span", { class: "since-inline" }, `${old}, `, change(entry)),
  ];
}

/** What changed last: the rung it stood on before, or the state it is in. */
function change(entry) {
  if (entry.was) return el("em", {}, `was ${entry.was}`);
  const { state } = entry.record;
  return state === "new" ? el("em", {}, state) : el("span", { class: "state" }, state);
}

/** The gaps of the sources, and of the languages in them, that this record was heard on. */
const gapsOf = (record, view) =>
  view.gaps.filter((gap) => record.sources.includes(gap.source) && (!gap.language || record.languages.includes(gap.language)));

/** Where the row's hour ends: now, or the event's own last moment when it is long past. */
function hourEnd(record, now) {
  const last = Date.parse(record.last_seen);
  const end = now - last > HOUR ? last + BIN_MS : now;
  return end - (end % BIN_MS);
}

/** The row of `entry`; `toggle(id)` is called when it is opened or closed. */
export function makeRow(entry, toggle) {
  const { id } = entry.record;
  const parts = {
    phrases: el("span", { class: "phrases", dir: "auto" }),
    meta: el("span", { class: "meta" }),
    thumb: el("span", { class: "shown" }),
    spark: el("span", { class: "chart" }),
    crowd: el("span", { class: "crowd" }),
    since: el("span", { class: "since" }),
  };
  const button = el(
    "button",
    { class: "row", type: "button", "aria-expanded": "false", onclick: () => toggle(id) },
    el("span", { class: "what" }, el("span", { class: "told" }, parts.phrases, parts.meta), parts.thumb),
    parts.spark,
    parts.crowd,
    parts.since,
  );
  return { ...parts, button, item: el("li", { "data-id": id }, button), detail: null };
}

/** Bring the row up to date, in place. */
export function drawRow(entry, view) {
  const { record, row } = entry;
  const scale = `${ladder.low} ${ladder.high}`;
  const to = hourEnd(record, view.now);
  const bins = columns(entry.timeline, gapsOf(record, view), to - HOUR, to);
  const old = age(Date.parse(record.first_seen), view.now);
  row.item.className = [record.state, entry.isNew && "unseen", row.detail && "open"].filter(Boolean).join(" ");
  row.spark.classList.toggle("hot", record.state === "new");
  refresh(row.phrases, JSON.stringify(record.phrases), () => phrases(record));
  refresh(row.meta, JSON.stringify([record, view.mode, old, entry.was]), () => meta(entry, old, view));
  const pictures = [...entry.pictures.values()];
  refresh(row.thumb, JSON.stringify(pictures.map((picture) => picture.id)), () => thumbnail(pictures));
  refresh(row.spark, JSON.stringify([scale, bins]), () => spark(bins));
  refresh(row.crowd, `${scale} ${record.accounts}`, () => [crowd(record.accounts), el("span", { class: "sr" }, " accounts or more")]);
  refresh(row.since, JSON.stringify([old, record.state, entry.was]), () => [el("span", {}, old), change(entry)]);
  if (row.detail) drawDetail(entry, view);
}

/** Open or close the row's detail. */
export function setOpen(entry, open, view) {
  const { row } = entry;
  row.button.setAttribute("aria-expanded", String(open));
  row.item.classList.toggle("open", open);
  if (!open) {
    row.detail?.remove();
    row.detail = null;
    return;
  }
  row.detail = el(
    "div",
    { class: "detail", role: "region", "aria-label": "About this event" },
    el("figure"),
    el("dl"),
    el("div", { class: "pictures" }),
  );
  drawDetail(entry, view);
  row.item.append(row.detail);
}

// -- the open event ---------------------------------------------------------------------------------

function drawDetail(entry, view) {
  const { record, row } = entry;
  const [figure, list, album] = row.detail.children;
  const end = hourEnd(record, view.now);
  const first = [...entry.timeline.keys()].reduce((low, start) => Math.min(low, start), end);
  const from = Math.max(end - 3 * HOUR, Math.min(first, end - HOUR));
  const bins = columns(entry.timeline, gapsOf(record, view), from, end);
  refresh(figure, JSON.stringify([ladder.low, ladder.high, from, end, bins]), () => [
    el("figcaption", {}, "Accounts in five minutes"),
    timeline(bins, from, end, view.floor),
    bins.some((bin) => bin.away) ? hatchNote() : null,
  ]);
  refresh(list, JSON.stringify(record), () => facts(record, view));
  const pictures = [...entry.pictures.values()];
  refresh(album, JSON.stringify(pictures), () => strip(pictures));
}

function hatchNote() {
  return el("p", { class: "quiet" }, el("i", { class: "swatch hatch" }), "not collected, or not all of it: at least this many");
}

function facts(record, view) {
  const when = (text) => `${moment(Date.parse(text), view.now)} UTC`;
  const place = record.place ? placeWords(record) : ["No single place"];
  return [
    fact("In their words", el("ul", { class: "said" }, record.phrases.map((phrase) => said(phrase, record)))),
    fact("Place", el("span", { class: "place" }, hexagon(level(record)), el("span", {}, place))),
    fact("How sure", record.place ? `${placeSureness(record.place)}, ${placeReach(record.place)}` : "the crowd names no one place"),
    fact("Crowd", crowdWords(record)),
    fact("Languages", listed(record.languages.map(languageName)) || "not told apart"),
    fact("Heard on", listed(record.sources)),
    record.domains.length ? fact("Links to", listed(record.domains)) : null,
    fact("Seen", `${when(record.first_seen)} to ${hourMinute(Date.parse(record.last_seen))}; published ${when(record.published_at)}`),
    record.simulated ? fact("Mind", "made up by the simulator: there is nothing to read") : null,
  ];
}

const fact = (term, ...value) => el("div", {}, el("dt", {}, term), el("dd", {}, value));

/** A phrase, and a way to read what people wrote with it: at the platform itself, nothing is fetched here. */
function said(phrase, record) {
  const words = el("span", { class: "phrase", lang: phraseLanguage(phrase, record), dir: "auto" }, phrase);
  if (record.simulated || !record.sources.some((source) => /bluesky|jetstream/i.test(source))) return el("li", {}, words);
  const href = `https://bsky.app/search?q=${encodeURIComponent(`"${phrase}"`)}`;
  return el(
    "li",
    {},
    words,
    el("a", { href, rel: "noopener noreferrer", target: "_blank" }, "search on Bluesky", el("span", { class: "sr" }, `: ${phrase}`)),
  );
}

function crowdWords(record) {
  const [least, next] = [record.accounts, stepLabel(ladder.low + ladder.height(record.accounts))].map((label) =>
    rungValue(label).toLocaleString("en"),
  );
  return `at least ${least} accounts (the next step is ${next}); an account is not always a person`;
}
