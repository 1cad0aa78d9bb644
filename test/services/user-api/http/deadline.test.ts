import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { problem } from '../../../../services/contracts/problem.ts';
import type { User } from '../../../../services/contracts/users.ts';
import {
  createUser,
  type ProblemDetails,
  startApiOnNewDatabase,
  startTestApi,
} from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';

describe('the deadline of a request', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({
      readers: false,
      environment: { REQUEST_DEADLINE_MILLISECONDS: '300' },
    });
    sql = postgres(api.database.writerUrl, { max: 1 });
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });

  it('reached while a change waits for a lock, responds with 503, and the change is never applied', async () => {
    // On a busy machine, what comes before and after may take longer than this deadline.
    const patient = await startTestApi({ database: api.database });
    onTestFinished(() => patient.stop());
    const { id } = await createUser(patient);
    const patch = () =>
      api.call<ProblemDetails>('PATCH', `/api/v1/users/${id}`, {
        as: 'admin',
        body: { name: 'Late' },
      });
    await sql.begin(async (transaction) => {
      await transaction`select from users where id = ${id} for update`;
      const { status, body, headers } = await patch();
      expect(status).toBe(503);
      expect(body.type).toBe('/problems/deadline-exceeded');
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
    });
    // It waited for the lock first: had it not been cancelled, it would be the second version.
    const { body } = await patient.call<User>('PATCH', `/api/v1/users/${id}`, {
      as: 'admin',
      body: { name: 'In time' },
    });
    expect(body).toMatchObject({ name: 'In time', version: 2 });
  });

  it('reached before the body is there, responds with 408 and hangs up', async () => {
    const response = await sendRaw(
      api.port,
      'POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    expect(response.status).toBe(408);
    expect(problem.parse(JSON.parse(response.body)).type).toBe('/problems/request-timeout');
    expect(response.headers.connection).toBe('close');
  });
});
