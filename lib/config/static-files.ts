import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigurationError, throwProblems } from './configuration-error.ts';
import { findProblems } from './validate.ts';

/** The reference of the API: what the edge serves of it. `npm run docs` writes the file, from the service's code. */
export const API_REFERENCE = 'docs/reference/files.json';

const publication = z.strictObject({
  /** Of the pages below `/docs`, which bring a script and styles. */
  contentSecurityPolicy: z.string('It takes a content security policy').min(1),
  files: z.array(
    z.strictObject({
      /** Where it is served, such as `/docs/start.js`. */
      path: z.string().regex(/^\/\S+$/, 'It takes a path that begins with /'),
      /** The file, relative to the root of the repository. */
      source: z.string('It takes the path of a file'),
      mediaType: z.string().regex(/^\w+\/\S+/, 'It takes a media type such as text/css'),
      /** How long browsers and the edge may keep it. */
      cacheControl: z.string('It takes a Cache-Control'),
    }),
  ),
});
export type Publication = z.output<typeof publication>;
export type PublishedFile = Publication['files'][number];

/**
 * Reads a list of static files.
 *
 * @param root - of the repository.
 * @param path - of the list, relative to `root`.
 * @throws ConfigurationError naming the keys and values that are wrong, and what they take.
 */
export function readPublication(root: string, path: string): Publication {
  if (!existsSync(join(root, path))) {
    throw new ConfigurationError([`There is no ${path}. Run npm run docs, which writes it.`]);
  }
  const value: unknown = JSON.parse(readFileSync(join(root, path), 'utf8'));
  throwProblems(findProblems(path, publication, value));
  return publication.parse(value);
}
