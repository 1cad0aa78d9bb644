import type { WorkerDefinition } from '../../config/workers.ts';
import { millionsAMonth, SECONDS_PER_MONTH } from '../data/month.ts';
import { prices } from '../data/prices.ts';
import type { Load } from '../load/load.ts';
import { messagesPerSecond } from '../load/worker-load.ts';
import { type CostLine, costLine } from './cost-line.ts';

const MEBIBYTES_PER_GIBIBYTE = 1_024;
/** Sent, received, deleted. */
const REQUESTS_PER_MESSAGE = 3;
/** Lambda asks an idle queue with five long polls of 20 seconds at a time. */
const IDLE_REQUESTS_PER_SECOND = 5 / 20;

function costOfWorker(worker: WorkerDefinition, load: Load): CostLine[] {
  const messages = messagesPerSecond(worker, load);
  const batch = Math.min(
    worker.batchSize,
    Math.max(1, messages * worker.maximumBatchingWindowSeconds),
  );
  const seconds = messages * (worker.demand?.secondsPerMessage ?? 0) * SECONDS_PER_MONTH;
  const { name } = worker;
  return [
    costLine(
      'workers',
      `${name}: invocations`,
      millionsAMonth(messages / batch),
      prices.lambdaRequests,
    ),
    costLine(
      'workers',
      `${name}: compute`,
      (seconds * worker.memoryMebibytes) / MEBIBYTES_PER_GIBIBYTE,
      prices.lambdaCompute,
    ),
    costLine(
      'workers',
      `${name}: queue`,
      millionsAMonth(messages * REQUESTS_PER_MESSAGE + IDLE_REQUESTS_PER_SECOND),
      prices.queueRequests,
    ),
    ...(worker.sendsEmail === true
      ? [costLine('workers', `${name}: emails sent`, millionsAMonth(messages), prices.emails)]
      : []),
  ];
}

/** What the workers, their queues and their emails cost a month. */
export function workerCost(workers: readonly WorkerDefinition[], load: Load): CostLine[] {
  return workers.flatMap((worker) => costOfWorker(worker, load));
}
