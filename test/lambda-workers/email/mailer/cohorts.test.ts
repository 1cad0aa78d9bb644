import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Email, Mailer, Message } from '../../../../lambda-workers/email/mailer/mailer.ts';
import { sendInCohorts } from '../../../../lambda-workers/email/mailer/mailer.ts';

function email(address: string): Email {
  return { id: address, to: address, subject: '', text: '', html: '' };
}

const message = (receiver: string): Message => ({ receiver, content: new Uint8Array() });

/** A mailer that composes on demand. */
function manualMailer() {
  const composing = new Map<string, PromiseWithResolvers<Message>>();
  const sent: string[] = [];
  const mailer: Mailer = {
    compose({ to: address }) {
      const one = Promise.withResolvers<Message>();
      composing.set(address, one);
      return one.promise;
    },
    async send({ receiver }) {
      sent.push(receiver);
      return receiver;
    },
  };
  return { composing, sent, cohorts: sendInCohorts(mailer) };
}

describe('sendInCohorts', () => {
  it('returns the messages of one tick when the last of them is composed', async () => {
    const { composing, sent, cohorts } = manualMailer();
    const all = ['a', 'b'].map(async (name) => cohorts.send(await cohorts.compose(email(name))));
    await tick();
    await tick();
    composing.get('a')?.resolve(message('a'));
    await tick();
    expect(sent).toEqual([]);
    composing.get('b')?.resolve(message('b'));
    await Promise.all(all);
    expect(sent).toEqual(['a', 'b']);
  });

  it('fails only the email that cannot be composed', async () => {
    const { composing, cohorts } = manualMailer();
    const all = Promise.allSettled(['a', 'b', 'c'].map((name) => cohorts.compose(email(name))));
    await tick();
    await tick();
    composing.get('a')?.resolve(message('a'));
    composing.get('b')?.reject(new Error('too long'));
    composing.get('c')?.resolve(message('c'));
    expect(await all).toMatchObject([
      { value: { receiver: 'a' } },
      { reason: { message: 'too long' } },
      { value: { receiver: 'c' } },
    ]);
  });
});
