/** Why the server cannot listen, and what to do about it, in one sentence each. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor(host: string, port: number, cause: NodeJS.ErrnoException) {
    super(explain(host, port, cause), { cause });
  }
}

function explain(host: string, port: number, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} (PORT, HOST) is taken by another program. Stop that program, or set PORT to another port, or to 0 for any free one.`;
    case 'EACCES':
      return `Port ${port} (PORT) may not be opened by this user. Set PORT to one from 1024 up.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} (HOST) is not an address of this machine. Set HOST to 127.0.0.1, or to 0.0.0.0 for all its addresses.`;
    default:
      return `Cannot listen on ${host}, port ${port} (HOST, PORT): ${message}`;
  }
}
