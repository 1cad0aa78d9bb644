import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';

const resource = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
const template = z.object({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});
const metadata = z.record(
  z.string(),
  z.array(z.object({ type: z.string(), data: z.unknown().optional() })),
);

/** A resource of a synthesised stage, and the part of the system that it belongs to. */
export interface AssemblyResource {
  /** Name of its stack. */
  readonly stack: string;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Last part of the stack's name, and the construct at the top of the stack: `api/Ingress`. */
  readonly construct: string;
}

/** A stage as the CDK synthesised it. */
export interface StageAssembly {
  readonly resources: readonly AssemblyResource[];
  /** Value of each output, by name of the stack and of the output. */
  readonly outputs: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
}

const TEMPLATE_ENDING = '.template.json';
const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** The path of the construct that each logical id belongs to. */
function constructPaths(directory: string, stack: string): ReadonlyMap<string, string> {
  const entries = Object.entries(
    metadata.parse(readJson(join(directory, `${stack}.metadata.json`))),
  );
  return new Map(
    entries.flatMap(([path, items]) =>
      items
        .filter(({ type }) => type === 'aws:cdk:logicalId')
        .map(({ data }) => [String(data), path] as const),
    ),
  );
}

/** Reads the stacks of `stage` from the folder of a cloud assembly. */
export function readStageAssembly(directory: string, stage: string): StageAssembly {
  const prefix = `headroom-${stage}-`;
  const stacks = readdirSync(directory)
    .filter((file) => file.startsWith(prefix) && file.endsWith(TEMPLATE_ENDING))
    .map((file) => basename(file, TEMPLATE_ENDING))
    .sort();
  const resources: AssemblyResource[] = [];
  const outputs = new Map<string, ReadonlyMap<string, unknown>>();
  for (const stack of stacks) {
    const content = template.parse(readJson(join(directory, `${stack}${TEMPLATE_ENDING}`)));
    const paths = constructPaths(directory, stack);
    for (const [logicalId, { Type, Properties }] of Object.entries(content.Resources)) {
      const [, , top = logicalId] = (paths.get(logicalId) ?? '').split('/');
      const construct = `${stack.slice(prefix.length)}/${top}`;
      resources.push({ stack, logicalId, type: Type, properties: Properties, construct });
    }
    outputs.set(
      stack,
      new Map(Object.entries(content.Outputs).map(([name, { Value }]) => [name, Value])),
    );
  }
  return { resources, outputs };
}
