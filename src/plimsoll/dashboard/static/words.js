// How do figures read? Money comes in quanta of a millionth, rates as shares, times in milliseconds UTC.

const QUANTA = 1e6;

export function money(quanta) {
  return (quanta / QUANTA).toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).replace("-", "−");
}

export function short(quanta) {
  const amount = quanta / QUANTA;
  for (const [size, letter] of [[1e9, "bn"], [1e6, "m"], [1e3, "k"]]) {
    if (Math.abs(amount) >= size) return `${(amount / size).toFixed(Math.abs(amount) >= 100 * size ? 0 : 2)} ${letter}`.replace("-", "−");
  }
  return amount.toFixed(Math.abs(amount) < 10 && amount !== 0 ? 2 : 0).replace("-", "−");
}

export const count = (number) => number.toLocaleString("en-GB");
export const percent = (share, digits = 2) => `${(100 * share).toFixed(digits)} %`;
export const age = (seconds) => (seconds < 120 ? `${seconds.toFixed(0)} s` : seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`);
export function signed(share, digits = 1) {
  const size = (100 * Math.abs(share)).toFixed(digits);
  return `${Number(size) === 0 ? "" : share > 0 ? "+" : "−"}${size} %`;
}

export function price(number) {
  if (!number) return "–";
  const digits = number >= 1000 ? 1 : number >= 10 ? 2 : number >= 1 ? 4 : 5;
  return number.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function moment(milliseconds) {
  return milliseconds ? new Date(milliseconds).toISOString().slice(0, 16).replace("T", " ") : "–";
}

export function span(hours) {
  return hours < 1 ? `${Math.round(hours * 60)} min` : hours < 48 ? `${hours.toFixed(1)} h` : `${(hours / 24).toFixed(1)} d`;
}

export const STATUS = {
  HEALTHY: "healthy", CALLED: "called", PARTIAL: "partial", FULL: "full", AUCTION: "auction", BACKSTOP: "backstop",
  FUND: "fund", ALLOCATION: "allocation", CLOSED: "closed",
};
export const TONE = { HEALTHY: "good", CALLED: "warn", PARTIAL: "bad", FULL: "bad", AUCTION: "bad", BACKSTOP: "bad", FUND: "bad", ALLOCATION: "bad", CLOSED: "" };
export const BINDING = {
  model: "the model", floor: "the long-run floor", "rise-limit": "the rise limit", "fall-limit": "the slow fall",
};

// Whether somebody is pressing a button of the mouse: what is under it must stay until they let go, or the click is lost.
export const hand = { on: null };
addEventListener("pointerdown", (event) => { hand.on = event.target; }, true);
for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, () => { hand.on = null; }, true);

// Puts new children in place of the old; who had the keyboard's focus among them keeps it, in the same place.
export function replaced(list, children) {
  const places = () => [...list.querySelectorAll("a, button")];
  const held = list.contains(document.activeElement) ? places().indexOf(document.activeElement) : -1;
  list.replaceChildren(...children);
  if (held >= 0) places()[held]?.focus({ preventScroll: true });
}

// Builds an element; text goes in as text, never as markup.
export function make(tag, attributes = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...content.flat().filter((each) => each !== null && each !== undefined).map((each) => (each instanceof Node ? each : String(each))));
  return element;
}

export const tag = (status) => make("span", { class: `tag ${TONE[status] ?? ""}` }, STATUS[status] ?? status);
export const cells = (...values) => values.map((value) => make("td", {}, value));
export const table = (head, rows) => make("table", { class: "grid" }, make("thead", {}, make("tr", {}, head.map((each) => make("th", {}, each)))), make("tbody", {}, rows));
export const row = (...values) => make("tr", {}, cells(...values));
export const sum = (pairs) => make("dl", { class: "sum" }, pairs.map(([name, figure, tone = ""]) => make("div", {}, make("dt", {}, name), make("dd", { class: tone }, figure))));
