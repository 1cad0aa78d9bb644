import { setTimeout as delay } from 'node:timers/promises';
import type { SQSRecord } from 'aws-lambda';
import { type ReceivedMessage, toRecord } from './lambda-event.ts';
import { MESSAGES_TO_A_CALL, type Queue } from './queue.ts';

/**
 * Largest payload of an invocation in bytes, at which Lambda sends a batch before it is full
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching).
 */
export const MAXIMUM_PAYLOAD_BYTES = 6 * 1024 * 1024;

/**
 * Seconds of one long poll. SQS allows 20, but an aborted poll may hide messages until their visibility timeout; so a poll is always awaited,
 * and a
 * short one lets the event source stop soon.
 */
const LONG_POLL_SECONDS = 1;
/** Milliseconds between polls in the last second of the window, as SQS waits whole seconds only. */
const SHORT_POLL_INTERVAL_MILLISECONDS = 200;

export interface BatchLimits {
  readonly batchSize: number;
  readonly maximumBatchingWindowSeconds: number;
}

export interface Batch {
  readonly messages: readonly ReceivedMessage[];
  readonly records: readonly SQSRecord[];
}

class OpenBatch implements Batch {
  readonly messages: ReceivedMessage[] = [];
  readonly records: SQSRecord[] = [];
  #payloadBytes = Buffer.byteLength('{"Records":[]}');
  #full = false;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get full(): boolean {
    return this.#full;
  }

  get room(): number {
    return this.#full ? 0 : this.#size - this.messages.length;
  }

  /** @returns messages that do not fit. One that is too large alone is a batch of its own. */
  add(received: readonly ReceivedMessage[], queueArn: string): ReceivedMessage[] {
    for (const [index, message] of received.entries()) {
      const record = toRecord(message, queueArn);
      const bytes = Buffer.byteLength(JSON.stringify(record)) + 1;
      const tooLarge = this.#payloadBytes + bytes > MAXIMUM_PAYLOAD_BYTES;
      this.#full = this.room === 0 || (this.messages.length > 0 && tooLarge);
      if (this.#full) return received.slice(index);
      this.messages.push(message);
      this.records.push(record);
      this.#payloadBytes += bytes;
    }
    this.#full = this.messages.length === this.#size;
    return [];
  }
}

/**
 * Fills batches until the batch size, the payload limit or the end of the batching window, which opens with the first message. (Lambda's may
 * already be
 * open, so that on a quiet queue it can be 20 seconds late.)
 */
export class BatchCollector {
  readonly #queue: Queue;
  readonly #queueArn: string;
  readonly #limits: BatchLimits;
  #carried: ReceivedMessage[] = [];

  constructor(queue: Queue, queueArn: string, limits: BatchLimits) {
    this.#queue = queue;
    this.#queueArn = queueArn;
    this.#limits = limits;
  }

  get carried(): readonly ReceivedMessage[] {
    return this.#carried;
  }

  /**
   * Waits for one poll at most until messages come, then for the batching window at most until the batch is full.
   *
   * @returns a batch, empty when no message came.
   * @throws errors of SQS; messages received before are kept for the next batch.
   */
  async collect(stopping: AbortSignal): Promise<Batch> {
    const batch = new OpenBatch(this.#limits.batchSize);
    try {
      await this.#fill(batch, stopping);
    } catch (error) {
      this.#carried.unshift(...batch.messages);
      throw error;
    }
    return batch;
  }

  async #fill(batch: OpenBatch, stopping: AbortSignal): Promise<void> {
    this.#carried = batch.add(this.#carried, this.#queueArn);
    if (batch.messages.length === 0) await this.#receive(batch, LONG_POLL_SECONDS);
    if (batch.messages.length === 0) return;
    const windowEnd = performance.now() + this.#limits.maximumBatchingWindowSeconds * 1_000;
    let more = true;
    while (!batch.full && !stopping.aborted) {
      const left = windowEnd - performance.now();
      if (left <= 0) return;
      const waitSeconds = more ? 0 : Math.min(Math.floor(left / 1_000), LONG_POLL_SECONDS);
      if (!more && waitSeconds === 0) {
        await delay(Math.min(left, SHORT_POLL_INTERVAL_MILLISECONDS));
      }
      more = await this.#receive(batch, waitSeconds);
    }
  }

  /** @returns whether the queue may have more messages. */
  async #receive(batch: OpenBatch, waitSeconds: number): Promise<boolean> {
    const asked = Math.min(batch.room, MESSAGES_TO_A_CALL);
    const received = await this.#queue.receive(asked, waitSeconds);
    this.#carried.push(...batch.add(received, this.#queueArn));
    return received.length === asked;
  }
}
