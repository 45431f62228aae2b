// How are a million accounts shown? Only those in the window are asked for, and only those are drawn.

import { ask } from "./ask.js";
import { count, hand, make, money, STATUS, tag } from "./words.js";

const ROW = 28;
const PAGE = 60;
const TALLEST = 8_000_000; // pixels that browsers still scroll exactly; a longer list scrolls several rows a pixel

const pane = document.getElementById("window");
const height = document.getElementById("height");
const rows = document.getElementById("rows");
const state = { total: 0, offset: 0, entries: [], status: "", name: "", order: "health", chosen: 0, open: () => {}, asking: false, again: false };

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
  pane.addEventListener("scroll", () => { draw(); refresh(); }, { passive: true });
  pane.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 13, PageUp: -13 }[event.key];
    if (step) { event.preventDefault(); choose(state.chosen + step); }
    if (event.key === "Home") { event.preventDefault(); choose(0); }
    if (event.key === "Enter") openChosen();
  });
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

const tall = () => Math.min(state.total * ROW, TALLEST);
const spare = () => Math.max(1, tall() - pane.clientHeight);
const beyond = () => Math.max(0, state.total - pane.clientHeight / ROW);
const placeAt = (top) => (top / spare()) * beyond();
const topOf = (place) => (beyond() > 0 ? (place / beyond()) * spare() : 0);

function restart() {
  state.chosen = 0;
  pane.scrollTop = 0;
  refresh();
}

export function choose(place) {
  state.chosen = Math.max(0, Math.min(place, state.total - 1));
  const first = placeAt(pane.scrollTop);
  if (state.chosen < first) pane.scrollTop = topOf(state.chosen);
  if (state.chosen + 1 > first + pane.clientHeight / ROW) pane.scrollTop = topOf(state.chosen + 1 - pane.clientHeight / ROW);
  draw();
  pane.focus({ preventScroll: true });
}

export const chosenPlace = () => state.chosen;

export function openChosen() {
  const entry = state.entries[state.chosen - state.offset];
  if (entry) state.open(entry.account);
}

// Asks for the window that is looked at; while one question is under way another is only noted.
export async function refresh() {
  if (state.asking) { state.again = true; return; }
  state.asking = true;
  const first = Math.max(0, Math.floor(placeAt(pane.scrollTop)) - 20);
  const order = state.order;
  const query = new URLSearchParams({ offset: first, limit: PAGE, status: state.status, name: state.name, order });
  try {
    const page = await ask(`/v1/accounts?${query}`);
    Object.assign(state, { total: page.total, offset: page.offset, entries: page.entries, shown: order });
    if (!hand.pressing) draw();
  } finally {
    state.asking = false;
    if (state.again) { state.again = false; setTimeout(() => refresh().catch(() => {}), 40); }
  }
}

function draw() {
  height.style.height = `${tall()}px`;
  rows.style.top = `${Math.round(pane.scrollTop - (placeAt(pane.scrollTop) - state.offset) * ROW)}px`;
  rows.dataset.order = state.shown;
  rows.replaceChildren(...state.entries.map((each, place) => line(each, state.offset + place)));
  document.getElementById("accounts-count").textContent = state.total ? `${count(state.total)} found` : "none found";
}

function line(each, place) {
  const danger = each.health === null ? "" : each.health < 1.1 ? "bad" : each.health < 1.5 ? "warn" : "";
  const filled = make("b");
  filled.style.width = `${each.health === null ? 100 : Math.max(0, Math.min((each.health - 1) / 2, 1)) * 100}%`;
  return make("div", { class: "rows", role: "option", "aria-selected": place === state.chosen ? "true" : "false", "data-account": each.account, "data-place": place,
    onclick: () => { choose(place); state.open(each.account); } },
    make("span", {}, each.account), make("span", {}, tag(each.status)),
    make("span", { class: `health ${danger}` }, make("i", {}, filled), make("em", {}, each.health === null ? "–" : each.health > 99 ? ">99" : each.health.toFixed(3))),
    make("span", {}, money(each.equity)), make("span", {}, money(each.maintenance)),
    make("span", { class: each.to_call < 0 ? "bad" : "" }, money(each.to_call)), make("span", {}, money(each.initial)), make("span", {}, each.positions));
}
