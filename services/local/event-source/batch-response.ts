import { z } from 'zod';

export interface BatchVerdict {
  /** Ids of the failed messages; the whole batch when the response is malformed. */
  readonly failed: ReadonlySet<string>;
  /** Why the response is malformed. @default it is well-formed */
  readonly problem?: string;
}

const partialBatchResponse = z
  .object({
    batchItemFailures: z
      .array(z.object({ itemIdentifier: z.string().min(1) }))
      .nullable()
      .optional(),
  })
  .nullable();

/**
 * Reads a partial batch response as Lambda does
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting): nothing, null, or an
 * object whose
 * `batchItemFailures` is missing, null or empty is a complete success; an `itemIdentifier` that is empty, null, missing or not of this batch
 * is a complete
 * failure, as is any other response.
 *
 * @param payload - the response as JSON text; undefined when the handler returned nothing.
 */
export function judgeResponse(
  payload: string | undefined,
  messageIds: readonly string[],
): BatchVerdict {
  if (payload === undefined) return { failed: new Set() };
  const everything = new Set(messageIds);
  const parsed = partialBatchResponse.safeParse(JSON.parse(payload));
  if (!parsed.success) {
    return {
      failed: everything,
      problem: `the response is no partial batch response: ${z.prettifyError(parsed.error)}`,
    };
  }
  const failed = new Set<string>();
  for (const { itemIdentifier } of parsed.data?.batchItemFailures ?? []) {
    if (!everything.has(itemIdentifier)) {
      return {
        failed: everything,
        problem: `the response names ${JSON.stringify(itemIdentifier)}, which is not in the batch`,
      };
    }
    failed.add(itemIdentifier);
  }
  return { failed };
}
