import { Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { ServiceDefinition } from '../../config/services.ts';
import type { Operations } from '../operations/operations.ts';
import { removalPolicy } from '../shared/removal.ts';
import { grantSecretRead } from '../shared/secret-grant.ts';

/** Characters, of letters and digits: more than 256 bits. */
const LENGTH = 64;

export interface ServiceSecretProps {
  readonly operations: Operations;
  readonly definition: ServiceDefinition;
  readonly dataKey: kms.IKey;
}

/** What a service derives its keys from: of cursors, digests and access tokens. Each service has one of its own, made at random. */
export class ServiceSecret extends Construct {
  private readonly secret: secretsmanager.Secret;
  private readonly dataKey: kms.IKey;

  constructor(scope: Construct, id: string, props: ServiceSecretProps) {
    super(scope, id);
    const { definition, operations } = props;
    this.dataKey = props.dataKey;
    this.secret = new secretsmanager.Secret(this, 'Secret', {
      description: `Keys of ${definition.name} in stage ${operations.stage.name} are derived from it.`,
      encryptionKey: props.dataKey,
      generateSecretString: { passwordLength: LENGTH, excludePunctuation: true },
      removalPolicy: removalPolicy(operations.stage),
    });
    const reason =
      'Changing it ends all logins and lists in progress, so a person decides when; access tokens have a rotation of their own (ACCESS_TOKEN_KEYS).';
    Validations.of(this.secret).acknowledge(
      { id: 'AwsSolutions-SMG4', reason },
      { id: 'NIST.800.53.R5-SecretsManagerRotationEnabled', reason },
    );
  }

  grantRead(grantee: iam.IGrantable): void {
    grantSecretRead(grantee, this.secret.secretArn, this.dataKey);
  }

  containerSecret(): ecs.Secret {
    // By its ARN, so that only grantRead grants anything: see grantSecretRead.
    return ecs.Secret.fromSecretsManager(
      secretsmanager.Secret.fromSecretCompleteArn(this, 'Reference', this.secret.secretArn),
    );
  }
}
