/**
 * What the algorithms promise, written as plainly as can be and differently from how they are built: each takes the times of
 * all requests of a key and says which pass.
 */

/** Windows of `window` that begin with the first request after the last one ended; `limit` pass in each. */
export function fixedWindowModel(limit: number, window: number, times: readonly number[]) {
  const windows: { readonly start: number; passed: number }[] = [];
  return times.map((time) => {
    let current = windows.at(-1);
    if (current === undefined || time >= current.start + window) {
      current = { start: time, passed: 0 };
      windows.push(current);
    }
    const passes = current.passed < limit;
    if (passes) current.passed += 1;
    return passes;
  });
}

/** A request passes if fewer than `limit` of those in the `window` before it passed. */
export function slidingWindowModel(limit: number, window: number, times: readonly number[]) {
  const passed: number[] = [];
  return times.map((time) => {
    const passes = passed.filter((earlier) => earlier > time - window).length < limit;
    if (passes) passed.push(time);
    return passes;
  });
}

/** The generic cell rate algorithm (ITU-T I.371), in fractions with the denominator `limit`: `spent` cells come without asking. */
export function tokenBucketModel(
  limit: number,
  window: number,
  burst: number,
  calls: readonly { readonly time: number; readonly cost: number; readonly spent: number }[],
) {
  const increment = BigInt(window);
  const tolerance = BigInt(burst) * increment;
  let theoreticalArrival = BigInt(0);
  return calls.map(({ time, cost, spent }) => {
    const now = BigInt(time) * BigInt(limit);
    const begun = theoreticalArrival > now ? theoreticalArrival : now;
    const charged = begun + BigInt(spent) * increment;
    const next = charged + BigInt(cost) * increment;
    const passes = next - now <= tolerance;
    theoreticalArrival = passes ? next : charged;
    return passes;
  });
}

/** Milliseconds to wait after attempt number `failures`, counted from 1. */
export function backoffModel(free: number, first: number, maximum: number, failures: number) {
  let delay = 0;
  for (let failure = free; failure <= failures; failure += 1) {
    delay = delay === 0 ? first : delay * 2;
    if (delay >= maximum) return maximum;
  }
  return delay;
}
