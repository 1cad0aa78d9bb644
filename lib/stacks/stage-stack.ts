import {
  Aspects,
  CfnResource,
  type Environment,
  type IAspect,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import type { StageConfiguration } from '../config/stage.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { EncryptedLogGroup } from '../constructs/shared/encrypted-log-group.ts';

export interface StageStackProps {
  readonly stage: StageConfiguration;
  /** @default that of the credentials with which it is deployed */
  readonly account?: string;
}

interface StackDescription {
  /** Last part of the stack's name. */
  readonly part: string;
  readonly description: string;
  /** @default the stage's region */
  readonly region?: string;
}

/** What the stacks of a stage have in common: names, tags, protection, and zones that need no look-up. */
export class StageStack extends Stack {
  readonly stage: StageConfiguration;

  constructor(
    scope: Construct,
    props: StageStackProps,
    { part, description, region }: StackDescription,
  ) {
    const { stage, account } = props;
    const environment: Environment = {
      region: region ?? stage.region,
      ...(account === undefined ? {} : { account }),
    };
    super(scope, `headroom-${stage.name}-${part}`, {
      env: environment,
      description: `Headroom, stage ${stage.name}: ${description}`,
      tags: { project: 'headroom', stage: stage.name },
      terminationProtection: stage.protection === 'protected',
      // CloudFront's stack is in another region than what it refers to; with weak references that costs no custom resource.
      crossRegionReferences: true,
    });
    this.stage = stage;
    Validations.of(this).acknowledge(
      {
        id: 'NIST.800.53.R5-CloudWatchAlarmAction',
        reason:
          'An alarm that tells nobody itself is a condition of the composite alarm of its subsystem, which pages once for all of them; a test checks that each is.',
      },
      {
        id: 'NIST.800.53.R5-IAMNoInlinePolicy',
        reason:
          'Each of these policies is for one role and goes with it; as a policy of its own it could be attached to others, which is what least privilege avoids.',
      },
    );
  }

  /** Those of the configuration; the CDK would ask AWS, or guess. */
  override get availabilityZones(): string[] {
    return this.stage.availabilityZones.map((letter) => `${this.region}${letter}`);
  }

  /** Gives the functions that the CDK itself adds a log group with retention; Lambda's own are kept for ever. */
  protected keepLogsOfProviders(operations: Operations): void {
    Aspects.of(this).add(new ProviderLogs(operations));
  }
}

/** The CDK's provider functions are plain resources without a property for their log group. */
class ProviderLogs implements IAspect {
  private readonly operations: Operations;

  constructor(operations: Operations) {
    this.operations = operations;
  }

  visit(node: IConstruct): void {
    if (!CfnResource.isCfnResource(node) || node instanceof CfnFunction) return;
    if (node.cfnResourceType !== 'AWS::Lambda::Function') return;
    const logGroup = new EncryptedLogGroup(Stack.of(node), `${node.node.scope?.node.id}Log`, {
      operations: this.operations,
    });
    node.addPropertyOverride('LoggingConfig', { LogGroup: logGroup.logGroupName });
  }
}
