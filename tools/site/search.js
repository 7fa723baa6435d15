"use strict";
(() => {
const blocks = /* blocks */ [];
const form = document.getElementById("search"), found = document.getElementById("found"), root = form.dataset.root;
blocks.forEach((b) => { b.all = (b.page + " " + b.heading + " " + b.text).toLowerCase(); });

// search returns the blocks that have all words; those that have them in their heading
// come first.
function search(query) {
  const words = query.toLowerCase().split(/\s+/).filter((w) => w !== "");
  if (words.length === 0) return [];
  const score = (b) => words.reduce((sum, w) => sum + (b.heading.toLowerCase().includes(w) ? 10 : 0) + (b.page.toLowerCase().includes(w) ? 3 : 0), 0);
  return blocks.filter((b) => words.every((w) => b.all.includes(w))).map((b) => [score(b), b]).sort((a, b) => b[0] - a[0]).map(([, b]) => b);
}

// around returns the text around the first word.
function around(b, query) {
  const at = Math.max(0, b.text.toLowerCase().indexOf(query.toLowerCase().trim().split(/\s+/)[0]) - 40);
  return (at > 0 ? "…" : "") + b.text.slice(at, at + 110) + (at + 110 < b.text.length ? "…" : "");
}

function show() {
  const query = form.q.value, all = search(query);
  found.replaceChildren(...all.slice(0, 12).map((b) => {
    const link = document.createElement("a"), small = document.createElement("small");
    link.href = root + b.link;
    link.textContent = b.page === b.heading ? b.page : b.page + ": " + b.heading;
    small.textContent = around(b, query);
    link.append(small);
    return link;
  }));
  if (query.trim() !== "" && all.length === 0) found.textContent = "Nothing found.";
}

form.addEventListener("input", show);
form.addEventListener("submit", (e) => {
  e.preventDefault();
  const first = found.querySelector("a");
  if (first) location.href = first.href;
});
// On a narrow screen the menu would be all that is on it.
document.getElementById("pages").open = matchMedia("(min-width: 50rem)").matches;
const here = document.querySelector("nav [aria-current]");
if (here) here.scrollIntoView({ block: "nearest" });
document.addEventListener("keydown", (e) => {
  if (e.key === "/" && document.activeElement.tagName !== "INPUT") { e.preventDefault(); form.q.focus(); }
});
})();
