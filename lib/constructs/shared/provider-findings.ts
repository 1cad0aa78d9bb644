import { Stack, Validations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** What the CDK calls the one function of a stack that makes the calls of all `AwsCustomResource`s. */
const CALL_FUNCTION = /^AWS679f53fac/;

/** Acknowledges what is found about the function behind the `AwsCustomResource`s of `scope`'s stack: it is the CDK's, and not ours to choose. */
export function acknowledgeCallFunction(scope: Construct): void {
  const provider = Stack.of(scope).node.children.find(({ node }) => CALL_FUNCTION.test(node.id));
  if (provider === undefined) return;
  Validations.of(provider).acknowledge(
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason:
        'The CDK’s own function, which gets the policy from the CDK to write its log; its calls are granted one by one beside it.',
    },
    ...['LambdaConcurrency', 'LambdaDLQ', 'LambdaInsideVPC'].map((rule) => ({
      id: `NIST.800.53.R5-${rule}`,
      reason:
        'The CDK’s own function, invoked by a deployment that waits for its response; it calls AWS’s API, and nothing in the VPC.',
    })),
  );
}
