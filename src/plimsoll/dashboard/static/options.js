// How do options show: their boards, one board's chain, and an account's portfolio of them?

import { count, make, moment, money, percent, price, row, short, signed, sum, table, cells } from "./words.js";
import { fill } from "./panels.js";

const find = (id) => document.getElementById(id);
const size = (quantity) => (quantity === 0 ? "–" : Number(quantity.toPrecision(5)).toLocaleString("en-GB", { maximumFractionDigits: 6 }).replace("-", "−"));
const volatility = (figure) => (figure === null ? "–" : percent(figure, 1));

export function showBoards(boards, open) {
  find("boards").hidden = boards.length === 0;
  fill("boards", boards.map((each) => make("tr", { "data-open": true, onclick: () => open.board(each.name) },
    make("td", { class: "words" }, make("button", { class: each.settled ? "soft" : "" }, each.name)), cells(
      each.settled ? make("span", { class: "tag" }, "settled") : moment(each.expiry),
      each.forward === null ? "–" : price(each.forward), each.settled ? "–" : volatility(each.at_the_money),
      count(each.options.length), size(each.open), short(each.worth),
    ))), find("boards").querySelector("tbody"));
}

// One line a strike, the call to the left of it and the put to the right.
export function chain(board) {
  const strikes = [...new Set(board.options.map((each) => each.strike))];
  const of = (strike, right) => board.options.find((each) => each.strike === strike && each.right === right);
  const side = (each) => (each ? [size(each.open), each.mark === null ? "–" : price(each.mark), volatility(each.volatility)] : ["", "", ""]);
  const near = strikes.reduce((best, each) => (Math.abs(each - board.forward) < Math.abs(best - board.forward) ? each : best), strikes[0]);
  return [
    make("p", { class: "soft" }, board.settled ? `settled at ${price(board.forward)} on ${moment(board.expiry)} UTC` : `expires ${moment(board.expiry)} UTC, settles in cash at the forward of that moment`),
    sum([["Forward", board.forward === null ? "–" : price(board.forward)], ["At the money", volatility(board.at_the_money)], ["Open", size(board.open)], ["Worth", short(board.worth)]]),
    make("h3", {}, "Chain"),
    table(["Call open", "Mark", "Vol.", "Strike", "Vol.", "Mark", "Put open"], strikes.map((strike) => make("tr", { class: strike === near ? "total" : "" },
      cells(...side(of(strike, "C")), make("b", {}, strike.toLocaleString("en-GB")), ...side(of(strike, "P")).toReversed())))),
    ...(board.future ? [make("p", { class: "soft" }, `The future ${board.future} is listed beside them.`)] : []),
  ];
}

const greek = (figure, digits = 4) => (Math.abs(figure) < 1e-12 ? "–" : Number(figure.toPrecision(digits)).toLocaleString("en-GB", { maximumSignificantDigits: digits }).replace("-", "−"));
const greeks = (each) => [greek(each.delta), greek(each.gamma), money(each.vega * 1e4), money((each.theta * 1e6) / 365)];
const wide = (head, rows) => make("div", { class: "scroll close" }, table(head, rows));
const GREEKS = ["Delta", "Gamma", "Vega/pt", "Theta/d"];

// Why an account of a venue with options must hold this much.
export function portfolio({ breakdown: why, options, greeks: totals }) {
  const amounts = (parts, name, total) => table(["Part", "Amount"], [...parts.map((part) => row(part.name, money(part.amount))), make("tr", { class: "total" }, cells(name, money(total)))]);
  const worst = why.scenarios.toSorted((one, other) => one.amount - other.amount).slice(0, 8);
  return [
    make("h3", {}, "Maintenance, part by part"), amounts(why.parts, "Maintenance", why.maintenance),
    make("h3", {}, "Initial margin, part by part"), amounts(why.initial_parts, "Initial", why.initial),
    make("h3", {}, "What decides"),
    make("p", {}, why.loss ? `${why.measure}: ${why.worst}, a loss of ${money(why.loss)}. What each position adds to it:` : "Nothing is held."),
    table(["Instrument", "Quantity", "Mark", "Adds"], [
      ...why.contributions.map((each) => make("tr", { title: each.scenario }, cells(each.instrument, size(each.quantity), price(each.mark), make("span", { class: each.loss < 0 ? "good" : "" }, money(each.loss))))),
      ...(why.relief ? [row("relief", "", "", money(why.relief))] : []),
      make("tr", { class: "total" }, cells("Loss", "", "", money(why.loss))),
    ]),
    ...(options.length ? [make("h3", {}, "Options held"),
      wide(["Option", "Quantity", "Mark", "Vol.", ...GREEKS], options.map((each) => row(each.instrument, size(each.quantity), price(each.mark), volatility(each.volatility), ...greeks(each))))] : []),
    make("h3", {}, "Greeks by market and expiry"),
    table(["Market", "Expiry", ...GREEKS], totals.map((each) => row(each.underlying, each.expiry ? moment(each.expiry).slice(0, 10) : "none", ...greeks(each)))),
    make("h3", {}, "Scenarios that cost most"),
    table(["Scenario", "Profit", "Of equity"], worst.filter((each) => each.amount < 0).map((each) => row(each.name, make("span", { class: "bad" }, money(each.amount)), why.equity > 0 ? signed(each.amount / why.equity) : "–"))),
  ];
}
