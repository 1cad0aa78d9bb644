import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { createRequestLimit } from '../../../../../../services/user-api/app/admission.ts';
import { createHeaderCheck, idIn } from '../../../../../../services/user-api/app/fast-path.ts';
import { createResponseWriter } from '../../../../../../services/user-api/app/write-response.ts';
import { KnownVersions } from '../../../../../../services/user-api/cache/known-versions.ts';
import { NearCache } from '../../../../../../services/user-api/cache/near-cache.ts';
import { createRequestAddressFinder } from '../../../../../../services/user-api/client-address/client-address.ts';
import { ApiRequest, RequestIds } from '../../../../../../services/user-api/http/environment.ts';
import { constantHeaders } from '../../../../../../services/user-api/http/response-headers.ts';
import { createLogger } from '../../../../../../services/user-api/observability/logger.ts';
import { CacheMetrics } from '../../../../../../services/user-api/observability/metrics/counters.ts';
import {
  RequestObserver,
  RequestRecord,
} from '../../../../../../services/user-api/observability/requests/request-observer.ts';
import { createRateLimits } from '../../../../../../services/user-api/rate-limit/rate-limits.ts';
import { cachingFields } from '../../../../../../services/user-api/users/handlers.ts';
import { publicRepresentation } from '../../../../../../services/user-api/users/representations.ts';

/** What each part of a hit costs by itself: `node test/services/user-api/app/fast-path/measure/cost.ts`. See docs/performance.md. */

const CALLS = 200_000;
const REPETITIONS = 15;
const USERS = 1_000;

const metrics = new CacheMetrics();
const near = new NearCache({
  maximumBytes: 64_000_000,
  knownVersions: new KnownVersions(),
  metrics,
  lifetimeMilliseconds: 1e9,
});
near.open();
for (let id = 1; id <= USERS; id += 1) {
  const at = new Date().toISOString();
  const user = { id, name: `Demo User ${id}`, email: `demo.${id}@example.com`, status: 'active' };
  const body = Buffer.from(JSON.stringify({ ...user, createdAt: at, updatedAt: at, version: 1 }));
  near.fill(id, { version: 1, body }, near.ticket());
}
const urls = Array.from({ length: USERS }, (_, index) => `/api/v1/users/${index + 1}`);

const areEligible = createHeaderCheck();
const rawHeaders = ['Host', '127.0.0.1:3000', 'User-Agent', 'wrk', 'Accept', '*/*'];
const limit = createRequestLimit(
  createRateLimits({ overrides: ['reads=10000000/1'] }).limiters.reads,
);
const addressOf = createRequestAddressFinder({ hops: 0 });
const ids = new RequestIds();
const observer = new RequestObserver({
  logger: createLogger({ LOG_LEVEL: 'info', STAGE: 'test' }, { write: () => {} }),
  tracer: null,
  traceRatio: 0,
  oneHitIn: 1_000,
  slowRequestMilliseconds: Number.POSITIVE_INFINITY,
});
const write = createResponseWriter({
  constant: constantHeaders({ publicUrl: 'http://localhost', allowedOrigins: [] }),
  contentType: 'application/json',
  caching: cachingFields('public'),
  keepAliveTimeoutMilliseconds: 65_000,
});
const incoming = new ApiRequest(new Socket());
incoming.method = 'GET';
const record = Object.assign(new RequestRecord(), { route: '/api/v1/users/{id}', fromCache: true });

/** Takes the response as a connection would, and does nothing with it but to write it out as bytes. */
const bytes = Buffer.alloc(4_096);
const outgoing = new ServerResponse<ApiRequest>(incoming);
const message: { _header: string | null } = Object.assign(outgoing, { _header: null });
Object.assign(outgoing, {
  end: (text = '') => bytes.write(`${message._header}${text}`, 'latin1'),
});
const limitHeaders = {
  'ratelimit-policy': '"reads";q=10000000;w=1',
  ratelimit: '"reads";r=9999876;t=1',
};
const fields = [
  ['x-request-id', '4a3f5c1e-9d27-8b60-8c4e-d5a1f0937b26'],
  ...constantHeaders({ publicUrl: 'http://localhost', allowedOrigins: [] }),
  ...Object.entries(limitHeaders),
  ['content-type', 'application/json'],
  ...cachingFields('public'),
  ['etag', '"v1"'],
  ['content-length', '160'],
].flat();
const entry = near.get(1);
const ready = entry && near.derive(entry, publicRepresentation);
if (!ready) throw new Error('The near cache is empty');

const parts: Readonly<Record<string, (call: number) => unknown>> = {
  'look at the path and the header names': (call) =>
    idIn(urls[call % USERS] ?? '', ['/api/v1/users/']) + Number(areEligible(rawHeaders)),
  'near cache: entry, and its form for everybody': (call) => {
    const found = near.get((call % USERS) + 1);
    return found && near.derive(found, publicRepresentation);
  },
  'rate limit: address, count, both fields': () => limit.checkNow(addressOf(incoming)),
  'request id': () => ids.next(),
  'answer: join head and body': (call) => {
    write(outgoing, {
      status: 200,
      requestId: '4a3f5c1e-9d27-8b60-8c4e-d5a1f0937b26',
      now: call,
      limit: limitHeaders,
      bytes: ready,
    });
    message._header = null;
  },
  '(the same as `writeHead` and `end` join it, which the fast path does without)': () => {
    outgoing.writeHead(200, fields);
    outgoing.end(ready.text);
    message._header = null;
  },
  'metrics, and the access log of one hit in 1,000': () =>
    observer.responded(incoming, record, 200),
};

let kept: unknown;
let total = 0;
for (const [name, part] of Object.entries(parts)) {
  let best = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < REPETITIONS; repetition += 1) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) kept = part(call);
    const { system, user } = process.cpuUsage(before);
    best = Math.min(best, (system + user) / CALLS);
  }
  if (!name.startsWith('(')) total += best;
  console.log(`${best.toFixed(2)} µs  ${name}`);
}
console.log(`${total.toFixed(2)} µs  in all${kept === null ? ' ' : ''}`);
