/** The style of the report, for light and dark screens and for printing. */
export const STYLE = `
:root {
  --page: #f4f6f8; --card: #ffffff; --text: #1b1f24; --faint: #5b6470; --line: #dde2e8; --note: #fff3d6; --note-line: #e0a11b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2126; --text: #e8eaed; --faint: #9aa4b0; --line: #333a42; --note: #3a3015; --note-line: #b98515;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
header, main { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; }
h2 { margin: 0; font-size: 17px; }
header p { margin: 4px 0 0; }
.facts, figcaption p, .tile span { color: var(--faint); }
main { padding-bottom: 48px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 20px 0 16px; }
.tile, figure, main > section:not(.tiles) {
  background: var(--card); border: 1px solid var(--line); border-radius: 8px;
}
.tile { padding: 12px 16px; }
.tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; line-height: 1.3; }
.tile span { font-size: 13px; }
figure { margin: 0 0 16px; padding: 16px 16px 8px; break-inside: avoid; }
figcaption p { margin: 2px 0 6px; font-size: 13px; }
.plot { position: relative; min-width: 640px; }
.plot svg { display: block; width: 100%; height: auto; }
.cursor { position: absolute; top: 19%; bottom: 15%; border-left: 1px dashed var(--faint); pointer-events: none; }
.values {
  position: absolute; top: 20%; margin-left: 10px; padding: 6px 10px; white-space: pre; pointer-events: none;
  font-size: 12.5px; font-variant-numeric: tabular-nums; background: var(--card); border: 1px solid var(--line); border-radius: 6px;
}
.values.before { margin-left: -10px; transform: translateX(-100%); }
.missing { margin: 12px 0; padding: 20px; text-align: center; color: var(--faint); border: 1px dashed var(--line); border-radius: 6px; }
.note { margin: 0 0 16px; padding: 10px 14px; background: var(--note); border-left: 4px solid var(--note-line); border-radius: 4px; }
main > section:not(.tiles) { padding: 16px; }
.scroll { overflow-x: auto; }
table { width: 100%; margin-top: 8px; border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { color: var(--faint); font-weight: 500; }
th:first-child, td:last-child, th:last-child { text-align: left; }
tbody tr:last-child > * { border-bottom: 0; }
`;
