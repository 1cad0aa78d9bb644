import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  PUBLICATION_DIRECTORY,
  publishedFiles,
} from '../../../../services/user-api/app/publication.ts';
import { startApiOnNewDatabase, type TestApi } from '../support/api.ts';

const root = resolve(import.meta.dirname, '../../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const { contentSecurityPolicy, files } = z
  .object({
    contentSecurityPolicy: z.string(),
    files: z.array(
      z.object({
        path: z.string(),
        source: z.string(),
        mediaType: z.string(),
        cacheControl: z.string(),
      }),
    ),
  })
  .parse(JSON.parse(read(`${PUBLICATION_DIRECTORY}/files.json`)));

let api: TestApi;
beforeAll(async () => {
  api = await startApiOnNewDatabase();
});
afterAll(() => api.stop());

describe('the published files', () => {
  it('compared with the code, are up to date; if not, npm run docs writes them', async () => {
    const expected = await publishedFiles();
    expect(readdirSync(join(root, PUBLICATION_DIRECTORY)).sort()).toEqual(
      Object.keys(expected).sort(),
    );
    for (const [name, text] of Object.entries(expected)) {
      expect(read(`${PUBLICATION_DIRECTORY}/${name}`) === text, name).toBe(true);
    }
  });

  // The root of a distribution; the API has nothing there.
  it.each(files.filter(({ path }) => path !== '/index.html'))(
    'at $path, have what the running service answers there',
    async ({ path, source, mediaType, cacheControl }) => {
      const response = await api.call('GET', path);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(mediaType);
      expect(response.headers.get('cache-control')).toBe(cacheControl);
      if (path === '/openapi.json') {
        // Addresses are relative in the file, as every stage publishes the same.
        const own = JSON.stringify(response.body).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, '');
        expect(JSON.parse(own)).toEqual(JSON.parse(read(source)));
      } else expect(response.text).toBe(read(source));
    },
  );

  it('of the page, get the content security policy that the service gives it', async () => {
    const page = await api.call('GET', '/docs');
    expect(page.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
  });
});
