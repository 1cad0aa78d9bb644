import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Operations } from './operations.ts';
import { removalPolicy } from './removal.ts';

export interface EncryptedLogGroupProps {
  readonly operations: Operations;
  /** @default a name that CloudFormation makes */
  readonly logGroupName?: string;
}

/** A log group that is encrypted, and kept for as long as the stage says. */
export class EncryptedLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, props: EncryptedLogGroupProps) {
    const { stage, encryptionKey } = props.operations;
    super(scope, id, {
      encryptionKey,
      retention: stage.logRetentionDays,
      removalPolicy: removalPolicy(stage),
      ...(props.logGroupName === undefined ? {} : { logGroupName: props.logGroupName }),
    });
  }
}
