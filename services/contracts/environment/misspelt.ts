import { distance } from 'fastest-levenshtein';
import { environmentVariables } from './variables.ts';

/** An unknown variable, and the known one that it resembles. */
export interface MisspeltVariable {
  readonly name: string;
  readonly meant: string;
}

/** Shorter names without an underscore, such as PATH, resemble others by chance. */
const SHORTEST_PLAIN_NAME = 5;
/** Names of at least this length with an underscore may be two edits away: letters are often swapped. */
const SHORTEST_TWO_EDITS = 8;

function mostEdits(name: string): number | null {
  if (name.includes('_')) return name.length >= SHORTEST_TWO_EDITS ? 2 : 1;
  return name.length >= SHORTEST_PLAIN_NAME ? 1 : null;
}

/** Of `known`, the name with the fewest edits from `name`, if those are at most `most`. */
export function nearestName(
  name: string,
  known: readonly string[],
  most: number,
): string | undefined {
  let nearest: string | undefined;
  let fewest = most + 1;
  for (const candidate of known) {
    const edits = distance(name, candidate);
    if (edits >= fewest) continue;
    nearest = candidate;
    fewest = edits;
  }
  return nearest;
}

/** The unknown variables of `source` that resemble a known one. */
export function findMisspelt(
  source: Readonly<Record<string, string | undefined>>,
): readonly MisspeltVariable[] {
  const known = Object.keys(environmentVariables);
  return Object.entries(source).flatMap(([name, value]) => {
    if (value === undefined || value === '' || Object.hasOwn(environmentVariables, name)) return [];
    const most = mostEdits(name);
    const meant = most === null ? undefined : nearestName(name.toUpperCase(), known, most);
    return meant === undefined ? [] : [{ name, meant }];
  });
}
