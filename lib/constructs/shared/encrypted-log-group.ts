import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { StageConfiguration } from '../../config/stage.ts';
import { removalPolicy } from './removal.ts';

export interface EncryptedLogGroupProps {
  /** `Operations`, which itself has a log group, and so cannot be imported here. */
  readonly operations: { readonly stage: StageConfiguration; readonly encryptionKey: IKey };
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
