import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { permissions } from '../../../../services/user-api/auth/permissions.ts';
import { permissionsPage } from '../../../../services/user-api/auth/permissions-page.ts';
import { problemsPage } from '../../../../services/user-api/http/problem-pages.ts';
import { problemTypes } from '../../../../services/user-api/http/problem-types.ts';
import { policyOf } from '../../../../services/user-api/rate-limit/default-policies.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { startTestApi } from '../support/api.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => {
  await database.drop();
});

describe('the pages about access and problems', () => {
  it.each([
    ['permissions.md', permissionsPage],
    ['problems.md', problemsPage],
  ] as const)('docs/%s is what `npm run docs` makes from the code', async (name, make) => {
    const page = await readFile(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
    expect(page).toBe(make());
  });

  it('have every problem', () => {
    for (const slug of Object.keys(problemTypes)) expect(problemsPage()).toContain(`\`${slug}\``);
  });
});

describe('every route', () => {
  it('that is served has a row in the table of permissions, and answers', async () => {
    const api = await startTestApi({ database });
    onTestFinished(() => api.stop());
    for (const { method, path } of permissions) {
      const { status, text } = await api.call(method, path.replace(/\{\w+\}/g, '1'), {
        as: 'admin',
        headers: { 'content-type': 'application/json' },
        ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
      });
      expect(status, `${method} ${path}: ${text}`).toBeLessThan(500);
      expect(status).not.toBe(405);
      expect(text, `${method} ${path}`).not.toContain('No permission has been given');
    }
    const { body } = await api.call<{ paths: Readonly<Record<string, object>> }>(
      'GET',
      '/openapi.json',
    );
    const served = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const rows = permissions.map(({ method, path }) => `${method} ${path}`);
    expect(served.filter((route) => /^[A-Z]+ /.test(route) && !rows.includes(route))).toEqual([]);
    expect(rows.filter((route) => !served.includes(route))).toEqual([]);
  });

  it('counts under a policy, but for those that load balancers ask', () => {
    const policies = Object.groupBy(permissions, (row) => String(policyOf(row)));
    const paths = (name: string) => policies[name]?.map(({ method, path }) => `${method} ${path}`);
    expect(paths('null')).toEqual(['GET /health', 'GET /health/live', 'GET /health/ready']);
    expect(paths('logins')).toEqual([
      'POST /api/v1/auth/login',
      'POST /api/v1/auth/password-resets',
      'POST /api/v1/auth/password-resets/confirm',
    ]);
  });
});
