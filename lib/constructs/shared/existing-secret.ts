import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';

/**
 * A secret that somebody has made by hand, as a container gets it. The execution role of the task may then read this one secret, and nothing else is
 * granted: a secret with Secrets Manager's own key needs nothing more, and one with the stage's data key may be decrypted because the role reads the
 * service's secret with it. A key that the stage does not know would have to be granted to the role first.
 */
export function existingSecret(scope: Construct, id: string, arn: string): ecs.Secret {
  return ecs.Secret.fromSecretsManager(secretsmanager.Secret.fromSecretCompleteArn(scope, id, arn));
}
