import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { Network } from '../constructs/network/network.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface NetworkStackProps extends StageStackProps {
  readonly operations: Operations;
}

export class NetworkStack extends StageStack {
  readonly vpc: ec2.IVpc;

  constructor(scope: Construct, props: NetworkStackProps) {
    super(scope, props, { part: 'network', description: 'VPC' });
    this.keepLogsOfProviders(props.operations);
    this.vpc = new Network(this, 'Network', props).vpc;
  }
}
