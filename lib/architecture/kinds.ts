import { z } from 'zod';
import type { AssemblyResource } from './assembly.ts';

/** What the picture says of one part of the system. */
export interface Description {
  readonly title: string;
  readonly lines: readonly string[];
}

/** How to draw the part of the system whose main resource is of `type`. */
export interface Kind {
  readonly type: string;
  /** What an arrow to it carries. */
  readonly carries: string;
  readonly describe: (resources: readonly AssemblyResource[], construct: string) => Description;
}

const UNITS_PER_VCPU = 1_024;
const MEBIBYTES_PER_GIBIBYTE = 1_024;

type Properties = Readonly<Record<string, unknown>>;
const ofType = (resources: readonly AssemblyResource[], type: string): readonly Properties[] =>
  resources.filter((one) => one.type === type).map(({ properties }) => properties);

/** Parses the properties of the only, or first, resource of `type`; the picture would lie about one that has changed. */
function firstOf<Schema extends z.ZodType>(
  resources: readonly AssemblyResource[],
  type: string,
  schema: Schema,
): z.output<Schema> {
  return schema.parse(ofType(resources, type)[0]);
}

const range = (from: number, to: number): string => (from === to ? `${from}` : `${from} to ${to}`);
/** `Service-user-api` → `user-api` */
const nameOf = (construct: string): string => construct.replace(/^.*?\/(?:[A-Za-z]+-)?/, '');

const task = z.object({ Cpu: z.coerce.number(), Memory: z.coerce.number() });
const scalable = z.object({ MinCapacity: z.number(), MaxCapacity: z.number() });
const cluster = z.object({
  EngineVersion: z.string(),
  ServerlessV2ScalingConfiguration: scalable.optional(),
});
const replicationGroup = z.object({
  CacheNodeType: z.string(),
  NumNodeGroups: z.number(),
  ReplicasPerNodeGroup: z.number(),
  Engine: z.string(),
});
const lambda = z.object({ MemorySize: z.number(), Architectures: z.array(z.string()) });
const mapping = z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.number() }) });

function describeService(resources: readonly AssemblyResource[], construct: string): Description {
  const { Cpu, Memory } = firstOf(resources, 'AWS::ECS::TaskDefinition', task);
  const { MinCapacity, MaxCapacity } = firstOf(
    resources,
    'AWS::ApplicationAutoScaling::ScalableTarget',
    scalable,
  );
  return {
    title: `ECS Fargate: ${nameOf(construct)}`,
    lines: [
      `${range(MinCapacity, MaxCapacity)} tasks on ARM, by load`,
      `${Cpu / UNITS_PER_VCPU} vCPU, ${Memory / MEBIBYTES_PER_GIBIBYTE} GiB each`,
    ],
  };
}

function describeDatabase(resources: readonly AssemblyResource[]): Description {
  const { EngineVersion, ServerlessV2ScalingConfiguration: capacity } = firstOf(
    resources,
    'AWS::RDS::DBCluster',
    cluster,
  );
  const instances = ofType(resources, 'AWS::RDS::DBInstance');
  const readers = instances.length - 1;
  const [scaling] = ofType(resources, 'AWS::ApplicationAutoScaling::ScalableTarget');
  const most = scaling === undefined ? readers : scalable.parse(scaling).MaxCapacity;
  return {
    title: `Aurora PostgreSQL ${EngineVersion}`,
    lines: [
      `a writer and ${range(readers, most)} readers`,
      capacity === undefined
        ? `${z.object({ DBInstanceClass: z.string() }).parse(instances[0]).DBInstanceClass} each`
        : `${range(capacity.MinCapacity, capacity.MaxCapacity)} ACU each`,
    ],
  };
}

function describeCache(resources: readonly AssemblyResource[]): Description {
  const groups = resources
    .filter(({ type }) => type === 'AWS::ElastiCache::ReplicationGroup')
    .map(({ properties, logicalId }) => ({
      ...replicationGroup.parse(properties),
      what: logicalId.includes('Sessions') ? 'sessions' : 'cache',
    }));
  const engine = groups[0]?.Engine === 'redis' ? 'Redis OSS' : 'Valkey';
  return {
    title: `ElastiCache ${engine}`,
    lines: groups.map(
      ({ what, NumNodeGroups, ReplicasPerNodeGroup, CacheNodeType }) =>
        `${what}: ${NumNodeGroups} × ${1 + ReplicasPerNodeGroup} ${CacheNodeType.replace('cache.', '')}`,
    ),
  };
}

function functionLine(resources: readonly AssemblyResource[]): string {
  const { MemorySize, Architectures } = firstOf(resources, 'AWS::Lambda::Function', lambda);
  return `Node.js on ${Architectures[0] === 'arm64' ? 'ARM' : Architectures[0]}, ${MemorySize} MiB`;
}

function describeWorker(resources: readonly AssemblyResource[], construct: string): Description {
  const { ScalingConfig } = firstOf(resources, 'AWS::Lambda::EventSourceMapping', mapping);
  return {
    title: `SQS and Lambda: ${nameOf(construct)}`,
    lines: [
      functionLine(resources),
      `at most ${ScalingConfig.MaximumConcurrency} at once; a dead-letter queue`,
    ],
  };
}

function describeSchedule(resources: readonly AssemblyResource[], construct: string): Description {
  const { ScheduleExpression } = firstOf(
    resources,
    'AWS::Scheduler::Schedule',
    z.object({ ScheduleExpression: z.string() }),
  );
  return {
    title: `Schedule and Lambda: ${nameOf(construct)}`,
    lines: [functionLine(resources), ScheduleExpression.replace(/rate\((?:1 )?(.*)\)/, 'every $1')],
  };
}

/** The parts that are drawn, by their main resource; the first that a part has decides. */
export const kinds: readonly Kind[] = [
  {
    type: 'AWS::WAFv2::WebACL',
    carries: 'HTTPS',
    describe: (resources) => ({
      title: 'AWS WAF',
      lines: [
        `${firstOf(resources, 'AWS::WAFv2::WebACL', z.object({ Rules: z.array(z.unknown()) })).Rules.length} rules that block`,
      ],
    }),
  },
  {
    type: 'AWS::CloudFront::Distribution',
    carries: 'what may pass',
    describe: () => ({
      title: 'CloudFront',
      lines: [
        'caches what the API allows',
        'API reference and static files, from a private bucket',
      ],
    }),
  },
  {
    type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    carries: 'VPC origin',
    describe: (resources) => ({
      title: 'Application Load Balancer',
      lines: [
        `${firstOf(resources, 'AWS::ElasticLoadBalancingV2::LoadBalancer', z.object({ Scheme: z.string() })).Scheme}, only CloudFront reaches it`,
      ],
    }),
  },
  { type: 'AWS::ECS::Service', carries: 'HTTP', describe: describeService },
  { type: 'AWS::RDS::DBCluster', carries: 'SQL', describe: describeDatabase },
  {
    type: 'AWS::ElastiCache::ReplicationGroup',
    carries: 'cache, sessions, limits',
    describe: describeCache,
  },
  { type: 'AWS::SQS::Queue', carries: 'events', describe: describeWorker },
  { type: 'AWS::Scheduler::Schedule', carries: 'time', describe: describeSchedule },
  {
    type: 'AWS::SES::EmailIdentity',
    carries: 'email',
    describe: (resources) => ({
      title: 'Amazon SES',
      lines: [
        firstOf(resources, 'AWS::SES::EmailIdentity', z.object({ EmailIdentity: z.string() }))
          .EmailIdentity,
      ],
    }),
  },
  {
    type: 'Custom::Trigger',
    carries: 'deployment',
    describe: (resources) => ({
      title: 'Lambda: migrations',
      lines: [functionLine(resources), 'once a deployment, before new code'],
    }),
  },
];

/** Services that no part has as its main one: what holds the others together, described below the picture. */
const supporting = [
  'AWS::ApplicationAutoScaling::',
  'AWS::Budgets::',
  'AWS::CertificateManager::',
  'AWS::CloudFront::',
  'AWS::CloudWatch::',
  'AWS::EC2::',
  'AWS::ECS::',
  'AWS::ElastiCache::',
  'AWS::ElasticLoadBalancingV2::',
  'AWS::Events::',
  'AWS::IAM::',
  'AWS::KMS::',
  'AWS::Lambda::',
  'AWS::Logs::',
  'AWS::RDS::',
  'AWS::Route53::',
  'AWS::S3::',
  'AWS::SES::',
  'AWS::SNS::',
  'AWS::SQS::',
  'AWS::Scheduler::',
  'AWS::SecretsManager::',
  'AWS::WAFv2::',
  'Custom::',
];

/** Types of which nobody has said whether the picture shows them. */
export function unknownTypes(resources: readonly AssemblyResource[]): readonly string[] {
  const types = new Set(resources.map(({ type }) => type));
  return [...types].filter((type) => !supporting.some((prefix) => type.startsWith(prefix))).sort();
}
