// Lists by keyboard: j and k move between rows, any other key presses what is marked with it.
// A row is an element with data-row; within it, data-key="1" (or "Enter", "a" ...) is pressed by
// that key, and so is what is marked outside rows when the row has none. Without this script all of
// them are ordinary links and buttons. Where a page marks the row it shows with data-at, that row is
// where j and k begin, and where the focus goes after a swap.
(() => {
  "use strict";
  const PLACE = "row of " + location.pathname;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const current = () => document.activeElement?.closest("[data-row]") ?? null;
  const shown = () => document.querySelector("[data-row][data-at]");
  let last = null; // the row that had the focus: what is pressed may take it away

  function go(row) {
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    last = row;
  }

  function move(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current() ?? (last?.isConnected ? last : shown()));
    go(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
  }

  function press(key) {
    const mark = `[data-key="${CSS.escape(key)}"]`;
    const row = current();
    const found = row?.querySelector(mark)
      ?? [...document.querySelectorAll(mark)].find((each) => !each.closest("[data-row]"));
    if (!found) return false;
    found.click();
    if (found.matches("summary")) found.parentElement.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const on = event.target;
    if (on.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) return;
    if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
    else if (event.key === "Enter" && !on.matches("[data-row]")) return; // links and buttons know it
    else if (!press(event.key)) return;
    event.preventDefault();
  });

  // The next row takes the place of one that is done: after a page of its own, and after a swap.
  const keep = () => {
    const at = rows().indexOf(current() ?? last);
    if (at >= 0) sessionStorage.setItem(PLACE, String(at));
  };
  const back = () => {
    const at = sessionStorage.getItem(PLACE);
    sessionStorage.removeItem(PLACE);
    const all = rows();
    if (at !== null && shown()) go(shown());
    else if (at !== null && all.length) go(all[Math.min(Number(at), all.length - 1)]);
  };
  document.addEventListener("submit", keep);
  document.addEventListener("htmx:beforeSwap", keep);
  document.addEventListener("htmx:afterSettle", back);
  back();
})();
