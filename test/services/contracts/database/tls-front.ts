import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';

/** A certificate for the name `localhost`, which is its own authority. */
export interface TestCertificate {
  readonly certificateFile: string;
  readonly key: Buffer;
  readonly certificate: Buffer;
  remove(): void;
}

/** @returns null where there is no `openssl` to make one with. */
export function createCertificate(): TestCertificate | null {
  const directory = mkdtempSync(join(tmpdir(), 'headroom-tls-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const command =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  try {
    execFileSync(
      'openssl',
      [
        ...command.split(' '),
        ...['-addext', 'subjectAltName=DNS:localhost'],
        ...['-keyout', keyFile, '-out', certificateFile],
      ],
      { stdio: 'ignore' },
    );
  } catch {
    remove();
    return null;
  }
  return {
    certificateFile,
    key: readFileSync(keyFile),
    certificate: readFileSync(certificateFile),
    remove,
  };
}

/** SSLRequest of PostgreSQL's protocol: its length and its code (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
/** AuthenticationCleartextPassword, with which Aurora asks for a token. */
const ASK_FOR_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/** ErrorResponse: severity, SQLSTATE and message, each a letter and text up to a zero byte. */
const REFUSE_PASSWORD = ((fields: Buffer) => {
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(4 + fields.length, 1);
  return Buffer.concat([head, fields]);
})(Buffer.from('SFATAL\0VFATAL\0C28P01\0Mrefused by the test\0\0'));

export interface TlsFront {
  readonly port: number;
  /** Passwords that clients gave, with `askForPassword`. */
  readonly passwords: readonly string[];
  close(): void;
}

/**
 * Stands in front of a PostgreSQL server and speaks TLS for it. With `askForPassword` it asks for a password in clear text
 * instead, as Aurora does for IAM, and refuses it.
 */
export async function startTlsFront(
  { key, certificate }: TestCertificate,
  target: URL,
  askForPassword = false,
): Promise<TlsFront> {
  const passwords: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((plain) => {
    sockets.add(plain);
    plain.on('error', () => plain.destroy());
    plain.once('data', (request) => {
      if (!request.equals(SSL_REQUEST)) {
        plain.destroy();
        return;
      }
      plain.pause();
      plain.write('S');
      const secure = new TLSSocket(plain, { isServer: true, key, cert: certificate });
      secure.on('error', () => plain.destroy());
      if (askForPassword) {
        secure.once('data', () => {
          secure.write(ASK_FOR_PASSWORD);
          // One byte of type, four of length, and the text up to a zero byte.
          secure.once('data', (message) => {
            passwords.push(message.subarray(5, -1).toString());
            secure.end(REFUSE_PASSWORD);
          });
        });
        return;
      }
      const backend = connect(Number(target.port), target.hostname);
      sockets.add(backend);
      backend.on('error', () => plain.destroy());
      secure.pipe(backend).pipe(secure);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    passwords,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
