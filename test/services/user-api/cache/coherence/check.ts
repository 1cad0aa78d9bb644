import fc from 'fast-check';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';
import { describeInterleaving, interleavingOf, understand } from './actions.ts';
import { createRouter } from './router.ts';
import { play } from './scenario.ts';
import { Servers, type ServerUrls } from './servers.ts';
import { TestedProcess } from './tested-process.ts';

export interface Checking {
  /** Interleavings to play first, as `describeInterleaving` describes them. */
  readonly known: readonly (readonly string[])[];
  /** How many to play in all. */
  readonly interleavings: number;
  /** Most actions of an interleaving. */
  readonly length: number;
  readonly seed: number;
  /** Whether to shorten an interleaving in which a promise was broken. */
  readonly shrink: boolean;
}

export interface Outcome {
  /** How many interleavings were played. */
  readonly interleavings: number;
  /** Which promise was broken, and the interleaving in which it was; null when none was. */
  readonly failure: { readonly message: string; readonly interleaving: readonly string[] } | null;
}

const PROCESSES = ['A', 'B', 'C'];
const USERS_AT_ONCE = 100;

/** Plays interleavings, and looks for one in which the caches break a promise. */
export async function check(urls: ServerUrls, options: Checking): Promise<Outcome> {
  const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
  const router = createRouter(urls, logger);
  const servers = new Servers(urls);
  const clock = { now: 0 };
  const startProcess = async (name: string) => {
    const { redisUrl } = urls;
    const started = new TestedProcess({ name, redisUrl, router, logger, clock: () => clock.now });
    await started.start();
    return started;
  };
  const processes = await Promise.all(PROCESSES.map(startProcess));
  const users: number[] = [];
  const existingUser = () => users.pop() ?? 0;

  let interleavings = 0;
  const details = await fc.check(
    fc.asyncProperty(interleavingOf(options.length), async (interleaving) => {
      interleavings += 1;
      if (users.length === 0) users.push(...(await servers.createUsers(USERS_AT_ONCE)));
      await play({ servers, processes, startProcess, clock, existingUser }, interleaving);
    }),
    {
      examples: options.known.map((interleaving) => [understand(interleaving)]),
      numRuns: options.interleavings,
      seed: options.seed,
      endOnFailure: !options.shrink,
    },
  );
  for (const each of processes) each.close();
  await servers.close();
  await router.close();
  const interleaving = details.failed ? details.counterexample?.[0] : undefined;
  return {
    interleavings,
    failure:
      interleaving === undefined
        ? null
        : {
            message: String(details.errorInstance),
            interleaving: describeInterleaving(interleaving),
          },
  };
}
