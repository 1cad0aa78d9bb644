import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { workers } from '../../../../lib/config/workers.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { findFreePort } from '../../../../services/local/process/ports.ts';
import type { QueueDefinition, QueueUrls } from '../../../../services/local/sqs/queues.ts';
import { startSqs } from '../../../../services/local/sqs/sqs.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import { createQueues } from '../../../support/queues.ts';
import { canConnect, otherAddresses } from '../../../support/reach.ts';
import { system } from '../../../support/system.ts';

const OWNER = fileURLToPath(new URL('./programs/sqs-owner.ts', import.meta.url));
const DEFINITION = {
  name: 'letters',
  visibilityTimeoutSeconds: 30,
  maximumReceiveCount: 2,
  retentionSeconds: 3_600,
  deadLetterRetentionSeconds: 7_200,
} as const satisfies QueueDefinition;

let guardian: Guardian;
let directory: string;
beforeAll(() => {
  guardian = startGuardian();
});
beforeEach(() => {
  directory = guardian.createTemporaryDirectory('headroom-sqs-test-');
});
afterAll(() => guardian.close());

function clientOf(endpoint: string): SQSClient {
  const client = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });
  onTestFinished(() => client.destroy());
  return client;
}

async function attributesOf(
  client: SQSClient,
  QueueUrl: string,
): Promise<Record<string, string | undefined>> {
  const { Attributes = {} } = await client.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
  );
  return Attributes;
}

async function receive(client: SQSClient, QueueUrl: string) {
  const { Messages = [] } = await client.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, VisibilityTimeout: 0 }),
  );
  return Messages;
}

describe('SQS on this machine', () => {
  it('refuses a Host that is a name, so that no page reaches it by one that resolves here', async () => {
    const sqs = await startSqs({ queues: [DEFINITION] });
    onTestFinished(() => sqs.stop());
    const { port } = new URL(sqs.endpoint);
    const body = JSON.stringify({ QueueUrl: sqs.queues.letters.url });
    const statusFor = async (host: string) => {
      const sent = request({
        port,
        host: '127.0.0.1',
        method: 'POST',
        headers: {
          host,
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'AmazonSQS.ReceiveMessage',
        },
      });
      sent.end(body);
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };

    expect(await statusFor('rebound.example')).toBe(421);
    expect(await statusFor(`127.0.0.1.rebound.example:${port}`)).toBe(421);
    expect(await statusFor(`localhost:${port}`)).toBe(200);
    expect(await statusFor('127.0.0.1')).toBe(200);
  });

  it('has each queue and dead-letter queue with the attributes of its definition, when it has started', async () => {
    const sqs = await startSqs({ queues: workers });
    onTestFinished(() => sqs.stop());
    const client = clientOf(sqs.endpoint);

    expect(Object.keys(sqs.queues)).toEqual(workers.map(({ name }) => name));
    for (const worker of workers) {
      const { url, deadLetterUrl } = sqs.queues[worker.name] ?? { url: '', deadLetterUrl: '' };
      expect(url).toBe(`${sqs.endpoint}/000000000000/${worker.name}`);
      expect(deadLetterUrl).toBe(`${sqs.endpoint}/000000000000/${worker.name}-dead-letter`);
      expect(await attributesOf(client, url)).toMatchObject({
        VisibilityTimeout: String(worker.visibilityTimeoutSeconds),
        MessageRetentionPeriod: String(worker.retentionSeconds),
        RedrivePolicy: JSON.stringify({
          deadLetterTargetArn: `arn:aws:sqs:us-east-1:000000000000:${worker.name}-dead-letter`,
          maxReceiveCount: worker.maximumReceiveCount,
        }),
      });
      expect(await attributesOf(client, deadLetterUrl)).toMatchObject({
        MessageRetentionPeriod: String(worker.deadLetterRetentionSeconds),
      });
    }
  });

  it('listens on the loopback address only', async () => {
    const sqs = await startSqs({ queues: [] });
    onTestFinished(() => sqs.stop());
    const port = Number(new URL(sqs.endpoint).port);

    expect(await canConnect('127.0.0.1', port)).toBe(true);
    for (const address of otherAddresses()) expect(await canConnect(address, port)).toBe(false);
  });

  it('moves a message to the dead-letter queue, when it was received as often as allowed', async () => {
    const { letters } = await createQueues([DEFINITION]);
    const client = clientOf(system().sqs.endpoint);
    await client.send(new SendMessageCommand({ QueueUrl: letters.url, MessageBody: 'poison' }));

    for (let time = 1; time <= DEFINITION.maximumReceiveCount; time += 1) {
      expect(await receive(client, letters.url)).toHaveLength(1);
    }

    expect(await receive(client, letters.url)).toHaveLength(0);
    expect(await receive(client, letters.deadLetterUrl)).toMatchObject([{ Body: 'poison' }]);
  });

  it('gives suites queues of their own, when they ask for the same definition', async () => {
    const [one, other] = await Promise.all([
      createQueues([DEFINITION]),
      createQueues([DEFINITION]),
    ]);
    const client = clientOf(system().sqs.endpoint);
    await client.send(new SendMessageCommand({ QueueUrl: one.letters.url, MessageBody: 'mine' }));

    expect(await receive(client, other.letters.url)).toEqual([]);
    expect(await receive(client, one.letters.url)).toMatchObject([{ Body: 'mine' }]);
  });

  it('refuses a definition that SQS would refuse', async () => {
    const start = startSqs({ queues: [{ ...DEFINITION, visibilityTimeoutSeconds: 50_000 }] });

    await expect(start).rejects.toThrow(/SetQueueAttributes got 400: .*VisibilityTimeout/);
  });
});

describe('SQS on this machine, when it keeps its messages in a folder,', () => {
  it('has what was acknowledged and not what was deleted, when it was killed', async () => {
    const owner = startNodeProgram<{ endpoint: string; queues: Record<'letters', QueueUrls> }>(
      OWNER,
      [directory, JSON.stringify([DEFINITION])],
    );
    const before = await owner.next();
    const client = clientOf(before.endpoint);
    const { url } = before.queues.letters;
    for (const MessageBody of ['kept', 'deleted']) {
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    }
    const received = [...(await receive(client, url)), ...(await receive(client, url))];
    const { ReceiptHandle } = received.find(({ Body }) => Body === 'deleted') ?? {};
    await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    await owner.end('SIGKILL');

    const after = await startSqs({
      directory,
      // Room for the receives before the kill, which count.
      queues: [{ ...DEFINITION, maximumReceiveCount: 10 }],
    });
    onTestFinished(() => after.stop());

    const messages = await receive(clientOf(after.endpoint), after.queues.letters.url);
    expect(messages.map(({ Body }) => Body)).toEqual(['kept']);
  });

  it('takes on changed attributes and a changed port, and keeps the messages, when it is started again', async () => {
    const before = await startSqs({ directory, port: 0, queues: [DEFINITION] });
    await clientOf(before.endpoint).send(
      new SendMessageCommand({ QueueUrl: before.queues.letters.url, MessageBody: 'old' }),
    );
    await before.stop();

    const after = await startSqs({
      directory,
      port: 0,
      queues: [{ ...DEFINITION, visibilityTimeoutSeconds: 77, maximumReceiveCount: 9 }],
    });
    onTestFinished(() => after.stop());

    const client = clientOf(after.endpoint);
    const { url } = after.queues.letters;
    expect(url).toBe(`${after.endpoint}/000000000000/letters`);
    expect(await client.send(new GetQueueUrlCommand({ QueueName: 'letters' }))).toMatchObject({
      QueueUrl: url,
    });
    const attributes = await attributesOf(client, url);
    expect(attributes.VisibilityTimeout).toBe('77');
    expect(JSON.parse(attributes.RedrivePolicy ?? '{}').maxReceiveCount).toBe(9);
    expect(await receive(client, url)).toMatchObject([{ Body: 'old' }]);
  });

  it('can be had again on the same port, when it was stopped', async () => {
    const before = await startSqs({ directory, port: 0, queues: [DEFINITION] });
    await before.stop();

    const after = await startSqs({
      directory,
      port: Number(new URL(before.endpoint).port),
      queues: [DEFINITION],
    });
    onTestFinished(() => after.stop());

    expect(after.queues).toEqual(before.queues);
  });

  it('has one queue of each name, when the region has changed', async () => {
    const before = await startSqs({ directory, port: 0, queues: [DEFINITION] });
    await before.stop();

    const after = await startSqs({ directory, port: 0, region: 'eu-west-1', queues: [DEFINITION] });
    onTestFinished(() => after.stop());

    expect(await attributesOf(clientOf(after.endpoint), after.queues.letters.url)).toMatchObject({
      QueueArn: 'arn:aws:sqs:eu-west-1:000000000000:letters',
      RedrivePolicy: expect.stringContaining(
        'arn:aws:sqs:eu-west-1:000000000000:letters-dead-letter',
      ),
    });
  });

  it('fails with the file and the remedy, when that is damaged', async () => {
    writeFileSync(
      join(directory, 'fauxqs.db'),
      'this is not a database, but long enough to be one',
    );

    await expect(startSqs({ directory, queues: [] })).rejects.toMatchObject({
      name: 'LocalFailure',
      message: expect.stringContaining(
        `The queues kept in ${join(directory, 'fauxqs.db')} cannot be read`,
      ),
      remedy: 'Run `npm run reset` to wipe the local data and start again.',
    });
  });

  it('fails with the port, when the one that was asked for is taken', async () => {
    const port = await findFreePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());

    await expect(startSqs({ directory, port, queues: [] })).rejects.toThrow(
      `Port ${port}, asked for SQS, is taken by another program.`,
    );
  });

  it('started by several at the same moment, gives each a port', async () => {
    const started = await Promise.all(
      ['first', 'second', 'third'].map((name) =>
        startSqs({ directory: join(directory, name), queues: [] }),
      ),
    );
    onTestFinished(async () => {
      for (const sqs of started) await sqs.stop();
    });

    expect(new Set(started.map(({ endpoint }) => endpoint)).size).toBe(3);
  });

  it('refuses a second system on the same folder', async () => {
    const first = await startSqs({ directory, port: 0, queues: [] });
    onTestFinished(() => first.stop());

    await expect(startSqs({ directory, port: 0, queues: [] })).rejects.toThrow('already in use');
  });
});
