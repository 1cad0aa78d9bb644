import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { bundledCode, type NodeBundleProps } from './node-bundle.ts';
import type { Operations } from './operations.ts';
import { WorkloadSecurityGroup } from './workload-security-group.ts';

export interface NodeFunctionProps extends NodeBundleProps {
  readonly operations: Operations;
  readonly description: string;
  readonly vpc: ec2.IVpc;
  readonly memoryMebibytes: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** A Lambda function on Node.js 24 and ARM, in private subnets, with a log group and a security group of its own. */
export class NodeFunction extends lambda.Function {
  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id, {
      description: props.description,
      code: bundledCode(props),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memoryMebibytes,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: { ...props.environment },
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [
        new WorkloadSecurityGroup(scope, `${id}SecurityGroup`, {
          vpc: props.vpc,
          description: props.description,
        }),
      ],
      logGroup: new EncryptedLogGroup(scope, `${id}LogGroup`, props),
      loggingFormat: lambda.LoggingFormat.JSON,
    });
  }
}
