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

export const always = (value: number | undefined) => () => value;
export const lately =
  (minutes: number, then: number | undefined, before: number | undefined) => (ago: Ago) =>
    ago < minutes ? then : before;
export const nothing = always(undefined);

export const isFirstNode = (dimensions: Readonly<Record<string, string>>) =>
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
  // Less than any worker may have at once.
  'AWS/Lambda ConcurrentExecutions': always(1),
  'AWS/CloudFront Requests': always(80_000),
  'AWS/CloudFront 5xxErrorRate': always(0),
  'AWS/WAFV2 BlockedRequests': always(300),
  'AWS/CertificateManager DaysToExpiry': always(200),
};
