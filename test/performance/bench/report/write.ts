import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalFailure } from '../../../../services/local/local-failure.ts';
import type { BenchmarkResults } from '../results.ts';
import { markdownReport } from './markdown.ts';
import { drawPlots, type Plot } from './plots.ts';

/** Between these the page has the figures of the last run that was published; the rest of it is written by hand. */
const BEGIN = '<!-- figures: begin; `npm run bench -- --publish` writes what follows -->';
const RESULTS_FILE = 'results.json';
/** In the same folder, of a run of its own. */
const SOAK_PLOT = 'soak.svg';
const END = '<!-- figures: end -->';
/** The plots that the page shows; the others are in the folder. */
const SHOWN = /^(targets|hit-throughput|hit-cpu|open-loop-p99)\.svg$/;

async function writeFiles(directory: string, results: BenchmarkResults): Promise<Plot[]> {
  await mkdir(directory, { recursive: true });
  for (const name of await readdir(directory)) {
    if (name.endsWith('.svg') && name !== SOAK_PLOT) await rm(join(directory, name));
  }
  const plots = drawPlots(results);
  for (const { file, svg } of plots) await writeFile(join(directory, file), svg);
  await writeResults(directory, results);
  return plots;
}

/** Writes results.json into a folder, which is there in whole at any time: either the one before or this one. */
export async function writeResults(directory: string, results: BenchmarkResults): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, RESULTS_FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(results, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** @throws {@link LocalFailure} when there are none. */
export async function lastResults(directory: string): Promise<BenchmarkResults> {
  try {
    return JSON.parse(await readFile(join(directory, RESULTS_FILE), 'utf8'));
  } catch (cause) {
    throw new LocalFailure(
      `There are no results in ${directory}.`,
      'Measure first: npm run bench.',
      { cause },
    );
  }
}

/** Writes results.json, results.md and the plots into a folder; plots that are there go. */
export async function writeReport(directory: string, results: BenchmarkResults): Promise<void> {
  const plots = await writeFiles(directory, results);
  const report = markdownReport(results, plots, '');
  await writeFile(join(directory, 'results.md'), `# Benchmark\n\n${report}\n`);
}

/**
 * Puts the results into `performance.md` of the folder of documents, and the plots and results.json into `performance/` beside it.
 *
 * @returns the path of the page.
 */
export async function publish(documents: string, results: BenchmarkResults): Promise<string> {
  const plots = await writeFiles(join(documents, 'performance'), results);
  const page = join(documents, 'performance.md');
  const text = await readFile(page, 'utf8');
  const shown = plots.filter(({ file }) => SHOWN.test(file));
  const report = markdownReport(results, shown, 'performance/');
  await writeFile(page, replaceBetween(text, BEGIN, END, report));
  return page;
}

/** @throws {Error} when the text lacks one of the lines. */
export function replaceBetween(text: string, begin: string, end: string, part: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The page lacks the lines "${begin}" and "${end}"`);
  return `${text.slice(0, from)}${begin}\n\n${part}\n\n${text.slice(to)}`;
}
