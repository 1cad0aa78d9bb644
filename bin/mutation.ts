import { mutation } from '../test/mutation/command.ts';

/** `npm run test:mutation`: see docs/testing.md. */
await mutation(process.argv.slice(2));
