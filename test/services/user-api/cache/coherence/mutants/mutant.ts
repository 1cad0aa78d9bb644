/** One guard of the caches, taken out. */
export interface Mutant {
  /** What is missing, completing "without …". */
  readonly without: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** Text that occurs once in the file. */
  readonly original: string;
  readonly replacement: string;
  /** An interleaving in which it is missed, as `describeInterleaving` describes it: found by the property test, shortened, and tried first. */
  readonly interleaving: readonly string[];
}
