import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import {
  createQueues as createQueuesAt,
  type QueueDefinition,
  type QueueUrls,
} from '../../services/local/sqs/queues.ts';

/**
 * Makes queues and dead-letter queues for one suite, with names of their own.
 * @returns the URLs by the definition's name, as it is.
 */
export async function createQueues<Name extends string>(
  definitions: readonly (QueueDefinition & { readonly name: Name })[],
): Promise<Record<Name, QueueUrls>> {
  const suffix = `-${randomBytes(6).toString('hex')}`;
  return await createQueuesAt(inject('system').sqs.endpoint, definitions, suffix);
}
