import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { resultsOf } from './sample-results.ts';
import { judgeSoak, type SoakSample } from './soak/judge.ts';
import { drawSoak, type SoakResults, soakMarkdown, verdictText } from './soak/report.ts';
import { trendOf } from './soak/trend.ts';
import { createUsersAt } from './soak/writer.ts';

/** Numbers from 0 to 1 that look like chance and are the same each time (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const MEBIBYTE = 2 ** 20;
const INTERVAL_SECONDS = 10;

/** Sixty samples of ten minutes, noisy, of a service that fills its caches in the first two minutes and is flat then. */
function samplesOf(
  change: (minutes: number) => Partial<SoakSample> = () => ({}),
  seed = 1,
): SoakSample[] {
  const random = chance(seed);
  const about = (value: number, share: number) => value * (1 + share * (random() - 0.5));
  return Array.from({ length: 60 }, (_, index) => {
    const seconds = (index + 1) * INTERVAL_SECONDS;
    const filled = Math.min(1, seconds / 120);
    return {
      seconds,
      rssBytes: about(180 + 40 * filled, 0.03) * MEBIBYTE,
      heapBytes: about(60 + 30 * filled, 0.02) * MEBIBYTE,
      externalBytes: about(8, 0.1) * MEBIBYTE,
      eventLoopDelayP99Milliseconds: about(3, 0.8),
      requestsPerSecond: 2_000,
      readP50Milliseconds: about(1, 0.3),
      readP99Milliseconds: about(6, 1),
      writeP50Milliseconds: about(4, 0.4),
      writeP99Milliseconds: about(20, 1),
      failures: 0,
      disturbance: 0.01,
      ...change(seconds / 60),
    };
  });
}

const failed = (samples: readonly SoakSample[]) =>
  judgeSoak(samples).findings.flatMap(({ name, passed }) => (passed ? [] : [name]));

describe('a trend', () => {
  it('of a straight line is its slope, whatever a quarter of the points do', () => {
    const points = Array.from({ length: 20 }, (_, index) => ({
      seconds: index,
      value: index % 4 === 0 ? 1_000 : 5 + 2 * index,
    }));
    const { slope, significance } = trendOf(points);
    expect(slope).toBeCloseTo(2, 1);
    expect(significance).toBeGreaterThan(2.33);
  });

  it('of chance is none', () => {
    const random = chance(7);
    const points = Array.from({ length: 45 }, (_, seconds) => ({ seconds, value: random() }));
    expect(Math.abs(trendOf(points).significance)).toBeLessThan(2.33);
  });

  it('of one point cannot be told', () => {
    expect(() => trendOf([{ seconds: 1, value: 1 }])).toThrow(RangeError);
  });
});

describe('a soak', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('that is flat after its warm-up passes (%i)', (seed) => {
    expect(judgeSoak(samplesOf(undefined, seed))).toMatchObject({ passed: true, failures: 0 });
  });

  it('that leaks one percent of its heap a minute fails, and names the heap', () => {
    const leaking = samplesOf((minutes) => ({ heapBytes: 90 * MEBIBYTE * (1 + 0.01 * minutes) }));
    expect(failed(leaking)).toEqual(['heap after a collection']);
    expect(verdictText(judgeSoak(leaking))).toContain('Growing: heap after a collection.');
  });

  it('that leaks under noise larger than the leak of an interval fails', () => {
    const random = chance(11);
    const leaking = samplesOf((minutes) => ({
      heapBytes: (90 + 1.5 * minutes + 8 * (random() - 0.5)) * MEBIBYTE,
    }));
    expect(failed(leaking)).toEqual(['heap after a collection']);
  });

  it('that leaks buffers, or memory that only the system sees, fails', () => {
    const buffers = (minutes: number) => ({ externalBytes: (8 + minutes) * MEBIBYTE });
    const native = (minutes: number) => ({ rssBytes: (220 + 4 * minutes) * MEBIBYTE });
    expect(failed(samplesOf(buffers))).toEqual(['buffers outside of the heap']);
    expect(failed(samplesOf(native))).toEqual(['resident memory']);
  });

  it('that grows for sure, but by less than is allowed, passes', () => {
    const verdict = judgeSoak(
      samplesOf((minutes) => ({ heapBytes: (90 + 0.2 * minutes) * MEBIBYTE })),
    );
    const heap = verdict.findings.find(({ name }) => name === 'heap after a collection');
    expect(heap).toMatchObject({ passed: true });
    expect(heap?.significance).toBeGreaterThan(2.33);
    expect(heap?.growth).toBeGreaterThan(0);
  });

  it('whose latency seems to grow by chance passes', () => {
    // Of nine judged samples, those that are high happen to come late.
    const latencies = [9, 9, 9, 20, 90, 25, 15, 70, 30, 110, 22, 95];
    const samples = samplesOf()
      .slice(0, latencies.length)
      .map((sample, index) => ({ ...sample, readP99Milliseconds: latencies[index] ?? 0 }));
    const verdict = judgeSoak(samples);
    const found = verdict.findings.find(({ name }) => name === 'p99 of reads');
    expect(found?.growth).toBeGreaterThan(found?.allowed ?? Number.POSITIVE_INFINITY);
    expect(found).toMatchObject({ passed: true });
  });

  it('whose answers take ever longer fails', () => {
    const slower = samplesOf((minutes) => ({ readP50Milliseconds: 1 + minutes / 4 }));
    expect(failed(slower)).toEqual(['p50 of reads']);
  });

  it('with a few terrible intervals passes: that is the machine', () => {
    const disturbed = samplesOf().map((sample, index) =>
      index % 9 === 5 ? { ...sample, readP99Milliseconds: 900, readP50Milliseconds: 80 } : sample,
    );
    expect(judgeSoak(disturbed).passed).toBe(true);
  });

  it('that ends with less memory than it began with passes', () => {
    const shrinking = samplesOf((minutes) => ({ heapBytes: (120 - 3 * minutes) * MEBIBYTE }));
    expect(judgeSoak(shrinking).passed).toBe(true);
  });

  it('in which one request failed fails', () => {
    const [first, ...others] = samplesOf();
    if (first === undefined) throw new Error('There are samples');
    expect(judgeSoak([{ ...first, failures: 1 }, ...others])).toMatchObject({
      passed: false,
      failures: 1,
    });
  });

  it('on a machine that does something else says so', () => {
    const disturbed = samplesOf(() => ({ disturbance: 0.4 }));
    expect(verdictText(judgeSoak(disturbed))).toContain('used 40 % of the server’s core');
    expect(verdictText(judgeSoak(samplesOf()))).not.toContain('Other processes');
  });

  it('of a few intervals is not judged', () => {
    expect(() => judgeSoak(samplesOf().slice(0, 9))).toThrow('8 samples or more');
  });

  it('is reported with its verdict, and drawn with every attribute quoted well', () => {
    const samples = samplesOf();
    const { commit, machine, startedAt } = resultsOf({});
    const results: SoakResults = {
      ...{ commit, machine, startedAt, samples, verdict: judgeSoak(samples) },
      ...{ requestsPerSecond: 2_000, peakRequestsPerSecond: 4_000 },
    };
    const report = soakMarkdown(results, 'performance/soak.svg');
    expect(report).toContain('**Memory is flat, and latency does not grow.**');
    expect(report).toMatch(/\| resident memory \| 2\d\d MiB \|/);
    expect(report).toContain('](performance/soak.svg)');
    const svg = drawSoak(results);
    const leftovers = [...svg.matchAll(/<[^>]*>/g)].map(([tag]) =>
      tag.replace(/\s[\w:-]+="[^"]*"/g, ''),
    );
    expect(leftovers.filter((tag) => tag.includes('"'))).toEqual([]);
    expect(svg).toContain('writes p99');
  });
});

describe('the probe of a soak', () => {
  it('tells of memory that is held, and not of garbage', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'headroom-test-'));
    const file = join(directory, 'probe.jsonl');
    const probe = new URL('./soak/probe.ts', import.meta.url).href;
    // Garbage before the first sample, as much that is held before the second one.
    const program = `
      const wait = () => new Promise((resolve) => setTimeout(resolve, 50));
      const fill = (list) => { for (let i = 0; i < 1e6; i += 1) list.push({ i }); return list; };
      await wait();
      process.kill(process.pid, 'SIGUSR2'); await wait();
      fill([]); process.kill(process.pid, 'SIGUSR2'); await wait();
      globalThis.held = fill([]); process.kill(process.pid, 'SIGUSR2'); await wait();
    `;
    await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '--import', probe, '--input-type=module', '--eval', program],
      { env: { ...process.env, SOAK_PROBE_FILE: file } },
    );
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    const [before, garbage, held] = lines.map((line) => JSON.parse(line).heapUsed);
    await rm(directory, { recursive: true });
    expect(lines).toHaveLength(3);
    expect(garbage - before).toBeLessThan(4 * MEBIBYTE);
    expect(held - before).toBeGreaterThan(16 * MEBIBYTE);
  });
});

/** What is done while a server is there, told its origin. */
async function withServer(listener: RequestListener, act: (origin: string) => Promise<void>) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  try {
    await act(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('the writes of a soak', () => {
  const signal = AbortSignal.timeout(30_000);

  it('are sent when they are due, also while earlier ones wait', async () => {
    const bodies: string[] = [];
    let most = 0;
    let inFlight = 0;
    const respondLate: RequestListener = async (request, response) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      let text = '';
      for await (const chunk of request) text += chunk;
      bodies.push(text);
      setTimeout(() => {
        inFlight -= 1;
        response.writeHead(201).end();
      }, 60);
    };
    await withServer(respondLate, async (origin) => {
      const result = await createUsersAt(200, { origin, seconds: 0.2, signal });
      expect(result).toMatchObject({ requests: 40, failures: 0 });
      expect(result.latency.p50).toBeGreaterThanOrEqual(59_000);
    });
    expect(new Set(bodies).size).toBe(40);
    expect(most).toBeGreaterThan(1);
  });

  it('that are refused are failures', async () => {
    const refuse: RequestListener = (_, response) => response.writeHead(409).end();
    await withServer(refuse, async (origin) => {
      const { failures } = await createUsersAt(50, { origin, seconds: 0.1, signal });
      expect(failures).toBe(5);
    });
  });
});
