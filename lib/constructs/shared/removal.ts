import { RemovalPolicy } from 'aws-cdk-lib';
import type { StageConfiguration } from '../../config/stage.ts';

/**
 * What becomes of things that can be made again (logs, keys for them) when their stack is deleted. Data is another
 * matter: its constructs keep it, or a last snapshot of it, in every stage.
 */
export function removalPolicy(stage: StageConfiguration): RemovalPolicy {
  return stage.protection === 'protected' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}
