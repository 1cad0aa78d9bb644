import { traced } from '../../../services/contracts/tracing/trace-context.ts';
import type { Mailer } from './mailer.ts';

/**
 * A mailer whose sends are spans. They say how an email went, not to whom.
 *
 * @param transport - what sends it, such as `ses`.
 */
export function createTracedMailer(mailer: Mailer, transport: string): Mailer {
  const options = { kind: 'client', attributes: { 'headroom.mailer': transport } } as const;
  return {
    compose: (email) => mailer.compose(email),
    send: (message, signal) => traced('send email', options, () => mailer.send(message, signal)),
  };
}
