// How the page says things: times, numbers, codes and degrees of certainty in plain words.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "9 min", "5 h", "3 days": how long before `now` (ms) `time` (ms) was. */
export function age(time, now) {
  const gone = Math.max(0, now - time);
  if (gone < MINUTE) return "just now";
  if (gone < HOUR) return `${Math.floor(gone / MINUTE)} min`;
  if (gone < 2 * DAY) return `${Math.floor(gone / HOUR)} h`;
  return `${Math.floor(gone / DAY)} days`;
}

/** "a, b and c" */
export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

const part = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hourCycle: "h23", ...options });
const SECONDS = part({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const MINUTES = part({ hour: "2-digit", minute: "2-digit" });
const DATE = part({ day: "numeric", month: "short", year: "numeric" });
const LONG_DATE = part({ day: "numeric", month: "long", year: "numeric" });

export const clock = (time) => SECONDS.format(time);
export const hourMinute = (time) => MINUTES.format(time);
export const longDate = (time) => LONG_DATE.format(time);

/** "14:32", or "3 May 2026, 14:32" when it is not of the same day as `now`. */
export function moment(time, now) {
  const date = DATE.format(time);
  return date === DATE.format(now) ? hourMinute(time) : `${date}, ${hourMinute(time)}`;
}

// -- codes ------------------------------------------------------------------------------------------

const LANGUAGES = new Intl.DisplayNames("en", { type: "language", fallback: "code" });
const REGIONS = new Intl.DisplayNames("en", { type: "region", fallback: "code" });

function attempt(make, otherwise) {
  try {
    return make() ?? otherwise;
  } catch {
    return otherwise; // a code that `Intl` finds malformed
  }
}

/** "tr" for "tur_Latn"; the code as it is when there is no shorter one. */
export function languageTag(code) {
  const base = code.split("_")[0];
  return base === "und" ? "" : attempt(() => new Intl.Locale(base).language, base);
}

/** "Turkish" for "tur_Latn". */
export function languageName(code) {
  const base = code.split("_")[0];
  return base === "und" ? "not told apart" : attempt(() => LANGUAGES.of(base), base);
}

/** "Türkiye" for "TR". */
export const countryName = (code) => attempt(() => REGIONS.of(code), code);

/** "Power cut" for "power_cut". */
export function categoryName(category) {
  const words = category.replaceAll(/[_-]+/g, " ");
  return category === "other" ? "Unsorted" : words.charAt(0).toUpperCase() + words.slice(1);
}

// -- the ladder -------------------------------------------------------------------------------------

/** The number a rung begins at: "2k+" is 2000. */
export function rungValue(label) {
  const found = /^(\d+)([kM]?)\+$/.exec(label ?? "");
  return found ? Number(found[1]) * { "": 1, k: 1e3, M: 1e6 }[found[2]] : 0;
}

/** The rung's place in 1, 2, 5, 10, 20, 50, …: 20+ is 4, 50+ is 5. Every rung is one step high. */
export function rungStep(label) {
  const value = rungValue(label);
  if (value < 1) return -1;
  const tens = Math.floor(Math.log10(value) + 1e-9);
  return 3 * tens + { 1: 0, 2: 1, 5: 2 }[Math.round(value / 10 ** tens)];
}

/** The label of a step: 4 is "20+". */
export function stepLabel(step) {
  const value = [1, 2, 5][step % 3] * 10 ** Math.floor(step / 3);
  if (value >= 1e6) return `${value / 1e6}M+`;
  return value >= 1e3 ? `${value / 1e3}k+` : `${value}+`;
}

// -- how sure ---------------------------------------------------------------------------------------

// Average area of an H3 cell by resolution, in square kilometres (h3geo.org, table of cell areas).
const CELL_KM2 = { 3: "12,400", 4: "1,770", 5: "253", 6: "36" };

/** What the place's shape means, in words. */
export function placeReach(place) {
  if (!place) return "no single place";
  if (place.level === "country") return "known to the country only";
  const area = place.h3 ? CELL_KM2[Number.parseInt(place.h3[1], 16)] : null;
  const around = area ? `an area of about ${area}\u00a0km²` : "an area";
  return place.level === "region" ? `somewhere in ${around}` : `within ${around}`;
}

/** How sure the place is, in words and with its number. */
export function placeSureness(place) {
  const sure =
    place.confidence >= 0.85 ? "sure" : place.confidence >= 0.65 ? "fairly sure" : place.confidence >= 0.4 ? "unsure" : "a guess";
  return `${sure} (${Math.round(place.confidence * 100)} % of the clues agree)`;
}

/** How small a chance is, in words. */
export function chance(probability) {
  if (!(probability > 0)) return "less than one in a million";
  const times = 10 ** Math.floor(Math.log10(1 / probability) + 1e-9);
  return times >= 1e6 ? "less than one in a million" : `about one in ${times.toLocaleString("en")}`;
}

/** "40 seconds", "4 minutes". */
export function duration(seconds) {
  if (seconds < 90) return plural(Math.max(1, Math.round(seconds)), "second");
  if (seconds < 5400) return plural(Math.round(seconds / 60), "minute");
  return plural(Math.round(seconds / 3600), "hour");
}
