import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const cdkSettings = z.object({ context: z.record(z.string(), z.unknown()) });

/**
 * The feature flags in `cdk.json`, for an app that the CDK's command line does not start: without them it would make other templates.
 *
 * @param root - the folder of `cdk.json`.
 */
export function readFeatureFlags(root: string): Readonly<Record<string, unknown>> {
  return cdkSettings.parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8'))).context;
}
