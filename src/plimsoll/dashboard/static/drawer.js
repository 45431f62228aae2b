// What opens beside the desk when somebody asks "why?"

import { ask } from "./ask.js";
import { chain, portfolio } from "./options.js";
import { age, BINDING, cells, count, make, moment, money, percent, price, row, short, signed, STATUS, sum, table } from "./words.js";

const drawer = document.getElementById("drawer");
const title = document.getElementById("drawer-title");
const content = document.getElementById("drawer-body");
let before = null;
let asked = 0;

export function closeDrawer() {
  if (drawer.hidden) return false;
  drawer.hidden = true;
  asked += 1;
  const there = before?.list ? before.list.querySelectorAll("a, button")[before.place] : before?.element;
  (there ?? document.getElementById("window")).focus({ preventScroll: true });
  return true;
}

// Where the keyboard was: tables are drawn anew meanwhile, so by its place among them.
function placeOf(element) {
  const list = element?.closest("tbody, #figures");
  return list ? { list, place: [...list.querySelectorAll("a, button")].indexOf(element) } : { element };
}

async function show(name, fetched, draw) {
  const mine = ++asked;
  if (drawer.hidden) before = placeOf(document.activeElement);
  title.textContent = name;
  content.replaceChildren(make("p", { class: "soft" }, "asking…"));
  drawer.hidden = false;
  drawer.scrollTop = 0;
  title.focus();
  try {
    const answer = await fetched;
    if (mine === asked) content.replaceChildren(...draw(answer));
  } catch (error) {
    if (mine === asked) content.replaceChildren(make("p", { class: "bad" }, `${error.message}. ${error.remedy ?? ""}`));
  }
}

export function openAccount(name) {
  return show(name, ask(`/v1/accounts/${encodeURIComponent(name)}/margin`), (answer) => account(name, answer));
}

// A venue that lists options answers with a portfolio, where a call asks for initial margin.
function account(name, { explanation, portfolio: held, status, time, sequence }) {
  const path = `/v1/accounts/${encodeURIComponent(name)}`;
  const why = explanation ?? { ...held.breakdown, call: held.breakdown.initial, parameters: held.parameters };
  const instruments = (explanation ? why.positions : why.contributions).map((each) => each.instrument);
  const spare = why.equity - why.call;
  const markets = [...new Set(instruments.map((each) => each.split("-")[0]))];
  const prices = make("div", {}, make("p", { class: "soft" }, "searching…"));
  Promise.all(markets.map((market) => ask(`${path}/liquidation-price?market=${market}`).catch(() => null)))
    .then((found) => prices.replaceChildren(found.some(Boolean) ? liquidation(found.filter(Boolean)) : make("p", { class: "soft" }, "none within reach")));
  return [
    make("p", { class: "soft" }, `${STATUS[status]} · ${why.verdict} · as of ${moment(time)} UTC, record #${count(sequence)}, parameters v${why.parameters}`),
    sum([["Equity", money(why.equity)], ["Maintenance", money(why.maintenance)], ["Call level", money(why.call)], ["Initial", money(why.initial)]]),
    make("p", { class: spare < 0 ? "bad" : "" }, spare < 0 ? `${money(-spare)} below the call level.` : `${money(spare)} above the call level.`),
    ...(explanation ? explained(why) : portfolio(held)),
    make("h3", {}, "Liquidated at"), prices,
    make("h3", {}, "What if it trades at the mark?"), trade(path, instruments),
    ...(explanation ? [make("h3", {}, "What the rates rest on"), evidenceTable(why.evidence)] : []),
  ];
}

function explained(why) {
  return [
    make("h3", {}, "Maintenance, part by part"),
    table(["Part", "Amount"], [
      ...why.parts.map((part) => row(part.name, money(part.amount))),
      make("tr", { class: "total" }, cells("Maintenance", money(why.maintenance))),
    ]),
    ...(why.worst ? [make("h3", {}, "Scenario that costs most"),
      make("p", {}, `${why.worst.name}: a loss of ${money(why.worst.loss)}`),
      table(["Market", "Loss per unit held"], Object.entries(why.worst.moves).map(([market, move]) => row(market, percent(move))))] : []),
    make("h3", {}, "Holdings"),
    table(["Instrument", "Quantity", "Mark", "Notional", "Profit", "Rate", "Alone"], why.positions.map((each) =>
      row(each.instrument, Number(each.quantity).toPrecision(6), price(each.mark), short(each.notional), short(each.profit), percent(each.rate), short(each.alone)))),
  ];
}

function liquidation(found) {
  return table(["Price of", "Now", "Below", "Above"], found.map((each) => row(each.reference, price(each.price),
    each.below === null ? "–" : `${price(each.below)} (${signed(each.below / each.price - 1)})`,
    each.above === null ? "–" : `${price(each.above)} (${signed(each.above / each.price - 1)})`)));
}

function trade(path, instruments) {
  const instrument = make("select", { "aria-label": "Instrument" }, instruments.map((each) => make("option", {}, each)));
  const quantity = make("input", { type: "text", inputmode: "decimal", placeholder: "quantity, − sells", "aria-label": "Quantity" });
  const result = make("div");
  const run = async () => {
    try {
      const answer = await ask(`${path}/what-if`, { trades: [{ instrument: instrument.value, quantity: quantity.value.replace("−", "-") }] });
      result.replaceChildren(table(["", "Before", "After", "Change"], [
        row("Equity", money(answer.before.equity), money(answer.after.equity), money(answer.after.equity - answer.before.equity)),
        row("Initial", money(answer.before.initial), money(answer.after.initial), money(answer.after.initial - answer.before.initial)),
        ...answer.parts.map((part) => row(part.name, money(part.before), money(part.after), money(part.after - part.before))),
        make("tr", { class: "total" }, cells("Maintenance", money(answer.before.maintenance), money(answer.after.maintenance), money(answer.after.maintenance - answer.before.maintenance))),
      ]), make("p", { class: "soft" }, `afterwards: ${answer.after.verdict}`));
    } catch (error) {
      result.replaceChildren(make("p", { class: "bad" }, `${error.message}. ${error.remedy ?? ""}`));
    }
  };
  quantity.addEventListener("keydown", (event) => { event.stopPropagation(); if (event.key === "Enter") run(); });
  return make("div", {}, make("div", { class: "trade" }, instrument, quantity, make("button", { type: "button", onclick: run }, "What if")), result);
}

export function openBoard(name) {
  return show(name, ask("/v1/boards"), (boards) => chain(boards.find((each) => each.name === name)));
}

const STAGES = [
  ["volatility", "volatility, per root of an hour", percent], ["scale", "scale after stress blend and speed limits", percent],
  ["residual_quantile", "excursion at the level, in scales", (value) => value.toFixed(2)], ["model", "the model today would ask", percent],
  ["stressed", "the worst known period would ask", percent], ["long_run", "a constant over all history", percent],
  ["floor", "floor", percent], ["target", "target", percent], ["maintenance", "charged", percent],
  ["binding", "held by", (value) => BINDING[value] ?? value], ["windows", "excursions behind the quantile", count],
  ["borrowed_from", "borrowed from", (value) => value ?? "own history"], ["last", "last bar used, UTC", moment],
];

function evidenceTable(sides) {
  return table(["", ...sides.map((side) => `${side.market} ${side.side}`)], STAGES.map(([field, words, form]) => row(words, ...sides.map((side) => form(side[field])))));
}

export function openEvidence(market) {
  return show(`Rates of ${market}`, Promise.all([ask(`/v1/parameters/evidence?market=${market}`), ask("/v1/parameters"), ask("/v1/parameters/history?limit=12")]), ([sides, set, past]) => [
    make("p", { class: "soft" }, `Parameter set v${set.version}, effective ${moment(set.effective)} UTC, digest ${set.digest.slice(0, 16)}…`),
    make("p", {}, "Maintenance is the share of notional that past adverse excursions within the liquidation horizon did not exceed at the level set, on a scale that stress is blended into; it rises no faster than the limit, so that a rise is known before it comes."),
    evidenceTable(sides),
    make("h3", {}, "How it moved"),
    table(["Set", "Effective", "Long", "Short", "Target long", "Held by"], past.map((each) => {
      const rate = each.method.markets.find((entry) => entry.market === market);
      const side = each.evidence.find((entry) => entry.market === market && entry.side === "long");
      return row(`v${each.version}`, moment(each.effective), percent(rate.long.maintenance, 3), percent(rate.short.maintenance, 3), side ? percent(side.target, 3) : "–", side?.binding ?? "–");
    })),
  ]);
}

export function openParameters() {
  return show("Parameter sets", Promise.all([ask("/v1/parameters"), ask("/v1/parameters/history?limit=100")]), ([set, past]) => [
    make("p", { class: "soft" }, `In force: v${set.version} since ${moment(set.effective)} UTC, by ${set.provenance.program}`),
    make("p", { class: "formula" }, set.digest),
    table(["Set", "Effective", "Sides on the way up", "Digest"], past.map((each) => row(`v${each.version}`, moment(each.effective), count(each.evidence.filter((side) => side.maintenance < side.target).length), each.digest.slice(0, 12)))),
  ]);
}

const faults = (refused) => Object.entries(refused).map(([fault, number]) => `${fault} ${count(number)}`).join(", ") || "none";

export function openPrices() {
  return show("Who tells the prices", Promise.all([ask("/v1/sources"), ask("/v1/reports"), ask("/v1/markets")]), ([sources, agreed, markets]) => [
    ...(sources.length === 0 ? [make("p", {}, "Ticks come through the API, or from the replay; the service listens to no source itself.")] : [
      make("p", {}, "The mark is the weighted median of the sources that are fresh. While a price is old, or its sources disagree, its initial margin is multiplied; calls and maintenance do not move."),
      table(["Market", "Price", "Age", "Apart", "Initial"], markets.map((each) => row(each.market, price(each.price), age(each.price_age), percent(each.spread), make("span", { class: each.raised > 1 ? "warn" : "" }, `× ${each.raised}`)))),
      make("h3", {}, "Sources"),
      table(["Source", "State", "Last, UTC", "Believed", "Refused"], sources.map((each) => row(`${each.name} (${each.kind})`, make("span", { class: each.state === "heard" ? "good" : "warn" }, each.state), moment(each.last), count(each.believed), faults(each.refused)))),
    ]),
    ...agreed.flatMap((each) => [
      make("h3", {}, `Reporters of ${each.market}: ${each.has_quorum ? `${price(each.price)} ± ${price(each.confidence)}` : "no quorum"}`),
      make("p", { class: each.has_quorum ? "soft" : "warn" }, `${percent(each.share, 1)} of the weight counts, ${percent(each.quorum, 1)} is needed.`),
      table(["Reporter", "Weight", "State", "Price", "Seen, UTC"], each.reporters.map((one) => row(`${one.reporter.slice(0, 10)}…`, count(one.weight), make("span", { class: one.state === "counted" ? "good" : "warn" }, one.state), price(one.price), moment(one.time)))),
    ]),
  ]);
}

export function openBranching(market) {
  return show(`Branching ratio of ${market}`, ask("/v1/branching"), (found) => {
    const each = found.find((entry) => entry.market === market);
    if (!each) return [make("p", { class: "soft" }, "Not measured yet.")];
    return [
      make("p", { class: "formula" }, `n = ${short(1e6 * each.sold)} / ${short(1e6 * each.depth)} = ${each.ratio.toFixed(4)}`),
      table(["What", "Quote"], [row("traded by force for each 1 % of the worst move", short(1e6 * each.sold)), row("what the market takes for 1 %", short(1e6 * each.depth))]),
      table(["Where", "n"], [row("falls of up to a fifth", each.falls.toFixed(4)), row("rises of up to a fifth", each.rises.toFixed(4)), row("worst at a move of", signed(each.move))]),
      make("p", { class: "soft" }, "Depth follows the square-root law at the volume and impact of the last tick. Below one half a cascade dies out quickly; near one it feeds itself."),
    ];
  });
}

export function openStress(result) {
  return show(result.title, Promise.resolve(result), (each) => [
    make("p", {}, "Every account revalued after these moves at once; nothing is sold on the way."),
    sum([["Losers lose", short(each.loss)], ["Beyond margin", short(each.beyond_margin)], ["Below maintenance", count(each.below_maintenance)], ["Under water", count(each.under_water)], ["Shortfall", short(each.shortfall), each.shortfall > 0 ? "warn" : ""]]),
    make("p", { class: "formula" }, `shortfall ${money(each.shortfall)} − fund ${money(each.fund)} → uncovered ${money(each.uncovered)}`),
    make("h3", {}, "Moves"), table(["Market", "Move"], Object.entries(each.moves).map(([market, move]) => row(market, signed(move)))),
    make("h3", {}, "Hit hardest"),
    each.worst_account ? make("button", { class: "ref", onclick: () => openAccount(each.worst_account) }, each.worst_account) : make("p", {}, "nobody"),
  ]);
}
