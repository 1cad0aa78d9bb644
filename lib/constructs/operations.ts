import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageConfiguration } from '../config/stage.ts';
import { removalPolicy } from './removal.ts';

/** How soon a person has to act: `page` at once, at night too; `ticket` on the next working day. */
export type Severity = keyof StageConfiguration['contacts'];

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
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
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
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    for (const address of addresses) topic.addSubscription(new EmailSubscription(address));
    return topic;
  }
}
