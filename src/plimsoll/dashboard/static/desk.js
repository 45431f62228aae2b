// How does the desk start, stay up to date, and listen to the keyboard?

import { choose, chosenPlace, openChosen, refresh, startAccounts } from "./accounts.js";
import { ask, listen, takeToken, useToken } from "./ask.js";
import { chooseMarket, redraw, refreshCharts } from "./charts.js";
import { closeDrawer, openAccount, openBoard, openBranching, openEvidence, openParameters, openPrices, openStress } from "./drawer.js";
import { showBoards } from "./options.js";
import { showBoard, showBranching, showFigures, showHappened, showHeader, showMarkets, showStress } from "./panels.js";
import { hand } from "./words.js";

const PANELS = ["markets", "board", "branching", "accounts", "stress", "happened", "boards"];
const find = (id) => document.getElementById(id);
const open = { account: openAccount, board: openBoard, branching: openBranching, chart: chooseMarket, evidence: openEvidence, parameters: openParameters, stress: openStress };

const began = Date.now();
let latest = null;
let missed = 0;

function changed(message) {
  if (message.kind === "missed") { missed += message.count; return; }
  latest = message;
}

// Draws at most once a frame, and not at all in a tab that nobody sees.
function draw() {
  if (latest && !document.hidden && !hand.on) {
    const { overview, markets, announced, branching, happened } = latest;
    latest = null;
    showHeader(overview);
    showFigures(overview, open);
    showMarkets(markets, open);
    showBoard(announced, open);
    showBranching(branching, open);
    showHappened(happened.toReversed(), open);
    refresh().catch(() => {});
    refreshCharts(markets.map((each) => each.market)).catch(() => {});
    document.body.dataset.ready = "true";
    find("opening").hidden = true;
  }
  requestAnimationFrame(draw);
}

function state(name) {
  find("link").dataset.state = name;
  find("link").textContent = name === "live" ? "live" : "connecting again";
  find("link").title = missed ? `${missed} updates were skipped because this page was slow` : "";
}

// What the stream does not tell, because it is large or some seconds old.
async function rest() {
  try {
    if (!document.hidden) {
      showStress(await ask("/v1/stress"), open);
      showBoards(await ask("/v1/boards"), open);
    }
  } finally {
    setTimeout(() => rest().catch(() => {}), 3000);
  }
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("plimsoll-theme", root.dataset.theme); } catch { /* kept for this page only */ }
  redraw();
}

function key(event) {
  if (event.key === "Escape" && closeDrawer()) return;
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const panel = PANELS[Number(event.key) - 1];
  if (panel) { find(panel).scrollIntoView({ block: "start" }); if (panel === "accounts") find("window").focus({ preventScroll: true }); }
  else if (event.key === "/") { event.preventDefault(); find("search").focus(); }
  else if (event.key === "t") theme();
  else if (event.key === "?") find("keys").showModal();
  else if (event.target !== find("window") && (event.key === "j" || event.key === "k")) choose(chosenPlace() + (event.key === "j" ? 1 : -1));
  else if (event.target === document.body && event.key === "Enter") openChosen();
}

async function start() {
  try {
    await ask("/v1/overview");
  } catch (error) {
    if (error.status === 401 || error.status === 403) { signIn(error); return; }
    find("link").textContent = "the venue is being opened";
    const seconds = Math.round((Date.now() - began) / 1000);
    find("opening-why").textContent = error.code === "not-ready" ? `Calibrating and rebuilding, ${seconds} s so far. The first start after an installation compiles for some seconds more.` : `${error.message}, ${seconds} s so far`;
    setTimeout(start, 400);
    return;
  }
  startAccounts(openAccount);
  listen(changed, state);
  rest().catch(() => {});
  requestAnimationFrame(draw);
}

function signIn(error) {
  const dialog = find("sign-in");
  find("sign-in-error").textContent = error ? error.message : "";
  if (!dialog.open) dialog.showModal();
}

find("enter").addEventListener("click", () => { useToken(find("token").value); find("sign-in").close(); start(); });
find("token").addEventListener("keydown", (event) => { if (event.key === "Enter") find("enter").click(); });
find("close").addEventListener("click", closeDrawer);
find("feed").addEventListener("click", openPrices);
find("theme").addEventListener("click", theme);
find("help").addEventListener("click", () => find("keys").showModal());
addEventListener("keydown", key);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
if (takeToken()) start(); else signIn(null);
