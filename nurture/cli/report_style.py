"""How does the page of a simulation look? Its one style sheet, in the pages' own colours."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f7f5f1; --card: #fff; --ink: #26241f; --quiet: #67625a; --line: #e4dfd6;
  --bar: #1f6f5c;
  --go: #1c6847; --go-bg: #e2f2e9; --task: #7d5200; --task-bg: #fbeed3;
  --stop: #9c2a21; --stop-bg: #fbe6e3; --wait: #2c5a8c; --wait-bg: #e5eef8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1a17; --card: #24221e; --ink: #ece8e0; --quiet: #a9a296; --line: #3a362f;
    --bar: #6fc4ad;
    --go: #8fd9b4; --go-bg: #1d3529; --task: #f0c777; --task-bg: #3a2d12;
    --stop: #f3a8a0; --stop-bg: #43211d; --wait: #a5c8f0; --wait-bg: #1f2f42;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, h3, p, ul { margin: 0; padding: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; margin-bottom: .25rem; }
h2 { font-size: 1.0625rem; line-height: 1.3; }
h3 { font-size: 1rem; margin-top: 1rem; }
.quiet { color: var(--quiet); font-size: .875rem; }
.ref { white-space: nowrap; }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.125rem 1.25rem; margin-top: 1.25rem;
}
.tiles { list-style: none; display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin-top: 1rem; }
.tiles b { font-size: 1.375rem; font-variant-numeric: tabular-nums; }
.bars {
  display: flex; align-items: flex-end; gap: 1px; height: 9rem; margin-top: .75rem;
  border-bottom: 1px solid var(--line);
}
.bars i { flex: 1 1 0; background: var(--bar); min-width: 0; border-radius: 2px 2px 0 0; }
.bars i.w { opacity: .55; }
.marks { display: flex; justify-content: space-between; margin: .25rem 0 .75rem; }
.marks { color: var(--quiet); font-size: .8125rem; }
table { border-collapse: collapse; width: 100%; margin-top: .75rem; font-size: .9375rem; }
th { text-align: left; font-size: .8125rem; font-weight: 600; color: var(--quiet); }
th, td { vertical-align: top; padding: .375rem .75rem .375rem 0; }
.list td { border-top: 1px solid var(--line); }
.numbers td:nth-child(n+2):nth-child(-n+4) { font-variant-numeric: tabular-nums; }
summary { cursor: pointer; padding: .375rem 0; }
summary:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; border-radius: 4px; }
details + details { border-top: 1px solid var(--line); }
section > details:first-of-type { margin-top: .5rem; }
.chip {
  display: inline-block; font-size: .8125rem; font-weight: 600; line-height: 1.25rem;
  padding: .0625rem .5rem; border-radius: 999px; background: var(--wait-bg); color: var(--wait);
}
.chip.added { background: var(--go-bg); color: var(--go); }
.chip.removed { background: var(--stop-bg); color: var(--stop); }
.cal { table-layout: fixed; margin: .25rem 0 1rem; font-size: .8125rem; line-height: 1.35; }
.cal th, .cal td { border: 1px solid var(--line); padding: .25rem .375rem; }
.cal td { height: 2.5rem; }
.cal small, .cal .no { color: var(--quiet); font-size: .75rem; }
.cal p { border-radius: 4px; padding: .125rem .25rem; margin-top: .125rem; }
.mail { background: var(--go-bg); color: var(--go); }
.task { background: var(--task-bg); color: var(--task); }
@media (max-width: 44rem) {
  main { padding: 1.25rem .75rem 3rem; }
  section { padding: 1rem .875rem; }
  table, tbody, tr, td { display: block; width: 100%; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .list tr { border-top: 1px solid var(--line); padding: .5rem 0; }
  .list td { border: 0; padding: .0625rem 0; }
  .list td + td::before { content: attr(data-name) ": "; color: var(--quiet); }
  .cal td { border: 0; height: auto; padding: .125rem 0; }
  .cal td.no, .cal small { display: none; }
  .cal td::before { content: attr(data-day); font-weight: 600; font-size: .8125rem; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --quiet: #444; --line: #bbb; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  section { border: 0; padding: 0; }
  tr, .cal { break-inside: avoid; }
  details::details-content { content-visibility: visible; display: block; }
  .bars i, .mail, .task, .chip { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
