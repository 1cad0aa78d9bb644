import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Policy } from '../../config/policy.ts';
import { timeouts } from '../../config/timeouts.ts';
import type { WorkerDefinition } from '../../config/workers.ts';
import type { PostgresCluster } from '../database/postgres-cluster.ts';
import { publicName } from '../edge/domain.ts';
import { NodeFunction } from '../functions/node-function.ts';
import type { Operations } from '../operations/operations.ts';
import { removalPolicy } from '../shared/removal.ts';
import type { EmailSender } from './email-sender.ts';
import {
  addQueueWorkerAlarms,
  type QueueWorkerMetrics,
  queueWorkerMetrics,
} from './queue-worker-monitoring.ts';

export interface QueueWorkerProps {
  readonly operations: Operations;
  readonly definition: WorkerDefinition;
  readonly vpc: ec2.IVpc;
  readonly database: PostgresCluster;
  readonly emailSender: EmailSender;
}

/** One worker: its queue, the dead-letter queue behind it, and the function that is fed from it. */
export class QueueWorker extends Construct {
  readonly definition: WorkerDefinition;
  readonly metrics: QueueWorkerMetrics;
  private readonly queue: sqs.Queue;
  private readonly encryptionKeyArn: string;

  constructor(scope: Construct, id: string, props: QueueWorkerProps) {
    super(scope, id);
    const { definition, operations } = props;
    this.definition = definition;
    this.encryptionKeyArn = operations.encryptionKey.keyArn;
    // The two queues name each other, which CloudFormation cannot resolve without fixed names.
    const queueName = `headroom-${operations.stage.name}-${definition.name}`;
    const deadLetterQueue = this.createDeadLetterQueue(queueName, props);
    this.queue = new sqs.Queue(this, 'Queue', {
      queueName,
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: operations.encryptionKey,
      enforceSSL: true,
      visibilityTimeout: Duration.seconds(definition.visibilityTimeoutSeconds),
      retentionPeriod: Duration.seconds(definition.retentionSeconds),
      removalPolicy: removalPolicy(operations.stage),
      deadLetterQueue: {
        queue: deadLetterQueue,
        maxReceiveCount: definition.maximumReceiveCount,
      },
      redriveAllowPolicy: { redrivePermission: sqs.RedrivePermission.DENY_ALL },
    });
    const worker = this.createFunction(props);
    worker.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: definition.batchSize,
        maxBatchingWindow: Duration.seconds(definition.maximumBatchingWindowSeconds),
        maxConcurrency: definition.maximumConcurrency,
        reportBatchItemFailures: true,
      }),
    );
    this.metrics = queueWorkerMetrics({ queue: this.queue, deadLetterQueue, worker });
    addQueueWorkerAlarms(this, { operations, definition, metrics: this.metrics });
  }

  /** The variable that tells a service where the queue is. */
  get environment(): Readonly<Record<string, string>> {
    return { [this.definition.queueUrlVariable]: this.queue.queueUrl };
  }

  /** Lets `grantee` send messages to the queue. `Queue.grantSendMessages` would allow it more of the key than sending takes. */
  grantSend(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['sqs:SendMessage'],
      resourceArns: [this.queue.queueArn],
    });
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resourceArns: [this.encryptionKeyArn],
    });
  }

  private createDeadLetterQueue(queueName: string, props: QueueWorkerProps): sqs.Queue {
    const source = Stack.of(this).formatArn({
      service: 'sqs',
      resource: queueName,
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
    return new sqs.Queue(this, 'DeadLetterQueue', {
      queueName: `${queueName}-dead-letter`,
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: props.operations.encryptionKey,
      enforceSSL: true,
      retentionPeriod: Duration.seconds(props.definition.deadLetterRetentionSeconds),
      removalPolicy: removalPolicy(props.operations.stage),
      redriveAllowPolicy: { sourceQueues: [sqs.Queue.fromQueueArn(this, 'Source', source)] },
    });
  }

  private createFunction(props: QueueWorkerProps): NodeFunction {
    const { definition, operations, database, emailSender } = props;
    const { stage } = operations;
    const user = definition.databaseUser;
    const worker = new NodeFunction(this, 'Function', {
      operations,
      description: definition.description,
      vpc: props.vpc,
      entry: definition.entry,
      memoryMebibytes: definition.memoryMebibytes,
      timeoutSeconds: definition.timeoutSeconds,
      concurrency: {
        unlimitedBecause:
          'The event source of its queue, which alone invokes it, has a limit; a share of the account’s would be taken from the others even while it idles.',
      },
      deadLetterReason: 'Its messages have one: the dead-letter queue behind its queue.',
      environment: {
        STAGE: stage.name,
        ...telemetryEnvironment(stage.policy.telemetry),
        ...(user === undefined
          ? {}
          : {
              DATABASE_URL: database.writerUrl(user),
              DATABASE_AUTHENTICATION: 'iam',
              DATABASE_TLS: 'verify',
              DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: String(timeouts.databaseStatement * 1_000),
            }),
        ...(definition.sendsEmail === true
          ? {
              EMAIL_TRANSPORT: 'ses',
              EMAIL_SENDER: stage.email.sender,
              PASSWORD_RESET_URL: `https://${publicName(stage)}/reset-password`,
            }
          : {}),
      },
    });
    if (user !== undefined) database.grantLogin(worker, worker, user);
    if (definition.sendsEmail === true) emailSender.grantSend(worker);
    return worker;
  }
}

/**
 * Where a worker sends its traces: a function has no collector beside it, and so to the endpoint itself. Not where that takes a key, as the
 * variables of a function can be read by whoever may look at it.
 */
function telemetryEnvironment(telemetry: Policy['telemetry']): Record<string, string> {
  if (telemetry === undefined || telemetry.authorizationSecretArn !== undefined) return {};
  return { OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.endpoint };
}
