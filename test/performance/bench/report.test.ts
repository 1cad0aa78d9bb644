import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consoleReport } from './report/console.ts';
import { markdownReport } from './report/markdown.ts';
import { publish, writeReport } from './report/write.ts';
import { resultsOf } from './sample-results.ts';

const results = resultsOf({ Headroom: [90, 95, 100], baseline: [100, 100, 100] });

describe('the report of a benchmark', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'headroom-test-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('has the target with its ratio, and each subject with its spread', () => {
    const text = consoleReport(results);
    expect(text).toMatch(/hit +Headroom +baseline +speed +≥ 0\.95 × +0\.95 \(0\.90–1\.00\)/);
    expect(text).toMatch(/Headroom +95 \(90–100\) +10\.5 \(10–11\.1\) ms +300/);
  });

  it('names what was not measured, and why', () => {
    const omissions = [{ case: 'hit', subject: 'Flask', reason: 'it is not here', failed: false }];
    expect(consoleReport({ ...results, omissions })).toContain('hit: Flask: it is not here');
    expect(markdownReport({ ...results, omissions }, [], '')).toContain('- hit: Flask: it is not');
  });

  it('says in both forms when the machine was not quiet', () => {
    const disturbed = resultsOf({ Headroom: [90] }, 0.5);
    expect(consoleReport(disturbed)).toContain('50 %');
    expect(markdownReport(disturbed, [], '')).toContain('50 %');
  });

  it('is written with plots, in which every attribute is quoted well', async () => {
    await writeReport(directory, results);
    const files = await readdir(directory);
    expect(files.toSorted()).toEqual([
      'hit-cpu.svg',
      'hit-p99.svg',
      'hit-throughput.svg',
      'results.json',
      'results.md',
      'targets.svg',
    ]);
    const svg = await readFile(join(directory, 'hit-throughput.svg'), 'utf8');
    // What is left of each tag without its attributes in double quotes.
    const leftovers = [...svg.matchAll(/<[^>]*>/g)].map(([tag]) =>
      tag.replace(/\s[\w:-]+="[^"]*"/g, ''),
    );
    expect(leftovers.filter((tag) => tag.includes('"'))).toEqual([]);
    expect(svg).toContain('Headroom');
    expect(JSON.parse(await readFile(join(directory, 'results.json'), 'utf8'))).toEqual(results);
  });

  it('replaces the figures of a page, and nothing else of it', async () => {
    const documents = join(directory, 'docs');
    await mkdir(documents);
    const begin = '<!-- figures: begin; `npm run bench -- --publish` writes what follows -->';
    const page = join(documents, 'performance.md');
    await writeFile(page, `# Speed\n\n${begin}\nold figures\n<!-- figures: end -->\n\nAfter\n`);
    await publish(documents, results);
    const text = await readFile(page, 'utf8');
    expect(text).toMatch(/^# Speed\n/);
    expect(text).toMatch(/\n\nAfter\n$/);
    expect(text).not.toContain('old figures');
    expect(text).toContain('](performance/targets.svg)');
    await publish(documents, results);
    expect(await readFile(page, 'utf8')).toBe(text);
  });
});
