import { Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { WorkloadSecurityGroup } from '../network/workload-security-group.ts';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import { bundledCode, type NodeBundleProps } from './node-bundle.ts';

/** What Lambda does in the function's name to place it into a VPC; EC2 knows no narrower resource before the interface exists. */
const networkInterfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

export interface NodeFunctionProps extends NodeBundleProps {
  readonly operations: Operations;
  readonly description: string;
  readonly vpc: ec2.IVpc;
  readonly memoryMebibytes: number;
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Most invocations at once, set aside for it from those of the account; or why it needs no limit of its own. */
  readonly concurrency: number | { readonly unlimitedBecause: string };
  /** Why the function needs no dead-letter queue of its own. */
  readonly deadLetterReason: string;
}

/** A Lambda function on Node.js 24 and ARM, in private subnets, with a log group, a role and a security group of its own. */
export class NodeFunction extends lambda.Function {
  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    const logGroup = new EncryptedLogGroup(scope, `${id}LogGroup`, props);
    super(scope, id, {
      description: props.description,
      code: bundledCode(props),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memoryMebibytes,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: { ...props.environment },
      role: createRole(scope, `${id}Role`, logGroup),
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [
        new WorkloadSecurityGroup(scope, `${id}SecurityGroup`, {
          vpc: props.vpc,
          description: props.description,
        }),
      ],
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      ...(typeof props.concurrency === 'number'
        ? { reservedConcurrentExecutions: props.concurrency }
        : {}),
    });
    Validations.of(this).acknowledge({
      id: 'NIST.800.53.R5-LambdaDLQ',
      reason: props.deadLetterReason,
    });
    if (typeof props.concurrency === 'number') return;
    Validations.of(this).acknowledge({
      id: 'NIST.800.53.R5-LambdaConcurrency',
      reason: props.concurrency.unlimitedBecause,
    });
  }
}

/** Unlike AWS's managed policies, this lets a function write to no log group but its own. */
function createRole(scope: Construct, id: string, logGroup: EncryptedLogGroup): iam.IRole {
  const role = new iam.Role(scope, id, {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  });
  logGroup.grantWrite(role);
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'NetworkInterfacesOfTheFunction',
      actions: networkInterfaceActions,
      resources: ['*'],
    }),
  );
  // AWS's own advice: Lambda needs them, the code does not.
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice
  role.addToPolicy(
    new iam.PolicyStatement({
      sid: 'NoNetworkInterfacesForTheCode',
      effect: iam.Effect.DENY,
      actions: networkInterfaceActions,
      resources: ['*'],
      conditions: {
        ArnEquals: {
          'lambda:SourceFunctionArn': [
            `arn:${Aws.PARTITION}:lambda:${Stack.of(scope).region}:${Aws.ACCOUNT_ID}:function:*`,
          ],
        },
      },
    }),
  );
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason:
      'Only for the network interfaces that Lambda itself makes in the VPC; EC2 knows no narrower resource for them, and the code is denied them.',
  });
  return role as iam.IRole;
}
