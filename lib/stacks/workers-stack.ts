import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { ScheduledFunctionDefinition } from '../config/schedules.ts';
import type { WorkerDefinition } from '../config/workers.ts';
import type { PostgresCluster } from '../constructs/database/postgres-cluster.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { EmailSender } from '../constructs/workers/email-sender.ts';
import { QueueWorker } from '../constructs/workers/queue-worker.ts';
import { ScheduledFunction } from '../constructs/workers/scheduled-function.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface WorkersStackProps extends StageStackProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  readonly database: PostgresCluster;
  readonly definitions: readonly WorkerDefinition[];
  readonly schedules: readonly ScheduledFunctionDefinition[];
}

export class WorkersStack extends StageStack {
  readonly workers: readonly QueueWorker[];

  constructor(scope: Construct, props: WorkersStackProps) {
    super(scope, props, {
      part: 'workers',
      description: 'queues and schedules, and the functions they invoke',
    });
    const emailSender = new EmailSender(this, 'EmailSender', props);
    this.workers = props.definitions.map(
      (definition) =>
        new QueueWorker(this, `Worker-${definition.name}`, { ...props, definition, emailSender }),
    );
    for (const definition of props.schedules) {
      new ScheduledFunction(this, `Schedule-${definition.name}`, { ...props, definition });
    }
  }
}
