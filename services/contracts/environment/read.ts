import type { z } from 'zod';
import { type EnvironmentVariable, listItems } from './variable.ts';
import { environmentVariables } from './variables.ts';

type Table = typeof environmentVariables;
export type VariableName = keyof Table;

/** The parsed values of the variables named `Names`. */
export type Environment<Names extends VariableName> = {
  readonly [Name in Names]: z.output<Table[Name]['type']>;
};

/**
 * `value` without secrets: passwords in URLs are replaced by `***`, up to the last `@` of an item, because a password that is not percent-encoded
 * may contain an `@` or a `/`.
 */
function shown(definition: EnvironmentVariable, value: string): string {
  if (definition.secret === true) return 'a value that is kept secret';
  return JSON.stringify(value.replace(/(\/\/[^:/@\s,]*:)[^,\s]*@/g, '$1***@'));
}

/** The invalid value; of a list only the invalid entries, each with its position. */
function invalidValue(definition: EnvironmentVariable, text: string, error: z.ZodError): string {
  const places = error.issues.map(({ path: [place] }) => place);
  const wrong = [...new Set(places)].filter((place) => typeof place === 'number');
  if (wrong.length === 0) return shown(definition, text);
  const items = listItems(text);
  if (definition.secret === true) {
    return `${shown(definition, text)}, which is wrong in ${wrong.map((place) => `entry ${place + 1} of ${items.length}`).join(' and ')}`;
  }
  return wrong
    .map(
      (place) => `${shown(definition, items[place] ?? '')} (entry ${place + 1} of ${items.length})`,
    )
    .join(' and ');
}

/**
 * Parses the variables `names` of `source`, and reports all invalid ones at once. An empty value counts as unset, as in most configurations of
 * shells and containers.
 *
 * @throws {@link EnvironmentError} naming each variable, what it got and what it takes.
 */
export function readEnvironment<const Names extends VariableName>(
  names: readonly Names[],
  source: Readonly<Record<string, string | undefined>>,
): Environment<Names> {
  const values: Partial<Record<VariableName, unknown>> = {};
  const faults = new Map<string, string>();
  for (const name of names) {
    const definition: EnvironmentVariable = environmentVariables[name];
    const text = source[name] === '' ? undefined : source[name];
    const parsed = definition.type.safeParse(text);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const got =
        text === undefined ? 'is not set' : `got ${invalidValue(definition, text, parsed.error)}`;
      faults.set(name, `${name} ${got}; it takes ${definition.takes}`);
    }
  }
  if (faults.size > 0) throw new EnvironmentError(faults);
  return values as Environment<Names>;
}

/** Invalid variables; the message has one line for each. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  /** The invalid variables, in the order of the names. */
  readonly variables: readonly string[];

  constructor(faults: ReadonlyMap<string, string>) {
    super([...faults.values()].join('\n'));
    this.variables = [...faults.keys()];
  }
}
