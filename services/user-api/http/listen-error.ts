/** What is listened on, and the variables that say so. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** @default HOST */
  readonly hostVariable?: string;
  /** @default PORT */
  readonly portVariable?: string;
}

/** Why a server cannot listen, and what to do about it, in one sentence each. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(address: ListenAddress, cause: NodeJS.ErrnoException) {
    super(explain(address, cause), { cause });
  }
}

function explain(
  { host, port, hostVariable = 'HOST', portVariable = 'PORT' }: ListenAddress,
  { code, message }: NodeJS.ErrnoException,
): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} (${portVariable}, ${hostVariable}) is taken by another program. Stop that program, or set ${portVariable} to another port, or to 0 for any free one.`;
    case 'EACCES':
      return `Port ${port} (${portVariable}) may not be opened by this user. Set ${portVariable} to one from 1024 up.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} (${hostVariable}) is not an address of this machine. Set ${hostVariable} to 127.0.0.1, or to 0.0.0.0 for all its addresses.`;
    default:
      return `Cannot listen on ${host}, port ${port} (${hostVariable}, ${portVariable}): ${message}`;
  }
}
