/** Minutes before the time of the evaluation: 0 is the newest minute. */
type Ago = number;
/** What a metric is in a minute; undefined where nothing is published. */
type Course = (ago: Ago, dimensions: Readonly<Record<string, string>>) => number | undefined;
/** By namespace and name, and by the role where there is one. */
export type Data = Readonly<Record<string, Course>>;

/** A time in production, and what has to go off in it. */
export interface Scenario {
  readonly name: string;
  readonly data: Data;
  /** Keys of the alarms that go off; all others do not. */
  readonly alarms: readonly string[];
}

const always = (value: number | undefined) => () => value;
const lately =
  (minutes: number, then: number | undefined, before: number | undefined) => (ago: Ago) =>
    ago < minutes ? then : before;
const nothing = always(undefined);

const isFirstNode = (dimensions: Readonly<Record<string, string>>) =>
  dimensions.CacheClusterId?.endsWith('-001') ?? false;

/** Production at noon: every metric that an alarm of its looks at. Counts of what did not happen are not published. */
export const ordinary: Data = {
  'AWS/ApplicationELB RequestCount': always(60_000),
  'AWS/ApplicationELB HTTPCode_Target_5XX_Count': nothing,
  'AWS/ApplicationELB HTTPCode_ELB_5XX_Count': nothing,
  // In seconds.
  'AWS/ApplicationELB TargetResponseTime': always(0.04),
  'AWS/ApplicationELB RejectedConnectionCount': nothing,
  'AWS/ApplicationELB HealthyHostCount': always(6),
  'AWS/ApplicationELB UnHealthyHostCount': always(0),
  'AWS/ECS CPUUtilization': always(60),
  'AWS/ECS MemoryUtilization': always(45),
  'ECS/ContainerInsights DesiredTaskCount': always(6),
  'AWS/Events TriggeredRules': nothing,
  'AWS/RDS CPUUtilization WRITER': always(30),
  'AWS/RDS CPUUtilization READER': always(25),
  'AWS/RDS DatabaseConnections WRITER': always(120),
  'AWS/RDS DatabaseConnections READER': always(120),
  'AWS/RDS AuroraReplicaLag READER': always(20),
  'AWS/RDS ACUUtilization WRITER': always(40),
  'AWS/RDS FreeableMemory WRITER': always(12 * 1_024 ** 3),
  'AWS/RDS FreeableMemory READER': always(12 * 1_024 ** 3),
  // A gibibyte; counted twice an hour.
  'AWS/RDS VolumeBytesUsed': (ago) => (ago % 30 === 0 ? 1_024 ** 3 : undefined),
  'AWS/RDS Deadlocks WRITER': always(0),
  'AWS/RDS MaximumUsedTransactionIDs WRITER': always(150_000_000),
  'AWS/ElastiCache EngineCPUUtilization': always(20),
  'AWS/ElastiCache DatabaseMemoryUsagePercentage': always(50),
  'AWS/ElastiCache Evictions': always(0),
  // The primary has no lag, as it follows nobody.
  'AWS/ElastiCache ReplicationLag': (_, dimensions) => (isFirstNode(dimensions) ? undefined : 0.2),
  'AWS/ElastiCache IsMaster': (_, dimensions) => Number(isFirstNode(dimensions)),
  'AWS/SQS ApproximateAgeOfOldestMessage': always(2),
  'AWS/SQS ApproximateNumberOfMessagesVisible': always(0),
  'AWS/Lambda Errors': always(0),
  'AWS/Lambda Throttles': always(0),
  'AWS/Lambda ConcurrentExecutions': always(3),
  'AWS/CloudFront Requests': always(80_000),
  'AWS/CloudFront 5xxErrorRate': always(0),
  'AWS/WAFV2 BlockedRequests': always(300),
  'AWS/CertificateManager DaysToExpiry': always(200),
};

const nobody: Data = Object.fromEntries(Object.keys(ordinary).map((name) => [name, nothing]));
const api = (name: string) => `api/Service-user-api/${name}`;
const burning = (name: string) => [
  `api/Ingress/${name}`,
  `api/Ingress/${name}/LongWindow`,
  `api/Ingress/${name}/ShortWindow`,
];
const apiPage = 'observability/Page-api';

export const scenarios: readonly Scenario[] = [
  { name: 'an ordinary noon', data: ordinary, alarms: [] },
  {
    name: 'a quiet night, in which one of two requests of a minute fails',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': (ago) => (ago % 60 === 0 ? 2 : undefined),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(1, 1, undefined),
      'AWS/ApplicationELB TargetResponseTime': (ago) => (ago % 60 === 0 ? 0.05 : undefined),
      'AWS/CloudFront Requests': (ago) => (ago % 60 === 0 ? 2 : undefined),
      'AWS/CloudFront 5xxErrorRate': lately(1, 50, undefined),
      'AWS/SQS ApproximateAgeOfOldestMessage': nothing,
      'AWS/Lambda ConcurrentExecutions': nothing,
      'AWS/Lambda Errors': nothing,
      'AWS/Lambda Throttles': nothing,
    },
    alarms: [],
  },
  {
    name: 'one error in three requests, and no more',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': lately(1, 3, undefined),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(1, 1, undefined),
      'AWS/CloudFront Requests': lately(1, 3, undefined),
      'AWS/CloudFront 5xxErrorRate': lately(1, 33.3, undefined),
    },
    alarms: [],
  },
  {
    name: 'one error in three requests, all of a day in which there are few',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': always(3),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': always(1),
      'AWS/CloudFront Requests': always(3),
      'AWS/CloudFront 5xxErrorRate': always(33.3),
    },
    // Too few in any minute, and in five; not in half an hour, where it is no accident any more.
    alarms: [
      'api/Ingress/FastBurn/LongWindow',
      'api/Ingress/SlowBurn/LongWindow',
      'api/Ingress/LastingBurn/LongWindow',
      'api/Ingress/LastingBurn/ShortWindow',
      'api/Ingress/LastingBurn',
    ],
  },
  {
    name: 'one error in three of a hundred requests a minute, for two minutes',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': always(100),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(2, 33, undefined),
    },
    // Not yet the error rate's five minutes, but a deployment is rolled back. 66 failures are 0.55 % of two hours, and 1.1 % of one.
    alarms: [
      api('DeploymentErrors'),
      'api/Ingress/LastingBurn/ShortWindow',
      'api/Ingress/FastBurn/ShortWindow',
      'api/Ingress/SlowBurn/ShortWindow',
    ],
  },
  {
    name: 'a spike: ten times the load for four minutes, and a second of latency at its height',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': lately(4, 600_000, 60_000),
      'AWS/ApplicationELB HTTPCode_Target_5XX_Count': lately(1, 5_000, undefined),
      'AWS/ApplicationELB TargetResponseTime': lately(4, 1.2, 0.04),
      'AWS/ECS CPUUtilization': lately(4, 97, 60),
      'ECS/ContainerInsights DesiredTaskCount': lately(3, 18, 6),
      'AWS/CloudFront Requests': lately(4, 800_000, 80_000),
      'AWS/RDS CPUUtilization WRITER': lately(4, 85, 30),
    },
    alarms: [],
  },
  {
    name: 'an outage: no healthy task for ten minutes',
    data: {
      ...ordinary,
      // The load balancer counts a request when it has found a target for it.
      'AWS/ApplicationELB RequestCount': lately(10, undefined, 60_000),
      'AWS/ApplicationELB HTTPCode_ELB_5XX_Count': lately(10, 60_000, undefined),
      'AWS/ApplicationELB TargetResponseTime': lately(10, undefined, 0.04),
      'AWS/ApplicationELB HealthyHostCount': lately(10, 0, 6),
      'AWS/ApplicationELB UnHealthyHostCount': lately(10, 6, 0),
      'AWS/CloudFront 5xxErrorRate': lately(10, 75, 0),
    },
    alarms: [
      'api/Ingress/ErrorRate',
      ...burning('FastBurn'),
      ...burning('SlowBurn'),
      ...burning('LastingBurn'),
      api('NoHealthyTasks'),
      api('UnhealthyTasks'),
      'edge/Delivery/ErrorRate',
      'edge/Page',
      apiPage,
    ],
  },
  {
    name: 'ten minutes after that outage',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': (ago) => (ago >= 10 && ago < 20 ? undefined : 60_000),
      'AWS/ApplicationELB HTTPCode_ELB_5XX_Count': (ago) =>
        ago >= 10 && ago < 20 ? 60_000 : undefined,
    },
    // The fast window of five minutes is clean again; the others have not forgotten.
    alarms: [
      'api/Ingress/FastBurn/LongWindow',
      ...burning('SlowBurn'),
      ...burning('LastingBurn'),
      apiPage,
    ],
  },
  {
    name: 'nothing running at all: no metric of anything',
    data: nobody,
    alarms: [api('NoHealthyTasks'), apiPage],
  },
  {
    name: 'one request in fifty failing for two days',
    data: { ...ordinary, 'AWS/ApplicationELB HTTPCode_Target_5XX_Count': always(1_200) },
    alarms: [...burning('FastBurn'), ...burning('SlowBurn'), ...burning('LastingBurn'), apiPage],
  },
  {
    name: 'one request in two hundred failing for two days',
    data: { ...ordinary, 'AWS/ApplicationELB HTTPCode_Target_5XX_Count': always(300) },
    // Five times the budget: too slow for a page, too much for a month.
    alarms: [...burning('LastingBurn')],
  },
  {
    name: 'answers in one and a half seconds, for five minutes',
    data: { ...ordinary, 'AWS/ApplicationELB TargetResponseTime': lately(5, 1.5, 0.04) },
    alarms: [api('Latency'), apiPage],
  },
  {
    name: 'answers in half a second',
    data: { ...ordinary, 'AWS/ApplicationELB TargetResponseTime': always(0.5) },
    alarms: [],
  },
  {
    name: 'more load than all tasks can carry, for a quarter of an hour',
    data: {
      ...ordinary,
      'AWS/ECS CPUUtilization': lately(15, 95, 60),
      'AWS/ECS MemoryUtilization': lately(15, 90, 45),
      'ECS/ContainerInsights DesiredTaskCount': always(10_000),
      'AWS/ApplicationELB RejectedConnectionCount': (ago) =>
        ago < 5 && ago % 2 === 0 ? 40 : undefined,
      'AWS/ApplicationELB TargetResponseTime': lately(15, 2.5, 0.04),
    },
    alarms: [
      api('AtMaximum'),
      api('Cpu'),
      api('Memory'),
      api('Latency'),
      api('TailLatency'),
      'api/Ingress/RejectedConnections',
      apiPage,
    ],
  },
  {
    name: 'tasks and database instances that AWS says have failed',
    data: { ...ordinary, 'AWS/Events TriggeredRules': lately(5, 1, undefined) },
    alarms: [api('TaskFailures'), 'data/Database/Failover'],
  },
  {
    name: 'a database at its limits',
    data: {
      ...ordinary,
      'AWS/RDS CPUUtilization WRITER': always(90),
      'AWS/RDS CPUUtilization READER': always(90),
      'AWS/RDS DatabaseConnections WRITER': always(100_000),
      'AWS/RDS DatabaseConnections READER': always(100_000),
      'AWS/RDS AuroraReplicaLag READER': always(5_000),
      'AWS/RDS ACUUtilization WRITER': always(99),
      'AWS/RDS FreeableMemory WRITER': always(1_024 ** 2),
      'AWS/RDS FreeableMemory READER': always(1_024 ** 2),
      'AWS/RDS VolumeBytesUsed': (ago) => (ago % 30 === 0 ? 1_024 ** 5 : undefined),
      // Every third minute.
      'AWS/RDS Deadlocks WRITER': (ago) => (ago % 3 === 0 ? 0.1 : 0),
      'AWS/RDS MaximumUsedTransactionIDs WRITER': always(1_500_000_000),
    },
    alarms: [
      'data/Database/Capacity',
      'data/Database/Deadlocks',
      'data/Database/ReaderConnections',
      'data/Database/ReaderCpu',
      'data/Database/ReaderMemory',
      'data/Database/ReplicaLag',
      'data/Database/Storage',
      'data/Database/TransactionIds',
      'data/Database/WriterConnections',
      'data/Database/WriterCpu',
      'data/Database/WriterMemory',
      'observability/Page-database',
    ],
  },
  {
    name: 'a deadlock that was retried',
    data: { ...ordinary, 'AWS/RDS Deadlocks WRITER': lately(1, 0.1, 0) },
    alarms: [],
  },
  {
    name: 'one cache node of three that is full, busy and evicts',
    data: {
      ...ordinary,
      'AWS/ElastiCache EngineCPUUtilization': (_, dimensions) =>
        isFirstNode(dimensions) ? 95 : 20,
      'AWS/ElastiCache DatabaseMemoryUsagePercentage': (_, dimensions) =>
        isFirstNode(dimensions) ? 99 : 50,
      'AWS/ElastiCache Evictions': (_, dimensions) => (isFirstNode(dimensions) ? 10 : 0),
      'AWS/ElastiCache ReplicationLag': (_, dimensions) =>
        isFirstNode(dimensions) ? undefined : 30,
    },
    alarms: [
      'data/Cache/Cpu',
      'data/Cache/Evictions',
      'data/Cache/Memory',
      'data/Cache/ReplicationLag',
      'data/Cache/SessionsCpu',
      'data/Cache/SessionsMemory',
      'data/Cache/SessionsReplicationLag',
      'observability/Page-cache',
    ],
  },
  {
    name: 'a cache that has failed over in this minute, the old primary gone',
    data: {
      ...ordinary,
      'AWS/ElastiCache IsMaster': (ago, dimensions) => {
        if (isFirstNode(dimensions)) return ago === 0 ? undefined : 1;
        return dimensions.CacheClusterId?.endsWith('-002') && ago === 0 ? 1 : 0;
      },
    },
    alarms: ['data/Cache/Failover', 'data/Cache/SessionsFailover'],
  },
  {
    name: 'functions that fail whatever they get',
    data: {
      ...ordinary,
      'AWS/SQS ApproximateAgeOfOldestMessage': (ago) => 1_200 - 60 * ago,
      'AWS/SQS ApproximateNumberOfMessagesVisible': always(40),
      'AWS/Lambda Errors': always(5),
      'AWS/Lambda Throttles': always(1),
      'AWS/Lambda ConcurrentExecutions': always(10_000),
    },
    alarms: [
      'migrations/Migrations/Failed',
      'observability/Page-workers',
      'workers/Schedule-maintenance/Failed',
      'workers/Worker-email/Age',
      'workers/Worker-email/Concurrency',
      'workers/Worker-email/DeadLetters',
      'workers/Worker-email/Errors',
      'workers/Worker-email/Throttles',
    ],
  },
  {
    name: 'an attack that the firewall blocks',
    data: { ...ordinary, 'AWS/WAFV2 BlockedRequests': lately(10, 5_000_000, 300) },
    alarms: ['edge/Firewall/BlockSurge'],
  },
  {
    name: 'an edge that does not reach the load balancer',
    data: {
      ...ordinary,
      'AWS/ApplicationELB RequestCount': lately(10, undefined, 60_000),
      'AWS/ApplicationELB TargetResponseTime': lately(10, undefined, 0.04),
      'AWS/CloudFront 5xxErrorRate': lately(10, 70, 0),
    },
    // Nothing is wrong that the API could see.
    alarms: ['edge/Delivery/ErrorRate', 'edge/Page'],
  },
];
