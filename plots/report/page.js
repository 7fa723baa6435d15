"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

// What the fields of a cell mean is said in data.go.
data.cells.forEach((c) => {
  // What is simulated does not vary, so one sample is exact.
  const otherwise = (median) => (data.machines[c.m].simulated ? median : null);
  c.values = new Map(c.v.map(([u, median, lo, hi]) => [data.units[u].name, { median, lo: lo ?? otherwise(median), hi: hi ?? otherwise(median) }]));
});

// Elements.

function make(tag, attributes, ...children) {
  const e = document.createElement(tag);
  return fill(e, attributes, children);
}

function draw(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(e, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

// Numbers.

function show(v) {
  if (v === null || v === undefined) return "";
  const size = Math.abs(v);
  if (size >= 1e9) return +(v / 1e9).toPrecision(3) + "G";
  if (size >= 1e6) return +(v / 1e6).toPrecision(3) + "M";
  if (size >= 1e4) return +(v / 1e3).toPrecision(3) + "k";
  return String(+v.toPrecision(3));
}

// amount returns a value in its unit: a wait as a duration.
function amount(v, unit) {
  if (!unit.endsWith("-ns")) return show(v) + " " + unit;
  const [name, size] = [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]].find(([, size]) => v >= size) || ["ns", 1];
  return +(v / size).toPrecision(3) + " " + name;
}

const numerically = (a, b) => a - b;
// least and most also take more values than a call can have arguments.
const least = (values) => values.reduce((a, b) => (b < a ? b : a), Infinity);
const most = (values) => values.reduce((a, b) => (b > a ? b : a), -Infinity);
const distinct = (values) => [...new Set(values)];

// Looks. Each lock has a colour, a shape, and a filled or a hollow mark: the leading locks
// come first, so that those that are shown at the beginning differ in colour. The colours
// of page.css differ in lightness as well as in hue.

const outlines = [
  (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
  (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
  (r) => `M0,${-1.2 * r}L${1.2 * r},${r}H${-1.2 * r}z`,
  (r) => `M0,${1.2 * r}L${1.2 * r},${-r}H${-1.2 * r}z`,
];
const hues = 8; // of page.css
const places = []; // of locks, by index
const hueOf = (l) => `var(--hue${places[l] % hues})`;

function markOf(l, x, y, simulated) {
  const hollow = Math.floor(places[l] / hues) % 2 === 1;
  return draw("path", {
    class: "mark", d: outlines[places[l] % outlines.length](4), transform: `translate(${x},${y})`,
    style: `fill:${hollow || simulated ? "var(--back)" : hueOf(l)};stroke:${hueOf(l)}`, "stroke-width": 1.5,
  });
}

// A ratio has the colour of its size: the fastest is the ground, 64 times as slow is strong;
// the text on it is black or white, whichever can be read.
function heatOf(ratio) {
  const share = Math.min(1, 0.09 + Math.log2(Math.max(1, ratio)) / 6);
  const mix = (ground, color) => ground.map((g, i) => Math.round(g + (color[i] - g) * share));
  const ink = (color) => {
    const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04 ? c / 12.9 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000" : "#fff";
  };
  const light = mix([255, 255, 255], [127, 29, 90]), dark = mix([36, 36, 36], [242, 160, 208]);
  return { fill: `light-dark(rgb(${light}),rgb(${dark}))`, ink: `light-dark(${ink(light)},${ink(dark)})` };
}

const pen = document.createElement("canvas").getContext("2d");
pen.font = '12px system-ui, "Liberation Sans", Arial, sans-serif';
const widthOf = (text) => pen.measureText(text).width;

// What is chosen.

const chosen = { situation: 0, distance: null, unit: "", machines: new Set(), cpus: new Set(), reads: new Set(), locks: new Set() };

const of = (s) => data.cells.filter((c) => c.s === s);
const isControl = (l) => data.locks[l].control === true;

// fits reports whether the distance of a cell's CPUs is the chosen one; that of one CPU
// and of a simulated machine always is.
const fits = (c) => data.machines[c.m].simulated || c.d === "local" || c.d === chosen.distance;

// visible returns the chosen cells.
const visible = () => of(chosen.situation).filter((c) => fits(c) && chosen.machines.has(c.m) && chosen.cpus.has(c.c) && chosen.reads.has(c.r) && chosen.locks.has(c.l));

// rankedBy returns the unit by which a lock is the best: the time of an operation, or, if
// operations arrive on a schedule, the longest wait of 99 of a hundred.
function rankedBy(cells) {
  const open = cells.some((c) => c.values.has("offered-ops/s"));
  const units = open ? ["write-p99-ns", "read-p99-ns"] : ["ns/op"];
  return units.find((u) => cells.some((c) => c.values.has(u))) || "ns/op";
}

// contests groups cells by machine, CPUs and reads, and orders each group, the best first.
function contests(cells, unit) {
  const groups = new Map();
  for (const c of cells) {
    if (!c.values.has(unit) || isControl(c.l)) continue;
    const key = [c.m, c.c, c.r].join();
    if (!groups.has(key)) groups.set(key, { m: c.m, c: c.c, r: c.r, over: c.o, all: [] });
    groups.get(key).all.push({ l: c.l, ...c.values.get(unit) });
  }
  const better = data.units.find((u) => u.name === unit).better;
  for (const g of groups.values()) {
    // A lock with too few samples for an interval is not ranked against those with enough.
    g.few = g.all.some((a) => a.lo !== null) ? g.all.filter((a) => a.lo === null) : [];
    g.all = g.all.filter((a) => !g.few.includes(a));
    g.all.sort((a, b) => (better > 0 ? b.median - a.median : a.median - b.median));
    const [best, ...others] = g.all;
    g.tied = others.filter((o) => best.lo === null || o.lo === null || (better > 0 ? o.hi >= best.lo : o.lo <= best.hi));
  }
  return [...groups.values()];
}

const readsText = (r) => (r < 0 ? "roles" : r + " % reads");
const count = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");
const cpusText = (n) => n + (n === 1 ? " CPU" : " CPUs");
const shareText = (p) => "p" + +(100 * p).toPrecision(6);

function interval(v) {
  return show(v.median) + (v.lo === null || v.lo === v.hi ? "" : ` (${show(v.lo)} to ${show(v.hi)})`);
}

// Figures.

const tip = byId("tip");

function showTip(text, x, y) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x + 12, innerWidth - box.width - 8)) + "px";
  tip.style.top = Math.max(4, y + 14 + box.height > innerHeight ? y - box.height - 10 : y + 14) + "px";
}

// figure returns a figure of a title, a picture and the numbers behind it. Marks are
// {node, text, row, column}: the pointer and the arrow keys show their texts.
function figure(title, width, height, parts, marks, head, rows) {
  const picture = draw("svg", {
    class: "chart", viewBox: `0 0 ${width} ${height}`, style: width > 440 ? `width:${width}px` : `width:100%;max-width:${1.15 * width}px`,
    role: "img", tabindex: 0, "aria-label": title + (marks.length > 0 ? ". Arrow keys read its marks." : ""),
  }, ...parts);
  let at = -1;
  const choose = (i, seen) => {
    if (at >= 0) marks[at].node.classList.remove("chosen");
    at = i;
    if (at < 0) { tip.hidden = true; return; }
    marks[at].node.classList.add("chosen");
    if (seen) marks[at].node.scrollIntoView({ block: "nearest", inline: "nearest" });
    const box = marks[at].node.getBoundingClientRect();
    showTip(marks[at].text, box.right, box.bottom);
  };
  marks.forEach((m, i) => {
    m.node.addEventListener("pointerenter", (e) => { choose(i); showTip(m.text, e.clientX, e.clientY); });
    m.node.addEventListener("pointerleave", (e) => { if (e.pointerType !== "touch") choose(-1); }); // a finger leaves at once
  });
  picture.addEventListener("blur", () => choose(-1));
  picture.addEventListener("keydown", (e) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[e.key];
    if (e.key === "Escape") choose(-1);
    if (marks.length === 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Enter" || e.key === " ") { e.preventDefault(); choose(at < 0 ? 0 : -1, true); return; }
    if (e.key === "Home" || e.key === "End") { e.preventDefault(); choose(e.key === "Home" ? 0 : marks.length - 1, true); return; }
    if (!step) return;
    e.preventDefault();
    if (at < 0) { choose(0, true); return; }
    const { row, column } = marks[at];
    let best = -1, near = Infinity;
    marks.forEach((m, i) => {
      const down = m.row - row, right = m.column - column;
      const ahead = step[0] ? down * step[0] : right * step[1];
      const aside = step[0] ? Math.abs(right) : Math.abs(down);
      if (ahead > 0 && ahead + 1000 * aside < near) [best, near] = [i, ahead + 1000 * aside];
    });
    if (best >= 0) choose(best, true);
  });
  return make("figure", {}, make("figcaption", {}, title), make("div", { class: "picture" }, picture), numbers(head, rows));
}

// numbers returns a table that is made when it is opened.
function numbers(head, rows) {
  const inside = make("div", { class: "scroll" });
  return make("details", {
    ontoggle: (e) => { if (e.target.open && !inside.firstChild) inside.append(table(head, rows)); },
  }, make("summary", {}, "Numbers"), inside);
}

function table(head, rows) {
  return make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((h) => make("th", { scope: "col" }, h)))),
    make("tbody", {}, ...rows.map((r) => make("tr", {}, ...r.map((v, i) => make(i ? "td" : "th", i ? {} : { scope: "row" }, String(v)))))));
}

function label(x, y, text, attributes) {
  return draw("text", { x, y, ...attributes }, text);
}

// cut shortens a text to a width in pixels.
function cut(text, width) {
  if (widthOf(text) <= width) return text;
  let n = text.length;
  while (n > 1 && widthOf(text.slice(0, n) + "…") > width) n--;
  return text.slice(0, n) + "…";
}

// grid draws a map over CPU counts and shares of reads: a rectangle for each cell, with
// up to two lines of text.
function grid(cells, narrowest) {
  const cpus = distinct(cells.map((c) => c.c)).sort(numerically), reads = distinct(cells.map((c) => c.r)).sort(numerically);
  const column = new Map(cpus.map((n, i) => [n, i])), row = new Map(reads.map((r, i) => [r, i]));
  const wants = most(cells.flatMap((c) => c.lines.map(widthOf))) + 14;
  const left = 84, top = 22, w = Math.max(narrowest, Math.min(150, wants)), h = cells.some((c) => c.lines.length > 1) ? 40 : 28;
  const parts = [], marks = [];
  cpus.forEach((n, i) => parts.push(label(left + (i + 0.5) * w, 14, w < 56 ? n : cpusText(n), { "text-anchor": "middle", class: "faint" })));
  reads.forEach((r, i) => parts.push(label(left - 6, top + i * h + h / 2 + 4, readsText(r), { "text-anchor": "end", class: "faint" })));
  for (const c of cells) {
    const x = left + column.get(c.c) * w, y = top + row.get(c.r) * h;
    const node = draw("rect", { class: "mark", x: x + 1, y: y + 1, width: w - 2, height: h - 2, rx: 3, style: `fill:${c.fill}` });
    parts.push(node);
    c.lines.forEach((text, i) => parts.push(draw("text", {
      x: x + w / 2, y: y + h / 2 + (c.lines.length === 1 ? 4 : 15 * i - 4), "text-anchor": "middle", "pointer-events": "none", style: `fill:${c.ink}`,
    }, cut(text, w - 8))));
    marks.push({ node, text: c.text, row: row.get(c.r), column: column.get(c.c) });
  }
  return [Math.max(left + cpus.length * w, 240), top + reads.length * h + 4, parts, marks];
}

// scale returns a function from values to pixels, and where its ticks are; a logarithm if
// all values are above 0 and they are far apart.
function scale(values, from, to, logarithm) {
  let low = least(values), high = most(values);
  if (logarithm && low > 0) {
    if (low === high) [low, high] = [low / 2, high * 2];
    const a = Math.log(low), b = Math.log(high);
    let ticks = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.ceil(Math.log10(high)); k++) ticks.push(...[1, 2, 5].map((m) => m * 10 ** k));
    ticks = ticks.filter((t) => t >= low && t <= high);
    if (ticks.length > 7) ticks = ticks.filter((t) => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
    while (ticks.length > 8) ticks = ticks.filter((_, i) => i % 2 === 0);
    if (ticks.length < 2) ticks = [low, high];
    return [(v) => from + ((Math.log(v) - a) / (b - a)) * (to - from), ticks];
  }
  low = Math.min(0, low);
  if (low === high) high = low + 1;
  const step = [1, 2, 5, 10].map((m) => m * 10 ** Math.floor(Math.log10((high - low) / 5))).find((s) => (high - low) / s <= 6);
  const ticks = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step / 1e6; t += step) ticks.push(+t.toPrecision(10));
  return [(v) => from + ((v - low) / (high - low)) * (to - from), ticks];
}

// yAxis draws the lines and the values of a vertical axis.
function yAxis(parts, y, ticks, left, right) {
  for (const t of ticks) {
    parts.push(draw("line", { class: "grid", x1: left, x2: right, y1: y(t), y2: y(t) }));
    parts.push(label(left - 6, y(t) + 4, show(t), { "text-anchor": "end", class: "faint" }));
  }
}

// xAxis draws a horizontal axis, and what it is of.
function xAxis(parts, x, ticks, text, name, left, right, bottom) {
  parts.push(draw("line", { class: "axis", x1: left, x2: right, y1: bottom + 6, y2: bottom + 6 }));
  let free = -Infinity;
  for (const t of ticks) {
    const half = widthOf(text(t)) / 2;
    parts.push(draw("line", { class: "axis", x1: x(t), x2: x(t), y1: bottom + 6, y2: bottom + 10 }));
    if (x(t) - half < free) continue; // it would lie over the one before
    parts.push(label(x(t), bottom + 24, text(t), { "text-anchor": "middle", class: "faint" }));
    free = x(t) + half + 6;
  }
  parts.push(label((left + right) / 2, bottom + 41, name, { "text-anchor": "middle", class: "faint" }));
}

// names returns where the names of series stand beside their ends, {s, y}, none over
// another, or nothing if there is no room for all.
function names(series, endOf, from, to) {
  const all = series.map((s) => ({ s, y: endOf(s) })).sort((a, b) => a.y - b.y), step = 14;
  if (all.length * step > to - from) return [];
  for (let i = 0; i < all.length; i++) all[i].y = Math.max(all[i].y, i ? all[i - 1].y + step : from);
  for (let i = all.length - 1; i >= 0; i--) all[i].y = Math.min(all[i].y, i < all.length - 1 ? all[i + 1].y - step : to);
  return all;
}

// lines draws series over x: each has a lock, whether it is simulated, and points of x,
// median, lo, hi and text. axis has the ticks, their text, what the axis is of, and the
// place of a value on it.
function lines(series, axis) {
  const points = series.flatMap((s) => s.points), end = most(points.map((p) => p.x));
  const ending = series.filter((s) => s.points.at(-1).x === end && s.points.length > 1);
  const mixed = distinct(ending.map((s) => s.simulated)).length > 1;
  const nameOf = (s) => cut(data.locks[s.lock].name, 125) + (mixed && s.simulated ? ", sim." : "");
  const top = 10, bottom = 236;
  const fits = names(ending, () => 0, top, bottom).length > 0;
  const left = 48, room = fits ? most(ending.map((s) => widthOf(nameOf(s)))) + 22 : 12, width = 440, right = width - room;
  const [position] = scale(points.map((p) => axis.place(p.x)).concat(axis.ticks.map(axis.place)), left + 12, right - 10, false);
  const x = (v) => position(axis.place(v));
  const spread = points.flatMap((p) => [p.median, p.lo ?? p.median, p.hi ?? p.median]).filter((v) => Number.isFinite(v));
  const [y, yTicks] = scale(spread, bottom, top + 4, true);
  const parts = [], marks = [];
  yAxis(parts, y, yTicks, left, right);
  xAxis(parts, x, axis.ticks, axis.text, axis.name, left, right, bottom);
  // Intervals at one place would hide each other.
  const varied = (s) => s.points.some((p) => p.lo !== null && p.lo !== undefined && p.lo !== p.hi);
  const beside = series.filter(varied).length;
  let varying = 0;
  series.forEach((s, row) => {
    const shift = varied(s) ? (varying++ - (beside - 1) / 2) * Math.min(3, 16 / beside) : 0;
    const x = (v) => position(axis.place(v)) + shift;
    const path = s.points.map((p, i) => (i ? "L" : "M") + x(p.x).toFixed(1) + "," + y(p.median).toFixed(1)).join("");
    parts.push(draw("path", { d: path, style: `fill:none;stroke:${hueOf(s.lock)}`, "stroke-width": 1.8, "stroke-dasharray": s.simulated ? "5 3" : null }));
    for (const p of s.points) {
      if (p.lo !== null && p.lo !== undefined) parts.push(draw("line", { x1: x(p.x), x2: x(p.x), y1: y(p.lo), y2: y(p.hi), style: `stroke:${hueOf(s.lock)}`, "stroke-width": 1.4 }));
      const node = s.dots === false ? draw("circle", { class: "mark", cx: x(p.x), cy: y(p.median), r: 2.5, style: `fill:${hueOf(s.lock)}` }) : markOf(s.lock, x(p.x), y(p.median), s.simulated);
      parts.push(node);
      marks.push({ node, text: p.text, row, column: x(p.x) });
    }
  });
  for (const n of fits ? names(ending, (s) => y(s.points.at(-1).median), top + 2, bottom) : []) {
    parts.push(draw("line", { x1: x(end) + 8, y1: y(n.s.points.at(-1).median), x2: right + 4, y2: n.y, style: `stroke:${hueOf(n.s.lock)}`, "stroke-width": 0.8 }));
    parts.push(label(right + 8, n.y + 4, nameOf(n.s), { style: `fill:${hueOf(n.s.lock)}` }));
  }
  return [width, bottom + 46, parts, marks];
}

// scatter draws marks of {lock, x, y, text}, both on one logarithmic scale, with the line
// of what is equal.
function scatter(points, xName, yName) {
  const width = 440, left = 48, right = 428, top = 10, bottom = 300;
  const both = points.flatMap((p) => [p.x, p.y]);
  const [x, ticks] = scale(both, left + 8, right - 8, true), [y] = scale(both, bottom, top + 8, true);
  const parts = [], marks = [];
  yAxis(parts, y, ticks, left, right);
  xAxis(parts, x, ticks, show, xName, left, right, bottom);
  parts.push(draw("line", { class: "axis", x1: x(least(both)), y1: y(least(both)), x2: x(most(both)), y2: y(most(both)), "stroke-dasharray": "2 3" }));
  points.forEach((p) => {
    const node = markOf(p.lock, x(p.x), y(p.y), false);
    parts.push(node);
    marks.push({ node, text: p.text, row: y(p.y), column: x(p.x) });
  });
  parts.push(label(left + 6, top + 6, "↑ " + yName, { class: "faint" }));
  return [width, bottom + 46, parts, marks];
}

// bars draws a bar for each row of {lock, value, more, text}; more is a paler part behind.
function bars(rows, whole) {
  const width = 420, left = Math.min(150, most(rows.map((r) => widthOf(r.name))) + 10), h = 21;
  const room = width - left - most(rows.map((r) => widthOf(r.label))) - 12;
  const parts = [], marks = [];
  rows.forEach((r, i) => {
    const y = 4 + i * h, length = (v) => Math.max(1, (room * v) / (whole || 1));
    parts.push(label(left - 6, y + 15, cut(r.name, left - 8), { "text-anchor": "end" }));
    const node = draw("rect", { class: "mark", x: left, y: y + 3, width: length(r.value), height: h - 6, rx: 2, style: `fill:${hueOf(r.lock)}` });
    parts.push(node);
    if (r.more) parts.push(draw("rect", { x: left + length(r.value), y: y + 3, width: length(r.more), height: h - 6, rx: 2, style: `fill:${hueOf(r.lock)}`, opacity: 0.4 }));
    parts.push(label(left + length(r.value) + (r.more ? length(r.more) : 0) + 6, y + 15, r.label, { class: "faint" }));
    marks.push({ node, text: r.text, row: i, column: 0 });
  });
  return [width, 8 + rows.length * h, parts, marks];
}

function legend(cells) {
  const locks = distinct(cells.map((c) => c.l)).sort(byPlace);
  return make("p", {}, ...locks.map((l) => make("span", {}, swatch(l), data.locks[l].name)));
}

function swatch(l) {
  return draw("svg", { class: "swatch", viewBox: "-7 -7 14 14", style: "width:14px;height:14px", "aria-hidden": "true" }, markOf(l, 0, 0, false));
}

// put shows the figures of a section, or hides it if there are none.
function put(id, figures, before) {
  const section = byId(id), into = section.querySelector(".figures");
  section.hidden = figures.length === 0;
  section.querySelectorAll(".legend").forEach((e) => e.remove());
  if (before && figures.length > 0) {
    before.classList.add("legend");
    into.before(before);
  }
  into.replaceChildren(...figures);
}

// byMachine returns the figures that draw returns of each machine, below its name if there
// are several.
function byMachine(machines, figuresOf) {
  const all = machines.map((m) => [m, figuresOf(m)]).filter(([, figures]) => figures.length > 0);
  return all.flatMap(([m, figures]) => (all.length > 1 ? [make("h3", {}, machineText(m)), ...figures] : figures));
}

const machineText = (m) => data.machines[m].label;
const machinesOf = (cells) => distinct(cells.map((c) => c.m)).sort(numerically);
const mostCPUs = (cells) => most(cells.map((c) => c.c));
const byPlace = (a, b) => places[a] - places[b];
const overCPUs = (cells) => ({ ticks: distinct(cells.map((c) => c.c)).sort(numerically), text: String, name: "CPUs", place: Math.log2 });

// answers says of each machine which lock is the best on the most CPUs that it has, at the
// fewest reads and at the most that do not only read.
function answers(cells) {
  const unit = rankedBy(cells), all = contests(cells, unit);
  if (all.length === 0) return [make("p", {}, "Nothing is chosen: choose locks, CPUs and reads.")];
  return machinesOf(all).flatMap((m) => {
    const here = all.filter((g) => g.m === m), fair = here.filter((g) => !g.over);
    const of = fair.length > 0 ? fair : here, n = mostCPUs(of);
    const at = of.filter((g) => g.c === n).sort((a, b) => a.r - b.r), some = at.filter((g) => g.r < 100);
    const told = some.length > 0 ? distinct([some[0], some.at(-1)]) : at.slice(0, 1);
    const distance = n > 1 && !data.machines[m].simulated ? { near: ", near each other", far: ", far from each other" }[chosen.distance] || "" : "";
    return [make("p", { class: "where" }, `${machineText(m)}, ${cpusText(n)}${distance}: ${data.situations[chosen.situation].label}`), ...told.map((g) => make("p", {}, ...answer(g, unit)))];
  });
}

// answer says in a sentence which lock of a contest is the best.
function answer(g, unit) {
  const [best, second] = g.all, name = (a) => data.locks[a.l].name, strong = (a) => make("strong", {}, name(a));
  const value = (a) => amount(a.median, unit), waits = unit.match(/^(read|write)-p99-ns$/);
  const better = data.units.find((u) => u.name === unit).better;
  const ratio = (a) => (better > 0 ? best.median / a.median : a.median / best.median);
  const good = unit === "ns/op" ? "fast" : "good", first = good === "fast" ? "fastest" : "best";
  const when = (g.r < 0 ? "With these roles" : g.r === 0 ? "When every operation writes" : g.r === 100 ? "When all only read" : `At ${g.r} % reads`) +
    (waits ? `, by the wait that 99 % of ${waits[1] === "read" ? "readers" : "writers"} stay below` : "");
  const usual = g.all.find((a) => /^sync\.(RW)?Mutex(-model)?$/.test(name(a)));
  const exact = data.machines[g.m].simulated && best.lo === best.hi ? " (one seed)" : "";
  if (!second) return [when + ", ", strong(best), (waits ? " has " : " takes ") + value(best) + "; there is no other to compare it with."];
  if (best.lo === null) return [when + ", too few samples to tell which is " + first + ": ", strong(best), " has the best median, " + value(best) + "; an interval needs 6 samples."];
  if (g.tied.length === 0) {
    const than = (a) => (!Number.isFinite(ratio(a)) ? `ahead of ${name(a)}` : ratio(a) < 1.05 ? `just ahead of ${name(a)}` : `${ratio(a) < 10 ? ratio(a).toFixed(1) : show(ratio(a))} times as ${good} as ${name(a)}`);
    return [when + ", ", strong(best), ` is ${first}: ${value(best)}${exact}, ${than(second)}` + (usual && usual !== best && usual !== second ? ` and ${than(usual)}` : "") + "."];
  }
  const tied = [best, ...g.tied], slowest = tied.at(-1);
  const range = show(best.median) === show(slowest.median) ? value(best) : (waits ? value(best) : show(best.median)) + " to " + value(slowest);
  if (usual && tied.includes(usual)) {
    const others = g.tied.length === 1 ? `${name(tied.find((a) => a !== usual))} is not told apart from it` : `${g.tied.length} others are not told apart from it`;
    return [when + ", nothing beats ", strong(usual), ` beyond the noise: ${value(usual)}; ${others}${tied.length < g.all.length ? `, of ${g.all.length} locks` : ""}.`];
  }
  return [when + ", ", strong(best), ...(tied.length === 2 ? [" and ", strong(tied[1])] : [` and ${g.tied.length} more`]), ` tie for ${first}: ${range}` + (usual ? `; ${name(usual)} ${waits ? "has" : "takes"} ${value(usual)}` : "") + "."];
}

function winners(cells) {
  const unit = rankedBy(cells), all = contests(cells, unit);
  return machinesOf(all).map((m) => {
    const here = all.filter((g) => g.m === m);
    const drawn = here.map((g) => {
      const [best, second] = g.all, name = data.locks[best.l].name, sure = g.tied.length === 0 && g.all.length > 1;
      return {
        c: g.c, r: g.r, fill: sure ? hueOf(best.l) : `color-mix(in srgb, ${hueOf(best.l)} 22%, var(--back))`, ink: sure ? "var(--back)" : "var(--text)",
        lines: [name, sure || g.all.length === 1 ? (unit.endsWith("-ns") ? amount(best.median, unit) : show(best.median)) : best.lo === null ? "too few samples" : "tied with " + g.tied.length],
        text: `${cpusText(g.c)}, ${readsText(g.r)}${g.over ? " (more CPUs than the machine has)" : ""}\n${name}: ${interval(best)} ${unit}` +
          (second ? `\nthen ${data.locks[second.l].name}: ${interval(second)}` : "") +
          (best.lo === null && second ? "\ntoo few samples to tell" : g.tied.length ? "\nnot told apart from: " + listed(g.tied.map((t) => data.locks[t.l].name)) : sure ? "\nthe best for sure" : "") +
          (g.few.length ? "\nnot ranked, for too few samples: " + listed(g.few.map((t) => data.locks[t.l].name)) : ""),
      };
    });
    return figure(`${machineText(m)}: ${unit}, ${wordOf(unit)}`, ...grid(drawn, 92), ["CPUs", "reads", "best", unit, "second", unit, "tied with"],
      here.map((g) => [g.c, readsText(g.r), data.locks[g.all[0].l].name, interval(g.all[0]), g.all[1] ? data.locks[g.all[1].l].name : "", g.all[1] ? interval(g.all[1]) : "", g.tied.length]));
  });
}

const wordOf = (unit) => ({ "-1": "less is better", 1: "more is better" })[(data.units.find((u) => u.name === unit) || {}).better] || "neither more nor less is better";
const listed = (names) => (names.length > 8 ? names.slice(0, 7).join(", ") + " and " + (names.length - 7) + " more" : names.join(", "));

// curvesOf draws a unit over CPUs, a figure for each share of reads of which there is more
// than one CPU count.
function curvesOf(cells, unit, name) {
  const has = cells.filter((c) => Number.isFinite((c.values.get(unit) || {}).median));
  return distinct(has.map((c) => c.r)).sort(numerically).flatMap((r) => {
    const here = has.filter((c) => c.r === r), groups = new Map();
    if (distinct(here.map((c) => c.c)).length < 2) return [];
    for (const c of here) {
      const key = [c.m, c.l].join();
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(c);
    }
    const series = [...groups.values()].sort(([a], [b]) => a.m - b.m || byPlace(a.l, b.l)).map((all) => ({
      lock: all[0].l, machine: all[0].m, simulated: data.machines[all[0].m].simulated,
      points: all.sort((a, b) => a.c - b.c).map((c) => ({
        x: c.c, ...c.values.get(unit), text: `${data.locks[c.l].name}, ${cpusText(c.c)}\n${interval(c.values.get(unit))} ${unit}\n${count(c.n, "sample")}, ${machineText(c.m)}`,
      })),
    }));
    return figure(`${name}, ${readsText(r)}`, ...lines(series, overCPUs(here)), ["lock", "machine", "CPUs", unit],
      series.flatMap((s) => s.points.map((p) => [data.locks[s.lock].name, machineText(s.machine), p.x, interval(p)])));
  });
}

function heat(cells) {
  const unit = chosen.unit, better = (data.units.find((u) => u.name === unit) || { better: -1 }).better;
  if (better === 0) return [];
  const all = contests(cells, unit);
  if (all.length < 2) return [];
  const locks = distinct(all.flatMap((g) => g.all.map((a) => a.l))).sort(byPlace);
  return byMachine(machinesOf(all), (m) => locks.map((l) => {
    const drawn = [];
    for (const g of all.filter((g) => g.m === m)) {
      const mine = g.all.find((a) => a.l === l), best = g.all[0];
      if (!mine) continue;
      const ratio = better > 0 ? best.median / mine.median : mine.median / best.median;
      if (!Number.isFinite(ratio)) continue;
      drawn.push({ c: g.c, r: g.r, ...heatOf(ratio), lines: [ratio >= 100 ? show(Math.round(ratio)) : ratio.toFixed(ratio < 10 ? 1 : 0)],
        text: `${data.locks[l].name}, ${cpusText(g.c)}, ${readsText(g.r)}\n${interval(mine)} ${unit}\n${ratio.toFixed(2)} times the best, ${data.locks[best.l].name}: ${interval(best)}` });
    }
    if (drawn.length === 0) return null;
    return figure(data.locks[l].name, ...grid(drawn, 44), ["CPUs", "reads", "times the best"], drawn.map((d) => [d.c, readsText(d.r), d.lines[0]]));
  }).filter((f) => f !== null));
}

const roles = [["write", "writers"], ["read", "readers"]];

function waits(cells) {
  const has = cells.filter((c) => c.w), n = mostCPUs(has);
  const figures = roles.flatMap(([role, who]) => curvesOf(cells, role + "-p99-ns", `99 % of ${who} wait less than, ns`));
  for (const [role, who] of roles) {
    for (const r of distinct(has.map((c) => c.r)).sort(numerically)) {
      const series = has.filter((c) => c.c === n && c.r === r && c.w[role]).sort((a, b) => byPlace(a.l, b.l)).map((c) => ({
        lock: c.l, machine: c.m, simulated: data.machines[c.m].simulated, dots: false,
        points: data.shares.map((p, i) => ({ x: p, median: Math.max(1, c.w[role][i]), lo: null, text: `${data.locks[c.l].name}: ${shareText(p)} of the ${who} waited up to ${show(c.w[role][i])} ns\n${machineText(c.m)}` })),
      }));
      if (series.length === 0) continue;
      figures.push(figure(`Waits of ${who}, ns, ${readsText(r)}, ${cpusText(n)}`,
        ...lines(series, { ticks: [0, 0.9, 0.99, 0.999, 0.9999, 0.99999], text: (p) => (p === 0 ? "least" : shareText(p)), name: "share of the " + who, place: (p) => -Math.log10(1 - p) }),
        ["lock", "machine", "share", "ns"], series.flatMap((s) => s.points.filter((_, i) => i % 4 === 0).map((p) => [data.locks[s.lock].name, machineText(s.machine), shareText(p.x), p.median]))));
    }
  }
  return figures;
}

// barsOf returns bars of the first of some units that there is, on the most CPUs, for each
// share of reads; up to whole, or to the greatest.
function barsOf(cells, units, whole) {
  const has = cells.filter((c) => units.some((u) => c.values.has(u)) && !isControl(c.l));
  return byMachine(machinesOf(has), (m) => {
    const here = has.filter((c) => c.m === m), n = mostCPUs(here);
    return distinct(here.map((c) => c.r)).sort(numerically).flatMap((r) => {
      const unit = units.find((u) => here.some((c) => c.values.has(u)));
      const rows = here.filter((c) => c.c === n && c.r === r && c.values.has(unit)).map((c) => {
        const v = c.values.get(unit), name = data.locks[c.l].name;
        return { lock: c.l, name, value: v.median, label: show(v.median), text: `${name}: ${interval(v)} ${unit}`, shown: interval(v) };
      }).sort((a, b) => (whole ? b.value - a.value : a.value - b.value));
      if (rows.length === 0) return [];
      return figure(`${readsText(r)}, ${cpusText(n)}: ${unit}`, ...bars(rows, whole || most(rows.map((x) => x.value))), ["lock", unit], rows.map((x) => [x.name, x.shown]));
    });
  });
}

// beside draws each simulated machine beside each measured one.
function beside(cells) {
  const unit = chosen.unit, has = cells.filter((c) => ((c.values.get(unit) || {}).median || 0) > 0);
  const keyOf = (c) => [data.locks[c.l].name.replace(/-model$/, ""), c.c, c.r].join("\n");
  const real = machinesOf(has).filter((m) => !data.machines[m].simulated), simulated = machinesOf(has).filter((m) => data.machines[m].simulated);
  return real.flatMap((m) => simulated.flatMap((s) => {
    const at = new Map(has.filter((c) => c.m === s).map((c) => [keyOf(c), c]));
    const points = has.filter((c) => c.m === m && at.has(keyOf(c))).map((c) => {
      const v = c.values.get(unit), w = at.get(keyOf(c)).values.get(unit);
      return { lock: c.l, c, v, w, x: v.median, y: w.median, text: `${data.locks[c.l].name}, ${cpusText(c.c)}, ${readsText(c.r)}\nmeasured ${interval(v)} ${unit}\nsimulated ${interval(w)} ${unit}` };
    });
    if (points.length === 0) return [];
    return figure(`${unit}: ${machineText(s)}, and ${machineText(m)}`, ...scatter(points, "measured", "simulated"), ["lock", "CPUs", "reads", "measured", "simulated"],
      points.map((p) => [data.locks[p.lock].name, p.c.c, readsText(p.c.r), interval(p.v), interval(p.w)]));
  }));
}

function memory(cells) {
  const rows = distinct(cells.map((c) => c.l)).map((l) => ({ l, ...data.locks[l] })).filter((k) => k.known && !k.control)
    .sort((a, b) => a.bytes + a.waiter - b.bytes - b.waiter).map((k) => ({
      lock: k.l, name: k.name, value: k.bytes, more: k.waiter, label: k.bytes + " B" + (k.waiter ? " + " + k.waiter : ""),
      text: `${k.name}: ${k.bytes} bytes${k.waiter ? ", and " + k.waiter + " for each waiter" : ""}\n${k.order}; a waiter ${k.waits}\n${k.source}`,
    }));
  if (rows.length === 0) return [];
  return [figure("Bytes of a lock, and of each waiter (pale)", ...bars(rows, most(rows.map((r) => r.value + r.more))), ["lock", "bytes", "each waiter"], rows.map((r) => [r.name, r.value, r.more]))];
}

// mostRows is how many rows the table of all numbers has; more would make the page slow.
const mostRows = 1000;

function allNumbers(cells) {
  if (cells.length === 0) return [];
  const units = data.units.map((u) => u.name).filter((u) => cells.some((c) => c.values.has(u)));
  const rows = cells.slice(0, mostRows).map((c) => [data.locks[c.l].name, machineText(c.m), c.c, readsText(c.r), c.d, c.n, ...units.map((u) => (c.values.has(u) ? interval(c.values.get(u)) : ""))]);
  return [make("figure", {}, make("figcaption", {}, cells.length > mostRows ? `The first ${mostRows} of ${cells.length} cells; the files have all` : cells.length + " cells"),
    numbers(["lock", "machine", "CPUs", "reads", "distance", "samples", ...units], rows))];
}

function redraw() {
  tip.hidden = true;
  const cells = visible();
  byId("answer").replaceChildren(...answers(cells));
  put("winners", winners(cells));
  put("curves", curvesOf(cells, chosen.unit, chosen.unit), legend(cells));
  put("heat", heat(cells));
  put("waits", waits(cells), legend(cells.filter((c) => c.w)));
  put("fair", barsOf(cells.filter((c) => c.c > 1), ["share-min-max", "jain"], 1));
  put("burn", barsOf(cells, ["cpu-ns/op", "spin-ns/op"]));
  const compared = beside(cells);
  put("beside", compared, compared.length ? legend(cells.filter((c) => !data.machines[c.m].simulated)) : null);
  put("memory", memory(cells));
  put("numbers", allNumbers(cells));
  const all = of(chosen.situation);
  byId("shown").textContent = `${cells.length} of ${count(all.length, "cell")}, ${chosen.locks.size} of ${count(distinct(all.map((c) => c.l)).length, "lock")}`;
  document.body.dataset.cells = cells.length;
  remember();
}

// The panel.

function option(select, value, text) { select.append(make("option", { value }, text)); }

// boxes fills a fieldset with check boxes for values; chosen ones are in the set.
function boxes(id, values, set, text, before, buttons) {
  const into = byId(id);
  into.querySelectorAll("label, button").forEach((e) => e.remove());
  const all = values.map((v) => {
    const box = make("input", { type: "checkbox", value: v, onchange: (e) => { if (e.target.checked) set.add(v); else set.delete(v); redraw(); } });
    box.checked = set.has(v);
    into.append(make("label", {}, box, before ? before(v) : null, " " + text(v)));
    return box;
  });
  for (const [name, which] of buttons || []) {
    into.append(make("button", { type: "button", onclick: () => {
      set.clear();
      which().forEach((v) => set.add(v));
      all.forEach((b, i) => { b.checked = set.has(values[i]); });
      redraw();
    } }, name));
  }
  into.hidden = values.length < 2;
}

// ordered returns the locks of cells by their mean place in the contests, the best first;
// those of no contest are last.
function ordered(cells) {
  const at = new Map();
  for (const g of contests(cells, rankedBy(cells))) {
    g.all.forEach((a, i) => {
      if (!at.has(a.l)) at.set(a.l, []);
      at.get(a.l).push(i);
    });
  }
  const mean = (of) => of.reduce((a, b) => a + b, 0) / of.length;
  return distinct([...[...at].sort((a, b) => mean(a[1]) - mean(b[1])).map(([l]) => l), ...cells.map((c) => c.l)]);
}

// leading returns the locks to begin with: those of package sync, and others up to eight,
// the best first.
function leading(cells) {
  const order = ordered(cells.filter((c) => !isControl(c.l)));
  return distinct([...order.filter((l) => data.locks[l].name.startsWith("sync.")), ...order]).slice(0, 8);
}

// place gives each lock its place among the looks: those to begin with come first.
function place() {
  const cells = of(chosen.situation).filter(fits);
  distinct([...leading(cells), ...ordered(cells), ...data.locks.keys()]).forEach((l, i) => { places[l] = i; });
}

// situated fills the panel for the chosen situation.
function situated(kept) {
  const cells = of(chosen.situation);
  const real = cells.filter((c) => !data.machines[c.m].simulated && c.d !== "local");
  const distances = distinct(real.map((c) => c.d));
  const select = byId("distance");
  select.replaceChildren();
  const told = (c) => [...c.values.values()].some((v) => v.lo !== null);
  const often = (d) => real.filter((c) => c.d === d).reduce((n, c) => n + (told(c) ? 1 : 1e-6), 0);
  for (const d of ["far", "near", ""].filter((d) => distances.includes(d)).sort((a, b) => often(b) - often(a))) option(select, d, d === "" ? "at an unknown distance" : d);
  if (distances.length === 0) option(select, "local", "alone");
  select.parentElement.hidden = distances.length < 2;
  if (![...select.options].some((o) => o.value === chosen.distance)) chosen.distance = select.options[0].value;
  select.value = chosen.distance;
  const units = data.units.filter((u) => cells.some((c) => c.values.has(u.name)));
  const unit = byId("unit");
  unit.replaceChildren();
  for (const u of units) option(unit, u.name, u.name);
  if (!units.some((u) => u.name === chosen.unit)) chosen.unit = rankedBy(cells);
  unit.value = chosen.unit;
  unit.title = (data.units.find((u) => u.name === chosen.unit) || {}).means || "";
  if (places.length === 0) place();
  const locks = distinct(cells.map((c) => c.l)).sort((a, b) => data.locks[a].name.localeCompare(data.locks[b].name));
  const fillSet = (set, values, all) => {
    const keep = kept ? values.filter((v) => set.has(v)) : [];
    set.clear();
    (keep.length ? keep : all).forEach((v) => set.add(v));
  };
  const cpus = distinct(cells.map((c) => c.c)).sort(numerically), reads = distinct(cells.map((c) => c.r)).sort(numerically);
  fillSet(chosen.machines, machinesOf(cells), machinesOf(cells));
  fillSet(chosen.cpus, cpus, cpus);
  fillSet(chosen.reads, reads, reads);
  fillSet(chosen.locks, locks, leading(cells.filter(fits)));
  if (chosen.locks.size === 0) locks.forEach((l) => chosen.locks.add(l));
  boxes("machines", machinesOf(cells), chosen.machines, machineText);
  boxes("cpus", cpus, chosen.cpus, String);
  boxes("reads", reads, chosen.reads, (r) => (r < 0 ? "roles" : r + " %"));
  boxes("locks", locks, chosen.locks, (l) => data.locks[l].name, swatch, [["all", () => locks], ["none", () => []], ["leading", () => leading(cells.filter(fits))]]);
}

// The address remembers what is chosen, so that it can be sent to others.

function remember() {
  const q = new URLSearchParams();
  q.set("situation", chosen.situation);
  q.set("distance", chosen.distance);
  q.set("unit", chosen.unit);
  chosen.locks.forEach((l) => q.append("lock", data.locks[l].name));
  for (const key of ["machines", "cpus", "reads"]) q.set(key, [...chosen[key]].join());
  history.replaceState(null, "", "#" + q);
}

function recall() {
  const q = new URLSearchParams(location.hash.slice(1));
  const s = Number(q.get("situation"));
  if (q.has("situation") && data.situations[s]) {
    chosen.situation = s;
  } else { // that with the most cells
    data.situations.forEach((x, i) => { if (x.cells > data.situations[chosen.situation].cells) chosen.situation = i; });
  }
  if (q.has("distance")) chosen.distance = q.get("distance");
  if (q.has("unit")) chosen.unit = q.get("unit");
  for (const key of ["machines", "cpus", "reads"]) if (q.get(key)) q.get(key).split(",").forEach((v) => chosen[key].add(Number(v)));
  q.getAll("lock").forEach((name) => { const l = data.locks.findIndex((k) => k.name === name); if (l >= 0) chosen.locks.add(l); });
  return q.has("situation");
}

function begin() {
  const kept = recall();
  data.situations.map((s, i) => [s, i]).sort((a, b) => b[0].cells - a[0].cells).forEach(([s, i]) => option(byId("situation"), i, s.label));
  byId("situation").value = chosen.situation;
  byId("situation").addEventListener("change", (e) => { chosen.situation = Number(e.target.value); situated(true); redraw(); });
  byId("distance").addEventListener("change", (e) => { chosen.distance = e.target.value; redraw(); });
  byId("unit").addEventListener("change", (e) => { chosen.unit = e.target.value; e.target.title = (data.units.find((u) => u.name === chosen.unit) || {}).means || ""; redraw(); });
  byId("look").addEventListener("click", () => {
    const root = document.documentElement, dark = root.dataset.look ? root.dataset.look === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.look = dark ? "light" : "dark";
  });
  situated(kept);
  byId("choose").hidden = false;
  byId("choose").open = matchMedia("(min-width: 62rem)").matches;
  document.addEventListener("pointerdown", (e) => { if (!e.target.classList.contains("mark")) tip.hidden = true; });
  redraw();
}

begin();
})();
