import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithout } from '../../../support/missing-program.ts';
import { hasTools, INSTALL_TOOLS, importTool } from '../../../tools/import-tool.ts';
import { startApiOnNewDatabase } from '../support/api.ts';

/** The linter computes all the while, as much as a core can: some seconds on one that nobody else uses. */
const TIMEOUT_MILLISECONDS = 120_000;
/** Of Spectral's severities, the worst. */
const ERROR = 0;

/** Rules that are off, and why. A path means that the rule is off there only. */
const exceptions: readonly {
  readonly rule: string;
  readonly at: RegExp;
  readonly reason: string;
}[] = [
  {
    rule: 'owasp:api1:2023-no-numeric-ids',
    at: /\{id\}|\{apiKeyId\}/,
    reason:
      'Ids are numbers by design: short keys in indexes and caches. Nothing is protected by an id being hard to guess: every route has its row in the table of permissions, the public profile has no email, and lists are open anyway.',
  },
  {
    rule: 'owasp:api2:2023-no-credentials-in-url',
    at: /\{apiKeyId\}/,
    reason: 'It is the id of an API key, a number; the key itself is only ever sent in a header.',
  },
  {
    rule: 'owasp:api4:2023-rate-limit',
    at: /^\/health(\/|$)/,
    reason:
      'Load balancers ask for the health of every process, all from the same addresses; a limit would take a healthy process out of service.',
  },
];

/** What is used here of Spectral; its own types are there only where it is installed. */
interface Spectral {
  setRuleset(ruleset: object): void;
  run(
    document: object,
  ): Promise<
    { code: string | number; message: string; path: (string | number)[]; severity: number }[]
  >;
}

async function findings(input: Record<string, unknown>) {
  const [core, rulesets, owasp] = await Promise.all([
    importTool<{ default: { Spectral: new () => Spectral } }>('@stoplight/spectral-core'),
    importTool<{ default: { oas: object } }>('@stoplight/spectral-rulesets'),
    importTool<{ default: object }>('@stoplight/spectral-owasp-ruleset'),
  ]);
  const linter = new core.default.Spectral();
  linter.setRuleset({
    extends: [
      [rulesets.default.oas, 'recommended'],
      [owasp.default, 'recommended'],
    ],
    // A warning, for each of some 4,000 places where a text may be any text; finding them takes most of the time.
    rules: { 'owasp:api4:2023-string-restricted': 'off' },
  });
  const results = await linter.run(input);
  return results
    .filter(({ severity }) => severity === ERROR)
    .map(({ code, message, path }) => ({ rule: String(code), path: path.map(String), message }));
}

function lintDocument(): void {
  let document: Record<string, unknown>;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const api = await startApiOnNewDatabase();
    stop = api.stop;
    document = (await api.call<Record<string, unknown>>('GET', '/openapi.json')).body;
  });
  afterAll(() => stop());

  it('by the rules of Spectral and OWASP, has no errors but those with a reason', {
    timeout: TIMEOUT_MILLISECONDS,
  }, async () => {
    const found = await findings(document);
    const left = found.filter(
      ({ rule, path }) =>
        !exceptions.some(
          (exception) => exception.rule === rule && exception.at.test(path[1] ?? ''),
        ),
    );
    expect(left).toEqual([]);
    // An exception that nothing needs any more has to go.
    for (const { rule } of exceptions) expect(found.map((finding) => finding.rule)).toContain(rule);
  });

  it('when it is made worse, is refused by these rules', {
    timeout: TIMEOUT_MILLISECONDS,
  }, async () => {
    const worse = structuredClone(document) as Record<string, unknown> & {
      servers: unknown[];
      paths: Record<string, Record<string, { responses: object }>>;
    };
    // One path is enough, and is looked through sooner.
    const [users] = Object.entries(worse.paths).filter(([path]) => path === '/api/v1/users');
    worse.paths = Object.fromEntries(users === undefined ? [] : [users]);
    worse.servers = [{ url: 'http://api.example.com' }];
    const get = worse.paths['/api/v1/users']?.get;
    if (get !== undefined) get.responses = {};
    const rules = new Set((await findings(worse)).map(({ rule }) => rule));
    expect(rules).toContain('owasp:api8:2023-no-server-http');
    expect(rules).toContain('oas3-schema');
  });
}

if (hasTools()) describe('the OpenAPI document', lintDocument);
else
  describeWithout(
    'the OpenAPI document, by rule sets',
    `it needs Spectral: ${INSTALL_TOOLS}`,
    lintDocument,
  );
