import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cores } from './cores.ts';
import { createAutocannon, parseAutocannon } from './generators/autocannon.ts';
import { LoadError, requireNoFailures } from './generators/generator.ts';
import { createOha, ohaVersion, parseOha } from './generators/oha.ts';
import { createWrk, parseWrk, wrkVersion } from './generators/wrk.ts';
import type { RequestSequence } from './requests.ts';

const recorded = (name: string) =>
  readFile(new URL(`./recorded/${name}.txt`, import.meta.url), 'utf8');

/** Nothing is pinned: the tests share their cores. */
const cores: Cores = { pinned: false, subject: 0, second: 0, others: [0], count: 1 };

describe('parseWrk', () => {
  it('reads what wrk and the script print', async () => {
    expect(parseWrk(await recorded('wrk'))).toEqual({
      requests: 12_182,
      seconds: 1.02158,
      failures: 0,
      latency: { p50: 244, p99: 37_428, p999: 44_141 },
    });
  });

  it('counts each kind of error', async () => {
    const output = (await recorded('wrk')).replace('"status":0', '"status":7');
    const result = parseWrk(output.replace('"timeout":0', '"timeout":2'));
    expect(result.failures).toBe(9);
    expect(() => requireNoFailures('It', result)).toThrow(LoadError);
  });

  it('names what was printed when there is no result', () => {
    expect(() => parseWrk('unable to connect')).toThrow('unable to connect');
  });
});

describe('parseOha', () => {
  it('reads microseconds, and does not count what the end cut off', async () => {
    const result = parseOha(await recorded('oha'));
    expect(result).toMatchObject({ requests: 1_943, failures: 0 });
    const { latencyPercentiles } = JSON.parse(await recorded('oha'));
    expect(result.latency.p99).toBe(Math.round(latencyPercentiles.p99 * 1_000_000));
  });

  it('counts connections that were refused and answers that were errors', async () => {
    const refused = parseOha(await recorded('oha-refused'));
    expect(refused).toMatchObject({ requests: 0, failures: 50 });
    const errors = (await recorded('oha')).replace('"200": 1943', '"200": 1900, "503": 43');
    expect(parseOha(errors)).toMatchObject({ requests: 1_943, failures: 43 });
  });
});

describe('parseAutocannon', () => {
  it('reads the result of autocannon', async () => {
    expect(parseAutocannon(await recorded('autocannon'))).toEqual({
      requests: 14_175,
      seconds: 1.01,
      failures: 0,
      latency: { p50: 0, p99: 4_000, p999: 19_000 },
    });
  });
});

describe('a generator', () => {
  const seen: { url: string; method: string; header: string | undefined; body: string }[] = [];
  let server: Server;
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'headroom-test-'));
    server = createServer(async (request, response) => {
      const { url = '', method = '', headers } = request;
      seen.push({ url, method, header: headers['x-test']?.toString(), body: await text(request) });
      response.end('{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });

  const posts: RequestSequence = {
    method: 'POST',
    headers: { 'x-test': 'yes' },
    length: 50_000,
    at: (place) => ({ path: `/items/${place}?a=b`, body: `{"place":${place}}` }),
  };
  const load = () => ({
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sequence: posts,
    connections: 4,
    seconds: 1,
    directory,
    signal: AbortSignal.timeout(20_000),
  });

  const wrk = wrkVersion();
  const closedLoop = [
    createAutocannon(cores),
    ...(wrk === null ? [] : [createWrk(cores, wrk)]),
  ] as const;

  it.each(closedLoop)('$name sends each request once, from the offset on', async (generator) => {
    seen.length = 0;
    const result = await generator.run({ ...load(), offset: 100 });
    expect(result.failures).toBe(0);
    expect(result.requests).toBeGreaterThan(10);
    const places = seen.map(({ url }) => Number(/^\/items\/(\d+)\?a=b$/.exec(url)?.[1]));
    expect(new Set(places).size).toBe(places.length);
    // wrk takes the first one for a look.
    const first = Math.min(...places);
    expect([100, 101]).toContain(first);
    expect(Math.max(...places)).toBe(first + places.length - 1);
    const body = `{"place":${places[0]}}`;
    expect(seen[0]).toMatchObject({ method: 'POST', header: 'yes', body });
    // What was in flight at the end is not counted.
    expect(seen.length - result.requests).toBeLessThanOrEqual(4);
  });

  const oha = ohaVersion();
  // Only `cargo install` has oha: where it is not, its output is read from a recording (above), and this is left out.
  if (oha !== null) {
    it('oha sends at the rate it was given', async () => {
      const gets: RequestSequence = { ...posts, method: 'GET', at: () => ({ path: '/due' }) };
      const generator = createOha(cores, oha);
      const result = await generator.run({ ...load(), sequence: gets }, 100);
      expect(result.failures).toBe(0);
      expect(result.requests).toBeGreaterThan(50);
      expect(result.requests).toBeLessThanOrEqual(101);
    });
  }
});
