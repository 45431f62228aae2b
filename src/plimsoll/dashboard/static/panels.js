// What do the panels beside the accounts show, and what opens when a figure is asked about?

import { age, BINDING, cells, count, make, moment, percent, price, replaced, short, signed, span } from "./words.js";

const find = (id) => document.getElementById(id);
const body = (id) => find(id).querySelector("tbody");
const CRITICAL = 0.5;

export function fill(panel, rows, list) {
  replaced(list, rows);
  const none = find(panel).querySelector(".none");
  if (none) none.hidden = rows.length > 0;
}

export function showHeader(overview) {
  find("venue").textContent = `${overview.replayed ? "Replay · " : ""}${overview.title}`;
  find("venue").title = overview.narrative;
  find("time").textContent = `${moment(overview.time)} UTC`;
  find("sequence").textContent = `#${count(overview.sequence)}`;
  find("feed").textContent = overview.feed;
  find("feed").title = `${overview.feed}: who tells the prices?`;
  find("feed").className = /^(degraded|stopped)/.test(overview.feed) ? "warn" : "";
}

export function showFigures(overview, open) {
  const statuses = overview.statuses;
  const inHand = overview.accounts - statuses.HEALTHY - statuses.CALLED - statuses.CLOSED;
  const ratio = overview.highest_branching;
  const figures = [
    ["#accounts", "Accounts", count(overview.accounts), `${count(statuses.HEALTHY)} healthy`, ""],
    ["#accounts", "Called", count(statuses.CALLED), "asked for more", statuses.CALLED ? "warn" : ""],
    ["#happened", "In liquidation", count(inHand), `${count(statuses.CLOSED)} closed so far`, inHand ? "bad" : ""],
    ["#markets", "Open notional", short(overview.open_notional), "gross, traders", ""],
    ["#accounts", "Equity", short(overview.equity), "all traders", ""],
    ["#accounts", "Maintenance", short(overview.maintenance), overview.open_notional ? `${percent(overview.maintenance / overview.open_notional)} of notional` : "", ""],
    ["#stress", "Insurance fund", short(overview.fund), "see stress", overview.fund <= 0 ? "bad" : ""],
    ["#branching", "Highest branching n", ratio === null ? "–" : ratio.toFixed(2), "selling feeds itself at 1", tone(ratio)],
    ["#board", "Announced rises", count(overview.announced), "on the notice board", overview.announced ? "warn" : ""],
  ];
  const tiles = figures.map(([target, name, figure, note, colour]) =>
    make("a", { href: target }, make("span", {}, name), make("b", { class: colour }, figure), make("small", {}, note)));
  tiles.push(make("a", { href: "#markets", onclick: () => open.parameters() }, make("span", {}, "Parameters"), make("b", {}, `v${overview.parameters}`), make("small", {}, overview.digest.slice(0, 12))));
  replaced(find("figures"), tiles);
}

function tone(ratio) {
  return ratio === null || ratio < CRITICAL ? "" : ratio < 1 ? "warn" : "bad";
}

// What is wrong with a price that the service hears itself, if anything is.
function doubt({ price_age: seconds, spread, raised }) {
  if (raised === 1) return "";
  return make("span", { class: "tag warn", title: `Initial margin is multiplied by ${raised} meanwhile` }, seconds > 5 ? `${age(seconds)} old` : `${percent(spread, 1)} apart`);
}

const pair = (rates) => `${percent(rates[0])} / ${percent(rates[1])}`;

export function showMarkets(markets, open) {
  fill("markets", markets.map((each) => make("tr", {},
    cells(
      make("button", { onclick: () => open.chart(each.market) }, each.market),
      make("span", {}, doubt(each), " ", price(each.price)),
      make("span", { class: Math.abs(each.move) < 0.0005 ? "soft" : each.move < 0 ? "bad" : "good" }, signed(each.move)),
      make("button", { title: "Why?", onclick: () => open.evidence(each.market) }, pair(each.maintenance)),
      make("button", { class: each.raised > 1 ? "warn" : "", title: "Why?", onclick: () => open.evidence(each.market) }, pair(each.initial)),
      make("button", { title: "Why?", onclick: () => open.evidence(each.market) }, pair(each.target)),
      make("span", { class: "soft" }, each.binding[0] === each.binding[1] ? each.binding[0] : each.binding.join(" / ")),
      short(each.long_open), short(each.short_open),
      make("button", { class: tone(each.branching), title: "Why?", onclick: () => open.branching(each.market) }, each.branching === null ? "–" : each.branching.toFixed(2)),
    ))), body("markets-table"));
}

export function showBoard(announced, open) {
  fill("board", announced.map((each) => make("tr", { "data-open": true, onclick: () => open.evidence(each.market) },
    cells(
      make("button", {}, `${each.market} ${each.side}`), percent(each.maintenance),
      make("span", { class: "warn" }, percent(each.heading_to)), percent(each.initial),
      make("span", { title: `${moment(each.arrives)} UTC at ${percent(each.per_hour, 1)} an hour` }, `in ${span(each.hours)}`),
    ))), body("board-table"));
}

export function showBranching(entries, open) {
  const scale = Math.max(1.25, ...entries.map((each) => each.ratio));
  find("branching-bars").style.setProperty("--one", `${100 / scale}%`);
  fill("branching", entries.map((each) => {
    const bar = make("div", { class: `fill ${tone(each.ratio)}` });
    bar.style.width = `${(each.ratio / scale) * 100}%`;
    return make("li", { onclick: () => open.branching(each.market), title: "Why?" },
      make("span", {}, each.market), make("div", { class: "track" }, bar), make("output", { class: tone(each.ratio) }, each.ratio.toFixed(3)));
  }), find("branching-bars"));
}

export function showStress(results, open) {
  fill("stress", results.map((each) => make("tr", { "data-open": true, onclick: () => open.stress(each) },
    make("td", { class: "words" }, make("button", {}, each.title)), cells(
      count(each.below_maintenance),
      make("span", { class: each.shortfall > 0 ? "warn" : "" }, short(each.shortfall)),
      make("span", { class: each.uncovered > 0 ? "bad" : "" }, short(each.uncovered)),
    ))), body("stress-table"));
}

const WHAT = {
  "status-changed": (effect) => [`${effect.before.toLowerCase()} → ${effect.after.toLowerCase()}`, effect.accounts, effect.signal.toLowerCase()],
  liquidated: (effect) => ["liquidated", effect.accounts, `${effect.instrument} at ${price(effect.price)}, price moved ${signed(effect.displacement, 2)}`],
  expired: (effect) => ["expired", effect.accounts, `${effect.instrument} settled at ${price(effect.price)}, pays ${effect.payoff > 0 ? price(effect.payoff) : "nothing"}`],
  closed: (effect) => ["closed with a debt", effect.accounts, `${short(effect.shortfalls.reduce((sum, each) => sum + each, 0))} short`],
  covered: (effect) => ["fund paid", [], short(effect.amount)],
  allocated: (effect) => ["losses allocated", effect.accounts, `${short(effect.amounts.reduce((sum, each) => sum + each, 0))} paid, ${short(effect.uncovered)} uncovered`],
  "auction-began": (effect) => ["on the block", effect.accounts, `${short(effect.fees.reduce((sum, each) => sum + each, 0))} of fees to the fund`],
  auctioned: (effect) => ["auctioned", [effect.account, effect.bidder], `${percent(effect.share, 1)} of what was left, ${short(effect.notional)} at ${percent(effect.discount, 1)} of its value`],
  "taken-over": (effect) => ["taken by the backstop", effect.accounts, short(effect.notional)],
  unwound: (effect) => ["backstop sold", [], `${effect.instrument} at ${price(effect.price)}, price moved ${signed(effect.displacement, 2)}`],
  bankrupt: (effect) => ["bankrupt", effect.accounts, `${short(effect.shortfalls.reduce((sum, each) => sum + each, 0))} short`],
  deleveraged: (effect) => ["deleveraged", effect.accounts, `${effect.instrument}, ${short(effect.notional)} closed against ${count(effect.winners.length)} winners`],
  repaid: (effect) => ["fund repaid", [], short(effect.amount)],
  refused: (effect) => ["refused", [effect.account], effect.what],
};
// What has no words of its own here is told by its name, with whoever it names.
function other(effect) {
  const accounts = effect.accounts ?? [effect.account ?? effect.winner].filter(Boolean);
  return [effect.type.replaceAll("-", " "), accounts, effect.instrument ?? (effect.amount === undefined ? "" : short(effect.amount))];
}
const COLOUR = {
  liquidated: "bad", closed: "bad", covered: "warn", allocated: "bad", refused: "", "auction-began": "warn", auctioned: "warn",
  "taken-over": "bad", bankrupt: "bad", deleveraged: "bad",
};

export function showHappened(entries, open) {
  fill("happened", entries.map(({ effect, sequence }) => {
    const [what, accounts, detail] = (WHAT[effect.type] ?? other)(effect);
    const shown = accounts.slice(0, 3).map((name) => make("button", { onclick: () => open.account(name) }, name));
    const more = accounts.length > 3 ? ` +${count(accounts.length - 3)}` : "";
    return make("tr", {},
      cells(moment(effect.time), make("span", { class: `tag ${COLOUR[effect.type] ?? ""}` }, what),
        make("span", {}, shown.flatMap((button, place) => (place ? [" ", button] : [button])), more), detail, `#${count(sequence)}`));
  }), body("happened-table"));
}
