import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';
import {
  type Invocation,
  invocation,
  type ReportedError,
  type RuntimeReply,
} from './runtime-protocol.ts';

/** Lambda's callback style, which its runtimes no longer have since Node.js 24. */
type ModernContext = Omit<Context, 'done' | 'fail' | 'succeed'>;
type Handler = (event: unknown, context: ModernContext) => unknown;

/**
 * Entry point of a runtime process: imports a module and calls its `handler` for each invocation that arrives over IPC. Ends with the event
 * source.
 */
async function main(entry: string | undefined): Promise<void> {
  process.on('disconnect', () => process.exit());
  try {
    const handler = await importHandler(entry ?? '');
    process.on('message', (message) => void invoke(handler, invocation.parse(message)));
    reply({ reply: 'initialized' });
  } catch (error) {
    reply({ reply: 'not initialized', error: report(error) });
  }
}

async function importHandler(entry: string): Promise<Handler> {
  const module: { handler?: unknown } = await import(pathToFileURL(entry).href);
  const { handler } = module;
  if (typeof handler !== 'function')
    throw new TypeError(`${entry} does not export a function named handler`);
  return (event, context) => handler(event, context);
}

async function invoke(handler: Handler, { requestId, functionArn, payload, deadline }: Invocation) {
  try {
    const response = await handler(
      JSON.parse(payload),
      createContext(requestId, functionArn, deadline),
    );
    const text = JSON.stringify(response);
    reply({ reply: 'response', requestId, ...(text === undefined ? {} : { payload: text }) });
  } catch (error) {
    reply({ reply: 'error', requestId, error: report(error) });
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
function createContext(requestId: string, functionArn: string, deadline: number): ModernContext {
  const { env } = process;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME ?? '',
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION ?? '',
    invokedFunctionArn: functionArn,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '',
    awsRequestId: requestId,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME ?? '',
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME ?? '',
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

function report(error: unknown): ReportedError {
  if (!(error instanceof Error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: error.stack?.split('\n') ?? [],
  };
}

function reply(message: RuntimeReply): void {
  process.send?.(message);
}

await main(process.argv[2]);
