import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/**
 * The role that Application Auto Scaling makes for itself with the first target of a service in an account. Without it, the CDK would make
 * a role that is never used
 * (https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html).
 *
 * @param service - as in the service's principal: `ecs`, `rds`.
 * @param resource - as in the role's name: `ECSService`, `RDSCluster`.
 */
export function serviceLinkedScalingRole(
  scope: Construct,
  service: string,
  resource: string,
): iam.IRole {
  return iam.Role.fromRoleArn(
    scope,
    'ScalingRole',
    Stack.of(scope).formatArn({
      service: 'iam',
      region: '',
      resource: `role/aws-service-role/${service}.application-autoscaling.amazonaws.com`,
      resourceName: `AWSServiceRoleForApplicationAutoScaling_${resource}`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    }),
  );
}
