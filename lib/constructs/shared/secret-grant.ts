import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';

/**
 * Lets `grantee` read a secret. `Secret.grantRead` would also write the grantee into the policy of the key; with the key in another
 * stack, which the grantee's stack needs, the two stacks would need each other.
 */
export function grantSecretRead(grantee: iam.IGrantable, secretArn: string, key: kms.IKey): void {
  iam.Grant.addToPrincipal({
    grantee,
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
    resourceArns: [secretArn],
  });
  key.grantDecrypt(grantee);
}
