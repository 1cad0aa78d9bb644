import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import type { AlarmBase } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageConfiguration } from '../../config/stage.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import { removalPolicy } from '../shared/removal.ts';
import type { RegisteredAlarm } from './registered-alarm.ts';
import type { Severity } from './severity.ts';
import { subsystemOf } from './subsystem.ts';

/** The services that tell people something: alarms, and the budget. */
const publishers = () => [
  new iam.ServicePrincipal('cloudwatch.amazonaws.com'),
  new iam.ServicePrincipal('budgets.amazonaws.com'),
];

export interface OperationsProps {
  readonly stage: StageConfiguration;
}

/**
 * What the other constructs of a stage need to be operated, once for each region: the key that encrypts logs, queues and
 * notifications, and the topics that alarms go to, one for each severity.
 */
export class Operations extends Construct {
  readonly stage: StageConfiguration;
  readonly encryptionKey: kms.IKey;
  private readonly topics: Readonly<Record<Severity, sns.ITopic>>;
  private readonly registered: RegisteredAlarm[] = [];
  private readonly keys: string[] = [];
  private hasEventLog = false;

  constructor(scope: Construct, id: string, props: OperationsProps) {
    super(scope, id);
    this.stage = props.stage;
    this.encryptionKey = this.createKey();
    this.topics = {
      page: this.createTopic('Page', props.stage.contacts.page),
      ticket: this.createTopic('Ticket', props.stage.contacts.ticket),
    };
  }

  /** The topic that alarms of that severity go to. */
  topic(severity: Severity): sns.ITopic {
    return this.topics[severity];
  }

  /** Every alarm of this region that people are notified of, so far. */
  get alarms(): readonly RegisteredAlarm[] {
    return this.registered;
  }

  /** Names of all alarms of this region, silenced ones included. */
  get alarmKeys(): readonly string[] {
    return this.keys;
  }

  /** Sees to it that people are notified of `alarm`, as its severity and the stage's overrides ask for. */
  register(
    alarm: AlarmBase & { readonly name: string },
    { key, severity }: { readonly key: string; readonly severity: Severity },
  ): void {
    this.keys.push(key);
    const override = this.stage.policy.alarmOverrides?.[key];
    const registered = {
      alarm,
      key,
      subsystem: subsystemOf(key),
      severity: override?.severity ?? severity,
    };
    if (override?.silenced !== undefined) return;
    this.registered.push(registered);
    if (registered.severity === 'ticket') this.notify(alarm, 'ticket');
  }

  /** Has `alarm` tell the people of that severity when it goes off and when it is over. */
  notify(alarm: AlarmBase, severity: Severity): void {
    const action = new SnsAction(this.topic(severity));
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
  }

  /** ARN of the log group that keeps what AWS tells of itself (tasks that stopped, failovers), for `scope`'s stack to write to. */
  eventLogArn(scope: Construct): string {
    const logGroupName = `/aws/events/headroom-${this.stage.name}`;
    if (!this.hasEventLog) {
      this.hasEventLog = true;
      this.createEventLog(logGroupName);
    }
    return Stack.of(scope).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: logGroupName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  private createEventLog(logGroupName: string): void {
    const logGroup = new EncryptedLogGroup(this, 'EventLog', { operations: this, logGroupName });
    const stack = Stack.of(this);
    new logs.CfnResourcePolicy(this, 'EventLogPolicy', {
      policyName: `headroom-${this.stage.name}-events`,
      policyDocument: stack.toJsonString(
        new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              sid: 'RulesOfThisStage',
              principals: [
                new iam.ServicePrincipal('events.amazonaws.com'),
                new iam.ServicePrincipal('delivery.logs.amazonaws.com'),
              ],
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [`${logGroup.logGroupArn}`],
              conditions: {
                ArnLike: {
                  'aws:SourceArn': `arn:${stack.partition}:events:${stack.region}:${Aws.ACCOUNT_ID}:rule/headroom-${this.stage.name}-*`,
                },
              },
            }),
          ],
        }).toJSON(),
      ),
    });
  }

  private createKey(): kms.Key {
    const { region, partition } = Stack.of(this);
    const key = new kms.Key(this, 'Key', {
      description: `Encrypts logs, queues and notifications of stage ${this.stage.name}.`,
      enableKeyRotation: true,
      removalPolicy: removalPolicy(this.stage),
    });
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'LogGroupsOfThisAccount',
        principals: [new iam.ServicePrincipal(`logs.${region}.amazonaws.com`)],
        actions: [
          'kms:Encrypt*',
          'kms:Decrypt*',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:Describe*',
        ],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${Aws.ACCOUNT_ID}:log-group:*`,
          },
        },
      }),
    );
    key.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: publishers(),
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    return key;
  }

  private createTopic(id: string, addresses: readonly string[]): sns.Topic {
    const topic = new sns.Topic(this, id, {
      displayName: `Headroom ${this.stage.name}: ${id.toLowerCase()}`,
      masterKey: this.encryptionKey,
      enforceSSL: true,
    });
    // A topic with a policy of its own loses the default one, which let the account's alarms publish.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsOfThisAccount',
        principals: publishers(),
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    for (const address of addresses) topic.addSubscription(new EmailSubscription(address));
    return topic;
  }
}
