/** The parts of the system that are on call for one failure each: however many of its alarms go off, a person is paged once. */
export const subsystems = ['edge', 'api', 'database', 'cache', 'workers'] as const;
export type Subsystem = (typeof subsystems)[number];

/** By what the key of an alarm begins with. */
const beginnings: readonly (readonly [string, Subsystem])[] = [
  ['edge/', 'edge'],
  ['api/', 'api'],
  ['data/Database/', 'database'],
  ['migrations/', 'database'],
  ['data/Cache/', 'cache'],
  ['workers/', 'workers'],
];

/**
 * The subsystem that the alarm of that key is of.
 *
 * @throws Error for an alarm outside all of them: nobody would be paged by it.
 */
export function subsystemOf(key: string): Subsystem {
  const found = beginnings.find(([beginning]) => key.startsWith(beginning));
  if (found === undefined) {
    throw new Error(
      `Alarm "${key}" belongs to no subsystem. Its path takes one of ${beginnings.map(([beginning]) => beginning).join(', ')} to begin with, or a new line in subsystem.ts.`,
    );
  }
  return found[1];
}
