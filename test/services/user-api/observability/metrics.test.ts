import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultMetrics } from '../../../../services/user-api/observability/metrics/default-metrics.ts';
import { metricDefinitions } from '../../../../services/user-api/observability/metrics/definitions.ts';
import { metricsPage } from '../../../../services/user-api/observability/metrics/document.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { createUser, newUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';
import { sampleOf, scrape } from './support/scrape.ts';

const INTERNAL = { INTERNAL_PORT: '0' };

describe('docs/metrics.md', () => {
  it('is what `npm run docs` makes from the code', async () => {
    const url = new URL('../../../../docs/metrics.md', import.meta.url);
    expect(await readFile(url, 'utf8'), 'run `npm run docs` and commit the result').toBe(
      metricsPage(),
    );
  });
});

describeWithRedis('The metrics of the user API', (redis) => {
  let api: TestApi;
  const metrics = () => scrape(api.service.internalPort);

  beforeAll(async () => {
    api = await startApiOnNewDatabase({ redisUrl: redis().url, environment: INTERNAL });
  });
  afterAll(() => api.stop());

  it('are those in the table of the docs, with their types, and no others', async () => {
    const scraped = [...(await metrics())].map(([name, { type }]) => `${name} ${type}`);
    const documented = [...Object.values(metricDefinitions).flat(), ...defaultMetrics];

    expect(scraped.sort()).toEqual(documented.map(({ name, type }) => `${name} ${type}`).sort());
  });

  it('count requests by method, pattern of the route and status, and time them', async () => {
    const { id } = await createUser(api);
    const before = await metrics();
    await api.call('GET', `/api/v1/users/${id}`);
    await api.call('GET', `/api/users/${id}`);
    await api.call('GET', '/api/v1/users/999999');
    await api.call('GET', `/nowhere/${id}`);
    const after = await metrics();
    const rise = (series: string) => sampleOf(after, series) - sampleOf(before, series);

    const ofRoute = 'method="GET",route="/api/v1/users/{id}"';
    expect(rise(`http_server_requests_total{${ofRoute},status="200"}`)).toBe(2);
    expect(rise(`http_server_requests_total{${ofRoute},status="404"}`)).toBe(1);
    expect(rise('http_server_requests_total{method="GET",route="none",status="404"}')).toBe(1);
    expect(rise(`http_server_request_duration_seconds_count{${ofRoute}}`)).toBe(3);
    expect(rise(`http_server_request_duration_seconds_bucket{le="+Inf",${ofRoute}}`)).toBe(3);
    expect(rise(`http_server_request_duration_seconds_sum{${ofRoute}}`)).toBeGreaterThan(0);
    const problems = 'http_server_problems_total';
    expect(rise(`${problems}{route="/api/v1/users/{id}",problem="user-not-found"}`)).toBe(1);
    expect(rise(`${problems}{route="none",problem="route-not-found"}`)).toBe(1);
  });

  it('are as many after a thousand different paths as before', async () => {
    const seriesOf = async () =>
      [...(await metrics())]
        .filter(([name]) => name.startsWith('http_'))
        .flatMap(([, { series }]) => [...series.keys()]);
    await api.call('GET', '/not/here');
    await api.call('GET', '/api/v1/users/secret@example.com');
    const before = await seriesOf();
    for (let batch = 0; batch < 10; batch += 1) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          api.call(
            'GET',
            index % 2 ? `/${batch}/${index}?a=${index}` : `/api/v1/users/x${batch}-${index}`,
          ),
        ),
      );
    }
    expect(await seriesOf()).toEqual(before);
    expect(before.join()).not.toMatch(/example\.com|secret/);
  });

  it('have cumulative buckets that end with the count', async () => {
    const histogram = (await metrics()).get('http_server_request_duration_seconds');
    const ofList = [...(histogram?.series ?? [])].filter(
      ([series]) => series.includes('_bucket{') && series.includes('route="none"'),
    );
    const counts = ofList.map(([, count]) => count);

    expect(counts.length).toBeGreaterThan(10);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(ofList.at(-1)?.[0]).toContain('le="+Inf"');
    expect(counts.at(-1)).toBeGreaterThan(0);
  });

  it('count where single users came from, layer by layer', async () => {
    const { id } = await createUser(api);
    await api.call('GET', `/api/v1/users/${id}`);
    const before = await metrics();
    await api.call('GET', `/api/v1/users/${id}`);
    const after = await metrics();
    const nearHits = 'cache_reads_total{layer="near",result="hit"}';

    expect(sampleOf(after, nearHits)).toBe(sampleOf(before, nearHits) + 1);
    expect(sampleOf(after, 'cache_entries{cache="near"}')).toBeGreaterThan(0);
    expect(sampleOf(after, 'cache_bytes{cache="near"}')).toBeGreaterThan(0);
    expect(sampleOf(after, 'cache_near_open')).toBe(1);
  });

  it('count queries by pool, and those refused by the server as faults of the statement', async () => {
    const fields = newUser();
    await api.call('POST', '/api/v1/users', { body: fields });
    const before = await metrics();
    const response = await api.call('POST', '/api/v1/users', { body: fields });
    const after = await metrics();
    const rise = (series: string) => sampleOf(after, series) - sampleOf(before, series);

    expect(response.status).toBe(409);
    expect(rise('database_pool_failures_total{pool="writer",fault="statement"}')).toBe(1);
    expect(rise('database_pool_failures_total{pool="writer",fault="server"}')).toBe(0);
    expect(rise('database_pool_query_duration_seconds_count{pool="writer"}')).toBeGreaterThan(0);
    expect(sampleOf(after, 'database_pool_connections_maximum{pool="reader-1"}')).toBe(4);
  });

  it('count events that were sent, and what is left in the outbox', async () => {
    await createUser(api);

    await expect
      .poll(async () => sampleOf(await metrics(), 'queue_events_total{result="sent"}'))
      .toBeGreaterThan(0);
    const after = await metrics();
    expect(sampleOf(after, 'queue_up')).toBe(1);
    expect(after.get('outbox_events')?.series.size).toBe(1);
    expect(sampleOf(after, 'outbox_overdue_seconds')).toBe(0);
  });

  it('show Redis and its commands', async () => {
    const after = await metrics();
    const commands = [...(after.get('redis_command_duration_seconds')?.series.keys() ?? [])];

    expect(sampleOf(after, 'redis_connected{connection="cache"}')).toBe(1);
    expect(commands.join()).toMatch(/_count\{connection="cache",command="\w+"\}/);
  });

  it('count the decisions of the limiters by policy, and who decided', async () => {
    const allowedReads = async () =>
      [...((await metrics()).get('rate_limit_decisions_total')?.series ?? [])]
        .filter(([series]) => /policy="reads".*decision="allowed"/.test(series))
        .reduce((sum, [, count]) => sum + count, 0);
    const before = await allowedReads();
    await api.call('GET', '/api/v1/users/999999');

    expect(await allowedReads()).toBe(before + 1);
    expect(sampleOf(await metrics(), 'rate_limit_shared')).toBe(1);
  });

  it('count requests by what they came with, bad credentials too', async () => {
    const before = await metrics();
    await api.call('GET', '/api/v1/users/1');
    await api.call('GET', '/api/v1/users/1', { headers: { authorization: 'Bearer nonsense' } });
    const after = await metrics();
    const rise = (credentials: string) => {
      const series = `auth_requests_total{credentials="${credentials}"}`;
      return sampleOf(after, series) - sampleOf(before, series);
    };

    expect([rise('anonymous'), rise('refused'), rise('user')]).toEqual([1, 1, 0]);
    expect(after.get('auth_password_hashes')?.series.size).toBe(2);
  });

  it('show the process: event loop, memory, CPU', async () => {
    const after = await metrics();

    for (const name of [
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_eventloop_active_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_heap_size_used_bytes',
      'process_cpu_seconds_total',
    ]) {
      expect(sampleOf(after, name), name).toBeGreaterThan(0);
    }
  });
});

describe('Without Redis, the metrics of the user API', () => {
  it('say nothing of a connection that there is not', async () => {
    const api = await startApiOnNewDatabase({ environment: INTERNAL });
    try {
      const metrics = await scrape(api.service.internalPort);
      expect(metrics.get('redis_connected')?.series.size).toBe(0);
      expect(metrics.get('traces_spans_total')?.series.size).toBe(0);
    } finally {
      await api.stop();
    }
  });
});
