/** A limit that AWS puts on an account, a region or a resource. */
export interface Quota {
  /** Its code in Service Quotas; for one that is not there, a name of our own. */
  readonly code: string;
  /** Code of the service in Service Quotas. */
  readonly service: string;
  /** What AWS calls it. */
  readonly name: string;
  /** What an account has without asking. */
  readonly standard: number;
  /** Whether AWS raises it on request. */
  readonly adjustable: boolean;
  /** Page of AWS that states it. */
  readonly source: string;
}

const GENERAL_REFERENCE = 'https://docs.aws.amazon.com/general/latest/gr';
const LOAD_BALANCER =
  'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html';
const VPC = 'https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html';

/** The quotas that a stage can run into, with what new accounts have by AWS's documentation of November 2026. */
export const quotas = {
  fargateVcpus: {
    code: 'L-3032A538',
    service: 'fargate',
    name: 'Fargate On-Demand vCPU resource count',
    standard: 6,
    adjustable: true,
    source: `${GENERAL_REFERENCE}/ecs-service.html`,
  },
  fargateSpotVcpus: {
    code: 'L-36FBB829',
    service: 'fargate',
    name: 'Fargate Spot vCPU resource count',
    standard: 6,
    adjustable: true,
    source: `${GENERAL_REFERENCE}/ecs-service.html`,
  },
  loadBalancerTargets: {
    code: 'L-7E6692B2',
    service: 'elasticloadbalancing',
    name: 'Targets per Application Load Balancer',
    standard: 1_000,
    adjustable: true,
    source: LOAD_BALANCER,
  },
  targetGroupTargets: {
    code: 'L-A0D0B863',
    service: 'elasticloadbalancing',
    name: 'Targets per Target Group per Region',
    standard: 1_000,
    adjustable: true,
    source: LOAD_BALANCER,
  },
  reservedLoadBalancerCapacity: {
    code: 'L-0BB7B635',
    service: 'elasticloadbalancing',
    name: 'Reserved Application Load Balancer Capacity Units (LCUs) per Application Load Balancer',
    standard: 15_000,
    adjustable: true,
    source: LOAD_BALANCER,
  },
  lambdaConcurrency: {
    code: 'L-B99A9384',
    service: 'lambda',
    name: 'Concurrent executions',
    standard: 1_000,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html',
  },
  emailRate: {
    code: 'L-CDEF9B6B',
    service: 'ses',
    name: 'Sending rate',
    standard: 1,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/ses/latest/dg/quotas.html',
  },
  emailsADay: {
    code: 'L-804C8AE8',
    service: 'ses',
    name: 'Sending quota',
    standard: 200,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/ses/latest/dg/quotas.html',
  },
  databaseInstances: {
    code: 'L-7B6409FD',
    service: 'rds',
    name: 'DB instances',
    standard: 40,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html',
  },
  cacheNodes: {
    code: 'L-DFE45DF3',
    service: 'elasticache',
    name: 'Nodes per Region',
    standard: 300,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/quota-limits.html',
  },
  cacheNodesOfCluster: {
    code: 'L-AF354865',
    service: 'elasticache',
    name: 'Nodes per cluster (cluster mode enabled)',
    standard: 90,
    adjustable: true,
    source: 'https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/quota-limits.html',
  },
  elasticAddresses: {
    code: 'L-0263D0A3',
    service: 'ec2',
    name: 'EC2-VPC Elastic IPs',
    standard: 5,
    adjustable: true,
    source: VPC,
  },
  interfaceEndpoints: {
    code: 'L-29B6F2EB',
    service: 'vpc',
    name: 'Interface VPC endpoints per VPC',
    standard: 50,
    adjustable: true,
    source: VPC,
  },
  networkInterfaces: {
    code: 'L-DF5E4CA3',
    service: 'vpc',
    name: 'Network interfaces per Region',
    standard: 5_000,
    adjustable: true,
    source: VPC,
  },
  edgeRequests: {
    code: 'cloudfront-requests-per-second',
    service: 'cloudfront',
    name: 'Requests per second per distribution',
    standard: 250_000,
    adjustable: true,
    source:
      'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html',
  },
  edgeTransfer: {
    code: 'cloudfront-gigabits-per-second',
    service: 'cloudfront',
    name: 'Data transfer rate per distribution',
    standard: 150,
    adjustable: true,
    source:
      'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html',
  },
} as const satisfies Record<string, Quota>;

export type QuotaName = keyof typeof quotas;

/** The codes by which a stage says what it has been granted. */
export const quotaCodes: readonly string[] = Object.values(quotas).map(({ code }) => code);
