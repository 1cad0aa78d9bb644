import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';
import { z } from 'zod';

/**
 * Runs autocannon in a process of its own, given as JSON on standard input what to send (see `autocannon.ts`), and prints its
 * result as JSON.
 */

export const autocannonOrder = z.object({
  origin: z.string(),
  method: z.enum(['GET', 'POST']),
  headers: z.record(z.string(), z.string()),
  connections: z.int().positive(),
  seconds: z.number().positive(),
  offset: z.int().min(0),
  requests: z.array(z.object({ path: z.string(), body: z.string().optional() })),
});
export type AutocannonOrder = z.infer<typeof autocannonOrder>;

async function main(): Promise<void> {
  const order = autocannonOrder.parse(JSON.parse(await text(process.stdin)));
  const { requests } = order;
  let place = order.offset;
  const result = await autocannon({
    url: order.origin,
    connections: order.connections,
    duration: order.seconds,
    requests: [
      {
        method: order.method,
        headers: order.headers,
        // All connections draw from one sequence, so that no request is sent twice before its end.
        setupRequest: (request) => {
          const next = requests[place % requests.length];
          place += 1;
          return { ...request, ...next };
        },
      },
    ],
  });
  process.stdout.write(JSON.stringify(result));
}

if (import.meta.main) await main();
