import { ConfigurationError } from '../../config/configuration-error.ts';
import { services } from '../../config/services.ts';
import { production } from '../../config/stages/production.ts';
import { findStage } from '../../config/stages/stages.ts';
import { checkTimeouts, timeouts } from '../../config/timeouts.ts';
import { validateServices } from '../../config/validate-services.ts';
import { validateWorkers } from '../../config/validate-workers.ts';
import { workers } from '../../config/workers.ts';
import { planStage } from '../size/size-stage.ts';

/** Something that a platform engineer does by mistake. */
interface Mistake {
  /** What is written, in a sentence. */
  readonly title: string;
  readonly make: () => unknown;
}

/** Production, with a key of its workload mistyped, as a file may have it that runs without a type check. */
function mistypedWorkload(): unknown {
  const { readPercent, ...workload } = production.workload;
  return planStage(
    Object.assign({ ...production }, { workload: { ...workload, readPrecent: readPercent } }),
  );
}

const mistakes: readonly Mistake[] = [
  { title: 'A stage that does not exist: `-c stage=prod`', make: () => findStage('prod') },
  { title: 'A key that is mistyped: `readPrecent`', make: mistypedWorkload },
  {
    title: '200 tasks with a pool of 20',
    make: () =>
      planStage({
        ...production,
        overrides: {
          'service.maximumTasks': { to: 200, because: 'the load test of March' },
          'service.databasePoolSize': { to: 20, because: 'queries waited' },
        },
      }),
  },
  {
    title: 'Memory that Fargate does not sell with that CPU',
    make: () =>
      planStage({
        ...production,
        overrides: { 'service.memoryMebibytes': { to: 9_000, because: 'a guess of ours' } },
      }),
  },
  {
    title: 'More than it may cost',
    make: () =>
      planStage({ ...production, policy: { ...production.policy, spendCeilingDollars: 5_000 } }),
  },
  {
    title: 'A timeout out of order',
    make: () => checkTimeouts({ ...timeouts, edgeRead: 45 }),
  },
  {
    title: 'A visibility timeout with which messages would be worked on twice',
    make: () =>
      validateWorkers(workers.map((worker) => ({ ...worker, visibilityTimeoutSeconds: 60 }))),
  },
  {
    title: 'A second service, and no word of who gets what of the traffic',
    make: () =>
      validateServices(
        services.slice(0, 1).flatMap((service) => [
          { ...service, trafficPercent: 100 },
          {
            ...service,
            name: 'reports',
            trafficPercent: 100,
            priority: service.priority + 1,
            pathPatterns: ['/reports/*'],
          },
        ]),
      ),
  },
];

/** A mistake, and what it ends with. */
export interface Refusal {
  readonly title: string;
  readonly problems: readonly string[];
}

/**
 * What each mistake ends with.
 *
 * @throws Error for one that ends with nothing.
 */
export function refusals(): readonly Refusal[] {
  return mistakes.map(({ title, make }) => {
    try {
      make();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return { title, problems: error.problems };
    }
    throw new Error(`Nothing was refused: ${title}.`);
  });
}
