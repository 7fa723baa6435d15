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

const numerically = (a, b) => a - b;
const distinct = (values) => [...new Set(values)];

// Looks. The colours are those of Okabe and Ito, which differ with every form of colour blindness.

const hues = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#808080"];
const outlines = [
  (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`,
  (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
  (r) => `M0,${-1.2 * r}L${1.2 * r},${r}H${-1.2 * r}z`,
  (r) => `M0,${1.2 * r}L${1.2 * r},${-r}H${-1.2 * r}z`,
];
const hueOf = (l) => hues[l % hues.length];

function markOf(l, x, y, simulated) {
  const hollow = Math.floor(l / outlines.length) % 2 === 1;
  return draw("path", {
    class: "mark", d: outlines[l % outlines.length](4), transform: `translate(${x},${y})`,
    fill: hollow || simulated ? "var(--back)" : hueOf(l), stroke: hueOf(l), "stroke-width": 1.5,
  });
}

// ink returns black or white, whichever can be read on a colour.
function ink(color) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04 ? c / 12.9 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#000" : "#fff";
}

// blend mixes a colour with white.
function blend(color, share) {
  return "#" + [1, 3, 5].map((i) => Math.round(255 + (parseInt(color.slice(i, i + 2), 16) - 255) * share).toString(16).padStart(2, "0")).join("");
}

// What is chosen.

const chosen = { situation: 0, distance: "", unit: "", machines: new Set(), cpus: new Set(), reads: new Set(), locks: new Set() };

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
    g.all.sort((a, b) => (better > 0 ? b.median - a.median : a.median - b.median));
    const [best, ...others] = g.all;
    g.tied = others.filter((o) => best.lo === null || o.lo === null || (better > 0 ? o.hi >= best.lo : o.lo <= best.hi));
  }
  return [...groups.values()];
}

const readsText = (r) => (r < 0 ? "roles" : r + " % reads");
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
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0, "aria-label": title }, ...parts);
  let at = -1;
  const choose = (i) => {
    if (at >= 0) marks[at].node.classList.remove("chosen");
    at = i;
    if (at < 0) { tip.hidden = true; return; }
    marks[at].node.classList.add("chosen");
    const box = marks[at].node.getBoundingClientRect();
    showTip(marks[at].text, box.right, box.bottom);
  };
  marks.forEach((m, i) => {
    m.node.addEventListener("pointerenter", (e) => { choose(i); showTip(m.text, e.clientX, e.clientY); });
    m.node.addEventListener("pointerleave", () => choose(-1));
  });
  picture.addEventListener("blur", () => choose(-1));
  picture.addEventListener("keydown", (e) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[e.key];
    if (e.key === "Escape") choose(-1);
    if (!step || marks.length === 0) return;
    e.preventDefault();
    if (at < 0) { choose(0); return; }
    const { row, column } = marks[at];
    let best = -1, least = Infinity;
    marks.forEach((m, i) => {
      const down = m.row - row, right = m.column - column;
      const ahead = step[0] ? down * step[0] : right * step[1];
      const aside = step[0] ? Math.abs(right) : Math.abs(down);
      if (ahead > 0 && ahead + 1000 * aside < least) [best, least] = [i, ahead + 1000 * aside];
    });
    if (best >= 0) choose(best);
  });
  return make("figure", {}, make("figcaption", {}, title), picture, numbers(head, rows));
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
    make("tbody", {}, ...rows.map((r) => make("tr", {}, ...r.map((v) => make("td", {}, String(v)))))));
}

function label(x, y, text, attributes) {
  return draw("text", { x, y, ...attributes }, text);
}

// cut shortens a text to a width in pixels, of letters of 12 pixels.
function cut(text, width) {
  const n = Math.floor(width / 6.8);
  return text.length <= n ? text : text.slice(0, Math.max(1, n - 1)) + "…";
}

// grid draws a map over CPU counts and shares of reads: a rectangle for each cell, with
// up to two lines of text.
function grid(title, cells, width) {
  const cpus = distinct(cells.map((c) => c.c)).sort(numerically), reads = distinct(cells.map((c) => c.r)).sort(numerically);
  const left = 84, top = 22, w = Math.min(150, (width - left) / cpus.length), h = 38;
  const parts = [], marks = [];
  cpus.forEach((n, i) => parts.push(label(left + (i + 0.5) * w, 14, w < 56 ? n : cpusText(n), { "text-anchor": "middle", class: "faint" })));
  reads.forEach((r, i) => parts.push(label(left - 6, top + (i + 0.6) * h, readsText(r), { "text-anchor": "end", class: "faint" })));
  for (const c of cells) {
    const x = left + cpus.indexOf(c.c) * w, y = top + reads.indexOf(c.r) * h;
    const node = draw("rect", { class: "mark", x: x + 1, y: y + 1, width: w - 2, height: h - 2, rx: 3, fill: c.fill });
    parts.push(node);
    c.lines.forEach((text, i) => parts.push(draw("text", {
      x: x + w / 2, y: y + (c.lines.length === 1 ? 23 : 16 + 15 * i), "text-anchor": "middle", "pointer-events": "none", style: `fill:${ink(c.fill)}`,
    }, cut(text, w - 6))));
    marks.push({ node, text: c.text, row: reads.indexOf(c.r), column: cpus.indexOf(c.c) });
  }
  return [width, top + reads.length * h + 4, parts, marks];
}

// scale returns a function from values to pixels, and where its ticks are; a logarithm if
// all values are above 0 and they are far apart.
function scale(values, from, to, logarithm) {
  let least = Math.min(...values), most = Math.max(...values);
  if (logarithm && least > 0) {
    if (least === most) [least, most] = [least / 2, most * 2];
    const a = Math.log(least), b = Math.log(most);
    let ticks = [];
    for (let k = Math.floor(Math.log10(least)); k <= Math.ceil(Math.log10(most)); k++) ticks.push(...[1, 2, 5].map((m) => m * 10 ** k));
    ticks = ticks.filter((t) => t >= least && t <= most);
    if (ticks.length > 7) ticks = ticks.filter((t) => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
    while (ticks.length > 8) ticks = ticks.filter((_, i) => i % 2 === 0);
    if (ticks.length < 2) ticks = [least, most];
    return [(v) => from + ((Math.log(v) - a) / (b - a)) * (to - from), ticks];
  }
  least = Math.min(0, least);
  if (least === most) most = least + 1;
  const step = [1, 2, 5, 10].map((m) => m * 10 ** Math.floor(Math.log10((most - least) / 5))).find((s) => (most - least) / s <= 6);
  const ticks = [];
  for (let t = Math.ceil(least / step) * step; t <= most + step / 1e6; t += step) ticks.push(+t.toPrecision(10));
  return [(v) => from + ((v - least) / (most - least)) * (to - from), ticks];
}

// lines draws series over x: each has a lock, whether it is simulated, and points of x,
// median, lo, hi and text.
function lines(series, xTicks, xText, xOf) {
  const width = 420, height = 260, left = 52, right = 408, top = 10, bottom = 226;
  const points = series.flatMap((s) => s.points);
  const [x] = scale(points.map((p) => xOf(p.x)).concat(xTicks.map(xOf)), left + 10, right - 10, false);
  const spread = points.flatMap((p) => [p.median, p.lo ?? p.median, p.hi ?? p.median]).filter((v) => Number.isFinite(v));
  const [y, yTicks] = scale(spread, bottom, top + 4, true);
  const parts = [], marks = [];
  for (const t of yTicks) {
    parts.push(draw("line", { class: "grid", x1: left, x2: right, y1: y(t), y2: y(t) }));
    parts.push(label(left - 6, y(t) + 4, show(t), { "text-anchor": "end", class: "faint" }));
  }
  parts.push(draw("line", { class: "axis", x1: left, x2: right, y1: bottom + 6, y2: bottom + 6 }));
  let free = -Infinity;
  for (const t of xTicks) {
    const text = xText(t), half = 3.6 * text.length;
    parts.push(draw("line", { class: "axis", x1: x(xOf(t)), x2: x(xOf(t)), y1: bottom + 6, y2: bottom + 10 }));
    if (x(xOf(t)) - half < free) continue; // it would lie over the one before
    parts.push(label(x(xOf(t)), bottom + 24, text, { "text-anchor": "middle", class: "faint" }));
    free = x(xOf(t)) + half + 6;
  }
  series.forEach((s, row) => {
    const path = s.points.map((p, i) => (i ? "L" : "M") + x(xOf(p.x)).toFixed(1) + "," + y(p.median).toFixed(1)).join("");
    parts.push(draw("path", { d: path, fill: "none", stroke: hueOf(s.lock), "stroke-width": 1.8, "stroke-dasharray": s.simulated ? "5 3" : null }));
    for (const p of s.points) {
      if (p.lo !== null && p.lo !== undefined) parts.push(draw("line", { x1: x(xOf(p.x)), x2: x(xOf(p.x)), y1: y(p.lo), y2: y(p.hi), stroke: hueOf(s.lock), "stroke-width": 1.2, opacity: 0.6 }));
      const node = s.dots === false ? draw("circle", { class: "mark", cx: x(xOf(p.x)), cy: y(p.median), r: 2.5, fill: hueOf(s.lock) }) : markOf(s.lock, x(xOf(p.x)), y(p.median), s.simulated);
      parts.push(node);
      marks.push({ node, text: p.text, row, column: x(xOf(p.x)) });
    }
  });
  return [width, height, parts, marks];
}

// bars draws a bar for each row of {lock, value, more, text}; more is a paler part behind.
function bars(rows, most) {
  const width = 420, left = 130, h = 20;
  const parts = [], marks = [];
  rows.forEach((r, i) => {
    const y = 4 + i * h, length = (v) => Math.max(1, ((width - left - 92) * v) / (most || 1));
    parts.push(label(left - 6, y + 14, cut(r.name, left - 8), { "text-anchor": "end" }));
    const node = draw("rect", { class: "mark", x: left, y: y + 3, width: length(r.value), height: h - 6, rx: 2, fill: hueOf(r.lock) });
    parts.push(node);
    if (r.more) parts.push(draw("rect", { x: left + length(r.value), y: y + 3, width: length(r.more), height: h - 6, rx: 2, fill: hueOf(r.lock), opacity: 0.4 }));
    parts.push(label(left + length(r.value) + (r.more ? length(r.more) : 0) + 6, y + 14, r.label, { class: "faint" }));
    marks.push({ node, text: r.text, row: i, column: 0 });
  });
  return [width, 8 + rows.length * h, parts, marks];
}

function legend(cells) {
  const locks = distinct(cells.map((c) => c.l)).sort(numerically);
  return make("p", {}, ...locks.flatMap((l) => [swatch(l), data.locks[l].name + "  "]));
}

function swatch(l) {
  return draw("svg", { class: "swatch", viewBox: "-7 -7 14 14", style: "width:14px;height:14px;display:inline-block", "aria-hidden": "true" }, markOf(l, 0, 0, false));
}

// put shows the figures of a section, or hides it if there are none.
function put(id, figures, before, wide) {
  const section = byId(id), into = section.querySelector(".figures");
  section.hidden = figures.length === 0;
  section.querySelectorAll(".legend").forEach((e) => e.remove());
  if (before && figures.length > 0) {
    before.classList.add("legend");
    into.before(before);
  }
  into.classList.toggle("wide", Boolean(wide));
  into.replaceChildren(...figures);
}

const machineText = (m) => data.machines[m].label;
const machinesOf = (cells) => distinct(cells.map((c) => c.m)).sort(numerically);
const mostCPUs = (cells) => Math.max(...cells.map((c) => c.c));

function winners(cells) {
  const unit = rankedBy(cells), all = contests(cells, unit);
  return machinesOf(all).map((m) => {
    const here = all.filter((g) => g.m === m);
    const drawn = here.map((g) => {
      const best = g.all[0], name = data.locks[best.l].name, sure = g.tied.length === 0 && g.all.length > 1;
      const second = g.all[1];
      return {
        c: g.c, r: g.r, fill: blend(hueOf(best.l), sure ? 1 : 0.35),
        lines: [name, sure || g.all.length === 1 ? show(best.median) : "tied with " + g.tied.length],
        text: `${cpusText(g.c)}, ${readsText(g.r)}${g.over ? " (more CPUs than the machine has)" : ""}\n${name}: ${interval(best)} ${unit}` +
          (second ? `\nthen ${data.locks[second.l].name}: ${interval(second)}` : "") +
          (g.tied.length ? "\nnot told apart from: " + g.tied.map((t) => data.locks[t.l].name).join(", ") : sure ? "\nthe fastest for sure" : ""),
      };
    });
    return figure(`${machineText(m)}, ${unit}`, ...grid("", drawn, 680), ["CPUs", "reads", "best", unit, "second", unit, "tied with"],
      here.map((g) => [g.c, readsText(g.r), data.locks[g.all[0].l].name, interval(g.all[0]), g.all[1] ? data.locks[g.all[1].l].name : "", g.all[1] ? interval(g.all[1]) : "", g.tied.length]));
  });
}

function curves(cells) {
  const unit = chosen.unit, has = cells.filter((c) => c.values.has(unit));
  const cpus = distinct(has.map((c) => c.c)).sort(numerically);
  if (cpus.length < 2) return [];
  return distinct(has.map((c) => c.r)).sort(numerically).map((r) => {
    const series = [];
    for (const m of machinesOf(has)) {
      for (const l of distinct(has.map((c) => c.l)).sort(numerically)) {
        const points = has.filter((c) => c.m === m && c.l === l && c.r === r).sort((a, b) => a.c - b.c).map((c) => ({
          x: c.c, ...c.values.get(unit), text: `${data.locks[l].name}, ${cpusText(c.c)}\n${interval(c.values.get(unit))} ${unit}\n${c.n} samples, ${machineText(m)}`,
        }));
        if (points.length > 0) series.push({ lock: l, machine: m, simulated: data.machines[m].simulated, points });
      }
    }
    return figure(`${readsText(r)}: ${unit} over CPUs`, ...lines(series, cpus, String, (n) => Math.log2(n)), ["lock", "machine", "CPUs", unit],
      series.flatMap((s) => s.points.map((p) => [data.locks[s.lock].name, machineText(s.machine), p.x, interval(p)])));
  });
}

// A ratio has the colour of its size: the fastest is pale, 64 times as slow is dark.
const heatColor = (ratio) => blend("#7f1d5a", Math.min(1, 0.06 + Math.log2(Math.max(1, ratio)) / 6));

function heat(cells) {
  const unit = chosen.unit, better = (data.units.find((u) => u.name === unit) || { better: -1 }).better;
  if (better === 0) return [];
  const all = contests(cells, unit);
  const locks = distinct(all.flatMap((g) => g.all.map((a) => a.l))).sort(numerically);
  if (all.length < 2) return [];
  return machinesOf(all).flatMap((m) => locks.map((l) => {
    const drawn = [];
    for (const g of all.filter((g) => g.m === m)) {
      const mine = g.all.find((a) => a.l === l), best = g.all[0];
      if (!mine) continue;
      const ratio = better > 0 ? best.median / mine.median : mine.median / best.median;
      if (!Number.isFinite(ratio)) continue;
      drawn.push({ c: g.c, r: g.r, fill: heatColor(ratio), lines: [ratio >= 100 ? show(Math.round(ratio)) : ratio.toFixed(ratio < 10 ? 1 : 0)],
        text: `${data.locks[l].name}, ${cpusText(g.c)}, ${readsText(g.r)}\n${interval(mine)} ${unit}\n${ratio.toFixed(2)} times the best, ${data.locks[best.l].name}: ${interval(best)}` });
    }
    if (drawn.length === 0) return null;
    const title = data.locks[l].name + (machinesOf(all).length > 1 ? ", " + machineText(m) : "");
    return figure(title, ...grid("", drawn, 420), ["CPUs", "reads", "times the best"], drawn.map((d) => [d.c, readsText(d.r), d.lines[0]]));
  })).filter((f) => f !== null);
}

function waits(cells) {
  const has = cells.filter((c) => c.w);
  if (has.length === 0) return [];
  const most = mostCPUs(has);
  const figures = [];
  for (const role of ["write", "read"]) {
    for (const r of distinct(has.map((c) => c.r)).sort(numerically)) {
      const series = has.filter((c) => c.c === most && c.r === r && c.w[role]).sort((a, b) => a.l - b.l).map((c) => ({
        lock: c.l, machine: c.m, simulated: data.machines[c.m].simulated, dots: false,
        points: data.shares.map((p, i) => ({ x: p, median: Math.max(1, c.w[role][i]), lo: null, text: `${data.locks[c.l].name}: ${shareText(p)} of the ${role}s waited up to ${show(c.w[role][i])} ns\n${machineText(c.m)}` })),
      }));
      if (series.length === 0) continue;
      figures.push(figure(`${role}s, ${readsText(r)}, ${cpusText(most)}: ns`, ...lines(series, [0, 0.9, 0.99, 0.999, 0.9999, 0.99999], (p) => (p === 0 ? "least" : shareText(p)), (p) => -Math.log10(1 - p)),
        ["lock", "machine", "share", "ns"], series.flatMap((s) => s.points.filter((_, i) => i % 4 === 0).map((p) => [data.locks[s.lock].name, machineText(s.machine), shareText(p.x), p.median]))));
    }
  }
  return figures;
}

// barsOf returns bars of the first of some units that there is, on the most CPUs, for each
// share of reads.
function barsOf(cells, units, most) {
  const has = cells.filter((c) => units.some((u) => c.values.has(u)) && !isControl(c.l));
  if (has.length === 0) return [];
  const figures = [];
  for (const m of machinesOf(has)) {
    const here = has.filter((c) => c.m === m), n = mostCPUs(here);
    for (const r of distinct(here.map((c) => c.r)).sort(numerically)) {
      const unit = units.find((u) => here.some((c) => c.values.has(u)));
      const rows = here.filter((c) => c.c === n && c.r === r && c.values.has(unit)).map((c) => {
        const v = c.values.get(unit), name = data.locks[c.l].name;
        return { lock: c.l, name, value: v.median, label: show(v.median), text: `${name}: ${interval(v)} ${unit}` };
      }).sort((a, b) => (most ? b.value - a.value : a.value - b.value));
      if (rows.length === 0) continue;
      figures.push(figure(`${readsText(r)}, ${cpusText(n)}: ${unit}${machinesOf(has).length > 1 ? ", " + machineText(m) : ""}`,
        ...bars(rows, most || Math.max(...rows.map((x) => x.value))), ["lock", unit], rows.map((x) => [x.name, show(x.value)])));
    }
  }
  return figures;
}

function memory(cells) {
  const rows = distinct(cells.map((c) => c.l)).map((l) => ({ l, ...data.locks[l] })).filter((k) => k.known && !k.control)
    .sort((a, b) => a.bytes + a.waiter - b.bytes - b.waiter).map((k) => ({
      lock: k.l, name: k.name, value: k.bytes, more: k.waiter, label: k.bytes + " B" + (k.waiter ? " + " + k.waiter : ""),
      text: `${k.name}: ${k.bytes} bytes${k.waiter ? ", and " + k.waiter + " for each waiter" : ""}\n${k.order}; a waiter ${k.waits}\n${k.source}`,
    }));
  if (rows.length === 0) return [];
  return [figure("Bytes of a lock, and of each waiter (pale)", ...bars(rows, Math.max(...rows.map((r) => r.value + r.more))), ["lock", "bytes", "each waiter"], rows.map((r) => [r.name, r.value, r.more]))];
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
  put("winners", winners(cells), null, true);
  put("curves", curves(cells), legend(cells));
  put("heat", heat(cells));
  put("waits", waits(cells), legend(cells.filter((c) => c.w)));
  put("fair", barsOf(cells.filter((c) => c.c > 1), ["share-min-max", "jain"], 1));
  put("burn", barsOf(cells, ["cpu-ns/op", "spin-ns/op"]));
  put("memory", memory(cells));
  put("numbers", allNumbers(cells), null, true);
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

// leading returns the locks to begin with: the best anywhere, those of package sync, and
// others up to eight, by their mean place.
function leading(cells) {
  const places = new Map();
  for (const g of contests(cells, rankedBy(cells))) {
    g.all.forEach((a, i) => {
      if (!places.has(a.l)) places.set(a.l, []);
      places.get(a.l).push(i);
    });
  }
  const mean = (of) => of.reduce((a, b) => a + b, 0) / of.length;
  const order = [...places].sort((a, b) => mean(a[1]) - mean(b[1])).map(([l]) => l);
  const always = order.filter((l) => data.locks[l].name.startsWith("sync."));
  return distinct([...always, ...order]).slice(0, 8);
}

// situated fills the panel for the chosen situation.
function situated(kept) {
  const cells = of(chosen.situation);
  const distances = distinct(cells.filter((c) => !data.machines[c.m].simulated && c.d !== "local").map((c) => c.d));
  const select = byId("distance");
  select.replaceChildren();
  for (const d of ["far", "near", ""].filter((d) => distances.includes(d))) option(select, d, d === "" ? "at an unknown distance" : d);
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
  const locks = distinct(cells.map((c) => c.l)).sort(numerically);
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
  q.set("locks", [...chosen.locks].map((l) => data.locks[l].name).join());
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
  if (q.get("locks")) q.get("locks").split(",").forEach((name) => { const l = data.locks.findIndex((k) => k.name === name); if (l >= 0) chosen.locks.add(l); });
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
  redraw();
}

begin();
})();
