import type { z } from 'zod';
import type { ProblemError } from '../../contracts/problem.ts';
import { Problem } from './problem.ts';

type Place = Pick<ProblemError, 'pointer' | 'parameter'>;

/** A JSON Pointer (RFC 6901). */
function pointerTo(path: readonly PropertyKey[]): Place {
  const escaped = path.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1'));
  return { pointer: escaped.map((key) => `/${key}`).join('') };
}

function parameterAt(path: readonly PropertyKey[]): Place {
  return { parameter: String(path[0] ?? '') };
}

/** Names longer than this come from nobody's typing mistake, and need not be sent back whole. */
const NAME_SHOWN_MAXIMUM = 100;
/** A body can have 10,000 faults: the response must not grow with them. */
const ERRORS_SHOWN_MAXIMUM = 20;

const shownName = (name: string) => name.slice(0, NAME_SHOWN_MAXIMUM).toWellFormed();

function errorsOf(
  error: z.ZodError,
  known: readonly string[],
  placeOf: (path: readonly PropertyKey[]) => Place,
): ProblemError[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') {
      return [{ ...placeOf(issue.path), detail: issue.message }];
    }
    return issue.keys.map((key) => ({
      ...placeOf([...issue.path, shownName(key)]),
      detail: `is not taken here; what is taken: ${known.join(', ')}`,
    }));
  });
}

function parse<Schema extends z.ZodObject>(
  schema: Schema,
  input: unknown,
  what: string,
  placeOf: (path: readonly PropertyKey[]) => Place,
): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const all = errorsOf(result.error, Object.keys(schema.shape), placeOf);
  const errors = all.slice(0, ERRORS_SHOWN_MAXIMUM);
  const more = all.length > errors.length ? ` There are ${all.length} errors in all.` : '';
  const places = errors.map(({ pointer, parameter }) => parameter ?? pointer).filter(Boolean);
  const where = places.length === 0 ? '' : `: ${[...new Set(places)].slice(0, 10).join(', ')}`;
  throw new Problem('validation-failed', `The ${what} is not valid${where}.${more}`, { errors });
}

/** @throws {@link Problem} validation-failed, with a pointer for each field at fault. */
export function parseBody<Schema extends z.ZodObject>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  return parse(schema, body, 'body', pointerTo);
}

/**
 * The query of `url`, parsed by `schema`.
 *
 * @throws {@link Problem} validation-failed, naming each parameter at fault; one that is given twice is.
 */
export function parseQuery<Schema extends z.ZodObject>(
  schema: Schema,
  url: string,
): z.output<Schema> {
  const start = url.indexOf('?');
  const parameters = new URLSearchParams(start === -1 ? '' : url.slice(start));
  const seen = new Set<string>();
  for (const name of parameters.keys()) {
    if (seen.has(name)) throw invalidParameter(name, 'is given more than once');
    seen.add(name);
  }
  return parse(schema, Object.fromEntries(parameters), 'query', parameterAt);
}

/** The problem of one parameter that only the handler can judge. */
export function invalidParameter(name: string, detail: string): Problem {
  const shown = shownName(name);
  return new Problem('validation-failed', `The query is not valid: ${shown}.`, {
    errors: [{ parameter: shown, detail }],
  });
}
