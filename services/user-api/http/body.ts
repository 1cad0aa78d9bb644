import type { ServerResponse } from 'node:http';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { ApiBindings, ApiEnvironment, ApiRequest } from './environment.ts';
import { Problem } from './problem.ts';
import { parseBody } from './validation.ts';

/**
 * Goes on reading a request whose response is sent before its body has arrived, and drops the rest. A connection that is closed while the client
 * still sends is reset, and with it goes the response (RFC 9112, 9.6). Closing waits for the end of the body, or of the time.
 *
 * @param milliseconds - from the response on; then the connection is cut.
 */
export function dropUnreadBody(
  incoming: ApiRequest,
  outgoing: ServerResponse<ApiRequest>,
  milliseconds: number,
): void {
  // Before the listener of Node.js, which closes the connection there and then.
  outgoing.prependOnceListener('finish', () => {
    const { socket } = incoming;
    if (incoming.complete || socket.destroyed) return;
    let closes = false;
    socket.destroySoon = () => {
      closes = true;
      socket.end();
    };
    process.nextTick(() => Reflect.deleteProperty(socket, 'destroySoon'));
    const timer = setTimeout(() => socket.destroy(), milliseconds).unref();
    incoming.once('close', () => {
      clearTimeout(timer);
      if (closes) socket.destroySoon();
    });
    incoming.resume();
  });
}

/** The client went away before its request had arrived in full; nobody is left to respond to. */
export class RequestAborted extends Error {
  override readonly name = 'RequestAborted';
}

function tooLarge(limitBytes: number): Problem {
  return new Problem('content-too-large', `The body may be ${limitBytes} bytes long at most.`, {
    // What is left of the body would have to be read to use the connection again.
    headers: { connection: 'close' },
  });
}

/**
 * Reads the whole body, from the Node.js stream rather than through web streams, which cost several times as much.
 * Counts bytes as they come, so that a body without a Content-Length is limited too.
 */
function readBytes(
  { incoming, outgoing }: ApiBindings,
  limitBytes: number,
): Buffer | Promise<Buffer> {
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  // A request that announces no body comes ended, without events (`optimizeEmptyRequests` in app/server.ts).
  if (incoming.readableEnded) return Buffer.alloc(0);
  if (incoming.complete) return takeBytes(incoming, limitBytes);
  // The client waits until it knows that nothing but the body can be wrong.
  if (incoming.expectsContinue) outgoing.writeContinue();
  return collectBytes(incoming, limitBytes);
}

/** The body of a request that has arrived in full, as most have by the time that they are admitted: without listening for each part. */
function takeBytes(incoming: ApiRequest, limitBytes: number): Buffer {
  if (incoming.destroyed) throw new RequestAborted('The client closed the connection');
  const body: Buffer | null = incoming.read();
  if (body === null) return Buffer.alloc(0);
  if (body.length > limitBytes) throw tooLarge(limitBytes);
  return body;
}

function collectBytes(incoming: ApiRequest, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const stop = () => {
      incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limitBytes) {
        chunks.push(chunk);
        return;
      }
      stop();
      reject(tooLarge(limitBytes));
    };
    const onEnd = () => {
      stop();
      resolve(Buffer.concat(chunks));
    };
    const onClose = () => {
      stop();
      reject(new RequestAborted('The client closed the connection while sending the body'));
    };
    incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose);
  });
}

function requireMediaType(incoming: ApiRequest, taken: readonly string[]): void {
  const header = incoming.method === 'PATCH' ? 'accept-patch' : 'accept-post';
  const headers = { [header]: taken.join(', ') };
  const [mediaType = '', ...parameters] = (incoming.headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  const encoding = incoming.headers['content-encoding'];
  if (!taken.includes(mediaType)) {
    const got = mediaType === '' ? 'has no Content-Type' : `is declared as ${mediaType}`;
    throw new Problem(
      'unsupported-media-type',
      `The body ${got}; it takes ${taken.join(' or ')}.`,
      {
        headers,
      },
    );
  }
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new Problem('unsupported-media-type', 'The body must be encoded in UTF-8.', { headers });
  }
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('unsupported-media-type', 'The body must be sent without Content-Encoding.', {
      headers: { ...headers, 'accept-encoding': 'identity' },
    });
  }
}

/** Refuses what is not UTF-8 and drops a byte order mark, as RFC 8259, 8.1 allows. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) throw new Problem('malformed-json', 'The body is empty.');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw new Problem('malformed-json', 'The body is not valid UTF-8.', { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // V8's message quotes the text around the error; only its position is sent.
    const position =
      cause instanceof Error ? /at position \d+/.exec(cause.message)?.[0] : undefined;
    const where = position === undefined ? '' : `: reading stopped ${position}`;
    throw new Problem('malformed-json', `The body is not JSON${where}.`);
  }
}

/** Reads and validates the body of a request. */
export type JsonBodyReader = <Schema extends z.ZodObject>(
  context: Context<ApiEnvironment>,
  schema: Schema,
  mediaTypes?: readonly string[],
) => Promise<z.output<Schema>>;

/**
 * Makes the function that reads JSON bodies. It throws {@link Problem}s (unsupported-media-type, content-too-large,
 * malformed-json, validation-failed) and {@link RequestAborted}. Media types default to `application/json` alone.
 *
 * @param limitBytes - largest body that is read.
 */
export function createJsonBodyReader(limitBytes: number): JsonBodyReader {
  return async (context, schema, mediaTypes = ['application/json']) => {
    requireMediaType(context.env.incoming, mediaTypes);
    return parseBody(schema, parseJson(await readBytes(context.env, limitBytes)));
  };
}
