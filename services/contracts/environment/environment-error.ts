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
