import { App } from 'aws-cdk-lib';
import { sizeStage } from '../capacity/size-stage.ts';
import { readContext } from '../config/context.ts';
import { createStage } from './stage.ts';

/**
 * The CDK app: every stage that was asked for on the command line (`-c stage=…`), or all of them.
 *
 * @throws ConfigurationError for what was asked for, or what the stages say, that cannot be.
 */
export function synthesise(): void {
  // Metadata about the CDK's version would change every template with each upgrade.
  const app = new App({ analyticsReporting: false, autoSynth: false });
  const { stages, ...selection } = readContext(app.node.getAllContext());
  for (const definition of stages) {
    createStage(app, { ...selection, stage: sizeStage(definition) });
  }
  app.synth();
}
