import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PublishedFile, publishFile } from './files.ts';
import { startScript } from './page.ts';

/** The files of swagger-ui-dist that the page needs; the Dockerfile copies these. */
export const packagedAssets = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

export const START_SCRIPT = 'start.js';

/** An hour, and then asked for again by its ETag: they change with a deployment only. */
export const CACHE_CONTROL = 'public, max-age=3600';

/**
 * The folder of the renderer's files. A build copies them to `reference-assets/` beside the bundle, whose URL everything in it has; run from
 * source, they are where npm put them.
 *
 * @throws when they are in neither place, saying what to copy.
 */
export function findAssetsDirectory(moduleUrl: string = import.meta.url): string {
  const beside = fileURLToPath(new URL('./reference-assets', moduleUrl));
  if (existsSync(join(beside, 'swagger-ui-bundle.js'))) return beside;
  try {
    return dirname(createRequire(moduleUrl).resolve('swagger-ui-dist/package.json'));
  } catch (cause) {
    throw new Error(
      `The files of the reference page are not in ${beside}. Copy ${Object.keys(packagedAssets).join(', ')} of swagger-ui-dist there: a bundle finds them beside itself.`,
      { cause },
    );
  }
}

/** Gives a file of the page by its name, read once; undefined for what is none. */
export function createAssets(
  moduleUrl?: string,
): (name: string) => Promise<PublishedFile> | undefined {
  const types: ReadonlyMap<string, string> = new Map(Object.entries(packagedAssets));
  const published = new Map<string, Promise<PublishedFile>>();
  const load = async (name: string, type: string | undefined) =>
    type === undefined
      ? publishFile(Buffer.from(startScript), 'text/javascript; charset=utf-8', CACHE_CONTROL)
      : publishFile(
          await readFile(join(findAssetsDirectory(moduleUrl), name)),
          type,
          CACHE_CONTROL,
        );
  return (name) => {
    const type = types.get(name);
    if (type === undefined && name !== START_SCRIPT) return undefined;
    let file = published.get(name);
    if (file === undefined) {
      file = load(name, type);
      published.set(name, file);
      // A file that could not be read is looked for again.
      file.catch(() => published.delete(name));
    }
    return file;
  };
}
