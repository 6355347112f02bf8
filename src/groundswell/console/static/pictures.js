// The pictures of an event: what the crowd made public, with faces and plates filled in before it came here.

import { el } from "./dom.js";
import { languageName, listed } from "./words.js";

const href = (picture) => `/api/pictures/${encodeURIComponent(picture.id)}`;
const isShown = (picture) => picture.media_type !== null;

/** What stands in a picture, for those who cannot see it; nothing is made up about what it shows. */
function description(picture) {
  const parts = [];
  if (picture.words.length) parts.push(`words on it: ${picture.words.join(", ")}`);
  if (picture.emblems.length) parts.push(`emblems: ${listed(picture.emblems.map((emblem) => emblem.name))}`);
  return `A picture that ${picture.accounts} accounts posted${parts.length ? `; ${parts.join("; ")}` : ""}`;
}

const image = (picture, attributes) =>
  el("img", { src: href(picture), width: picture.width, height: picture.height, loading: "lazy", decoding: "async", ...attributes });

/** The first picture, small, for the row; null where none can be shown. */
export function thumbnail(pictures) {
  const picture = pictures.find(isShown);
  return picture ? image(picture, { class: "thumb", alt: "" }) : null;
}

/** All of them with their words and emblems, for the open event. */
export function strip(pictures) {
  if (!pictures.length) return null;
  return [
    el("h3", {}, "Pictures", el("span", { class: "quiet" }, " faces and number plates are filled in; gone after three days")),
    el("ul", { class: "album" }, pictures.map(entry)),
  ];
}

function entry(picture) {
  const shown = isShown(picture) ? image(picture, { alt: description(picture) }) : el("p", { class: "unshown quiet" }, "told, and not shown: it could not be made safe");
  return el(
    "li",
    {},
    shown,
    el("p", { class: "caption" }, el("b", {}, picture.accounts), " accounts"),
    picture.words.length
      ? el(
          "p",
          { class: "caption" },
          "Reads ",
          picture.words.flatMap((words, index) => [index ? " · " : null, el("span", { class: "phrase said", dir: "auto" }, words)]),
          picture.languages.length ? el("span", { class: "quiet" }, ` ${listed(picture.languages.map(languageName))}`) : null,
        )
      : null,
    picture.emblems.length
      ? el("p", { class: "caption" }, "Shows ", listed(picture.emblems.map((emblem) => emblem.name)))
      : null,
    picture.tags.length ? el("p", { class: "caption quiet" }, `seems to show: ${listed(picture.tags)} (experimental)`) : null,
  );
}
