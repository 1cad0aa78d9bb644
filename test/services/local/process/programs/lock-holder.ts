import { lockDirectory } from '../../../../../services/local/process/directory-lock.ts';

/** Takes the folder named by its argument, says so, and holds it until it is killed. */
const lock = lockDirectory(process.argv[2] ?? '');
process.send?.('locked');
process.once('disconnect', () => lock.release());
