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
 * `value` as it may be shown: secrets hidden, passwords in URLs replaced by `***`. It masks up to the last `@` of an item,
 * as a password that was not percent-encoded may hold an `@` or a `/` itself.
 */
function shown(definition: EnvironmentVariable, value: string): string {
  if (definition.secret === true) return 'a value that is kept secret';
  return JSON.stringify(value.replace(/(\/\/[^:/@\s,]*:)[^,\s]*@/g, '$1***@'));
}

/** What a variable got: of a list only the entries that are wrong, each with its place. */
function gotten(definition: EnvironmentVariable, text: string, error: z.ZodError): string {
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
 * Reads and parses the variables `names` from `source`, and reports all that are wrong at once.
 * An empty value counts as unset, as it is in most shells' and containers' configuration.
 *
 * @throws {@link EnvironmentError} naming each variable, what it got and what it takes.
 */
export function readEnvironment<const Names extends VariableName>(
  names: readonly Names[],
  source: Readonly<Record<string, string | undefined>>,
): Environment<Names> {
  const values: Partial<Record<VariableName, unknown>> = {};
  const problems = new Map<string, string>();
  for (const name of names) {
    const definition: EnvironmentVariable = environmentVariables[name];
    const text = source[name] === '' ? undefined : source[name];
    const parsed = definition.type.safeParse(text);
    if (parsed.success) {
      values[name] = parsed.data;
    } else {
      const got =
        text === undefined ? 'is not set' : `got ${gotten(definition, text, parsed.error)}`;
      problems.set(name, `${name} ${got}; it takes ${definition.takes}`);
    }
  }
  if (problems.size > 0) throw new EnvironmentError(problems);
  return values as Environment<Names>;
}

/** Thrown by `readEnvironment`; its message has one line for each variable that is wrong or missing. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
  /** The variables at fault, in the order asked for. */
  readonly variables: readonly string[];

  constructor(problems: ReadonlyMap<string, string>) {
    super([...problems.values()].join('\n'));
    this.variables = [...problems.keys()];
  }
}
