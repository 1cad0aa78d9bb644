import type * as ecs from 'aws-cdk-lib/aws-ecs';

/** Where the service writes heap snapshots and CPU profiles when an operator asks for them; the image has it, for the user that it runs as. */
export const DIAGNOSTICS_DIRECTORY = '/diagnostics';
/** What the agent of Session Manager writes to, which ECS starts in the container for `aws ecs execute-command`. */
const agentFolders = { 'agent-state': '/var/lib/amazon', 'agent-log': '/var/log/amazon' };

/**
 * Gives a container with a read-only root the folders that it has to write to. Each is a volume of the task: encrypted, on the task's own disk,
 * and gone with it. A tmpfs would be nearer at hand, but Fargate has none
 * (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html).
 */
export function addWritableFolders(
  taskDefinition: ecs.FargateTaskDefinition,
  container: ecs.ContainerDefinition,
  executeCommand: boolean,
): void {
  const folders = {
    diagnostics: DIAGNOSTICS_DIRECTORY,
    ...(executeCommand ? agentFolders : {}),
  };
  for (const [name, containerPath] of Object.entries(folders)) {
    taskDefinition.addVolume({ name });
    container.addMountPoints({ sourceVolume: name, containerPath, readOnly: false });
  }
}
