// Builds elements. Text becomes text nodes and nothing here parses markup: phrases are other people's words,
// and some of those people will try.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** An HTML element; `on…` attributes are listeners, null ones are left out, string children are text. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Redraw `node` only when `key` differs from the last time, so that focus and selections inside it live on. */
export function refresh(node, key, make) {
  if (drawn.get(node) === key) return;
  drawn.set(node, key);
  node.replaceChildren(...[make()].flat(Infinity).filter((child) => child !== null && child !== undefined));
}

const drawn = new WeakMap();

/** Set text only when it differs, so that screen readers and selections are left in peace. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
