/** What one unit of something costs. */
export interface Price {
  readonly dollars: number;
  /** The unit, as it completes "dollars per …". */
  readonly per: string;
  /** Page of AWS that publishes it. */
  readonly source: string;
}

/**
 * Where the table below is from, for whoever reads a figure made with it. It was written down, not read from AWS: no account and no way to
 * the Price List API was at hand. Public price overviews of 2026 agree with what they have of it: Fargate, Aurora, ElastiCache,
 * NAT gateways, load balancers, CloudFront, logs and keys; the others are as remembered.
 */
export const priceList = {
  enteredOn: '2026-11-21',
  regions: ['us-east-1', 'us-east-2'],
  caveat:
    'On-demand list prices, without free tiers, commitments, support and tax; entered by hand, not read from AWS. Check them against the pages named in lib/capacity/data/prices.ts before you budget by them.',
} as const;

const FARGATE = 'https://aws.amazon.com/fargate/pricing/';
const AURORA = 'https://aws.amazon.com/rds/aurora/pricing/';
const CLOUDWATCH = 'https://aws.amazon.com/cloudwatch/pricing/';
const CLOUDFRONT = 'https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/';
const LOAD_BALANCING = 'https://aws.amazon.com/elasticloadbalancing/pricing/';
const VPC = 'https://aws.amazon.com/vpc/pricing/';
const PRIVATE_LINK = 'https://aws.amazon.com/privatelink/pricing/';
const WAF = 'https://aws.amazon.com/waf/pricing/';
const LAMBDA = 'https://aws.amazon.com/lambda/pricing/';
const KMS = 'https://aws.amazon.com/kms/pricing/';

/** Prices in the United States' eastern regions. */
export const prices = {
  fargateVcpu: { dollars: 0.03238, per: 'vCPU-hour on ARM', source: FARGATE },
  fargateMemory: { dollars: 0.00356, per: 'GB-hour on ARM', source: FARGATE },
  loadBalancer: { dollars: 0.0225, per: 'hour', source: LOAD_BALANCING },
  loadBalancerCapacity: { dollars: 0.008, per: 'LCU-hour', source: LOAD_BALANCING },
  natGateway: { dollars: 0.045, per: 'hour', source: VPC },
  natGatewayData: { dollars: 0.045, per: 'GB', source: VPC },
  publicAddress: { dollars: 0.005, per: 'hour', source: VPC },
  interfaceEndpoint: { dollars: 0.01, per: 'hour and zone', source: PRIVATE_LINK },
  interfaceEndpointData: { dollars: 0.01, per: 'GB', source: PRIVATE_LINK },
  zoneTransfer: {
    dollars: 0.02,
    per: 'GB between zones, both directions',
    source: 'https://aws.amazon.com/ec2/pricing/on-demand/#Data_Transfer',
  },
  auroraCapacityUnit: { dollars: 0.12, per: 'ACU-hour', source: AURORA },
  auroraStorage: { dollars: 0.1, per: 'GB-month', source: AURORA },
  auroraOptimizedStorage: { dollars: 0.225, per: 'GB-month, I/O-Optimized', source: AURORA },
  auroraIo: { dollars: 0.2, per: 'million I/Os', source: AURORA },
  auroraBackup: { dollars: 0.021, per: 'GB-month beyond the size of the database', source: AURORA },
  insightsPerVcpu: { dollars: 0.0125, per: 'vCPU-hour, advanced', source: CLOUDWATCH },
  insightsPerCapacityUnit: { dollars: 0.003125, per: 'ACU-hour, advanced', source: CLOUDWATCH },
  cloudFrontRequests: { dollars: 1, per: 'million HTTPS requests', source: CLOUDFRONT },
  originShieldRequests: { dollars: 0.75, per: 'million requests', source: CLOUDFRONT },
  webAcl: { dollars: 5, per: 'month', source: WAF },
  webAclRule: { dollars: 1, per: 'rule and month', source: WAF },
  webAclRequests: { dollars: 0.6, per: 'million requests', source: WAF },
  lambdaRequests: { dollars: 0.2, per: 'million requests', source: LAMBDA },
  lambdaCompute: { dollars: 0.000_013_333_4, per: 'GB-second on ARM', source: LAMBDA },
  queueRequests: {
    dollars: 0.4,
    per: 'million requests',
    source: 'https://aws.amazon.com/sqs/pricing/',
  },
  emails: {
    dollars: 100,
    per: 'million emails',
    source: 'https://aws.amazon.com/ses/pricing/',
  },
  logIngestion: { dollars: 0.5, per: 'GB', source: CLOUDWATCH },
  logStorage: { dollars: 0.03, per: 'GB-month, compressed', source: CLOUDWATCH },
  alarm: { dollars: 0.1, per: 'metric and month', source: CLOUDWATCH },
  compositeAlarm: { dollars: 0.5, per: 'month', source: CLOUDWATCH },
  customMetric: { dollars: 0.3, per: 'month', source: CLOUDWATCH },
  dashboard: { dollars: 3, per: 'month', source: CLOUDWATCH },
  key: { dollars: 1, per: 'month', source: KMS },
  secret: {
    dollars: 0.4,
    per: 'month',
    source: 'https://aws.amazon.com/secrets-manager/pricing/',
  },
  objectStorage: { dollars: 0.023, per: 'GB-month', source: 'https://aws.amazon.com/s3/pricing/' },
} as const satisfies Record<string, Price>;

/** Of the on-demand price, what Spot capacity costs: AWS says up to 70 % less; it changes daily. */
export const SPOT_PRICE_FACTOR = 0.35;
/** What I/O-Optimized adds to the price of instances and capacity units. */
export const IO_OPTIMIZED_FACTOR = 1.3;
/** What ElastiCache takes for Valkey, as a share of the price for Redis OSS. */
export const VALKEY_PRICE_FACTOR = 0.8;

/** CloudFront's price for a GB to viewers in North America and Europe, by GB in the month from which it holds. */
export const cloudFrontTransfer: readonly (readonly [fromGigabytes: number, dollars: number])[] = [
  [0, 0.085],
  [10_000, 0.08],
  [50_000, 0.06],
  [150_000, 0.04],
  [500_000, 0.03],
  [1_024_000, 0.025],
  [5_120_000, 0.02],
];

/** Dollars an hour of db.r8g.large; every doubling of an instance doubles it (Aurora PostgreSQL, standard storage). */
export const AURORA_DOLLARS_PER_VCPU_HOUR = 0.138;

/** Dollars an hour for Redis OSS, by node type (https://aws.amazon.com/elasticache/pricing/). */
export const cacheNodePrices: Readonly<Record<string, number>> = {
  'cache.t4g.micro': 0.016,
  'cache.t4g.small': 0.032,
  'cache.t4g.medium': 0.065,
  'cache.r7g.large': 0.219,
  'cache.r7g.xlarge': 0.437,
  'cache.r7g.2xlarge': 0.873,
  'cache.r7g.4xlarge': 1.747,
  'cache.r7g.8xlarge': 3.494,
};
