import { App } from 'aws-cdk-lib';
import { sizeStage } from '../lib/capacity/size-stage.ts';
import { ConfigurationError } from '../lib/config/configuration-error.ts';
import { readContext } from '../lib/config/context.ts';
import { createStage } from '../lib/stacks/stage.ts';

/** The CDK app: `npx cdk synth` runs it, with `-c stage=…` for one stage, or without for all. */
function synthesise(): void {
  // Metadata about the CDK's version would change every template with each upgrade.
  const app = new App({ analyticsReporting: false, autoSynth: false });
  const { stages, ...selection } = readContext(app.node.getAllContext());
  for (const definition of stages) {
    createStage(app, { ...selection, stage: sizeStage(definition) });
  }
  app.synth();
}

try {
  synthesise();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
