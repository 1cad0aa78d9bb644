import { scheduledFunctions } from '../../../lib/config/schedules.ts';
import { workers } from '../../../lib/config/workers.ts';
import { always, isFirstNode, lately, ordinary, type Scenario } from './courses.ts';

const api = (name: string) => `api/Service-user-api/${name}`;

/** Of what is behind the load balancer, and before it. */
export const partScenarios: readonly Scenario[] = [
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
      ...scheduledFunctions.map(({ name }) => `workers/Schedule-${name}/Failed`),
      ...workers.flatMap(({ name }) =>
        ['Age', 'Concurrency', 'DeadLetters', 'Errors', 'Throttles'].map(
          (alarm) => `workers/Worker-${name}/${alarm}`,
        ),
      ),
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
