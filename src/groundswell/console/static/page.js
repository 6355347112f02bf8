// The first page. Lists published events and keeps them up to date from the event stream.
//
// While somebody reads, no row moves: what is new waits behind a button, and what changed changes in place.
// The page asks nothing of any other host.

import { drawCopies, drawCoverage, drawLegend, gapsOf } from "./aside.js";
import { drawClock, drawCount, drawState } from "./bands.js";
import { ladder } from "./draw.js";
import { byId, setText } from "./dom.js";
import { drawRow, makeRow, setOpen } from "./rows.js";
import { plural, rungValue } from "./words.js";

const MOST_ROWS = 200;
const MOST_COPIES = 8;
const READING_MS = 20_000;
const CHANGE_SHOWN_MS = 600_000;
const RETRY_MS = 5_000;
const REORDER_MS = 60_000;
const SETTLE_MS = 60;

const events = new Map(); // id → { record, timeline, row, isNew, was, changedAt }
const held = new Map(); // the same, not shown yet
const copies = new Map(); // id → amplification record
const coverage = new Map(); // id → coverage record
const bins = new Map(); // event id → Map(start of bin in ms → label)
const pictures = new Map(); // event id → Map(picture id → record), whether or not the event is here yet
const page = { status: null, heardAt: 0, lostSince: null, open: null, loaded: false, touchedAt: 0 };
let settling = null; // the timer of the next `settle`

/** Stream time in a replay or a simulation, else this machine's. */
function now() {
  if (page.status?.last_tick && page.status.mode !== "live") {
    const drift = page.status.mode === "simulated" ? Date.now() - page.heardAt : 0;
    return Date.parse(page.status.last_tick) + drift;
  }
  return Date.now();
}

/** What the drawing functions need to know. */
function view() {
  const at = now();
  const { status, lostSince } = page;
  return { status, lostSince, now: at, mode: status?.mode, floor: status?.floor ?? 20, gaps: gapsOf(coverage, status?.sources ?? [], at) };
}

// -- taking records in ------------------------------------------------------------------------------

function timelineOf(id) {
  if (!bins.has(id)) bins.set(id, new Map());
  return bins.get(id);
}

function takeBin(series, bin) {
  timelineOf(series).set(Date.parse(bin.start), bin.accounts);
}

function takeRecord(record) {
  if (record.kind === "event") takeEvent(record);
  else if (record.kind === "amplification") takeCopies(record);
  else if (record.kind === "coverage") takeCoverage(record);
  else if (record.kind === "picture") takePicture(record);
}

function takeCoverage(record) {
  keepLast(coverage, record, MOST_ROWS);
  redraw(); // rows are hatched where something is missing
}

function albumOf(id) {
  if (!pictures.has(id)) pictures.set(id, new Map());
  while (pictures.size > 2 * MOST_ROWS) pictures.delete(pictures.keys().next().value);
  return pictures.get(id);
}

function takePicture(record) {
  const album = albumOf(record.event);
  if (record.state === "withdrawn") album.delete(record.id);
  else album.set(record.id, record);
  const known = events.get(record.event);
  if (known?.row) drawRow(known, view());
}

/** Put `record` last in `map` and forget the first ones past `most`. */
function keepLast(map, record, most) {
  map.delete(record.id); // a map keeps the order of insertion
  map.set(record.id, record);
  while (map.size > most) map.delete(map.keys().next().value);
}

function takeEvent(record) {
  for (const bin of record.timeline ?? []) takeBin(record.id, bin);
  if (ladder.hold(record.accounts)) redraw();
  const known = events.get(record.id) ?? held.get(record.id);
  if (!known) {
    held.set(record.id, { record, timeline: timelineOf(record.id), pictures: albumOf(record.id), row: null, isNew: page.loaded, was: null, changedAt: 0 });
    while (held.size > MOST_ROWS) forget(held, held.keys().next().value);
    return;
  }
  if (record.published_at < known.record.published_at) return;
  if (rungValue(record.accounts) > rungValue(known.record.accounts)) {
    Object.assign(known, { was: known.record.accounts, changedAt: now() });
  }
  known.record = record;
  if (known.row) drawRow(known, view());
}

function forget(map, id) {
  map.delete(id);
  bins.delete(id);
  pictures.delete(id);
}

function takeCopies(record) {
  ladder.hold(record.accounts);
  keepLast(copies, record, MOST_COPIES);
}

function takeBins(list) {
  const onPage = list.filter((bin) => bins.has(bin.series));
  for (const bin of onPage) {
    ladder.hold(bin.accounts);
    takeBin(bin.series, bin);
  }
  const current = view();
  for (const id of new Set(onPage.map((bin) => bin.series))) if (events.get(id)?.row) drawRow(events.get(id), current);
}

// -- showing them -----------------------------------------------------------------------------------

/** Places of the ids in the list that the server ranked last; what it has not seen yet is new, and first. */
const order = new Map();

function takeOrder(list) {
  order.clear();
  for (const record of list) order.set(record.id, order.size);
}

const placeOf = (entry) => order.get(entry.record.id) ?? -1;
const byRank = (a, b) => placeOf(a) - placeOf(b) || byNewest(a, b);
const byNewest = (a, b) => b.record.first_seen.localeCompare(a.record.first_seen) || a.record.id.localeCompare(b.record.id);

/** Put the held events on the page: in the server's order, what it has not ranked yet first, ended ones apart. */
function showHeld() {
  for (const entry of events.values()) entry.isNew = false;
  for (const [id, entry] of held) events.set(id, entry);
  held.clear();
  const sorted = [...events.values()].sort(byRank);
  for (const entry of sorted.splice(MOST_ROWS)) {
    forget(events, entry.record.id);
  }
  const focused = document.activeElement;
  const current = view();
  for (const entry of sorted) {
    entry.row ??= makeRow(entry, toggle);
    drawRow(entry, current);
  }
  const ended = sorted.filter((entry) => entry.record.state === "ended").sort(byNewest);
  const live = sorted.filter((entry) => entry.record.state !== "ended");
  byId("live").replaceChildren(...live.map((entry) => entry.row.item));
  byId("ended").replaceChildren(...ended.map((entry) => entry.row.item));
  byId("ended-part").hidden = ended.length === 0;
  focused?.focus?.({ preventScroll: true }); // moving a row in the document takes its focus away
}

/** Somebody is in the middle of the list: rows must stay where they are. */
function reading() {
  if (document.hidden || events.size === 0) return false;
  const inList = byId("events").contains(document.activeElement) && document.activeElement !== byId("events");
  return page.open !== null || inList || window.scrollY > 40 || Date.now() - page.touchedAt < READING_MS;
}

function settle() {
  clearTimeout(settling);
  settling = null;
  if (held.size && !reading()) showHeld();
  const current = view();
  const waiting = held.size;
  byId("held").hidden = waiting === 0;
  setText(byId("held-count"), `${waiting} new`);
  setText(byId("news"), waiting ? `${plural(waiting, "new event")} waiting. Press N to show.` : "");
  byId("columns").hidden = byId("live").children.length === 0;
  drawEmpty(current);
  drawCount(current, events.size, waiting);
  drawState(current);
  drawClock(current);
  drawCopies([...copies.values()].reverse(), current);
  if (current.status) drawCoverage(current);
  drawLegend(current.floor);
}

function redraw() {
  const current = view();
  for (const entry of events.values()) if (entry.row) drawRow(entry, current);
}

function drawEmpty(current) {
  byId("empty").hidden = !page.loaded || byId("live").children.length > 0;
  const { status } = current;
  const deaf = current.lostSince !== null;
  setText(byId("empty-title"), deaf ? "Reconnecting." : "Listening.");
  setText(
    byId("empty-words"),
    deaf
      ? "The stream from groundswell was lost. This page tries again by itself; is `groundswell run` still running?"
      : `The first event appears when at least ${current.floor} accounts speak of one matter at about the same time. Nothing is shown of fewer.`,
  );
  const heard = (status?.sources ?? []).filter((source) => source.state === "connected");
  const words = heard.map((source) => `${source.name}: ${source.messages_per_second.toFixed(0)} messages a second`);
  setText(byId("empty-sources"), deaf ? "" : words.join("\n"));
}

function toggle(id) {
  const before = page.open;
  if (before !== null && events.has(before)) setOpen(events.get(before), false, view());
  page.open = before === id ? null : id;
  if (page.open !== null) setOpen(events.get(id), true, view());
}

// -- the wire ---------------------------------------------------------------------------------------

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** Read the lists again: at the start, and when the stream says that messages were missed. */
function load() {
  return readLists().then(found, () => {
    lost();
    setTimeout(load, RETRY_MS);
  });
}

async function readLists() {
  const lists = await Promise.all([
    get(`/api/coverage?limit=${MOST_ROWS}`),
    get(`/api/amplification?limit=${MOST_COPIES}`),
    get(`/api/pictures?limit=${MOST_ROWS}`),
    get(`/api/events?order=rank&limit=${MOST_ROWS}`),
  ]);
  takeOrder(lists[3]);
  for (const list of lists) for (const record of list.reverse()) takeRecord(record); // oldest first
  if (!page.loaded) showHeld();
  page.loaded = true;
}

/** Ask for the order again: what grew may have risen. Rows move only while nobody reads. */
function reorder() {
  return get(`/api/events?order=rank&limit=${MOST_ROWS}`).then(
    (list) => {
      takeOrder(list);
      if (!reading()) showHeld();
    },
    () => {}, // the stream says by itself that the server is lost
  );
}

function found() {
  page.lostSince = null;
  settle();
}

function lost() {
  page.lostSince ??= Date.now();
  settle();
}

function listen() {
  const stream = new EventSource("/api/stream");
  const on = (name, take) =>
    stream.addEventListener(name, (message) => {
      take(JSON.parse(message.data));
      settling ??= setTimeout(settle, SETTLE_MS); // a full-speed replay brings hundreds a second
    });
  on("record", takeRecord);
  on("bins", takeBins);
  on("status", (status) => {
    Object.assign(page, { status, heardAt: Date.now() });
    redraw();
  });
  on("resync", load);
  stream.addEventListener("open", () => {
    if (page.loaded) found();
    else load();
  });
  stream.addEventListener("error", () => {
    lost();
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS); // refused, not cut
  });
}

// -- hands ------------------------------------------------------------------------------------------

function move(by) {
  const rows = [...document.querySelectorAll(".rows .row")];
  const at = rows.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next]?.focus();
  rows[next]?.scrollIntoView({ block: "nearest" });
}

function newest() {
  showHeld();
  settle();
  window.scrollTo({ top: 0 });
}

const THEMES = { key: "groundswell.theme", dark: matchMedia("(prefers-color-scheme: dark)") };

function turnTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : THEMES.dark.matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try {
    localStorage.setItem(THEMES.key, root.dataset.theme);
  } catch {
    // a browser that keeps nothing forgets the choice; the page works all the same
  }
}

function recallTheme() {
  try {
    const theme = localStorage.getItem(THEMES.key);
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // as above
  }
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  n: newest,
  t: turnTheme,
  "?": () => byId("keys").showModal(),
  Escape: () => page.open !== null && toggle(page.open),
};

document.addEventListener("keydown", (press) => {
  page.touchedAt = Date.now();
  if (press.ctrlKey || press.metaKey || press.altKey || byId("keys").open) return;
  const act = KEYS[press.key.length === 1 ? press.key.toLowerCase() : press.key];
  if (!act) return;
  press.preventDefault();
  act();
});
for (const touch of ["pointermove", "pointerdown", "wheel"]) {
  byId("events").addEventListener(touch, () => (page.touchedAt = Date.now()), { passive: true });
}
byId("held").addEventListener("click", newest);
byId("theme").addEventListener("click", turnTheme);
byId("help").addEventListener("click", () => byId("keys").showModal());
document.addEventListener("visibilitychange", settle);

recallTheme();
setInterval(() => drawClock(view()), 1000);
setInterval(() => {
  const current = view();
  for (const entry of events.values()) if (current.now - entry.changedAt > CHANGE_SHOWN_MS) entry.was = null;
  redraw();
  settle();
}, 15_000);
setInterval(reorder, REORDER_MS);
listen();
