import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { unknownName } from './configuration-error.ts';
import { repositoryRoot } from './repository-root.ts';

/** A whole number from `minimum` to `maximum`, both included. */
export function wholeNumber(minimum: number, maximum: number) {
  const message = `It takes a whole number from ${minimum} to ${maximum}`;
  return z.int(message).min(minimum, message).max(maximum, message);
}

/** A share in percent, from 0 to 100. */
export const percent = z
  .number('It takes a number from 0 to 100')
  .min(0, 'It takes a number from 0 to 100')
  .max(100, 'It takes a number from 0 to 100');

/** The path of a file that exists, relative to the root of the repository. */
export function repositoryFile(path: z.ZodString) {
  return path.refine((text) => existsSync(join(repositoryRoot, text)), {
    message: 'There is no such file: it takes a path relative to the root of the repository',
    // Another form of path is a mistake of its own.
    when: ({ issues }) => issues.length === 0,
  });
}

/** The schema of `path` inside `schema`, through objects and arrays; undefined where the path leads nowhere. */
function schemaAt(schema: unknown, path: readonly PropertyKey[]): unknown {
  let current = schema;
  for (const step of path) {
    if (current instanceof z.ZodOptional) current = current.unwrap();
    if (current instanceof z.ZodObject) current = current.shape[String(step)];
    else if (current instanceof z.ZodArray) current = current.element;
    else return undefined;
  }
  return current instanceof z.ZodOptional ? current.unwrap() : current;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === 'object' && current !== null ? Reflect.get(current, step) : undefined,
    value,
  );
}

/**
 * What is wrong with `value`, a sentence or two for each problem, each beginning with `subject`; empty when it fits
 * `schema`. A key that the schema does not have is named with the keys that it does have.
 */
export function findProblems(subject: string, schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap((issue) => {
    const place = issue.path.map(String).join('.');
    if (issue.code === 'unrecognized_keys') {
      const object = schemaAt(schema, issue.path);
      const known = object instanceof z.ZodObject ? Object.keys(object.shape) : [];
      return issue.keys.map(
        (key) => `${subject}: ${unknownName(`key in ${place || 'it'}`, key, known)}`,
      );
    }
    const got = JSON.stringify(valueAt(value, issue.path)) ?? 'nothing';
    return [`${subject}: ${place || 'it'} got ${got}. ${issue.message}.`];
  });
}
