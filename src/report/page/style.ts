/** The styles of all pages: light and dark, 360 pixels wide and 1,600, on paper. No page has a script. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --bg: #f6f7f9; --card: #fff; --ink: #1b2028; --muted: #59636f; --line: #dfe3e8; --grid: #e3e7ec;
  --hit: #1c7a58; --built: #3568d4; --failed: #d0342c; --wait: #aab3bf; --pull: #8453c9; --push: #c9711a;
  --phase: #7c8794; --focus: #3568d4; --soft: #f0f2f5;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #101317; --card: #181c22; --ink: #e5e9ef; --muted: #9ba6b4; --line: #2b323b; --grid: #262c34;
    --hit: #3fc795; --built: #6d9bff; --failed: #ff6b62; --wait: #6a7583; --pull: #b48cf2; --push: #f2a14b;
    --phase: #8a96a5; --focus: #8fb3ff; --soft: #20262d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;
}
main, header { max-width: 1240px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
a { color: var(--built); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -999px; }
.skip:focus { left: 12px; top: 8px; background: var(--card); padding: 4px 10px; }
h1 { font-size: 22px; line-height: 1.3; margin: 2px 0 10px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 0 0 4px; }
h3 { font-size: 14px; margin: 20px 0 6px; }
.kicker, .note, .legend, caption { color: var(--muted); font-size: 13px; }
.kicker { margin: 0; }
.note { margin: 0 0 12px; max-width: 80ch; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 16px 0; }
section.bad { border-left: 4px solid var(--failed); }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; padding: 0; margin: 12px 0 0; font-size: 14px; }
.badge {
  display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 13px; font-weight: 600; vertical-align: 2px;
  border: 1.5px solid currentColor; white-space: nowrap;
}
.is-hit, .is-done { color: var(--hit); } .is-built { color: var(--built); } .is-failed { color: var(--failed); }
.is-unneeded, .is-unfinished { color: var(--muted); }
.verdict { font-size: 17px; line-height: 1.45; margin: 0; max-width: 75ch; overflow-wrap: anywhere; }
.verdict strong { font-weight: 650; } .verdict code { font-size: 15px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin: 16px 0 0; padding: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tiles dt { color: var(--muted); font-size: 13px; }
.tiles dd { margin: 0; font-size: 20px; font-weight: 620; line-height: 1.3; }
.tiles dd small { display: block; font-size: 13px; font-weight: 400; color: var(--muted); }
code, pre, .code { font-family: var(--mono); font-size: 13px; }
code { overflow-wrap: anywhere; }
pre {
  margin: 6px 0; padding: 8px 12px; background: var(--soft); border-radius: 6px; overflow-x: auto; line-height: 1.45;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate;
}
svg { display: block; overflow: visible; }
svg text { fill: var(--muted); font-size: 12px; font-family: inherit; }
.bar-hit { fill: var(--hit); } .bar-built, .bar-step { fill: var(--built); } .bar-failed { fill: var(--failed); }
.bar-stage, .bar-build { fill: url(#waits); stroke: var(--wait); stroke-width: 1; }
.bar-pull { fill: var(--pull); } .bar-push { fill: var(--push); } .bar-phase { fill: var(--phase); }
.bar-other { fill: var(--grid); } .bar-extract { fill: var(--pull); } .bar-upload { fill: var(--push); }
.bar-base { fill: var(--phase); } .bar-cache { fill: var(--hit); } .bar-runtime { fill: var(--push); }
.bar-unfinished { fill: var(--wait); }
.hatch { stroke: var(--wait); stroke-width: 2; }
.grid { stroke: var(--grid); stroke-width: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; padding: 0; margin: 8px 0; }
.legend svg, .swatch { display: inline-block; vertical-align: -1px; margin-right: 6px; }
.parts { list-style: none; margin: 12px 0 0; padding: 0; }
.parts li { display: grid; grid-template-columns: 18px minmax(0, 1fr) auto 4.2em; gap: 2px 10px; padding: 7px 0; border-top: 1px solid var(--line); }
.parts .swatch { margin-top: 5px; }
.parts .num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.parts .why { grid-column: 2 / -1; color: var(--muted); font-size: 13.5px; overflow-wrap: anywhere; }
.cut { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.row, .axis {
  display: grid; grid-template-columns: minmax(0, 24rem) minmax(0, 1fr) 8.5rem; gap: 2px 14px; align-items: center;
}
.axis { padding: 0 0 2px 22px; }
details.step { border-top: 1px solid var(--line); }
details.step > summary { list-style: none; cursor: pointer; padding: 3px 0 3px 22px; position: relative; }
details.step > summary::-webkit-details-marker { display: none; }
details.step > summary::before {
  content: ''; position: absolute; left: 6px; top: 11px; border: 4px solid transparent; border-left: 6px solid var(--muted);
}
details.step[open] > summary::before { transform: rotate(90deg); transform-origin: 3px 4px; }
details.step > summary:hover { background: var(--soft); }
.row .time { text-align: right; font-size: 13px; font-variant-numeric: tabular-nums; color: var(--muted); white-space: nowrap; }
.row .time b { font-weight: 600; }
.lane { border-top: 1px solid var(--line); padding: 3px 0 3px 22px; font-size: 13.5px; }
.body { padding: 4px 0 12px 22px; font-size: 14px; }
.body dl, .facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 16px; margin: 6px 0; }
dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
.stage { font-size: 14px; margin: 16px 0 4px; font-weight: 650; overflow-wrap: anywhere; }
.stage small { font-weight: 400; color: var(--muted); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
caption { text-align: left; padding: 0 0 6px; }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 13px; white-space: nowrap; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.path { overflow-wrap: anywhere; min-width: 12rem; }
.layer { grid-template-columns: 5.5rem minmax(0, 1fr) minmax(60px, 26%); }
.layer .num { text-align: right; font-variant-numeric: tabular-nums; font-size: 14px; }
.tag { font-size: 12px; border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; color: var(--muted); white-space: nowrap; }
.node .box { fill: var(--card); stroke: var(--line); stroke-width: 1.5; }
.node.is-target .box { stroke: var(--ink); stroke-width: 2; }
.node .label { fill: var(--ink); font-size: 14px; font-weight: 600; }
.node .mark-hit { fill: var(--hit); } .node .mark-built { fill: var(--built); } .node .mark-failed { fill: var(--failed); }
.node .mark-base { fill: var(--phase); }
.edge { fill: none; stroke: var(--muted); stroke-width: 1.5; }
.edge.reads { stroke-dasharray: 5 4; }
.arrow { fill: var(--muted); }
.causes { margin: 0; padding: 0; list-style: none; }
.causes code { color: var(--muted); font-size: 12px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr)); gap: 20px 28px; }
.charts figure { margin: 0; display: flex; flex-direction: column; justify-content: flex-end; } .charts figcaption { font-size: 14px; font-weight: 600; } .charts .note { font-weight: 400; }
footer { color: var(--muted); font-size: 13px; max-width: 1240px; margin: 0 auto; padding: 4px 20px 32px; }
@media (max-width: 700px) {
  main, header { padding: 0 12px; } header { padding-top: 18px; }
  section { padding: 14px 12px; }
  .row, .axis { grid-template-columns: minmax(0, 1fr) auto; }
  .row .track { grid-column: 1 / -1; grid-row: 2; }
  .axis > span { display: none; } .axis .track { grid-column: 1 / -1; }
  .axis, .lane, .body, details.step > summary { padding-left: 16px; }
  details.step > summary::before { left: 2px; }
  .layer { grid-template-columns: 4.6rem minmax(0, 1fr); }
  .layer .size { grid-column: 1 / -1; }
  .body dl { grid-template-columns: minmax(0, 1fr); } .body dd { margin-bottom: 4px; }
  .tiles dd { font-size: 18px; }
  .parts .name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
}
@media print {
  :root {
    color-scheme: light;
    --bg: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #bbb; --grid: #ddd; --soft: #f3f3f3;
    --hit: #1c7a58; --built: #2a55b0; --failed: #b3261e; --wait: #888; --pull: #6a3fae; --push: #a85a0c; --phase: #667;
  }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 11px; } main, header { max-width: none; padding: 0; }
  nav, .skip { display: none; }
  section { break-inside: auto; border: 0; border-top: 1px solid var(--line); border-radius: 0; padding: 10px 0; margin: 6px 0; }
  details.step, .parts li, tr, .node { break-inside: avoid; }
  h2, h3, .stage { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  details.step > summary::before { display: none; }
}
`;
