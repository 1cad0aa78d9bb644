import { Counter, Gauge, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parseMetrics, sampleOf } from './metrics.ts';
import { sparkline, troubles } from './screen.ts';
import { addOutcomes, Tally, totalOf } from './timeline.ts';

describe('Tally', () => {
  it('tells how requests ended', () => {
    const tally = new Tally();
    for (const status of [200, 201, 304, 404, 412, 429, 500, 503]) tally.responded(status, 1);
    tally.failed();
    expect(tally.outcomes).toEqual({ succeeded: 3, limited: 1, refused: 2, errors: 2, failed: 1 });
    expect(totalOf(tally.outcomes)).toBe(9);
    expect(totalOf(addOutcomes([tally.outcomes, tally.outcomes]))).toBe(18);
  });

  it('gives percentiles in milliseconds, to three digits', () => {
    const tally = new Tally();
    for (let value = 1; value <= 1_000; value += 1) tally.responded(200, value / 10);
    expect(tally.latency?.p50).toBeCloseTo(50, 0);
    expect(tally.latency?.p99).toBeCloseTo(99, 0);
    expect(tally.latency?.maximum).toBeCloseTo(100, 0);
  });

  it('has no latency when nothing was answered, and begins again after a reset', () => {
    const tally = new Tally();
    tally.failed();
    expect(tally.latency).toBeNull();
    tally.responded(200, 5);
    tally.reset();
    expect(tally.latency).toBeNull();
    expect(totalOf(tally.outcomes)).toBe(0);
  });
});

describe('parseMetrics', () => {
  it('reads what prom-client writes', async () => {
    const registers = [new Registry()];
    const [register] = registers;
    const counter = new Counter({
      name: 'things_total',
      help: 'h',
      labelNames: ['a', 'b'],
      registers,
    });
    counter.inc({ a: 'x "y"\n\\z,}', b: '{1}' }, 3);
    new Gauge({ name: 'depth', help: 'h', registers }).set(Number.POSITIVE_INFINITY);
    expect(parseMetrics((await register?.metrics()) ?? '')).toEqual([
      { name: 'things_total', labels: { a: 'x "y"\n\\z,}', b: '{1}' }, value: 3 },
      { name: 'depth', labels: {}, value: Number.POSITIVE_INFINITY },
    ]);
  });

  it('leaves out what is no sample', () => {
    expect(parseMetrics('# HELP a b\n\nnot a metric at all\n')).toEqual([]);
  });
});

describe('sampleOf', () => {
  it('picks what the report shows', () => {
    const lines = parseMetrics(
      [
        'cache_reads_total{layer="near",result="hit"} 90',
        'cache_reads_total{layer="near",result="miss"} 12',
        'cache_reads_total{layer="redis",result="hit"} 7',
        'cache_reads_total{layer="reader",result="load"} 5',
        'cache_reads_total{layer="lists",result="hit"} 4',
        'database_pool_connections_maximum{pool="writer"} 10',
        'database_pool_queries_in_progress{pool="writer"} 13',
        'outbox_events 9 1700000000000',
        'process_cpu_seconds_total 12',
      ].join('\n'),
    );
    expect(sampleOf(lines)).toEqual({
      readsByLayer: { near: 90, redis: 7, reader: 5 },
      pools: { writer: { queries: 13, connections: 10 } },
      waitingEvents: { 'in the outbox': 9 },
    });
  });
});

describe('the screen', () => {
  it('draws the largest value highest', () => {
    expect(sparkline([0, 5, 10])).toBe('▁▅█');
    expect(sparkline([0, 0])).toBe('▁▁');
  });

  it('names what did not go well, and nothing else', () => {
    const outcomes = { succeeded: 9, limited: 0, refused: 0, errors: 2, failed: 0 };
    expect(troubles(outcomes)).toBe('2 errors (5xx)');
    expect(troubles({ ...outcomes, errors: 0 })).toBe('');
  });
});
