import { Aws, CfnElement, Duration, Stack, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { ScheduledFunctionDefinition } from '../../config/schedules.ts';
import type { PostgresCluster } from '../database/postgres-cluster.ts';
import { NodeFunction } from '../functions/node-function.ts';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

/** Share of the time between two invocations within which the schedule may choose, so that stages don't all begin on the hour. */
const FLEXIBLE_SHARE = 1 / 4;
/** Longest that one of its statements may run, in milliseconds: it works in batches, and nobody waits for it. */
const STATEMENT_TIMEOUT_MILLISECONDS = 10_000;
/** Only one runs at a time: two would remove the same rows. */
const CONCURRENCY = 1;

export interface ScheduledFunctionProps {
  readonly operations: Operations;
  readonly definition: ScheduledFunctionDefinition;
  readonly vpc: ec2.IVpc;
  readonly database: PostgresCluster;
}

/** A function, and the schedule of EventBridge that invokes it. */
export class ScheduledFunction extends Construct {
  constructor(scope: Construct, id: string, props: ScheduledFunctionProps) {
    super(scope, id);
    const { definition, operations, database } = props;
    const maxEventAge = Duration.seconds(definition.maximumAgeSeconds);
    const handler = new NodeFunction(this, 'Function', {
      operations,
      description: definition.description,
      vpc: props.vpc,
      entry: definition.entry,
      memoryMebibytes: definition.memoryMebibytes,
      timeoutSeconds: definition.timeoutSeconds,
      concurrency: CONCURRENCY,
      deadLetterReason:
        'An event of its schedule says nothing but that it is time: what one run did not do, the next one does, and failures have an alarm.',
      environment: {
        STAGE: operations.stage.name,
        DATABASE_URL: database.writerUrl(definition.databaseUser),
        DATABASE_AUTHENTICATION: 'iam',
        DATABASE_TLS: 'verify',
        DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: String(STATEMENT_TIMEOUT_MILLISECONDS),
      },
    });
    database.grantLogin(handler, handler, definition.databaseUser);
    handler.configureAsyncInvoke({ retryAttempts: definition.retries, maxEventAge });
    new scheduler.Schedule(this, 'Schedule', {
      description: definition.description,
      schedule: scheduler.ScheduleExpression.rate(Duration.minutes(definition.everyMinutes)),
      timeWindow: scheduler.TimeWindow.flexible(
        Duration.minutes(Math.ceil(definition.everyMinutes * FLEXIBLE_SHARE)),
      ),
      // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
      target: new LambdaInvoke(handler as lambda.IFunction, {
        role: this.createRole(handler),
        retryAttempts: definition.retries,
        maxEventAge,
      }),
    });
    new OperationalAlarm(this, 'Failed', {
      operations,
      severity: 'ticket',
      meaning: `"${definition.name}" has failed, its retries included: what it is to do every ${definition.everyMinutes} minutes is left undone.`,
      metric: handler.metricErrors({ period: Duration.minutes(definition.everyMinutes) }),
      threshold: definition.retries,
      periods: 1,
    });
  }

  private createRole(handler: NodeFunction): iam.IRole {
    const role = new iam.Role(this, 'ScheduleRole', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    });
    const { defaultChild } = handler.node;
    if (!(defaultChild instanceof CfnElement)) throw new Error('The function has no resource.');
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(defaultChild)}.Arn>:*]`,
      reason: 'The versions and aliases of this one function, which the CDK adds to its ARN.',
    });
    return role as iam.IRole;
  }
}
