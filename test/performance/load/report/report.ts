import { html, raw } from 'hono/html';
import type { RunResult } from '../run.ts';
import { milliseconds, troubles } from '../screen.ts';
import { totalOf } from '../timeline.ts';
import { type Chart, chartsOf, endOf, PLOT } from './charts.ts';
import { STYLE } from './style.ts';

/** What the report says of the run beside its figures. */
export interface ReportContext {
  readonly scenario: string;
  readonly summary: string;
  readonly origin: string;
  readonly startedAt: Date;
  readonly connections: number;
  readonly rate?: number;
  readonly metricsUrl?: string;
  /** What the reader must know to read the figures. */
  readonly notes: readonly string[];
}

const CLOSED_LOOP_NOTE =
  'How to read this: each client waits for its response before it asks again. So a service that stalls is asked less, and its longest waits are counted less often than people would have met them.';

/** Shows the values at the pointer, in all plots at once; in the page itself, so that the report is one file that needs no network. */
const SHOW_VALUES = `
const { plots, plot, end } = JSON.parse(document.getElementById('charts').textContent);
const span = plot.width - plot.left - plot.right;
const shown = plots.map(({ id, lines }) => {
  const place = document.getElementById(id);
  const cursor = place.appendChild(Object.assign(document.createElement('div'), { className: 'cursor' }));
  const values = place.appendChild(Object.assign(document.createElement('output'), { className: 'values' }));
  return { place, lines, cursor, values };
});
const at = (lines, second) => lines.flatMap(({ name, points }) => {
  const [, value] = points.reduce((best, one) => Math.abs(one[0] - second) < Math.abs(best[0] - second) ? one : best, points[0] ?? [0, null]);
  return value === null || value === undefined ? [] : [name + ' ' + value.toLocaleString('en')];
});
for (const { place } of shown) {
  place.addEventListener('pointermove', ({ clientX }) => {
    const box = place.querySelector('svg').getBoundingClientRect();
    const x = ((clientX - box.left) / box.width) * plot.width;
    const second = Math.min(end, Math.max(0, ((x - plot.left) / span) * end));
    const left = (plot.left + (second / end) * span) / plot.width * box.width;
    for (const { lines, cursor, values } of shown) {
      cursor.style.left = values.style.left = left + 'px';
      cursor.hidden = values.hidden = false;
      values.classList.toggle('before', second > end / 2);
      values.textContent = [second.toFixed(1) + ' s', ...at(lines, second)].join('\\n');
    }
  });
  place.addEventListener('pointerleave', () => {
    for (const { cursor, values } of shown) cursor.hidden = values.hidden = true;
  });
}
for (const { cursor, values } of shown) cursor.hidden = values.hidden = true;
document.documentElement.dataset.drawn = String(shown.length);
`;

/** JSON that can stand in a script element: it must not hold the end of one. */
const embedded = (value: unknown) => raw(JSON.stringify(value).replaceAll('<', '\\u003c'));

const count = (value: number) => Math.round(value).toLocaleString('en');

function tiles({ outcomes, latency, seconds }: RunResult) {
  const length = seconds.at(-1)?.at ?? 0;
  const total = totalOf(outcomes);
  const good = total === 0 ? 0 : (outcomes.succeeded / total) * 100;
  const figures: readonly (readonly [string, string])[] = [
    [count(total), 'requests'],
    [length === 0 ? '–' : count(total / length), 'requests/s'],
    [milliseconds(latency?.p50), 'p50'],
    [milliseconds(latency?.p99), 'p99'],
    [milliseconds(latency?.p999), 'p99.9'],
    [`${good === 100 ? '100' : Math.min(99.99, good).toFixed(2)} %`, 'answered well'],
  ];
  return figures.map(
    ([figure, name]) => html`<div class="tile"><b>${figure}</b><span>${name}</span></div>`,
  );
}

function phaseTable({ phases }: RunResult) {
  const rows = phases.map(({ name, connections, from, to, outcomes, latency }) => {
    const cells = [
      `${Math.round(from)}–${Math.round(to)} s`,
      count(connections),
      count(totalOf(outcomes) / (to - from)),
      ...[latency?.p50, latency?.p95, latency?.p99, latency?.p999, latency?.maximum].map(
        milliseconds,
      ),
      troubles(outcomes) || 'none',
    ];
    return html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`;
  });
  const headings = [
    ...['phase', 'when', 'connections', 'requests/s', 'p50', 'p95', 'p99', 'p99.9', 'longest'],
    'not answered well',
  ];
  return html`<div class="scroll"><table>
    <thead><tr>${headings.map((heading) => html`<th scope="col">${heading}</th>`)}</tr></thead>
    <tbody>${rows}</tbody>
  </table></div>`;
}

function figure({ id, title, description, missing, svg }: Chart) {
  const content =
    svg !== null
      ? html`<div class="scroll"><div id="${id}" class="plot" role="img" aria-label="${title}. ${description}">${raw(svg)}</div></div>`
      : html`<p class="missing">${missing}</p>`;
  return html`<figure><figcaption><h2>${title}</h2><p>${description}</p></figcaption>${content}</figure>`;
}

/** The report as one HTML page. */
export async function makeReport(result: RunResult, context: ReportContext): Promise<string> {
  const charts = chartsOf(result, context.metricsUrl);
  const plots = charts.flatMap(({ id, lines, svg }) =>
    svg === null ? [] : [{ id, lines: lines.map(({ name, points }) => ({ name, points })) }],
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Load test: ${context.scenario}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<header>
<h1>Load test: ${context.scenario}</h1>
<p>${context.summary}</p>
<p class="facts">${context.origin} · ${context.startedAt.toISOString().replace('T', ' ').slice(0, 16)} UTC · ${count(context.connections)} connections${context.rate === undefined ? '' : ` · at most ${count(context.rate)} requests a second`}</p>
</header>
<main>
<section class="tiles">${tiles(result)}</section>
${context.notes.map((note) => html`<p class="note">${note}</p>`)}
${charts.map(figure)}
<section><h2>Phases</h2>${phaseTable(result)}</section>
<p class="facts">${CLOSED_LOOP_NOTE}</p>
</main>
<script type="application/json" id="charts">${embedded({ plots, plot: PLOT, end: endOf(result) })}</script>
<script>${raw(SHOW_VALUES)}</script>
</body>
</html>
`;
  return String(await page);
}
