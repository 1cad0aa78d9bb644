import type { ServiceDefinition } from '../../config/services.ts';
import type { StageSize } from '../../config/size.ts';

const PERCENT = 100;
/** A forecast may be wrong by so much before a person has to raise the limit. */
export const LEAST_ROOM_TO_GROW = 2;

type ServiceSize = StageSize['service'];
/** What the number of a service's tasks follows from. */
export type TaskCounts = Pick<ServiceSize, 'redundantTasks' | 'minimumTasks' | 'maximumTasks'>;
type Sharing = Pick<ServiceDefinition, 'trafficPercent'>;

/** What a service's share of the traffic needs, where all of it needs `tasks`. */
const shareOf = (tasks: number, { trafficPercent }: Sharing): number =>
  Math.ceil((tasks * trafficPercent) / PERCENT);

/** The least and the most tasks of one service, of the `counts` that all of the traffic needs. */
function sharedCounts(counts: TaskCounts, sharing: Sharing): TaskCounts {
  const { redundantTasks } = counts;
  const minimumTasks = Math.max(
    shareOf(counts.minimumTasks, sharing),
    Math.min(redundantTasks, counts.minimumTasks),
  );
  // A small service, too, has room to grow; but never more than all of the traffic needs.
  const room = Math.min(LEAST_ROOM_TO_GROW * minimumTasks, counts.maximumTasks);
  const maximumTasks = Math.max(shareOf(counts.maximumTasks, sharing), room);
  return { redundantTasks, minimumTasks, maximumTasks };
}

/**
 * The size of one service: the tasks are as large as those of every other one, and it has its share of their number, but never fewer than
 * a service needs to survive a lost task or zone.
 *
 * @param service - what would carry all of the traffic, as `sizeService` computes it.
 */
export function sizeOfService(service: ServiceSize, definition: Sharing): ServiceSize {
  const counts = sharedCounts(service, definition);
  const least = counts.minimumTasks;
  const share = (tasks: number): number => Math.max(least, shareOf(tasks, definition));
  return {
    ...service,
    ...counts,
    typicalTasks: share(service.typicalTasks),
    events: service.events.map((event) => ({
      ...event,
      minimumTasks: Math.min(counts.maximumTasks, share(event.minimumTasks)),
    })),
  };
}

/** What all services together may have. */
export interface TotalTasks {
  readonly minimum: number;
  readonly maximum: number;
  /** Of the service that may have most. */
  readonly largest: number;
  /** `maximum` in words and figures, such as `60 tasks` or `(user-api 48 + reports 12) tasks`. */
  readonly reason: string;
}

export function totalTasks(
  counts: TaskCounts,
  services: readonly Pick<ServiceDefinition, 'name' | 'trafficPercent'>[],
): TotalTasks {
  const each = services.map((service) => ({
    name: service.name,
    ...sharedCounts(counts, service),
  }));
  const sum = (of: (one: TaskCounts) => number): number =>
    each.reduce((total, one) => total + of(one), 0);
  const maximum = sum(({ maximumTasks }) => maximumTasks);
  const parts = each.map(({ name, maximumTasks }) => `${name} ${maximumTasks}`).join(' + ');
  return {
    minimum: sum(({ minimumTasks }) => minimumTasks),
    maximum,
    largest: Math.max(0, ...each.map(({ maximumTasks }) => maximumTasks)),
    reason: each.length === 1 ? `${maximum} tasks` : `(${parts}) tasks`,
  };
}
