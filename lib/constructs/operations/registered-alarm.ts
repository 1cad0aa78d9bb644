import type { AlarmBase } from 'aws-cdk-lib/aws-cloudwatch';
import type { Severity } from './severity.ts';
import type { Subsystem } from './subsystem.ts';

/** An alarm that people are notified of, as `Operations` keeps it. */
export interface RegisteredAlarm {
  readonly alarm: AlarmBase & { readonly name: string };
  /** Its name within the stage. */
  readonly key: string;
  readonly subsystem: Subsystem;
  /** After the overrides of the stage. */
  readonly severity: Severity;
}
