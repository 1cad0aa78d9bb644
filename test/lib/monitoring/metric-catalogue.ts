/** What AWS documents of a metric. */
export interface DocumentedMetric {
  /** As CloudWatch has it; `Days` where the metric itself has none. */
  readonly unit:
    | 'Count'
    | 'Count/Second'
    | 'Percent'
    | 'Seconds'
    | 'Milliseconds'
    | 'Bytes'
    | 'Days';
  /** Statistics that mean something: a count of events is summed, a gauge is not; an average of a count is not a rate. */
  readonly statistics: readonly string[];
  /** Sets of dimensions under which it is published. */
  readonly dimensions: readonly (readonly string[])[];
}

/** The metrics of a namespace, and the page that lists them. */
export interface DocumentedNamespace {
  readonly source: string;
  readonly metrics: Readonly<Record<string, DocumentedMetric>>;
}

const metric = (
  unit: DocumentedMetric['unit'],
  statistics: readonly string[],
  ...dimensions: readonly (readonly string[])[]
): DocumentedMetric => ({ unit, statistics, dimensions });

const sum = ['Sum'];
const gauge = ['Average', 'Minimum', 'Maximum'];
const extremes = ['Minimum', 'Maximum'];
const percentiles = ['p50', 'p95', 'p99'];

const loadBalancer = ['LoadBalancer'];
const targetGroup = ['LoadBalancer', 'TargetGroup'];
const task = ['ClusterName', 'ServiceName'];
const role = ['DBClusterIdentifier', 'Role'];
const cluster = ['DBClusterIdentifier'];
const node = ['CacheClusterId'];
const queue = ['QueueName'];
const lambdaFunction = ['FunctionName'];
const distribution = ['DistributionId', 'Region'];

/**
 * The metrics that alarms and dashboards may use, written from AWS's documentation, not from our code: a name that is mistyped there
 * is not here. Last compared on 2026-11-21.
 */
export const metricCatalogue: Readonly<Record<string, DocumentedNamespace>> = {
  'AWS/ApplicationELB': {
    source:
      'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html',
    metrics: {
      RequestCount: metric('Count', sum, loadBalancer, targetGroup),
      HTTPCode_ELB_5XX_Count: metric('Count', sum, loadBalancer),
      HTTPCode_Target_5XX_Count: metric('Count', sum, loadBalancer, targetGroup),
      TargetResponseTime: metric('Seconds', percentiles, loadBalancer, targetGroup),
      RejectedConnectionCount: metric('Count', sum, loadBalancer),
      TargetConnectionErrorCount: metric('Count', sum, loadBalancer, targetGroup),
      ConsumedLCUs: metric('Count', ['Sum', 'Average'], loadBalancer),
      HealthyHostCount: metric('Count', gauge, targetGroup),
      UnHealthyHostCount: metric('Count', gauge, targetGroup),
    },
  },
  'AWS/ECS': {
    source: 'https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html',
    metrics: {
      CPUUtilization: metric('Percent', gauge, task),
      MemoryUtilization: metric('Percent', gauge, task),
    },
  },
  'ECS/ContainerInsights': {
    source:
      'https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html',
    metrics: {
      DesiredTaskCount: metric('Count', gauge, task),
      RunningTaskCount: metric('Count', gauge, task),
    },
  },
  'AWS/Events': {
    source: 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html',
    metrics: { TriggeredRules: metric('Count', sum, ['RuleName']) },
  },
  'AWS/RDS': {
    source:
      'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html',
    metrics: {
      CPUUtilization: metric('Percent', gauge, cluster, role),
      DatabaseConnections: metric('Count', gauge, cluster, role),
      AuroraReplicaLag: metric('Milliseconds', gauge, role),
      ACUUtilization: metric('Percent', gauge, cluster, role),
      ServerlessDatabaseCapacity: metric('Count', gauge, cluster),
      FreeableMemory: metric('Bytes', gauge, cluster, role),
      FreeLocalStorage: metric('Bytes', gauge, cluster, role),
      VolumeBytesUsed: metric('Bytes', gauge, cluster),
      Deadlocks: metric('Count/Second', ['Average'], cluster, role),
      MaximumUsedTransactionIDs: metric('Count', extremes, cluster, role),
      CommitThroughput: metric('Count/Second', ['Average'], cluster, role),
      CommitLatency: metric('Milliseconds', ['Average'], cluster, role),
    },
  },
  'AWS/ElastiCache': {
    source: 'https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.Redis.html',
    metrics: {
      EngineCPUUtilization: metric('Percent', gauge, node),
      DatabaseMemoryUsagePercentage: metric('Percent', gauge, node),
      Evictions: metric('Count', sum, node),
      CacheHits: metric('Count', sum, node),
      CacheMisses: metric('Count', sum, node),
      ReplicationLag: metric('Seconds', gauge, node),
      IsMaster: metric('Count', extremes, node),
    },
  },
  'AWS/SQS': {
    source:
      'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html',
    metrics: {
      ApproximateAgeOfOldestMessage: metric('Seconds', gauge, queue),
      ApproximateNumberOfMessagesVisible: metric('Count', gauge, queue),
    },
  },
  'AWS/Lambda': {
    source: 'https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html',
    metrics: {
      Errors: metric('Count', sum, lambdaFunction),
      Throttles: metric('Count', sum, lambdaFunction),
      Invocations: metric('Count', sum, lambdaFunction),
      ConcurrentExecutions: metric('Count', extremes, lambdaFunction),
      Duration: metric('Milliseconds', percentiles, lambdaFunction),
    },
  },
  'AWS/CloudFront': {
    source:
      'https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html',
    metrics: {
      Requests: metric('Count', sum, distribution),
      BytesDownloaded: metric('Bytes', sum, distribution),
      '4xxErrorRate': metric('Percent', ['Average'], distribution),
      '5xxErrorRate': metric('Percent', ['Average'], distribution),
    },
  },
  'AWS/WAFV2': {
    source: 'https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html',
    metrics: {
      // For CloudFront there is no Region among the dimensions.
      AllowedRequests: metric('Count', sum, ['Rule', 'WebACL']),
      BlockedRequests: metric('Count', sum, ['Rule', 'WebACL']),
    },
  },
  'AWS/CertificateManager': {
    source: 'https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html',
    metrics: { DaysToExpiry: metric('Days', ['Minimum'], ['CertificateArn']) },
  },
};
