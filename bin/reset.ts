import { resolve } from 'node:path';
import { readEnvironment } from '../services/contracts/environment/read.ts';
import { resetLocalData } from '../services/local/system/reset.ts';
import { reportFailure } from '../services/local/system/screen.ts';

/** `npm run reset`: deletes the data, logs and mailbox of `npm start`. */
try {
  const { LOCAL_DIRECTORY } = readEnvironment(['LOCAL_DIRECTORY'], process.env);
  const root = resolve(LOCAL_DIRECTORY);
  const deleted = await resetLocalData(root);
  console.log(
    deleted.length === 0
      ? `There is nothing to delete in ${root}.`
      : ['Deleted', ...deleted.map((path) => `  ${path}`)].join('\n'),
  );
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
