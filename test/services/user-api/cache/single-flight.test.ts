import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NextFlight, SingleFlight } from '../../../../services/user-api/cache/loads.ts';

/** Some that a table keeps in one place, some that it does not, and texts. */
const KEYS = [1, 2, 257, 513, 2 ** 40 + 1, 'page', 'edge'];

/** Starts a load, or ends the one of a key, well or not. */
const steps = fc.array(
  fc.record({ key: fc.constantFrom(...KEYS), what: fc.constantFrom('run', 'end', 'fail') }),
  { maxLength: 60 },
);

describe('SingleFlight', { timeout: 5_000 }, () => {
  it('in whatever order loads begin and end, has one of each key in flight', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const flights = new SingleFlight<string>();
        const inFlight = new Map<string | number, PromiseWithResolvers<string>>();
        const outcomes: Promise<string>[] = [];
        for (const { key, what } of taken) {
          if (what === 'run') {
            const own = Promise.withResolvers<string>();
            const begun = !inFlight.has(key);
            const flight = flights.run(key, () => own.promise);
            flight.catch(() => {});
            if (begun) inFlight.set(key, own);
            else expect(flight).toBe(inFlight.get(key)?.promise);
            outcomes.push(flight);
          } else {
            const loading = inFlight.get(key);
            if (what === 'end') loading?.resolve(String(key));
            else loading?.reject(new Error(String(key)));
            inFlight.delete(key);
            await Promise.resolve();
          }
          for (const each of KEYS) expect(flights.has(each)).toBe(inFlight.has(each));
        }
      }),
    );
  });
});

describe('NextFlight', { timeout: 5_000 }, () => {
  it('gives who comes while a load is in flight the one after it, which all of them share', async () => {
    const flights = new NextFlight<number>();
    const ends: ((result: number | Promise<number>) => void)[] = [];
    const read = () => flights.run(257, (done) => void ends.push(done));
    const first = read();
    const [second, third] = [read(), read()];
    expect(ends).toHaveLength(1);
    expect([flights.waiting(257), flights.waiting(1)]).toEqual([2, 0]);

    ends[0]?.(1);
    expect(await first).toBe(1);
    const fourth = read();
    expect(ends).toHaveLength(2);
    ends[1]?.(2);
    expect(await Promise.all([second, third])).toEqual([2, 2]);
    ends[2]?.(3);
    expect(await fourth).toBe(3);
    expect(ends).toHaveLength(3);
    expect(flights.waiting(257)).toBe(0);
    // Nothing is in flight: the next begins at once.
    void read();
    expect(ends).toHaveLength(4);
  });

  it('after a load that failed begins the next, and one that is done at once leaves nothing behind', async () => {
    const flights = new NextFlight<number>();
    const ends: ((result: number | Promise<number>) => void)[] = [];
    const failing = flights.run(1, (done) => void ends.push(done));
    const next = flights.run(1, (done) => done(2));
    ends[0]?.(Promise.reject(new Error('away')));
    await expect(failing).rejects.toThrow('away');
    expect(await next).toBe(2);
    expect(await flights.run(1, (done) => done(3))).toBe(3);
  });
});
