import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/*
 * Runs after `npm ci`: deletes the C headers of Node.js, 67 MB of 189, which only compilers of native packages read, and nothing here is
 * compiled. Plain JavaScript without dependencies, for the Node.js that runs npm.
 */

const platforms = new URL('../node_modules/node/node_modules/', import.meta.url);
// Without install scripts (--ignore-scripts), there is none.
for (const name of existsSync(platforms) ? readdirSync(platforms) : []) {
  rmSync(fileURLToPath(new URL(`${name}/include`, platforms)), { recursive: true, force: true });
}
