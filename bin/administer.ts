import { runAdminister } from '../services/user-api/administer.ts';

/** `npm run administer`: what an operator does by hand; `npm run administer -- --help` says what. */
await runAdminister(process.argv.slice(2));
