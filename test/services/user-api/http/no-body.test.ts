import { expect, it } from 'vitest';
import { startApiOnNewDatabase } from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';

it('a request that announces no body, where one is needed, gets a response without waiting for one', async () => {
  const api = await startApiOnNewDatabase({
    readers: false,
    environment: { REQUEST_DEADLINE_MILLISECONDS: '2000' },
  });
  try {
    const head = ['POST /api/v1/users HTTP/1.1', 'Host: a', 'Content-Type: application/json'];
    const { body, status } = await sendRaw(api.port, [...head, '', ''].join('\r\n'));
    expect(status, body).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ detail: 'The body is empty.' });
  } finally {
    await api.stop();
  }
});
