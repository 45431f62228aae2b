/* How are the charts drawn, and how do they answer to pointer and keyboard? */
(() => {
  "use strict";

  const charts = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const EDGE = { left: 64, right: 10, top: 8, bottom: 20 };
  const HEIGHT = { price: 210, other: 118 };
  const MINUTE = 60e3, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  const TIME_STEPS = [1, 5, 15, 30].map(n => n * MINUTE).concat([1, 3, 6, 12].map(n => n * HOUR), [1, 2, 5, 10, 20, 40, 80].map(n => n * DAY));
  const GAP = 4; /* A hole this many times the usual spacing is left open. */
  const times = charts.times;
  const pairs = charts.bucket > 1;
  const moments = pairs ? Math.ceil(times.length / 2) : times.length;
  const whole = [charts.first_period, times[times.length - 1]];
  const state = { market: charts.leader, hidden: new Set(), moment: 0, span: whole, focus: null };

  /* ---- values ---- */

  const decoded = new Map();
  function values(place, length) {
    if (!decoded.has(place)) decoded.set(place, decode(charts.pool[place], length));
    return decoded.get(place);
  }

  function decode({ low, high, codes }, length) {
    const result = new Float64Array(length).fill(low);
    if (codes === "") return result;
    const bytes = Uint8Array.from(atob(codes), letter => letter.charCodeAt(0));
    const view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 2 }, (_, place) => {
      const code = view.getUint16(2 * place, true);
      return code === 65535 ? NaN : low + code / 65534 * (high - low);
    });
  }

  const periods = Math.floor((whole[1] - 1 - charts.first_period) / charts.period) + 1;
  const seriesOf = (panel, line) =>
    values(line.data[panel.group === "market" ? state.market : 0], panel.form === "columns" ? periods : times.length);
  const shown = panel => panel.lines.filter(line => line.policy === null || !state.hidden.has(line.policy));
  const nameOf = line => line.policy === null ? line.label : charts.policies[line.policy].name;
  const slotOf = line => "slot-" + (line.policy === null ? "none" : charts.policies[line.policy].slot);

  /* ---- words ---- */

  const grouped = (number, digits) => number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const WRITTEN = {
    price: number => "$" + (number >= 1000 ? grouped(number, 0) : number > 0 ? grouped(number, Math.max(0, 3 - Math.floor(Math.log10(number)))) : "0"),
    share: number => {
      const percent = 100 * number, size = Math.abs(percent);
      return size < 0.005 ? "0%" : grouped(percent, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2) + "%";
    },
    money: number => {
      const [scale, letter] = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]].find(([size]) => Math.abs(number) >= 0.9995 * size) || [1, ""];
      const part = Math.abs(number) / scale;
      const digits = letter === "" || part >= 99.95 ? 0 : part >= 9.995 ? 1 : 2;
      return (number < 0 && part > 0 ? "-$" : "$") + part.toFixed(digits) + letter;
    },
    count: number => grouped(number, 0),
  };

  /* An axis needs no digits beyond its steps. */
  const tickText = (unit, number) => WRITTEN[unit](number).replace(/(\.\d*?)0+(?=\D*$)/, "$1").replace(/\.(?=\D*$)/, "");

  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const date = time => { const when = new Date(time); return when.getUTCDate() + " " + MONTHS[when.getUTCMonth()]; };
  const clock = time => new Date(time).toISOString().slice(11, 16);

  function momentText() {
    const [first, last = first] = samplesAt(state.moment).map(place => times[place]);
    const start = `${date(first)} ${new Date(first).getUTCFullYear()} ${clock(first)}`;
    if (first === last) return start + " UTC";
    return start + "-" + (date(first) === date(last) ? "" : date(last) + " ") + clock(last) + " UTC";
  }

  function readoutText(panel, line) {
    const series = seriesOf(panel, line);
    const here = panel.form === "columns" ? [periodAt(momentTime())] : samplesAt(state.moment);
    const known = here.map(place => series[place]).filter(value => !Number.isNaN(value));
    if (known.length === 0) return "n/a";
    const [low, high] = [Math.min(...known), Math.max(...known)].map(WRITTEN[panel.unit]);
    if (low === high) return low;
    return low.startsWith("-") ? `${low.replace("%", "")} to ${high}` : `${low.replace("%", "")}\u2013${high.replace("$", "")}`;
  }

  /* ---- time ---- */

  const samplesAt = moment => pairs ? [2 * moment, Math.min(2 * moment + 1, times.length - 1)] : [moment];
  const momentTime = () => times[samplesAt(state.moment)[0]];
  const periodAt = time => Math.min(periods - 1, Math.max(0, Math.floor((time - 1 - charts.first_period) / charts.period)));

  function nearestMoment(time) {
    let low = 0, high = times.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle; else high = middle;
    }
    const place = time - times[low] <= times[high] - time ? low : high;
    return pairs ? place >> 1 : place;
  }

  function worstMoment() {
    const price = charts.panels.find(panel => panel.key === "price");
    const series = seriesOf(price, price.lines[0]);
    let worst = 0, widest = -1, peak = NaN, trough = NaN;
    series.forEach((value, place) => {
      if (Number.isNaN(value)) return;
      peak = peak >= value ? peak : value;
      trough = trough <= value ? trough : value;
      const move = Math.max(Math.log(peak / value), Math.log(value / trough));
      if (move > widest) { widest = move; worst = place; }
    });
    return pairs ? worst >> 1 : worst;
  }

  /* ---- axes ---- */

  function ticks(low, high, wanted) {
    const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map(n => n * power).find(size => size >= rough) || 10 * power;
    const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
    return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
  }

  function timeTicks(width) {
    const [first, last] = state.span;
    const step = TIME_STEPS.find(size => size / (last - first) * width >= 58) || TIME_STEPS[TIME_STEPS.length - 1];
    const start = Math.ceil(first / step) * step;
    return Array.from({ length: Math.max(0, Math.floor((last - start) / step) + 1) }, (_, place) => start + place * step);
  }

  function bounds(panel) {
    const [first, last] = state.span;
    let low = panel.zero ? 0 : Infinity, high = panel.zero ? 0 : -Infinity;
    for (const line of shown(panel)) {
      seriesOf(panel, line).forEach((value, place) => {
        const time = panel.form === "columns" ? charts.first_period + (place + 0.5) * charts.period : times[place];
        if (time < first || time > last || Number.isNaN(value)) return;
        if (value < low) low = value;
        if (value > high) high = value;
      });
    }
    if (!Number.isFinite(low)) return [0, 1];
    if (high - low < 1e-12) return panel.zero ? [low, low + (panel.unit === "count" ? 4 : panel.unit === "money" ? 1000 : 0.01)] : [low * 0.99, high * 1.01];
    const room = 0.06 * (high - low);
    return [panel.zero && low >= 0 ? low : low - room, panel.zero && high <= 0 ? high : high + room];
  }

  /* ---- drawing ---- */

  function element(name, attributes, parent, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function linePath(series, x, y) {
    const usual = (times[times.length - 1] - times[0]) / Math.max(1, times.length - 1);
    let path = "", pen = "M";
    for (let place = 0; place < series.length; place++) {
      if (Number.isNaN(series[place])) { pen = "M"; continue; }
      if (place > 0 && times[place] - times[place - 1] > GAP * usual) pen = "M";
      path += pen + x(times[place]).toFixed(1) + " " + y(series[place]).toFixed(1);
      pen = "L";
    }
    return path;
  }

  function columnPath(series, x, y) {
    let path = "M" + x(charts.first_period).toFixed(1) + " " + y(0).toFixed(1);
    series.forEach((value, place) => {
      const start = charts.first_period + place * charts.period;
      path += "V" + y(value).toFixed(1) + "H" + x(start + charts.period).toFixed(1);
    });
    return path + "V" + y(0).toFixed(1);
  }

  function drawAxes(view, panel, low, high) {
    const right = view.width - EDGE.right, bottom = view.height - EDGE.bottom;
    for (const value of ticks(low, high, view.height > 150 ? 6 : 4)) {
      if (panel.unit === "count" && value % 1 !== 0) continue;
      const y = view.y(value).toFixed(1);
      element("line", { class: value === 0 ? "zero" : "gridline", x1: EDGE.left, x2: right, y1: y, y2: y }, view.plot);
      element("text", { x: EDGE.left - 6, y: +y + 3.5, "text-anchor": "end" }, view.plot, tickText(panel.unit, value));
    }
    for (const time of timeTicks(right - EDGE.left)) {
      const x = view.x(time).toFixed(1);
      element("line", { class: "gridline", x1: x, x2: x, y1: EDGE.top, y2: bottom }, view.plot);
      const label = time % DAY === 0 ? date(time) : clock(time);
      element("text", { x, y: bottom + 14, "text-anchor": x > right - 16 ? "end" : x < EDGE.left + 16 ? "start" : "middle" }, view.plot, label);
    }
  }

  function draw(view) {
    const { panel, svg } = view;
    view.width = Math.max(260, Math.round(svg.parentElement.clientWidth));
    view.height = panel.key === "price" ? HEIGHT.price : HEIGHT.other;
    svg.setAttribute("viewBox", `0 0 ${view.width} ${view.height}`);
    svg.replaceChildren();
    const [low, high] = bounds(panel), [first, last] = state.span;
    const inner = { width: view.width - EDGE.left - EDGE.right, height: view.height - EDGE.top - EDGE.bottom };
    view.x = time => EDGE.left + (time - first) / (last - first) * inner.width;
    view.y = value => EDGE.top + (high - value) / (high - low) * inner.height;
    view.plot = element("g", {}, svg);
    drawAxes(view, panel, low, high);
    const clip = element("clipPath", { id: "clip-" + panel.key }, svg);
    element("rect", { x: EDGE.left, y: 0, width: inner.width, height: view.height }, clip);
    const lines = element("g", { "clip-path": `url(#clip-${panel.key})` }, svg);
    view.paths = shown(panel).map(line => element("path", {
      class: ["line", slotOf(line), line.label === "initial" ? "dashed" : "", panel.form].join(" "),
      d: (panel.form === "columns" ? columnPath : linePath)(seriesOf(panel, line), view.x, view.y),
      "data-policy": line.policy === null ? "" : line.policy,
    }, lines));
    view.marks = element("g", { "clip-path": `url(#clip-${panel.key})` }, svg);
    view.selection = element("rect", { class: "chosen", y: EDGE.top, height: inner.height, width: 0 }, svg);
    mark(view);
  }

  function mark(view) {
    const { panel, marks } = view, x = view.x(momentTime());
    marks.replaceChildren();
    element("line", { class: "hair", x1: x, x2: x, y1: EDGE.top, y2: view.height - EDGE.bottom }, marks);
    if (panel.form === "line") {
      for (const line of shown(panel)) {
        for (const place of samplesAt(state.moment)) {
          const value = seriesOf(panel, line)[place];
          if (!Number.isNaN(value)) element("circle", { class: "dot " + slotOf(line), cx: view.x(times[place]), cy: view.y(value), r: 2.6 }, marks);
        }
      }
    }
    readout(view);
  }

  function readout(view) {
    const entries = new Map();
    for (const line of shown(view.panel)) {
      const name = nameOf(line);
      if (!entries.has(name)) entries.set(name, { slot: slotOf(line), texts: [] });
      entries.get(name).texts.push([readoutText(view.panel, line), line.label === "initial" ? " initial" : ""]);
    }
    view.readout.replaceChildren(...Array.from(entries, ([name, { slot, texts }]) => {
      const entry = document.createElement("span"), swatch = document.createElement("i");
      swatch.className = "swatch " + slot;
      entry.append(swatch, name);
      for (const [text, kind] of texts) {
        const value = document.createElement("b"), suffix = document.createElement("i");
        suffix.textContent = kind;
        value.append(text, suffix);
        entry.append(value);
      }
      return entry;
    }));
  }

  /* ---- controls ---- */

  const views = [];
  const slider = document.getElementById("cursor"), output = document.getElementById("moment");

  function drawAll() { views.forEach(draw); showMoment(); }

  function showMoment() {
    slider.value = state.moment;
    output.textContent = momentText();
    slider.setAttribute("aria-valuetext", momentText());
  }

  function moveTo(moment) {
    state.moment = Math.min(moments - 1, Math.max(0, moment));
    views.forEach(mark);
    showMoment();
  }

  function zoomTo(first, last) {
    const least = 8 * (whole[1] - whole[0]) / moments;
    if (last - first < least) { const middle = (first + last) / 2; first = middle - least / 2; last = middle + least / 2; }
    const length = Math.min(last - first, whole[1] - whole[0]);
    const start = Math.min(Math.max(first, whole[0]), whole[1] - length);
    state.span = [start, start + length];
    drawAll();
  }

  function zoomBy(factor) {
    const half = (state.span[1] - state.span[0]) * factor / 2, middle = momentTime();
    zoomTo(middle - half, middle + half);
  }

  function focusOn(policy) {
    for (const { paths } of views) {
      for (const path of paths) path.classList.toggle("faded", policy !== null && path.dataset.policy !== String(policy));
    }
  }

  function listen(view) {
    let start = null;
    const timeAt = event => {
      const box = view.svg.getBoundingClientRect(), x = (event.clientX - box.left) * view.width / box.width;
      const part = (x - EDGE.left) / (view.width - EDGE.left - EDGE.right);
      return state.span[0] + Math.min(1, Math.max(0, part)) * (state.span[1] - state.span[0]);
    };
    view.svg.addEventListener("pointerdown", event => { if (event.button === 0) { start = timeAt(event); view.svg.setPointerCapture(event.pointerId); } });
    view.svg.addEventListener("pointermove", event => {
      moveTo(nearestMoment(timeAt(event)));
      if (start === null || event.pointerType === "touch") return;
      const [low, high] = [start, timeAt(event)].sort((a, b) => a - b);
      view.selection.setAttribute("x", view.x(low));
      view.selection.setAttribute("width", view.x(high) - view.x(low));
    });
    view.svg.addEventListener("pointerup", event => {
      const [low, high] = [start ?? 0, timeAt(event)].sort((a, b) => a - b);
      const dragged = start !== null && event.pointerType !== "touch" && view.x(high) - view.x(low) > 6;
      start = null;
      view.selection.setAttribute("width", 0);
      if (dragged) zoomTo(low, high); else moveTo(nearestMoment(timeAt(event)));
    });
    view.svg.addEventListener("pointercancel", () => { start = null; view.selection.setAttribute("width", 0); });
    view.svg.addEventListener("dblclick", () => zoomTo(...whole));
  }

  /* ---- the page ---- */

  function addPanel(panel, column) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const note = document.createElement("span"), values = document.createElement("div");
    caption.textContent = panel.title;
    note.textContent = panel.note;
    caption.append(note);
    values.className = "readout";
    figure.append(caption, values);
    const svg = element("svg", { role: "img", "aria-label": `${panel.title}. ${panel.note}` }, figure);
    column.append(figure);
    const view = { panel, svg, readout: values };
    views.push(view);
    listen(view);
  }

  function addColumn(group, heading) {
    const column = document.createElement("div"), title = document.createElement("h3");
    title.textContent = heading;
    title.id = "heading-" + group;
    column.append(title);
    document.getElementById("grid").append(column);
    charts.panels.filter(panel => panel.group === group).forEach(panel => addPanel(panel, column));
  }

  function addMarkets() {
    const select = document.getElementById("market");
    charts.markets.forEach((market, place) => select.add(new Option(market, place)));
    select.value = charts.leader;
    select.addEventListener("change", () => {
      state.market = Number(select.value);
      document.getElementById("heading-market").textContent = charts.markets[state.market];
      drawAll();
    });
  }

  function addPolicies() {
    charts.policies.forEach(({ name, slot }, policy) => {
      const button = document.createElement("button"), swatch = document.createElement("i");
      swatch.className = "swatch slot-" + slot;
      button.type = "button";
      button.append(swatch, name);
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        if (!state.hidden.delete(policy)) state.hidden.add(policy);
        button.setAttribute("aria-pressed", String(!state.hidden.has(policy)));
        drawAll();
      });
      for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => focusOn(policy));
      for (const event of ["mouseleave", "blur"]) button.addEventListener(event, () => focusOn(null));
      document.getElementById("policies").append(button);
    });
  }

  document.getElementById("controls").hidden = false;
  addColumn("market", charts.markets[charts.leader]);
  addColumn("venue", "The whole venue");
  addMarkets();
  addPolicies();
  slider.max = moments - 1;
  slider.addEventListener("input", () => moveTo(Number(slider.value)));
  document.getElementById("closer").addEventListener("click", () => zoomBy(0.5));
  document.getElementById("wider").addEventListener("click", () => zoomBy(2));
  document.getElementById("whole").addEventListener("click", () => zoomTo(...whole));
  state.moment = worstMoment();
  drawAll();
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; drawAll(); } });
})();
