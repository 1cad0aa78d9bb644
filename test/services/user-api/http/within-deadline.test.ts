import type { Context } from 'hono';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChangeScope, currentScope } from '../../../../services/contracts/changes/change-scope.ts';
import { withDeadline, withinDeadline } from '../../../../services/user-api/http/deadline.ts';
import type {
  ApiBindings,
  ApiEnvironment,
} from '../../../../services/user-api/http/environment.ts';
import type { ApiHandler } from '../../../../services/user-api/http/operations.ts';

const MILLISECONDS = 1_000;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function request(changes?: ChangeScope, complete = true) {
  // Nothing else of it is looked at.
  return { incoming: { complete }, changes } as ApiBindings;
}

/** What work under the deadline comes to, and how to end the work. */
function start(bindings: ApiBindings) {
  const work = Promise.withResolvers<string>();
  const outcome = withinDeadline(bindings, work.promise, MILLISECONDS).catch(
    (error: unknown) => error,
  );
  return { work, outcome };
}

const late = (slug: string, detail = 'The request was not done within 1000 ms.') => ({
  slug,
  message: detail,
});

/** Nothing here waits: the clock stands still. */
const TEST_TIMEOUT = { timeout: 10_000 };

describe('withinDeadline', TEST_TIMEOUT, () => {
  it('gives what the work comes to in time, and leaves no timer behind', async () => {
    const { outcome, work } = start(request());
    vi.advanceTimersByTime(MILLISECONDS - 1);
    work.resolve('done');
    expect(await outcome).toBe('done');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives the error of work that fails in time', async () => {
    const { outcome, work } = start(request(new ChangeScope()));
    const error = new Error('It failed');
    work.reject(error);
    expect(await outcome).toBe(error);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([undefined, new ChangeScope()])(
    'refuses what takes longer, with changes: %o',
    async (changes) => {
      const { outcome } = start(request(changes));
      vi.advanceTimersByTime(MILLISECONDS);
      expect(await outcome).toMatchObject({
        ...late('deadline-exceeded'),
        headers: { 'retry-after': '2' },
      });
      expect(changes?.isEnded ?? true).toBe(true);
    },
  );

  it('says that the body did not arrive, and hangs up', async () => {
    const { outcome } = start(request(undefined, false));
    vi.advanceTimersByTime(MILLISECONDS);
    expect(await outcome).toMatchObject({
      ...late('request-timeout', 'The body did not arrive within 1000 ms.'),
      headers: { connection: 'close' },
    });
  });

  it('waits half a second more for the outcome of a change that was sent, and says if it is not known', async () => {
    const changes = new ChangeScope();
    const cancel = vi.fn<() => void>();
    changes.sending(cancel);
    const { outcome } = start(request(changes));
    vi.advanceTimersByTime(MILLISECONDS);
    expect(cancel).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(499);
    expect(await Promise.race([outcome, Promise.resolve('waiting')])).toBe('waiting');
    vi.advanceTimersByTime(1);
    expect(await outcome).toMatchObject({
      ...late('outcome-unknown'),
      headers: { 'retry-after': '2' },
    });
  });

  it('says that a change was not applied which the server cancelled', async () => {
    const changes = new ChangeScope();
    const report = changes.sending(() => {});
    const { outcome, work } = start(request(changes));
    vi.advanceTimersByTime(MILLISECONDS);
    report('not applied');
    work.reject(new Error('Cancelled'));
    expect(await outcome).toMatchObject(late('deadline-exceeded'));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('withDeadline', TEST_TIMEOUT, () => {
  const answer = (changes: ChangeScope | undefined, handler: ApiHandler) => {
    const route = { method: 'post', path: '/', responses: {}, getRoutingPath: () => '/' } as const;
    const [bounded] = withDeadline([{ route, handler }], MILLISECONDS);
    // Nothing else of the context is looked at.
    return bounded?.handler({ env: request(changes) } as Context<ApiEnvironment>);
  };

  it('runs a change in its scope, and a read in none', () => {
    const response = new Response();
    for (const changes of [undefined, new ChangeScope()]) {
      const handler = vi.fn<ApiHandler>(() => {
        expect(currentScope()).toBe(changes);
        return response;
      });
      expect(answer(changes, handler)).toBe(response);
      expect(handler).toHaveBeenCalledOnce();
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([undefined, new ChangeScope()])('bounds what is waited for, with %o', async (changes) => {
    const response = answer(changes, () => new Promise(() => {}));
    vi.advanceTimersByTime(MILLISECONDS);
    await expect(response).rejects.toMatchObject(late('deadline-exceeded'));
  });
});
