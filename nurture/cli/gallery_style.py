"""How do the pages of the gallery look? Their one style sheet, in the pages' own colours."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f7f5f1; --card: #fff; --ink: #26241f; --quiet: #67625a; --line: #e4dfd6;
  --link: #1f6f5c; --calm: #5d584f; --calm-bg: #eeebe4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1a17; --card: #24221e; --ink: #ece8e0; --quiet: #a9a296; --line: #3a362f;
    --link: #6fc4ad; --calm: #bfb8ab; --calm-bg: #333029;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2, p, ul, figure, pre { margin: 0; padding: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; margin-bottom: .25rem; }
h2 { font-size: 1.0625rem; line-height: 1.3; }
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: 1px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
.quiet, figcaption { color: var(--quiet); font-size: .875rem; }
.ways { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-bottom: 1.25rem; }
.versions { list-style: none; columns: 18rem; column-gap: 2rem; margin-top: .75rem; }
.versions li { padding: .125rem 0; break-inside: avoid; }
.cards {
  list-style: none; display: grid; gap: 1.25rem; margin-top: 1.5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
}
.card {
  position: relative; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 0 1rem 1rem; overflow: hidden;
}
.card:hover { border-color: var(--link); }
.card h2 { margin-top: .75rem; }
.card h2 a { text-decoration: none; }
.card h2 a::after { content: ""; position: absolute; inset: 0; }
.small { height: 15rem; margin: 0 -1rem; overflow: hidden; border-bottom: 1px solid var(--line); }
.small iframe {
  border: 0; border-radius: 0; transform: scale(.5); transform-origin: 0 0; pointer-events: none;
}
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.125rem 1.25rem; margin-top: 1.25rem;
}
.subject { margin-top: .375rem; }
.chip {
  display: inline-block; font-size: .8125rem; font-weight: 600; line-height: 1.25rem;
  padding: .0625rem .5rem; border-radius: 999px; background: var(--calm-bg); color: var(--calm);
}
.frames { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: .875rem 0 .5rem; }
figcaption { margin-bottom: .25rem; }
iframe {
  display: block; box-sizing: content-box; background: #fff;
  border: 1px solid var(--line); border-radius: 8px;
}
iframe.dark { background: #121212; color-scheme: dark; }
summary { cursor: pointer; padding: .25rem 0; }
pre {
  font: .8125rem/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace;
  white-space: pre-wrap; border-top: 1px solid var(--line); padding-top: .75rem; margin-top: .5rem;
}
@media (max-width: 44rem) {
  main { padding: 1.25rem .75rem 3rem; }
  section { padding: 1rem .875rem; }
  .frames { gap: 1rem; }
  figure { max-width: 100%; overflow-x: auto; }
}
@media print { section { break-inside: avoid; } }
"""
