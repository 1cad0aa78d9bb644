import { describe, expect, it } from 'vitest';
import { load } from './command.ts';
import { parseRateLimitPolicy } from './limits.ts';
import { parseOptions } from './options.ts';
import { scenarios } from './scenarios.ts';
import { isLocal, isSameService } from './target.ts';

const parse = (...commandLine: string[]) => parseOptions(commandLine, {});
const steady = ['--scenario', 'steady'];

describe('parseOptions', () => {
  it('has a default for all options', () => {
    expect(parse()).toEqual({
      scenario: 'steady',
      connections: 20,
      seconds: 60,
      users: 1_000,
      headers: {},
      confirmed: false,
    });
  });

  it('takes the metrics URL from the environment, and rather from the command line', () => {
    const environment = { METRICS_URL: 'http://127.0.0.1:1/metrics' };
    expect(parseOptions(steady, environment)).toMatchObject({
      metricsUrl: 'http://127.0.0.1:1/metrics',
    });
    const given = ['--metrics-url', 'http://127.0.0.1:2/metrics'];
    expect(parseOptions([...steady, ...given], environment)).toMatchObject({
      metricsUrl: 'http://127.0.0.1:2/metrics',
    });
    expect(parseOptions(steady, { METRICS_URL: '' })).not.toHaveProperty('metricsUrl');
  });

  it('reads headers, and does not quote one that it cannot read', () => {
    expect(parse(...steady, '--header', 'Authorization: Bearer abc')).toMatchObject({
      headers: { authorization: 'Bearer abc' },
    });
    expect(() => parse(...steady, '--header', 'Bearer secret-token')).toThrow('19 characters');
    expect(() => parse(...steady, '--header', 'Bearer secret-token')).not.toThrow('secret-token');
  });

  it.each([
    [['--scenario', 'steedy'], 'There is no scenario "steedy". Did you mean "steady"?'],
    [['--conections', '1'], 'Did you mean --connections?'],
    [['steady'], 'too many arguments'],
    [[...steady, '--connections', '0'], '--connections got "0"'],
    [[...steady, '--duration', '1e9'], '--duration got "1e9"'],
    [[...steady, '--duration', '3601'], 'from 1 to 3600'],
    [[...steady, '--url', 'localhost:3000'], '--url got "localhost:3000"'],
    [[...steady, '--url', 'http://127.0.0.1:3000/api'], 'which has a path'],
    [[...steady, '--metrics-url', 'metrics'], 'The metrics URL is "metrics"'],
    [[...steady, '--speed', '9'], '--speed'],
    [[...steady, '--report', '--help'], '--report got "--help"'],
  ])('refuses %j by name', (commandLine, message) => {
    expect(() => parse(...commandLine)).toThrow(message);
  });
});

describe('isLocal', () => {
  it.each(['http://127.0.0.1:3000', 'http://localhost', 'http://[::1]:80', 'http://127.9.9.9'])(
    'takes %s for this machine',
    (origin) => expect(isLocal(origin)).toBe(true),
  );
  it.each(['https://api.example.com', 'http://10.0.0.1', 'https://localhost.example.com'])(
    'takes %s for another one',
    (origin) => expect(isLocal(origin)).toBe(false),
  );
});

describe('isSameService', () => {
  it.each([
    ['http://127.0.0.1:3000', 'http://localhost:3000', true],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3001', false],
    ['http://10.0.0.1:3000', 'http://10.0.0.1:3000', true],
    ['http://10.0.0.1:3000', 'http://127.0.0.1:3000', false],
  ])('of %s and %s: %s', (left, right, same) => expect(isSameService(left, right)).toBe(same));
});

describe('parseRateLimitPolicy', () => {
  it('reads quota and window', () => {
    expect(parseRateLimitPolicy('"reads";q=1000;w=60')).toEqual({
      policy: 'reads',
      requests: 1_000,
      windowSeconds: 60,
    });
    expect(parseRateLimitPolicy(null)).toBeNull();
  });
});

describe('scenarios', () => {
  it.each(Object.entries(scenarios))('%s fills its time, and its mix is whole', (_, scenario) => {
    const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
    expect(sum(scenario.phases.map(({ time }) => time))).toBeCloseTo(1);
    expect(sum(Object.values(scenario.mix))).toBeCloseTo(1);
  });
});

describe('a deployment', () => {
  const elsewhere = ['--scenario', 'write-heavy', '--url', 'https://api.example.com'];
  const run = async (ask: ((question: string) => Promise<boolean>) | null) => {
    let text = '';
    const write = (part: string | Uint8Array) => {
      text += String(part);
      return true;
    };
    const output = { write, isTTY: false, columns: 80 };
    const { signal } = new AbortController();
    const loading = load(elsewhere, { environment: {}, output, ask, signal });
    const error = await loading.catch((thrown: unknown) => thrown);
    return { text, error: String(error) };
  };

  it('is not loaded before somebody has said so, and is told to cost money', async () => {
    const { text, error } = await run(async () => false);
    expect(text).toContain('pays for it');
    expect(text).toContain('It creates users there');
    expect(error).toContain('Nothing was sent');
  });

  it('is not loaded when nobody can be asked', async () => {
    const { error } = await run(null);
    expect(error).toContain('There is no terminal');
  });
});
