import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import type { Operations } from './operations.ts';

/** Bits of the subnets: tasks, functions and load balancers need the addresses, NAT gateways and databases few. */
const PUBLIC_MASK = 24;
const PRIVATE_MASK = 20;
const ISOLATED_MASK = 22;

export interface NetworkProps {
  readonly operations: Operations;
}

/**
 * A VPC with three kinds of subnet in each zone: public ones, for NAT gateways only; private ones with a way out, for
 * everything that computes; isolated ones, for data.
 */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { stage } = props.operations;
    const vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(stage.size.network.addressRange),
      maxAzs: stage.availabilityZones.length,
      natGateways: stage.size.network.natGateways,
      restrictDefaultSecurityGroup: true,
      subnetConfiguration: [
        {
          name: 'Public',
          subnetType: ec2.SubnetType.PUBLIC,
          cidrMask: PUBLIC_MASK,
          mapPublicIpOnLaunch: false,
        },
        {
          name: 'Private',
          subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS,
          cidrMask: PRIVATE_MASK,
        },
        {
          name: 'Isolated',
          subnetType: ec2.SubnetType.PRIVATE_ISOLATED,
          cidrMask: ISOLATED_MASK,
        },
      ],
    });
    // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
    Validations.of(vpc).acknowledge({
      id: 'CloudFormation-Validate::W3010',
      reason:
        'The zones are the stage configuration’s: looked up, they would need credentials to synthesise, and could move subnets.',
    });
    // Free, and keeps image layers (which ECR serves from S3) off the NAT gateways.
    this.vpc.addGatewayEndpoint('S3Endpoint', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    this.vpc.addFlowLog('FlowLog', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(
        new EncryptedLogGroup(this, 'FlowLogGroup', props),
      ),
      trafficType: ec2.FlowLogTrafficType.ALL,
    });
  }
}
