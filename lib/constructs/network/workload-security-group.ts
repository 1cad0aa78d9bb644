import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';

const HTTPS_PORT = 443;

export interface WorkloadSecurityGroupProps {
  readonly vpc: ec2.IVpc;
  readonly description: string;
}

/**
 * The security group of something that computes: nothing may come in, and out go only HTTPS (the endpoints of AWS) and what is
 * allowed one by one, such as the database.
 */
export class WorkloadSecurityGroup extends ec2.SecurityGroup {
  constructor(scope: Construct, id: string, props: WorkloadSecurityGroupProps) {
    super(scope, id, { ...props, allowAllOutbound: false });
    this.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(HTTPS_PORT), 'Endpoints of AWS services');
  }
}
