import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Name of the global variable of StrykerJS. */
    globalNamespace: string;
  }
}

/** The last mutant is still active in a kept thread; StrykerJS activates the next in a `beforeAll`, after files are collected. */
const stryker: unknown = Reflect.get(globalThis, inject('globalNamespace'));
if (typeof stryker === 'object' && stryker !== null)
  Reflect.set(stryker, 'activeMutant', undefined);
