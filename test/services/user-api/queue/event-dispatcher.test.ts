import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Event } from '../../../../services/contracts/events.ts';
import {
  EventDispatcher,
  type EventDispatcherOptions,
} from '../../../../services/user-api/queue/event-dispatcher.ts';
import type { Outbox } from '../../../../services/user-api/queue/outbox.ts';
import { eventEnvelope } from '../../../../services/user-api/queue/outbox.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { addToOutbox, connect, openOutbox } from './support/outbox.ts';

type Response = readonly string[] | Error | Promise<readonly string[]>;

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createMigratedDatabase();
  sql = connect(database.writerUrl);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});
beforeEach(async () => {
  await sql`delete from outbox`;
});

const everything = (events: readonly Event[]): Response => events.map(({ id }) => id);

/** A dispatcher on a real outbox, whose queue responds as `respond` says. */
function startDispatcher(
  respond: (events: readonly Event[], index: number) => Response = everything,
  options: EventDispatcherOptions = {},
  url = database.writerUrl,
) {
  const { outbox, logger, log, statements } = openOutbox(url);
  const batches: (readonly Event[])[] = [];
  let isOpen = true;
  const dispatcher = new EventDispatcher(
    outbox,
    {
      async send(events) {
        batches.push(events);
        const response = await respond(events, batches.length - 1);
        if (response instanceof Error) throw response;
        return response;
      },
      close() {
        isOpen = false;
      },
    },
    logger,
    options,
  );
  onTestFinished(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    if (isOpen) await dispatcher.close();
  });
  return {
    dispatcher,
    outbox,
    batches,
    log,
    statements,
    sizes: () => batches.map(({ length }) => length),
    messages: () => log.map(({ message }) => message),
    isOpen: () => isOpen,
  };
}

/** A queue that responds to each batch on request. */
function slowQueue() {
  const responses: (() => void)[] = [];
  return {
    respond: (events: readonly Event[]) =>
      new Promise<readonly string[]>((resolve) => {
        responses.push(() => resolve(events.map(({ id }) => id)));
      }),
    responses,
  };
}

const newEvent = (userId = 1) =>
  ({
    ...eventEnvelope(crypto.randomUUID(), new Date().toISOString()),
    type: 'user.created',
    data: { userId },
  }) as const;

function dispatch(dispatcher: EventDispatcher, count: number): readonly Event[] {
  const events = Array.from({ length: count }, (_, index) => newEvent(index + 1));
  for (const event of events) dispatcher.dispatch(event);
  return events;
}

/** Connects the pool, for which postgres.js needs timers, before the clock stops. */
const connectPool = (outbox: Outbox) => outbox.remove([crypto.randomUUID()]);

/** Stops the dispatcher's clock but for `advance`; each jittered pause is the longest. */
function stopTheClock() {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const random = vi.spyOn(Math, 'random').mockReturnValue(1);
  return { random, advance: (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds) };
}

/** Like `eventually`, without timers, so that it does not advance a stopped clock. */
async function soon(attempt: () => void | Promise<void>): Promise<void> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('EventDispatcher.dispatch', () => {
  it('sends a full batch at once, and a smaller one after 100 ms', async () => {
    const { dispatcher, outbox, batches, sizes } = startDispatcher();
    await connectPool(outbox);
    const { advance } = stopTheClock();
    const events = dispatch(dispatcher, 9);
    expect([sizes(), dispatcher.held]).toEqual([[], 9]);
    dispatch(dispatcher, 1);
    expect([sizes(), dispatcher.held]).toEqual([[10], 0]);
    expect(batches[0]?.slice(0, 9)).toEqual(events);
    await advance(0);
    dispatch(dispatcher, 2);
    await advance(99);
    expect(sizes()).toEqual([10]);
    await advance(1);
    expect(sizes()).toEqual([10, 2]);
    expect(dispatcher.counts).toEqual({ sent: 12, refused: 0, failedSends: 0 });
  });

  it('lets a smaller batch linger 100 ms though a send ends meanwhile, so that batches fill', async () => {
    const { respond, responses } = slowQueue();
    const { dispatcher, outbox, sizes } = startDispatcher(respond);
    await connectPool(outbox);
    const { advance } = stopTheClock();
    dispatch(dispatcher, 13);
    responses[0]?.();
    await advance(99);
    expect([sizes(), dispatcher.counts.sent]).toEqual([[10], 10]);
    dispatch(dispatcher, 6);
    await advance(1);
    expect(sizes()).toEqual([10, 9]);
    responses[1]?.();
  });

  it('sends a batch that lingered while ten sends were in flight as soon as one ends', async () => {
    const { advance } = stopTheClock();
    const { respond, responses } = slowQueue();
    const { dispatcher, sizes } = startDispatcher(respond);
    dispatch(dispatcher, 102);
    await advance(100);
    expect([sizes().length, dispatcher.held]).toEqual([10, 2]);
    responses[0]?.();
    await advance(0);
    expect([sizes().at(-1), dispatcher.held]).toEqual([2, 0]);
    for (const respondOne of responses) respondOne();
  });

  it('while ten sends are in flight, holds 10,000 events and leaves more to the outbox', async () => {
    const { respond, responses } = slowQueue();
    const { dispatcher, sizes } = startDispatcher(respond);
    dispatch(dispatcher, 100);
    expect([sizes(), dispatcher.held]).toEqual([Array(10).fill(10), 0]);
    dispatch(dispatcher, 9_999);
    expect([sizes().length, dispatcher.held]).toEqual([10, 9_999]);
    dispatch(dispatcher, 2);
    expect(dispatcher.held).toBe(10_000);
    await soon(() => {
      for (const respondOne of responses.splice(0)) respondOne();
      expect([dispatcher.held, dispatcher.counts.sent]).toEqual([0, 10_100]);
    });
    expect(sizes()).toEqual(Array(1_010).fill(10));
  });

  it('after a failure, drops the held events and sends nothing for a pause that doubles up to 30 s', async () => {
    const { advance } = stopTheClock();
    let isDown = true;
    const { dispatcher, sizes, messages } = startDispatcher((events) =>
      isDown ? new Error('down') : everything(events),
    );
    for (const pause of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const sendsBefore = sizes().length;
      dispatch(dispatcher, 12);
      await advance(0);
      expect([dispatcher.isUp, dispatcher.held]).toEqual([false, 0]);
      expect(sizes()).toHaveLength(sendsBefore + 1);
      await advance(pause - 1);
      dispatch(dispatcher, 10);
      expect([dispatcher.held, sizes().length]).toEqual([0, sendsBefore + 1]);
      await advance(1);
    }
    expect(dispatcher.counts).toEqual({ sent: 0, refused: 0, failedSends: 7 });
    isDown = false;
    dispatch(dispatcher, 10);
    await advance(0);
    expect(dispatcher.isUp).toBe(true);
    dispatch(dispatcher, 10);
    await advance(0);
    expect(dispatcher.counts).toEqual({ sent: 20, refused: 0, failedSends: 7 });
    expect(messages()).toEqual([
      'The queue does not respond: events wait in the outbox',
      'The queue accepts events again',
    ]);
    // The next failure is a first one again.
    isDown = true;
    dispatch(dispatcher, 10);
    await advance(1_000);
    dispatch(dispatcher, 10);
    expect(dispatcher.counts.failedSends).toBe(8);
    expect(sizes()).toHaveLength(11);
  });

  it('pauses for at least half of the time, so that processes do not all try at once', async () => {
    const { random, advance } = stopTheClock();
    random.mockReturnValue(0);
    const { dispatcher, sizes } = startDispatcher(() => new Error('down'));
    dispatch(dispatcher, 10);
    await advance(499);
    dispatch(dispatcher, 10);
    expect(sizes()).toEqual([10]);
    await advance(1);
    dispatch(dispatcher, 10);
    expect(sizes()).toEqual([10, 10]);
  });

  it('of a batch refused in part, removes only the accepted events from the outbox', async () => {
    const [refused = '', ...taken] = await addToOutbox(sql, 3);
    const { dispatcher, log } = startDispatcher((events) =>
      events.map(({ id }) => id).filter((id) => id !== refused),
    );
    for (const id of [refused, ...taken]) dispatcher.dispatch({ ...newEvent(), id });
    await eventually(async () => {
      expect(await sql`select id from outbox`).toEqual([{ id: refused }]);
    });
    expect(dispatcher.counts).toEqual({ sent: 2, refused: 1, failedSends: 0 });
    expect(dispatcher.isUp).toBe(true);
    expect(log).toMatchObject([{ message: 'The queue refused some events', refused: 1 }]);
  });

  it('of a batch refused as a whole, counts a failed send and logs why', async () => {
    const { dispatcher, log } = startDispatcher(() => []);
    dispatch(dispatcher, 10);
    await eventually(() => expect(dispatcher.isUp).toBe(false));
    expect(dispatcher.counts).toEqual({ sent: 0, refused: 0, failedSends: 1 });
    expect(log).toMatchObject([{ error: { message: 'The queue refused a whole batch' } }]);
  });
});

describe('Events that EventDispatcher has sent', () => {
  it('leave the outbox with one statement for several batches, and no other does', async () => {
    const [left, ...ids] = await addToOutbox(sql, 31);
    const { dispatcher, log, sizes, statements } = startDispatcher();
    for (const id of ids) dispatcher.dispatch({ ...newEvent(), id });
    expect(sizes()).toEqual([10, 10, 10]);
    await eventually(async () => expect(await sql`select id from outbox`).toEqual([{ id: left }]));
    expect(statements()).toBe(1);
    dispatcher.dispatch({ ...newEvent(), id: left ?? '' });
    await dispatcher.close();
    expect(await sql`select id from outbox`).toEqual([]);
    // What has been removed is not removed again.
    expect(statements()).toBe(2);
    expect(log).toEqual([]);
  });

  it('stay while the database is down, which is logged', async () => {
    const { dispatcher, log } = startDispatcher(
      everything,
      {},
      'postgres://nobody@127.0.0.1:1/none',
    );
    dispatch(dispatcher, 1);
    await dispatcher.close();
    expect(log).toMatchObject([
      {
        message: 'Sent events stay in the outbox, and will be sent again',
        error: { type: expect.any(String) },
      },
    ]);
  });
});

describe('EventDispatcher.close', () => {
  it('sends the held events, waits for them, and accepts no more', async () => {
    const ids = await addToOutbox(sql, 12);
    const { respond, responses } = slowQueue();
    const { dispatcher, sizes, isOpen } = startDispatcher(respond);
    for (const id of ids) dispatcher.dispatch({ ...newEvent(), id });
    expect(sizes()).toEqual([10]);
    const closed = dispatcher.close();
    expect(sizes()).toEqual([10, 2]);
    dispatch(dispatcher, 10);
    expect(dispatcher.held).toBe(0);
    responses[0]?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOpen()).toBe(true);
    responses[1]?.();
    await closed;
    expect(isOpen()).toBe(false);
    expect(sizes()).toEqual([10, 2]);
    expect(await sql`select id from outbox`).toEqual([]);
  });

  it('sends the events that wait for one of ten sends to end, and waits for them, too', async () => {
    const { respond, responses } = slowQueue();
    const { dispatcher, outbox, sizes, isOpen } = startDispatcher(respond);
    dispatch(dispatcher, 105);
    const closed = dispatcher.close();
    for (const respondOne of responses.splice(0)) respondOne();
    await soon(() => expect(sizes()).toEqual([...Array(10).fill(10), 5]));
    // Long enough for a close that does not wait.
    await connectPool(outbox);
    expect(isOpen()).toBe(true);
    responses[0]?.();
    await closed;
    expect(dispatcher.counts.sent).toBe(105);
  });

  it('gives up on a queue that does not respond after 2 s', async () => {
    const { advance } = stopTheClock();
    const { dispatcher, isOpen } = startDispatcher(slowQueue().respond);
    dispatch(dispatcher, 10);
    const closed = dispatcher.close();
    await advance(1_999);
    expect(isOpen()).toBe(true);
    await advance(1);
    await closed;
    expect(isOpen()).toBe(false);
  });

  it('ends the relay: events taken and not sent wait for their lease to expire', async () => {
    await addToOutbox(sql, 30);
    const { respond, responses } = slowQueue();
    const { dispatcher, sizes } = startDispatcher(respond, { relayIntervalMilliseconds: 1 });
    dispatcher.start();
    await eventually(() => expect(sizes()).toEqual([10]));
    const closed = dispatcher.close();
    responses[0]?.();
    await closed;
    expect(sizes()).toEqual([10]);
    expect(await sql`select id from outbox where available_at > now()`).toHaveLength(20);
  });
});

describe("EventDispatcher's relay", () => {
  it('continues at once while batches are full, then pauses for the interval', async () => {
    await addToOutbox(sql, 70);
    const { dispatcher, outbox, sizes } = startDispatcher();
    await connectPool(outbox);
    const { advance } = stopTheClock();
    dispatcher.start();
    await advance(0);
    await soon(() => expect(sizes()).toEqual([10, 10, 10, 10, 10]));
    await soon(() => expect(vi.getTimerCount()).toBeGreaterThan(1));
    await advance(0);
    await soon(() => expect(sizes()).toEqual([10, 10, 10, 10, 10, 10, 10]));
    expect(dispatcher.counts.sent).toBe(70);
    await advance(100);
    await soon(async () => expect(await sql`select id from outbox`).toEqual([]));
    await advance(4_800);
    await addToOutbox(sql, 1);
    await advance(99);
    await sql`select pg_sleep(0.02)`;
    expect(sizes()).toHaveLength(7);
    await advance(1);
    await soon(() => expect(sizes()).toHaveLength(8));
  });

  it('when the queue fails, sends no further batch and tries again after the pause of the failure', async () => {
    await addToOutbox(sql, 60);
    const { dispatcher, sizes } = startDispatcher(
      (events, index) => (index === 0 ? new Error('down') : everything(events)),
      { relayIntervalMilliseconds: 60_000, longestPauseMilliseconds: 20 },
    );
    dispatcher.start();
    await eventually(() => expect(dispatcher.counts.sent).toBe(10));
    // The other forty are leased for 15 s.
    expect(sizes()).toEqual([10, 10]);
  });

  it('when the outbox cannot be read, logs it and continues', async () => {
    const { dispatcher, log } = startDispatcher(
      everything,
      { relayIntervalMilliseconds: 10 },
      'postgres://nobody@127.0.0.1:1/none',
    );
    dispatcher.start();
    await eventually(() => {
      const failures = log.filter(({ message }) => message === 'The outbox could not be read');
      expect(failures.length).toBeGreaterThan(1);
      expect(failures[0]).toHaveProperty('error');
    });
  });
});
