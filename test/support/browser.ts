import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { describeWithout } from './missing-program.ts';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL = 'apt-get install chromium';
/** No sandbox, because tests run as root in containers; and nothing that asks the network for anything by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function findChromium(): string | null {
  for (const program of PROGRAMS) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, program);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return null;
}

/**
 * A `describe` for suites that need a real browser. Without Chromium on this machine the suite is skipped, and says so; under
 * `CI=true` it fails.
 *
 * @param suite - called with a function that gives the browser; call it in hooks and tests, not before.
 */
export function describeWithBrowser(name: string, suite: (browser: () => Browser) => void): void {
  const program = findChromium();
  if (program === null) {
    const reason = `it needs Chromium on the PATH; to install it: ${INSTALL}`;
    describeWithout(name, reason, () =>
      suite(() => {
        throw new Error(reason);
      }),
    );
    return;
  }
  describe(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: program, args: FLAGS });
    });
    afterAll(() => browser?.close());
    suite(() => {
      if (browser === undefined) throw new Error('The browser is there in hooks and tests only');
      return browser;
    });
  });
}
