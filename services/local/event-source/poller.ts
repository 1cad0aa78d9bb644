import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Batch, BatchCollector } from './batch-collector.ts';
import { judgeResponse } from './batch-response.ts';
import { FunctionError } from './execution-environment.ts';
import type { InvocationReport } from './invocation-report.ts';
import { type ReceivedMessage, toEvent } from './lambda-event.ts';
import type { LocalFunction } from './local-function.ts';
import type { Queue } from './queue.ts';

/** Pause after a call to SQS that failed, in milliseconds: the first, doubled with each failure in a row, and the longest. */
const FIRST_PAUSE_MILLISECONDS = 100;
const LONGEST_PAUSE_MILLISECONDS = 5_000;

export interface PollerOptions {
  readonly queue: Queue;
  readonly collector: BatchCollector;
  readonly localFunction: LocalFunction;
  readonly workerName: string;
  readonly concurrency: number;
  readonly onInvocation: (report: InvocationReport) => void;
  /** Called when calls to SQS begin to fail, not each time. */
  readonly onQueueFailure: (error: Error) => void;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export class Poller {
  readonly #options: PollerOptions;
  readonly #stopping = new AbortController();
  readonly #invocations = new Set<Promise<void>>();
  readonly #polling: Promise<void>;
  #wake: () => void = () => {};

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#polling = this.#poll();
  }

  /** Resolves when no more messages are taken from the queue, after about a second. */
  async stopPolling(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#polling;
  }

  async idle(): Promise<void> {
    await Promise.all(this.#invocations);
  }

  async #poll(): Promise<void> {
    const { collector, concurrency } = this.#options;
    const { signal } = this.#stopping;
    let pause = FIRST_PAUSE_MILLISECONDS;
    while (!signal.aborted) {
      if (this.#invocations.size >= concurrency) {
        await this.#change();
        continue;
      }
      try {
        const batch = await collector.collect(signal);
        if (signal.aborted) await this.#giveBack(batch.messages);
        else if (batch.messages.length > 0) this.#begin(batch);
        pause = FIRST_PAUSE_MILLISECONDS;
      } catch (error) {
        if (pause === FIRST_PAUSE_MILLISECONDS) this.#options.onQueueFailure(asError(error));
        await Promise.race([delay(pause), this.#change()]);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MILLISECONDS);
      }
    }
    await this.#giveBack(collector.carried);
  }

  /** Resolves when an invocation has ended or polling is to stop. */
  #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }

  async #giveBack(messages: readonly ReceivedMessage[]): Promise<void> {
    try {
      await this.#options.queue.release(messages);
    } catch (error) {
      this.#options.onQueueFailure(asError(error));
    }
  }

  #begin(batch: Batch): void {
    const invocation = this.#invoke(batch).finally(() => {
      this.#invocations.delete(invocation);
      this.#wake();
    });
    this.#invocations.add(invocation);
  }

  async #invoke({ messages, records }: Batch): Promise<void> {
    const { localFunction, queue, workerName, onInvocation, onQueueFailure } = this.#options;
    const requestId = randomUUID();
    const began = performance.now();
    let failed: ReadonlySet<string> = new Set(messages.map(({ MessageId }) => MessageId));
    let outcome: Pick<InvocationReport, 'status' | 'error'> = { status: 'success' };
    try {
      const response = await localFunction.invoke(requestId, toEvent(records));
      const verdict = judgeResponse(response, [...failed]);
      failed = verdict.failed;
      if (verdict.problem !== undefined) {
        outcome = { status: 'error', error: { type: 'InvalidResponse', message: verdict.problem } };
      }
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      outcome = {
        status: error.errorType === 'Sandbox.Timedout' ? 'timeout' : 'error',
        error: { type: error.errorType, message: error.message },
      };
    }
    const durationMilliseconds = performance.now() - began;
    try {
      await queue.delete(messages.filter(({ MessageId }) => !failed.has(MessageId)));
    } catch (error) {
      onQueueFailure(asError(error));
    }
    onInvocation({
      worker: workerName,
      requestId,
      messages: messages.length,
      failedMessages: failed.size,
      durationMilliseconds,
      ...outcome,
    });
  }
}
