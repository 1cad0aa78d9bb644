import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { StageSize } from '../../config/stage.ts';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';

/** Bits of the subnets: tasks, functions and load balancers need the addresses, NAT gateways and databases few. */
const PUBLIC_MASK = 24;
const PRIVATE_MASK = 20;
const ISOLATED_MASK = 22;
const HTTPS_PORT = 443;

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
    Validations.of(vpc).acknowledge(
      {
        id: 'CloudFormation-Validate::W3010',
        reason:
          'The zones are the stage configuration’s: looked up, they would need credentials to synthesise, and could move subnets.',
      },
      {
        id: 'NIST.800.53.R5-VPCNoUnrestrictedRouteToIGW',
        reason:
          'Only the public subnets have that route, and in them there are only NAT gateways: nothing gets a public address there.',
      },
    );
    // Free, and keeps image layers (which ECR serves from S3) off the NAT gateways. Nothing here calls DynamoDB, the other service
    // that has such an endpoint.
    this.vpc.addGatewayEndpoint('S3Endpoint', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    this.addInterfaceEndpoints(stage.size.network);
    this.vpc.addFlowLog('FlowLog', {
      destination: ec2.FlowLogDestination.toCloudWatchLogs(
        new EncryptedLogGroup(this, 'FlowLogGroup', props),
      ),
      trafficType: ec2.FlowLogTrafficType.ALL,
    });
  }

  /** One security group for all of them: whoever may call one AWS service's API over HTTPS may call another's; IAM decides what for. */
  private addInterfaceEndpoints({
    addressRange,
    interfaceEndpoints: services,
  }: StageSize['network']): void {
    if (services.length === 0) return;
    const securityGroup = new ec2.SecurityGroup(this, 'EndpointSecurityGroup', {
      vpc: this.vpc,
      description: 'Interface endpoints: HTTPS from within the VPC, nothing out',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(
      ec2.Peer.ipv4(addressRange),
      ec2.Port.tcp(HTTPS_PORT),
      'From within the VPC',
    );
    for (const service of services) {
      this.vpc.addInterfaceEndpoint(`Endpoint-${service.replaceAll('.', '-')}`, {
        service: new ec2.InterfaceVpcEndpointAwsService(service),
        subnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
        securityGroups: [securityGroup],
        open: false,
        privateDnsEnabled: true,
      });
    }
  }
}
