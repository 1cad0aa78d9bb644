import {
  type EventSourceOptions,
  startEventSource,
} from '../../../../services/local/event-source/event-source.ts';
import { startGuardian } from '../../../../services/local/process/guardian.ts';

/** A process with an event source in it, for a test to kill; its first argument has the options as JSON. */
const options: EventSourceOptions & { readonly guarded: boolean } = JSON.parse(
  process.argv[2] ?? '',
);
await startEventSource({ ...options, ...(options.guarded ? { guard: startGuardian() } : {}) });
