import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IgnoreMode, Stack } from 'aws-cdk-lib';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { ContainerImage } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { repositoryRoot } from '../../config/repository-root.ts';
import type { ServiceDefinition } from '../../config/services.ts';

/** `123456789012.dkr.ecr.eu-west-1.amazonaws.com/name:tag`, or with `@sha256:…` in place of the tag. */
const PRIVATE_REPOSITORY =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com\/(?<name>[^:@]+)[:@](?<version>.+)$/;

/** An image that exists already; from a private repository of ECR, the tasks get the right to pull it. */
export function existingImage(scope: Construct, id: string, imageUri: string): ContainerImage {
  const parts = PRIVATE_REPOSITORY.exec(imageUri)?.groups;
  if (parts === undefined) return ContainerImage.fromRegistry(imageUri);
  const { account = '', region = '', name = '', version = '' } = parts;
  const repository = Repository.fromRepositoryAttributes(scope, id, {
    repositoryName: name,
    repositoryArn: Stack.of(scope).formatArn({
      service: 'ecr',
      account,
      region,
      resource: 'repository',
      resourceName: name,
    }),
  });
  return ContainerImage.fromEcrRepository(repository, version);
}

/** The lines of the ignore file that Docker reads for this Dockerfile, so that the CDK sends and hashes the same files. */
function ignoredFiles(dockerfile: string): string[] {
  return readFileSync(join(repositoryRoot, `${dockerfile}.dockerignore`), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/**
 * The image of a service: `imageUri` where one has been built already, or else a build from its Dockerfile, which the CDK does
 * when it deploys, not when it synthesises.
 */
export function serviceImage(
  scope: Construct,
  { name, dockerfile }: Pick<ServiceDefinition, 'name' | 'dockerfile'>,
  imageUri?: string,
): ContainerImage {
  if (imageUri !== undefined) return existingImage(scope, `Repository-${name}`, imageUri);
  return ContainerImage.fromAsset(repositoryRoot, {
    file: dockerfile,
    platform: Platform.LINUX_ARM64,
    exclude: ignoredFiles(dockerfile),
    ignoreMode: IgnoreMode.DOCKER,
  });
}
