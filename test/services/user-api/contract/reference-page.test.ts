import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithBrowser } from '../../../support/browser.ts';
import { createUser, startApiOnNewDatabase } from '../support/api.ts';

/** Kept after a run, to be looked at; not committed. */
const SCREENSHOTS = fileURLToPath(new URL('../../../../test-results/', import.meta.url));
/** A tall window, so that the operations are in the picture. */
const VIEWPORT = { width: 1_280, height: 1_600 };

describeWithBrowser('the reference page, in a browser', (browser) => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  beforeAll(async () => {
    api = await startApiOnNewDatabase();
    mkdirSync(SCREENSHOTS, { recursive: true });
  });
  afterAll(() => api.stop());

  it('shows every group of operations, loads nothing from elsewhere, and breaks no rule of its policy', async () => {
    const page = await browser().newPage({ viewport: VIEWPORT });
    const requested: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    try {
      await page.goto(`${api.url}/docs`);
      await page.getByRole('heading', { name: /Headroom user API/ }).waitFor();
      await page.locator('#operations-users-getUser').waitFor();
      const groups = await page.locator('.opblock-tag-section').count();
      expect(groups).toBe(5);
      await page.screenshot({ path: `${SCREENSHOTS}reference.png` });
      const elsewhere = requested.filter(
        (url) => !url.startsWith(api.url) && !url.startsWith('data:'),
      );
      expect(elsewhere).toEqual([]);
      expect(complaints).toEqual([]);
    } finally {
      await page.close();
    }
  });

  it('sends a request to the API, and shows its response', async () => {
    const { id, name } = await createUser(api);
    const page = await browser().newPage({ viewport: VIEWPORT });
    try {
      await page.goto(`${api.url}/docs`);
      const operation = page.locator('#operations-users-getUser');
      await operation.locator('.opblock-summary-control').click();
      await operation.locator('input[placeholder="id"]').fill(String(id));
      await operation.getByRole('button', { name: 'Execute' }).click();
      const response = operation.locator('.live-responses-table');
      await response.waitFor();
      const text = await response.innerText();
      expect(text).toContain('200');
      expect(text).toContain(name);
      expect(text).toContain('ratelimit-policy');
      await operation.screenshot({ path: `${SCREENSHOTS}reference-request.png` });
    } finally {
      await page.close();
    }
  });
});
