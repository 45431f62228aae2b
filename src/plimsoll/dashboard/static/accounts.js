// How are a million accounts shown? Only those in the window are asked for, and only those are drawn.

import { ask } from "./ask.js";
import { count, hand, make, money, STATUS, tag } from "./words.js";

const ROW = 28;
const PAGE = 60;
const TALLEST = 8_000_000; // pixels that every browser scrolls exactly; the bar of a longer list moves more than a row's height per row

const pane = document.getElementById("window");
const height = document.getElementById("height");
const rows = document.getElementById("rows");
// `first` is the place at the top of the window, in rows and parts of a row; `chosen` the place that the keyboard is at. `account` was
// chosen there: null before anybody chose, "" while its page is being asked for.
const state = { total: 0, offset: 0, entries: [], status: "", name: "", order: "health", first: 0, chosen: 0, account: null, open: () => {}, opening: false, asking: false, again: false };

export function startAccounts(open) {
  state.open = open;
  const chips = document.getElementById("status");
  for (const [status, word] of [["", "all"], ...Object.entries(STATUS)]) {
    chips.append(make("button", { type: "button", "aria-pressed": status === "" ? "true" : "false", onclick: (event) => {
      for (const chip of chips.children) chip.setAttribute("aria-pressed", chip === event.target ? "true" : "false");
      state.status = status;
      restart();
    } }, word));
  }
  for (const head of document.querySelectorAll("#accounts [data-order]")) head.addEventListener("click", () => reorder(head.dataset.order));
  let pause = 0;
  document.getElementById("search").addEventListener("input", (event) => {
    clearTimeout(pause);
    pause = setTimeout(() => { state.name = event.target.value.trim(); restart(); }, 150);
  });
  pane.addEventListener("scroll", scrolled, { passive: true });
  pane.addEventListener("wheel", wheeled, { passive: false });
  pane.addEventListener("keydown", pressed);
}

function pressed(event) {
  const page = Math.floor(inSight()) - 1;
  const place = { ArrowDown: state.chosen + 1, j: state.chosen + 1, ArrowUp: state.chosen - 1, k: state.chosen - 1, PageDown: state.chosen + page, PageUp: state.chosen - page, " ": state.chosen + (event.shiftKey ? -page : page), Home: 0, End: state.total - 1 }[event.key];
  if (event.key === "Enter") openChosen();
  if (place === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  choose(place);
}

// The figure that was chosen already is turned round; health has one end that matters.
function reorder(figure) {
  state.order = figure === "health" ? "health" : state.order === `-${figure}` ? figure : `-${figure}`;
  for (const head of document.querySelectorAll("#accounts [data-order]")) {
    const on = state.order.replace("-", "") === head.dataset.order;
    head.dataset.towards = on ? (state.order.startsWith("-") ? "down" : "up") : "";
    head.setAttribute("aria-pressed", on ? "true" : "false");
  }
  restart();
}

const inSight = () => pane.clientHeight / ROW;
const tall = () => Math.min(state.total * ROW, TALLEST);
const spare = () => Math.max(1, tall() - pane.clientHeight);
const beyond = () => Math.max(0, state.total - inSight());
const topOf = (place) => (beyond() > 0 ? (place / beyond()) * spare() : 0);

// The bar is where `first` puts it, to a pixel, unless a hand has moved it.
function scrolled() {
  const top = pane.scrollTop;
  if (Math.abs(top - topOf(state.first)) >= 1) state.first = (top / spare()) * beyond();
  look();
}

function showFrom(place) {
  state.first = Math.max(0, Math.min(place, beyond()));
  pane.scrollTop = topOf(state.first);
}

// A wheel turns past rows, not past pixels of the bar: those of a list that is too tall stand for several rows each.
function wheeled(event) {
  if (state.total * ROW <= TALLEST || event.ctrlKey || !event.deltaY) return;
  const step = event.deltaY * [1 / ROW, 1, inSight()][event.deltaMode];
  if (step < 0 ? state.first <= 0 : state.first >= beyond()) return;
  event.preventDefault();
  showFrom(state.first + step);
  look();
}

function restart() {
  state.chosen = 0;
  state.account = null;
  state.opening = false;
  showFrom(0);
  refresh().catch(() => {});
}

export function choose(place, account) {
  state.chosen = Math.max(0, Math.min(place, state.total - 1));
  state.account = account ?? at(state.chosen) ?? "";
  state.opening = false;
  if (state.chosen < state.first) showFrom(state.chosen);
  if (state.chosen + 1 > state.first + inSight()) showFrom(state.chosen + 1 - inSight());
  look();
  pane.focus({ preventScroll: true });
}

const at = (place) => state.entries[place - state.offset]?.account;
export const chosenPlace = () => state.chosen;

// Opens the account that was chosen, as soon as its page has come.
export function openChosen() {
  const account = state.account || at(state.chosen);
  state.opening = !account;
  if (account) state.open(account);
}

function look() {
  draw();
  refresh().catch(() => {});
}

// Asks for the window that is looked at; while one question is under way another is only noted.
export async function refresh() {
  if (state.asking) { state.again = true; return; }
  state.asking = true;
  const order = state.order;
  const query = new URLSearchParams({ offset: Math.max(0, Math.floor(state.first) - 20), limit: PAGE, status: state.status, name: state.name, order });
  try {
    const page = await ask(`/v1/accounts?${query}`);
    const moved = page.total !== state.total;
    Object.assign(state, { total: page.total, offset: page.offset, entries: page.entries, shown: order });
    height.style.height = `${tall()}px`;
    if (moved) showFrom(state.first);
    follow();
    if (!rows.contains(hand.on)) draw();
    if (state.opening) openChosen();
  } finally {
    state.asking = false;
    if (state.again) { state.again = false; setTimeout(() => refresh().catch(() => {}), 40); }
  }
}

// An account stays chosen where the list moves it. The keyboard goes with it while it is in sight, and else stays where it was.
function follow() {
  state.chosen = Math.max(0, Math.min(state.chosen, state.total - 1));
  if (state.account === "") state.account = at(state.chosen) ?? "";
  const place = state.offset + state.entries.findIndex((each) => each.account === state.account);
  if (place >= Math.max(state.first, state.offset) && place + 1 <= state.first + inSight()) state.chosen = place;
}

function draw() {
  rows.style.top = `${Math.round(pane.scrollTop - (state.first - state.offset) * ROW)}px`;
  rows.dataset.order = state.shown;
  rows.replaceChildren(...state.entries.map((each, place) => line(each, state.offset + place)));
  pane.setAttribute("aria-activedescendant", rows.querySelector('[aria-selected="true"]')?.id ?? "");
  document.getElementById("accounts-count").textContent = state.total ? `${count(state.total)} found` : "none found";
}

function line(each, place) {
  const danger = each.health === null ? "" : each.health < 1.1 ? "bad" : each.health < 1.5 ? "warn" : "";
  const filled = make("b");
  filled.style.width = `${each.health === null ? 100 : Math.max(0, Math.min((each.health - 1) / 2, 1)) * 100}%`;
  return make("div", { class: "rows", role: "option", "aria-selected": (state.account ? each.account === state.account : place === state.chosen) ? "true" : "false", id: `place-${place}`, "aria-posinset": place + 1, "aria-setsize": state.total, "data-account": each.account, "data-place": place,
    onclick: () => { choose(place, each.account); state.open(each.account); } },
    make("span", {}, each.account), make("span", {}, tag(each.status)),
    make("span", { class: `health ${danger}` }, make("i", {}, filled), make("em", {}, each.health === null ? "–" : each.health > 99 ? ">99" : each.health.toFixed(3))),
    make("span", {}, money(each.equity)), make("span", {}, money(each.maintenance)),
    make("span", { class: each.to_call < 0 ? "bad" : "" }, money(each.to_call)), make("span", {}, money(each.initial)), make("span", {}, each.positions));
}
