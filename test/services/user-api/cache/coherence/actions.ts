import fc from 'fast-check';
import type { GateName } from './gates.ts';

/** Where a read, a write or a subscription can be held up. */
const gatesOf = {
  read: ['lookup replied', 'load returned', 'update sent', 'update replied'],
  write: ['update sent', 'update replied'],
  delete: ['update sent', 'update replied'],
  'subscribe again': ['subscribe sent'],
  // All processes are, when they are about to publish to the new one what the old one had.
  'fail Redis over': ['update sent'],
} as const satisfies Readonly<Record<string, readonly GateName[]>>;

/** What can happen, and how often it does, relative to the others: reads the most, as they are what is tested. */
const weights = {
  read: 20,
  write: 9,
  delete: 1,
  'subscribe again': 2,
  'open gates': 4,
  'hold messages': 3,
  'lose messages': 1,
  'pass messages': 2,
  'lose subscription': 2,
  'evict from near cache': 2,
  'forget known versions': 1,
  'evict from Redis': 3,
  'age in Redis': 2,
  'remember entry': 1,
  'restart process': 1,
  'restart Redis': 1,
  'fail Redis over': 1,
  'catch up': 1,
  'let time pass': 2,
} as const;

export type ActionName = keyof typeof weights;

/** Something that is done at one of the processes, or to the servers behind them. */
export interface Action {
  readonly do: ActionName;
  /** Place of the process. */
  readonly process: number;
  /** Where it is held up, if it comes by there. */
  readonly holdAt: GateName | null;
}

/** Where the user is at the beginning: nowhere, in the database with its replica, or in Redis too. */
const beginnings = ['nowhere', 'in the database', 'in Redis'] as const;
export type Beginning = (typeof beginnings)[number];

/** What happens to one user, one thing after the other. */
export interface Interleaving {
  readonly user: Beginning;
  readonly actions: readonly Action[];
}

const processes = 'ABC';

function actionOf(name: ActionName): fc.Arbitrary<Action> {
  const gates: readonly GateName[] = name in gatesOf ? gatesOf[name as keyof typeof gatesOf] : [];
  const free = fc.constant(null);
  return fc.record({
    do: fc.constant(name),
    process: fc.nat({ max: processes.length - 1 }),
    holdAt: gates.length === 0 ? free : fc.oneof(free, fc.constantFrom(...gates)),
  });
}

/** @param length - most actions. */
export function interleavingOf(length: number): fc.Arbitrary<Interleaving> {
  const names = Object.keys(weights) as ActionName[];
  const actions = names.map((name) => ({ arbitrary: actionOf(name), weight: weights[name] }));
  return fc.record({
    user: fc.constantFrom(...beginnings),
    actions: fc.array(fc.oneof(...actions), { minLength: 4, maxLength: length, size: 'max' }),
  });
}

/** An interleaving in words, a line for each action. */
export function describeInterleaving({ actions, user }: Interleaving): string[] {
  const lines = actions.map(({ do: name, holdAt, process }) => {
    const hold = holdAt === null ? '' : `, held up at: ${holdAt}`;
    return `${processes[process]}: ${name}${hold}`;
  });
  return [`The user is ${user}.`, ...lines];
}

/** The interleaving that {@link describeInterleaving} describes so. */
export function understand([first = '', ...lines]: readonly string[]): Interleaving {
  const user = beginnings.find((beginning) => first === `The user is ${beginning}.`);
  if (user === undefined) throw new Error(`No interleaving begins so: ${first}`);
  const actions = lines.map((line) => {
    const [, process = '', name = '', holdAt] =
      /^([ABC]): ([\w ]+?)(?:, held up at: ([\w ]+))?$/i.exec(line) ?? [];
    if (!Object.hasOwn(weights, name)) throw new Error(`Nothing that can happen: ${line}`);
    return {
      do: name as ActionName,
      process: processes.indexOf(process),
      holdAt: (holdAt as GateName | undefined) ?? null,
    };
  });
  return { user, actions };
}
