import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Answers what Amazon SES answers to SendEmail (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html).
 * No SES runs on one machine; this one sends nothing, and its being fast is no advantage to the worker that does more besides.
 *
 * @param milliseconds - how long each response takes; 0: it comes at once.
 */
export async function startSesEndpoint(
  milliseconds: number,
): Promise<{ url: string; stop(): Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    const respond = () => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ MessageId: randomUUID() }));
    };
    request.once('end', () => {
      if (milliseconds === 0) respond();
      else setTimeout(respond, milliseconds);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
