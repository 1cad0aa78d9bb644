import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';

const resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.array(z.string()).optional(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
});
const template = z.looseObject({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

export type Resource = z.output<typeof resource>;
export type Template = z.output<typeof template>;

/** A template, and where it belongs. */
export interface StackTemplate {
  /** Such as `headroom-dev-api`. */
  readonly name: string;
  readonly stage: string;
  readonly part: string;
  /** The file as CloudFormation gets it. */
  readonly text: string;
  readonly template: Template;
}

/** A resource, and where it belongs. */
export interface StackResource extends Resource {
  readonly stack: StackTemplate;
  readonly logicalId: string;
  /** `<stack>/<logical id>`, to name it in a failure. */
  readonly place: string;
}

const ENDING = '.template.json';
/** Names of stages may have hyphens, and so may parts. */
const STACK_NAME =
  /^headroom-(.+?)-(api|data|edge|edge-foundation|foundation|migrations|network|observability|workers)$/;

/** Every template in the folder of an assembly. */
export function readTemplates(directory: string): readonly StackTemplate[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(ENDING))
    .map((file) => {
      const name = basename(file, ENDING);
      const [, stage = '', part = ''] = STACK_NAME.exec(name) ?? [];
      const text = readFileSync(join(directory, file), 'utf8');
      return { name, stage, part, text, template: template.parse(JSON.parse(text)) };
    });
}

const manifest = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      environment: z.string().default(''),
      dependencies: z.array(z.string()).default([]),
      properties: z.looseObject({ terminationProtection: z.boolean().default(false) }).optional(),
    }),
  ),
});

/** What the CDK's command line is notified of a stack. */
export interface Deployment {
  readonly region: string;
  /** Names of what is deployed before it. */
  readonly dependencies: readonly string[];
  readonly terminationProtection: boolean;
}

/** How each stack is deployed, by its name. */
export function readDeployments(directory: string): ReadonlyMap<string, Deployment> {
  const text = readFileSync(join(directory, 'manifest.json'), 'utf8');
  const { artifacts } = manifest.parse(JSON.parse(text));
  return new Map(
    Object.entries(artifacts).map(([name, { environment, dependencies, properties }]) => [
      name,
      {
        region: basename(environment),
        dependencies,
        terminationProtection: properties?.terminationProtection ?? false,
      },
    ]),
  );
}

/** All resources of `stacks` that are of that type, or of any type. */
export function resourcesOf(
  stacks: readonly StackTemplate[],
  type?: string,
): readonly StackResource[] {
  return stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, { Type }]) => type === undefined || Type === type)
      .map(([logicalId, content]) => ({
        ...content,
        stack,
        logicalId,
        place: `${stack.name}/${logicalId}`,
      })),
  );
}

/** Every object and array inside `value`, itself included. */
export function* walk(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return;
  yield value;
  for (const item of Object.values(value)) yield* walk(item);
}
