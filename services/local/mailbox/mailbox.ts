import { once } from 'node:events';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { LocalFailure } from '../local-failure.ts';
import { isErrorWithCode } from '../process/process-life.ts';
import { createMailboxApp } from './app.ts';

/** Loopback only: emails are personal data, and the page has no password. */
const LOOPBACK_ADDRESSES = ['127.0.0.1', '::1'] as const;

export interface MailboxOptions {
  /** Folder of `.eml` files; need not exist yet. */
  readonly directory: string;
  /** Port to listen on; 0 takes any free one. */
  readonly port: number;
  /** @default 127.0.0.1 */
  readonly host?: (typeof LOOPBACK_ADDRESSES)[number];
}

export interface Mailbox {
  readonly url: string;
  /** Ends open connections, too. */
  stop(): Promise<void>;
}

/**
 * Starts the page that shows the emails of a folder, on loopback.
 *
 * @throws {LocalFailure} when the address is not a loopback one or the port is taken.
 */
export async function startMailbox({
  directory,
  port,
  host = LOOPBACK_ADDRESSES[0],
}: MailboxOptions): Promise<Mailbox> {
  if (!LOOPBACK_ADDRESSES.includes(host)) {
    throw new LocalFailure(
      `The mailbox cannot listen on ${host}: it shows personal data without a password.`,
      `Use one of ${LOOPBACK_ADDRESSES.join(', ')}.`,
    );
  }
  const server = createServer(getRequestListener(createMailboxApp(directory).fetch));
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (!isErrorWithCode(error, 'EADDRINUSE', 'EACCES')) throw error;
    throw new LocalFailure(
      `Port ${port}, which the mailbox page is to listen on (MAILBOX_PORT), cannot be had: ${
        isErrorWithCode(error, 'EACCES') ? 'this user may not use it' : 'another program has it'
      }.`,
      'Stop that program, or set MAILBOX_PORT to another port; 0 takes any free one.',
      { cause: error },
    );
  }
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      // Pages that wait for new email keep their connection open.
      server.closeAllConnections();
      await closed;
    },
  };
}
