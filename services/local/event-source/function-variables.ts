import type { EventSourceWorker } from './worker.ts';

/** Lambda's name for a version that has not been published. */
const UNPUBLISHED_VERSION = '$LATEST';

/** The ARN that a function of this name would have in the queue's account and region. */
export function functionArn(worker: EventSourceWorker, queueArn: string): string {
  const [, partition, , region, account] = queueArn.split(':');
  return `arn:${partition}:lambda:${region}:${account}:function:${worker.name}`;
}

/**
 * All the environment variables of a runtime: what Lambda sets by itself
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime), as far as it means
 * something here, and the worker's own. As in Lambda, the worker's own cannot replace those that are reserved.
 *
 * @param streamName - of the environment's log stream.
 */
export function functionVariables(
  worker: EventSourceWorker,
  region: string,
  streamName: string,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    PATH: process.env.PATH ?? '',
    ...own,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_LAMBDA_FUNCTION_NAME: worker.name,
    AWS_LAMBDA_FUNCTION_VERSION: UNPUBLISHED_VERSION,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(worker.memoryMebibytes),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${worker.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: streamName,
  };
}
