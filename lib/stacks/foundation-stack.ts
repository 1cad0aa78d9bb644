import type { Construct } from 'constructs';
import { Operations } from '../constructs/operations/operations.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface FoundationStackProps extends StageStackProps {
  /** @default foundation */
  readonly part?: string;
  /** @default the stage's region */
  readonly region?: string;
}

/** What every other stack of its region uses: the key for logs and queues, and the topics of the alarms. */
export class FoundationStack extends StageStack {
  readonly operations: Operations;

  constructor(scope: Construct, props: FoundationStackProps) {
    super(scope, props, {
      part: props.part ?? 'foundation',
      description: 'encryption key and alarm topics',
      ...(props.region === undefined ? {} : { region: props.region }),
    });
    this.operations = new Operations(this, 'Operations', props);
  }
}
