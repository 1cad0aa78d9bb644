import { administer, ofThisProcess } from '../services/user-api/administer.ts';

/** `npm run administer`: what an operator does by hand; `npm run administer -- --help` says what. */
process.exitCode = await administer(process.argv.slice(2), ofThisProcess);
