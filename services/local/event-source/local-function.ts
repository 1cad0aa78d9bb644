import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from './execution-environment.ts';

export interface LocalFunctionOptions extends ExecutionEnvironmentOptions {
  readonly functionArn: string;
  readonly timeoutSeconds: number;
}

/**
 * A function with one execution environment per concurrent invocation: an invocation takes an idle one or starts another, as in Lambda
 * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html). The caller limits concurrency.
 */
export class LocalFunction {
  readonly #options: LocalFunctionOptions;
  readonly #environments = new Set<ExecutionEnvironment>();
  readonly #idle: ExecutionEnvironment[] = [];
  #ended = false;

  constructor(options: LocalFunctionOptions) {
    this.#options = options;
  }

  processIds(): number[] {
    return [...this.#environments].flatMap(({ processId }) => processId ?? []);
  }

  /**
   * @returns the response as JSON text; undefined when the handler returned nothing.
   * @throws {FunctionError} when the function could not be initialised, failed, or timed out.
   */
  async invoke(requestId: string, event: object): Promise<string | undefined> {
    const environment = await this.#take();
    try {
      return await environment.invoke({
        requestId,
        functionArn: this.#options.functionArn,
        payload: JSON.stringify(event),
        deadline: Date.now() + this.#options.timeoutSeconds * 1_000,
      });
    } finally {
      if (environment.usable) this.#idle.push(environment);
      else this.#environments.delete(environment);
    }
  }

  /** Invocations in flight fail. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#environments].map((environment) => environment.end()));
  }

  async #take(): Promise<ExecutionEnvironment> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.usable) return idle;
      this.#environments.delete(idle);
    }
    const environment = new ExecutionEnvironment(this.#options);
    this.#environments.add(environment);
    // The function ended during the start of this environment.
    if (this.#ended) await environment.end();
    try {
      await environment.initialize();
    } catch (error) {
      this.#environments.delete(environment);
      throw error;
    }
    return environment;
  }
}
