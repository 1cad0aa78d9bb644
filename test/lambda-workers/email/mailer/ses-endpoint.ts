import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request to SES's SendEmail. */
export interface SendEmailRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: {
    readonly Destination?: { readonly ToAddresses?: readonly string[] };
    readonly Content?: { readonly Raw?: { readonly Data?: string } };
  };
}

export interface SesEndpoint {
  readonly url: string;
  readonly requests: readonly SendEmailRequest[];
  close(): void;
}

/**
 * Speaks SES's side of the wire, which nothing here runs for real: SendEmail of its API version 2
 * (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html). The responses are given one after the
 * other, and the last again and again.
 */
export async function startSesEndpoint(
  ...responses: readonly ((response: ServerResponse) => void)[]
): Promise<SesEndpoint> {
  const requests: SendEmailRequest[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const respond = responses[Math.min(requests.length, responses.length - 1)];
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        authorization: request.headers.authorization ?? '',
        body: JSON.parse(text),
      });
      response.setHeader('content-type', 'application/json');
      respond?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

export function accept(messageId: string): (response: ServerResponse) => void {
  return (response) => response.end(JSON.stringify({ MessageId: messageId }));
}

/** Takes the request, and says nothing. */
export function hang(): void {}

export function refuse(
  status: number,
  type: string,
  message: string,
): (response: ServerResponse) => void {
  return (response) =>
    response.writeHead(status, { 'x-amzn-errortype': type }).end(JSON.stringify({ message }));
}
