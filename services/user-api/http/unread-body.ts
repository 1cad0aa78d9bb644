import type { ServerResponse } from 'node:http';
import type { ApiRequest } from './environment.ts';

/**
 * Goes on reading a request that is answered before its body has arrived, and drops what comes. A connection that is closed while the client
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
