import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../lib/config/repository-root.ts';
import { services } from '../../lib/config/services.ts';
import { formsOf, fromTemplate, type Kind } from './scaffold.ts';

const FOLDER = 'services';
const LIST = 'lib/config/services.ts';
/** Between two services, so that a third fits between them. */
const STEP = 100;

/** More than every one there is. */
const next = (values: readonly number[]) => Math.max(...values) + STEP;

/** The version of Node.js that the project installs. */
function nodeVersion(): string {
  const manifest: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
  );
  return manifest.devDependencies.node ?? '';
}

export const serviceKind: Kind = {
  name: 'service',
  is: 'an HTTP service in containers, behind paths of its own',
  longestName: 30,
  taken: () => [
    ...new Set([
      ...services.map(({ name }) => name),
      ...readdirSync(join(repositoryRoot, FOLDER)),
      // Paths of the user API.
      'api',
      'health',
      'problems',
    ]),
  ],
  async create(name) {
    const values = {
      ...formsOf(name),
      priority: String(next(services.map(({ priority }) => priority))),
      port: String(next(services.map(({ port }) => port))),
      node: nodeVersion(),
    };
    const folder = `${FOLDER}/${name}`;
    const from = (template: string) => fromTemplate(`service/${template}.template`, values);
    return {
      files: {
        [`${folder}/main.ts`]: await from('main.ts'),
        [`${folder}/app.ts`]: await from('app.ts'),
        [`${folder}/Dockerfile`]: await from('Dockerfile'),
        [`${folder}/Dockerfile.dockerignore`]: await from('Dockerfile.dockerignore'),
        [`test/${folder}/app.test.ts`]: await from('app.test.ts'),
      },
      insertions: [
        { file: LIST, before: '\n]);', text: `\n${(await from('entry.ts')).trimEnd()}` },
      ],
      next: [
        `Write its routes in ${folder}/app.ts. Say in ${LIST} what it is, and which part of the traffic is for it.`,
        `npm run test:suites -- --project system test/${folder}`,
        'npm run docs && npm run test:update  # its pages and its reviewed templates',
        `npm start                            # then curl http://127.0.0.1:3000/${name}/hello`,
      ],
    };
  },
};
