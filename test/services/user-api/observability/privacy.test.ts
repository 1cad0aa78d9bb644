import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import {
  createPasswordResetToken,
  hashPasswordResetToken,
} from '../../../../services/contracts/password-reset-token.ts';
import type { User } from '../../../../services/contracts/users.ts';
import { permissions } from '../../../../services/user-api/auth/permissions.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { startApiOnNewDatabase } from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';
import { type Collector, startCollector } from './support/collector.ts';

/** What must be seen nowhere: words that stand for a person and what they keep to themselves, each of its own. */
const PERSON = {
  name: 'Zaphod Beeblebrox',
  email: 'zaphod.beeblebrox@betelgeuse.example',
  newName: 'Zarniwoop Vann',
  newEmail: 'zarniwoop.vann@ursaminor.example',
  password: 'pan-galactic gargle blaster 42',
  newPassword: 'infinite improbability drive 43',
  wrongPassword: 'vogon poetry appreciation 44',
  keyName: 'Trillian keyring',
  madeUpSecret: 'slartibartfast-fjords-45',
};
/** Parts of them, as far as they identify the person: masks are to hide all of it. */
const WORDS = [
  ...Object.values(PERSON),
  'zaphod',
  'beeblebrox',
  'betelgeuse',
  'zarniwoop',
  'ursaminor',
  'gargle',
  'improbability',
  'vogon',
  'Trillian',
  'slartibartfast',
];

const everything = {
  name: PERSON.name,
  email: PERSON.email,
  password: PERSON.wrongPassword,
  currentPassword: PERSON.wrongPassword,
  newPassword: PERSON.newPassword,
  refreshToken: PERSON.madeUpSecret,
  token: PERSON.madeUpSecret,
  role: 'user',
  scopes: [],
};

describeWithRedis(
  'Logs, traces and metrics of the user API, after every route has been used',
  (redis) => {
    const secrets: string[] = [];
    const unserved = new Set<string>();
    let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
    let collector: Collector;
    let metrics: string;

    async function call<Body>(method: string, path: string, body?: unknown, headers = {}) {
      return await api.call<Body>(method, path, {
        ...(body === undefined ? {} : { body }),
        headers,
      });
    }

    /** What the email worker does for a link to a new password. */
    async function issueResetToken(userId: number): Promise<string> {
      const token = createPasswordResetToken();
      const sql = postgres(api.database.writerUrl, { max: 1 });
      await sql`
      update password_resets set expires_at = now() + interval '1 minute',
        token_hash = ${hashPasswordResetToken(token)} where user_id = ${userId}`;
      await sql.end();
      secrets.push(token);
      return token;
    }

    /** A person's life with the API. */
    async function liveALife(): Promise<number> {
      const { name, email, password } = PERSON;
      const user = await call<User>('POST', '/api/v1/users', { name, email });
      expect(user.status).toBe(201);
      const { id } = user.body;
      await call('POST', '/api/v1/users', { name, email });
      await call('POST', '/api/v1/auth/password-resets', { email });
      const token = await issueResetToken(id);
      await call('POST', '/api/v1/auth/password-resets/confirm', { token, newPassword: password });
      await call('POST', '/api/v1/auth/login', { email, password: PERSON.wrongPassword });
      const login = await call<Tokens>('POST', '/api/v1/auth/login', { email, password });
      expect(login.status).toBe(200);
      const { accessToken, refreshToken } = login.body;
      secrets.push(...[accessToken, refreshToken].filter((secret) => secret !== undefined));
      const bearer = { authorization: `Bearer ${accessToken}` };
      await call('GET', '/api/v1/auth/me', undefined, bearer);
      const key = await call<CreatedApiKey>(
        'POST',
        `/api/v1/users/${id}/api-keys`,
        { name: PERSON.keyName, scopes: ['users:read-private'] },
        bearer,
      );
      if (key.status === 201) {
        secrets.push(key.body.key);
        await call('GET', `/api/v1/users/${id}`, undefined, { 'x-api-key': key.body.key });
      }
      await call('PATCH', `/api/v1/users/${id}`, { name: PERSON.newName }, bearer);
      await call(
        'PUT',
        `/api/v1/users/${id}`,
        { name: PERSON.newName, email: PERSON.newEmail },
        bearer,
      );
      await call('GET', `/api/v1/users?name=${encodeURIComponent(PERSON.newName)}`);
      const changed = await call<Tokens>(
        'PUT',
        '/api/v1/auth/password',
        { currentPassword: password, newPassword: PERSON.newPassword },
        bearer,
      );
      secrets.push(
        ...[changed.body?.accessToken, changed.body?.refreshToken].filter(
          (secret) => secret !== undefined,
        ),
      );
      await call('POST', '/api/v1/auth/refresh', { refreshToken: changed.body?.refreshToken });
      // Used twice, which is logged.
      await call('POST', '/api/v1/auth/refresh', { refreshToken: changed.body?.refreshToken });
      return id;
    }

    /** Each route with everything that it may or may not take, from everybody. */
    async function tryEverything(id: number): Promise<void> {
      const query = `?name=${encodeURIComponent(PERSON.name)}&cursor=${PERSON.madeUpSecret}&token=${PERSON.madeUpSecret}`;
      // Each route once at first: no more than so many traces begin in a second.
      await wait(1_000);
      for (const as of ['admin', id, undefined] as const) {
        for (const target of [String(id), encodeURIComponent(PERSON.email)]) {
          for (const { method, path } of permissions) {
            const concrete = path.replace('{id}', target).replace(/\{\w+\}/g, PERSON.madeUpSecret);
            const answer = await api.call<{ type?: string }>(method, concrete + query, {
              ...(as === undefined ? {} : { as }),
              ...(method === 'GET' || method === 'DELETE' ? {} : { body: everything }),
              headers: {
                cookie: `session=${PERSON.madeUpSecret}`,
                referer: `https://example.com/?q=${PERSON.madeUpSecret}`,
                'user-agent': PERSON.name,
                'x-request-id': PERSON.email,
              },
            });
            if (answer.body?.type === '/problems/route-not-found') unserved.add(path);
          }
        }
      }
    }

    /** What no client of ours sends. */
    async function misbehave(): Promise<void> {
      const { email, madeUpSecret } = PERSON;
      await call('POST', '/api/v1/users', `{"email": "${email}", "name": `);
      await call('POST', '/api/v1/users', `email=${email}`, { 'content-type': 'text/plain' });
      await call('POST', '/api/v1/users', { name: PERSON.name.repeat(20), email, [email]: email });
      await call('GET', `/${email}/${madeUpSecret}?${email}`);
      await call('GET', `/api/v1/users/1`, undefined, { authorization: `Bearer ${madeUpSecret}` });
      await call('GET', `/api/v1/users/1`, undefined, { 'x-api-key': madeUpSecret });
      await call('GET', '/health/live', undefined, { traceparent: `00-${madeUpSecret}` });
      await call('GET', `/${madeUpSecret.repeat(200)}`);
      await sendRaw(api.port, `GET /${email} HTTP/9.9\r\n${email}\r\n\r\n`);
      await sendRaw(api.port, `${email} /${madeUpSecret} HTTP/1.1\r\nHost: x\r\n\r\n`);
    }

    beforeAll(async () => {
      collector = await startCollector();
      api = await startApiOnNewDatabase({
        redisUrl: redis().url,
        environment: {
          LOG_LEVEL: 'trace',
          ACCESS_LOG_ONE_HIT_IN: '1',
          INTERNAL_PORT: '0',
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
          OTEL_TRACES_SAMPLER_ARG: '1',
        },
      });
      const id = await liveALife();
      await misbehave();
      await tryEverything(id);
      const response = await fetch(`http://127.0.0.1:${api.service.internalPort}/metrics`);
      metrics = await response.text();
      await api.stop();
    });
    afterAll(() => collector.close());

    const findings = (text: string) =>
      [...WORDS, ...secrets].filter((word) => text.toLowerCase().includes(word.toLowerCase()));

    it('have seen all of them', () => {
      const used = permissions.map(({ path }) => path).filter((path) => !unserved.has(path));
      const logged = new Set(api.log.map(({ route }) => route));
      const traced = new Set(collector.spans.map(({ attributes }) => attributes['http.route']));

      expect(used.length).toBeGreaterThan(20);
      expect(
        used.filter((path) => !logged.has(path)),
        'routes not in the log',
      ).toEqual([]);
      expect(
        used.filter((path) => !traced.has(path)),
        'routes not in the traces',
      ).toEqual([]);
      expect(secrets.length).toBeGreaterThan(4);
    });

    it('hold nothing of the person in the log', () => {
      expect(findings(JSON.stringify(api.log))).toEqual([]);
    });

    it('hold nothing of the person in the traces', () => {
      expect(collector.spans.length).toBeGreaterThan(50);
      expect(findings(collector.text())).toEqual([]);
    });

    it('hold nothing of the person in the metrics', () => {
      expect(metrics).toContain('http_server_requests_total');
      expect(findings(metrics)).toEqual([]);
    });
  },
);
