import { describe, expect, it } from 'vitest';
import {
  ChangeScope,
  currentScope,
  outsideScope,
  sharedScope,
} from '../../../../services/contracts/changes/change-scope.ts';

describe('ChangeScope', () => {
  it('belongs to what runs in it, and to nothing else', async () => {
    const scope = new ChangeScope();
    expect(currentScope()).toBeUndefined();
    await scope.run(async () => {
      await Promise.resolve();
      expect(currentScope()).toBe(scope);
      expect(outsideScope(currentScope)).toBeUndefined();
    });
  });

  it('may have changed something once a change was sent that is not known to have failed', () => {
    const scope = new ChangeScope();
    const first = scope.sending(() => {});
    expect(scope.mayHaveChanged).toBe(true);
    first('not applied');
    first('not applied');
    expect(scope.mayHaveChanged).toBe(false);
    scope.sending(() => {})('applied or unknown');
    expect(scope.mayHaveChanged).toBe(true);
  });

  it('when it ends, cancels what is in flight, and not what is done', () => {
    const scope = new ChangeScope();
    const cancelled: string[] = [];
    scope.sending(() => cancelled.push('in flight'));
    scope.sending(() => cancelled.push('done'))('applied or unknown');
    scope.end();
    expect(scope.isEnded).toBe(true);
    expect(cancelled).toEqual(['in flight']);
  });
});

describe('a statement that several requests share', () => {
  it('is cancelled when all of them have ended, and reported to each', () => {
    const [one, other, ended] = [new ChangeScope(), new ChangeScope(), new ChangeScope()];
    ended.end();
    const shared = sharedScope([one, other, ended]);
    let cancelled = 0;
    const report = shared.sending(() => {
      cancelled += 1;
    });
    expect([one, other, ended].map(({ mayHaveChanged }) => mayHaveChanged)).toEqual([
      true,
      true,
      false,
    ]);
    one.end();
    expect([shared.isEnded, cancelled]).toEqual([false, 0]);
    other.end();
    expect([shared.isEnded, cancelled]).toEqual([true, 1]);
    report('not applied');
    expect([one, other].map(({ mayHaveChanged }) => mayHaveChanged)).toEqual([false, false]);
  });

  it('is never cancelled while somebody without a scope waits for it', () => {
    const one = new ChangeScope();
    const shared = sharedScope([one, undefined]);
    let cancelled = 0;
    shared.sending(() => {
      cancelled += 1;
    });
    one.end();
    expect([shared.isEnded, cancelled]).toEqual([false, 0]);
  });
});
