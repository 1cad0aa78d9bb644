import { z } from 'zod';
import type { AssemblyResource, StageAssembly } from './assembly.ts';

/** A resource that refers to one of another part of the system. */
export interface Reference {
  readonly from: AssemblyResource;
  readonly to: AssemblyResource;
}

const stackOutput = z.object({ StackName: z.string(), OutputName: z.string() });
const attribute = z.union([z.string().transform((text) => text.split('.')), z.array(z.unknown())]);

/** Stack and logical id of all that `value`, in a template of `stack`, refers to; outputs of other stacks are followed. */
function* referred(
  value: unknown,
  stack: string,
  assembly: StageAssembly,
): Generator<readonly [stack: string, logicalId: string]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, content] of Object.entries(value)) {
    if (key === 'Ref') {
      yield [stack, String(content)];
    } else if (key === 'Fn::GetAtt') {
      yield [stack, String(attribute.parse(content)[0])];
    } else if (key === 'Fn::GetStackOutput') {
      const { StackName, OutputName } = stackOutput.parse(content);
      yield* referred(assembly.outputs.get(StackName)?.get(OutputName), StackName, assembly);
    } else {
      yield* referred(content, stack, assembly);
    }
  }
}

/** Every reference from one part of the system to another. */
export function referencesOf(assembly: StageAssembly): readonly Reference[] {
  const byId = new Map(assembly.resources.map((one) => [`${one.stack} ${one.logicalId}`, one]));
  return assembly.resources.flatMap((from) =>
    [...referred(from.properties, from.stack, assembly)].flatMap(([stack, logicalId]) => {
      const to = byId.get(`${stack} ${logicalId}`);
      return to === undefined || to.construct === from.construct ? [] : [{ from, to }];
    }),
  );
}
