import { randomUUID } from 'node:crypto';
import { UserNotFound } from '../../../../../services/user-api/auth/errors.ts';
import type { Action, Beginning, Interleaving } from './actions.ts';
import type { GateName } from './gates.ts';
import { BrokenPromise, History } from './history.ts';
import type { Servers } from './servers.ts';
import type { TestedProcess } from './tested-process.ts';

/** What all scenarios of a run share. */
export interface Surroundings {
  readonly servers: Servers;
  /** Those that run now. */
  readonly processes: TestedProcess[];
  readonly startProcess: (name: string) => Promise<TestedProcess>;
  readonly clock: { now: number };
  /** A user of version 1 that the replica has, and no cache; a new one with each call. */
  readonly existingUser: () => number;
}

/** How long a read may wait behind another one that is held up at a gate before the interleaving goes on without it. */
const HELD_UP_MILLISECONDS = 20;
/** Longer than NEAR_LIFETIME_MILLISECONDS and SETTLED_MILLISECONDS. */
const LONG_ENOUGH = 5_100;
/** How long Redis may lack the writes that processes publish again, after it was replaced. */
const REPUBLISH_MILLISECONDS = 2_000;

/** @throws `BrokenPromise` when what the interleaving makes happen to a user lets a read answer what it must not. */
export async function play(surroundings: Surroundings, interleaving: Interleaving): Promise<void> {
  const scenario = await Scenario.begin(surroundings, interleaving.user);
  try {
    for (const action of interleaving.actions) await scenario.do(action);
  } finally {
    await scenario.end();
  }
  scenario.check();
}

class Scenario {
  readonly #surroundings: Surroundings;
  readonly #history: History;
  readonly #inFlight = new Set<Promise<void>>();
  #failure: unknown;
  #olderEntry: Buffer | null = null;

  private constructor(surroundings: Surroundings, history: History) {
    this.#surroundings = surroundings;
    this.#history = history;
  }

  static async begin(surroundings: Surroundings, user: Beginning): Promise<Scenario> {
    const { clock, existingUser, processes, servers } = surroundings;
    for (const process of processes) {
      await process.subscribeAgain();
      await process.untilOpen();
      process.passMessages();
    }
    clock.now += LONG_ENOUGH;
    const exists = user !== 'nowhere';
    const id = exists ? existingUser() : await servers.nextId();
    if (user === 'in Redis') {
      await processes.at(-1)?.users.get(id);
      while ((await servers.entry(id)) === null) await pause(1);
    }
    return new Scenario(surroundings, new History(id, exists ? 1 : 0, () => clock.now));
  }

  async do(action: Action): Promise<void> {
    const process = this.#surroundings.processes[action.process];
    if (process !== undefined) await this.#act(action, process);
    this.check();
  }

  /** Lets everything come to its end. */
  async end(): Promise<void> {
    while (this.#inFlight.size > 0) {
      for (const { gates } of this.#surroundings.processes) gates.openAll();
      await Promise.race([...this.#inFlight, pause(1)]);
    }
    for (const { gates } of this.#surroundings.processes) gates.openAll();
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #act(action: Action, process: TestedProcess): Promise<void> {
    const { servers } = this.#surroundings;
    const { id } = this.#history;
    switch (action.do) {
      case 'read':
        return await this.#start(process, action.holdAt, () => this.#read(process), true);
      case 'write':
        if (this.#history.isDeleted) return;
        return await this.#start(process, action.holdAt, () => this.#write(process, action.holdAt));
      case 'delete':
        if (!(await servers.has(id))) return;
        return await this.#start(process, action.holdAt, () =>
          this.#delete(process, action.holdAt),
        );
      case 'subscribe again':
        return await this.#subscribe(process, action.holdAt);
      case 'open gates':
        process.gates.openAll();
        return await this.#settle();
      case 'hold messages':
        return process.holdMessages();
      case 'lose messages':
        return process.loseMessages();
      case 'pass messages':
        return process.passMessages();
      case 'lose subscription':
        return await process.loseSubscription();
      case 'evict from near cache':
        return process.evict();
      case 'forget known versions':
        return process.forgetKnownVersions();
      case 'evict from Redis':
        return this.#mayEvict ? await servers.evict(id) : undefined;
      case 'age in Redis':
        return await servers.age(id);
      case 'remember entry':
        this.#olderEntry = await servers.entry(id);
        return;
      case 'restart process':
        return await this.#restart(process);
      case 'restart Redis':
        return await this.#replaceRedis(null, false);
      case 'fail Redis over':
        return await this.#replaceRedis(this.#olderEntry, action.holdAt !== null);
      case 'catch up':
        return await servers.catchUp();
      case 'let time pass':
        await servers.catchUp();
        this.#surroundings.clock.now += LONG_ENOUGH;
    }
  }

  /**
   * An entry that is evicted within the milliseconds in which a message about it is on its way, or in which Redis is being notified of an older one, or
   * after a message was lost unnoticed, is more than the caches make good: docs/cache.md says so.
   */
  get #mayEvict(): boolean {
    return this.#surroundings.processes.every(
      ({ gates, lacksInvalidations }) => !gates.isHoldingAt('update sent') && !lacksInvalidations,
    );
  }

  #read(process: TestedProcess): Promise<void> {
    const { metrics } = process.caching;
    const hits = metrics.nearHits;
    const response = process.users.get(this.#history.id);
    const start = this.#history.readBegins(process, metrics.nearHits > hits);
    return response.then((snapshot) => this.#history.readEnds(start, snapshot));
  }

  async #write(process: TestedProcess, holdAt: GateName | null): Promise<void> {
    const { id } = this.#history;
    const beganAt = performance.now();
    const name = randomUUID();
    const isThere = await this.#surroundings.servers.has(id);
    // Its creation is in flight, and held up.
    if (this.#history.isThere && !isThere) return;
    this.#history.began('write');
    if (isThere) {
      const changed = await process.users.update(id, { name }, null, {
        email: null,
        status: null,
      });
      this.#history.acknowledged(process, changed);
      if (holdAt === null) await this.#expectMessages(changed.version, beganAt);
      return;
    }
    const fields = { name, email: `${name}@example.com`, status: 'active' } as const;
    const created = await process.users.create(fields, null);
    if (created.id !== id) throw new Error(`The new user has the id ${created.id}, not ${id}`);
    this.#history.acknowledged(process, created.snapshot);
    if (holdAt === null) await this.#expectMessages(1, beganAt);
  }

  async #delete(process: TestedProcess, holdAt: GateName | null): Promise<void> {
    const beganAt = performance.now();
    this.#history.began('delete');
    await process.users.remove(this.#history.id, null, { kind: 'admin', userId: 1 });
    this.#history.acknowledged(process, null);
    if (holdAt === null) await this.#expectMessages(this.#history.newestRow, beganAt);
  }

  /** Waits until all have been notified of a write, or of a newer one, who are to be. */
  async #expectMessages(version: number, since: number): Promise<void> {
    for (const process of this.#surroundings.processes) {
      if (await process.isNotifiedOf(this.#history.id, version, since)) continue;
      throw new BrokenPromise(`${process.name} is not notified of version ${version}`);
    }
  }

  async #subscribe(process: TestedProcess, holdAt: GateName | null): Promise<void> {
    const subscribe = async () => {
      await process.subscribeAgain();
      await process.untilOpen();
    };
    const isFree = holdAt === null && !process.gates.isHoldingAt('subscribe sent');
    await (isFree ? subscribe() : this.#start(process, holdAt, subscribe, true));
  }

  /** Ends a process, and with it what it remembers, and starts it again. */
  async #restart(process: TestedProcess): Promise<void> {
    if (this.#inFlight.size > 0) return;
    const { processes, startProcess } = this.#surroundings;
    process.close();
    // Who wrote it is gone, so nobody can publish it again to a Redis that goes back behind it: docs/cache.md says so.
    this.#olderEntry = null;
    processes[processes.indexOf(process)] = await startProcess(process.name);
  }

  /**
   * Starts something, and waits until it is done or held up.
   *
   * @param mayWait - whether it may have to wait for what is held up already, as a read may for another one of its process.
   */
  async #start(
    process: TestedProcess,
    holdAt: GateName | null,
    work: () => Promise<void>,
    mayWait = false,
  ): Promise<void> {
    const { gates } = process;
    const { arrival } = gates;
    const waits = mayWait && gates.isHolding;
    if (holdAt !== null) gates.shut(holdAt);
    const tracked: Promise<void> = work()
      .catch((error: unknown) => {
        // Deleted while it was about to be written.
        if (!(error instanceof UserNotFound)) this.#failure ??= error;
      })
      .finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
    const outcome = await Promise.race([
      tracked.then(() => 'done'),
      arrival.then(() => 'held up'),
      ...(waits ? [pause(HELD_UP_MILLISECONDS)] : []),
    ]);
    if (outcome === 'done') await process.untilQuiet();
    if (holdAt !== null && !gates.isHoldingAt(holdAt)) gates.reopen(holdAt);
  }

  /** Waits for what is in flight, as far as nothing holds it up any more. */
  async #settle(): Promise<void> {
    await pause(1);
    const all = Promise.all(this.#inFlight);
    const held = this.#surroundings.processes.some(({ gates }) => gates.isHolding);
    await (held ? Promise.race([all, pause(HELD_UP_MILLISECONDS)]) : all);
    for (const process of this.#surroundings.processes) await process.untilQuiet();
  }

  /** Cuts all connections to Redis, which comes back without what it had, or with what it had once. */
  async #replaceRedis(entry: Buffer | null, isRepublishedLate: boolean): Promise<void> {
    const { processes, servers } = this.#surroundings;
    if (processes.some(({ gates }) => gates.isHolding)) return;
    for (const { gates } of processes) if (isRepublishedLate) gates.shut('update sent');
    const recoveries = processes.map((process) => process.recovery());
    await servers.loseMemory(this.#history.id, entry);
    await Promise.all(recoveries);
    if (isRepublishedLate) await this.#readWhereKnown();
    for (const { gates } of processes) gates.openAll();
    await this.#untilRepublished();
  }

  /** Until the writes are published again, only those know the newest version who were notified of it before. */
  async #readWhereKnown(): Promise<void> {
    const { acknowledgedVersion, id } = this.#history;
    for (const process of this.#surroundings.processes) {
      const wasNotified = process.remembers && process.notifiedOf(id) >= acknowledgedVersion;
      const wrote = this.#history.newestOf([process]) >= acknowledgedVersion;
      if (wasNotified || wrote) await this.#read(process);
    }
  }

  async #untilRepublished(): Promise<void> {
    const { id } = this.#history;
    const newest = this.#history.newestOf(this.#surroundings.processes);
    const deadline = performance.now() + REPUBLISH_MILLISECONDS;
    while (performance.now() < deadline) {
      const entry = await this.#surroundings.servers.entry(id);
      const version = /^[vd](\d+)/.exec(entry?.toString('latin1') ?? '')?.[1];
      if (Number(version ?? 0) >= newest) return;
      await pause(1);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
