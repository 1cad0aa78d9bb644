import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../lib/config/repository-root.ts';
import { workers } from '../../lib/config/workers.ts';
import { formsOf, fromTemplate, type Kind } from './scaffold.ts';

const FOLDER = 'lambda-workers';
const LIST = 'lib/config/workers.ts';

export const workerKind: Kind = {
  name: 'worker',
  is: 'a Lambda function that handles the messages of its queue',
  longestName: 30,
  // Its folder is beside those of other functions, and of what they share.
  taken: () => [
    ...new Set([...workers.map(({ name }) => name), ...readdirSync(join(repositoryRoot, FOLDER))]),
  ],
  async create(name) {
    const forms = formsOf(name);
    const folder = `${FOLDER}/${name}`;
    const from = (template: string) => fromTemplate(`worker/${template}.template`, forms);
    return {
      files: {
        [`${folder}/handler.ts`]: await from('handler.ts'),
        [`${folder}/worker.ts`]: await from('worker.ts'),
        [`test/${folder}/worker.test.ts`]: await from('worker.test.ts'),
      },
      insertions: [{ file: LIST, before: '\n];', text: `\n${(await from('entry.ts')).trimEnd()}` }],
      next: [
        `Say what it handles, and how, in ${folder}/worker.ts, and what it is in ${LIST}.`,
        `npm run test:suites -- --project system test/${folder}`,
        'npm run docs && npm run test:update -- --project infrastructure  # its pages and its reviewed templates',
        'npm start  # runs it, with a queue of its name',
      ],
    };
  },
};
