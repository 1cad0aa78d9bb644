import { registerHooks } from 'node:module';

/*
 * `node --import bin/module-hooks.mjs …`: Node.js 24 parses the `exports` of a package.json again for each module of the package that it resolves. Those
 * of drizzle-orm are 170 KB, and it has a hundred modules: half a second of each process. A relative path needs no package.json.
 */
const DRIZZLE = '/node_modules/drizzle-orm/';

registerHooks({
  resolve(specifier, context, next) {
    if (!specifier.startsWith('.') || !context.parentURL?.includes(DRIZZLE)) {
      return next(specifier, context);
    }
    const { href } = new URL(specifier, context.parentURL);
    return { url: href, format: 'module', shortCircuit: true };
  },
});
