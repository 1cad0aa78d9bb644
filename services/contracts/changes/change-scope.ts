import { AsyncLocalStorage } from 'node:async_hooks';

/** The request has ended: its unsent changes are dropped. */
export class ScopeEnded extends Error {
  override readonly name = 'ScopeEnded';
}

/** Called once, when the outcome of a change is known or will never be. */
export type ReportOutcome = (outcome: 'not applied' | 'applied or unknown') => void;

/** The request that a change belongs to. */
export interface Scope {
  /** Whether nothing more may be sent. */
  readonly isEnded: boolean;
  /**
   * Records that a change is being sent.
   *
   * @param cancel - called when the scope ends before the outcome is reported.
   */
  sending(cancel: () => void): ReportOutcome;
}

const scopes = new AsyncLocalStorage<ChangeScope | undefined>();

/** The scope of the request that the running code is part of. */
export function currentScope(): ChangeScope | undefined {
  return scopes.getStore();
}

/** Runs `work` outside any request, for work that requests share. */
export function outsideScope<Result>(work: () => Result): Result {
  return scopes.getStore() === undefined ? work() : scopes.run(undefined, work);
}

/**
 * The changes that one request makes in other systems. It ends with the request's deadline: a change that was not sent by then is never sent, and one
 * that was sent is cancelled. So the response can say whether anything may have been changed.
 */
export class ChangeScope implements Scope {
  readonly #cancellations = new Set<() => void>();
  #changes = 0;
  #isEnded = false;

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether a change was sent that is not known to have failed. */
  get mayHaveChanged(): boolean {
    return this.#changes > 0;
  }

  /** Runs `work` and all that it starts in this scope. */
  run<Result>(work: () => Result): Result {
    return scopes.run(this, work);
  }

  sending(cancel: () => void): ReportOutcome {
    this.#changes += 1;
    this.#cancellations.add(cancel);
    return (outcome) => {
      if (this.#cancellations.delete(cancel) && outcome === 'not applied') this.#changes -= 1;
    };
  }

  /** Ends the scope, and cancels the changes in flight. */
  end(): void {
    this.#isEnded = true;
    for (const cancel of this.#cancellations) cancel();
  }
}

/** The scope of one statement with changes of several requests. */
export function sharedScope(scopes: readonly (Scope | undefined)[]): Scope {
  const isEnded = () => scopes.every((scope) => scope?.isEnded === true);
  return {
    get isEnded() {
      return isEnded();
    },
    sending(cancel) {
      // The statement goes on while any request waits for it.
      const cancelIfUnwanted = () => {
        if (isEnded()) cancel();
      };
      const reports = scopes.flatMap((scope) =>
        scope === undefined || scope.isEnded ? [] : [scope.sending(cancelIfUnwanted)],
      );
      return (outcome) => {
        for (const report of reports) report(outcome);
      };
    },
  };
}
