// What state the page is in, said loudly unless it is simply live: pill, bands, favicon and title.

import { gapName, gapWhose } from "./aside.js";
import { byId, el, setText } from "./dom.js";
import { clock, hourMinute, listed, longDate, moment, plural } from "./words.js";

const ICONS = { simulated: "/static/favicon-simulated.svg", replay: "/static/favicon-replay.svg" };

/** The pill's look and words. */
function pill({ status, lostSince, gaps }) {
  if (lostSince) return ["lost", "Reconnecting"];
  if (!status) return ["connecting", "Connecting"];
  if (status.mode === "simulated") return ["simulated", "Simulated"];
  if (status.mode === "replay") return ["replay", "Replay"];
  if (status.store_blocked) return ["lost", "Not publishing"];
  const open = gaps.filter((gap) => gap.ongoing).length;
  if (open) return ["gap", `Live, ${plural(open, "gap")}`];
  return status.sources.some((source) => source.state === "connected") ? ["live", "Live"] : ["connecting", "Connecting"];
}

/** Every band that applies: its look, its name, what it says; what a phone says instead; what a phone leaves out. */
function bands(view) {
  const { status, lostSince, now } = view;
  const out = [];
  if (lostSince) {
    out.push(["lost", "Reconnecting.", `This page has heard nothing from groundswell since ${hourMinute(lostSince)} UTC. What it shows may be old.`]);
  }
  if (!status) return out;
  if (status.mode === "simulated") {
    out.push(["simulated", "Simulated hour.", "Every post, place and source on this page was made up by the simulator.", "Nothing here is happening."]);
  }
  if (status.mode === "replay") {
    const day = status.last_tick ? `This is ${longDate(now)}, as it was recorded.` : "These are recorded posts.";
    out.push(["replay", "Replay.", "Nothing on this page is live.", day]);
  }
  if (status.store_blocked) {
    out.push(["lost", "Not publishing.", "Records cannot be written: the disk may be full or the file locked.", "What was published is safe."]);
  }
  out.push(...gapBands(view));
  if (status.mode === "live") out.push(...connectingBands(status));
  return out;
}

const GAPS = {
  "not collected": ["Gap.", "has sent nothing"],
  late: ["Late.", "has sent nothing, and it may yet come,"],
  "below expected": ["Below expected.", "has sent far less than usual"],
};

/** A band for each source that is away or short, and one for all languages that are. */
function gapBands({ gaps, now }) {
  const open = gaps.filter((gap) => gap.ongoing);
  const consequence = "Events may be missing and counts may be low.";
  const out = open
    .filter((gap) => !gap.language)
    .map((gap) => {
      const [name, what] = GAPS[gapName(gap)];
      return ["gap", name, `${gap.source} ${what} since ${moment(gap.from, now)} UTC.`, null, consequence];
    });
  const short = open.filter((gap) => gap.language);
  if (short.length) {
    const first = Math.min(...short.map((gap) => gap.from));
    const whose = listed([...short.slice(0, 3).map(gapWhose), ...(short.length > 3 ? [`${short.length - 3} more`] : [])]);
    out.push(["gap", "Below expected.", `${whose}: far fewer posts than usual since ${moment(first, now)} UTC.`, null, consequence]);
  }
  return out;
}

function connectingBands(status) {
  const out = [];
  const connecting = status.sources.filter((source) => source.state === "connecting");
  if (connecting.length) out.push(["gap", "Connecting.", `${listed(connecting.map((source) => source.name))}: no answer yet.`]);
  return out;
}

export function drawState(view) {
  const [look, words] = pill(view);
  byId("pill").className = `pill ${look}`;
  setText(byId("pill-words"), words);
  const wanted = bands(view);
  const key = JSON.stringify(wanted);
  const holder = byId("bands");
  if (holder.dataset.key !== key) {
    holder.dataset.key = key;
    const said = (look, words) => (words ? el("span", { class: look }, words) : null);
    const drawn = wanted.map(([name, title, words, short, tail]) =>
      el("p", { class: `band ${name}` }, el("b", {}, title), said(short ? "long" : "", words), said("", short), said("long", tail)),
    );
    holder.replaceChildren(...drawn);
  }
  const icon = ICONS[view.status?.mode] ?? "/static/favicon.svg";
  if (byId("favicon").getAttribute("href") !== icon) byId("favicon").setAttribute("href", icon);
  document.documentElement.dataset.mode = view.status?.mode ?? "unknown";
}

/** "13 simulated events": a number that travels without the page must still say what it counts. */
export function drawCount(view, shown, held) {
  const kind = { simulated: "simulated ", replay: "replayed " }[view.status?.mode] ?? "";
  const events = shown ? plural(shown, `${kind}event`) : `No ${kind}events yet`;
  setText(byId("count"), events);
  const prefix = { simulated: "(simulated) ", replay: "(replay) " }[view.status?.mode] ?? "";
  document.title = `${prefix}${held ? `${held} new` : events} · groundswell`;
}

export function drawClock(view) {
  const replay = view.status?.mode === "replay" && view.status.last_tick;
  setText(byId("clock"), replay ? `${longDate(view.now)}, ${hourMinute(view.now)}` : clock(view.now));
}
