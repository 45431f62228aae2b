// What do the charts draw? Points come from the API once, then only those that are new.

import { ask } from "./ask.js";
import { make } from "./words.js";

const MOST = 4000;
const QUANTA = 1e6;
const SHORTEST = 600; // seconds across a chart of one point, which would be given years
const state = { moments: [], markets: [], market: 0, plots: [], asking: false };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export async function refreshCharts(markets) {
  if (state.asking || typeof uPlot === "undefined") return;
  state.asking = true;
  try {
    const last = state.moments.at(-1)?.time ?? 0;
    const fresh = await ask(`/v1/series?after=${last}&points=1500`);
    if (markets.join() !== state.markets.join()) { state.markets = markets; showTabs(); }
    if (fresh.length === 0 && state.plots.length > 0) return;
    state.moments = state.moments.concat(fresh).slice(-MOST);
    draw();
  } finally {
    state.asking = false;
  }
}

export function chooseMarket(name) {
  state.market = Math.max(0, state.markets.indexOf(name));
  showTabs();
  redraw();
}

export function redraw() {
  for (const plot of state.plots) plot.destroy();
  state.plots = [];
  draw();
}

function showTabs() {
  document.getElementById("chart-market").replaceChildren(...state.markets.map((name, place) =>
    make("button", { type: "button", role: "tab", "aria-selected": place === state.market ? "true" : "false", onclick: () => chooseMarket(name) }, name)));
}

function columns() {
  const m = state.market;
  const over = (read) => state.moments.map(read);
  const times = over((each) => each.time / 1000);
  return [
    [times, over((each) => each.prices[m])],
    [times, over((each) => 100 * (each.maintenance[m]?.[0] ?? 0)), over((each) => 100 * (each.target[m]?.[0] ?? 0)), over((each) => 100 * (each.initial[m]?.[0] ?? 0))],
    [times, over((each) => each.called), over((each) => each.liquidating)],
    [times, over((each) => each.fund / QUANTA), over((each) => each.liquidated / QUANTA)],
  ];
}

const PLOTS = [
  { place: "plot-price", lines: [0], digits: 0 },
  { place: "plot-rate", lines: [0, 1, 2], unit: " %", digits: 1 },
  { place: "plot-status", lines: [1, 3], digits: 0, whole: true },
  { place: "plot-fund", lines: [2, 3], digits: 0, zero: true },
];

const WHOLE = [1, 2, 5].flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power)).sort((one, other) => one - other);

function draw() {
  const none = state.moments.length === 0;
  document.querySelector("#charts .none").hidden = !none;
  document.querySelector("#charts .plots").hidden = none;
  if (none) return;
  const data = columns();
  if (state.plots.length === 0) {
    state.plots = PLOTS.map((plot, place) => new uPlot(options(plot), data[place], document.getElementById(plot.place)));
  } else {
    state.plots.forEach((plot, place) => plot.setData(data[place]));
  }
}

function compact(number, digits, unit) {
  const value = number === 0 ? 0 : number; // no minus before a zero
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toFixed(size >= 1e7 ? 0 : 1)}m`;
  if (size >= 1e4) return `${(value / 1e3).toFixed(0)}k`;
  return `${value.toFixed(size < 1 && size > 0 ? 3 : digits)}${unit}`;
}

function options({ place, lines, unit = "", digits, whole, zero }) {
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, font: "11px ui-monospace, monospace" };
  const room = document.getElementById(place);
  return {
    width: room.clientWidth, height: 150, cursor: { sync: { key: "desk" }, points: { size: 5 } }, legend: { show: false },
    padding: [8, 18, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    scales: { x: { range: (_plot, low, high) => (state.moments.length === 1 ? [low - SHORTEST, low] : [low, high]) }, y: { range: (_plot, low, high) => span(low, high, whole || zero) } },
    axes: [
      { ...axis, size: 24, values: [[86400, "{DD} {MMM}"], [3600, "{HH}:{mm}"], [60, "{HH}:{mm}"]].map(([step, form]) => [step, form, null, null, null, null, null, null, 1]) },
      { ...axis, size: 54, ...(whole ? { incrs: WHOLE } : {}), values: (_plot, values) => values.map((value) => compact(value, digits, unit)) },
    ],
    series: [{}, ...lines.map((line) => ({ stroke: colour(`--line-${line}`), width: 1.5, points: { show: (plot) => plot.data[0].length === 1 }, spanGaps: true }))],
  };
}

function span(low, high, fromZero) {
  if (low === null || high === null) return [0, 1];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.02 || 1;
  return [fromZero ? 0 : low - room, high + room];
}

addEventListener("resize", () => {
  for (const [place, plot] of state.plots.entries()) {
    plot.setSize({ width: document.getElementById(PLOTS[place].place).clientWidth, height: 150 });
  }
});
