import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { KnownVersions } from '../../../../services/user-api/cache/known-versions.ts';
import { NearCache } from '../../../../services/user-api/cache/near-cache.ts';
import { CacheMetrics } from '../../../../services/user-api/observability/metrics/counters.ts';
import { publicRepresentation } from '../../../../services/user-api/users/representations.ts';

/**
 * Fills a near cache of its own and tells what it took: run by `cases/memory.ts` with `--expose-gc`. KEYS is how many users are put in,
 * MAXIMUM_BYTES the setting; the result goes to RESULT_FILE.
 */

export const memoryResult = z.object({
  /** Entries that are kept. */
  entries: z.number(),
  /** Bytes of the responses that are kept. */
  responseBytes: z.number(),
  /** What V8's heap and the buffers outside of it grew by. */
  memoryBytes: z.number(),
  seconds: z.number(),
});
export type MemoryResult = z.infer<typeof memoryResult>;

/** A user of the size that the demo users have, with what varies in all of them varying. */
function bodyOf(id: number): Buffer {
  const instant = new Date(Date.UTC(2025, 0, 1) + id * 60_000).toISOString();
  return Buffer.from(
    JSON.stringify({
      id,
      name: `Katherine Nakamura ${id}`,
      email: `katherine.nakamura.${id}@example.com`,
      status: 'active',
      createdAt: instant,
      updatedAt: instant,
      version: 1,
    }),
  );
}

function usedMemory(): number {
  // Twice, because what the first one frees may have kept something else.
  for (let turn = 0; turn < 2; turn += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function fill(keys: number, maximumBytes: number): MemoryResult {
  if (globalThis.gc === undefined) throw new Error('It needs --expose-gc');
  const startedAt = performance.now();
  // Time stands still, so that no entry ends.
  const clock = () => 0;
  const near = new NearCache({
    maximumBytes,
    knownVersions: new KnownVersions({ clock }),
    metrics: new CacheMetrics(),
    clock,
  });
  near.open();
  const before = usedMemory();
  for (let id = 1; id <= keys; id += 1) {
    near.fill(id, { version: 1, body: bodyOf(id) }, near.ticket());
    const entry = near.get(id);
    // As the first anonymous read does.
    if (entry !== undefined) near.derive(entry, publicRepresentation);
  }
  const memoryBytes = usedMemory() - before;
  const seconds = (performance.now() - startedAt) / 1_000;
  let responseBytes = 0;
  for (let id = 1; id <= keys; id += 1) {
    const entry = near.get(id);
    const derived = entry?.derived(publicRepresentation.name);
    responseBytes += (entry?.response?.size ?? 0) + (derived?.size ?? 0);
  }
  return { entries: near.count, responseBytes, memoryBytes, seconds };
}

if (import.meta.main) {
  const result = fill(Number(process.env.KEYS), Number(process.env.MAXIMUM_BYTES));
  await writeFile(process.env.RESULT_FILE ?? '', JSON.stringify(result));
}
