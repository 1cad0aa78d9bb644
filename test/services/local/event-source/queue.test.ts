import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Queue } from '../../../../services/local/event-source/queue.ts';

describe('The credentials that the event source polls with', () => {
  const signedBy: string[] = [];
  const server = createServer((request, response) => {
    const [, id = ''] = /Credential=([^/]*)\//.exec(request.headers.authorization ?? '') ?? [];
    signedBy.push(id);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end(JSON.stringify({ Attributes: { QueueArn: 'arn', VisibilityTimeout: '30' } }));
  });
  let endpoint: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  async function keyIdFor(environment: Readonly<Record<string, string>>): Promise<string> {
    const queueUrl = `${endpoint}/000000000000/queue`;
    const queue = new Queue({ queueUrl, region: 'eu-west-1', endpoint, environment });
    await queue.describe();
    queue.close();
    return signedBy.at(-1) ?? '';
  }

  it('are those of the worker, as Lambda polls in the role of the function', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDWORKER', AWS_SECRET_ACCESS_KEY: 'secret' };
    expect(await keyIdFor(keys)).toBe('AKIDWORKER');
  });

  it('are made up for an emulator on this machine, so that real ones never reach it', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDREAL');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await keyIdFor({})).toBe('local');
  });
});
