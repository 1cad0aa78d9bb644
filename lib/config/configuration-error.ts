import { distance } from 'fastest-levenshtein';

/** Thrown for a configuration that cannot be; `problems` has a sentence or two for each thing that is wrong. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Throws one {@link ConfigurationError} for all `problems`, or does nothing when there are none. */
export function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigurationError(problems);
}

/** Of `known`, the name that `name` was probably meant to be: one that it begins, or one at most a third of it away. */
function closest(name: string, known: readonly string[]): string | undefined {
  const begun = known.filter((candidate) => candidate.startsWith(name));
  if (begun.length === 1) return begun[0];
  const nearest = known
    .map((candidate) => ({ candidate, edits: distance(name, candidate) }))
    .sort((left, right) => left.edits - right.edits)[0];
  if (nearest === undefined) return undefined;
  const longest = Math.max(name.length, nearest.candidate.length);
  return nearest.edits <= Math.ceil(longest / 3) ? nearest.candidate : undefined;
}

/** Says that `name` is none of `known`, what was probably meant, and what there is. */
export function unknownName(what: string, name: string, known: readonly string[]): string {
  const guess = closest(name, known);
  const question = guess === undefined ? '' : ` Did you mean "${guess}"?`;
  return `There is no ${what} "${name}".${question} There are: ${known.join(', ')}.`;
}
