import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { createApiKeyText } from '../../../../services/user-api/auth/api-keys/api-key-text.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  createUser,
  type ReceivedResponse,
  startApiOnNewDatabase,
  type TestApi,
} from '../support/api.ts';
import { limitedSteps, type Step, steps } from './steps.ts';

const PAGE = fileURLToPath(new URL('../../../../docs/transcript.md', import.meta.url));

const introduction = `# What one gets

<!-- Written by test/services/user-api/transcript/transcript.test.ts from a run (\`npm run test:update\`); the test fails when the API answers anything else. -->

A new user comes in, is not let in, changes things, sends what is malformed, and asks for too much. Each response is what the API gave to the request above it, on real PostgreSQL and Redis, with the status, the headers that matter
and the body; ids of requests, times, tokens, keys and cursors differ each time and are shortened here. \`$BASE\` is where the API is, \`http://127.0.0.1:3000\` with \`npm start\`, and \`$TOKEN\` and the like are what
an earlier answer held. [All problems](problems.md), [all limits](rate-limiting.md).
`;

/** Headers that a response is about; the others are the same on all of them. */
const SHOWN_HEADERS = [
  'location',
  'etag',
  'link',
  'idempotent-replayed',
  'allow',
  'accept-post',
  'www-authenticate',
  'ratelimit-policy',
  'ratelimit',
  'retry-after',
];
/** On answers that are not about limits these would only be in the way. */
const LIMIT_HEADERS = ['ratelimit-policy', 'ratelimit'];

/** What differs from run to run. */
const shortened: readonly (readonly [RegExp, string])[] = [
  [/"requestId":"[\w-]+"/g, '"requestId":"…"'],
  [/"(accessToken)":"eyJ[^"]+"/g, '"$1":"eyJ…"'],
  [/"refreshToken":"(hrr_\d+)\.[^"]+"/g, '"refreshToken":"$1.…"'],
  [/"key":"hrk_\w+"/g, '"key":"hrk_…"'],
  [/"prefix":"hrk_\w+"/g, '"prefix":"hrk_…"'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-…Z'],
  [/;t=\d+/g, ';t=…'],
];

type Kept = Map<string, string>;

const filled = (text: string, kept: Kept) =>
  text.replace(/\$([A-Z_]+)/g, (whole, name: string) => kept.get(name) ?? whole);

const bodyText = ({ body }: Step) =>
  body === undefined || typeof body === 'string' ? body : JSON.stringify(body);

/** The command that sends it. */
function command(step: Step): string {
  const { headers = {}, method = 'GET', path, shownAs } = step;
  const body = bodyText(step);
  const isPathShown = shownAs !== undefined && body === undefined;
  const parts = [
    `curl -i${method === 'GET' ? '' : ` -X ${method}`} "$BASE${isPathShown ? shownAs : path}"`,
    ...Object.entries(headers).map(([name, value]) =>
      value.includes('$') ? `-H "${name}: ${value}"` : `-H '${name}: ${value}'`,
    ),
    ...(body === undefined
      ? []
      : [`-d ${body.includes('$') ? JSON.stringify(body) : `'${shownAs ?? body}'`}`]),
  ];
  return parts.join(' ').replace('$TOKENx', `\${TOKEN}x`);
}

function shownResponse(
  { headers, status, text }: ReceivedResponse,
  isAboutLimits: boolean,
): string {
  const names = SHOWN_HEADERS.filter((name) => isAboutLimits || !LIMIT_HEADERS.includes(name));
  const lines = [
    `HTTP/1.1 ${status}`,
    ...names.flatMap((name) => {
      const value = headers.get(name);
      // The time to wait is what is left of a window.
      return value === null ? [] : [`${name}: ${name === 'retry-after' ? '…' : value}`];
    }),
    ...(text === '' ? [] : ['', text]),
  ];
  return shortened.reduce((all, [pattern, to]) => all.replace(pattern, to), lines.join('\n'));
}

async function run(api: TestApi, step: Step, kept: Kept): Promise<string> {
  const { heading, headers = {}, keeps = {}, method = 'GET', path, says, timesBefore = 0 } = step;
  const body = bodyText(step);
  const isMadeUp = Object.values(headers).includes('$MADE_UP');
  let response: ReceivedResponse | undefined;
  for (let time = 0; time <= timesBefore; time += 1) {
    // Each guess is another one.
    if (isMadeUp) kept.set('MADE_UP', createApiKeyText());
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      filled(value.replace('$TOKENx', `${kept.get('TOKEN')}x`), kept),
    ]);
    response = await api.call(method, filled(path, kept), {
      headers: Object.fromEntries(sent),
      ...(body === undefined ? {} : { body: filled(body, kept) }),
    });
  }
  if (response === undefined) throw new Error('Nothing was sent');
  for (const [name, field] of Object.entries(keeps)) {
    kept.set(name, String((response.body as Record<string, unknown>)[field]));
  }
  const isAboutLimits = response.status === 429 || (says ?? '').includes('says what is left');
  return [
    ...(heading === undefined ? [] : [`## ${heading}\n`]),
    ...(says === undefined ? [] : [`${says}\n`]),
    '```sh',
    command(step),
    '```',
    '```http',
    shownResponse(response, isAboutLimits),
    '```\n',
  ].join('\n');
}

describeWithRedis('the transcript in the docs', (redis) => {
  async function start(environment: Readonly<Record<string, string>>) {
    const api = await startApiOnNewDatabase({ redisUrl: redis().url, readers: false, environment });
    onTestFinished(() => api.stop());
    return api;
  }

  it('is what a new user gets', async () => {
    const parts: string[] = [];
    const kept: Kept = new Map();
    const api = await start({ RATE_LIMITS: 'logins=100/60' });
    kept.set('OTHER', String((await createUser(api, { email: 'else@example.com' })).id));
    for (const step of steps) parts.push(await run(api, step, kept));
    const limited = await start({
      RATE_LIMITS: 'creates=2/60,reads=3/60,unknown-api-keys=2/60,logins=100/60',
    });
    for (const step of limitedSteps) parts.push(await run(limited, step, kept));

    const page = [introduction, ...parts].join('\n');

    expect(page).not.toMatch(/internal-error|HTTP\/1\.1 5/);
    await expect(page).toMatchFileSnapshot(PAGE);
  });
});
