import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Email, Mailer, Message } from '../../../../lambda-workers/email/mailer/mailer.ts';
import { createMailerInStep } from '../../../../lambda-workers/email/mailer/send-in-cohorts.ts';

function email(address: string): Email {
  return { id: address, to: address, subject: '', text: '', html: '' };
}

const message = (receiver: string): Message => ({ receiver, content: new Uint8Array() });

/** A mailer that composes when it is told to. */
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
  return { composing, sent, inStep: createMailerInStep(mailer) };
}

describe('A mailer in step', () => {
  it('gives out messages that are asked for together when the last of them is composed', async () => {
    const { composing, sent, inStep } = manualMailer();
    const all = ['a', 'b'].map(async (name) => inStep.send(await inStep.compose(email(name))));
    await turn();
    await turn();
    composing.get('a')?.resolve(message('a'));
    await turn();
    expect(sent).toEqual([]);
    composing.get('b')?.resolve(message('b'));
    await Promise.all(all);
    expect(sent).toEqual(['a', 'b']);
  });

  it('fails the one that cannot be composed, and no other', async () => {
    const { composing, inStep } = manualMailer();
    const all = Promise.allSettled(['a', 'b', 'c'].map((name) => inStep.compose(email(name))));
    await turn();
    await turn();
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
